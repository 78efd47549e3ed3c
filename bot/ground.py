"""What a message stands on: the images it goes on from, the path that led there, and what a pressed control means."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.contests import Contests, Stage
from bot.domain.actions import Act, Press
from bot.domain.arena import BOTH_BAD, VOTE_OPEN, Choice, went_on_from
from bot.domain.commands import read_command
from bot.domain.credit import lent_to
from bot.domain.errors import BadRequest, NotAllowed
from bot.domain.images import ALL, ImageFacts, Input, Role
from bot.domain.inputs import results_of
from bot.domain.language import tr
from bot.domain.messages import InboundMessage, MessageRecord, Shown
from bot.domain.outcomes import (
    A_OR_B,
    ASKS_FOR_WORDS,
    COMMAND_NAMES,
    ONE_OR_ALL,
    PICTURE_OR_WORDS,
    PICTURE_QUESTIONS,
    SHEET,
    SHEETS,
    UNDO,
)
from bot.domain.refs import MessageRef, TurnId, UserRef, thread_id_of, turn_id_of
from bot.domain.roles import with_canvas
from bot.domain.sharing import meant_by
from bot.domain.story import story_below
from bot.domain.turns import FINAL_STATES, Lent, Story, Turn, TurnState, TurnStatus
from bot.domain.wishes import (
    MOST_VARIATIONS,
    PLAIN_WISH,
    Form,
    Kind,
    Manner,
    Wish,
    larger_wish,
    points_at_a_picture,
    read_wish,
)
from bot.domain.words import CLIMBED, LARGER, NO_PICTURE_YET, NO_SUCH_NODE, NOT_YOURS, PRESS_GONE, WHICH_NODE, WHICH_ONE
from bot.ports import MessageStore, TurnStore

MAX_PINS = 3
_LOOKS, _LOOK_EVERY_S = 20, 0.2


@dataclass(frozen=True, slots=True)
class Ground:
    """`inputs` and the path to them.

    `asked` is the wish of the turn that is replied to where it asked back, or gave no picture from words: the reply
    goes on with it. `unanswered` are its words where they came to nothing, so that the reply stands beside them.
    `from_words` where no picture was ever meant on this path. `all_there` is false while some of an album's pictures
    are still being made. `spoiler` where the pictures are hidden until they are opened. Of an arena, `vote_open` where
    it is not known yet which of the two is gone on from, and `tied` where that is to be asked. `unnamed` see `Turn`."""

    inputs: tuple[Input, ...] = ()
    parent: TurnId | None = None
    story: Story = field(default_factory=Story)
    pins: tuple[ImageFacts, ...] = ()
    pin_owners: tuple[UserRef | None, ...] = ()
    owners: tuple[UserRef, ...] = ()
    engines: tuple[str, ...] = ()
    note: str = ""
    asked: Wish | None = None
    unanswered: str = ""
    from_words: bool = False
    all_there: bool = True
    spoiler: bool = False
    lent: tuple[Lent, ...] = ()
    vote_open: bool = False
    tied: bool = False
    unnamed: tuple[UserRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted, in full: words, wish, and what they stand on. `words_by` is whose words they are, where they are
    not those of whoever pressed, `words_of` whose words are among them, too. `engine` is who does it where that does
    not follow from the words. `taste` are the asker's standing wishes."""

    words: str
    wish: Wish
    ground: Ground
    words_by: UserRef | None = None
    words_of: tuple[UserRef, ...] = ()
    engine: str = ""
    taste: str = ""


