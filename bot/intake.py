"""Hall: an inbound message → an accepted turn, or an answer.

Record, reserve, attach, fetch and check, submit: in this order, each step harmless to repeat. A crash anywhere leaves a
recorded message that the reconciler brings back through the same door.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog

from bot.domain.errors import BadPicture, BadRequest, NotAllowed, NotUnderstood, RemixError
from bot.domain.images import ALL, ImageFacts, Input, Picture, Role
from bot.domain.inputs import check_consent, results_of
from bot.domain.messages import Attachment, InboundMessage, MessageRecord, Received, Shown
from bot.domain.refs import ChatRef, MessageRef, TurnId, UserRef, thread_id_of, turn_id_of
from bot.domain.story import story_below
from bot.domain.turns import FINAL_STATES, Outcome, Story, Turn, TurnState, TurnStatus, Usage
from bot.domain.words import (
    CANCELLED,
    CLIMBED,
    ENGINE_GONE,
    NO_PICTURE,
    NO_WORDS,
    OVER_HOUSE,
    OVER_PERSON,
    not_understood,
    too_long,
    too_many,
)
from bot.ports import (
    Bucket,
    Engine,
    MessageStore,
    PictureReader,
    Platform,
    TurnQueue,
    TurnStore,
)

log = structlog.get_logger("hall")

MAX_PINS = 3
_LOOKS, _LOOK_EVERY_S = 20, 0.2
KeepSources = Callable[[MessageRef, Sequence[Picture]], Awaitable[tuple[ImageFacts, ...]]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one person and the whole installation may spend on AI per day (UTC), and how much one message may bring."""

    person_day_microusd: int
    house_day_microusd: int
    max_text_chars: int = 4000
    max_images: int = 10
    max_image_bytes: int = 40 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a message stands on: the images it goes on from, and the path that led there."""

    inputs: tuple[Input, ...] = ()
    parent: TurnId | None = None
    story: Story = field(default_factory=Story)
    pins: tuple[ImageFacts, ...] = ()
    owners: tuple[UserRef, ...] = ()
    engines: tuple[str, ...] = ()
    note: str = ""


class Hall:
    """Takes messages in. `engines` are asked in their order; the first that understands an instruction whole does it.

    `show` fills a turn's reserved reply; `close` does what follows a final state; `keep_sources` stores what a message
    brought.
    """

    def __init__(
        self,
        *,
        platforms: Mapping[str, Platform],
        engines: Mapping[str, Engine],
        reader: PictureReader,
        messages: MessageStore,
        turns: TurnStore,
        queue: TurnQueue,
        show: Callable[[TurnId], Awaitable[None]],
        close: Callable[[TurnId], Awaitable[None]],
        keep_sources: KeepSources,
        limits: Limits,
    ) -> None:
        self._platforms = platforms
        self._engines = engines
        self._reader = reader
        self._messages = messages
        self._turns = turns
        self._queue = queue
        self._show = show
        self._close = close
        self._keep_sources = keep_sources
        self._limits = limits

    async def receive(self, message: InboundMessage) -> Received:
        """Deal with one message that is meant for the bot. Repeating it is harmless and gives the same turn."""
        target = await self._target(message)
        thread = target.thread if target else thread_id_of(message.ref)
        record = await self._messages.record(
            message,
            MessageRecord(ref=message.ref, thread=thread, author=message.author, author_name=message.author_name),
        )
        id_ = turn_id_of(record.thread, message.origin)
        status = await self._turns.load(id_)
        if status is None:
            reply = await self._platforms[message.ref.chat.platform].reserve(message, id_)
            await self._messages.attach(reply, record.thread, [Shown(id_, ALL)])
            await self._accept(message, target, id_, reply)
        else:
            reply = status.turn.reply
            await self._again(status)
        await self._platforms[message.ref.chat.platform].done(message)
        await self._messages.settle_inbound(message)
        return Received(turn=id_, reply=reply)

    async def cancel(self, turn: TurnId, *, chat: ChatRef, by: UserRef) -> bool:
        """Stop a turn, wherever it is. Only from its own chat, only by who asked for it."""
        status = await self._turns.load(turn)
        if status is None or status.turn.chat != chat or status.turn.author != by:
            return False
        engine = self._engines.get(status.turn.engine)
        estimate = engine.estimate_microusd(images=len(status.turn.inputs)) if engine else 0
        usage = Usage(cost_microusd=estimate * status.calls)
        outcome = Outcome(TurnState.CANCELLED, code="cancelled", words=CANCELLED, usage=usage, finished_at=time.time())
        if not await self._turns.end(turn, outcome):
            return False
        await self._queue.cancel(turn)
        await self._close(turn)
        return True

    # --- what the message stands on

    async def _target(self, message: InboundMessage) -> MessageRecord | None:
        """The message that is replied to, if it stands in the same chat and is remembered."""
        if message.reply_to is None or message.reply_to.chat != message.ref.chat:
            return None
        return await self._messages.find(message.reply_to)

    async def _ground(self, message: InboundMessage, target: MessageRecord | None) -> _Ground:
        if target is None:
            return _Ground()
        if target.shows:
            ground = await self._ground_on_turns(target.shows)
            check_consent(ground.inputs, message.author)
            return ground
        if target.sources:
            inputs = tuple(Input(Role.SOURCE, target.author, image) for image in target.sources)
            check_consent(inputs, message.author)
            return _Ground(inputs=inputs, pins=target.sources[:MAX_PINS], owners=(message.author,))
        if target.author == message.author:
            # Their own words without a picture: what came of them is what they mean.
            return await self._ground_on_turns([Shown(turn_id_of(target.thread, f"{target.ref.key}#0"), ALL)])
        return _Ground()

    async def _ground_on_turns(self, shows: Sequence[Shown]) -> _Ground:
        status = await self._shown(shows[0].turn)
        if status is None or status.erased:
            return _Ground()
        turn, outcome = status.turn, status.outcome
        note = ""
        if status.state in FINAL_STATES:
            found = [results_of(status, each.index) for each in shows]
            inputs = tuple(one for some, _ in found for one in some)
            asked = status.state in (TurnState.ASKING, TurnState.REFUSED)
            note = CLIMBED if found[0][1] and inputs and not asked else ""
        else:
            inputs = tuple(Input(Role.PARENT, turn.author, None, turn.id, each.index) for each in shows)
        return _Ground(
            inputs=inputs,
            parent=turn.id,
            story=story_below(status),
            pins=turn.pins,
            owners=turn.owners,
            engines=outcome.label.engines if outcome and outcome.label else turn.engines,
            note=note,
        )

    async def _shown(self, id_: TurnId) -> TurnStatus | None:
        """A reply may come while the turn that it replies to is still being taken in: its placeholder stands first."""
        for _ in range(_LOOKS):
            status = await self._turns.load(id_)
            if status is not None:
                return status
            await asyncio.sleep(_LOOK_EVERY_S)
        return None

    # --- accepting

    async def _accept(
        self, message: InboundMessage, target: MessageRecord | None, id_: TurnId, reply: MessageRef
    ) -> None:
        ground, engine = _Ground(), ""
        brought: tuple[ImageFacts, ...] = ()
        refusal: RemixError | None = None
        try:
            brought = await self._bring(message)
            ground = await self._ground(message, target)
            if message.reply_to is not None and not (ground.inputs or brought):
                raise BadRequest(NO_PICTURE)
            engine = self._route(message.text, len(ground.inputs) + len(brought))
        except RemixError as error:
            refusal = error
        turn = _turn(message, id_, reply, engine=engine, ground=ground, brought=brought)
        if refusal is not None:
            await self._refuse(turn, refusal)
        else:
            await self._submit(turn)

    async def _bring(self, message: InboundMessage) -> tuple[ImageFacts, ...]:
        """Fetch and check the pictures that came along, keep them, and show them where the platform does not."""
        if len(message.attachments) > self._limits.max_images:
            raise BadRequest(too_many(len(message.attachments), self._limits.max_images))
        pictures = [await self._fetch(message, each) for each in message.attachments]
        if not pictures:
            return ()
        sources = await self._keep_sources(message.ref, pictures)
        await self._messages.bring(message.ref, sources)
        return sources

    async def _fetch(self, message: InboundMessage, attachment: Attachment) -> Picture:
        platform = self._platforms[message.ref.chat.platform]
        most = self._limits.max_image_bytes
        if attachment.size_bytes is not None and attachment.size_bytes > most:
            raise BadPicture(f"“{attachment.filename}” is larger than {most // 2**20} MB. Please send a smaller one.")
        data = await platform.fetch(attachment, max_bytes=most)
        return await self._reader.read(data, filename=attachment.filename)

    def _route(self, text: str, images: int) -> str:
        """The name of the engine that does it. Arithmetic first: free, at once, exact."""
        if not images:
            raise BadRequest(NO_PICTURE)
        if not text.strip():
            raise BadRequest(NO_WORDS)
        if len(text) > self._limits.max_text_chars:
            raise BadRequest(too_long(len(text), self._limits.max_text_chars))
        exact = self._engines["exact"].read(text, images=images)
        if exact.whole:
            return "exact"
        generative = [engine for engine in self._engines.values() if engine.profile.generative]
        for engine in generative:
            reading = engine.read(text, images=images)
            if reading.whole:
                return engine.profile.name
            if images > engine.profile.max_inputs:
                raise BadRequest(too_many(images, engine.profile.max_inputs))
        words = not_understood(exact.unclear, ai_missing=not generative)
        raise NotUnderstood(words, part=exact.unclear, suggestions=exact.suggestions)

    async def _submit(self, turn: Turn) -> None:
        if turn.engine not in self._engines:
            await self._stop(turn.id, Outcome(TurnState.FAILED, code="engine_gone", words=ENGINE_GONE))
            return
        submitted = await self._turns.submit(turn, self._buckets(turn))
        if submitted.full:
            words = OVER_PERSON if submitted.full.startswith("person:") else OVER_HOUSE
            await self._stop(turn.id, Outcome(TurnState.REFUSED, code=NotAllowed.code, words=words))
            return
        for next_ in submitted.start:
            await self._queue.start(next_)
        if turn.id not in submitted.start and not submitted.repeat:
            await self._show(turn.id)

    async def _again(self, status: TurnStatus) -> None:
        """The same message came once more, or a crash left it half done."""
        if status.state in FINAL_STATES:
            if not status.delivered:
                await self._close(status.turn.id)
        else:
            await self._submit(status.turn)

    async def _refuse(self, turn: Turn, error: RemixError) -> None:
        outcome = Outcome(
            TurnState.REFUSED,
            code=error.code,
            words=error.words,
            suggestions=error.suggestions if isinstance(error, NotUnderstood) else (),
            finished_at=time.time(),
        )
        if await self._turns.conclude(turn, outcome):
            log.info("turn refused", turn=turn.id, code=error.code)
        await self._close(turn.id)

    async def _stop(self, id_: TurnId, outcome: Outcome) -> None:
        """End a turn that was kept, and cannot run."""
        await self._turns.end(id_, replace(outcome, finished_at=time.time()))
        log.info("turn stopped", turn=id_, code=outcome.code)
        await self._close(id_)

    def _buckets(self, turn: Turn) -> list[Bucket]:
        """What one call may cost, reserved from the person's day and from the house's."""
        engine = self._engines[turn.engine]
        estimate = engine.estimate_microusd(images=max(1, len(turn.inputs)))
        if not engine.profile.generative:
            return []
        day = datetime.now(UTC).date().isoformat()
        return [
            Bucket(f"person:{turn.author.key}:{day}", estimate, self._limits.person_day_microusd),
            Bucket(f"house:{day}", estimate, self._limits.house_day_microusd),
        ]


def _turn(
    message: InboundMessage,
    id_: TurnId,
    reply: MessageRef,
    *,
    engine: str,
    ground: _Ground,
    brought: tuple[ImageFacts, ...],
) -> Turn:
    sources = tuple(Input(Role.SOURCE, message.author, image) for image in brought)
    return Turn(
        id=id_,
        chat=message.ref.chat,
        origin=message.ref,
        author=message.author,
        author_name=message.author_name,
        instruction=message.text,
        engine=engine,
        parent=ground.parent,
        inputs=ground.inputs + sources,
        reply=reply,
        created_at=message.created_at,
        story=ground.story,
        pins=(ground.pins or brought)[:MAX_PINS],
        owners=tuple(dict.fromkeys([*ground.owners, *([message.author] if brought else [])])),
        engines=ground.engines,
        note=ground.note,
    )
