"""Commands, buttons, forms and settings of Discord: the real library against a Discord on this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import discord
import pytest

from adapters.discord.api import DiscordApi
from adapters.discord.buttons import confirm_forget
from adapters.discord.door import CHAT_DENIED, PERSON_DENIED
from adapters.discord.interactions import (
    DELETED_BUT_STANDS,
    FORM_TOO_OLD,
    KEPT,
    NO_PICTURE,
    OUT_OF_REACH,
    Interactions,
)
from adapters.discord.lean import LeanClient
from adapters.discord.outbound import DiscordPlatform
from adapters.discord.ports import Interaction as Asked
from adapters.discord.ports import KeptBack
from adapters.discord.refs import chat_ref, interaction_ref, message_ref, server_ref, user_ref
from adapters.discord.settings import NO_AMOUNT, SAVED_WITHOUT_EVERYONE, STALE
from bot.domain.access import Access
from bot.domain.actions import Act, Press
from bot.domain.arena import Choice
from bot.domain.buttons import ButtonId, Verb
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.consent import Policy, Say, Standing
from bot.domain.errors import ChatClosed
from bot.domain.labels import Profile
from bot.domain.messages import Answer, Quoted
from bot.domain.refs import ChatRef, MessageRef, Person, TurnId, UserRef, sha256_of
from bot.domain.turns import TurnState
from bot.domain.words import BROKEN, DELETE_ASKS, DELETED, NOT_YOUR_BUTTON, SAVED, TOO_LATE, UNKNOWN_PRESS
from storage.redis.client import open_client
from storage.redis.discord import RedisDiscordStore
from tests.fakes.discord import Channel, FakeDiscord, Guild, Interaction, Message, Permission
from tests.fakes.discord import Person as Human
from tests.fakes.discord.payloads import message_json
from tests.fakes.discord_rooms import JOINED, KEPT_OUT, OPERATED, RENDITION, RecordingRooms
from tests.fakes.rooms import MemoryImages, SmallCore
from tests.pictures import photo

TURN = TurnId("aaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb")
EDIT_THIS, TAKE_BACK, CHECK_THIS = "Edit this image", "Take back my picture", "Check this picture"
DAY = 24 * 3600
FILE = b"\x89PNG the labelled file"


class Listening:
    """`adapters.discord.lean.Listener` that does nothing."""

    def began(self, shard: int) -> None: ...
    def ready(self, shard: int) -> None: ...
    def resumed(self, shard: int) -> None: ...
    def lost(self, shard: int) -> None: ...
    def left(self, shard: int) -> None: ...
    def changed(self, server: int, channel: int | None) -> None: ...


class StoppedStore(RedisDiscordStore):
    """A Redis that answers nothing until it is let go."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.goes_on = asyncio.Event()
        self.let_go = asyncio.Event()

    async def let_go_kept_back(self, *args: Any) -> None:
        await super().let_go_kept_back(*args)
        self.let_go.set()

    async def note_chat(self, *args: Any) -> None:
        await self.goes_on.wait()
        await super().note_chat(*args)

    async def keep_target(self, *args: Any) -> None:
        await self.goes_on.wait()
        await super().keep_target(*args)


@dataclass
class Stage:
    """A server with a channel and two people, and the bot in it."""

    fake: FakeDiscord
    rooms: RecordingRooms
    store: RedisDiscordStore
    guild: Guild
    channel: Channel
    anna: Human
    ben: Human
    core: SmallCore | None = None
    """What answers in place of `rooms`, where answers are to be seen."""

    @property
    def chat(self) -> ChatRef:
        return self.chat_of(self.channel)

    def chat_of(self, channel: Channel) -> ChatRef:
        return chat_ref(self.fake.bot.id, channel.id)

    def ref(self, message: Message) -> MessageRef:
        return message_ref(self.fake.bot.id, message.channel.id, message.id)

    def by(self, person: Human) -> UserRef:
        return user_ref(person.id)

    def answer_of_ours(self, *labels: tuple[str, str], channel: Channel | None = None) -> Message:
        """A message of the bot's with these buttons: (label, custom id)."""
        made = Message(self.fake, self.fake.snowflake(), channel or self.channel, self.fake.bot, "Here it is.")
        buttons = [{"type": 2, "style": 2, "label": label, "custom_id": name, "id": 2} for label, name in labels]
        made.components = [{"type": 1, "id": 1, "components": buttons}]
        return self.fake.post(made)

    async def received(self) -> Any:
        """The one message that came to the core."""
        await self.fake.until(lambda: self.rooms.received)
        assert len(self.rooms.received) == 1
        return self.rooms.received[0]

    async def one_asked(self) -> tuple[Any, ...]:
        await self.fake.until(lambda: self.rooms.asked)
        assert len(self.rooms.asked) == 1
        return self.rooms.asked[0]


@asynccontextmanager
async def connected(fake: FakeDiscord, rooms: RecordingRooms, store: RedisDiscordStore) -> AsyncIterator[LeanClient]:
    """A process of the bot, from its start to its end."""
    images = MemoryImages()
    await images.put(FILE, RENDITION.image.sha256)
    api = DiscordApi(fake.token, api_base=fake.api_base, gateway_url=fake.gateway_url)
    platform = rooms.platform = DiscordPlatform(api, store, images, account=fake.bot.id, now=fake.clock.now)
    interactions = Interactions(rooms, store, platform, api, account=fake.bot.id)
    intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
    client = LeanClient(intents=intents, take=lambda *_: None, listener=Listening(), doorbell=interactions)
    running = asyncio.create_task(client.start(fake.token))
    try:
        await fake.until(lambda: running.done() or _knows_its_servers(client, fake))
        yield client
    finally:
        await interactions.close()
        await client.close()
        await asyncio.gather(running, return_exceptions=True)
        await platform.close()
        await api.close()


def _knows_its_servers(client: LeanClient, fake: FakeDiscord) -> bool:
    known = {str(each.id) for each in client.guilds if not each.unavailable}
    return bool(fake.gateway.connected) and known == {each.id for each in fake.guilds.values() if each.has_bot}


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(content_intent=False) as server:
        with server.install():
            yield server


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[StoppedStore]:
    client = open_client(redis_url)
    made = StoppedStore(client, retention_s=3600)
    made.goes_on.set()
    yield made
    await client.aclose()


@pytest.fixture
async def stage(fake: FakeDiscord, store: StoppedStore) -> AsyncIterator[Stage]:
    rooms = RecordingRooms()
    guild = fake.guild("Friends")
    channel, anna, ben = guild.channel("pictures"), fake.user("Anna"), fake.user("Ben")
    guild.join(anna)
    guild.join(ben)
    async with connected(fake, rooms, store):
        yield Stage(fake, rooms, store, guild, channel, anna, ben)


async def said_alone(interaction: Interaction) -> str:
    """What the person reads, and nobody else."""
    answer = await interaction.answer()
    assert answer.seen_by is interaction.user
    return answer.texts()


def press(act: Act, argument: str = "") -> str:
    return str(ButtonId(Verb.PRESS, argument=f"{act}.{argument}" if argument else str(act)))


# --- commands


async def test_commands_are_registered_once_and_again_only_when_they_changed(
    fake: FakeDiscord, store: StoppedStore
) -> None:
    rooms = RecordingRooms()
    usual = rooms.offered
    for sizes in (usual, usual, [*usual, ("4K", "4K, about 24 ¢")]):
        rooms.offered = sizes
        async with connected(fake, rooms, store):
            pass
    assert fake.syncs == 2
    assert {each["name"] for each in fake.commands} == {
        "edit", "imagine", "story", "explain", "tree", "compare", "arena", "leaderboard", "share", "unshare",
        "presets", "recipe", "recipes", "cast", "taste", "mine", "help", "settings", "forget", "usage", "verify",
        "join", "operator",
        EDIT_THIS, TAKE_BACK, CHECK_THIS,
    }  # fmt: skip


async def test_a_registration_that_fails_leaves_everything_else_working(fake: FakeDiscord, store: StoppedStore) -> None:
    rooms, channel, anna = RecordingRooms(), fake.guild().channel(), fake.user("Anna")
    fake.fail("PUT", r"/applications/\d+/commands", status=400, code=50035)
    async with connected(fake, rooms, store):
        stage = Stage(fake, rooms, store, channel.guild, channel, anna, anna)  # type: ignore[arg-type]
        await anna.presses(stage.answer_of_ours(("Again", press(Act.AGAIN))), "Again")
        await stage.received()
    assert fake.syncs == 0


