"""Lettering that was asked for is read back from the result. Where it is wrong, one repair is tried."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.calls import Calls, Fenced
from bot.domain.errors import EngineFailed
from bot.domain.images import ImageFacts, Picture, picture_of
from bot.domain.language import tr
from bot.domain.lettering import is_spelled
from bot.domain.outcomes import added
from bot.domain.refs import TurnId
from bot.domain.turns import Outcome, Turn, TurnState, Usage
from bot.domain.words import NOT_CHECKED, WRITE_IT, joined, misspelled
from bot.ports import Claim, EditRequest, Engine, EngineAnswer, ImageStore, TextModel

log = structlog.get_logger("proofreading")
_MISREAD_CHARS = 200

LetGo = Callable[[TurnId, Sequence[ImageFacts]], Awaitable[None]]
Keep = Callable[[Claim, Engine, EngineAnswer], Awaitable[Outcome]]


@dataclass(slots=True)
class Proofread:
    """What became of a draft, so far. `outcome` has the best picture; `spare` are images that were made on the way and
    are not the result."""

    outcome: Outcome
    spare: tuple[ImageFacts, ...] = ()


def unread(draft: Outcome, usage: Usage, spare: tuple[ImageFacts, ...] = ()) -> Proofread:
    """The picture as it is, with a word that its lettering was not read back."""
    return Proofread(_noted(_charged(draft, usage), tr(NOT_CHECKED)), spare)


class Proofreader:
    """Reads results back with a text model. A picture that was made is never lost to what goes wrong here."""

    def __init__(
        self, *, text_model: TextModel | None, calls: Calls, images: ImageStore, keep: Keep, let_go: LetGo
    ) -> None:
        self._text_model = text_model
        self._calls = calls
        self._images = images
        self._keep = keep
        self._let_go = let_go

    def wants(self, turn: Turn, draft: Outcome) -> bool:
        """Whether there is something to read back."""
        return bool(self._text_model and turn.wish.lettering and draft.images)

    async def check(self, claim: Claim, engine: Engine, request: EditRequest, draft: Outcome) -> Proofread:
        """Read it, and repair it once where it is wrong. Each call is counted in the outcome's usage."""
        desk = Proofread(draft)
        try:
            await self._read_and_repair(claim, engine, request, desk)
        except Fenced:
            await self._let_go(claim.status.turn.id, [*desk.outcome.images, *desk.spare])
            raise
        except EngineFailed as error:
            log.info("lettering not checked", turn=claim.status.turn.id, code=error.code)
            return unread(desk.outcome, Usage(error.cost_microusd, calls=error.calls), desk.spare)
        except Exception:
            log.exception("lettering not checked", turn=claim.status.turn.id)
            return unread(desk.outcome, Usage(), desk.spare)
        return desk

    async def _read_and_repair(self, claim: Claim, engine: Engine, request: EditRequest, desk: Proofread) -> None:
        wanted, draft = request.wish.lettering, desk.outcome
        seen = await self._seen(claim, engine, desk)
        if is_spelled(wanted, seen):
            return
        answer = await self._repair(claim, engine, request, await self._picture(draft), seen)
        desk.outcome = _charged(desk.outcome, answer.usage)
        made = await self._keep(claim, engine, answer)
        if made.state is not TurnState.DONE or not made.images:
            desk.outcome = _noted(desk.outcome, misspelled(seen))
            return
        desk.outcome, desk.spare = replace(desk.outcome, images=made.images, label=made.label), draft.images
        seen = await self._seen(claim, engine, desk)
        if not is_spelled(wanted, seen):
            desk.outcome = _noted(desk.outcome, misspelled(seen))
            if request.may_suggest:
                desk.outcome = _with_text_by_hand(desk.outcome, wanted[0])

    async def _seen(self, claim: Claim, engine: Engine, desk: Proofread) -> str:
        """The words in the picture."""
        text_model = self._text_model
        assert text_model is not None
        picture = await self._picture(desk.outcome)
        heard = await self._calls.read(claim, engine.profile.name, text_model, lambda: text_model.lettering(picture))
        desk.outcome = _charged(desk.outcome, heard.usage)
        return heard.words

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
    return replace(outcome, note=joined(outcome.note, words))


def _with_text_by_hand(outcome: Outcome, text: str) -> Outcome:
    """The exact engine spells right: its own text is offered first."""
    by_hand = tr(WRITE_IT).format(text=text)
    return replace(outcome, suggestions=(by_hand, *outcome.suggestions)[:3])
