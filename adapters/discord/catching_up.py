"""Messages that came while nobody listened: the process was down, or the session was lost.

Discord keeps a broken connection's messages for a while and sends them again (resume). A new session begins with now:
what came before stands in the history of the chats. How far each chat and each connection was dealt with is noted, so
that an ordinary restart reads little; reading too much is harmless.

In a chat that nobody ever used the bot in, the first message may be lost with the process that heard it. So chats are
read, too, in which somebody wrote since a life was shown last, as far as a session tells of them (`talked.py`): a few,
and slowly, since most of them have nothing for us. A direct message that is the first of its person is in no list, and
not found.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from adapters.discord.api import Rejected, TokenRefused, Unavailable
from adapters.discord.inbound import Payload, created_at, snowflake_at
from adapters.discord.pace import Pace
from adapters.discord.ports import DiscordStore
from adapters.discord.talked import TALKED_S
from bot.domain.errors import ChatClosed
from bot.domain.refs import ChatRef
from bot.insisting import insist

log = structlog.get_logger("discord")

NOTE_EVERY_S = 10.0
MARGIN_S = 120.0
"""How far a connection may have been dead without our knowing. The library gives one up that was silent for 60 s, and
looks every heartbeat (41 s)."""
FARTHEST_BACK_S = 24 * 3600.0
MOST_MESSAGES = 1000
"""Of one chat."""
PAGE = 100
"""Most messages of one request for history (Discord's documentation, 2026-11)."""
CHATS_AT_ONCE = 4
MOST_STRANGERS = 200
"""Chats that are not known, of one shard and one reading: those in which somebody wrote last."""
STRANGER_PAGES = 3
"""Of each of those. In a chat where the bot is not used, most of it is for others."""
STRANGERS_PER_S = 10
"""Of the 45 requests that the door out and the door in share (`pace.py`)."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class Unread:
    """From where a chat is to be read. `server` where the session told of it, and nothing else is known."""

    after: int
    server: str | None = None


@dataclass(eq=False, slots=True)
class Pending:
    """A message that is being dealt with."""

    shard: int
    chat: ChatRef
    message: int


class Ledger:
    """How far the messages of each chat and shard were dealt with, without a gap.

    A mark never passes a message that is still being dealt with. While a shard is behind (the history of its chats is
    still to be read), their marks are kept back."""

    def __init__(self) -> None:
        self._pending: dict[ChatRef, set[Pending]] = {}
        self._greatest: dict[ChatRef, tuple[int, int]] = {}
        self._behind: set[int] = set()

    def begin(self, shard: int, chat: ChatRef, message: int) -> Pending:
        pending = Pending(shard, chat, message)
        self._pending.setdefault(chat, set()).add(pending)
        return pending

    def done(self, pending: Pending) -> int | None:
        """The mark that now stands for its chat; None where none may be set yet."""
        chat = pending.chat
        others = self._pending[chat]
        others.discard(pending)
        if not others:
            del self._pending[chat]
        greatest = max(pending.message, self._greatest.get(chat, (0, 0))[1])
        self._greatest[chat] = (pending.shard, greatest)
        return None if pending.shard in self._behind else self._mark(chat)

    def fall_behind(self, shard: int) -> None:
        self._behind.add(shard)

    def catch_up(self, shard: int) -> Mapping[ChatRef, int]:
        """It is behind no more: the marks that were kept back."""
        self._behind.discard(shard)
        return {chat: self._mark(chat) for chat in [chat for chat, (of, _) in self._greatest.items() if of == shard]}

    def whole_until(self, shard: int, now: float) -> float | None:
        """Until when (seconds since the epoch) all that this shard received was dealt with. None while it is behind."""
        if shard in self._behind:
            return None
        pending = (each for chat in self._pending.values() for each in chat if each.shard == shard)
        return min([now, *(created_at(each.message) for each in pending)])

    def _mark(self, chat: ChatRef) -> int:
        waiting = self._pending.get(chat)
        greatest = self._greatest[chat][1]
        if waiting:
            return min(greatest, min(each.message for each in waiting) - 1)
        del self._greatest[chat]
        return greatest


class Past(Protocol):
    """What can be asked of what was."""

    def hears(self, shard: int, server: str) -> bool:
        """Whether this shard hears a server; the empty one stands for direct messages."""
        ...

    async def server_of(self, chat: ChatRef) -> str:
        """What it belongs to, empty for a direct message. Raises `ChatClosed` where it is not for us to know."""
        ...

    def newest(self, chat: ChatRef) -> int | None:
        """The id of the last message there; None where it is not known."""
        ...

    def talked_in(self, shard: int, *, after: int) -> Sequence[tuple[ChatRef, str]]:
        """Chats of this shard, with their servers, that are for us to read and that had a message above this id when
        the session began. The newest first."""
        ...

    async def history(self, chat: ChatRef, server: str, *, after: int, limit: int) -> Sequence[Payload]:
        """Messages after this id, oldest first, as the gateway would have sent them, but for their members. Raises
        `ChatClosed` where they are not for us to read."""
        ...


class CatchingUp:
    """Reads what was missed, and notes until when nothing was. Each page of it waits until `room` returns."""

    def __init__(
        self,
        store: DiscordStore,
        past: Past,
        take: Callable[[Payload], None],
        *,
        account: str,
        ledger: Ledger,
        room: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._past = past
        self._take = take
        self._room = room
        self._account = account
        self._ledger = ledger
        self._slowly = Pace(STRANGERS_PER_S)
        self._connected: set[int] = set()
        self._began: dict[int, float] = {}
        self._sessions: Counter[int] = Counter()

    def connected(self, shard: int) -> None:
        self._connected.add(shard)

    def lost(self, shard: int) -> None:
        self._connected.discard(shard)

    def lost_all(self) -> None:
        self._connected.clear()

    def begin(self, shard: int) -> None:
        """A new session: from now on until `read` is done, nothing may be noted of this shard."""
        self.missed(shard)
        self._began[shard] = time.time()
        self._connected.add(shard)

    def missed(self, shard: int) -> None:
        """Something that came by this session was not taken in: it is to be read, and until then nothing is noted."""
        self._sessions[shard] += 1
        self._ledger.fall_behind(shard)

    async def note(self) -> None:
        """Until when all was received and dealt with. Raises nothing: what is not noted is read once more."""
        now = time.time()
        try:
            for shard in sorted(self._connected):
                at = self._ledger.whole_until(shard, now)
                if at is not None:
                    await self._store.note_alive(self._account, shard, at)
        except Exception as error:
            log.warning("alive not noted", error=type(error).__name__)

    async def keep_noting(self) -> None:
        while True:
            await self.note()
            await asyncio.sleep(NOTE_EVERY_S)

    async def read(self, shard: int) -> None:
        """Hand over what came while nobody listened. It returns when all chats were read. Where a newer session has
        begun by then, the shard stays behind: what came before that one is still to be read."""
        session = self._sessions[shard]
        alive = await insist(lambda: self._store.alive(self._account, shard), what="alive")
        marks = await insist(lambda: self._store.marks(self._account), what="marks")
        if alive is None:  # nobody ever listened; whoever comes after us is to know that somebody has begun to
            began = self._began.get(shard, time.time()) - MARGIN_S
            await insist(lambda: self._store.note_alive(self._account, shard, began), what="alive")
        earliest = time.time() - FARTHEST_BACK_S
        since = snowflake_at(earliest if alive is None else max(alive - MARGIN_S, earliest))
        unread: Mapping[ChatRef, Unread] = {chat: Unread(max(mark, since)) for chat, mark in marks.items()}
        if alive is not None:
            after = max(since, snowflake_at(time.time() - TALKED_S))
            unread = {**unread, **self._strangers(shard, after, marks)}
        chats = len(unread)
        wait_s = _FIRST_WAIT_S
        while unread := await self._round(unread, shard):
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
        if session != self._sessions[shard]:
            return
        for chat, mark in self._ledger.catch_up(shard).items():
            await insist(partial(self._store.mark, chat, mark), what="mark")
        log.info("caught up", shard=shard, chats=chats, unknown=chats - len(marks))

    def _strangers(self, shard: int, after: int, known: Collection[ChatRef]) -> Mapping[ChatRef, Unread]:
        found = [each for each in self._past.talked_in(shard, after=after) if each[0] not in known]
        if len(found) > MOST_STRANGERS:
            log.warning("more chats had messages than are read", shard=shard, left=len(found) - MOST_STRANGERS)
        return {chat: Unread(after, server) for chat, server in found[:MOST_STRANGERS]}

    async def _round(self, unread: Mapping[ChatRef, Unread], shard: int) -> Mapping[ChatRef, Unread]:
        """Gives those that could not be read, and have to be tried again, with those that failed last. They do not hold
        up the others. Where Discord does not listen it is not asked for the others either: they are left as well."""
        waiting = dict(unread)
        left: dict[ChatRef, Unread] = {}
        failed: dict[ChatRef, Unread] = {}

        async def reader() -> None:
            while waiting:
                chat = next(iter(waiting))
                which = waiting.pop(chat)
                try:
                    if which.server is None:
                        await self._read_chat(chat, which.after, shard)
                    else:
                        await self._read_stranger(chat, which.server, which.after)
                except (ChatClosed, Rejected):
                    log.info("history not for us to read", chat=chat.chat)
                except Exception as error:
                    log.warning("history not read", chat=chat.chat, error=type(error).__name__)
                    failed[chat] = which
                    if isinstance(error, (Unavailable, TokenRefused)):
                        left.update(waiting)
                        waiting.clear()

        await asyncio.gather(*(reader() for _ in range(CHATS_AT_ONCE)))
        return left | failed

    async def _read_chat(self, chat: ChatRef, after: int, shard: int) -> None:
        newest = self._past.newest(chat)
        if (newest is not None and newest <= after) or await self._store.is_closed(chat):
            return
        facts = await self._store.chat(chat)
        server = facts.server if facts is not None else await self._past.server_of(chat)
        if not self._past.hears(shard, server):
            return
        if await self._read_pages(chat, server, after, pages=MOST_MESSAGES // PAGE):
            log.warning("more was missed than is read", chat=chat.chat, read=MOST_MESSAGES)

    async def _read_stranger(self, chat: ChatRef, server: str, after: int) -> None:
        if not await self._store.is_closed(chat):
            await self._read_pages(chat, server, after, pages=STRANGER_PAGES, pace=self._slowly)

    async def _read_pages(
        self, chat: ChatRef, server: str, after: int, *, pages: int, pace: Pace | None = None
    ) -> bool:
        """Whether there is more."""
        for _ in range(pages):
            await self._room()
            if pace is not None:
                await pace.turn()
            page = await self._past.history(chat, server, after=after, limit=PAGE)
            for each in page:
                self._take_in(each)
            if len(page) < PAGE:
                return False
            after = int(page[-1]["id"])
        return True

    def _take_in(self, payload: Payload) -> None:
        try:
            self._take(payload)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            log.error("message not understood", error=type(error).__name__)
