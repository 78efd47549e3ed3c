"""Votes in arenas: taking them, ending them, and what can be learnt of models from them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.contests import Contest, Contests, Stage
from bot.domain.arena import (
    ENDED,
    MOST_VOTERS,
    NO_RESULTS,
    NO_VOTE,
    ONLY_WHO_ASKED,
    STILL_MADE,
    VOTE_ENDED,
    Choice,
    Side,
    board_of,
    drawn,
    your_vote,
)
from bot.domain.commands import Command
from bot.domain.errors import ChatGone
from bot.domain.language import tr
from bot.domain.messages import InboundMessage, MessageRecord
from bot.domain.refs import ChatRef, TurnId, UserRef
from bot.domain.turns import TurnStatus
from bot.ending import end
from bot.ports import ArenaStore, Clock, TurnStore
from bot.telling import Told

log = structlog.get_logger("arena")
_MOST_AT_ONCE = 16


class Arena:
    """An arena ends `life_s` seconds after its pictures are there, once `MOST_VOTERS` have voted, or when whoever asked
    says so. `show` fills its reply."""

    def __init__(
        self,
        *,
        store: ArenaStore,
        turns: TurnStore,
        contests: Contests,
        show: Callable[[TurnId], Awaitable[None]],
        life_s: float,
        now: Clock = time.time,
    ) -> None:
        self._store = store
        self._turns = turns
        self._contests = contests
        self._show = show
        self._life_s = life_s
        self._now = now
        self._showing: dict[TurnId, asyncio.Task[None]] = {}
        self._changed: set[TurnId] = set()

    async def leave(self) -> None:
        """Show nothing more. An end that is not shown by now is found by `look`; a count of votes with the next one."""
        await end(*self._showing.values())

    async def begin(self, arena: TurnId, sides: Sequence[Side]) -> tuple[Side, ...]:
        """Before its turns are submitted, so that none can be forgotten. Gives A and B; a repeat gives the same."""
        swapped = await self._store.begin(arena, ends_at=self._now() + self._life_s)
        return drawn(sides, swapped=swapped)

    async def vote(self, turn: TurnId, *, chat: ChatRef, by: UserRef, choice: Choice | None) -> str:
        """See `bot.ports.Rooms`."""
        status = await self._turns.load(turn)
        contest = await self._contests.of_turn(status.turn) if status is not None else None
        if status is None or contest is None or status.turn.chat != chat:
            return tr(NO_VOTE)
        match contest.stage:
            case Stage.MAKING:
                return tr(STILL_MADE)
            case Stage.VOID:
                return tr(NO_VOTE)
            case Stage.ENDED:
                return tr(VOTE_ENDED)
            case Stage.OPEN:
                return await self._cast(contest, status, by, choice)

    async def _cast(self, contest: Contest, status: TurnStatus, by: UserRef, choice: Choice | None) -> str:
        if contest.made_at + self._life_s <= self._now():
            await self._end(contest)
            return tr(VOTE_ENDED)
        if choice is None:
            if by != status.turn.author:
                return tr(ONLY_WHO_ASKED)
            await self._end(contest)
            return tr(ENDED)
        voted = await self._store.vote(contest.arena, by, choice, most=MOST_VOTERS)
        if voted is None:
            await self._end(contest)  # with all votes in it may still be open after a crash
            return tr(VOTE_ENDED)
        if voted >= MOST_VOTERS:
            await self._end(contest)
        elif voted != contest.voted:
            self._show_beside(contest.arena)
        return your_vote(choice)

    async def _end(self, contest: Contest) -> None:
        tally = await self._store.end(contest.arena, contest.models)
        log.info("arena ended", turn=contest.arena, voted=tally.voted)
        self._show_beside(contest.arena)

    # --- showing it: whoever pressed does not wait for it, and several votes are shown at once

    def _show_beside(self, arena: TurnId) -> None:
        self._changed.add(arena)
        if arena not in self._showing:
            self._showing[arena] = asyncio.create_task(self._show_all(arena), name=f"show arena {arena}")

    async def _show_all(self, arena: TurnId) -> None:
        while arena in self._changed:
            self._changed.discard(arena)
            try:
                await self._show_one(arena)
            except Exception as error:
                log.warning("arena not shown yet", turn=arena, error=type(error).__name__)
        # In the same step as the last look: whatever changes from here on is shown by another task.
        self._showing.pop(arena, None)

    async def _show_one(self, arena: TurnId) -> None:
        _, tally = await self._store.voted(arena)
        with contextlib.suppress(ChatGone):
            await self._show(arena)
        if tally is not None:
            await self._store.shown(arena)

    # --- by itself

    async def look(self) -> None:
        """One round of the reconciler: end what has had its time, and show what was ended and is not shown so."""
        some = asyncio.Semaphore(_MOST_AT_ONCE)
        await asyncio.gather(*(self._look_at(arena, some) for arena in await self._store.due(self._now())))

    async def _look_at(self, arena: TurnId, some: asyncio.Semaphore) -> None:
        async with some:
            try:
                await self._expire(arena)
            except Exception as error:
                log.warning("arena could not be ended", turn=arena, error=type(error).__name__)

    async def _expire(self, arena: TurnId) -> None:
        status = await self._turns.load(arena)
        contest = await self._contests.of_turn(status.turn) if status is not None else None
        if contest is None or contest.stage is Stage.VOID:
            await self._store.shown(arena)
        elif contest.stage is Stage.MAKING:
            await self._store.prolong(arena, ends_at=self._now() + self._life_s)
        elif contest.stage is Stage.OPEN and contest.made_at + self._life_s > self._now():
            await self._store.prolong(arena, ends_at=contest.made_at + self._life_s)
        else:
            if contest.stage is Stage.OPEN:
                await self._store.end(arena, contest.models)
            await self._show_one(arena)


class Leaderboard:
    """`/leaderboard`: which models people here prefer, and how sure that is."""

    def __init__(self, store: ArenaStore) -> None:
        self._store = store

    async def answer(self, command: Command, message: InboundMessage, target: MessageRecord | None) -> Told:  # noqa: ARG002 the same for everybody
        board = board_of(await self._store.matches())
        return Told("\n".join((*board.rows, *board.pairs)) or tr(NO_RESULTS))
