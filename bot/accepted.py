"""What came of a message, and the turns that it asks for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.arena import Side
from bot.domain.credit import lent_by, merged
from bot.domain.images import Input, Role
from bot.domain.language import spoken
from bot.domain.messages import InboundMessage
from bot.domain.refs import MessageRef, Person, TurnId, UserRef, turn_id_of
from bot.domain.roles import Purpose
from bot.domain.turns import Outcome, Turn, Usage
from bot.domain.wishes import Form
from bot.ground import MAX_PINS, Ground, Request
from bot.listening import Understood
from bot.telling import Told


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of a message: the request, who does it, and what came along. `outcome` where it ends here."""

    request: Request
    engine: str = ""
    brought: tuple[Input, ...] = ()
    outcome: Outcome | None = None
    asks: tuple[Person, ...] = ()
    drawn: Told | None = None
    """A picture that was drawn for a command."""
    sides: tuple[Side, ...] = ()
    """Of an arena; which of them is A is drawn before a turn is made of it."""


def turn_of(
    message: InboundMessage, id_: TurnId, reply: MessageRef, accepted: Accepted, understood: Understood
) -> Turn:
    """The turn that a message asks for; the first one, where it asks for several."""
    request, ground, brought = accepted.request, accepted.request.ground, accepted.brought
    inputs = tuple(each for each in ground.inputs if each.image is not None or each.from_turn is not None)
    images = [each.image for each in brought]
    if brought and not any(each.image in images for each in inputs):
        inputs += brought
    return Turn(
        id=id_,
        chat=message.ref.chat,
        origin=message.ref,
        author=message.author,
        author_name=message.author_name,
        instruction=request.words,
        engine=accepted.engine,
        parent=ground.parent,
        inputs=inputs,
        reply=reply,
        created_at=message.created_at,
        story=ground.story,
        pins=(ground.pins or tuple(image for image in images if image is not None))[:MAX_PINS],
        owners=tuple(dict.fromkeys([*ground.owners, *(each.owner for each in brought if each.owner is not None)])),
        engines=ground.engines,
        note=ground.note,
        words_by=request.words_by,
        words_of=tuple(each for each in request.words_of if each != message.author),
        wish=request.wish,
        heard=understood.heard,
        spent=understood.spent,
        server=message.server,
        around=message.around,
        pin_owners=_pin_owners(ground, brought),
        asks=accepted.asks,
        spoiler=ground.spoiler,
        lent=merged(ground.lent, lent_by(ground.inputs), lent_by(brought)),
        taste=request.taste,
        sides=accepted.sides,
        unnamed=ground.unnamed,
        language=spoken(),
    )


def _pin_owners(ground: Ground, brought: Sequence[Input]) -> tuple[UserRef | None, ...]:
    """Aligned with the pins."""
    return ground.pin_owners if ground.pins else tuple(each.owner for each in brought if each.image)[:MAX_PINS]


def album_of(first: Turn, origin: str) -> list[Turn]:
    """One turn for each picture that was asked for. Their ids come from the same message, in order."""
    if first.wish.count < 2:
        return [first]
    ids = (first.id, *(turn_id_of(first.thread, origin, number) for number in range(1, first.wish.count)))
    first = _sided(replace(first, album=ids))
    return [first, *(sibling_of(first, id_) for id_ in ids[1:])]


def sibling_of(first: Turn, id_: TurnId) -> Turn:
    """Another turn of the same album. The later panels of a story go on from the first one."""
    turn = _sided(replace(first, id=id_, spent=Usage(), note=""))
    if first.wish.form is not Form.STORY:
        return turn
    reference = Input(Role.PARENT, first.author, None, first.id, purpose=Purpose.PANEL)
    return replace(turn, parent=first.id, inputs=(*first.inputs, reference))


def _sided(turn: Turn) -> Turn:
    """One of an arena wants what its own side does."""
    return turn if turn.side is None else replace(turn, wish=turn.side.wish)
