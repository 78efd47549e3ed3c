"""Encoded bytes to pixels and back."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.domain.errors import BadPicture
from bot.domain.images import Picture, Provenance
from bot.engines.pixels import decode, encode_jpeg, encode_png, encode_webp, fit, to_picture
from tests import pictures

MODES = st.sampled_from(["L", "LA", "RGB", "RGBA"])


def random_image(mode: str, width_px: int, height_px: int, seed: int) -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    samples = np.random.default_rng(seed).integers(0, 256, width_px * height_px * bands, np.uint8)
    return Image.frombytes(mode, (width_px, height_px), samples.tobytes())


@given(mode=MODES, width_px=st.integers(1, 70), height_px=st.integers(1, 70), seed=st.integers(0, 9))
def test_a_png_gives_the_same_pixels_again(mode: str, width_px: int, height_px: int, seed: int) -> None:
    image = random_image(mode, width_px, height_px, seed)
    opened = Image.open(io.BytesIO(encode_png(image)))
    assert (opened.mode, opened.size, opened.tobytes()) == (mode, image.size, image.tobytes())


def test_a_png_of_several_strips_gives_the_same_pixels_again() -> None:
    image = pictures.image().resize((1500, 1700))
    assert decode(encode_png(image)).tobytes() == image.tobytes()


def test_a_png_is_what_the_specification_says_when_unpacked_by_hand() -> None:
    image = pictures.image("cat")
    png = encode_png(image)
    rows_bytes = image.width * 3
    packed, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        body = png[at + 8 : at + 8 + length]
        assert zlib.crc32(png[at + 4 : at + 8] + body) == struct.unpack_from(">I", png, at + 8 + length)[0]
        packed += body * (png[at + 4 : at + 8] == b"IDAT")
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(image.height, rows_bytes + 1)
    assert set(rows[:, 0]) == {2}
    assert np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).tobytes() == image.tobytes()


def test_the_same_pixels_give_the_same_bytes() -> None:
    assert encode_png(pictures.image()) == encode_png(pictures.image())


def test_the_fast_png_is_hardly_larger_than_pillows_default() -> None:
    image = pictures.image("astronaut")
    assert len(encode_png(image)) < 1.25 * len(pictures.saved(image, "PNG"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_come_upright(orientation: int) -> None:
    upright = decode(pictures.photo_with_metadata("JPEG"))
    turned = decode(pictures.photo_with_metadata("JPEG", orientation=orientation))
    turns = {1: 0, 3: 2, 6: 3, 8: 1, 2: 0, 4: 2, 5: 1, 7: 3}
    expected = np.rot90(np.asarray(upright), turns[orientation])
    mirrored = {2: expected[:, ::-1], 4: expected[:, ::-1], 5: expected[::-1], 7: expected[::-1]}
    assert np.array_equal(np.asarray(turned), mirrored.get(orientation, expected))


def test_colours_of_another_colour_space_come_in_srgb() -> None:
    swapped, _ = pictures.wide_gamut()
    plain = np.asarray(decode(pictures.saved(pictures.image(), "JPEG", quality=95))).astype(int)
    red_for_green = plain[..., [1, 0, 2]]
    after = np.asarray(decode(swapped)).astype(int)
    assert np.abs(after - red_for_green).mean() < 1.5
    assert np.abs(after - plain).mean() > 8


def test_a_profile_that_is_srgb_changes_no_pixel() -> None:
    srgb = pictures.srgb_profile()
    image = pictures.image()
    assert decode(pictures.saved(image, "PNG", icc_profile=srgb)).tobytes() == image.tobytes()


def test_a_profile_leaves_alpha_alone() -> None:
    _, profile = pictures.wide_gamut()
    image = pictures.see_through()
    decoded = decode(pictures.saved(image, "PNG", icc_profile=profile))
    assert decoded.getchannel("A").tobytes() == image.getchannel("A").tobytes()
    assert decoded.tobytes() != image.tobytes()


def test_a_broken_profile_and_broken_exif_are_passed_over() -> None:
    image = pictures.image()
    options = {"icc_profile": b"\0" * 200, "exif": b"Exif\0\0II*\0\xff\xff\xff\x7f"}
    assert decode(pictures.saved(image, "PNG", **options)).tobytes() == image.tobytes()


def test_decoded_pixels_carry_nothing_but_pixels() -> None:
    assert decode(pictures.photo_with_metadata("PNG")).info == {}
    assert decode(pictures.photo_with_metadata("JPEG")).info == {}


def test_every_decode_is_a_fresh_image() -> None:
    first, second = decode(pictures.photo()), decode(pictures.photo())
    first.paste("red", (0, 0, 600, 400))
    assert second.tobytes() == pictures.image().tobytes()


def test_a_broken_file_is_a_bad_picture() -> None:
    with pytest.raises(BadPicture):
        decode(pictures.photo()[:5000])


def test_encoders_write_no_metadata_that_an_image_carries() -> None:
    image = pictures.image()
    secret = pictures.GPS_SECRET
    image.info = {"comment": secret, "exif": pictures.exif(), "xmp": pictures.xmp(), "icc_profile": secret * 9}
    files = encode_png(image), encode_jpeg(image), encode_webp(image)
    assert [secret in data for data in files] == [False, False, False]


def test_a_jpeg_has_white_where_the_picture_was_transparent() -> None:
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture = to_picture(clear, media_type="image/jpeg")
    assert not picture.has_alpha
    assert decode(picture.data).getpixel((32, 32)) == (255, 255, 255)


@pytest.mark.parametrize("media_type", ["image/png", "image/webp"])
def test_a_picture_knows_its_size_alpha_and_provenance(media_type: str) -> None:
    picture = to_picture(pictures.see_through(), media_type=media_type, provenance=Provenance.AI_EDITED)
    assert picture == Picture(picture.data, media_type, 600, 400, True, Provenance.AI_EDITED)
    assert decode(picture.data).mode == "RGBA"


def test_a_lossless_webp_keeps_every_pixel() -> None:
    assert decode(encode_webp(pictures.image(), lossless=True)).tobytes() == pictures.image().tobytes()


def test_a_picture_that_fits_is_not_touched() -> None:
    picture = to_picture(pictures.image())
    assert fit(picture, "image/png", None) is picture
    assert fit(picture, "image/png", len(picture.data)) is picture


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
@pytest.mark.parametrize("max_bytes", [200_000, 30_000, 2_000])
def test_a_picture_is_made_to_fit(media_type: str, max_bytes: int) -> None:
    fitted = fit(to_picture(pictures.image(), provenance=Provenance.AI_GENERATED), media_type, max_bytes)
    assert len(fitted.data) <= max_bytes
    assert decode(fitted.data).size == (fitted.width_px, fitted.height_px)
    assert fitted.width_px / fitted.height_px == pytest.approx(1.5, rel=0.1)
    assert (fitted.media_type, fitted.provenance) == (media_type, Provenance.AI_GENERATED)


def test_quality_goes_before_pixels() -> None:
    fitted = fit(to_picture(pictures.image()), "image/jpeg", 60_000)
    assert (fitted.width_px, fitted.height_px) == (600, 400)


def test_pictures_are_kept_in_three_types_only() -> None:
    with pytest.raises(ValueError, match="image/gif"):
        to_picture(pictures.image(), media_type="image/gif")


def test_what_can_never_fit_says_so() -> None:
    with pytest.raises(ValueError, match="no picture fits"):
        fit(to_picture(pictures.image("cat")), "image/png", 40)
