"""The edges of a picture: whether they are of one color, and how far that reaches in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from bot.domain.errors import BadRequest
from bot.domain.language import tr

ALIKE = 28
"""Channels that differ by no more than this (of 255) are the same color: JPEG noise on a plain wall stays below."""

_NAMED_ALIKE = 70
"""A color called white or green is rarely pure."""

_ALIKE_IN_A_BORDER = 16
"""Stricter: a night sky is not a black border."""

_ENOUGH_OF_THE_EDGE = 0.9
_ENOUGH_OF_A_LINE = 0.995


def edge_color(image: Image.Image, named: str | None) -> tuple[int, int, int]:
    """The color of the picture's edges. `BadRequest` where they have no one color, or another than was named."""
    edge = _edge_pixels(image)
    median = np.median(edge, axis=0)
    red, green, blue = (round(float(value)) for value in median)
    alike = (np.abs(edge - median).max(axis=1) <= ALIKE).mean()
    if alike < _ENOUGH_OF_THE_EDGE:
        raise BadRequest(tr("The edges of this picture are not of one plain colour, so I left it alone."))
    if named is not None and not _is_called((red, green, blue), named):
        raise BadRequest(tr("The edges of this picture have another colour than that, so I left it alone."))
    return red, green, blue


def _edge_pixels(image: Image.Image) -> NDArray[np.int16]:
    """Every pixel of the four outermost lines, n × RGB."""
    width, height = image.size
    lines = ((0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height))
    pixels = [np.asarray(image.crop(line).convert("RGB")).reshape(-1, 3) for line in lines]
    return np.concatenate(pixels).astype(np.int16)


def unlike(image: Image.Image, color: tuple[int, int, int], *, alike: int = ALIKE) -> NDArray[np.bool_]:
    """Height × width: where a pixel is not of this color."""
    table = [255 if abs(value - channel) > alike else 0 for channel in color for value in range(256)]
    return np.asarray(image.convert("RGB").point(table).convert("L")) > 0


def trimmed_box(image: Image.Image, named: str | None) -> tuple[int, int, int, int]:
    """What remains without the plain lines around: left, top, right, bottom."""
    alpha = image.getchannel("A").getbbox() if image.mode == "RGBA" and named is None else None
    if alpha and alpha != (0, 0, *image.size):
        return alpha
    for corner in range(4):
        color = _corner_color(image, corner)
        if named is None or _is_called(color, named):
            box = _content_box(unlike(image, color, alike=_ALIKE_IN_A_BORDER))
            if box and box != (0, 0, *image.size):
                return box
    raise BadRequest(tr("I found no plain border like that around this picture, so I left it alone."))


def _is_called(color: tuple[int, int, int], named: str) -> bool:
    return max(abs(a - b) for a, b in zip(color, ImageColor.getrgb(named)[:3], strict=True)) <= _NAMED_ALIKE


def _corner_color(image: Image.Image, corner: int) -> tuple[int, int, int]:
    at = ((image.width - 1) * (corner % 2), (image.height - 1) * (corner // 2))
    pixel = image.getpixel(at)
    assert isinstance(pixel, tuple)
    return int(pixel[0]), int(pixel[1]), int(pixel[2])


def _content_box(content: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Around all lines that are not plain; a line is plain where nearly all of it is."""
    rows = np.flatnonzero(content.mean(axis=1) > 1 - _ENOUGH_OF_A_LINE)
    columns = np.flatnonzero(content.mean(axis=0) > 1 - _ENOUGH_OF_A_LINE)
    if not len(rows) or not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
