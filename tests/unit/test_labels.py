"""The label in the file: written without touching a pixel, read back by us and by others."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.domain.digital_source import has_c2pa
from bot.domain.images import Picture, Provenance
from bot.domain.labels import Label
from bot.domain.messages import ChatCapabilities
from bot.engines.pixels import decode, fit, to_picture
from bot.labels.labeller import MetadataLabeller
from bot.labels.metadata import label_file
from bot.labels.verify import read_digital_source_type, read_label
from tests import pictures

MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")
VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TERMS = {
    Provenance.UNKNOWN: "algorithmicallyEnhanced",
    Provenance.AI_EDITED: "compositeWithTrainedAlgorithmicMedia",
    Provenance.AI_GENERATED: "trainedAlgorithmicMedia",
}
EVERYWHERE = ChatCapabilities()
each_media_type = pytest.mark.parametrize("media_type", MEDIA_TYPES)
each_provenance = pytest.mark.parametrize("provenance", list(Provenance))


def master(media_type: str, mode: str = "RGB", provenance: Provenance = Provenance.UNKNOWN) -> Picture:
    return to_picture(pictures.image("cat").convert(mode), media_type=media_type, provenance=provenance)


def label(provenance: Provenance = Provenance.AI_EDITED, *engines: str) -> Label:
    return Label(provenance, edited_by_ai=provenance is not Provenance.UNKNOWN, engines=engines)


def xmp_by_pillow(data: bytes) -> str:
    """The packet as another reader finds it."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
    return packet.decode() if isinstance(packet, bytes) else str(packet)


def metadata_by_exiftool(data: bytes, folder: Path) -> dict[str, Any]:
    """What exiftool reads, or an empty answer on a machine without it; where everything is checked it must be there."""
    tool = shutil.which("exiftool")
    if tool is None:
        assert os.environ.get("CI") != "true", "exiftool is missing (Debian: libimage-exiftool-perl)"
        return {}
    path = folder / "file"
    path.write_bytes(data)
    out = subprocess.run([tool, "-json", "-G0", "-validate", "-XMP:all", str(path)], capture_output=True, check=True)
    answer: list[dict[str, Any]] = json.loads(out.stdout)
    return answer[0]


@each_media_type
@each_provenance
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_the_label_is_read_back_and_no_pixel_changed(media_type: str, provenance: Provenance, mode: str) -> None:
    before = master(media_type, mode)
    labelled = label_file(before, label(provenance, "Gemini"))
    assert read_label(labelled) is provenance
    assert read_digital_source_type(labelled) == TERMS[provenance]
    assert decode(labelled).tobytes() == decode(before.data).tobytes()
    assert 0 < len(labelled) - len(before.data) < 1000


@each_media_type
@each_provenance
def test_others_read_the_same_label(media_type: str, provenance: Provenance, tmp_path: Path) -> None:
    labelled = label_file(master(media_type), label(provenance, "Gemini"))
    by_pillow = xmp_by_pillow(labelled)
    assert f"DigitalSourceType>{VOCABULARY}{TERMS[provenance]}<" in by_pillow
    assert ("AISystemUsed>Gemini<" in by_pillow) == (provenance is not Provenance.UNKNOWN)
    by_exiftool = metadata_by_exiftool(labelled, tmp_path)
    assert by_exiftool.get("XMP:DigitalSourceType") in (VOCABULARY + TERMS[provenance], None)
    assert by_exiftool.get("ExifTool:Validate") in ("0 0 0", "OK", None)
    assert bool(by_exiftool) == (shutil.which("exiftool") is not None)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize(("image", "flags"), [(pictures.image(), 0x04), (pictures.see_through(), 0x14)])
def test_a_labelled_webp_announces_its_label_and_its_alpha(image: Image.Image, flags: int, lossless: bool) -> None:
    before = Picture(pictures.saved(image, "WEBP", lossless=lossless), "image/webp", 600, 400)
    labelled = label_file(before, label())
    assert labelled[12:21] == b"VP8X\x0a\0\0\0" + bytes([flags])
    assert decode(labelled).tobytes() == decode(before.data).tobytes()


@each_media_type
def test_a_persons_own_picture_makes_no_claim(media_type: str) -> None:
    picture = master(media_type)
    assert label_file(picture, None) == picture.data
    assert read_label(picture.data) is None


@each_media_type
@pytest.mark.parametrize("provenance", [Provenance.AI_EDITED, Provenance.AI_GENERATED])
def test_a_persons_picture_that_ai_made_goes_on_saying_so(media_type: str, provenance: Provenance) -> None:
    assert read_label(label_file(master(media_type, provenance=provenance), None)) is provenance


def test_engines_are_named_in_order_and_escaped() -> None:
    labelled = label_file(master("image/png"), label(Provenance.AI_EDITED, "Gemini", "<Other> & Sons"))
    assert "AISystemUsed>Gemini, &lt;Other&gt; &amp; Sons<" in xmp_by_pillow(labelled)


