"""Commands that are answered with words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.chats import ChatSettings
from bot.domain.commands import (
    HELP,
    Command,
    apply_setting,
    policy_words,
    read_command,
    said_of_mine,
    settings_words,
    standing_words,
)
from bot.domain.consent import Policy, Standing
from bot.domain.wishes import PLAIN_WISH, Form, Kind, read_wish


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/usage", Command("usage")),
        ("/help", Command("help")),
        ("/start", Command("start")),
        ("/settings", Command("settings")),
        ("  /Settings@some_bot  Suggestions   OFF ", Command("settings", ("suggestions", "off"))),
        ("/settings questions on", Command("settings", ("questions", "on"))),
        ("/start a-payload", Command("start", ("a-payload",))),
        ("/help\nme", Command("help", ("me",))),
    ],
)
def test_a_command_is_read_with_its_arguments(text: str, command: Command) -> None:
    assert read_command(text) == command


@pytest.mark.parametrize(
    "text",
    ["", "usage", "help me", "/", "/usages", "/help!", "/imagine a fox", "/explain", "/forget", "/settings@", "/ help",
     "say /help", "//help", "/settings@bot@bot off", "/helpful fox"],
)  # fmt: skip
def test_other_words_are_no_command(text: str) -> None:
    assert read_command(text) is None


@given(st.text(max_size=80))
def test_any_words_behind_a_command_are_bounded(text: str) -> None:
    command = read_command(f"/settings {text * 10}")
    assert command is not None
    assert len(command.arguments) <= 4
    assert sum(map(len, command.arguments)) <= 600


ON, OFF = ChatSettings(), ChatSettings(suggestions=False, questions=False)


@pytest.mark.parametrize(
    ("before", "arguments", "after"),
    [
        (ON, ("suggestions", "off"), ChatSettings(suggestions=False)),
        (ON, ("questions", "off"), ChatSettings(questions=False)),
        (OFF, ("suggestions", "on"), ChatSettings(questions=False)),
        (OFF, ("question", "yes"), ChatSettings(suggestions=False)),
        (ON, ("suggestions", "on"), ON),
        (ON, (), None),
        (ON, ("suggestions",), None),
        (ON, ("suggestions", "maybe"), None),
        (ON, ("suggestions", "off", "now"), None),
        (ON, ("safety", "off"), None),
    ],
)
def test_one_setting_is_changed_and_the_other_stays(
    before: ChatSettings, arguments: tuple[str, ...], after: ChatSettings | None
) -> None:
    assert apply_setting(before, arguments) == after


@pytest.mark.parametrize("settings", [ON, OFF, ChatSettings(suggestions=False), ChatSettings(questions=False)])
def test_what_the_settings_say_to_do_turns_each_of_them_round(settings: ChatSettings) -> None:
    words = settings_words(settings, Standing.UNSAID)
    said = [read_command(part.split("”")[0]) for part in words.split("“")[1:]]
    changed = [apply_setting(settings, command.arguments) for command in said if command and len(command.arguments) > 1]
    assert changed == [
        ChatSettings(not settings.suggestions, settings.questions),
        ChatSettings(settings.suggestions, not settings.questions),
    ]


@pytest.mark.parametrize("policy", [Policy.OFF, Policy.OWN, Policy.ASK])
def test_what_is_decided_for_pictures_is_said_and_can_be_changed(policy: Policy) -> None:
    changed = apply_setting(ON, ("pictures", policy.value))
    assert changed == ChatSettings(consent=policy)
    assert policy_words(policy) in settings_words(changed, Standing.NEVER)
    assert policy.value in settings_words(changed, Standing.NEVER)


def test_by_words_nobody_decides_that_others_need_not_be_asked() -> None:
    assert apply_setting(ON, ("pictures", "all")) is None


@pytest.mark.parametrize(("said", "standing"), [("ask", "unsaid"), ("here", "here"), ("never", "never")])
def test_what_is_said_of_ones_own_pictures_is_understood(said: str, standing: str) -> None:
    assert said_of_mine(("mine", said)) == Standing(standing)
    assert standing_words(Standing(standing)) in settings_words(ON, Standing(standing))
    assert said_of_mine(("mine", "perhaps")) is None


def test_the_help_is_short_and_calm() -> None:
    assert len(HELP) <= 9
    assert not any("!" in line for line in HELP)
    assert sum(map(len, HELP)) < 1_500


def test_what_the_help_promises_is_understood() -> None:
    assert read_wish("Draw a fox in the snow", images=0).wish.kind is Kind.IMAGINE
    assert read_wish("six panels of a fox who finds a hat", images=0).wish.form is Form.STORY
    assert read_wish("4 variations", images=1).wish.form is Form.VARIATIONS
    assert read_wish("in 2K", images=1).wish.size == "2K"
    assert read_wish("as a phone wallpaper", images=1).wish.ratio == "9:16"
    assert read_wish("which bird is that?", images=1).wish.kind is Kind.EXPLAIN
    assert read_wish("remove the background", images=1).wish.transparent
    assert read_wish("make it winter", images=1).wish == PLAIN_WISH
