"""The Bot API, through python-telegram-bot's `Bot`: its requests, our transport, our pace.

JSON comes back as it is: no objects are made of it, so that none of it can be one that the library does not know.
What goes wrong is told by `adapters.telegram.meaning`.

A new message is never repeated but where it certainly was not sent. No token is in any error, nor in what is logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

import structlog
from telegram import Bot, MessageEntity, error
from telegram.request import BaseRequest

from adapters.telegram import lanes, limits
from adapters.telegram.arguments import (
    Media,
    Sent,
    address,
    caption_of,
    file_id_in,
    file_of,
    input_media,
    markup,
    replying,
    sent_in,
    text_of,
    undetected,
)
from adapters.telegram.errors import Rejected, TelegramError
from adapters.telegram.errors import Unavailable as _Unavailable
from adapters.telegram.meaning import (
    CLOSED_WORDS,
    GONE_WORDS,
    Flood,
    Forbidden,
    Migrated,
    Moved,
    NoRight,
    NoThread,
    NotModified,
    Unavailable,
    failure_of,
)
from adapters.telegram.ports import Begun, ChatState, Json, Keyboard, KnownFile, Lane, Me, Pace, TelegramStore
from adapters.telegram.refs import account_of, chat_ref, group_of, is_group, message_id_of, place_of
from adapters.telegram.transport import READ_S, AiohttpRequest, FileGone
from adapters.telegram.words import Said, shortened
from bot.domain.errors import ChatClosed, ChatGone
from bot.domain.images import EXTENSIONS
from bot.domain.language import tr
from bot.domain.messages import Rendition
from bot.domain.refs import ChatRef, MessageRef
from bot.domain.utf16 import cut
from bot.ports import ImageStore
from bot.recent import Recent
from bot.sight.figures import platform_error

log = structlog.get_logger("telegram")

API: Final = "https://api.telegram.org"
ALLOWED_UPDATES: Final = ("message", "edited_message", "callback_query", "my_chat_member", "inline_query")
LONGEST_WAIT_S: Final = 600.0
"""Who is to wait longer is told so: a later try waits no longer than this one would have."""
_SHORT_WAIT_S = 10.0
"""Who has noted that it is being sent, and is to wait longer, gives its place back and comes again."""
_NICETY_S = 10.0
_KNOWN_S = 5.0
_NO_RIGHT_S = 60.0
_ADMINS_S = 60.0
_TRIES = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """What `getFile` says. `path` holds no token; on a server of one's own it may be one on this disk."""

    path: str = field(repr=False)
    size_bytes: int | None = None


