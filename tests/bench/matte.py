"""How well a picture is cut from its key colour, measured on composites whose alpha is known. By hand:

    python -m tests.bench.matte                     the table of docs/transparency.md, and times
    python -m tests.bench.matte --look FOLDER       also puts the cuts on grey and black there, to be looked at

Nothing here passes or fails; tests/unit/test_matte.py does, on the same scenes, smaller.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from bot.domain.images import Picture, Provenance
from bot.engines.matte import cut_out
from bot.engines.pixels import decode

SAMPLES = Path(__file__).parents[2] / "adapters" / "web" / "static" / "samples"
GREEN, MAGENTA = (0, 255, 0), (255, 0, 255)
SIDE_PX = 1024
_FINER = 3
"""Scenes are drawn so many times larger, and made smaller, so that their edges are as soft as a camera's."""

Floats = NDArray[np.floating]
"""Colours and masks from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What stands before the key colour. `color` height × width × 3 and `alpha` height × width, both 0–1."""

    name: str
    color: Floats
    alpha: Floats
    key: tuple[int, int, int] = GREEN

    def on(self, backdrop: tuple[int, int, int] | Floats) -> Floats:
        """The true picture of it on that colour (0–255), or on those pixels (0–1)."""
        behind = backdrop if isinstance(backdrop, np.ndarray) else np.asarray(backdrop, np.float32) / 255
        return self.color * self.alpha[..., None] + behind * (1 - self.alpha[..., None])


# --- the scenes


def scenes(side_px: int = SIDE_PX) -> list[Scene]:
    return [make(side_px) for make in (hair, glass, lines, shadow, leaves, blossom, blurred)]


@cache
def texture(name: str, side_px: int, box: tuple[float, float, float, float] = (0, 0, 1, 1)) -> Floats:
    """A part of a sample photograph (left, top, right, bottom as shares), as large as the scene; 0–1."""
    with Image.open(SAMPLES / f"{name}.jpg") as opened:
        left, top, right, bottom = (share * size for share, size in zip(box, opened.size * 2, strict=True))
        part = opened.convert("RGB").crop((int(left), int(top), int(right), int(bottom)))
    return np.asarray(part.resize((side_px, side_px), Image.Resampling.LANCZOS), np.float32) / 255


def drawn(side_px: int, draw: Callable[[ImageDraw.ImageDraw, float], None], *, blur: float = 0) -> Floats:
    """A mask, 0–1. `draw` is handed the canvas and how many of its pixels make the whole side."""
    large = Image.new("L", (side_px * _FINER, side_px * _FINER))
    draw(ImageDraw.Draw(large), float(side_px * _FINER))
    small = large.reduce(_FINER)
    if blur:
        small = small.filter(ImageFilter.GaussianBlur(blur * side_px))
    return np.asarray(small, np.float32) / 255


