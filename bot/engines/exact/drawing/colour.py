"""Gray, sepia, invert, and more or less of brightness, contrast, saturation, warmth. Alpha is left alone.

Each is a table per channel, a matrix or a blend, none of which holds the GIL; Pillow's own ImageEnhance and ImageChops
would, for a tenth of a second on a large photo.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageStat

from bot.domain.errors import BadRequest
from bot.domain.language import tr
from bot.engines.exact.drawing.limits import box_of
from bot.engines.exact.drawing.strips import Box, by_strips
from bot.engines.exact.operations import Adjust, Gray, Invert, Quality, Region, Sepia

_SEPIA = (0.393, 0.769, 0.189, 0, 0.349, 0.686, 0.168, 0, 0.272, 0.534, 0.131, 0)
_MOST_CHANGE = 4.0
_WARMTH_PER_CHANGE = 0.4
"""How far red goes up and blue goes down where everything is asked for."""

RgbWork = Callable[[Image.Image], Image.Image]


def in_region(image: Image.Image, region: Region | None, work: RgbWork) -> Image.Image:
    """The work done on that region only, and pasted back."""
    if region is None:
        return work(image)
    box = box_of(region, image.size)
    result = image.copy()
    result.paste(work(image.crop(box)), box)
    return result


def coloured(image: Image.Image, wish: Gray | Sepia | Invert | Adjust) -> Image.Image:
    return in_region(image, wish.region, lambda part: _apart_from_alpha(part, _work(part, wish)))


def _work(image: Image.Image, wish: Gray | Sepia | Invert | Adjust) -> RgbWork:
    match wish:
        case Gray():
            return _gray
        case Sepia():
            return lambda rgb: rgb.convert("RGB", _SEPIA)
        case Invert():
            return lambda rgb: rgb.point([255 - value for value in range(256)] * 3)
        case Adjust(quality, change):
            return _adjustment(image, quality, change)


def _apart_from_alpha(image: Image.Image, work: RgbWork) -> Image.Image:
    def worked(strip: Image.Image, _box: Box) -> Image.Image:
        result = work(strip.convert("RGB"))
        if strip.mode == "RGBA":
            result.putalpha(strip.getchannel("A"))
        return result

    return by_strips(image, worked, mode=image.mode)


def _gray(rgb: Image.Image) -> Image.Image:
    return rgb.convert("L").convert("RGB")


def _adjustment(image: Image.Image, quality: Quality, change: float) -> RgbWork:
    if not -1 <= change <= _MOST_CHANGE:
        raise BadRequest(tr("Please give me an amount from 0% to 400%; less than nothing is at most 100% less."))
    match quality:
        case Quality.BRIGHTNESS:
            return _by_table(lambda value, _channel: value * (1 + change))
        case Quality.CONTRAST:
            middle = _mean_brightness(image)
            return _by_table(lambda value, _channel: middle + (value - middle) * (1 + change))
        case Quality.SATURATION:
            return lambda rgb: Image.blend(_gray(rgb), rgb, 1 + change)
        case Quality.WARMTH:
            warmth = change * _WARMTH_PER_CHANGE
            return _by_table(lambda value, channel: value * (1 + warmth * (1, 0, -1)[channel]))


def _by_table(value_of: Callable[[int, int], float]) -> RgbWork:
    table = [min(255, max(0, round(value_of(value, channel)))) for channel in range(3) for value in range(256)]
    return lambda rgb: rgb.point(table)


def _mean_brightness(image: Image.Image) -> float:
    """Around which contrast spreads. Taken from a small copy: the mean of a mean."""
    small = image.reduce(max(1, min(image.size) // 256)).convert("L")
    return float(ImageStat.Stat(small).mean[0])
