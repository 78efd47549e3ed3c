"""The page's door out: what the core says, into the page's store. Whoever looks at the chat hears of it from there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from adapters.web.ports import PageStore, UploadSpool
from adapters.web.records import (
    ACCOUNT,
    PLATFORM,
    VOICE,
    answer_id_of,
    answer_record,
    images_field,
    inbound_of,
    media_types,
    pictures_of,
    reserved_record,
)
from bot.domain.errors import BadPicture
from bot.domain.language import N_, tr
from bot.domain.messages import Answer, Attachment, ChatCapabilities, InboundMessage, Rendition
from bot.domain.refs import ChatRef, MessageRef, TurnId, UserRef, thread_of
from bot.ports import Clock

PICTURE_GONE: Final = N_("That picture is not here any more. Please send it once more.")
RECORDING_GONE: Final = N_("That recording is not here any more. Please send it once more.")
PICTURE_TOO_LARGE: Final = N_("That picture is too large for me. I can take up to {megabytes} MB.")
RECORDING_TOO_LARGE: Final = N_("That recording is too large for me. I can take up to {megabytes} MB.")
_CAPABILITIES = ChatCapabilities(counts_seconds_itself=True, edits_notify=True, keeps_words=True)


class WebPlatform:
    """See `bot.ports.Platform`."""

    name: str = PLATFORM
    account: str = ACCOUNT

    def __init__(self, *, store: PageStore, spool: UploadSpool, now: Clock = time.time) -> None:
        self._store = store
        self._spool = spool
        self._now = now

    async def capabilities(self, chat: ChatRef) -> ChatCapabilities:  # noqa: ARG002 the same everywhere
        return _CAPABILITIES

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        is_voice = attachment.handle.endswith(VOICE)
        try:
            data = await self._spool.get(attachment.handle)
        except KeyError:
            raise BadPicture(tr(RECORDING_GONE if is_voice else PICTURE_GONE)) from None
        if len(data) > max_bytes:
            words = tr(RECORDING_TOO_LARGE if is_voice else PICTURE_TOO_LARGE)
            raise BadPicture(words.format(megabytes=max_bytes // 2**20))
        return data

    async def reserve(self, message: InboundMessage, turn: TurnId) -> MessageRef:
        answer = answer_id_of(turn)
        record = reserved_record(message, turn, created_at=self._now())
        await self._store.append(message.ref.chat.chat, answer, record, thread=thread_of(turn))
        return MessageRef(message.ref.chat, answer)

    async def fill(self, reply: MessageRef, answer: Answer) -> None:
        images = media_types(pictures_of(answer))
        await self._store.replace(reply.chat.chat, reply.message, answer_record(answer), images=images)

    async def call(self, reply: MessageRef, person: UserRef, words: str, *, key: str) -> None:
        """Whoever looks at the chat sees the reply change."""

    async def call_off(self, reply: MessageRef, *, key: str) -> None:
        """Nobody was called."""

    async def show_sources(self, message: MessageRef, pictures: Sequence[Rendition]) -> None:
        shown = {"images": images_field(pictures)}
        await self._store.replace(message.chat.chat, message.message, shown, images=media_types(pictures))

    async def done(self, message: InboundMessage) -> None:
        for upload in [*message.attachments, message.voice, message.file]:
            if upload is not None:
                await self._spool.delete(upload.handle)

    async def retract(self, ours: Sequence[MessageRef], theirs: Sequence[MessageRef]) -> None:
        messages = [*ours, *theirs]
        for chat, refs in groupby(sorted(messages, key=lambda ref: ref.chat.chat), key=lambda ref: ref.chat.chat):
            ids = [ref.message for ref in refs]
            await self._drop_uploads(chat, ids)
            await self._store.remove(chat, ids)

    async def forget(self, user: UserRef) -> None:
        if user.platform == self.name:
            await self._store.forget_person(user.user)

    async def _drop_uploads(self, chat: str, ids: Sequence[str]) -> None:
        for record in await self._store.find(chat, ids):
            if record and "uploads" in record:
                await self.done(inbound_of(chat, record))
