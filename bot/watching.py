"""Looks for turns and messages that are stuck: says so once, counts them, and mends what can be mended without harm.

Most is mended by the reconciler, every few seconds. What is found here has outlasted that.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from bot.domain.messages import InboundMessage
from bot.domain.refs import TurnId, short_hash
from bot.sight import figures
from bot.sight.values import Bounds, Installation, Standing, Stuck, stuck_in

log = structlog.get_logger("watchdog")

EVERY_S = 15.0


class Sight(Protocol):
    """See `storage.redis.sight.RedisSight`."""

    async def seen(self) -> Installation: ...

    async def watches(self, name: str, *, life_s: float) -> bool: ...

    async def report_once(self, what: str) -> bool: ...


class Watchdog:
    """`look` is to be called every few seconds; of all processes one at a time looks. `unsettled` gives messages that
    nobody has dealt with, `release` lets go what waits for a turn that is not there any more, `start` gives a turn to
    the queue once more."""

    def __init__(
        self,
        sight: Sight,
        *,
        name: str,
        bounds: Bounds,
        unsettled: Callable[[], Awaitable[Sequence[InboundMessage]]],
        release: Callable[[TurnId], Awaitable[Sequence[TurnId]]],
        start: Callable[[TurnId], Awaitable[None]],
        every_s: float = EVERY_S,
    ) -> None:
        self._sight = sight
        self._name = name
        self._bounds = bounds
        self._unsettled = unsettled
        self._release = release
        self._start = start
        self._every_s = every_s

    async def look(self) -> Sequence[tuple[str, Stuck]]:
        """Gives what is stuck, and what is wrong with it; nothing where another process looks."""
        found: list[tuple[str, Stuck]] = []
        if await self._sight.watches(self._name, life_s=3 * self._every_s):
            seen = await self._sight.seen()
            for standing, stuck in stuck_in(seen, self._bounds):
                found.append((standing.turn, stuck))
                await self._say(stuck, standing.turn, age_s=seen.now - standing.since)
                await self._mend(standing, stuck)
            now = time.time()
            for message in await self._unsettled():
                if now - message.created_at > self._bounds.settle_s:
                    found.append((message.ref.key, Stuck.UNSETTLED))
                    await self._say(Stuck.UNSETTLED, message.ref.key, age_s=now - message.created_at)
        counted = Counter(stuck for _, stuck in found)
        for kind in Stuck:
            figures.STUCK.labels(kind.value).set(counted[kind])
        return found

    async def _say(self, stuck: Stuck, what: str, *, age_s: float) -> None:
        if await self._sight.report_once(short_hash(stuck, what)):
            figures.STUCK_FOUND.labels(stuck.value).inc()
            log.warning("stuck", kind=stuck.value, what=what, age_s=round(age_s, 1))

    async def _mend(self, standing: Standing, stuck: Stuck) -> None:
        if stuck is Stuck.ORPHANED and standing.parent is not None:
            # Nobody will ever finish it: what waits for it runs, and says itself that its picture is gone.
            for turn in await self._release(standing.parent):
                await self._start(turn)
            figures.REPAIRS.labels("orphaned").inc()
        elif stuck in (Stuck.SILENT, Stuck.NOT_STARTED):
            # Harmless while it is in flight; a claim decides who may.
            await self._start(standing.turn)
            figures.REPAIRS.labels(stuck.value).inc()
