"""Commands that the Telegram adapter answers itself, the lists of them, and the greeting of a group."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from adapters.telegram import lanes
from adapters.telegram.commands import (
    NOT_YOURS_TO_SAY,
    NOTHING_UNDER_WAY,
    ONLY_IN_GROUPS,
    REPLY_TO_SOMEBODY,
    WRITES_AS_CHAT,
    may_not_use,
    may_use,
)
from adapters.telegram.examples import EXAMPLES, TRY_IT, WELCOME
from adapters.telegram.menu import menus, set_menus
from adapters.telegram.refs import server_ref
from adapters.telegram.settings import NOT_YOURS
from bot.domain.access import Access
from bot.domain.buttons import Verb
from bot.domain.chats import ServerSettings
from bot.domain.commands import HELP
from bot.domain.invitations import ASKS_CODE, ONLY_IN_PRIVATE
from bot.domain.refs import TurnId
from bot.domain.words import CANCELLED, FORGET_ASKS, TOO_LATE
from bot.ending import end
from bot.engines.exact import ExactEngine
from tests.fakes.discord_rooms import JOINED, OPERATED
from tests.platforms.telegram_stage import Stage, key, open_stage

TURN, OTHER = TurnId("aaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb"), TurnId("aaaaaaaaaaaaaaaa-cccccccccccccccc")
PICTURES = Path(__file__).parents[2] / "adapters/telegram/pictures"


@pytest.fixture
async def stage(redis_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(redis_url, tmp_path) as made:
        yield made


# --- start and help


async def test_start_shows_a_picture_before_and_after_and_one_to_try_things_on(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, "/start")
    _, before_after, coffee = chat.messages()
    assert (before_after.kind, before_after.words, before_after.labels) == ("photo", WELCOME, [])
    assert (coffee.kind, coffee.words, coffee.labels) == ("photo", TRY_IT, list(EXAMPLES))


async def test_an_example_that_is_tapped_edits_the_picture_above_it(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, "/start")
    coffee = chat.last()
    await stage.presses_key(stage.anna, coffee, EXAMPLES[1])
    (message,) = stage.rooms.received
    assert (message.text, message.reply_to) == (EXAMPLES[1], stage.ref(coffee))
    assert message.quoted is not None
    assert (message.quoted.ours, len(message.quoted.attachments)) == (True, 1)
    assert message.quoted.attachments[0].provenance is None


@pytest.mark.parametrize("words", EXAMPLES)
def test_each_example_is_done_exactly(words: str) -> None:
    assert ExactEngine().read(words, images=1).whole


async def test_what_a_link_adds_to_start_does_no_harm(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, "/start rb_press_again-%00../../x")
    assert [each.words for each in chat.messages()[1:]] == [WELCOME, TRY_IT]
    assert stage.rooms.received == []


async def test_help_says_all_that_can_be_said_in_one_message_of_a_group(stage: Stage) -> None:
    group = stage.group()
    await stage.says(stage.ben, group, "/help@remix_test_bot")
    _, said = group.messages()
    assert (said.kind, said.words) == ("photo", "\n".join(HELP))


async def test_a_command_that_comes_twice_is_answered_once(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.anna.says(chat, "/start")
    await stage.hears(again=1)
    assert (stage.answered, len(chat.messages())) == ([True, True], 3)


def test_the_pictures_are_small_and_say_nothing_but_what_they_show() -> None:
    files = sorted(PICTURES.glob("*.jpg"))
    assert [path.name for path in files] == ["before-after.jpg", "coffee.jpg"]
    assert sum(path.stat().st_size for path in files) <= 120_000
    for path in files:
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            assert (picture.format, dict(picture.getexif())) == ("JPEG", {})


@pytest.mark.parametrize("words", ["/imagine a fox", "/usage", "/settings suggestions off", "/edit make it night"])
async def test_everything_else_is_left_to_the_core(stage: Stage, words: str) -> None:
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, words)
    assert (stage.answered, len(chat.messages())) == ([False], 1)


async def test_what_waited_when_the_bot_was_restarted_is_said_afterwards_and_once(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.api._pace.hold_back(lanes.sends(stage.chat(chat))[0].name, 0.5)
    await stage.anna.says(chat, "/settings")
    offset, hearing = stage._offset, asyncio.create_task(stage.hears())
    await stage.fake.until(lambda: stage._offset != offset)
    await end(hearing, patience_s=0.05)
    assert stage.fake.asked("sendMessage") == []
    stage._offset = offset
    await stage.hears(again=1)
    assert [each.author is stage.fake.bot for each in chat.messages()] == [False, True]


async def test_what_is_being_said_is_not_said_beside_it(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.api._pace.hold_back(lanes.sends(stage.chat(chat))[0].name, 0.3)
    await stage.anna.says(chat, "/settings")
    offset = stage._offset
    hearing = asyncio.create_task(stage.hears())
    await stage.fake.until(lambda: stage._offset != offset)
    stage._offset = offset
    await asyncio.gather(hearing, stage.hears())
    assert [each.author is stage.fake.bot for each in chat.messages()] == [False, True]


# --- forget


async def test_forgetting_is_asked_once_more_and_can_be_left(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, "/forget")
    asks = chat.last()
    assert (asks.words, asks.labels) == (FORGET_ASKS, ["Erase everything", "Keep it"])
    await stage.presses_key(stage.anna, asks, "Keep it")
    assert stage.rooms.asked == []
    assert asks.labels == []


async def test_who_confirms_is_forgotten(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, "/forget")
    await stage.presses_key(stage.anna, chat.last(), "Erase everything")
    assert stage.rooms.asked == [("forget", stage.user(stage.anna))]


async def test_who_writes_as_a_group_erases_nothing_in_its_name(stage: Stage) -> None:
    group = stage.group()
    await stage.says(stage.anna, group, "/forget@remix_test_bot", as_chat=group)
    assert (group.last().words, group.last().labels) == (WRITES_AS_CHAT, [])


# --- cancel


async def test_cancel_in_reply_ends_the_turn_of_that_message(stage: Stage) -> None:
    stage.rooms.running = [OTHER]
    chat = stage.own_chat()
    placeholder = await stage.posts(chat, [key("Cancel", Verb.CANCEL, TURN)], shows=TURN)
    await stage.says(stage.anna, chat, "/cancel", reply_to=placeholder)
    assert stage.rooms.asked == [("cancel", TURN, stage.chat(chat), stage.user(stage.anna))]
    assert chat.last().words == CANCELLED


async def test_cancel_by_itself_ends_the_newest(stage: Stage) -> None:
    stage.rooms.running = [TURN, OTHER]
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, "/cancel")
    assert stage.rooms.asked[-1] == ("cancel", TURN, stage.chat(chat), stage.user(stage.anna))
    assert chat.last().words == CANCELLED


async def test_cancel_says_where_nothing_is_under_way_or_it_is_too_late(stage: Stage) -> None:
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, "/cancel")
    stage.rooms.running, stage.rooms.can_cancel = [TURN], False
    await stage.says(stage.anna, chat, "/cancel")
    assert [each.words for each in chat.messages()[1::2]] == [NOTHING_UNDER_WAY, TOO_LATE]


# --- who may


async def test_who_runs_a_group_keeps_somebody_out_and_lets_them_in_again(stage: Stage) -> None:
    group = stage.group()
    server = server_ref(stage.me.id, group.id)
    said = await stage.ben.says(group, "hello")
    await stage.says(stage.anna, group, "/deny@remix_test_bot", reply_to=said)
    denied = stage.rooms.servers[server].access
    await stage.says(stage.anna, group, "/allow@remix_test_bot", reply_to=said)
    assert denied == Access(denied_people=(str(stage.ben.id),))
    assert stage.rooms.servers[server].access == Access()
    assert [each.words for each in group.messages()[2::2]] == [may_not_use("Ben"), may_use("Ben")]


async def test_where_only_some_are_let_in_one_more_is(stage: Stage) -> None:
    group = stage.group()
    server = server_ref(stage.me.id, group.id)
    stage.rooms.servers[server] = ServerSettings(access=Access(allowed_roles=("admins",)))
    said = await stage.ben.says(group, "hello")
    await stage.says(stage.anna, group, "/allow@remix_test_bot", reply_to=said, as_chat=group)
    kept = stage.rooms.servers[server].access
    assert kept == Access(allowed_people=(str(stage.ben.id),), allowed_roles=("admins",))


async def test_who_does_not_run_the_group_says_nothing_of_others(stage: Stage) -> None:
    group = stage.group()
    said = await stage.anna.says(group, "hello")
    await stage.says(stage.ben, group, "/deny@remix_test_bot", reply_to=said)
    assert (group.last().words, stage.rooms.servers) == (NOT_YOURS_TO_SAY, {})


async def test_who_is_meant_has_to_be_replied_to_and_only_in_a_group(stage: Stage) -> None:
    group, chat = stage.group(), stage.own_chat()
    await stage.says(stage.anna, group, "/deny@remix_test_bot")
    await stage.says(stage.anna, chat, "/deny")
    assert (group.last().words, chat.last().words) == (REPLY_TO_SOMEBODY, ONLY_IN_GROUPS)


# --- the lists of commands


async def test_the_lists_are_set_once_for_each_language_and_place(stage: Stage) -> None:
    for _ in range(2):
        await set_menus(stage.api, stage.store, stage.me)
    asked = stage.fake.asked("setMyCommands")
    assert len(asked) == 18 == len(menus())
    wanted = {(each["scope"]["type"], each["language_code"]) for each in menus()}
    assert {language for _, language in wanted} == {"", "zh", "ja", "es", "de", "uk"}
    assert {scope for scope, _ in wanted} == {"all_private_chats", "all_group_chats", "all_chat_administrators"}
    assert len(stage.fake.commands) == 18


def test_every_command_is_described_in_every_language_and_those_for_a_few_only_to_them() -> None:
    names = {scope: [tuple(c["command"] for c in m["commands"]) for m in menus() if m["scope"]["type"] == scope]
             for scope in ("all_private_chats", "all_group_chats", "all_chat_administrators")}  # fmt: skip
    assert all(len(set(each)) == 1 for each in names.values())
    assert set(names["all_chat_administrators"][0]) - set(names["all_group_chats"][0]) == {"allow", "deny"}
    assert set(names["all_private_chats"][0]) - set(names["all_group_chats"][0]) == {"join"}
    described = [c["description"] for menu in menus() for c in menu["commands"]]
    assert all(0 < len(words) <= 100 for words in described)


# --- a group is greeted


async def test_a_group_is_told_once_how_to_call_the_bot_where_it_reads_little(stage: Stage) -> None:
    group = stage.fake.supergroup("Friends", stage.anna, bot=False)
    stage.fake.add_bot(group)
    await stage.hears(again=1)
    stage.fake.take_bot_out(group, by=stage.anna, status="left")
    stage.fake.add_bot(group)
    (said,) = [each for each in group.messages() if each.author is stage.fake.bot]
    assert "shows me only replies to my pictures and commands" in said.words
    assert "/edit@remix_test_bot" in said.words


async def test_where_the_bot_reads_all_it_says_so_to_be_mentioned(stage: Stage) -> None:
    group = stage.group()
    stage.fake.promote(group, stage.fake.bot)
    said = await stage.ben.says(group, "hello")
    await stage.greeting.used(stage.ref(said))
    await stage.greeting.used(stage.ref(said))
    assert len(group.messages()) == 2
    assert "mention @remix_test_bot" in group.last().words


async def test_in_private_and_where_nothing_can_be_said_nobody_is_greeted(stage: Stage) -> None:
    group, chat = stage.group(), stage.own_chat()
    stage.fake.kick_bot(group)
    await stage.greeting.used(stage.ref(await stage.anna.says(group, "hello")))
    await stage.greeting.used(stage.ref(await stage.anna.says(chat, "hello")))
    assert len(group.messages()) == len(chat.messages()) == 1


async def test_a_channel_is_not_greeted(stage: Stage) -> None:
    channel = stage.fake.channel("News", stage.anna)
    stage.fake.promote(channel, stage.fake.bot)
    await stage.hears()
    assert stage.fake.asked("sendMessage") == []


# --- whoever runs the bot


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("/join abc-def", ("enter", "abc-def")),
        ("/start join-abc-def", ("enter", "join-abc-def")),
        ("/operator door closed", ("operate", "door closed")),
    ],
)
async def test_what_is_only_between_the_two_of_us_reaches_the_core_and_is_no_message(
    stage: Stage, words: str, asked: tuple[str, str]
) -> None:
    chat = stage.own_chat()
    await stage.says(stage.anna, chat, words)
    name, argument = asked
    assert stage.rooms.asked == [(name, stage.user(stage.anna), argument)]
    assert chat.last().words == {"enter": JOINED, "operate": OPERATED}[name]
    assert stage.rooms.received == []


@pytest.mark.parametrize(
    ("words", "told"), [("/join abc", ASKS_CODE), ("/operator door closed", ONLY_IN_PRIVATE), ("/join", ASKS_CODE)]
)
async def test_where_others_read_along_no_code_is_used_and_nobody_operates(stage: Stage, words: str, told: str) -> None:
    group = stage.group()
    name, _, rest = words.partition(" ")
    await stage.says(stage.anna, group, f"{name}@remix_test_bot {rest}")
    assert (group.last().words, stage.rooms.asked, stage.rooms.received) == (told, [], [])


async def test_who_runs_a_group_reads_what_was_changed_in_it_and_nobody_else_does(stage: Stage) -> None:
    group, own = stage.group(), stage.own_chat()
    await stage.says(stage.ben, group, "/settings@remix_test_bot log")
    assert (group.last().words, stage.rooms.asked) == (NOT_YOURS, [])
    await stage.says(stage.anna, group, "/settings@remix_test_bot log")
    await stage.says(stage.anna, own, "/settings log")
    assert (group.last().words, own.last().words) == (stage.rooms.log, stage.rooms.log)
    assert stage.rooms.asked == [
        ("changes", stage.chat(group), server_ref(stage.me.id, group.id)),
        ("changes", stage.chat(own), None),
    ]
