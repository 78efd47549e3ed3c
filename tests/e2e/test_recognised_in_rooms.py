"""What the house made is known again after a platform has stripped it, and only that."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance
from redis.exceptions import ConnectionError as RedisConnectionError

from bot.domain.images import Picture
from bot.domain.recognition import Recognition, Tier
from bot.domain.turns import TurnStatus
from bot.engines.exact import ExactEngine
from bot.labels.ports import TurnRows
from bot.labels.recogniser import Recogniser
from storage.redis.client import open_client
from storage.redis.fingerprints import RedisFingerprintIndex
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, Rig, living_in
from tests.values import ANNA


def night(data: bytes) -> Picture:
    """The photo as a model might give it back: the same scene, with another half."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    width_px, height_px = image.size
    right = image.crop((width_px // 2, 0, width_px, height_px)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    image.paste(ImageEnhance.Brightness(right).enhance(0.4), (width_px // 2, 0))
    out = io.BytesIO()
    image.save(out, "PNG")
    return Picture(out.getvalue(), "image/png", width_px, height_px)


def stripped(data: bytes) -> Picture:
    """As a platform hands it on: smaller, a JPEG, without anything beside the pixels."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    image.thumbnail((400, 400))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=75)
    return Picture(out.getvalue(), "image/jpeg", *image.size)


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    gemini = ScriptedEngine(result=night(CAT))
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine(), "gemini": gemini}) as rig:
        yield rig


async def known(redis_url: str, picture: Picture) -> Recognition:
    """As another process sees it."""
    async with open_client(redis_url) as client:
        return await Recogniser(RedisFingerprintIndex(client)).recognise(picture)


async def made(rig: Rig) -> tuple[TurnStatus, bytes]:
    status = await rig.sees(await rig.says("turn half of it into night", [CAT]))
    assert status.outcome is not None
    return status, await rig.house.images.get(status.outcome.images[0].sha256)


async def test_a_result_is_known_when_nothing_but_its_pixels_is_left(rig: Rig, redis_url: str) -> None:
    status, data = await made(rig)
    found = await known(redis_url, stripped(data))
    assert (found.tier, found.turn) == (Tier.MATCH, status.turn.id)


async def test_the_photo_that_it_was_made_from_is_never_called_ours(rig: Rig, redis_url: str) -> None:
    await made(rig)
    assert (await known(redis_url, stripped(CAT))).tier is Tier.UNKNOWN


async def test_what_is_erased_is_not_known_any_more(rig: Rig, redis_url: str) -> None:
    _, data = await made(rig)
    await rig.house.forget(ANNA)
    assert (await known(redis_url, stripped(data))).tier is Tier.UNKNOWN


async def test_a_result_is_known_also_where_the_store_went_away_as_it_was_shown(
    rig: Rig, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, tries = RedisFingerprintIndex.put, list[int]()

    async def away_at_first(self: RedisFingerprintIndex, turns: Sequence[TurnRows]) -> None:
        tries.append(len(turns))
        if len(tries) == 1:
            raise RedisConnectionError("away")
        await put(self, turns)

    monkeypatch.setattr(RedisFingerprintIndex, "put", away_at_first)
    _, data = await made(rig)
    assert (await known(redis_url, stripped(data))).tier is Tier.MATCH
    assert tries == [1, 1]
