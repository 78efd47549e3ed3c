"""What is larger than a chat takes is made to fit, and the answer says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.domain.images import Picture, Provenance
from bot.domain.words import MADE_LIGHTER
from bot.engines.pixels import to_picture
from tests.fakes.discord import FakeDiscord
from tests.platforms.contract import CAT, HAT, SAMPLES, Where, Who
from tests.platforms.discord_rig import DiscordRig

_SIDE_PX = 3000


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path) -> AsyncIterator[DiscordRig]:
    async with FakeDiscord() as fake:
        rig = DiscordRig(redis_url, tmp_path, fake)
        await rig.open()
        yield rig
        await rig.close()


def large_photograph() -> Picture:
    """A photograph with the grain of a sensor: as a PNG more than ten megabytes."""
    photo = Image.open(SAMPLES / "astronaut.jpg").convert("RGB").resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BICUBIC)
    grain = np.random.default_rng(1).normal(0, 3, (_SIDE_PX, _SIDE_PX, 1))
    pixels = np.clip(np.asarray(photo) + grain, 0, 255).astype("uint8")
    return to_picture(Image.fromarray(pixels), provenance=Provenance.AI_EDITED)


async def test_a_result_above_the_servers_limit_comes_in_a_lighter_format_that_is_still_labelled(
    rig: DiscordRig,
) -> None:
    rig.engine.result = large_photograph()
    assert len(rig.engine.result.data) > 10 * 2**20
    post = await rig.says(HAT, [CAT], by=Who.ANNA)
    assert post is not None
    answer = await rig.waits_for(post)
    (picture,) = answer.pictures
    assert (picture.size_px, len(picture.data) < 10 * 2**20) == ((_SIDE_PX, _SIDE_PX), True)
    assert MADE_LIGHTER in answer.words
    assert b"trainedAlgorithmicMedia" in picture.data.replace(b"TrainedAlg", b"trainedAlg")


async def test_a_server_with_a_higher_limit_gets_the_file_as_it_is(rig: DiscordRig) -> None:
    guild = rig.chats[Where.HOME].guild
    assert guild is not None
    guild.tier = 2
    rig.fake.guild_created(guild)
    rig.engine.result = large_photograph()
    post = await rig.says(HAT, [CAT], by=Who.ANNA)
    assert post is not None
    answer = await rig.waits_for(post)
    assert [picture.data[:4] for picture in answer.pictures] == [b"\x89PNG"]
    assert MADE_LIGHTER not in answer.words
