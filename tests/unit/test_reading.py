"""What the evening's reader finds: what was said in English, and what was cut."""

from __future__ import annotations

import pytest

from bot.domain.language import tr
from tests.e2e.reading import Reading
from tests.pseudo import Apart, ApartAndLong, spoken_by_all


def reading(*texts: str, where: str = "sendMessage text") -> Reading:
    read = Reading()
    for text in texts:
        read.text(where, text)
    return read


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("Cancel", "Cancel"),
        ("⟦Cancel⟧ or not", "or not"),
        ("⟦For ⟧somebody⟦.⟧", "somebody"),
        ("⟦⟧⟦one⟧ and ⟦two⟧⟦⟧", "and"),
        ("make it winterly", "make it winterly"),
        ("/help shows this", "shows this"),
    ],
)
def test_what_stands_outside_of_brackets_is_english(text: str, english: str) -> None:
    assert reading(text).left(["make it winter"]) == [f"sendMessage text: “{english}” in “{text}”"]


def test_names_figures_commands_and_what_people_said_are_in_no_language() -> None:
    said = ("⟦For ⟧Anna⟦.⟧", "2K, ⟦up to ⟧8 ¢⟦⟧", "/help", "<@12> <t:34:R>", "make it winter", "⟦cut…")
    assert reading(*said).left(["Anna", "make it winter"]) == []


def test_what_is_put_into_a_sentence_is_read_as_well() -> None:
    with spoken_by_all(Apart()):
        said = tr("Made by {name}").format(name="somebody")
    assert reading(said).left([]) == ["sendMessage text: “somebody” in “⟦Made by ⟧somebody⟦⟧”"]


def test_words_that_end_before_their_sentence_does_were_cut() -> None:
    with spoken_by_all(ApartAndLong()):
        said = tr("Cancel")
    assert reading(said).cut() == []
    assert reading(said[:-3]).cut() == [f"sendMessage text was cut: “{said[:-3]}”"]
    assert reading(said[:-3], where="sendMessage reply_markup inline_keyboard text").cut() == []


def test_what_is_described_in_each_language_may_be_english_for_all_others() -> None:
    read = Reading()
    command = {"description": "What I can do", "description_localizations": {"de": "⟦What I can do⟧"}}
    read.all_of("PUT", [command, {"description": "What was used today"}], silent=frozenset())
    assert read.left([]) == ["PUT description: “What was used today” in “What was used today”"]
