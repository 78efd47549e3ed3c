"""What chats have set for themselves."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from bot.domain.chats import ChatSettings
from bot.domain.refs import ChatRef
from storage.redis.codec import SETTINGS
from storage.redis.keys import Keys


class RedisChatStore:
    """One JSON per chat that ever changed something. It lives `retention_s` from when it was used last."""

    def __init__(self, client: Redis, *, retention_s: int, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._retention_s = retention_s

    async def settings(self, chat: ChatRef) -> ChatSettings:
        text: Any = await self._client.getex(self._keys.chat(chat), ex=self._retention_s)
        return SETTINGS.load(text) if text else ChatSettings()

    async def change(self, chat: ChatRef, settings: ChatSettings) -> None:
        key = self._keys.chat(chat)
        standing: Any = await self._client.get(key)
        # Of two changes at once the last one stands: each brings all settings.
        text = SETTINGS.rewrite(standing, settings) if standing else SETTINGS.dump(settings)
        await self._client.set(key, text, ex=self._retention_s)
