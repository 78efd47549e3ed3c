"""Credentials through the real house: what the file behind an answer says of how it came to be, and what not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.actions import Act
from bot.domain.chats import ChatSettings
from bot.domain.consent import Policy
from bot.domain.digital_source import has_c2pa
from bot.domain.images import Picture, picture_of
from bot.domain.messages import ChatCapabilities, Received
from bot.domain.refs import UserRef
from bot.engines.cleaning import cleaned
from bot.engines.exact import ExactEngine
from bot.engines.formats import Format
from bot.labels.credentials.chain import make_chain, write_chain
from bot.labels.credentials.manifest import Deed, Step, Verb
from bot.labels.credentials.read import Credentials, Manifest, State, read
from bot.labels.credentials.sign import sign
from bot.labels.metadata import label_file
from bot.labels.verify import read_digital_source_type
from bot.ports import Engine
from bot.sharing import remix_id_of
from tests.credentials import AI_EDITED, CREATED, anchors, chain, flipped, signer
from tests.e2e.stages import staged
from tests.fakes.engines import ScriptedEngine
from tests.fakes.time_stamps import make_authority, served
from tests.pictures import GPS_SECRET, exif, image, saved
from tests.platforms.contract import Who
from tests.rig import CAT, COFFEE, Rig, living_in
from tests.values import ANNA, BEN, CHAT

CLARA = UserRef("web", "clara")
PEOPLE = (ANNA, BEN, CLARA)
WISH = "paint everything in moonlight, says Xanthippe"
AT = "https://remix.example"
ELSEWHERE = replace(CHAT, chat="elsewhere")
ENHANCED = "algorithmicallyEnhanced"


@asynccontextmanager
async def signing(
    redis_url: str, data: Path, gemini: ScriptedEngine | None = None, **settings: Any
) -> AsyncGenerator[Rig]:
    """A house that found a chain in its data folder, and where everybody may go on from everything."""
    if not (data / "credentials").exists():
        write_chain(chain(), data / "credentials")
    exact, model = ExactEngine(), gemini or ScriptedEngine()
    engines: dict[str, Engine] = {"exact": exact, "gemini": model}
    async with living_in(redis_url, data, engines, **settings) as rig:
        await rig.house.reception.change_chat(CHAT, ChatSettings(consent=Policy.ALL))
        yield rig


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with signing(redis_url, tmp_path) as rig:
        yield rig


async def made(rig: Rig, text: str, images: Sequence[bytes] = (), **fields: Any) -> Received:
    """An answer that stands there, with its picture."""
    received = await rig.says(text, images, **fields)
    assert (await rig.sees(received)).outcome is not None
    return received


async def file_of(rig: Rig, received: Received, index: int | None = None) -> bytes:
    """The file that whoever asks for it is given."""
    rendition = await rig.house.reception.file(received.reply, ChatCapabilities(), index=index)
    return await rig.house.images.get(rendition.image.sha256)


def told(data: bytes) -> Credentials:
    found = read(data, anchors())
    assert found is not None
    return found


def manifest_of(data: bytes) -> Manifest:
    found = told(data)
    assert (found.state, found.manifest is not None) == (State.TRUSTED, True)
    assert found.manifest is not None
    return found.manifest


def ancestry(data: bytes) -> list[Manifest]:
    """The manifests from the last one up, by the pictures that were edited."""
    found: list[Manifest] = []
    at: Manifest | None = manifest_of(data)
    while at is not None:
        found.append(at)
        at = next((each.manifest for each in at.ingredients if each.relation == "parentOf"), None)
    return found


def deeds(manifest: Manifest) -> list[tuple[str, str, str]]:
    return [(each.verb.removeprefix("c2pa."), each.source_type, each.agent) for each in manifest.actions]


def relations(manifest: Manifest) -> list[tuple[str, bool]]:
    """How each ingredient went in, and whether it has credentials itself."""
    return sorted((each.relation, each.manifest is not None) for each in manifest.ingredients)


BY_AI = [("opened", "", ""), ("edited", AI_EDITED, "gemini")]


async def test_ten_turns_by_three_people_read_back_as_a_chain_that_names_none_of_them(rig: Rig) -> None:
    at = await made(rig, WISH, [CAT])
    for number in range(1, 10):
        at = await made(rig, f"{WISH} {number}", reply_to=at, author=PEOPLE[number % 3])
    data = await file_of(rig, at)
    chain_ = ancestry(data)
    assert [deeds(each) for each in chain_] == [BY_AI] * 10
    assert [relations(each) for each in chain_] == [[("parentOf", True)]] * 9 + [[("parentOf", False)]]
    assert len({each.title for each in chain_}) == 10
    assert not [source for source in told(data).sources if source.reasons or source.left_out]
    assert len(data) - len(CAT) < 100_000
    for secret in (b"moonlight", b"Xanthippe", *(each.user.encode() for each in PEOPLE), b"Anna", b"Ben", b"Clara"):
        assert secret not in data


async def test_exact_edits_stand_in_the_chain_and_never_weaken_the_label(rig: Rig) -> None:
    bare = await made(rig, "crop to a square", [CAT])
    painted = await made(rig, WISH, reply_to=bare)
    turned = await made(rig, "rotate 90 degrees", reply_to=painted)
    data = await file_of(rig, turned)
    assert [deeds(each) for each in ancestry(data)] == [
        [("opened", "", ""), ("edited", AI_EDITED, "")],
        BY_AI,
        [("opened", "", ""), ("edited", ENHANCED, "")],
    ]
    assert read_digital_source_type(data) == AI_EDITED


async def test_what_was_made_from_words_says_that_it_was_created(redis_url: str, tmp_path: Path) -> None:
    drawn = Picture(CAT, "image/jpeg", 451, 300)
    async with signing(redis_url, tmp_path, ScriptedEngine(drawn=drawn)) as rig:
        data = await file_of(rig, await made(rig, "/imagine a cat by the sea"))
    assert deeds(manifest_of(data)) == [("created", "trainedAlgorithmicMedia", "gemini")]
    assert manifest_of(data).ingredients == ()


async def test_of_several_pictures_the_one_to_edit_is_the_parent_and_the_others_were_shown(rig: Rig) -> None:
    result = await made(rig, WISH, [COFFEE])
    mixed = await made(rig, "put the cat of picture 2 into picture 1", [COFFEE, CAT], reply_to=result)
    status = await rig.sees(mixed)
    assert status.outcome is not None
    found = manifest_of(await file_of(rig, mixed))
    assert sorted(each.relation for each in found.ingredients) == sorted(
        "parentOf" if each.purpose == "canvas" else "inputTo" for each in status.turn.inputs
    )
    assert len(found.ingredients) == len(status.turn.inputs) > 1


async def test_each_picture_of_an_album_has_credentials_of_its_own_from_the_same_parent(rig: Rig) -> None:
    at = await made(rig, WISH, [CAT])
    album = await rig.presses(Act.VARIATIONS, at, "4")
    statuses = await rig.sees_all(album)
    files = [await file_of(rig, album, index) for index in range(len(statuses))]
    assert len(statuses) == 4
    assert len({manifest_of(each).title for each in files}) == 4
    first = ancestry(await file_of(rig, at))
    assert [ancestry(each)[1:] for each in files] == [ancestry(files[0])[1:]] * 4
    assert [len(ancestry(each)) for each in files] == [len(first)] * 4  # of what the first was made from, too


async def test_two_who_go_on_from_one_picture_share_its_credentials_and_a_step_back_shows_its_file(
    rig: Rig,
) -> None:
    first = await made(rig, WISH, [CAT])
    one, two = await made(rig, "more of it", reply_to=first), await made(rig, "less of it", reply_to=first, author=BEN)
    ours, theirs = await file_of(rig, one), await file_of(rig, two)
    assert ancestry(ours)[1].title == ancestry(theirs)[1].title == manifest_of(await file_of(rig, first)).title
    assert manifest_of(ours).title != manifest_of(theirs).title
    back = await rig.presses(Act.UNDO, one)
    await rig.sees(back)
    assert [each["sha256"] for each in await rig.images_of(back.reply)] == [
        each["sha256"] for each in await rig.images_of(first.reply)
    ]


async def test_what_stands_below_an_erased_turn_stays_valid_and_goes_on(rig: Rig) -> None:
    first = await made(rig, WISH, [CAT])
    middle = await made(rig, "crop to a square", reply_to=first, author=BEN)
    last = await made(rig, "rotate 90 degrees", reply_to=middle, author=CLARA)
    before = await file_of(rig, last)
    assert await rig.house.erasure.erase(middle.turn)
    assert await file_of(rig, last) == before
    assert len(ancestry(before)) == 3
    anew = await rig.house.reception.file(last.reply, ChatCapabilities(media_types=("image/webp",)))
    found = told(await rig.house.images.get(anew.image.sha256))
    assert found.manifest is not None
    assert (found.state, relations(found.manifest)) == (State.TRUSTED, [("parentOf", False)])
    assert len(ancestry(await file_of(rig, await made(rig, "in the fog", reply_to=last)))) == 4


async def test_without_a_signer_files_are_as_they_were(redis_url: str, tmp_path: Path) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": ScriptedEngine()}
    async with living_in(redis_url, tmp_path, engines) as rig:
        made_ = await rig.sees(await rig.says(WISH, [CAT]))
        assert made_.outcome is not None
        (master,), label = made_.outcome.images, made_.outcome.label
        shown = await rig.images_of(made_.turn.reply)
        data = await rig.house.images.get(shown[0]["sha256"])
        picture = picture_of(master, await rig.house.images.get(master.sha256))
    assert data == label_file(picture, label)
    assert not has_c2pa(data)


async def test_a_certificate_that_has_expired_is_said_at_the_start_and_nothing_else_changes(
    redis_url: str, tmp_path: Path
) -> None:
    write_chain(make_chain(now=datetime(2020, 1, 1, tzinfo=UTC)), tmp_path / "credentials")
    with capture_logs() as logs:
        async with signing(redis_url, tmp_path) as rig:
            data = await file_of(rig, await made(rig, WISH, [CAT]))
    said = [each["why"] for each in logs if each["event"] == "nothing is signed"]
    assert ["expired on 2020-12-31" in each for each in said] == [True]
    assert (has_c2pa(data), read_digital_source_type(data)) == (False, AI_EDITED)


async def test_an_authority_that_is_down_costs_the_time_stamp_and_nothing_else(redis_url: str, tmp_path: Path) -> None:
    authority = make_authority()
    with served(authority) as address, capture_logs() as logs:
        async with signing(redis_url, tmp_path, credentials_timestamp_url=address) as rig:
            stamped = await made(rig, WISH, [CAT])
            at = manifest_of(await file_of(rig, stamped)).signed_at
            authority.down = True
            bare = [await made(rig, WISH, [COFFEE]), await made(rig, "in the rain", reply_to=stamped)]
            files = [await file_of(rig, each) for each in bare]
    assert at is not None
    assert [manifest_of(each).signed_at for each in files] == [None, None]
    assert [len(ancestry(each)) for each in files] == [1, 2]
    assert [each["event"] for each in logs if "stamp" in each["event"]] == ["a file is signed without a time stamp"]


async def test_credentials_that_a_model_puts_into_its_picture_go_along_whole(redis_url: str, tmp_path: Path) -> None:
    before = sign(CAT, "image/jpeg", CREATED, [], signer()).data
    theirs = Picture(before, "image/jpeg", 451, 300)
    async with signing(redis_url, tmp_path, ScriptedEngine(result=theirs)) as rig:
        first = await made(rig, WISH, [CAT])
        data = await file_of(rig, first)
        again = await file_of(rig, await made(rig, "in the rain", reply_to=first))
    assert [(deeds(each), relations(each)) for each in ancestry(data)] == [
        (BY_AI, [("inputTo", False), ("parentOf", True)]),
        ([("created", "trainedAlgorithmicMedia", "Gemini")], []),
    ]
    assert relations(manifest_of(again)) == [("inputTo", True), ("parentOf", True)]
    assert not [each for each in told(again).sources if each.reasons or each.left_out]


async def test_a_picture_that_came_by_a_link_says_nothing_of_the_chat_it_came_from(
    redis_url: str, tmp_path: Path
) -> None:
    async with signing(redis_url, tmp_path, web_public_url=AT, web_hosts=("remix.example",)) as rig:
        at = await made(rig, "in the rain", reply_to=await made(rig, WISH, [CAT]))
        page = str((await rig.shown((await shared(rig, at)).reply))["text"]).partition(f"{AT}/s/")[2].split()[0]
        start = await made(rig, f"/start remix_{remix_id_of(page)}", author=BEN, chat=ELSEWHERE)
        (shown,) = await rig.images_of(start.reply)
        passed_on = await rig.house.images.get(shown["sha256"])
        went_on = await file_of(rig, await made(rig, "in the snow", reply_to=start, author=BEN, chat=ELSEWHERE))
        there = [each.title.encode() for each in ancestry(await file_of(rig, at))]
    assert [deeds(each) for each in ancestry(passed_on)] == [BY_AI]
    assert [relations(each) for each in ancestry(went_on)] == [[("parentOf", False)]]
    assert len(there) == 2
    assert not [title for title in there if title in passed_on or title in went_on]


async def shared(rig: Rig, result: Received) -> Received:
    asked = await made(rig, "/share", reply_to=result)
    done = await rig.presses(Act.SHARE, asked, "unnamed")
    await rig.sees(done)
    return done


async def test_a_place_with_little_room_gets_a_lighter_picture_credentials_and_all(rig: Rig) -> None:
    at = await made(rig, "in the rain", reply_to=await made(rig, WISH, [CAT]))
    narrow = ChatCapabilities(max_file_bytes=len(CAT) + 2_000)
    small = await rig.house.reception.file(at.reply, narrow)
    data = await rig.house.images.get(small.image.sha256)
    assert len(data) <= len(CAT) + 2_000
    assert len(ancestry(data)) == 2
    least = await rig.house.reception.file(at.reply, ChatCapabilities(max_file_bytes=9_000))
    data = await rig.house.images.get(least.image.sha256)
    assert (len(data) <= 9_000, read_digital_source_type(data)) == (True, AI_EDITED)


@pytest.mark.parametrize("platform", ["web", "discord", "telegram"])
async def test_the_file_that_a_platform_hands_out_is_the_signed_one(
    platform: str, redis_url: str, tmp_path: Path
) -> None:
    write_chain(chain(), tmp_path / "credentials")
    async with staged(platform, redis_url, tmp_path) as stage:
        asked = await stage.says("paint it in moonlight", [CAT], by=Who.ANNA)
        assert asked is not None
        answer = await stage.waits_for(asked)
        again = await stage.says("rotate 90 degrees", reply_to=answer.post, by=Who.ANNA)
        assert again is not None
        turned = await stage.waits_for(again)
        data = await stage.takes_file(turned.post, by=Who.ANNA)
    assert [len(each.actions) for each in ancestry(data)] == [2, 2]
    assert b"moonlight" not in data


def came_with_credentials(deed: Deed = CREATED) -> bytes:
    """A camera's file, with a place in its metadata and credentials over all of it."""
    return sign(saved(image(), "JPEG", exif=exif()), "image/jpeg", deed, [], signer()).data


