"""Workshop: an accepted turn → engine → label → stored result. Runs wherever the queue puts it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import structlog

from bot.domain.errors import EngineFailed, EngineRefused, EngineUnavailable, NotUnderstood, RemixError, SwitchedOff
from bot.domain.images import Input, picture_of
from bot.domain.inputs import check_consent, results_of
from bot.domain.labels import label_for
from bot.domain.messages import ChatCapabilities
from bot.domain.refs import ChatRef, TurnId
from bot.domain.story import story_below
from bot.domain.turns import FINAL_STATES, Outcome, Turn, TurnState, TurnStatus, Usage
from bot.domain.words import (
    BROKEN,
    CLIMBED,
    ENGINE_GONE,
    GONE,
    INTERRUPTED,
    NO_PICTURE,
    NOT_KEPT,
    SWITCHED_OFF,
    TOO_SLOW,
)
from bot.ports import (
    Claim,
    EditRequest,
    Engine,
    EngineAnswer,
    ImageLedger,
    ImageStore,
    RenditionMaker,
    Switches,
    TurnQueue,
    TurnStore,
)

log = structlog.get_logger("workshop")

T = TypeVar("T")

MAX_CALLS = 2
"""A paid call is begun at most this often: once more where the process died during the first."""
MAX_CLAIMS = 4
"""A turn that brought down this many workers is not tried again."""
MAX_RETRIES = 2
"""How often a call that the service turned away, without doing anything, is tried again."""
_RETRY_WAIT_S = (1.0, 4.0)
_LONGEST_WAIT_S = 20.0
_OUTAGE_WAITS_S = (0.5, 1, 2, 4, 8, 15, 30)
_MAX_CLIMB = 64


class Fenced(Exception):
    """The turn was cancelled, or claimed by another worker."""


class Workshop:
    """Runs turns. `show` fills the reserved reply; `capabilities` says what a chat can show; `beat_s` is how often a
    long turn shows life, well under the time after which the store gives it to another worker."""

    def __init__(
        self,
        *,
        engines: Mapping[str, Engine],
        turns: TurnStore,
        images: ImageStore,
        ledger: ImageLedger,
        renditions: RenditionMaker,
        switches: Switches,
        queue: TurnQueue,
        show: Callable[[TurnStatus], Awaitable[None]],
        capabilities: Callable[[ChatRef], ChatCapabilities],
        call_timeout_s: float = 300.0,
        beat_s: float = 2.0,
    ) -> None:
        self._engines = engines
        self._turns = turns
        self._images = images
        self._ledger = ledger
        self._renditions = renditions
        self._switches = switches
        self._queue = queue
        self._show = show
        self._capabilities = capabilities
        self._call_timeout_s = call_timeout_s
        self._beat_s = beat_s
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def idle(self) -> None:
        """Wait until nothing runs here."""
        await self._idle.wait()

    async def run(self, id_: TurnId) -> None:
        """Run this turn if nobody else does. Any failure ends it with words; only a long outage of the store leaves it
        for a later try."""
        self._running += 1
        self._idle.clear()
        try:
            await self._run(id_)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _run(self, id_: TurnId) -> None:
        claim = await self._turns.claim(id_)
        if claim is None:
            return await self.close(id_)
        started = time.monotonic()
        try:
            turn, outcome = await self._work(claim)
            outcome = replace(outcome, finished_at=time.time())
            if not await self._through_outage(lambda: self._turns.finish(turn, claim.epoch, outcome)):
                await self._let_go(id_, outcome)
                raise Fenced
        except Fenced:
            log.info("turn taken away", turn=id_, epoch=claim.epoch)
            return await self.close(id_)
        _log_finished(turn, outcome, time.monotonic() - started)
        return await self._close(replace(claim.status, turn=turn, state=outcome.state, outcome=outcome))

    async def close(self, id_: TurnId) -> None:
        """After a final state: give back what was reserved, let the next ones run, fill the reply. Repeatable; does
        nothing for a turn that is not final."""
        status = await self._turns.load(id_)
        if status is None:
            await self._start(await self._turns.abandon(id_))
        elif status.state in FINAL_STATES:
            await self._close(status)

    async def _close(self, status: TurnStatus) -> None:
        await self._start(await self._turns.settle(status))
        if not status.delivered:
            await self._show(status)
            await self._turns.delivered(status.turn.id)

    async def _start(self, turns: Sequence[TurnId]) -> None:
        for next_ in turns:
            await self._queue.start(next_)

    async def _let_go(self, id_: TurnId, outcome: Outcome) -> None:
        """What was made for a turn that is somebody else's now, or ended: nobody will ever show it."""
        status = await self._turns.load(id_)
        kept = status.outcome.images if status is not None and status.outcome else ()
        unwanted = [image for image in outcome.images if image not in kept]
        for sha256 in await self._ledger.release(f"turn:{id_}", unwanted):
            await self._images.delete(sha256)

    # --- one turn

    async def _work(self, claim: Claim) -> tuple[Turn, Outcome]:
        turn = claim.status.turn
        try:
            turn = await self._resolve(turn)
            return turn, await self._make(replace(claim.status, turn=turn), claim)
        except Fenced:
            raise
        except RemixError as error:
            return turn, _outcome_of(error)
        except KeyError:
            return turn, Outcome(TurnState.FAILED, code="gone", words=GONE)
        except Exception:
            log.exception("turn broke", turn=turn.id, engine=turn.engine)
            return turn, Outcome(TurnState.FAILED, code="broken", words=BROKEN)

    async def _resolve(self, turn: Turn) -> Turn:
        """Put the parent's results in place of inputs that were not known when the turn was accepted."""
        inputs, engines, note, story = list(turn.inputs), list(turn.engines), turn.note, turn.story
        for _ in range(_MAX_CLIMB):
            unknown = next((each for each in inputs if each.image is None), None)
            if unknown is None:
                break
            status = await self._turns.load(unknown.from_turn) if unknown.from_turn else None
            found: tuple[Input, ...] = ()
            if status is not None:
                found, climbed = results_of(status, unknown.from_index)
                check_consent(found, turn.author)
                note = note or (CLIMBED if climbed and found else "")
                if status.outcome and status.outcome.label:
                    engines += status.outcome.label.engines
                if status.turn.id == turn.parent:
                    story = story_below(status)
            at = inputs.index(unknown)
            inputs[at : at + 1] = found
        return replace(turn, inputs=tuple(inputs), engines=tuple(dict.fromkeys(engines)), note=note, story=story)

    async def _make(self, status: TurnStatus, claim: Claim) -> Outcome:
        turn = status.turn
        engine = self._engines.get(turn.engine)
        if engine is None:
            return Outcome(TurnState.FAILED, code="engine_gone", words=ENGINE_GONE)
        images = [each.image for each in turn.inputs if each.image is not None]
        if not images:
            return Outcome(TurnState.REFUSED, code="no_picture", words=NO_PICTURE)
        if claim.epoch > MAX_CLAIMS or claim.calls >= MAX_CALLS:
            spent = Usage(cost_microusd=claim.calls * engine.estimate_microusd(images=len(images)))
            return Outcome(TurnState.FAILED, code="interrupted", words=INTERRUPTED, usage=spent)
        pixels = await asyncio.gather(*(self._images.get(image.sha256) for image in images))
        request = EditRequest(
            instruction=turn.instruction,
            images=tuple(picture_of(image, data) for image, data in zip(images, pixels, strict=True)),
            story=turn.story,
        )
        if not engine.profile.generative:
            answer = await self._alive(claim, engine.edit(request))
        else:
            await self._progress(status)
            answer = await self._paid(claim, engine, request)
        try:
            return await self._alive(claim, self._through_outage(lambda: self._keep(turn, engine, answer)))
        except Fenced:
            raise
        except Exception:
            # Paid for all the same: the cap must see it.
            log.exception("result could not be kept", turn=turn.id, engine=turn.engine)
            return Outcome(TurnState.FAILED, code="not_kept", words=NOT_KEPT, usage=answer.usage)

    async def _progress(self, status: TurnStatus) -> None:
        """Say that it runs. A nicety: it must never end a turn."""
        try:
            await self._show(status)
        except Exception:
            log.warning("could not show progress", turn=status.turn.id)

    async def _keep(self, turn: Turn, engine: Engine, answer: EngineAnswer) -> Outcome:
        """Store the masters, render them for the chat they go to, and say what became of the turn."""
        if not answer.images:
            return Outcome(TurnState.ASKING, words=answer.remark, usage=answer.usage)
        label = label_for(
            generative_engine=engine.profile.display_name if engine.profile.generative else None,
            inputs=[each.image.provenance for each in turn.inputs if each.image],
            earlier_engines=turn.engines,
        )
        used = [each.image for each in turn.inputs if each.image]
        masters, _ = await self._renditions.keep(
            f"turn:{turn.id}",
            [replace(picture, provenance=label.provenance) for picture in answer.images],
            label,
            self._capabilities(turn.chat),
            renew=[*used, *turn.pins],
        )
        return Outcome(
            TurnState.DONE, images=masters, words=answer.remark, label=label, usage=answer.usage, note=turn.note
        )

    # --- the paid call

    async def _paid(self, claim: Claim, engine: Engine, request: EditRequest) -> EngineAnswer:
        """Call, recorded before it begins. What was surely not done is tried again; what may have been done and
        charged is tried once more at most, and counted."""
        estimate = engine.estimate_microusd(images=len(request.images))
        # A call that a dead worker began was paid for, as far as anybody knows.
        calls, retries, spent = claim.calls, 0, claim.calls * estimate
        counted = False
        while True:
            if not await self._switches.is_on(engine.profile.name):
                raise SwitchedOff(SWITCHED_OFF, cost_microusd=spent)
            if not counted:
                if not await self._turns.calling(claim.status.turn.id, claim.epoch, deadline_s=self._call_timeout_s):
                    raise Fenced
                calls, counted = calls + 1, True
            try:
                answer = await self._alive(claim, self._one_call(engine, request))
            except EngineUnavailable as error:
                if error.maybe_billed:
                    spent, counted = spent + (error.cost_microusd or estimate), False
                wait_s = max(error.retry_after_s or 0.0, _RETRY_WAIT_S[min(retries, len(_RETRY_WAIT_S) - 1)])
                allowed = calls < MAX_CALLS if error.maybe_billed else retries < MAX_RETRIES
                if not allowed or wait_s > _LONGEST_WAIT_S:
                    raise EngineUnavailable(error.words, cost_microusd=spent) from error
                retries += 1
                await self._alive(claim, asyncio.sleep(wait_s))
            except EngineFailed as error:
                error.cost_microusd += spent
                raise
            else:
                usage = replace(answer.usage, cost_microusd=answer.usage.cost_microusd + spent)
                return replace(answer, usage=usage)

    async def _one_call(self, engine: Engine, request: EditRequest) -> EngineAnswer:
        try:
            async with asyncio.timeout(self._call_timeout_s):
                return await engine.edit(request)
        except TimeoutError:
            raise EngineUnavailable(TOO_SLOW, maybe_billed=True) from None

    async def _alive(self, claim: Claim, work: Coroutine[Any, Any, T]) -> T:
        """Do this while showing life. Stops it when the turn was taken away."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=self._beat_s))[0]:
                if not await self._beat(claim):
                    raise Fenced
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=1)

    async def _beat(self, claim: Claim) -> bool:
        try:
            return await self._turns.beat(claim.status.turn.id, claim.epoch)
        except Exception:
            # The store is away. What is being made is paid for: go on, the commit decides.
            log.warning("could not show life", turn=claim.status.turn.id)
            return True

    async def _through_outage(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, and hold on to what was made through an outage of the stores of about a minute. `work` can be
        repeated."""
        for wait_s in _OUTAGE_WAITS_S:
            try:
                return await work()
            except Exception as error:
                log.warning("a store is away, trying again", error=type(error).__name__, seconds=wait_s)
                await asyncio.sleep(wait_s)
        return await work()


def _outcome_of(error: RemixError) -> Outcome:
    """How a turn ends that ran into this: refused where trying again cannot help, failed where it may."""
    failed = error.retryable or (isinstance(error, EngineFailed) and not isinstance(error, EngineRefused))
    return Outcome(
        TurnState.FAILED if failed else TurnState.REFUSED,
        code=error.code,
        words=error.words,
        usage=Usage(cost_microusd=error.cost_microusd if isinstance(error, EngineFailed) else 0),
        suggestions=error.suggestions if isinstance(error, NotUnderstood) else (),
    )


def _log_finished(turn: Turn, outcome: Outcome, seconds: float) -> None:
    log.info(
        "turn finished",
        turn=turn.id,
        engine=turn.engine,
        state=outcome.state.value,
        code=outcome.code,
        seconds=round(seconds, 3),
        cost_microusd=outcome.usage.cost_microusd,
    )
