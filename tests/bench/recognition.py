"""How well pictures are recognised after platforms and people had their hands on them. By hand:

    python -m tests.bench.recognition --photos FOLDER      the tables of docs/recognition.md, about ten minutes
    python -m tests.bench.recognition                      the same on what is drawn and on the samples, about two

FOLDER holds pictures of any kind; docs/recognition.md says which ones the tables were made with. Nothing here passes or
fails; tests/unit/test_recognition.py does, on the same edits and treatments, smaller.
"""

from __future__ import annotations

import argparse
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

from bot.domain.recognition import RADIUS_BITS, Kept, Kind, Near, Recognition, Tier, judged
from bot.domain.refs import TurnId
from bot.labels.fingerprint import QUALITY_MIN, QUALITY_MIN_KEPT, Fingerprint, fingerprint_of

SAMPLES = Path(__file__).parents[2] / "adapters" / "web" / "static" / "samples"
SIDE_PX = 1344
"""The longer side of every picture of the study."""
_HALVED_PX = 640
"""A photograph of this width or more is two pictures as well: its left and its right."""

Edit = Callable[[Image.Image, random.Random], Image.Image]
Treatment = Callable[[Image.Image], bytes]


# --- the pictures


@dataclass(frozen=True, slots=True)
class Subject:
    """A picture that somebody has. `sort` is photo, text, graphic or gradient."""

    name: str
    sort: str
    pixels: Image.Image


