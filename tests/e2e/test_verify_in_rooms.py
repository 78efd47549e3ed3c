"""Asking where a picture comes from: who hears what, and that nothing of it is kept."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from redis.asyncio import Redis

from bot.domain.images import Picture
from bot.domain.messages import Received
from bot.domain.refs import TurnId, sha256_of
from bot.domain.turns import TurnState
from bot.domain.verifying import ASKS_FOR_PICTURE, TOO_OFTEN, Findings, Likeness, Match, Verdict
from bot.engines.exact import ExactEngine
from bot.labels.credentials.chain import write_chain
from bot.ports import EngineAnswer
from bot.verifying import LOOKING_S, MOST
from tests.credentials import chain, turned
from tests.fakes.engines import ScriptedEngine
from tests.pictures import bomb, photo, saved
from tests.rig import CAT, COFFEE, Rig, living_in
from tests.values import ANNA, BEN, CHAT

ELSEWHERE = replace(CHAT, chat="elsewhere")


@dataclass
class Eyes:
    """Knows pictures by their bytes."""

    known: dict[bytes, Match] = field(default_factory=dict)

    async def look_up(self, data: bytes) -> Match | None:
        return self.known.get(data, Match(Likeness.UNKNOWN))


@pytest.fixture
def gemini() -> ScriptedEngine:
    return ScriptedEngine(models=("model-a", "model-b"))


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path, gemini: ScriptedEngine) -> AsyncIterator[Rig]:
    (tmp_path / "credentials").mkdir()
    write_chain(chain(), tmp_path / "credentials")
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine(), "gemini": gemini}, max_image_mb=2) as rig:
        yield rig


@pytest.fixture
def eyes(rig: Rig) -> Eyes:
    eyes = Eyes()
    rig.house.verifying.recognition = eyes
    return eyes


async def words(rig: Rig, received: Received) -> str:
    status = await rig.sees(received)
    assert status.outcome is not None
    return status.outcome.words


async def grown(rig: Rig) -> Received:
    """Anna's cat, drawn anew by AI, which Ben then crops."""
    first = await rig.says("make it night", [CAT])
    await rig.sees(first)
    second = await rig.says("crop to a square", reply_to=first, author=BEN)
    await rig.sees(second)
    return second


async def file_of(rig: Rig, received: Received) -> bytes:
    """As it stands in the chat."""
    status = await rig.sees(received)
    assert status.outcome is not None
    capabilities = await rig.house.platforms["web"].capabilities(CHAT)
    shown = await rig.house.reception.file(received.reply, capabilities)
    return await rig.house.images.get(shown.image.sha256)


def stripped(file: bytes) -> bytes:
    """Saved anew, as platforms do."""
    return saved(Image.open(BytesIO(file)), "PNG")


async def kept(rig: Rig, redis_url: str) -> tuple[set[str], str, list[str]]:
    """The pixels, everything in Redis, and what lies in the spool."""
    pixels = {path.name for path in (rig.house.settings.data / "pictures").rglob("*") if path.is_file()}
    client = Redis.from_url(redis_url)
    dumped = [str(key) + str(await client.dump(key)) async for key in client.scan_iter(count=500)]
    await client.aclose()
    return pixels, "\n".join(dumped), [handle async for handle, _ in rig.house.spool.list()]


# --- results of ours


async def test_of_a_result_in_its_own_chat_it_is_proven_who_made_it_from_what(rig: Rig) -> None:
    result = await grown(rig)
    said = await words(rig, await rig.says("/verify", reply_to=result, author=BEN))
    assert said.startswith("I made this picture.\n• Proof: I posted it here myself. AI-edited · Gemini")
    assert "From a picture by Anna; then Anna: “make it night”; then Ben: “crop to a square”." in said
    assert "Only a claim: its metadata says that AI changed it." in said


