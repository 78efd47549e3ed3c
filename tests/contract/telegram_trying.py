"""What the tests of the fake Telegram have in common: the real client library, and a way to ask without it."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from PIL import Image
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from telegram.error import BadRequest, TelegramError
from telegram.request import HTTPXRequest

from tests.fakes.telegram import FakeTelegram, Json, Person


def picture(colour: str = "red", size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def keys(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=f"rb:{label}") for label in labels]])


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(floods=False) as server:
        yield server
        assert server.faults() == []


@pytest.fixture
def anna(fake: FakeTelegram) -> Person:
    return fake.user("Anna")


@pytest.fixture
async def bot(fake: FakeTelegram) -> AsyncIterator[Bot]:
    """Without certificates, which take the library longer to load than all else."""
    asking, polling = (HTTPXRequest(httpx_kwargs={"verify": False}) for _ in range(2))
    base, files = f"{fake.api_base}/bot", f"{fake.api_base}/file/bot"
    async with Bot(
        fake.token, base_url=base, base_file_url=files, request=asking, get_updates_request=polling
    ) as client:
        yield client


class Reader:
    """Asks for updates, and acknowledges what it got."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.offset = bot, 0

    async def next(self) -> list[Update]:
        found = list(await self.bot.get_updates(offset=self.offset, timeout=5, allowed_updates=[]))
        self.offset = found[-1].update_id + 1
        return found

    async def message(self) -> Message:
        found = (await self.next())[-1].effective_message
        assert isinstance(found, Message)
        return found


def refused(words: str, kind: type[TelegramError] = BadRequest) -> pytest.RaisesExc[TelegramError]:
    """The library begins them with a capital."""
    return pytest.raises(kind, match=re.compile(words, re.IGNORECASE))


@pytest.fixture
def reader(bot: Bot) -> Reader:
    return Reader(bot)


async def ask(fake: FakeTelegram, method: str, **arguments: Any) -> tuple[int, Json]:
    """As JSON, with whatever arguments."""
    url = f"{fake.api_base}/bot{fake.token}/{method}"
    async with aiohttp.ClientSession() as session, session.post(url, json=arguments) as answer:
        told: Json = await answer.json()
        return answer.status, told


async def refusal(fake: FakeTelegram, method: str, **arguments: Any) -> str:
    status, told = await ask(fake, method, **arguments)
    assert (told["ok"], told["error_code"]) == (False, status)
    return str(told["description"])
