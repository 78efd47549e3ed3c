"""Dispatch: a turn → the reply that was reserved for it. Filling it again is harmless."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from bot.domain.images import ImageFacts, Picture, facts_of, picture_of
from bot.domain.labels import Label, alt_text, label_line
from bot.domain.messages import Answer, ChatCapabilities, Rendition
from bot.domain.refs import MessageRef, Sha256, TurnId
from bot.domain.turns import FINAL_STATES, Hold, Outcome, TurnState, TurnStatus
from bot.ports import ImageLedger, ImageStore, Labeller, Platform, RenditionMaker, TurnStore

_FRESH = 64
_WAITING_WORDS = {
    Hold.PARENT: "Waiting for the picture you replied to.",
    Hold.AUTHOR: "Waiting for your other pictures to finish.",
    Hold.SLOT: "Waiting in line.",
}


class Renditions:
    """The one maker of renditions (`bot.ports.RenditionMaker`)."""

    def __init__(self, images: ImageStore, ledger: ImageLedger, labeller: Labeller) -> None:
        self._images = images
        self._ledger = ledger
        self._labeller = labeller
        self._fresh: dict[tuple[Sha256, str], ImageFacts] = {}

    async def of(
        self, masters: Sequence[ImageFacts], label: Label | None, capabilities: ChatCapabilities
    ) -> tuple[Rendition, ...]:
        return tuple([await self._one(master, label, capabilities) for master in masters])

    async def keep(
        self,
        holder: str,
        pictures: Sequence[Picture],
        label: Label | None,
        capabilities: ChatCapabilities,
        *,
        renew: Sequence[ImageFacts] = (),
    ) -> tuple[tuple[ImageFacts, ...], tuple[Rendition, ...]]:
        masters = [(await asyncio.to_thread(facts_of, picture), picture) for picture in pictures]
        renditions = [await self._render(*master, label, capabilities) for master in masters]
        pairs = [(master, made) for (master, _), (made, _) in zip(masters, renditions, strict=True)]
        # Held before they are stored: what nobody holds may be swept.
        await self._ledger.keep(holder, pairs, target=_target(label, capabilities), renew=renew)
        files = {facts.sha256: picture.data for facts, picture in [*masters, *renditions]}
        await asyncio.gather(*(self._images.put(data, sha256) for sha256, data in files.items()))
        self._note(pairs, label, capabilities)
        return (
            tuple(facts for facts, _ in masters),
            tuple(Rendition(made, alt_text(label)) for made, _ in renditions),
        )

    async def _render(
        self, master: ImageFacts, picture: Picture, label: Label | None, capabilities: ChatCapabilities
    ) -> tuple[ImageFacts, Picture]:
        made = await self._labeller.render(picture, label, capabilities)
        return (master if made is picture else await asyncio.to_thread(facts_of, made)), made

    async def _one(self, master: ImageFacts, label: Label | None, capabilities: ChatCapabilities) -> Rendition:
        target = _target(label, capabilities)
        known = self._fresh.get((master.sha256, target)) or await self._ledger.rendition(master.sha256, target)
        if known is None:
            picture = picture_of(master, await self._images.get(master.sha256))
            known, made = await self._render(master, picture, label, capabilities)
            await self._ledger.remember(master, target, known)
            await self._images.put(made.data, known.sha256)
        return Rendition(known, alt_text(label))

    def _note(
        self, pairs: Sequence[tuple[ImageFacts, ImageFacts]], label: Label | None, capabilities: ChatCapabilities
    ) -> None:
        """What was made a moment ago is asked for next, when the reply is filled."""
        for master, made in pairs:
            self._fresh[master.sha256, _target(label, capabilities)] = made
        while len(self._fresh) > _FRESH:
            self._fresh.pop(next(iter(self._fresh)))


def _target(label: Label | None, capabilities: ChatCapabilities) -> str:
    """Names a delivery target: two chats with the same limits and the same label share a rendition."""
    said = f"{label.provenance}:{'+'.join(label.engines)}" if label else "as sent"
    return f"{said}|{','.join(capabilities.media_types)}|{capabilities.max_file_bytes or '-'}"


class Dispatch:
    """Fills reserved replies. The platform is found by its name in the reply's ref."""

    def __init__(self, platforms: Mapping[str, Platform], turns: TurnStore, renditions: RenditionMaker) -> None:
        self._platforms = platforms
        self._turns = turns
        self._renditions = renditions

    async def show(self, id_: TurnId) -> None:
        """Make the reserved reply show the turn as it stands now."""
        status = await self._turns.load(id_)
        if status is not None:
            await self.show_status(status)

    async def show_status(self, status: TurnStatus) -> None:
        """The same for a status in hand."""
        reply = status.turn.reply
        platform = self._platforms[reply.chat.platform]
        await platform.fill(reply, await self._answer(status, platform.capabilities(reply.chat)))

    async def keep_sources(self, message: MessageRef, pictures: Sequence[Picture]) -> tuple[ImageFacts, ...]:
        """Store what a person's message brought, and show it where the platform does not do so by itself."""
        platform = self._platforms[message.chat.platform]
        capabilities = platform.capabilities(message.chat)
        masters, renditions = await self._renditions.keep(f"message:{message.key}", pictures, None, capabilities)
        await platform.show_sources(message, renditions)
        return masters

    async def _answer(self, status: TurnStatus, capabilities: ChatCapabilities) -> Answer:
        outcome = status.outcome
        if status.state not in FINAL_STATES or outcome is None:
            return Answer(
                state=status.state,
                lines=_progress_lines(status),
                turn=status.turn.id,
                holds=status.holds,
                position=await self._turns.position(status.turn.id) if status.holds else None,
                started_at=status.started_at,
            )
        images = await self._renditions.of(outcome.images, outcome.label, capabilities)
        return Answer(
            state=status.state,
            lines=_final_lines(status, outcome),
            images=images,
            turn=status.turn.id,
            started_at=status.started_at,
            suggestions=outcome.suggestions,
        )


def _progress_lines(status: TurnStatus) -> tuple[str, ...]:
    if status.state is TurnState.RUNNING:
        return ("Working on it.",)
    for hold in (Hold.PARENT, Hold.AUTHOR, Hold.SLOT):
        if hold in status.holds:
            return (_WAITING_WORDS[hold],)
    return ("On its way.",)


def _final_lines(status: TurnStatus, outcome: Outcome) -> tuple[str, ...]:
    """Label line first: it is the part that must be read. Then the remark, then anything to know."""
    if status.erased:
        return ("This was deleted.",)
    label = (label_line(outcome.label),) if outcome.label and outcome.images else ()
    return tuple(line for line in (*label, outcome.words, outcome.note or status.turn.note) if line)
