"""One turn at two workers: the first stood still, and the second has it by now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.turns import Outcome, TurnState
from bot.engines.exact import ExactEngine
from bot.ports import Engine
from storage.redis.keys import Keys
from tests.rig import CAT, Rig, living_in


@pytest.fixture
async def houses(redis_url: str, tmp_path: Path) -> AsyncIterator[tuple[Rig, Rig]]:
    """Two processes with the same pictures. Nothing runs by itself."""
    engines: dict[str, Engine] = {"exact": ExactEngine()}
    async with (
        living_in(redis_url, tmp_path, engines, working=False) as first,
        living_in(redis_url, tmp_path, engines, working=False) as second,
    ):
        yield first, second


class Held:
    """Holds a worker where it is about to commit."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.there, self.on = asyncio.Event(), asyncio.Event()
        self._finish = rig.house.turns.finish
        monkeypatch.setattr(rig.house.turns, "finish", self._held)

    async def _held(self, *args: Any) -> bool:
        self.there.set()
        await self.on.wait()
        return await self._finish(*args)


async def pixels(rig: Rig) -> set[str]:
    return {sha256 async for sha256, _ in rig.house.images.list()}


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_what_the_first_lets_go_of_stays_where_the_second_made_the_very_same(
    houses: tuple[Rig, Rig], redis_url: str, monkeypatch: pytest.MonkeyPatch, is_cancelled: bool
) -> None:
    first, second = houses
    asked = await first.says("flip it", [CAT])
    sent = await pixels(first)
    holds = [Held(rig, monkeypatch) for rig in houses]
    runs: list[asyncio.Task[None]] = []
    async with asyncio.timeout(30), Redis.from_url(redis_url) as client:
        for rig, held in zip(houses, holds, strict=True):
            runs.append(asyncio.create_task(rig.house.workshop.run(asked.turn)))
            await held.there.wait()
            await client.hdel(Keys().turn(asked.turn), "alive_until")  # it stood still for too long
        holds[0].on.set()
        await runs[0]
        if is_cancelled:
            await second.house.turns.end(asked.turn, Outcome(TurnState.CANCELLED))
        holds[1].on.set()
        await runs[1]
        for rig in houses:
            await rig.house.workshop.idle()
        status = await second.house.turns.load(asked.turn)
        assert status is not None
        assert status.outcome is not None
        assert status.state is (TurnState.CANCELLED if is_cancelled else TurnState.DONE)
        for image in status.outcome.images:
            assert await second.house.images.get(image.sha256)
        while is_cancelled and await pixels(first) != sent:
            await asyncio.sleep(0.05)
