"""No secret is written, in whichever form it turns up."""

from __future__ import annotations

import base64
import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli import _log_to_stderr  # pyright: ignore[reportPrivateUsage]
from bot.redaction import LEFT, Clean, Redaction, secrets_of
from bot.settings import Settings
from tests.unit.test_house import ROOT
from tests.work import LINEAR, growth

PASSWORD = 'pä$$ "word"/+?&='
TELEGRAM = "123456789:AAHqwertyuiopasdfghjklzxcvbnm-_1234"
REDIS = "rediss://default:r3d%2Fis-pass@cache.example:6380/0"
GIVEN = Settings.model_validate(
    {
        "web_password": PASSWORD,
        "telegram_token": TELEGRAM,
        "discord_token": "discord-token-of-this-test",
        "redis_url": REDIS,
        "gemini_api_key": "gemini-key-of-this-test",
        "gemini_api_base": "https://proxy:proxy-pass@127.0.0.1/x?key=query-key",
    }
)
ENVIRON = {"AWS_SECRET_ACCESS_KEY": "aws-secret-of-this-test", "SHELL": "not-a-secret", "X_TOKEN_FILE": "/not/secret"}
SECRETS = (
    PASSWORD,
    TELEGRAM,
    TELEGRAM.partition(":")[2],
    "discord-token-of-this-test",
    "r3d%2Fis-pass",
    "gemini-key-of-this-test",
    "proxy-pass",
    "query-key",
    "aws-secret-of-this-test",
)
REDACTION = Redaction(secrets_of(GIVEN, ENVIRON))


def forms(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret), quote(secret, safe=""), quote_plus(secret), secret.upper())
    yield from (json.dumps(secret), repr(secret), secret.encode().hex())
    for before in ("", "a", "ab", "user:"):
        for after in ("", "z", ":zz", "@zzz"):
            packed = (before + secret + after).encode()
            yield base64.b64encode(packed).decode()
            yield base64.urlsafe_b64encode(packed).decode()


def traces(secret: str) -> Iterator[str]:
    """What must not be left of it: itself, and the core of its base64 forms."""
    yield secret
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret.encode()).decode().rstrip("=")
        core = whole[4:-4]
        if len(core) >= 8:
            yield core


@pytest.mark.parametrize("secret", SECRETS)
def test_no_form_of_a_secret_is_left(secret: str) -> None:
    for form in forms(secret):
        left = REDACTION.clean(f"before {form} after")
        assert LEFT in left, form
        assert [trace for trace in traces(secret) if trace.lower() in left.lower()] == [], form


@settings(max_examples=15, derandomize=True, deadline=None)
@given(secret=st.text(min_size=6, max_size=60).filter(lambda text: text == text.strip()), before=st.text(max_size=5))
def test_whatever_a_secret_is_made_of_it_goes(secret: str, before: str) -> None:
    redaction = Redaction([secret])
    for form in (secret, quote(secret), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        assert form not in redaction.clean(before + form)


def test_what_is_no_secret_stays() -> None:
    words = "turn t-12 concluded, state=done at https://example.org:8080/a?b=c (2026-11-21T10:00:00) not-a-secret"
    assert REDACTION.clean(words) == words
    assert Redaction([]).clean(words) == words
    assert Redaction(["cat"]).clean("concatenate cat") == f"concatenate {LEFT}"


def test_what_looks_like_a_secret_goes_although_nobody_named_it() -> None:
    for shape in (
        "https://api.telegram.org/bot987654321:AAEzyxwvutsrqponmlkjihgfedcba987654/getMe",
        "Bot MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.abcdefghijklmnopqrstuvwxyz0123",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "redis://:hunter2hunter2@somewhere:6379",
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIabc\n-----END EC PRIVATE KEY-----",
    ):
        left = Redaction([]).clean(f"x {shape} y")
        assert LEFT in left
        assert not any(piece in left for piece in ("AAEz", "GabcdE.abc", "SyA123", "hunter2", "MHcCAQEEI"))


@pytest.mark.parametrize(
    "almost", ["1" * 12, "a.", "://a:", "AIza", "-----BEGIN A PRIVATE KEY-----", "a" * 24 + "."], ids=repr
)
def test_texts_that_almost_look_like_a_secret_take_no_longer(almost: str) -> None:
    assert growth(REDACTION.clean, lambda size: almost * size, 200) < LINEAR


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    warnings.simplefilter("always")
    out = io.StringIO()
    logging.getLogger().handlers.clear()
    monkeypatch.setattr(sys, "stderr", cast(TextIO, Clean(out, REDACTION)))
    _log_to_stderr("debug")
    yield out
    structlog.configure(**before)
    logging.getLogger().handlers[:] = handlers


def fail(secret: str) -> None:
    raise ValueError(f"could not reach https://host/bot{secret}/getMe")


@pytest.mark.parametrize("secret", SECRETS)
def test_logs_of_all_kinds_are_clean(secret: str, written: io.StringIO) -> None:
    log, library = structlog.get_logger("x"), logging.getLogger("library")
    log.warning(
        "it broke", at=secret, among=[{"url": f"http://x/{quote(secret)}"}], raw=secret.encode(), why=KeyError(secret)
    )
    library.error("it broke at %s", secret)
    try:
        fail(secret)
    except ValueError:
        log.exception("it broke")
        library.exception("it broke", stack_info=True)
    print("said plainly:", secret, file=sys.stderr)
    text = written.getvalue()
    assert text.count("it broke") >= 4
    assert LEFT in text
    assert [form for form in forms(secret) if form in text] == []
    assert "could not reach" in text


def test_what_a_library_warns_of_is_said_without_its_words(written: io.StringIO) -> None:
    """The page's library warns of a strange form with the name of the file in it."""
    warnings.warn("bad header: cat-of-anna.png", RuntimeWarning, stacklevel=1)
    assert "a library warns" in written.getvalue()
    assert "RuntimeWarning" in written.getvalue()
    assert "cat-of-anna" not in written.getvalue()


def test_a_crash_of_the_command_shows_no_secret(tmp_path: Path) -> None:
    code = (
        "import bot.cli, structlog, sys\n"
        "settings = bot.cli._settings()\n"
        "token = settings.telegram_token.get_secret_value()\n"
        "print(token); print(token, file=sys.stderr)\n"
        "raise RuntimeError('https://host/bot' + token)\n"
    )
    environ = {"TELEGRAM_TOKEN": "short-token-of-a-test", "DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f"RuntimeError: https://host/bot{LEFT}" in done.stderr
    assert "short-token" not in done.stdout + done.stderr
    assert done.stdout.strip() == LEFT
