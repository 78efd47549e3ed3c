"""What chats and servers have set for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from redis.asyncio import Redis

from bot.domain.chats import ChatSettings, ServerSettings, changed_from
from bot.domain.refs import ChatRef, ServerRef
from storage.redis.client import Script
from storage.redis.codec import SERVER_SETTINGS, SETTINGS, Codec
from storage.redis.keys import Keys
from storage.redis.together import Ask, ask_together

T = TypeVar("T")
S = TypeVar("S", ChatSettings, ServerSettings)
SETTINGS_LIFE_S = 400 * 24 * 3600
"""Who is let in, whose pictures may be edited: that must not lapse because nobody came by for a season."""


class RedisChatStore:
    """One JSON per chat or server that ever changed something. It lives `SETTINGS_LIFE_S` from when it was used last;
    longer where everything else does, which lives `retention_s`. Erasure leaves it: whom those who run a server let in
    or keep out is theirs to say."""

    def __init__(self, client: Redis, *, retention_s: int, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._life_s = max(retention_s, SETTINGS_LIFE_S)
        self._put = Script(client, "settings.lua")

    async def settings(self, chat: ChatRef) -> ChatSettings:
        return await self._read(self._keys.chat(chat), SETTINGS) or ChatSettings()

    async def change(
        self, chat: ChatRef, settings: ChatSettings, *, was: ChatSettings | None = None
    ) -> tuple[ChatSettings, ChatSettings]:
        return await self._write(self._keys.chat(chat), SETTINGS, ChatSettings(), settings, was)

    async def server(self, server: ServerRef) -> ServerSettings:
        return await self._read(self._keys.server(server), SERVER_SETTINGS) or ServerSettings()

    async def decided(
        self, chats: Sequence[ChatRef], server: ServerRef | None
    ) -> tuple[Sequence[ChatSettings], ServerSettings]:
        keys = [self._keys.chat(chat) for chat in chats] + ([self._keys.server(server)] if server is not None else [])
        texts = await ask_together(self._client, *map(self._get, keys))
        own = [SETTINGS.load(text) if text else ChatSettings() for text in texts[: len(chats)]]
        above = SERVER_SETTINGS.load(texts[-1]) if server is not None and texts[-1] else ServerSettings()
        return own, above

    async def change_server(
        self, server: ServerRef, settings: ServerSettings, *, was: ServerSettings | None = None
    ) -> tuple[ServerSettings, ServerSettings]:
        return await self._write(self._keys.server(server), SERVER_SETTINGS, ServerSettings(), settings, was)

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        names = [(self._keys.chat(old), self._keys.chat(new))]
        names += [(self._keys.server(_server_of(old)), self._keys.server(_server_of(new)))]
        texts: list[Any] = [await self._client.get(before) for before, _ in names]
        async with self._client.pipeline(transaction=False) as pipe:
            for (_, after), text in zip(names, texts, strict=True):
                if text:
                    # As it was written, by whichever version. The old one stays until its time is over: what is still
                    # on its way to it is under the same rules.
                    pipe.set(after, text, ex=self._life_s, nx=True)
            await pipe.execute()

    async def _read(self, key: str, codec: Codec[T]) -> T | None:
        (text,) = await ask_together(self._client, self._get(key))
        return codec.load(text) if text else None

    def _get(self, key: str) -> Ask:
        return lambda pipe: pipe.getex(key, ex=self._life_s)

    async def _write(self, key: str, codec: Codec[S], unset: S, settings: S, was: S | None) -> tuple[S, S]:
        """Gives what stood there, and what stands there now. Anew where somebody else was faster."""
        while True:
            standing: Any = await self._client.get(key)
            before = codec.load(standing) if standing else unset
            after = settings if was is None else changed_from(before, was, settings)
            text = codec.rewrite(standing, after) if standing else codec.dump(after)
            if await self._put([key], [standing or "", text, self._life_s]):
                return before, after


def _server_of(chat: ChatRef) -> ServerRef:
    """The server of the same name."""
    return ServerRef(chat.platform, chat.account, chat.chat)
