"""What an operator sees of real processes."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.app import at_work, doors_in, in_sight, open_house
from bot.settings import Role, Settings


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def settings_for(**given: object) -> Settings:
    return Settings(**given)  # type: ignore[arg-type]


async def told(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.json() if answer.content_type == "application/json" else await answer.text()


async def test_the_page_tells_whether_it_is_well_and_no_figures(redis_url: str, tmp_path: Path) -> None:
    settings = settings_for(data=tmp_path, port=0, redis_url=SecretStr(redis_url), web_password=SecretStr("let me in"))
    async with (
        open_house(settings) as house,
        in_sight(house),
        doors_in(house, Role.ALL) as page,
        at_work(house),
    ):
        house.health.started()
        parts = {"process": "ok", "redis": "ok", "pictures": "ok"}
        assert await told(f"{page}healthz") == (200, {"status": "ok"})
        assert await told(f"{page}readyz") == (200, {"status": "ready", "parts": parts})
        assert (await told(f"{page}metrics"))[0] in (401, 404)


async def test_a_worker_without_a_page_tells_it_on_a_port_of_its_own(redis_url: str, tmp_path: Path) -> None:
    port = free_port()
    settings = settings_for(data=tmp_path, redis_url=SecretStr(redis_url), metrics_port=port)
    async with open_house(settings) as house, in_sight(house), doors_in(house, Role.WORKER) as page, at_work(house):
        assert page == ""
        assert (await told(f"http://127.0.0.1:{port}/readyz"))[0] == 503
        house.health.started()
        assert (await told(f"http://127.0.0.1:{port}/readyz"))[0] == 200
        assert "python_info" in (await told(f"http://127.0.0.1:{port}/metrics"))[1]
