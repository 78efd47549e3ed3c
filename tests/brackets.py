"""The page in a language in which each sentence stands in ⟦brackets⟧: what is read without them was never marked."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.catalogs import PAGE, extracted, forms, messages
from tests.pseudo import Marked


def wrapped(text: str) -> str:
    return f"⟦{text}⟧"


def speak(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on this process says all in brackets."""
    monkeypatch.setattr("bot.domain.language.catalog", lambda _: Marked())


@cache
def page_words(change: Callable[[str], str] = wrapped) -> dict[str, Any]:
    """What `words.json` has of such a language. Its numbers are said as in German."""
    words: dict[str, Any] = {}
    for message in messages(extracted(PAGE)):
        one, *more = map(change, forms(message.id))
        words[forms(message.id)[0]] = {"one": one, "other": more[0]} if more else one
    return {"language": "de", "words": words}


def unmarked(text: str, own: list[str]) -> str:
    """What is left of a text without the sentences in brackets and without `own`, which are somebody's words."""
    left = _outside(text)
    for words in sorted(filter(None, map(_outside, own)), key=len, reverse=True):
        left = left.replace(words, " ")
    return " ".join(left.split()) if any(letter.isalpha() for letter in left) else ""


def _outside(text: str) -> str:
    while (end := text.find("⟧")) >= 0:
        begin = text.rfind("⟦", 0, end)
        text = text[: max(begin, 0)] + " " + text[end + 1 :]
    text = text.partition("⟦")[0]  # the rest of that sentence stands in another node
    return " ".join(text.split())
