"""The commands that people find behind “/”, in their language, by where they are and what they may."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from adapters.telegram.ports import Json, Me, Telegram, TelegramStore
from bot.domain.language import ENGLISH, LANGUAGES, N_, speaking, tr

_EVERYWHERE: Final = (
    "imagine",
    "story",
    "variations",
    "explain",
    "tree",
    "compare",
    "arena",
    "leaderboard",
    "share",
    "unshare",
    "verify",
    "presets",
    "recipe",
    "recipes",
    "cast",
    "taste",
    "mine",
    "withdraw",
    "help",
    "usage",
    "settings",
    "cancel",
    "forget",
)
_SCOPES: Final = {
    # Always: a door that is shut later finds nobody without it, and where it is open nobody is asked for a code.
    "all_private_chats": (*_EVERYWHERE, "join"),
    "all_group_chats": ("edit", *_EVERYWHERE),
    "all_chat_administrators": ("edit", *_EVERYWHERE, "allow", "deny"),
}
"""By `BotCommandScope.type`."""

# What each command does, as it stands beside its name in a list: at most 256 (Bot API, 2026-11), and what is longer
# than a line is cut by phones.
_WORDS: Final = {
    # TRANSLATORS: what the command /edit does, at most 100 characters
    "edit": N_("Change the picture that you reply to"),
    # TRANSLATORS: what the command /imagine does, at most 100 characters
    "imagine": N_("Draw a picture from your words"),
    # TRANSLATORS: what the command /story does, at most 100 characters
    "story": N_("Tell a story in pictures"),
    # TRANSLATORS: what the command /variations does, at most 100 characters
    "variations": N_("Make several takes at once"),
    # TRANSLATORS: what the command /explain does, at most 100 characters
    "explain": N_("Explain something with a picture"),
    # TRANSLATORS: what the command /tree does, at most 100 characters
    "tree": N_("See how this picture grew (reply to it)"),
    # TRANSLATORS: what the command /compare does, at most 100 characters
    "compare": N_("Before and after, or two of the tree"),
    # TRANSLATORS: what the command /arena does, at most 100 characters
    "arena": N_("Two results to vote on, blind (reply to a picture)"),
    # TRANSLATORS: what the command /leaderboard does, at most 100 characters
    "leaderboard": N_("Which models won the votes"),
    # TRANSLATORS: what the command /share does, at most 100 characters
    "share": N_("Make a link to your picture (reply to it)"),
    # TRANSLATORS: what the command /unshare does, at most 100 characters
    "unshare": N_("End the links to a picture (reply to it)"),
    # TRANSLATORS: what the command /verify does, at most 100 characters
    "verify": N_("What is known of where a picture comes from (reply to it)"),
    # TRANSLATORS: what the command /presets does, at most 100 characters
    "presets": N_("Looks to choose from with one tap"),
    # TRANSLATORS: what the command /recipe does, at most 100 characters
    "recipe": N_("Keep what led to a picture (save NAME), or do it again"),
    # TRANSLATORS: what the command /recipes does, at most 100 characters
    "recipes": N_("What this chat has kept to do again"),
    # TRANSLATORS: what the command /cast does, at most 100 characters
    "cast": N_("Give somebody in a picture a name (save NAME)"),
    # TRANSLATORS: what the command /taste does, at most 100 characters
    "taste": N_("What you want of all your pictures"),
    # TRANSLATORS: what the command /mine does, at most 100 characters
    "mine": N_("What you have said of your own pictures"),
    # TRANSLATORS: what the command /withdraw does, at most 100 characters
    "withdraw": N_("Take your picture back, with all that grew from it"),
    # TRANSLATORS: what the command /help does, at most 100 characters
    "help": N_("What I can do"),
    # TRANSLATORS: what the command /usage does, at most 100 characters
    "usage": N_("What was used today"),
    # TRANSLATORS: what the command /settings does, at most 100 characters
    "settings": N_("Who may edit your pictures, and what holds here"),
    # TRANSLATORS: what the command /cancel does, at most 100 characters
    "cancel": N_("Stop what is being made for you"),
    # TRANSLATORS: what the command /forget does, at most 100 characters
    "forget": N_("Erase everything that I keep of you"),
    # TRANSLATORS: what the command /join does, at most 100 characters
    "join": N_("Come in with the code of an invitation"),
    # TRANSLATORS: what the command /allow does, at most 100 characters
    "allow": N_("Let somebody use me here (reply to them)"),
    # TRANSLATORS: what the command /deny does, at most 100 characters
    "deny": N_("Keep somebody from using me here (reply to them)"),
}


def menus() -> list[dict[str, Any]]:
    """The arguments of each `setMyCommands`. Whoever speaks none of our languages is shown the English ones, which have
    no language there."""
    return [
        {
            "scope": {"type": scope},
            "language_code": "" if language == ENGLISH else language,
            "commands": _described(names, language),
        }
        for scope, names in _SCOPES.items()
        for language in LANGUAGES
    ]


def _described(names: Sequence[str], language: str) -> list[dict[str, str]]:
    with speaking(language):
        return [{"command": name, "description": tr(_WORDS[name])} for name in names]


def digest_of(wanted: list[dict[str, Any]]) -> str:
    """Changes when they do."""
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


async def set_menus(telegram: Telegram, store: TelegramStore, me: Me) -> None:
    """Once for each change of them. Raises the errors of `adapters.telegram.errors`."""
    wanted = menus()
    name, digest = f"menus:{me.id}", digest_of(wanted)
    if await store.noted(name) == digest:
        return
    for each in wanted:
        arguments: Json = each
        await telegram.call("setMyCommands", arguments)
    await store.note(name, digest)
