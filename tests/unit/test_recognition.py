"""Fingerprints of pictures, what survives the platforms, and how what looks alike is judged."""

from __future__ import annotations

import random
from collections import Counter
from io import BytesIO

import iscc_core
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from bot.domain.recognition import (
    MATCH_MAX_BITS,
    POSSIBLE_MAX_BITS,
    RADIUS_BITS,
    UNKNOWN,
    Kept,
    Kind,
    Near,
    Recognition,
    Tier,
    clearly_beyond,
    judged,
)
from bot.domain.refs import TurnId
from bot.labels.fingerprint import QUALITY_MIN, Fingerprint, fingerprint_of, fingerprint_of_image, image_code
from tests import pictures
from tests.bench import recognition as study

ONE, OTHER = TurnId("aaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb"), TurnId("aaaaaaaaaaaaaaaa-cccccccccccccccc")
SIDE_PX = 320


def print_of(image: Image.Image) -> Fingerprint:
    found = fingerprint_of_image(image)
    assert found is not None
    return found


def apart(one: Fingerprint, other: Fingerprint) -> int:
    return min((int.from_bytes(a) ^ int.from_bytes(b)).bit_count() for a in one.codes for b in other.codes)


# --- the code


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([2, 30, 256]))
def test_the_code_has_the_bits_of_the_reference_implementation(seed: int, shades: int) -> None:
    grey = np.random.default_rng(seed).integers(0, shades, (32, 32)).astype(np.uint8)
    assert image_code(grey) == iscc_core.soft_hash_image_v0(grey.flatten().tolist(), 256)


def test_so_has_every_picture_of_the_study() -> None:
    for each in study.subjects(side_px=128):
        grey = np.asarray(each.pixels.convert("L").resize((32, 32)))
        assert image_code(grey) == iscc_core.soft_hash_image_v0(grey.flatten().tolist(), 256), each.name


def test_its_text_is_the_one_of_the_reference_implementation() -> None:
    grey = np.asarray(pictures.image().convert("L").resize((32, 32)))
    code = image_code(grey)
    assert Fingerprint(code, code, 100).iscc == iscc_core.gen_image_code_v0(grey.flatten().tolist(), 256)["iscc"]


# --- from a file to the code


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_kind_of_file_hardly_matters(kind: str) -> None:
    data = pictures.saved(pictures.image(), kind)
    found = fingerprint_of(data, f"image/{kind.lower()}")
    assert found is not None
    assert apart(found, print_of(pictures.image())) <= 8


def test_a_frame_in_a_frame_is_taken_off_and_a_white_page_keeps_both_codes() -> None:
    photo = pictures.image().resize((600, 400))
    framed = ImageOps.expand(ImageOps.expand(photo, 40, "#1e1f22"), 25, "white")
    assert apart(print_of(framed), print_of(photo)) <= 12
    assert len(print_of(framed).codes) == 2
    assert len(print_of(photo).codes) == 1


def test_what_is_clear_is_seen_on_white() -> None:
    clear = pictures.see_through()
    assert apart(print_of(clear), print_of(study._on_white(clear))) <= 8


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_of_pixels_has_a_fingerprint_and_is_left_as_it_is(mode: str) -> None:
    image = pictures.image().convert("I").convert(mode) if mode == "I;16" else pictures.image().convert(mode)
    before = image.copy()
    found = fingerprint_of_image(image, quality_min=0)
    assert found is not None
    assert len(found.whole) == len(found.trimmed) == 32
    assert image == before


