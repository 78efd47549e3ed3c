"""Ready-made values for tests."""

from __future__ import annotations

import itertools
import time

from bot.domain.images import ImageFacts, Input, Provenance, Role
from bot.domain.messages import Attachment, InboundMessage
from bot.domain.refs import ChatRef, MessageRef, Sha256, TurnId, UserRef, sha256_of, thread_id_of, turn_id_of
from bot.domain.turns import Outcome, Story, Turn, TurnState

CHAT = ChatRef("web", "page", "home")
ANNA = UserRef("web", "anna")
BEN = UserRef("web", "ben")
_numbers = itertools.count(1)


def image(name: str, *, provenance: Provenance = Provenance.UNKNOWN) -> ImageFacts:
    return ImageFacts(sha256_of(name.encode()), "image/png", 640, 480, 1000, provenance=provenance)


def message(
    text: str = "make it grey",
    *,
    author: UserRef = ANNA,
    id_: str | None = None,
    reply_to: MessageRef | None = None,
    attachments: tuple[Attachment, ...] = (),
    chat: ChatRef = CHAT,
) -> InboundMessage:
    return InboundMessage(
        ref=MessageRef(chat, id_ or f"m{next(_numbers)}"),
        author=author,
        author_name=author.user.title(),
        text=text,
        created_at=time.time(),
        attachments=attachments,
        reply_to=reply_to,
    )


def turn(
    *,
    author: UserRef = ANNA,
    parent: Turn | None = None,
    instruction: str = "make it grey",
    inputs: tuple[Input, ...] | None = None,
    story: Story | None = None,
    owners: tuple[UserRef, ...] = (),
) -> Turn:
    origin = MessageRef(CHAT, f"m{next(_numbers)}")
    thread = parent.thread if parent else thread_id_of(origin)
    id_ = turn_id_of(thread, f"{origin.key}#0")
    return Turn(
        id=id_,
        chat=CHAT,
        origin=origin,
        author=author,
        author_name=author.user.title(),
        instruction=instruction,
        engine="exact",
        parent=parent.id if parent else None,
        inputs=(Input(Role.SOURCE, author, image("photo")),) if inputs is None else inputs,
        reply=MessageRef(CHAT, f"a-{id_}"),
        created_at=time.time(),
        story=story or Story(),
        owners=owners or (author,),
    )


def done(*images: ImageFacts, cost_microusd: int = 0) -> Outcome:
    from bot.domain.labels import Label
    from bot.domain.turns import Usage

    return Outcome(
        TurnState.DONE,
        images=images or (image("result"),),
        label=Label(Provenance.UNKNOWN, edited_by_ai=False),
        usage=Usage(cost_microusd=cost_microusd),
    )


__all__ = ["ANNA", "BEN", "CHAT", "Sha256", "TurnId", "done", "image", "message", "turn"]
