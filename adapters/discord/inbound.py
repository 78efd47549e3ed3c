"""A message of Discord's → an `InboundMessage`. Pure functions over payloads as the gateway and the REST API send them.

Payloads and not the library's objects: of most messages three fields are looked at, and history, references and the
resolved data of interactions come in the same shape. Messages that a payload only points at (a reply's, a forward's
original) are looked up by the caller and handed in as `known`: message id → payload, None where it cannot be had.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from pathlib import PurePosixPath
from typing import Any

from adapters.discord.fetch import handle_of
from adapters.discord.refs import message_ref, server_ref, user_ref
from bot.domain.messages import Attachment, InboundMessage, Quoted
from bot.domain.recipes import is_recipe_file
from bot.domain.refs import MessageRef, Person

Payload = Mapping[str, Any]
Known = Mapping[str, Payload | None]

_DEFAULT, _REPLY, _THREAD_STARTER = 0, 19, 21
_FORWARD = 1
"""`message_reference.type`."""
_VOICE_MESSAGE = 1 << 13
"""Bit of a message's `flags`."""
_SPOILER = 1 << 3
"""Bit of an attachment's `flags`. Older clients say it by the file's name."""
_SPOILER_PREFIX = "SPOILER_"
_EPOCH_MS = 1420070400000
"""A snowflake counts milliseconds from here, in its upper 42 bits."""
_PORTRAIT_PX = 1024
_PICTURE_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".heic", ".heif", ".avif", ".bmp", ".tif", ".tiff"}
_MARKUP = re.compile(
    r"<@!?(?P<user>\d+)>|<@&(?P<role>\d+)>|<#(?P<channel>\d+)>|<a?:(?P<emoji>\w+):\d+>|</(?P<command>[^:<>]+):\d+>"
)
_SPACES = re.compile(r"[ \t]{2,}")


