"""What a person wants of every picture that they ask for."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.commands import Command
from bot.domain.errors import BadRequest
from bot.domain.language import tr
from bot.domain.messages import InboundMessage, MessageRecord
from bot.domain.taste import MOST_TASTE_CHARS, TASTE_OFF, taste_in, taste_kept, taste_too_long, taste_words
from bot.domain.words import LARGER
from bot.ground import Request
from bot.ports import TasteStore
from bot.telling import Told


class Tastes:
    """`/taste`. Theirs alone, on their platform, in every chat."""

    def __init__(self, store: TasteStore) -> None:
        self._store = store

    async def answer(
        self,
        command: Command,
        message: InboundMessage,
        target: MessageRecord | None,  # noqa: ARG002 it is about no picture
    ) -> Told:
        said = taste_in(command.rest)
        if not said:
            return Told(taste_words(await self._store.taste(message.author)))
        if said.casefold() == "off":
            await self._store.keep(message.author, "")
            return Told(tr(TASTE_OFF))
        if len(said) > MOST_TASTE_CHARS:
            raise BadRequest(taste_too_long(len(said)))
        await self._store.keep(message.author, said)
        return Told(taste_kept(said))

    async def along(self, message: InboundMessage, request: Request) -> Request:
        """With what the asker wants of every picture: not with others' words, and not where nothing is to change."""
        if request.words_by is not None or request.words == LARGER:
            return request
        return replace(request, taste=await self._store.taste(message.author))