async def test_elsewhere_a_result_of_ours_tells_of_nobody_and_of_no_chat(rig: Rig, eyes: Eyes) -> None:
    result = await grown(rig)
    file = stripped(await file_of(rig, result))
    eyes.known[file] = Match(Likeness.MATCH, result.turn, 0)
    here = await words(rig, await rig.says("/verify", [file], author=BEN))
    there = await words(rig, await rig.says("/verify", [file], author=BEN, chat=ELSEWHERE))
    page = await rig.house.verifying.check(file)
    assert "From a picture by Anna; then Anna: “make it night”" in here
    for said in (there, page.words):
        assert "I very likely made this picture." in said
        assert "AI-edited · Gemini" in said
        for secret in ("Anna", "Ben", "night", "crop", result.turn, CHAT.chat):
            assert secret not in said
    assert page.verdict is Verdict.OURS_LIKELY
    signed = await file_of(rig, result)
    eyes.known[signed] = Match(Likeness.MATCH, result.turn, 0)
    said = await words(rig, await rig.says("/verify", [signed]))
    assert said.startswith("I made this picture.\n• Proof: I signed this file")
    assert "From a picture by Anna; then Anna: “make it night”" in said


async def test_where_the_labelled_file_still_stands_is_said_in_its_own_chat_alone(rig: Rig, eyes: Eyes) -> None:
    result = await grown(rig)
    file = stripped(await file_of(rig, result))
    eyes.known[file] = Match(Likeness.MATCH, result.turn, 0)
    anew = "This file is not the one that I sent: it was saved anew or changed since."
    here = await words(rig, await rig.says("/verify", [file], author=BEN))
    assert f"{anew} My own message here still has the labelled file." in here
    there = await words(rig, await rig.says("/verify", [file], author=BEN, chat=ELSEWHERE))
    for said in (there, (await rig.house.verifying.check(file)).words):
        assert anew in said
        assert "My own message" not in said
    await rig.house.reception.delete(result.reply, by=BEN, moderates=False)
    assert "My own message" not in await words(rig, await rig.says("/verify", [file], author=BEN))


async def test_of_a_result_that_was_deleted_nothing_is_told(rig: Rig, eyes: Eyes) -> None:
    result = await grown(rig)
    file = stripped(await file_of(rig, result))
    eyes.known[file] = Match(Likeness.POSSIBLE, result.turn)
    await rig.house.reception.delete(result.reply, by=BEN, moderates=False)
    said = await words(rig, await rig.says("/verify", [file]))
    assert "Weak sign: it looks much like a picture that I made.\n" in said
    eyes.known[file] = Match(Likeness.POSSIBLE, TurnId("aaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb"))
    assert await words(rig, await rig.says("/verify", [file])) == said


async def test_while_people_vote_nobody_learns_which_model_it_was(rig: Rig, gemini: ScriptedEngine, eyes: Eyes) -> None:
    for _ in range(2):
        gemini.answers.append(EngineAnswer((Picture(photo(), "image/jpeg", 600, 400),)))
    arena = await rig.says("/arena make it night", [CAT])
    first, _ = await rig.sees_all(arena)
    said = await words(rig, await rig.says("/verify", reply_to=arena, index=0))
    assert "Which model made it is told when the vote is over." in said
    eyes.known[COFFEE] = Match(Likeness.MATCH, first.turn.id)
    said += await words(rig, await rig.says("/verify", [COFFEE]))
    assert "model-" not in said
    assert "Gemini" not in said


async def test_who_is_forgotten_is_gone_from_what_was_told(rig: Rig) -> None:
    asked = await rig.says("/verify", reply_to=await grown(rig), author=BEN)
    assert "Anna" in await words(rig, asked)
    await rig.house.reception.forget(ANNA)
    status = await rig.house.turns.load(asked.turn)
    assert status is None or "Anna" not in str(status)


async def test_a_file_that_we_signed_is_known_wherever_it_comes_from(rig: Rig) -> None:
    said = await words(rig, await rig.says("/verify", [turned(photo()).data], chat=ELSEWHERE))
    assert said.startswith("I made this picture.\n• Proof: I signed this file, and nobody changed it since.")


# --- what others sent


async def test_nobody_learns_that_a_picture_was_sent_by_somebody(rig: Rig, eyes: Eyes) -> None:
    await rig.sees(await rig.says("crop to a square", [CAT]))
    seen, unseen = [await words(rig, await rig.says("/verify", [each], author=BEN)) for each in (CAT, COFFEE)]
    assert seen == unseen
    assert seen.startswith("I found no marks.")


