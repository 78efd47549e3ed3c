"""The Bot API, through python-telegram-bot's `Bot`: its requests, our transport, our pace.

JSON comes back as it is: no objects are made of it, so that none of it can be one that the library does not know.
What goes wrong becomes one of `adapters.telegram.errors`, or of these:

    ChatClosed          (bot.domain.errors) thrown out, blocked, or no right to write there
    └── ChatGone        (bot.domain.errors) there is no such chat or message (any more)
        └── Moved       the group is a supergroup now, whose messages have other ids

A new message is never repeated but where it certainly was not sent. No token is in any error, nor in what is logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

import structlog
from telegram import Bot, InputFile, InputMediaDocument, InputMediaPhoto, MessageEntity, error
from telegram.request import BaseRequest
from telegram.warnings import PTBDeprecationWarning

from adapters.telegram import lanes, limits
from adapters.telegram.errors import (
    Conflict,
    NotAllowed,
    OutcomeUnknown,
    Rejected,
    TelegramError,
    TokenRefused,
    TooLarge,
)
from adapters.telegram.errors import Unavailable as _Unavailable
from adapters.telegram.ports import Begun, Json, Keyboard, KnownFile, Lane, Me, Pace, TelegramStore
from adapters.telegram.refs import account_of, chat_ref, group_of, is_group, message_id_of, message_ref, place_of
from adapters.telegram.transport import READ_S, AiohttpRequest, FileGone, NotSent
from adapters.telegram.words import Said, shortened
from bot.domain.errors import ChatClosed, ChatGone
from bot.domain.images import EXTENSIONS
from bot.domain.messages import Rendition
from bot.domain.refs import ChatRef, MessageRef
from bot.domain.utf16 import cut
from bot.ports import ImageStore
from bot.recent import Recent

log = structlog.get_logger("telegram")

API: Final = "https://api.telegram.org"
ALLOWED_UPDATES: Final = ("message", "edited_message", "callback_query", "my_chat_member")
CLOSED_WORDS: Final = "I am not allowed to write there at the moment."
GONE_WORDS: Final = "That chat or message is not there any more."
LONGEST_WAIT_S: Final = 600.0
"""Who is to wait longer is told so: a later try waits no longer than this one would have."""
_SHORT_WAIT_S = 10.0
_FLOOD_S = 5.0
"""Where Telegram does not say how long."""
_NICETY_S = 10.0
_KNOWN_S = 5.0
_NO_RIGHT_S = 60.0
_ADMINS_S = 60.0
_TRIES = 4

T = TypeVar("T")

# The library uses it itself, whether we do or not.
warnings.filterwarnings("ignore", message=".*`retry_after`", category=PTBDeprecationWarning)


class Unavailable(_Unavailable):
    """It was asked, and nobody knows what became of it; doing it again is harmless."""


class Moved(ChatGone):
    """`to` is the supergroup."""

    def __init__(self, to: ChatRef) -> None:
        super().__init__(GONE_WORDS)
        self.to = to


class _Flood(Exception):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class _Migrated(Exception):
    def __init__(self, to: int) -> None:
        super().__init__()
        self.to = to


class _Forbidden(Exception):
    """Until somebody lets the bot in again."""


class _NoRight(Exception):
    """For now."""


class _NoThread(Exception):
    pass


class _NotModified(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Media:
    """A picture for a message: `file` its bytes, or the id that Telegram has given it."""

    file: bytes | str = field(repr=False)
    filename: str
    as_photo: bool = True
    caption: Said = field(default_factory=Said)
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that stands there. `file_id` where it has a picture."""

    ref: MessageRef
    file_id: str = field(default="", repr=False)


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
        asked = {**_text(said), **_markup(keyboard)}
        chat, found = await self._send(chat, "sendMessage", asked, reply_to=reply_to, begun=begun)
        return _sent(chat, found).ref

    async def send_media(
        self,
        chat: ChatRef,
        media: Media,
        *,
        reply_to: MessageRef | None = None,
        keyboard: Keyboard = (),
        begun: Begun | None = None,
    ) -> Sent:
        asked: dict[str, Any] = {**_caption(media.caption), **_markup(keyboard)}
        if media.as_photo:
            asked |= {"photo": _file(media), "has_spoiler": media.spoiler or None}
        else:
            asked |= {"document": _file(media), "disable_content_type_detection": _undetected(media)}
        method = "sendPhoto" if media.as_photo else "sendDocument"
        chat, found = await self._send(chat, method, asked, reply_to=reply_to, begun=begun)
        return _sent(chat, found)

    async def send_album(
        self,
        chat: ChatRef,
        media: Sequence[Media],
        *,
        reply_to: MessageRef | None = None,
        begun: Begun | None = None,
    ) -> Sequence[Sent]:
        """Two to ten, all photos or all documents."""
        asked = {"media": [_input_media(each) for each in media]}
        places = len(media)
        chat, found = await self._send(chat, "sendMediaGroup", asked, reply_to=reply_to, begun=begun, places=places)
        return [_sent(chat, each) for each in found]

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
            await self._edit(message, "editMessageText", {**_text(said), **_markup(keyboard)}, spare=spare) is not None
        )

    async def edit_caption(
        self, message: MessageRef, said: Said, keyboard: Keyboard = (), *, spare: int | None = None
    ) -> bool:
        asked = {**_caption(said), **_markup(keyboard)}
        return await self._edit(message, "editMessageCaption", asked, spare=spare) is not None

    async def edit_media(
        self, message: MessageRef, media: Media, keyboard: Keyboard = (), *, spare: int | None = None
    ) -> Sent | None:
        """None where it was left out."""
        asked = {"media": _input_media(media), **_markup(keyboard)}
        found = await self._edit(message, "editMessageMedia", asked, spare=spare)
        return None if found is None else Sent(message, _file_id(found))

    async def change_keyboard(self, message: MessageRef, keyboard: Keyboard) -> None:
        await self._edit(message, "editMessageReplyMarkup", _markup(keyboard))

    async def delete(self, message: MessageRef) -> bool:
        id_ = message_id_of(message)
        if id_ is None or await self._where(message.chat) != group_of(message.chat):
            return False
        asked = {"chat_id": place_of(message.chat).chat, "message_id": id_}
        try:
            return bool(await self._in(message.chat, lanes.others(message.chat), "deleteMessage", asked))
        except ChatGone as gone:
            return not isinstance(gone, Moved)  # what is not there is deleted
        except (Rejected, _NoThread):
            return False

    async def closed(self, chat: ChatRef) -> str:
        _, why = await self._look_up(group_of(chat))
        return why

    # --- niceties

    async def seems_busy(self, chat: ChatRef) -> None:
        with contextlib.suppress(TelegramError, ChatClosed, _NoThread):
            where = await self._where(chat)
            if where == group_of(chat):
                asked = {**_address(chat), "action": "upload_photo"}
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
            whole = {**_address(chat), **_reply(chat, reply_to), **asked}
            await self._take(lanes.more(chat), places - 1)
            try:
                return chat, await self._in(chat, lanes.sends(chat), method, whole, new=True, begun=begun)
            except Moved:
                continue
            except _NoThread:
                chat = group_of(chat)
        raise _Unavailable

    async def _edit(self, message: MessageRef, method: str, asked: Json, *, spare: int | None = None) -> Any | None:
        """None where it was left out."""
        id_ = message_id_of(message)
        if id_ is None:
            raise ChatGone(GONE_WORDS)
        where = await self._where(message.chat)
        if where != group_of(message.chat):
            raise Moved(where)
        whole = {"chat_id": place_of(message.chat).chat, "message_id": id_, **asked}
        through = lanes.edits(message.chat, progress=spare is not None)
        read_s = None if spare is None else _NICETY_S
        for again in (True, False):
            try:
                return await self._in(message.chat, through, method, whole, spare=spare, read_s=read_s)
            except _NotModified:
                return True
            except _NoThread:
                raise ChatGone(GONE_WORDS) from None
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
        except _Forbidden as forbidden:
            log.info("telegram.closed", method=method)
            self._known.pop(group_of(chat), None)
            await self._store.close_chat(group_of(chat), str(forbidden))
        except _NoRight:
            self._no_right[chat] = time.monotonic() + _NO_RIGHT_S
        except _Migrated as migrated:
            to = chat_ref(self.account, migrated.to)
            self._known.pop(group_of(chat), None)
            await self._store.note_move(group_of(chat), to)
            raise Moved(to) from None
        raise ChatClosed(CLOSED_WORDS)

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
            except _Flood as flood:
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
        except _Flood as flood:
            log.info("telegram.flood", method=method, seconds=flood.seconds)
            raise _Unavailable from None
        except (_Forbidden, _NoRight, _Migrated, _NoThread, _NotModified) as refused:
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
        raise failure  # out here, so that nothing that knows more than it should is its context

    # --- what is known of chats

    async def _where(self, chat: ChatRef) -> ChatRef:
        """The group itself, or what it has become. Raises `ChatClosed` without asking where nothing can be posted."""
        if time.monotonic() < self._no_right.get(chat, 0.0):
            raise ChatClosed(CLOSED_WORDS)
        group = group_of(chat)
        until, where = self._known.get(group, (0.0, group))
        if time.monotonic() < until:
            return where
        where, closed = await self._look_up(group)
        if closed:
            raise ChatClosed(CLOSED_WORDS)
        return where

    async def _look_up(self, group: ChatRef) -> tuple[ChatRef, str]:
        to, closed = await self._store.state(group)
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


