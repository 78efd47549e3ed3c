"""Files that are signed, and what can be read of files that come from anywhere."""

from __future__ import annotations

import io
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.domain.containers import png_chunk_is_sound, png_pieces
from bot.domain.digital_source import VOCABULARY
from bot.domain.images import Picture, Provenance
from bot.domain.labels import Label
from bot.domain.verifying import Seal
from bot.labels.credentials import read as reading
from bot.labels.credentials.chain import make_chain
from bot.labels.credentials.library import Anchors, Attachment, TooSlow, within
from bot.labels.credentials.manifest import Deed, Ingredient, LeftOut, Named, Relation, Step, Verb, manifest_json
from bot.labels.credentials.read import Action, CannotRead, Credentials, Source, State, read
from bot.labels.credentials.reasons import Reason
from bot.labels.credentials.sign import sign
from bot.labels.credentials.store import manifest_store
from bot.labels.metadata import label_file
from bot.labels.signing import Finish
from bot.labels.verify import Trust, findings_of
from tests.credentials import (
    AI_EDITED,
    CREATED,
    EDITED,
    JPEG,
    anchors,
    carelessly_turned,
    chain,
    counted,
    flipped,
    parent,
    pointing,
    raw,
    short_lived,
    signer,
    signer_of,
    turned,
)
from tests.fakes.time_stamps import make_authority, served
from tests.pictures import image, photo, saved

MEDIA_TYPES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


def told(data: bytes, trusted: Anchors | None = None) -> Credentials:
    found = read(data, anchors() if trusted is None else trusted)
    assert found is not None
    return found


def sources(data: bytes) -> list[Source]:
    return list(told(data).sources)


def labelled(media_type: str) -> bytes:
    """A small photograph with our XMP in it."""
    pixels = image().resize((96, 64))
    data = saved(pixels, MEDIA_TYPES[media_type])
    label = Label(Provenance.AI_EDITED, edited_by_ai=True, engines=("Gemini",))
    return label_file(Picture(data, media_type, 96, 64), label)


# --- signing


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_a_signed_file_is_trusted_and_else_unchanged(media_type: str) -> None:
    before = labelled(media_type)
    signed = sign(before, media_type, EDITED, [parent(before, media_type)], signer())
    found = told(signed.data)
    assert (found.state, found.reasons, signed.timestamped, signed.left_out) == (State.TRUSTED, (), False, ())
    first, second = Image.open(io.BytesIO(before)), Image.open(io.BytesIO(signed.data))
    assert np.array_equal(np.asarray(first), np.asarray(second))
    assert first.info["xmp"] == second.info["xmp"]
    assert len(signed.data) - len(before) < 12_000


def test_the_actions_are_the_signers_own_and_what_was_opened_has_no_source_type() -> None:
    deed = Deed("r-7", EDITED.steps, at=datetime(2026, 1, 2, tzinfo=UTC), soft_binding="ISCC:EEA4GQZQ")
    found = told(sign(photo(), JPEG, deed, [parent(photo())], signer()).data).manifest
    assert found is not None
    assert found.actions == (
        Action("c2pa.opened", "", "", datetime(2026, 1, 2, tzinfo=UTC), attributed=True),
        Action("c2pa.edited", AI_EDITED, "Gemini", datetime(2026, 1, 2, tzinfo=UTC), attributed=True),
    )
    assert (found.signer, found.generator, found.title) == ("Remixbot development", "remixbot", "r-7")
    assert found.soft_bindings == (("io.iscc.v0", "ISCC:EEA4GQZQ"),)
    assert found.signed_at is None


def test_a_manifest_takes_the_place_of_an_earlier_one_in_a_png_and_nothing_else_moves() -> None:
    before = saved(image(), "PNG")
    once = sign(before, "image/png", CREATED, [], signer()).data
    again = sign(once, "image/png", EDITED, [parent(once, "image/png")], signer()).data
    for made in (once, again):
        (chunk,) = [each for each in png_pieces(made) if each.kind == b"caBX"]
        assert made[: chunk.start] + made[chunk.end :] == before
        assert png_chunk_is_sound(made, chunk)
    assert told(again).state is State.TRUSTED


