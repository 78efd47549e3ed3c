"""Who hears which shard, kept in a real server that several processes ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.discord.ports import Division
from storage.redis.client import open_client
from storage.redis.discord_shards import RedisShardStore

LONG_S = 60.0


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RedisShardStore]:
    client = open_client(redis_url)
    yield RedisShardStore(client)
    for key in await client.keys("*"):
        assert await client.ttl(key) >= 0, f"{key!r} has no expiry"
    await client.aclose()


async def divided(store: RedisShardStore, holder: str, *, wanted: int = 4, life_s: float = LONG_S) -> Division:
    return await store.divide("1", holder=holder, wanted=wanted, life_s=life_s)


async def test_one_alone_hears_all_and_leaves_half_to_one_that_comes(store: RedisShardStore) -> None:
    assert await divided(store, "a") == Division(4, frozenset({0, 1, 2, 3}))
    assert await divided(store, "b") == Division(4, frozenset())
    assert await divided(store, "a") == Division(4, frozenset({0, 1, 2, 3}), leave=frozenset({2, 3}))
    await store.leave("1", holder="a", shards=[2, 3])
    assert await divided(store, "b") == Division(4, frozenset({2, 3}))
    assert await divided(store, "a") == Division(4, frozenset({0, 1}))


async def test_what_one_heard_that_shows_no_life_goes_to_the_other(store: RedisShardStore) -> None:
    await divided(store, "a", life_s=0.05)
    async with asyncio.timeout(5):
        while (await divided(store, "b")).own != frozenset({0, 1, 2, 3}):
            await asyncio.sleep(0.01)
    assert (await divided(store, "a")).own == frozenset()


async def test_whoever_goes_leaves_all_at_once_and_nothing_of_others(store: RedisShardStore) -> None:
    await divided(store, "a")
    await store.go("1", holder="b")
    await store.leave("1", holder="b", shards=[0, 1])
    assert (await divided(store, "a")).own == frozenset({0, 1, 2, 3})
    await store.go("1", holder="a")
    assert (await divided(store, "b")).own == frozenset({0, 1, 2, 3})


async def test_the_number_of_shards_changes_only_when_nobody_hears_any(store: RedisShardStore) -> None:
    await divided(store, "a", wanted=2)
    assert (await divided(store, "b", wanted=3)).count == 2
    await store.go("1", holder="a")
    await store.go("1", holder="b")
    assert (await divided(store, "b", wanted=3)) == Division(3, frozenset({0, 1, 2}))


async def test_sixteen_that_ask_at_once_never_hear_the_same_shard(store: RedisShardStore) -> None:
    found = await asyncio.gather(*(divided(store, str(number), wanted=40) for number in range(16)))
    heard = [shard for each in found for shard in each.own]
    assert sorted(heard) == sorted(set(heard))


async def test_of_many_that_want_to_begin_a_session_one_may_and_the_others_know_when(store: RedisShardStore) -> None:
    waits = await asyncio.gather(*(store.until_identify("1", lane=0, every_s=5) for _ in range(8)))
    assert sorted(waits)[0] == 0
    assert all(4 < each <= 5 for each in sorted(waits)[1:])
    assert await store.until_identify("1", lane=1, every_s=5) == 0
