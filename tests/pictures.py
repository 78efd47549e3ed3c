"""Files for tests, as bytes: photographs, odd pictures, and what only pretends to be one."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

from bot.domain.containers import JPEG_XMP, PNG_XMP, jpeg_segment, png_chunk, webp_chunk, webp_file, webp_pieces

pillow_heif.register_heif_opener()

SAMPLES = Path(__file__).parent.parent / "adapters" / "web" / "static" / "samples"
GPS_SECRET = b"SECRET-PLACE-52.5163N"
"""Stands in every block of metadata that these files carry. It must not come out anywhere."""

ORIENTATION, MAKER, GPS_BLOCK = 0x0112, 0x010F, 0x8825


def photo(name: str = "coffee") -> bytes:
    """A photograph as it is: a JPEG."""
    return (SAMPLES / f"{name}.jpg").read_bytes()


def image(name: str = "coffee") -> Image.Image:
    """The same as pixels, RGB."""
    opened = Image.open(SAMPLES / f"{name}.jpg")
    opened.load()
    return opened


def see_through() -> Image.Image:
    """The photograph, RGBA, clear at its top and solid at its bottom."""
    pixels = image()
    pixels.putalpha(Image.linear_gradient("L").resize(pixels.size))
    return pixels


def saved(pixels: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    pixels.save(out, kind, **options)
    return out.getvalue()


def large_photo(megapixels: int) -> bytes:
    """A JPEG of about that many million pixels, 3:2."""
    height_px = int((megapixels * 1e6 / 1.5) ** 0.5)
    return saved(image().resize((height_px * 3 // 2, height_px)), "JPEG", quality=88)


# --- metadata


def exif(orientation: int = 1) -> bytes:
    """An EXIF block with a place, a maker and an orientation."""
    block = Image.Exif()
    block[ORIENTATION] = orientation
    block[MAKER] = GPS_SECRET.decode()
    block.get_ifd(GPS_BLOCK).update({1: "N", 2: (52.0, 30.0, 58.7), 27: GPS_SECRET})
    return block.tobytes()


def xmp(term: str | None = None, *, attribute: bool = False) -> bytes:
    """An XMP packet with a place, and with a digital source type where one is given."""
    uri = f"http://cv.iptc.org/newscodes/digitalsourcetype/{term}"
    name = "Iptc4xmpExt:DigitalSourceType"
    as_attribute = f'{name}="{uri}"' if term and attribute else ""
    as_element = f"<{name}>{uri}</{name}>" if term and not attribute else ""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Other">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" {as_attribute}>'
        f"<photoshop:City>{GPS_SECRET.decode()}</photoshop:City>{as_element}"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def photo_with_metadata(kind: str, *, orientation: int = 1, term: str | None = None) -> bytes:
    """A photograph with EXIF (GPS), XMP and, where the kind has them, a comment: JPEG, PNG, WEBP, HEIF, AVIF, TIFF."""
    packet = xmp(term)
    if kind == "PNG":
        return with_png_chunks(
            saved(image(), "PNG", exif=exif(orientation)),
            png_chunk(b"iTXt", PNG_XMP + b"\0\0\0\0" + packet),
            png_chunk(b"tEXt", b"Comment\0" + GPS_SECRET),
        )
    options: dict[str, Any] = {"exif": exif(orientation), "xmp": packet}
    if kind == "JPEG":
        options["comment"] = GPS_SECRET
    if kind == "TIFF":
        options = {"tiffinfo": {270: GPS_SECRET.decode(), 700: packet}}
    return saved(image(), kind, **options)


def with_png_chunks(png: bytes, *chunks: bytes) -> bytes:
    """These chunks right after IHDR."""
    return b"".join((png[:33], *chunks, png[33:]))


def with_jpeg_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """These segments right after SOI."""
    return b"".join((jpeg[:2], *segments, jpeg[2:]))


def with_webp_chunks(webp: bytes, *chunks: bytes) -> bytes:
    """These chunks at the end."""
    return webp_file([*(webp[piece.start : piece.end] for piece in webp_pieces(webp)), *chunks])


def with_xmp(picture: bytes, packet: bytes) -> bytes:
    """The PNG, JPEG or WebP with this packet in it, however strange."""
    if picture.startswith(b"\x89PNG"):
        return with_png_chunks(picture, png_chunk(b"iTXt", PNG_XMP + b"\0\0\0\0" + packet))
    if picture.startswith(b"\xff\xd8"):
        return with_jpeg_segments(picture, jpeg_segment(b"\xe1", JPEG_XMP + packet))
    return with_webp_chunks(picture, webp_chunk(b"XMP ", packet))


def with_manifest(picture: bytes, term: str) -> bytes:
    """The same with a block as C2PA writes them, which names this digital source type."""
    uri = f"http://cv.iptc.org/newscodes/digitalsourcetype/{term}".encode()
    block = b"\0\0\0\x60jumb\0\0\0\x28jumdc2pa" + uri + b"msoftwareAgent"
    if picture.startswith(b"\x89PNG"):
        return with_png_chunks(picture, png_chunk(b"caBX", block))
    if picture.startswith(b"\xff\xd8"):
        return with_jpeg_segments(picture, jpeg_segment(b"\xeb", b"JP\0\1\0\0\0\1" + block))
    return with_webp_chunks(picture, webp_chunk(b"C2PA", block))


def motion_photo() -> bytes:
    """A phone's JPEG with a video, and a place in it, behind the picture's end."""
    return photo() + b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + GPS_SECRET * 1000


def photo_with_thumbnail() -> bytes:
    """A JPEG whose JFIF segment carries a thumbnail of 2 × 2 pixels."""
    segment = jpeg_segment(b"\xe0", b"JFIF\0\1\1\0\0\1\0\1\2\2" + GPS_SECRET[:12])
    return b"\xff\xd8" + segment + photo()[20:]


# --- odd pictures


def cmyk() -> bytes:
    return saved(image().convert("CMYK"), "JPEG", quality=95)


def grey_16_bit() -> bytes:
    """A PNG of 16 bit a sample: 257 times the grey of the photograph."""
    return saved(Image.fromarray(np.asarray(image().convert("L")).astype(np.uint16) * 257), "PNG")


def rgb_16_bit() -> bytes:
    """A PNG of 16 bit a sample in colour, which Pillow cannot write."""
    samples = np.asarray(image()).astype(">u2") * 257
    height, width, _ = samples.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    return png_of(width, height, depth=16, colour=2, pixels=zlib.compress(rows, 1))


def grey_float() -> bytes:
    """A TIFF whose samples are floats from 0 to 1."""
    return saved(Image.fromarray(np.asarray(image().convert("L")).astype(np.float32) / 255), "TIFF")


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def wide_gamut() -> tuple[bytes, bytes]:
    """A JPEG in another colour space (here: one with red and green exchanged), and its profile."""
    profile = srgb_profile()
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    swapped = bytearray(profile)
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    return saved(image(), "JPEG", quality=95, icc_profile=bytes(swapped)), bytes(swapped)


def animated(kind: str) -> bytes:
    """Three frames: the photograph first, then red, then blue. GIF, WEBP or PNG."""
    red, blue = (Image.new("RGB", (600, 400), colour) for colour in ("red", "blue"))
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    return saved(image(), kind, save_all=True, append_images=[red, blue], duration=100, **options)


def wide(width_px: int, height_px: int) -> bytes:
    """A true, black PNG of that size, 1 bit a pixel, so that it is quickly made."""
    row = b"\0" * (1 + (width_px + 7) // 8)
    return png_of(width_px, height_px, depth=1, colour=0, pixels=zlib.compress(row * height_px, 1))


# --- hostile files


def png_of(width: int, height: int, *, depth: int, colour: int, pixels: bytes) -> bytes:
    """A PNG of these compressed rows, whatever they are."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", pixels), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def bomb(kind: str, side_px: int = 50_000) -> bytes:
    """A small file that claims side × side pixels: PNG, JPEG, WEBP (at most 16,384), GIF, BMP, TIFF, HEIF, AVIF."""
    match kind:
        case "PNG":
            return png_of(side_px, side_px, depth=8, colour=2, pixels=zlib.compress(bytes(1_000_000)))
        case "JPEG":
            at = photo().index(b"\xff\xc0")
            return photo()[: at + 5] + struct.pack(">HH", side_px, side_px) + photo()[at + 9 :]
        case "WEBP":
            side = (min(side_px, 1 << 14) - 1).to_bytes(3, "little")
            plain = saved(image(), "WEBP")
            return webp_file([webp_chunk(b"VP8X", bytes(4) + side + side), plain[12:]])
        case "GIF":
            plain = saved(image(), "GIF")
            return plain[:6] + struct.pack("<HH", side_px, side_px) + plain[10:]
        case "BMP":
            plain = saved(image(), "BMP")
            return plain[:18] + struct.pack("<ii", side_px, side_px) + plain[26:]
        case "TIFF":
            plain = saved(image(), "TIFF")
            for tag in (256, 257):
                at = plain.index(struct.pack("<HHI", tag, 4, 1)) + 8
                plain = plain[:at] + struct.pack("<I", side_px) + plain[at + 4 :]
            return plain
        case _:
            plain = saved(image(), kind)
            at = plain.index(b"ispe") + 8
            return plain[:at] + struct.pack(">II", side_px, side_px) + plain[at + 8 :]


def tiff_with_vast_tile(side_px: int = 40_000) -> bytes:
    """A small TIFF of 64 × 64 pixels that says it is stored in tiles of side × side."""
    tile = zlib.compress(bytes(4096))
    tags = {256: 64, 257: 64, 258: 8, 259: 8, 262: 1, 277: 1, 322: side_px, 323: side_px, 324: 134, 325: len(tile)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + tile


def zip_archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("photo.jpg", photo())
    return out.getvalue()


def svg() -> bytes:
    return b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


def video() -> bytes:
    return b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(1000)


def pdf() -> bytes:
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"


def heavy(size_bytes: int = 60 * 2**20) -> bytes:
    """A file of that size that begins as a photograph."""
    return photo().ljust(size_bytes, b"\0")
