"""Pictures that show what was sent: which images, in which order, with which words, in which shape.

An edit is the first picture, tinted by everything that was said, with the instruction on a bar below. Where several
came, all of them stand in a strip above, numbered, in the order of the request (`strip_boxes` says where). From words
alone it is a landscape. Everything is deterministic: the same request gives the same bytes.
"""

from __future__ import annotations

import hashlib
import math
import re
import threading
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from itertools import permutations

import noto_cjk_sans_otc  # type: ignore[import-untyped]
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps, ImageStat

from tests.fakes.gemini.calls import Call
from tests.fakes.gemini.notes import caption

SIDE_PX = {"1K": 1024, "2K": 2048, "4K": 4096}
"""Of a square. Other shapes have about as many pixels."""
PNG_UP_TO_PX = 2_000_000
KEY_COLOURS = {"#00FF00": (0, 255, 0), "#FF00FF": (255, 0, 255)}

Box = tuple[int, int, int, int]


def edited(call: Call, media_type: str = "", note: str = "", *, letters: Sequence[str] = ()) -> bytes:
    """What the model would draw, as a file. Without a type PNG, or JPEG where that would take long."""
    size = canvas_size(call)
    if key := key_colour(call):
        after = cut_out(call, size, Image.new("RGB", size, key))
    else:
        after = _tinted(call, size) if call.pixels else scene(call.words, size)
        _draw_strip(after, call)
        _draw_bar(after, " ".join(f"{note} {caption(call)}".split())[:120])
    _draw_letters(after, letters)
    return saved(after, media_type)


