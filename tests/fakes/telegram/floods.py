"""The published limits, as windows that slide: core.telegram.org/bots/faq, "My bot is hitting limits"."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

Sort = Literal["send", "edit", "answer", "other"]


@dataclass(frozen=True)
class Window:
    name: str
    most: int
    seconds: float


CHAT_BURST: Final = Window("burst", 3, 3.0)
CHAT: Final = Window("chat", 60, 60.0)
GROUP: Final = Window("group", 20, 60.0)
EDITS: Final = Window("edits", 5, 5.0)
EVERYTHING: Final = Window("everything", 30, 1.0)


def sort_of(method: str) -> Sort:
    if method.startswith("send") and method not in ("sendChatAction", "sendMessageDraft"):
        return "send"
    if method in ("copyMessage", "forwardMessage", "copyMessages", "forwardMessages"):
        return "send"
    if method.startswith("editMessage"):
        return "edit"
    return "answer" if method == "answerCallbackQuery" else "other"


@dataclass
class Floods:
    """`caused` counts how often a limit was overrun. `clock` in seconds."""

    on: bool
    caused: int = 0
    clock: Callable[[], float] = time.monotonic
    _taken: dict[tuple[str, int], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def take(self, method: str, chat: int) -> int:
        """0 where it may go on; otherwise the whole seconds to wait. What is refused counts for nothing."""
        sort = sort_of(method)
        if not self.on or sort == "other":
            return 0
        windows = [(EVERYTHING, 0)]
        if sort == "send":
            windows += [(CHAT_BURST, chat), (CHAT, chat)] + ([(GROUP, chat)] if chat < 0 else [])
        elif sort == "edit":
            windows.append((EDITS, chat))
        now = self.clock()
        wait_s = max(self._wait(window, of, now) for window, of in windows)
        if wait_s > 0:
            self.caused += 1
            return math.ceil(wait_s)
        for window, of in windows:
            self._taken[window.name, of].append(now)
        return 0

    def _wait(self, window: Window, of: int, now: float) -> float:
        taken = self._taken[window.name, of]
        while taken and taken[0] <= now - window.seconds:
            taken.popleft()
        return taken[0] + window.seconds - now if len(taken) >= window.most else 0.0
