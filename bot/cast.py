"""The cast of a chat: who is saved in it, shown, taken out, and who comes along where their name is said."""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.consent import Consent
from bot.deletion import delete_pixels
from bot.domain.actions import Act
from bot.domain.cast import (
    ENGINE,
    MOST_MEMBERS,
    MOST_PICTURES,
    NO_PICTURE_TO_SAVE,
    NOT_READY_TO_SAVE,
    CastPicture,
    Deleting,
    Member,
    Saving,
    cast_is_full,
    member_line,
    name_is_taken,
    named_in,
    no_such_member,
    nobody_in_cast,
    not_yours_to_delete,
    read_cast,
    same_name,
    taken_out,
    told_as,
    too_many_pictures,
    without,
    yours_taken_out,
)
from bot.domain.commands import Command, read_command
from bot.domain.consent import Policy, Standing
from bot.domain.credit import merged
from bot.domain.errors import BadRequest, NotAllowed
from bot.domain.images import ImageFacts, Input, Picture, Role
from bot.domain.labels import label_for
from bot.domain.language import tr
from bot.domain.messages import InboundMessage, MessageRecord
from bot.domain.refs import ChatRef, Person, UserRef, short_hash
from bot.domain.roles import Purpose, read_roles
from bot.domain.turns import Lent, Story, TurnState, TurnStatus
from bot.domain.wishes import Kind, Wish
from bot.domain.words import NOBODY_TO_ASK
from bot.ground import Ground, Request
from bot.ports import CastStore, ConsentStore, ImageLedger, ImageStore, TurnStore
from bot.telling import Told

log = structlog.get_logger("cast")

Draw = Callable[[Sequence[tuple[str, Sequence[bytes]]]], Picture]
"""Names, each with the files of its pictures: gives the contact sheet. Blocks."""
IsExact = Callable[[str, int, Wish], bool]
"""Whether arithmetic does it: these words, with so many pictures."""
Show = Callable[[TurnStatus], Awaitable[None]]
_TRIES = 5
_BRING_NOTHING = frozenset({Act.ONLY, Act.ALL, Act.LATEST, Act.ORIGINAL})
"""Controls that leave behind what came along, or never had it."""


