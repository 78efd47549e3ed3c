"""Figures for Prometheus. Labels are bounded: engines, models, platforms, states, codes; never people, chats or turns.

One registry for the whole process, as loggers are: what counts needs nothing handed to it.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from types import TracebackType
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.sight.values import Installation

REGISTRY: Final = CollectorRegistry(auto_describe=True)
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

for _collector in (ProcessCollector, PlatformCollector, GCCollector):
    _collector(registry=REGISTRY)

_SHORT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LONG_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 120, 300, 900, 3600)
MOST_VALUES: Final = 64
"""Of one label. What would be more is "other": no name that comes from outside grows what is kept."""

# --- turns

TURNS: Final = Counter(
    "remixbot_turns", "Turns that ended and were shown.", ["platform", "engine", "state", "code"], registry=REGISTRY
)
REPLY_S: Final = Histogram(
    "remixbot_reply_seconds",
    "From a turn's acceptance to its answer.",
    ["platform"],
    buckets=_LONG_S,
    registry=REGISTRY,
)
STAGE_S: Final = Histogram(
    "remixbot_stage_seconds", "How long a stage of a turn took.", ["stage"], buckets=_LONG_S, registry=REGISTRY
)
DELIVERIES: Final = Counter(
    "remixbot_deliveries", "Answers put into their replies.", ["platform", "result"], registry=REGISTRY
)
COST_USD: Final = Counter("remixbot_cost_usd", "What paid calls cost, in US dollars.", ["model"], registry=REGISTRY)

# --- models

MODEL_CALLS: Final = Counter("remixbot_model_calls", "Calls to models.", ["model", "result"], registry=REGISTRY)
MODEL_S: Final = Histogram(
    "remixbot_model_seconds", "How long a call to a model took.", ["model"], buckets=_LONG_S, registry=REGISTRY
)
MODEL_RETRIES: Final = Counter(
    "remixbot_model_retries", "Calls to models that were tried again.", ["model"], registry=REGISTRY
)

# --- what waits, in the whole installation: the same from whichever process it is read

QUEUE_DEPTH: Final = Gauge("remixbot_queue_depth", "Turns that wait for a free slot.", registry=REGISTRY)
RUNNING: Final = Gauge("remixbot_turns_running", "Turns that were let run and are not finished.", registry=REGISTRY)
SLOTS: Final = Gauge("remixbot_slots", "Turns that all workers together can run at once.", registry=REGISTRY)
WAITING: Final = Gauge("remixbot_turns_waiting", "Turns that wait, by reason.", ["reason"], registry=REGISTRY)
OLDEST_S: Final = Gauge(
    "remixbot_oldest_waiting_seconds", "Age of the oldest turn that waits for a slot.", registry=REGISTRY
)
UNSETTLED: Final = Gauge("remixbot_messages_unsettled", "Messages recorded and not dealt with.", registry=REGISTRY)
INBOX: Final = Gauge("remixbot_inbox_depth", "Updates stored and not dealt with.", ["platform"], registry=REGISTRY)
PROCESSES: Final = Gauge("remixbot_processes", "Processes that show life.", ["role"], registry=REGISTRY)
STUCK: Final = Gauge("remixbot_stuck", "Turns and messages that are stuck now.", ["kind"], registry=REGISTRY)
SPENT_RATIO: Final = Gauge(
    "remixbot_cap_used_ratio", "How much of a spending cap is used or reserved.", ["cap"], registry=REGISTRY
)

# --- this process

LOOP_LATE_S: Final = Histogram(
    "remixbot_loop_stall_seconds", "How late the event loop woke up.", buckets=_SHORT_S, registry=REGISTRY
)
REDIS_S: Final = Histogram(
    "remixbot_redis_round_trip_seconds", "One write to Redis and its answer.", buckets=_SHORT_S, registry=REGISTRY
)
PART_READY: Final = Gauge(
    "remixbot_part_ready", "1 where a part of this process is well (see /readyz).", ["part"], registry=REGISTRY
)
SLOTS_BUSY: Final = Gauge("remixbot_process_turns", "Turns that run in this process.", registry=REGISTRY)
BUILD: Final = Info("remixbot_build", "Which version runs here, and as what.", registry=REGISTRY)

# --- platforms, stores, repairs

PLATFORM_ERRORS: Final = Counter(
    "remixbot_platform_errors",
    "Requests refused or left open.",
    ["platform", "kind"],
    registry=REGISTRY,
)
PICTURE_BYTES: Final = Counter(
    "remixbot_image_store_bytes", "Bytes moved to and from the image store.", ["operation"], registry=REGISTRY
)
PICTURE_S: Final = Histogram(
    "remixbot_image_store_seconds",
    "How long the image store took.",
    ["operation"],
    buckets=_SHORT_S,
    registry=REGISTRY,
)
REPAIRS: Final = Counter("remixbot_repairs", "What the reconciler has mended.", ["kind"], registry=REGISTRY)
SWEPT: Final = Counter("remixbot_swept", "What nobody held any more, and was deleted.", ["kind"], registry=REGISTRY)
LOST_SECONDS: Final = Counter(
    "remixbot_store_lost_seconds", "Seconds of acknowledged writes that the store has lost.", registry=REGISTRY
)
STUCK_FOUND: Final = Counter("remixbot_stuck_found", "Turns and messages found stuck.", ["kind"], registry=REGISTRY)


def exposed() -> bytes:
    """All figures, in Prometheus' own text format."""
    return generate_latest(REGISTRY)


