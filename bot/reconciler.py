"""Repairs what a crash left: messages that were recorded and not dealt with, turns let run that nobody runs, results
that nobody delivered, pixels that nobody holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

import structlog

from bot.domain.messages import InboundMessage
from bot.domain.refs import TurnId
from bot.domain.turns import FINAL_STATES
from bot.ports import ImageLedger, ImageStore, MessageStore, TurnQueue, TurnStore

log = structlog.get_logger("reconciler")


class Spool(Protocol):
    """Uploads on their way in: what is left after a day belongs to nobody."""

    def list(self) -> AsyncIterator[tuple[str, float]]: ...

    async def delete(self, handle: str) -> None: ...


class Reconciler:
    """Looks every `every_s` seconds, and sweeps pixels every `sweep_s`. What is younger than `grace_s` is left to
    whoever is at it. `receive` is the hall, `close` what follows a final state."""

    def __init__(
        self,
        *,
        messages: MessageStore,
        turns: TurnStore,
        queue: TurnQueue,
        images: ImageStore,
        ledger: ImageLedger,
        spool: Spool,
        receive: Callable[[InboundMessage], Awaitable[object]],
        close: Callable[[TurnId], Awaitable[None]],
        worker: str,
        slots: int,
        every_s: float = 3.0,
        grace_s: float = 5.0,
        sweep_s: float = 6 * 3600.0,
        unheld_s: float = 24 * 3600.0,
    ) -> None:
        self._messages = messages
        self._turns = turns
        self._queue = queue
        self._images = images
        self._ledger = ledger
        self._spool = spool
        self._receive = receive
        self._close = close
        self._worker = worker
        self._slots = slots
        self._every_s = every_s
        self._grace_s = grace_s
        self._sweep_s = sweep_s
        self._unheld_s = unheld_s

    async def run(self) -> None:
        """Until cancelled. The first look, right after a start, has no grace: whoever was at it is gone."""
        grace_s = 0.0 if self._slots else self._grace_s
        next_sweep = time.monotonic() + 60
        try:
            while True:
                try:
                    await self.announce()
                    await self.look(grace_s=grace_s)
                    if time.monotonic() >= next_sweep:
                        next_sweep = time.monotonic() + self._sweep_s
                        await self.sweep()
                except Exception:
                    log.exception("could not look after open turns")
                grace_s = self._grace_s
                await asyncio.sleep(self._every_s)
        finally:
            await self._turns.announce(self._worker, slots=0)

    async def announce(self) -> None:
        """This worker lives."""
        if self._slots:
            for turn in await self._turns.announce(self._worker, slots=self._slots):
                await self._queue.start(turn)

    async def look(self, *, grace_s: float) -> None:
        """One round."""
        for message in await self._messages.unsettled(older_than_s=grace_s):
            log.info("message brought back", message=message.ref.key)
            await self._one(self._receive(message), message.ref.key)
        for open_ in await self._turns.open_turns():
            if open_.age_s < grace_s:
                continue
            if open_.state in FINAL_STATES:
                await self._one(self._close(open_.turn), open_.turn)
            elif open_.let_run:
                await self._one(self._queue.start(open_.turn), open_.turn)

    async def _one(self, repair: Awaitable[object], name: str) -> None:
        """One thing that cannot be repaired does not stand in the way of the others."""
        try:
            await repair
        except Exception:
            log.exception("could not repair", what=name)

    async def sweep(self) -> int:
        """Delete pixels that nobody holds and uploads that nobody fetched. Gives how many."""
        swept = 0
        oldest = time.time() - self._unheld_s
        async for sha256, written_at in self._images.list():
            if written_at < oldest and await self._ledger.facts(sha256) is None:
                await self._images.delete(sha256)
                swept += 1
        async for handle, written_at in self._spool.list():
            if written_at < oldest:
                await self._spool.delete(handle)
                swept += 1
        return swept