async def test_nothing_of_what_is_asked_about_is_kept(rig: Rig, redis_url: str, eyes: Eyes) -> None:
    await rig.sees(await rig.says("/verify", [CAT]))
    before, _, _ = await kept(rig, redis_url)
    signed = turned(photo()).data
    quoted = await rig.quotes(BEN, [signed])
    asked = [
        await rig.says("/verify", [signed]),
        await rig.says("/verify@remixbot please", [signed, COFFEE]),
        await rig.says("/verify", reply_to=quoted.ref, quoted=quoted),
    ]
    for each in asked:
        assert "I made this picture." in await words(rig, each)
    after, redis, spool = await kept(rig, redis_url)
    theirs = {each.handle for each in quoted.attachments}  # lies on the platform, where somebody else has put it
    assert (before, after - theirs, set(spool)) == (set(), set(), theirs)
    for data in (signed, COFFEE, CAT):
        assert sha256_of(data) not in redis
    record = await rig.house.reception._messages.find(quoted.ref)
    assert record is not None
    assert record.sources == ()


async def test_nothing_is_made_from_the_answer(rig: Rig) -> None:
    asked = await rig.says("/verify", [CAT])
    await rig.sees(asked)
    after = await rig.sees(await rig.says("crop to a square", reply_to=asked))
    assert after.state is not TurnState.DONE


async def test_a_picture_that_stands_on_the_page_is_looked_up_and_what_it_said_remembered(rig: Rig, eyes: Eyes) -> None:
    brought = await rig.message("crop to a square", [CAT], id_="cat")
    await rig.sees(await rig.house.hall.receive(brought))
    said = await words(rig, await rig.says("/verify", reply_to=brought.ref))
    assert "I take that out of pictures that people send." in said
    eyes.known[await rig.house.images.get(sha256_of(CAT))] = Match(Likeness.POSSIBLE)
    assert "looks much like" in await words(rig, await rig.says("/verify", reply_to=brought.ref))


async def test_a_photo_whose_file_the_platform_stripped_says_how_to_keep_it(rig: Rig) -> None:
    quoted = await rig.quotes(BEN, [CAT])
    stripped = replace(quoted, attachments=tuple(replace(each, stripped=True) for each in quoted.attachments))
    said = await words(rig, await rig.says("/verify", reply_to=quoted.ref, quoted=stripped))
    assert "photos lose that on the way here" in said
    assert "“File with credentials”" in said


# --- limits


async def test_what_cannot_be_looked_at_is_said_in_words(rig: Rig) -> None:
    large = CAT.ljust(2**21 + 1, b"\0")
    told = [await words(rig, await rig.says("/verify", files)) for files in ([], [large], [bomb("PNG")], [b""])]
    assert told == [
        ASKS_FOR_PICTURE,
        "That picture is too large for me. I can take up to 2 MB.",
        "That picture has too many pixels for me. I can take up to 64 million.",
        "That file is empty. Please send it once more.",
    ]


async def test_a_picture_on_which_the_eyes_fail_is_unknown_to_them_and_the_rest_is_told(rig: Rig) -> None:
    class Broken:
        async def look_up(self, data: bytes) -> Match | None:
            raise OSError("a decoder fell over")

    rig.house.verifying.recognition = Broken()
    assert (await rig.house.verifying.check(turned(photo()).data)).verdict is Verdict.OURS_PROVEN
    assert (await rig.house.verifying.check(CAT)).verdict is Verdict.NOTHING


async def test_a_file_that_takes_too_long_is_said_to_and_holds_up_nobody_else(rig: Rig) -> None:
    verifying, on = rig.house.verifying, threading.Event()
    read, verifying._looking_s = verifying._read, 0.02

    def slowly(data: bytes) -> Findings:
        on.wait(10)
        return read(data)

    verifying._read = slowly
    try:
        said = [await words(rig, await rig.says("/verify", [CAT])) for _ in range(3)]
        verifying._read, verifying._looking_s = read, LOOKING_S
        after = await verifying.check(turned(photo()).data)
    finally:
        on.set()
    for each in said:
        assert each.startswith("I found no marks.")
        assert "Not known: what the file says of itself: it took me too long to look through it." in each
        assert "it is not signed" not in each
    assert after.verdict is Verdict.OURS_PROVEN


async def test_who_asks_very_often_waits_a_minute_and_others_do_not(rig: Rig) -> None:
    message = await rig.message("/verify")
    for _ in range(MOST):
        rig.house.verifying._count(message.author)
    assert await words(rig, await rig.says("/verify", [CAT])) == TOO_OFTEN
    assert (await words(rig, await rig.says("/verify", [CAT], author=BEN))).startswith("I found no marks.")
