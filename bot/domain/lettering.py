"""Whether words came out as they were asked for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_SAME = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "…": "..."})


def is_spelled(wanted: Iterable[str], seen: str) -> bool:
    """Whether each text stands in what was read, letter by letter. Case, line breaks and the shape of quotes are the
    picture's own affair."""
    read = _plain(seen)
    return all(_plain(text) in read for text in wanted)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(_SAME).casefold().split())
