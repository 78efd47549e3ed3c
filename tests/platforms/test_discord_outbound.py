"""Discord's door out, against a Discord on this machine: what people see, and how often it is asked."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from redis.asyncio import Redis

from adapters.discord.account import DiscordAccount
from adapters.discord.api import DiscordApi, Rejected, TokenExpired, TokenRefused, Unavailable, failure_of
from adapters.discord.fetch import handle_of
from adapters.discord.outbound import FILE_TOO_LARGE, ON_ITS_WAY, DiscordPlatform
from adapters.discord.ports import ChatFacts, DiscordStore, Interaction, KeptBack
from adapters.discord.refs import chat_ref, interaction_ref, message_ref, user_ref
from adapters.discord.render import ORIGINAL_FILE, TOO_LARGE_WORDS
from bot.domain.actions import Act, Control
from bot.domain.errors import BadPicture, ChatClosed, ChatGone
from bot.domain.files import TextFile
from bot.domain.images import ALL, ImageFacts
from bot.domain.messages import Answer, Attachment, InboundMessage, Panel, Rendition, Shown
from bot.domain.refs import MessageRef, TurnId, UserRef, thread_id_of, turn_id_of
from bot.domain.turns import TurnState
from bot.ports import ImageStore, MessageStore
from storage.objects.store import image_store
from storage.redis.client import open_client
from storage.redis.discord import RedisDiscordStore
from storage.redis.messages import RedisMessageStore
from tests.fakes.discord import Channel, FakeDiscord, Guild, Message, Permission, Person
from tests.fakes.discord_rooms import RecordingRooms
from tests.pictures import photo

DAY = 24 * 3600


class Moving(FakeDiscord):
    """Has an address that leads elsewhere."""

    moved = ""

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/moved", self._move)

    async def _move(self, _: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": self.moved})


@dataclass
class Place:
    """A channel of a server, with somebody in it, and the door out to it."""

    fake: Moving
    guild: Guild
    channel: Channel
    anna: Person
    api: DiscordApi
    store: DiscordStore
    messages: MessageStore
    images: ImageStore
    platform: DiscordPlatform

    async def asks(self, words: str = "make it blue", **more: Any) -> InboundMessage:
        return inbound(self, await self.anna.says(self.channel, words, **more))

    async def reserve(self) -> tuple[MessageRef, TurnId, Message]:
        message = await self.asks()
        turn = turn_of(message)
        reply = await self.platform.reserve(message, turn)
        return reply, turn, self.fake.messages[reply.message]

    async def picture(self, data: bytes = b"", *, media_type: str = "image/jpeg") -> Rendition:
        data = data or photo("cat")
        sha256 = await self.images.put(data)
        return Rendition(ImageFacts(sha256, media_type, 451, 300, len(data)), "Picture. AI-edited · Gemini.")

    async def done(self, turn: TurnId, *pictures: Rendition, **about: Any) -> Answer:
        shown = pictures or (await self.picture(),)
        return Answer(TurnState.DONE, ("AI-edited · Gemini",), shown, turn, **about)


def inbound(place: Place, said: Message) -> InboundMessage:
    ref = message_ref(place.fake.bot.id, said.channel.id, said.id)
    return InboundMessage(ref, user_ref(said.author.id), said.author.name, said.content, time.time())


def turn_of(message: InboundMessage) -> TurnId:
    return turn_id_of(thread_id_of(message.ref), message.origin)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def place(client: Redis, tmp_path: Path) -> AsyncIterator[Place]:
    fake = Moving(rate_limits=False)
    async with fake:
        guild = fake.guild("Friends")
        channel, anna = guild.channel("pictures"), fake.user("Anna")
        api = DiscordApi(fake.token, api_base=fake.api_base, gateway_url=fake.gateway_url, pause_s=0.01)
        store = RedisDiscordStore(client, retention_s=90 * DAY)
        messages = RedisMessageStore(client, retention_s=90 * DAY)
        images = image_store(str(tmp_path))
        platform = DiscordPlatform(api, store, images, account=fake.bot.id, messages=messages, now=fake.clock.now)
        yield Place(fake, guild, channel, anna, api, store, messages, images, platform)
        await platform.close()
        await api.close()


# --- reserving and filling


async def test_a_reply_is_reserved_at_once_and_can_be_cancelled_and_pings_nobody(place: Place) -> None:
    reply, turn, message = await place.reserve()
    assert (message.content, message.labels()) == (ON_ITS_WAY, ["Cancel"])
    assert message.reply_to == place.channel.messages()[0].id
    assert not message.mentions
    assert message.regular
    assert reply == message_ref(place.fake.bot.id, place.channel.id, message.id)
    assert turn in message.controls()[0]["custom_id"]


async def test_the_same_turn_reserves_the_same_message_however_often(place: Place) -> None:
    message = await place.asks()
    replies = [await place.platform.reserve(message, turn_of(message)) for _ in range(3)]
    assert len(set(replies)) == 1
    assert len(place.channel.messages()) == 2


async def test_a_reply_is_reserved_even_where_the_message_was_deleted_meanwhile(place: Place) -> None:
    said = await place.anna.says(place.channel, "blue")
    await place.anna.deletes(said)
    message = inbound(place, said)
    await place.platform.reserve(message, turn_of(message))
    assert place.channel.last().content == ON_ITS_WAY


async def test_a_recipe_is_handed_out_as_a_file_and_taken_in_again(place: Place) -> None:
    recipe = TextFile("look.recipe.json", '{"steps": ["зима"]}')
    reply, turn, message = await place.reserve()
    for _ in range(2):
        await place.platform.fill(reply, Answer(TurnState.DONE, ("Here it is.",), (), turn, files=(recipe,)))
    assert (message.content, message.files) == ("Here it is.", [(recipe.name, recipe.data)])
    said = await place.anna.says(place.channel, "", files=[(recipe.name, recipe.data)])
    assert await place.platform.fetch(attachment(said), max_bytes=100) == recipe.data
    with pytest.raises(BadPicture):
        await place.platform.fetch(attachment(said), max_bytes=5)


async def test_a_result_takes_the_place_of_the_reserved_reply(place: Place) -> None:
    reply, turn, message = await place.reserve()
    await place.platform.fill(reply, await place.done(turn, controls=(Control(Act.AGAIN, "Again"),)))
    assert message.content == "AI-edited · Gemini"
    assert message.files == [("remix-1.jpg", photo("cat"))]
    assert message.attachments[0].description == "Picture. AI-edited · Gemini."
    assert message.labels() == ["Edit…", "Again", "Original file", "Info", "Delete"]
    assert len(place.channel.messages()) == 2


async def test_filling_again_shows_the_same_and_sends_no_picture_twice(place: Place) -> None:
    reply, turn, message = await place.reserve()
    answer = await place.done(turn)
    for _ in range(3):
        await place.platform.fill(reply, answer)
    uploads = [len(request.files) for request in place.fake.asked("PATCH", ".*")]
    assert uploads == [1, 0, 0]
    assert message.files == [("remix-1.jpg", photo("cat"))]


async def test_after_a_restart_filling_again_still_shows_each_picture_once(place: Place) -> None:
    reply, turn, message = await place.reserve()
    answer = await place.done(turn)
    await place.platform.fill(reply, answer)
    again = DiscordPlatform(place.api, place.store, place.images, account=place.fake.bot.id)
    await again.fill(reply, answer)
    await again.close()
    assert message.files == [("remix-1.jpg", photo("cat"))]


async def test_an_album_grows_by_what_is_new_and_keeps_its_order(place: Place) -> None:
    reply, turn, message = await place.reserve()
    one, two, three = [await place.picture(photo(name)) for name in ("cat", "coffee", "rocket")]
    for pictures in ((one,), (one, two), (one, three, two)):
        await place.platform.fill(reply, await place.done(turn, *pictures))
    assert [len(request.files) for request in place.fake.asked("PATCH", ".*")] == [1, 1, 2]
    assert [data for _, data in message.files] == [photo("cat"), photo("rocket"), photo("coffee")]


async def test_two_processes_that_fill_one_album_lose_neither_pictures_nor_buttons(place: Place) -> None:
    reply, turn, message = await place.reserve()
    pictures = [await place.picture(photo(name)) for name in ("cat", "coffee")]
    other = DiscordPlatform(place.api, place.store, place.images, account=place.fake.bot.id)
    for platform, count in ((place.platform, 1), (other, 2), (place.platform, 2), (other, 2)):
        await platform.fill(reply, await place.done(turn, *pictures[:count]))
        assert [data for _, data in message.files] == [photo("cat"), photo("coffee")][:count]
        assert "Edit…" in message.labels()
    await other.close()


async def test_what_was_shown_and_is_deleted_is_gone_from_the_message(place: Place) -> None:
    reply, turn, message = await place.reserve()
    await place.platform.fill(reply, await place.done(turn))
    await place.platform.fill(reply, Answer(TurnState.DONE, ("This was deleted.",), turn=turn))
    assert (message.content, message.files, message.labels()) == ("This was deleted.", [], [])


async def test_while_it_runs_the_time_counts_by_itself_and_the_bot_types_once(place: Place) -> None:
    reply, turn, message = await place.reserve()
    for _ in range(2):
        running = Answer(TurnState.RUNNING, ("Working on it.",), turn=turn, started_at=1700000000)
        await place.platform.fill(reply, running)
    await place.fake.until(lambda: place.channel.typed)
    assert "<t:1700000000:R>" in message.content
    await place.platform.fill(reply, await place.done(turn))
    assert len(place.fake.asked("POST", ".*/typing")) == 1


async def test_the_longest_answer_there_is_is_taken(place: Place) -> None:
    reply, turn, message = await place.reserve()
    words = "An explanation, *with stars*. " * 400
    controls = tuple(Control(Act.CANVAS, f"Edit picture {number} instead", str(number)) for number in range(40))
    answer = await place.done(turn, controls=controls, suggestions=("Make it green",) * 9, spoiler=True)
    await place.platform.fill(reply, replace(answer, lines=("AI-edited · Gemini", words)))
    assert message.content == "AI-edited · Gemini"
    assert str(message.embeds[0]["description"]).endswith("…")
    assert message.attachments[0].spoiler
    assert len(message.components) == 4


async def test_an_album_of_ten_is_taken_with_all_that_can_be_done_with_each(place: Place) -> None:
    reply, turn, message = await place.reserve()
    takes = tuple(Control(act, act.value.title(), "4") for act in (Act.AGAIN, Act.VARIATIONS, Act.LARGER))
    picture = await place.picture()
    panels = tuple(Panel(turn, TurnState.DONE, f"Panel {number}.", picture, takes) for number in range(10))
    again = (Control(Act.AGAIN, "All of them again"),)
    await place.platform.fill(reply, await place.done(turn, *[picture] * 10, panels=panels, controls=again))
    assert len(message.files) == 10
    assert message.labels()[4:] == ["Picture 1, 2 and 3…", "Picture 4, 5 and 6…", "Picture 7, 8 and 9…", "Picture 10…"]


async def test_progress_that_is_none_asks_nothing(place: Place) -> None:
    reply, turn, message = await place.reserve()
    on_its_way = Answer(TurnState.ACCEPTED, (ON_ITS_WAY,), turn=turn)
    waiting = Answer(TurnState.WAITING, ("Waiting in line.",), turn=turn, position=2)
    for answer in (on_its_way, waiting, waiting, on_its_way):
        await place.platform.fill(reply, answer)
    assert len(place.fake.asked("PATCH", ".*")) == 2
    assert message.content == ON_ITS_WAY


async def test_what_cannot_be_replied_to_is_answered_all_the_same(place: Place) -> None:
    message = await place.asks()
    place.fake.fail("POST", ".*/messages", status=400, code=50035)
    await place.platform.reserve(message, turn_of(message))
    assert (place.channel.last().content, place.channel.last().reply_to) == (ON_ITS_WAY, "")


async def test_where_the_bot_may_not_read_history_it_answers_without_a_reference(place: Place) -> None:
    place.channel.deny(place.guild.everyone, Permission.READ_MESSAGE_HISTORY)
    for _ in range(3):
        message = await place.asks()
        await place.platform.reserve(message, turn_of(message))
        assert (place.channel.last().content, place.channel.last().reply_to) == (ON_ITS_WAY, "")
    assert len(place.fake.invalid_requests) <= 1
    assert not await place.store.is_closed(message.ref.chat)
    place.channel.allow(place.guild.everyone, Permission.READ_MESSAGE_HISTORY)
    place.fake.clock.move(601)
    message = await place.asks()
    await place.platform.reserve(message, turn_of(message))
    assert place.channel.last().reply_to == message.ref.message


async def test_progress_that_comes_late_does_not_cover_the_result(place: Place) -> None:
    reply, turn, message = await place.reserve()
    place.fake.latency_s = 0.05
    waiting = Answer(TurnState.WAITING, ("Waiting in line.",), turn=turn, position=2)
    await asyncio.gather(
        place.platform.fill(reply, waiting),
        place.platform.fill(reply, await place.done(turn)),
        place.platform.fill(reply, waiting),
    )
    assert message.files
    assert message.content == "AI-edited · Gemini"


async def test_a_picture_that_discord_does_not_take_is_told_of_and_the_rest_is_shown(place: Place) -> None:
    reply, turn, message = await place.reserve()
    large = await place.picture(bytes(10 * 2**20 + 1), media_type="image/png")
    await place.platform.fill(reply, await place.done(turn, large))
    assert message.files == []
    assert message.content == f"AI-edited · Gemini\n{TOO_LARGE_WORDS.format(original_file=ORIGINAL_FILE)}"
    assert "Original file" in message.labels()


async def test_whatever_discord_does_not_like_about_the_buttons_the_picture_is_shown(place: Place) -> None:
    reply, turn, message = await place.reserve()
    place.fake.fail("PATCH", ".*", status=400, code=50035)
    await place.platform.fill(reply, await place.done(turn))
    assert (message.files, message.labels()) == ([("remix-1.jpg", photo("cat"))], [])


async def test_an_outage_is_an_error_that_may_be_tried_again(place: Place) -> None:
    reply, turn, message = await place.reserve()
    for status in (503, 0):
        place.fake.fail("PATCH", ".*", status=status)
        with pytest.raises(Unavailable):
            await place.platform.fill(reply, await place.done(turn))
    await place.platform.fill(reply, await place.done(turn))
    assert message.files


# --- chats that are closed, or gone


async def test_a_chat_that_was_closed_is_left_alone_until_it_opens(place: Place) -> None:
    everyone = place.guild.everyone
    place.channel.deny(everyone, Permission.SEND_MESSAGES)
    message = await place.asks()
    for _ in range(5):
        with pytest.raises(ChatClosed):
            await place.platform.reserve(message, turn_of(message))
    assert len(place.fake.invalid_requests) == 1
    place.channel.allow(everyone, Permission.SEND_MESSAGES)
    await place.store.open_chat(message.ref.chat)
    await place.platform.reserve(message, turn_of(message))
    assert place.channel.last().content == ON_ITS_WAY


async def test_a_chat_that_another_process_found_closed_is_not_asked_at_all(place: Place) -> None:
    message = await place.asks()
    await place.store.close_chat(message.ref.chat, 50013)
    with pytest.raises(ChatClosed):
        await place.platform.reserve(message, turn_of(message))
    assert not place.fake.asked("POST", ".*/messages")


async def test_a_success_makes_the_next_closing_short_again(place: Place, client: Redis) -> None:
    message = await place.asks()
    await place.store.close_chat(message.ref.chat, 50013)
    (closed,) = [key for key in await client.keys("*:closed:*") if not str(key).endswith(":times")]
    await client.delete(closed)  # its time is over
    await place.platform.reserve(message, turn_of(message))
    assert await place.store.close_chat(message.ref.chat, 50013) == 600


@pytest.mark.parametrize("what", ["message", "channel"])
async def test_what_is_gone_is_gone_for_good(place: Place, what: str) -> None:
    reply, turn, message = await place.reserve()
    place.fake.delete(message) if what == "message" else place.channel.delete()
    with pytest.raises(ChatGone):
        await place.platform.fill(reply, await place.done(turn))


async def test_an_archived_thread_is_opened_and_answered_in(place: Place) -> None:
    thread = place.channel.thread("pictures of cats")
    said = await place.anna.says(thread, "blue")
    thread.changes(archived=True)
    message = inbound(place, said)
    await place.platform.reserve(message, turn_of(message))
    assert not thread.archived
    assert thread.last().content == ON_ITS_WAY


async def test_a_locked_thread_is_closed(place: Place) -> None:
    thread = place.channel.thread("pictures of cats")
    said = await place.anna.says(thread, "blue")
    thread.changes(archived=True, locked=True)
    message = inbound(place, said)
    with pytest.raises(ChatClosed):
        await place.platform.reserve(message, turn_of(message))


# --- interactions


async def interacts(
    place: Place, *, can_post: bool, reply_to: str = "", alone: bool = False
) -> tuple[InboundMessage, Any]:
    """A command of Anna's that was acknowledged as the door in does it."""
    place.fake.commands = [{"id": "1", "name": "edit", "type": 1, "options": []}]
    started = await place.anna.slash("edit", place.channel)
    async with asyncio.timeout(5):
        await acknowledge(place, started)
    ref = interaction_ref(place.fake.bot.id, place.channel.id, started.id)
    kept = Interaction(
        place.fake.application_id,
        started.token,
        user_ref(place.anna.id),
        place.fake.clock.now() + 900,
        can_post=can_post,
        reply_to=reply_to,
        limit_bytes=2**20,
        alone=alone,
    )
    await place.store.keep_interaction(ref, kept)
    return InboundMessage(ref, user_ref(place.anna.id), "Anna", "blue", time.time()), started


