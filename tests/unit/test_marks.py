"""The mark in the picture: seen on anything, as high as the rule says, and nothing else in the picture changed."""

from __future__ import annotations

import io
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from bot.domain.containers import PNG_SIGNATURE, png_chunk, png_pieces
from bot.domain.images import Picture, Provenance
from bot.domain.labels import Label, Profile, label_line, mark_words
from bot.domain.language import LANGUAGES, speaking
from bot.engines.pixels import decode, to_picture
from bot.fonts import Fonts
from bot.labels import splice
from bot.labels.mark import Marker, lettering, lowest_ink_px, mark_for
from tests import pictures

MARKER = Marker(decode, lambda image, media_type: to_picture(image, media_type=media_type))
MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")
GENERATED, EDITED = (Label(each, edited_by_ai=True) for each in (Provenance.AI_GENERATED, Provenance.AI_EDITED))
CN_WORDS = [mark_words(label, Profile.CN) for label in (GENERATED, EDITED)]
Pixels = NDArray[np.uint8]


def words_in(language: str) -> list[str]:
    with speaking(language):
        return [
            mark_words(label, profile) for label in (GENERATED, EDITED) for profile in (Profile.VISIBLE, Profile.CN)
        ]


def noise(width: int, height: int, bands: int = 3) -> Image.Image:
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (height, width, bands), np.uint8))


BACKDROPS = {
    "white": Image.new("RGB", (512, 384), "white"),
    "black": Image.new("RGB", (512, 384), "black"),
    "grey": Image.new("RGB", (512, 384), (128, 128, 128)),
    "noise": noise(512, 384),
    "cat": pictures.image("cat").resize((512, 384)),
    "coffee": pictures.image("coffee").resize((512, 384)),
    "clear, over white": Image.new("RGBA", (512, 384)),
}


def luminance(pixels: Pixels) -> NDArray[np.float64]:
    """Relative luminance (WCAG 2.2)."""
    share = pixels[..., :3] / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.2126, 0.7152, 0.0722), np.float64)


def over_white(image: Image.Image) -> Image.Image:
    paper = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")


@pytest.mark.parametrize("backdrop", BACKDROPS.values(), ids=BACKDROPS)
def test_letters_stand_out_from_their_plate_on_any_picture(backdrop: Image.Image) -> None:
    before = to_picture(backdrop)
    made = over_white(decode(MARKER.draw(before, CN_WORDS[0], strict=True).data))
    mark = mark_for(CN_WORDS[0], 512, 384, strict=True)
    corner = np.asarray(made)[8 : 8 + mark.height, 8 : 8 + mark.width]
    ink = np.asarray(mark)
    letters, plate = ink[..., 0] == 255, (ink[..., 0] == 0) & (ink[..., 3] == ink[..., 3].max())
    plate |= (ink[..., 0] == 0) & (ink[..., 3] == 184)
    brightest_plate = luminance(corner[plate]).max()
    assert letters.sum() > 200
    assert (luminance(corner[letters]).min() + 0.05) / (brightest_plate + 0.05) >= 4.5


@pytest.mark.parametrize("size", [(1024, 1024), (64, 64), (100, 3000), (3000, 100), (500, 375), (33, 47)])
@pytest.mark.parametrize("words", CN_WORDS)
def test_the_ink_of_each_letter_is_higher_than_five_percent_of_the_shorter_side(
    words: str, size: tuple[int, int]
) -> None:
    _, font_px = lettering(words, *size, strict=True)
    mark = np.asarray(mark_for(words, *size, strict=True))
    fonts = Fonts(words)
    heights = [fonts.runs(each, font_px)[0].font.getmask(each).getbbox() for each in words]
    assert all(box is not None and box[3] - box[1] >= 0.05 * min(size) for box in heights)
    assert mark.shape[1] <= size[0]
    assert mark.shape[0] <= size[1]
    rows = np.flatnonzero((mark[..., 0] > 128).any(axis=1))
    assert np.ptp(rows) + 1 >= 0.05 * min(size)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_of_every_languages_mark_has_ink(language: str) -> None:
    for words in words_in(language):
        fonts = Fonts(words)
        assert fonts.missing == ()
        for letter in words.replace(" ", ""):
            assert fonts.runs(letter, 40)[0].font.getmask(letter).getbbox() is not None


