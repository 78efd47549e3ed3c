"""What an older version left behind: its database and its pictures, as a file in tests/golden, put back as if it had
been stopped a minute ago."""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bot.domain.messages import Received
from bot.domain.refs import ChatRef, MessageRef, TurnId

GOLDEN = Path(__file__).parent / "golden"
_DAY_S = 86400
_AGO_S = 60
_TIME = re.compile(r"\b1[78]\d{8}(\d{3})?\b")
"""Seconds, or milliseconds, since the epoch."""


@dataclass(frozen=True, slots=True)
class Left:
    """`names` are the turns and messages that a test asks for."""

    names: dict[str, Any]

    def received(self, name: str) -> Received:
        about = self.names[name]
        return Received(TurnId(about["turn"]), MessageRef(ChatRef("web", "page", about["chat"]), about["reply"]))


async def left_by(version: str, redis_url: str, data: Path) -> Left:
    """Put it back: the keys into this database, the pictures into this folder. Its times are moved, all by as much."""
    made = json.loads((GOLDEN / f"records-{version}.json").read_text("utf-8"))
    text = _moved(json.dumps(made["keys"]), made["written_at"])
    for name, picture in made["pictures"].items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(base64.b64decode(picture))
    async with Redis.from_url(redis_url) as client:
        for key, row in json.loads(text).items():
            await _put(client, key, row["type"], row["value"])
            if row["ttl_ms"] > 0:
                await client.pexpire(key, row["ttl_ms"])
    return Left(made["names"])


def _moved(text: str, written_at: float) -> str:
    by_s = int(time.time() - _AGO_S - written_at)

    def moved(found: re.Match[str]) -> str:
        number, unit = int(found[0]), 1000 if found[1] else 1
        near = written_at - _DAY_S < number / unit < written_at + 500 * _DAY_S
        return str(number + by_s * unit) if near else found[0]

    return _TIME.sub(moved, text)


def _plain(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


async def _put(client: Any, key: str, kind: str, value: Any) -> None:
    match kind:
        case "string":
            await client.set(key, _plain(value))
        case "hash":
            await client.hset(key, mapping={field: _plain(each) for field, each in value.items()})
        case "list":
            await client.rpush(key, *value)
        case "set":
            await client.sadd(key, *value)
        case "zset":
            await client.zadd(key, dict(value))
        case "stream":
            for id_, fields in value["entries"]:
                await client.xadd(key, {field: _plain(each) for field, each in fields.items()}, id=id_)
            for name, last in value["groups"]:
                await client.xgroup_create(key, name, id=last, mkstream=True)
        case _:
            raise AssertionError(f"{key} is a {kind}")
