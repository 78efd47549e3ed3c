"""What drawing the tree of a thread costs, beside the bare Pillow work. Prints figures taken in one run; nothing here
passes or fails by a clock.

    python -m tests.bench.tree                     200 turns, of which 24 rows are shown
    python -m tests.bench.tree --look FOLDER       leaves the picture there, too

Method: see docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import structlog
from PIL import Image, ImageOps

from bot.domain.images import ImageFacts, Picture
from bot.domain.refs import Sha256, TurnId
from bot.domain.tree import Layout, Node, layout_of, nodes_of
from bot.domain.words import GONE_NODE
from bot.engines.exact import ExactEngine
from bot.engines.pixels import decode, encode_jpeg
from bot.engines.tree import THUMB_PX, draw, shrink
from bot.ports import EditRequest, EngineAnswer
from tests.bench.held import KINDS, marked, picture
from tests.bench.turns import database
from tests.fakes.engines import ScriptedEngine
from tests.rig import Rig, living_in
from tests.values import ANNA, BEN

TURNS: Final = 200
ROUNDS: Final = 7
WORDS: Final = {"gone": GONE_NODE}
SAID: Final = (
    "put a red hat on her",
    "make it a rainy evening in Kyiv, with the lights of the shops in the puddles, seen from far above",
    "зроби її чорно-білою",
    "眼鏡をかけて",
    "in 16:9",
)


def grows_from(number: int) -> int | None:
    """What a turn hangs on, counted from 1: mostly on the one before, now and then on an older one."""
    if number == 1:
        return None
    return number - 1 - number % 7 * 3 % (number - 1) if number % 9 == 0 else number - 1


def thread(files: Sequence[Picture]) -> tuple[tuple[Node, ...], dict[Sha256, bytes]]:
    """The pictures of a thread, each another file."""
    nodes: list[Node] = []
    data: dict[Sha256, bytes] = {}
    for number in range(1, TURNS + 1):
        file, above, name = files[number % len(files)], grows_from(number), Sha256(f"{number:064x}")
        data[name] = marked(file.data, number)
        facts = ImageFacts(name, file.media_type, file.width_px, file.height_px, len(data[name]))
        parent = TurnId(f"t-{above}") if above else None
        author = ("Anna", "Бен", "さくら")[number % 3]
        nodes.append(Node(TurnId(f"t-{number}"), number, parent, author, SAID[number % len(SAID)], facts))
    return tuple(nodes), data


def bare(files: Sequence[bytes], size: tuple[int, int]) -> bytes:
    """The floor: the same thumbnails, pasted onto paper of the same size, encoded once by the same encoder."""
    paper = Image.new("RGB", size, "white")
    for place, data in enumerate(files):
        with Image.open(io.BytesIO(data)) as opened:
            small = ImageOps.fit(opened.convert("RGB"), (THUMB_PX, THUMB_PX), Image.Resampling.BILINEAR)
        paper.paste(small, (60, 26 + 116 * place))
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=88, subsampling=2)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Figures:
    """Processor time in seconds."""

    floor: float
    layout: float
    tiles: float
    drawing: float
    encoding: float

    @property
    def ours(self) -> float:
        return self.layout + self.tiles + self.drawing + self.encoding


def took(work: Callable[[], Any]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def one_round(nodes: Sequence[Node], data: Mapping[Sha256, bytes]) -> Figures:
    layout = layout_of(nodes)
    names = [row.node.image.sha256 for row in layout.rows if row.node.image is not None]
    tiles: dict[Sha256, bytes] = {}
    drawn: list[Picture] = []
    tiling = took(lambda: tiles.update((name, shrink(data[name])) for name in names))
    drawing = took(lambda: drawn.append(draw(layout, tiles, WORDS)))
    image = decode(drawn[0].data)
    encoding = took(lambda: encode_jpeg(image, quality=88))
    floor = took(lambda: bare([data[name] for name in names], image.size))
    return Figures(floor, took(lambda: layout_of(nodes)), tiling, drawing - encoding, encoding)


def beside_pillow(kind: str, look: Path | None) -> None:
    nodes, data = thread([picture(kind)])
    layout = layout_of(nodes)
    one_round(nodes, data)
    rounds = [one_round(nodes, data) for _ in range(ROUNDS)]
    whole = statistics.median(each.ours / each.floor for each in rounds)
    again = statistics.median((each.ours - each.tiles) / each.floor for each in rounds)

    def ms(part: Callable[[Figures], float]) -> str:
        return f"{statistics.median(map(part, rounds)) * 1e3:.1f}"

    made = draw(layout, {name: shrink(file) for name, file in data.items() if _shows(layout, name)}, WORDS)
    print(
        f"{kind:5} {len(layout.rows)} rows of {len(nodes)}, {len(made.data) / 1e3:.0f} kB, "
        f"{made.width_px} × {made.height_px}: floor {ms(lambda f: f.floor)} ms, ours {ms(lambda f: f.ours)} ms "
        f"(layout {ms(lambda f: f.layout)}, thumbnails {ms(lambda f: f.tiles)}, lettering and lines "
        f"{ms(lambda f: f.drawing)}, encoding {ms(lambda f: f.encoding)}): ours/floor {whole:.2f}, "
        f"with the thumbnails at hand {again:.2f}",
        flush=True,
    )
    if look is not None:
        (look / f"tree-{kind}.jpg").write_bytes(made.data)


def _shows(layout: Layout, name: Sha256) -> bool:
    return any(row.node.image is not None and row.node.image.sha256 == name for row in layout.rows)


# --- in the house


class Painter(ScriptedEngine):
    """Gives the same pixels each time, and each time another file."""

    async def edit(self, request: EditRequest) -> EngineAnswer:
        assert self.drawn is not None
        self.result = replace(self.drawn, data=marked(self.drawn.data, len(self.requests)))
        return await super().edit(request)


class Longest:
    """The most processor time that the event loop's thread took between two of its turns, in seconds."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.0005)
            self.longest_s = max(self.longest_s, time.thread_time() - before)


