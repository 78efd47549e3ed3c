"""The path of a reply, as it is seen: which turn a log line belongs to, how long each stage takes, and its trace.

`on_path` names the turn for everything that is done in its block; `stage` times a part of it. Both cost microseconds,
and neither ever raises.
"""

from __future__ import annotations

import time
from contextvars import ContextVar, Token
from typing import Any, Final

from structlog.contextvars import bind_contextvars, reset_contextvars

from bot.domain.refs import TurnId
from bot.domain.turns import TurnState, TurnStatus
from bot.sight import figures, traces
from bot.sight.lately import LATELY

_turn: ContextVar[TurnId | None] = ContextVar("turn", default=None)
_BAD: Final = (TurnState.FAILED, TurnState.REFUSED)


class on_path:  # noqa: N801 used as a context manager
    """What is done in this block is done for this turn: logs say so, and its spans hang together in all processes."""

    __slots__ = ("_attached", "_bound", "_id", "_token")

    def __init__(self, id_: TurnId) -> None:
        self._id = id_

    def __enter__(self) -> None:
        self._token: Token[TurnId | None] = _turn.set(self._id)
        self._bound = bind_contextvars(turn=self._id, thread=self._id.partition("-")[0])
        self._attached = traces.attach(self._id)

    def __exit__(self, *_: object) -> None:
        traces.detach(self._attached)
        reset_contextvars(**self._bound)
        _turn.reset(self._token)


class stage:  # noqa: N801 used as a context manager
    """One stage of the turn that this is done for. `about` are ids and figures for its span."""

    __slots__ = ("_about", "_at", "_began", "_id", "_name", "_span")

    def __init__(self, name: str, **about: str | int | float) -> None:
        self._name = name
        self._about = about

    def __enter__(self) -> None:
        self._id = _turn.get()
        if self._id is not None:
            self._at = LATELY.at(self._id, self._name)
        self._span = traces.begin(self._name, self._about)
        self._began = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: Any) -> None:
        figures.STAGE_S.labels(self._name).observe(time.perf_counter() - self._began)
        if self._span is not None:
            traces.end(self._span, error if kind is not None else None)
        if self._id is not None:
            LATELY.left(self._id, self._at)


def waited(status: TurnStatus) -> None:
    """A turn was claimed for the first time: so long it stood in the queue. What waited for people did not."""
    since = status.accepted_at
    if since is None or status.started_at is None or status.epoch != 1 or status.turn.asks:
        return
    seconds = max(0.0, status.started_at - since)
    figures.STAGE_S.labels("queue").observe(seconds)
    LATELY.queued(seconds)
    traces.past("queue", since, status.started_at, {})


def shown(status: TurnStatus, result: str) -> None:
    """The answer of a final turn stands in its chat, or never will. Counted where it is noted as delivered."""
    turn, outcome = status.turn, status.outcome
    platform, engine = turn.chat.platform, figures.bounded("engine", turn.engine)
    state, code = status.state.value, figures.code_of(outcome.code if outcome else "")
    now = time.time()
    took_s = max(0.0, now - status.accepted_at) if status.accepted_at is not None and not turn.asks else None
    figures.TURNS.labels(platform, engine, state, code).inc()
    figures.DELIVERIES.labels(platform, result).inc()
    if took_s is not None:
        figures.REPLY_S.labels(platform).observe(took_s)
    LATELY.ended(platform, engine, state, took_s=took_s)
    if status.state in _BAD:
        LATELY.failed(engine, code)
    usage = outcome.usage if outcome else None
    if usage is not None and usage.cost_microusd:
        figures.COST_USD.labels(figures.bounded("model", usage.model)).inc(usage.cost_microusd / 1e6)
    about: dict[str, str | int | float] = {
        "turn": turn.id,
        "platform": platform,
        "engine": engine,
        "state": state,
        "code": code,
        "result": result,
        "images": len(outcome.images) if outcome else 0,
        "cost_microusd": usage.cost_microusd if usage else 0,
        "model": usage.model if usage else "",
        "claims": status.epoch,
    }
    traces.whole(turn.id, status.accepted_at or turn.created_at, now, about)
