"""“@bot words” in any chat: whoever writes it is offered their own last results, to send one of them there.

Telegram asks at every pause in writing, and waits for an answer only for seconds. What is sent is a photo that Telegram
has already; its caption is the label, so that it stays with the picture wherever it goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

import structlog
from telegram import InlineQuery

from adapters.telegram import limits
from adapters.telegram.errors import TelegramError
from adapters.telegram.ports import Json, Me, Telegram, TelegramStore
from adapters.telegram.refs import user_ref
from adapters.telegram.words import plain
from bot.domain.refs import UserRef
from bot.domain.sharing import Finished
from bot.domain.utf16 import cut

log = structlog.get_logger("telegram")

MOST: Final = 20
WITHIN_S: Final = 2.0
CACHE_S: Final = 5
"""How long Telegram may give the same answer again: what was deleted is not to be offered for long."""
_TITLE_UNITS: Final = 64


class Results(Protocol):
    """The part of `bot.ports.Rooms` that is needed here."""

    async def finished(self, by: UserRef, *, words: str, most: int) -> Sequence[Finished]: ...


class Inline:
    """`take` raises nothing that another try could mend: the question would be too old by then."""

    def __init__(self, rooms: Results, telegram: Telegram, store: TelegramStore, *, me: Me) -> None:
        self._rooms = rooms
        self._telegram = telegram
        self._store = store
        self._me = me

    async def take(self, query: InlineQuery) -> None:
        results: Sequence[Json] = ()
        try:
            async with asyncio.timeout(WITHIN_S):
                results = await self._results(user_ref(query.from_user.id), query.query)
        except TimeoutError:
            log.warning("results were not found in time")
        answer: dict[str, Any] = {
            "inline_query_id": query.id,
            "results": list(results),
            "is_personal": True,
            "cache_time": CACHE_S,
        }
        try:
            await self._telegram.call("answerInlineQuery", answer)
        except TelegramError as error:
            log.info("an inline query was not answered", error=type(error).__name__)

    async def _results(self, person: UserRef, words: str) -> Sequence[Json]:
        found: list[Json] = []
        for each in await self._rooms.finished(person, words=words, most=MOST):
            file = await self._store.file(self._me.id, each.picture.image.sha256, as_photo=True)
            # A picture without its label goes nowhere, and what Telegram does not have as a photo can't be offered.
            if file is not None and each.picture.label:
                found.append(_photo(each, file.file_id))
        return found


def _photo(result: Finished, file_id: str) -> Json:
    told: dict[str, Any] = {
        "type": "photo",
        "id": f"{result.turn}.{result.index}",
        "photo_file_id": file_id,
        "caption": cut(plain(result.picture.label), limits.CAPTION),
    }
    if result.words:
        told["title"] = cut(" ".join(result.words.split()), _TITLE_UNITS)
    return told
