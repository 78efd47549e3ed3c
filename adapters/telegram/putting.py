"""One message of ours: what it says and shows is put there by editing it, which may be repeated. Where Telegram does
not take all of it, less is put there, and at last words alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from adapters.telegram import limits
from adapters.telegram.api import TelegramApi
from adapters.telegram.arguments import Media, Sent
from adapters.telegram.blank import BLANK
from adapters.telegram.errors import NotAllowed, Rejected, TooLarge
from adapters.telegram.meaning import GONE_WORDS
from adapters.telegram.ports import Keyboard
from adapters.telegram.refs import is_group
from adapters.telegram.render import NOT_ALLOWED_WORDS, NOT_TAKEN_WORDS, TOO_LARGE_WORDS, Shot, file_key, show
from adapters.telegram.render import Shown as Rendered
from adapters.telegram.uploads import Uploads
from adapters.telegram.words import Said, shortened
from bot.domain.errors import ChatGone
from bot.domain.language import N_, tr
from bot.domain.messages import Answer
from bot.domain.refs import MessageRef, Sha256
from bot.domain.turns import FINAL_STATES
from bot.recent import Recent

log = structlog.get_logger("telegram")

DELETED: Final = N_("This was deleted.")
_NO_TEXT = "no text in the message"


@dataclass(frozen=True, slots=True)
class _Stands:
    """The picture that a message of ours shows."""

    sha256: Sha256
    as_photo: bool
    spoiler: bool


class Putting:
    """`said` is what a message of ours said last, as far as this process knows."""

    def __init__(self, api: TelegramApi, uploads: Uploads) -> None:
        self._api = api
        self._uploads = uploads
        self._stands: Recent[MessageRef, _Stands] = Recent()
        self.said: Recent[MessageRef, Rendered] = Recent()

    async def put(
        self, reply: MessageRef, answer: Answer, shown: Rendered, *, spare: int | None = None, unsure: bool = False
    ) -> str:
        """Where Telegram does not take all of it, less. Gives what is said instead of its picture; raises `ChatGone`
        where Telegram takes nothing of a final answer."""
        final, instead = answer.state in FINAL_STATES, ""
        try:
            done = await self._whole(reply, shown, spare, final=final)
        except Rejected as rejected:
            log.warning("telegram.rejected", description=rejected.description)
            shown, instead, done = await self._less(reply, answer, shown, rejected, spare, unsure=unsure)
        if done:
            self.said[reply] = shown
        return instead

    async def _less(
        self, reply: MessageRef, answer: Answer, shown: Rendered, why: Rejected, spare: int | None, *, unsure: bool
    ) -> tuple[Rendered, str, bool]:
        """What of it is taken, what is said instead of its picture, and whether it was not left out."""
        final, group, instead = answer.state in FINAL_STATES, is_group(reply.chat), _instead(why)
        if instead and shown.shot is not None:
            less = show(answer, group=group, instead=instead, unsure=unsure)
        else:  # something in it that we do not know of: its words and pictures are worth more than its keys
            less, instead = Rendered(Said(shown.said.text), (), shown.shot, shown.spoiler), ""
        try:
            return less, instead, await self._whole(reply, less, spare, final=final)
        except Rejected as rejected:
            if not final:
                raise
            instead = instead or _instead(rejected) or tr(NOT_TAKEN_WORDS)
        last = show(answer, group=group, instead=instead if shown.shot is not None else "", unsure=unsure)
        keys = file_key() if shown.shot is not None else ()
        try:
            return last, instead, await self._whole(reply, Rendered(Said(last.said.text), keys), spare, final=final)
        except Rejected as rejected:
            log.warning("telegram.nothing_taken", description=rejected.description)
            raise ChatGone(tr(GONE_WORDS)) from None

    async def _whole(self, reply: MessageRef, shown: Rendered, spare: int | None, *, final: bool) -> bool:
        """False where it was left out."""
        if shown.shot is not None:
            return await self._picture(reply, shown, shown.shot, spare)
        if shown.file is not None:
            media = Media(shown.file.data, shown.file.name, as_photo=False, caption=shown.said)
            return await self._api.edit_media(reply, media, shown.keyboard, spare=spare) is not None
        try:
            return await self._api.edit_text(reply, shown.said, shown.keyboard, spare=spare)
        except Rejected as rejected:
            if _NO_TEXT not in rejected.description.lower():
                raise
        if not final:
            return False  # a result stands there already
        return await self._blank(reply, shown.said, shown.keyboard)

    async def _blank(self, reply: MessageRef, words: Said, keyboard: Keyboard = ()) -> bool:
        """A message with a picture can't become one without, so it gets one that shows nothing."""
        self._stands.pop(reply, None)
        media = Media(BLANK, "blank.png", caption=shortened(words, limits.CAPTION))
        return await self._api.edit_media(reply, media, keyboard) is not None

    async def _picture(self, reply: MessageRef, shown: Rendered, shot: Shot, spare: int | None) -> bool:
        sha256 = shot.rendition.image.sha256
        stands = self._stands.get(reply)
        if stands is not None and (stands.sha256, stands.spoiler) == (sha256, shown.spoiler):
            try:
                return await self._api.edit_caption(reply, shown.said, shown.keyboard, spare=spare)
            except Rejected:  # another process may have put another picture in its place
                self._stands.pop(reply, None)
        *kinds, last = (True, False) if shot.as_photo else (False,)
        for as_photo in kinds:
            try:
                return await self._as(reply, shown, shot, spare, as_photo=as_photo)
            except Rejected as rejected:
                log.info("telegram.no_photo", description=rejected.description)
        return await self._as(reply, shown, shot, spare, as_photo=last)

    async def _as(self, reply: MessageRef, shown: Rendered, shot: Shot, spare: int | None, *, as_photo: bool) -> bool:
        """A file that Telegram has already is not sent again."""

        async def put(media: Media) -> Sent | None:
            return await self._api.edit_media(reply, media, shown.keyboard, spare=spare)

        sent = await self._with_file(shot, put, as_photo=as_photo, caption=shown.said, spoiler=shown.spoiler)
        if sent is not None:
            self._stands[reply] = _Stands(shot.rendition.image.sha256, as_photo, shown.spoiler)
        return sent is not None

    async def _with_file(
        self,
        shot: Shot,
        use: Callable[[Media], Awaitable[Sent | None]],
        *,
        as_photo: bool,
        caption: Said,
        spoiler: bool,
    ) -> Sent | None:
        media, known = await self._uploads.media(shot, as_photo=as_photo, caption=caption, spoiler=spoiler)
        if known:
            try:
                return await use(media)
            except NotAllowed:
                raise
            except Rejected:  # its id is worth nothing any more
                media, _ = await self._uploads.media(
                    shot, as_photo=as_photo, caption=caption, spoiler=spoiler, anew=True
                )
        sent = await use(media)
        if sent is not None:
            await self._uploads.note(shot, sent, as_photo=as_photo)
        return sent

    async def take_away(self, message: MessageRef) -> None:
        """What is older than two days can't be deleted, but be made to show nothing."""
        self._stands.pop(message, None)
        if await self._api.delete(message):
            return
        try:
            await self._api.edit_text(message, Said(tr(DELETED)))
        except Rejected:
            await self._blank(message, Said(tr(DELETED)))


def _instead(why: Rejected) -> str:
    """What is said where a picture was not taken for this. Empty where it may be something else."""
    match why:
        case TooLarge():
            return tr(TOO_LARGE_WORDS)
        case NotAllowed():
            return tr(NOT_ALLOWED_WORDS)
        case _:
            return ""
