"""The search for what is left of somebody finds whatever was planted, wherever that was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.domain.consent import Standing
from bot.domain.refs import ChatRef, UserRef
from storage.objects.notes import notes
from tests.remnants import Person, open_bytes, remnants

PICTURE = b"\x89PNG of hers"
HERS = Person(
    ids=("1573828976248487939",),
    names=("Anna",),
    words=("paint it größer",),
    pictures=frozenset({sha256(PICTURE).hexdigest()}),
)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    async with open_bytes(redis_url) as opened:
        yield opened


async def test_a_name_an_id_or_words_are_found_in_every_kind_of_key(client: Redis, tmp_path: Path) -> None:
    await client.set("rb:a:discord%3A1573828976248487939", "x")
    await client.set("rb:b", b"\x80\x04\x8c\x13discord:1573828976248487939\x94")
    await client.hset("rb:c", "by Anna", "x")
    await client.hset("rb:d", "words", '{"text":"paint it gr\\u00f6\\u00dfer"}')
    await client.rpush("rb:e", "paint it größer, please")
    await client.sadd("rb:f", next(iter(HERS.pictures)))
    await client.zadd("rb:g", {"Anna": 1})
    await client.xadd("rb:h", {"raw": '{"first_name":"Anna"}'})
    found = await remnants(client, tmp_path, tmp_path, HERS)
    assert [each.partition(": ")[0] for each in found] == [
        "rb:a:discord%3A1573828976248487939",
        *(f"rb:{each}" for each in "bcdefgh"),
    ]


async def test_pictures_and_words_are_found_in_files_of_any_name(client: Redis, tmp_path: Path) -> None:
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    for folder in (pictures, data):
        folder.mkdir()
    (pictures / "photo.jpg").write_bytes(PICTURE)
    (data / "note").write_text("Anna was here")
    (data / "1573828976248487939").write_bytes(b"")
    found = await remnants(client, pictures, data, HERS)
    assert found == ["1573828976248487939: 1573828976248487939", "note: Anna", "photo.jpg: a picture"]


async def test_who_stands_in_the_name_of_a_note_is_found_and_a_never_may_stay(client: Redis, tmp_path: Path) -> None:
    kept = notes(str(tmp_path), keep_s=60)
    anna, chat = UserRef("discord", HERS.ids[0]), ChatRef("discord", "1", "2")
    await kept.said(anna, Standing.NEVER, chat, at=1.0)
    assert await remnants(client, tmp_path, tmp_path, HERS) == []
    await kept.said(anna, Standing.HERE, chat, at=2.0)
    (found,) = await remnants(client, tmp_path, tmp_path, HERS)
    assert found.startswith("notes/said/")


async def test_a_reason_on_a_list_of_the_operators_is_found(client: Redis, tmp_path: Path) -> None:
    await client.hset("rb:{who}:rules", "denied:discord:1573828976248487939", '{"at":1.0,"reason":"Anna is loud"}')
    assert await remnants(client, tmp_path, tmp_path, HERS) == ["rb:{who}:rules (values): Anna"]


async def test_what_only_looks_alike_and_what_must_stay_is_not_found(client: Redis, tmp_path: Path) -> None:
    await client.set("rb:a", "Annabel wants 15738289762484879390")
    await client.hset("rb:forgotten", "discord:1573828976248487939", "1")
    await client.hset("rb:{who}:rules", "denied:discord:1573828976248487939", '{"at":1.0,"by":"host"}')
    assert await remnants(client, tmp_path, tmp_path, HERS) == []
