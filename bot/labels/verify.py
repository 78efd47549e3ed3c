"""Reads back what a file says of its origin: credentials that are checked, and metadata, which are claims.

The file is a stranger's: nothing is decoded, nothing that it names is asked for, every text comes out short and without
tricks, and of each layer only so much is read.
"""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from bot.domain.containers import BrokenFile, Piece, jpeg_pieces, png_pieces, size_px, webp_pieces
from bot.domain.digital_source import (
    AI_EDITED,
    AI_GENERATED,
    ENHANCED,
    mentions,
    provenance_of,
    terms_in_file,
    terms_in_xmp,
)
from bot.domain.images import Provenance
from bot.domain.verifying import NAME_CHARS, Aigc, Credentials, Findings, Metadata, Seal
from bot.labels.credentials import read as credentials
from bot.labels.credentials.library import Anchors
from bot.labels.credentials.reasons import Reason, unsound
from bot.labels.credentials.signer import BadSigner, identify, own_anchors
from bot.labels.credentials.store import media_type_of
from bot.labels.credentials.values import text
from bot.labels.metadata import Aigc as AigcField
from bot.labels.metadata import aigc_of

_LABELS = (AI_GENERATED, AI_EDITED, ENHANCED)


def read_digital_source_type(data: bytes) -> str | None:
    """The IPTC term in the XMP of a PNG, JPEG or WebP; None where there is none. Of several, the first."""
    in_xmp, _ = terms_in_file(data)
    return next(iter(in_xmp), None)


def read_label(data: bytes) -> Provenance | None:
    """What the label in the file says: UNKNOWN means "edited, no AI"; None that the file carries no label of ours."""
    source_type = read_digital_source_type(data)
    return provenance_of([source_type]) if source_type in _LABELS else None


_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[\s\w+/=]+-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures say something. `own` are roots whose keys nobody else ever had; `known` issue certificates for
    others, too, `name` among them the one that this bot signs under."""

    own: Anchors = field(default_factory=Anchors)
    known: Anchors = field(default_factory=Anchors)
    name: str = ""


def trust_from_files(certificate: str, data_folder: Path) -> Trust:
    """The roots made for this installation are its own. Of a certificate that is set, those behind the first one issue
    others', too. Raises `BadSigner` where it cannot be read."""
    own = own_anchors(data_folder)
    if not certificate:
        return Trust(own)
    try:
        pem = Path(certificate).read_bytes()
    except OSError as error:
        raise BadSigner(f"The certificate {certificate} cannot be read: {error.strerror}.") from None
    _, *issuers = _CERTIFICATE.findall(pem.decode("ascii", "replace")) or [""]
    return Trust(own, Anchors(signers="\n".join(issuers)), identify(pem).name)


def findings_of(data: bytes, trust: Trust) -> Findings:
    """Everything that the file says. Blocks for milliseconds; raises nothing, whatever the bytes are."""
    told, unread = _credentials(data, trust)
    media_type = media_type_of(data)
    pieces = list(_pieces(data, media_type))
    return Findings(
        media_type=media_type or "",
        pixels=_pixels(data, pieces),
        credentials=told,
        metadata=_metadata(data, pieces) if media_type else _metadata_anywhere(data),
        unread=unread,
    )


# --- credentials


def _credentials(data: bytes, trust: Trust) -> tuple[Credentials | None, bool]:
    """What they say, and whether they could not be looked at."""
    try:
        told = credentials.read(data, trust.own)
        if told is None:
            return None, False
        if told.state is credentials.State.TRUSTED and trust.own.signers:
            return _told(told, Seal.OURS, trust), False
        if told.state is credentials.State.VALID and trust.known.signers:
            known = credentials.read(data, trust.known)
            if known is not None and known.state is credentials.State.TRUSTED:
                return _told(known, Seal.KNOWN, trust), False
    except credentials.CannotRead:
        return None, True
    return _told(told, _seal(told), trust), False


def _seal(told: credentials.Credentials) -> Seal:
    match told.state:
        case credentials.State.REMOTE:
            return Seal.REMOTE
        case credentials.State.UNREADABLE:
            return Seal.UNREADABLE
        case _ if Reason.ALTERED in told.reasons:
            return Seal.ALTERED
        case _ if unsound(told.reasons):
            return Seal.BROKEN
        case _ if Reason.EXPIRED in told.reasons:
            return Seal.EXPIRED
        case _:
            return Seal.INTACT


