"""Doing a thing until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

log = structlog.get_logger("discord")

T = TypeVar("T")


class Hopeless(Exception):
    """Once more would not help."""


_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0


async def insist(action: Callable[[], Awaitable[T]], *, what: str, room: asyncio.Semaphore | None = None) -> T:
    """Again and again at growing distances: what fails is a store or a network that is away for a while, and doing it
    twice is harmless. `room` is held while it is tried, and not while it is waited for. Raises `Hopeless` alone."""
    wait_s = _FIRST_WAIT_S
    while True:
        try:
            if room is None:
                return await action()
            async with room:
                return await action()
        except Hopeless:
            raise
        except Exception as error:
            log.warning("to be tried again", what=what, error=type(error).__name__, in_s=wait_s)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
