"""What is said of real files that other tools made (tests/others/CREDITS.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.containers import png_chunk
from bot.domain.verifying import Known, Likeness, Match, Report, Verdict, report_of
from bot.labels.credentials.read import read
from bot.labels.verify import Trust, findings_of
from tests.credentials import anchors, flipped, turned
from tests.pictures import image, saved, with_png_chunks

OTHERS = Path(__file__).parent.parent / "others"


def file(name: str) -> bytes:
    return (OTHERS / name).read_bytes()


def report(data: bytes) -> Report:
    return report_of(Known(findings_of(data, Trust(own=anchors())), match=Match(Likeness.UNKNOWN)))


def codes(data: bytes) -> list[str]:
    return [line.code for line in report(data).lines]


def test_a_strangers_signature_is_read_as_a_claim_with_its_name_and_day() -> None:
    told = report(file("signed.jpg"))
    assert (told.verdict, [line.code for line in told.lines][:2]) == (Verdict.SIGNED, ["intact", "signed_no_ai"])
    assert "“C2PA Test Signing Cert”" in told.words
    assert "2023-09-29" in told.words


def test_a_strangers_signed_picture_is_known_as_changed_by_one_bit() -> None:
    assert report(flipped(file("signed.jpg"), -3_000)).verdict is Verdict.ALTERED


def test_of_credentials_that_are_only_at_an_address_nothing_is_claimed() -> None:
    told = report(file("signed-elsewhere.jpg"))
    assert (told.verdict, told.lines[0].code) == (Verdict.NOTHING, "remote")


def test_an_edit_of_a_strangers_signed_picture_has_its_manifest_along() -> None:
    told = read(turned(file("signed.jpg")).data, anchors())
    assert told is not None
    (source,) = told.sources
    assert source.manifest is not None
    assert source.manifest.generator.startswith("make_test_images")


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("stable-diffusion.png", "Stable Diffusion"),
        ("stable-diffusion.jpg", "Stable Diffusion"),
        ("comfyui.png", "ComfyUI"),
        ("fooocus.png", "Fooocus"),
        ("invokeai.png", "InvokeAI"),
        ("novelai.png", "NovelAI"),
    ],
)
def test_the_marks_of_tools_are_found_in_their_own_files(name: str, tool: str) -> None:
    told = report(file(name))
    assert told.verdict is Verdict.SAYS_AI
    assert f"“{tool}”" in told.words


@pytest.mark.parametrize(
    ("chunk", "is_known"),
    [
        (b'Dream\0"a cat" -s 50 -S 1 -W 512 -H 512', True),
        (b'sd-metadata\0{"model": "stable diffusion"}', True),
        (b"Dream\0of a cat", False),
        (b"Comment\0fooocus_scheme", False),
        (b"Comment\0UNICODE\0Steps: 3, Sampler: a spoon", False),
    ],
)
def test_what_only_resembles_a_tools_mark_is_none(chunk: bytes, is_known: bool) -> None:
    plain = saved(image().resize((96, 64)), "PNG")
    assert ("tool" in codes(with_png_chunks(plain, png_chunk(b"tEXt", chunk)))) is is_known
