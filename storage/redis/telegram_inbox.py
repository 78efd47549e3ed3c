"""Telegram's updates, from when they come in until they are dealt with.

    {prefix}:telegram:{<account>}:inbox      stream  an update each: `id`, and `raw` (text) or `b64` (what is no text)
    {prefix}:telegram:{<account>}:seen:<id>  text    this update was stored, for as long as it may come again
    {prefix}:telegram:{<account>}:tries      hash    at how many tries of an update a process died, by its entry
    {prefix}:telegram:{<account>}:aside      zset    JSON of what could not be read, by when that was
    {prefix}:telegram:{<account>}:lead       text    the process that asks for updates, for as long as it does
    {prefix}:telegram:accounts               zset    bots that something came in for, by when that was last

Every key expires. What came in outlasts a bot that is down over a long weekend.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from adapters.telegram.ports import SetAside, Stored
from bot.domain.refs import UserRef
from storage.redis.client import Script
from storage.redis.keys import Keys
from storage.redis.telegram_people import is_from, names

DAY: Final = 24 * 3600
STANDS_S: Final = 8 * DAY
"""Counted from when something came in last."""
SEEN_S: Final = 26 * 3600
"""Telegram keeps what is not acknowledged for a day. Ids alone would not do: they begin anew, at random, where nothing
came in for a week."""
ASIDE_S: Final = 7 * DAY
ASIDE_MOST: Final = 1000
ASIDE_CHARACTERS: Final = 65536
"""Of each. What an update says is rarely longer than a hundredth of that."""
_GROUP = "takers"
_PAGE = 200


class RedisInbox:
    """See `adapters.telegram.ports.Inbox`. One stream per account, whose readers share one group.

    What is taken and not dealt with stands in the stream until it is: nothing is lost with a process. `gone_s` is how
    long one that holds nothing is known."""

    def __init__(self, client: Redis, *, gone_s: float = DAY, keys: Keys | None = None) -> None:
        self._gone_ms = round(gone_s * 1000)
        self._client: Any = client
        self._keys = keys or Keys()
        self._take_in = Script(client, "telegram_take_in.lua")
        self._next = Script(client, "telegram_next.lua")
        self._left_behind = Script(client, "telegram_left_behind.lua")
        self._lead = Script(client, "telegram_lead.lua")

    async def take_in(self, account: str, updates: Sequence[tuple[int, bytes]]) -> int:
        if not updates:
            return 0
        async with self._client.pipeline(transaction=False) as pipe:
            await self._add_taking_in(pipe, account, updates)
            return int((await pipe.execute())[-1])

    async def take_through(
        self, account: str, updates: Sequence[tuple[int, bytes]], *, holder: str, most: int
    ) -> Sequence[Stored]:
        if not updates or most < 1:
            await self.take_in(account, updates)
            return []
        async with self._client.pipeline(transaction=False) as pipe:
            await self._add_taking_in(pipe, account, updates)
            await self._next(*self._next_of(account, holder, most, begins=True), within=pipe)
            found: list[Any] = (await pipe.execute())[-1]
        return [_stored(entry, _pairs(flat)) for entry, flat in found]

    async def _add_taking_in(self, pipe: Any, account: str, updates: Sequence[tuple[int, bytes]]) -> None:
        seen = [self._keys.telegram_account(account, f"seen:{id_}") for id_, _ in updates]
        args: list[str | int | float] = [_GROUP, STANDS_S, SEEN_S]
        for id_, raw in updates:
            args += [id_, *_field_of(raw)]
        accounts, now = self._keys.telegram("accounts"), int(time.time())
        # Before anything stands there: whoever is forgotten is looked for in all of them.
        pipe.zadd(accounts, {account: now})
        pipe.zremrangebyscore(accounts, "-inf", now - STANDS_S - ASIDE_S - DAY)
        pipe.expire(accounts, STANDS_S + ASIDE_S + DAY)
        await self._take_in([self._stream(account), *seen], args, within=pipe)

    async def next(self, account: str, *, holder: str, most: int, begins: bool = False) -> Sequence[Stored]:
        if most < 1:
            return []
        found = await self._next(*self._next_of(account, holder, most, begins=begins))
        return [_stored(entry, _pairs(flat)) for entry, flat in found]

    async def still_at(self, account: str, entries: Sequence[str], *, holder: str) -> None:
        if not entries:
            return
        try:
            await self._client.xclaim(self._stream(account), _GROUP, holder, 0, list(entries), justid=True)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise

    async def left_behind(self, account: str, *, holder: str, idle_s: float, most: int) -> Sequence[Stored]:
        if most < 1:
            return []
        args: list[str | int | float] = [_GROUP, holder, round(idle_s * 1000), most, self._gone_ms]
        found = await self._left_behind([self._stream(account), self._tries(account)], args)
        return [_stored(entry, _pairs(flat), tries) for entry, flat, tries in found]

    async def note_tries(self, account: str, entry: str, tries: int) -> None:
        key = self._tries(account)
        if not tries:
            await self._client.hdel(key, entry)
            return
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, entry, tries)
            pipe.expire(key, STANDS_S)
            await pipe.execute()

    async def dealt_with(self, account: str, entry: str) -> None:
        async with self._client.pipeline(transaction=True) as pipe:
            self._drop(pipe, account, [entry])
            await pipe.execute()

    async def set_aside(self, account: str, stored: Stored, why: str) -> None:
        field, text = _field_of(stored.raw)
        # The same each time, so that a repeat is not another one.
        about = json.dumps({"update_id": stored.update_id, "why": why, field: text[:ASIDE_CHARACTERS]})
        aside, now = self._aside(account), time.time()
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.zadd(aside, {about: now})
            pipe.zremrangebyscore(aside, "-inf", now - ASIDE_S)
            pipe.zremrangebyrank(aside, 0, -ASIDE_MOST - 1)
            pipe.expire(aside, ASIDE_S)
            self._drop(pipe, account, [stored.entry])
            await pipe.execute()

    async def aside(self, account: str) -> Sequence[SetAside]:
        """The newest first."""
        rows: list[tuple[str, float]] = await self._client.zrange(
            self._aside(account), "+inf", time.time() - ASIDE_S, byscore=True, desc=True, withscores=True
        )
        about = [(json.loads(text), float(at)) for text, at in rows]
        return [SetAside(int(each["update_id"]), str(each["why"]), at) for each, at in about]

    async def lead(self, account: str, *, holder: str, life_s: float) -> bool:
        life_ms = max(1, round(life_s * 1000))
        return bool(await self._lead([self._keys.telegram_account(account, "lead")], [holder, life_ms]))

    async def step_down(self, account: str, *, holder: str) -> None:
        await self._lead([self._keys.telegram_account(account, "lead")], [holder, 0])

    async def forget(self, user: UserRef) -> None:
        """Of every account what this person sent and nobody has dealt with; and what was set aside and names them."""
        for account in await self._client.zrange(self._keys.telegram("accounts"), 0, -1):
            await self._forget_waiting(account, user)
            rows: list[str] = await self._client.zrange(self._aside(account), 0, -1)
            if theirs := [row for row in rows if _is_named(user, row)]:
                await self._client.zrem(self._aside(account), *theirs)

    async def _forget_waiting(self, account: str, user: UserRef) -> None:
        first, last = "-", await self._last_entry(account)
        while last:
            page: list[Any] = await self._client.xrange(self._stream(account), first, last, _PAGE)
            stored = [_stored(entry, fields) for entry, fields in page]
            if theirs := [each.entry for each in stored if is_from(user, each.raw.decode(errors="replace"))]:
                async with self._client.pipeline(transaction=True) as pipe:
                    self._drop(pipe, account, theirs)
                    await pipe.execute()
            if len(page) < _PAGE:
                return
            first = f"({stored[-1].entry}"

    async def _last_entry(self, account: str) -> str:
        """What comes in later is not looked at: there may be more of it all the time."""
        newest: list[Any] = await self._client.xrevrange(self._stream(account), count=1)
        return str(newest[0][0]) if newest else ""

    def _next_of(
        self, account: str, holder: str, most: int, *, begins: bool
    ) -> tuple[Sequence[str], Sequence[str | int | float]]:
        keys = [self._stream(account), self._tries(account)]
        return keys, [_GROUP, holder, most, STANDS_S if begins else ""]

    def _drop(self, pipe: Any, account: str, entries: Iterable[str]) -> None:
        pipe.xack(self._stream(account), _GROUP, *entries)
        pipe.xdel(self._stream(account), *entries)
        pipe.hdel(self._tries(account), *entries)

    def _stream(self, account: str) -> str:
        return self._keys.telegram_account(account, "inbox")

    def _tries(self, account: str) -> str:
        return self._keys.telegram_account(account, "tries")

    def _aside(self, account: str) -> str:
        return self._keys.telegram_account(account, "aside")


def _field_of(raw: bytes) -> tuple[str, str]:
    """Readable, where it is text at all."""
    try:
        return "raw", raw.decode()
    except UnicodeDecodeError:
        return "b64", base64.b64encode(raw).decode()


def _pairs(flat: Sequence[str]) -> Mapping[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _stored(entry: str, fields: Mapping[str, str], tries: int = 0) -> Stored:
    raw = fields["raw"].encode() if "raw" in fields else base64.b64decode(fields["b64"])
    return Stored(entry, int(fields["id"]), raw, int(tries))


def _is_named(user: UserRef, row: str) -> bool:
    about = json.loads(row)
    text = about.get("raw")
    # What is no text names whom nobody knows.
    return not isinstance(text, str) or names(user, text)
