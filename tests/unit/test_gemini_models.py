"""The table of models, and a setting that corrects it."""

from __future__ import annotations

import json

import pytest

from bot.engines.gemini.models import DEFAULT_MODEL, MODELS, ModelProfile, Prices, model_profile


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


def test_a_cost_is_rounded_up_to_the_next_millionth() -> None:
    profile = ModelProfile("m", Prices(input=1, output=1, image=1))
    assert profile.cost_microusd(input_tokens=1, output_tokens=0, image_tokens=0) == 1


def test_a_setting_corrects_single_fields_and_keeps_the_rest() -> None:
    setting = json.loads('{"gemini-3-pro-image": {"max_inputs": 6, "prices": {"image": 99.5}}}')
    profile = model_profile("gemini-3-pro-image", setting)
    assert (profile.max_inputs, profile.prices) == (6, Prices(2_000_000, 12_000_000, 99_500_000))


def test_a_setting_adds_a_model() -> None:
    setting = json.loads('{"gemini-9": {"sizes": ["2K", "8K"], "prices": {"input": 1, "output": 2, "image": 3}}}')
    profile = model_profile("gemini-9", setting)
    assert (profile.sizes, profile.prices, profile.note) == (("2K", "8K"), Prices(1_000_000, 2_000_000, 3_000_000), "")


def test_an_unknown_model_is_taken_for_dear_and_modest_and_says_so() -> None:
    profile = model_profile("gemini-9")
    assert profile.estimate_microusd(images=1) >= max(known.estimate_microusd(images=1) for known in MODELS.values())
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
        ({"other": {"legs": 4}}, 'no "legs"'),
    ],
)
def test_a_mistake_in_the_setting_is_said_in_words(setting: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        model_profile("m", setting)


def test_a_model_needs_a_name() -> None:
    with pytest.raises(ValueError, match="no name"):
        model_profile("  ")
