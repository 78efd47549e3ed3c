"""The door for pictures from outside: what passes, what it becomes, and the words of a refusal."""

from __future__ import annotations

import asyncio
import io
import re
import resource
import time
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.domain.containers import png_chunk
from bot.domain.errors import BadPicture
from bot.domain.images import Picture, Provenance
from bot.engines.pixels import decode
from bot.engines.reader import PillowPictureReader
from tests import pictures

KINDS = ["JPEG", "PNG", "WEBP"]
ALL_KINDS = [*KINDS, "HEIF", "AVIF", "TIFF"]
CLEAN_FILES = {kind: pictures.saved(pictures.image("cat"), kind) for kind in [*ALL_KINDS, "GIF", "BMP"]}


def read(data: bytes, filename: str = "photo.png") -> Picture:
    return asyncio.run(PillowPictureReader().read(data, filename=filename))


def refusal(data: bytes, filename: str = "photo.png") -> str:
    with pytest.raises(BadPicture) as refused:
        read(data, filename)
    return refused.value.words


def outcome(data: bytes) -> Picture | None:
    """None where the file is refused."""
    try:
        return read(data)
    except BadPicture:
        return None


def opened(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data))


def likeness(picture: Picture, expected: Image.Image) -> float:
    """Mean difference per sample, 0–255."""
    assert (picture.width_px, picture.height_px) == expected.size
    difference = np.asarray(decode(picture.data).convert("RGB")).astype(int) - np.asarray(expected.convert("RGB"))
    return float(np.abs(difference).mean())


# --- what is refused, and how


@pytest.mark.parametrize(
    ("make", "filename", "words"),
    [
        (bytes, "photo.png", "“photo.png” is empty: it has 0 bytes. Please send it again."),
        (
            pictures.zip_archive,
            "photo.png",
            "“photo.png” is called .png but is a ZIP archive. Please take the picture out and send it by itself.",
        ),
        (
            pictures.svg,
            "logo.svg",
            "“logo.svg” is an SVG drawing. I work with pixels only: please save it as PNG and send that.",
        ),
        (
            lambda: b"Dear diary,\n",
            "photo.jpg",
            "“photo.jpg” is called .jpg but is a text file. "
            "Please send a picture: JPEG, PNG, WebP, GIF, HEIC, AVIF, TIFF or BMP.",
        ),
        (pictures.pdf, "a.pdf", "“a.pdf” is a PDF. Please send the page as a picture, for instance a screenshot."),
        (
            pictures.video,
            "clip.mp4",
            "“clip.mp4” is a video. Please send a single picture, for instance a screenshot of the moment you mean.",
        ),
        (
            lambda: b"8BPS\0\1" + bytes(20),
            "art.psd",
            "“art.psd” is a Photoshop file. Please save it as PNG or JPEG and send that.",
        ),
        (
            lambda: b"II*\0" + bytes(200),
            "IMG_1.NEF",
            "“IMG_1.NEF” is a camera raw file. Please save it as JPEG or PNG first.",
        ),
        (
            lambda: bytes(range(128, 256)),
            "",
            "This file is not a picture that I know. "
            "Please send a picture: JPEG, PNG, WebP, GIF, HEIC, AVIF, TIFF or BMP.",
        ),
        (
            lambda: pictures.photo()[:30_000],
            "half.jpg",
            "“half.jpg” is damaged or incomplete, so I could not open it. Please send it again, or save it anew first.",
        ),
        (pictures.heavy, "big.jpg", "“big.jpg” has 60 MB. I can take up to 40 MB: please send a smaller one."),
        (
            lambda: pictures.wide(12_000, 12_000),
            "wall.png",
            "“wall.png” is too large: 12,000 × 12,000 are 144 million pixels. "
            "I can take up to 64 million pixels: please send a smaller one.",
        ),
        (
            lambda: pictures.wide(20_000, 9),
            "line.png",
            "“line.png” is 20,000 × 9 pixels. A side may have up to 16,384: please send a smaller one.",
        ),
    ],
)
def test_each_bad_file_gets_its_own_clear_sentence(make: Callable[[], bytes], filename: str, words: str) -> None:
    assert refusal(make(), filename) == words


