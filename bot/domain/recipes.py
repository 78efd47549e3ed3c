"""Recipes: what somebody asked for on the way to a result, kept under a name and done again on another picture.

A recipe holds words only. Nothing of any picture is in it, neither pixels nor names of files: whoever never wants their
pictures edited is in no recipe, however the result came about from which it was saved.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from bot.domain.errors import BadRequest
from bot.domain.files import TextFile
from bot.domain.formats import ratio_in
from bot.domain.language import N_, ngettext, pgettext, quoted, tr
from bot.domain.outcomes import HALL_QUESTIONS
from bot.domain.plain import plain_of
from bot.domain.presets import preset_named
from bot.domain.refs import ChatRef, Person, UserRef, short_hash
from bot.domain.turns import TurnState, TurnStatus
from bot.domain.wishes import PLAIN_WISH, Form, Kind, Wish, read_wish
from bot.domain.words import LARGER, joined

MOST_NAME_CHARS: Final = 40
MOST_STEPS: Final = 12
MOST_CHARS: Final = 2_000
"""All steps together."""
MOST_RECIPES: Final = 50
"""In one chat."""
MOST_SHOWN: Final = 20
"""So many can be tapped in a list; the names of the others are said."""

RESERVED: Final = frozenset({"save", "delete", "show", "import", "export"})

MOST_FILE_BYTES: Final = 16 * 1024
"""Of a file that a recipe is read from. One that is written is far below it."""

HOW: Final = N_(
    "Reply to a result with “/recipe save” and a name to keep the way to it. “/recipe” and its name in reply to a "
    "picture does the same there. /recipes lists them, “/recipe show” and “/recipe delete” do what they say."
)
HOW_AS_FILE: Final = N_("“/recipe export” gives one as a small file: sent to me in another chat, it is there, too.")
NO_RECIPES: Final = N_("There is no recipe in this chat yet.")
NO_SUCH_RECIPE: Final = N_("There is no recipe called “{name}” in this chat. /recipes lists those that there are.")
RECIPE_GONE: Final = N_("That recipe is not here any more.")
LISTED: Final = N_("The recipes of this chat. Tap one to do it on your last picture here.")
LISTED_FOR_THAT: Final = N_("The recipes of this chat. Tap one to do it on that picture.")
LISTED_TOO: Final = N_("There are these, too: {names}. “/recipe” and the name does them.")
SAVED: Final = N_(
    "Saved as “{name}” for everybody in this chat, {steps}. “/recipe {name}” in reply to a picture does it."
)
DELETED: Final = N_("The recipe “{name}” is deleted.")
NOT_YOURS: Final = N_("Only {saver}, who saved it, can delete “{name}”.")
SOMEBODYS: Final = N_("Only somebody else, who saved it, can delete “{name}”.")
NAME_TAKEN: Final = N_("{saver} saved another recipe as “{name}” here. Please choose another name.")
TAKEN_BY_SOMEBODY: Final = N_("Somebody else saved another recipe as “{name}” here. Please choose another name.")
NAME_OF_PRESET: Final = N_("“{name}” is the name of a preset. Please choose another one.")
NAME_NEEDED: Final = N_("Please give it a name of at most 40 characters: /recipe save Winter look")
NOTHING_TO_KEEP: Final = N_("Reply to a result of mine with “/recipe save” and a name: there is no way to keep here.")
WORDS_TAKEN_BACK: Final = N_("Some of what was asked on the way was deleted, so it can't be kept or done again.")
TOO_MUCH: Final = N_("That is more than a recipe holds: 12 steps, 2,000 characters together.")
TOO_MANY: Final = N_("There are 50 recipes in this chat already. Delete one first.")
NOTHING_TO_IMPORT: Final = N_("Send the name and the steps, as “/recipe show” gives them.")
SHARE_HINT: Final = N_("Send these lines in another chat to have it there, too.")
EXPORTED: Final = N_("Here is “{name}”, {steps}. Send me this file in another chat to have it there, too.")
FILE_TOO_LARGE: Final = N_("A recipe's file has at most 16 KB, and this one is larger.")
FILE_GONE: Final = N_("I couldn't get that file. Please send it once more.")
FILE_NOT_READ: Final = N_("I can't read a recipe in that file. Perhaps it was changed on its way.")
FILE_TOO_NEW: Final = N_("That recipe's file was made by a newer version than mine, so I can't read it yet.")
FILE_WITHOUT_NAME: Final = N_(
    "The recipe in that file has no name of at most 40 characters. Send it with “/recipe import” and a name."
)
FILE_WITHOUT_STEPS: Final = N_("There are no steps in that file, so there is nothing to keep.")
OWN_PICTURE_NEEDED: Final = N_("Reply to a result of mine with /replay, and send your own picture along.")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction. `authors` are those whose words it is."""

    words: str
    authors: tuple[UserRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """Seen and used by everybody in its chat, and nowhere else. `saved_at` in seconds since the epoch."""

    name: str
    steps: tuple[Step, ...]
    by: Person
    chat: ChatRef
    saved_at: float = 0.0

    @property
    def id(self) -> str:
        """Names that differ in case or width alone are the same. 12 characters of [a-z2-7]."""
        return recipe_id(self.name)

    @property
    def people(self) -> frozenset[UserRef]:
        """Everybody whose words it holds."""
        return frozenset([self.by.user, *authors_of(self.steps)])


def recipe_id(name: str) -> str:
    """What the recipe of that name is kept as, within its chat."""
    return short_hash("recipe", unicodedata.normalize("NFKC", name).casefold())[:12]


def authors_of(steps: Iterable[Step]) -> tuple[UserRef, ...]:
    """Each once."""
    return tuple(dict.fromkeys(author for step in steps for author in step.authors))


def name_in(text: str) -> str:
    """A name as it was written, without quotation marks, line breaks and letters that nobody sees; empty where there is
    none, or it is too long."""
    seen = "".join(" " if letter.isspace() else letter for letter in text if _is_seen(letter))
    name = " ".join(seen.split()).strip(_QUOTES).strip()
    return name if len(name) <= MOST_NAME_CHARS else ""


def is_taken(name: str) -> bool:
    """Whether a preset is called so."""
    return preset_named(name) is not None


# --- from a result to steps


def steps_to(path: Sequence[TurnStatus]) -> tuple[Step, ...] | None:
    """What was asked on a path, in order, from its beginning. None where words on it were taken back.

    What changed nothing is no step, nor is what made the first picture from words: there is another one then."""
    steps: list[Step] = []
    for place, status in enumerate(path):
        turn = status.turn
        if status.erased or _was_unsaid(status):
            return None
        if not _is_step(status) or _was_done_again(path, place):
            continue
        authors = tuple(dict.fromkeys([turn.words_by or turn.author, *turn.words_of]))
        for words in steps_in(turn.own_words) or (turn.own_words,):
            steps.append(Step(_with_shape(" ".join(words.split()), turn.wish), authors))
    return tuple(steps)


def _is_step(status: TurnStatus) -> bool:
    """A picture came of it; or the model asked back, and the next words answer that."""
    turn, outcome = status.turn, status.outcome
    if outcome is None or not turn.instruction.strip() or turn.wish.kind is not Kind.EDIT or outcome.nodes:
        return False
    if turn.instruction == LARGER:
        return False
    if status.state is TurnState.ASKING:
        return not outcome.code.startswith(HALL_QUESTIONS)
    return status.state is TurnState.DONE and bool(outcome.images)


def _was_unsaid(status: TurnStatus) -> bool:
    """A picture stands there, and the words are gone."""
    made = status.state is TurnState.DONE and status.outcome is not None and bool(status.outcome.images)
    return made and not status.turn.instruction.strip()


def _was_done_again(path: Sequence[TurnStatus], place: int) -> bool:
    """Whether the turn below follows the same words: with all before, on the original; or as the next panel."""
    turn, below = path[place].turn, path[place + 1].turn if place + 1 < len(path) else None
    if below is None or below.instruction != turn.instruction:
        return False
    return below.wish.from_original or (bool(turn.album) and turn.album == below.album)


def _with_shape(words: str, wish: Wish) -> str:
    """The words say all: a shape that came with a preset, too."""
    if not wish.ratio or ratio_in(plain_of(words)) == wish.ratio:
        return words
    return f"{words} Make it {wish.ratio}." if words.endswith(".") else f"{words}, make it {wish.ratio}"


def too_much(steps: Sequence[Step]) -> bool:
    """Whether that is more than a recipe holds."""
    return len(steps) > MOST_STEPS or sum(len(step.words) for step in steps) > MOST_CHARS


# --- from steps to an edit


def words_in_one(steps: Sequence[Step]) -> str:
    """All steps as one instruction, numbered where there are several."""
    if len(steps) == 1:
        return read_wish(steps[0].words, images=1).words
    return "\n".join(f"{number}. {step.words}" for number, step in enumerate(steps, 1))


def wish_in_one(steps: Sequence[Step]) -> Wish:
    """What the steps wish for beyond their words, done at once: the last that says so decides. Only a last step makes
    several pictures."""
    if not steps:
        return PLAIN_WISH
    wishes = [read_wish(step.words, images=1).wish for step in steps]
    if len(wishes) == 1:
        return replace(wishes[0], from_original=False)
    last = wishes[-1]
    return replace(
        last,
        kind=Kind.EDIT,
        form=last.form,
        count=last.count if last.form is not Form.ONE else 1,
        ratio=next((wish.ratio for wish in reversed(wishes) if wish.ratio), ""),
        size=next((wish.size for wish in reversed(wishes) if wish.size), ""),
        transparent=any(wish.transparent for wish in wishes),
        lettering=tuple(dict.fromkeys(text for wish in wishes for text in wish.lettering)),
        from_original=False,
        drawn=False,
    )


# --- as text that can be forwarded


def counted(steps: Sequence[Step]) -> str:
    """How many they are."""
    # TRANSLATORS: in "Saved as “Winter” for everybody in this chat, 3 steps."
    return ngettext("1 step", "{count} steps", len(steps)).format(count=len(steps))


def no_recipes() -> str:
    return joined(tr(NO_RECIPES), tr(HOW))


def name_taken(name: str, saver: str) -> str:
    """`saver` is empty where nothing is known of them."""
    return tr(NAME_TAKEN if saver else TAKEN_BY_SOMEBODY).format(name=name, saver=saver)


def not_yours(name: str, saver: str) -> str:
    """The same, of one that is to be deleted."""
    return tr(NOT_YOURS if saver else SOMEBODYS).format(name=name, saver=saver)


def listed(names: Sequence[str], *, for_that: bool) -> str:
    """What stands over a list of recipes; `for_that` picture that is replied to, or the last one here."""
    comma = pgettext("between names", ", ")
    rest = comma.join(quoted(name) for name in names[MOST_SHOWN:])
    return joined(tr(LISTED_FOR_THAT if for_that else LISTED), tr(LISTED_TOO).format(names=rest) if rest else "")


def exported(recipe: Recipe) -> str:
    """What takes it to another chat: the command that has it there, and a hint behind an empty line."""
    lines = [f"{number}. {step.words}" for number, step in enumerate(recipe.steps, 1)]
    return "\n".join([f"/recipe import {recipe.name}", *lines, "", tr(SHARE_HINT)])


def imported(text: str, by: UserRef) -> tuple[str, tuple[Step, ...]]:
    """The name and the steps of what stands behind “/recipe import”. They are the words of whoever sends them. Either
    may be empty. Reads any text."""
    first, _, rest = text.strip().partition("\n")
    body, _, _ = rest.strip().partition("\n\n")
    words = steps_in(body) or tuple(line.strip() for line in body.split("\n") if line.strip())
    return name_in(first), tuple(Step(" ".join(each.split()), (by,)) for each in words)


# --- as a file

_FORMAT, _VERSION = "recipe", 1
_ENDING: Final = ".recipe.json"
_NAMED: Final = re.compile(r"\.recipe[ _()\d-]{0,8}\.json", re.IGNORECASE)
"""Also as browsers and platforms name the second of one name: “look.recipe (1).json”."""


def is_recipe_file(filename: str) -> bool:
    """Whether a file's name says that it holds a recipe."""
    found = _NAMED.search(filename)
    return found is not None and found.end() == len(filename)


def file_of(recipe: Recipe) -> TextFile:
    """What takes it anywhere: its name and its steps, and nothing of who, where and when."""
    plain = unicodedata.normalize("NFKD", recipe.name).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain)) or "remixbot"
    content = {"remixbot": _FORMAT, "version": _VERSION, "name": recipe.name}
    steps = [step.words for step in recipe.steps]
    return TextFile(slug + _ENDING, json.dumps({**content, "steps": steps}, ensure_ascii=False, indent=1) + "\n")


