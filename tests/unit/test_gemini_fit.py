"""Pictures made small enough for one request."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.domain.errors import BadPicture
from bot.domain.images import Picture, Provenance
from bot.engines import pixels
from bot.engines.gemini.fit import PICTURE_BYTES, PICTURES_BYTES, fits, fitted, shares

SAMPLES = Path(__file__).parents[2] / "adapters" / "web" / "static" / "samples"


@cache
def photo(width_px: int, height_px: int, *, alpha: bool = False) -> Picture:
    """A real photo, enlarged, with grain as a camera leaves it: about two bytes a pixel."""
    with Image.open(SAMPLES / "astronaut.jpg") as opened:
        large = opened.convert("RGB").resize((width_px, height_px), Image.Resampling.BICUBIC)
    grainy = Image.blend(large, Image.effect_noise(large.size, 40).convert("RGB"), 0.1)
    if alpha:
        grainy.putalpha(Image.linear_gradient("L").resize(large.size))
    return pixels.to_picture(grainy, provenance=Provenance.AI_EDITED)


def test_what_fits_is_sent_untouched() -> None:
    pictures = (photo(640, 480), photo(500, 700))
    assert fits(pictures)
    assert fitted(pictures) == pictures


def test_fourteen_large_pictures_fit_into_one_request() -> None:
    sent = fitted((photo(1200, 1200),) * 14)
    assert not fits((photo(1200, 1200),) * 14)
    assert fits(sent)
    assert all((each.width_px, each.height_px, each.provenance) == (1200, 1200, Provenance.AI_EDITED) for each in sent)


def test_a_huge_picture_keeps_its_shape_at_3072_pixels() -> None:
    (sent,) = fitted((photo(3600, 1800),))
    assert (sent.media_type, sent.width_px, sent.height_px) == ("image/jpeg", 3072, 1536)
    assert len(sent.data) <= PICTURE_BYTES


def test_what_is_transparent_stays_transparent() -> None:
    (sent,) = fitted((photo(2060, 2060, alpha=True),))
    with Image.open(BytesIO(sent.data)) as image:
        assert (sent.media_type, sent.has_alpha, image.has_transparency_data) == ("image/webp", True, True)


def test_small_pictures_are_spared_when_a_large_one_must_shrink() -> None:
    small = photo(400, 300)
    sent = fitted((small, photo(2600, 2600), small))
    assert (sent[0], sent[2]) == (small, small)
    assert sent[1].media_type == "image/jpeg"


def test_a_broken_picture_is_said_to_be_broken() -> None:
    with pytest.raises(BadPicture):
        fitted((replace(photo(3600, 1800), data=photo(3600, 1800).data[: PICTURE_BYTES + 1]),))


@given(st.lists(st.integers(1, 30_000_000), min_size=1, max_size=14))
def test_shares_never_exceed_the_whole_and_touch_only_what_is_too_large(sizes_bytes: list[int]) -> None:
    allowed = shares(sizes_bytes)
    assert sum(map(min, allowed, sizes_bytes)) <= PICTURES_BYTES
    assert max(allowed) <= PICTURE_BYTES
    fair = PICTURES_BYTES // len(sizes_bytes)
    assert all(mine >= min(size, fair, PICTURE_BYTES) for mine, size in zip(allowed, sizes_bytes, strict=True))
