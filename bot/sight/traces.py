"""Traces of turns, by OpenTelemetry. Nothing of it is imported, and nothing paid, until `opened`.

A turn's trace id and the id of its root span are derived from the turn's own id: so every process that works on it
hangs its spans into the same trace, and nothing has to travel along. The root span is written by whoever shows the
answer. Spans hold ids and figures only.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from bot.domain.refs import TurnId

if TYPE_CHECKING:
    from bot.sight.exporting import Exporting

_exporting: Exporting | None = None


def ids_of(turn: TurnId) -> tuple[int, int]:
    """The trace id (128 bits) and the root span's id (64 bits) of a turn."""
    digest = hashlib.sha256(b"remixbot trace\0" + turn.encode()).digest()
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])


@contextlib.asynccontextmanager
async def opened(endpoint: str, *, about: Mapping[str, str]) -> AsyncGenerator[None]:
    """Send traces to this collector (OTLP over HTTP) while the block lasts; to none where it is empty. What is not
    sent by the end is given a few seconds."""
    global _exporting  # noqa: PLW0603 one for the whole process, as loggers are
    if not endpoint:
        yield
        return
    from bot.sight.exporting import Exporting  # large: only where it is wanted

    _exporting = Exporting(endpoint, about)
    try:
        yield
    finally:
        ending, _exporting = _exporting, None
        await asyncio.to_thread(ending.close)


def attach(turn: TurnId) -> Any:
    """Spans from here on belong to this turn. To be given to `detach`."""
    return _exporting.attach(*ids_of(turn)) if _exporting is not None else None


def detach(token: Any) -> None:
    if token is not None and _exporting is not None:
        _exporting.detach(token)


def begin(name: str, about: Mapping[str, str | int | float]) -> Any:
    """None where nobody wants traces, or this is done for no turn."""
    return _exporting.begin(name, about) if _exporting is not None else None


def end(span: Any, error: BaseException | None) -> None:
    """Of an error nothing but its kind is told."""
    if _exporting is not None:
        _exporting.end(span, type(error).__name__ if error is not None else "")


def past(name: str, began: float, ended: float, about: Mapping[str, str | int | float]) -> None:
    """Something that is over already. Times in seconds since the epoch."""
    if _exporting is not None:
        _exporting.past(name, began, ended, about)


def whole(turn: TurnId, began: float, ended: float, about: Mapping[str, str | int | float]) -> None:
    """The root span."""
    if _exporting is not None:
        _exporting.root(*ids_of(turn), began, ended, about)
