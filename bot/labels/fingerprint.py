"""What a picture looks like, as 256 bits that survive what platforms do to it.

The code is the ISCC Image-Code (ISO 24138:2024, Content-Code Image v0), the one perceptual code on C2PA's list of soft
bindings (`io.iscc.v0`). Grey pixels of 32 × 32 go through a cosine transform; each bit says whether a coefficient is
above the median of its 8 × 8 neighbours. It is computed here with the operations of iscc-core in their order, for all
rows at once, so that the bits are the same; a test compares them.

How a picture becomes 32 × 32 is ours: on white, uniform borders off, shrunk once to a fixed size.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot.labels.splice import unpacked

ALGORITHM: Final = "io.iscc.v0"
"""The name of the code in a `c2pa.soft-binding` assertion."""

QUALITY_MIN: Final = 40
"""Below this a picture is too flat to be told from others: gradients, plain colours. See docs/recognition.md."""

QUALITY_MIN_KEPT: Final = QUALITY_MIN // 2
"""Of pictures that people sent, flatter ones are kept as well: one that is looked up rougher than it came in must find
itself, not only what was made from it."""

WORK_PX: Final = 512
"""Pictures are looked at in this size, both sides, whatever their shape."""

_CODE_PX = 32
_QUALITY_PX, _PARTS, _STEPS = 64, 8, 45
_HEADER = bytes((0x21, 0x07))
"""MainType Content, SubType Image, Version 0, Length 256 bits, four bits each."""

_TOLERANCE = 12
"""A line is of one colour when no pixel is farther from its middle. Of 255; JPEG leaves that much near an edge."""

_KEPT_MIN_PX = WORK_PX // 5
_LAYERS = 4
"""A page's white margin inside a screenshot's dark frame inside a white bar."""

Greys = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """32 bytes each. `trimmed` is the code without uniform borders, the same as `whole` where there are none.

    `quality` from 0, flat, to 100.
    """

    whole: bytes
    trimmed: bytes
    quality: int

    @property
    def codes(self) -> tuple[bytes, ...]:
        """Each code once: what is kept, and what is looked up."""
        return tuple(dict.fromkeys((self.trimmed, self.whole)))

    @property
    def iscc(self) -> str:
        """The value of a C2PA soft binding. The standard crops empty borders first."""
        text = base64.b32encode(_HEADER + self.trimmed).decode("ascii").rstrip("=")
        return f"ISCC:{text}"


def fingerprint_of(data: bytes, media_type: str, *, quality_min: int = QUALITY_MIN) -> Fingerprint | None:
    """The fingerprint of a PNG, JPEG or WebP; None of one that is too flat. Takes milliseconds: not for an event loop.

    The file is one that was checked before: its size, its type and that it can be decoded. Raises OSError where it
    cannot.
    """
    if media_type == "image/png":
        data = unpacked(data)
    with Image.open(BytesIO(data), formats=[media_type.removeprefix("image/")]) as opened:
        # A JPEG is decoded small and grey at once: an eighth of the side costs a sixteenth of the time.
        opened.draft("L", (WORK_PX, WORK_PX))
        return fingerprint_of_image(opened, quality_min=quality_min)


def fingerprint_of_image(image: Image.Image, *, quality_min: int = QUALITY_MIN) -> Fingerprint | None:
    """The same of pixels in hand, upright, of any mode. They are left as they are."""
    whole = _working_size(image)
    top, bottom, left, right = _without_borders(np.asarray(whole))
    trimmed = whole.crop((left, top, right, bottom))
    # Of both: a frame has nothing in it of its own, and of a plain picture little more than a mark in it may be left.
    quality = min(_quality(whole), _quality(trimmed))
    if quality < quality_min:
        return None
    code = _code_of(trimmed)
    return Fingerprint(code if trimmed.size == whole.size else _code_of(whole), code, quality)


def _working_size(image: Image.Image) -> Image.Image:
    if image.mode == "P" or "transparency" in image.info:
        image = image.convert("RGBA")
    has_alpha = image.mode in ("RGBA", "LA")
    if not has_alpha and image.mode != "L":
        image = image.convert("L")
    factor = max(1, min(image.size) // WORK_PX)
    # By whole steps first: five times as fast as a resampling of every pixel, and as good for what is asked here.
    small = image.reduce(factor) if factor > 1 else image
    small = small.resize((WORK_PX, WORK_PX), Image.Resampling.BOX if factor > 1 else Image.Resampling.BICUBIC)
    if not has_alpha:
        return small
    small = small.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", small.size, "white"), small).convert("L")


def _without_borders(grey: Greys) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what stands inside of borders of one colour, one in the other."""
    top, bottom, left, right = 0, grey.shape[0], 0, grey.shape[1]
    for _ in range(_LAYERS):
        before = top, bottom, left, right
        inner = grey[top:bottom, left:right]
        above, below = _border(inner), _border(inner[::-1])
        before_left, before_right = _border(inner.T), _border(inner.T[::-1])
        if inner.shape[0] - above - below < _KEPT_MIN_PX or inner.shape[1] - before_left - before_right < _KEPT_MIN_PX:
            break
        top, bottom, left, right = top + above, bottom - below, left + before_left, right - before_right
        if before == (top, bottom, left, right):
            break
    return top, bottom, left, right


