"""The fake Telegram: the real client library lives with it, and what Telegram would refuse is refused."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
    MessageEntity,
    ReplyParameters,
    Update,
    User,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from tests.fakes.telegram import GROUP_ANONYMOUS, FakeTelegram, Json, NotThere, Person, Press, methods, schema
from tests.fakes.telegram.floods import Floods


def picture(colour: str = "red", size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def keys(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=f"rb:{label}") for label in labels]])


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(floods=False) as server:
        yield server
        assert server.faults() == []


@pytest.fixture
def anna(fake: FakeTelegram) -> Person:
    return fake.user("Anna")


@pytest.fixture
async def bot(fake: FakeTelegram) -> AsyncIterator[Bot]:
    async with Bot(fake.token, base_url=f"{fake.api_base}/bot", base_file_url=f"{fake.api_base}/file/bot") as client:
        yield client


class Reader:
    """Asks for updates, and acknowledges what it got."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.offset = bot, 0

    async def next(self) -> list[Update]:
        found = list(await self.bot.get_updates(offset=self.offset, timeout=5, allowed_updates=[]))
        self.offset = found[-1].update_id + 1
        return found

    async def message(self) -> Message:
        found = (await self.next())[-1].effective_message
        assert isinstance(found, Message)
        return found


def refused(words: str, kind: type[TelegramError] = BadRequest) -> pytest.RaisesExc[TelegramError]:
    """The library begins them with a capital."""
    return pytest.raises(kind, match=re.compile(words, re.IGNORECASE))


@pytest.fixture
def reader(bot: Bot) -> Reader:
    return Reader(bot)


async def ask(fake: FakeTelegram, method: str, **arguments: Any) -> tuple[int, Json]:
    """As JSON, with whatever arguments."""
    url = f"{fake.api_base}/bot{fake.token}/{method}"
    async with aiohttp.ClientSession() as session, session.post(url, json=arguments) as answer:
        told: Json = await answer.json()
        return answer.status, told


async def refusal(fake: FakeTelegram, method: str, **arguments: Any) -> str:
    status, told = await ask(fake, method, **arguments)
    assert (told["ok"], told["error_code"]) == (False, status)
    return str(told["description"])


# --- what is asked wrongly


@pytest.mark.parametrize(
    ("method", "arguments", "said"),
    [
        ("flyToTheMoon", {}, "Not Found"),
        ("sendMessage", {"text": "x"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": 1, "text": "x", "colour": "red"}, "unknown parameter"),
        ("sendMessage", {"chat_id": 1, "text": "x", "message_thread_id": "two"}, "must be a number"),
        ("sendMessage", {"chat_id": 1, "text": "x", "reply_parameters": {"id": 3}}, "message_id is required"),
        ("sendMessage", {"chat_id": 1, "text": "x", "reply_parameters": "{"}, "can't parse reply_parameters JSON"),
        ("sendMessage", {"chat_id": 1, "text": "x", "entities": [{"type": "bold", "offset": 0}]}, "length is required"),
        ("sendMediaGroup", {"chat_id": 1, "media": [{"type": "photo"}]}, "media is required"),
        ("sendMediaGroup", {"chat_id": 1, "media": [], "reply_markup": {}}, "unknown parameter"),
        ("sendMessage", {"chat_id": 1, "text": "x"}, "chat not found"),
        ("sendMessage", {"chat_id": "@nobody", "text": "x"}, "chat not found"),
    ],
)
async def test_what_is_not_as_published_is_refused(fake: FakeTelegram, method: str, arguments: Json, said: str) -> None:
    assert said in await refusal(fake, method, **arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": " \u2060 "}, "text must be non-empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "😀" * 2049}, "message is too long"),
        ({"text": "😀", "entities": [{"type": "bold", "offset": 1, "length": 1}]}, "middle of a UTF-16 symbol"),
        ({"text": "x", "entities": [{"type": "large", "offset": 0, "length": 1}]}, "Unsupported type"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "Can't find end tag"),
        ({"text": "x.", "parse_mode": "MarkdownV2"}, "is reserved"),
        ({"text": "x", "reply_parameters": {"message_id": 999}}, "message to be replied not found"),
        ({"text": "x", "message_thread_id": 1}, "message thread not found"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "A", "callback_data": "ü" * 33}]]}},
         "BUTTON_DATA_INVALID"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "A"}]]}}, "Text buttons are unallowed"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "A", "url": "javascript:x"}]]}}, "is invalid"),
    ],
)  # fmt: skip
async def test_messages_that_telegram_would_not_send_are_refused(
    fake: FakeTelegram, anna: Person, arguments: Json, said: str
) -> None:
    home = fake.private(anna)
    assert said in await refusal(fake, "sendMessage", chat_id=home.id, **arguments)
    assert home.messages() == []


