"""A store that goes back in time is found out, against a real server and a real folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.settings import Settings
from bot.tide import Loss, Mark, TideTable, Told, loss_of
from storage.objects.witness import ObstoreWitness, witness
from storage.redis.client import open_client
from storage.redis.tide import RedisTide


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def beside(tmp_path: Path) -> ObstoreWitness:
    return witness(str(tmp_path))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def table(client: Redis, beside: ObstoreWitness, clock: Clock) -> TideTable:
    """A process that looks every time, and whose marks are witnessed every second time."""
    return TideTable(RedisTide(client), beside, every_s=0.0001, witnessed_s=0.0002, now=clock)


async def rounds(table: TideTable, clock: Clock, count: int) -> list[Loss | None]:
    found: list[Loss | None] = []
    for _ in range(count):
        clock.now_s += 1
        found.append(await table.look())
    return found


async def test_nothing_is_said_of_a_store_that_keeps_what_it_is_told(
    client: Redis, beside: ObstoreWitness, clock: Clock
) -> None:
    assert await rounds(table(client, beside, clock), clock, 6) == [None] * 6
    assert await rounds(table(client, beside, clock), clock, 6) == [None] * 6


async def test_a_store_that_went_back_in_time_is_found_out_by_a_process_that_remembers(
    client: Redis, beside: ObstoreWitness, clock: Clock
) -> None:
    process = table(client, beside, clock)
    await rounds(process, clock, 6)
    older = await client.dump("rb:tide") or b""
    await rounds(process, clock, 3)
    await client.restore("rb:tide", 0, older, replace=True)
    assert await rounds(process, clock, 2) == [Loss(1006.0, 1009.0, 1010.0), None]


async def test_a_mark_that_was_on_its_way_while_the_store_was_away_does_not_hide_what_it_lost(
    client: Redis, beside: ObstoreWitness, clock: Clock
) -> None:
    process, tide = table(client, beside, clock), RedisTide(client)
    await rounds(process, clock, 6)
    older = await client.dump("rb:tide") or b""
    await rounds(process, clock, 3)
    await client.restore("rb:tide", 0, older, replace=True)
    stood, mark = await tide.rise(every_s=0.0, least=9)
    assert (stood.mark, mark) == (6, 10)
    assert loss_of(Told(stood.name, [(9, 13.0)]), stood, 20.0) == Loss(13.0, 13.0, 20.0)


async def test_it_is_found_out_by_the_witness_when_all_processes_start_anew(
    client: Redis, beside: ObstoreWitness, clock: Clock
) -> None:
    process = table(client, beside, clock)
    await rounds(process, clock, 2)
    older = await client.dump("rb:tide") or b""
    await rounds(process, clock, 6)
    await client.restore("rb:tide", 0, older, replace=True)
    (loss, after) = await rounds(table(client, beside, clock), clock, 2)
    assert (loss, after) == (Loss(1002.0, 1008.0, 1009.0), None)


async def test_a_store_that_was_emptied_has_lost_everything(
    client: Redis, beside: ObstoreWitness, clock: Clock
) -> None:
    process = table(client, beside, clock)
    await rounds(process, clock, 4)
    await client.flushdb()
    assert await rounds(process, clock, 2) == [Loss(1001.0, 1004.0, 1005.0, all=True), None]


async def test_a_loss_is_said_once_however_many_processes_there_are(
    client: Redis, beside: ObstoreWitness, clock: Clock
) -> None:
    one, two = table(client, beside, clock), table(client, beside, clock)
    for _ in range(3):
        await rounds(one, clock, 1)
        await rounds(two, clock, 1)
    await client.flushdb()
    found = [*await rounds(one, clock, 1), *await rounds(two, clock, 3), *await rounds(one, clock, 3)]
    assert [each.all for each in found if each is not None] == [True]
    assert len(await one.losses()) == 1


async def test_what_cannot_be_read_beside_it_is_replaced(client: Redis, beside: ObstoreWitness, clock: Clock) -> None:
    await beside.write(b"\x00 no notes")
    assert await rounds(table(client, beside, clock), clock, 4) == [None] * 4
    assert Told.load(await beside.read()).highest > 0


async def test_the_doctor_tells_of_it(tmp_path: Path, redis_url: str) -> None:
    from bot import oneshot

    given: dict[str, Any] = {"data": tmp_path, "redis_url": redis_url}
    settings = Settings(**given)
    told = Told("store", [(7, 900.0)], [Loss(890.0, 900.0, 1000.0)])
    await witness(settings.pictures_url).write(told.dump())
    (said,) = [each.words for each in await oneshot.doctor(settings) if each.what == "memory"]
    assert said.startswith("the database lost what was written between 1970-01-01T00:14:50Z and 1970-01-01T00:15:00Z")


@pytest.mark.parametrize(
    ("stands", "lost"),
    [
        (Mark("a", 3), None),
        (Mark("a", 4), None),
        (Mark("a", 2), Loss(12.0, 13.0, 20.0)),
        (Mark("a", 0), Loss(11.0, 13.0, 20.0)),
        (Mark("b", 9), Loss(11.0, 13.0, 20.0, all=True)),
    ],
)
def test_what_was_lost_is_told_by_when_it_was_written(stands: Mark, lost: Loss | None) -> None:
    told = Told("a", [(1, 11.0), (2, 12.0), (3, 13.0)])
    assert loss_of(told, stands, 20.0) == lost
    assert loss_of(Told(), stands, 20.0) is None
