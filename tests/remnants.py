"""Whatever is left of a person: the whole database, the whole image store and the whole data folder, read through."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from redis.asyncio import Redis

from bot.domain.credit import lent_to
from bot.domain.refs import Sha256, UserRef
from bot.domain.turns import TurnStatus
from storage.redis.codec import FACTS, RECORD
from storage.redis.keys import Keys
from storage.redis.without import held_in

EXCEPTIONS: Mapping[str, str] = {
    r"rb:forgotten": "who was forgotten and up to when: without it a restored back-up would bring them back",
    r"rb:consent:.*": "“never”, and which pictures were withdrawn: a no must outlive whoever said it",
    r"rb:\{adm\}:(bucket|rolling):(turns:)?person:.*": "what they used: forgetting is no way around a limit",
    r"rb:\{adm\}:(bucket|rolling):(turns:)?chat:.*": "the same of a chat that is named after them alone",
    r"rb:\{who\}:(rules|allowed)": "whom an operator keeps out, lets in or made one: theirs to say, without a reason",
    r"rb:telegram:\{pace\}:.*": "when something was last sent to a chat, for seconds",
    r"(pictures/)?notes/forgotten/.*": "the same beside the pictures, which a restored database does not have",
    r"(pictures/)?notes/(withdrawn|restored)/.*": "the same of what they withdrew",
    r"(pictures/)?notes/said/\d+\.[\w-]+\.never": "the same of “never”",
}
"""Places that may name whoever was forgotten, and why. docs/forgetting.md has them, too."""


_LISTS = re.compile(r"rb:\{who\}:(rules|allowed)")
"""Whose fields may name somebody, and whose values may not."""


@dataclass(frozen=True, slots=True)
class Person:
    """What to look for. `ids` are what platforms call them, `words` what nobody else has said."""

    ids: tuple[str, ...]
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    pictures: frozenset[str] = frozenset()
    """SHA-256 of what they sent, and of what was made from it."""

    def in_text(self, text: bytes) -> Iterable[str]:
        """What of them stands in this text."""
        spelt = [text, unquote_to_bytes(text)]
        if rb"\u" in text:
            spelt.append(_unescaped(text))
        for what in (*self.ids, *self.names):
            sought = re.compile(rb"(?<![\w-])" + re.escape(what.encode()) + rb"(?!\w)")
            if any(sought.search(each) for each in spelt):
                yield what
        for what in (*self.words, *self.pictures):
            if any(what.encode() in each for each in spelt):
                yield what


def _unescaped(text: bytes) -> bytes:
    def sign(found: re.Match[bytes]) -> bytes:
        return str(json.loads(b'"' + found[0] + b'"')).encode("utf-8", "replace")

    return re.sub(rb"(?:\\u[0-9a-f]{4})+", sign, text)


def open_bytes(redis_url: str) -> Redis:
    """A client that reads what is no text, too."""
    return Redis.from_url(redis_url)


async def remnants(client: Redis, pictures: Path, data: Path, person: Person) -> list[str]:
    """Each place that has something of this person and is no exception, with what it has. `client` gives bytes."""
    allowed = re.compile("|".join(f"(?:{each})" for each in EXCEPTIONS))
    found: list[str] = []
    async for place, texts in _database(client):
        if not allowed.fullmatch(place):
            found += _named(place, person, [place.encode(), *texts])
    for folder in dict.fromkeys([pictures, data]):
        for file in sorted(each for each in folder.rglob("*") if each.is_file()):
            place = str(file.relative_to(folder))
            content = file.read_bytes()
            if not allowed.fullmatch(place):
                found += _named(place, person, [place.encode(), content, *_written_in(file.name)])
                found += [f"{place}: a picture"] * (sha256(content).hexdigest() in person.pictures)
    return sorted(set(found))


def _written_in(name: str) -> Iterator[bytes]:
    """What stands in the name of a note: its parts may be in base64."""
    for part in name.split("."):
        with contextlib.suppress(ValueError):
            yield base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _named(place: str, person: Person, texts: Iterable[bytes]) -> list[str]:
    return [f"{place}: {what}" for text in texts for what in person.in_text(text)]


async def _database(client: Any) -> AsyncIterator[tuple[str, Sequence[bytes]]]:
    """Every key with all that stands in it, whatever its kind."""
    async for key in client.scan_iter(count=1000):
        kind = (await client.type(key)).decode()
        match kind:
            case "string":
                texts = [await client.get(key) or b""]
            case "hash":
                fields = await client.hgetall(key)
                texts = [each for pair in fields.items() for each in pair]
                if _LISTS.fullmatch(key.decode()):
                    yield f"{key.decode()} (values)", list(fields.values())
            case "list":
                texts = await client.lrange(key, 0, -1)
            case "set":
                texts = list(await client.smembers(key))
            case "zset":
                texts = await client.zrange(key, 0, -1)
            case "stream":
                texts = [each for _, row in await client.xrange(key) for pair in row.items() for each in pair]
            case "none":
                continue  # expired meanwhile
            case _:
                raise AssertionError(f"{key!r} is a {kind}: say how to read it")
        yield key.decode(), texts


async def pictures_of(user: UserRef, client: Redis, turns: Iterable[TurnStatus]) -> frozenset[str]:
    """All pixels that this person sent, or that came of what they sent or asked for; without those that somebody else
    has just so."""
    keys, theirs, others = Keys(), set[str](), set[str]()
    for status in turns:
        images = status.outcome.images if status.outcome is not None else ()
        people = {status.turn.author, *status.turn.owners, *(each.owner for each in lent_to(status.turn))}
        (theirs if user in people else others).update(each.sha256 for each in images)
    async for key in client.scan_iter(match=keys.message_key("*"), count=1000):
        fields = {name.decode(): text.decode() for name, text in (await _hash(client, key)).items()}
        author = RECORD.load(fields["record"]).author if "record" in fields else None
        for _, image, owner in held_in(fields):
            whose = owner.user if owner is not None else author
            (theirs if whose == user else others).add(image.sha256)
    made = await _renditions(client, theirs - others) - await _renditions(client, others)
    return frozenset((theirs | made) - others)


async def _renditions(client: Redis, masters: Iterable[str]) -> set[str]:
    rows = [await _hash(client, Keys().image_renditions(Sha256(each))) for each in masters]
    return {FACTS.load(text).sha256 for row in rows for text in row.values()}


async def _hash(client: Any, key: Any) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = await client.hgetall(key)
    return found
