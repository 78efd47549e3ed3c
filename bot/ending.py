"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from typing import Any

_PATIENCE_S = 0.2


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel until they have ended. What they raise is left in them.

    Asking once may not do: in Python 3.11 `asyncio.wait_for` swallows a cancellation that meets a finished wait, and
    redis-py sends every command through it.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_PATIENCE_S)