def peak_memory_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"])
def test_a_bomb_is_refused_by_its_head_alone(kind: str) -> None:
    bomb = pictures.bomb(kind)
    before_kb = peak_memory_kb()
    assert re.search(r"is too large: .*(2,500|268) million pixels\. I can take up to 64 million", refusal(bomb))
    assert peak_memory_kb() - before_kb < 50_000


def test_a_tiff_with_tiles_larger_than_any_picture_is_refused_by_its_head_alone() -> None:
    bomb = pictures.tiff_with_vast_tile()
    before_kb = peak_memory_kb()
    assert "damaged" in refusal(bomb)
    assert peak_memory_kb() - before_kb < 50_000


def test_a_picture_of_just_the_limit_is_taken() -> None:
    reader = PillowPictureReader(max_pixels=240_000, max_bytes=len(pictures.photo()), max_side_px=600)
    assert asyncio.run(reader.read(pictures.photo(), filename="")).width_px == 600


def test_a_name_from_outside_cannot_break_the_sentence() -> None:
    words = refusal(b"", "line\nbreak\u202egnp.\u200bexe" + "x" * 500 + ".png")
    assert words.startswith("“linebreakgnp.exexxx")
    assert words.isprintable()
    assert len(words) < 120


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(sorted(CLEAN_FILES)), part=st.floats(0, 1, exclude_max=True))
@example(kind="JPEG", part=0.99995)
@example(kind="PNG", part=0.99999)
@example(kind="WEBP", part=0.9999)
def test_a_file_cut_anywhere_is_refused_or_lacks_no_pixel(kind: str, part: float) -> None:
    whole = CLEAN_FILES[kind]
    cut = whole[: int(len(whole) * part)]
    assert outcome(cut) in (read(whole), None)


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(sorted(CLEAN_FILES)), seed=st.integers(0, 2**32 - 1), head_only=st.booleans())
def test_a_file_with_wrong_bytes_never_raises_anything_but_bad_picture(kind: str, seed: int, head_only: bool) -> None:
    dice = np.random.default_rng(seed)
    mutated = bytearray(CLEAN_FILES[kind])
    end = min(len(mutated), 700) if head_only else len(mutated)
    for at in dice.integers(0, end, dice.integers(1, 12)):
        mutated[at] = dice.integers(0, 256)
    picture = outcome(bytes(mutated))
    assert picture is None or decode(picture.data).size == (picture.width_px, picture.height_px)


# --- what stays bit for bit


@pytest.mark.parametrize("kind", KINDS)
def test_a_clean_file_passes_as_it_is(kind: str) -> None:
    data = pictures.saved(pictures.image(), kind)
    assert read(data) == Picture(data, f"image/{kind.lower()}", 600, 400)


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_is_dropped_without_touching_a_pixel(kind: str) -> None:
    data = pictures.photo_with_metadata(kind)
    picture = read(data)
    assert len(picture.data) < len(data) - 500
    with Image.open(io.BytesIO(data)) as before:
        assert opened(picture).tobytes() == before.tobytes()


@pytest.mark.parametrize("kind", ALL_KINDS)
@pytest.mark.parametrize("orientation", [1, 6])
def test_no_place_travels_on(kind: str, orientation: int) -> None:
    data = pictures.photo_with_metadata(kind, orientation=orientation)
    assert pictures.GPS_SECRET in data
    picture = read(data)
    assert pictures.GPS_SECRET not in picture.data
    assert not {"exif", "xmp", "comment", "XML:com.adobe.xmp", "photoshop"} & set(opened(picture).info)


