"""What results look like is kept as they are shown, so that they are known again when a platform has stripped them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from bot.domain.images import ImageFacts, Picture, Role, picture_of
from bot.domain.labels import Profile
from bot.domain.language import speaking
from bot.domain.messages import ChatCapabilities, sharing
from bot.domain.outcomes import UNDO
from bot.domain.refs import ChatRef, TurnId
from bot.domain.turns import TurnState, TurnStatus
from bot.patience import NOTING, Patience
from bot.ports import ImageStore, RenditionMaker

log = structlog.get_logger("remembering")
_MARKED = (Profile.VISIBLE, Profile.CN)
"""What is shown under these has other pixels than its master."""

Show = Callable[[TurnStatus], Awaitable[None]]


class Memory(Protocol):
    """See `bot.labels.recogniser.Recogniser`."""

    async def remember(
        self,
        turn: TurnId,
        results: Sequence[Sequence[Picture]],
        sent: Sequence[Picture],
        *,
        stands_on: Sequence[TurnId] = (),
        pinned: Callable[[], Awaitable[Sequence[Picture]]] | None = None,
    ) -> None: ...


class Remembering:
    """Gives the results of turns to `memory`, together with the pictures that people sent for them."""

    def __init__(
        self,
        memory: Memory,
        *,
        images: ImageStore,
        renditions: RenditionMaker,
        capabilities: Callable[[ChatRef], Awaitable[ChatCapabilities]],
        patience: Patience,
    ) -> None:
        self._memory = memory
        self._patience = patience
        self._images = images
        self._renditions = renditions
        self._capabilities = capabilities

    def after(self, show: Show) -> Show:
        """Shows first: nobody waits for it. What a crash cuts off is shown, and remembered, once more."""

        async def shown(status: TurnStatus) -> None:
            await show(status)
            if _made_something(status):
                try:
                    await self._patience.through(lambda: self._remember(status), NOTING)
                except Exception:
                    log.exception("a result will not be known again", turn=status.turn.id)

        return shown

    async def _remember(self, status: TurnStatus) -> None:
        turn, outcome = status.turn, status.outcome
        if outcome is None:
            return
        results = [[await self._picture(image)] for image in outcome.images]
        capabilities = sharing(await self._capabilities(turn.chat), len(turn.album) or len(outcome.images))
        if capabilities.profile in _MARKED:
            with speaking(turn.language):  # as it is shown: a mark says it in a language
                marked = await self._renditions.of(outcome.images, outcome.label, capabilities)
            for copies, each in zip(results, marked, strict=True):
                copies.append(await self._picture(each.image))
        sent = [each.image for each in turn.inputs if each.role is Role.SOURCE and each.image is not None]
        before = [turn.parent, *(each.from_turn for each in turn.inputs)]
        stands_on = [each for each in dict.fromkeys(before) if each is not None]

        async def pinned() -> Sequence[Picture]:
            return await self._all_there([pin for pin in turn.pins if pin not in sent])

        await self._memory.remember(
            turn.id, results, await self._all_there(sent), stands_on=stands_on, pinned=pinned if turn.pins else None
        )

    async def _all_there(self, images: Sequence[ImageFacts]) -> list[Picture]:
        return [found for image in dict.fromkeys(images) if (found := await self._there(image))]

    async def _picture(self, image: ImageFacts) -> Picture:
        return picture_of(image, await self._images.get(image.sha256))

    async def _there(self, image: ImageFacts) -> Picture | None:
        """None where its pixels are gone."""
        try:
            return await self._picture(image)
        except KeyError:
            return None


def _made_something(status: TurnStatus) -> bool:
    """A picture of its own: not a step back, and nothing that is only drawn for an answer."""
    outcome = status.outcome
    return (
        status.state is TurnState.DONE
        and not status.erased
        and outcome is not None
        and bool(outcome.images)
        and outcome.code != UNDO
        and not outcome.nodes
    )
