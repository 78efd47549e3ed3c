"""Pictures cut from their key colour: how true the alpha is, and what is never taken for a plain background."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bot.domain.errors import BadPicture
from bot.domain.images import Picture, Provenance
from bot.engines import matte
from bot.engines.matte import NOT_PLAIN, NOTHING_LEFT, PAINTED_CHECKERBOARD, Cut, cut_out
from tests.bench.matte import GREEN, Floats, Scene, as_given, jpeg, naive, pixels_of, scenes, score, shadow
from tests.pictures import image, photo, saved, see_through

SIDE_PX = 512
SCENES = {scene.name: scene for scene in scenes(SIDE_PX)}
GREY = (128, 128, 128)


@cache
def given(name: str) -> Picture:
    return as_given(SCENES[name])


@cache
def cut(name: str) -> Floats:
    """The scene as a model would give it, cut: RGBA, 0–1."""
    return taken(cut_out(given(name)))


def taken(result: Cut) -> Floats:
    assert result.picture is not None, result.words
    assert (result.picture.media_type, result.picture.has_alpha, result.words) == ("image/png", True, "")
    return pixels_of(result.picture)


def png(pixels: Floats) -> Picture:
    """Colours from 0 to 1."""
    whole = Image.fromarray((np.clip(pixels, 0, 1) * 255).round().astype(np.uint8))
    return Picture(saved(whole, "PNG"), "image/png", whole.width, whole.height)


def checkerboard(square_px: int, light: int, dark: int) -> Floats:
    """As painted: its lines sway a little, and it has grain."""
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(np.float32)
    odd = ((x + np.sin(y / 60)) // square_px + (y + np.sin(x / 50)) // square_px) % 2
    grain = np.random.default_rng(2).normal(0, 1, odd.shape)
    return np.repeat((np.where(odd, light, dark) + grain)[..., None], 3, axis=2) / 255


def slope(start: tuple[int, int, int], end: tuple[int, int, int]) -> Floats:
    """From one colour at the top to another at the bottom."""
    part = np.linspace(0, 1, SIDE_PX)[:, None, None] * np.ones((1, SIDE_PX, 1))
    return (np.asarray(start) * (1 - part) + np.asarray(end) * part) / 255


# --- how true it is


@pytest.mark.parametrize(
    ("name", "alpha", "edge", "gradient", "color"),
    [
        ("hair", 1.6, 6.3, 9.2, 4.0),
        ("glass", 1.0, 2.8, 2.0, 2.0),
        ("lines", 3.0, 6.0, 7.5, 5.5),
        ("shadow", 0.6, 2.8, 1.6, 3.0),
        ("leaves", 0.8, 5.5, 7.0, 3.8),
        ("blossom", 0.8, 5.5, 7.5, 4.0),
        ("blurred", 0.6, 4.0, 1.5, 2.8),
    ],
)
def test_alpha_is_near_the_truth(name: str, alpha: float, edge: float, gradient: float, color: float) -> None:
    """In percent, see `Score`. What only compares colours fails each of these."""
    ours, usual = score(cut(name), SCENES[name]), score(naive(given(name), SCENES[name].key), SCENES[name])
    limits = np.array((alpha, edge, gradient, color))
    assert (np.array((ours.alpha, ours.edge, ours.gradient, ours.color)) <= limits).all(), ours
    assert ((np.array((usual.alpha, usual.edge, usual.gradient, usual.color)) > limits).sum()) >= 2, usual


@pytest.mark.parametrize("name", SCENES)
def test_nothing_of_the_key_is_left_on_white_black_or_red(name: str) -> None:
    assert score(cut(name), SCENES[name]).fringe <= 0.6
    assert score(naive(given(name), SCENES[name].key), SCENES[name]).fringe > 0.9


@pytest.mark.parametrize("name", SCENES)
def test_the_backdrop_is_gone_and_the_inside_is_whole(name: str) -> None:
    alpha, truth = cut(name)[..., 3], SCENES[name].alpha
    outside, inside = truth == 0, truth >= 0.999
    far_out = np.asarray(Image.fromarray(~outside).convert("L").reduce(16).resize(truth.shape)) == 0
    assert (alpha[far_out] == 0).mean() > 0.998
    if name != "lines":
        assert (alpha[inside] > 0.9).mean() > 0.97


@pytest.mark.parametrize("quality", [85, 95])
def test_hair_stays_fine_in_stronger_and_weaker_compression(quality: int) -> None:
    scene = SCENES["hair"]
    assert score(taken(cut_out(as_given(scene, quality=quality))), scene).edge < 7.5


def test_a_file_with_colours_at_full_resolution_gives_twice_as_true_hair() -> None:
    scene = SCENES["hair"]
    sharp = score(taken(cut_out(png(scene.on((14, 243, 20))))), scene)
    assert sharp.edge < 3.7
    assert sharp.gradient < 5


@pytest.mark.parametrize(
    "key", [(0, 255, 0), (60, 220, 70), (0, 200, 60), (255, 0, 255), (230, 40, 210), (20, 60, 235)]
)
def test_the_model_need_not_hit_the_key_colour(key: tuple[int, int, int]) -> None:
    scene = SCENES["shadow"]
    behind = Scene("shadow", scene.color, scene.alpha, key)
    result = score(taken(cut_out(jpeg(behind.on(key) * 255))), behind)
    assert result.alpha < 1.5
    assert result.fringe < 0.5


def test_a_subject_that_is_cut_off_by_the_lower_edge_keeps_its_feet() -> None:
    scene = SCENES["shadow"]
    low = Scene("bust", np.roll(scene.color, 130, axis=0), np.roll(scene.alpha, 130, axis=0))
    assert (low.alpha[-1] == 1).sum() > 100
    assert score(taken(cut_out(as_given(low))), low).alpha < 1


def test_a_chessboard_is_a_subject() -> None:
    board = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((40, 40)))
    color, alpha = np.full((SIDE_PX, SIDE_PX, 3), 0.1), np.zeros((SIDE_PX, SIDE_PX))
    color[96:416, 96:416] += 0.8 * board[..., None]
    alpha[96:416, 96:416] = 1
    scene = Scene("chess", color, alpha)
    assert score(taken(cut_out(as_given(scene))), scene).alpha < 0.5


def test_a_grey_photograph_before_the_key_is_a_subject() -> None:
    scene = SCENES["shadow"]
    grey = Scene("grey", np.repeat(scene.color.mean(axis=2, keepdims=True), 3, axis=2), scene.alpha)
    assert score(taken(cut_out(as_given(grey))), grey).alpha < 1


def test_strips_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = cut("hair")
    monkeypatch.setattr(matte, "_STRIP_PX", SIDE_PX * 64)
    assert np.abs(taken(cut_out(given("hair"))) - at_once).max() < 0.02


def test_a_white_backdrop_is_cut_from_outside_only() -> None:
    scene = SCENES["shadow"]
    cup = Scene("cup", scene.color, (scene.alpha > 0.99).astype(np.float32))
    result = taken(cut_out(jpeg(cup.on((252, 252, 252)) * 255)))
    assert score(result, cup).alpha < 1
    assert (result[200:260, 200:260, 3] == 1).all()


# --- what is no plain background


@pytest.mark.parametrize("square_px", [6, 8, 12, 16, 20, 32, 50])
@pytest.mark.parametrize(("light", "dark"), [(255, 204), (255, 240), (153, 102), (70, 50)])
def test_a_painted_checkerboard_is_recognised(square_px: int, light: int, dark: int) -> None:
    painted = SCENES["shadow"].on(checkerboard(square_px, light, dark))
    assert cut_out(jpeg(painted * 255)) == Cut(None, PAINTED_CHECKERBOARD)


@pytest.mark.parametrize("around", [(255, 255, 255), GREEN])
def test_a_checkerboard_in_a_plain_frame_is_recognised(around: tuple[int, int, int]) -> None:
    painted = SCENES["shadow"].on(checkerboard(16, 255, 214))
    frame = np.ones_like(painted) * np.asarray(around) / 255
    frame[40:-40, 40:-40] = painted[40:-40, 40:-40]
    assert cut_out(jpeg(frame * 255)) == Cut(None, PAINTED_CHECKERBOARD)


@pytest.mark.parametrize("name", ["astronaut", "cat", "coffee", "rocket"])
def test_a_photograph_is_left_alone(name: str) -> None:
    for mode in ("RGB", "L"):
        whole = image(name).convert(mode).convert("RGB")
        assert cut_out(jpeg(np.asarray(whole, np.float32))) == Cut(None, NOT_PLAIN)


@pytest.mark.parametrize(
    ("start", "end"),
    [((0, 255, 0), (0, 60, 255)), ((250, 250, 250), (120, 120, 130)), ((20, 90, 230), (190, 220, 250))],
)
def test_a_gradient_is_left_alone(start: tuple[int, int, int], end: tuple[int, int, int]) -> None:
    painted = SCENES["shadow"].on(slope(start, end))
    assert cut_out(jpeg(painted * 255)) == Cut(None, NOT_PLAIN)


def test_nothing_but_backdrop_is_said_to_be_nothing() -> None:
    assert cut_out(jpeg(slope(GREEN, GREEN) * 255)) == Cut(None, NOTHING_LEFT)


# --- what comes in


def test_a_picture_with_real_alpha_comes_back_as_it_is() -> None:
    clear = Picture(saved(see_through(), "PNG"), "image/png", 600, 400, has_alpha=True)
    assert cut_out(clear) == Cut(clear)


def test_alpha_that_hides_nothing_does_not_count() -> None:
    scene = shadow(256)
    solid = Image.open(BytesIO(as_given(scene).data)).convert("RGBA")
    result = cut_out(Picture(saved(solid, "PNG"), "image/png", 256, 256, has_alpha=True))
    assert score(taken(result), scene).alpha < 1


def test_where_a_picture_comes_from_is_kept() -> None:
    result = cut_out(given("glass")).picture
    assert result is not None
    assert result.provenance is Provenance.AI_GENERATED


@pytest.mark.parametrize("size", [(1, 1), (15, 40), (17, 16), (333, 18), (18, 333)])
def test_any_size_is_answered(size: tuple[int, int]) -> None:
    small = Image.new("RGB", size, GREEN)
    small.paste((200, 30, 40), (size[0] // 3, size[1] // 3, size[0] * 2 // 3, size[1] * 2 // 3))
    result = cut_out(Picture(saved(small, "PNG"), "image/png", *size))
    assert (result.picture is None) == bool(result.words)


def test_a_broken_file_is_a_bad_picture() -> None:
    with pytest.raises(BadPicture):
        cut_out(Picture(photo()[:2000], "image/jpeg", 600, 400))