@pytest.mark.parametrize("make", [pictures.motion_photo, pictures.photo_with_thumbnail])
def test_nothing_hidden_in_a_jpeg_travels_on(make: Callable[[], bytes]) -> None:
    picture = read(make())
    assert picture.data == pictures.photo()


@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_the_end_of_a_file_is_cut_off(kind: str) -> None:
    clean = pictures.saved(pictures.image(), kind)
    assert read(clean + pictures.GPS_SECRET * 99).data == clean


def test_a_progressive_jpeg_stays_as_it_is() -> None:
    data = pictures.saved(pictures.image(), "JPEG", progressive=True)
    assert read(data).data == data


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_a_plain_png_of_any_colour_stays_as_it_is(mode: str) -> None:
    data = pictures.saved(pictures.image().convert(mode), "PNG")
    assert read(data) == Picture(data, "image/png", 600, 400, has_alpha="A" in mode)


def test_the_profile_of_a_wide_gamut_photo_stays_with_its_pixels() -> None:
    data, profile = pictures.wide_gamut()
    picture = read(data)
    assert picture.data == data
    assert opened(picture).info["icc_profile"] == profile


def test_a_png_chunk_with_a_wrong_checksum_is_noticed() -> None:
    data = pictures.saved(pictures.image(), "PNG")
    checksum_at = 8 + 25 + 8 + int.from_bytes(data[33:37], "big")
    wrong = data[:checksum_at] + b"\0\0\0\0" + data[checksum_at + 4 :]
    assert "damaged" in refusal(wrong)


def test_a_webp_announces_nothing_that_was_dropped() -> None:
    picture = read(pictures.photo_with_metadata("WEBP"))
    assert picture.data[12:21] == b"VP8X\x0a\0\0\0\0"


def test_a_turned_png_stays_a_png() -> None:
    assert read(pictures.photo_with_metadata("PNG", orientation=3)).media_type == "image/png"


# --- what is made anew


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", KINDS)
def test_a_turned_photo_comes_upright(kind: str, orientation: int) -> None:
    data = pictures.photo_with_metadata(kind, orientation=orientation)
    assert likeness(read(data), decode(data)) < 1.5
    assert opened(read(data)).getexif().get(pictures.ORIENTATION, 1) == 1


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_a_phone_photo_becomes_an_upright_jpeg(kind: str) -> None:
    picture = read(pictures.photo_with_metadata(kind, orientation=6), "IMG_0001.HEIC")
    assert picture.media_type == "image/jpeg"
    assert likeness(picture, pictures.image().transpose(Image.Transpose.ROTATE_270)) < 6


@pytest.mark.parametrize(
    ("make", "media_type", "most"),
    [
        (pictures.cmyk, "image/jpeg", 2.5),
        (pictures.rgb_16_bit, "image/png", 0),
        (lambda: pictures.saved(pictures.image(), "BMP"), "image/png", 0),
        (lambda: pictures.saved(pictures.image(), "TIFF"), "image/png", 0),
        (lambda: pictures.saved(pictures.image().resize((1200, 800)), "TIFF"), "image/jpeg", 2.5),
    ],
)
def test_an_odd_picture_becomes_a_plain_one_of_the_same_pixels(
    make: Callable[[], bytes], media_type: str, most: float
) -> None:
    picture = read(make())
    assert picture.media_type == media_type
    assert opened(picture).mode == "RGB"
    assert likeness(picture, pictures.image().resize((picture.width_px, picture.height_px))) <= most


@pytest.mark.parametrize("make", [pictures.grey_16_bit, pictures.grey_float])
def test_deep_grey_keeps_its_brightness(make: Callable[[], bytes]) -> None:
    assert likeness(read(make()), pictures.image().convert("L")) < 0.6


@pytest.mark.parametrize("mode", ["P", "1"])
def test_a_picture_of_few_colours_becomes_a_png(mode: str) -> None:
    image = pictures.image().convert(mode)
    picture = read(pictures.saved(image, "PNG"))
    assert (picture.media_type, opened(picture).mode) == ("image/png", "RGB")
    assert likeness(picture, image) == 0