class Grounds:
    """Finds out what messages stand on. A lookup never crosses chats."""

    def __init__(self, messages: MessageStore, turns: TurnStore, contests: Contests) -> None:
        self._contests = contests
        self._messages = messages
        self._turns = turns

    async def target(self, message: InboundMessage) -> MessageRecord | None:
        """The message that is replied to, if it stands in the same chat and is remembered. With a picture named, it
        shows that one alone."""
        if message.reply_to is None or message.reply_to.chat != message.ref.chat:
            return None
        record = await self._messages.find(message.reply_to) or await self._quoted(message)
        if record is not None and record.author is None and message.quoted and not record.shows:
            # They were forgotten here, and are still who sent it.
            author = message.quoted.author if message.quoted.ref == record.ref else None
            record = replace(record, author=author.user, author_name=author.name) if author else record
        if record is None or message.reply_index is None or message.among:
            return record
        return only(record, message.reply_index)

    async def meant(self, message: InboundMessage) -> MessageRef | None:
        """What a message goes on from that replies to nothing; None where it is no such message, or begins anew."""
        if not goes_on(message):
            return None
        return await self._messages.latest(message.ref.chat, message.author, unfinished=True)

    async def _quoted(self, message: InboundMessage) -> MessageRecord | None:
        """A message that was not sent to us, with pictures on it: from now on it is remembered."""
        quoted = message.quoted
        if quoted is None or quoted.ref != message.reply_to or not quoted.attachments:
            return None
        author = quoted.author
        return await self._messages.note(
            MessageRecord(
                ref=quoted.ref,
                thread=thread_id_of(quoted.ref),
                author=author.user if author else None,
                author_name=author.name if author else "",
                ours=quoted.ours,
            )
        )

    async def of(self, target: MessageRecord | None, asker: UserRef) -> Ground:
        """Whether these pictures may be edited is another question."""
        if target is None:
            return Ground()
        if target.shows:
            return await self._on_turns(target.shows)
        if target.sources:
            inputs = inputs_of(target)
            owners = tuple(dict.fromkeys(each.owner for each in inputs if each.owner is not None))
            # What is ours was made of a picture that nobody remembers: there is no original to go back to.
            pins = () if target.ours else target.sources[:MAX_PINS]
            whose = tuple(each.owner for each in inputs[: len(pins)])
            return Ground(inputs=inputs, pins=pins, pin_owners=whose, owners=owners, spoiler=target.spoiler)
        if target.author == asker:
            # Their own words without a picture: what came of them is what they mean.
            return await self._on_turns([Shown(turn_id_of(target.thread, f"{target.ref.key}#0"), ALL)])
        return Ground()

    async def _on_turns(self, shows: Sequence[Shown]) -> Ground:
        status = await self.shown(shows[0].turn)
        if status is None or status.erased:
            return Ground()
        if status.outcome is not None and status.outcome.code in SHEETS:
            return _beside(status.turn)
        about = meant_by(status.outcome.code) if status.outcome is not None else None
        if about is not None:
            return await self._on_turns([Shown(*about)])
        if len(shows) > 1 and (voted := await self._voted(status, shows)) is not None:
            return voted
        return await self._on_each(status, shows)

    async def _on_each(self, status: TurnStatus, shows: Sequence[Shown]) -> Ground:
        found, climbed, all_there = await self._inputs(status, shows)
        turn, outcome = status.turn, status.outcome
        code = outcome.code if outcome is not None else ""
        if code == SHEET:
            return Ground(parent=turn.id, from_words=True)
        asking, done = status.state is TurnState.ASKING, status.state is TurnState.DONE
        has_images = outcome is not None and bool(outcome.images)
        # Where the hall asked which picture was meant there was none, and now one may be wished for from words.
        asked_which = code in PICTURE_QUESTIONS
        from_words = not (found or has_images) and (
            turn.wish.kind is not Kind.EDIT or asked_which or code in COMMAND_NAMES
        )
        lost = from_words and not done and not asking
        if code == ASKS_FOR_WORDS and (grown := await self._grown(turn)) is not None:
            whole = await self.of(grown, turn.author)
            return replace(whole, parent=turn.id, story=story_below(status), asked=turn.wish)
        return Ground(
            inputs=found,
            parent=turn.id,
            story=story_below(status),
            pins=turn.pins,
            pin_owners=turn.pin_owners,
            owners=turn.owners,
            engines=outcome.label.engines if outcome and outcome.label else turn.engines,
            note=tr(CLIMBED)
            if climbed and found and not asking and code != UNDO and status.state is not TurnState.REFUSED
            else "",
            asked=turn.wish if asking or lost else None,
            unanswered=turn.instruction if lost or asked_which else "",
            from_words=from_words,
            all_there=all_there,
            spoiler=turn.spoiler,
            lent=lent_to(turn) if found else (),
            unnamed=turn.unnamed,
        )

    async def _grown(self, turn: Turn) -> MessageRecord | None:
        """The message that a turn was asked for by, where more of its pictures came since."""
        record = await self._messages.find(turn.origin)
        if record is None or record.author != turn.author or len(record.sources) <= len(turn.inputs):
            return None
        return record if turn.inputs and all(each.image in record.sources for each in turn.inputs) else None

    async def _voted(self, status: TurnStatus, shows: Sequence[Shown]) -> Ground | None:
        """An arena as a whole: what was voted for, where that is known. None for what is none."""
        contest = await self._contests.of_turn(status.turn)
        if contest is None or contest.stage in (Stage.MAKING, Stage.VOID):
            return None
        if contest.stage is Stage.OPEN:
            return replace(await self._on_each(status, shows), vote_open=True)
        match contest.tally.winner:
            case Choice.A | Choice.B as won:
                id_ = status.turn.album[0 if won is Choice.A else 1]
                return replace(await self._on_turns([Shown(id_, ALL)]), note=went_on_from(won))
            case Choice.BAD:
                return replace(_beside(status.turn), parent=status.turn.id, note=tr(BOTH_BAD))
            case Choice.TIE:
                return replace(await self._on_each(status, shows), tied=True)

    async def is_arena(self, target: MessageRecord) -> bool:
        """Whether this message shows one that has ended: a reply to it means what was voted for."""
        status = await self._turns.load(target.shows[0].turn) if len(target.shows) == 2 else None
        contest = await self._contests.of_turn(status.turn) if status is not None else None
        return contest is not None and contest.stage is Stage.ENDED

    async def _inputs(self, first: TurnStatus, shows: Sequence[Shown]) -> tuple[tuple[Input, ...], bool, bool]:
        """What these results are, of the first turn and of others in the same album; whether they had to be looked for
        further up; and whether all of an album's are there."""
        inputs: list[Input] = []
        climbed_any, all_there = False, True
        for show in shows:
            status = first if show.turn == first.turn.id else await self._turns.load(show.turn)
            if status is None or status.erased:
                continue
            if status.state not in FINAL_STATES:
                inputs.append(Input(Role.PARENT, status.turn.author, None, status.turn.id, show.index))
                all_there = all_there and len(shows) == 1
                continue
            found, climbed = results_of(status, show.index)
            if climbed and len(shows) > 1:
                continue  # an album's panel that did not come
            climbed_any = climbed_any or climbed
            inputs += found
        if not inputs and len(shows) > 1:
            return (*results_of(first), True)
        return tuple(inputs), climbed_any, all_there

    async def shown(self, id_: TurnId) -> TurnStatus | None:
        """A turn that a message shows. Somebody may reply to it, or cancel it, while it is still being taken in: its
        placeholder stands first."""
        for _ in range(_LOOKS):
            status = await self._turns.load(id_)
            if status is not None:
                return status
            await asyncio.sleep(_LOOK_EVERY_S)
        return None

    # --- pressed controls

    async def pressed(self, press: Press, message: InboundMessage, target: MessageRecord | None) -> Request:
        """What pressing it asks for. Raises `BadRequest` where there is nothing left to press it on."""
        status = await self._turns.load(target.shows[0].turn) if target is not None and target.shows else None
        if target is None or status is None or status.erased:
            raise BadRequest(tr(PRESS_GONE))
        contest = await self._contests.of_turn(status.turn)
        if contest is not None and contest.hides:
            raise BadRequest(tr(VOTE_OPEN))  # what it makes would tell which is which
        request = await self._meant(press, message, target, status)
        words_by = status.turn.words_by or status.turn.author
        copied = (request.words != LARGER or request.wish.lettering) and words_by != message.author
        if press.act is Act.UNDO:
            return replace(request, words="")
        if not request.words.strip() and not request.ground.inputs:
            raise BadRequest(tr(PRESS_GONE))  # its words were taken back
        return replace(request, words_by=words_by if copied else None, words_of=status.turn.words_of)

    async def _meant(  # noqa: PLR0911, PLR0912 one way for each control
        self, press: Press, message: InboundMessage, target: MessageRecord, status: TurnStatus
    ) -> Request:
        turn = status.turn
        match press.act:
            case Act.LARGER:
                return await self._larger(press.argument, target, status)
            case Act.LATEST:
                ground = await self.latest(message)
                return Request(turn.instruction, replace(turn.wish, kind=Kind.EDIT), ground)
            case Act.IMAGINE:
                if status.outcome is None or status.outcome.code != PICTURE_OR_WORDS:
                    raise BadRequest(tr(PRESS_GONE))
                return Request(turn.instruction, replace(turn.wish, kind=Kind.IMAGINE), Ground(parent=turn.id))
            case Act.ORIGINAL:
                wish = replace(_alone(turn.wish), from_original=True)
                ground = replace(_beside(turn), parent=turn.id)
                return Request(turn.instruction, wish, on_original(ground))
            case Act.UNDO:
                if not turn.inputs or any(each.image is None for each in turn.inputs):
                    raise BadRequest(tr(PRESS_GONE))
                return Request(turn.instruction, _alone(turn.wish), _before_it(turn))
            case Act.GO:
                return await self._node(press.argument, status)
            case Act.MINE | Act.WITHDRAW:
                raise BadRequest(tr(PRESS_GONE))  # they are commands, and never come here
            case Act.ONLY if status.outcome is not None and status.outcome.code == A_OR_B:
                return await self._side(press.argument, turn)
            case Act.ONLY | Act.ALL:
                return _this_or_all(press, status)
            case Act.PRESET | Act.RECIPE | Act.SHARE | Act.UNSHARE:
                raise BadRequest(tr(PRESS_GONE))  # commands, which are answered elsewhere
            case Act.CANVAS:
                return Request(turn.instruction, turn.wish, _on_canvas(_beside(turn), _number(press.argument, 1)))
            case Act.AGAIN | Act.EXACTLY | Act.SURPRISE | Act.VARIATIONS:
                if press.act is Act.AGAIN and (len(target.shows) > 1 or status.state is TurnState.ASKING):
                    words, wish = turn.instruction, turn.wish
                else:
                    words, wish = _words_alone(status), _taken(press, turn.wish)
                return Request(words, wish, _beside(turn))

    async def _node(self, number: str, status: TurnStatus) -> Request:
        """One picture of a tree, as what is gone on from."""
        nodes = status.outcome.nodes if status.outcome is not None else ()
        if not nodes:
            raise BadRequest(tr(PRESS_GONE))
        ground = await self._on_turns([Shown(node_of(nodes, _number(number, 0)), ALL)])
        return Request("", PLAIN_WISH, replace(ground, note=""))

    async def on_node(self, status_of: MessageRecord, number: int) -> Ground | None:
        """What the picture of that number is, where this message shows a tree; None where it shows none. Raises
        `BadRequest` where there is none of that number."""
        status = await self.shown(status_of.shows[0].turn) if len(status_of.shows) == 1 else None
        if status is None or status.outcome is None or not status.outcome.nodes:
            return None
        return await self._on_turns([Shown(node_of(status.outcome.nodes, number), ALL)])

    async def _side(self, number: str, question: Turn) -> Request:
        """One of an arena's two, and what came along, for the words that it was asked about."""
        sides, along = question.inputs[:2], question.inputs[2:]
        picked = sides[_number(number, 1) - 1 : _number(number, 1)]
        ground = await self._on_turns([Shown(each.from_turn, each.from_index) for each in picked if each.from_turn])
        if not ground.inputs:
            raise BadRequest(tr(PRESS_GONE))
        along = tuple(each for each in along if not each.called)
        owners = tuple(dict.fromkeys([*ground.owners, *(each.owner for each in along if each.owner is not None)]))
        ground = replace(ground, inputs=(*ground.inputs, *along), owners=owners, spoiler=question.spoiler, note="")
        return Request(question.instruction, question.wish, ground)

    async def _larger(self, size: str, target: MessageRecord, status: TurnStatus) -> Request:
        """The result once more; or, where the size was asked about first, what was asked for."""
        if status.state is TurnState.ASKING:
            return Request(status.turn.instruction, replace(status.turn.wish, size=size), _beside(status.turn))
        if len(target.shows) > 1:
            raise BadRequest(tr(WHICH_ONE))
        ground = await self._on_turns(target.shows)
        wish = larger_wish(status.turn.wish, size)
        return Request(LARGER, wish, replace(ground, note="", inputs=ground.inputs[:1]))

    async def latest(self, message: InboundMessage) -> Ground:
        """What was made last in this chat for whoever asks. Raises `BadRequest` where there is nothing."""
        latest = await self._messages.latest(message.ref.chat, message.author)
        found = await self._messages.find(latest) if latest is not None else None
        ground = await self.of(found, message.author)
        if not ground.inputs:
            raise BadRequest(tr(NO_PICTURE_YET))
        return ground

    async def is_sheet_of(self, target: MessageRecord | None, code: str) -> bool:
        """Whether this message is an answer to choose from, of that code."""
        status = await self.shown(target.shows[0].turn) if target is not None and len(target.shows) == 1 else None
        return status is not None and status.outcome is not None and status.outcome.code == code


