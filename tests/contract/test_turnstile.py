"""What is promised of the allowances of models, over several clients on a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.calls import Fenced
from bot.domain.errors import EngineUnavailable
from bot.gate import Gate, needed
from bot.ports import Allowance, Bucket
from storage.redis.client import open_client
from storage.redis.turnstile import RedisTurnstile

TWO = [Bucket("flash:requests", 1, 2, window_s=60)]
QUICK = [Bucket("flash:requests", 1, 2, window_s=1)]


@pytest.fixture
async def clients(redis_url: str) -> AsyncIterator[list[Redis]]:
    clients = [open_client(redis_url) for _ in range(3)]
    await asyncio.gather(*(each.ping() for each in clients))
    yield clients
    for each in clients:
        await each.aclose()


@pytest.fixture
def turnstiles(clients: list[Redis]) -> list[RedisTurnstile]:
    """One for each process."""
    return [RedisTurnstile(each) for each in clients]


async def test_all_processes_together_make_no_more_calls_than_allowed(turnstiles: list[RedisTurnstile]) -> None:
    waits = await asyncio.gather(*(turnstiles[n % 3].enter("flash", f"t{n}", TWO) for n in range(12)))
    assert sorted(waits)[:2] == [0, 0]
    assert all(40 < each < 400 for each in sorted(waits)[2:])


async def test_a_model_without_known_limits_lets_everybody_in(turnstiles: list[RedisTurnstile]) -> None:
    assert [await turnstiles[0].enter("flash", f"t{n}", []) for n in range(9)] == [0] * 9


async def test_each_model_has_an_allowance_of_its_own(turnstiles: list[RedisTurnstile]) -> None:
    waits = [await turnstiles[0].enter("flash", f"t{n}", TWO) for n in range(3)]
    assert waits[2] > 0
    assert await turnstiles[0].enter("pro", "t9", [Bucket("pro:requests", 1, 2, window_s=60)]) == 0


async def test_a_call_waits_for_as_long_as_it_was_told_and_then_goes(turnstiles: list[RedisTurnstile]) -> None:
    for n in range(2):
        await turnstiles[n].enter("flash", f"t{n}", QUICK)
    told, began = await turnstiles[2].enter("flash", "t2", QUICK), time.monotonic()
    while await turnstiles[2].enter("flash", "t2", QUICK):
        assert time.monotonic() - began < told + 0.2
        await asyncio.sleep(0.01)
    assert time.monotonic() - began > told - 0.1


async def test_who_came_first_goes_first_whoever_asks_more_often(turnstiles: list[RedisTurnstile]) -> None:
    for n in range(2):
        await turnstiles[0].enter("flash", f"t{n}", QUICK)
    first = await turnstiles[0].enter("flash", "first", QUICK)
    later = [f"later{n}" for n in range(2)]
    went: list[str] = []
    deadline = time.monotonic() + 10
    while len(went) < 3 and first:
        assert time.monotonic() < deadline
        for ticket in (*later, "first"):
            if ticket not in went and await turnstiles[1].enter("flash", ticket, QUICK) == 0:
                went.append(ticket)
        await asyncio.sleep(0.01)
    assert "first" in went[:2]


async def test_who_died_in_line_keeps_nobody_waiting(clients: list[Redis]) -> None:
    short = RedisTurnstile(clients[0], life_s=0.2)
    one = [Bucket("flash:requests", 1, 1, window_s=1)]
    await short.enter("flash", "went", one)
    await short.enter("flash", "died", one)
    assert await clients[0].zcard("rb:{models}:line:flash") == 1
    deadline = time.monotonic() + 5
    while await short.enter("flash", "lives", one):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert await clients[0].zcard("rb:{models}:line:flash") == 0


async def test_who_leaves_the_line_keeps_nobody_waiting(turnstiles: list[RedisTurnstile]) -> None:
    for n in range(3):
        await turnstiles[0].enter("flash", f"t{n}", TWO)
    before = await turnstiles[1].enter("flash", "next", TWO)
    late = await turnstiles[1].enter("flash", "late", TWO)
    await turnstiles[0].leave("flash", "t2")
    await turnstiles[0].leave("flash", "next")
    assert await turnstiles[1].enter("flash", "late", TWO) <= before < late


async def test_a_model_whose_maker_asked_for_patience_is_closed_for_all(turnstiles: list[RedisTurnstile]) -> None:
    await turnstiles[0].close("flash", 30)
    await turnstiles[1].close("flash", 2)
    assert 28 < await turnstiles[2].enter("flash", "t", TWO) <= 30
    assert await turnstiles[2].enter("pro", "t", []) == 0


async def test_a_closed_model_opens_by_itself(turnstiles: list[RedisTurnstile]) -> None:
    await turnstiles[0].close("flash", 0.2)
    deadline = time.monotonic() + 5
    assert await turnstiles[1].enter("flash", "t", []) > 0
    while await turnstiles[1].enter("flash", "t", []):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_every_key_expires(turnstiles: list[RedisTurnstile], clients: list[Redis]) -> None:
    for n in range(3):
        await turnstiles[0].enter("flash", f"t{n}", TWO)
    await turnstiles[0].close("pro", 5)
    ttls = [await clients[0].ttl(key) for key in await clients[0].keys("rb:*")]
    assert len(ttls) == 4
    assert all(0 < each <= 100 for each in ttls)


# --- the gate


async def test_who_would_wait_too_long_is_told_for_how_long_and_leaves_the_line(
    turnstiles: list[RedisTurnstile], clients: list[Redis]
) -> None:
    await turnstiles[0].close("flash", 110)
    with pytest.raises(EngineUnavailable) as caught:
        await Gate(turnstiles[1]).enter("flash", Allowance(), pictures=1, ticket="t", patience_s=60)
    assert "in about 2 minutes" in caught.value.words
    assert not caught.value.maybe_billed
    assert await clients[0].exists("rb:{models}:line:flash") == 0


async def test_who_waits_shows_life_meanwhile(turnstiles: list[RedisTurnstile]) -> None:
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(seconds)

    await turnstiles[0].close("flash", 0.3)
    await Gate(turnstiles[1]).enter("flash", Allowance(), pictures=1, ticket="t", patience_s=60, wait=wait)
    assert 0.2 < sum(waited) < 2


async def test_who_is_taken_away_while_waiting_leaves_the_line(
    turnstiles: list[RedisTurnstile], clients: list[Redis]
) -> None:
    async def wait(_: float) -> None:
        raise Fenced

    await turnstiles[0].close("flash", 9)
    with pytest.raises(Fenced):
        await Gate(turnstiles[1]).enter("flash", Allowance(), pictures=1, ticket="t", patience_s=60, wait=wait)
    assert await clients[0].exists("rb:{models}:line:flash") == 0


def test_a_call_takes_of_all_that_its_maker_counts() -> None:
    allowance = Allowance(10, 8, 5000, 250, request_tokens=1000, picture_tokens=500)
    assert [(each.name, each.estimate, each.limit, each.window_s) for each in needed("m", allowance, pictures=2)] == [
        ("m:requests", 1, 10, 60),
        ("m:images", 1, 8, 60),
        ("m:tokens", 2000, 5000, 60),
        ("m:day", 1, 250, 86400),
    ]
    assert needed("m", Allowance(request_tokens=1000), pictures=2) == []
    assert needed("m", Allowance(minute_tokens=300, request_tokens=1000), pictures=0)[0].estimate == 300
