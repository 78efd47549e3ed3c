"""`/mine`: what somebody has said of their own pictures, and how to change it."""

from __future__ import annotations

from bot.domain.commands import Command, said_of_mine, standing_words
from bot.domain.errors import BadRequest
from bot.domain.language import tr
from bot.domain.messages import InboundMessage, MessageRecord
from bot.domain.own_pictures import ASKED_EVERYWHERE, EVERYWHERE, NO_SUCH_SAY, mine_words
from bot.ports import ConsentStore
from bot.telling import SayOfMine, Told


class Mine:
    """Tells each person of themselves alone. `say` takes what they say and gives what holds."""

    def __init__(self, *, says: ConsentStore, say: SayOfMine) -> None:
        self._says = says
        self._say = say

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
        return Told(standing_words(await self._say(person, chat, said, at=message.created_at)))
