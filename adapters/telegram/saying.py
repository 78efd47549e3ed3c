"""Short messages beside the hall's answers: hints, refusals, offers. Each is said at most once."""

from __future__ import annotations

import time

from adapters.telegram.errors import OutcomeUnknown
from adapters.telegram.once import Hold, Taken
from adapters.telegram.ports import Keyboard, Ledger, Telegram
from adapters.telegram.refs import message_id_of
from bot.domain.refs import MessageRef

_DAY_S = 24 * 3600


class Saying:
    """A hint that is lost does no harm; one that stands there twice does. So where nobody knows whether one was sent,
    it is not sent again."""

    def __init__(self, telegram: Telegram, ledger: Ledger) -> None:
        self._telegram = telegram
        self._ledger = ledger
        self._under_way: set[str] = set()

    async def once(
        self, key: str, to: MessageRef, words: str, *, keyboard: Keyboard = (), picture: bytes | None = None
    ) -> None:
        """Raises `ChatClosed`, `ChatGone` and the errors of `adapters.telegram.errors` but `OutcomeUnknown`: then it
        was not said, and may be tried again."""
        key = f"say:{key}"
        if key in self._under_way:
            return
        self._under_way.add(key)
        try:
            await self._say(key, to, words, keyboard, picture)
        except (OutcomeUnknown, Taken):
            return
        finally:
            self._under_way.discard(key)

    async def _say(self, key: str, to: MessageRef, words: str, keyboard: Keyboard, picture: bytes | None) -> None:
        if await self._ledger.find(key) is not None:
            return
        async with Hold(self._ledger, key) as hold:
            said = await self._telegram.say(to, words, keyboard=keyboard, picture=picture, begun=hold.begin)
        await self._ledger.sent(key, [message_id_of(said) or 0])

    async def once_a_day(self, key: str, to: MessageRef, words: str) -> None:
        await self.once(f"{key}:{int(time.time()) // _DAY_S}", to, words)