class _WithoutWords(logging.Filter):
    """What the library logs of its requests below a warning is everything that is said."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


_WITHOUT_WORDS = _WithoutWords()


class TelegramApi:
    """See `adapters.telegram.ports.Telegram`. Opened by the first call. `images` is where `send_file` finds pixels."""

    def __init__(
        self,
        token: str,
        *,
        store: TelegramStore,
        pace: Pace,
        images: ImageStore | None = None,
        api_base: str = "",
        local: bool = False,
        read_s: float = READ_S,
    ) -> None:
        token = token.strip()
        self.account = account_of(token)
        self.local = local
        base = (api_base or API).rstrip("/")
        logging.getLogger("telegram.Bot").addFilter(_WITHOUT_WORDS)
        self._transport = AiohttpRequest(read_s=read_s)
        self._bot = Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._transport,
            get_updates_request=self._transport,
            local_mode=local,
        )
        self._files_at = f"{base}/file/bot{token}/"
        self._store = store
        self._pace = pace
        self._images = images
        self._known: dict[ChatRef, tuple[float, ChatRef]] = {}
        """Chats that are open, until when that is taken for granted, and where they are now."""
        self._no_right: Recent[ChatRef, float] = Recent()
        self._admins: Recent[ChatRef, tuple[float, tuple[int, ...]]] = Recent(512)

    async def close(self) -> None:
        await self._transport.shutdown()

    # --- the bot, and what comes in

    async def me(self) -> Me:
        found = await self._repeatable("getMe", {})
        name = str(found.get("first_name", ""))
        reads_all = bool(found.get("can_read_all_group_messages"))
        return Me(str(found["id"]), str(found.get("username", "")), name, reads_all)

    async def updates(self, *, offset: int | None, wait_s: int) -> Sequence[Json]:
        asked: dict[str, Any] = {"timeout": wait_s, "limit": 100, "allowed_updates": list(ALLOWED_UPDATES)}
        if offset is not None:
            asked["offset"] = offset
        found = await self._repeatable("getUpdates", asked, read_s=wait_s + 15.0)
        return cast(Sequence[Json], found) if isinstance(found, list) else ()

    async def call(self, method: str, arguments: Json) -> Any:
        return await self._repeatable(method, arguments)

    async def remote_file(self, file_id: str) -> RemoteFile:
        """Raises `Rejected` where there is none (any more), `TooLarge` where it is not given to bots."""
        found = await self._repeatable("getFile", {"file_id": file_id})
        size = found.get("file_size")
        return RemoteFile(str(found.get("file_path", "")), int(size) if size is not None else None)

    async def download(self, path: str, *, max_bytes: int) -> bytes:
        """Raises `transport.TooMuch`, `transport.FileGone`, `telegram.error.NetworkError`."""
        if not _is_below(path):
            raise FileGone("no file's path")
        return await self._transport.fetch(self._files_at + _url_path(path), max_bytes)

    # --- new messages

    async def say(
        self,
        to: MessageRef,
        words: str,
        *,
        keyboard: Keyboard = (),
        entities: Sequence[MessageEntity] = (),
        picture: bytes | None = None,
        begun: Begun | None = None,
    ) -> MessageRef:
        said = Said(words, tuple(entities))
        if picture is not None:
            media = Media(picture, "picture.jpg", caption=shortened(said, limits.CAPTION))
            return (await self.send_media(to.chat, media, reply_to=to, keyboard=keyboard, begun=begun)).ref
        words_ = shortened(said, limits.TEXT)
        return await self.send_text(to.chat, words_, reply_to=to, keyboard=keyboard, begun=begun)

    async def send_text(
        self,
        chat: ChatRef,
        said: Said,
        *,
        reply_to: MessageRef | None = None,
        keyboard: Keyboard = (),
        begun: Begun | None = None,
    ) -> MessageRef:
        asked = {**text_of(said), **markup(keyboard)}
        chat, found = await self._send(chat, "sendMessage", asked, reply_to=reply_to, begun=begun)
        return sent_in(chat, found).ref

    async def send_media(
        self,
        chat: ChatRef,
        media: Media,
        *,
        reply_to: MessageRef | None = None,
        keyboard: Keyboard = (),
        begun: Begun | None = None,
    ) -> Sent:
        asked: dict[str, Any] = {**caption_of(media.caption), **markup(keyboard)}
        if media.as_photo:
            asked |= {"photo": file_of(media), "has_spoiler": media.spoiler or None}
        else:
            asked |= {"document": file_of(media), "disable_content_type_detection": undetected(media)}
        method = "sendPhoto" if media.as_photo else "sendDocument"
        chat, found = await self._send(chat, method, asked, reply_to=reply_to, begun=begun)
        return sent_in(chat, found)

    async def send_album(
        self,
        chat: ChatRef,
        media: Sequence[Media],
        *,
        reply_to: MessageRef | None = None,
        begun: Begun | None = None,
    ) -> Sequence[Sent]:
        """Two to ten, all photos or all documents."""
        asked = {"media": [input_media(each) for each in media]}
        places = len(media)
        chat, found = await self._send(chat, "sendMediaGroup", asked, reply_to=reply_to, begun=begun, places=places)
        return [sent_in(chat, each) for each in found]

    async def send_file(
        self, to: MessageRef, rendition: Rendition, *, words: str, begun: Begun | None = None
    ) -> MessageRef:
        """One that Telegram has already is not sent again: a document stays what it was, byte for byte."""
        facts = rendition.image
        filename, caption = f"remix.{EXTENSIONS[facts.media_type]}", shortened(Said(words), limits.CAPTION)
        known = await self._store.file(self.account, facts.sha256, as_photo=False)
        if known is not None:
            try:
                media = Media(known.file_id, filename, as_photo=False, caption=caption)
                return (await self.send_media(to.chat, media, reply_to=to, begun=begun)).ref
            except Rejected as rejected:
                log.info("telegram.file_unknown", description=rejected.description)
        if self._images is None:
            raise Rejected("no image store")
        media = Media(await self._images.get(facts.sha256), filename, as_photo=False, caption=caption)
        sent = await self.send_media(to.chat, media, reply_to=to, begun=begun)
        if sent.file_id:
            await self._store.note_file(self.account, facts.sha256, KnownFile(sent.file_id, as_photo=False))
        return sent.ref

    # --- messages of ours

    async def change(
        self, message: MessageRef, words: str, *, keyboard: Keyboard = (), entities: Sequence[MessageEntity] = ()
    ) -> None:
        await self.edit_text(message, shortened(Said(words, tuple(entities)), limits.TEXT), keyboard)

    async def edit_text(
        self, message: MessageRef, said: Said, keyboard: Keyboard = (), *, spare: int | None = None
    ) -> bool:
        """False where it was left out, since there was no room to spare. The same holds for the next three."""
        return (
            await self._edit(message, "editMessageText", {**text_of(said), **markup(keyboard)}, spare=spare) is not None
        )

    async def edit_caption(
        self, message: MessageRef, said: Said, keyboard: Keyboard = (), *, spare: int | None = None
    ) -> bool:
        asked = {**caption_of(said), **markup(keyboard)}
        return await self._edit(message, "editMessageCaption", asked, spare=spare) is not None

    async def edit_media(
        self, message: MessageRef, media: Media, keyboard: Keyboard = (), *, spare: int | None = None
    ) -> Sent | None:
        """None where it was left out."""
        asked = {"media": input_media(media), **markup(keyboard)}
        found = await self._edit(message, "editMessageMedia", asked, spare=spare)
        return None if found is None else Sent(message, file_id_in(found))

    async def change_keyboard(self, message: MessageRef, keyboard: Keyboard) -> None:
        await self._edit(message, "editMessageReplyMarkup", markup(keyboard))

    async def delete(self, message: MessageRef) -> bool:
        id_ = message_id_of(message)
        if id_ is None or await self._where(message.chat) != group_of(message.chat):
            return False
        asked = {"chat_id": place_of(message.chat).chat, "message_id": id_}
        try:
            return bool(await self._in(message.chat, lanes.others(message.chat), "deleteMessage", asked))
        except ChatGone as gone:
            return not isinstance(gone, Moved)  # what is not there is deleted
        except (Rejected, NoThread):
            return False

    async def closed(self, chat: ChatRef, *, state: ChatState | None = None) -> str:
        _, why = await self._look_up(group_of(chat), state)
        return why

    # --- niceties

    async def seems_busy(self, chat: ChatRef) -> None:
        with contextlib.suppress(TelegramError, ChatClosed, NoThread):
            where = await self._where(chat)
            if where == group_of(chat):
                asked = {**address(chat), "action": "upload_photo"}
                await self._in(chat, lanes.busy(chat), "sendChatAction", asked, spare=lanes.SPARE, read_s=_NICETY_S)

    async def answer_press(self, press_id: str, words: str = "", *, alert: bool = False) -> None:
        asked: dict[str, Any] = {"callback_query_id": press_id, "show_alert": alert or None}
        if words:
            asked["text"] = cut(words, limits.PRESS_ANSWER)
        try:
            await self._ask("answerCallbackQuery", asked, read_s=_NICETY_S)
        except Exception as failure:  # the wheel turns a little longer, which is all that is lost
            log.debug("telegram.press_not_answered", error=type(failure).__name__)

    async def admins(self, chat: ChatRef) -> Sequence[int]:
        group = group_of(chat)
        if not is_group(group):
            return ()
        until, found = self._admins.get(group, (0.0, ()))
        if time.monotonic() < until:
            return found
        asked = {"chat_id": place_of(group).chat}
        members = await self._in(group, lanes.others(group), "getChatAdministrators", asked)
        # Who writes as the group itself is one of them who does not show who.
        ids = (place_of(group).chat, *(int(each["user"]["id"]) for each in members or ()))
        self._admins[group] = (time.monotonic() + _ADMINS_S, ids)
        return ids

    # --- one call

    async def _send(
        self,
        chat: ChatRef,
        method: str,
        asked: Json,
        *,
        reply_to: MessageRef | None,
        begun: Begun | None = None,
        places: int = 1,
    ) -> tuple[ChatRef, Any]:
        """Gives the chat in which it stands now."""
        for _ in range(_TRIES):
            chat = await self._moved(chat)
            whole = {**address(chat), **replying(chat, reply_to), **asked}
            await self._take(lanes.more(chat), places - 1)
            try:
                return chat, await self._in(chat, lanes.sends(chat), method, whole, new=True, begun=begun)
            except Moved:
                continue
            except NoThread:
                chat = group_of(chat)
        raise _Unavailable

    async def _edit(self, message: MessageRef, method: str, asked: Json, *, spare: int | None = None) -> Any | None:
        """None where it was left out."""
        id_ = message_id_of(message)
        if id_ is None:
            raise ChatGone(tr(GONE_WORDS))
        where = await self._where(message.chat)
        if where != group_of(message.chat):
            raise Moved(where)
        whole = {"chat_id": place_of(message.chat).chat, "message_id": id_, **asked}
        through = lanes.edits(message.chat, progress=spare is not None)
        read_s = None if spare is None else _NICETY_S
        for again in (True, False):
            try:
                return await self._in(message.chat, through, method, whole, spare=spare, read_s=read_s)
            except NotModified:
                return True
            except NoThread:
                raise ChatGone(tr(GONE_WORDS)) from None
            except Unavailable:
                if not again or spare is not None:
                    raise
        raise AssertionError

    async def _in(
        self,
        chat: ChatRef,
        through: Sequence[Lane],
        method: str,
        asked: Json,
        *,
        new: bool = False,
        begun: Begun | None = None,
        spare: int | None = None,
        read_s: float | None = None,
    ) -> Any | None:
        """Asked of a chat, whose state is learnt from the answer."""

        async def ask() -> Any:
            if begun is not None:
                await begun()
            return await self._ask(method, asked, new=new, read_s=read_s)

        try:
            return await self._paced(through, ask, spare=spare, begun=begun is not None)
        except Forbidden as forbidden:
            log.info("telegram.closed", method=method)
            self._known.pop(group_of(chat), None)
            await self._store.close_chat(group_of(chat), str(forbidden))
        except NoRight:
            self._no_right[chat] = time.monotonic() + _NO_RIGHT_S
        except Migrated as migrated:
            to = chat_ref(self.account, migrated.to)
            self._known.pop(group_of(chat), None)
            await self._store.note_move(group_of(chat), to)
            raise Moved(to) from None
        raise ChatClosed(tr(CLOSED_WORDS))

    async def _paced(
        self,
        through: Sequence[Lane],
        ask: Callable[[], Awaitable[T]],
        *,
        spare: int | None = None,
        begun: bool = False,
    ) -> T | None:
        """None where it was left out. What is refused for its pace was not done, so it is done later; where it is noted
        that it has `begun`, so only after a short wait."""
        while True:
            if not await self._take(through, spare=spare):
                return None
            try:
                return await ask()
            except Flood as flood:
                log.info("telegram.flood", seconds=flood.seconds)
                await self._pace.hold_back(through[0].name, flood.seconds)
                if spare is not None:
                    return None
                if flood.seconds > (_SHORT_WAIT_S if begun else LONGEST_WAIT_S):
                    raise _Unavailable from None

    async def _take(self, through: Sequence[Lane], times: int = 1, *, spare: int | None = None) -> bool:
        """Places in these lanes, so often; back when the last of them has come."""
        for _ in range(times):
            came = False
            while True:
                wait_s = await self._pace.take(through, spare=spare, longest_s=LONGEST_WAIT_S, came=came)
                if wait_s is None:
                    return False
                if wait_s <= 0:
                    break
                if wait_s > LONGEST_WAIT_S:
                    raise _Unavailable
                await asyncio.sleep(wait_s)
                came = True
        return True

    async def _repeatable(self, method: str, asked: Json, *, read_s: float | None = None) -> Any:
        """Asked of no chat. Once."""
        try:
            return await self._ask(method, asked, read_s=read_s)
        except Flood as flood:
            log.info("telegram.flood", method=method, seconds=flood.seconds)
            raise _Unavailable from None
        except (Forbidden, NoRight, Migrated, NoThread, NotModified) as refused:
            raise Rejected(str(refused)) from None

    async def _ask(
        self, method: str, asked: Mapping[str, Any], *, new: bool = False, read_s: float | None = None
    ) -> Any:
        """`new` where asking twice is not harmless."""
        failure: Exception
        known = BaseRequest.DEFAULT_NONE if read_s is None else read_s
        try:
            return await self._bot.do_api_request(_unknown_name(method), dict(asked), read_timeout=known)
        except error.TelegramError as found:
            failure = failure_of(found, new=new)
        if not isinstance(failure, NotModified):
            platform_error("telegram", "429" if isinstance(failure, Flood) else type(failure).__name__.lstrip("_"))
        raise failure  # out here, so that nothing that knows more than it should is its context

    # --- what is known of chats

    async def _where(self, chat: ChatRef) -> ChatRef:
        """The group itself, or what it has become. Raises `ChatClosed` without asking where nothing can be posted."""
        if time.monotonic() < self._no_right.get(chat, 0.0):
            raise ChatClosed(tr(CLOSED_WORDS))
        group = group_of(chat)
        until, where = self._known.get(group, (0.0, group))
        if time.monotonic() < until:
            return where
        where, closed = await self._look_up(group)
        if closed:
            raise ChatClosed(tr(CLOSED_WORDS))
        return where

    async def _look_up(self, group: ChatRef, state: ChatState | None = None) -> tuple[ChatRef, str]:
        to, closed = state or await self._store.state(group)
        where = to or group
        if where != group:
            closed = await self._store.closed(where)
        self._known.pop(group, None)
        if not closed:
            if len(self._known) >= 4096:
                self._known.clear()
            self._known[group] = (time.monotonic() + _KNOWN_S, where)
        return where, closed

    async def _moved(self, chat: ChatRef) -> ChatRef:
        where = await self._where(chat)
        return chat if where == group_of(chat) else where


def _unknown_name(method: str) -> str:
    """The library warns of raw calls by a name that it has a method for: this one it has none for, and makes the same
    of it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", method)


def _is_below(path: str) -> bool:
    """Nothing in it leads up, to where another method of the same token may be."""
    return not {".", ".."}.intersection(path.replace("\\", "/").split("/"))


def _url_path(path: str) -> str:
    return quote(path.lstrip("/"), safe="/-_.~")
