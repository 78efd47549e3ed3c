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
from bot.domain.language import tr
from bot.domain.messages import Attachment

FETCH_S: Final = 120.0


class Fetcher:
    def __init__(self, api: TelegramApi) -> None:
        self._api = api

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        """Raises `BadPicture`, or `Unavailable` where it may work later."""
        is_sound = attachment.filename.endswith((".ogg", ".oga", ".mp3", ".m4a"))
        most = max_bytes if self._api.local else min(max_bytes, limits.DOWNLOAD_BYTES)
        if (attachment.size_bytes or 0) > most:
            raise self._too_large(max_bytes, is_sound=is_sound)
        try:
            async with asyncio.timeout(FETCH_S):
                file = await self._api.remote_file(file_id_of(attachment.handle))
                if not file.path:
                    raise _gone(is_sound=is_sound)
                if (file.size_bytes or 0) > most:
                    raise self._too_large(max_bytes, is_sound=is_sound)
                return await self._bytes(file.path, most)
        except (TooLarge, TooMuch):
            raise self._too_large(max_bytes, is_sound=is_sound) from None
        except (Rejected, FileGone, FileNotFoundError, ValueError):
            raise _gone(is_sound=is_sound) from None
        except (TimeoutError, NetworkError, OSError):
            raise Unavailable("Telegram's files can't be had now.") from None

    async def _bytes(self, path: str, most: int) -> bytes:
        if self._api.local and path.startswith("/"):
            return await asyncio.to_thread(_read, Path(path), most)
        return await self._api.download(path, max_bytes=most)

    def _too_large(self, max_bytes: int, *, is_sound: bool) -> BadPicture:
        if self._api.local or max_bytes < limits.DOWNLOAD_BYTES:
            words = (
                tr("That recording is too large for me. I can take up to {megabytes} MB.")
                if is_sound
                else tr("That picture is too large for me. I can take up to {megabytes} MB.")
            )
            return BadPicture(words.format(megabytes=max_bytes // 2**20))
        words = (
            tr("That recording is too large: Telegram gives bots files of up to {megabytes} MB.")
            if is_sound
            else tr("That picture is too large: Telegram gives bots files of up to {megabytes} MB.")
        )
        return BadPicture(words.format(megabytes=limits.DOWNLOAD_BYTES // 2**20))


def _gone(*, is_sound: bool) -> BadPicture:
    if is_sound:
        return BadPicture(tr("That recording is not here any more. Please send it once more."))
    return BadPicture(tr("That picture is not here any more. Please send it once more."))


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
