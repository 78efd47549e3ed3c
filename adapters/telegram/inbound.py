"""A message of Telegram's → an `InboundMessage`. Pure functions over messages as `Update.de_json` reads them.

Lengths and places in words are UTF-16 units, as Telegram counts them. Nobody is who `from` says where a message was
written as a chat: by an anonymous admin, or as a channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import product
from pathlib import PurePath
from typing import Final
from zlib import crc32

from telegram import (
    Chat,
    ExternalReplyInfo,
    InlineKeyboardMarkup,
    Message,
    MessageEntity,
    MessageOrigin,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginUser,
    PhotoSize,
    Update,
    User,
)

from adapters.telegram.album_reading import anchor_of, is_stripped, ordered
from adapters.telegram.ports import Album, Me
from adapters.telegram.refs import chat_ref, server_ref, user_ref
from bot.domain.buttons import Verb, read_button_id, say_of
from bot.domain.images import Provenance
from bot.domain.labels import Label, Profile, label_line
from bot.domain.language import LANGUAGES, N_, speaking, tr
from bot.domain.messages import NOBODY, Attachment, InboundMessage, Quoted
from bot.domain.recipes import is_recipe_file
from bot.domain.refs import ChatRef, MessageRef, Person, ServerRef, TurnId

EDIT: Final = "edit"
"""Says nothing but that the bot is meant."""
COMMANDS: Final = frozenset(
    {EDIT, "imagine", "story", "variations", "variation", "explain", "help", "start", "usage", "settings"}
    | {"forget", "cancel", "tree", "compare", "arena", "leaderboard", "share", "unshare"}
    | {"preset", "presets", "recipe", "recipes", "replay", "cast", "taste", "mine", "withdraw"}
)
"""Ours, without an address as well."""

_GENERAL: Final = 1
"""The topic that is none, should it ever be named."""
_PICTURE_ENDINGS: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".gif", ".heic", ".heif", ".avif", ".bmp", ".tif", ".tiff"}
)
_PICTURE_TYPES: Final = "image/"
_BEHIND_A_NAME: Final = ",:;"
"""“@Remixbot, make it night”: goes with the name."""


class Snag(Enum):
    """Why a message that is meant for the bot cannot be handed on, in words for whoever wrote it."""

    VIDEO = N_("I can't edit videos yet. Send me a photo, or a still of it, and I'll gladly change that.")
    ANIMATION = N_("I can't edit GIFs yet. Send me a photo, or one frame of it, and I'll gladly change that.")
    VIDEO_NOTE = N_("I can't watch video notes yet. Tell me in words or by voice, and send a photo along.")
    MOVING_STICKER = N_("I can't edit stickers that move. A still one or a photo works.")
    FILE = N_("I can't open this kind of file. Send the picture as a photo, or as a PNG, JPEG, WebP or HEIC file.")
    OTHER = N_("There is nothing in this that I could edit. Send me a photo and say what you want changed.")

    @property
    def words(self) -> str:
        return tr(self.value)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is ours. `name` without the slash, in lower case; `arguments` are the words behind it."""

    name: str
    arguments: str = ""


# --- where it stands, and who wrote it


def chat_of(message: Message, me: Me) -> ChatRef:
    """The chat, or the topic of it. Elsewhere `message_thread_id` names a chain of replies, which is no chat."""
    topic = message.message_thread_id if message.is_topic_message else None
    if topic == _GENERAL and message.chat.type != Chat.PRIVATE:
        topic = None
    return chat_ref(me.id, message.chat.id, topic)


def server_of(message: Message, me: Me) -> ServerRef | None:
    """The group; None in private."""
    return None if message.chat.type == Chat.PRIVATE else server_ref(me.id, message.chat.id)


def around_of(message: Message, me: Me) -> tuple[ChatRef, ...]:
    """The chat that a topic lies in."""
    whole = chat_ref(me.id, message.chat.id)
    return () if chat_of(message, me) == whole else (whole,)


def identity_of(message: Message) -> Person | None:
    """Who wrote it: a person, the group for an anonymous admin, the channel for its posts. None for another bot."""
    if message.sender_chat is not None:
        return _chat_person(message.sender_chat)
    return _user_person(message.from_user) if message.from_user is not None else None


def tag_of(done: Update | Message) -> str:
    """The language of whoever did it, as Telegram tells it (BCP 47). Empty where it does not: of older apps, of whoever
    writes as a chat, and of bots."""
    user = done.from_user if isinstance(done, Message) else done.effective_user
    return user.language_code or "" if user is not None else ""


