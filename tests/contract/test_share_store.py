"""Which results are shared: what the store of it promises, against a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.domain.refs import TurnId
from bot.domain.sharing import Share
from bot.ports import ShareStore
from storage.redis.client import open_client
from storage.redis.shares import LIFE_S, RedisShareStore

TURN, OTHER = TurnId("aaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb"), TurnId("aaaaaaaaaaaaaaaa-cccccccccccccccc")


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


class ShareContract:
    """What every store of shares promises."""

    async def test_each_of_its_secrets_leads_to_what_is_shared(self, store: ShareStore) -> None:
        await store.keep(Share(TURN, 2, named=True), "one", "two")
        found = [await store.find(secret) for secret in ("one", "two", "three", "")]
        assert found == [Share(TURN, 2, named=True), Share(TURN, 2, named=True), None, None]

    async def test_ending_ends_all_of_a_turn_and_nothing_else(self, store: ShareStore) -> None:
        await store.keep(Share(TURN, 0), "one", "two")
        await store.keep(Share(TURN, 1, named=True), "three")
        await store.keep(Share(OTHER), "four")
        assert (await store.end(TURN), await store.end(TURN)) == (True, False)
        assert [await store.find(each) for each in ("one", "two", "three")] == [None] * 3
        assert await store.find("four") == Share(OTHER)

    async def test_it_can_be_shared_anew_and_the_old_links_stay_dead(self, store: ShareStore) -> None:
        await store.keep(Share(TURN), "old")
        await store.end(TURN)
        await store.keep(Share(TURN), "new")
        assert [await store.find(each) for each in ("old", "new")] == [None, Share(TURN)]


class TestRedis(ShareContract):
    @pytest.fixture
    def store(self, client: Redis) -> ShareStore:
        return RedisShareStore(client)

    async def test_nothing_of_a_secret_is_kept_and_nothing_is_left(self, client: Redis, store: ShareStore) -> None:
        await store.keep(Share(TURN), "s3cret-one", "s3cret-two")
        keys = [str(key) async for key in client.scan_iter("*")]
        assert len(keys) == 3
        assert [0 < await client.ttl(key) <= LIFE_S for key in keys] == [True] * 3
        whole = await client.hgetall("rb:{aaaaaaaaaaaaaaaa}:shares:bbbbbbbbbbbbbbbb")
        pointers = [await client.get(key) for key in keys if key.startswith("rb:share:")]
        assert (len(whole), len(pointers)) == (2, 2)
        assert "s3cret" not in f"{keys}{whole}{pointers}"
        await store.end(TURN)
        assert [key async for key in client.scan_iter("*")] == []

    async def test_what_a_crash_leaves_leads_nowhere(self, client: Redis, store: ShareStore) -> None:
        await store.keep(Share(TURN), "one")
        await client.delete("rb:{aaaaaaaaaaaaaaaa}:shares:bbbbbbbbbbbbbbbb")
        assert await store.find("one") is None
