"""The language that each person reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from bot.domain.refs import UserRef
from storage.redis.keys import Keys

LANGUAGE_LIFE_S = 90 * 24 * 3600


class RedisLanguageStore:
    """One text per person. It lives `LANGUAGE_LIFE_S` from when their platform said it last."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()

    async def of(self, users: Sequence[UserRef]) -> Sequence[str]:
        async with self._client.pipeline(transaction=False) as pipe:
            for user in users:
                pipe.get(self._keys.language(user))
            found: list[Any] = await pipe.execute()
        return [str(each or "") for each in found]

    async def keep(self, user: UserRef, language: str) -> None:
        await self._client.set(self._keys.language(user), language, ex=LANGUAGE_LIFE_S)

    async def forget(self, user: UserRef) -> None:
        await self._client.delete(self._keys.language(user))