class Cast:
    """`/cast`, and names in what people ask for. Somebody's picture is saved once its owner agrees, and each time that
    another than its owner uses it, the owner is asked as for any picture. Nothing is seen from another chat."""

    def __init__(
        self,
        *,
        store: CastStore,
        turns: TurnStore,
        images: ImageStore,
        ledger: ImageLedger,
        says: ConsentStore,
        consent: Consent,
        is_exact: IsExact,
        draw: Draw,
    ) -> None:
        self._store = store
        self._turns = turns
        self._images = images
        self._ledger = ledger
        self._says = says
        self._consent = consent
        self._is_exact = is_exact
        self._draw = draw

    async def answer(
        self,
        command: Command,
        message: InboundMessage,
        target: MessageRecord | None,  # noqa: ARG002 its pictures are not fetched yet
    ) -> Told:
        match read_cast(command.rest):
            case None:
                return await self._shown(message)
            case Deleting(name):
                return Told(await self._deleted(name, message))
            case Saving() as saving:
                await self._room_for(saving, message.author, await self._members_seen(message), ())
                return Told(goes_on=True)

    async def called(self, message: InboundMessage, request: Request) -> Request:
        """What is asked for, with the pictures of those whom it names; or, of “/cast save”, what saves them. Raises
        `BadRequest`."""
        command = None if message.press else read_command(message.text)
        if command is not None:
            saving = read_cast(command.rest) if command.name == "cast" else None
            return await self._to_save(saving, message, request) if isinstance(saving, Saving) else request
        if not request.words or (message.press is not None and message.press.act not in _BRING_NOTHING):
            return request
        members = await self._members_seen(message)
        named = _named(request.words, members)
        ground = request.ground
        if not named.members or (ground.inputs and self._is_exact(request.words, len(ground.inputs), request.wish)):
            return request
        begins = _begins(message, ground)
        if not begins and not ground.inputs and not ground.from_words:
            return request  # a picture was meant, and was not found: that must be said
        await self._renew(members)
        return _with_references(request, named, asker=message.author, begins=begins and not message.attachments)

    def kept_before(self, show: Show) -> Show:
        """Whoever was saved by a turn is in the cast before its answer stands there."""

        async def kept_and_shown(status: TurnStatus) -> None:
            if status.turn.engine == ENGINE and status.state is TurnState.DONE:
                await self._keep(status)
            await show(status)

        return kept_and_shown

    async def leave(self, owner: UserRef) -> None:
        """This person's pictures go out of every cast, at once."""
        for _ in range(_TRIES):
            tried = [
                await self._change(each, without(each, owner, words=False)) for each in await self._store.of(owner)
            ]
            if all(tried):
                return
        log.warning("somebody's pictures are still in a cast", tries=_TRIES)

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        """See `bot.ports.Rooms.move`."""
        await self._store.move(old, new)

    # --- what stands there

    async def _members_seen(self, message: InboundMessage) -> Sequence[Member]:
        """Of two with the same name, the one that stands nearer."""
        found: dict[str, Member] = {}
        for member in await self._store.members([message.ref.chat, *message.around]):
            found.setdefault(same_name(member.name), member)
        return tuple(found.values())

    async def _shown(self, message: InboundMessage) -> Told:
        members = [
            each for member in await self._members_seen(message) if (each := await self._allowed(member, message))
        ]
        if not members:
            return Told(nobody_in_cast())
        words = "\n".join(member_line(member) for member in members)
        policy = await self._consent.policy(message.ref.chat, message.server, message.around)
        if policy is Policy.OFF:
            return Told(words, words_of=tuple(dict.fromkeys(member.by.user for member in members)))
        await self._renew(members)
        files = [
            (member.name, [data for each in member.images if (data := await self._file(each))]) for member in members
        ]
        pictures = [each for member in members for each in member.pictures]
        return Told(
            words,
            picture=await asyncio.to_thread(self._draw, files),
            label=label_for(generative_engine=None, inputs=[each.image.provenance for each in pictures]),
            owners=tuple(dict.fromkeys(person for member in members for person in member.people)),
            lent=_lent_by(pictures),
            spoiler=any(each.spoiler for each in pictures),
        )

    async def _allowed(self, member: Member, message: InboundMessage) -> Member | None:
        """Without what somebody does not want shown."""
        others = [person for person in member.people if person != message.author]
        standing = zip(others, await self._says.standing(others, message.ref.chat), strict=True) if others else ()
        left: Member | None = member
        for person, said in standing:
            if said is Standing.NEVER and left is not None:
                left = without(left, person, words=False)
        return left

    async def _file(self, image: ImageFacts) -> bytes | None:
        try:
            return await self._images.get(image.sha256)
        except KeyError:
            return None

    async def _renew(self, members: Sequence[Member]) -> None:
        """All of a cast that is used lives on."""
        await self._store.renew(members)
        await self._ledger.keep("", [], target="", renew=[image for member in members for image in member.images])

    async def _deleted(self, name: str, message: InboundMessage) -> str:
        member = _of_name(name, await self._members_seen(message))
        if member is None:
            raise BadRequest(no_such_member(name))
        left = None if member.by.user == message.author else without(member, message.author, words=False)
        if left == member:
            raise NotAllowed(not_yours_to_delete(member.name))
        if not await self._change(member, left):
            return await self._deleted(name, message)
        return taken_out(member.name) if left is None else yours_taken_out(member.name)

    async def _change(self, member: Member, left: Member | None) -> bool:
        """Keep what is left of it, and let go of the other pixels. False where it is another by now."""
        if left == member:
            return True
        written = await (self._store.drop(member) if left is None else self._store.put(left, instead_of=member))
        if written:
            await self._let_go(member, left)
        return written

    async def _let_go(self, member: Member, left: Member | None) -> None:
        kept = left.images if left is not None else ()
        gone = await self._ledger.release(member.holder, [each for each in member.images if each not in kept])
        await delete_pixels(self._images, self._ledger, gone)

    # --- saving

    async def _room_for(
        self, saving: Saving, asker: UserRef, members: Sequence[Member], images: Sequence[ImageFacts]
    ) -> None:
        """Raises `BadRequest`, `NotAllowed`."""
        member = _of_name(saving.name, members)
        if member is None:
            if len(members) >= MOST_MEMBERS:
                raise BadRequest(cast_is_full())
        elif member.by.user != asker:
            raise NotAllowed(name_is_taken(member.name))
        there = member.images if member is not None and not saving.anew else ()
        if len({each.sha256 for each in (*there, *images)}) > MOST_PICTURES:
            raise BadRequest(too_many_pictures(saving.name, len(there)))

    async def _to_save(self, saving: Saving, message: InboundMessage, request: Request) -> Request:
        """The request that asks whoever must be asked, and is carried out by saving."""
        ground = request.ground
        inputs = ground.inputs
        if message.among and message.reply_index is not None and not message.attachments:
            inputs = inputs[message.reply_index : message.reply_index + 1]
        if not inputs:
            raise BadRequest(tr(NO_PICTURE_TO_SAVE))
        if any(each.image is None for each in inputs):
            raise BadRequest(tr(NOT_READY_TO_SAVE))
        if any(owner != message.author for owner in ground.unnamed):
            raise NotAllowed(tr(NOBODY_TO_ASK))  # asking them would tell here whose it is
        images = [each.image for each in inputs if each.image is not None]
        await self._room_for(saving, message.author, await self._members_seen(message), images)
        owned = tuple(own for each in inputs for own in _owned(each, ground.owners, message))
        owners = tuple(dict.fromkeys([*ground.owners, *(each.owner for each in owned if each.owner is not None)]))
        kept = replace(ground, inputs=owned, owners=owners, story=Story(), note="", asked=None, unanswered="")
        return Request(message.text.strip(), Wish(kind=Kind.EXPLAIN), kept, engine=ENGINE)

    async def _keep(self, status: TurnStatus) -> None:
        """Write down whom this turn saves. Repeating it is harmless."""
        turn = status.turn
        command = read_command(turn.instruction)
        saving = read_cast(command.rest) if command is not None else None
        if not isinstance(saving, Saving):
            return
        for _ in range(_TRIES):
            standing = _of_name(saving.name, await self._store.members([turn.chat]))
            if standing is not None and (turn.id in standing.turns or standing.by.user != turn.author):
                return
            member = _member_of(saving, status, standing)
            # Held before it is written, so that nobody is in a cast without a picture.
            held = [(image, image) for image in member.images]
            await self._ledger.keep(member.holder, held, target=ENGINE)
            if await self._store.put(member, instead_of=standing):
                await self._renew(await self._store.members([turn.chat]))
                if standing is not None:
                    await self._let_go(standing, member)
                await self._heed(status, member)
                return

    async def _heed(self, status: TurnStatus, member: Member) -> None:
        """Whoever said "never", or was forgotten, while it was written, was not found in it."""
        now = await self._turns.load(status.turn.id)
        if now is None or now.erased:
            await self._change(member, None)
            return
        others = [person for person in status.turn.owners if person != status.turn.author]
        for person, said in zip(others, await self._says.standing(others, member.chat), strict=True) if others else ():
            if said is Standing.NEVER:
                await self.leave(person)


