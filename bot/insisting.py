"""Doing a thing until it is done."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

log = structlog.get_logger("door")

T = TypeVar("T")


class Hopeless(Exception):
    """Once more would not help."""


MOST_BUGS: Final = 5
"""Tries at one thing that may end in a plain bug, where that is not to go on for good. The last is 15 s after the
first."""
_BUGS = (TypeError, LookupError, AttributeError, ValueError, AssertionError)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0


async def insist(
    action: Callable[[], Awaitable[T]],
    *,
    what: str,
    hopeless: tuple[type[Exception], ...] = (),
    much_later: tuple[type[Exception], ...] = (),
    bugs: int | None = None,
    room: Callable[[], contextlib.AbstractAsyncContextManager[None]] = contextlib.nullcontext,
) -> T:
    """Again and again at growing distances: what fails is a store or a network that is away for a while, and doing it
    twice is harmless. `hopeless` errors stay as they are; after those in `much_later` the longest wait comes at once.
    After so many `bugs` (a wrong type, a missing key) it is hopeless, too: neither store nor network are to blame. None
    for no such bound. `room` is held while it is tried, and not while it is waited for. Raises `Hopeless` alone."""
    wait_s, found = _FIRST_WAIT_S, 0
    while True:
        try:
            async with room():
                return await action()
        except Hopeless:
            raise
        except Exception as error:
            found += _is_bug(error) and not isinstance(error, much_later)
            if isinstance(error, hopeless) or (bugs is not None and found >= bugs):
                raise Hopeless from error
            if isinstance(error, much_later):
                wait_s = _LONGEST_WAIT_S
            log.warning("to be tried again", what=what, error=type(error).__name__, in_s=wait_s)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)


def _is_bug(error: Exception) -> bool:
    """A certificate that does not hold is a `ValueError` as well, and the network's matter."""
    return isinstance(error, _BUGS) and not isinstance(error, OSError)
