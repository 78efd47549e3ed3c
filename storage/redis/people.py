"""Who may use this installation: its door, its lists, its invitations; and what tells other processes of a change.

All of it lies in one slot. Lists are hashes of a subject's entry each; a code is kept as the hash of it. `news` is a
stream that says nothing but that something changed: each process waits at its end, so that a message costs no look
into the database.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.domain.invitations import MOST_TRIES, TRIES_WINDOW_S, Invitation, Joined
from bot.domain.people import Door, Entry, Roll, Rules
from bot.domain.refs import ChatRef, user_ref_of
from storage.redis.client import Script
from storage.redis.codec import ENTRY, INVITATION
from storage.redis.keys import Keys
from storage.redis.without import is_own_chat

_NEWS_LIFE_S = 24 * 3600
_MOST_NEWS = 16
_DOOR = "door"
_FIRST = "0-0"


class RedisPeopleStore:
    """See `bot.ports.PeopleStore`. Who is denied until a time goes from the list with the next change of it."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._join = Script(client, "join.lua")
        self._swap = Script(client, "swap.lua")

    async def rules(self) -> Rules:
        found: Any = await self._client.hgetall(self._keys.who("rules"))
        rolls = _rolls(found)
        return Rules(
            door=_door(found.get(_DOOR)),
            operators=frozenset(rolls[Roll.OPERATOR]),
            denied={subject: entry.until for subject, entry in rolls[Roll.DENIED].items()},
        )

    async def allowed(self, subjects: Sequence[str]) -> Sequence[bool]:
        found: list[Any] = await self._client.hmget(self._keys.who("allowed"), list(subjects))
        return [each is not None for each in found]

    async def roll(self, roll: Roll) -> Mapping[str, Entry]:
        if roll is Roll.ALLOWED:
            found: Any = await self._client.hgetall(self._keys.who("allowed"))
            return {str(subject): ENTRY.load(text) for subject, text in found.items()}
        return _rolls(await self._client.hgetall(self._keys.who("rules")))[roll]

    async def put(self, roll: Roll, subject: str, entry: Entry) -> None:
        await self._drop_those_over()
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(*self._at(roll, subject), ENTRY.dump(entry))
            self._tell(pipe)
            await pipe.execute()

    async def _drop_those_over(self) -> None:
        rules, now = self._keys.who("rules"), time.time()
        found: Any = await self._client.hgetall(rules)
        for subject, entry in _rolls(found)[Roll.DENIED].items():
            if entry.until and entry.until < now:
                field = f"{Roll.DENIED}:{subject}"
                # Not where somebody has denied them anew since.
                await self._swap([rules], [field, found[field], ""])

    async def drop(self, roll: Roll, subject: str) -> bool:
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hdel(*self._at(roll, subject))
            self._tell(pipe)
            return bool((await pipe.execute())[0])

    async def turn_door(self, door: Door) -> None:
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(self._keys.who("rules"), _DOOR, door.value)
            self._tell(pipe)
            await pipe.execute()

    # --- invitations

    async def invite(self, digest: str, invitation: Invitation) -> None:
        key, index = self._keys.invitation(digest), self._keys.who("invitations")
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={"left": invitation.left, "about": INVITATION.dump(invitation)})
            pipe.expireat(key, int(invitation.until))
            pipe.zremrangebyscore(index, "-inf", time.time())
            pipe.zadd(index, {digest: invitation.until})
            pipe.expire(index, int(invitation.until - time.time()) + 1, gt=True)
            pipe.expire(index, int(invitation.until - time.time()) + 1, nx=True)
            await pipe.execute()

    async def invitations(self) -> Sequence[Invitation]:
        digests: list[Any] = await self._client.zrange(self._keys.who("invitations"), 0, -1)
        async with self._client.pipeline(transaction=False) as pipe:
            for digest in digests:
                pipe.hmget(self._keys.invitation(str(digest)), ["about", "left"])
            found: list[Any] = await pipe.execute()
        return [_invitation(about, left) for about, left in found if about]

    async def revoke(self, id_: str) -> bool:
        digests: list[Any] = await self._client.zrange(self._keys.who("invitations"), 0, -1)
        gone = [str(digest) for digest in digests if id_ and str(digest).startswith(id_)]
        if len(gone) != 1:
            return False
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.delete(self._keys.invitation(gone[0]))
            pipe.zrem(self._keys.who("invitations"), gone[0])
            return bool((await pipe.execute())[0])

    async def join(self, digest: str, person: str, entry: Entry) -> Joined:
        keys = [
            self._keys.invitation(digest),
            self._keys.who("allowed"),
            self._keys.tries(person),
            self._keys.who("news"),
        ]
        args: list[str | int | float] = [person, ENTRY.dump(entry), MOST_TRIES, TRIES_WINDOW_S, _NEWS_LIFE_S]
        return Joined(str(await self._join(keys, args)))

    # --- news

    async def news(self) -> str:
        last: Any = await self._client.xrevrange(self._keys.who("news"), count=1)
        return str(last[0][0]) if last else _FIRST

    async def wait(self, since: str, *, within_s: float) -> bool:
        return bool(await self._client.xread({self._keys.who("news"): since}, count=1, block=int(within_s * 1000)))

    def _tell(self, pipe: Pipeline) -> None:
        pipe.xadd(self._keys.who("news"), {"v": "1"}, maxlen=_MOST_NEWS, approximate=False)
        pipe.expire(self._keys.who("news"), _NEWS_LIFE_S)

    def _at(self, roll: Roll, subject: str) -> tuple[str, str]:
        if roll is Roll.ALLOWED:
            return self._keys.who("allowed"), subject
        return self._keys.who("rules"), f"{roll}:{subject}"

    # --- erasure

    async def forget(self, person: str) -> None:
        """Who came in by a code is not on the list any more, and nobody is named as who put others there. That
        somebody, or the chat that is named after them, is kept out or was let in by an operator stays, without a
        word of why."""
        was_invited = any(await self.allowed([person]))
        for name in ("rules", "allowed"):
            key = self._keys.who(name)
            found: Any = await self._client.hgetall(key)
            for field, text in found.items():
                new = _without(str(field).removeprefix(f"{Roll.DENIED}:"), text, person) if field != _DOOR else text
                if new != text:
                    await self._swap([key], [str(field), text, new])
        for invitation in await self.invitations():
            if invitation.by == person:
                await self._unsign(invitation)
        await self._client.delete(self._keys.tries(person))
        if was_invited:
            async with self._client.pipeline(transaction=True) as pipe:
                self._tell(pipe)
                await pipe.execute()

    async def _unsign(self, invitation: Invitation) -> None:
        digests: list[Any] = await self._client.zrange(self._keys.who("invitations"), 0, -1)
        for digest in (str(each) for each in digests if str(each).startswith(invitation.id)):
            text: Any = await self._client.hget(self._keys.invitation(digest), "about")
            if not text:
                continue
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.hset(
                    self._keys.invitation(digest),
                    "about",
                    INVITATION.rewrite(text, replace(invitation, by=""), erasing=True),
                )
                pipe.expireat(self._keys.invitation(digest), int(invitation.until))
                await pipe.execute()


