"""The commands that people find behind “/”, and in the menu of a message."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord
from discord import app_commands

from adapters.discord import limits
from adapters.discord.locales import LOCALES
from bot.domain.language import ENGLISH, N_, speaking, tr
from bot.domain.utf16 import cut

# TRANSLATORS: a command in the menu of a message, at most 32 characters
EDIT_THIS = N_("Edit this image")
# TRANSLATORS: a command in the menu of a message, at most 32 characters
TAKE_BACK = N_("Take back my picture")
"""In the menu of a message, with `EDIT_THIS`."""
# TRANSLATORS: a command in the menu of a message, at most 32 characters: says where the picture comes from
CHECK_THIS = N_("Check this picture")
_MOST_WORDS = 4_000
USUAL = "usual"
"""Stands for the size "", which Discord does not take as a choice's value."""

_PICTURES = ("picture", "picture_2", "picture_3")
_ALONE = frozenset({"help", "usage", "verify"})
_MOST_CODE = 100

_Words = app_commands.Range[str, 1, _MOST_WORDS]
_Number = app_commands.Range[int, 1, 9999]
_Code = app_commands.Range[str, 1, _MOST_CODE]
_Call = discord.Interaction[Any]


async def _edit(  # noqa: PLR0917 (the library reads the options from here)
    interaction: _Call,
    instruction: _Words,
    picture: discord.Attachment | None = None,
    picture_2: discord.Attachment | None = None,
    picture_3: discord.Attachment | None = None,
    size: str = "",
) -> None: ...
async def _imagine(interaction: _Call, words: _Words, size: str = "") -> None: ...
async def _story(interaction: _Call, words: _Words, picture: discord.Attachment | None = None) -> None: ...
async def _explain(interaction: _Call, words: _Words, picture: discord.Attachment | None = None) -> None: ...
async def _arena(interaction: _Call, instruction: _Words, picture: discord.Attachment) -> None: ...
async def _verify(interaction: _Call, picture: discord.Attachment) -> None: ...
async def _compare(interaction: _Call, first: _Number, second: _Number) -> None: ...
async def _said(interaction: _Call, words: str = "") -> None: ...
async def _join(interaction: _Call, code: _Code) -> None: ...
async def _show(interaction: _Call, log: bool = False) -> None: ...
async def _plain(interaction: _Call) -> None: ...
async def _menu(interaction: _Call, message: discord.Message) -> None: ...


_DESCRIBED = {
    # TRANSLATORS: about an option of a command, at most 100 characters
    "instruction": N_("What should be changed"),
    # TRANSLATORS: about an option of a command, at most 100 characters
    "words": N_("What it is about"),
    # TRANSLATORS: about an option of a command, at most 100 characters
    "picture": N_("The picture"),
    # TRANSLATORS: about an option of a command, at most 100 characters
    "picture_2": N_("A second one"),
    # TRANSLATORS: about an option of a command, at most 100 characters
    "picture_3": N_("A third one"),
    # TRANSLATORS: about an option of a command, at most 100 characters
    "first": N_("Its number in the tree"),
    # TRANSLATORS: about an option of a command, at most 100 characters
    "second": N_("The number of the other one"),
    # TRANSLATORS: about an option of a command, at most 100 characters
    "code": N_("The code of your invitation"),
    # TRANSLATORS: about an option of a command, at most 100 characters
    "log": N_("What was changed here last, for those who run it"),
    # TRANSLATORS: about an option of a command, at most 100 characters
    "size": N_("How large the result should be"),
}
_COMMANDS: tuple[tuple[str, str, Any], ...] = (
    # TRANSLATORS: about the command /edit, at most 100 characters
    ("edit", N_("Edit a picture with your words"), _edit),
    # TRANSLATORS: about the command /imagine, at most 100 characters
    ("imagine", N_("Draw a picture from your words"), _imagine),
    # TRANSLATORS: about the command /story, at most 100 characters
    ("story", N_("Tell a story in pictures"), _story),
    # TRANSLATORS: about the command /explain, at most 100 characters
    ("explain", N_("Explain something with a picture"), _explain),
    # TRANSLATORS: about the command /tree, at most 100 characters
    ("tree", N_("See how your last pictures here grew, with numbers to go on from"), _plain),
    # TRANSLATORS: about the command /arena, at most 100 characters
    ("arena", N_("Two results to vote on, without knowing which is which"), _arena),
    # TRANSLATORS: about the command /leaderboard, at most 100 characters
    ("leaderboard", N_("Which models won the votes"), _plain),
    # TRANSLATORS: about the command /compare, at most 100 characters
    ("compare", N_("Put two pictures of that tree side by side"), _compare),
    # TRANSLATORS: about the command /share, at most 100 characters
    ("share", N_("Make a link to your last picture here"), _plain),
    # TRANSLATORS: about the command /unshare, at most 100 characters
    ("unshare", N_("End the links to your last picture here"), _plain),
    # TRANSLATORS: about the command /verify, at most 100 characters
    ("verify", N_("What is known of where a picture comes from; nothing of it is kept"), _verify),
    # TRANSLATORS: about the command /presets, at most 100 characters
    ("presets", N_("Eighteen looks to choose from with one tap"), _plain),
    # TRANSLATORS: about the command /recipe, at most 100 characters; save and show are typed as they stand
    ("recipe", N_("Keep what led to a picture, or do it again: save NAME, NAME, show NAME"), _said),
    # TRANSLATORS: about the command /recipes, at most 100 characters
    ("recipes", N_("What this chat has kept to do again"), _plain),
    # TRANSLATORS: about the command /cast, at most 100 characters; save and delete are typed as they stand
    ("cast", N_("Who has a name here: save NAME, delete NAME"), _said),
    # TRANSLATORS: about the command /taste, at most 100 characters; off is typed as it stands
    ("taste", N_("What you want of all your pictures; off to erase it"), _said),
    # TRANSLATORS: about the command /mine, at most 100 characters
    ("mine", N_("What you have said of your own pictures"), _plain),
    # TRANSLATORS: about the command /help, at most 100 characters
    ("help", N_("What I can do"), _plain),
    # TRANSLATORS: about the command /settings, at most 100 characters
    ("settings", N_("Who may edit your pictures, and what holds here"), _show),
    # TRANSLATORS: about the command /join, at most 100 characters
    ("join", N_("Come in with the code of an invitation"), _join),
    # TRANSLATORS: about the command /operator, at most 100 characters
    ("operator", N_("For whoever runs me: door, people, invitations"), _said),
    # TRANSLATORS: about the command /forget, at most 100 characters
    ("forget", N_("Erase everything that I keep of you"), _plain),
    # TRANSLATORS: about the command /usage, at most 100 characters
    ("usage", N_("What was used today"), _plain),
)
_NAMES = frozenset(name for name, _, _ in _COMMANDS)


