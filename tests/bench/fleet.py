"""How much one process does, how much it holds, what a second worker adds, and what a turn asks of the database. Prints
ratios and counts taken in one run; nothing here passes or fails by a clock.

    python -m tests.bench.fleet                    all four, some six minutes
    python -m tests.bench.fleet --only held        one of turns, held, workers, trips

See docs/benchmarks.md for the method.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import logging
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import aiohttp
import structlog

from bot.domain.images import Picture
from bot.domain.messages import InboundMessage
from bot.domain.refs import ChatRef, MessageRef, TurnId, UserRef
from bot.engines.exact import ExactEngine
from bot.engines.pixels import to_picture
from bot.ports import EditRequest, Engine, EngineAnswer
from bot.profiles import ProfiledPlatform
from tests.bench.gemini import answer_with
from tests.bench.held import marked, resident_bytes
from tests.bench.turns import NO_LIMITS, Stalls, as_png, beside_naive, database, photograph
from tests.fakes.engines import ScriptedEngine
from tests.fleet import Fleet, Process
from tests.rig import Rig, Shown, living_in
from tests.trips import QUEUE, Trip, trips

SIDE_PX: Final = 1024
ENGINE_S: Final = 8.0
AT_ONCE: Final = (25, 50, 100, 200, 400)
MOST_RESERVED_S: Final = 0.1
MOST_STALL_S: Final = 0.05
HELD_S: Final = 300.0
PEOPLE: Final = 32
WINDOW_S: Final = 10.0
ROUNDS: Final = 2
REMIXBOT: Final = (sys.executable, "-c", "from bot.cli import main; main()")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


# --- turns per second beside a naive bot


class FixedEngine(ScriptedEngine):
    """A fixed picture after `takes_s`, each time as another file, as in life: none is found to be there already."""

    takes_s = 0.0
    under_way = 0
    calls = 0

    async def edit(self, request: EditRequest) -> EngineAnswer:
        self.requests.clear()
        assert self.result is not None
        self.calls += 1
        made = replace(self.result, data=marked(self.result.data, self.calls))
        self.under_way += 1
        await asyncio.sleep(self.takes_s)
        self.under_way -= 1
        return replace(await super().edit(request), images=(made,))


async def turns(folder: Path, photo: bytes, result: Picture, count: int) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))  # as `remixbot run` has it
    made = itertools.count()

    async def at_once(_: bytes, __: str) -> bytes:
        return marked(result.data, next(made))

    async with database(folder) as url:
        await beside_naive(
            url, folder, photo, FixedEngine(result=result, cost_microusd=0), at_once, turns=count, naive_turns=5
        )


# --- turns held at once


@dataclass
class Reserved:
    """When each message came to the door, and when its reply stood in the chat."""

    came: dict[MessageRef, float]
    took_s: list[float]

    def watch(self) -> None:
        original = ProfiledPlatform.reserve

        async def reserve(platform: ProfiledPlatform, message: InboundMessage, turn: TurnId) -> MessageRef:
            reply = await original(platform, message, turn)
            if message.ref in self.came:
                self.took_s.append(time.perf_counter() - self.came.pop(message.ref))
            return reply

        patched: Any = ProfiledPlatform
        patched.reserve = reserve


async def hold(url: str, folder: Path, count: int, over_s: float) -> dict[str, float]:
    """So many people send a photograph each, one after the other over `over_s`."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))  # as `remixbot run` has it
    photo, result = as_png(photograph(SIDE_PX)), to_picture(photograph(SIDE_PX))
    slow = FixedEngine(result=result, cost_microusd=0)
    slow.takes_s = ENGINE_S
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": slow}
    reserved, stalls = Reserved({}, []), Stalls()
    reserved.watch()
    async with living_in(url, folder, engines, slots=count, **NO_LIMITS) as rig:
        shown = Shown(rig)
        messages = [await _message(rig, photo, number) for number in range(count + 1)]
        await rig.house.hall.receive(messages[0])
        await shown.reach(1, within_s=HELD_S)
        reserved.took_s.clear()
        gc.collect()
        gc.freeze()  # as `remixbot run` does
        before = resident_bytes()
        seen: list[tuple[int, int]] = []
        looking = asyncio.create_task(_resident(slow, seen))
        async with stalls.watched():
            saying: list[asyncio.Task[Any]] = []
            for message in messages[1:]:
                reserved.came[message.ref] = time.perf_counter()
                saying.append(asyncio.create_task(rig.house.hall.receive(message)))
                if over_s:
                    await asyncio.sleep(over_s / count)
            await asyncio.gather(*saying)
            await shown.reach(1 + count, within_s=HELD_S)
        looking.cancel()
        most, at_most = max(seen)
        took = sorted(reserved.took_s)
        return {
            "count": count,
            "over_s": over_s,
            "most": most,
            "turn_bytes": (at_most - before) / max(1, most),
            "p50_s": statistics.median(took),
            "p99_s": took[int(len(took) * 0.99)],
            "stall_s": stalls.longest_s,
            "own_stall_s": stalls.longest_own_s,
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }


