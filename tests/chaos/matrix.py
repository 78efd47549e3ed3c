"""Every boundary of the path × every fault, one message each, through two gateways and two workers.

python -m tests.chaos.matrix --platform web [--only SUBSTRING] [--fault "kill -9"] [--part 1/3] [--rows FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import signal
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.chaos.books import Books, quiet, settled
from tests.chaos.faults import FAULTS, Control, Met
from tests.chaos.town import Asked, OnDiscord, OnTelegram, OnThePage, Side, small_picture
from tests.fakes.discord import FakeDiscord
from tests.fakes.telegram import FakeTelegram
from tests.fleet import Fleet

REACHED_S = 8.0
BEGINS_S = 20.0
RECOVERED_S = 40.0
SIDES = ("before", "after")
EVERYWHERE = ("Discord", "Telegram", "Web")
"""What the names of boundaries begin with that one platform alone has; or have in them."""


@dataclass(frozen=True, slots=True)
class Cell:
    platform: str
    role: str
    boundary: str
    fault: str


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one message. `recovered_s` from the fault until its answer stands there and nothing is open;
    `as_it_began` where the process met the fault as it began."""

    cell: Cell
    reached: bool
    lost: int
    doubled: int
    double_billed: int
    calls: int
    recovered_s: float
    as_it_began: bool = False
    troubles: tuple[str, ...] = ()


@asynccontextmanager
async def side_of(platform: str) -> AsyncGenerator[Side]:
    match platform:
        case "discord":
            async with FakeDiscord(rate_limits=False) as fake:
                yield OnDiscord(fake)
        case "telegram":
            async with FakeTelegram(floods=False) as bot_api:
                yield OnTelegram(bot_api)
        case _:
            yield OnThePage()


class Stage:
    """A fleet with traps, and a platform beside it."""

    def __init__(self, side: Side, fleet: Fleet, control: Control) -> None:
        self.side = side
        self.fleet = fleet
        self.control = control
        self.asked: list[Asked] = []
        self._numbers = itertools.count(1)

    async def turn(self) -> Asked:
        """A message that nothing happens to."""
        number = next(self._numbers)
        asked = await self.side.asks(self.side.chat(number), f"put hat {number} on her", [small_picture(number)])
        self.asked.append(asked)
        await self._answered(asked)
        return asked

    async def _answered(self, asked: Asked) -> None:
        async with asyncio.timeout(RECOVERED_S):
            while not any(each.is_final for each in asked.answers()):
                await self.side.look(asked.chat)
                await asyncio.sleep(0.05)
        wordy = [each.words for each in asked.answers() if each.is_final and not each.pictures]
        assert not wordy, f"it was answered with {wordy}"

    async def path(self) -> dict[str, set[str]]:
        """The boundaries that a plain message passes, by role."""
        await self.turn()
        assert not (left := await quiet(self.fleet, within_s=RECOVERED_S)), left
        return {role: set(seen) for role, seen in self.control.seen.items()}

    async def meet(self, cell: Cell) -> Row:
        """One message, one fault, and what became of both. What no message leads to is met as a process begins, while
        somebody asks for something."""
        row = await self._meet(cell)
        return row if row.reached or row.troubles else await self._meet(cell, as_it_begins=True)

    async def _meet(self, cell: Cell, *, as_it_begins: bool = False) -> Row:
        calls_before = await self.fleet.calls()
        number = next(self._numbers)
        hit = self.control.arm(cell.role, cell.boundary)
        beginning = [await self._begins(cell.role)] if as_it_begins else []
        chat = self.side.chat(number)
        asking = asyncio.create_task(self.side.asks(chat, f"put hat {number} on her", [small_picture(number)]))
        troubles, asked = list[str](), None
        reached = bool((await asyncio.wait([hit], timeout=BEGINS_S if as_it_begins else REACHED_S))[0])
        begun = time.monotonic()
        self.control.disarm()
        try:
            if reached:
                await FAULTS[cell.fault](Met(self.fleet, hit.result(), self.side, asking))
            asked = await asking
            self.asked.append(asked)
            await self._answered(asked)
        except (TimeoutError, AssertionError) as error:
            troubles.append(f"no answer: {type(error).__name__} {error}")
        await asyncio.gather(*beginning)
        left = await quiet(self.fleet, within_s=RECOVERED_S)
        recovered_s = time.monotonic() - begun
        if left:
            troubles.append(f"left open: {left}")
        for each in self.fleet.members:
            if not each.lives:
                await each.begin_again()
        await self.side.listened_to()
        await self.side.look()
        answers = asked.answers() if asked is not None else []
        calls = await self.fleet.calls() - calls_before
        return Row(
            cell,
            reached,
            lost=int(not any(each.is_final for each in answers)),
            doubled=max(0, len(answers) - 1),
            double_billed=max(0, calls - 2),
            calls=calls,
            recovered_s=recovered_s,
            as_it_began=as_it_begins,
            troubles=tuple(troubles),
        )

    async def _begins(self, role: str) -> asyncio.Task[None]:
        member = next(each for each in self.fleet.members if each.name.startswith(role))
        await member.kill()
        return asyncio.create_task(member.begin_again())


