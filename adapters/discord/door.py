"""What becomes of one message that may be meant for the bot.

It is looked at, completed, checked against who may, and handed to the hall; what fails on the way is kept and tried
again for as long as the process lives, since handing a message over twice is harmless.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

import structlog

from adapters.discord.api import Rejected, TokenRefused, TooLarge
from adapters.discord.catching_up import Ledger, Pending
from adapters.discord.closings import Closings
from adapters.discord.commands import EDIT_THIS
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
    version_of,
)
from adapters.discord.ports import ChatFacts, DiscordStore
from adapters.discord.refs import chat_ref, message_ref, server_ref, user_ref
from adapters.discord.render import EDIT
from bot.domain.commands import is_of_ones_own
from bot.domain.errors import ChatClosed, ChatGone
from bot.domain.language import N_, speaking, tr
from bot.domain.messages import InboundMessage
from bot.domain.refs import ChatRef, MessageRef, UserRef
from bot.ending import end
from bot.insisting import MOST_BUGS, Hopeless, insist
from bot.places import Places
from bot.ports import Rooms
from bot.recent import Recent

log = structlog.get_logger("discord")

MOST_AT_ONCE = 64
"""Messages that are handed to the hall at once."""
MOST_OF_A_CHAT = 6
"""Of those. Where Discord lets one chat wait, the others do not."""
MOST_KEPT = 2000
"""Messages that are dealt with or wait for it. What comes beyond is left in its chat's history, to be read later."""
MOST_OF_HISTORY = 1000
"""Of those, where they come out of history."""
_DAY_S = 24 * 3600
_FACTS_LIFE_S = 3600
_EMPTY_QUIET_S = 600
"""Who chats below a picture without calling the bot is told so now and then, not every time."""

T = TypeVar("T")