async def test_the_credentials_of_a_picture_that_somebody_sends_go_along_and_its_place_does_not(rig: Rig) -> None:
    sent = came_with_credentials(replace(CREATED, steps=(Step(Verb.CREATED, "digitalCapture", "Camera"),)))
    at = await made(rig, WISH, [sent])
    data = await file_of(rig, await made(rig, "rotate 90 degrees", reply_to=at))
    assert [deeds(each) for each in ancestry(data)][1:] == [
        BY_AI,
        [("opened", "", "")],
        [("created", "digitalCapture", "Camera")],
    ]
    assert not [each for each in told(data).sources if each.reasons or each.left_out]
    kept = [await rig.house.images.get(sha256) async for sha256, _ in rig.house.images.list()]
    assert GPS_SECRET in sent
    assert not [each for each in kept if GPS_SECRET in each]


async def test_a_picture_that_was_altered_since_keeps_its_label_and_loses_its_credentials(rig: Rig) -> None:
    sent = came_with_credentials()
    status = await rig.sees(await rig.says("crop to a square", [flipped(sent, len(sent) - 500)]))
    data = await file_of(rig, Received(status.turn.id, status.turn.reply))
    assert [each.image.credentials for each in status.turn.inputs if each.image] == [None]
    assert relations(manifest_of(data)) == [("parentOf", False)]
    assert read_digital_source_type(data) == "trainedAlgorithmicMedia"


