"""The fake Telegram: the real client library lives with it, and what Telegram would refuse is refused."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
)
from telegram.error import (
    Conflict,
    InvalidToken,
    NetworkError,
    RetryAfter,
)

from tests.contract import telegram_trying as trying
from tests.contract.telegram_trying import Reader, ask, picture, refusal, refused
from tests.fakes.telegram import FakeTelegram, Json, Person, methods, schema
from tests.fakes.telegram.floods import Floods
from tests.fakes.telegram.page import TelegramWithPage
from tests.fakes.telegram.refusals import Refused

fake, anna, bot, reader = trying.fake, trying.anna, trying.bot, trying.reader


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
    mixed: list[Any] = [photos[0], InputMediaDocument(picture(), filename="a.png")]
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
        self.slow: asyncio.Event | None = None

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.headers["X-Telegram-Bot-Api-Secret-Token"], json.loads(await request.text())))
        if self.slow and self.got[-1][1]["message"]["text"] == "wait":
            await self.slow.wait()
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


async def test_a_chat_that_is_slow_holds_up_no_other_at_the_webhook(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    hook, ben = Hook(), fake.user("Ben")
    hook.slow = asyncio.Event()
    async with hook as url:
        await bot.set_webhook(url, secret_token="hush", max_connections=2)
        for person, words in ((anna, "wait"), (anna, "later"), (ben, "now")):
            await person.says(fake.private(person), words)
        await fake.until(lambda: len(fake.updates.pending) == 2)
        assert [each["message"]["text"] for _, each in hook.got] == ["wait", "now"]
        hook.slow.set()
        await fake.until(lambda: not fake.updates.pending)
        await bot.delete_webhook()
    assert hook.got[-1][1]["message"]["text"] == "later"


async def test_a_webhook_needs_an_honest_address(bot: Bot) -> None:
    with refused("HTTPS"):
        await bot.set_webhook("http://example.org/hook")
    with refused("unallowed characters"):
        await bot.set_webhook("https://example.org/hook", secret_token="not this")


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
    with refused("retry in 3 seconds", RetryAfter):
        await bot.send_message(home.id, "two")
    fake.fail("sendMessage", code=500, after_effect=True)
    with pytest.raises(NetworkError):
        await bot.send_message(home.id, "three")
    fake.fail("sendMessage", code=0)
    with pytest.raises(NetworkError):
        await bot.send_message(home.id, "four")
    assert fake.floods_caused == 0
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


async def test_a_file_over_the_limit_is_refused(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    fake.upload_limit_bytes = 1000
    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_document(fake.private(anna).id, bytes(1001), filename="large.bin")
    assert fake.private(anna).messages() == []


async def test_the_page_lets_people_write_and_press() -> None:
    async with TelegramWithPage() as fake, aiohttp.ClientSession() as session:
        anna = fake.user("Anna")
        fake.people = [anna]
        home = fake.private(anna)

        async def do(**fields: str) -> int:
            with aiohttp.MultipartWriter("form-data") as form:
                for name, value in {"as": "Anna", "place": str(home.id), **fields}.items():
                    form.append(value).set_content_disposition("form-data", name=name)
                async with session.post(f"{fake.api_base}/page/do", data=form) as answer:
                    return answer.status

        assert await do(do="say", text="hello") == 200
        assert await do(do="press", message="1", data="x") == 400
        async with session.get(f"{fake.api_base}/page/state?as=Anna") as answer:
            seen = (await answer.json())["places"][0]["messages"]
        assert [(each["who"], each["words"]) for each in seen] == [("Anna", "hello")]


# --- the published description


def test_an_answer_that_differs_from_what_is_published_is_noticed() -> None:
    fault = schema.fault({"message_id": 1, "size": 3}, ["MessageEntity"], "entity")
    assert fault == "entity.type is required"


def test_our_own_copy_of_the_shapes_agrees_with_what_is_published() -> None:
    own, known = schema.own_shapes(), schema.shapes()
    assert {name: known.methods[name] for name in own.methods} == own.methods
    assert {name: known.types[name] for name in own.types} == own.types
    assert set(own.methods) == set(methods.BY_LOWER)


def test_requests_are_checked_where_the_description_is_not_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "shapes", schema.own_shapes)
    with pytest.raises(Refused, match="unknown parameter"):
        schema.arguments("sendMessage", {"chat_id": "1", "text": "x", "colour": "red"}, ())
    with pytest.raises(Refused, match=r"reply_markup\.inline_keyboard is required"):
        schema.arguments("editMessageReplyMarkup", {"reply_markup": "{}"}, ())
    assert schema.arguments("deleteMessage", {"chat_id": "1", "message_id": "2"}, ()) == {"chat_id": 1, "message_id": 2}