def only(record: MessageRecord, index: int) -> MessageRecord:
    """The same message as if it showed that picture alone (from 0)."""
    there = bool(record.sources[index : index + 1]) and index >= 0
    return replace(
        record,
        shows=_only(record.shows, index),
        sources=record.sources[index : index + 1] if there else record.sources,
        owners=record.owners[index : index + 1] if there else record.owners,
    )


def inputs_of(record: MessageRecord) -> tuple[Input, ...]:
    """The pictures that a message brought, each with its owner. What is ours was a result once."""
    if record.ours:
        return tuple(Input(Role.PARENT, None, image) for image in record.sources)
    owners = [record.owner_of(index) for index in range(len(record.sources))]
    return tuple(
        Input(Role.SOURCE, owner.user if owner else None, image, owner_name=owner.name if owner else "")
        for image, owner in zip(record.sources, owners, strict=True)
    )


def _only(shows: Sequence[Shown], index: int) -> tuple[Shown, ...]:
    """One picture of a message: a turn of an album, or a result of its only turn."""
    if len(shows) > 1:
        return tuple(shows[index : index + 1]) if index >= 0 else ()
    return tuple(Shown(show.turn, index) for show in shows)


def _beside(turn: Turn) -> Ground:
    """The same ground again: a turn beside this one."""
    return Ground(
        inputs=turn.inputs,
        parent=turn.parent,
        story=turn.story,
        pins=turn.pins,
        pin_owners=turn.pin_owners,
        owners=turn.owners,
        engines=turn.engines,
        from_words=not turn.inputs,
        spoiler=turn.spoiler,
        lent=lent_to(turn),
        unnamed=turn.unnamed,
    )


