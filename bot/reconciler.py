"""Repairs what a crash left: messages that were recorded and not dealt with, turns let run that nobody runs, results
that nobody delivered, pixels that nobody holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Protocol

import structlog

from bot.deletion import delete_pixels
from bot.domain.errors import ChatClosed
from bot.domain.messages import InboundMessage
from bot.domain.refs import Sha256, TurnId
from bot.domain.turns import FINAL_STATES
from bot.ports import Close, ImageLedger, ImageStore, MessageStore, OpenTurn, TurnQueue, TurnStore
from bot.sight import figures

log = structlog.get_logger("reconciler")
_MOST_REPAIRS = 16
"""At once: a chat that takes its time does not hold up the others."""
_LONGEST_REPAIR_S = 60.0
_COLLECTING_S = 120.0
"""So long nobody else collects after the last sign of life of who does."""
_LOOKED_AT = 200
"""Images that the ledger is asked for in one go."""
_DELETED = 100
"""At most between two signs of life: `AT_ONCE` of them take `LONGEST_S`."""


class Spool(Protocol):
    """Uploads on their way in: what is left after a day belongs to nobody."""

    def list(self) -> AsyncIterator[tuple[str, float]]: ...

    async def delete(self, handle: str) -> None: ...


class Reconciler:
    """Looks every `every_s` seconds, and sweeps pixels every `sweep_s`. What is younger than `grace_s` is left to
    whoever is at it, and so is a reply that somebody has the right to fill. `receive` is the hall, `close` what follows
    a final state, `expire` ends what has waited longer than `consent_s` for somebody's consent; `also` is a round of
    those who look after their own, `clean` one that goes with each sweep."""

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
        close: Close,
        expire: Callable[[TurnId], Awaitable[None]],
        also: Callable[[], Awaitable[None]],
        clean: Callable[[], Awaitable[int]],
        worker: str,
        slots: int,
        consent_s: float = 3 * 24 * 3600.0,
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
        self._expire = expire
        self._also = also
        self._clean = clean
        self._consent_s = consent_s
        self._worker = worker
        self._slots = slots
        self._every_s = every_s
        self._grace_s = grace_s
        self._sweep_s = sweep_s
        self._unheld_s = unheld_s

    def loops(self) -> tuple[Coroutine[None, None, None], ...]:
        """What is to run until cancelled, each as a task of its own: showing life, repairing and sweeping do not wait
        for each other."""
        return (
            self._again_and_again(self.announce, self._every_s),
            self._again_and_again(self.look, self._every_s),
            self._again_and_again(lambda: self.sweep(rest_s=self._sweep_s / 2), self._sweep_s),
        )

    async def leave(self) -> None:
        """This worker takes nothing more."""
        await self._turns.announce(self._worker, slots=0)

    async def _again_and_again(self, work: Callable[[], Awaitable[object]], every_s: float) -> None:
        while True:
            try:
                await work()
            except Exception:
                log.exception("could not look after things")
            await asyncio.sleep(every_s)

    async def announce(self) -> None:
        """This worker lives."""
        if self._slots:
            for turn in await self._turns.announce(self._worker, slots=self._slots):
                await self._queue.start(turn)

    async def look(self, *, grace_s: float | None = None) -> None:
        """One round. No grace where it is certain that nobody else is at it, or has the right to fill."""
        grace_s = self._grace_s if grace_s is None else grace_s
        some = asyncio.Semaphore(_MOST_REPAIRS)
        messages = await self._messages.unsettled(older_than_s=grace_s)
        await asyncio.gather(*(self._bring_back(message, some) for message in messages))
        turns = [each for each in await self._turns.open_turns() if each.age_s >= grace_s]
        await asyncio.gather(*(self._repair(open_, some, alone=not grace_s) for open_ in turns))
        await self._also()

    async def _bring_back(self, message: InboundMessage, some: asyncio.Semaphore) -> None:
        async with some:
            if await self._one(self._receive(message), "message", message.ref.key):
                log.info("message brought back", message=message.ref.key)
            else:
                await self._messages.put_off(message)

    async def _repair(self, open_: OpenTurn, some: asyncio.Semaphore, *, alone: bool) -> None:
        async with some:
            if open_.state in FINAL_STATES:
                await self._one(self._fill(open_.turn, alone=alone), "undelivered", open_.turn)
            elif open_.let_run:
                await self._one(self._queue.start(open_.turn), "let_run", open_.turn)
            elif open_.asks and open_.age_s > self._consent_s:
                await self._one(self._expire(open_.turn), "consent_expired", open_.turn)

    async def _fill(self, turn: TurnId, *, alone: bool) -> bool:
        """Not where somebody is at it."""
        if not await self._turns.take_filling(turn, alone=alone):
            return False
        await self._close(turn, ours=True)
        return True

    async def _one(self, repair: Awaitable[object], kind: str, name: str) -> bool:
        """One thing that cannot be repaired does not stand in the way of the others."""
        try:
            async with asyncio.timeout(_LONGEST_REPAIR_S):
                if await repair is False:
                    return True  # there was nothing to do
        except ChatClosed as error:
            # Tried again later, which costs nothing while the platform knows that it is closed.
            return not error.retryable
        except Exception:
            log.exception("could not repair", kind=kind, what=name)
            figures.REPAIRS.labels("failed").inc()
            return False
        figures.REPAIRS.labels(kind).inc()
        return True

    async def sweep(self, *, rest_s: float = 0.0) -> int:
        """Delete pixels that nobody holds and uploads that nobody fetched. Gives how many. One process does it at a
        time, and no other one within `rest_s` after. What is held is never deleted, however late that was: whoever
        holds something waits until a deletion is done, and then stores it."""
        if not await self._ledger.collects(self._worker, life_s=_COLLECTING_S):
            return 0
        swept = 0
        try:
            swept = await self._collect()
        finally:
            await self._ledger.collects(self._worker, life_s=rest_s)
        return swept

    async def _collect(self) -> int:
        swept = 0
        oldest = time.time() - self._unheld_s
        async for some in self._looked_at():
            if not await self._lives():
                return swept  # it took so long that another one is at it
            gone = await self._ledger.take([sha256 for sha256, written_at in some if written_at < oldest])
            for first in range(0, len(gone), _DELETED):
                if first and not await self._lives():
                    return swept
                went = await delete_pixels(self._images, self._ledger, gone[first : first + _DELETED])
                figures.SWEPT.labels("pictures").inc(went)
                swept += went
        async for handle, written_at in self._spool.list():
            if written_at < oldest:
                await self._spool.delete(handle)
                figures.SWEPT.labels("uploads").inc()
                swept += 1
        figures.SWEPT.labels("fingerprints").inc(await self._clean())
        return swept

    async def _lives(self) -> bool:
        return await self._ledger.collects(self._worker, life_s=_COLLECTING_S)

    async def _looked_at(self) -> AsyncIterator[Sequence[tuple[Sha256, float]]]:
        """All that is stored, some at a time."""
        some: list[tuple[Sha256, float]] = []
        async for each in self._images.list():
            some.append(each)
            if len(some) == _LOOKED_AT:
                yield some
                some = []
        if some:
            yield some
