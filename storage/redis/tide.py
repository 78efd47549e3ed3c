"""The store's high-water mark."""

from __future__ import annotations

import secrets

from redis.asyncio import Redis

from bot.tide import Mark
from storage.redis.client import Script
from storage.redis.keys import Keys


class RedisTide:
    """A hash without an expiry: the store's own name, given when it was first used, and a number that only rises."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._keys = keys or Keys()
        self._rise = Script(client, "tide.lua")

    async def rise(self, *, every_s: float, least: int) -> tuple[Mark, int | None]:
        name, stood, risen = await self._rise([self._keys.tide], [secrets.token_hex(8), least, every_s])
        return Mark(str(name), int(stood)), int(risen) or None
