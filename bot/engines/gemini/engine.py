"""The engine: one request in, one call out, one answer back. It never tries twice."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

import structlog

from bot.domain.errors import BadPicture, BadRequest, EngineFailed, EngineGaveNothing
from bot.domain.images import Picture
from bot.domain.language import N_, tr
from bot.domain.wishes import MOST_PANELS, MOST_VARIATIONS, PLAIN_WISH, Form, Kind, Wish
from bot.domain.words import joined
from bot.engines.gemini.access import Access
from bot.engines.gemini.answer import NOT_A_PICTURE, read_answer
from bot.engines.gemini.connection import Connection
from bot.engines.gemini.fit import fits, fitted
from bot.engines.gemini.models import ModelProfile
from bot.engines.gemini.prompt import clean, prompt_for
from bot.engines.gemini.safety import thresholds
from bot.engines.gemini.text import GeminiTextModel
from bot.engines.matte import cut_out
from bot.ports import EditRequest, EngineAnswer, EngineProfile, Reading, Retirement

if TYPE_CHECKING:
    from google.genai.types import GenerateContentResponse

_log = structlog.get_logger(__name__)

INSTRUCTION_CHARS = 8_000
NO_WORDS: Mapping[Kind, str] = {
    Kind.EDIT: N_("Please say what should change in the picture."),
    Kind.IMAGINE: N_("Please say what the picture should show."),
    Kind.EXPLAIN: N_("Please say what you would like to know."),
}
NOT_CUT = N_("I could not cut its background away, so it is as it came.")
_MOST_AT_ONCE: Mapping[Form, int] = {
    Form.ONE: 1,
    Form.STORY: MOST_PANELS,
    Form.VARIATIONS: MOST_VARIATIONS,
    Form.ARENA: 2,
}
_MOST_SEARCHES = 4
"""One question seldom takes more."""
_ENDING_STAGES = ("LEGACY", "DEPRECATED", "RETIRED")


class GeminiEngine:
    """Makes pictures by words, with models of Google's: `models` in the order in which they may be tried.

    `text` is the model that listens and reads, over the same connection: `text_model`, None without one. `safety` are
    the filters that the operator set for chats that only adults may enter, `search` whether questions may be looked
    up. The client is opened by the first call, or by `async with`, and belongs to the event loop that opened it;
    `aclose` closes it. Raises `ValueError` where a setting cannot be used, in words for the operator.
    """

    def __init__(
        self,
        access: Access,
        models: Sequence[ModelProfile],
        *,
        text: ModelProfile | None = None,
        timeout_s: float = 300.0,
        safety: Mapping[str, str] | None = None,
        search: bool = False,
    ) -> None:
        if not models:
            raise ValueError("Gemini needs at least one model.")
        first = models[0]
        self.models = tuple({model.id: model for model in models}.values())
        self.profile = EngineProfile(
            name="gemini",
            display_name="Gemini",
            generative=True,
            max_inputs=first.max_inputs,
            models=tuple(model.id for model in self.models),
            sizes=first.sizes,
            allowances={model.id: model.allowance for model in self.models},
        )
        self._connection = Connection(access, timeout_s=timeout_s)
        self.text_model = GeminiTextModel(self._connection, text) if text else None
        self._thresholds = thresholds(safety or {}, enterprise=access.enterprise is not None)
        self._search = search

    async def __aenter__(self) -> GeminiEngine:
        await self._connection.opened()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the client. A later call would open another one."""
        await self._connection.aclose()

    def read(self, instruction: str, *, images: int, wish: Wish = PLAIN_WISH) -> Reading:
        """Any words are understood, as long as there is what they need. `unclear` is a whole sentence."""
        problem = _problem(instruction, images=images, most=self.models[0].max_inputs, wish=wish)
        return Reading(whole=not problem, unclear=problem)

    def estimate_microusd(self, *, images: int, wish: Wish = PLAIN_WISH) -> int:
        """On the dearest of its models: any of them may have to stand in."""
        estimates = [
            model.estimate_microusd(
                images=images,
                wish=wish,
                searches=_MOST_SEARCHES if self._search and model.may_search(images=images, wish=wish) else 0,
            )
            for model in self.models
        ]
        return max(estimates)

    async def edit(self, request: EditRequest) -> EngineAnswer:
        """One call, one answer. Cancelling it breaks the connection off."""
        model = next((each for each in self.models if each.id == request.model), self.models[0])
        images, wish = len(request.images), request.wish
        if problem := _problem(request.instruction, images=images, most=model.max_inputs, wish=wish):
            raise BadRequest(problem)
        request = await _made_to_fit(replace(request, originals=_room_for(request, model.max_inputs - images)))
        client = await self._connection.opened()
        response = await client.ask(
            prompt_for(request), request, model=model, thresholds=self._thresholds, search=self._search
        )
        answer = read_answer(response, model=model, request=request)
        answer = replace(answer, usage=replace(answer.usage, calls=1), retirement=_retirement_of(response, model.id))
        if answer.images and wish.size not in ("", "1K", *model.sizes):
            smaller = tr("{model} can't make {size}, so this is smaller than you asked for.")
            answer = _noted(answer, smaller.format(model=model.id, size=wish.size))
        return await _cut(answer) if wish.transparent and answer.images else answer

    async def check(self) -> tuple[tuple[str, str | None], ...]:
        """Whether each model can be asked, the one for words last: its id, and None or what is wrong, said to who runs
        the bot."""
        asked = [model.id for model in self.models]
        if self.text_model is not None:
            asked.append(self.text_model.model.id)
        try:
            client = await self._connection.opened()
        except EngineFailed:
            trouble = "The client for Gemini could not be opened. Look at the key or the project, and at certificates."
            return tuple((model_id, trouble) for model_id in asked)
        return tuple(zip(asked, await asyncio.gather(*map(client.check, asked)), strict=True))


