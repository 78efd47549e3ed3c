"""The page's memory in Redis: its messages, their order, its events, its sessions.

    {prefix}:page:{<chat>}:message:<id>     hash    one message
    {prefix}:page:{<chat>}:order            zset    message ids by their number in the chat
    {prefix}:page:{<chat>}:thread:<thread>  zset    the same, of one thread
    {prefix}:page:{<chat>}:count            number  the last number given
    {prefix}:page:{<chat>}:events           stream  which message changed
    {prefix}:page:{<chat>}:image:<sha256>   hash    message id → media type: who shows this image
    {prefix}:page-session:<session>         hash    who is signed in
    {prefix}:page-person:<person>           set     their sessions
    {prefix}:page-tries:{login}:<who>       number  wrong passwords of late
    {prefix}:page-guests:<address>          number  people who gave no name, of late
    {prefix}:page-salt                      text    what ids of people are made with

The braces are a hash tag: a chat's keys share a slot, so each script is one round trip and holds on a cluster too.
Every key expires. Wake-ups go by publish/subscribe and carry nothing but a chat's name: a lost one costs time only.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast
from weakref import WeakValueDictionary

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.domain.refs import Sha256, ThreadId

SCHEMA: Final = "1"
EVENTS_KEPT: Final = 1000
SESSION_S: Final = 30 * 24 * 3600

_WORDS: Final = ("text", "lines")
_Args = list[str | int]

_KEEP = """
-- ARGV[1] ttl_s
local function keep(key) redis.call('EXPIRE', key, ARGV[1]) end
local function keep_images(message, image_prefix)  -- whoever sees a message sees its images
    for sha in string.gmatch(redis.call('HGET', message, 'shas') or '', '%S+') do keep(image_prefix .. sha) end
end
"""

_APPEND = """
-- KEYS message order count events replied-to [thread] · ARGV ttl_s id wake kept image-prefix field value …
if redis.call('EXISTS', KEYS[1]) == 0 then
    local number = redis.call('INCR', KEYS[3])
    redis.call('HSET', KEYS[1], 'v', '1', 'number', number, unpack(ARGV, 6))
    redis.call('ZADD', KEYS[2], number, ARGV[2])
    if KEYS[6] then redis.call('ZADD', KEYS[6], number, ARGV[2]) keep(KEYS[6]) end
    redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[4], '*', 'm', ARGV[2])
    redis.call('PUBLISH', ARGV[3], '')
    for i = 1, 5 do keep(KEYS[i]) end
    keep_images(KEYS[5], ARGV[5])
end
return redis.call('HGETALL', KEYS[1])
"""

_REPLACE = """
-- KEYS message order count events
-- ARGV ttl_s id wake kept image-prefix images|'' quiet|'' n (sha256 type)×n field value …
local message = KEYS[1]
local now = redis.call('HMGET', message, 'v', 'gone', 'final', 'shas')
if not now[1] or now[2] then return 0 end
local first, fields = 9 + 2 * tonumber(ARGV[8]), {}
local final, changed = false, false
for i = first, #ARGV, 2 do
    if ARGV[i] == 'final' and ARGV[i + 1] == '1' then final = true end
    if redis.call('HGET', message, ARGV[i]) ~= ARGV[i + 1] then changed = true end
end
if now[3] == '1' and not final then return 0 end
if ARGV[6] == 'images' then
    local shas, shown = {}, {}
    for i = 9, first - 1, 2 do
        redis.call('HSET', ARGV[5] .. ARGV[i], ARGV[2], ARGV[i + 1])
        shown[ARGV[i]] = true
        shas[#shas + 1] = ARGV[i]
    end
    for sha in string.gmatch(now[4] or '', '%S+') do
        if not shown[sha] then redis.call('HDEL', ARGV[5] .. sha, ARGV[2]) end
    end
    redis.call('HSET', message, 'shas', table.concat(shas, ' '))
end
redis.call('HSET', message, unpack(ARGV, first))
if changed and ARGV[7] == '' then
    redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[4], '*', 'm', ARGV[2])
    redis.call('PUBLISH', ARGV[3], '')
