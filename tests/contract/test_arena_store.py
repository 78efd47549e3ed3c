"""Votes in arenas, against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.domain.arena import MOST_VOTERS, Choice, Match, Tally
from bot.domain.refs import MessageRef, TurnId, UserRef, thread_id_of, turn_id_of
from storage.redis.arena import ArenaErasure, RedisArenaStore
from storage.redis.client import open_client
from storage.redis.keys import Keys
from tests.values import ANNA, BEN, CHAT

MODELS = ("one", "two")


def named(name: str) -> TurnId:
    ref = MessageRef(CHAT, name)
    return turn_id_of(thread_id_of(ref), ref.key)


ARENA, OTHER = named("m1"), named("m2")


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    await asyncio.gather(*(client.ping() for _ in range(16)))  # warm: races show only then
    yield client
    await client.aclose()


@pytest.fixture
def store(client: Redis) -> RedisArenaStore:
    return RedisArenaStore(client, retention_s=1000, life_s=100)


def crowd(count: int) -> list[UserRef]:
    return [UserRef("web", f"voter{number}") for number in range(count)]


async def votes(store: RedisArenaStore, voter: UserRef, choice: Choice, arena: TurnId = ARENA) -> int | None:
    return await store.vote(arena, voter, choice, most=MOST_VOTERS)


async def test_each_person_has_one_vote_and_the_last_one_holds(store: RedisArenaStore) -> None:
    assert [await votes(store, ANNA, Choice.A), await votes(store, BEN, Choice.B)] == [1, 2]
    assert await votes(store, ANNA, Choice.BAD) == 2
    assert await store.voted(ARENA) == (2, None)
    assert await store.end(ARENA, MODELS) == Tally(b=1, bad=1)


async def test_two_votes_of_one_person_at_once_are_one(store: RedisArenaStore) -> None:
    said = await asyncio.gather(*(votes(store, ANNA, choice) for choice in [Choice.A, Choice.B] * 8))
    assert set(said) == {1}
    assert (await store.end(ARENA, MODELS)).voted == 1


async def test_a_vote_at_the_very_end_counts_or_is_turned_away(store: RedisArenaStore) -> None:
    people = crowd(15)
    for person in people[:5]:
        await votes(store, person, Choice.A)
    said, tallies = await asyncio.gather(
        asyncio.gather(*(votes(store, person, Choice.B) for person in people[5:])),
        asyncio.gather(*(store.end(ARENA, MODELS) for _ in range(3))),
    )
    counted = sum(each is not None for each in said)
    assert set(tallies) == {Tally(a=5, b=counted)}
    assert await votes(store, people[0], Choice.B) is None
    assert await store.voted(ARENA) == (5 + counted, Tally(a=5, b=counted))


async def test_no_more_than_so_many_vote_and_who_has_may_still_change(store: RedisArenaStore) -> None:
    said = await asyncio.gather(*(votes(store, person, Choice.A) for person in crowd(MOST_VOTERS + 4)))
    assert said.count(None) == 4
    voted = [person for person, answer in zip(crowd(MOST_VOTERS + 4), said, strict=True) if answer is not None]
    assert await votes(store, voted[0], Choice.B) == MOST_VOTERS
    assert await store.end(ARENA, MODELS) == Tally(a=MOST_VOTERS - 1, b=1)


async def test_who_voted_is_forgotten_with_the_end_and_how_is_kept_without_them(
    store: RedisArenaStore, client: Redis
) -> None:
    await votes(store, ANNA, Choice.A)
    await votes(store, BEN, Choice.BAD, OTHER)
    await store.end(ARENA, MODELS)
    await store.end(OTHER, None)
    assert await store.matches() == [Match(MODELS, Tally(a=1))]
    assert await store.worst(most=5) == [(OTHER, Tally(bad=1))]
    keys = [str(key) for key in await client.keys("*")]
    assert not [key for key in keys if "voter" in key or "votes" in key]
    assert not [key for key in keys if await client.ttl(key) < 0]


async def test_an_end_is_booked_once_and_one_without_votes_not_at_all(store: RedisArenaStore) -> None:
    await votes(store, ANNA, Choice.A)
    assert await store.end(ARENA, MODELS) == await store.end(ARENA, ("other", "models")) == Tally(a=1)
    assert await store.end(OTHER, MODELS) == Tally()
    assert await store.matches() == [Match(MODELS, Tally(a=1))]


async def test_what_is_to_end_is_listed_until_it_is_shown_so(store: RedisArenaStore) -> None:
    await store.begin(ARENA, ends_at=100)
    await store.begin(ARENA, ends_at=900)
    await store.begin(OTHER, ends_at=200)
    assert [await store.due(now) for now in (99, 100, 200)] == [[], [ARENA], [ARENA, OTHER]]
    await store.prolong(ARENA, ends_at=300)
    assert await store.due(250) == [OTHER]
    await store.end(ARENA, MODELS)
    await store.prolong(ARENA, ends_at=500)
    assert await store.due(0) == [ARENA]
    await store.shown(ARENA)
    await store.prolong(ARENA, ends_at=0)
    assert await store.due(250) == [OTHER]


async def test_which_is_a_is_drawn_fairly_and_a_repeat_draws_the_same(store: RedisArenaStore) -> None:
    arenas = [named(f"arena{number}") for number in range(200)]
    first, again = [[await store.begin(arena, ends_at=100) for arena in arenas] for _ in range(2)]
    assert first == again
    assert 60 < sum(first) < 140


async def test_nothing_that_people_can_know_tells_which_is_a(store: RedisArenaStore, client: Redis) -> None:
    """The same arena elsewhere is drawn anew."""
    draws: set[tuple[bool, ...]] = set()
    for house in range(4):
        elsewhere = RedisArenaStore(client, retention_s=1000, life_s=100, keys=Keys(f"house{house}"))
        draws.add(tuple([await elsewhere.begin(named(f"arena{number}"), ends_at=100) for number in range(64)]))
    assert len(draws) == 4


async def test_a_draw_asked_for_by_many_at_once_is_one_and_goes_with_the_arena(
    store: RedisArenaStore, client: Redis
) -> None:
    for arena in [ARENA, *(named(f"arena{number}") for number in range(15))]:
        assert len(set(await asyncio.gather(*(store.begin(arena, ends_at=100) for _ in range(8))))) == 1
    assert 0 < await client.ttl(f"rb:{{arena}}:draw:{ARENA}") <= 1000
    await ArenaErasure(client, Keys()).drop(ARENA)
    assert len(await client.keys("*draw*")) == 15


async def test_open_votes_go_with_a_person_and_results_with_their_arena(store: RedisArenaStore, client: Redis) -> None:
    erasure = ArenaErasure(client, Keys())
    await store.begin(ARENA, ends_at=100)
    for person, choice in ((ANNA, Choice.BAD), (BEN, Choice.A)):
        await votes(store, person, choice)
    await votes(store, ANNA, Choice.B, OTHER)
    await erasure.take_back(ANNA)
    assert [await store.voted(ARENA), await store.voted(OTHER)] == [(1, None), (0, None)]
    await votes(store, ANNA, Choice.BAD)
    await store.end(ARENA, MODELS)
    await erasure.drop(ARENA)
    assert [await store.matches(), await store.worst(most=5), await store.due(1e12)] == [[], [], []]
    assert await client.keys("*ended*") == []
