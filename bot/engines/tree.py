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
ROW_PX: Final = 116
THUMB_PX: Final = 100
_MARGIN_PX, _LANE_PX, _DOT_PX, _LINE_PX = 26, 34, 8, 5
_TEXT_PX, _SMALL_PX, _BADGE_PX = 34, 26, 30
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
    (left, top), (plain, bold) = corner, fonts
    x, y = _MARGIN_PX + row.lane * _LANE_PX + _LANE_PX // 2, top + ROW_PX // 2
    canvas.ellipse((x - _DOT_PX, y - _DOT_PX, x + _DOT_PX, y + _DOT_PX), fill=_INK)
    thumb_top = top + (ROW_PX - THUMB_PX) // 2
    facts = row.node.image
    data = pictures.get(facts.sha256) if facts is not None else None
    image.paste(_thumb(data), (left, thumb_top))
    number = str(row.node.number)
    wide = int(bold.length_px(number, _BADGE_PX)) + 18
    canvas.rounded_rectangle((left, thumb_top, left + wide, thumb_top + 38), 8, fill=_BADGE)
    _write(canvas, (left + 9, thumb_top + 1), number, bold, _BADGE_PX, "#ffffff")
    room = WIDTH_PX - _MARGIN_PX - left - THUMB_PX - 20
    at = left + THUMB_PX + 20
    said = " ".join(row.node.words.split()) or ("" if facts is not None else words["gone"])
    _write(canvas, (at, top + 12), _cut(row.node.author, bold, _TEXT_PX, room), bold, _TEXT_PX, _INK)
    _write(canvas, (at, top + 54), _cut(said, plain, _TEXT_PX, room), plain, _TEXT_PX, _INK if facts else _GREY)
    if row.hidden:
        note = steps_between(len(row.hidden))
        wide = int(plain.length_px(note, _SMALL_PX))
        _write(canvas, (WIDTH_PX - _MARGIN_PX - wide, top + 16), note, plain, _SMALL_PX, _GREY)


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


def _cut(text: str, fonts: Fonts, size_px: int, room_px: int) -> str:
    if fonts.length_px(text, size_px) <= room_px:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fonts.length_px(text[:middle] + "…", size_px) <= room_px else (low, middle - 1)
    return text[:low].rstrip() + "…"
