"""What an operator sees of the whole installation, as values, and what of it is stuck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.domain.refs import TurnId
from bot.domain.turns import FINAL_STATES, TurnState


class Place(StrEnum):
    """Where admission has a turn."""

    UNKNOWN = ""
    HELD = "held"
    """Its parent is not finished."""
    ASKING = "asking"
    """Somebody's consent is missing."""
    READY = "ready"
    """It stands in the line."""
    ADMITTED = "admitted"
    """It was let run."""
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Standing:
    """An open turn. Times in seconds since the epoch, by the store's clock; `state` None where its record is gone."""

    turn: TurnId
    place: Place
    state: TurnState | None
    since: float
    started_at: float | None = None
    alive_until: float | None = None
    finished_at: float | None = None
    parent: TurnId | None = None
    parent_gone: bool = False
    """Its parent is not known any more, neither as a record nor to admission."""

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES


@dataclass(frozen=True, slots=True)
class Installation:
    """Everything at one moment. `now` by the store's clock; `told` is what each process tells of itself (`Pulse`);
    `inbox` the depth of what platforms have brought, by platform; `oldest_message_s` the age of the oldest message that
    was recorded and never dealt with. Of many open turns `standings` has the oldest; `open` counts all."""

    now: float
    slots: int
    admitted: int
    open: int
    standings: Sequence[Standing]
    unsettled: int = 0
    oldest_message_s: float = 0.0
    inbox: Mapping[str, int] = field(default_factory=dict[str, int])
    told: Sequence[Mapping[str, Any]] = ()

    @property
    def waiting(self) -> Mapping[str, int]:
        """How many wait, by reason."""
        names = {Place.HELD: "parent", Place.ASKING: "consent", Place.READY: "line"}
        found = Counter(names[each.place] for each in self.standings if each.place in names and not each.is_final)
        return {reason: found[reason] for reason in names.values()}

    @property
    def oldest_s(self) -> float:
        """Of those in the line."""
        in_line = [each.since for each in self.standings if each.place is Place.READY and not each.is_final]
        return max(0.0, self.now - min(in_line)) if in_line else 0.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long is too long, in seconds."""

    run_s: float
    """From a turn's first claim to its end."""
    silent_s: float = 30.0
    """After its worker stopped to show life: somebody else should have it by then."""
    start_s: float = 60.0
    """From being let run to being claimed; and in the line while slots are free."""
    deliver_s: float = 300.0
    """From its end to its answer."""
    settle_s: float = 600.0
    """Of a message, to be dealt with."""


class Stuck(StrEnum):
    """What can be wrong with a turn or a message."""

    SILENT = "silent"
    """Its worker shows no life, and nobody took over."""
    ENDLESS = "endless"
    """It runs for longer than anything may."""
    NOT_STARTED = "not_started"
    """It was let run, and nobody has begun."""
    NOT_LET_RUN = "not_let_run"
    """It stands in the line though slots are free."""
    ORPHANED = "orphaned"
    """It waits for a parent that is not there any more."""
    WITHOUT_REASON = "without_reason"
    """It is open, and nothing holds it."""
    UNDELIVERED = "undelivered"
    """It ended, and its answer does not stand there."""
    UNSETTLED = "unsettled"
    """A message that was recorded and never dealt with."""


def stuck_of(standing: Standing, *, now: float, bounds: Bounds, free_slots: int) -> Stuck | None:
    """What is wrong with an open turn; None where it is on its way, or waits with good reason."""
    age_s = now - standing.since
    if standing.is_final or standing.state is None:
        late = now - (standing.finished_at or standing.since) > bounds.deliver_s
        return Stuck.UNDELIVERED if late else None
    if standing.state is TurnState.RUNNING:
        if standing.alive_until is not None and now - standing.alive_until > bounds.silent_s:
            return Stuck.SILENT
        return Stuck.ENDLESS if now - (standing.started_at or standing.since) > bounds.run_s else None
    found: Stuck | None = None
    match standing.place:
        case Place.ADMITTED if age_s > bounds.start_s:
            found = Stuck.NOT_STARTED
        case Place.READY if age_s > bounds.start_s and free_slots > 0:
            found = Stuck.NOT_LET_RUN
        case Place.HELD if standing.parent_gone:
            found = Stuck.ORPHANED
        case Place.UNKNOWN | Place.SETTLED if age_s > bounds.start_s:
            found = Stuck.WITHOUT_REASON
        case _:
            pass
    return found


def stuck_in(seen: Installation, bounds: Bounds) -> Sequence[tuple[Standing, Stuck]]:
    """Everything that is stuck now, the oldest first."""
    free = seen.slots - seen.admitted
    judged = ((each, stuck_of(each, now=seen.now, bounds=bounds, free_slots=free)) for each in seen.standings)
    return [(each, stuck) for each, stuck in judged if stuck is not None]
