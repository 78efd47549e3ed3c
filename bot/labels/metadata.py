"""The label in a file's metadata: an XMP packet with the IPTC's digital source type, spliced in without re-encoding.

Exactly one digital source type stands in a labelled file. What else a model wrote into its XMP stays. A C2PA manifest
does not: it speaks of the file as it was, and would say of the labelled one that it was tampered with. Where files are
signed it goes along as an ingredient's (bot/labels/signing.py).
"""

from __future__ import annotations

import re
from itertools import takewhile
from xml.parsers import expat
from xml.sax.saxutils import escape

from bot.domain.containers import (
    JPEG_XMP,
    PNG_SIGNATURE,
    PNG_XMP,
    Piece,
    jpeg_pieces,
    jpeg_segment,
    png_chunk,
    png_pieces,
    size_px,
    webp_chunk,
    webp_file,
    webp_pieces,
)
from bot.domain.digital_source import AI_EDITED, AI_GENERATED, ENHANCED, VOCABULARY, is_c2pa, terms_in_xmp, xmp_of
from bot.domain.images import Picture, Provenance
from bot.domain.labels import Label

ADDED_BYTES = 4_000
"""A labelled file is less than this larger than a file without metadata."""

_MAX_PACKET_BYTES = 60_000
"""A JPEG segment holds 65,533 bytes, with the name of the packet before it."""


def label_file(picture: Picture, label: Label | None) -> bytes:
    """The picture's file with the label in it. `label` None for a picture that a person sent.

    Such a picture makes no claim, except that one whose own file said that AI had made it goes on saying so.
    """
    source_type = _source_type(picture, label)
    if source_type is None:
        return picture.data
    engines = label.engines if label and label.provenance is not Provenance.UNKNOWN else ()
    return _SPLICES[picture.media_type](picture.data, source_type, engines)


def _source_type(picture: Picture, label: Label | None) -> str | None:
    match label.provenance if label else picture.provenance:
        case Provenance.AI_GENERATED:
            return AI_GENERATED
        case Provenance.AI_EDITED:
            return AI_EDITED
        case Provenance.UNKNOWN:
            return ENHANCED if label else None


# --- the packet

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_OPEN = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
)
_CLOSE = '</rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'

_SAID_BEFORE = re.compile(
    r"""\s[\w.-]+:(?:DigitalSourceType|AISystemUsed)\s*=\s*(?:"[^"]*"|'[^']*')
      | <([\w.-]+:(?:DigitalSourceType|AISystemUsed))\b(?:[^<>]*/>|[^<>]*>[^<>]*</\1\s*>)
    """,
    re.VERBOSE,
)


def xmp_packet(source_type: str, engines: tuple[str, ...] = (), earlier: bytes | None = None) -> bytes:
    """A packet that claims this source type and no other; what else an earlier packet says is kept where that is safe.

    `source_type` is a bare term of the IPTC, `engines` are the AI systems used, by the names that people read.
    """
    claim = _claim(source_type, engines)
    if earlier is not None and not earlier.startswith(_OPEN.encode()):  # one of our own is simply replaced
        merged = _merged(earlier, claim)
        if merged is not None and terms_in_xmp(merged) == [source_type]:
            return merged
    return f"{_OPEN}{claim}{_CLOSE}".encode()


def _claim(source_type: str, engines: tuple[str, ...]) -> str:
    used = f"<Iptc4xmpExt:AISystemUsed>{escape(', '.join(engines))}</Iptc4xmpExt:AISystemUsed>" if engines else ""
    return (
        f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_IPTC}">'
        f"<Iptc4xmpExt:DigitalSourceType>{VOCABULARY}{source_type}</Iptc4xmpExt:DigitalSourceType>{used}"
        "</rdf:Description>"
    )


