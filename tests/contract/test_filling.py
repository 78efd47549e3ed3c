"""The right to fill a reply: one at a time, and never lost with whoever had it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis

from bot.domain.turns import Outcome, Turn, TurnState
from bot.ports import Bucket
from storage.redis.client import open_client
from storage.redis.keys import Keys
from storage.redis.turns import RedisTurnStore
from tests.trips import trips
from tests.values import done, image, turn

LIFE_S = 0.3


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


def process_of(client: Redis, life_s: float = LIFE_S) -> RedisTurnStore:
    return RedisTurnStore(client, retention_s=1000, life_s=life_s)


async def finished(store: RedisTurnStore) -> Turn:
    one = turn()
    await store.announce("worker", slots=3)
    await store.submit(one, [])
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.finish(one, claim.epoch, done())
    return one


async def cancelled(store: RedisTurnStore) -> Turn:
    one = turn()
    await store.submit(one, [])
    assert await store.end(one.id, Outcome(TurnState.CANCELLED))
    return one


async def concluded(store: RedisTurnStore) -> Turn:
    one = turn()
    assert await store.conclude(one, done())
    return one


ENDS = (finished, cancelled, concluded)


@pytest.mark.parametrize("ended", ENDS)
async def test_whoever_ends_a_turn_fills_its_reply_and_nobody_else_until_they_are_gone(
    client: Redis, ended: Callable[[RedisTurnStore], Awaitable[Turn]]
) -> None:
    ours, others = process_of(client), process_of(client)
    one = await ended(ours)
    assert not await others.take_filling(one.id)
    assert not await ours.take_filling(one.id)  # another task of the same process is somebody else as well
    deadline = time.monotonic() + 5
    while not await others.take_filling(one.id):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_of_many_who_want_to_fill_one_may(client: Redis) -> None:
    one = await finished(ours := process_of(client, 30))
    await ours.leave_filling(one.id)
    others = [process_of(client, 30) for _ in range(8)]
    assert sum(await asyncio.gather(*(each.take_filling(one.id) for each in others))) == 1


async def test_a_filling_that_goes_on_keeps_the_others_away(client: Redis) -> None:
    ours, others = process_of(client), process_of(client)
    one = await finished(ours)
    for _ in range(6):
        await asyncio.sleep(LIFE_S / 3)
        assert await ours.keep_filling(one.id)
        assert not await others.take_filling(one.id)


async def test_what_is_given_back_is_anybodys_at_once_and_by_its_holder_alone(client: Redis) -> None:
    ours, others = process_of(client, 30), process_of(client, 30)
    one = await finished(ours)
    await others.leave_filling(one.id)
    assert not await others.take_filling(one.id)
    await ours.leave_filling(one.id)
    assert await others.take_filling(one.id)
    assert not await ours.keep_filling(one.id)  # thawed too late


async def test_who_is_alone_takes_what_the_dead_have_left(client: Redis) -> None:
    one = await finished(process_of(client, 30))
    assert await process_of(client).take_filling(one.id, alone=True)


async def test_nothing_is_taken_that_is_not_to_be_filled_and_nothing_stays_behind(client: Redis) -> None:
    store = process_of(client, 30)
    runs = turn()
    await store.announce("worker", slots=3)
    await store.submit(runs, [])
    assert not await store.take_filling(runs.id)
    one = await finished(store)
    await store.delivered(one.id)
    assert not await process_of(client).take_filling(one.id, alone=True)
    key = Keys().turn(one.id)
    assert not {"filling_by", "filling_until"} & set(await client.hkeys(key))
    # What is left in the list of a record that has expired is anybody's to tidy away.
    await client.delete(key)
    assert await store.take_filling(one.id)
    assert not await client.exists(key)


async def test_the_reply_of_a_turn_that_an_older_version_ended_is_anybodys(client: Redis) -> None:
    store = process_of(client, 30)
    one = await finished(store)
    await client.hdel(Keys().turn(one.id), "filling_by", "filling_until")
    assert await process_of(client, 30).take_filling(one.id)


async def test_finishing_again_because_the_answer_was_lost_is_finishing_once(client: Redis) -> None:
    store, one, end = process_of(client), turn(), done()
    await store.announce("worker", slots=3)
    await store.submit(one, [])
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.finish(one, claim.epoch, end)
    assert await store.finish(one, claim.epoch, end)
    assert not await store.finish(one, claim.epoch + 1, end)


async def test_ending_again_because_the_answer_was_lost_is_ending_once(client: Redis) -> None:
    store, other, one = process_of(client), process_of(client), turn()
    said = Outcome(TurnState.CANCELLED, finished_at=1.5)
    await store.submit(one, [])
    assert await store.end(one.id, said)
    assert await store.end(one.id, said)
    assert not await other.end(one.id, said)
    assert not await store.end(one.id, Outcome(TurnState.CANCELLED, finished_at=2.5))


async def test_concluding_again_because_the_answer_was_lost_is_concluding_once(client: Redis) -> None:
    store, other, one, said = process_of(client), process_of(client), turn(), done()
    assert await store.conclude(one, said)
    assert await store.conclude(one, said)
    assert not await other.conclude(one, said)


async def full(store: RedisTurnStore) -> Turn:
    one = turn()
    assert (await store.submit(one, [Bucket("house", 2000, 1000)])).full
    assert await store.end(one.id, Outcome(TurnState.REFUSED))
    return one


@pytest.mark.parametrize("ended", [*ENDS, full])
async def test_what_has_ended_is_listed_until_its_answer_is_there(
    client: Redis, ended: Callable[[RedisTurnStore], Awaitable[Turn]]
) -> None:
    dead, store = process_of(client, 30), process_of(client, 30)
    one = await ended(dead)
    assert not await store.take_filling(one.id)  # what comes again is left to the dead one for now
    assert [each.turn for each in await store.open_turns()] == [one.id]
    await store.delivered(one.id)
    assert not await store.conclude(one, done(image("again")))
    assert not await store.end(one.id, done(image("again")))
    assert not await store.open_turns()


async def test_an_end_is_listed_before_it_is_written(client: Redis) -> None:
    with trips() as found:
        await concluded(process_of(client))
    asked = [name for trip in found for name in trip.commands]
    assert asked.index("zadd") < asked.index("eval")
