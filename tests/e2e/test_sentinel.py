"""A master that dies, and what was accepted before: a real sentinel names its replica, and the house goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from bot.domain.messages import InboundMessage, Received
from bot.domain.turns import TurnState
from storage.redis.client import StateUnavailable, check_server, open_client
from tests.rig import CAT, COFFEE, Rig, living_in
from tests.valkeys import Watched, wait_until, watched


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path / "servers", down_after_ms=1000) as made:
        yield made


async def test_when_the_master_dies_its_replica_takes_over_and_nothing_accepted_is_lost(
    servers: Watched, tmp_path: Path
) -> None:
    async with living_in(servers.url, tmp_path / "data") as rig:
        before = await rig.says("crop to a square", [CAT])
        first = await rig.sees(before)
        message = await rig.message("make it grey", [COFFEE])
        held = await rig.says("rotate 90 degrees", reply_to=before)
        wait_until(servers.has_caught_up)
        servers.master.end()
        await asyncio.to_thread(wait_until, lambda: servers.leads(servers.replica))
        assert (await rig.sees(held, within_s=60)).state is TurnState.DONE
        after = await received(rig, message)
        assert (await rig.sees(after, within_s=60)).state is TurnState.DONE
        assert [each.turn.id for each in await rig.house.turns.thread(first.turn.thread)] == [before.turn, held.turn]


async def received(rig: Rig, message: InboundMessage) -> Received:
    """Handed in again while no master is named, as platforms and the reconciler do."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(RedisError):
                return await rig.house.hall.receive(message)
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis+sentinel://127.0.0.1:26379", "names no service"),
        ("redis+sentinel:///remixbot", "names no sentinel"),
        ("http://127.0.0.1", "cannot be read"),
    ],
)
def test_an_address_that_cannot_be_read_is_said_in_words(url: str, words: str) -> None:
    with pytest.raises(StateUnavailable, match=words):
        open_client(url)


async def test_that_a_failover_may_lose_what_was_accepted_is_said(servers: Watched) -> None:
    async with open_client(servers.url) as client:
        assert await check_server(client) == ()
        servers.master.asked("CONFIG", "SET", "min-replicas-to-write", "0")
        (trouble,) = await check_server(client)
        assert "min-replicas-to-write 1" in trouble
