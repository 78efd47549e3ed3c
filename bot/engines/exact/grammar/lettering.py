"""Ways of saying: these exact words, here, in this color and size."""

from __future__ import annotations

import re

from bot.engines.exact.grammar.rules import (
    COLOR,
    COUNT,
    PLACE,
    Found,
    color_of,
    number_of,
    place_of,
    rule,
)
from bot.engines.exact.operations import Length, Operation, Place, Px, Share, Write

_HEIGHTS = {
    "tiny": Share(0.035),
    **dict.fromkeys(("small", "little"), Share(0.055)),
    "medium": Share(0.09),
    **dict.fromkeys(("big", "large"), Share(0.15)),
    **dict.fromkeys(("huge", "giant"), Share(0.25)),
}
_USUAL_HEIGHT = Share(0.09)
_USUAL_PLACE = Place(0.5, 1)
_STYLE = rf"(?:(?P<bold>bold)|(?P<size>{'|'.join(_HEIGHTS)})|(?P<color>{COLOR})|letters|text|type|font|lettering)"
_STYLE_WORD = re.compile(_STYLE)
_ONE_STYLE = re.sub(r"\?P<\w+>", "?:", _STYLE)
_STYLES = rf"{_ONE_STYLE}(?: {_ONE_STYLE})*"
_OPTION = (
    rf"(?:(?:on|to|over|onto|across) it|(?:(?:in|at|on|to|near|across|along) )?(?:very )?(?P<place>{PLACE})(?: of it)?"
    rf"|(?:(?:in|with|using) )?(?P<style>{_STYLES})"
    rf"|(?:(?:in|at|with) )?(?:(?:font|text|letter) )?(?:size|height) (?:of )?(?P<px>{COUNT})(?: px)?"
    rf"|(?:(?:in|at|with) )?(?P<px_high>{COUNT}) px(?: (?:high|tall|big|letters|text|font))?)"
)
_NEXT_OPTION = re.compile(rf" (?:, |and )?{_OPTION}(?= |$)")
_OPTIONS = rf"(?: (?:, |and )?{re.sub(r'[?]P<[a-z_]+>', '?:', _OPTION)})*"


def _write(found: Found) -> Operation | None:
    words = found.quotes[0].strip()
    said = _options(f" in {found['before']}" * bool(found["before"]) + found["options"])
    if said is None or not words:
        return None
    height: Length = Px(number_of(said["px"])) if "px" in said else _HEIGHTS.get(said.get("size", ""), _USUAL_HEIGHT)
    place = place_of(said["place"]) if "place" in said else _USUAL_PLACE
    return Write(words, place, color_of(said.get("color", "white")), height, bold="bold" in said)


def _options(words: str) -> dict[str, str] | None:
    """Place, color, size, in any order; None where one is said twice."""
    said: list[tuple[str, str]] = []
    done = 0
    while done < len(words):
        found = _NEXT_OPTION.match(words, done)
        if found is None:
            return None
        done = found.end()
        said += [("px" if name == "px_high" else name, part) for name, part in found.groupdict().items() if part]
    styles = [match for name, part in said if name == "style" for match in _STYLE_WORD.finditer(part)]
    said = [entry for entry in said if entry[0] != "style"]
    said += [(name, part) for match in styles for name, part in match.groupdict().items() if part]
    kinds = ["px" if name == "size" else name for name, _ in said]
    return dict(said) if len(set(kinds)) == len(kinds) else None


_WRITE = "(add|put|write|place|insert|type|print|draw|overlay|with|caption|title|label|have)"
_NOUN = "(text|words|word|caption|title|heading|headline|lettering|watermark|subtitle|line)"
_SAYING = "[(saying|that says|which says|reading|that reads|:|of) ]"

LETTERING = tuple(
    rule(template, _write, options=_OPTIONS, styles=_STYLES)
    for template in (
        f"{_WRITE} [it ][in ][<styles:before> ][{_NOUN} ]{_SAYING}<quote><options:options>",
        f"[<styles:before> ]{_NOUN} {_SAYING}<quote><options:options>",
    )
)
