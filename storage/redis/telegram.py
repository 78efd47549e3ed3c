"""What the Telegram adapter remembers beside its inbox, its albums and its pace.

    {prefix}:telegram:send:<key>                hash  a message that is to be sent once: `state`, `messages`, `at`
    {prefix}:telegram:file:<sha256>             hash  `<account>:<photo|document>`: a file of ours that it has (JSON)
    {prefix}:telegram:moved:<chat>              text  the chat that it has become
    {prefix}:telegram:closed:<chat>             text  why nothing can be posted there
    {prefix}:telegram:said:<message>            text  a hash of what a message says, and since which version
    {prefix}:telegram:once:<what>               text  it was done
    {prefix}:telegram:call:<key>                text  the message by which somebody was called
    {prefix}:telegram:noted:<what>              text  something to be known later

Every key expires.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Redis

from adapters.telegram.ports import ChatState, KnownFile, Send, SendState
from bot.domain.refs import ChatRef, MessageRef, Sha256, UserRef, message_ref_of, sha256_of, short_hash
from storage.redis.client import Script
from storage.redis.codec import Codec
from storage.redis.keys import Keys
from storage.redis.telegram_albums import RedisAlbums
from storage.redis.telegram_inbox import RedisInbox
from storage.redis.telegram_people import PLATFORM

DAY: Final = 24 * 3600
CALLS_S: Final = 7 * DAY
SAID_S: Final = 14 * DAY
"""Telegram lets a message be edited for two days; those of channels for longer."""
_CHAT = "chat"
_FILE: Codec[KnownFile] = Codec(KnownFile)


class RedisLedger:
    """See `adapters.telegram.ports.Ledger`. `retention_s` is how long pictures are kept."""

    def __init__(self, client: Redis, *, retention_s: int, keys: Keys | None = None) -> None:
        self._client: Any = client
        self._keys = keys or Keys()
        self._retention_s = retention_s
        self._begin = Script(client, "telegram_begin.lua")
        self._unknown = Script(client, "telegram_unknown.lua")

    async def begin(self, key: str) -> Send:
        known = await self._begin([self._key(key)], [f"{time.time():.6f}", self._retention_s])
        return _send_of(known) if known else Send(SendState.NEW)

    async def find(self, key: str) -> Send | None:
        known = await self._client.hmget(self._key(key), ["state", "messages", "at"])
        return _send_of(known) if known[0] else None

    async def sent(self, key: str, messages: Sequence[int]) -> None:
        ids = ",".join(map(str, messages))
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(self._key(key), mapping={"state": SendState.SENT.value, "messages": ids})
            pipe.expire(self._key(key), self._retention_s)
            await pipe.execute()

    async def unknown(self, key: str) -> None:
        await self._unknown([self._key(key)], [self._retention_s])

    async def drop(self, key: str) -> None:
        await self._client.delete(self._key(key))

    def _key(self, key: str) -> str:
        return self._keys.telegram("send", key)


def _send_of(known: Sequence[str | None]) -> Send:
    state, messages, at = known
    ids = tuple(int(id_) for id_ in (messages or "").split(",") if id_)
    return Send(SendState(state or ""), ids, float(at or 0))


def _state_of(found: Sequence[str | None]) -> ChatState:
    moved, closed = found
    return message_ref_of(moved).chat if moved else None, closed or ""


def _field(account: str, *, as_photo: bool) -> str:
    return f"{account}:{'photo' if as_photo else 'document'}"


class RedisTelegramStore:
    """See `adapters.telegram.ports.TelegramStore`. `retention_s` is how long what nobody touches is kept."""

    def __init__(self, client: Redis, *, retention_s: int, keys: Keys | None = None) -> None:
        self._client: Any = client
        self._keys = keys or Keys()
        self._retention_s = retention_s
        self._say = Script(client, "telegram_say.lua")
        self._albums = RedisAlbums(client, keys=self._keys)
        self._inbox = RedisInbox(client, keys=self._keys)

    async def file(self, account: str, sha256: Sha256, *, as_photo: bool) -> KnownFile | None:
        key = self._keys.telegram_file(sha256)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hget(key, _field(account, as_photo=as_photo))
            pipe.expire(key, self._retention_s)
            text, _ = await pipe.execute()
        return _FILE.load(text) if text else None

    async def note_file(self, account: str, sha256: Sha256, file: KnownFile) -> None:
        key = self._keys.telegram_file(sha256)
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, _field(account, as_photo=file.as_photo), _FILE.dump(file))
            pipe.expire(key, self._retention_s)
            await pipe.execute()

    # --- chats

    async def moved_to(self, chat: ChatRef) -> ChatRef | None:
        key = await self._client.getex(self._keys.telegram("moved", chat.key), ex=self._retention_s)
        return message_ref_of(key).chat if key else None

    async def note_move(self, old: ChatRef, new: ChatRef) -> None:
        # Written like a message of that chat.
        await self._client.set(self._keys.telegram("moved", old.key), MessageRef(new, _CHAT).key, ex=self._retention_s)

    async def close_chat(self, chat: ChatRef, why: str) -> None:
        await self._client.set(self._keys.telegram("closed", chat.key), why or "closed", ex=self._retention_s)

    async def closed(self, chat: ChatRef) -> str:
        return await self._client.get(self._keys.telegram("closed", chat.key)) or ""

    async def open_chat(self, chat: ChatRef) -> None:
        await self._client.delete(self._keys.telegram("closed", chat.key))

    async def state(self, chat: ChatRef) -> ChatState:
        async with self._client.pipeline(transaction=False) as pipe:
            self._ask_state(pipe, chat)
            return _state_of(await pipe.execute())

    def _ask_state(self, pipe: Any, chat: ChatRef) -> None:
        pipe.getex(self._keys.telegram("moved", chat.key), ex=self._retention_s)
        pipe.get(self._keys.telegram("closed", chat.key))

    # --- what was said and done

    async def says_since(self, message: MessageRef, words: str, version: int) -> int:
        return int(await self._say(*self._say_of(message, words, version)))

    async def says_in(self, chat: ChatRef, message: MessageRef, words: str, version: int) -> tuple[int, ChatState]:
        async with self._client.pipeline(transaction=False) as pipe:
            await self._say(*self._say_of(message, words, version), within=pipe)
            self._ask_state(pipe, chat)
            since, *state = await pipe.execute()
        return int(since), _state_of(state)

    def _say_of(self, message: MessageRef, words: str, version: int) -> tuple[Sequence[str], Sequence[str | int]]:
        said = short_hash("said", message.key, sha256_of(words.encode(errors="surrogatepass")))
        key = self._keys.telegram("said", message.key)
        return [key], [said, str(version), min(SAID_S, self._retention_s)]

    async def unsay(self, messages: Sequence[MessageRef]) -> None:
        if messages:
            await self._client.delete(*(self._keys.telegram("said", each.key) for each in messages))

    async def once(self, what: str, *, life_s: int) -> bool:
        return bool(await self._client.set(self._keys.telegram("once", what), "1", ex=life_s, nx=True))

    async def was(self, what: str) -> bool:
        return bool(await self._client.exists(self._keys.telegram("once", what)))

    async def keep_call(self, key: str, call: MessageRef) -> None:
        await self._client.set(self._keys.telegram("call", key), call.key, ex=CALLS_S)

    async def take_call(self, key: str) -> MessageRef | None:
        found = await self._client.getdel(self._keys.telegram("call", key))
        return message_ref_of(found) if found else None

    async def note(self, what: str, value: str) -> None:
        await self._client.set(self._keys.telegram("noted", what), value, ex=self._retention_s)

    async def noted(self, what: str) -> str:
        return await self._client.get(self._keys.telegram("noted", what)) or ""

    async def forget(self, user: UserRef) -> None:
        """Albums with their pictures, and what came from them and is not dealt with yet."""
        if user.platform != PLATFORM:
            return
        await self._albums.forget(user)
        await self._inbox.forget(user)
