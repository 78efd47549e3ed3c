"""What is said of the wait to whoever stands in line."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from bot.domain.language import tr
from bot.domain.refs import TurnId
from bot.domain.spans import span
from bot.domain.waits import wait_s
from bot.domain.words import BEGINS_IN
from bot.ports import Engine, Line, Meter, TurnStore

_LOOKED_AT_EVERY_S = 30.0
_EXACT_S = 0.5
"""More than an exact edit takes."""
_LEAST_SEEN = 3
"""Pictures of a model: of fewer nothing is said."""


class Waiting:
    """Knows how long engines take, as far as that was measured."""

    def __init__(self, *, turns: TurnStore, engines: Mapping[str, Engine], meter: Meter) -> None:
        self._turns = turns
        self._engines = engines
        self._meter = meter
        self._medians_s: dict[str, float] = {}
        self._looked_at = -math.inf

    async def of(self, turn: TurnId) -> tuple[int | None, str]:
        """Its place in the queue, from 1, and when it should begin, in words; empty where that is not known."""
        line = await self._turns.line(turn)
        if line is None:
            return None, ""
        seconds = await self.seconds(line)
        return line.position, "" if seconds is None else tr(BEGINS_IN).format(time=span(seconds))

    async def seconds(self, line: Line) -> float | None:
        """Until its turn comes. None where it is not known how long something before it takes."""
        if line.slots < 1:
            return None
        names = {*line.before, *(name for name, _ in line.under_way)}
        takes_s = {name: await self._takes_s(name) for name in names}
        known = {name: each for name, each in takes_s.items() if each is not None}
        if len(known) < len(takes_s):
            return None
        before = [known[name] for name in line.before]
        # Beyond those that were looked up, it goes on as they were.
        more = line.position - 1 - len(before)
        before += [sum(before) / len(before)] * more if before and more > 0 else []
        return wait_s([(known[name], since_s) for name, since_s in line.under_way], before, line.slots)

    async def _takes_s(self, name: str) -> float | None:
        engine = self._engines.get(name)
        if engine is None:
            return None
        if not engine.profile.generative:
            return _EXACT_S
        if time.monotonic() - self._looked_at > _LOOKED_AT_EVERY_S:
            seen = await self._meter.models()
            self._medians_s = {each.model: each.median_s for each in seen if each.seen >= _LEAST_SEEN}
            self._looked_at = time.monotonic()
        return next((self._medians_s[each] for each in engine.profile.models if each in self._medians_s), None)
