"""A sample of `make chaos`: each fault once, at boundaries that a seed picks, and then all the books."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.chaos.books import settled
from tests.chaos.faults import FAULTS
from tests.chaos.matrix import Cell, Row, Stage, stage

SEED = 8
HALL = ("RedisMessageStore.record", "RedisMessageStore.attach", "RedisTurnStore.submit", "DocketTurnQueue.start")
WORKSHOP = ("RedisTurnStore.claim", "RedisTurnStore.finish", "RedisTurnStore.settle", "RedisTurnStore.delivered")


def cells() -> list[Cell]:
    """Each fault, by turns in a gateway and in a worker."""
    dice = random.Random(SEED)
    rooms = [("gateway", HALL), ("worker", WORKSHOP)]
    picked: list[Cell] = []
    for number, fault in enumerate(FAULTS):
        role, methods = rooms[number % 2]
        picked.append(Cell("web", role, f"{dice.choice(methods)}:{dice.choice(('before', 'after'))}", fault))
    return picked


def harmless(row: Row) -> bool:
    return row.reached and not (row.lost or row.doubled or row.double_billed or row.troubles)


@pytest.mark.timeout(300)
async def test_each_fault_once_loses_doubles_and_bills_nothing(tmp_path: Path) -> None:
    async with stage("web", tmp_path) as on:
        rows = [await on.meet(cell) for cell in cells()]
        assert [row for row in rows if not harmless(row)] == []
        books = await settled(on.fleet, on.asked)
    # One message each, and one more where nobody got to the boundary before a process began again.
    asked = len(FAULTS) + sum(row.as_it_began for row in rows)
    assert (books.troubles, books.asked, books.answered) == ([], asked, asked)


@pytest.mark.chaos
async def test_another_gateway_finds_what_a_killed_one_alone_had_heard(tmp_path: Path) -> None:
    """In a chat that the bot was never used in: nothing in the store leads to it."""
    async with stage("discord", tmp_path, workers=1) as on:
        async with asyncio.timeout(30):
            while "caught up" not in on.fleet.everything_said():
                await asyncio.sleep(0.1)
        await _is_harmless(on, Cell("discord", "gateway", "RedisDiscordStore.says_since:after", "kill -9"))


@pytest.mark.chaos
async def test_another_gateway_takes_over_what_a_killed_one_had_stored(tmp_path: Path) -> None:
    async with stage("telegram", tmp_path, workers=1) as on:
        await _is_harmless(on, Cell("telegram", "gateway", "TelegramPlatform.reserve:before", "kill -9"))


async def _is_harmless(on: Stage, cell: Cell) -> None:
    row = await on.meet(cell)
    assert harmless(row), row
    books = await settled(on.fleet, on.asked)
    assert (books.troubles, books.lost, books.doubled, books.calls_seen) == ([], 0, 0, 1)
