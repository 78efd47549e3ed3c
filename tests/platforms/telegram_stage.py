"""Keys, commands and settings of the Telegram adapter, on a Telegram of this machine, with real stores and a core that
only writes down what it is asked."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from telegram import Update

from adapters.telegram.access import Access
from adapters.telegram.api import TelegramApi
from adapters.telegram.commands import Commands
from adapters.telegram.files import Files
from adapters.telegram.greeting import Greeting
from adapters.telegram.inbound import command_of, tag_of
from adapters.telegram.outbound import TelegramPlatform
from adapters.telegram.ports import Key, Keyboard, Me
from adapters.telegram.presses import Presses
from adapters.telegram.refs import chat_ref, user_ref
from adapters.telegram.saying import Saying
from adapters.telegram.settings import Settings
from bot.domain.buttons import ButtonId, Verb
from bot.domain.images import ImageFacts
from bot.domain.language import speaking
from bot.domain.messages import Answer, ChatCapabilities, InboundMessage, Rendition, Shown
from bot.domain.refs import ChatRef, MessageRef, TurnId, UserRef, thread_id_of
from storage.objects.store import ObstoreImageStore, image_store
from storage.redis.client import open_client
from storage.redis.messages import RedisMessageStore
from storage.redis.telegram import RedisLedger, RedisTelegramStore
from storage.redis.telegram_pace import RedisPace
from tests.fakes.discord_rooms import RecordingRooms
from tests.fakes.telegram import Chat, FakeTelegram, Message, Person, Place, Press

_DAY_S = 24 * 3600
PATIENCE_S = 0.2


@dataclass
class FileRooms(RecordingRooms):
    """Its file is a real one. `gate` holds it back until it is set."""

    rendition: Rendition | None = None
    gate: asyncio.Event | None = None

    async def file(
        self, reply: MessageRef, capabilities: ChatCapabilities, *, by: UserRef, index: int | None = None
    ) -> Rendition:
        await super().file(reply, capabilities, by=by, index=index)
        if self.gate is not None:
            await self.gate.wait()
        assert self.rendition is not None
        return self.rendition

    async def info(self, reply: MessageRef, *, by: UserRef, index: int | None = None) -> str:
        if self.gate is not None:
            await self.gate.wait()
        return await super().info(reply, by=by, index=index)


@dataclass
class Left:
    """Writes down what may have been left by a crash, and what is to be sent again."""

    found_: list[tuple[MessageRef, TurnId]] = field(default_factory=list)
    again: list[tuple[MessageRef, Answer]] = field(default_factory=list)

    async def found(self, message: MessageRef, turn: TurnId) -> None:
        self.found_.append((message, turn))

    async def send_again(self, reply: MessageRef, answer: Answer) -> None:
        self.again.append((reply, answer))


def png(size: int = 64) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (size, size), (20, 120, 200)).save(out, "PNG")
    return out.getvalue()


def key(label: str, verb: Verb, argument: str = "", place: int | None = None) -> Key:
    return Key(label, str(ButtonId(verb, place, argument)))


@dataclass
class Stage:
    fake: FakeTelegram
    api: TelegramApi
    store: RedisTelegramStore
    messages: RedisMessageStore
    images: ObstoreImageStore
    rooms: FileRooms
    left: Left
    me: Me
    platform: TelegramPlatform
    presses: Presses
    commands: Commands
    greeting: Greeting
    anna: Person
    ben: Person
    albums: dict[MessageRef, InboundMessage] = field(default_factory=dict)
    answered: list[bool] = field(default_factory=list)
    """Of each command, whether it was answered here."""
    _offset: int | None = None

    async def hears(self, *, again: int = 0) -> Sequence[Update]:
        """Takes what has come, each `again` so often as if it had come again. Gives it."""
        raw = await self.api.updates(offset=self._offset, wait_s=0)
        for each in raw:
            self._offset = int(each["update_id"]) + 1
            for _ in range(1 + again):
                await self.take(Update.de_json(dict(each), None))
        return [Update.de_json(dict(each), None) for each in raw]

    async def take(self, update: Update) -> None:
        """As the door does."""
        with speaking(tag_of(update)):
            await self._deal_with(update)

    async def _deal_with(self, update: Update) -> None:
        if update.callback_query is not None:
            await self.presses.take(update.callback_query)
        elif update.message is not None and (command := command_of(update.message, self.me)) is not None:
            self.answered.append(await self.commands.take(update.message, command))
        elif update.my_chat_member is not None:
            await self.greeting.greet(update.my_chat_member)

    async def says(self, person: Person, place: Place, words: str, **how: Any) -> Message:
        """And the bot hears it."""
        said = await person.says(place, words, **how)
        await self.hears()
        return said

    async def presses_key(self, person: Person, message: Message, label: str = "", *, data: str = "") -> Press:
        press = await person.presses(message, label, data=data)
        await self.hears()
        return press

    async def posts(
        self, place: Place, *rows: Sequence[Key], shows: TurnId | None = None, asker: UserRef | None = None
    ) -> Message:
        """A message of ours with these keys; `shows` where it is remembered as the reply of a turn."""
        chat = self.chat(place)
        keyboard: Keyboard = tuple(tuple(row) for row in rows)
        ref = await self.api.say(MessageRef(chat, "qnone"), "Here you are.", keyboard=keyboard)
        if shows is not None:
            await self.messages.attach(ref, thread_id_of(ref), [Shown(shows, 0)], asker=asker)
        return place.last()

    def chat(self, place: Place) -> ChatRef:
        return chat_ref(self.me.id, place.chat.id, place.thread_id)

    def ref(self, message: Message) -> MessageRef:
        return MessageRef(self.chat(message.place), str(message.id))

    def user(self, person: Person) -> UserRef:
        return user_ref(person.id)

    async def makes_file(self, data: bytes) -> None:
        sha256 = await self.images.put(data)
        facts = ImageFacts(sha256, "image/png", 64, 64, len(data))
        self.rooms.rendition = Rendition(facts, "Edited, no AI")

    async def whole(self, anchor: MessageRef) -> InboundMessage | None:
        return self.albums.get(anchor)

    def own_chat(self) -> Chat:
        return self.fake.private(self.anna)

    def group(self) -> Chat:
        """Anna runs it."""
        return self.fake.supergroup("Friends", self.anna, self.ben)


@asynccontextmanager
async def open_stage(redis_url: str, folder: Path, **fake_options: Any) -> AsyncIterator[Stage]:
    client = open_client(redis_url)
    async with FakeTelegram(**fake_options) as fake:
        store = RedisTelegramStore(client, retention_s=_DAY_S)
        ledger = RedisLedger(client, retention_s=_DAY_S)
        messages = RedisMessageStore(client, retention_s=_DAY_S)
        images = image_store(str(folder))
        api = TelegramApi(fake.token, store=store, pace=RedisPace(client), images=images, api_base=fake.api_base)
        me, rooms, left = await api.me(), FileRooms(), Left()
        saying, access = Saying(api, ledger), Access(rooms, api)
        settings = Settings(rooms, api, saying, access)
        anna, ben = fake.user("Anna"), fake.user("Ben")
        found: list[Stage] = []

        async def whole(anchor: MessageRef) -> InboundMessage | None:
            return await found[0].whole(anchor)

        presses = Presses(
            rooms,
            api,
            store,
            messages,
            me=me,
            saying=saying,
            access=access,
            files=Files(rooms, api, store, ledger, messages),
            settings=settings,
            orphans=left,
            resending=left,
            whole=whole,
            patience_s=PATIENCE_S,
        )
        commands = Commands(rooms, messages, me=me, saying=saying, access=access, settings=settings)
        greeting = Greeting(api, store, saying, me=me)
        platform = TelegramPlatform(api, store, ledger, images, messages)
        stage = Stage(
            fake, api, store, messages, images, rooms, left, me, platform, presses, commands, greeting, anna, ben
        )
        found.append(stage)
        yield stage
        await platform.close()
        await api.close()
        assert fake.faults() == []
        assert fake.floods_caused == 0
    await client.aclose()