def checkered(call: Call) -> bytes:
    """The subject on a painted checkerboard, as models draw one when they are asked for transparency."""
    size = canvas_size(call)
    rows, columns = np.indices((size[1], size[0]), sparse=True)
    squares = (rows // 16 + columns // 16) % 2
    board = np.where(squares[..., None] == 0, 255, 204).astype(np.uint8).repeat(3, axis=2)
    return saved(cut_out(call, size, Image.fromarray(board)), "image/png")


def saved(picture: Image.Image, media_type: str = "") -> bytes:
    media_type = media_type or ("image/png" if picture.width * picture.height <= PNG_UP_TO_PX else "image/jpeg")
    out = BytesIO()
    options = {"compress_level": 1} if media_type == "image/png" else {"quality": 88}
    picture.save(out, media_type.removeprefix("image/"), **options)
    return out.getvalue()


def media_type_of(data: bytes) -> str:
    kinds = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
    return next((kind for beginning, kind in kinds.items() if data.startswith(beginning)), "image/png")


def canvas_size(call: Call) -> tuple[int, int]:
    """Width and height in pixels. Where no shape is asked for it is that of the last picture sent, as the real one has
    it. At 1K it is no larger than that picture, so that tests are quick."""
    last = (call.pictures[-1].width_px, call.pictures[-1].height_px) if call.pictures else (1024, 1024)
    if call.size == "1K" and not call.ratio:
        scale = min(1.0, 1024 / max(last))
        return max(1, round(last[0] * scale)), max(1, round(last[1] * scale))
    most_px = SIDE_PX[call.size] ** 2
    area_px = min(most_px, last[0] * last[1]) if call.size == "1K" else most_px
    across, down = map(int, call.ratio.split(":")) if call.ratio else last
    width = math.sqrt(area_px * across / down)
    return max(16, round(width / 16) * 16), max(16, round(width * down / across / 16) * 16)


def key_colour(call: Call) -> tuple[int, int, int] | None:
    """The flat colour behind the subject, where the request names one: of two the second for what is green."""
    named = [name.upper() for name in re.findall("|".join(KEY_COLOURS), call.words, re.IGNORECASE)]
    if not named:
        return None
    red, green, blue = ImageStat.Stat(_opened(call, (64, 64))).mean if call.pixels else (0, 0, 0)
    return KEY_COLOURS[named[-1] if green > max(red, blue) + 15 else named[0]]


def cut_out(call: Call, size: tuple[int, int], ground: Image.Image) -> Image.Image:
    """An ellipse of the first picture, soft at its edge and with a few hairs, on the ground."""
    subject = _tinted(call, size) if call.pixels else scene(call.words, size)
    width, height = size
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((width * 0.2, height * 0.15, width * 0.8, height * 0.9), fill=255)
    for lean in (-0.12, -0.04, 0.05, 0.13):
        draw.line((width / 2, height * 0.3, width * (0.5 + lean), height * 0.05), fill=255, width=max(1, width // 250))
    mask = mask.filter(ImageFilter.GaussianBlur(max(1.0, min(size) / 400)))
    return Image.composite(subject, ground, mask)


def scene(words: str, size: tuple[int, int]) -> Image.Image:
    """A landscape: a sky, a sun and hills, all by these words. Drawn small and enlarged, which its softness allows."""
    seed = hashlib.sha256(words.encode()).digest()
    small = (max(1, size[0] // 2), max(1, size[1] // 2))
    draws = np.random.default_rng(int.from_bytes(seed[:8], "big"))
    across = np.linspace(0, 1, small[0], dtype=np.float32)
    down = np.linspace(0, 1, small[1], dtype=np.float32)[:, None]
    top, bottom = draws.uniform(30, 200, 3), draws.uniform(150, 250, 3)
    picture = np.broadcast_to(top + (bottom - top) * down[..., None], (small[1], small[0], 3)).astype(np.float32)
    sun_x, sun_y = draws.uniform(0.15, 0.85), draws.uniform(0.1, 0.4)
    away = np.hypot(across - sun_x, (down - sun_y) * small[1] / small[0])[..., None]
    picture = np.where(away < 0.06, np.array([255, 244, 214]), picture + 60 * np.exp(-away * 6))
    for depth in range(4):
        waves = sum(np.sin(across * draws.uniform(3, 14) + draws.uniform(0, 6)) / (n + 2) for n in range(3))
        skyline = 0.5 + 0.11 * depth + 0.06 * np.asarray(waves)
        hill = draws.uniform(40, 150, 3) * (1 - 0.17 * depth)
        picture = np.where((down > skyline)[..., None], hill + 30 * (1 - down[..., None]), picture)
    drawn = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    return drawn.resize(size, Image.Resampling.BILINEAR)


def strip_boxes(size: tuple[int, int], count: int) -> list[Box]:
    """Where the thumbnails stand in a result of this size: one for each picture that was sent, where several were."""
    if count < 2:
        return []
    gap = 4
    side = max(8, min(min(size) // 5, size[0] // count - gap))
    return [(gap + number * (side + gap), gap, (number + 1) * (side + gap), gap + side) for number in range(count)]


def _tinted(call: Call, size: tuple[int, int]) -> Image.Image:
    """The first picture with one colour raised and one lowered: seen at once, and still a picture after many turns."""
    before = _opened(call, size)
    if before.size != size:
        before = ImageOps.fit(before, size, Image.Resampling.BILINEAR)
    seed = hashlib.sha256(call.words.encode()).digest()
    casts = list(permutations((34, -34, seed[1] // 16)))[seed[0] % 6]
    shifts = [cast + (125 - mean) * 0.3 for cast, mean in zip(casts, ImageStat.Stat(before).mean, strict=True)]
    return before.point([min(255, max(0, round(level + shift))) for shift in shifts for level in range(256)])


def _opened(call: Call, size: tuple[int, int], number: int = 0) -> Image.Image:
    """A picture of the call, RGB, read no larger than is good for this size."""
    with Image.open(BytesIO(call.pixels[number])) as opened:
        opened.draft("RGB", size)
        return opened.convert("RGB")


def _draw_strip(onto: Image.Image, call: Call) -> None:
    draw = ImageDraw.Draw(onto)
    for number, box in enumerate(strip_boxes(onto.size, len(call.pixels))):
        side = box[2] - box[0]
        onto.paste(ImageOps.fit(_opened(call, (side * 2, side * 2), number), (side, side)), box[:2])
        draw.rectangle(box, outline="white")
        draw.rectangle((box[0], box[1], box[0] + side // 3, box[1] + side // 3), fill="black")
        draw.text((box[0] + 2, box[1]), str(number + 1), "white", font("1", max(8, side // 4)))


def _draw_bar(onto: Image.Image, words: str) -> None:
    bar_px = max(12, onto.height // 12)
    draw = ImageDraw.Draw(onto)
    draw.rectangle((0, onto.height - bar_px, onto.width, onto.height), fill=(20, 20, 24))
    draw.text((bar_px // 4, onto.height - bar_px * 0.85), words, "white", font(words, round(bar_px * 0.6)))


def _draw_letters(onto: Image.Image, letters: Sequence[str]) -> None:
    """Large and legible, one below the other, on a plate that hides what was there."""
    draw = ImageDraw.Draw(onto)
    top = onto.height * 0.3
    for words in letters:
        width_at_100 = max(1.0, font(words, 100).getlength(words))
        size_px = max(10, min(onto.height // (3 + len(letters)), round(88 * onto.width / width_at_100)))
        draw.rectangle((0, top, onto.width, top + size_px * 1.35), fill=(24, 28, 60))
        draw.text((onto.width / 2, top + size_px * 0.1), words, "white", font(words, size_px), "ma")
        top += size_px * 1.4


def font(words: str, size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return _font(words.isascii(), size_px, threading.get_ident())


@cache
def _font(ascii_only: bool, size_px: int, _thread: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """One for each thread: FreeType's fonts are not to be shared."""
    return ImageFont.load_default(size_px) if ascii_only else ImageFont.truetype(noto_cjk_sans_otc.FONT_PATH, size_px)