def test_who_does_not_know_us_reads_it_as_intact_by_an_unknown_signer() -> None:
    found = told(turned(photo()).data, Anchors())
    assert (found.state, found.reasons) == (State.VALID, (Reason.UNKNOWN_SIGNER,))


def test_ten_turns_read_back_as_a_chain_and_each_adds_about_the_same() -> None:
    sizes, data = [], photo()
    for _ in range(10):
        signed = turned(data)
        assert signed.left_out == ()
        data = signed.data
        sizes.append(len(data) - len(photo()))
    manifests, at = [], told(data).manifest
    while at is not None:
        manifests.append(at.title)
        at = at.ingredients[0].manifest
    assert manifests == ["r-1"] * 10
    growths = [after - before for before, after in itertools.pairwise(sizes)]
    assert max(growths) < 6_500
    assert [source.reasons for source in sources(data)] == [()] * 10


def test_a_chain_that_has_grown_too_long_begins_anew_and_says_so() -> None:
    data = turned(turned(photo()).data).data
    signed = turned(data, max_carried_bytes=9_000)
    assert signed.left_out == (("parent", LeftOut.TOO_LARGE),)
    assert len(signed.data) - len(photo()) < 4_500
    assert [source.left_out for source in sources(signed.data)] == [LeftOut.TOO_LARGE]
    assert told(signed.data).state is State.TRUSTED


def test_parts_and_inputs_come_along_beside_the_parent() -> None:
    steps = (
        Step(Verb.OPENED, ingredients=("parent",)),
        Step(Verb.EDITED, AI_EDITED, "Gemini", ("shown",)),
        Step(Verb.PLACED, ingredients=("part",)),
    )
    made = turned(photo()).data
    others = [
        parent(made),
        Ingredient("shown", "reference", JPEG, photo("cat"), Relation.INPUT),
        Ingredient("part", "sticker", "image/png", labelled("image/png"), Relation.PART),
    ]
    found = told(sign(photo(), JPEG, Deed("r-2", steps), others, signer()).data).manifest
    assert found is not None
    relations = {(source.relation, source.manifest is not None) for source in found.ingredients}
    assert relations == {("parentOf", True), ("inputTo", False), ("componentOf", False)}


def test_two_files_are_signed_at_once() -> None:
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda _: turned(photo()).data, range(8)))
    assert {told(data).state for data in made} == {State.TRUSTED}


# --- what is altered afterwards, or was before


def test_one_bit_in_the_pixels_or_the_claim_and_bytes_after_the_end_are_seen() -> None:
    data = turned(photo()).data
    store_at = data.index(b"claim_generator")
    for changed in (flipped(data, len(data) - 500), flipped(data, store_at + 30), data + b"more"):
        found = told(changed)
        assert (found.state, Reason.ALTERED in found.reasons) == (State.INVALID, True)


def test_a_picture_that_was_saved_anew_has_no_credentials() -> None:
    data = turned(photo()).data
    assert read(saved(Image.open(io.BytesIO(data)), "JPEG"), anchors()) is None
    assert read(photo(), anchors()) is None


def test_a_parent_that_was_altered_does_not_come_along_as_if_it_were_sound() -> None:
    altered = flipped(turned(photo()).data, -500)
    garbled = turned(photo()).data.replace(b"jumdc2cl", b"jumdXXXX")
    assert turned(altered).left_out == (("parent", LeftOut.ALTERED),)
    assert turned(garbled).left_out[0][1] in (LeftOut.ALTERED, LeftOut.UNREADABLE)
    (source,) = sources(turned(altered).data)
    assert (source.left_out, source.manifest) == (LeftOut.ALTERED, None)


