"""On Telegram everybody is spoken to in the language of their app. German has every sentence in brackets here, and
English is as it is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.telegram import album_reading
from adapters.telegram import albums as albums_module
from adapters.telegram.access import CHAT_DENIED
from adapters.telegram.albums import LATE_WORDS
from adapters.telegram.examples import EXAMPLES, TRY_IT, WELCOME
from adapters.telegram.fetch import Fetcher
from adapters.telegram.inbound import Snag, file_handle
from adapters.telegram.menu import menus
from adapters.telegram.refs import message_ref, server_ref
from adapters.telegram.render import ON_ITS_WAY, keyboard
from bot.domain.access import Access
from bot.domain.actions import Act, Control
from bot.domain.buttons import Verb
from bot.domain.chats import ServerSettings
from bot.domain.commands import HELP
from bot.domain.errors import BadPicture
from bot.domain.language import speaking, spoken
from bot.domain.messages import Answer, Attachment, Credit
from bot.domain.refs import MessageRef, TurnId
from bot.domain.refs import Person as Somebody
from bot.domain.turns import TurnState
from bot.domain.words import FORGET_ASKS, SAVED
from tests.fakes.discord_rooms import RENDITION
from tests.fakes.telegram import FakeTelegram, Message, Person
from tests.pictures import photo
from tests.platforms.contract import Where, Who
from tests.platforms.telegram_doors import Scene, a_scene
from tests.platforms.telegram_rig import TelegramRig, unpaced
from tests.platforms.telegram_stage import Stage, key, open_stage
from tests.pseudo import Marked, spoken_as

TURN = TurnId("aaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb")


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    with spoken_as("de", Marked()):
        yield


@pytest.fixture
async def stage(redis_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(redis_url, tmp_path) as made:
        made.anna.language, made.ben.language = "de-AT", "en"
        yield made


@pytest.fixture
async def scene(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(albums_module, "LOOK_EVERY_S", 0.1)
    monkeypatch.setattr(album_reading, "QUIET_S", 0.2)
    monkeypatch.setattr(album_reading, "LONE_S", 0.2)
    async with a_scene(redis_url, floods=False, reads_all=True) as found:
        yield found
        assert found.fake.faults() == []


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TelegramRig]:
    unpaced(monkeypatch)
    async with FakeTelegram(floods=False) as fake:
        made = TelegramRig(redis_url, tmp_path, fake)
        await made.open()
        yield made
        await made.close()


@pytest.fixture
def clara(scene: Scene) -> Person:
    return scene.fake.user("Clara", language="de")


def marked(words: str) -> str:
    return f"⟦{words}⟧"


def is_german(text: str) -> bool:
    """Every line of it."""
    return all(line.startswith(("⟦", "✓ ⟦")) or line.endswith("⟧") for line in text.splitlines())


async def result(stage: Stage) -> tuple[Answer, Message]:
    """A result that Anna asked for in a group, as it stands there."""
    about = {"credit": Credit(Somebody(stage.user(stage.anna), "Anna")), "controls": (Control(Act.AGAIN, "⟦Again⟧"),)}
    answer = Answer(TurnState.DONE, ("⟦AI-edited⟧",), (RENDITION,), TURN, language="de", **about)  # type: ignore[arg-type]
    stage.rooms.answers[TURN] = answer
    with speaking("de"):
        keys = keyboard(answer)
    return answer, await stage.posts(stage.group(), *keys, shows=TURN)


# --- commands


async def test_start_speaks_the_language_of_whoever_says_it(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, "/start")
    _, welcome, coffee = chat.messages()
    assert (welcome.words, coffee.words) == (marked(WELCOME), marked(TRY_IT))
    assert coffee.labels == [marked(each) for each in EXAMPLES]


async def test_help_is_in_the_language_and_still_one_message_of_a_group(stage: Stage) -> None:
    group = stage.group()
    await stage.says(stage.anna, group, "/help@remix_test_bot")
    _, said = group.messages()
    assert said.words == "\n".join(marked(each) for each in HELP)


async def test_an_example_that_is_tapped_is_said_as_it_is_read(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, "/start")
    await stage.presses_key(stage.anna, chat.last(), marked(EXAMPLES[0]))
    (message,) = stage.rooms.received
    assert (message.text, message.language) == (marked(EXAMPLES[0]), "de-AT")


async def test_forgetting_is_asked_in_their_language_and_teaches_nothing_about_them(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, "/forget")
    asks = chat.last()
    assert (asks.words, asks.labels) == (marked(FORGET_ASKS), ["⟦Erase everything⟧", "⟦Keep it⟧"])
    await stage.presses_key(stage.anna, asks, "⟦Erase everything⟧")
    assert stage.rooms.languages == []


# --- keys


async def test_a_press_is_answered_in_the_language_of_whoever_presses(stage: Stage) -> None:
    _, shown = await result(stage)
    words = [
        (await stage.presses_key(each, shown, data="rb:vote:-:nonsense")).words for each in (stage.anna, stage.ben)
    ]
    assert words[0] == marked(words[1])
    assert stage.rooms.languages == [(stage.user(stage.anna), "de-AT"), (stage.user(stage.ben), "en")]


async def test_more_keys_under_an_answer_are_in_its_language_whoever_asks_for_them(stage: Stage) -> None:
    _, shown = await result(stage)
    assert all(is_german(label) for label in shown.labels)
    await stage.presses_key(stage.ben, shown, "⟦More…⟧")
    assert "⟦Delete⟧" in shown.labels
    assert all(is_german(label) for label in shown.labels)


async def test_what_is_asked_before_deleting_is_in_the_language_of_whoever_deletes(stage: Stage) -> None:
    answer, shown = await result(stage)
    stage.anna.language = "en"
    await stage.presses_key(stage.anna, shown, data="rb:delete:-:")
    assert shown.labels == ["Delete for everybody", "Keep"]
    await stage.presses_key(stage.anna, shown, "Keep")
    with speaking("de"):
        assert shown.labels == [each.label for row in keyboard(answer) for each in row]


async def test_an_answer_that_is_sent_again_stays_in_its_language(stage: Stage) -> None:
    heard: list[str] = []

    async def send_again(_reply: MessageRef, _answer: Answer) -> None:
        heard.append(spoken())

    stage.left.send_again = send_again  # type: ignore[method-assign, assignment]
    _, shown = await result(stage)
    press = await stage.presses_key(stage.ben, shown, data=f"rb:rest:-:{TURN}")
    assert (heard, press.words) == (["de"], ON_ITS_WAY)


async def test_the_settings_are_drawn_anew_for_whoever_presses(stage: Stage) -> None:
    group = stage.group()
    await stage.says(stage.anna, group, "/settings@remix_test_bot")
    shown = group.last()
    assert [each for each in shown.labels if not is_german(each)] == []
    words = shown.words.splitlines()
    assert [line for line in words if not is_german(line)] == []
    stage.anna.language = "en"
    await stage.presses_key(stage.anna, shown, data="rb:settings:-:show.person")
    assert "What may each person here spend" in shown.words
    press = await stage.presses_key(stage.anna, shown, data="rb:settings:-:suggestions.off")
    assert (press.words, shown.words.splitlines()[0]) == (SAVED, "Settings of this group")
    assert [each for each in shown.labels if "⟦" in each] == []


# --- the door


async def test_whatever_somebody_does_is_dealt_with_in_their_language(scene: Scene, clara: Person) -> None:
    scene.process().begins()
    group = scene.fake.supergroup("Friends", clara, bot=False)
    scene.fake.add_bot(group, by=clara)
    said = await clara.says(group, "/help")
    await scene.until(lambda: scene.beside.commanded)
    to = message_ref(scene.me.id, group.id, said.id)
    await scene.apis[-1].say(to, "Here.", keyboard=((key("More…", Verb.MORE),),))
    await clara.presses(group.last(), "More…")
    await clara.says(group, "make it night", mention=True)
    scene.fake.inline(clara, "hat")
    await scene.until(lambda: len(scene.beside.spoken) == 4 and scene.received)
    assert sorted(scene.beside.spoken) == [(what, "de") for what in ("command", "greeting", "inline", "press")]
    assert [message.language for message in scene.received] == ["de"]


async def test_words_that_are_changed_later_come_with_the_language_as_well(scene: Scene, clara: Person) -> None:
    scene.process().begins()
    said = await clara.says(scene.fake.private(clara), "make it nigt", photo=photo("cat"))
    await scene.until(lambda: scene.received)
    clara.language = "uk"
    await clara.edits(said, "make it night")
    await scene.until(lambda: len(scene.received) == 2)
    assert [message.language for message in scene.received] == ["de", "uk"]


async def test_who_may_not_is_told_so_in_their_language(scene: Scene, clara: Person) -> None:
    scene.process().begins()
    group = scene.fake.supergroup("Friends", scene.fake.user("Anna"), clara)
    denied = ServerSettings(access=Access(denied_chats=(str(group.id),)))
    scene.rooms.servers[server_ref(scene.me.id, group.id)] = denied
    await clara.says(group, "make it night", mention=True)
    await scene.until(lambda: group.last().author is scene.fake.bot)
    assert group.last().words == marked(CHAT_DENIED)


async def test_an_album_is_closed_in_the_language_of_whoever_sent_it(scene: Scene, clara: Person) -> None:
    """By a task that no update has begun."""
    scene.process().begins()
    home = scene.fake.private(clara)
    await clara.album(home, [photo("cat"), photo("coffee")], "warmer")
    await scene.until(lambda: scene.received)
    assert [message.language for message in scene.received] == ["de"]


async def test_an_album_of_videos_is_refused_in_the_language_of_whoever_sent_it(scene: Scene, clara: Person) -> None:
    scene.process().begins()
    home = scene.fake.private(clara)
    made = clara._message(home, "warmer", [], await clara._media(video=b"\0" * 100))
    made.album = "77"
    scene.fake.post(made)
    await scene.until(lambda: home.last().author is scene.fake.bot)
    assert home.last().words == marked(Snag.VIDEO.value)


async def test_what_came_too_late_is_offered_in_the_language_of_whoever_sent_it(scene: Scene, clara: Person) -> None:
    scene.rooms.joins = False
    scene.process().begins()
    home = scene.fake.private(clara)
    await clara.album(home, [photo("cat"), photo("coffee")], "warmer", batches=[1, 1], gap_s=0.8)
    await scene.until(lambda: home.last().author is scene.fake.bot)
    assert (home.last().words, home.last().labels) == (marked(LATE_WORDS), ["⟦Redo with all 2⟧"])


# --- answers


async def test_progress_that_is_shown_later_is_in_the_language_of_the_turn(stage: Stage) -> None:
    asked = await stage.anna.says(stage.own_chat(), "make it night")
    reply = await stage.api.say(stage.ref(asked), "…")
    running = Answer(TurnState.RUNNING, ("…",), turn=TURN, started_at=1.0)
    with speaking("de"):
        await stage.platform.fill(reply, running)
    await stage.fake.until(lambda: asked.chat.last().labels)
    assert asked.chat.last().labels == ["⟦Cancel⟧"]
    stage.platform._busy[reply].set()
    await asyncio.gather(*stage.platform._tasks)


async def test_a_file_that_is_too_large_is_refused_in_the_language_of_whoever_sent_it(stage: Stage) -> None:
    large = Attachment(file_handle("f", "u"), "photo.jpg", 30 * 2**20)
    with speaking("de"), pytest.raises(BadPicture, match="⟦That picture is too large"):
        await Fetcher(stage.api).fetch(large, max_bytes=40 * 2**20)


async def test_in_the_whole_house_an_answer_stays_in_the_language_of_whoever_asked(rig: TelegramRig) -> None:
    group, anna, fake = rig.chats[Where.HOME], rig.people[Who.ANNA], rig.fake
    anna.language = "de"
    await anna.says(group, f"/edit@{fake.bot.username} crop to a square", photo=photo("cat"))
    answer = await fake.until(lambda: next((each for each in group.messages() if "⟦More…⟧" in each.labels), None))
    assert answer.words.splitlines()[-1] == "⟦Asked by Anna⟧"
    await rig.people[Who.BEN].presses(answer, "⟦More…⟧")
    await fake.until(lambda: "⟦Delete⟧" in answer.labels)
    assert "⟦File with credentials⟧" in answer.labels


# --- the lists of commands


def test_every_command_is_described_in_each_language_by_its_own_words() -> None:
    described = {
        each["language_code"]: [command["description"] for command in each["commands"]]
        for each in menus()
        if each["scope"]["type"] == "all_chat_administrators"
    }
    assert described["de"] == [marked(each) for each in described[""]]
    assert not any("⟦" in each for each in described[""])
