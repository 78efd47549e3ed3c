"""The catalogs of sentences: what the sources say, and what each language has of it.

`make words` puts what is new into `bot/locale/*/LC_MESSAGES/*.po`, keeps what is translated, takes out what nobody says
any more, and compiles: `.mo` for the bot, JSON for the page.
"""

from __future__ import annotations

import gettext
import io
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import IO, Any

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bot.domain.language import CATALOG, ENGLISH, LANGUAGES, LOCALE

ROOT = Path(__file__).parent.parent
STATIC = ROOT / "adapters" / "web" / "static"
PAGE = "page"
OTHERS = tuple(language for language in LANGUAGES if language != ENGLISH)
_PYTHON = {"tr": None, "N_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
_JAVASCRIPT = {"t": None, "tn": (1, 2)}
_WHERE = {
    CATALOG: [*(ROOT / "bot").rglob("*.py"), *(ROOT / "adapters").rglob("*.py")],
    PAGE: [*STATIC.glob("*.js"), *STATIC.glob("*.html")],
}


def extracted(domain: str) -> Catalog:
    """All that the sources say, in the order of their files."""
    catalog = Catalog(domain=domain, fuzzy=False)
    for path in sorted(_WHERE[domain]):
        method, keywords = _manner(path)
        with path.open("rb") as file:
            for _line, said, comments, context in extract(
                method, file, keywords=keywords, comment_tags=["TRANSLATORS:"], options={}, strip_comment_tags=True
            ):
                where = (path.relative_to(ROOT).as_posix(), 0)
                catalog.add(said, locations=[where], auto_comments=comments, context=context)
    return catalog


def _manner(path: Path) -> tuple[Any, dict[str, Any]]:
    match path.suffix:
        case ".py":
            return "python", _PYTHON
        case ".js":
            return "javascript", _JAVASCRIPT
        case _:
            return _from_html, {"t": None}


def _from_html(file: IO[bytes], *_: object, **__: object) -> Iterator[tuple[int, str, str, list[str]]]:
    """The words of elements that have `data-words`: of the element, and of those of its attributes that are named."""
    reader = _Marked()
    reader.feed(file.read().decode())
    for words in reader.found:
        yield 0, "t", words, []


class _Marked(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open = ""
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        names = values.get("data-words")
        if "data-words" not in values:
            return
        self.found += [words for name in (names or "").split() if (words := values.get(name))]
        if names in (None, "") or "text" in (names or "").split():
            self._open, self._words = tag, []

    def handle_data(self, data: str) -> None:
        if self._open:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            self.found.append(" ".join("".join(self._words).split()))
            self._open = ""


def path_of(language: str, domain: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.po"


def kept(language: str, domain: str) -> Catalog:
    """What stands in a catalog."""
    path = path_of(language, domain)
    if not path.exists():
        return Catalog(locale=language, domain=domain, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def renewed(language: str, domain: str) -> Catalog:
    """The sentences of today, each with its translation where there is one."""
    old, new = kept(language, domain), Catalog(locale=language, domain=domain, fuzzy=False)
    for message in extracted(domain):
        if message.id:
            known = old.get(message.id, message.context)
            string = known.string if known is not None and not known.fuzzy else None
            new.add(
                message.id,
                string,
                locations=message.locations,
                auto_comments=message.auto_comments,
                context=message.context,
            )
    return new


def messages(catalog: Catalog) -> list[Message]:
    """Without the header."""
    return [message for message in catalog if message.id]


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """Its forms: one, or those of each number."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def is_translated(message: Message) -> bool:
    return bool(message.string) and all(forms(message.string))


def as_po(catalog: Catalog) -> str:
    """Without dates and numbers of lines, so that only what is said changes it."""
    written = io.BytesIO()
    write_po(written, catalog, width=100, omit_header=True, include_lineno=False)
    header = (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {catalog.locale_identifier}\\n"\n'
        f'"Plural-Forms: {catalog.plural_forms}\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    return header + written.getvalue().decode().strip("\n") + "\n"


def as_mo(catalog: Catalog) -> bytes:
    """The same bytes at any time: its header would have said when it was made."""
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    written = io.BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


_SOME_NUMBERS = (*range(200), 10**6)
"""Among them is one of each category that whole numbers have in any language."""


def as_json(catalog: Catalog) -> str:
    """For the page: by English words, one text or the forms by the number's category (Unicode CLDR). A browser may know
    more categories than gettext has forms: in Spanish a million has one of its own, and is written as two are."""
    category_of = Locale.parse(str(catalog.locale_identifier)).plural_form
    form_of = gettext.c2py(catalog.plural_expr)
    places = {"other": catalog.num_plurals - 1} | {category_of(number): form_of(number) for number in _SOME_NUMBERS}
    words: dict[str, Any] = {}
    for message in messages(catalog):
        if not is_translated(message):
            continue
        if isinstance(message.id, str):
            words[message.id] = message.string
        else:
            said = forms(message.string)
            words[forms(message.id)[0]] = {category: said[place] for category, place in places.items()}
    return json.dumps(words, ensure_ascii=False, indent=0, sort_keys=True) + "\n"


def compiled(language: str, domain: str) -> tuple[Path, bytes]:
    """Where it goes, and what stands there."""
    catalog = kept(language, domain)
    if domain == PAGE:
        return STATIC / "words" / f"{language}.json", as_json(catalog).encode()
    return path_of(language, domain).with_suffix(".mo"), as_mo(catalog)


def main() -> None:
    """Renew all, and say what is missing."""
    missing = 0
    for domain in _WHERE:
        for language in OTHERS:
            path = path_of(language, domain)
            path.parent.mkdir(parents=True, exist_ok=True)
            catalog = renewed(language, domain)
            path.write_text(as_po(catalog), "utf-8")
            target, data = compiled(language, domain)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            open_ = [each for each in messages(catalog) if not is_translated(each)]
            missing += len(open_)
            print(f"{language} {domain}: {len(messages(catalog))} sentences, {len(open_)} without words")
    sys.exit(missing > 0)


if __name__ == "__main__":
    main()
