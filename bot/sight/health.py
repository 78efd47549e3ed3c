"""Whether this process is well: that it lives, and that it is ready for work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.sight import figures

Look = Callable[[], Awaitable[str]]
"""Looks at one part. Gives what is wrong with it, in a few words without addresses; empty where nothing is."""

KEPT_S = 2.0
"""How long an answer stands: whoever asks often costs nothing."""
PATIENCE_S = 3.0
"""A part that takes longer to look at does not answer."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: for each part what is wrong with it, empty for nothing."""

    parts: Mapping[str, str]

    @property
    def ready(self) -> bool:
        return not any(self.parts.values())


class Health:
    """A process is ready once it has `started`, until it is `stopping`, while every part is well."""

    def __init__(self, *, kept_s: float = KEPT_S, patience_s: float = PATIENCE_S) -> None:
        self._kept_s = kept_s
        self._patience_s = patience_s
        self._looks: dict[str, Look] = {}
        self._state = "it is still starting"
        self._verdict = Verdict({})
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    def watch(self, part: str, look: Look) -> None:
        """From now on this part is looked at, too."""
        self._looks[part] = look
        self._looked_at = float("-inf")

    def started(self) -> None:
        self._state = ""

    def stopping(self) -> None:
        self._state = "it is stopping"

    async def verdict(self) -> Verdict:
        """Whether everything is well: looked at now, or a moment ago."""
        async with self._looking:
            if time.monotonic() - self._looked_at > self._kept_s:
                looks = dict(self._looks)
                found = await asyncio.gather(*(self._one(look) for look in looks.values()))
                self._verdict = Verdict(dict(zip(looks, found, strict=True)))
                self._looked_at = time.monotonic()
            for part, trouble in self._verdict.parts.items():
                figures.PART_READY.labels(part).set(not trouble)
        return Verdict({"process": self._state, **self._verdict.parts})

    async def _one(self, look: Look) -> str:
        try:
            async with asyncio.timeout(self._patience_s):
                return await look()
        except Exception:  # its words may hold an address
            return "it does not answer"


def standing(trouble: Callable[[], str]) -> Look:
    """A look that asks nobody: what is known already."""

    async def look() -> str:
        return trouble()

    return look
