"""Three instructions that would work, as near as may be to what was asked."""

from __future__ import annotations

import re

_NEAR: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"crop|cut|trim|square|circle|ratio|portrait|landscape|zoom",
        ("crop to 16:9", "crop to a square", "cut off the left third"),
    ),
    (r"rotat|turn|spin|tilt|straight", ("rotate 90 degrees", "rotate 10 degrees to the left", "turn it upside down")),
    (r"flip|mirror|reflect", ("flip horizontally", "flip vertically", "rotate 180 degrees")),
    (
        r"resiz|size|bigger|smaller|larger|scale|upscale|enlarge|shrink|wide|height|width|4k|hd",
        ("resize to 1200 px wide", "make it twice as big", "shrink to 50%"),
    ),
    (
        r"gr[ae]y|black|white|monochrome|sepia|vintage|retro|old",
        ("make it black and white", "add a sepia tone", "make it warmer"),
    ),
    (
        r"invert|negative|colou?r|satur|vivid|vibran|pale|fade|hue",
        ("30% more saturation", "invert the colours", "make it warmer"),
    ),
    (
        r"bright|dark|light|night|expos|shadow|dim|contrast|sky|sun",
        ("make it a little darker", "20% brighter", "30% more contrast"),
    ),
    (r"warm|cool|cold|temperature|mood", ("make it a bit warmer", "make it cooler", "20% less saturation")),
    (
        r"blur|focus|bokeh|hide|censor|pixel|anonym|licen[cs]e",
        ("blur the left half", "pixelate from 10,20 to 200,300", "blur it a little"),
    ),
    (r"sharp|crisp|clear|detail|enhance|quality", ("sharpen it", "30% more contrast", "make it twice as big")),
    (r"border|frame|edge|corner", ("add a 20 px white border", "round the corners", "add a thin black frame")),
    (
        r"text|write|caption|words?|title|letter|font|say|meme|watermark|«»|[\"“]",
        (
            'write "Hello" at the bottom',
            'write "Sale" in red at the top left',
            'add the small text "Paris" in the centre',
        ),
    ),
    (
        r"background|transparent|cut ?out|remove|erase|delete",
        ("make the white background transparent", "crop to a circle", "trim the borders"),
    ),
    (
        r"side|next to|grid|collage|together|combine|before|after|stack|both|join|merge",
        ("put them side by side", "make a grid", "stack them"),
    ),
    (r"mov|shift|left|right|up|down", ("shift it 100 px to the right", "crop to the left half", "flip horizontally")),
    (r"sticker|emoji|avatar|icon", ("make it a sticker", "crop to a circle", "resize to 512x512")),
    (
        r"png|jpe?g|webp|gif|pdf|heic|format|file|kb|mb|compress|convert|save",
        ("save as png", "as jpeg under 200 KB", "convert to webp"),
    ),
)
_ALWAYS = ("crop to a square", "make it black and white", 'write "Hello" at the bottom')
_FOR_SEVERAL = ("put them side by side", "make a grid", "stack them")


def suggestions_for(part: str, images: int) -> tuple[str, ...]:
    """Three instructions that are understood whole with so many images at hand."""
    near = [text for pattern, texts in _NEAR if re.search(rf"\b(?:{pattern})", part.lower()) for text in texts[:2]]
    first = [texts[2] for pattern, texts in _NEAR if re.search(rf"\b(?:{pattern})", part.lower())]
    wanted = dict.fromkeys([*near, *first, *(_FOR_SEVERAL[:1] if images > 1 else ()), *_ALWAYS])
    return tuple(text for text in wanted if images > 1 or text not in _FOR_SEVERAL)[:3]
