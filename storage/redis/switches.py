"""What an operator turned off, seen by every process at its next call."""

from __future__ import annotations

from redis.asyncio import Redis

from storage.redis.keys import Keys


class RedisSwitches:
    """A set of the engines that are off."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()

    async def is_on(self, engine: str) -> bool:
        return not await self._client.sismember(self._keys.switches, engine)

    async def turn(self, engine: str, *, on: bool) -> None:
        if on:
            await self._client.srem(self._keys.switches, engine)
        else:
            await self._client.sadd(self._keys.switches, engine)