async def test_edit_brings_words_pictures_and_size_as_one_message(stage: Stage) -> None:
    given = await stage.anna.slash(
        "edit", stage.channel, instruction="make it winter", picture=("cat.png", b"cat"),
        picture_2=("SPOILER_hat.png", b"hat"), size="2K",
    )  # fmt: skip
    message = await stage.received()
    assert message.ref == interaction_ref(stage.fake.bot.id, stage.channel.id, given.id)
    assert (message.text, message.size, message.author) == ("/edit make it winter", "2K", stage.by(stage.anna))
    assert [(each.filename, each.spoiler) for each in message.attachments] == [("cat.png", False), ("hat.png", True)]
    assert message.server == server_ref(stage.fake.bot.id, stage.guild.id)
    assert message.author_name == "Anna"


async def test_thinking_goes_away_once_the_core_has_the_message(stage: Stage) -> None:
    given = await stage.anna.slash("imagine", stage.channel, words="a fox in the snow")
    message = await stage.received()
    assert message.text == "/imagine a fox in the snow"
    await stage.fake.until(lambda: given.original is not None and given.original.deleted)
    assert given.answers == []


@pytest.mark.parametrize(("name", "text"), [("story", "/story a fox finds a hat"), ("explain", "/explain a fox")])
async def test_commands_that_make_pictures_are_said_to_the_core(stage: Stage, name: str, text: str) -> None:
    words = text.partition(" ")[2]
    await stage.anna.slash(name, stage.channel, words=words)
    assert (await stage.received()).text == text


@pytest.mark.parametrize("name", ["help", "usage"])
async def test_what_is_asked_for_oneself_is_answered_alone(stage: Stage, name: str) -> None:
    given = await stage.anna.slash(name, stage.channel)
    message = await stage.received()
    kept = await stage.store.interaction(message.ref)
    assert (message.text, given.original and given.original.seen_by) == (f"/{name}", stage.anna)
    assert kept is not None
    assert (kept.can_post, kept.alone, kept.token) == (False, True, given.token)


async def test_a_repeated_interaction_is_not_answered_twice(stage: Stage) -> None:
    given = await stage.anna.slash("imagine", stage.channel, words="a fox")
    await stage.received()
    payload = stage.fake.interactions._payload(given)
    stage.fake.emit("INTERACTION_CREATE", lambda _: payload, guild=stage.guild, needs=0)
    callback = rf"/interactions/{given.id}/…/callback"
    await stage.fake.until(lambda: len(stage.fake.asked("POST", callback)) == 2)
    await (await stage.anna.slash("imagine", stage.channel, words="an owl")).response()
    await stage.fake.until(lambda: len(stage.rooms.received) == 2)
    assert [each.text for each in stage.rooms.received] == ["/imagine a fox", "/imagine an owl"]


# --- first of all, acknowledged


async def test_a_press_is_acknowledged_while_redis_answers_nothing(stage: Stage, store: StoppedStore) -> None:
    store.goes_on.clear()
    pressed = await stage.anna.presses(stage.answer_of_ours(("Again", press(Act.AGAIN))), "Again")
    await pressed.response(within_s=2.0)
    assert (pressed.callback, stage.rooms.received) == (6, [])
    store.goes_on.set()
    await stage.received()


async def test_a_command_is_acknowledged_while_redis_answers_nothing(stage: Stage, store: StoppedStore) -> None:
    store.goes_on.clear()
    given = await stage.anna.slash("imagine", stage.channel, words="a fox")
    await given.response(within_s=2.0)
    assert (given.loading, given.original and given.original.seen_by) == (True, stage.anna)
    store.goes_on.set()
    await stage.received()


async def test_a_form_opens_while_redis_answers_nothing(stage: Stage, store: StoppedStore) -> None:
    store.goes_on.clear()
    photographed = await stage.ben.says(stage.channel, files=[("cat.png", photo())])
    opened = await stage.anna.menu(EDIT_THIS, photographed)
    await opened.form(within_s=2.0)
    store.goes_on.set()


async def test_what_was_acknowledged_reaches_the_core_although_the_process_ends(
    fake: FakeDiscord, store: StoppedStore
) -> None:
    rooms, channel, anna = RecordingRooms(), fake.guild().channel(), fake.user("Anna")
    async with connected(fake, rooms, store):
        store.goes_on.clear()
        given = await anna.slash("imagine", channel, words="a fox")
        await given.response()
        asyncio.get_running_loop().call_later(0.2, store.goes_on.set)
    assert [each.text for each in rooms.received] == ["/imagine a fox"]


