"""What goes to the database and comes back, counted at the connections of this process.

A trip is what is sent in one go, a command or a pipeline, and answered before anything else happens on its connection.
"""

from __future__ import annotations

import contextlib
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, TypeAlias

from redis.asyncio.connection import AbstractConnection
from structlog.contextvars import get_contextvars

from bot.domain.refs import TurnId
from bot.sight import path
from storage.redis import together

QUEUE: Final = "queue"
_OURS: Final = "storage/redis/"
_HELPERS: Final = ("client.py", "codec.py", "cluster.py")
_TOGETHER: Final = "together.py"
_stages: ContextVar[tuple[str, ...]] = ContextVar("stages", default=())

_Asking: TypeAlias = tuple[TurnId | None, tuple[str, ...], str]


@dataclass
class Trip:
    """`steps` are the methods of ours that asked, such as `RedisTurnStore.claim`, or `queue` for the queue engine.
    `turn` is the one that it was made for, where that is known, and `stages` where that turn was, the innermost last
    (see `bot.sight.path`). `commands` are their names in lower case; `received_bytes` grows until it is answered."""

    turn: TurnId | None
    stages: tuple[str, ...]
    steps: tuple[str, ...]
    commands: tuple[str, ...]
    sent_bytes: int
    received_bytes: int = 0


@contextlib.contextmanager
def trips() -> Generator[list[Trip]]:
    """Every trip of this process, in their order, as they are made."""
    found: list[Trip] = []
    connection_type: Any = AbstractConnection
    stage_type: Any = path.stage
    asks_type: Any = together.Together
    send, ask = connection_type.send_packed_command, asks_type.ask
    enter, leave = stage_type.__enter__, stage_type.__exit__
    asked: defaultdict[int, list[_Asking]] = defaultdict(list)

    async def counted(connection: Any, command: Any, check_health: bool = True) -> None:
        packed = _joined(command)
        asking = _asking(sys._getframe(1), asked) or [_now(_step(sys._getframe(1)))]
        turn, stages = next(((turn, stages) for turn, stages, _ in asking if turn is not None), asking[0][:2])
        trip = Trip(turn, stages, tuple(step for *_, step in asking), commands_in(packed), len(packed))
        found.append(trip)
        if not connection.is_connected:
            await connection.connect_check_health(check_health=False)
        _count_answers(connection, trip)
        await send(connection, [packed], check_health)

    async def noted(self: Any, *questions: Any) -> Any:
        asked[id(self._waiting)].append(_now(_step(sys._getframe(1))))
        return await ask(self, *questions)

    def entered(self: Any) -> None:
        _stages.set((*_stages.get(), self._name))
        enter(self)

    def left(self: Any, *about: Any) -> None:
        leave(self, *about)
        _stages.set(_stages.get()[:-1])

    connection_type.send_packed_command, asks_type.ask = counted, noted
    stage_type.__enter__, stage_type.__exit__ = entered, left
    try:
        yield found
    finally:
        connection_type.send_packed_command, asks_type.ask = send, ask
        stage_type.__enter__, stage_type.__exit__ = enter, leave


def commands_in(packed: bytes) -> tuple[str, ...]:
    """The names of the commands in a piece of the protocol."""
    names: list[str] = []
    at = 0
    while at < len(packed):
        end = packed.index(b"\r\n", at)
        count, at = int(packed[at + 1 : end]), end + 2
        for number in range(count):
            end = packed.index(b"\r\n", at)
            size, at = int(packed[at + 1 : end]), end + 2
            if number == 0:
                names.append(packed[at : at + size].decode().lower())
            at += size + 2
    return tuple(names)


def _joined(command: Any) -> bytes:
    if isinstance(command, str):
        return command.encode()
    parts: Iterable[bytes] = [command] if isinstance(command, bytes) else command
    return b"".join(parts)


def _count_answers(connection: Any, trip: Trip) -> None:
    """What arrives on this connection from now on belongs to this trip."""
    reader = connection._reader
    plain: Callable[[bytes], None] = getattr(reader, "plain_feed", None) or reader.feed_data
    reader.plain_feed = plain

    def fed(data: bytes) -> None:
        trip.received_bytes += len(data)
        plain(data)

    reader.feed_data = fed


def _step(frame: FrameType | None) -> str:
    """The outermost method of ours that is under way: helpers and what they call stand below it."""
    step = QUEUE
    while frame is not None:
        name = frame.f_code.co_filename
        if _OURS in name and not name.endswith((*_HELPERS, _TOGETHER)):
            step = frame.f_code.co_qualname
        frame = frame.f_back
    return step


def _now(step: str) -> _Asking:
    return get_contextvars().get("turn"), _stages.get(), step


def _asking(frame: FrameType | None, asked: dict[int, list[_Asking]]) -> list[_Asking]:
    """Everyone who asked, of what is asked together."""
    while frame is not None:
        if frame.f_code.co_filename.endswith(_TOGETHER) and frame.f_code.co_name == "_trip":
            return asked.pop(id(frame.f_locals["asked"]), [])
        frame = frame.f_back
    return []
