"""The fake Gemini is worth passing: it takes what the real one takes, and refuses what the real one refuses."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from google import genai
from google.auth.credentials import Credentials
from google.genai import errors, types
from PIL import Image, ImageChops, ImageOps, ImageStat

from bot.domain.images import Picture
from bot.domain.wishes import Form, Kind, Wish
from bot.engines.gemini.notes import notes_of
from bot.engines.gemini.prompt import prompt_for
from bot.ports import EditRequest
from tests.fakes import gemini as fakes
from tests.fakes.gemini import FakeGemini
from tests.pictures import image, photo, saved

ROOT = Path(__file__).parents[2]
CAT = photo("cat")
MODEL, TEXT_MODEL = "gemini-nano-banana-2.1", "gemini-3.5-flash-lite"


@pytest.fixture
async def fake() -> AsyncIterator[FakeGemini]:
    async with FakeGemini() as server:
        yield server


def request(**changes: Any) -> dict[str, Any]:
    blob = {"mimeType": "image/jpeg", "data": base64.b64encode(CAT).decode()}
    contents = [{"role": "user", "parts": [{"inlineData": blob}, {"text": "make it night"}]}]
    return {"contents": contents, "generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}, **changes}


def one_part(part: dict[str, Any]) -> dict[str, Any]:
    return request(contents=[{"parts": [part]}])


async def post(url: str, body: Any, *, key: str = "k", model: str = MODEL, version: str = "v1") -> tuple[int, Any]:
    headers = {"x-goog-api-key": key} if key else {}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{url}/{version}/models/{model}:generateContent", json=body) as response,
    ):
        return response.status, await response.json()


async def test_the_plain_sdk_is_served(fake: FakeGemini) -> None:
    """With its own base64 alphabet, and everything that it reads of an answer."""
    client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=fake.url))
    contents: list[Any] = [types.Part.from_bytes(data=CAT, mime_type="image/jpeg"), "make it night"]
    config = types.GenerateContentConfig(response_modalities=["TEXT", "IMAGE"])
    response = await client.aio.models.generate_content(model=MODEL, contents=contents, config=config)
    await client.aio.aclose()
    (part,) = response.parts or [types.Part()]
    assert part.inline_data is not None
    assert part.thought_signature
    assert response.usage_metadata is not None
    assert response.usage_metadata.candidates_token_count == 1_120
    assert fake.calls[0].pictures[0].size_bytes == len(CAT)


async def test_the_plain_sdk_reads_its_errors(fake: FakeGemini) -> None:
    fake.then(fakes.fails(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", retry_delay="7s"))
    client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=fake.url))
    with pytest.raises(errors.ClientError) as caught:
        await client.aio.models.generate_content(model=MODEL, contents="hello")
    await client.aio.aclose()
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_the_default_answer_is_a_visible_edit_in_the_same_size(fake: FakeGemini, version: str) -> None:
    _, body = await post(fake.url, request(), version=version)
    data = base64.b64decode(body["candidates"][0]["content"]["parts"][0]["inlineData"]["data"])
    with Image.open(BytesIO(data)) as after, Image.open(BytesIO(CAT)) as before:
        assert (after.format, after.size) == ("PNG", before.size)
        assert ImageChops.difference(after, before).getbbox() == (0, 0, *before.size)


async def test_the_same_words_give_the_same_edit_and_others_another(fake: FakeGemini) -> None:
    other = request()
    other["contents"][0]["parts"][1]["text"] = "make it day"
    first, again, another = [(await post(fake.url, body))[1]["candidates"] for body in (request(), request(), other)]
    assert first == again != another


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "Invalid value"),
        ({}, "contents is not specified"),
        (request(contents=[]), "contents is not specified"),
        (request(contents=[{"parts": []}]), "must not be empty"),
        (request(contents=[{"role": "wizard", "parts": [{"text": "x"}]}]), "valid role"),
        (request(mood="good"), 'Unknown name "mood"'),
        (request(generationConfig={"style": "van Gogh"}), 'Unknown name "style"'),
        (request(generationConfig={"imageConfig": {"imageSize": "1k"}}), "image_size"),
        (request(generationConfig={"imageConfig": {"aspectRatio": "7:5"}}), "aspect_ratio"),
        (request(generationConfig={"imageConfig": {"outputMimeType": "image/jpeg"}}), "Unknown name"),
        (request(generationConfig={"responseModalities": ["SMELL"]}), "responseModalities"),
        (one_part({}), "oneof"),
        (one_part({"text": "x", "inlineData": {}}), "oneof"),
        (one_part({"inlineData": {"mimeType": "image/gif", "data": ""}}), "MIME"),
        (one_part({"inlineData": {"mimeType": "image/png", "data": "%%%"}}), "Base64"),
        (one_part({"inlineData": {"mimeType": "image/png", "data": "bm8gcGljdHVyZQ=="}}), "process input image"),
    ],
)
async def test_what_the_real_api_would_not_take_is_refused(fake: FakeGemini, body: Any, says: str) -> None:
    status, answer = await post(fake.url, body)
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert says in answer["error"]["message"]
    assert (fake.calls, len(fake.refused)) == ([], 1)


async def test_each_model_has_its_own_limits(fake: FakeGemini) -> None:
    picture = request()["contents"][0]["parts"][0]
    crowd = request(contents=[{"parts": [picture] * 4}])
    ruled = request(systemInstruction={"parts": [{"text": "Be brief."}]})
    sized = request(generationConfig={"imageConfig": {"imageSize": "2K"}})
    statuses = [
        (await post(fake.url, body, model=model))[0]
        for body, model in (
            (crowd, "gemini-2.5-flash-image"),
            (ruled, "gemini-2.5-flash-image"),
            (sized, "gemini-3.1-flash-lite-image"),
            (crowd, MODEL),
            (ruled, MODEL),
            (sized, MODEL),
        )
    ]
    assert statuses == [400, 400, 400, 200, 200, 200]


async def test_a_request_over_20_mb_is_refused(fake: FakeGemini) -> None:
    status, answer = await post(fake.url, one_part({"text": "x" * (20 * 1024 * 1024)}))
    assert (status, "payload size" in answer["error"]["message"]) == (400, True)


async def test_no_key_a_wrong_key_and_a_model_that_is_gone_are_told_apart() -> None:
    async with FakeGemini(api_key="right") as fake:
        none, _ = await post(fake.url, request(), key="")
        wrong, body = await post(fake.url, request(), key="wrong")
        gone, _ = await post(fake.url, request(), key="right", model="gemini-3.1-flash-image")
    assert (none, wrong, gone) == (403, 400, 404)
    assert body["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_the_published_schema_refuses_what_it_does_not_know() -> None:
    """Where the schema is not at hand the fake warns, and this holds by its own rules alone."""
    validator = fakes.published("GenerateContentRequest")
    strange = request(generationConfig={"responseModalities": ["SMELL"]})
    assert validator is None or (validator.is_valid(request()) and not validator.is_valid(strange))


# --- what its pictures show


def parts_of(answer: Any) -> list[Any]:
    return list(answer["candidates"][0]["content"].get("parts", []))


def words_of(answer: Any) -> str:
    return "\n".join(part["text"] for part in parts_of(answer) if "text" in part)


def bytes_of(answer: Any) -> bytes:
    (data,) = (part["inlineData"]["data"] for part in parts_of(answer) if "inlineData" in part)
    return base64.b64decode(data)


def drawn(answer: Any) -> Image.Image:
    return Image.open(BytesIO(bytes_of(answer))).convert("RGB")


def blob(data: bytes, media_type: str = "image/jpeg") -> dict[str, Any]:
    return {"inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode()}}


def distance(one: Image.Image, other: Image.Image) -> float:
    """How far apart two pictures are, whatever their sizes: 0 to 255."""
    same = [ImageOps.fit(picture.convert("RGB"), (32, 32)) for picture in (one, other)]
    return sum(ImageStat.Stat(ImageChops.difference(*same)).mean) / 3


async def test_which_pictures_came_and_in_which_order_shows_in_the_result(fake: FakeGemini) -> None:
    order = ["rocket", "cat", "astronaut", "coffee", "cat"]
    body = request(contents=[{"parts": [*(blob(photo(name)) for name in order), {"text": "a collage"}]}])
    result = drawn((await post(fake.url, body))[1])
    thumbnails = [result.crop(box) for box in fakes.strip_boxes(result.size, len(order))]
    seen = [min(set(order), key=lambda name: distance(image(name), each)) for each in thumbnails]
    assert seen == order


@pytest.mark.parametrize(
    ("names", "config", "size"),
    [
        (["rocket"], {}, (640, 427)),
        (["rocket", "astronaut"], {}, (512, 512)),
        (["rocket"], {"aspectRatio": "1:1"}, (528, 528)),
        (["cat"], {"imageSize": "2K"}, (2512, 1664)),
        (["astronaut"], {"imageSize": "4K", "aspectRatio": "16:9"}, (5456, 3072)),
        ([], {"aspectRatio": "16:9"}, (1360, 768)),
        ([], {}, (1024, 1024)),
    ],
)
async def test_a_result_has_the_shape_and_size_asked_for_or_that_of_the_last_picture(
    fake: FakeGemini, names: list[str], config: dict[str, str], size: tuple[int, int]
) -> None:
    contents = [{"parts": [*(blob(photo(name)) for name in names), {"text": "x"}]}]
    _, answer = await post(fake.url, request(contents=contents, generationConfig={"imageConfig": config}))
    with Image.open(BytesIO(bytes_of(answer))) as result:
        assert result.size == size


async def test_from_words_alone_it_draws_a_scene_by_these_words(fake: FakeGemini) -> None:
    sea, again, hills = [
        drawn((await post(fake.url, request(contents=[{"parts": [{"text": words}]}])))[1])
        for words in ("a lighthouse by the sea", "a lighthouse by the sea", "a village in the hills")
    ]
    assert distance(sea, again) == 0
    assert distance(sea, hills) > 10
    assert len(sea.resize((64, 64)).getcolors(4096) or ()) > 300


async def test_a_painted_checkerboard_is_no_transparency(fake: FakeGemini) -> None:
    fake.then(fakes.paints_checkerboard())
    result = drawn((await post(fake.url, request()))[1])
    assert [result.getpixel((x, 2)) for x in (2, 18, 34)] == [(255,) * 3, (204,) * 3, (255,) * 3]
    middle = (150, 100, 300, 200)
    assert distance(result.crop(middle), image("cat").crop(middle)) < 40


# --- what our prompts ask for, in the engine's own words


def asked(edit: EditRequest, **config: Any) -> dict[str, Any]:
    """A request as the engine words it."""
    prompt = prompt_for(edit)
    parts = [{"text": part} if isinstance(part, str) else blob(part.data, part.media_type) for part in prompt.parts]
    return request(
        contents=[{"role": "user", "parts": parts}],
        systemInstruction={"parts": [{"text": prompt.system}]},
        generationConfig={"responseModalities": ["TEXT", "IMAGE"], **config},
    )


def an_edit(words: str = "make it night", name: str = "cat", **changes: Any) -> EditRequest:
    return EditRequest(words, (Picture(photo(name), "image/jpeg", *image(name).size),), **changes)


async def test_next_edits_are_suggested_where_they_are_asked_for(fake: FakeGemini) -> None:
    _, wanted = await post(fake.url, asked(an_edit()))
    _, unwanted = await post(fake.url, asked(an_edit(may_suggest=False)))
    assert len(notes_of(words_of(wanted)).suggestions) == 3
    assert words_of(unwanted) == ""
    assert [call.instruction for call in fake.calls] == ["make it night"] * 2


async def test_a_question_back_has_its_options_and_no_picture(fake: FakeGemini) -> None:
    fake.then(fakes.asks("Who should go?", "the man", "the woman"))
    _, answer = await post(fake.url, asked(an_edit("remove him")))
    notes = notes_of(words_of(answer))
    assert (notes.question, notes.options) == ("Who should go?", ("the man", "the woman"))
    assert len(parts_of(answer)) == 1


async def test_a_story_is_planned_by_its_first_panel_only(fake: FakeGemini) -> None:
    story = Wish(form=Form.STORY, count=6)
    first, third = [
        words_of((await post(fake.url, asked(an_edit("the cat's day", wish=story, panel=panel))))[1])
        for panel in (1, 3)
    ]
    plan = notes_of(first).plan
    assert (len(plan), len(set(plan)), third) == (6, 6, "")


async def test_a_question_is_answered_in_words_and_drawn_where_that_must_be(fake: FakeGemini) -> None:
    wishes = (Wish(kind=Kind.EXPLAIN), Wish(kind=Kind.EXPLAIN, drawn=True))
    answers = [(await post(fake.url, asked(EditRequest("Why is the sky blue?", (), wish=wish))))[1] for wish in wishes]
    assert [["inlineData" in part for part in parts_of(answer)] for answer in answers] == [[False], [False, True]]
    assert all("Why is the sky blue?" in words_of(answer) for answer in answers)


@pytest.mark.parametrize(("greener", "key"), [(0.0, (0, 255, 0)), (0.5, (255, 0, 255))])
async def test_for_transparency_the_subject_stands_on_a_flat_key_colour_that_it_lacks(
    fake: FakeGemini, greener: float, key: tuple[int, int, int]
) -> None:
    cat = image("cat")
    green = Image.blend(cat, Image.new("RGB", cat.size, (40, 200, 60)), greener)
    edit = EditRequest(
        "cut it out", (Picture(saved(green, "PNG"), "image/png", *cat.size),), wish=Wish(transparent=True)
    )
    result = drawn((await post(fake.url, asked(edit)))[1])
    edges = [result.crop(box).getcolors() for box in ((0, 0, 451, 8), (0, 0, 40, 300), (411, 0, 451, 300))]
    assert edges == [[(451 * 8, key)], [(40 * 300, key)], [(40 * 300, key)]]
    middle = (150, 100, 300, 200)
    assert distance(result.crop(middle), green.crop(middle)) < 40


async def test_lettering_is_drawn_and_read_back_as_it_was_spelled(fake: FakeGemini) -> None:
    wish = Wish(lettering=("HAPPY BIRTHDAY", 'Zoë "Z" 5'))
    fake.then(fakes.misspells())
    wrong, right, plain = [
        bytes_of((await post(fake.url, asked(an_edit(wish=each))))[1]) for each in (wish, wish, Wish())
    ]
    read = [words_of(await told(fake, blob(data, "image/png"))) for data in (wrong, right, plain)]
    assert read == ['AHPPY BIRTHDAY\noZë "Z" 5', 'HAPPY BIRTHDAY\nZoë "Z" 5', ""]
    assert distance(Image.open(BytesIO(right)), Image.open(BytesIO(plain))) > 10


# --- text models


async def told(fake: FakeGemini, part: Any, model: str = TEXT_MODEL) -> Any:
    """What a text model answers to one file."""
    return (await post(fake.url, {"contents": [{"parts": [{"text": "Write it down."}, part]}]}, model=model))[1]


@pytest.mark.parametrize(
    "media_type", ["audio/wav", "audio/ogg", "audio/mp3", "audio/aac", "audio/flac", "audio/m4a", "audio/webm"]
)
async def test_a_text_model_hears_what_is_said_and_an_image_model_has_no_ears(
    fake: FakeGemini, media_type: str
) -> None:
    sound = blob(fakes.spoken("mach es Nacht, größer", media_type), media_type)
    assert words_of(await told(fake, sound)) == "mach es Nacht, größer"
    assert "Audio input" in (await told(fake, sound, MODEL))["error"]["message"]
    assert "error" in await told(fake, blob(b"no sound", media_type))


async def test_what_a_sound_says_can_be_told_beforehand(fake: FakeGemini) -> None:
    recording = b"OggS from a real microphone"
    fake.sounds[hashlib.sha256(recording).hexdigest()] = "add a hat"
    fake.then(fakes.hears("add a scarf"))
    _, picture = await post(fake.url, request())
    heard = [words_of(await told(fake, blob(recording, "audio/ogg"))) for _ in range(2)]
    assert (heard, words_of(picture)) == (["add a scarf", "add a hat"], "")


async def test_what_a_picture_says_can_be_told_beforehand(fake: FakeGemini) -> None:
    fake.then(fakes.reads("HAPY BIRTHDAY"))
    _, edit = await post(fake.url, request())
    assert words_of(await told(fake, blob(bytes_of(edit), "image/png"))) == "HAPY BIRTHDAY"


async def test_of_what_it_gives_a_request_may_want_one_kind_only(fake: FakeGemini) -> None:
    only = [request(generationConfig={"responseModalities": [kind]}) for kind in ("TEXT", "IMAGE")]
    fake.then(fakes.edits("Done."), fakes.edits("Done."))
    answers = [(await post(fake.url, body))[1] for body in only]
    assert [[*part] for answer in answers for part in parts_of(answer)] == [
        ["text", "thoughtSignature"],
        ["inlineData", "thoughtSignature"],
    ]


# --- limits that a model or a door has


HATE = {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_ONLY_HIGH"}
SEARCH: dict[str, Any] = {"googleSearch": {}}
FUNCTIONS = {"functionDeclarations": [{"name": "f", "description": "d"}]}
LITE = "gemini-3.1-flash-lite-image"


def thinking(**config: Any) -> dict[str, Any]:
    return request(generationConfig={"thinkingConfig": config})


@pytest.mark.parametrize(
    ("model", "body", "says"),
    [
        (MODEL, thinking(thinkingLevel="LOW"), "Thinking level LOW"),
        (MODEL, thinking(thinkingLevel="high"), "thinkingLevel"),
        (MODEL, thinking(thinkingLevel="HIGH", thinkingBudget=5), "only one of"),
        ("gemini-2.5-flash-image", thinking(thinkingLevel="HIGH"), "not supported"),
        (MODEL, request(safetySettings=[{**HATE, "threshold": "BLOCK_SOME"}]), "safetySettings.0.threshold"),
        (MODEL, request(safetySettings=[{**HATE, "category": "HARM_CATEGORY_MEDICAL"}]), "HARM_CATEGORY_MEDICAL"),
        (MODEL, request(safetySettings=[{**HATE, "method": "SEVERITY"}]), 'Unknown name "method"'),
        (MODEL, request(safetySettings=[HATE, HATE]), "duplicate"),
        (LITE, request(tools=[SEARCH]), "Search as tool"),
        (MODEL, request(tools=[FUNCTIONS]), "Function calling"),
        (TEXT_MODEL, request(generationConfig={}, tools=[SEARCH, FUNCTIONS]), "function calling"),
        (MODEL, request(tools=[{"crystalBall": {}}]), 'Unknown name "crystalBall"'),
        (TEXT_MODEL, request(), "response modalities"),
        (MODEL, request(generationConfig={"candidateCount": 2}), "Multiple candidates"),
        (MODEL, request(generationConfig={"responseMimeType": "application/json"}), "JSON mode"),
        (MODEL, request(generationConfig={"imageConfig": {"personGeneration": "ALLOW_ALL"}}), "Unknown name"),
        ("gemini-3-pro-image", request(generationConfig={"imageConfig": {"aspectRatio": "1:8"}}), "aspect_ratio"),
    ],
)
async def test_what_this_model_does_not_take_is_refused(fake: FakeGemini, model: str, body: Any, says: str) -> None:
    status, answer = await post(fake.url, body, model=model)
    assert (status, says in answer["error"]["message"]) == (400, True), answer
    assert fake.calls == []


async def test_what_this_model_takes_is_taken_and_seen(fake: FakeGemini) -> None:
    config = {"thinkingConfig": {"thinking_level": "HIGH", "include_thoughts": True}}
    status, answer = await post(fake.url, request(generationConfig=config, safetySettings=[HATE], tools=[SEARCH]))
    (call,) = fake.calls
    assert (status, call.tools, call.safety) == (200, ("googleSearch",), {HATE["category"]: HATE["threshold"]})
    assert parts_of(answer)[0]["thought"]


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        ("", "missing a thought_signature in content position 2, part position 1."),
        ("bWFkZSB1cA==", "Corrupted thought signature."),
        (fakes.SIGNATURE, ""),
        (base64.b64encode(b"skip_thought_signature_validator").decode(), ""),
    ],
)
async def test_a_picture_of_its_own_must_come_back_with_its_signature(
    fake: FakeGemini, signature: str, said: str
) -> None:
    made = {**blob(CAT), **({"thoughtSignature": signature} if signature else {})}
    history = [{"parts": [{"text": "draw"}]}, {"role": "model", "parts": [made]}, {"parts": [{"text": "larger"}]}]
    _, answer = await post(fake.url, request(contents=history))
    assert answer.get("error", {"message": ""})["message"].endswith(said)
    assert len(fake.calls) == (not said)


async def test_a_search_names_its_sources(fake: FakeGemini) -> None:
    fake.then(fakes.cites(("A page", "https://example.com/a?b=c")))
    cited, usual = [(await post(fake.url, request(tools=[SEARCH])))[1]["candidates"][0] for _ in range(2)]
    assert cited["groundingMetadata"]["groundingChunks"] == [
        {"web": {"title": "A page", "uri": "https://example.com/a?b=c"}}
    ]
    assert usual["groundingMetadata"]["webSearchQueries"] == ["make it night"]


async def test_usage_is_told_by_kind_and_a_larger_picture_costs_more(fake: FakeGemini) -> None:
    sizes = [request(generationConfig={"imageConfig": {"imageSize": size}}) for size in ("1K", "2K", "4K")]
    figures = [(await post(fake.url, body))[1]["usageMetadata"] for body in sizes]
    heard = (await told(fake, blob(fakes.spoken("make it night"), "audio/wav")))["usageMetadata"]
    assert [each["candidatesTokensDetails"] for each in figures] == [
        [{"modality": "IMAGE", "tokenCount": tokens}] for tokens in (1_120, 1_680, 3_780)
    ]
    assert {"modality": "IMAGE", "tokenCount": 1_120} in figures[0]["promptTokensDetails"]
    assert [each["modality"] for each in heard["promptTokensDetails"]] == ["TEXT", "AUDIO"]
    assert heard["totalTokenCount"] > heard["promptTokenCount"] + heard["thoughtsTokenCount"]


# --- failures


@pytest.mark.parametrize(
    ("behaviour", "status", "said"),
    [
        (fakes.exhausts("minute", "7s"), 429, ["GenerateRequestsPerMinutePerProjectPerModel", '"7s"']),
        (fakes.exhausts("day"), 429, ["GenerateRequestsPerDayPerProjectPerModel", "QuotaFailure"]),
        (fakes.exhausts("spend"), 429, ["SpendPerTenMinutes", "RetryInfo"]),
        (fakes.overloaded(), 503, ["UNAVAILABLE", "overloaded"]),
    ],
)
async def test_too_much_is_said_with_the_real_ones_details(
    fake: FakeGemini, behaviour: fakes.Behaviour, status: int, said: list[str]
) -> None:
    fake.then(behaviour)
    got, answer = await post(fake.url, request())
    assert (got, [word for word in said if word not in json.dumps(answer)]) == (status, [])
    assert (await post(fake.url, request()))[0] == 200


async def test_a_slow_answer_comes_whole_and_a_cut_one_does_not(fake: FakeGemini) -> None:
    fake.then(fakes.drips(every_ms=1), fakes.drips(every_ms=1, cut_after_bytes=60_000))
    _, answer = await post(fake.url, request())
    assert drawn(answer).size == (451, 300)
    with pytest.raises(aiohttp.ClientPayloadError):
        await post(fake.url, request())
    assert (fake.posts, fake.abandoned) == (2, 0)


async def test_names_newer_than_the_sdk_are_passed_on(fake: FakeGemini) -> None:
    made = [{"modality": "HOLOGRAM", "tokenCount": 7}]
    fake.then(fakes.edits().using(candidatesTokensDetails=made), fakes.refuses("UNHEARD_OF"), fakes.blocks("WHIM"))
    edited, stopped, blocked = [(await post(fake.url, request()))[1] for _ in range(3)]
    assert edited["usageMetadata"]["candidatesTokensDetails"] == made
    assert stopped["candidates"][0]["finishReason"] == "UNHEARD_OF"
    assert blocked["promptFeedback"]["blockReason"] == "WHIM"


async def test_models_that_are_busy_or_gone_stay_so_and_others_stand_in(fake: FakeGemini) -> None:
    fake.overloaded, fake.gone = {MODEL}, {LITE}
    statuses = [(await post(fake.url, request(), model=model))[0] for model in (MODEL, LITE, "gemini-3-pro-image") * 2]
    assert statuses == [503, 404, 200] * 2


async def test_a_failure_can_wait_for_its_model(fake: FakeGemini) -> None:
    fake.then(fakes.fails(500).on("gemini-3-pro-image"), fakes.refuses("SPII"))
    _, refused = await post(fake.url, request())
    failed, _ = await post(fake.url, request(), model="gemini-3-pro-image")
    assert (refused["candidates"][0]["finishReason"], failed) == ("SPII", 500)


# --- the SDK, at both doors


@asynccontextmanager
async def sdk(fake: FakeGemini, **who: Any) -> AsyncIterator[genai.Client]:
    client = genai.Client(**who, http_options=types.HttpOptions(base_url=fake.url))
    yield client
    await client.aio.aclose()


class Token(Credentials):
    """Of somebody who is signed in to Google Cloud."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.token = "a-token"

    def refresh(self, _: Any) -> None:
        self.token = "a-token"


