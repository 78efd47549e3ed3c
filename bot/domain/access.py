"""Who may use the bot: lists of people, roles and chats, kept by those who run a server or a chat."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from bot.domain.actions import Act

OF_ONES_OWN: Final = frozenset({"forget", "mine", "withdraw", "unshare"})
"""Commands by which people decide about what is theirs. Whoever is kept out from all else may do so all the same."""
ACTS_OF_ONES_OWN: Final = frozenset({Act.MINE, Act.WITHDRAW, Act.UNSHARE})
"""The same, of controls."""


@dataclass(frozen=True, slots=True)
class Access:
    """Ids as the platform writes them. Who or what is denied stays out, whatever else is said. Where anybody is
    allowed by name or role, only they are let in; where any chat is allowed, only those are served."""

    allowed_people: tuple[str, ...] = ()
    denied_people: tuple[str, ...] = ()
    allowed_roles: tuple[str, ...] = ()
    denied_roles: tuple[str, ...] = ()
    allowed_chats: tuple[str, ...] = ()
    denied_chats: tuple[str, ...] = ()

    def admits_chat(self, *chats: str) -> bool:
        """Whether this chat is served. `chats` are its own id and those that it lies in: a thread's channel, its
        category."""
        if any(chat in self.denied_chats for chat in chats):
            return False
        return not self.allowed_chats or any(chat in self.allowed_chats for chat in chats)

    def admits_person(self, person: str, roles: Collection[str] = ()) -> bool:
        """Whether this person may use the bot."""
        if person in self.denied_people or any(role in self.denied_roles for role in roles):
            return False
        if not self.allowed_people and not self.allowed_roles:
            return True
        return person in self.allowed_people or any(role in self.allowed_roles for role in roles)
