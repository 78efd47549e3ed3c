"""Which results are shared, and by which links.

    {prefix}:{<thread>}:shares:<turn>   hash  digest of a link's secret → what is shared; "<digest>:also" → the others
    {prefix}:share:<digest>             text  "<turn> <digest of the link's secret>"

Secrets are random and kept as SHA-256 alone: whoever reads the database learns no link. A share holds where both of its
keys say so; it ends with the first.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from redis.asyncio import Redis

from bot.domain.refs import TurnId
from bot.domain.sharing import Share
from storage.redis.codec import SHARE
from storage.redis.keys import Keys

LIFE_S: Final = 2 * 365 * 24 * 3600
"""Begins anew whenever somebody looks. What is shared is usually gone before."""


class RedisShareStore:
    """See `bot.ports.ShareStore`."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()

    async def keep(self, share: Share, *secrets: str) -> None:
        first, *others = (_digest(secret) for secret in secrets)
        key = self._keys.shares(share.turn)
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={first: SHARE.dump(share), f"{first}:also": " ".join(others)})
            pipe.expire(key, LIFE_S)
            await pipe.execute()
        async with self._client.pipeline(transaction=False) as pipe:
            for digest in (first, *others):
                pipe.set(self._keys.share(digest), f"{share.turn} {first}", ex=LIFE_S)
            await pipe.execute()

    async def find(self, secret: str) -> Share | None:
        pointer = self._keys.share(_digest(secret))
        leads_to: Any = await self._client.get(pointer)
        if leads_to is None:
            return None
        turn, first = str(leads_to).split(" ")
        key = self._keys.shares(TurnId(turn))
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hget(key, first)
            pipe.expire(key, LIFE_S)
            pipe.expire(pointer, LIFE_S)
            text: Any = (await pipe.execute())[0]
        return SHARE.load(text) if text is not None else None

    async def end(self, turn: TurnId) -> bool:
        key = self._keys.shares(turn)
        fields: Any = await self._client.hgetall(key)
        digests = [name for field, value in fields.items() if field.endswith(":also") for name in str(value).split()]
        digests += [str(field) for field in fields if not field.endswith(":also")]
        # First what makes it hold: what is left by a crash then leads nowhere.
        await self._client.delete(key)
        for digest in digests:
            await self._client.delete(self._keys.share(digest))
        return bool(fields)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
