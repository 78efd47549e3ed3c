"""The language that each person is spoken to in: what their platform says with a message, or what it said last."""

from __future__ import annotations

import time

from bot.domain.language import ENGLISH, language_of
from bot.domain.messages import InboundMessage
from bot.domain.refs import UserRef
from bot.ports import LanguageStore

_MOST_KNOWN = 10_000
_KNOWN_FOR_S = 600.0
"""Another process may have heard of another one meanwhile."""


class Languages:
    """Remembers for a while what it read or wrote, so that a message costs no look into the store."""

    def __init__(self, store: LanguageStore) -> None:
        self._store = store
        self._known: dict[UserRef, tuple[str, float]] = {}

    async def of_author(self, message: InboundMessage) -> str:
        """The language to answer a message in."""
        said = language_of(message.language)
        if said:
            await self.said(message.author, said)
            return said
        return await self.of(message.author, message.chat_language)

    async def of(self, user: UserRef, otherwise: str = ENGLISH) -> str:
        """The language of a person; by the tag `otherwise` where nothing is known of them."""
        known, at = self._known.get(user, ("", 0.0))
        if time.monotonic() - at > _KNOWN_FOR_S or not at:
            (known,) = await self._store.of([user])
            self._note(user, known)
        return known or language_of(otherwise) or ENGLISH

    async def said(self, user: UserRef, tag: str) -> None:
        """What a platform says of somebody, remembered for when it does not. A tag of none of ours changes nothing."""
        language = language_of(tag)
        if not language:
            return
        known, at = self._known.get(user, ("", 0.0))
        if known != language or time.monotonic() - at > _KNOWN_FOR_S:
            await self._store.keep(user, language)
            self._note(user, language)

    def forget(self, user: UserRef) -> None:
        """What is remembered here of somebody; the store's part goes with all else that it keeps of them."""
        self._known.pop(user, None)

    def _note(self, user: UserRef, language: str) -> None:
        self._known.pop(user, None)
        self._known[user] = language, time.monotonic()
        while len(self._known) > _MOST_KNOWN:
            self._known.pop(next(iter(self._known)))
