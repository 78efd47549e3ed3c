"""Who has a name in which chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from bot.domain.cast import Member, same_name
from bot.domain.refs import ChatRef, UserRef
from storage.redis.client import Script
from storage.redis.codec import MEMBER
from storage.redis.keys import Keys


class RedisCastStore:
    """One hash per chat: the name as it is compared → JSON. Per person a set of the chats in which something is theirs.
    Both live `retention_s` from when anything of them was written or used, as its pixels do; with
    None, what stands there can only be changed, and goes on living as it did."""

    def __init__(self, client: Redis, *, retention_s: int | None, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._life_s = retention_s
        self._change = Script(client, "cast.lua")

    async def members(self, chats: Sequence[ChatRef]) -> Sequence[Member]:
        async with self._client.pipeline(transaction=False) as pipe:
            for chat in chats:
                pipe.hvals(self._keys.cast(chat.key))
            found: list[Any] = await pipe.execute()
        return [member for texts in found for member in _in_order(texts)]

    async def put(self, member: Member, *, instead_of: Member | None) -> bool:
        await self._list(member)
        return await self._swap(member, instead_of, member)

    async def _list(self, member: Member) -> None:
        """First: what is kept of somebody must be found when they are to be forgotten."""
        if self._life_s is None:
            return
        async with self._client.pipeline(transaction=False) as pipe:
            for person in member.people:
                pipe.sadd(self._keys.user_cast(person), member.chat.key)
                pipe.expire(self._keys.user_cast(person), self._life_s)
            await pipe.execute()

    async def drop(self, member: Member) -> bool:
        return await self._swap(member, member, None)

    async def _swap(self, member: Member, standing: Member | None, then: Member | None, *, text: str = "") -> bool:
        """`text` is what stands elsewhere of the one that shall stand here."""
        key, field = self._keys.cast(member.chat.key), same_name(member.name)
        before: Any = await self._client.hget(key, field)
        if (MEMBER.load(before) if before else None) != standing:
            return False
        text = before or text
        left = "" if then is None else MEMBER.rewrite(text, then) if text else MEMBER.dump(then)
        if self._life_s is not None:
            await self._renew([member.chat])
        return bool(await self._change([key], [field, before or "", left, self._life_s or ""]))

    async def renew(self, members: Sequence[Member]) -> None:
        await self._renew(list(dict.fromkeys(member.chat for member in members)))

    async def _renew(self, chats: Sequence[ChatRef]) -> None:
        """All of a chat's lives longer, so everybody's lists do, too, first of all."""
        if self._life_s is None:
            return
        people = dict.fromkeys(person for member in await self.members(chats) for person in member.people)
        kept = [*(self._keys.user_cast(person) for person in people), *(self._keys.cast(chat.key) for chat in chats)]
        async with self._client.pipeline(transaction=False) as pipe:
            for key in kept:
                pipe.expire(key, self._life_s)
            await pipe.execute()

    async def of(self, person: UserRef) -> Sequence[Member]:
        chats: Any = await self._client.smembers(self._keys.user_cast(person))
        found: list[Member] = []
        for chat_key in sorted(str(each) for each in chats):
            texts: Any = await self._client.hvals(self._keys.cast(chat_key))
            found += [member for member in _in_order(texts) if person in member.people]
        return found

    async def forget(self, person: UserRef) -> None:
        """The list of chats, once nothing in them is theirs any more."""
        if not await self.of(person):
            await self._client.delete(self._keys.user_cast(person))

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        texts: Any = await self._client.hvals(self._keys.cast(old.key))
        for text in texts:
            member = MEMBER.load(text)
            there = replace(member, chat=new)
            await self._list(there)
            await self._swap(there, None, there, text=text)
            await self.drop(member)


def _in_order(texts: Sequence[str]) -> list[Member]:
    members = [MEMBER.load(text) for text in texts]
    return sorted(members, key=lambda each: (min((made.at for made in each.pictures), default=0.0), each.name))
