"""Discord in other languages than English: people read the one that they have set there."""

from __future__ import annotations

import asyncio
import gettext
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

from adapters.discord.commands import EDIT_THIS, TAKE_BACK
from adapters.discord.door import EMPTY_REPLY
from adapters.discord.interactions import NO_WORDS
from adapters.discord.locales import LOCALES
from adapters.discord.refs import user_ref
from adapters.discord.render import EDIT, show
from bot.domain import language
from bot.domain.actions import Act, Control
from bot.domain.buttons import ButtonId, Verb
from bot.domain.consent import Say
from bot.domain.language import ENGLISH, speaking, tr
from bot.domain.messages import Answer, Credit
from bot.domain.refs import ChatRef, Person, TurnId, UserRef
from bot.domain.turns import Source, TurnState
from bot.domain.words import AGREED_ONCE, FORGET_ASKS, SAVED
from storage.redis.client import open_client
from tests.fakes.discord import FakeDiscord, Message, Permission
from tests.fakes.discord.state import Json
from tests.fakes.discord_rooms import RENDITION, RecordingRooms
from tests.pictures import photo
from tests.platforms.test_discord_gateway import stage as hearing
from tests.platforms.test_discord_interactions import TURN, Stage, StoppedStore, connected, said_alone

GERMAN = "de"
LONG = " and so on, at great length," * 9
KEEPER = Permission.MANAGE_CHANNELS | Permission.MANAGE_GUILD


class Brackets(gettext.NullTranslations):
    """A language of which one sees what was said in it, and which is as long-winded as it is told."""

    def __init__(self, tag: str, more: str = "") -> None:
        super().__init__()
        self._tag, self._more = tag, more

    def gettext(self, message: str) -> str:
        return f"⟦{self._tag}:{message}{self._more}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


def speak_brackets(monkeypatch: pytest.MonkeyPatch, more: str = "") -> None:
    english = gettext.NullTranslations()
    monkeypatch.setattr(language, "catalog", lambda tag: english if tag == ENGLISH else Brackets(tag, more))


@pytest.fixture(autouse=True)
def in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    speak_brackets(monkeypatch)


class Answering(RecordingRooms):
    """It says things in the language that is spoken when it is asked."""

    async def allow(self, turn: TurnId, *, chat: ChatRef, by: UserRef, say: Say | None) -> str:
        return tr(AGREED_ONCE)

    async def sizes(self) -> Sequence[tuple[str, str]]:
        return [(size, tr(words)) for size, words in self.offered]


@pytest.fixture
async def stage(redis_url: str) -> AsyncIterator[Stage]:
    """Anna reads German."""
    client = open_client(redis_url)
    store = StoppedStore(client, retention_s=3600)
    store.goes_on.set()
    async with FakeDiscord(content_intent=False) as fake:
        guild, anna, ben = fake.guild("Friends"), fake.user("Anna"), fake.user("Ben")
        guild.join(anna, guild.role("keeper", KEEPER))
        guild.join(ben)
        anna.locale = GERMAN
        rooms = Answering()
        with fake.install():
            async with connected(fake, rooms, store):
                yield Stage(fake, rooms, store, guild, guild.channel("pictures"), anna, ben)
        assert fake.faults() == []
    await client.aclose()


def texts_in(thing: Any) -> Iterator[str]:
    """All that is read of a message or a form, as JSON."""
    if isinstance(thing, list):
        for each in thing:
            yield from texts_in(each)
    if isinstance(thing, dict):
        for key in ("content", "label", "title", "placeholder", "description"):
            if isinstance(thing.get(key), str) and thing[key]:
                yield thing[key]
        for each in thing.values():
            yield from texts_in(each)


def german(sentence: str) -> str:
    return f"⟦de:{sentence}⟧"


# --- interactions


async def test_a_command_is_answered_in_the_language_of_who_gave_it(stage: Stage) -> None:
    assert await said_alone(await stage.anna.slash("forget", stage.channel)) == german(FORGET_ASKS)
    assert await said_alone(await stage.ben.slash("forget", stage.channel)) == FORGET_ASKS


async def test_what_asks_for_a_picture_says_the_languages_of_its_author_and_of_the_server(stage: Stage) -> None:
    stage.guild.preferred_locale = "es-ES"
    await stage.anna.slash("imagine", stage.channel, words="a fox")
    message = await stage.received()
    assert (message.language, message.chat_language) == (GERMAN, "es-ES")


