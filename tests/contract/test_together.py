"""What is asked side by side is asked in one trip, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from storage.redis.client import open_client
from storage.redis.together import ask_together
from tests.trips import trips


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    await client.mset({"one": "1", "two": "2", "three": "3"})
    yield client
    await client.aclose()


def get(pipe: Pipeline, *, name: str) -> object:
    return pipe.get(name)


def push(pipe: Pipeline) -> object:
    return pipe.lpush("one", "something")


async def nested(client: Redis, name: str) -> list[Any]:
    (answer,) = await asyncio.gather(ask_together(client, partial(get, name=name)))
    return answer


async def test_each_gets_its_own_answers_out_of_one_trip(client: Redis) -> None:
    with trips() as found:
        answers = await asyncio.gather(
            ask_together(client, partial(get, name="one"), partial(get, name="two")),
            ask_together(client),
            nested(client, "three"),
        )
    assert list(answers) == [["1", "2"], [], ["3"]]
    assert [each.commands for each in found] == [("get", "get", "get")]


async def test_what_is_asked_later_is_another_trip(client: Redis) -> None:
    with trips() as found:
        assert await ask_together(client, partial(get, name="one")) == ["1"]
        assert await ask_together(client, partial(get, name="two")) == ["2"]
    assert len(found) == 2


async def test_an_error_is_of_whoever_asked_for_it(client: Redis) -> None:
    found: list[Any] = await asyncio.gather(
        ask_together(client, partial(get, name="two"), push),
        ask_together(client, partial(get, name="one")),
        return_exceptions=True,
    )
    wrong, right = found
    assert isinstance(wrong, ResponseError)
    assert right == ["1"]


async def test_whoever_goes_away_takes_nobody_along(client: Redis) -> None:
    gone = asyncio.create_task(ask_together(client, partial(get, name="one")))
    stays = asyncio.create_task(ask_together(client, partial(get, name="two")))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == ["2"]
    assert gone.cancelled()


async def test_a_server_that_is_away_is_told_to_everybody() -> None:
    nowhere = Redis.from_url("redis://127.0.0.1:1/0")
    found = await asyncio.gather(
        *(ask_together(nowhere, partial(get, name=name)) for name in ("one", "two")), return_exceptions=True
    )
    assert all(isinstance(each, RedisConnectionError) for each in found)
    await nowhere.aclose()
