"""Money as people read it. Amounts are millionths of a US dollar."""

from __future__ import annotations

from bot.domain.language import pgettext, tr

_CENT = 10_000


def said(microusd: int) -> str:
    """The amount in words, rounded up: whole cents below ten, then cents of a dollar, whole dollars from ten on."""
    few = _few(microusd)
    # TRANSLATORS: a price: "about 4 ¢", "about $1.20"
    return few or tr("about {amount}").format(amount=_amount(microusd))


def up_to(microusd: int) -> str:
    """An upper guess of what something will cost, as people say it."""
    few = _few(microusd)
    # TRANSLATORS: a price, also on buttons: "up to 4 ¢", "up to $1.20"; at most 24 characters
    return few or tr("up to {amount}").format(amount=_amount(microusd))


def _few(microusd: int) -> str:
    """What is less than a cent; empty for all else."""
    if microusd <= 0:
        # TRANSLATORS: it costs nothing
        return pgettext("a price", "nothing")
    # TRANSLATORS: a price, also on buttons; at most 24 characters
    return tr("less than 1 ¢") if microusd < _CENT else ""


def _amount(microusd: int) -> str:
    cents = -(-microusd // _CENT)
    if cents < 10:
        return f"{cents} ¢"
    if cents < 1_000:
        return f"${cents // 100}.{cents % 100:02}"
    return f"${-(-cents // 100):,}"
