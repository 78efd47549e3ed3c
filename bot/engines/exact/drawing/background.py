"""A plain background made truly transparent: a flood from the edges, and soft borders without its color."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bot.domain.errors import BadRequest
from bot.domain.language import tr
from bot.engines.exact.drawing.borders import ALIKE, edge_color, unlike
from bot.engines.exact.drawing.strips import Box, by_strips, with_alpha

_MOST_TURNS = 200
_SOFT = 80
"""So much further from the background's color (of 255) a pixel of a thin line is all foreground."""

_EDGE_PX = 2
"""How far beside the background pixels may be a mix. Found by a blur: Pillow's MaxFilter holds the GIL for seconds."""

_INWARDS_PX = 4
"""How far inside the foreground's own color is looked for."""

Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]
Colors = NDArray[np.float32]


def without_background(image: Image.Image, named: str | None) -> Image.Image:
    """`BadRequest` where the edges are not of one color, or nothing would remain."""
    color = edge_color(image, named)
    outside = _flooded(~unlike(image, color))
    if outside.all():
        raise BadRequest(tr("The whole picture has that one colour; nothing would remain."))
    reach = Image.fromarray(outside.astype(np.uint8) * 255).filter(ImageFilter.BoxBlur(_EDGE_PX))
    inner = with_alpha(image, reach.point([255] + [0] * 255))
    inner = inner.convert("RGBa").filter(ImageFilter.BoxBlur(_INWARDS_PX)).convert("RGBA")

    def cleared(strip: Image.Image, box: Box) -> Image.Image:
        gone, near = outside[box[1] : box[3]], np.asarray(reach.crop(box)) > 0
        return _soft_edged(np.asarray(strip.convert("RGB")), color, np.asarray(inner.crop(box)), gone, near & ~gone)

    result = by_strips(image, cleared, mode="RGBA")
    return with_alpha(result, image.getchannel("A")) if image.mode == "RGBA" else result


def _flooded(plain: Mask) -> Mask:
    """Which plain pixels can be reached from the edges, up, down and sideways.

    Each turn fills every row's runs at once, then every column's: as many turns as the way has corners.
    """
    reached = np.zeros_like(plain)
    reached[0], reached[-1], reached[:, 0], reached[:, -1] = plain[0], plain[-1], plain[:, 0], plain[:, -1]
    count = -1
    for _ in range(_MOST_TURNS):
        reached = _filled_runs(plain, reached)
        reached = np.ascontiguousarray(_filled_runs(plain.T, reached.T).T)
        before, count = count, int(np.count_nonzero(reached))
        if before == count:
            return reached
    raise BadRequest(tr("The background of this picture winds too much for me."))


def _filled_runs(plain: Mask, reached: Mask) -> Mask:
    """Rows of `plain`, each unbroken run filled that `reached` touches."""
    flat = np.ascontiguousarray(plain).ravel()
    begins = np.empty(flat.size, np.bool_)
    begins[0] = True
    np.not_equal(flat[1:], flat[:-1], out=begins[1:])
    begins[:: plain.shape[1]] = True
    starts = np.flatnonzero(begins)
    touched = np.logical_or.reduceat(np.ascontiguousarray(reached).ravel(), starts)
    lengths = np.diff(starts, append=flat.size)
    return np.asarray(np.repeat(touched, lengths)).reshape(plain.shape)


def _soft_edged(pixels: Pixels, color: tuple[int, int, int], inner: Pixels, gone: Mask, beside: Mask) -> Image.Image:
    """RGBA. A pixel beside the background is a mix of it and of the color further in: how much of each is its alpha,
    and the background's share is taken out of its color."""
    result = np.dstack((pixels, np.where(gone, 0, 255).astype(np.uint8)))
    plain: Colors = np.array(color, np.float32)
    mixed: Colors = pixels[beside].astype(np.float32) - plain
    further_in: Colors = inner[beside, :3].astype(np.float32) - plain
    along: Colors = (mixed * further_in).sum(axis=1) / np.maximum((further_in**2).sum(axis=1), 1)
    away: Colors = (np.abs(mixed).max(axis=1, initial=0) - ALIKE / 2) / _SOFT
    share: Colors = np.where(inner[beside, 3] > 0, along, away)
    alpha = np.clip(share, 0.02, 1)[:, None]
    result[beside, :3] = np.clip(plain + mixed / alpha, 0, 255).round().astype(np.uint8)
    result[beside, 3] = (alpha[:, 0] * 255).round().astype(np.uint8)
    return Image.fromarray(result)
