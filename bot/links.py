"""Links that are secrets: shown where they were asked for, and kept by nobody.

What is stored has a mark in place of the link. The process that made it knows the link for a while, and puts it there
when the answer is shown; after that nobody can.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

from bot.domain.language import tr
from bot.domain.sharing import SHOWN_ONCE
from bot.recent import Recent

MOST: Final = 1000
_MARK = re.compile(r"\[link ([0-9a-f]{32})\]")


class Links:
    """Of this process. A mark cannot be guessed, so nobody's words become a link by looking like one."""

    def __init__(self) -> None:
        self._links: Recent[str, str] = Recent(MOST)

    def mark(self, link: str) -> str:
        """What is to be stored in its place."""
        id_ = secrets.token_hex(16)
        self._links[id_] = link
        return f"[link {id_}]"

    def reveal(self, words: str) -> str:
        """With the links that are known; with a word about those that are not."""
        return _MARK.sub(lambda found: self._links.get(found[1], tr(SHOWN_ONCE)), words) if "[link " in words else words