def over(scene: tuple[Floats, Floats], color: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """(colour, alpha) with something put before it."""
    below, below_alpha = scene
    total = alpha + below_alpha * (1 - alpha)
    mixed = color * alpha[..., None] + below * (below_alpha * (1 - alpha))[..., None]
    return mixed / np.maximum(total, 1e-6)[..., None], total


def hair(side_px: int) -> Scene:
    """A head with hundreds of loose strands, the thinnest a third of a pixel wide, of the colours of fur."""
    random = np.random.default_rng(3)

    def strands(canvas: ImageDraw.ImageDraw, side: float) -> None:
        for _ in range(650):
            at = random.uniform(0, 2 * math.pi)
            turn, length = at + random.normal(0, 0.5), random.uniform(0.04, 0.2)
            x, y = 0.5 + 0.2 * math.cos(at), 0.52 + 0.25 * math.sin(at)
            bend, points = random.normal(0, 0.09), []
            for _ in range(24):
                points.append((x * side, y * side))
                x, y = x + math.cos(turn) * length / 24, y + math.sin(turn) * length / 24
                turn += bend
            canvas.line(points, fill=int(random.uniform(150, 255)), width=int(random.integers(1, 5)))

    def head(canvas: ImageDraw.ImageDraw, side: float) -> None:
        canvas.ellipse([0.28 * side, 0.25 * side, 0.72 * side, 0.79 * side], fill=255)

    face = texture("astronaut", side_px, (0.3, 0.0, 0.6, 0.35))
    fur = texture("cat", side_px, (0.3, 0.25, 0.7, 0.75)) * np.float32(0.8)
    color, alpha = over((fur, drawn(side_px, head)), fur, drawn(side_px, strands))
    inner = drawn(side_px, lambda c, s: c.ellipse([0.36 * s, 0.34 * s, 0.64 * s, 0.74 * s], fill=255), blur=0.01)
    return Scene("hair", *over((color, alpha), face, inner))


def glass(side_px: int) -> Scene:
    """A drinking glass: walls and bottom denser than the middle, bright reflections, something solid in it."""

    def body(canvas: ImageDraw.ImageDraw, s: float) -> None:
        canvas.polygon([(0.25 * s, 0.12 * s), (0.75 * s, 0.12 * s), (0.68 * s, 0.9 * s), (0.32 * s, 0.9 * s)], fill=255)

    def walls(canvas: ImageDraw.ImageDraw, s: float) -> None:
        canvas.line([(0.25 * s, 0.12 * s), (0.32 * s, 0.9 * s)], fill=255, width=int(0.02 * s))
        canvas.line([(0.75 * s, 0.12 * s), (0.68 * s, 0.9 * s)], fill=255, width=int(0.02 * s))
        canvas.rectangle([0.32 * s, 0.85 * s, 0.68 * s, 0.9 * s], fill=255)
        canvas.ellipse([0.25 * s, 0.09 * s, 0.75 * s, 0.15 * s], outline=255, width=int(0.008 * s))

    def shine(canvas: ImageDraw.ImageDraw, s: float) -> None:
        canvas.line([(0.34 * s, 0.2 * s), (0.38 * s, 0.75 * s)], fill=255, width=int(0.025 * s))
        canvas.ellipse([0.6 * s, 0.25 * s, 0.64 * s, 0.4 * s], fill=230)

    white = np.ones((side_px, side_px, 3), np.float32)
    tint = white * np.asarray((0.80, 0.86, 0.92), np.float32)
    filled = over((tint, drawn(side_px, body) * np.float32(0.32)), tint * np.float32(0.6), drawn(side_px, walls) * 0.45)
    cup = texture("coffee", side_px, (0.2, 0.1, 0.8, 0.9))
    solid = drawn(side_px, lambda c, s: c.ellipse([0.42 * s, 0.5 * s, 0.6 * s, 0.68 * s], fill=255))
    return Scene("glass", *over(over(filled, cup, solid), white, drawn(side_px, shine, blur=0.004) * np.float32(0.95)))


def lines(side_px: int) -> Scene:
    """Wires, a net and lettering in many colours, from a third of a pixel to five."""
    random = np.random.default_rng(5)
    colors = ((20, 20, 25), (240, 240, 235), (200, 30, 40), (30, 60, 190), (230, 180, 20), (120, 80, 50))
    scene = (np.zeros((side_px, side_px, 3), np.float32), np.zeros((side_px, side_px), np.float32))
    for number, color in enumerate(colors):

        def wires(canvas: ImageDraw.ImageDraw, s: float, number: int = number) -> None:
            for step in range(7):
                y = (0.1 + 0.13 * number + 0.018 * step) * s
                ends = [(0.06 * s, y), (0.94 * s, y + random.uniform(-0.1, 0.1) * s)]
                canvas.line(ends, fill=255, width=1 + 2 * step)
            canvas.arc([0.1 * s, 0.1 * s, (0.5 + 0.07 * number) * s, 0.9 * s], 0, 300, fill=255, width=2 + number)

        flat = np.ones((side_px, side_px, 3), np.float32) * np.asarray(color, np.float32) / 255
        scene = over(scene, flat, drawn(side_px, wires))
    return Scene("lines", *scene)


def shadow(side_px: int) -> Scene:
    """A cup with a soft shadow beside it."""
    black = np.zeros((side_px, side_px, 3), np.float32)
    dark = drawn(side_px, lambda c, s: c.ellipse([0.3 * s, 0.62 * s, 0.92 * s, 0.88 * s], fill=150), blur=0.03)
    cup = drawn(side_px, lambda c, s: c.ellipse([0.2 * s, 0.2 * s, 0.7 * s, 0.78 * s], fill=255))
    return Scene("shadow", *over((black, dark), texture("coffee", side_px, (0.1, 0.05, 0.9, 0.95)), cup))


def _petals(side_px: int, tint: tuple[float, float, float], name: str, key: tuple[int, int, int]) -> Scene:
    def shapes(canvas: ImageDraw.ImageDraw, s: float) -> None:
        for turn in range(7):
            at = turn * 2 * math.pi / 7
            x, y = (0.5 + 0.2 * math.cos(at)) * s, (0.5 + 0.2 * math.sin(at)) * s
            canvas.ellipse([x - 0.14 * s, y - 0.1 * s, x + 0.14 * s, y + 0.1 * s], fill=255)
            far = [(x, y), ((0.5 + 0.42 * math.cos(at)) * s, (0.5 + 0.42 * math.sin(at)) * s)]
            canvas.line(far, fill=255, width=int(0.012 * s))

    grain = texture("cat", side_px).mean(axis=2, keepdims=True) * np.float32(1.1) + np.float32(0.35)
    color = np.clip(grain * np.asarray(tint, np.float32), 0, 1).astype(np.float32)
    return Scene(name, color, drawn(side_px, shapes), key)


def leaves(side_px: int) -> Scene:
    """Leaf green before the green key: what the model is told to avoid, and will do one day."""
    return _petals(side_px, (0.38, 0.66, 0.22), "leaves", GREEN)


def blossom(side_px: int) -> Scene:
    """Pink petals before the magenta key."""
    return _petals(side_px, (0.90, 0.60, 0.78), "blossom", MAGENTA)


def blurred(side_px: int) -> Scene:
    """A rocket out of focus: edges many pixels wide."""

    def shape(canvas: ImageDraw.ImageDraw, s: float) -> None:
        canvas.polygon([(0.5 * s, 0.1 * s), (0.68 * s, 0.4 * s), (0.66 * s, 0.85 * s), (0.34 * s, 0.85 * s),
                        (0.32 * s, 0.4 * s)], fill=255)  # fmt: skip

    return Scene("blurred", texture("rocket", side_px, (0.2, 0.2, 0.8, 0.8)), drawn(side_px, shape, blur=0.012))


# --- as a model gives them


def as_given(
    scene: Scene, *, quality: int = 90, drift: float = 6, noise: float = 1.5, off: tuple[int, int, int] = (14, 12, 20)
) -> Picture:
    """The scene on its key colour as it would come: the colour a little off, uneven over the picture, grainy, a JPEG
    with halved colour resolution."""
    height, width = scene.alpha.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(max(height, width))
    wander = np.dstack((np.sin(3 * x + y), np.cos(2 * y - x), np.sin(2 * x * y + 1))).astype(np.float32) * drift
    key = np.asarray(
        [level + shift if level < 128 else level - shift for level, shift in zip(scene.key, off, strict=True)]
    )
    pixels = scene.on(((key + wander) / 255).astype(np.float32)) * 255
    pixels += np.random.default_rng(7).normal(0, noise, pixels.shape)
    return jpeg(pixels, quality)


def jpeg(pixels: NDArray[np.floating], quality: int = 90) -> Picture:
    """Pixels 0–255 as a JPEG, its colours subsampled as nearly all are."""
    out = BytesIO()
    image = Image.fromarray(np.clip(pixels, 0, 255).round().astype(np.uint8))
    image.save(out, "JPEG", quality=quality, subsampling=2)
    return Picture(out.getvalue(), "image/jpeg", image.width, image.height, provenance=Provenance.AI_GENERATED)


# --- what is measured


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of a cut, in percent of the full range; less is better.

    `alpha` over the whole picture, `edge` where the truth is neither 0 nor 1 or near to that, `gradient` of how
    alpha changes there, `fringe` the key's tint too much where it stands on white, black and red, the worst of the
    three; `color` how far off the picture looks there in all.
    """

    alpha: float
    mse: float
    edge: float
    gradient: float
    fringe: float
    color: float


def pixels_of(picture: Picture) -> Floats:
    """RGBA, 0–1."""
    return np.asarray(decode(picture.data).convert("RGBA"), np.float32) / 255


def score(cut: Floats, scene: Scene) -> Score:
    alpha, truth = cut[..., 3], scene.alpha
    around = Image.fromarray((truth * 255).round().astype(np.uint8)).filter(ImageFilter.BoxBlur(3))
    edge = (np.asarray(around) > 0) & ((np.asarray(around) < 255) | (truth < 0.99))
    off = np.abs(alpha - truth)
    steps = [np.abs(np.gradient(alpha, axis=axis) - np.gradient(truth, axis=axis)) for axis in (0, 1)]
    tints, colors = [], []
    for backdrop in ((255, 255, 255), (0, 0, 0), (255, 0, 0)):
        seen = cut[..., :3] * cut[..., 3:] + np.asarray(backdrop, np.float32) / 255 * (1 - cut[..., 3:])
        true = scene.on(backdrop)
        tints.append(np.maximum(tint(seen, scene.key) - tint(true, scene.key), 0)[edge].mean())
        colors.append(np.abs(seen - true)[edge].mean())
    return Score(
        alpha=100 * float(off.mean()),
        mse=100 * float((off**2).mean()),
        edge=100 * float(off[edge].mean()),
        gradient=100 * float((steps[0] + steps[1])[edge].mean()),
        fringe=100 * float(max(tints)),
        color=100 * float(max(colors)),
    )


def tint(pixels: Floats, key: tuple[int, int, int]) -> Floats:
    """How much of the key's hue is seen: its bright channels over its dark ones. Counted only where positive."""
    bright = np.asarray(key) > 127
    over_dark: Floats = pixels[..., bright].min(axis=-1) - pixels[..., ~bright].max(axis=-1)
    return np.maximum(over_dark, 0)


def naive(picture: Picture, key: tuple[int, int, int] = GREEN, reach: float = 0.45) -> Floats:
    """What is usually done: all that is near the key colour goes, all else stays as it is."""
    pixels = np.asarray(decode(picture.data), np.float32) / 255
    far = np.sqrt(((pixels - np.asarray(key, np.float32) / 255) ** 2).sum(axis=-1)) > reach
    return np.dstack((pixels, far.astype(np.float32)))


# --- by hand


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--look", type=Path, help="a folder for pictures to look at")
    asked.add_argument("--side", type=int, default=SIDE_PX)
    asked.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = asked.parse_args()
    if options.one:
        one(options.one)
        return
    print(f"{'scene':9} {'who':6} {'alpha':>7} {'mse':>7} {'edge':>7} {'grad':>7} {'fringe':>7} {'color':>7}")
    for scene in scenes(options.side):
        given = as_given(scene)
        cut = cut_out(given)
        row("naive", scene, naive(given, scene.key))
        if cut.picture is None:
            print(f"{scene.name:9} ours   {cut.words}")
            continue
        row("ours", scene, pixels_of(cut.picture))
        if options.look:
            look(options.look, scene, given, pixels_of(cut.picture))
    times()


def row(who: str, scene: Scene, cut: Floats) -> None:
    of = score(cut, scene)
    figures = (of.alpha, of.mse, of.edge, of.gradient, of.fringe, of.color)
    print(f"{scene.name:9} {who:6} " + " ".join(f"{figure:7.2f}" for figure in figures), flush=True)


def look(folder: Path, scene: Scene, given: Picture, cut: Floats) -> None:
    """The given picture, the cut on grey and on black, and its alpha, side by side."""
    on = [cut[..., :3] * cut[..., 3:] + level * (1 - cut[..., 3:]) for level in (0.5, 0.0)]
    alphas = [np.repeat(alpha[..., None], 3, axis=2) for alpha in (cut[..., 3], scene.alpha)]
    source = np.asarray(decode(given.data), np.float32) / 255
    top, bottom = np.hstack((source, on[0], on[1])), np.hstack((scene.on((128, 128, 128)), *alphas))
    Image.fromarray((np.vstack((top, bottom)) * 255).clip(0, 255).astype(np.uint8)).save(folder / f"{scene.name}.png")


def times() -> None:
    """Each size in a process of its own, so that its peak memory is its own."""
    for megapixels in (1, 4, 16):
        command = [sys.executable, "-m", "tests.bench.matte", "--one", str(megapixels)]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="", flush=True)


def one(megapixels: int) -> None:
    small = decode(as_given(hair(SIDE_PX)).data)
    out, side_px = BytesIO(), int(math.sqrt(megapixels) * 1024)
    small.resize((side_px, side_px), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    given = Picture(out.getvalue(), "image/jpeg", side_px, side_px)
    cut_out(as_given(hair(256)))
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, begun, worked = _peak_mb(), time.perf_counter(), time.process_time()
    cut_out(given)
    spent, worked = time.perf_counter() - begun, time.process_time() - worked
    print(f"{megapixels} megapixels: {spent:.2f} s, {worked:.2f} s of a processor, {_peak_mb() - before:.0f} MB more")


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
