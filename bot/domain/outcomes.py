"""How a turn ends that ran into an error."""

from __future__ import annotations

from bot.domain.errors import EngineFailed, EngineRefused, NotUnderstood, RemixError
from bot.domain.turns import Outcome, TurnState, Usage

PICTURE_OR_WORDS, WHICH_PICTURE = "picture_or_words", "which_picture"
PICTURE_QUESTIONS = frozenset({PICTURE_OR_WORDS, WHICH_PICTURE})
"""Codes of what is asked back where words came without any picture."""
ASKS_FOR_WORDS = "no_words"
"""Code of what is asked back where pictures came without any words."""
PRESETS, RECIPES = "presets", "recipes"
SHEETS = frozenset({PRESETS, RECIPES})
"""Codes of answers to choose from. They stand for the pictures that they were asked about."""
COMMAND_NAMES = frozenset(
    {
        "help",
        "settings",
        "start",
        "usage",
        "tree",
        "leaderboard",
        "cast",
        "taste",
        "mine",
        "withdraw",
        "withdraw_asks",
        "verify",
        PRESETS,
        RECIPES,
        "recipe",
    }
)
"""Codes of answers to commands."""
SHEET = "cast"
"""Code of the answer that shows a chat's cast: other people's pictures, of which nothing is made from there."""
NO_RESULTS = SHEETS | {SHEET}
"""Codes of answers whose picture is drawn to choose from: it is nobody's result."""
UNDO = "undo"
"""Code of a step back: what the turn before was made from is shown once more."""
ONE_OR_ALL = "one_or_all:"
"""How the code of a question begins that asks whether one picture or all are meant; its number and how many there are
follow ("2/3")."""
A_OR_B = "a_or_b"
"""Code of the question which one of an arena without a winner is meant."""
SIZE_QUESTION = "size:"
"""How the code of a question begins that asks which size it shall be; the size follows."""
HALL_QUESTIONS = (PICTURE_OR_WORDS, WHICH_PICTURE, ONE_OR_ALL, SIZE_QUESTION, ASKS_FOR_WORDS)
"""How the codes of questions begin that are asked before anything is done."""


def outcome_of(error: RemixError) -> Outcome:
    """Refused where trying again cannot help, failed where it may. What it cost all the same is counted."""
    failed = error.retryable or (isinstance(error, EngineFailed) and not isinstance(error, EngineRefused))
    return Outcome(
        TurnState.FAILED if failed else TurnState.REFUSED,
        code=error.code,
        words=error.words,
        usage=Usage(error.cost_microusd, calls=error.calls) if isinstance(error, EngineFailed) else Usage(),
        suggestions=error.suggestions if isinstance(error, NotUnderstood) else (),
    )


def added(first: Usage, second: Usage) -> Usage:
    """Both together. The model is the second's, where it names one."""
    return Usage(
        first.cost_microusd + second.cost_microusd,
        first.input_tokens + second.input_tokens,
        first.output_tokens + second.output_tokens,
        second.model or first.model,
        first.calls + second.calls,
    )
