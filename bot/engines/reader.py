"""The door for pictures from outside: what passes it is a picture, of a size that we can bear, and nothing else.

A file is recognised by its first bytes and measured by its head. A PNG, JPEG or WebP that is upright and 8 bit keeps
its pixels bit for bit: only the pieces that make the picture are kept, and those are then decoded once as a proof.
Anything else goes through pixels. So no EXIF, GPS, comment, thumbnail or trailing byte ever passes.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from dataclasses import replace
from io import BytesIO
from pathlib import Path, PurePosixPath

from PIL import Image
from pillow_heif import register_heif_opener  # pyright: ignore[reportUnknownVariableType]

from bot.domain.containers import BrokenFile
from bot.domain.digital_source import has_c2pa, provenance_of, terms_in_c2pa, terms_in_file, terms_in_xmp
from bot.domain.errors import BadPicture
from bot.domain.images import Picture, Provenance
from bot.domain.language import pgettext, tr
from bot.engines.cleaning import cleaned, stated_size
from bot.engines.formats import READABLE, Format, describe, format_of
from bot.engines.pixels import normal, to_picture

register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=2)

_FEW_COLOURS = 1 << 16
"""A picture with no more colours than this is a drawing: kept as PNG."""


def bytes_of(path: Path, *, max_bytes: int) -> bytes:
    """A file that a person named. One byte beyond the limit is enough for the reader to refuse it."""
    with path.open("rb") as file:
        return file.read(max_bytes + 1)


class PillowPictureReader:
    """Checks what came from outside with our own eyes first, then with Pillow's (`bot.ports.PictureReader`)."""

    def __init__(self, *, max_bytes: int = 40 * 2**20, max_pixels: int = 64_000_000, max_side_px: int = 16_384) -> None:
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels
        self._max_side_px = max_side_px

    async def read(self, data: bytes, *, filename: str) -> Picture:
        """Type, size and pixel count are read from the header before any decoder runs. Raises `BadPicture`."""
        return await asyncio.to_thread(self._read, data, filename)

    def _read(self, data: bytes, filename: str) -> Picture:
        name = _said(filename)
        self._check_bytes(data, name)
        kind = format_of(data, _ending(filename))
        if kind is None:
            raise BadPicture(_not_a_picture(data, name, _ending(filename)))
        try:
            if (size := stated_size(data, kind)) is not None:
                self._check_size(name, size)
            picture = self._accept(data, kind, name)
            return replace(picture, original=data) if has_c2pa(data) else picture
        except BadPicture:
            raise
        except Image.DecompressionBombError as error:  # Pillow's own limit, checked before ours and before it decodes
            count = re.search(r"(\d+) pixels", str(error))
            raise BadPicture(self._too_many_pixels(name, int(count[1]) if count else None)) from None
        except Exception as error:  # a decoder fed with hostile bytes raises whatever it likes
            raise BadPicture(
                tr(
                    "{name} is damaged or incomplete, so I could not open it. "
                    "Please send it again, or save it anew first."
                ).format(name=name)
            ) from error

    # --- sizes

    def _check_bytes(self, data: bytes, name: str) -> None:
        if not data:
            raise BadPicture(tr("{name} is empty: it has 0 bytes. Please send it again.").format(name=name))
        if len(data) > self._max_bytes:
            raise BadPicture(
                tr("{name} has {size}. I can take up to {most}: please send a smaller one.").format(
                    name=name, size=_megabytes(len(data)), most=_megabytes(self._max_bytes)
                )
            )

    def _check_size(self, name: str, size: tuple[int, int]) -> None:
        width_px, height_px = size
        if width_px * height_px > self._max_pixels:
            raise BadPicture(self._too_many_pixels(name, width_px * height_px, size))
        if max(size) > self._max_side_px:
            raise BadPicture(
                tr(
                    "{name} is {width} × {height} pixels. A side may have up to {most}: please send a smaller one."
                ).format(name=name, width=f"{width_px:,}", height=f"{height_px:,}", most=f"{self._max_side_px:,}")
            )

    def _too_many_pixels(self, name: str, count: int | None, size: tuple[int, int] | None = None) -> str:
        values = {"name": name, "most": f"{self._max_pixels / 1e6:,.0f}", "count": f"{(count or 0) / 1e6:,.0f}"}
        if size is not None:
            words = tr(
                "{name} is too large: {width} × {height} are {count} million pixels. "
                "I can take up to {most} million pixels: please send a smaller one."
            )
            return words.format(width=f"{size[0]:,}", height=f"{size[1]:,}", **values)
        if count is not None:
            return tr(
                "{name} is too large: it has {count} million pixels. "
                "I can take up to {most} million pixels: please send a smaller one."
            ).format(**values)
        return tr("{name} is too large. I can take up to {most} million pixels: please send a smaller one.").format(
            **values
        )

    def _accept(self, data: bytes, kind: Format, name: str) -> Picture:
        """Bit for bit where that is possible, through pixels where not."""
        clean = cleaned(data, kind)
        if clean is not None and clean.as_is:
            return _proven(clean.data, kind, _claimed_in(data))
        image = _opened(clean.data if clean else data, kind)
        self._check_size(name, image.size)
        _check_tiles(image, self._max_pixels)
        provenance = _claimed_in(data, _xmp(image))
        drawn = kind is Format.PNG or image.mode in ("P", "PA", "1")
        pixels = _without_idle_alpha(normal(image, clean.orientation if clean else None))
        self._check_size(name, pixels.size)
        drawn = drawn or pixels.mode == "RGBA" or _is_drawing(pixels, kind)
        return to_picture(pixels, media_type="image/png" if drawn else "image/jpeg", provenance=provenance)


