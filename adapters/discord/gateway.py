"""Discord's door in: one connection per shard, kept up for as long as the process lives.

The library reconnects by itself where it can. Where it gives up, a new client is made, at growing distances: an account
may begin only a thousand sessions a day (Discord's documentation, 2026-11).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any

import aiohttp
import discord
import structlog

from adapters.discord.api import DiscordApi
from adapters.discord.catching_up import CatchingUp, Ledger
from adapters.discord.door import Door
from adapters.discord.inbound import Payload
from adapters.discord.lean import Doorbell, LeanClient
from adapters.discord.ports import DiscordStore
from adapters.discord.refs import chat_ref
from adapters.discord.shards import Shards
from adapters.discord.surroundings import DiscordSurroundings
from bot.ending import end
from bot.ports import Rooms

__all__ = ["ContentIntent", "DiscordGateway", "Doorbell"]

log = structlog.get_logger("discord")

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 300.0
_LONGEST_UNHEARD_S = 30.0
"""Where no session was begun: that can be tried as often as one likes."""
_LEAVE_S = 5.0
"""How long messages that are being handed over may take at the end. What is not done by then is caught up with."""
_REFUSED = 4004
"""Close code of the gateway."""


class ContentIntent(StrEnum):
    """Whether Discord shows the bot what people write without calling it."""

    UNKNOWN = "unknown"
    GRANTED = "granted"
    MISSING = "missing"
    """It is off on the page “Bot” of the application."""
    REFUSED = "refused"
    """The application says that it is on, and the gateway says that it is not."""


def content_intent_of(flags: discord.ApplicationFlags) -> ContentIntent:
    """What an application says of itself."""
    on = flags.gateway_message_content or flags.gateway_message_content_limited
    return ContentIntent.GRANTED if on else ContentIntent.MISSING


class DiscordGateway:
    """Hears all servers of one bot account. `run` lives until it is cancelled.

    `intent` and `refused` (the token is not taken) are known once it has begun."""

    def __init__(
        self,
        rooms: Rooms,
        store: DiscordStore,
        api: DiscordApi,
        *,
        token: str,
        account: str,
        interactions: Doorbell,
        shards: Shards | None = None,
    ) -> None:
        """`shards` are those that this process shares with others; without, it hears all."""
        self._shares = shards
        self.intent = ContentIntent.UNKNOWN
        self.refused = False
        self._token = token
        self._account = account
        self._store = store
        self._interactions = interactions
        self._surroundings = DiscordSurroundings(api, account=account)
        self._ledger = Ledger()
        self._door = Door(
            rooms, store, self._surroundings, account=account, ledger=self._ledger, missed=self._read_later
        )
        self._past = CatchingUp(
            store, self._surroundings, self._door.take, account=account, ledger=self._ledger, room=self._door.room
        )
        self._reading: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False
        self._sessions = 0
        self._wait_s = _FIRST_WAIT_S
        self._shards: dict[int, bool] = {}

    @property
    def trouble(self) -> str:
        """Why nothing is heard now, for the operator; empty where all is."""
        if self.refused:
            return "Discord refuses DISCORD_TOKEN"
        ours = self._shards.keys() if self._shares is None else self._shares.held
        if ours is not None and not ours and self._shares is not None:
            return ""  # the others hear all
        deaf = [str(shard) for shard in sorted(ours or ()) if not self._shards.get(shard)]
        if len(ours or ()) > 1 and deaf:
            return f"not connected: shard {', '.join(deaf)}"
        return "not connected" if deaf or not ours else ""

    async def run(self) -> None:
        self._begin(self._past.keep_noting())
        try:
            while not self.refused:
                await self._live()
                await asyncio.sleep(self._wait_s)
                self._wait_s = min(self._wait_s * 2, _LONGEST_WAIT_S if self._sessions else _LONGEST_UNHEARD_S)
            # The page and the other platforms go on without Discord.
            await asyncio.Event().wait()
        finally:
            await _in_full(self._leave())

    async def _leave(self) -> None:
        self._ended = True
        await asyncio.gather(end(*self._tasks), self._interactions.close(), self._door.idle(within_s=_LEAVE_S))
        await self._door.close()

    async def _live(self) -> None:
        """One client, from signing in to whatever ends it."""
        self._sessions = 0
        try:
            if self.intent is ContentIntent.UNKNOWN:
                self.intent = await self._ask_intent()
                log.info("message content", intent=self.intent.value)
            await self._connect()
        except discord.PrivilegedIntentsRequired:
            self.intent = ContentIntent.REFUSED
            self._wait_s = _FIRST_WAIT_S
            log.warning("Discord does not give the message content intent: going on without it")
        except discord.LoginFailure:
            self._refuse()
        except discord.ConnectionClosed as error:
            if error.code == _REFUSED:
                self._refuse()
            else:
                log.warning("connection closed", code=error.code, again_in_s=self._wait_s)
        except Exception as error:
            log.warning("not connected", error=type(error).__name__, again_in_s=self._wait_s)

    async def _connect(self) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
        intents.message_content = self._surroundings.reads_content = self.intent is ContentIntent.GRANTED
        client = LeanClient(
            intents=intents, take=self._take, listener=self, doorbell=self._interactions, shards=self._shares
        )
        self._surroundings.client = client
        try:
            await client.start(self._token)
        except asyncio.CancelledError:
            # While the connection stands by which people are answered, and what is known by it.
            await _in_full(self._leave())
            raise
        finally:
            self._past.lost_all()
            self._shards.clear()
            self._surroundings.client = None
            await _close(client)
            if self._shares is not None:
                await self._shares.go()

    async def _ask_intent(self) -> ContentIntent:
        client = discord.Client(intents=discord.Intents(guilds=True))
        try:
            await client.login(self._token)
            return content_intent_of(client.application_flags)
        finally:
            await _close(client)

    def _refuse(self) -> None:
        self.refused = True
        log.error("Discord refused DISCORD_TOKEN. Make a new one on the page “Bot” of your Discord application.")

    def _take(self, payload: Payload, updated: bool) -> None:
        self._door.take(payload, updated=updated)

    # --- the connection (adapters.discord.lean.Listener)

    def began(self, shard: int) -> None:
        self._sessions += 1
        self._shards[shard] = False
        self._past.begin(shard)

    def ready(self, shard: int) -> None:
        self._wait_s = _FIRST_WAIT_S
        self._shards[shard] = True
        self._start_reading(shard)

    def _start_reading(self, shard: int) -> None:
        reading = self._begin(self._read(shard, self._reading.get(shard)))
        if reading is not None:
            self._reading[shard] = reading

    def resumed(self, shard: int) -> None:
        self._shards[shard] = True
        self._past.connected(shard)

    def lost(self, shard: int) -> None:
        if shard in self._shards:
            self._shards[shard] = False
        self._past.lost(shard)

    def left(self, shard: int) -> None:
        self._shards.pop(shard, None)
        self._past.lost(shard)
        if reading := self._reading.pop(shard, None):
            reading.cancel()

    def changed(self, server: int, channel: int | None) -> None:
        self._begin(self._open(server, channel))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        if self._ended:
            work.close()
            return None
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _read(self, shard: int, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await end(before)
        await self._past.read(shard)
        await self._past.note()

    def _read_later(self, shard: int) -> None:
        """More came at once than is kept: what was left is read once there is room again."""
        self._past.missed(shard)
        self._begin(self._read_what_was_left(shard))

    async def _read_what_was_left(self, shard: int) -> None:
        await self._door.room()
        await self._door.know_left(shard)
        self._start_reading(shard)

    async def _open(self, server: int, channel: int | None) -> None:
        """What was closed there may be tried again. Where this fails, closed chats open by themselves after a while."""
        try:
            known = self._surroundings.chats_in(server, channel)
            if channel is None:
                used = await self._store.marks(self._account)
                chats = [chat for chat in used if chat.chat in known]
            else:
                chats = [chat_ref(self._account, each) for each in known]
            for chat in chats:
                await self._store.open_chat(chat)
        except Exception as error:
            log.warning("chats not opened", error=type(error).__name__)


async def _in_full(work: Coroutine[Any, Any, None]) -> None:
    """However often this is cancelled meanwhile: it takes a few seconds at most."""
    task = asyncio.create_task(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    task.result()


async def _close(client: discord.Client) -> None:
    try:
        async with asyncio.timeout(_LEAVE_S):
            await client.close()
    except (OSError, TimeoutError, aiohttp.ClientError) as error:
        log.info("connection not closed in time", error=type(error).__name__)
