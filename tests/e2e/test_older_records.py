"""What the version of 2026-11-21 (f52155a) left behind is read, gone on with and finished by this one.

The file holds what its own code wrote into a Valkey and a folder while people used it: finished edits, an album, an
arena, a share, a recipe, a cast, a taste, settings, a question that waits for somebody's yes; and what was under way
when it was stopped."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.arena import Choice
from bot.domain.consent import Say, Standing
from bot.domain.refs import ServerRef, ThreadId
from bot.domain.turns import TurnState
from bot.engines.exact import ExactEngine
from bot.ports import Engine
from tests.chaos.books import left_open
from tests.fakes.engines import ScriptedEngine
from tests.older import Left, left_by
from tests.remnants import Person, open_bytes, pictures_of, remnants
from tests.rig import CAT, Rig, living_in
from tests.values import ANNA, BEN, CHAT

VERSION = "2026-11"


@pytest.fixture
def gemini() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
async def left(redis_url: str, tmp_path: Path) -> Left:
    return await left_by(VERSION, redis_url, tmp_path)


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path, gemini: ScriptedEngine, left: Left) -> AsyncIterator[Rig]:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    address = "https://remix.example/"
    async with living_in(redis_url, tmp_path, engines, web_public_url=address, web_hosts=("remix.example",)) as rig:
        rig.numbers = itertools.count(1000)  # those before are taken
        yield rig


async def test_what_was_under_way_is_finished_and_shown(rig: Rig, left: Left, redis_url: str) -> None:
    names = ("accepted", "child", "broken off", "undelivered")
    ended = [await rig.sees(left.received(name)) for name in names]
    assert [each.state for each in ended] == [TurnState.DONE] * 4
    assert [each.epoch for each in ended] == [1, 1, 2, 1]
    for name in names:
        assert len(await rig.images_of(left.received(name).reply)) == 1
    # What was only heard is answered, and nothing but the question stays open.
    async with Redis.from_url(redis_url, decode_responses=True) as client, asyncio.timeout(15):
        while (await left_open(client))["open"] != [left.names["waiting"]["turn"]] or await client.exists("rb:inbox"):
            await asyncio.sleep(0.05)
    turns = [await rig.house.turns.load(turn) for turn in await rig.house.turns.of_person(ANNA, most=100)]
    answered = [each for each in turns if each is not None and each.turn.origin.message == "recorded"]
    assert [(each.state, each.delivered) for each in answered] == [(TurnState.DONE, True)]


async def test_an_edit_that_waits_for_a_yes_runs_when_it_comes(rig: Rig, left: Left) -> None:
    waiting = left.received("waiting")
    assert [each.user for each in (await rig.waits(waiting)).turn.asks] == [ANNA]
    await rig.answers(waiting, ANNA, Say.ONCE)
    assert (await rig.sees(waiting)).state is TurnState.DONE


async def test_finished_edits_and_albums_are_gone_on_from(rig: Rig, left: Left, gemini: ScriptedEngine) -> None:
    grown = await rig.sees(await rig.says("put a scarf on her", reply_to=left.received("drawn")))
    assert (grown.state, grown.turn.parent) == (TurnState.DONE, left.received("drawn").turn)
    assert [line.instruction for line in grown.turn.story.lines] == ["crop to a square", "put a hat on her"]
    assert "warm light" in gemini.requests[-1].taste
    picked = await rig.sees(await rig.says("rotate 90 degrees", reply_to=left.received("album"), index=1))
    assert (picked.state, picked.turn.parent) == (
        TurnState.DONE,
        (await rig.sees_all(left.received("album")))[1].turn.id,
    )


async def test_recipes_the_cast_shares_and_votes_go_on(rig: Rig, left: Left, gemini: ScriptedEngine) -> None:
    used = await rig.sees(await rig.says("/recipe winter look", [CAT]))
    assert used.state is TurnState.DONE
    made = await rig.sees(await rig.says("put Rex on the red carpet"))
    assert (made.state, gemini.requests[-1].names) == (TurnState.DONE, ("Rex",))
    shared = await rig.house.reception.shared(left.names["token"])
    assert shared is not None
    assert (shared.by, shared.steps) == ("Anna", ("crop to a square",))
    arena = left.received("arena")
    assert "A" in await rig.house.reception.vote(arena.turn, chat=CHAT, by=BEN, choice=Choice.A)


async def test_settings_stand(rig: Rig) -> None:
    chat, server = await rig.house.reception.settings(CHAT, ServerRef("web", "page", "home"))
    assert (chat.suggestions, server.day_microusd) == (False, 5_000_000)
    assert await rig.house.reception.standing(BEN, CHAT) is Standing.HERE
    listed = (await rig.sees(await rig.says("/recipes"))).outcome
    assert listed is not None
    assert [name for _, name in listed.recipes] == ["Winter look"]


async def test_whoever_is_forgotten_by_this_version_is_forgotten_whole(
    rig: Rig, left: Left, redis_url: str, tmp_path: Path
) -> None:
    for name in ("accepted", "child", "broken off", "undelivered"):
        await rig.sees(left.received(name))
    async with open_bytes(redis_url) as client:
        everything = [status for turn in await threads(client) for status in await rig.house.turns.thread(turn)]
        pictures = await pictures_of(ANNA, client, everything)
        anna = Person(("anna",), ("Anna",), ("Winter look", "Rex", "warm light", "with a scarf"), pictures)
        assert len(pictures) > 5
        assert await remnants(client, tmp_path / "pictures", tmp_path, anna) != []
        await rig.house.forget(ANNA)
        left_over = await remnants(client, tmp_path / "pictures", tmp_path, anna)
        # Whose a finished edit was its older row of admission says for as long as that stands: an hour.
        rows = [place.rpartition(": ")[0] for place in left_over]
        assert [row for row in rows if not row.startswith("rb:{adm}:turn:")] == []
        assert max([await client.ttl(row) for row in rows]) <= 3600


async def threads(client: Any) -> list[ThreadId]:
    keys = [key.decode() async for key in client.scan_iter(match="rb:{*}:turns")]
    return [ThreadId(key.partition("{")[2].partition("}")[0]) for key in keys]
