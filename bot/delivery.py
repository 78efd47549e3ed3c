"""Dispatch: a turn → the reply that was reserved for it. Filling it again is harmless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.images import ImageFacts, Picture, facts_of, picture_of
from bot.domain.labels import Label, alt_text, label_line
from bot.domain.messages import Answer, ChatCapabilities, Rendition
from bot.domain.refs import MessageRef, TurnId
from bot.domain.turns import FINAL_STATES, Hold, Outcome, TurnState, TurnStatus
from bot.ports import ImageLedger, ImageStore, Labeller, Platform, RenditionMaker, TurnStore

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

    async def of(
        self, masters: Sequence[ImageFacts], label: Label | None, capabilities: ChatCapabilities
    ) -> tuple[Rendition, ...]:
        return tuple([await self._one(master, label, capabilities) for master in masters])

    async def store(
        self, master: ImageFacts, picture: Picture, label: Label | None, capabilities: ChatCapabilities
    ) -> Rendition:
        made = await self._labeller.render(picture, label, capabilities)
        facts = facts_of(made)
        if facts.sha256 != master.sha256:
            # Held before it is stored: what nobody holds may be swept.
            await self._ledger.hold(f"rendition:{master.sha256}", [facts])
            await self._images.put(made.data)
        await self._ledger.remember_rendition(master.sha256, _target(label, capabilities), facts)
        return Rendition(facts, alt_text(label))

    async def _one(self, master: ImageFacts, label: Label | None, capabilities: ChatCapabilities) -> Rendition:
        known = await self._ledger.rendition(master.sha256, _target(label, capabilities))
        if known is not None:
            return Rendition(known, alt_text(label))
        data = await self._images.get(master.sha256)
        return await self.store(master, picture_of(master, data), label, capabilities)


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
        """Make the reserved reply show the turn as it stands now. A finished turn is done with after this."""
        status = await self._turns.load(id_)
        if status is not None:
            await self.show_status(status)

    async def show_status(self, status: TurnStatus) -> None:
        """The same for a status in hand."""
        reply = status.turn.reply
        platform = self._platforms[reply.chat.platform]
        await platform.fill(reply, await self._answer(status, platform.capabilities(reply.chat)))
        if status.state in FINAL_STATES:
            await self._turns.delivered(status.turn.id)

    async def show_sources(self, message: MessageRef, pictures: Sequence[tuple[ImageFacts, Picture]]) -> None:
        """Show what a person's message brought, from pixels in hand."""
        platform = self._platforms[message.chat.platform]
        capabilities = platform.capabilities(message.chat)
        shown = [await self._renditions.store(facts, pixels, None, capabilities) for facts, pixels in pictures]
        await platform.show_sources(message, shown)

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
