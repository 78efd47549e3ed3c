"""A place for objects, in a folder or a bucket: obstore, with the few things that it leaves open.

- What goes wrong is one typed error with words (`StoreUnavailable`); what is not there is a `KeyError`.
- Written to a folder, an object is on the disk when `put` returns. obstore writes beside and renames, which is atomic
  but not yet durable; the file and the folders above it are synced here. A bucket answers when it is durable.
- A writer that was killed leaves its half file beside the place (`name#1`); it is never read and swept away later.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, from_url

from bot.domain.errors import RemixError

_log = structlog.get_logger("pictures")

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_BUCKETS = ("s3://", "s3a://", "gs://", "az://", "azure://", "abfs://", "abfss://")
_HALF_FILE_AGE_S = 3600.0


class StoreUnavailable(RemixError):
    """The place where pictures lie cannot be reached or takes no more. Nothing was kept or lost by the attempt."""

    code = "store_unavailable"
    retryable = True


@dataclass(frozen=True, slots=True)
class Shelved:
    """What is known of an object without reading it. `written_at` in seconds since the epoch."""

    path: str
    size_bytes: int
    written_at: float


class Shelf:
    """Objects by path (`a/b/c`, no surprises: the caller checks what it makes paths of)."""

    def __init__(self, store: ObjectStore, *, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    async def put(self, path: str, data: bytes) -> None:
        """Write the whole object, or nothing. Replaces what is there."""
        with _kindly():
            await self._store.put_async(path, data, mode="overwrite", use_multipart=False)
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder, self._folder / path)

    async def get(self, path: str) -> bytes:
        """Raises `KeyError` when there is none."""
        with _kindly():
            try:
                found = await self._store.get_async(path)
                return bytes(await found.bytes_async())
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                raise KeyError(path) from error

    async def find(self, path: str) -> Shelved | None:
        with _kindly():
            try:
                found = await self._store.head_async(path)
            except FileNotFoundError:
                return None
        return Shelved(found["path"], found["size"], found["last_modified"].timestamp())

    async def delete(self, path: str) -> None:
        with _kindly(), contextlib.suppress(FileNotFoundError):
            await self._store.delete_async(path)

    async def list(self, under: str = "") -> AsyncGenerator[Shelved]:
        """Every object in the folder `under`, in no order. Sweeps half files away first."""
        with _kindly():
            if self._folder is not None:
                await asyncio.to_thread(_sweep_half_files, self._folder / under)
            async for chunk in self._store.list(under or None):
                for found in chunk:
                    yield Shelved(found["path"], found["size"], found["last_modified"].timestamp())


def open_shelf(url: str) -> Shelf:
    """A folder (a path or `file://…`) or a bucket (`s3://bucket/prefix`, `gs://…`, `az://…`).

    Buckets take their keys and options from the environment under the names that their own tools use, for instance
    AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, AWS_REGION; `http://` endpoints need AWS_ALLOW_HTTP=true.
    """
    if url.startswith("memory:"):
        return Shelf(MemoryStore())
    with _kindly():
        if url.startswith(_BUCKETS):
            return Shelf(from_url(url, retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)}))
        if "://" in url and not url.startswith("file://"):
            raise StoreUnavailable(
                f"Pictures cannot lie at {url.partition('://')[0]}://. Set IMAGE_STORE_URL to a folder, s3://, gs:// or az://."
            )
        folder = Path(unquote(urlsplit(url).path) if url.startswith("file://") else url).expanduser().absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Shelf(LocalStore(folder), folder=folder)


@contextlib.contextmanager
def _kindly() -> Generator[None]:
    """obstore's errors, and the system's, as ours."""
    try:
        yield
    except (BaseError, OSError) as error:
        reason = str(error).partition("\n")[0]
        _log.warning("picture store", reason=reason)
        if "No space left" in reason or "quota exceeded" in reason.lower():
            raise StoreUnavailable("There is no room left for pictures. Please try again later.") from error
        raise StoreUnavailable("Pictures cannot be kept or fetched right now. Please try again in a minute.") from error


def _sync(folder: Path, file: Path) -> None:
    """Have the file, and every folder that names it, on the disk."""
    for path in (file, *file.parents):
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
        if path == folder:
            return


def _sweep_half_files(folder: Path) -> None:
    """Remove what a killed writer left behind long ago: pixels that no erasure would find."""
    for path in folder.rglob("*#*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _HALF_FILE_AGE_S:
                path.unlink()
