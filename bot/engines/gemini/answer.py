"""What the model answered, as exactly one of: a picture, words only, a refusal, nothing.

(The fifth outcome, a service that could not be reached or is overloaded, never gets as far as an answer: failures.py.)

Reasons are compared as text: the service adds new ones at any time, and the SDK passes them on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from bot.domain.errors import EngineFailed, EngineGaveNothing, EngineRefused
from bot.domain.images import Picture, Provenance
from bot.domain.labels import label_for
from bot.domain.turns import Usage
from bot.engines.gemini.models import ModelProfile
from bot.ports import EditRequest, EngineAnswer

if TYPE_CHECKING:
    from google.genai.types import Candidate, GenerateContentResponse, GenerateContentResponseUsageMetadata, Part

REMARK_CHARS = 800
RESULT_PX = 64_000_000
RESULT_BYTES = 60_000_000

_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}

REFUSALS = {
    "SAFETY": "Gemini's safety rules stopped this one. Something milder, or other words for it, may work.",
    "IMAGE_SAFETY": "Gemini's safety rules held back the picture it made. Try describing it a little differently.",
    "PROHIBITED_CONTENT": "This is something that Gemini's rules do not allow. Please ask for something else.",
    "IMAGE_PROHIBITED_CONTENT": "The picture would show something that Gemini's rules do not allow. Please ask for "
    "something else.",
    "RECITATION": "The answer came too close to somebody else's work, so Gemini held it back. Ask for something less "
    "like the original.",
    "IMAGE_RECITATION": "The picture came too close to somebody else's work, so Gemini held it back. Ask for something "
    "less like the original.",
    "BLOCKLIST": "The request has a word in it that Gemini does not work with. Please try other words.",
    "SPII": "Gemini saw personal details, such as a document or a number, and stopped. Cover them or leave them out, "
    "and try again.",
    "LANGUAGE": "Gemini does not know this language well enough for a picture. Please try another, such as English.",
    "MODEL_ARMOR": "A filter that was set up for this bot stopped this one. Other words may work.",
    "ESCALATION": "Gemini's safety rules stopped this one. Something milder, or other words for it, may work.",
    "JAILBREAK": "Gemini took this for an attempt to get around its rules. Just say what should change in the picture.",
}
"""Finish and block reasons that are a policy of the model's maker, and what the person reads."""

PROMPT_BLOCKED = "Gemini would not take this request and gave no reason. Other words or another picture may help."
"""A request that was blocked for a reason that has no words of its own."""

NOTHINGS = {
    "MAX_TOKENS": "Gemini ran out of room before the picture was finished. Asking for less at once usually helps.",
    "NO_IMAGE": "Gemini answered without a picture. Say what should look different in it, and try again.",
    "IMAGE_OTHER": "Gemini could not finish this picture and did not say why. Trying again often works.",
    "CONTINUATION": "Gemini ran out of room before the picture was finished. Asking for less at once usually helps.",
    "MALFORMED_RESPONSE": "Gemini stumbled over its own answer. Trying again often works.",
}
"""Finish reasons without a result that are nobody's policy."""

GAVE_NOTHING = "Gemini gave no picture this time and did not say why. Trying again often works."
NOT_A_PICTURE = "Gemini sent something that is not a picture. Trying again often works."
ACCOUNT_LIMITED = "Gemini has limited the account that this bot uses. Please tell whoever runs this bot."


def read_answer(response: GenerateContentResponse, *, model: ModelProfile, request: EditRequest) -> EngineAnswer:
    """The picture or the words, metered. `request` is what was asked, with all pictures that were sent.

    Of several pictures the last one that is not a thought counts: the others are drafts. Its bytes are given on
    exactly as they came. Raises `EngineRefused`, `EngineGaveNothing` or, where an operator must act, `EngineFailed`,
    each with what the attempt cost.
    """
    candidate = response.candidates[0] if response.candidates else None
    if candidate is None:
        raise _without_candidate(response, usage_of(response.usage_metadata, model=model, with_image=False))
    reason = _name(candidate.finish_reason) or "STOP"
    said, drawn = _parts(candidate)
    usage = usage_of(response.usage_metadata, model=model, with_image=bool(drawn))
    if reason in REFUSALS:
        raise EngineRefused(REFUSALS[reason], cost_microusd=usage.cost_microusd)
    if reason == "PUP_LIMITED_DISABLED":
        raise EngineFailed(ACCOUNT_LIMITED, cost_microusd=usage.cost_microusd)
    if drawn:
        sent = (*request.images, *request.originals)
        picture = _picture(drawn[-1], [each.provenance for each in sent])
        if picture is None:
            raise EngineGaveNothing(NOT_A_PICTURE, cost_microusd=usage.cost_microusd)
        return EngineAnswer(images=(picture,), remark=_remark(said), usage=usage)
    if said:
        return EngineAnswer(images=(), remark=_remark(said), usage=usage)
    raise EngineGaveNothing(NOTHINGS.get(reason, GAVE_NOTHING), cost_microusd=usage.cost_microusd)