@pytest.mark.parametrize(
    "who",
    [{"enterprise": True, "api_key": "a-token"}, {"enterprise": True, "project": "p", "location": "global"}],
    ids=["with a key", "of a project"],
)
async def test_the_sdk_is_served_at_the_door_of_vertex(who: dict[str, Any]) -> None:
    who = who if "api_key" in who else {**who, "credentials": Token()}
    image_config = types.ImageConfig(person_generation="ALLOW_ADULT", output_mime_type="image/jpeg")
    config = types.GenerateContentConfig(response_modalities=["IMAGE"], image_config=image_config)
    async with FakeGemini(api_key="a-token") as fake, sdk(fake, **who) as client:
        found = await client.aio.models.get(model=MODEL)
        response = await client.aio.models.generate_content(model=MODEL, contents="a lighthouse", config=config)
        fake.gone = {MODEL}
        with pytest.raises(errors.ClientError):
            await client.aio.models.get(model=MODEL)
    assert (found.name, fake.calls[0].vertex) == (f"publishers/google/models/{MODEL}", True)
    assert [part.inline_data.mime_type for part in response.parts or [] if part.inline_data] == ["image/jpeg"]


async def test_the_sdk_is_told_of_a_models_end(fake: FakeGemini) -> None:
    fake.retiring = {MODEL: "2026-12-31"}
    fake.then(fakes.retires("2027-01-15", "DEPRECATED"))
    async with sdk(fake, enterprise=False, api_key="k") as client:
        ends = [
            (await client.aio.models.generate_content(model=model, contents="a tree")).model_status
            for model in (LITE, MODEL, "gemini-3-pro-image")
        ]
        actions = (await client.aio.models.get(model=TEXT_MODEL)).supported_actions
    told = [(end.model_stage.value, end.retirement_time.date().isoformat()) for end in ends if end]  # type: ignore[union-attr]
    assert (told, ends[2]) == ([("DEPRECATED", "2027-01-15"), ("LEGACY", "2026-12-31")], None)
    assert "generateContent" in (actions or [])