async def test_as_much_as_may_be_is_sent(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("A", callback_data="x" * 64)], []])
    await bot.send_message(home.id, "😀" * 2048, reply_markup=markup)
    await bot.send_photo(home.id, picture(), caption="x" * 1024)
    assert [len(each.words) for each in home.messages()] == [2048, 1024]
    assert home.messages()[0].keyboard == [[("A", "x" * 64)]]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (picture(size=(5001, 5000), kind="GIF"), "PHOTO_INVALID_DIMENSIONS"),
        (picture(size=(210, 10)), "PHOTO_INVALID_DIMENSIONS"),
        (b"no picture", "IMAGE_PROCESS_FAILED"),
        (b"\xff\xd8" + bytes(10_000_000), "too big for a photo"),
        (b"", "file must be non-empty"),
    ],
    ids=["sides", "ratio", "none", "large", "empty"],
)
async def test_photos_that_are_none_are_refused(fake: FakeTelegram, anna: Person, data: bytes, said: str) -> None:
    form = aiohttp.FormData({"chat_id": str(fake.private(anna).id)})
    form.add_field("photo", data, filename="x.png")
    url = f"{fake.api_base}/bot{fake.token}/SENDPHOTO"
    async with aiohttp.ClientSession() as session, session.post(url, data=form) as answer:
        told = await answer.json()
    assert (answer.status, told["ok"]) == (400, False)
    assert said.lower() in told["description"].lower()


