"""The table of models, and a setting that corrects it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.wishes import Kind, Wish
from bot.engines.gemini.models import (
    DEFAULT_MODEL,
    DEFAULT_TEXT_MODEL,
    MODELS,
    TEXT_MODELS,
    ModelProfile,
    Prices,
    model_profile,
)
from tests.fakes import gemini as fakes

DEFAULT = MODELS[DEFAULT_MODEL]


def test_the_default_model_is_in_the_table_with_nothing_to_note() -> None:
    assert model_profile(DEFAULT_MODEL).note == ""


@pytest.mark.parametrize("profile", MODELS.values(), ids=lambda profile: profile.id)
def test_the_estimate_is_above_the_published_price_of_one_edit(profile: ModelProfile) -> None:
    published_usd = {
        "gemini-nano-banana-2.1": 0.0336,
        "gemini-3-pro-image": 0.134,
        "gemini-3.1-flash-lite-image": 0.0336,
        "gemini-2.5-flash-image": 0.0387,
    }
    assert published_usd[profile.id] * 1e6 < profile.estimate_microusd(images=1) < published_usd[profile.id] * 2e6


def test_every_picture_sent_raises_the_estimate() -> None:
    profile = model_profile(DEFAULT_MODEL)
    assert profile.estimate_microusd(images=14) > profile.estimate_microusd(images=1)


@pytest.mark.parametrize(
    ("model", "size", "published_usd"),
    [
        (DEFAULT_MODEL, "1K", 0.0336),
        (DEFAULT_MODEL, "2K", 0.0504),
        (DEFAULT_MODEL, "4K", 0.1134),
        ("gemini-3-pro-image", "2K", 0.1344),
        ("gemini-3-pro-image", "4K", 0.24),
    ],
)
def test_a_larger_size_is_estimated_at_its_own_price(model: str, size: str, published_usd: float) -> None:
    estimate = MODELS[model].estimate_microusd(images=1, wish=Wish(size=size))
    assert published_usd * 1e6 < estimate < published_usd * 2e6


def test_a_size_that_the_model_lacks_is_estimated_as_its_default() -> None:
    lite = MODELS["gemini-3.1-flash-lite-image"]
    assert lite.estimate_microusd(images=1, wish=Wish(size="4K")) == lite.estimate_microusd(images=1)


@pytest.mark.parametrize(
    ("kind", "images", "may"),
    [(Kind.EXPLAIN, 0, True), (Kind.EXPLAIN, 1, False), (Kind.IMAGINE, 0, False), (Kind.EDIT, 1, False)],
)
def test_only_questions_without_a_picture_may_be_looked_up(kind: Kind, images: int, may: bool) -> None:
    assert DEFAULT.may_search(images=images, wish=Wish(kind=kind)) is may
    assert not MODELS["gemini-3.1-flash-lite-image"].may_search(images=images, wish=Wish(kind=kind))


def test_every_kind_of_token_has_its_price_and_what_is_not_told_apart_costs_as_words() -> None:
    plain = ModelProfile("m", Prices(input=1_000_000, output=5_000_000, image=7_000_000, search=9_000_000))
    apart = replace(
        plain, prices=replace(plain.prices, input_image=2_000_000, input_audio=3_000_000, thinking=4_000_000)
    )
    used = {"input_tokens": 60, "input_image_tokens": 20, "input_audio_tokens": 10, "output_tokens": 5}
    used |= {"thinking_tokens": 8, "image_tokens": 100}
    assert plain.cost_microusd(**used, searches=2) == 60 + 5 * 5 + 8 * 5 + 100 * 7 + 2 * 9_000
    assert apart.cost_microusd(**used) == 30 + 20 * 2 + 10 * 3 + 5 * 5 + 8 * 4 + 100 * 7


@pytest.mark.parametrize(
    ("width_px", "height_px", "ratio"),
    [
        (451, 300, "3:2"),
        (512, 512, "1:1"),
        (640, 427, "3:2"),
        (1080, 1920, "9:16"),
        (3000, 400, "8:1"),
        (600, 500, "5:4"),
    ],
)
def test_the_nearest_ratio_is_that_of_the_picture(width_px: int, height_px: int, ratio: str) -> None:
    assert DEFAULT.nearest_ratio(width_px, height_px) == ratio


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_no_other_ratio_of_the_model_would_change_the_shape_less(width_px: int, height_px: int) -> None:
    def stretched(ratio: str) -> float:
        wide, high = map(int, ratio.split(":"))
        factor = wide * height_px / (high * width_px)
        return max(factor, 1 / factor)

    assert stretched(DEFAULT.nearest_ratio(width_px, height_px)) <= min(map(stretched, DEFAULT.ratios)) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ("21:9", "21:9"),
        ("2:1", "16:9"),
        ("1:8", "9:16"),
        ("", ""),
        ("wide", ""),
        ("0:4", ""),
        ("1:0", ""),
        ("99999:1", "21:9"),
    ],
)
def test_a_ratio_that_the_model_lacks_becomes_the_closest_that_it_has(wanted: str, asked: str) -> None:
    assert MODELS["gemini-3-pro-image"].ratio_for(wanted) == asked


@pytest.mark.parametrize("profile", [*MODELS.values(), *TEXT_MODELS.values()], ids=lambda profile: profile.id)
def test_the_fastest_thinking_is_the_default_where_there_is_a_choice(profile: ModelProfile) -> None:
    assert profile.thinking == (profile.thinking_levels[0] if profile.thinking_levels else "")


@pytest.mark.parametrize("profile", [*MODELS.values(), *TEXT_MODELS.values()], ids=lambda profile: profile.id)
def test_the_table_says_of_each_model_what_the_fake_knows_of_it(profile: ModelProfile) -> None:
    known = fakes.MODELS[profile.id]
    assert (profile.sizes, frozenset(profile.ratios)) == (known.sizes, known.ratios)
    assert tuple(level.upper() for level in profile.thinking_levels) == known.thinking_levels
    assert (profile.search, profile.system_instruction) == (known.search, known.system_instruction)
    assert profile.max_inputs <= known.max_pictures
    for size in profile.sizes:
        assert profile.tokens_at(size) == known.result_tokens[size]


def test_the_default_text_model_is_in_the_table_and_says_that_its_prices_were_not_checked() -> None:
    profile = model_profile(DEFAULT_TEXT_MODEL)
    assert profile is TEXT_MODELS[DEFAULT_TEXT_MODEL]
    assert "not checked" in profile.note


def test_a_cost_is_rounded_up_to_the_next_millionth() -> None:
    profile = ModelProfile("m", Prices(input=1, output=1, image=1))
    assert profile.cost_microusd(input_tokens=1, output_tokens=0, image_tokens=0) == 1


def test_a_setting_corrects_single_fields_and_keeps_the_rest() -> None:
    setting = json.loads('{"gemini-3-pro-image": {"max_inputs": 6, "prices": {"image": 99.5}}}')
    profile = model_profile("gemini-3-pro-image", setting)
    known = MODELS["gemini-3-pro-image"]
    assert profile == replace(known, max_inputs=6, prices=replace(known.prices, image=99_500_000))


def test_a_setting_adds_a_model() -> None:
    setting = json.loads('{"gemini-9": {"sizes": ["2K", "8K"], "prices": {"input": 1, "output": 2, "image": 3}}}')
    profile = model_profile("gemini-9", setting)
    assert (profile.sizes, profile.note) == (("2K", "8K"), "")
    prices = profile.prices
    assert (prices.input, prices.output, prices.image) == (1_000_000, 2_000_000, 3_000_000)
    assert (prices.input_image, prices.input_audio, prices.thinking) == (None, None, None)


def test_a_setting_names_the_tokens_of_each_size_or_one_number_for_all() -> None:
    setting = json.loads('{"a": {"sizes": ["1K", "2K"], "result_tokens": [7, 9]}, "b": {"result_tokens": 5}}')
    each, all_alike = model_profile("a", setting), model_profile("b", setting)
    assert (each.tokens_at("1K"), each.tokens_at("2K"), each.tokens_at("")) == (7, 9, 7)
    assert all_alike.tokens_at("4K") == 5


def test_an_unknown_model_is_taken_for_dear_and_modest_and_says_so() -> None:
    profile = model_profile("gemini-9")
    assert profile.estimate_microusd(images=1) >= max(known.estimate_microusd(images=1) for known in MODELS.values())
    assert profile.cost_microusd(input_tokens=9, input_audio_tokens=9) >= max(
        known.cost_microusd(input_tokens=9, input_audio_tokens=9) for known in TEXT_MODELS.values()
    )
    assert profile.max_inputs <= min(known.max_inputs for known in MODELS.values())
    assert "gemini-9" in profile.note


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"m": 5}, "must be a table"),
        ({"m": {"legs": 4}}, 'no "legs"'),
        ({"m": {"max_inputs": 0}}, "at least 1"),
        ({"m": {"max_inputs": "many"}}, "max_inputs"),
        ({"m": {"sizes": "1K"}}, "sizes"),
        ({"m": {"prices": 3}}, "not usable"),
        ({"m": {"prices": {"input": -1}}}, "below 0"),
        ({"m": {"prices": {"water": 1}}}, 'no price for "water"'),
        ({"m": {"thinking": "deeply"}}, "thinking_levels"),
        ({"m": {"ratios": ["wide"]}}, '"16:9"'),
        ({"m": {"result_tokens": []}}, "tokens"),
        ({"other": {"legs": 4}}, 'no "legs"'),
    ],
)
def test_a_mistake_in_the_setting_is_said_in_words(setting: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        model_profile("m", setting)


def test_a_model_needs_a_name() -> None:
    with pytest.raises(ValueError, match="no name"):
        model_profile("  ")
