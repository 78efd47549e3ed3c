"""What an answer looks like on Telegram. Pure.

One message holds one picture with a caption (1,024 units), or a text (4,096), and keys below. What the words have no
room for goes into one message of its own behind it. No markup: links are entities, and nobody is called by "@name".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.telegram import limits
from adapters.telegram.ports import Key, Keyboard
from adapters.telegram.words import Line, Linked, Piece, Said, name_of, person, plain, said, shortened, split
from bot.domain.actions import Act, Control
from bot.domain.buttons import NOT_THIS_TIME, ButtonId, Verb
from bot.domain.consent import Say
from bot.domain.files import TextFile
from bot.domain.images import ALL, EXTENSIONS, ImageFacts
from bot.domain.language import N_, tr
from bot.domain.messages import Answer, Credit, Panel, Rendition
from bot.domain.refs import TurnId
from bot.domain.turns import FINAL_STATES, Source, TurnState
from bot.domain.utf16 import cut, units

ON_ITS_WAY: Final = N_("On its way.")
NOTHING_TO_SAY: Final = "…"
"""Telegram takes no empty message."""
TOO_LARGE_WORDS: Final = N_("The picture is too large for Telegram, so it can't be shown here.")
NOT_TAKEN_WORDS: Final = N_("Telegram did not take the picture.")
NOT_ALLOWED_WORDS: Final = N_("I may not send pictures here. Whoever looks after this group can allow it.")
UNSURE_WORDS: Final = N_("Something that belongs here may not have arrived. “Send it again” brings it once more.")
FILE_LABEL: Final = N_("File with credentials")
_MOST_WORDS = 300
_SOURCES_UNITS = 1000
_TITLE_UNITS = 80
_URL_UNITS = 400
_URL = re.compile(r"https?://[^\s<>\\\x00-\x1f]+")
_ARGUMENT = re.compile(r"[A-Za-z0-9_.-]{0,60}")
"""See `bot.domain.buttons`."""
_MOST_SUGGESTIONS = 5
_IN_A_ROW = 2
_MOST_OF_A_PANEL = 8
_MOST_KEYS = 96
"""Of the hundred that a keyboard may have (Telegram's servers, 2026-11)."""
_KEYBOARD_BYTES = 9_000
"""Ten thousand are refused as too long (seen, not published). `_KEY_BYTES` is what each has beside its words."""
_KEY_BYTES = 40
_FIRST_ACTS = (Act.AGAIN, Act.UNDO, Act.VARIATIONS, Act.LARGER)
_TO_CHOOSE_FROM = frozenset({Act.GO, Act.PRESET, Act.RECIPE})
"""What stands under an answer that is there to choose from: all of it is to be seen at once."""
_SAYS = ((Say.ONCE, "Once"), (Say.HERE, "Always here"), (Say.NEVER, "Never"))


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture to show. `turn` and `index` say which result it is, `number` (from 1) where it stands in the answer."""

    rendition: Rendition
    number: int
    turn: TurnId | None = None
    index: int = 0

    @property
    def filename(self) -> str:
        return f"remix-{self.number}.{EXTENSIONS[self.rendition.image.media_type]}"

    @property
    def as_photo(self) -> bool:
        return as_photo(self.rendition.image)


@dataclass(frozen=True, slots=True)
class Shown:
    """A message. `rest` is what its words had no room for. `others` are pictures that need messages of their own.
    `file` stands in place of a picture."""

    said: Said
    keyboard: Keyboard = ()
    shot: Shot | None = None
    spoiler: bool = False
    rest: Said | None = None
    others: tuple[Shot, ...] = ()
    file: TextFile | None = None


def show(answer: Answer, *, group: bool = True, instead: str = "", unsure: bool = False) -> Shown:
    """`group` where others read it, too. `instead` is said where its pictures can't be shown; `unsure` where it is not
    known whether all that belongs to it stands there."""
    shots = () if instead else shots_of(answer)
    whole = said(_lines(answer, group=group, instead=instead, unsure=unsure))
    if not whole.text and not shots:
        whole = Said(NOTHING_TO_SAY)
    file = answer.files[0] if answer.files and not shots and not instead else None
    words, rest = split(whole, limits.CAPTION if shots or file else limits.TEXT)
    final = answer.state in FINAL_STATES
    return Shown(
        words,
        keyboard(answer, unsure=unsure),
        shots[0] if shots else None,
        answer.spoiler,
        rest=shortened(rest, limits.TEXT) if rest is not None and final else None,
        others=tuple(shots[1:]) if final else (),
        file=file,
    )


def as_photo(facts: ImageFacts) -> bool:
    """Whether it may be a photo there, and loses nothing that is seen: photos have no transparency."""
    sides = sorted((facts.width_px, facts.height_px))
    return (
        not facts.has_alpha
        and facts.size_bytes <= limits.PHOTO_BYTES
        and sum(sides) <= limits.PHOTO_SIDES_PX
        and sides[1] <= limits.PHOTO_RATIO * max(sides[0], 1)
    )


def shots_of(answer: Answer) -> tuple[Shot, ...]:
    """Its pictures in order, as many as it may have."""
    if answer.panels:
        panels = enumerate(answer.panels, 1)
        found = [Shot(panel.image, number, panel.turn, ALL) for number, panel in panels if panel.image is not None]
    else:
        found = [Shot(image, number, answer.turn, number - 1) for number, image in enumerate(answer.images, 1)]
    return tuple(found[: limits.ALBUM])


def others_said(answer: Answer, shots: Sequence[Shot]) -> Said:
    """What stands under the pictures that follow: their label, and which they are."""
    label = next((line for line in answer.lines if line.strip()), "")
    numbers = _and([str(shot.number) for shot in shots])
    which = f"Picture {numbers}" if len(shots) == 1 else f"Pictures {numbers}"
    return shortened(said([[plain(label)], [which]] if label else [[which]]), limits.CAPTION)


# --- words


def _lines(answer: Answer, *, group: bool, instead: str, unsure: bool) -> list[Line]:
    """The label comes first: it is the part that must be read."""
    lines: list[Line] = [[plain(line)] for line in answer.lines]
    if unsure:
        lines.insert(1, [tr(UNSURE_WORDS)])
    if instead:
        lines.insert(1, [instead])
    if answer.state not in FINAL_STATES:
        if answer.position is not None and lines:
            lines[0] = [*lines[0], _position(answer.position)]
        if answer.asks:
            lines = [*_question(answer), *lines]
    lines += _captions(answer.panels)
    if answer.state in FINAL_STATES:
        lines += _sources(answer.sources)
        lines += _credit(answer.credit, group=group)
    return lines


def _position(position: int) -> str:
    return " You are next." if position <= 1 else f" There are {position - 1:,} before you."


def _question(answer: Answer) -> list[Line]:
    owners = _and_pieces([person(each.user, each.name) for each in answer.asks])
    what = "your picture" if len(answer.asks) == 1 else "your pictures"
    if answer.credit is None:
        return [[*owners, f", may {what} be edited?"]]
    asker = name_of(answer.credit.asker.name)
    wanted: list[Line] = [[_quoted(answer.credit.words)]] if answer.credit.words.strip() else []
    return [[*owners, f", may {asker} edit {what}?"], *wanted]


def _quoted(words: str) -> str:
    """On one line, as much as is needed to know what is wanted."""
    return f"“{cut(plain(' '.join(words.split())), _MOST_WORDS)}”"


def _captions(panels: Sequence[Panel]) -> list[Line]:
    words = ((number, " ".join(panel.words.split())) for number, panel in enumerate(panels, 1))
    return [[f"{number}. {plain(each)}"] for number, each in words if each]


def _sources(sources: Iterable[Source]) -> list[Line]:
    line: list[Piece] = []
    length = 0
    for source in sources:
        if not _URL.fullmatch(source.url) or units(source.url) > _URL_UNITS:
            continue
        title = " ".join(plain(source.title.replace("://", " ")).split())
        words = cut(title or plain(source.url.split("/")[2]), _TITLE_UNITS)
        length += units(words) + 2
        if length > _SOURCES_UNITS:
            break
        line += [", " if line else "Sources: ", Linked(words, url=source.url)]
    return [line] if line else []


def _credit(credit: Credit | None, *, group: bool) -> list[Line]:
    """Where nobody else reads it, only whose other pictures went in."""
    if credit is None:
        return []
    asker = credit.asker
    names = dict(zip(credit.owners, credit.names, strict=False))
    owners = [person(each, names.get(each, "")) for each in credit.owners[:10] if each != asker.user]
    if not owners and not group:
        return []
    by: list[Piece] = [f"Asked by {name_of(asker.name)}"]
    if owners:
        by += [", with a picture by " if len(owners) == 1 else ", with pictures by ", *_and_pieces(owners)]
    return [by]


def _and(parts: Sequence[str]) -> str:
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else "".join(parts)


def _and_pieces(parts: Sequence[Piece]) -> list[Piece]:
    found: list[Piece] = []
    for left, part in zip(reversed(range(len(parts))), parts, strict=True):
        found += [part, ", " if left > 1 else " and " if left else ""]
    return found


# --- keys


def keyboard(answer: Answer, *, unsure: bool = False) -> Keyboard:
    """What is pressed most; the rest is behind “More…”."""
    if answer.state not in FINAL_STATES:
        return _open(answer)
    again = [_row(_key("Send it again", Verb.REST, argument=answer.turn or ""))] if unsure else []
    says = _suggestions(answer.suggestions)
    if not _has_picture(answer):
        return _rows(*again, *says, *_pairs([_control(each) for each in answer.controls]))
    controls = answer.controls if answer.panels else _first(answer.controls)
    doing = [_control(each) for each in controls]
    votes = _votes(answer)
    about = [_key("Info", Verb.INFO), _key("More…", Verb.MORE)]
    return _rows(*again, *votes, *says, *_pairs(doing), _row(_key(tr(FILE_LABEL), Verb.FILE)), _row(*about))


def full_keyboard(answer: Answer) -> Keyboard:
    """All that can be done with a finished answer."""
    if answer.state not in FINAL_STATES or not _has_picture(answer):
        return keyboard(answer)
    whole = [
        *_votes(answer),
        *_suggestions(answer.suggestions),
        *_pairs([_control(each) for each in answer.controls]),
        _row(_key(tr(FILE_LABEL), Verb.FILE)),
        _row(_key("Info", Verb.INFO), _key("Delete", Verb.DELETE)),
    ]
    each_of: list[tuple[Key, ...]] = []
    if answer.panels:
        left = _MOST_KEYS - sum(map(len, whole))
        share = min(_MOST_OF_A_PANEL, max(left // len(answer.panels), 1))
        for place, panel in enumerate(answer.panels):
            each_of += _pairs(_panel(place, panel)[:share])
    elif len(answer.images) > 1:
        for place in range(len(answer.images)):
            each_of.append(_row(*_one(place)))
    return _taken(_rows(*whole, *each_of))


def _taken(rows: Keyboard) -> Keyboard:
    """As many rows as Telegram takes: what is for the whole comes first."""
    left = _KEYBOARD_BYTES
    for count, row in enumerate(rows):
        left -= sum(len(key.label.encode()) + len(key.data) + _KEY_BYTES for key in row)
        if left < 0:
            return rows[:count]
    return rows


def file_key() -> Keyboard:
    """The only one where others are not taken."""
    return _rows(_row(_key(tr(FILE_LABEL), Verb.FILE)))


def _open(answer: Answer) -> Keyboard:
    if answer.turn is None:
        return ()
    consent: list[Key | None] = []
    if answer.asks:
        says = [*((say.value, label) for say, label in _SAYS), (NOT_THIS_TIME, "Not this time")]
        consent = [_key(label, Verb.ALLOW, argument=f"{say}.{answer.turn}") for say, label in says]
    return _rows(*_pairs(consent), _row(_key("Cancel", Verb.CANCEL, argument=answer.turn)))


def _has_picture(answer: Answer) -> bool:
    return answer.state is TurnState.DONE and bool(answer.images)


def _panel(place: int, panel: Panel) -> list[Key | None]:
    controls = [_control(each, place) for each in panel.controls]
    return [*(_one(place) if panel.image is not None else []), *controls]


def _one(place: int) -> list[Key | None]:
    return [_key(f"{place + 1}. File", Verb.FILE, place), _key(f"{place + 1}. Info", Verb.INFO, place)]


def _votes(answer: Answer) -> list[tuple[Key, ...]]:
    options = answer.vote.options if answer.vote is not None else ()
    return _pairs([_key(label, Verb.VOTE, argument=argument) for argument, label in options])


def _suggestions(suggestions: Sequence[str]) -> list[tuple[Key, ...]]:
    """The label is all that is said, so one that does not fit is left out."""
    labels = [" ".join(plain(each).split()) for each in suggestions]
    fitting = [label for label in labels if label and units(label) <= limits.BUTTON_LABEL]
    return [_row(_key(label, Verb.SAY, argument=str(n))) for n, label in enumerate(fitting[:_MOST_SUGGESTIONS])]


def _first(controls: Sequence[Control]) -> list[Control]:
    """One of a kind."""
    if controls and controls[0].act in _TO_CHOOSE_FROM:
        return list(controls)
    found = (next((each for each in controls if each.act is act), None) for act in _FIRST_ACTS)
    return [each for each in found if each is not None]


def _control(control: Control, place: int | None = None) -> Key | None:
    argument = f"{control.act.value}.{control.argument}" if control.argument else control.act.value
    label = control.label if place is None else f"{place + 1}. {control.label}"
    return _key(label, Verb.PRESS, place, argument)


def _key(label: str, verb: Verb, place: int | None = None, argument: str = "") -> Key | None:
    """None for what Telegram's keys have no room for."""
    shown = cut(" ".join(plain(label).split()), limits.BUTTON_LABEL)
    if not shown or not _ARGUMENT.fullmatch(argument):
        return None
    data = str(ButtonId(verb, place, argument))
    return Key(shown, data) if len(data) <= limits.BUTTON_BYTES else None


def _row(*keys: Key | None) -> tuple[Key, ...]:
    return tuple(each for each in keys if each is not None)


def _pairs(keys: Sequence[Key | None]) -> list[tuple[Key, ...]]:
    there = _row(*keys)
    return [there[start : start + _IN_A_ROW] for start in range(0, len(there), _IN_A_ROW)]


def _rows(*rows: tuple[Key, ...]) -> Keyboard:
    return tuple(each for each in rows if each)
