"""Room for so much at once, of which no single chat takes all."""

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
