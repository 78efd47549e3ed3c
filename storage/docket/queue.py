"""The queue engine: pydocket, carrying turn ids and nothing else. What may run is decided by the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from docket import Docket, Worker

from bot.domain.refs import TurnId
from storage.docket.plain import read_plain_values_only

_TASK = "run_turn"


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

        async def run_turn(turn: str) -> None:
            if self._work is not None:
                await self._work(TurnId(turn))

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

    async def run(self, work: Callable[[TurnId], Awaitable[None]]) -> None:
        self._work = work
        async with Worker(
            self._docket,
            concurrency=self._slots,
            redelivery_timeout=self._lease,
            reconnection_delay=timedelta(seconds=0.5),
            minimum_check_interval=timedelta(milliseconds=50),
            scheduling_resolution=timedelta(milliseconds=500),
            schedule_automatic_tasks=False,
        ) as worker:
            await worker.run_forever()
