"""Bodies of messages: read from the wire, checked, made into attachments."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from tests.fakes.discord import components
from tests.fakes.discord.refusals import Refused, invalid
from tests.fakes.discord.state import COMPONENTS_V2, Attachment, Json, Message, World, flat

MAX_REQUEST_BYTES = 25 * 2**20
_FILE_FIELD = re.compile(r"files\[(\d+)\]")


@dataclass
class Body:
    """`json` is what was sent as JSON, None for nothing; `files` by the number in their field's name."""

    json: Any = None
    files: dict[int, tuple[str, bytes]] = field(default_factory=dict)

    @property
    def fields(self) -> Json:
        if not isinstance(self.json, dict):
            raise invalid("", "Only dictionaries may be used in a DictType", "DICT_TYPE_CONVERT")
        return self.json


async def read(request: web.Request, *, max_bytes: int) -> Body:
    """40005 for a body over `max_bytes`, of which no more than that is kept."""
    if not request.can_read_body:
        return Body()
    if not request.content_type.startswith("multipart/"):
        raw = await request.content.read()
        return Body(_parsed(raw) if raw else None)
    body, total = Body(), 0
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        data = bytearray()
        while chunk := await part.read_chunk(1 << 18):
            total += len(chunk)
            if total <= max_bytes:
                data += chunk
        if part.name == "payload_json":
            body.json = _parsed(bytes(data))
        elif found := _FILE_FIELD.fullmatch(part.name or ""):
            body.files[int(found[1])] = (part.filename or "unknown", bytes(data))
        else:
            raise invalid(part.name or "", "Unknown field of the form.")
    if total > max_bytes:
        raise Refused(40005)
    if body.json is None:
        body.json = {}
    return body


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise Refused(50109, words="The request body contains invalid JSON.") from None


def check(fields: Json, *, v2: bool) -> None:
    """The limits that stand in the documentation and not in the schema (or where there is none)."""
    content = fields.get("content") or ""
    if len(content) > 2000:
        raise invalid("content", "Must be 2000 or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    embeds = fields.get("embeds") or []
    if len(embeds) > 10:
        raise invalid("embeds", "Must be 10 or fewer in length.", "BASE_TYPE_BAD_LENGTH")
    if sum(map(_embed_chars, embeds)) > 6000:
        raise invalid("embeds", "Embed size exceeds maximum size of 6000", "MAX_EMBED_SIZE_EXCEEDED")
    for index, embed in enumerate(embeds):
        _check_embed(embed, f"embeds.{index}")
    if v2 and (content or embeds or fields.get("poll") or fields.get("sticker_ids")):
        raise invalid("content", "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                      "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2")  # fmt: skip
    if fields.get("components"):
        components.check_message(fields["components"], v2=v2)
    nonce = fields.get("nonce")
    if isinstance(nonce, str) and len(nonce) > 25:
        raise invalid("nonce", "Must be 25 or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    allowed = fields.get("allowed_mentions") or {}
    for kind in ("users", "roles"):
        if kind in (allowed.get("parse") or ()) and allowed.get(kind):
            raise invalid("allowed_mentions", f"parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.",
                          "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE")  # fmt: skip


def _embed_chars(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
    texts.append((embed.get("author") or {}).get("name"))
    for each in embed.get("fields") or ():
        texts += [each.get("name"), each.get("value")]
    return sum(len(each or "") for each in texts)


def _check_embed(embed: Json, where: str) -> None:
    limits = (("title", embed.get("title"), 256), ("description", embed.get("description"), 4096),
              ("footer.text", (embed.get("footer") or {}).get("text"), 2048))  # fmt: skip
    for name, text, most in limits:
        if len(text or "") > most:
            raise invalid(f"{where}.{name}", f"Must be {most} or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    if len(embed.get("fields") or ()) > 25:
        raise invalid(f"{where}.fields", "Must be 25 or fewer in length.", "BASE_TYPE_BAD_LENGTH")
    for each in embed.get("fields") or ():
        if not 1 <= len(each.get("name") or "") <= 256 or not 1 <= len(each.get("value") or "") <= 1024:
            raise invalid(f"{where}.fields", "A field has a name and a value.", "BASE_TYPE_BAD_LENGTH")


def attached(
    world: World, body: Body, *, limit_bytes: int, standing: Sequence[Attachment] = (), ephemeral: bool = False
) -> list[Attachment]:
    """What the message carries afterwards. A list of `attachments` has the last word on what stood before; files that
    no entry names are added."""
    fields = body.fields
    if any(len(data) > limit_bytes for _, data in body.files.values()):
        raise Refused(40005)
    listed = fields.get("attachments")
    found: list[Attachment] = list(standing) if listed is None else []
    by_id = {each.id: each for each in standing}
    used: set[int] = set()
    for index, entry in enumerate(listed or ()):
        key = str(entry.get("id"))
        if key in by_id:
            kept = by_id[key]
            kept.description = entry.get("description", kept.description)
            found.append(kept)
        elif key.isdigit() and int(key) in body.files:
            used.add(int(key))
            found.append(_made(world, body.files[int(key)], entry, ephemeral=ephemeral))
        else:
            raise invalid(f"attachments.{index}.id", "Attachment with this id not found.", "ATTACHMENT_NOT_FOUND")
    found += [_made(world, each, {}, ephemeral=ephemeral) for key, each in body.files.items() if key not in used]
    if len(found) > 10:
        raise invalid("attachments", "Must be 10 or fewer in length.", "BASE_TYPE_BAD_LENGTH")
    return found


def _made(world: World, file: tuple[str, bytes], entry: Json, *, ephemeral: bool) -> Attachment:
    if len(entry.get("description") or "") > 1024:
        raise invalid("attachments.description", "Must be 1024 or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    return world.attachment(
        entry.get("filename") or file[0],
        file[1],
        description=entry.get("description"),
        spoiler=bool(entry.get("is_spoiler")),
        duration_s=entry.get("duration_secs"),
        waveform=entry.get("waveform"),
        ephemeral=ephemeral,
    )


def check_links(message: Message) -> None:
    """`attachment://name` names a file of the message."""
    names = {each.filename for each in message.attachments}
    links = [media["url"] for media in media_of(message) if media.get("url", "").startswith("attachment://")]
    for link in links:
        if link.removeprefix("attachment://") not in names:
            raise invalid(
                "components",
                "The referenced attachment was not found.",
                "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
            )


def media_of(message: Message) -> list[Json]:
    found: list[Json] = []
    for each in flat(message.components):
        found += [item["media"] for item in each.get("items", ()) if "media" in item]
        found += [each[key] for key in ("media", "file") if isinstance(each.get(key), dict)]
    for embed in message.embeds:
        found += [embed[key] for key in ("image", "thumbnail") if isinstance(embed.get(key), dict)]
    return found


def empty(message: Message) -> bool:
    return not (
        message.content.strip() or message.embeds or message.attachments or message.components or message.snapshots
    )


def fill(message: Message, fields: Json) -> None:
    """Take over the fields that were sent."""
    if "content" in fields:
        message.content = (fields["content"] or "").strip()
    if "embeds" in fields:
        message.embeds = [each | {"type": "rich"} for each in fields["embeds"] or ()]
    if "components" in fields:
        message.components = components.numbered(fields["components"] or ())
    if "allowed_mentions" in fields:
        message.allowed_mentions = fields["allowed_mentions"]
    if fields.get("flags") is not None:
        kept = COMPONENTS_V2 if message.flags & COMPONENTS_V2 else 0
        message.flags = int(fields["flags"]) | kept
