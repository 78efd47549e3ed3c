"""All presets as one picture, to be read on a phone: their examples, numbers and titles."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from bot.domain.images import Picture
from bot.domain.presets import Preset
from bot.engines.pixels import decode, to_picture
from bot.fonts import Fonts

WIDTH_PX: Final = 1080
COLUMNS: Final = 3
EXAMPLES: Final = Path(__file__).parent / "presets"
"""One for each preset, under its key. Drawn by `python -m bot.engines.looks`."""

_MARGIN_PX, _GAP_PX, _TITLE_PX, _TEXT_PX, _LEAST_PX, _BADGE_PX = 24, 18, 58, 32, 22, 32
_PAPER, _INK, _BADGE = "#ffffff", "#15181d", "#1f2937"
_CELL_PX = (WIDTH_PX - 2 * _MARGIN_PX - (COLUMNS - 1) * _GAP_PX) // COLUMNS


def draw(presets: Sequence[Preset]) -> Picture:
    """The same presets give the same picture, which is drawn once."""
    return _drawn(tuple(presets))


@cache
def _drawn(presets: tuple[Preset, ...]) -> Picture:
    rows = -(-len(presets) // COLUMNS)
    image = Image.new("RGB", (WIDTH_PX, 2 * _MARGIN_PX + rows * (_CELL_PX + _TITLE_PX) + (rows - 1) * _GAP_PX), _PAPER)
    canvas = ImageDraw.Draw(image)
    fonts = Fonts("".join(preset.title for preset in presets) + "0123456789", bold=True)
    for place, preset in enumerate(presets):
        row, column = divmod(place, COLUMNS)
        left = _MARGIN_PX + column * (_CELL_PX + _GAP_PX)
        top = _MARGIN_PX + row * (_CELL_PX + _TITLE_PX + _GAP_PX)
        image.paste(_example(preset), (left, top))
        _number(canvas, (left, top), str(place + 1), fonts)
        _title(canvas, (left, top + _CELL_PX), preset.title, fonts)
    return to_picture(image, media_type="image/jpeg", quality=86)


def _example(preset: Preset) -> Image.Image:
    image = decode((EXAMPLES / f"{preset.key}.jpg").read_bytes())
    return image.resize((_CELL_PX, _CELL_PX), Image.Resampling.LANCZOS)


def _number(canvas: ImageDraw.ImageDraw, corner: tuple[int, int], number: str, fonts: Fonts) -> None:
    left, top = corner
    wide = int(fonts.length_px(number, _BADGE_PX)) + 24
    canvas.rounded_rectangle((left, top, left + wide, top + 46), 10, fill=_BADGE)
    _write(canvas, (left + 12, top + 36), number, fonts, _BADGE_PX, "#ffffff")


def _title(canvas: ImageDraw.ImageDraw, corner: tuple[int, int], title: str, fonts: Fonts) -> None:
    size = _TEXT_PX
    while size > _LEAST_PX and fonts.length_px(title, size) > _CELL_PX:
        size -= 1
    _write(canvas, (corner[0], corner[1] + 42), title, fonts, size, _INK)


def _write(  # noqa: PLR0917
    canvas: ImageDraw.ImageDraw, at: tuple[float, float], text: str, fonts: Fonts, size_px: int, ink: str
) -> None:
    """`at` is where the base line begins."""
    x, y = at
    for run in fonts.runs(text, size_px):
        canvas.text((x, y), run.text, font=run.font, fill=ink, anchor="ls")
        x += run.font.getlength(run.text)