_MOST_AGENTS: Final = 3
_MAKER: Final = "Google"


def _told(told: credentials.Credentials, seal: Seal, trust: Trust) -> Credentials:
    manifest = told.manifest
    if manifest is None:
        return Credentials(seal)
    sources = list(told.sources)
    before = [action for each in sources if each.manifest for action in each.manifest.actions]
    by_ai = [each for each in manifest.actions if provenance_of([each.source_type]) is not Provenance.UNKNOWN]
    return Credentials(
        seal=seal,
        signer=manifest.signer[:NAME_CHARS],
        own_name=bool(trust.name) and manifest.signer == trust.name,
        signed_at=manifest.signed_at,
        made_at=max((each.at for each in manifest.actions if each.at and each.attributed), default=None),
        tool=manifest.generator[:NAME_CHARS],
        agents=tuple(dict.fromkeys(each.agent[:NAME_CHARS] for each in by_ai if each.agent))[:_MOST_AGENTS],
        provenance=provenance_of(each.source_type for each in manifest.actions),
        earlier=provenance_of(each.source_type for each in before),
        sources=len(manifest.ingredients),
        sources_altered=sum(Reason.ALTERED in each.reasons or _was_altered(each) for each in sources),
        cut=told.cut,
        synthid=_synthid(told),
    )


def _synthid(told: credentials.Credentials) -> str:
    """Who signed that Google's invisible mark was put in. Others than its maker cannot know."""
    made = [told.manifest, *(each.manifest for each in told.sources if not unsound(each.reasons))]
    names = (
        each.signer[:NAME_CHARS]
        for each in made
        if each is not None and _MAKER in each.signer and any(action.has_synthid for action in each.actions)
    )
    return next(names, "")


def _was_altered(source: credentials.Source) -> bool:
    return source.left_out is not None and source.left_out.name == "ALTERED"


# --- the pieces of a file that may say something

_MOST_PIECES: Final = 5_000
_MOST_REGIONS: Final = 64
_REGION_BYTES: Final = 64 * 1024
_JPEG_TEXTS: Final = frozenset(bytes([marker]) for marker in (*range(0xE0, 0xF0), 0xFE)) - {b"\xe2", b"\xeb", b"\xee"}
_PNG_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf"})
_WEBP_TEXTS: Final = frozenset({b"EXIF", b"XMP "})
_TEXTS: Final = _JPEG_TEXTS | _PNG_TEXTS | _WEBP_TEXTS


def _pieces(data: bytes, media_type: str | None) -> Iterator[Piece]:
    """Up to the pixels of a JPEG. Of a broken file, those before the break."""
    found: Iterable[Piece] = ()
    match media_type:
        case "image/png":
            found = png_pieces(data)
        case "image/jpeg":
            found = jpeg_pieces(data)
        case "image/webp":
            found = webp_pieces(data)
        case _:
            return
    try:
        for piece in islice(found, _MOST_PIECES):
            if piece.kind == b"\xda":
                return
            yield piece
    except BrokenFile:
        return


def _pixels(data: bytes, pieces: list[Piece]) -> int:
    try:
        width_px, height_px = size_px(data, pieces)
    except (BrokenFile, IndexError):
        return 0
    return width_px * height_px


def _regions(data: bytes, pieces: Iterable[Piece]) -> Iterator[bytes]:
    """The texts of a file, unpacked; each cut."""
    texts = (piece for piece in pieces if piece.kind in _TEXTS)
    for piece in islice(texts, _MOST_REGIONS):
        body = data[piece.body_start : min(piece.body_end, piece.body_start + _REGION_BYTES)]
        yield _unpacked(piece.kind, body)


def _unpacked(kind: bytes, body: bytes) -> bytes:
    """A text chunk of a PNG that is packed, without being so: its keyword, a zero, its text."""
    keyword, _, rest = body.partition(b"\x00")
    packed = b""
    if kind == b"zTXt":
        packed = rest[1:]
    elif kind == b"iTXt" and rest[:1] == b"\x01":
        packed = rest[2:].split(b"\x00", 2)[-1]
    if not packed:
        return body
    try:
        return keyword + b"\x00" + zlib.decompressobj().decompress(packed, _REGION_BYTES)
    except zlib.error:
        return b""


