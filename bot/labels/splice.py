"""A PNG with its first rows drawn anew, and all below them kept as it is compressed.

Deflate is a chain of blocks that look back at most 32 KiB, and PNG's filters look up one row. So from the first block
that begins 32 KiB below what was drawn on, every bit can stay: the rows above are compressed anew, empty blocks bring
the rest to the bit of a byte that it stood at, and the checksum is made of those of its parts (RFC 1950, 1951).
"""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image

from bot.domain.containers import PNG_SIGNATURE, BrokenFile, Piece, png_chunk, png_pieces

Drawing = Callable[[Image.Image], Image.Image]
"""The same rows, drawn on: RGB or RGBA as they came; those of a picture with a palette, as RGB."""

_LOOKS_BACK_BYTES = 32 * 1024
_MOST_FURTHER_BYTES = 2 << 20
"""A block may be long: so far below the rows its end is looked for."""
_CHANNELS = {2: 3, 3: 1, 6: 4}
"""Of colour types that are spliced: RGB, RGBA, and those of a palette."""
_PALETTE = 3
_MIN_CONTRAST = 4.5
"""Of white letters and their plate in the colours that a palette has (WCAG 2.2, 1.4.3)."""
_PLATE_MOST = 80
"""Nothing of the mark's plate is lighter, whatever it stands on."""
_UP = 2
_ADLER = 65521


def with_top(data: bytes, rows: int, draw: Drawing, *, leaving_out: Sequence[bytes] = ()) -> bytes | None:
    """The PNG with its first `rows` drawn on, without the chunks of these kinds. Where it is compressed in one long
    block, all of it is compressed anew, filtered as it was. None where it is broken, no plain RGB or RGBA of 8 bit, or
    has a palette in which the drawing could not be read: then it has to be decoded."""
    plain = _plain(data)
    if plain is None or rows >= plain.height:
        return None
    head, pieces, row_bytes, height = plain.head, plain.pieces, plain.row_bytes, plain.height
    view = memoryview(data)
    packed = _packed_rows(view, pieces)
    cut = _first_cut(packed, (rows + 1) * row_bytes + _LOOKS_BACK_BYTES, most=row_bytes * height)
    above = cut.above if cut is not None else _unpacked(packed, row_bytes * height)
    palette = _palette(data, pieces)
    top = _drawn(head, above, rows, draw, palette) if above is not None else None
    if top is None:
        return None
    stream = _joined(packed, cut, top, row_bytes * height) if cut is not None else _packed(top)
    return _file(view, pieces, stream, leaving_out)


def unpacked(data: bytes) -> bytes:
    """The same PNG with its rows as they are, for a decoder: it takes a third less time with both than alone. One that
    is not plain, or broken, comes back as it is."""
    plain = _plain(data)
    if plain is None:
        return data
    view = memoryview(data)
    rows = _unpacked(_packed_rows(view, plain.pieces), plain.row_bytes * plain.height)
    return data if rows is None else _file(view, plain.pieces, zlib.compress(rows, 0), ())


@dataclass(frozen=True, slots=True)
class _Plain:
    """A PNG of 8 bit, row by row: RGB, RGBA, or with a palette."""

    head: bytes
    pieces: Sequence[Piece]
    row_bytes: int
    height: int


def _plain(data: bytes) -> _Plain | None:
    try:
        pieces = list(png_pieces(data))
    except BrokenFile:
        return None
    head = data[pieces[0].body_start : pieces[0].body_end]
    if len(head) != 13 or head[8] != 8 or head[9] not in _CHANNELS or head[12] or _is_special(pieces, head[9]):
        return None
    width, height = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
    return _Plain(head, pieces, 1 + width * _CHANNELS[head[9]], height)


def _packed_rows(view: memoryview, pieces: Sequence[Piece]) -> bytes:
    return b"".join(view[piece.body_start : piece.body_end] for piece in pieces if piece.kind == b"IDAT")


def _unpacked(packed: bytes, whole_bytes: int) -> bytes | None:
    """All rows, still filtered; None where the stream is broken, or not of that length."""
    try:
        rows: bytes = isal_zlib.decompressobj().decompress(packed, whole_bytes + 1)  # pyright: ignore[reportUnknownMemberType]
    except Exception:  # a broken stream: what is raised is no class that a type checker knows
        return None
    return rows if len(rows) == whole_bytes else None


def _packed(rows: bytes) -> bytes:
    return bytes(isal_zlib.compress(rows, 1))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def _is_special(pieces: Sequence[Piece], colours: int) -> bool:
    """Colours that mean something else, or pictures that move."""
    kinds = [piece.kind for piece in pieces]
    palettes = kinds.count(b"PLTE")
    return b"tRNS" in kinds or b"acTL" in kinds or palettes != (colours == _PALETTE)


