"""A Gemini API on this machine, speaking the real wire protocol. Refuses what the real one would refuse.

    async with FakeGemini() as fake:
        fake.then(refuses("IMAGE_SAFETY"), fails(429, "RESOURCE_EXHAUSTED", retry_delay="3s"))
        ...                                     # point an engine at fake.url
        assert fake.posts == 2

Without a script it really edits: it tints the first picture and writes the instruction on it, so that a look shows
that the turn went through. By hand, or as a process of its own (see `--help`; it prints its URL on one line):

    python -m tests.fakes.gemini --port 8077 --delay 5
    curl -s localhost:8077/_calls
    curl -s localhost:8077/_script -d '[{"do": "refuses", "reason": "IMAGE_SAFETY"}, {"do": "says", "delay_s": 2}]'

Requests and answers are also checked against the published schema, ../shared/specs/vertex-generate-content.json beside
the repository, where that exists.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import hashlib
import json
import re
import signal
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont

SPEC = Path(__file__).parents[3] / "shared" / "specs" / "vertex-generate-content.json"
MAX_BODY_BYTES = 20 * 1024 * 1024
SIGNATURE = base64.b64encode(b"thought signature " * 60).decode()

_DROPPED = web.RequestKey("dropped", bool)
_JSON = {"Content-Type": "application/json; charset=UTF-8"}

Json = dict[str, Any]


# --- what it saw


@dataclass(frozen=True, slots=True)
class SentPicture:
    """One picture of a request."""

    sha256: str
    media_type: str
    width_px: int
    height_px: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Call:
    """One well-formed request, as it arrived. `order` tells words ("text") and pictures ("picture") apart."""

    model: str
    system: str
    texts: tuple[str, ...]
    pictures: tuple[SentPicture, ...]
    order: tuple[str, ...]
    config: Json
    body_bytes: int
    pixels: tuple[bytes, ...] = field(repr=False)

    @property
    def instruction(self) -> str:
        return "\n".join(line for line in self.texts[-1].splitlines() if line.strip("=")) if self.texts else ""


class Refused(Exception):
    """What the real API would not accept: becomes a Google error."""

    def __init__(self, status: int, name: str, message: str, *details: Json) -> None:
        super().__init__(message)
        self.status = status
        self.body = google_error(status, name, message, *details)


# --- what it does: one behaviour for each request


@dataclass(frozen=True, slots=True)
class Wire:
    """What goes onto the wire. `hang`: nothing ever. `drop_after_bytes`: cut the connection after so much of it."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    hang: bool = False
    drop_after_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Makes the answer to one call, after a while. A `checked` answer must be one that the published API allows."""

    answer: Callable[[Call], Json | Wire]
    delay_s: float = 0.0
    usage: Json | None = None
    checked: bool = True

    def slow(self, delay_s: float) -> Behaviour:
        return replace(self, delay_s=delay_s)

    def using(self, **figures: Any) -> Behaviour:
        """With these usage figures, as they stand on the wire (`promptTokenCount=…`)."""
        return replace(self, usage=figures)


def edits(remark: str = "", *, media_type: str = "image/png") -> Behaviour:
    """A real, visible edit of the first picture, in its size."""
    return Behaviour(lambda call: candidate(*_words(remark), picture_part(edited(call, media_type), media_type)))


def draws_drafts(count: int = 2) -> Behaviour:
    """Thoughts and drafts before the picture that counts, as models do."""

    def answer(call: Call) -> Json:
        drafts = [picture_part(edited(call, note=f"draft {number}"), "image/png") for number in range(1, count + 1)]
        thoughts = [
            {"text": "Planning the picture.", "thought": True},
            *({**draft, "thought": True} for draft in drafts),
        ]
        return candidate(*thoughts, *drafts, picture_part(edited(call), "image/png"))

    return Behaviour(answer)


def gives(data: bytes, media_type: str = "image/png", remark: str = "") -> Behaviour:
    """Exactly these bytes as a picture, whatever they are."""
    return Behaviour(lambda _: candidate(*_words(remark), picture_part(data, media_type)))


def says(text: str = "Which of the two should I change?") -> Behaviour:
    return Behaviour(lambda _: candidate({"text": text}))


def refuses(reason: str = "IMAGE_SAFETY", *, checked: bool = False) -> Behaviour:
    """The model began and was stopped: no content. Not `checked`: some reasons are of this API only."""
    stopped = {"finishReason": reason, "finishMessage": f"Internal: {reason} raised by policy 0x5f.", "index": 0}
    return Behaviour(lambda _: {"candidates": [stopped]}, checked=checked)


def blocks(reason: str = "PROHIBITED_CONTENT") -> Behaviour:
    """The prompt never reached the model: no candidates."""
    return Behaviour(lambda _: {"promptFeedback": {"blockReason": reason}}, checked=False)


def gives_nothing() -> Behaviour:
    return Behaviour(lambda _: {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP", "index": 0}]})


def fails(
    status: int,
    name: str = "INTERNAL",
    message: str = "An internal error has occurred.",
    *,
    retry_delay: str = "",
    quota_id: str = "",
    reason: str = "",
) -> Behaviour:
    """A Google error with the details that the real one gives."""
    details: list[Json] = []
    if reason:
        details.append({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason})
    if quota_id:
        details.append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota_id}]})
    if retry_delay:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry_delay})
    body = json.dumps(google_error(status, name, message, *details)).encode()
    return Behaviour(lambda _: Wire(body, status))


def garbles(status: int = 502) -> Behaviour:
    """Says that it is JSON, and is not."""
    return Behaviour(lambda _: Wire(b'{"candidates": [{"content": {"parts": [<html>', status))


def redirects(to: str) -> Behaviour:
    return Behaviour(lambda _: Wire(b"{}", 307, {"Location": to}))


def hangs() -> Behaviour:
    return Behaviour(lambda _: Wire(hang=True))


def drops(after_bytes: int = 0) -> Behaviour:
    """Takes the whole request, then cuts the connection, after so many bytes of the answer."""
    return Behaviour(lambda call: Wire(_json_bytes(edits().answer(call)), drop_after_bytes=after_bytes))


def answers(body: Json) -> Behaviour:
    """Exactly this JSON, unchecked."""
    return Behaviour(lambda _: Wire(json.dumps(body).encode()))


BEHAVIOURS: Mapping[str, Callable[..., Behaviour]] = {
    made.__name__: made
    for made in (edits, draws_drafts, says, refuses, blocks, gives_nothing, fails, garbles, hangs, drops, answers)
}


def _words(remark: str) -> list[Json]:
    return [{"text": remark, "thoughtSignature": SIGNATURE}] if remark else []


def _json_bytes(body: Json | Wire) -> bytes:
    return body.body if isinstance(body, Wire) else json.dumps(body).encode()


# --- the shapes of the wire


def candidate(*parts: Json, finish_reason: str = "STOP") -> Json:
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "finishReason": finish_reason, "index": 0}]}


def picture_part(data: bytes, media_type: str) -> Json:
    blob = {"mimeType": media_type, "data": base64.b64encode(data).decode()}
    return {"inlineData": blob, "thoughtSignature": SIGNATURE}


def google_error(status: int, name: str, message: str, *details: Json) -> Json:
    return {"error": {"code": status, "message": message, "status": name, "details": list(details)}}


def usage_for(call: Call, body: Json) -> Json:
    """Plausible figures: pictures count 1,120 tokens each, four characters of words one, thoughts 120."""
    parts = [part for each in body.get("candidates", []) for part in each.get("content", {}).get("parts", [])]
    image_tokens = 1_120 * sum("inlineData" in part for part in parts)
    word_tokens = sum(len(part.get("text", "")) for part in parts) // 4
    prompt_tokens = sum(map(len, (call.system, *call.texts))) // 4 + 1_120 * len(call.pictures)
    made = [("IMAGE", image_tokens), ("TEXT", word_tokens)]
    return {
        "promptTokenCount": prompt_tokens,
        "candidatesTokenCount": image_tokens + word_tokens,
        "totalTokenCount": prompt_tokens + image_tokens + word_tokens + 120,
        "thoughtsTokenCount": 120,
        "candidatesTokensDetails": [{"modality": kind, "tokenCount": count} for kind, count in made if count],
    }


def edited(call: Call, media_type: str = "image/png", note: str = "") -> bytes:
    """The first picture of a call, tinted by the instruction and with the instruction written on it. Deterministic."""
    with Image.open(BytesIO(call.pixels[0])) as opened:
        before = opened.convert("RGB")
    tint = tuple(64 + value // 2 for value in hashlib.sha256(call.instruction.encode()).digest()[:3])
    after = Image.blend(before, Image.new("RGB", before.size, tint), 0.35)
    draw = ImageDraw.Draw(after)
    bar_px = max(12, after.height // 12)
    draw.rectangle((0, after.height - bar_px, after.width, after.height), fill=(20, 20, 24))
    words = " ".join(f"{note} {call.instruction}".split())[:120]
    draw.text((bar_px // 4, after.height - bar_px * 0.85), words, "white", ImageFont.load_default(bar_px * 0.6))
    out = BytesIO()
    after.save(out, media_type.removeprefix("image/"), **({"compress_level": 1} if media_type == "image/png" else {}))
    return out.getvalue()


# --- what the real API refuses


@dataclass(frozen=True, slots=True)
class Model:
    """What a model takes. `sizes` empty: a size may not be named."""

    max_pictures: int = 14
    sizes: tuple[str, ...] = ("1K", "2K", "4K")
    system_instruction: bool = True


MODELS: Mapping[str, Model] = {
    "gemini-nano-banana-2.1": Model(),
    "gemini-3-pro-image": Model(),
    "gemini-3.1-flash-lite-image": Model(sizes=("1K",)),
    "gemini-2.5-flash-image": Model(max_pictures=3, sizes=(), system_instruction=False),
}

RATIOS = {"1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9", "1:4", "4:1", "1:8", "8:1"}
PICTURE_TYPES = {"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}
FIELDS: Mapping[str, set[str]] = {
    "request": {"contents", "generationConfig", "safetySettings", "systemInstruction", "tools", "toolConfig", "labels"},
    "content": {"role", "parts"},
    "part": {"text", "inlineData", "thought", "thoughtSignature"},
    "inline_data": {"mimeType", "data"},
    "generation_config": {"responseModalities", "imageConfig", "thinkingConfig", "seed", "candidateCount"},
    "image_config": {"aspectRatio", "imageSize"},
}


def invalid(message: str, *details: Json) -> Refused:
    return Refused(400, "INVALID_ARGUMENT", message, *details)


def call_from(model_id: str, raw: bytes, models: Mapping[str, Model]) -> Call:
    """The request as a value. Raises `Refused` where the real API would."""
    if len(raw) > MAX_BODY_BYTES:
        raise invalid(f"Request payload size exceeds the limit: {MAX_BODY_BYTES} bytes.")
    model = models.get(model_id)
    if model is None:
        raise Refused(404, "NOT_FOUND", f"models/{model_id} is not found for API version v1, or is not supported.")
    try:
        body = _camel(json.loads(raw))
    except ValueError:
        raise invalid("Invalid JSON payload received.") from None
    _only("request", body)
    if not body.get("contents"):
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    parts = [part for content in body["contents"] for part in _parts_of(content)]
    texts, pixels = [part["text"] for part in parts if "text" in part], _pixels_of(parts)
    pictures = tuple(_sent(part, data) for part, data in zip(_with_data(parts), pixels, strict=True))
    if len(pictures) > model.max_pictures:
        raise invalid(f"Please use at most {model.max_pictures} images.")
    config = body.get("generationConfig", {})
    _check_config(config, model)
    system = [part["text"] for part in _parts_of(body["systemInstruction"])] if "systemInstruction" in body else []
    if system and not model.system_instruction:
        raise invalid(f"Developer instruction is not enabled for models/{model_id}")
    _check_published("GenerateContentRequest", body)
    order = tuple("text" if "text" in part else "picture" for part in parts)
    return Call(model_id, "\n".join(system), tuple(texts), pictures, order, config, len(raw), pixels)


def _only(what: str, given: Any) -> None:
    if not isinstance(given, dict):
        raise invalid(f'Invalid value at "{what}".')
    if unknown := set(given) - FIELDS[what]:
        raise invalid(
            f'Invalid JSON payload received. Unknown name "{sorted(unknown)[0]}" at "{what}": Cannot find field.'
        )


def _parts_of(content: Any) -> list[Json]:
    _only("content", content)
    if content.get("role", "user") not in ("user", "model"):
        raise invalid("Please use a valid role: user, model.")
    parts = content.get("parts") or []
    if not parts:
        raise invalid("* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n")
    for part in parts:
        _only("part", part)
        if len(part.keys() & {"text", "inlineData"}) != 1:
            raise invalid(
                "* GenerateContentRequest.contents[0].parts[0].data: required oneof field 'data' must have one"
            )
    return list(parts)


def _with_data(parts: Sequence[Json]) -> list[Json]:
    return [part["inlineData"] for part in parts if "inlineData" in part]


def _pixels_of(parts: Sequence[Json]) -> tuple[bytes, ...]:
    """Both alphabets of base64 are taken, as the real one does."""
    found = []
    for blob in _with_data(parts):
        _only("inline_data", blob)
        if blob.get("mimeType") not in PICTURE_TYPES:
            raise invalid(f"Unsupported MIME type: {blob.get('mimeType')}")
        try:
            found.append(base64.b64decode(str(blob.get("data")).replace("-", "+").replace("_", "/"), validate=True))
        except binascii.Error:
            raise invalid("Base64 decoding failed") from None
    return tuple(found)


def _sent(blob: Json, data: bytes) -> SentPicture:
    try:
        with Image.open(BytesIO(data)) as image:
            width_px, height_px = image.size
    except OSError:
        raise invalid("Unable to process input image. Please retry or report an issue.") from None
    return SentPicture(hashlib.sha256(data).hexdigest(), blob["mimeType"], width_px, height_px, len(data))


def _check_config(config: Any, model: Model) -> None:
    _only("generation_config", config)
    modalities = config.get("responseModalities", [])
    if unknown := set(modalities) - {"TEXT", "IMAGE"}:
        raise invalid(f"The requested combination of response modalities ({unknown}) is not supported by the model.")
    image = config.get("imageConfig", {})
    _only("image_config", image)
    if "imageSize" in image and image["imageSize"] not in model.sizes:
        raise invalid(f'Invalid value at "generation_config.image_config.image_size": {image["imageSize"]}')
    if "aspectRatio" in image and image["aspectRatio"] not in RATIOS:
        raise invalid(f'Invalid value at "generation_config.image_config.aspect_ratio": {image["aspectRatio"]}')


def _camel(value: Any) -> Any:
    """As protobuf's JSON: every field is known by its lower_snake name, too."""
    if isinstance(value, dict):
        return {re.sub(r"_([a-z])", lambda found: found[1].upper(), key): _camel(item) for key, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value


@cache
def published(name: str) -> Draft202012Validator | None:
    """The published schema of a message, as JSON Schema. None where it is not at hand, which is said."""
    if not SPEC.exists():
        warnings.warn(f"{SPEC.name} is not at hand: {name} is checked by the fake's own rules only", stacklevel=2)
        return None
    schemas = {key.removeprefix("GoogleCloudAiplatformV1"): _strict(each) for key, each in _schemas().items()}
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schemas})


