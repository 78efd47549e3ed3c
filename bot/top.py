"""`remixbot top`: what goes on in the whole installation, read from the database alone."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import textwrap
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.app import House, bounds_of, open_house, spent_of
from bot.domain.turns import TurnState
from bot.settings import Settings
from bot.sight.lately import percentile_s, sums_of
from bot.sight.values import Installation, Place, stuck_in
from bot.terminal import Screen

MINUTES: Final = 5
WIDEST: Final = 200
_LEAST_NAME: Final = 12
_BESIDE_NAME: Final = 58
"""Of a process: what stands in its line after its name."""
_PATIENCE_S: Final = 5.0
_SHOWN: Final = 12
_LOOKED_UP: Final = 50
"""Of those in the line it is looked up what keeps them there."""


async def once(settings: Settings) -> dict[str, Any]:
    """One look, for JSON."""
    async with open_house(settings, join=True, slots=1) as house:
        return await look(house)


async def again_and_again(settings: Settings, *, every_s: float, screen: Screen) -> None:
    """Until it is interrupted. What was seen last stays there while the database is away, and says so."""
    resized = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, resized.set)
    seen: dict[str, Any] | None = None
    async with open_house(settings, join=True, slots=1) as house:
        with screen:
            while True:
                trouble = ""
                try:
                    async with asyncio.timeout(_PATIENCE_S):
                        seen = await look(house)
                except Exception as error:
                    trouble = f"The database does not answer ({type(error).__name__}). It is asked again."
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise asyncio.CancelledError  # the database's client may have swallowed it
                await _shown(screen, seen, trouble, every_s=every_s, resized=resized)


async def _shown(
    screen: Screen, seen: Mapping[str, Any] | None, trouble: str, *, every_s: float, resized: asyncio.Event
) -> None:
    """For so long, and anew whenever the window changes."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(every_s):
            while True:
                resized.clear()
                told = lines(seen, width=screen.width) if seen is not None else []
                screen.show([*([f"! {trouble}", ""] if trouble else []), *told])
                await resized.wait()


async def look(house: House) -> dict[str, Any]:
    """What is to be seen now: names, ids and figures."""
    seen = await house.sight.seen()
    now = seen.now
    sums = sums_of(seen.told, now=time.time(), minutes=MINUTES)
    stages = {row[0]: (row[1], each["name"]) for each in seen.told for row in each.get("running", ())}
    return {
        "at": now,
        "processes": [_process(each, now) for each in seen.told],
        "slots": seen.slots,
        "admitted": seen.admitted,
        "open": seen.open,
        "waiting": {**seen.waiting, **await _line(house, seen)},
        "oldest_waiting_s": round(seen.oldest_s, 1),
        "unsettled_messages": seen.unsettled,
        "inbox": dict(seen.inbox),
        "running": [
            {
                "turn": each.turn,
                "age_s": round(now - (each.started_at or each.since), 1),
                "stage": stages.get(each.turn, ("?", "?"))[0],
                "process": stages.get(each.turn, ("?", "?"))[1],
            }
            for each in seen.standings
            if each.state is TurnState.RUNNING
        ],
        "stuck": [
            {"turn": each.turn, "kind": stuck.value, "age_s": round(now - each.since, 1)}
            for each, stuck in stuck_in(seen, bounds_of(house.settings))
        ],
        "minutes": MINUTES,
        "ended": dict(sorted(sums.ended.items())),
        "errors": dict(sorted(sums.errors.items())),
        "queue_wait_s": {"p50": percentile_s(sums.queued, 0.5), "p95": percentile_s(sums.queued, 0.95)},
        "reply_s": {"p50": percentile_s(sums.replied, 0.5), "p95": percentile_s(sums.replied, 0.95)},
        "spent_usd": {name: {"used": used / 1e6, "cap": limit / 1e6} for name, used, limit in await spent_of(house)},
        "models": [
            {
                "model": each.model,
                "seen": each.seen,
                "median_s": each.median_s,
                "slow_s": each.slow_s,
                "retiring": each.retirement is not None,
            }
            for each in await house.meter.models()
        ],
        "ai_edits": await house.switches.is_on("gemini"),
    }


def _process(told: Mapping[str, Any], now: float) -> dict[str, Any]:
    return {
        "name": told["name"],
        "role": told.get("role", "?"),
        "version": told.get("version", "?"),
        "slots": told.get("slots", 0),
        "busy": len({row[0] for row in told.get("running", ())}),
        "up_s": round(now - told.get("since", now)),
        "stall_ms": round(1000 * told.get("stall_s", 0), 1),
        "redis_ms": round(1000 * told.get("redis_s", 0), 2),
        "troubles": dict(told.get("troubles", {})),
    }


