"""What the core expects of the queue engine, against a real server."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.domain.refs import TurnId
from storage.docket.queue import DocketTurnQueue

A, B = TurnId("thread-a"), TurnId("thread-b")


@asynccontextmanager
async def working(url: str, work: Callable[[TurnId], Awaitable[None]]) -> AsyncIterator[DocketTurnQueue]:
    async with DocketTurnQueue(url, slots=4, lease_s=1) as queue:
        worker = asyncio.create_task(queue.run(work))
        yield queue
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def test_a_turn_that_is_started_twice_while_it_runs_runs_once(redis_url: str) -> None:
    seen: Counter[TurnId] = Counter()
    running, go_on = asyncio.Event(), asyncio.Event()

    async def work(turn: TurnId) -> None:
        seen[turn] += 1
        running.set()
        await go_on.wait()

    async with working(redis_url, work) as queue, asyncio.timeout(10):
        await queue.start(A)
        await running.wait()
        await queue.start(A)
        running.clear()
        await queue.start(B)
        await running.wait()
        go_on.set()
    assert seen == {A: 1, B: 1}


async def test_a_cancelled_turn_stops_where_it_runs(redis_url: str) -> None:
    running, stopped = asyncio.Event(), asyncio.Event()

    async def work(_: TurnId) -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with working(redis_url, work) as queue, asyncio.timeout(10):
        await queue.start(A)
        await running.wait()
        await queue.cancel(A)
        await stopped.wait()


async def test_a_turn_that_was_started_before_any_worker_came_runs_when_one_does(redis_url: str) -> None:
    async with DocketTurnQueue(redis_url, slots=1, lease_s=1) as queue:
        await queue.start(A)
    ran = asyncio.Event()

    async def work(_: TurnId) -> None:
        ran.set()

    async with working(redis_url, work), asyncio.timeout(10):
        await ran.wait()


async def test_a_turn_can_be_started_again_once_it_has_run(redis_url: str) -> None:
    runs: asyncio.Queue[TurnId] = asyncio.Queue()
    async with working(redis_url, runs.put) as queue, asyncio.timeout(10):
        await queue.start(A)
        assert await runs.get() == A
        while runs.empty():
            await queue.start(A)
            await asyncio.sleep(0.02)


async def test_a_queue_that_leaves_finishes_what_runs_and_leaves_what_comes_to_others(redis_url: str) -> None:
    ran: list[tuple[str, TurnId]] = []
    running, go_on, other_ran = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(turn: TurnId) -> None:
        running.set()
        await go_on.wait()
        ran.append(("first", turn))

    async def others_work(turn: TurnId) -> None:
        ran.append(("other", turn))
        other_ran.set()

    async with DocketTurnQueue(redis_url, slots=4, lease_s=60) as queue, asyncio.timeout(10):
        worker = asyncio.create_task(queue.run(work))
        await queue.start(A)
        await running.wait()
        queue.leave()
        await queue.start(B)
        go_on.set()
        await worker
        await queue.hand_back()
        async with working(redis_url, others_work):
            await other_ran.wait()
    assert ran == [("first", A), ("other", B)]


async def test_what_is_broken_off_by_a_queue_that_leaves_is_run_by_another_at_once(redis_url: str) -> None:
    running, other_ran = asyncio.Event(), asyncio.Event()

    async def work(_: TurnId) -> None:
        running.set()
        await asyncio.Event().wait()

    async def others_work(turn: TurnId) -> None:
        assert turn == A
        other_ran.set()

    # Nothing is given to others after the lease here: that would be too late.
    async with DocketTurnQueue(redis_url, slots=4, lease_s=60) as queue, asyncio.timeout(10):
        worker = asyncio.create_task(queue.run(work))
        await queue.start(A)
        await running.wait()
        queue.leave()
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        await queue.hand_back()
        async with working(redis_url, others_work):
            await other_ran.wait()