async def test_what_hangs_at_the_end_is_ended(
    fake: FakeDiscord, store: StoppedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.interactions._LEAVE_S", 0.05)
    rooms, channel, anna = RecordingRooms(), fake.guild().channel(), fake.user("Anna")
    async with connected(fake, rooms, store):
        store.goes_on.clear()
        await (await anna.slash("imagine", channel, words="a fox")).response()
    assert rooms.received == []
    assert not [each for each in asyncio.all_tasks() if each.get_name() == "discord interaction"]


# --- buttons


async def test_a_control_comes_with_the_message_it_stands_under(stage: Stage) -> None:
    shown = stage.answer_of_ours(("Larger (2K), about 10 ¢", press(Act.LARGER, "2K")))
    given = await stage.anna.presses(shown, "Larger (2K), about 10 ¢")
    message = await stage.received()
    kept = await stage.store.interaction(message.ref)
    assert (message.press, message.text) == (Press(Act.LARGER, "2K"), "Larger (2K), about 10 ¢")
    assert (message.reply_to, message.reply_index) == (stage.ref(shown), None)
    assert kept is not None
    assert (kept.can_post, kept.reply_to, kept.token) == (True, shown.id, given.token)


async def test_a_suggestion_is_said_as_a_reply(stage: Stage) -> None:
    shown = stage.answer_of_ours(("turn it to dusk", str(ButtonId(Verb.SAY, 1, "0"))))
    await stage.anna.presses(shown, "turn it to dusk")
    message = await stage.received()
    assert (message.text, message.press, message.reply_to, message.reply_index) == (
        "turn it to dusk", None, stage.ref(shown), 1,
    )  # fmt: skip


async def test_a_choice_of_a_list_does_what_it_says(stage: Stage) -> None:
    shown = stage.answer_of_ours()
    options = [{"label": "1. Again", "value": str(ButtonId(Verb.PRESS, 1, "again"))}]
    more = {"type": 3, "custom_id": str(ButtonId(Verb.MORE)), "placeholder": "More…", "options": options, "id": 2}
    shown.components = [{"type": 1, "id": 1, "components": [more]}]
    await stage.anna.presses(shown, "More…", choices=["1. Again"])
    message = await stage.received()
    assert (message.press, message.reply_index) == (Press(Act.AGAIN), 1)


async def test_a_button_posted_before_a_restart_still_works(fake: FakeDiscord, store: StoppedStore) -> None:
    rooms, guild, anna = RecordingRooms(), fake.guild(), fake.user("Anna")
    channel = guild.channel()
    stage = Stage(fake, rooms, store, guild, channel, anna, anna)
    async with connected(fake, rooms, store):
        shown = stage.answer_of_ours(("Edit…", str(ButtonId(Verb.EDIT))))
        opened = await anna.presses(shown, "Edit…")
        await opened.form()
    async with connected(fake, rooms, store):
        await anna.submits(opened, {"words": "make it blue"})
        first = await stage.received()
        await anna.presses(shown, "Edit…")
    assert (first.text, first.reply_to) == ("make it blue", stage.ref(shown))


async def test_cancel_ends_the_turn_without_a_word(stage: Stage) -> None:
    pressed = await stage.anna.presses(
        stage.answer_of_ours(("Cancel", str(ButtonId(Verb.CANCEL, argument=TURN)))), "Cancel"
    )
    assert await stage.one_asked() == ("cancel", TURN, stage.chat, stage.by(stage.anna))
    assert pressed.follow_ups == []


async def test_cancel_that_comes_too_late_is_told_to_who_pressed(stage: Stage) -> None:
    stage.rooms.can_cancel = False
    shown = stage.answer_of_ours(("Cancel", str(ButtonId(Verb.CANCEL, argument=TURN))))
    assert await said_alone(await stage.anna.presses(shown, "Cancel")) == TOO_LATE


@pytest.mark.parametrize(("said", "say"), [("once", Say.ONCE), ("here", Say.HERE), ("never", Say.NEVER), ("no", None)])
async def test_what_an_owner_answers_reaches_the_core(stage: Stage, said: str, say: Say | None) -> None:
    shown = stage.answer_of_ours(("Yes?", str(ButtonId(Verb.ALLOW, argument=f"{said}.{TURN}"))))
    words = await said_alone(await stage.ben.presses(shown, "Yes?"))
    assert await stage.one_asked() == ("allow", TURN, stage.chat, stage.by(stage.ben), say)
    assert words == stage.rooms.words


@pytest.mark.parametrize(("said", "choice"), [("a", Choice.A), ("bad", Choice.BAD), ("end", None)])
async def test_a_vote_reaches_the_core_and_is_confirmed_to_who_voted_alone(
    stage: Stage, said: str, choice: Choice | None
) -> None:
    shown = stage.answer_of_ours(("Vote", str(ButtonId(Verb.VOTE, argument=f"{said}.{TURN}"))))
    words = await said_alone(await stage.ben.presses(shown, "Vote"))
    assert await stage.one_asked() == ("vote", TURN, stage.chat, stage.by(stage.ben), choice)
    assert words == stage.rooms.words


async def test_the_original_file_is_sent_to_who_pressed_alone(stage: Stage) -> None:
    shown = stage.answer_of_ours(("Original file", str(ButtonId(Verb.FILE, 2))))
    shown.attachments = [stage.fake.attachment("remix.png", photo(), spoiler=True)]
    shown.attachments[0].filename = "SPOILER_remix.png"
    answer = await (await stage.ben.presses(shown, "Original file")).answer()
    name, data = answer.files[0]
    assert (answer.seen_by, data, name.startswith("SPOILER_")) == (stage.ben, FILE, True)
    assert answer.attachments[0].description == RENDITION.alt
    assert await stage.one_asked() == ("file", stage.ref(shown), 10 * 2**20, 2)


async def test_info_is_told_in_words_that_are_no_markup(stage: Stage) -> None:
    stage.rooms.words = "Asked for: **bold** @everyone"
    shown = stage.answer_of_ours(("Info", str(ButtonId(Verb.INFO))))
    answer = await (await stage.ben.presses(shown, "Info")).answer()
    assert answer.content == "Asked for: \\*\\*bold\\*\\* @\u200beveryone"
    assert (answer.seen_by, answer.mention_everyone) == (stage.ben, False)


async def test_delete_asks_once_more_and_then_does_it(stage: Stage) -> None:
    stage.rooms.words = ""
    shown = stage.answer_of_ours(("Delete", str(ButtonId(Verb.DELETE))))
    asked = await (await stage.anna.presses(shown, "Delete")).answer()
    assert (asked.content, asked.seen_by, stage.rooms.asked) == (DELETE_ASKS, stage.anna, [])
    await stage.anna.presses(asked, "Delete it")
    await stage.fake.until(lambda: asked.content == DELETED)
    assert await stage.one_asked() == ("delete", stage.ref(shown), stage.by(stage.anna), False)
    assert asked.controls() == []


async def an_old_response(stage: Stage) -> Message:
    """Where the bot is not, of an interaction whose token ended long ago."""
    stage.rooms.words = ""
    elsewhere = stage.fake.guild("Strangers", with_bot=False)
    elsewhere.join(stage.anna)
    shown = stage.answer_of_ours(("Delete", str(ButtonId(Verb.DELETE))), channel=elsewhere.channel())
    old = Asked(stage.fake.application_id, "", stage.by(stage.anna), time.time() - DAY, can_post=False)
    await stage.store.keep_interaction(stage.ref(shown), old)
    return shown


async def test_a_response_whose_token_ended_is_deleted_by_the_press_on_it(stage: Stage) -> None:
    shown = await an_old_response(stage)
    asked = await (await stage.anna.presses(shown, "Delete", installed="user")).answer()
    await stage.anna.presses(asked, "Delete it", installed="user")
    await stage.fake.until(lambda: asked.content == DELETED)
    assert shown.deleted
    assert not stage.fake.invalid_requests


async def test_what_cannot_be_taken_away_any_more_is_said_to_stand(stage: Stage) -> None:
    shown = await an_old_response(stage)
    asked = await (await stage.anna.presses(shown, "Delete", installed="user")).answer()
    stage.fake.clock.move(16 * 60)
    await stage.anna.presses(asked, "Delete it", installed="user")
    await stage.fake.until(lambda: asked.content == DELETED_BUT_STANDS)
    assert (shown.deleted, asked.controls()) == (False, [])


async def test_what_may_not_be_taken_away_is_said_to_stand(stage: Stage) -> None:
    stage.rooms.words = ""
    shown = stage.answer_of_ours(("Delete", str(ButtonId(Verb.DELETE))))
    asked = await (await stage.anna.presses(shown, "Delete")).answer()
    stage.fake.fail("DELETE", "/channels/.*", status=403, code=50013)
    await stage.anna.presses(asked, "Delete it")
    await stage.fake.until(lambda: asked.content == DELETED_BUT_STANDS)


async def test_who_may_manage_messages_deletes_as_a_moderator(stage: Stage) -> None:
    stage.guild.join(stage.ben, stage.guild.role("mods", Permission.MANAGE_MESSAGES))
    shown = stage.answer_of_ours(("Delete", str(ButtonId(Verb.DELETE))))
    asked = await (await stage.ben.presses(shown, "Delete")).answer()
    await stage.ben.presses(asked, "Delete it")
    await stage.fake.until(lambda: asked.content == stage.rooms.words)
    assert await stage.one_asked() == ("delete", stage.ref(shown), stage.by(stage.ben), True)


@pytest.mark.parametrize("argument", ["fly", "", "..", "AGAIN"])
async def test_a_made_up_control_gives_words_and_no_turn(stage: Stage, argument: str) -> None:
    name = f"rb:press:-:{argument}"
    words = await said_alone(await stage.anna.presses(stage.answer_of_ours(("X", name)), "X"))
    assert words == UNKNOWN_PRESS
    assert (stage.rooms.received, stage.rooms.asked) == ([], [])


@pytest.mark.parametrize(
    "name", ["rb:fly:-:x", "rb:allow:-:once", "rb:allow:-:twice.turn", "rb:vote:-:c.turn", "rb:settings:-:me.fly"]
)
async def test_a_guessed_button_gives_words_and_nothing_else(stage: Stage, name: str) -> None:
    words = await said_alone(await stage.anna.presses(stage.answer_of_ours(("X", name)), "X"))
    assert words == UNKNOWN_PRESS
    assert (stage.rooms.received, stage.rooms.asked) == ([], [])


async def test_a_choice_that_its_list_does_not_have_gives_nothing(stage: Stage) -> None:
    shown = stage.answer_of_ours()
    options = [{"label": "1. Again", "value": str(ButtonId(Verb.PRESS, 1, "again"))}]
    more = {"type": 3, "custom_id": str(ButtonId(Verb.MORE)), "placeholder": "More…", "options": options, "id": 2}
    shown.components = [{"type": 1, "id": 1, "components": [more]}]
    data = {"component_type": 3, "custom_id": more["custom_id"], "id": 2, "values": [f"rb:cancel:-:{TURN}"]}
    sent = stage.fake.interactions.start(3, stage.anna, stage.channel, data, message=shown)
    assert await said_alone(sent) == UNKNOWN_PRESS
    assert stage.rooms.asked == []


async def test_what_breaks_in_the_core_is_said_in_words(stage: Stage) -> None:
    stage.rooms.closed = RuntimeError("the core fell over")
    shown = stage.answer_of_ours(("Again", press(Act.AGAIN)))
    assert await said_alone(await stage.anna.presses(shown, "Again")) == BROKEN


# --- who may, and where


async def test_a_closed_channel_is_told_to_who_asked(stage: Stage) -> None:
    stage.rooms.closed = ChatClosed("closed")
    given = await stage.anna.slash("imagine", stage.channel, words="a fox")
    assert "I can't post here" in await said_alone(given)


async def test_the_permission_that_is_missing_is_named(stage: Stage) -> None:
    stage.rooms.closed = ChatClosed("closed")
    stage.channel.deny(stage.guild.everyone, Permission.SEND_MESSAGES | Permission.ATTACH_FILES)
    given = await stage.anna.slash("imagine", stage.channel, words="a fox")
    told = await stage.fake.until(lambda: given.follow_ups and given.follow_ups[0])
    assert "the permissions “Send Messages” and “Attach Files” in this channel" in told.content
    assert told.seen_by is stage.anna


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (Access(denied_people=("anna",)), PERSON_DENIED),
        (Access(allowed_roles=("1",)), PERSON_DENIED),
        (Access(denied_roles=("role",)), PERSON_DENIED),
        (Access(denied_chats=("category",)), CHAT_DENIED),
        (Access(allowed_chats=("1",)), CHAT_DENIED),
    ],
)
async def test_who_is_kept_out_by_the_server_reads_why(stage: Stage, access: Access, words: str) -> None:
    role = stage.guild.role("loud")
    stage.guild.join(stage.anna, role)
    channel = stage.guild.channel("deep", category=stage.guild.category("far"))
    assert channel.parent is not None
    named = {"anna": stage.anna.id, "role": role.id, "category": channel.parent.id}
    real = replace(
        access,
        denied_people=tuple(named[each] for each in access.denied_people),
        denied_roles=tuple(named[each] for each in access.denied_roles),
        denied_chats=tuple(named[each] for each in access.denied_chats),
    )
    stage.rooms.servers[server_ref(stage.fake.bot.id, stage.guild.id)] = ServerSettings(access=real)
    assert await said_alone(await stage.anna.slash("imagine", channel, words="a fox")) == words
    assert stage.rooms.received == []


