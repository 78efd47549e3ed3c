"""Reading what was missed, over a history that is slow or fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

import pytest
import structlog

from adapters.discord import catching_up
from adapters.discord.api import Rejected, TokenRefused, Unavailable
from adapters.discord.catching_up import CHATS_AT_ONCE, MARGIN_S, CatchingUp, Ledger
from adapters.discord.inbound import Payload, created_at, snowflake_at
from adapters.discord.refs import chat_ref
from bot.domain.refs import ChatRef
from bot.ending import end
from storage.redis.client import open_client
from storage.redis.discord import RedisDiscordStore

US, DAY_S = "9000", 24 * 3600
CHATS = [chat_ref(US, number) for number in range(10)]


@dataclass
class SlowPast:
    """`adapters.discord.catching_up.Past`: one message in each chat, once it is let go. `fails` as often as it says."""

    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    fails: dict[ChatRef, int] = field(default_factory=dict)
    refuses: dict[ChatRef, Exception] = field(default_factory=dict)
    talked: list[tuple[ChatRef, str]] = field(default_factory=list)
    asked: int = 0
    asked_after: dict[ChatRef, int] = field(default_factory=dict)
    at_once: int = 0
    most_at_once: int = 0

    def hears(self, shard: int, server: str) -> bool:
        return shard == 0

    async def server_of(self, chat: ChatRef) -> str:
        return ""

    def newest(self, chat: ChatRef) -> int | None:
        return None

    def talked_in(self, shard: int, *, after: int) -> Sequence[tuple[ChatRef, str]]:
        self.talked_after = after
        return self.talked

    async def history(self, chat: ChatRef, server: str, *, after: int, limit: int) -> Sequence[Payload]:
        self.at_once += 1
        self.asked += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.asked_after[chat] = after
        await self.goes_on.wait()
        self.at_once -= 1
        if chat in self.refuses:
            raise self.refuses[chat]
        if self.fails.get(chat, 0):
            self.fails[chat] -= 1
            raise ConnectionError("away")
        return [{"id": str(after + 1), "channel_id": chat.chat}]


@dataclass
class Scene:
    store: RedisDiscordStore
    past: SlowPast = field(default_factory=SlowPast)
    ledger: Ledger = field(default_factory=Ledger)
    taken: list[Payload] = field(default_factory=list)
    has_room: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.has_room.set()
        self.catching_up = CatchingUp(
            self.store, self.past, self.taken.append, account=US, ledger=self.ledger, room=self.room
        )

    async def room(self) -> None:
        await self.has_room.wait()


@pytest.fixture
async def scene(redis_url: str) -> AsyncGenerator[Scene]:
    client = open_client(redis_url)
    yield Scene(RedisDiscordStore(client, retention_s=3600))
    await client.aclose()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


async def test_nothing_is_noted_of_a_shard_that_began_anew_while_it_was_read(scene: Scene) -> None:
    await scene.store.mark(CHATS[0], 5)
    await scene.store.note_alive(US, 0, before := time.time() - 3600)
    scene.catching_up.begin(0)
    reading = asyncio.create_task(scene.catching_up.read(0))
    await until(lambda: scene.past.asked_after)
    scene.catching_up.begin(0)
    scene.past.goes_on.set()
    await reading
    await scene.catching_up.note()
    assert await scene.store.alive(US, 0) == before

    await scene.catching_up.read(0)
    await scene.catching_up.note()
    assert (await scene.store.alive(US, 0) or 0.0) > before


async def test_a_process_that_dies_before_it_has_read_anything_leaves_since_when_somebody_listened(
    scene: Scene,
) -> None:
    await scene.store.mark(CHATS[0], 5)
    began = time.time()
    scene.catching_up.begin(0)
    reading = asyncio.create_task(scene.catching_up.read(0))
    await until(lambda: scene.past.asked_after)
    await end(reading)
    assert await scene.store.alive(US, 0) == pytest.approx(began - MARGIN_S, abs=5)


async def test_a_chat_that_fails_is_read_later_and_a_few_are_read_at_once(scene: Scene) -> None:
    scene.past.fails[CHATS[3]] = 1
    for chat in CHATS:
        await scene.store.mark(chat, 5)
    scene.catching_up.begin(0)
    reading = asyncio.create_task(scene.catching_up.read(0))
    await until(lambda: scene.past.at_once == CHATS_AT_ONCE)
    scene.past.goes_on.set()
    await reading
    assert sorted(str(each["channel_id"]) for each in scene.taken) == sorted(each.chat for each in CHATS)
    assert scene.taken[-1]["channel_id"] == CHATS[3].chat
    assert scene.past.most_at_once == CHATS_AT_ONCE


async def test_a_closed_chat_is_not_read(scene: Scene) -> None:
    scene.past.goes_on.set()
    await scene.store.mark(CHATS[0], 5)
    await scene.store.close_chat(CHATS[0], 50013)
    scene.catching_up.begin(0)
    await scene.catching_up.read(0)
    assert scene.taken == []


async def test_it_reads_from_the_last_message_or_from_when_nothing_was_missed_yet(scene: Scene) -> None:
    scene.past.goes_on.set()
    now = time.time()
    quiet, busy = CHATS[0], CHATS[1]
    newest = snowflake_at(now - 60)
    await scene.store.mark(quiet, snowflake_at(now - 10 * DAY_S))
    await scene.store.mark(busy, newest)
    await scene.store.note_alive(US, 0, now - 3600)
    scene.catching_up.begin(0)
    await scene.catching_up.read(0)
    assert scene.past.asked_after == {quiet: snowflake_at(now - 3600 - MARGIN_S), busy: newest}


async def test_it_reads_no_more_than_a_day(scene: Scene) -> None:
    scene.past.goes_on.set()
    now = time.time()
    await scene.store.mark(CHATS[0], 5)
    await scene.store.note_alive(US, 0, now - 5 * DAY_S)
    scene.catching_up.begin(0)
    await scene.catching_up.read(0)
    assert created_at(scene.past.asked_after[CHATS[0]]) == pytest.approx(now - DAY_S, abs=60)


async def test_chats_that_nobody_knows_are_read_where_somebody_wrote_since_the_last_sign_of_life(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "MOST_STRANGERS", 3)
    scene.past.goes_on.set()
    now = time.time()
    scene.past.talked = [(chat, "77") for chat in CHATS]
    scene.catching_up.begin(0)
    await scene.catching_up.read(0)
    assert scene.past.asked_after == {}  # nobody had ever listened: nothing was missed

    await scene.store.note_alive(US, 0, now - 600)
    await scene.store.mark(CHATS[0], mark := snowflake_at(now - 60))
    await scene.store.close_chat(CHATS[1], 50013)
    scene.catching_up.begin(0)
    await scene.catching_up.read(0)
    since = snowflake_at(now - 600 - MARGIN_S)
    assert scene.past.talked_after == since
    assert scene.past.asked_after == {CHATS[0]: mark, CHATS[2]: since, CHATS[3]: since}


async def test_a_chat_whose_history_is_refused_for_good_keeps_nothing_behind(scene: Scene) -> None:
    scene.past.goes_on.set()
    scene.past.refuses[CHATS[0]] = Rejected(400, 50024)
    await scene.store.mark(CHATS[0], 5)
    await scene.store.mark(CHATS[1], 5)
    scene.catching_up.begin(0)
    async with asyncio.timeout(5):
        await scene.catching_up.read(0)
    await scene.catching_up.note()
    assert [each["channel_id"] for each in scene.taken] == [CHATS[1].chat]
    assert await scene.store.alive(US, 0) is not None


@pytest.mark.parametrize("failure", [Unavailable("banned"), TokenRefused()])
async def test_where_discord_does_not_listen_the_other_chats_are_not_asked_for(
    scene: Scene, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "_FIRST_WAIT_S", 3600.0)
    for chat in CHATS:
        await scene.store.mark(chat, 5)
        scene.past.refuses[chat] = failure
    scene.past.goes_on.set()
    scene.catching_up.begin(0)
    with structlog.testing.capture_logs() as logs:
        reading = asyncio.create_task(scene.catching_up.read(0))
        await until(lambda: logs)
        for _ in range(100):
            await asyncio.sleep(0)
    await end(reading)
    assert 1 <= scene.past.asked <= CHATS_AT_ONCE


async def test_chats_that_were_not_asked_for_come_before_the_one_that_failed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "_FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(catching_up, "_LONGEST_WAIT_S", 0.01)
    scene.past.goes_on.set()
    scene.past.refuses[CHATS[0]] = Unavailable("always")
    for chat in CHATS:
        await scene.store.mark(chat, 5)
    scene.catching_up.begin(0)
    reading = asyncio.create_task(scene.catching_up.read(0))
    await until(lambda: len(scene.taken) == len(CHATS) - 1)
    del scene.past.refuses[CHATS[0]]
    await reading
    assert sorted(str(each["channel_id"]) for each in scene.taken) == sorted(each.chat for each in CHATS)


async def test_history_waits_until_there_is_room_for_it(scene: Scene) -> None:
    scene.past.goes_on.set()
    scene.has_room.clear()
    await scene.store.mark(CHATS[0], 5)
    scene.catching_up.begin(0)
    reading = asyncio.create_task(scene.catching_up.read(0))
    done, _ = await asyncio.wait([reading], timeout=0.3)
    assert (done, scene.past.asked) == (set(), 0)
    scene.has_room.set()
    await reading
    assert len(scene.taken) == 1


async def test_a_message_that_is_not_understood_holds_up_no_other(scene: Scene) -> None:
    def take(payload: Payload) -> None:
        if payload["channel_id"] == CHATS[0].chat:
            raise KeyError("type")
        scene.taken.append(payload)

    scene.past.goes_on.set()
    await scene.store.mark(CHATS[0], 5)
    await scene.store.mark(CHATS[1], 5)
    reader = CatchingUp(scene.store, scene.past, take, account=US, ledger=scene.ledger, room=scene.room)
    reader.begin(0)
    async with asyncio.timeout(5):
        await reader.read(0)
    assert [each["channel_id"] for each in scene.taken] == [CHATS[1].chat]
