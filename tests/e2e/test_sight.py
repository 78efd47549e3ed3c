"""What an operator sees of real processes."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot import top
from bot.app import at_work, doors_in, in_sight, open_house
from bot.checkup import checkup
from bot.settings import Role, Settings
from bot.sight.lately import LATELY
from tests.rig import CAT


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


async def test_top_and_the_doctor_see_a_process_and_its_turns_by_the_database_alone(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(data=tmp_path, port=0, redis_url=SecretStr(redis_url))
    monkeypatch.setattr(LATELY, "_minutes", {})  # without what other tests ended in this process
    async with (
        open_house(settings) as house,
        in_sight(house),
        doors_in(house, Role.ALL) as page,
        at_work(house),
        aiohttp.ClientSession() as session,
    ):
        house.health.started()
        form = aiohttp.FormData({"text": "rotate 90 degrees"})
        form.add_field("image", CAT, filename="cat.png", content_type="image/png")
        async with session.post(f"{page}api/chats/home/messages", data=form) as answer:
            turn = (await answer.json())["turn_id"]
        async with open_house(settings, slots=1) as elsewhere, asyncio.timeout(30):
            seen = await top.look(elsewhere)
            while not seen["ended"]:
                await asyncio.sleep(0.1)
                seen = await top.look(elsewhere)
            found = {(each.what, each.ok) for each in await checkup(elsewhere)}
    assert seen["ended"] == {"web|exact|done": 1}
    assert [each["role"] for each in seen["processes"]] == ["all"]
    assert (seen["open"], seen["stuck"], seen["running"], turn in str(seen)) == (0, [], [], False)
    assert json.loads(json.dumps(seen)) == seen
    shown = "\n".join(top.lines(seen))
    assert "web exact done" in shown
    assert "0 of 8 in use" in shown
    assert {("database", True), ("clock", True), ("disk", True), ("processes", True)} <= found