async def kept_back(place: Place, person: UserRef) -> Sequence[KeptBack]:
    """What waits for that person."""
    found = await place.store.hold_kept_back(person, life_s=60)
    await place.store.let_go_kept_back(person)
    return found


async def acknowledge(place: Place, started: Any) -> None:

    url = f"{place.fake.api_base}/interactions/{started.id}/{started.token}/callback"
    async with aiohttp.ClientSession() as session, session.post(url, json={"type": 5}) as response:
        assert response.status < 300


async def test_where_the_bot_can_post_a_command_is_answered_by_a_message_that_can_be_replied_to(place: Place) -> None:
    said = await place.anna.says(place.channel, "look", files=[("cat.jpg", photo("cat"))])
    message, _ = await interacts(place, can_post=True, reply_to=said.id)
    reply = await place.platform.reserve(message, turn_of(message))
    posted = place.fake.messages[reply.message]
    assert posted.regular
    assert posted.reply_to == said.id


async def test_where_it_cannot_the_response_is_the_reply_and_is_filled(place: Place) -> None:
    message, started = await interacts(place, can_post=False)
    place.guild.kicks(place.fake.bot)
    reply = await place.platform.reserve(message, turn_of(message))
    assert started.original.content == ON_ITS_WAY
    assert reply.message == started.original.id
    await place.platform.fill(reply, await place.done(turn_of(message)))
    assert started.original.files == [("remix-1.jpg", photo("cat"))]
    assert not place.fake.asked("(POST|PATCH)", "/channels/.*")


