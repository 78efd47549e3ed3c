"""A result that anybody with its link can see: what is kept of that, what its page shows, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.domain.actions import Act, Control
from bot.domain.language import N_, ngettext, pgettext, tr
from bot.domain.messages import Rendition
from bot.domain.refs import TurnId

SHARE: Final = "share:"
"""How the code of the question begins whether a result shall be shared; "<turn>/<index>" follows."""
SHARED: Final = "shared:"
"""The same, of the answer that brings the link."""
NAMED, UNNAMED = "named", "unnamed"
"""What the asker answers when asked for their name."""
REMIX: Final = "remix_"
"""How the argument of /start begins that asks for a shared picture; an id of hexadecimal digits follows."""

ASKS_NAME = N_(
    "Anybody who has the link will see this picture, its label and the words that led to it; nothing else of this "
    "chat. It can be ended at any time. Shall your name stand there, too?"
)
HERE_IT_IS = N_(
    "Here is the link: {link}\nAnybody who has it sees the picture, until you stop sharing it or it is deleted."
)
SHOWN_ONCE = N_("(It is shown only once. /share makes a new one.)")
"""In place of a link that nobody keeps."""
ENDED = N_("It is not shared any more. Its links lead nowhere now.")
NOT_SHARED = N_("That picture is not shared.")
NOTHING_TO_SHARE = N_("Reply to a finished picture of mine with /share. Trees and pictures that people sent stay here.")
NOT_YOURS_TO_SHARE = N_("Only whoever asked for a picture can share it.")
OTHERS_IN_IT = N_(
    "Somebody else's picture is in this, and they have not said that everybody here may use it. So it stays here. "
    "“/settings mine here”, said by them, changes that."
)
FOR_ADULTS = N_("Only adults are let into this chat, so its pictures stay here.")
NO_ADDRESS = N_(
    "Sharing is not set up here. Whoever runs me has to say under which address others reach my page: "
    "WEB_PUBLIC_URL=https://…"
)
REMIX_GONE = N_("That picture is not shared any more. Send me one of yours, with what you want changed.")
REMIX_IT = N_("This picture was shared with you. Reply to it with what you want changed.")
A_STEP = N_("a step by a friend")


@dataclass(frozen=True, slots=True)
class Share:
    """A result that is shared: `index` of the turn's results. `named` where the asker wants their name to be read."""

    turn: TurnId
    index: int = 0
    named: bool = False


@dataclass(frozen=True, slots=True)
class SharedResult:
    """What the page of a shared result shows. `by` is empty where the asker is not named; `friends` says how many
    others had a part in it. `steps` is the way to it in words. `remix` is a link that leads back, empty where there is
    none."""

    picture: Rendition
    by: str = ""
    friends: int = 0
    steps: tuple[str, ...] = ()
    remix: str = ""
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """A result of somebody's, ready to be shown elsewhere by themselves."""

    turn: TurnId
    index: int
    picture: Rendition
    words: str = ""


def code_of(kind: str, turn: TurnId, index: int) -> str:
    """`kind` is `SHARE` or `SHARED`."""
    return f"{kind}{turn}/{index}"


def meant_by(code: str) -> tuple[TurnId, int] | None:
    """The result that such an answer is about."""
    for kind in (SHARE, SHARED):
        if code.startswith(kind):
            turn, _, index = code.removeprefix(kind).partition("/")
            return (TurnId(turn), int(index)) if index.isascii() and index.isdigit() and len(index) < 4 else None
    return None


def share_controls(code: str) -> tuple[Control, ...]:
    """What stands under such an answer."""
    if code.startswith(SHARED):
        # TRANSLATORS: a button; at most 40 characters
        return (Control(Act.UNSHARE, pgettext("button", "Stop sharing")),)
    return (
        # TRANSLATORS: a button: share it, and say who made it; at most 40 characters
        Control(Act.SHARE, pgettext("button", "With my name"), NAMED),
        # TRANSLATORS: a button: share it, and do not say who made it; at most 40 characters
        Control(Act.SHARE, pgettext("button", "Without my name"), UNNAMED),
    )


def credit_words(shared: SharedResult) -> str:
    """Who made it, in words for strangers."""
    named, friends = bool(shared.by), shared.friends
    if not friends:
        words = tr("Made by {name}") if named else tr("Made by somebody in a chat")
    elif named:
        words = ngettext("Made by {name}, with a friend", "Made by {name}, with {count} friends", friends)
    else:
        words = ngettext(
            "Made by somebody in a chat, with a friend", "Made by somebody in a chat, with {count} friends", friends
        )
    return words.format(name=shared.by, count=friends)