async def test_two_who_send_the_same_picture_learn_nothing_of_each_other_and_all_goes_with_it(rig: Rig) -> None:
    sent = came_with_credentials()
    bare = cleaned(sent, Format.JPEG)
    assert bare is not None
    annas = await rig.sees(await rig.says("crop to a square", [sent]))
    bens = await made(rig, "crop to a square", [bare.data], author=BEN)
    assert len(ancestry(await file_of(rig, bens))) == 1
    assert [bool(each.image and each.image.credentials) for each in annas.turn.inputs] == [True]
    for person in (ANNA, BEN):
        await rig.house.forget(person)
    assert [sha256 async for sha256, _ in rig.house.images.list()] == []


async def test_no_two_signatures_are_alike_and_what_was_signed_twice_is_erased_twice(rig: Rig) -> None:
    at = await made(rig, "crop to a square", [CAT])
    small = ChatCapabilities(max_file_bytes=15_000)
    both = await asyncio.gather(*(rig.house.reception.file(at.reply, small) for _ in range(2)))
    assert len({each.image.sha256 for each in both}) == 2
    await rig.house.forget(ANNA)
    assert [sha256 async for sha256, _ in rig.house.images.list()] == []


async def test_the_files_of_an_arena_do_not_tell_which_model_made_them(redis_url: str, tmp_path: Path) -> None:
    models = ("model-one", "model-two")
    async with signing(redis_url, tmp_path, ScriptedEngine(models=models)) as rig:
        arena = await rig.says("/arena paint it in moonlight", [CAT])
        statuses = await rig.sees_all(arena)
        files = [await file_of(rig, arena, index) for index in range(2)]
    assert {each.turn.model for each in statuses} == set(models)
    assert [deeds(manifest_of(each))[1] for each in files] == [("edited", AI_EDITED, "Gemini")] * 2
    assert not [each for each in files if b"model-" in each]


