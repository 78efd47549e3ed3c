"""What is common to all methods: the call itself, and how the things it names are found."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes.telegram import entities
from tests.fakes.telegram.bodies import Body
from tests.fakes.telegram.media import Kind, Media, shrink
from tests.fakes.telegram.refusals import Json, Refused, bad, forbidden
from tests.fakes.telegram.state import Chat, Message
from tests.fakes.telegram.wire import external_reply

if TYPE_CHECKING:
    from tests.fakes.telegram.server import FakeTelegram

TEXT, CAPTION = 4096, 1024
_CALLBACK_BYTES, _KEYS, _KEYS_OF_A_ROW = 64, 100, 8
_PRESSED = ("url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
            "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay")  # fmt: skip


@dataclass(frozen=True)
class Call:
    """`arguments` are of the right types already."""

    fake: FakeTelegram
    method: str
    arguments: Json
    body: Body

    def get(self, name: str, default: Any = None) -> Any:
        return self.arguments.get(name, default)

    def on(self, name: str) -> bool:
        return bool(self.arguments.get(name))


def chat_of(call: Call, name: str = "chat_id") -> Chat:
    """Wherever the bot may ask something of it. Raises as the server does for groups that have moved."""
    wanted = call.get(name)
    chats = call.fake.chats
    if isinstance(wanted, str) and wanted.startswith("@"):
        found = next((each for each in chats.values() if each.username.lower() == wanted[1:].lower()), None)
    else:
        found = chats.get(wanted)
    if not wanted:
        raise bad("chat_id is empty")
    if found is None:
        raise bad("chat not found")
    if found.moved_to:
        raise Refused(400, "group chat was upgraded to a supergroup chat", migrate_to_chat_id=found.moved_to.id)
    return found


def open_chat(call: Call) -> Chat:
    """Where the bot may write."""
    chat, bot = chat_of(call), call.fake.bot_user
    if chat.person:
        if chat.person.deactivated:
            raise forbidden("user is deactivated")
        if chat.person.blocks_bot:
            raise forbidden("bot was blocked by the user")
        if not chat.person.started:
            raise forbidden("bot can't initiate conversation with a user")
        return chat
    member = chat.members.get(bot.id)
    if member and member.status == "kicked":
        raise forbidden(f"bot was kicked from the {chat.type} chat")
    if not chat.has(bot):
        raise forbidden(f"bot is not a member of the {chat.type} chat")
    return chat


def may_send(chat: Chat, kind: str) -> None:
    if kind in chat.cannot_send:
        named = {"text": "text messages", "photo": "photos", "document": "documents"}.get(kind, f"{kind}s")
        raise bad(f"not enough rights to send {named} to the chat")


def message_of(call: Call, chat: Chat, what: str) -> Message:
    found = chat.log.get(call.get("message_id", 0))
    if found is None or found.deleted:
        raise bad(f"message to {what} not found")
    return found


@dataclass(frozen=True)
class Aim:
    """Where a new message goes, and what it replies to."""

    thread_id: int | None
    replied: Message | None
    extra: Json


def aim(call: Call, chat: Chat) -> Aim:
    wanted, reply = call.get("message_thread_id"), call.get("reply_parameters")
    topic = chat.topics.get(wanted) if wanted is not None else None
    if wanted is not None and (topic is None or topic.gone):
        raise bad("message thread not found")
    if not reply:
        _check_open(call, chat, wanted)
        return Aim(wanted, None, {})
    other = reply.get("chat_id") not in (None, chat.id)
    where = call.fake.chats.get(reply["chat_id"]) if other else chat
    found = where.log.get(reply["message_id"]) if where else None
    gone = found is None or found.deleted or (not other and wanted is not None and found.thread_id != wanted)
    if gone or found is None:
        if not reply.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        _check_open(call, chat, wanted)
        return Aim(wanted, None, {})
    extra = _quote(reply, found)
    if other:
        return Aim(wanted, None, extra | {"external_reply": external_reply(found)})
    _check_open(call, chat, found.thread_id)
    return Aim(found.thread_id, found, extra)


def _check_open(call: Call, chat: Chat, thread_id: int | None) -> None:
    topic = chat.topics.get(thread_id) if thread_id is not None else None
    member = chat.members.get(call.fake.bot_user.id)
    if topic and topic.closed and not (member and member.status == "administrator"):
        raise bad("TOPIC_CLOSED")


def _quote(reply: Json, found: Message) -> Json:
    quote = reply.get("quote")
    if not quote:
        return {}
    if quote not in found.words:
        raise bad("QUOTE_TEXT_INVALID")
    position = entities.units(found.words[: found.words.index(quote)])
    return {"quote": {"text": quote, "position": position, "is_manual": True}}


def words_of(given: Json, name: str, entities_name: str, most: int) -> tuple[str, list[Json]]:
    told, found = entities.settled(
        given.get(name) or "", given.get(entities_name) or (), parse_mode=given.get("parse_mode") or ""
    )
    if entities.units(told) > most:
        raise bad("message is too long" if name == "text" else "message caption is too long")
    return told, found


def text_of(call: Call) -> tuple[str, list[Json]]:
    told, found = words_of(call.arguments, "text", "entities", TEXT)
    if entities.is_empty(told):
        raise bad("message text is empty" if not told else "text must be non-empty")
    return told, found


def caption_of(given: Json) -> tuple[str, list[Json]]:
    return words_of(given, "caption", "caption_entities", CAPTION)


def keyboard_of(call: Call) -> Json | None:
    """An inline keyboard without its empty rows; None where there is none."""
    given = call.get("reply_markup")
    if not given or "inline_keyboard" not in given:
        return None
    rows = [row for row in given["inline_keyboard"] if row]
    if sum(map(len, rows)) > _KEYS or any(len(row) > _KEYS_OF_A_ROW for row in rows):
        raise bad("reply markup is too long")
    for key in (key for row in rows for key in row):
        _check_key(key)
    return {"inline_keyboard": rows} if rows else None


def _check_key(key: Json) -> None:
    if not key["text"].strip():
        raise bad('can\'t parse inline keyboard button: Field "text" must be non-empty')
    if sum(name in key for name in _PRESSED) != 1:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if "callback_data" in key and not 1 <= len(key["callback_data"].encode()) <= _CALLBACK_BYTES:
        raise bad("BUTTON_DATA_INVALID")
    if "url" in key and not key["url"].startswith(("http://", "https://", "tg://")):
        raise bad(f"inline keyboard button URL '{key['url']}' is invalid: Wrong HTTP URL")


async def media_of(call: Call, kind: Kind, value: str, *, has_name: str = "") -> Media:
    """A file that came along, or one that is known already by its id."""
    sent = call.body.file_at(value)
    if sent is None:
        if value.startswith(("http://", "https://")):
            raise bad("failed to get HTTP URL content")
        return call.fake.files.again(call.fake.media_of(value), kind)
    name, data = sent
    if not data:
        raise bad("file must be non-empty")
    if len(data) > call.fake.upload_limit_bytes:
        raise Refused(413, "Request Entity Too Large")
    if kind == "photo":
        return call.fake.files.photo(data, await asyncio.to_thread(shrink, data))
    return await asyncio.to_thread(call.fake.files.other, kind, data, has_name or name)
