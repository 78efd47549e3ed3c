"""The doors in and the edits in processes of their own, over one database and one image store."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.test_discord_kill import ROOT, answers_to, fake, said, settled
from tests.fakes.discord import FakeDiscord

__all__ = ["fake"]


@asynccontextmanager
async def part(role: str, env: dict[str, str], data: Path) -> AsyncIterator[str]:
    """`remixbot run --role …` in a process of its own; gives the line that it says when it is ready."""
    remixbot = str(Path(sys.executable).parent / "remixbot")
    command = [remixbot, "run", "--role", role, "--port", "0", "--data", str(data / role)]
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