async def test_a_response_that_is_filled_is_not_emptied_by_reserving_again(place: Place) -> None:
    message, started = await interacts(place, can_post=False)
    reply = await place.platform.reserve(message, turn_of(message))
    await place.platform.fill(reply, await place.done(turn_of(message)))
    assert await place.platform.reserve(message, turn_of(message)) == reply
    assert started.original.content == "AI-edited · Gemini"


async def test_a_result_that_comes_after_a_quarter_of_an_hour_is_kept_back(place: Place) -> None:
    message, started = await interacts(place, can_post=False)
    turn = turn_of(message)
    reply = await place.platform.reserve(message, turn)
    place.fake.clock.move(901)
    await place.platform.fill(reply, Answer(TurnState.RUNNING, ("Working on it.",), turn=turn))
    assert await kept_back(place, message.author) == []
    await place.platform.fill(reply, await place.done(turn))
    assert await kept_back(place, message.author) == [KeptBack(reply, turn)]
    assert not started.original.files
    assert not place.fake.invalid_requests


async def test_what_was_asked_for_oneself_is_kept_back_for_oneself(place: Place) -> None:
    message, _ = await interacts(place, can_post=False, alone=True)
    turn = turn_of(message)
    reply = await place.platform.reserve(message, turn)
    place.fake.clock.move(901)
    await place.platform.fill(reply, Answer(TurnState.DONE, ("Used today: $3.",), turn=turn))
    assert await kept_back(place, message.author) == [KeptBack(reply, turn, alone=True)]


