"""A task that is to end ends."""

from __future__ import annotations

import asyncio

from bot.ending import end


async def stubborn(swallowed: list[None]) -> None:
    """Swallows the first cancellation, as `asyncio.wait_for` of Python 3.11 may."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        swallowed.append(None)
    await asyncio.Event().wait()


async def test_a_task_that_swallows_a_cancellation_ends_all_the_same() -> None:
    swallowed: list[None] = []
    task = asyncio.create_task(stubborn(swallowed))
    await asyncio.sleep(0)
    await end(task, patience_s=0.01)
    assert task.cancelled()
    assert swallowed == [None]


async def test_tasks_that_have_ended_are_left_as_they_are() -> None:
    done = asyncio.create_task(asyncio.sleep(0, "result"))
    await done
    await end(done)
    assert done.result() == "result"
