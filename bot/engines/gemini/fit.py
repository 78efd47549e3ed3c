"""Pictures made small enough for one request. Most are sent as they are; work for a thread where they are not.

A request may weigh 20 MB, and its pictures travel as base64, which makes four bytes of three.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap

from PIL import Image

from bot.domain.images import Picture
from bot.engines import pixels

REQUEST_BASE64_BYTES = 18_000_000
PICTURES_BYTES = REQUEST_BASE64_BYTES * 3 // 4 - 200_000
"""All pictures of one request together; the rest is for words."""
PICTURE_BYTES = 7_000_000
"""One picture (the service's own limit for inline data)."""

_STEPS = ((3072, 90), (2048, 88), (1536, 85), (1024, 80), (768, 75), (512, 60))
"""Longest side in pixels and quality, tried in order until the file fits."""


def fits(pictures: Sequence[Picture]) -> bool:
    """Whether they can be sent as they are."""
    sizes_bytes = [len(picture.data) for picture in pictures]
    return sum(sizes_bytes) <= PICTURES_BYTES and max(sizes_bytes, default=0) <= PICTURE_BYTES


def fitted(pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    """The same pictures within the limits: those over their share are shrunk, the others are not touched.

    Takes tens of milliseconds per megapixel. Raises `BadPicture` where one cannot be decoded.
    """
    allowed = shares([len(picture.data) for picture in pictures])
    return tuple(starmap(_within, zip(pictures, allowed, strict=True)))


def shares(sizes_bytes: Sequence[int]) -> list[int]:
    """How many bytes each may have. What small pictures do not need goes to the large ones."""
    allowed = [0] * len(sizes_bytes)
    left_bytes = PICTURES_BYTES
    smallest_first = sorted(range(len(sizes_bytes)), key=sizes_bytes.__getitem__)
    for done, index in enumerate(smallest_first):
        share = min(PICTURE_BYTES, left_bytes // (len(sizes_bytes) - done))
        allowed[index] = share
        left_bytes -= min(share, sizes_bytes[index])
    return allowed


def _within(picture: Picture, allowed_bytes: int) -> Picture:
    if len(picture.data) <= allowed_bytes:
        return picture
    image = pixels.decode(picture.data)
    media_type = "image/webp" if picture.has_alpha else "image/jpeg"
    smaller = picture
    for longest_px, quality in _STEPS:
        image = _shrunk(image, longest_px)
        smaller = pixels.to_picture(image, media_type=media_type, provenance=picture.provenance, quality=quality)
        if len(smaller.data) <= allowed_bytes:
            break
    return smaller


def _shrunk(image: Image.Image, longest_px: int) -> Image.Image:
    """At most so many pixels on the longest side, in the same proportions."""
    factor = longest_px / max(image.size)
    if factor >= 1:
        return image
    width_px, height_px = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width_px, height_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
