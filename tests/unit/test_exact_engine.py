"""The exact engine behind its port: pictures in, pictures and a remark out."""

from __future__ import annotations

import asyncio
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.domain.errors import BadRequest, NotUnderstood, RemixError
from bot.domain.images import Picture, Provenance
from bot.engines.exact import ExactEngine
from bot.engines.pixels import to_picture
from bot.ports import EditRequest, Engine, EngineAnswer, Reading
from tests.golden import SAMPLES
from tests.unit.test_exact_reading import TOGETHER, UNDERSTOOD

PNG, JPEG, WEBP = "image/png", "image/jpeg", "image/webp"


def photo(name: str = "cat", media_type: str = JPEG, provenance: Provenance = Provenance.UNKNOWN) -> Picture:
    image = Image.open(SAMPLES / f"{name}.jpg").convert("RGB")
    return to_picture(image, media_type=media_type, provenance=provenance)


def small(media_type: str = PNG) -> Picture:
    return to_picture(Image.open(SAMPLES / "cat.jpg").convert("RGB").resize((48, 32)), media_type=media_type)


async def edited(instruction: str, *pictures: Picture) -> EngineAnswer:
    return await ExactEngine().edit(EditRequest(instruction, pictures))


def opened(picture: Picture) -> Image.Image:
    image = Image.open(BytesIO(picture.data))
    image.load()
    return image


def test_it_is_an_engine_that_costs_nothing_and_makes_nothing_up() -> None:
    engine: Engine = ExactEngine()
    assert (engine.profile.name, engine.profile.generative, engine.profile.max_inputs) == ("exact", False, 10)
    assert engine.estimate_microusd(images=10) == 0
    assert engine.read("rotate 90 degrees", images=1) == Reading(whole=True)


@pytest.mark.parametrize("media_type", [PNG, JPEG, WEBP])
async def test_a_file_stays_of_its_kind(media_type: str) -> None:
    (result,) = (await edited("rotate 90 degrees", photo(media_type=media_type))).images
    assert (result.media_type, result.width_px, result.height_px, result.has_alpha) == (media_type, 300, 451, False)
    assert opened(result).size == (300, 451)


async def test_a_jpeg_becomes_a_png_where_transparency_comes_in() -> None:
    (result,) = (await edited("crop to a circle", photo())).images
    assert (result.media_type, result.has_alpha, opened(result).mode) == (PNG, True, "RGBA")


async def test_transparency_in_a_jpeg_becomes_white_and_that_is_said() -> None:
    answer = await edited("crop to a circle and save as jpeg", photo())
    assert (answer.images[0].media_type, answer.images[0].has_alpha) == (JPEG, False)
    assert opened(answer.images[0]).getpixel((0, 0)) == (255, 255, 255)
    assert "white" in answer.remark


async def test_a_png_is_turned_without_loss() -> None:
    source = photo(media_type=PNG)
    (result,) = (await edited("rotate 90 degrees and crop to 1:1", source)).images
    turned = np.rot90(np.asarray(opened(source)), -1)
    assert (np.asarray(opened(result)) == turned[75:375]).all()


async def test_gray_is_delivered_in_colors() -> None:
    (result,) = (await edited("grey", photo(media_type=PNG))).images
    assert opened(result).mode == "RGB"


async def test_each_of_several_pictures_is_done_to_and_keeps_its_own_origin() -> None:
    sources = (photo(), photo("coffee", PNG, Provenance.AI_GENERATED))
    results = (await edited("make them grey", *sources)).images
    assert [(r.media_type, r.width_px, r.provenance) for r in results] == [
        (JPEG, 451, Provenance.UNKNOWN),
        (PNG, 600, Provenance.AI_GENERATED),
    ]


async def test_pictures_put_together_have_the_strongest_origin_of_them() -> None:
    sources = (photo(), photo("coffee", provenance=Provenance.AI_GENERATED), photo("rocket"))
    (result,) = (await edited("put them side by side", *sources)).images
    assert result.provenance is Provenance.AI_GENERATED
    assert result.height_px == 427


@pytest.mark.parametrize(
    ("words", "size"),
    [("side by side", (1201, 400)), ("stack them", (600, 799)), ("make a grid", (1203, 400))],
)
async def test_pictures_together_are_none_cropped(words: str, size: tuple[int, int]) -> None:
    (result,) = (await edited(words, photo(), photo("coffee"))).images
    assert result.width_px == pytest.approx(size[0], abs=3)
    assert result.height_px == pytest.approx(size[1], abs=3)


async def test_what_comes_before_joining_is_done_to_each_and_the_rest_to_the_whole() -> None:
    (result,) = (await edited("crop to a square, side by side, then a 10 px border", photo(), photo("rocket"))).images
    assert (result.width_px, result.height_px) == (427 * 2 + 20, 427 + 20)


@pytest.mark.parametrize("limit_kb", [4, 20, 45])
@pytest.mark.parametrize(
    "words", ["under {} kb", "as png under {} kb", "as webp under {} kb", "circle crop, under {} kb"]
)
async def test_a_file_is_no_larger_than_the_limit_and_what_was_done_is_said(words: str, limit_kb: int) -> None:
    answer = await edited(words.format(limit_kb), photo("astronaut", PNG))
    assert limit_kb * 350 < len(answer.images[0].data) <= limit_kb * 1000
    assert answer.remark.startswith("Saved as ")


async def test_what_is_already_as_wished_is_given_back_untouched() -> None:
    source = photo()
    answer = await edited("as jpeg under 5 mb", source)
    assert answer.images == (source,)


async def test_a_sticker_is_small_enough_for_where_stickers_go() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (700, 700, 3), np.uint8)
    (result,) = (await edited("make it a sticker", to_picture(Image.fromarray(noise)))).images
    assert (result.width_px, result.height_px, result.has_alpha) == (512, 512, True)
    assert len(result.data) <= 512_000


async def test_an_instruction_that_is_not_understood_is_refused_whole() -> None:
    with pytest.raises(NotUnderstood) as refusal:
        await edited("rotate 90 degrees and remove the cat", photo())
    assert (refusal.value.part, len(refusal.value.suggestions)) == ("remove the cat", 3)


async def test_without_a_picture_nothing_is_made() -> None:
    with pytest.raises(BadRequest, match="no picture"):
        await edited("rotate 90 degrees")


async def test_eleven_pictures_are_too_many() -> None:
    with pytest.raises(BadRequest, match="10 pictures"):
        await edited("make a grid", *[small()] * 11)


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from([*UNDERSTOOD, *TOGETHER]),
    st.sampled_from([*UNDERSTOOD, *TOGETHER]),
    st.integers(1, 3),
    st.sampled_from([PNG, JPEG, WEBP]),
)
def test_what_is_read_whole_is_done_or_refused_in_words(first: str, second: str, count: int, media_type: str) -> None:
    instruction = f"{first}, then {second}"
    whole = ExactEngine().read(instruction, images=count).whole
    try:
        answer = asyncio.run(edited(instruction, *[small(media_type)] * count))
    except RemixError as error:
        assert error.words.endswith(".")  # noqa: PT017 — either way is fine, if it has words
        return
    assert whole
    assert [opened(picture).size for picture in answer.images] == [(p.width_px, p.height_px) for p in answer.images]


async def test_the_event_loop_goes_on_while_a_picture_is_worked_on() -> None:
    large = to_picture(Image.open(SAMPLES / "coffee.jpg").convert("RGB").resize((1500, 1000)))
    work = asyncio.create_task(edited("sharpen it, more contrast, rotate 3 degrees", large))
    turns = 0
    while not work.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert work.result().images
    assert turns > 10
