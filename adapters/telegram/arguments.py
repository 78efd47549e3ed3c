"""What is asked of Telegram as it wants it, and what it says of a message. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from telegram import InputFile, InputMediaDocument, InputMediaPhoto

from adapters.telegram.ports import Json, Keyboard
from adapters.telegram.refs import group_of, message_id_of, message_ref, place_of
from adapters.telegram.words import Said
from bot.domain.refs import ChatRef, MessageRef


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


def address(chat: ChatRef) -> dict[str, Any]:
    place = place_of(chat)
    return {"chat_id": place.chat, **({} if place.topic is None else {"message_thread_id": place.topic})}


def replying(chat: ChatRef, to: MessageRef | None) -> dict[str, Any]:
    """What it replies to may be deleted by now: it is posted all the same. In a group that has moved the ids are
    others'."""
    id_ = message_id_of(to) if to is not None and group_of(to.chat) == group_of(chat) else None
    return {} if id_ is None else {"reply_parameters": {"message_id": id_, "allow_sending_without_reply": True}}


def text_of(said: Said) -> dict[str, Any]:
    return {
        "text": said.text,
        "entities": _entities(said),
        "link_preview_options": {"is_disabled": True},
    }


def caption_of(said: Said) -> dict[str, Any]:
    return {"caption": said.text, "caption_entities": _entities(said)}


def _entities(said: Said) -> list[dict[str, Any]] | None:
    return [each.to_dict() for each in said.entities] or None


def markup(keyboard: Keyboard) -> dict[str, Any]:
    """An edit without a keyboard takes away the one that is there, which is what is meant."""
    rows = [[{"text": key.label, "callback_data": key.data} for key in row] for row in keyboard if row]
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def file_of(media: Media) -> InputFile | str:
    return media.file if isinstance(media.file, str) else InputFile(media.file, filename=media.filename)


def input_media(media: Media) -> InputMediaPhoto | InputMediaDocument:
    entities = media.caption.entities or None
    file: Any = media.file if isinstance(media.file, str) else InputFile(media.file, media.filename, attach=True)
    if media.as_photo:
        return InputMediaPhoto(file, media.caption.text, caption_entities=entities, has_spoiler=media.spoiler or None)
    as_it_is = undetected(media)
    return InputMediaDocument(
        file, media.caption.text, caption_entities=entities, disable_content_type_detection=as_it_is
    )


def undetected(media: Media) -> bool | None:
    """A WebP file would be taken for a sticker."""
    return media.filename.endswith(".webp") or None


def sent_in(chat: ChatRef, found: Mapping[str, Any]) -> Sent:
    place = place_of(chat)
    return Sent(message_ref(chat.account, place.chat, int(found["message_id"]), place.topic), file_id_in(found))


def file_id_in(found: Any) -> str:
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