def is_ours(message: Message, me: Me) -> bool:
    """Whether the bot itself sent it."""
    return message.from_user is not None and str(message.from_user.id) == me.id


def version_of(*messages: Message) -> int:
    """When they were changed last, in milliseconds since the epoch; 0 where none was. Telegram tells whole seconds: the
    rest stands for what they said then, so that two edits within a second are two."""
    at = max((each.edit_date for each in messages if each.edit_date is not None), default=None)
    if at is None:
        return 0
    says = "\0\0".join(says_of(each) for each in messages if each.edit_date == at)
    return round(at.timestamp()) * 1000 + crc32(says.encode(errors="surrogatepass")) % 1000


def says_of(message: Message) -> str:
    """By what an edit is known to have changed something: its words and its file."""
    file = message.effective_attachment
    files = file if isinstance(file, list | tuple) else (file,)
    ids = (str(getattr(each, "file_unique_id", "")) for each in files)
    return "\0".join([message.text or message.caption or "", *ids])


def replied_of(message: Message) -> Message | None:
    """The message that its author replied to. What stands in a topic without a reply claims to answer the message by
    which the topic was opened."""
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created is not None:
        return None
    if message.is_topic_message and replied.message_id == message.message_thread_id:
        return None
    return replied


def turn_in(message: Message) -> TurnId | None:
    """The turn that the keys under a message of ours name, while it is open. Where it was passed on, or sent through
    another bot, its keys say nothing."""
    if message.forward_origin is not None or message.via_bot is not None:
        return None
    for data in _keys_of(message.reply_markup):
        button = read_button_id(data)
        if button is None:
            continue
        if button.verb is Verb.CANCEL and button.argument:
            return TurnId(button.argument)
        said = say_of(button.argument) if button.verb is Verb.ALLOW else None
        if said is not None:
            return said[1]
    return None


def _keys_of(keyboard: InlineKeyboardMarkup | None) -> Iterator[str]:
    for row in keyboard.inline_keyboard if keyboard is not None else ():
        for key in row:
            if isinstance(key.callback_data, str):
                yield key.callback_data


def _user_person(user: User) -> Person | None:
    return None if user.is_bot else Person(user_ref(user.id), user.full_name)


def _chat_person(chat: Chat) -> Person:
    return Person(user_ref(chat.id), chat.title or chat.full_name or chat.username or "")


# --- is it for us


def concern_of(message: Message, me: Me) -> bool:
    """Whether it is meant for the bot: all that people write in private; in groups what replies to the bot, names it or
    is a command of ours."""
    if not _is_written(message, me):
        return False
    if message.chat.type == Chat.PRIVATE:
        return True
    if message.is_automatic_forward:
        return _calls(message, me)
    if message.forward_origin is not None or _is_for_another(message, me) or _only_reacts(message):
        return False
    replied = replied_of(message)
    return _calls(message, me) or (replied is not None and is_ours(replied, me))


def command_of(message: Message, me: Me) -> Command | None:
    """The command that it is, where it is ours: one with our address, one of ours without any, or any in private. What
    is passed on from elsewhere commands nothing."""
    entity = _command_entity(message)
    if entity is None or (message.forward_origin is not None and not message.is_automatic_forward):
        return None
    name, address = _named(message, entity)
    if address:
        ours = address.lower() == me.username.lower()
    else:
        ours = name.lower() in COMMANDS or message.chat.type == Chat.PRIVATE
    if not ours:
        return None
    whole = _Cut(entity.offset, entity.offset + entity.length)
    return Command(name.lower(), _without(message, [whole, *_calls_by_name(message, me)]))


def _calls(message: Message, me: Me) -> bool:
    return command_of(message, me) is not None or any(True for _ in _calls_by_name(message, me))


def _is_for_another(message: Message, me: Me) -> bool:
    entity = _command_entity(message)
    address = _named(message, entity)[1] if entity is not None else ""
    return bool(address) and address.lower() != me.username.lower()


def _only_reacts(message: Message) -> bool:
    """A sticker or a GIF alone is how people nod in a group."""
    return (message.sticker or message.animation) is not None and not _said(message)[0]


def _is_written(message: Message, me: Me) -> bool:
    """By somebody but bots, this one among them; and no service message. One with the id 0 is yet to be sent; of one
    that was kept for its files it is known that it is not meant for the bot."""
    if (
        is_ours(message, me)
        or _is_through_us(message, me)
        or identity_of(message) is None
        or not message.message_id
        or is_stripped(message)
    ):
        return False
    content = (message.voice, message.audio, _file_of(message), _recipe_file(message), _hindrance(message))
    return bool(_said(message)[0]) or any(each is not None for each in content)


