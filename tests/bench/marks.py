"""What the mark in the picture costs, as ratios of one run. By hand:

    python -m tests.bench.marks

The goals at 1024²: a PNG against one Pillow decode of it at most 0.3 × where it is spliced and 1.5 × where it is not; a
JPEG against one decode and encode at most 1.3 ×; two at once on two cores at least 1.7 ×. Nothing here passes or fails.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from PIL import Image

from bot.domain.images import Picture, Provenance
from bot.domain.labels import Label, Profile, Work
from bot.domain.messages import ChatCapabilities
from bot.engines.pixels import decode, encode_png, fit, to_picture
from bot.labels.labeller import MetadataLabeller
from bot.labels.mark import Marker
from tests import pictures

LABEL = Label(Provenance.AI_EDITED, True, ("Gemini",), Work("0199abcdefg7", 1.8e9, ("gemini-3-pro-image",)))
LABELLER = MetadataLabeller(fit, marker=Marker(decode, lambda image, kind: to_picture(image, media_type=kind)))
PLACE = ChatCapabilities(profile=Profile.CN)
ROUNDS = 15


def photo(side_px: int) -> Image.Image:
    return pictures.image("cat").resize((side_px, side_px), Image.Resampling.LANCZOS)


def opened(data: bytes) -> None:
    Image.open(io.BytesIO(data)).load()


def again(data: bytes) -> None:
    image = Image.open(io.BytesIO(data))
    image.load()
    image.save(io.BytesIO(), "JPEG", quality=92, subsampling=0)


def median_ms(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """In CPU time of the thread, so that what else runs on the machine counts for less."""
    times: list[float] = []
    for _ in range(rounds):
        begun = time.thread_time()
        work()
        times.append(time.thread_time() - begun)
    return statistics.median(times) * 1000


def line(name: str, data: bytes, media_type: str, side_px: int, floor: Callable[[], object]) -> None:
    master = Picture(data, media_type, side_px, side_px)
    made = LABELLER._render(master, LABEL, PLACE, {})
    floor_ms = median_ms(floor)
    step_ms = median_ms(lambda: LABELLER._render(master, LABEL, PLACE, {}))
    grown = len(made.data) / len(data) - 1
    print(f"{name:<34}{floor_ms:>9.1f}{step_ms:>9.1f}{step_ms / floor_ms:>8.2f} ×{grown:>+9.1%}")


def side_by_side(data: bytes) -> float:
    """How many times as fast two threads are as one, in wall time."""
    master = Picture(data, "image/png", 1024, 1024)

    def some(_: int) -> None:
        for _ in range(12):
            LABELLER._render(master, LABEL, PLACE, {})

    ratios: list[float] = []
    with ThreadPoolExecutor(2) as threads:
        for _ in range(5):
            begun = time.perf_counter()
            some(0)
            one_s = time.perf_counter() - begun
            begun = time.perf_counter()
            list(threads.map(some, range(2)))
            ratios.append(2 * one_s / (time.perf_counter() - begun))
    return statistics.median(ratios)


def main() -> None:
    print(f"{'':<34}{'floor ms':>9}{'ours ms':>9}{'ratio':>10}{'bytes':>9}")
    for side_px in (1024, 2048):
        image = photo(side_px)
        png, ours = pictures.saved(image, "PNG"), encode_png(image)
        clear = pictures.saved(image.convert("RGBA"), "PNG")
        jpeg = pictures.saved(image, "JPEG", quality=92, subsampling=0)
        for name, data in (("PNG of zlib", png), ("PNG of zlib, RGBA", clear), ("PNG of ISA-L", ours)):
            line(f"{name}, {side_px}²", data, "image/png", side_px, partial(opened, data))
        odd = pictures.saved(image.convert("L").convert("P"), "PNG")
        line(f"PNG with a palette, {side_px}²", odd, "image/png", side_px, partial(decode, odd))
        line(f"JPEG, {side_px}²", jpeg, "image/jpeg", side_px, partial(again, jpeg))
    print(f"two at once: {side_by_side(pictures.saved(photo(1024), 'PNG')):.2f} ×")


if __name__ == "__main__":
    main()
