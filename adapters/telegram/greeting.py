"""What a group is told once: what the bot is shown there, and so how to call it."""

from __future__ import annotations

import contextlib
from typing import Final

from telegram import Chat, ChatMemberUpdated

from adapters.telegram.errors import TelegramError
from adapters.telegram.ports import Me, Telegram, TelegramStore
from adapters.telegram.refs import chat_ref, group_of, is_group, press_ref
from adapters.telegram.saying import Saying
from bot.domain.errors import ChatClosed
from bot.domain.language import tr
from bot.domain.refs import ChatRef, MessageRef

_LIFE_S: Final = 2 * 365 * 24 * 3600


def greeting(username: str, *, reads_all: bool) -> str:
    """`reads_all` as Telegram has it, for the bot in general or for this group."""
    if reads_all:
        return tr(
            "To have a photo edited here, reply to it, mention @{username} and say what you want changed; to go on, "
            "just reply to my pictures."
        ).format(username=username)
    return tr(
        "Here Telegram shows me only replies to my pictures and commands: reply to any photo with /edit@{username} and "
        "what you want changed."
    ).format(username=username)


class Greeting:
    """Best effort: raises nothing but what the stores do."""

    def __init__(self, telegram: Telegram, store: TelegramStore, saying: Saying, *, me: Me) -> None:
        self._telegram = telegram
        self._store = store
        self._saying = saying
        self._me = me

    async def greet(self, change: ChatMemberUpdated) -> None:
        """Somebody has brought the bot into this group. Channels are for their own posts."""
        if change.chat.type == Chat.CHANNEL:
            return
        await self._greet(press_ref(chat_ref(self._me.id, change.chat.id), "added"))

    async def used(self, message: MessageRef) -> None:
        """The bot was called by this message."""
        await self._greet(message)

    async def _greet(self, to: MessageRef) -> None:
        group = group_of(to.chat)
        name = f"greeted:{group.key}"
        if not is_group(group) or await self._store.was(name):
            return
        with contextlib.suppress(TelegramError, ChatClosed):
            words = greeting(self._me.username, reads_all=await self._reads_all(group))
            await self._saying.once(name, to, words)
            await self._store.once(name, life_s=_LIFE_S)

    async def _reads_all(self, group: ChatRef) -> bool:
        """Whoever administrates a group is shown all of it, a bot as well."""
        return self._me.reads_all or int(self._me.id) in await self._telegram.admins(group)
