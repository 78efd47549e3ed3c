"""Work on an image strip by strip: for what Pillow does while it holds the GIL, so that nobody waits long for it."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageChops

_STRIP_PX = 2_000_000

Box = tuple[int, int, int, int]


def by_strips(image: Image.Image, work: Callable[[Image.Image, Box], Image.Image], *, mode: str) -> Image.Image:
    """A new image of this mode, each strip made by `work` from the same strip of `image` and its box.

    `work` must look at no pixel but the one that it makes.
    """
    result = Image.new(mode, image.size)
    rows = max(1, _STRIP_PX // image.width)
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        result.paste(work(image.crop(box), box), box)
    return result


def with_alpha(image: Image.Image, alpha: Image.Image) -> Image.Image:
    """The image behind a mask (mode L, same size): as transparent as the more transparent of both."""

    def masked(strip: Image.Image, box: Box) -> Image.Image:
        mask = alpha.crop(box)
        if strip.mode == "RGBA":
            mask = ImageChops.darker(mask, strip.getchannel("A"))
        else:
            strip = strip.convert("RGBA")
        strip.putalpha(mask)
        return strip

    return by_strips(image, masked, mode="RGBA")


def over(image: Image.Image, color: str) -> Image.Image:
    """What is transparent shows this color; RGB."""
    if image.mode != "RGBA":
        return image

    def flat(strip: Image.Image, _box: Box) -> Image.Image:
        paper = Image.new("RGB", strip.size, color)
        paper.paste(strip.convert("RGB"), mask=strip.getchannel("A"))
        return paper

    return by_strips(image, flat, mode="RGB")