def test_a_ukrainian_letter_that_one_font_lacks_has_ink_from_the_other() -> None:
    assert lowest_ink_px("І", 100) > 60


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(400, 300), (64, 64), (900, 40)])
def test_only_the_corner_changes(media_type: str, mode: str, size: tuple[int, int]) -> None:
    before = to_picture(pictures.see_through().convert(mode).resize(size), media_type=media_type, quality=90)
    made = MARKER.draw(before, "AI-generated")
    mark = mark_for("AI-generated", *size)
    after, old = (np.asarray(decode(each.data).convert("RGBA"), np.int16) for each in (made, before))
    changed = np.abs(after - old).max(axis=2) > (0 if media_type == "image/png" else 60)
    rows, columns = (np.asarray(each) for each in np.nonzero(changed))
    assert made.media_type == media_type
    assert changed.sum() > mark.width * mark.height / 3
    assert rows.max() <= 0.02 * min(size) + mark.height + 8
    assert columns.max() <= 0.02 * min(size) + mark.width + 8


def as_png(pixels: Pixels, stream: bytes) -> bytes:
    """A PNG of this stream; `pixels` height × width × 3 or 4."""
    height, width, bands = pixels.shape
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2 if bands == 3 else 6, 0, 0, 0])
    half = len(stream) // 2
    parts = [png_chunk(b"IHDR", head), png_chunk(b"IDAT", stream[:half]), png_chunk(b"IDAT", stream[half:])]
    return PNG_SIGNATURE + b"".join(parts) + png_chunk(b"IEND", b"")


def filtered(pixels: Pixels, seed: int) -> bytes:
    """Rows under filters "none", "sub" and "up" by turns."""
    height, width, bands = pixels.shape
    rows = pixels.reshape(height, width * bands).astype(np.int16)
    above = np.vstack((np.zeros_like(rows[:1]), rows[:-1]))
    left = np.hstack((np.zeros((height, bands), np.int16), rows[:, :-bands]))
    kinds = np.asarray(np.random.default_rng(seed).integers(0, 3, height))
    chosen = np.choose(kinds[:, None], (rows, rows - left, rows - above)) % 256
    return np.hstack((kinds[:, None], chosen)).astype(np.uint8).tobytes()


def turned_black(image: Image.Image) -> Image.Image:
    image.paste((0, 0, 0, 255)[: len(image.getbands())], (3, 1, 40, 12))
    return image


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1 << 20), bands=st.sampled_from([3, 4]), level=st.sampled_from([1, 6, 9]))
def test_a_spliced_png_has_the_same_pixels_below_wherever_its_blocks_end(seed: int, bands: int, level: int) -> None:
    random = np.random.default_rng(seed)
    pixels = (np.cumsum(random.integers(-3, 4, (220, 310, bands)), axis=1) % 256).astype(np.uint8)
    rows = filtered(pixels, seed)
    made = splice.with_top(as_png(pixels, zlib.compress(rows, level)), 12, turned_black)
    assert made is not None
    expected = turned_black(Image.fromarray(pixels))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(made))), np.asarray(expected))
    stream = b"".join(made[each.body_start : each.body_end] for each in png_pieces(made) if each.kind == b"IDAT")
    strict = zlib.decompressobj()
    assert strict.decompress(stream)[12 * (310 * bands + 1) + 310 * bands + 1 :] == rows[13 * (310 * bands + 1) :]
    assert (strict.eof, strict.unused_data) == (True, b"")


def test_the_rest_is_joined_at_whichever_bit_its_blocks_begin() -> None:
    seen: set[int] = set()
    for seed in range(40):
        pixels = noise(200, 400) if seed % 2 else noise(199 - seed, 410)
        raw = filtered(np.asarray(pixels) // 5, seed)
        packed = zlib.compress(raw, 6, wbits=15)
        cut = splice._first_cut(packed, 40_000 + 997 * seed, most=len(raw))
        assert cut is not None
        assert zlib.decompress(splice._joined(packed, cut, cut.above, len(raw))) == raw
        seen.add(cut.unused_bits)
    assert len(seen) >= 4


@pytest.mark.parametrize("bits", range(1, 8))
def test_empty_blocks_end_at_every_bit_of_a_byte(bits: int) -> None:
    *filler, last = splice._filler(bits)
    last_block = (last | 0b011 << bits).to_bytes(3, "little")
    read = zlib.decompressobj(-15)
    assert read.decompress(bytes(filler) + last_block) == b""
    assert (read.eof, len(read.unused_data)) == (True, 3 - (bits + 10 + 7) // 8)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1 << 20), bands=st.sampled_from([3, 4]))
def test_an_unpacked_png_is_the_same_picture_with_nothing_to_inflate(seed: int, bands: int) -> None:
    random = np.random.default_rng(seed)
    pixels = (np.cumsum(random.integers(-3, 4, (120, 210, bands)), axis=1) % 256).astype(np.uint8)
    data = as_png(pixels, zlib.compress(filtered(pixels, seed), 6))
    made = splice.unpacked(data)
    assert len(made) > pixels.nbytes
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(made))), pixels)


