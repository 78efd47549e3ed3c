"""What was used, and how models fare."""

from __future__ import annotations

import math
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from bot.ports import Bucket, ModelFacts, Retirement, UsageRow
from storage.redis.client import Script, bucket_args
from storage.redis.codec import RETIREMENT
from storage.redis.keys import Keys

_DAY_S = 24 * 3600
_RETIREMENT_LIFE_S = 400 * _DAY_S
_PACE_LIFE_S = 30 * _DAY_S
_PICTURES_KEPT = 200


class RedisMeter:
    """The usage book is written by `settle.lua`, one hash per day; buckets lie in the slot of admission. Per model a
    list of the seconds that its last pictures took, and what its maker says of its future."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._reserved = Script(client, "_admission.lua", "reserved.lua")
        self._charge = Script(client, "_admission.lua", "charge.lua")

    async def used(self, *, days: int) -> Sequence[UsageRow]:
        today = datetime.now(UTC).date()
        wanted = [today - timedelta(days=back) for back in range(days)]
        async with self._client.pipeline(transaction=False) as pipe:
            for day in wanted:
                pipe.hgetall(self._keys.used(day.isoformat()))
            books: list[Any] = await pipe.execute()
        return [row for day, book in zip(wanted, books, strict=True) for row in _rows(day, book)]

    async def reserved(self, buckets: Sequence[Bucket]) -> Sequence[int]:
        flat = [part for bucket in buckets for part in (bucket.name, bucket.window_s)]
        held: list[Any] = await self._reserved([self._keys.admission], flat)
        return [int(each) for each in held]

    async def charge(self, buckets: Sequence[Bucket], *, key: str) -> str:
        return str(await self._charge([self._keys.admission], [key, _DAY_S, *bucket_args(buckets)]))

    async def took(self, model: str, seconds: float) -> None:
        now, pace = time.time(), self._keys.pace(model)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.lpush(pace, f"{seconds:.3f}")
            pipe.ltrim(pace, 0, _PICTURES_KEPT - 1)
            pipe.expire(pace, _PACE_LIFE_S)
            pipe.zadd(self._keys.models, {model: now})
            pipe.zremrangebyscore(self._keys.models, "-inf", now - _PACE_LIFE_S)
            pipe.expire(self._keys.models, _PACE_LIFE_S)
            await pipe.execute()

    async def retiring(self, retirement: Retirement) -> None:
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hset(self._keys.retirements, retirement.model, RETIREMENT.dump(retirement))
            pipe.expire(self._keys.retirements, _RETIREMENT_LIFE_S)
            await pipe.execute()

    async def models(self) -> Sequence[ModelFacts]:
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.zrange(self._keys.models, 0, -1)
            pipe.hgetall(self._keys.retirements)
            seen, ends = await pipe.execute()
        names = sorted({str(name) for name in (*seen, *ends)})
        async with self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.lrange(self._keys.pace(name), 0, -1)
            paces: list[Any] = await pipe.execute()
        facts = [
            _facts(name, [float(text) for text in pace], RETIREMENT.load(ends[name]) if name in ends else None)
            for name, pace in zip(names, paces, strict=True)
        ]
        return [each for each in facts if each.seen or each.retirement]


def _rows(day: date, book: Mapping[Any, Any]) -> list[UsageRow]:
    """One per model, the dearest first. Fields are `<figure>:<model>`."""
    by_model: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, amount in book.items():
        figure, _, model = str(name).partition(":")
        by_model[model][figure] = int(amount)
    rows = [
        UsageRow(
            day=day.isoformat(),
            model=model,
            turns=figures.get("turns", 0),
            calls=figures.get("calls", 0),
            images=figures.get("images", 0),
            input_tokens=figures.get("input_tokens", 0),
            output_tokens=figures.get("output_tokens", 0),
            cost_microusd=figures.get("cost_microusd", 0),
        )
        for model, figures in by_model.items()
    ]
    return sorted(rows, key=lambda row: (-row.cost_microusd, row.model))


def _facts(model: str, pace_s: Sequence[float], retirement: Retirement | None) -> ModelFacts:
    if not pace_s:
        return ModelFacts(model, retirement=retirement)
    slow_s = sorted(pace_s)[math.ceil(0.9 * len(pace_s)) - 1]
    return ModelFacts(model, len(pace_s), statistics.median(pace_s), slow_s, retirement)
