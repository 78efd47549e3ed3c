"""Telegram as people see it: the real house and the real client library, on a Telegram of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adapters.telegram import lanes
from adapters.telegram.account import TelegramDoor
from adapters.telegram.presses import DELETE_LABEL
from adapters.telegram.refs import chat_ref
from bot.app import House
from bot.domain.actions import Act
from bot.domain.arena import Choice
from bot.domain.buttons import ButtonId, Verb, read_button_id
from bot.domain.language import pgettext, tr
from bot.ending import end
from bot.engines.exact import ExactEngine
from bot.ports import Engine, TextModel
from tests.fakes.engines import ScriptedEngine
from tests.fakes.telegram import FakeTelegram, Message, Person, Place
from tests.platforms.contract import (
    AT,
    BY_VERB,
    CONSENT,
    TWO,
    Button,
    Do,
    Post,
    Pressed,
    Seen,
    Shown,
    Where,
    Who,
    is_final,
    means,
)
from tests.rig import Rig, living_in


@asynccontextmanager
async def living_on(
    fake: FakeTelegram, redis_url: str, data: Path, engines: Mapping[str, Engine] | None, **settings: Any
) -> AsyncIterator[tuple[Rig, TelegramDoor]]:
    """The house, with its door to that Telegram open."""
    places: dict[str, Any] = {"telegram_token": fake.token, "telegram_api_base": fake.api_base}
    async with living_in(redis_url, data, engines, **places, **settings) as rig:
        assert rig.house.telegram is not None
        door = rig.house.telegram.door_in(rig.house.reception)
        running = asyncio.create_task(door.run())
        try:
            await fake.until(lambda: any(each.method == "getUpdates" for each in fake.requests))
            yield rig, door
        finally:
            await end(running)


def unpaced(patch: pytest.MonkeyPatch) -> None:
    """Where nothing is flooded, nothing has to wait."""
    for name in ("ALL", "CHAT", "GROUP", "EDITS", "GROUP_EDITS", "GROUP_PROGRESS", "BUSY", "OTHERS"):
        patch.setattr(lanes, f"{name}_MOST", 1000)


def buttons_of(message: Message) -> list[ButtonId]:
    """All that can be pressed under a message."""
    return [found for row in message.keyboard for _, data in row if (found := read_button_id(data)) is not None]


@dataclass
class TelegramRig:
    """See `PlatformRig`. The chats are two groups, or two topics of one."""

    redis_url: str
    data: Path
    fake: FakeTelegram
    topics: bool = False
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    text_model: TextModel | None = None
    settings: dict[str, Any] = field(default_factory=lambda: {"web_public_url": AT})
    company: Sequence[Who] = TWO
    people: dict[Who, Person] = field(default_factory=dict)
    chats: dict[Where, Place] = field(default_factory=dict)
    _before: dict[Post, set[int]] = field(default_factory=dict)
    """What stood in the chat when a button was pressed."""
    _albums: dict[Post, list[Message]] = field(default_factory=dict)
    _offered: dict[Post, dict[str, None]] = field(default_factory=dict)
    """All that was ever seen to stand under a message."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _house: House | None = None

    def __post_init__(self) -> None:
        self.people = {who: self.fake.user(who.value) for who in self.company}
        everyone = tuple(self.people.values())
        if self.topics:
            forum = self.fake.supergroup("Friends", *everyone, forum=True)
            self.chats = {where: forum.topic(where.value) for where in Where}
        else:
            self.chats = {where: self.fake.supergroup(where.value, *everyone) for where in Where}

    @property
    def house(self) -> House:
        assert self._house is not None
        return self._house

    async def open(self) -> None:
        rig, _ = await self._stack.enter_async_context(
            living_on(self.fake, self.redis_url, self.data, self.engines(), text_model=self.text_model, **self.settings)
        )
        self._house = rig.house
        assert rig.house.telegram is not None
        for place in self.chats.values():  # what is said once in a group is tried elsewhere
            group = chat_ref(str(self.fake.bot.id), place.id)
            await rig.house.telegram.stores.own.once(f"greeted:{group.key}", life_s=3600)

    def engines(self) -> Mapping[str, Engine] | None:
        """None for those that the settings name."""
        return {"exact": ExactEngine(), "gemini": self.engine}

    async def restart(self) -> None:
        await self.close()
        self._stack = AsyncExitStack()
        await self.open()

    async def close(self) -> None:
        await self._stack.aclose()

    # --- what people do

    async def shares(self, image: bytes, *, by: Who) -> Post:
        said = await self.people[by].says(self.chats[Where.HOME], "look", photo=image)
        return Post(Where.HOME, str(said.id))

    async def says(
        self,
        text: str,
        images: Sequence[bytes] = (),
        *,
        reply_to: Post | None = None,
        by: Who = Who.ANNA,
        chat: Where = Where.HOME,
        index: int | None = None,
    ) -> Post | None:
        """By the command where the reply does not call the bot. Of several pictures one is meant by replying to it."""
        if reply_to is not None and reply_to.chat != chat:
            return None
        replied = self._message(reply_to, index) if reply_to else None
        place, person = self.chats[chat], self.people[by]
        ours = replied is not None and replied.author is self.fake.bot
        words = text if ours else self._calling(text)
        if len(images) > 1:
            if not self.fake.reads_all:  # of an album it is shown what calls it, unless it runs the group, too
                self.fake.promote(place.chat, self.fake.bot)
            items = await person.album(place, list(images), caption=words, reply_to=replied)
            post = Post(chat, str(min(each.id for each in items)))
            self._albums[post] = sorted(items, key=lambda each: each.id)
            return post
        said = await person.says(place, words, photo=images[0] if images else None, reply_to=replied)
        post = Post(chat, str(said.id))
        return await self._this_one(post, by) if index is not None else post

    def _calling(self, text: str) -> str:
        """A command calls the bot by its name, and every other wish is behind one."""
        name, space, rest = text.partition(" ")
        if name.startswith("/") and "\n" not in name:
            return f"{name}@{self.fake.bot.username}{space}{rest}"
        return f"/edit@{self.fake.bot.username} {text}"

    async def _this_one(self, post: Post, by: Who) -> Post:
        """Where it is asked whether one or all are meant."""
        asked = await self.waits_for(post, lambda seen: Act.ONLY in seen.buttons, by=by)
        pressed = await self.presses(Act.ONLY, asked.post, by=by)
        assert pressed.post is not None
        return pressed.post

    async def repeats(self, post: Post) -> None:
        """As after an acknowledgement that was lost; and as an update of its own."""
        message = self._message(post)
        self.fake.redeliver(message)
        self.fake.redeliver(message, as_new=True)
        await self.fake.until(lambda: not self.fake.updates.pending)
        reply = await self.waits_for(post, lambda _: True)
        assert reply.is_ours

    async def presses(self, what: Button, under: Post, argument: str = "", *, by: Who = Who.ANNA) -> Pressed:
        message, person = self._message(under), self.people[by]
        before = {each.id for each in self.chats[under.chat].messages()}
        data = self._data(what, under, message, argument)
        data = data or await self._behind_more(what, under, message, person, argument)
        press = await person.presses(message, data=data)
        if isinstance(what, Act):
            post = Post(under.chat, f"press {press.id}")
            self._before[post] = before
            return Pressed(post=post)
        await self.fake.until(lambda: press.answered)
        if what is Do.DELETE:
            await self.fake.until(lambda: self._confirmation(message) or press.words)
            if not press.words:
                press = await person.presses(message, data=self._confirmation(message))
                await self.fake.until(lambda: press.answered and (press.words or message.deleted))
        if what is Do.INFO and not press.words:
            await self.fake.until(lambda: self._new_words(under.chat, before))
            return Pressed(self._new_words(under.chat, before))
        return Pressed(press.words)

    def _confirmation(self, message: Message) -> str:
        found = [data for row in message.keyboard for label, data in row if label == tr(DELETE_LABEL)]
        return found[0] if found else ""

    def _new_words(self, chat: Where, before: set[int]) -> str:
        new = [each for each in self.chats[chat].messages() if each.id not in before and each.author is self.fake.bot]
        return new[-1].words if new else ""

    def _data(self, what: Button, post: Post, message: Message, argument: str) -> str:
        """A client that is behind still shows what stood there: a press on it comes through all the same."""
        offered: list[str] = [*_datas(message), *self._offered.get(post, {})]
        for data in offered:
            button = read_button_id(data)
            if button is not None and means(button, what, argument):
                return data
        return ""

    async def _behind_more(self, what: Button, post: Post, message: Message, person: Person, argument: str) -> str:
        await person.presses(message, label=pgettext("button", "More…"))
        found: str = await self.fake.until(lambda: self._data(what, post, message, argument))
        return found

    def _message(self, post: Post, index: int | None = None) -> Message:
        if index is not None and post in self._albums:
            return self._albums[post][index]
        return next(each for each in self.chats[post.chat].messages() if str(each.id) == post.id)

    # --- what people see

    async def sees(self, chat: Where = Where.HOME, *, by: Who = Who.ANNA) -> list[Seen]:
        return [self._seen(chat, message) for message in self.chats[chat].messages()]

    async def waits_for(self, post: Post, until: Callable[[Seen], bool] = is_final, *, by: Who = Who.ANNA) -> Seen:
        def found() -> Seen | None:
            seen = [self._seen(post.chat, each) for each in self._answers(post)]
            return next((each for each in seen if until(each)), None)

        answer: Seen = await self.fake.until(found, within_s=15)
        return answer

    def _answers(self, post: Post) -> list[Message]:
        ours = [each for each in self.chats[post.chat].messages() if each.author is self.fake.bot]
        if post in self._before:
            return [each for each in ours if each.id not in self._before[post]][:1]
        return [each for each in ours if str(each.reply_to) == post.id]

    def _seen(self, chat: Where, message: Message) -> Seen:
        standing = buttons_of(message)
        verbs = {each.verb for each in standing}
        acts = {each.argument.partition(".")[0] for each in standing if each.verb is Verb.PRESS}
        buttons: set[Button] = {Act(act) for act in acts}
        buttons |= {what for verb, what in BY_VERB.items() if verb in verbs}
        buttons |= CONSENT if Verb.ALLOW in verbs else set()
        buttons |= {*Choice, Do.END_VOTE} if Verb.VOTE in verbs else set()
        words = message.words.replace("\u2060", "")
        post = Post(chat, str(message.id))
        self._offered.setdefault(post, {}).update(dict.fromkeys(_datas(message)))
        return Seen(
            post=post,
            is_ours=message.author is self.fake.bot,
            words=words,
            pictures=(Shown(message.data, words),) if message.kind in ("photo", "document") else (),
            buttons=frozenset(buttons),
            is_open=bool(verbs & {Verb.CANCEL, Verb.ALLOW}),
            notified=tuple(each.name for each in message.notified),
        )


def _datas(message: Message) -> list[str]:
    return [data for row in message.keyboard for _, data in row]
