"""Words of people and of models, made harmless for Telegram, and links that are meant. Pure.

No markup is parsed there, so nothing needs escaping; but "@name" would call somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import Formatter

from telegram import MessageEntity, User

from bot.domain.language import listed, pgettext
from bot.domain.refs import UserRef
from bot.domain.utf16 import cut, units

_JOINER = "\u2060"
_NAME_UNITS = 64
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u2028-\u202e\u2066-\u2069]")
"""Control characters, halves of characters, and what turns the direction of all that follows."""


def plain(text: str) -> str:
    """The same words to whoever reads them, which call nobody."""
    return _UNWANTED.sub("", text).replace("@", f"@{_JOINER}").replace(f"@{_JOINER}{_JOINER}", f"@{_JOINER}")


@dataclass(frozen=True, slots=True)
class Linked:
    """Words that lead to an address, or to a person."""

    words: str
    url: str = ""
    user: int = 0


Piece = str | Linked
Line = Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Said:
    """Plain text, with what in it is linked."""

    text: str = ""
    entities: tuple[MessageEntity, ...] = ()


def person(user: UserRef, name: str = "") -> Linked:
    """Somebody by name. Who writes as a chat, or is not from here, is not linked."""
    known = user.platform == "telegram" and user.user.isascii() and user.user.isdigit()
    return Linked(name_of(name), user=int(user.user) if known else 0)


def name_of(name: str) -> str:
    """On one line, and not so long that nothing else is read."""
    return cut(" ".join(plain(name).split()), _NAME_UNITS) or _nameless()


def _nameless() -> str:
    # TRANSLATORS: in place of a name that is not known: "Asked by somebody", "somebody, may your picture be edited?"
    return pgettext("in place of a name", "somebody")


def filled(sentence: str, **pieces: Line) -> list[Piece]:
    """A sentence of ours, with these in place of its names in braces."""
    found: list[Piece] = []
    for words, name, _, _ in Formatter().parse(sentence):
        found += [words] if words else []
        found += pieces[name] if name is not None else ()
    return found


def listed_pieces(pieces: Sequence[Piece]) -> list[Piece]:
    """“Anna, Ben and Cleo”, with what is linked in them."""
    named: dict[str, Line] = {f"p{number}": [piece] for number, piece in enumerate(pieces)}
    return filled(listed([f"{{{name}}}" for name in named]), **named)


def comma() -> str:
    """What stands between things of a list."""
    # TRANSLATORS: between the names of a list, but for the last two: "Anna, Ben and Cleo"
    return pgettext("between names", ", ")


def said(lines: Iterable[Line]) -> Said:
    """Line by line. Each piece is plain already. Telegram takes blanks at both ends away, so none are there."""
    parts: list[str] = []
    entities: list[MessageEntity] = []
    at = 0
    for line in lines:
        pieces = [each if isinstance(each, Linked) else Linked(each) for each in line]
        if parts:
            pieces.insert(0, Linked("\n"))
        for piece in pieces:
            words = piece.words if parts else piece.words.lstrip()
            if not words:
                continue
            length = units(words)
            if piece.url or piece.user:
                entities.append(_entity(piece, at, length))
            parts.append(words)
            at += length
    text = "".join(parts)
    return _within(text.rstrip(), tuple(entities))


def split(whole: Said, most: int) -> tuple[Said, Said | None]:
    """At most so many units, and the rest where there is one: cut where a word ends, if that is near."""
    if units(whole.text) <= most:
        return whole, None
    kept = _characters_in(whole.text, most - 1)
    near = max(whole.text.rfind(" ", 0, kept + 1), whole.text.rfind("\n", 0, kept + 1))
    if near > kept * 3 // 4:
        kept = near
    head = whole.text[:kept].rstrip()
    rest = whole.text[kept:].lstrip()
    first = _within(head, whole.entities)
    begins = units(whole.text) - units(rest) - 1  # one for the sign before it
    moved = tuple(_moved(each, begins) for each in whole.entities if each.offset + each.length > begins + 1)
    return Said(head + "…", first.entities), _within("…" + rest, moved)


def shortened(whole: Said, most: int) -> Said:
    return split(whole, most)[0]


def _entity(piece: Linked, offset: int, length: int) -> MessageEntity:
    if piece.user:
        user = User(piece.user, piece.words[:64], is_bot=False)
        return MessageEntity(MessageEntity.TEXT_MENTION, offset, length, user=user)
    return MessageEntity(MessageEntity.TEXT_LINK, offset, length, url=piece.url)


def _within(text: str, entities: Iterable[MessageEntity]) -> Said:
    """Links end where the text does."""
    end = units(text)
    kept: list[MessageEntity] = []
    for each in entities:
        length = min(each.length, end - each.offset)
        if length > 0:
            kept.append(_placed(each, each.offset, length))
    return Said(text, tuple(kept))


def _moved(entity: MessageEntity, by: int) -> MessageEntity:
    start = max(entity.offset - by, 1)
    return _placed(entity, start, entity.offset + entity.length - by - start)


def _placed(entity: MessageEntity, offset: int, length: int) -> MessageEntity:
    if (entity.offset, entity.length) == (offset, length):
        return entity
    return MessageEntity(entity.type, offset, length, url=entity.url, user=entity.user)


def _characters_in(text: str, most: int) -> int:
    """How many characters are in so many units."""
    for count, character in enumerate(text):
        most -= 1 + (character > "\uffff")
        if most < 0:
            return count
    return len(text)
