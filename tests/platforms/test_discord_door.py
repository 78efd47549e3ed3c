"""What becomes of one message, in a world where chats are gone, slow or silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.discord import door as door_module
from adapters.discord.api import CLOSED_WORDS, GONE_WORDS, Rejected, Unavailable
from adapters.discord.catching_up import Ledger
from adapters.discord.commands import EDIT_THIS
from adapters.discord.door import EMPTY_REPLY, MOST_AT_ONCE, MOST_OF_A_CHAT, UNSEEN_PICTURE, Door, Spot
from adapters.discord.inbound import Payload, Place, Pointer, snowflake_at
from adapters.discord.ports import ChatFacts
from adapters.discord.refs import chat_ref
from adapters.discord.render import EDIT
from bot import insisting
from bot.domain.errors import ChatClosed, ChatGone
from bot.domain.messages import InboundMessage, Received
from bot.domain.refs import ChatRef, MessageRef, UserRef
from storage.redis.client import open_client
from storage.redis.discord import RedisDiscordStore
from tests.fakes.discord_rooms import KEPT_OUT, RecordingRooms

US, SERVER, CHAT, OTHER = "9000", "500", "600", "601"
FIRST = snowflake_at(1_760_000_000.0)


@dataclass
class World:
    """`adapters.discord.door.Surroundings`: `fails` is raised for places as long as it stands, `silent` times nothing
    can be said. `own_role` is known as long as there is a connection."""

    fails: Exception | None = None
    silent: int = 0
    spots: int = 0
    own_role: str = "7000"
    said: list[str] = field(default_factory=list)

    def place(self, payload: Payload) -> Place:
        return Place(US, own_role=self.own_role, reads_content=False)

    def shard(self, payload: Payload) -> int:
        return 0

    async def spot(self, channel: str, server: str) -> Spot:
        self.spots += 1
        if self.fails is not None:
            raise self.fails
        return Spot((channel, "55", "44"), (channel, "55"), ChatFacts(server=server))

    async def look_up(self, pointer: Pointer, *, near: str) -> Payload | None:
        return None

    async def roles(self, server: str, person: str) -> tuple[str, ...]:
        return ()

    async def say(self, to: MessageRef, words: str) -> None:
        if self.silent:
            self.silent -= 1
            raise Unavailable("away")
        self.said.append(words)

    async def tell(self, person: UserRef, words: str) -> None: ...


@dataclass
class SlowRooms(RecordingRooms):
    """Nothing of `CHAT` is taken until it goes on."""

    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0

    async def receive(self, message: InboundMessage) -> Received:
        if message.ref.chat.chat == CHAT:
            self.at_once += 1
            await self.goes_on.wait()
        return await super().receive(message)


@dataclass
class Scene:
    store: RedisDiscordStore
    rooms: RecordingRooms = field(default_factory=SlowRooms)
    world: World = field(default_factory=World)
    ledger: Ledger = field(default_factory=Ledger)
    missed: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begins_anew()

    def begins_anew(self) -> None:
        """As after a restart: nothing is remembered but by the store."""
        self.door = Door(self.rooms, self.store, self.world, account=US, ledger=self.ledger, missed=self.missed.append)

    async def takes(self, *payloads: Payload, updated: bool = False) -> None:
        for each in payloads:
            self.door.take(each, updated=updated)
        assert await self.door.idle(within_s=10)

    async def marks(self) -> dict[ChatRef, int]:
        return dict(await self.store.marks(US))


@pytest.fixture
async def scene(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Scene]:
    monkeypatch.setattr(insisting, "_FIRST_WAIT_S", 0.01)
    client = open_client(redis_url)
    found = Scene(RedisDiscordStore(client, retention_s=3600))
    found.rooms.goes_on.set()  # type: ignore[attr-defined]
    yield found
    await found.door.close()
    await client.aclose()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


def message(number: int = 0, *, chat: str = CHAT, **more: Any) -> dict[str, Any]:
    return {
        "id": str(FIRST + number),
        "type": 0,
        "channel_id": chat,
        "guild_id": SERVER,
        "content": f"<@{US}> bluer",
        "author": {"id": "101", "username": "anna"},
        "mentions": [{"id": US, "username": "remixbot"}],
        "member": {"roles": []},
        "attachments": [],
    } | more


def silent_reply(number: int = 0, *, to: str = US) -> dict[str, Any]:
    """A reply of which nothing is shown; to a message of which nothing is shown either."""
    target = {"id": "3", "channel_id": CHAT, "type": 0, "author": {"id": to}, "attachments": []}
    mentions = [] if to == US else [{"id": US, "username": "remixbot"}]
    said = {"type": 19, "content": "", "mentions": mentions, "message_reference": {"message_id": "3"}}
    return message(number) | said | {"referenced_message": target}


# --- places


@pytest.mark.parametrize("failure", [ChatGone(GONE_WORDS), ChatClosed(CLOSED_WORDS), Rejected(400, 50024)])
async def test_a_message_of_a_chat_that_is_not_for_us_is_settled(scene: Scene, failure: Exception) -> None:
    await scene.takes(message(0))
    scene.world.fails = failure
    await scene.takes(message(1))
    assert scene.world.spots == 2
    assert await scene.marks() == {chat_ref(US, CHAT): FIRST + 1}
    assert len(scene.rooms.received) == 1


async def test_a_place_that_cannot_be_known_for_now_is_looked_at_again(scene: Scene) -> None:
    scene.world.fails = Unavailable("not connected")
    scene.door.take(message())
    await until(lambda: scene.world.spots > 1)
    scene.world.fails = None
    await scene.takes()
    assert len(scene.rooms.received) == 1


async def test_a_message_that_meets_a_plain_bug_again_and_again_is_given_up_with_a_word_in_the_log(
    scene: Scene,
) -> None:
    scene.rooms.closed = TypeError("a plain bug")
    with capture_logs() as logs:
        await scene.takes(message())
    assert scene.rooms.refusals == insisting.MOST_BUGS
    (said,) = [each for each in logs if each["log_level"] == "error"]
    assert (said["event"], said["error"]) == ("message not understood", "TypeError")
    scene.rooms.closed = None
    await scene.takes(message(1))
    assert len(scene.rooms.received) == 1


async def test_a_call_by_the_bots_role_is_one_even_if_the_connection_ends(scene: Scene) -> None:
    scene.world.fails = Unavailable("not connected")
    scene.door.take(message(mentions=[], mention_roles=["7000"], content="<@&7000> bluer"))
    await until(lambda: scene.world.spots)
    scene.world.own_role, scene.world.fails = "", None
    await scene.takes()
    assert [each.text for each in scene.rooms.received] == ["bluer"]


async def test_a_message_says_which_chats_with_settings_lie_around_its_own(scene: Scene) -> None:
    await scene.takes(message())
    assert scene.rooms.received[0].around == (chat_ref(US, "55"),)


# --- words of the gateway's own


async def test_a_hint_that_could_not_be_said_is_said_later_and_once(scene: Scene) -> None:
    scene.world.silent = 2
    await scene.takes(silent_reply(0), silent_reply(1))
    await scene.takes(silent_reply(2))
    assert scene.world.said == [EMPTY_REPLY.format(edit=EDIT)]


async def test_that_a_picture_is_not_seen_is_said_once_of_a_message(scene: Scene) -> None:
    await scene.takes(silent_reply(to="102"))
    scene.begins_anew()
    await scene.takes(silent_reply(to="102"))
    await scene.takes(silent_reply(1, to="102"))
    assert scene.world.said == [UNSEEN_PICTURE.format(edit_this_image=EDIT_THIS)] * 2


# --- edits


async def test_an_edit_that_leaves_the_words_is_the_same_message_live_and_in_history(scene: Scene) -> None:
    edited = message(edited_timestamp="2026-11-21T10:00:00+00:00")
    await scene.takes(message())
    await scene.takes(edited, updated=True)
    scene.begins_anew()
    await scene.takes(edited)
    assert [each.version for each in scene.rooms.received] == [0, 0]


async def test_an_edit_of_the_words_is_its_own_version_live_and_in_history(scene: Scene) -> None:
    edited = message(content=f"<@{US}> redder", edited_timestamp="2026-11-21T10:00:00+00:00")
    await scene.takes(message())
    await scene.takes(edited, updated=True)
    scene.begins_anew()
    await scene.takes(edited)
    first, *edits = scene.rooms.received
    assert first.version == 0
    assert edits[0] == edits[1]
    assert edits[0].version > 0


# --- many at once


async def test_one_slow_chat_holds_up_no_other(scene: Scene) -> None:
    rooms = scene.rooms
    assert isinstance(rooms, SlowRooms)
    rooms.goes_on.clear()
    for number in range(2 * MOST_AT_ONCE):
        scene.door.take(message(number))
    scene.door.take(message(1000, chat=OTHER))
    await until(lambda: rooms.received and rooms.at_once)
    assert [each.ref.chat for each in rooms.received] == [chat_ref(US, OTHER)]
    assert rooms.at_once <= MOST_OF_A_CHAT
    rooms.goes_on.set()
    await scene.takes()
    assert len(rooms.received) == 2 * MOST_AT_ONCE + 1


async def test_more_than_is_kept_is_left_in_history_and_not_marked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "MOST_KEPT", 2)
    monkeypatch.setattr(door_module, "MOST_OF_HISTORY", 2)
    rooms = scene.rooms
    assert isinstance(rooms, SlowRooms)
    rooms.goes_on.clear()
    for number, chat in enumerate((CHAT, CHAT, CHAT, OTHER)):
        scene.door.take(message(number, chat=chat))
    assert scene.missed == [0]
    reading = asyncio.create_task(scene.door.room())
    await until(lambda: rooms.at_once)
    assert not reading.done()
    rooms.goes_on.set()
    await reading
    await scene.door.know_left(0)
    await scene.takes()
    assert await scene.marks() == {chat_ref(US, CHAT): FIRST + 1, chat_ref(US, OTHER): FIRST + 2}
    await scene.takes(message(2), message(3, chat=OTHER))
    assert len(rooms.received) == 4


# --- whom the installation keeps out


async def test_whom_the_installation_keeps_out_is_told_once_a_day_and_still_decides_about_theirs(
    scene: Scene,
) -> None:
    scene.rooms.out.add(UserRef("discord", "101"))
    await scene.takes(message(0), message(1))
    scene.begins_anew()
    await scene.takes(message(2), message(3, content=f"<@{US}> /mine never"))
    assert scene.world.said == [KEPT_OUT]
    assert [each.text for each in scene.rooms.received] == ["/mine never"]
