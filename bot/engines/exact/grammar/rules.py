"""How a rule is written, and the small parts of speech that rules share.

A rule is a template over the plain tokens of `words.py`, and a function from what was found to operations:

    rotate [it ]<angle:by> deg      [..] may be missing, (a|b) is a choice,
                                    <angle> is a part of speech, <angle:by> one whose words the function gets

The function may give None: these words mean something else after all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from PIL import ImageColor

from bot.engines.exact.operations import Box, Length, Operation, Part, Place, Px, Region, Share, Side
from bot.engines.exact.words import QUOTE

# --- parts of speech, as patterns over plain tokens

NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,2}|[0-9]{1,9}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})"
COUNT = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,2}|[0-9]{1,9})"
_FRACTION = r"(?:half|third|quarter|1 (?:half|third|quarter))"
_LENGTH = rf"(?:{NUMBER} ?(?:px|%)|{_FRACTION})"
_POINT = r"(?:\( )?[0-9]{1,6}(?:,| , | )[0-9]{1,6}(?: \))?"
_CORNERS = rf"{_POINT} (?:to|-|until) {_POINT}(?: px)?"
_BOX = rf"(?:(?:area|region|box|rectangle|part) )?(?:from )?{_CORNERS}"
_SIDE = r"(?:left|right|top|bottom|upper|lower)"
_PART = rf"{_SIDE} {_LENGTH}"
_TONES = ("dark", "light", "medium", "pale", "deep", "hot")


def _color_names() -> dict[str, str]:
    """Every name of a colour, "dark blue" as well as "darkblue", to its `#rrggbb`."""
    names: dict[str, str] = {}
    for name, value in ImageColor.colormap.items():
        code = value if isinstance(value, str) else "#{:02x}{:02x}{:02x}".format(*value)
        names[name] = code.lower()
        for tone in _TONES:
            if name.startswith(tone) and name != tone:
                names[f"{tone} {name[len(tone) :]}"] = code.lower()
    return names


_COLORS = _color_names()
COLOR = "(?:" + "|".join(sorted(map(re.escape, _COLORS), key=len, reverse=True)) + r"|\#(?:[0-9a-f]{3}|[0-9a-f]{6}))"
_PLACES = {
    "center": Place(0.5, 0.5),
    "top": Place(0.5, 0),
    "bottom": Place(0.5, 1),
    "left": Place(0, 0.5),
    "right": Place(1, 0.5),
    "top left": Place(0, 0),
    "top right": Place(1, 0),
    "bottom left": Place(0, 1),
    "bottom right": Place(1, 1),
}
_PLACE_WORDS = {"upper": "top", "lower": "bottom", "side": "", "corner": "", "edge": "", "center": ""}
PLACE = (
    r"(?:(?:top|bottom|upper|lower) (?:left|right|center)(?: corner)?|(?:left|right) (?:top|bottom)(?: corner)?"
    r"|center (?:left|right|top|bottom)|(?:top|bottom|left|right)(?: (?:edge|side))?|center)"
)

_KINDS = {
    "number": NUMBER,
    "signed": rf"[+-]?{NUMBER}",
    "count": COUNT,
    "px": rf"{COUNT}(?: px)?",
    "length": _LENGTH,
    "percent": rf"{NUMBER} %",
    "factor": rf"(?:{NUMBER} (?:x|times)|x {NUMBER}|twice|double|triple)",
    "color": COLOR,
    "side": _SIDE,
    "part": _PART,
    "box": _BOX,
    "region": rf"(?:{_PART}|{_BOX})(?: of it)?",
    "in": r"(?:in|on|of|at|for|to|over|inside)",
    "place": PLACE,
    "quote": re.escape(QUOTE),
    "amount": rf"(?:{NUMBER} %|slightly|much)",
    "add": r"(?:(?:add|put|give it|draw|make|apply|use|with|and|have|set|create|place) )",
}


# --- rules


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule matched: the words of its named parts, and the words in quotation marks among them."""

    parts: dict[str, str | None]
    quotes: tuple[str, ...]

    def __getitem__(self, name: str) -> str:
        """The words of a named part, empty where it is missing."""
        return self.parts.get(name) or ""


Make = Callable[[Found], "tuple[Operation, ...] | Operation | None"]


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: re.Pattern[str]
    make: Make


_FOLLOWS = (
    r"(?=$| (?:,|\.|;|!|\?|and|then|with|as|in|under|below|please|thanks|thank|for|now|too|ok|okay|after|afterwards"
    r"|also|next|finally|but at)(?: |$))"
)
"""What may come after an operation. Whether it really makes sense is seen when the reader goes on from there."""


def rule(template: str, make: Make, **kinds: str) -> Rule:
    """Compile one template. `kinds` are parts of speech of its own, as patterns."""
    pattern = template.replace("(", "(?:").replace("[", "(?:").replace("]", ")?")

    def part_of_speech(found: re.Match[str]) -> str:
        words = kinds.get(found[1]) or _KINDS.get(found[1], found[1])
        return f"(?P<{found[2]}>{words})" if found[2] else f"(?:{words})"

    return Rule(re.compile(re.sub(r"<([^<>:]+)(?::(\w+))?>", part_of_speech, pattern) + _FOLLOWS), make)


def rules(*table: tuple[str, Make]) -> tuple[Rule, ...]:
    return tuple(rule(template, make) for template, make in table)


def always(*operations: Operation) -> Make:
    """The same operations, whatever was found."""
    return lambda _found: operations


# --- words to values


def number_of(words: str) -> float:
    return float(words.replace(",", "").replace("px", "").replace("%", ""))


def count_of(words: str) -> int:
    return int(number_of(words))


def length_of(words: str) -> Length:
    """ "10 px", "25 %", "half"."""
    for name, fraction in (("half", 1 / 2), ("third", 1 / 3), ("quarter", 1 / 4)):
        if words.endswith(name):
            return Share(fraction)
    return Share(number_of(words) / 100) if words.endswith("%") else Px(number_of(words))


def factor_of(words: str) -> float:
    """ "twice", "3 times", "x 2"."""
    named = {"twice": 2.0, "double": 2.0, "triple": 3.0}
    return named.get(words) or float(words.replace("times", "").replace("x", "").replace(",", ""))


def side_of(words: str) -> Side:
    return Side(words.replace("upper", "top").replace("lower", "bottom"))


def part_of(words: str) -> Part:
    """ "left half", "bottom 100 px"."""
    side, _, depth = words.partition(" ")
    return Part(side_of(side), length_of(depth))


def region_of(words: str) -> Region | None:
    """ "top half", "area from 10,20 to 200,300"; None where nothing is said."""
    words = words.removesuffix(" of it")
    if not words:
        return None
    if re.match(_SIDE, words):
        return part_of(words)
    left, top, right, bottom = (int(n) for n in re.findall(r"[0-9]+", words))
    return Box(left, top, right, bottom)


def color_of(words: str) -> str:
    """Its `#rrggbb`."""
    if words.startswith("#"):
        digits = words[1:]
        return f"#{digits}" if len(digits) == 6 else "#" + "".join(digit * 2 for digit in digits)
    return _COLORS[words]


def place_of(words: str) -> Place:
    """ "bottom right corner", "center"."""
    plain = [_PLACE_WORDS.get(word, word) for word in words.split()]
    key = " ".join(sorted((word for word in plain if word), key=("top", "bottom", "left", "right").index))
    return _PLACES[key or "center"]
