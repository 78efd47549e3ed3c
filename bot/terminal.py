"""A terminal that shows one thing again and again. What stood there before comes back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, Self, TextIO

_OTHER_PAGE: Final = "\x1b[?1049h\x1b[?25l"
_AS_BEFORE: Final = "\x1b[?25h\x1b[?1049l"
_TO_THE_TOP: Final = "\x1b[H"
_REST_OF_LINE: Final = "\x1b[K"
_REST_OF_PAGE: Final = "\x1b[J"


class Screen:
    """The whole of the terminal that `out` is, while the block runs."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __enter__(self) -> Self:
        self._send(_OTHER_PAGE)
        return self

    def __exit__(self, *_: object) -> None:
        self._send(_AS_BEFORE)

    @property
    def width(self) -> int:
        """Characters that fit into a line. The last column stays free: terminals differ in what is done there."""
        return max(1, self._size().columns - 1)

    def show(self, lines: Sequence[str]) -> None:
        """In place of what was shown."""
        self._send(frame(lines, width=self.width, height=self._size().lines))

    def _send(self, what: str) -> None:
        self._out.write(what)
        self._out.flush()

    def _size(self) -> os.terminal_size:
        # Asked each time, and of the terminal itself: COLUMNS and LINES do not follow a window that is pulled larger.
        return os.get_terminal_size(self._out.fileno())


def frame(lines: Sequence[str], *, width: int, height: int) -> str:
    """What is sent to a terminal so that it shows these lines and nothing else: no line twice as high, none scrolled
    away. What has no room is counted in the last line."""
    shown = list(lines)
    if len(shown) > height:
        left = len(shown) - height + 1
        shown = [*shown[: height - 1], f"… {left} more lines: a higher window shows them, or --once"]
    cut = (line if len(line) <= width else f"{line[: width - 1]}…" for line in shown)
    return _TO_THE_TOP + "\n".join(line + _REST_OF_LINE for line in cut) + _REST_OF_PAGE
