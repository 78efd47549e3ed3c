"""Paid calls: recorded before they begin, counted, never repeated in silence, and broken off when the turn is taken
away."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import structlog

from bot.domain.errors import EngineFailed, EngineRefused, EngineUnavailable, ModelGone, RemixError, SwitchedOff
from bot.domain.language import tr
from bot.domain.turns import Usage
from bot.domain.words import ASKED_TWICE, SWITCHED_OFF, TOO_SLOW, joined, stand_in
from bot.gate import Gate
from bot.patience import NOTING, Patience
from bot.ports import Allowance, Claim, EditRequest, Engine, EngineAnswer, Heard, Meter, Switches, TextModel, TurnStore
from bot.sight import figures

log = structlog.get_logger("calls")

T = TypeVar("T")

MAX_CALLS = 2
"""A paid call is begun at most this often: once more where the process died during the first."""
MAX_RETRIES = 2
"""How often a call that the service turned away, without doing anything, is tried again."""
_RETRY_WAIT_S = (1.0, 4.0)
_LONGEST_WAIT_S = 20.0
_PATIENCE_S = 100.0
"""How long a call waits for the last model that could do it; for the others as long as for one that is overloaded."""


class Fenced(Exception):
    """The turn was cancelled, or claimed by another worker."""


@dataclass(slots=True)
class _Tally:
    """What one stage of a turn has used so far. `begun` is what the store counts, calls that may have been billed;
    `sent` every request."""

    begun: int
    sent: int
    spent_microusd: int
    broke_off: bool = False
    counted: bool = False
    """Whether the next call is in the store's count already: the last one surely did nothing."""


@dataclass(frozen=True, slots=True)
class _Way:
    """To a model. `pictures` go along; `patience_s` is how long the call may wait for its place."""

    engine: str
    model: str
    allowance: Allowance
    pictures: int
    patience_s: float


