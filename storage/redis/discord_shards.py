"""Which process hears which of Discord's shards.

    {prefix}:discord:{<account>}:shards          hash  shard → the process that hears it; `count`, how many there are
    {prefix}:discord:{<account>}:hearing         zset  processes that live, by when (ms) they count as gone
    {prefix}:discord:{<account>}:identify:<n>    text  a session was begun just now; Discord takes no other for a while

Every key expires. Times are the server's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from redis.asyncio import Redis

from adapters.discord.ports import Division
from storage.redis.client import Script
from storage.redis.keys import Keys

KEPT_S: Final = 24 * 3600
"""How long it is known who heard what, after the last sign of life of any."""


class RedisShardStore:
    """See `adapters.discord.ports.ShardStore`."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._divide = Script(client, "discord_divide.lua")
        self._leave = Script(client, "discord_leave.lua")
        self._identify = Script(client, "discord_identify.lua")

    async def divide(self, account: str, *, holder: str, wanted: int, life_s: float) -> Division:
        args: list[str | int] = [holder, wanted, round(life_s * 1000), KEPT_S]
        count, mine, leave = await self._divide(self._both(account), args)
        return Division(int(count), frozenset(map(int, mine)), frozenset(map(int, leave)))

    async def leave(self, account: str, *, holder: str, shards: Iterable[int]) -> None:
        await self._leave(self._both(account), [holder, "", *shards])

    async def go(self, account: str, *, holder: str) -> None:
        await self._leave(self._both(account), [holder, "1"])

    async def until_identify(self, account: str, *, lane: int, every_s: float) -> float:
        key = self._keys.discord_account(account, f"identify:{lane}")
        return float(await self._identify([key], [round(every_s * 1000)])) / 1000

    def _both(self, account: str) -> list[str]:
        return [self._keys.discord_account(account, "shards"), self._keys.discord_account(account, "hearing")]