def subjects(folders: Sequence[Path] = (), *, side_px: int = SIDE_PX) -> list[Subject]:
    """What is drawn, the samples, and what lies in these folders; large ones also as two halves."""
    found = [Subject(f"text {n}", "text", _text(n, side_px)) for n in range(10)]
    found += [Subject(f"graphic {n}", "graphic", _graphic(n, side_px)) for n in range(10)]
    found += [Subject(f"gradient {n}", "gradient", _gradient(n, side_px)) for n in range(6)]
    for path in sorted(each for folder in (SAMPLES, *folders) for each in folder.iterdir()):
        try:
            with Image.open(path) as opened:
                pixels = _on_white(opened)
        except OSError:
            continue
        width, height = pixels.size
        if max(pixels.size) / min(pixels.size) > 4:
            continue
        found.append(Subject(path.stem, "photo", _fitted(pixels, side_px)))
        if width >= _HALVED_PX:
            halves = pixels.crop((0, 0, width // 2, height)), pixels.crop((width // 2, 0, width, height))
            found += [Subject(f"{path.stem}/{n}", "photo", _fitted(half, side_px)) for n, half in enumerate(halves)]
    return found


def _on_white(pixels: Image.Image) -> Image.Image:
    clear = pixels.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")


def _fitted(pixels: Image.Image, side_px: int) -> Image.Image:
    return ImageOps.contain(pixels, (side_px, side_px), Image.Resampling.LANCZOS)


def _text(seed: int, side_px: int) -> Image.Image:
    chance = random.Random(seed)
    page = Image.new("RGB", (int(side_px * 0.72), side_px), chance.choice(["white", "#fdf6e3", "#101418"]))
    draw, ink = ImageDraw.Draw(page), "#ddd" if page.getpixel((0, 0)) == (16, 20, 24) else "#111"
    size = side_px // chance.choice([26, 34, 44, 60])
    font = ImageFont.load_default(size)
    for line in range(chance.randint(8, int(side_px * 0.86 / size / 1.5))):
        words = " ".join(
            "".join(chance.choices("aeinorstlmdu", k=chance.randint(2, 9))) for _ in range(chance.randint(1, 60))
        )
        draw.text((side_px * 0.06, side_px * 0.06 + line * size * 1.5), words, fill=ink, font=font)
    edge = side_px // 16
    draw.rectangle([page.width - edge, 0, page.width, side_px], fill=page.getpixel((0, 0)))
    return page


def _graphic(seed: int, side_px: int) -> Image.Image:
    chance = random.Random(100 + seed)
    width = int(side_px * chance.choice([0.6, 0.75, 1]))
    drawn = Image.new("RGB", (width, side_px), _colour(chance))
    draw = ImageDraw.Draw(drawn)
    for _ in range(chance.randint(4, 14)):
        x, y = chance.uniform(0, 0.8) * width, chance.uniform(0, 0.8) * side_px
        box = [x, y, x + chance.uniform(0.1, 0.5) * width, y + chance.uniform(0.1, 0.4) * side_px]
        chance.choice([draw.rectangle, draw.ellipse])(box, fill=_colour(chance))
    return drawn


def _gradient(seed: int, side_px: int) -> Image.Image:
    chance = random.Random(200 + seed)
    grey = Image.linear_gradient("L") if seed % 2 else Image.radial_gradient("L")
    grey = grey.rotate(90 * (seed % 4)).resize((side_px, side_px), Image.Resampling.BICUBIC)
    return ImageOps.colorize(grey, _colour(chance), _colour(chance))


def _colour(chance: random.Random) -> str:
    return f"#{chance.randrange(1 << 24):06x}"


# --- what is done with a picture in a turn


def _marked(pixels: Image.Image, chance: random.Random) -> Image.Image:
    """A corner mark, as large as the strict rule has it."""
    made = pixels.copy()
    size = int(min(made.size) * 0.07)
    draw, font = ImageDraw.Draw(made), ImageFont.load_default(size)
    width = draw.textlength("AI-generated", font=font)
    draw.rounded_rectangle([size // 3, size // 3, size + width, size * 2], size // 4, fill="#222")
    draw.text((size * 2 // 3, size // 2), "AI-generated", fill="white", font=font)
    return made


def _with_thing(pixels: Image.Image, chance: random.Random, share: float) -> Image.Image:
    """Something new that takes this share of the area."""
    made = pixels.copy()
    width, height = (int(side * share**0.5) for side in made.size)
    x, y = chance.randrange(made.width - width), chance.randrange(made.height - height)
    noise = Image.frombytes("L", (width, height), chance.randbytes(width * height)).filter(ImageFilter.GaussianBlur(3))
    thing = ImageOps.colorize(ImageOps.autocontrast(noise), _colour(chance), _colour(chance))
    shape = Image.new("L", (width, height))
    ImageDraw.Draw(shape).ellipse([0, 0, width, height], fill=255)
    made.paste(thing, (x, y), shape)
    return made


def _small_thing(pixels: Image.Image, chance: random.Random) -> Image.Image:
    return _with_thing(pixels, chance, 0.03)


def _large_thing(pixels: Image.Image, chance: random.Random) -> Image.Image:
    return _with_thing(pixels, chance, 0.12)


def _hues(pixels: Image.Image, chance: random.Random) -> Image.Image:
    hue, saturation, value = pixels.convert("HSV").split()
    turned = ImageChops.offset(hue.point([(i + 90) % 256 for i in range(256)]), 0)
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def _light(pixels: Image.Image, chance: random.Random) -> Image.Image:
    shade = Image.linear_gradient("L").rotate(chance.choice([0, 90, 180, 270])).resize(pixels.size)
    return ImageChops.multiply(pixels, Image.merge("RGB", [shade.point([70 + i * 185 // 255 for i in range(256)])] * 3))


def _style(pixels: Image.Image, chance: random.Random) -> Image.Image:
    """Flat colours within dark lines."""
    flat = ImageOps.posterize(pixels.reduce(2).filter(ImageFilter.ModeFilter(7)), 2).resize(pixels.size)
    lines = ImageOps.invert(pixels.convert("L").filter(ImageFilter.GaussianBlur(2)).filter(ImageFilter.FIND_EDGES))
    return ImageChops.multiply(flat, Image.merge("RGB", [lines.point([max(0, 2 * i - 255) for i in range(256)])] * 3))


EDITS: dict[str, Edit] = {
    "corner mark": _marked,
    "a small thing": _small_thing,
    "a large thing": _large_thing,
    "other colours": _hues,
    "other light": _light,
    "a drawing of it": _style,
}


# --- what platforms and people do with it afterwards


def _saved(pixels: Image.Image, kind: str = "JPEG", quality: int = 85) -> bytes:
    out = BytesIO()
    pixels.save(out, kind, quality=quality, **({"method": 0} if kind == "WEBP" else {}))
    return out.getvalue()


def _smaller(pixels: Image.Image, side_px: int, quality: int) -> bytes:
    return _saved(ImageOps.contain(pixels, (side_px, side_px), Image.Resampling.LANCZOS), quality=quality)


def _cut(pixels: Image.Image, share: float) -> bytes:
    """So much of both sides is gone, unevenly: a third of it at the top and left."""
    x, y = (int(side * share) for side in pixels.size)
    return _saved(pixels.crop((x // 3, y // 3, pixels.width - x + x // 3, pixels.height - y + y // 3)))


def _framed(pixels: Image.Image, *, bar: bool = False) -> bytes:
    """A screenshot: 63 % of the size on dark ground; with `bar` also with a title above and a light edge."""
    small = pixels.resize((int(pixels.width * 0.63), int(pixels.height * 0.63)), Image.Resampling.BILINEAR)
    framed = ImageOps.expand(small, 12, "#1e1f22")
    if bar:
        framed = ImageOps.expand(framed, (0, framed.height // 14, 0, 0), "#f2f3f5")
        font = ImageFont.load_default(framed.height // 30)
        ImageDraw.Draw(framed).text((20, 8), "Pictures   12:41", fill="#333", font=font)
    return _saved(framed, quality=80)


TREATMENTS: dict[str, Treatment] = {
    "JPEG 85": lambda pixels: _saved(pixels, quality=85),
    "JPEG 70": lambda pixels: _saved(pixels, quality=70),
    "JPEG 50": lambda pixels: _saved(pixels, quality=50),
    "1280 px, JPEG 80": lambda pixels: _smaller(pixels, 1280, 80),
    "800 px, JPEG 70": lambda pixels: _smaller(pixels, 800, 70),
    "WebP 75": lambda pixels: _saved(pixels, "WEBP", 75),
    "screenshot, border": _framed,
    "screenshot, border and title": lambda pixels: _framed(pixels, bar=True),
    "crop 2 %": lambda pixels: _cut(pixels, 0.02),
    "crop 5 %": lambda pixels: _cut(pixels, 0.05),
    "crop 20 %": lambda pixels: _cut(pixels, 0.20),
}


# --- the study


@dataclass(frozen=True, slots=True)
class Seen:
    """The fingerprints of one subject: as kept, and as looked up after each treatment. Variant 0 is the picture as it
    was sent, the others are the results of the edits in their order."""

    name: str
    sort: str
    kept: tuple[Fingerprint | None, ...]
    looked_up: tuple[tuple[Fingerprint | None, ...], ...]


def seen(subject: Subject, edits: Iterable[Edit], treatments: Iterable[Treatment], quality_min: int) -> Seen:
    chance = random.Random(subject.name)
    treatments = list(treatments)
    variants = [subject.pixels, *(edit(subject.pixels, chance) for edit in edits)]
    kept = tuple(
        fingerprint_of(_saved(pixels, quality=93), "image/jpeg", quality_min=quality_min // (1 if n else 2))
        for n, pixels in enumerate(variants)
    )
    looked_up = tuple(
        tuple(
            fingerprint_of(data, _type_of(data), quality_min=quality_min)
            for data in (treatment(pixels) for treatment in treatments)
        )
        for pixels in variants
    )
    return Seen(subject.name, subject.sort, kept, looked_up)


def _type_of(data: bytes) -> str:
    return "image/webp" if data[8:12] == b"WEBP" else "image/jpeg"


@dataclass(frozen=True, slots=True)
class Index:
    """The rows of some subjects, all in memory."""

    codes: NDArray[np.uint64]
    kept: list[Kept]

    @classmethod
    def of(cls, rows: Iterable[tuple[Kept, Fingerprint | None]]) -> Index:
        flat = [(kept, code) for kept, found in rows if found is not None for code in found.codes]
        codes = np.frombuffer(b"".join(code for _, code in flat), np.uint64).reshape(-1, 4)
        return cls(codes, [kept for kept, _ in flat])

    def judge(self, found: Fingerprint | None) -> Recognition:
        if found is None:
            return judged(())
        asked = np.frombuffer(b"".join(found.codes), np.uint64).reshape(-1, 4)
        bits = np.bitwise_count(self.codes[None] ^ asked[:, None]).sum(axis=2).min(axis=0)
        return judged([Near(self.kept[row], int(bits[row])) for row in np.flatnonzero(bits <= RADIUS_BITS)])


def turn_of(subject: int, edit: int) -> TurnId:
    return TurnId(f"{subject:016d}-{edit:016d}")


def rows_of(number: int, each: Seen, edits: Iterable[int]) -> list[tuple[Kept, Fingerprint | None]]:
    """What the turns of one subject keep: what was sent, with each, and what they made."""
    rows: list[tuple[Kept, Fingerprint | None]] = []
    for edit in edits:
        turn = turn_of(number, edit)
        rows += [(Kept(turn, Kind.SENT), each.kept[0]), (Kept(turn, Kind.OURS), each.kept[edit])]
    return rows


def verdict(found: Recognition, expected: TurnId | None) -> str:
    """What a judgement is worth: right, ours (one of several turns, not said which), unknown, or wrong."""
    if found.tier is Tier.UNKNOWN:
        return "unknown"
    if expected is None:
        return "accused"
    if found.turn is None:
        return "ours"
    return "right" if found.turn == expected else "wrong"


Table = dict[tuple[str, str], Counter[str]]
"""(treatment, whose picture) → how often each verdict fell."""


def tables(found: Sequence[Seen], treatments: Sequence[str], *, together: bool) -> Table:
    """Half of the subjects are in the index, the other half are strangers; then the other way round. Each picture was
    edited once, in a round for each edit; or `together` in all ways, and all of them are in the index at once."""
    table: Table = {}
    edits = len(found[0].kept) - 1
    for half in (0, 1):
        known = [number for number in range(len(found)) if number % 2 == half]
        for shift in range(1 if together else edits):
            made = {n: range(1, edits + 1) if together else [1 + (n + shift) % edits] for n in known}
            index = Index.of(row for n in known for row in rows_of(n, found[n], made[n]))
            for number, each in enumerate(found):
                asked = [(0, None), *((edit, turn_of(number, edit)) for edit in made.get(number, ()))]
                for edit, expected in asked:
                    whose = "result" if edit else "original" if number in made else "stranger"
                    for place, treatment in enumerate(treatments):
                        fallen = verdict(index.judge(each.looked_up[edit][place]), expected)
                        table.setdefault((treatment, whose), Counter())[fallen] += 1
    return table


def _looked_at(subject: Subject) -> Seen:
    return seen(subject, EDITS.values(), TREATMENTS.values(), QUALITY_MIN)


def _printed(table: Table, title: str) -> None:
    print(f"\n{title}\n")
    print("| treatment | right | ours, which one unsaid | unknown | wrong | originals accused | strangers accused |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for treatment in dict.fromkeys(key for key, _ in table):
        ours = table[treatment, "result"]
        share = [f"{100 * ours[each] / ours.total():.1f} %" for each in ("right", "ours", "unknown")]
        accused = [
            f"{table[treatment, w]['accused']} of {table[treatment, w].total()}" for w in ("original", "stranger")
        ]
        print(f"| {treatment} | {' | '.join(share)} | {ours['wrong']} of {ours.total()} | {' | '.join(accused)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, action="append", default=[])
    parser.add_argument("--keep", type=Path, help="a file for the fingerprints, to be read again")
    asked: Any = parser.parse_args()
    pictures = subjects(asked.photos)
    with ProcessPoolExecutor(max(2, os.cpu_count() or 1)) as pool:
        found = list(pool.map(_looked_at, pictures, chunksize=2))
    if asked.keep:
        import pickle

        asked.keep.write_bytes(pickle.dumps(found))
    flat = Counter(each.sort for each in found if each.looked_up[0][0] is None)
    print(f"{len(found)} pictures: {dict(Counter(each.sort for each in found))}")
    print(
        f"too flat for a fingerprint (quality under {QUALITY_MIN}; {QUALITY_MIN_KEPT} for what was sent): {dict(flat)}"
    )
    _printed(tables(found, list(TREATMENTS), together=False), "One edit of each picture")
    _printed(tables(found, list(TREATMENTS), together=True), "Six edits of each picture, all in the index")


if __name__ == "__main__":
    main()
