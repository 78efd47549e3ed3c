"""What the store of turns promises of limits and of fairness, by the real scripts on a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.budget import HourTurns
from bot.domain.refs import ChatRef, Person, ServerRef, TurnId, UserRef
from bot.domain.turns import Hold, Outcome, Turn, TurnState, Usage
from bot.ports import Bucket, Submitted
from storage.redis.client import open_client
from storage.redis.meter import RedisMeter
from storage.redis.turns import RedisTurnStore
from tests.values import ANNA, BEN, CHAT, done, turn

DAY = 24 * 3600
OTHER_CHAT = ChatRef("web", "page", "garden")
SERVER = ServerRef("discord", "bot", "guild")
ONE_AN_HOUR = HourTurns(person=1)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


async def opened(
    client: Redis, *, slots: int, chat_limit: int = 0, server_limit: int = 0, house_limit: int = 0
) -> RedisTurnStore:
    store = RedisTurnStore(
        client,
        retention_s=90 * DAY,
        author_limit=99,
        chat_limit=chat_limit,
        server_limit=server_limit,
        house_limit=house_limit,
    )
    await store.announce("worker", slots=slots)
    return store


@pytest.fixture
async def store(client: Redis) -> RedisTurnStore:
    return await opened(client, slots=9)


def person(number: int) -> UserRef:
    return UserRef("web", f"person{number}")


def of(author: UserRef, *, chat: ChatRef = CHAT, server: ServerRef | None = None) -> Turn:
    return replace(turn(author=author), chat=chat, server=server)


async def submitted(store: RedisTurnStore, turns: Sequence[Turn]) -> list[TurnId]:
    """Those that may run at once."""
    return [id_ for one in turns for id_ in (await store.submit(one, [])).start]


async def ended(
    store: RedisTurnStore, id_: TurnId, outcome: Outcome | None = None, *, called: bool = False
) -> list[TurnId]:
    """Run to its end. Gives those that may run now."""
    claim = await store.claim(id_)
    assert claim is not None
    if called:
        await store.calling(id_, claim.epoch, "call 1")
    assert await store.finish(claim.status.turn, claim.epoch, outcome or done())
    status = await store.load(id_)
    assert status is not None
    return list(await store.settle(status))


async def order_of(store: RedisTurnStore, running: Sequence[TurnId]) -> list[TurnId]:
    """All that runs and waits, in the order in which it is let run, when whatever began first ends first."""
    order = list(running)
    for id_ in order:
        order += await ended(store, id_)
    return order


async def holds(store: RedisTurnStore, one: Turn) -> frozenset[Hold]:
    status = await store.load(one.id)
    assert status is not None
    return status.holds


async def counted(client: Redis, limits: HourTurns, one: Turn) -> list[int]:
    return list(await RedisMeter(client).reserved(limits.buckets("ai", one)))


# --- so many within an hour

EVERYWHERE = HourTurns(person=9, chat=9, server=9, house=9)
HERS = of(ANNA, server=SERVER)
REFUSED = Outcome(TurnState.REFUSED, code="refused", words="No.")


async def test_who_has_asked_for_enough_within_the_hour_is_told_when_it_goes_on(store: RedisTurnStore) -> None:
    one, two = turn(), turn()
    assert (await store.submit(one, ONE_AN_HOUR.buckets("ai", one))).start == (one.id,)
    refused = await store.submit(two, ONE_AN_HOUR.buckets("ai", two))
    assert refused.full == "turns:person:web:anna:ai"
    assert refused.free_in_s is not None
    assert 3600 <= refused.free_in_s <= 3780


async def test_the_time_that_is_told_is_when_there_is_room_again(store: RedisTurnStore) -> None:
    quick = [Bucket("turns:person:a:ai", 1, 2, window_s=1)]
    await store.submit(turn(), quick)
    await store.submit(turn(), quick)
    full = await store.submit(turn(), quick)
    told, began = full.free_in_s, time.monotonic()
    assert told is not None
    while (await store.submit(turn(), quick)).full:
        assert time.monotonic() - began < told + 0.1
        await asyncio.sleep(0.01)
    assert time.monotonic() - began > told - 0.1


async def test_a_bucket_that_does_not_roll_does_not_say_when_it_has_room(store: RedisTurnStore) -> None:
    full = await store.submit(turn(), [Bucket("house:day", 60, 50)])
    assert full == Submitted(full="house:day", free_in_s=None)


async def test_what_was_refused_for_want_of_room_is_not_counted_and_others_go_on(
    store: RedisTurnStore, client: Redis
) -> None:
    limits = HourTurns(person=1, chat=5)
    turns = [of(ANNA), of(ANNA), of(ANNA), of(BEN)]
    answers = [await store.submit(each, limits.buckets("ai", each)) for each in turns]
    assert [each.full for each in answers] == ["", *["turns:person:web:anna:ai"] * 2, ""]
    assert await counted(client, limits, turns[-1]) == [1, 2]


async def test_ai_edits_and_exact_ones_are_counted_apart(store: RedisTurnStore) -> None:
    for kind in ("ai", "exact"):
        one = turn()
        assert (await store.submit(one, ONE_AN_HOUR.buckets(kind, one))).start == (one.id,)


async def test_a_repeat_is_counted_once(store: RedisTurnStore, client: Redis) -> None:
    await asyncio.gather(*(store.submit(HERS, EVERYWHERE.buckets("ai", HERS)) for _ in range(8)))
    assert await counted(client, EVERYWHERE, HERS) == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("outcome", "called", "left"),
    [
        (done(), True, [1, 1, 1, 1]),
        (done(), False, [1, 1, 1, 1]),
        (Outcome(TurnState.ASKING), True, [1, 1, 1, 1]),
        (REFUSED, False, [0, 0, 0, 0]),
        (replace(REFUSED, usage=Usage(20, calls=1)), True, [0, 1, 1, 1]),
        (Outcome(TurnState.FAILED), False, [0, 0, 0, 0]),
    ],
)
async def test_a_turn_counts_for_whoever_got_something_and_for_all_where_the_model_was_asked(
    store: RedisTurnStore, client: Redis, outcome: Outcome, called: bool, left: list[int]
) -> None:
    one = of(ANNA, server=SERVER)
    await store.submit(one, EVERYWHERE.buckets("ai", one))
    await ended(store, one.id, outcome, called=called)
    assert await counted(client, EVERYWHERE, one) == left


@pytest.mark.parametrize(("called", "left"), [(False, 0), (True, 1)])
async def test_a_cancelled_turn_counts_where_the_model_was_asked(
    store: RedisTurnStore, client: Redis, called: bool, left: int
) -> None:
    one = of(ANNA, server=SERVER)
    await store.submit(one, EVERYWHERE.buckets("ai", one))
    claim = await store.claim(one.id)
    assert claim is not None
    assert not called or await store.calling(one.id, claim.epoch, "call 2")
    await store.end(one.id, Outcome(TurnState.CANCELLED))
    status = await store.load(one.id)
    assert status is not None
    await store.settle(status)
    await store.settle(status)
    assert await counted(client, EVERYWHERE, one) == [left] * 4


async def test_who_waits_for_consent_is_counted_with_the_last_yes(store: RedisTurnStore, client: Redis) -> None:
    one = replace(turn(author=BEN), asks=(Person(ANNA, "Anna"),))
    await store.submit(one, ONE_AN_HOUR.buckets("ai", one))
    assert await counted(client, ONE_AN_HOUR, one) == [0]
    assert (await store.agree(one.id, ANNA, ONE_AN_HOUR.buckets("ai", one))).start == (one.id,)
    assert await counted(client, ONE_AN_HOUR, one) == [1]


async def test_an_older_version_settles_no_money_into_what_counts_turns(store: RedisTurnStore, client: Redis) -> None:
    one = of(ANNA)
    await store.submit(one, [*ONE_AN_HOUR.buckets("ai", one), Bucket("house", 100, 1000)])
    assert await client.hget(f"rb:{{adm}}:turn:{one.id}", "buckets") == '[["house",100]]'


# --- so many at once


@pytest.mark.parametrize(
    ("limits", "hold"),
    [({"chat_limit": 2}, Hold.CHAT), ({"server_limit": 2}, Hold.SERVER), ({"house_limit": 2}, Hold.SLOT)],
)
async def test_no_more_run_at_once_than_allowed_and_the_others_wait(
    client: Redis, limits: dict[str, int], hold: Hold
) -> None:
    store = await opened(client, slots=9, **limits)
    turns = [of(person(number), server=SERVER) for number in range(4)]
    running = await submitted(store, turns)
    assert running == [turns[0].id, turns[1].id]
    assert await holds(store, turns[2]) == {hold}
    assert await ended(store, running[0]) == [turns[2].id]


async def test_a_full_chat_holds_up_neither_other_chats_nor_its_people_elsewhere(client: Redis) -> None:
    store = await opened(client, slots=9, chat_limit=1)
    first, waits, elsewhere = of(ANNA), of(ANNA), of(ANNA, chat=OTHER_CHAT)
    assert await submitted(store, [first, waits, elsewhere]) == [first.id, elsewhere.id]
    assert await ended(store, first.id) == [waits.id]


async def test_what_a_lost_worker_left_running_still_counts_until_it_is_settled(client: Redis) -> None:
    store = await opened(client, slots=9, chat_limit=1)
    one, two = of(ANNA), of(BEN)
    assert await submitted(store, [one, two]) == [one.id]
    assert await store.announce("another", slots=9) == []
    assert await store.abandon(one.id) == [two.id]


# --- one after the other


async def test_one_person_who_floods_does_not_delay_another(client: Redis) -> None:
    store = await opened(client, slots=1)
    flood = [of(ANNA) for _ in range(200)]
    running = await submitted(store, flood)
    other = of(BEN)
    assert (await store.submit(other, [])).position == 2
    for _ in range(2):
        running += await ended(store, running[-1])
    assert running == [flood[0].id, flood[1].id, other.id]


async def test_people_take_turns_whatever_they_have_waiting(client: Redis) -> None:
    store = await opened(client, slots=1)
    turns = [of(person(number)) for number in (1, 1, 1, 1, 2, 2, 3)]
    order = await order_of(store, await submitted(store, turns))
    assert [turns[i].id for i in (0, 1, 4, 6, 2, 5, 3)] == order


async def test_who_has_a_weight_goes_so_many_times_in_a_round(client: Redis) -> None:
    store = await opened(client, slots=1)
    await store.weigh(ANNA, 3)
    first, hers, his = of(person(1)), [of(ANNA) for _ in range(5)], [of(BEN) for _ in range(3)]
    running = await submitted(store, [first, *hers, *his])
    order = await order_of(store, running)
    assert order[1:] == [each.id for each in (*hers[:3], his[0], *hers[3:], *his[1:])]


async def test_a_weight_is_taken_back_by_one(client: Redis) -> None:
    store = await opened(client, slots=1)
    await store.weigh(ANNA, 3)
    assert await store.weights() == {ANNA: 3}
    await store.weigh(ANNA, 1)
    assert await store.weights() == {}


async def test_a_chat_full_of_accounts_leaves_half_of_the_slots_to_others(client: Redis) -> None:
    store = await opened(client, slots=4)
    flood = [of(person(number)) for number in range(60)]
    running = await submitted(store, flood)
    assert len(running) == 4
    others = [of(person(100 + number), chat=OTHER_CHAT) for number in range(3)]
    await submitted(store, others)
    started = [id_ for one in running for id_ in await ended(store, one)]
    assert started == [others[0].id, others[1].id, flood[4].id, flood[5].id]


async def test_who_is_passed_over_for_a_full_chat_keeps_their_place_in_the_line(client: Redis) -> None:
    store = await opened(client, slots=2)
    # Half of the slots for this chat, and two floods: one here, one elsewhere.
    first, elsewhere = await submitted(store, [of(person(1)), of(person(2), chat=OTHER_CHAT)])
    waiting = of(ANNA)
    await submitted(store, [waiting])
    await submitted(store, [of(person(2), chat=OTHER_CHAT) for _ in range(6)] + [of(person(1)) for _ in range(6)])
    began: list[TurnId] = []
    for _ in range(4):
        (elsewhere,) = await ended(store, elsewhere)
        (first,) = await ended(store, first)
        began.append(first)
    assert began[0] == waiting.id


async def test_no_slot_stays_empty_for_the_sake_of_fairness(client: Redis) -> None:
    store = await opened(client, slots=8)
    assert len(await submitted(store, [of(person(number)) for number in range(20)])) == 8


@pytest.mark.parametrize("weights", [{}, {1: 2, 3: 4}])
async def test_the_position_that_is_told_is_the_place_in_which_it_is_let_run(
    client: Redis, weights: dict[int, int]
) -> None:
    store = await opened(client, slots=1)
    for number, weight in weights.items():
        await store.weigh(person(number), weight)
    turns = [of(person(number)) for number in (9, 1, 1, 1, 2, 3, 2, 3, 3, 1, 2, 4, 3, 3)]
    running = await submitted(store, turns)
    for _ in range(4):
        told = {one.id: await store.position(one.id) for one in turns}
        (next_,) = await ended(store, running[-1])
        assert told[next_] == 1
        running.append(next_)
    told = {one.id: await store.position(one.id) for one in turns}
    order = (await order_of(store, running[-1:]))[1:]
    assert [told[id_] for id_ in order] == list(range(1, len(order) + 1))


async def test_every_key_that_is_written_expires_or_stands_on_the_list(client: Redis) -> None:
    store = await opened(client, slots=1)
    await store.weigh(ANNA, 3)
    await submitted(store, [of(ANNA) for _ in range(3)])
    one = of(BEN)
    await store.submit(one, EVERYWHERE.buckets("ai", one))
    keys: list[Any] = await client.keys("rb:{adm}:*")
    ttls = {str(key): await client.ttl(key) for key in keys}
    assert {key.split(":")[2] for key, ttl in ttls.items() if ttl < 0} == {
        *("admitted", "open", "ready", "ring", "slots", "under_way", "weights")
    }
