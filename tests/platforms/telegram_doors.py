"""Telegram's doors in, put together as a process does, before a core that only writes down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from redis.asyncio import Redis
from telegram import CallbackQuery, ChatMemberUpdated, InlineQuery, Message

from adapters.telegram.access import Access
from adapters.telegram.albums import Gathering
from adapters.telegram.api import TelegramApi
from adapters.telegram.door import Door
from adapters.telegram.inbound import Command
from adapters.telegram.inbox import Mailroom
from adapters.telegram.polling import Polling
from adapters.telegram.ports import Me
from adapters.telegram.saying import Saying
from bot.domain.language import spoken
from bot.domain.messages import InboundMessage
from bot.domain.refs import ChatRef, MessageRef, TurnId
from bot.ending import end
from storage.redis.client import open_client
from storage.redis.telegram import RedisLedger, RedisTelegramStore
from storage.redis.telegram_albums import RedisAlbums
from storage.redis.telegram_inbox import RedisInbox
from storage.redis.telegram_pace import RedisPace
from tests.fakes.discord_rooms import RecordingRooms
from tests.fakes.telegram import FakeTelegram

RETENTION_S = 3600


@dataclass
class Beside:
    """What stands beside the door: keys, commands, the greeting, orphans. Each is only written down, and with all but
    the last the language that was spoken."""

    pressed: list[str] = field(default_factory=list)
    commanded: list[Command] = field(default_factory=list)
    greeted: list[int] = field(default_factory=list)
    used_in: list[ChatRef] = field(default_factory=list)
    orphans: list[tuple[MessageRef, TurnId]] = field(default_factory=list)
    spoken: list[tuple[str, str]] = field(default_factory=list)

    async def greet(self, change: ChatMemberUpdated) -> None:
        self.spoken.append(("greeting", spoken()))
        self.greeted.append(change.chat.id)

    async def used(self, message: MessageRef) -> None:
        self.used_in.append(message.chat)

    async def found(self, message: MessageRef, turn: TurnId) -> None:
        self.orphans.append((message, turn))


class Keys:
    def __init__(self, beside: Beside) -> None:
        self._beside = beside

    async def take(self, query: CallbackQuery) -> None:
        self._beside.spoken.append(("press", spoken()))
        self._beside.pressed.append(query.data or "")


class Asked:
    def __init__(self, beside: Beside) -> None:
        self._beside = beside

    async def take(self, query: InlineQuery) -> None:
        self._beside.spoken.append(("inline", spoken()))


class Commands:
    """Takes “help”, and leaves the others to the core."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside

    async def take(self, message: Message, command: Command) -> bool:
        self._beside.spoken.append(("command", spoken()))
        self._beside.commanded.append(command)
        return command.name == "help"


@dataclass
class Process:
    """One process of the bot. `begins` starts its tasks, `ends` is an orderly stop, `dies` a kill: nothing is given
    back and nothing is finished."""

    fake: FakeTelegram
    client: Redis
    rooms: RecordingRooms
    beside: Beside
    me: Me
    telegram: TelegramApi
    inbox: RedisInbox
    store: RedisTelegramStore
    holder: str
    idle_s: float = 0.3
    polling: dict[str, Any] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        ledger = RedisLedger(self.client, retention_s=RETENTION_S)
        self.albums = RedisAlbums(self.client)
        saying = Saying(self.telegram, ledger)
        self.gathering = Gathering(self.rooms, self.telegram, self.albums, self.store, saying, me=self.me)
        self.door = Door(
            self.rooms,
            self.telegram,
            self.store,
            me=self.me,
            access=Access(self.rooms, self.telegram),
            saying=saying,
            gathering=self.gathering,
            presses=Keys(self.beside),
            commands=Commands(self.beside),
            greeting=self.beside,
            orphans=self.beside,
            inline=Asked(self.beside),
        )
        who: dict[str, Any] = {"account": self.me.id, "holder": self.holder}
        self.mailroom = Mailroom(self.inbox, self.door.deal_with, idle_s=self.idle_s, **who)
        self.poller = Polling(
            self.telegram, self.inbox, self.store, self.mailroom.take_in, life_s=1.0, **who, **self.polling
        )

    def begins(self, *, asks: bool = True) -> Process:
        runs = [self.mailroom.run, self.gathering.run, *([self.poller.run] if asks else [])]
        self.tasks += [asyncio.create_task(run()) for run in runs]
        return self

    async def ends(self) -> None:
        await end(*self.tasks)

    async def dies(self) -> None:
        async def nothing(*_: Any, **__: Any) -> None: ...

        self.inbox.step_down = nothing  # type: ignore[method-assign]
        self.inbox.note_tries = nothing  # type: ignore[method-assign]
        self.mailroom._finish = nothing  # type: ignore[method-assign]
        await end(*self.tasks)


@dataclass
class Scene:
    """A Telegram, a database, and as many processes as one likes. They share what the core is told."""

    fake: FakeTelegram
    client: Redis
    me: Me
    rooms: RecordingRooms = field(default_factory=RecordingRooms)
    beside: Beside = field(default_factory=Beside)
    processes: list[Process] = field(default_factory=list)
    apis: list[TelegramApi] = field(default_factory=list)

    def process(self, *, inbox: RedisInbox | None = None, **options: Any) -> Process:
        store = RedisTelegramStore(self.client, retention_s=RETENTION_S)
        api = TelegramApi(self.fake.token, store=store, pace=RedisPace(self.client), api_base=self.fake.api_base)
        self.apis.append(api)
        holder = f"process {len(self.processes)}"
        made = Process(
            self.fake,
            self.client,
            self.rooms,
            self.beside,
            self.me,
            api,
            inbox or RedisInbox(self.client),
            store,
            holder,
            **options,
        )
        self.processes.append(made)
        return made

    @property
    def received(self) -> list[InboundMessage]:
        return self.rooms.received

    def texts(self) -> list[str]:
        return [each.text for each in self.received]

    async def until(self, holds: Callable[[], object], within_s: float = 10) -> None:
        await self.fake.until(holds, within_s=within_s)

    async def settled(self, process: Process) -> None:
        """Everything that came in is dealt with."""

        async def left() -> int:
            stream = process.inbox._stream(self.me.id)
            return int(await self.client.xlen(stream))

        async with asyncio.timeout(10):
            while self.fake.updates.pending or await left():
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        for each in self.processes:
            await each.ends()
        for api in self.apis:
            await api.close()


@asynccontextmanager
async def a_scene(redis_url: str, **of_fake: Any) -> AsyncIterator[Scene]:
    client = open_client(redis_url)
    async with FakeTelegram(**of_fake) as fake:
        store = RedisTelegramStore(client, retention_s=RETENTION_S)
        api = TelegramApi(fake.token, store=store, pace=RedisPace(client), api_base=fake.api_base)
        scene = Scene(fake, client, await api.me(), apis=[api])
        try:
            yield scene
        finally:
            await scene.close()
    await client.aclose()


def says(scene: Scene, words: str) -> Callable[[], bool]:
    return partial(_was_said, scene, words)


def _was_said(scene: Scene, words: str) -> bool:
    return words in scene.texts()
