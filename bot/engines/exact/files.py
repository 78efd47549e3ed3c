"""Finished pixels to a file: of the kind that was wished for, and no larger than that."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PIL import Image

from bot.domain.errors import BadRequest
from bot.domain.images import Picture, Provenance
from bot.domain.language import pgettext, tr
from bot.engines.exact.drawing.shape import Say
from bot.engines.exact.drawing.strips import over
from bot.engines.pixels import to_picture

_PNG, _JPEG, _WEBP = "image/png", "image/jpeg", "image/webp"
_NAMES = {_PNG: "PNG", _JPEG: "JPEG", _WEBP: "WebP"}
_QUALITY = {_PNG: 0, _JPEG: 95, _WEBP: 90}
_LONGEST_WEBP_SIDE_PX = 16_383
_LEAST_LIMIT_BYTES = 1_000
_BEST_QUALITY, _LEAST_QUALITY = 92, 40
_SHRINK = 0.8
_SMALLEST_SIDE_PX = 16

Encode = Callable[[Image.Image, str, int], Picture]


def finished(
    image: Image.Image,
    *,
    source_type: str,
    wished_type: str | None,
    limit_bytes: int | None,
    provenance: Provenance,
    say: Say,
) -> Picture:
    """A file of the source's kind, or of the wished one. PNG where a JPEG could not hold what became transparent."""
    media_type = wished_type or _fitting_type(image, source_type)
    if media_type == _WEBP and max(image.size) > _LONGEST_WEBP_SIDE_PX:
        raise BadRequest(
            tr("A WebP may be {most} pixels long at most; PNG or JPEG would work.").format(
                most=f"{_LONGEST_WEBP_SIDE_PX:,}"
            )
        )
    if media_type == _JPEG and image.mode == "RGBA":
        say(tr("JPEG knows no transparency, so the transparent parts are white now."))
        image = over(image, "white")

    def encode(pixels: Image.Image, kind: str, quality: int) -> Picture:
        return to_picture(pixels, media_type=kind, provenance=provenance, quality=quality)

    if limit_bytes is None:
        return encode(image, media_type, _QUALITY[media_type])
    if limit_bytes < _LEAST_LIMIT_BYTES:
        raise BadRequest(tr("A picture needs at least 1 KB; please give me a larger limit."))
    return _within(image, media_type, limit_bytes, wished=wished_type is not None, encode=encode, say=say)


def _fitting_type(image: Image.Image, source_type: str) -> str:
    if source_type == _JPEG and image.mode == "RGBA":
        return _PNG
    return _PNG if source_type == _WEBP and max(image.size) > _LONGEST_WEBP_SIDE_PX else source_type


def _within(
    image: Image.Image, media_type: str, limit_bytes: int, *, wished: bool, encode: Encode, say: Say
) -> Picture:
    """The best file within the limit: as it is, else of less quality, else smaller as well."""
    best = encode(image, media_type, _QUALITY[media_type])
    if len(best.data) <= limit_bytes:
        return best
    lossy = media_type
    if media_type == _PNG and not wished:
        lossy = _WEBP if image.mode == "RGBA" else _JPEG
    for pixels in _smaller_and_smaller(image):
        picture, quality = _best_quality(pixels, lossy, limit_bytes, encode)
        if picture is not None:
            say(_what_was_done(picture, image, quality))
            return picture
    raise BadRequest(tr("I cannot make a file that small of this picture. Please give me a larger limit."))


def _smaller_and_smaller(image: Image.Image) -> Iterator[Image.Image]:
    yield image
    factor = _SHRINK
    while min(image.size) * factor >= _SMALLEST_SIDE_PX:
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        yield image.resize(size, Image.Resampling.LANCZOS)
        factor *= _SHRINK


def _best_quality(image: Image.Image, media_type: str, limit_bytes: int, encode: Encode) -> tuple[Picture | None, int]:
    """The highest quality that stays within the limit; none where even the least does not."""
    if media_type == _PNG:
        picture = encode(image, _PNG, 0)
        return (picture, 0) if len(picture.data) <= limit_bytes else (None, 0)
    least = encode(image, media_type, _LEAST_QUALITY)
    if len(least.data) > limit_bytes:
        return None, 0
    best, low, high = least, _LEAST_QUALITY, _BEST_QUALITY
    while low < high:
        middle = (low + high + 1) // 2
        picture = encode(image, media_type, middle)
        if len(picture.data) <= limit_bytes:
            best, low = picture, middle
        else:
            high = middle - 1
    return best, low


def _what_was_done(picture: Picture, image: Image.Image, quality: int) -> str:
    """ "Saved as JPEG at quality 71, 640 × 480 pixels, 198 KB." """
    name = _NAMES[picture.media_type]
    # TRANSLATORS: "Saved as JPEG at quality 71, scaled down to 640 × 480 pixels, 198 KB."
    saved = tr("Saved as {format} at quality {quality}") if quality else tr("Saved as {format}")
    parts = [saved.format(format=name, quality=quality)]
    if (picture.width_px, picture.height_px) != image.size:
        scaled = tr("scaled down to {width} × {height} pixels")
        parts.append(scaled.format(width=picture.width_px, height=picture.height_px))
    parts.append(f"{len(picture.data) / 1000:.1f} KB")
    # TRANSLATORS: only the full stop behind a sentence
    return pgettext("end of a sentence", "{words}.").format(words=pgettext("between names", ", ").join(parts))
