"""What this process did in the last minutes, small enough to be told every few seconds to whoever looks (`remixbot
top`)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

MINUTES: Final = 10
MOST_RUNNING: Final = 64
MOST_NAMES: Final = 64
_EDGES_S: Final = tuple(round(0.05 * 1.25**n, 4) for n in range(64))
"""Upper edges of the classes into which waits are counted: each a quarter wider than the one before, up to 17 hours."""


def class_of(seconds: float) -> int:
    """The first class that such a wait fits into."""
    return next((n for n, edge in enumerate(_EDGES_S) if seconds <= edge), len(_EDGES_S) - 1)


def percentile_s(classes: Mapping[int, int], share: float) -> float | None:
    """The wait that this share of all stayed below, no more than a quarter too high. None where there were none."""
    left = share * sum(classes.values())
    for n in sorted(classes):
        left -= classes[n]
        if left <= 1e-9:
            return _EDGES_S[n]
    return None


Stage: TypeAlias = tuple[str, float]
"""Its name, and since when."""


@dataclass(slots=True)
class _Minute:
    ended: Counter[str] = field(default_factory=Counter[str])
    """By `platform|engine|state`."""
    errors: Counter[str] = field(default_factory=Counter[str])
    """By `where|kind`."""
    queued: Counter[int] = field(default_factory=Counter[int])
    replied: Counter[int] = field(default_factory=Counter[int])


class Lately:
    """Counts by minutes; those older than `MINUTES` are gone."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._minutes: dict[int, _Minute] = {}
        self._at: dict[str, list[Stage]] = {}

    # --- what happens

    def ended(self, platform: str, engine: str, state: str, *, took_s: float | None) -> None:
        minute = self._minute()
        _count(minute.ended, f"{platform}|{engine}|{state}")
        if took_s is not None:
            minute.replied[class_of(took_s)] += 1

    def failed(self, where: str, kind: str) -> None:
        _count(self._minute().errors, f"{where}|{kind}")

    def queued(self, seconds: float) -> None:
        self._minute().queued[class_of(seconds)] += 1

    def at(self, turn: str, stage: str) -> Stage:
        """This turn is at this stage from now on, until it has `left` it."""
        begun = (stage, self._now())
        self._at.setdefault(turn, []).append(begun)
        return begun

    def left(self, turn: str, begun: Stage) -> None:
        """It is where it was before. Stages of one turn may overlap: it is taken in while a worker has it already."""
        stages = self._at[turn]
        stages.remove(begun)
        if not stages:
            del self._at[turn]

    def _minute(self) -> _Minute:
        now = int(self._now() // 60)
        found = self._minutes.get(now)
        if found is None:
            for old in [each for each in self._minutes if each <= now - MINUTES]:
                del self._minutes[old]
            found = self._minutes[now] = _Minute()
        return found

    # --- what is told

    def told(self) -> dict[str, Any]:
        """For JSON. Names and figures only."""
        now = int(self._now() // 60)
        kept = {number: minute for number, minute in self._minutes.items() if number > now - MINUTES}
        return {
            "minutes": {
                str(number): {
                    "ended": dict(minute.ended),
                    "errors": dict(minute.errors),
                    "queued": {str(n): count for n, count in minute.queued.items()},
                    "replied": {str(n): count for n, count in minute.replied.items()},
                }
                for number, minute in kept.items()
            },
            "running": [
                [turn, stage, round(since, 3)] for turn, [*_, (stage, since)] in list(self._at.items())[:MOST_RUNNING]
            ],
        }


LATELY: Final = Lately()
"""This process's own."""


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < MOST_NAMES else "other|other|other"] += 1


@dataclass(frozen=True, slots=True)
class Sums:
    """What several processes told, together."""

    ended: Mapping[str, int]
    errors: Mapping[str, int]
    queued: Mapping[int, int]
    replied: Mapping[int, int]


def sums_of(told: Iterable[Mapping[str, Any]], *, now: float, minutes: int) -> Sums:
    """Of the last so many minutes, the one that runs among them."""
    ended, errors = Counter[str](), Counter[str]()
    queued, replied = Counter[int](), Counter[int]()
    for minute in _since(told, int(now // 60) - minutes):
        ended.update(minute.get("ended", {}))
        errors.update(minute.get("errors", {}))
        queued.update({int(n): count for n, count in minute.get("queued", {}).items()})
        replied.update({int(n): count for n, count in minute.get("replied", {}).items()})
    return Sums(ended, errors, queued, replied)


def _since(told: Iterable[Mapping[str, Any]], oldest: int) -> Sequence[Mapping[str, Any]]:
    return [minute for each in told for number, minute in each.get("minutes", {}).items() if int(number) > oldest]
