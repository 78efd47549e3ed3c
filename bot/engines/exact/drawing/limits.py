"""How large a result may become, and where a region must lie: asked before anything is allocated."""

from __future__ import annotations

from bot.domain.errors import BadRequest
from bot.domain.language import tr
from bot.engines.exact.operations import Box, Part, Region, Side

LARGEST_PX = 64_000_000
LONGEST_SIDE_PX = 16_384


def check_size(width_px: int, height_px: int) -> tuple[int, int]:
    """The same size, or `BadRequest` where it is no size for a picture of ours."""
    if width_px < 1 or height_px < 1:
        raise BadRequest(tr("That would leave nothing of the picture."))
    if max(width_px, height_px) > LONGEST_SIDE_PX or width_px * height_px > LARGEST_PX:
        raise BadRequest(
            tr(
                "That would be {width} × {height} pixels. The largest I make is 64 megapixels, "
                "with no side over {most} pixels."
            ).format(width=_shown(width_px), height=_shown(height_px), most=f"{LONGEST_SIDE_PX:,}")
        )
    return width_px, height_px


def _shown(px: int) -> str:
    return f"{px:,}" if px < 10**9 else "a billion or more"


def box_of(region: Region | None, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A region as left, top, right, bottom in pixels of a picture of this size. `BadRequest` where it is not in it."""
    width, height = size
    match region:
        case None:
            return (0, 0, width, height)
        case Box(left, top, right, bottom):
            box = (min(left, right), min(top, bottom), max(left, right), max(top, bottom))
        case Part(side, depth):
            box = _box_of_part(side, depth.of(width if side in (Side.LEFT, Side.RIGHT) else height), width, height)
    if box[0] < 0 or box[1] < 0 or box[2] > width or box[3] > height:
        raise BadRequest(
            tr("That reaches beyond the picture, which is {width} × {height} pixels here.").format(
                width=width, height=height
            )
        )
    if box[0] >= box[2] or box[1] >= box[3]:
        raise BadRequest(
            tr("That part has no pixels: the picture is {width} × {height} pixels here.").format(
                width=width, height=height
            )
        )
    return box


def _box_of_part(side: Side, depth_px: int, width: int, height: int) -> tuple[int, int, int, int]:
    match side:
        case Side.LEFT:
            return (0, 0, depth_px, height)
        case Side.RIGHT:
            return (width - depth_px, 0, width, height)
        case Side.TOP:
            return (0, 0, width, depth_px)
        case Side.BOTTOM:
            return (0, height - depth_px, width, height)