async def test_a_token_that_discord_says_is_over_keeps_the_result_back_too(place: Place) -> None:
    message, _ = await interacts(place, can_post=False)
    turn = turn_of(message)
    reply = await place.platform.reserve(message, turn)
    place.fake.fail("PATCH", "/webhooks/.*", status=401, code=50027)
    await place.platform.fill(reply, await place.done(turn))
    assert await kept_back(place, message.author) == [KeptBack(reply, turn)]
    assert not await place.store.is_closed(reply.chat)


async def test_a_command_answered_too_late_becomes_a_message(place: Place) -> None:
    message, _ = await interacts(place, can_post=False)
    place.fake.clock.move(901)
    await place.platform.reserve(message, turn_of(message))
    assert place.channel.last().content == ON_ITS_WAY


async def test_a_result_kept_back_is_shown_as_a_follow_up_and_can_be_gone_on_from(place: Place) -> None:
    message, _ = await interacts(place, can_post=False)
    turn = turn_of(message)
    kept = KeptBack(MessageRef(message.ref.chat, "1"), turn)
    later, started = await interacts(place, can_post=False)
    await acknowledged(place, later)
    interaction = await place.store.interaction(later.ref)
    assert interaction is not None
    answer = await place.done(turn)
    ref = await place.platform.show_kept(interaction, kept, answer, words="It is ready.", alone=True)
    shown = started.answers[-1]
    assert shown.content == "It is ready.\nAI-edited · Gemini"
    assert (shown.files, shown.seen_by) == ([("remix-1.jpg", photo("cat"))], place.anna)
    record = await place.messages.find(ref)
    assert record is not None
    assert record.shows == (Shown(turn, ALL),)
    await place.platform.fill(ref, Answer(TurnState.DONE, ("This was deleted.",), turn=turn))
    assert shown.content == "This was deleted."


