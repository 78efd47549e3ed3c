"""The house itself: names, locks, files that say something about the code."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import SecretStr

from bot.settings import Settings, default_data_folder

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
README = (ROOT / "README.md").read_text()
LOCKS = ("requirements.lock", "requirements-dev.lock")


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


# --- names


@pytest.mark.parametrize("name", ["adapters", "bot", "storage"])
def test_the_three_names_that_others_use_too_are_ours(name: str) -> None:
    assert importlib.import_module(name).__file__ == str(ROOT / name / "__init__.py")


def test_every_layer_stands_in_the_import_rules() -> None:
    layers = re.findall(r"[\w.]+", " ".join(PYPROJECT["tool"]["importlinter"]["contracts"][0]["layers"]))
    modules = {f"bot.{path.stem}" for path in (ROOT / "bot").iterdir() if not path.stem.startswith("__")}
    assert modules - {"bot.settings", "bot.locale"} == {name for name in layers if name.startswith("bot.")}
    assert {"adapters", "storage"} <= set(layers)


def test_the_manifest_installs_one_command_and_three_packages() -> None:
    assert PYPROJECT["project"]["scripts"] == {"remixbot": "bot.cli:main"}
    assert PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["bot", "adapters", "storage"]


# --- the locks


def locked(name: str) -> list[tuple[Requirement, list[str]]]:
    """Each requirement with its hashes."""
    entries = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
    split = [re.split(r"\s+--hash=", entry) for entry in entries]
    return [(Requirement(first), hashes) for first, *hashes in split]


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_is_one_version_with_hashes(name: str) -> None:
    for requirement, hashes in locked(name):
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each.strip()) for each in hashes), requirement


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_no_address(name: str) -> None:
    assert "://" not in (ROOT / name).read_text()


def wanted(*groups: str) -> list[Requirement]:
    lines = [line for group in groups for line in PYPROJECT["dependency-groups"][group]]
    return [Requirement(line) for line in [*PYPROJECT["project"]["dependencies"], *lines]]


@pytest.mark.parametrize(("name", "groups"), [(LOCKS[0], ("build",)), (LOCKS[1], ("build", "dev"))])
def test_what_the_manifest_asks_for_is_locked_within_its_range(name: str, groups: tuple[str, ...]) -> None:
    pins = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin, _ in locked(name)}
    for requirement in wanted(*groups):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_both_locks_agree() -> None:
    assert {str(pin) for pin, _ in locked(LOCKS[0])} <= {str(pin) for pin, _ in locked(LOCKS[1])}


# --- what must not be committed


def test_no_file_names_a_registry_or_a_path_of_somebodys_machine() -> None:
    registries = rb"files\.pythonhosted|pypi\.org|registry\.npmjs|proxy\.golang|index-url"
    unwanted = re.compile(registries + rb"|(?<![\w/}.])/(?:home|Users|root|work)/\w")
    texts = [path for path in committed() if path.suffix not in {".jpg", ".png", ".webp"} and path != Path(__file__)]
    assert [path.name for path in texts if unwanted.search(path.read_bytes())] == []


# --- the documents


def shown_default(name: str) -> str:
    value = Settings.model_fields[name].get_default(call_default_factory=True, validated_data={})
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        shown = str(value).lower()
    else:
        shown = ",".join(value) if isinstance(value, tuple) else "" if value == {} else str(value)
    shown = shown.replace(str(default_data_folder()), "~/.local/share/remixbot")
    return f"`{shown}`" if shown else ""


def settings_table() -> str:
    """What README's table has to be."""
    rows = [
        f"| `{name.upper()}` | {shown_default(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | default | what for |", "| --- | --- | --- |", *rows])


def test_readme_lists_every_setting_with_its_default() -> None:
    table = re.search(r"<!-- settings:.*?-->\n(.*?)\n<!-- end of settings -->", README, re.DOTALL)
    assert table is not None
    assert table[1] == settings_table()


def shell_lines(document: str) -> list[str]:
    return [line for block in re.findall(r"```sh\n(.*?)```", document, re.DOTALL) for line in block.splitlines()]


def test_readme_shows_the_two_commands_first() -> None:
    assert [line for line in shell_lines(README) if line.startswith("make ")] == ["make run", "make test"]


@pytest.mark.parametrize("line", [line for line in shell_lines(README) if line.startswith("make ")])
def test_each_make_command_in_readme_is_one(line: str) -> None:
    subprocess.run([*line.split(), "--dry-run"], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("line", [line for line in shell_lines(README) if not line.startswith("make ")])
def test_each_other_command_in_readme_works(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = Path(sys.executable).parent / "remixbot"
    assert line.startswith(".venv/bin/remixbot ")
    for name in ("photo.jpg", "out.png"):
        shutil.copy(ROOT / "adapters/web/static/samples/cat.jpg", tmp_path / name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    subprocess.run(line.replace(".venv/bin/remixbot", str(command)), cwd=tmp_path, check=True, shell=True)


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md"])
def test_what_a_document_links_to_is_there(name: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)|<img src=\"([^\"]+)\"", (ROOT / name).read_text())
    assert [link for found in links for link in found if not (ROOT / link).exists()] == []


def test_architecture_names_only_what_is_there() -> None:
    named = re.findall(r"`((?:bot|adapters|storage|tests|docs)/[\w./-]*)`", (ROOT / "ARCHITECTURE.md").read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert len(named) > 10


@pytest.mark.parametrize("path", sorted((ROOT / "docs/adr").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_fits_on_a_page_and_has_its_four_parts(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 40
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Given up"]
