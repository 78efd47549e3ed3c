"""A store that loses what it acknowledged is found out.

The store of state has a mark that only rises. Each time it has risen, the image store is told of it, which is another
disk or another service. A mark below what was told before means that the store went back in time: it was killed
without having written its last second down, or was started from an older copy. What was lost then cannot be known in
full, but from when to when it was written can (docs/chaos.md).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

import structlog

from bot.sight.figures import LOST_SECONDS

log = structlog.get_logger("tide")

EVERY_S: Final = 1.0
"""So often the mark rises: what is lost between two marks is not noticed."""
WITNESSED_S: Final = 10.0
_KNOWN: Final = 600
"""Marks, with when they were set: ten minutes of them."""
_LOSSES: Final = 20


@dataclass(frozen=True, slots=True)
class Mark:
    """How high a store stands. Another `name` is another store, or one that was emptied."""

    name: str
    mark: int


@dataclass(frozen=True, slots=True)
class Loss:
    """What was written between `since` and `until` (s since 1970) may be gone; `all` where nothing of it is left."""

    since: float
    until: float
    noticed_at: float
    all: bool = False

    @property
    def words(self) -> str:
        """For the operator."""
        what = "everything" if self.all else f"what was written between {_clock(self.since)} and {_clock(self.until)}"
        return (
            f"the database lost {what}, noticed at {_clock(self.noticed_at)}. Messages of that time may stay without "
            "an answer, or get another. Set appendfsync always, and see docs/chaos.md."
        )


@dataclass(slots=True)
class Told:
    """What the witness knows: the highest mark of a store, the last ones with when they were set, and losses."""

    name: str = ""
    marks: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    losses: list[Loss] = field(default_factory=list[Loss])

    @property
    def highest(self) -> int:
        return self.marks[-1][0] if self.marks else 0

    def dump(self) -> bytes:
        return json.dumps({"v": 1, **asdict(self)}).encode()

    @classmethod
    def load(cls, data: bytes) -> Told:
        """Something that cannot be read is as good as nothing: the next mark replaces it."""
        try:
            found: dict[str, Any] = json.loads(data or b"{}")
            return cls(
                name=str(found.get("name", "")),
                marks=[(int(mark), float(at)) for mark, at in found.get("marks", [])],
                losses=[
                    Loss(each["since"], each["until"], each["noticed_at"], each["all"])
                    for each in found.get("losses", [])
                ],
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            log.warning("what was noted of the store cannot be read")
            return cls()


class Tide(Protocol):
    """The store's own mark."""

    async def rise(self, *, every_s: float, least: int) -> tuple[Mark, int | None]:
        """How high it stood; and how high it stands now, or None where it was raised less than `every_s` ago and stands
        no lower than `least`. One step: what is raised after an outage does not hide what the outage took."""
        ...


class Witness(Protocol):
    """A place that does not fail together with the store."""

    async def read(self) -> bytes:
        """Empty where nothing was written."""
        ...

    async def write(self, data: bytes) -> None: ...


class TideTable:
    """Raises the mark, has it witnessed, and says so when the store stands lower than it did. `lost` is called with
    each loss. Each process remembers every mark that it has seen; the witness is told every `witnessed_s`, for when no
    process is left that remembers."""

    def __init__(
        self,
        tide: Tide,
        witness: Witness,
        *,
        every_s: float = EVERY_S,
        witnessed_s: float = WITNESSED_S,
        lost: Callable[[Loss], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._tide = tide
        self._witness = witness
        self._every_s = every_s
        self._witnessed_s = witnessed_s
        self._lost = lost
        self._now = now
        self._told = Told()
        self._read_at = 0.0

    async def look(self) -> Loss | None:
        """One round. Gives what was lost since the last one, if anything was."""
        if self._now() - self._read_at >= self._witnessed_s:
            await self._remember()
        stood, mark = await self._tide.rise(every_s=self._every_s, least=self._told.highest)
        loss = loss_of(self._told, stood, self._now())
        if loss is not None and await self._is_news():
            self._say(loss)
        else:
            loss = None
        if stood.name != self._told.name:
            self._told = Told(stood.name, [], self._told.losses)
        if (mark or stood.mark) > self._told.highest:
            self._told.marks = [*self._told.marks, (mark or stood.mark, self._now())][-_KNOWN:]
        if mark is not None and (loss or mark % max(1, round(self._witnessed_s / self._every_s)) == 0):
            await self._witness.write(self._told.dump())
        return loss

    async def _remember(self) -> None:
        told = Told.load(await self._witness.read())
        if told.marks and (told.name != self._told.name or told.highest > self._told.highest):
            self._told = told
        self._told.losses = told.losses
        self._read_at = self._now()

    async def _is_news(self) -> bool:
        """Not where another process has noticed it before us; where that cannot be known, it is said twice."""
        last_seen = self._told.marks[-1][1]
        try:
            told = Told.load(await self._witness.read())
        except Exception:
            return True
        if any(each.noticed_at >= last_seen for each in told.losses):
            self._told = told
            return False
        return True

    def _say(self, loss: Loss) -> None:
        log.error(
            "the store lost what it had acknowledged",
            since=_clock(loss.since),
            until=_clock(loss.until),
            seconds=round(loss.until - loss.since, 1),
            everything=loss.all,
        )
        self._lost(loss)
        self._told.losses = [*self._told.losses, loss][-_LOSSES:]

    async def losses(self) -> list[Loss]:
        """The last ones that were noticed."""
        return Told.load(await self._witness.read()).losses

    async def run(self) -> None:
        """Again and again, until cancelled. Where one of the two places is away, nothing is known and nothing said."""
        while True:
            try:
                await self.look()
            except Exception as error:
                log.warning("could not look at the store's mark", error=type(error).__name__)
            await asyncio.sleep(self._every_s)


def loss_of(told: Told, stands: Mark, now: float) -> Loss | None:
    """What a store that stands here must have lost, by what was told of it."""
    if not told.marks:
        return None
    until = told.marks[-1][1]
    if stands.name != told.name:
        return Loss(told.marks[0][1], until, now, all=True)
    if stands.mark >= told.highest:
        return None
    earlier = [at for mark, at in told.marks if mark <= stands.mark]
    return Loss(earlier[-1] if earlier else told.marks[0][1], until, now)


def count_loss(loss: Loss) -> None:
    """For the figures."""
    LOST_SECONDS.inc(max(1.0, loss.until - loss.since))


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