async def acknowledged(place: Place, message: InboundMessage) -> None:
    """The response has words of its own, so that what follows is a follow-up."""
    await place.platform.reserve(message, turn_of(message))


async def test_a_file_is_sent_to_that_person_alone_and_stays_hidden(place: Place) -> None:
    message, started = await interacts(place, can_post=False)
    await acknowledged(place, message)
    interaction = await place.store.interaction(message.ref)
    assert interaction is not None
    await place.platform.send_file(interaction, await place.picture(), spoiler=True)
    assert started.answers[-1].files == [("SPOILER_remix-1.jpg", photo("cat"))]
    assert started.answers[-1].seen_by is place.anna


async def later(place: Place) -> tuple[Interaction, Any]:
    """An interaction at which something else is shown."""
    message, started = await interacts(place, can_post=False)
    await acknowledged(place, message)
    interaction = await place.store.interaction(message.ref)
    assert interaction is not None
    return interaction, started


async def test_a_file_that_is_too_large_is_answered_in_words(place: Place) -> None:
    interaction, started = await later(place)
    large = await place.picture(bytes(10 * 2**20 + 1), media_type="image/png")
    await place.platform.send_file(interaction, large, spoiler=False)
    assert (started.answers[-1].content, started.answers[-1].seen_by) == (FILE_TOO_LARGE, place.anna)


async def test_a_kept_result_that_is_too_large_is_told_of_in_words(place: Place) -> None:
    interaction, started = await later(place)
    answer = await place.done(TurnId("t-t"), await place.picture(bytes(10 * 2**20 + 1), media_type="image/png"))
    kept = KeptBack(message_ref(place.fake.bot.id, place.channel.id, 1), TurnId("t-t"))
    await place.platform.show_kept(interaction, kept, answer, words="It is ready.", alone=False)
    assert (
        started.answers[-1].content
        == f"It is ready.\nAI-edited · Gemini\n{TOO_LARGE_WORDS.format(original_file=ORIGINAL_FILE)}"
    )


