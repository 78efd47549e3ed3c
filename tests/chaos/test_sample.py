"""A sample of `make chaos`: each fault once, at boundaries that a seed picks, and then all the books."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.books import settled
from tests.chaos.faults import FAULTS
from tests.chaos.matrix import Cell, Row, stage

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
    assert (books.troubles, books.asked, books.answered) == ([], len(FAULTS), len(FAULTS))


@pytest.mark.parametrize(
    ("platform", "boundary"),
    [("discord", "RedisDiscordStore.says_since:after"), ("telegram", "TelegramPlatform.reserve:before")],
)
async def test_another_gateway_takes_over_what_a_killed_one_had_heard(
    platform: str, boundary: str, tmp_path: Path
) -> None:
    async with stage(platform, tmp_path, workers=1) as on:
        row = await on.meet(Cell(platform, "gateway", boundary, "kill -9"))
        assert harmless(row), row
        books = await settled(on.fleet, on.asked)
    assert (books.troubles, books.lost, books.doubled, books.calls_seen) == ([], 0, 0, 1)
