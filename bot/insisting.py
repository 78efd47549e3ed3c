"""Doing a thing until it is done."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

log = structlog.get_logger("door")

T = TypeVar("T")


class Hopeless(Exception):
    """Once more would not help."""


_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0


async def insist(
    action: Callable[[], Awaitable[T]],
    *,
    what: str,
    hopeless: tuple[type[Exception], ...] = (),
    much_later: tuple[type[Exception], ...] = (),
    room: Callable[[], contextlib.AbstractAsyncContextManager[None]] = contextlib.nullcontext,
) -> T:
    """Again and again at growing distances: what fails is a store or a network that is away for a while, and doing it
    twice is harmless. `hopeless` errors stay as they are; after those in `much_later` the longest wait comes at once.
    `room` is held while it is tried, and not while it is waited for. Raises `Hopeless` alone."""
    wait_s = _FIRST_WAIT_S
    while True:
        try:
            async with room():
                return await action()
        except Hopeless:
            raise
        except Exception as error:
            if isinstance(error, hopeless):
                raise Hopeless from error
            if isinstance(error, much_later):
                wait_s = _LONGEST_WAIT_S
            log.warning("to be tried again", what=what, error=type(error).__name__, in_s=wait_s)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