@pytest.mark.parametrize(
    ("alone", "labels"),
    [
        (True, ["Original file", "Info", "Delete"]),
        (False, ["Make it green", "Edit…", "Again", "Original file", "Info", "Delete", "More…"]),
    ],
)
async def test_what_one_person_sees_offers_nothing_that_others_would_see(
    place: Place, alone: bool, labels: list[str]
) -> None:
    interaction, started = await later(place)
    kept = KeptBack(message_ref(place.fake.bot.id, "5", 1), TurnId("t-t"))
    controls = (Control(Act.AGAIN, "Again"), Control(Act.CANVAS, "Edit picture 2 instead", "2"))
    answer = await place.done(kept.turn, controls=controls, suggestions=("Make it green",))
    ref = await place.platform.show_kept(interaction, kept, answer, words="Ready.", alone=alone)
    assert started.answers[-1].labels() == labels
    await place.platform.fill(ref, answer)
    assert started.answers[-1].labels() == labels


async def test_whatever_discord_does_not_like_about_its_buttons_a_kept_result_is_shown(place: Place) -> None:
    interaction, started = await later(place)
    kept = KeptBack(message_ref(place.fake.bot.id, place.channel.id, 1), TurnId("t-t"))
    place.fake.fail("POST", "/webhooks/.*", status=400, code=50035)
    await place.platform.show_kept(interaction, kept, await place.done(kept.turn), words="Ready.", alone=False)
    assert (started.answers[-1].files, started.answers[-1].labels()) == ([("remix-1.jpg", photo("cat"))], [])


async def test_what_a_response_can_hold_is_known_from_its_interaction(place: Place) -> None:
    message, _ = await interacts(place, can_post=False)
    reply = await place.platform.reserve(message, turn_of(message))
    assert (await place.platform.capabilities(reply.chat)).max_file_bytes == 2**20


# --- what a chat can show


async def test_what_a_chat_can_show_is_what_the_gateway_knows_of_it(place: Place) -> None:
    chat = chat_ref(place.fake.bot.id, place.channel.id)
    unknown = await place.platform.capabilities(chat)
    assert (unknown.max_file_bytes, unknown.age_limited, unknown.max_images) == (10 * 2**20, False, 10)
    await place.store.note_chat(chat, ChatFacts(limit_bytes=100 * 2**20, age_limited=True))
    known = await place.platform.capabilities(chat)
    assert (known.max_file_bytes, known.max_message_bytes, known.age_limited) == (100 * 2**20, 100 * 2**20, True)
    assert known.counts_seconds_itself
    assert not known.edits_notify


# --- fetching


def attachment(message: Message, *, url: str = "", name: str = "") -> Attachment:
    file = message.attachments[0]
    address = url or message.world.link(message.channel.id, file)
    return Attachment(handle_of(message.channel.id, message.id, file.id, address), name or file.filename)


async def test_a_picture_is_fetched_as_it_was_sent(place: Place) -> None:
    said = await place.anna.says(place.channel, "look", files=[("cat.jpg", photo("cat"))])
    assert await place.platform.fetch(attachment(said), max_bytes=10**7) == photo("cat")
    assert len(photo("cat")) == len(await place.platform.fetch(attachment(said), max_bytes=len(photo("cat"))))


async def test_a_picture_is_never_asked_for_in_another_form_than_it_was_sent_in(place: Place) -> None:
    said = await place.anna.says(place.channel, "look", files=[("cat.jpg", photo("cat"))])
    plain = attachment(said)
    asked = "&format=webp&quality=lossless&width=320&height=200"
    made_anew = replace(plain, handle=plain.handle + (asked if "?" in plain.handle else f"?{asked[1:]}"))
    assert await place.platform.fetch(made_anew, max_bytes=10**7) == photo("cat")
    assert [each for each in place.fake.urls if "format" in each or "width" in each] == []


async def test_a_picture_that_is_too_large_is_said_to_be(place: Place) -> None:
    said = await place.anna.says(place.channel, "look", files=[("cat.jpg", photo("cat"))])
    with pytest.raises(BadPicture, match="too large"):
        await place.platform.fetch(attachment(said), max_bytes=len(photo("cat")) - 1)


@pytest.mark.parametrize("forwarded", [False, True])
async def test_an_address_that_has_ended_is_asked_for_anew_once(place: Place, forwarded: bool) -> None:
    said = await place.anna.says(place.channel, "look", files=[("cat.jpg", photo("cat"))])
    old = attachment(said)
    if forwarded:
        passed_on = await place.anna.forwards(said, to=place.channel)
        address = old.handle.split(":", 3)[3]
        handle = handle_of(passed_on.channel.id, passed_on.id, said.attachments[0].id, address)
        old = replace(old, handle=handle)
    place.fake.clock.move(2 * DAY)
    assert await place.platform.fetch(old, max_bytes=10**7) == photo("cat")
    assert len(place.fake.downloads) == 2