end
for i = 1, 4 do keep(KEYS[i]) end
keep_images(message, ARGV[5])
return 1
"""

_REMOVE = """
-- KEYS order events message … · ARGV ttl_s wake kept image-prefix id …
for i = 3, #KEYS do
    local id = ARGV[i + 2]
    if redis.call('EXISTS', KEYS[i]) == 1 then
        for sha in string.gmatch(redis.call('HGET', KEYS[i], 'shas') or '', '%S+') do
            redis.call('HDEL', ARGV[4] .. sha, id)
        end
        redis.call('DEL', KEYS[i])
        redis.call('HSET', KEYS[i], 'v', '1', 'gone', '1')
        redis.call('EXPIRE', KEYS[i], ARGV[1])
        redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'm', id)
        redis.call('EXPIRE', KEYS[2], ARGV[1])
    end
    redis.call('ZREM', KEYS[1], id)
end
redis.call('PUBLISH', ARGV[2], '')
"""

_PAGE = """
-- KEYS order events · ARGV message-prefix before|'' limit
local top = '+inf'
if ARGV[2] ~= '' then
    local score = redis.call('ZSCORE', KEYS[1], ARGV[2])
    if score then top = '(' .. score end
end
local found, limit = {}, tonumber(ARGV[3])
while #found < limit do
    local ids = redis.call('ZREVRANGEBYSCORE', KEYS[1], top, '-inf', 'WITHSCORES', 'LIMIT', 0, limit - #found)
    if #ids == 0 then break end
    for i = 1, #ids, 2 do
        local record = redis.call('HGETALL', ARGV[1] .. ids[i])
        if #record > 0 then found[#found + 1] = record else redis.call('ZREM', KEYS[1], ids[i]) end
        top = '(' .. ids[i + 1]
    end
end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
return {last[1] and last[1][1] or '0-0', found}
"""

_TRY = """
-- KEYS address total · ARGV right per_address total window_s
if ARGV[1] == '' then
    for i = 1, 2 do
        if redis.call('INCR', KEYS[i]) == 1 then redis.call('EXPIRE', KEYS[i], ARGV[4]) end
    end
end
local wait = 0
for i = 1, 2 do
    local limit = tonumber(ARGV[i + 1])
    local count = tonumber(redis.call('GET', KEYS[i]) or '0')
    if count > limit or (ARGV[1] ~= '' and count >= limit) then wait = math.max(wait, redis.call('TTL', KEYS[i]), 1) end
end
return wait
"""


class RedisPageStore:
    """See `adapters.web.ports.PageStore`. `retention_s` is how long what nobody touches is kept. `reveal` puts in
    what is shown and not kept."""

    def __init__(
        self, client: Redis, *, prefix: str = "rb", retention_s: int, reveal: Callable[[str], str] = str
    ) -> None:
        self._reveal = reveal
        self._client = client
        self._prefix = prefix
        self._retention_s = retention_s
        self._append = client.register_script(_KEEP + _APPEND)
        self._replace = client.register_script(_KEEP + _REPLACE)
        self._remove = client.register_script(_REMOVE)
        self._page = client.register_script(_PAGE)
        self._try = client.register_script(_TRY)
        self._waiting: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    # --- messages

    async def append(
        self, chat: str, message: str, record: Mapping[str, str], *, thread: ThreadId | None = None
    ) -> dict[str, str]:
        keys = [*self._common(chat, message), self._message(chat, record.get("reply_to") or message)]
        if thread is not None:
            keys.append(self._key(chat, "thread", thread))
        args = [*self._about(chat, message), *_flat(record)]
        return _record(await self._append(keys=keys, args=args))

    async def replace(
        self,
        chat: str,
        message: str,
        record: Mapping[str, str],
        *,
        images: Mapping[Sha256, str] | None = None,
        quiet: bool = False,
    ) -> bool:
        shown = images or {}
        options: _Args = ["" if images is None else "images", "quiet" if quiet else "", len(shown)]
        args = [*self._about(chat, message), *options, *_flat(shown), *_flat(record)]
        return bool(await self._replace(keys=self._common(chat, message), args=args))

    async def remove(self, chat: str, messages: Sequence[str]) -> None:
        if not messages:
            return
        keys = [self._key(chat, "order"), self._key(chat, "events"), *(self._message(chat, m) for m in messages)]
        about: _Args = [self._retention_s, self._wake(chat), EVENTS_KEPT, self._key(chat, "image", "")]
        await self._remove(keys=keys, args=[*about, *messages])

    async def find(self, chat: str, messages: Sequence[str]) -> list[dict[str, str] | None]:
        async with self._client.pipeline(transaction=False) as pipe:
            for message in messages:
                pipe.hgetall(self._message(chat, message))
            found = [self._shown(reply) for reply in await pipe.execute()]
        return [record if record and "gone" not in record else None for record in found]

    async def page(self, chat: str, *, before: str | None, limit: int) -> tuple[str, list[dict[str, str]]]:
        keys = [self._key(chat, "order"), self._key(chat, "events")]
        args: _Args = [self._message(chat, ""), before or "", limit]
        last, found = cast(tuple[Any, list[Any]], await self._page(keys=keys, args=args))
        return _text(last), [self._shown(reply) for reply in reversed(found)]

    async def thread(self, chat: str, thread: ThreadId) -> list[dict[str, str]]:
        ids = cast(list[Any], await cast(Any, self._client).zrange(self._key(chat, "thread", thread), 0, -1))
        return [record for record in await self.find(chat, [_text(i) for i in ids]) if record]

    async def image(self, chat: str, sha256: Sha256) -> str | None:
        shown_by = cast(list[Any], await self._client.hvals(self._key(chat, "image", sha256)))
        return _text(shown_by[0]) if shown_by else None

    # --- events

    async def events(self, chat: str, *, after: str, wait_s: float) -> list[tuple[str, str]]:
        woken = self._waiting.setdefault(chat, asyncio.Event())  # taken before looking, so that nothing falls between
        if found := await self._events(chat, after):
            return found
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await woken.wait()
        return await self._events(chat, after)

    async def follow(self) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError):
                await self._listen()
            await asyncio.sleep(1)  # the server is away: `events` looks by itself until it is back

    async def _listen(self) -> None:
        pattern = self._wake("*")
        async with cast(Any, self._client).pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.psubscribe(pattern)
            while True:
                message = await pubsub.get_message(timeout=2)
                if message is not None:
                    chat = _text(message["channel"]).removeprefix(self._wake(""))
                    if waiting := self._waiting.pop(chat, None):
                        waiting.set()

    async def _events(self, chat: str, after: str) -> list[tuple[str, str]]:
        key = self._key(chat, "events")
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.xrange(key, "-", "+", count=1)
            pipe.xlen(key)
            pipe.xrange(key, f"({after}", "+", count=EVENTS_KEPT)
            oldest, length, found = cast(tuple[list[Any], int, list[Any]], await pipe.execute())
        if _is_forgotten(after, _text(oldest[0][0]) if oldest else None, length):
            raise LookupError("some events are forgotten")
        return [(_text(event), _text(next(iter(fields.values())))) for event, fields in found]

    # --- who is signed in

    async def open_session(self, session: str, fields: Mapping[str, str]) -> None:
        sessions = self._sessions_of(fields["person"])
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.sadd(sessions, session)  # first: a session that no person leads to could not be forgotten
            pipe.expire(sessions, SESSION_S)
            pipe.hset(self._session(session), items=["v", SCHEMA, *_flat(fields)])
            pipe.expire(self._session(session), SESSION_S)
            await pipe.execute()

    async def session(self, session: str) -> dict[str, str] | None:
        return _record(await cast(Any, self._client).hgetall(self._session(session))) or None

    async def close_session(self, session: str) -> None:
        if found := await self.session(session):
            await self._close(found["person"], [session])

    async def forget_person(self, person: str) -> None:
        sessions = cast(set[Any], await cast(Any, self._client).smembers(self._sessions_of(person)))
        await self._close(person, [_text(session) for session in sessions])

    async def _close(self, person: str, sessions: Sequence[str]) -> None:
        async with self._client.pipeline(transaction=False) as pipe:
            for session in sessions:
                pipe.delete(self._session(session))
                pipe.srem(self._sessions_of(person), session)
            await pipe.execute()

    async def count_try(self, address: str, *, right: bool, per_address: int, total: int, window_s: int) -> int:
        keys = [f"{self._prefix}:page-tries:{{login}}:from:{address}", f"{self._prefix}:page-tries:{{login}}:all"]
        args: _Args = ["right" if right else "", per_address, total, window_s]
        return int(cast(int, await self._try(keys=keys, args=args)))

    async def count_guest(self, address: str, *, limit: int, window_s: int) -> int:
        key = f"{self._prefix}:page-guests:{address}"
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.set(key, 0, ex=window_s, nx=True)
            pipe.incr(key)
            pipe.ttl(key)
            _, count, left_s = cast(tuple[Any, int, int], await pipe.execute())
        return max(1, left_s) if count > limit else 0

    async def salt(self) -> str:
        key, life_s = f"{self._prefix}:page-salt", self._retention_s + SESSION_S
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.set(key, secrets.token_hex(32), ex=life_s, nx=True)
            pipe.expire(key, life_s)
            pipe.get(key)
            _, _, salt = cast(tuple[Any, Any, Any], await pipe.execute())
        return _text(salt)

    def _shown(self, reply: Any) -> dict[str, str]:
        """A message as it is read: what is not kept of it in its place."""
        record = _record(reply)
        return record | {name: self._reveal(record[name]) for name in _WORDS if name in record}

    # --- names of keys

    def _key(self, chat: str, *parts: str) -> str:
        return ":".join([self._prefix, "page", f"{{{chat}}}", *parts])

    def _message(self, chat: str, message: str) -> str:
        return self._key(chat, "message", message)

    def _session(self, session: str) -> str:
        return f"{self._prefix}:page-session:{session}"

    def _sessions_of(self, person: str) -> str:
        return f"{self._prefix}:page-person:{person}"

    def _common(self, chat: str, message: str) -> list[str]:
        rest = [self._key(chat, name) for name in ("order", "count", "events")]
        return [self._message(chat, message), *rest]

    def _about(self, chat: str, message: str) -> _Args:
        return [self._retention_s, message, self._wake(chat), EVENTS_KEPT, self._key(chat, "image", "")]

    def _wake(self, chat: str) -> str:
        return f"{self._prefix}:page-wake:{chat}"


def _is_forgotten(after: str, oldest: str | None, length: int) -> bool:
    """Whether something after `after` may have been trimmed from the stream."""
    if after == "0-0":
        return length >= EVENTS_KEPT
    return oldest is None or _order(after) < _order(oldest)


def _order(event: str) -> tuple[int, int]:
    time_ms, _, ordinal = event.partition("-")
    return int(time_ms), int(ordinal or 0)


def _flat(fields: Mapping[Any, str]) -> list[str]:
    return [text for pair in fields.items() for text in pair]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _record(reply: Any) -> dict[str, str]:
    """A hash, as a script or a command gives it."""
    if hasattr(reply, "items"):
        reply = _flat(reply)
    return {_text(name): _text(value) for name, value in zip(reply[::2], reply[1::2], strict=True)}
