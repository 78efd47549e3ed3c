"""Pixels at rest, named by their hash; and uploads on their way in, named by whoever brings them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator

import structlog

from bot.domain.refs import Sha256, sha256_of
from bot.sight.figures import moved
from storage.objects.shelf import Shelf, StoreUnavailable, open_shelf

__all__ = ["ObstoreImageStore", "ObstoreUploads", "StoreUnavailable", "image_store", "uploads"]

_log = structlog.get_logger("pictures")

_UPLOADS = "uploads"
_HANDLE = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,200}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_IMAGE_PATH = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/(\1\2[0-9a-f]{60})", re.ASCII)

_RENEW_AFTER_S = 12 * 3600.0
"""Half of what a sweep spares (`Reconciler`, 24 h): what was put just now is never swept as old."""


def image_store(url: str) -> ObstoreImageStore:
    """The image store at this address; see `open_shelf` for what an address may be."""
    return ObstoreImageStore(open_shelf(url))


def uploads(url: str) -> ObstoreUploads:
    """The uploads beside the images of the same address."""
    return ObstoreUploads(open_shelf(url))


class ObstoreImageStore:
    """`bot.ports.ImageStore` over obstore: `ab/cd/abcd…`.

    What is there already is not written again, unless its time is so old that a sweep might take it for forgotten. A
    size that differs means a damaged copy, which is replaced. All methods raise `StoreUnavailable`.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def put(self, data: bytes, sha256: Sha256 | None = None) -> Sha256:
        """`sha256` saves the hashing where the caller has done it."""
        if sha256 is None:
            sha256 = await asyncio.to_thread(sha256_of, data)
        found = await self._shelf.find(_image_path(sha256))
        if found is None or found.size_bytes != len(data) or found.written_at < time.time() - _RENEW_AFTER_S:
            with moved("put") as counted:
                await self._shelf.put(_image_path(sha256), data)
                counted.bytes = len(data)
        return sha256

    async def get(self, sha256: Sha256) -> bytes:
        """Checked against its name (2 to 3 ms per megabyte, off the event loop): damaged pixels are no pixels, so that
        they are neither shown nor paid for."""
        if not _SHA256.fullmatch(sha256):
            raise KeyError(sha256)
        with moved("get") as counted:
            data = await self._shelf.get(_image_path(sha256))
            counted.bytes = len(data)
        if await asyncio.to_thread(sha256_of, data) != sha256:
            _log.error("damaged picture", sha256=sha256)
            raise KeyError(sha256)
        return data

    async def delete(self, sha256: Sha256) -> None:
        if _SHA256.fullmatch(sha256):
            with moved("delete"):
                await self._shelf.delete(_image_path(sha256))

    async def probe(self) -> str:
        """Whether it answers: what is wrong, in words without its address; empty for nothing. Reads nothing."""
        try:
            await self._shelf.find(_image_path(Sha256("0" * 64)))
        except StoreUnavailable:
            return "it does not answer"
        return ""

    async def list(self) -> AsyncGenerator[tuple[Sha256, float]]:
        async for found in self._shelf.list():
            if path := _IMAGE_PATH.fullmatch(found.path):
                yield Sha256(path[3]), found.written_at


class ObstoreUploads:
    """Files that a person sent, until they are checked. Handles are 1 to 200 of A–Z a–z 0–9 . _ -"""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def put(self, handle: str, data: bytes) -> None:
        """Raises `ValueError` for a handle of another form."""
        if not _HANDLE.fullmatch(handle):
            raise ValueError("not a handle")
        await self._shelf.put(f"{_UPLOADS}/{handle}", data)

    async def get(self, handle: str) -> bytes:
        """Raises `KeyError` when there is none."""
        if not _HANDLE.fullmatch(handle):
            raise KeyError(handle)
        return await self._shelf.get(f"{_UPLOADS}/{handle}")

    async def delete(self, handle: str) -> None:
        """Deleting what is not there is harmless."""
        if _HANDLE.fullmatch(handle):
            await self._shelf.delete(f"{_UPLOADS}/{handle}")

    async def list(self) -> AsyncGenerator[tuple[str, float]]:
        async for found in self._shelf.list(_UPLOADS):
            yield found.path.removeprefix(f"{_UPLOADS}/"), found.written_at


def _image_path(sha256: Sha256) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
