"""How long images live that are used, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.domain.images import ImageFacts
from bot.domain.refs import Sha256
from storage.redis.client import open_client
from storage.redis.images import RedisImageLedger
from storage.redis.keys import Keys
from tests.trips import trips

LIFE_S = 90 * 24 * 3600
DAY_S = 24 * 3600


def facts(letter: str) -> ImageFacts:
    return ImageFacts(Sha256(letter * 64), "image/png", 8, 8, 100, has_alpha=False)


USED, SHOWN, MADE = facts("a"), facts("b"), facts("c")


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def ledger(client: Redis) -> RedisImageLedger:
    return RedisImageLedger(client, retention_s=LIFE_S)


def keys_of(image: ImageFacts) -> list[str]:
    keys = Keys()
    return [keys.image(image.sha256), keys.image_holders(image.sha256)]


async def age(client: Redis, by_s: int) -> None:
    async for key in client.scan_iter():
        await client.expire(key, LIFE_S - by_s)


async def test_what_is_used_lives_on_with_what_was_made_of_it(client: Redis, ledger: RedisImageLedger) -> None:
    await ledger.keep("turn:1", [(USED, SHOWN)], target="page")
    await age(client, 2 * DAY_S)
    await ledger.keep("turn:2", [(MADE, MADE)], target="page", renew=[USED])
    for key in (*keys_of(USED), Keys().image_renditions(USED.sha256), *keys_of(SHOWN)):
        assert await client.ttl(key) > LIFE_S - 60, key


async def test_what_was_used_within_a_day_costs_no_trip_of_its_own(client: Redis, ledger: RedisImageLedger) -> None:
    await ledger.keep("turn:1", [(USED, SHOWN)], target="page")
    await age(client, DAY_S // 4)
    with trips() as found:
        await ledger.keep("turn:2", [(MADE, MADE)], target="page", renew=[USED])
    assert len(found) == 1
    # Neither: were one renewed without the other, what was made of it would be gone before it one day.
    for key in (*keys_of(USED), *keys_of(SHOWN)):
        assert await client.ttl(key) <= LIFE_S - DAY_S // 4, key


async def test_what_is_being_deleted_is_waited_for_before_it_is_stored_again(ledger: RedisImageLedger) -> None:
    await ledger.keep("turn:1", [(USED, USED)], target="page")
    gone = await ledger.release("turn:1", [USED])
    assert gone == [USED.sha256]
    again = [
        asyncio.create_task(ledger.keep("turn:2", [(USED, USED)], target="page")),
        asyncio.create_task(ledger.remember(MADE, "page", USED)),
    ]
    await asyncio.sleep(0.1)
    assert not any(each.done() for each in again)
    await ledger.deleted(gone)
    await asyncio.gather(*again)
