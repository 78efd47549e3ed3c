"""Recipes: from a path to steps, from steps to one edit, and as text."""

from __future__ import annotations

import contextlib
import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import BadRequest
from bot.domain.recipes import (
    FILE_NOT_READ,
    FILE_TOO_LARGE,
    FILE_TOO_NEW,
    FILE_WITHOUT_STEPS,
    MOST_CHARS,
    MOST_FILE_BYTES,
    MOST_SHOWN,
    MOST_STEPS,
    Recipe,
    Step,
    exported,
    file_of,
    imported,
    is_recipe_file,
    is_taken,
    listed,
    name_in,
    read_file,
    recipe_id,
    steps_in,
    steps_to,
    too_much,
    wish_in_one,
    words_in_one,
)
from bot.domain.refs import Person
from bot.domain.turns import Outcome, Turn, TurnState, TurnStatus
from bot.domain.wishes import Form, Kind, Wish
from bot.domain.words import LARGER
from bot.engines.exact import ExactEngine
from tests.values import ANNA, BEN, CHAT, done, turn


def made(words: str, *, outcome: Outcome | None = None, by: Turn | None = None, **changes: object) -> TurnStatus:
    outcome = outcome or done()
    one = replace(by or turn(instruction=words), instruction=words, **changes)  # type: ignore[arg-type]
    return TurnStatus(one, outcome.state, outcome)


def said(*path: TurnStatus) -> list[str] | None:
    steps = steps_to(path)
    return None if steps is None else [step.words for step in steps]


def steps(*words: str) -> list[Step]:
    return [Step(each, (ANNA,)) for each in words]


def test_a_path_becomes_its_instructions_with_whose_words_they_are() -> None:
    found = steps_to([made("make it\n winter"), made("add a hat", by=turn(author=BEN))])
    assert found == (Step("make it winter", (ANNA,)), Step("add a hat", (BEN,)))


def test_what_changed_nothing_is_no_step() -> None:
    refused = made("nonsense", outcome=Outcome(TurnState.REFUSED))
    asked = made("in 4K", outcome=Outcome(TurnState.ASKING, code="size:4K"))
    undone = made("", outcome=Outcome(TurnState.DONE, code="undo"))
    assert said(made("make it winter"), refused, asked, undone, made(LARGER)) == ["make it winter"]


def test_what_the_model_asked_back_about_is_kept_with_its_answer() -> None:
    asked = made("make a poster", outcome=Outcome(TurnState.ASKING, words="Which title?"))
    assert said(asked, made("Summer Fair")) == ["make a poster", "Summer Fair"]


def test_the_drawing_from_words_at_the_beginning_is_left_out() -> None:
    assert said(made("draw a fox", wish=Wish(kind=Kind.IMAGINE)), made("make it winter")) == ["make it winter"]


def test_what_was_done_again_on_the_original_is_one_step() -> None:
    again = made("add a hat", wish=Wish(from_original=True))
    assert said(made("make it winter"), made("add a hat"), again) == ["make it winter", "add a hat"]


def test_there_is_no_recipe_where_words_on_the_way_were_taken_back() -> None:
    erased = replace(made("make it winter"), erased=True)
    assert said(erased, made("add a hat")) is None
    assert said(made(""), made("add a hat")) is None


def test_a_shape_that_came_with_a_preset_is_said_in_the_words() -> None:
    (step,) = steps_to([made("Make it a figurine.", wish=Wish(ratio="4:5"))]) or ()
    assert step.words == "Make it a figurine. Make it 4:5."
    assert wish_in_one([step]).ratio == "4:5"


def test_a_replayed_recipe_gives_its_steps_again() -> None:
    replayed = made("1. make it winter\n2. add a hat", words_of=(BEN,))
    assert steps_to([replayed]) == (Step("make it winter", (ANNA, BEN)), Step("add a hat", (ANNA, BEN)))


