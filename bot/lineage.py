"""The branch that a result stands on."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.turns import TurnStatus
from bot.ports import TurnStore

_MOST_STEPS_UP = 500


async def path_to(status: TurnStatus, turns: TurnStore) -> Sequence[TurnStatus]:
    """The turns from the beginning of its branch to this one. What stands in another chat, or is gone, ends it."""
    path = [status]
    while (above := path[-1].turn.parent) is not None and len(path) < _MOST_STEPS_UP:
        found = await turns.load(above)
        if found is None or found.turn.chat != status.turn.chat or found in path[-2:]:
            break
        path.append(found)
    return path[::-1]
