"""What the fake does: one behaviour for each request, made by functions that read as sentences."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.fakes.gemini import notes
from tests.fakes.gemini.calls import SIGNATURE, Call, google_error
from tests.fakes.gemini.painting import checkered, edited, media_type_of
from tests.fakes.gemini.schemas import Json

AUDIO_BYTES_PER_TOKEN, THOUGHT_TOKENS, SEARCH_TOKENS = 1_000, 120, 150
THOUGHT: Json = {"text": "Planning the picture.", "thought": True}
HEARD = ("make it night", "add a red balloon", "turn it into a watercolour", "put a hat on it", "make it snow")
"""What is heard in a sound that nobody told the fake about: one of these, by its bytes."""


@dataclass(frozen=True, slots=True)
class Wire:
    """What goes onto the wire. `hang`: nothing ever. `drop_after_bytes`: cut the connection after so much of it.
    `drip_bytes`: in such pieces, one every `drip_s`."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    hang: bool = False
    drop_after_bytes: int | None = None
    drip_bytes: int = 0
    drip_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Makes the answer to one call, after a while. A `checked` answer must be one that the published API allows.

    It waits for the first call that it is `meant` for.
    """

    answer: Callable[[Call], Json | Wire]
    delay_s: float = 0.0
    usage: Json | None = None
    checked: bool = True
    meant: Callable[[Call], bool] = lambda _: True

    def slow(self, delay_s: float) -> Behaviour:
        return replace(self, delay_s=delay_s)

    def using(self, **figures: Any) -> Behaviour:
        """With these usage figures, as they stand on the wire (`promptTokenCount=…`)."""
        return replace(self, usage=figures)

    def on(self, model: str) -> Behaviour:
        """For the next call of this model, whatever else is asked meanwhile."""
        return replace(self, meant=lambda call: call.model == model)


# --- pictures


def edits(remark: str = "", *, media_type: str = "") -> Behaviour:
    """A real, visible edit of the first picture, in its size; from words alone a landscape. With everything beside it
    that the request asks for: words, lettering, suggestions, sources."""
    return Behaviour(lambda call: _drawn(call, remark, media_type))


def misspells(instead: str = "") -> Behaviour:
    """The lettering that was asked for, with two letters of each text swapped, or these words instead."""

    def answer(call: Call) -> Json:
        asked = notes.lettering(call)
        return _drawn(call, letters=(instead,) if instead else tuple(map(notes.misspelled, asked)))

    return Behaviour(answer, meant=_draws)


def paints_checkerboard() -> Behaviour:
    """Asked for transparency, it paints what transparency looks like in an editor."""
    return Behaviour(lambda call: candidate(picture_part(checkered(call), "image/png")), meant=_draws)


def draws_drafts(count: int = 2) -> Behaviour:
    """Thoughts and drafts before the picture that counts, as models do."""

    def answer(call: Call) -> Json:
        drafts = [picture_part(edited(call, note=f"draft {number}")) for number in range(1, count + 1)]
        thoughts = [{**draft, "thought": True} for draft in drafts]
        return candidate(THOUGHT, *thoughts, *drafts, picture_part(edited(call)))

    return Behaviour(answer)


def gives(data: bytes, media_type: str = "image/png", remark: str = "") -> Behaviour:
    """Exactly these bytes as a picture, whatever they are."""
    return Behaviour(lambda _: candidate(*_words(remark), picture_part(data, media_type)))


def retires(when: str = "2026-12-31", stage: str = "LEGACY", message: str = "") -> Behaviour:
    """An edit, with word of the model's end beside it."""
    return Behaviour(lambda call: {**_drawn(call), "modelStatus": model_status(when, stage, message)}, checked=False)


def cites(*sources: Sequence[str]) -> Behaviour:
    """An edit that is grounded on these sources, each a title and a link."""
    return Behaviour(lambda call: _with_grounding(_drawn(call), call, sources))


# --- words


