"""Files as the server keeps them: photos made anew, all else byte for byte."""

from __future__ import annotations

import hashlib
import io
import mimetypes
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image, ImageOps

from tests.fakes.telegram.refusals import Json, bad

Kind = Literal["photo", "document", "video", "animation", "sticker", "voice", "audio"]
LONGEST_PX = 1280
PHOTO_BYTES = 10 * 1000**2
UPLOAD_BYTES = 50 * 1000**2
DOWNLOAD_BYTES = 20 * 2**20
_SIZES_PX = (90, 320, 800)
_PREFIX = {"photo": "AgACAg", "document": "BQACAg", "video": "BAACAg", "animation": "CgACAg", "sticker": "CAACAg",
           "voice": "AwACAg", "audio": "CQACAg"}  # fmt: skip
_FOLDERS = {"photo": "photos", "document": "documents", "video": "videos", "animation": "animations",
            "sticker": "stickers", "voice": "voice", "audio": "music"}  # fmt: skip
_TYPES = {".heic": "image/heic", ".heif": "image/heif", ".webp": "image/webp", ".avif": "image/avif"}


@dataclass
class StoredFile:
    """`path` is where it can be fetched, once somebody has asked for it by getFile."""

    kind: Kind
    data: bytes = field(repr=False)
    file_id: str
    unique_id: str
    path: str
    width: int = 0
    height: int = 0
    asked_for: bool = False

    def sized(self) -> Json:
        return self.short() | {"width": self.width, "height": self.height}

    def short(self) -> Json:
        return {"file_id": self.file_id, "file_unique_id": self.unique_id, "file_size": len(self.data)}


@dataclass
class Media:
    """What a message shows. `data` as it was uploaded; `files` as they can be had, the largest last."""

    kind: Kind
    data: bytes = field(repr=False)
    name: str
    mime: str
    files: list[StoredFile] = field(repr=False)
    thumb: StoredFile | None = None
    duration_s: int = 0

    @property
    def file(self) -> StoredFile:
        return self.files[-1]

    def fields(self) -> Json:
        """As a message carries it."""
        if self.kind == "photo":
            return {"photo": [each.sized() for each in self.files]}
        told = self.file.short() | ({"thumbnail": self.thumb.sized()} if self.thumb else {})
        named = {"file_name": self.name, "mime_type": self.mime}
        sides = {"width": self.file.width, "height": self.file.height}
        match self.kind:
            case "document":
                return {"document": told | named}
            case "sticker":
                moving = {"is_animated": self.mime == "application/x-tgsticker", "is_video": self.mime == "video/webm"}
                return {"sticker": told | sides | moving | {"type": "regular", "emoji": "🙂", "set_name": "Fakes"}}
            case "voice":
                return {"voice": told | {"mime_type": self.mime, "duration": self.duration_s}}
            case "audio":
                return {"audio": told | named | {"duration": self.duration_s}}
            case "video":
                return {"video": told | named | sides | {"duration": self.duration_s}}
            case "animation":
                return {
                    "animation": told | named | sides | {"duration": self.duration_s},
                    "document": told | named,
                }


@dataclass(frozen=True)
class Shrunk:
    """What becomes of a photo: JPEGs with their sides, the largest last."""

    sizes: tuple[tuple[bytes, int, int], ...] = field(repr=False)


def shrink(data: bytes) -> Shrunk:
    """As Telegram does with a photo: upright, no metadata, at most 1280 pixels. CPU-bound. Refuses what it would."""
    if len(data) > PHOTO_BYTES:
        raise bad(f"file of size {len(data)} bytes is too big for a photo; the maximum size is {PHOTO_BYTES} bytes")
    try:
        image = Image.open(io.BytesIO(data))
        sides = image.size
        if sum(sides) > 10_000 or max(sides) > 20 * min(sides):
            raise bad("PHOTO_INVALID_DIMENSIONS")
        image.draft("RGB", (LONGEST_PX, LONGEST_PX))
        upright = ImageOps.exif_transpose(image)
        picture = _flat(upright)
    except (OSError, ValueError, SyntaxError):
        raise bad("IMAGE_PROCESS_FAILED") from None
    picture.thumbnail((LONGEST_PX, LONGEST_PX))
    smaller = [each for each in _SIZES_PX if each < max(picture.size)]
    return Shrunk((*[_jpeg(picture, each) for each in smaller], _jpeg(picture, LONGEST_PX)))