async def _line(house: House, seen: Installation) -> Mapping[str, int]:
    """What keeps those in the line there, as far as it is looked up."""
    found = Counter[str]()
    for each in [each for each in seen.standings if each.place is Place.READY][:_LOOKED_UP]:
        status = await house.turns.load(each.turn)
        found.update(f"line: {hold.value}" for hold in (status.holds if status is not None else ()))
    return found


# --- for people


def lines(seen: Mapping[str, Any], *, width: int = WIDEST) -> list[str]:
    """The same, to be read, in lines for so many characters. What must be seen first stands first."""
    waiting = ", ".join(f"{count} {reason}" for reason, count in seen["waiting"].items() if count) or "none"
    inbox = "".join(f" · {name} inbox {depth}" for name, depth in seen["inbox"].items())
    head = [
        f"remixbot top · {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(seen['at']))} UTC · "
        f"AI edits {'on' if seen['ai_edits'] else 'OFF'}",
        "",
        f"slots    {seen['admitted']} of {seen['slots']} in use · {seen['open']} turns open · "
        f"{seen['unsettled_messages']} messages not dealt with{inbox}",
        f"waiting  {waiting} · oldest in line {_span(seen['oldest_waiting_s'])}",
        f"waits    queue p50 {_span(seen['queue_wait_s']['p50'])} p95 {_span(seen['queue_wait_s']['p95'])} · "
        f"answer p50 {_span(seen['reply_s']['p50'])} p95 {_span(seen['reply_s']['p95'])} (last {seen['minutes']} min)",
        "money    "
        + " · ".join(f"{name} ${each['used']:.2f} of ${each['cap']:.2f}" for name, each in seen["spent_usd"].items()),
    ]
    shown = [part for line in head for part in _wrapped(line, width)]
    if seen["stuck"]:
        shown += ["", "STUCK (docs/runbook.md says what to do)"]
        shown += [f"{each['turn']:<44} {_span(each['age_s']):>9}  {each['kind']}" for each in seen["stuck"][:_SHOWN]]
        if len(seen["stuck"]) > _SHOWN:
            shown.append(f"  and {len(seen['stuck']) - _SHOWN} more")
    name_width = min(44, max(_LEAST_NAME, width - _BESIDE_NAME))
    shown += [
        "",
        f"{'process':<{name_width}} {'role':<8} {'version':<9} {'busy':>5} {'slots':>5} "
        f"{'up':>7} {'stall':>8} {'redis':>8}",
    ]
    for each in seen["processes"]:
        shown.append(
            f"{_short(each['name'], name_width):<{name_width}} {each['role']:<8} {each['version']:<9} "
            f"{each['busy']:>5} {each['slots']:>5} "
            f"{_span(each['up_s']):>7} {each['stall_ms']:>6.1f}ms {each['redis_ms']:>6.2f}ms"
        )
        shown += [f"  ! {part}: {trouble}" for part, trouble in each["troubles"].items()]
    if not seen["processes"]:
        shown.append("  none shows life")
    shown += ["", f"{'ended in the last ' + str(seen['minutes']) + ' min':<44} {'turns/min':>9}"]
    shown += [
        f"{name.replace('|', ' '):<44} {count / seen['minutes']:>9.1f}" for name, count in _top(seen["ended"])
    ] or ["  none"]
    if seen["errors"]:
        shown += ["", "errors"]
        shown += [f"{name.replace('|', ' '):<44} {count:>9}" for name, count in _top(seen["errors"])]
    if seen["running"]:
        shown += ["", f"{'running':<44} {'age':>9}  stage"]
        shown += [f"{each['turn']:<44} {_span(each['age_s']):>9}  {each['stage']}" for each in seen["running"][:_SHOWN]]
    if seen["models"]:
        shown += ["", f"{'model':<44} {'median':>9} {'slow':>9}  pictures seen"]
        shown += [
            f"{each['model']:<44} {_span(each['median_s']):>9} {_span(each['slow_s']):>9}  {each['seen']}"
            f"{'  to be switched off by its maker' if each['retiring'] else ''}"
            for each in seen["models"]
        ]
    return shown


def _wrapped(line: str, width: int) -> list[str]:
    """A head's line, what goes on under its first words."""
    return textwrap.wrap(line, width, subsequent_indent=" " * 9, break_on_hyphens=False) or [""]


def _short(name: str, width: int) -> str:
    """Its end tells processes apart."""
    return name if len(name) <= width else f"…{name[1 - width :]}"


def _top(counts: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: -each[1])[:_SHOWN]


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < 600:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}min" if seconds < 7200 else f"{seconds / 3600:.1f}h"