def test_alpha_that_hides_nothing_is_dropped_where_pixels_are_made_anew() -> None:
    image = pictures.image().convert("RGBA")
    assert not read(pictures.saved(image, "TIFF")).has_alpha


def test_a_transparent_palette_keeps_its_alpha() -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste("red", (10, 10, 30, 30))
    picture = read(pictures.saved(image, "GIF"))
    assert picture == Picture(picture.data, "image/png", 40, 40, has_alpha=True)
    assert [decode(picture.data).getpixel(at)[3] for at in ((0, 0), (20, 20))] == [0, 255]  # type: ignore[index]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    picture = read(pictures.animated(kind))
    assert getattr(opened(picture), "n_frames", 1) == 1
    assert likeness(picture, pictures.image()) < 8


# --- where it came from


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
@pytest.mark.parametrize(
    ("term", "provenance"),
    [
        ("trainedAlgorithmicMedia", Provenance.AI_GENERATED),
        ("compositeWithTrainedAlgorithmicMedia", Provenance.AI_EDITED),
        ("digitalCapture", Provenance.UNKNOWN),
        (None, Provenance.UNKNOWN),
    ],
)
def test_a_picture_that_says_it_is_ai_made_is_taken_at_its_word(
    kind: str, term: str | None, provenance: Provenance
) -> None:
    assert read(pictures.photo_with_metadata(kind, term=term)).provenance is provenance


@pytest.mark.parametrize("kind", KINDS)
def test_the_word_counts_as_an_attribute_and_in_a_manifest_too(kind: str) -> None:
    plain = pictures.saved(pictures.image(), kind)
    in_attribute = pictures.with_xmp(plain, pictures.xmp("trainedAlgorithmicMedia", attribute=True))
    in_manifest = pictures.with_manifest(plain, "compositeWithTrainedAlgorithmicMedia")
    found = [read(data).provenance for data in (in_attribute, in_manifest)]
    assert found == [Provenance.AI_GENERATED, Provenance.AI_EDITED]
    assert read(in_manifest).data == plain


def test_the_word_counts_in_a_compressed_packet_too() -> None:
    packet = zlib.compress(pictures.xmp("trainedAlgorithmicMedia"))
    chunk = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packet)
    assert read(pictures.with_png_chunks(pictures.saved(pictures.image(), "PNG"), chunk)).provenance == "ai_generated"


HOSTILE_XMP = {
    "a bomb of entities": b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 999 + b'"><!ENTITY b "' + b"&a;" * 999 + b'">]>&b;',
    "half a packet": pictures.xmp("trainedAlgorithmicMedia")[:300],
    "a thousand openings": b"<x:DigitalSourceType " * 3000,
    "a claim behind 64 KB": b" " * 65_500 + pictures.xmp("trainedAlgorithmicMedia"),
    "no text": bytes(range(256)) * 200,
}


@pytest.mark.parametrize("packet", HOSTILE_XMP.values(), ids=HOSTILE_XMP)
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_hostile_xmp_says_nothing_and_costs_nothing(kind: str, packet: bytes) -> None:
    plain = pictures.saved(pictures.image(), kind)
    started_s = time.process_time()
    assert read(pictures.with_xmp(plain, packet)) == read(plain)
    assert time.process_time() - started_s < 2


# --- while it works


async def test_the_event_loop_stays_free_while_a_large_photo_is_read() -> None:
    data = pictures.large_photo(40)
    longest_s = 0.0
    reading = asyncio.create_task(PillowPictureReader().read(data, filename="large.jpg"))
    while not reading.done():
        started_s = time.perf_counter()
        await asyncio.sleep(0)
        longest_s = max(longest_s, time.perf_counter() - started_s)
    assert (await reading).data == data
    assert longest_s < 0.05
