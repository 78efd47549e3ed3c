"""`remixbot run`, made to be killed, stopped or cut off at one boundary of the path.

    python -m tests.e2e.victim "RedisTurnStore.submit:after" run --port 0 --data FOLDER

The boundary names a method and a side of it (tests/chaos/boundaries.py lists the methods): the process sends itself
SIGKILL right before the method's first call, or right after it came back; `#2` for the second call. `-` for no
boundary. With TRAPS=PORT the process is told which boundary is meant by whoever listens there, waits when it gets to
it, and does what it is told: that is how one process meets many faults. Leases are shortened, so that recovery is
quick; nothing else differs.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, TextIO

import adapters.telegram.outbound as telegram
import bot.app
from adapters.discord import shards
from storage.redis.turns import RedisTurnStore
from tests.chaos.boundaries import boundaries, classes


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(boundary: str) -> None:
    """Put the trap in place."""
    where, _, when = boundary.partition(":")
    side, _, number = when.partition("#")
    left = int(number or 1)
    class_name, _, method = where.partition(".")
    target = classes()[class_name]
    original: Callable[..., Any] = getattr(target, method)

    @functools.wraps(original)
    async def trapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if side == "before" and left == 0:
            die()
        result = await original(*args, **kwargs)
        if left <= 0:
            die()
        return result

    setattr(target, method, trapped)


class Traps:
    """A trap at every boundary, and a line to whoever says which of them is meant.

    They say `arm BOUNDARY` or `disarm`, the first time before anything begins. We say `seen METHOD` when it is called
    first, and `hit BOUNDARY`; then the whole process waits for `go`, or `sleep SECONDS`, which only that one call does.
    """

    def __init__(self, port: int) -> None:
        self._line = socket.create_connection(("127.0.0.1", port))
        self._told: queue.Queue[str] = queue.Queue()
        self._seen: set[str] = set()
        self._say(f"here {os.getpid()}")
        lines = self._line.makefile()
        self._armed = lines.readline().strip().partition(" ")[2]
        threading.Thread(target=self._listen, args=(lines,), daemon=True).start()

    def _say(self, words: str) -> None:
        self._line.sendall(f"{words}\n".encode())

    def _listen(self, lines: TextIO) -> None:
        with lines:
            for line in lines:
                word, _, rest = line.strip().partition(" ")
                if word in ("arm", "disarm"):
                    self._armed = rest
                else:
                    self._told.put(line.strip())

    async def passing(self, boundary: str) -> None:
        if boundary == self._armed:
            self._armed = ""
            self._say(f"hit {boundary}")
            word, _, seconds = self._told.get().partition(" ")
            if word == "sleep":
                await asyncio.sleep(float(seconds))

    def set(self) -> None:
        found = classes()
        for each in boundaries():
            class_name, _, method = each.partition(".")
            if inspect.iscoroutinefunction(getattr(found[class_name], method)):
                self._set(found[class_name], class_name, method)

    def _set(self, target: type, class_name: str, method: str) -> None:
        original: Callable[..., Any] = getattr(target, method)
        name = f"{class_name}.{method}"

        @functools.wraps(original)
        async def trapped(*args: Any, **kwargs: Any) -> Any:
            if name not in self._seen:
                self._seen.add(name)
                self._say(f"seen {name}")
            await self.passing(f"{name}:before")
            result = await original(*args, **kwargs)
            await self.passing(f"{name}:after")
            return result

        setattr(target, method, trapped)


def shorten_leases() -> None:
    bot.app.EMBEDDED_LEASE_S = 1.5
    bot.app.REMOTE_LEASE_S = 3.0
    bot.app.SHARED_IDLE_S = 3.0
    telegram.Rhythm = functools.partial(telegram.Rhythm, asking_s=3.0, stale_s=6.0)  # type: ignore[assignment, misc]
    shards.LIFE_S = 2.0  # type: ignore[misc]
    original = RedisTurnStore.__init__

    @functools.wraps(original)
    def quick(self: RedisTurnStore, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs | {"life_s": 2.5})

    RedisTurnStore.__init__ = quick  # type: ignore[method-assign]


if __name__ == "__main__":
    from bot.cli import cli

    shorten_leases()
    if port := os.environ.get("TRAPS"):
        Traps(int(port)).set()
    elif sys.argv[1] != "-":
        arm(sys.argv[1])
    sys.argv = ["remixbot", *sys.argv[2:]]
    cli()
