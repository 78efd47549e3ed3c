"""The mark in the picture: what it is, in white letters on a dark plate, in the upper left corner.

It stands at the top, where a PNG can be drawn on without being made anew (`bot.labels.splice`). Its letters are as
high as GB 45438-2025 asks for (5.2: at least 5 % of the shorter side), taken strictly: the ink of each letter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from bot.domain.images import Picture
from bot.fonts import Fonts
from bot.labels.splice import with_top

Decode = Callable[[bytes], Image.Image]
"""A file to upright RGB or RGBA pixels."""
Encode = Callable[[Image.Image, str], Picture]
"""Pixels to a file of a media type, in good quality."""

INK = 0.051
"""Of the shorter side, how high the ink of the lowest capital letter is at least. A little more than the rule's 5 %,
so that a picture made smaller for a platform keeps it."""
_WIDEST = 0.6
"""Of the picture's width. Not where a rule says how high the letters are."""
_LEGIBLE_PX = 12
"""Letters are not set smaller where there is room for them."""
_PLATE = (0, 0, 0, 184)
"""White letters on it have a contrast of 9.2 : 1 over white, and more over all else (WCAG 2.2 asks for 4.5 : 1)."""
_INK = (255, 255, 255, 255)
_SMOOTH = 4
_SHORT = "AI"
"""Where a language's own words are too long for the picture."""
_MANIFEST = b"caBX"


class Marker:
    """Draws marks. `decode` and `encode` are for files that cannot be drawn on as they are."""

    def __init__(self, decode: Decode, encode: Encode) -> None:
        self._decode = decode
        self._encode = encode

    def draw(self, picture: Picture, words: str, *, strict: bool = False) -> Picture:
        """The picture with these words on it, in its own media type. `strict`: whole, and never below `INK`.

        A manifest in the file does not speak of these pixels: it is left out.
        """
        data = self._drawn(picture, words, strict)
        return replace(picture, data=data)

    def _drawn(self, picture: Picture, words: str, strict: bool) -> bytes:
        mark = mark_for(words, picture.width_px, picture.height_px, strict=strict)
        if picture.media_type == "image/png":
            rows = _corner(mark, picture.width_px, picture.height_px)[1] + mark.height
            spliced = with_top(picture.data, rows, lambda top: drawn_on(top, mark, picture), leaving_out=(_MANIFEST,))
            if spliced is not None:
                return spliced
        if picture.media_type == "image/jpeg" and (again := _jpeg_again(picture, mark)) is not None:
            return again
        return self._encode(drawn_on(self._decode(picture.data), mark, picture), picture.media_type).data


def drawn_on(image: Image.Image, mark: Image.Image, picture: Picture) -> Image.Image:
    """The image, or its first rows, with the mark on it. What is transparent below the plate becomes visible."""
    left, top = _corner(mark, picture.width_px, picture.height_px)
    box = (left, top, left + mark.width, top + mark.height)
    below = image.crop(box).convert("RGBA")
    below.alpha_composite(mark)
    image.paste(below if image.mode == "RGBA" else below.convert(image.mode), box)
    return image


def _corner(mark: Image.Image, width_px: int, height_px: int) -> tuple[int, int]:
    margin = round(0.02 * min(width_px, height_px))
    return max(0, min(margin, width_px - mark.width)), max(0, min(margin, height_px - mark.height))


def _jpeg_again(picture: Picture, mark: Image.Image) -> bytes | None:
    """Decoded and encoded once, with its own tables: what was not drawn on hardly changes. None for what is turned, or
    is not in plain colours."""
    with Image.open(BytesIO(picture.data), formats=("JPEG",)) as opened:
        if not isinstance(opened, JpegImageFile) or opened.mode != "RGB" or opened.getexif().get(0x0112, 1) != 1:
            return None
        opened.load()
        info = opened.info
        kept = {name: info[name] for name in ("icc_profile", "xmp") if info.get(name)}
        tables, sampling = opened.quantization, get_sampling(opened)
        out = BytesIO()
        image = drawn_on(opened, mark, picture)
        image.info = {}
        image.save(out, "JPEG", qtables=tables, subsampling=max(sampling, 0), **kept)
        return out.getvalue()