async def _message(rig: Rig, photo: bytes, number: int) -> InboundMessage:
    """A person of their own, in a chat of their own, with a file of their own, before the door."""
    chat, author = ChatRef("web", "page", f"chat-{number}"), UserRef("web", f"person-{number}")
    return await rig.message("put a hat on her", [marked(photo, number)], chat=chat, author=author)


async def _resident(slow: FixedEngine, seen: list[tuple[int, int]]) -> None:
    """Ten times a second: how many are under way, and the resident bytes then."""
    while True:
        seen.append((slow.under_way, resident_bytes()))
        await asyncio.sleep(0.1)


async def held(folder: Path) -> None:
    print(
        "  turns   arriving     in flight   memory/turn   reserved p50    p99     stall (of its own)   processor/turn"
    )
    highest = 0
    for count in AT_ONCE:
        spread = await _held_in_a_child(_place(folder, f"{count}-spread"), count, ENGINE_S)
        is_held = spread["p99_s"] <= MOST_RESERVED_S and spread["own_stall_s"] <= MOST_STALL_S
        highest = int(spread["most"]) if is_held else highest
        await _held_in_a_child(_place(folder, f"{count}-burst"), count, 0.0)
        if not is_held:
            break
    print(
        f"  held: {highest} at once, while a reply is reserved within 100 ms (p99) and the loop never stands for 50 ms"
    )


def _place(folder: Path, name: str) -> Path:
    (folder / name).mkdir(parents=True)
    return folder / name


async def _held_in_a_child(folder: Path, count: int, over_s: float) -> dict[str, float]:
    async with database(folder) as url:
        arguments = ["--hold", str(count), "--over", str(over_s), "--url", url, "--folder", str(folder)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.fleet", *arguments, stdout=subprocess.PIPE
        )
        told, _ = await process.communicate()
    assert process.returncode == 0, "the measured process broke"
    found: dict[str, float] = json.loads(told)
    arriving = f"over {over_s:.0f} s" if over_s else "at once"
    print(
        f"  {count:5}   {arriving:10} {found['most']:9.0f} {found['turn_bytes'] / 1e6:11.1f} MB "
        f"{found['p50_s'] * 1e3:11.1f} ms {found['p99_s'] * 1e3:7.1f} ms {found['stall_s'] * 1e3:7.1f} ms "
        f"({found['own_stall_s'] * 1e3:.1f} ms)   "
        f"peak {found['peak_bytes'] / 1e6:.0f} MB",
        flush=True,
    )
    return found


# --- one worker and two


async def workers(folder: Path, photo: bytes, result: Picture) -> None:
    for model_s in (1.0, 0.0):
        place = _place(folder, f"model-{model_s:.0f}")
        model = await asyncio.to_thread(_answers, place, result)
        env = {"PERSON_TURNS": str(PEOPLE), "LOG_LEVEL": "warning"}
        fleet = Fleet(place, gateways=1, workers=2, env=env, command=REMIXBOT, wired=False)
        serve = ["-m", "tests.bench.gemini", "--serve", str(model), "--delay", str(model_s)]
        fleet.gemini = Process("gemini", [sys.executable, *serve], place, says="http")
        async with fleet:
            await fleet.workers[1].term()
            rates: dict[int, list[float]] = {1: [], 2: []}
            for _ in range(ROUNDS):
                rates[1].append(await _rate(fleet, photo, 1, model_s))
                await fleet.workers[1].start()
                rates[2].append(await _rate(fleet, photo, 2, model_s))
                await fleet.workers[1].term()
        one, two = (statistics.median(each) for each in rates.values())
        print(f"  a model that takes {model_s:.0f} s: 2 workers / 1 worker = {two / one:.2f}", flush=True)


def _answers(place: Path, result: Picture) -> Path:
    model = _place(place, "model")
    for name in ("1K", "4K"):
        (model / name).write_bytes(answer_with(result.data))
    return model


_chats = itertools.count(1)


