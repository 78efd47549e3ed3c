"""Whether a process is well, as programs ask it over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from adapters.sight.server import serve_sight
from bot.domain.errors import RemixError
from bot.sight.health import Health, standing


async def nothing() -> None:
    pass


@pytest.fixture
def health() -> Health:
    return Health(kept_s=0, patience_s=0.05)


@pytest.fixture
async def address(health: Health) -> AsyncIterator[str]:
    async with serve_sight(health, look=nothing, host="127.0.0.1", port=0) as port:
        yield f"http://127.0.0.1:{port}"


async def asked(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.json()


async def test_a_process_lives_before_it_is_ready(address: str, health: Health) -> None:
    assert await asked(f"{address}/healthz") == (200, {"status": "ok"})
    status, told = await asked(f"{address}/readyz")
    assert (status, told["parts"]) == (503, {"process": "it is still starting"})
    health.started()
    assert await asked(f"{address}/readyz") == (200, {"status": "ready", "parts": {"process": "ok"}})


async def test_a_process_that_stops_takes_nothing_more(address: str, health: Health) -> None:
    health.started()
    health.stopping()
    assert (await asked(f"{address}/readyz"))[0] == 503
    assert (await asked(f"{address}/healthz"))[0] == 200


async def test_the_part_that_does_not_work_is_named_and_its_address_is_not(address: str, health: Health) -> None:
    async def fails() -> str:
        raise ConnectionError("redis://secret@10.0.0.7:6379 does not answer")

    async def hangs() -> str:
        await asyncio.Event().wait()
        return ""

    health.started()
    health.watch("redis", fails)
    health.watch("pictures", hangs)
    health.watch("discord", standing(lambda: ""))
    silent = "it does not answer"
    parts = {"process": "ok", "redis": silent, "pictures": silent, "discord": "ok"}
    assert await asked(f"{address}/readyz") == (503, {"status": "not ready", "parts": parts})


async def test_who_asks_often_has_nothing_looked_at_twice() -> None:
    looked: list[int] = []

    async def look() -> str:
        looked.append(1)
        return ""

    health = Health(kept_s=60)
    health.watch("redis", look)
    await asyncio.gather(*(health.verdict() for _ in range(20)))
    assert len(looked) == 1


async def test_figures_are_told_in_prometheus_own_format(address: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{address}/metrics") as answer:
        assert answer.content_type == "text/plain"
        assert "process_resident_memory_bytes" in await answer.text()


async def test_a_port_that_is_taken_is_said_in_words(address: str, health: Health) -> None:
    port = int(address.rpartition(":")[2])
    with pytest.raises(RemixError, match=f"METRICS_PORT {port} cannot be used"):
        async with serve_sight(health, look=nothing, host="127.0.0.1", port=port):
            pass