EMPTY_REPLY = N_(
    "I can see that you replied, but not what you wrote: here, Discord shows me only what mentions me. Please leave "
    "the ping on when you reply, or mention me, or press {edit} under the picture."
)
# TRANSLATORS: "Apps" is a part of Discord's own menu of a message, called as Discord calls it in that language
UNSEEN_PICTURE = N_(
    "I can't see that picture here. Press and hold it (or right-click), choose Apps, then {edit_this_image}."
)
CHAT_DENIED = N_("Those who run this server have asked me to stay out of this channel. Another one may do.")
PERSON_DENIED = N_(
    "Those who run this server chose who can use me here, and you are not among them so far. They can change that with "
    "/settings."
)
CLOSED = N_(
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

    async def spot(self, channel: str, server: str) -> Spot:
        """Raises `ChatClosed` where it is not for us to know."""
        ...

    async def look_up(self, pointer: Pointer, *, near: str) -> Payload | None:
        """What a message in the channel `near` points at. None where it is gone, or not for us to see."""
        ...

    async def roles(self, server: str, person: str) -> tuple[str, ...]:
        """Raises `ChatClosed` where that person is no member any more."""
        ...

    async def say(self, to: MessageRef, words: str) -> None:
        """A short reply beside the hall's answers. Repeating it is harmless. Raises `ChatClosed`."""
        ...

    async def tell(self, person: UserRef, words: str) -> None:
        """By a direct message. Best effort: raises nothing."""
        ...


class Door:
    """Takes payloads. `take` returns at once; what it began is ended with `close`. `missed` is called with a shard of
    which a message had to be left in history: `room` and `know_left` come first, and then that is to be read."""

    def __init__(
        self,
        rooms: Rooms,
        store: DiscordStore,
        surroundings: Surroundings,
        *,
        account: str,
        ledger: Ledger,
        missed: Callable[[int], None],
    ) -> None:
        self._rooms = rooms
        self._store = store
        self._world = surroundings
        self._account = account
        self._ledger = ledger
        self._closings = Closings(store)
        self._missed = missed
        self._places = Places(MOST_AT_ONCE, of_a_chat=MOST_OF_A_CHAT)
        self._left: dict[int, dict[ChatRef, int]] = {}
        self._room = asyncio.Event()
        self._room.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken: Recent[tuple[str, str], None] = Recent()
        self._noted: Recent[ChatRef, tuple[ChatFacts, float]] = Recent()
        self._saying: set[str] = set()
        self._closed = False

    def take(self, payload: Payload, *, updated: bool = False) -> None:
        """A message came, or was changed. Called for every message of every server."""
        if self._closed or (updated and not is_edited(payload)):
            return
        place = self._world.place(payload)
        if "author" not in payload or concern_of(payload, place) is Concern.NO:
            return
        once = (str(payload["id"]), str(payload.get("edited_timestamp")))
        if once in self._taken:
            return
        shard, chat, message = self._world.shard(payload), chat_ref(self._account, payload["channel_id"]), int(once[0])
        if len(self._tasks) >= MOST_KEPT:
            self._leave(shard, chat, message)
            return
        self._taken[once] = None
        pending = None if updated else self._ledger.begin(shard, chat, message)
        task = asyncio.create_task(self._deal_with(payload, chat, place, pending, updated=updated))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        if len(self._tasks) >= MOST_OF_HISTORY:
            self._room.clear()

    async def room(self) -> None:
        """Returns once there is room for messages out of history."""
        await self._room.wait()

    async def know_left(self, shard: int) -> None:
        """Note the chats of which messages were left in history, so that it is read."""
        for chat, message in self._left.pop(shard, {}).items():
            await insist(partial(self._store.know, chat, message - 1), what="chat")

    def _leave(self, shard: int, chat: ChatRef, message: int) -> None:
        if shard not in self._left:
            log.warning("too many messages at once: the rest is read later", shard=shard)
            self._left[shard] = {}
            self._missed(shard)
        left = self._left[shard]
        left[chat] = min(message, left.get(chat, message))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if len(self._tasks) < MOST_OF_HISTORY:
            self._room.set()

    async def idle(self, *, within_s: float) -> bool:
        """Wait until all that was taken is dealt with. False where that took longer."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=within_s)
        return not self._tasks

    async def close(self) -> None:
        self._closed = True
        await end(*self._tasks)

    # --- one message

    async def _deal_with(
        self, payload: Payload, chat: ChatRef, place: Place, pending: Pending | None, *, updated: bool
    ) -> None:
        """`place` is where it stood when it came: by the next try the connection may be gone, and what it knows."""
        try:
            await self._look_at(payload, chat, place, updated=updated)
        except Hopeless as error:
            log.error("message not understood", chat=chat.chat, error=type(error.__cause__).__name__)
        if pending is not None:
            mark = self._ledger.done(pending)
            if mark is not None:
                await insist(lambda: self._store.mark(chat, mark), what="mark")

    async def _look_at(self, payload: Payload, chat: ChatRef, place: Place, *, updated: bool) -> None:
        """An edit that leaves the words as they are is none for us, and history does not tell it from another one."""
        known = await self._insist(chat, lambda: self._complete(payload, place))
        if known is None:
            return
        ref, words = message_ref(self._account, chat.chat, payload["id"]), str(payload.get("content") or "")
        version = _understood(lambda: version_of(payload))
        since = await self._insist(chat, lambda: self._store.says_since(ref, words, version))
        if since == version or not updated:
            await self._insist(chat, lambda: self._hand_over(payload, chat, place, known, version=since))

    async def _insist(self, chat: ChatRef, action: Callable[[], Awaitable[T]]) -> T:
        return await insist(
            action,
            what="message",
            hopeless=(Rejected, TooLarge),
            much_later=(TokenRefused,),
            bugs=MOST_BUGS,
            room=partial(self._places.of, chat),
        )

    async def _complete(self, payload: Payload, place: Place) -> Known | None:
        """The messages that this one points at. None where it turns out not to be for us."""
        known: dict[str, Payload | None] = {}
        while concern_of(payload, place, known) is not Concern.NO:
            pointers = _understood(lambda: pointers_of(payload, known))
            if not pointers:
                return known
            for each in pointers:
                known[each.message] = await self._world.look_up(each, near=str(payload["channel_id"]))
        return None

    async def _hand_over(self, payload: Payload, chat: ChatRef, place: Place, known: Known, *, version: int) -> None:
        person = payload["author"]["id"]
        try:
            spot = await self._world.spot(chat.chat, str(payload.get("guild_id") or ""))
            denied = await self._kept_out(payload, chat, place, spot) or await self._denied(payload, spot)
        except ChatClosed as error:
            log.info("message of a chat that is not for us", chat=chat.chat, code=error.code)
            return
        said = _understood(lambda: inbound_of(payload, place, known))
        if denied and not _is_of_ones_own(said):
            await self._say_once(payload, chat, place, denied, what=f"denied:{chat.key}:{person}", life_s=_DAY_S)
            return
        await self._note_chat(chat, spot.facts, message=int(payload["id"]))
        match said:
            case Snag.EMPTY_REPLY:
                what = f"empty:{chat.key}:{person}"
                await self._say_once(payload, chat, place, EMPTY_REPLY, what=what, life_s=_EMPTY_QUIET_S)
            case Snag.UNSEEN_PICTURE:
                what = f"unseen:{chat.key}:{payload['id']}"
                await self._say_once(payload, chat, place, UNSEEN_PICTURE, what=what, life_s=_DAY_S)
            case InboundMessage() as message:
                around = tuple(chat_ref(self._account, each) for each in spot.with_settings[1:])
                await self._receive(replace(message, version=version, around=around))

    async def _receive(self, message: InboundMessage) -> None:
        try:
            await self._rooms.receive(message)
        except ChatClosed as error:
            log.info("chat closed", chat=message.ref.chat.chat, code=error.code)
            if message.server is not None and not isinstance(error, ChatGone):
                await self._tell_closed(message.ref.chat, message.author, message.chat_language)

    # --- who may

    async def _kept_out(self, payload: Payload, chat: ChatRef, place: Place, spot: Spot) -> str:
        """Why the installation does not let them in, in their language; empty where it does."""
        person, server_id = user_ref(payload["author"]["id"]), str(payload.get("guild_id") or "")
        server = server_ref(self._account, server_id) if server_id else None
        around = tuple(chat_ref(self._account, each) for each in spot.with_settings[1:])
        with speaking(await self._rooms.language_of(person, place.language)):
            return await self._rooms.kept_out(person, chat, server=server, around=around)

    async def _denied(self, payload: Payload, spot: Spot) -> str:
        """Why this person or this chat is not served, in English; empty where it is."""
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

    async def _say_once(
        self, payload: Payload, chat: ChatRef, place: Place, sentence: str, *, what: str, life_s: int
    ) -> None:
        """It is noted once it is said, since it may fail until then; meanwhile others leave it to this one."""
        if what in self._saying:
            return
        self._saying.add(what)
        try:
            if await self._store.was(what):
                return
            await self._say(payload, chat, place, sentence)
            await self._store.once(what, life_s=life_s)
        finally:
            self._saying.discard(what)

    async def _say(self, payload: Payload, chat: ChatRef, place: Place, sentence: str) -> None:
        ref, person = message_ref(self._account, chat.chat, payload["id"]), user_ref(payload["author"]["id"])
        words = await self._in_their_language(person, place.language, sentence)
        try:
            await self._closings.through(chat, lambda: self._world.say(ref, words))
        except ChatGone:
            log.info("chat gone", chat=chat.chat)
        except ChatClosed as error:
            log.info("chat closed", chat=chat.chat, code=error.code)
            await self._tell_closed(chat, person, place.language)

    async def _in_their_language(self, person: UserRef, of_server: str, sentence: str) -> str:
        """A message does not say what its author reads: it is what is known of them, or of the server."""
        with speaking(await self._rooms.language_of(person, of_server)):
            return tr(sentence).format(edit=tr(EDIT), edit_this_image=tr(EDIT_THIS))

    async def _tell_closed(self, chat: ChatRef, person: UserRef, of_server: str) -> None:
        """Where nothing can be said in the chat itself: once a day."""
        if await self._store.once(f"closed:{chat.key}:{person.user}", life_s=_DAY_S):
            await self._world.tell(person, await self._in_their_language(person, of_server, CLOSED))

    async def _note_chat(self, chat: ChatRef, facts: ChatFacts, *, message: int) -> None:
        """Once an hour and whenever it changed. Before the first message of a chat is handed over, so that it is found
        again should the process die over it."""
        noted, at = self._noted.get(chat, (None, 0.0))
        now = time.monotonic()
        if noted is None:
            await self._store.know(chat, message - 1)
        if noted != facts or now - at > _FACTS_LIFE_S:
            await self._store.note_chat(chat, facts)
            self._noted[chat] = (facts, now)


def _is_of_ones_own(said: InboundMessage | Snag | None) -> bool:
    """By it people decide about what is theirs, wherever they are kept out."""
    return isinstance(said, InboundMessage) and is_of_ones_own(said.text)


def _understood(read: Callable[[], T]) -> T:
    """A payload that is not as Discord's are stays so: nothing is to wait for it."""
    try:
        return read()
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Hopeless from error