def usage_of(figures: GenerateContentResponseUsageMetadata | None, *, model: ModelProfile, with_image: bool) -> Usage:
    """What the call used and cost, by the figures of the answer and the price table.

    Output whose kind is not said is charged as image where there is one. A picture without figures (some proxies drop
    them) is charged as estimated, so that a cap still holds.
    """
    if figures is None or not (figures.prompt_token_count or figures.candidates_token_count):
        return Usage(model.estimate_microusd(images=1) if with_image else 0, model=model.id)
    input_tokens = (figures.prompt_token_count or 0) + (figures.tool_use_prompt_token_count or 0)
    made_tokens, thought_tokens = figures.candidates_token_count or 0, figures.thoughts_token_count or 0
    by_kind = {_name(kind.modality): kind.token_count or 0 for kind in figures.candidates_tokens_details or ()}
    word_tokens = sum(by_kind.values()) - by_kind.get("IMAGE", 0)
    unsaid_tokens = max(0, made_tokens - sum(by_kind.values()))
    image_tokens = by_kind.get("IMAGE", 0) + (unsaid_tokens if with_image else 0)
    word_tokens += 0 if with_image else unsaid_tokens
    cost = model.cost_microusd(
        input_tokens=input_tokens, output_tokens=word_tokens + thought_tokens, image_tokens=image_tokens
    )
    return Usage(cost, input_tokens, word_tokens + image_tokens + thought_tokens, model.id)


def _without_candidate(response: GenerateContentResponse, usage: Usage) -> EngineFailed:
    feedback = response.prompt_feedback
    reason = _name(feedback.block_reason) if feedback else ""
    if reason:
        return EngineRefused(REFUSALS.get(reason, PROMPT_BLOCKED), cost_microusd=usage.cost_microusd)
    return EngineGaveNothing(GAVE_NOTHING, cost_microusd=usage.cost_microusd)


def _parts(candidate: Candidate) -> tuple[str, list[bytes]]:
    """The words and the files of an answer, without its thoughts."""
    parts: Sequence[Part] = (candidate.content.parts if candidate.content else None) or ()
    spoken = [part for part in parts if not part.thought]
    files = [part.inline_data.data for part in spoken if part.inline_data and part.inline_data.data]
    return " ".join(part.text.strip() for part in spoken if part.text and part.text.strip()), files


def _picture(data: bytes, inputs: Sequence[Provenance]) -> Picture | None:
    """The file as a picture, by what it is and not by what it is called. None where it is none, or far too large."""
    if len(data) > RESULT_BYTES:
        return None
    try:
        image = Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
    if image.width * image.height > RESULT_PX or image.format is None:
        return None
    provenance = label_for(generative_engine="Gemini", inputs=inputs).provenance
    has_alpha = image.has_transparency_data
    return Picture(data, _MEDIA_TYPES[image.format], image.width, image.height, has_alpha, provenance)


def _remark(text: str) -> str:
    """Short enough to stand under a picture, cut between words."""
    text = re.sub(r"\s*\n\s*", "\n", text)
    if len(text) <= REMARK_CHARS:
        return text
    return text[: REMARK_CHARS - 1].rsplit(maxsplit=1)[0] + "…"


def _name(value: object) -> str:
    """A reason or a modality as text, whether the SDK knows it or not."""
    name = str(getattr(value, "value", value) or "").upper()
    return "" if name.endswith("_UNSPECIFIED") else name
