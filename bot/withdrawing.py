"""`/withdraw`: whose picture it is takes it back, with all that grew from it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import structlog

from bot.asking import Asking
from bot.domain.commands import Command
from bot.domain.credit import is_step, lent_to
from bot.domain.errors import BadRequest, NotAllowed
from bot.domain.images import ImageFacts
from bot.domain.language import speaking, tr
from bot.domain.messages import InboundMessage, MessageRecord, Rendition
from bot.domain.own_pictures import (
    ALREADY_WITHDRAWN,
    NOT_YOURS_TO_WITHDRAW,
    NOTHING_KEPT,
    WITHDRAW_ASKS,
    WITHDRAW_WHAT,
    WITHDRAWN,
    withdraw_asks,
    withdrawn_words,
)
from bot.domain.refs import MessageRef, Sha256, UserRef
from bot.domain.turns import FINAL_STATES, Lent
from bot.ports import ConsentStore, Erasure, Platform, RenditionMaker, TurnStore
from bot.telling import Told

log = structlog.get_logger("withdrawing")
_LOOKS = 3


class Withdrawing:
    """Asked for by its owner alone, who is told first what will go. From the moment that it is noted, nothing new is
    made of the picture; what stands is taken away step by step, each harmless to repeat: a message that was not dealt
    with to its end comes again."""

    def __init__(
        self,
        *,
        says: ConsentStore,
        turns: TurnStore,
        erasure: Erasure,
        asking: Asking,
        platforms: Mapping[str, Platform],
        renditions: RenditionMaker,
    ) -> None:
        self._says = says
        self._turns = turns
        self._erasure = erasure
        self._asking = asking
        self._platforms = platforms
        self._renditions = renditions

    async def answer(self, command: Command, message: InboundMessage, target: MessageRecord | None) -> Told:
        if target is None:
            raise BadRequest(tr(WITHDRAW_WHAT))
        owner = message.author
        lent = [each for each in await self._lent(target) if each.owner == owner and each.image]
        pictures = tuple(dict.fromkeys(Sha256(each.image) for each in lent))
        if command.arguments[:1] == ("yes",):
            # What a crash left comes first: what it was asked with may be gone already.
            pictures = tuple(dict.fromkeys([*pictures, *await self._says.going(owner)]))
        if not pictures:
            # A photo of theirs that was never fetched, or is gone already.
            raise NotAllowed(tr(NOTHING_KEPT) if target.author == owner else tr(NOT_YOURS_TO_WITHDRAW))
        if command.arguments[:1] == ("yes",):
            return Told(await self.withdraw(owner, pictures))
        grown = await self._erasure.grown(owner, pictures)
        here = [status for status in grown if is_step(status) and status.turn.chat == message.ref.chat]
        return Told(withdraw_asks(len(pictures), len(here)), lent=tuple(lent), code=WITHDRAW_ASKS)

    async def _lent(self, target: MessageRecord) -> Sequence[Lent]:
        """The pictures that a message brought, or that flowed into what it shows."""
        brought = [(target.owner_of(place), image) for place, image in enumerate(target.sources)]
        found = [Lent(owner.user, owner.name, image.sha256) for owner, image in brought if owner is not None]
        for turn in dict.fromkeys(show.turn for show in target.shows):
            status = await self._turns.load(turn)
            found += lent_to(status.turn) if status is not None and not status.erased else ()
        return found

    async def withdraw(self, owner: UserRef, pictures: Sequence[Sha256]) -> str:
        """Carry it out. Gives what to tell them."""
        stood = all(await self._says.withdrawn([(owner, each) for each in pictures]))
        named, pictures = len(pictures), await self._with_results(owner, pictures)
        await self._says.withdraw(owner, pictures)
        results, held = 0, 0
        for _ in range(_LOOKS):  # what was concluded meanwhile is found by looking again
            for status in await self._erasure.grown(owner, pictures):
                if status.state not in FINAL_STATES:
                    with speaking(status.turn.language):
                        words = tr(WITHDRAWN)
                    await self._asking.refuse(status.turn.id, words)
            receipt = await self._erasure.withdraw(owner, pictures, retract=self._retract, show=self._show)
            results, held = results + receipt.results, held + receipt.messages
            if not receipt.turns:
                break
        await self._says.gone(owner, pictures)
        log.info("withdrawn", pictures=len(pictures), results=results)
        return tr(ALREADY_WITHDRAWN) if stood and not results and not held else withdrawn_words(named, results)

    async def _with_results(self, owner: UserRef, pictures: Sequence[Sha256]) -> Sequence[Sha256]:
        """These, and all that was made of them: a result may have been given a name and gone on from there."""
        known = dict.fromkeys(pictures)
        while True:
            grown = [each for each in await self._erasure.grown(owner, tuple(known)) if is_step(each)]
            made = {image.sha256 for each in grown if each.outcome for image in each.outcome.images} - known.keys()
            if not made:
                return tuple(known)
            known |= dict.fromkeys(sorted(made))

    async def _retract(self, ours: Sequence[MessageRef], theirs: Sequence[MessageRef]) -> None:
        for name, platform in self._platforms.items():
            here = [[ref for ref in refs if ref.chat.platform == name] for refs in (ours, theirs)]
            if any(here):
                await platform.retract(*here)

    async def _show(self, message: MessageRef, left: Sequence[ImageFacts]) -> None:
        platform = self._platforms[message.chat.platform]
        capabilities = await platform.capabilities(message.chat)
        shown: list[Rendition] = []
        for each in left:
            with contextlib.suppress(KeyError):  # its pixels went by another way
                shown += await self._renditions.of([each], None, capabilities)
        await platform.show_sources(message, shown)
