"""What must hold once everything is quiet: nothing lost, nothing doubled, nothing billed twice, nothing left behind."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, cast

from redis.exceptions import RedisError

from storage.redis.codec import OUTCOME
from storage.redis.keys import WITHOUT_EXPIRY, Keys
from tests.chaos.town import Asked, OnThePage
from tests.fleet import Fleet

KEYS = Keys()
_POLL_S = 0.1


@dataclass(slots=True)
class Books:
    """Figures, and in words whatever is wrong with them."""

    asked: int = 0
    answered: int = 0
    lost: int = 0
    doubled: int = 0
    orphans: int = 0
    turns: int = 0
    calls_seen: int = 0
    calls_counted: int = 0
    retried: int = 0
    double_billed: int = 0
    states: dict[str, int] = field(default_factory=dict[str, int])
    troubles: list[str] = field(default_factory=list[str])

    def expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.troubles.append(f"{what}: {found!r} instead of {wanted!r}")


@asynccontextmanager
async def reading(fleet: Fleet) -> AsyncGenerator[Any]:
    """A client past the wire."""
    async with fleet.valkey.client() as client:
        yield cast(Any, client)


async def left_open(client: Any) -> dict[str, Any]:
    """What is still being done, by where it stands; empty once everything is quiet."""
    found: dict[str, Any] = {
        "open": await client.zrange(f"{KEYS.admission}:open", 0, -1),
        "admitted": await client.hgetall(f"{KEYS.admission}:admitted"),
        "under way": await client.hgetall(f"{KEYS.admission}:under_way"),
        "ring": await client.lrange(f"{KEYS.admission}:ring", 0, -1),
        "inbox": await client.zrange(KEYS.inbox, 0, -1),
    }
    async for key in client.scan_iter(match="rb:telegram:*:inbox", count=1000):
        found[key] = await client.xlen(key)
    return {what: value for what, value in found.items() if value}


async def quiet(fleet: Fleet, *, within_s: float) -> dict[str, Any]:
    """Wait until nothing is under way. Gives what still is when the time is over."""
    left: dict[str, Any] = {"state": "not read"}
    try:
        async with asyncio.timeout(within_s):
            while True:
                try:
                    async with reading(fleet) as client:
                        left = await left_open(client)
                except (RedisError, OSError):
                    left = {"state": "away"}
                if not left:
                    return {}
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        return left


async def settled(fleet: Fleet, asked: Sequence[Asked], *, calls_before: int = 0) -> Books:
    """Look at everything once it is quiet: the chats, the store, the model and the pictures."""
    books = Books(asked=len(asked))
    sides = {each.side.name: each.side for each in asked}
    for side in sides.values():
        await side.look()
        books.orphans += side.orphans()
    async with reading(fleet) as client:
        books.expect("left open", await left_open(client), {})
        await _keys(client, books)
        renditions = await _turns(client, books)
        await _money(client, books)
    await _chats(asked, books, renditions)
    books.calls_seen = await fleet.calls() - calls_before
    if books.calls_seen > books.calls_counted:
        books.double_billed = books.calls_seen - books.calls_counted
        books.troubles.append(f"the model saw {books.calls_seen} calls, the store knows of {books.calls_counted}")
    return books


async def _chats(asked: Sequence[Asked], books: Books, renditions: set[str]) -> None:
    for each in asked:
        found = each.answers()
        final = [answer for answer in found if answer.is_final]
        books.answered += bool(final)
        books.lost += not final
        books.doubled += max(0, len(found) - 1)
        if len(found) != 1 or not final:
            told = [(answer.is_final, len(answer.pictures), answer.words[:60]) for answer in found]
            books.troubles.append(f"{each.side.name}: “{each.words}” has the answers {told}")
        for answer in final:
            shown = await each.side.bytes_of(answer) if isinstance(each.side, OnThePage) else list(answer.pictures)
            if foreign := [sha256 for sha256 in shown if sha256 not in renditions]:
                books.troubles.append(f"{each.side.name}: “{each.words}” shows what was never stored: {foreign}")


async def _keys(client: Any, books: Books) -> None:
    """Every key expires, or stands on the list."""
    every = [str(key) async for key in client.scan_iter(count=1000)]
    lives: list[int] = []
    for first in range(0, len(every), 1000):
        async with client.pipeline(transaction=False) as pipe:
            for key in every[first : first + 1000]:
                pipe.pttl(key)
            lives += await pipe.execute()
    eternal = [key for key, life in zip(every, lives, strict=True) if life == -1]
    books.expect(
        "keys without expiry", [key for key in eternal if not any(fnmatchcase(key, ok) for ok in WITHOUT_EXPIRY)], []
    )


async def _turns(client: Any, books: Books) -> set[str]:
    """The turns' own counts. Gives the SHA-256 of every file that may be shown."""
    shown: set[str] = set()
    states: Counter[str] = Counter()
    async for key in client.scan_iter(match="rb:{*}:turn:*", count=1000):
        if str(key).startswith(KEYS.admission):
            continue
        fields = await client.hgetall(key)
        if not fields.get("body"):
            continue
        books.turns += 1
        calls = int(fields["calls"])
        books.calls_counted += calls
        books.retried += max(0, calls - 1)
        if calls > 2:
            books.double_billed += calls - 2
            books.troubles.append(f"turn {key} called the model {calls} times")
        if fields.get("delivered") != "1":
            books.troubles.append(f"turn {key} is {fields['state']} and was not delivered")
        outcome = OUTCOME.load(fields["outcome"]) if fields.get("outcome") else None
        states[f"{fields['state']} {outcome.code if outcome else ''}".strip()] += 1
        for image in outcome.images if outcome else ():
            made = await client.hvals(KEYS.image_renditions(image.sha256))
            shown |= {json.loads(each)["sha256"] for each in made}
    books.states = dict(sorted(states.items()))
    return shown


async def _money(client: Any, books: Books) -> None:
    """The usage book is the sum of the calls, and what is reserved is the sum of what was spent."""
    calls = cost = 0
    async for key in client.scan_iter(match=f"{KEYS.admission}:used:*", count=1000):
        for figure, value in (await client.hgetall(key)).items():
            name = str(figure).partition(":")[0]
            calls += int(value) if name == "calls" else 0
            cost += int(value) if name == "cost_microusd" else 0
    books.expect("calls in the usage book", calls, books.calls_counted)
    async for key in client.scan_iter(match=f"{KEYS.admission}:bucket:house:2*", count=1000):
        books.expect(f"what {key} holds", int(await client.get(key)), cost)
    ready = [str(key) async for key in client.scan_iter(match=f"{KEYS.admission}:ready:*", count=1000)]
    books.expect("turns that wait for a slot", ready, [])