async def _rate(fleet: Fleet, photo: bytes, count: int, model_s: float) -> float:
    """Turns per second while `PEOPLE` wait for each answer before they ask again. Prints what had the cores."""
    done: list[float] = []
    page = fleet.gateways[0].address
    async with aiohttp.ClientSession(page, timeout=aiohttp.ClientTimeout(None)) as http:
        asking = [asyncio.create_task(_asks_on_and_on(http, photo, next(_chats), done)) for _ in range(PEOPLE)]
        async with asyncio.timeout(HELD_S):
            while len(done) < PEOPLE:
                await asyncio.sleep(0.05)
        before, spent = len(done), _spent_s(fleet)
        began = time.perf_counter()
        await asyncio.sleep(WINDOW_S)
        took = time.perf_counter() - began
        rate = (len(done) - before) / took
        cores = {name: (after - spent.get(name, 0.0)) / took for name, after in _spent_s(fleet).items()}
        for task in asking:
            task.cancel()
        broken = [each for each in await asyncio.gather(*asking, return_exceptions=True) if isinstance(each, Exception)]
    assert not broken, broken[0]
    used = ", ".join(f"{name} {share:.2f}" for name, share in cores.items() if share >= 0.01)
    print(
        f"  model {model_s:.0f} s, {count} worker{'s' * (count > 1)}: {rate:5.1f} turns/s   cores: {used}", flush=True
    )
    await asyncio.sleep(2 + model_s)  # what was asked last is done
    return rate


async def _asks_on_and_on(http: aiohttp.ClientSession, photo: bytes, number: int, done: list[float]) -> None:
    chat, target = f"chat-{number}", ""
    async with http.get(f"/api/chats/{chat}/events") as events:
        assert events.status == 200, await events.text()
        for turn in itertools.count():
            form = aiohttp.FormData({"text": f"put hat {turn} on her"}, default_to_multipart=True)
            if target:
                form.add_field("reply_to", target)
            else:
                form.add_field("image", marked(photo, number), filename="photo.png", content_type="image/png")
            key = {"Idempotency-Key": f"{number}-{turn}"}
            async with http.post(f"/api/chats/{chat}/messages", data=form, headers=key) as response:
                assert response.status == 202, await response.text()
                asked = (await response.json())["message_id"]
            target = await _answer_to(events.content, asked)
            done.append(time.perf_counter())


async def _answer_to(events: aiohttp.StreamReader, asked: str) -> str:
    while line := await events.readline():
        if line.startswith(b"data: "):
            message = json.loads(line[6:])
            if message.get("reply_to") == asked and message.get("state") == "done":
                return str(message["id"])
            ended = message.get("reply_to") == asked and message.get("state") in ("failed", "refused", "asking")
            assert not ended, message
    raise AssertionError("the page hung up")


def _spent_s(fleet: Fleet) -> dict[str, float]:
    """Processor seconds so far, by process."""
    processes = {each.name: each.pid for each in (*fleet.members, fleet.valkey, fleet.gemini) if each.lives}
    found = {"people": time.process_time()}
    for name, pid in processes.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        found[name] = (int(fields[11]) + int(fields[12])) / _TICKS
    return found


# --- what a turn asks of the database


_PARTS: Final = (
    ("record", r"MessageStore\.(find|record)$"),
    ("settle the message", r"MessageStore\.settle_inbound"),
    ("submit", r"TurnStore\.submit"),
    ("claim", r"TurnStore\.claim"),
    ("finish", r"TurnStore\.finish"),
    ("settle", r"TurnStore\.settle"),
    ("delivered", r"TurnStore\.delivered"),
    ("fingerprint", r"FingerprintIndex\."),
)
_STAGES: Final = {"reserve": "reserve, attach", "engine": "call, counted", "store": "store", "fill": "fill"}
_ORDER: Final = (
    "record",
    "reserve, attach",
    "fetch, check",
    "submit",
    "settle the message",
    "claim",
    "load",
    "show that it runs",
    "call, counted",
    "store",
    "finish",
    "settle",
    "fill",
    "fingerprint",
    "delivered",
)


def part_of(trip: Trip) -> str:
    """Which part of the path a trip belongs to; empty for what goes on without any turn."""
    step = trip.steps[0] if trip.steps else ""
    named = next((part for part, pattern in _PARTS if re.search(pattern, step)), "")
    if trip.turn is None:
        return "record" if named == "record" else ""
    if named and named != "record":
        return named
    if "accept" in trip.stages:
        return "submit" if step == QUEUE else "fetch, check"
    stage = next((each for each in trip.stages if each in _STAGES), "")
    if stage:
        return _STAGES[stage]
    return "load" if any("decided" in each for each in trip.steps) else "show that it runs"


