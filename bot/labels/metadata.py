"""The label in a file's metadata: an XMP packet, spliced in without re-encoding.

It names the IPTC's digital source type and the AI systems and versions used (IPTC 2025.1), and where GB 45438-2025 is
followed it has the AIGC field of its annex E. No prompt, no name of a person, no place. Exactly one of each stands in a
labelled file. What else a model wrote into its XMP stays. A C2PA manifest does not: it speaks of the file as it was,
and would say of the labelled one that it was tampered with. Where files are signed it goes along as an ingredient's
(bot/labels/signing.py).
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from bot.domain.containers import (
    JPEG_XMP,
    PNG_SIGNATURE,
    PNG_XMP,
    BrokenFile,
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
from bot.domain.digital_source import (
    AI_EDITED,
    AI_GENERATED,
    ENHANCED,
    MOST_MENTIONS,
    VOCABULARY,
    file_pieces,
    is_c2pa,
    mentions,
    terms_in_xmp,
    xmp_of,
)
from bot.domain.images import Picture, Provenance
from bot.domain.labels import Label, is_slug

ADDED_BYTES = 4_000
"""A labelled file is less than this larger than a file without metadata."""

_MAX_PACKET_BYTES = 60_000
"""A JPEG segment holds 65,533 bytes, with the name of the packet before it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a packet says. `source_type` is a bare term of the IPTC, `systems` are the AI systems by the names that
    people read, `versions` the models as their makers name them. `aigc` has the field of GB 45438-2025, annex E, as
    its own JSON; empty for none."""

    source_type: str
    systems: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    aigc: str = ""


def label_file(picture: Picture, label: Label | None, *, producer: str = "") -> bytes:
    """The picture's file with the label in it. `label` None for a picture that a person sent.

    Such a picture makes no claim, except that one whose own file said that AI had made it goes on saying so.
    `producer` has the AIGC field written, in this name or code. Raises `ValueError` where the field's rules forbid it.
    """
    source_type = _source_type(picture, label)
    if source_type is None:
        return picture.data
    claim = Claim(source_type)
    if label is not None and label.provenance is not Provenance.UNKNOWN:
        work = label.work
        claim = Claim(
            source_type,
            label.engines,
            work.models if work is not None else (),
            aigc_field(producer, work.id if work is not None else _number(picture)) if producer else "",
        )
    return _SPLICES[picture.media_type](picture.data, claim)


def aigc_field(producer: str, number: str) -> str:
    """The AIGC field of what is written for the first time: who made it has also spread it (annex E, note 1).

    Raises `ValueError` where one of them has other characters than the field may."""
    if not (is_slug(producer) and is_slug(number)):
        raise ValueError("a producer or a number that the AIGC field cannot hold")
    field = {
        "Label": "1",  # it is made by AI; "2" would be: may be, "3": suspected to be
        "ContentProducer": producer,
        "ProduceID": number,
        "ReservedCode1": "",
        "ContentPropagator": producer,
        "PropagateID": number,
        "ReservedCode2": "",
    }
    return json.dumps({"AIGC": field}, separators=(",", ":"))


def _number(picture: Picture) -> str:
    """For what was made before results had one."""
    return hashlib.sha256(picture.data).hexdigest()[:32]


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
_TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
"""TC260-PG-20258A, the guide for images."""
_OPEN = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
)
_CLOSE = '</rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'

_OURS = r"(?:DigitalSourceType|AISystemUsed|AISystemVersionUsed)"
_SAID_BEFORE, _SAID_BEFORE_WITH_AIGC = (
    re.compile(
        rf"""\s[\w.-]+:{names}\s*=\s*(?:"[^"]*"|'[^']*')
          | <([\w.-]+:{names})\b(?:[^<>]*/>|[^<>]*>[^<>]*</\1\s*>)
        """,
        re.VERBOSE,
    )
    for names in (_OURS, f"(?:{_OURS}|AIGC)")
)


def xmp_packet(claim: Claim, earlier: bytes | None = None) -> bytes:
    """A packet that claims this and nothing else; what else an earlier packet says is kept where that is safe."""
    said = _description(claim)
    if earlier is not None and not earlier.startswith(_OPEN.encode()):  # one of our own is simply replaced
        merged = _merged(earlier, said, _SAID_BEFORE_WITH_AIGC if claim.aigc else _SAID_BEFORE)
        if merged is not None and terms_in_xmp(merged) == [claim.source_type]:
            return merged
    return f"{_OPEN}{said}{_CLOSE}".encode()


def _description(claim: Claim) -> str:
    said = [
        f"<Iptc4xmpExt:DigitalSourceType>{VOCABULARY}{claim.source_type}</Iptc4xmpExt:DigitalSourceType>",
        _element("Iptc4xmpExt:AISystemUsed", ", ".join(claim.systems)),
        _element("Iptc4xmpExt:AISystemVersionUsed", ", ".join(claim.versions)),
        _element("TC260:AIGC", claim.aigc),
    ]
    spaces = f'xmlns:Iptc4xmpExt="{_IPTC}"' + (f' xmlns:TC260="{_TC260}"' if claim.aigc else "")
    return f'<rdf:Description rdf:about="" {spaces}>{"".join(said)}</rdf:Description>'


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else ""


def _merged(earlier: bytes, claim: str, replaced: re.Pattern[str]) -> bytes | None:
    """None where the earlier packet is too large, not plain XML, or of a shape that we do not know."""
    text = earlier.decode("utf-8", "replace")
    before, end, after = replaced.sub("", text).rpartition("</rdf:RDF>")
    if text.count(":DigitalSourceType") >= MOST_MENTIONS:
        return None
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


def _into_png(data: bytes, claim: Claim) -> bytes:
    """Right after IHDR, as an iTXt chunk."""
    header, *others = png_pieces(data)
    earlier, kept = _without_xmp(data, others)
    packet = xmp_packet(claim, earlier)
    text = png_chunk(b"iTXt", PNG_XMP + b"\x00\x00\x00\x00" + packet)
    return b"".join((PNG_SIGNATURE, data[header.start : header.end], text, *kept))


def _into_jpeg(data: bytes, claim: Claim) -> bytes:
    """After SOI and JFIF's own segment, as APP1. From the pixels on nothing is looked at."""
    head = list(takewhile(lambda piece: piece.kind != b"\xda", jpeg_pieces(data)))
    earlier, kept = _without_xmp(data, head)
    packet = xmp_packet(claim, earlier)
    text = jpeg_segment(b"\xe1", JPEG_XMP + packet)
    leading = sum(1 for _ in takewhile(lambda segment: segment[1] in (0xD8, 0xE0), kept))
    return b"".join((*kept[:leading], text, *kept[leading:], memoryview(data)[head[-1].end :]))


