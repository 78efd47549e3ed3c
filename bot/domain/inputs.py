"""What a reply goes on from."""

from __future__ import annotations

from bot.domain.images import ALL, Input, Role
from bot.domain.turns import TurnStatus


def results_of(status: TurnStatus, index: int = ALL) -> tuple[tuple[Input, ...], bool]:
    """The images that a reply to this turn goes on from, and whether they are not its own.

    Its results, or one of them; where it gave none, what it would have worked on: the nearest ancestor's images. An
    input may still lead to another turn (`image` None) where that one never ran.
    """
    turn, outcome = status.turn, status.outcome
    if outcome is None or not outcome.images:
        return turn.inputs, True
    wanted = range(len(outcome.images)) if index == ALL else [index]
    return tuple(
        Input(Role.PARENT, turn.author, outcome.images[i], from_turn=turn.id, from_index=i)
        for i in wanted
        if 0 <= i < len(outcome.images)
    ), False
