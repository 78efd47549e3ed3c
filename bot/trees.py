"""Seeing the tree of a thread, and comparing what stands in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from bot.consent import Consent
from bot.contests import is_in_arena
from bot.domain.commands import Command
from bot.domain.credit import lent_to, merged
from bot.domain.errors import BadRequest
from bot.domain.images import Input, Picture, Provenance
from bot.domain.inputs import results_of
from bot.domain.labels import Label
from bot.domain.language import tr
from bot.domain.messages import InboundMessage, MessageRecord
from bot.domain.refs import Sha256, TurnId, UserRef
from bot.domain.tree import Layout, Node, layout_of, nodes_of
from bot.domain.turns import FINAL_STATES, Lent, Turn, TurnStatus
from bot.domain.wishes import PLAIN_WISH
from bot.domain.words import (
    GONE_NODE,
    NO_SUCH_NODE,
    NOTHING_TO_COMPARE,
    NOTHING_TO_DRAW,
    TREE_WORDS,
    WITHHELD_NODE,
)
from bot.ground import Ground, Request
from bot.ports import ImageStore, MessageStore, TurnStore
from bot.recent import Recent
from bot.telling import Told

Draw = Callable[[Layout, Mapping[Sha256, bytes], Mapping[str, str]], Picture]
"""A layout, the thumbnails of its images by their names, and what is said of those that are gone: gives the picture.
Blocks."""

Shrink = Callable[[bytes], bytes]
"""An image's file: gives its thumbnail's. Blocks."""

_AT_ONCE = 2
"""So many files are read and shrunk side by side: one is a megabyte and more."""
_TILES, _TILE_S = 512, 600.0
"""So many thumbnails (some 20 kB each) are kept in memory for so long, in seconds: people look at a tree again as it
grows, and what was erased is not to stay."""

BEFORE_AND_AFTER = "before and after"
"""What the exact engine calls two pictures side by side."""


class Trees:
    """`/tree` and `/compare`. Only what stands in the asker's own chat is ever shown."""

    def __init__(
        self,
        *,
        turns: TurnStore,
        messages: MessageStore,
        images: ImageStore,
        consent: Consent,
        shrink: Shrink,
        draw: Draw,
    ) -> None:
        self._tiles: Recent[Sha256, bytes] = Recent(_TILES)
        self._shrink = shrink
        self._consent = consent
        self._turns = turns
        self._messages = messages
        self._images = images
        self._draw = draw

    async def answer(self, command: Command, message: InboundMessage, target: MessageRecord | None) -> Told:
        target = target or await self._latest(message)
        if target is None:
            raise BadRequest(tr(NOTHING_TO_DRAW))
        statuses = _without_half_arenas(await self._turns.thread(target.thread))
        if command.name == "compare":
            return Told(instead=await self._compared(command, target, statuses))
        return await self._tree(statuses, message.author)

    async def _latest(self, message: InboundMessage) -> MessageRecord | None:
        latest = await self._messages.latest(message.ref.chat, message.author)
        return await self._messages.find(latest) if latest is not None else None

    async def _tree(self, statuses: Sequence[TurnStatus], asker: UserRef) -> Told:
        nodes = await self._allowed(nodes_of(statuses), {status.turn.id: status for status in statuses}, asker)
        if not nodes:
            raise BadRequest(tr(NOTHING_TO_DRAW))
        layout = layout_of(nodes)
        shown = [row.node for row in layout.rows]
        tiles = await self._tiles_of(node.image.sha256 for node in shown if node.image is not None)
        words = {"gone": tr(GONE_NODE)}
        picture = await asyncio.to_thread(self._draw, layout, tiles, words)
        by_turn = {status.turn.id: status.turn for status in statuses}
        turns = [by_turn[node.turn] for node in shown if node.image is not None]
        return Told(
            words=tr(TREE_WORDS).format(number=nodes[-1].number),
            picture=picture,
            label=_label_of(shown),
            nodes=tuple(node.turn for node in nodes),
            owners=tuple(dict.fromkeys(person for turn in turns for person in _people_in(turn))),
            lent=_lent(turns),
            unnamed=tuple(dict.fromkeys(person for turn in turns for person in turn.unnamed)),
            spoiler=any(node.spoiler for node in shown),
        )

    async def _allowed(
        self, nodes: Sequence[Node], by_turn: Mapping[TurnId, TurnStatus], asker: UserRef
    ) -> tuple[Node, ...]:
        """What grew from a picture whose owner said "never" keeps its place and is not drawn anew."""
        if not nodes:
            return ()
        owners = {node.turn: by_turn[node.turn].turn.owners for node in nodes}
        chat = by_turn[nodes[0].turn].turn.chat
        never = await self._consent.never((owner for each in owners.values() for owner in each), chat) - {asker}
        return tuple(
            replace(node, image=None, label=None, author="", words=tr(WITHHELD_NODE))
            if never.intersection(owners[node.turn]) and node.image is not None
            else node
            for node in nodes
        )

    async def _tiles_of(self, images: Iterable[Sha256]) -> dict[Sha256, bytes]:
        """Their thumbnails, as far as they are there."""
        some, names = asyncio.Semaphore(_AT_ONCE), tuple(dict.fromkeys(images))
        tiles = await asyncio.gather(*(self._tile(name, some) for name in names))
        return {name: tile for name, tile in zip(names, tiles, strict=True) if tile is not None}

    async def _tile(self, name: Sha256, some: asyncio.Semaphore) -> bytes | None:
        if (known := self._tiles.get(name)) is not None:
            return known
        async with some:
            try:
                data = await self._images.get(name)
            except KeyError:
                return None
            tile = self._tiles[name] = await asyncio.to_thread(self._shrink, data)
        asyncio.get_running_loop().call_later(_TILE_S, self._tiles.pop, name, None)
        return tile

    async def _compared(self, command: Command, target: MessageRecord, statuses: Sequence[TurnStatus]) -> Request:
        by_turn = {status.turn.id: status for status in statuses}
        before, after = _two(command, target, by_turn, nodes_of(statuses))
        if before is None or after is None or after.from_turn is None:
            raise BadRequest(tr(NOTHING_TO_COMPARE))
        shown = [await self._turn_here(each.from_turn, by_turn, target) for each in (before, after) if each.from_turn]
        turns = [status.turn for status in shown]
        ground = Ground(
            inputs=(before, after),
            parent=after.from_turn,
            owners=tuple(dict.fromkeys(owner for turn in turns for owner in turn.owners)),
            engines=tuple(dict.fromkeys(name for status in shown for name in _engines_of(status))),
            spoiler=any(turn.spoiler for turn in turns),
            lent=merged(*(lent_to(turn) for turn in turns)),
            unnamed=tuple(dict.fromkeys(owner for turn in turns for owner in turn.unnamed)),
        )
        return Request(BEFORE_AND_AFTER, PLAIN_WISH, ground)

    async def _turn_here(self, id_: TurnId, by_turn: Mapping[TurnId, TurnStatus], target: MessageRecord) -> TurnStatus:
        """It may stand in another thread, but in no other chat."""
        status = by_turn.get(id_) or await self._turns.load(id_)
        if status is None or status.erased or status.turn.chat != target.ref.chat:
            raise BadRequest(tr(NOTHING_TO_COMPARE))
        return status


