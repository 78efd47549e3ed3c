"""Rotate, flip, crop, resize, shift. Images are RGB or RGBA; quarter turns, flips and crops move pixels untouched."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from bot.domain.errors import BadRequest
from bot.domain.language import tr
from bot.engines.exact.drawing.borders import trimmed_box
from bot.engines.exact.drawing.limits import box_of, check_size
from bot.engines.exact.drawing.strips import with_alpha
from bot.engines.exact.operations import (
    CropPixels,
    CropRatio,
    CutOff,
    Measure,
    Part,
    Region,
    ResizeSide,
    Shift,
    Side,
    TrimBorders,
)

Say = Callable[[str], None]
"""Adds a remark to the result."""

_QUARTERS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
_MOST_DEGREES = 3600
_MOST_FACTOR = 1000


def rotated(image: Image.Image, degrees: float, say: Say) -> Image.Image:
    """Clockwise, on a canvas that grows to hold all of it; transparent where nothing is."""
    if abs(degrees) > _MOST_DEGREES:
        raise BadRequest(tr("Please give me an angle between 0 and 360 degrees."))
    turn = degrees % 360
    if turn == 0:
        return image
    if turn in _QUARTERS:
        return image.transpose(_QUARTERS[int(turn)])
    radians = math.radians(turn)
    across, along = abs(math.cos(radians)), abs(math.sin(radians))
    check_size(
        math.ceil(image.width * across + image.height * along), math.ceil(image.width * along + image.height * across)
    )
    say(tr("The corners that came free are transparent."))
    return image.convert("RGBA").rotate(-turn, Image.Resampling.BICUBIC, expand=True)


def flipped(image: Image.Image, *, vertical: bool) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_TOP_BOTTOM if vertical else Image.Transpose.FLIP_LEFT_RIGHT)


def cropped_to_ratio(image: Image.Image, ratio: CropRatio) -> Image.Image:
    """The largest window of that ratio, to the pixel next to it, in the middle."""
    wanted = ratio.width / ratio.height
    if not 1 / 50 <= wanted <= 50:
        raise BadRequest(tr("That ratio is too extreme; I crop to anything from 50:1 to 1:50."))
    width, height = image.size
    if width / height > wanted:
        return _window(image, max(1, round(height * wanted)), height)
    return _window(image, width, max(1, round(width / wanted)))


def _window(image: Image.Image, width: int, height: int, across: float = 0.5, down: float = 0.5) -> Image.Image:
    left, top = int((image.width - width) * across), int((image.height - height) * down)
    return image.crop((left, top, left + width, top + height))


def cropped_to_pixels(image: Image.Image, window: CropPixels) -> Image.Image:
    width, height = check_size(window.width_px, window.height_px)
    if width > image.width or height > image.height:
        raise BadRequest(
            tr(
                "The picture is {width} × {height} pixels here, so I cannot cut {asked_width} × {asked_height} "
                "out of it. Resize it first, or crop to a ratio."
            ).format(width=image.width, height=image.height, asked_width=width, asked_height=height)
        )
    return _window(image, width, height, window.place.across, window.place.down)


def cropped_to_region(image: Image.Image, region: Region) -> Image.Image:
    return image.crop(box_of(region, image.size))


def without_parts(image: Image.Image, cut: CutOff) -> Image.Image:
    sides = (Side.LEFT, Side.TOP, Side.RIGHT, Side.BOTTOM)
    left, top, right, bottom = (_depth(cut.parts, side, image.size) for side in sides)
    width, height = image.width - left - right, image.height - top - bottom
    if width < 1 or height < 1:
        raise BadRequest(
            tr("That would leave nothing: the picture is {width} × {height} pixels here.").format(
                width=image.width, height=image.height
            )
        )
    return image.crop((left, top, left + width, top + height))


def _depth(parts: tuple[Part, ...], side: Side, size: tuple[int, int]) -> int:
    whole = size[0] if side in (Side.LEFT, Side.RIGHT) else size[1]
    return sum(part.depth.of(whole) for part in parts if part.side is side)


def trimmed(image: Image.Image, trim: TrimBorders) -> Image.Image:
    return image.crop(trimmed_box(image, trim.color))


def cropped_to_circle(image: Image.Image) -> Image.Image:
    side = min(image.size)
    return with_rounded_corners(_window(image, side, side), side / 2)


def with_rounded_corners(image: Image.Image, radius_px: float) -> Image.Image:
    """Transparent outside the arcs. The radius is at most half of the shorter side."""
    radius = min(radius_px, min(image.size) / 2)
    if radius < 1:
        raise BadRequest(tr("Please give the corners a radius of at least one pixel."))
    size = math.ceil(radius)
    from_center = np.arange(size, dtype=np.float32)[::-1] + 0.5 - (size - radius)
    distance = np.hypot(from_center[:, None], from_center[None, :])
    corner = Image.fromarray((np.clip(radius - distance + 0.5, 0, 1) * 255).round().astype(np.uint8))
    mask = Image.new("L", image.size, 255)
    right, bottom = image.width - size, image.height - size
    mask.paste(corner, (0, 0))
    mask.paste(corner.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (right, 0))
    mask.paste(corner.transpose(Image.Transpose.FLIP_TOP_BOTTOM), (0, bottom))
    mask.paste(corner.transpose(Image.Transpose.ROTATE_180), (right, bottom))
    return with_alpha(image, mask)


def resized(image: Image.Image, width_px: int, height_px: int) -> Image.Image:
    check_size(width_px, height_px)
    return (
        image if (width_px, height_px) == image.size else image.resize((width_px, height_px), Image.Resampling.LANCZOS)
    )


def resized_exactly(image: Image.Image, width_px: int, height_px: int, say: Say) -> Image.Image:
    result = resized(image, width_px, height_px)
    if abs(width_px / height_px / (image.width / image.height) - 1) > 0.02:
        say(
            tr("This changed the proportions; “crop to {width}:{height}” first keeps them.").format(
                width=width_px, height=height_px
            )
        )
    return result


def scaled(image: Image.Image, factor: float) -> Image.Image:
    if not 0 < factor <= _MOST_FACTOR:
        raise BadRequest(tr("That would leave nothing of the picture, or far too much."))
    return resized(image, max(1, round(image.width * factor)), max(1, round(image.height * factor)))


def fitted(image: Image.Image, width_px: int, height_px: int) -> Image.Image:
    check_size(width_px, height_px)
    return scaled_to(image, min(width_px / image.width, height_px / image.height), (width_px, height_px))


def scaled_to(image: Image.Image, factor: float, largest: tuple[int, int]) -> Image.Image:
    """Times the factor, and by no rounding larger than `largest`."""
    width = min(largest[0], max(1, round(image.width * factor)))
    return resized(image, width, min(largest[1], max(1, round(image.height * factor))))


def resized_by_side(image: Image.Image, wish: ResizeSide) -> Image.Image:
    width, height = image.size
    check_size(wish.px, 1)
    by_width = {
        Measure.WIDTH: True,
        Measure.HEIGHT: False,
        Measure.LONGEST: width >= height,
        Measure.SHORTEST: width <= height,
    }[wish.measure]
    if by_width:
        return resized(image, wish.px, max(1, round(height * wish.px / width)))
    return resized(image, max(1, round(width * wish.px / height)), wish.px)


def shifted(image: Image.Image, shift: Shift, say: Say) -> Image.Image:
    """A roll: what leaves on one side comes back on the other."""
    right, down = shift.right.of(image.width) % image.width, shift.down.of(image.height) % image.height
    say(tr("What leaves on one side comes back on the other."))
    result = Image.new(image.mode, image.size)
    for left in (right - image.width, right):
        for top in (down - image.height, down):
            result.paste(image, (left, top))
    return result