def _palette(data: bytes, pieces: Sequence[Piece]) -> bytes:
    """Three bytes for each colour; empty where there is none."""
    return next((data[piece.body_start : piece.body_end] for piece in pieces if piece.kind == b"PLTE"), b"")


def _file(view: memoryview, pieces: Sequence[Piece], stream: bytes, leaving_out: Sequence[bytes]) -> bytes:
    first = next(index for index, piece in enumerate(pieces) if piece.kind == b"IDAT")
    parts: list[bytes | memoryview] = [PNG_SIGNATURE]
    for index, piece in enumerate(pieces):
        if index == first:
            parts += _idat(stream)
        elif piece.kind != b"IDAT" and piece.kind not in leaving_out:
            parts.append(view[piece.start : piece.end])
    return b"".join(parts)


def _idat(stream: bytes) -> tuple[bytes, bytes, bytes]:
    """`png_chunk`, with a checksum that is faster over megabytes."""
    crc: int = isal_zlib.crc32(stream, zlib.crc32(b"IDAT"))  # pyright: ignore[reportUnknownMemberType]
    return len(stream).to_bytes(4, "big") + b"IDAT", stream, crc.to_bytes(4, "big")


# --- the rows


def _drawn(head: bytes, above: bytes, rows: int, draw: Drawing, palette: bytes) -> bytes | None:
    """What stands above the cut, drawn on: its first rows and the one below them, which looks up at them, anew."""
    row_bytes = 1 + int.from_bytes(head[:4], "big") * _CHANNELS[head[9]]
    size = head[:4] + (rows + 1).to_bytes(4, "big") + head[8:]
    idat = zlib.compress(memoryview(above)[: (rows + 1) * row_bytes], 0)
    colours = png_chunk(b"PLTE", palette) if palette else b""
    parts = (PNG_SIGNATURE, png_chunk(b"IHDR", size), colours, png_chunk(b"IDAT", idat), png_chunk(b"IEND", b""))
    file = b"".join(parts)
    try:
        with Image.open(BytesIO(file), formats=("PNG",)) as opened:
            opened.load()
            opened.info = {}
            below = opened.crop((0, rows, opened.width, rows + 1))
            image = _in_palette(opened, draw) if palette else draw(opened)
            if image is None:
                return None
            if not palette:
                image.paste(below, (0, rows))
    except (OSError, ValueError, SyntaxError):
        return None
    pixels = np.frombuffer(image.tobytes(), np.uint8).reshape(rows + 1, row_bytes - 1)
    filtered = np.empty((rows + 1, row_bytes), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=filtered[1:, 1:])
    return filtered.tobytes() + above[(rows + 1) * row_bytes :]


def _in_palette(image: Image.Image, draw: Drawing) -> Image.Image | None:
    """What was drawn, in the nearest colours that there are; None where nobody could read it in those."""
    before = image.convert("RGB")
    after = np.asarray(draw(before.copy()))
    changed = (np.asarray(before) != after).any(axis=2)
    indices = np.asarray(image, np.uint8)
    table = np.array(image.getpalette() or (), np.int32).reshape(-1, 3)
    if int(indices.max()) >= len(table):
        return None
    # By 32 steps of each colour: there are some hundred such of a mark, and tens of thousands of pixels.
    steps = (after[changed] >> 3).astype(np.int32)
    keys = steps[:, 0] << 10 | steps[:, 1] << 5 | steps[:, 2]
    nearest = np.zeros(1 << 15, np.uint8)
    used = np.flatnonzero(np.bincount(keys, minlength=1 << 15))
    wanted = np.stack((used >> 10, used >> 5 & 31, used & 31), axis=1) * 255 // 31
    found = ((wanted[:, None] - table[None]) ** 2).sum(axis=2).argmin(axis=1)
    ink, plate = table[((255 - table) ** 2).sum(axis=1).argmin()], table[found[wanted.max(axis=1) <= _PLATE_MOST]]
    if not len(plate) or _light(ink) + 0.05 < _MIN_CONTRAST * (_light(plate).max() + 0.05):
        return None
    nearest[used] = found
    made = indices.copy()
    made[changed] = nearest[keys]
    return Image.fromarray(made)


def _light(colours: NDArray[np.int32]) -> NDArray[np.float64]:
    """Relative luminance (WCAG 2.2), 0 to 1."""
    parts = colours / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array((0.2126, 0.7152, 0.0722)))


# --- the stream


@dataclass(frozen=True, slots=True)
class _Cut:
    """A place between two blocks: after so many bytes of the stream, `unused` bits of the last of which are the next
    block's. `above` is what stands before it."""

    at_bytes: int
    unused_bits: int
    above: bytes


