"""What people have read in an evening, and what of it nobody could have read in another language."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.brackets import unmarked
from tests.fakes.discord import FakeDiscord
from tests.fakes.telegram import FakeTelegram

_TELEGRAM_SAYS_NOTHING: Final = frozenset(
    {"action", "allowed_updates", "callback_data", "callback_query_id", "chat_id", "command", "document", "emoji",
     "file_id", "id", "inline_message_id", "inline_query_id", "language_code", "media", "offset", "parse_mode", "photo",
     "photo_file_id", "scope", "type", "url", "user"}
)  # fmt: skip
"""Names of what carries no words (Bot API)."""
_DISCORD_SAYS_NOTHING: Final = frozenset(
    {"allowed_mentions", "custom_id", "default_member_permissions", "emoji", "filename", "id", "message_reference",
     "nonce", "type", "url", "value", "values"}
)  # fmt: skip
"""Likewise. Files are called as people or the house call them."""
_PAGE_SAYS_NOTHING: Final = frozenset(
    {"act", "argument", "author", "chat", "code", "holds", "id", "key", "kinds", "media_type", "message_id", "name",
     "owners", "reply_to", "sha256", "standing", "state", "thread_id", "turn_id", "url"}
)  # fmt: skip
_FEW_WORDS: Final = re.compile(r"(?: inline_keyboard text| label| placeholder| title|_localizations \S+)$")
"""Keys, buttons, choices, headings of forms and commands."""
_NAMED: Final = frozenset(("name",))
_MARKUP: Final = re.compile(r"<@!?\d+>|<t:\d+(?::\w)?>|</\w+:\d+>|https?://[^\s>)]+|```\w*")
_ESCAPED: Final = re.compile(r"\\([^A-Za-z0-9\s])")
_HTML_SILENT: Final = re.compile(r"<(style|script)\b.*?</\1>|<!--.*?-->|<!doctype[^>]*>", re.DOTALL | re.IGNORECASE)
_HTML_READ: Final = re.compile(r"\b(?:alt|title|placeholder|aria-label)=\"([^\"]*)\"", re.IGNORECASE)
_FRONT: Final = re.compile(r"<noscript>(.*?)</noscript>|<meta name=\"description\" content=\"([^\"]*)\"", re.DOTALL)
_FIGURES: Final = r"\b(?:[1248]K|[KM]B|PNG|JPEG|WebP|GIF|HEIC|AVIF|TIFF|BMP|SVG)\b|\bgemini-[\w.-]+"
"""Sizes, formats and models."""
_COMMAND: Final = re.compile(r"(?<![\w/])/[a-z]+(?:@\w+)?")


@dataclass
class Reading:
    """`read` has each text once, with where it stood first; `refused` what nobody read, since it was too long."""

    read: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    _pages: set[int] = field(default_factory=set)

    def text(self, where: str, words: str) -> None:
        if words not in self.read:
            self.read[words] = where

    def all_of(self, where: str, thing: Any, *, silent: frozenset[str]) -> None:
        """Every text in what a platform was given, but for the names in `silent`."""
        match thing:
            case str():
                self.text(where, thing)
            case Mapping():
                for name, each in thing.items():
                    if name not in silent and not _is_said_in_each_language(thing, name):
                        self.all_of(f"{where} {name}", each, silent=silent)
            case Sequence():
                for each in thing:
                    self.all_of(where, each, silent=silent)
            case _:
                pass

    def telegram(self, fake: FakeTelegram) -> None:
        for each in fake.requests:
            self.all_of(each.method, each.arguments, silent=_TELEGRAM_SAYS_NOTHING)
            if each.status == 400 and "too long" in each.answer["description"]:
                self.refused.append(f"{each.method}: {each.answer['description']}")

    def discord(self, fake: FakeDiscord) -> None:
        for each in fake.requests:
            silent = _DISCORD_SAYS_NOTHING | (_NAMED if each.path.endswith("/commands") else frozenset())
            self.all_of(f"{each.method} {each.path}", each.json, silent=silent)
            if each.status == 400:
                self.refused.append(f"{each.method} {each.path}: {each.answer}")

    def page(self, where: str, told: Any) -> None:
        """A message that stands there as it stood is not read again."""
        for each in told["messages"] if isinstance(told, dict) and "messages" in told else (told,):
            if not each.get("author", {}).get("is_bot", True):
                continue
            mark = hash(json.dumps(each))
            if mark not in self._pages:
                self._pages.add(mark)
                self.all_of(where, each, silent=_PAGE_SAYS_NOTHING)

    def html(self, where: str, text: str) -> None:
        text = _HTML_SILENT.sub(" ", text)
        for each in _HTML_READ.findall(text) + re.split(r"<[^>]*>", text):
            self.text(where, html.unescape(each))

    def front(self, text: str) -> None:
        """The page before its script fills it. What it says itself stands in other catalogs (tests/test_page_words)."""
        for each in _FRONT.findall(text):
            self.html("the front page", "".join(each))

    def cut(self) -> list[str]:
        """What ends before its sentence does. Where a platform has room for a few words only, the catalogs are held to
        that (tests/unit/test_sentences.py): here they are twice as long."""
        ends = [(where, text) for text, where in self.read.items() if text.count("⟦") != text.count("⟧")]
        return [f"{where} was cut: “{text}”" for where, text in ends if not _FEW_WORDS.search(where)]

    def left(self, own: Iterable[str]) -> list[str]:
        """What was read in no language but English. `own` are the words of people, models and names."""
        lines = {line for each in own for line in (each, *each.splitlines()) if any(map(str.isalpha, line))}
        named = "|".join(map(re.escape, sorted(lines, key=len, reverse=True)))
        known = re.compile(rf"(?<!\w)(?:{named})(?!\w)|{_FIGURES}")
        found: list[str] = []
        for text, where in self.read.items():
            plain = _MARKUP.sub(" ", _ESCAPED.sub(r"\1", text))
            if rest := unmarked(_COMMAND.sub(" ", known.sub(" ", plain)), []):
                found.append(f"{where}: “{rest}” in “{text}”")
        return found


def _is_said_in_each_language(thing: Mapping[str, Any], name: str) -> bool:
    """In English for whoever speaks another one than we do."""
    return bool(thing.get(f"{name}_localizations"))
