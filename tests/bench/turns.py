"""What a turn costs us, beside a naive one. Prints ratios taken in one run; nothing here passes or fails by a clock.

    python -m tests.bench.turns                    1,000 turns at 1024², and 100 naive ones
    python -m tests.bench.turns --turns 200        quicker

Method (see docs/benchmarks.md): processor time of the bot's process alone; the database and the fake model run in
processes of their own; ours and the naive bot take turns in short rounds; medians of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import logging
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog
from google import genai
from google.genai import types
from PIL import Image
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

from bot.domain.images import Picture
from bot.domain.messages import Received
from bot.domain.turns import TurnState
from bot.engines.exact import ExactEngine
from bot.engines.gemini import Access, GeminiEngine, model_profile
from bot.engines.pixels import to_picture
from bot.ports import EditRequest, Engine
from storage.objects.store import ObstoreImageStore
from storage.valkey.server import embedded_valkey
from tests.bench.naive import NaiveBot
from tests.fakes.engines import ScriptedEngine
from tests.rig import SAMPLES, Rig, living_in

SIDE_PX = 1024
THREAD_TURNS = 10
NO_LIMITS: Final[Any] = {
    **dict.fromkeys(
        ("person_day_usd", "chat_day_usd", "house_day_usd", "house_month_usd", "house_ten_minutes_usd"), 1e6
    ),
    **dict.fromkeys(("person_hour_turns", "chat_hour_turns"), 0),
}
"""What is refused is no turn."""


def photograph(side_px: int = SIDE_PX) -> Image.Image:
    """A mosaic of the sample photographs with the grain of a sensor, so that it packs like a photograph."""
    half = side_px // 2
    canvas = Image.new("RGB", (side_px, side_px))
    for index, name in enumerate(("cat", "coffee", "astronaut", "rocket")):
        tile = Image.open(SAMPLES / f"{name}.jpg").convert("RGB").resize((half, half), Image.Resampling.LANCZOS)
        canvas.paste(tile, (index % 2 * half, index // 2 * half))
    grain = np.random.default_rng(1).normal(0, 1, (side_px, side_px, 1))
    return Image.fromarray(np.clip(np.asarray(canvas) + grain, 0, 255).astype("uint8"))


def as_png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@dataclass
class Round:
    """One short run: processor seconds and wall seconds per turn."""

    cpu_s: float
    wall_s: float


@dataclass
class Stalls:
    """The longest time that the event loop did not come round, in seconds: by the clock, and the most processor time of
    its thread between two looks, which is its own and not that of others who had the core."""

    longest_s: float = 0.0
    longest_own_s: float = 0.0
    all_s: list[float] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        async def tick() -> None:
            while True:
                before, own = time.perf_counter(), time.thread_time()
                await asyncio.sleep(0.001)
                self.longest_own_s = max(self.longest_own_s, time.thread_time() - own)
                late = time.perf_counter() - before - 0.001
                self.all_s.append(late)
                self.longest_s = max(self.longest_s, late)

        task = asyncio.create_task(tick())
        try:
            yield
        finally:
            task.cancel()


async def timed(work: Any, turns: int) -> Round:
    cpu, wall = time.process_time(), time.perf_counter()
    await work
    return Round((time.process_time() - cpu) / turns, (time.perf_counter() - wall) / turns)


async def one_thread(rig: Rig, photo: bytes, turns: int) -> None:
    """A photo, and replies each to the result before."""
    last = await rig.says("put a hat on her", [photo])
    await done(rig, last)
    for number in range(1, turns):
        last = await rig.says(f"and now {number} feathers", reply_to=last)
        await done(rig, last)


async def done(rig: Rig, asked: Received) -> None:
    status = await rig.sees(asked, within_s=120)
    assert status.state is TurnState.DONE, status.outcome


async def ours(rig: Rig, photo: bytes, turns: int, side_by_side: int = 4) -> None:
    threads = max(1, turns // THREAD_TURNS)
    gate = asyncio.Semaphore(side_by_side)

    async def gated() -> None:
        async with gate:
            await one_thread(rig, photo, THREAD_TURNS)

    await asyncio.gather(*(gated() for _ in range(threads)))


async def naive(bot: NaiveBot, photo: bytes, turns: int, run: int) -> None:
    for number in range(turns):
        upload = photo if number % THREAD_TURNS == 0 else None
        await bot.turn(f"{run}-{number // THREAD_TURNS}", f"and now {number} feathers", upload)


@contextlib.contextmanager
def fake_model() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.gemini", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield next(word for word in process.stdout.readline().split() if word.startswith("http")).rstrip("/")
    finally:
        process.kill()
        process.wait()


async def beside_naive(
    url: str, folder: Path, photo: bytes, engine: Engine, model: Any, *, turns: int, naive_turns: int = 10
) -> None:
    """Ours and the naive bot in turn, ten rounds; `naive_turns` in each."""
    rounds = 10
    stalls = Stalls()
    redis = Redis.from_url(url, decode_responses=True)
    (folder / "naive").mkdir(parents=True, exist_ok=True)
    bot = NaiveBot(redis, folder / "naive", model)
    mine: list[Round] = []
    theirs: list[Round] = []
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": engine}
    async with living_in(url, folder, engines, person_turns=8, **NO_LIMITS) as rig:
        await ours(rig, photo, THREAD_TURNS)
        await naive(bot, photo, 2, -1)
        for number in range(rounds):
            async with stalls.watched():
                mine.append(await timed(ours(rig, photo, turns // rounds), turns // rounds))
            theirs.append(await timed(naive(bot, photo, naive_turns, number), naive_turns))
    await redis.aclose()
    cpu = statistics.median(each.cpu_s for each in mine)
    cpu_naive = statistics.median(each.cpu_s for each in theirs)
    wall = statistics.median(each.wall_s for each in mine)
    wall_naive = statistics.median(each.wall_s for each in theirs)
    print(
        f"  processor time per turn   ours {cpu * 1e3:7.1f} ms   naive {cpu_naive * 1e3:7.1f} ms   "
        f"ours/naive = 1/{cpu_naive / cpu:.1f}"
    )
    print(
        f"  turns per second          ours {1 / wall:7.1f}      naive {1 / wall_naive:7.1f}      "
        f"ours/naive = {wall_naive / wall:.1f}"
    )
    print(
        f"  longest stall of the event loop {stalls.longest_s * 1e3:.1f} ms, of its own time "
        f"{stalls.longest_own_s * 1e3:.1f} ms "
        f"(99.9 % under {sorted(stalls.all_s)[int(len(stalls.all_s) * 0.999)] * 1e3:.1f} ms)"
    )
    print(
        f"  peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB "
        f"(both bots share it)"
    )


async def turn_50_beside_turn_2(url: str, folder: Path, photo: bytes, engine: ScriptedEngine) -> None:
    """Eight threads of fifty turns; the same figures of the second and of the fiftieth."""
    redis = Redis.from_url(url)
    read_bytes = 0
    original = ObstoreImageStore.get

    async def counted(self: ObstoreImageStore, sha256: Any) -> bytes:
        nonlocal read_bytes
        data = await original(self, sha256)
        read_bytes += len(data)
        return data

    ObstoreImageStore.get = counted  # type: ignore[method-assign]
    rows: dict[int, list[tuple[float, float, float, float]]] = {2: [], 50: []}
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": engine}
    async with living_in(url, folder, engines, **NO_LIMITS) as rig:
        for _ in range(8):
            last = await rig.says("put a hat on her", [photo])
            await done(rig, last)
            for number in range(2, 51):
                before = (read_bytes, await out_bytes(redis), time.process_time())
                last = await rig.says(f"and now {number} red feathers on the hat", reply_to=last)
                await done(rig, last)
                if number in rows:
                    sent = sent_bytes(engine.requests[-1])
                    after = (read_bytes, await out_bytes(redis), time.process_time())
                    rows[number].append((after[0] - before[0], after[1] - before[1], sent, after[2] - before[2]))
    ObstoreImageStore.get = original  # type: ignore[method-assign]
    await redis.aclose()
    names = ("pixels read, bytes", "database bytes read", "bytes sent to the engine", "processor time, ms")
    for index, name in enumerate(names):
        two, fifty = (statistics.median(row[index] for row in rows[number]) for number in (2, 50))
        scale = 1e3 if "ms" in name else 1
        print(f"  {name:26} turn 2 {two * scale:12,.1f}   turn 50 {fifty * scale:12,.1f}   ratio {fifty / two:.2f}")


async def out_bytes(redis: Redis) -> int:
    return int((await redis.info("stats"))["total_net_output_bytes"])


def sent_bytes(request: EditRequest) -> int:
    lines = [*request.story.lines, *request.story.pinned]
    words = len(request.instruction) + sum(len(line.instruction) + len(line.name) for line in lines)
    return sum(len(each.data) for each in request.images) + words


async def round_trips(url: str, folder: Path, photo: bytes, engine: ScriptedEngine) -> None:
    """Commands or pipelines sent to the database for one reply, those of the queue engine's own polling taken out."""
    sent = 0
    original = AbstractConnection.send_packed_command

    async def counted(self: AbstractConnection, *args: Any, **kwargs: Any) -> None:
        nonlocal sent
        sent += 1
        await original(self, *args, **kwargs)

    AbstractConnection.send_packed_command = counted  # type: ignore[method-assign]
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": engine}
    async with living_in(url, folder, engines, **NO_LIMITS) as rig:
        last = await rig.says("put a hat on her", [photo])
        await rig.sees(last)
        await asyncio.sleep(1)
        idle, began = sent, time.perf_counter()
        await asyncio.sleep(4)
        idle_per_s = (sent - idle) / (time.perf_counter() - began)
        counts: list[float] = []
        for words in ("put a scarf on her", "crop to a square") * 5:
            before, began, asked = sent, time.perf_counter(), rig.house.turns.load
            last = await rig.says(words, reply_to=last)
            looks = 0
            while not (status := await asked(last.turn)) or not status.delivered:
                looks += 1
                await asyncio.sleep(0.005)
            counts.append(sent - before - looks - 1 - idle_per_s * (time.perf_counter() - began))
    AbstractConnection.send_packed_command = original  # type: ignore[method-assign]
    print(
        f"  per reply: AI edit {statistics.median(counts[::2]):.0f}, exact edit {statistics.median(counts[1::2]):.0f} "
        f"(an idle house sends {idle_per_s:.0f} a second)"
    )


