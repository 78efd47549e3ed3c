"""What Discord says of languages: its own names of them, which are tags of BCP 47."""

from __future__ import annotations

from typing import Any, Final

import discord

from bot.domain.language import ENGLISH, language_of

LOCALES: Final = {
    each.value: language for each in discord.Locale if (language := language_of(each.value)) not in ("", ENGLISH)
}
"""Those of Discord's that we speak, but for English: locale → language. Whoever reads Chinese gets it simplified."""


def chosen_by(server: discord.Locale | None) -> str:
    """The tag of the language that a server has chosen; empty where it has chosen none: American English is what each
    begins with."""
    return "" if server in (None, discord.Locale.american_english) else str(server)


def tags_of(interaction: discord.Interaction[Any]) -> tuple[str, str]:
    """What whoever it came from reads, and what the server has chosen."""
    return str(interaction.locale), chosen_by(interaction.guild_locale)