# --- errors

_SAYS: Final[Sequence[tuple[str, Callable[[str], Exception]]]] = (
    (r"message is not modified", lambda _: _NotModified()),
    (r"message thread not found|topic_id_invalid|topic_deleted", lambda _: _NoThread()),
    (
        r"chat not found|message to (edit|delete|copy|forward) not found|message_id_invalid|peer_id_invalid"
        r"|message can't be edited|chat_id_invalid|user not found|group chat was upgraded",
        lambda _: ChatGone(GONE_WORDS),
    ),
    (
        r"rights to send (a )?(photo|document|media|video|audio|voice|sticker|animation)"
        r"|chat_send_(photos|docs|media|videos|audios|voices|stickers|gifs)_forbidden",
        NotAllowed,
    ),
    (
        r"not enough rights|have no rights|need administrator rights|chat_write_forbidden|topic_closed"
        r"|chat_send_\w+_forbidden|chat_restricted",
        lambda _: _NoRight(),
    ),
    (r"too (big|large)", TooLarge),
    (r"too many requests", lambda _: _Flood(_FLOOD_S)),
)
"""What descriptions say (tdlib/telegram-bot-api and td, 2026-11), beside what has an error of its own."""


def failure_of(found: error.TelegramError, *, new: bool) -> Exception:
    """What an error of the library's means. `BadRequest` is a `NetworkError` there, so the order matters."""
    description = cut(str(found), 200)
    match found:
        case error.RetryAfter():
            failure: Exception = _Flood(_seconds(found))
        case error.ChatMigrated():
            failure = _Migrated(found.new_chat_id)
        case error.Forbidden():
            failure = _Forbidden(description)
        case error.InvalidToken() | error.EndPointNotFound():
            failure = TokenRefused("Telegram refused TELEGRAM_TOKEN. Ask @BotFather for a new one, and copy it.")
        case error.Conflict():
            failure = Conflict("Somebody else asks for this bot's messages.")
        case NotSent():
            failure = _Unavailable("Telegram can't be reached.")
        case error.BadRequest():
            failure = _said(description) or Rejected(description)
        case error.TimedOut():
            failure = _unanswered(new=new)
        case _:
            failure = _said(description) or _unanswered(new=new)
    return failure


