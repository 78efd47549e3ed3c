"""Promise 1 and 2: the process is killed at each boundary of the path, started again, and each accepted message has
exactly one answer; the model was called once, or twice where the process died during the call itself.

The real command, the real page, the embedded database, the fake Gemini in a process of its own. `KILL_TABLE` (a path)
makes the test write one row per boundary.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.rig import CAT

ROOT = Path(__file__).parent.parent.parent
_TIMEOUT_S = 60

EXACTLY_ONE_CALL = [
    "RedisPageStore.append:before",
    "RedisPageStore.append:after",
    "RedisMessageStore.record:before",
    "RedisMessageStore.record:after",
    "WebPlatform.reserve:before",
    "WebPlatform.reserve:after",
    "RedisMessageStore.attach:before",
    "RedisMessageStore.attach:after",
    "WebPlatform.fetch:before",
    "WebPlatform.fetch:after",
    "RedisImageLedger.keep:before",
    "RedisImageLedger.keep:after",
    "ObstoreImageStore.put:before",
    "ObstoreImageStore.put:after",
    "RedisMessageStore.bring:before",
    "RedisMessageStore.bring:after",
    "WebPlatform.show_sources:before",
    "WebPlatform.show_sources:after",
    "RedisTurnStore.submit:before",
    "RedisTurnStore.submit:after",
    "DocketTurnQueue.start:before",
    "DocketTurnQueue.start:after",
    "RedisMessageStore.settle_inbound:before",
    "RedisTurnStore.claim:before",
    "RedisTurnStore.claim:after",
    "RedisTurnStore.calling:before",
    "RedisTurnStore.finish:after",
    "RedisTurnStore.settle:before",
    "RedisTurnStore.settle:after",
    "WebPlatform.fill:before#2",
    "WebPlatform.fill:after#2",
    "RedisTurnStore.delivered:before",
    "RedisTurnStore.delivered:after",
]
AT_MOST_TWO_CALLS = [
    "RedisTurnStore.calling:after",
    "GeminiEngine.edit:before",
    "GeminiEngine.edit:after",
    "RedisImageLedger.keep:before#2",
    "RedisImageLedger.keep:after#2",
    "ObstoreImageStore.put:after#2",
    "RedisTurnStore.finish:before",
]

SIGN = 'paint a sign that says "OPEN"'
DURING_PROOFREADING = {"RedisTurnStore.keep_draft:after": 2, "GeminiTextModel.lettering:after": 2}
"""Boundaries after the picture was made and before its lettering was read back, and the requests there are: the
picture is made once."""
VARIATIONS = "three variations with a hat"
DURING_AN_ALBUM = ["RedisTurnStore.submit:before#2", "RedisTurnStore.finish:after"]


OF_EACH_ROOM = {
    "RedisMessageStore.record:after",
    "RedisTurnStore.calling:after",
    "RedisTurnStore.finish:before",
    "WebPlatform.fill:before#2",
    "RedisTurnStore.keep_draft:after",
}
"""One boundary of each room: these are met by every run of the tests, the others by `make chaos`."""


def mostly_long(boundaries: Sequence[str], always: Collection[str] = OF_EACH_ROOM) -> list[Any]:
    """All of these boundaries, most of them for `make chaos` alone."""
    return [each if each in always else pytest.param(each, marks=pytest.mark.chaos) for each in boundaries]


class Bot:
    """One `remixbot run` in a process of its own."""

    def __init__(self, data: Path, gemini: str, **env: str) -> None:
        self._data = data
        self._gemini = gemini
        self._env = env
        self.process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def start(self, boundary: str = "-") -> None:
        env = (
            os.environ
            | {"GEMINI_API_KEY": "test-key", "GEMINI_API_BASE": self._gemini, "LOG_LEVEL": "warning"}
            | self._env
        )
        command = [sys.executable, "-m", "tests.e2e.victim", boundary, "run", "--port", "0", "--data", str(self._data)]
        log = (self._data.parent / "bot.log").open("ab")
        self.process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE, stderr=log
        )
        log.close()
        assert self.process.stdout is not None
        async with asyncio.timeout(_TIMEOUT_S):
            line = (await self.process.stdout.readline()).decode()
        assert "Open http" in line, (self._data.parent / "bot.log").read_text()
        self.url = next(word for word in line.split() if word.startswith("http"))

    async def died(self) -> int:
        assert self.process is not None
        async with asyncio.timeout(_TIMEOUT_S):
            return await self.process.wait()

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            await self.died()


@pytest.fixture(scope="module")
def gemini() -> Iterator[str]:
    """The address of a fake Gemini in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.gemini", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield next(word for word in process.stdout.readline().split() if word.startswith("http")).rstrip("/")
    process.kill()
    process.wait()


@asynccontextmanager
async def bot_in(data: Path, gemini: str, **env: str) -> AsyncIterator[Bot]:
    bot = Bot(data, gemini, **env)
    try:
        yield bot
    finally:
        await bot.stop()


async def post(session: aiohttp.ClientSession, url: str, text: str, **fields: str) -> dict[str, Any]:
    form = aiohttp.FormData({"text": text, **fields}, default_to_multipart=True)
    if "reply_to" not in fields:
        form.add_field("image", CAT, filename="cat.jpg", content_type="image/jpeg")
    headers = {"Idempotency-Key": f"key-{text}"}
    async with session.post(f"{url}api/chats/home/messages", data=form, headers=headers) as response:
        assert response.status == 202, await response.text()
        return dict(await response.json())


