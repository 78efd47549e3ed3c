"""What is remembered of messages: the anchor of "one message, one turn"."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from redis.asyncio import Redis

from bot.domain.images import ImageFacts
from bot.domain.messages import InboundMessage, MessageRecord, Shown
from bot.domain.refs import MessageRef, ThreadId
from storage.redis.client import Script
from storage.redis.codec import INBOUND, RECORD, SHOWS, SOURCES
from storage.redis.keys import Keys

log = structlog.get_logger("messages")
_WRITING_S = 60.0
"""An entry whose message is not there after this long leads nowhere."""


class RedisMessageStore:
    """One hash per message: `record` (written once), `sources`, `shows`, and the message itself under
    `inbound:<version>` until it is dealt with. `retention_s` is how long an untouched record stays."""

    def __init__(self, client: Redis, *, retention_s: int, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._retention_s = retention_s
        self._record = Script(client, "record.lua")

    async def record(self, message: InboundMessage, record: MessageRecord) -> MessageRecord:
        # Listed first: a crash after that leaves an entry that leads nowhere, not a message that is forgotten.
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.zadd(self._keys.inbox, {message.origin: time.time()}, nx=True)
            pipe.zadd(self._keys.user_messages(message.author), {message.ref.key: message.created_at})
            pipe.expire(self._keys.user_messages(message.author), self._retention_s)
            await self._record(
                [self._keys.message(message.ref)],
                [RECORD.dump(record), f"inbound:{message.version}", INBOUND.dump(message), self._retention_s],
                within=pipe,
            )
            *_, standing = await pipe.execute()
        return RECORD.load(standing)

    async def find(self, ref: MessageRef) -> MessageRecord | None:
        key = self._keys.message(ref)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hgetall(key)
            pipe.expire(key, self._retention_s)
            fields: Mapping[str, Any] = (await pipe.execute())[0]
        if "record" not in fields:
            return None
        record = RECORD.load(fields["record"])
        if sources := fields.get("sources"):
            record = replace(record, sources=SOURCES.load(sources))
        if shows := fields.get("shows"):
            record = replace(record, shows=SHOWS.load(shows))
        return record

    async def bring(self, ref: MessageRef, sources: Sequence[ImageFacts]) -> None:
        await self._client.hset(self._keys.message(ref), "sources", SOURCES.dump(tuple(sources)))

    async def attach(self, reply: MessageRef, thread: ThreadId, shows: Sequence[Shown]) -> None:
        key = self._keys.message(reply)
        record = RECORD.dump(MessageRecord(ref=reply, thread=thread))
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping={"v": "1", "record": record, "shows": SHOWS.dump(tuple(shows))})
            pipe.expire(key, self._retention_s)
            await pipe.execute()

    async def settle_inbound(self, message: InboundMessage) -> None:
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hdel(self._keys.message(message.ref), f"inbound:{message.version}")
            pipe.zrem(self._keys.inbox, message.origin)
            await pipe.execute()

    async def unsettled(self, *, older_than_s: float) -> Sequence[InboundMessage]:
        origins: list[Any] = await self._client.zrange(
            self._keys.inbox, "-inf", time.time() - older_than_s, byscore=True, offset=0, num=100, withscores=True
        )
        found: list[InboundMessage] = []
        for origin, listed_at in origins:
            ref_key, _, version = str(origin).rpartition("#")
            inbound: Any = await self._client.hget(self._keys.message_key(ref_key), f"inbound:{version}")
            if inbound is not None:
                try:
                    found.append(INBOUND.load(inbound))
                except ValueError:
                    # Written by another version, or damaged. It must not stand in the way of the others.
                    log.error("message set aside", message=ref_key)
                    await self._client.zrem(self._keys.inbox, origin)
            elif float(listed_at) < time.time() - _WRITING_S:
                await self._client.zrem(self._keys.inbox, origin)
        return found

    async def put_off(self, message: InboundMessage) -> None:
        await self._client.zadd(self._keys.inbox, {message.origin: time.time()}, xx=True)
