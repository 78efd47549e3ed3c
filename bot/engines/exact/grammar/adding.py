"""Ways of saying: border, rounded corners, exact words, a transparent background, a sticker."""

from __future__ import annotations

from bot.engines.exact.grammar.rules import Found, always, color_of, length_of, rules
from bot.engines.exact.operations import (
    Border,
    ClearBackground,
    Length,
    Operation,
    RoundCorners,
    Share,
    Sticker,
)

_WIDTHS = {"thin": Share(0.015), "narrow": Share(0.015), "thick": Share(0.08), "wide": Share(0.08)}
_WIDTH_WORD = "<thin|narrow|thick|wide:size>"
_LENGTH = "<length:width>[ (wide|thick)]"
_BORDER = "(border|frame)"
_AROUND = "[ (around|to|on|for) it]"
_ADD = "[(add|put|give it|draw|make|apply|use|with|have|create|place|give|it with|surround it with|frame it with) ]"


def _border(found: Found) -> Operation:
    width: Length = Share(0.04)
    if found["width"]:
        width = length_of(found["width"])
    elif found["size"]:
        width = _WIDTHS[found["size"]]
    return Border(width, color_of(found["color"]) if found["color"] else "#ffffff")


_BORDERS = rules(
    (f"{_ADD}[{_LENGTH} ][<color:color> ]{_BORDER}{_AROUND}", _border),
    (f"{_ADD}[<color:color> ]{_LENGTH} {_BORDER}{_AROUND}", _border),
    (f"{_ADD}[{_WIDTH_WORD} ][<color:color> ]{_BORDER}{_AROUND}", _border),
    (f"{_ADD}[<color:color> ]{_WIDTH_WORD} {_BORDER}{_AROUND}", _border),
    (f"{_ADD}[<color:color> ]{_BORDER} [(of|with) ][width [of ]]{_LENGTH}{_AROUND}", _border),
    (f"{_ADD}{_BORDER} [of ]{_LENGTH} [in ]<color:color>{_AROUND}", _border),
    (f"{_ADD}{_BORDER} (in|of) <color:color>[ (with|of) {_LENGTH}]{_AROUND}", _border),
    (f"{_ADD}{_LENGTH} {_BORDER} (in|of) <color:color>{_AROUND}", _border),
    (f"{_ADD}{_BORDER} around it[ in <color:color>]", _border),
    ("frame it[ (in|with) <color:color>]", _border),
)


def _round(found: Found) -> Operation:
    return RoundCorners(length_of(found["radius"]) if found["radius"] else Share(0.1))


_CORNERS = rules(
    ("(round|round off) [its ](corners|edges)[ of it][ (by|with|to) [radius [of ]]<length:radius>[ radius]]", _round),
    (f"{_ADD}[<length:radius> ](rounded|round) corners{_AROUND}", _round),
    (f"{_ADD}(rounded|round) corners [(of|with) ][radius [of ]]<length:radius>[ radius]{_AROUND}", _round),
    (f"{_ADD}(corner|border) radius [of ]<length:radius>", _round),
    ("make [its ]corners [of it ](round|rounded)", _round),
)

_PLAIN = "(plain|uniform|solid)"
_OUT = "(remove|delete|cut out|cut away|take out|take away|erase|drop|clear)"


def _background(found: Found) -> Operation:
    return ClearBackground(color_of(found["color"]) if found["color"] else None)


_BACKGROUNDS = rules(
    ("(make|turn) <color:color> background [of it ](transparent|see through)", _background),
    (f"(make|turn) {_PLAIN} [<color:color> ]background [of it ](transparent|see through)", _background),
    (f"{_OUT} <color:color> background[ (of|from) it]", _background),
    (f"{_OUT} {_PLAIN} [<color:color> ]background[ (of|from) it]", _background),
)
_STICKERS = rules(
    ("(make|turn|convert|change) [it ][(into|to|as) ]sticker[ of it]", always(Sticker())),
    ("(make sticker (from|out of|of) it|sticker|as sticker|sticker version|make me sticker)", always(Sticker())),
)

ADDING = (*_BORDERS, *_CORNERS, *_BACKGROUNDS, *_STICKERS)