async def test_credentials_go_with_who_sent_them_though_somebody_else_has_the_same_pixels(rig: Rig) -> None:
    sent = came_with_credentials()
    bare = cleaned(sent, Format.JPEG)
    assert bare is not None
    annas = await rig.sees(await rig.says("crop to a square", [sent]))
    await made(rig, "crop to a square", [bare.data], author=BEN, chat=ELSEWHERE)
    image = annas.turn.inputs[0].image
    assert image is not None
    assert image.credentials is not None
    await rig.house.images.get(image.credentials)
    await rig.house.forget(ANNA)
    await rig.house.images.get(image.sha256)
    with pytest.raises(KeyError):
        await rig.house.images.get(image.credentials)


async def test_a_marked_result_is_signed_once_in_the_language_of_who_asked(redis_url: str, tmp_path: Path) -> None:
    async with signing(redis_url, tmp_path, label_profile="visible") as rig:
        german = await made(rig, WISH, [CAT], language="de")
        files = [sha256 async for sha256, _ in rig.house.images.list()]
        await made(rig, WISH, reply_to=german, author=BEN, language="ja")
        later = [sha256 async for sha256, _ in rig.house.images.list()]
        # The photo, which the model gives back as it is, and one file for each result.
        assert (len(files), len(later)) == (2, 3)
