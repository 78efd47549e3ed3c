"""What the makers of models allow, kept by all processes together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from redis.asyncio import Redis

from bot.ports import TICKET_LIFE_S, Bucket
from storage.redis.client import Script, bucket_args
from storage.redis.keys import Keys


class RedisTurnstile:
    """See `bot.ports.Turnstile`. The buckets are those of admission, in a slot of their own. Every key expires: whoever
    dies while waiting loses the place, and what was taken rolls out of its window."""

    def __init__(self, client: Redis, *, keys: Keys | None = None, life_s: float = TICKET_LIFE_S) -> None:
        self._client = client
        self._base = (keys or Keys()).calls
        self._life_s = life_s
        self._enter = Script(client, "_admission.lua", "enter.lua")
        self._shut = Script(client, "_admission.lua", "shut.lua")

    async def enter(self, model: str, ticket: str, buckets: Sequence[Bucket]) -> float:
        return float(await self._enter([self._base], [model, ticket, self._life_s, *bucket_args(buckets)]))

    async def leave(self, model: str, ticket: str) -> None:
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.zrem(f"{self._base}:line:{model}", ticket)
            pipe.zrem(f"{self._base}:seen:{model}", ticket)
            await pipe.execute()

    async def close(self, model: str, seconds: float) -> None:
        if seconds > 0:
            await self._shut([self._base], [model, math.ceil(seconds * 1000)])
