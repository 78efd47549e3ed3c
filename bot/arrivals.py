"""Pictures that come with a message, or stand on the one that it replies to: fetched, checked and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.errors import BadPicture, BadRequest, NotAllowed
from bot.domain.images import ImageFacts, Input, Picture, Provenance, Role
from bot.domain.labels import label_for
from bot.domain.language import tr
from bot.domain.messages import NOBODY, Attachment, InboundMessage, MessageRecord
from bot.domain.own_pictures import WITHDRAWN, YOU_WITHDREW
from bot.domain.refs import MessageRef, Person, Sha256, UserRef, sha256_of, thread_id_of
from bot.domain.words import too_many
from bot.ground import Ground, inputs_of, only
from bot.ports import ConsentStore, MessageStore, PictureReader, Platform

KeepSources = Callable[[MessageRef, Sequence[Picture]], Awaitable[tuple[ImageFacts, ...]]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one message may bring."""

    max_images: int = 10
    max_image_bytes: int = 40 * 1024 * 1024


class Arrivals:
    """`keep_sources` stores what a message brought, and shows it where the platform does not."""

    def __init__(
        self,
        *,
        platforms: Mapping[str, Platform],
        reader: PictureReader,
        messages: MessageStore,
        keep_sources: KeepSources,
        says: ConsentStore,
        limits: Limits,
    ) -> None:
        self._says = says
        self._platforms = platforms
        self._reader = reader
        self._messages = messages
        self._keep_sources = keep_sources
        self._limits = limits

    async def brought(self, message: InboundMessage) -> tuple[Input, ...]:
        """The pictures that came along. Raises `BadPicture`, `BadRequest`."""
        record = MessageRecord(
            ref=message.ref,
            thread=thread_id_of(message.ref),
            author=message.author,
            author_name=message.author_name,
        )
        return inputs_of(await self._kept(message, record, message.attachments))

    async def quoted(self, message: InboundMessage, target: MessageRecord) -> MessageRecord:
        """That message with its pictures; with the one that is meant, where one is. Raises `BadPicture`,
        `BadRequest`."""
        assert message.quoted is not None
        whole = await self._kept(message, target, message.quoted.attachments)
        return whole if message.reply_index is None or message.among else only(whole, message.reply_index)

    async def _kept(
        self, message: InboundMessage, record: MessageRecord, attachments: Sequence[Attachment]
    ) -> MessageRecord:
        if len(attachments) > self._limits.max_images:
            raise BadRequest(too_many(len(attachments), self._limits.max_images))
        pictures = [await self._fetch(message, each) for each in attachments]
        if not pictures:
            return record
        await self._check_withdrawn(message, record, attachments, pictures)
        sources = await self._keep_sources(record.ref, pictures)
        owners = tuple(each.owner for each in attachments)
        spoiler = any(each.spoiler for each in attachments)
        await self._messages.bring(record.ref, sources, author=record.author, owners=owners, spoiler=spoiler)
        return replace(record, sources=sources, owners=owners, spoiler=spoiler)

    async def _check_withdrawn(
        self,
        message: InboundMessage,
        record: MessageRecord,
        attachments: Sequence[Attachment],
        pictures: Sequence[Picture],
    ) -> None:
        """A picture that was withdrawn is not kept again, wherever else it still stands; until its owner sends it anew.
        Raises `NotAllowed`."""
        sender = Person(record.author, record.author_name) if record.author and not record.ours else None
        whose = [_asked(each, sender) for each in attachments]
        pairs: list[tuple[UserRef, Sha256]] = [
            (owner.user, await asyncio.to_thread(sha256_of, picture.data))
            for owner, picture in zip(whose, pictures, strict=True)
            if owner is not None
        ]
        withdrawn = await self._says.withdrawn(pairs)
        anew: list[Sha256] = []
        for (owner, picture), since in zip(pairs, withdrawn, strict=True):
            if since is None:
                continue
            if owner != message.author:
                raise NotAllowed(tr(WITHDRAWN))
            if record.ref != message.ref or message.created_at <= since:
                raise NotAllowed(tr(YOU_WITHDREW))
            anew.append(picture)
        await self._says.restore(message.author, anew)

    async def _fetch(self, message: InboundMessage, attachment: Attachment) -> Picture:
        platform = self._platforms[message.ref.chat.platform]
        most = self._limits.max_image_bytes
        if attachment.size_bytes is not None and attachment.size_bytes > most:
            words = tr("“{name}” is larger than {most} MB. Please send a smaller one.")
            raise BadPicture(words.format(name=attachment.filename, most=most // 2**20))
        data = await platform.fetch(attachment, max_bytes=most)
        picture = await self._reader.read(data, filename=attachment.filename)
        return with_origin(picture, attachment.provenance)


def is_unseen(message: InboundMessage, target: MessageRecord) -> bool:
    """Whether the message that is replied to was not sent to us, and its pictures were never fetched; or more came for
    it since."""
    quoted = message.quoted
    if quoted is None or target.ref != quoted.ref or target.shows:
        return False
    return not target.sources or (message.among and len(target.sources) < len(quoted.attachments))


def unseen(message: InboundMessage, target: MessageRecord | None) -> Ground:
    """Whose pictures would be fetched: what its owner does not want edited is not even looked at."""
    author = Person(message.author, message.author_name)
    owners = [_asked(each, author) for each in message.attachments]
    if target is not None and is_unseen(message, target) and not target.ours:
        assert message.quoted is not None
        sender = Person(target.author, target.author_name) if target.author else None
        owners += [_asked(each, sender) for each in message.quoted.attachments]
    known = tuple(dict.fromkeys(each.user for each in owners if each is not None))
    return Ground(inputs=tuple(_picture_of(each) for each in owners), owners=known)


def with_origin(picture: Picture, provenance: Provenance | None) -> Picture:
    """What the platform knows of its origin is added to what the file says, and never weakens it."""
    if provenance is None:
        return picture
    stronger = label_for(generative_engine=None, inputs=(picture.provenance, provenance)).provenance
    return replace(picture, provenance=stronger)


def _asked(attachment: Attachment, sender: Person | None) -> Person | None:
    """Whose picture it is; None where nobody can be asked."""
    return None if attachment.owner == NOBODY else attachment.owner or sender


def _picture_of(owner: Person | None) -> Input:
    return Input(Role.SOURCE, owner.user if owner else None, None, owner_name=owner.name if owner else "")
