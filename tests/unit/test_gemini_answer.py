"""What the model answered, as exactly one outcome, and what it cost."""

from __future__ import annotations

import warnings
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from google.genai.types import (
    BlockedReason,
    FinishReason,
    GenerateContentResponse,
    GenerateContentResponseUsageMetadata,
)
from PIL import Image

from bot.domain.errors import EngineFailed, EngineGaveNothing, EngineRefused
from bot.domain.images import Picture, Provenance
from bot.domain.turns import Source, Usage
from bot.domain.wishes import Form, Kind, Wish
from bot.engines.gemini.answer import (
    BLOCKS,
    NO_ROOM,
    NOT_DRAWN,
    NOTHINGS,
    REFUSALS,
    WORDS_ONLY,
    read_answer,
    usage_of,
)
from bot.engines.gemini.models import DEFAULT_MODEL, Prices, model_profile
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


def asked(*inputs: Provenance, **more: Any) -> EditRequest:
    sent = [Picture(b"", "image/png", 1, 1, provenance=provenance) for provenance in inputs or (Provenance.UNKNOWN,)]
    return EditRequest("make it night", tuple(sent), **more)


def read(
    body: dict[str, Any], request: EditRequest | None = None, *, usage: dict[str, Any] | None = None
) -> EngineAnswer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        response = GenerateContentResponse.model_validate({**body, "usageMetadata": usage or USAGE})
    return read_answer(response, model=MODEL, request=request or asked())


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
    assert read(candidate(picture()), asked(*inputs)).images[0].provenance is result


