"""What people want of all their pictures."""

from __future__ import annotations

import time
from typing import Any

from redis.asyncio import Redis

from bot.domain.refs import UserRef
from storage.redis.keys import Keys

TASTE_LIFE_S = 400 * 24 * 3600
"""It should not lapse because somebody was away for a season."""


class RedisTasteStore:
    """One hash per person: the `words`, and when they were said (`at`, s). It lives `TASTE_LIFE_S` from when it was
    used last."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()

    async def taste(self, person: UserRef) -> str:
        key = self._keys.taste(person)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hget(key, "words")
            pipe.expire(key, TASTE_LIFE_S)
            found: list[Any] = await pipe.execute()
        return str(found[0] or "")

    async def keep(self, person: UserRef, taste: str) -> None:
        key = self._keys.taste(person)
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            if taste:
                pipe.hset(key, mapping={"words": taste, "at": str(time.time())})
                pipe.expire(key, TASTE_LIFE_S)
            await pipe.execute()

    async def forget(self, person: UserRef, before: float) -> None:
        """What they said up to that time."""
        key = self._keys.taste(person)
        at: Any = await self._client.hget(key, "at")
        if at is not None and float(at) <= before:
            await self._client.delete(key)