def _into_webp(data: bytes, claim: Claim) -> bytes:
    """At the end, as a chunk that the file's first one announces."""
    pieces = list(webp_pieces(data))
    earlier, kept = _without_xmp(data, [piece for piece in pieces if piece.kind != b"VP8X"])
    packet = xmp_packet(claim, earlier)
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


# --- out of the file


@dataclass(frozen=True, slots=True)
class Aigc:
    """The AIGC field of a file, as it says it. A claim: whoever wrote it may have been anybody."""

    label: str
    """ "1" made by AI, "2" may be, "3" suspected; whatever else stands there."""
    producer: str = ""
    produce_id: str = ""
    propagator: str = ""
    propagate_id: str = ""


_MAX_FIELD_CHARS = 8_000
_MAX_VALUE_CHARS = 200
_MAX_TEXT_BYTES = 64 * 1024
_MOST_TEXTS, _MOST_PACKETS = 64, 16
"""Of a stranger's file that are looked into."""
_AIGC_IN_XMP = re.compile(
    r""":(?<=[\w.-]:)AIGC
    (?: \s{0,9}=\s{0,9}(?:"([^"<>]{1,8000})"|'([^'<>]{1,8000})')           # attribute
      | (?:\s[^<>]{0,400})?>\s{0,99}(?:<!\[CDATA\[)?([^<]{1,8000}) )      # element
    """,
    re.VERBOSE,
)
_SYSTEMS_IN_XMP = {
    name: re.compile(
        rf""":(?<=[\w.-]:){name}
          (?: \s{{0,9}}=\s{{0,9}}["']([^"'<>]{{1,1000}})["'] | (?:\s[^<>]{{0,400}})?>\s{{0,99}}+([^<]{{1,1000}}+)< )""",
        re.VERBOSE,
    )
    for name in ("AISystemUsed", "AISystemVersionUsed")
}


