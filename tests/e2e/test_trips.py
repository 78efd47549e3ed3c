"""How often a turn asks the database: counted, so that it does not creep up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.domain.refs import TurnId
from bot.engines.exact import ExactEngine
from bot.ports import Engine
from storage.redis.client import open_client
from storage.redis.turns import RedisTurnStore
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, Shown, living_in
from tests.trips import Trip, trips

CLAIM, FINISH = "RedisTurnStore.claim", "RedisTurnStore.finish"
PROGRESS = ("RedisChatStore.settings", "RedisPageStore.replace", "RedisTurnStore.load")
"""What shows that it runs, beside the turn itself."""


def at_work(turn: TurnId, found: Sequence[Trip]) -> list[Trip]:
    """From the claim on, which brings the turn, up to the commit. What the hall still does beside is left out."""
    own = [each for each in found if each.turn == turn]
    steps = [each.steps for each in own]
    first, last = steps.index((CLAIM,)) + 1, steps.index((FINISH,)) + 1
    return [
        each for each in own[first:last] if each.stages[:1] in (("work",), ("finish",)) and "engine" not in each.stages
    ]


async def test_a_turn_takes_three_trips_to_load_to_store_and_to_finish(redis_url: str, tmp_path: Path) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": ScriptedEngine()}
    async with living_in(redis_url, tmp_path, engines) as rig:
        await rig.sees(await rig.says("put a hat on her", [CAT]))
        shown = Shown(rig)
        with trips() as found:
            first = await rig.says("put a scarf on her", [CAT])
            await shown.reach(1)
            second = await rig.says("and now a coat", reply_to=first)
            await shown.reach(2)
            for each in (first, second):
                made = at_work(each.turn, found)
                progress = [trip for trip in made if len(trip.steps) == 1 and trip.steps[0] in PROGRESS]
                assert [trip.steps[0] for trip in progress] == list(PROGRESS), made
                load, store, finish = (trip for trip in made if trip not in progress)
                # Whether they may, whose picture was taken back, what the chat has set: asked together.
                assert {"RedisChatStore.decided", "RedisConsentStore.withdrawn"} < set(load.steps)
                assert store.steps == ("RedisImageLedger.keep",)
                assert finish.steps == (FINISH,)


async def test_what_is_sent_and_received_is_counted(redis_url: str) -> None:
    client = open_client(redis_url)
    turns = RedisTurnStore(client, retention_s=1000)
    await turns.load(TurnId("nobody-knows"))  # the connection is there from now on
    with trips() as found:
        await turns.load(TurnId("nobody-0"))
        await asyncio.gather(*(turns.load(TurnId(f"nobody-{n}")) for n in range(3)))
    await client.aclose()
    alone, together = found
    assert (alone.steps, alone.commands) == (("RedisTurnStore.load",), ("hgetall",))
    assert (together.steps, together.commands) == (alone.steps * 3, alone.commands * 3)
    assert together.sent_bytes == alone.sent_bytes * 3 > 0
    assert together.received_bytes == alone.received_bytes * 3 > 0
