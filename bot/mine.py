"""`/mine`: what somebody has said of their own pictures, and how to change it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.domain.commands import Command, said_of_mine, standing_words
from bot.domain.consent import Standing
from bot.domain.errors import BadRequest
from bot.domain.language import tr
from bot.domain.messages import InboundMessage, MessageRecord
from bot.domain.own_pictures import ASKED_EVERYWHERE, EVERYWHERE, NO_SUCH_SAY, mine_words
from bot.domain.refs import ChatRef, UserRef
from bot.ports import ConsentStore
from bot.telling import Told


class Mine:
    """Tells each person of themselves alone. `stand` takes what they say."""

    def __init__(self, *, says: ConsentStore, stand: Callable[[UserRef, ChatRef, Standing], Awaitable[None]]) -> None:
        self._says = says
        self._stand = stand

    async def answer(self, command: Command, message: InboundMessage, target: MessageRecord | None) -> Told:  # noqa: ARG002
        chat, person = message.ref.chat, message.author
        arguments = tuple(each for each in command.arguments if each != "mine")
        if not arguments:
            return Told(mine_words(await self._says.said(person, chat)))
        if arguments == (EVERYWHERE,):
            await self._says.take_back(person)
            return Told(tr(ASKED_EVERYWHERE))
        said = said_of_mine(("mine", *arguments))
        if said is None:
            raise BadRequest(tr(NO_SUCH_SAY))
        await self._stand(person, chat, said)
        return Told(standing_words(said))
