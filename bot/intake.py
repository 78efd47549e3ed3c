"""Hall: an inbound message → accepted turns, or an answer.

Record, reserve, attach, fetch and check, submit: in this order, each step harmless to repeat. A crash anywhere leaves a
recorded message that the reconciler brings back through the same door.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot.accepted import Accepted, album_of, sibling_of, turn_of
from bot.arena import Arena
from bot.arrivals import Arrivals, is_unseen, unseen
from bot.asking import Asking
from bot.budget import Caps, Estimates, over_words
from bot.cast import Cast
from bot.consent import Consent
from bot.contests import Contests
from bot.desk import Desk
from bot.domain.actions import Act
from bot.domain.arena import A_OR_B as WHICH_OF_TWO
from bot.domain.arena import NOTHING_TO_COMPARE, VOTE_OPEN, Side, sides_of
from bot.domain.commands import Command, pressed_command, read_command
from bot.domain.errors import BadRequest, ChatClosed, ChatGone, NotAllowed, NotUnderstood, RemixError
from bot.domain.images import ALL, ImageFacts, Input, Picture
from bot.domain.labels import Label, label_known
from bot.domain.language import N_, speaking, tr
from bot.domain.messages import InboundMessage, MessageRecord, Received, Shown
from bot.domain.money import up_to
from bot.domain.outcomes import (
    A_OR_B,
    ASKS_FOR_WORDS,
    ONE_OR_ALL,
    PICTURE_OR_WORDS,
    PRESETS,
    SIZE_QUESTION,
    UNDO,
    WHICH_PICTURE,
    added,
    outcome_of,
)
from bot.domain.pointing import named_picture, numbered
from bot.domain.presets import read_preset
from bot.domain.refs import ChatRef, MessageRef, Person, TurnId, UserRef, thread_id_of, turn_id_of
from bot.domain.roles import read_roles
from bot.domain.turns import FINAL_STATES, Hold, Outcome, Turn, TurnState, TurnStatus
from bot.domain.wishes import PLAIN_WISH, WITHOUT_BACKGROUND, Form, Kind, Wish, is_vague, points_at_a_picture, read_wish
from bot.domain.words import (
    ALBUM_OPEN,
    CANCELLED,
    ENGINE_GONE,
    FROM_THE_TREE,
    LARGER,
    NO_LARGER,
    NO_LARGER_HERE,
    NO_PICTURE,
    NO_WORDS,
    OR_DRAW,
    PRESS_GONE,
    THEIRS_STANDS_THERE,
    THIS_OR_ALL,
    UNDONE,
    WHICH_ONE_IS_IT,
    fewer,
    joined,
    not_understood,
    too_long,
    too_many,
)
from bot.ground import Ground, Grounds, Request, begins_anew, goes_on, on_original, only
from bot.languages import Languages
from bot.listening import Listener, Understood
from bot.ports import (
    Close,
    Engine,
    MessageStore,
    Platform,
    TurnQueue,
    TurnStore,
)
from bot.sight.path import on_path, stage
from bot.stopping import Stopping
from bot.taste import Tastes
from bot.telling import Meant, Told

log = structlog.get_logger("hall")

_STARTERS = (
    # TRANSLATORS: a suggestion for an edit. Pressing it says it, and it is then done without AI; at most 40 characters
    N_("make it black and white"),
    # TRANSLATORS: a suggestion for an edit. Pressing it says it, and it is then done without AI; at most 40 characters
    N_("crop to a square"),
    # TRANSLATORS: a suggestion for an edit. Pressing it says it, and it is then done without AI; at most 40 characters
    N_("rotate 90 degrees"),
)
MAX_TEXT_CHARS = 4000
_TOO_LATE_S = 24 * 3600.0
"""A message that could not be answered for so long is not answered any more."""
_LOADED_AT_ONCE = 32
_AI_STARTERS = (
    # TRANSLATORS: a suggestion for an edit by AI. Pressing it says it; at most 40 characters
    N_("turn it into a watercolour"),
    WITHOUT_BACKGROUND,
    # TRANSLATORS: a suggestion for an edit by AI. Pressing it says it; at most 40 characters
    N_("make it evening light"),
)


class _Question(Exception):
    """What the hall asks back, for free. `code` says which controls it has."""

    def __init__(self, words: str, *, code: str, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(words)
        self.outcome = Outcome(TurnState.ASKING, code=code, words=words, suggestions=suggestions)


KeepDrawn = Callable[[Turn, Picture, Label | None], Awaitable[tuple[ImageFacts, ...]]]
"""Stores a picture that was drawn for a turn, ready for its chat."""


class Hall:
    """Takes messages in. `engines` are asked in their order; the first that understands an instruction whole does it.

    `admits` raises `KeptOut` where nothing is to be done, which is the answer then: a message that a crash left is
    taken up long after it came in. `show` fills a turn's reserved reply; `close` does what follows a final state.
    `arena_models` are the two that an arena compares, the first two of an engine's where none are named.
    """

    def __init__(
        self,
        *,
        platforms: Mapping[str, Platform],
        engines: Mapping[str, Engine],
        arrivals: Arrivals,
        messages: MessageStore,
        turns: TurnStore,
        queue: TurnQueue,
        show: Callable[[TurnId], Awaitable[None]],
        close: Close,
        listener: Listener,
        desk: Desk,
        cast: Cast,
        tastes: Tastes,
        keep_drawn: KeepDrawn,
        consent: Consent,
        asking: Asking,
        stopping: Stopping,
        caps: Caps,
        estimates: Estimates,
        arena: Arena,
        contests: Contests,
        languages: Languages,
        admits: Callable[[InboundMessage], Awaitable[None]],
        arena_models: Sequence[str] = (),
    ) -> None:
        self._admits = admits
        self._languages = languages
        self._arena = arena
        self._arena_models = arena_models
        self._platforms = platforms
        self._engines = engines
        self._generative = [engine for engine in engines.values() if engine.profile.generative]
        self._arrivals = arrivals
        self._messages = messages
        self._turns = turns
        self._queue = queue
        self._show = show
        self._close = close
        self._listener = listener
        self._desk = desk
        self._cast = cast
        self._tastes = tastes
        self._keep_drawn = keep_drawn
        self._consent = consent
        self._asking = asking
        self._stopping = stopping
        self._caps = caps
        self._estimates = estimates
        self._grounds = Grounds(messages, turns, contests)

    async def receive(self, message: InboundMessage) -> Received:
        """Deal with one message that is meant for the bot. Repeating it is harmless and gives the same turn. Raises
        `ChatClosed` where it cannot be answered for now, `ChatGone` where it never can."""
        try:
            with speaking(await self._languages.of_author(message)):
                return await self._receive(message)
        except ChatClosed as error:
            if isinstance(error, ChatGone) or message.created_at < time.time() - _TOO_LATE_S:
                await self._messages.settle_inbound(message)
            raise

    async def _receive(self, message: InboundMessage) -> Received:
        said, meant = message, await self._grounds.meant(message)
        message = replace(said, reply_to=meant or said.reply_to)
        target = await self._grounds.target(message)
        thread = target.thread if target else thread_id_of(message.ref)
        record, is_new = await self._messages.record(
            message,
            MessageRecord(
                ref=message.ref,
                thread=thread,
                author=message.author,
                author_name=message.author_name,
                meant=meant,
            ),
        )
        if not is_new and meant != record.meant and goes_on(said):  # something else was made meanwhile
            # Where nothing was meant the first time, an edit of it may mean something; the same once more does not.
            message = replace(said, reply_to=record.meant or (meant if said.version else None))
            target = await self._grounds.target(message)
        id_ = turn_id_of(record.thread, message.origin)
        with on_path(id_):
            reply = await self._led_to(message, target, record, id_, is_new=is_new)
        return Received(turn=id_, reply=reply)

    async def _led_to(
        self, message: InboundMessage, target: MessageRecord | None, record: MessageRecord, id_: TurnId, *, is_new: bool
    ) -> MessageRef:
        """See that this turn stands, and that its message is settled. Gives the reply."""
        status = None if is_new else await self._turns.load(id_)
        if status is None:
            with stage("reserve", platform=message.ref.chat.platform):
                reply = await self._platforms[message.ref.chat.platform].reserve(message, id_)
                await self._messages.attach(reply, record.thread, [Shown(id_, ALL)], asker=message.author)
            with stage("accept", platform=message.ref.chat.platform):
                await self._accept(message, target, id_, reply)
        else:
            reply = status.turn.reply
            with speaking(status.turn.language):  # what was begun in one language is not ended in another
                await self._again(status)
        await self._platforms[message.ref.chat.platform].done(message)
        await self._messages.settle_inbound(message)
        return reply

    async def join(self, message: InboundMessage) -> bool:
        """See `bot.ports.Rooms`. Only a turn that nobody has claimed takes more pictures along, and only where the same
        engine does it then: what it has reserved stands."""
        with speaking(await self._languages.of_author(message)):
            return await self._join(message)

    async def _join(self, message: InboundMessage) -> bool:
        status, brought = await self._taken_in(message)
        if status is None:
            await self.receive(message)
            # Another process may have been at it, with fewer of them.
            status, brought = await self._taken_in(message)
        if status is None or _went_along(status.turn, brought, len(message.attachments)):
            return True
        turn = status.turn
        if _asks_for_words(status) and message.reply_to is None:
            # The turn stays as it is; what is said next is said of all that came.
            accepted = await self._consider(message, None)
            asked = accepted.outcome is not None and accepted.outcome.code == ASKS_FOR_WORDS
            return asked and all(each.turn.parent != turn.id for each in await self._turns.thread(turn.thread))
        # Whoever is asked, or has agreed, was told of what was there then.
        if status.epoch or status.state in FINAL_STATES or turn.album or turn.asks:
            return False
        with speaking(turn.language):
            accepted = await self._consider(message, await self._grounds.target(message))
            if accepted.outcome is not None or accepted.engine != turn.engine or accepted.asks:
                return False
            return await self._turns.extend(turn_of(message, turn.id, turn.reply, accepted, Understood(message.text)))

    async def _taken_in(self, message: InboundMessage) -> tuple[TurnStatus | None, Sequence[ImageFacts]]:
        """The turn that a message has led to, and the pictures that it brought."""
        record = await self._messages.find(message.ref)
        if record is None:
            return None, ()
        return await self._turns.load(turn_id_of(record.thread, message.origin)), record.sources

    async def under_way(self, chat: ChatRef, *, by: UserRef) -> Sequence[TurnId]:
        """See `bot.ports.Rooms`."""
        open_ = [each.turn for each in await self._turns.open_turns()]
        found: list[TurnStatus | None] = []
        for first in range(0, len(open_), _LOADED_AT_ONCE):
            found += await asyncio.gather(*map(self._turns.load, open_[first : first + _LOADED_AT_ONCE]))
        turns = [
            status.turn
            for status in found
            if status is not None and status.state not in FINAL_STATES and status.turn.chat == chat
        ]
        mine = [turn.album[0] if turn.album else turn.id for turn in reversed(turns) if turn.author == by]
        return tuple(dict.fromkeys(mine))

    async def cancel(self, turn: TurnId, *, chat: ChatRef, by: UserRef) -> bool:
        """Stop a turn, wherever it is, and what was asked for with it. Only from its own chat, only by who asked."""
        status = await self._grounds.shown(turn)
        if status is None or status.turn.chat != chat or status.turn.author != by:
            return False
        ended = [await self._cancel_one(each) for each in reversed(status.turn.album or (turn,))]
        return any(ended)

    async def _end_with(self, first: TurnId, turns: Sequence[Turn]) -> None:
        """Who cancelled an album while it was still being submitted meant all of it."""
        status = await self._turns.load(first)
        if status is not None and status.state is TurnState.CANCELLED:
            for turn in turns[1:]:
                await self._cancel_one(turn.id)

    async def _cancel_one(self, turn: TurnId) -> bool:
        status = await self._turns.load(turn)
        if status is None:
            return False
        with speaking(status.turn.language):
            cancelled = Outcome(TurnState.CANCELLED, code="cancelled", words=tr(CANCELLED))
        return await self._stopping.stop(status, cancelled)

    # --- accepting

    async def _accept(
        self, message: InboundMessage, target: MessageRecord | None, id_: TurnId, reply: MessageRef
    ) -> None:
        understood = Understood(message.text)
        try:
            await self._admits(message)
            understood = await self._listener.understand(message)
            if message.voice is not None and message.goes_on and begins_anew(understood.words):
                message, target = replace(message, reply_to=None), None  # only now is it known
            accepted = await self._consider(replace(message, text=understood.words), target)
        except RemixError as error:
            accepted = Accepted(Request(understood.words, PLAIN_WISH, Ground()), outcome=outcome_of(error))
        if accepted.sides:
            accepted = replace(accepted, sides=await self._arena.begin(id_, accepted.sides))
        first = turn_of(message, id_, reply, accepted, understood)
        if accepted.outcome is not None:
            await self._conclude(first, await self._with_picture(first, accepted))
            return
        turns = album_of(first, message.origin)
        if len(turns) > 1:
            shows = [Shown(each.id, ALL) for each in turns]
            await self._messages.attach(reply, first.thread, shows, asker=message.author)
        asking = [await self._submit(turn) for turn in turns]
        if len(turns) > 1:
            await self._end_with(first.id, turns)
        if any(asking):
            await self._ask(turns[0])

    async def _consider(self, message: InboundMessage, target: MessageRecord | None) -> Accepted:
        """What is wanted, of what, and by whom it is done. Only what is wrong with the files themselves is raised."""
        command = await self._command(message, target)
        request = Request(message.text, PLAIN_WISH, Ground())
        brought: tuple[Input, ...] = ()
        try:
            told = await self._desk.answer(command, message, target) if command is not None else None
            if told is not None and told.is_all:
                return _told(message, command, told, Ground())
            request = replace(request, ground=unseen(message, target))
            await self._asks(message, request.ground)
            request = replace(request, ground=Ground(owners=request.ground.owners))
            if target is not None and is_unseen(message, target):
                target = await self._arrivals.quoted(message, target)
            brought = await self._arrivals.brought(message)
            instead = told.instead if told is not None else None
            meant = told.meant if told is not None else None
            if told is not None and told.on_picture:
                meant = Meant("", PLAIN_WISH)
            request = instead or await self._request(message, target, brought, meant)
            if told is None or not told.on_picture:
                request = await self._cast.called(message, request)
            asks = await self._asks(message, request.ground)
            if told is not None and told.on_picture:
                return replace(_told(message, command, told, request.ground), brought=brought)
            if target is not None and _is_unclear(message, target, request):
                raise _one_or_all(message, request)
            again = told is not None and told.again
            if again or (message.press is not None and message.press.act in (Act.UNDO, Act.GO)):
                gone = message.press is not None and message.press.act is Act.GO
                words = told.words if told is not None and again else tr(FROM_THE_TREE) if gone else tr(UNDONE)
                return Accepted(request, outcome=await self._shown_again(request, asks, words))
            _check_vote(message, request)
            engine, request = self._route(message, request)
            if self._engines[engine].profile.generative:
                request = await self._tastes.along(message, request)
            await self._asking.check_patience(message.author, asks)
            sides = self._sides(engine, request)
            return Accepted(request, engine, brought, asks=asks, sides=sides)
        except _Question as question:
            # A size is left to what asks for it.
            kept = question.outcome.code.startswith(ONE_OR_ALL) or question.outcome.code == A_OR_B
            asked = request if kept else replace(request, wish=replace(request.wish, size=""))
            return Accepted(asked, brought=brought, outcome=question.outcome)
        except RemixError as error:
            # A picture was meant, and was not found: what is said next must not turn that into a drawing.
            pointed = bool(message.reply_to or message.attachments) and not request.ground.from_words
            refused = replace(request, wish=PLAIN_WISH) if pointed else request
            return Accepted(refused, brought=brought, outcome=outcome_of(error))

    async def _shown_again(self, request: Request, asks: Sequence[Person], words: str) -> Outcome:
        """What is shown once more keeps its label. Somebody's own picture is not shown again by us."""
        if asks:
            raise NotAllowed(tr(THEIRS_STANDS_THERE))
        before = [await self._turns.load(each.from_turn) for each in request.ground.inputs if each.from_turn]
        if any(each is None or each.erased for each in before):
            raise BadRequest(tr(PRESS_GONE))
        labels = [each.outcome.label for each in before if each is not None and each.outcome is not None]
        known = [label_known(each.image.provenance) for each in request.ground.inputs if each.image is not None]
        label = next((each for each in (*labels, *known) if each is not None), None)
        label = replace(label, work=None) if label is not None else None  # each picture has its own
        return Outcome(TurnState.DONE, code=UNDO, words=words, label=label)

    async def _asks(self, message: InboundMessage, ground: Ground) -> tuple[Person, ...]:
        """Whom to ask first. Raises `NotAllowed`."""
        return await self._consent.check(
            ground.inputs,
            ground.owners,
            asker=message.author,
            chat=message.ref.chat,
            server=message.server,
            around=message.around,
            lent=ground.lent,
        )

    # --- what is wanted

    async def _request(
        self, message: InboundMessage, target: MessageRecord | None, brought: Sequence[Input], meant: Meant | None
    ) -> Request:
        """Words, wish and ground, with the brought pictures among the inputs and each with its role."""
        if len(message.text) > MAX_TEXT_CHARS:
            raise BadRequest(too_long(len(message.text), MAX_TEXT_CHARS))
        if meant is not None:
            return await self._as_meant(message, target, brought, meant)
        if message.press is not None:
            return await self._grounds.pressed(message.press, message, target)
        ground, text = await self._pointed(message, target, alone=not brought)
        if ground.parent is not None and read_wish(text, images=1).wish.from_original:
            ground = on_original(ground)
        if not ground.all_there:
            raise BadRequest(tr(ALBUM_OPEN))
        inputs = ground.inputs + tuple(brought)
        asked = read_wish(text, images=len(inputs))
        if ground.unanswered and asked.wish.kind is Kind.EDIT:
            asked = read_wish(f"{ground.unanswered}\n{asked.words}", images=len(inputs))
        roles = read_roles(asked.words, len(inputs)) or tuple(each.purpose for each in inputs)
        inputs = tuple(replace(each, purpose=role) for each, role in zip(inputs, roles, strict=True))
        note = fewer(asked.asked_for, asked.wish.count) if asked.asked_for > asked.wish.count else ground.note
        wish = _going_on(ground.asked, asked.wish)
        if message.size is not None:
            wish = replace(wish, size=message.size)
        hidden = ground.spoiler or any(each.spoiler for each in message.attachments)
        return Request(asked.words, wish, replace(ground, inputs=inputs, note=note, spoiler=hidden))

    async def _command(self, message: InboundMessage, target: MessageRecord | None) -> Command | None:
        """The command that a message is, or that a press stands for. Under the presets, one of their numbers or names
        is enough; so is a recipe's file, whatever is said with it."""
        if message.press is not None:
            return pressed_command(message.press)
        command = read_command(message.text)
        if command is None and read_preset(message.text) and await self._grounds.is_sheet_of(target, PRESETS):
            return Command("preset", rest=message.text)
        if command is None and message.file is not None:
            return Command("recipe", ("import",), "import")
        return command

    async def _as_meant(
        self, message: InboundMessage, target: MessageRecord | None, brought: Sequence[Input], meant: Meant
    ) -> Request:
        """Full words, on what the message stands on. They are not read for which picture is meant."""
        ground = Ground()
        if not meant.brought_only:
            ground, _ = await self._pointed(replace(message, text=""), target, alone=not brought)
        if not ground.all_there:
            raise BadRequest(tr(ALBUM_OPEN))
        inputs = ground.inputs + tuple(brought)
        on_nothing = message.reply_to is None or ground.from_words
        if message.press is not None and not inputs and not on_nothing:
            raise BadRequest(tr(PRESS_GONE))
        if not inputs and on_nothing and meant.from_words:
            wish = replace(meant.wish, kind=Kind.IMAGINE)
            return Request(meant.from_words, wish, replace(ground, from_words=True), words_of=meant.words_of)
        if not inputs and on_nothing and meant.words:
            ground = await self._grounds.latest(message)
            inputs = ground.inputs
        roles = read_roles(meant.words, len(inputs)) or tuple(each.purpose for each in inputs)
        inputs = tuple(replace(each, purpose=role) for each, role in zip(inputs, roles, strict=True))
        wish = meant.wish if message.size is None else replace(meant.wish, size=message.size)
        hidden = ground.spoiler or any(each.spoiler for each in message.attachments)
        ground = replace(ground, inputs=inputs, spoiler=hidden, asked=None, unanswered="")
        return Request(meant.words, wish, ground, words_of=meant.words_of)

    async def _pointed(
        self, message: InboundMessage, target: MessageRecord | None, *, alone: bool
    ) -> tuple[Ground, str]:
        """The ground, and the words. Where several pictures stand there and the words name one of them ("the second"),
        that one alone."""
        node = numbered(message.text)
        tree = await self._grounds.on_node(target, node.index + 1 if node else 0) if target is not None else None
        if tree is not None:
            return tree, node.words if node is not None else message.text
        ground = await self._grounds.of(target, message.author)
        if target is None or (message.reply_index is not None and not message.among):
            return ground, message.text
        count = len(target.shows) if len(target.shows) > 1 else len(ground.inputs)
        named = named_picture(message.text, count) if count > 1 and alone else None
        if named is not None:
            return await self._grounds.of(only(target, named.index), message.author), named.words
        touched = (
            None
            if ground.tied or await self._grounds.is_arena(target)
            else await self._touched(message, target, alone=alone)
        )
        if touched is None:
            return ground, message.text
        return await self._grounds.of(only(target, touched), message.author), message.text

    async def _touched(self, message: InboundMessage, target: MessageRecord, *, alone: bool) -> int | None:
        """Which of several pictures a reply was given to, where they do not stand together. None for all of them, and
        where it is to be asked."""
        if message.among:
            return message.reply_index if target.shows or not alone else None
        if len(target.shows) < 2:
            return None
        capabilities = await self._platforms[message.ref.chat.platform].capabilities(message.ref.chat)
        return 0 if capabilities.one_picture_each else None

    def _route(self, message: InboundMessage, request: Request) -> tuple[str, Request]:
        """The name of the engine that does it. Arithmetic first: free, at once, exact."""
        images = len(request.ground.inputs)
        if request.engine:
            return request.engine, request
        if not images:
            self._check_meant_from_words(message, request)
        if not request.words.strip():
            raise _Question(tr(NO_WORDS), code=ASKS_FOR_WORDS, suggestions=self._starters())
        reading = self._engines["exact"].read(request.words, images=images, wish=request.wish)
        # What was only asked about until now is as new as if it had just been said.
        is_new = message.press is None or message.press.act in (Act.ONLY, Act.ALL, Act.PRESET, Act.RECIPE)
        if request.wish.form is Form.ARENA:
            if not self._generative:
                raise BadRequest(tr(NOTHING_TO_COMPARE))
            # In the usual size, and never by arithmetic.
            request, reading = replace(request, wish=replace(request.wish, size="")), replace(reading, whole=False)
        if reading.whole and images and is_new and not request.wish.transparent:
            return "exact", replace(request, wish=PLAIN_WISH)
        for engine in self._generative:
            if images > engine.profile.max_inputs:
                raise BadRequest(too_many(images, engine.profile.max_inputs))
            if engine.read(request.words, images=images, wish=request.wish).whole:
                request = _within(engine, request)
                if request.wish.size and is_new and message.size is None:
                    raise _Question(
                        _prices(self._estimates, engine, request), code=f"{SIZE_QUESTION}{request.wish.size}"
                    )
                return engine.profile.name, request
        if reading.whole and images:
            return "exact", replace(request, wish=PLAIN_WISH)
        words = not_understood(reading.unclear, ai_missing=not self._generative)
        raise NotUnderstood(words, part=reading.unclear, suggestions=reading.suggestions)

    def _sides(self, engine: str, request: Request) -> tuple[Side, ...]:
        """Of an arena. Where it is asked for again, its words say all of it."""
        if request.wish.form is not Form.ARENA:
            return ()
        return sides_of(request.words, request.wish, self._arena_models or self._engines[engine].profile.models)

    def _check_meant_from_words(self, message: InboundMessage, request: Request) -> None:
        """An edit never turns into a generation: without a picture, only what was meant so from the first word goes on.
        Raises what is said instead."""
        beginning = message.reply_to is None and not message.attachments
        pressed = message.press is not None
        points = not pressed and not request.ground.from_words and points_at_a_picture(request.words)
        drawn = pressed or request.ground.from_words or (beginning and not points)
        if request.wish.kind is not Kind.EDIT and drawn:
            return
        if not beginning:
            raise BadRequest(tr(NO_PICTURE))
        if self._generative and not points and not is_vague(request.words):
            raise _Question(tr(OR_DRAW), code=PICTURE_OR_WORDS)
        raise _Question(tr(WHICH_ONE_IS_IT), code=WHICH_PICTURE)

    def _starters(self) -> tuple[str, ...]:
        starters = (_STARTERS[0], *_AI_STARTERS[:2]) if self._generative else _STARTERS
        return tuple(map(tr, starters))

    # --- submitting

    async def _submit(self, turn: Turn) -> bool:
        """Whether it waits for somebody's consent."""
        if turn.engine not in self._engines:
            await self._stop(turn, Outcome(TurnState.FAILED, code="engine_gone", words=tr(ENGINE_GONE)))
            return False
        submitted = await self._turns.submit(turn, await self._caps.of_turn(turn))
        if submitted.full:
            words = over_words(submitted.full, submitted.free_in_s)
            await self._stop(turn, Outcome(TurnState.REFUSED, code=NotAllowed.code, words=words, usage=turn.spent))
            return False
        for next_ in submitted.start:
            await self._queue.start(next_)
        asks = Hold.CONSENT in submitted.holds
        if turn.id not in submitted.start and not submitted.repeat and not asks:
            await self._show(turn.id)
        return asks

    async def _ask(self, turn: Turn) -> None:
        """Whose picture it is was looked up before it was submitted; they may have said something since. Only when all
        of an album is submitted does the question stand there."""
        try:
            asks = await self._consent_of(turn)
        except NotAllowed as error:
            await self._asking.refuse(turn.id, error.words)
            return
        status = await self._turns.load(turn.id)
        for owner in turn.asks:
            if owner not in asks and status is not None:
                await self._asking.agree(status, owner.user)
        if asks:
            await self._show(turn.id)
            await self._asking.ask(turn, asks)

    async def _consent_of(self, turn: Turn) -> tuple[Person, ...]:
        return await self._consent.check(
            turn.inputs,
            turn.owners,
            asker=turn.author,
            chat=turn.chat,
            server=turn.server,
            around=turn.around,
            lent=turn.lent,
        )

    async def _again(self, status: TurnStatus) -> None:
        """The same message came once more, or a crash left it half done."""
        asks = False
        for id_ in status.turn.album or (status.turn.id,):
            known = await self._turns.load(id_)
            if known is None:
                if not status.erased:
                    asks = await self._complete(status, sibling_of(status.turn, id_)) or asks
            elif known.state not in FINAL_STATES:
                await self._submit(known.turn)
                asks = asks or Hold.CONSENT in known.holds
            elif not known.delivered:
                await self._close(id_)
        if asks:
            await self._ask(status.turn)

    async def _complete(self, first: TurnStatus, missing: Turn) -> bool:
        """A turn of an album that a crash kept from being submitted. Whether it waits for somebody's consent."""
        if first.state is TurnState.CANCELLED:
            await self._stop(missing, Outcome(TurnState.CANCELLED, code="cancelled", words=tr(CANCELLED)))
            return False
        return await self._submit(missing)

    async def _with_picture(self, turn: Turn, accepted: Accepted) -> Outcome:
        assert accepted.outcome is not None
        drawn = accepted.drawn
        if drawn is None or drawn.picture is None:
            return accepted.outcome
        images = await self._keep_drawn(turn, drawn.picture, drawn.label)
        return replace(accepted.outcome, images=images)

    async def _conclude(self, turn: Turn, outcome: Outcome) -> None:
        """A turn that ends where it began."""
        ended = replace(outcome, usage=added(turn.spent, outcome.usage), finished_at=time.time())
        ours = await self._turns.conclude(turn, ended)
        if ours:
            log.info("turn concluded", turn=turn.id, state=outcome.state.value, code=outcome.code)
        await self._close(turn.id, ours=ours)

    async def _stop(self, turn: Turn, outcome: Outcome) -> None:
        """End a turn that cannot run, whether it was kept already or not."""
        ended = replace(outcome, finished_at=time.time())
        ours = await self._turns.conclude(turn, ended) or await self._turns.end(turn.id, ended)
        log.info("turn stopped", turn=turn.id, code=outcome.code)
        await self._close(turn.id, ours=ours)


