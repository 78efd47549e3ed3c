"""Asking the owner of a picture, and what their answer does to the turns that wait for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import structlog

from bot.budget import Caps, over_words
from bot.domain.consent import Say, Standing
from bot.domain.errors import NotAllowed
from bot.domain.language import speaking, tr
from bot.domain.refs import ChatRef, Person, TurnId, UserRef
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
    still_asked,
    would_rather_not,
)
from bot.languages import Languages
from bot.ports import ConsentStore, Platform, TurnQueue, TurnStore
from bot.stopping import Stopping

log = structlog.get_logger("asking")
_CLOCKS_S = 2.0
"""Platforms name whole seconds, and have clocks of their own."""
MOST_OPEN = 3
"""Questions that one person may have open with another at once."""


class Asking:
    """`show` fills a turn's reserved reply. `leave` takes a person's pictures out of all casts."""

    def __init__(
        self,
        *,
        platforms: Mapping[str, Platform],
        says: ConsentStore,
        turns: TurnStore,
        queue: TurnQueue,
        caps: Caps,
        stopping: Stopping,
        show: Callable[[TurnId], Awaitable[None]],
        leave: Callable[[UserRef], Awaitable[None]],
        languages: Languages,
    ) -> None:
        self._languages = languages
        self._platforms = platforms
        self._says = says
        self._turns = turns
        self._queue = queue
        self._caps = caps
        self._stopping = stopping
        self._show = show
        self._leave = leave

    # --- asking

    async def check_patience(self, asker: UserRef, owners: Sequence[Person]) -> None:
        """Raises `NotAllowed` where these owners have enough questions of this person's to answer."""
        for owner in owners:
            waiting = [each for each in await self._waiting_for(owner.user, None) if each.turn.author == asker]
            if len({each.turn.reply for each in waiting}) >= MOST_OPEN:
                raise NotAllowed(still_asked(names_of([owner])))

    async def ask(self, turn: Turn, owners: Iterable[Person]) -> None:
        """The question stands in the reply already; whoever is to answer is called there, once."""
        platform = self._platforms[turn.chat.platform]
        for owner in owners:
            if await self._turns.note_once(turn.id, f"asked:{owner.user.key}"):
                key = _call_key(turn.id, owner.user)
                with speaking(await self._languages.of(owner.user, turn.language)):
                    words = asks_you(turn.author_name)
                await platform.call(turn.reply, owner.user, words, key=key)
                await self._call_off_if_settled(turn, owner.user)

    # --- answers

    async def answer(self, turn: TurnId, *, chat: ChatRef, by: UserRef, say: Say | None) -> str:
        """See `bot.ports.Rooms.allow`."""
        status = await self._turns.load(turn)
        if status is None or status.turn.chat != chat or by not in [each.user for each in status.turn.asks]:
            return tr(NOT_FOR_YOU)
        log.info("owner answered", turn=turn, say=say.value if say else "no")
        if say is Say.NEVER:
            await self.stand(by, chat, Standing.NEVER)
            return tr(SAID_NEVER)
        if not any(Hold.CONSENT in each.holds for each in await self._album(status)):
            return tr(SETTLED)
        match say:
            case Say.ONCE:
                await self.agree(status, by)
                return tr(AGREED_ONCE)
            case Say.HERE:
                await self.stand(by, chat, Standing.HERE)
                return tr(AGREED_HERE)
            case None:
                await self._leave_alone(status, by)
                return tr(SAID_NO)

    async def stand(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        """What this person says of their own pictures from now on, and for all that waits for them."""
        await self._says.stand(owner, chat, standing)
        match standing:
            case Standing.HERE:
                for status in await self._waiting_for(owner, chat):
                    await self.agree(status, owner)
            case Standing.NEVER:
                await self.never_holds(owner)
            case Standing.UNSAID:
                pass

    async def never_holds(self, owner: UserRef) -> None:
        """From now on, or once more after a restore: for whatever is under way."""
        await self._leave(owner)
        for status in await self._under_way_with(owner):
            await self._leave_alone(status, owner)

    async def say(self, owner: UserRef, chat: ChatRef, standing: Standing, *, at: float) -> Standing:
        """What this person said in words `at` that time (seconds since the epoch). Gives what holds now: a message that
        comes once more, after a crash, does not take back a "never" that was said since."""
        never_at = await self._says.never_since(owner)
        if never_at is not None and never_at > at + _CLOCKS_S:
            return Standing.NEVER
        await self.stand(owner, chat, standing)
        return standing

    async def agree(self, status: TurnStatus, owner: UserRef) -> None:
        """A yes to this turn, and to what was asked for with it."""
        for each in await self._album(status):
            submitted = await self._turns.agree(each.turn.id, owner, await self._caps.of_turn(each.turn))
            for next_ in submitted.start:
                await self._queue.start(next_)
            if submitted.full:
                with speaking(each.turn.language):
                    words = over_words(submitted.full, submitted.free_in_s)
                    await self._stopping.stop(each, _refused(words))
            elif each.turn.id not in submitted.start and not submitted.repeat:
                await self._show(each.turn.id)
        await self._call_off(status.turn, owner)

    async def refuse(self, turn: TurnId, words: str) -> None:
        """A no, said in these words."""
        status = await self._turns.load(turn)
        if status is not None:
            await self._refuse(status, words)

    async def expire(self, turn: TurnId) -> None:
        """The question was asked long ago, and nobody answered."""
        status = await self._turns.load(turn)
        if status is not None and Hold.CONSENT in status.holds:
            with speaking(status.turn.language):
                await self._refuse(status, not_answered(names_of(status.turn.asks)))

    async def _leave_alone(self, status: TurnStatus, owner: UserRef) -> None:
        """What this owner would rather not have done, said to whoever asked."""
        with speaking(status.turn.language):
            await self._refuse(status, would_rather_not(_name_in(status.turn, owner)))

    async def _refuse(self, status: TurnStatus, words: str) -> None:
        for each in reversed(await self._album(status)):
            await self._stopping.stop(each, _refused(words))
        for owner in status.turn.asks:
            await self._call_off(status.turn, owner.user)

    async def _call_off(self, turn: Turn, owner: UserRef) -> None:
        """Nobody is called to a question that is settled. An album's stands at its first turn."""
        first = turn.album[0] if turn.album else turn.id
        platform = self._platforms[turn.chat.platform]
        await platform.call_off(turn.reply, key=_call_key(first, owner))

    async def _call_off_if_settled(self, turn: Turn, owner: UserRef) -> None:
        """A call waits in line where a platform is busy, and the question stands there all the while: who answered it
        before the call arrived is not called to it for ever."""
        status = await self._turns.load(turn.id)
        if status is None or not any(Hold.CONSENT in each.holds for each in await self._album(status)):
            await self._call_off(turn, owner)

    # --- what is under way

    async def _album(self, status: TurnStatus) -> list[TurnStatus]:
        """It, and what was asked for with it."""
        others = [id_ for id_ in status.turn.album if id_ != status.turn.id]
        found = [await self._turns.load(id_) for id_ in others]
        every = [status, *(each for each in found if each is not None)]
        return sorted(every, key=lambda each: each.turn.panel)

    async def _waiting_for(self, owner: UserRef, chat: ChatRef | None) -> list[TurnStatus]:
        """What waits for this person's answer, in that chat or anywhere."""
        waiting = [each.turn for each in await self._turns.open_turns() if each.asks]
        found = await self._asking_of(owner, waiting)
        return [each for each in found if chat in (None, each.turn.chat)]

    async def _under_way_with(self, owner: UserRef) -> list[TurnStatus]:
        """What waits for this person's answer, or had it and is not finished."""
        return await self._asking_of(owner, [each.turn for each in await self._turns.open_turns()])

    async def _asking_of(self, owner: UserRef, turns: Sequence[TurnId]) -> list[TurnStatus]:
        found = [status for id_ in turns if (status := await self._turns.load(id_)) is not None]
        return [
            status
            for status in found
            if status.state not in FINAL_STATES and owner in [each.user for each in status.turn.asks]
        ]


def _refused(words: str) -> Outcome:
    return Outcome(TurnState.REFUSED, code=NotAllowed.code, words=words)


def _name_in(turn: Turn, owner: UserRef) -> str:
    return next((each.name for each in turn.asks if each.user == owner), "")


def _call_key(turn: TurnId, owner: UserRef) -> str:
    return f"{turn}:{owner.key}"
