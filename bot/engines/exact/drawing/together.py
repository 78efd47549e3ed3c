"""Several pictures into one: a row, a column, a grid, before and after. None is cropped; all keep their proportions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image

from bot.domain.errors import BadRequest
from bot.domain.language import tr
from bot.engines.exact.drawing.lettering import written
from bot.engines.exact.drawing.limits import LARGEST_PX, LONGEST_SIDE_PX, check_size
from bot.engines.exact.drawing.shape import resized
from bot.engines.exact.operations import BeforeAfter, Combining, Grid, Place, Share, SideBySide, Write

_GAP = 0.01
_PAPER = "white"


def combined(images: Sequence[Image.Image], wish: Combining) -> Image.Image:
    if len(images) < 2:
        raise BadRequest(tr("For that I need at least two pictures. Send them together in one message."))
    match wish:
        case SideBySide(stacked=False):
            return _row(images)
        case SideBySide():
            return _row([image.transpose(Image.Transpose.TRANSPOSE) for image in images]).transpose(
                Image.Transpose.TRANSPOSE
            )
        case Grid(columns):
            return _grid(images, columns or math.ceil(math.sqrt(len(images))))
        case BeforeAfter():
            return _before_after(images)


def _row(images: Sequence[Image.Image]) -> Image.Image:
    """All as high as the highest, or as high as the limits allow."""
    height = max(image.height for image in images)
    ratio = sum(image.width / image.height for image in images)
    height = _within_limits(height, ratio)
    scaled = [resized(image, max(1, round(image.width * height / image.height)), height) for image in images]
    paper = _paper(images, sum(image.width for image in scaled), height)
    left = 0
    for image in scaled:
        paper.paste(image, (left, 0))
        left += image.width
    return paper


def _within_limits(height: int, ratio: float) -> int:
    """A height at which a result of this ratio is no larger than results may be."""
    most = min(math.sqrt(LARGEST_PX / ratio), LONGEST_SIDE_PX / ratio, LONGEST_SIDE_PX)
    return max(1, min(height, math.floor(most * 0.995)))


def _grid(images: Sequence[Image.Image], columns: int) -> Image.Image:
    """Cells as wide as the widest picture and as high as the highest, a thin gap between them."""
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    cell_width, cell_height = max(image.width for image in images), max(image.height for image in images)
    whole = (cell_width * columns * (1 + _GAP), cell_height * rows * (1 + _GAP))
    shrink = min(1.0, LONGEST_SIDE_PX / max(whole), math.sqrt(LARGEST_PX / (whole[0] * whole[1]))) * 0.995
    if shrink < 0.995:
        cell_width, cell_height = max(1, int(cell_width * shrink)), max(1, int(cell_height * shrink))
    gap = round(min(cell_width, cell_height) * _GAP)
    paper = _paper(images, cell_width * columns + gap * (columns - 1), cell_height * rows + gap * (rows - 1))
    for number, image in enumerate(images):
        left, top = (number % columns) * (cell_width + gap), (number // columns) * (cell_height + gap)
        _place(paper, image, (left, top), (cell_width, cell_height))
    return paper


def _place(paper: Image.Image, image: Image.Image, at: tuple[int, int], cell: tuple[int, int]) -> None:
    """As large as the cell allows, in its middle."""
    factor = min(cell[0] / image.width, cell[1] / image.height)
    fitted = resized(
        image,
        min(cell[0], max(1, round(image.width * factor))),
        min(cell[1], max(1, round(image.height * factor))),
    )
    paper.paste(fitted, (at[0] + (cell[0] - fitted.width) // 2, at[1] + (cell[1] - fitted.height) // 2))


def _before_after(images: Sequence[Image.Image]) -> Image.Image:
    if len(images) != 2:
        raise BadRequest(tr("For before and after I need exactly two pictures."))
    height = max(image.height for image in images)
    height = _within_limits(height, sum(image.width / image.height for image in images))
    scaled = [resized(image, max(1, round(image.width * height / image.height)), height) for image in images]
    titled = [
        written(image, Write(title, Place(0.5, 1), "#ffffff", Share(0.08)))
        for image, title in zip(scaled, ("Before", "After"), strict=True)
    ]
    return _row(titled)


def _paper(images: Sequence[Image.Image], width: int, height: int) -> Image.Image:
    """White, or transparent where a picture is."""
    check_size(width, height)
    if any(image.mode == "RGBA" for image in images):
        return Image.new("RGBA", (width, height))
    return Image.new("RGB", (width, height), _PAPER)
