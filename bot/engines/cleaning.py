"""A PNG, JPEG or WebP taken apart, and only what makes the picture joined again. No pixel is decoded.

What is not on the lists below is left out: EXIF, XMP, comments, texts, thumbnails, manifests, frames of an animation,
and whatever stands after the end.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from bot.domain.containers import (
    PNG_SIGNATURE,
    BrokenFile,
    Piece,
    is_frame_header,
    jpeg_pieces,
    jpeg_segment,
    png_chunk_is_sound,
    png_pieces,
    size_px,
    webp_chunk,
    webp_file,
    webp_pieces,
)
from bot.engines.formats import Format
from bot.engines.pixels import exif_orientation

_PNG_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_PNG_KEPT = (*_PNG_CRITICAL, b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"pHYs", b"sBIT")
_PNG_PLAIN_COLOURS = (0, 2, 4, 6)
"""Grey and RGB, without and with alpha; 3 is a palette."""

_JPEG_KEPT = (b"", b"\xd8", b"\xdb", b"\xc4", b"\xcc", b"\xdd", b"\xda", b"\xd9")
"""The pixels, SOI, DQT, DHT, DAC, DRI, SOS, EOI."""

_WEBP_KEPT = (b"VP8 ", b"VP8L", b"ALPH", b"ICCP")
_WEBP_ANIMATED, _WEBP_ALPHA, _WEBP_ICC = 0x02, 0x10, 0x20


@dataclass(frozen=True, slots=True)
class Clean:
    """A file with nothing in it but its picture.

    `as_is` when that may stay bit for bit: upright (`orientation` 1, as EXIF counts), 8 bit, grey or RGB.
    """

    data: bytes
    as_is: bool
    orientation: int = 1


def cleaned(data: bytes, kind: Format) -> Clean | None:
    """The picture of a PNG, JPEG or WebP alone; None of an animated WebP and of other kinds. Raises `BrokenFile`."""
    cleaning = _CLEANING.get(kind)
    try:
        return cleaning(data) if cleaning is not None else None
    except IndexError:
        raise BrokenFile("a head that is cut off") from None


def stated_size(data: bytes, kind: Format) -> tuple[int, int] | None:
    """Width and height in pixels, as the head has them; the largest of several. Raises `BrokenFile`.

    None for the kinds whose head is left to Pillow, which reads it before it decodes: GIF, BMP, TIFF.
    """
    match kind:
        case Format.PNG:
            return size_px(data, [next(png_pieces(data))])
        case Format.JPEG:
            return size_px(data, _head_of_jpeg(data))
        case Format.WEBP:
            return size_px(data, list(webp_pieces(data)))
        case Format.HEIF | Format.AVIF:
            return max(map(_boxed_size, _SIZE_BOX.findall(data, 0, _BOXES_BYTES)), default=None)
        case Format.GIF | Format.BMP | Format.TIFF:
            return None


_SIZE_BOX = re.compile(rb"ispe.{4}(.{8})", re.DOTALL)
_BOXES_BYTES = 1 << 18
"""Where the size boxes of HEIC and AVIF stand: before the pixels, nearly always."""


def _boxed_size(body: bytes) -> tuple[int, int]:
    width_px, height_px = struct.unpack(">II", body)
    return width_px, height_px


def _head_of_jpeg(data: bytes) -> list[Piece]:
    head: list[Piece] = []
    for piece in jpeg_pieces(data):
        if piece.kind == b"\xda":
            break
        head.append(piece)
    return head


def _clean_png(data: bytes) -> Clean:
    view = memoryview(data)
    kept: list[bytes | memoryview] = [PNG_SIGNATURE]
    orientation = 1
    depth, colour = 0, 3
    for piece in png_pieces(data):
        body = view[piece.body_start : piece.body_end]
        if piece.kind in _PNG_KEPT:
            if png_chunk_is_sound(data, piece):
                kept.append(view[piece.start : piece.end])
            elif piece.kind in _PNG_CRITICAL:
                raise BrokenFile("a PNG chunk that is damaged")
        if piece.kind == b"IHDR":
            depth, colour = body[8], body[9]
        if piece.kind == b"eXIf":
            orientation = exif_orientation(bytes(body))
    as_is = depth == 8 and colour in _PNG_PLAIN_COLOURS and orientation == 1
    return Clean(b"".join(kept), as_is, orientation)


def _clean_jpeg(data: bytes) -> Clean:
    view = memoryview(data)
    kept: list[bytes | memoryview] = []
    orientation = components = 0
    for piece in jpeg_pieces(data):
        body = view[piece.body_start : piece.body_end]
        if piece.kind in _JPEG_KEPT or is_frame_header(piece) or _is_colour_segment(data, piece):
            kept.append(view[piece.start : piece.end])
        elif piece.kind == b"\xe0" and data.startswith(b"JFIF\x00", piece.body_start) and len(body) >= 14:
            kept.append(jpeg_segment(b"\xe0", bytes(body[:12]) + b"\x00\x00"))
        elif piece.kind == b"\xe1" and data.startswith(b"Exif\x00\x00", piece.body_start) and not orientation:
            orientation = exif_orientation(bytes(body))
        if is_frame_header(piece):
            components = body[5]
    orientation = orientation or 1
    return Clean(b"".join(kept), components in (1, 3) and orientation == 1, orientation)


def _is_colour_segment(data: bytes, piece: Piece) -> bool:
    """An ICC profile, or Adobe's note on how the colours are stored."""
    return (piece.kind == b"\xe2" and data.startswith(b"ICC_PROFILE\x00", piece.body_start)) or (
        piece.kind == b"\xee" and data.startswith(b"Adobe", piece.body_start)
    )


def _clean_webp(data: bytes) -> Clean | None:
    """None where it is animated: then there is no picture to be had without decoding."""
    kept: list[bytes] = []
    orientation = 1
    for piece in webp_pieces(data):
        body = data[piece.body_start : piece.body_end]
        if piece.kind == b"VP8X":
            if body[0] & _WEBP_ANIMATED:
                return None
            kept.append(webp_chunk(b"VP8X", bytes([body[0] & (_WEBP_ICC | _WEBP_ALPHA), 0, 0, 0]) + body[4:10]))
        elif piece.kind in _WEBP_KEPT:
            kept.append(webp_chunk(piece.kind, body))
        elif piece.kind == b"EXIF":
            orientation = exif_orientation(body)
    return Clean(webp_file(kept), orientation == 1, orientation)


_CLEANING = {Format.PNG: _clean_png, Format.JPEG: _clean_jpeg, Format.WEBP: _clean_webp}
