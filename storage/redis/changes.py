"""What was changed in how things are set: by whom, when, what, from what to what."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from bot.domain.changes import HOUSE, Change
from bot.domain.refs import UserRef
from storage.redis.codec import CHANGE
from storage.redis.keys import Keys
from storage.redis.without import is_named_after

CHANGES_LIFE_S = 90 * 24 * 3600
MOST_OF_HOUSE = 2000
MOST_OF_PLACE = 100
"""So many of each chat or server: nobody pushes another's, or an operator's, out of the log."""
MOST_PLACES = 10_000


class RedisChangeLog:
    """Of each place a sorted set, by time, and one of the places by when something was changed last."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()

    async def note(self, changes: Sequence[Change]) -> None:
        now, places = time.time(), self._keys.who("changed")
        async with self._client.pipeline(transaction=True) as pipe:
            for change in changes:
                key = self._keys.changes(change.place)
                most = MOST_OF_HOUSE if change.place == HOUSE else MOST_OF_PLACE
                pipe.zadd(key, {CHANGE.dump(change): change.at})
                pipe.zremrangebyscore(key, "-inf", now - CHANGES_LIFE_S)
                pipe.zremrangebyrank(key, 0, -most - 1)
                pipe.expire(key, CHANGES_LIFE_S)
                pipe.zadd(places, {change.place: change.at})
            pipe.zremrangebyscore(places, "-inf", now - CHANGES_LIFE_S)
            pipe.zremrangebyrank(places, 0, -MOST_PLACES - 1)
            pipe.expire(places, CHANGES_LIFE_S)
            await pipe.execute()

    async def of(self, places: Sequence[str], *, most: int) -> Sequence[Change]:
        async with self._client.pipeline(transaction=False) as pipe:
            for place in places:
                pipe.zrange(self._keys.changes(place), 0, most - 1, desc=True)
            rows: list[Any] = await pipe.execute()
        return _newest_first([text for row in rows for text in row])[:most]

    async def since(self, at: float) -> Sequence[Change]:
        places: list[Any] = await self._client.zrange(self._keys.who("changed"), at, "+inf", byscore=True)
        async with self._client.pipeline(transaction=False) as pipe:
            for place in places:
                pipe.zrangebyscore(self._keys.changes(str(place)), at, "+inf")
            rows: list[Any] = await pipe.execute()
        return _newest_first([text for row in rows for text in row])

    async def forget(self, user: UserRef) -> None:
        """What was changed stays; neither by whom nor about whom, where that is this person. Of a chat that is named
        after them nothing does."""
        person, index = user.key, self._keys.who("changed")
        places: list[Any] = await self._client.zrange(index, 0, -1)
        for place in places:
            key = self._keys.changes(str(place))
            if is_named_after(user, str(place)):
                await self._client.delete(key)
                await self._client.zrem(index, place)
                continue
            texts: list[Any] = await self._client.zrange(key, 0, -1)
            for text in texts:
                change = CHANGE.load(text)
                left = change.without(person)
                if left != change:
                    async with self._client.pipeline(transaction=True) as pipe:
                        pipe.zrem(key, text)
                        pipe.zadd(key, {CHANGE.rewrite(text, left, erasing=True): change.at})
                        pipe.expire(key, CHANGES_LIFE_S)
                        await pipe.execute()


def _newest_first(texts: Sequence[Any]) -> list[Change]:
    return sorted((CHANGE.load(text) for text in texts), key=lambda change: change.at, reverse=True)
