"""Several processes hear one bot: each some of its shards. Who hears which is kept where all see it.

A process that shows no life for `LIFE_S` hears nothing any more, as far as the others are concerned: they take over
what it heard, and read what came meanwhile (`catching_up`). One that comes is left its share by the others. For a
moment two may hear one shard; the hall knows a message by its id, so that this is harmless.

Discord lets an account begin so many sessions at once (`max_concurrency`, one per lane, every five seconds) and a
thousand a day, however many processes there are (its documentation, 2026-11).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final, Protocol

import structlog

from adapters.discord.api import Unavailable
from adapters.discord.ports import Division, ShardStore
from bot.ending import end, is_ending
from bot.insisting import insist

log = structlog.get_logger("discord")

LIFE_S: Final = 15.0
BEATS: Final = 5
"""In the life of one that shows no other."""
IDENTIFY_EVERY_S: Final = 5.0


class Connections(Protocol):
    """The client, as far as shards go."""

    async def open_shard(self, shard: int) -> None:
        """Returns once it is connected; tries until then."""
        ...

    async def close_shard(self, shard: int) -> None:
        """Hear it no more, whether or not it was connected."""
        ...

    async def close(self) -> None: ...


class Shards:
    """The part of one process. `wanted` is how many shards there are to be, 0 for as many as Discord recommends."""

    def __init__(
        self, store: ShardStore, *, account: str, holder: str, wanted: int = 0, life_s: float | None = None
    ) -> None:
        self._store = store
        self._account = account
        self._holder = holder
        self._wanted = wanted
        self._life_s = LIFE_S if life_s is None else life_s
        self._lanes = 1
        self._opening: dict[int, asyncio.Task[None]] = {}
        self.held: frozenset[int] | None = None
        """Those that this process is to hear; None until that is known."""

    async def begin(self, recommended: int, limits: Mapping[str, Any]) -> int:
        """How many shards there are. Raises `Unavailable` where no session may be begun today."""
        if int(limits.get("remaining", 1)) < 1:
            raise Unavailable("Discord lets this bot begin no more sessions for now.")
        self._lanes = max(1, int(limits.get("max_concurrency", 1)))
        division = await self._divide(self._wanted or recommended)
        if division.count != recommended:
            log.info("shards", count=division.count, recommended=recommended)
        return division.count

    async def keep(self, client: Connections, count: int) -> None:
        """Hear what is ours, until it is cancelled."""
        try:
            while not is_ending():
                try:
                    division = await self._divide(count)
                except Exception as error:
                    # Whoever takes over meanwhile has to ask the same store.
                    log.warning("cannot see who hears which shard", error=type(error).__name__)
                else:
                    if division.count != count:
                        log.warning("there are other shards now", count=division.count)
                        await client.close()
                        return
                    await self._follow(client, division)
                await asyncio.sleep(self._life_s / BEATS)
        finally:
            await end(*self._opening.values())

    async def _divide(self, wanted: int) -> Division:
        async with asyncio.timeout(self._life_s / 2):
            return await self._store.divide(self._account, holder=self._holder, wanted=wanted, life_s=self._life_s)

    async def _follow(self, client: Connections, division: Division) -> None:
        wanted = division.own - division.leave
        for shard in sorted(wanted - self._opening.keys()):
            log.info("hearing shard", shard=shard)
            self._opening[shard] = asyncio.create_task(client.open_shard(shard), name=f"shard {shard}")
        self.held = wanted
        for shard in sorted(self._opening.keys() - wanted):
            log.info("leaving shard", shard=shard)
            await end(self._opening.pop(shard))
            await client.close_shard(shard)
        if division.leave:
            await self._store.leave(self._account, holder=self._holder, shards=division.leave)

    async def may_identify(self, shard: int) -> None:
        """Returns when a session may be begun."""
        lane = shard % self._lanes

        async def ask() -> float:
            return await self._store.until_identify(self._account, lane=lane, every_s=IDENTIFY_EVERY_S)

        while (wait_s := await insist(ask, what="place to begin a session")) > 0:  # noqa: ASYNC110 others take places
            await asyncio.sleep(wait_s)

    async def go(self) -> None:
        """Leave all to others, at once."""
        self.held = None
        self._opening.clear()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1):
                await self._store.go(self._account, holder=self._holder)
