"""A picture cut from its background: drawn on one plain colour (the key), given with true alpha.

A pixel of such a picture is a mix, `alpha` × what stands there + (1 − `alpha`) × the key. How much of the key is in it
is read from the one thing that only the key has: its bright channels over its dark ones (`Key.tint`). From that:

1. the key colour, a little uneven over the picture, is fitted to what the border shows (`_fitted`);
2. a quarter-size map says how much of the key's tint the subject has by itself (`_Subject`): leaves before green stay
   whole, where glass and hair do not;
3. strip by strip, alpha; sharpened by lightness where the file holds colours at half resolution, as most JPEGs do;
4. the key's share is taken out of the colours.

Colours are floats from 0 to 1. See docs/transparency.md for what was measured, and against what.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot.domain.errors import BadRequest
from bot.domain.images import Picture
from bot.domain.language import N_, tr
from bot.engines.exact.drawing.background import without_background
from bot.engines.pixels import decode, to_picture

Floats = NDArray[np.floating]
"""Of 32 bit."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cut:
    """The picture with real alpha, as a PNG; or None with words for a person, where there was no plain background."""

    picture: Picture | None
    words: str = ""


PAINTED_CHECKERBOARD = N_(
    "The background came out as a painted checkerboard and not truly transparent, so I left it as it is. "
    "Asking again often helps."
)
NOT_PLAIN = N_(
    "The background did not come out in one plain colour, so I could not cut it away cleanly. "
    "Asking again, or for a simple subject in the middle, often helps."
)
NOTHING_LEFT = N_("Without its background nothing would be left of this picture, so I left it as it is.")


def cut_out(picture: Picture) -> Cut:
    """Work for a thread: about a quarter of a second for a megapixel. Raises `BadPicture` where the file is broken."""
    image = decode(picture.data)
    if image.mode == "RGBA":
        if _has_holes(image):
            return Cut(picture)
        image = image.convert("RGB")
    if min(image.size) < _LEAST_PX:
        return Cut(None, tr(NOT_PLAIN))
    if _has_checkerboard(image):
        return Cut(None, tr(PAINTED_CHECKERBOARD))
    key = _key(image)
    if key is None:
        return _cut_from_paper(image, picture)
    return _judged(_cut_from_key(image, key), picture)


def _cut_from_paper(image: Image.Image, picture: Picture) -> Cut:
    """White, grey and pale backgrounds: nothing tells their colour from the subject's, so only what can be reached
    from the edges goes, with soft borders. Glass and shadows stay as they are painted."""
    try:
        return _judged(without_background(image, None), picture)
    except BadRequest:
        return Cut(None, tr(NOT_PLAIN))


def _judged(image: Image.Image, picture: Picture) -> Cut:
    counts = image.getchannel("A").histogram()
    pixels = image.width * image.height
    if sum(counts[_SEEN:]) < _LEAST_SHARE * pixels:
        return Cut(None, tr(NOTHING_LEFT))
    if sum(counts[:_SEEN]) < _LEAST_SHARE * pixels:
        return Cut(None, tr(NOT_PLAIN))
    return Cut(to_picture(image, provenance=picture.provenance))


_LEAST_PX = 16
_LEAST_SHARE = 0.002
_SEEN = 26
"""Alpha (of 255) below which nothing is seen of a pixel."""


def _has_holes(image: Image.Image) -> bool:
    """Whether its alpha is in earnest: a few stray pixels are no transparent background."""
    counts = image.getchannel("A").histogram()
    return sum(counts[:250]) >= _LEAST_SHARE * image.width * image.height


# --- the key colour


@dataclass(frozen=True, slots=True)
class Key:
    """A saturated backdrop. `field` is 6 × 3: its colour as a polynomial of x and y, each 0–1 over the picture:
    1, x, y, x², xy, y². `bright` are the channels that make its hue, red, green, blue."""

    field: Floats
    bright: tuple[bool, bool, bool]

    def tint(self, color: Floats) -> Floats:
        """Colours … × 3 → how far their bright channels, of the key's hue, stand over its dark ones; −1 to 1."""
        channels = [color[..., index] for index in range(3)]
        low = [channel for channel, bright in zip(channels, self.bright, strict=True) if not bright]
        high = [channel for channel, bright in zip(channels, self.bright, strict=True) if bright]
        return np.asarray(np.minimum(high[0], high[-1]) - np.maximum(low[0], low[-1]))

    def color(self, width_px: int, height_px: int, top: int, bottom: int) -> Floats:
        """Rows `top` to `bottom` of a backdrop of that size, without a subject."""
        x = ((np.arange(width_px, dtype=np.float32) + 0.5) / width_px)[None, :, None]
        y = ((np.arange(top, bottom, dtype=np.float32) + 0.5) / height_px)[:, None, None]
        one, by_x, by_y, by_xx, by_xy, by_yy = self.field
        field: Floats = (one + x * by_x + x * x * by_xx) + (y * by_y + y * y * by_yy) + x * y * by_xy
        return np.clip(field, 0, 1)


