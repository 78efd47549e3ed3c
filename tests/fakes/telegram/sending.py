"""Methods that put new messages into a chat."""

from __future__ import annotations

from typing import Any

from tests.fakes.telegram.calls import Aim, Call, aim, caption_of, keyboard_of, may_send, media_of, open_chat, text_of
from tests.fakes.telegram.media import Kind
from tests.fakes.telegram.refusals import Json, bad
from tests.fakes.telegram.state import Chat, Message
from tests.fakes.telegram.wire import message_json, origin

_ALBUM = range(2, 11)
_TOGETHER: dict[str, str] = {"photo": "visual", "video": "visual", "document": "document", "audio": "audio"}


def _made(call: Call, chat: Chat, at: Aim, **fields: Any) -> Message:
    made = Message(
        call.fake,
        chat.next_id(),
        chat,
        call.fake.bot_user,
        thread_id=at.thread_id,
        reply_to_message=at.replied,
        reply=dict(at.extra),
        silent=call.on("disable_notification"),
        protected=call.on("protect_content"),
        **fields,
    )
    return call.fake.post(made)


async def send_message(call: Call) -> Json:
    chat = open_chat(call)
    may_send(chat, "text")
    words, found = text_of(call)
    at, keyboard = aim(call, chat), keyboard_of(call)
    made = _made(call, chat, at, text=words, entities=found, keyboard_json=keyboard,
                 parse_mode=call.get("parse_mode", ""), link_preview=call.get("link_preview_options"))  # fmt: skip
    return message_json(made)


async def _send_file(call: Call, kind: Kind) -> Json:
    chat = open_chat(call)
    may_send(chat, kind)
    words, found = caption_of(call.arguments)
    aim(call, chat)
    keyboard = keyboard_of(call)
    media = await media_of(call, kind, call.get(kind))
    made = _made(call, chat, aim(call, chat), caption=words, entities=found, keyboard_json=keyboard, media=media,
                 parse_mode=call.get("parse_mode", ""), spoiler=call.on("has_spoiler"),
                 above=call.on("show_caption_above_media"))  # fmt: skip
    return message_json(made)


async def send_photo(call: Call) -> Json:
    return await _send_file(call, "photo")


async def send_document(call: Call) -> Json:
    return await _send_file(call, "document")


async def send_video(call: Call) -> Json:
    return await _send_file(call, "video")


async def send_animation(call: Call) -> Json:
    return await _send_file(call, "animation")


async def send_sticker(call: Call) -> Json:
    return await _send_file(call, "sticker")


async def send_voice(call: Call) -> Json:
    return await _send_file(call, "voice")


async def send_media_group(call: Call) -> list[Json]:
    chat = open_chat(call)
    items = call.get("media")
    if len(items) not in _ALBUM:
        raise bad("media group must include 2-10 items")
    together = {_TOGETHER.get(each["type"], "") for each in items}
    if "" in together or len(together) > 1:
        raise bad("documents and audio can't be mixed with other media types in a media group")
    aim(call, chat)
    captions = [caption_of(each) for each in items]
    media = []
    for each in items:
        may_send(chat, each["type"])
        media.append(await media_of(call, each["type"], each["media"]))
    at, album = aim(call, chat), call.fake.album_id()
    made = [
        _made(call, chat, at, caption=words, entities=found, media=one, album=album,
              parse_mode=each.get("parse_mode", ""), spoiler=bool(each.get("has_spoiler")))
        for each, (words, found), one in zip(items, captions, media, strict=True)
    ]  # fmt: skip
    return [message_json(each) for each in made]


def _source(call: Call) -> Message:
    where = call.fake.chats.get(call.get("from_chat_id"))
    found = where.log.get(call.get("message_id")) if where else None
    if where is None:
        raise bad("chat not found")
    if found is None or found.deleted:
        raise bad("message to forward not found")
    return found


async def forward_message(call: Call) -> Json:
    chat, source = open_chat(call), _source(call)
    at = aim(call, chat)
    made = _made(call, chat, at, text=source.text, caption=source.caption, entities=list(source.entities),
                 media=source.media, spoiler=source.spoiler, forward={"forward_origin": origin(source)})  # fmt: skip
    return message_json(made)


async def copy_message(call: Call) -> Json:
    chat, source = open_chat(call), _source(call)
    at, words, found = aim(call, chat), source.caption, list(source.entities)
    if call.get("caption") is not None:
        words, found = caption_of(call.arguments)
    made = _made(call, chat, at, text=source.text, caption=words, entities=found, media=source.media,
                 keyboard_json=keyboard_of(call), spoiler=source.spoiler)  # fmt: skip
    return {"message_id": made.id}