def _joined(packed: bytes, cut: _Cut, top: bytes, whole_bytes: int) -> bytes:
    deflate = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)  # pyright: ignore[reportUnknownMemberType]
    made = b"\x78\x01" + deflate.compress(top) + deflate.flush(isal_zlib.Z_SYNC_FLUSH)  # pyright: ignore[reportUnknownMemberType]
    checksum = _checksum(int.from_bytes(packed[-4:], "big"), cut.above, top, whole_bytes - len(top))
    if not cut.unused_bits:
        return b"".join((made, memoryview(packed)[cut.at_bytes : -4], checksum))
    used = 8 - cut.unused_bits
    *filler, last = _filler(used)
    shared = packed[cut.at_bytes - 1] >> used << used | last
    return b"".join((made, bytes((*filler, shared)), memoryview(packed)[cut.at_bytes : -4], checksum))


def _checksum(whole: int, before: bytes, after: bytes, rest_bytes: int) -> bytes:
    """The Adler-32 of a whole whose first part was exchanged for another of the same length."""
    old: int = isal_zlib.adler32(before)  # pyright: ignore[reportUnknownMemberType]
    new: int = isal_zlib.adler32(after)  # pyright: ignore[reportUnknownMemberType]
    moved = (new & 0xFFFF) - (old & 0xFFFF)
    low = ((whole & 0xFFFF) + moved) % _ADLER
    high = ((whole >> 16) + (new >> 16) - (old >> 16) + rest_bytes * moved) % _ADLER
    return (high << 16 | low).to_bytes(4, "big")


@lru_cache(maxsize=8)
def _filler(bits: int) -> bytes:
    """Empty blocks that end so many bits into a byte; the rest of that byte is 0. A fixed block has 10 bits; one with
    codes of its own (two, for a zero and the end, and none for distances) has 97."""
    written = ("0" + _low_first(1, 2) + "0" * 7) * (bits // 2)
    if bits % 2:
        order = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
        lengths = {18: 1, 0: 2, 1: 2}
        written += "0" + _low_first(2, 2) + _low_first(0, 5) + _low_first(0, 5) + _low_first(15, 4)
        written += "".join(_low_first(lengths.get(symbol, 0), 3) for symbol in order)
        # A code of one bit for the zero, none for 255 others, one for the end; none for distances. Then the end.
        written += "11" + "0" + _low_first(138 - 11, 7) + "0" + _low_first(117 - 11, 7) + "11" + "10" + "1"
    padded = written + "0" * (-len(written) % 8)
    return bytes(int(padded[at : at + 8][::-1], 2) for at in range(0, len(padded), 8))


def _low_first(number: int, bits: int) -> str:
    return f"{number:0{bits}b}"[::-1]


# --- where a block ends: only zlib itself says it


class _Stream(ctypes.Structure):
    _fields_ = (
        ("next_in", ctypes.c_void_p),
        ("avail_in", ctypes.c_uint),
        ("total_in", ctypes.c_ulong),
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_uint),
        ("total_out", ctypes.c_ulong),
        ("msg", ctypes.c_char_p),
        ("state", ctypes.c_void_p),
        ("zalloc", ctypes.c_void_p),
        ("zfree", ctypes.c_void_p),
        ("opaque", ctypes.c_void_p),
        ("data_type", ctypes.c_int),
        ("adler", ctypes.c_ulong),
        ("reserved", ctypes.c_ulong),
    )


_Z_OK, _Z_BLOCK = 0, 5
_AT_BLOCK, _IN_LAST, _UNUSED_BITS = 128, 64, 7


@lru_cache(maxsize=1)
def _zlib() -> ctypes.CDLL | None:
    """The system's own, where there is one: Python's module does not say where blocks end."""
    for name in ("libz.so.1", "libz.dylib"):
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.zlibVersion.restype = ctypes.c_char_p
        return library
    return None


def _first_cut(packed: bytes, least: int, *, most: int) -> _Cut | None:
    """The first place between two blocks with at least so many bytes before it; None where there is none near."""
    library = _zlib()
    if library is None or least >= most or len(packed) < 8:
        return None
    room = min(least + _MOST_FURTHER_BYTES, most)
    out, source = np.empty(room, np.uint8), np.frombuffer(packed, np.uint8)
    stream = _Stream(next_in=source.ctypes.data, avail_in=len(packed), next_out=out.ctypes.data, avail_out=room)
    if library.inflateInit2_(ctypes.byref(stream), 15, library.zlibVersion(), ctypes.sizeof(stream)) != _Z_OK:
        return None
    try:
        while library.inflate(ctypes.byref(stream), _Z_BLOCK) == _Z_OK:
            if stream.data_type & _IN_LAST and stream.data_type & _AT_BLOCK:
                return None
            if stream.data_type & _AT_BLOCK and stream.total_out >= least:
                return _Cut(stream.total_in, stream.data_type & _UNUSED_BITS, out[: stream.total_out].tobytes())
            if not stream.avail_out:
                return None
    finally:
        library.inflateEnd(ctypes.byref(stream))
    return None