def _of_name(name: str, members: Sequence[Member]) -> Member | None:
    return next((each for each in members if same_name(each.name) == same_name(name)), None)


def _owned(each: Input, owners: Sequence[UserRef], message: InboundMessage) -> Iterator[Input]:
    """A picture to be saved, once for each of those whose it is: every one of them is asked. A result is theirs from
    whose pictures it grew; nobody's where it was drawn from words alone."""
    if each.role is Role.SOURCE:
        yield replace(each, purpose=None)
        return
    if each.from_turn is None:  # a result that is not remembered: nobody knows whose
        yield replace(each, role=Role.SOURCE, owner=None, purpose=None)
        return
    if not owners:
        yield Input(Role.PARENT, None, each.image)
    for owner in owners:
        name = message.author_name if owner == message.author else ""
        yield Input(Role.SOURCE, owner, each.image, owner_name=name)


def _member_of(saving: Saving, status: TurnStatus, standing: Member | None) -> Member:
    """As it stands with what this turn saves."""
    turn, now = status.turn, time.time()
    pictures = {} if standing is None or saving.anew else {each.image.sha256: each for each in standing.pictures}
    owned: dict[ImageFacts, list[Person | None]] = {}
    for each in turn.inputs:
        if each.image is not None:
            owners = owned.setdefault(each.image, [])
            if each.role is Role.SOURCE:
                owners.append(Person(each.owner, each.owner_name) if each.owner is not None else None)
    for image, owners in owned.items():
        pictures.setdefault(image.sha256, CastPicture(image, tuple(owners), turn.id, now, turn.spoiler))
    return Member(
        id=standing.id if standing is not None else short_hash("cast", turn.id),
        chat=turn.chat,
        name=saving.name if standing is None else standing.name,
        by=Person(turn.author, turn.author_name),
        pictures=tuple(pictures.values())[:MOST_PICTURES],
        turns=(*(standing.turns if standing is not None else ()), turn.id)[-MOST_PICTURES:],
    )