def _merged(earlier: bytes, claim: str) -> bytes | None:
    """None where the earlier packet is too large, not plain XML, or of a shape that we do not know."""
    text = earlier.decode("utf-8", "replace")
    before, end, after = _SAID_BEFORE.sub("", text).rpartition("</rdf:RDF>")
    if not end or "<!" in text or f'xmlns:rdf="{_RDF}"' not in before:
        return None
    merged = f"{before}{claim}{end}{after}".encode()
    return merged if len(merged) <= _MAX_PACKET_BYTES and _is_well_formed(merged) else None


def _is_well_formed(packet: bytes) -> bool:
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(packet.strip(b"\x00"), True)
    except expat.ExpatError:
        return False
    return True


# --- into the file


def _into_png(data: bytes, source_type: str, engines: tuple[str, ...]) -> bytes:
    """Right after IHDR, as an iTXt chunk."""
    header, *others = png_pieces(data)
    earlier, kept = _without_xmp(data, others)
    packet = xmp_packet(source_type, engines, earlier)
    text = png_chunk(b"iTXt", PNG_XMP + b"\x00\x00\x00\x00" + packet)
    return b"".join((PNG_SIGNATURE, data[header.start : header.end], text, *kept))


def _into_jpeg(data: bytes, source_type: str, engines: tuple[str, ...]) -> bytes:
    """After SOI and JFIF's own segment, as APP1. From the pixels on nothing is looked at."""
    head = list(takewhile(lambda piece: piece.kind != b"\xda", jpeg_pieces(data)))
    earlier, kept = _without_xmp(data, head)
    packet = xmp_packet(source_type, engines, earlier)
    text = jpeg_segment(b"\xe1", JPEG_XMP + packet)
    leading = sum(1 for _ in takewhile(lambda segment: segment[1] in (0xD8, 0xE0), kept))
    return b"".join((*kept[:leading], text, *kept[leading:], memoryview(data)[head[-1].end :]))


def _into_webp(data: bytes, source_type: str, engines: tuple[str, ...]) -> bytes:
    """At the end, as a chunk that the file's first one announces."""
    pieces = list(webp_pieces(data))
    earlier, kept = _without_xmp(data, [piece for piece in pieces if piece.kind != b"VP8X"])
    packet = xmp_packet(source_type, engines, earlier)
    return webp_file([_webp_header(data, pieces), *kept, webp_chunk(b"XMP ", packet)])


def _without_xmp(data: bytes, pieces: list[Piece]) -> tuple[bytes | None, list[memoryview]]:
    """The first packet that stands in these pieces, and all pieces that carry none, nor a manifest."""
    view = memoryview(data)
    packets: list[bytes] = []
    kept: list[memoryview] = []
    for piece in pieces:
        packet = xmp_of(data, piece)
        if packet is not None:
            packets.append(packet)
        elif not (is_c2pa(data, piece) or _is_more_xmp(data, piece)):
            kept.append(view[piece.start : piece.end])
    return (packets[0] if packets else None), kept


def _is_more_xmp(data: bytes, piece: Piece) -> bool:
    return piece.kind == b"\xe1" and data.startswith(_JPEG_MORE_XMP, piece.body_start)


def _webp_header(data: bytes, pieces: list[Piece]) -> bytes:
    """VP8X with its XMP bit set; made where the file has none."""
    first = pieces[0]
    if first.kind == b"VP8X":
        body = data[first.body_start : first.body_end]
        return webp_chunk(b"VP8X", bytes([body[0] | _WEBP_XMP]) + body[1:])
    width_px, height_px = size_px(data, pieces)
    has_alpha = first.kind == b"VP8L" and data[first.body_start + 4] & 0x10
    flags = _WEBP_XMP | (_WEBP_ALPHA if has_alpha else 0)
    size = (width_px - 1).to_bytes(3, "little") + (height_px - 1).to_bytes(3, "little")
    return webp_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size)


_WEBP_XMP, _WEBP_ALPHA = 0x04, 0x10
_JPEG_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\x00"
_SPLICES = {"image/png": _into_png, "image/jpeg": _into_jpeg, "image/webp": _into_webp}
