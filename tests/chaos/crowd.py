"""Many people at once on three platforms, and faults all the while. The same seed asks for the same, in the same order
in each chat, and meets the same faults; what is under way when one strikes depends on the machine.

    python -m tests.chaos.crowd --turns 2000 --chats 60 --seed 8          # as fast as it goes
    python -m tests.chaos.crowd --chats 200 --minutes 7 --kill-every 60   # one kill per minute, and nothing else
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM
from statistics import mean, median
from typing import Any

from tests.chaos.books import quiet, settled
from tests.chaos.faults import FROZEN_S
from tests.chaos.town import Answer, Asked, OnDiscord, OnTelegram, OnThePage, Side, small_picture
from tests.fakes.discord import FakeDiscord, NotThere
from tests.fakes.telegram import FakeTelegram
from tests.fleet import Fleet

ANSWERED_S = 120.0
QUIET_S = 120.0
EXACT = ("rotate 90 degrees", "crop to a square", "make it black and white", "flip it")
KINDS = {"edit": 40, "exact": 25, "several": 8, "album": 4, "cancel": 8, "consent": 6, "again": 9}
"""What people do, and how often."""


@dataclass
class Crowd:
    """Everything that is said in one run. `until` ends it by the clock, `turns` by a count."""

    fleet: Fleet
    sides: Sequence[Side]
    seed: int
    turns: int = 0
    until: float = 0.0
    pause_s: float = 0.0
    asked: list[Asked] = field(default_factory=list[Asked])
    did: Counter[str] = field(default_factory=Counter[str])
    faults: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    begun: float = field(default_factory=time.monotonic)

    def goes_on(self) -> bool:
        if self.until and time.monotonic() > self.until:
            return False
        return not self.turns or len(self.asked) < self.turns

    async def lives(self, number: int) -> None:
        """One chat, from its first message to its last."""
        dice = random.Random(f"{self.seed}-{number}")
        side = self.sides[number % len(self.sides)]
        chat = side.chat(number)
        results: list[Answer] = []
        for turn in range(1_000_000):
            if not self.goes_on():
                return
            await asyncio.sleep(dice.random() * self.pause_s)
            if self.goes_on():
                await self._does(dice, side, chat, number * 1000 + turn, results)

    async def _does(self, dice: random.Random, side: Side, chat: Any, number: int, results: list[Answer]) -> None:
        kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
        if kind == "consent" and not isinstance(side, OnDiscord):
            kind = "edit"
        parent = dice.choice(results) if results and dice.random() < 0.7 else None
        pictures = [] if parent else [small_picture(number)]
        words = f"put hat {number} on her"
        match kind:
            case "exact":
                words = dice.choice(EXACT)
            case "several":
                words = f"two variations with hat {number}"
            case "album":
                parent, pictures = None, [small_picture(number), small_picture(number + 500_000)]
            case _:
                pass
        self.did[kind] += 1
        if kind == "consent":
            asked = await self._of_somebody_else(side, chat, number)
        else:
            asked = await side.asks(chat, words, pictures, reply_to=parent)
        self.asked.append(asked)
        if kind == "cancel":
            await asyncio.sleep(dice.random())
            await side.look(chat)
            asked.cancelled = await side.cancels(asked)
        if kind == "again":
            await side.repeats(asked)
        if found := await self._answer(asked):
            results.extend(each for each in found if each.pictures)

    async def _of_somebody_else(self, side: Side, chat: Any, number: int) -> Asked:
        """Ben wants to edit a picture of Anna's, who is asked and says yes."""
        assert isinstance(side, OnDiscord)
        photo = await chat.people[0].says(chat.channel, "look at this", files=[("look.jpg", small_picture(number))])
        hers = Answer(True, (), "", (), photo)
        asked = await side.asks(chat, f"put hat {number} on her", reply_to=hers, by=1)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWERED_S / 2):
                while True:
                    open_ = [each for each in asked.answers() if "Once" in each.labels]
                    if open_:
                        with contextlib.suppress(NotThere):
                            await chat.people[0].presses(open_[0].native, "Once")
                        await asyncio.sleep(5)  # what is pressed while nobody listens is pressed again
                    elif any(each.is_final for each in asked.answers()):
                        break
                    await asyncio.sleep(0.1)
        return asked

    async def _answer(self, asked: Asked) -> list[Answer]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWERED_S):
                while not any(each.is_final for each in asked.answers()):
                    await asyncio.sleep(0.2)
                    await asked.side.look(asked.chat)
                asked.answered_s = time.monotonic() - asked.begun_at
        return [each for each in asked.answers() if each.is_final]

    # --- faults

    def note(self, what: str) -> None:
        at = time.monotonic() - self.begun
        self.faults.append((at, what))
        print(f"{at:7.1f} s  {len(self.asked):5} asked  {what}", flush=True)

    async def faults_all_the_while(self, every_s: float) -> None:
        """One after the other, in an order that the seed decides."""
        dice = random.Random(f"{self.seed}-faults")
        while True:
            await asyncio.sleep(every_s * (0.5 + dice.random()))
            await dice.choice(self._possible(dice))()

    def _possible(self, dice: random.Random) -> list[Callable[[], Awaitable[None]]]:
        fleet, member = self.fleet, dice.choice(self.fleet.members)

        async def killed() -> None:
            self.note(f"kill -9 {member.name}")
            await member.restart(SIGKILL)

        async def replaced() -> None:
            self.note(f"SIGTERM {member.name}, and a new one")
            await member.restart(SIGTERM)

        async def frozen() -> None:
            self.note(f"{member.name} frozen for {FROZEN_S:.0f} s")
            member.freeze()
            await asyncio.sleep(FROZEN_S)
            member.thaw()

        async def cut() -> None:
            self.note("the store cut off for 3 s")
            fleet.wire.cut()
            await asyncio.sleep(3)
            fleet.wire.mend()

        async def slow() -> None:
            self.note("the store slow for 3 s")
            fleet.wire.delay_s = 0.05
            await asyncio.sleep(3)
            fleet.wire.delay_s = 0.0

        async def restarted() -> None:
            self.note("the store restarted")
            await fleet.valkey.restart(SIGTERM)

        async def crashed() -> None:
            self.note("the store killed")
            await fleet.valkey.restart(SIGKILL)

        async def repeated() -> None:
            self.note("the last 20 messages once more")
            for each in self.asked[-20:]:
                await each.side.repeats(each)

        return [killed, killed, replaced, frozen, cut, slow, restarted, crashed, repeated]

    async def a_kill(self, every_s: float) -> None:
        """One process after the other, every so often, and no other fault."""
        for number in range(1_000_000):
            await asyncio.sleep(every_s)
            member = self.fleet.members[number % len(self.fleet.members)]
            self.note(f"kill -9 {member.name}")
            await member.kill()
            await asyncio.sleep(2)  # what starts it again notices
            await member.begin_again()