async def main(turns: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    image = photograph()
    photo = as_png(image)
    result: Picture = to_picture(image)
    print(f"photograph {SIDE_PX}², {len(photo) / 1e6:.2f} MB as PNG; {turns} turns beside 100 naive ones")
    with tempfile.TemporaryDirectory() as name, fake_model() as gemini:
        folder = Path(name)

        async def at_once(_: bytes, __: str) -> bytes:
            return result.data

        client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=gemini))

        async def through_sdk(source: bytes, words: str) -> bytes:
            contents: Any = [types.Part.from_bytes(data=source, mime_type="image/png"), words]
            answer = await client.aio.models.generate_content(
                model="gemini-nano-banana-2.1",
                contents=contents,
                config=types.GenerateContentConfig(response_modalities=["TEXT", "IMAGE"]),
            )
            parts: Any = answer.candidates[0].content.parts  # type: ignore[index,union-attr]
            return next(bytes(part.inline_data.data) for part in parts if part.inline_data)

        print("\nan engine that answers at once")
        async with database(folder / "1") as url:
            engine = ScriptedEngine(result=result)
            await beside_naive(url, folder / "1", photo, engine, at_once, turns=turns)
        print("\nthe same through the model's API (the fake server, in a process of its own)")
        async with database(folder / "2") as url:
            real = GeminiEngine(Access("k", base_url=gemini), [model_profile("gemini-nano-banana-2.1")])
            await beside_naive(url, folder / "2", photo, real, through_sdk, turns=max(100, turns // 5))
            await real.aclose()
        print("\nturn 50 of a thread beside turn 2")
        async with database(folder / "3") as url:
            await turn_50_beside_turn_2(url, folder / "3", photo, ScriptedEngine(result=result))
        print("\nround trips to the database")
        async with database(folder / "4") as url:
            await round_trips(url, folder / "4", photo, ScriptedEngine(result=result))


@contextlib.asynccontextmanager
async def database(folder: Path) -> AsyncIterator[str]:
    async with embedded_valkey(folder / "database") as url:
        yield url


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=1000)
    asyncio.run(main(parser.parse_args().turns))
