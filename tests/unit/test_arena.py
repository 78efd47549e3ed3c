"""What an arena is made of: its sides, its votes, and what is said of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from bot.arena import Arena
from bot.domain.arena import (
    NO_TWO_MODELS,
    NO_WORDS_FOR_IT,
    SAME_SIDES,
    TWO_SIDES,
    Ballot,
    Choice,
    Match,
    Side,
    Tally,
    board_of,
    instructions_in,
    revealed,
    sides_of,
    vote_of,
)
from bot.domain.buttons import ButtonId, Verb, read_button_id
from bot.domain.errors import BadRequest
from bot.domain.refs import TurnId
from bot.domain.wishes import PLAIN_WISH, Form, Kind, Manner, read_wish
from bot.settings import Settings

TURN = TurnId("abcdefghijklmnop-qrstuvwxyz234567")
MODELS = ("one", "two")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("make it winter", ("make it winter",)),
        ("paint it red / paint it blue", ("paint it red", "paint it blue")),
        ("winter vs summer", ("winter", "summer")),
        ("winter VS. summer", ("winter", "summer")),
        ("make it winter\n\n make it summer ", ("make it winter", "make it summer")),
        ("cats vs dogs\nowls vs mice", ("cats vs dogs", "owls vs mice")),
        ("crop to 16/9", ("crop to 16/9",)),
        ("canvas shoes", ("canvas shoes",)),
        (" / make it winter", ("/ make it winter",)),
    ],
)
def test_words_have_one_instruction_or_two(words: str, parts: tuple[str, ...]) -> None:
    assert instructions_in(words) == parts


@pytest.mark.parametrize(
    ("words", "models", "said"),
    [
        ("a / b / c", MODELS, TWO_SIDES),
        ("Red / red", MODELS, SAME_SIDES),
        ("", MODELS, NO_WORDS_FOR_IT),
        ("red", ("one",), NO_TWO_MODELS),
    ],
)
def test_what_has_no_two_sides_is_said(words: str, models: tuple[str, ...], said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        sides_of(words, PLAIN_WISH, models)
    assert refused.value.words == said


def test_one_instruction_is_for_two_models_and_two_are_for_the_first_one() -> None:
    wish = read_wish("/arena make it winter", images=1).wish
    assert (wish.kind, wish.form, wish.count) == (Kind.EDIT, Form.ARENA, 2)
    assert sides_of("make it winter", wish, ("one", "two", "three")) == (Side("one", "", wish), Side("two", "", wish))
    first, second = sides_of('write "Hi" on it / surprise me in 16:9 in 4K', wish, MODELS)
    assert (first.model, first.words, first.wish.lettering) == ("one", 'write "Hi" on it', ("Hi",))
    assert (second.model, second.wish.manner, second.wish.ratio) == ("one", Manner.SURPRISE, "16:9")
    assert (second.wish.size, second.wish.form, second.wish.count) == ("", Form.ARENA, 2)


@pytest.mark.parametrize(
    ("tally", "winner"),
    [
        (Tally(a=2, b=1), Choice.A),
        (Tally(a=1, b=2, bad=2), Choice.B),
        (Tally(a=2, b=2), Choice.TIE),
        (Tally(a=1, b=1, tie=2), Choice.TIE),
        (Tally(a=2, b=1, bad=3), Choice.BAD),
        (Tally(tie=2, bad=2), Choice.TIE),
        (Tally(), Choice.TIE),
    ],
)
def test_most_votes_win(tally: Tally, winner: Choice) -> None:
    assert tally.winner is winner


def test_every_button_of_a_vote_fits_and_is_read_back() -> None:
    options = Ballot(TURN, 3).options
    assert [label for _, label in options] == ["A", "B", "Tie", "Both bad", "End the vote"]
    assert [vote_of(argument) for argument, _ in options] == [(each, TURN) for each in (*Choice, None)]
    buttons = [str(ButtonId(Verb.VOTE, argument=argument)) for argument, _ in options]
    assert all(len(each.encode()) <= 64 and read_button_id(each) is not None for each in buttons)


@pytest.mark.parametrize("argument", ["", "a", "a.", ".turn", "fly.turn", "A.turn", "turn"])
def test_what_is_no_vote_is_none(argument: str) -> None:
    assert vote_of(argument) is None


def test_the_end_tells_which_was_which_and_how_it_was_voted() -> None:
    models = revealed((Side("one"), Side("two")), "make it winter", Tally(a=3, b=1, bad=1))
    assert models == ("A was one, B was two.", "Votes: A 3, B 1, tie 0, both bad 1. A won. Reply to go on from it.")
    words = revealed((Side("one", "red"), Side("one", "blue")), "red / blue", Tally())
    assert words == ("A was “red”, B was “blue”.", "Nobody voted, so neither won.")


def matches(count: int, tally: Tally, models: tuple[str, str] = MODELS) -> list[Match]:
    return [Match(models, tally)] * count


def test_a_leaderboard_counts_each_arena_once_whichever_side_a_model_was_on() -> None:
    board = board_of([*matches(8, Tally(a=19)), *matches(4, Tally(b=1), ("two", "one")), *matches(3, Tally(tie=1))])
    assert board.rows[0].startswith("1. one: won 12 of 12 that had a winner, in 15 arenas; ")
    assert board.rows[0].endswith("between 76% and 100%")
    assert board.rows[1].startswith("2. two: won 0 of 12")
    (pair,) = board.pairs
    assert pair.startswith("one 12 · two 0 · equally good 3 · both bad 0. one won 12 of the 12 pairs")
    assert pair.endswith("so it does better on tasks like these.")


def test_few_votes_settle_nothing_and_are_said_so() -> None:
    board = board_of([*matches(3, Tally(a=1)), *matches(1, Tally(bad=2)), *matches(5, Tally())])
    assert (
        board.rows[0]
        == "1. one: won 3 of 3 that had a winner, in 4 arenas; its true share is somewhere between 44% and 100%"
    )
    assert "Too few to say. Only 3 pairs had a better side" in board.pairs[0]
    assert board_of(matches(2, Tally(tie=1), ("x", "y"))).rows == (
        "1. x: no winner yet in 2 arenas",
        "2. y: no winner yet in 2 arenas",
    )
    assert board_of([]).rows == ()


def configured(models: str) -> Settings:
    given: dict[str, Any] = {"arena_models": models}
    return Settings(**given)


@pytest.mark.parametrize("models", ["gemini-nano-banana-2.1", "gemini-nano-banana-2.1,another", "same,same"])
def test_an_arena_takes_two_of_the_models_that_are_set_up(models: str) -> None:
    with pytest.raises(ValidationError, match="name two models"):
        configured(models)
    given = configured("gemini-3.1-flash-lite-image,gemini-nano-banana-2.1")
    assert given.arena_models == ("gemini-3.1-flash-lite-image", "gemini-nano-banana-2.1")


class CountOnly:
    """An arena that is open."""

    async def voted(self, arena: TurnId) -> tuple[int, Tally | None]:
        return 1, None


async def test_a_vote_that_comes_just_when_the_last_one_has_been_shown_is_shown_too() -> None:
    shown: list[TurnId] = []
    twice = asyncio.Event()

    async def show(arena: TurnId) -> None:
        shown.append(arena)
        if len(shown) == 2:
            twice.set()
        else:  # it runs after the task's last step, and before anybody can be told that the task is done
            asyncio.get_running_loop().call_soon(rooms._show_beside, arena)

    store: Any = CountOnly()
    nothing: Any = None
    rooms = Arena(store=store, turns=nothing, contests=nothing, show=show, life_s=60)
    rooms._show_beside(TurnId("t"))
    async with asyncio.timeout(5):
        await twice.wait()
    await rooms.leave()
    assert shown == ["t", "t"]