# --- as a process of its own


async def test_as_a_process_of_its_own_it_says_where_it_is_and_takes_a_script() -> None:
    arguments = ("-m", "tests.fakes.gemini", "--port", "0", "--overloaded", LITE, "--retiring", f"{MODEL}=2026-12-31")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with aiohttp.ClientSession() as session:
        await (await session.post(f"{url}/_script", json=[{"do": "refuses", "reason": "SPII", "delay_s": 0.01}])).read()
        _, refused = await post(url, request())
        _, edited = await post(url, request())
        busy, _ = await post(url, request(), model=LITE)
        await (await session.post(f"{url}/_script", json={"overloaded": [], "gone": [MODEL]})).read()
        statuses = [(await post(url, request(), model=model))[0] for model in (LITE, MODEL)]
        typo = await session.post(f"{url}/_script", json=[{"do": "refuse"}])
        report = await (await session.get(f"{url}/_calls")).json()
    process.terminate()
    assert await process.wait() == 0
    assert refused["candidates"][0]["finishReason"] == "SPII"
    assert edited["modelStatus"]["retirementTime"] == "2026-12-31T00:00:00Z"
    assert (busy, statuses, typo.status) == (503, [200, 404], 400)
    assert [call["instruction"] for call in report["calls"]] == ["make it night"] * 4
