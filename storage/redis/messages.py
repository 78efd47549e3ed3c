"""What is remembered of messages: the anchor of "one message, one turn"."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.domain.images import ImageFacts
from bot.domain.messages import NOBODY, InboundMessage, MessageRecord, Shown
from bot.domain.outcomes import NO_RESULTS
from bot.domain.refs import ChatRef, MessageRef, Person, ThreadId, TurnId, UserRef, message_ref_of
from bot.domain.turns import FINAL_STATES, TurnState
from bot.ports import Heard
from storage.redis.client import Script
from storage.redis.codec import HEARD, HELD, INBOUND, OUTCOME, OWNERS, RECORD, SHOWS, SOURCES
from storage.redis.keys import Keys

log = structlog.get_logger("messages")
_WRITING_S = 60.0
"""An entry whose message is not there after this long leads nowhere."""
_LATEST_KEPT = 10
"""Of so many last answers to one person in one chat, the newest with a picture is found."""
_MAY_BE_MENDED = FINAL_STATES - {TurnState.DONE}
"""What is said next may set right how such a turn ended."""


class RedisMessageStore:
    """One hash per message: `record` (written once), `sources`, `owners`, `spoiler`, `shows`, `held:<sha256>` for each
    picture that it ever brought (an edit of it may bring another), and until it is dealt with `heard` and the message
    itself under `inbound:<version>`. A voice message has `listened` (how often it was begun), `listening_until` and
    `listening_call`. Per person and chat a list of the last answers, newest first, each as "<message> <first turn
    shown>". `retention_s` is how long an untouched record stays."""

    def __init__(self, client: Redis, *, retention_s: int, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._retention_s = retention_s
        self._record = Script(client, "record.lua")
        self._listen = Script(client, "listen.lua")

    async def note(self, record: MessageRecord) -> MessageRecord:
        key = self._keys.message(record.ref)
        async with self._client.pipeline(transaction=False) as pipe:
            if record.author is not None:
                # What it was listed with stays: a forgetting that is replayed must find it.
                pipe.zadd(self._keys.user_messages(record.author), {record.ref.key: time.time()}, nx=True)
                pipe.expire(self._keys.user_messages(record.author), self._retention_s)
            pipe.hsetnx(key, "record", RECORD.dump(record))
            pipe.hset(key, "v", "1")
            pipe.expire(key, self._retention_s)
            pipe.hgetall(key)
            fields: Mapping[str, Any] = (await pipe.execute())[-1]
        return _record_of(fields)

    async def record(self, message: InboundMessage, record: MessageRecord) -> tuple[MessageRecord, bool]:
        # Listed first: a crash after that leaves an entry that leads nowhere, not a message that is forgotten.
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.zadd(self._keys.inbox, {message.origin: time.time()}, nx=True)
            pipe.zadd(self._keys.user_messages(message.author), {message.ref.key: message.created_at})
            pipe.expire(self._keys.user_messages(message.author), self._retention_s)
            self._name(pipe, message.ref, people_named(message), message.created_at)
            await self._record(
                [self._keys.message(message.ref)],
                [RECORD.dump(record), f"inbound:{message.version}", INBOUND.dump(message), self._retention_s],
                within=pipe,
            )
            *_, (standing, new) = await pipe.execute()
        return RECORD.load(standing), bool(int(new))

    async def find(self, ref: MessageRef) -> MessageRecord | None:
        key = self._keys.message(ref)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hgetall(key)
            pipe.expire(key, self._retention_s)
            fields: Mapping[str, Any] = (await pipe.execute())[0]
        return _record_of(fields) if "record" in fields else None

    async def bring(
        self,
        ref: MessageRef,
        sources: Sequence[ImageFacts],
        *,
        author: UserRef | None = None,
        owners: Sequence[Person | None] = (),
        spoiler: bool = False,
    ) -> None:
        key = self._keys.message(ref)
        named = [owner.user for owner in owners if owner is not None and owner != NOBODY]
        pictures, whose = SOURCES.dump(tuple(sources)), OWNERS.dump(tuple(owners))
        async with self._client.pipeline(transaction=False) as pipe:
            if author is not None:
                pipe.zadd(self._keys.user_messages(author), {ref.key: time.time()}, nx=True)
                pipe.expire(self._keys.user_messages(author), self._retention_s)
            self._name(pipe, ref, named, time.time())
            pipe.hset(key, mapping={"sources": pictures, "owners": whose, "spoiler": str(int(spoiler))})
            for image, owner in zip(sources, owners or [None] * len(sources), strict=True):
                pipe.hset(key, f"held:{image.sha256}", HELD.dump((image, owner)))
            pipe.expire(key, self._retention_s)
            await pipe.execute()

    def _name(self, pipe: Pipeline, ref: MessageRef, people: Iterable[UserRef], when: float) -> None:
        """Whoever is forgotten is found in others' messages, too."""
        for person in dict.fromkeys(people):
            pipe.zadd(self._keys.user_named(person), {ref.key: when}, nx=True)
            pipe.expire(self._keys.user_named(person), self._retention_s)

    async def attach(
        self, reply: MessageRef, thread: ThreadId, shows: Sequence[Shown], *, asker: UserRef | None = None
    ) -> None:
        key = self._keys.message(reply)
        record = RECORD.dump(MessageRecord(ref=reply, thread=thread))
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping={"v": "1", "record": record, "shows": SHOWS.dump(tuple(shows))})
            pipe.expire(key, self._retention_s)
            if asker is not None and shows:
                latest = self._keys.latest(reply.chat, asker)
                entry = latest_entry(reply, [each.turn for each in shows])
                pipe.lrem(latest, 0, entry)
                pipe.lpush(latest, entry)
                pipe.ltrim(latest, 0, _LATEST_KEPT - 1)
                pipe.expire(latest, self._retention_s)
            await pipe.execute()

    async def latest(self, chat: ChatRef, asker: UserRef, *, unfinished: bool = False) -> MessageRef | None:
        entries: list[Any] = await self._client.lrange(self._keys.latest(chat, asker), 0, -1)
        named = [str(entry).split(" ") for entry in entries]
        async with self._client.pipeline(transaction=False) as pipe:
            for message, turn in named:
                pipe.hexists(self._keys.message_key(message), "shows")
                pipe.hmget(self._keys.turn(TurnId(turn)), ["state", "outcome", "erased"])
            found = await pipe.execute()
        for (message, _), shows, (state, outcome, erased) in zip(named, found[::2], found[1::2], strict=True):
            mended = unfinished and state in _MAY_BE_MENDED and erased is None
            if shows and (mended or _has_picture(state, outcome)):
                return message_ref_of(message)
        return None

    async def begin_listening(self, ref: MessageRef, *, life_s: float) -> int:
        args: list[str | int | float] = [life_s, self._retention_s, uuid.uuid4().hex]
        return int(await self._listen([self._keys.message(ref)], args))

    async def hear(self, ref: MessageRef, heard: Heard) -> None:
        key = self._keys.message(ref)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hset(key, "heard", HEARD.dump(heard))
            pipe.expire(key, self._retention_s)
            await pipe.execute()

    async def heard(self, ref: MessageRef) -> Heard | None:
        text: Any = await self._client.hget(self._keys.message(ref), "heard")
        return HEARD.load(text) if text else None

    async def settle_inbound(self, message: InboundMessage) -> None:
        async with self._client.pipeline(transaction=False) as pipe:
            # The turn has the words now, also those that were heard.
            pipe.hdel(self._keys.message(message.ref), f"inbound:{message.version}", "heard")
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