@each_media_type
def test_labelling_again_replaces_the_label(media_type: str) -> None:
    picture = master(media_type)
    first = label_file(picture, label(Provenance.AI_EDITED, "Gemini"))
    again = label_file(replace(picture, data=first), label(Provenance.AI_GENERATED, "Gemini"))
    assert again == label_file(picture, label(Provenance.AI_GENERATED, "Gemini"))


@each_media_type
@pytest.mark.parametrize("attribute", [True, False])
def test_of_a_models_own_metadata_all_but_the_source_type_stays(media_type: str, attribute: bool) -> None:
    theirs = pictures.xmp("trainedAlgorithmicMedia", attribute=attribute)
    picture = master(media_type)
    with_theirs = replace(picture, data=pictures.with_xmp(picture.data, theirs))
    labelled = label_file(with_theirs, label(Provenance.AI_EDITED, "Gemini"))
    packet = xmp_by_pillow(labelled)
    assert re.findall(r"digitalsourcetype/(\w+)", packet) == ["compositeWithTrainedAlgorithmicMedia"]
    assert pictures.GPS_SECRET.decode() in packet
    assert labelled.count(b"W5M0MpCehiHzreSzNTczkc9d") == 1


ODD_PACKETS = {
    "not xml": b"\xff\xfe\x00 nothing",
    "cut off": pictures.xmp("trainedAlgorithmicMedia")[:-60],
    "with a document type": b"<!DOCTYPE x>" + pictures.xmp("trainedAlgorithmicMedia"),
    "two claims in one": pictures.xmp("digitalArt") + pictures.xmp("trainedAlgorithmicMedia"),
    "too long": pictures.xmp("digitalArt").replace(b"SECRET", b"S" * 61_000),
}


@each_media_type
@pytest.mark.parametrize("packet", ODD_PACKETS.values(), ids=ODD_PACKETS)
def test_odd_metadata_of_a_model_is_replaced(media_type: str, packet: bytes) -> None:
    picture = master(media_type)
    odd = replace(picture, data=pictures.with_xmp(picture.data, packet))
    assert label_file(odd, label()) == label_file(picture, label())


@each_media_type
def test_a_manifest_of_the_model_does_not_stay_behind_as_a_broken_one(media_type: str) -> None:
    picture = master(media_type)
    signed = pictures.with_manifest(picture.data, "trainedAlgorithmicMedia")
    labelled = label_file(replace(picture, data=signed), label())
    assert has_c2pa(signed)
    assert labelled == label_file(picture, label())


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300), media_type=st.sampled_from(MEDIA_TYPES), keep=st.integers(0, 400))
def test_any_file_can_be_asked_for_its_label(data: bytes, media_type: str, keep: int) -> None:
    assert read_label(data) is None
    assert read_label(master(media_type).data[:keep] + data) is None


# --- renditions


async def test_a_rendition_has_the_masters_pixels_and_the_label() -> None:
    picture = master("image/webp")
    made = await MetadataLabeller(fit).render(picture, label(), EVERYWHERE)
    assert made == replace(picture, data=label_file(picture, label()), provenance=Provenance.AI_EDITED)


@pytest.mark.parametrize(
    ("mode", "allowed", "chosen"),
    [
        ("RGB", ("image/jpeg", "image/png"), "image/jpeg"),
        ("RGBA", ("image/jpeg", "image/png"), "image/png"),
        ("RGBA", ("image/jpeg",), "image/jpeg"),
    ],
)
async def test_a_master_of_a_type_that_cannot_be_shown_is_converted(
    mode: str, allowed: tuple[str, ...], chosen: str
) -> None:
    made = await MetadataLabeller(fit).render(master("image/webp", mode), label(), ChatCapabilities(allowed))
    assert made.media_type == chosen
    assert read_label(made.data) is Provenance.AI_EDITED


@pytest.mark.parametrize(("mode", "chosen"), [("RGB", "image/jpeg"), ("RGBA", "image/webp")])
async def test_a_master_that_is_too_large_is_made_to_fit_label_and_all(mode: str, chosen: str) -> None:
    limits = ChatCapabilities(max_file_bytes=30_000)
    made = await MetadataLabeller(fit).render(master("image/png", mode), label(), limits)
    assert (made.media_type, made.width_px) == (chosen, 451)
    assert len(made.data) <= 30_000
    assert read_label(made.data) is Provenance.AI_EDITED


async def test_the_label_counts_toward_the_limit() -> None:
    picture = master("image/jpeg")
    made = await MetadataLabeller(fit).render(picture, label(), ChatCapabilities(max_file_bytes=len(picture.data)))
    assert len(made.data) <= len(picture.data)
    assert read_label(made.data) is Provenance.AI_EDITED


async def test_a_picture_to_be_shown_as_it_is_comes_back_as_it_is() -> None:
    picture = master("image/png")
    assert await MetadataLabeller(fit).render(picture, None, EVERYWHERE) == picture
