"""What a use of the settings panel changes, and who may. It is checked at each use and not only when it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import discord

from adapters.discord.answering import Answering
from adapters.discord.custom_ids import CustomId, Verb
from adapters.discord.forms import caps_form, read_caps_form
from adapters.discord.settings_panel import (
    Page,
    Part,
    State,
    caps_now,
    changed_chat,
    changed_server,
    may,
    panel,
    standing_of,
)
from adapters.discord.where import Where
from bot.domain.access import Access
from bot.ports import Rooms

SAVED = "Saved. It holds from now on."
NO_AMOUNT = "I can't read that as an amount in dollars. Try something like 2.50, or leave it empty."
_NOT_YOURS = {
    Page.CHAT: "Only who may manage this channel can change that.",
    Page.SERVER: "Only who may manage this server can change that.",
    Page.ME: "That is for somebody else to say.",
}


class Settings:
    """The panel at work. Raises `discord.HTTPException` where Discord does not take it."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def show(self, answering: Answering, where: Where, page: Page, *, said: str = "") -> None:
        standing = await self._rooms.standing(where.user, where.chat)
        chat, server = await self._rooms.settings(where.chat, where.server)
        try:
            await answering.show(panel(page, where, State(standing, chat, server), said=said))
        except discord.HTTPException as error:
            if error.status != 400:
                raise
            # Somebody or something that was chosen is not there any more, and Discord does not take it as a choice.
            bare = State(standing, replace(chat, access=Access()), replace(server, access=Access()))
            await answering.show(panel(page, where, bare, said=said))

    async def press(self, answering: Answering, where: Where, part: Part, values: Sequence[str]) -> bool:
        """False where there is no such choice."""
        if not await self._allows(answering, where, part.page):
            return True
        if part.thing == "page":
            await self.show(answering, where, part.page)
            return True
        if not await self._change(where, part, values):
            return False
        await self.show(answering, where, part.page, said=SAVED)
        return True

    async def open_caps(self, answering: Answering, where: Where, part: Part) -> None:
        """The form is the first answer: what it shows comes with the button."""
        if not await self._allows(answering, where, Page.SERVER):
            return
        person, everybody = caps_now(part)
        await answering.open(caps_form(CustomId(Verb.SETTINGS, None, "server.caps"), person, everybody))

    async def set_caps(self, answering: Answering, where: Where, data: Mapping[str, Any]) -> None:
        if where.server is None or not await self._allows(answering, where, Page.SERVER):
            return
        caps = read_caps_form(data)
        if caps is None:
            await answering.say(NO_AMOUNT)
            return
        _, server = await self._rooms.settings(where.chat, where.server)
        person, everybody = caps
        changed = replace(server, person_day_microusd=person, day_microusd=everybody)
        await self._rooms.change_server(where.server, changed)
        await self.show(answering, where, Page.SERVER, said=SAVED)

    async def _allows(self, answering: Answering, where: Where, page: Page) -> bool:
        if may(page, where):
            return True
        await answering.say(_NOT_YOURS[page])
        return False

    async def _change(self, where: Where, part: Part, values: Sequence[str]) -> bool:
        match part.page:
            case Page.ME:
                return await self._change_mine(where, part, values)
            case Page.CHAT:
                return await self._change_chat(where, part, values)
            case Page.SERVER:
                return await self._change_server(where, part, values)

    async def _change_mine(self, where: Where, part: Part, values: Sequence[str]) -> bool:
        standing = standing_of(values) if part.thing == "standing" else None
        if standing is None:
            return False
        await self._rooms.stand(where.user, where.chat, standing)
        return True

    async def _change_chat(self, where: Where, part: Part, values: Sequence[str]) -> bool:
        chat, _ = await self._rooms.settings(where.chat, where.server)
        changed = changed_chat(chat, part, values)
        if changed is None:
            return False
        await self._rooms.change_chat(where.chat, changed)
        return True

    async def _change_server(self, where: Where, part: Part, values: Sequence[str]) -> bool:
        if where.server is None:
            return False
        _, server = await self._rooms.settings(where.chat, where.server)
        changed = changed_server(server, part, values)
        if changed is None:
            return False
        await self._rooms.change_server(where.server, changed)
        return True