def test_flat_pictures_have_none() -> None:
    stripes = Image.fromarray(np.tile(np.arange(512, dtype=np.uint8) // 32 % 2 * 255, (512, 1)))
    flat = [each.pixels for each in study.subjects(side_px=256) if each.sort == "gradient"]
    flat += [study._marked(each, random.Random(1)) for each in flat]
    flat += [Image.new("RGB", (300, 200), "teal"), Image.new("RGBA", (64, 64)), Image.new("L", (1, 1)), stripes]
    assert [fingerprint_of_image(image) for image in flat] == [None] * len(flat)


@pytest.mark.parametrize("size", [(2, 900), (900, 2), (33, 31), (1, 1), (5000, 40)])
def test_odd_shapes_are_no_trouble(size: tuple[int, int]) -> None:
    found = fingerprint_of_image(pictures.image().resize(size), quality_min=0)
    assert found is not None


def test_a_file_that_is_cut_off_is_refused() -> None:
    with pytest.raises(OSError):
        fingerprint_of(pictures.photo()[:3000], "image/jpeg")


# --- what alike pictures mean


def near(bits: int, kind: Kind = Kind.OURS, turn: TurnId = ONE, index: int = 0) -> Near:
    return Near(Kept(turn, kind, index), bits)


def test_the_nearest_of_ours_is_it() -> None:
    assert judged([near(60), near(4, turn=OTHER, index=2)]) == Recognition(Tier.MATCH, OTHER, 2)
    assert judged([near(MATCH_MAX_BITS)]) == Recognition(Tier.MATCH, ONE, 0)
    assert judged([near(MATCH_MAX_BITS + 1)]) == Recognition(Tier.POSSIBLE, ONE, 0)
    assert judged([near(POSSIBLE_MAX_BITS + 1)]) == judged([]) == UNKNOWN


@given(st.integers(0, 64), st.integers(0, 120), st.booleans())
def test_what_was_sent_is_never_called_ours_nor_told_from_what_nobody_saw(ours: int, sent: int, same: bool) -> None:
    found = judged([near(ours), near(sent, Kind.SENT, ONE if same else OTHER)])
    assert (found == UNKNOWN) == (ours > POSSIBLE_MAX_BITS or sent < clearly_beyond(ours))
    assert judged([near(sent, Kind.SENT)]) == UNKNOWN


def test_several_of_ours_are_ours_without_saying_which() -> None:
    assert judged([near(4), near(8, turn=OTHER)]) == Recognition(Tier.MATCH)
    assert judged([near(4), near(8, index=1)]) == Recognition(Tier.MATCH, ONE)
    assert judged([near(4), near(4 + 10, turn=OTHER)]) == Recognition(Tier.MATCH, ONE, 0)


def test_rows_beyond_the_radius_could_not_have_changed_a_judgement() -> None:
    assert clearly_beyond(POSSIBLE_MAX_BITS) - 1 == RADIUS_BITS


# --- the study, small


def test_edits_are_recognised_after_platforms_and_originals_are_never_accused() -> None:
    names = ("JPEG 50", "800 px, JPEG 70", "screenshot, border")
    every = study.subjects(side_px=SIDE_PX)
    subjects = [each for each in every if each.name in ("text 3", "graphic 3", "astronaut", "cat", "coffee", "rocket")]
    treatments = [study.TREATMENTS[name] for name in names]
    found = [study.seen(each, study.EDITS.values(), treatments, QUALITY_MIN) for each in subjects]
    table = study.tables(found, names, together=True)
    totals = {
        whose: sum((fallen for (_, w), fallen in table.items() if w == whose), Counter[str]()) for _, whose in table
    }
    assert totals["result"]["wrong"] == totals["original"]["accused"] == totals["stranger"]["accused"] == 0
    assert totals["result"]["right"] > 0.6 * totals["result"].total()


def test_the_screenshot_of_a_page_is_recognised_by_its_code_without_margins() -> None:
    page = study._text(3, 768)
    with Image.open(BytesIO(study._framed(page))) as shot:
        assert apart(print_of(shot), print_of(page)) <= MATCH_MAX_BITS
        assert (int.from_bytes(print_of(shot).whole) ^ int.from_bytes(print_of(page).whole)).bit_count() > 20


def test_the_edits_of_the_study_do_the_same_each_time() -> None:
    photo = pictures.image().resize((300, 200))
    for edit in study.EDITS.values():
        first, again = (print_of(edit(photo, random.Random(1))) for _ in range(2))
        assert first == again
