"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from typing import Any


async def end(*tasks: asyncio.Task[Any], patience_s: float = 2.0) -> None:
    """Cancel until they have ended. What they raise is left in them.

    Asking once may not do: in Python 3.11 `asyncio.wait_for` swallows a cancellation that meets a finished wait, and
    redis-py sends every command through it. Asking again breaks into what a task does on its way out, so the patience
    is to be longer than that takes. (A `TaskGroup` asks once: it is not enough around what talks to Redis.)
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=patience_s)


def is_ending() -> bool:
    """Whether this task was asked to end, even if what it waited for has swallowed that. For loops that talk to Redis:
    they end at once, and not when they are asked again."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
