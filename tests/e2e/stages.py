"""Where the evening plays: five people in a chat of each platform, three of them in a second one, and the real house
behind its real door, with the real engines before a Gemini of this machine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from aiohttp import ClientSession, DummyCookieJar
from pydantic import SecretStr

from adapters.discord.commands import EDIT_THIS, TAKE_BACK
from adapters.web.server import build_app, serve
from bot.app import House
from bot.domain.buttons import ButtonId, Verb
from bot.domain.refs import ChatRef, UserRef
from bot.ports import Engine
from tests.e2e.reading import Reading
from tests.fakes.discord import Channel, FakeDiscord, Interaction, Message, Permission, Person
from tests.fakes.gemini import FakeGemini
from tests.fakes.telegram import FakeTelegram, Press
from tests.fakes.telegram import Message as TelegramMessage
from tests.fakes.telegram import Person as TelegramPerson
from tests.platforms.contract import AT, Button, Post, Pressed, Seen, Where, Who, is_final
from tests.platforms.discord_rig import DiscordRig, buttons_of
from tests.platforms.telegram_rig import TelegramRig, unpaced
from tests.platforms.telegram_rig import buttons_of as keys_of
from tests.platforms.web_rig import WebRig, opened

IN_GARDEN = (Who.ANNA, Who.BEN, Who.CLARA)
PLENTY_USD = 50
NO_PICTURE = b"Bread, butter, tea"
NOTHING = str(ButtonId(Verb.PRESS, None, "nothing"))
"""Under no answer of ours."""


class Stage(Protocol):
    """What the evening needs of a platform. The first methods are those of `PlatformRig`, and mean the same."""

    gemini: FakeGemini
    reading: Reading
    redis_url: str
    data: Path

    @property
    def house(self) -> House: ...

    def known_as(self, who: Who) -> UserRef:
        """What the platform calls them."""
        ...

    async def shares(self, image: bytes, *, by: Who) -> Post: ...

    async def says(
        self,
        text: str,
        images: Sequence[bytes] = (),
        *,
        reply_to: Post | None = None,
        by: Who = Who.ANNA,
        chat: Where = Where.HOME,
        index: int | None = None,
    ) -> Post | None: ...

    async def presses(self, what: Button, under: Post, argument: str = "", *, by: Who = Who.ANNA) -> Pressed: ...

    async def sees(self, chat: Where = Where.HOME, *, by: Who = Who.ANNA) -> list[Seen]: ...

    async def waits_for(self, post: Post, until: Callable[[Seen], bool] = is_final, *, by: Who = Who.ANNA) -> Seen: ...

    def where(self, chat: ChatRef) -> Where:
        """Which of the chats that is."""
        ...

    async def commands(self, text: str, *, by: Who, chat: Where = Where.HOME) -> Post:
        """A command that replies to nothing, in the way that the platform has for it."""
        ...

    async def takes_file(self, under: Post, *, by: Who) -> bytes:
        """The file of a result, as the platform hands it out; empty where there is none any more."""
        ...

    async def sends_no_picture(self, *, by: Who) -> Post:
        """A file of words, to be edited."""
        ...

    async def looks_around(self, result: Post, *, by: Who) -> None:
        """Reads what else the platform has to read for them, beside a result of theirs."""
        ...

    def read(self) -> Reading:
        """All that anybody has read until now."""
        ...


@dataclass
class WebStage(WebRig):
    gemini: FakeGemini = field(kw_only=True)
    reading: Reading = field(default_factory=Reading)

    async def _asks(self, who: Who, method: str, path: str, **options: Any) -> Any:
        told = await super()._asks(who, method, path, **options)
        self.reading.page(f"{method} {path}", told)
        return told

    def known_as(self, who: Who) -> UserRef:
        return UserRef("web", self.ids[who])

    async def sends_no_picture(self, *, by: Who) -> Post:
        post = await self.says("crop to a square", [NO_PICTURE], by=by)
        assert post is not None
        return post

    async def looks_around(self, result: Post, *, by: Who) -> None:
        chat, nothing = "/api/chats/home", "/api/chats/home/messages/nothing"
        for words in ("/help", "/usage", "/mine", "/forget", "/settings", "/nothing"):
            post = await self.commands(words, by=by)
            await self.waits_for(post, by=by)
        wrong: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("POST", f"{chat}/messages", {"data": {"text": ""}}),
            ("POST", f"{chat}/messages", {"data": {"text": "x" * 5000}}),
            ("POST", f"{chat}/messages", {"data": {"text": "", "act": "nothing"}}),
            ("POST", f"{chat}/messages", {"data": {"text": "crop", "reply_to": "nothing"}}),
            ("POST", f"{chat}/messages", {"data": {"text": "crop"}, "headers": {"Idempotency-Key": "ä"}}),
            ("POST", f"{chat}/turns/nothing/cancel", {}),
            ("POST", f"{chat}/turns/nothing/consent", {"json": {"say": "nothing"}}),
            ("POST", f"{chat}/turns/nothing/vote", {"json": {"choice": "nothing"}}),
            ("POST", "/api/session", {"json": {"password": "nothing", "name": by}}),
            ("PUT", f"{chat}/standing", {"json": {"standing": "nothing"}}),
            ("DELETE", nothing, {}),
            *(("GET", path, {}) for path in (nothing, f"{nothing}/info", f"{chat}/images/nothing", "/nothing")),
            *(("GET", path, {}) for path in ("/api/chats/Nothing/messages", f"{chat}/messages?limit=nothing")),
        )
        for method, path, given in wrong:
            async with self.people[by].request(method, self._url + path, **given) as response:
                told = await response.json()
                assert response.status >= 400 or "words" in told, (method, path)
                self.reading.page(f"{method} {path}", told)
        async with self.people[by].get(self._url) as response:
            self.reading.front(await response.text())

    def read(self) -> Reading:
        return self.reading

    def engines(self) -> Mapping[str, Engine] | None:
        return None

    def where(self, chat: ChatRef) -> Where:
        return Where(chat.chat)

    async def commands(self, text: str, *, by: Who, chat: Where = Where.HOME) -> Post:
        post = await self.says(text, by=by, chat=chat)
        assert post is not None
        return post

    async def takes_file(self, under: Post, *, by: Who) -> bytes:
        message = f"{self._url}/api/chats/{under.chat}/messages/{under.id}"
        async with self.people[by].get(message) as response:
            if response.status == 404:
                return b""
            (image,) = (await response.json())["images"]
        return await self._file(by, f"{image['url']}?download=1")


@dataclass
class DiscordStage(DiscordRig):
    gemini: FakeGemini = field(kw_only=True)
    reading: Reading = field(default_factory=Reading)

    def known_as(self, who: Who) -> UserRef:
        return UserRef("discord", self.people[who].id)

    async def sends_no_picture(self, *, by: Who) -> Post:
        files = [("notes.txt", NO_PICTURE)]
        said = await self.people[by].says(
            self.chats[Where.HOME], "crop to a square", files=files, mentions=[self.fake.bot]
        )
        return Post(Where.HOME, said.id)

    async def looks_around(self, result: Post, *, by: Who) -> None:
        channel, person, message = self.chats[Where.HOME], self.people[by], self.fake.messages[result.id]
        assert channel.guild is not None
        channel.guild.owner = person
        for name in ("help", "usage", "forget"):
            await (await person.slash(name, channel)).answer()
        await self.waits_for(await self.commands("/mine", by=by), says_something, by=by)
        said = await person.says(channel, mentions=[self.fake.bot])
        await self.waits_for(Post(Where.HOME, said.id), says_something, by=by)
        await (await person.menu(EDIT_THIS, message)).form()
        before = {each.id for each in channel.messages()}
        menu = Post(Where.HOME, (await person.menu(TAKE_BACK, message)).id)
        self._before[menu] = before
        await self.waits_for(menu, says_something, by=by)
        await self._opens_all(await (await person.slash("settings", channel)).answer(), person)
        await (await person.presses(self._of_long_ago(channel), custom_id=NOTHING)).answer()

    def _of_long_ago(self, channel: Channel) -> Message:
        """A message of ours with a button that means nothing any more."""
        made = Message(self.fake, self.fake.snowflake(), channel, self.fake.bot)
        button = {"type": 2, "style": 2, "label": "?", "custom_id": NOTHING, "id": 2}
        made.components = [{"type": 1, "id": 1, "components": [button]}]
        return self.fake.post(made)

    async def _opens_all(self, panel: Message, person: Person) -> None:
        """Presses each control of a panel, on whichever page it stands."""
        pressed: set[str] = set()
        while found := [each for each in panel.controls() if each["custom_id"] not in pressed]:
            control = found[0]
            pressed.add(control["custom_id"])
            options = [each["value"] for each in control.get("options") or ()]
            if not control.get("disabled"):
                asked = len(self.fake.requests)
                done = await person.presses(panel, custom_id=control["custom_id"], choices=options[:1])
                await self._shown(done, asked + 2)

    async def _shown(self, done: Interaction, requests: int) -> None:
        """A form, or the panel anew: an acknowledgement and an edit."""
        await self.fake.until(lambda: done.modal or len(self.fake.requests) >= requests)

    def read(self) -> Reading:
        self.reading.discord(self.fake)
        return self.reading

    def __post_init__(self) -> None:
        super().__post_init__()
        for who in self.company:
            if who not in IN_GARDEN:
                self.chats[Where.GARDEN].deny(self.people[who], Permission.VIEW_CHANNEL)

    def engines(self) -> Mapping[str, Engine] | None:
        return None

    def where(self, chat: ChatRef) -> Where:
        return next(where for where, channel in self.chats.items() if channel.id == chat.chat)

    async def commands(self, text: str, *, by: Who, chat: Where = Where.HOME) -> Post:
        """By a slash command and its options."""
        name, _, words = text.removeprefix("/").partition(" ")
        channel = self.chats[chat]
        before = {each.id for each in channel.messages()}
        options: dict[str, Any] = {"words": words} if words else {}
        sent = await self.people[by].slash(name, channel, **options)
        post = Post(chat, sent.id)
        self._before[post] = before
        return post

    async def takes_file(self, under: Post, *, by: Who) -> bytes:
        message, person = self.fake.messages.get(under.id), self.people[by]
        if message is None:
            return b""
        button = next(each for each in buttons_of(message) if each.verb is Verb.FILE)
        pressed = await self._press(str(button), message, person)
        answer: Message = await self.fake.until(lambda: next((e for e in pressed.answers if e.attachments), None))
        return answer.attachments[0].data


@dataclass
class TelegramStage(TelegramRig):
    gemini: FakeGemini = field(kw_only=True)
    reading: Reading = field(default_factory=Reading)

    def known_as(self, who: Who) -> UserRef:
        return UserRef("telegram", str(self.people[who].id))

    async def sends_no_picture(self, *, by: Who) -> Post:
        words = f"/edit@{self.fake.bot.username} crop to a square"
        said = await self.people[by].says(self.chats[Where.HOME], words, document=("notes.txt", NO_PICTURE))
        return Post(Where.HOME, str(said.id))

    async def looks_around(self, result: Post, *, by: Who) -> None:
        place, person, message = self.chats[Where.HOME], self.people[by], self._message(result)
        self.fake.promote(place.chat, person)
        await person.starts()
        own = self.fake.private(person)
        await self.fake.until(lambda: len(own.messages()) >= 3)
        for words in ("/help", "/usage", "/mine", "/forget", "/cancel", "/allow", "/deny", "/edit"):
            for where in (place, own):
                await self._told(await person.says(where, words if where is own else self._calling(words)))
        for where in (place, own):
            asked = await person.says(where, self._calling("/settings"))
            await self._presses_all(await self._told(asked), person)
        await self._answered(await person.presses(message, data=NOTHING))
        inline = self.fake.inline(person)
        await self.fake.until(lambda: inline.answered)
        new = self.fake.supergroup("New here", person, bot=False)
        self.fake.add_bot(new)
        await self.fake.until(new.messages)

    async def _told(self, asked: TelegramMessage) -> TelegramMessage:
        def found() -> TelegramMessage | None:
            return next((each for each in asked.chat.messages() if each.reply_to == asked.id), None)

        told: TelegramMessage = await self.fake.until(found)
        return told

    async def _presses_all(self, panel: TelegramMessage, person: TelegramPerson) -> None:
        """Each key of a panel, on whichever page it stands. What holds for oneself everywhere changes no group's."""
        pressed: set[str] = set()
        while left := [data for row in panel.keyboard for _, data in row if data not in pressed]:
            pressed.add(left[0])
            edits = len(self.fake.asked("editMessageText"))
            redrawn = edits if ":mine." in left[0] and panel.chat.person is None else edits + 1
            await self._answered(await person.presses(panel, data=left[0]), redrawn)

    async def _answered(self, press: Press, edits: int = 0) -> None:
        await self.fake.until(lambda: press.answered and len(self.fake.asked("editMessageText")) >= edits)

    def read(self) -> Reading:
        self.reading.telegram(self.fake)
        return self.reading

    def __post_init__(self) -> None:
        super().__post_init__()
        three = [self.people[who] for who in IN_GARDEN]
        self.chats[Where.GARDEN] = self.fake.supergroup(Where.GARDEN.value, *three)

    def engines(self) -> Mapping[str, Engine] | None:
        return None

    def where(self, chat: ChatRef) -> Where:
        return next(where for where, place in self.chats.items() if str(place.id) == chat.chat)

    async def commands(self, text: str, *, by: Who, chat: Where = Where.HOME) -> Post:
        post = await self.says(text, by=by, chat=chat)
        assert post is not None
        return post

    async def takes_file(self, under: Post, *, by: Who) -> bytes:
        """It comes as a message of its own."""
        place = self.chats[under.chat]
        message = next((each for each in place.messages() if str(each.id) == under.id), None)
        if message is None:
            return b""
        before = {each.id for each in place.messages()}
        button = next(each for each in keys_of(message) if each.verb is Verb.FILE)
        await self.people[by].presses(message, data=str(button))
        sent: Any = await self.fake.until(
            lambda: next((e for e in place.messages() if e.id not in before and e.kind == "document"), None)
        )
        return bytes(sent.data)


