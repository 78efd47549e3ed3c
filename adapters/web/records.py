"""A message of the page as it is kept (text to text) and as the JSON interface shows it. Pure functions.

| field | meaning |
| --- | --- |
| id, author_id, author_name, text, reply_to, created_at | as in the interface; `reply_to` "" for none |
| turn_id, state, final | of an answer |
| reply_index | of a person's message: which picture of the message replied to is meant, "" for all of them |
| press | JSON: [act, argument] of a control that a person pressed, or null |
| images | JSON: what is shown, as {sha256, media_type, width_px, height_px, alt, has_alpha, index} |
| lines, suggestions, controls, sources, holds, position, started_at | of an answer, JSON |
| kinds | of an answer, JSON: of each of its lines, what it is: "heard", "roles", or "" for plain words |
| language | of a person's message: the one that their browser asks for, "" where we speak none of those |
| asks | of an answer, JSON: [id, name] of each person whose consent it waits for |
| credit | of an answer, JSON: {asker: [id, name], owners: [id]}, or null |
| vote | of an answer, JSON: {turn_id, voted} while people may vote on it, or null |
| spoiler | of an answer: "1" where its pictures are hidden until they are opened |
| panels | of an album's answer, JSON: {turn_id, state, words, image, controls} of each turn |
| uploads | JSON: [handle, filename, size] of each picture that a person sent |
| voice, file | JSON: the same of their voice message, and of a recipe's file, or null |
| files | of an answer, JSON: [name, text] of each file that it hands out |
| key | the Idempotency-Key of a person's message, so that their browser knows it again |
| asked, answer_id | of a person's message, once the core has taken it |
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from adapters.web.ports import Record
from bot.domain.actions import Act, Control, Press
from bot.domain.messages import Answer, Attachment, Credit, InboundMessage, Panel, Rendition
from bot.domain.refs import ChatRef, MessageRef, Person, Sha256, TurnId, UserRef, short_hash
from bot.domain.turns import FINAL_STATES, TurnState

PLATFORM = "web"
ACCOUNT = "page"
BOT_ID = "remixbot"
BOT_NAME = "Remixbot"
VOICE = "-voice"
"""How the handle of a voice message ends."""


def chat_ref(chat: str) -> ChatRef:
    return ChatRef(PLATFORM, ACCOUNT, chat)


def message_id_of(chat: str, person: str, key: str) -> str:
    """The id of a person's message, from its Idempotency-Key: a repeat is the same message."""
    return "m" + short_hash("page-message", chat, person, key)


def answer_id_of(turn: TurnId) -> str:
    """The id of the message that answers a turn: reserving it again is the same message."""
    return "a" + short_hash("page-answer", turn)


def person_record(message: InboundMessage, *, key: str) -> dict[str, str]:
    press, voice = message.press, message.voice
    return {
        "id": message.ref.message,
        "author_id": message.author.user,
        "author_name": message.author_name,
        "text": message.text,
        "reply_to": message.reply_to.message if message.reply_to else "",
        "reply_index": "" if message.reply_index is None else str(message.reply_index),
        "press": json.dumps([press.act.value, press.argument] if press else None),
        "created_at": repr(message.created_at),
        "key": key,
        "uploads": json.dumps([_upload(each) for each in message.attachments]),
        "voice": json.dumps(_upload(voice) if voice else None),
        "file": json.dumps(_upload(message.file) if message.file else None),
        "language": message.language,
    }


def _upload(attachment: Attachment) -> list[str | int | None]:
    return [attachment.handle, attachment.filename, attachment.size_bytes]


def inbound_of(chat: str, record: Record) -> InboundMessage:
    """The inverse of `person_record`. Records from before there were controls, voices and languages have no such
    fields."""
    place = chat_ref(chat)
    press, voice = json.loads(record.get("press", "null")), json.loads(record.get("voice", "null"))
    file = json.loads(record.get("file", "null"))
    return InboundMessage(
        ref=MessageRef(place, record["id"]),
        author=UserRef(PLATFORM, record["author_id"]),
        author_name=record["author_name"],
        text=record["text"],
        created_at=float(record["created_at"]),
        attachments=tuple(Attachment(*upload) for upload in json.loads(record["uploads"])),
        reply_to=MessageRef(place, record["reply_to"]) if record["reply_to"] else None,
        reply_index=int(record["reply_index"]) if record.get("reply_index") else None,
        press=Press(Act(press[0]), press[1]) if press else None,
        voice=Attachment(*voice) if voice else None,
        file=Attachment(*file) if file else None,
        language=record.get("language", ""),
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
        "kinds": json.dumps([_kind(answer, line) for line in answer.lines]),
        "images": json.dumps(_album_images(answer.panels)) if answer.panels else images_field(answer.images),
        "panels": json.dumps([_panel(place, panel) for place, panel in enumerate(answer.panels)]),
        "suggestions": json.dumps(answer.suggestions),
        "controls": json.dumps(_controls(answer.controls)),
        "sources": json.dumps([{"title": source.title, "url": source.url} for source in answer.sources]),
        "holds": json.dumps(sorted(hold.value for hold in answer.holds)),
        "position": json.dumps(answer.position),
        "started_at": json.dumps(answer.started_at),
        "asks": json.dumps([_person(each) for each in answer.asks]),
        "credit": json.dumps(_credit(answer.credit) if answer.credit else None),
        "vote": json.dumps({"turn_id": answer.vote.turn, "voted": answer.vote.voted} if answer.vote else None),
        "spoiler": "1" if answer.spoiler else "",
        "files": json.dumps([[each.name, each.text] for each in answer.files]),
    }


