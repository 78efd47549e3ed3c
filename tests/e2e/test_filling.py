"""One answer is filled by one process at a time; and by another one once that is gone, or has left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.web.outbound import WebPlatform
from bot.app import House
from bot.domain.errors import ChatClosed
from bot.domain.messages import Answer
from bot.domain.refs import MessageRef
from bot.domain.turns import FINAL_STATES, TurnState
from bot.turns import Workshop
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, Rig, living_in
from tests.values import ANNA, CHAT


@dataclass
class Fillings:
    """Final answers that were filled in, each held until `go_on`; `fails` are raised first."""

    seen: list[MessageRef] = field(default_factory=list[MessageRef])
    began: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    fails: list[Exception] = field(default_factory=list[Exception])


@pytest.fixture
def fillings(monkeypatch: pytest.MonkeyPatch) -> Fillings:
    watched, original = Fillings(), WebPlatform.fill

    async def fill(self: WebPlatform, reply: MessageRef, answer: Answer) -> None:
        if answer.state in FINAL_STATES:
            watched.seen.append(reply)
            watched.began.set()
            if watched.fails:
                raise watched.fails.pop()
            await watched.go_on.wait()
        await original(self, reply, answer)

    monkeypatch.setattr(WebPlatform, "fill", fill)
    return watched


@pytest.fixture
async def other(redis_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Another process of the fleet, which does nothing by itself."""
    async with living_in(redis_url, tmp_path, working=False) as rig:
        yield rig.house


async def looks(house: House) -> None:
    """As it does every few seconds, at a turn that is older than the grace."""
    async with asyncio.timeout(20):  # what it fills by mistake is held up
        await house.reconciler.look(grace_s=1e-9)


async def test_an_answer_that_takes_long_to_fill_is_left_to_whoever_fills_it(
    redis_url: str, tmp_path: Path, other: House, fillings: Fillings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with living_in(redis_url, tmp_path) as rig:
        monkeypatch.setattr(rig.house.turns, "_life_s", 0.4)
        monkeypatch.setattr(rig.house.workshop, "_beat_s", 0.1)
        asked = await rig.says("crop to a square", [CAT])
        await fillings.began.wait()
        for _ in range(10):
            await asyncio.gather(looks(other), looks(rig.house))
            await asyncio.sleep(0.1)
        assert fillings.seen == [asked.reply]
        fillings.go_on.set()
        assert (await rig.sees(asked)).state is TurnState.DONE
    assert fillings.seen == [asked.reply]


async def test_a_cancelled_turn_is_filled_by_whoever_cancelled_it(
    rig: Rig, gemini: ScriptedEngine, other: House, fillings: Fillings
) -> None:
    gemini.script = [asyncio.Event()]
    asked = await rig.says("put a hat on her", [CAT])
    while not gemini.requests:  # its progress stands there by then
        await asyncio.sleep(0.01)
    cancelling = asyncio.create_task(rig.house.hall.cancel(asked.turn, chat=CHAT, by=ANNA))
    await fillings.began.wait()
    await looks(other)
    assert fillings.seen == [asked.reply]
    fillings.go_on.set()
    assert await cancelling
    assert (await rig.sees(asked)).state is TurnState.CANCELLED


async def test_what_is_concluded_at_once_is_filled_once(rig: Rig, other: House, fillings: Fillings) -> None:
    asking = asyncio.create_task(rig.says("/help"))
    await fillings.began.wait()
    await looks(other)
    fillings.go_on.set()
    asked = await asking
    assert (await rig.sees(asked)).delivered
    assert fillings.seen == [asked.reply]


@pytest.mark.parametrize("error", [ChatClosed("No."), ConnectionError("away")])
async def test_what_could_not_be_filled_is_anybodys_at_once(
    redis_url: str,
    tmp_path: Path,
    other: House,
    fillings: Fillings,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fillings.fails = [error]
    fillings.go_on.set()
    async with living_in(redis_url, tmp_path) as rig:
        monkeypatch.setattr(rig.house.reconciler, "_grace_s", 60.0)
        asked = await rig.says("crop to a square", [CAT])
        await fillings.began.wait()
        await rig.house.workshop.idle()
        await looks(other)
        status = await rig.house.turns.load(asked.turn)
    assert status is not None
    assert (status.delivered, fillings.seen) == (True, [asked.reply] * 2)


async def test_what_a_worker_that_is_told_to_stop_has_not_filled_is_anybodys_at_once(
    redis_url: str, tmp_path: Path, other: House, fillings: Fillings
) -> None:
    async with living_in(redis_url, tmp_path) as rig:
        asked = await rig.says("crop to a square", [CAT])
        await fillings.began.wait()
    fillings.go_on.set()
    await looks(other)
    status = await other.turns.load(asked.turn)
    assert status is not None
    assert (status.delivered, fillings.seen) == (True, [asked.reply] * 2)


async def test_a_worker_that_is_told_to_stop_before_it_fills_leaves_it_to_others(
    redis_url: str, tmp_path: Path, other: House, fillings: Fillings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, original = asyncio.Event(), Workshop._settle

    async def settle(self: Workshop, status: object) -> None:
        reached.set()
        if self is rig.house.workshop:
            await asyncio.Event().wait()
        await original(self, status)  # type: ignore[arg-type]

    monkeypatch.setattr(Workshop, "_settle", settle)
    fillings.go_on.set()
    async with living_in(redis_url, tmp_path) as rig:
        asked = await rig.says("crop to a square", [CAT])
        await reached.wait()
    await looks(other)
    status = await other.turns.load(asked.turn)
    assert status is not None
    assert (status.delivered, fillings.seen) == (True, [asked.reply])


async def test_whoever_starts_alone_fills_at_once_what_the_dead_one_had_begun(
    redis_url: str, tmp_path: Path, fillings: Fillings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_more(*_: object) -> None: ...

    with monkeypatch.context() as dying:
        dying.setattr("storage.redis.turns.RedisTurnStore.leave_filling", no_more)  # killed, it gives nothing back
        async with living_in(redis_url, tmp_path) as rig:
            asked = await rig.says("crop to a square", [CAT])
            await fillings.began.wait()
    fillings.go_on.set()
    async with living_in(redis_url, tmp_path, working=False) as rig:
        await looks(rig.house)
        assert fillings.seen == [asked.reply]
        await rig.house.reconciler.look(grace_s=0)
        assert (await rig.sees(asked)).delivered