def test_a_parent_that_breaks_the_rules_of_the_standard_is_no_altered_one() -> None:
    lawless = raw({"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [{"action": "c2pa.created"}]}}]})
    assert (told(lawless).state, told(lawless).reasons) == (State.INVALID, (Reason.MALFORMED,))
    assert turned(lawless).left_out == (("parent", LeftOut.INVALID),)


def test_an_altered_parent_that_others_carry_along_is_named() -> None:
    careless = carelessly_turned(flipped(turned(photo()).data, -500))
    assert told(careless).state is State.TRUSTED
    assert sources(careless)[0].reasons == (Reason.ALTERED,)
    assert [source.reasons for source in sources(turned(careless).data)][:2] == [(), (Reason.ALTERED,)]


def test_what_is_no_picture_at_all_goes_in_without_credentials() -> None:
    assert told(turned(b"nonsense" * 99).data).state is State.TRUSTED


# --- places and names


def shot() -> bytes:
    """A picture whose camera says where it was, and its owner who he is."""
    place = {"@context": {"exif": "http://ns.adobe.com/exif/1.0/"}, "exif:GPSLatitude": "52,30.99N"}
    author = {"@context": "https://schema.org", "@type": "CreativeWork", "author": [{"name": "Jane"}]}
    shooting = {"action": "c2pa.created", "digitalSourceType": f"{VOCABULARY}digitalCapture"}
    manifest: dict[str, Any] = {
        "claim_generator_info": [{"name": "camera"}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [shooting]}},
            {"label": "c2pa.metadata", "data": place, "kind": "Json"},
            {"label": "stds.schema-org.CreativeWork", "data": author, "kind": "Json"},
        ],
    }
    return raw(manifest)


def test_places_and_names_in_a_parents_credentials_do_not_travel_on() -> None:
    assert b"52,30.99N" in shot()
    first = turned(shot())
    second = turned(first.data)
    for made in (first, second):
        assert (told(made.data).state, made.left_out) == (State.TRUSTED, ())
        assert b"52,30.99N" not in made.data
        assert b"Jane" not in made.data
    assert [source.reasons for source in sources(second.data)] == [(), ()]
    assert "camera" in {source.manifest.generator for source in sources(second.data) if source.manifest}


def test_an_original_that_comes_again_beside_its_own_edit_leaves_the_edits_credentials_whole() -> None:
    original = shot()
    steps = (*EDITED.steps[:1], Step(Verb.EDITED, AI_EDITED, "Gemini", ("shown",)))
    again = Ingredient("shown", "reference", JPEG, original, Relation.INPUT)
    made = sign(photo(), JPEG, Deed("r", steps), [again, parent(turned(original).data)], signer())
    assert made.left_out == (("shown", LeftOut.CLASH),)
    assert (told(made.data).state, b"52,30.99N" in made.data) == (State.TRUSTED, False)
    assert sum(source.manifest is not None for source in sources(made.data)) == 2


