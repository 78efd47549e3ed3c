"""Spans of time as people say them."""

from __future__ import annotations

import math

from bot.domain.language import ngettext

_MINUTE_S = 60
_HOUR_S = 3600


def span(seconds: float) -> str:
    """A span that is to come, never said to be shorter than it is: whole ten seconds, minutes, or hours. For sentences
    that say "in about {time}"."""
    if seconds <= 50:
        tens = max(1, math.ceil(seconds / 10)) * 10
        # TRANSLATORS: stands in "in about 20 seconds", in the case that this asks for
        return ngettext("{count} second", "{count} seconds", tens).format(count=tens)
    if seconds <= 90 * _MINUTE_S:
        minutes = math.ceil(seconds / _MINUTE_S)
        # TRANSLATORS: stands in "in about 2 minutes", in the case that this asks for
        return ngettext("{count} minute", "{count} minutes", minutes).format(count=minutes)
    hours = math.ceil(seconds / _HOUR_S)
    # TRANSLATORS: stands in "in about 2 hours", in the case that this asks for
    return ngettext("{count} hour", "{count} hours", hours).format(count=hours)
