"""What the model answered, as exactly one of: a picture, words only, a refusal, nothing, a matter for the operator.

(A service that could not be reached or is overloaded never gets as far as an answer: failures.py.)

Reasons are compared as text: the service adds new ones at any time, and the SDK passes them on. What the person reads
for each of them stands in docs/refusals.md, which is made from this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit

from PIL import Image

from bot.domain.errors import EngineFailed, EngineGaveNothing, EngineRefused
from bot.domain.images import Picture, Provenance
from bot.domain.labels import label_for
from bot.domain.language import N_, tr
from bot.domain.turns import Source, Usage
from bot.domain.wishes import PLAIN_WISH, Form, Kind, Wish
from bot.engines.gemini.models import ModelProfile
from bot.engines.gemini.notes import Notes, notes_of, one_line, shortened
from bot.ports import EditRequest, EngineAnswer

if TYPE_CHECKING:
    from google.genai.types import (
        Candidate,
        GenerateContentResponse,
        GenerateContentResponseUsageMetadata,
        GroundingMetadata,
        ModalityTokenCount,
        Part,
    )

REMARK_CHARS = 800
EXPLANATION_CHARS = 1_500
RESULT_PX = 64_000_000
RESULT_BYTES = 60_000_000
MOST_PAGES = 5
MOST_SEARCHES = 3
TITLE_CHARS = 120
SEARCH = "https://www.google.com/search?q="

_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
_LINK = re.compile(r"https://[^\s<>\"'\\^`{|}]{4,2000}")
_ASKS = re.compile(r"[?？؟⸮]|[;\u037e]\s*$")
"""A question in most scripts; Greek ends one with a semicolon."""

NOT_WITHIN_RULES = N_("This is something that Gemini's rules do not allow. Please ask for something else.")
BAD_WORD = N_("The request has a word in it that Gemini does not work with. Please try other words.")
FILTERED = N_("A filter that was set up for this bot stopped this one. Other words may work.")
TOO_CLEVER = N_("Gemini took this for an attempt to get around its rules. Just say what should change in the picture.")
NO_ROOM = N_("Gemini ran out of room before the picture was finished. Asking for less at once usually helps.")

REFUSALS = {
    "SAFETY": N_("Gemini's safety rules stopped this one. Something milder, or other words for it, may work."),
    "IMAGE_SAFETY": N_("Gemini's safety rules held back the picture it made. Try describing it a little differently."),
    "PROHIBITED_CONTENT": NOT_WITHIN_RULES,
    "IMAGE_PROHIBITED_CONTENT": N_(
        "The picture would show something that Gemini's rules do not allow. Please ask for something else."
    ),
    "RECITATION": N_(
        "The answer came too close to somebody else's work, so Gemini held it back. Ask for something less "
        "like the original."
    ),
    "IMAGE_RECITATION": N_(
        "The picture came too close to somebody else's work, so Gemini held it back. Ask for something "
        "less like the original."
    ),
    "BLOCKLIST": BAD_WORD,
    "SPII": N_(
        "Gemini saw personal details, such as a document or a number, and stopped. Cover them or leave them out, "
        "and try again."
    ),
    "LANGUAGE": N_(
        "Gemini does not know this language well enough for a picture. Please try another, such as English."
    ),
    "MODEL_ARMOR": FILTERED,
    "ESCALATION": N_("Gemini's safety rules stopped this one. Something milder, or other words for it, may work."),
    "JAILBREAK": TOO_CLEVER,
}
"""Finish reasons that are a policy of the model's maker, and what the person reads."""

BLOCKS = {
    "SAFETY": N_("Gemini's safety rules stopped this before it began. Milder words, or another picture, may work."),
    "OTHER": N_(
        "Gemini would not take this request and did not say why. Other words, another language or another "
        "picture may help."
    ),
    "BLOCKLIST": BAD_WORD,
    "PROHIBITED_CONTENT": N_(
        "This is something that Gemini's rules do not allow. Please ask for something else, or send another picture."
    ),
    "IMAGE_SAFETY": N_(
        "Gemini's safety rules do not let a picture be made of this. Milder words, or another picture to "
        "begin with, may work."
    ),
    "MODEL_ARMOR": FILTERED,
    "JAILBREAK": TOO_CLEVER,
}
"""Reasons for which a request was not even begun. All of them are policy."""

PROMPT_BLOCKED = N_("Gemini would not take this request and gave no reason. Other words or another picture may help.")
"""A request that was blocked for a reason that has no words of its own."""

