"""What a file says of where it comes from, and how that is told: files of ours, of other tools, and of nobody."""

from __future__ import annotations

import json
import random
import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from bot.domain.containers import jpeg_segment, png_chunk, webp_chunk
from bot.domain.digital_source import VOCABULARY
from bot.domain.images import Picture, Provenance
from bot.domain.labels import Label
from bot.domain.recognition import Kept, Kind, Near
from bot.domain.refs import TurnId
from bot.domain.verifying import (
    Aigc,
    Credentials,
    Findings,
    Gone,
    Known,
    Likeness,
    Made,
    Match,
    Metadata,
    Report,
    Seal,
    Strength,
    Verdict,
    report_of,
    verdict_of,
    words_of,
)
from bot.engines.reader import PillowPictureReader
from bot.labels.credentials import chain as chaining
from bot.labels.credentials.chain import make_chain, write_chain
from bot.labels.credentials.library import Anchors
from bot.labels.credentials.manifest import Deed
from bot.labels.credentials.sign import sign
from bot.labels.credentials.signer import signer_from_files
from bot.labels.fingerprint import fingerprint_of
from bot.labels.looking import Looking
from bot.labels.metadata import label_file
from bot.labels.recogniser import Recogniser
from bot.labels.verify import Trust, findings_of, trust_from_files
from tests.credentials import (
    AI_EDITED,
    CREATED,
    EDITED,
    JPEG,
    anchors,
    carelessly_turned,
    counted,
    flipped,
    parent,
    pointing,
    raw,
    signer,
    signer_of,
    turned,
)
from tests.pictures import (
    animated,
    bomb,
    heavy,
    image,
    pdf,
    photo,
    photo_with_metadata,
    saved,
    with_jpeg_segments,
    with_manifest,
    with_png_chunks,
    with_webp_chunks,
    with_xmp,
    xmp,
)

TRUST = Trust(own=anchors())
NOTHING = Match(Likeness.UNKNOWN)
AT = datetime(2026, 1, 2, tzinfo=UTC)
TURN = TurnId("aaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb")
INNER = {"Label": "1", "ContentProducer": "Doubao", "ProduceID": "01JD"}
WRAPPED = json.dumps({"AIGC": INNER})
BIDI = "\u202eevil\u202c @everyone \x00" + "x" * 500


def told(data: bytes, trust: Trust = TRUST) -> Findings:
    return findings_of(data, trust)


def report(data: bytes, trust: Trust = TRUST, **more: object) -> Report:
    return report_of(Known(told(data, trust), match=NOTHING, **more))  # type: ignore[arg-type]


def codes(made: Report, *, known: bool = True) -> list[tuple[str, str]]:
    return [(each.code, each.strength.value) for each in made.lines if known == (each.strength is not Strength.UNKNOWN)]


# --- files of ours


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_file_that_we_signed_is_proof_in_every_kind(kind: str) -> None:
    media_type = f"image/{kind.lower()}"
    data = saved(image().resize((96, 64)), kind)
    label = Label(Provenance.AI_EDITED, edited_by_ai=True, engines=("Gemini",))
    labelled = label_file(Picture(data, media_type, 96, 64), label)
    made = report(sign(labelled, media_type, EDITED, [parent(labelled, media_type)], signer()).data)
    assert made.verdict is Verdict.OURS_PROVEN
    assert codes(made) == [
        ("ours", "proof"), ("signed_ai", "proof"), ("signed_sources", "proof"),
        ("source_ai", "claim"), ("system", "claim"),
    ]  # fmt: skip
    assert "I signed this file, and nobody changed it since." in made.words


def test_a_file_that_we_labelled_without_signing_it_is_only_a_claim() -> None:
    label = Label(Provenance.AI_GENERATED, edited_by_ai=True, engines=("Gemini",))
    made = report(label_file(Picture(photo(), JPEG, 600, 400), label))
    assert (made.verdict, codes(made)) == (Verdict.SAYS_AI, [("source_ai", "claim"), ("system", "claim")])