async def asked(folder: Path, photo: bytes, result: Picture) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": ScriptedEngine(result=result)}
    async with database(folder) as url, living_in(url, folder, engines, **NO_LIMITS) as rig:
        last = await rig.says("put a hat on her", [photo])
        await rig.sees(last)
        await asyncio.sleep(1)
        with trips() as found:
            await asyncio.sleep(4)
        beside = {"queue": sum(each.steps == (QUEUE,) for each in found) / 4, "all": len(found) / 4}

        async def upload() -> None:
            await _one(rig, lambda: rig.says("put a hat on her", [marked(photo, next(_chats))]))

        async def reply() -> None:
            nonlocal last
            last = await _one(rig, lambda: rig.says("put a scarf on her", reply_to=last))

        for words, turn in (("a photograph and words", upload), ("a reply to a result", reply)):
            print(f"\n  {words}")
            await _table(turn)
    print(f"\n  beside turns: {beside['all']:.0f} trips a second, {beside['queue']:.0f} of the queue engine")


async def _one(rig: Rig, says: Callable[[], Awaitable[Any]]) -> Any:
    shown = Shown(rig)
    received = await says()
    await shown.reach(1)
    return received


async def _table(turn: Callable[[], Awaitable[None]], rounds: int = 7) -> None:
    rows: defaultdict[str, list[tuple[int, int, int, int]]] = defaultdict(list)
    for _ in range(rounds):
        with trips() as found:
            await turn()
            await asyncio.sleep(0.3)
        for part in _ORDER:
            own = [each for each in found if part_of(each) == part]
            rows[part].append(_sums(own))
    print("    part                 trips   commands   sent, B   received, B")
    medians = {part: [statistics.median(each) for each in zip(*some, strict=True)] for part, some in rows.items()}
    for part, each in medians.items():
        if each[0]:
            print(f"    {part:20} {each[0]:5.0f} {each[1]:10.0f} {each[2]:9,.0f} {each[3]:13,.0f}")
    total = [sum(each) for each in zip(*medians.values(), strict=True)]
    print(f"    {'all':20} {total[0]:5.0f} {total[1]:10.0f} {total[2]:9,.0f} {total[3]:13,.0f}")
    core = sum(medians[part][0] for part in ("load", "store", "finish"))
    print(f"    load + store + finish: {core:.0f} trips (goal: 3 at most)", flush=True)


def _sums(found: Sequence[Trip]) -> tuple[int, int, int, int]:
    return (
        len(found),
        sum(len(each.commands) for each in found),
        sum(each.sent_bytes for each in found),
        sum(each.received_bytes for each in found),
    )


# --- the run


@asynccontextmanager
async def part(number: int, words: str) -> AsyncGenerator[Path]:
    print(f"\n{words} (load of the machine before: {os.getloadavg()[0]:.1f})", flush=True)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix=f"fleet-{number}-") as folder:
        yield Path(folder)
    print(f"  [{time.perf_counter() - began:.0f} s]", flush=True)


async def main(only: str | None, count: int) -> None:
    image = photograph(SIDE_PX)
    photo, result = as_png(image), to_picture(image)
    gc.collect()
    gc.freeze()  # as `remixbot run` does
    print(f"photograph {SIDE_PX}², {len(photo) / 1e6:.2f} MB as PNG, back {len(result.data) / 1e6:.2f} MB")
    if only in (None, "turns"):
        async with part(1, f"one process, an engine that answers at once, beside a naive bot: {count} turns") as folder:
            await turns(folder, photo, result, count)
    if only in (None, "held"):
        async with part(2, f"one process, an engine that takes {ENGINE_S:.0f} s") as folder:
            await held(folder)
    if only in (None, "workers"):
        async with part(3, f"one gateway, one worker or two, {PEOPLE} people who wait for each answer") as folder:
            await workers(folder, photo, result)
    if only in (None, "trips"):
        async with part(4, "what one turn asks of the database") as folder:
            await asked(folder, photo, result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=("turns", "held", "workers", "trips"))
    parser.add_argument("--turns", type=int, default=400)
    parser.add_argument("--hold", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--over", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    if given.hold:
        print(json.dumps(asyncio.run(hold(given.url, given.folder, given.hold, given.over))))
    else:
        asyncio.run(main(given.only, given.turns))