def keep_anna_out(stage: Stage) -> None:
    access = Access(denied_people=(stage.anna.id,))
    stage.rooms.servers[server_ref(stage.fake.bot.id, stage.guild.id)] = ServerSettings(access=access)


@pytest.mark.parametrize("verb", [Verb.FILE, Verb.INFO])
async def test_who_is_kept_out_is_given_no_files_and_told_nothing(stage: Stage, verb: Verb) -> None:
    keep_anna_out(stage)
    shown = stage.answer_of_ours(("This", str(ButtonId(verb))))
    assert await said_alone(await stage.anna.presses(shown, "This")) == PERSON_DENIED
    assert stage.rooms.asked == []


@pytest.mark.parametrize(
    ("verb", "argument", "asked"),
    [
        (Verb.CANCEL, TURN, "cancel"),
        (Verb.ALLOW, f"never.{TURN}", "allow"),
        (Verb.DELETE, "yes.1", "delete"),
        (Verb.FORGET, "anna", "forget"),
    ],
)
async def test_who_is_kept_out_still_decides_about_what_is_theirs(
    stage: Stage, verb: Verb, argument: str, asked: str
) -> None:
    keep_anna_out(stage)
    name = str(ButtonId(verb, argument=stage.anna.id if argument == "anna" else argument))
    await stage.anna.presses(stage.answer_of_ours(("This", name)), "This")
    assert (await stage.one_asked())[0] == asked


@pytest.mark.parametrize("act", [Act.MINE, Act.WITHDRAW, Act.UNSHARE])
async def test_who_is_kept_out_still_presses_what_is_about_what_is_theirs(stage: Stage, act: Act) -> None:
    keep_anna_out(stage)
    await stage.anna.presses(stage.answer_of_ours(("This", press(act))), "This")
    assert (await stage.received()).press == Press(act)


async def test_who_is_kept_out_still_takes_back_what_is_theirs(stage: Stage) -> None:
    keep_anna_out(stage)
    photographed = await stage.anna.says(stage.channel, files=[("cat.jpg", photo())])
    await stage.anna.menu(TAKE_BACK, photographed)
    await stage.received()
    await stage.anna.slash("mine", stage.channel)
    await stage.fake.until(lambda: len(stage.rooms.received) == 2)
    assert [each.text for each in stage.rooms.received] == ["/withdraw", "/mine"]


async def test_a_list_of_a_channel_holds_in_its_threads(stage: Stage) -> None:
    stage.rooms.chats[stage.chat] = ChatSettings(access=Access(denied_people=(stage.anna.id,)))
    thread = stage.channel.thread("deeper")
    given = await stage.anna.slash("imagine", thread, words="a fox")
    assert await said_alone(given) == PERSON_DENIED


async def test_a_message_says_which_channel_its_thread_lies_in(stage: Stage) -> None:
    forum = stage.guild.channel("questions", forum=True)
    places = (stage.channel, stage.channel.thread("deeper"), forum.thread("a post"))
    for count, channel in enumerate(places, 1):
        await stage.anna.slash("imagine", channel, words="a fox")
        await stage.fake.until(lambda: len(stage.rooms.received) == count)  # noqa: B023
    assert [each.around for each in stage.rooms.received] == [(), (stage.chat,), (stage.chat_of(forum),)]


async def test_the_chat_is_noted_as_the_gateway_knows_it(stage: Stage) -> None:
    guild = stage.fake.guild("Rich", tier=2)
    channel = guild.channel("adults", nsfw=True)
    guild.join(stage.anna)
    await stage.anna.slash("imagine", channel, words="a fox")
    await stage.received()
    facts = await stage.store.chat(stage.chat_of(channel))
    assert facts is not None
    assert (facts.limit_bytes, facts.age_limited, facts.server) == (50 * 2**20, True, guild.id)


async def test_where_the_bot_may_not_write_the_response_is_the_reply(stage: Stage) -> None:
    stage.channel.deny(stage.guild.everyone, Permission.SEND_MESSAGES)
    given = await stage.anna.slash("imagine", stage.channel, words="a fox")
    kept = await stage.store.interaction((await stage.received()).ref)
    assert kept is not None
    assert (kept.can_post, given.loading, given.original and given.original.seen_by) == (False, True, None)


async def test_who_is_kept_out_where_the_bot_cannot_post_reads_it_alone(stage: Stage) -> None:
    stage.channel.deny(stage.guild.everyone, Permission.SEND_MESSAGES)
    stage.rooms.chats[stage.chat] = ChatSettings(access=Access(denied_people=(stage.anna.id,)))
    given = await stage.anna.slash("imagine", stage.channel, words="a fox")
    await stage.fake.until(lambda: [each.content for each in given.answers] == [PERSON_DENIED])
    assert (given.answers[0].seen_by, stage.channel.messages()) == (stage.anna, [])


async def test_brought_along_by_one_person_the_response_is_the_reply(stage: Stage) -> None:
    elsewhere = stage.fake.guild("Strangers", with_bot=False)
    channel = elsewhere.channel()
    elsewhere.join(stage.anna)
    given = await stage.anna.slash("imagine", channel, installed="user", words="a fox")
    kept = await stage.store.interaction((await stage.received()).ref)
    assert kept is not None
    assert (kept.can_post, kept.token, given.loading) == (False, given.token, True)


async def test_a_press_where_the_bot_cannot_post_does_not_replace_what_was_pressed(stage: Stage) -> None:
    elsewhere = stage.fake.guild("Strangers", with_bot=False)
    channel = elsewhere.channel()
    elsewhere.join(stage.anna)
    shown = stage.answer_of_ours(("Again", press(Act.AGAIN)), channel=channel)
    pressed = await stage.anna.presses(shown, "Again", installed="user")
    await stage.received()
    assert (pressed.callback, pressed.original is shown, shown.content) == (5, False, "Here it is.")


async def test_brought_along_into_a_server_where_the_bot_is_it_posts_for_itself(stage: Stage) -> None:
    given = await stage.anna.slash("imagine", stage.channel, installed="user", words="a fox")
    kept = await stage.store.interaction((await stage.received()).ref)
    await stage.fake.until(lambda: given.original is not None and given.original.deleted)
    assert kept is not None
    assert kept.can_post


async def test_a_direct_message_channel_is_a_place_to_post(stage: Stage) -> None:
    await stage.anna.slash("imagine", stage.fake.dm(stage.anna), words="a fox")
    message = await stage.received()
    kept = await stage.store.interaction(message.ref)
    assert kept is not None
    assert (kept.can_post, message.server) == (True, None)


# --- forms


