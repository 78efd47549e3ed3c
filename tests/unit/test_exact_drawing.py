"""What the exact engine does to pixels, as laws that hold for any picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from bot.domain.errors import BadRequest
from bot.engines.exact.drawing import drawn
from bot.engines.exact.operations import (
    Adjust,
    Blur,
    Border,
    Box,
    ClearBackground,
    CropCircle,
    CropPixels,
    CropRatio,
    CutOff,
    Drawing,
    FitWithin,
    Flip,
    Gray,
    Invert,
    Measure,
    Part,
    Pixelate,
    Place,
    Px,
    Quality,
    ResizeSide,
    ResizeTo,
    Rotate,
    RoundCorners,
    Scale,
    Share,
    Sharpen,
    Shift,
    Side,
    Sticker,
    TrimBorders,
    Write,
)
from tests.golden import SAMPLES

SMALL = Box(1, 1, 3, 3)
law = settings(deadline=None, max_examples=60)


def silent(_words: str) -> None:
    """Nobody hears the remark."""


def after(image: Image.Image, *wishes: Drawing) -> Image.Image:
    for wish in wishes:
        image = drawn(image, wish, silent)
    return image


def pixels(image: Image.Image) -> NDArray[np.int_]:
    return np.asarray(image).astype(int)


def photo(name: str = "cat") -> Image.Image:
    return Image.open(SAMPLES / f"{name}.jpg").convert("RGB")


@st.composite
def images(draw: st.DrawFn, least_px: int = 1) -> Image.Image:
    """A window of a photograph, with or without transparent parts."""
    width, height = draw(st.integers(least_px, 90)), draw(st.integers(least_px, 90))
    left, top = draw(st.integers(0, 300)), draw(st.integers(0, 200))
    image = photo().crop((left, top, left + width, top + height))
    if draw(st.booleans()):
        image.putalpha(photo("coffee").convert("L").crop((top, left, top + width, left + height)))
    return image


@law
@given(images())
def test_four_quarter_turns_change_nothing(image: Image.Image) -> None:
    turned = after(image, *[Rotate(90)] * 4)
    assert turned.tobytes() == image.tobytes()


@law
@given(images(), st.integers(-8, 8))
def test_a_quarter_turn_is_clockwise_and_exact(image: Image.Image, rounds: int) -> None:
    turned = after(image, Rotate(90 + 360 * rounds))
    assert (pixels(turned) == np.rot90(pixels(image), -1)).all()


@law
@given(images(), st.booleans())
def test_two_flips_change_nothing(image: Image.Image, vertical: bool) -> None:
    assert after(image, Flip(vertical), Flip(vertical)).tobytes() == image.tobytes()


@law
@given(images(), st.floats(1, 359).filter(lambda degrees: degrees % 90 != 0))
def test_a_slanted_picture_is_whole_and_transparent_around(image: Image.Image, degrees: float) -> None:
    turned = after(image, Rotate(degrees))
    assert turned.mode == "RGBA"
    assert min(turned.size) >= min(image.size)


@law
@given(images(least_px=8), st.integers(1, 21), st.integers(1, 21))
def test_a_crop_to_a_ratio_has_it_within_a_pixel(image: Image.Image, width: int, height: int) -> None:
    result = after(image, CropRatio(width, height))
    assert (
        min(abs(result.width - result.height * width / height), abs(result.height - result.width * height / width)) <= 1
    )
    assert result.width == image.width or result.height == image.height


@law
@given(images(), st.integers(1, 200), st.integers(1, 200))
def test_a_resize_is_exact(image: Image.Image, width: int, height: int) -> None:
    assert after(image, ResizeTo(width, height)).size == (width, height)


@law
@given(images(least_px=3), st.integers(1, 300), st.sampled_from(list(Measure)))
def test_a_resize_by_one_side_is_exact_there(image: Image.Image, px: int, measure: Measure) -> None:
    result = after(image, ResizeSide(measure, px))
    width, height = result.size
    sides = {Measure.WIDTH: width, Measure.HEIGHT: height, Measure.LONGEST: max(width, height)}
    assert sides.get(measure, min(width, height)) == px


@law
@given(images(), st.integers(1, 200), st.integers(1, 200))
def test_what_is_fitted_touches_the_box_and_stays_within(image: Image.Image, width: int, height: int) -> None:
    result = after(image, FitWithin(width, height))
    assert result.width <= width
    assert result.height <= height
    assert result.width == width or result.height == height


@law
@given(images(), st.integers(-200, 200), st.integers(-200, 200))
def test_a_shift_rolls_and_the_opposite_shift_brings_it_back(image: Image.Image, right: int, down: int) -> None:
    shifted = after(image, Shift(Px(right), Px(down)))
    assert (pixels(shifted) == np.roll(pixels(image), (down, right), (0, 1))).all()
    assert after(shifted, Shift(Px(-right), Px(-down))).tobytes() == image.tobytes()


@law
@given(images())
def test_two_inversions_change_nothing(image: Image.Image) -> None:
    assert after(image, Invert(), Invert()).tobytes() == image.tobytes()


@law
@given(images())
def test_gray_has_one_value_per_pixel_and_keeps_alpha(image: Image.Image) -> None:
    gray = after(image, Gray())
    assert gray.mode == image.mode
    assert (pixels(gray)[..., 0] == pixels(gray)[..., 2]).all()
    assert (pixels(gray)[..., 3:] == pixels(image)[..., 3:]).all()


@law
@given(
    images(least_px=4),
    st.sampled_from([Gray, Invert, lambda region: Blur(Px(3), region), lambda r: Pixelate(Px(2), r)]),
)
def test_outside_of_the_region_nothing_changes(image: Image.Image, make: type[Gray]) -> None:
    result = after(image, make(Box(1, 1, 3, 3)))
    kept = np.ones(pixels(image).shape[:2], bool)
    kept[1:3, 1:3] = False
    assert (pixels(result)[kept] == pixels(image)[kept]).all()


@law
@given(images(), st.sampled_from(list(Quality)))
def test_no_change_of_a_quality_changes_nothing(image: Image.Image, quality: Quality) -> None:
    assert np.abs(pixels(after(image, Adjust(quality, 0))) - pixels(image)).max() == 0


@pytest.mark.parametrize(
    ("wish", "measure"),
    [
        (Adjust(Quality.BRIGHTNESS, 0.3), lambda rgb: rgb.mean()),
        (Adjust(Quality.CONTRAST, 0.3), lambda rgb: rgb.std()),
        (Adjust(Quality.SATURATION, 0.3), lambda rgb: (rgb.max(axis=2) - rgb.min(axis=2)).mean()),
        (Adjust(Quality.WARMTH, 0.3), lambda rgb: (rgb[..., 0] - rgb[..., 2]).mean()),
        (Sharpen(1), lambda rgb: np.abs(np.diff(rgb, axis=1)).mean()),
    ],
)
def test_more_of_a_quality_is_more_of_it(wish: Drawing, measure: object) -> None:
    assert callable(measure)
    assert measure(pixels(after(photo(), wish))) > 1.05 * measure(pixels(photo()))


def test_brighter_by_a_fifth_is_every_value_times_that() -> None:
    assert (
        pixels(after(photo(), Adjust(Quality.BRIGHTNESS, 0.2))) == np.minimum(255, np.round(pixels(photo()) * 1.2))
    ).all()


@law
@given(images(), st.integers(1, 40))
def test_a_border_stands_around_the_untouched_picture(image: Image.Image, width: int) -> None:
    result = after(image, Border(Px(width), "#ff0000"))
    assert result.size == (image.width + 2 * width, image.height + 2 * width)
    assert result.crop((width, width, width + image.width, width + image.height)).tobytes() == image.tobytes()
    assert pixels(result)[0, 0, :3].tolist() == [255, 0, 0]


@law
@given(images(least_px=10), st.integers(1, 40), st.sampled_from(["#ff0000", "#000000", "#ffffff"]))
def test_trimming_takes_a_border_away_again(image: Image.Image, width: int, color: str) -> None:
    framed = after(image.convert("RGB"), Border(Px(3), "#00ff00"), Border(Px(width), color))
    assert after(framed, TrimBorders()).size == (image.width + 6, image.height + 6)
    assert after(framed, TrimBorders(color)).size == (image.width + 6, image.height + 6)


def test_there_is_nothing_to_trim_on_a_photo() -> None:
    with pytest.raises(BadRequest, match="no plain border"):
        after(photo(), TrimBorders())


@law
@given(images(least_px=8))
def test_a_circle_is_square_with_clear_corners_and_a_full_middle(image: Image.Image) -> None:
    circle = after(image.convert("RGB"), CropCircle())
    assert circle.size == (min(image.size),) * 2
    assert pixels(circle)[0, 0, 3] < 128
    assert pixels(circle)[circle.height // 2, circle.width // 2, 3] >= 250


def test_rounded_corners_are_alike() -> None:
    alpha = pixels(after(photo(), RoundCorners(Px(40))))[..., 3]
    assert (alpha == alpha[::-1]).all()
    assert (alpha == alpha[:, ::-1]).all()
    assert (alpha[40:-40] == 255).all()


@pytest.mark.parametrize("size", [(2000, 30), (30, 2000), (100, 100), (513, 512)])
def test_a_sticker_is_512_on_its_longest_side_with_alpha(size: tuple[int, int]) -> None:
    result = after(photo().resize(size), Sticker())
    assert (max(result.size), result.mode) == (512, "RGBA")


def _mug_on(color: tuple[int, int, int]) -> Image.Image:
    """A round cut of the coffee photo on plain paper, a patch of the paper's color inside of it."""
    paper = Image.new("RGB", (300, 260), color)
    cut = after(photo("coffee").resize((300, 200)), CropCircle())
    paper.paste(cut, (50, 30), cut)
    paper.paste(color, (140, 120, 150, 130))
    return paper


