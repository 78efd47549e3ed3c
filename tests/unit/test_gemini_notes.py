"""What is taken from the model's words beside the remark: hostile, badly formed, or missing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.wishes import MOST_PANELS
from bot.engines.gemini.notes import (
    CHOICE_CHARS,
    MOST_OPTIONS,
    MOST_SUGGESTIONS,
    PANEL_CHARS,
    QUESTION_CHARS,
    Notes,
    notes_of,
    shortened,
)

AS_ASKED = """Here it is, with the moon over the harbour.
NEXT: Add lights to the boats
NEXT: Make it foggy
NEXT: Warmer colours"""


def test_next_edits_are_taken_from_the_end_and_the_rest_is_the_remark() -> None:
    assert notes_of(AS_ASKED) == Notes(
        "Here it is, with the moon over the harbour.",
        ("Add lights to the boats", "Make it foggy", "Warmer colours"),
    )


def test_a_question_comes_with_its_answers() -> None:
    said = "ASK: Which of the two should go?\nOPTION: The man on the left\nOPTION: The man on the right\nOPTION: Both"
    assert notes_of(said) == Notes(
        question="Which of the two should go?", options=("The man on the left", "The man on the right", "Both")
    )


def test_a_plan_is_in_the_order_of_its_numbers() -> None:
    said = "PANEL 2: He finds a lantern.\nPANEL 1: A fox sets out.\nPANEL 3: Home again."
    assert notes_of(said).plan == ("A fox sets out.", "He finds a lantern.", "Home again.")


def test_a_panel_that_was_left_out_keeps_its_place() -> None:
    assert notes_of("PANEL 1: A fox.\nPANEL 3: Home.").plan == ("A fox.", "", "Home.")


def test_panels_without_numbers_count_by_themselves() -> None:
    assert notes_of("PANEL: A fox.\nPANEL: A lantern.").plan == ("A fox.", "A lantern.")


def test_of_two_lines_for_one_panel_the_first_counts() -> None:
    assert notes_of("PANEL 1: A fox.\nPANEL 1: A bear.").plan == ("A fox.",)


def test_of_too_many_the_first_are_kept() -> None:
    numbers = [f"number {number}" for number in range(1, 12)]
    said = "\n".join(f"NEXT: {each}\nOPTION: {each}\nPANEL: {each}" for each in numbers)
    notes = notes_of(said)
    assert notes.suggestions == tuple(numbers[:3])
    assert notes.options == tuple(numbers[:4])
    assert notes.plan == tuple(numbers[:8])


@pytest.mark.parametrize(
    "said",
    [
        "- NEXT: Add snow\n- NEXT: Make it night",
        "* **NEXT:** Add snow\n* **NEXT:** Make it night",
        "**NEXT**: Add snow.\n**NEXT** : “Make it night”",
        "1. NEXT: Add snow\n2. NEXT: Make it night",
        "NEXT 1: Add snow\nNEXT 2: Make it night",
        "Next: Add snow\nnext: `Make it night`",
        "NEXT\u202f:\u00a0Add snow\nNEXT：Make it night",
        "NEXT - Add snow\nNEXT – Make it night",
        "NEXT:\n- Add snow\n- **Make it night**",
        "NEXT: Add snow | Make it night",
        "NEXT: Add snow NEXT: Make it night",
        "```\nNEXT: Add snow\nNEXT: Make it night\n```",
        "NEXT: Add snow\r\nNEXT: Make it night\u2028",
        "### NEXT: Add snow\n> NEXT: Make it night",
        "NEXT: Add snow\nNEXT: add snow\nNEXT: …\nNEXT:\nNEXT: [Make it night]",
    ],
)
def test_notes_are_found_however_they_are_dressed(said: str) -> None:
    assert notes_of(said) == Notes(suggestions=("Add snow", "Make it night"))


@pytest.mark.parametrize(
    "said",
    [
        "Next time a darker sky would help.",
        "Next - we could try a darker sky.",
        'The sign now reads "NEXT: EXIT 5".',
        "Ask me for more.",
        "I kept 2 * 3 * 4 and snake_case_names as they are.",
    ],
)
def test_what_only_looks_like_a_note_stays_in_the_remark(said: str) -> None:
    assert notes_of(said) == Notes(said)


@pytest.mark.parametrize(
    "lure",
    [
        "Go to https://evil.example/x",
        "See [this](http://evil.example)",
        "Visit evil.com now",
        "www.evil",
        "@everyone look",
        "/forget",
        '"/forget"',
        "x" * (CHOICE_CHARS + 1),
        "Open tg://resolve",
    ],
)
def test_a_press_never_says_an_address_a_mention_a_command_or_a_speech(lure: str) -> None:
    assert notes_of(f"NEXT: {lure}\nNEXT: Add snow").suggestions == ("Add snow",)


def test_a_remark_is_plain_text_without_links() -> None:
    said = "# Done\n\n**Two** things, *see* [the page](https://a.example/b) or <https://c.example>:\n- `one`\n* two"
    assert notes_of(said).remark == "Done\nTwo things, see the page or …:\n• one\n• two"


def test_nothing_hidden_comes_through() -> None:
    notes = notes_of("Fine\u202e\u200b\x00 so\ufeff\nNEXT: Add\x07 \U000e0041snow\nASK: Wh\u2066o?")
    assert notes == Notes("Fine so", ("Add snow",), "Who?")


def test_family_emoji_and_persian_keep_their_joiners() -> None:
    said = "👩‍👩‍👧 می‌خواهم"
    assert notes_of(said).remark == said


WORDS = st.text(st.characters(codec=None), max_size=60)
LINE = st.tuples(
    st.sampled_from(["", "- ", "**", "1. ", "> ", "```", "\u202e"]),
    st.sampled_from(["NEXT", "next", "ASK", "OPTION", "PANEL 1", "PANEL 99", "Panel", "N\u0130XT", "A\u017fK", ""]),
    st.sampled_from([":", "：", " :", ":** ", " - ", ""]),
    WORDS | st.sampled_from(["Add snow", "https://a.b/c", "[a](b)", "|||", "x " * 300, "NEXT: NEXT:"]),
).map("".join)


def is_plain_line(text: str) -> bool:
    return not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text)


@given(st.lists(LINE, max_size=40).map("\n".join))
@example("PANEL 99: a\nPANEL: b\nPANEL 8: c")
@example("*" * 2_000 + "\nNEXT: " + "[" * 2_000)
def test_whatever_is_said_the_limits_hold(said: str) -> None:
    notes = notes_of(said)
    assert len(notes.suggestions) <= MOST_SUGGESTIONS
    assert len(notes.options) <= MOST_OPTIONS
    assert len(notes.plan) <= MOST_PANELS
    assert len(notes.question) <= QUESTION_CHARS
    assert all(0 < len(choice) <= CHOICE_CHARS for choice in (*notes.suggestions, *notes.options))
    assert all(len(words) <= PANEL_CHARS for words in notes.plan)
    assert all(map(is_plain_line, (*notes.suggestions, *notes.options, *notes.plan, notes.question)))
    assert all(map(is_plain_line, notes.remark.split("\n")))
    assert not any("://" in choice for choice in (*notes.suggestions, *notes.options))


@given(
    st.lists(st.sampled_from(["[", "*", "_", "`", "NEXT:", " ", "\n", "http://", "a", "- ", "0.", "]("]), max_size=30)
)
def test_a_text_of_repeated_marks_is_read_all_the_same(marks: list[str]) -> None:
    assert len(notes_of("".join(marks) * 300).suggestions) <= MOST_SUGGESTIONS


@given(WORDS)
def test_words_without_notes_are_all_remark(words: str) -> None:
    assert notes_of(words.replace(":", "").replace("-", "")).suggestions == ()


def test_a_text_is_cut_between_words_and_a_single_word_within() -> None:
    assert shortened("one two three", 10) == "one two…"
    assert shortened("a" * 20, 10) == "a" * 9 + "…"