def _before_it(turn: Turn) -> Ground:
    """What it was made from: whoever came along by their name was no step on the way."""
    stood = tuple(each for each in turn.inputs if not each.called)
    if not stood:
        raise BadRequest(tr(PRESS_GONE))
    return replace(_beside(turn), inputs=stood)


def on_original(ground: Ground) -> Ground:
    """The same path, on the picture that its thread began with. Raises `NotAllowed` where nobody can say whose that one
    is."""
    if not ground.pins:
        raise BadRequest(tr(PRESS_GONE))
    if not ground.pin_owners and len(ground.owners) > 1:
        raise NotAllowed(tr(NOT_YOURS))
    owner = ground.pin_owners[0] if ground.pin_owners else next(iter(ground.owners), None)
    names = {each.owner: each.name for each in ground.lent}
    name = names.get(owner, "") if owner is not None else ""
    inputs = tuple(Input(Role.SOURCE, owner, pin, owner_name=name) for pin in ground.pins[:1])
    pinned = {pin.sha256 for pin in ground.pins}
    # Whoever lent a picture later on is still named, and that picture is no part of this any more.
    lent = tuple(each if each.image in pinned else replace(each, image="") for each in ground.lent)
    return replace(ground, inputs=inputs, engines=(), note="", from_words=False, lent=lent)


