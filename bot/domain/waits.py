"""How long a turn that stands in line will wait."""

from __future__ import annotations

import heapq
from collections.abc import Sequence


def wait_s(under_way: Sequence[tuple[float, float]], before: Sequence[float], slots: int) -> float:
    """Until a slot is free for the one that comes after all those `before` it. `under_way` are what runs: how long one
    of its kind takes, and how long it has run (both in seconds); `before` how long each of the others takes."""
    free_at = [max(takes_s - since_s, 0.0) for takes_s, since_s in under_way]
    free_at = sorted([*free_at, *[0.0] * (slots - len(free_at))])[-slots:] if slots > 0 else []
    if not free_at:
        return float("inf")
    for takes_s in before:
        heapq.heappushpop(free_at, free_at[0] + takes_s)
    return free_at[0]