# --- metadata


def _metadata(data: bytes, pieces: list[Piece]) -> Metadata:
    regions = list(_regions(data, pieces))
    terms = [term for region in regions for term in terms_in_xmp(region)]
    return _claims(terms, regions, aigc_of(data))


_ANYWHERE_BYTES: Final = 1 << 20


def _metadata_anywhere(data: bytes) -> Metadata:
    """Of a kind whose pieces we do not know: what its beginning says."""
    at = data.find(b"<x:xmpmeta", 0, _ANYWHERE_BYTES)
    if at < 0:
        return Metadata()
    region = data[at : at + _REGION_BYTES]
    return _claims(terms_in_xmp(region), [region], None)


def _claims(terms: Iterable[str], regions: list[bytes], aigc: AigcField | None) -> Metadata:
    known = {each.value: each for each in Aigc}
    return Metadata(
        terms=tuple(dict.fromkeys(_named(term) for term in terms if _named(term)))[:_MOST_AGENTS],
        systems=tuple(dict.fromkeys(_systems(regions)))[:_MOST_AGENTS],
        aigc=known.get(aigc.label, Aigc.IS) if aigc else None,
        aigc_by=_named(aigc.producer) if aigc else "",
        tools=tuple(dict.fromkeys(_tools(regions)))[:_MOST_AGENTS],
    )


def _named(value: object) -> str:
    """A text of the file, on one line."""
    return " ".join(text(html.unescape(value[:400]) if isinstance(value, str) else "").split())[:NAME_CHARS]


_SYSTEM = re.compile(
    rb""":(?<=[\w.-]:)AISystemUsed
    (?: \s{0,9}=\s{0,9}"([^"<>]{1,300})" | \s{0,9}=\s{0,9}'([^'<>]{1,300})' | [^<>]{0,200}>([^<>]{1,300})< )""",
    re.VERBOSE,
)


def _systems(regions: Iterable[bytes]) -> Iterator[str]:
    for region in regions:
        for found in islice(mentions(_SYSTEM, b":AISystemUsed", region), 20):
            name = _named(b"".join(found.groups(b"")).decode("utf-8", "replace"))
            if name:
                yield name


# What other tools leave, where they say nothing in the words of a standard.
_TOOLS: Final = (
    ("Stable Diffusion", re.compile(rb"^parameters\x00(?s:.){0,60000}\bSteps: \d{1,5}, ")),
    ("ComfyUI", re.compile(rb"^(?:prompt|workflow)\x00(?s:.){0,60000}\"class_type\"")),
    ("NovelAI", re.compile(rb"^Software\x00NovelAI")),
    ("Midjourney", re.compile(rb"^Description\x00(?s:.){0,20000}\bJob ID: [0-9a-f-]{36}")),
    (
        "InvokeAI",
        re.compile(rb"^(?:(?:invokeai_metadata|sd-metadata)\x00\s{0,9}\{|Dream\x00\"(?s:.){0,20000}\" -s \d)"),
    ),
    ("Fooocus", re.compile(rb"^fooocus_scheme\x00")),
)
_COMMENT = re.compile(rb"^(?:Exif\x00\x00|II\*\x00|MM\x00\*)(?s:.){0,2000}?(?:UNICODE\x00|ASCII\x00\x00\x00)")
_STEPS = re.compile(rb"\bSteps: \d{1,5}, Sampler: ")
_BY_NAME = re.compile(
    rb"(?:CreatorTool\s{0,9}(?:=\s{0,9}[\"']|>)|^Software\x00"
    rb"|^(?:Exif\x00\x00|II\*\x00|MM\x00\*)(?s:.){0,2000}?)"
    rb"(Adobe Firefly|DALL[^\w]{0,3}E|Midjourney|Stable Diffusion|NovelAI|ComfyUI|Leonardo\.?AI|Ideogram)",
)


def _tools(regions: Iterable[bytes]) -> Iterator[str]:
    for region in regions:
        for name, mark in _TOOLS:
            if mark.search(region):
                yield name
        comment = _COMMENT.match(region)
        # Its letters may have two bytes each, in either order.
        if comment and _STEPS.search(region[comment.end() :].replace(b"\x00", b"")):
            yield "Stable Diffusion"
        named = _BY_NAME.search(region)
        if named:
            yield _named(named[1].decode("latin-1"))