def _alone(wish: Wish) -> Wish:
    """The same wish for one picture."""
    return replace(wish, form=Form.ONE, count=1, manner=Manner.PLAIN)


def _words_alone(status: TurnStatus) -> str:
    """The instruction; for a panel of a story, so that the panel can be made by itself."""
    turn, outcome = status.turn, status.outcome
    if turn.wish.form is not Form.STORY or not turn.album:
        return turn.own_words
    shows = f", which shows: {outcome.words}" if outcome is not None and outcome.images and outcome.words else ""
    return f"{turn.instruction}\nDraw only panel {turn.panel + 1} of it{shows}"


def _taken(press: Press, wish: Wish) -> Wish:
    """The same wish, done in another way."""
    alone = _alone(wish)
    match press.act:
        case Act.EXACTLY:
            return replace(alone, manner=Manner.EXACTLY)
        case Act.SURPRISE:
            return replace(alone, manner=Manner.SURPRISE)
        case Act.VARIATIONS:
            count = min(max(_number(press.argument, MOST_VARIATIONS), 2), MOST_VARIATIONS)
            return replace(alone, form=Form.VARIATIONS, count=count)
        case _:
            return alone


def _on_canvas(ground: Ground, number: int) -> Ground:
    """The same inputs, with that one (from 1) as the picture to edit."""
    if not 1 <= number <= len(ground.inputs):
        raise BadRequest(tr(PRESS_GONE))
    purposes = with_canvas([each.purpose for each in ground.inputs], number)
    inputs = tuple(replace(each, purpose=purpose) for each, purpose in zip(ground.inputs, purposes, strict=True))
    return replace(ground, inputs=inputs)