_SMALL_PX = 192
_ALIKE = 0.09
_FITS = 0.05
"""How far a spot of the backdrop may be from the fitted colour."""

_DRIFT = 0.2
"""What the colour may change from one end of the picture to another. Beyond that it is a gradient."""

_SATURATED = 0.35
_ENOUGH_OF_A_SIDE = 0.3
_ENOUGH_OF_THE_BORDER = 0.5


def _key(image: Image.Image) -> Key | None:
    """None where the border is not of one saturated colour. The subject may cover half of it and one whole side."""
    small = image.reduce(max(1, max(image.size) // _SMALL_PX))
    spots = np.asarray(small, np.float32) / np.float32(255)
    start = _most_common(np.concatenate([side.reshape(-1, 3) for side in _sides(spots)]))
    if np.ptp(start) < _SATURATED:
        return None
    field, plain = _fitted(spots, start)
    shares = sorted(float(side.mean()) for side in _sides(plain))
    if shares[1] < _ENOUGH_OF_A_SIDE or sum(shares) / 4 < _ENOUGH_OF_THE_BORDER:
        return None
    key = Key(field, _hue(start))
    fitted = key.color(small.width, small.height, 0, small.height)
    if np.ptp(fitted.reshape(-1, 3), axis=0).max() > _DRIFT or key.tint(fitted).min() < _SATURATED:
        return None
    return key


def _sides(spots: NDArray[Any]) -> list[NDArray[Any]]:
    """The outermost two lines of each side."""
    return [spots[:2], spots[-2:], spots[:, :2], spots[:, -2:]]


def _most_common(colors: Floats) -> Floats:
    """The middle of the largest crowd among n × 3 colours."""
    coarse = (colors * 7.99).astype(np.int64) @ np.array((64, 8, 1))
    middle = colors[coarse == np.bincount(coarse).argmax()].mean(axis=0)
    for _ in range(3):
        near = np.abs(colors - middle).max(axis=1) < _ALIKE
        middle = colors[near].mean(axis=0) if near.any() else middle
    return np.asarray(middle, np.float32)


def _fitted(spots: Floats, start: Floats) -> tuple[Floats, Mask]:
    """The backdrop's colour over the picture (see `Key.field`), and which spots it explains, height × width."""
    height, width, _ = spots.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    x, y = (x + 0.5) / width, (y + 0.5) / height
    terms = np.stack((np.ones_like(x), x, y, x * x, x * y, y * y), axis=-1)
    calm = np.diag((0, 1, 1, 1, 1, 1)) * 0.003  # where little is seen of the backdrop, it is taken to be even
    field, plain = np.zeros((6, 3)), np.abs(spots - start).max(axis=-1) < _ALIKE
    for _ in range(4):
        seen = terms[plain]
        if len(seen) < len(calm):
            break
        field = np.linalg.solve(seen.T @ seen / len(seen) + calm, seen.T @ (spots[plain] - start) / len(seen))
        field[0] += start
        plain = np.abs(spots - terms @ field).max(axis=-1) < _FITS
    return field.astype(np.float32), plain


def _hue(color: Floats) -> tuple[bool, bool, bool]:
    """Which channels are bright: the split at the largest step between the sorted three."""
    low, middle, high = np.sort(color)
    limit = (low + middle) / 2 if middle - low > high - middle else (middle + high) / 2
    red, green, blue = (bool(channel > limit) for channel in color)
    return red, green, blue


# --- strips


_STRIP_PX = 1 << 18
_CELL_PX = 4
_HALO_PX = 2 * _CELL_PX
"""Rows beside a strip that are looked at with it."""

_WINDOW_PX = 5
_LIGHTNESS = np.array((0.299, 0.587, 0.114), np.float32)


@dataclass(frozen=True, slots=True)
class _Strip:
    """Whole rows of the picture, `top` to `bottom`; `bare` is the backdrop without the subject. Rows × width × 3.

    `share` of the key's tint that is in a pixel: 1 where only the backdrop is seen, 0 where nothing of it is."""

    top: int
    bottom: int
    color: Floats
    bare: Floats
    share: Floats


def _strips(image: Image.Image, key: Key) -> Iterator[tuple[_Strip, slice]]:
    """From top to bottom, each with a few rows beside it, and which of its rows are the strip itself."""
    width, height = image.size
    rows = max(_CELL_PX, _STRIP_PX // width // _CELL_PX * _CELL_PX)
    for begin in range(0, height, rows):
        end = min(begin + rows, height)
        top, bottom = max(0, begin - _HALO_PX), min(height, end + _HALO_PX)
        color = np.asarray(image.crop((0, top, width, bottom)), np.float32) / np.float32(255)
        bare = key.color(width, height, top, bottom)
        share = key.tint(color) / key.tint(bare)
        yield _Strip(top, bottom, color, bare, share), slice(begin - top, end - top)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A straight line between lightness and share in the window around each pixel: its slope, how much of the share's
    variance it explains (0–1), and that variance."""

    slope: Floats
    explained: Floats
    variance: Floats


def _fit(lightness: Floats, share: Floats) -> _Fit:
    middle, level = _mean(lightness), _mean(share)
    variance = np.maximum(_mean(share * share) - level * level, 0)
    spread = np.maximum(_mean(lightness * lightness) - middle * middle, 0)
    common = _mean(lightness * share) - middle * level
    explained = np.clip(common * common / (spread * variance + np.float32(1e-6)), 0, 1)
    return _Fit(common / (spread + np.float32(1e-4)), explained, variance)


def _mean(values: Floats, window: int = _WINDOW_PX) -> Floats:
    """Of the window around each place; height × width."""
    height, width = values.shape
    padded = np.pad(values, window // 2, mode="edge")
    columns = padded[:height].copy()
    for step in range(1, window):
        columns += padded[step : step + height]
    rows = columns[:, :width].copy()
    for step in range(1, window):
        rows += columns[:, step : step + width]
    rows *= np.float32(1 / window**2)
    return rows


def _halved(lightness: Floats) -> Floats:
    """As it would be had it gone through a JPEG at half resolution, as colours do."""
    height, width = lightness.shape
    small = Image.fromarray(lightness).reduce(2)
    box = (0, 0, width / 2, height / 2)
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR, box=box))


# --- the subject's own colours


_KEYED = 0.34
"""More of the key's tint than that, and it is seen through; less may be the subject's own green, where nothing that is
seen through is near."""

_SURELY_KEYED = 0.45
"""The same for a single pixel, which has more grain than the mean of a cell."""

_NEAR = 0.022
"""So near, as a share of the picture's larger side: a subject out of focus has soft edges about that wide."""

_SOLID = 0.1
_CALM = 0.05
"""Where the share changes by that much from cell to cell may be a soft edge: the subject's own tint in flat places is
hardly taken from there."""

_NONE = 1e-6
_FLAT_REACH, _FINE_REACH, _FULL_REACH = 3, 5, 9
"""How far the subject's tint is taken to reach, as halvings of the map: 32 pixels, 128, everywhere."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """Maps of a quarter of the size, height × width.

    `whole`: 1 far from all that is seen through. `flat`, `fine`: how much of the key's tint the subject has by itself
    around here, as a share, negative for opposite hues; the first for places where alpha hardly changes (glass,
    shadows), the second for where it does (hair). `halved`: the file holds colours at half resolution."""

    whole: Floats
    flat: Floats
    fine: Floats
    halved: bool


def _subject(image: Image.Image, key: Key) -> _Subject:
    rows: list[Floats] = []
    sharp = soft = 0.0
    for strip, own in _strips(image, key):
        share = strip.share[own]
        solid = np.clip(1 - share / np.float32(_SOLID), 0, 1)
        keyed = (share > _SURELY_KEYED).astype(np.float32)
        rows.append(_cells(np.dstack((keyed, share, solid, solid * np.minimum(share, 0)))))
        lightness = strip.color[own] @ _LIGHTNESS
        told, told_halved = _fit(lightness, share), _fit(_halved(lightness), share)
        sharp += float((told.explained * told.variance).sum())
        soft += float((told_halved.explained * told_halved.variance).sum())
    cells = np.concatenate(rows)
    keyed, share, solid, tinted = (cells[..., index] for index in range(4))
    keyed = ((keyed > 0) | (share > _KEYED)).astype(np.float32)
    whole = (_mean(keyed, 2 * round(_NEAR * max(keyed.shape)) + 3) < _NONE).astype(np.float32)
    weight = np.where(whole > 0, 1, solid).astype(np.float32)
    tinted = np.where(whole > 0, share, tinted).astype(np.float32)
    level = _mean(share, 3)
    changes = np.sqrt(np.maximum(_mean(share * share, 3) - level * level, 0))
    calm = np.maximum(1 - changes / np.float32(_CALM), np.float32(0.0005))
    flat = _spread(tinted * calm, weight * calm, _FLAT_REACH)
    fine, far = (_spread(tinted, weight, reach) for reach in (_FINE_REACH, _FULL_REACH))
    own_green = far > 0
    return _Subject(whole, np.where(own_green, far, flat), np.where(own_green, far, fine), soft > sharp)


def _cells(values: Floats, size: int = _CELL_PX) -> Floats:
    """Means of squares; height × width × n. What is cut off at the right and bottom is filled with its last line."""
    height, width, _ = values.shape
    padded = np.pad(values, ((0, -height % size), (0, -width % size), (0, 0)), mode="edge")
    rows = padded[::size].copy()
    for step in range(1, size):
        rows += padded[step::size]
    cells = rows[:, ::size].copy()
    for step in range(1, size):
        cells += rows[:, step::size]
    cells *= np.float32(1 / size**2)
    return cells


def _spread(total: Floats, weight: Floats, reach: int) -> Floats:
    """The weighted mean around each place, of the nearest that has any weight; 0 beyond `reach` halvings of the map."""
    if reach == 0 or min(total.shape) <= 2:
        return total / (weight + np.float32(0.05))
    height, width = total.shape
    smaller = _cells(np.dstack((total, weight)), 2)
    farther = _enlarged(_spread(smaller[..., 0], smaller[..., 1], reach - 1), 2, width, 0, height)
    mixed: Floats = (total + np.float32(0.02) * farther) / (weight + np.float32(0.02))
    return mixed


def _enlarged(small: Floats, times: int, width: int, top: int, bottom: int) -> Floats:
    """Rows of a map, as large as the picture."""
    box = (0, top / times, width / times, bottom / times)
    return np.asarray(Image.fromarray(small).resize((width, bottom - top), Image.Resampling.BILINEAR, box=box))


# --- alpha, and the colours without the key


_NOISE = 0.03
"""So near to 0 or 1, alpha is 0 or 1: what grain and compression do to a plain surface."""

_CHANGES_FAST = 0.02
_FAINT = 0.02


def _cut_from_key(image: Image.Image, key: Key) -> Image.Image:
    subject = _subject(image, key)
    result = Image.new("RGBA", image.size)
    for strip, own in _strips(image, key):
        pixels = _without_key(strip, key, subject)[own]
        result.paste(Image.fromarray(pixels), (0, strip.top + own.start))
    return result


def _without_key(strip: _Strip, key: Key, subject: _Subject) -> NDArray[np.uint8]:
    """RGBA, rows × width × 4."""
    width = strip.color.shape[1]
    whole, flat, fine = (
        _enlarged(part, _CELL_PX, width, strip.top, strip.bottom)
        for part in (subject.whole, subject.flat, subject.fine)
    )
    lightness = strip.color @ _LIGHTNESS
    halved = _halved(lightness) if subject.halved else lightness
    told = _fit(halved, strip.share)
    own = np.clip(flat + (fine - flat) * np.clip(told.variance / np.float32(_CHANGES_FAST), 0, 1), -0.5, 0.45)
    plain = (1 - strip.share) / (1 - own)
    least = np.maximum(whole, _least(strip, key) - np.float32(_FAINT))
    soft = _settled(np.maximum(plain, least))
    if not subject.halved:
        return _rgba(_unmixed(strip, soft), soft, _limits(strip, key, own, whole), key)
    detail = _mean(told.explained * told.slope, 3) * (lightness - halved) / (1 - own)
    alpha = _settled(np.maximum(plain - detail, least))
    # lightness at full resolution, the hue from where colours and alpha are equally soft
    color = _unmixed(strip, soft)
    color += (_unmixed(strip, alpha) @ _LIGHTNESS - color @ _LIGHTNESS)[..., None]
    return _rgba(color, alpha, _limits(strip, key, own, whole), key)


def _least(strip: _Strip, key: Key) -> Floats:
    """The least alpha there can be: a colour that was laid over the key is not darker than black."""
    bright = [index for index, is_bright in enumerate(key.bright) if is_bright]
    shares = [strip.color[..., index] / np.maximum(strip.bare[..., index], 0.01) for index in bright]
    least: Floats = 1 - np.minimum(shares[0], shares[-1])
    return least


def _settled(alpha: Floats) -> Floats:
    settled: Floats = (alpha - np.float32(_NOISE)) / np.float32(1 - 2 * _NOISE)
    return np.clip(settled, 0, 1)


def _unmixed(strip: _Strip, alpha: Floats) -> Floats:
    """The colours without the key's share."""
    behind = strip.bare * (1 - alpha[..., None])
    color: Floats = (strip.color - behind) / np.maximum(alpha[..., None], np.float32(_FAINT))
    return np.clip(color, 0, 1)


def _limits(strip: _Strip, key: Key, own: Floats, whole: Floats) -> Floats:
    """How much of the key's tint a colour may have: what the subject has by itself around there, or any far inside."""
    return np.where(whole > 0.5, np.float32(1), np.maximum(own, 0) * key.tint(strip.bare))


def _rgba(color: Floats, alpha: Floats, tint_limits: Floats, key: Key) -> NDArray[np.uint8]:
    """8 bit. What is too much of the key's hue goes from its bright channels, from all of them alike."""
    excess = np.maximum(key.tint(color) - tint_limits, 0)
    pixels = np.empty((*alpha.shape, 4), np.uint8)
    for index, bright in enumerate(key.bright):
        channel = color[..., index] - excess if bright else color[..., index]
        pixels[..., index] = np.where(alpha > 0, np.clip(channel, 0, 1) * 255 + np.float32(0.5), 0)
    pixels[..., 3] = alpha * 255 + np.float32(0.5)
    return pixels


# --- the painted checkerboard


_LARGEST_PX = 1024
_ARM_PX = 4
_BLOCK_PX = 24
_GREY = 0.07
_SAME = 0.03
_MOST_OF_THEM = 0.6
_STEPS = (0.012, 0.45)
"""How far the two greys of painted transparency are apart. A real chessboard's are farther."""

_ENOUGH_BLOCKS = 0.06


def _has_checkerboard(image: Image.Image) -> bool:
    """Whether a good part of the picture shows the same two greys crosswise: where four squares meet, those opposite
    are alike and those beside each other are not. Looked for at several sizes of squares."""
    small = image.reduce(max(1, max(image.size) // _LARGEST_PX))
    while min(small.size) >= 2 * _BLOCK_PX:
        if _crossings(np.asarray(small, np.float32) / np.float32(255)) >= _ENOUGH_BLOCKS:
            return True
        small = small.reduce(2)
    return False


def _crossings(color: Floats) -> float:
    """The share of blocks with a spot where four squares meet, all of the same two greys."""
    grey = _mean(color @ _LIGHTNESS, 3)
    red, green, blue = (color[..., index] for index in range(3))
    hue = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    even = _mean((hue < _GREY).astype(np.float32), 3) > 0.99
    arm = 2 * _ARM_PX
    one, other = grey[:-arm, :-arm], grey[:-arm, arm:]
    third, last = grey[arm:, :-arm], grey[arm:, arm:]
    step = np.abs(one + last - other - third) / 2
    alike = np.maximum(np.abs(one - last), np.abs(other - third)) < np.maximum(0.25 * step, 0.008)
    found = alike & (step > _STEPS[0]) & (step < _STEPS[1])
    found &= even[:-arm, :-arm] & even[:-arm, arm:] & even[arm:, :-arm] & even[arm:, arm:]
    if not found.any():
        return 0.0
    light, dark = np.maximum(one, other), np.minimum(one, other)
    same = found.copy()
    for level in (light, dark):
        same &= np.abs(level - np.median(level[found])) < _SAME
    if same.sum() < _MOST_OF_THEM * found.sum():
        return 0.0
    height, width = (size // _BLOCK_PX for size in found.shape)
    blocks = same[: height * _BLOCK_PX, : width * _BLOCK_PX].reshape(height, _BLOCK_PX, width, _BLOCK_PX)
    return float(blocks.any(axis=(1, 3)).mean()) if blocks.size else 0.0
