"""What the whole label step costs, metadata and credentials, as ratios of one SHA-256 of the file in one run. By hand:

    python -m tests.bench.labels

The goals of a picture of 1024² as PNG, without ingredients and time stamp: at most 6 × and 12 KB, and never a second
encoding. Two at once on two cores, off the event loop: at least 1.7 ×. Nothing here passes or fails.
"""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from bot.domain.images import Picture, Provenance
from bot.domain.labels import Ingredient, Label, Work
from bot.domain.messages import ChatCapabilities
from bot.domain.refs import Sha256, sha256_of
from bot.engines.pixels import fit
from bot.labels.labeller import MetadataLabeller
from bot.labels.signing import Finish
from tests.bench.credentials import KINDS, measured, picture
from tests.credentials import chain, signer, signer_of
from tests.fakes.time_stamps import make_authority, served

PLACE = ChatCapabilities()
Files = Mapping[Sha256, bytes]
_GRAIN = bytes(16_000_000)


def master(kind: str, side_px: int = 1024) -> Picture:
    return Picture(picture(kind, side_px), KINDS[kind], side_px, side_px)


def label(*files: bytes, media_type: str = "image/png", at: int = 0) -> Label:
    """Of an AI edit of the first of these files, with the others shown."""
    went_in = tuple(Ingredient(sha256_of(each), media_type, n == 0) for n, each in enumerate(files))
    return Label(Provenance.AI_EDITED, True, ("Gemini",), Work(f"{at:020x}", 1.8e9, ("gemini-3-pro-image",), went_in))


def by_hash(*files: bytes) -> Files:
    return {sha256_of(each): each for each in files}


def rendered(labeller: MetadataLabeller, before: Picture, told: Label, files: Files) -> bytes:
    """As the house does it, without the way to a thread and back: on a busy machine that is a wait for a core."""
    return _LOOP.run(labeller.render(before, told, PLACE, ingredients=files)).data


class _AtOnce(ThreadPoolExecutor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


_LOOP = asyncio.Runner()
_LOOP.get_loop().set_default_executor(_AtOnce())


def table(kind: str) -> None:
    before = master(kind)
    bare, signing = MetadataLabeller(fit), MetadataLabeller(fit, finish=Finish(signer()))
    made = rendered(signing, before, label(), {})
    sources = [before.data, made, rendered(signing, before, label(at=1), {})]

    def step(labeller: MetadataLabeller, *files: bytes) -> Callable[[], bytes]:
        told, known = label(*files, media_type=before.media_type), by_hash(*files)
        return lambda: rendered(labeller, before, told, known)

    with served(make_authority()) as address:
        stamping = MetadataLabeller(fit, finish=Finish(signer_of(chain(), timestamp_url=address), stamps=True))
        steps = {
            "metadata alone": step(bare),
            "signed": step(signing),
            "signed, a sent parent": step(signing, before.data),
            "signed, a result as parent": step(signing, made),
            "signed, three pictures": step(signing, *sources),
            "signed, time-stamped": step(stamping),
        }
        sizes = {name: len(each()) - len(before.data) for name, each in steps.items()}
        times = measured({"sha256": lambda: hashlib.sha256(before.data).digest(), **steps})
    print(f"{kind} 1024², {len(before.data) / 1e6:.2f} MB")
    for name, spent_ms in times.items():
        size = f"{sizes[name]:+8,} bytes" if name in sizes else ""
        print(f"  {name:28} {spent_ms:7.2f} ms  {spent_ms / times['sha256']:6.2f} × sha256  {size}")


def growth(turns: int = 30) -> None:
    """A chain of which each turn edits the last, until it has grown to its bound and begins anew."""
    before, labeller = master("JPEG"), MetadataLabeller(fit, finish=Finish(signer()))
    at = before.data
    said: list[str] = []
    for number in range(turns):
        told = label(at, media_type="image/jpeg", at=number)
        begun = time.perf_counter()
        at = rendered(labeller, before, told, by_hash(at))
        said.append(f"{(len(at) - len(before.data)) / 1000:.0f} ({(time.perf_counter() - begun) * 1000:.0f} ms)")
    print(f"chain of {turns} turns, KB added: {' '.join(said)}")


async def two_at_once() -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    labeller, pictures = MetadataLabeller(fit, finish=Finish(signer())), [master("PNG", 2048), master("PNG", 2048)]
    made = [await labeller.render(each, label(), PLACE) for each in pictures]
    known = by_hash(*(each.data for each in made))
    gains: list[float] = []
    machine: list[float] = []
    stalls: list[float] = []
    ticking = asyncio.create_task(_ticks(stalls))
    for number in range(15):
        told = label(*(each.data for each in made), at=number)
        begun = time.perf_counter()
        for each in pictures * 2:
            await labeller.render(each, told, PLACE, ingredients=known)
        between = time.perf_counter()
        await asyncio.gather(*(labeller.render(each, told, PLACE, ingredients=known) for each in pictures * 2))
        gains.append((between - begun) / (time.perf_counter() - between))
        begun = time.perf_counter()
        for _ in range(2):
            await asyncio.to_thread(_hashed)
        between = time.perf_counter()
        await asyncio.gather(*(asyncio.to_thread(_hashed) for _ in range(2)))
        machine.append((between - begun) / (time.perf_counter() - between))
    ticking.cancel()
    print(
        f"two at once, PNG 2048²: {statistics.median(gains):.2f} × (best {max(gains):.2f}); two sha256 meanwhile "
        f"{statistics.median(machine):.2f} × (best {max(machine):.2f}); "
        f"longest stall of the event loop {max(stalls) * 1000:.1f} ms"
    )


def _hashed() -> None:
    hashlib.sha256(_GRAIN).digest()


async def _ticks(stalls: list[float]) -> None:
    at = time.perf_counter()
    while True:
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        stalls.append(now - at - 0.001)
        at = now


if __name__ == "__main__":
    for name in KINDS:
        table(name)
    growth()
    asyncio.run(two_at_once())
