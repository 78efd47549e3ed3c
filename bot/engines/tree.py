"""The tree of a thread as one picture, to be read on a phone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PIL import Image, ImageDraw

from bot.domain.images import Picture
from bot.domain.refs import Sha256
from bot.domain.tree import Layout, Row
from bot.domain.words import steps_between
from bot.engines.pixels import decode, encode_png, to_picture
from bot.fonts import Fonts

WIDTH_PX: Final = 1080
ROW_PX: Final = 148
THUMB_PX: Final = 128
_MARGIN_PX, _LANE_PX, _DOT_PX, _LINE_PX = 26, 34, 8, 5
_TEXT_PX, _SMALL_PX, _BADGE_PX = 36, 28, 32
_HEAD_PX, _STEP_PX, _MOST_LINES = 42, 44, 2
_PAPER, _INK, _GREY, _LINE, _BADGE = "#ffffff", "#15181d", "#6a7280", "#b9c0cb", "#1f2937"
_GONE = "#e5e7eb"


def draw(layout: Layout, pictures: Mapping[Sha256, bytes], words: Mapping[str, str]) -> Picture:
    """`pictures` are the files of the images that are shown, as `shrink` gives them. `words` are said of what was
    erased (`gone`)."""
    image = Image.new("RGB", (WIDTH_PX, 2 * _MARGIN_PX + ROW_PX * max(1, len(layout.rows))), _PAPER)
    canvas = ImageDraw.Draw(image)
    for upper, lower in layout.edges:
        _draw_edge(canvas, layout, upper, lower)
    lanes = max((row.lane for row in layout.rows), default=0) + 1
    left_out = "".join(steps_between(len(row.hidden)) for row in layout.rows if row.hidden)
    said = "".join(f"{row.node.author}{row.node.words}" for row in layout.rows)
    fonts = Fonts(f"{said}{left_out}{''.join(words.values())}…")
    bold = Fonts("".join(row.node.author for row in layout.rows) + "0123456789…", bold=True)
    for place, row in enumerate(layout.rows):
        left = _MARGIN_PX + lanes * _LANE_PX
        _draw_row(image, canvas, row, (left, _top(place)), pictures, words, (fonts, bold))
    return to_picture(image, media_type="image/jpeg", quality=88)


def shrink(data: bytes) -> bytes:
    """A picture's file as its thumbnail's: the middle of it, `THUMB_PX` wide and high. Raises `BadPicture`. Blocks."""
    return encode_png(_squared(decode(data, least_px=2 * THUMB_PX).convert("RGB")))


def _squared(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((THUMB_PX, THUMB_PX), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)


def _top(place: int) -> int:
    return _MARGIN_PX + place * ROW_PX


def _dot(layout: Layout, place: int) -> tuple[int, int]:
    row = layout.rows[place]
    return _MARGIN_PX + row.lane * _LANE_PX + _LANE_PX // 2, _top(place) + ROW_PX // 2


def _draw_edge(canvas: ImageDraw.ImageDraw, layout: Layout, upper: int, lower: int) -> None:
    (from_x, from_y), (to_x, to_y) = _dot(layout, upper), _dot(layout, lower)
    canvas.line([(from_x, from_y), (from_x, to_y), (to_x, to_y)], fill=_LINE, width=_LINE_PX, joint="curve")


def _draw_row(  # noqa: PLR0917
    image: Image.Image,
    canvas: ImageDraw.ImageDraw,
    row: Row,
    corner: tuple[int, int],
    pictures: Mapping[Sha256, bytes],
    words: Mapping[str, str],
    fonts: tuple[Fonts, Fonts],
) -> None:
    (left, top), (_, bold) = corner, fonts
    x, y = _MARGIN_PX + row.lane * _LANE_PX + _LANE_PX // 2, top + ROW_PX // 2
    canvas.ellipse((x - _DOT_PX, y - _DOT_PX, x + _DOT_PX, y + _DOT_PX), fill=_INK)
    thumb_top = top + (ROW_PX - THUMB_PX) // 2
    facts = row.node.image
    data = pictures.get(facts.sha256) if facts is not None else None
    image.paste(_thumb(data), (left, thumb_top))
    number = str(row.node.number)
    wide = int(bold.length_px(number, _BADGE_PX)) + 18
    canvas.rounded_rectangle((left, thumb_top, left + wide, thumb_top + 42), 8, fill=_BADGE)
    _write(canvas, (left + 9, thumb_top + 2), number, bold, _BADGE_PX, "#ffffff")
    _say(canvas, row, (left + THUMB_PX + 22, top), words, fonts)


def _say(
    canvas: ImageDraw.ImageDraw,
    row: Row,
    corner: tuple[int, int],
    words: Mapping[str, str],
    fonts: tuple[Fonts, Fonts],
) -> None:
    """Who and what, in the middle of the row's height; how many steps lie above it at the right of who."""
    (left, top), (plain, bold) = corner, fonts
    room = WIDTH_PX - _MARGIN_PX - left
    is_gone = row.node.image is None
    said = " ".join(row.node.words.split()) or (words["gone"] if is_gone else "")
    note = steps_between(len(row.hidden)) if row.hidden else ""
    lines = wrapped(said, plain, _TEXT_PX, room)
    head = _HEAD_PX if row.node.author or note else 0
    y = top + (ROW_PX - head - _STEP_PX * len(lines)) // 2
    wide = int(plain.length_px(note, _SMALL_PX))
    _write(canvas, (left + room - wide, y), note, plain, _SMALL_PX, _GREY)
    author = _cut(row.node.author, bold, _SMALL_PX, room - wide - 24 * bool(note))
    _write(canvas, (left, y), author, bold, _SMALL_PX, _GREY)
    for place, line in enumerate(lines):
        _write(canvas, (left, y + head + place * _STEP_PX), line, plain, _TEXT_PX, _GREY if is_gone else _INK)


