"""What is left of a value when a person is forgotten. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from urllib.parse import quote

from bot.domain.arena import Side
from bot.domain.images import ImageFacts
from bot.domain.messages import Attachment, InboundMessage, Quoted
from bot.domain.refs import ChatRef, Person, UserRef
from bot.domain.turns import Outcome, Story, Turn
from storage.redis.codec import HELD, INBOUND, OWNERS, RECORD, SOURCES

_SAFE = "-_.~@"
"""As in the keys of refs."""


def asks_them(user: UserRef, turn: Turn) -> bool:
    """Whether this turn needs, or needed, this person's consent."""
    return any(each.user == user for each in turn.asks)


def said_by(user: UserRef, turn: Turn) -> bool:
    """Whether somebody else's turn follows, or tells, this person's words."""
    return user in (turn.words_by, *turn.words_of)


def names_in(user: UserRef, turn: Turn) -> frozenset[str]:
    """What this person is called where a turn names them as the owner of a picture; may hold the empty name."""
    asked = (each.name for each in turn.asks if each.user == user)
    return frozenset([*asked, *(each.owner_name for each in turn.inputs if each.owner == user)])


def nameless(outcome: Outcome, names: Iterable[str]) -> Outcome:
    """Without what was told where it has one of these names."""
    named = any(name and name in text for name in names for text in (outcome.words, outcome.note))
    return replace(outcome, words="", note="") if named else outcome


def turn_without(user: UserRef, turn: Turn) -> Turn:
    """Somebody else's turn, with nothing in it that names this person or was said by them."""
    story = Story(
        lines=tuple(line for line in turn.story.lines if user not in (line.author, *line.others)),
        pinned=tuple(line for line in turn.story.pinned if user not in (line.author, *line.others)),
    )
    inputs = tuple(replace(each, owner=None, owner_name="") if each.owner == user else each for each in turn.inputs)
    asks = tuple(each for each in turn.asks if each.user != user)
    lent = tuple(each for each in turn.lent if each.owner != user)
    pin_owners = tuple(None if each == user else each for each in turn.pin_owners)
    unnamed = tuple(each for each in turn.unnamed if each != user)
    if said_by(user, turn):
        wish = replace(turn.wish, lettering=())
        sides = _nothing_said(turn.sides)
        turn = replace(turn, words_by=None, words_of=(), instruction="", wish=wish, heard="", sides=sides)
    return replace(turn, story=story, inputs=inputs, asks=asks, lent=lent, pin_owners=pin_owners, unnamed=unnamed)


def is_own_chat(user: UserRef, chat: ChatRef) -> bool:
    """Whether the chat is named after this person: where they are alone with the bot, or a topic of that."""
    return chat.platform == user.platform and chat.chat.partition("/")[0] == user.user


def is_named_after(user: UserRef, key: str) -> bool:
    """Whether the name of a key has this person in it, or their own chat. Both stand in names as their refs are
    written, and in parts of some that are quoted once more."""
    return _named_after(user.platform, quote(user.user, safe=_SAFE)).search(key) is not None


@lru_cache(maxsize=64)
def _named_after(platform: str, user: str) -> re.Pattern[str]:
    # `<platform>:<user>`, or `<platform>:<account>:<chat>` where the account is a number, as bots have.
    return re.compile(rf"(?<![^:{{ ]){re.escape(platform)}:(?:\d+:)?{re.escape(user)}(?=$|[:}} ]|%2F)")


def _nothing_said(sides: Iterable[Side]) -> tuple[Side, ...]:
    return tuple(replace(side, words="", wish=replace(side.wish, lettering=())) for side in sides)


