"""An evening on Discord, from the gateway to the engine and back: what reaches the engine, and what people see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.discord import FakeDiscord, Message
from tests.fakes.engines import ScriptedTextModel
from tests.platforms.contract import CAT, CAT_PX, COFFEE, COFFEE_PX, ROCKET, ROCKET_PX, Where, Who
from tests.platforms.discord_rig import DiscordRig

SIZES = dict[str, list[tuple[int, int]]]


@pytest.fixture(params=[True, False], ids=["sees all", "sees what calls it"])
async def rig(redis_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[DiscordRig]:
    async with FakeDiscord(content_intent=request.param, rate_limits=False) as fake:
        rig = DiscordRig(redis_url, tmp_path, fake)
        rig.text_model = ScriptedTextModel(heard="put a hat on her")
        await rig.open()
        yield rig
        await rig.close()


def sizes_of(rig: DiscordRig) -> list[tuple[int, int]]:
    """What the engine was handed last."""
    return [(each.width_px, each.height_px) for each in rig.engine.requests[-1].images]


async def answer_to(rig: DiscordRig, message: Message) -> Message:
    """The answer to a message, with its picture."""

    def found() -> Message | None:
        ours = [each for each in message.channel.messages() if each.author.is_the_bot]
        return next((each for each in ours if each.reply_to == message.id and each.attachments), None)

    answer: Message = await rig.fake.until(found, within_s=15)
    return answer


async def test_a_reply_to_turn_3_of_20_brings_its_picture_and_its_own_story(rig: DiscordRig) -> None:
    anna, channel = rig.people[Who.ANNA], rig.chats[Where.HOME]
    said = await anna.says(channel, "put hat 1 on her", files=[("cat.jpg", CAT)], mentions=[rig.fake.bot])
    chain = [await answer_to(rig, said)]
    for number in range(2, 21):
        said = await anna.says(channel, f"put hat {number} on her", reply_to=chain[-1])
        chain.append(await answer_to(rig, said))
    twentieth = rig.engine.requests[-1]
    await answer_to(rig, await anna.says(channel, "and a red scarf", reply_to=chain[2]))
    branch = rig.engine.requests[-1]
    assert [line.instruction for line in branch.story.lines] == [f"put hat {n} on her" for n in (1, 2, 3)]
    assert (len(branch.images), len(branch.originals)) == (1, 0)  # the scripted engine gives the picture back as it is
    assert len(twentieth.story.lines) == 6
    assert twentieth.story.lines[-1].instruction == "put hat 19 on her"


async def test_an_album_of_three_is_one_turn_and_its_second_picture_can_be_named(rig: DiscordRig) -> None:
    anna, channel = rig.people[Who.ANNA], rig.chats[Where.HOME]
    files = [("1.jpg", CAT), ("2.jpg", COFFEE), ("3.jpg", ROCKET)]
    said = await anna.says(channel, "combine them nicely", files=files, mentions=[rig.fake.bot])
    await answer_to(rig, said)
    assert sizes_of(rig) == [CAT_PX, COFFEE_PX, ROCKET_PX]
    again = await anna.says(channel, "put a hat on the second", reply_to=said, mentions=[rig.fake.bot])
    await answer_to(rig, again)
    assert sizes_of(rig) == [COFFEE_PX]


async def test_a_forwarded_picture_is_worked_on(rig: DiscordRig) -> None:
    anna, here, there = rig.people[Who.ANNA], rig.chats[Where.HOME], rig.fake.dm(rig.people[Who.ANNA])
    own = await anna.says(here, "look", files=[("cat.jpg", CAT)])
    forwarded = await anna.forwards(own, to=there)
    asked = await rig.fake.until(lambda: [each for each in there.messages() if each.reply_to == forwarded.id])
    assert asked[0].author.is_the_bot
    await rig.fake.until(lambda: "What should I change?" in asked[0].content)
    await answer_to(rig, await anna.says(there, "put a hat on her", reply_to=asked[0]))
    assert sizes_of(rig) == [CAT_PX]


async def test_a_voice_message_is_heard_and_done(rig: DiscordRig) -> None:
    anna, dm = rig.people[Who.ANNA], rig.fake.dm(rig.people[Who.ANNA])
    first = await answer_to(rig, await anna.says(dm, "crop to a square", files=[("cat.jpg", CAT)]))
    spoken = await anna.says(dm, voice=b"OggS" + bytes(200), reply_to=first)
    answer = await answer_to(rig, spoken)
    assert "Heard: “put a hat on her”" in answer.content
    assert sizes_of(rig) == [(300, 300)]


async def test_an_edited_prompt_is_a_branch_and_an_unfolded_link_is_not(rig: DiscordRig) -> None:
    anna, channel = rig.people[Who.ANNA], rig.chats[Where.HOME]
    words = f"{rig.fake.bot.mention} put a hat on her https://example.org"
    said = await anna.says(channel, words, files=[("cat.jpg", CAT)])
    await answer_to(rig, said)
    await anna.unfurl(said)
    await anna.edits(said, words.replace("hat", "scarf"))
    await rig.fake.until(lambda: len(rig.engine.requests) == 2)
    await rig.fake.until(
        lambda: len([each for each in channel.messages() if each.reply_to == said.id and each.attachments]) == 2
    )
    assert [each.instruction.split()[2] for each in rig.engine.requests] == ["hat", "scarf"]


async def test_threads_and_forum_posts_are_chats_of_their_own(rig: DiscordRig) -> None:
    anna, channel = rig.people[Who.ANNA], rig.chats[Where.HOME]
    assert channel.guild is not None
    thread = channel.thread("hats")
    forum = channel.guild.channel("ideas", forum=True)
    for place in (thread, forum):
        said = await anna.says(place, "put a hat on her", files=[("cat.jpg", CAT)], mentions=[rig.fake.bot])
        answer = await answer_to(rig, said)
        assert answer.channel is said.channel
        await answer_to(rig, await anna.says(said.channel, "and a scarf", reply_to=answer))
    assert len(rig.engine.requests) == 4


async def test_a_hidden_picture_is_answered_by_a_hidden_one(rig: DiscordRig) -> None:
    anna, channel = rig.people[Who.ANNA], rig.chats[Where.HOME]
    said = await anna.says(channel, "put a hat on her", files=[("cat.jpg", CAT)], mentions=[rig.fake.bot], spoiler=True)
    first = await answer_to(rig, said)
    second = await answer_to(rig, await anna.says(channel, "crop to a square", reply_to=first))
    assert [each.attachments[0].filename.startswith("SPOILER_") for each in (first, second)] == [True, True]


async def test_only_adults_are_let_into_some_channels_and_the_engine_knows(rig: DiscordRig) -> None:
    anna, guild = rig.people[Who.ANNA], rig.chats[Where.HOME].guild
    assert guild is not None
    for name, nsfw in (("open", False), ("adults", True)):
        said = await anna.says(
            guild.channel(name, nsfw=nsfw), "put a hat on her", files=[("cat.jpg", CAT)], mentions=[rig.fake.bot]
        )
        await answer_to(rig, said)
        assert rig.engine.requests[-1].age_limited is nsfw


async def test_the_portrait_of_somebody_who_is_mentioned_waits_for_their_yes(rig: DiscordRig) -> None:
    anna, channel = rig.people[Who.ANNA], rig.chats[Where.HOME]
    carl = rig.fake.user("Carl", avatar=CAT)
    assert channel.guild is not None
    channel.guild.join(carl)
    said = await anna.says(channel, f"{rig.fake.bot.mention} put a hat on {carl.mention}")
    reply = await rig.fake.until(
        lambda: next((each for each in channel.messages() if each.reply_to == said.id and "may" in each.content), None)
    )
    (call,) = await rig.fake.until(lambda: [each for each in channel.messages() if each.reply_to == reply.id])
    assert [each.name for each in call.mentions] == ["Carl"]
    await (await carl.presses(reply, "Once")).response()
    await answer_to(rig, said)
    await rig.fake.until(lambda: call.deleted)
    assert sizes_of(rig) == [CAT_PX]


async def test_a_deleted_prompt_costs_nobody_the_result(rig: DiscordRig) -> None:
    anna, channel = rig.people[Who.ANNA], rig.chats[Where.HOME]
    rig.fake.latency_s = 0.05
    said = await anna.says(channel, "put a hat on her", files=[("cat.jpg", CAT)], mentions=[rig.fake.bot])
    await anna.deletes(said)
    await rig.fake.until(lambda: any(each.attachments for each in channel.messages() if each.author.is_the_bot))


async def test_a_channel_that_lost_its_permission_is_not_hammered_and_answered_when_it_is_back(
    rig: DiscordRig,
) -> None:
    from tests.fakes.discord import Permission

    anna, channel = rig.people[Who.ANNA], rig.chats[Where.HOME]
    channel.deny(rig.fake.bot, Permission.SEND_MESSAGES)
    said = await anna.says(channel, "put a hat on her", files=[("cat.jpg", CAT)], mentions=[rig.fake.bot])
    await rig.fake.until(lambda: rig.fake.invalid_requests)
    for _ in range(5):
        await rig.house.reconciler.look(grace_s=0)
    posts = [each for each in rig.fake.asked("POST", rf"/channels/{channel.id}/messages") if each.status == 403]
    assert len(posts) == 1
    channel.allow(rig.fake.bot, Permission.SEND_MESSAGES)
    await answer_to(rig, said)


async def test_whoever_waited_long_is_called_once_and_nobody_else(rig: DiscordRig) -> None:
    rig.settings = {"pointer_s": 0.001}
    await rig.restart()
    anna, channel = rig.people[Who.ANNA], rig.chats[Where.HOME]
    said = await anna.says(channel, "put a hat on her", files=[("cat.jpg", CAT)], mentions=[rig.fake.bot])
    answer = await answer_to(rig, said)
    (call,) = await rig.fake.until(lambda: [each for each in channel.messages() if each.reply_to == answer.id])
    assert [each.name for each in call.mentions] == ["Anna"]
    await rig.house.reconciler.look(grace_s=0)
    assert [each for each in channel.messages() if each.reply_to == answer.id] == [call]


async def test_a_reply_that_was_deleted_while_it_was_filled_is_let_go(rig: DiscordRig) -> None:
    anna, channel = rig.people[Who.ANNA], rig.chats[Where.HOME]
    rig.engine.script = [go_on := asyncio.Event()]
    said = await anna.says(channel, "put a hat on her", files=[("cat.jpg", CAT)], mentions=[rig.fake.bot])
    reply = await rig.fake.until(
        lambda: next((each for each in channel.messages() if each.reply_to == said.id and rig.engine.requests), None)
    )
    rig.fake.delete(reply)
    go_on.set()
    await rig.fake.until(lambda: rig.replies)
    await rig.house.reconciler.look(grace_s=0)
    assert await rig.house.turns.open_turns() == []
    assert len([each for each in rig.fake.requests if each.status == 404]) <= 1