def _claimed_in(data: bytes, packet: bytes = b"") -> Provenance:
    """What the file says of its origin: in XMP, whether we or Pillow found the packet, or in a C2PA manifest."""
    in_xmp, in_manifest = terms_in_file(data)
    elsewhere = terms_in_c2pa(data) if not in_manifest and b"jumb" in data else []
    return provenance_of([*in_xmp, *in_manifest, *terms_in_xmp(packet), *elsewhere])


# --- Pillow


def _opened(data: bytes, kind: Format) -> Image.Image:
    return Image.open(BytesIO(data), formats=(kind.value,))


def _proven(data: bytes, kind: Format, provenance: Provenance) -> Picture:
    """Every byte is decoded once. A JPEG at an eighth of its size: that reads all of the file and costs half."""
    image = _opened(data, kind)
    width_px, height_px = image.size
    image.draft(image.mode, (max(1, width_px // 8), max(1, height_px // 8)))
    image.load()
    return Picture(data, f"image/{kind.value.lower()}", width_px, height_px, image.has_transparency_data, provenance)


def _check_tiles(image: Image.Image, max_pixels: int) -> None:
    """A TIFF's tile may claim to be far larger than the picture, and a decoder makes room for all of it."""
    tags: dict[int, int] = getattr(image, "tag_v2", {})
    if tags.get(322, 1) * tags.get(323, 1) > max_pixels:
        raise BrokenFile("a tile larger than any picture")


def _xmp(image: Image.Image) -> bytes:
    packet = image.info.get("xmp", b"")
    return packet if isinstance(packet, bytes) else b""


def _without_idle_alpha(image: Image.Image) -> Image.Image:
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    return image


def _is_drawing(image: Image.Image, kind: Format) -> bool:
    lossless = kind in (Format.BMP, Format.TIFF, Format.GIF)
    return lossless and image.getcolors(_FEW_COLOURS) is not None


# --- words


def _not_a_picture(data: bytes, name: str, ending: str) -> str:
    what, advice = describe(data)
    *others, last = READABLE
    kinds = pgettext("between names", ", ").join(others)
    posing = ending in (".png", ".jpg", ".jpeg", ".webp", ".gif", ".heic", ".heif", ".avif", ".tif", ".tiff", ".bmp")
    if posing and not what.startswith("not "):
        # TRANSLATORS: “photo.png” is called .png but is a PDF. Please send the page as a picture.
        words = tr("{name} is called {ending} but is {what}. {advice}")
    else:
        # TRANSLATORS: “notes.pdf” is a PDF. Please send the page as a picture.
        words = tr("{name} is {what}. {advice}")
    return words.format(name=name, ending=ending, what=tr(what), advice=tr(advice).format(kinds=kinds, last=last))


def _ending(filename: str) -> str:
    return PurePosixPath(filename).suffix.lower()


def _said(filename: str) -> str:
    """The file's name as it may stand in a sentence: one line, no control or direction characters, not long."""
    shown = "".join(sign for sign in filename if unicodedata.category(sign)[0] not in "CZ" or sign == " ").strip()
    if len(shown) > 60:
        shown = f"{shown[:40]}…{shown[-15:]}"
    return tr("“{name}”").format(name=shown) if shown else tr("This file")


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:,.0f} MB"