def test_credentials_that_name_who_did_it_are_left_out() -> None:
    action = {
        "action": "c2pa.created",
        "actors": [{"credentials": []}],
        "digitalSourceType": f"{VOCABULARY}digitalCapture",
    }
    signed = raw({"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}]})
    made = turned(signed)
    assert "actors" in str(manifest_store(signed))
    assert "actors" not in str(manifest_store(made.data))


# --- time


def test_a_time_stamp_keeps_a_file_trusted_after_its_certificate_has_ended() -> None:
    made, authority = short_lived(1.6), make_authority()
    known = Anchors(made.root.decode(), authority.root.decode())
    with served(authority) as address:
        stamped = turned(photo(), signer_of(made, timestamp_url=address))
    bare = turned(photo(), signer_of(made))
    while datetime.now(UTC) < made.expires_at + timedelta(seconds=1):
        threading.Event().wait(0.05)
    late, early = told(bare.data, known), told(stamped.data, known)
    assert (stamped.timestamped, bare.timestamped) == (True, False)
    assert (late.state, late.reasons) == (State.INVALID, (Reason.EXPIRED,))
    assert (early.state, early.reasons) == (State.TRUSTED, ())
    assert early.manifest is not None
    assert early.manifest.signed_at is not None
    seals = [findings_of(each.data, Trust(known)).credentials for each in (bare, stamped)]
    assert [each.seal for each in seals if each is not None] == [Seal.EXPIRED, Seal.OURS]
    assert turned(bare.data).left_out == ()  # expired is not altered


@pytest.mark.parametrize("silent", [False, True])
def test_an_authority_that_is_down_or_silent_is_done_without_and_then_left_alone(silent: bool) -> None:
    authority, speaks = make_authority(), threading.Event()
    authority.down, authority.silent = not silent, speaks if silent else None
    with served(authority) as address:
        signing = signer_of(chain(), timestamp_url=address, timestamp_s=0.2)
        first = turned(photo(), signing)
        authority.down, authority.silent = False, None
        second = turned(photo(), signing)
        speaks.set()
    assert (first.timestamped, second.timestamped) == (False, False)
    assert told(second.data).state is State.TRUSTED


# --- strangers' files


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_no_request_leaves_for_what_a_file_points_to(media_type: str) -> None:
    before = labelled(media_type)
    with counted() as (address, came):
        elsewhere = pointing(before, media_type, address, embedded=False)
        both = pointing(before, media_type, address, embedded=True)
        assert (told(elsewhere).state, told(both).state) == (State.REMOTE, State.TRUSTED)
        for stranger in (elsewhere, both):
            made = sign(stranger, media_type, EDITED, [parent(stranger, media_type)], signer())
            assert told(made.data).state is State.TRUSTED
        assert came == []


def test_texts_of_strangers_come_out_short_and_without_tricks() -> None:
    nasty = "a\u202eb\x07c\n<@1>" + "x" * 500
    manifest = {
        "claim_generator_info": [{"name": nasty}],
        "title": nasty,
        "assertions": [
            {"label": "c2pa.actions", "data": {"actions": [{"action": "c2pa.created", "softwareAgent": nasty}]}}
        ],
    }
    found = told(raw(manifest)).manifest
    assert found is not None
    texts = [found.title, found.generator, *(action.agent for action in found.actions)]
    assert {text[:8] for text in texts if text} == {"abc<@1>x"}
    assert {len(text) for text in texts} == {120}


def test_depth_and_number_of_ingredients_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = photo()
    for _ in range(5):
        data = turned(data).data
    monkeypatch.setattr(reading, "MAX_DEPTH", 3)
    assert (len(sources(data)), told(data).cut) == (3, True)
    monkeypatch.setattr(reading, "MAX_INGREDIENTS", 2)
    assert (len(sources(data)), told(data).cut) == (2, True)


def test_a_file_with_two_ways_to_each_ancestor_is_read_in_no_time() -> None:
    steps = (Step(Verb.OPENED, ingredients=("parent",)), Step(Verb.EDITED, AI_EDITED, ingredients=("again",)))
    data = photo()
    for _ in range(8):
        named = [
            Named(label, "source", JPEG, relation, carried=True)
            for label, relation in (("parent", Relation.PARENT), ("again", Relation.INPUT))
        ]
        attached = tuple(Attachment(each.definition, JPEG, data) for each in named)
        data = raw(manifest_json(Deed("r", steps), JPEG, named), attached)
    found = told(data)
    assert (found.state, found.cut, len(list(found.sources))) == (State.TRUSTED, True, 200)


@pytest.mark.parametrize("data", [b"", b"GIF89a" + b"\0" * 99, b"\x89PNG\r\n\x1a\n", photo()[:300], b"\xff\xd8\xff"])
def test_of_what_is_no_whole_picture_nothing_is_said(data: bytes) -> None:
    with pytest.raises(CannotRead):
        read(data, anchors())


def test_work_that_takes_too_long_is_given_up() -> None:
    never = threading.Event()
    with pytest.raises(TooSlow):
        within(0.01, never.wait)
    never.set()


def test_a_store_in_many_segments_of_a_jpeg_is_one() -> None:
    data = photo()
    for _ in range(13):
        data = turned(data).data
    store = manifest_store(data)
    assert len(store) == int.from_bytes(store[:4], "big") > 65_536


def test_a_store_that_is_too_large_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_STORE_BYTES", 1_000)
    assert told(turned(photo()).data) == Credentials(State.UNREADABLE)
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 1_000)
    with pytest.raises(CannotRead):
        read(photo(), anchors())


SMALL = sign(labelled("image/png"), "image/png", CREATED, [], signer()).data
STORE_AT = SMALL.index(b"caBX")


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(STORE_AT, STORE_AT + 3_000),
    value=st.binary(min_size=1, max_size=12),
    cut=st.integers(0, 40),
)
def test_a_garbled_store_is_never_trusted_with_anything_else_than_what_was_signed(
    at: int, value: bytes, cut: int
) -> None:
    changed = SMALL[:at] + value + SMALL[at + cut :]
    try:
        found = read(changed, anchors())
    except CannotRead:
        return
    # Paddings and lengths of boxes are signed by nobody, and mean nothing.
    assert found is None or found.state is not State.TRUSTED or found == told(SMALL)


