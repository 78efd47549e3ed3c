"""Presets: what they say, how they are named, and their pictures."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest
from PIL import Image

from bot.domain import presets
from bot.domain.formats import RATIOS
from bot.domain.language import LANGUAGES, speaking
from bot.domain.presets import (
    MOST_TITLE_CHARS,
    PRESETS,
    Chosen,
    Preset,
    preset_named,
    read_preset,
    wish_of,
    words_alone,
    words_of,
)
from bot.domain.wishes import Form, Kind
from bot.engines import looks
from bot.engines.exact import ExactEngine
from bot.engines.sheet import EXAMPLES, WIDTH_PX, draw

by_key = pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)


def chosen_by(text: str) -> Chosen:
    chosen = read_preset(text)
    assert chosen is not None
    return chosen


def named(text: str) -> Preset:
    return chosen_by(text).preset


@by_key
def test_a_preset_fits_a_button_and_costs_no_more_than_any_other_edit(preset: Preset) -> None:
    assert len(preset.title) <= MOST_TITLE_CHARS
    assert (preset.wish.size, preset.wish.form, preset.wish.kind) == ("", Form.ONE, Kind.EDIT)
    assert preset.wish.ratio in ("", *RATIOS)
    assert re.fullmatch("[a-z]{1,20}", preset.key)  # what a control's argument may hold


@by_key
def test_a_preset_is_never_taken_for_arithmetic(preset: Preset) -> None:
    assert not ExactEngine().read(words_of(chosen_by(preset.key)), images=1).whole


@by_key
def test_every_preset_has_an_example_that_is_small(preset: Preset) -> None:
    file = EXAMPLES / f"{preset.key}.jpg"
    assert file.stat().st_size <= looks.MOST_BYTES
    with Image.open(file) as example:
        assert (example.format, example.size) == ("JPEG", (looks.SIDE_PX, looks.SIDE_PX))


def test_no_two_presets_share_a_name() -> None:
    names = [name.casefold() for preset in PRESETS for name in {preset.key, preset.title.casefold(), *preset.aliases}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("said", "key", "more"),
    [
        ("figurine", "figurine", ""),
        ("Figurine with a sword", "figurine", "with a sword"),
        ("7", "infographic", ""),
        ("4: on blue", "sticker", "on blue"),
        ("poster: Summer Fair", "poster", "Summer Fair"),
        ("ポスター：夏祭り", "poster", "夏祭り"),
        ("手办", "figurine", ""),
        ("STICKER", "sticker", ""),
        ("birthday card for Ben", "card", "for Ben"),
        ("  Aufkleber , bitte bunt", "sticker", "bitte bunt"),
    ],
)
def test_a_preset_is_found_by_number_or_by_any_of_its_names(said: str, key: str, more: str) -> None:
    chosen = chosen_by(said)
    assert (chosen.preset.key, chosen.more) == (key, more)


@pytest.mark.parametrize("said", ["", "0", "19", "99 red balloons", "figurines", "make it darker", "posterior", "7th"])
def test_other_words_are_no_preset(said: str) -> None:
    assert read_preset(said) is None


def test_a_title_is_lettering_and_other_words_stand_behind() -> None:
    poster = chosen_by("poster: “Summer Fair”")
    assert words_of(poster).endswith("The title reads “Summer Fair”.")
    assert wish_of(poster).lettering == ("Summer Fair",)
    sword = chosen_by("figurine with a sword")
    assert words_of(sword) == f"{named('figurine').words} with a sword"


def test_a_shape_in_the_added_words_replaces_the_presets_own() -> None:
    assert wish_of(chosen_by("figurine as a phone wallpaper")).ratio == "9:16"
    assert wish_of(chosen_by("figurine")).ratio == "4:5"


def test_some_presets_need_no_picture_where_they_have_words_of_their_own() -> None:
    tides = chosen_by("infographic: how tides work")
    assert "how tides work" in words_alone(tides)
    assert wish_of(tides, alone=True).kind is Kind.IMAGINE
    assert words_alone(chosen_by("infographic")) == ""
    assert words_alone(chosen_by("figurine with a sword")) == ""


def test_the_names_of_presets_are_known_exactly() -> None:
    assert preset_named("Poster  with a TITLE") is named("poster")
    assert preset_named("my poster") is None


def test_all_of_them_stand_on_one_sheet() -> None:
    sheet = draw(PRESETS)
    assert (sheet.width_px, sheet.media_type) == (WIDTH_PX, "image/jpeg")
    assert sheet.height_px > 2 * WIDTH_PX
    assert draw(PRESETS) is sheet


def test_the_examples_can_be_drawn_again_from_what_ships(tmp_path: Path) -> None:
    assert list(looks.LOOKS) == [preset.key for preset in PRESETS]
    example = looks.encoded(looks.LOOKS["knitted"]())
    (tmp_path / "again.jpg").write_bytes(example)
    with Image.open(tmp_path / "again.jpg") as again, Image.open(EXAMPLES / "knitted.jpg") as kept:
        assert list(again.resize((8, 8)).get_flattened_data()) == list(kept.resize((8, 8)).get_flattened_data())


def test_a_preset_is_found_by_its_title_in_any_language_and_by_its_english_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class German(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return {"Carved in wood": "In Holz geschnitzt", "Comic": "Manga page"}.get(message, message)

    monkeypatch.setattr(
        presets, "catalog", lambda language: German() if language == "de" else gettext.NullTranslations()
    )
    presets.names_of_all.cache_clear()
    try:
        found = [read_preset(text) for text in ("in holz geschnitzt: hell", "Carved in wood", "manga page", "comic")]
    finally:
        presets.names_of_all.cache_clear()
    assert [chosen and (chosen.preset.key, chosen.more) for chosen in found] == [
        ("wood", "hell"),
        ("wood", ""),
        ("manga", ""),
        ("comic", ""),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_fit_and_differ_in_every_language(language: str) -> None:
    with speaking(language):
        titles = [preset.title for preset in presets.titled()]
    assert max(map(len, titles)) <= MOST_TITLE_CHARS
    assert len({title.casefold() for title in titles}) == len(titles)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_writes_a_title_as_it_is_shown_gets_that_look(language: str) -> None:
    with speaking(language):
        titles = {preset.key: preset.title for preset in presets.titled()}
    chosen = {key: (read_preset(title), read_preset(f"{title}: a cat")) for key, title in titles.items()}
    found = {key: [(each.preset.key, each.more) if each else None for each in both] for key, both in chosen.items()}
    assert found == {key: [(key, ""), (key, "a cat")] for key in titles}
