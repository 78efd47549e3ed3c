"""Telegram is asked for what is new: by one process of an account, while the others stand by.

What was given is stored before the next question acknowledges it. Whatever goes wrong on the way, Telegram gives it
once more, for 24 hours (its own server's source, 2026-11).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from adapters.telegram.errors import Conflict, TokenRefused
from adapters.telegram.ports import Inbox, Json, Telegram, TelegramStore
from bot.ending import end, is_ending

log = structlog.get_logger("telegram")

LIFE_S: Final = 10.0
"""How long a lead holds without being renewed: then another process takes over."""
STAND_BY_S: Final = 2.0
LONG_POLL_S: Final = 30
"""How long Telegram waits for something new before it answers that there is nothing (50 at most)."""
PATIENCE_S: Final = 10.0
"""Beyond that, a question is taken for lost."""
UNHEARD_S: Final = 120.0
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
_LEAST_BETWEEN_S: Final = 0.2
"""Between questions to a server that answers at once that there is nothing, or nothing that has a number."""

CONFLICT: Final = "conflict"
"""The name under which it is noted since when (seconds since the epoch) another program asks; empty for none."""
CONFLICT_WORDS: Final = (
    "another program asks for this bot's messages, and Telegram gives them to one alone; stop it, or give this one a "
    "token of its own"
)
UNHEARD_WORDS: Final = "Telegram has said nothing for two minutes; it is asked again and again"
REFUSED_WORDS: Final = "Telegram refuses TELEGRAM_TOKEN. @BotFather shows it, or makes a new one"


class Polling:
    """`run` lives until it is cancelled. `take_in` stores what was given: when it comes back, that is safe."""

    def __init__(
        self,
        telegram: Telegram,
        inbox: Inbox,
        store: TelegramStore,
        take_in: Callable[[Sequence[tuple[int, bytes]]], Awaitable[None]],
        *,
        account: str,
        holder: str,
        life_s: float = LIFE_S,
        long_poll_s: int = LONG_POLL_S,
        patience_s: float = PATIENCE_S,
        unheard_s: float = UNHEARD_S,
    ) -> None:
        self._telegram = telegram
        self._inbox = inbox
        self._store = store
        self._take_in = take_in
        self._account = account
        self._holder = holder
        self._life_s = life_s
        self._long_poll_s = long_poll_s
        self._patience_s = patience_s
        self._unheard_s = unheard_s
        self._led_at = float("-inf")
        self._heard_at = 0.0
        self._said_unheard = False
        self._in_conflict: bool | None = None
        self._is_refused = False

    @property
    def trouble(self) -> str:
        """Why nothing is heard now, for the operator; empty where all is, or another process hears it."""
        if self._is_refused:
            return "Telegram refuses TELEGRAM_TOKEN"
        if self._in_conflict:
            return "another program asks for this bot's messages"
        leads = self._led_at > float("-inf")
        if leads and self._in_conflict is None:
            return "Telegram has not answered yet"
        return "Telegram says nothing" if leads and self._said_unheard else ""

    async def run(self) -> None:
        try:
            while not is_ending():
                if await self._leads() and not is_ending():
                    await self._ask_while_leading()
                if is_ending():
                    break
                await asyncio.sleep(min(STAND_BY_S, self._life_s / 4))
        finally:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1):
                    await self._inbox.step_down(self._account, holder=self._holder)

    # --- the lead

    async def _leads(self) -> bool:
        """While the store does not answer, a lead holds for as long as nobody else can have got it."""
        try:
            async with asyncio.timeout(self._life_s / 2):
                if await self._inbox.lead(self._account, holder=self._holder, life_s=self._life_s):
                    self._led_at = time.monotonic()
                    return True
                self._led_at = float("-inf")
        except Exception as error:
            log.warning("cannot see who asks Telegram", error=type(error).__name__)
        return time.monotonic() - self._led_at < self._life_s / 2

    async def _ask_while_leading(self) -> None:
        log.info("asking Telegram for messages")
        self._heard_at, self._said_unheard = time.monotonic(), False
        asking = asyncio.create_task(self._ask_on())
        try:
            while not asking.done() and await self._leads() and not is_ending():
                await asyncio.wait([asking], timeout=self._life_s / 4)
                self._watch()
        finally:
            await end(asking)
        log.info("asking Telegram no more")

    def _watch(self) -> None:
        if not self._said_unheard and time.monotonic() - self._heard_at > self._unheard_s:
            self._said_unheard = True
            log.warning(UNHEARD_WORDS)

    # --- asking

    async def _ask_on(self) -> None:
        """Until it is cancelled. Without an offset once nothing was left: after a week of silence the numbers of
        updates begin somewhere else."""
        offset: int | None = None
        is_ours = False
        wait_s = FIRST_WAIT_S
        while not is_ending():
            try:
                if not is_ours:
                    await self._telegram.call("deleteWebhook", {"drop_pending_updates": False})
                    is_ours = True
                offset = await self._ask(offset)
                await self._all_is_well()
                wait_s = FIRST_WAIT_S
                continue
            except Conflict:
                await self._note_conflict()
            except TokenRefused:
                self._note_refused()
            except Exception as error:
                log.warning("not asked", error=type(error).__name__, again_in_s=wait_s)
            if is_ending():
                break
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _ask(self, offset: int | None) -> int | None:
        """One question. Gives the offset of the next one: by then all that was given is stored."""
        began_at = time.monotonic()
        async with asyncio.timeout(self._long_poll_s + self._patience_s):
            given = await self._telegram.updates(offset=offset, wait_s=self._long_poll_s)
        self._heard()
        numbered = [(number, each) for each in given if (number := _number_of(each)) is not None]
        if not numbered:
            await asyncio.sleep(max(0.0, _LEAST_BETWEEN_S - (time.monotonic() - began_at)))
            return None
        await self._store_all(numbered)
        return numbered[-1][0] + 1

    async def _store_all(self, given: Sequence[tuple[int, Json]]) -> None:
        """As long as it cannot be stored, it is not acknowledged: nobody is asked anything meanwhile."""
        updates = [(number, json.dumps(each).encode()) for number, each in given]
        wait_s = FIRST_WAIT_S
        while not is_ending():
            try:
                await self._take_in(updates)
                return
            except Exception as error:
                log.warning("messages not stored", error=type(error).__name__, again_in_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    # --- how it goes

    def _heard(self) -> None:
        self._heard_at = time.monotonic()
        if self._said_unheard:
            self._said_unheard = False
            log.info("Telegram answers again")

    async def _all_is_well(self) -> None:
        """What an earlier process noted may stand no more, either."""
        self._is_refused = False
        if self._in_conflict is False:
            return
        if self._in_conflict:
            log.info("nobody else asks for this bot's messages any more")
        with contextlib.suppress(Exception):
            await self._store.note(CONFLICT, "")
            self._in_conflict = False

    async def _note_conflict(self) -> None:
        self._heard()
        if self._in_conflict:
            return
        self._in_conflict = True
        log.error(CONFLICT_WORDS)
        with contextlib.suppress(Exception):
            await self._store.note(CONFLICT, str(int(time.time())))

    def _note_refused(self) -> None:
        if not self._is_refused:
            self._is_refused = True
            log.error(REFUSED_WORDS)


def _number_of(update: Json) -> int | None:
    number = update.get("update_id")
    return number if isinstance(number, int) else None