def seen(installation: Installation) -> None:
    """What is the same from whichever process it is read."""
    QUEUE_DEPTH.set(installation.waiting["line"])
    RUNNING.set(installation.admitted)
    SLOTS.set(installation.slots)
    OLDEST_S.set(installation.oldest_s)
    UNSETTLED.set(installation.unsettled)
    for reason, count in installation.waiting.items():
        WAITING.labels(reason).set(count)
    for platform, depth in installation.inbox.items():
        INBOX.labels(platform).set(depth)
    roles = [str(each.get("role", "")) for each in installation.told]
    for role in ("all", "gateway", "worker"):
        PROCESSES.labels(role).set(roles.count(role))


_known: defaultdict[str, set[str]] = defaultdict(set)
_CODE = re.compile(r"[a-z_]+")


def bounded(label: str, value: str) -> str:
    """The value, or "other" once there are too many; "none" for an empty one."""
    known = _known[label]
    if value in known:
        return value
    if not value:
        return "none"
    if len(known) >= MOST_VALUES:
        return "other"
    known.add(value)
    return value


def code_of(code: str) -> str:
    """A code without what it may carry ("size:2K", "one_or_all1/3")."""
    found = _CODE.match(code)
    return bounded("code", found[0].rstrip("_") if found else "")


class model_call:  # noqa: N801 used as a context manager
    """Counts and times one call to a model, by how it ended: an error tells by its `code`."""

    __slots__ = ("_began", "_model")

    def __init__(self, model: str) -> None:
        self._model = bounded("model", model)

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        MODEL_S.labels(self._model).observe(time.perf_counter() - self._began)
        if kind is None:
            result = "ok"
        elif not issubclass(kind, Exception):
            result = "broken_off"
        else:
            result = code_of(str(getattr(error, "code", "broken")))
        MODEL_CALLS.labels(self._model, result).inc()


def retried(model: str) -> None:
    MODEL_RETRIES.labels(bounded("model", model)).inc()


def platform_error(platform: str, kind: str) -> None:
    """`kind` is an error's class, or a status such as "429"."""
    PLATFORM_ERRORS.labels(platform, bounded("kind", kind)).inc()


class moved:  # noqa: N801 used as a context manager
    """Times one operation of the image store; whoever knows adds its `bytes`."""

    __slots__ = ("_began", "_operation", "bytes")

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self.bytes = 0

    def __enter__(self) -> moved:
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        PICTURE_S.labels(self._operation).observe(time.perf_counter() - self._began)
        PICTURE_BYTES.labels(self._operation).inc(self.bytes)
