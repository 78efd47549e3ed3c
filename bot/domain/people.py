"""Who may use this installation, whatever its chats and servers say: its door, its lists, its operators.

A *subject* is somebody, or a place, as text: `discord:123` is a person, `discord:chat:456` a chat, `discord:server:789`
a server. It names no bot account, so that it holds for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from bot.domain.access import ACTS_OF_ONES_OWN
from bot.domain.commands import is_of_ones_own
from bot.domain.language import N_, tr
from bot.domain.messages import InboundMessage
from bot.domain.refs import ChatRef, ServerRef, UserRef
from bot.domain.words import joined

HOST: Final = "host"
"""Who changed something, where it was done on the command line or by a setting."""
MOST_REASON_CHARS: Final = 200


class Door(StrEnum):
    """Whom this installation lets in, beside those whom it keeps out."""

    OPEN = "open"
    """Everybody."""
    MEMBERS = "members"
    """Whoever is allowed by name or was invited, and everybody in a chat or server that is allowed."""
    CLOSED = "closed"
    """Only whoever is allowed by name or was invited."""


class Roll(StrEnum):
    """The lists of an installation."""

    OPERATOR = "operator"
    DENIED = "denied"
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class Entry:
    """That a subject stands on a list: since when and until when (seconds since the epoch), and who put it there.
    `reason` is for operators alone. `invited` where it was by a code."""

    at: float
    by: str = ""
    until: float | None = None
    reason: str = ""
    invited: bool = False
    v: int = 1


@dataclass(frozen=True, slots=True)
class Rules:
    """All but who is allowed, which may be many."""

    door: Door | None = None
    """None where nobody has decided it, and the setting holds."""
    operators: frozenset[str] = frozenset()
    denied: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    """Until when (seconds since the epoch); None for good."""

    def keeps_out(self, subjects: Collection[str], now: float) -> bool:
        return any(subject in self.denied and _holds(self.denied[subject], now) for subject in subjects)


class Verdict(StrEnum):
    IN = "in"
    PLACE_DENIED = "place_denied"
    DENIED = "denied"
    NOT_INVITED = "not_invited"


def verdict(
    rules: Rules, person: str, places: Collection[str], *, named: bool, place_named: bool, now: float
) -> Verdict:
    """Whether somebody is let in. `named` where they are allowed by name or by a code, `place_named` where one of the
    places is allowed. A place that is denied is denied to everybody; an operator is kept out of nothing else."""
    if rules.keeps_out(places, now):
        return Verdict.PLACE_DENIED
    if person in rules.operators:
        return Verdict.IN
    if rules.keeps_out((person,), now):
        return Verdict.DENIED
    if rules.door in (None, Door.OPEN) or named or (rules.door is Door.MEMBERS and place_named):
        return Verdict.IN
    return Verdict.NOT_INVITED


def _holds(until: float | None, now: float) -> bool:
    return until is None or until > now


def subject_of(person: UserRef) -> str:
    return person.key


def places_of(chat: ChatRef, server: ServerRef | None, around: Sequence[ChatRef] = ()) -> tuple[str, ...]:
    """A chat, those that it lies in, and their server."""
    chats = [_place(each.platform, "chat", each.chat) for each in (chat, *around)]
    of_server = () if server is None else (_place(server.platform, "server", server.server),)
    return tuple(dict.fromkeys((*chats, *of_server)))


def _place(platform: str, kind: str, id_: str) -> str:
    return f"{platform}:{kind}:{quote(id_, safe='-_.~@')}"


_SUBJECT = re.compile(r"[a-z]{1,20}(:(chat|server))?:[A-Za-z0-9_.~%@-]{1,80}")


def read_subject(text: str) -> str | None:
    """A person, chat or server as an operator writes it; None where it is none."""
    return text if _SUBJECT.fullmatch(text) else None


def is_person(subject: str) -> bool:
    return subject.count(":") == 1


_UNITS_S = {"m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_SPAN = re.compile(r"([1-9][0-9]{0,3})([mhdw])")


def read_span_s(text: str) -> float | None:
    """“30m”, “12h”, “3d”, “2w” in seconds; None where it is nothing of the kind."""
    match = _SPAN.fullmatch(text.lower())
    return None if match is None else int(match[1]) * float(_UNITS_S[match[2]])


def is_theirs_to_decide(message: InboundMessage) -> bool:
    """Whether somebody decides by this about what is theirs: whoever is kept out may do so all the same."""
    if message.press is not None:
        return message.press.act in ACTS_OF_ONES_OWN
    return is_of_ones_own(message.text)


# --- words

_STILL: Final = N_("What is yours stays yours: /mine, /withdraw, /unshare and /forget work as before.")
_DENIED: Final = N_("Whoever runs me has decided that you can't use me.")
# TRANSLATORS: the day is such as "2026-11-21"
_DENIED_UNTIL: Final = N_("Whoever runs me has decided that you can't use me until {day} (UTC).")
_PLACE_DENIED: Final = N_("Whoever runs me has decided that I don't work in this chat. Another one may do.")
_NOT_INVITED: Final = N_(
    "I am here for invited people only. If you have an invitation, send me /join and its code in private."
)


def kept_out_words(found: Verdict, until: float | None = None) -> str:
    """What whoever is kept out is told; empty for those who are let in."""
    match found:
        case Verdict.IN:
            return ""
        case Verdict.PLACE_DENIED:
            first = tr(_PLACE_DENIED)
        case Verdict.DENIED if until is not None:
            first = tr(_DENIED_UNTIL).format(day=f"{datetime.fromtimestamp(until, UTC):%Y-%m-%d}")
        case Verdict.DENIED:
            first = tr(_DENIED)
        case Verdict.NOT_INVITED:
            first = tr(_NOT_INVITED)
    return joined(first, tr(_STILL))
