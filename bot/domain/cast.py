"""The cast of a chat: people, pets, things and styles that have a name, and how they are found in words. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

from bot.domain.errors import BadRequest
from bot.domain.images import ImageFacts
from bot.domain.imagining import says_nothing
from bot.domain.language import N_, ngettext, tr
from bot.domain.plain import plain_of
from bot.domain.quotes import QUOTED
from bot.domain.refs import ChatRef, Person, TurnId, UserRef
from bot.domain.words import joined

MOST_PICTURES = 6
MOST_MEMBERS = 40
"""In one chat."""
MOST_NAME_CHARS = 40
ENGINE = "cast"
"""The name of what carries out that somebody is saved."""

HOW_TO_CAST = N_(
    "Reply to a picture with “/cast save Rex”, or send pictures along with that. “/cast” shows who is in the cast "
    "here, “/cast delete Rex” takes Rex out again."
)
NOBODY_IN_CAST = N_("Nobody is in the cast of this chat yet.")
NO_PICTURE_TO_SAVE = N_("I found no picture to save. Reply to one with /cast save and a name, or send one along.")
NOT_READY_TO_SAVE = N_("That picture is still being made. Save it once it is there.")
NAME_MISSING = N_("Which name shall it have? For instance: /cast save Rex")
NAME_TOO_LONG = N_("That name is too long. {most} characters are the most.")
NAME_SAYS_NOTHING = N_("That is a word people say all the time, so I could not tell whom you mean. Please take a name.")
CAST_IS_FULL = N_("The cast of this chat is full: there are {most} in it. Take one out with /cast delete first.")


@dataclass(frozen=True, slots=True)
class CastPicture:
    """`owners` are all whose picture it is; None for whom nobody knows, nobody at all for what was drawn from words.
    `turn` saved it. `at` in seconds since the epoch."""

    image: ImageFacts
    owners: tuple[Person | None, ...]
    turn: TurnId
    at: float
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One of a chat's cast. `id` is what its pixels are held by. `turns` are those that saved it last, so that a repeat
    saves nothing twice."""

    id: str
    chat: ChatRef
    name: str
    by: Person
    pictures: tuple[CastPicture, ...]
    turns: tuple[TurnId, ...] = ()

    @property
    def holder(self) -> str:
        return f"cast:{self.id}"

    @property
    def people(self) -> tuple[UserRef, ...]:
        """Everybody of whom something is kept here."""
        owners = [owner.user for each in self.pictures for owner in each.owners if owner is not None]
        return tuple(dict.fromkeys([self.by.user, *owners]))

    @property
    def images(self) -> tuple[ImageFacts, ...]:
        return tuple(each.image for each in self.pictures)


@dataclass(frozen=True, slots=True)
class Saving:
    """`anew`: in place of what stands there under this name."""

    name: str
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Deleting:
    name: str


def read_cast(rest: str) -> Saving | Deleting | None:
    """What stands behind “/cast”. None where nothing does, and it is to be shown. Raises `BadRequest`."""
    verb, _, said = " ".join(rest.split()).partition(" ")
    match verb.casefold():
        case "":
            return None
        case "save" | "add":
            words = said.split(" ")
            anew = len(words) > 1 and words[-1].casefold() == "anew"
            return Saving(name_in(" ".join(words[:-1]) if anew else said), anew)
        case "delete" | "remove":
            return Deleting(name_in(said))
        case _:
            raise BadRequest(tr(HOW_TO_CAST))


def name_in(text: str) -> str:
    """A name as it was written, without what does not show. Raises `BadRequest` for what can be none."""
    shown = "".join(letter for letter in text if unicodedata.category(letter) not in {"Cc", "Cf", "Co", "Cs", "Cn"})
    name = unicodedata.normalize("NFC", " ".join(shown.split())).strip(_AROUND)
    if not any(letter.isalnum() for letter in name):
        raise BadRequest(tr(NAME_MISSING))
    if len(name) > MOST_NAME_CHARS:
        raise BadRequest(tr(NAME_TOO_LONG).format(most=MOST_NAME_CHARS))
    if len(name) < 2 or says_nothing(plain_of(name).text) or QUOTED.search(name):
        raise BadRequest(tr(NAME_SAYS_NOTHING))
    return name


_AROUND = " \"'“”„‘’‚«»‹›「」『』.,:;!?"


def same_name(name: str) -> str:
    """The form in which names are compared."""
    return unicodedata.normalize("NFC", name).casefold()


def without(member: Member, person: UserRef, *, words: bool, before: float = inf) -> Member | None:
    """What is left of it without this person's pictures; `words`: and without the name that they gave. None where
    nothing is. What came later than `before` stays."""
    pictures = tuple(
        each
        for each in member.pictures
        if each.at > before or person not in [owner.user for owner in each.owners if owner is not None]
    )
    named_then = min((each.at for each in member.pictures), default=0.0) <= before
    if not pictures or (words and member.by.user == person and named_then):
        return None
    return replace(member, pictures=pictures)


# --- in words


@dataclass(frozen=True, slots=True)
class Called:
    """That these words name somebody, from `start` to `end`."""

    name: str
    start: int
    end: int


