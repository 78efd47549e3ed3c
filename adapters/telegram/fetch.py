"""Fetching what people sent. Telegram says how large a file is before it is had, and gives bots none over 20 MB; a
server of one's own (`--local`) has no such limit, and says where the file lies on this disk."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import Final

from telegram.error import NetworkError

from adapters.telegram import limits
from adapters.telegram.api import TelegramApi
from adapters.telegram.errors import Rejected, TooLarge, Unavailable
from adapters.telegram.inbound import file_id_of
from adapters.telegram.transport import FileGone, TooMuch
from bot.domain.errors import BadPicture
from bot.domain.messages import Attachment

FETCH_S: Final = 120.0


class Fetcher:
    def __init__(self, api: TelegramApi) -> None:
        self._api = api

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        """Raises `BadPicture`, or `Unavailable` where it may work later."""
        what = "recording" if attachment.filename.endswith((".ogg", ".oga", ".mp3", ".m4a")) else "picture"
        most = max_bytes if self._api.local else min(max_bytes, limits.DOWNLOAD_BYTES)
        if (attachment.size_bytes or 0) > most:
            raise self._too_large(what, max_bytes)
        try:
            async with asyncio.timeout(FETCH_S):
                file = await self._api.remote_file(file_id_of(attachment.handle))
                if not file.path:
                    raise _gone(what)
                if (file.size_bytes or 0) > most:
                    raise self._too_large(what, max_bytes)
                return await self._bytes(file.path, most)
        except (TooLarge, TooMuch):
            raise self._too_large(what, max_bytes) from None
        except (Rejected, FileGone, FileNotFoundError, ValueError):
            raise _gone(what) from None
        except (TimeoutError, NetworkError, OSError):
            raise Unavailable("Telegram's files can't be had now.") from None

    async def _bytes(self, path: str, most: int) -> bytes:
        if self._api.local and path.startswith("/"):
            return await asyncio.to_thread(_read, Path(path), most)
        return await self._api.download(path, max_bytes=most)

    def _too_large(self, what: str, max_bytes: int) -> BadPicture:
        if self._api.local or max_bytes < limits.DOWNLOAD_BYTES:
            return BadPicture(f"That {what} is too large for me. I can take up to {max_bytes // 2**20} MB.")
        megabytes = limits.DOWNLOAD_BYTES // 2**20
        return BadPicture(f"That {what} is too large: Telegram gives bots files of up to {megabytes} MB.")


def _gone(what: str) -> BadPicture:
    return BadPicture(f"That {what} is not here any more. Please send it once more.")


def _read(path: Path, most: int) -> bytes:
    """Of a plain file, not a byte more than it takes to know that it is too large."""
    # Without waiting: a pipe would have a thread wait until somebody writes to it.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise FileNotFoundError
        data = file.read(most + 1)
    if len(data) > most:
        raise TooMuch("more than was wanted")
    return data
