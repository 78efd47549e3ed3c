"""Telegram keeps what every platform promises: through the real client library, with two people in two chats."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.telegram import FakeTelegram
from tests.platforms.contract import PlatformContract, PlatformRig
from tests.platforms.telegram_rig import TelegramRig, unpaced


@pytest.fixture(params=["groups, privacy mode on", "topics, privacy mode off"])
async def rig(
    redis_url: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PlatformRig]:
    unpaced(monkeypatch)
    topics = request.param.startswith("topics")
    async with contextlib.AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeTelegram(reads_all=topics, floods=False))
        rig = TelegramRig(redis_url, tmp_path, fake, topics=topics)
        stack.push_async_callback(rig.close)
        await rig.open()
        yield rig


class TestTelegram(PlatformContract):
    """In groups of which it is shown little, and in topics of one of which it is shown all."""
