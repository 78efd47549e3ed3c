"""What becomes of one message that may be meant for the bot.

It is looked at, completed, checked against who may, and handed to the hall; what fails on the way is kept and tried
again for as long as the process lives, since handing a message over twice is harmless.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog

from adapters.discord.catching_up import Ledger, Pending
from adapters.discord.closings import Closings
from adapters.discord.inbound import (
    Concern,
    Known,
    Payload,
    Place,
    Pointer,
    Snag,
    concern_of,
    inbound_of,
    is_edited,
    pointers_of,
    roles_of,
)
from adapters.discord.insisting import Hopeless, insist
from adapters.discord.ports import ChatFacts, DiscordStore
from adapters.discord.refs import chat_ref, message_ref, server_ref, user_ref
from bot.domain.errors import ChatClosed, ChatGone
from bot.domain.messages import InboundMessage
from bot.domain.refs import ChatRef, MessageRef, UserRef
from bot.ending import end
from bot.ports import Rooms

log = structlog.get_logger("discord")

MOST_AT_ONCE = 64
"""Messages that are handed to the hall at once."""
_DAY_S = 24 * 3600
_FACTS_LIFE_S = 3600
_MOST_REMEMBERED = 4096
_EMPTY_QUIET_S = 600
"""Who chats below a picture without calling the bot is told so now and then, not every time."""

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

EMPTY_REPLY = (
    "I can see that you replied, but not what you wrote: here, Discord shows me only what mentions me. Please leave "
    "the ping on when you reply, or mention me, or press Edit… under the picture."
)
UNSEEN_PICTURE = "I can't see that picture here. Press and hold it (or right-click), choose Apps, then Edit this image."
CHAT_DENIED = "Those who run this server have asked me to stay out of this channel. Another one may do."
PERSON_DENIED = (
    "Those who run this server chose who can use me here, and you are not among them so far. They can change that with "
    "/settings."
)
CLOSED = (
    "I saw your message, but I can't post in that channel: a permission is missing, or it is locked. Somebody who runs "
    "the server can let me send messages there."
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A chat as the gateway knows it. `around` is its own id and those that it lies in: a thread's channel, its
    category; `with_settings` those of them that can have settings of their own, the chat itself first."""

    around: tuple[str, ...]
    with_settings: tuple[str, ...]
    facts: ChatFacts


class Surroundings(Protocol):
    """What the gateway knows without asking, and what it can ask."""

    def place(self, payload: Payload) -> Place: ...

    def shard(self, payload: Payload) -> int: ...

    async def spot(self, channel: str, server: str) -> Spot: ...

    async def look_up(self, pointer: Pointer, *, near: str) -> Payload | None:
        """What a message in the channel `near` points at. None where it is gone, or not for us to see."""
        ...

    async def roles(self, server: str, person: str) -> tuple[str, ...]: ...

    async def say(self, to: MessageRef, words: str) -> None:
        """A short reply beside the hall's answers. Repeating it is harmless. Raises `ChatClosed`."""
        ...

    async def tell(self, person: UserRef, words: str) -> None:
        """By a direct message. Best effort: raises nothing."""
        ...


