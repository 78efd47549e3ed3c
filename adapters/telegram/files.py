"""“File with credentials”: a result as a document, byte for byte, with all that its label says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from adapters.telegram.answering import Answering, Pressed
from adapters.telegram.beside import Beside
from adapters.telegram.errors import OutcomeUnknown
from adapters.telegram.limits import DOCUMENT_BYTES, LOCAL_BYTES
from adapters.telegram.ports import Ledger, Send, SendState, Telegram, TelegramStore
from adapters.telegram.refs import message_id_of
from bot.domain.images import ALL
from bot.domain.messages import ChatCapabilities, Shown
from bot.domain.refs import MessageRef, thread_of
from bot.ports import Clock, MessageStore, Rooms

ON_ITS_WAY: Final = "On its way."
ALREADY: Final = "It is on its way already."
ONCE_MORE: Final = "I am sending it once more."
NOBODY_KNOWS: Final = "I could not see whether the file arrived. If it is not here in a moment, press again."
TOO_LARGE: Final = "That file is larger than Telegram takes. Ask for a smaller size, like “resize to 2000 px wide”."
FILE_WORDS: Final = "The file as it was made, with its label inside."

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

    async def press(self, pressed: Pressed, answering: Answering) -> None:
        """Raises `RemixError`, and the errors of `adapters.telegram.errors` that may be gone later."""
        mine, whole = f"press:{pressed.id}", f"file:{pressed.under.key}:{pressed.button.place}"
        if (await self._ledger.begin(mine)).state is not SendState.NEW:
            return
        before = await self._ledger.begin(whole)
        if before.state is not SendState.NEW and not await self._may_repeat(whole, before):
            answering.acknowledge(ALREADY)
            await self._ledger.sent(mine, ())
            return
        answering.acknowledge(ON_ITS_WAY if before.state is SendState.NEW else ONCE_MORE)
        sent = await self._send(pressed, answering, (whole, mine))
        if sent is None:
            return
        await self._remember(pressed, sent)
        ids = [id_ for id_ in (message_id_of(sent),) if id_ is not None]
        await self._ledger.sent(whole, ids)
        await self._ledger.sent(mine, ids)

    async def _send(self, pressed: Pressed, answering: Answering, keys: Sequence[str]) -> MessageRef | None:
        """None where nobody knows whether it arrived. Broken off, it stays noted as being sent."""
        most_bytes = self._most_bytes
        capabilities = ChatCapabilities(max_file_bytes=most_bytes, max_message_bytes=most_bytes, max_images=1)
        try:
            rendition = await self._rooms.file(pressed.under, capabilities, index=pressed.button.place)
            words = f"{rendition.label}\n{FILE_WORDS}".strip()
            return await self._telegram.send_file(pressed.under, rendition, words=words)
        except OutcomeUnknown:
            for key in keys:
                await self._ledger.unknown(key)
        except Exception:
            # Certainly not sent: the next try, or the next press, begins anew.
            for key in keys:
                await self._ledger.drop(key)
            raise
        await answering.say(NOBODY_KNOWS)
        return None

    async def _remember(self, pressed: Pressed, sent: MessageRef) -> None:
        """A reply to the file goes on from the result, and it goes when the result does."""
        await self._beside.note(pressed.under, [sent])
        record = await self._messages.find(pressed.under)
        if record is not None and record.shows:
            shown = _shown_by(record.shows, pressed.button.place)
            await self._messages.attach(sent, thread_of(shown.turn), [shown])

    async def _may_repeat(self, key: str, before: Send) -> bool:
        """Whether it is ours to send again now."""
        least_s = _SENDING_S if before.state is SendState.SENDING else AT_ONCE_S
        if self._now() - before.at < least_s:
            return False
        if not await self._store.once(f"again:{key}:{before.at}", life_s=int(_SENDING_S)):
            return False
        await self._ledger.drop(key)
        await self._ledger.begin(key)
        return True


def _shown_by(shows: Sequence[Shown], place: int | None) -> Shown:
    """The one image that the file is."""
    one = shows[place] if place is not None and place < len(shows) > 1 else shows[0]
    return replace(one, index=place or 0) if one.index == ALL else one
