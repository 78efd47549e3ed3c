"""What was changed in how things are set: who, when, what, from what to what. Never anybody's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Final, TypeVar

from bot.domain.access import Access
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.language import N_, tr
from bot.domain.refs import ChatRef, ServerRef

HOUSE: Final = "house"
"""The place of what was changed for the whole installation."""
MOST_SHOWN: Final = 10
S = TypeVar("S", ChatSettings, ServerSettings)


@dataclass(frozen=True, slots=True)
class Change:
    """`by` and `people` are subjects (`bot.domain.people`); `by` is empty once that person is forgotten. `at` in
    seconds since the epoch, `place` is `HOUSE` or what `place_of_chat` and `place_of_server` give."""

    at: float
    by: str
    place: str
    what: str
    before: str = ""
    after: str = ""
    people: tuple[str, ...] = ()
    v: int = 1

    def without(self, person: str) -> Change:
        """As it is kept once they are forgotten."""
        left = tuple(each for each in self.people if each != person)
        return replace(self, by="" if self.by == person else self.by, people=left)


def place_of_chat(chat: ChatRef) -> str:
    return f"chat:{chat.key}"


def place_of_server(server: ServerRef) -> str:
    return f"server:{server.key}"


def differences(place: str, before: S, after: S, *, platform: str, by: str, at: float) -> list[Change]:
    """One for each thing that is another now. Whom a list lets in or keeps out is told by their ids."""
    found: list[Change] = []
    for each in fields(before):
        was, is_ = getattr(before, each.name), getattr(after, each.name)
        if isinstance(was, Access) and isinstance(is_, Access):
            found += _lists(place, was, is_, platform=platform, by=by, at=at)
        elif was != is_:
            found.append(Change(at, by, place, each.name, _said(was), _said(is_)))
    return found


def _lists(place: str, before: Access, after: Access, *, platform: str, by: str, at: float) -> list[Change]:
    found: list[Change] = []
    for each in fields(before):
        was: tuple[str, ...] = getattr(before, each.name)
        is_: tuple[str, ...] = getattr(after, each.name)
        if was != is_:
            changed = tuple(sorted(set(was) ^ set(is_))) if each.name.endswith("_people") else ()
            people = tuple(f"{platform}:{person}" for person in changed)
            found.append(Change(at, by, place, each.name, str(len(was)), str(len(is_)), people))
    return found


def _said(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "on" if value else "off"
        case _:
            return str(value)


def as_line(change: Change) -> str:
    """For whoever runs a bot or a chat: what is set has its English name in it."""
    when = f"{datetime.fromtimestamp(change.at, UTC):%Y-%m-%d %H:%M}"
    turned = f"{change.before or '-'} → {change.after or '-'}" if change.before or change.after else ""
    whom = " ".join(change.people)
    return " · ".join(part for part in (when, change.by or "?", change.what, turned, whom) if part)


NO_CHANGES: Final = N_("Nothing was changed here in the last 90 days.")
LAST_CHANGES: Final = N_("What was changed here last (times are UTC):")


def changes_words(changes: Sequence[Change]) -> str:
    """The last ones of a chat, for those who run it."""
    if not changes:
        return tr(NO_CHANGES)
    return "\n".join((tr(LAST_CHANGES), *map(as_line, changes[:MOST_SHOWN])))
