"""The pure core: ids, stories, labels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.images import Provenance
from bot.domain.labels import Label, label_for, label_line
from bot.domain.refs import (
    ChatRef,
    MessageRef,
    UserRef,
    message_ref_of,
    short_hash,
    thread_id_of,
    thread_of,
    turn_id_of,
)
from bot.domain.story import MAX_LINE_CHARS, MAX_LINES, MAX_PINNED, is_standing_wish, story_after
from bot.domain.turns import Story, StoryLine

AI_LEVELS = (Provenance.UNKNOWN, Provenance.AI_EDITED, Provenance.AI_GENERATED)
provenances = st.lists(st.sampled_from(AI_LEVELS), max_size=5)
words = st.text(min_size=1, max_size=40)


def said(text: str) -> StoryLine:
    return StoryLine(UserRef("web", "anna"), "Anna", text)


@given(st.tuples(words, words, words, words))
def test_every_message_has_a_key_of_its_own_that_leads_back_to_it(parts: tuple[str, str, str, str]) -> None:
    ref = MessageRef(ChatRef(*parts[:3]), parts[3])
    assert message_ref_of(ref.key) == ref
    assert " " not in ref.key


def test_parts_that_run_together_are_told_apart() -> None:
    assert short_hash("ab", "c") != short_hash("a", "bc")


def test_the_same_origin_is_the_same_turn_and_another_panel_is_another() -> None:
    thread = thread_id_of(MessageRef(ChatRef("web", "page", "home"), "m1"))
    turn = turn_id_of(thread, "m1#0")
    assert turn == turn_id_of(thread, "m1#0")
    assert turn != turn_id_of(thread, "m1#0", 1)
    assert thread_of(turn) == thread
    assert len(turn) == 33


@given(st.lists(st.text(max_size=2000), max_size=60))
def test_a_story_stays_short_however_long_the_path(instructions: list[str]) -> None:
    story = Story()
    for instruction in instructions:
        story = story_after(story, said(instruction))
    assert len(story.lines) <= MAX_LINES
    assert len(story.pinned) <= MAX_PINNED
    assert all(len(line.instruction) <= MAX_LINE_CHARS for line in (*story.lines, *story.pinned))


def test_a_standing_wish_outlives_everything_that_is_said_after_it() -> None:
    story = story_after(Story(), said("always keep her face clear"))
    for number in range(50):
        story = story_after(story, said(f"edit {number}"))
    assert [line.instruction for line in story.pinned] == ["always keep her face clear"]
    assert [line.instruction for line in story.lines] == [f"edit {number}" for number in range(44, 50)]


def test_an_ordinary_edit_is_no_standing_wish() -> None:
    assert not is_standing_wish("keep the left half and rotate it")
    assert is_standing_wish("from now on in black and white")


@given(provenances, st.booleans())
def test_a_turn_never_weakens_a_label(inputs: list[Provenance], generative: bool) -> None:
    label = label_for(generative_engine="Gemini" if generative else None, inputs=inputs)
    strongest = max((AI_LEVELS.index(each) for each in inputs), default=0)
    weakest_allowed = min(strongest, 1) if generative else strongest
    assert AI_LEVELS.index(label.provenance) >= weakest_allowed
    assert not generative or label.provenance is not Provenance.UNKNOWN


def test_the_label_says_in_words_what_was_done() -> None:
    photo, generated = [Provenance.UNKNOWN], [Provenance.AI_GENERATED]
    assert label_line(label_for(generative_engine=None, inputs=photo)) == "Edited, no AI"
    assert label_line(label_for(generative_engine="Gemini", inputs=photo)) == "AI-edited · Gemini"
    assert label_line(label_for(generative_engine="Gemini", inputs=[])) == "AI-generated · Gemini"
    later = label_for(generative_engine=None, inputs=generated, earlier_engines=["Gemini"])
    assert later == Label(Provenance.AI_GENERATED, edited_by_ai=False, engines=("Gemini",))
    assert label_line(later) == "AI-generated · Gemini"