@pytest.mark.parametrize(
    ("color", "named"), [((255, 255, 255), "#ffffff"), ((10, 160, 20), "#008000"), ((7, 7, 9), None)]
)
def test_the_plain_background_is_clear_and_what_it_surrounds_stays(color: tuple[int, int, int], named: str) -> None:
    alpha = pixels(after(_mug_on(color), ClearBackground(named)))[..., 3]
    assert (alpha[:25] == 0).all()
    assert (alpha[120:130, 140:150] == 255).all()
    assert (alpha[60:200, 100:200] == 255).mean() > 0.99


def test_no_trace_of_the_background_is_left_on_the_edge() -> None:
    mug = _mug_on((0, 255, 0))
    mug.paste((120, 60, 30), (140, 120, 150, 130))
    cut = after(mug, ClearBackground())
    seen = pixels(cut)[pixels(cut)[..., 3] > 60]
    assert (seen[:, 1] > seen[:, 0] + 90).mean() < 0.002


@pytest.mark.parametrize("named", [None, "#ffffff"])
def test_a_photo_has_no_plain_background(named: str | None) -> None:
    with pytest.raises(BadRequest, match="plain colour"):
        after(photo(), ClearBackground(named))


def test_a_background_of_another_color_than_named_is_left_alone() -> None:
    with pytest.raises(BadRequest, match="another colour"):
        after(_mug_on((255, 255, 255)), ClearBackground("#0000ff"))