def _flat(image: Image.Image) -> Image.Image:
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    under = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(under, image.convert("RGBA")).convert("RGB")


def _jpeg(picture: Image.Image, most_px: int) -> tuple[bytes, int, int]:
    made = picture
    if max(picture.size) > most_px:
        made = picture.copy()
        made.thumbnail((most_px, most_px), Image.Resampling.BILINEAR, reducing_gap=1.0)
    out = io.BytesIO()
    made.save(out, "JPEG", quality=87)
    return out.getvalue(), *made.size


def look(data: bytes) -> tuple[int, int, bytes]:
    """Sides and a small JPEG of it, if it is a picture; else zeros and nothing."""
    try:
        image = Image.open(io.BytesIO(data))
        sides = image.size
        if sides[0] * sides[1] > 50_000_000:
            return *sides, b""
        image.draft("RGB", (320, 320))
        picture = _flat(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0, 0, b""
    return *sides, _jpeg(picture, 320)[0]


class FileStore:
    """All files, by the ids under which they were given out."""

    def __init__(self) -> None:
        self.by_id: dict[str, StoredFile] = {}
        self.media: dict[str, Media] = {}
        """What a file id stands for, if it is sent again."""
        self._count = 0

    def photo(self, data: bytes, shrunk: Shrunk) -> Media:
        files = [self._keep("photo", jpeg, ".jpg", width=w, height=h) for jpeg, w, h in shrunk.sizes]
        return self._known(Media("photo", data, "photo.jpg", "image/jpeg", files))

    def other(self, kind: Kind, data: bytes, name: str, *, mime: str = "", duration_s: int = 0) -> Media:
        """Whatever stays as it is. CPU-bound where it is a picture."""
        ending = "." + name.rpartition(".")[2].lower() if "." in name else ""
        told = mime or _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        width, height, small = look(data)
        if kind in ("video", "animation") and not width:
            width, height = 320, 240
        if kind == "sticker":
            told = _sticker_type(data)
            width, height = (width, height) if width else (512, 512)
        file = self._keep(kind, data, ending, width=width, height=height)
        thumb = None
        if small:
            with Image.open(io.BytesIO(small)) as shown:
                thumb = self._keep("photo", small, ".jpg", width=shown.width, height=shown.height)
        return self._known(Media(kind, data, name, told, [file], thumb, duration_s))

    def again(self, media: Media, kind: Kind) -> Media:
        """Sent once more by its id: the same file, as what it was."""
        if media.kind != kind:
            raise bad(f"can't use file of type {media.kind.capitalize()} as {kind.capitalize()}")
        return media

    def _known(self, media: Media) -> Media:
        for each in media.files:
            self.media[each.file_id] = media
        return media

    def _keep(self, kind: Kind, data: bytes, ending: str, *, width: int, height: int) -> StoredFile:
        self._count += 1
        number = self._count
        mark = hashlib.sha256(f"{number}".encode() + data[:4096]).hexdigest()
        made = StoredFile(
            kind, data, f"{_PREFIX[kind]}{mark[:44]}", f"AQAD{mark[44:56]}", f"{_FOLDERS[kind]}/file_{number}{ending}",
            width, height,
        )  # fmt: skip
        self.by_id[made.file_id] = made
        return made


def _sticker_type(data: bytes) -> str:
    if data.startswith(b"\x1f\x8b"):
        return "application/x-tgsticker"
    return "video/webm" if data.startswith(b"\x1aE\xdf\xa3") else "image/webp"
