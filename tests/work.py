"""How fast work grows with what it is given: by a ratio of processor time within this thread, never by a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

LINEAR = 7.0
"""Four times as much takes four times as long. If it grows with the square, it takes sixteen times as long."""


def growth(work: Callable[[T], Any], given: Callable[[int], T], size: int) -> float:
    """How much longer four times `size` takes than `size`. The least of several: the machine may be busy."""
    small, large = given(size), given(4 * size)
    spent = [(_spent_s(work, small), _spent_s(work, large)) for _ in range(5)]
    # A floor of 50 µs: what takes no time at all may grow as it likes.
    return min(after for _, after in spent) / max(min(before for before, _ in spent), 50e-6)


def _spent_s(work: Callable[[T], Any], given: T) -> float:
    begin = time.thread_time()
    work(given)
    return time.thread_time() - begin
