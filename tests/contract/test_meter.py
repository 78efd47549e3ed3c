"""What the meter promises, against a real server: caps that roll, a book of what was used, and how models fare."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.refs import Sha256
from bot.domain.turns import Outcome, Turn, TurnState, Usage
from bot.ports import Bucket, ModelFacts, Retirement, UsageRow
from storage.redis.client import open_client
from storage.redis.erasure import RedisErasure
from storage.redis.images import RedisImageLedger
from storage.redis.meter import RedisMeter
from storage.redis.turns import RedisTurnStore
from tests.values import ANNA, done, image, turn

DAY = 24 * 3600
PERSON = Bucket("person:a", 100, 1000)
HOUSE = Bucket("house", 100, 1000)
ROLLING = Bucket("house:10m", 100, 1000, window_s=600)
QUICK = Bucket("house:now", 60, 100, window_s=1)
CALL = Usage(cost_microusd=33, input_tokens=500, output_tokens=1290, model="flash", calls=1)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def store(client: Redis) -> RedisTurnStore:
    store = RedisTurnStore(client, retention_s=90 * DAY, author_limit=9)
    await store.announce("worker", slots=9)
    return store


@pytest.fixture
def meter(client: Redis) -> RedisMeter:
    return RedisMeter(client)


async def held(meter: RedisMeter, *buckets: Bucket) -> list[int]:
    return list(await meter.reserved(buckets))


async def begun(store: RedisTurnStore, *buckets: Bucket, one: Turn | None = None) -> tuple[Turn, int]:
    one = one or turn()
    await store.submit(one, buckets)
    claim = await store.claim(one.id)
    assert claim is not None
    return one, claim.epoch


async def settle(store: RedisTurnStore, one: Turn) -> None:
    status = await store.load(one.id)
    assert status is not None
    await store.settle(status)


async def finished(store: RedisTurnStore, outcome: Outcome, *buckets: Bucket, one: Turn | None = None) -> Turn:
    one, epoch = await begun(store, *buckets, one=one)
    assert await store.finish(one, epoch, outcome)
    await settle(store, one)
    return one


def today() -> str:
    return datetime.now(UTC).date().isoformat()


# --- caps


async def test_a_rolling_cap_counts_what_was_taken_and_is_corrected_to_what_it_cost(
    store: RedisTurnStore, meter: RedisMeter
) -> None:
    one, epoch = await begun(store, ROLLING)
    assert await held(meter, ROLLING) == [100]
    await store.finish(one, epoch, done(cost_microusd=33))
    await settle(store, one)
    await settle(store, one)
    assert await held(meter, ROLLING) == [33]


async def test_a_rolling_cap_has_room_again_when_its_time_is_over_and_not_before(
    store: RedisTurnStore, meter: RedisMeter
) -> None:
    started = time.monotonic()
    await store.submit(turn(), [QUICK])
    assert (await store.submit(turn(), [QUICK])).full == QUICK.name
    while (await store.submit(turn(), [QUICK])).full:
        assert time.monotonic() < started + 5
        await asyncio.sleep(0.02)
    assert time.monotonic() - started >= 1
    assert await held(meter, QUICK) == [60]


@pytest.mark.parametrize("others", [[], [replace(QUICK, estimate=1)]], ids=["alone", "among others"])
async def test_a_cost_that_is_known_after_its_window_counts_when_it_is_known(
    store: RedisTurnStore, meter: RedisMeter, client: Redis, others: list[Bucket]
) -> None:
    one, epoch = await begun(store, QUICK)
    started = time.monotonic()
    while await held(meter, QUICK) != [0]:
        assert time.monotonic() < started + 5
        await asyncio.sleep(0.02)
    await meter.charge(others, key="meanwhile")
    await store.finish(one, epoch, done(cost_microusd=50))
    await settle(store, one)
    await settle(store, one)
    assert await held(meter, QUICK) == [50 + len(others)]
    assert await client.ttl("rb:{adm}:rolling:house:now") > 0


async def test_what_cost_nothing_takes_no_room_after_its_window(store: RedisTurnStore, meter: RedisMeter) -> None:
    one, epoch = await begun(store, QUICK)
    started = time.monotonic()
    while await held(meter, QUICK) != [0]:
        assert time.monotonic() < started + 5
        await asyncio.sleep(0.02)
    await store.finish(one, epoch, done())
    await settle(store, one)
    assert await held(meter, QUICK) == [0]


async def test_a_late_cost_counts_even_where_nobody_looked_at_the_cap_meanwhile(
    store: RedisTurnStore, meter: RedisMeter, client: Redis
) -> None:
    one, epoch = await begun(store, ROLLING)
    (slice_then,) = await client.hkeys("rb:{adm}:rolling:house:10m")
    long_ago = str(int(slice_then) - 30)
    await client.hdel("rb:{adm}:rolling:house:10m", slice_then)
    await client.hset("rb:{adm}:rolling:house:10m", long_ago, "100")
    await client.hset(f"rb:{{adm}}:turn:{one.id}", "buckets", f'[["house:10m",100,"{long_ago}",600]]')
    await store.finish(one, epoch, done(cost_microusd=33))
    await settle(store, one)
    assert await held(meter, ROLLING) == [33]


async def test_a_full_cap_of_any_kind_leaves_all_others_as_they_were(store: RedisTurnStore, meter: RedisMeter) -> None:
    small, small_rolling = replace(HOUSE, limit=99), replace(ROLLING, limit=99)
    assert (await store.submit(turn(), [PERSON, ROLLING, small])).full == "house"
    assert (await store.submit(turn(), [PERSON, HOUSE, small_rolling])).full == "house:10m"
    assert await meter.charge([PERSON, ROLLING, small], key="one") == "house"
    assert await held(meter, PERSON, HOUSE, ROLLING) == [0, 0, 0]


async def test_what_is_used_before_there_is_a_turn_is_charged_once(store: RedisTurnStore, meter: RedisMeter) -> None:
    buckets = [PERSON, HOUSE, ROLLING]
    assert await meter.charge([replace(each, estimate=7) for each in buckets], key="voice") == ""
    listened = Usage(cost_microusd=5, model="text", calls=1)
    spoken = done(cost_microusd=5 + 33)
    await finished(store, spoken, *buckets, one=replace(turn(), spent=listened))
    assert await held(meter, *buckets) == [40, 40, 40]


async def test_a_charge_that_comes_again_changes_nothing(meter: RedisMeter, client: Redis) -> None:
    buckets = [PERSON, HOUSE, ROLLING]
    assert [await meter.charge(buckets, key="voice") for _ in range(3)] == ["", "", ""]
    assert await held(meter, *buckets) == [100, 100, 100]
    assert await meter.charge(buckets, key="other voice") == ""
    assert await held(meter, *buckets) == [200, 200, 200]
    assert DAY - 5 < await client.ttl("rb:{adm}:charged:voice") <= DAY


async def test_a_charge_that_was_refused_may_be_tried_again(meter: RedisMeter) -> None:
    assert await meter.charge([HOUSE, replace(ROLLING, limit=99)], key="voice") == ROLLING.name
    assert await meter.charge([HOUSE, ROLLING], key="voice") == ""
    assert await held(meter, HOUSE, ROLLING) == [100, 100]


async def test_what_is_given_back_is_given_once_and_never_more_than_there_is(meter: RedisMeter) -> None:
    buckets = [PERSON, replace(ROLLING, limit=100)]
    await meter.charge(buckets, key="taken")
    for _ in range(2):
        assert await meter.charge([replace(each, estimate=-40) for each in buckets], key="back") == ""
    assert await held(meter, *buckets) == [60, 60]
    assert await meter.charge([replace(each, estimate=-500) for each in [*buckets, HOUSE]], key="all") == ""
    assert await held(meter, *buckets, HOUSE) == [0, 0, 0]


async def test_what_is_given_back_is_found_in_the_slices_where_it_was_taken(meter: RedisMeter) -> None:
    started = time.monotonic()
    taken = 0
    while time.monotonic() < started + 0.2:  # four slices of QUICK's second
        taken += 1
        assert await meter.charge([replace(QUICK, estimate=1, limit=10**6)], key=f"{taken}") == ""
    assert await meter.charge([replace(QUICK, estimate=-taken)], key="back") == ""
    assert await held(meter, QUICK) == [0]
    assert await meter.charge([QUICK], key="again") == ""
    assert await held(meter, QUICK) == [60]


async def test_many_at_once_never_take_more_than_there_is(
    store: RedisTurnStore, meter: RedisMeter, client: Redis
) -> None:
    await asyncio.gather(*(client.ping() for _ in range(16)))
    small = [replace(HOUSE, limit=500), replace(ROLLING, limit=350)]
    submitted = [store.submit(turn(), small) for _ in range(8)]
    charged = [meter.charge(small, key=f"{number}") for number in range(8)]
    turns, full = await asyncio.gather(asyncio.gather(*submitted), asyncio.gather(*charged))
    assert [*(each.full for each in turns), *full].count("") == 3
    assert await held(meter, *small) == [300, 300]


async def test_a_turn_whose_record_is_gone_keeps_its_estimates_and_frees_its_place(
    store: RedisTurnStore, meter: RedisMeter
) -> None:
    await store.announce("worker", slots=1)
    lost, waiting = turn(), turn()
    await store.submit(lost, [PERSON, ROLLING])
    await store.submit(waiting, [])
    assert await store.abandon(lost.id) == [waiting.id]
    assert await held(meter, PERSON, ROLLING) == [100, 100]
    assert await meter.used(days=1) == []


async def test_a_refusal_is_charged_to_the_house_alone(store: RedisTurnStore, meter: RedisMeter) -> None:
    chat = Bucket("chat:c", 100, 1000)
    await finished(store, Outcome(TurnState.REFUSED, usage=CALL), PERSON, chat, HOUSE, ROLLING)
    assert await held(meter, PERSON, chat, HOUSE, ROLLING) == [0, 33, 33, 33]


async def test_everything_that_is_counted_ends_by_itself(store: RedisTurnStore, client: Redis) -> None:
    month = replace(HOUSE, name="house:month:2026-11", life_s=40 * DAY)
    await finished(store, done(), HOUSE, month, ROLLING)
    counted = await client.keys("rb:{adm}:bucket:*") + await client.keys("rb:{adm}:[ru]*:*")
    lives = {str(key).removeprefix("rb:{adm}:"): await client.ttl(key) for key in counted}
    assert lives == {
        "bucket:house": 3 * DAY,
        "bucket:house:month:2026-11": 40 * DAY,
        "rolling:house:10m": 631,
        f"used:{today()}": 400 * DAY,
    }


# --- the book


async def test_a_turn_is_booked_under_the_model_that_made_it(store: RedisTurnStore, meter: RedisMeter) -> None:
    await finished(store, replace(done(image("a"), image("b")), usage=CALL))
    await finished(store, replace(done(), usage=replace(CALL, calls=2)))
    assert await meter.used(days=2) == [UsageRow(today(), "flash", 2, 3, 3, 1000, 2580, 66)]


async def test_an_exact_edit_is_booked_as_one_and_a_call_without_a_name_as_unknown(
    store: RedisTurnStore, meter: RedisMeter
) -> None:
    await finished(store, done())
    await finished(store, Outcome(TurnState.REFUSED, usage=Usage(cost_microusd=20, calls=1)))
    assert await meter.used(days=1) == [
        UsageRow(today(), "unknown", turns=1, calls=1, cost_microusd=20),
        UsageRow(today(), "exact", turns=1, images=1),
    ]


async def test_what_used_nothing_and_made_nothing_is_not_booked(store: RedisTurnStore, meter: RedisMeter) -> None:
    one = turn()
    await store.conclude(one, Outcome(TurnState.REFUSED, words="I found no picture."))
    await settle(store, one)
    assert await meter.used(days=1) == []


async def test_a_call_in_flight_is_booked_at_its_estimate(store: RedisTurnStore, meter: RedisMeter) -> None:
    one, epoch = await begun(store, HOUSE)
    await store.calling(one.id, epoch, "call 1")
    await store.end(one.id, Outcome(TurnState.CANCELLED))
    await settle(store, one)
    assert await meter.used(days=1) == [UsageRow(today(), "unknown", turns=1, calls=1, cost_microusd=100)]


@pytest.mark.parametrize("order", sorted(set(itertools.permutations(["submit", "settle", "settle", "deliver"]))))
async def test_in_whatever_order_things_are_repeated_a_turn_is_charged_and_booked_once(
    store: RedisTurnStore, meter: RedisMeter, client: Redis, order: tuple[str, ...]
) -> None:
    one = await finished(store, replace(done(), usage=CALL), PERSON, ROLLING)
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "submit": lambda: store.submit(one, [PERSON, ROLLING]),
        "settle": lambda: settle(store, one),
        "deliver": lambda: store.delivered(one.id),
    }
    for step in order:
        await steps[step]()
        await an_hour_passes(client)
    assert await held(meter, PERSON, ROLLING) == [33, 33]
    assert [(row.turns, row.cost_microusd) for row in await meter.used(days=1)] == [(1, 33)]


async def an_hour_passes(client: Redis) -> None:
    """For what admission knows of single turns."""
    for key in await client.keys("rb:{adm}:turn:*"):
        if await client.ttl(key) <= 3600:
            await client.delete(key)


async def test_of_sixteen_that_settle_at_once_one_books(
    store: RedisTurnStore, meter: RedisMeter, client: Redis
) -> None:
    await asyncio.gather(*(client.ping() for _ in range(16)))
    one, epoch = await begun(store, HOUSE, ROLLING)
    await store.finish(one, epoch, replace(done(), usage=CALL))
    await asyncio.gather(*(settle(store, one) for _ in range(16)))
    assert await held(meter, HOUSE, ROLLING) == [33, 33]
    assert [row.turns for row in await meter.used(days=1)] == [1]


async def test_a_turn_that_is_forgotten_later_is_not_booked_again(
    store: RedisTurnStore, meter: RedisMeter, client: Redis
) -> None:
    one = await finished(store, replace(done(), usage=CALL), HOUSE)
    await store.delivered(one.id)
    await an_hour_passes(client)
    await forget_anna(client, store)
    assert [(row.turns, row.calls) for row in await meter.used(days=1)] == [(1, 1)]


async def test_what_a_draft_cost_is_booked_when_its_turn_is_forgotten(
    store: RedisTurnStore, meter: RedisMeter, client: Redis
) -> None:
    one, epoch = await begun(store, HOUSE)
    await store.keep_draft(one, epoch, replace(done(), usage=CALL))
    await store.calling(one.id, epoch, "call 2")
    await forget_anna(client, store)
    assert [row.cost_microusd for row in await meter.used(days=1)] == [133]
    assert await held(meter, HOUSE) == [133]


class NoPixels:
    """Has nothing, so that there is nothing to delete."""

    async def delete(self, sha256: Sha256) -> None:
        assert sha256

    put: Any = None
    get: Any = None
    list: Any = None


async def forget_anna(client: Redis, store: RedisTurnStore) -> None:
    async def retract(*_: object) -> None:
        pass

    erasure = RedisErasure(client, store, RedisImageLedger(client, retention_s=DAY), NoPixels())
    await erasure.forget(ANNA, before=time.time(), retract=retract)


# --- models


async def test_the_time_that_pictures_take_is_told_by_model(meter: RedisMeter) -> None:
    for seconds in range(1, 11):
        await meter.took("models/flash image", seconds)
    await meter.took("pro", 31.5)
    assert await meter.models() == [
        ModelFacts("models/flash image", 10, 5.5, 9.0),
        ModelFacts("pro", 1, 31.5, 31.5),
    ]


async def test_only_the_last_pictures_count(meter: RedisMeter) -> None:
    for seconds in [100.0] * 5 + [2.0] * 200:
        await meter.took("flash", seconds)
    assert await meter.models() == [ModelFacts("flash", 200, 2.0, 2.0)]


async def test_what_the_maker_says_last_of_a_models_future_is_remembered(meter: RedisMeter, client: Redis) -> None:
    await meter.retiring(Retirement("old", "DEPRECATED"))
    await meter.retiring(Retirement("old", "DEPRECATED", "2027-01-15"))
    assert await meter.models() == [ModelFacts("old", retirement=Retirement("old", "DEPRECATED", "2027-01-15"))]
    await meter.took("old", 3)
    assert all([await client.ttl(key) > 0 for key in await client.keys("*")])