def test_several_steps_are_one_numbered_instruction() -> None:
    assert words_in_one(steps("make it winter", "add a hat")) == "1. make it winter\n2. add a hat"
    assert words_in_one(steps("make it winter")) == "make it winter"


def test_the_wishes_of_all_steps_hold_together() -> None:
    wish = wish_in_one(steps("make it 16:9", "write “Open” on the sign", "start from the original and add a hat"))
    assert (wish.ratio, wish.lettering, wish.from_original, wish.form) == ("16:9", ("Open",), False, Form.ONE)
    assert wish_in_one(steps("make it winter", "4 variations")).count == 4
    assert wish_in_one(steps("4 variations", "make it winter")).count == 1


def test_a_recipe_of_exact_steps_is_understood_as_one_chain() -> None:
    exact = ExactEngine()
    chain = words_in_one(steps("crop to a square", "rotate 90 degrees and make it black and white", "blur it"))
    assert exact.read(chain, images=1).whole
    assert not exact.read(words_in_one(steps("crop to a square", "make it winter")), images=1).whole
    assert not exact.read("3. crop to a square\n4. rotate 90 degrees", images=1).whole


@pytest.mark.parametrize("name", ["Winter look", "冬の庭", "зимовий вигляд", "“Ben’s” best"])
def test_what_is_exported_is_imported_as_the_same_steps(name: str) -> None:
    recipe = Recipe(name_in(name), tuple(steps("make it winter", "write “1. Mai” on it")), Person(ANNA, "Anna"), CHAT)
    text = exported(recipe)
    got, found = imported(text.removeprefix("/recipe import"), BEN)
    assert (got, [each.words for each in found]) == (recipe.name, ["make it winter", "write “1. Mai” on it"])
    assert {each.authors for each in found} == {(BEN,)}
    assert "anna" not in text.lower()


def test_what_is_no_list_is_imported_line_by_line() -> None:
    assert [each.words for each in imported("Look\nmake it winter\nadd a hat", BEN)[1]] == [
        "make it winter",
        "add a hat",
    ]
    assert imported("", BEN) == ("", ())
    assert imported("Look", BEN) == ("Look", ())
    assert steps_in("2. second\n3. third") == ()


def test_a_name_has_any_script_and_nothing_that_nobody_sees() -> None:
    assert name_in(" “Winter\u202e\n look” ") == "Winter look"
    assert name_in("x" * 41) == ""
    assert recipe_id("Winter Look") == recipe_id("winter look") == recipe_id("ｗinter look")
    assert recipe_id("winter look") != recipe_id("winter looks")
    assert [is_taken(name) for name in ("Figurine", "ポスター", "my figurine")] == [True, True, False]


def test_a_long_list_names_what_cannot_be_tapped() -> None:
    names = [f"look {number}" for number in range(MOST_SHOWN + 2)]
    assert "“look 20”, “look 21”" in listed(names, for_that=False)
    assert "too" not in listed(names[:MOST_SHOWN], for_that=True)


def test_a_recipe_is_bounded() -> None:
    assert not too_much(steps(*["x"] * MOST_STEPS))
    assert too_much(steps(*["x"] * (MOST_STEPS + 1)))
    assert too_much(steps("x" * MOST_CHARS, "y"))


def test_a_recipe_holds_words_and_nothing_of_any_picture() -> None:
    assert {field.name for field in fields(Recipe)} == {"name", "steps", "by", "chat", "saved_at"}
    assert {field.name for field in fields(Step)} == {"words", "authors"}


# --- as a file


def in_file(**changes: Any) -> bytes:
    whole = {"remixbot": "recipe", "version": 1, "name": "Look", "steps": ["make it winter"]}
    return json.dumps(whole | changes).encode()