def _nothing(_id: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands, and what the bot is there.

    `account` is the bot's own id, `own_role` the role that Discord made for it in that server, empty where there is
    none. `reads_content`: it has the message-content intent. `cdn` is where portraits lie. `language` is the tag of the
    one that the server has chosen, empty where it has chosen none.
    """

    account: str
    own_role: str = ""
    reads_content: bool = True
    role_name: Callable[[str], str | None] = _nothing
    channel_name: Callable[[str], str | None] = _nothing
    cdn: str = "https://cdn.discordapp.com"
    language: str = ""


class Concern(Enum):
    """Whether a message is meant for the bot."""

    NO = auto()
    YES = auto()
    UNSURE = auto()
    """It is if the message that it replies to is the bot's own: that one must be looked up."""


class Snag(Enum):
    """Why a message that is meant for the bot cannot be handed on."""

    EMPTY_REPLY = auto()
    """A reply to a message of ours, of which the platform shows us nothing."""
    UNSEEN_PICTURE = auto()
    """A reply to somebody's message, of which the platform shows us nothing."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A message that a payload points at. `server` is empty in a DM, or where the payload does not say."""

    channel: str
    message: str
    server: str = ""


# --- is it for us


def concern_of(payload: Payload, place: Place, known: Known | None = None) -> Concern:
    """Only what people write: replies to the bot's own messages, mentions of it, and all of a DM."""
    if payload["type"] not in (_DEFAULT, _REPLY) or not _is_person(payload, place):
        return Concern.NO
    if not payload.get("guild_id"):
        return Concern.YES
    if _mentions_us(payload, place):
        return Concern.NO if _only_stickers(payload) else Concern.YES
    if not _is_reply(payload) or _only_stickers(payload):
        return Concern.NO
    if "referenced_message" not in payload and payload["message_reference"]["message_id"] not in (known or {}):
        return Concern.UNSURE
    replied = _replied(payload, known or {})
    return Concern.YES if replied is not None and _is_ours(replied, place) else Concern.NO


def pointers_of(payload: Payload, known: Known) -> tuple[Pointer, ...]:
    """What must be looked up before the message can be read. One lookup may lead to another."""
    found: list[Pointer] = []
    if _is_reply(payload) and "referenced_message" not in payload:
        found.append(_pointer(payload))
    for each in (payload, _replied(payload, known)):
        if each is not None and _stands_for_another(each) and each.get("message_reference", {}).get("message_id"):
            found.append(_pointer(each))
    return tuple(each for each in found if each.message not in known)


def is_edited(payload: Payload) -> bool:
    """Whether its author changed it. A link that unfolds into a preview is an update too, and no edit."""
    return payload.get("edited_timestamp") is not None


def version_of(payload: Payload) -> int:
    """When its author changed it last, in milliseconds since the epoch; 0 where they never did."""
    edited = payload.get("edited_timestamp")
    return 0 if edited is None else int(datetime.fromisoformat(edited).timestamp() * 1000)


def roles_of(payload: Payload) -> tuple[str, ...] | None:
    """The roles of who wrote it; None where the payload does not say (history)."""
    member = payload.get("member")
    return None if member is None else tuple(str(role) for role in member.get("roles", ()))


def created_at(snowflake: int | str) -> float:
    """In seconds since the epoch."""
    return ((int(snowflake) >> 22) + _EPOCH_MS) / 1000


def snowflake_at(seconds: float) -> int:
    """The smallest id that a message of that time can have."""
    return max(0, int(seconds * 1000) - _EPOCH_MS) << 22


def _is_person(payload: Payload, place: Place) -> bool:
    author = payload["author"]
    return not (payload.get("webhook_id") or author.get("bot") or author.get("system") or _is_ours(payload, place))


def _is_ours(payload: Payload, place: Place) -> bool:
    return str(payload["author"]["id"]) == place.account


def _mentions_us(payload: Payload, place: Place) -> bool:
    """Discord's own lists, so that a mention inside a piece of code is none. A reply that pings is in them as well."""
    if any(str(each["id"]) == place.account for each in payload.get("mentions", ())):
        return True
    return bool(place.own_role) and place.own_role in map(str, payload.get("mention_roles", ()))


def _is_reply(payload: Payload) -> bool:
    return payload["type"] == _REPLY and bool(payload.get("message_reference", {}).get("message_id"))


def _is_forward(payload: Payload) -> bool:
    return bool(payload.get("message_snapshots"))


def _stands_for_another(payload: Payload) -> bool:
    return _is_forward(payload) or payload.get("type") == _THREAD_STARTER


def _pointer(payload: Payload) -> Pointer:
    reference = payload["message_reference"]
    channel = reference.get("channel_id") or payload["channel_id"]
    return Pointer(str(channel), str(reference["message_id"]), str(reference.get("guild_id") or ""))


def _replied(payload: Payload, known: Known) -> Payload | None:
    if not _is_reply(payload):
        return None
    if "referenced_message" in payload:
        replied: Payload | None = payload["referenced_message"]
        return replied
    return known.get(str(payload["message_reference"]["message_id"]))


def _original(payload: Payload, known: Known) -> Payload | None:
    """What a forward or the head of a thread shows, where it could be looked up."""
    return known.get(str(payload.get("message_reference", {}).get("message_id", "")))


def _says_nothing(payload: Payload) -> bool:
    return not any(payload.get(part) for part in ("content", "attachments", "message_snapshots", "sticker_items"))


def _only_stickers(payload: Payload) -> bool:
    said = any(payload.get(part) for part in ("content", "attachments", "message_snapshots"))
    return bool(payload.get("sticker_items")) and not said


# --- what it says


def inbound_of(payload: Payload, place: Place, known: Known) -> InboundMessage | Snag:
    """The message, for the core. `known` answers all of `pointers_of`."""
    replied = _replied(payload, known)
    snag = _snag(payload, replied, place)
    if snag is not None:
        return snag
    author, member = payload["author"], payload.get("member")
    server = payload.get("guild_id")
    quoted = quoted_of(replied, place, known, names=_mentioned(payload)) if replied is not None else None
    voice = _voice(payload)
    attachments = () if voice else attachments_of(payload, place, known)
    file = _recipe_file(payload)
    if not (attachments or file) and not (replied is not None and (quoted or _is_ours(replied, place))):
        attachments = _portraits(payload, place)
    return InboundMessage(
        ref=message_ref(place.account, payload["channel_id"], payload["id"]),
        author=user_ref(author["id"]),
        author_name=display_name(author, member),
        text=words_of(payload, place),
        created_at=created_at(payload["id"]),
        attachments=attachments,
        reply_to=_reply_to(payload, place),
        version=version_of(payload),
        voice=voice,
        server=server_ref(place.account, server) if server else None,
        quoted=quoted,
        file=file,
        quoted_file=_recipe_file(replied) if replied is not None else None,
        chat_language=place.language,
    )


def quoted_of(payload: Payload, place: Place, known: Known, *, names: Mapping[str, str]) -> Quoted | None:
    """A message that is replied to, or that a command was used on. None where there is no picture to be seen on it.

    `names` are those under which people are known in that server, where they are at hand."""
    source = payload
    if payload.get("type") == _THREAD_STARTER:
        source = _original(payload, known) or payload
    pictures = attachments_of(source, place, known, pictures_only=True)
    if not pictures:
        return None
    ours = _is_ours(source, place)
    author = None if ours or not _is_person(source, place) else _person(source["author"], names)
    return Quoted(message_ref(place.account, payload["channel_id"], payload["id"]), author, pictures, ours)


def attachments_of(
    payload: Payload, place: Place, known: Known, *, pictures_only: bool = False
) -> tuple[Attachment, ...]:
    """Its files, and those of the message that it forwards: these belong to whoever wrote the original, where that can
    be found out, and to whoever forwards them otherwise."""
    original = _original(payload, known) if _is_forward(payload) else None
    owner = _person(original["author"], {}) if original is not None and _is_person(original, place) else None
    own: list[tuple[Payload, Person | None]] = [(file, None) for file in payload.get("attachments", ())]
    forwarded = [(file, owner) for each in _snapshots(payload) for file in each["message"].get("attachments", ())]
    files = [each for each in own + forwarded if not is_recipe_file(str(each[0]["filename"]))]
    return tuple(_file(payload, file, whose) for file, whose in files if not pictures_only or _is_picture(file))


def words_of(payload: Payload, place: Place) -> str:
    """What was written, as people read it: names and no ids, and without calling the bot."""
    names = _mentioned(payload)

    def readable(match: re.Match[str]) -> str:
        id_ = match[match.lastgroup or 0]
        match match.lastgroup:
            case "user":
                return "" if id_ == place.account else f"@{names.get(id_, 'somebody')}"
            case "role":
                return "" if id_ == place.own_role else f"@{place.role_name(id_) or 'a role'}"
            case "channel":
                return f"#{place.channel_name(id_) or 'a channel'}"
            case "emoji":
                return f":{id_}:"
            case _:
                return f"/{id_}"

    content = str(payload.get("content") or "").strip()
    text = _MARKUP.sub(readable, content)
    first = _MARKUP.match(content)
    if first is not None and not readable(first):
        # “@Remixbot, make it night”: what stood between the name and the words goes with the name.
        text = text.lstrip(" \t\n,:;")
    return _SPACES.sub(" ", text).strip()


def display_name(user: Payload, member: Payload | None = None) -> str:
    """The name that others read: this server's, or the person's own."""
    return str((member or {}).get("nick") or user.get("global_name") or user.get("username") or "")


def _snag(payload: Payload, replied: Payload | None, place: Place) -> Snag | None:
    if place.reads_content or not payload.get("guild_id") or replied is None:
        return None
    if _is_ours(replied, place):
        return Snag.EMPTY_REPLY if _says_nothing(payload) else None
    brought = payload.get("attachments") or payload.get("message_snapshots")
    hidden = _says_nothing(replied) and not _stands_for_another(replied)
    return Snag.UNSEEN_PICTURE if hidden and not brought else None


def _reply_to(payload: Payload, place: Place) -> MessageRef | None:
    if not _is_reply(payload):
        return None
    pointer = _pointer(payload)
    return message_ref(place.account, pointer.channel, pointer.message)


def _mentioned(payload: Payload) -> dict[str, str]:
    return {str(each["id"]): display_name(each, each.get("member")) for each in payload.get("mentions", ())}


def _person(user: Payload, names: Mapping[str, str]) -> Person:
    id_ = str(user["id"])
    return Person(user_ref(id_), names.get(id_) or display_name(user))


def _snapshots(payload: Payload) -> Sequence[Payload]:
    return payload.get("message_snapshots") or ()


def _voice(payload: Payload) -> Attachment | None:
    if not payload.get("flags", 0) & _VOICE_MESSAGE:
        return None
    return next((_file(payload, each, None) for each in payload.get("attachments", ())), None)


def _recipe_file(payload: Payload) -> Attachment | None:
    """The first that it brings, or passes on."""
    files = [
        *payload.get("attachments", ()),
        *(f for s in _snapshots(payload) for f in s["message"].get("attachments", ())),
    ]
    return next((_file(payload, each, None) for each in files if is_recipe_file(str(each["filename"]))), None)


def _file(payload: Payload, file: Payload, owner: Person | None) -> Attachment:
    name = str(file["filename"])
    marked = name.startswith(_SPOILER_PREFIX) or file.get("flags", 0) & _SPOILER or file.get("is_spoiler")
    return Attachment(
        handle=handle_of(str(payload["channel_id"]), str(payload["id"]), str(file["id"]), str(file["url"])),
        filename=name.removeprefix(_SPOILER_PREFIX),
        size_bytes=file.get("size"),
        owner=owner,
        spoiler=bool(marked),
    )


def _is_picture(file: Payload) -> bool:
    """By what Discord says of it; a HEIC from a phone may come as any file."""
    kind = str(file.get("content_type") or "")
    return kind.startswith("image/") or PurePosixPath(str(file["filename"])).suffix.lower() in _PICTURE_ENDINGS


# --- portraits


def _portraits(payload: Payload, place: Place) -> tuple[Attachment, ...]:
    """Whom the words name is meant to be seen, where no picture is at hand."""
    named = {match["user"] for match in _MARKUP.finditer(str(payload.get("content") or "")) if match["user"]}
    people = [each for each in payload.get("mentions", ()) if str(each["id"]) in named and not each.get("bot")]
    return tuple(_portrait(payload, each, place) for each in people if str(each["id"]) != place.account)


def _portrait(payload: Payload, user: Payload, place: Place) -> Attachment:
    member = user.get("member")
    name = display_name(user, member)
    url = portrait_url(user, member, server=str(payload.get("guild_id") or ""), cdn=place.cdn)
    return Attachment(
        handle=handle_of("", "", "", url),
        filename=f"{name}.png",
        owner=Person(user_ref(user["id"]), name),
    )


def portrait_url(user: Payload, member: Payload | None = None, *, server: str = "", cdn: str) -> str:
    """Where the portrait lies that others see: this server's, the person's own, or the one that Discord gives."""
    id_ = str(user["id"])
    if server and member and member.get("avatar"):
        return f"{cdn}/guilds/{server}/users/{id_}/avatars/{member['avatar']}.png?size={_PORTRAIT_PX}"
    if user.get("avatar"):
        return f"{cdn}/avatars/{id_}/{user['avatar']}.png?size={_PORTRAIT_PX}"
    tag = int(user.get("discriminator") or 0)
    return f"{cdn}/embed/avatars/{tag % 5 if tag else (int(id_) >> 22) % 6}.png"
