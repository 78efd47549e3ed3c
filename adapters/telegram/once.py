"""A new message that must not be sent twice: its place in the ledger is taken when Telegram is really asked, and given
back where it certainly was not sent. So who waits for its turn is not taken for who was broken off in the middle.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Final, Self

from adapters.telegram.errors import OutcomeUnknown, Unavailable
from adapters.telegram.ports import Ledger, Send, SendState

FIRST: Final[ContextVar[bool]] = ContextVar("FIRST", default=False)
"""Nobody has dealt with this update before, so nothing of what it leads to stands there yet. That need not be looked up
beforehand, then; the place in the ledger is taken all the same."""


class Taken(Unavailable):
    """Somebody else is at it, or has been. `known` is what the ledger says."""

    def __init__(self, known: Send) -> None:
        super().__init__("It is being sent.")
        self.known = known


class Hold:
    """`async with` it around the sending, and give its `begin` along. `look` may raise where it is not to be sent any
    more; `anew` says whether what others began is ours to begin anew. Broken off in the middle, it stays noted as
    being sent."""

    def __init__(
        self,
        ledger: Ledger,
        key: str,
        *,
        look: Callable[[], Awaitable[None]] | None = None,
        anew: Callable[[Send], Awaitable[bool]] | None = None,
    ) -> None:
        self._ledger = ledger
        self._key = key
        self._look = look
        self._anew = anew
        self._ours = False

    async def begin(self) -> None:
        """See `adapters.telegram.ports.Begun`. Raises `Taken`."""
        if self._look is not None:
            await self._look()
        if self._ours:
            return
        known = await self._ledger.begin(self._key)
        if known.state is not SendState.NEW:
            if self._anew is None or not await self._anew(known):
                raise Taken(known)
            await self._ledger.drop(self._key)
            known = await self._ledger.begin(self._key)
            if known.state is not SendState.NEW:
                raise Taken(known)
        self._ours = True

    async def let_go(self) -> None:
        """It certainly was not sent."""
        if self._ours:
            self._ours = False
            await self._ledger.drop(self._key)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        match error:
            case OutcomeUnknown():
                if self._ours:
                    await self._ledger.unknown(self._key)
            case Exception():
                await self.let_go()
            case _:
                pass