Sizes = Mapping[str, Sequence[tuple[str, str]]]
"""What a form may offer: by language, each size with words that say its price."""


def command_payload(sizes: Sizes) -> list[dict[str, Any]]:
    """All commands, as Discord takes them. Names that are typed are the same everywhere; what is read beside them, and
    what is chosen from a menu, is in each language that we speak."""
    # A tree of its own, on a client that never connects: attached to the real one it would answer interactions itself.
    tree = app_commands.CommandTree(
        discord.Client(intents=discord.Intents(guilds=True)),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
    )
    slash = [
        app_commands.Command(name=name, description=description, callback=callback).to_dict(tree)
        for name, description, callback in _COMMANDS
    ]
    menus = [
        app_commands.ContextMenu(name=name, callback=_menu).to_dict(tree) for name in (EDIT_THIS, TAKE_BACK, CHECK_THIS)
    ]
    return [
        *(_with_options(command, sizes) for command in slash),
        *(_in_all_languages(menu, "name", limits.COMMAND_NAME) for menu in menus),
    ]


def digest_of(payload: Sequence[Mapping[str, Any]]) -> str:
    """Changes when the payload does."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def _with_options(command: dict[str, Any], sizes: Sizes) -> dict[str, Any]:
    options = [
        _described({**option, "description": _DESCRIBED[option["name"]], **_choices(option["name"], sizes)})
        for option in command["options"]
        if sizes.get(ENGLISH) or option["name"] != "size"
    ]
    return _described({**command, "options": options})


def _described(thing: dict[str, Any]) -> dict[str, Any]:
    return _in_all_languages(thing, "description", limits.COMMAND_DESCRIPTION)


def _in_all_languages(thing: dict[str, Any], part: str, most: int) -> dict[str, Any]:
    """With this part, an English sentence, in the others as well."""
    english: str = thing[part]
    others: dict[str, str] = {}
    for locale, language in LOCALES.items():
        with speaking(language):
            others[locale] = tr(english)
    return _localized(thing, part, english, others, most)


def _localized(thing: dict[str, Any], part: str, english: str, others: Mapping[str, str], most: int) -> dict[str, Any]:
    """What is in another language as it is in English is left out: so Discord understands it."""
    differ = {locale: cut(words, most) for locale, words in others.items() if words and words != english}
    return {**thing, part: cut(english, most), **({f"{part}_localizations": differ} if differ else {})}


def _choices(name: str, sizes: Sizes) -> dict[str, Any]:
    if name != "size":
        return {}
    of = {language: dict(offered) for language, offered in sizes.items()}
    choices: list[dict[str, Any]] = []
    for size, english in list(of[ENGLISH].items())[: limits.OPTIONS]:
        others = {locale: of.get(language, {}).get(size, "") for locale, language in LOCALES.items()}
        choices.append(_localized({"value": size or USUAL}, "name", english, others, limits.CHOICE_NAME))
    return {"choices": choices}


@dataclass(frozen=True, slots=True)
class Called:
    """A command that somebody gave. `text` is what the core reads; `files` are attachments as Discord describes them.
    `alone` where the answer is for that person only."""

    name: str
    text: str = ""
    size: str | None = None
    files: tuple[Mapping[str, Any], ...] = field(default=())
    alone: bool = False

    @property
    def words(self) -> str:
        """All that stands behind the name."""
        return self.text.removeprefix(f"/{self.name}").strip()


def read_command(data: Mapping[str, Any]) -> Called | None:
    """What a slash command says; None for one that is not there any more. Reads any data of that type."""
    name = str(data.get("name", ""))
    given = {str(option.get("name")): option.get("value") for option in data.get("options") or ()}
    attachments = resolved(data, "attachments")
    files = [attachments[given[each]] for each in _PICTURES if given.get(each) in attachments]
    numbers = [str(given[each]) for each in ("first", "second") if each in given]
    said = given.get("instruction") or given.get("words") or given.get("code") or " ".join(numbers)
    words = "log" if given.get("log") else str(said)
    if name not in _NAMES:
        return None
    return Called(name, f"/{name} {words}".strip(), size_of(given.get("size")), tuple(files), name in _ALONE)


def resolved(data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """What Discord sends along of the things that are named in this data: id → payload."""
    things: dict[str, Any] = data.get("resolved") or {}
    found: dict[str, Any] = things.get(kind) or {}
    return found


def size_of(chosen: object) -> str | None:
    """The size that was chosen; None where none was."""
    if not isinstance(chosen, str) or not chosen:
        return None
    return "" if chosen == USUAL else chosen
