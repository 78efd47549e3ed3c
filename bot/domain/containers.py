"""Image files as the pieces that they are made of: PNG chunks, JPEG segments, WebP chunks. Nothing is decoded.

A piece is a pair of offsets into the file, so that taking a file apart and joining it again copies bytes once.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
PNG_XMP = b"XML:com.adobe.xmp\x00"

_SCAN_WINDOW_BYTES = 1 << 20
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ANY_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_MOST_PIECES = 30_000
"""Of a file. Pictures have some thousand; a stranger's file of millions would keep a thread busy for a minute."""


class BrokenFile(ValueError):
    """The file does not hold what its own lengths promise: cut off, or damaged."""


class TooManyPieces(BrokenFile):
    """It is made to be long to look at."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`kind` names it: a chunk's four letters, a segment's marker byte; the pixels of a JPEG have none.

    The piece stands at [start, end) of the file, what it carries at [body_start, body_end).
    """

    kind: bytes
    start: int
    end: int
    body_start: int
    body_end: int


def png_pieces(data: bytes) -> Iterator[Piece]:
    """The chunks up to and with IEND. Raises `BrokenFile` where the file ends before. Checksums are not checked."""
    at = len(PNG_SIGNATURE)
    for _ in range(_MOST_PIECES):
        if at + 12 > len(data):
            raise BrokenFile("a PNG without an end")
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            raise BrokenFile("a PNG chunk that is cut off")
        piece = Piece(data[at + 4 : at + 8], at, end, at + 8, end - 4)
        yield piece
        if piece.kind == b"IEND":
            return
        at = end
    raise TooManyPieces("more pieces than a picture has")


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))))


def png_chunk_is_sound(data: bytes, piece: Piece) -> bool:
    """Whether the chunk's checksum is right."""
    view = memoryview(data)[piece.start + 4 : piece.body_end]
    return zlib.crc32(view) == int.from_bytes(data[piece.body_end : piece.end], "big")


def jpeg_pieces(data: bytes) -> Iterator[Piece]:
    """The segments from SOI to EOI; after each SOS (`\\xda`) the pixels that it introduces, as a piece without kind.

    Whoever stops at SOS has read the head only. Raises `BrokenFile` where the file ends before EOI.
    """
    yield Piece(b"\xd8", 0, 2, 2, 2)
    at = 2
    for _ in range(_MOST_PIECES):
        at = _next_marker(data, at)
        kind = data[at + 1 : at + 2]
        if kind in (b"\xd9", b"\x01") or b"\xd0" <= kind <= b"\xd8":
            yield Piece(kind, at, at + 2, at + 2, at + 2)
            at += 2
            if kind == b"\xd9":
                return
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end < at + 4 or end > len(data):
            raise BrokenFile("a JPEG segment that is cut off")
        yield Piece(kind, at, end, at + 4, end)
        at = end
        if kind == b"\xda":
            end = _next_after_pixels(data, at)
            yield Piece(b"", at, end, at, end)
            at = end
    raise TooManyPieces("more pieces than a picture has")


def jpeg_segment(marker: bytes, body: bytes) -> bytes:
    """`body` holds at most 65,533 bytes."""
    return b"".join((b"\xff", marker, struct.pack(">H", len(body) + 2), body))


def _next_marker(data: bytes, at: int) -> int:
    """Where the next marker stands. Bytes between segments are passed over, as decoders do."""
    while at < len(data):
        found = _ANY_MARKER.search(data, at, at + _SCAN_WINDOW_BYTES + 1)
        if found:
            return found.start()
        at += _SCAN_WINDOW_BYTES
    raise BrokenFile("a JPEG without an end")


def _next_after_pixels(data: bytes, at: int) -> int:
    """Where entropy-coded pixels end: at the first marker that is no restart. Searched in windows: it holds the GIL."""
    while at < len(data):
        found = _MARKER.search(data, at, at + _SCAN_WINDOW_BYTES + 1)
        if found:
            return found.start()
        at += _SCAN_WINDOW_BYTES
    raise BrokenFile("a JPEG whose pixels are cut off")


def webp_pieces(data: bytes) -> Iterator[Piece]:
    """The chunks inside RIFF, up to the length that it names. Raises `BrokenFile` where the file ends before."""
    stop = 8 + int.from_bytes(data[4:8], "little")
    if stop > len(data):
        raise BrokenFile("a WebP that is cut off")
    at = 12
    for _ in range(_MOST_PIECES):
        if at + 8 > stop:
            return
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        body_end = at + 8 + length
        if body_end > stop:
            raise BrokenFile("a WebP chunk that is cut off")
        end = min(body_end + length % 2, stop)
        yield Piece(data[at : at + 4], at, end, at + 8, body_end)
        at = end
    raise TooManyPieces("more pieces than a picture has")


def webp_chunk(kind: bytes, body: bytes) -> bytes:
    return b"".join((kind, struct.pack("<I", len(body)), body, b"\x00" * (len(body) % 2)))


def webp_file(chunks: Sequence[bytes | memoryview]) -> bytes:
    """A whole file from whole chunks; the padding that the last of a sloppy file may lack is added."""
    parts = [part for chunk in chunks for part in (chunk, b"\x00" * (len(chunk) % 2))]
    return b"".join((b"RIFF", struct.pack("<I", 4 + sum(map(len, parts))), b"WEBP", *parts))


def size_px(data: bytes, pieces: list[Piece]) -> tuple[int, int]:
    """Width and height as the head of a PNG, JPEG or WebP states them; the largest where it states several.

    Raises `BrokenFile` where it states none.
    """
    stated = [size for piece in pieces if (size := _stated(data, piece)) is not None]
    if not stated or min(map(min, stated)) < 1:
        raise BrokenFile("no size in the head")
    return max(width for width, _ in stated), max(height for _, height in stated)


def is_frame_header(piece: Piece) -> bool:
    """True of a JPEG's SOF segment, in any of its kinds."""
    return b"\xc0" <= piece.kind <= b"\xcf" and piece.kind not in (b"\xc4", b"\xc8", b"\xcc") and len(piece.kind) == 1


def _stated(data: bytes, piece: Piece) -> tuple[int, int] | None:
    body = data[piece.body_start : min(piece.body_end, piece.body_start + 16)]
    try:
        match piece.kind:
            case b"IHDR":
                return struct.unpack_from(">II", body)
            case b"VP8X":
                return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
            case b"VP8 ":
                width, height = struct.unpack_from("<HH", body, 6)
                return width & 0x3FFF, height & 0x3FFF
            case b"VP8L":
                (bits,) = struct.unpack_from("<I", body, 1)
                return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
            case _ if is_frame_header(piece):
                height, width = struct.unpack_from(">HH", body, 1)
                return width, height
            case _:
                return None
    except struct.error:
        raise BrokenFile("a head that is cut off") from None
