"""A picture that shows nothing: a message with a picture can't become one without."""

from __future__ import annotations

import struct
import zlib
from typing import Final


def _blank(width_px: int, height_px: int, grey: int) -> bytes:
    """A PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([grey]) * width_px) * height_px
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


BLANK: Final = _blank(320, 200, 0xDD)
"""Where a picture was that is gone."""