# --- the mark itself


def mark_for(words: str, width_px: int, height_px: int, *, strict: bool = False) -> Image.Image:
    """The mark of a picture of this size: RGBA, its plate and all. Not to be changed."""
    return _made(*lettering(words, width_px, height_px, strict=strict))


def lettering(words: str, width_px: int, height_px: int, *, strict: bool = False) -> tuple[str, int]:
    """What is written in a picture of this size, and in letters of which size."""
    short_px = min(width_px, height_px)
    if not strict and Fonts(words).missing:
        words = _SHORT
    wanted, legible = size_px(words, INK * short_px), min(_LEGIBLE_PX, short_px // 3)
    size, least = max(wanted, legible), wanted if strict else 1
    while size > least and not _fits(words, size, width_px, height_px, strict=strict):
        size -= 1
    if size < legible * 2 // 3 and words != _SHORT and not strict:
        return lettering(_SHORT, width_px, height_px)
    return words, size


def _fits(words: str, size: int, width_px: int, height_px: int, *, strict: bool) -> bool:
    width, height = _plate_size(words, size)
    share = 1.0 if strict or size <= _LEGIBLE_PX else _WIDEST
    return width <= share * width_px and height <= height_px


def size_px(words: str, ink_px: float) -> int:
    """The least size of letters at which the ink of each capital, and of each that is neither large nor small, is so
    high."""
    size = max(1, int(ink_px))
    while lowest_ink_px(words, size) < ink_px:
        size += max(1, math.floor((ink_px - lowest_ink_px(words, size)) / 2))
    return size


@lru_cache(maxsize=512)
def lowest_ink_px(words: str, size: int) -> float:
    letters = {letter for letter in words if letter.isalpha() and not letter.islower()} or set(words)
    fonts = _fonts(words)
    heights: list[float] = []
    for letter in sorted(letters):
        (run,) = fonts.runs(letter, size)
        box = run.font.getmask(letter, "L").getbbox()
        heights.append(box[3] - box[1] if box else 0)
    return min(heights)


def _fonts(words: str) -> Fonts:
    """Bold, where all of it can be: the Chinese and Japanese font has one weight."""
    plain = Fonts(words)
    return Fonts(words, bold=True) if len(plain.runs(words, 1)) == 1 and not plain.missing else plain


def _plate_size(words: str, size: int) -> tuple[int, int]:
    across, down = _padding(size)
    ascent, descent = _extent(words, size)
    return math.ceil(_fonts(words).length_px(words, size)) + 2 * across, ascent + descent + 2 * down


def _padding(size: int) -> tuple[int, int]:
    return max(1, round(0.4 * size)), max(1, round(0.22 * size))


@lru_cache(maxsize=512)
def _extent(words: str, size: int) -> tuple[int, int]:
    """How far the ink reaches above and below the line that letters stand on."""
    boxes = [run.font.getbbox(run.text, anchor="ls") for run in _fonts(words).runs(words, size)]
    return math.ceil(-min(box[1] for box in boxes)), max(0, math.ceil(max(box[3] for box in boxes)))


@lru_cache(maxsize=32)
def _made(words: str, size: int) -> Image.Image:
    width, height = _plate_size(words, size)
    shape = Image.new("L", (width * _SMOOTH, height * _SMOOTH))
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, *(side - 1 for side in shape.size)), height * _SMOOTH // 4, fill=255)
    plate = Image.new("RGBA", (width, height))
    plate.paste(_PLATE, mask=shape.resize((width, height), Image.Resampling.BOX))
    letters = Image.new("RGBA", (width, height))
    pen, (across, down) = ImageDraw.Draw(letters), _padding(size)
    at, line = float(across), down + _extent(words, size)[0]
    for run in _fonts(words).runs(words, size):
        pen.text((at, line), run.text, fill=_INK, font=run.font, anchor="ls")
        at += run.font.getlength(run.text)
    return Image.alpha_composite(plate, letters)
