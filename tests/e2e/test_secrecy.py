"""A whole run of real processes on all three platforms, with everything going wrong that can, at the level `debug`: no
secret stands in anything that was written, kept or shown; what people wrote, and their pictures, stand in no log.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from redis.asyncio import Redis

from tests.e2e.secrecy import files_in, leaks, pictures_in, values_in, with_their_parts
from tests.fakes.discord import FakeDiscord
from tests.fakes.gemini import FakeGemini, drops, fails, garbles, hangs, refuses
from tests.fakes.telegram import FakeTelegram
from tests.fleet import ROOT, Valkey, Wire
from tests.rig import CAT

_LONGEST_S = 100.0
"""For anything: the machine may be busy."""
WORDS = {
    "words on Discord": "put a zebraquartz hat on her",
    "words on Telegram": "put a walrusbasalt hat on her",
    "words on the page": "put a gnupyrite hat on her",
    "words that fail": "put a tapiropal hat on her",
    "a file's name": "cat-of-lemurjade.jpg",
    "a person's name": "Annalemming",
}
SECRETS = {
    "the page's password": "p4ge pass/word+of=this&run",
    "Google's key": "AIza-google-key-of-this-run-000000000000",
    "Redis' password": "r3dis-pass-of-this-run",
}


@dataclass
class Run:
    """One process, and all that it writes."""

    folder: Path
    env: Mapping[str, str]
    name: str
    process: asyncio.subprocess.Process = field(init=False)
    url: str = ""

    @property
    def out(self) -> Path:
        return self.folder / f"{self.name}.out"

    async def start(self, *, until: str = "Remixbot is ready") -> None:
        self.folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "tests.e2e.victim", "-", "run", "--port", "0"]
        with self.out.open("ab") as out, (self.folder / f"{self.name}.err").open("ab") as err:
            self.process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env={**os.environ, **self.env}, stdout=out, stderr=err
            )
        async with asyncio.timeout(_LONGEST_S):
            while until not in self.written():
                assert self.process.returncode is None or not until, self.written()
                await asyncio.sleep(0.05)
        self.url = next((word for word in self.out.read_text().split() if word.startswith("http")), "")

    def written(self) -> str:
        return "".join(path.read_text(errors="replace") for path in self.folder.glob(f"{self.name}.*"))

    async def ended(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(_LONGEST_S):
            await self.process.wait()


async def answered(session: aiohttp.ClientSession, url: str, count: int) -> None:
    """Wait until so many messages of the page have their answer."""
    async with asyncio.timeout(_LONGEST_S):
        while True:
            async with session.get(f"{url}api/chats/home/messages") as response:
                found = [each for each in (await response.json())["messages"] if each["author"]["is_bot"]]
            if len(found) >= count and all(each["state"] not in {"waiting", "running", "accepted"} for each in found):
                return
            await asyncio.sleep(0.1)


async def say(session: aiohttp.ClientSession, url: str, words: str) -> int:
    form = aiohttp.FormData({"text": words}, default_to_multipart=True)
    form.add_field("image", CAT, filename=WORDS["a file's name"], content_type="image/jpeg")
    async with session.post(f"{url}api/chats/home/messages", data=form) as response:
        return response.status


async def on_the_page(url: str, gemini: FakeGemini, wire: Wire) -> list[tuple[str, bytes]]:
    """Everything that can be done there, and what was shown."""
    shown: list[tuple[str, bytes]] = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        for password in ("a-wrong-guess-of-somebody", SECRETS["the page's password"]):
            given = {"password": password, "name": WORDS["a person's name"]}
            async with session.post(f"{url}api/session", json=given) as response:
                shown.append(("/api/session", await response.read()))
        strange = (
            b'--x\r\nContent-Disposition: form-data; na"me='
            + WORDS["a file's name"].encode()
            + b"\r\n\r\nx\r\n--x--\r\n"
        )
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        async with session.post(f"{url}api/chats/home/messages", data=strange, headers=kind) as response:
            shown.append(("a strange form", await response.read()))
        assert await say(session, url, WORDS["words on the page"]) == 202
        await answered(session, url, 1)
        troubles = (fails(401, "UNAUTHENTICATED"), fails(500, "INTERNAL"), garbles(), drops(), refuses())
        gemini.then(*troubles, hangs())
        for number, _ in enumerate((*troubles, "hangs"), 2):
            assert await say(session, url, f"{WORDS['words that fail']} {number}") == 202
            await answered(session, url, number)
        wire.cut()
        status = await say(session, url, WORDS["words that fail"])
        assert status >= 500
        wire.mend()
        paths = (
            "",
            "words.json",
            "verify",
            "metrics",
            "healthz",
            "readyz",
            "api/session",
            "api/chats/home/messages",
            "s/x",
        )
        for path in (*paths, "nowhere", "api/chats/home/messages/none"):
            async with session.get(f"{url}{path}") as response:
                shown.append((f"/{path}", await response.read() + repr(response.raw_headers).encode()))
    return shown


@contextlib.asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[tuple[FakeDiscord, FakeTelegram, FakeGemini, Wire, Valkey]]:
    folder.mkdir()  # noqa: ASYNC240
    valkey = Valkey(folder)
    async with FakeDiscord() as discord, FakeTelegram() as telegram, FakeGemini() as gemini, Wire(valkey.port) as wire:
        await valkey.start()
        try:
            async with valkey.client() as client:
                await client.config_set("requirepass", SECRETS["Redis' password"])
            yield discord, telegram, gemini, wire, valkey
        finally:
            await valkey.away()


async def test_no_secret_is_written_anywhere_and_nothing_of_people_in_a_log(tmp_path: Path) -> None:
    async with servers(tmp_path / "servers") as (discord, telegram, gemini, wire, valkey):
        redis_password = SECRETS["Redis' password"]
        env = {
            "DATA": str(tmp_path / "data"),
            "LOG_LEVEL": "debug",
            "WEB_PASSWORD": SECRETS["the page's password"],
            "GEMINI_API_KEY": SECRETS["Google's key"],
            "GEMINI_API_BASE": gemini.url,
            "GEMINI_TIMEOUT_S": "2",
            "GEMINI_FALLBACK_MODELS": "none",
            "GEMINI_TEXT_MODEL": "none",
            "REDIS_URL": f"redis://:{redis_password}@127.0.0.1:{wire.port}/0",
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_BASE": discord.api_base,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "TELEGRAM_TOKEN": telegram.token,
            "TELEGRAM_API_BASE": telegram.api_base,
        }
        secrets = with_their_parts({**SECRETS, "Discord's token": discord.token, "Telegram's token": telegram.token})
        run = Run(tmp_path / "logs", env, "bot")
        try:
            await run.start()
            shown = await on_three_platforms(run, discord, telegram, gemini, wire)
        finally:
            await run.ended()
        await strangers_and_wrong_secrets(tmp_path / "logs", env, secrets)
        async with Redis.from_url(valkey.url, password=SECRETS["Redis' password"]) as client:
            kept = await values_in(client)
    logs = list(files_in(tmp_path / "logs"))
    assert leaks(secrets, [*logs, *shown, *kept, *files_in(tmp_path / "data")]) == []
    assert leaks(WORDS, logs) == []
    assert [found for _, data in logs for found in pictures_in(data)] == []
    # All of it was really looked at, and things really went wrong.
    assert leaks({"words": "gnupyrite"}, kept)
    assert b"Traceback" not in shown[0][1]
    said = b"".join(data for _, data in logs)
    assert len(said.splitlines()) > 20
    assert b"gemini call failed" in said


async def on_three_platforms(
    run: Run, discord: FakeDiscord, telegram: FakeTelegram, gemini: FakeGemini, wire: Wire
) -> list[tuple[str, bytes]]:
    await discord.until(lambda: discord.gateway.connected, within_s=30)
    channel, anna = discord.guild("Friends").channel("pictures"), discord.user(WORDS["a person's name"])
    file = (WORDS["a file's name"], CAT)
    await anna.says(channel, WORDS["words on Discord"], files=[file], mentions=[discord.bot])
    await discord.until(
        lambda: any(each.attachments and each.author.is_the_bot for each in channel.messages()), within_s=_LONGEST_S
    )
    person = telegram.user(WORDS["a person's name"])
    home = telegram.private(person)
    telegram.fail("sendMessage", times=1)
    await person.says(home, WORDS["words on Telegram"], photo=CAT)
    await telegram.until(
        lambda: any(each.kind == "photo" and each.author is telegram.bot for each in home.messages()),
        within_s=_LONGEST_S,
    )
    return await on_the_page(run.url, gemini, wire)


async def strangers_and_wrong_secrets(folder: Path, env: Mapping[str, str], secrets: dict[str, str]) -> None:
    """Processes that are given wrong ones, which they complain about. What is wrong now may have been right once."""
    wrong_token = f"{env['TELEGRAM_TOKEN'].partition(':')[0]}:AAwrong-token-of-this-run-{'x' * 20}"
    head, middle, _ = env["DISCORD_TOKEN"].split(".")
    wrong = {
        "wrong Redis": {"REDIS_URL": env["REDIS_URL"].replace("r3dis", "wr0ng")},
        "wrong tokens": {
            "TELEGRAM_TOKEN": wrong_token,
            "DISCORD_TOKEN": f"{head}.{middle}.wrong-key-of-this-run-{'y' * 20}",
        },
    }
    secrets |= {
        "a wrong token": wrong_token,
        "another": "wrong-key-of-this-run",
        "a wrong password": "wr0ng-pass-of-this-run",
    }
    for number, (name, given) in enumerate(wrong.items()):
        run = Run(folder, {**env, **given, "DATA": f"{env['DATA']}-{number}"}, name)
        await run.start(
            until={"wrong Redis": "it refused the password", "wrong tokens": "refuses TELEGRAM_TOKEN"}[name]
        )
        await run.ended()


def test_a_leak_that_is_planted_is_found(tmp_path: Path) -> None:
    secrets = with_their_parts({**SECRETS, "a token": "123456:AAtoken-of-this-test"})
    (tmp_path / "clean.log").write_text("turn t-1 concluded, state=done")
    assert leaks(secrets, files_in(tmp_path)) == []
    for name, text in {
        "a.log": "POST /bot123456:AAtoken-of-this-test/getMe",
        "b.log": "at AAtoken-of-this-test",
        "c.log": "p4ge%20pass%2Fword%2Bof%3Dthis%26run",
        "d.log": "YTpBSXphLWdvb2dsZS1rZXktb2YtdGhpcy1ydW4tMDAwMDAwMDAwMDAw",
    }.items():
        (tmp_path / name).write_text(text)
    found = leaks(secrets, files_in(tmp_path))
    assert {each.split(" in ")[1] for each in found} == {"a.log", "b.log", "c.log", "d.log"}
    assert pictures_in(b"\x89PNG\x0d\x0a\x1a") == ["0x1a"]
    assert pictures_in(b"A" * 500)
    assert pictures_in("a usual line – with “quotes”\n".encode()) == []
