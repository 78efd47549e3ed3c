"""What each profile puts into which file, read back by a tool that is not ours; and the AIGC field in all its forms."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.chats import ChatSettings, with_mark
from bot.domain.containers import jpeg_segment, png_chunk, webp_chunk, webp_file, webp_pieces
from bot.domain.images import Picture, Provenance
from bot.domain.labels import MARKED, Label, Profile, Work, profile_in
from bot.domain.messages import ChatCapabilities
from bot.engines.pixels import decode, fit, to_picture
from bot.labels.credentials.read import State, read
from bot.labels.fingerprint import fingerprint_of
from bot.labels.labeller import MetadataLabeller
from bot.labels.mark import Marker
from bot.labels.metadata import Aigc, aigc_field, aigc_of, label_file, systems_of
from bot.labels.signing import Finish
from bot.labels.verify import read_label
from bot.settings import Settings
from tests import pictures
from tests.credentials import anchors, signer

MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")
EDITED = Label(
    Provenance.AI_EDITED, edited_by_ai=True, engines=("Gemini",), work=Work("0199abcdefg7", 1.0, ("gemini-3-pro",))
)
MARKER = Marker(decode, lambda image, media_type: to_picture(image, media_type=media_type))
LABELLER = MetadataLabeller(fit, marker=MARKER, producer="remixbot.example")
FIELD = {
    "Label": "1",
    "ContentProducer": "remixbot.example",
    "ProduceID": "0199abcdefg7",
    "ReservedCode1": "",
    "ContentPropagator": "remixbot.example",
    "PropagateID": "0199abcdefg7",
    "ReservedCode2": "",
}
READ = Aigc("1", *["remixbot.example", "0199abcdefg7"] * 2)
each_media_type = pytest.mark.parametrize("media_type", MEDIA_TYPES)


def master(media_type: str) -> Picture:
    return to_picture(pictures.image("cat"), media_type=media_type, quality=92)


async def rendered(media_type: str, profile: Profile) -> Picture:
    return await LABELLER.render(master(media_type), EDITED, ChatCapabilities(profile=profile))


def by_exiftool(files: dict[str, bytes], folder: Path) -> dict[str, dict[str, Any]]:
    """All of them in one go; nothing on a machine without it, where not everything is checked."""
    tool = shutil.which("exiftool")
    if tool is None:
        assert os.environ.get("CI") != "true", "exiftool is missing (Debian: libimage-exiftool-perl)"
        return {}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    out = subprocess.run(
        [tool, "-json", "-G1", "-a", "-validate", "-all", str(folder)], capture_output=True, check=True
    )
    return {Path(each["SourceFile"]).name: each for each in json.loads(out.stdout)}


def expected(profile: Profile) -> dict[str, Any]:
    field = {"XMP-TC260:Aigc": {"AIGC": FIELD}} if profile is Profile.CN else {}
    return {
        "XMP-iptcExt:DigitalSourceType": "compositeWithTrainedAlgorithmicMedia",
        "XMP-iptcExt:AISystemUsed": "Gemini",
        "XMP-iptcExt:AISystemVersionUsed": "gemini-3-pro",
        **field,
    }


async def test_each_layer_of_each_profile_is_read_back_from_each_format(tmp_path: Path) -> None:
    cases = [(profile, media_type) for profile in Profile for media_type in MEDIA_TYPES]
    made = {f"{profile}.{kind[6:]}": await rendered(kind, profile) for profile, kind in cases}
    told = by_exiftool({name: picture.data for name, picture in made.items()}, tmp_path)
    assert set(told) in (set(), set(made))
    for name, tags in told.items():
        said = {tag: value for tag, value in tags.items() if tag.startswith("XMP-") and "XMPToolkit" not in tag}
        if "XMP-TC260:Aigc" in said:
            said["XMP-TC260:Aigc"] = json.loads(str(said["XMP-TC260:Aigc"]))
        said["XMP-iptcExt:DigitalSourceType"] = said["XMP-iptcExt:DigitalSourceType"].rsplit("/", 1)[-1]
        assert (name, said) == (name, expected(Profile(name.split(".")[0])))
        assert tags["ExifTool:Validate"] in ("OK", "0 0 0")
        assert not re.search("GPS|Prompt|Writer|Creator", " ".join(tags))


@each_media_type
@pytest.mark.parametrize("profile", list(Profile))
async def test_a_mark_stands_where_the_profile_asks_for_one_and_nowhere_else(media_type: str, profile: Profile) -> None:
    before, made = master(media_type), await rendered(media_type, profile)
    old, new = (np.asarray(decode(each.data), np.int16) for each in (before, made))
    changed = np.abs(new - old).max(axis=2)
    assert bool((changed[:60, :120] > 60).any()) is (profile in MARKED)
    assert changed[80:].max() <= (0 if profile not in MARKED or media_type == "image/png" else 60)
    assert read_label(made.data) is Provenance.AI_EDITED
    assert aigc_of(made.data) == (READ if profile is Profile.CN else None)
    assert systems_of(made.data) == ("Gemini", "gemini-3-pro")


@each_media_type
@pytest.mark.parametrize("label", [None, Label(Provenance.UNKNOWN, edited_by_ai=False)])
async def test_what_no_ai_has_made_gets_no_mark_and_no_field(media_type: str, label: Label | None) -> None:
    before = master(media_type)
    made = await LABELLER.render(before, label, ChatCapabilities(profile=Profile.CN))
    assert np.array_equal(np.asarray(decode(made.data)), np.asarray(decode(before.data)))
    assert (aigc_of(made.data), systems_of(made.data)) == (None, ("", ""))


async def test_a_marked_picture_fits_its_place_mark_metadata_and_what_is_added_last() -> None:
    def finish(data: bytes, media_type: str, label: Label, files: object, looks: str) -> bytes:
        return jpeg_segment(b"\xeb", b"J" * 12_000).join((data[:2], data[2:])) if media_type == "image/jpeg" else data

    labeller = MetadataLabeller(fit, marker=MARKER, finish=finish)
    place = ChatCapabilities(max_file_bytes=60_000, profile=Profile.CN)
    made = await labeller.render(master("image/png"), EDITED, place)
    corner = np.asarray(decode(made.data))[: made.height_px // 10, : made.width_px // 4]
    assert (made.media_type, len(made.data) <= 60_000) == ("image/jpeg", True)
    assert corner.min() < 80
    assert corner.max() > 240
    assert aigc_of(made.data) is not None


@each_media_type
@pytest.mark.parametrize("profile", list(Profile))
async def test_credentials_are_signed_last_over_mark_and_metadata(media_type: str, profile: Profile) -> None:
    labeller = MetadataLabeller(fit, Finish(signer()), marker=MARKER, producer="remixbot.example")
    made = await labeller.render(master(media_type), EDITED, ChatCapabilities(profile=profile))
    told = read(made.data, anchors())
    assert told is not None
    looks = fingerprint_of(made.data, media_type)
    expected = (("io.iscc.v0", looks.iscc),) if looks and profile is Profile.EU else ()
    assert told.manifest is not None
    assert (told.manifest.soft_bindings, looks is not None) == (expected, True)
    assert told.state is State.TRUSTED
    assert aigc_of(made.data) == (READ if profile is Profile.CN else None)


async def test_without_anything_to_draw_with_no_picture_that_asks_for_a_mark_is_given_out() -> None:
    with pytest.raises(ValueError, match="mark"):
        await MetadataLabeller(fit).render(master("image/png"), EDITED, ChatCapabilities(profile=Profile.VISIBLE))


async def test_a_picture_that_comes_back_marked_is_marked_over() -> None:
    once = await rendered("image/png", Profile.CN)
    again = await LABELLER.render(once, EDITED, ChatCapabilities(profile=Profile.CN))
    assert decode(again.data).size == decode(once.data).size
    assert again.data.count(b"TC260:AIGC>{") == 1


# --- the field


@pytest.mark.parametrize("bad", ["", "Ein Bot", "机器人", 'a"b', "a\\b", "x" * 65, "a\n"])
def test_the_field_takes_only_the_characters_that_it_may_hold(bad: str) -> None:
    with pytest.raises(ValueError):
        aigc_field(bad, "1")
    with pytest.raises(ValueError):
        aigc_field("me", bad)
    if bad:
        with pytest.raises(ValidationError):
            Settings.model_validate({"label_producer": bad})


def test_what_was_made_before_results_had_numbers_gets_one_all_the_same() -> None:
    field = aigc_of(label_file(master("image/png"), replace(EDITED, work=None), producer="me"))
    assert field is not None
    assert re.fullmatch("[0-9a-f]{32}", field.produce_id)


@each_media_type
def test_another_field_that_a_model_wrote_is_replaced_by_ours(media_type: str) -> None:
    theirs = pictures.xmp("trainedAlgorithmicMedia").replace(
        b"</rdf:Description>", b"<TC260:AIGC xmlns:TC260='http://x/'>{}</TC260:AIGC></rdf:Description>"
    )
    before = replace(master(media_type), data=pictures.with_xmp(master(media_type).data, theirs))
    made = label_file(before, EDITED, producer="remixbot.example")
    assert (made.count(b"<TC260:AIGC"), aigc_of(made)) == (1, READ)


INNER, WRAPPED = json.dumps(FIELD), json.dumps({"AIGC": FIELD})
QUOTED = WRAPPED.replace('"', "&quot;")
PNG, JPEG, WEBP = (master(each).data for each in MEDIA_TYPES)


def in_png(kind: bytes, body: bytes) -> bytes:
    return PNG[:33] + png_chunk(kind, body) + PNG[33:]


def in_jpeg(marker: bytes, body: bytes) -> bytes:
    return JPEG[:2] + jpeg_segment(marker, body) + JPEG[2:]


def with_packet(inner: str) -> bytes:
    return pictures.xmp().replace(b"</rdf:Description>", inner.encode() + b"</rdf:Description>")


def with_attribute(value: str) -> bytes:
    return pictures.xmp().replace(b'rdf:about=""', f"rdf:about='' TC260:AIGC={value}".encode())


WILD = {
    "wrapped, an element": pictures.with_xmp(PNG, with_packet(f"<TC260:AIGC>{WRAPPED}</TC260:AIGC>")),
    "not wrapped, an element": pictures.with_xmp(JPEG, with_packet(f"<a:AIGC x='1'> {INNER} </a:AIGC>")),
    "an attribute": pictures.with_xmp(WEBP, with_attribute(f'"{QUOTED}"')),
    "an attribute, in single quotes": pictures.with_xmp(JPEG, with_attribute(f"'{INNER}'")),
    "a PNG's text": in_png(b"tEXt", b"AIGC\x00" + WRAPPED.encode()),
    "a PNG's text, not wrapped": in_png(b"tEXt", b"AIGC\x00" + INNER.encode()),
    "a PNG's international text": in_png(b"iTXt", b"AIGC\x00\x00\x00\x00\x00" + INNER.encode()),
    "EXIF": in_jpeg(b"\xe1", b"Exif\x00\x00II*\x00....ASCII\x00\x00\x00" + WRAPPED.encode()),
    "EXIF in UTF-16": in_jpeg(b"\xe1", b"Exif\x00\x00II*\x00....UNICODE\x00" + WRAPPED.encode("utf-16-le")),
    "EXIF, not wrapped": in_jpeg(b"\xe1", b"Exif\x00\x00MM\x00*....AIGC" + INNER.encode() + b"\x00more"),
    "a segment of its own": in_jpeg(b"\xe5", b"AIGC" + INNER.encode()),
    "EXIF of a WebP": webp_file(
        [WEBP[each.start : each.end] for each in webp_pieces(WEBP)]
        + [webp_chunk(b"EXIF", b"II*\x00" + WRAPPED.encode())]
    ),
}


@pytest.mark.parametrize("data", WILD.values(), ids=WILD)
def test_the_field_is_read_in_each_form_that_is_met(data: bytes) -> None:
    assert aigc_of(data) == READ


@pytest.mark.parametrize("text", ["{", "[1]", '{"AIGC":3}', '{"AIGC":{}}', "{" * 9000, '{"a":' * 2000, "null", ""])
def test_what_is_no_field_is_none(text: str) -> None:
    assert aigc_of(in_png(b"tEXt", b"AIGC\x00" + text.encode())) is None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([PNG, JPEG, WEBP]), st.integers(0, 400))
def test_any_file_can_be_asked_for_the_field(data: bytes, file: bytes, keep: int) -> None:
    assert aigc_of(file[:keep] + data) is None
    assert systems_of(file[:keep] + data) == ("", "")


# --- which profile holds


@pytest.mark.parametrize("installation", list(Profile))
@pytest.mark.parametrize("chosen", [None, *Profile])
def test_a_chat_gets_no_weaker_label_than_the_installation_has(installation: Profile, chosen: Profile | None) -> None:
    holds = profile_in(installation, chosen)
    assert holds in (installation, chosen)
    assert (holds in MARKED) >= (installation in MARKED)
    assert (holds is Profile.CN) >= (installation is Profile.CN)
    assert profile_in(Profile.DEFAULT, chosen) is (chosen or Profile.DEFAULT)


def test_a_switch_for_the_mark_takes_nothing_else_away() -> None:
    own, european = ChatSettings(questions=False), ChatSettings(profile=Profile.EU)
    assert with_mark(own, on=True) == replace(own, profile=Profile.VISIBLE)
    assert with_mark(with_mark(own, on=True), on=False) == own
    assert with_mark(european, on=False) == european
