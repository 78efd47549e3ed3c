"""Methods that change messages, or take them away."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tests.fakes.telegram.calls import (
    Call,
    caption_of,
    chat_of,
    keyboard_of,
    may_send,
    media_of,
    message_of,
    open_chat,
    text_of,
)
from tests.fakes.telegram.media import Media
from tests.fakes.telegram.refusals import NOT_MODIFIED, Json, bad
from tests.fakes.telegram.state import Chat, Message
from tests.fakes.telegram.wire import message_json

_DELETABLE_S = 48 * 3600
_VISUAL = {"photo", "video", "animation"}


def _own(call: Call) -> Message:
    if "inline_message_id" in call.arguments:
        raise bad("MESSAGE_ID_INVALID")
    if call.get("chat_id") is None or call.get("message_id") is None:
        raise bad("message identifier is not specified")
    found = message_of(call, open_chat(call), "edit")
    if found.author is not call.fake.bot_user or found.forward or found.service:
        raise bad("message can't be edited")
    return found


def _changed(
    call: Call,
    message: Message,
    *,
    words: str,
    entities: list[Json],
    keyboard: Json | None,
    media: Media | None,
    spoiler: bool,
) -> Json:
    before = (message.words, message.entities, message.keyboard_json, message.media, message.spoiler)
    if before == (words, entities, keyboard, media, spoiler):
        raise bad(NOT_MODIFIED)
    message.text, message.caption = ("", words) if media else (words, "")
    message.entities, message.keyboard_json, message.media, message.spoiler = entities, keyboard, media, spoiler
    message.parse_mode = call.get("parse_mode", "")
    call.fake.edited(message, by_user=False)
    return message_json(message)


async def edit_text(call: Call) -> Json:
    message = _own(call)
    if message.media:
        raise bad("there is no text in the message to edit")
    words, found = text_of(call)
    return _changed(call, message, words=words, entities=found, keyboard=keyboard_of(call), media=None, spoiler=False)


async def edit_caption(call: Call) -> Json:
    message = _own(call)
    if not message.media or message.kind == "sticker":
        raise bad("there is no caption in the message to edit")
    words, found = caption_of(call.arguments)
    return _changed(call, message, words=words, entities=found, keyboard=keyboard_of(call), media=message.media,
                    spoiler=message.spoiler)  # fmt: skip


async def edit_media(call: Call) -> Json:
    message, given = _own(call), call.get("media")
    if message.kind in ("sticker", "voice"):
        raise bad("there is no media in the message to edit")
    may_send(message.chat, given["type"])
    if message.album and (message.kind in _VISUAL) != (given["type"] in _VISUAL - {"animation"}):
        raise bad("message content type can't be changed in an album")
    words, found = caption_of(given)
    keyboard = keyboard_of(call)
    media = await media_of(call, given["type"], given["media"])
    if message.deleted:
        raise bad("message to edit not found")
    return _changed(call, message, words=words, entities=found, keyboard=keyboard, media=media,
                    spoiler=bool(given.get("has_spoiler")))  # fmt: skip


async def edit_markup(call: Call) -> Json:
    message = _own(call)
    keyboard = keyboard_of(call)
    if keyboard == message.keyboard_json:
        raise bad(NOT_MODIFIED)
    message.keyboard_json = keyboard
    call.fake.edited(message, by_user=False)
    return message_json(message)


def _may_delete(call: Call, chat: Chat, message: Message) -> bool:
    """Own messages and those in private chats within two days; of others, where the bot administrates."""
    member = chat.members.get(call.fake.bot_user.id)
    if member and member.status == "administrator":
        return True
    young = time.time() - message.date < _DELETABLE_S
    return young and (message.author is call.fake.bot_user or chat.type == "private")


def _delete(call: Call, ids: Sequence[int]) -> None:
    chat = open_chat(call)
    for each in ids:
        message = chat.log.get(each)
        if message and not message.deleted and not _may_delete(call, chat, message):
            raise bad("message can't be deleted")
    for each in ids:
        if each in chat.log:
            chat.log[each].deleted = True
    call.fake.changed()


async def delete_message(call: Call) -> bool:
    message_of(call, open_chat(call), "delete")
    _delete(call, [call.get("message_id")])
    return True


async def delete_messages(call: Call) -> bool:
    """Those that are gone are passed over."""
    ids = call.get("message_ids")
    if not 1 <= len(ids) <= 100:
        raise bad("message identifiers are not specified")
    _delete(call, ids)
    return True


async def react(call: Call) -> bool:
    message = message_of(call, open_chat(call), "react")
    given = call.get("reaction") or []
    if len(given) > 1:
        raise bad("REACTIONS_TOO_MANY")
    if any(each["type"] != "emoji" for each in given):
        raise bad("REACTION_INVALID")
    message.reactions = [each["emoji"] for each in given]
    call.fake.changed()
    return True


_ACTIONS = {"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
            "choose_sticker", "find_location", "record_video_note", "upload_video_note"}  # fmt: skip


async def chat_action(call: Call) -> bool:
    chat = open_chat(call)
    if call.get("action") not in _ACTIONS:
        raise bad("wrong parameter action in request")
    wanted = call.get("message_thread_id")
    if wanted is not None and (wanted not in chat.topics or chat.topics[wanted].gone):
        raise bad("message thread not found")
    return True


async def leave(call: Call) -> bool:
    chat = chat_of(call)
    if chat.type == "private":
        raise bad("chat can't be left")
    call.fake.take_bot_out(chat, by=call.fake.bot_user, status="left")
    return True
