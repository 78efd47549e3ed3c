"""What stands beside the remark in the model's words: next edits, a question with its answers, a story's plan.

The model is asked (prompt.py) to end its words with lines like

    NEXT: Make it night
    ASK: Which of the two?          OPTION: The one on the left
    PANEL 1: A fox finds a lantern.

It may do so badly or not at all, and a picture may have talked it into anything: whatever is not one of these lines is
remark, what breaks a limit is left out, and nothing here can fail. All that is given on is plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.domain.wishes import MOST_PANELS

MOST_SUGGESTIONS = 3
MOST_OPTIONS = 4
CHOICE_CHARS = 60
"""A suggestion or an option, which has to fit on a button. The model is told 40."""
QUESTION_CHARS = 300
PANEL_CHARS = 200
READ_CHARS = 8_000
"""No more of an answer is read."""

_SPACE = r"[^\S\n]"
_NAMES = r"(?a:NEXT|ASK|OPTION|PANEL)"
_NOTE = re.compile(
    rf"{_SPACE}{{0,8}}(?:[>#*_`~•·\-–—+()\[\]0-9.]|{_SPACE}){{0,12}}"
    rf"(?P<name>(?ai:{_NAMES}))(?:[*_`#(]|{_SPACE}){{0,4}}(?P<number>[0-9]{{1,2}})?(?:[*_`).]|{_SPACE}){{0,4}}"
    rf"(?P<sign>[:：﹕∶]|{_SPACE}[\-–—]{_SPACE})(?P<words>.*)"
)
_RUN_ON = re.compile(
    rf"(?<=\s)(?=[*_`]{{0,3}}{_NAMES}[*_`]{{0,3}}{_SPACE}?(?:[0-9]{{1,2}}{_SPACE}?)?[*_`]{{0,3}}[:：])"
)
"""Where a note begins on a line that has begun with something else. Only as we ask for it, in capitals."""
_BULLET = re.compile(rf"{_SPACE}{{0,8}}(?:[*•·\-–—+]|[0-9]{{1,2}}[.)])(?:{_SPACE}){{1,4}}(?P<words>\S.*)")
_RULE = re.compile(r"[\s`~*_=\-–—]*(?:```\w{0,12})?\s*")

_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Control characters, halves of characters, and what turns the direction of a text around or cannot be seen. Joiners
stay: scripts and emoji need them."""
_LINE_ENDS = re.compile(r"\r\n?|[\x85\u2028\u2029]")

_LINKED = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\s]{0,2000}(?:\s[^()\n]{0,200})?\)")
_ADDRESS = re.compile(r"<?\b(?:[a-z][a-z0-9+.\-]{1,20}://|www\.)[^\s<>\"”»)\]]{0,2000}>?", re.IGNORECASE)
_REACHES_OUT = re.compile(r"://|www\.|@|[^\W\d_]{2,}\.[a-z]{2,}\b|^/", re.IGNORECASE)
"""An address, a mention or a command: none of it belongs in words that a press says in a person's name."""
_MARKS = (
    re.compile(r"\*\*([^*\n]{1,2000})\*\*"),
    re.compile(r"__([^_\n]{1,2000})__"),
    re.compile(r"~~([^~\n]{1,2000})~~"),
    re.compile(r"`{1,3}([^`\n]{1,2000})`{1,3}"),
    re.compile(r"(?<![\w*])\*(?=\S)([^*\n]{1,2000})(?<=\S)\*(?![\w*])"),
    re.compile(r"(?<![\w_])_(?=\S)([^_\n]{1,2000})(?<=\S)_(?![\w_])"),
)
_LINE_MARK = re.compile(r"^[^\S\n]{0,8}(?:#{1,6}|>)[^\S\n]+", re.MULTILINE)
_POINT = re.compile(r"^[^\S\n]{0,8}[*+\-][^\S\n]+", re.MULTILINE)
_FENCE = re.compile(r"^[^\S\n]{0,8}```\w{0,12}[^\S\n]*$", re.MULTILINE)
_WRAPPING = " \t*_`~\"'“”„‟‘’‚«»‹›「」『』[]<>"


@dataclass(frozen=True, slots=True)
class Notes:
    """`remark` is what is left of the words. `plan` has the words of a story's panels in order, empty where one was
    left out."""

    remark: str = ""
    suggestions: tuple[str, ...] = ()
    question: str = ""
    options: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()


