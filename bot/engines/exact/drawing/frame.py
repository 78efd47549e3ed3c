"""A border around a picture, and the measure of a sticker."""

from __future__ import annotations

from PIL import Image

from bot.domain.errors import BadRequest
from bot.domain.language import tr
from bot.engines.exact.drawing.limits import check_size
from bot.engines.exact.drawing.shape import scaled_to
from bot.engines.exact.operations import Border

STICKER_PX = 512


def bordered(image: Image.Image, border: Border) -> Image.Image:
    width_px = border.width.of(min(image.size))
    if width_px < 1:
        raise BadRequest(tr("Please give the border a width of at least one pixel."))
    size = check_size(image.width + 2 * width_px, image.height + 2 * width_px)
    result = Image.new(image.mode, size, border.color)
    result.paste(image, (width_px, width_px))
    return result


def sticker(image: Image.Image) -> Image.Image:
    """512 pixels on the longest side, RGBA."""
    small = scaled_to(image, STICKER_PX / max(image.size), (STICKER_PX, STICKER_PX))
    return small if small.mode == "RGBA" else small.convert("RGBA")