def says_something(seen: Seen) -> bool:
    return not seen.is_open and bool(seen.words)


@asynccontextmanager
async def staged(platform: str, redis_url: str, data: Path) -> AsyncIterator[Stage]:
    """The platform of that name, with everybody there."""
    async with AsyncExitStack() as stack:
        gemini = await stack.enter_async_context(FakeGemini())
        more: dict[str, Any] = {"gemini": gemini, "company": tuple(Who), "settings": _settings(gemini)}
        match platform:
            case "web":
                yield await stack.enter_async_context(opened(WebStage(redis_url, data, **more)))
            case "discord":
                fake = await stack.enter_async_context(FakeDiscord(rate_limits=False))
                yield await _opened(DiscordStage(redis_url, data, fake, **more), stack)
            case "telegram":
                unpaced(stack.enter_context(pytest.MonkeyPatch.context()))
                told = await stack.enter_async_context(FakeTelegram(floods=False))
                yield await _opened(TelegramStage(redis_url, data, told, **more), stack)
            case _:
                raise ValueError(platform)


_Rig = TypeVar("_Rig", DiscordStage, TelegramStage)


async def _opened(rig: _Rig, stack: AsyncExitStack) -> _Rig:
    stack.push_async_callback(rig.close)
    await rig.open()
    return rig


def _settings(gemini: FakeGemini) -> dict[str, Any]:
    caps = ("person_day_usd", "chat_day_usd", "house_day_usd", "house_ten_minutes_usd")
    key = {"gemini_api_key": SecretStr("key"), "gemini_api_base": gemini.url}
    return key | {"web_public_url": AT} | dict.fromkeys(caps, PLENTY_USD)


@asynccontextmanager
async def a_stranger(house: House) -> AsyncGenerator[ClientSession]:
    """Somebody in no chat, without a cookie, who comes to the page by its public name."""
    app = build_app(
        rooms=house.reception,
        store=house.page,
        spool=house.spool,
        images=house.images,
        password="nobody knows it",
        public_url=AT,
    )
    host = {"Host": AT.partition("//")[2]}
    async with (
        serve(app, host="127.0.0.1", port=0) as url,
        ClientSession(url, cookie_jar=DummyCookieJar(), headers=host) as http,
    ):
        yield http