def _said(description: str) -> Exception | None:
    found = (make(description) for pattern, make in _SAYS if re.search(pattern, description, re.IGNORECASE))
    return next(found, None)


def _unanswered(*, new: bool) -> Exception:
    return OutcomeUnknown("Telegram did not answer.") if new else Unavailable("Telegram did not answer.")


def _seconds(flood: error.RetryAfter) -> float:
    """As it is pickled: asked for by its name, the library warns that it will be of another type one day."""
    return float(flood.__reduce__()[1][0])


# --- arguments, and what comes back


def _address(chat: ChatRef) -> dict[str, Any]:
    place = place_of(chat)
    return {"chat_id": place.chat, **({} if place.topic is None else {"message_thread_id": place.topic})}


def _reply(chat: ChatRef, to: MessageRef | None) -> dict[str, Any]:
    """What it replies to may be deleted by now: it is posted all the same. In a group that has moved the ids are
    others'."""
    id_ = message_id_of(to) if to is not None and group_of(to.chat) == group_of(chat) else None
    return {} if id_ is None else {"reply_parameters": {"message_id": id_, "allow_sending_without_reply": True}}


def _text(said: Said) -> dict[str, Any]:
    return {
        "text": said.text,
        "entities": _entities(said),
        "link_preview_options": {"is_disabled": True},
    }