def test_another_chain_of_the_same_name_is_not_ours() -> None:
    assert told(turned(photo(), signer_of(make_chain())).data).state is State.VALID


SECRET = "Xanthippe"
OPENED_WITH_CAMERA = {"action": "c2pa.created", "digitalSourceType": f"{VOCABULARY}digitalCapture"}


@pytest.mark.parametrize(
    "said",
    [
        {"title": f"{SECRET}.jpg"},
        {"assertions": [{"label": "org.example.note", "data": {"by": SECRET}}]},
        {"action": {"description": SECRET}},
        {"action": {"parameters": {"prompt": SECRET}}},
        {"ingredients": [{"title": SECRET, "format": JPEG, "relationship": "inputTo"}]},
    ],
)
def test_free_texts_in_the_credentials_of_strangers_do_not_travel_on(said: dict[str, Any]) -> None:
    action = {"label": "c2pa.actions.v2", "data": {"actions": [OPENED_WITH_CAMERA | said.pop("action", {})]}}
    told = {"title": "DSC_0001.jpg", **said, "assertions": [action, *said.get("assertions", [])]}
    theirs = raw(told)
    assert SECRET.encode() in theirs
    ours = sign(photo("cat"), JPEG, EDITED, [parent(theirs)], signer()).data
    assert SECRET.encode() not in ours
    assert read(ours, anchors()) is not None


GOOGLES = {"action": "c2pa.edited", "digitalSourceType": f"{VOCABULARY}trainedAlgorithmicMedia"}


def test_what_google_writes_beside_each_of_its_pictures_travels_on_and_its_mark_is_told_of() -> None:
    notes = ["Created by Google Generative AI.", "Applied imperceptible SynthID watermark.", "Converted to .png"]
    actions = [OPENED_WITH_CAMERA, *({**GOOGLES, "description": each} for each in notes)]
    inputs = [{"description": "Input ingredient 0", "format": JPEG, "relationship": "inputTo"}]
    theirs = raw({"ingredients": inputs, "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}]})
    ours = sign(photo("cat"), JPEG, EDITED, [parent(theirs)], signer())
    assert ours.left_out == ()
    (source, *_) = told(ours.data).sources
    assert source.manifest is not None
    assert [each.has_synthid for each in source.manifest.actions] == [False, False, True, False]


def test_what_somebody_sent_is_signed_without_asking_for_a_stamp() -> None:
    authority, theirs = make_authority(), turned(photo()).data
    with served(authority) as address:
        finish = Finish(signer_of(chain(), timestamp_url=address), stamps=True)
        opened = finish.opened(Picture(photo(), JPEG, 451, 300, original=theirs))
    assert (authority.asked, told(opened).state) == (0, State.TRUSTED)
    assert len(list(told(opened).sources)) >= 1
