"""What a file is, by its first bytes: the name it came with proves nothing."""

from __future__ import annotations

import re
from enum import Enum

from bot.domain.language import N_

READABLE = ("JPEG", "PNG", "WebP", "GIF", "HEIC", "AVIF", "TIFF", "BMP")


class Format(Enum):
    """The kinds of picture that are read. The value is Pillow's name of its decoder."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WEBP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    HEIF = "HEIF"
    AVIF = "AVIF"


# TRANSLATORS: {kinds} are names of file formats, with commas: "JPEG, PNG"
_SEND_PICTURE = N_("Please send a picture: {kinds} or {last}.")
_EXPORT = N_("Please save it as PNG or JPEG and send that.")
_VIDEO = (
    N_("a video"),
    N_("Please send a single picture, for instance a screenshot of the moment you mean."),
)
_ARCHIVE = N_("Please take the picture out and send it by itself.")
_RAW = (N_("a camera raw file"), N_("Please save it as JPEG or PNG first."))

_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"\xff\xd8\xff", Format.JPEG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
    (b"BM", Format.BMP),
    (b"II*\x00", Format.TIFF),
    (b"MM\x00*", Format.TIFF),
    (b"II+\x00", Format.TIFF),
    (b"MM\x00+", Format.TIFF),
)
_BRANDS = {
    Format.HEIF: {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"},
    Format.AVIF: {b"avif", b"avis"},
}

_FOREIGN = (
    (b"PK\x03\x04", N_("a ZIP archive"), _ARCHIVE),
    (b"PK\x05\x06", N_("a ZIP archive"), _ARCHIVE),
    (b"Rar!", N_("a RAR archive"), _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", N_("a 7z archive"), _ARCHIVE),
    (b"\x1f\x8b", N_("a gzip archive"), _ARCHIVE),
    (b"%PDF", N_("a PDF"), N_("Please send the page as a picture, for instance a screenshot.")),
    (b"8BPS", N_("a Photoshop file"), _EXPORT),
    (b"gimp xcf", N_("a GIMP file"), _EXPORT),
    (b"\x00\x00\x01\x00", N_("an icon file"), _EXPORT),
    (b"\xff\x0a", N_("a JPEG XL file"), _EXPORT),
    (b"\x00\x00\x00\x0cJXL ", N_("a JPEG XL file"), _EXPORT),
    (b"\x00\x00\x00\x0cjP  ", N_("a JPEG 2000 file"), _EXPORT),
    (b"FUJIFILMCCD-RAW", *_RAW),
    (b"IIRO", *_RAW),
    (b"IIU\x00", *_RAW),
    (b"\x1a\x45\xdf\xa3", *_VIDEO),
    (b"\x00\x00\x01\xba", *_VIDEO),
    (b"\x00\x00\x01\xb3", *_VIDEO),
    (b"FLV", *_VIDEO),
    (b"OggS", N_("a sound or video file"), _SEND_PICTURE),
    (b"ID3", N_("a sound file"), _SEND_PICTURE),
    (b"fLaC", N_("a sound file"), _SEND_PICTURE),
    (b"MZ", N_("a program"), _SEND_PICTURE),
    (b"\x7fELF", N_("a program"), _SEND_PICTURE),
)
_RAW_ENDINGS = (".cr2", ".dng", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".pef", ".srw", ".3fr", ".iiq", ".kdc")
"""Of raw files that begin as a TIFF does."""

_SVG = re.compile(rb"<(?:\w{1,20}:)?svg[\s>]", re.IGNORECASE)
_HTML = re.compile(rb"<(?:!doctype html|html)[\s>]", re.IGNORECASE)


def format_of(data: bytes, ending: str) -> Format | None:
    """Which kind of picture that is read; None of any other file.

    `ending` (".dng", lower case) matters for raw files only: many are TIFFs whose first picture is a thumbnail.
    """
    if data[:4] == b"RIFF":
        return Format.WEBP if data[8:12] == b"WEBP" else None
    if data[4:8] == b"ftyp":
        return _format_of_brands(data)
    kind = next((kind for magic, kind in _PICTURES if data.startswith(magic)), None)
    if kind is Format.TIFF and (ending in _RAW_ENDINGS or data[8:10] == b"CR"):
        return None
    return kind


def describe(data: bytes) -> tuple[str, str]:
    """In plain words what a file is that is not read, and what its sender can do."""
    for magic, what, advice in _FOREIGN:
        if data.startswith(magic):
            return what, advice
    if data[:4] in (b"RIFF", b"II*\x00", b"MM\x00*") or data[4:8] == b"ftyp":
        return _describe_container(data)
    head = data[:4096]
    if _SVG.search(head):
        return N_("an SVG drawing"), N_("I work with pixels only: please save it as PNG and send that.")
    if _HTML.search(head):
        return N_("a web page"), N_("Please send the picture itself, or a screenshot.")
    if _is_text(head):
        return N_("a text file"), _SEND_PICTURE
    return N_("not a picture that I know"), _SEND_PICTURE


def _format_of_brands(data: bytes) -> Format | None:
    """HEIC and AVIF share their box format with videos: the first brand decides, or the next ones where it is open."""
    length = min(int.from_bytes(data[:4], "big"), 256, len(data))
    major, *others = (data[at : at + 4] for at in (8, *range(16, length - 3, 4)))
    for brand in (major, *(others if major in (b"mif1", b"msf1", b"miaf", b"mif2") else ())):
        for kind, brands in _BRANDS.items():
            if brand in brands:
                return kind
    return None


def _describe_container(data: bytes) -> tuple[str, str]:
    if data[:4] == b"RIFF":
        return (N_("a sound file"), _SEND_PICTURE) if data[8:12] == b"WAVE" else _VIDEO
    if data[4:8] == b"ftyp":
        return (
            _RAW if data[8:12] == b"crx " else (N_("a sound file"), _SEND_PICTURE) if data[8:11] == b"M4A" else _VIDEO
        )
    return _RAW


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return all(sign.isprintable() or sign in "\t\r\n\f" for sign in text)