def aigc_of(data: bytes) -> Aigc | None:
    """The first AIGC field of a PNG, JPEG or WebP that can be read, in each form that is met: in XMP as an element or
    an attribute, as a PNG's text, in EXIF, as a JPEG's segment of its own; wrapped in `{"AIGC": …}` or not."""
    texts = islice(_texts(data), _MOST_TEXTS)
    return next((field for text in texts if (field := _field_in(text)) is not None), None)


def systems_of(data: bytes) -> tuple[str, str]:
    """The AI systems and the versions that the XMP names, as it names them; empty where it does not."""
    for packet in _packets(data):
        found = [next(mentions(pattern, f":{name}", packet), None) for name, pattern in _SYSTEMS_IN_XMP.items()]
        if any(found):
            used, version = (html.unescape(each[1] or each[2]).strip()[:1000] if each else "" for each in found)
            return used, version
    return "", ""


def _packets(data: bytes) -> Iterator[str]:
    every = (packet for piece in _head(data) if (packet := xmp_of(data, piece)) is not None)
    for packet in islice(every, _MOST_PACKETS):
        yield packet[:_MAX_TEXT_BYTES].decode("utf-8", "replace").replace("\x00", "")


def _texts(data: bytes) -> Iterator[str]:
    """What may hold the field: the values of its name in XMP, then what stands under it elsewhere."""
    for packet in _packets(data):
        for match in mentions(_AIGC_IN_XMP, ":AIGC", packet):
            yield html.unescape("".join(match.groups("")))
    for piece in _head(data):
        body = data[piece.body_start : min(piece.body_end, piece.body_start + _MAX_TEXT_BYTES)]
        if piece.kind in (b"tEXt", b"iTXt", b"zTXt") and body.startswith(b"AIGC\x00"):
            yield _png_text(piece.kind, body[5:])
        elif (is_segment := b"\xe0" <= piece.kind <= b"\xef" and len(piece.kind) == 1) and body.startswith(b"AIGC"):
            yield body[4:].decode("utf-8", "replace")
        elif piece.kind in (b"EXIF", b"eXIf") or (is_segment and body.startswith(b"Exif\x00")):
            yield from _in_exif(body)


def _head(data: bytes) -> Iterator[Piece]:
    """The pieces of a file up to its pixels, as far as it is whole."""
    try:
        for piece in file_pieces(data):
            if piece.kind == b"\xda":
                return
            yield piece
    except BrokenFile:
        return


def _png_text(kind: bytes, rest: bytes) -> str:
    """What stands behind the keyword. Of an iTXt: two flags, a language, a translated keyword, the text."""
    packed = kind == b"zTXt"
    if kind == b"iTXt":
        packed, parts = rest[:1] == b"\x01", rest[2:].split(b"\x00", 2)
        text = parts[-1] if len(parts) == 3 else b""
    else:
        text = rest[1:] if packed else rest
    if packed:
        try:
            text = zlib.decompressobj().decompress(text, _MAX_TEXT_BYTES)
        except zlib.error:
            return ""
    return text.decode("utf-8", "replace")


def _in_exif(block: bytes) -> Iterator[str]:
    """The field's name stands in the text of a comment or description: it is looked for in each way to write text."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        for name in ("AIGC", '"Label"'):
            at = block.find(name.encode(encoding))
            if at >= 0:
                width = 1 if encoding == "utf-8" else 2
                begin = block.rfind("{".encode(encoding), 0, at)
                text = block[begin if begin >= 0 else at + len(name) * width :].decode(encoding, "replace")
                yield text[:_MAX_FIELD_CHARS]


def _field_in(text: str) -> Aigc | None:
    found = _object_in(text)
    inner = found.get("AIGC", found) if found is not None else None
    if isinstance(inner, str):
        inner = _object_in(inner)
    if not isinstance(inner, dict) or "Label" not in inner:
        return None
    names = ("Label", "ContentProducer", "ProduceID", "ContentPropagator", "PropagateID")
    return Aigc(*(_value(inner.get(name, "")) for name in names))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def _value(value: object) -> str:
    return "".join(letter for letter in str(value) if letter.isprintable())[:_MAX_VALUE_CHARS]


def _object_in(text: str) -> dict[str, Any] | None:
    begin = text.find("{", 0, _MAX_FIELD_CHARS)
    if begin < 0:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(text[begin : begin + _MAX_FIELD_CHARS])
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType]
