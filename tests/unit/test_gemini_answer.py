"""What the model answered, as exactly one outcome, and what it cost."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from google.genai.types import BlockedReason, FinishReason, GenerateContentResponse
from PIL import Image

from bot.domain.errors import EngineFailed, EngineGaveNothing, EngineRefused
from bot.domain.images import Picture, Provenance
from bot.domain.turns import Usage
from bot.engines.gemini.answer import read_answer
from bot.engines.gemini.models import DEFAULT_MODEL, model_profile
from bot.ports import EditRequest, EngineAnswer
from tests.fakes.gemini import candidate, picture_part

CAT = (Path(__file__).parents[2] / "adapters/web/static/samples/cat.jpg").read_bytes()
MODEL = model_profile(DEFAULT_MODEL)
USAGE = {
    "promptTokenCount": 1_400,
    "candidatesTokenCount": 1_150,
    "thoughtsTokenCount": 200,
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1_120}, {"modality": "TEXT", "tokenCount": 30}],
}
COST_MICROUSD = 1_400 * 3 // 2 + 230 * 15 // 2 + 1_120 * 30


def read(body: dict[str, Any], *inputs: Provenance, usage: dict[str, Any] | None = None) -> EngineAnswer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        response = GenerateContentResponse.model_validate({**body, "usageMetadata": usage or USAGE})
    sent = [Picture(b"", "image/png", 1, 1, provenance=provenance) for provenance in inputs or (Provenance.UNKNOWN,)]
    return read_answer(response, model=MODEL, request=EditRequest("make it night", tuple(sent)))


def picture(data: bytes = CAT, media_type: str = "image/jpeg", **more: Any) -> dict[str, Any]:
    return {**picture_part(data, media_type), **more}


def encoded(mode: str, kind: str, width_px: int = 40) -> bytes:
    out = BytesIO()
    Image.new(mode, (width_px, width_px * 3 // 4)).save(out, kind)
    return out.getvalue()


def stopped(reason: str) -> dict[str, Any]:
    return {"candidates": [{"finishReason": reason, "finishMessage": "raw internals 0x5f"}]}


def test_the_bytes_of_a_result_are_given_on_untouched() -> None:
    answer = read(candidate(picture()))
    assert answer.images == (Picture(CAT, "image/jpeg", 451, 300, False, Provenance.AI_EDITED),)


def test_the_last_picture_that_is_no_thought_counts() -> None:
    draft, thought = encoded("RGB", "PNG"), encoded("L", "PNG")
    answer = read(candidate(picture(thought, thought=True), picture(draft), picture(), picture(thought, thought=True)))
    assert [image.data for image in answer.images] == [CAT]


def test_words_beside_a_picture_are_the_remark_and_thoughts_are_not() -> None:
    parts = ({"text": "Hm.", "thought": True}, {"text": " Here you "}, {"text": "go. \n\n\n Enjoy"}, picture())
    assert read(candidate(*parts)).remark == "Here you go.\nEnjoy"


def test_a_long_remark_is_cut_between_words() -> None:
    remark = read(candidate({"text": "word " * 1_000}, picture())).remark
    assert 790 < len(remark) <= 800
    assert remark.endswith("word…")


@pytest.mark.parametrize(
    ("data", "media_type", "has_alpha"),
    [
        (encoded("RGB", "PNG"), "image/png", False),
        (encoded("RGBA", "PNG"), "image/png", True),
        (encoded("RGB", "JPEG"), "image/jpeg", False),
        (encoded("RGBA", "WEBP"), "image/webp", True),
    ],
)
def test_a_result_is_what_its_bytes_say_and_not_its_name(data: bytes, media_type: str, has_alpha: bool) -> None:
    (image,) = read(candidate(picture(data, "image/x-whatever"))).images
    assert image == Picture(data, media_type, 40, 30, has_alpha, Provenance.AI_EDITED)


@pytest.mark.parametrize(
    ("inputs", "result"),
    [
        ((Provenance.UNKNOWN,), Provenance.AI_EDITED),
        ((Provenance.AI_EDITED,), Provenance.AI_EDITED),
        ((Provenance.AI_GENERATED,), Provenance.AI_GENERATED),
    ],
)
def test_the_result_says_how_much_of_it_ai_made(inputs: tuple[Provenance, ...], result: Provenance) -> None:
    assert read(candidate(picture()), *inputs).images[0].provenance is result


def test_words_alone_are_a_question_and_cost_what_they_cost() -> None:
    answer = read(candidate({"text": "Which one?"}), usage={"promptTokenCount": 1_000, "candidatesTokenCount": 40})
    assert answer == EngineAnswer((), "Which one?", Usage(1_000 * 3 // 2 + 40 * 15 // 2, 1_000, 40, DEFAULT_MODEL))


def test_a_picture_is_metered_by_kind_of_token() -> None:
    assert read(candidate(picture())).usage == Usage(COST_MICROUSD, 1_400, 1_350, DEFAULT_MODEL)


def test_output_of_unsaid_kind_is_charged_as_picture_where_there_is_one() -> None:
    usage = {"promptTokenCount": 0, "candidatesTokenCount": 1_120}
    assert read(candidate(picture()), usage=usage).usage.cost_microusd == 33_600


def test_a_picture_without_figures_is_charged_as_estimated() -> None:
    usage = read(candidate(picture()), usage={"trafficType": "ON_DEMAND"}).usage
    assert usage.cost_microusd == MODEL.estimate_microusd(images=1)


@pytest.mark.parametrize("data", [b"<html>no</html>", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(40)])
def test_what_is_no_picture_is_never_given_on(data: bytes) -> None:
    with pytest.raises(EngineGaveNothing, match="not a picture") as caught:
        read(candidate(picture(data)))
    assert caught.value.cost_microusd == COST_MICROUSD


def test_a_picture_of_absurd_size_is_never_given_on() -> None:
    with pytest.raises(EngineGaveNothing):
        read(candidate(picture(encoded("1", "PNG", 10_000))))


POLICY = {
    *("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "LANGUAGE", "MODEL_ARMOR", "ESCALATION"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
}
OPERATORS = {"PUP_LIMITED_DISABLED"}
NOBODYS = {reason.value for reason in FinishReason} - POLICY - OPERATORS | {"A_REASON_OF_TOMORROW"}


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        *((reason, EngineRefused) for reason in sorted(POLICY)),
        *((reason, EngineFailed) for reason in sorted(OPERATORS)),
        *((reason, EngineGaveNothing) for reason in sorted(NOBODYS)),
    ],
)
def test_every_finish_reason_has_its_outcome_its_words_and_its_cost(reason: str, outcome: type[EngineFailed]) -> None:
    with pytest.raises(EngineFailed) as caught:
        read(stopped(reason))
    assert type(caught.value) is outcome
    assert caught.value.cost_microusd == COST_MICROUSD
    assert caught.value.words.endswith(".")
    assert "0x5f" not in caught.value.words


@pytest.mark.parametrize("reason", [*[each.value for each in BlockedReason][1:], "A_REASON_OF_TOMORROW"])
def test_every_block_reason_is_a_refusal_in_words_and_costs_the_prompt(reason: str) -> None:
    with pytest.raises(EngineRefused) as caught:
        read({"promptFeedback": {"blockReason": reason}}, usage={"promptTokenCount": 1_000})
    assert caught.value.cost_microusd == 1_500
    assert caught.value.words.endswith(".")


def test_a_refusal_stands_even_where_words_came_with_it() -> None:
    with pytest.raises(EngineRefused):
        read(candidate({"text": "I started"}, finish_reason="SAFETY"))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"candidates": []},
        {"candidates": [{}]},
        {"candidates": [{"content": {}}]},
        candidate(),
        candidate({"text": " "}),
    ],
)
def test_an_empty_answer_is_nothing(body: dict[str, Any]) -> None:
    with pytest.raises(EngineGaveNothing):
        read(body)
