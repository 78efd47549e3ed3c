"""Lengths as Discord and Telegram count them: in UTF-16 units, of which an emoji takes two."""

from __future__ import annotations


def units(text: str) -> int:
    """UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def cut(text: str, most: int) -> str:
    """At most so many units; with “…” where something was left out."""
    if units(text) <= most:
        return text
    kept, left = 0, most - 1
    for character in text:
        left -= 1 + (character > "\uffff")
        if left < 0:
            break
        kept += 1
    return text[:kept].rstrip() + "…"
