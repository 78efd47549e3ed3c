"""Votes in arenas, and what came of them."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from bot.domain.arena import Choice, Match, Tally
from bot.domain.refs import TurnId, UserRef
from storage.redis.client import Script
from storage.redis.keys import Keys

_DAY_S = 24 * 3600
_RESULTS_LIFE_S = 400 * _DAY_S
_OPEN_LIFE_S = 400 * _DAY_S
_MOST_MATCHES = 5000
_MOST_BAD = 200
_CHOICES = tuple(each.value for each in Choice)


class RedisArenaStore:
    """See `bot.ports.ArenaStore`. All arenas lie in one slot; `_arena.lua` says what is kept. Who voted what is known
    until the end only, and by nobody but this store."""

    def __init__(self, client: Redis, *, retention_s: int, life_s: float, keys: Keys | None = None) -> None:
        self._client = client
        self._base = (keys or Keys()).arena
        self._retention_s = retention_s
        self._votes_life_s = int(life_s) + 7 * _DAY_S
        self._vote = Script(client, "_arena.lua", "arena_vote.lua")
        self._end = Script(client, "_arena.lua", "arena_end.lua")

    async def begin(self, arena: TurnId, *, ends_at: float) -> bool:
        draw = f"{self._base}:draw:{arena}"
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.zadd(self._open, {arena: ends_at}, nx=True)
            pipe.expire(self._open, _OPEN_LIFE_S)
            pipe.set(draw, secrets.randbelow(2), nx=True, ex=self._retention_s)
            pipe.get(draw)
            *_, drawn = await pipe.execute()
        return bool(int(drawn))

    async def prolong(self, arena: TurnId, *, ends_at: float) -> None:
        # Later only, and never one that is not listed; one that has ended meanwhile is looked at once more.
        await self._client.zadd(self._open, {arena: ends_at}, xx=True)
        if await self._client.exists(self._ended(arena)):
            await self._client.zadd(self._open, {arena: 0}, xx=True)

    async def due(self, now: float) -> Sequence[TurnId]:
        found: list[Any] = await self._client.zrange(self._open, "-inf", now, byscore=True)
        return [TurnId(str(each)) for each in found]

    async def vote(self, arena: TurnId, voter: UserRef, choice: Choice, *, most: int) -> int | None:
        voted = int(await self._vote([self._base], [arena, voter.key, choice.value, most, self._votes_life_s]))
        return None if voted < 0 else voted

    async def voted(self, arena: TurnId) -> tuple[int, Tally | None]:
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hlen(f"{self._base}:votes:{arena}")
            pipe.hmget(self._ended(arena), *_CHOICES)
            pipe.expire(self._ended(arena), self._retention_s)
            voted, figures, _ = await pipe.execute()
        if figures[0] is None:
            return int(voted), None
        tally = Tally(*map(int, figures))
        return tally.voted, tally

    async def end(self, arena: TurnId, models: tuple[str, str] | None) -> Tally:
        first, second = models or ("", "")
        arguments: list[str | int | float] = [
            arena,
            first,
            second,
            time.time(),
            self._retention_s,
            _RESULTS_LIFE_S,
            _MOST_MATCHES,
            _MOST_BAD,
        ]
        return Tally(*map(int, await self._end([self._base], arguments)))

    async def shown(self, arena: TurnId) -> None:
        await self._client.zrem(self._open, arena)

    async def matches(self) -> Sequence[Match]:
        rows: list[Any] = await self._client.hvals(f"{self._base}:matches")
        read = [json.loads(row) for row in rows]
        return [Match((str(first), str(second)), Tally(*figures)) for first, second, *figures in read]

    async def worst(self, *, most: int) -> Sequence[tuple[TurnId, Tally]]:
        worst: list[Any] = await self._client.zrange(f"{self._base}:bad", 0, most - 1, desc=True)
        rows: list[Any] = await self._client.hmget(f"{self._base}:badly", worst) if worst else []
        pairs = zip(worst, rows, strict=True)
        return [(TurnId(str(arena)), Tally(*json.loads(row))) for arena, row in pairs if row is not None]

    @property
    def _open(self) -> str:
        return f"{self._base}:open"

    def _ended(self, arena: TurnId) -> str:
        return f"{self._base}:ended:{arena}"


class ArenaErasure:
    """What goes with a person, or with a turn."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._base = keys.arena
        self._drop = Script(client, "_arena.lua", "arena_drop.lua")
        self._unvote = Script(client, "_arena.lua", "arena_unvote.lua")

    async def drop(self, arena: TurnId) -> None:
        """All that is known of an arena."""
        await self._drop([self._base], [arena])

    async def take_back(self, voter: UserRef) -> None:
        """Their votes in arenas that have not ended. Of those that have, nobody knows who voted."""
        await self._unvote([self._base], [voter.key])
