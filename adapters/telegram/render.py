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
from adapters.telegram.words import (
    Line,
    Linked,
    Piece,
    Said,
    comma,
    filled,
    listed_pieces,
    name_of,
    person,
    plain,
    said,
    shortened,
    split,
)
from bot.domain.actions import Act, Control
from bot.domain.buttons import NOT_THIS_TIME, ButtonId, Verb
from bot.domain.consent import Say
from bot.domain.files import TextFile
from bot.domain.images import ALL, EXTENSIONS, ImageFacts
from bot.domain.language import N_, listed, ngettext, pgettext, tr
from bot.domain.messages import Answer, Credit, Panel, Rendition
from bot.domain.refs import TurnId
from bot.domain.turns import FINAL_STATES, Source, TurnState
from bot.domain.utf16 import cut, units

# TRANSLATORS: what an answer says at first, and the answer to a press, at most 200 characters
ON_ITS_WAY: Final = N_("On its way.")
NOTHING_TO_SAY: Final = "…"
"""Telegram takes no empty message."""
TOO_LARGE_WORDS: Final = N_("The picture is too large for Telegram, so it can't be shown here.")
NOT_TAKEN_WORDS: Final = N_("Telegram did not take the picture.")
NOT_ALLOWED_WORDS: Final = N_("I may not send pictures here. Whoever looks after this group can allow it.")
# TRANSLATORS: “Send it again” is what stands on a key: the same words as there
UNSURE_WORDS: Final = N_("Something that belongs here may not have arrived. “Send it again” brings it once more.")
# TRANSLATORS: a key, at most 36 characters: sends the picture as a file that says how it was made (C2PA)
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
    # TRANSLATORS: stands under pictures that follow the first of an answer: "Pictures 2, 3 and 4"
    which = ngettext("Picture {numbers}", "Pictures {numbers}", len(shots))
    which = which.format(numbers=listed([str(shot.number) for shot in shots]))
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
            lines[0] = [*lines[0], f" {_position(answer.position)}"]
        if answer.asks:
            lines = [*_question(answer), *lines]
    lines += _captions(answer.panels)
    if answer.state in FINAL_STATES:
        lines += _sources(answer.sources)
        lines += _credit(answer.credit, group=group)
    return lines


def _position(position: int) -> str:
    if position <= 1:
        # TRANSLATORS: in a queue: nobody else is waited for
        return tr("You are next.")
    before = position - 1
    # TRANSLATORS: how many others are waited for, in a queue
    return ngettext("There is {count} before you.", "There are {count} before you.", before).format(count=f"{before:,}")


def _question(answer: Answer) -> list[Line]:
    owners, count = listed_pieces([person(each.user, each.name) for each in answer.asks]), len(answer.asks)
    if answer.credit is None:
        # TRANSLATORS: asks the owners of pictures, by name: "Anna and Ben, may your pictures be edited?"
        asks = ngettext("{owners}, may your picture be edited?", "{owners}, may your pictures be edited?", count)
        return [filled(asks, owners=owners)]
    # TRANSLATORS: asks the owners of pictures, by name: "Anna and Ben, may Cleo edit your pictures?"
    asks = ngettext("{owners}, may {asker} edit your picture?", "{owners}, may {asker} edit your pictures?", count)
    wanted: list[Line] = [[_quoted(answer.credit.words)]] if answer.credit.words.strip() else []
    return [filled(asks, owners=owners, asker=[name_of(answer.credit.asker.name)]), *wanted]


def _quoted(words: str) -> str:
    """On one line, as much as is needed to know what is wanted."""
    # TRANSLATORS: somebody's own words, quoted as that is done in your language
    quoted = pgettext("somebody's words", "“{words}”")
    return quoted.format(words=cut(plain(" ".join(words.split())), _MOST_WORDS))


def _captions(panels: Sequence[Panel]) -> list[Line]:
    words = ((number, " ".join(panel.words.split())) for number, panel in enumerate(panels, 1))
    return [[f"{number}. {plain(each)}"] for number, each in words if each]


def _sources(sources: Iterable[Source]) -> list[Line]:
    links: list[Piece] = []
    length = 0
    for source in sources:
        if not _URL.fullmatch(source.url) or units(source.url) > _URL_UNITS:
            continue
        title = " ".join(plain(source.title.replace("://", " ")).split())
        words = cut(title or plain(source.url.split("/")[2]), _TITLE_UNITS)
        length += units(words) + 2
        if length > _SOURCES_UNITS:
            break
        links += [*([comma()] if links else []), Linked(words, url=source.url)]
    # TRANSLATORS: before a list of links to pages
    return [filled(tr("Sources: {links}"), links=links)] if links else []