async def messages(session: aiohttp.ClientSession, url: str) -> list[dict[str, Any]]:
    async with session.get(f"{url}api/chats/home/messages") as response:
        return list((await response.json())["messages"])


async def answers(session: aiohttp.ClientSession, url: str, *, within_s: float = 40) -> list[dict[str, Any]]:
    """The bot's messages, once all of them are final."""
    async with asyncio.timeout(within_s):
        while True:
            found = [each for each in await messages(session, url) if each["author"]["is_bot"]]
            if found and all(each["state"] in {"done", "refused", "failed", "cancelled"} for each in found):
                return found
            await asyncio.sleep(0.1)


async def calls_of(session: aiohttp.ClientSession, gemini: str) -> int:
    async with session.get(f"{gemini}/_calls") as response:
        return int((await response.json())["posts"])


async def survive(boundary: str, data: Path, gemini: str, text: str = "put a hat on her") -> tuple[int, int]:
    """Post, die there, start again. Gives the pictures in the answers, and the calls of the models."""
    async with bot_in(data, gemini) as bot, aiohttp.ClientSession() as session:
        before = await calls_of(session, gemini)
        await bot.start(boundary)
        with contextlib.suppress(aiohttp.ClientError):  # the connection breaks with the process
            await post(session, bot.url, text)
        assert await bot.died() == -signal.SIGKILL
        await bot.start()
        if boundary.startswith("RedisPageStore.append") or boundary == "RedisMessageStore.record:before":
            # Nothing was acknowledged yet, so it is the page that comes back.
            await post(session, bot.url, text)
        found = await answers(session, bot.url)
        assert [each["state"] for each in found] == ["done"]
        assert found[0]["text"].startswith("AI-edited · Gemini")
        async with session.get(bot.url.rstrip("/") + found[0]["images"][0]["url"]) as image:
            assert image.status == 200
        again = await post(session, bot.url, text)
        assert again["answer_id"] == found[0]["id"]
        shown = [image for each in await answers(session, bot.url) for image in each["images"]]
        return len(shown), await calls_of(session, gemini) - before


def note(boundary: str, answered: int, calls: int) -> None:
    if table := os.environ.get("KILL_TABLE"):
        with Path(table).open("a") as file:
            file.write(f"| {boundary} | {answered} | {calls} |\n")


@pytest.mark.parametrize("boundary", mostly_long(EXACTLY_ONE_CALL))
async def test_killed_outside_the_call_there_is_one_answer_and_one_call(
    boundary: str, tmp_path: Path, gemini: str
) -> None:
    answered, calls = await survive(boundary, tmp_path / "data", gemini)
    note(boundary, answered, calls)
    assert (answered, calls) == (1, 1)


@pytest.mark.parametrize("boundary", mostly_long(AT_MOST_TWO_CALLS))
async def test_killed_during_the_call_there_is_one_answer_and_at_most_two_calls(
    boundary: str, tmp_path: Path, gemini: str
) -> None:
    answered, calls = await survive(boundary, tmp_path / "data", gemini)
    note(boundary, answered, calls)
    assert answered == 1
    assert calls in {1, 2}


@pytest.mark.parametrize("boundary", mostly_long(list(DURING_PROOFREADING)))
async def test_killed_between_two_paid_calls_the_first_is_not_made_again(
    boundary: str, tmp_path: Path, gemini: str
) -> None:
    answered, calls = await survive(boundary, tmp_path / "data", gemini, SIGN)
    note(f"{boundary} (lettering)", answered, calls)
    assert (answered, calls) == (1, DURING_PROOFREADING[boundary])


@pytest.mark.parametrize("boundary", mostly_long(DURING_AN_ALBUM))
async def test_killed_during_an_album_it_is_completed_in_the_same_answer(
    boundary: str, tmp_path: Path, gemini: str
) -> None:
    answered, calls = await survive(boundary, tmp_path / "data", gemini, VARIATIONS)
    note(f"{boundary} (three variations)", answered, calls)
    assert answered == 3
    assert calls in range(3, 7)


async def test_bot_and_database_killed_together_lose_nothing(tmp_path: Path, gemini: str) -> None:
    async with bot_in(tmp_path / "data", gemini) as bot, aiohttp.ClientSession() as session:
        await bot.start()
        first = await post(session, bot.url, "crop to a square")
        await answers(session, bot.url)
        assert bot.process is not None
        os.kill(bot.process.pid, signal.SIGKILL)
        os.kill(database_of(tmp_path / "data"), signal.SIGKILL)
        await bot.died()
        await bot.start()
        assert [each["state"] for each in await answers(session, bot.url)] == ["done"]
        await post(session, bot.url, "rotate 90 degrees", reply_to=first["answer_id"])
        assert [each["state"] for each in await answers(session, bot.url)] == ["done", "done"]


def database_of(data: Path) -> int:
    """The process id of the database server that keeps this folder."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if b"valkey-server" in command and str((folder / "cwd").readlink()).startswith(str(data)):
                return int(folder.name)
    raise LookupError(f"no database for {data}")
