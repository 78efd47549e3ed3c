"""How often one address asks, for pages that need no login. Kept in memory, and forgotten with the process."""

from __future__ import annotations

import time
from typing import Final

from aiohttp import web

from adapters.web.login import address_of
from bot.ports import Clock
from bot.recent import Recent

WINDOW_S: Final = 60.0


class Often:
    """`most` requests of one address within `WINDOW_S`. `behind_https`: a proxy of ours stands in front, and says whom
    it speaks for."""

    def __init__(self, most: int, *, behind_https: bool = False, now: Clock = time.monotonic) -> None:
        self._most = most
        self._behind_https = behind_https
        self._now = now
        self._looks: Recent[str, tuple[float, int]] = Recent()

    def is_too_often(self, request: web.Request) -> bool:
        """Counts it, too."""
        address, now = self._address(request), self._now()
        since, looks = self._looks.get(address, (now, 0))
        if now - since > WINDOW_S:
            since, looks = now, 0
        self._looks[address] = since, looks + 1
        return looks >= self._most

    def _address(self, request: web.Request) -> str:
        said = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() if self._behind_https else ""
        try:
            return address_of(said or request.remote)
        except ValueError:
            return address_of(request.remote)