def _without_half_arenas(statuses: Sequence[TurnStatus]) -> list[TurnStatus]:
    """Of an arena nothing is shown before both are there: how soon one came would tell the model."""
    final = {status.turn.id for status in statuses if status.state in FINAL_STATES}
    return [each for each in statuses if not is_in_arena(each.turn) or final.issuperset(each.turn.album)]


def _people_in(turn: Turn) -> tuple[UserRef, ...]:
    """Everybody of whom something is drawn: who made it, whose words it tells, and whose pictures are in it."""
    said = () if turn.words_by is None else (turn.words_by,)
    return (turn.author, *said, *turn.words_of, *turn.owners)


def _lent(turns: Sequence[Turn]) -> tuple[Lent, ...]:
    """People's pictures in all of these, and who made them."""
    return merged(*(lent_to(turn) for turn in turns), (Lent(turn.author, turn.author_name) for turn in turns))


def _two(
    command: Command, target: MessageRecord, by_turn: Mapping[TurnId, TurnStatus], nodes: Sequence[Node]
) -> tuple[Input | None, Input | None]:
    """Before and after: two that are named by their numbers, or what the target was made from and itself."""
    if len(command.arguments) >= 2:
        first, second = (_numbered(nodes, each) for each in command.arguments[:2])
        return _result(by_turn[first]), _result(by_turn[second])
    shown = by_turn.get(target.shows[0].turn) if target.shows else None
    return (None, None) if shown is None else (_before(shown), _result(shown))


def _label_of(nodes: Sequence[Node]) -> Label | None:
    """The strongest of what is shown."""
    labels = [node.label for node in nodes if node.label is not None]
    made = [label for label in labels if label.provenance is not Provenance.UNKNOWN]
    if not made:
        return replace(labels[0], work=None) if labels else None
    engines = tuple(dict.fromkeys(name for label in made for name in label.engines))
    generated = all(label.provenance is Provenance.AI_GENERATED for label in made) and len(made) == len(labels)
    provenance = Provenance.AI_GENERATED if generated else Provenance.AI_EDITED
    return Label(provenance, edited_by_ai=False, engines=engines)


def _engines_of(status: TurnStatus) -> tuple[str, ...]:
    """Those that its picture says of itself."""
    label = status.outcome.label if status.outcome is not None else None
    return label.engines if label is not None else status.turn.engines


def _numbered(nodes: Sequence[Node], text: str) -> TurnId:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= number <= len(nodes):
        raise BadRequest(tr(NO_SUCH_NODE).format(number=text[:12], most=len(nodes)))
    return nodes[number - 1].turn


def _result(status: TurnStatus) -> Input | None:
    found, climbed = results_of(status)
    return found[0] if found and not climbed and not status.erased else None


def _before(status: TurnStatus) -> Input | None:
    """What it was made from: a result further up, or the picture that it began with."""
    return next((each for each in status.turn.inputs if each.image is not None), None)