def _asks_for_words(status: TurnStatus) -> bool:
    return not status.erased and status.outcome is not None and status.outcome.code == ASKS_FOR_WORDS


def _went_along(turn: Turn, brought: Sequence[ImageFacts], count: int) -> bool:
    """Whether so many pictures that came with its message are in it. They stand behind those it replies to."""
    last = turn.inputs[len(turn.inputs) - count :] if count <= len(turn.inputs) else ()
    return len(brought) == count and [each.image for each in last] == list(brought)


def _told(message: InboundMessage, command: Command | None, told: Told, ground: Ground) -> Accepted:
    """`ground` is what the answer keeps."""
    outcome = Outcome(
        TurnState.DONE,
        code=told.code or (command.name if command is not None else ""),
        words=told.words,
        label=told.label,
        nodes=told.nodes,
        recipes=told.recipes,
        files=(told.file,) if told.file is not None else (),
    )
    owners = tuple(dict.fromkeys([*ground.owners, *told.owners]))
    lent = tuple(dict.fromkeys([*ground.lent, *told.lent]))
    unnamed = tuple(dict.fromkeys([*ground.unnamed, *told.unnamed]))
    spoiler = ground.spoiler or told.spoiler
    ground = replace(ground, owners=owners, lent=lent, unnamed=unnamed, spoiler=spoiler, note="")
    return Accepted(Request(message.text, PLAIN_WISH, ground, words_of=told.words_of), outcome=outcome, drawn=told)