async def test_a_friends_picture_is_edited_from_the_menu_of_its_message(stage: Stage) -> None:
    photographed = await stage.ben.says(stage.channel, "our cat", files=[("cat.jpg", photo())], spoiler=True)
    opened = await stage.anna.menu(EDIT_THIS, photographed)
    await opened.form()
    sent = await stage.anna.submits(
        opened, {"words": "make it winter", "size": ["2K"]}, files=[("hat.png", b"hat"), ("SPOILER_scarf.png", b"s")]
    )
    message = await stage.received()
    assert message.ref == interaction_ref(stage.fake.bot.id, stage.channel.id, sent.id)
    assert (message.text, message.size, message.reply_to) == ("make it winter", "2K", stage.ref(photographed))
    assert message.quoted is not None
    assert (message.quoted.author, message.quoted.ours) == (Person(stage.by(stage.ben), "Ben"), False)
    assert [(each.filename, each.spoiler) for each in message.quoted.attachments] == [("cat.jpg", True)]
    assert [(each.filename, each.spoiler) for each in message.attachments] == [("hat.png", False), ("scarf.png", True)]
    kept = await stage.store.interaction(message.ref)
    assert kept is not None
    assert kept.reply_to == photographed.id


async def test_a_picture_of_another_bot_has_nobody_to_ask(stage: Stage) -> None:
    robot = stage.fake.user("Robot", bot=True)
    posted = await robot.says(stage.channel, files=[("chart.png", photo())])
    opened = await stage.anna.menu(EDIT_THIS, posted)
    await opened.form()
    await stage.anna.submits(opened, {"words": "make it winter"})
    message = await stage.received()
    assert message.quoted == Quoted(stage.ref(posted), None, message.quoted.attachments, False)
    assert len(message.quoted.attachments) == 1


async def test_a_result_of_ours_is_edited_from_the_menu_by_its_name_alone(stage: Stage) -> None:
    shown = stage.answer_of_ours(("Again", press(Act.AGAIN)))
    shown.attachments = [stage.fake.attachment("remix.png", photo())]
    opened = await stage.anna.menu(EDIT_THIS, shown)
    await opened.form()
    await stage.anna.submits(opened, {"words": "make it winter"})
    message = await stage.received()
    assert (message.reply_to, message.quoted, message.size) == (stage.ref(shown), None, None)


async def test_a_forwarded_picture_is_edited_from_the_menu(stage: Stage) -> None:
    photographed = await stage.ben.says(stage.channel, files=[("cat.jpg", photo())])
    forwarded = await stage.ben.forwards(photographed, to=stage.guild.channel("elsewhere"))
    opened = await stage.anna.menu(EDIT_THIS, forwarded)
    await opened.form()
    await stage.anna.submits(opened, {"words": "make it winter", "size": ["As it is"]})
    message = await stage.received()
    assert ([each.filename for each in message.quoted.attachments], message.size) == (["cat.jpg"], "")


async def forwarded_by_anna(stage: Stage, photographed: Message) -> Interaction:
    """She sends it on, and edits it from the menu of what she sent."""
    forwarded = await stage.anna.forwards(photographed, to=stage.guild.channel("elsewhere"))
    opened = await stage.anna.menu(EDIT_THIS, forwarded)
    await opened.form()
    return await stage.anna.submits(opened, {"words": "make it winter"})


async def test_who_forwards_a_picture_does_not_make_it_theirs_by_the_menu(stage: Stage) -> None:
    photographed = await stage.ben.says(stage.channel, files=[("cat.jpg", photo())])
    await forwarded_by_anna(stage, photographed)
    quoted = (await stage.received()).quoted
    assert quoted.author == Person(stage.by(stage.anna), "Anna")
    assert [each.owner for each in quoted.attachments] == [Person(stage.by(stage.ben), "Ben")]


async def test_a_forward_from_where_the_bot_is_not_belongs_to_who_sent_it_on(stage: Stage) -> None:
    stranger = stage.fake.guild("Strangers", with_bot=False)
    stranger.join(stage.anna)
    stranger.join(stage.ben)
    photographed = await stage.ben.says(stranger.channel(), files=[("cat.jpg", photo())])
    await forwarded_by_anna(stage, photographed)
    quoted = (await stage.received()).quoted
    assert [each.owner for each in quoted.attachments] == [None]
    assert not stage.fake.invalid_requests


async def test_while_discord_cannot_say_whose_a_forward_is_nothing_is_made_of_it(stage: Stage) -> None:
    photographed = await stage.ben.says(stage.channel, files=[("cat.jpg", photo())])
    stage.fake.fail("GET", rf"/channels/{stage.channel.id}/messages/{photographed.id}", status=503, times=9)
    assert await said_alone(await forwarded_by_anna(stage, photographed)) == OUT_OF_REACH
    assert stage.rooms.received == []


async def test_no_words_of_the_message_under_a_form_are_kept(stage: Stage) -> None:
    photographed = await stage.ben.says(stage.channel, "a secret", files=[("cat.jpg", photo())])
    opened = await stage.anna.menu(EDIT_THIS, photographed)
    await opened.form()
    await stage.anna.submits(opened, {"words": "make it winter"})
    await stage.received()
    assert "a secret" not in str(await stage.store.target(opened.id))


async def test_a_picture_is_taken_back_from_the_menu_of_its_message(stage: Stage) -> None:
    photographed = await stage.anna.says(stage.channel, "our cat", files=[("cat.jpg", photo())])
    given = await stage.anna.menu(TAKE_BACK, photographed)
    message = await stage.received()
    assert message.ref == interaction_ref(stage.fake.bot.id, stage.channel.id, given.id)
    assert (message.text, message.author, message.reply_to) == (
        "/withdraw", stage.by(stage.anna), stage.ref(photographed),
    )  # fmt: skip
    assert message.quoted is not None
    assert (message.quoted.author, len(message.quoted.attachments)) == (Person(stage.by(stage.anna), "Anna"), 1)
    kept = await stage.store.interaction(message.ref)
    assert kept is not None
    assert (kept.can_post, kept.reply_to) == (True, photographed.id)
    await stage.fake.until(lambda: given.original is not None and given.original.deleted)


async def test_one_whose_picture_is_in_a_result_takes_it_back_from_the_menu_of_that(stage: Stage) -> None:
    shown = stage.answer_of_ours(("Again", press(Act.AGAIN)))
    shown.attachments = [stage.fake.attachment("remix.png", photo())]
    await stage.ben.menu(TAKE_BACK, shown)
    message = await stage.received()
    assert (message.text, message.author, message.reply_to, message.quoted) == (
        "/withdraw", stage.by(stage.ben), stage.ref(shown), None,
    )  # fmt: skip


async def test_a_picture_is_checked_from_the_menu_for_whoever_asks_alone(stage: Stage) -> None:
    keep_anna_out(stage)  # asking is open to everybody
    photographed = await stage.ben.says(stage.channel, "our cat", files=[("cat.jpg", photo())])
    given = await stage.anna.menu(CHECK_THIS, photographed)
    message = await stage.received()
    assert message.ref == interaction_ref(stage.fake.bot.id, stage.channel.id, given.id)
    assert (message.text, message.reply_to) == ("/verify", stage.ref(photographed))
    assert message.quoted is not None
    assert (message.quoted.ours, [each.filename for each in message.quoted.attachments]) == (False, ["cat.jpg"])
    kept = await stage.store.interaction(message.ref)
    assert kept is not None
    assert (kept.alone, kept.can_post) == (True, False)
    assert await stage.store.target(given.id) is None


async def test_a_result_of_ours_is_checked_from_the_menu_with_its_file(stage: Stage) -> None:
    shown = stage.answer_of_ours(("Again", press(Act.AGAIN)))
    shown.attachments = [stage.fake.attachment("remix.png", photo())]
    await stage.anna.menu(CHECK_THIS, shown)
    message = await stage.received()
    assert (message.text, message.reply_to) == ("/verify", stage.ref(shown))
    assert message.quoted is not None
    assert (message.quoted.ours, len(message.quoted.attachments)) == (True, 1)


async def test_verify_takes_a_picture_along(stage: Stage) -> None:
    await stage.anna.slash("verify", stage.channel, picture=("cat.jpg", photo()))
    message = await stage.received()
    assert (message.text, [each.filename for each in message.attachments]) == ("/verify", ["cat.jpg"])


async def test_a_message_without_a_picture_is_said_to_have_none(stage: Stage) -> None:
    written = await stage.ben.says(stage.channel, "hello")
    opened = await stage.anna.menu(EDIT_THIS, written)
    await opened.form()
    assert await said_alone(await stage.anna.submits(opened, {"words": "make it winter"})) == NO_PICTURE
    assert stage.rooms.received == []


