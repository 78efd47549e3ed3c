"""A request as a value, and what the real API would refuse about it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from PIL import Image

from tests.fakes.gemini.models import MODELS, Model
from tests.fakes.gemini.schemas import Json, fault

MAX_BODY_BYTES = 20 * 1024 * 1024
SIGNATURE = base64.b64encode(b"thought signature " * 60).decode()
STAND_INS = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
"""What may stand for a signature in a history that came from elsewhere, by Google's documentation."""

PICTURE_TYPES = {"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}
SOUND_TYPES: Mapping[str, bytes] = {
    "audio/wav": rb"RIFF....WAVE",
    "audio/mp3": rb"ID3|\xff[\xe2-\xff]",
    "audio/mpeg": rb"ID3|\xff[\xe2-\xff]",
    "audio/aac": rb"\xff[\xf0-\xf9]",
    "audio/ogg": rb"OggS",
    "audio/flac": rb"fLaC",
    "audio/m4a": rb"....ftyp",
    "audio/mp4": rb"....ftyp",
    "audio/webm": rb"\x1a\x45\xdf\xa3",
}
"""How such a file begins. The Developer API documents wav, mp3, aac, ogg and flac, Vertex the others, too."""

CATEGORIES = {
    f"HARM_CATEGORY_{what}"
    for what in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY")
}
_SAID = re.compile(rb"\[said:([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class SentPicture:
    """One picture of a request."""

    sha256: str
    media_type: str
    width_px: int
    height_px: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SentSound:
    """One sound of a request. `words` are those that `spoken` put into the file, None in any other."""

    sha256: str
    media_type: str
    size_bytes: int
    words: str | None


@dataclass(frozen=True, slots=True)
class Memory:
    """What the fake knows from before, by SHA-256: what it lettered onto its pictures, what is said in sounds."""

    lettered: dict[str, str] = field(default_factory=dict[str, str])
    sounds: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Call:
    """One well-formed request, as it arrived. `order` tells words ("text"), pictures ("picture") and sounds ("sound")
    apart. `vertex` says at which door it came in."""

    model: str
    system: str
    texts: tuple[str, ...]
    pictures: tuple[SentPicture, ...]
    order: tuple[str, ...]
    config: Json
    body_bytes: int
    pixels: tuple[bytes, ...] = field(repr=False)
    sounds: tuple[SentSound, ...] = ()
    tools: tuple[str, ...] = ()
    safety: Mapping[str, str] = field(default_factory=dict[str, str])
    vertex: bool = False
    takes: Model = field(default_factory=Model, repr=False)
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    @property
    def instruction(self) -> str:
        """The words of the person: what stands within a fence, or else the last text."""
        fenced = [text for text in self.texts if re.search(r"^={8,}$", text, re.MULTILINE)]
        text = (fenced or self.texts or ("",))[-1]
        return "\n".join(line for line in text.splitlines() if line.strip("="))

    @property
    def words(self) -> str:
        """Everything that it is told, rules and all."""
        return "\n".join((self.system, *self.texts))

    @property
    def size(self) -> str:
        return str(self.config.get("imageConfig", {}).get("imageSize", "1K"))

    @property
    def ratio(self) -> str:
        return str(self.config.get("imageConfig", {}).get("aspectRatio", ""))

    @property
    def output_type(self) -> str:
        """The media type that is asked for, which only Vertex lets one do."""
        return str(self.config.get("imageConfig", {}).get("imageOutputOptions", {}).get("mimeType", ""))

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.config.get("responseModalities") or (("TEXT", "IMAGE") if self.takes.draws else ("TEXT",)))


class Refused(Exception):
    """What the real API would not accept: becomes a Google error."""

    def __init__(self, status: int, name: str, message: str, *details: Json) -> None:
        super().__init__(message)
        self.status = status
        self.body = google_error(status, name, message, *details)


def google_error(status: int, name: str, message: str, *details: Json) -> Json:
    return {"error": {"code": status, "message": message, "status": name, "details": list(details)}}


def invalid(message: str, *details: Json) -> Refused:
    return Refused(400, "INVALID_ARGUMENT", message, *details)


def spoken(words: str, media_type: str = "audio/wav") -> bytes:
    """A sound file that the fake will hear these words in. Short, of the right type, and nothing for ears."""
    note = b"[said:" + words.encode() + b"]"
    if media_type == "audio/wav":
        pcm = b"fmt " + bytes.fromhex("10000000 0100 0100 803e0000 007d0000 0200 1000") + b"data\x00\x00\x00\x00"
        comment = note + b"\x00" * (len(note) % 2)
        info = b"INFOICMT" + len(note).to_bytes(4, "little") + comment
        chunks = b"WAVE" + pcm + b"LIST" + len(info).to_bytes(4, "little") + info
        return b"RIFF" + len(chunks).to_bytes(4, "little") + chunks
    beginning = {"audio/mp3": b"ID3\x04", "audio/mpeg": b"ID3\x04", "audio/aac": b"\xff\xf1", "audio/ogg": b"OggS\x00"}
    beginning |= {"audio/flac": b"fLaC", "audio/webm": b"\x1a\x45\xdf\xa3"}
    return beginning.get(media_type, b"\x00\x00\x00\x18ftypM4A ") + note


def call_from(
    model_id: str,
    raw: bytes,
    models: Mapping[str, Model] = MODELS,
    *,
    vertex: bool = False,
    memory: Memory | None = None,
) -> Call:
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
    if wrong := fault("GenerateContentRequest", body, vertex=vertex):
        raise invalid(wrong)
    if not body.get("contents"):
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    contents = [_parts_of(content) for content in body["contents"]]
    _check_signatures(body["contents"])
    parts = [part for content in contents for part in content]
    blobs = [(part["inlineData"], _data_of(part["inlineData"], model)) for part in parts if "inlineData" in part]
    pictures = [(blob, data) for blob, data in blobs if blob["mimeType"] in PICTURE_TYPES]
    if len(pictures) > model.max_pictures:
        raise invalid(f"Please use at most {model.max_pictures} images.")
    config = body.get("generationConfig", {})
    _check_config(config, model)
    system = [part["text"] for part in _parts_of(body["systemInstruction"])] if "systemInstruction" in body else []
    if system and not model.system_instruction:
        raise invalid(f"Developer instruction is not enabled for models/{model_id}")
    return Call(
        model=model_id,
        system="\n".join(system),
        texts=tuple(part["text"] for part in parts if "text" in part),
        pictures=tuple(_sent(blob, data) for blob, data in pictures),
        order=tuple(map(_kind, parts)),
        config=config,
        body_bytes=len(raw),
        pixels=tuple(data for _, data in pictures),
        sounds=tuple(_heard(blob, data) for blob, data in blobs if blob["mimeType"] in SOUND_TYPES),
        tools=_tools_of(body.get("tools", []), model),
        safety=_safety_of(body.get("safetySettings", []), vertex=vertex),
        vertex=vertex,
        takes=model,
        memory=memory or Memory(),
    )


def _kind(part: Json) -> str:
    if "text" in part:
        return "text"
    return "picture" if part["inlineData"]["mimeType"] in PICTURE_TYPES else "sound"


def _parts_of(content: Json) -> list[Json]:
    if content.get("role", "user") not in ("user", "model"):
        raise invalid("Please use a valid role: user, model.")
    parts = content.get("parts") or []
    if not parts:
        raise invalid("* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n")
    for part in parts:
        if len(part.keys() & {"text", "inlineData"}) != 1:
            raise invalid(
                "* GenerateContentRequest.contents[0].parts[0].data: required oneof field 'data' must have one"
            )
    return list(parts)


def _check_signatures(contents: Sequence[Json]) -> None:
    """A picture that the model made comes back with the signature that it was given, unless it was a thought."""
    known = {SIGNATURE, *(base64.b64encode(text.encode()).decode() for text in STAND_INS)}
    for position, content in enumerate(contents, start=1):
        for number, part in enumerate(content["parts"], start=1):
            signature = str(part.get("thoughtSignature", "")).replace("-", "+").replace("_", "/")
            if signature and signature not in known:
                raise invalid("Corrupted thought signature.")
            if content.get("role") == "model" and "inlineData" in part and not (signature or part.get("thought")):
                where = f"content position {position}, part position {number}"
                raise invalid(f"Image part is missing a thought_signature in {where}.")


def _data_of(blob: Json, model: Model) -> bytes:
    """Both alphabets of base64 are taken, as the real one does."""
    media_type = blob.get("mimeType")
    if media_type not in PICTURE_TYPES | SOUND_TYPES.keys():
        raise invalid(f"Unsupported MIME type: {media_type}")
    if media_type in SOUND_TYPES and model.draws:
        raise invalid("Audio input modality is not enabled for this model.")
    try:
        return base64.b64decode(str(blob.get("data")).replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        raise invalid("Base64 decoding failed") from None


def _sent(blob: Json, data: bytes) -> SentPicture:
    try:
        with Image.open(BytesIO(data)) as image:
            width_px, height_px = image.size
    except OSError:
        raise invalid("Unable to process input image. Please retry or report an issue.") from None
    return SentPicture(hashlib.sha256(data).hexdigest(), blob["mimeType"], width_px, height_px, len(data))


def _heard(blob: Json, data: bytes) -> SentSound:
    if not re.match(SOUND_TYPES[blob["mimeType"]], data, re.DOTALL):
        raise invalid("Request contains an invalid argument.")
    said = _SAID.search(data)
    words = said[1].decode(errors="replace") if said else None
    return SentSound(hashlib.sha256(data).hexdigest(), blob["mimeType"], len(data), words)


def _check_config(config: Json, model: Model) -> None:
    modalities = set(config.get("responseModalities", []))
    if modalities - ({"TEXT", "IMAGE"} if model.draws else {"TEXT"}):
        raise invalid(f"The requested combination of response modalities ({modalities}) is not supported by the model.")
    if config.get("candidateCount", 1) != 1:
        raise invalid("Multiple candidates is not enabled for this model")
    if model.draws and config.keys() & {"responseMimeType", "responseSchema", "responseJsonSchema"}:
        raise invalid("JSON mode is not enabled for this model")
    if "imageConfig" in config:
        _check_image_config(config["imageConfig"], model)
    if "thinkingConfig" in config:
        _check_thinking(config["thinkingConfig"], model)


def _check_image_config(image: Json, model: Model) -> None:
    if "imageSize" in image and image["imageSize"] not in model.sizes:
        raise invalid(f'Invalid value at "generation_config.image_config.image_size": {image["imageSize"]}')
    if "aspectRatio" in image and image["aspectRatio"] not in model.ratios:
        raise invalid(f'Invalid value at "generation_config.image_config.aspect_ratio": {image["aspectRatio"]}')


def _check_thinking(thinking: Json, model: Model) -> None:
    if {"thinkingLevel", "thinkingBudget"} <= thinking.keys():
        raise invalid("You can only set only one of thinking budget and thinking level.")
    level = thinking.get("thinkingLevel")
    if level is not None and not model.thinking_levels:
        raise invalid("Thinking level is not supported for this model.")
    if level is not None and level not in model.thinking_levels:
        raise invalid(
            f"Thinking level {level} is not supported for this model. Please retry with other thinking level."
        )


def _tools_of(tools: Sequence[Json], model: Model) -> tuple[str, ...]:
    names = tuple(name for tool in tools for name in tool)
    if "googleSearch" in names and not model.search:
        raise invalid("Search as tool is not enabled for this model")
    if "functionDeclarations" in names and model.draws:
        raise invalid("Function calling is not enabled for this model")
    if {"googleSearch", "functionDeclarations"} <= set(names):
        raise invalid("Tool use with function calling is unsupported")
    if others := set(names) - {"googleSearch", "functionDeclarations"}:
        raise invalid(f"{sorted(others)[0]} is not supported by this model")
    return names


def _safety_of(settings: Sequence[Json], *, vertex: bool) -> Json:
    """The Developer API has names for more categories than it takes."""
    given: Json = {}
    for setting in settings:
        category, threshold = setting.get("category"), setting.get("threshold")
        if not vertex and str(category).startswith("HARM_CATEGORY_") and category not in CATEGORIES:
            raise invalid(f"* GenerateContentRequest.safety_settings: element predicate failed: {category}\n")
        if category in given:
            raise invalid("* GenerateContentRequest.safety_settings: element 1 is a duplicate\n")
        given[str(category)] = threshold
    return given


def _camel(value: Any) -> Any:
    """As protobuf's JSON: every field is known by its lower_snake name, too."""
    if isinstance(value, dict):
        return {re.sub(r"_([a-z])", lambda found: found[1].upper(), key): _camel(item) for key, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value
