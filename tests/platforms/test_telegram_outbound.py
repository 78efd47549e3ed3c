"""Telegram's door out, against a Telegram on this machine: what people see, and how often it is asked."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from adapters.telegram import lanes
from adapters.telegram.api import TelegramApi
from adapters.telegram.blank import BLANK
from adapters.telegram.errors import OutcomeUnknown, Unavailable
from adapters.telegram.inbound import file_handle
from adapters.telegram.once import FIRST
from adapters.telegram.outbound import Rhythm, TelegramPlatform
from adapters.telegram.ports import SendState
from adapters.telegram.putting import DELETED
from adapters.telegram.refs import chat_ref, message_ref, press_ref, user_ref
from adapters.telegram.render import (
    NOT_ALLOWED_WORDS,
    NOT_TAKEN_WORDS,
    ON_ITS_WAY,
    TOO_LARGE_WORDS,
    UNSURE_WORDS,
    full_keyboard,
)
from bot.domain.actions import Act, Control
from bot.domain.errors import BadPicture, ChatClosed, ChatGone
from bot.domain.files import TextFile
from bot.domain.images import ALL, ImageFacts
from bot.domain.messages import Answer, Attachment, Credit, InboundMessage, Panel, Rendition, Shown
from bot.domain.refs import MessageRef, Person, TurnId, thread_id_of, turn_id_of
from bot.domain.turns import TurnState
from bot.ending import end
from bot.ports import ImageStore, MessageStore
from storage.objects.store import image_store
from storage.redis.client import open_client
from storage.redis.messages import RedisMessageStore
from storage.redis.telegram import RedisLedger, RedisTelegramStore
from storage.redis.telegram_pace import RedisPace
from tests.fakes.telegram import Chat, FakeTelegram, Message
from tests.fakes.telegram import Person as Someone
from tests.fakes.telegram.state import Place
from tests.pictures import image, photo, saved, see_through

DAY = 24 * 3600
READ_S = 0.4
QUICK = Rhythm(progress_s=0.05, busy_s=0.05, asking_s=5.0, stale_s=5.0)
UNHURRIED = Rhythm(progress_s=1.0, busy_s=0.05, asking_s=5.0, stale_s=5.0)
"""What comes next comes before any progress, on a busy machine, too."""
LABEL = "AI-edited · Gemini"


@dataclass
class Door:
    """The door out, a group with two people in it, and one of them alone."""

    fake: FakeTelegram
    anna: Someone
    ben: Someone
    home: Chat
    group: Chat
    api: TelegramApi
    store: RedisTelegramStore
    ledger: RedisLedger
    messages: MessageStore
    images: ImageStore
    pace: Pacing
    platform: TelegramPlatform

    async def shows(self, message: Message | MessageRef) -> tuple[Shown, ...]:
        """What a reply to this message is a reply to."""
        if isinstance(message, Message):
            message = message_ref(self.api.account, message.chat.id, message.id)
        record = await self.messages.find(message)
        return record.shows if record else ()

    def inbound(self, said: Message) -> InboundMessage:
        topic = said.thread_id
        ref = message_ref(self.api.account, said.chat.id, said.id, topic)
        return InboundMessage(ref, user_ref(said.author.id), said.author.name, said.words, time.time())

    async def asks(self, place: Place | None = None) -> InboundMessage:
        return self.inbound(await self.anna.says(place or self.home, "make it blue"))

    async def reserve(self, place: Place | None = None) -> tuple[MessageRef, TurnId, Message]:
        message = await self.asks(place)
        turn = turn_of(message)
        reply = await self.platform.reserve(message, turn)
        return reply, turn, self.at(reply)

    def at(self, ref: MessageRef) -> Message:
        return self.fake.chats[int(ref.chat.chat.partition("/")[0])].log[int(ref.message)]

    async def picture(self, data: bytes = b"", **facts: Any) -> Rendition:
        data = data or photo("cat")
        about = {"media_type": "image/jpeg", "width_px": 451, "height_px": 300, **facts}
        return Rendition(ImageFacts(await self.images.put(data), size_bytes=len(data), **about), "Picture.")

    async def done(self, turn: TurnId, *pictures: Rendition, lines: tuple[str, ...] = (LABEL,), **about: Any) -> Answer:
        return Answer(TurnState.DONE, lines, pictures or (await self.picture(),), turn, **about)


@dataclass
class Pacing(RedisPace):
    """May be full where something can be left out."""

    client: Redis
    full: bool = False
    taken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.client)

    async def take(self, lanes: Any, *, spare: int | None = None, **how: Any) -> float | None:
        if self.full and spare is not None:
            return None
        self.taken += [each.name for each in lanes]
        return await super().take(lanes, spare=spare, **how)


def another(door: Door, *, later_s: float = 0.0) -> TelegramPlatform:
    """Another process, or the same after a while."""
    api, now = door.api, lambda: time.time() + later_s
    return TelegramPlatform(api, door.store, door.ledger, door.images, door.messages, rhythm=QUICK, now=now)


def turn_of(message: InboundMessage) -> TurnId:
    return turn_id_of(thread_id_of(message.ref), message.origin)


def six() -> list[bytes]:
    return [photo(name) for name in ("cat", "coffee")] + [
        saved(image().rotate(90 * turns).resize((160 + turns, 120)), "JPEG") for turns in range(4)
    ]


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def door(client: Redis, tmp_path: Path) -> AsyncIterator[Door]:
    async with FakeTelegram() as fake:
        anna, ben = fake.user("Anna"), fake.user("Ben")
        store = RedisTelegramStore(client, retention_s=90 * DAY)
        ledger = RedisLedger(client, retention_s=90 * DAY)
        messages = RedisMessageStore(client, retention_s=90 * DAY)
        pace, images = Pacing(client), image_store(str(tmp_path / "pictures"))
        api = TelegramApi(fake.token, store=store, pace=pace, images=images, api_base=fake.api_base, read_s=READ_S)
        platform = TelegramPlatform(api, store, ledger, images, messages, rhythm=QUICK)
        group = fake.group("Friends", anna, ben)
        yield Door(fake, anna, ben, fake.private(anna), group, api, store, ledger, messages, images, pace, platform)
        await platform.close()
        await api.close()
        assert fake.faults() == []


# --- reserving


async def test_the_reserved_reply_stands_below_the_message_and_can_be_cancelled(door: Door) -> None:
    message = await door.asks()
    reply = door.at(await door.platform.reserve(message, turn_of(message)))
    assert (reply.text, reply.reply_to) == (ON_ITS_WAY, int(message.ref.message))
    assert reply.keyboard == [[("Cancel", f"rb:cancel:-:{turn_of(message)}")]]


async def test_the_same_turn_is_the_same_reply(door: Door) -> None:
    message = await door.asks()
    first, second = [await door.platform.reserve(message, turn_of(message)) for _ in range(2)]
    assert first == second
    assert len(door.fake.asked("sendMessage")) == 1


async def test_the_same_turn_is_the_same_reply_even_where_it_is_taken_for_new(door: Door) -> None:
    message = await door.asks()
    first = await another(door).reserve(message, turn_of(message))
    before = FIRST.set(True)
    again = [
        await door.platform.reserve(message, turn_of(message)),
        await another(door).reserve(message, turn_of(message)),
    ]
    FIRST.reset(before)
    assert again == [first, first]
    assert len(door.fake.asked("sendMessage")) == 1


async def test_a_press_is_answered_below_what_was_pressed(door: Door) -> None:
    reply, _turn, _ = await door.reserve()
    pressed = InboundMessage(press_ref(reply.chat, "77"), user_ref(door.anna.id), "Anna", "Again", 0.0, reply_to=reply)
    again = await door.platform.reserve(pressed, turn_of(pressed))
    assert door.at(again).reply_to == int(reply.message)


async def test_a_reply_in_a_topic_stands_in_it(door: Door) -> None:
    topic = door.fake.forum("Club", door.anna).topic("Pictures")
    reply, _, message = await door.reserve(topic)
    assert message.thread_id == topic.thread_id
    assert reply.chat == chat_ref(door.api.account, topic.chat.id, topic.thread_id)


async def test_where_the_topic_is_gone_the_reply_stands_outside(door: Door) -> None:
    topic = door.fake.forum("Club", door.anna).topic("Pictures")
    message = await door.asks(topic)
    topic.delete()
    reply = await door.platform.reserve(message, turn_of(message))
    assert (reply.chat, door.at(reply).thread_id) == (chat_ref(door.api.account, topic.chat.id), None)


async def test_what_it_replies_to_may_be_gone_by_then(door: Door) -> None:
    message = await door.asks()
    door.fake.delete(door.at(message.ref))
    reply = door.at(await door.platform.reserve(message, turn_of(message)))
    assert (reply.text, reply.reply_to) == (ON_ITS_WAY, None)


async def test_a_reply_of_which_nobody_knows_whether_it_arrived_is_posted_once_more_and_the_first_taken_away(
    door: Door,
) -> None:
    message = await door.asks()
    turn = turn_of(message)
    door.fake.hang_after_delivery("sendMessage")
    with pytest.raises(OutcomeUnknown):
        await door.platform.reserve(message, turn)
    orphan = door.home.last()
    reply = await door.platform.reserve(message, turn)
    assert door.at(reply) is not orphan
    await door.platform.found(message_ref(door.api.account, door.home.id, orphan.id), turn)
    await door.platform.found(reply, turn)
    assert [each.text for each in door.home.messages()] == ["make it blue", ON_ITS_WAY]
    assert not door.at(reply).deleted


async def test_an_orphan_whose_turn_has_no_other_reply_becomes_it(door: Door) -> None:
    message = await door.asks()
    turn = turn_of(message)
    door.fake.hang_after_delivery("sendMessage")
    with pytest.raises(OutcomeUnknown):
        await door.platform.reserve(message, turn)
    orphan = message_ref(door.api.account, door.home.id, door.home.last().id)
    await door.platform.found(orphan, turn)
    assert await door.shows(orphan) == (Shown(turn, ALL),)
    assert await door.platform.reserve(message, turn) == orphan


async def test_who_waits_in_the_lane_has_not_begun_and_only_one_of_two_processes_posts(door: Door) -> None:
    message = await door.asks(door.group)
    turn = turn_of(message)
    await door.pace.hold_back(lanes.sends(message.ref.chat)[0].name, 1.0)
    both = [asyncio.create_task(each.reserve(message, turn)) for each in (door.platform, another(door))]
    await door.fake.until(lambda: door.pace.taken.count(lanes.sends(message.ref.chat)[0].name) == 2)
    assert await door.ledger.find(f"reserve:{message.ref.chat.key}:{turn}") is None
    done = await asyncio.gather(*both, return_exceptions=True)
    assert len(door.fake.asked("sendMessage")) == 1
    assert all(isinstance(each, Unavailable | MessageRef) for each in done)
    assert await another(door).reserve(message, turn) == next(each for each in done if isinstance(each, MessageRef))


async def test_what_another_process_is_sending_at_the_moment_is_not_sent_beside_it(door: Door) -> None:
    message = await door.asks()
    await door.ledger.begin(f"reserve:{message.ref.chat.key}:{turn_of(message)}")
    with pytest.raises(Unavailable):
        await door.platform.reserve(message, turn_of(message))
    assert door.fake.asked("sendMessage") == []
    reply = await another(door, later_s=10).reserve(message, turn_of(message))
    assert door.at(reply).text == ON_ITS_WAY


async def test_a_reply_that_gets_lost_again_is_not_posted_a_third_time_at_once(door: Door) -> None:
    message = await door.asks()
    door.fake.hang_after_delivery("sendMessage", times=9)
    for failure in (OutcomeUnknown, OutcomeUnknown, Unavailable, Unavailable):
        with pytest.raises(failure):
            await door.platform.reserve(message, turn_of(message))
    assert len(door.fake.asked("sendMessage")) == 2
    orphan = message_ref(door.api.account, door.home.id, door.home.last().id)
    await door.platform.found(orphan, turn_of(message))
    assert await door.platform.reserve(message, turn_of(message)) == orphan


# --- filling


async def test_a_result_fills_the_reply_as_a_photo_and_nothing_else_is_posted(door: Door) -> None:
    reply, turn, message = await door.reserve()
    await door.platform.fill(reply, await door.done(turn, controls=(Control(Act.AGAIN, "Again"),), spoiler=True))
    assert (message.kind, message.data, message.caption) == ("photo", photo("cat"), LABEL)
    assert message.labels == ["Again", "File with credentials", "Info", "More…"]
    assert message.spoiler
    assert len(door.home.messages()) == 2


async def test_filling_it_again_changes_nothing(door: Door) -> None:
    reply, turn, message = await door.reserve()
    answer = await door.done(turn)
    for _ in range(3):
        await door.platform.fill(reply, answer)
    assert (message.kind, message.caption, message.edits) == ("photo", LABEL, 1)


async def test_other_words_below_the_same_picture_send_no_picture(door: Door) -> None:
    reply, turn, message = await door.reserve()
    shown = await door.picture()
    await door.platform.fill(reply, await door.done(turn, shown))
    await door.platform.fill(reply, await door.done(turn, shown, lines=(LABEL, "a remark")))
    assert message.caption == f"{LABEL}\na remark"
    assert [len(each.files) for each in door.fake.requests] == [0, 1, 0]


async def test_a_picture_that_telegram_has_is_not_sent_again(door: Door) -> None:
    shown = await door.picture()
    for _ in range(2):
        reply, turn, message = await door.reserve()
        await door.platform.fill(reply, await door.done(turn, shown))
    assert message.data == photo("cat")
    assert [len(each.files) for each in door.fake.asked("editMessageMedia")] == [1, 0]


async def test_where_a_known_file_is_refused_it_is_sent_again(door: Door) -> None:
    shown = await door.picture()
    reply, turn, message = await door.reserve()
    await door.platform.fill(reply, await door.done(turn, shown))
    reply, turn, message = await door.reserve()
    door.fake.fail("editMessageMedia", code=400, description="Bad Request: wrong file identifier/HTTP URL specified")
    await door.platform.fill(reply, await door.done(turn, shown))
    assert message.data == photo("cat")


async def test_a_picture_with_transparency_is_shown_as_the_very_file(door: Door) -> None:
    data = saved(see_through(), "PNG")
    reply, turn, message = await door.reserve()
    await door.platform.fill(
        reply, await door.done(turn, await door.picture(data, media_type="image/png", has_alpha=True))
    )
    assert (message.kind, message.data, message.shown, message.filename) == ("document", data, data, "remix-1.png")


async def test_a_recipe_is_handed_out_as_a_document_and_taken_in_again(door: Door) -> None:
    recipe = TextFile("look.recipe.json", '{"steps": ["зима"]}')
    reply, turn, message = await door.reserve()
    for _ in range(2):
        await door.platform.fill(reply, Answer(TurnState.DONE, ("Here it is.",), (), turn, files=(recipe,)))
    assert (message.kind, message.data, message.filename) == ("document", recipe.data, recipe.name)
    assert (message.caption, len(door.home.messages())) == ("Here it is.", 2)
    said = await door.anna.says(door.home, document=(recipe.name, recipe.data))
    assert said.media is not None
    brought = Attachment(file_handle(said.media.file.file_id), recipe.name)
    assert await door.platform.fetch(brought, max_bytes=100) == recipe.data


async def test_where_no_file_may_be_sent_the_words_stand_alone(door: Door) -> None:
    reply, turn, message = await door.reserve()
    no_files = "Bad Request: not enough rights to send documents to the chat"
    door.fake.fail("editMessageMedia", code=400, description=no_files, times=9)
    files = (TextFile("look.recipe.json", "{}"),)
    await door.platform.fill(reply, Answer(TurnState.DONE, ("Here it is.",), (), turn, files=files))
    assert (message.kind, message.text) == ("text", "Here it is.")


async def test_what_telegram_takes_for_no_photo_is_shown_as_a_document(door: Door) -> None:
    reply, turn, message = await door.reserve()
    door.fake.fail("editMessageMedia", code=400, description="Bad Request: PHOTO_INVALID_DIMENSIONS")
    await door.platform.fill(reply, await door.done(turn))
    assert (message.kind, message.data) == ("document", photo("cat"))


async def test_a_picture_that_is_too_large_is_said_to_be(door: Door) -> None:
    door.fake.upload_limit_bytes = 1000
    reply, turn, message = await door.reserve()
    await door.platform.fill(reply, await door.done(turn))
    assert (message.kind, message.text) == ("text", f"{LABEL}\n{TOO_LARGE_WORDS}")


async def test_an_answer_in_words_fills_the_reply(door: Door) -> None:
    reply, turn, message = await door.reserve()
    await door.platform.fill(reply, Answer(TurnState.REFUSED, ("I can't do that @ben.",), turn=turn))
    assert (message.text, message.keyboard) == ("I can't do that @\u2060ben.", [])


async def test_what_was_deleted_shows_its_picture_no_more(door: Door) -> None:
    reply, turn, message = await door.reserve()
    await door.platform.fill(reply, await door.done(turn))
    await door.platform.fill(reply, Answer(TurnState.DONE, (DELETED,), turn=turn))
    assert (message.data, message.caption, message.keyboard) == (BLANK, DELETED, [])


async def test_keys_that_telegram_does_not_take_cost_no_result(door: Door) -> None:
    reply, turn, message = await door.reserve()
    door.fake.fail("editMessageMedia", code=400, description="Bad Request: BUTTON_DATA_INVALID", times=2)
    await door.platform.fill(reply, await door.done(turn))
    assert (message.kind, message.caption, message.keyboard) == ("photo", LABEL, [])


async def test_a_picture_that_telegram_does_not_take_is_said_to_be_so_and_tried_no_more(door: Door) -> None:
    reply, turn, message = await door.reserve()
    door.fake.fail("editMessageMedia", code=400, description="Bad Request: SOMETHING_NEW_INVALID", times=99)
    await door.platform.fill(reply, await door.done(turn))
    assert (message.kind, message.text) == ("text", f"{LABEL}\n{NOT_TAKEN_WORDS}")
    assert message.labels == ["File with credentials"]


async def test_an_answer_of_which_telegram_takes_nothing_is_given_up(door: Door) -> None:
    reply, turn, _ = await door.reserve()
    for method in ("editMessageMedia", "editMessageText"):
        door.fake.fail(method, code=400, description="Bad Request: SOMETHING_NEW_INVALID", times=99)
    with pytest.raises(ChatGone):
        await door.platform.fill(reply, await door.done(turn))
    with pytest.raises(ChatGone):
        await door.platform.fill(reply, Answer(TurnState.FAILED, ("Sorry.",), turn=turn))


async def test_where_photos_are_not_allowed_the_result_is_a_document(door: Door) -> None:
    reply, turn, message = await door.reserve(door.group)
    no_photos = "Bad Request: not enough rights to send photos to the chat"
    door.fake.fail("editMessageMedia", code=400, description=no_photos)
    await door.platform.fill(reply, await door.done(turn))
    assert (message.kind, message.caption) == ("document", LABEL)


async def test_where_no_pictures_are_allowed_it_is_said_who_can_allow_them(door: Door) -> None:
    reply, turn, message = await door.reserve(door.group)
    door.fake.fail("editMessageMedia", code=400, description="Bad Request: CHAT_SEND_DOCS_FORBIDDEN", times=99)
    await door.platform.fill(reply, await door.done(turn, *[await door.picture(data) for data in six()[:3]]))
    assert (message.kind, message.text) == ("text", f"{LABEL}\n{NOT_ALLOWED_WORDS}")
    assert door.fake.asked("sendMediaGroup") == []
    await door.platform.reserve(await door.asks(door.group), turn_of(await door.asks(door.group)))


async def test_a_result_is_shown_although_the_answer_to_it_never_came(door: Door) -> None:
    reply, turn, message = await door.reserve()
    door.fake.hang_after_delivery("editMessageMedia")
    await door.platform.fill(reply, await door.done(turn))
    assert message.kind == "photo"
    assert len(door.home.messages()) == 2


async def test_what_cannot_be_shown_now_can_be_later(door: Door) -> None:
    reply, turn, message = await door.reserve()
    door.fake.fail("editMessageMedia", code=502, times=2)
    answer = await door.done(turn)
    with pytest.raises(Unavailable):
        await door.platform.fill(reply, answer)
    await door.platform.fill(reply, answer)
    assert message.kind == "photo"


async def test_a_reply_that_was_deleted_is_gone(door: Door) -> None:
    reply, turn, message = await door.reserve()
    door.fake.delete(message)
    with pytest.raises(ChatGone):
        await door.platform.fill(reply, await door.done(turn))


async def test_a_keyboard_with_everything_is_taken(door: Door) -> None:
    reply, turn, message = await door.reserve()
    panels = tuple(
        [Panel(turn, TurnState.DONE, image=await door.picture(), controls=(Control(Act.AGAIN, "Again"),) * 6)] * 10
    )
    answer = await door.done(turn, *[await door.picture()] * 10, panels=panels)
    await door.api.change_keyboard(reply, full_keyboard(answer))
    assert len(message.labels) > 80


# --- progress


def running(turn: TurnId, words: str = "Working on it.") -> Answer:
    return Answer(TurnState.RUNNING, (words,), turn=turn, started_at=time.time())


async def test_progress_is_shown_when_it_has_lasted(door: Door) -> None:
    reply, turn, message = await door.reserve()
    await door.platform.fill(reply, running(turn))
    assert message.text == ON_ITS_WAY
    await door.fake.until(lambda: message.text == "Working on it.")
    assert message.labels == ["Cancel"]


async def test_a_quick_result_comes_without_progress(door: Door) -> None:
    door.platform._rhythm = UNHURRIED
    reply, turn, message = await door.reserve()
    await door.platform.fill(reply, running(turn))
    await door.platform.fill(reply, await door.done(turn))
    await asyncio.gather(*door.platform._tasks)
    assert (message.kind, message.edits) == ("photo", 1)


@pytest.mark.parametrize("state", [TurnState.DONE, TurnState.CANCELLED])
async def test_progress_that_comes_late_does_not_cover_what_another_process_has_shown(
    door: Door, state: TurnState
) -> None:
    door.platform._rhythm = UNHURRIED
    reply, turn, message = await door.reserve()
    await door.platform.fill(reply, running(turn))
    other = TelegramPlatform(door.api, door.store, door.ledger, door.images, door.messages, rhythm=QUICK)
    final = await door.done(turn) if state is TurnState.DONE else Answer(state, (LABEL,), turn=turn)
    await other.fill(reply, final)
    door.platform._busy[reply].set()
    await asyncio.gather(*door.platform._tasks)
    assert (message.words, message.edits) == (LABEL, 1)


async def test_progress_never_takes_away_a_picture(door: Door) -> None:
    reply, turn, message = await door.reserve()
    await door.platform.fill(reply, await door.done(turn))
    other = TelegramPlatform(door.api, door.store, door.ledger, door.images, door.messages, rhythm=QUICK)
    await other.fill(reply, Answer(TurnState.WAITING, ("Waiting in line.",), turn=turn))
    assert (message.data, message.caption) == (photo("cat"), LABEL)


async def test_progress_is_left_out_where_there_is_no_room_and_the_result_is_not(door: Door) -> None:
    reply, turn, message = await door.reserve()
    door.pace.full = True
    await door.platform.fill(reply, Answer(TurnState.WAITING, ("Waiting in line.",), turn=turn, position=2))
    assert message.text == ON_ITS_WAY
    await door.platform.fill(reply, await door.done(turn))
    assert message.kind == "photo"


async def test_a_question_to_an_owner_is_never_left_out(door: Door) -> None:
    reply, turn, message = await door.reserve(door.group)
    door.pace.full = True
    ben = Person(user_ref(door.ben.id), "Ben")
    asked = Answer(TurnState.WAITING, turn=turn, asks=(ben,), credit=Credit(Person(user_ref(door.anna.id), "Anna")))
    await door.platform.fill(reply, asked)
    assert message.text == "Ben, may Anna edit your picture?"
    assert message.notified == [door.ben]


async def test_the_bot_seems_busy_until_the_result_is_there(door: Door) -> None:
    reply, turn, _ = await door.reserve()
    await door.platform.fill(reply, running(turn))
    await door.fake.until(lambda: len(door.fake.asked("sendChatAction")) >= 2)
    await door.platform.fill(reply, await door.done(turn))
    await asyncio.gather(*door.platform._tasks)
    assert door.platform._busy == {}


# --- more than one message holds


async def test_an_album_goes_out_as_the_reply_and_one_album_below_it(door: Door) -> None:
    reply, turn, message = await door.reserve()
    shown = [await door.picture(data) for data in six()]
    await door.platform.fill(reply, await door.done(turn, *shown))
    _, first, *rest = door.home.messages()
    assert (first, first.data) == (message, six()[0])
    assert [each.data for each in rest] == six()[1:]
    assert len({each.album for each in rest}) == 1
    assert [each.caption for each in rest] == [f"{LABEL}\nPictures 2, 3, 4, 5 and 6", "", "", "", ""]
    assert await door.shows(rest[2]) == (Shown(turn, 3),)


async def half_and_whole(door: Door, turn: TurnId, two: TurnId) -> tuple[Answer, Answer]:
    """One of two panels done, and both."""
    first, second = [
        Panel(each, TurnState.DONE, image=await door.picture(data))
        for each, data in zip((turn, two), six()[:2], strict=True)
    ]
    panels = (first, Panel(two, TurnState.RUNNING, "Working on it."))
    return Answer(TurnState.RUNNING, (LABEL,), turn=turn, panels=panels), await door.done(turn, panels=(first, second))


async def test_panels_that_are_done_are_shown_while_others_are_not_and_the_rest_follows_once(door: Door) -> None:
    reply, turn, message = await door.reserve()
    half, whole = await half_and_whole(door, turn, two := turn_id_of(thread_id_of(reply), "panel two"))
    await door.platform.fill(reply, half)
    assert (message.kind, message.labels) == ("photo", ["Cancel"])
    for _ in range(2):
        await door.platform.fill(reply, whole)
    assert [each.data for each in door.home.messages()[1:]] == six()[:2]
    assert await door.shows(door.home.last()) == (Shown(two, ALL),)


async def test_panels_that_another_process_shows_late_cover_no_result(door: Door) -> None:
    reply, turn, message = await door.reserve()
    half, whole = await half_and_whole(door, turn, turn_id_of(thread_id_of(reply), "panel two"))
    await door.platform.fill(reply, whole)
    keys = message.labels
    await another(door).fill(reply, half)
    await another(door).fill(reply, Answer(TurnState.WAITING, ("Waiting in line.",), turn=turn))
    assert (message.caption, message.labels) == (LABEL, keys)


async def test_photos_and_documents_stand_apart(door: Door) -> None:
    reply, turn, _ = await door.reserve()
    clear = await door.picture(saved(see_through(), "PNG"), media_type="image/png", has_alpha=True)
    await door.platform.fill(reply, await door.done(turn, *[await door.picture(data) for data in six()[:3]], clear))
    assert [each.kind for each in door.home.messages()] == ["text", "photo", "photo", "photo", "document"]


async def test_an_album_of_which_nobody_knows_whether_it_arrived_is_not_sent_again_by_itself(door: Door) -> None:
    reply, turn, message = await door.reserve()
    answer = await door.done(turn, *[await door.picture(data) for data in six()[:3]])
    door.fake.hang_after_delivery("sendMediaGroup")
    for _ in range(2):
        await door.platform.fill(reply, answer)
    assert len(door.fake.asked("sendMediaGroup")) == 1
    assert message.caption == f"{LABEL}\n{UNSURE_WORDS}"
    assert message.keyboard[0] == [("Send it again", f"rb:rest:-:{turn}")]
    await door.platform.send_again(reply, answer)
    assert len(door.fake.asked("sendMediaGroup")) == 2
    assert message.caption == LABEL
    assert "Send it again" not in message.labels


async def test_who_is_killed_between_an_album_and_its_noting_leaves_one_album_that_is_said_to_be_unsure(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply, turn, message = await door.reserve()
    answer = await door.done(turn, *[await door.picture(data) for data in six()[:3]])
    killed = asyncio.Event()

    async def die(*_: object) -> None:
        killed.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(door.ledger, "sent", die)
        dying = asyncio.create_task(another(door).fill(reply, answer))
        await killed.wait()
        await end(dying)
    with pytest.raises(Unavailable):
        await door.platform.fill(reply, answer)
    await another(door, later_s=10).fill(reply, answer)
    assert len(door.fake.asked("sendMediaGroup")) == 1
    assert UNSURE_WORDS in message.caption


async def test_an_album_that_was_begun_by_who_never_came_back_is_said_to_be_unsure(door: Door) -> None:
    reply, turn, message = await door.reserve()
    answer = await door.done(turn, *[await door.picture(data) for data in six()[:2]])
    await door.ledger.begin(f"{turn}:photos")
    with pytest.raises(Unavailable):
        await door.platform.fill(reply, answer)
    later = TelegramPlatform(
        door.api, door.store, door.ledger, door.images, door.messages, rhythm=QUICK, now=lambda: time.time() + 60
    )
    await later.fill(reply, answer)
    assert UNSURE_WORDS in message.caption
    assert door.fake.asked("sendPhoto") == []


async def test_an_album_that_was_broken_off_while_it_waited_is_sent_the_next_time(door: Door) -> None:
    reply, turn, message = await door.reserve()
    answer = await door.done(turn, *[await door.picture(data) for data in six()[:3]])
    lane = lanes.sends(reply.chat)[0].name
    await door.pace.hold_back(lane, 1.0)
    waits = asyncio.create_task(door.platform.fill(reply, answer))
    await door.fake.until(lambda: door.pace.taken.count(lane) == 2)
    await end(waits)
    assert await door.ledger.find(f"{turn}:photos") is None
    await door.platform.fill(reply, answer)
    assert ([each.kind for each in door.home.messages()[1:]], message.caption) == (["photo"] * 3, LABEL)


async def test_an_album_that_certainly_was_not_sent_is_sent_the_next_time(door: Door) -> None:
    reply, turn, _ = await door.reserve(door.group)
    answer = await door.done(turn, *[await door.picture(data) for data in six()[:3]])
    door.fake.fail("sendMediaGroup", code=400, description="Bad Request: CHAT_RESTRICTED")
    with pytest.raises(ChatClosed):
        await door.platform.fill(reply, answer)
    door.api._no_right.clear()
    await door.platform.fill(reply, answer)
    assert len(door.group.messages()) == 4


async def test_what_a_caption_has_no_room_for_follows_once(door: Door) -> None:
    reply, turn, message = await door.reserve()
    words = " ".join(f"word{number}" for number in range(300))
    answer = await door.done(turn, lines=(LABEL, words))
    for _ in range(2):
        await door.platform.fill(reply, answer)
    rest = door.home.last()
    assert (len(door.home.messages()), rest.reply_to) == (3, message.id)
    assert f"{message.caption.removesuffix('…')} {rest.text.removeprefix('…')}" == f"{LABEL}\n{words}"
    assert await door.shows(rest) == (Shown(turn, ALL),)


async def test_the_file_with_credentials_is_the_very_file(door: Door) -> None:
    reply, turn, _ = await door.reserve()
    await door.platform.fill(reply, await door.done(turn))
    sent = await door.api.send_file(reply, await door.picture(), words=LABEL)
    file = door.at(sent)
    assert (file.kind, file.data, file.shown) == ("document", photo("cat"), photo("cat"))
    assert (file.filename, file.caption, file.reply_to) == ("remix.jpg", LABEL, int(reply.message))
    again = door.at(await door.api.send_file(reply, await door.picture(), words=LABEL))
    assert again.data == photo("cat")
    assert [len(each.files) for each in door.fake.asked("sendDocument")] == [1, 0]


async def test_a_file_of_which_nobody_knows_whether_it_arrived_is_not_sent_twice(door: Door) -> None:
    reply, *_ = await door.reserve()
    door.fake.hang_after_delivery("sendDocument")
    with pytest.raises(OutcomeUnknown):
        await door.api.send_file(reply, await door.picture(), words=LABEL)
    assert [each.kind for each in door.home.messages()] == ["text", "text", "document"]


# --- many at once


async def test_thirty_chats_at_once_cause_no_flood_and_lose_nothing(door: Door) -> None:
    homes = [door.fake.private(door.fake.user(f"Person {number}")) for number in range(30)]
    shown = await door.picture()

    async def edit(home: Chat) -> None:
        assert home.person is not None
        message = door.inbound(await home.person.says(home, "make it blue"))
        reply = await door.platform.reserve(message, turn_of(message))
        await door.platform.fill(reply, running(turn_of(message)))
        await door.platform.fill(reply, await door.done(turn_of(message), shown))

    await asyncio.gather(*map(edit, homes))
    assert [each.last().kind for each in homes] == ["photo"] * 30
    assert [len(each.messages()) for each in homes] == [2] * 30
    assert door.fake.floods_caused == 0


async def test_a_refusal_for_its_pace_holds_up_that_chat_alone(door: Door) -> None:
    other = door.fake.private(door.ben)
    first, turn, message = await door.reserve()
    said = door.inbound(await door.ben.says(other, "make it red"))
    reply = await door.platform.reserve(said, turn_of(said))
    door.fake.flood("editMessageMedia", retry_after=1)
    held = asyncio.create_task(door.platform.fill(first, await door.done(turn)))
    await door.fake.until(lambda: any(each.status == 429 for each in door.fake.requests))
    await door.platform.fill(reply, await door.done(turn_of(said)))
    assert (door.at(reply).kind, message.kind) == ("photo", "text")
    await held
    assert message.kind == "photo"


# --- chats that change


async def test_what_stands_in_a_group_that_moved_is_posted_anew_once_where_it_is_now(door: Door) -> None:
    reply, turn, _ = await door.reserve(door.group)
    moved = door.fake.migrate(door.group)
    credit = Credit(Person(user_ref(door.anna.id), "Anna"))
    answer = await door.done(turn, *[await door.picture(data) for data in six()[:2]], credit=credit)
    for _ in range(2):
        await door.platform.fill(reply, answer)
    assert [each.data for each in moved.messages()] == six()[:2]
    new = message_ref(door.api.account, moved.id, moved.messages()[0].id)
    assert await door.shows(new) == (Shown(turn, ALL),)
    assert await door.store.moved_to(reply.chat) == new.chat


@pytest.mark.parametrize("sent_before", [True, False])
async def test_an_album_is_found_where_it_stands_although_the_group_moved_and_a_crash_came_between(
    door: Door, monkeypatch: pytest.MonkeyPatch, sent_before: bool
) -> None:
    reply, turn, _ = await door.reserve(door.group)
    answer = await door.done(turn, *[await door.picture(data) for data in six()[:3]])
    crashing = another(door)

    async def crash(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr(crashing._parts, "_attach", crash)
    moved = None if sent_before else door.fake.migrate(door.group)
    with pytest.raises(KeyError):
        await crashing.fill(reply, answer)
    moved = moved or door.fake.migrate(door.group)
    await door.platform.fill(reply, answer)
    album = [each for each in (*door.group.messages(), *moved.messages()) if each.album]
    assert len(album) == 2
    assert [await door.shows(each) for each in album] == [(Shown(turn, 1),), (Shown(turn, 2),)]


async def test_a_question_is_asked_where_the_group_is_now(door: Door) -> None:
    reply, turn, _ = await door.reserve(door.group)
    moved = door.fake.migrate(door.group)
    ben = Person(user_ref(door.ben.id), "Ben")
    await door.platform.fill(reply, Answer(TurnState.WAITING, turn=turn, asks=(ben,)))
    await door.platform.fill(reply, await door.done(turn))
    assert [(each.kind, each.caption) for each in moved.messages()] == [("photo", LABEL)]
    assert moved.last().edits == 2


async def test_a_new_reply_goes_where_the_group_is_now(door: Door) -> None:
    message = await door.asks(door.group)
    moved = door.fake.migrate(door.group)
    reply, again = [await door.platform.reserve(message, turn_of(message)) for _ in range(2)]
    assert reply == again == message_ref(door.api.account, moved.id, moved.last().id)


async def test_who_blocked_the_bot_is_not_asked_again(door: Door) -> None:
    reply, turn, _ = await door.reserve()
    door.fake.block_bot(door.anna)
    for _ in range(3):
        with pytest.raises(ChatClosed):
            await door.platform.fill(reply, await door.done(turn))
    assert len(door.fake.asked("editMessageMedia")) == 1
    assert await door.store.closed(reply.chat)


async def test_a_chat_that_lets_the_bot_in_again_is_open_again(door: Door) -> None:
    message = await door.asks(door.group)
    door.fake.kick_bot(door.group)
    with pytest.raises(ChatClosed):
        await door.platform.reserve(message, turn_of(message))
    door.fake.add_bot(door.group)
    await door.store.open_chat(message.ref.chat)
    assert door.at(await door.platform.reserve(message, turn_of(message))).text == ON_ITS_WAY


# --- calling, taking away


async def test_somebody_is_called_once_below_the_reply_and_the_call_can_go(door: Door) -> None:
    reply, turn, message = await door.reserve(door.group)
    for _ in range(2):
        await door.platform.call(reply, user_ref(door.ben.id), "Your picture is ready.", key=f"{turn}:ready")
    call = door.group.last()
    assert (call.text, call.reply_to, call.notified) == ("Your picture is ready.", message.id, [door.ben])
    assert len(door.group.messages()) == 3
    await door.platform.call_off(reply, key=f"{turn}:ready")
    assert call.deleted


async def test_a_call_that_fails_harms_nobody(door: Door) -> None:
    reply, _turn, _ = await door.reserve()
    door.fake.fail("sendMessage", code=500)
    await door.platform.call(reply, user_ref(door.anna.id), "Your picture is ready.", key="k")
    await door.platform.call_off(reply, key="k")
    known = await door.ledger.find("call:k")
    assert known is not None
    assert known.state is SendState.UNKNOWN


async def test_messages_of_ours_are_taken_away_and_what_may_not_be_deleted_shows_nothing(door: Door) -> None:
    (first, _, gone), (second, _, words), (third, other, shown) = [await door.reserve() for _ in range(3)]
    await door.platform.fill(third, await door.done(other))
    await door.platform.retract([first], [])
    door.fake.fail("deleteMessage", code=400, description="Bad Request: message can't be deleted for everyone", times=2)
    await door.platform.retract([second, third], [MessageRef(first.chat, "1")])
    assert gone.deleted
    assert words.text == DELETED
    assert (shown.data, shown.caption) == (BLANK, DELETED)


async def test_whoever_is_forgotten_leaves_no_trace_of_what_they_said(door: Door) -> None:
    hers, his = await door.asks(), await door.asks()
    for message in (hers, his):
        await door.store.says_since(message.ref, message.text, 0)
    await door.platform.retract([], [hers.ref])
    assert [await door.store.says_since(each.ref, each.text, 9) for each in (hers, his)] == [9, 0]


async def test_what_is_deleted_while_its_album_is_on_its_way_takes_the_album_along(door: Door) -> None:
    reply, turn, _ = await door.reserve()
    answer = await door.done(turn, *[await door.picture(data) for data in six()[:3]])
    door.fake.slow("sendMediaGroup", 0.25)
    filling = asyncio.create_task(door.platform.fill(reply, answer))
    await door.fake.until(lambda: door.fake.asked("sendMediaGroup"))
    await another(door).retract([reply], [])
    with pytest.raises(ChatGone):
        await filling
    assert [each.text for each in door.home.messages()] == ["make it blue"]


async def test_what_is_deleted_while_its_album_waits_sends_none(door: Door) -> None:
    reply, turn, _ = await door.reserve()
    answer = await door.done(turn, *[await door.picture(data) for data in six()[:3]])
    lane = lanes.sends(reply.chat)[0].name
    await door.pace.hold_back(lane, 0.5)
    filling = asyncio.create_task(door.platform.fill(reply, answer))
    await door.fake.until(lambda: door.pace.taken.count(lane) == 2)
    await another(door).retract([reply], [])
    with pytest.raises(ChatGone):
        await filling
    assert door.fake.asked("sendMediaGroup") == []
    assert await door.ledger.find(f"{turn}:photos") is None


# --- what people sent


async def fetched(door: Door, data: bytes, *, claims: int | None = None, max_bytes: int = 2**20) -> bytes:
    said = await door.anna.says(door.home, document=("photo.jpg", data))
    assert said.media is not None
    attachment = Attachment(file_handle(said.media.file.file_id), "photo.jpg", claims)
    return await door.platform.fetch(attachment, max_bytes=max_bytes)


async def test_a_file_comes_as_it_was_sent(door: Door) -> None:
    assert await fetched(door, photo("cat")) == photo("cat")


async def test_a_file_over_telegrams_limit_is_not_even_asked_for(door: Door) -> None:
    with pytest.raises(BadPicture, match="up to 20 MB"):
        await fetched(door, photo("cat"), claims=21 * 2**20, max_bytes=2**30)
    assert door.fake.asked("getFile") == []


async def test_a_file_over_our_limit_is_named_with_it(door: Door) -> None:
    with pytest.raises(BadPicture, match="up to 0 MB"):
        await fetched(door, photo("cat"), max_bytes=1000)
    assert door.fake.downloads == []


async def test_a_file_that_telegram_gives_no_bot_is_named_with_the_limit(door: Door) -> None:
    door.fake.download_limit_bytes = 1000
    with pytest.raises(BadPicture, match="up to 20 MB"):
        await fetched(door, photo("cat"), max_bytes=2**30)


async def test_a_file_that_is_gone_is_asked_for_again(door: Door) -> None:
    with pytest.raises(BadPicture, match="once more"):
        await door.platform.fetch(Attachment("x:nothing", "a.jpg"), max_bytes=2**20)


async def test_a_network_that_is_away_while_fetching_is_no_fault_of_the_picture(door: Door) -> None:
    door.fake.fail("file", code=0, times=2)
    with pytest.raises(Unavailable):
        await fetched(door, photo("cat"))


async def test_on_a_server_of_ones_own_a_file_is_read_from_its_disk(door: Door, tmp_path: Path) -> None:
    own = TelegramApi(door.fake.token, store=door.store, pace=door.pace, api_base=door.fake.api_base, local=True)
    platform = TelegramPlatform(own, door.store, door.ledger, door.images, door.messages)
    path = tmp_path / "file.jpg"
    path.write_bytes(photo("cat"))
    said = await door.anna.says(door.home, document=("photo.jpg", photo("cat")))
    assert said.media is not None
    said.media.file.path = str(path)
    attachment = Attachment(file_handle(said.media.file.file_id), "photo.jpg")
    assert await platform.fetch(attachment, max_bytes=2**20) == photo("cat")
    with pytest.raises(BadPicture, match="too large"):
        await platform.fetch(attachment, max_bytes=1000)
    assert (await platform.capabilities(chat_ref("1", 1))).max_file_bytes == 2_000_000_000
    os.mkfifo(tmp_path / "pipe.jpg")
    said.media.file.path = str(tmp_path / "pipe.jpg")
    async with asyncio.timeout(5):
        with pytest.raises(BadPicture, match="not here any more"):
            await platform.fetch(attachment, max_bytes=2**20)
    await own.close()


async def test_no_log_holds_the_token_or_anybodys_words(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reply, turn, _ = await door.reserve()
    door.fake.fail("editMessageMedia", code=400, description="Bad Request: no", times=2)
    await door.platform.fill(reply, await door.done(turn, lines=("a secret remark",)))
    await fetched(door, photo("cat"))
    assert door.fake.token.partition(":")[2] not in caplog.text
    assert "secret" not in caplog.text
