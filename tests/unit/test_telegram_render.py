"""What answers look like on Telegram."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import MessageEntity

from adapters.telegram import limits
from adapters.telegram.ports import Keyboard
from adapters.telegram.render import (
    FILE_LABEL,
    NOTHING_TO_SAY,
    UNSURE_WORDS,
    Shown,
    as_photo,
    full_keyboard,
    keyboard,
    others_said,
    shots_of,
    show,
)
from adapters.telegram.words import Linked, Said, plain, said, split
from bot.domain.actions import Act, Control
from bot.domain.buttons import ButtonId, Verb, read_button_id
from bot.domain.images import ALL, ImageFacts
from bot.domain.language import speaking
from bot.domain.messages import Answer, Credit, Panel, Rendition
from bot.domain.refs import Person, Sha256, TurnId, UserRef
from bot.domain.turns import Source, TurnState
from bot.domain.utf16 import units
from tests.pseudo import Long, Marked, spoken_as

TURN = TurnId(f"{'a' * 16}-{'b' * 16}")
ANNA = Person(UserRef("telegram", "1001"), "Anna")
BEN = Person(UserRef("telegram", "1002"), "Ben")
FACTS = ImageFacts(Sha256("0" * 64), "image/jpeg", 800, 600, 90_000)
CONTROLS = (
    Control(Act.AGAIN, "Again"),
    Control(Act.EXACTLY, "Exactly this"),
    Control(Act.VARIATIONS, "4 variations, up to $0.20", "4"),
    Control(Act.LARGER, "Larger (2K), up to $0.10", "2K"),
    Control(Act.LARGER, "Larger (4K), up to $0.20", "4K"),
    Control(Act.UNDO, "Undo"),
)


def picture(**facts: Any) -> Rendition:
    return Rendition(replace(FACTS, **facts), "Picture. AI-edited · Gemini.")


def done(*lines: str, **about: Any) -> Answer:
    about.setdefault("images", (picture(),))
    return Answer(TurnState.DONE, lines or ("AI-edited · Gemini",), turn=TURN, **about)


def labels(keys: Keyboard) -> list[list[str]]:
    return [[key.label for key in row] for row in keys]


def linked(shown: Said) -> list[tuple[str, str]]:
    """The words of each entity, and where it leads."""
    raw = shown.text.encode("utf-16-le")
    parts = [raw[2 * each.offset : 2 * (each.offset + each.length)].decode("utf-16-le") for each in shown.entities]
    return [
        (part, each.url or str(each.user and each.user.id)) for part, each in zip(parts, shown.entities, strict=True)
    ]


# --- words


def test_the_label_is_the_first_line_below_a_picture() -> None:
    shown = show(done("AI-edited · Gemini", "Here is a warmer one."))
    assert shown.said.text == "AI-edited · Gemini\nHere is a warmer one."
    assert shown.shot == shots_of(done())[0]


def test_a_name_in_anybodys_words_calls_nobody() -> None:
    assert plain("ask @anna") == "ask @\u2060anna"
    assert plain(plain("ask @anna")) == "ask @\u2060anna"


def test_halves_of_characters_and_controls_are_left_out() -> None:
    assert plain("a\ud800b\x00c\u202ed\ne") == "abcd\ne"


def test_who_asked_and_whose_pictures_went_in_is_said_where_others_read_it() -> None:
    credit = Credit(BEN, (ANNA.user, BEN.user), names=("Anna", "Ben"))
    shown = show(done("Edited, no AI", credit=credit))
    assert shown.said.text == "Edited, no AI\nAsked by Ben, with a picture by Anna"
    assert linked(shown.said) == [("Anna", "1001")]


def test_a_private_chat_is_not_told_who_asked() -> None:
    assert show(done("Edited, no AI", credit=Credit(BEN, (BEN.user,))), group=False).said.text == "Edited, no AI"


def test_the_question_names_who_asks_what_and_calls_the_owner() -> None:
    credit = Credit(BEN, words="put  a hat on @anna\nplease")
    asked = Answer(TurnState.WAITING, ("Waiting for Anna.",), turn=TURN, asks=(ANNA,), credit=credit)
    shown = show(asked)
    expected = "Anna, may Ben edit your picture?\n“put a hat on @\u2060anna please”\nWaiting for Anna."
    assert shown.said.text == expected
    assert linked(shown.said) == [("Anna", "1001")]


def test_several_owners_are_named_in_one_sentence() -> None:
    chris = Person(UserRef("telegram", "-100"), "Chris")
    asked = Answer(TurnState.WAITING, turn=TURN, asks=(ANNA, BEN, chris), credit=None)
    shown = show(asked)
    assert shown.said.text == "Anna, Ben and Chris, may your pictures be edited?"
    assert linked(shown.said) == [("Anna", "1001"), ("Ben", "1002")]


@pytest.mark.parametrize(("position", "words"), [(1, "You are next."), (3, "There are 2 before you.")])
def test_the_place_in_the_queue_is_said(position: int, words: str) -> None:
    waiting = Answer(TurnState.WAITING, ("Waiting in line.",), turn=TURN, position=position)
    assert show(waiting).said.text == f"Waiting in line. {words}"


def test_sources_are_links_without_markup() -> None:
    sources = (Source("The 🐙 [page]", "https://example.org/a_b"), Source("bad", "javascript:alert(1)"))
    shown = show(done("🐙 label", sources=sources))
    assert shown.said.text == "🐙 label\nSources: The 🐙 [page]"
    assert linked(shown.said) == [("The 🐙 [page]", "https://example.org/a_b")]


def test_panels_are_numbered_as_they_stand() -> None:
    panels = (Panel(TURN, TurnState.DONE, "the cat", picture()), Panel(TURN, TurnState.FAILED, "", None))
    shown = show(done("AI-edited", panels=(*panels, Panel(TURN, TurnState.DONE, "it sleeps", picture()))))
    assert shown.said.text == "AI-edited\n1. the cat\n3. it sleeps"
    assert [shot.number for shot in shown.others] == [3]


def test_an_answer_without_anything_is_no_empty_message() -> None:
    assert show(Answer(TurnState.CANCELLED)).said == Said(NOTHING_TO_SAY)


def test_what_a_caption_has_no_room_for_goes_on_behind_it_and_loses_no_word() -> None:
    words = " ".join(f"word{number}" for number in range(400))
    shown = show(done("AI-edited · Gemini", words))
    assert shown.rest is not None
    assert shown.said.text.startswith("AI-edited · Gemini\nword0 ")
    assert f"{shown.said.text.removesuffix('…')} {shown.rest.text.removeprefix('…')}" == f"AI-edited · Gemini\n{words}"


def test_progress_sends_no_second_message() -> None:
    running = Answer(TurnState.RUNNING, ("x " * 3000,), images=(picture(), picture()), turn=TURN)
    shown = show(running)
    assert (shown.rest, shown.others) == (None, ())


def test_where_it_is_not_known_whether_all_arrived_that_is_said_with_a_key() -> None:
    shown = show(done("AI-edited", "remark"), unsure=True)
    assert shown.said.text == f"AI-edited\n{UNSURE_WORDS}\nremark"
    assert read_button_id(shown.keyboard[0][0].data) == ButtonId(Verb.REST, argument=TURN)


def test_the_pictures_behind_the_first_say_their_label_and_their_numbers() -> None:
    answer = done("AI-edited · Gemini", images=(picture(),) * 4)
    assert others_said(answer, shots_of(answer)[1:]).text == "AI-edited · Gemini\nPictures 2, 3 and 4"
    assert [(shot.index, shot.filename) for shot in shots_of(answer)[:2]] == [(0, "remix-1.jpg"), (1, "remix-2.jpg")]


def test_pictures_of_panels_belong_to_the_turns_of_these() -> None:
    other = TurnId(f"{'a' * 16}-{'c' * 16}")
    panels = (Panel(TURN, TurnState.DONE, image=picture()), Panel(other, TurnState.DONE, image=picture()))
    assert [(shot.turn, shot.index) for shot in shots_of(done(panels=panels))] == [(TURN, ALL), (other, ALL)]


@pytest.mark.parametrize(
    ("facts", "photo"),
    [
        ({}, True),
        ({"has_alpha": True, "media_type": "image/png"}, False),
        ({"size_bytes": limits.PHOTO_BYTES + 1}, False),
        ({"width_px": 6000, "height_px": 4001}, False),
        ({"width_px": 2001, "height_px": 100}, False),
        ({"width_px": 100, "height_px": 2000}, True),
    ],
)
def test_what_may_be_a_photo_is_one(facts: dict[str, Any], photo: bool) -> None:
    assert as_photo(replace(FACTS, **facts)) is photo


# --- keys


def test_below_a_picture_stands_what_is_pressed_most() -> None:
    assert labels(keyboard(done(controls=CONTROLS, suggestions=("make it rain",)))) == [
        ["make it rain"],
        ["Again", "Undo"],
        ["4 variations, up to $0.20", "Larger (2K), up to $0.10"],
        [FILE_LABEL],
        ["Info", "More…"],
    ]


@pytest.mark.parametrize("act", [Act.PRESET, Act.RECIPE, Act.GO])
def test_what_is_there_to_choose_from_stands_first_in_short_rows(act: Act) -> None:
    offered = tuple(Control(act, f"{number} Look", f"look-{number}") for number in range(1, 6))
    assert labels(keyboard(done(controls=offered))) == [
        ["1 Look", "2 Look"],
        ["3 Look", "4 Look"],
        ["5 Look"],
        [FILE_LABEL],
        ["Info", "More…"],
    ]


def test_more_shows_all_that_can_be_done() -> None:
    shown = [label for row in labels(full_keyboard(done(controls=CONTROLS))) for label in row]
    assert shown == [*(each.label for each in CONTROLS), FILE_LABEL, "Info", "Delete"]


def test_a_suggestion_that_fits_no_key_is_left_out() -> None:
    assert labels(keyboard(done(suggestions=("x" * 49, "shorter"))))[0] == ["shorter"]


def test_an_open_turn_can_be_cancelled() -> None:
    keys = keyboard(Answer(TurnState.RUNNING, turn=TURN))
    assert [[(key.label, key.data) for key in row] for row in keys] == [[("Cancel", f"rb:cancel:-:{TURN}")]]


def test_the_owner_is_offered_every_answer() -> None:
    keys = keyboard(Answer(TurnState.WAITING, turn=TURN, asks=(ANNA,)))
    assert labels(keys) == [["Once", "Always here"], ["Never", "Not this time"], ["Cancel"]]
    assert keys[1][1].data == f"rb:allow:-:no.{TURN}"


def test_an_album_has_keys_for_each_picture_behind_more() -> None:
    panels = tuple(Panel(TURN, TurnState.DONE, image=picture(), controls=CONTROLS[:1]) for _ in range(3))
    answer = done(panels=panels, images=(picture(),) * 3, controls=(Control(Act.AGAIN, "All of them again"),))
    assert labels(keyboard(answer)) == [["All of them again"], [FILE_LABEL], ["Info", "More…"]]
    rows = full_keyboard(answer)
    assert labels(rows)[3:5] == [["1. File", "1. Info"], ["1. Again"]]
    assert read_button_id(rows[-1][0].data) == ButtonId(Verb.PRESS, 2, "again")


def test_a_full_keyboard_is_not_longer_than_telegram_takes_and_keeps_what_is_for_all() -> None:
    own = tuple(Control(Act.LARGER, "🐙" * 20, "2K") for _ in range(6))
    panels = tuple(Panel(TURN, TurnState.DONE, image=picture(), controls=own) for _ in range(10))
    rows = full_keyboard(done(panels=panels, controls=CONTROLS[:1]))
    written = json.dumps(
        [[{"text": k.label, "callback_data": k.data} for k in row] for row in rows], ensure_ascii=False
    )
    assert len(written.encode()) < 10_000
    assert labels(rows)[:3] == [["Again"], [FILE_LABEL], ["Info", "Delete"]]
    assert len(rows) > 20


def test_nothing_is_offered_under_what_was_deleted() -> None:
    assert keyboard(Answer(TurnState.DONE, ("This was deleted.",), turn=TURN)) == ()


# --- in another language


def in_german(answer: Answer, **how: Any) -> Shown:
    with spoken_as("de", Marked()), speaking("de"):
        return show(answer, **how)


def test_the_label_stands_first_in_any_language_however_long_the_rest_is() -> None:
    credit = Credit(BEN, (ANNA.user,), names=("Anna",))
    answer = done("KI-bearbeitet · Gemini", "word " * 400, credit=credit, sources=(Source("A", "https://a.b"),) * 5)
    with spoken_as("de", Long()), speaking("de"):
        shown = show(answer, unsure=True)
        behind = others_said(answer, shots_of(answer) * 9)
    assert shown.said.text.startswith("KI-bearbeitet · Gemini\n")
    assert units(shown.said.text) <= limits.CAPTION
    assert behind.text.startswith("KI-bearbeitet · Gemini\n")


def test_a_question_is_one_sentence_whatever_its_order_is_and_still_calls_the_owners() -> None:
    asked = Answer(TurnState.WAITING, turn=TURN, asks=(ANNA, BEN), credit=Credit(ANNA, words="a hat"))
    shown = in_german(asked)
    assert shown.said.text == "⟦⟦Anna and Ben⟧, may Anna edit your pictures?⟧\n⟦“a hat”⟧"
    assert linked(shown.said) == [("Anna", "1001"), ("Ben", "1002")]


def test_credit_sources_and_the_place_in_the_queue_are_in_the_language() -> None:
    credit = Credit(BEN, (ANNA.user,), names=("Anna",))
    sources = (Source("A", "https://a.b"), Source("B", "https://b.c"))
    shown = in_german(done("AI", credit=credit, sources=sources))
    assert shown.said.text == "AI\n⟦Sources: A⟦, ⟧B⟧\n⟦Asked by Ben, with a picture by Anna⟧"
    assert linked(shown.said) == [("A", "https://a.b"), ("B", "https://b.c"), ("Anna", "1001")]
    waiting = Answer(TurnState.WAITING, ("Waiting.",), turn=TURN, position=3)
    assert in_german(waiting).said.text == "Waiting. ⟦There are 2 before you.⟧"


def test_every_key_of_ours_is_in_the_language() -> None:
    asked = Answer(TurnState.WAITING, turn=TURN, asks=(ANNA,))
    several = done(images=(picture(), picture()))
    with spoken_as("de", Marked()), speaking("de"):
        rows = [*keyboard(asked), *keyboard(several, unsure=True), *full_keyboard(several)]
    assert [key.label for row in rows for key in row if not key.label.endswith("⟧")] == []


# --- for whatever comes

words = st.text(alphabet=st.characters() | st.sampled_from("🐙👩‍🚀@\n \ud83d"), max_size=1500)
controls = st.builds(Control, st.sampled_from(Act), words, st.text(max_size=70))
people = st.builds(Person, st.builds(UserRef, st.just("telegram"), st.sampled_from(["5", "-5", "x"])), words)
sources = st.builds(Source, words, st.sampled_from(["https://example.org", "https://x.y/" + "z" * 300, "http://"]))
panels = st.builds(Panel, st.just(TURN), st.sampled_from(TurnState), words, st.none() | st.just(picture()))
answers = st.builds(
    Answer,
    st.sampled_from(TurnState),
    st.lists(words, max_size=4).map(tuple),
    st.lists(st.just(picture()), max_size=12).map(tuple),
    st.just(TURN),
    position=st.none() | st.integers(1, 9),
    suggestions=st.lists(words, max_size=6).map(tuple),
    controls=st.lists(controls, max_size=12).map(tuple),
    sources=st.lists(sources, max_size=8).map(tuple),
    panels=st.lists(panels, max_size=10).map(tuple),
    asks=st.lists(people, max_size=3).map(tuple),
    credit=st.none() | st.builds(Credit, people, st.just((BEN.user,)), words, names=st.tuples(words)),
)


tags = st.sampled_from(["en", "de"])
"""German has long sentences here."""


@settings(deadline=None, max_examples=60)
@given(answers, st.booleans(), tags)
def test_whatever_an_answer_says_it_fits_in_any_language(answer: Answer, unsure: bool, tag: str) -> None:
    with spoken_as("de", Long()), speaking(tag):
        shown = show(answer, unsure=unsure)
    texts = [(shown.said, limits.CAPTION if shown.shot else limits.TEXT)]
    texts += [(shown.rest, limits.TEXT)] if shown.rest else []
    for each, most in texts:
        assert units(each.text) <= most
        each.text.encode()
        assert all(e.offset >= 0 and e.length > 0 and e.offset + e.length <= units(each.text) for e in each.entities)
    assert shown.said.text or shown.shot


@settings(deadline=None, max_examples=60)
@given(answers, tags)
def test_whatever_an_answer_offers_fits_into_keys_in_any_language(answer: Answer, tag: str) -> None:
    with spoken_as("de", Long()), speaking(tag):
        offered = keyboard(answer), full_keyboard(answer)
    for keys in offered:
        flat = [key for row in keys for key in row]
        assert len(flat) <= 100
        assert all(len(key.data.encode()) <= limits.BUTTON_BYTES for key in flat)
        assert all(1 <= units(key.label) <= limits.BUTTON_LABEL for key in flat)
        assert all(read_button_id(key.data) is not None for key in flat)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(words.map(plain), st.booleans()), max_size=8), st.integers(20, 200))
def test_links_stay_on_their_words_wherever_it_is_cut(pieces: list[tuple[str, bool]], most: int) -> None:
    names = [f"N{number}🐙" for number in range(len(pieces))]
    whole = said(
        [[words, Linked(name, url=f"https://{name[:2]}.x")] for name, (words, _) in zip(names, pieces, strict=True)]
    )
    assert [part for part, _ in linked(whole)] == names
    head, rest = split(whole, most)
    assert units(head.text) <= most
    for shown in (head, rest or Said()):
        for part, url in linked(shown):
            assert part.strip("…") in f"N{url[9:-2]}🐙"


def test_a_link_that_is_cut_goes_on_behind() -> None:
    whole = said([["x" * 10, Linked("abcdefghij", url="https://a.b")]])
    head, rest = split(whole, 16)
    assert rest is not None
    assert (head.text, linked(head)) == ("xxxxxxxxxxabcde…", [("abcde", "https://a.b")])
    assert (rest.text, linked(rest)) == ("…fghij", [("fghij", "https://a.b")])
    assert head.entities[0] == MessageEntity(MessageEntity.TEXT_LINK, 10, 5, url="https://a.b")