def _problem(instruction: str, *, images: int, most: int, wish: Wish) -> str:
    """Why this cannot be asked at all, in words; empty when it can."""
    words = clean(instruction)
    if not words:
        return tr(NO_WORDS[wish.kind])
    if len(words) > INSTRUCTION_CHARS:
        return tr("That is a little long. Please say it in at most {most} characters.").format(
            most=f"{INSTRUCTION_CHARS:,}"
        )
    if images == 0 and wish.kind is Kind.EDIT:
        return tr("There is no picture to change. Please send one, or reply to one.")
    if images > most:
        return tr("That is too many pictures at once. Please use at most {most}.").format(most=most)
    album = _MOST_AT_ONCE[wish.form]
    if wish.count <= album:
        return ""
    return tr("That is a lot at once. Please ask for at most {most} pictures.").format(most=album)


def _room_for(request: EditRequest, places: int) -> tuple[Picture, ...]:
    """The originals that go along: as many as there is room for, and none that is sent already."""
    sent = [picture.data for picture in request.images]
    return tuple(picture for picture in request.originals if picture.data not in sent)[:places]


async def _made_to_fit(request: EditRequest) -> EditRequest:
    """All its pictures together within one request's weight."""
    pictures = (*request.images, *request.originals)
    if fits(pictures):
        return request
    try:
        smaller = await asyncio.to_thread(fitted, pictures)
    except BadPicture as error:
        raise BadRequest(error.words) from None
    images = len(request.images)
    return replace(request, images=smaller[:images], originals=smaller[images:])


async def _cut(answer: EngineAnswer) -> EngineAnswer:
    """The background made transparent. Where that cannot be, the picture stays as it came, and it is said."""
    made = answer.images[0]
    try:
        cut = await asyncio.to_thread(cut_out, made)
    except BadPicture:
        raise EngineGaveNothing(tr(NOT_A_PICTURE), cost_microusd=answer.usage.cost_microusd) from None
    except Exception as error:
        # What was made is paid for: a fault of ours must not cost it.
        _log.error("could not cut a picture out", kind=type(error).__name__)
        return _noted(answer, tr(NOT_CUT))
    if cut.picture is not None:
        answer = replace(answer, images=(replace(cut.picture, provenance=made.provenance), *answer.images[1:]))
    return _noted(answer, cut.words)


def _noted(answer: EngineAnswer, words: str) -> EngineAnswer:
    return replace(answer, note=joined(answer.note, words))


def _retirement_of(response: GenerateContentResponse, model_id: str) -> Retirement | None:
    """What the answer says of the model's future; None where nothing is announced. Google Cloud never says."""
    status = response.model_status
    if status is None:
        return None
    stage = str(getattr(status.model_stage, "value", "") or "").upper()
    when = status.retirement_time.date().isoformat() if status.retirement_time else ""
    return Retirement(model_id, stage.lower(), when) if when or stage in _ENDING_STAGES else None
