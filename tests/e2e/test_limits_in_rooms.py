"""Limits, waits and allowances as people meet them, through the real house."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from bot.domain.errors import EngineRefused, EngineUnavailable
from bot.domain.turns import TurnState
from bot.domain.words import EXACT_STILL
from bot.engines.exact import ExactEngine
from bot.ports import Allowance
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, living_in
from tests.values import BEN

MODELS = ("flash", "lite")


async def test_who_has_asked_for_enough_within_the_hour_is_told_so_and_exact_edits_go_on(
    redis_url: str, tmp_path: Path
) -> None:
    gemini = ScriptedEngine(script=[EngineRefused("The image model did not want to draw this.")])
    async with living_in(
        redis_url, tmp_path, {"exact": ExactEngine(), "gemini": gemini}, person_hour_turns=1, person_hour_exact=1
    ) as rig:
        states = [(await rig.sees(await rig.says("put a hat on her", [CAT]))).state for _ in range(2)]
        assert states == [TurnState.REFUSED, TurnState.DONE]
        over = await rig.sees(await rig.says("put a scarf on her", [CAT]))
        assert over.outcome is not None
        told = r"You have asked for a lot within the last hour\. You can go on in about 6[0-3] minutes\. "
        assert over.state is TurnState.REFUSED
        assert re.fullmatch(f"{told}{re.escape(EXACT_STILL)}", over.outcome.words)
        assert (await rig.sees(await rig.says("crop to a square", [CAT]))).state is TurnState.DONE
        assert (await rig.sees(await rig.says("crop to a square", [CAT]))).state is TurnState.REFUSED
        assert len(gemini.requests) == 2


async def test_who_waits_in_line_is_told_the_place_and_for_how_long(redis_url: str, tmp_path: Path) -> None:
    go_on = asyncio.Event()
    gemini = ScriptedEngine(script=[go_on], models=MODELS)
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine(), "gemini": gemini}, slots=1) as rig:
        for _ in range(3):
            await rig.house.meter.took("flash", 600.0)
        first = await rig.says("put a hat on her", [CAT])
        second = await rig.says("put a hat on her", [CAT], author=BEN)
        shown = await rig.shown(second.reply)
        assert "Waiting in line." in shown["text"]
        assert "It should begin in about 10 minutes." in shown["text"]
        assert shown["position"] == "1"
        go_on.set()
        assert (await rig.sees(first)).state is TurnState.DONE
        assert (await rig.sees(second)).state is TurnState.DONE
        assert "should begin" not in (await rig.shown(second.reply))["text"]


async def test_an_album_that_waits_in_line_tells_the_place_of_its_first_picture(redis_url: str, tmp_path: Path) -> None:
    go_on = asyncio.Event()
    gemini = ScriptedEngine(script=[go_on], models=MODELS)
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine(), "gemini": gemini}, slots=1) as rig:
        for _ in range(3):
            await rig.house.meter.took("flash", 600.0)
        first = await rig.says("put a hat on her", [CAT])
        album = await rig.says("three variations", [CAT], author=BEN)
        shown = await rig.shown(album.reply)
        assert "It should begin in about 10 minutes." in shown["text"]
        assert shown["position"] == "1"
        go_on.set()
        assert (await rig.sees(first)).state is TurnState.DONE
        assert [each.state for each in await rig.sees_all(album)] == [TurnState.DONE] * 3
        shown = await rig.shown(album.reply)
        assert "should begin" not in shown["text"]
        assert shown["position"] == "null"


async def test_a_chat_that_has_enough_under_way_says_what_a_turn_waits_for(redis_url: str, tmp_path: Path) -> None:
    go_on = asyncio.Event()
    gemini = ScriptedEngine(script=[go_on])
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine(), "gemini": gemini}, chat_turns=1) as rig:
        await rig.says("put a hat on her", [CAT])
        second = await rig.says("put a hat on her", [CAT], author=BEN)
        assert "Waiting for other pictures of this chat to finish." in (await rig.shown(second.reply))["text"]
        go_on.set()
        assert (await rig.sees(second)).state is TurnState.DONE


async def test_a_model_that_asked_for_patience_is_not_asked_by_the_next_turn(redis_url: str, tmp_path: Path) -> None:
    gemini = ScriptedEngine(script=[EngineUnavailable("Too many.", retry_after_s=99)], models=MODELS)
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine(), "gemini": gemini}) as rig:
        for _ in range(2):
            assert (await rig.sees(await rig.says("put a hat on her", [CAT]))).state is TurnState.DONE
    assert [each.model for each in gemini.requests] == ["flash", "lite", "lite"]


async def test_a_used_up_allowance_is_said_and_nothing_is_sent_or_counted(redis_url: str, tmp_path: Path) -> None:
    gemini = ScriptedEngine(models=("flash",), allowances={"flash": Allowance(day_requests=1)})
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine(), "gemini": gemini}) as rig:
        assert (await rig.sees(await rig.says("put a hat on her", [CAT]))).state is TurnState.DONE
        over = await rig.sees(await rig.says("put a hat on her", [CAT], author=BEN))
    assert over.outcome is not None
    told = r"The image model takes no more from this bot for now\. Please try again in about 2[56] hours\."
    assert re.fullmatch(told, over.outcome.words)
    assert (over.state, over.calls, over.outcome.usage.calls, len(gemini.requests)) == (TurnState.FAILED, 0, 0, 1)