def _without(subject: str, text: str, person: str) -> str:
    """An entry once this person is forgotten; empty where it goes."""
    entry = ENTRY.load(text)
    if subject == person and entry.invited:
        return ""
    reason = "" if _is_about(subject, person) else entry.reason
    left = replace(entry, by="" if entry.by == person else entry.by, reason=reason)
    return text if left == entry else ENTRY.rewrite(text, left, erasing=True)


def _is_about(subject: str, person: str) -> bool:
    """Whether it is this person, or the chat in which they are alone with the bot."""
    platform, *kind, id_ = subject.split(":")
    is_own = bool(kind) and is_own_chat(user_ref_of(person), ChatRef(platform, "", unquote(id_)))
    return subject == person or is_own


def _rolls(found: Mapping[Any, Any]) -> dict[Roll, dict[str, Entry]]:
    rolls: dict[Roll, dict[str, Entry]] = {roll: {} for roll in Roll}
    for field, text in found.items():
        roll, _, subject = str(field).partition(":")
        if subject and roll in set(Roll):
            rolls[Roll(roll)][subject] = ENTRY.load(text)
    return rolls


def _door(text: Any) -> Door | None:
    """None where nothing was decided. What a newer version knows and this one does not is the narrowest."""
    if text is None:
        return None
    return Door(text) if text in set(Door) else Door.CLOSED


def _invitation(about: Any, left: Any) -> Invitation:
    known = INVITATION.load(about)
    return replace(known, left=int(left or 0))