def notes_of(text: str) -> Notes:
    """The words of an answer, taken apart. Pure; never raises, and never gives more than the limits above."""
    remark: list[str] = []
    found: dict[str, list[tuple[int, str]]] = {"NEXT": [], "ASK": [], "OPTION": [], "PANEL": []}
    for name, number, words in _lines(text):
        found[name].append((number, words)) if name else remark.append(words)
    questions = [_plain(words) for _, words in found["ASK"]]
    return Notes(
        remark=_tidied("\n".join(remark)),
        suggestions=_choices(found["NEXT"], MOST_SUGGESTIONS),
        question=shortened(next(filter(_says_something, questions), ""), QUESTION_CHARS),
        options=_choices(found["OPTION"], MOST_OPTIONS),
        plan=_plan(found["PANEL"]),
    )


def shortened(text: str, max_chars: int) -> str:
    """At most so long, cut between words."""
    if len(text) <= max_chars:
        return text
    kept = text[: max_chars - 1]
    return (kept.rsplit(maxsplit=1)[0] if len(kept.split()) > 1 else kept).rstrip() + "…"


def one_line(text: str) -> str:
    """Without what cannot be seen, in one line."""
    return " ".join(_HIDDEN.sub("", _LINE_ENDS.sub("\n", text)).split())


def _lines(text: str) -> Iterator[tuple[str, int, str]]:
    """Each line with the name of the note that it is (empty for the remark), its number (0 where it has none) and its
    words. A note without words on its line has them in the bullets below it."""
    text = _HIDDEN.sub("", _LINE_ENDS.sub("\n", text[:READ_CHARS]))
    above = ""
    for line in (piece for whole in text.split("\n") for piece in _pieces(whole)):
        if note := _note(line):
            name, number, words = note
            above = "" if _says_something(words) else name
            yield name, number, words
        elif above and (bullet := _BULLET.match(line)):
            yield above, 0, bullet["words"]
        elif not above or not _RULE.fullmatch(line):
            above = ""
            yield "", 0, line


def _pieces(line: str) -> list[str]:
    """A line, taken apart where notes were run on. A bullet or a number before one is no words."""
    first, *rest = _RUN_ON.split(line)
    return [first, *rest] if not rest or any(map(str.isalpha, first)) else rest


def _note(line: str) -> tuple[str, int, str] | None:
    match = _NOTE.fullmatch(line)
    if match is None:
        return None
    name = match["name"]
    if match["sign"].strip() in "-–—" and not name.isupper():
        return None  # "Next - we could …" is a sentence
    return name.upper(), int(match["number"] or 0), match["words"]


def _choices(found: Iterable[tuple[int, str]], most: int) -> tuple[str, ...]:
    """Short, different, and nothing but words."""
    kept: dict[str, str] = {}
    for _, words in found:
        for part in words.split("|"):
            choice = _plain(part).rstrip(".。")
            reaches_out = _REACHES_OUT.search(one_line(part)) or _REACHES_OUT.search(choice)
            if _says_something(choice) and len(choice) <= CHOICE_CHARS and not reaches_out:
                kept.setdefault(choice.casefold(), choice)
    return tuple(kept.values())[:most]


def _plan(found: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """By their numbers; one without a number comes after the one before. Of two for one panel the first stays."""
    panels: dict[int, str] = {}
    last = 0
    for number, words in found:
        plain = shortened(_plain(words), PANEL_CHARS)
        last = number or last + 1
        if last <= MOST_PANELS and _says_something(plain):
            panels.setdefault(last, plain)
    return tuple(panels.get(number, "") for number in range(1, max(panels, default=0) + 1))


def _plain(text: str) -> str:
    """One line without markup, links and quotes around it."""
    return _without_markup(one_line(text)).strip(_WRAPPING)


def _tidied(text: str) -> str:
    """Without markup, links, rules left over from the notes, and empty lines."""
    lines = (" ".join(line.split()) for line in _without_markup(text).split("\n"))
    return re.sub(r"\n{2,}", "\n", "\n".join(lines)).strip().removesuffix("\n---").strip()


def _without_markup(text: str) -> str:
    text = _ADDRESS.sub("…", _LINKED.sub(r"\1", _FENCE.sub("", text)))
    for mark in _MARKS:
        text = mark.sub(r"\1", text)
    return _POINT.sub("• ", _LINE_MARK.sub("", text))


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)
