"""How fast Discord is asked."""

from __future__ import annotations

import asyncio

import pytest

from adapters.discord.pace import Pace


async def times_of(pace: Pace, count: int) -> list[float]:
    """When each of so many that come at once was let through."""
    passed: list[float] = []

    async def one() -> None:
        await pace.turn()
        passed.append(asyncio.get_running_loop().time())

    await asyncio.gather(*(one() for _ in range(count)))
    return passed


async def test_what_comes_at_once_is_spread_over_the_windows() -> None:
    passed = await times_of(Pace(4, window_s=0.05), 14)
    later = [b - a for a, b in zip(passed, passed[4:], strict=False)]
    assert len(later) == 10
    assert min(later) > 0.045


async def test_who_asks_seldom_never_waits() -> None:
    pace = Pace(3, window_s=3600)
    async with asyncio.timeout(5):
        assert len(await times_of(pace, 3)) == 3


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    pace = Pace(1, window_s=0.1)
    await pace.turn()
    waiting = asyncio.create_task(pace.turn())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await waiting
    async with asyncio.timeout(5):
        await pace.turn()