def _box_of_change(before: Image.Image, now: Image.Image) -> tuple[int, int, int, int]:
    changed = np.abs(pixels(before) - pixels(now)).max(axis=2) > 40
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


@pytest.mark.parametrize("words", ["Hello", "Привет", "你好世界", "こんにちは", "안녕하세요", "Crème ≠ 5 €"])
@pytest.mark.parametrize("place", [Place(0, 0), Place(0.5, 0.5), Place(1, 1)])
def test_words_stand_where_they_were_asked_for(words: str, place: Place) -> None:
    left, top, right, bottom = _box_of_change(photo(), after(photo(), Write(words, place, "#ff00ff", Share(0.09))))
    across, down = (left + right) / 2 / 451, (top + bottom) / 2 / 300
    assert abs(across - place.across) < 0.3
    assert abs(down - place.down) < 0.3
    assert 4 <= left < right <= 447
    assert 4 <= top < bottom <= 296


@settings(law, max_examples=15)
@given(images(least_px=40), st.text("abc de ё世\n", min_size=1, max_size=40), st.floats(0.01, 1), st.booleans())
def test_words_fit_or_are_refused(image: Image.Image, words: str, height: float, bold: bool) -> None:
    try:
        result = after(image, Write(words, Place(0.5, 0.5), "#ff0000", Share(height), bold))
    except BadRequest:
        return
    assert result.size == image.size


def test_long_words_are_wrapped_and_shrunk_until_they_fit() -> None:
    words = "The quick brown fox jumps over the lazy dog " * 8
    left, top, right, bottom = _box_of_change(
        photo(), after(photo(), Write(words, Place(0.5, 0), "#ff00ff", Share(0.5)))
    )
    assert (right - left) > 350
    assert (bottom - top) > 150
    assert right < 447


def test_letters_that_no_font_has_are_named() -> None:
    with pytest.raises(BadRequest, match="😀 ع"):
        after(photo(), Write("ok 😀 ع", Place(0, 0), "#ffffff", Share(0.1)))


TOO_LARGE: list[Drawing] = [
    ResizeTo(100_000, 100),
    ResizeTo(16_000, 16_000),
    ResizeTo(0, 100),
    ResizeTo(999_999_999, 999_999_999),
    ResizeSide(Measure.WIDTH, 20_000),
    ResizeSide(Measure.HEIGHT, 0),
    ResizeSide(Measure.SHORTEST, 16_000),
    FitWithin(17_000, 17_000),
    Scale(0),
    Scale(-1),
    Scale(500),
    Scale(1e9),
    Border(Px(9_000), "#ffffff"),
    Border(Share(1e6), "#ffffff"),
    Border(Px(0), "#ffffff"),
    Rotate(1e9),
    CropPixels(5_000, 10),
    CropPixels(0, 10),
    CropRatio(1000, 1),
    CutOff((Part(Side.LEFT, Share(1)),)),
    CutOff((Part(Side.TOP, Px(200)), Part(Side.BOTTOM, Px(200)))),
    Blur(Px(0)),
    Blur(Px(1e6)),
    Blur(Px(3), Box(0, 0, 1000, 1000)),
    Blur(Px(3), Box(5, 5, 5, 5)),
    Pixelate(Px(1e6)),
    Sharpen(1000),
    RoundCorners(Px(0)),
    Adjust(Quality.BRIGHTNESS, 1e6),
    Adjust(Quality.WARMTH, -1.5),
    Write("Hello", Place(0, 0), "#ffffff", Px(100_000)),
    Write("x" * 600, Place(0, 0), "#ffffff", Share(0.1)),
]


@pytest.mark.parametrize("wish", TOO_LARGE, ids=repr)
def test_what_goes_beyond_is_refused_in_a_sentence(wish: Drawing) -> None:
    with pytest.raises(BadRequest, match=r"^[A-Z].*\.$"):
        after(photo(), wish)
