"""Asking the owner of a picture, and what their answer does to the turns that wait for it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import structlog

from bot.domain.consent import Say, Standing
from bot.domain.errors import NotAllowed
from bot.domain.refs import ChatRef, TurnId, UserRef
from bot.domain.turns import FINAL_STATES, Hold, Outcome, Turn, TurnState, TurnStatus
from bot.domain.words import (
    AGREED_HERE,
    AGREED_ONCE,
    NOT_FOR_YOU,
    SAID_NEVER,
    SAID_NO,
    SETTLED,
    asks_you,
    names_of,
    not_answered,
    would_rather_not,
)
from bot.ports import ConsentStore, Platform, TurnQueue, TurnStore

log = structlog.get_logger("asking")


class Asking:
    """`show` fills a turn's reserved reply, `close` does what follows a final state."""

    def __init__(
        self,
        *,
        platforms: Mapping[str, Platform],
        says: ConsentStore,
        turns: TurnStore,
        queue: TurnQueue,
        show: Callable[[TurnId], Awaitable[None]],
        close: Callable[[TurnId], Awaitable[None]],
    ) -> None:
        self._platforms = platforms
        self._says = says
        self._turns = turns
        self._queue = queue
        self._show = show
        self._close = close

    async def ask(self, turn: Turn) -> None:
        """The question stands in the reply already; whoever is to answer is called there, once."""
        platform = self._platforms[turn.chat.platform]
        for owner in turn.asks:
            if await self._turns.note_once(turn.id, f"asked:{owner.user.key}"):
                key = _call_key(turn.id, owner.user)
                await platform.call(turn.reply, owner.user, asks_you(turn.author_name), key=key)

    async def answer(self, turn: TurnId, *, chat: ChatRef, by: UserRef, say: Say | None) -> str:
        """See `bot.ports.Rooms.allow`."""
        status = await self._turns.load(turn)
        if status is None or status.turn.chat != chat or by not in [each.user for each in status.turn.asks]:
            return NOT_FOR_YOU
        if status.state in FINAL_STATES:
            return SETTLED
        log.info("owner answered", turn=turn, say=say.value if say else "no")
        match say:
            case Say.ONCE:
                await self._agree(status, by)
                return AGREED_ONCE
            case Say.HERE:
                await self._says.stand(by, chat, Standing.HERE)
                for other in await self._waiting_for(by, chat):
                    await self._agree(other, by)
                return AGREED_HERE
            case Say.NEVER:
                await self._says.stand(by, chat, Standing.NEVER)
                await self.refuse_all(by)
                return SAID_NEVER
            case None:
                await self._refuse(status, by)
                return SAID_NO

    async def refuse_all(self, owner: UserRef) -> None:
        """Whatever waits for this person's answer is answered: no."""
        for status in await self._waiting_for(owner, None):
            await self._refuse(status, owner)

    async def expire(self, turn: TurnId) -> None:
        """The question was asked long ago, and nobody answered."""
        status = await self._turns.load(turn)
        if status is not None and Hold.CONSENT in status.holds:
            await self._end(status, not_answered(names_of(status.turn.asks)))

    async def _waiting_for(self, owner: UserRef, chat: ChatRef | None) -> list[TurnStatus]:
        """The turns that wait for this person's answer, in that chat or anywhere."""
        waiting = [each.turn for each in await self._turns.open_turns() if each.asks]
        found = [status for id_ in waiting if (status := await self._turns.load(id_)) is not None]
        return [
            status
            for status in found
            if status.state not in FINAL_STATES
            and owner in [each.user for each in status.turn.asks]
            and chat in (None, status.turn.chat)
        ]

    async def _agree(self, status: TurnStatus, owner: UserRef) -> None:
        await self._call_off(status.turn, owner)
        for id_ in status.turn.album or (status.turn.id,):
            started = await self._turns.agree(id_, owner)
            for next_ in started:
                await self._queue.start(next_)
            if id_ not in started:
                await self._show(id_)

    async def _refuse(self, status: TurnStatus, owner: UserRef) -> None:
        name = next((each.name for each in status.turn.asks if each.user == owner), "")
        await self._end(status, would_rather_not(name))

    async def _end(self, status: TurnStatus, words: str) -> None:
        ended = Outcome(TurnState.REFUSED, code=NotAllowed.code, words=words, finished_at=time.time())
        for id_ in reversed(status.turn.album or (status.turn.id,)):
            if await self._turns.end(id_, replace(ended, usage=status.turn.spent)):
                await self._close(id_)
        for owner in status.turn.asks:
            await self._call_off(status.turn, owner.user)

    async def _call_off(self, turn: Turn, owner: UserRef) -> None:
        """Nobody is called to a question that is settled. An album's stands at its first turn."""
        first = turn.album[0] if turn.album else turn.id
        platform = self._platforms[turn.chat.platform]
        await platform.call_off(turn.reply, key=_call_key(first, owner))


def _call_key(turn: TurnId, owner: UserRef) -> str:
    return f"{turn}:{owner.key}"