async def run(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    real, minutes = bool(given.minutes), given.minutes or given.at_most
    async with FakeDiscord(rate_limits=real) as discord, FakeTelegram(floods=real) as telegram:
        page = OnThePage()
        sides: list[Side] = [OnDiscord(discord), OnTelegram(telegram), page]
        env = {key: value for side in sides for key, value in side.env().items()} | {"PERSON_TURNS": "100"}
        env |= {"SLOTS": str(given.slots), "LOG_LEVEL": "warning"}
        fleet = Fleet(folder, gateways=2, workers=2, env=env, model_delay_s=given.delay, s3=given.s3)
        page.fleet = fleet
        async with fleet:
            for each in sides:
                await each.listened_to()
            crowd = Crowd(
                fleet,
                sides,
                given.seed,
                turns=given.turns,
                until=time.monotonic() + minutes * 60 if minutes else 0.0,
                pause_s=given.pause,
            )
            trouble = crowd.a_kill(given.kill_every) if given.kill_every else crowd.faults_all_the_while(given.faults)
            striking = asyncio.create_task(trouble)
            async with asyncio.TaskGroup() as chats:
                for number in range(given.chats):
                    chats.create_task(crowd.lives(number))
            striking.cancel()
            await asyncio.wait({striking})
            lasted_s = time.monotonic() - crowd.begun
            return await _ended(crowd, lasted_s)


async def _ended(crowd: Crowd, lasted_s: float) -> dict[str, Any]:
    crowd.fleet.wire.mend()
    crowd.fleet.wire.delay_s = 0.0
    for each in crowd.fleet.members:
        each.thaw()
    if not crowd.fleet.valkey.lives:
        await crowd.fleet.valkey.start()
    for each in crowd.fleet.members:
        if not each.lives:
            await each.begin_again()
    left = await quiet(crowd.fleet, within_s=QUIET_S)
    books = await settled(crowd.fleet, crowd.asked)
    if left:
        books.troubles.append(f"not quiet: {left}")
    edits = _edits(crowd.asked)
    waits = sorted(each.answered_s for each in crowd.asked if each.answered_s is not None)
    return {
        "seed": crowd.seed,
        "lasted_s": round(lasted_s, 1),
        "did": dict(crowd.did),
        "platforms": dict(Counter(each.side.name for each in crowd.asked)),
        "faults": dict(Counter(what for _, what in crowd.faults)),
        "edits_mean": round(mean(edits), 2) if edits else 0.0,
        "edits_max": max(edits, default=0),
        "answered_p50_s": round(median(waits), 1),
        "answered_p99_s": round(waits[int(len(waits) * 0.99)], 1),
        "answered_max_s": round(waits[-1], 1),
        **asdict(books),
    }


def _edits(asked: Sequence[Asked]) -> list[int]:
    """How often each answer was edited, where a platform counts that: of plain turns once where it says that it runs,
    and once for the result."""
    return [
        answer.native.edits
        for each in asked
        if not isinstance(each.side, OnThePage)
        for answer in each.answers()
        if answer.is_final
    ]


def wrong(found: dict[str, Any]) -> bool:
    return bool(found["lost"] or found["doubled"] or found["double_billed"] or found["troubles"])


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.chaos.crowd")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--turns", type=int, default=0, help="messages in all")
    parser.add_argument("--minutes", type=float, default=0.0, help="how long, instead; with the platforms' own limits")
    parser.add_argument("--at-most", type=float, default=0.0, help="minutes after which fewer will do")
    parser.add_argument("--chats", type=int, default=60)
    parser.add_argument("--faults", type=float, default=8.0, help="seconds between them")
    parser.add_argument("--kill-every", type=float, default=0.0, help="a kill every so many seconds, and nothing else")
    parser.add_argument("--delay", type=float, default=0.2, help="seconds that the model takes")
    parser.add_argument("--pause", type=float, default=0.0, help="the longest wait before people say more, in seconds")
    parser.add_argument("--slots", type=int, default=8, help="of each worker")
    parser.add_argument("--s3", action="store_true")
    parser.add_argument("--folder", default="", help="where everything lies and stays")
    parser.add_argument("--out", default="", help="a file for the figures")
    return parser.parse_args(words)


def main() -> None:
    signal.signal(SIGTERM, signal.default_int_handler)
    given = arguments()
    print(f"seed {given.seed}")
    with tempfile.TemporaryDirectory(prefix="crowd-") as scratch:
        found = asyncio.run(run(given, Path(given.folder or scratch)))
    print(json.dumps(found, indent=1, ensure_ascii=False))
    if given.out:
        Path(given.out).write_text(json.dumps(found, ensure_ascii=False))
    sys.exit(wrong(found))


if __name__ == "__main__":
    main()
