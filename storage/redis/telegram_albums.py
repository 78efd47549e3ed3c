"""Albums that people sent to Telegram, as far as they have come.

    {prefix}:telegram:album:{<chat>}:<group>       hash  `item:<message>` (JSON), `began_at`, `last_at`, `gap_s`; once
                                                         closed `anchor`, and `handed:<message>` of what went along
    {prefix}:telegram:album-of:{<chat>}:<message>  text  the album that a message belongs to
    {prefix}:telegram:{<account>}:due              zset  albums, by when they are to be looked at
    {prefix}:telegram:{<account>}:due:given        hash  those that somebody is looking at
    {prefix}:telegram:sent:<person>                zset  albums that this person is in, by when that was

Every key expires, after a week.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

from redis.asyncio import Redis

from adapters.telegram.ports import Album, Json
from bot.domain.refs import ChatRef, MessageRef, UserRef, message_ref_of
from storage.redis.client import Script
from storage.redis.keys import Keys
from storage.redis.telegram_people import PLATFORM, message_without, people_of

LIFE_S: Final = 7 * 24 * 3600
_ITEM, _HANDED = "item:", "handed:"


class RedisAlbums:
    """See `adapters.telegram.ports.Albums`. What an album is to be looked at for again, since somebody was given it, is
    not let go with it."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client: Any = client
        self._keys = keys or Keys()
        self._add = Script(client, "telegram_album_add.lua")
        self._close = Script(client, "telegram_album_close.lua")
        self._due = Script(client, "telegram_album_due.lua")
        self._of = Script(client, "telegram_album_of.lua")

    async def add(self, chat: ChatRef, group: str, message: int, raw: Json, *, at: float) -> Album:
        keys = [self._keys.telegram_album(chat, group), self._keys.telegram_album_of(chat, message)]
        args: list[str | int | float] = [message, _json(raw), f"{at:.6f}", quote(group, safe="-_.~"), LIFE_S]
        async with self._client.pipeline(transaction=False) as pipe:
            # Before it is kept: what no person leads to could not be forgotten.
            for person in people_of(raw):
                sent = self._keys.telegram("sent", UserRef(PLATFORM, person).key)
                pipe.zadd(sent, {_name_of(chat, group): time.time()})
                pipe.zremrangebyscore(sent, "-inf", time.time() - LIFE_S)
                pipe.expire(sent, LIFE_S)
            await self._add(keys, args, within=pipe)
            flat = (await pipe.execute())[-1]
        return _album_of(chat, group, _pairs(flat))

    async def of_group(self, chat: ChatRef, group: str) -> Album | None:
        fields = await self._client.hgetall(self._keys.telegram_album(chat, group))
        return _album_of(chat, group, fields) if "last_at" in fields else None

    async def of_message(self, chat: ChatRef, message: int) -> Album | None:
        keys = [self._keys.telegram_album_of(chat, message)]
        match await self._of(keys, [self._keys.telegram_albums(chat)]):
            case [group, [_, *_] as flat]:
                return _album_of(chat, unquote(str(group)), _pairs(flat))
            case _:
                return None

    async def wake_at(self, chat: ChatRef, group: str, when: float) -> None:
        await self._due(self._dues(chat.account), ["wake", _name_of(chat, group), f"{when:.6f}", LIFE_S])

    async def due(self, account: str, now: float, *, life_s: float) -> Sequence[tuple[ChatRef, str]]:
        args: list[str | int | float] = ["due", f"{now:.6f}", f"{now + life_s:.6f}", LIFE_S]
        return [_named(str(name)) for name in await self._due(self._dues(account), args)]

    async def close(self, chat: ChatRef, group: str, *, anchor: int, handed: Sequence[int]) -> Album:
        flat = await self._close([self._keys.telegram_album(chat, group)], [anchor, LIFE_S, *handed])
        return _album_of(chat, group, _pairs(flat))

    async def let_go(self, chat: ChatRef, group: str) -> None:
        await self._due(self._dues(chat.account), ["drop", _name_of(chat, group)])

    async def forget(self, user: UserRef) -> None:
        """Their pictures, and what others' albums show of them."""
        sent = self._keys.telegram("sent", user.key)
        for name in await self._client.zrange(sent, 0, -1):
            await self._take_out(user, *_named(str(name)))
        await self._client.delete(sent)

    async def _take_out(self, user: UserRef, chat: ChatRef, group: str) -> None:
        key = self._keys.telegram_album(chat, group)
        fields: Mapping[str, str] = await self._client.hgetall(key)
        items = {name: json.loads(text) for name, text in fields.items() if name.startswith(_ITEM)}
        left = {name: message_without(user.user, item) for name, item in items.items()}
        async with self._client.pipeline(transaction=False) as pipe:
            for name, item in left.items():
                if item is None:
                    pipe.hdel(key, name)
                    pipe.delete(self._keys.telegram_album_of(chat, int(name.removeprefix(_ITEM))))
                elif item != items[name]:
                    pipe.hset(key, name, _json(item))
            if not any(left.values()):
                pipe.delete(key)
            await pipe.execute()

    def _dues(self, account: str) -> list[str]:
        return [self._keys.telegram_account(account, what) for what in ("due", "due:given")]


def _json(item: Json) -> str:
    # With escapes: half a pair of surrogates is JSON, but no text.
    return json.dumps(item, separators=(",", ":"))


def _name_of(chat: ChatRef, group: str) -> str:
    """Written like a message of that chat."""
    return MessageRef(chat, group).key


def _named(name: str) -> tuple[ChatRef, str]:
    ref = message_ref_of(name)
    return ref.chat, ref.message


def _pairs(flat: Sequence[str]) -> Mapping[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _album_of(chat: ChatRef, group: str, fields: Mapping[str, str]) -> Album:
    items = {int(name.removeprefix(_ITEM)): text for name, text in fields.items() if name.startswith(_ITEM)}
    return Album(
        chat=chat,
        group=group,
        items={message: json.loads(items[message]) for message in sorted(items)},
        began_at=float(fields.get("began_at", 0)),
        last_at=float(fields.get("last_at", 0)),
        gap_s=float(fields.get("gap_s", 0)),
        anchor=int(fields["anchor"]) if "anchor" in fields else None,
        handed=frozenset(int(name.removeprefix(_HANDED)) for name in fields if name.startswith(_HANDED)),
    )