def _caption(said: Said) -> dict[str, Any]:
    return {"caption": said.text, "caption_entities": _entities(said)}


def _entities(said: Said) -> list[dict[str, Any]] | None:
    return [each.to_dict() for each in said.entities] or None


def _markup(keyboard: Keyboard) -> dict[str, Any]:
    """An edit without a keyboard takes away the one that is there, which is what is meant."""
    rows = [[{"text": key.label, "callback_data": key.data} for key in row] for row in keyboard if row]
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def _file(media: Media) -> InputFile | str:
    return media.file if isinstance(media.file, str) else InputFile(media.file, filename=media.filename)


def _input_media(media: Media) -> InputMediaPhoto | InputMediaDocument:
    entities = media.caption.entities or None
    file: Any = media.file if isinstance(media.file, str) else InputFile(media.file, media.filename, attach=True)
    if media.as_photo:
        return InputMediaPhoto(file, media.caption.text, caption_entities=entities, has_spoiler=media.spoiler or None)
    undetected = _undetected(media)
    return InputMediaDocument(
        file, media.caption.text, caption_entities=entities, disable_content_type_detection=undetected
    )


def _undetected(media: Media) -> bool | None:
    """A WebP file would be taken for a sticker."""
    return media.filename.endswith(".webp") or None


def _sent(chat: ChatRef, found: Mapping[str, Any]) -> Sent:
    place = place_of(chat)
    return Sent(message_ref(chat.account, place.chat, int(found["message_id"]), place.topic), _file_id(found))


def _file_id(found: Any) -> str:
    if not isinstance(found, Mapping):
        return ""
    message = cast(Json, found)
    sizes: Sequence[Json] = message.get("photo") or []
    if sizes:
        return str(max(sizes, key=_area).get("file_id", ""))
    document: Json = message.get("document") or {}
    return str(document.get("file_id", ""))


def _area(size: Json) -> int:
    return int(size.get("width", 0)) * int(size.get("height", 0))


def _unknown_name(method: str) -> str:
    """The library warns of raw calls by a name that it has a method for: this one it has none for, and makes the same
    of it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", method)


def _is_below(path: str) -> bool:
    """Nothing in it leads up, to where another method of the same token may be."""
    return not {".", ".."}.intersection(path.replace("\\", "/").split("/"))


def _url_path(path: str) -> str:
    return quote(path.lstrip("/"), safe="/-_.~")
