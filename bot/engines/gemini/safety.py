"""Where the service's own safety filters may be set lower: by the operator, for chats that only adults may enter.

The defaults stay on everywhere else, and what the service never allows is not ours to set.
"""

from __future__ import annotations

from collections.abc import Mapping

_CATEGORY, _THRESHOLD = "HARM_CATEGORY_", "BLOCK_"

CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
ENTERPRISE_CATEGORIES = (
    *CATEGORIES,
    "JAILBREAK",
    "IMAGE_HARASSMENT",
    "IMAGE_HATE",
    "IMAGE_SEXUALLY_EXPLICIT",
    "IMAGE_DANGEROUS_CONTENT",
)
"""Those about images exist on Google Cloud only."""
THRESHOLDS = ("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")

Thresholds = tuple[tuple[str, str], ...]
"""Pairs of a harm category and the threshold from which it is blocked, by the service's own names."""


def thresholds(setting: Mapping[str, str], *, enterprise: bool) -> Thresholds:
    """What the operator set: {"sexually_explicit": "only_high"}. The service's long names are taken, too.

    Raises `ValueError`, in words for the operator.
    """
    return tuple((_category(category, enterprise), _threshold(level)) for category, level in setting.items())


def _category(given: str, enterprise: bool) -> str:
    possible = ENTERPRISE_CATEGORIES if enterprise else CATEGORIES
    name = _plain(given).removeprefix(_CATEGORY)
    if name not in possible:
        raise ValueError(f'There is no safety filter called "{given}". Possible are: {_listed(possible)}.')
    return _CATEGORY + name


def _threshold(given: str) -> str:
    name = _plain(given)
    for known in THRESHOLDS:
        if name in (known, known.removeprefix(_THRESHOLD)):
            return known
    possible = [known.removeprefix(_THRESHOLD) for known in THRESHOLDS]
    raise ValueError(f'A safety filter cannot be set to "{given}". Possible are: {_listed(possible)}.')


def _plain(given: str) -> str:
    return given.strip().upper().replace("-", "_").replace(" ", "_")


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(name.lower() for name in names)
