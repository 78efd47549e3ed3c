"""Buckets per route and the global limit, by real time: the client sleeps by it."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from dataclasses import dataclass, field

from tests.fakes.discord.state import Json

DEFAULTS: dict[str, tuple[int, float]] = {
    "POST /channels/{channel_id}/messages": (5, 5.0),
    "PATCH /channels/{channel_id}/messages/{message_id}": (5, 5.0),
    "DELETE /channels/{channel_id}/messages/{message_id}": (5, 1.0),
    "GET /channels/{channel_id}/messages": (5, 5.0),
    "GET /channels/{channel_id}/messages/{message_id}": (5, 5.0),
    "POST /channels/{channel_id}/typing": (5, 5.0),
    "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me": (1, 0.25),
    "PATCH /channels/{channel_id}": (5, 15.0),
    "POST /webhooks/{webhook_id}/{webhook_token}": (5, 2.0),
    "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original": (5, 2.0),
}
"""Requests per seconds, as seen in the field; a host's own numbers come by the headers and are not contractual."""


@dataclass
class _Window:
    left: int
    ends: float


@dataclass
class RateLimits:
    """`routes` may be changed by a test; empty means none. `globally` requests per second, 0 for no limit."""

    routes: dict[str, tuple[int, float]] = field(default_factory=lambda: dict(DEFAULTS))
    globally: int = 50
    _windows: dict[tuple[str, str], _Window] = field(default_factory=dict)
    _recent: deque[float] = field(default_factory=deque)

    def over_all(self) -> float:
        """Seconds to wait by the global limit; 0 if the request may pass (and then it is counted)."""
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        if self.globally and len(self._recent) >= self.globally:
            return self._recent[0] + 1.0 - now
        self._recent.append(now)
        return 0.0

    def take(self, route: str, major: str) -> tuple[dict[str, str], float]:
        """The headers, and the seconds to wait (0 if it may pass)."""
        if route not in self.routes:
            return {}, 0.0
        limit, per_s = self.routes[route]
        now = time.monotonic()
        window = self._windows.get((route, major))
        if window is None or window.ends <= now:
            window = self._windows[route, major] = _Window(limit, now + per_s)
        wait_s = window.ends - now if window.left <= 0 else 0.0
        window.left = max(0, window.left - 1)
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(window.left),
            "X-RateLimit-Reset": f"{time.time() + window.ends - now:.3f}",
            "X-RateLimit-Reset-After": f"{window.ends - now:.3f}",
            "X-RateLimit-Bucket": hashlib.md5(route.encode()).hexdigest(),
        }
        return headers, wait_s


def too_many(wait_s: float, *, everywhere: bool) -> tuple[Json, dict[str, str]]:
    headers = {"Via": "1.1 google", "Retry-After": f"{max(1, round(wait_s))}"}
    headers["X-RateLimit-Scope"] = "global" if everywhere else "user"
    if everywhere:
        headers["X-RateLimit-Global"] = "true"
    words = "You are being rate limited."
    return {"message": words, "retry_after": round(wait_s, 3) + 0.001, "global": everywhere}, headers
