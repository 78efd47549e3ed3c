"""What processes tell of themselves, and what an operator sees of them all.

{prefix}:{sight}:probe            text  written to see whether that can be done
{prefix}:{sight}:processes        zset  names of processes, by when they told something last
{prefix}:{sight}:process:<name>   text  JSON of names and figures, for seconds
{prefix}:{sight}:watch            text  the process that looks for what is stuck, for seconds
{prefix}:{sight}:stuck:<what>     text  this was reported before
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ReadOnlyError, ResponseError

from bot.domain.refs import TurnId
from bot.domain.turns import FINAL_STATES, TurnState
from bot.sight.values import Installation, Place, Standing
from storage.redis.codec import OUTCOME
from storage.redis.keys import Keys

_PROBE_LIFE_S: Final = 60
LIFE_S: Final = 20
"""How long a process that tells nothing is still shown."""
_NAMES_LIFE_S: Final = 3600
_REPORTED_S: Final = 24 * 3600
_MOST_PROCESSES: Final = 500
MOST_TURNS: Final = 1000


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """`max_mb` 0 for no limit; `ahead_s` is how much later it is there than here."""

    version: str
    used_mb: float
    max_mb: float
    round_trip_s: float
    ahead_s: float


class RedisSight:
    """`probe` says whether the server answers and takes writes; `tell` and `seen` are for `bot.sight.pulse` and whoever
    looks."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client: Any = client
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

    async def tell(self, name: str, said: Mapping[str, Any]) -> float:
        """One write. Gives how long it took, in seconds."""
        now, names = time.time(), self._keys.sight("processes")
        began = time.perf_counter()
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.set(self._keys.sight("process", name), json.dumps(said, separators=(",", ":")), ex=LIFE_S)
            pipe.zadd(names, {name: now})
            pipe.zremrangebyscore(names, "-inf", now - _NAMES_LIFE_S)
            pipe.expire(names, _NAMES_LIFE_S)
            await pipe.execute()
        return time.perf_counter() - began

    async def leave(self, name: str) -> None:
        """This process tells nothing more."""
        await self._client.delete(self._keys.sight("process", name))
        await self._client.zrem(self._keys.sight("processes"), name)

    async def watches(self, name: str, *, life_s: float) -> bool:
        """Whether this is the one process that looks for what is stuck, for so long."""
        key = self._keys.sight("watch")
        if await self._client.set(key, name, nx=True, px=round(life_s * 1000)):
            return True
        if await self._client.get(key) != name:
            return False
        await self._client.pexpire(key, round(life_s * 1000))
        return True

    async def report_once(self, what: str) -> bool:
        """True the first time."""
        return bool(await self._client.set(self._keys.sight("stuck", what), "1", nx=True, ex=_REPORTED_S))

    async def facts(self) -> ServerFacts:
        """What the server says of itself, and how far its clock is ahead of ours."""
        about: Any = await self._client.info()
        trips: list[float] = []
        ahead_s = 0.0
        for _ in range(5):
            began, asked_at = time.perf_counter(), time.time()
            seconds, micros = await self._client.time()
            trips.append(time.perf_counter() - began)
            if trips[-1] == min(trips):
                ahead_s = float(seconds) + float(micros) / 1e6 - (asked_at + trips[-1] / 2)
        return ServerFacts(
            version=str(about.get("valkey_version") or about.get("redis_version") or "unknown"),
            used_mb=int(about.get("used_memory", 0)) / 2**20,
            max_mb=int(about.get("maxmemory", 0)) / 2**20,
            round_trip_s=min(trips),
            ahead_s=ahead_s,
        )

    # --- looking

    async def processes(self) -> Sequence[Mapping[str, Any]]:
        """What each of them told last, with its `name`."""
        names: list[str] = await self._client.zrange(self._keys.sight("processes"), 0, _MOST_PROCESSES - 1, desc=True)
        if not names:
            return []
        rows: list[str | None] = await self._client.mget([self._keys.sight("process", name) for name in names])
        return [{**json.loads(row), "name": name} for name, row in zip(names, rows, strict=True) if row]

    async def seen(self, *, most: int = MOST_TURNS) -> Installation:
        """Three or four round trips, however much there is."""
        admission = self._keys.admission
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.hgetall(f"{admission}:slots")
            pipe.hlen(f"{admission}:admitted")
            pipe.zcard(f"{admission}:open")
            pipe.zrange(f"{admission}:open", 0, most - 1, withscores=True)
            pipe.zcard(self._keys.inbox)
            pipe.zrange(self._keys.telegram("accounts"), 0, -1)
            clock, slots, admitted, count, rows, unsettled, accounts = await pipe.execute()
        now = float(clock[0]) + float(clock[1]) / 1e6
        return Installation(
            now=now,
            slots=_slots_of(slots, now),
            admitted=int(admitted),
            open=int(count),
            standings=await self._standings(rows),
            unsettled=int(unsettled),
            inbox=await self._inboxes([str(account) for account in accounts]),
            told=await self.processes(),
        )

    async def _inboxes(self, accounts: Sequence[str]) -> Mapping[str, int]:
        if not accounts:
            return {}
        async with self._client.pipeline(transaction=False) as pipe:
            for account in accounts:
                pipe.xlen(self._keys.telegram_account(account, "inbox"))
            return {"telegram": sum(map(int, await pipe.execute()))}

    async def _standings(self, rows: Sequence[tuple[str, float]]) -> Sequence[Standing]:
        if not rows:
            return []
        turns = [TurnId(str(turn)) for turn, _ in rows]
        async with self._client.pipeline(transaction=False) as pipe:
            for turn in turns:
                pipe.hmget(self._keys.turn(turn), "state", "started_at", "alive_until")
                pipe.hmget(self._admission_of(turn), "state", "parent", "since")
            found: list[Any] = await pipe.execute()
        records, placed = found[::2], found[1::2]
        ended = await self._ended_at(
            [t for t, (state, *_) in zip(turns, records, strict=True) if state in FINAL_STATES]
        )
        parents = [TurnId(str(parent)) for place, parent, _ in placed if place == Place.HELD and parent]
        gone = await self._gone(parents)
        return [
            Standing(
                turn=turn,
                place=Place(place) if place in set(Place) else Place.UNKNOWN,
                state=TurnState(state) if state else None,
                since=float(let_run_at or submitted_at),
                started_at=float(started_at) if started_at else None,
                alive_until=float(alive_until) if alive_until else None,
                finished_at=ended.get(turn),
                parent=TurnId(str(parent)) if parent else None,
                parent_gone=parent in gone,
            )
            for turn, (_, submitted_at), (state, started_at, alive_until), (place, parent, let_run_at) in zip(
                turns, rows, records, placed, strict=True
            )
        ]

    async def _ended_at(self, turns: Sequence[TurnId]) -> Mapping[TurnId, float]:
        if not turns:
            return {}
        async with self._client.pipeline(transaction=False) as pipe:
            for turn in turns:
                pipe.hget(self._keys.turn(turn), "outcome")
            bodies: list[Any] = await pipe.execute()
        return {turn: OUTCOME.load(body).finished_at for turn, body in zip(turns, bodies, strict=True) if body}

    async def _gone(self, parents: Sequence[TurnId]) -> frozenset[TurnId]:
        if not parents:
            return frozenset()
        async with self._client.pipeline(transaction=False) as pipe:
            for parent in parents:
                pipe.exists(self._keys.turn(parent))
                pipe.exists(self._admission_of(parent))
            found: list[Any] = await pipe.execute()
        there = zip(found[::2], found[1::2], strict=True)
        return frozenset(parent for parent, known in zip(parents, there, strict=True) if not any(map(int, known)))

    def _admission_of(self, turn: TurnId) -> str:
        return f"{self._keys.admission}:turn:{turn}"


def _slots_of(rows: Mapping[str, str], now: float) -> int:
    """Of the workers that show life, as `_admission.lua` writes them."""
    parts = [str(row).partition(":") for row in rows.values()]
    return sum(int(slots) for slots, _, until in parts if until and float(until) > now)
