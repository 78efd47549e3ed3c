"""A message of the page as it is kept (text to text) and as the JSON interface shows it. Pure functions.

| field | meaning |
| --- | --- |
| id, author_id, author_name, text, reply_to, created_at | as in the interface; `reply_to` "" for none |
| turn_id, state, final | of an answer |
| images | JSON: what is shown, as {sha256, media_type, width_px, height_px, alt} |
| lines, suggestions, holds, position, started_at | of an answer, JSON |
| uploads | JSON: [handle, filename, size] of each file that a person sent |
| key | the Idempotency-Key of a person's message, so that their browser knows it again |
| asked, answer_id | of a person's message, once the core has taken it |
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from adapters.web.ports import Record
from bot.domain.messages import Answer, Attachment, InboundMessage, Rendition
from bot.domain.refs import ChatRef, MessageRef, Sha256, TurnId, UserRef, short_hash
from bot.domain.turns import FINAL_STATES, TurnState

PLATFORM = "web"
ACCOUNT = "page"
BOT_ID = "remixbot"
BOT_NAME = "Remixbot"


def chat_ref(chat: str) -> ChatRef:
    return ChatRef(PLATFORM, ACCOUNT, chat)


def message_id_of(chat: str, person: str, key: str) -> str:
    """The id of a person's message, from its Idempotency-Key: a repeat is the same message."""
    return "m" + short_hash("page-message", chat, person, key)


def answer_id_of(turn: TurnId) -> str:
    """The id of the message that answers a turn: reserving it again is the same message."""
    return "a" + short_hash("page-answer", turn)


def person_record(message: InboundMessage, *, key: str) -> dict[str, str]:
    uploads = [[a.handle, a.filename, a.size_bytes] for a in message.attachments]
    return {
        "id": message.ref.message,
        "author_id": message.author.user,
        "author_name": message.author_name,
        "text": message.text,
        "reply_to": message.reply_to.message if message.reply_to else "",
        "created_at": repr(message.created_at),
        "key": key,
        "uploads": json.dumps(uploads),
    }


def inbound_of(chat: str, record: Record) -> InboundMessage:
    """The inverse of `person_record`."""
    place = chat_ref(chat)
    return InboundMessage(
        ref=MessageRef(place, record["id"]),
        author=UserRef(PLATFORM, record["author_id"]),
        author_name=record["author_name"],
        text=record["text"],
        created_at=float(record["created_at"]),
        attachments=tuple(Attachment(*upload) for upload in json.loads(record["uploads"])),
        reply_to=MessageRef(place, record["reply_to"]) if record["reply_to"] else None,
    )


def reserved_record(message: InboundMessage, turn: TurnId, *, created_at: float) -> dict[str, str]:
    return {
        "id": answer_id_of(turn),
        "author_id": BOT_ID,
        "author_name": BOT_NAME,
        "text": "",
        "reply_to": message.ref.message,
        "turn_id": turn,
        "state": TurnState.ACCEPTED.value,
        "created_at": repr(created_at),
    }


def answer_record(answer: Answer) -> dict[str, str]:
    """The fields of an answer that filling it sets."""
    return {
        "state": answer.state.value,
        "final": "1" if answer.state in FINAL_STATES else "",
        "text": "\n".join(answer.lines),
        "lines": json.dumps(answer.lines),
        "images": images_field(answer.images),
        "suggestions": json.dumps(answer.suggestions),
        "holds": json.dumps(sorted(hold.value for hold in answer.holds)),
        "position": json.dumps(answer.position),
        "started_at": json.dumps(answer.started_at),
    }


def images_field(pictures: Sequence[Rendition]) -> str:
    shown = [
        {
            "sha256": picture.image.sha256,
            "media_type": picture.image.media_type,
            "width_px": picture.image.width_px,
            "height_px": picture.image.height_px,
            "alt": picture.alt,
        }
        for picture in pictures
    ]
    return json.dumps(shown)


def media_types(pictures: Sequence[Rendition]) -> dict[Sha256, str]:
    return {picture.image.sha256: picture.image.media_type for picture in pictures}


def public(chat: str, record: Record) -> dict[str, Any]:
    """A message as the JSON interface shows it (docs/page-api.md)."""
    images = json.loads(record.get("images", "[]"))
    return {
        "id": record["id"],
        "number": int(record["number"]),
        "chat": chat,
        "author": {
            "id": record["author_id"],
            "name": record["author_name"],
            "is_bot": record["author_id"] == BOT_ID,
        },
        "text": record["text"],
        "reply_to": record["reply_to"] or None,
        "turn_id": record.get("turn_id"),
        "state": record.get("state"),
        "images": [image | {"url": f"/api/chats/{chat}/images/{image['sha256']}"} for image in images],
        "key": record.get("key") or None,
        "uploads": len(json.loads(record.get("uploads", "[]"))),
        "created_at": float(record["created_at"]),
        "lines": json.loads(record.get("lines", "[]")),
        "suggestions": json.loads(record.get("suggestions", "[]")),
        "holds": json.loads(record.get("holds", "[]")),
        "position": json.loads(record.get("position", "null")),
        "started_at": json.loads(record.get("started_at", "null")),
    }
