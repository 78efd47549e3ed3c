"""Holding on through an outage of a store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from bot.ending import is_ending

log = structlog.get_logger("patience")

T = TypeVar("T")

_FIRST_WAITS_S = (0.5, 1.0, 2.0, 4.0)
_THEN_S = 5.0
"""Whoever holds what was paid for is back before its turn is given to another."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """For so many seconds something is tried again after an outage of a store, and after any other error."""

    outage_s: float
    other_s: float = 0.0


PAID = Bounds(15 * 60.0, other_s=60.0)
"""For what would be lost, or paid for again."""
READING = Bounds(15 * 60.0)
BRIEF = Bounds(60.0, other_s=60.0)
NOTING = Bounds(60.0)


class Patience:
    """`is_outage` tells an outage of a store from what is simply wrong. All waits are multiplied by `pace`."""

    def __init__(self, is_outage: Callable[[Exception], bool], *, pace: float = 1.0) -> None:
        self.is_outage = is_outage
        self._pace = pace

    async def through(self, work: Callable[[], Awaitable[T]], bounds: Bounds) -> T:
        """Do it, again and again within these bounds: it can be repeated. Raises what it raised last. A task that was
        asked to end does so at once."""
        began, tries = time.monotonic(), 0
        while True:
            try:
                return await work()
            except Exception as error:
                if is_ending():
                    raise asyncio.CancelledError from error
                bound_s = (bounds.outage_s if self.is_outage(error) else bounds.other_s) * self._pace
                wait_s = (_FIRST_WAITS_S[tries] if tries < len(_FIRST_WAITS_S) else _THEN_S) * self._pace
                if time.monotonic() - began + wait_s > bound_s:
                    raise
                log.warning("a store is away, trying again", error=type(error).__name__, seconds=wait_s)
            tries += 1
            await asyncio.sleep(wait_s)