def says(text: str = "Which of the two should I change?") -> Behaviour:
    return Behaviour(lambda _: candidate({"text": text}))


def asks(question: str = "Who should go?", *options: str) -> Behaviour:
    """One question back, with answers to choose from, as our prompts have it."""
    return says(notes.question(question, options))


def hears(words: str) -> Behaviour:
    """What is said in the next sound."""
    return replace(says(words), meant=lambda call: bool(call.sounds))


def reads(words: str) -> Behaviour:
    """What stands written in the next picture that a text model is shown."""
    return replace(says(words), meant=lambda call: not call.takes.draws and bool(call.pictures))


def does_its_part() -> Behaviour:
    """The default: an image model draws, a text model writes down what it hears or reads."""
    return Behaviour(lambda call: _drawn(call) if call.takes.draws else candidate(*_words(_told(call))))


# --- refusals and failures


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


_QUOTAS = {
    "minute": "GenerateRequestsPerMinutePerProjectPerModel",
    "day": "GenerateRequestsPerDayPerProjectPerModel",
    "spend": "SpendPerTenMinutesPerProject",
}


def exhausts(quota: str = "minute", retry_delay: str = "21s") -> Behaviour:
    """429 for too many requests a "minute" or a "day", or the rolling "spend" (whose id is a guess: none is known)."""
    said = f"You exceeded your current quota, please check your plan and billing details. Retry in {retry_delay}."
    return fails(429, "RESOURCE_EXHAUSTED", said, retry_delay=retry_delay, quota_id=_QUOTAS[quota])


def overloaded() -> Behaviour:
    return fails(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")


def garbles(status: int = 502) -> Behaviour:
    """Says that it is JSON, and is not."""
    return Behaviour(lambda _: Wire(b'{"candidates": [{"content": {"parts": [<html>', status))


def redirects(to: str) -> Behaviour:
    return Behaviour(lambda _: Wire(b"{}", 307, {"Location": to}))


def hangs() -> Behaviour:
    return Behaviour(lambda _: Wire(hang=True))


def drops(after_bytes: int = 0) -> Behaviour:
    """Takes the whole request, then cuts the connection, after so many bytes of the answer."""
    return Behaviour(lambda call: Wire(_whole(call), drop_after_bytes=after_bytes))


def drips(every_ms: int = 20, piece_bytes: int = 16_384, *, cut_after_bytes: int | None = None) -> Behaviour:
    """The answer piece by piece; cut off after so many bytes of it."""
    return Behaviour(
        lambda call: Wire(
            _whole(call), drop_after_bytes=cut_after_bytes, drip_bytes=piece_bytes, drip_s=every_ms / 1000
        )
    )


def answers(body: Json) -> Behaviour:
    """Exactly this JSON, unchecked."""
    return Behaviour(lambda _: Wire(json.dumps(body).encode()))


BEHAVIOURS: Mapping[str, Callable[..., Behaviour]] = {
    made.__name__: made
    for made in (
        *(edits, misspells, paints_checkerboard, draws_drafts, retires, cites, says, asks, hears, reads, refuses),
        *(blocks, gives_nothing, fails, exhausts, overloaded, garbles, hangs, drops, drips, answers),
    )
}
"""Those that can be scripted over HTTP: {"do": name, its arguments…}."""


def _draws(call: Call) -> bool:
    return call.takes.draws


def _drawn(call: Call, remark: str = "", media_type: str = "", *, letters: Sequence[str] | None = None) -> Json:
    """A full answer: thoughts if they are wanted, words, a picture, sources."""
    letters = notes.lettering(call) if letters is None else letters
    thoughts = [THOUGHT] if call.config.get("thinkingConfig", {}).get("includeThoughts") else []
    said = _words(notes.beside(call, remark)) if "TEXT" in call.modalities else []
    shown: list[Json] = []
    if "IMAGE" in call.modalities and notes.wants_picture(call):
        data = edited(call, media_type or call.output_type, letters=letters)
        call.memory.lettered[hashlib.sha256(data).hexdigest()] = "\n".join(letters)
        shown = [picture_part(data)]
    body = candidate(*thoughts, *said, *shown)
    facts = [("Almanac", "https://example.org/almanac"), ("Atlas", "https://example.net/atlas?page=7")]
    return _with_grounding(body, call, facts) if "googleSearch" in call.tools else body


def _told(call: Call) -> str:
    """What a text model writes down: nothing where nothing is written."""
    if call.sounds:
        sound = call.sounds[0]
        guess = HEARD[int(sound.sha256[:8], 16) % len(HEARD)]
        return call.memory.sounds.get(sound.sha256) or (guess if sound.words is None else sound.words)
    if call.pictures:
        return call.memory.lettered.get(call.pictures[0].sha256, "")
    return f"Here is what I know about {call.instruction[:80]}: it is so."


def _words(remark: str) -> list[Json]:
    return [{"text": remark, "thoughtSignature": SIGNATURE}] if remark else []


def _whole(call: Call) -> bytes:
    return json.dumps(does_its_part().answer(call)).encode()


# --- the shapes of the wire


def candidate(*parts: Json, finish_reason: str = "STOP") -> Json:
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "finishReason": finish_reason, "index": 0}]}