class Door:
    """Takes payloads. `take` returns at once; what it began is ended with `close`."""

    def __init__(
        self, rooms: Rooms, store: DiscordStore, surroundings: Surroundings, *, account: str, ledger: Ledger
    ) -> None:
        self._rooms = rooms
        self._store = store
        self._world = surroundings
        self._account = account
        self._ledger = ledger
        self._closings = Closings(store)
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._noted: OrderedDict[ChatRef, tuple[ChatFacts, float]] = OrderedDict()

    def take(self, payload: Payload, *, updated: bool = False) -> None:
        """A message came, or was changed. Called for every message of every server."""
        if updated and not is_edited(payload):
            return
        if "author" not in payload or concern_of(payload, self._world.place(payload)) is Concern.NO:
            return
        once = (str(payload["id"]), str(payload.get("edited_timestamp")))
        if once in self._taken:
            return
        _remember(self._taken, once, None)
        chat = chat_ref(self._account, payload["channel_id"])
        pending = None if updated else self._ledger.begin(self._world.shard(payload), chat, int(payload["id"]))
        task = asyncio.create_task(self._deal_with(payload, chat, pending, updated=updated))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self, *, within_s: float) -> bool:
        """Wait until all that was taken is dealt with. False where that took longer."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=within_s)
        return not self._tasks

    async def close(self) -> None:
        await end(*self._tasks)

    # --- one message

    async def _deal_with(self, payload: Payload, chat: ChatRef, pending: Pending | None, *, updated: bool) -> None:
        try:
            await self._look_at(payload, chat, updated=updated)
        except Hopeless as error:
            log.error("message not understood", chat=chat.chat, error=type(error.__cause__).__name__)
        if pending is not None:
            mark = self._ledger.done(pending)
            if mark is not None:
                await self._insist(lambda: self._store.mark(chat, mark))

    async def _look_at(self, payload: Payload, chat: ChatRef, *, updated: bool) -> None:
        known = await self._insist(lambda: self._complete(payload))
        if known is None:
            return
        ref, words = message_ref(self._account, payload["channel_id"], payload["id"]), str(payload.get("content") or "")
        fresh = await self._insist(lambda: self._store.changed(ref, words))
        if fresh or not updated:
            await self._insist(lambda: self._hand_over(payload, chat, known))

    async def _insist(self, action: Callable[[], Awaitable[T]]) -> T:
        return await insist(action, what="message", room=self._room)

    async def _complete(self, payload: Payload) -> Known | None:
        """The messages that this one points at. None where it turns out not to be for us."""
        place = self._world.place(payload)
        known: dict[str, Payload | None] = {}
        while concern_of(payload, place, known) is not Concern.NO:
            pointers = _understood(lambda: pointers_of(payload, known))
            if not pointers:
                return known
            for each in pointers:
                known[each.message] = await self._world.look_up(each, near=str(payload["channel_id"]))
        return None

    async def _hand_over(self, payload: Payload, chat: ChatRef, known: Known) -> None:
        spot = await self._world.spot(chat.chat, str(payload.get("guild_id") or ""))
        denied = await self._denied(payload, spot)
        if denied:
            await self._say_once(payload, chat, denied, what="denied", life_s=_DAY_S)
            return
        await self._note_chat(chat, spot.facts, message=int(payload["id"]))
        match _understood(lambda: inbound_of(payload, self._world.place(payload), known)):
            case Snag.EMPTY_REPLY:
                await self._say_once(payload, chat, EMPTY_REPLY, what="empty", life_s=_EMPTY_QUIET_S)
            case Snag.UNSEEN_PICTURE:
                await self._say(payload, chat, UNSEEN_PICTURE)
            case InboundMessage() as message:
                await self._receive(message)

    async def _receive(self, message: InboundMessage) -> None:
        try:
            await self._rooms.receive(message)
        except ChatClosed as error:
            log.info("chat closed", chat=message.ref.chat.chat, code=error.code)
            if message.server is not None and not isinstance(error, ChatGone):
                await self._tell_closed(message.ref.chat, message.author)

    # --- who may

    async def _denied(self, payload: Payload, spot: Spot) -> str:
        """Why this person or this chat is not served; empty where it is."""
        server_id, person = str(payload.get("guild_id") or ""), str(payload["author"]["id"])
        if not server_id:
            return ""
        server = server_ref(self._account, server_id)
        settings = [await self._rooms.settings(chat_ref(self._account, each), server) for each in spot.with_settings]
        lists = [settings[0][1].access, *(chat.access for chat, _ in settings)]
        if not lists[0].admits_chat(*spot.around):
            return CHAT_DENIED
        roles = roles_of(payload)
        if roles is None:
            asks = any(each.allowed_roles or each.denied_roles for each in lists)
            roles = await self._world.roles(server_id, person) if asks else ()
        return "" if all(each.admits_person(person, roles) for each in lists) else PERSON_DENIED

    # --- what the gateway says itself

    async def _say_once(self, payload: Payload, chat: ChatRef, words: str, *, what: str, life_s: int) -> None:
        if await self._store.once(f"{what}:{chat.key}:{payload['author']['id']}", life_s=life_s):
            await self._say(payload, chat, words)

    async def _say(self, payload: Payload, chat: ChatRef, words: str) -> None:
        ref = message_ref(self._account, chat.chat, payload["id"])
        try:
            await self._closings.through(chat, lambda: self._world.say(ref, words))
        except ChatGone:
            log.info("chat gone", chat=chat.chat)
        except ChatClosed as error:
            log.info("chat closed", chat=chat.chat, code=error.code)
            await self._tell_closed(chat, user_ref(payload["author"]["id"]))

    async def _tell_closed(self, chat: ChatRef, person: UserRef) -> None:
        """Where nothing can be said in the chat itself: once a day."""
        if await self._store.once(f"closed:{chat.key}:{person.user}", life_s=_DAY_S):
            await self._world.tell(person, CLOSED)

    async def _note_chat(self, chat: ChatRef, facts: ChatFacts, *, message: int) -> None:
        """Once an hour and whenever it changed. Before the first message of a chat is handed over, so that it is found
        again should the process die over it."""
        noted, at = self._noted.get(chat, (None, 0.0))
        now = time.monotonic()
        if noted is None:
            await self._store.know(chat, message - 1)
        if noted != facts or now - at > _FACTS_LIFE_S:
            await self._store.note_chat(chat, facts)
            _remember(self._noted, chat, (facts, now))


def _understood(read: Callable[[], T]) -> T:
    """A payload that is not as Discord's are stays so: nothing is to wait for it."""
    try:
        return read()
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Hopeless from error


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    """The last few."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _MOST_REMEMBERED:
        memory.popitem(last=False)
