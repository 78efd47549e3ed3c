"""What the page needs from whoever compares. No name of a model stands in anything before the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Place(StrEnum):
    """Where a picture stands on the page."""

    SOURCE = "source"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A pair to judge, the `number`th `of` all. `has_source` where there was a picture to begin with."""

    id: str
    instruction: str
    kind: str
    has_source: bool
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class KindShown:
    """How one kind of task came out. `wins` in the order of the models; `words` are what may be concluded."""

    name: str
    wins: tuple[int, int]
    equal: int
    neither: int
    counts: str
    words: str


@dataclass(frozen=True, slots=True)
class ModelShown:
    """A model by its name, and what it took in time and money."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end: who was who. `kinds` begins with all of them together, for which `words` are the conclusion."""

    words: str
    models: tuple[ModelShown, ModelShown]
    kinds: tuple[KindShown, ...]


class Comparison(Protocol):
    """Pairs of pictures, and what is said about them."""

    def next(self) -> ShownPair | None:
        """The pair that is to be judged now; None when all are."""
        ...

    async def picture(self, pair: str, place: Place) -> tuple[bytes, str] | None:
        """A file and its media type, free of anything that says who made it. None where there is none."""
        ...

    async def judge(self, pair: str, choice: str, seconds: float) -> bool:
        """Keep a verdict: left, right, equal or neither. False where there is nothing to judge under that name."""
        ...

    def can_take_back(self) -> bool:
        """Whether there is a verdict to undo."""
        ...

    async def take_back(self) -> bool:
        """Undo the last verdict of this sitting. False where there is none."""
        ...

    def outcome(self) -> Outcome:
        """Names and numbers, asked for when `next` gives no pair any more. After that, no verdict can be undone."""
        ...
