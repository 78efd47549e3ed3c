"""The recipes of chats, against a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.recipes import MOST_RECIPES, Recipe, Step, recipe_id
from bot.domain.refs import ChatRef, Person, UserRef
from storage.redis.client import open_client
from storage.redis.erasure import RedisErasure
from storage.redis.images import RedisImageLedger
from storage.redis.keys import Keys
from storage.redis.recipes import RedisRecipeStore
from storage.redis.turns import RedisTurnStore
from tests.values import ANNA, BEN, CHAT

ELSEWHERE = ChatRef("web", "page", "elsewhere")
LIFE_S = 1000


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def store(client: Redis) -> RedisRecipeStore:
    return RedisRecipeStore(client, retention_s=LIFE_S)


def recipe(name: str, *authors: UserRef, by: UserRef = ANNA, chat: ChatRef = CHAT, at: float = 1.0) -> Recipe:
    steps = tuple(Step(f"words of {author.user}", (author,)) for author in authors or (by,))
    return Recipe(name, steps, Person(by, by.user.title()), chat, at)


async def forget(client: Redis, user: UserRef, *, before: float = 10.0) -> None:
    async def retract(*_: Any) -> None:
        pass

    turns = RedisTurnStore(client, retention_s=LIFE_S, author_limit=3)
    pixels: Any = None  # nobody here has any
    await RedisErasure(client, turns, RedisImageLedger(client, retention_s=LIFE_S), pixels).forget(
        user, before=before, retract=retract
    )


async def test_a_recipe_is_found_by_its_name_in_its_own_chat_alone(store: RedisRecipeStore) -> None:
    winter = recipe("Winter look")
    assert await store.save(winter)
    assert await store.find(CHAT, recipe_id("WINTER LOOK")) == winter
    assert await store.find(ELSEWHERE, winter.id) is None
    assert await store.all(ELSEWHERE) == []


async def test_only_whoever_saved_it_saves_it_anew(store: RedisRecipeStore) -> None:
    first, again = recipe("Look"), recipe("look", ANNA, BEN)
    assert await store.save(first)
    assert not await store.save(recipe("LOOK", by=BEN))
    assert await store.find(CHAT, first.id) == first
    assert await store.save(again)
    assert await store.all(CHAT) == [again]


async def test_they_are_listed_by_name_and_deleted_one_by_one(store: RedisRecipeStore) -> None:
    for name in ("b", "C", "a"):
        await store.save(recipe(name))
    await store.delete(CHAT, recipe_id("C"))
    await store.delete(CHAT, recipe_id("never there"))
    assert [each.name for each in await store.all(CHAT)] == ["a", "b"]


async def test_a_chat_has_so_many_and_no_more(store: RedisRecipeStore) -> None:
    assert all([await store.save(recipe(f"look {number}")) for number in range(MOST_RECIPES)])
    assert not await store.save(recipe("one more"))
    assert await store.save(recipe("look 0", BEN))


async def test_they_live_as_long_as_they_are_used_and_so_does_what_finds_them(
    store: RedisRecipeStore, client: Redis
) -> None:
    await store.save(recipe("Look", ANNA, BEN))
    names = [Keys().recipes(CHAT), Keys().user_recipes(ANNA), Keys().user_recipes(BEN)]
    for name in names:
        assert 0 < await client.ttl(name) <= LIFE_S
        await client.expire(name, 5)
    await store.find(CHAT, recipe_id("Look"))
    assert [await client.ttl(name) > 5 for name in names] == [True] * 3


async def test_a_new_one_lets_those_that_stood_there_be_found_for_as_long(
    store: RedisRecipeStore, client: Redis
) -> None:
    await store.save(recipe("his", BEN, by=BEN))
    await store.save(recipe("moved", chat=ELSEWHERE))
    for change in (store.save(recipe("hers")), store.move(ELSEWHERE, CHAT)):
        await client.expire(Keys().user_recipes(BEN), 5)
        await change
        assert await client.ttl(Keys().user_recipes(BEN)) > 5


async def test_they_move_with_their_chat(store: RedisRecipeStore, client: Redis) -> None:
    await store.save(recipe("Look", ANNA, BEN))
    await store.save(recipe("Mine", by=BEN, chat=ELSEWHERE))
    for _ in range(2):
        await store.move(CHAT, ELSEWHERE)
    assert await store.all(CHAT) == []
    assert [(each.name, each.chat) for each in await store.all(ELSEWHERE)] == [("Look", ELSEWHERE), ("Mine", ELSEWHERE)]
    await forget(client, BEN)
    assert await store.all(ELSEWHERE) == []


async def test_whoever_is_forgotten_takes_along_what_they_saved_and_what_has_words_of_theirs(
    store: RedisRecipeStore, client: Redis
) -> None:
    annas, bens, both = recipe("hers"), recipe("his", by=BEN), recipe("both", BEN, ANNA, by=BEN)
    for each in (annas, bens, both, replace(annas, chat=ELSEWHERE)):
        await store.save(each)
    await forget(client, ANNA)
    assert await store.all(CHAT) == [bens]
    assert await store.all(ELSEWHERE) == []
    assert not await client.exists(Keys().user_recipes(ANNA))


async def test_a_name_that_somebody_else_has_taken_since_stays_theirs(store: RedisRecipeStore, client: Redis) -> None:
    first = recipe("Look")
    await store.save(first)
    await store.delete(CHAT, first.id)
    again = recipe("Look", BEN, by=BEN)
    await store.save(again)
    await forget(client, ANNA)
    assert await store.all(CHAT) == [again]


async def test_what_was_saved_after_somebody_was_forgotten_stays(store: RedisRecipeStore, client: Redis) -> None:
    await store.save(recipe("before", at=1.0))
    await store.save(recipe("after", at=20.0))
    await forget(client, ANNA)
    assert [each.name for each in await store.all(CHAT)] == ["after"]
