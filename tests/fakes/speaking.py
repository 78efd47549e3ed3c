"""Which language people of a fake speak."""

from __future__ import annotations

from bot.domain.language import ENGLISH, language_of
from bot.domain.refs import UserRef


class Speaking:
    """That part of `bot.ports.Rooms`. `languages` is what was noted, in order."""

    languages: list[tuple[UserRef, str]]

    async def speaks(self, user: UserRef, language: str) -> None:
        self.languages.append((user, language))

    async def language_of(self, user: UserRef, otherwise: str = "") -> str:
        said = dict(self.languages).get(user, "")
        return language_of(said, otherwise) or ENGLISH
