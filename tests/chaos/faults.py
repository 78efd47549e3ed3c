"""What can go wrong at a boundary: one fault each, done to one process or to the store that all of them share."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from signal import SIGKILL, SIGTERM
from typing import Self

from tests.chaos.town import Asked, Side
from tests.fleet import Fleet, Process

FROZEN_S = 5.0
"""Longer than every lease that tests/e2e/victim.py leaves."""
CUT_S = 3.0
BEGUN_AGAIN_S = 3.0
DELAY_S = 2.0


@dataclass(eq=False)
class Trapped:
    """One process that has traps, and the line to it."""

    process: Process
    writer: asyncio.StreamWriter
    seen: set[str] = field(default_factory=set[str])

    def say(self, words: str) -> None:
        with contextlib.suppress(OSError):
            self.writer.write(f"{words}\n".encode())

    @property
    def role(self) -> str:
        return self.process.name.rstrip("0123456789")


class Control:
    """Where the processes of a fleet ask what is meant. `port` goes into their environment as TRAPS."""

    def __init__(self) -> None:
        self.fleet: Fleet | None = None
        self.trapped: dict[str, Trapped] = {}
        self.seen: dict[str, set[str]] = defaultdict(set)
        self._hit: asyncio.Future[Trapped] | None = None
        self._armed: tuple[str, str] = ("", "")

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._line, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for each in self.trapped.values():
            each.writer.transport.abort()

    def arm(self, role: str, boundary: str) -> asyncio.Future[Trapped]:
        """The first process of this role that gets there waits there."""
        self._hit = asyncio.get_running_loop().create_future()
        self._armed = (role, boundary)
        for each in self.trapped.values():
            if each.role == role:
                each.say(f"arm {boundary}")
        return self._hit

    def disarm(self) -> None:
        self._armed = ("", "")
        for each in self.trapped.values():
            each.say("disarm")

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self.fleet is not None
        pid = int((await reader.readline()).split()[1])
        process = next(each for each in self.fleet.members if each.pid == pid)
        mine = self.trapped[process.name] = Trapped(process, writer)
        role, boundary = self._armed
        mine.say(f"arm {boundary}" if mine.role == role else "disarm")  # it waits for that before it begins
        with contextlib.suppress(OSError):
            while line := (await reader.readline()).decode().strip():
                word, _, what = line.partition(" ")
                if word == "seen":
                    self.seen[mine.role].add(what)
                elif self._hit is not None and not self._hit.done():
                    self.disarm()
                    self._hit.set_result(mine)
                else:
                    mine.say("go")  # a second one, at the same moment


@dataclass(frozen=True, slots=True)
class Met:
    """A process that got to a boundary while a message was on its way."""

    fleet: Fleet
    trapped: Trapped
    side: Side
    asking: asyncio.Task[Asked]


async def kill(met: Met) -> None:
    """Its peers have a moment to take over; then whatever looks after processes starts it again."""
    await met.trapped.process.kill()
    await asyncio.wait([met.asking], timeout=BEGUN_AGAIN_S)
    if not met.asking.done() or not any(each.is_final for each in met.asking.result().answers()):
        await asyncio.sleep(BEGUN_AGAIN_S)
    await met.trapped.process.begin_again()


async def freeze(met: Met) -> None:
    """It wakes up later than its leases last, and goes on as if nothing had been."""
    met.trapped.process.freeze()
    await asyncio.sleep(FROZEN_S)
    met.trapped.process.thaw()
    met.trapped.say("go")


async def cut(met: Met) -> None:
    met.fleet.wire.cut()
    met.trapped.say("go")
    await asyncio.sleep(CUT_S)
    met.fleet.wire.mend()


async def restart(met: Met) -> None:
    met.trapped.say("go")
    await met.fleet.valkey.restart(SIGTERM)


async def crash(met: Met) -> None:
    met.trapped.say("go")
    await met.fleet.valkey.restart(SIGKILL)


async def repeat(met: Met) -> None:
    met.trapped.say("go")
    await met.side.repeats(None if not met.asking.done() else met.asking.result())


async def delay(met: Met) -> None:
    met.trapped.say(f"sleep {DELAY_S}")


FAULTS: dict[str, Callable[[Met], Awaitable[None]]] = {
    "kill -9": kill,
    "frozen": freeze,
    "store cut off": cut,
    "store restarted": restart,
    "store killed": crash,
    "repeated": repeat,
    "delayed": delay,
}