def _record_of(fields: Mapping[str, Any]) -> MessageRecord:
    record = RECORD.load(fields["record"])
    if sources := fields.get("sources"):
        record = replace(record, sources=SOURCES.load(sources))
    if owners := fields.get("owners"):
        record = replace(record, owners=OWNERS.load(owners))
    if "spoiler" in fields:
        record = replace(record, spoiler=fields["spoiler"] == "1")
    if shows := fields.get("shows"):
        record = replace(record, shows=SHOWS.load(shows))
    return record


def people_named(message: InboundMessage) -> frozenset[UserRef]:
    """Everyone in a message but who sent it: whose pictures came along, and whose message is replied to."""
    quoted = message.quoted
    files = (
        *message.attachments,
        *((message.voice,) if message.voice else ()),
        *(quoted.attachments if quoted else ()),
    )
    named = (*(each.owner for each in files), quoted.author if quoted else None)
    return frozenset(person.user for person in named if person not in (None, NOBODY)) - {message.author}


def latest_entry(reply: MessageRef, turns: Sequence[TurnId]) -> str:
    """An answer and the first turn that it shows, as they stand in the list of the last answers."""
    return f"{reply.key} {turns[0]}"


def _has_picture(state: str | None, outcome: str | None) -> bool:
    """Whether a turn has a picture to go on from, or may yet have one."""
    if not state:
        return False
    if state not in FINAL_STATES:
        return True
    if state != TurnState.DONE or not outcome:
        return False
    ended = OUTCOME.load(outcome)
    return bool(ended.images) and ended.code not in NO_RESULTS
