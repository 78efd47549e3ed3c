"""Where in a file its manifest store stands: by the pieces that the file is made of. Nothing is parsed but those."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.containers import PNG_SIGNATURE, BrokenFile, TooManyPieces, jpeg_pieces, png_pieces, webp_pieces
from bot.domain.digital_source import file_pieces

_APP11 = b"\xeb"
_JUMBF_SEGMENT = b"JP"
_SEGMENT_HEAD_BYTES = 8
"""Of each JPEG segment of a store: "JP", which box (2 bytes), which part of it (4 bytes) (ISO 19566-5, D.2)."""
_BOX_HEAD_BYTES = 8
"""The box's length and kind, which each further part repeats."""


def media_type_of(data: bytes) -> str | None:
    """PNG, JPEG or WebP by how the file begins; None for anything else. What it was called does not count."""
    if data.startswith(PNG_SIGNATURE):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def manifest_store(data: bytes) -> bytes:
    """What carries the manifests, joined; empty where the file has none. Of a broken file, what could be reached."""
    return b"".join(_parts(data))


def is_endless(data: bytes) -> bool:
    """Whether it has so many pieces that whoever looks at them all is busy for long: no picture has."""
    try:
        for piece in file_pieces(data):
            if piece.kind == b"\xda":
                break
    except TooManyPieces:
        return True
    except BrokenFile:
        pass
    return False


def _parts(data: bytes) -> Iterator[bytes]:
    try:
        match media_type_of(data):
            case "image/png":
                yield from (data[p.body_start : p.body_end] for p in png_pieces(data) if p.kind == b"caBX")
            case "image/webp":
                yield from (data[p.body_start : p.body_end] for p in webp_pieces(data) if p.kind == b"C2PA")
            case "image/jpeg":
                for piece in jpeg_pieces(data):
                    if piece.kind == b"\xda":
                        return
                    if piece.kind == _APP11 and data.startswith(_JUMBF_SEGMENT, piece.body_start):
                        yield _segment(data[piece.body_start : piece.body_end])
            case _:
                return
    except BrokenFile:
        return


def _segment(body: bytes) -> bytes:
    first = int.from_bytes(body[4:_SEGMENT_HEAD_BYTES], "big") <= 1
    return body[_SEGMENT_HEAD_BYTES if first else _SEGMENT_HEAD_BYTES + _BOX_HEAD_BYTES :]