def test_words_alone_are_a_question_and_cost_what_they_cost() -> None:
    answer = read(candidate({"text": "Which one?"}), usage={"promptTokenCount": 1_000, "candidatesTokenCount": 40})
    assert answer == EngineAnswer((), "Which one?", Usage(1_000 * 3 // 2 + 40 * 15 // 2, 1_000, 40, DEFAULT_MODEL, 1))


def test_words_that_ask_nothing_come_with_a_hint_what_to_do() -> None:
    assert read(candidate({"text": "Here is your picture."})).note == WORDS_ONLY
    assert read(candidate({"text": "Here it is."}, finish_reason="MAX_TOKENS")).note == NO_ROOM
    assert read(candidate({"text": "It is dark; I stopped."})).note == WORDS_ONLY


@pytest.mark.parametrize("question", ["Which one?", "どれですか？", "أي واحد؟", "Ποιο από τα δύο;"])
def test_words_that_ask_need_no_hint(question: str) -> None:
    assert read(candidate({"text": question})).note == ""


TWO_MEN = "I see two men.\nASK: Which one should go?\nOPTION: The left one\nOPTION: The right one\nNEXT: Add snow"


def test_a_question_is_asked_in_one_line_with_answers_to_choose() -> None:
    answer = read(candidate({"text": TWO_MEN}))
    assert (answer.images, answer.remark, answer.note) == ((), "Which one should go?", "")
    assert answer.suggestions == ("The left one", "The right one")


def test_next_edits_come_with_the_picture_and_not_in_the_remark() -> None:
    answer = read(candidate({"text": "Night now."}, picture(), {"text": "Next: Add a moon\n- NEXT: Light the lamps"}))
    assert (answer.remark, answer.suggestions) == ("Night now.", ("Add a moon", "Light the lamps"))


def test_a_question_beside_a_picture_is_its_remark_with_its_answers_to_go_on() -> None:
    answer = read(candidate({"text": "ASK: Too dark?\nOPTION: A little lighter"}, picture()))
    assert (answer.remark, answer.suggestions) == ("Too dark?", ("A little lighter",))


def test_where_suggestions_are_turned_off_none_come_through() -> None:
    answer = read(candidate({"text": "Night now.\nNEXT: Add a moon"}, picture()), asked(may_suggest=False))
    assert (answer.remark, answer.suggestions) == ("Night now.", ())


PANELS = {"text": "PANEL 1: A fox.\nPANEL 2: A lantern.\nPANEL 3: Home.\nPANEL 4: One too many."}
STORY = Wish(form=Form.STORY, count=3)


def test_the_first_panel_of_a_story_brings_the_words_of_them_all() -> None:
    answer = read(candidate(PANELS, picture()), asked(wish=STORY))
    assert (answer.plan, answer.remark) == (("A fox.", "A lantern.", "Home."), "")


@pytest.mark.parametrize("request_", [asked(), asked(wish=STORY, panel=2), asked(wish=STORY, misread="FXO")])
def test_nothing_else_changes_the_plan_of_a_story(request_: EditRequest) -> None:
    assert read(candidate(PANELS, picture()), request_).plan == ()


def test_a_plan_without_its_picture_is_nothing() -> None:
    with pytest.raises(EngineGaveNothing):
        read(candidate(PANELS), asked(wish=STORY))


def test_an_explanation_may_be_longer_and_is_no_question() -> None:
    text = "Because blue light is scattered most. " * 60 + "\nNEXT: Why are sunsets red?"
    answer = read(candidate({"text": text}), asked(wish=Wish(kind=Kind.EXPLAIN)))
    assert 1_400 < len(answer.remark) <= 1_500
    assert (answer.suggestions, answer.note) == (("Why are sunsets red?",), "")


def test_an_explanation_that_should_have_been_drawn_says_that_it_was_not() -> None:
    wish = Wish(kind=Kind.EXPLAIN, drawn=True)
    assert read(candidate({"text": "It is scattered."}), asked(wish=wish)).note == NOT_DRAWN
    assert read(candidate({"text": "It is scattered."}, picture()), asked(wish=wish)).note == ""


def grounded(*chunks: dict[str, Any], searched: tuple[str, ...] = ()) -> dict[str, Any]:
    body = candidate({"text": "It is 330 m tall."})
    body["candidates"][0]["groundingMetadata"] = {"groundingChunks": chunks, "webSearchQueries": searched}
    return body


def page(uri: str | None, title: str | None = None) -> dict[str, Any]:
    return {"web": {"uri": uri, "title": title}}


def test_pages_and_searches_are_named_as_sources() -> None:
    body = grounded(
        page("https://a.example/eiffel", "Eiffel\n tower"), {}, searched=("how tall & old", "how tall & old")
    )
    assert read(body).sources == (
        Source("Eiffel tower", "https://a.example/eiffel"),
        Source("Google Search: how tall & old", "https://www.google.com/search?q=how+tall+%26+old"),
    )


@pytest.mark.parametrize(
    "uri",
    [
        *("http://a.example/", "javascript:alert(1)", "https://user@a.example/", "https://[::1", "https://localhost/"),
        *("https://a.example/ b", "https://a.example/\u202eb", 'https://a.example/"b', "https://", "", None),
    ],
)
def test_what_is_no_harmless_link_is_no_source(uri: str | None) -> None:
    assert read(grounded(page(uri, "A page"))).sources == ()


def test_sources_are_few_short_and_each_named_once() -> None:
    pages = [page(f"https://a.example/{number // 2}", "very long " * 50) for number in range(40)]
    sources = read(grounded(*pages, searched=tuple(f"{number} " * 200 for number in range(40)))).sources
    assert len({source.url for source in sources}) == len(sources) == 8
    assert max(len(source.title) for source in sources) <= 140
    assert read(grounded(page("https://a.example/x"))).sources == (Source("a.example", "https://a.example/x"),)


def test_searches_are_part_of_the_price() -> None:
    per_search = MODEL.prices.search // 1_000
    spent = [read(grounded(searched=queries)).usage.cost_microusd for queries in ((), ("one",), ("one", "two", "one"))]
    assert spent == [spent[0], spent[0] + per_search, spent[0] + 2 * per_search]
    assert per_search > 0


def test_what_was_sent_is_metered_by_kind_of_token() -> None:
    model = replace(MODEL, prices=Prices(1_000_000, 2_000_000, 30_000_000, 5_000_000, 7_000_000, 11_000_000))
    sent = [{"modality": "TEXT", "tokenCount": 100}, *[{"modality": "IMAGE", "tokenCount": 500}] * 2]
    figures = {"promptTokenCount": 1_150, "promptTokensDetails": [*sent, {"modality": "AUDIO", "tokenCount": 50}]}
    made = {"candidatesTokenCount": 10, "thoughtsTokenCount": 20}
    usage = usage_of(
        GenerateContentResponseUsageMetadata.model_validate({**figures, **made}), model=model, with_image=False
    )
    cost = 100 * 1 + 1_000 * 5 + 50 * 7 + 10 * 2 + 20 * 11
    assert usage == Usage(cost, 1_150, 30, DEFAULT_MODEL, 1)


def test_a_picture_is_metered_by_kind_of_token() -> None:
    assert read(candidate(picture())).usage == Usage(COST_MICROUSD, 1_400, 1_350, DEFAULT_MODEL, 1)


def test_output_of_unsaid_kind_is_charged_as_picture_where_there_is_one() -> None:
    usage = {"promptTokenCount": 0, "candidatesTokenCount": 1_120}
    assert read(candidate(picture()), usage=usage).usage.cost_microusd == 33_600


def test_a_picture_without_figures_is_charged_as_estimated() -> None:
    usage = read(candidate(picture()), usage={"trafficType": "ON_DEMAND"}).usage
    assert usage.cost_microusd == MODEL.estimate_microusd(images=1)


def test_without_figures_all_pictures_that_were_sent_are_counted() -> None:
    usage = read(candidate(picture()), asked(*[Provenance.UNKNOWN] * 3), usage={"trafficType": "ON_DEMAND"}).usage
    assert usage.cost_microusd == MODEL.estimate_microusd(images=3)


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
OPERATORS = {"PUP_LIMITED_DISABLED", "MISSING_THOUGHT_SIGNATURE"}
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


def test_reasons_that_mean_different_things_are_said_differently() -> None:
    assert len(set(NOTHINGS.values())) == len(NOTHINGS) - 1
    assert set(FinishReason.__members__) - {"FINISH_REASON_UNSPECIFIED", "STOP"} <= {*REFUSALS, *NOTHINGS, *OPERATORS}
    assert set(BlockedReason.__members__) - {"BLOCKED_REASON_UNSPECIFIED"} == set(BLOCKS)


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