def _thumb(data: bytes | None) -> Image.Image:
    if data is None:
        return Image.new("RGB", (THUMB_PX, THUMB_PX), _GONE)
    return decode(data)


def _write(  # noqa: PLR0917
    canvas: ImageDraw.ImageDraw, at: tuple[float, float], text: str, fonts: Fonts, size_px: int, ink: str
) -> None:
    x, y = at
    for run in fonts.runs(text, size_px):
        canvas.text((x, y + size_px), run.text, font=run.font, fill=ink, anchor="ls")
        x += run.font.getlength(run.text)


def wrapped(text: str, fonts: Fonts, size_px: int, room_px: int) -> list[str]:
    """In up to `_MOST_LINES` lines, the last with dots where it is cut. Lines end between words; where one word is
    longer than half of a line, as all of them are where no spaces are written, within it."""
    lines: list[str] = []
    while text and len(lines) < _MOST_LINES - 1:
        held = _held(text, fonts, size_px, room_px)
        if held == len(text):
            break
        space = text.rfind(" ", 0, held + 1)
        end = space if space > held // 2 else _before_stop(text, held)
        lines.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [*lines, _cut(text, fonts, size_px, room_px)] if text else lines


_NOT_AT_THE_START = frozenset("、。，．！？：；）」』】》〉’”…ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ,.!?:;)]}")
"""What no line begins with, in any of the languages."""


def _before_stop(text: str, end: int) -> int:
    """The same place, or a letter or two before it, so that no line begins with what belongs to the one above."""
    place = end
    while place > max(1, end - 3) and text[place] in _NOT_AT_THE_START:
        place -= 1
    return place


def _cut(text: str, fonts: Fonts, size_px: int, room_px: int) -> str:
    if _held(text, fonts, size_px, room_px) == len(text):
        return text
    return text[: _held(text, fonts, size_px, room_px, end="…")].rstrip() + "…"


def _held(text: str, fonts: Fonts, size_px: int, room_px: int, end: str = "") -> int:
    """How many of its letters fit, with `end` behind them."""
    if fonts.length_px(text + end, size_px) <= room_px:
        return len(text)
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fonts.length_px(text[:middle] + end, size_px) <= room_px else (low, middle - 1)
    return low
