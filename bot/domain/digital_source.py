"""What a file says of its own origin, in the words of the IPTC: the digital source type.

Terms: http://cv.iptc.org/newscodes/digitalsourcetype/. What comes from outside is searched, never parsed: there is
no entity to expand and no tree to grow.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import AnyStr

from bot.domain.containers import (
    JPEG_XMP,
    PNG_SIGNATURE,
    PNG_XMP,
    BrokenFile,
    Piece,
    jpeg_pieces,
    png_pieces,
    webp_pieces,
)
from bot.domain.images import Provenance

VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
AI_GENERATED = "trainedAlgorithmicMedia"
AI_EDITED = "compositeWithTrainedAlgorithmicMedia"
ENHANCED = "algorithmicallyEnhanced"
"""Changed by arithmetic, not by a generative model."""

_PROVENANCES = {
    AI_GENERATED: Provenance.AI_GENERATED,
    AI_EDITED: Provenance.AI_EDITED,
    "compositeSynthetic": Provenance.AI_EDITED,
}
_MAX_XMP_BYTES = 64 * 1024
_MOST_PACKETS = 16
"""Of one file that are read. It has one, or two where tools disagree."""
MOST_MENTIONS = 40
"""Of one name in one text that are looked at."""
_IN_XMP = re.compile(
    rb""":(?<=[\w.-]:)DigitalSourceType
    (?: \s{0,9}=\s{0,9}["']([^"'<>]{1,200})["']                                      # attribute
      | [^<>]{0,200}?resource\s{0,9}=\s{0,9}["']([^"'<>]{1,200})["'][^<>]{0,200}>   # element that points
      | [^<>]{0,200}>\s{0,200}([^<>\s]{1,200})\s{0,200}< )                            # element with text
    """,
    re.VERBOSE,
)
_IN_C2PA = re.compile(
    rb"digitalsourcetype/(trainedAlgorithmicMedia|compositeWithTrainedAlgorithmicMedia|compositeSynthetic)"
)


def mentions(pattern: re.Pattern[AnyStr], name: AnyStr, text: AnyStr) -> Iterator[re.Match[AnyStr]]:
    """Where a bounded pattern that begins with `name` stands in a stranger's text: found by the name, tried there and
    nowhere else, and at most `MOST_MENTIONS` times. So a text made to be long to look at is not."""
    at = text.find(name)
    for _ in range(MOST_MENTIONS):
        if at < 0:
            return
        found = pattern.match(text, at)
        if found is not None:
            yield found
        at = text.find(name, found.end() if found is not None else at + len(name))


def terms_in_xmp(packet: bytes) -> list[str]:
    """The digital source types that an XMP packet names, as bare terms. Only its first 64 KB are looked at, and the
    first `MOST_MENTIONS` of them."""
    text = packet[:_MAX_XMP_BYTES].replace(b"\x00", b"")
    values = (b"".join(found.groups(b"")) for found in mentions(_IN_XMP, b":DigitalSourceType", text))
    return [value.decode("utf-8", "replace").rstrip("/").rsplit("/", 1)[-1] for value in values]


def terms_in_c2pa(block: bytes | memoryview) -> list[str]:
    """The digital source types of AI that a C2PA manifest names anywhere. Its signature is not checked."""
    return [match.group(1).decode() for match in _IN_C2PA.finditer(block)]


def provenance_of(terms: Iterable[str]) -> Provenance:
    """The strongest that the terms claim; UNKNOWN where none speaks of AI."""
    found = (_PROVENANCES.get(term, Provenance.UNKNOWN) for term in terms)
    return max(found, key=list(Provenance).index, default=Provenance.UNKNOWN)


def terms_in_file(data: bytes) -> tuple[list[str], list[str]]:
    """The terms in the XMP, and those in the C2PA manifest, of a PNG, JPEG or WebP. Broken files have what was read."""
    in_xmp: list[str] = []
    in_c2pa: list[str] = []
    pieces, packets = _pieces(data), 0
    try:
        for piece in pieces:
            if packets < _MOST_PACKETS and (packet := xmp_of(data, piece)) is not None:
                packets += 1
                in_xmp += terms_in_xmp(packet)
            if is_c2pa(data, piece):
                in_c2pa += terms_in_c2pa(memoryview(data)[piece.body_start : piece.body_end])
            if piece.kind == b"\xda":
                break
    except BrokenFile:
        pass
    return in_xmp, in_c2pa


def has_c2pa(data: bytes) -> bool:
    """Whether a C2PA manifest stands in a PNG, JPEG or WebP."""
    try:
        head = takewhile(lambda piece: piece.kind != b"\xda", _pieces(data))
        return any(is_c2pa(data, piece) for piece in head)
    except BrokenFile:
        return False


def xmp_of(data: bytes, piece: Piece) -> bytes | None:
    """The XMP packet that a piece carries (at most 64 KB of it); None where it carries none."""
    if piece.kind == b"XMP ":
        return data[piece.body_start : min(piece.body_end, piece.body_start + _MAX_XMP_BYTES)]
    if piece.kind == b"\xe1" and data.startswith(JPEG_XMP, piece.body_start):
        return data[piece.body_start + len(JPEG_XMP) : piece.body_end]
    if piece.kind == b"iTXt" and data.startswith(PNG_XMP, piece.body_start):
        return _international_text(data[piece.body_start + len(PNG_XMP) : piece.body_end])
    return None


def file_pieces(data: bytes) -> Iterable[Piece]:
    """The pieces of a PNG, JPEG or WebP, by how it begins; none of anything else."""
    return _pieces(data)


def _pieces(data: bytes) -> Iterable[Piece]:
    if data.startswith(PNG_SIGNATURE):
        return png_pieces(data)
    if data.startswith(b"\xff\xd8"):
        return jpeg_pieces(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return webp_pieces(data)
    return ()


def is_c2pa(data: bytes, piece: Piece) -> bool:
    """Whether the piece carries a C2PA manifest, or a part of one."""
    if piece.kind == b"\xeb":
        return data.startswith(b"JP", piece.body_start)
    return piece.kind in (b"caBX", b"C2PA")


def _international_text(body: bytes) -> bytes:
    """The text of an iTXt chunk, from after its keyword: two flags, a language, a translated keyword, the text."""
    parts = body[2:].split(b"\x00", 2)
    if len(parts) < 3:
        return b""
    if body[:1] != b"\x01":
        return parts[2]
    try:
        return zlib.decompressobj().decompress(parts[2], _MAX_XMP_BYTES)
    except zlib.error:
        return b""