async def test_albums_have_two_to_ten_of_one_sort(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    photos = [InputMediaPhoto(picture()) for _ in range(11)]
    mixed: list[Any] = [photos[0], InputMediaDocument(InputFile(picture(), "a.png"))]
    cases: tuple[tuple[list[Any], str], ...] = ((photos[:1], "2-10"), (photos, "2-10"), (mixed, "can't be mixed"))
    for media, said in cases:
        with refused(said):
            await bot.send_media_group(home.id, media)
    sent = await bot.send_media_group(home.id, photos[:3], caption="three")
    assert [each.words for each in home.messages()] == ["three", "", ""]
    assert {each.media_group_id for each in sent} == {home.last().album}


async def test_a_caption_may_have_1024_units(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    with refused("caption is too long"):
        await bot.send_photo(home.id, picture(), caption="😀" * 513)
    with refused("caption is too long"):
        await bot.send_media_group(home.id, [InputMediaPhoto(picture(), caption="x" * 1025)] * 2)


async def test_a_wrong_token_is_refused(fake: FakeTelegram) -> None:
    with pytest.raises(InvalidToken):
        await Bot("1:x", base_url=f"{fake.api_base}/bot").get_me()


# --- files


async def test_a_photo_is_made_anew_and_a_document_stays_as_it_is(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    data = picture("blue", (2000, 1000), "JPEG")
    await anna.says(fake.private(anna), "x", photo=data)
    await anna.says(fake.private(anna), "x", document=("mine.jpg", data))
    photo, file = [each.message for each in await reader.next()]
    assert photo
    assert file
    assert file.document
    assert file.document.thumbnail
    assert [each.width for each in photo.photo] == [90, 320, 800, 1280]
    seen = Image.open(io.BytesIO(await fetched(bot, photo.photo[-1].file_id)))
    assert (seen.format, seen.size) == ("JPEG", (1280, 640))
    assert await fetched(bot, file.document.file_id) == data
    assert (file.document.file_name, file.document.mime_type) == ("mine.jpg", "image/jpeg")


async def fetched(bot: Bot, file_id: str) -> bytes:
    return bytes(await (await bot.get_file(file_id)).download_as_bytearray())


async def test_a_photo_loses_what_it_said_of_itself(fake: FakeTelegram, anna: Person) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "where I live"
    out = io.BytesIO()
    Image.new("RGB", (60, 30)).save(out, "JPEG", exif=exif)
    said = await anna.says(fake.private(anna), photo=out.getvalue())
    assert b"where I live" in said.data
    assert b"where I live" not in said.shown
    assert Image.open(io.BytesIO(said.shown)).size == (30, 60)


async def test_a_file_is_fetched_after_it_was_asked_for_and_up_to_20_mib(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    await anna.says(fake.private(anna), document=("large.bin", bytes(20 * 2**20 + 1)))
    said = await anna.says(fake.private(anna), photo=picture())
    large = (await reader.next())[0].message
    assert large
    assert large.document
    assert said.media
    with refused("file is too big"):
        await bot.get_file(large.document.file_id)
    with refused("file_id"):
        await bot.get_file("AgACAgnone")
    url = f"{fake.api_base}/file/bot{fake.token}/{said.media.file.path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 404
    assert await fetched(bot, said.media.file.file_id) == said.shown


async def test_a_file_can_be_sent_again_by_its_id_as_what_it_was(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    sent = await bot.send_photo(home.id, picture())
    again = await bot.send_photo(home.id, sent.photo[-1].file_id)
    assert again.photo[-1].file_unique_id == sent.photo[-1].file_unique_id
    with refused("can't use file of type Photo as Document"):
        await bot.send_document(home.id, sent.photo[-1].file_id)


async def test_all_sorts_of_files_arrive_as_what_they_are(fake: FakeTelegram, anna: Person, reader: Reader) -> None:
    home = fake.private(anna)
    await anna.says(home, sticker=picture(kind="WEBP"))
    await anna.says(home, sticker=b"\x1f\x8bmoves")
    await anna.says(home, sticker=b"\x1aE\xdf\xa3film")
    await anna.says(home, voice=b"OggS")
    await anna.says(home, "v", video=b"film")
    await anna.says(home, animation=b"film")
    await anna.says(home, "p", photo=picture(), spoiler=True)
    got = [each.message for each in await reader.next() if each.message]
    assert [(each.sticker.is_animated, each.sticker.is_video) for each in got if each.sticker] == [
        (False, False), (True, False), (False, True)
    ]  # fmt: skip
    assert got[3].voice
    assert got[3].voice.mime_type == "audio/ogg"
    assert got[4].video
    assert got[5].animation
    assert got[5].document
    assert got[6].has_media_spoiler


# --- updates


async def test_what_is_below_the_offset_is_forgotten(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    for word in "abcd":
        await anna.says(fake.private(anna), word)
    first = [each.update_id for each in await bot.get_updates()]
    assert first == list(range(first[0], first[0] + 4))
    assert [each.update_id for each in await bot.get_updates(offset=first[1])] == first[1:]
    assert [each.update_id for each in await bot.get_updates(limit=2)] == first[1:3]
    assert [each.update_id for each in await bot.get_updates(offset=-1)] == first[3:]
    assert list(await bot.get_updates(offset=first[3] + 1)) == list(await bot.get_updates()) == []


async def test_a_long_poll_comes_back_with_what_comes(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    asked = asyncio.create_task(bot.get_updates(timeout=30))
    await fake.until(lambda: fake.updates.polls == 1)
    await anna.says(fake.private(anna), "now")
    assert [each.message and each.message.text for each in await asked] == ["now"]


async def test_of_two_who_ask_the_first_is_sent_away(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=30))
    await fake.until(lambda: fake.updates.polls == 1)
    second = asyncio.create_task(ask(fake, "getUpdates", timeout=30))
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await first
    await anna.says(fake.private(anna), "for the second")
    assert (await second)[1]["result"][0]["message"]["text"] == "for the second"


async def test_update_ids_begin_elsewhere_after_a_long_silence(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    await anna.says(fake.private(anna), "before")
    offset = (await bot.get_updates())[0].update_id + 1
    assert list(await bot.get_updates(offset=offset)) == []
    fake.restart_update_ids(at=7)
    await anna.says(fake.private(anna), "after")
    assert list(await bot.get_updates(offset=offset)) == []
    assert [each.update_id for each in await bot.get_updates()] == [7]


async def test_an_update_comes_again_although_it_was_acknowledged(
    fake: FakeTelegram, anna: Person, reader: Reader
) -> None:
    said = await anna.says(fake.private(anna), "once")
    first = await reader.next()
    fake.redeliver(said)
    assert [each.update_id for each in await reader.next()] == [each.update_id for each in first]
    fake.redeliver(said, as_new=True)
    assert (await reader.next())[0].update_id == first[0].update_id + 1


async def test_only_the_kinds_asked_for_come_and_raw_ones_always(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    await bot.get_updates(allowed_updates=["callback_query"])
    await anna.says(home, "unheard")
    fake.push_raw({"message": "no message at all"})
    _, told = await ask(fake, "getUpdates")
    assert [each["message"] for each in told["result"]] == ["no message at all"]


class Hook:
    """Takes what is posted to it; `answers` are the first statuses."""

    def __init__(self, *answers: int) -> None:
        self.got: list[tuple[str, Json]] = []
        self.answers = list(answers)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.headers["X-Telegram-Bot-Api-Secret-Token"], json.loads(await request.text())))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_post("/hook", self.take)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}/hook"

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()


async def test_a_webhook_is_posted_to_until_it_says_yes(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    fake.updates.retry_s = 0.01
    hook = Hook(500, 503)
    async with hook as url:
        await bot.set_webhook(url, secret_token="hush")
        await anna.says(fake.private(anna), "one")
        await anna.says(fake.private(anna), "two")
        await fake.until(lambda: not fake.updates.pending)
        with pytest.raises(Conflict, match="while webhook is active"):
            await bot.get_updates()
        info = await bot.get_webhook_info()
        await bot.delete_webhook()
    assert [each["message"]["text"] for _, each in hook.got] == ["one", "one", "one", "two"]
    assert {secret for secret, _ in hook.got} == {"hush"}
    assert (info.url, info.last_error_message) == (url, "Wrong response from the webhook: 503 Service Unavailable")
    assert (await bot.get_webhook_info()).url == ""


async def test_a_webhook_needs_an_honest_address(bot: Bot) -> None:
    with refused("HTTPS"):
        await bot.set_webhook("http://example.org/hook")
    with refused("unallowed characters"):
        await bot.set_webhook("https://example.org/hook", secret_token="not this")


# --- who is shown what


async def test_in_privacy_mode_a_group_shows_what_is_meant_for_the_bot(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    group = fake.group("Friends", anna, fake.user("Ben"))
    other = await anna.says(group, "not for anybody", photo=picture())
    await anna.says(group, "by name", mention=True)
    await anna.says(group, "/edit@another_bot x")
    await anna.says(group, f"/edit@{fake.bot.username} it", reply_to=other)
    ours = await bot.send_message(group.id, "mine")
    await anna.says(group, "reply", reply_to=group.last())
    fake.says_as_bot(group, "Other", "I speak last")
    await anna.says(group, "/help")
    got = [each.message for each in await reader.next() if each.message]
    assert [each.text for each in got] == [f"/edit@{fake.bot.username} it", "reply"]
    assert got[0].reply_to_message
    assert got[0].reply_to_message.photo
    assert got[1].reply_to_message
    assert got[1].reply_to_message.message_id == ours.message_id
    assert (await bot.get_me()).can_read_all_group_messages is False


@pytest.mark.parametrize("how", ["reads_all", "mentions_delivered", "administrates"])
async def test_a_mention_reaches_who_may_read_it(how: str) -> None:
    reads, mentions = how == "reads_all", how == "mentions_delivered"
    async with FakeTelegram(reads_all=reads, mentions_delivered=mentions) as fake:
        anna = fake.user("Anna")
        group = fake.supergroup("Friends", anna)
        if how == "administrates":
            fake.promote(group, fake.bot)
        await anna.says(group, "you", mention=True)
        assert [each.raw["message"]["text"] for each in fake.told if "message" in each.raw] == ["@remix_test_bot you"]


async def test_an_album_comes_in_any_order_and_in_batches(fake: FakeTelegram, anna: Person, reader: Reader) -> None:
    colours = ("red", "green", "blue")
    made = await anna.album(
        fake.private(anna), [picture(each) for each in colours], "all", order=(2, 0, 1), batches=(1, 2)
    )
    batches = [[each.message for each in await reader.next() if each.message] for _ in range(2)]
    assert [[each.message_id for each in batch] for batch in batches] == [[made[2].id], [made[0].id, made[1].id]]
    assert [each.caption for batch in batches for each in batch] == [None, "all", None]
    assert {each.media_group_id for batch in batches for each in batch} == {made[0].album}


async def test_in_a_topic_one_seems_to_reply_to_its_beginning(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    forum = fake.supergroup("Club", anna, forum=True)
    topic = forum.topic("Pictures")
    fake.promote(forum, fake.bot)
    await anna.says(topic, "hello")
    await anna.says(forum, "in General")
    opened, _, said, general = await reader.next()
    assert opened.message
    assert opened.message.forum_topic_created
    assert said.message
    assert general.message
    assert said.message.is_topic_message
    assert said.message.message_thread_id == topic.thread_id
    assert said.message.reply_to_message
    assert said.message.reply_to_message.message_id == topic.thread_id
    assert (general.message.is_topic_message, general.message.message_thread_id) == (None, None)
    await bot.send_message(forum.id, "here", message_thread_id=topic.thread_id)
    await bot.send_message(forum.id, "there", reply_parameters=ReplyParameters(said.message.message_id))
    with refused("thread not found"):
        await bot.send_message(forum.id, "General", message_thread_id=1)
    assert [each.words for each in topic.messages()] == ["hello", "here", "there"]
    topic.delete()
    with refused("thread not found"):
        await bot.send_message(forum.id, "gone", message_thread_id=topic.thread_id)


async def test_private_chats_have_topics_too(fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader) -> None:
    topic = fake.private(anna).topic("Cats")
    await anna.says(topic, "hello")
    got = await reader.message()
    assert got.is_topic_message
    assert got.message_thread_id == topic.thread_id
    assert got.reply_to_message is None
    await bot.send_message(anna.id, "hi", message_thread_id=topic.thread_id)
    assert topic.last().words == "hi"


async def test_a_reply_shows_one_level_and_the_keys_of_the_bot(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    home = fake.private(anna)
    first = await anna.says(home, "first")
    await bot.send_message(home.id, "second", reply_parameters=ReplyParameters(first.id), reply_markup=keys("Again"))
    await anna.says(home, "third", reply_to=home.last(), quote="cond")
    got = await reader.message()
    assert got.reply_to_message
    assert got.reply_to_message.reply_markup == keys("Again")
    assert got.reply_to_message.reply_to_message is None
    assert got.quote
    assert (got.quote.text, got.quote.position) == ("cond", 2)


async def test_a_reply_across_chats_shows_the_picture_from_outside(
    fake: FakeTelegram, anna: Person, reader: Reader
) -> None:
    group = fake.supergroup("Friends", anna)
    there = await anna.says(group, "cat", photo=picture())
    await anna.says(fake.private(anna), "blue", reply_to=there)
    got = await reader.message()
    assert got.reply_to_message is None
    assert got.external_reply
    assert got.external_reply.photo
    assert got.external_reply.message_id == there.id
    assert got.external_reply.origin.type == "user"


async def test_edits_and_forwards_say_that_they_are(fake: FakeTelegram, anna: Person, reader: Reader) -> None:
    home, group = fake.private(anna), fake.group("Friends", anna)
    said = await anna.says(home, "blue", photo=picture())
    await anna.edits(said, "green")
    await anna.says(home, forward_of=await anna.says(group, "from there", photo=picture()))
    _, edited, forward = await reader.next()
    assert edited.edited_message
    assert edited.edited_message.edit_date
    assert edited.edited_message.caption == "green"
    assert forward.message
    assert forward.message.forward_origin
    assert forward.message.photo
    assert forward.message.caption == "from there"


async def test_who_writes_as_a_chat_is_named_as_that(fake: FakeTelegram, anna: Person, reader: Reader) -> None:
    group = fake.supergroup("Friends", anna)
    news = fake.channel("News", anna, linked=group)
    fake.promote(group, fake.bot)
    await anna.says(group, "hidden", as_chat=group)
    await anna.says(group, "as news", as_chat=news)
    await fake.posts(news, "posted", photo=picture())
    hidden, channel, post = [each.message for each in (await reader.next())[1:] if each.message]
    assert hidden.from_user
    assert hidden.sender_chat
    assert (hidden.from_user.id, hidden.from_user.is_bot, hidden.sender_chat.id) == (GROUP_ANONYMOUS, True, group.id)
    assert channel.sender_chat
    assert channel.sender_chat.id == news.id
    assert post.from_user
    assert post.from_user.id == 777000
    assert post.is_automatic_forward
    assert post.sender_chat


async def test_the_bot_is_told_when_it_comes_and_goes(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    group = fake.group("Friends", anna, bot=False)
    fake.add_bot(group, by=anna)
    fake.kick_bot(group)
    fake.block_bot(anna)
    told = [each.my_chat_member for each in await bot.get_updates() if each.my_chat_member]
    assert [(each.old_chat_member.status, each.new_chat_member.status) for each in told] == [
        ("left", "member"), ("member", "kicked"), ("member", "kicked")
    ]  # fmt: skip
    with refused("kicked from the group chat", Forbidden):
        await bot.send_message(group.id, "x")
    with refused("blocked by the user", Forbidden):
        await bot.send_message(anna.id, "x")


async def test_chats_that_are_closed_say_why(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    stranger = fake.user("Stranger", started=False)
    fake.deactivate(anna)
    for person, said in ((anna, "deactivated"), (stranger, "can't initiate conversation")):
        with refused(said, Forbidden):
            await bot.send_message(fake.private(person).id, "x")
    with refused("not a member of the supergroup chat", Forbidden):
        await bot.send_message(fake.supergroup("Others", anna, bot=False).id, "x")


async def test_a_group_that_became_a_supergroup_says_where_it_is(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    group = fake.group("Friends", anna)
    moved = fake.migrate(group)
    with pytest.raises(ChatMigrated) as raised:
        await bot.send_message(group.id, "x")
    assert raised.value.new_chat_id == moved.id
    old, new = [each.message for each in await reader.next() if each.message]
    assert (old.migrate_to_chat_id, new.migrate_from_chat_id) == (moved.id, group.id)
    assert (await bot.send_message(moved.id, "x")).message_id == 2


async def test_message_ids_are_counted_by_supergroup_and_otherwise_together(
    fake: FakeTelegram, anna: Person, bot: Bot
) -> None:
    places = fake.private(anna), fake.group("A", anna), fake.supergroup("B", anna), fake.supergroup("C", anna)
    assert [(await bot.send_message(each.id, "x")).message_id for each in places] == [1, 2, 1, 1]


# --- edits, keys, people


async def test_a_placeholder_becomes_a_picture_once(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    sent = await bot.send_message(home.id, "On its way.", reply_markup=keys("Cancel"))
    ids: dict[str, Any] = {"chat_id": home.id, "message_id": sent.message_id}
    with refused("message is not modified"):
        await bot.edit_message_text("On its way. ", reply_markup=keys("Cancel"), **ids)
    made = await bot.edit_message_media(InputMediaPhoto(picture(), caption="done"), reply_markup=keys("Again"), **ids)
    assert isinstance(made, Message)
    again = InputMediaPhoto(made.photo[-1].file_id, caption="done")
    with refused("message is not modified"):
        await bot.edit_message_media(again, reply_markup=keys("Again"), **ids)
    with refused("no text in the message"):
        await bot.edit_message_text("x", **ids)
    await bot.edit_message_caption(caption="other", **ids)
    assert (home.last().words, home.last().keyboard, home.last().edits) == ("other", [], 2)
    with refused("message is not modified"):
        await bot.edit_message_reply_markup(**ids)


async def test_what_is_gone_or_not_ours_is_not_edited(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    said, sent = await anna.says(home, "x"), await bot.send_message(home.id, "mine")
    with refused("message can't be edited"):
        await bot.edit_message_text("y", home.id, said.id)
    with refused("no caption in the message"):
        await bot.edit_message_caption(home.id, sent.message_id, caption="y")
    fake.delete(home.last())
    with refused("message to edit not found"):
        await bot.edit_message_text("y", home.id, sent.message_id)
    with refused("message to delete not found"):
        await bot.delete_message(home.id, sent.message_id)
    reply = ReplyParameters(sent.message_id, allow_sending_without_reply=True)
    assert (await bot.send_message(home.id, "alone", reply_parameters=reply)).reply_to_message is None


async def test_messages_are_deleted_while_they_are_young(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    group = fake.group("Friends", anna)
    said, sent = await anna.says(group, "x"), await bot.send_message(group.id, "mine")
    with refused("can't be deleted"):
        await bot.delete_message(group.id, said.id)
    fake.age(group.last(), 49 * 3600)
    with refused("can't be deleted"):
        await bot.delete_messages(group.id, [sent.message_id])
    fake.promote(group, fake.bot)
    assert await bot.delete_messages(group.id, [sent.message_id, said.id, 999])
    assert group.messages() == []


async def pressed(fake: FakeTelegram, anna: Person, bot: Bot) -> Press:
    home = fake.private(anna)
    await bot.send_message(home.id, "x", reply_markup=keys("Again"))
    return await anna.presses(home.last(), "Again")


async def test_a_press_is_answered_once_and_in_time(fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader) -> None:
    press = await pressed(fake, anna, bot)
    query = (await reader.next())[0].callback_query
    assert query
    assert (query.data, query.from_user.id) == ("rb:Again", anna.id)
    with refused(r"(?i)message_too_long"):
        await query.answer("x" * 201)
    await query.answer("Done", show_alert=True)
    assert (press.words, press.alert, press.answered) == ("Done", True, True)
    late = await pressed(fake, anna, bot)
    fake.query_life_s = -1
    for each in (press, late):
        with refused("query is too old"):
            await bot.answer_callback_query(each.id)
    with pytest.raises(NotThere):
        await anna.presses(fake.private(anna).last(), "Nothing of the sort")


async def test_whom_a_text_calls(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    ben, carl, far = fake.user("Ben"), fake.user("Carl", username=""), fake.user("Faraway")
    group = fake.group("Friends", anna, ben, carl)
    called = [MessageEntity("text_mention", 5, 4, user=User(carl.id, "Carl", is_bot=False))]
    await bot.send_message(group.id, f"@ben Carl @{far.username} ben@example.org", entities=called)
    await bot.send_message(group.id, "@\u2060ben and @remix_test_bot")
    await bot.send_message(group.id, "@ben", entities=[MessageEntity("code", 0, 4)])
    assert [each.notified for each in group.messages()] == [[ben, carl], [], []]
    assert far not in group.messages()[0].notified


async def test_markup_is_seen_for_what_it_is(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    plain = await bot.send_message(home.id, "<b>*x*</b> 😀 [a](https://a.org)")
    html = await bot.send_message(home.id, "😀 <b>x &amp; y</b>", parse_mode="HTML")
    marked = await bot.send_message(home.id, r"*x* [a](https://a.org)\.", parse_mode="MarkdownV2")
    assert (plain.text, home.messages()[0].parse_mode) == ("<b>*x*</b> 😀 [a](https://a.org)", "")
    assert (html.text, [(each.type, each.offset, each.length) for each in html.entities]) == (
        "😀 x & y",
        [("bold", 3, 5)],
    )
    assert (marked.text, [each.type for each in marked.entities]) == ("x a.", ["bold", "text_link"])


async def test_a_group_names_its_administrators(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    ben = fake.user("Ben")
    group = fake.supergroup("Friends", anna, ben, fake.user("Carl"))
    fake.promote(group, ben, anonymous=True)
    assert {each.user.id: each.status for each in await bot.get_chat_administrators(group.id)} == {
        anna.id: "creator", ben.id: "administrator"
    }  # fmt: skip
    assert (await bot.get_chat_member(group.id, fake.bot.id)).status == "member"
    assert (await bot.get_chat_member(group.id, fake.user("Dora").id)).status == "left"
    assert await bot.get_chat_member_count(group.id) == 4
    with refused("no administrators in the private chat"):
        await bot.get_chat_administrators(fake.private(anna).id)


async def test_commands_are_kept_by_language_and_scope(fake: FakeTelegram, bot: Bot) -> None:
    await bot.set_my_commands([("edit", "Change a picture")])
    await bot.set_my_commands([("edit", "Ein Bild ändern")], language_code="de")
    assert (await bot.get_my_commands(language_code="de"))[0].description == "Ein Bild ändern"
    assert (await bot.get_my_commands())[0].description == "Change a picture"
    assert await bot.get_my_commands(language_code="fr") == ()
    with refused("bot_command_invalid"):
        await bot.set_my_commands([("Edit!", "x")])


async def test_small_signs_of_life_are_taken(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    said = await anna.says(fake.private(anna), "x")
    assert await bot.send_chat_action(anna.id, "upload_photo")
    assert await bot.set_message_reaction(anna.id, said.id, "👀")
    assert said.reactions == ["👀"]
    with refused("wrong parameter action"):
        await bot.send_chat_action(anna.id, "dancing")


# --- limits and accidents


async def test_the_published_limits_hold() -> None:
    async with FakeTelegram(floods=True) as fake, aiohttp.ClientSession() as session:
        group = fake.group("Friends", fake.user("Anna"))

        async def send(method: str, **fields: Any) -> Json:
            async with session.post(f"{fake.api_base}/bot{fake.token}/{method}", data=fields) as answer:
                told: Json = await answer.json()
                return told

        sent = [await send("sendMessage", chat_id=group.id, text=each) for each in "abcd"]
        assert [each["ok"] for each in sent] == [True, True, True, False]
        assert sent[3]["parameters"]["retry_after"] in (2, 3)
        edits = [await send("editMessageText", chat_id=group.id, message_id=1, text=f"e{i}") for i in range(6)]
        assert [each["ok"] for each in edits] == [True] * 5 + [False]
        others = [fake.private(fake.user(f"P{i}")) for i in range(30)]
        told = [await send("sendMessage", chat_id=each.id, text="x") for each in others]
        assert sum(each["ok"] for each in told) == 22
        assert fake.floods_caused == 10


def test_no_more_than_twenty_a_minute_go_to_a_group() -> None:
    times = iter([1.5 * each for each in range(22)])
    limits = Floods(on=True, clock=lambda: next(times))
    assert [limits.take("sendPhoto", -5) for _ in range(21)] == [0] * 20 + [30]
    assert limits.take("sendPhoto", 5) == 0


async def test_accidents_come_as_ordered(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    fake.fail("sendMessage", code=502, description="Bad Gateway")
    with pytest.raises(NetworkError):
        await bot.send_message(home.id, "one")
    fake.flood("sendMessage", retry_after=3)
    with pytest.raises(RetryAfter) as raised:
        await bot.send_message(home.id, "two")
    fake.fail("sendMessage", code=500, after_effect=True)
    with pytest.raises(NetworkError):
        await bot.send_message(home.id, "three")
    fake.fail("sendMessage", code=0)
    with pytest.raises(NetworkError):
        await bot.send_message(home.id, "four")
    assert (raised.value.retry_after, fake.floods_caused) == (3, 0)
    assert [each.words for each in home.messages()] == ["three"]
    assert [each.status for each in fake.asked("sendMessage")] == [502, 429, 500, 0]


async def test_a_message_stands_although_no_answer_ever_comes(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    fake.hang_after_delivery("sendMessage")
    sending = asyncio.create_task(bot.send_message(home.id, "delivered"))
    await fake.until(lambda: fake.hanging == 1)
    assert not sending.done()
    assert home.last().words == "delivered"
    sending.cancel()
    assert (await bot.send_message(home.id, "next")).text == "next"


async def test_what_is_slow_takes_its_time(fake: FakeTelegram, bot: Bot) -> None:
    fake.slow("getMe", 0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await bot.get_me()
    assert loop.time() - began >= 0.2


# --- the published description


def test_an_answer_that_differs_from_what_is_published_is_noticed() -> None:
    fault = schema.fault({"message_id": 1, "size": 3}, ["MessageEntity"], "entity")
    assert fault == "entity.type is required"


def test_our_own_copy_of_the_shapes_agrees_with_what_is_published() -> None:
    own, known = schema.own_shapes(), schema.shapes()
    assert {name: known.methods[name] for name in own.methods} == own.methods
    assert {name: known.types[name] for name in own.types} == own.types
    assert set(own.methods) == set(methods.BY_LOWER)
