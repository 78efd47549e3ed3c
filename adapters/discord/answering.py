"""How one interaction is answered: acknowledged first, within Discord's three seconds, then words, if there are any.

An interaction can be responded to once. What the first response is decides what later words do to it, so it is kept
beside the interaction.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import discord

from adapters.discord.words import escape

MOST_CHARS = 2_000
"""Of a message. Discord's documentation, 2026-11."""

OVER = frozenset({10008, 10015, 10062, 40060, 50027})
"""Codes of Discord for an interaction that is over: its message or its token is gone, or somebody has answered it."""

NO_MENTIONS = discord.AllowedMentions.none()


class How(Enum):
    """What the first response was."""

    ALONE = auto()
    """“Thinking”, seen by that person only. It becomes words, or is deleted."""
    OPENLY = auto()
    """“Thinking”, seen by everybody: it becomes the reply."""
    QUIETLY = auto()
    """Nothing is seen. Words are a follow-up for that person only."""


class Answering:
    """One interaction and what became of it. Raises `discord.HTTPException` where Discord does not take an answer."""

    def __init__(self, interaction: discord.Interaction[Any]) -> None:
        self.interaction = interaction
        self._how: How | None = None
        self._said = False

    async def acknowledge(self, how: How) -> None:
        response = self.interaction.response
        match how:
            case How.ALONE:
                await response.defer(ephemeral=True, thinking=True)
            case How.OPENLY:
                await response.defer(thinking=True)
            case How.QUIETLY:
                await response.defer()
        self._how = how

    async def open(self, form: discord.ui.Modal) -> None:
        """Show a form. A stopped one is not kept in memory: it comes back by its custom id."""
        form.stop()
        await self.interaction.response.send_modal(form)
        self._how = How.QUIETLY

    async def say(self, words: str, view: discord.ui.View | None = None) -> None:
        """Tell that person, and nobody else."""
        text = plain(words)
        said, self._said = self._said, True
        if view is not None:
            view.stop()
        if self._how is How.ALONE and not said:
            await self.interaction.edit_original_response(content=text, view=view, allowed_mentions=NO_MENTIONS)
            return
        buttons: dict[str, Any] = {} if view is None else {"view": view}
        if self._how is None:
            self._how = How.QUIETLY
            await self.interaction.response.send_message(text, ephemeral=True, allowed_mentions=NO_MENTIONS, **buttons)
            return
        thinks = self._how is How.OPENLY and not said
        if thinks:
            # What follows up on “thinking” takes its place, for everybody to see: so it must say something first.
            await self.interaction.edit_original_response(content="…", allowed_mentions=NO_MENTIONS)
        await self.interaction.followup.send(text, ephemeral=True, allowed_mentions=NO_MENTIONS, **buttons)
        if thinks:
            await self.interaction.delete_original_response()

    async def replace(self, words: str) -> None:
        """Put words in place of the message that was pressed, and take its buttons away."""
        await self.interaction.edit_original_response(content=plain(words), view=None, allowed_mentions=NO_MENTIONS)

    async def show(self, panel: discord.ui.LayoutView) -> None:
        """Show a panel in the place of the response, or of the message that was pressed."""
        panel.stop()
        self._said = True
        await self.interaction.edit_original_response(view=panel, allowed_mentions=NO_MENTIONS)

    def leave(self) -> None:
        """The response has become the reply, and belongs to the door out."""
        self._said = True

    @property
    def thinks(self) -> bool:
        """Whether that person still sees “thinking”. What follows up on it takes its place."""
        return self._how is How.ALONE and not self._said

    async def close(self) -> None:
        """Take “thinking” away where nothing was said."""
        if self.thinks:
            self._said = True
            await self.interaction.delete_original_response()


def plain(words: str) -> str:
    """Words as they are, whatever Discord would make of them, and no more than a message holds."""
    text = escape(words)
    return text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 1]}…"
