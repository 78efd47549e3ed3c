"""Three instructions that would work, as near as may be to what was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from bot.domain.language import LANGUAGES, N_, catalog, folded, tr
from bot.domain.words import WRITE_IT

_NEAR: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"crop|cut|trim|square|circle|ratio|portrait|landscape|zoom",
        (N_("crop to 16:9"), N_("crop to a square"), N_("cut off the left third")),
    ),
    (
        r"rotat|turn|spin|tilt|straight",
        (N_("rotate 90 degrees"), N_("rotate 10 degrees to the left"), N_("turn it upside down")),
    ),
    (r"flip|mirror|reflect", (N_("flip horizontally"), N_("flip vertically"), N_("rotate 180 degrees"))),
    (
        r"resiz|size|bigger|smaller|larger|scale|upscale|enlarge|shrink|wide|height|width|4k|hd",
        (N_("resize to 1200 px wide"), N_("make it twice as big"), N_("shrink to 50%")),
    ),
    (
        r"gr[ae]y|black|white|monochrome|sepia|vintage|retro|old",
        (N_("make it black and white"), N_("add a sepia tone"), N_("make it warmer")),
    ),
    (
        r"invert|negative|colou?r|satur|vivid|vibran|pale|fade|hue",
        (N_("30% more saturation"), N_("invert the colours"), N_("make it warmer")),
    ),
    (
        r"bright|dark|light|night|expos|shadow|dim|contrast|sky|sun",
        (N_("make it a little darker"), N_("20% brighter"), N_("30% more contrast")),
    ),
    (r"warm|cool|cold|temperature|mood", (N_("make it a bit warmer"), N_("make it cooler"), N_("20% less saturation"))),
    (
        r"blur|focus|bokeh|hide|censor|pixel|anonym|licen[cs]e",
        (N_("blur the left half"), N_("pixelate from 10,20 to 200,300"), N_("blur it a little")),
    ),
    (
        r"sharp|crisp|clear|detail|enhance|quality",
        (N_("sharpen it"), N_("30% more contrast"), N_("make it twice as big")),
    ),
    (
        r"border|frame|edge|corner",
        (N_("add a 20 px white border"), N_("round the corners"), N_("add a thin black frame")),
    ),
    (
        r"text|write|caption|words?|title|letter|font|say|meme|watermark|«»|[\"“]",
        (
            N_('write "Hello" at the bottom'),
            N_('write "Sale" in red at the top left'),
            N_('add the small text "Paris" in the centre'),
        ),
    ),
    (
        r"background|transparent|cut ?out|remove|erase|delete",
        (N_("make the white background transparent"), N_("crop to a circle"), N_("trim the borders")),
    ),
    (
        r"side|next to|grid|collage|together|combine|before|after|stack|both|join|merge",
        (N_("put them side by side"), N_("make a grid"), N_("stack them")),
    ),
    (
        r"mov|shift|left|right|up|down",
        (N_("shift it 100 px to the right"), N_("crop to the left half"), N_("flip horizontally")),
    ),
    (r"sticker|emoji|avatar|icon", (N_("make it a sticker"), N_("crop to a circle"), N_("resize to 512x512"))),
    (
        r"png|jpe?g|webp|gif|pdf|heic|format|file|kb|mb|compress|convert|save",
        (N_("save as png"), N_("as jpeg under 200 KB"), N_("convert to webp")),
    ),
)
_ALWAYS = (N_("crop to a square"), N_("make it black and white"), N_('write "Hello" at the bottom'))
_FOR_SEVERAL = (N_("put them side by side"), N_("make a grid"), N_("stack them"))


_SAID_ELSEWHERE = (N_("crop to a square and make it black and white"),)
"""Examples that people are shown in other places."""


def suggestions_for(part: str, images: int) -> tuple[str, ...]:
    """Three instructions that are understood whole with so many images at hand."""
    near = [text for pattern, texts in _NEAR if re.search(rf"\b(?:{pattern})", part.lower()) for text in texts[:2]]
    first = [texts[2] for pattern, texts in _NEAR if re.search(rf"\b(?:{pattern})", part.lower())]
    wanted = dict.fromkeys([*near, *first, *(_FOR_SEVERAL[:1] if images > 1 else ()), *_ALWAYS])
    return tuple(tr(text) for text in wanted if images > 1 or text not in _FOR_SEVERAL)[:3]


def as_written(instruction: str) -> str:
    """What we offer to say in other languages, in the words that it is read in. All else as it is."""
    return _written_there(instruction) or _offered().get(folded(instruction), instruction)


@cache
def _offered() -> Mapping[str, str]:
    offered = (*(text for _, texts in _NEAR for text in texts), *_ALWAYS, *_FOR_SEVERAL, *_SAID_ELSEWHERE)
    return {folded(catalog(language).gettext(text)): text for language in LANGUAGES for text in offered}


def _written_there(instruction: str) -> str:
    """`WRITE_IT` with whatever words stand in it; empty where that is not said."""
    said = instruction.strip()
    for language in LANGUAGES:
        before, _, after = catalog(language).gettext(WRITE_IT).partition("{text}")
        words = said[len(before) : len(said) - len(after)]
        marks = {'"', before[-1:], after[:1]}  # one within ends the words: then more is said than that
        if words and marks.isdisjoint(words) and said.startswith(before) and said.endswith(after):
            return WRITE_IT.format(text=words)
    return ""