def named_in(words: str, names: Iterable[str]) -> tuple[Called, ...]:
    """Which of these names stand in the words, whole and whatever their case, in order. Of two in one place the longer
    one. What is quoted names nobody. `words` in NFC."""
    folded, places = _folded(QUOTED.sub(lambda match: "\n" * len(match[0]), words))
    taken = [False] * len(folded)
    found: list[Called] = []
    for name in sorted(dict.fromkeys(names), key=len, reverse=True):
        sought, at = _folded(unicodedata.normalize("NFC", name))[0], 0
        while sought and (at := folded.find(sought, at)) >= 0:
            end = at + len(sought)
            if _is_whole(folded, at, end) and not any(taken[at:end]):
                taken[at:end] = [True] * len(sought)
                found.append(Called(name, places[at], places[end - 1] + 1))
            at += 1
    return tuple(sorted(found, key=lambda each: each.start))


def told_as(words: str, called: Sequence[Called], numbers: dict[str, int]) -> str:
    """The words with “picture 2” in place of each name, for whoever reads what pictures are for."""
    for each in reversed(called):
        words = f"{words[: each.start]}picture {numbers[each.name]}{words[each.end :]}"
    return words


def _folded(text: str) -> tuple[str, list[int]]:
    """In the form that is compared, one space between words, and where each character stood."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        if letter.isspace() and (not letters or letters[-1] == " "):
            continue
        for each in " " if letter.isspace() else letter.casefold():
            letters.append(each)
            places.append(place)
    return "".join(letters), places


def _is_whole(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if after and unicodedata.category(after).startswith("M"):
        return False  # it belongs to the last letter, which is another one with it
    runs_on = _is_letter(before) and not _stands_alone(before) and not _stands_alone(text[start])
    # In Korean what a word does in its sentence is written behind it, without a space.
    goes_on = _is_letter(after) and not any(_stands_alone(each) or _is_hangul(each) for each in (text[end - 1], after))
    return not runs_on and not goes_on


def _is_letter(letter: str) -> bool:
    return bool(letter) and (letter.isalnum() or letter == "_" or unicodedata.category(letter).startswith("M"))


_WITHOUT_SPACES = (
    (0x0E00, 0x0FFF),  # Thai, Lao, Tibetan
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),
    (0x3040, 0x30FF),  # kana
    (0x31F0, 0x31FF),
    (0x3400, 0x9FFF),  # Han
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x20000, 0x3FFFF),
)
"""Writing without spaces between words, where a name may stand right beside another word."""


def _stands_alone(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in _WITHOUT_SPACES)


def _is_hangul(letter: str) -> bool:
    return 0xAC00 <= ord(letter) <= 0xD7A3 or 0x1100 <= ord(letter) <= 0x11FF


# --- what people read


def in_cast_now(name: str, pictures: int) -> str:
    """After somebody was saved with so many pictures."""
    return ngettext(
        "{name} is in the cast of this chat, with one picture. Name {name} in a reply to a picture, or alone: “put "
        "{name} on the red carpet”.",
        "{name} is in the cast of this chat, with {count} pictures. Name {name} in a reply to a picture, or alone: "
        "“put {name} on the red carpet”.",
        pictures,
    ).format(name=name, count=pictures)


def nobody_in_cast() -> str:
    return joined(tr(NOBODY_IN_CAST), tr(HOW_TO_CAST))


def cast_is_full() -> str:
    return tr(CAST_IS_FULL).format(most=MOST_MEMBERS)


def member_line(member: Member) -> str:
    """One of the list."""
    count = len(member.pictures)
    if not member.by.name:
        words = ngettext("{name}: 1 picture, saved by somebody", "{name}: {count} pictures, saved by somebody", count)
    else:
        words = ngettext("{name}: 1 picture, saved by {saver}", "{name}: {count} pictures, saved by {saver}", count)
    return words.format(name=member.name, count=count, saver=member.by.name)


def taken_out(name: str) -> str:
    return tr("{name} is not in the cast any more.").format(name=name)


def yours_taken_out(name: str) -> str:
    """Where others' pictures stay under this name."""
    return tr("Your pictures are not {name} any more.").format(name=name)


def no_such_member(name: str) -> str:
    return tr("Nobody here is called {name}. /cast shows who is in the cast.").format(name=name)


def not_yours_to_delete(name: str) -> str:
    return tr("Somebody else saved {name}. They can take it out, or whose picture it is.").format(name=name)


def name_is_taken(name: str) -> str:
    return tr("Somebody else saved {name} here already. Please take another name.").format(name=name)


def too_many_pictures(name: str, there: int) -> str:
    """For more than one may have; `there` stand already."""
    if not there:
        words = tr("{most} pictures are the most for one name. Please choose fewer.")
    else:
        words = ngettext(
            "{most} pictures are the most for one name. {name} has {count} already. Please choose fewer. “/cast save "
            "{name} anew” begins anew.",
            "{most} pictures are the most for one name. {name} has {count} already. Please choose fewer. “/cast save "
            "{name} anew” begins anew.",
            there,
        )
    return words.format(most=MOST_PICTURES, name=name, count=there)
