"""What `remixbot doctor` says of Discord, asked of a Discord on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import discord
import pytest
from pydantic import SecretStr

from adapters.discord.gateway import ContentIntent
from adapters.discord.installing import PERMISSIONS, Application, missing_of, personal_link, server_link
from bot.checkup import Check
from bot.oneshot import discord_check, discord_checks
from bot.settings import Settings
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.permissions import EVERYONE, NOTHING, Permission
from tests.fakes.discord.state import Guild

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ABOUT = Application("77", "Remixbot", 2, ContentIntent.GRANTED, public=True, by_people=True, elsewhere=False)


@pytest.fixture(params=[True, False], ids=["with-content", "without-content"])
async def fake(request: pytest.FixtureRequest) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(content_intent=request.param) as server:
        with server.install():
            yield server


def settings(**given: object) -> Settings:
    return Settings(**given)  # type: ignore[arg-type]


def settings_for(server: FakeDiscord, token: str = "") -> Settings:
    return settings(discord_token=SecretStr(token or server.token), discord_api_base=server.api_base)


def said(checks: list[Check]) -> str:
    return "\n".join(f"{check.what}: {check.words}" for check in checks)


async def test_without_a_token_it_says_where_to_get_one_and_nothing_is_wrong() -> None:
    (check,) = await discord_check(settings(discord_token=SecretStr("")))
    assert not check.ok
    assert check.optional
    assert "https://discord.com/developers/applications" in check.words


async def test_it_says_as_whom_the_bot_is_signed_in_and_in_how_many_servers(fake: FakeDiscord) -> None:
    fake.guild("Friends")
    checks = await discord_check(settings_for(fake))
    assert all(check.ok for check in checks)
    assert checks[0].words.casefold() == f"signed in as {fake.bot.name}, in 1 server".casefold()


async def test_it_says_what_works_with_and_without_the_message_content_intent(fake: FakeDiscord) -> None:
    words = said(await discord_check(settings_for(fake)))
    with_intent = fake.application_flags & discord.ApplicationFlags.gateway_message_content.flag
    limited = fake.application_flags & discord.ApplicationFlags.gateway_message_content_limited.flag
    reads = bool(with_intent or limited)
    assert ("with the message content intent: a reply to anybody's picture" in words) is reads
    assert ("menu: Apps, “Edit this image”" in words) is not reads
    assert "“Message Content Intent”" in words


async def test_it_gives_links_that_ask_for_what_the_bot_needs(fake: FakeDiscord) -> None:
    words = said(await discord_check(settings_for(fake)))
    assert server_link(fake.application_id) in words
    assert personal_link(fake.application_id) in words


async def test_no_line_shows_the_token(fake: FakeDiscord) -> None:
    words = said(await discord_check(settings_for(fake)))
    assert [part for part in fake.token.split(".")[1:] if part in words] == []


async def test_a_token_that_discord_refuses_is_said_with_what_to_do(fake: FakeDiscord) -> None:
    wrong = fake.token[:-1] + ("x" if fake.token[-1] != "x" else "y")
    (check,) = await discord_check(settings_for(fake, wrong))
    assert not check.ok
    assert not check.optional
    assert check.words.startswith("Discord refused DISCORD_TOKEN.")
    assert wrong not in check.words


async def test_what_is_no_token_is_said_without_asking_discord(fake: FakeDiscord) -> None:
    (check,) = await discord_check(settings_for(fake, "not-a-token"))
    assert check.words.startswith("DISCORD_TOKEN is not a bot token.")
    assert fake.requests == []


async def test_a_discord_that_fails_is_said_and_no_error() -> None:
    async with FakeDiscord() as gone:
        at_it = settings_for(gone)
    (check,) = await discord_check(at_it)
    assert not check.ok
    assert check.words.startswith("Discord does not answer")
    assert "DISCORD_API_BASE" in check.words


def test_an_application_whose_buttons_go_elsewhere_is_trouble() -> None:
    trouble = [check for check in discord_checks(replace(ABOUT, elsewhere=True)) if not check.ok]
    assert ["Interactions Endpoint URL" in check.words for check in trouble] == [True]
    assert [check.optional for check in trouble] == [False]


def only(server: FakeDiscord, name: str, given: Permission) -> Guild:
    """A server whose roles give the bot this and no more."""
    made = server.guild(name)
    for role in (made.everyone, *made.members[server.bot.id].roles):
        made.grant(role, given)
    return made


async def test_it_says_what_the_bot_may_do_everywhere(fake: FakeDiscord) -> None:
    fake.guild("Friends")
    (check,) = [each for each in await discord_check(settings_for(fake)) if each.what == "discord servers"]
    assert check.ok
    assert "in every server" in check.words


async def test_it_names_each_server_and_what_the_bot_may_not_do_there(fake: FakeDiscord) -> None:
    fake.guild("Friends")
    only(fake, "Quiet\x1b[2J", EVERYONE & ~Permission.ATTACH_FILES & ~Permission.READ_MESSAGE_HISTORY)
    helped = only(fake, "Helped", NOTHING)
    helped.join(fake.bot, helped.role("Bot", Permission.ADMINISTRATOR))
    found = [each for each in await discord_check(settings_for(fake)) if each.what == "discord servers"]
    assert found[0].words == "“Quiet[2J” does not let the bot: Attach Files, Read Message History"
    assert "link below" in found[-1].words
    assert [(each.ok, each.optional) for each in found] == [(False, True)] * 2


async def test_of_many_servers_it_says_a_sum(fake: FakeDiscord) -> None:
    for number in range(203):
        only(fake, f"Server {number}", EVERYONE & ~Permission.EMBED_LINKS if number % 2 else EVERYONE)
    checks = await discord_check(settings_for(fake))
    found = [each.words for each in checks if each.what == "discord servers"]
    assert len(found) == 7
    assert found[5] == "and 96 more. Of all 101 together: Embed Links in 101"
    assert len([each for each in fake.requests if each.path.endswith("/users/@me/guilds")]) == 2


def test_every_permission_that_the_bot_needs_is_named_as_discord_names_it() -> None:
    missing = missing_of(discord.Permissions.none())
    assert len(missing) == len([name for name, needed in PERMISSIONS if needed])
    assert [name for name in missing if name not in " ".join(README.split())] == []
    assert missing_of(discord.Permissions(administrator=True)) == ()


def test_one_that_people_cannot_add_to_themselves_is_fine_and_says_how() -> None:
    words = [
        check.words for check in discord_checks(replace(ABOUT, by_people=False)) if not check.ok and check.optional
    ]
    assert ["“User Install”" in each for each in words] == [True]


def test_one_that_is_not_public_says_that_only_its_owner_can_add_it() -> None:
    assert "only you can" in said(discord_checks(replace(ABOUT, public=False)))
    assert "only you can" not in said(discord_checks(ABOUT))


# --- README


def asked_for(link: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(link).query)


def test_readme_has_the_link_with_the_right_bits() -> None:
    assert server_link("APPLICATION_ID") in README
    assert personal_link("APPLICATION_ID") in README


def test_the_links_ask_for_six_permissions_and_no_more() -> None:
    link = asked_for(server_link("77"))
    assert discord.Permissions(int(link["permissions"][0])) == PERMISSIONS
    assert {name for name, given in PERMISSIONS if given} == {
        "read_messages",
        "send_messages",
        "send_messages_in_threads",
        "embed_links",
        "attach_files",
        "read_message_history",
    }
    assert link["scope"] == ["bot applications.commands"]
    assert "permissions" not in asked_for(personal_link("77"))


@pytest.mark.parametrize(
    "name",
    [
        "View Channels",
        "Send Messages",
        "Send Messages in Threads",
        "Embed Links",
        "Attach Files",
        "Read Message History",
    ],
)
def test_readme_names_each_permission(name: str) -> None:
    assert name in " ".join(README.split())