async def asked(rig: Rig, below: Any) -> tuple[float, float, float]:
    """`/tree` from the words to the picture in the chat: wall seconds, processor seconds, the longest stall."""
    longest = Longest()
    watching = asyncio.create_task(longest.watch())
    wall, worked = time.perf_counter(), time.process_time()
    await rig.sees(await rig.says("/tree", reply_to=below))
    wall, worked = time.perf_counter() - wall, time.process_time() - worked
    watching.cancel()
    return wall, worked, longest.longest_s


async def in_the_house(kind: str) -> None:
    file = picture(kind)
    engine = Painter(drawn=file)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            database(folder) as url,
            living_in(url, folder, {"exact": ExactEngine(), "gemini": engine}, person_day_usd=1e6, house_day_usd=1e6,
                      chat_day_usd=1e6, house_month_usd=1e6, house_ten_minutes_usd=1e6) as rig,
        ):  # fmt: skip
            made: list[Any] = []
            for number in range(1, TURNS + 1):
                above = grows_from(number)
                reply_to, photo = (made[above - 1], []) if above else (None, [file.data])
                author = BEN if number % 2 else ANNA
                made.append(await rig.says(SAID[number % len(SAID)], photo, reply_to=reply_to, author=author))
                await rig.sees(made[-1], within_s=60)
            first, *later = [await asked(rig, made[-1]) for _ in range(ROUNDS)]
            began = time.process_time()
            statuses = await rig.house.turns.thread((await rig.sees(made[-1])).turn.thread)
            loading, began = time.process_time() - began, time.process_time()
            nodes = nodes_of(statuses)
            print(
                f"{kind:5} /tree of {len(nodes)} pictures: first {_said(first)}; again "
                f"{_said(tuple(map(statistics.median, zip(*later, strict=True))))}; of it loading the thread "
                f"{loading * 1e3:.1f} ms, its nodes {(time.process_time() - began) * 1e3:.1f} ms",
                flush=True,
            )


def _said(figures: Sequence[float]) -> str:
    wall, worked, stall = (each * 1e3 for each in figures)
    return f"{wall:.0f} ms by the clock, {worked:.0f} ms of a processor, longest stall {stall:.1f} ms"


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--look", type=Path, help="a folder for the pictures")
    look = options.parse_args().look
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for kind in KINDS:
        beside_pillow(kind, look)
    for kind in KINDS:
        asyncio.run(in_the_house(kind))


if __name__ == "__main__":
    main()
