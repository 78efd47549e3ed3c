"""What the store of turns promises, against a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.domain.images import ALL, Input, Role
from bot.domain.turns import Hold, Outcome, Turn, TurnState
from bot.ports import Bucket
from storage.redis.client import open_client
from storage.redis.turns import RedisTurnStore
from tests.values import ANNA, BEN, done, turn

DAY = 24 * 3600


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def store(client: Redis) -> RedisTurnStore:
    store = RedisTurnStore(client, retention_s=90 * DAY, author_limit=2, life_s=0.2)
    await store.announce("worker", slots=3)
    return store


async def run_to_end(store: RedisTurnStore, one: Turn, outcome: Outcome | None = None) -> list[str]:
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.finish(one, claim.epoch, outcome or done())
    return await settled(store, one)


async def settled(store: RedisTurnStore, one: Turn) -> list[str]:
    status = await store.load(one.id)
    assert status is not None
    return list(await store.settle(status))


async def test_a_turn_may_run_at_once_when_a_worker_has_room(store: RedisTurnStore) -> None:
    one = turn()
    submitted = await store.submit(one, [])
    assert submitted.start == (one.id,)
    assert not submitted.repeat


async def test_a_repeat_is_refused_even_after_the_turn_is_finished_and_delivered(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    assert (await store.submit(one, [])).repeat
    await run_to_end(store, one)
    await store.delivered(one.id)
    assert (await store.submit(one, [])).repeat
    assert await store.open_turns() == []


async def test_sixteen_deliveries_of_one_message_at_once_start_it_once(store: RedisTurnStore, client: Redis) -> None:
    await asyncio.gather(*(client.ping() for _ in range(16)))
    one = turn()
    answers = await asyncio.gather(*(store.submit(one, [Bucket("house:today", 10, 100)]) for _ in range(16)))
    assert sum(len(answer.start) for answer in answers) == 1
    assert await client.get("rb:{adm}:bucket:house:today") == "10"


async def test_a_reply_to_a_turn_that_still_runs_waits_for_it(store: RedisTurnStore) -> None:
    parent = turn()
    child = turn(parent=parent, inputs=(Input(Role.PARENT, ANNA, None, parent.id, ALL),))
    await store.submit(parent, [])
    submitted = await store.submit(child, [])
    assert submitted.holds == {"parent"}
    status = await store.load(child.id)
    assert status is not None
    assert (status.state, status.holds) == (TurnState.WAITING, frozenset({Hold.PARENT}))
    assert await run_to_end(store, parent) == [child.id]


async def test_a_cancelled_turn_lets_its_children_go(store: RedisTurnStore) -> None:
    parent = turn()
    child = turn(parent=parent)
    await store.submit(parent, [])
    await store.submit(child, [])
    assert await store.end(parent.id, Outcome(TurnState.CANCELLED))
    assert await settled(store, parent) == [child.id]


async def test_one_person_never_has_more_under_way_than_allowed(store: RedisTurnStore) -> None:
    turns = [turn() for _ in range(4)]
    started = [await store.submit(one, []) for one in turns]
    assert [bool(each.start) for each in started] == [True, True, False, False]
    waiting = await store.load(turns[2].id)
    assert waiting is not None
    assert waiting.holds == {Hold.AUTHOR}
    assert await run_to_end(store, turns[0]) == [turns[2].id]


async def test_workers_are_shared_between_persons_and_not_first_come_first_served(client: Redis) -> None:
    store = RedisTurnStore(client, retention_s=DAY, author_limit=5)
    await store.announce("worker", slots=1)
    flood = [turn(author=ANNA) for _ in range(4)]
    for one in flood:
        await store.submit(one, [])
    other = turn(author=BEN)
    assert (await store.submit(other, [])).position == 2
    assert await run_to_end(store, flood[0]) == [flood[1].id]
    assert await run_to_end(store, flood[1]) == [other.id]


async def test_without_a_worker_turns_wait_in_line_and_start_when_one_comes(client: Redis) -> None:
    store = RedisTurnStore(client, retention_s=DAY)
    one, two = turn(), turn(author=BEN)
    assert (await store.submit(one, [])).position == 1
    assert (await store.submit(two, [])).position == 2
    assert await store.announce("late", slots=2) == [one.id, two.id]


async def test_a_bucket_without_room_accepts_nothing_and_reserves_nothing(store: RedisTurnStore, client: Redis) -> None:
    one = turn()
    submitted = await store.submit(one, [Bucket("person:a", 10, 100), Bucket("house", 60, 50)])
    assert submitted.full == "house"
    assert await client.get("rb:{adm}:bucket:person:a") is None
    assert await store.end(one.id, Outcome(TurnState.REFUSED, code="not_allowed", words="Enough for today."))
    status = await store.load(one.id)
    assert status is not None
    assert status.state is TurnState.REFUSED


async def test_what_was_reserved_is_settled_to_what_it_cost(store: RedisTurnStore, client: Redis) -> None:
    one = turn()
    await store.submit(one, [Bucket("person:a", 100, 1000), Bucket("house", 100, 1000)])
    await run_to_end(store, one, done(cost_microusd=33))
    await settled(store, one)
    assert await client.mget("rb:{adm}:bucket:person:a", "rb:{adm}:bucket:house") == ["33", "33"]


async def test_a_refusal_is_not_charged_to_the_person(store: RedisTurnStore, client: Redis) -> None:
    from bot.domain.turns import Usage

    one = turn()
    await store.submit(one, [Bucket("person:a", 100, 1000), Bucket("house", 100, 1000)])
    refused = Outcome(TurnState.REFUSED, usage=Usage(cost_microusd=20))
    await run_to_end(store, one, refused)
    assert await client.mget("rb:{adm}:bucket:person:a", "rb:{adm}:bucket:house") == ["0", "20"]


async def test_a_call_in_flight_is_charged_when_its_turn_is_cancelled(store: RedisTurnStore, client: Redis) -> None:
    one = turn()
    await store.submit(one, [Bucket("house", 100, 1000)])
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.calling(one.id, claim.epoch, deadline_s=300)
    await store.end(one.id, Outcome(TurnState.CANCELLED))
    await settled(store, one)
    assert await client.get("rb:{adm}:bucket:house") == "100"


async def test_only_the_latest_claim_can_finish_a_turn(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    first = await store.claim(one.id)
    assert first is not None
    assert await store.claim(one.id) is None
    second = await next_claim(store, one)
    assert not await store.finish(one, first.epoch, done())
    assert not await store.beat(one.id, first.epoch)
    assert await store.finish(one, second, done())
    assert not await store.finish(one, second, Outcome(TurnState.FAILED))


async def next_claim(store: RedisTurnStore, one: Turn) -> int:
    """Claims again as soon as the first claimant showed no life for long enough."""
    deadline = time.monotonic() + 5
    while (claim := await store.claim(one.id)) is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    return claim.epoch


async def test_a_worker_that_shows_life_keeps_its_turn(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    claim = await store.claim(one.id)
    assert claim is not None
    for _ in range(8):
        await asyncio.sleep(0.05)
        assert await store.beat(one.id, claim.epoch)
        assert await store.claim(one.id) is None


async def test_calls_begun_by_a_dead_worker_are_counted_for_the_next(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    claim = await store.claim(one.id)
    assert claim is not None
    await store.calling(one.id, claim.epoch, deadline_s=300)
    await next_claim(store, one)
    status = await store.load(one.id)
    assert status is not None
    assert (status.calls, status.epoch) == (1, 2)


async def test_a_cancelled_turn_cannot_be_finished(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.end(one.id, Outcome(TurnState.CANCELLED, words="Cancelled."))
    assert not await store.finish(one, claim.epoch, done())
    assert not await store.end(one.id, Outcome(TurnState.CANCELLED))


async def test_a_thread_is_read_in_order_and_whole(store: RedisTurnStore) -> None:
    root = turn()
    branches = [turn(parent=root), turn(parent=root, author=BEN)]
    for one in (root, *branches):
        await store.submit(one, [])
    assert [status.turn for status in await store.thread(root.thread)] == [root, *branches]


async def test_a_turn_comes_back_as_it_was_written(store: RedisTurnStore) -> None:
    one = turn(instruction="rotate 90°, „so“ 🙂")
    await store.submit(one, [])
    await run_to_end(store, one)
    status = await store.load(one.id)
    assert status is not None
    assert (status.turn, status.outcome, status.state) == (one, done(), TurnState.DONE)


async def test_a_worker_that_is_gone_counts_for_nothing(client: Redis) -> None:
    store = RedisTurnStore(client, retention_s=DAY)
    await store.announce("gone", slots=5)
    await store.announce("gone", slots=0)
    assert (await store.submit(turn(), [])).start == ()