class Calls:
    """Makes paid calls for turns that are claimed. `beat_s` is how often a long one shows life."""

    def __init__(
        self,
        *,
        turns: TurnStore,
        switches: Switches,
        meter: Meter,
        gate: Gate,
        patience: Patience,
        timeout_s: float = 300.0,
        beat_s: float = 2.0,
    ) -> None:
        self._gate = gate
        self._patience = patience
        self._turns = turns
        self._switches = switches
        self._meter = meter
        self._timeout_s = timeout_s
        self._beat_s = beat_s

    async def edit(self, claim: Claim, engine: Engine, request: EditRequest, *, begun: int) -> EngineAnswer:
        """One edit, by the first of the engine's models that can. What was surely not done is tried again, then given
        to the next model; what may have been done and charged is tried once more at most, and counted.

        `begun` calls were started by earlier claims in this stage: they were paid for, as far as anybody knows.
        """
        pictures = len(request.images) + len(request.originals)
        estimate = engine.estimate_microusd(images=pictures, wish=request.wish)
        tally = _Tally(begun, begun, begun * estimate)
        gone = False
        # Where one was chosen, no other stands in for it.
        models = (request.model,) if request.model else engine.profile.models or ("",)
        for number, model in enumerate(models):
            is_last = number + 1 == len(models)
            way = _Way(
                engine.profile.name,
                model or engine.profile.name,
                engine.profile.allowances.get(model, _NOT_KNOWN),
                pictures,
                _PATIENCE_S if is_last else _LONGEST_WAIT_S,
            )
            try:
                answer = await self._counted(claim, way, tally, estimate, partial(self._drawn, engine, request, model))
            except (EngineUnavailable, ModelGone) as error:
                maybe_billed = isinstance(error, EngineUnavailable) and error.maybe_billed
                if maybe_billed or is_last:
                    raise
                gone = isinstance(error, ModelGone)
                log.warning("model gives way to the next", model=model, gone=gone)
            else:
                notes = [answer.note]
                if number:
                    notes.append(stand_in(model, models[0], gone=gone))
                if tally.broke_off:
                    notes.append(tr(ASKED_TWICE))
                return replace(answer, note=joined(*notes), usage=_with(answer.usage, tally))
        raise AssertionError("an engine has at least one model")

    async def read(self, claim: Claim, name: str, text_model: TextModel, work: Callable[[], Awaitable[Heard]]) -> Heard:
        """One call that gives words, for the engine of that name and about one picture. Of a turn whose worker died in
        one, it is not tried again."""
        tally = _Tally(0, 0, 0)
        way = _Way(name, text_model.name, text_model.allowance, 1, _LONGEST_WAIT_S)
        with figures.model_call(f"{name} (reading)"):
            heard = await self._counted(claim, way, tally, text_model.estimate_microusd(), work)
        return replace(heard, usage=_with(heard.usage, tally))

    async def _counted(
        self, claim: Claim, way: _Way, tally: _Tally, estimate: int, work: Callable[[], Awaitable[T]]
    ) -> T:
        """`work` until it comes back or must not be tried again. Errors carry what it cost."""
        retries = 0
        while True:
            if not await self._switches.is_on(way.engine):
                raise _billed(SwitchedOff(tr(SWITCHED_OFF)), tally)
            await self._let_in(claim, way, tally)
            if not tally.counted:
                await self._noted(claim)
                tally.begun, tally.counted = tally.begun + 1, True
            tally.sent += 1
            try:
                return await self.alive(claim, self._in_time(work))
            except EngineUnavailable as error:
                if error.maybe_billed:
                    tally.spent_microusd += error.cost_microusd or estimate
                    tally.broke_off, tally.counted = True, False
                elif error.retry_after_s:
                    await self._gate.close(way.model, error.retry_after_s)
                wait_s = max(error.retry_after_s or 0.0, _RETRY_WAIT_S[min(retries, len(_RETRY_WAIT_S) - 1)])
                allowed = tally.begun < MAX_CALLS if error.maybe_billed else retries < MAX_RETRIES
                if not allowed or wait_s > _LONGEST_WAIT_S:
                    again = EngineUnavailable(error.words, maybe_billed=error.maybe_billed)
                    raise _billed(again, tally) from error
                retries += 1
                figures.retried(way.engine)
                await self.alive(claim, asyncio.sleep(wait_s))
            except EngineFailed as error:
                raise _billed(error, tally) from None
            except RemixError as error:
                if not tally.broke_off:
                    raise
                # Not an engine's failure, but the try before it was paid for.
                raise _billed(EngineRefused(error.words), tally) from None

    async def _noted(self, claim: Claim) -> None:
        """The store has counted the call that begins now: once, however often it had to be told."""
        id_, ticket = claim.status.turn.id, secrets.token_hex(8)
        if not await self._patience.through(lambda: self._turns.calling(id_, claim.epoch, ticket), NOTING):
            raise Fenced

    async def _let_in(self, claim: Claim, way: _Way, tally: _Tally) -> None:
        """Waits for a place, showing life."""
        try:
            await self._gate.enter(
                way.model,
                way.allowance,
                pictures=way.pictures,
                ticket=f"{claim.status.turn.id}:{claim.epoch}:{tally.sent}",
                patience_s=way.patience_s,
                wait=lambda wait_s: self.alive(claim, asyncio.sleep(wait_s)),
            )
        except EngineUnavailable as error:
            raise _billed(error, tally) from None

    async def _drawn(self, engine: Engine, request: EditRequest, model: str) -> EngineAnswer:
        started = time.monotonic()
        with figures.model_call(model or engine.profile.name):
            answer = await engine.edit(replace(request, model=model))
        try:
            if answer.images and (answer.usage.model or model):
                await self._meter.took(answer.usage.model or model, time.monotonic() - started)
            if answer.retirement is not None:
                log.warning("model is to be retired", model=model, when=answer.retirement.when)
                await self._meter.retiring(answer.retirement)
        except Exception:
            # What was made is paid for: figures about it must never cost it.
            log.warning("could not note how a model fared", model=model)
        return answer

    async def _in_time(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await work()
        except TimeoutError:
            raise EngineUnavailable(tr(TOO_SLOW), maybe_billed=True) from None

    async def alive(self, claim: Claim, work: Coroutine[Any, Any, T]) -> T:
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


_NOT_KNOWN = Allowance()


def _billed(error: EngineFailed, tally: _Tally) -> EngineFailed:
    """The error, with what the whole stage has cost."""
    error.cost_microusd += tally.spent_microusd
    error.calls = tally.sent
    return error


def _with(usage: Usage, tally: _Tally) -> Usage:
    return replace(usage, cost_microusd=usage.cost_microusd + tally.spent_microusd, calls=tally.sent)