@asynccontextmanager
async def stage(platform: str, folder: Path, *, gateways: int = 2, workers: int = 2) -> AsyncGenerator[Stage]:
    async with side_of(platform) as side, Control() as control:
        env = {**side.env(), "TRAPS": str(control.port), "PERSON_TURNS": "64"}
        fleet = Fleet(folder, gateways=gateways, workers=workers, env=env)
        control.fleet = fleet
        if isinstance(side, OnThePage):
            side.fleet = fleet
        async with fleet:
            await side.listened_to()
            yield Stage(side, fleet, control)


def cells(platform: str, path: dict[str, set[str]], faults: Iterable[str] = FAULTS) -> list[Cell]:
    """Each boundary is met on both sides by a kill, and by the other faults right after it. What is the same on all
    platforms is met on the page."""
    found: list[Cell] = []
    for role, methods in sorted(path.items()):
        for method in sorted(methods):
            own = any(name in method for name in EVERYWHERE) or method.startswith(
                ("RedisInbox", "RedisLedger", "RedisPace")
            )
            if platform == "web" or own:
                found += [
                    Cell(platform, role, f"{method}:{side}", fault)
                    for fault in faults
                    for side in (SIDES if fault == "kill -9" else SIDES[1:])
                ]
    return found


def is_in_part(cell: Cell, part: str) -> bool:
    """Whether it belongs to this part of several that are met side by side, each by a fleet of its own: "2/3"."""
    number, _, parts = part.partition("/")
    return zlib.crc32(f"{cell.role} {cell.boundary} {cell.fault}".encode()) % int(parts) == int(number) - 1


def met(rows: str) -> set[Cell]:
    """What stands there already, and is well."""
    lines = Path(rows).read_text().splitlines() if rows and Path(rows).exists() else []
    return {Cell(**row["cell"]) for row in map(json.loads, lines) if not row["troubles"]}


async def run(platform: str, wanted: Sequence[Cell] | None, given: argparse.Namespace) -> tuple[list[Row], Books]:
    with tempfile.TemporaryDirectory(prefix="chaos-") as scratch:
        folder = Path(given.folder or scratch)
        async with stage(platform, folder) as on:
            path = await on.path()
            rows: list[Row] = []
            wanted = wanted if wanted is not None else cells(platform, path, [given.fault] if given.fault else FAULTS)
            wanted = [each for each in wanted if given.only in each.boundary and is_in_part(each, given.part)]
            wanted = [each for each in wanted if each not in met(given.rows)]
            for number, cell in enumerate(wanted):
                row = await on.meet(cell)
                rows.append(row)
                tell(row, f"{number + 1}/{len(wanted)}", given.rows)
            return rows, await settled(on.fleet, on.asked)


def tell(row: Row, number: str, rows: str) -> None:
    if rows:
        with Path(rows).open("a") as file:
            file.write(json.dumps(asdict(row)) + "\n")
    wrong = row.lost or row.doubled or row.double_billed or row.troubles
    print(
        f"{number:>8} {'WRONG' if wrong else 'ok' if row.reached else 'not reached':12} {row.cell.role:8} "
        f"{row.cell.boundary:44} {row.cell.fault:16} calls {row.calls} in {row.recovered_s:4.1f} s "
        f"{'as it began ' if row.as_it_began else ''}" + "; ".join(row.troubles),
        flush=True,
    )


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="tests.chaos.matrix")
    parser.add_argument("--platform", default="web", choices=("web", "discord", "telegram"))
    parser.add_argument("--only", default="", help="boundaries with this in their name")
    parser.add_argument("--fault", default="", choices=("", *FAULTS))
    parser.add_argument("--part", default="1/1", help="one of several that are run side by side: 2/3")
    parser.add_argument("--rows", default="", help="takes one JSON per cell; what is well there is not met again")
    parser.add_argument("--folder", default="", help="where everything lies and stays")
    given = parser.parse_args()
    rows, books = asyncio.run(run(given.platform, None, given))
    print(books)
    sys.exit(any(row.troubles for row in rows) or bool(books.troubles))


if __name__ == "__main__":
    main()
