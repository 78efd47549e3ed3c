"""Ending a turn that is not finished, wherever it is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from bot.budget import Estimates
from bot.domain.outcomes import added
from bot.domain.turns import Outcome, TurnStatus
from bot.ports import Close, Engine, TurnQueue, TurnStore


class Stopping:
    """What was used until then is counted. `close` does what follows a final state."""

    def __init__(
        self,
        *,
        turns: TurnStore,
        queue: TurnQueue,
        engines: Mapping[str, Engine],
        estimates: Estimates,
        close: Close,
    ) -> None:
        self._turns = turns
        self._queue = queue
        self._engines = engines
        self._estimates = estimates
        self._close = close

    async def stop(self, status: TurnStatus, outcome: Outcome) -> bool:
        """False where it was finished already, and nothing changed."""
        turn = status.turn
        used = self._estimates.so_far(self._engines.get(turn.engine), status)
        ended = replace(outcome, usage=added(turn.spent, used), finished_at=time.time())
        if not await self._turns.end(turn.id, ended):
            return False
        await self._queue.cancel(turn.id)
        await self._close(turn.id, ours=True)
        return True