async def test_a_picture_whose_message_is_gone_is_asked_for_in_kind_words(place: Place) -> None:
    said = await place.anna.says(place.channel, "look", files=[("cat.jpg", photo("cat"))])
    old = attachment(said)
    await place.anna.deletes(said)
    place.fake.clock.move(2 * DAY)
    with pytest.raises(BadPicture, match="Please send it once more"):
        await place.platform.fetch(old, max_bytes=10**7)


async def test_an_outage_of_files_may_be_tried_again(place: Place) -> None:
    said = await place.anna.says(place.channel, "look", files=[("cat.jpg", photo("cat"))])
    place.fake.fail("GET", "/attachments/.*", status=503)
    with pytest.raises(Unavailable):
        await place.platform.fetch(attachment(said), max_bytes=10**7)
    assert await place.platform.fetch(attachment(said), max_bytes=10**7) == photo("cat")


@pytest.mark.parametrize(
    "address",
    [
        "http://cdn.discordapp.com/a.png",
        "https://cdn.discordapp.com:8443/a.png",
        "https://cdn.discordapp.com.example.org/a.png",
        "https://cdn.discordapp.com@example.org/a.png",
        "https://me:secret@cdn.discordapp.com/a.png",
        "https://example.org/cdn.discordapp.com/a.png",
        "https://127.0.0.1/a.png",
        "http://127.0.0.1:1/a.png",
        "http://localhost/a.png",
        "file:///etc/passwd",
        "//cdn.discordapp.com/a.png",
        "",
        "http://[",
    ],
)
async def test_nothing_is_fetched_from_anywhere_else(place: Place, address: str) -> None:
    with pytest.raises(BadPicture, match="on Discord itself"):
        await place.platform.fetch(Attachment(handle_of(1, 2, 3, address), "a.png"), max_bytes=10**7)


async def test_nobody_is_followed_elsewhere(place: Place) -> None:
    said = await place.anna.says(place.channel, "look", files=[("cat.jpg", photo("cat"))])
    place.fake.moved = said.world.link(place.channel.id, said.attachments[0])
    away = Attachment(handle_of("", "", "", f"{place.fake.base_url}/moved"), "cat.jpg")
    with pytest.raises(BadPicture, match="can't be opened"):
        await place.platform.fetch(away, max_bytes=10**7)
    assert not place.fake.downloads


# --- calling, taking away


async def test_a_person_is_called_once_by_one_short_message(place: Place) -> None:
    reply, _, message = await place.reserve()
    ben = place.fake.user("Ben")
    words = f"Ready. @everyone <@{ben.id}> *really*"
    for _ in range(2):
        await place.platform.call(reply, user_ref(place.anna.id), words, key="ready")
    call = place.channel.last()
    assert len(place.channel.messages()) == 3
    assert call.reply_to == message.id
    assert [each.id for each in call.mentions] == [place.anna.id]
    assert not call.mention_everyone


async def test_a_call_goes_once_its_question_is_settled(place: Place) -> None:
    reply, _, _ = await place.reserve()
    await place.platform.call(reply, user_ref(place.anna.id), "A question for you.", key="k")
    called = place.channel.last()
    await place.platform.call_off(reply, key="another")
    assert not called.deleted
    for _ in range(2):
        await place.platform.call_off(reply, key="k")
    assert called.deleted
    assert len([each for each in place.fake.requests if each.method == "DELETE"]) == 1


async def test_calling_never_fails_and_leaves_a_closed_chat_alone(place: Place) -> None:
    reply, _, _ = await place.reserve()
    place.channel.deny(place.guild.everyone, Permission.SEND_MESSAGES)
    for number in range(4):
        await place.platform.call(reply, user_ref(place.anna.id), "Ready.", key=f"ready {number}")
    assert len(place.fake.invalid_requests) == 1


async def test_what_is_retracted_is_gone_and_peoples_own_messages_stay(place: Place) -> None:
    replies = [(await place.reserve())[0] for _ in range(3)]
    gone = place.fake.messages[replies[1].message]
    place.fake.delete(gone)
    said = [inbound(place, each).ref for each in place.channel.messages() if each.author is place.anna]
    await place.platform.retract(replies, said)
    assert [each.author for each in place.channel.messages()] == [place.anna] * 3


async def test_retracting_from_a_chat_that_is_closed_asks_once_and_goes_on_elsewhere(place: Place) -> None:
    replies = [(await place.reserve())[0] for _ in range(3)]
    other = place.guild.channel("other")
    said = await place.anna.says(other, "blue")
    elsewhere = await place.platform.reserve(inbound(place, said), TurnId("x"))
    place.channel.deny(place.guild.everyone, Permission.VIEW_CHANNEL)
    await place.platform.retract([*replies, elsewhere], [])
    assert len(place.fake.invalid_requests) == 1
    assert elsewhere.message not in place.fake.messages


async def test_a_response_is_retracted_as_long_as_its_token_lives(place: Place) -> None:
    message, started = await interacts(place, can_post=False)
    reply = await place.platform.reserve(message, turn_of(message))
    await place.platform.retract([reply, message.ref], [])
    assert started.original.deleted
    assert not place.fake.asked("DELETE", "/channels/.*")


