"""The language that somebody is spoken to in, and the sentences that we have in it.

Sentences are written in English where they are said, as `tr("…")`, with what varies in braces, and then
`.format(name=…)`. Catalogs of GNU gettext have the others: `bot/locale/<language>/LC_MESSAGES/remixbot.po`, compiled
beside it; `make words` brings them up to date (docs/words.md).

Which language is spoken is a context variable, so that it holds for all that is done for one message, press or turn,
whatever is called on the way, and for nothing else. Whoever takes something in says it once with `speaking`.
"""

from __future__ import annotations

import contextlib
import gettext
from collections.abc import Generator, Sequence
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Final

ENGLISH: Final = "en"
LANGUAGES: Final = (ENGLISH, "zh", "ja", "es", "de", "uk")
"""ISO 639-1. Chinese is written in simplified characters."""
CATALOG: Final = "remixbot"
LOCALE: Final = Path(__file__).parent.parent / "locale"

_MOST_TAG_CHARS = 35
_spoken: ContextVar[str] = ContextVar("spoken", default=ENGLISH)


def language_of(*tags: str) -> str:
    """The first of these that we speak, by the tags that a platform gives ("zh-hans", "de_AT"); empty for none."""
    for tag in tags:
        language = tag[:_MOST_TAG_CHARS].replace("_", "-").partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return ""


def accepted_language(header: str) -> str:
    """The language that a browser asks for by `Accept-Language` (RFC 9110, 12.5.4); empty for none that we speak."""
    wanted: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, weight = part.strip().partition(";")
        try:
            wanted.append((float(weight.strip().lower().removeprefix("q=") or 1), tag.strip()))
        except ValueError:
            continue
    wanted.sort(key=lambda each: -each[0])
    return language_of(*(tag for weight, tag in wanted if weight > 0))


def spoken() -> str:
    """The language that is spoken now: one of `LANGUAGES`."""
    return _spoken.get()


@contextlib.contextmanager
def speaking(*tags: str) -> Generator[None]:
    """Speak the first of these that we have, English where there is none, until the block ends."""
    before = _spoken.get()
    _spoken.set(language_of(*tags) or ENGLISH)
    try:
        yield
    finally:
        _spoken.set(before)


def gettext_noop(sentence: str) -> str:
    """Marks a sentence that is kept for later, and gives it as it is: where it is said, it is `tr(sentence)`."""
    return sentence


N_ = gettext_noop


def tr(sentence: str) -> str:
    """The sentence in the language that is spoken."""
    return catalog(_spoken.get()).gettext(sentence) if sentence else ""


def ngettext(one: str, many: str, count: int) -> str:
    """The sentence in the form that goes with that number. It is not put in yet: `.format(count=count)`."""
    return catalog(_spoken.get()).ngettext(one, many, count)


def pgettext(context: str, sentence: str) -> str:
    """The sentence, where the same English words may mean two things."""
    return catalog(_spoken.get()).pgettext(context, sentence)


def quoted(words: str) -> str:
    """Somebody's words, in the quotation marks of the language."""
    # TRANSLATORS: only the quotation marks
    return pgettext("quotation", "“{words}”").format(words=words)


def is_offer(said: str, offer: str) -> bool:
    """Whether these words are that sentence, in any language that it is offered in."""
    wanted = folded(said)
    return any(folded(catalog(language).gettext(offer)) == wanted for language in LANGUAGES)


def folded(said: str) -> str:
    """Words as they are compared: without what is typed in one way or another."""
    return " ".join(said.split()).rstrip(".。").casefold()


def listed(names: Sequence[str]) -> str:
    """“Anna, Ben and Cleo”."""
    if len(names) < 2:
        return "".join(names)
    # TRANSLATORS: between the names of a list, but for the last two: "Anna, Ben and Cleo"
    comma = pgettext("between names", ", ")
    # TRANSLATORS: the end of a list of names: "Anna, Ben and Cleo"
    return pgettext("list of names", "{names} and {last}").format(names=comma.join(names[:-1]), last=names[-1])


@lru_cache(maxsize=len(LANGUAGES))
def catalog(language: str) -> gettext.NullTranslations:
    """The sentences of a language. English has them as they are written."""
    if language == ENGLISH:
        return gettext.NullTranslations()
    return gettext.translation(CATALOG, LOCALE, languages=[language])
