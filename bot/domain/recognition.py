"""What it means that pictures look alike: is one of ours, which one, or does nobody know. Pure.

A fingerprint cannot tell an edit from the picture that it was made from. So both are kept, and the nearest wins. A
picture that somebody sent is never called ours, and that it was sent is never said: whoever asks about it hears the
same as about a picture that nobody ever saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.refs import TurnId

MATCH_MAX_BITS: Final = 32
"""Of 256. Up to here two fingerprints are of one picture, or of one made from the other. See docs/recognition.md."""

POSSIBLE_MAX_BITS: Final = 48
"""Up to here they look like it: screenshots, cuts."""


def clearly_beyond(bits: int) -> int:
    """From what distance on another row does not contradict one at this distance. What was done to a picture adds noise
    to both, and the more the farther away they are."""
    return bits + 8 + bits // 2


RADIUS_BITS: Final = clearly_beyond(POSSIBLE_MAX_BITS) - 1
"""How far rows have to be looked for, for a judgement to hold."""


class Kind(StrEnum):
    """Where a picture with a fingerprint came from."""

    OURS = "ours"
    """A result of a turn."""

    SENT = "sent"
    """A person's picture that went into a turn."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Whose fingerprint it is: a picture of a turn. `index` is its place among the turn's results, or among the
    pictures that went into it."""

    turn: TurnId
    kind: Kind
    index: int = 0


@dataclass(frozen=True, slots=True)
class Near:
    """A picture that looks alike, and by how many bits of 256 it differs."""

    kept: Kept
    distance_bits: int


class Tier(StrEnum):
    """How sure it is that this bot made the picture."""

    MATCH = "match"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Recognition:
    """What is known. `turn` is None where several of our turns made pictures that look like this one, and `index` where
    several results of one turn do. Nothing of a picture that is unknown is told apart."""

    tier: Tier
    turn: TurnId | None = None
    index: int | None = None


UNKNOWN: Final = Recognition(Tier.UNKNOWN)


def judged(near: Sequence[Near]) -> Recognition:
    """What the rows within `RADIUS_BITS` say, in any order: the nearest of each kind, and what is about as near."""
    ours = [each for each in near if each.kept.kind is Kind.OURS]
    if not ours:
        return UNKNOWN
    nearest = min(each.distance_bits for each in ours)
    sent = min((each.distance_bits for each in near if each.kept.kind is Kind.SENT), default=256)
    if nearest > POSSIBLE_MAX_BITS or sent < clearly_beyond(nearest):
        return UNKNOWN
    alike = {each.kept for each in ours if each.distance_bits < clearly_beyond(nearest)}
    turns, places = {kept.turn for kept in alike}, {kept.index for kept in alike}
    turn = turns.pop() if len(turns) == 1 else None
    index = places.pop() if turn is not None and len(places) == 1 else None
    return Recognition(Tier.MATCH if nearest <= MATCH_MAX_BITS else Tier.POSSIBLE, turn, index)