def test_a_png_that_is_not_plain_or_broken_stays_as_it_is() -> None:
    whole = to_picture(noise(300, 200)).data
    deep, grey = io.BytesIO(), io.BytesIO()
    Image.new("I;16", (40, 30), 40_000).save(deep, "png")
    Image.new("L", (40, 30), 90).save(grey, "png")
    too_long = as_png(np.zeros((20, 20, 3), np.uint8), zlib.compress(bytes(5_000_000)))
    for data in (deep.getvalue(), grey.getvalue(), whole[:-40], whole[:8], too_long):
        assert splice.unpacked(data) == data


@pytest.mark.parametrize("kind", ["cut off", "empty"])
def test_a_broken_png_is_not_spliced(kind: str) -> None:
    data = to_picture(noise(300, 200)).data
    broken = {"cut off": data[:-40], "empty": data[:8]}[kind]
    assert splice.with_top(broken, 20, turned_black) is None


def test_what_a_png_says_beside_its_pixels_stays_but_not_a_manifest_of_other_pixels() -> None:
    before = to_picture(pictures.image("cat"))
    signed = pictures.with_manifest(pictures.with_xmp(before.data, pictures.xmp("digitalArt")), "digitalArt")
    made = MARKER.draw(replace(before, data=signed), "AI").data
    kinds = [each.kind for each in png_pieces(made)]
    assert (b"iTXt" in kinds, b"caBX" in kinds) == (True, False)


@pytest.mark.parametrize("mode", ["L", "P", "I;16"])
def test_other_kinds_of_png_are_marked_too(mode: str) -> None:
    odd = pictures.image("cat").convert("L").convert(mode) if mode != "P" else pictures.image("cat").convert("P")
    data = pictures.saved(odd, "PNG")
    made = MARKER.draw(Picture(data, "image/png", *odd.size), "AI-generated")
    difference = np.abs(np.asarray(decode(made.data), np.int16) - np.asarray(decode(data), np.int16))
    assert (difference[10:30, 10:60].mean() > 20, difference[60:].max()) == (True, 0)


@pytest.mark.parametrize(("greys", "keeps_its_palette"), [(range(256), True), (range(90, 160), False)])
def test_a_palette_is_drawn_in_where_it_has_the_colours_for_it(greys: range, keeps_its_palette: bool) -> None:
    grey = np.asarray(pictures.image("cat").convert("L"), np.int32)
    image = Image.fromarray((grey * len(greys) // 256).astype(np.uint8))
    image.putpalette([each for each in greys for _ in range(3)])
    data = pictures.saved(image, "PNG")
    made = MARKER.draw(Picture(data, "image/png", *image.size), "AI-generated").data
    after, before = decode(made).convert("L"), decode(data).convert("L")
    assert (Image.open(io.BytesIO(made)).mode == "P") is keeps_its_palette
    assert (after.getextrema()[1], after.crop((12, 12, 60, 28)).getextrema()[1]) >= (before.getextrema()[1], 240)
    below = (0, 60, image.width, image.height)
    assert np.array_equal(np.asarray(after.crop(below)), np.asarray(before.crop(below)))


def test_the_words_of_china_are_chinese_whoever_reads_them() -> None:
    for language in LANGUAGES:
        with speaking(language):
            assert [mark_words(each, Profile.CN) for each in (GENERATED, EDITED)] == ["AI生成", "AI编辑生成"]
            assert label_line(EDITED, Profile.CN).startswith("AI编辑生成")
    assert label_line(EDITED, Profile.EU) == "AI-modified"


@pytest.mark.parametrize("profile", list(Profile))
def test_what_no_ai_has_made_is_never_marked(profile: Profile) -> None:
    assert mark_words(None, profile) == ""
    assert mark_words(Label(Provenance.UNKNOWN, edited_by_ai=False), profile) == ""
