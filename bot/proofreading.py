"""Lettering that was asked for is read back from the result. Where it is wrong, one repair is tried."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from bot.calls import Calls
from bot.domain.errors import EngineFailed
from bot.domain.images import ImageFacts, Picture, picture_of
from bot.domain.lettering import is_spelled
from bot.domain.outcomes import added
from bot.domain.turns import Outcome, Turn, TurnState, Usage
from bot.domain.words import NOT_CHECKED, misspelled
from bot.ports import Claim, EditRequest, Engine, EngineAnswer, Heard, ImageStore, TextModel

log = structlog.get_logger("proofreading")
_MISREAD_CHARS = 200

Keep = Callable[[Claim, Engine, EngineAnswer], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Proofread:
    """What became of a draft. `spare` are images that were made on the way and are not the result."""

    outcome: Outcome
    spare: tuple[ImageFacts, ...] = ()


class Proofreader:
    """Reads results back with a text model. A picture that was made is never lost to what goes wrong here."""

    def __init__(self, *, text_model: TextModel | None, calls: Calls, images: ImageStore, keep: Keep) -> None:
        self._text_model = text_model
        self._calls = calls
        self._images = images
        self._keep = keep

    def wants(self, turn: Turn, draft: Outcome) -> bool:
        """Whether there is something to read back."""
        return bool(self._text_model and turn.wish.lettering and draft.images)

    async def check(self, claim: Claim, engine: Engine, request: EditRequest, draft: Outcome) -> Proofread:
        """Read it, and repair it once where it is wrong. Each call is counted in the outcome's usage."""
        outcome = draft
        spare: tuple[ImageFacts, ...] = ()
        wanted = request.wish.lettering
        try:
            seen = await self._seen(claim, engine, outcome)
            outcome = _charged(outcome, seen.usage)
            if is_spelled(wanted, seen.words):
                return Proofread(outcome)
            answer = await self._repair(claim, engine, request, await self._picture(draft), seen.words)
            outcome = _charged(outcome, answer.usage)
            made = await self._keep(claim, engine, answer)
            if made.state is not TurnState.DONE or not made.images:
                return Proofread(_noted(outcome, misspelled(seen.words)))
            outcome, spare = replace(outcome, images=made.images, label=made.label), draft.images
            seen = await self._seen(claim, engine, outcome)
            outcome = _charged(outcome, seen.usage)
            if is_spelled(wanted, seen.words):
                return Proofread(outcome, spare)
            return Proofread(_with_text_by_hand(outcome, wanted[0], seen.words), spare)
        except EngineFailed as error:
            log.info("lettering not checked", turn=claim.status.turn.id, code=error.code)
            outcome = _charged(outcome, Usage(error.cost_microusd, calls=error.calls))
            return Proofread(_noted(outcome, NOT_CHECKED), spare)

    async def _seen(self, claim: Claim, engine: Engine, outcome: Outcome) -> Heard:
        text_model = self._text_model
        assert text_model is not None
        picture = await self._picture(outcome)
        return await self._calls.read(
            claim,
            engine.profile.name,
            lambda: text_model.lettering(picture),
            begun=0,
            estimate_microusd=text_model.estimate_microusd(),
        )

    async def _repair(
        self, claim: Claim, engine: Engine, request: EditRequest, picture: Picture, seen: str
    ) -> EngineAnswer:
        repair = replace(
            request,
            images=(picture,),
            purposes=(),
            originals=(),
            misread=seen[:_MISREAD_CHARS] or "nothing that can be read",
            may_suggest=False,
            may_ask=False,
        )
        return await self._calls.edit(claim, engine, repair, begun=0)

    async def _picture(self, outcome: Outcome) -> Picture:
        return picture_of(outcome.images[0], await self._images.get(outcome.images[0].sha256))


def _charged(outcome: Outcome, usage: Usage) -> Outcome:
    """The model that counts is the one that made the picture."""
    return replace(outcome, usage=added(usage, outcome.usage))


def _noted(outcome: Outcome, words: str) -> Outcome:
    return replace(outcome, note=" ".join(part for part in (outcome.note, words) if part))


def _with_text_by_hand(outcome: Outcome, text: str, seen: str) -> Outcome:
    """The exact engine spells right: its own text is offered first."""
    by_hand = f'write "{text}" at the bottom'
    told = _noted(outcome, misspelled(" ".join(seen[:_MISREAD_CHARS].split())))
    return replace(told, suggestions=(by_hand, *outcome.suggestions)[:3])