@pytest.mark.parametrize("name", ["Winter look", "冬", "O'Brien “x” \\ /", "ü" * 40])
def test_a_recipe_in_a_file_is_read_as_the_same_steps_of_whoever_brings_it(name: str) -> None:
    recipe = Recipe(
        name, (Step("crop to 3:2", (ANNA,)), Step('write "Привіт" 🐈 on it', (BEN,))), Person(ANNA, "Anna"), CHAT
    )
    file = file_of(recipe)
    assert is_recipe_file(file.name)
    assert file.name.isascii()
    assert read_file(file.data, BEN) == (name, tuple(Step(each.words, (BEN,)) for each in recipe.steps))
    assert set(json.loads(file.text)) == {"remixbot", "version", "name", "steps"}
    for hidden in (ANNA.user, "Anna", CHAT.chat, CHAT.key):
        assert hidden not in file.text


def test_the_largest_recipe_there_is_can_be_read_from_its_file() -> None:
    recipe = Recipe(
        "x" * 40, tuple(Step("\x01" * (MOST_CHARS // MOST_STEPS)) for _ in range(MOST_STEPS)), Person(ANNA), CHAT
    )
    assert len(file_of(recipe).data) <= MOST_FILE_BYTES


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("look.recipe.json", True),
        ("Look.RECIPE.JSON", True),
        ("look.recipe (1).json", True),
        ("look.recipe_1.json", True),
        ("look.json", False),
        ("look.recipe.json.exe", False),
        ("recipe.json", False),
        ("look.recipe.json\n", False),
    ],
)
def test_a_recipes_file_is_known_by_its_name(name: str, is_one: bool) -> None:
    assert is_recipe_file(name) is is_one


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", FILE_NOT_READ),
        (b"\xff\xfe", FILE_NOT_READ),
        (b"not json", FILE_NOT_READ),
        (b"[" * 16_000, FILE_NOT_READ),
        (b"[]", FILE_NOT_READ),
        (b"null", FILE_NOT_READ),
        (b"1" * 16_000, FILE_NOT_READ),
        (b'{"steps": ["x"]}', FILE_NOT_READ),
        (in_file(remixbot="taste"), FILE_NOT_READ),
        (in_file(version="1"), FILE_NOT_READ),
        (in_file(version=True), FILE_NOT_READ),
        (in_file(version=0), FILE_NOT_READ),
        (in_file(version=2, steps=7), FILE_TOO_NEW),
        (in_file(name=["Look"]), FILE_NOT_READ),
        (in_file(steps="make it winter"), FILE_NOT_READ),
        (in_file(steps=["make it winter", 7]), FILE_NOT_READ),
        (in_file(steps=[["make it winter"]]), FILE_NOT_READ),
        (in_file(steps=[]), FILE_WITHOUT_STEPS),
        (in_file(steps=[" ", "\u202e\n"]), FILE_WITHOUT_STEPS),
        (b" " * (MOST_FILE_BYTES + 1), FILE_TOO_LARGE),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_file(data, ANNA)
    assert refused.value.words == said


def test_what_nobody_knows_is_passed_over_and_what_nobody_sees_is_left_out() -> None:
    steps = ["make\nit\u202e winter\ud800", "", "add\x00 a hat"]
    data = in_file(name="Lo\u200eok\ud800", steps=steps, author="Eve", chat={"id": 1})
    assert read_file(b"\xef\xbb\xbf" + data, ANNA) == (
        "Look",
        (Step("make it winter", (ANNA,)), Step("add a hat", (ANNA,))),
    )
    assert read_file(in_file(name="x" * 41), ANNA)[0] == ""


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.binary() | st.builds(lambda fields: in_file(**fields), st.dictionaries(
    st.sampled_from(["remixbot", "version", "name", "steps"]), _json)))  # fmt: skip
def test_whatever_a_file_holds_it_is_read_or_refused(data: bytes) -> None:
    name, found = "", tuple[Step, ...]()
    with contextlib.suppress(BadRequest):
        name, found = read_file(data, ANNA)
    assert len(name) <= 40
    said = "".join([name, *(step.words for step in found)])
    assert said.encode().decode() == said
