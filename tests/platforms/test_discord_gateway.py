"""Discord's door in: the real library against a Discord on this machine, and a core that writes down what it gets."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import discord
import pytest
import structlog

from adapters.discord import door as door_module
from adapters.discord.api import DiscordApi, Unavailable
from adapters.discord.catching_up import CHATS_AT_ONCE
from adapters.discord.commands import EDIT_THIS
from adapters.discord.door import CHAT_DENIED, CLOSED, EMPTY_REPLY, PERSON_DENIED, UNSEEN_PICTURE
from adapters.discord.fetch import Fetcher
from adapters.discord.gateway import ContentIntent, DiscordGateway
from adapters.discord.ports import ChatFacts
from adapters.discord.refs import chat_ref, message_ref, server_ref, user_ref
from adapters.discord.render import EDIT
from adapters.discord.surroundings import DiscordSurroundings
from bot.domain.access import Access
from bot.domain.chats import ServerSettings
from bot.domain.errors import ChatClosed, ChatGone
from bot.domain.messages import InboundMessage
from bot.domain.refs import ChatRef, Person
from bot.ending import end
from storage.redis.client import open_client
from storage.redis.discord import RedisDiscordStore
from tests.fakes.discord import Channel, FakeDiscord, Message, Permission
from tests.fakes.discord import Person as Human
from tests.fakes.discord.gating import gated_event
from tests.fakes.discord_rooms import RecordingRooms
from tests.pictures import photo

CAT = ("cat.jpg", photo())


@dataclass
class NobodyRings:
    """`adapters.discord.lean.Doorbell`: no commands, no buttons. `clients` are those that it was set up for; it was
    closed while one of them stood."""

    clients: list[discord.Client] = field(default_factory=list)
    closed_in_time: bool = False
    holds_up: bool = False

    async def setup(self, client: discord.Client) -> None:
        self.clients.append(client)
        if self.holds_up:
            # As the library does it when it is told to wait, and the wait is given up.
            cast(Any, client.http)._global_over.clear()

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None: ...

    async def close(self) -> None:
        self.closed_in_time = self.closed_in_time or any(not each.is_closed() for each in self.clients)


@dataclass
class Stage:
    """A server with a channel and two people, the bot in it, and what its hall was given."""

    fake: FakeDiscord
    store: RedisDiscordStore
    rooms: RecordingRooms = field(default_factory=RecordingRooms)
    doorbell: NobodyRings = field(default_factory=NobodyRings)
    heard_since: float = 0.0

    def __post_init__(self) -> None:
        self.guild = self.fake.guild("Friends", tier=2)
        self.channel = self.guild.channel("pictures")
        self.anna, self.ben = self.fake.user("Anna"), self.fake.user("Ben")
        self.guild.join(self.anna)
        self.guild.join(self.ben)

    @property
    def account(self) -> str:
        return self.fake.bot.id

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.rooms.received]

    def chat(self, channel: Channel | None = None) -> ChatRef:
        return chat_ref(self.account, (channel or self.channel).id)

    def ours(self, channel: Channel | None = None) -> Message:
        """A result of the bot's own that stands there."""
        at = channel or self.channel
        made = Message(self.fake, self.fake.snowflake(), at, self.fake.bot, "Here it is.")
        made.attachments = [self.fake.attachment("result.png", CAT[1])]
        return self.fake.post(made)

    async def calls(self, words: str, *, by: Human | None = None, **more: Any) -> Message:
        """A message that mentions the bot."""
        return await (by or self.anna).says(more.pop("at", self.channel), words, mentions=[self.fake.bot], **more)

    async def received(self, many: int = 1) -> list[InboundMessage]:
        await self.fake.until(lambda: len(self.rooms.received) >= many, within_s=20)
        return self.rooms.received

    async def told(self, person: Human, words: str, *, at: Channel | None = None) -> Message:
        """What the bot said there."""
        place = at or self.channel
        found: Message = await self.fake.until(
            lambda: next((each for each in place.messages() if each.content == words), None), within_s=20
        )
        assert found.author is self.fake.bot
        return found

    @asynccontextmanager
    async def hearing(self, *, token: str = "") -> AsyncGenerator[DiscordGateway]:
        """The bot, from connecting to its end."""
        api = DiscordApi(token or self.fake.token, api_base=self.fake.api_base, gateway_url=self.fake.gateway_url)
        gateway = DiscordGateway(
            self.rooms,
            self.store,
            api,
            token=token or self.fake.token,
            account=self.account,
            interactions=self.doorbell,
        )
        self.heard_since = time.time()
        running = asyncio.create_task(gateway.run())
        try:
            yield gateway
        finally:
            await end(running, patience_s=10)
            await api.close()

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[DiscordGateway]:
        async with self.hearing() as gateway:
            await self.fake.until(lambda: self.fake.gateway.connected)
            yield gateway


