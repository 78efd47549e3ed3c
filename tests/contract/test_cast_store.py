"""Who has a name in which chat, and what people want of all their pictures: what the stores promise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot.domain.cast import CastPicture, Member
from bot.domain.refs import ChatRef, Person, TurnId, UserRef
from bot.ports import CastStore, TasteStore
from storage.redis.cast import RedisCastStore
from storage.redis.client import open_client
from storage.redis.keys import Keys
from storage.redis.taste import RedisTasteStore
from tests.values import ANNA, BEN, CHAT, image

GARDEN = ChatRef("web", "page", "garden")


def member(name: str = "Rex", *, chat: ChatRef = CHAT, at: float = 1.0) -> Member:
    picture = CastPicture(image(name), (Person(ANNA, "Anna"), None), TurnId("t-1"), at, spoiler=True)
    return Member(f"id-{name}", chat, name, Person(BEN, "Ben"), (picture,), (TurnId("t-1"),))


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


class CastContract:
    """What every store of casts promises."""

    async def test_what_is_kept_is_found_in_its_chat_alone_the_oldest_first(self, store: CastStore) -> None:
        rex, mimi, elsewhere = member("Rex", at=2.0), member("Mimi", at=1.0), member("Rex", chat=GARDEN)
        for each in (rex, mimi, elsewhere):
            assert await store.put(each, instead_of=None)
        assert list(await store.members([CHAT])) == [mimi, rex]
        assert list(await store.members([GARDEN, CHAT])) == [elsewhere, mimi, rex]
        assert list(await store.members([])) == []

    async def test_a_name_is_there_once_whatever_its_case(self, store: CastStore) -> None:
        assert await store.put(member("Rex"), instead_of=None)
        assert not await store.put(member("REX"), instead_of=None)
        assert [each.name for each in await store.members([CHAT])] == ["Rex"]

    async def test_nothing_is_written_over_what_changed_meanwhile(self, store: CastStore) -> None:
        read = member()
        changed = replace(read, turns=(TurnId("t-2"),))
        await store.put(read, instead_of=None)
        assert await store.put(changed, instead_of=read)
        assert not await store.put(replace(read, turns=()), instead_of=read)
        assert not await store.drop(read)
        assert list(await store.members([CHAT])) == [changed]
        assert await store.drop(changed)
        assert list(await store.members([CHAT])) == []

    async def test_everybody_of_whom_something_is_kept_is_found(self, store: CastStore) -> None:
        rex, other = member(), member("Mimi", chat=GARDEN)
        await store.put(rex, instead_of=None)
        await store.put(other, instead_of=None)
        assert {each.name for each in await store.of(ANNA)} == {"Rex", "Mimi"}
        await store.drop(other)
        assert list(await store.of(BEN)) == [rex]

    async def test_a_chat_that_has_another_name_keeps_its_cast(self, store: CastStore) -> None:
        await store.put(member(), instead_of=None)
        await store.move(CHAT, GARDEN)
        await store.move(CHAT, GARDEN)
        assert list(await store.members([CHAT])) == []
        assert list(await store.members([GARDEN])) == [member(chat=GARDEN)]
        assert list(await store.of(ANNA)) == [member(chat=GARDEN)]


class TestRedis(CastContract):
    @pytest.fixture
    def store(self, client: Redis) -> RedisCastStore:
        return RedisCastStore(client, retention_s=1000)

    async def test_all_of_it_expires_and_lives_on_where_it_is_used(self, store: RedisCastStore, client: Redis) -> None:
        await store.put(member(), instead_of=None)
        keys = await client.keys("*")
        assert len(keys) == 3
        for key in keys:
            await client.expire(key, 10)
        await store.renew([member()])
        assert [await client.ttl(key) for key in keys] == [1000] * 3


class TestTastes:
    @pytest.fixture
    def store(self, client: Redis) -> RedisTasteStore:
        return RedisTasteStore(client)

    async def test_each_has_their_own_until_it_is_erased(self, store: TasteStore) -> None:
        await store.keep(ANNA, "always photographic")
        await store.keep(ANNA, "never text")
        assert [await store.taste(each) for each in (ANNA, BEN)] == ["never text", ""]
        await store.keep(ANNA, "")
        assert await store.taste(ANNA) == ""

    async def test_it_expires_and_only_what_was_said_by_then_is_forgotten(
        self, store: RedisTasteStore, client: Redis
    ) -> None:
        await store.keep(ANNA, "never text")
        (key,) = await client.keys("*")
        assert await client.ttl(key) > 0
        await store.forget(ANNA, 1.0)
        assert await store.taste(ANNA) == "never text"
        await store.forget(ANNA, 2**40)
        assert await client.keys("*") == []


async def test_a_new_one_lets_everybody_who_stood_there_be_found_for_as_long(client: Redis) -> None:
    store, carl = RedisCastStore(client, retention_s=1000), UserRef("web", "carl")
    await store.put(replace(member("Tom"), by=Person(carl, "Carl"), pictures=()), instead_of=None)
    for change in (store.put(member(), instead_of=None), store.renew([member()]), store.drop(member())):
        await client.expire(Keys().user_cast(carl), 5)
        await change
        assert await client.ttl(Keys().user_cast(carl)) > 5
