"""What a use of the settings panel changes, and who may. It is checked at each use and not only when it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

import discord

from adapters.discord.answering import Answering
from adapters.discord.forms import caps_form, read_caps_form
from adapters.discord.settings_panel import (
    Page,
    Part,
    State,
    caps_now,
    changed_chat,
    changed_server,
    is_stale,
    may,
    panel,
    standing_of,
    without_everyone,
)
from adapters.discord.where import Where
from bot.domain.buttons import ButtonId, Verb
from bot.domain.language import N_, tr
from bot.domain.refs import ServerRef
from bot.domain.words import SAVED
from bot.ports import Rooms

SAVED_WITHOUT_EVERYONE = N_("Saved, without @everyone: a list is for some of you. For everybody, leave it empty.")
STALE = N_("Somebody has changed that list since you saw it. This is how it stands now: please choose once more.")
NO_AMOUNT = N_("I can't read that as an amount in dollars. Try something like 2.50, or leave it empty.")
NOT_YOURS = {
    Page.CHAT: N_("Only who may manage this channel can change that."),
    Page.SERVER: N_("Only who may manage this server can change that."),
    Page.ME: N_("That is for somebody else to say."),
}


class Settings:
    """The panel at work. Raises `discord.HTTPException` where Discord does not take it."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def show(self, answering: Answering, where: Where, page: Page, *, said: str = "") -> None:
        standing = await self._rooms.standing(where.user, where.chat)
        chat, server = await self._rooms.settings(where.chat, where.server)
        state = State(standing, chat, server, marks_always=self._rooms.marks_always)
        try:
            await answering.show(panel(page, where, state, said=said))
        except discord.HTTPException as error:
            if error.status != 400:
                raise
            # Somebody or something that was chosen is not there any more, and Discord does not take it as a choice.
            await answering.show(panel(page, where, replace(state, bare=True), said=said))

    async def press(self, answering: Answering, where: Where, part: Part, values: Sequence[str]) -> bool:
        """False where there is no such choice."""
        if not await self._allows(answering, where, part.page):
            return True
        if part.thing == "page":
            await self.show(answering, where, part.page)
            return True
        said = await self._change(where, part, values)
        if said is None:
            return False
        await self.show(answering, where, part.page, said=said)
        return True

    async def open_caps(self, answering: Answering, where: Where, part: Part) -> None:
        """The form is the first answer: what it shows comes with the button."""
        if not await self._allows(answering, where, Page.SERVER):
            return
        person, everybody = caps_now(part)
        await answering.open(caps_form(ButtonId(Verb.SETTINGS, None, "server.caps"), person, everybody))

    async def set_caps(self, answering: Answering, where: Where, data: Mapping[str, Any]) -> None:
        if where.server is None or not await self._allows(answering, where, Page.SERVER):
            return
        caps = read_caps_form(data)
        if caps is None:
            await answering.say(tr(NO_AMOUNT))
            return
        person, everybody = caps
        async with self._alone_at(where.server.key):
            _, server = await self._rooms.settings(where.chat, where.server)
            changed = replace(server, person_day_microusd=person, day_microusd=everybody)
            await self._rooms.change_server(where.server, changed, by=where.user, was=server)
        await self.show(answering, where, Page.SERVER, said=tr(SAVED))

    async def _allows(self, answering: Answering, where: Where, page: Page) -> bool:
        if may(page, where):
            return True
        await answering.say(tr(NOT_YOURS[page]))
        return False

    def _alone_at(self, key: str) -> asyncio.Lock:
        """Two changes at once would undo each other. A server's interactions all come to one process."""
        return self._changing.setdefault(key, asyncio.Lock())

    async def _change(self, where: Where, part: Part, values: Sequence[str]) -> str | None:
        """What is said of it; None where there is no such choice."""
        kept = without_everyone(part, values, where.server)
        saved = tr(SAVED) if len(kept) == len(values) else tr(SAVED_WITHOUT_EVERYONE)
        match part.page:
            case Page.ME:
                return saved if await self._change_mine(where, part, kept) else None
            case Page.CHAT:
                async with self._alone_at(where.chat.key):
                    return await self._change_chat(where, part, kept, saved)
            case Page.SERVER:
                if where.server is None:
                    return None
                async with self._alone_at(where.server.key):
                    return await self._change_server(where, where.server, part, kept, saved)

    async def _change_mine(self, where: Where, part: Part, values: Sequence[str]) -> bool:
        standing = standing_of(values) if part.thing == "standing" else None
        if standing is None:
            return False
        await self._rooms.stand(where.user, where.chat, standing)
        return True

    async def _change_chat(self, where: Where, part: Part, values: Sequence[str], saved: str) -> str | None:
        chat, _ = await self._rooms.settings(where.chat, where.server)
        changed = changed_chat(chat, part, values)
        if changed is None:
            return None
        if is_stale(chat.access, part):
            return tr(STALE)
        await self._rooms.change_chat(where.chat, changed, by=where.user, server=where.server, was=chat)
        return saved

    async def _change_server(
        self, where: Where, server: ServerRef, part: Part, values: Sequence[str], saved: str
    ) -> str | None:
        _, settings = await self._rooms.settings(where.chat, server)
        changed = changed_server(settings, part, values)
        if changed is None:
            return None
        if is_stale(settings.access, part):
            return tr(STALE)
        await self._rooms.change_server(server, changed, by=where.user, was=settings)
        return saved