def picture_part(data: bytes, media_type: str = "") -> Json:
    blob = {"mimeType": media_type or media_type_of(data), "data": base64.b64encode(data).decode()}
    return {"inlineData": blob, "thoughtSignature": SIGNATURE}


def model_status(when: str, stage: str = "LEGACY", message: str = "") -> Json:
    status = {"modelStage": stage, "message": message or "This model will be shut down. Please move to a newer one."}
    return {**status, "retirementTime": f"{when}T00:00:00Z"} if when else status


def _with_grounding(body: Json, call: Call, sources: Sequence[Sequence[str]]) -> Json:
    query = " ".join(call.instruction.split())[:60]
    grounding = {
        "webSearchQueries": [query],
        "searchEntryPoint": {"renderedContent": "<style>a{}</style><div class='container'><a>search</a></div>"},
        "groundingChunks": [{"web": {"title": title, "uri": link}} for title, link in sources],
    }
    (first,) = body["candidates"]
    return {**body, "candidates": [{**first, "groundingMetadata": grounding}]}


def usage_for(call: Call, body: Json) -> Json:
    """Plausible figures: four characters of words are one token, pictures count by the model, a result by its size."""
    parts = [part for each in body.get("candidates", []) for part in each.get("content", {}).get("parts", [])]
    image_tokens = call.takes.result_tokens.get(call.size, 1_120) * sum("inlineData" in part for part in parts)
    word_tokens = sum(len(part.get("text", "")) for part in parts) // 4
    heard_tokens = sum(1 + sound.size_bytes // AUDIO_BYTES_PER_TOKEN for sound in call.sounds)
    given = [
        ("TEXT", sum(map(len, (call.system, *call.texts))) // 4),
        ("IMAGE", call.takes.picture_tokens * len(call.pictures)),
        ("AUDIO", heard_tokens),
    ]
    prompt_tokens, made_tokens = sum(count for _, count in given), image_tokens + word_tokens
    searched = {"toolUsePromptTokenCount": SEARCH_TOKENS} if "googleSearch" in call.tools else {}
    return {
        "promptTokenCount": prompt_tokens,
        "candidatesTokenCount": made_tokens,
        "totalTokenCount": prompt_tokens + made_tokens + THOUGHT_TOKENS + sum(searched.values()),
        "thoughtsTokenCount": THOUGHT_TOKENS,
        "promptTokensDetails": _by_kind(given),
        "candidatesTokensDetails": _by_kind([("IMAGE", image_tokens), ("TEXT", word_tokens)]),
        **searched,
    }


def _by_kind(counts: Sequence[tuple[str, int]]) -> list[Json]:
    return [{"modality": kind, "tokenCount": count} for kind, count in counts if count]
