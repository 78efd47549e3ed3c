"""Room for so much at once, of which no single chat takes all; and for one at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.domain.refs import ChatRef


class Places:
    """`most` in all, `of_a_chat` in one. Who waits for their chat takes no place of the others."""

    def __init__(self, most: int, *, of_a_chat: int) -> None:
        self._all = asyncio.Semaphore(most)
        self._of_a_chat = of_a_chat
        self._chats: dict[ChatRef, asyncio.Semaphore] = {}
        self._there: Counter[ChatRef] = Counter()

    def has(self, chat: ChatRef) -> bool:
        """Whether one is to be had without waiting."""
        own = self._chats.get(chat)
        return not self._all.locked() and (own is None or not own.locked())

    @asynccontextmanager
    async def of(self, chat: ChatRef) -> AsyncGenerator[None]:
        own = self._chats.setdefault(chat, asyncio.Semaphore(self._of_a_chat))
        self._there[chat] += 1
        try:
            async with own, self._all:
                yield
        finally:
            self._there[chat] -= 1
            if not self._there[chat]:
                del self._there[chat], self._chats[chat]


class OneByOne:
    """One at a time. Beside one that stays for longer than `patience_s`, the next is let in."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        await self._lock.acquire()
        over = False

        def pass_on() -> None:
            nonlocal over
            if not over:
                over = True
                self._lock.release()

        later = asyncio.get_running_loop().call_later(self._patience_s, pass_on)
        try:
            yield
        finally:
            later.cancel()
            pass_on()