def test_one_bit_turned_over_is_a_changed_file_and_not_ours_any_more() -> None:
    signed = turned(photo()).data
    made = report(flipped(signed, len(signed) - 5000))
    assert (made.verdict, made.lines[0].code, made.lines[0].strength) == (Verdict.ALTERED, "altered", Strength.STRONG)
    assert "were changed afterwards" in made.words


def test_a_picture_that_was_changed_before_it_went_in_is_told_beside_the_sound_signature() -> None:
    first = sign(photo(), JPEG, CREATED, [], signer()).data
    made = report(carelessly_turned(flipped(first, len(first) - 3000)))
    assert made.verdict is Verdict.OURS_PROVEN
    assert ("sources_altered", "strong") in codes(made)
    honest = report(turned(flipped(first, len(first) - 3000)).data)  # left out, with the reason written down
    assert ("sources_altered", "strong") in codes(honest)
    assert ("sources_altered", "strong") not in codes(report(turned(first).data))


def test_a_file_saved_anew_has_lost_its_signature_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "signed.jpg").write_bytes(turned(photo()).data)
    made = report(saved(Image.open(tmp_path / "signed.jpg"), "JPEG", quality=80))
    assert (made.verdict, codes(made)) == (Verdict.NOTHING, [])
    assert "That does not mean that no AI was used." in made.words


def test_a_certificate_that_ran_out_is_no_sign_of_change() -> None:
    made = report_of(Known(Findings(credentials=Credentials(Seal.EXPIRED, "Somebody"))))
    assert (made.verdict, made.lines[0].code) == (Verdict.SIGNED, "expired")
    assert "Nothing shows that it was changed since." in made.words


# --- files of others


