"""Operations made pixels. All of it is work for a thread; images are RGB or RGBA, none is shared between threads."""

from __future__ import annotations

from typing import assert_never

from PIL import Image

from bot.engines.exact.drawing import background, colour, focus, frame, lettering, shape
from bot.engines.exact.drawing.shape import Say
from bot.engines.exact.operations import (
    Adjust,
    Blur,
    Border,
    ClearBackground,
    CropCircle,
    CropPixels,
    CropRatio,
    CropTo,
    CutOff,
    Drawing,
    FitWithin,
    Flip,
    Gray,
    Invert,
    Pixelate,
    ResizeSide,
    ResizeTo,
    Rotate,
    RoundCorners,
    Scale,
    Sepia,
    Sharpen,
    Shift,
    Sticker,
    TrimBorders,
    Write,
)


def drawn(image: Image.Image, wish: Drawing, say: Say) -> Image.Image:  # noqa: PLR0911, PLR0912 — one case per wish
    """The image with that done to it; the one that was given is left as it was. Raises `BadRequest`."""
    match wish:
        case Rotate(degrees):
            return shape.rotated(image, degrees, say)
        case Flip(vertical):
            return shape.flipped(image, vertical=vertical)
        case CropRatio():
            return shape.cropped_to_ratio(image, wish)
        case CropPixels():
            return shape.cropped_to_pixels(image, wish)
        case CropTo(region):
            return shape.cropped_to_region(image, region)
        case CutOff():
            return shape.without_parts(image, wish)
        case TrimBorders():
            return shape.trimmed(image, wish)
        case CropCircle():
            return shape.cropped_to_circle(image)
        case ResizeTo(width_px, height_px):
            return shape.resized_exactly(image, width_px, height_px, say)
        case FitWithin(width_px, height_px):
            return shape.fitted(image, width_px, height_px)
        case ResizeSide():
            return shape.resized_by_side(image, wish)
        case Scale(factor):
            return shape.scaled(image, factor)
        case Shift():
            return shape.shifted(image, wish, say)
        case Gray() | Sepia() | Invert() | Adjust():
            return colour.coloured(image, wish)
        case Blur():
            return focus.blurred(image, wish)
        case Sharpen():
            return focus.sharpened(image, wish)
        case Pixelate():
            return focus.pixelated(image, wish)
        case Border():
            return frame.bordered(image, wish)
        case RoundCorners(radius):
            return shape.with_rounded_corners(image, radius.of(min(image.size)))
        case Write():
            return lettering.written(image, wish)
        case ClearBackground(color):
            return background.without_background(image, color)
        case Sticker():
            return frame.sticker(image)
        case _:
            assert_never(wish)
