"""What a key of the settings changes, and who may. It is checked at each press and not only when it is shown.

In a group everybody sees the same message, so what somebody says of their own pictures is answered to them alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final
from weakref import WeakValueDictionary

from adapters.telegram.access import Access
from adapters.telegram.answering import Answering, Pressed
from adapters.telegram.ports import Telegram
from adapters.telegram.refs import is_group, place_of, server_ref
from adapters.telegram.saying import Saying
from adapters.telegram.settings_panel import State, changed_chat, changed_group, panel, with_person
from bot.domain.commands import standing_words
from bot.domain.consent import Standing
from bot.domain.language import N_, tr
from bot.domain.refs import ChatRef, MessageRef, ServerRef, UserRef
from bot.domain.words import SAVED, UNKNOWN_PRESS
from bot.ports import Rooms

NOT_YOURS: Final = N_("Only those who run this group can change that.")


class Settings:
    """The panel at work, and the lists of people."""

    def __init__(self, rooms: Rooms, telegram: Telegram, saying: Saying, access: Access) -> None:
        self._rooms = rooms
        self._telegram = telegram
        self._saying = saying
        self._access = access
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def show(self, to: MessageRef, person: UserRef) -> None:
        """In reply to who asked for it."""
        shown = panel(await self._state(to.chat, person))
        await self._saying.once(f"settings:{to.key}", to, shown.words, keyboard=shown.keyboard)

    async def press(self, pressed: Pressed, answering: Answering) -> None:
        thing, _, value = pressed.button.argument.partition(".")
        if thing == "mine":
            await self._stand(pressed, answering, value)
            return
        if is_group(pressed.chat) and not await self._access.runs(pressed.chat, pressed.user):
            await answering.say(tr(NOT_YOURS))
            return
        if thing == "show":
            answering.acknowledge()
            await self._redraw(pressed, value)
        elif await self._change(pressed.chat, thing, value, by=pressed.user):
            answering.acknowledge(tr(SAVED))
            await self._redraw(pressed, thing)
        else:
            await answering.say(tr(UNKNOWN_PRESS))

    async def let(self, chat: ChatRef, person: UserRef, *, allowed: bool, by: UserRef) -> None:
        """Let somebody use the bot in this group, or not any more."""
        group = _server(chat)
        async with self._alone_at(group.key):
            _, settings = await self._rooms.settings(chat, group)
            access = with_person(settings.access, person.user, allowed=allowed)
            await self._rooms.change_server(group, replace(settings, access=access), by=by, was=settings)

    async def _stand(self, pressed: Pressed, answering: Answering, value: str) -> None:
        if value not in set(Standing):
            await answering.say(tr(UNKNOWN_PRESS))
            return
        standing = Standing(value)
        await self._rooms.stand(pressed.user, pressed.chat, standing)
        await answering.say(standing_words(standing))
        if not is_group(pressed.chat):
            await self._redraw(pressed, "")

    async def _change(self, chat: ChatRef, thing: str, value: str, *, by: UserRef) -> bool:
        """False where there is no such choice."""
        group = _server(chat)
        async with self._alone_at(group.key):
            own, settings = await self._rooms.settings(chat, group if is_group(chat) else None)
            if (changed := changed_chat(own, thing, value)) is not None:
                server = group if is_group(chat) else None
                await self._rooms.change_chat(chat, changed, by=by, server=server, was=own)
                return True
            if not is_group(chat) or (altered := changed_group(settings, chat, thing, value)) is None:
                return False
            await self._rooms.change_server(group, altered, by=by, was=settings)
            return True

    async def _redraw(self, pressed: Pressed, page: str) -> None:
        shown = panel(await self._state(pressed.chat, pressed.user), page=page)
        await self._telegram.change(pressed.under, shown.words, keyboard=shown.keyboard)

    async def _state(self, chat: ChatRef, person: UserRef) -> State:
        own, group = await self._rooms.settings(chat, _server(chat) if is_group(chat) else None)
        always = self._rooms.marks_always
        if not is_group(chat):
            standing = await self._rooms.standing(person, chat)
            return State(chat, own, group, runs=True, standing=standing, marks_always=always)
        return State(chat, own, group, runs=await self._access.runs(chat, person), marks_always=always)

    def _alone_at(self, key: str) -> asyncio.Lock:
        """Two changes at once would undo each other."""
        return self._changing.setdefault(key, asyncio.Lock())


def _server(chat: ChatRef) -> ServerRef:
    return server_ref(chat.account, place_of(chat).chat)