def _schemas() -> Json:
    return dict(json.loads(SPEC.read_text())["schemas"])


def _strict(node: Any) -> Any:
    """Discovery's dialect in JSON Schema's: fields not listed do not exist, "any" is anything."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and isinstance(node["$ref"], str):
        return {"$ref": "#/$defs/" + node["$ref"].removeprefix("GoogleCloudAiplatformV1")}
    kept = {key: node[key] for key in ("type", "enum", "items", "additionalProperties") if key in node}
    if kept.get("type") == "any":
        del kept["type"]
    strict = {key: _strict(value) for key, value in kept.items()}
    if "properties" in node:
        properties = {name: _strict(value) for name, value in node["properties"].items()}
        strict |= {"properties": properties, "additionalProperties": False}
    return strict


def _check_published(name: str, body: Json) -> None:
    validator = published(name)
    for error in validator.iter_errors(body) if validator else ():
        where = ".".join(map(str, error.absolute_path))
        raise invalid(f"Against the published schema of {name}: {where}: {error.message[:200]}")


# --- the server


class FakeGemini:
    """The server. `posts` counts every request for an answer that arrived, `calls` are the well-formed ones.

    `refused` are the messages of requests that the real API would not take; `abandoned` counts requests whose client
    went away before it was answered. With `api_key` set, another key is refused as the real one does.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        default: Behaviour | None = None,
        delay_s: float = 0.0,
        api_key: str | None = None,
        models: Mapping[str, Model] = MODELS,
    ) -> None:
        self.calls: list[Call] = []
        self.refused: list[str] = []
        self.posts = 0
        self.abandoned = 0
        self.url = ""
        self._port = port
        self._default = default or edits()
        self._delay_s = delay_s
        self._api_key = api_key
        self._models = models
        self._script: deque[Behaviour] = deque()
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> FakeGemini:
        app = web.Application(client_max_size=256 * 1024 * 1024, middlewares=[_google_errors])
        app.router.add_post("/{version:v1|v1beta}/models/{model:[^/:]+}:generateContent", self._generate)
        app.router.add_get("/{version:v1|v1beta}/models/{model:[^/:]+}", self._model)
        app.router.add_get("/_calls", self._report)
        app.router.add_post("/_script", self._take_script)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def then(self, *behaviours: Behaviour) -> None:
        """What the next requests get, one each. After them, the default."""
        self._script.extend(behaviours)

    async def until(self, condition: Callable[[], bool], *, timeout_s: float = 10.0) -> None:
        """Wait for something to have arrived, or been abandoned."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(condition)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except asyncio.CancelledError:
            self.abandoned += _DROPPED not in request
            await asyncio.shield(self._notify())
            raise
        except Refused as refused:
            self.refused.append(str(refused))
            raise

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.posts += 1
        self._admit(request)
        raw = await request.read()
        call = await asyncio.to_thread(call_from, request.match_info["model"], raw, self._models)
        self.calls.append(replace(call, pixels=()))
        await self._notify()
        behaviour = self._script.popleft() if self._script else self._default
        await asyncio.sleep(behaviour.delay_s + self._delay_s)
        return await _send(request, await asyncio.to_thread(_wire, behaviour, call))

    def _admit(self, request: web.Request) -> None:
        key = request.headers.get("x-goog-api-key") or request.query.get("key")
        if not key:
            raise Refused(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        if self._api_key is not None and key != self._api_key:
            details = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            raise invalid("API key not valid. Please pass a valid API key.", details)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _model(self, request: web.Request) -> web.Response:
        self._admit(request)
        name = request.match_info["model"]
        if name not in self._models:
            raise Refused(404, "NOT_FOUND", f"Model is not found: models/{name} for api version v1")
        return web.json_response(
            {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": ["generateContent"]}
        )

    async def _report(self, _: web.Request) -> web.Response:
        calls = [{**asdict(call), "instruction": call.instruction, "pixels": None} for call in self.calls]
        counted = {"posts": self.posts, "abandoned": self.abandoned, "refused": self.refused}
        return web.json_response({**counted, "calls": calls})

    async def _take_script(self, request: web.Request) -> web.Response:
        """A list of {"do": name of a behaviour, its arguments…, "delay_s": seconds}."""
        steps = await request.json()
        for step in steps:
            arguments = {key: value for key, value in step.items() if key not in ("do", "delay_s")}
            self.then(BEHAVIOURS[step["do"]](**arguments).slow(step.get("delay_s", 0.0)))
        return web.json_response({"waiting": len(self._script)})


def _wire(behaviour: Behaviour, call: Call) -> Wire:
    body = behaviour.answer(call)
    if isinstance(body, Wire):
        return body
    usage = behaviour.usage if behaviour.usage is not None else usage_for(call, body)
    full = {**body, "usageMetadata": usage, "modelVersion": call.model, "responseId": "r-1"}
    if behaviour.checked:
        _check_published("GenerateContentResponse", full)
    return Wire(json.dumps(full).encode())


async def _send(request: web.Request, wire: Wire) -> web.StreamResponse:
    if wire.hang:
        await asyncio.Event().wait()
    if wire.drop_after_bytes is None:
        return web.Response(body=wire.body, status=wire.status, headers={**_JSON, **wire.headers})
    response = web.StreamResponse(headers={**_JSON, "Content-Length": str(len(wire.body))})
    if wire.drop_after_bytes:
        await response.prepare(request)
        await response.write(wire.body[: wire.drop_after_bytes])
    assert request.transport is not None
    request[_DROPPED] = True
    request.transport.close()
    await asyncio.Event().wait()
    return response


@web.middleware
async def _google_errors(request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except Refused as refused:
        return web.json_response(refused.body, status=refused.status)
    return response


# --- as a process of its own


async def serve(port: int, delay_s: float) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with FakeGemini(port, delay_s=delay_s) as fake:
        print(fake.url, flush=True)
        await stopped.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A Gemini API on this machine, for tries by hand.")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that every answer takes")
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.delay))


if __name__ == "__main__":
    main()
