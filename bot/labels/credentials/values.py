"""A stranger's values, as they come out of JSON: looked at before they are believed, texts short and without tricks."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, cast

MAX_TEXT_CHARS = 120
_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    r"\U000e0000-\U000e0fff]"
)
"""Control characters, and what turns the direction of a text around or cannot be seen."""


def mapping(value: object) -> dict[str, Any]:
    """Empty where it is none."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def entries(value: object) -> list[Any]:
    """Empty where it is no list."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def mappings(value: object) -> list[dict[str, Any]]:
    """Those of a list that hold something."""
    return [found for each in entries(value) if (found := mapping(each))]


def text(value: object) -> str:
    return _HIDDEN.sub("", value[: 4 * MAX_TEXT_CHARS])[:MAX_TEXT_CHARS].strip() if isinstance(value, str) else ""


def moment(value: object) -> datetime | None:
    """Of an ISO 8601 text, in UTC."""
    try:
        at = datetime.fromisoformat(text(value))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
