"""Presets and recipes: shown, saved, and done again on another picture."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from bot.contests import Contests
from bot.domain.arena import VOTE_OPEN
from bot.domain.commands import RECIPE_BY_ID, Command
from bot.domain.errors import BadPicture, BadRequest
from bot.domain.images import Picture
from bot.domain.language import tr
from bot.domain.messages import Attachment, InboundMessage, MessageRecord
from bot.domain.outcomes import PRESETS as PRESETS_CODE
from bot.domain.presets import (
    NO_SUCH_PRESET,
    SHEET_WORDS,
    Chosen,
    Preset,
    read_preset,
    titled,
    wish_of,
    words_alone,
    words_of,
)
from bot.domain.recipes import (
    DELETED,
    EXPORTED,
    FILE_GONE,
    FILE_TOO_LARGE,
    FILE_WITHOUT_NAME,
    HOW,
    HOW_AS_FILE,
    MOST_FILE_BYTES,
    MOST_SHOWN,
    NAME_NEEDED,
    NAME_OF_PRESET,
    NO_SUCH_RECIPE,
    NOTHING_TO_IMPORT,
    NOTHING_TO_KEEP,
    OWN_PICTURE_NEEDED,
    RECIPE_GONE,
    RESERVED,
    SAVED,
    TOO_MANY,
    TOO_MUCH,
    WORDS_TAKEN_BACK,
    Recipe,
    Step,
    authors_of,
    counted,
    exported,
    file_of,
    imported,
    is_taken,
    listed,
    name_in,
    name_taken,
    no_recipes,
    not_yours,
    read_file,
    recipe_id,
    steps_to,
    too_much,
    wish_in_one,
    words_in_one,
)
from bot.domain.refs import Person, TurnId
from bot.domain.turns import TurnStatus
from bot.domain.words import PRESS_GONE, joined
from bot.ports import MessageStore, Platform, RecipeStore, TurnStore
from bot.telling import Meant, Told

Draw = Callable[[Sequence[Preset]], Picture]
"""Presets, in their order: gives one picture of all of them with their examples, numbers and titles. Blocks."""

_MOST_TURNS: Final = 200
_SHOWN_CHARS: Final = 40


class Kitchen:
    """`/preset`, `/presets`, `/recipe`, `/recipes`, `/replay`. A chat's recipes are its own."""

    commands: ClassVar = ("preset", "presets", "recipe", "recipes", "replay", RECIPE_BY_ID)

    def __init__(
        self,
        *,
        platforms: Mapping[str, Platform],
        turns: TurnStore,
        messages: MessageStore,
        recipes: RecipeStore,
        contests: Contests,
        draw: Draw,
    ) -> None:
        self._platforms = platforms
        self._contests = contests
        self._turns = turns
        self._messages = messages
        self._recipes = recipes
        self._draw = draw

    async def answer(self, command: Command, message: InboundMessage, target: MessageRecord | None) -> Told:
        if message.press is not None and target is None:
            raise BadRequest(tr(PRESS_GONE))
        match command.name:
            case "preset" if command.rest:
                return _preset(command.rest, message)
            case "preset" | "presets":
                return await self._presets()
            case "recipes":
                return await self._list(message)
            case "replay":
                return await self._replay(message, target)
            case name if name == RECIPE_BY_ID:
                return _told(await self._recipes.find(message.ref.chat, command.rest), tr(RECIPE_GONE))
            case _:
                return await self._recipe(command, message, target)

    async def _presets(self) -> Told:
        picture = await asyncio.to_thread(self._draw, titled())
        return Told(tr(SHEET_WORDS), picture=picture, code=PRESETS_CODE, on_picture=True)

    # --- recipes

    async def _recipe(  # noqa: PLR0911 one way for each thing to do
        self, command: Command, message: InboundMessage, target: MessageRecord | None
    ) -> Told:
        first, rest = (*command.rest.split(None, 1), "", "")[:2]
        match first.lower():
            case "":
                return Told(joined(tr(HOW), tr(HOW_AS_FILE)))
            case "save":
                return await self._save(rest, message, target)
            case "delete":
                return await self._delete(rest, message)
            case "show":
                recipe = await self._named(rest, message)
                return Told(exported(recipe), words_of=tuple(recipe.people))
            case "import":
                return await self._import(command.rest.lstrip()[len("import") :], message)
            case "export":
                recipe = await self._named(rest, message)
                words = tr(EXPORTED).format(name=recipe.name, steps=counted(recipe.steps))
                return Told(words, file=file_of(recipe), words_of=tuple(recipe.people))
            case _:
                preset = read_preset(command.rest) if is_taken(command.rest) else None
                if preset is not None:
                    return _chosen(preset, message)
                return _told(await self._named(command.rest, message), tr(RECIPE_GONE))

    async def _import(self, text: str, message: InboundMessage) -> Told:
        """Out of the text; or out of a file, under the name that the text may give."""
        name, steps = imported(text, message.author)
        file = message.file or message.quoted_file
        if file is not None and not steps:
            named, steps = read_file(await self._contents(file, message), message.author)
            name = name or named
            if not name:
                raise BadRequest(tr(FILE_WITHOUT_NAME))
        if name and not steps:
            raise BadRequest(tr(NOTHING_TO_IMPORT))
        return await self._keep(name, steps, message)

    async def _contents(self, file: Attachment, message: InboundMessage) -> bytes:
        if file.size_bytes is not None and file.size_bytes > MOST_FILE_BYTES:
            raise BadRequest(tr(FILE_TOO_LARGE))
        try:
            return await self._platforms[message.ref.chat.platform].fetch(file, max_bytes=MOST_FILE_BYTES)
        except BadPicture as error:  # its words speak of pictures
            raise BadRequest(tr(FILE_GONE)) from error

    async def _named(self, text: str, message: InboundMessage) -> Recipe:
        name = name_in(text)
        recipe = await self._recipes.find(message.ref.chat, recipe_id(name)) if name else None
        if recipe is None:
            raise BadRequest(tr(NO_SUCH_RECIPE).format(name=_short(text)) if text.strip() else tr(NAME_NEEDED))
        return recipe

    async def _save(self, text: str, message: InboundMessage, target: MessageRecord | None) -> Told:
        target = target or await self._latest(message)
        if target is None or not target.shows:
            raise BadRequest(tr(NOTHING_TO_KEEP))
        return await self._keep(name_in(text), await self._steps(target), message)

    async def _keep(self, name: str, steps: tuple[Step, ...], message: InboundMessage) -> Told:
        if not name or name.casefold() in RESERVED:
            raise BadRequest(tr(NAME_NEEDED))
        if is_taken(name):
            raise BadRequest(tr(NAME_OF_PRESET).format(name=name))
        if not steps:
            raise BadRequest(tr(NOTHING_TO_KEEP))
        if too_much(steps):
            raise BadRequest(tr(TOO_MUCH))
        by = Person(message.author, message.author_name)
        # The same message that comes once more saves the same.
        recipe = Recipe(name, steps, by, message.ref.chat, message.created_at)
        if await self._recipes.save(recipe):
            return Told(tr(SAVED).format(name=name, steps=counted(steps)))
        standing = await self._recipes.find(recipe.chat, recipe.id)
        if standing is None:
            raise BadRequest(tr(TOO_MANY))
        # No error: what names somebody goes when they are forgotten.
        return Told(name_taken(name, standing.by.name), words_of=(standing.by.user,))

    async def _delete(self, text: str, message: InboundMessage) -> Told:
        recipe = await self._named(text, message)
        if recipe.by.user != message.author:
            return Told(not_yours(recipe.name, recipe.by.name), words_of=(recipe.by.user,))
        await self._recipes.delete(message.ref.chat, recipe.id)
        return Told(tr(DELETED).format(name=recipe.name))

    async def _list(self, message: InboundMessage) -> Told:
        recipes = await self._recipes.all(message.ref.chat)
        if not recipes:
            return Told(no_recipes())
        for_that = message.reply_to is not None or bool(message.attachments)
        return Told(
            listed([recipe.name for recipe in recipes], for_that=for_that),
            recipes=tuple((recipe.id, recipe.name) for recipe in recipes[:MOST_SHOWN]),
            words_of=tuple(dict.fromkeys(recipe.by.user for recipe in recipes)),
            on_picture=True,
        )

    async def _replay(self, message: InboundMessage, target: MessageRecord | None) -> Told:
        if target is None or not target.shows or not message.attachments:
            raise BadRequest(tr(OWN_PICTURE_NEEDED))
        steps = await self._steps(target)
        if not steps:
            raise BadRequest(tr(OWN_PICTURE_NEEDED))
        if too_much(steps):
            raise BadRequest(tr(TOO_MUCH))
        return Told(meant=_meant(steps, brought_only=True))

    # --- the way to a result

    async def _latest(self, message: InboundMessage) -> MessageRecord | None:
        latest = await self._messages.latest(message.ref.chat, message.author)
        return await self._messages.find(latest) if latest is not None else None

    async def _steps(self, target: MessageRecord) -> tuple[Step, ...]:
        """Raises `BadRequest` where some of them are not there any more, or would tell what is still voted on."""
        path: list[TurnStatus] = []
        id_: TurnId | None = target.shows[0].turn
        while id_ is not None and len(path) < _MOST_TURNS:
            status = await self._turns.load(id_)
            if status is None:
                break  # what is older than anything is kept
            contest = await self._contests.of_turn(status.turn)
            if contest is not None and contest.hides:
                raise BadRequest(tr(VOTE_OPEN))
            path.append(status)
            id_ = status.turn.parent
        steps = steps_to(path[::-1])
        if steps is None:
            raise BadRequest(tr(WORDS_TAKEN_BACK))
        return steps


def _preset(text: str, message: InboundMessage) -> Told:
    chosen = read_preset(text)
    if chosen is None:
        raise BadRequest(tr(NO_SUCH_PRESET).format(name=_short(text)))
    return _chosen(chosen, message)


def _chosen(chosen: Chosen, message: InboundMessage) -> Told:
    stands_on_nothing = message.reply_to is None and not message.attachments
    alone = words_alone(chosen) if stands_on_nothing else ""
    return Told(meant=Meant(words_of(chosen), wish_of(chosen), from_words=alone))


def _told(recipe: Recipe | None, gone: str) -> Told:
    if recipe is None:
        raise BadRequest(gone)
    return Told(meant=_meant(recipe.steps))


def _meant(steps: Sequence[Step], *, brought_only: bool = False) -> Meant:
    words, wish = words_in_one(steps), wish_in_one(steps)
    return Meant(words, wish, words_of=authors_of(steps), brought_only=brought_only)


def _short(text: str) -> str:
    said = " ".join(text.split())
    return said if len(said) <= _SHOWN_CHARS else said[: _SHOWN_CHARS - 1] + "…"
