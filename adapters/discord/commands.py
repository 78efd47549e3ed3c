"""The commands that people find behind “/”, and in the menu of a message."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord
from discord import app_commands

EDIT_THIS = "Edit this image"
TAKE_BACK = "Take back my picture"
"""In the menu of a message, with `EDIT_THIS`."""
_MOST_WORDS = 4_000
_MOST_CHOICE_CHARS = 100
USUAL = "usual"
"""Stands for the size "", which Discord does not take as a choice's value."""

_PICTURES = ("picture", "picture_2", "picture_3")
_ALONE = frozenset({"help", "usage"})

_Words = app_commands.Range[str, 1, _MOST_WORDS]
_Number = app_commands.Range[int, 1, 9999]
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
async def _compare(interaction: _Call, first: _Number, second: _Number) -> None: ...
async def _said(interaction: _Call, words: str = "") -> None: ...
async def _plain(interaction: _Call) -> None: ...
async def _menu(interaction: _Call, message: discord.Message) -> None: ...


_DESCRIBED = {
    "instruction": "What should be changed",
    "words": "What it is about",
    "picture": "The picture",
    "picture_2": "A second one",
    "picture_3": "A third one",
    "first": "Its number in the tree",
    "second": "The number of the other one",
    "size": "How large the result should be",
}
_COMMANDS: tuple[tuple[str, str, Any], ...] = (
    ("edit", "Edit a picture with your words", _edit),
    ("imagine", "Draw a picture from your words", _imagine),
    ("story", "Tell a story in pictures", _story),
    ("explain", "Explain something with a picture", _explain),
    ("tree", "See how your last pictures here grew, with numbers to go on from", _plain),
    ("arena", "Two results to vote on, without knowing which is which", _arena),
    ("leaderboard", "Which models won the votes", _plain),
    ("compare", "Put two pictures of that tree side by side", _compare),
    ("share", "Make a link to your last picture here", _plain),
    ("unshare", "End the links to your last picture here", _plain),
    ("presets", "Eighteen looks to choose from with one tap", _plain),
    ("recipe", "Keep what led to a picture, or do it again: save NAME, NAME, show NAME", _said),
    ("recipes", "What this chat has kept to do again", _plain),
    ("cast", "Who has a name here: save NAME, delete NAME", _said),
    ("taste", "What you want of all your pictures; off to erase it", _said),
    ("mine", "What you have said of your own pictures", _plain),
    ("help", "What I can do", _plain),
    ("settings", "Who may edit your pictures, and what holds here", _plain),
    ("forget", "Erase everything that I keep of you", _plain),
    ("usage", "What was used today", _plain),
)
_NAMES = frozenset(name for name, _, _ in _COMMANDS)


def command_payload(sizes: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """All commands, as Discord takes them."""
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
    menus = [app_commands.ContextMenu(name=name, callback=_menu).to_dict(tree) for name in (EDIT_THIS, TAKE_BACK)]
    return [*(_with_options(command, sizes) for command in slash), *menus]


def digest_of(payload: Sequence[Mapping[str, Any]]) -> str:
    """Changes when the payload does."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def _with_options(command: dict[str, Any], sizes: Sequence[tuple[str, str]]) -> dict[str, Any]:
    options = [
        {**option, "description": _DESCRIBED[option["name"]], **_choices(option["name"], sizes)}
        for option in command["options"]
        if sizes or option["name"] != "size"
    ]
    return {**command, "options": options}


def _choices(name: str, sizes: Sequence[tuple[str, str]]) -> dict[str, Any]:
    if name != "size":
        return {}
    return {"choices": [{"name": words[:_MOST_CHOICE_CHARS], "value": size or USUAL} for size, words in sizes[:25]]}


@dataclass(frozen=True, slots=True)
class Called:
    """A command that somebody gave. `text` is what the core reads; `files` are attachments as Discord describes them.
    `alone` where the answer is for that person only."""

    name: str
    text: str = ""
    size: str | None = None
    files: tuple[Mapping[str, Any], ...] = field(default=())
    alone: bool = False


def read_command(data: Mapping[str, Any]) -> Called | None:
    """What a slash command says; None for one that is not there any more. Reads any data of that type."""
    name = str(data.get("name", ""))
    given = {str(option.get("name")): option.get("value") for option in data.get("options") or ()}
    attachments = resolved(data, "attachments")
    files = [attachments[given[each]] for each in _PICTURES if given.get(each) in attachments]
    numbers = [str(given[each]) for each in ("first", "second") if each in given]
    words = str(given.get("instruction") or given.get("words") or " ".join(numbers))
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
