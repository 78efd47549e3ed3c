"""What recognising needs from the world."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.recognition import Kind, Near
from bot.domain.refs import TurnId


@dataclass(frozen=True, slots=True)
class Row:
    """One code of one picture of a turn. `code` has 32 bytes; `index` is at most 255."""

    kind: Kind
    index: int
    code: bytes


@dataclass(frozen=True, slots=True)
class TurnRows:
    """All rows of one turn."""

    turn: TurnId
    rows: tuple[Row, ...]


class FingerprintIndex(Protocol):
    """Codes of the pictures that went into turns and came out of them. A row lives as long as its turn's record."""

    async def put(self, turns: Sequence[TurnRows]) -> None:
        """These are the turns' rows now, in place of any that they had. Whoever looks up after this sees them, in every
        process. Harmless to repeat."""
        ...

    async def nearest(self, codes: Sequence[bytes], *, radius_bits: int) -> Sequence[Near]:
        """The pictures that differ from the nearest of `codes` by at most so many bits, nearest first, each once. Of
        very many of a kind the farthest are left out. None of a turn whose record is gone or erased."""
        ...

    async def rows(self, turns: Sequence[TurnId]) -> Sequence[TurnRows]:
        """What stands of these turns; those without rows are left out."""
        ...

    async def forget(self, turns: Iterable[TurnId]) -> None:
        """Their rows go, for every process and at once. Harmless to repeat."""
        ...

    async def sweep(self) -> int:
        """Goes through all rows, and forgets those of turns whose record is gone or erased. Gives how many turns."""
        ...

    async def count(self) -> int:
        """How many rows stand."""
        ...
