"""On Discord, too: the process is killed while a reply is reserved, running or filled, and each message has one answer.

The real command with its gateway, against a Discord of this machine. What came while nobody listened is read
afterwards.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.test_kill import ROOT, Bot, bot_in, calls_of, gemini, mostly_long, note
from tests.fakes.discord import Channel, FakeDiscord, Message, Person
from tests.rig import CAT

__all__ = ["ROOT", "gemini"]

ALWAYS = {"DiscordApi.post:after", "DiscordPlatform.fill:before#2"}
"""What is of this platform alone; the rest of the path is met on the page, and here by `make chaos`."""

RESERVED = [
    "RedisMessageStore.record:before",
    "RedisMessageStore.record:after",
    "DiscordApi.post:before",
    "DiscordApi.post:after",
    "DiscordPlatform.reserve:after",
    "RedisMessageStore.attach:after",
    "DiscordPlatform.fetch:after",
    "RedisTurnStore.submit:after",
    "RedisMessageStore.settle_inbound:before",
]
RUNNING = ["RedisTurnStore.claim:after", "RedisTurnStore.calling:after", "GeminiEngine.edit:after"]
FILLED = [
    "RedisTurnStore.finish:after",
    "DiscordPlatform.fill:before#2",
    "DiscordApi.edit:after#2",
    "RedisTurnStore.delivered:before",
]


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        yield fake


def answers_to(message: Message) -> list[Message]:
    ours = [each for each in message.channel.messages() if each.author.is_the_bot]
    return [each for each in ours if each.reply_to == message.id]


async def settled(fake: FakeDiscord, message: Message) -> list[Message]:
    """What answers a message, once one of them has a picture."""
    await fake.until(lambda: any(each.attachments for each in answers_to(message)), within_s=40)
    return answers_to(message)


async def listening(fake: FakeDiscord, bot: Bot, boundary: str = "-") -> None:
    sessions = len(fake.gateway.identifies)
    await bot.start(boundary)
    await fake.until(lambda: len(fake.gateway.identifies) > sessions and fake.gateway.connected, within_s=20)


async def survive(fake: FakeDiscord, boundary: str, data: Path, gemini: str) -> int:
    """Die at the boundary over the first message of a chat, and come back. Gives the calls."""
    channel, anna = fake.guild("Friends").channel("pictures"), fake.user("Anna")
    env = {
        "DISCORD_TOKEN": fake.token,
        "DISCORD_API_BASE": fake.api_base,
        "DISCORD_GATEWAY_URL": fake.gateway_url,
    }
    async with bot_in(data, gemini, **env) as bot, aiohttp.ClientSession() as session:
        before = await calls_of(session, gemini)
        await listening(fake, bot, boundary)
        asked = await said(fake, anna, channel, "put a hat on her")
        assert await bot.died() == -signal.SIGKILL
        await bot.start()
        (answer,) = await settled(fake, asked)
        assert answer.content.startswith("AI-edited · Gemini")
        assert len(answer.attachments) == 1
        return await calls_of(session, gemini) - before


async def said(fake: FakeDiscord, person: Person, channel: Channel, words: str) -> Message:
    return await person.says(channel, words, files=[("cat.jpg", CAT)], mentions=[fake.bot])


@pytest.mark.parametrize("boundary", mostly_long([*RESERVED, *FILLED], ALWAYS))
async def test_killed_while_reserved_or_filled_there_is_one_answer_and_one_call(
    boundary: str, fake: FakeDiscord, tmp_path: Path, gemini: str
) -> None:
    calls = await survive(fake, boundary, tmp_path / "data", gemini)
    note(f"{boundary} (Discord)", 1, calls)
    assert calls == 1


@pytest.mark.parametrize("boundary", mostly_long(RUNNING, ALWAYS))
async def test_killed_while_it_runs_there_is_one_answer_and_at_most_two_calls(
    boundary: str, fake: FakeDiscord, tmp_path: Path, gemini: str
) -> None:
    calls = await survive(fake, boundary, tmp_path / "data", gemini)
    note(f"{boundary} (Discord)", 1, calls)
    assert calls in {1, 2}
