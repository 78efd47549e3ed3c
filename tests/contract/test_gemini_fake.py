"""The fake Gemini is worth passing: it takes what the real one takes, and refuses what the real one refuses."""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from google import genai
from google.genai import errors, types
from PIL import Image, ImageChops

from tests.fakes import gemini as fakes
from tests.fakes.gemini import FakeGemini

ROOT = Path(__file__).parents[2]
CAT = (ROOT / "adapters/web/static/samples/cat.jpg").read_bytes()
MODEL = "gemini-nano-banana-2.1"


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


async def test_as_a_process_of_its_own_it_says_where_it_is_and_takes_a_script() -> None:
    arguments = ("-m", "tests.fakes.gemini", "--port", "0")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with aiohttp.ClientSession() as session:
        await (await session.post(f"{url}/_script", json=[{"do": "refuses", "reason": "SPII", "delay_s": 0.01}])).read()
        _, refused = await post(url, request())
        _, edited = await post(url, request())
        report = await (await session.get(f"{url}/_calls")).json()
    process.terminate()
    assert await process.wait() == 0
    assert refused["candidates"][0]["finishReason"] == "SPII"
    assert "content" in edited["candidates"][0]
    assert [call["instruction"] for call in report["calls"]] == ["make it night"] * 2
