"""The doors in and the edits in processes of their own, over one database and one image store."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.e2e.test_discord_kill import ROOT, answers_to, fake, said, settled
from tests.fakes.discord import FakeDiscord
from tests.fakes.telegram import FakeTelegram
from tests.rig import CAT

__all__ = ["fake"]


@asynccontextmanager
async def part(role: str, env: dict[str, str], data: Path) -> AsyncIterator[str]:
    """`remixbot run --role …` in a process of its own; gives the line that it says when it is ready."""
    remixbot = str(Path(sys.executable).parent / "remixbot")
    command = [remixbot, "run", "--role", role, "--port", "0", "--data", str(data / role)]
    await asyncio.to_thread(data.mkdir, exist_ok=True)
    with (data / f"{role}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=os.environ | env, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            yield (await process.stdout.readline()).decode()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def test_a_gateway_hears_and_a_worker_without_a_gateway_answers(
    fake: FakeDiscord, redis_url: str, tmp_path: Path
) -> None:
    channel, anna = fake.guild("Friends").channel("pictures"), fake.user("Anna")
    env = {
        "REDIS_URL": redis_url,
        "IMAGE_STORE_URL": str(tmp_path / "pictures"),
        "DISCORD_TOKEN": fake.token,
        "DISCORD_API_BASE": fake.api_base,
        "DISCORD_GATEWAY_URL": fake.gateway_url,
    }
    async with part("gateway", env, tmp_path) as heard:
        await fake.until(lambda: fake.gateway.connected, within_s=20)
        message = await said(fake, anna, channel, "crop to a square")
        (reply,) = await fake.until(lambda: answers_to(message), within_s=20)
        await fake.until(lambda: "line" in reply.content, within_s=20)
        async with part("worker", env, tmp_path) as worked:
            assert await settled(fake, message) == [reply]
    assert "http://" in heard
    assert "http://" not in worked
    assert len(fake.gateway.identifies) == 1


@asynccontextmanager
async def one_address(parts: list[str]) -> AsyncIterator[tuple[str, Counter[str]]]:
    """A public address that calls each of these processes in turn, as a balancer does. Counts what each was called."""
    called: Counter[str] = Counter()

    async def pass_on(request: web.Request) -> web.Response:
        part = parts[sum(called.values()) % len(parts)]
        called[part] += 1
        async with aiohttp.ClientSession() as session:
            headers = {name: value for name, value in request.headers.items() if name.startswith("X-Telegram")}
            async with session.post(f"{part}telegram", data=await request.read(), headers=headers) as answer:
                return web.Response(status=answer.status)

    app = web.Application()
    app.router.add_post("/telegram", pass_on)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", called
    finally:
        await runner.cleanup()


async def test_two_gateways_on_one_webhook_and_a_worker_answer_each_message_once(
    redis_url: str, tmp_path: Path
) -> None:
    parts: list[str] = []
    async with AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(FakeTelegram())
        address, called = await stack.enter_async_context(one_address(parts))
        env = {
            "REDIS_URL": redis_url,
            "IMAGE_STORE_URL": str(tmp_path / "pictures"),
            "TELEGRAM_TOKEN": telegram.token,
            "TELEGRAM_API_BASE": telegram.api_base,
            "TELEGRAM_WEBHOOK_URL": address,
        }
        for line in await asyncio.gather(
            stack.enter_async_context(part("gateway", env, tmp_path)),
            stack.enter_async_context(part("gateway", env, tmp_path / "second")),
            stack.enter_async_context(part("worker", env, tmp_path)),
        ):
            parts += [word for word in line.split() if word.startswith("http")]
        await telegram.until(lambda: telegram.asked("setWebhook"), within_s=20)
        people = [telegram.user(f"Person {number}") for number in range(6)]
        homes = [telegram.private(person) for person in people]
        for person, home in zip(people, homes, strict=True):
            await person.says(home, "crop to a square", photo=CAT)
        await telegram.until(
            lambda: all(any(m.kind == "photo" and m.author is telegram.bot for m in home.messages()) for home in homes),
            within_s=30,
        )
    assert [len(home.messages()) for home in homes] == [2] * 6
    assert (sorted(called) == sorted(parts), len(parts), telegram.floods_caused) == (True, 2, 0)
