"""Asking Telegram: what is asked, what becomes of errors, and how often it is asked at most."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from redis.asyncio import Redis
from telegram import Bot, InputFile, MessageEntity, error
from telegram.request import RequestData

from adapters.telegram import api as module
from adapters.telegram import lanes
from adapters.telegram.api import TelegramApi
from adapters.telegram.arguments import Media
from adapters.telegram.errors import Conflict, OutcomeUnknown, Rejected, TokenRefused, TooLarge, Unavailable
from adapters.telegram.meaning import Moved, failure_of
from adapters.telegram.ports import Key, Lane, Me
from adapters.telegram.refs import chat_ref, message_ref, press_ref
from adapters.telegram.transport import AiohttpRequest, FileGone, NotSent, TooMuch
from adapters.telegram.words import Said
from bot.domain.errors import ChatClosed, ChatGone
from bot.domain.refs import ChatRef, MessageRef
from storage.redis.client import open_client
from storage.redis.telegram import RedisTelegramStore
from storage.redis.telegram_pace import RedisPace
from tests.fakes.telegram import Chat, FakeTelegram, Message, Person
from tests.fakes.telegram.floods import Floods
from tests.pictures import photo

DAY = 24 * 3600
CANCEL = ((Key("Cancel", "rb:cancel:-:x"),),)


@dataclass
class Desk:
    """The API, and somebody in a chat of their own and in a group."""

    fake: FakeTelegram
    anna: Person
    home: Chat
    group: Chat
    api: TelegramApi
    store: RedisTelegramStore
    pace: RedisPace

    def chat(self, of: Chat) -> ChatRef:
        return chat_ref(self.api.account, of.id)

    def ref(self, message: Message) -> MessageRef:
        return message_ref(self.api.account, message.chat.id, message.id, message.thread_id)

    async def says(self, place: Chat | None = None) -> MessageRef:
        return self.ref(await self.anna.says(place or self.home, "hello", mention=True))

    async def ours(self, place: Chat | None = None) -> MessageRef:
        return await self.api.send_text(self.chat(place or self.home), Said("On its way."), keyboard=CANCEL)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def desk(client: Redis) -> AsyncIterator[Desk]:
    async with FakeTelegram() as fake:
        anna = fake.user("Anna")
        store, pace = RedisTelegramStore(client, retention_s=90 * DAY), RedisPace(client)
        api = TelegramApi(fake.token, store=store, pace=pace, api_base=fake.api_base, read_s=0.3)
        yield Desk(fake, anna, fake.private(anna), fake.group("Friends", anna), api, store, pace)
        await api.close()
        assert fake.faults() == []


# --- what is asked


async def test_the_bot_knows_itself(desk: Desk) -> None:
    assert await desk.api.me() == Me(str(desk.fake.bot.id), "remix_test_bot", "Remixbot", reads_all=False)


async def test_updates_come_raw_and_are_acknowledged_by_the_next_question(desk: Desk) -> None:
    await desk.anna.says(desk.home, "one")
    odd = desk.fake.push_raw({"message": {"no": "message"}})
    found = await desk.api.updates(offset=None, wait_s=0)
    assert [each["update_id"] for each in found] == [odd - 1, odd]
    assert await desk.api.updates(offset=odd + 1, wait_s=0) == []


async def test_what_is_said_replies_and_has_keys_and_links_without_a_preview(desk: Desk) -> None:
    said = await desk.says()
    link = MessageEntity(MessageEntity.TEXT_LINK, 3, 4, url="https://example.org/")
    ref = await desk.api.say(said, "🐙 here", keyboard=CANCEL, entities=[link])
    message = desk.home.last()
    assert (desk.ref(message), message.text, message.reply_to) == (ref, "🐙 here", int(said.message))
    assert message.keyboard == [[("Cancel", "rb:cancel:-:x")]]
    assert message.entities == [{"type": "text_link", "offset": 3, "length": 4, "url": "https://example.org/"}]
    assert message.link_preview == {"is_disabled": True}


async def test_what_is_said_to_a_press_replies_to_nothing(desk: Desk) -> None:
    await desk.api.say(press_ref(desk.chat(desk.home), "9"), "hello", picture=photo("cat"))
    assert (desk.home.last().kind, desk.home.last().caption, desk.home.last().reply_to) == ("photo", "hello", None)


async def test_words_that_are_too_many_are_cut(desk: Desk) -> None:
    ref = await desk.api.say(await desk.says(), "🐙" * 3000)
    await desk.api.change(ref, "x" * 5000)
    assert len(desk.home.last().text) == 4096


async def test_a_change_that_changes_nothing_is_done(desk: Desk) -> None:
    ref = await desk.ours()
    for _ in range(2):
        await desk.api.change(ref, "Working on it.", keyboard=CANCEL)
        await desk.api.change_keyboard(ref, ())
    assert (desk.home.last().text, desk.home.last().keyboard) == ("Working on it.", [])


async def test_a_message_can_be_deleted_once_and_is_gone_ever_after(desk: Desk) -> None:
    ref = await desk.ours()
    assert await desk.api.delete(ref)
    assert await desk.api.delete(ref)
    assert not await desk.api.delete(press_ref(ref.chat, "1"))
    with pytest.raises(ChatGone):
        await desk.api.change(ref, "hello")


async def test_what_may_not_be_deleted_is_not(desk: Desk) -> None:
    assert not await desk.api.delete(await desk.says(desk.group))


async def test_an_album_replies_and_each_of_it_has_its_file(desk: Desk) -> None:
    said = await desk.says()
    media = [Media(photo(name), f"{name}.jpg", caption=Said(name), spoiler=True) for name in ("cat", "coffee")]
    sent = await desk.api.send_album(said.chat, media, reply_to=said)
    _, *shown = desk.home.messages()
    assert [desk.ref(each) for each in shown] == [each.ref for each in sent]
    assert [(each.data, each.caption, each.spoiler) for each in shown][1] == (photo("coffee"), "coffee", True)
    again = await desk.api.send_media(said.chat, Media(sent[0].file_id, "cat.jpg"))
    assert (desk.home.last().data, again.file_id) == (photo("cat"), sent[0].file_id)


async def test_a_webp_file_stays_a_file(desk: Desk) -> None:
    await desk.api.send_media(desk.chat(desk.home), Media(b"RIFF0000WEBPVP8 ", "a.webp", as_photo=False))
    assert desk.fake.asked("sendDocument")[-1].arguments["disable_content_type_detection"] is True


async def test_a_press_is_answered_and_an_old_one_harms_nobody(desk: Desk) -> None:
    ref = await desk.ours()
    press = await desk.anna.presses(desk.home.last(), "Cancel")
    await desk.api.answer_press(press.id, "x" * 300, alert=True)
    assert (len(press.words), press.alert, press.answered) == (200, True, True)
    await desk.api.answer_press("0", "hello")
    assert ref.message


async def test_admins_are_looked_up_once_a_minute(desk: Desk) -> None:
    topic = chat_ref(desk.api.account, desk.group.id, 5)
    found = [await desk.api.admins(each) for each in (desk.chat(desk.group), topic, desk.chat(desk.home))]
    assert found == [(desk.group.id, desk.anna.id)] * 2 + [()]
    assert len(desk.fake.asked("getChatAdministrators")) == 1


async def test_any_other_method_can_be_called(desk: Desk) -> None:
    await desk.api.call("setMyCommands", {"commands": [{"command": "help", "description": "Help"}]})
    assert (await desk.api.call("getWebhookInfo", {}))["url"] == ""


# --- what becomes of errors


@pytest.mark.parametrize(
    ("found", "new", "failure"),
    [
        (error.BadRequest("Bad Request: chat not found"), True, ChatGone),
        (error.BadRequest("Bad Request: message to edit not found"), False, ChatGone),
        (error.BadRequest("Bad Request: button_data_invalid"), True, Rejected),
        (error.BadRequest("Bad Request: file is too big"), True, TooLarge),
        (error.NetworkError("Request Entity Too Large"), True, TooLarge),
        (error.NetworkError("Bad Gateway"), True, OutcomeUnknown),
        (error.NetworkError("Bad Gateway"), False, Unavailable),
        (error.TimedOut(), True, OutcomeUnknown),
        (error.TimedOut(), False, Unavailable),
        (NotSent("ClientConnectorError"), True, Unavailable),
        (error.InvalidToken(), True, TokenRefused),
        (error.Conflict("terminated by other getUpdates request"), False, Conflict),
    ],
)
def test_an_error_means_what_it_says(found: error.TelegramError, new: bool, failure: type[Exception]) -> None:
    assert type(failure_of(found, new=new)) is failure or type(failure_of(found, new=new)).__mro__[1] is failure


async def test_a_new_message_without_an_answer_is_not_sent_again(desk: Desk) -> None:
    desk.fake.hang_after_delivery("sendMessage")
    with pytest.raises(OutcomeUnknown):
        await desk.ours()
    desk.fake.fail("sendMessage", code=0, after_effect=True)
    with pytest.raises(OutcomeUnknown):
        await desk.ours()
    assert len(desk.home.messages()) == 2


async def test_an_edit_without_an_answer_is_done_once_more(desk: Desk) -> None:
    ref = await desk.ours()
    desk.fake.hang_after_delivery("editMessageText")
    await desk.api.change(ref, "Done.")
    assert (desk.home.last().text, desk.home.last().edits) == ("Done.", 1)


async def test_a_message_that_never_left_can_be_sent_again(desk: Desk) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    away = TelegramApi(desk.fake.token, store=desk.store, pace=desk.pace, api_base=nobody)
    with pytest.raises(Unavailable):
        await away.send_text(desk.chat(desk.home), Said("hello"))
    await away.close()


async def test_a_token_that_is_none_is_said_to_be_without_showing_it(desk: Desk) -> None:
    wrong = TelegramApi("123:secret", store=desk.store, pace=desk.pace, api_base=desk.fake.api_base)
    with pytest.raises(TokenRefused) as refused:
        await wrong.me()
    assert "secret" not in str(refused.value)
    assert refused.value.__context__ is None
    await wrong.close()


async def test_what_was_asked_wrong_is_rejected_with_telegrams_words(desk: Desk) -> None:
    with pytest.raises(Rejected, match=r"(?i)button_data_invalid"):
        await desk.api.say(await desk.says(), "hello", keyboard=((Key("x", "y" * 65),),))


@pytest.mark.parametrize("path", ["photos/../../x", "../getMe", "photos/./x", "..\\x"])
async def test_a_files_path_that_leads_elsewhere_is_not_asked_for(desk: Desk, path: str) -> None:
    with pytest.raises(FileGone):
        await desk.api.download(path, max_bytes=99)
    assert desk.fake.requests == []


async def test_a_flood_is_waited_for_and_the_message_comes(desk: Desk) -> None:
    desk.fake.flood("sendMessage", retry_after=1)
    await desk.ours()
    assert [each.status for each in desk.fake.asked("sendMessage")] == [429, 200]
    assert desk.home.last().text == "On its way."


async def test_a_flood_for_longer_than_anybody_waits_is_no_message(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.5)
    desk.fake.flood("sendMessage", retry_after=1)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await desk.ours()
    assert len(desk.fake.asked("sendMessage")) == 1


async def test_who_waits_while_telegram_wants_a_pause_is_asked_only_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "CHAT_WINDOW_S", 0.3)
    desk.fake.limits = Floods(on=False)
    ref = await desk.says()
    desk.fake.flood("sendMessage", retry_after=1)
    await asyncio.gather(*(desk.api.say(ref, f"hello {number}") for number in range(7)))
    first, *others = [each.at for each in desk.fake.asked("sendMessage")]
    assert len(others) == 7
    assert not [at for at in others if 0.25 < at - first < 1]


async def test_who_gives_up_waiting_leaves_the_place_to_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.5)
    ref = await desk.says()
    for _ in range(3):
        await desk.api.say(ref, "hello")
    for _ in range(4):
        with pytest.raises(Unavailable):
            await desk.api.say(ref, "hello again")
    assert (await desk.pace.take(lanes.sends(ref.chat)) or 0) <= lanes.CHAT_WINDOW_S


async def test_who_is_told_when_it_is_asked_is_told_each_time_and_waits_for_no_long_flood(desk: Desk) -> None:
    said, told = await desk.says(), []

    async def begun() -> None:
        told.append(len(desk.fake.asked("sendMessage")))

    desk.fake.flood("sendMessage", retry_after=1)
    await desk.api.say(said, "hello", begun=begun)
    desk.fake.flood("sendMessage", retry_after=11)
    with pytest.raises(Unavailable):
        await desk.api.say(said, "hello again", begun=begun)
    assert told == [0, 1, 2]
    assert [each.text for each in desk.home.messages()[1:]] == ["hello"]


async def test_where_the_bot_was_thrown_out_it_asks_no_more_until_it_is_let_in(desk: Desk) -> None:
    ref = await desk.ours(desk.group)
    desk.fake.kick_bot(desk.group)
    for _ in range(2):
        with pytest.raises(ChatClosed):
            await desk.api.change(ref, "hello")
    await desk.api.seems_busy(ref.chat)
    assert [each.status for each in desk.fake.requests] == [200, 403]
    assert "kicked" in await desk.store.closed(ref.chat)
    desk.fake.add_bot(desk.group)
    await desk.store.open_chat(ref.chat)
    await desk.ours(desk.group)


async def test_that_a_chat_was_closed_is_known_as_soon_as_it_is_looked_up(desk: Desk) -> None:
    ref = await desk.ours(desk.group)
    await desk.store.close_chat(ref.chat, "left")
    assert await desk.api.closed(ref.chat) == "left"
    with pytest.raises(ChatClosed):
        await desk.ours(desk.group)
    await desk.store.open_chat(ref.chat)
    assert await desk.api.closed(ref.chat) == ""
    await desk.ours(desk.group)


async def test_where_a_right_is_missing_nothing_is_asked_for_a_while(desk: Desk) -> None:
    desk.group.cannot_send.add("text")
    for _ in range(3):
        with pytest.raises(ChatClosed):
            await desk.ours(desk.group)
    assert len(desk.fake.asked("sendMessage")) == 1
    assert await desk.store.closed(desk.chat(desk.group)) == ""


async def test_a_new_message_goes_where_the_group_has_moved_and_an_old_one_is_not_touched_there(desk: Desk) -> None:
    ref = await desk.ours(desk.group)
    moved = desk.fake.migrate(desk.group)
    sent = await desk.api.say(ref, "hello")
    assert (sent, moved.last().reply_to) == (desk.ref(moved.last()), None)
    with pytest.raises(Moved) as gone:
        await desk.api.change(ref, "hello")
    assert gone.value.to == desk.chat(moved)
    assert not await desk.api.delete(ref)
    assert desk.fake.asked("editMessageText") == []


# --- how often


@dataclass
class Counting:
    """Lets everything through, and knows which lanes it took."""

    taken: list[list[str]] = field(default_factory=list)
    waits: list[float | None] = field(default_factory=list)

    async def take(
        self,
        wanted: Sequence[Lane],
        *,
        spare: int | None = None,
        longest_s: float | None = None,
        came: bool = False,
    ) -> float | None:
        self.taken.append([each.name.rpartition(":")[2] for each in wanted] + ["came"] * came)
        return self.waits.pop(0) if self.waits else 0.0

    async def hold_back(self, lane: str, seconds: float) -> None:
        self.taken.append([f"{lane.rpartition(':')[2]} held back {seconds:.0f} s"])


async def test_each_call_takes_the_lanes_that_it_counts_for(desk: Desk) -> None:
    pace = Counting()
    api = TelegramApi(desk.fake.token, store=desk.store, pace=pace, api_base=desk.fake.api_base)
    ref = await api.send_text(desk.chat(desk.group), Said("hello"))
    await api.edit_text(ref, Said("one"))
    await api.edit_text(ref, Said("two"), spare=2)
    await api.seems_busy(ref.chat)
    await api.delete(ref)
    await api.send_album(ref.chat, [Media(photo("cat"), "a.jpg")] * 3)
    expected = (
        "sends group all|edits group-edits all|edits group-edits progress all|busy all|others all"
        "|group|group|sends group all"
    )
    assert [" ".join(each) for each in pace.taken] == expected.split("|")
    await api.close()


async def test_a_place_that_comes_later_is_waited_for_and_asked_about_once_more(desk: Desk) -> None:
    pace = Counting(waits=[0.01, 0.01, 0.0])
    api = TelegramApi(desk.fake.token, store=desk.store, pace=pace, api_base=desk.fake.api_base)
    await api.send_text(desk.chat(desk.home), Said("hello"))
    assert pace.taken == [["sends", "all"], *[["sends", "all", "came"]] * 2]
    await api.close()


async def test_what_may_be_left_out_is_where_there_is_no_room_and_after_a_flood(desk: Desk) -> None:
    pace = Counting()
    api = TelegramApi(desk.fake.token, store=desk.store, pace=pace, api_base=desk.fake.api_base)
    ref = await api.send_text(desk.chat(desk.home), Said("hello"))
    pace.waits = [None]
    assert not await api.edit_text(ref, Said("one"), spare=2)
    desk.fake.flood("editMessageText", retry_after=7)
    assert not await api.edit_text(ref, Said("two"), spare=2)
    assert pace.taken[-1] == ["edits held back 7 s"]
    assert desk.home.last().text == "hello"
    await api.close()


@pytest.mark.parametrize("method", ["deleteMessage", "getChatAdministrators"])
async def test_a_flood_in_one_chat_holds_up_no_other(desk: Desk, method: str) -> None:
    pace = Counting()
    api = TelegramApi(desk.fake.token, store=desk.store, pace=pace, api_base=desk.fake.api_base)
    ref = await api.send_text(desk.chat(desk.group), Said("hello"))
    desk.fake.flood(method, retry_after=7)
    await (api.delete(ref) if method == "deleteMessage" else api.admins(ref.chat))
    assert pace.taken[1:] == [["others", "all"], ["others held back 7 s"], ["others", "all"]]
    await api.close()


def test_topics_share_the_lanes_of_their_group() -> None:
    assert lanes.sends(chat_ref("1", -100, 7)) == lanes.sends(chat_ref("1", -100))
    assert [each.shared for each in lanes.sends(chat_ref("1", -100))] == [False, False, True]


# --- the transport


@dataclass
class Plain:
    """A server that notes bodies, and answers what it is told."""

    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    answer: bytes = b'{"ok":true,"result":{}}'
    status: int = 200
    location: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.bodies.append((request.headers.get("Content-Type", ""), await request.read()))
        headers = {"Location": self.location} if self.location else {}
        return web.Response(body=self.answer, status=self.status, headers=headers)


@pytest.fixture
async def server() -> AsyncIterator[tuple[Plain, str]]:
    plain = Plain()
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{any:.*}", plain.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield plain, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_large_file_is_sent_byte_for_byte_and_not_copied_together(server: tuple[Plain, str]) -> None:
    plain, base = server
    data = bytes(range(256)) * 12_345
    async with AiohttpRequest() as request:
        bot = Bot("1:x", base_url=f"{base}/bot", request=request, get_updates_request=request)
        file = InputFile(data, filename='a"\r\nb.png')
        await bot.do_api_request("send_Document", {"chat_id": 1, "caption": "ü\r\n🐙", "document": file})
    ((kind, body),) = plain.bodies
    boundary = kind.partition("boundary=")[2].encode()
    assert body.count(b"--" + boundary) == 4
    assert body.endswith(data + b"\r\n--" + boundary + b"--\r\n")
    assert b'filename="a%22%0D%0Ab.png"' in body
    assert 'name="caption"\r\n\r\nü\r\n🐙\r\n'.encode() in body


async def test_a_file_is_read_up_to_its_limit_and_no_redirect_is_followed(server: tuple[Plain, str]) -> None:
    plain, base = server
    plain.answer = b"x" * 1000
    async with AiohttpRequest() as request:
        assert await request.fetch(f"{base}/file", 1000) == plain.answer
        with pytest.raises(TooMuch):
            await request.fetch(f"{base}/file", 999)
        plain.status = 404
        with pytest.raises(FileGone):
            await request.fetch(f"{base}/file", 1000)
        plain.status, plain.location = 302, f"{base}/else"
        with pytest.raises(error.NetworkError):
            await request.fetch(f"{base}/file", 1000)
    assert len(plain.bodies) == 4


async def test_an_answer_that_is_none_is_an_error_of_the_network(server: tuple[Plain, str]) -> None:
    plain, base = server
    async with AiohttpRequest() as request:
        for answer in (b"<html>", b"[]", b""):
            plain.answer = answer
            with pytest.raises(error.NetworkError):
                await request.post(f"{base}/bot1:x/getMe", RequestData())


async def test_no_error_knows_the_address(server: tuple[Plain, str]) -> None:
    _, base = server
    async with AiohttpRequest(read_s=0.01) as request:
        for url in ("http://127.0.0.1:1/bot1:secret/getMe", "http://[bad/bot1:secret", f"{base}/bot1:secret"):
            with pytest.raises(error.NetworkError) as failed:
                await request.fetch(url, 1)
            assert "secret" not in f"{failed.value!r}{failed.value.__context__!r}{failed.value.__cause__!r}"


async def test_it_can_be_closed_and_opened_again(server: tuple[Plain, str]) -> None:
    _, base = server
    request = AiohttpRequest()
    for _ in range(2):
        await request.initialize()
        assert await request.fetch(f"{base}/file", 100)
        await request.shutdown()


async def test_a_proxy_of_the_environment_is_used_with_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as listening, AiohttpRequest() as request:
        monkeypatch.setenv("https_proxy", f"http://ben:secret@127.0.0.1:{listening.sockets[0].getsockname()[1]}")
        with pytest.raises(error.NetworkError) as failed:
            await request.fetch("https://telegram.invalid/file", 100)
    assert heard[0].startswith(b"CONNECT telegram.invalid:443 ")
    assert b"Proxy-Authorization: Basic YmVuOnNlY3JldA==\r\n" in heard[0]
    assert "secret" not in repr(failed.value)


async def test_what_the_environment_leaves_out_of_its_proxy_goes_there_directly(
    server: tuple[Plain, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, base = server
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with AiohttpRequest() as request:
        assert await request.fetch(f"{base}/file", 100) == plain.answer
