"""Messages of ours that belong to a reply: what it could not hold, and its file. They go when it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.telegram.ports import Ledger, SendState
from adapters.telegram.refs import message_id_of
from bot.domain.refs import MessageRef

MOST: Final = 50
"""Of one reply."""


class Beside:
    """Kept as long as pictures are. Noting the same again changes nothing."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def note(self, reply: MessageRef, messages: Sequence[MessageRef]) -> None:
        ids = tuple(id_ for each in messages if each.chat == reply.chat and (id_ := message_id_of(each)) is not None)
        if not ids:
            return
        for number in range(MOST):
            known = await self._ledger.begin(_key(reply, number))
            if known.state is SendState.NEW:
                await self._ledger.sent(_key(reply, number), ids)
                return
            if known.messages == ids:
                return

    async def of(self, reply: MessageRef) -> Sequence[MessageRef]:
        found: list[MessageRef] = []
        for number in range(MOST):
            known = await self._ledger.find(_key(reply, number))
            if known is None:
                break
            found += [MessageRef(reply.chat, str(id_)) for id_ in known.messages]
        return found


def _key(reply: MessageRef, number: int) -> str:
    return f"beside:{reply.key}:{number}"
