"""The tree of a thread: which picture grew from which, numbered, and laid out in rows. Pure.

Numbers follow the order in which the pictures were asked for, so that a number stays what it is while the tree grows.
Where there are more pictures than a phone can show, beginnings, ends and forks are shown and the steps between are
counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.images import ImageFacts
from bot.domain.labels import Label
from bot.domain.outcomes import NO_RESULTS
from bot.domain.refs import TurnId
from bot.domain.turns import TurnState, TurnStatus
from bot.domain.words import as_said

MOST_ROWS = 24
"""So many can be read on a phone."""
MOST_LANES = 7


@dataclass(frozen=True, slots=True)
class Node:
    """One picture. `number` from 1. `parent` is the nearest turn above that has a picture, None where there is none.
    `image` None where it was erased."""

    turn: TurnId
    number: int
    parent: TurnId | None
    author: str
    words: str
    image: ImageFacts | None = None
    label: Label | None = None
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A node in its place. `lane` from 0 at the left. `hidden` are the numbers of the steps between it and the row that
    it hangs on, which are not shown."""

    node: Node
    lane: int
    hidden: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows from top to bottom, and which hangs on which (places of rows, the upper one first)."""

    rows: tuple[Row, ...]
    edges: tuple[tuple[int, int], ...]


def nodes_of(statuses: Sequence[TurnStatus]) -> tuple[Node, ...]:
    """The pictures of a thread. `statuses` are its turns in order."""
    known = {status.turn.id: status for status in statuses}
    shown = [status for status in statuses if _has_picture(status)]
    return tuple(_node(status, number, known) for number, status in enumerate(shown, 1))


def layout_of(nodes: Sequence[Node], *, most: int = MOST_ROWS) -> Layout:
    """Forks stand right below what they leave, one lane further; the first line goes on below them."""
    named = {node.turn: node for node in nodes}
    visible = _visible(nodes, most)
    above = {node.turn: _above(node, named, visible) for node in nodes if node.turn in visible}
    children: dict[TurnId | None, list[Node]] = {}
    for node in nodes:
        if node.turn in visible:
            children.setdefault(above[node.turn][0], []).append(node)
    rows: list[Row] = []
    places: dict[TurnId, int] = {}
    edges: list[tuple[int, int]] = []
    for node, lane in _in_order(children):
        upper, hidden = above[node.turn]
        places[node.turn] = len(rows)
        if upper is not None:
            edges.append((places[upper], len(rows)))
        rows.append(Row(node, min(lane, MOST_LANES - 1), hidden))
    return Layout(tuple(rows), tuple(edges))


def _has_picture(status: TurnStatus) -> bool:
    if status.state is not TurnState.DONE or status.outcome is None:
        return False
    drawn = bool(status.outcome.nodes) or status.outcome.code in NO_RESULTS
    return not drawn and (status.erased or bool(status.outcome.images))


def _node(status: TurnStatus, number: int, known: Mapping[TurnId, TurnStatus]) -> Node:
    turn, outcome = status.turn, status.outcome
    assert outcome is not None
    gone = status.erased or not outcome.images
    return Node(
        turn=turn.id,
        number=number,
        parent=_parent_with_picture(status, known),
        author="" if gone else turn.author_name,
        words="" if gone else as_said(turn.instruction),
        image=None if gone else outcome.images[0],
        label=outcome.label,
        spoiler=turn.spoiler,
    )


def _parent_with_picture(status: TurnStatus, known: Mapping[TurnId, TurnStatus]) -> TurnId | None:
    above = known.get(status.turn.parent) if status.turn.parent is not None else None
    while above is not None and not _has_picture(above):
        above = known.get(above.turn.parent) if above.turn.parent is not None else None
    return above.turn.id if above is not None else None


def _visible(nodes: Sequence[Node], most: int) -> frozenset[TurnId]:
    """All of them; or beginnings, the newest, ends and forks, the newer before the older."""
    if len(nodes) <= most:
        return frozenset(node.turn for node in nodes)
    hung = [node.parent for node in nodes if node.parent is not None]

    def worth(node: Node) -> tuple[int, int]:
        kinds = (node.parent is None, node is nodes[-1], hung.count(node.turn) != 1)
        return (next((rank for rank, is_so in enumerate(kinds) if is_so), len(kinds)), -node.number)

    return frozenset(node.turn for node in sorted(nodes, key=worth)[:most])


def _above(
    node: Node, named: Mapping[TurnId, Node], visible: frozenset[TurnId]
) -> tuple[TurnId | None, tuple[int, ...]]:
    """The nearest that is shown, and the numbers on the way to it."""
    hidden: list[int] = []
    above = named.get(node.parent) if node.parent is not None else None
    while above is not None and above.turn not in visible:
        hidden.append(above.number)
        above = named.get(above.parent) if above.parent is not None else None
    return (above.turn if above is not None else None), tuple(reversed(hidden))


def _in_order(children: Mapping[TurnId | None, Sequence[Node]]) -> Iterator[tuple[Node, int]]:
    """Each with its lane. A chain may be longer than Python's stack."""
    waiting = [(node, 0) for node in reversed(children.get(None, ()))]
    while waiting:
        node, lane = waiting.pop()
        yield node, lane
        below = children.get(node.turn, ())
        waiting += [(first, lane) for first in below[:1]]
        waiting += [(fork, lane + 1) for fork in reversed(below[1:])]