def saying_synthid(name: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A picture by a signer of that name, who says what Google says of its own."""
    monkeypatch.setattr(chaining, "_ORGANIZATION", name)
    action = {
        "action": "c2pa.created",
        "description": "Applied imperceptible SynthID watermark.",
        "digitalSourceType": f"{VOCABULARY}trainedAlgorithmicMedia",
    }
    said = {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [action]}}
    return raw({"assertions": [said]}, by=signer_of(make_chain()))


def test_googles_mark_is_told_as_googles_word_also_of_what_was_made_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = saying_synthid("Google LLC", monkeypatch)
    found = report(theirs)
    assert (found.verdict, ("signed_synthid", "claim") in codes(found)) == (Verdict.SAYS_AI, True)
    ours = report(turned(theirs).data)
    assert (ours.verdict, ("signed_synthid", "claim") in codes(ours)) == (Verdict.OURS_PROVEN, True)
    words = (
        "Only a claim: “Google LLC” says that its invisible mark (SynthID) was put into it, or into what it was "
        "made from."
    )
    assert words in found.words
    assert words in ours.words


def test_googles_mark_is_not_told_on_anothers_word_nor_of_a_changed_file(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = saying_synthid("Google LLC", monkeypatch)
    changed = flipped(theirs, len(theirs) - 5000)
    others = saying_synthid("Camera works", monkeypatch)
    for told_by in (others, changed, turned(changed).data, carelessly_turned(changed)):
        assert "signed_synthid" not in [code for code, _ in codes(report(told_by))]


def test_a_stranger_with_a_chain_like_ours_is_not_us() -> None:
    foreign = turned(photo(), signer_of(make_chain())).data
    made = report(foreign)
    assert made.verdict is Verdict.SAYS_AI
    assert codes(made)[:2] == [("intact", "claim"), ("signed_ai", "claim")]
    assert "“Remixbot development”, whom I don't know" in made.words


def test_under_the_certificate_that_we_sign_with_a_signature_is_a_strong_sign(tmp_path: Path) -> None:
    made = make_chain()
    write_chain(made, tmp_path)
    certificate = tmp_path / "certificates.pem"
    signed = turned(photo(), signer_from_files(certificate, tmp_path / "key.pem")).data
    found = report(signed, trust_from_files(str(certificate), tmp_path / "elsewhere"))
    assert (found.verdict, found.lines[0].code) == (Verdict.OURS_LIKELY, "known")
    assert "as I sign" in found.words
    assert report(signed, Trust(known=Anchors(made.root.decode()), name="Somebody")).verdict is Verdict.SAYS_AI


def test_roots_of_this_installation_are_its_own_and_earlier_ones_as_well(tmp_path: Path) -> None:
    first, second = make_chain(), make_chain()
    write_chain(first, tmp_path / "credentials")
    write_chain(second, tmp_path / "credentials", replace=True)
    trust = trust_from_files("", tmp_path)
    for each in (first, second):
        assert report(turned(photo(), signer_of(each)).data, trust).verdict is Verdict.OURS_PROVEN


def test_a_signature_without_ai_says_who_and_no_more() -> None:
    claim = {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"}]}}  # fmt: skip  # noqa: E501
    signed = raw({"claim_generator_info": [{"name": "Camera", "version": "1"}], "assertions": [claim]})
    made = report(signed, Trust())
    assert (made.verdict, codes(made)) == (Verdict.SIGNED, [("intact", "claim"), ("signed_no_ai", "claim")])


@pytest.mark.parametrize(
    ("term", "verdict"),
    [
        ("trainedAlgorithmicMedia", Verdict.SAYS_AI),
        (AI_EDITED, Verdict.SAYS_AI),
        ("compositeSynthetic", Verdict.SAYS_AI),
        ("algorithmicallyEnhanced", Verdict.NOTHING),
        ("digitalCapture", Verdict.NOTHING),
        ("somethingNew", Verdict.NOTHING),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_source_in_anybodys_metadata_is_a_claim(kind: str, term: str, verdict: Verdict) -> None:
    made = report(photo_with_metadata(kind, term=term))
    assert (made.verdict, [strength for _, strength in codes(made)]) == (verdict, ["claim"])


def test_of_another_kind_of_file_its_beginning_is_searched_and_the_rest_said_to_be_unknown() -> None:
    made = report(photo_with_metadata("HEIF", term="trainedAlgorithmicMedia"))
    assert (made.verdict, codes(made)) == (Verdict.SAYS_AI, [("source_ai", "claim")])
    assert ("unread", "unknown") in codes(made, known=False)


def in_xmp(value: str) -> bytes:
    space = 'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'
    return xmp().replace(b"<photoshop:City>", f"<TC260:AIGC {space}>{value}</TC260:AIGC><photoshop:City>".encode())


def as_attribute(value: str) -> bytes:
    escaped = value.replace('"', "&quot;")
    return xmp().replace(b'rdf:about=""', f'rdf:about="" TC260:AIGC="{escaped}"'.encode())


def exif_text(tag: int, value: str | bytes) -> bytes:
    block = Image.Exif()
    if tag == 0x9286:
        block.get_ifd(0x8769)[tag] = value
    else:
        block[tag] = value
    return block.tobytes()


PNG = saved(image().resize((48, 32)), "PNG")
AIGC_FILES = {
    "xmp element, inner": with_xmp(photo(), in_xmp(json.dumps(INNER))),
    "xmp element, wrapped and escaped": with_xmp(PNG, in_xmp(WRAPPED.replace('"', "&quot;"))),
    "xmp attribute": with_xmp(photo(), as_attribute(WRAPPED)),
    "xmp in webp": with_xmp(saved(image().resize((48, 32)), "WEBP"), in_xmp(WRAPPED)),
    "png text": with_png_chunks(PNG, png_chunk(b"tEXt", b"AIGC\0" + json.dumps(INNER).encode())),
    "png packed text": with_png_chunks(PNG, png_chunk(b"zTXt", b"AIGC\0\0" + zlib.compress(WRAPPED.encode()))),
    "png packed international text": with_png_chunks(
        PNG, png_chunk(b"iTXt", b"AIGC\0\1\0en\0AIGC\0" + zlib.compress(WRAPPED.encode()))
    ),
    "png, wrapped twice": with_png_chunks(
        PNG, png_chunk(b"tEXt", b"AIGC\0" + json.dumps({"AIGC": json.dumps(INNER)}).encode())
    ),
    "exif description": saved(image().resize((48, 32)), "JPEG", exif=exif_text(0x010E, WRAPPED)),
    "exif comment": saved(image().resize((48, 32)), "JPEG", exif=exif_text(0x9286, b"ASCII\0\0\0" + WRAPPED.encode())),
    "exif comment, utf-16": saved(
        image().resize((48, 32)), "JPEG", exif=exif_text(0x9286, b"UNICODE\0" + WRAPPED.encode("utf-16-le"))
    ),
    "exif in webp": with_webp_chunks(
        saved(image().resize((48, 32)), "WEBP"), webp_chunk(b"EXIF", exif_text(0x010E, WRAPPED))
    ),
    "bare segment": with_jpeg_segments(photo(), jpeg_segment(b"\xe9", b"AIGC" + json.dumps(INNER).encode())),
}


@pytest.mark.parametrize("form", AIGC_FILES)
def test_the_aigc_field_is_found_in_every_form_that_is_met(form: str) -> None:
    found = told(AIGC_FILES[form]).metadata
    assert (found.aigc, found.aigc_by) == (Aigc.IS, "Doubao")
    made = report(AIGC_FILES[form])
    assert (made.verdict, codes(made)) == (Verdict.SAYS_AI, [("aigc", "claim")])


@pytest.mark.parametrize(
    "text",
    ["AIGC", "AIGC{", 'AIGC{"Label":', "AIGC[1]", 'AIGC{"Other":"1"}', "AIGC" + "[" * 5000, "AIGC" + '{"a":' * 3000,
     'AIGC{"AIGC":"{"}', 'AIGC{"AIGC":7}', "{" * 60_000 + "AIGC"],
)  # fmt: skip
def test_what_only_resembles_the_field_is_none(text: str) -> None:
    assert told(with_jpeg_segments(photo(), jpeg_segment(b"\xe9", text.encode()))).metadata.aigc is None


@pytest.mark.parametrize(
    ("chunk", "tool"),
    [
        (b"parameters\0a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler", "Stable Diffusion"),
        (b'prompt\0{"3": {"class_type": "KSampler"}}', "ComfyUI"),
        (b"Software\0NovelAI", "NovelAI"),
        (b"Description\0a cat --v 6 Job ID: 0f3e0f3e-aaaa-bbbb-cccc-0123456789ab", "Midjourney"),
        (b"Software\0Adobe Firefly 2", "Adobe Firefly"),
    ],
)
def test_marks_that_other_tools_leave_are_known(chunk: bytes, tool: str) -> None:
    made = report(with_png_chunks(PNG, png_chunk(b"tEXt", chunk)))
    assert (made.verdict, codes(made)) == (Verdict.SAYS_AI, [("tool", "claim")])
    assert f"“{tool}”" in made.words


def test_a_manifest_that_nobody_can_read_is_told_as_such() -> None:
    made = report(with_manifest(photo(), "trainedAlgorithmicMedia"))
    assert ("unreadable", "unknown") in codes(made, known=False)


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp"])
def test_no_address_in_a_file_is_asked(media_type: str) -> None:
    plain = photo() if media_type == JPEG else saved(image().resize((96, 64)), media_type[6:].upper())
    with counted() as (address, came):
        for embedded in (False, True):
            made = report(pointing(plain, media_type, address, embedded=embedded))
            assert made.lines[0].code == ("ours" if embedded else "remote")
        report(with_xmp(plain, xmp().replace(b'rdf:about=""', f'rdf:about="" dcterms:provenance="{address}"'.encode())))
    assert came == []


def test_names_in_a_file_come_out_short_on_one_line_and_without_tricks() -> None:
    named = xmp().replace(
        b"<photoshop:City>", f"<I:AISystemUsed>{BIDI}\n\n# head</I:AISystemUsed><photoshop:City>".encode()
    )
    by = {**INNER, "ContentProducer": BIDI}
    data = with_jpeg_segments(with_xmp(photo(), named), jpeg_segment(b"\xe9", b"AIGC" + json.dumps(by).encode()))
    found = told(data).metadata
    for name in (*found.systems, found.aigc_by):
        assert name.startswith("evil @everyone x")
        assert len(name) <= 80
        assert name.isprintable()


# --- hostile and odd files


def test_whatever_the_bytes_are_something_is_said_and_nothing_raised() -> None:
    odd = [
        b"",
        b"\xff\xd8",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\xff\xff\xff\xffWEBP",
        pdf(),
        animated("PNG"),
        bomb("PNG"),
        bomb("JPEG"),
    ]
    signed = turned(photo()).data
    draw = random.Random(7)
    for _ in range(150):
        at = draw.randrange(12_000)
        odd.append(signed[:at] + draw.randbytes(draw.randrange(1, 9)) + signed[at + draw.randrange(9) :])
    verdicts = {report(data).verdict for data in odd}
    assert Verdict.OURS_PROVEN not in verdicts


def test_a_huge_file_takes_no_longer_than_its_pieces() -> None:
    many = with_png_chunks(
        PNG, *[png_chunk(b"tEXt", b"AIGC" + b"{" * 60_000)] * 70, *[png_chunk(b"tEXt", b"a")] * 6_000
    )
    begun = time.process_time()
    assert report(many).verdict is Verdict.NOTHING
    assert report(heavy()).verdict is Verdict.NOTHING
    assert time.process_time() - begun < 3


def test_a_bomb_is_measured_by_its_head() -> None:
    assert told(bomb("PNG")).pixels == 2_500_000_000
    assert told(photo()).pixels == 240_000


# --- what is made of it


MATCH = Match(Likeness.MATCH, TURN)


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        (Known(Findings(), stands_here=True), Verdict.OURS_PROVEN),
        (Known(Findings(credentials=Credentials(Seal.ALTERED)), match=MATCH), Verdict.OURS_LIKELY),
        (Known(Findings(), match=Match(Likeness.POSSIBLE)), Verdict.OURS_POSSIBLE),
        (Known(Findings(credentials=Credentials(Seal.BROKEN)), match=NOTHING), Verdict.NOTHING),
        (Known(Findings(credentials=Credentials(Seal.KNOWN))), Verdict.SIGNED),
        (Known(Findings(metadata=Metadata(remembered=Provenance.AI_EDITED))), Verdict.SAYS_AI),
        (Known(None), Verdict.NOTHING),
    ],
)
def test_the_strongest_that_is_known_decides(known: Known, verdict: Verdict) -> None:
    assert verdict_of(known) is verdict


def test_a_match_tells_label_model_and_day_and_how_it_came_about_only_where_that_is_given() -> None:
    at = datetime(2026, 11, 21, 23, 59, tzinfo=UTC).timestamp()
    label = Label(Provenance.AI_EDITED, edited_by_ai=True, engines=("Gemini",))
    here = Made(label, at, "gemini-x", "From a picture by Anna")
    made = report_of(Known(Findings(), match=MATCH, matched=here))
    assert "AI-edited · Gemini (gemini-x), 2026-11-21. From a picture by Anna. This file is not the one" in made.words
    voting = report_of(Known(Findings(), match=MATCH, matched=Made(hides=True)))
    assert "told when the vote is over" in voting.words
    assert "gemini" not in voting.words.lower()


@pytest.mark.parametrize(
    ("likeness", "line"),
    [
        (Likeness.MATCH, "Strong sign: it looks just like a picture that I made. Edited, no AI, 2026-11-21."),
        (Likeness.POSSIBLE, "Weak sign: it looks much like a picture that I made. Edited, no AI, 2026-11-21."),
    ],
)
def test_of_a_file_that_we_signed_its_looks_say_no_more_than_they_know(likeness: Likeness, line: str) -> None:
    made = Made(Label(Provenance.UNKNOWN, edited_by_ai=False), datetime(2026, 11, 21, tzinfo=UTC).timestamp())
    ours = Findings(credentials=Credentials(Seal.OURS, "A"))
    said = report_of(Known(ours, match=Match(likeness, TURN), matched=made)).words
    assert f"\n• {line}\n" in said
    assert "not the one that I sent" not in said
    assert "looks" not in report_of(Known(ours, match=Match(likeness, TURN))).words


def test_nothing_that_is_said_calls_a_picture_real() -> None:
    seals = [None, *(Credentials(seal, "A", own, AT, AT, "t", ("g",), p, e, 2, 1, True)
             for seal in Seal for own in (True, False) for p in Provenance for e in Provenance)]  # fmt: skip
    everything = Metadata(("trainedAlgorithmicMedia", "digitalCapture"), ("S",), Aigc.MAY_BE, "P", ("T",))
    for seal in seals:
        for found in (Metadata(), everything):
            for gone in (None, *Gone):
                for match in (None, *(Match(likeness) for likeness in Likeness)):
                    said = report_of(
                        Known(Findings("image/png", 1, seal, found, False, gone), match=match)
                    ).words.lower()
                    assert not any(word in said for word in ("real", "authentic", "genuine", "true", "fake"))
                    assert "{" not in said
                    assert "not known: " in said


def test_several_pictures_are_numbered_and_what_is_not_known_is_said_once() -> None:
    first, second = report(turned(photo()).data), report(photo())
    said = words_of([first, second])
    assert said.startswith("Picture 1: I made this picture.\n• Proof:")
    assert "\n\nPicture 2: I found no marks." in said
    assert said.count("Not known:") == 1
    assert "I did not look at 3 more." in words_of([first, second], more=3)


def test_what_we_signed_says_on_which_day_it_was_made() -> None:
    dated = sign(photo(), JPEG, Deed("r-7", CREATED.steps, at=AT), [], signer()).data
    assert "Proof: I signed this file, and nobody changed it since. Made on 2026-01-02." in report(dated).words


def test_programs_are_told_the_same_in_stable_words() -> None:
    told_to = report(turned(photo()).data).as_dict
    assert told_to["verdict"] == "ours_proven"
    assert json.loads(json.dumps(told_to)) == told_to


# --- by its looks


class OneRow:
    """`bot.labels.ports.FingerprintIndex` that knows one picture, a result of ours."""

    def __init__(self, code: bytes) -> None:
        self.code = code

    async def nearest(self, codes: Sequence[bytes], *, radius_bits: int) -> Sequence[Near]:
        known = int.from_bytes(self.code, "big")
        bits = min((known ^ int.from_bytes(code, "big")).bit_count() for code in codes)
        return [Near(Kept(TURN, Kind.OURS), bits)] if bits <= radius_bits else []


async def test_what_looks_like_ours_is_found_in_whatever_file_it_comes_and_nothing_else() -> None:
    known = fingerprint_of(photo(), JPEG)
    assert known is not None
    looking = Looking(Recogniser(OneRow(known.trimmed)), PillowPictureReader())  # type: ignore[arg-type]
    anew = saved(image().resize((450, 300)), "WEBP", quality=70)
    screenshot = saved(ImageOps.expand(image(), border=40, fill="white"), "PNG")
    found = [await looking.look_up(data) for data in (photo(), anew, screenshot, photo("cat"), b"", pdf(), bomb("PNG"))]
    ours, nobodys = Match(Likeness.MATCH, TURN, 0), Match(Likeness.UNKNOWN)
    assert found == [ours] * 3 + [nobodys] * 4


def test_a_file_of_a_million_pieces_is_not_looked_through_for_long() -> None:
    whole = saved(image(), "PNG")
    head, rest = whole[:33], whole[33:]
    started_at = time.process_time()
    for piece in (png_chunk(b"teSt", b""), png_chunk(b"tEXt", b"AIGC\x00{")):
        said = findings_of(head + piece * 1_000_000 + rest, Trust())
        assert said.metadata.aigc is None
        assert said.credentials is None
    findings_of(b"\xff\xd8" + b"\xff" * 10_000_000, Trust())
    assert time.process_time() - started_at < 5
