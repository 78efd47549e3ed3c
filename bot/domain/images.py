"""Images as values: what is known about pixels without holding them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.refs import Sha256, TurnId, UserRef, sha256_of
from bot.domain.roles import Purpose


class Provenance(StrEnum):
    """What is known of an image's origin. Ordered: a turn never moves an image to an earlier line."""

    UNKNOWN = "unknown"
    """A person sent it and nothing in the file says that AI made it."""

    AI_EDITED = "ai_edited"
    """A picture that AI changed (IPTC compositeWithTrainedAlgorithmicMedia)."""

    AI_GENERATED = "ai_generated"
    """AI made it from words (IPTC trainedAlgorithmicMedia)."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One stored image, its pixels named by their hash.

    `media_type` is one of image/png, image/jpeg, image/webp. Sizes in pixels as displayed (any EXIF rotation is
    already applied to the pixels), bytes as stored.
    """

    sha256: Sha256
    media_type: str
    width_px: int
    height_px: int
    size_bytes: int
    has_alpha: bool = False
    provenance: Provenance = Provenance.UNKNOWN
    credentials: Sha256 | None = None
    """The same picture with the credentials that it came with, screened: a file in the image store."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels in hand: encoded bytes that are checked, upright, 8 bit, and free of metadata that must not travel.

    `data` is a complete PNG, JPEG or WebP file.
    """

    data: bytes = field(repr=False)
    media_type: str
    width_px: int
    height_px: int
    has_alpha: bool = False
    provenance: Provenance = Provenance.UNKNOWN
    original: bytes = field(default=b"", repr=False)
    """The file as it came, where it carries credentials. It may hold whatever else: never stored, never shown."""


ALL = -1
"""In place of an image's index among a turn's results: all of them."""


class Role(StrEnum):
    """What an input is for in a turn."""

    PARENT = "parent"
    """The result that was replied to."""

    SOURCE = "source"
    """A picture that a person sent with, or replied to by, the instruction."""


@dataclass(frozen=True, slots=True)
class Input:
    """One image that goes into a turn, in the order in which the person gave them.

    `owner` is whose picture it is. When it came out of a turn, `from_turn` and `from_index` say which result it is;
    until that turn is finished `image` is None, and `from_index` may be `ALL`. `purpose` is what it is for among
    several, None where nothing was said. `owner_name` is what others read, where it is known. `called` is its name in
    the cast of the chat, where it was named by that.
    """

    role: Role
    owner: UserRef | None
    image: ImageFacts | None
    from_turn: TurnId | None = None
    from_index: int = 0
    purpose: Purpose | None = None
    owner_name: str = ""
    called: str = ""


EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
"""File name endings of the three media types that images are kept in."""


def facts_of(picture: Picture) -> ImageFacts:
    """What is stored of these pixels."""
    return ImageFacts(
        sha256=sha256_of(picture.data),
        media_type=picture.media_type,
        width_px=picture.width_px,
        height_px=picture.height_px,
        size_bytes=len(picture.data),
        has_alpha=picture.has_alpha,
        provenance=picture.provenance,
    )


def picture_of(facts: ImageFacts, data: bytes) -> Picture:
    """Pixels in hand, from what was stored of them."""
    return Picture(
        data=data,
        media_type=facts.media_type,
        width_px=facts.width_px,
        height_px=facts.height_px,
        has_alpha=facts.has_alpha,
        provenance=facts.provenance,
    )
