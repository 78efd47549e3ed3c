"""How an arena stands: whether its pictures are there, whether the vote is open, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.arena import Side, Tally
from bot.domain.refs import TurnId
from bot.domain.turns import FINAL_STATES, Turn, TurnState, TurnStatus
from bot.domain.wishes import Form
from bot.ports import ArenaStore, TurnStore


class Stage(StrEnum):
    """Where an arena is."""

    MAKING = "making"
    OPEN = "open"
    ENDED = "ended"
    VOID = "void"
    """One of the two did not come, or was deleted: there is nothing to choose."""


@dataclass(frozen=True, slots=True)
class Contest:
    """`made_at` is when the last of the two was there, in seconds since the epoch."""

    arena: TurnId
    stage: Stage
    sides: tuple[Side, ...] = ()
    voted: int = 0
    tally: Tally = field(default_factory=Tally)
    made_at: float = 0.0

    @property
    def hides(self) -> bool:
        """Whether nobody may know yet which is which."""
        return self.stage in (Stage.MAKING, Stage.OPEN)

    @property
    def models(self) -> tuple[str, str] | None:
        """A and B, where it is them that are compared."""
        first, second = self.sides
        return None if first.words or second.words else (first.model, second.model)


class Contests:
    """Looks them up."""

    def __init__(self, store: ArenaStore, turns: TurnStore) -> None:
        self._store = store
        self._turns = turns

    async def of_turn(self, turn: Turn) -> Contest | None:
        """None for a turn of no arena."""
        if not is_in_arena(turn):
            return None
        found = [await self._turns.load(id_) for id_ in turn.album]
        return await self.of([each for each in found if each is not None])

    async def of(self, statuses: Sequence[TurnStatus]) -> Contest:
        """Of the turns of one arena, as far as they are there; at least one."""
        first = statuses[0].turn
        arena, sides = first.album[0], first.sides
        if any(each.erased for each in statuses):
            return Contest(arena, Stage.VOID)
        if len(statuses) < len(first.album) or any(each.state not in FINAL_STATES for each in statuses):
            return Contest(arena, Stage.MAKING, sides)
        if any(each.state is not TurnState.DONE or not each.outcome or not each.outcome.images for each in statuses):
            return Contest(arena, Stage.VOID, sides)
        made_at = max(each.outcome.finished_at for each in statuses if each.outcome is not None)
        voted, tally = await self._store.voted(arena)
        if tally is not None:
            return Contest(arena, Stage.ENDED, sides, tally.voted, tally, made_at)
        return Contest(arena, Stage.OPEN, sides, voted, made_at=made_at)


def is_in_arena(turn: Turn) -> bool:
    """Whether it is one of two that are made. A turn that ended where it began is none."""
    return turn.wish.form is Form.ARENA and len(turn.album) == 2