def read_file(data: bytes, by: UserRef) -> tuple[str, tuple[Step, ...]]:
    """The name and the steps of such a file. They are the words of whoever sends it. What it has beside them is passed
    over. The name may be empty. Raises `BadRequest`; reads any bytes."""
    if len(data) > MOST_FILE_BYTES:
        raise BadRequest(tr(FILE_TOO_LARGE))
    try:
        found: Any = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):  # no UTF-8, no JSON, a number of thousands of digits, or without a bottom
        raise BadRequest(tr(FILE_NOT_READ)) from None
    content = cast(dict[str, Any], found) if isinstance(found, dict) else {}
    version: Any = content.get("version")
    if content.get("remixbot") != _FORMAT or not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BadRequest(tr(FILE_NOT_READ))
    if version > _VERSION:
        raise BadRequest(tr(FILE_TOO_NEW))
    name, steps = content.get("name"), content.get("steps")
    if not isinstance(name, str) or not isinstance(steps, list):
        raise BadRequest(tr(FILE_NOT_READ))
    given: list[Any] = steps  # pyright: ignore[reportUnknownVariableType]
    if not all(isinstance(each, str) for each in given):
        raise BadRequest(tr(FILE_NOT_READ))
    said = [_one_line(each) for each in given]
    if not any(said):
        raise BadRequest(tr(FILE_WITHOUT_STEPS))
    return name_in(name), tuple(Step(words, (by,)) for words in said if words)


def _one_line(text: str) -> str:
    """Without line breaks, and without letters that nobody sees; halves of letters are among them."""
    return " ".join("".join(letter for letter in text if _is_seen(letter)).split())


def steps_in(text: str) -> tuple[str, ...]:
    """The words behind the numbers of a list that counts from 1, one a line. Empty where it is none."""
    found: list[str] = []
    for line in text.strip().split("\n"):
        match = _NUMBERED.match(line)
        if match is None or int(match[1]) != len(found) + 1:
            return ()
        found.append(match[2].strip())
    return tuple(found)


_NUMBERED = re.compile(r"\s*([0-9]{1,2})[.)．、]\s*(\S.*)")
_QUOTES = "\"'“”„‘’«»「」"


def _is_seen(letter: str) -> bool:
    """Not a control character, and nothing that turns the direction of what stands behind it."""
    return letter.isspace() or letter in "\u200d\u200c" or unicodedata.category(letter) not in ("Cc", "Cf", "Co", "Cs")