async def test_a_picture_added_in_the_form_is_enough(stage: Stage) -> None:
    written = await stage.ben.says(stage.channel, "hello")
    opened = await stage.anna.menu(EDIT_THIS, written)
    await opened.form()
    await stage.anna.submits(opened, {"words": "make it winter"}, files=[("cat.png", b"cat")])
    message = await stage.received()
    assert ([each.filename for each in message.attachments], message.reply_to) == (["cat.png"], None)


async def test_a_picture_uploaded_in_a_form_can_be_fetched(stage: Stage) -> None:
    shown = stage.answer_of_ours(("Edit…", str(ButtonId(Verb.EDIT))))
    opened = await stage.anna.presses(shown, "Edit…")
    await opened.form()
    await stage.anna.submits(opened, {"words": "with this hat"}, files=[("hat.png", b"the hat")])
    attachment = (await stage.received()).attachments[0]
    api = DiscordApi(stage.fake.token, api_base=stage.fake.api_base)
    platform = DiscordPlatform(api, stage.store, MemoryImages(), account=stage.fake.bot.id)
    assert await platform.fetch(attachment, max_bytes=100) == b"the hat"
    await platform.close()
    await api.close()


async def test_a_form_from_another_chat_finds_nothing(stage: Stage) -> None:
    photographed = await stage.ben.says(stage.guild.channel("secret"), files=[("cat.jpg", photo())])
    await stage.store.keep_target("7", message_json(photographed))
    opened = await stage.anna.presses(stage.answer_of_ours(("Edit…", str(ButtonId(Verb.EDIT)))), "Edit…")
    form = await opened.form()
    form["custom_id"] = str(ButtonId(Verb.EDIT, argument="t7"))
    assert await said_alone(await stage.anna.submits(opened, {"words": "make it winter"})) == FORM_TOO_OLD
    assert stage.rooms.received == []


# --- results that were kept back


async def nothing_waits(stage: Stage, person: Human) -> bool:
    found = await stage.store.hold_kept_back(stage.by(person), life_s=60)
    await stage.store.let_go_kept_back(stage.by(person))
    return not found


async def test_a_result_too_late_for_its_token_is_shown_at_the_next_interaction(
    stage: Stage, store: StoppedStore
) -> None:
    late = MessageRef(stage.chat, "i1")
    stage.rooms.answers[TURN] = Answer(TurnState.DONE, ("Made with AI.",), turn=TURN)
    await stage.store.keep_back(stage.by(stage.anna), KeptBack(late, TURN))
    other = await stage.ben.presses(stage.answer_of_ours(("Info", str(ButtonId(Verb.INFO)))), "Info")
    await other.answer()
    mine = await stage.anna.slash("imagine", stage.channel, words="a fox")
    shown = (await stage.fake.until(lambda: mine.follow_ups))[0]
    assert [KEPT in shown.texts(), "Made with AI." in shown.texts(), shown.seen_by] == [True, True, None]
    assert len(other.follow_ups) == 1
    await stage.fake.until(store.let_go.is_set)
    assert await nothing_waits(stage, stage.anna)


async def test_a_kept_result_of_another_chat_is_shown_to_its_owner_alone(stage: Stage) -> None:
    stage.rooms.answers[TURN] = Answer(TurnState.DONE, ("Made with AI.",), turn=TURN)
    elsewhere = MessageRef(chat_ref(stage.fake.bot.id, "5"), "i1")
    await stage.store.keep_back(stage.by(stage.anna), KeptBack(elsewhere, TURN))
    mine = await stage.anna.slash("imagine", stage.channel, words="a fox")
    shown = (await stage.fake.until(lambda: mine.follow_ups))[0]
    assert shown.seen_by is stage.anna


async def test_what_was_asked_for_oneself_is_shown_alone_later_too(stage: Stage) -> None:
    stage.rooms.answers[TURN] = Answer(TurnState.DONE, ("Used today: $3.",), turn=TURN)
    await stage.store.keep_back(stage.by(stage.anna), KeptBack(MessageRef(stage.chat, "1"), TURN, alone=True))
    mine = await stage.anna.slash("imagine", stage.channel, words="a fox")
    shown = (await stage.fake.until(lambda: mine.follow_ups))[0]
    assert ("Used today" in shown.texts(), shown.seen_by) == (True, stage.anna)


async def test_a_kept_result_that_cannot_be_shown_is_kept_on(stage: Stage, store: StoppedStore) -> None:
    stage.rooms.answers[TURN] = Answer(TurnState.DONE, ("Made with AI.",), turn=TURN)
    await store.keep_back(stage.by(stage.anna), KeptBack(MessageRef(stage.chat, "i1"), TURN))
    stage.fake.fail("POST", r"/webhooks/.*", status=503)
    await stage.anna.slash("imagine", stage.channel, words="a fox")
    await stage.fake.until(store.let_go.is_set)
    mine = await stage.anna.slash("imagine", stage.channel, words="an owl")
    shown = (await stage.fake.until(lambda: mine.follow_ups))[0]
    assert "Made with AI." in shown.texts()


async def test_a_kept_result_that_discord_does_not_take_at_all_is_not_tried_for_ever(
    stage: Stage, store: StoppedStore
) -> None:
    stage.rooms.answers[TURN] = Answer(TurnState.DONE, ("Made with AI.",), turn=TURN)
    await store.keep_back(stage.by(stage.anna), KeptBack(MessageRef(stage.chat, "i1"), TURN))
    stage.fake.fail("POST", r"/webhooks/.*", status=400, code=50035, times=2)
    await stage.anna.slash("imagine", stage.channel, words="a fox")
    await stage.fake.until(store.let_go.is_set)
    assert await nothing_waits(stage, stage.anna)


async def test_a_kept_result_whose_pixels_are_gone_does_not_stand_in_the_way(stage: Stage, store: StoppedStore) -> None:
    gone = replace(RENDITION, image=replace(RENDITION.image, sha256=sha256_of(b"gone")))
    stage.rooms.answers[TURN] = Answer(TurnState.DONE, ("Made with AI.",), (gone,), turn=TURN)
    await store.keep_back(stage.by(stage.anna), KeptBack(MessageRef(stage.chat, "i1"), TURN))
    await stage.anna.slash("imagine", stage.channel, words="a fox")
    await stage.fake.until(store.let_go.is_set)
    assert await nothing_waits(stage, stage.anna)


class StuckRooms(RecordingRooms):
    """Never says what becomes of a turn that it does not know."""

    stuck = False

    async def answer_of(self, turn: TurnId) -> Answer | None:
        if turn in self.answers:
            return self.answers[turn]
        self.stuck = True
        return await asyncio.Event().wait()  # type: ignore[return-value]