def _border(lines: Greys) -> int:
    """How many lines from the first on are of the first one's colour."""
    colour = int(np.median(lines[0]))
    low, high = max(0, colour - _TOLERANCE), min(255, colour + _TOLERANCE)
    if lines[0].min() < low or lines[0].max() > high:
        return 0
    others = (lines.min(axis=1) < low) | (lines.max(axis=1) > high)
    return int(others.argmax()) if others.any() else len(lines)


def _quality(grey: Image.Image) -> int:
    """How much there is to see: the steps between neighbours, as PDQ's quality counts them, in the direction that has
    fewer: stripes and gradients look like all others of their kind. And no part of the picture counts for more than a
    twelfth of what is needed: of a plain picture with a mark in its corner, the mark alone would be compared."""
    small = np.asarray(grey.resize((_QUALITY_PX, _QUALITY_PX), Image.Resampling.BOX), np.int32)
    counts: list[int] = []
    for across in (small, small.T):
        steps = np.zeros_like(across)
        steps[:, 1:] = np.abs(np.diff(across, axis=1)) * 100 // 255
        parts = steps.reshape(_PARTS, _QUALITY_PX // _PARTS, _PARTS, _QUALITY_PX // _PARTS).sum(axis=(1, 3))
        counts.append(int(np.minimum(parts, QUALITY_MIN * _STEPS // 12).sum()))
    return min(100, min(counts) // _STEPS)


# --- the code itself


def _code_of(grey: Image.Image) -> bytes:
    return image_code(np.asarray(grey.resize((_CODE_PX, _CODE_PX), Image.Resampling.BICUBIC)))


def image_code(grey: Greys) -> bytes:
    """The 256 bits of an Image-Code. `grey` is 32 × 32."""
    matrix = _dct(_dct(grey.astype(np.float64).T).T)
    # Four squares of 8 × 8, in reading order; each bit is held against the median of its own square.
    squares = matrix[:16, :16].reshape(2, 8, 2, 8).transpose(0, 2, 1, 3).reshape(4, 64)
    return np.packbits(squares > np.median(squares, axis=1, keepdims=True)).tobytes()


def _dct(columns: Floats) -> Floats:
    """The cosine transform of each column: the fast algorithm of B. G. Lee (1984), in iscc-core's order of steps."""
    count = len(columns)
    if count == 1:
        return columns
    half = count // 2
    first, last = columns[:half], columns[: half - 1 : -1]
    even, odd = _dct(first + last), _dct((first - last) / _DIVISORS[count])
    made = np.empty_like(columns)
    made[0::2] = even
    made[1:-1:2] = odd[:-1] + odd[1:]
    made[-1] = odd[-1]
    return made


_DIVISORS = {
    count: np.array([[math.cos((i + 0.5) * math.pi / count) * 2.0] for i in range(count // 2)])
    for count in (2, 4, 8, 16, 32)
}
