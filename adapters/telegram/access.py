"""Who may use the bot in a group: what is kept there as lists of people, of chats, and of those who run it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.telegram.errors import Rejected
from adapters.telegram.ports import Telegram
from adapters.telegram.refs import group_of, is_group, place_of, server_ref
from bot.domain.language import N_, tr
from bot.domain.refs import ChatRef, UserRef
from bot.ports import Rooms

ADMINS: Final = "admins"
"""The one role that Telegram knows: those who administrate a group, the anonymous ones among them."""

CHAT_DENIED: Final = N_(
    "Those who run this group have asked me to stay out of here. Another group may do, or a private chat."
)
PERSON_DENIED: Final = N_(
    "Those who run this group chose who can use me here, and you are not among them so far. They can change that with "
    "/settings."
)


class Access:
    """`denied` gives words to whoever may not, and "" to whoever may. The installation must let them in, too."""

    def __init__(self, rooms: Rooms, telegram: Telegram) -> None:
        self._rooms = rooms
        self._telegram = telegram

    async def denied(self, chat: ChatRef, person: UserRef) -> str:
        """The group must let them in, and the topic, where it is one. Raises what `Telegram.admins` raises."""
        if not is_group(chat):
            return await self._rooms.kept_out(person, chat)
        group = group_of(chat)
        server = server_ref(chat.account, place_of(chat).chat)
        around = () if group == chat else (group,)
        if words := await self._rooms.kept_out(person, chat, server=server, around=around):
            return words
        settings = [await self._rooms.settings(each, server) for each in dict.fromkeys((chat, group))]
        lists = [settings[0][1].access, *(own.access for own, _ in settings)]
        if not lists[0].admits_chat(chat.chat, group.chat):
            return tr(CHAT_DENIED)
        asks = any(each.allowed_roles or each.denied_roles for each in lists)
        roles = (ADMINS,) if asks and await self.runs(chat, person) else ()
        return "" if all(each.admits_person(person.user, roles) for each in lists) else tr(PERSON_DENIED)

    async def runs(self, chat: ChatRef, person: UserRef) -> bool:
        """Whether this person runs the chat: in a group its administrators, and who writes as the group itself."""
        group = group_of(chat)
        if not is_group(chat):
            return person.user == group.chat
        return person.user == group.chat or int(person.user) in await self._admins(group)

    async def _admins(self, group: ChatRef) -> Sequence[int]:
        """Where Telegram does not tell us, nobody is one."""
        try:
            return await self._telegram.admins(group)
        except Rejected:
            return ()
