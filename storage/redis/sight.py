"""What processes tell of themselves, and what an operator sees of them all."""

from __future__ import annotations

import time

from redis.asyncio import Redis
from redis.exceptions import ReadOnlyError, ResponseError

from storage.redis.keys import Keys

_PROBE_LIFE_S = 60


class RedisSight:
    """`probe` says whether the server answers and takes writes."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()

    async def probe(self) -> str:
        """What is wrong with the server, in words without its address; empty for nothing."""
        try:
            await self._client.set(self._keys.sight("probe"), f"{time.time():.3f}", ex=_PROBE_LIFE_S)
        except ReadOnlyError:
            return "it is a replica, which takes no writes"
        except ResponseError:
            return "it takes no writes (its memory or its disk may be full)"
        return ""
