"""Languages that nobody speaks, to see by what is said whether it was said in another language, and whether it fits."""

from __future__ import annotations

import contextlib
import gettext
import re
from collections.abc import Generator

import pytest

from bot.domain import language, presets
from bot.engines.exact import suggestions

_BRACES = re.compile(r"\{\w*\}")


class _Made(gettext.NullTranslations):
    def said(self, sentence: str) -> str:
        raise NotImplementedError

    def gettext(self, message: str) -> str:
        return self.said(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.said(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self.said(message)


class Marked(_Made):
    """Every sentence in brackets: ⟦Cancel⟧."""

    def said(self, sentence: str) -> str:
        return f"⟦{sentence}⟧"


class Apart(_Made):
    """Every sentence in brackets, and what is put into it outside of them: ⟦For ⟧Anna⟦.⟧"""

    def said(self, sentence: str) -> str:
        return "⟦" + _BRACES.sub(r"⟧\g<0>⟦", sentence) + "⟧"


class ApartAndLong(Apart):
    """That twice."""

    def said(self, sentence: str) -> str:
        return f"{super().said(sentence)} 🐙 {super().said(sentence)}"


class Long(_Made):
    """Every sentence twice, with what is put into it, in characters of two UTF-16 units."""

    def said(self, sentence: str) -> str:
        return f"{sentence} 🐙 {sentence}"


@contextlib.contextmanager
def spoken_as(tag: str, made: gettext.NullTranslations) -> Generator[None]:
    """Until the block ends this language has these sentences, and all the others are English."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language, "catalog", lambda of: made if of == tag else gettext.NullTranslations())
        yield


@contextlib.contextmanager
def spoken_by_all(made: gettext.NullTranslations) -> Generator[None]:
    """Until the block ends, every language has these sentences. What is read back from a person is, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language, "catalog", lambda _: made)
        for module in (suggestions, presets):
            patch.setattr(module, "catalog", lambda _: made)
        _forget_what_was_read()
        yield
    _forget_what_was_read()


def _forget_what_was_read() -> None:
    suggestions._offered.cache_clear()
    presets.names_of_all.cache_clear()
