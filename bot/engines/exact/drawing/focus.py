"""Blur, sharpen, pixelate: the whole, or a region whose surroundings do not leak into it."""

from __future__ import annotations

from PIL import Image, ImageFilter

from bot.domain.errors import BadRequest
from bot.domain.language import tr
from bot.engines.exact.drawing.colour import in_region
from bot.engines.exact.operations import Blur, Length, Pixelate, Px, Sharpen

_MOST_STRENGTH = 10.0


def blurred(image: Image.Image, blur: Blur) -> Image.Image:
    radius = _pixels(blur.radius, image, least=0.3)
    return in_region(image, blur.region, lambda part: _filtered(part, ImageFilter.GaussianBlur(radius)))


def _filtered(image: Image.Image, how: ImageFilter.Filter) -> Image.Image:
    """With alpha premultiplied, so that what is transparent has no color to spread."""
    return image.convert("RGBa").filter(how).convert("RGBA") if image.mode == "RGBA" else image.filter(how)


def sharpened(image: Image.Image, sharpen: Sharpen) -> Image.Image:
    if not 0 < sharpen.strength <= _MOST_STRENGTH:
        raise BadRequest(tr("Please give me a strength between 1% and 500% for sharpening."))
    radius = max(1.0, min(image.size) / 600)
    how = ImageFilter.UnsharpMask(radius, percent=round(120 * sharpen.strength), threshold=2)
    return in_region(image, sharpen.region, lambda part: _sharp(part, how))


def _sharp(image: Image.Image, how: ImageFilter.UnsharpMask) -> Image.Image:
    if image.mode != "RGBA":
        return image.filter(how)
    result = image.convert("RGB").filter(how)
    result.putalpha(image.getchannel("A"))
    return result


def pixelated(image: Image.Image, pixelate: Pixelate) -> Image.Image:
    block = round(_pixels(pixelate.block, image, least=2))
    return in_region(image, pixelate.region, lambda part: _blocks(part, block))


def _blocks(image: Image.Image, block_px: int) -> Image.Image:
    """Each block in its mean color; the last of a row or column may be smaller."""
    small = image.convert("RGBa").reduce(block_px).convert("RGBA") if image.mode == "RGBA" else image.reduce(block_px)
    large = small.resize((small.width * block_px, small.height * block_px), Image.Resampling.NEAREST)
    return large.crop((0, 0, *image.size))


def _pixels(length: Length, image: Image.Image, *, least: float) -> float:
    """A length in pixels of this picture. `BadRequest` where it is nothing or more than the picture."""
    shorter = min(image.size)
    count = length.count if isinstance(length, Px) else max(least, length.fraction * shorter)
    if not 0 < count <= max(image.size):
        raise BadRequest(tr("Please give me a size between 1 and {most} pixels for that.").format(most=max(image.size)))
    return max(least, count)
