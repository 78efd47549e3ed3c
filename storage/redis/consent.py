"""What people have said of their own pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, assert_never

from redis.asyncio import Redis

from bot.domain.consent import Standing
from bot.domain.refs import ChatRef, UserRef
from storage.redis.keys import Keys

NEVER = "never"
"""The field of who said so. It is what erasure leaves: whoever is forgotten did not thereby agree to anything."""


class RedisConsentStore:
    """One hash per owner: `never`, and `here:<chat>` for each chat, each with when it was said (s). It has no expiry.

    What was said last counts: "never" takes back every "here", so that none comes back to life with it; a "here" takes
    back "never", and everywhere else the owner is asked again."""

    def __init__(self, client: Redis, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()

    async def standing(self, owners: Sequence[UserRef], chat: ChatRef) -> Sequence[Standing]:
        async with self._client.pipeline(transaction=False) as pipe:
            for owner in owners:
                pipe.hmget(self._keys.consent(owner), [NEVER, _here(chat)])
            said: list[Any] = await pipe.execute()
        return [_standing(never, here) for never, here in said]

    async def stand(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        key = self._keys.consent(owner)
        now = str(time.time())
        async with self._client.pipeline(transaction=True) as pipe:
            match standing:
                case Standing.NEVER:
                    pipe.delete(key)
                    pipe.hset(key, NEVER, now)
                case Standing.HERE:
                    pipe.hdel(key, NEVER)
                    pipe.hset(key, _here(chat), now)
                case Standing.UNSAID:
                    pipe.hdel(key, NEVER, _here(chat))
                case _:
                    assert_never(standing)
            await pipe.execute()


def _here(chat: ChatRef) -> str:
    return f"here:{chat.key}"


def _standing(never: str | None, here: str | None) -> Standing:
    if never is not None:
        return Standing.NEVER
    return Standing.UNSAID if here is None else Standing.HERE
