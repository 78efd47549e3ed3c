"""What people have said of their own pictures."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, assert_never

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.domain.consent import LastSaid, Standing, mark_of
from bot.domain.own_pictures import Said
from bot.domain.refs import ChatRef, Sha256, TurnId, UserRef
from bot.ports import NoteStore
from storage.redis.client import Script
from storage.redis.keys import Keys
from storage.redis.together import ask_together

NEVER = "never"
"""The field of who said so. It is what erasure leaves: whoever is forgotten did not thereby agree to anything."""

_HERE = "here:"
_AT_ONCE = 200
"""People of whom it is looked up in one go what they said."""

WITHDRAWN, GOING, EXPLAINED = "withdrawn:", "going:", "explained"


class RedisConsentStore:
    """One hash per owner: `never`, and `here:<chat>` for each chat, each with when it was said (s). It has no expiry.

    Beside it another one: `withdrawn:<picture>` with when it was (s), which is a no like "never" and outlives even the
    owner's erasure; `going:<picture>` while that is carried out; and `explained`, the question with which their choices
    were explained to them.

    What was said last counts: "never" takes back every "here", so that none comes back to life with it; a "here" takes
    back "never", and everywhere else the owner is asked again."""

    def __init__(self, client: Redis, keys: Keys | None = None, *, notes: NoteStore | None = None) -> None:
        """Withdrawals and what people say go into the `notes` as well, which outlive this database: first, but for a
        "never"."""
        self._client = client
        self._recall = Script(client, "recall.lua")
        self._notes = notes
        self._keys = keys or Keys()

    async def standing(self, owners: Sequence[UserRef], chat: ChatRef) -> Sequence[Standing]:
        fields = [NEVER, _here(chat)]
        keys = [self._keys.consent(owner) for owner in owners]
        said = await ask_together(self._client, *(partial(_hmget, key=key, fields=fields) for key in keys))
        return [_standing(never, here) for never, here in said]

    async def stand(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        at = _now()
        if standing is Standing.NEVER:
            # At once, even where the notes are away: they do not take back what was said later than they know.
            await self._hold(owner, chat, standing, at)
            await self._note(owner, standing, chat, at)
        else:
            await self._note(owner, standing, chat, at)
            await self._hold(owner, chat, standing, at)

    async def _hold(self, owner: UserRef, chat: ChatRef, standing: Standing, at: float) -> None:
        key, now = self._keys.consent(owner), str(at)
        async with self._client.pipeline(transaction=True) as pipe:
            match standing:
                case Standing.NEVER:
                    pipe.delete(key)
                    pipe.hset(key, NEVER, now)
                case Standing.HERE:
                    pipe.hdel(key, NEVER)
                    pipe.hset(key, _here(chat), now)
                case Standing.UNSAID:
                    pipe.hdel(key, NEVER, _here(chat))
                case _:
                    assert_never(standing)
            await pipe.execute()

    async def _note(self, owner: UserRef, standing: Standing, chat: ChatRef | None, at: float) -> None:
        if self._notes is not None:
            await self._notes.said(owner, standing, chat, at=at)

    async def never_since(self, owner: UserRef) -> float | None:
        at: Any = await self._client.hget(self._keys.consent(owner), NEVER)
        return float(at) if at is not None else None

    async def said(self, owner: UserRef, chat: ChatRef) -> Said:
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hkeys(self._keys.consent(owner))
            pipe.hkeys(self._keys.owners_own(owner))
            said, own = await pipe.execute()
        standing = Standing.NEVER if NEVER in said else Standing.HERE if _here(chat) in said else Standing.UNSAID
        elsewhere = sum(field not in (NEVER, _here(chat)) for field in said)
        return Said(standing, elsewhere, sum(field.startswith(WITHDRAWN) for field in own))

    async def take_back(self, owner: UserRef) -> None:
        await self._note(owner, Standing.UNSAID, None, _now())
        await self._client.delete(self._keys.consent(owner))

    async def withdraw(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        if pictures:
            if self._notes is not None:
                await self._notes.withdrawn(owner, pictures)
            now = str(time.time())
            fields: dict[Any, Any] = {f"{name}{picture}": now for picture in pictures for name in (WITHDRAWN, GOING)}
            await self._client.hset(self._keys.owners_own(owner), mapping=fields)

    async def going(self, owner: UserRef) -> Sequence[Sha256]:
        fields: list[Any] = await self._client.hkeys(self._keys.owners_own(owner))
        return sorted(Sha256(str(field).removeprefix(GOING)) for field in fields if str(field).startswith(GOING))

    async def gone(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        if pictures:
            await self._client.hdel(self._keys.owners_own(owner), *(f"{GOING}{picture}" for picture in pictures))

    async def withdrawn(self, pictures: Sequence[tuple[UserRef, Sha256]]) -> Sequence[float | None]:
        if not pictures:
            return []
        asked = [(self._keys.owners_own(owner), f"{WITHDRAWN}{picture}") for owner, picture in pictures]
        since = await ask_together(self._client, *(partial(_hget, key=key, field=field) for key, field in asked))
        return [float(each) if each is not None else None for each in since]

    async def restore(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        if pictures:
            if self._notes is not None:
                await self._notes.restored(owner, pictures)
            fields = [f"{name}{picture}" for picture in pictures for name in (WITHDRAWN, GOING)]
            await self._client.hdel(self._keys.owners_own(owner), *fields)

    async def explains(self, owner: UserRef, question: TurnId) -> bool:
        key = self._keys.owners_own(owner)
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hsetnx(key, EXPLAINED, question)
            pipe.hget(key, EXPLAINED)
            _, first = await pipe.execute()
        return bool(first == question)

    async def recall(self, noted: Mapping[UserRef, LastSaid]) -> Mapping[UserRef, Standing]:
        changed: dict[UserRef, Standing] = {}
        owners = list(noted)
        for first in range(0, len(owners), _AT_ONCE):
            some = owners[first : first + _AT_ONCE]
            async with self._client.pipeline(transaction=False) as pipe:
                for owner in some:
                    pipe.hgetall(self._keys.consent(owner))
                rows: list[Any] = await pipe.execute()
            async with self._client.pipeline(transaction=False) as pipe:
                wrong = {owner: _wrong(noted[owner], said) for owner, said in zip(some, rows, strict=True)}
                back = {owner: args for owner, args in wrong.items() if args}
                for owner, args in back.items():
                    await self._recall([self._keys.consent(owner)], args, within=pipe)
                answers: list[Any] = await pipe.execute()
            changed |= {owner: Standing(each) for owner, each in zip(back, answers, strict=True) if each}
        return changed


def _wrong(last: LastSaid, said: Mapping[str, str]) -> list[str | int | float]:
    """What recall.lua is to do where something came back that holds no more, or went that holds; else nothing."""
    ends = {each: last.ended(mark_of(each.removeprefix(_HERE))) for each in said if each.startswith(_HERE)}
    ended = [part for each, end in ends.items() if float(said[each]) <= end for part in (each, end)]
    never = float(said.get(NEVER, 0))
    is_other = not said if last.is_never else 0 < never <= last.lifted
    return [last.never if last.is_never else 0, last.lifted, *ended] if ended or is_other else []


def _now() -> float:
    """In whole milliseconds, as the names of notes have it."""
    return round(time.time(), 3)


def _hget(pipe: Pipeline, *, key: str, field: str) -> object:
    return pipe.hget(key, field)


def _hmget(pipe: Pipeline, *, key: str, fields: list[str]) -> object:
    return pipe.hmget(key, fields)


def _here(chat: ChatRef) -> str:
    return f"{_HERE}{chat.key}"


def _standing(never: str | None, here: str | None) -> Standing:
    if never is not None:
        return Standing.NEVER
    return Standing.UNSAID if here is None else Standing.HERE
