"""A worker that is told to stop: the real processes over a real Valkey, the model a fake one that takes its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.books import KEYS, Books, quiet, reading, settled
from tests.chaos.town import Asked, OnThePage, small_picture
from tests.fleet import Fleet, Process

WORDS = "put a hat on her"


@asynccontextmanager
async def page_of(folder: Path, *, workers: int, **options: Any) -> AsyncGenerator[tuple[Fleet, OnThePage]]:
    page = OnThePage()
    async with Fleet(folder, workers=workers, **options) as fleet:
        page.fleet = fleet

        async def all_are_known() -> bool:
            async with reading(fleet) as client:
                return int(await client.hlen(f"{KEYS.admission}:slots")) == workers

        await until(all_are_known)
        yield fleet, page


async def asks(page: OnThePage, number: int) -> Asked:
    return await page.asks(page.chat(number), WORDS, [small_picture(number)])


async def until(holds: Callable[[], Any], *, within_s: float = 30) -> None:
    async with asyncio.timeout(within_s):
        while not await holds():
            await asyncio.sleep(0.02)


async def called(fleet: Fleet, times: int) -> None:
    async def were() -> bool:
        return await fleet.calls() == times

    await until(were)


async def is_stopping(worker: Process) -> None:
    async def says_no() -> bool:
        return await worker.asked("/readyz") == 503

    await until(says_no)


async def ended_well(fleet: Fleet, asked: list[Asked]) -> Books:
    assert await quiet(fleet, within_s=40) == {}
    return await settled(fleet, asked)


def finished_by(worker: Process, asked: Asked) -> bool:
    lines = worker.log.read_text().splitlines()
    return any("turn finished" in line and asked.native["turn_id"] in line for line in lines)


async def test_a_worker_that_is_told_to_stop_finishes_what_runs_and_takes_nothing_more(tmp_path: Path) -> None:
    async with page_of(tmp_path, workers=2, model_delay_s=1.5) as (fleet, page):
        leaving, other = fleet.workers
        other.freeze()  # it has room, as everybody believes, and takes nothing
        assert await leaving.asked("/readyz") == 200
        before = await asks(page, 1)
        await called(fleet, 1)
        stopped = asyncio.create_task(leaving.term())
        await is_stopping(leaving)
        assert await leaving.asked("/healthz") == 200
        after = await asks(page, 2)
        assert await stopped == 0
        assert (finished_by(leaving, before), await fleet.calls()) == (True, 1)
        other.thaw()
        books = await ended_well(fleet, [before, after])
        assert finished_by(other, after)
    assert (books.troubles, books.answered, books.doubled, books.calls_seen, books.retried) == ([], 2, 0, 2, 0)


@pytest.mark.chaos
async def test_what_is_not_finished_within_the_bound_is_finished_by_another_worker(tmp_path: Path) -> None:
    async with page_of(tmp_path, workers=2, model_delay_s=3.0, env={"DRAIN_S": "0.5"}) as (fleet, page):
        leaving, other = fleet.workers
        other.freeze()
        asked = await asks(page, 1)
        await called(fleet, 1)
        assert await asyncio.wait_for(leaving.term(), 3) == 0
        other.thaw()
        books = await ended_well(fleet, [asked])
        assert finished_by(other, asked)
    # The call that was broken off is paid for, as far as anybody knows: it is counted, and made once more.
    assert (books.troubles, books.answered, books.doubled, books.calls_seen, books.retried) == ([], 1, 0, 2, 1)


@pytest.mark.chaos
async def test_a_second_signal_hurries_and_loses_nothing(tmp_path: Path) -> None:
    async with page_of(tmp_path, workers=1, model_delay_s=3.0, env={"DRAIN_S": "60"}) as (fleet, page):
        (worker,) = fleet.workers
        asked = await asks(page, 1)
        await called(fleet, 1)
        stopped = asyncio.create_task(worker.term())
        await is_stopping(worker)
        assert await asyncio.wait_for(worker.term(), 2.5) == await stopped == 0
        await page.look()
        assert [answer.is_final for answer in asked.answers()] == [False]
        await worker.start()
        books = await ended_well(fleet, [asked])
    assert (books.troubles, books.answered, books.doubled, books.calls_seen, books.retried) == ([], 1, 0, 2, 1)
