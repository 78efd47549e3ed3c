"""Settings of chats and servers are changed here, so that each change is written down."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bot.domain.changes import (
    HOUSE,
    MOST_SHOWN,
    Change,
    changes_words,
    differences,
    place_of_chat,
    place_of_server,
)
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.people import subject_of
from bot.domain.refs import ChatRef, ServerRef, UserRef
from bot.ports import ChangeLog, ChatStore


class Changing:
    """What is changed holds at once for every process: nobody remembers settings."""

    def __init__(self, *, chats: ChatStore, log: ChangeLog) -> None:
        self._chats = chats
        self._log = log

    async def chat(
        self, chat: ChatRef, settings: ChatSettings, *, was: ChatSettings | None = None, by: UserRef | None
    ) -> None:
        """`was`: see `bot.ports.Rooms.change_chat`."""
        before, after = await self._chats.change(chat, settings, was=was)
        place, who = place_of_chat(chat), _subject(by)
        await self._note(differences(place, before, after, platform=chat.platform, by=who, at=time.time()))

    async def server(
        self, server: ServerRef, settings: ServerSettings, *, was: ServerSettings | None = None, by: UserRef | None
    ) -> None:
        before, after = await self._chats.change_server(server, settings, was=was)
        place, who = place_of_server(server), _subject(by)
        await self._note(differences(place, before, after, platform=server.platform, by=who, at=time.time()))

    async def house(self, what: str, before: str = "", after: str = "", *, by: str, people: Sequence[str] = ()) -> None:
        """Something was changed for the whole installation."""
        await self._note([Change(time.time(), by, HOUSE, what, before, after, tuple(people))])

    async def words(self, chat: ChatRef, server: ServerRef | None) -> str:
        """The last changes of a chat and its server, for those who run it."""
        places = [place_of_chat(chat), *([] if server is None else [place_of_server(server)])]
        return changes_words(await self._log.of(places, most=MOST_SHOWN))

    async def since(self, at: float) -> Sequence[Change]:
        return await self._log.since(at)

    async def _note(self, changes: Sequence[Change]) -> None:
        if changes:
            await self._log.note(changes)


def _subject(person: UserRef | None) -> str:
    return "" if person is None else subject_of(person)
