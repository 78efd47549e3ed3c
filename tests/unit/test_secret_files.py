"""Secrets that stand in files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import SecretStr

from bot.cli import _settings  # pyright: ignore[reportPrivateUsage]
from bot.redaction import secrets_of
from bot.secret_files import OTHERS, BadSecretFile, bring_others, exposed_secrets
from bot.settings import Settings
from tests.unit.test_house import README

SECRETS = sorted(name for name, field in Settings.model_fields.items() if field.annotation is SecretStr)
NOTHING: dict[str, Any] = {}
VALUE = "s3cret-value-of-a-file"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)


def secret_file(folder: Path, content: bytes = f"{VALUE}\n".encode(), mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_stand_in_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{name.upper()}_FILE", str(secret_file(tmp_path)))
    assert getattr(Settings(**NOTHING), name).get_secret_value() == VALUE
    assert f"`{name.upper()}_FILE`" in README


@pytest.mark.parametrize("name", OTHERS)
def test_a_secret_that_is_no_setting_may_stand_in_a_file_and_is_taken_out_of_all_output(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "")
    monkeypatch.setenv(f"{name}_FILE", str(secret_file(tmp_path, mode=0o644)))
    for _ in range(2):
        assert VALUE in secrets_of(_settings())
    assert os.environ[name] == VALUE
    assert [words for words in exposed_secrets(Settings) if f"{name}_FILE" in words] != []
    assert f"`{name}_FILE`" in README
    with pytest.raises(BadSecretFile, match="Set one of them"):
        bring_others({f"{name}_FILE": str(tmp_path / "secret"), name: "another"})


def test_there_are_secrets_and_every_setting_that_sounds_like_one_is_one() -> None:
    words = ("password", "token", "secret", "api_key", "redis_url")
    assert {name for name in Settings.model_fields if any(word in name for word in words)} <= set(SECRETS)
    assert len(SECRETS) >= 5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has to hold one line"),
        (b" \n", "has to hold one line"),
        (b"a" * 70_000, "has to hold one line"),
        (f"{VALUE}\nmore".encode(), "has to hold one line"),
        (b"\xff" + VALUE.encode(), "is no text"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_in_words_without_what_stands_in_it(
    content: bytes | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret" if content is None else secret_file(tmp_path, content)
    monkeypatch.setenv("TELEGRAM_TOKEN_FILE", str(path))
    with pytest.raises(BadSecretFile, match=words) as raised:
        Settings(**NOTHING)
    assert "TELEGRAM_TOKEN_FILE" in str(raised.value)
    assert VALUE not in repr(raised.value)


def test_one_secret_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PASSWORD_FILE", str(secret_file(tmp_path)))
    monkeypatch.setenv("WEB_PASSWORD", "another")
    with pytest.raises(BadSecretFile, match="Set one of them"):
        Settings(**NOTHING)


@pytest.mark.parametrize(("mode", "troubles"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1), (0o644, 1)])
def test_a_file_that_others_can_read_is_said(mode: int, troubles: int, tmp_path: Path) -> None:
    environ = {"DISCORD_TOKEN_FILE": str(secret_file(tmp_path, mode=mode))}
    said = exposed_secrets(Settings, environ)
    assert len(said) == troubles
    assert all("DISCORD_TOKEN_FILE" in words for words in said)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("WEB_PASSWORD_FILE", "/nowhere/at/all", "The file that WEB_PASSWORD_FILE names cannot be read"),
        ("GEMINI_MODELS", f"{{{VALUE}", "The setting GEMINI_MODELS cannot be used: it has to be JSON."),
        ("PORT", VALUE, "The setting PORT cannot be used"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(typer.Exit):
        _settings()
    out, said = capsys.readouterr()
    assert (out, len(said.splitlines())) == ("", 1)
    assert said.startswith(words)
    assert VALUE not in said
