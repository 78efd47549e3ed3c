"""How long an outage of a store is waited for, and what counts as one."""

from __future__ import annotations

import asyncio
import time

import pytest
from redis.exceptions import BusyLoadingError, ReadOnlyError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from bot.app import PATIENCE
from bot.ending import end
from bot.patience import BRIEF, NOTING, PAID, READING, Bounds, Patience
from storage.objects.store import StoreUnavailable
from storage.redis.client import is_outage

AWAY = RedisConnectionError("away")


class Store:
    """Raises `error` for `away_s`, then answers."""

    def __init__(self, error: Exception, away_s: float = 1e9) -> None:
        self.error, self.until, self.asked = error, time.monotonic() + away_s, 0

    async def answer(self) -> str:
        self.asked += 1
        if time.monotonic() < self.until:
            raise self.error
        return "here"


def a_minute_is_a_hundredth() -> Patience:
    return Patience(is_outage, pace=1 / 6000)


async def test_what_is_paid_for_is_held_through_a_quarter_of_an_hour() -> None:
    assert await a_minute_is_a_hundredth().through(Store(AWAY, 0.12).answer, PAID) == "here"
    assert PAID.outage_s == 900


@pytest.mark.parametrize("bounds", [BRIEF, NOTING])
async def test_the_rest_is_waited_for_a_minute(bounds: Bounds) -> None:
    began = time.monotonic()
    with pytest.raises(RedisConnectionError):
        await a_minute_is_a_hundredth().through(Store(AWAY).answer, bounds)
    assert time.monotonic() - began < 0.12


@pytest.mark.parametrize("error", [KeyError("gone"), ValueError("wrong")])
async def test_what_is_no_outage_is_not_read_again(error: Exception) -> None:
    store = Store(error)
    with pytest.raises(type(error)):
        await a_minute_is_a_hundredth().through(store.answer, READING)
    assert store.asked == 1


async def test_what_is_wrong_with_a_result_does_not_hold_it_for_long() -> None:
    began = time.monotonic()
    with pytest.raises(ValueError, match="wrong"):
        await a_minute_is_a_hundredth().through(Store(ValueError("wrong")).answer, PAID)
    assert time.monotonic() - began < 0.12


async def test_whoever_is_asked_to_end_does_not_wait_though_the_asking_was_swallowed() -> None:
    asked = asyncio.Event()

    async def swallows() -> None:
        try:
            asked.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise AWAY from None

    task = asyncio.create_task(Patience(is_outage).through(swallows, PAID))
    await asked.wait()
    await end(task, patience_s=0.2)
    assert task.cancelled()


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (AWAY, True),
        (BusyLoadingError("LOADING"), True),
        (ReadOnlyError("READONLY"), True),
        (ResponseError("MISCONF Valkey is configured to save, but cannot"), True),
        (StoreUnavailable("There is no room left for pictures."), True),
        (ConnectionRefusedError(), True),
        (ResponseError("WRONGTYPE"), False),
        (OSError("image file is truncated"), False),
        (KeyError("gone"), False),
    ],
)
def test_an_outage_is_told_from_what_is_wrong(error: Exception, away: bool) -> None:
    assert PATIENCE.is_outage(error) is away