def _check_vote(message: InboundMessage, request: Request) -> None:
    """Of two pictures that are voted on, only the one that won is gone on from by words."""
    if message.press is not None:
        return
    if request.ground.vote_open:
        raise BadRequest(tr(VOTE_OPEN))
    if request.ground.tied:
        raise _Question(tr(WHICH_OF_TWO), code=A_OR_B)


def _is_unclear(message: InboundMessage, target: MessageRecord, request: Request) -> bool:
    """Whether a reply to one of several pictures may have meant all of them. Where it brings pictures of its own, or
    names one, it does not."""
    together = len(target.sources)
    if not message.among or target.shows or message.attachments or together < 2:
        return False
    stands_there = [each for each in request.ground.inputs if not each.called]
    return len(stands_there) == together and bool(request.words.strip())


def _one_or_all(message: InboundMessage, request: Request) -> _Question:
    count = sum(not each.called for each in request.ground.inputs)
    number = min(message.reply_index or 0, count - 1) + 1
    return _Question(tr(THIS_OR_ALL).format(count=count), code=f"{ONE_OR_ALL}{number}/{count}")


def _going_on(asked: Wish | None, wish: Wish) -> Wish:
    """The answer to a question goes on with what was wanted, and adds to it what it says itself."""
    if asked is None or wish.kind is not Kind.EDIT or wish.form is not Form.ONE:
        return wish
    changes = {
        name: said
        for name in ("manner", "ratio", "size", "transparent", "lettering", "from_original", "drawn")
        if (said := getattr(wish, name)) != getattr(PLAIN_WISH, name)
    }
    return replace(asked, **changes)


def _within(engine: Engine, request: Request) -> Request:
    """Without a size that this engine does not make, and said so."""
    size = request.wish.size
    if not size or size in engine.profile.sizes:
        return request
    if request.words == LARGER:
        raise BadRequest(tr(NO_LARGER_HERE))
    note = joined(request.ground.note, tr(NO_LARGER))
    return replace(request, wish=replace(request.wish, size=""), ground=replace(request.ground, note=note))


def _prices(estimates: Estimates, engine: Engine, request: Request) -> str:
    """More pixels cost more: the price is said before."""
    images, wish = len(request.ground.inputs), request.wish
    usual = wish.count * estimates.of(engine, replace(wish, size=""), images=images)
    larger = wish.count * estimates.of(engine, wish, images=images)
    # TRANSLATORS: sizes are such as "2K", prices such as "up to 4 ¢"
    words = tr("In {size} this costs {price}, in the usual size {usual_price}. Which one shall it be?")
    return words.format(size=wish.size, price=up_to(larger), usual_price=up_to(usual))
