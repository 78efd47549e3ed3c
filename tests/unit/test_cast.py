"""Names in words, and what can be a name."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.cast import (
    HOW_TO_CAST,
    MOST_NAME_CHARS,
    NAME_MISSING,
    NAME_SAYS_NOTHING,
    NAME_TOO_LONG,
    CastPicture,
    Deleting,
    Member,
    Saving,
    name_in,
    named_in,
    read_cast,
    told_as,
    without,
)
from bot.domain.errors import BadRequest
from bot.domain.images import Picture
from bot.domain.refs import Person, TurnId
from bot.domain.roles import Purpose
from bot.engines.cast import draw
from bot.engines.gemini.prompt import prompt_for
from bot.engines.pixels import decode
from bot.ports import EditRequest
from tests.rig import CAT
from tests.values import ANNA, BEN, CHAT, image

LATIN = st.text(st.characters(categories=["Ll", "Lu"], max_codepoint=0x24F), min_size=2, max_size=12)


def names_found(words: str, *names: str) -> list[str]:
    return [each.name for each in named_in(unicodedata.normalize("NFC", words), names)]


@pytest.mark.parametrize(
    ("words", "names", "found"),
    [
        ("put REX on the red carpet", ["Rex"], ["Rex"]),
        ("Rex's hat, but not T-Rex2 nor trex nor Rexona", ["Rex"], ["Rex"]),
        ("Rex the Second chases Rex", ["Rex", "Rex the Second"], ["Rex the Second", "Rex"]),
        ("rex   the\nsecond", ["Rex the Second"], ["Rex the Second"]),
        ("把小黑放在红毯上", ["小黑"], ["小黑"]),
        ("レックスを赤い絨毯に", ["レックス"], ["レックス"]),
        ("Rexを赤い絨毯に", ["Rex"], ["Rex"]),
        ("렉스를 레드카펫에", ["렉스"], ["렉스"]),
        ("постав Рекса, а не рекс", ["Рекс"], ["Рекс"]),
        ("STRASSE and straße", ["Straße"], ["Straße", "Straße"]),
        ("ANDRÉ", ["Andre\u0301"], ["Andre\u0301"]),
        ("Rex\u0301 is another", ["Rex"], []),
        ("write “Rex” on the sign", ["Rex"], []),
        ("", ["Rex"], []),
    ],
)
def test_a_name_is_found_whole_whatever_its_case_and_script(words: str, names: list[str], found: list[str]) -> None:
    assert names_found(words, *names) == found


@settings(max_examples=50)
@given(LATIN, st.text(max_size=30), st.text(max_size=30))
def test_a_name_between_spaces_is_always_found_and_where_it_stands(name: str, before: str, after: str) -> None:
    name = unicodedata.normalize("NFC", name)
    quotes = dict.fromkeys(map(ord, "\"'“”„‘’‚«»‹›「」『』"), " ")
    words = unicodedata.normalize("NFC", f"{before.translate(quotes)} {name.casefold()} {after.translate(quotes)}")
    found = named_in(words, [name])
    assert found
    assert all(words[each.start : each.end].casefold() == name.casefold() for each in found)


@given(LATIN, LATIN)
def test_a_name_within_a_word_is_never_found(name: str, other: str) -> None:
    word = unicodedata.normalize("NFC", f"{other}{name}{other}")
    whole = unicodedata.normalize("NFC", name).casefold()
    assert whole == word.casefold() or names_found(word, name) == []


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=8), max_size=5))
def test_any_words_and_any_names_are_read_without_overlap(words: str, names: list[str]) -> None:
    words = unicodedata.normalize("NFC", words)
    found = named_in(words, names)
    assert all(first.end <= second.start for first, second in pairwise(found))
    told_as(words, found, dict.fromkeys(names, 2))


def test_words_are_told_with_the_number_of_each_picture() -> None:
    words = "put Rex next to Mimi, and Rex on top"
    found = named_in(words, ["Rex", "Mimi"])
    assert told_as(words, found, {"Rex": 2, "Mimi": 4}) == "put picture 2 next to picture 4, and picture 2 on top"


@pytest.mark.parametrize(
    ("rest", "order"),
    [
        ("", None),
        ("save Rex", Saving("Rex")),
        ("SAVE  “Rex  the Second” ANEW", Saving("Rex the Second", anew=True)),
        ("delete 小黑", Deleting("小黑")),
        ("save R\u202eex\x00", Saving("Rex")),
    ],
)
def test_the_command_is_read(rest: str, order: Saving | Deleting | None) -> None:
    assert read_cast(rest) == order


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("save", NAME_MISSING),
        ("save !!", NAME_MISSING),
        ("save the", NAME_SAYS_NOTHING),
        ("save make it brighter", NAME_SAYS_NOTHING),
        ("save X", NAME_SAYS_NOTHING),
        (f"save {'x' * (MOST_NAME_CHARS + 1)}", NAME_TOO_LONG.format(most=MOST_NAME_CHARS)),
        ("rename Rex", HOW_TO_CAST),
    ],
)
def test_what_can_be_no_name_is_said(rest: str, words: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_cast(rest)
    assert refused.value.words == words


@given(st.text(max_size=80))
def test_a_name_shows_as_it_is_and_is_a_name_again(text: str) -> None:
    try:
        name = name_in(text)
    except BadRequest:
        return
    assert len(name) <= MOST_NAME_CHARS
    assert name_in(name) == name
    assert name.isprintable()


def test_what_is_left_without_somebody() -> None:
    hers, his = (
        CastPicture(image(n), (Person(p),), TurnId("t-1"), at) for n, p, at in (("a", ANNA, 1.0), ("b", BEN, 9.0))
    )
    member = Member("m", CHAT, "Rex", Person(BEN, "Ben"), (hers, his))
    assert without(member, ANNA, words=True) == Member("m", CHAT, "Rex", Person(BEN, "Ben"), (his,))
    assert without(member, BEN, words=False) == Member("m", CHAT, "Rex", Person(BEN, "Ben"), (hers,))
    assert without(member, BEN, words=True) is None
    assert without(member, BEN, words=True, before=0.5) == member


def test_a_cast_is_drawn_with_names_and_without_what_is_gone() -> None:
    sheet = decode(
        draw(
            [("Rex", [CAT] * 5), ("小黑", []), ("A very long name that has no room at all", [CAT, CAT]), ("d", [CAT])]
        ).data
    )
    assert sheet.size == (1080, 837)
    assert len(sheet.crop((15, 15, 355, 355)).getcolors(200_000) or ()) > 1000


def test_the_model_is_told_which_picture_is_called_what_as_a_quoted_name() -> None:
    picture = Picture(b"", "image/png", 1, 1)
    purposes = (Purpose.CANVAS, Purpose.SUBJECT, Purpose.STYLE)
    request = EditRequest("put Rex here", (picture,) * 3, purposes=purposes, names=("", 'Re"x\n:', "Inkwash"))
    said = [part for part in prompt_for(request).parts if isinstance(part, str)]
    assert "calls" not in said[0]
    assert said[1].startswith('Picture 2 of 3. Whoever or whatever it shows is what the request calls "Re\\"x :", and')
    assert said[2].startswith('Picture 3 of 3. The request calls it "Inkwash". Only its style is wanted')