def _this_or_all(press: Press, status: TurnStatus) -> Request:
    turn, code = status.turn, status.outcome.code if status.outcome is not None else ""
    if not code.startswith(ONE_OR_ALL):
        raise BadRequest(tr(PRESS_GONE))
    ground = _beside(turn)
    if press.act is Act.ONLY:
        ground = _alone_of(ground, _number(press.argument, 1))
    return Request(turn.instruction, turn.wish, ground)


def _alone_of(ground: Ground, number: int) -> Ground:
    """That picture (from 1), as if it had come by itself."""
    if not 1 <= number <= len(ground.inputs):
        raise BadRequest(tr(PRESS_GONE))
    picture = replace(ground.inputs[number - 1], purpose=None)
    pins = (picture.image,) if picture.image is not None else ()
    owners = (picture.owner,) if picture.owner is not None else ()
    whose = (picture.owner,) * len(pins)
    return replace(ground, inputs=(picture,), pins=pins, pin_owners=whose, owners=owners, lent=())


def goes_on(message: InboundMessage) -> bool:
    """Whether it replies to nothing, and means what was made for its author last."""
    if not message.goes_on or message.reply_to or message.attachments or message.press:
        return False
    return message.voice is not None or not begins_anew(message.text)


def begins_anew(words: str) -> bool:
    """Whether these words want something that needs no picture: a command, a drawing, a question about the world."""
    if read_command(words) is not None:
        return True
    return read_wish(words, images=0).wish.kind is not Kind.EDIT and not points_at_a_picture(words)


def node_of(nodes: Sequence[TurnId], number: int) -> TurnId:
    """By its number, from 1. Raises `BadRequest`."""
    if not number:
        raise BadRequest(tr(WHICH_NODE).format(number=len(nodes)))
    if not 1 <= number <= len(nodes):
        raise BadRequest(tr(NO_SUCH_NODE).format(number=number, most=len(nodes)))
    return nodes[number - 1]


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else default