@asynccontextmanager
async def stage(redis_url: str, **options: Any) -> AsyncGenerator[Stage]:
    async with FakeDiscord(**options) as fake:
        client = open_client(redis_url)
        with fake.install():
            yield Stage(fake, RedisDiscordStore(client, retention_s=90 * 24 * 3600))
        await client.aclose()


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.02)


async def caught_up(scene: Stage, *, shard: int = 0) -> None:
    """What was missed is read, and from now on it is noted until when nothing was."""

    async def noted() -> bool:
        return (await scene.store.alive(scene.account, shard) or 0.0) >= scene.heard_since

    await eventually(noted)


# --- what is heard


async def test_with_the_intent_mentions_replies_and_direct_messages_are_heard_and_nothing_else(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected() as gateway:
        ours, bens = scene.ours(), await scene.ben.says(scene.channel, "my cat", files=[CAT])
        await scene.anna.says(scene.channel, "just talk")
        await scene.anna.says(scene.channel, "nice cat", reply_to=bens)
        await scene.calls("one", files=[CAT])
        await scene.anna.says(scene.channel, "two", reply_to=ours, ping=False)
        await scene.calls("three", reply_to=bens)
        await scene.anna.says(scene.fake.dm(scene.anna), "four")

        found = {each.text: each for each in await scene.received(4)}
        assert gateway.intent is ContentIntent.GRANTED
        assert sorted(found) == ["four", "one", "three", "two"]
        assert found["two"].reply_to == message_ref(scene.account, scene.channel.id, ours.id)
        quoted = found["three"].quoted
        assert quoted is not None
        assert quoted.author == Person(user_ref(scene.ben.id), "Ben")
        assert found["four"].server is None


async def test_without_the_intent_what_calls_the_bot_is_heard(redis_url: str) -> None:
    async with stage(redis_url, content_intent=False) as scene, scene.connected() as gateway:
        ours = scene.ours()
        await scene.anna.says(scene.channel, "just talk")
        await scene.calls("one", files=[CAT])
        await scene.anna.says(scene.channel, "two", reply_to=ours)
        await scene.anna.says(scene.fake.dm(scene.anna), "three")

        await scene.received(3)
        assert gateway.intent is ContentIntent.MISSING
        assert sorted(scene.texts) == ["one", "three", "two"]


async def test_a_mention_of_the_bots_own_role_is_one_of_the_bot(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        own = next(each for each in scene.guild.roles.values() if each.managed)
        painters = scene.guild.role("Painters")
        await scene.anna.says(scene.channel, "for others", mentions=[painters])
        await scene.anna.says(scene.channel, "like the others", mentions=[own, painters])
        (found,) = await scene.received()
        assert found.text == "@Painters like the others"


async def test_somebody_who_is_named_is_seen_by_their_portrait(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        clara = scene.fake.user("Clara", avatar=CAT[1])
        await scene.calls(f"give {clara.mention} a hat")
        (found,) = await scene.received()
        (portrait,) = found.attachments
        assert (found.text, portrait.owner) == ("give @Clara a hat", Person(user_ref(clara.id), "Clara"))
        fetcher = Fetcher(DiscordApi(scene.fake.token, api_base=scene.fake.api_base))
        assert await fetcher.fetch(portrait, max_bytes=2**24) == CAT[1]
        await fetcher.close()


async def test_a_reply_that_arrives_empty_is_answered_with_what_to_do(redis_url: str) -> None:
    async with stage(redis_url, content_intent=False) as scene, scene.connected():
        silent = await scene.anna.says(scene.channel, "bluer", reply_to=scene.ours(), ping=False)
        told = await scene.told(scene.anna, EMPTY_REPLY.format(edit=EDIT))
        assert told.reply_to == silent.id
        assert told.mentions == []
        assert scene.rooms.received == []


async def test_a_picture_that_cannot_be_seen_is_said_to_be_unseen(redis_url: str) -> None:
    async with stage(redis_url, content_intent=False) as scene, scene.connected():
        bens = await scene.ben.says(scene.channel, "my cat", files=[CAT])
        await scene.calls("bluer", reply_to=bens)
        await scene.told(scene.anna, UNSEEN_PICTURE.format(edit_this_image=EDIT_THIS))
        assert scene.rooms.received == []


async def test_an_intent_that_the_gateway_refuses_is_done_without(redis_url: str) -> None:
    class Undecided(FakeDiscord):
        application_flags = property(lambda self: 1 << 18)

    async with Undecided(content_intent=False) as fake:
        client = open_client(redis_url)
        scene = Stage(fake, RedisDiscordStore(client, retention_s=3600))
        async with scene.connected() as gateway:
            await scene.calls("one")
            await scene.received()
            assert gateway.intent is ContentIntent.REFUSED
        await client.aclose()


async def test_a_refused_token_is_said_once_and_nothing_else_ends(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        with structlog.testing.capture_logs() as logs:
            async with scene.hearing(token=f"{scene.fake.token[:-1]}!") as gateway:
                await scene.fake.until(lambda: gateway.refused)
        assert [each["event"] for each in logs if "DISCORD_TOKEN" in each["event"]] == [
            "Discord refused DISCORD_TOKEN. Make a new one on the page “Bot” of your Discord application."
        ]
        assert scene.fake.token[:-1] not in str(logs)


async def test_a_forwarded_picture_is_its_first_senders(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        bens = await scene.ben.says(scene.channel, "my cat", files=[CAT])
        await scene.anna.forwards(bens, to=scene.fake.dm(scene.anna))
        (found,) = await scene.received()
        assert [each.owner for each in found.attachments] == [Person(user_ref(scene.ben.id), "Ben")]


async def test_a_reply_whose_target_is_not_sent_along_is_looked_up_once(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        (session,) = scene.fake.gateway.connected
        ours, bens = scene.ours(), await scene.ben.says(scene.channel, "my cat", files=[CAT])
        for target, words in ((bens, "nice cat"), (ours, "bluer")):
            made = Message(scene.fake, scene.fake.snowflake(), scene.channel, scene.anna, words, type=19)
            made.reference = {"type": 0, "channel_id": scene.channel.id, "message_id": target.id}
            payload = gated_event(scene.fake.post(made, announce=False), scene.fake.gateway.identifies[0]["intents"])
            del payload["referenced_message"]
            scene.fake.gateway.dispatch(session, "MESSAGE_CREATE", payload)
        (found,) = await scene.received()
        assert found.reply_to == message_ref(scene.account, scene.channel.id, ours.id)
        assert found.quoted is not None
        assert found.quoted.ours
        assert len(scene.fake.asked("GET", "/channels/.*")) == 2


async def test_what_people_write_is_never_logged(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with stage(redis_url) as scene, scene.connected():
        await scene.calls("a secret wish", files=[CAT])
        await scene.received()
        await scene.calls("last")
        await scene.received(2)
    assert "discord" in caplog.text
    assert "a secret wish" not in caplog.text


async def test_a_voice_message_is_handed_on_as_sound(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        await scene.anna.says(scene.fake.dm(scene.anna), voice=b"OggS")
        (found,) = await scene.received()
        assert found.voice is not None
        assert (found.text, found.attachments) == ("", ())


async def test_an_edited_message_comes_again_and_a_preview_of_a_link_does_not(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        said = await scene.calls("make it blue")
        await scene.received()
        await scene.anna.unfurl(said)
        await scene.anna.edits(said, f"{scene.fake.bot.mention} make it red")
        await scene.received(2)
        await scene.anna.unfurl(said)
        await scene.calls("last")

        first, second, last = await scene.received(3)
        assert (first.text, second.text, last.text) == ("make it blue", "make it red", "last")
        assert first.ref == second.ref
        assert first.version == 0 < second.version


async def test_an_edit_that_adds_the_mention_makes_it_a_message_for_us(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        said = await scene.anna.says(scene.channel, "make it blue")
        await scene.anna.edits(said, f"{scene.fake.bot.mention} make it blue")
        (found,) = await scene.received()
        assert found.text == "make it blue"


# --- where it is said, and by whom


async def test_what_the_gateway_knows_of_a_chat_is_noted(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        thread = scene.guild.channel("night", nsfw=True).thread()
        async with scene.connected():
            await scene.calls("one", at=thread)
            await scene.received()
            assert await scene.store.chat(scene.chat(thread)) == ChatFacts(50 * 2**20, True, scene.guild.id)


async def test_a_message_in_a_thread_says_in_which_channel_that_lies(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        channel = scene.guild.channel("night", category=scene.guild.category("art"))
        thread = channel.thread()
        async with scene.connected():
            await scene.calls("one", at=thread)
            await scene.calls("two", at=channel)
            found = {each.text: each.around for each in await scene.received(2)}
        assert found == {"one": (scene.chat(channel),), "two": ()}


async def test_a_thread_that_slept_lies_in_its_channel(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        category = scene.guild.category("art")
        channel = scene.guild.channel("night", nsfw=True, category=category)
        thread = channel.thread(archived=True)
        async with scene.connected() as gateway:
            await scene.calls("one")
            await scene.received()
            spot = await gateway._surroundings.spot(thread.id, scene.guild.id)
        assert spot.around == (thread.id, channel.id, category.id)
        assert spot.with_settings == (thread.id, channel.id)
        assert spot.facts.age_limited


async def test_of_a_server_nothing_is_guessed(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        api = DiscordApi(scene.fake.token, api_base=scene.fake.api_base, gateway_url=scene.fake.gateway_url)
        apart = DiscordSurroundings(api, account=scene.account)
        with pytest.raises(Unavailable):
            await apart.spot(scene.channel.id, scene.guild.id)
        with pytest.raises(Unavailable):
            apart.hears(0, scene.guild.id)
        await api.close()
        async with scene.connected() as gateway:
            client = gateway._surroundings.client
            assert client is not None
            await client.wait_until_ready()
            with pytest.raises(ChatGone):
                await gateway._surroundings.spot(scene.channel.id, "4242")


@pytest.mark.parametrize("kind", ["channel", "thread", "category"])
async def test_a_channel_that_is_denied_is_told_once_and_then_left_alone(redis_url: str, kind: str) -> None:
    async with stage(redis_url) as scene:
        category = scene.guild.category("quiet")
        channel = scene.guild.channel("talk", category=category)
        thread = channel.thread()
        denied = {"channel": thread, "thread": channel, "category": category}[kind]
        access = Access(denied_chats=(denied.id,))
        scene.rooms.servers[server_ref(scene.account, scene.guild.id)] = ServerSettings(access=access)
        async with scene.connected():
            await scene.calls("one", at=thread)
            await scene.told(scene.anna, CHAT_DENIED, at=thread)
            await scene.calls("two", at=thread)
            await scene.calls("three")
            await scene.received()
        assert scene.texts == ["three"]
        assert [each.content for each in thread.messages()].count(CHAT_DENIED) == 1


async def test_who_is_kept_out_still_decides_about_what_is_theirs(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        access = Access(denied_people=(scene.anna.id,))
        scene.rooms.servers[server_ref(scene.account, scene.guild.id)] = ServerSettings(access=access)
        async with scene.connected():
            await scene.calls("/presets", by=scene.anna)
            await scene.told(scene.anna, PERSON_DENIED)
            await scene.calls("/mine never", by=scene.anna)
            await scene.received()
        assert scene.texts == ["/mine never"]


async def test_only_those_with_a_role_are_let_in_where_one_is_named(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        role = scene.guild.role("Painters")
        scene.guild.join(scene.ben, role)
        access = Access(allowed_roles=(role.id,))
        scene.rooms.servers[server_ref(scene.account, scene.guild.id)] = ServerSettings(access=access)
        async with scene.connected():
            await scene.calls("one", by=scene.anna)
            await scene.told(scene.anna, PERSON_DENIED)
            await scene.calls("two", by=scene.ben)
            await scene.received()
        assert scene.texts == ["two"]


async def test_where_nothing_can_be_said_the_person_is_told_directly_once(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        scene.rooms.closed = ChatClosed("closed")
        await scene.calls("one")
        await scene.told(scene.anna, CLOSED, at=scene.fake.dm(scene.anna))
        await scene.calls("two")
        scene.rooms.closed = None
        await scene.calls("three")
        await scene.received()
        assert [each.content for each in scene.fake.dm(scene.anna).messages()] == [CLOSED]


async def test_a_channel_that_takes_no_words_is_not_tried_again_and_again(redis_url: str) -> None:
    async with stage(redis_url, content_intent=False) as scene, scene.connected():
        scene.channel.deny(scene.fake.bot, Permission.SEND_MESSAGES)
        bens = await scene.ben.says(scene.channel, "my cat", files=[CAT])
        await scene.calls("one", reply_to=bens)
        await scene.told(scene.anna, CLOSED, at=scene.fake.dm(scene.anna))
        await scene.calls("two", reply_to=bens)
        await scene.anna.says(scene.fake.dm(scene.anna), "last")
        await scene.received()
        assert len(scene.fake.asked("POST", f"/channels/{scene.channel.id}/messages")) == 1


@pytest.mark.parametrize("change", ["channel", "role"])
async def test_a_closed_chat_is_open_again_when_permissions_change(redis_url: str, change: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        await scene.calls("one")
        await scene.received()

        async def marked() -> bool:
            return scene.chat() in await scene.store.marks(scene.account)

        await eventually(marked)
        await scene.store.close_chat(scene.chat(), 50013)
        if change == "channel":
            scene.channel.allow(scene.fake.bot, Permission.SEND_MESSAGES)
        else:
            everyone = scene.guild.everyone
            scene.guild.grant(everyone, everyone.permissions | Permission.MANAGE_MESSAGES)

        async def is_open() -> bool:
            return not await scene.store.is_closed(scene.chat())

        await eventually(is_open)


# --- nothing is lost


async def test_what_fails_is_tried_again_and_not_marked_as_done(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        scene.rooms.closed = ConnectionError("the store is away")
        first = await scene.calls("one")
        await scene.fake.until(lambda: scene.rooms.refusals >= 1)
        scene.rooms.closed = None
        second = await scene.calls("two")
        await scene.received(2)
        assert sorted(scene.texts) == ["one", "two"]

        async def marked() -> bool:
            return (await scene.store.marks(scene.account)).get(scene.chat()) == int(second.id)

        await eventually(marked)
        assert int(first.id) < int(second.id)


async def test_a_lost_connection_misses_nothing_and_hears_nothing_twice(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        await scene.calls("one")
        await scene.received()
        scene.fake.drop_gateway()
        await scene.fake.until(lambda: not scene.fake.gateway.connected)
        await scene.calls("two")
        await scene.fake.until(lambda: scene.fake.gateway.resumes == 1)
        await scene.calls("three")
        await scene.received(3)
        assert Counter(scene.texts) == {"one": 1, "two": 1, "three": 1}


async def test_what_came_while_the_process_was_down_is_read_afterwards(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        async with scene.connected():
            await scene.calls("before")
            await scene.anna.says(scene.fake.dm(scene.anna), "before, directly")
            await scene.received(2)
            await caught_up(scene)
        await scene.calls("meanwhile")
        await scene.ben.says(scene.channel, "just talk")
        await scene.anna.says(scene.fake.dm(scene.anna), "meanwhile, directly")
        async with scene.connected():
            await scene.received(4)
            await scene.calls("after")
            await scene.received(5)
        assert Counter(scene.texts) == dict.fromkeys(
            ["before", "before, directly", "meanwhile", "meanwhile, directly", "after"], 1
        )


async def test_what_came_meanwhile_is_read_where_the_bot_was_never_used_as_well(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        readable, hidden, unread, quiet, later = (scene.guild.channel(f"channel {number}") for number in range(5))
        secret, thread = scene.guild.channel("for few"), scene.guild.channel("with a thread").thread()
        hidden.deny(scene.fake.bot, Permission.VIEW_CHANNEL)
        unread.deny(scene.fake.bot, Permission.READ_MESSAGE_HISTORY)
        secret.deny(scene.guild.everyone, Permission.VIEW_CHANNEL)
        for each in (scene.fake.bot, scene.anna):
            secret.allow(each, Permission.VIEW_CHANNEL)
        async with scene.connected():
            await caught_up(scene)
        for place in (readable, hidden, unread, secret, thread):
            await scene.calls(place.name, at=place)
        async with scene.connected():
            await scene.received(3)
            await caught_up(scene)
            await scene.calls("live", at=later)
            await scene.received(4)
        assert Counter(scene.texts) == dict.fromkeys([readable.name, secret.name, thread.name, "live"], 1)
        assert scene.fake.asked("GET", f"/channels/({hidden.id}|{unread.id}|{quiet.id})/messages") == []


async def test_what_came_before_a_new_session_is_read_afterwards(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        await scene.calls("one")
        await scene.received()
        await caught_up(scene)
        scene.fake.gateway.invalidate()
        await scene.calls("two")
        await scene.received(2)
        assert scene.texts == ["one", "two"]
        assert len(scene.fake.gateway.identifies) == 2


async def test_a_quiet_restart_asks_for_no_history(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        async with scene.connected():
            await scene.calls("before")
            await scene.received()
            await caught_up(scene)
        asked = len(scene.fake.asked("GET", "/channels/.*"))
        async with scene.connected():
            await caught_up(scene)
        assert len(scene.fake.asked("GET", "/channels/.*")) == asked


async def test_a_ban_is_not_met_with_a_request_for_each_chat(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        places = [scene.guild.channel(f"channel {number}") for number in range(20)]
        async with scene.connected():
            for place in places:
                await scene.calls("before", at=place)
            await scene.received(20)
            await caught_up(scene)
        for place in places:
            await scene.calls("meanwhile", at=place)
        banned = {"Via": ""}  # it is not Discord that answers, but who guards it
        scene.fake.fail("GET", "/channels/.*/messages", status=429, times=1000, headers=banned)
        with structlog.testing.capture_logs() as logs:
            async with scene.connected():

                async def tried_again() -> bool:
                    return len([1 for each in logs if each["event"] == "history not read"]) > CHATS_AT_ONCE

                await eventually(tried_again)
        assert len(scene.fake.invalid_requests) <= CHATS_AT_ONCE


async def test_what_was_more_than_is_kept_is_read_later(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "MOST_KEPT", 4)
    monkeypatch.setattr(door_module, "MOST_OF_HISTORY", 2)
    async with stage(redis_url) as scene:
        await scene.ben.says(scene.channel, "just talk")
        async with scene.connected():
            await caught_up(scene)
            scene.rooms.closed = ConnectionError("the store is away")
            for number in range(20):
                await scene.calls(f"{number}")
            other = scene.guild.channel("new")
            await scene.calls("elsewhere", at=other)
            await scene.fake.until(lambda: scene.rooms.refusals >= 4)
            scene.rooms.closed = None
            await scene.received(21)
            assert Counter(scene.texts) == dict.fromkeys([*map(str, range(20)), "elsewhere"], 1)


async def test_what_was_pressed_is_dealt_with_before_the_connection_ends(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        pass
    assert scene.doorbell.closed_in_time
    assert all(each.is_closed() for each in scene.doorbell.clients)


async def test_a_wait_that_was_given_up_while_setting_up_holds_up_nothing(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        scene.doorbell.holds_up = True
        async with scene.connected():
            await scene.calls("one")
            await scene.received()


async def test_all_pages_of_what_was_missed_are_read_in_order(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        async with scene.connected():
            await scene.calls("before")
            await scene.received()
            await caught_up(scene)
        for number in range(250):
            await scene.calls(f"{number}")
        history = f"/channels/{scene.channel.id}/messages"
        asked = len(scene.fake.asked("GET", history))
        async with scene.connected():
            await scene.received(251)
        assert Counter(scene.texts) == dict.fromkeys(["before", *map(str, range(250))], 1)
        assert len(scene.fake.asked("GET", history)) == asked + 3


async def test_a_chat_that_cannot_be_read_any_more_does_not_hold_up_the_others(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        gone, hidden = scene.guild.channel("gone"), scene.guild.channel("hidden")
        places = (scene.channel, gone, hidden)
        async with scene.connected():
            for place in places:
                await scene.calls("before", at=place)
            await scene.received(3)
            await caught_up(scene)
        for place in places:
            await scene.calls("meanwhile", at=place)
        gone.delete()
        hidden.deny(scene.fake.bot, Permission.VIEW_CHANNEL)
        async with scene.connected():
            await caught_up(scene)
        assert [each.ref.chat for each in scene.rooms.received[3:]] == [scene.chat()]


async def test_roles_are_asked_for_where_history_does_not_say_them(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        role = scene.guild.role("Painters")
        scene.guild.join(scene.ben, role)
        async with scene.connected():
            await scene.calls("before", by=scene.ben)
            await scene.received()
            await caught_up(scene)
        access = Access(allowed_roles=(role.id,))
        scene.rooms.servers[server_ref(scene.account, scene.guild.id)] = ServerSettings(access=access)
        await scene.calls("by anna", by=scene.anna)
        await scene.calls("by ben", by=scene.ben)
        async with scene.connected():
            await scene.told(scene.anna, PERSON_DENIED)
            await scene.received(2)
        assert scene.texts == ["before", "by ben"]


async def test_every_shard_is_caught_up_by_itself(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        scene.fake.gateway.shards = 2
        guilds = [scene.fake.guild(f"Server {number}") for number in range(2)]
        while int(guilds[0].id) >> 22 & 1 == int(guilds[1].id) >> 22 & 1:
            guilds[1] = scene.fake.guild("Another")
        places = [each.channel() for each in guilds]
        async with scene.hearing():
            await scene.fake.until(lambda: len(scene.fake.gateway.connected) == 2)
            for place in places:
                await scene.calls("before", at=place)
            await scene.received(2)
            for shard in range(2):
                await caught_up(scene, shard=shard)
        for place in places:
            await scene.calls("meanwhile", at=place)
        async with scene.hearing():
            await scene.received(4)
        assert Counter(scene.texts) == {"before": 2, "meanwhile": 2}


async def test_a_broken_message_ends_nothing(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        (session,) = scene.fake.gateway.connected
        author = {"id": scene.anna.id, "username": "anna"}
        broken: list[dict[str, Any]] = [
            {"id": "1"},
            {"id": "x", "channel_id": "1", "type": 0, "author": author},
            {"id": "3", "channel_id": "1", "type": 0, "author": author, "attachments": [{}]},
        ]
        for each in broken:
            scene.fake.gateway.dispatch(session, "MESSAGE_CREATE", each)
        await scene.calls("one")
        await scene.received()
        await caught_up(scene)
        assert scene.fake.gateway.resumes == 0
        assert len(scene.fake.gateway.identifies) == 1


async def test_channels_and_servers_that_go_away_end_nothing(redis_url: str) -> None:
    async with stage(redis_url) as scene, scene.connected():
        other = scene.fake.guild("Another")
        await scene.calls("one", at=other.channel())
        await scene.received()
        scene.guild.channel("short").delete()
        other.kicks(scene.fake.bot)
        await scene.calls("two")
        await scene.received(2)
        await caught_up(scene)
        assert len(scene.fake.gateway.identifies) == 1


async def test_of_200_servers_and_2000_messages_the_200_for_us_are_heard(redis_url: str) -> None:
    async with stage(redis_url) as scene:
        channels = [scene.fake.guild(f"Server {number}").channel() for number in range(200)]
        async with scene.connected():
            for number in range(2000):
                words, channel = f"message {number}", channels[number % 200]
                mentions = [scene.fake.bot] if number % 10 == 0 else []
                await scene.anna.says(channel, words, mentions=mentions)
            await scene.received(200)
        assert Counter(scene.texts) == {f"message {number}": 1 for number in range(0, 2000, 10)}
        assert scene.fake.invalid_requests == []