async def test_retracting_never_fails(place: Place) -> None:
    reply, _, _ = await place.reserve()
    for status, code in ((503, 0), (400, 50035), (401, 0)):
        place.fake.fail("DELETE", ".*", status=status, code=code)
        await place.platform.retract([reply], [])
    assert reply.message in place.fake.messages


async def test_whoever_is_forgotten_is_forgotten_here_too(place: Place) -> None:
    message, _ = await interacts(place, can_post=False)
    await place.platform.forget(UserRef("web", place.anna.id))
    assert await place.store.interaction(message.ref) is not None
    await place.platform.forget(message.author)
    assert await place.store.interaction(message.ref) is None


# --- signing in, limits, secrets


async def test_a_refused_token_is_said_in_words_without_it_and_not_tried_again_and_again(place: Place) -> None:
    api = DiscordApi(f"{place.fake.token}x", api_base=place.fake.api_base)
    for _ in range(5):
        with pytest.raises(TokenRefused, match="DISCORD_TOKEN") as refused:
            await api.open()
        assert place.fake.token[:8] not in repr(refused.value)
    assert len(place.fake.invalid_requests) == 1
    await api.close()


async def test_signing_in_is_tried_again_while_the_network_is_away(place: Place) -> None:
    place.fake.fail("GET", "/users/@me", status=0, times=2)
    message = await place.asks()
    await place.platform.reserve(message, turn_of(message))
    assert len(place.fake.asked("GET", "/users/@me")) == 3


async def test_where_nobody_answers_it_is_an_error_that_may_be_tried_again(place: Place) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        api = DiscordApi(place.fake.token, api_base=f"http://127.0.0.1:{nobody.getsockname()[1]}", pause_s=0.01)
        with pytest.raises(Unavailable):
            await api.post("1", {"content": "x"})
        await api.close()


async def test_a_host_that_is_shut_out_asks_nothing_for_a_while(place: Place) -> None:
    reply, turn, _ = await place.reserve()
    place.fake.fail("PATCH", ".*", status=429, headers={"Via": "", "Retry-After": "30"})
    for _ in range(3):
        with pytest.raises(Unavailable):
            await place.platform.fill(reply, await place.done(turn))
    assert len(place.fake.asked("PATCH", ".*")) == 1


async def test_a_call_that_is_cancelled_while_everybody_waits_does_not_hold_the_others(place: Place) -> None:
    reply, turn, _ = await place.reserve()
    place.fake.limits.globally = 1
    await place.api.edit(reply.chat.chat, reply.message, {"content": "one"})
    waits = asyncio.create_task(place.api.edit(reply.chat.chat, reply.message, {"content": "two"}))
    library: Any = place.api
    await place.fake.until(lambda: not library._http._global_over.is_set())
    waits.cancel()
    await asyncio.wait([waits])
    place.fake.limits.globally = 0
    async with asyncio.timeout(5):
        await place.platform.fill(reply, await place.done(turn))


async def test_no_token_and_no_words_stand_in_the_log(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    message, started = await interacts(place, can_post=False)
    place.fake.fail("PATCH", "/webhooks/.*", status=429)
    reply = await place.platform.reserve(message, turn_of(message))
    await place.platform.fill(reply, Answer(TurnState.FAILED, ("a secret wish",), turn=turn_of(message)))
    # The server of these tests writes a log of its own.
    logged = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("aiohttp"))
    assert "rate limited" in logged
    assert not any(secret in logged for secret in ("secret wish", started.token, place.fake.token))


def test_no_token_stands_in_what_is_shown_of_an_account(place: Place) -> None:
    account = DiscordAccount("a.secret.token", place.api, place.store, place.platform)
    kept = Interaction("15", "a.secret.token", user_ref(1), 0.0, can_post=False)
    assert "secret" not in f"{account!r} {kept!r} {place.api!r} {account.door_in(RecordingRooms())!r}"


@pytest.mark.parametrize(
    ("status", "code", "webhook", "kind"),
    [
        (404, 10003, False, ChatGone),
        (404, 10008, True, ChatGone),
        (404, 0, False, ChatGone),
        (403, 50001, False, ChatClosed),
        (403, 0, True, ChatClosed),
        (400, 160002, False, ChatClosed),
        (400, 50007, False, ChatClosed),
        (401, 50027, True, TokenExpired),
        (404, 10015, True, TokenExpired),
        (401, 0, False, TokenRefused),
        (429, 30046, False, Unavailable),
        (400, 30046, False, Unavailable),
        (500, 0, False, Unavailable),
        (400, 50035, False, Rejected),
        (404, 10015, False, ChatGone),
    ],
)
def test_each_refusal_means_one_thing(status: int, code: int, webhook: bool, kind: type[Exception]) -> None:
    assert type(failure_of(status, code, webhook=webhook)) is kind or (
        kind is ChatClosed
        and isinstance(failure_of(status, code, webhook=webhook), ChatClosed)
        and not isinstance(failure_of(status, code, webhook=webhook), ChatGone)
    )
