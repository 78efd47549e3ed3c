"""Pictures as files for Telegram. One that it has already goes by the id that it was given."""

from __future__ import annotations

from adapters.telegram.arguments import Media, Sent
from adapters.telegram.ports import KnownFile, TelegramStore
from adapters.telegram.render import Shot
from adapters.telegram.words import Said
from bot.ports import ImageStore


class Uploads:
    def __init__(self, account: str, store: TelegramStore, images: ImageStore) -> None:
        self._account = account
        self._store = store
        self._images = images

    async def media(
        self, shot: Shot, *, as_photo: bool, caption: Said, spoiler: bool, anew: bool = False
    ) -> tuple[Media, bool]:
        """And whether Telegram has the file already."""
        sha256 = shot.rendition.image.sha256
        known = None if anew else await self._store.file(self._account, sha256, as_photo=as_photo)
        file = known.file_id if known is not None else await self._images.get(sha256)
        return Media(file, shot.filename, as_photo, caption, spoiler), known is not None

    async def note(self, shot: Shot, sent: Sent, *, as_photo: bool) -> None:
        if sent.file_id:
            file = KnownFile(sent.file_id, as_photo)
            await self._store.note_file(self._account, shot.rendition.image.sha256, file)
