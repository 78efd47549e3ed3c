"""The operations of the exact engine, as values. What an instruction asks for, with nothing done yet.

Angles in degrees, clockwise. Regions and sides are meant on the picture as it stands when the operation's turn comes.
Numbers are as the person gave them: whether a picture allows them is checked when the operation is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Px:
    """A length in pixels."""

    count: float

    def of(self, _whole_px: int) -> int:
        return round(self.count)


@dataclass(frozen=True, slots=True)
class Share:
    """A length as a fraction of a side: 0.25 is a quarter."""

    fraction: float

    def of(self, whole_px: int) -> int:
        return round(self.fraction * whole_px)


Length = Px | Share


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a picture along one of its sides: its left half, its bottom 100 pixels."""

    side: Side
    depth: Length


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, from its left top corner up to, without, its right bottom corner."""

    left_px: int
    top_px: int
    right_px: int
    bottom_px: int


Region = Part | Box


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: 0 is the left or top edge, 0.5 the middle, 1 the right or bottom edge."""

    across: float
    down: float


CENTER = Place(0.5, 0.5)


# --- shape


@dataclass(frozen=True, slots=True)
class Rotate:
    degrees: float


@dataclass(frozen=True, slots=True)
class Flip:
    """Mirrored left to right, or upside down where `vertical`."""

    vertical: bool


@dataclass(frozen=True, slots=True)
class CropRatio:
    """The largest window of this ratio, in the middle."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class CropPixels:
    """A window of exactly this size."""

    width_px: int
    height_px: int
    place: Place = CENTER


@dataclass(frozen=True, slots=True)
class CropTo:
    """Only this region is kept."""

    region: Region


@dataclass(frozen=True, slots=True)
class CutOff:
    """These parts are taken away, each measured on the picture before any of them is."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class TrimBorders:
    """Edges of one colour are taken away; of this colour, where one is named (`#rrggbb`)."""

    color: str | None = None


@dataclass(frozen=True, slots=True)
class CropCircle:
    """The largest circle in the middle; transparent around it."""


@dataclass(frozen=True, slots=True)
class ResizeTo:
    """To exactly this size, proportions or not."""

    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class FitWithin:
    """As large as fits into this box, proportions kept."""

    width_px: int
    height_px: int


class Measure(StrEnum):
    """Which side of a picture a resize is measured by."""

    WIDTH = "width"
    HEIGHT = "height"
    LONGEST = "longest side"
    SHORTEST = "shortest side"


@dataclass(frozen=True, slots=True)
class ResizeSide:
    """That side to so many pixels, proportions kept."""

    measure: Measure
    px: int


@dataclass(frozen=True, slots=True)
class Scale:
    """Both sides times `factor`."""

    factor: float


@dataclass(frozen=True, slots=True)
class Shift:
    """Moved right and down (negative: left and up). What leaves on one side comes back on the other."""

    right: Length
    down: Length


# --- color and focus; `region` None is the whole picture


@dataclass(frozen=True, slots=True)
class Gray:
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class Sepia:
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class Invert:
    region: Region | None = None


class Quality(StrEnum):
    BRIGHTNESS = "brightness"
    CONTRAST = "contrast"
    SATURATION = "saturation"
    WARMTH = "warmth"


@dataclass(frozen=True, slots=True)
class Adjust:
    """More or less of a quality: `change` 0.3 is 30 % more, −1 none at all."""

    quality: Quality
    change: float
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class Blur:
    """`radius` in pixels, or as a fraction of the shorter side."""

    radius: Length
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class Sharpen:
    """`strength` 1 is a usual amount."""

    strength: float
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class Pixelate:
    """Squares of this size, in pixels or as a fraction of the shorter side."""

    block: Length
    region: Region | None = None


# --- things added


@dataclass(frozen=True, slots=True)
class Border:
    """Around the picture, outside. A share is of the shorter side. `color` is `#rrggbb`."""

    width: Length
    color: str


@dataclass(frozen=True, slots=True)
class RoundCorners:
    """A share is of the shorter side."""

    radius: Length


@dataclass(frozen=True, slots=True)
class Write:
    """Exactly these words. `height` of the letters in pixels or as a share of the shorter side; `color` `#rrggbb`."""

    words: str
    place: Place
    color: str
    height: Length
    bold: bool = False


@dataclass(frozen=True, slots=True)
class ClearBackground:
    """The one color that the picture's edges have becomes transparent, as far as it reaches in from them."""

    color: str | None = None


@dataclass(frozen=True, slots=True)
class Sticker:
    """512 pixels on its longest side, with alpha."""


# --- several pictures into one


@dataclass(frozen=True, slots=True)
class SideBySide:
    """In a row, or one below the other where `stacked`."""

    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """`columns` None: as square as it goes."""

    columns: int | None = None


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """Two pictures side by side, with the words under them."""


# --- the file


@dataclass(frozen=True, slots=True)
class SaveAs:
    media_type: str


@dataclass(frozen=True, slots=True)
class MaxBytes:
    """The file is no larger than this."""

    limit_bytes: int


@dataclass(frozen=True, slots=True)
class Remark:
    """Changes nothing; a choice made for the person is said with the result."""

    words: str


Combining = SideBySide | Grid | BeforeAfter
FileWish = SaveAs | MaxBytes
Colouring = Gray | Sepia | Invert | Adjust
Focusing = Blur | Sharpen | Pixelate
Shaping = (
    Rotate
    | Flip
    | CropRatio
    | CropPixels
    | CropTo
    | CutOff
    | TrimBorders
    | CropCircle
    | ResizeTo
    | FitWithin
    | ResizeSide
    | Scale
    | Shift
)
Adding = Border | RoundCorners | Write | ClearBackground | Sticker
Drawing = Shaping | Colouring | Focusing | Adding
"""What is done to one picture."""

Operation = Drawing | Combining | FileWish | Remark
