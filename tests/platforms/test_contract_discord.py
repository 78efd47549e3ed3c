"""Discord keeps what every platform promises: through the real client library, with two people in two channels."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.discord import FakeDiscord
from tests.platforms.contract import PlatformContract, PlatformRig
from tests.platforms.discord_rig import DiscordRig


@pytest.fixture(params=[True, False], ids=["sees all", "sees what calls it"])
async def rig(redis_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[PlatformRig]:
    async with contextlib.AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeDiscord(content_intent=request.param))
        rig = DiscordRig(redis_url, tmp_path, fake)
        stack.push_async_callback(rig.close)
        await rig.open()
        yield rig


class TestDiscord(PlatformContract):
    """With the message content intent, and without it."""
