"""Commands that are answered in words, at once: help, settings, usage."""

from __future__ import annotations

from bot.budget import Budget
from bot.domain.commands import HELP, Command, apply_setting, settings_words
from bot.domain.messages import InboundMessage
from bot.domain.money import said
from bot.ports import ChatStore, Meter

NO_SUCH_SETTING = "I know the settings “suggestions” and “questions”, each on or off: /settings suggestions off"


class Desk:
    """Answers commands. What it says of money is the asker's own and the chat's, never another person's."""

    def __init__(self, *, chats: ChatStore, meter: Meter, budget: Budget) -> None:
        self._chats = chats
        self._meter = meter
        self._budget = budget

    async def answer(self, command: Command, message: InboundMessage) -> str:
        match command.name:
            case "settings":
                return await self._settings(command, message)
            case "usage":
                return await self._usage(message)
            case _:
                return "\n".join(HELP)

    async def _settings(self, command: Command, message: InboundMessage) -> str:
        settings = await self._chats.settings(message.ref.chat)
        if command.arguments:
            changed = apply_setting(settings, command.arguments)
            if changed is None:
                return NO_SUCH_SETTING
            await self._chats.change(message.ref.chat, changed)
            settings = changed
        return settings_words(settings)

    async def _usage(self, message: InboundMessage) -> str:
        person, chat, *_ = self._budget.buckets(0, person=message.author, chat=message.ref.chat)
        mine, ours = await self._meter.reserved([person, chat])
        return (
            f"Today you have used {said(mine)} of {_dollars(person.limit)} for AI edits, and this chat {said(ours)} of "
            f"{_dollars(chat.limit)}. A new day begins at midnight UTC. Exact edits are free."
        )


def _dollars(microusd: int) -> str:
    return f"${microusd / 1e6:.2f}"
