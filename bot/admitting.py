"""Whom this installation lets in. Every process knows all that keeps people out, and hears of each change at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import replace

import structlog

from bot.domain.errors import KeptOut
from bot.domain.invitations import Joined, digest_of, joined_words
from bot.domain.messages import InboundMessage
from bot.domain.people import (
    Door,
    Entry,
    Rules,
    Verdict,
    is_theirs_to_decide,
    kept_out_words,
    places_of,
    subject_of,
    verdict,
)
from bot.domain.refs import ChatRef, ServerRef, UserRef
from bot.domain.turns import Turn
from bot.ending import is_ending
from bot.ports import Clock, PeopleStore
from bot.recent import Recent

log = structlog.get_logger("who")

WAIT_S = 1.0
TRUST_S = 3.0
"""What is known is believed for so long without a word from the database; then it is asked again first."""
_AGAIN_S = 0.5
_MOST_KNOWN = 10_000


class Doorkeeper:
    """`operators` and `door` are those of the settings; a door that an operator has turned comes before it.

    `watch` is to run beside: as long as it does, somebody who is known costs no look into the database. A change is
    heard as it happens; without `watch`, or while the database is silent, each question looks there first."""

    def __init__(
        self, store: PeopleStore, *, operators: Collection[str] = (), door: Door = Door.OPEN, now: Clock = time.time
    ) -> None:
        self._store = store
        self._own = frozenset(operators)
        self._own_door = door
        self._now = now
        self._rules = Rules()
        self._allowed: Recent[str, bool] = Recent(_MOST_KNOWN)
        self._heard_at = float("-inf")
        self._looks = self._newest = 0

    async def watch(self) -> None:
        """Until cancelled."""
        mark = ""
        while not is_ending():
            try:
                if not mark:
                    mark = await self._store.news()
                    await self.refresh()
                    self._heard_at = time.monotonic()
                if await self._store.wait(mark, within_s=WAIT_S):
                    mark = await self._store.news()
                    await self.refresh()
                self._heard_at = time.monotonic()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                mark = ""
                log.warning("who may is not heard of now, and looked up each time", error=type(error).__name__)
                await asyncio.sleep(_AGAIN_S)

    async def refresh(self) -> None:
        """Look now."""
        self._looks += 1
        look = self._looks
        rules = await self._store.rules()
        if look < self._newest:
            return  # somebody has looked later, and is back already
        self._newest = look
        self._rules = replace(rules, door=rules.door or self._own_door, operators=rules.operators | self._own)
        self._allowed.clear()

    async def rules(self) -> Rules:
        """As they stand now."""
        if time.monotonic() - self._heard_at > TRUST_S:
            await self.refresh()
        return self._rules

    async def is_operator(self, person: UserRef) -> bool:
        return subject_of(person) in (await self.rules()).operators

    async def kept_out(
        self, person: UserRef, chat: ChatRef, *, server: ServerRef | None = None, around: Sequence[ChatRef] = ()
    ) -> str:
        """What to tell whoever is not let in; empty where they are."""
        rules, who, places = await self.rules(), subject_of(person), places_of(chat, server, around)
        now = self._now()
        # Where everybody is let in, nobody is looked up.
        wanted = () if rules.door is Door.OPEN or who in rules.operators else (who, *places)
        named = await self._are_allowed(wanted)
        found = verdict(rules, who, places, named=who in named, place_named=bool(named - {who}), now=now)
        return kept_out_words(found, rules.denied.get(who) if found is Verdict.DENIED else None)

    async def admit(self, message: InboundMessage) -> None:
        """Raises `KeptOut` for what is not to be dealt with."""
        if is_theirs_to_decide(message):
            return
        words = await self.kept_out(message.author, message.ref.chat, server=message.server, around=message.around)
        if words:
            raise KeptOut(words)

    async def still_admits(self, turn: Turn) -> str:
        """Why a turn that was accepted is not to begin any more; empty where it may. Whoever has lost only what let
        them in where the door is not open to all is not among those: what they asked for before is done."""
        rules, places = await self.rules(), places_of(turn.chat, turn.server, turn.around)
        who, now = subject_of(turn.author), self._now()
        found = verdict(rules, who, places, named=True, place_named=True, now=now)
        return kept_out_words(found, rules.denied.get(who) if found is Verdict.DENIED else None)

    async def join(self, person: UserRef, code: str) -> str:
        """What to tell whoever sends a code. Whoever is kept out by name stays out, and uses nothing up."""
        rules, who, now = await self.rules(), subject_of(person), self._now()
        if rules.keeps_out((who,), now) and who not in rules.operators:
            return kept_out_words(Verdict.DENIED, rules.denied.get(who))
        joined = await self._store.join(digest_of(code), who, Entry(at=now, invited=True))
        if joined is Joined.IN:
            await self.refresh()
        log.info("a code was sent", result=joined.value)
        return joined_words(joined)

    async def _are_allowed(self, subjects: Sequence[str]) -> frozenset[str]:
        known, newest = {each: self._allowed[each] for each in subjects if each in self._allowed}, self._newest
        unknown = [subject for subject in subjects if subject not in known]
        if unknown:
            found = dict(zip(unknown, await self._store.allowed(unknown), strict=True))
            if newest == self._newest:  # else something was changed meanwhile
                self._allowed.update(found)
            known |= found
        return frozenset(subject for subject in subjects if known[subject])
