"""`/forget` over the whole fleet: noted beside the pictures first, then carried out, and gone on with by any process
where the one that did it ended."""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Self

import structlog

from bot.domain.consent import LastSaid, Standing
from bot.domain.refs import MessageRef, Sha256, UserRef
from bot.ending import end, is_ending
from bot.ports import ConsentStore, Erasure, ForgetReceipt, NoteStore, Platform

log = structlog.get_logger("forgetting")
PATIENCE_S: Final = 10.0
"""So long whoever asked in a chat waits for it to be done. Then they are told that it goes on."""
SILENT_S: Final = 60.0
"""Whoever carries it out and shows no life for so long has ended."""
_BEATS: Final = 4
"""In the time after which whoever is silent has ended."""
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

Told = Callable[[int, int], None]
"""How many edits are erased, of how many."""


class Forgetting:
    """Each step is harmless to repeat, by whichever process. `withdraw` takes pictures back for their owner;
    `never_holds` is what follows from a "never" for what is under way."""

    def __init__(
        self,
        *,
        erasure: Erasure,
        notes: NoteStore,
        says: ConsentStore,
        platforms: Mapping[str, Platform],
        withdraw: Callable[[UserRef, Sequence[Sha256]], Awaitable[object]],
        never_holds: Callable[[UserRef], Awaitable[None]],
    ) -> None:
        self._erasure = erasure
        self._notes = notes
        self._says = says
        self._platforms = platforms
        self._withdraw = withdraw
        self._never_holds = never_holds
        self._going_on: dict[asyncio.Task[ForgetReceipt], UserRef] = {}

    async def forget(self, user: UserRef, *, told: Told | None = None) -> ForgetReceipt:
        before = _now()
        return await self._carry_out(user, before, await self._begin(user, before), told)

    async def ask(self, user: UserRef, *, patience_s: float = PATIENCE_S) -> ForgetReceipt:
        """As somebody in a chat asks for it: one that takes longer goes on by itself, and its receipt says so."""
        before = _now()
        number = await self._begin(user, before)
        carrying_out = self._start(user, before, number)
        done, _ = await asyncio.wait([carrying_out], timeout=patience_s)
        return carrying_out.result() if done else ForgetReceipt(user, 0, 0, (), (), number, is_done=False)

    def _start(self, user: UserRef, before: float, number: str) -> asyncio.Task[ForgetReceipt]:
        carrying_out = asyncio.create_task(self._carry_out(user, before, number, None), name="forgetting")
        self._going_on[carrying_out] = user
        carrying_out.add_done_callback(self._ended)
        return carrying_out

    def _ended(self, task: asyncio.Task[ForgetReceipt]) -> None:
        del self._going_on[task]
        if not task.cancelled() and task.exception() is not None:
            log.error("forgetting broke off, and is gone on with", error=type(task.exception()).__name__)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """What is not done by now is done by another process, or at the next start."""
        await end(*self._going_on)

    async def _begin(self, user: UserRef, before: float) -> str:
        await self._notes.forgotten(user, before)
        number = await self._erasure.begin(user, before=before, number=_number())
        await self._notes.keep_receipt(ForgetReceipt(user, 0, 0, (), (), number, is_done=False))
        return number

    async def _carry_out(self, user: UserRef, before: float, number: str, told: Told | None) -> ForgetReceipt:
        earlier = erased = await self._erasure.erased_so_far(user)

        async def progress(done: int, of: int) -> None:
            nonlocal erased
            erased = earlier + done
            if told is not None:
                told(done, of)

        async def beat() -> None:
            while not is_ending():
                with contextlib.suppress(Exception):  # of the store: what is carried out meets it, too
                    await self._erasure.show_life(user, erased)
                await asyncio.sleep(SILENT_S / _BEATS)

        beating = asyncio.create_task(beat(), name="forgetting shows life")
        try:
            receipt = await self._erasure.forget(user, before=before, retract=self._retract(user), progress=progress)
        finally:
            await end(beating)
        await self._notes.unsay(user, before)
        receipt = replace(receipt, number=number, turns=earlier + receipt.turns)
        if number:
            await self._notes.keep_receipt(receipt)
        await self._erasure.finish(user, before=before)
        log.info("forgotten", edits=receipt.turns, messages=len(receipt.messages), pictures=len(receipt.pixels))
        return receipt

    def _retract(self, user: UserRef) -> Callable[[Sequence[MessageRef], Sequence[MessageRef]], Awaitable[None]]:
        async def retract(ours: Sequence[MessageRef], theirs: Sequence[MessageRef]) -> None:
            # All of it before it counts as done: a crash in between is gone on with.
            for name, platform in self._platforms.items():
                here = [[ref for ref in refs if ref.chat.platform == name] for refs in (ours, theirs)]
                await platform.retract(*here)
            for platform in self._platforms.values():
                await platform.forget(user)

        return retract

    async def go_on(self, *, silent_s: float = SILENT_S) -> None:
        """With what another process has begun and shows no life of any more. It takes as long as platforms let messages
        be taken away, and is not waited for."""
        for begun in await self._erasure.begun():
            if time.time() - begun.seen_at >= silent_s and begun.user not in self._going_on.values():
                await self._erasure.show_life(begun.user, begun.turns)
                self._start(begun.user, begun.before, begun.number)

    async def replay(self) -> None:
        """After a restore from back-up, whoever was forgotten since and whatever was taken back since comes back: it
        goes once more; and what people said of their pictures holds. Does nothing where nothing came back."""
        noted = await self._notes.read()
        known = await self._erasure.forgotten()
        for user, before in noted.forgotten.items():
            if known.get(user, 0.0) < before:
                await self._carry_out(user, before, "", None)
        for owner, pictures in noted.withdrawn.items():
            since = await self._says.withdrawn([(owner, picture) for picture in pictures])
            back = [picture for picture, at in zip(pictures, since, strict=True) if at is None]
            if back:
                await self._withdraw(owner, back)
        await self._recall(noted.said)

    async def _recall(self, said: Mapping[UserRef, LastSaid]) -> None:
        while changed := await self._says.recall(said):
            for owner, standing in changed.items():
                if standing is Standing.NEVER:
                    await self._never_holds(owner)
            # What they have said since the notes were read counts.
            said = (await self._notes.read()).said

    async def tidy(self) -> None:
        """Once in a while: what came back under a running process goes, and old notes have an end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(600):
                await self.replay()
        await self._notes.drop_old()


def _now() -> float:
    """In whole milliseconds, the next one: as the names of notes have it, so that what is noted and what the database
    knows are the same time."""
    return math.ceil(time.time() * 1000) / 1000


def _number() -> str:
    """60 bits that nobody guesses and somebody can read out."""
    signs = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return "-".join((signs[:4], signs[4:8], signs[8:]))
