"""“File with credentials”: a result as a document, byte for byte, with all that its label says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from adapters.telegram.answering import Answering, Pressed
from adapters.telegram.beside import Beside
from adapters.telegram.errors import OutcomeUnknown, Rejected, TooLarge
from adapters.telegram.limits import DOCUMENT_BYTES, LOCAL_BYTES
from adapters.telegram.once import Hold, Taken
from adapters.telegram.ports import Ledger, Send, SendState, Telegram, TelegramStore
from adapters.telegram.refs import message_id_of
from adapters.telegram.render import ON_ITS_WAY
from bot.domain.images import ALL
from bot.domain.language import N_, tr
from bot.domain.messages import ChatCapabilities, Shown
from bot.domain.refs import MessageRef, thread_of
from bot.domain.words import BROKEN
from bot.ports import Clock, MessageStore, Rooms

_log = structlog.get_logger("telegram")

ALREADY: Final = N_("It is on its way already.")
ONCE_MORE: Final = N_("I am sending it once more.")
NOBODY_KNOWS: Final = N_("I could not see whether the file arrived. If it is not here in a moment, press again.")
TOO_LARGE: Final = N_("That file is larger than Telegram takes. Ask for a smaller size, like “resize to 2000 px wide”.")
FILE_WORDS: Final = N_("The file as it was made, with its label inside.")

_SENDING_S: Final = 180.0
"""Longer than any sending takes: whoever began has gone."""
AT_ONCE_S: Final = 5.0
"""A press so soon after another is the same wish."""


class Files:
    """Several presses at once are one file. `is_local`: Telegram's server is one's own, which takes larger ones."""

    def __init__(
        self,
        rooms: Rooms,
        telegram: Telegram,
        store: TelegramStore,
        ledger: Ledger,
        messages: MessageStore,
        *,
        is_local: bool = False,
        now: Clock = time.time,
    ) -> None:
        self._rooms = rooms
        self._telegram = telegram
        self._store = store
        self._ledger = ledger
        self._messages = messages
        self._beside = Beside(ledger)
        self._most_bytes = LOCAL_BYTES if is_local else DOCUMENT_BYTES
        self._now = now
        self._under_way: dict[str, str] = {}
        """What is being sent by this process or waits for its turn, and the press that asked for it."""

    async def press(self, pressed: Pressed, answering: Answering) -> None:
        """Raises `RemixError`, and the errors of `adapters.telegram.errors` that may be gone later."""
        mine, whole = f"press:{pressed.id}", f"file:{pressed.under.key}:{pressed.button.place}"
        if self._under_way.get(whole) == pressed.id or await self._ledger.find(mine) is not None:
            return
        before = await self._ledger.find(whole)
        if whole in self._under_way or not (before is None or await self._may_repeat(whole, before)):
            answering.acknowledge(tr(ALREADY))
            await self._ledger.sent(mine, ())
            return
        answering.acknowledge(tr(ON_ITS_WAY) if before is None else tr(ONCE_MORE))
        self._under_way[whole] = pressed.id
        try:
            await self._send(pressed, answering, before, mine=mine, whole=whole)
        finally:
            del self._under_way[whole]

    async def _send(
        self, pressed: Pressed, answering: Answering, before: Send | None, *, mine: str, whole: str
    ) -> None:
        """Before it is really asked of Telegram nothing is noted. Broken off then, it stays noted as being sent."""
        try:
            sent = await self._send_now(pressed, before, mine=mine, whole=whole)
        except Taken:
            return
        except OutcomeUnknown:
            await answering.say(tr(NOBODY_KNOWS))
            return
        except Rejected as rejected:
            _log.warning("telegram.file_rejected", said=rejected.description)
            await answering.say(tr(TOO_LARGE) if isinstance(rejected, TooLarge) else tr(BROKEN))
            return
        await self._remember(pressed, sent)
        ids = [id_ for id_ in (message_id_of(sent),) if id_ is not None]
        await self._ledger.sent(whole, ids)
        await self._ledger.sent(mine, ids)

    async def _send_now(self, pressed: Pressed, before: Send | None, *, mine: str, whole: str) -> MessageRef:
        """Raises `Taken` where somebody else came before."""

        async def anew(known: Send) -> bool:
            return known == before and await self._repeats(whole, known)

        most_bytes = self._most_bytes
        capabilities = ChatCapabilities(max_file_bytes=most_bytes, max_message_bytes=most_bytes, max_images=1)
        rendition = await self._rooms.file(pressed.under, capabilities, by=pressed.user, index=pressed.button.place)
        words = f"{rendition.label}\n{tr(FILE_WORDS)}".strip()
        async with Hold(self._ledger, mine) as own, Hold(self._ledger, whole, anew=anew) as shared:

            async def begin() -> None:
                await own.begin()
                await shared.begin()

            return await self._telegram.send_file(pressed.under, rendition, words=words, begun=begin)

    async def _remember(self, pressed: Pressed, sent: MessageRef) -> None:
        """A reply to the file goes on from the result, and it goes when the result does."""
        await self._beside.note(pressed.under, [sent])
        record = await self._messages.find(pressed.under)
        if record is not None and record.shows:
            shown = _shown_by(record.shows, pressed.button.place)
            await self._messages.attach(sent, thread_of(shown.turn), [shown])

    async def _may_repeat(self, key: str, before: Send) -> bool:
        """Whether enough time has passed since, and nobody else is at it."""
        least_s = _SENDING_S if before.state is SendState.SENDING else AT_ONCE_S
        return self._now() - before.at >= least_s and not await self._store.was(_again(key, before))

    async def _repeats(self, key: str, before: Send) -> bool:
        """Whether it is ours to send again now."""
        if not await self._may_repeat(key, before):
            return False
        return await self._store.once(_again(key, before), life_s=int(_SENDING_S))


def _again(key: str, before: Send) -> str:
    return f"again:{key}:{before.at}"


def _shown_by(shows: Sequence[Shown], place: int | None) -> Shown:
    """The one image that the file is."""
    one = shows[place] if place is not None and place < len(shows) > 1 else shows[0]
    return replace(one, index=place or 0) if one.index == ALL else one
