"""An answer read piece by piece is the answer that google-genai reads in one go."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from google import genai
from google.genai import types
from google.genai.errors import UnknownApiResponseError
from hypothesis import given
from hypothesis import strategies as st

from bot.engines.gemini import failures, wire
from bot.engines.gemini.failures import failure_of
from bot.engines.gemini.wire import AnswerReader
from tests.pictures import SAMPLES

PHOTO = (SAMPLES / "astronaut.jpg").read_bytes()

Json = dict[str, Any]


def answer(*parts: Json) -> Json:
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": "STOP"}]}


def drawn(text: str, **beside: Any) -> Json:
    return {"inlineData": {"mimeType": "image/png", "data": text}, **beside}


def by_the_sdk(body: bytes) -> types.GenerateContentResponse:
    return types.GenerateContentResponse.model_validate(json.loads(body.decode()))


def by_us(pieces: list[bytes]) -> types.GenerateContentResponse:
    reader = AnswerReader()
    for piece in pieces:
        reader.feed(piece)
    response = by_the_sdk(reader.rest())
    reader.restore(response)
    return response


def without_signatures(response: types.GenerateContentResponse) -> types.GenerateContentResponse:
    for candidate in response.candidates or ():
        for part in (candidate.content.parts if candidate.content else None) or ():
            part.thought_signature = None if part.thought_signature is None else b""
    return response


def split(body: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(places)]


def rest_of(pieces: Iterable[bytes]) -> bytes:
    """What the SDK is given."""
    reader = AnswerReader()
    for piece in pieces:
        reader.feed(piece)
    return reader.rest()


def snake_case(text: str) -> str:
    return text.replace("inlineData", "inline_data").replace("thoughtSignature", "thought_signature")


def escaped(text: str) -> str:
    return text.replace("/", "\\/").replace("+", "\\u002B").replace("=", "\\u003d")


base64_texts = st.builds(
    lambda data, alphabet, padded: alphabet(data).decode().rstrip("" if padded else "="),
    st.binary(max_size=60),
    st.sampled_from([b64encode, urlsafe_b64encode]),
    st.booleans(),
)
texts = st.text(max_size=20) | st.sampled_from(
    ['"', "\\", '\\"data":"', '{"inlineData":{"data":"QUJD"}}', "candidates"]
)
parts = st.one_of(
    st.builds(lambda text: {"text": text}, texts),
    st.builds(drawn, base64_texts),
    st.builds(lambda text, signature: drawn(text, thoughtSignature=signature), base64_texts, base64_texts),
    st.builds(lambda text, data: {"functionCall": {"name": text, "args": {"data": data}}}, texts, base64_texts),
)
bodies = st.builds(
    lambda made, indent, ascii_only, escape: (escaped if escape else str)(
        json.dumps(answer(*made), indent=indent, ensure_ascii=ascii_only)
    ).encode(),
    st.lists(parts, max_size=4),
    st.sampled_from([None, 2, "\t"]),
    st.booleans(),
    st.booleans(),
)


@given(bodies, st.lists(st.integers(min_value=0), max_size=12))
def test_any_split_of_any_answer_is_what_the_sdk_reads(body: bytes, cuts: list[int]) -> None:
    assert by_us(split(body, cuts)) == without_signatures(by_the_sdk(body))


@given(bodies)
def test_an_answer_byte_by_byte_is_what_the_sdk_reads(body: bytes) -> None:
    assert by_us([bytes([each]) for each in body]) == without_signatures(by_the_sdk(body))


def outcome(read: Callable[[], types.GenerateContentResponse]) -> object:
    """What was read, or the kind of error."""
    try:
        return read()
    except ValueError as error:
        return type(error)


@given(
    st.text(alphabet='ABCwxz09+/-_= *é"\\nu03d\n', max_size=14), st.binary(max_size=12), st.lists(st.integers(0, 400))
)
def test_what_is_not_base64_is_judged_by_the_sdk(odd: str, before: bytes, cuts: list[int]) -> None:
    body = json.dumps(answer(drawn("§"))).replace("\\u00a7", b64encode(before).decode() + odd).encode()
    assert outcome(lambda: by_us(split(body, cuts))) == outcome(lambda: by_the_sdk(body))


@pytest.mark.parametrize(
    "text",
    ["AA=A", "AAA=AAAA", "AA==AA==", "AAAA====", "AB==", "+-+-", "+++++-", "AAAAA", "AA AA", "AAA*", "AA\\\\",
     "AAA\\\\", "AA\\nAA", "====", "A" * 400 + "+" * 400 + "-" * 400],
)  # fmt: skip
@pytest.mark.parametrize("step", [1, 3, 64, 10_000])
def test_broken_base64_is_the_same_error_as_the_sdks(text: str, step: int) -> None:
    body = json.dumps(answer(drawn("§"))).replace("\\u00a7", text).encode()
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    kind = outcome(lambda: by_the_sdk(body))
    assert isinstance(kind, type)
    assert outcome(lambda: by_us(pieces)) == kind


@given(st.integers(0, 2_000))
def test_an_answer_that_is_cut_off_is_no_answer(end: int) -> None:
    body = json.dumps(answer(drawn(b64encode(PHOTO[:1_200]).decode(), thoughtSignature="QUJD"))).encode()
    with pytest.raises(json.JSONDecodeError):
        by_us([body[: min(end, len(body) - 1)]])


@pytest.mark.parametrize("end", [b"", b"1", b"12"])
@pytest.mark.parametrize("alphabet", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("spelled", [str, escaped, snake_case])
@pytest.mark.parametrize("step", [701, 1_000_000])
def test_what_the_sdk_is_given_holds_neither_picture_nor_signature(
    end: bytes, alphabet: Callable[[bytes], bytes], spelled: Callable[[str], str], step: int
) -> None:
    text = alphabet(PHOTO + end).decode()
    body = spelled(json.dumps(answer(drawn(text, thoughtSignature=text), drawn(text)))).encode()
    assert len(rest_of(body[at : at + step] for at in range(0, len(body), step))) < 500


def test_data_that_is_not_a_picture_of_the_answer_is_left_alone() -> None:
    text = b64encode(PHOTO).decode()
    body = json.dumps({"inlineData": {"data": text}, "candidates": [{"inlineData": {"data": text}}]}).encode()
    assert rest_of([body]) == body


@pytest.mark.parametrize(
    ("beginning", "most_bytes"),
    [
        (b'{"text":"', wire.MOST_AROUND_BYTES),
        (b'{"candidates":[{"content":{"parts":[{"thoughtSignature":"', wire.MOST_ANSWER_BYTES),
        (b'{"candidates":[{"content":{"parts":[{"inlineData":{"data":"', wire.MOST_ANSWER_BYTES),
    ],
)
def test_an_answer_without_end_is_not_read_on(beginning: bytes, most_bytes: int) -> None:
    with pytest.raises(UnknownApiResponseError):
        rest_of([beginning, *[b"A" * 1_000_000] * (most_bytes // 1_000_000)])


# --- over the network, beside the SDK with a session of its own


BODY = json.dumps(answer({"text": "é"}, drawn(b64encode(PHOTO).decode(), thoughtSignature="QUJD"))).encode()
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answers every request as `answering` has it."""

    answering: Answering
    url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        return await self.answering(request)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_post("/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


def answers(body: bytes, *, status: int = 200, content_type: str = "application/json", gzip: bool = False) -> Answering:
    async def answering(_: web.Request) -> web.StreamResponse:
        response = web.Response(body=body, status=status, headers={"Content-Type": content_type})
        if gzip:
            response.enable_compression(web.ContentCoding.gzip)
        return response

    return answering


def breaks_off(*, after_bytes: int, promised_bytes: int | None) -> Answering:
    """In pieces of unknown length, where none is promised."""

    async def answering(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = promised_bytes
        await response.prepare(request)
        await response.write(BODY[:after_bytes])
        assert request.transport is not None
        request.transport.close()
        return response

    return answering


async def asked(url: str, session: aiohttp.ClientSession | None) -> object:
    """The answer without what differs from call to call, or the words of the error."""
    options = types.HttpOptions(
        base_url=url, aiohttp_client=session, retry_options=types.HttpRetryOptions(attempts=1), timeout=20_000
    )
    async with genai.Client(enterprise=False, api_key="k", http_options=options).aio as client:
        with wire.exchange([]) as pictures:
            try:
                response = await client.models.generate_content(model="m", contents="draw")
            except Exception as error:
                return failure_of(error).words
            pictures.restore(response)
    return told(response)


def told(response: types.GenerateContentResponse) -> Json:
    return without_signatures(response).model_dump(exclude={"sdk_http_response", "automatic_function_calling_history"})


async def both(url: str) -> tuple[object, object]:
    """What comes of it through the stream, and through the SDK alone."""
    async with aiohttp.ClientSession(middlewares=(wire.streaming,), response_class=wire.StreamedResponse) as session:
        return await asked(url, session), await asked(url, None)


@pytest.mark.parametrize(
    "answering",
    [
        answers(BODY),
        answers(BODY, gzip=True),
        answers(BODY, content_type="text/plain"),
        answers(BODY, content_type="application/json; charset=utf-8"),
        answers(b"\n " + BODY + b"\n"),
    ],
)
async def test_a_picture_over_the_network_is_what_the_sdk_alone_reads(server: Server, answering: Answering) -> None:
    server.answering = answering
    ours, plain = await both(server.url)
    assert ours == plain
    assert ours == told(by_the_sdk(BODY))


@pytest.mark.parametrize(
    ("answering", "words"),
    [
        (answers(b"<html>"), failures.UNREADABLE),
        (answers(BODY[:-1]), failures.UNREADABLE),
        (answers(BODY.replace(b"\xc3", b"\xff").replace(b"\\u00e9", b"\xff")), failures.UNREADABLE),
        (answers(b'{"error": {"code": 500, "message": "no", "status": "INTERNAL"}}', status=500), failures.STUMBLED),
        (answers(b"<html>", status=500, content_type="text/html"), failures.STUMBLED),
        (breaks_off(after_bytes=30_000, promised_bytes=len(BODY)), failures.BROKE_OFF),
        (breaks_off(after_bytes=30_000, promised_bytes=None), failures.BROKE_OFF),
        (breaks_off(after_bytes=len(BODY), promised_bytes=len(BODY) + 1), failures.BROKE_OFF),
        (breaks_off(after_bytes=0, promised_bytes=len(BODY)), failures.BROKE_OFF),
    ],
)
async def test_what_goes_wrong_over_the_network_is_the_same_error(
    server: Server, answering: Answering, words: str
) -> None:
    server.answering = answering
    assert await both(server.url) == (words, words)


async def test_an_answer_that_is_too_long_breaks_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_ANSWER_BYTES", len(BODY) - 1)
    server.answering = answers(BODY)
    ours, plain = await both(server.url)
    assert ours == failures.UNREADABLE
    assert plain == told(by_the_sdk(BODY))


async def test_two_calls_at_once_keep_their_pictures_apart(server: Server) -> None:
    pictures = [(SAMPLES / f"{name}.jpg").read_bytes() for name in ("cat", "coffee", "astronaut", "rocket")]
    waiting = iter(pictures)

    async def answering(_: web.Request) -> web.StreamResponse:
        return web.json_response(answer(drawn(b64encode(next(waiting)).decode())))

    server.answering = answering
    async with aiohttp.ClientSession(middlewares=(wire.streaming,), response_class=wire.StreamedResponse) as session:
        came = await asyncio.gather(*[asked(server.url, session) for _ in pictures])
    expected = [told(by_the_sdk(json.dumps(answer(drawn(b64encode(each).decode()))).encode())) for each in pictures]
    assert all(each in came for each in expected)
