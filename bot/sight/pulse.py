"""The pulse of a process: how late its event loop is, whether its parts are well, and a few figures, told to the others
every few seconds."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import structlog

from bot.sight import figures
from bot.sight.health import Health
from bot.sight.lately import LATELY, Lately

log = structlog.get_logger("pulse")

EVERY_S: Final = 5.0
TICK_S: Final = 0.25
_STALLED_S: Final = 1.0
"""So long without a turn of the loop is worth a line in the log."""


def version_here() -> str:
    try:
        return version("remixbot")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True, slots=True)
class Who:
    """A process, as the others see it. `slots` is how many turns it can run at once."""

    name: str
    role: str
    slots: int
    host: str = ""


Tell = Callable[[str, Mapping[str, Any]], Awaitable[float]]
"""Tells, under a name, what a process says of itself. Gives how long that took, in seconds."""


class Pulse:
    """`tick` and `tell` are to run, each again and again, for as long as the process lives."""

    def __init__(
        self,
        who: Who,
        *,
        tell: Tell,
        health: Health,
        lately: Lately = LATELY,
        every_s: float = EVERY_S,
        tick_s: float = TICK_S,
    ) -> None:
        self._who = who
        self._tell = tell
        self._health = health
        self._lately = lately
        self._every_s = every_s
        self._tick_s = tick_s
        self._began = time.time()
        self._worst_s = 0.0
        self._redis_s = 0.0
        figures.BUILD.info({"version": version_here(), "role": who.role})

    async def tick(self) -> None:
        """Until it is cancelled: wakes up, and sees how late it is."""
        while True:
            due = time.perf_counter() + self._tick_s
            await asyncio.sleep(self._tick_s)
            self._late(max(0.0, time.perf_counter() - due))

    def _late(self, seconds: float) -> None:
        figures.LOOP_LATE_S.observe(seconds)
        self._worst_s = max(self._worst_s, seconds)
        if seconds > _STALLED_S:
            log.warning("the event loop stood still", seconds=round(seconds, 3))

    async def beat(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.once()
            except Exception as error:
                log.warning("figures not told", error=type(error).__name__)
                self._lately.failed("redis", type(error).__name__)
            await asyncio.sleep(self._every_s)

    async def once(self) -> None:
        verdict = await self._health.verdict()
        worst_s, self._worst_s = self._worst_s, 0.0
        self._redis_s = await self._tell(
            self._who.name,
            {
                "v": 1,
                "host": self._who.host,
                "pid": os.getpid(),
                "role": self._who.role,
                "version": version_here(),
                "slots": self._who.slots,
                "since": round(self._began, 3),
                "at": round(time.time(), 3),
                "stall_s": round(worst_s, 4),
                "redis_s": round(self._redis_s, 5),
                "troubles": {part: trouble for part, trouble in verdict.parts.items() if trouble},
                **self._lately.told(),
            },
        )
        figures.REDIS_S.observe(self._redis_s)
