"""On Telegram, too: the process is killed between storing and acknowledging, while a reply is reserved, running or
filled, and each message has one answer.

The real command, asking a Telegram of this machine. Nothing there can be sent once for certain, and a message whose id
nobody noted is not found again: a placeholder may stand there twice, the picture never.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.test_kill import ROOT, bot_in, calls_of, gemini, mostly_long, note
from tests.fakes.telegram import Chat, FakeTelegram, Message
from tests.rig import CAT

__all__ = ["ROOT", "gemini"]

ALWAYS = {"RedisInbox.take_through:after", "TelegramApi.edit_media:after"}
"""What is of this platform alone; the rest of the path is met on the page, and here by `make chaos`."""

ONE_CALL = [
    "RedisInbox.take_through:before",
    "RedisInbox.take_through:after",
    "RedisInbox.next:after",
    "RedisMessageStore.record:after",
    "TelegramPlatform.reserve:after",
    "RedisMessageStore.attach:after",
    "RedisTurnStore.submit:after",
    "RedisInbox.dealt_with:before",
    "RedisTurnStore.finish:after",
    "TelegramApi.edit_media:after",
    "RedisTurnStore.delivered:before",
]
AT_MOST_TWO = ["RedisTurnStore.claim:after", "GeminiEngine.edit:after"]


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as fake:
        yield fake


def answers_in(fake: FakeTelegram, chat: Chat) -> list[Message]:
    return [each for each in chat.messages() if each.author is fake.bot]


async def survive(fake: FakeTelegram, boundary: str, data: Path, gemini: str) -> tuple[int, int]:
    """Die at the boundary over a message, and come back. Gives the calls, and the placeholders left behind."""
    anna = fake.user("Anna")
    home = fake.private(anna)
    env = {"TELEGRAM_TOKEN": fake.token, "TELEGRAM_API_BASE": fake.api_base}
    async with bot_in(data, gemini, **env) as bot, aiohttp.ClientSession() as session:
        before = await calls_of(session, gemini)
        await bot.start(boundary)
        said = await anna.says(home, "put a hat on her", photo=CAT)
        assert await bot.died() == -signal.SIGKILL
        await bot.start()
        await fake.until(lambda: any(each.kind == "photo" for each in answers_in(fake, home)), within_s=40)
        answers = answers_in(fake, home)
        (answer,) = [each for each in answers if each.kind == "photo"]
        assert answer.words.startswith("AI-edited · Gemini")
        assert answer.reply_to == said.id
        return await calls_of(session, gemini) - before, len(answers) - 1


@pytest.mark.parametrize("boundary", mostly_long(ONE_CALL, ALWAYS))
async def test_killed_at_any_step_there_is_one_answer_and_one_call(
    boundary: str, fake: FakeTelegram, tmp_path: Path, gemini: str
) -> None:
    calls, left = await survive(fake, boundary, tmp_path / "data", gemini)
    note(f"{boundary} (Telegram)", 1, calls)
    assert (calls, left <= int(boundary == "TelegramPlatform.reserve:after")) == (1, True)


@pytest.mark.parametrize("boundary", mostly_long(AT_MOST_TWO, ALWAYS))
async def test_killed_while_it_runs_there_is_one_answer_and_at_most_two_calls(
    boundary: str, fake: FakeTelegram, tmp_path: Path, gemini: str
) -> None:
    calls, left = await survive(fake, boundary, tmp_path / "data", gemini)
    note(f"{boundary} (Telegram)", 1, calls)
    assert (calls in {1, 2}, left) == (True, 0)
