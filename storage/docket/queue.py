"""The queue engine: pydocket, carrying turn ids and nothing else. What may run is decided by the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog
from docket import Docket, Worker

from bot.domain.refs import TurnId
from bot.ending import end
from storage.docket.plain import read_plain_values_only

log = structlog.get_logger("queue")

_TASK = "run_turn"
_HANDING_BACK_S = 5.0


def _with_connections(url: str, count: int) -> str:
    """pydocket's own pool has 100 connections; beyond that its worker believes that the server is down."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | {"max_connections": str(count)}
    return urlunsplit(parts._replace(query=urlencode(query)))


class DocketTurnQueue:
    """`slots` turns run at once in this process. A turn whose worker died is given to another after `lease_s`: about
    ten seconds where the server is on this machine, longer than the longest turn where it is not (an outage of the
    server would otherwise run turns again).

    Use as an async context manager.
    """

    def __init__(self, url: str, *, slots: int, lease_s: float, name: str = "rb:queue") -> None:
        read_plain_values_only()
        self._slots = slots
        self._lease = timedelta(seconds=lease_s)
        self._docket = Docket(
            name=name,
            url=_with_connections(url, max(100, slots * 4)),
            execution_ttl=timedelta(seconds=60),
            enable_internal_instrumentation=False,
        )
        self._work: Callable[[TurnId], Awaitable[None]] | None = None

        self._leaving = asyncio.Event()
        self._running: set[asyncio.Task[Any]] = set()
        self._left: list[TurnId] = []

        async def run_turn(turn: str) -> None:
            if self._leaving.is_set():
                self._left.append(TurnId(turn))
            elif self._work is not None and (task := asyncio.current_task()) is not None:
                self._running.add(task)
                try:
                    await self._work(TurnId(turn))
                except asyncio.CancelledError:
                    if not self._leaving.is_set():
                        raise
                    # For the queue it is done: what is not confirmed would be given to others after the lease only.
                    self._left.append(TurnId(turn))
                finally:
                    self._running.discard(task)

        self._docket.register(run_turn, names=[_TASK])

    async def __aenter__(self) -> DocketTurnQueue:
        await self._docket.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._docket.__aexit__(None, None, None)

    async def start(self, turn: TurnId) -> None:
        await self._docket.add(_TASK, key=turn)(turn)

    async def cancel(self, turn: TurnId) -> None:
        await self._docket.cancel(turn)

    def leave(self) -> None:
        """Take nothing more: `run` comes back once what runs has ended."""
        self._leaving.set()

    async def run(self, work: Callable[[TurnId], Awaitable[None]]) -> None:
        self._work = work
        serving: asyncio.Task[None] | None = None
        leaving = asyncio.create_task(self._leaving.wait())
        try:
            async with Worker(
                self._docket,
                concurrency=self._slots,
                redelivery_timeout=self._lease,
                reconnection_delay=timedelta(seconds=0.5),
                minimum_check_interval=timedelta(milliseconds=50),
                scheduling_resolution=timedelta(milliseconds=500),
                schedule_automatic_tasks=False,
            ) as worker:
                serving = asyncio.create_task(worker.run_forever(), name="queue")
                try:
                    await asyncio.wait({serving, leaving}, return_when=asyncio.FIRST_COMPLETED)
                except asyncio.CancelledError:
                    await self._break_off(serving)
                    raise
                # The worker's end of the block: it takes nothing more, and waits for what it began.
        finally:
            await self._break_off(*([serving] if serving is not None else []), leaving)
        if serving is not None:
            serving.result()

    async def _break_off(self, *tasks: asyncio.Task[Any]) -> None:
        self._leaving.set()
        await end(*self._running)
        await end(*tasks)

    async def hand_back(self) -> None:
        """What this process was given and did not begin, or did not finish, is for the others. To be called once it has
        left. Where the server is away the others find it by themselves, later."""
        try:
            async with asyncio.timeout(_HANDING_BACK_S):
                while self._left:
                    await self.start(self._left[-1])
                    self._left.pop()
        except Exception as error:
            log.warning("turns were not handed back", turns=len(self._left), error=type(error).__name__)
