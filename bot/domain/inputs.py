"""What a reply goes on from."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.errors import NotAllowed
from bot.domain.images import ALL, Input, Role
from bot.domain.refs import UserRef
from bot.domain.turns import TurnStatus
from bot.domain.words import NOT_YOURS


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


def check_consent(inputs: Iterable[Input], asker: UserRef) -> None:
    """Raises `NotAllowed` where a picture that somebody else sent would be worked on. Results of the bot are free."""
    if any(each.role is Role.SOURCE and each.owner != asker for each in inputs):
        raise NotAllowed(NOT_YOURS)
