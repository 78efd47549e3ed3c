"""Money as people read it. Amounts are millionths of a US dollar."""

from __future__ import annotations

_CENT = 10_000


def said(microusd: int) -> str:
    """The amount in words, rounded up: whole cents below ten, then cents of a dollar, whole dollars from ten on."""
    if microusd <= 0:
        return "nothing"
    if microusd < _CENT:
        return "less than 1 ¢"
    cents = -(-microusd // _CENT)
    if cents < 10:
        return f"about {cents} ¢"
    if cents < 1_000:
        return f"about ${cents // 100}.{cents % 100:02}"
    return f"about ${-(-cents // 100):,}"


def up_to(microusd: int) -> str:
    """An upper guess of what something will cost, as people say it."""
    return said(microusd).replace("about", "up to", 1)
