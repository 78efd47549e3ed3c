"""What must stand nowhere, and where it was found all the same."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from redis.asyncio import Redis

from bot.redaction import Redaction


def leaks(named: Mapping[str, str], places: Iterable[tuple[str, bytes]]) -> list[str]:
    """ "what in where", of each of these that stands in one of the places: as it is, as an address has it, in base64,
    in hexadecimal."""
    looked_for = [(name, form) for name, secret in named.items() for form in _forms(secret)]
    return sorted({f"{name} in {place}" for place, data in places for name, form in looked_for if form in data})


def _forms(secret: str) -> Iterator[bytes]:
    yield from {each.encode() for each in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))}
    yield secret.encode().hex().encode()
    for before in range(3):
        core = base64.b64encode(b"\0" * before + secret.encode())[4:-4]
        if len(core) >= 12:
            yield core


def with_their_parts(secrets: Mapping[str, str]) -> dict[str, str]:
    """Of a token whose beginning is an id, also what is behind that: it is as good as the whole."""
    parts = {f"{name}, its key": each.partition(":")[2] for name, each in secrets.items() if ":" in each}
    return {**secrets, **{name: each for name, each in parts.items() if len(each) > 8}}


def pictures_in(log: bytes) -> list[str]:
    """What looks like a file's bytes in a text: signs that no text has, or base64 without end."""
    raw = sorted({hex(each) for each in log if each < 32 and each not in b"\t\n\r\x1b"})
    return [*raw, *(found[:20].decode() for found in re.findall(rb"[A-Za-z0-9+/]{400,}", log))]


def files_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


async def values_in(client: Redis) -> list[tuple[str, bytes]]:
    """Every key and value of a server, of whatever kind."""
    found: list[tuple[str, bytes]] = []
    async for key in client.scan_iter("*", count=1000):
        name = repr(key)
        found += [(name, key), (name, repr(await _value(client, key)).encode())]
    return found


async def _value(client: Redis, key: bytes) -> Any:
    kind = str(await client.type(key), "ascii")  # type: ignore[arg-type]
    match kind:
        case "string":
            return await client.get(key)
        case "hash":
            return await client.hgetall(key)
        case "list":
            return await client.lrange(key, 0, -1)
        case "set":
            return await client.smembers(key)
        case "zset":
            return await client.zrange(key, 0, -1)
        case "stream":
            return await client.xrange(key)
        case _:
            raise AssertionError(f"a kind of value that nobody looks into: {kind}")


__all__ = ["Redaction", "files_in", "leaks", "pictures_in", "values_in", "with_their_parts"]
