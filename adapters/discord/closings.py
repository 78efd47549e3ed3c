"""Chats where nothing can be posted for now: one refusal, and Discord is left alone for a while. Asking again and again
would shut out the whole host."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters.discord.api import CLOSED_WORDS, Closed
from adapters.discord.ports import DiscordStore
from bot.domain.errors import ChatClosed
from bot.domain.language import tr
from bot.domain.refs import ChatRef

T = TypeVar("T")

_SEEN_OPEN_S = 5.0
"""How long a chat that was found open is not looked up again."""
_NOTED_OPEN_S = 60.0
_MOST = 4096


class Closings:
    """Every call to a chat goes through here."""

    def __init__(self, store: DiscordStore) -> None:
        self._store = store
        self._seen_open: dict[ChatRef, float] = {}
        self._noted_open: dict[ChatRef, float] = {}

    async def through(self, chat: ChatRef, call: Callable[[], Awaitable[T]]) -> T:
        """Raises `ChatClosed` without calling while the chat is closed."""
        await self._check(chat)
        try:
            result = await call()
        except Closed as closed:
            self._seen_open.pop(chat, None)
            self._noted_open.pop(chat, None)
            await self._store.close_chat(chat, closed.discord_code)
            raise
        if self._is_due(self._noted_open, chat, _NOTED_OPEN_S):
            await self._store.open_chat(chat)
        return result

    async def _check(self, chat: ChatRef) -> None:
        if not self._is_due(self._seen_open, chat, _SEEN_OPEN_S):
            return
        if await self._store.is_closed(chat):
            self._seen_open.pop(chat, None)
            raise ChatClosed(tr(CLOSED_WORDS))

    @staticmethod
    def _is_due(seen: dict[ChatRef, float], chat: ChatRef, life_s: float) -> bool:
        now = asyncio.get_running_loop().time()
        if now < seen.get(chat, 0.0):
            return False
        if len(seen) >= _MOST:
            seen.clear()
        seen[chat] = now + life_s
        return True
