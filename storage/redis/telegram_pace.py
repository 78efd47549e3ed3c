"""How often Telegram may be asked, over all processes.

    {prefix}:telegram:{pace}:<lane>       list  when its last places are (µs), oldest first: as many as fit a window
    {prefix}:telegram:{pace}:<lane>:held  text  until when nothing goes through (µs)

Every key expires, when it does not matter any more. All lanes lie in one slot.
"""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from adapters.telegram.ports import Lane
from bot.ports import Clock
from storage.redis.client import Script
from storage.redis.keys import Keys


class RedisPace:
    """See `adapters.telegram.ports.Pace`. Windows slide exactly: each place is at least a whole window behind the one
    that is `most` places before it, and never before the last one that was given.

    `clock` in place of the server's own, for tests."""

    def __init__(self, client: Redis, *, keys: Keys | None = None, clock: Clock | None = None) -> None:
        self._keys = keys or Keys()
        self._clock = clock
        self._take = Script(client, "telegram_pace.lua")
        self._hold_back = Script(client, "telegram_hold_back.lua")

    async def take(
        self,
        lanes: Sequence[Lane],
        *,
        spare: int | None = None,
        longest_s: float | None = None,
        came: bool = False,
    ) -> float | None:
        if not lanes:
            return 0.0
        keys = [key for lane in lanes for key in self._both(lane.name)]
        args: list[str | int] = [
            "" if spare is None else spare,
            self._now(),
            "" if longest_s is None else _micros(longest_s),
            int(came),
        ]
        for lane in lanes:
            args += [lane.most, _micros(lane.window_s), int(lane.shared)]
        wait = await self._take(keys, args)
        return None if wait is None else int(wait) / 1e6

    async def hold_back(self, lane: str, seconds: float) -> None:
        if seconds > 0:
            await self._hold_back([self._both(lane)[1]], [_micros(seconds), self._now()])

    def _both(self, lane: str) -> list[str]:
        key = self._keys.telegram_lane(lane)
        return [key, f"{key}:held"]

    def _now(self) -> str | int:
        return "" if self._clock is None else _micros(self._clock())


def _micros(seconds: float) -> int:
    return round(seconds * 1e6)
