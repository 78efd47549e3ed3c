"""What `remixbot doctor` says of Telegram, asked of a Telegram on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.telegram.checking import Standing
from adapters.telegram.polling import CONFLICT
from adapters.telegram.ports import Me, SetAside, Stored
from bot.checkup import Check
from bot.oneshot import telegram_check, telegram_checks
from bot.settings import Settings
from storage.redis.client import open_client
from storage.redis.telegram import RedisTelegramStore
from storage.redis.telegram_inbox import RedisInbox
from tests.fakes.telegram import FakeTelegram

README = " ".join((Path(__file__).parents[2] / "README.md").read_text().split())
STANDING = Standing(Me("77", "remix_bot", "Remixbot"))


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest.fixture
def at_it(fake: FakeTelegram, redis_url: str, tmp_path: Path) -> Settings:
    return settings(fake.token, fake.api_base, redis_url=SecretStr(redis_url), data=tmp_path)


def settings(token: str = "", base: str = "", **given: object) -> Settings:
    return Settings(telegram_token=SecretStr(token), telegram_api_base=base, **given)  # type: ignore[arg-type]


def said(checks: list[Check]) -> str:
    return "\n".join(f"{check.what}: {check.words}" for check in checks)


async def test_without_a_token_it_says_where_to_get_one_and_nothing_is_wrong() -> None:
    (check,) = await telegram_check(settings())
    assert (check.ok, check.optional) == (False, True)
    assert "@BotFather" in check.words


async def test_it_says_as_whom_the_bot_is_signed_in_and_shows_no_token(fake: FakeTelegram, at_it: Settings) -> None:
    checks = await telegram_check(at_it)
    assert all(check.ok for check in checks)
    assert checks[0].words.startswith(f"signed in as @{fake.bot.username}, by the server at 127.0.0.1")
    assert fake.token.partition(":")[2] not in said(checks)


@pytest.mark.parametrize("reads_all", [True, False])
def test_it_says_what_groups_show_to_the_bot_and_how_to_change_that(reads_all: bool) -> None:
    words = said(telegram_checks(settings(), replace(STANDING, me=replace(STANDING.me, reads_all=reads_all))))
    assert ("/setprivacy" in words) is not reads_all
    assert ("mentions of @remix_bot" in words) is reads_all
    assert ("/edit@remix_bot" in words) is not reads_all


async def test_a_token_that_telegram_refuses_is_said_with_what_to_do(fake: FakeTelegram, at_it: Settings) -> None:
    wrong = f"{fake.token[:-3]}xyz"
    (check,) = await telegram_check(at_it.model_copy(update={"telegram_token": SecretStr(wrong)}))
    assert (check.ok, check.optional) == (False, False)
    assert check.words.startswith("Telegram refuses TELEGRAM_TOKEN.")


async def test_what_is_no_token_is_said_without_asking_telegram(fake: FakeTelegram) -> None:
    (check,) = await telegram_check(settings("not-a-token", fake.api_base))
    assert check.words.startswith("TELEGRAM_TOKEN is not a bot token.")
    assert fake.requests == []


async def test_a_telegram_that_does_not_answer_is_said_and_no_error(redis_url: str, tmp_path: Path) -> None:
    async with FakeTelegram() as gone:
        away = settings(gone.token, gone.api_base, redis_url=SecretStr(redis_url), data=tmp_path)
    (check,) = await telegram_check(away)
    assert not check.ok
    assert check.words.startswith("Telegram does not answer")
    assert "TELEGRAM_API_BASE" in check.words


async def test_it_says_what_was_set_aside_and_that_another_program_takes_what_is_ours(
    fake: FakeTelegram, at_it: Settings, redis_url: str
) -> None:
    client = open_client(redis_url)
    account = str(fake.bot.id)
    inbox = RedisInbox(client)
    await inbox.take_in(account, [(5, b"{}")])
    (stored,) = await inbox.next(account, holder="it", most=1)
    await inbox.set_aside(account, Stored(stored.entry, 5, stored.raw), "KeyError")
    await RedisTelegramStore(client, retention_s=60).note(CONFLICT, "1")
    await client.aclose()
    trouble = [check for check in await telegram_check(at_it) if not check.ok]
    assert [check.optional for check in trouble] == [False, True]
    assert "another program" in trouble[0].words
    assert "1, the last at" in trouble[1].words
    assert "(KeyError)" in trouble[1].words


def test_it_counts_what_was_set_aside_and_names_each_error_once() -> None:
    aside = [SetAside(1, "KeyError", 60.0), SetAside(2, "ValueError", 0.0), SetAside(3, "KeyError", 0.0)]
    words = said(telegram_checks(settings(), replace(STANDING, aside=aside)))
    assert "3, the last at 1970-01-01 00:01 UTC (KeyError, ValueError)" in words


def test_it_says_whether_telegram_calls_or_is_asked_and_what_is_waiting() -> None:
    by_webhook = settings(telegram_webhook_url="https://bot.example")
    called = replace(STANDING, webhook="https://bot.example/telegram", waiting=2, trouble="Connection refused")
    assert "long polling" in said(telegram_checks(settings(), STANDING))
    assert "Telegram calls https://bot.example/telegram; 2 waiting" in said(telegram_checks(by_webhook, called))
    assert "Connection refused" in said(telegram_checks(by_webhook, called))
    assert [check.words for check in telegram_checks(by_webhook, STANDING) if not check.ok] == [
        "Telegram does not call https://bot.example yet; it is told to when `remixbot run` starts"
    ]


def test_a_server_of_ones_own_is_named_with_what_it_takes() -> None:
    own = settings(base="http://me:secret@files.example:8081", telegram_api_local=True)
    words = said(telegram_checks(own, STANDING))
    assert "by the server at files.example, with its larger files" in words
    assert "secret" not in words


@pytest.mark.parametrize("step", ["/newbot", "/setprivacy", "TELEGRAM_TOKEN", "TELEGRAM_WEBHOOK_URL"])
def test_readme_has_the_steps(step: str) -> None:
    assert step in README
