"""An evening on Telegram, from the update to the engine and back: what reaches the engine, and what people see."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from adapters.telegram.albums import ONE_OF_AN_ALBUM
from bot.domain.arena import ENDED, ONLY_WHO_ASKED, Choice, went_on_from, your_vote
from bot.domain.words import THIS_OR_ALL
from tests.fakes.engines import ScriptedTextModel
from tests.fakes.telegram import FakeTelegram, Message, Place
from tests.platforms.contract import CAT, CAT_PX, COFFEE, COFFEE_PX, ROCKET, ROCKET_PX, Where, Who
from tests.platforms.telegram_rig import TelegramRig, unpaced

TEN = [CAT, COFFEE, ROCKET, CAT, COFFEE, ROCKET, CAT, COFFEE, ROCKET, CAT]
TEN_PX = [CAT_PX, COFFEE_PX, ROCKET_PX, CAT_PX, COFFEE_PX, ROCKET_PX, CAT_PX, COFFEE_PX, ROCKET_PX, CAT_PX]


@pytest.fixture(params=["group"])
async def rig(
    redis_url: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TelegramRig]:
    unpaced(monkeypatch)
    topics = request.param == "topics"
    async with FakeTelegram(reads_all=topics, floods=False) as fake:
        rig = TelegramRig(redis_url, tmp_path, fake, topics=topics)
        rig.text_model = ScriptedTextModel(heard="put a hat on her")
        await rig.open()
        yield rig
        await rig.close()


IN_BOTH = pytest.mark.parametrize("rig", ["group", "topics"], indirect=True)


def webp(data: bytes) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(out, "WEBP")
    return out.getvalue()


def sizes_of(rig: TelegramRig) -> list[tuple[int, int]]:
    """What the engine was handed last."""
    return [(each.width_px, each.height_px) for each in rig.engine.requests[-1].images]


def ours(rig: TelegramRig, place: Place) -> list[Message]:
    return [each for each in place.messages() if each.author is rig.fake.bot]


async def answer_to(rig: TelegramRig, place: Place, *messages: Message) -> Message:
    """The answer to a message (or to whichever of an album's), with its picture."""
    ids = {each.id for each in messages}

    def found() -> Message | None:
        return next((each for each in ours(rig, place) if each.reply_to in ids and each.kind != "text"), None)

    answer: Message = await rig.fake.until(found, within_s=15)
    return answer


async def words_to(rig: TelegramRig, place: Place, message: Message, words: str) -> Message:
    """What is said below a message, once it has these words in it."""

    def found() -> Message | None:
        return next((e for e in ours(rig, place) if e.reply_to == message.id and words in e.words), None)

    answer: Message = await rig.fake.until(found, within_s=15)
    return answer


@IN_BOTH
async def test_a_reply_to_turn_3_of_20_brings_its_picture_and_its_own_story(rig: TelegramRig) -> None:
    anna, place = rig.people[Who.ANNA], rig.chats[Where.HOME]
    said = await anna.says(place, f"/edit@{rig.fake.bot.username} put hat 1 on her", photo=CAT)
    chain = [await answer_to(rig, place, said)]
    for number in range(2, 21):
        said = await anna.says(place, f"put hat {number} on her", reply_to=chain[-1])
        chain.append(await answer_to(rig, place, said))
    twentieth = rig.engine.requests[-1]
    await answer_to(rig, place, await anna.says(place, "and a red scarf", reply_to=chain[2]))
    branch = rig.engine.requests[-1]
    assert [line.instruction for line in branch.story.lines] == [f"put hat {n} on her" for n in (1, 2, 3)]
    assert len(branch.images) == 1
    assert len(twentieth.story.lines) == 6
    assert twentieth.story.lines[-1].instruction == "put hat 19 on her"


@IN_BOTH
async def test_an_album_of_ten_in_three_batches_and_wrong_order_is_one_turn_in_order(rig: TelegramRig) -> None:
    anna, place = rig.people[Who.ANNA], rig.chats[Where.HOME]
    if not rig.topics:
        rig.fake.promote(place.chat, rig.fake.bot)
    items = await anna.album(
        place,
        TEN,
        caption=f"/edit@{rig.fake.bot.username} combine them nicely",
        order=(4, 9, 0, 2, 1, 3, 8, 7, 5, 6),
        batches=(3, 5, 2),
        gap_s=0.2,
    )
    await answer_to(rig, place, *items)
    assert sizes_of(rig) == TEN_PX
    assert (len(rig.engine.requests), len(ours(rig, place))) == (1, 1)


async def test_where_telegram_hides_the_rest_of_an_album_it_is_said_once(rig: TelegramRig) -> None:
    anna, place = rig.people[Who.ANNA], rig.chats[Where.HOME]
    for _ in range(2):
        items = await anna.album(place, [CAT, COFFEE], caption=f"/edit@{rig.fake.bot.username} put hats on them")
        await answer_to(rig, place, *items)
        assert sizes_of(rig) == [CAT_PX]
    await rig.fake.until(lambda: not rig.fake.updates.pending)
    told = [each for each in ours(rig, place) if each.words == ONE_OF_AN_ALBUM]
    assert len(told) == 1


async def test_an_album_of_three_is_answered_within_a_second_and_a_half_of_its_last(rig: TelegramRig) -> None:
    home = rig.fake.private(rig.people[Who.ANNA])
    items = await rig.people[Who.ANNA].album(home, [CAT, COFFEE, ROCKET], caption="combine them nicely")
    last = time.monotonic()
    await answer_to(rig, home, *items)
    assert sizes_of(rig) == [CAT_PX, COFFEE_PX, ROCKET_PX]
    assert time.monotonic() - last < 5  # the figure itself is in docs/benchmarks.md


async def test_a_reply_to_one_picture_of_an_album_offers_that_one_or_all(rig: TelegramRig) -> None:
    anna, home = rig.people[Who.ANNA], rig.fake.private(rig.people[Who.ANNA])
    items = await anna.album(home, [CAT, COFFEE, ROCKET], caption="combine them nicely")
    await answer_to(rig, home, *items)
    second = sorted(items, key=lambda each: each.id)[1]
    said = await anna.says(home, "put a hat on her", reply_to=second)
    question = await words_to(rig, home, said, THIS_OR_ALL.format(count=3))
    await anna.presses(question, label="This one")
    await answer_to(rig, home, question)
    assert sizes_of(rig) == [COFFEE_PX]
    await anna.presses(question, label="All 3")
    await rig.fake.until(lambda: len(rig.engine.requests) == 3)
    assert sizes_of(rig) == [CAT_PX, COFFEE_PX, ROCKET_PX]


async def test_a_straggler_is_offered_to_be_done_with_all_and_never_a_turn_by_itself(rig: TelegramRig) -> None:
    anna, home = rig.people[Who.ANNA], rig.fake.private(rig.people[Who.ANNA])
    sending = asyncio.create_task(
        anna.album(home, [CAT, COFFEE, ROCKET], caption="combine them nicely", batches=(2, 1), gap_s=2.2)
    )
    first = await rig.fake.until(lambda: home.messages()[0] if home.messages() else None)
    await answer_to(rig, home, first)
    late = (await sending)[2]
    offer = await words_to(rig, home, late, "all of them")
    assert len(rig.engine.requests) == 1
    await anna.presses(offer, label="Redo with all 3")
    await rig.fake.until(lambda: len(rig.engine.requests) == 2)
    assert sizes_of(rig) == [CAT_PX, COFFEE_PX, ROCKET_PX]


async def test_words_alone_go_on_in_a_private_chat(rig: TelegramRig) -> None:
    anna, home = rig.people[Who.ANNA], rig.fake.private(rig.people[Who.ANNA])
    asked = await anna.says(home, photo=CAT)
    await words_to(rig, home, asked, "What should I change?")
    await answer_to(rig, home, await anna.says(home, "crop to a square"))
    await answer_to(rig, home, await anna.says(home, "put a hat on her"))
    assert sizes_of(rig) == [(300, 300)]


async def test_a_message_in_a_topic_is_no_reply_to_its_beginning(rig: TelegramRig) -> None:
    anna = rig.people[Who.ANNA]
    forum = rig.fake.supergroup("Club", *rig.people.values(), forum=True)
    topic = forum.topic("Pictures")
    said = await anna.says(topic, f"/edit@{rig.fake.bot.username} make it brighter")
    asked = await words_to(rig, topic, said, "Which picture")
    assert (asked.thread_id, ours(rig, forum)) == (topic.thread_id, [])
    general = await anna.says(forum, f"/edit@{rig.fake.bot.username} put a hat on her", photo=CAT)
    assert (await answer_to(rig, forum, general)).thread_id is None


async def test_a_voice_message_is_heard_and_done(rig: TelegramRig) -> None:
    anna, home = rig.people[Who.ANNA], rig.fake.private(rig.people[Who.ANNA])
    first = await answer_to(rig, home, await anna.says(home, "crop to a square", photo=CAT))
    answer = await answer_to(rig, home, await anna.says(home, voice=b"OggS" + bytes(200), reply_to=first))
    assert "Heard: “put a hat on her”" in answer.words
    assert sizes_of(rig) == [(300, 300)]


async def test_an_edited_prompt_is_a_branch_and_the_same_words_are_not(rig: TelegramRig) -> None:
    anna, home = rig.people[Who.ANNA], rig.fake.private(rig.people[Who.ANNA])
    said = await anna.says(home, "put a hat on her", photo=CAT)
    await answer_to(rig, home, said)
    await anna.edits(said, "put a hat on her")
    await anna.edits(said, "put a scarf on her")
    await rig.fake.until(lambda: len([e for e in ours(rig, home) if e.reply_to == said.id and e.kind != "text"]) == 2)
    assert [each.instruction.split()[2] for each in rig.engine.requests] == ["hat", "scarf"]


async def test_stickers_documents_and_heic_are_pictures(rig: TelegramRig) -> None:
    anna, home = rig.people[Who.ANNA], rig.fake.private(rig.people[Who.ANNA])
    sticker = await anna.says(home, sticker=webp(CAT))
    await words_to(rig, home, sticker, "What should I change?")
    await answer_to(rig, home, await anna.says(home, "put a hat on her", reply_to=sticker))
    document = await anna.says(home, "put a hat on her", document=("IMG_1.JPG", COFFEE))
    await answer_to(rig, home, document)
    assert [[(i.width_px, i.height_px) for i in each.images] for each in rig.engine.requests] == [[CAT_PX], [COFFEE_PX]]


async def test_a_hidden_picture_is_answered_by_a_hidden_one(rig: TelegramRig) -> None:
    anna, home = rig.people[Who.ANNA], rig.fake.private(rig.people[Who.ANNA])
    first = await answer_to(rig, home, await anna.says(home, "put a hat on her", photo=CAT, spoiler=True))
    second = await answer_to(rig, home, await anna.says(home, "crop to a square", reply_to=first))
    assert [first.spoiler, second.spoiler] == [True, True]


async def test_the_file_behind_the_button_is_the_labelled_one_byte_for_byte(rig: TelegramRig) -> None:
    anna, home = rig.people[Who.ANNA], rig.fake.private(rig.people[Who.ANNA])
    answer = await answer_to(rig, home, await anna.says(home, "put a hat on her", photo=CAT))
    await anna.presses(answer, label="File with credentials")
    file = await rig.fake.until(lambda: next((e for e in ours(rig, home) if e.kind == "document"), None))
    assert (file.data, file.reply_to) == (answer.data, answer.id)
    assert file.words.startswith("AI-edited · Gemini\n")
    assert b"compositeWithTrainedAlgorithmicMedia" in file.data


async def test_four_variations_come_as_one_album_and_each_can_be_gone_on_from(rig: TelegramRig) -> None:
    anna, home = rig.people[Who.ANNA], rig.fake.private(rig.people[Who.ANNA])
    said = await anna.says(home, "4 variations with a hat", photo=CAT)
    first = await answer_to(rig, home, said)
    others = await rig.fake.until(lambda: [e for e in ours(rig, home) if e.album] or None)
    assert [each.kind for each in others] == ["photo"] * 3
    await rig.fake.until(lambda: len([e for e in ours(rig, home) if e.kind == "photo"]) == 4)
    for each in (first, others[2]):
        await answer_to(rig, home, await anna.says(home, "crop to a square", reply_to=each))
    assert len(rig.engine.requests) == 4


async def test_whoever_waited_long_is_called_once_and_nobody_else(rig: TelegramRig) -> None:
    rig.settings = {"pointer_s": 0.001}
    await rig.restart()
    anna, place = rig.people[Who.ANNA], rig.chats[Where.HOME]
    said = await anna.says(place, f"/edit@{rig.fake.bot.username} put a hat on her", photo=CAT)
    answer = await answer_to(rig, place, said)
    (call,) = await rig.fake.until(lambda: [each for each in ours(rig, place) if each.reply_to == answer.id])
    assert [each.name for each in call.notified] == ["Anna"]
    await rig.house.reconciler.look(grace_s=0)
    assert [each for each in ours(rig, place) if each.reply_to == answer.id] == [call]


async def test_a_group_that_becomes_a_supergroup_gets_its_answer_there(rig: TelegramRig) -> None:
    anna = rig.people[Who.ANNA]
    group = rig.fake.group("Family", *rig.people.values())
    rig.engine.script = [go_on := asyncio.Event()]
    await anna.says(group, f"/edit@{rig.fake.bot.username} put a hat on her", photo=CAT)
    await rig.fake.until(lambda: rig.engine.requests)
    larger = rig.fake.migrate(group)
    go_on.set()
    answer = await rig.fake.until(lambda: next((e for e in ours(rig, larger) if e.kind == "photo"), None))
    await answer_to(rig, larger, await anna.says(larger, "crop to a square", reply_to=answer))
    async with asyncio.timeout(10):
        while await rig.house.turns.open_turns():
            await asyncio.sleep(0.02)


async def test_a_bot_that_is_thrown_out_stops_and_says_nothing_more(rig: TelegramRig) -> None:
    anna, place = rig.people[Who.ANNA], rig.fake.supergroup("Out", *rig.people.values())
    rig.engine.script = [go_on := asyncio.Event()]
    await anna.says(place, f"/edit@{rig.fake.bot.username} put a hat on her", photo=CAT)
    await rig.fake.until(lambda: rig.engine.requests)
    rig.fake.kick_bot(place)
    go_on.set()
    await rig.fake.until(lambda: not rig.fake.updates.pending)
    for _ in range(3):
        await rig.house.reconciler.look(grace_s=0)
    refused = [each for each in rig.fake.requests if each.status == 403]
    assert len(refused) <= 2


async def test_an_arena_is_two_photos_with_keys_to_vote_and_a_reply_means_the_winner(rig: TelegramRig) -> None:
    anna, ben, place = rig.people[Who.ANNA], rig.people[Who.BEN], rig.chats[Where.HOME]
    said = await anna.says(place, f"/arena@{rig.fake.bot.username} put a hat on her / put a scarf on her", photo=CAT)
    shown = await answer_to(rig, place, said)
    await rig.fake.until(lambda: any(label == "Both bad" for row in shown.keyboard for label, _ in row), within_s=15)
    press = await ben.presses(shown, "B")
    await rig.fake.until(lambda: press.words == your_vote(Choice.B), within_s=15)
    await rig.fake.until(lambda: "1 person has voted." in shown.words, within_s=15)
    for person, words in ((ben, ONLY_WHO_ASKED), (anna, ENDED)):
        ending = await person.presses(shown, "End the vote")
        await rig.fake.until(lambda: ending.words == words, within_s=15)  # noqa: B023 awaited within the round
    await rig.fake.until(lambda: "B won" in shown.words, within_s=15)
    assert "Both bad" not in [label for row in shown.keyboard for label, _ in row]
    went_on = await answer_to(rig, place, await anna.says(place, "and make it night", reply_to=shown))
    assert went_on_from(Choice.B) in went_on.words
    winner = "scarf" if "B was “put a scarf on her”" in shown.words else "hat"
    assert [line.instruction for line in rig.engine.requests[-1].story.lines] == [f"put a {winner} on her"]