def _credit(credit: Credit | None, *, group: bool) -> list[Line]:
    """Where nobody else reads it, only whose other pictures went in."""
    if credit is None:
        return []
    asker = credit.asker
    names = dict(zip(credit.owners, credit.names, strict=False))
    owners = [person(each, names.get(each, "")) for each in credit.owners[:10] if each != asker.user]
    if not owners and not group:
        return []
    by: list[Piece] = [name_of(asker.name)]
    if not owners:
        # TRANSLATORS: under a result, who asked for it: "Asked by Anna"
        return [filled(tr("Asked by {asker}"), asker=by)]
    # TRANSLATORS: under a result: "Asked by Anna, with pictures by Ben and Cleo"
    credited = ngettext(
        "Asked by {asker}, with a picture by {owners}", "Asked by {asker}, with pictures by {owners}", len(owners)
    )
    return [filled(credited, asker=by, owners=listed_pieces(owners))]


# --- what stands on keys


def _says() -> Sequence[tuple[str, str]]:
    """An owner's answers."""
    return (
        # TRANSLATORS: a key, at most 24 characters: yes, this picture may be edited this time
        (Say.ONCE.value, pgettext("button", "Once")),
        # TRANSLATORS: a key, at most 24 characters: yes, my pictures may always be edited in this chat
        (Say.HERE.value, pgettext("button", "Always here")),
        # TRANSLATORS: a key, at most 24 characters: no, my pictures may never be edited
        (Say.NEVER.value, pgettext("button", "Never")),
        # TRANSLATORS: a key, at most 24 characters: no, this picture may not be edited this time
        (NOT_THIS_TIME, pgettext("button", "Not this time")),
    )


def _send_again() -> str:
    # TRANSLATORS: a key, at most 36 characters: sends what may not have arrived
    return pgettext("button", "Send it again")


def _cancel() -> str:
    # TRANSLATORS: a key, at most 24 characters: stops what is being made
    return pgettext("button", "Cancel")


def _info() -> str:
    # TRANSLATORS: a key, at most 20 characters: tells about this picture
    return pgettext("button", "Info")


def _more() -> str:
    # TRANSLATORS: a key, at most 20 characters: shows more keys
    return pgettext("button", "More…")


def _delete() -> str:
    # TRANSLATORS: a key, at most 24 characters: deletes this result
    return pgettext("button", "Delete")


def _file() -> str:
    # TRANSLATORS: a key, at most 20 characters: sends this one of several pictures as a file
    return pgettext("button", "File")


# --- keys


def keyboard(answer: Answer, *, unsure: bool = False) -> Keyboard:
    """What is pressed most; the rest is behind “More…”."""
    if answer.state not in FINAL_STATES:
        return _open(answer)
    again = [_row(_key(_send_again(), Verb.REST, argument=answer.turn or ""))] if unsure else []
    says = _suggestions(answer.suggestions)
    if not _has_picture(answer):
        return _rows(*again, *says, *_pairs([_control(each) for each in answer.controls]))
    controls = answer.controls if answer.panels else _first(answer.controls)
    doing = [_control(each) for each in controls]
    votes = _votes(answer)
    about = [_key(_info(), Verb.INFO), _key(_more(), Verb.MORE)]
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
        _row(_key(_info(), Verb.INFO), _key(_delete(), Verb.DELETE)),
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
        consent = [_key(label, Verb.ALLOW, argument=f"{say}.{answer.turn}") for say, label in _says()]
    return _rows(*_pairs(consent), _row(_key(_cancel(), Verb.CANCEL, argument=answer.turn)))


def _has_picture(answer: Answer) -> bool:
    return answer.state is TurnState.DONE and bool(answer.images)


def _panel(place: int, panel: Panel) -> list[Key | None]:
    controls = [_control(each, place) for each in panel.controls]
    return [*(_one(place) if panel.image is not None else []), *controls]


def _one(place: int) -> list[Key | None]:
    return [_key(f"{place + 1}. {_file()}", Verb.FILE, place), _key(f"{place + 1}. {_info()}", Verb.INFO, place)]


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
