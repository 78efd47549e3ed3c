"""The Discord adapter's own memory in Redis.

    {prefix}:discord:chat:<chat>                    JSON    what the gateway knows of a chat
    {prefix}:discord:{<account>}:marks              hash    chat → the greatest message id taken in there
    {prefix}:discord:{<account>}:marks:at           zset    the same chats, by when that was
    {prefix}:discord:alive:<account>:<shard>        text    until when a shard received all that was sent
    {prefix}:discord:said:<message>                 text    a hash of what a message says, and since which version
    {prefix}:discord:interaction:{<message>}        JSON    whose an interaction was, and where
    {prefix}:discord:interaction:{<message>}:token  text    its token, as long as it is worth something
    {prefix}:discord:press:<message>                JSON    the last press under it, as long as its token is worth
                                                            something
    {prefix}:discord:target:<interaction>           JSON    the message that a form was opened on
    {prefix}:discord:kept:<person>                  list    JSON of each result that waits to be shown
    {prefix}:discord:holding:<person>               text    somebody is showing them that list
    {prefix}:discord:asked:<person>                 zset    keys of their interactions, to forget them by, by when
                                                            that was; “press ” before those of presses
    {prefix}:discord:closed:{<chat>}                text    nothing can be posted there for now
    {prefix}:discord:closed:{<chat>}:times          number  how often that was so, one after another
    {prefix}:discord:call:<key>                     text    the message by which somebody was called
    {prefix}:discord:once:<what>                    text    it was done
    {prefix}:discord:commands:<application>         text    the hash of the commands that were registered

Every key expires.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from redis.asyncio import Redis

from adapters.discord.ports import ChatFacts, Interaction, KeptBack
from bot.domain.refs import ChatRef, MessageRef, UserRef, message_ref_of, short_hash
from storage.redis.codec import Codec
from storage.redis.keys import Keys

DAY: Final = 24 * 3600
TOKEN_S: Final = 15 * 60
"""Discord's own life of an interaction's token."""
TARGET_S: Final = 3600
MARKS_S: Final = 14 * DAY
"""Chats where nothing was taken in for so long are not caught up."""
CALLS_S: Final = 7 * DAY
CLOSED_S: Final = 10 * 60
CLOSED_MOST_S: Final = 6 * 3600
_KEPT_MOST = 20
_PRESS = "press"

_FACTS: Codec[ChatFacts] = Codec(ChatFacts)
_INTERACTION: Codec[Interaction] = Codec(Interaction)
_KEPT: Codec[KeptBack] = Codec(KeptBack)

_MARK = """
-- KEYS marks at · ARGV chat id now life_s, 1 where an id that stands is to stay
-- Ids are compared as text: as numbers they would lose their last digits.
local standing = redis.call('HGET', KEYS[1], ARGV[1])
local id = ARGV[2]
local greater = standing and (#id > #standing or (#id == #standing and id > standing))
if not standing or (greater and ARGV[5] ~= '1') then
    redis.call('HSET', KEYS[1], ARGV[1], id)
end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[3] - ARGV[4], 'LIMIT', 0, 100)
for _, chat in ipairs(old) do
    redis.call('HDEL', KEYS[1], chat)
    redis.call('ZREM', KEYS[2], chat)
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
"""

_CLOSE = """
-- KEYS closed times · ARGV code first_s most_s
local left = redis.call('TTL', KEYS[1])
if left > 0 then return left end  -- somebody else met the same closed door
local times = redis.call('INCR', KEYS[2])
local seconds = math.min(ARGV[2] * 2 ^ math.min(times - 1, 20), ARGV[3])
redis.call('SET', KEYS[1], ARGV[1], 'EX', seconds)
redis.call('EXPIRE', KEYS[2], seconds + 2 * ARGV[3])
return seconds
"""

_SAY = """
-- KEYS said · ARGV hash version life_s
local hash, version = string.match(redis.call('GET', KEYS[1]) or '', '^(.+)@(%d+)$')
if hash ~= ARGV[1] then version = ARGV[2] end
redis.call('SET', KEYS[1], ARGV[1] .. '@' .. version, 'EX', ARGV[3])
return version
"""


class RedisDiscordStore:
    """See `adapters.discord.ports.DiscordStore`. `retention_s` is how long what nobody touches is kept."""

    def __init__(self, client: Redis, *, retention_s: int, keys: Keys | None = None) -> None:
        self._client: Any = client
        self._keys = keys or Keys()
        self._retention_s = retention_s
        self._mark = client.register_script(_MARK)
        self._close = client.register_script(_CLOSE)
        self._say = client.register_script(_SAY)

    async def note_chat(self, chat: ChatRef, facts: ChatFacts) -> None:
        await self._client.set(self._keys.discord("chat", chat.key), _FACTS.dump(facts), ex=self._retention_s)

    async def chat(self, chat: ChatRef) -> ChatFacts | None:
        text = await self._client.get(self._keys.discord("chat", chat.key))
        return _FACTS.load(text) if text else None

    # --- catching up

    async def mark(self, chat: ChatRef, message_id: int) -> None:
        await self._set_mark(chat, message_id, first=False)

    async def know(self, chat: ChatRef, message_id: int) -> None:
        await self._set_mark(chat, message_id, first=True)

    async def _set_mark(self, chat: ChatRef, message_id: int, *, first: bool) -> None:
        marks = self._keys.discord_marks(chat.account)
        args: list[str | int] = [chat.chat, str(message_id), int(time.time()), MARKS_S, int(first)]
        await self._mark(keys=[marks, f"{marks}:at"], args=args)

    async def marks(self, account: str) -> Mapping[ChatRef, int]:
        marks = self._keys.discord_marks(account)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hgetall(marks)
            pipe.zrangebyscore(f"{marks}:at", int(time.time()) - MARKS_S, "+inf")
            ids, late = await pipe.execute()
        return {ChatRef("discord", account, chat): int(ids[chat]) for chat in late if chat in ids}

    async def note_alive(self, account: str, shard: int, at: float) -> None:
        await self._client.set(self._keys.discord("alive", account, str(shard)), repr(at), ex=self._retention_s)

    async def alive(self, account: str, shard: int) -> float | None:
        text = await self._client.get(self._keys.discord("alive", account, str(shard)))
        return float(text) if text else None

    async def says_since(self, message: MessageRef, words: str, version: int) -> int:
        said = short_hash("said", message.key, words)
        life_s = min(MARKS_S, self._retention_s)
        return int(await self._say(keys=[self._keys.discord("said", message.key)], args=[said, str(version), life_s]))

    # --- interactions

    async def keep_interaction(self, message: MessageRef, interaction: Interaction) -> None:
        key = self._keys.discord_interaction(message)
        left_s = min(TOKEN_S, int(interaction.expires_at - time.time()))
        async with self._client.pipeline(transaction=False) as pipe:
            self._note_asked(pipe, interaction.user, message.key)
            pipe.set(key, _INTERACTION.dump(replace(interaction, token="")), ex=self._retention_s)
            if left_s > 0:
                pipe.set(f"{key}:token", interaction.token, ex=left_s)
            await pipe.execute()

    def _note_asked(self, pipe: Any, user: UserRef, name: str) -> None:
        """Before it is kept: what no person leads to could not be forgotten."""
        asked, now = self._keys.discord("asked", user.key), int(time.time())
        pipe.zadd(asked, {name: now})
        pipe.zremrangebyscore(asked, "-inf", now - self._retention_s)
        pipe.expire(asked, self._retention_s)

    async def interaction(self, message: MessageRef) -> Interaction | None:
        key = self._keys.discord_interaction(message)
        about, token = await self._client.mget(key, f"{key}:token")
        return replace(_INTERACTION.load(about), token=token or "") if about else None

    async def keep_press(self, message: MessageRef, interaction: Interaction) -> None:
        left_s = min(TOKEN_S, int(interaction.expires_at - time.time()))
        if left_s <= 0:
            return
        async with self._client.pipeline(transaction=False) as pipe:
            self._note_asked(pipe, interaction.user, f"{_PRESS} {message.key}")
            pipe.set(self._keys.discord("press", message.key), _INTERACTION.dump(interaction), ex=left_s)
            await pipe.execute()

    async def press(self, message: MessageRef) -> Interaction | None:
        text = await self._client.get(self._keys.discord("press", message.key))
        return _INTERACTION.load(text) if text else None

    async def keep_target(self, interaction_id: str, target: Mapping[str, Any]) -> None:
        await self._client.set(self._keys.discord("target", interaction_id), json.dumps(target), ex=TARGET_S)

    async def target(self, interaction_id: str) -> Mapping[str, Any] | None:
        text = await self._client.get(self._keys.discord("target", interaction_id))
        return json.loads(text) if text else None

    async def keep_back(self, user: UserRef, kept: KeptBack) -> None:
        key, text = self._keys.discord("kept", user.key), _KEPT.dump(kept)
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.lrem(key, 0, text)
            pipe.rpush(key, text)
            pipe.ltrim(key, -_KEPT_MOST, -1)
            pipe.expire(key, self._retention_s)
            await pipe.execute()

    async def hold_kept_back(self, user: UserRef, *, life_s: int) -> Sequence[KeptBack]:
        key = self._keys.discord("kept", user.key)
        if not await self._client.exists(key):
            return []
        if not await self._client.set(self._keys.discord("holding", user.key), "1", ex=life_s, nx=True):
            return []
        return [_KEPT.load(text) for text in await self._client.lrange(key, 0, -1)]

    async def drop_kept_back(self, user: UserRef, kept: KeptBack) -> None:
        key = self._keys.discord("kept", user.key)
        for text in await self._client.lrange(key, 0, -1):
            if _KEPT.load(text) == kept:  # as another version may have written it
                await self._client.lrem(key, 0, text)

    async def let_go_kept_back(self, user: UserRef) -> None:
        await self._client.delete(self._keys.discord("holding", user.key))

    async def forget(self, user: UserRef) -> None:
        asked = self._keys.discord("asked", user.key)
        names = [name.rpartition(" ") for name in await self._client.zrange(asked, 0, -1)]
        async with self._client.pipeline(transaction=False) as pipe:
            for pressed, _, message in names:
                if pressed:
                    pipe.delete(self._keys.discord("press", message))
                    continue
                key = self._keys.discord_interaction(message_ref_of(message))
                pipe.delete(key)
                pipe.delete(f"{key}:token")
            pipe.delete(self._keys.discord("kept", user.key))
            pipe.delete(self._keys.discord("holding", user.key))
            pipe.delete(asked)
            await pipe.execute()

    # --- limits

    async def close_chat(self, chat: ChatRef, code: int) -> float:
        key = self._keys.discord_closed(chat)
        return float(await self._close(keys=[key, f"{key}:times"], args=[code, CLOSED_S, CLOSED_MOST_S]))

    async def is_closed(self, chat: ChatRef) -> bool:
        return bool(await self._client.exists(self._keys.discord_closed(chat)))

    async def open_chat(self, chat: ChatRef) -> None:
        key = self._keys.discord_closed(chat)
        await self._client.delete(key, f"{key}:times")

    async def keep_call(self, key: str, call: MessageRef) -> None:
        await self._client.set(self._keys.discord("call", key), call.key, ex=CALLS_S)

    async def take_call(self, key: str) -> MessageRef | None:
        found = await self._client.getdel(self._keys.discord("call", key))
        return message_ref_of(found) if found else None

    async def once(self, what: str, *, life_s: int) -> bool:
        return bool(await self._client.set(self._keys.discord("once", what), "1", ex=life_s, nx=True))

    async def was(self, what: str) -> bool:
        return bool(await self._client.exists(self._keys.discord("once", what)))

    async def commands(self, application: str) -> str:
        return await self._client.get(self._keys.discord("commands", application)) or ""

    async def note_commands(self, application: str, digest: str) -> None:
        await self._client.set(self._keys.discord("commands", application), digest, ex=self._retention_s)
