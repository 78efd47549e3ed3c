"""The settings on Telegram: one message with keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.telegram.access import ADMINS
from adapters.telegram.limits import BUTTON_BYTES, TEXT
from adapters.telegram.refs import chat_ref, server_ref
from adapters.telegram.settings import NOT_YOURS
from adapters.telegram.settings_panel import (
    STEPS_MICROUSD,
    State,
    changed_chat,
    changed_group,
    panel,
    with_person,
)
from bot.domain.access import Access
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.commands import standing_words
from bot.domain.consent import Policy, Standing
from bot.domain.labels import Profile
from bot.domain.refs import ServerRef
from bot.domain.utf16 import units
from bot.domain.words import SAVED
from tests.fakes.telegram import Chat, Message, Place
from tests.platforms.telegram_stage import Stage, open_stage

GROUP, TOPIC, HOME = chat_ref("7", -100), chat_ref("7", -100, 5), chat_ref("7", 9)


@pytest.fixture
async def stage(redis_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(redis_url, tmp_path) as made:
        yield made


async def opened(stage: Stage, place: Place, *, by_ben: bool = False) -> Message:
    """The panel, as Anna asked for it, who runs the group; or as Ben did, who does not."""
    asker = stage.ben if by_ben else stage.anna
    await stage.says(asker, place, "/settings@remix_test_bot")
    return place.last()


def server(stage: Stage, group: Chat) -> ServerRef:
    return server_ref(stage.me.id, group.id)


# --- in private


async def test_in_private_a_person_says_who_may_edit_their_pictures(stage: Stage) -> None:
    shown = await opened(stage, stage.own_chat())
    assert "✓ Mine: ask me first" in shown.labels
    press = await stage.presses_key(stage.anna, shown, "Mine: nobody, ever")
    assert stage.rooms.standings == {(stage.user(stage.anna), stage.chat(shown.chat)): Standing.NEVER}
    assert press.words == standing_words(Standing.NEVER)
    assert "✓ Mine: nobody, ever" in shown.labels


async def test_in_private_the_chats_own_things_are_turned_off_and_on(stage: Stage) -> None:
    shown = await opened(stage, stage.own_chat())
    press = await stage.presses_key(stage.anna, shown, "Next ideas under pictures: on")
    await stage.presses_key(stage.anna, shown, "Asking back instead of guessing: on")
    await stage.presses_key(stage.anna, shown, "A mark in AI's pictures: off")
    assert (press.words, press.alert) == (SAVED, False)
    changed = ChatSettings(suggestions=False, questions=False, profile=Profile.VISIBLE)
    assert stage.rooms.chats == {stage.chat(shown.chat): changed}
    assert [label for label in shown.labels if ": o" in label] == [
        "Next ideas under pictures: off",
        "Asking back instead of guessing: off",
        "A mark in AI's pictures: on",
    ]


@pytest.mark.parametrize(("always", "profile"), [(True, None), (True, Profile.VISIBLE), (False, Profile.CN)])
async def test_a_mark_that_no_switch_takes_away_has_none(stage: Stage, always: bool, profile: Profile | None) -> None:
    stage.rooms.marks_always = always
    place = stage.own_chat()
    stage.rooms.chats[stage.chat(place)] = ChatSettings(profile=profile)
    shown = await opened(stage, place)
    assert [label for label in shown.labels if "mark" in label.lower()] == []


# --- in a group


async def test_who_runs_a_group_decides_whose_pictures_are_edited_and_who_may_use_the_bot(stage: Stage) -> None:
    group = stage.group()
    shown = await opened(stage, group)
    assert "✓ Others', if they agree" in shown.labels
    await stage.presses_key(stage.anna, shown, "One's own")
    await stage.presses_key(stage.anna, shown, "Only who runs this group")
    assert stage.rooms.servers[server(stage, group)] == ServerSettings(Policy.OWN, Access(allowed_roles=(ADMINS,)))
    assert [label for label in shown.labels if label.startswith("✓")] == ["✓ One's own", "✓ Only who runs this group"]


async def test_each_press_is_checked_anew(stage: Stage) -> None:
    group = stage.group()
    shown = await opened(stage, group)
    press = await stage.presses_key(stage.ben, shown, "Everybody's")
    assert (press.words, press.alert, stage.rooms.servers) == (NOT_YOURS, True, {})


async def test_who_does_not_run_the_group_is_shown_what_is_theirs(stage: Stage) -> None:
    shown = await opened(stage, stage.group(), by_ben=True)
    assert shown.labels == ["Mine: ask me first", "Mine: anyone here", "Mine: nobody, ever"]


async def test_everybody_answers_for_their_own_pictures_and_nobody_else_sees_it(stage: Stage) -> None:
    group = stage.group()
    shown = await opened(stage, group)
    before = (shown.words, shown.labels)
    press = await stage.presses_key(stage.ben, shown, "Mine: anyone here")
    assert stage.rooms.standings == {(stage.user(stage.ben), stage.chat(group)): Standing.HERE}
    assert (press.words, press.alert) == (standing_words(Standing.HERE), True)
    assert (shown.words, shown.labels) == before


async def test_spending_is_capped_in_steps(stage: Stage) -> None:
    group = stage.group()
    shown = await opened(stage, group)
    await stage.presses_key(stage.anna, shown, "A person's day …")
    assert "$0.50" in shown.labels
    await stage.presses_key(stage.anna, shown, "$0.50")
    assert stage.rooms.servers[server(stage, group)].person_day_microusd == 500_000
    assert "✓ $0.50" in shown.labels
    await stage.presses_key(stage.anna, shown, "Back")
    assert "each person $0.50" in shown.words


async def test_a_topic_is_left_alone_and_served_again(stage: Stage) -> None:
    forum = stage.fake.forum("Club", stage.anna)
    await stage.anna.says(forum, "hello")
    topic = forum.topic("Pictures")
    shown = await opened(stage, topic)
    await stage.presses_key(stage.anna, shown, "This topic is served: on")
    denied = stage.rooms.servers[server(stage, forum)].access.denied_chats
    await stage.presses_key(stage.anna, shown, "This topic is served: off")
    assert denied == (stage.chat(topic).chat,)
    assert stage.rooms.servers[server(stage, forum)].access.denied_chats == ()


# --- what a key changes, and what is shown


def test_what_is_no_choice_changes_nothing() -> None:
    own, group = ChatSettings(), ServerSettings()
    made_up = [
        ("suggestions", "maybe"),
        ("consent", "x"),
        ("access", "me"),
        ("person", "-5"),
        ("all", "999"),
        ("x", ""),
    ]
    assert [changed_chat(own, thing, value) for thing, value in made_up] == [None] * 6
    assert [changed_group(group, GROUP, thing, value) for thing, value in made_up] == [None] * 6
    assert changed_group(group, GROUP, "topic", "off") is None


@pytest.mark.parametrize("cap", [*STEPS_MICROUSD, None])
def test_every_step_can_be_chosen_and_is_marked(cap: int | None) -> None:
    for thing in ("person", "all"):
        value = "unset" if cap is None else str(cap)
        changed = changed_group(ServerSettings(), GROUP, thing, value)
        assert changed is not None
        shown = panel(State(GROUP, ChatSettings(), changed, runs=True), page=thing)
        marked = [key.data for row in shown.keyboard for key in row if key.label.startswith("✓")]
        assert marked == [f"rb:settings:-:{thing}.{value}"]


def test_opening_to_everybody_lets_everybody_in_but_who_is_kept_out() -> None:
    kept = Access(allowed_people=("1",), denied_people=("2",), allowed_roles=(ADMINS,))
    changed = changed_group(ServerSettings(access=kept), GROUP, "access", "everybody")
    assert changed is not None
    assert changed.access == Access(denied_people=("2",))


def test_letting_one_in_where_all_are_let_in_keeps_nobody_out() -> None:
    assert with_person(Access(denied_people=("1", "2")), "1", allowed=True) == Access(denied_people=("2",))


@pytest.mark.parametrize("chat", [GROUP, TOPIC, HOME])
@pytest.mark.parametrize("runs", [True, False])
@pytest.mark.parametrize("page", ["", "person", "all"])
def test_a_panel_fits_into_a_message_and_its_keys(chat: object, *, runs: bool, page: str) -> None:
    full = ServerSettings(Policy.ALL, Access(), 20_000_000, 20_000_000)
    shown = panel(State(chat, ChatSettings(), full, runs), page=page)  # type: ignore[arg-type]
    keys = [key for row in shown.keyboard for key in row]
    assert 0 < units(shown.words) <= TEXT
    assert all(len(key.data) <= BUTTON_BYTES and key.label for key in keys)
    assert len({key.data for key in keys}) == len(keys) > 0
