"""Draws the example of each preset from the photographs that ship with the page: `python -m bot.engines.looks`.

They are drawn by arithmetic, to tell the looks apart at a glance. No model made them, and nothing may say that one did.
The photographs are in adapters/web/static/samples, whose CREDITS.md names where they come from.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from bot.engines.sheet import EXAMPLES
from bot.fonts import Fonts

SIDE_PX: Final = 256
MOST_BYTES: Final = 12_000

_SAMPLES = Path(__file__).parents[2] / "adapters" / "web" / "static" / "samples"
_BOXES = {
    "face": ("astronaut", (128, 0, 328, 200)),
    "bust": ("astronaut", (70, 0, 400, 330)),
    "cat": ("cat", (85, 0, 385, 300)),
    "cup": ("coffee", (50, 0, 450, 400)),
    "rocket": ("rocket", (110, 0, 537, 427)),
}
Pixels = NDArray[np.float64]


def photo(name: str, side_px: int = SIDE_PX) -> Image.Image:
    """One of the photographs, cut to a square."""
    file, box = _BOXES[name]
    with Image.open(_SAMPLES / f"{file}.jpg") as opened:
        return opened.convert("RGB").crop(box).resize((side_px, side_px), Image.Resampling.LANCZOS)


def _ramp(image: Image.Image, dark: str, light: str, middle: str | None = None) -> Image.Image:
    return ImageOps.colorize(ImageOps.autocontrast(image.convert("L")), dark, light, middle)


def _lines(image: Image.Image, radius_px: float = 1.4, gain: float = 9.0) -> Image.Image:
    """Dark lines on white where it changes: L."""
    grey = image.convert("L").filter(ImageFilter.MedianFilter(3))
    soft = np.asarray(grey.filter(ImageFilter.GaussianBlur(radius_px)), np.float64)
    wide = np.asarray(grey.filter(ImageFilter.GaussianBlur(radius_px * 2)), np.float64)
    return Image.fromarray(np.clip(255 - gain * np.clip(wide - soft - 1.0, 0, None), 0, 255).astype(np.uint8))


def _flat(image: Image.Image, bits: int = 2) -> Image.Image:
    smooth = image.filter(ImageFilter.MedianFilter(7))
    return ImageEnhance.Color(ImageOps.posterize(smooth, bits)).enhance(1.5)


def _dots(image: Image.Image, step_px: int = 5) -> Image.Image:
    """A screen of dots, larger where it is darker: L."""
    grey = np.asarray(image.convert("L"), np.float64) / 255
    y, x = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]]
    turn = 2 * math.pi / step_px * math.sqrt(0.5)
    screen = (np.cos((x + y) * turn) + np.cos((x - y) * turn)) / 4 + 0.5
    return Image.fromarray(((grey > screen * 0.85) * 255).astype(np.uint8))


def _relief(image: Image.Image, angle: tuple[int, int] = (1, 1)) -> Pixels:
    """How it is lit from one side, around 0."""
    grey = image.convert("L").filter(ImageFilter.GaussianBlur(1.2))
    moved = ImageChops.offset(grey, *angle)
    return np.asarray(grey, np.float64) - np.asarray(moved, np.float64)


def _text(  # noqa: PLR0917
    image: Image.Image, middle: tuple[int, int], words: str, size_px: int, ink: str, edge: str | None = None
) -> None:
    fonts = Fonts(words, bold=True)
    canvas = ImageDraw.Draw(image)
    x = middle[0] - fonts.length_px(words, size_px) / 2
    for run in fonts.runs(words, size_px):
        canvas.text((x, middle[1]), run.text, font=run.font, fill=ink, anchor="lm",
                    stroke_width=2 if edge else 0, stroke_fill=edge)  # fmt: skip
        x += run.font.getlength(run.text)


def _oval(box: tuple[int, int, int, int], soft_px: float = 0) -> Image.Image:
    mask = Image.new("L", (SIDE_PX, SIDE_PX), 0)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return mask.filter(ImageFilter.GaussianBlur(soft_px)) if soft_px else mask


def _sky(top: str, bottom: str) -> Image.Image:
    return ImageOps.colorize(Image.linear_gradient("L"), top, bottom)


# --- the looks


def figurine() -> Image.Image:
    ground = _sky("#d9c7b0", "#8c6d4f")
    canvas = ImageDraw.Draw(ground)
    canvas.rounded_rectangle((12, 24, 112, 196), 8, fill="#2563eb", outline="#1e3a8a", width=3)
    ground.paste(photo("bust", 76), (24, 52))
    _text(ground, (62, 150), "FIGURE", 20, "#ffffff")
    canvas.ellipse((112, 196, 252, 244), fill="#e5edf5", outline="#9fb3c8", width=3)
    figure = ImageEnhance.Contrast(_flat(photo("bust", 196), 4)).enhance(1.2).crop((24, 0, 172, 196))
    mask = Image.new("L", figure.size, 0)
    ImageDraw.Draw(mask).ellipse((24, 0, 128, 120), fill=255)
    ImageDraw.Draw(mask).rounded_rectangle((4, 78, 146, 190), 44, fill=255)
    ground.paste(figure, (108, 30), mask)
    return ground


def restored() -> Image.Image:
    whole = photo("bust")
    old = _ramp(ImageEnhance.Contrast(whole).enhance(0.6), "#3b2a18", "#e8d5b0")
    canvas = ImageDraw.Draw(old)
    for scratch in ((18, 0, 44, 256), (84, 0, 66, 150), (0, 70, 128, 92), (100, 256, 120, 130), (0, 190, 90, 178)):
        canvas.line(scratch, fill="#f6ecd6", width=2)
    canvas.polygon([(0, 0), (40, 0), (0, 34)], fill="#f6ecd6")
    left = old.crop((0, 0, SIDE_PX // 2, SIDE_PX))
    whole.paste(left, (0, 0))
    ImageDraw.Draw(whole).line((128, 0, 128, 256), fill="#ffffff", width=4)
    return whole


def eighties() -> Image.Image:
    ground = _sky("#1b1464", "#c026d3")
    canvas = ImageDraw.Draw(ground)
    for step in range(-6, 12):
        ink = "#22d3ee" if step % 2 else "#f472b6"
        canvas.line((step * 36, 256, step * 36 + 170, 0), fill=ink, width=2)
    glowing = ImageChops.screen(ground, ground.filter(ImageFilter.GaussianBlur(4)))
    soft = photo("face")
    soft = ImageChops.screen(
        soft, soft.filter(ImageFilter.GaussianBlur(6)).point([level // 3 for level in range(256)] * 3)
    )
    glowing.paste(soft, (0, 0), _oval((28, 6, 228, 290), 9))
    return glowing


def sticker() -> Image.Image:
    ground = Image.new("RGB", (SIDE_PX, SIDE_PX), "#9bb8d3")
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    checks = Image.fromarray((((x // 16 + y // 16) % 2) * 255).astype(np.uint8))
    ground.paste("#b4cbe0", mask=checks)
    shape = _oval((36, 44, 220, 240))
    canvas = ImageDraw.Draw(shape)
    canvas.polygon([(44, 110), (46, 20), (120, 60)], fill=255)
    canvas.polygon([(212, 110), (210, 20), (136, 60)], fill=255)
    edge = shape.filter(ImageFilter.MaxFilter(21))
    ground.paste("#5f7f9f", (5, 7), edge)
    ground.paste("#ffffff", mask=edge)
    cat = ImageChops.multiply(_flat(photo("cat"), 3), _lines(photo("cat")).convert("RGB"))
    ground.paste(cat, mask=shape)
    return ground


def avatar() -> Image.Image:
    ground = _sky("#fde68a", "#fb923c")
    face = ImageEnhance.Color(_flat(photo("face"), 4).filter(ImageFilter.SMOOTH_MORE)).enhance(1.1)
    ring = _oval((16, 16, 240, 240))
    ground.paste("#ffffff", mask=_oval((8, 8, 248, 248)))
    ground.paste(face, mask=ring)
    return ground


def poster() -> Image.Image:
    sheet = _ramp(photo("rocket"), "#0b1026", "#fff1c2", "#d1495b")
    canvas = ImageDraw.Draw(sheet)
    canvas.rectangle((0, 196, 256, 256), fill="#0b1026")
    _text(sheet, (128, 216), "LIFT-OFF", 40, "#ffd166")
    _text(sheet, (128, 243), "THE NIGHT BEFORE", 15, "#ffffff")
    canvas.rectangle((0, 0, 255, 255), outline="#ffd166", width=5)
    return sheet


def infographic() -> Image.Image:
    sheet = Image.new("RGB", (SIDE_PX, SIDE_PX), "#f4f7fb")
    _text(sheet, (128, 20), "A CUP OF COFFEE", 21, "#0f4c5c")
    sheet.paste(photo("cup", 132), (62, 62), _oval((0, 0, 131, 131)).crop((0, 0, 132, 132)))
    canvas = ImageDraw.Draw(sheet)
    for number, (spot, label) in enumerate(
        [((108, 100), (32, 72)), ((150, 90), (224, 72)), ((96, 170), (32, 206)), ((166, 160), (224, 206))], 1
    ):
        canvas.line((*spot, *label), fill="#0f4c5c", width=2)
        canvas.ellipse((spot[0] - 3, spot[1] - 3, spot[0] + 3, spot[1] + 3), fill="#e36414")
        canvas.ellipse((label[0] - 18, label[1] - 18, label[0] + 18, label[1] + 18), fill="#e36414")
        _text(sheet, label, str(number), 22, "#ffffff")
        for line in range(2):
            y = label[1] + 26 + 7 * line
            canvas.line((label[0] - 22, y, label[0] + 22 - 12 * line, y), fill="#9fb3c8", width=3)
    return sheet


def room() -> Image.Image:
    """No photograph of a room ships: one is drawn, bare at the left and furnished at the right."""
    both = Image.new("RGB", (SIDE_PX, SIDE_PX), "#cfd4da")
    canvas = ImageDraw.Draw(both)
    canvas.rectangle((128, 0, 256, 180), fill="#f3d9b8")
    canvas.rectangle((0, 180, 128, 256), fill="#a4a9b0")
    canvas.rectangle((128, 180, 256, 256), fill="#b07d4f")
    for left, glass in ((32, "#e8edf2"), (156, "#a9dcf5")):
        canvas.rectangle((left, 34, left + 66, 104), fill=glass, outline="#ffffff", width=4)
        canvas.line((left + 33, 34, left + 33, 104), fill="#ffffff", width=4)
    canvas.polygon([(136, 226), (156, 204), (252, 204), (256, 226)], fill="#c8553d")
    canvas.rounded_rectangle((146, 142, 236, 184), 12, fill="#2a6f6b")
    canvas.rounded_rectangle((136, 166, 246, 206), 12, fill="#348f89")
    canvas.rounded_rectangle((164, 152, 190, 178), 5, fill="#ffd166")
    canvas.rectangle((240, 150, 243, 206), fill="#5b3a1e")
    canvas.polygon([(230, 152), (236, 122), (248, 122), (254, 152)], fill="#fff3c4")
    canvas.line((128, 0, 128, 256), fill="#ffffff", width=4)
    return both


def storyboard() -> Image.Image:
    page = Image.new("RGB", (SIDE_PX, SIDE_PX), "#faf8f3")
    canvas = ImageDraw.Draw(page)
    cuts = [("rocket", (0, 0, 256, 190)), ("face", (20, 20, 236, 180)), ("bust", (0, 40, 256, 230)),
            ("rocket", (60, 40, 200, 144)), ("face", (60, 60, 190, 156)), ("rocket", (80, 20, 176, 92))]  # fmt: skip
    for number, (name, box) in enumerate(cuts):
        left, top = 10 + number % 2 * 122, 8 + number // 2 * 82
        frame = photo(name).crop(box).resize((114, 62))
        pencil = ImageChops.multiply(_lines(frame, 1.0, 14).convert("RGB"), _ramp(frame, "#7b8794", "#ffffff"))
        page.paste(pencil, (left, top))
        canvas.rectangle((left, top, left + 114, top + 62), outline="#333a44", width=2)
        canvas.line((left, top + 69, left + 90 - 11 * (number % 3), top + 69), fill="#aab2bd", width=2)
    return page


def hologram() -> Image.Image:
    bust = photo("bust")
    lit = np.asarray(ImageOps.autocontrast(bust.convert("L")), np.float64) / 255
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    lit = lit * (0.65 + 0.35 * (y % 5 < 3)) * np.clip(1.25 - ((x - 128) / 118.0) ** 2, 0, 1)
    rim = 1 - np.asarray(_lines(bust), np.float64) / 255
    strength = np.clip(lit * 0.85 + rim * 0.9, 0, 1) * np.clip((236 - y) / 40, 0, 1)
    colours = np.stack([strength * 90, 20 + strength * 225, 40 + strength * 215], axis=-1)
    image = Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))
    ImageDraw.Draw(image).polygon([(8, 200), (248, 200), (150, 248), (106, 248)], fill=None, outline="#2dd4bf")
    ImageDraw.Draw(image).ellipse((96, 236, 160, 254), fill="#99f6e4")
    return image


def wood() -> Image.Image:
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(np.float64)
    grain = np.sin((y + 10 * np.sin(x / 46) + 4 * np.sin(x / 13)) / 3.2) * 11 + np.sin(y / 17 + x / 90) * 9
    cat = photo("cat").filter(ImageFilter.MedianFilter(5))
    height = np.asarray(ImageOps.posterize(ImageOps.autocontrast(cat.convert("L")), 3), np.float64)
    lit = _relief(Image.fromarray(height.astype(np.uint8)), (2, 2)) * 1.5
    tone = (grain + lit + (height - 128) * 0.22)[..., None] + np.array([150.0, 96.0, 54.0])
    return Image.fromarray(np.clip(tone, 0, 255).astype(np.uint8))


def knitted() -> Image.Image:
    stitch_w, stitch_h = 10, 8
    small = _flat(photo("cat"), 4).resize((SIDE_PX // stitch_w + 1, SIDE_PX // stitch_h + 1), Image.Resampling.BOX)
    colours = np.asarray(small, np.float64)
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    across = (x % stitch_w) / stitch_w
    slanted = y + np.abs(across - 0.5) * -stitch_h * 1.2 + stitch_h
    row = np.clip((slanted // stitch_h).astype(int), 0, colours.shape[0] - 1)
    within = (slanted % stitch_h) / stitch_h
    leg = np.abs(np.abs(across - 0.5) - 0.25) / 0.25
    shade = (1 - 0.45 * leg**3) * (1 - 0.55 * np.abs(within - 0.5) ** 2 * 3) + 0.06
    return Image.fromarray(np.clip(colours[row, x // stitch_w] * shade[..., None], 0, 255).astype(np.uint8))


def jigsaw() -> Image.Image:
    picture = photo("cup")
    lines = Image.new("L", (SIDE_PX, SIDE_PX), 0)
    canvas = ImageDraw.Draw(lines)
    step = 64
    for place in range(1, 4):
        for piece in range(4):
            start, middle = piece * step, piece * step + step // 2
            out = 11 if (place + piece) % 2 else -11
            at = place * step
            for flip in (False, True):
                path = [(start, at), (middle - 8, at), (middle - 11, at + out), (middle, at + out * 2),
                        (middle + 11, at + out), (middle + 8, at), (start + step, at)]  # fmt: skip
                canvas.line([(b, a) for a, b in path] if flip else path, fill=255, width=2, joint="curve")
    picture.paste("#fff7e6", (1, 1), lines)
    picture.paste("#2b1a10", mask=lines)
    hole = Image.new("RGB", (SIDE_PX, SIDE_PX), "#7a5230")
    gap = Image.new("L", (SIDE_PX, SIDE_PX), 0)
    ImageDraw.Draw(gap).rectangle((193, 193, 256, 256), fill=255)
    picture.paste(hole, mask=gap)
    picture.paste(photo("cup").crop((193, 193, 241, 241)).rotate(24, expand=True, fillcolor="#7a5230"), (190, 190))
    return picture


def plush() -> Image.Image:
    """A drawn toy at the left, a living animal at the right."""
    both = photo("cat")
    toy = Image.new("RGB", (SIDE_PX, SIDE_PX), "#cfe3d4")
    canvas = ImageDraw.Draw(toy)
    for ear in ((8, 40, 54, 92), (98, 40, 144, 92)):
        canvas.ellipse(ear, fill="#c98f57", outline="#8a5a2b", width=3)
    canvas.ellipse((4, 52, 148, 196), fill="#d9a066", outline="#8a5a2b", width=3)
    canvas.ellipse((46, 120, 108, 176), fill="#f0d2a8")
    for eye in ((40, 98, 58, 116), (94, 98, 112, 116)):
        canvas.ellipse(eye, fill="#2b1a10")
        canvas.ellipse((eye[0] + 4, eye[1] + 3, eye[0] + 9, eye[1] + 8), fill="#ffffff")
    canvas.ellipse((68, 126, 86, 140), fill="#5b3a1e")
    for stitch in range(60, 190, 14):
        canvas.line((74, stitch, 80, stitch + 6), fill="#8a5a2b", width=2)
    both.paste(toy.crop((0, 0, 124, SIDE_PX)), (0, 0))
    ImageDraw.Draw(both).line((126, 0, 126, 256), fill="#ffffff", width=4)
    return both


def card() -> Image.Image:
    sheet = Image.new("RGB", (SIDE_PX, SIDE_PX), "#fff4e0")
    canvas = ImageDraw.Draw(sheet)
    inks = ("#ef476f", "#ffd166", "#06d6a0", "#118ab2")
    for number in range(70):
        x, y = number * 73 % 256, number * 131 % 256
        canvas.rectangle((x, y, x + 5, y + 5), fill=inks[number % 4])
    canvas.rounded_rectangle((38, 24, 218, 200), 14, fill="#ffffff", outline="#ef476f", width=5)
    sheet.paste(photo("cat", 156), (50, 36))
    canvas.polygon([(104, 58), (134, 2), (164, 58)], fill="#118ab2", outline="#ffffff")
    canvas.ellipse((126, 0, 142, 14), fill="#ffd166")
    for (x, y), ink in zip(((22, 60), (236, 84)), ("#06d6a0", "#ef476f"), strict=True):
        canvas.line((x, y, x, y + 70), fill="#888888", width=2)
        canvas.ellipse((x - 18, y - 26, x + 18, y + 20), fill=ink)
    canvas.rectangle((0, 208, 256, 256), fill="#ef476f")
    _text(sheet, (128, 231), "Happy birthday", 31, "#ffffff")
    return sheet


def blueprint() -> Image.Image:
    both = photo("rocket")
    drawn = _lines(both, 1.0, 16)
    plan = ImageOps.colorize(drawn, "#e8f1ff", "#1d4ed8")
    canvas = ImageDraw.Draw(plan)
    for at in range(0, SIDE_PX, 16):
        canvas.line((at, 0, at, 256), fill="#3b6cf0", width=1)
        canvas.line((0, at, 256, at), fill="#3b6cf0", width=1)
    plan = ImageChops.lighter(plan, ImageOps.colorize(drawn, "#e8f1ff", "#000000"))
    both.paste(plan.crop((0, 0, 140, SIDE_PX)), (0, 0))
    ImageDraw.Draw(both).line((140, 0, 140, 256), fill="#ffffff", width=4)
    return both


def _inked(name: str, side_px: int) -> Image.Image:
    picture = ImageOps.autocontrast(photo(name, side_px).convert("L"))
    inked = ImageChops.multiply(_dots(picture, 4), _lines(picture, 1.0, 16))
    return ImageChops.darker(inked, picture.point([0 if level < 60 else 255 for level in range(256)]))


def manga() -> Image.Image:
    page = Image.new("L", (SIDE_PX, SIDE_PX), 255)
    canvas = ImageDraw.Draw(page)
    canvas.rectangle((6, 162, 156, 250), fill=255)
    for ray in range(0, 360, 6):
        far = (81 + 130 * math.cos(math.radians(ray)), 206 + 130 * math.sin(math.radians(ray)))
        near = (81 + 40 * math.cos(math.radians(ray)), 206 + 30 * math.sin(math.radians(ray)))
        canvas.line((*near, *far), fill=0, width=2)
    canvas.rectangle((0, 154, 256, 160), fill=255)
    canvas.rectangle((157, 0, 163, 256), fill=255)
    page.paste(_inked("bust", 164).crop((0, 0, 150, 148)), (6, 6))
    page.paste(_inked("rocket", 120).crop((20, 0, 106, 120)), (164, 6))
    page.paste(_inked("face", 116).crop((0, 20, 86, 116)), (164, 130))
    for panel in ((6, 6, 156, 154), (164, 6, 250, 126), (164, 130, 250, 250), (6, 162, 156, 250)):
        canvas.rectangle(panel, outline=0, width=3)
    canvas.rectangle((0, 252, 256, 256), fill=255)
    canvas.rectangle((0, 0, 4, 256), fill=255)
    whole = page.convert("RGB")
    _text(whole, (81, 206), "GO!", 40, "#000000", "#ffffff")
    return whole


def comic() -> Image.Image:
    face = photo("bust")
    flat = _flat(face, 2)
    screen = ImageChops.lighter(_dots(face, 6), Image.new("L", face.size, 190)).convert("RGB")
    return ImageChops.multiply(ImageChops.multiply(flat, screen), _lines(face, 1.2, 16).convert("RGB"))


LOOKS: Final[Mapping[str, Callable[[], Image.Image]]] = {
    look.__name__: look
    for look in (
        figurine, restored, eighties, sticker, avatar, poster, infographic, room, storyboard, hologram, wood, knitted,
        jigsaw, plush, card, blueprint, manga, comic,
    )
}  # fmt: skip
"""By the keys of the presets."""


def encoded(image: Image.Image) -> bytes:
    """A JPEG of at most `MOST_BYTES`, as good as that allows."""
    for quality in range(88, 8, -4):
        file = BytesIO()
        image.convert("RGB").save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        if file.tell() <= MOST_BYTES:
            return file.getvalue()
    raise ValueError("too much detail for so few bytes")


def write(folder: Path) -> None:
    """All of them."""
    for key, look in LOOKS.items():
        (folder / f"{key}.jpg").write_bytes(encoded(look()))


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES)
