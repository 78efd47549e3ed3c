"""Buttons and lists of choices: how a press finds its way here, and the few that stand in words for one person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import discord
from discord import ui

from adapters.discord import limits
from bot.domain.buttons import PATTERN, ButtonId, Verb, read_button_id
from bot.domain.language import tr
from bot.domain.utf16 import cut

_CONFIRMED = "yes"

Pressed = Callable[[discord.Interaction[Any], ButtonId | None, str], Awaitable[None]]
"""Told of a press: the interaction, the custom id (None where it means nothing), and the label that the person read."""


def dynamic_item(pressed: Pressed) -> type[ui.DynamicItem[ui.Item[Any]]]:
    """All that can be pressed, whenever its message was posted. The library hands on what the message really has."""

    class Pressable(ui.DynamicItem[ui.Item[Any]], template=PATTERN):
        @classmethod
        async def from_custom_id(
            cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], _match: Any, /
        ) -> Pressable:
            return cls(item)

        async def callback(self, interaction: discord.Interaction[Any]) -> None:
            found = chosen(self.item, interaction.data or {})
            await pressed(interaction, *(found or (None, "")))

    return Pressable


def chosen(item: ui.Item[Any], data: Mapping[str, Any]) -> tuple[ButtonId, str] | None:
    """What a press means, with its label. A choice of a list has a custom id of its own as its value, and must stand in
    that list."""
    custom_id = read_button_id(str(data.get("custom_id", "")))
    if custom_id is None:
        return None
    if custom_id.verb is not Verb.MORE:
        return custom_id, getattr(item, "label", None) or ""
    values = [str(each) for each in data.get("values") or ()]
    options: list[discord.SelectOption] = getattr(item, "options", [])
    for option in options:
        choice = read_button_id(option.value)
        if option.value in values and choice is not None and choice.verb is not Verb.MORE:
            return choice, option.label
    return None


def confirm_delete(message: str, place: int | None) -> ui.View:
    """`message` is the id of the one to delete."""
    # TRANSLATORS: a button, at most 80 characters
    return _one_button(ButtonId(Verb.DELETE, place, f"{_CONFIRMED}.{message}"), tr("Delete it"))


def confirmed_delete(argument: str) -> str | None:
    """The id of the message that is really to be deleted; None where that is still to be asked."""
    word, _, message = argument.partition(".")
    return message if word == _CONFIRMED and message.isdigit() else None


def confirm_forget(user: str) -> ui.View:
    # TRANSLATORS: a button, at most 80 characters
    return _one_button(ButtonId(Verb.FORGET, None, user), tr("Erase everything"))


def _one_button(custom_id: ButtonId, label: str) -> ui.View:
    view = ui.View(timeout=None)
    button: ui.Button[Any] = ui.Button(
        style=discord.ButtonStyle.danger, label=cut(label, limits.BUTTON_LABEL), custom_id=str(custom_id)
    )
    return view.add_item(button)
