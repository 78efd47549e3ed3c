"""What the model is told to give: shape, size, thinking, filters, search. And where the API stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.genai import types

from bot.domain.images import Picture
from bot.domain.roles import Purpose
from bot.domain.wishes import Form, Kind, Wish
from bot.engines.gemini import safety
from bot.engines.gemini.access import Access, Enterprise
from bot.engines.gemini.client import GeminiClient, picture_config, words_config
from bot.engines.gemini.models import DEFAULT_MODEL, DEFAULT_TEXT_MODEL, MODELS, ModelProfile, model_profile
from bot.engines.gemini.safety import thresholds
from bot.ports import EditRequest

SAMPLES = Path(__file__).parents[2] / "adapters/web/static/samples"
DEFAULT = MODELS[DEFAULT_MODEL]


def photo(name: str, width_px: int, height_px: int) -> Picture:
    return Picture((SAMPLES / name).read_bytes(), "image/jpeg", width_px, height_px)


CAT, SQUARE = photo("cat.jpg", 451, 300), photo("astronaut.jpg", 512, 512)
UPRIGHT = replace(photo("rocket.jpg", 640, 427), width_px=427, height_px=640)
QUESTION = EditRequest("why is the sky blue?", (), wish=Wish(kind=Kind.EXPLAIN))


def image_config(request: EditRequest, model: ModelProfile = DEFAULT) -> tuple[str | None, str | None]:
    """The shape and the size that are asked for."""
    config = picture_config(request, model).image_config or types.ImageConfig()
    return config.aspect_ratio, config.image_size


def test_one_picture_keeps_its_shape_by_itself() -> None:
    assert image_config(EditRequest("make it night", (CAT,))) == (None, "1K")


def test_of_several_pictures_the_first_gives_the_shape() -> None:
    assert image_config(EditRequest("put them together", (CAT, UPRIGHT, SQUARE))) == ("3:2", "1K")


@pytest.mark.parametrize(
    ("purposes", "ratio"),
    [
        ((Purpose.STYLE, Purpose.CANVAS), "2:3"),
        ((Purpose.SUBJECT, None), "2:3"),
        ((Purpose.CANVAS, Purpose.PANEL), "3:2"),
        ((Purpose.STYLE, Purpose.PANEL), "2:3"),
        ((Purpose.PART, Purpose.PART), "3:2"),
        ((Purpose.STYLE, Purpose.SUBJECT), "3:2"),
        ((Purpose.BACKGROUND,), "2:3"),
    ],
)
def test_the_picture_that_is_edited_gives_the_shape(purposes: tuple[Purpose | None, ...], ratio: str) -> None:
    assert image_config(EditRequest("do it", (CAT, UPRIGHT), purposes=purposes))[0] == ratio


def test_an_original_sent_along_does_not_change_the_shape() -> None:
    assert image_config(EditRequest("darker", (UPRIGHT,), originals=(CAT,)))[0] == "2:3"


@pytest.mark.parametrize("images", [(), (CAT,), (CAT, UPRIGHT)])
def test_a_shape_and_a_size_that_are_wished_for_are_asked_for(images: tuple[Picture, ...]) -> None:
    wish = Wish(kind=Kind.IMAGINE, ratio="9:16", size="4K")
    assert image_config(EditRequest("a wallpaper", images, wish=wish)) == ("9:16", "4K")


def test_a_picture_from_words_alone_has_the_shape_that_the_model_likes() -> None:
    assert image_config(EditRequest("a fox", (), wish=Wish(kind=Kind.IMAGINE))) == (None, "1K")


def test_only_what_the_model_has_is_asked_for() -> None:
    request = EditRequest("larger", (CAT,), wish=Wish(ratio="8:1", size="4K"))
    assert image_config(request, MODELS["gemini-3-pro-image"]) == ("21:9", "4K")
    assert image_config(request, MODELS["gemini-3.1-flash-lite-image"]) == ("8:1", None)
    assert picture_config(EditRequest("night", (CAT,)), MODELS["gemini-2.5-flash-image"]).image_config is None


def test_the_model_thinks_as_little_as_its_entry_says() -> None:
    def level(model: ModelProfile) -> object:
        config = picture_config(EditRequest("night", (CAT,)), model).thinking_config
        return config and config.thinking_level

    assert level(DEFAULT) is types.ThinkingLevel.MINIMAL
    assert level(MODELS["gemini-3-pro-image"]) is None
    assert level(model_profile(DEFAULT_MODEL, {DEFAULT_MODEL: {"thinking": "high"}})) is types.ThinkingLevel.HIGH


@pytest.mark.parametrize("form", [Form.ONE, Form.STORY, Form.VARIATIONS])
@pytest.mark.parametrize("kind", list(Kind))
def test_words_are_always_welcome_beside_the_picture(kind: Kind, form: Form) -> None:
    wish = Wish(kind=kind, form=form)
    assert picture_config(EditRequest("go", (CAT,), wish=wish), DEFAULT).response_modalities == ["TEXT", "IMAGE"]


def test_filters_are_lowered_only_where_only_adults_are() -> None:
    lowered = thresholds({"sexually_explicit": "only_high"}, enterprise=False)
    request = EditRequest("a pin-up poster", (CAT,))
    assert picture_config(request, DEFAULT, thresholds=lowered).safety_settings is None
    assert picture_config(replace(request, age_limited=True), DEFAULT).safety_settings is None
    (setting,) = picture_config(replace(request, age_limited=True), DEFAULT, thresholds=lowered).safety_settings or []
    assert setting.category is types.HarmCategory.HARM_CATEGORY_SEXUALLY_EXPLICIT
    assert setting.threshold is types.HarmBlockThreshold.BLOCK_ONLY_HIGH


def test_every_filter_and_threshold_that_may_be_named_is_one_of_the_service() -> None:
    known = {name.removeprefix("HARM_CATEGORY_") for name in types.HarmCategory.__members__}
    assert known - set(safety.ENTERPRISE_CATEGORIES) == {"UNSPECIFIED", "CIVIC_INTEGRITY"}
    assert set(types.HarmBlockThreshold.__members__) - set(safety.THRESHOLDS) == {"HARM_BLOCK_THRESHOLD_UNSPECIFIED"}
    assert set(safety.CATEGORIES) < set(safety.ENTERPRISE_CATEGORIES) < known


@pytest.mark.parametrize(
    ("given", "enterprise", "taken"),
    [
        ({"Hate-Speech": "none"}, False, ("HARM_CATEGORY_HATE_SPEECH", "BLOCK_NONE")),
        ({"HARM_CATEGORY_HARASSMENT": "BLOCK_ONLY_HIGH"}, False, ("HARM_CATEGORY_HARASSMENT", "BLOCK_ONLY_HIGH")),
        ({"image hate": "off"}, True, ("HARM_CATEGORY_IMAGE_HATE", "OFF")),
    ],
)
def test_filters_may_be_named_short_or_long(given: dict[str, str], enterprise: bool, taken: tuple[str, str]) -> None:
    assert thresholds(given, enterprise=enterprise) == (taken,)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"politeness": "off"}, 'called "politeness".*hate_speech'),
        ({"image_hate": "off"}, 'called "image_hate"'),
        ({"harassment": "a bit"}, 'set to "a bit".*only_high'),
    ],
)
def test_a_filter_that_does_not_exist_is_said_in_words(given: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        thresholds(given, enterprise=False)


def test_only_a_question_without_pictures_is_looked_up_and_only_where_that_is_allowed() -> None:
    def tools(request: EditRequest, model: ModelProfile = DEFAULT, *, search: bool = True) -> object:
        return picture_config(request, model, search=search).tools

    assert tools(QUESTION) == [types.Tool(google_search=types.GoogleSearch())]
    assert tools(QUESTION, search=False) is None
    assert tools(QUESTION, MODELS["gemini-3.1-flash-lite-image"]) is None
    assert tools(replace(QUESTION, images=(CAT,))) is None
    assert tools(replace(QUESTION, originals=(CAT,))) is None
    assert tools(EditRequest("a fox", (), wish=Wish(kind=Kind.IMAGINE))) is None


@pytest.mark.parametrize(
    "config", [picture_config(QUESTION, DEFAULT), words_config(model_profile(DEFAULT_TEXT_MODEL), max_tokens=9)]
)
def test_nothing_makes_the_sdk_send_a_second_request(config: types.GenerateContentConfig) -> None:
    assert config.automatic_continuation is False
    assert config.automatic_function_calling == types.AutomaticFunctionCallingConfig(disable=True)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
async def test_each_location_of_the_cloud_has_its_own_address(
    location: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "another")
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-another")
    client = await GeminiClient.open(Access(enterprise=Enterprise("a-project", location)), timeout_s=1)
    inside: Any = client._sdk._api_client
    await client.aclose()
    assert inside._http_options.base_url == f"https://{host}"
    assert (inside.project, inside.location, inside.api_key, inside.vertexai) == ("a-project", location, None, True)


@pytest.mark.parametrize(
    ("project", "location"), [("", "global"), ("x y", "global"), ("p", ""), ("p", "evil.com"), ("p", "x/#")]
)
def test_a_project_or_a_location_that_cannot_be_is_said_in_words(project: str, location: str) -> None:
    with pytest.raises(ValueError, match="Google Cloud"):
        Enterprise(project, location)


def test_a_key_is_never_shown() -> None:
    assert "AIza" not in repr(Access("AIza-the-secret"))