NOTHINGS = {
    "MAX_TOKENS": NO_ROOM,
    "CONTINUATION": NO_ROOM,
    "NO_IMAGE": N_("Gemini answered without a picture. Say what should look different in it, and try again."),
    "IMAGE_OTHER": N_("Gemini could not finish this picture and did not say why. Trying again often works."),
    "OTHER": N_("Gemini stopped in the middle and did not say why. Trying again often works; other words may, too."),
    "MALFORMED_RESPONSE": N_("Gemini stumbled over its own answer. Trying again often works."),
    "MALFORMED_FUNCTION_CALL": N_("Gemini got into a muddle over this one. Saying it more simply usually helps."),
    "UNEXPECTED_TOOL_CALL": N_(
        "Gemini reached for a tool that it does not have here. Say in plain words what the picture "
        "should show, and try again."
    ),
    "TOO_MANY_TOOL_CALLS": N_(
        "Gemini kept looking things up and never got to the answer. Ask for less at once, or name the facts yourself."
    ),
}
"""Finish reasons without a result that are nobody's policy."""

ACCOUNT_LIMITED = N_("Gemini has limited the account that this bot uses. Please tell whoever runs this bot.")
OPERATORS = {
    "PUP_LIMITED_DISABLED": ACCOUNT_LIMITED,
    "MISSING_THOUGHT_SIGNATURE": N_(
        "Gemini does not take the form in which this bot asks. Please tell whoever runs this bot."
    ),
}
"""Finish reasons that only whoever runs the bot can do something about."""

GAVE_NOTHING = N_("Gemini gave an empty answer this time and did not say why. Trying again often works.")
NOT_A_PICTURE = N_("Gemini sent something that is not a picture. Trying again often works.")
WORDS_ONLY = N_("It answered without a picture. Saying what should look different in it usually helps.")
NOT_DRAWN = N_("It made no picture to go with this. Asking once more often works.")


def read_answer(response: GenerateContentResponse, *, model: ModelProfile, request: EditRequest) -> EngineAnswer:
    """The picture or the words, metered. `request` is what was asked, with all pictures that were sent.

    Of several pictures the last one that is not a thought counts: the others are drafts. Its bytes are given on
    exactly as they came. Raises `EngineRefused`, `EngineGaveNothing` or, where an operator must act, `EngineFailed`,
    each with what the attempt cost.
    """
    candidate = response.candidates[0] if response.candidates else None
    said, drawn = _parts(candidate) if candidate else ("", [])
    grounding = candidate.grounding_metadata if candidate else None
    usage = usage_of(
        response.usage_metadata,
        model=model,
        with_image=bool(drawn),
        images=len(request.images) + len(request.originals),
        wish=request.wish,
        searches=len(_queries(grounding)),
    )
    if candidate is None:
        raise _without_candidate(response, usage)
    reason = _name(candidate.finish_reason) or "STOP"
    if reason in REFUSALS:
        raise EngineRefused(tr(REFUSALS[reason]), cost_microusd=usage.cost_microusd)
    if reason in OPERATORS:
        raise EngineFailed(tr(OPERATORS[reason]), cost_microusd=usage.cost_microusd)
    notes, sources = notes_of(said), tuple(_sources(grounding))
    if drawn:
        picture = _picture(drawn[-1], [each.provenance for each in (*request.images, *request.originals)])
        if picture is None:
            raise EngineGaveNothing(tr(NOT_A_PICTURE), cost_microusd=usage.cost_microusd)
        return _with_picture(picture, notes, request, usage, sources)
    if answer := _in_words(notes, reason, request, usage, sources):
        return answer
    raise EngineGaveNothing(tr(NOTHINGS.get(reason, GAVE_NOTHING)), cost_microusd=usage.cost_microusd)


def usage_of(
    figures: GenerateContentResponseUsageMetadata | None,
    *,
    model: ModelProfile,
    with_image: bool,
    images: int = 1,
    wish: Wish = PLAIN_WISH,
    searches: int = 0,
) -> Usage:
    """What one call used and cost, by the figures of the answer and the price table.

    Output whose kind is not said is charged as image where there is one. A picture without figures (some proxies drop
    them) is charged as estimated for so many `images` sent, so that a cap still holds.
    """
    if figures is None or not (figures.prompt_token_count or figures.candidates_token_count):
        estimate = model.estimate_microusd(images=images, wish=wish) if with_image else 0
        return Usage(estimate + model.cost_microusd(searches=searches), model=model.id, calls=1)
    input_tokens = (figures.prompt_token_count or 0) + (figures.tool_use_prompt_token_count or 0)
    made_tokens, thought_tokens = figures.candidates_token_count or 0, figures.thoughts_token_count or 0
    sent, made = _by_kind(figures.prompt_tokens_details), _by_kind(figures.candidates_tokens_details)
    word_tokens = sum(made.values()) - made.get("IMAGE", 0)
    unsaid_tokens = max(0, made_tokens - sum(made.values()))
    image_tokens = made.get("IMAGE", 0) + (unsaid_tokens if with_image else 0)
    word_tokens += 0 if with_image else unsaid_tokens
    cost = model.cost_microusd(
        input_tokens=input_tokens,
        input_image_tokens=sent.get("IMAGE", 0),
        input_audio_tokens=sent.get("AUDIO", 0),
        output_tokens=word_tokens,
        thinking_tokens=thought_tokens,
        image_tokens=image_tokens,
        searches=searches,
    )
    return Usage(cost, input_tokens, word_tokens + image_tokens + thought_tokens, model.id, calls=1)