async def test_a_server_that_has_chosen_no_language_says_none(stage: Stage) -> None:
    await stage.ben.slash("imagine", stage.channel, words="a fox")
    message = await stage.received()
    assert (message.language, message.chat_language) == ("en-US", "")


async def test_who_reads_none_of_our_languages_is_spoken_to_in_that_of_the_server(stage: Stage) -> None:
    stage.guild.preferred_locale, stage.ben.locale = "es-ES", "fi"
    assert await said_alone(await stage.ben.slash("forget", stage.channel)) == f"⟦es:{FORGET_ASKS}⟧"


async def test_what_people_press_tells_the_core_what_they_read(stage: Stage) -> None:
    shown = stage.answer_of_ours(("Info", str(ButtonId(Verb.INFO))))
    await stage.anna.presses(shown, "Info")
    await stage.fake.until(lambda: stage.rooms.languages == [(stage.by(stage.anna), GERMAN)])


async def test_who_is_erased_leaves_no_language_behind(stage: Stage) -> None:
    asked = await (await stage.anna.slash("forget", stage.channel)).answer()
    await stage.fake.until(lambda: stage.rooms.languages)
    await stage.anna.presses(asked, custom_id=asked.controls()[0]["custom_id"])
    await stage.fake.until(lambda: ("forget", stage.by(stage.anna)) in stage.rooms.asked)
    await asyncio.gather(*(each for each in asyncio.all_tasks() if each.get_name() == "discord interaction"))
    assert stage.rooms.languages == [(stage.by(stage.anna), GERMAN)]


async def test_an_owners_answer_is_confirmed_in_their_language(stage: Stage) -> None:
    shown = stage.answer_of_ours(("Yes?", str(ButtonId(Verb.ALLOW, argument=f"once.{TURN}"))))
    assert await said_alone(await stage.anna.presses(shown, "Yes?")) == german(AGREED_ONCE)


async def test_a_form_is_in_the_language_of_who_opened_it(stage: Stage) -> None:
    photographed = await stage.ben.says(stage.channel, files=[("cat.png", photo())])
    opened = await stage.anna.menu(EDIT_THIS, photographed)
    read = list(texts_in(await opened.form()))
    assert german("Your words") in read
    assert german("As it is") in read
    assert [each for each in read if not each.startswith("⟦de:")] == []


async def test_what_is_said_to_a_form_is_in_that_language_too(stage: Stage) -> None:
    opened = await stage.anna.presses(stage.answer_of_ours(("Edit…", str(ButtonId(Verb.EDIT)))), "Edit…")
    await opened.form()
    assert await said_alone(await stage.anna.submits(opened, {"words": " "})) == german(NO_WORDS)


# --- settings


async def opened_page(stage: Stage, page: str) -> Message:
    panel = await (await stage.anna.slash("settings", stage.channel)).answer()
    await stage.anna.presses(panel, custom_id=f"rb:settings:-:{page}.page")
    await stage.fake.until(lambda: any(f":{page}.consent" in each["custom_id"] for each in panel.controls()))
    return panel


@pytest.mark.parametrize("page", ["chat", "server"])
async def test_settings_are_in_the_language_of_who_opened_them(stage: Stage, page: str) -> None:
    panel = await opened_page(stage, page)
    read = [each.removeprefix("-# ") for each in texts_in(panel.components)]
    assert len(read) > 10
    assert [each for each in read if not each.startswith("⟦de:")] == []


async def test_what_was_set_is_confirmed_in_that_language(stage: Stage) -> None:
    panel = await opened_page(stage, "chat")
    await stage.anna.presses(panel, german("Ideas under my results: on"))
    await stage.fake.until(lambda: f"-# {german(SAVED)}" in panel.texts())