def _is_through_us(message: Message, me: Me) -> bool:
    """Whether it shows a result that somebody chose after "@bot". It is theirs, and made by us."""
    return message.via_bot is not None and str(message.via_bot.id) == me.id


# --- what it says


@dataclass(frozen=True, slots=True)
class _Cut:
    """A part of the words that is left out, or said otherwise. In UTF-16 units."""

    start: int
    end: int
    instead: str = ""


def words_of(message: Message, me: Me) -> str:
    """What was written, without calling the bot: no mention of it, no “/edit”, no address behind other commands."""
    cuts = list(_calls_by_name(message, me))
    command, entity = command_of(message, me), _command_entity(message)
    if command is not None and entity is not None:
        name = "" if command.name == EDIT else f"/{_named(message, entity)[0]}"
        cuts.append(_Cut(entity.offset, entity.offset + entity.length, name))
    return _without(message, cuts)


def _said(message: Message) -> tuple[str, Sequence[MessageEntity]]:
    if message.text:
        return message.text, message.entities
    return message.caption or "", message.caption_entities


def _in_units(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def _part(raw: bytes, start: int, end: int | None = None) -> str:
    return raw[2 * start : None if end is None else 2 * end].decode("utf-16-le", "replace")


def _entities(message: Message) -> Iterator[MessageEntity]:
    """Those that lie within the words."""
    text, entities = _said(message)
    length = len(_in_units(text)) // 2
    return (each for each in entities if each.offset >= 0 < each.length and each.offset + each.length <= length)


def _text_of(message: Message, entity: MessageEntity) -> str:
    return _part(_in_units(_said(message)[0]), entity.offset, entity.offset + entity.length)


def _command_entity(message: Message) -> MessageEntity | None:
    return next(
        (each for each in _entities(message) if each.type == MessageEntity.BOT_COMMAND and not each.offset), None
    )


def _named(message: Message, command: MessageEntity) -> tuple[str, str]:
    """The name of a command, and whom it is addressed to."""
    name, _, address = _text_of(message, command).removeprefix("/").partition("@")
    return name, address


def _calls_by_name(message: Message, me: Me) -> Iterator[_Cut]:
    for each in _entities(message):
        by_name = each.type == MessageEntity.MENTION and _text_of(message, each).lower() == f"@{me.username}".lower()
        by_id = each.type == MessageEntity.TEXT_MENTION and each.user is not None and str(each.user.id) == me.id
        if by_name or by_id:
            yield _Cut(each.offset, each.offset + each.length)


def _without(message: Message, cuts: Sequence[_Cut]) -> str:
    """All that was said but for these parts, with one space in place of two where one was."""
    raw = _in_units(_said(message)[0])
    said, at = "", 0
    for cut in sorted(cuts, key=lambda cut: cut.start):
        if cut.start < at:
            continue
        said += _part(raw, at, cut.start) + cut.instead
        at = cut.end
        if not cut.instead:
            at += _joint(_part(raw, at), first=not said.strip(), spaced=not said or said[-1].isspace())
    return (said + _part(raw, at)).strip()


def _joint(rest: str, *, first: bool, spaced: bool) -> int:
    """How many units behind a name go with it."""
    if first and rest[:1] in set(_BEHIND_A_NAME) and (not rest[1:] or rest[1].isspace()):
        return 1
    return 1 if spaced and rest[:1] in (" ", "\t") else 0


# --- its files


def file_handle(file_id: str, unique_id: str = "") -> str:
    """What an attachment is fetched by. `unique_id` names the same file wherever it was sent."""
    return f"{unique_id}:{file_id}"


def file_id_of(handle: str) -> str:
    """The id by which this bot is given the file. Raises `ValueError` for what is no handle of ours."""
    _, colon, file_id = handle.partition(":")
    if not colon or not file_id:
        raise ValueError("no handle of a file")
    return file_id


def attachments_of(message: Message, me: Me) -> tuple[Attachment, ...]:
    """Its pictures. What was passed on belongs to whom it came from: to nobody who could be asked, where that is hidden
    or was a bot; to whoever passes it on, where it was ours."""
    origin = message.forward_origin
    ours = is_ours(message, me) if origin is None else _is_from_us(origin, me)
    owner = _owner(origin, me) if origin is not None and not message.is_automatic_forward else None
    made_by_us = ours or _is_through_us(message, me)
    return _pictures(message, owner, _provenance_of_ours(message.caption or "") if made_by_us else None)


def _brought_by_quote(message: Message, me: Me) -> tuple[Attachment, ...]:
    """Pictures of a message that stands in another chat or topic, and that this one replies to."""
    reply = message.external_reply
    if reply is None:
        return ()
    known = _provenance_of_ours("") if _is_from_us(reply.origin, me) else None
    return _pictures(reply, _owner(reply.origin, me), known)


def _pictures(
    content: Message | ExternalReplyInfo, owner: Person | None, provenance: Provenance | None
) -> tuple[Attachment, ...]:
    file = _file_of(content)
    if file is None:
        return ()
    file_id, unique_id, name, size = file
    return (
        Attachment(
            handle=file_handle(file_id, unique_id),
            filename=name,
            size_bytes=size,
            owner=owner,
            spoiler=bool(content.has_media_spoiler),
            provenance=provenance,
            stripped=content.document is None,
        ),
    )


def _file_of(content: Message | ExternalReplyInfo) -> tuple[str, str, str, int | None] | None:
    """Id, unique id, name and size of the picture that it carries."""
    if photo := _photo(content):
        return photo.file_id, photo.file_unique_id, "photo.jpg", photo.file_size
    sticker, document = content.sticker, content.document
    if sticker is not None and not (sticker.is_animated or sticker.is_video):
        return sticker.file_id, sticker.file_unique_id, "sticker.webp", sticker.file_size
    if document is None or content.animation is not None:
        return None
    kind, name = (document.mime_type or "").lower(), document.file_name or ""
    if not kind.startswith(_PICTURE_TYPES) and PurePath(name).suffix.lower() not in _PICTURE_ENDINGS:
        return None
    named = name or f"picture.{kind.removeprefix(_PICTURE_TYPES)}"
    return document.file_id, document.file_unique_id, named, document.file_size


def _photo(content: Message | ExternalReplyInfo) -> PhotoSize | None:
    """The largest size of a photo, or of a live photo's still."""
    still = content.live_photo.photo if content.live_photo is not None else None
    return max(content.photo or still or (), key=lambda size: size.width * size.height, default=None)


def _voice(message: Message) -> Attachment | None:
    file = message.voice or message.audio
    if file is None:
        return None
    name = message.audio.file_name if message.audio is not None else "voice.ogg"
    return Attachment(file_handle(file.file_id, file.file_unique_id), name or "sound.mp3", file.file_size)


def _recipe_file(message: Message) -> Attachment | None:
    file = message.document
    if file is None or not is_recipe_file(file.file_name or ""):
        return None
    return Attachment(file_handle(file.file_id, file.file_unique_id), file.file_name or "", file.file_size)


def _owner(origin: MessageOrigin, me: Me) -> Person | None:
    """Whose it is. None for whoever brings it: what was ours is theirs to show."""
    match origin:
        case MessageOriginUser():
            return None if str(origin.sender_user.id) == me.id else _user_person(origin.sender_user) or NOBODY
        case MessageOriginChat():
            return _chat_person(origin.sender_chat)
        case MessageOriginChannel():
            return _chat_person(origin.chat)
        case _:
            return NOBODY


def _is_from_us(origin: MessageOrigin, me: Me) -> bool:
    return isinstance(origin, MessageOriginUser) and str(origin.sender_user.id) == me.id


def _labels() -> Mapping[str, Provenance]:
    """What a label begins with, in whichever language it was shown."""
    found: dict[str, Provenance] = {}
    for language in LANGUAGES:
        with speaking(language):
            for known, profile in product((Provenance.AI_GENERATED, Provenance.AI_EDITED), Profile):
                found[label_line(Label(known, edited_by_ai=False), profile)] = known
    return found


def _provenance_of_ours(caption: str) -> Provenance | None:
    """What a picture of ours says of its origin. Telegram takes the label out of a photo's file; its caption has it.
    Where the caption is gone as well, the label must not be lost; words without a label stand under no result."""
    if not caption:
        return Provenance.AI_EDITED
    lines = caption.splitlines()
    return next((known for label, known in _labels().items() if any(line.startswith(label) for line in lines)), None)


# --- what is in the way


def _hindrance(content: Message | ExternalReplyInfo) -> Snag | None:
    """What it carries that the bot cannot use."""
    if content.animation is not None:
        return Snag.ANIMATION
    if content.video is not None:
        return Snag.VIDEO
    if content.video_note is not None:
        return Snag.VIDEO_NOTE
    if content.sticker is not None and (content.sticker.is_animated or content.sticker.is_video):
        return Snag.MOVING_STICKER
    if (
        content.document is not None
        and _file_of(content) is None
        and not is_recipe_file(content.document.file_name or "")
    ):
        return Snag.VIDEO if (content.document.mime_type or "").startswith("video/") else Snag.FILE
    others = (content.contact, content.location, content.poll, content.dice, content.game, content.story)
    more = (content.venue, content.invoice, content.paid_media, content.giveaway, content.checklist)
    return Snag.OTHER if any(each is not None for each in others + more) else None


# --- the whole of it


def inbound_of(
    message: Message, me: Me, *, version: int = 0, album: Album | None = None, replied_album: Album | None = None
) -> InboundMessage | Snag:
    """The message, for the core; it must concern the bot. `album` is the one that it belongs to, whole, and
    `replied_album` the one whose picture it replies to."""
    items = ordered(album) if album is not None else [message]
    first = items[0]
    author, chat = identity_of(first), chat_of(first, me)
    assert author is not None
    answering = next((each for each in items if replied_of(each) or each.external_reply), first)
    replied = replied_of(answering)
    brought = _brought_by_quote(answering, me) + tuple(file for each in items for file in attachments_of(each, me))
    target = _target(replied, me, chat, replied_album) if replied is not None else _Target()
    voice = next((sound for each in items if (sound := _voice(each)) is not None), None)
    file = next((recipe for each in items if (recipe := _recipe_file(each)) is not None), None)
    words = "\n".join(said for each in items if (said := _own_words(each, me)))
    if (snag := _snag(items, answering, target, me, usable=bool(brought or voice or file), words=words)) is not None:
        return snag
    return InboundMessage(
        ref=MessageRef(chat, str(first.message_id if album is None else anchor_of(album))),
        author=author.user,
        author_name=author.name,
        text=words,
        created_at=first.date.timestamp(),
        attachments=brought,
        reply_to=target.ref,
        version=version,
        reply_index=target.index,
        voice=voice,
        server=server_of(first, me),
        quoted=target.quoted,
        around=around_of(first, me),
        goes_on=first.chat.type == Chat.PRIVATE and replied is None and answering.external_reply is None,
        among=target.index is not None,
        file=file,
        quoted_file=_recipe_file(replied) if replied is not None else None,
        language=tag_of(first),
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """What is replied to."""

    ref: MessageRef | None = None
    quoted: Quoted | None = None
    index: int | None = None


def _target(replied: Message, me: Me, chat: ChatRef, album: Album | None) -> _Target:
    if album is not None and replied.message_id in album.items:
        return _target_in_album(replied, me, chat, album)
    ref = MessageRef(chat, str(replied.message_id))
    return _Target(ref, _quoted(ref, replied, me, attachments_of(replied, me)))


def _target_in_album(replied: Message, me: Me, chat: ChatRef, album: Album) -> _Target:
    """All pictures of the album, and the place of the one that was touched."""
    each_of = [(item.message_id, attachments_of(item, me)) for item in ordered(album)]
    ref = MessageRef(chat, str(anchor_of(album)))
    pictures = tuple(file for _, files in each_of for file in files)
    if not attachments_of(replied, me):
        return _Target(MessageRef(chat, str(replied.message_id)))
    index = sum(len(files) for id_, files in each_of if id_ < replied.message_id)
    return _Target(ref, _quoted(ref, replied, me, pictures), index if len(pictures) > 1 else None)


def _quoted(ref: MessageRef, replied: Message, me: Me, pictures: tuple[Attachment, ...]) -> Quoted | None:
    """None where there is no picture to be seen on it."""
    return Quoted(ref, identity_of(replied), pictures, is_ours(replied, me)) if pictures else None


def _own_words(message: Message, me: Me) -> str:
    """What stands under a picture that is passed on was not said by whoever passes it on."""
    passed_on = message.forward_origin is not None and not message.is_automatic_forward
    return "" if passed_on and not message.text else words_of(message, me)


def _snag(
    items: Sequence[Message], answering: Message, target: _Target, me: Me, *, usable: bool, words: str
) -> Snag | None:
    """Nothing, where there is something to go by: a picture, a voice, or words that reply to a picture or to us."""
    if usable:
        return None
    replied = replied_of(answering)
    stands = target.quoted is not None or (replied is not None and is_ours(replied, me))
    own = next((snag for each in items if (snag := _hindrance(each)) is not None), None)
    if own is not None:
        return None if words and stands else own
    if stands or _is_another_command(answering, me):
        return None
    there = replied or answering.external_reply
    return _hindrance(there) if there is not None else None


def _is_another_command(message: Message, me: Me) -> bool:
    """One that needs no picture."""
    command = command_of(message, me)
    return command is not None and command.name != EDIT