async def test_kept_results_outlive_a_process_that_ends_while_it_shows_them(
    fake: FakeDiscord, store: StoppedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.interactions._LEAVE_S", 0.05)
    rooms, channel, anna = StuckRooms(), fake.guild().channel(), fake.user("Anna")
    rooms.answers[TURN] = Answer(TurnState.DONE, ("Made with AI.",), turn=TURN)
    chat, other = chat_ref(fake.bot.id, channel.id), TurnId("cccccccccccccccc-bbbbbbbbbbbbbbbb")
    waiting = [KeptBack(MessageRef(chat, str(number)), turn) for number, turn in enumerate((TURN, other, TURN))]
    for each in waiting:
        await store.keep_back(user_ref(anna.id), each)
    async with connected(fake, rooms, store):
        given = await anna.slash("imagine", channel, words="a fox")
        await fake.until(lambda: rooms.stuck and given.follow_ups)
    assert await store.hold_kept_back(user_ref(anna.id), life_s=60) == waiting[1:]


# --- together with the door out


@pytest.fixture
async def whole(stage: Stage) -> AsyncIterator[Stage]:
    """The same, with answers that are shown."""
    images = MemoryImages()
    api = DiscordApi(stage.fake.token, api_base=stage.fake.api_base, gateway_url=stage.fake.gateway_url)
    platform = DiscordPlatform(api, stage.store, images, account=stage.fake.bot.id)
    stage.core = SmallCore(platform, images)
    stage.rooms.receive = stage.core.receive  # type: ignore[method-assign]
    yield stage
    await platform.close()
    await api.close()


async def test_a_command_ends_in_a_message_that_can_be_replied_to(whole: Stage) -> None:
    given = await whole.anna.slash("edit", whole.channel, instruction="turn it", picture=("cat.jpg", photo()))
    shown = await whole.fake.until(lambda: whole.channel.messages() and whole.channel.last())
    await whole.fake.until(lambda: shown.files and given.answers == [])
    assert (shown.regular, shown.author) == (True, whole.fake.bot)


async def test_a_press_ends_in_a_reply_to_what_was_pressed(whole: Stage) -> None:
    pressed = whole.answer_of_ours(("refuse it", str(ButtonId(Verb.SAY, argument="0"))))
    await whole.anna.presses(pressed, "refuse it")
    shown = await whole.fake.until(lambda: whole.channel.last() is not pressed and whole.channel.last())
    assert (shown.reply_to, shown.regular) == (pressed.id, True)


async def test_a_result_whose_token_has_ended_comes_with_the_next_interaction(whole: Stage) -> None:
    channel = whole.fake.guild("Strangers", with_bot=False).channel()
    shown = whole.answer_of_ours(("wait", str(ButtonId(Verb.SAY, argument="0"))), channel=channel)
    pressed = await whole.anna.presses(shown, "wait", installed="user")
    await whole.fake.until(lambda: pressed.answers and "Cancel" in pressed.answers[0].labels())
    assert whole.core is not None
    await whole.fake.until(lambda: whole.core and whole.core._filled)
    [(turn, reply)] = whole.core.answers.items()
    whole.fake.clock.move(16 * 60)
    whole.rooms.answers[turn] = Answer(TurnState.DONE, ("Made with AI.",), turn=turn)
    await whole.core.platform.fill(reply, whole.rooms.answers[turn])
    later = await whole.anna.presses(whole.answer_of_ours(("Info", "rb:info:-:"), channel=channel), "Info")
    await whole.fake.until(lambda: any("Made with AI." in each.texts() for each in later.follow_ups))


async def test_help_is_shown_to_who_asked_alone(whole: Stage) -> None:
    given = await whole.anna.slash("help", whole.channel)
    await whole.fake.until(lambda: given.answers and not given.loading and "Today" in given.answers[0].texts())
    assert (given.answers[0].seen_by, whole.channel.messages()) == (whole.anna, [])


async def test_brought_along_by_one_person_the_response_shows_the_answer(whole: Stage) -> None:
    channel = whole.fake.guild("Strangers", with_bot=False).channel()
    given = await whole.anna.slash("edit", channel, installed="user", instruction="ideas", picture=("cat.jpg", photo()))
    shown = await whole.fake.until(lambda: given.answers and given.answers[0].files and given.answers[0])
    opened = await whole.anna.presses(shown, "Edit…")
    await opened.form()
    sent = await whole.anna.submits(opened, {"words": "turn it"})
    again = await whole.fake.until(lambda: sent.answers and sent.answers[0].files and sent.answers[0])
    assert (again is shown, again.seen_by, shown.deleted) == (False, None, False)


# --- settings


async def opened_settings(stage: Stage, person: Human, page: str = "") -> Message:
    given = await person.slash("settings", stage.channel)
    panel = await given.answer()
    assert panel.seen_by is person
    if page:
        await person.presses(panel, page)
        await stage.fake.until(lambda: _is_on(panel, page))
    return panel


def _is_on(panel: Message, page: str) -> bool:
    return any(each.get("label") == page and each.get("style") == 1 for each in panel.controls())


async def test_everybody_says_who_may_edit_their_pictures(stage: Stage) -> None:
    panel = await opened_settings(stage, stage.anna)
    assert [each["custom_id"] for each in panel.controls()] == ["rb:settings:-:me.standing"]
    for choice, standing in (("Nobody, ever, anywhere", Standing.NEVER), ("Ask me first", Standing.UNSAID)):
        await stage.anna.presses(panel, custom_id="rb:settings:-:me.standing", choices=[choice])
        key = (stage.by(stage.anna), stage.chat)
        await stage.fake.until(lambda: stage.rooms.standings.get(key) == standing)  # noqa: B023
        await stage.fake.until(lambda: SAVED in panel.texts())


async def test_who_manages_the_channel_sets_what_holds_there(stage: Stage) -> None:
    stage.guild.join(stage.anna, stage.guild.role("keeper", Permission.MANAGE_CHANNELS))
    panel = await opened_settings(stage, stage.anna, "This channel")
    role = stage.guild.role("loud")
    for name, choices in (
        ("consent", ["One's own, and my results"]), ("denied_people", [stage.ben]), ("allowed_roles", [role]),
    ):  # fmt: skip
        before = panel.edits
        await stage.anna.presses(panel, custom_id=f"rb:settings:-:chat.{name}", choices=choices)
        await stage.fake.until(lambda: panel.edits > before)  # noqa: B023
    await stage.anna.presses(panel, "Ideas under my results: on")
    await stage.fake.until(lambda: "Ideas under my results: off" in panel.labels())
    access = Access(denied_people=(stage.ben.id,), allowed_roles=(role.id,))
    assert stage.rooms.chats == {stage.chat: ChatSettings(False, True, Policy.OWN, access)}
    assert "The server" not in panel.labels()


async def test_who_manages_the_server_sets_lists_and_caps(stage: Stage) -> None:
    stage.guild.join(stage.anna, stage.guild.role("keeper", Permission.MANAGE_GUILD))
    panel = await opened_settings(stage, stage.anna, "The server")
    await stage.anna.presses(panel, custom_id="rb:settings:-:server.allowed_chats", choices=[stage.channel])
    await stage.fake.until(lambda: SAVED in panel.texts())
    opened = await stage.anna.presses(panel, "Spending per day …")
    await opened.form()
    await stage.anna.submits(opened, {"person": "0,50", "everybody": "$20"})
    await stage.fake.until(lambda: "each person $0.50, everybody together $20.00" in panel.texts())
    server = server_ref(stage.fake.bot.id, stage.guild.id)
    access = Access(allowed_chats=(stage.channel.id,))
    assert stage.rooms.servers == {server: ServerSettings(None, access, 500_000, 20_000_000)}


async def test_caps_that_stand_are_in_the_form_and_emptied_they_go(stage: Stage) -> None:
    stage.guild.join(stage.anna, stage.guild.role("keeper", Permission.MANAGE_GUILD))
    server = server_ref(stage.fake.bot.id, stage.guild.id)
    stage.rooms.servers[server] = ServerSettings(person_day_microusd=1_250_000, day_microusd=3_000_000)
    panel = await opened_settings(stage, stage.anna, "The server")
    opened = await stage.anna.presses(panel, "Spending per day …")
    form = await opened.form()
    assert [row["component"]["value"] for row in form["components"]] == ["1.25", "3.00"]
    await stage.anna.submits(opened, {"everybody": ""})
    await stage.fake.until(lambda: stage.rooms.servers[server] == ServerSettings(person_day_microusd=1_250_000))


async def test_an_amount_that_is_none_changes_nothing(stage: Stage) -> None:
    stage.guild.join(stage.anna, stage.guild.role("keeper", Permission.MANAGE_GUILD))
    panel = await opened_settings(stage, stage.anna, "The server")
    opened = await stage.anna.presses(panel, "Spending per day …")
    await opened.form()
    assert await said_alone(await stage.anna.submits(opened, {"person": "a lot"})) == NO_AMOUNT
    assert stage.rooms.servers == {}


async def test_a_mark_in_ais_pictures_is_turned_on_and_off(stage: Stage) -> None:
    stage.guild.join(stage.anna, stage.guild.role("keeper", Permission.MANAGE_CHANNELS))
    panel = await opened_settings(stage, stage.anna, "This channel")
    for shown, then, profile in (("off", "on", Profile.VISIBLE), ("on", "off", None)):
        await stage.anna.presses(panel, f"A mark in AI's pictures: {shown}")
        await stage.fake.until(lambda: f"A mark in AI's pictures: {then}" in panel.labels())  # noqa: B023
        assert stage.rooms.chats[stage.chat] == ChatSettings(profile=profile)
        assert list_of(panel, "chat.mark")["disabled"] is False


@pytest.mark.parametrize(("always", "profile"), [(True, Profile.VISIBLE), (False, Profile.CN)])
async def test_a_mark_that_no_switch_takes_away_has_one_that_cannot_be_pressed(
    stage: Stage, always: bool, profile: Profile
) -> None:
    stage.guild.join(stage.anna, stage.guild.role("keeper", Permission.MANAGE_CHANNELS))
    stage.rooms.marks_always = always
    stage.rooms.chats[stage.chat] = ChatSettings(profile=profile)
    switch = list_of(await opened_settings(stage, stage.anna, "This channel"), "chat.mark")
    assert (switch["label"], switch["disabled"]) == ("A mark in AI's pictures: on", True)


async def test_what_was_chosen_before_is_shown_as_chosen(stage: Stage) -> None:
    stage.guild.join(stage.anna, stage.guild.role("keeper", Permission.MANAGE_CHANNELS))
    stage.rooms.chats[stage.chat] = ChatSettings(access=Access(denied_people=(stage.ben.id,)))
    panel = await opened_settings(stage, stage.anna, "This channel")
    assert list_of(panel, "chat.denied_people")["default_values"] == [{"id": int(stage.ben.id), "type": "user"}]


def list_of(panel: Message, name: str) -> dict[str, Any]:
    """Its component."""
    return next(each for each in panel.controls() if each["custom_id"].startswith(f"rb:settings:-:{name}"))


async def test_two_who_change_one_list_do_not_undo_each_other(stage: Stage) -> None:
    keeper, carla = stage.guild.role("keeper", Permission.MANAGE_CHANNELS), stage.fake.user("Carla")
    for person in (stage.anna, stage.ben, carla):
        stage.guild.join(person, keeper)
    annas, bens = [await opened_settings(stage, each, "This channel") for each in (stage.anna, stage.ben)]
    for person, panel, chosen, words in (
        (stage.anna, annas, [stage.ben], SAVED),
        (stage.ben, bens, [carla], STALE),
        (stage.ben, bens, [stage.ben, carla], SAVED),
    ):
        name = list_of(panel, "chat.denied_people")["custom_id"]
        await person.presses(panel, custom_id=name, choices=chosen)
        await stage.fake.until(lambda: words in panel.texts())  # noqa: B023
    assert stage.rooms.chats[stage.chat].access == Access(denied_people=(stage.ben.id, carla.id))


async def test_a_list_that_cannot_be_shown_can_still_be_changed(stage: Stage) -> None:
    stage.guild.join(stage.anna, stage.guild.role("keeper", Permission.MANAGE_CHANNELS))
    stage.rooms.chats[stage.chat] = ChatSettings(access=Access(denied_people=(stage.ben.id,)))
    panel = await opened_settings(stage, stage.anna)
    stage.fake.fail("PATCH", r"/webhooks/.*", status=400, code=50035)
    await stage.anna.presses(panel, "This channel")
    await stage.fake.until(lambda: _is_on(panel, "This channel"))
    shown = list_of(panel, "chat.denied_people")
    assert not shown.get("default_values")
    await stage.anna.presses(panel, custom_id=shown["custom_id"], choices=[])
    await stage.fake.until(lambda: stage.rooms.chats[stage.chat].access == Access())


async def test_everybody_is_no_role_of_a_list(stage: Stage) -> None:
    stage.guild.join(stage.anna, stage.guild.role("keeper", Permission.MANAGE_GUILD))
    panel, role = await opened_settings(stage, stage.anna, "The server"), stage.guild.role("loud")
    chosen = [stage.guild.everyone, role]
    await stage.anna.presses(panel, custom_id="rb:settings:-:server.denied_roles", choices=chosen)
    await stage.fake.until(lambda: SAVED_WITHOUT_EVERYONE in panel.texts())
    server = server_ref(stage.fake.bot.id, stage.guild.id)
    assert stage.rooms.servers[server].access == Access(denied_roles=(role.id,))


async def test_a_list_that_names_everybody_shuts_nobody_out(stage: Stage) -> None:
    access = Access(denied_roles=(stage.guild.everyone.id,))
    stage.rooms.servers[server_ref(stage.fake.bot.id, stage.guild.id)] = ServerSettings(access=access)
    await stage.anna.slash("imagine", stage.channel, words="a fox")
    assert (await stage.received()).text == "/imagine a fox"


async def test_without_the_right_to_show_embeds_the_response_is_the_reply(stage: Stage) -> None:
    stage.channel.deny(stage.guild.everyone, Permission.EMBED_LINKS)
    await stage.anna.slash("imagine", stage.channel, words="a fox")
    kept = await stage.store.interaction((await stage.received()).ref)
    assert kept is not None
    assert not kept.can_post


@pytest.mark.parametrize(
    "argument", ["chat.suggestions.off", "server.consent", "server.page", "server.caps..", "chat.denied_people"]
)
async def test_who_lost_the_right_changes_nothing_by_an_old_panel(stage: Stage, argument: str) -> None:
    shown = stage.answer_of_ours(("Set", str(ButtonId(Verb.SETTINGS, argument=argument))))
    assert "Only who may manage this" in await said_alone(await stage.ben.presses(shown, "Set"))
    assert (stage.rooms.chats, stage.rooms.servers) == ({}, {})


async def test_in_a_direct_message_one_sets_ones_own_chat(stage: Stage) -> None:
    dm = stage.fake.dm(stage.anna)
    panel = await (await stage.anna.slash("settings", dm)).answer()
    await stage.anna.presses(panel, "This channel")
    await stage.fake.until(lambda: "Asking back instead of guessing: on" in panel.labels())
    await stage.anna.presses(panel, "Asking back instead of guessing: on")
    await stage.fake.until(lambda: stage.rooms.chats == {stage.chat_of(dm): ChatSettings(questions=False)})
    assert "The server" not in panel.labels()


# --- forgetting


async def test_forget_asks_first_and_erases_then(stage: Stage) -> None:
    asked = await (await stage.anna.slash("forget", stage.channel)).answer()
    assert (asked.seen_by, stage.rooms.asked) == (stage.anna, [])
    await stage.anna.presses(asked, "Erase everything")
    await stage.fake.until(lambda: asked.content == stage.rooms.words)
    assert await stage.one_asked() == ("forget", stage.by(stage.anna))
    assert asked.controls() == []


async def test_nobody_erases_somebody_else(stage: Stage) -> None:
    button = confirm_forget(stage.anna.id).children[0]
    assert isinstance(button, discord.ui.Button)
    shown = stage.answer_of_ours((str(button.label), str(button.custom_id)))
    assert await said_alone(await stage.ben.presses(shown, str(button.label))) == NOT_YOUR_BUTTON
    assert stage.rooms.asked == []


# --- whoever runs the bot


@pytest.mark.parametrize(
    ("name", "option", "asked", "told"),
    [
        ("join", "code", ("enter", "abc-def"), JOINED),
        ("operator", "words", ("operate", "abc-def"), OPERATED),
    ],
)
async def test_what_is_only_between_the_two_of_us_is_answered_for_that_person_alone_and_is_no_message(
    stage: Stage, name: str, option: str, asked: tuple[str, str], told: str
) -> None:
    assert await said_alone(await stage.anna.slash(name, stage.channel, **dict[str, Any]({option: "abc-def"}))) == told
    assert await stage.one_asked() == (asked[0], stage.by(stage.anna), asked[1])
    assert stage.rooms.received == []


async def test_who_manages_a_channel_reads_what_was_changed_and_nobody_else_does(stage: Stage) -> None:
    stage.rooms.log = "Somebody changed something."
    assert "manage this channel" in await said_alone(await stage.ben.slash("settings", stage.channel, log=True))
    assert stage.rooms.asked == []
    stage.guild.join(stage.anna, stage.guild.role("boss", Permission.MANAGE_CHANNELS))
    assert await said_alone(await stage.anna.slash("settings", stage.channel, log=True)) == stage.rooms.log


async def test_whom_the_installation_keeps_out_reads_so_alone_and_still_decides_about_theirs(stage: Stage) -> None:
    stage.rooms.out.add(stage.by(stage.anna))
    shown = stage.answer_of_ours(("This", str(ButtonId(Verb.INFO))))
    assert await said_alone(await stage.anna.slash("imagine", stage.channel, words="a fox")) == KEPT_OUT
    assert await said_alone(await stage.anna.presses(shown, "This")) == KEPT_OUT
    assert (stage.rooms.received, stage.rooms.asked) == ([], [])
    await stage.anna.slash("mine", stage.channel)
    assert [(await stage.fake.until(lambda: stage.rooms.received))[0].text] == ["/mine"]