@pytest.mark.parametrize("page", ["chat", "server"])
async def test_settings_and_forms_are_taken_however_long_a_language_is(
    stage: Stage, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak_brackets(monkeypatch, " and so on" * 6)
    await opened_page(stage, page)
    speak_brackets(monkeypatch, LONG)
    form = await (await stage.anna.presses(stage.answer_of_ours(("Edit…", str(ButtonId(Verb.EDIT)))), "Edit…")).form()
    assert len(form["title"]) == 45


# --- messages, which do not say what their author reads


async def test_a_hint_to_a_message_is_in_what_its_author_reads_or_in_what_the_server_has_chosen(redis_url: str) -> None:
    async with hearing(redis_url, content_intent=False) as scene:
        scene.guild.preferred_locale = "es-ES"
        scene.rooms.languages.append((user_ref(scene.ben.id), GERMAN))
        async with scene.connected():
            for person, tag in ((scene.anna, "es"), (scene.ben, GERMAN)):
                await person.says(scene.channel, "", reply_to=scene.ours(), files=(), ping=False)
                await scene.told(person, f"⟦{tag}:{EMPTY_REPLY.format(edit=f'⟦{tag}:{EDIT}⟧')}⟧")


async def test_a_message_says_what_its_server_has_chosen(redis_url: str) -> None:
    async with hearing(redis_url) as scene:
        scene.guild.preferred_locale = "ja"
        async with scene.connected():
            await scene.calls("make it blue")
            (message,) = await scene.received()
            assert (message.language, message.chat_language) == ("", "ja")


# --- answers


def finished() -> Answer:
    controls = [Control(Act.AGAIN, tr("Again")), Control(Act.ORIGINAL, tr("From the original"))]
    asker = Person(UserRef("discord", "1"), "Anna")
    return Answer(
        TurnState.DONE,
        lines=(tr("Edited with AI"),),
        images=(RENDITION,),
        turn=TURN,
        controls=tuple(controls),
        sources=(Source("https://example.org/", "A page"),),
        credit=Credit(asker, owners=(UserRef("discord", "2"),)),
    )


def asking() -> Answer:
    asker, owner = Person(UserRef("discord", "1"), "Anna"), Person(UserRef("discord", "2"), "Ben")
    return Answer(TurnState.WAITING, (tr("Waiting."),), turn=TURN, asks=(owner,), credit=Credit(asker, words="snow"))


@pytest.mark.parametrize("build", [finished, asking])
def test_an_answer_is_in_the_language_that_is_spoken_when_it_is_shown(build: Any) -> None:
    with speaking(GERMAN):
        payload = show(build()).payload
    lines = payload["content"].splitlines()
    labels = list(texts_in(payload["components"]))
    assert len(labels) > 3
    assert [each for each in labels if not each.startswith("⟦de:")] == []
    assert [each for each in lines if not each.removeprefix("-# ").removeprefix("> ").startswith("⟦de:")] == []


def test_answers_are_taken_however_long_a_language_is(monkeypatch: pytest.MonkeyPatch) -> None:
    speak_brackets(monkeypatch, LONG)
    with speaking(GERMAN):
        payload = show(finished()).payload
    rows = [each for row in payload["components"] for each in row["components"]]
    assert max(len(each.get("label", "")) for each in rows) == 80
    assert max(len(each.get("placeholder", "")) for each in rows) == 150
    assert len(payload["content"]) <= 2000


# --- the commands themselves


def localized(thing: Json, part: str) -> dict[str, str]:
    found: dict[str, str] = thing[f"{part}_localizations"]
    return found


async def test_commands_are_described_in_each_language_that_discord_and_we_know(stage: Stage) -> None:
    by_name = {each["name"]: each for each in stage.fake.commands}
    assert set(LOCALES) == {"de", "es-ES", "es-419", "ja", "uk", "zh-CN", "zh-TW"}
    for command in (each for each in stage.fake.commands if each["type"] == 1):
        said = command["description"]
        assert localized(command, "description") == {where: f"⟦{tag}:{said}⟧" for where, tag in LOCALES.items()}
        assert "name_localizations" not in command
    instruction = by_name["edit"]["options"][0]
    assert localized(instruction, "description")["ja"] == f"⟦ja:{instruction['description']}⟧"
    assert "name_localizations" not in instruction
    for name in (EDIT_THIS, TAKE_BACK):
        assert localized(by_name[name], "name")["uk"] == f"⟦uk:{name}⟧"


async def test_choices_of_a_size_are_named_in_each_language(stage: Stage) -> None:
    edit = next(each for each in stage.fake.commands if each["name"] == "edit")
    (size,) = [each for each in edit["options"] if each["name"] == "size"]
    named = [(each["name"], localized(each, "name")["es-419"]) for each in size["choices"]]
    assert named == [("As it is", "⟦es:As it is⟧"), ("2K, about 10 ¢", "⟦es:2K, about 10 ¢⟧")]


async def test_a_chosen_size_means_the_same_in_each_language(stage: Stage) -> None:
    await stage.anna.slash("imagine", stage.channel, words="a fox", size="2K")
    assert (await stage.received()).size == "2K"
