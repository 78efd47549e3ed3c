"""What was stored is dealt with: by whichever process comes first, each update by itself.

An update belongs to the process that took it for as long as that shows life; what it left behind is taken up by
another. One that cannot be read, or at which processes keep dying, is set aside, and the next goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar, cast

import structlog
from telegram import Update

from adapters.telegram.errors import Rejected, TokenRefused
from adapters.telegram.once import FIRST
from adapters.telegram.ports import Inbox, Json, Stored
from adapters.telegram.refs import chat_ref
from bot.ending import end, is_ending
from bot.insisting import MOST_BUGS, Hopeless, insist
from bot.places import OneByOne, Places

log = structlog.get_logger("telegram")

T = TypeVar("T")

MOST_AT_ONCE: Final = 600
"""Updates that are handed on at once. Most of them only wait until Telegram lets them write in their chat, which costs
some ten kilobytes each. A hundred chats may do so with all of their places and leave every other as it is: that many at
full pace (20 messages a minute in a group) are more than Telegram takes of one bot anyway (30 a second)."""
MOST_OF_A_CHAT: Final = 6
"""Of those. Where Telegram lets one chat wait, the others do not."""
AT_A_TIME: Final = 64
"""Updates that are asked of the store at a time."""
MOST_KEPT: Final = 5000
"""Updates that one process has taken, a few kilobytes each. The rest stays in the store, for it or for another."""
MOST_TRIES: Final = 5
"""Processes that may die while they are at one update."""
ALONE_S: Final = 10.0
"""So long, one at which a process died is by itself among those: several may have been at work when it died, and one of
them was why. What kills a process does so sooner than that; longer, and one that waits for its place in Telegram's
lanes would hold up the others."""
IDLE_S: Final = 30.0
"""So long without a sign of life, and others take over."""
LOOK_EVERY_S: Final = 2.0
"""How often one looks for what others stored, or left behind."""
LEAVE_S: Final = 1.5
"""How long what was begun may take at the end: less than `bot.ending.end` waits before it asks again. The rest is
taken up by others, or by the next process."""
_STORE_WAIT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """One update, read. `raw` is the same as Telegram sent it."""

    update: Update
    raw: Json


class Mailroom:
    """Takes what is stored and hands it on. `deal_with` may be called with the same update more than once; it is called
    again, at growing distances, for as long as it fails. It raises `Hopeless` for what cannot be understood."""

    def __init__(
        self,
        inbox: Inbox,
        deal_with: Callable[[Arrived], Awaitable[None]],
        *,
        account: str,
        holder: str,
        idle_s: float = IDLE_S,
    ) -> None:
        self._inbox = inbox
        self._deal_with = deal_with
        self._account = account
        self._holder = holder
        self._idle_s = idle_s
        self._look_every_s = min(LOOK_EVERY_S, idle_s / 3)
        self._places = Places(MOST_AT_ONCE, of_a_chat=MOST_OF_A_CHAT)
        self._places_in_haste = Places(MOST_AT_ONCE, of_a_chat=MOST_OF_A_CHAT)
        self._one_by_one = OneByOne(ALONE_S)
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._noted: set[str] = set()
        """Entries whose first try was noted when they were taken."""
        self._runs = False
        self._something = asyncio.Event()
        self._looked_back_at = float("-inf")

    def arrived(self) -> None:
        """Something was stored just now."""
        self._something.set()

    async def take_in(self, updates: Sequence[tuple[int, bytes]]) -> None:
        """Stores these, and takes what there is room for, in one trip. Raises what the store raises."""
        room = min(MOST_KEPT - len(self._at_work), AT_A_TIME) if self._runs and not is_ending() else 0
        taken = await self._inbox.take_through(self._account, updates, holder=self._holder, most=room)
        if self._runs:  # otherwise others take over what was taken
            self._begin(taken, noted=True)
        if len(taken) >= room:
            self._something.set()

    async def run(self) -> None:
        """Lives until it is cancelled; then what was begun is given some seconds."""
        living = asyncio.create_task(self._keep_showing_life())
        self._runs = True
        try:
            while not is_ending():
                self._something.clear()
                await self._take_all()
                if is_ending():
                    break
                try:
                    async with asyncio.timeout(self._look_every_s):
                        await self._something.wait()
                except TimeoutError:
                    pass
        finally:
            self._runs = False
            try:
                await self._finish()
            finally:
                await end(living, *self._at_work.values())

    async def _finish(self) -> None:
        if self._at_work:
            await asyncio.wait(set(self._at_work.values()), timeout=LEAVE_S)

    # --- taking

    async def _take_all(self) -> None:
        """Until nothing is left or there is no room for more."""
        try:
            while (room := MOST_KEPT - len(self._at_work)) > 0 and not is_ending():
                most = min(room, AT_A_TIME)
                taken = await self._inbox.next(self._account, holder=self._holder, most=most, begins=True)
                self._begin(taken, noted=True)
                if len(taken) < most:
                    break
            if not is_ending():
                await self._look_back()
        except Exception as error:
            log.warning("what was stored cannot be read now", error=type(error).__name__)
            await asyncio.sleep(_STORE_WAIT_S)

    async def _look_back(self) -> None:
        now = time.monotonic()
        room = MOST_KEPT - len(self._at_work)
        if room <= 0 or now - self._looked_back_at < self._look_every_s:
            return
        # What this process has, it has not left behind, even where it could not show that for a while.
        await self._inbox.still_at(self._account, list(self._at_work), holder=self._holder)
        found = await self._inbox.left_behind(
            self._account, holder=self._holder, idle_s=self._idle_s, most=min(room, AT_A_TIME)
        )
        self._begin(found)
        if found:
            self._something.set()
        else:
            self._looked_back_at = now

    def _begin(self, taken: Sequence[Stored], *, noted: bool = False) -> None:
        for stored in taken:
            if stored.entry not in self._at_work:
                if noted:
                    self._noted.add(stored.entry)
                task = asyncio.create_task(self._work_on(stored))
                self._at_work[stored.entry] = task
                task.add_done_callback(partial(self._done, stored.entry))

    def _done(self, entry: str, _: asyncio.Task[None]) -> None:
        if len(self._at_work) >= MOST_KEPT:
            self._something.set()
        self._noted.discard(entry)
        del self._at_work[entry]

    async def _keep_showing_life(self) -> None:
        while not is_ending():
            await asyncio.sleep(self._idle_s / 3)
            if not self._at_work:
                continue
            try:
                await self._inbox.still_at(self._account, list(self._at_work), holder=self._holder)
            except Exception as error:
                log.warning("cannot show life", error=type(error).__name__)

    # --- one update

    async def _work_on(self, stored: Stored) -> None:
        if stored.tries >= MOST_TRIES:
            await self._set_aside(stored, "ProcessesDied")
            return
        try:
            await insist(
                lambda: self._hand_on(stored),
                what="update",
                hopeless=(Rejected,),
                much_later=(TokenRefused,),
                bugs=MOST_BUGS,
                room=partial(self._room, stored, *whereabouts(stored.raw)),
            )
        except Hopeless as error:
            await self._set_aside(stored, type(error.__cause__ or error).__name__)
            return
        await insist(lambda: self._inbox.dealt_with(self._account, stored.entry), what="end of an update")

    async def _set_aside(self, stored: Stored, why: str) -> None:
        log.error("update set aside", update=stored.update_id, error=why)
        await insist(lambda: self._inbox.set_aside(self._account, stored, why), what="update to be set aside")

    @contextlib.asynccontextmanager
    async def _room(self, stored: Stored, chat: int, in_haste: bool) -> AsyncGenerator[None]:
        places, place = self._places_in_haste if in_haste else self._places, chat_ref(self._account, chat)
        if stored.entry in self._noted and not places.has(place):
            # Nobody is at what waits: whatever ends this process meanwhile, it is not to blame.
            self._noted.discard(stored.entry)
            await self._inbox.note_tries(self._account, stored.entry, stored.tries)
        async with contextlib.AsyncExitStack() as stack:
            if stored.tries:
                await stack.enter_async_context(self._one_by_one.turn())
            await stack.enter_async_context(places.of(place))
            yield

    async def _hand_on(self, stored: Stored) -> None:
        """While it lasts it counts as a try, and no longer: one that fails or is broken off kills nobody."""
        if first := stored.entry in self._noted:
            self._noted.discard(stored.entry)
        else:
            await self._inbox.note_tries(self._account, stored.entry, stored.tries + 1)
        before = FIRST.set(first)
        try:
            await self._deal_with(_readable(stored.raw))
        except BaseException:
            with contextlib.suppress(Exception):
                await self._inbox.note_tries(self._account, stored.entry, stored.tries)
            raise
        finally:
            FIRST.reset(before)


def _readable(raw: bytes) -> Arrived:
    """Read late, since what waits for its place should weigh little. Raises `Hopeless`."""
    try:
        return read(raw)
    except Exception as error:
        raise Hopeless from error


def understood(reading: Callable[[], T]) -> T:
    """What is not as Telegram's messages are stays so: nothing is to wait for it. Raises `Hopeless`."""
    try:
        return reading()
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError) as error:
        raise Hopeless from error


def whereabouts(raw: bytes) -> tuple[int, bool]:
    """The chat of an update (0 where there is none to be seen), and whether it should not wait for the answers that
    others wait for there: what is no message does not, a pressed key above all."""
    try:
        found: Any = json.loads(raw)
        for kind in ("message", "edited_message"):
            if kind in found:
                return int(found[kind]["chat"]["id"]), False
        if "callback_query" in found:
            return int(found["callback_query"]["message"]["chat"]["id"]), True
        if "inline_query" in found:
            return int(found["inline_query"]["from"]["id"]), True
        return int(found["my_chat_member"]["chat"]["id"]), True
    except Exception:  # whatever it is, it will be found out when it is read
        return 0, True


def read(raw: bytes) -> Arrived:
    """Raises whatever there is to be raised: what others wrote may be anything."""
    found: Any = json.loads(raw)
    if not isinstance(found, dict):
        raise TypeError("not an update")
    whole = cast("dict[str, Any]", found)
    return Arrived(Update.de_json(whole, None), whole)
