"""The store's high-water mark."""

from __future__ import annotations

import secrets
from typing import Any, cast

from redis.asyncio import Redis

from bot.tide import Mark
from storage.redis.client import Script
from storage.redis.keys import Keys


class RedisTide:
    """A hash without an expiry: the store's own name, given when it was first used, and a number that only rises."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._rise = Script(client, "tide.lua")

    async def stands(self) -> Mark | None:
        """None where none was ever set: a store that is new, or empty."""
        found: Any = await cast(Any, self._client).hmget(self._keys.tide, "name", "mark")
        return Mark(str(found[0]), int(found[1])) if found[0] and found[1] else None

    async def rise(self, *, every_s: float, least: int = 0) -> Mark | None:
        """One higher, unless somebody did that less than `every_s` ago: None. Never below `least` again."""
        name, mark, risen = await self._rise([self._keys.tide], [secrets.token_hex(8), least, every_s])
        return Mark(str(name), int(mark)) if int(risen) else None