# --- using


@dataclass(frozen=True, slots=True)
class _Named:
    """Who is named in these words, in order, and the words with a picture's number in place of each name."""

    members: tuple[Member, ...]
    told: Callable[[dict[str, int]], str]


def _named(words: str, members: Sequence[Member]) -> _Named:
    words = unicodedata.normalize("NFC", words)
    called = named_in(words, [each.name for each in members])
    by_name = {each.name: each for each in members}
    found = tuple(by_name[name] for name in dict.fromkeys(each.name for each in called))
    return _Named(found, lambda numbers: told_as(words, called, numbers))


def _begins(message: InboundMessage, ground: Ground) -> bool:
    """Whether it stands alone. What goes on from the last picture by itself does not where somebody is named, unless it
    answers a question."""
    return message.reply_to is None or (message.goes_on and ground.asked is None)


def _with_references(request: Request, named: _Named, *, asker: UserRef, begins: bool) -> Request:
    ground = Ground() if begins else request.ground
    shown = {each.image.sha256 for each in ground.inputs if each.image is not None}
    inputs = list(ground.inputs)
    numbers: dict[str, int] = {}
    for member in named.members:
        numbers[member.name] = len(inputs) + 1
        for picture in member.pictures:
            if picture.image.sha256 not in shown:
                inputs += _references(picture, member.name, asker)
    if len(inputs) == len(ground.inputs):
        return request
    wish = request.wish
    if not ground.inputs and wish.kind is Kind.EDIT:
        wish = replace(wish, kind=Kind.IMAGINE)
    inputs = _with_purposes(inputs, len(ground.inputs), named.told(numbers), wish.kind)
    pictures = [picture for member in named.members for picture in member.pictures]
    owners = [owner.user for picture in pictures for owner in picture.owners if owner is not None]
    ground = replace(
        ground,
        inputs=tuple(inputs),
        owners=tuple(dict.fromkeys([*ground.owners, *owners])),
        lent=merged(ground.lent, _lent_by(pictures)),
        spoiler=ground.spoiler or any(each.spoiler for each in pictures),
    )
    return replace(request, wish=wish, ground=ground)


def _lent_by(pictures: Sequence[CastPicture]) -> tuple[Lent, ...]:
    """All of them by each of those whose they are, whoever is asked."""
    return tuple(
        Lent(owner.user if owner else None, owner.name if owner else "", each.image.sha256)
        for each in pictures
        for owner in each.owners
    )


def _references(picture: CastPicture, name: str, asker: UserRef) -> Iterator[Input]:
    """The picture, once for each of those who are to be asked; at least once."""
    if not picture.owners:
        yield Input(Role.PARENT, None, picture.image, called=name)
        return
    others = [owner for owner in picture.owners if owner is None or owner.user != asker]
    for owner in others or picture.owners[:1]:
        user, called = (owner.user, owner.name) if owner is not None else (None, "")
        yield Input(Role.SOURCE, user, picture.image, owner_name=called, called=name)


def _with_purposes(inputs: list[Input], standing: int, told: str, kind: Kind) -> list[Input]:
    """What is named goes into the picture to edit, unless the words want its style or its place."""
    read = read_roles(told, max(2, len(inputs))) or ()
    by_name: dict[str, Purpose | None] = {}
    done: list[Input] = []
    for place, each in enumerate(inputs):
        if place < standing:
            alone = standing == 1 and each.purpose is None and kind is Kind.EDIT
            done.append(replace(each, purpose=Purpose.CANVAS) if alone else each)
            continue
        said = read[place] if place < len(read) else None
        taken: Purpose | None = said if said in (Purpose.STYLE, Purpose.BACKGROUND) else Purpose.SUBJECT
        if not standing and taken is not Purpose.STYLE:
            taken = None  # there is nothing that it could go into
        done.append(replace(each, purpose=by_name.setdefault(each.called, taken)))
    return done
