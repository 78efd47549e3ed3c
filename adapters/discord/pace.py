"""How fast Discord is asked. The library waits once it was refused; by then all that was on its way is refused as well,
and who is refused ten thousand times in ten minutes is shut out with the whole host."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

PER_S: Final = 45
"""Of the fifty that a bot may ask in a second (Discord's documentation, 2026-11): a margin for what arrives closer
together than it left."""


class Pace:
    """Lets at most `most` through within any `window_s` seconds, in the order in which they came."""

    def __init__(self, most: int = PER_S, *, window_s: float = 1.0) -> None:
        self._window_s = window_s
        self._recent: deque[float] = deque(maxlen=most)
        self._in_order = asyncio.Lock()

    async def turn(self) -> None:
        async with self._in_order:
            now = asyncio.get_running_loop().time
            if len(self._recent) == self._recent.maxlen and (wait_s := self._recent[0] + self._window_s - now()) > 0:
                await asyncio.sleep(wait_s)
            self._recent.append(now())
