"""Two gateways and a worker, as real processes: each gateway hears some shards, and takes over the other's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.test_discord_kill import answers_to, said
from tests.fakes.discord import Channel, FakeDiscord
from tests.fleet import Fleet, Process
from tests.rig import CAT

__all__ = ["CAT"]


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        fake.gateway.shards = fake.gateway.max_concurrency = 2
        yield fake


def channel_on(fake: FakeDiscord, shard: int) -> Channel:
    """In a server that this shard hears."""
    while (int((guild := fake.guild("Friends")).id) >> 22) % 2 != shard:
        pass
    return guild.channel("pictures")


def hears_some(gateway: Process) -> bool:
    return "hearing shard" in gateway.log.read_text()


def heard(fake: FakeDiscord) -> list[int]:
    """The shards that are connected."""
    return sorted(each.shard[0] for each in fake.gateway.connected)


@pytest.mark.chaos
async def test_a_gateway_that_is_killed_loses_and_doubles_nothing(fake: FakeDiscord, tmp_path: Path) -> None:
    chats, anna = [channel_on(fake, 0), channel_on(fake, 1)], fake.user("Anna")
    env = {
        "DISCORD_TOKEN": fake.token,
        "DISCORD_API_BASE": fake.api_base,
        "DISCORD_GATEWAY_URL": fake.gateway_url,
    }
    async with Fleet(tmp_path, gateways=2, workers=1, env=env) as fleet:
        await fake.until(
            lambda: all(hears_some(each) for each in fleet.gateways) and heard(fake) == [0, 1], within_s=30
        )
        before = [await said(fake, anna, chat, "crop to a square") for chat in chats]
        # From then on these chats are known, and what is written there while nobody hears is read later.
        await fake.until(lambda: all(answers_to(each) for each in before), within_s=30)
        await fleet.gateways[0].kill()
        # The killed one heard a shard, which nobody hears now.
        (left,) = await fake.until(lambda: len(heard(fake)) == 1 and heard(fake))
        assert f"shard={1 - left}" not in fleet.gateways[1].log.read_text().rpartition("leaving shard")[2]
        while_away = [await said(fake, anna, chat, "rotate 90 degrees") for chat in chats]
        await fake.until(lambda: heard(fake) == [0, 1], within_s=30)
        after = [await said(fake, anna, chat, "make it grey") for chat in chats]
        asked = [*before, *while_away, *after]
        await fake.until(lambda: all(any(a.attachments for a in answers_to(each)) for each in asked), within_s=60)
        assert [len(answers_to(each)) for each in asked] == [1] * 6
        assert await fleet.gateways[1].term() == 0
        assert heard(fake) == []