def message_without(user: UserRef, fields: Mapping[str, str]) -> tuple[dict[str, str], list[ImageFacts]]:
    """The fields of somebody else's message that change when this person's pictures and name go, each as it is then,
    empty where nothing is left of it; and the pictures that go."""
    changes: dict[str, str] = {}
    gone: list[ImageFacts] = []
    left: tuple[ImageFacts, ...] = SOURCES.load(fields["sources"]) if "sources" in fields else ()
    if "sources" in fields and "owners" in fields:
        sources, owners = SOURCES.load(fields["sources"]), OWNERS.load(fields["owners"])
        pairs = [(image, owners[i] if i < len(owners) else None) for i, image in enumerate(sources)]
        kept = [(image, owner) for image, owner in pairs if not _is(user, owner)]
        if len(kept) < len(pairs):
            left = tuple(image for image, _ in kept)
            gone = [image for image in sources if image not in left]
            changes = {"sources": _sources_text(fields, left), "owners": _owners_text(fields, kept)}
    for name, image, owner in held_in(fields):
        if _is(user, owner):
            changes[name] = ""
            gone += [image] if image not in left else []
    for name, text in fields.items():
        if name.startswith("inbound:"):
            left_of_it = _inbound_text_without(user, text)
            if left_of_it != text:
                changes[name] = left_of_it
    return changes, gone


def message_without_pictures(
    user: UserRef, pictures: frozenset[str], fields: Mapping[str, str]
) -> tuple[dict[str, str], list[ImageFacts], tuple[ImageFacts, ...]]:
    """The fields of a message that change when these pictures of this person's go, each as it is then; the pictures
    that go; and those that it still shows."""
    changes: dict[str, str] = {}
    author = RECORD.load(fields["record"]).author
    sources: tuple[ImageFacts, ...] = SOURCES.load(fields["sources"]) if "sources" in fields else ()
    owners: tuple[Person | None, ...] = OWNERS.load(fields["owners"]) if "owners" in fields else ()
    pairs = [(image, owners[i] if i < len(owners) else None) for i, image in enumerate(sources)]

    def goes(image: ImageFacts, owner: Person | None) -> bool:
        return image.sha256 in pictures and (_is(user, owner) or (owner is None and author == user))

    kept = [(image, owner) for image, owner in pairs if not goes(image, owner)]
    left = tuple(image for image, _ in kept)
    gone = [image for image, owner in pairs if goes(image, owner) and image not in left]
    if len(kept) < len(pairs):
        changes["sources"] = _sources_text(fields, left)
        if "owners" in fields:
            changes["owners"] = _owners_text(fields, kept)
    for name, image, owner in held_in(fields):
        if goes(image, owner):
            changes[name] = ""
            gone += [image] if image not in left and image not in gone else []
    return changes, gone, left


def _sources_text(fields: Mapping[str, str], left: tuple[ImageFacts, ...]) -> str:
    return SOURCES.rewrite(fields["sources"], left, erasing=True)


def _owners_text(fields: Mapping[str, str], kept: Iterable[tuple[ImageFacts, Person | None]]) -> str:
    return OWNERS.rewrite(fields["owners"], tuple(owner for _, owner in kept), erasing=True)


def held_in(fields: Mapping[str, str]) -> Iterator[tuple[str, ImageFacts, Person | None]]:
    """The pictures that a message ever brought, each with its field and its owner."""
    for name, text in fields.items():
        if name.startswith("held:"):
            yield (name, *HELD.load(text))


def _inbound_text_without(user: UserRef, text: str) -> str:
    try:
        inbound = INBOUND.load(text)
    except ValueError:
        return ""  # nobody deals with what cannot be read, and nobody can tell whom it names
    changed = _inbound_without(user, inbound)
    return text if changed == inbound else INBOUND.rewrite(text, changed, erasing=True)


def _inbound_without(user: UserRef, message: InboundMessage) -> InboundMessage:
    voice = message.voice if message.voice is None or not _is(user, message.voice.owner) else None
    quoted = _quoted_without(user, message.quoted) if message.quoted else None
    return replace(message, attachments=_not_of(user, message.attachments), voice=voice, quoted=quoted)


def _quoted_without(user: UserRef, quoted: Quoted) -> Quoted:
    if _is(user, quoted.author):
        return replace(quoted, author=None, attachments=())
    return replace(quoted, attachments=_not_of(user, quoted.attachments))


def _not_of(user: UserRef, files: Iterable[Attachment]) -> tuple[Attachment, ...]:
    return tuple(each for each in files if not _is(user, each.owner))


def _is(user: UserRef, person: Person | None) -> bool:
    return person is not None and person.user == user


def unsaid(outcome: Outcome) -> Outcome:
    """Without what was said, told and proposed."""
    return replace(outcome, words="", suggestions=(), plan=(), recipes=(), files=())
