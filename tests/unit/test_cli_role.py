"""Which part of the work a process takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from bot.cli import cli
from bot.settings import Role, Settings, role_trouble


def settings(**given: object) -> Settings:
    return Settings(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ["gateway", "worker"])
def test_a_part_without_a_database_to_share_is_refused_in_words(
    role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    done = CliRunner().invoke(cli, ["run", "--role", role, "--data", str(tmp_path / "data")])
    assert done.exit_code == 2
    assert f"“{role}”" in done.stderr
    assert "set REDIS_URL" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_part_that_is_none_is_refused_with_those_that_are(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["run", "--role", "boss", "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert all(f"'{role.value}'" in done.stderr for role in Role)


@pytest.mark.parametrize("role", Role)
def test_with_a_database_to_share_every_part_can_be_played(role: Role) -> None:
    assert role_trouble(settings(redis_url=SecretStr("redis://somewhere")), role) == ""


def test_one_process_alone_needs_no_database_of_its_own() -> None:
    assert role_trouble(settings(redis_url=SecretStr("")), Role.ALL) == ""