def _kind(answer: Answer, line: str) -> str:
    return "heard" if line == answer.heard else "roles" if line == answer.roles else ""


def _person(person: Person) -> list[str]:
    return [person.user.user, person.name]


def _credit(credit: Credit) -> dict[str, list[str]]:
    return {"asker": _person(credit.asker), "owners": [owner.user for owner in credit.owners]}


def images_field(pictures: Sequence[Rendition]) -> str:
    return json.dumps([_image(index, picture) for index, picture in enumerate(pictures)])


def _image(index: int, picture: Rendition) -> dict[str, Any]:
    """`index` is what a reply to this picture alone gives as its `reply_index`."""
    return {
        "sha256": picture.image.sha256,
        "media_type": picture.image.media_type,
        "width_px": picture.image.width_px,
        "height_px": picture.image.height_px,
        "alt": picture.alt,
        "has_alpha": picture.image.has_alpha,
        "index": index,
    }


def _album_images(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """Those that are there, each with its place in the album."""
    return [_image(place, panel.image) for place, panel in enumerate(panels) if panel.image]


def _panel(place: int, panel: Panel) -> dict[str, Any]:
    return {
        "turn_id": panel.turn,
        "state": panel.state.value,
        "words": panel.words,
        "image": _image(place, panel.image) if panel.image else None,
        "controls": _controls(panel.controls),
    }


def _controls(controls: Iterable[Control]) -> list[dict[str, str]]:
    return [{"act": each.act.value, "label": each.label, "argument": each.argument} for each in controls]


def pictures_of(answer: Answer) -> tuple[Rendition, ...]:
    """Every picture that an answer shows."""
    return answer.images + tuple(panel.image for panel in answer.panels if panel.image)


def media_types(pictures: Sequence[Rendition]) -> dict[Sha256, str]:
    return {picture.image.sha256: picture.image.media_type for picture in pictures}


def public(chat: str, record: Record) -> dict[str, Any]:
    """A message as the JSON interface shows it (docs/page-api.md)."""
    images = json.loads(record.get("images", "[]"))
    panels = json.loads(record.get("panels", "[]"))
    press = json.loads(record.get("press", "null"))
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
        "reply_index": int(record["reply_index"]) if record.get("reply_index") else None,
        "press": {"act": press[0], "argument": press[1]} if press else None,
        "images": [_public_image(chat, index, image) for index, image in enumerate(images)],
        "panels": [_public_panel(chat, panel) for panel in panels],
        "key": record.get("key") or None,
        "uploads": len(json.loads(record.get("uploads", "[]"))),
        "has_voice": record.get("voice", "null") != "null",
        "created_at": float(record["created_at"]),
        "lines": json.loads(record.get("lines", "[]")),
        "kinds": json.loads(record.get("kinds", "[]")),
        "suggestions": json.loads(record.get("suggestions", "[]")),
        "controls": json.loads(record.get("controls", "[]")),
        "sources": json.loads(record.get("sources", "[]")),
        "holds": json.loads(record.get("holds", "[]")),
        "position": json.loads(record.get("position", "null")),
        "started_at": json.loads(record.get("started_at", "null")),
        "asks": [_public_person(each) for each in json.loads(record.get("asks", "[]"))],
        "credit": _public_credit(json.loads(record.get("credit", "null"))),
        "vote": json.loads(record.get("vote", "null")),
        "spoiler": record.get("spoiler") == "1",
        "file": _file_name(json.loads(record.get("file", "null"))),
        "files": [{"name": name, "text": text} for name, text in json.loads(record.get("files", "[]"))],
    }


def _file_name(upload: Sequence[Any] | None) -> str | None:
    return None if upload is None else str(upload[1])


def _public_person(person: Sequence[str]) -> dict[str, str]:
    id_, name = person
    return {"id": id_, "name": name}


def _public_credit(credit: dict[str, list[str]] | None) -> dict[str, Any] | None:
    return credit and {"asker": _public_person(credit["asker"]), "owners": credit["owners"]}


def _public_image(chat: str, index: int, image: dict[str, Any]) -> dict[str, Any]:
    """Of images that were kept before it was noted, nobody knows whether they are see-through."""
    known = {"has_alpha": None, "index": index}
    return known | image | {"url": f"/api/chats/{chat}/images/{image['sha256']}"}


def _public_panel(chat: str, panel: dict[str, Any]) -> dict[str, Any]:
    image = panel["image"]
    return panel | {"image": _public_image(chat, image["index"], image) if image else None}
