"""How a chat labels, through the real house: its own choice and the installation's, in what people see and get."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.domain.chats import ChatSettings
from bot.domain.images import Picture
from bot.domain.labels import Profile
from bot.domain.messages import ChatCapabilities
from bot.engines.exact import ExactEngine
from bot.engines.pixels import decode, to_picture
from bot.labels.metadata import aigc_of
from bot.ports import Engine
from tests import pictures
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, Rig, living_in
from tests.values import CHAT


def drawn() -> Picture:
    return to_picture(pictures.image("coffee").resize((400, 300)), media_type="image/png")


async def shown(rig: Rig, words: str) -> tuple[bytes, bytes, bool]:
    """The master of an edit by AI, the file that its chat is shown, and whether that has a mark."""
    received = await rig.says(words, [CAT])
    status = await rig.sees(received)
    assert status.outcome is not None
    master = await rig.house.images.get(status.outcome.images[0].sha256)
    (image,) = await rig.images_of(received.reply)
    file = await rig.house.images.get(image["sha256"])
    before, after = (np.asarray(decode(each), np.int16)[:30, :60] for each in (master, file))
    return master, file, bool(np.abs(before - after).max() > 60)


async def test_a_mark_is_drawn_where_a_chat_asked_for_it_and_never_into_what_is_edited_next(
    redis_url: str, tmp_path: Path
) -> None:
    gemini = ScriptedEngine(result=drawn())
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine(), "gemini": gemini}) as rig:
        assert not (await shown(rig, "make it a painting"))[2]
        told = await rig.sees(await rig.says("/settings label visible"))
        assert told.outcome is not None
        assert "by a mark in the picture" in told.outcome.words
        received = await rig.says("make it a drawing", [CAT])
        first = await rig.sees(received)
        assert (await shown(rig, "make it a drawing"))[2]
        await rig.sees(await rig.says("and now a film", reply_to=received))
        assert first.outcome is not None
        assert gemini.requests[-1].images[0].data == drawn().data
        file = await rig.house.reception.file(received.reply, ChatCapabilities(max_images=1))
        assert file.image.sha256 != first.outcome.images[0].sha256
        await rig.sees(await rig.says("/settings mark off"))
        assert not (await shown(rig, "make it a sketch"))[2]
        await rig.sees(await rig.says("/settings label cn"))
        told = await rig.sees(await rig.says("/settings mark off"))
        assert told.outcome is not None
        assert "belongs to China's rules" in told.outcome.words
        own, _ = await rig.house.reception.settings(CHAT, None)
        assert own.profile is Profile.CN


@pytest.mark.parametrize(("installation", "asked"), [(Profile.CN, "default"), (Profile.VISIBLE, "eu")])
async def test_a_chat_cannot_label_less_than_its_installation(
    redis_url: str, tmp_path: Path, installation: Profile, asked: str
) -> None:
    machines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": ScriptedEngine(result=drawn())}
    async with living_in(
        redis_url, tmp_path, machines, label_profile=installation, label_producer="example-host"
    ) as rig:
        await rig.sees(await rig.says(f"/settings label {asked}"))
        _, file, is_marked = await shown(rig, "make it a painting")
        field = aigc_of(file)
        assert is_marked
        assert (field.producer if field else "") == ("example-host" if installation is Profile.CN else "")
        own, _ = await rig.house.reception.settings(CHAT, None)
        assert own.profile is installation
        told = await rig.sees(await rig.says("/settings mark off"))
        assert (rig.house.reception.marks_always, told.outcome is not None) == (True, True)
        assert told.outcome is not None
        assert "whoever runs me" in told.outcome.words
        await rig.house.reception.change_chat(CHAT, ChatSettings(questions=False, profile=own.profile))
        kept, _ = await rig.house.reception.settings(CHAT, None)
        assert (kept.profile, kept.questions) == (installation, False)


@pytest.mark.parametrize(
    ("profile", "words"), [(Profile.CN, "AI编辑生成 · AI-edited · Gemini"), (Profile.EU, "AI-modified · Gemini")]
)
async def test_a_label_is_said_in_the_words_of_the_chats_profile(
    redis_url: str, tmp_path: Path, profile: Profile, words: str
) -> None:
    machines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": ScriptedEngine(result=drawn())}
    async with living_in(redis_url, tmp_path, machines) as rig:
        await rig.sees(await rig.says(f"/settings label {profile}"))
        received = await rig.says("make it a painting", [CAT])
        status = await rig.sees(received)
        answer = await rig.house.reception.answer_of(status.turn.id)
        assert answer is not None
        assert answer.lines[0] == answer.images[0].label == words
        assert answer.images[0].alt == f"Picture. {words}."
        assert words in await rig.house.reception.info(received.reply)
