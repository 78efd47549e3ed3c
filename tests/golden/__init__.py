"""Small pictures that the exact engine made, looked at by a person and kept: what it makes must stay like them.

`python -m tests.golden` draws them anew; look at each before it is committed.
"""

from __future__ import annotations

import asyncio
from io import BytesIO
from pathlib import Path

from PIL import Image

from bot.domain.images import Picture
from bot.engines.exact import ExactEngine
from bot.engines.pixels import to_picture
from bot.ports import EditRequest

FOLDER = Path(__file__).parent
SAMPLES = FOLDER.parents[1] / "adapters" / "web" / "static" / "samples"

CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "turned": ("rotate 20 degrees", ("astronaut",)),
    "square-gray": ("crop to a square and make it black and white", ("coffee",)),
    "circle": ("crop to a circle", ("cat",)),
    "sepia": ("sepia, then rounded corners of 10 px", ("rocket",)),
    "inverted": ("invert the left half", ("cat",)),
    "bright-warm": ("much brighter, a bit warmer and 40% more contrast", ("rocket",)),
    "pale": ("60% less saturation", ("coffee",)),
    "blurred": ("blur the right half", ("cat",)),
    "sharp": ("sharpen it a lot", ("coffee",)),
    "pixelated": ("pixelate from 20,20 to 60,50", ("astronaut",)),
    "bordered": ("add a 6 px dark blue border", ("astronaut",)),
    "shifted": ("shift it 30 px to the right and 10 px up", ("rocket",)),
    "words": ('write "Hello, Привет, 你好" in yellow at the top', ("cat",)),
    "big-words": ('write "All of these words must fit on it" in huge letters in the center', ("coffee",)),
    "grid": ("make a grid", ("cat", "coffee", "astronaut")),
    "before-after": ("before and after", ("cat", "coffee")),
    "cut-out": ("make the white background transparent", ("white-paper",)),
}
"""Name → instruction and the sample pictures that it is done to, made small."""


def small(name: str) -> Picture:
    """A sample picture at most 96 pixels wide or high; "white-paper" is a coffee cup in a circle on white."""
    photo = Image.open(SAMPLES / f"{'coffee' if name == 'white-paper' else name}.jpg").convert("RGB")
    photo.thumbnail((96, 96), Image.Resampling.LANCZOS)
    if name == "white-paper":
        round_one = run("crop to a circle", (to_picture(photo),))
        cut = Image.open(BytesIO(round_one.data))
        photo = Image.new("RGB", (cut.width + 30, cut.height + 20), (250, 251, 249))
        photo.paste(cut, (15, 10), cut)
    return to_picture(photo)


def run(instruction: str, pictures: tuple[Picture, ...]) -> Picture:
    answer = asyncio.run(ExactEngine().edit(EditRequest(instruction, pictures)))
    return answer.images[0]


def drawn(case: str) -> Image.Image:
    instruction, names = CASES[case]
    return Image.open(BytesIO(run(instruction, tuple(small(name) for name in names)).data))