def _by_kind(counts: Iterable[ModalityTokenCount] | None) -> dict[str, int]:
    """Tokens of each modality. A modality may be listed more than once."""
    by_kind: dict[str, int] = {}
    for each in counts or ():
        kind = _name(each.modality)
        by_kind[kind] = by_kind.get(kind, 0) + (each.token_count or 0)
    return by_kind


def _with_picture(
    picture: Picture, notes: Notes, request: EditRequest, usage: Usage, sources: tuple[Source, ...]
) -> EngineAnswer:
    """A question that came with a picture is part of the remark, and its answers are next edits."""
    tells_plan = request.wish.form is Form.STORY and request.panel == 1 and not request.misread
    suggestions = notes.suggestions or (notes.options if notes.question else ())
    return EngineAnswer(
        images=(picture,),
        remark=_remark(notes.remark or notes.question, request),
        usage=usage,
        suggestions=suggestions if request.may_suggest else (),
        plan=notes.plan[: request.wish.count] if tells_plan else (),
        sources=sources,
    )


def _in_words(
    notes: Notes, reason: str, request: EditRequest, usage: Usage, sources: tuple[Source, ...]
) -> EngineAnswer | None:
    """An explanation, or something asked back; None where nothing was said."""
    explains = request.wish.kind is Kind.EXPLAIN
    remark = (notes.remark or notes.question) if explains else (notes.question or notes.remark)
    if not remark:
        return None
    follow_ups = notes.suggestions if request.may_suggest else ()
    if explains:
        note = tr(NOT_DRAWN) if request.wish.drawn else ""
    else:
        note = "" if notes.question or _ASKS.search(remark) else tr(NOTHINGS.get(reason, WORDS_ONLY))
    return EngineAnswer(
        images=(),
        remark=_remark(remark, request),
        usage=usage,
        suggestions=follow_ups if explains else notes.options or follow_ups,
        sources=sources,
        note=note,
    )


def _remark(text: str, request: EditRequest) -> str:
    """Short enough to stand under a picture; an explanation may be longer."""
    return shortened(text, EXPLANATION_CHARS if request.wish.kind is Kind.EXPLAIN else REMARK_CHARS)


# --- where facts come from


def _queries(grounding: GroundingMetadata | None) -> list[str]:
    """What was searched for, each once."""
    asked = [*((grounding.web_search_queries if grounding else None) or ())]
    asked += (grounding.image_search_queries if grounding else None) or ()
    return list(dict.fromkeys(query for each in asked if (query := one_line(each))))


def _sources(grounding: GroundingMetadata | None) -> Iterator[Source]:
    """The pages that were used, then the searches: Google's terms want both to be shown wherever a search was made."""
    pages: dict[str, str] = {}
    for chunk in (grounding.grounding_chunks if grounding else None) or ():
        if chunk.web:
            _add_page(pages, chunk.web.uri, chunk.web.title)
        if chunk.image:
            _add_page(pages, chunk.image.source_uri, chunk.image.title)
    for url, title in list(pages.items())[:MOST_PAGES]:
        yield Source(title, url)
    for query in _queries(grounding)[:MOST_SEARCHES]:
        short = shortened(query, TITLE_CHARS)
        yield Source(f"Google Search: {short}", SEARCH + quote_plus(short))


def _add_page(pages: dict[str, str], url: str | None, title: str | None) -> None:
    """Where it is a link that people can open without harm: https, and nothing hidden in it."""
    if not url or not _LINK.fullmatch(url) or one_line(url) != url:
        return
    try:
        place = urlsplit(url)
        host = place.hostname
    except ValueError:
        return
    if host and "." in host and "@" not in place.netloc:
        pages.setdefault(url, shortened(one_line(title or ""), TITLE_CHARS) or host)


# --- the parts


def _without_candidate(response: GenerateContentResponse, usage: Usage) -> EngineFailed:
    feedback = response.prompt_feedback
    reason = _name(feedback.block_reason) if feedback else ""
    if reason:
        return EngineRefused(tr(BLOCKS.get(reason, PROMPT_BLOCKED)), cost_microusd=usage.cost_microusd)
    return EngineGaveNothing(tr(GAVE_NOTHING), cost_microusd=usage.cost_microusd)


def _parts(candidate: Candidate) -> tuple[str, list[bytes]]:
    """The words and the files of an answer, without its thoughts. Words on both sides of a file are lines apart."""
    parts: Sequence[Part] = (candidate.content.parts if candidate.content else None) or ()
    words: list[str] = []
    files: list[bytes] = []
    for part in parts:
        if part.thought:
            continue
        if part.inline_data and part.inline_data.data:
            files.append(part.inline_data.data)
            words.append("\n")
        elif part.text:
            words.append(part.text)
    return " ".join(words), files


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


def _name(value: object) -> str:
    """A reason or a modality as text, whether the SDK knows it or not."""
    name = str(getattr(value, "value", value) or "").upper()
    return "" if name.endswith("_UNSPECIFIED") else name
