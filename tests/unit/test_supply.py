"""What is installed, as far as it can be told without a network. `make audit` asks for known weaknesses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.unit.test_house import LOCKS, ROOT, locked

ALLOWED = re.compile(
    r"mit|mit-0|mit-cmu|hpnd|bsd|bsd-[023]-clause|bsd-3-clause-clear|0bsd|isc|iscl|zpl.*|apache( software)?( license)?|"
    r"apache-2\.0|psf.*|python software foundation|python-2\.0|zlib|unlicense|the unlicense|mpl-2\.0|mozilla public .*|"
    r"lgpl.*|lgplv.*|gnu lesser general public .*|ofl-1\.1|sil open font license.*|cc0-1\.0|cnri-python|wtfpl",
    re.IGNORECASE,
)
"""Licences under which others may use, change and pass on what is installed beside the bot."""
SAID_ELSEWHERE = {
    "fontpkg-noto-sans": "OFL-1.1, in its folder of fonts",
    "noto-cjk-sans-otc": "OFL-1.1, in its folder of fonts",
}
"""Packages whose metadata does not say it."""


def pins(lock: str) -> dict[str, set[str]]:
    """The versions of each package: some have one for each Python."""
    found: dict[str, set[str]] = {}
    for pin, _ in locked(lock):
        found.setdefault(canonicalize_name(pin.name), set()).add(str(pin.specifier).removeprefix("=="))
    return found


def stated(name: str) -> Iterator[str]:
    """What a package says its licence is, in each of the ways there are to say it."""
    about: Any = metadata.metadata(name)
    if expression := about.get("License-Expression"):
        yield from re.split(r"\s+(?:AND|OR|WITH)\s+", expression.strip("()"))
        return
    lines = [each for each in about.get_all("Classifier") or () if each.startswith("License")]
    yield from (name for each in lines if (name := each.rpartition(" :: ")[2]) != "OSI Approved")
    if not lines and (said := about.get("License")):
        yield said.splitlines()[0]


def is_allowed(licence: str) -> bool:
    plain = re.sub(r"[()\"]|\blicen[sc]e\b|\bthe\b|\bversion\b|\d-clause (?=bsd)", "", licence, flags=re.IGNORECASE)
    plain = " ".join(plain.split()).strip(" .,")
    names = [plain, plain.split(",", maxsplit=1)[0].strip(), plain.partition(" ")[0], re.sub(r"\s", "-", plain)]
    return any(ALLOWED.fullmatch(each) for each in names if each)


def installed_of(lock: str) -> list[str]:
    there = {canonicalize_name(each.metadata["Name"]) for each in metadata.distributions() if each.metadata["Name"]}
    return sorted(there & pins(lock).keys())


def test_everything_that_runs_has_a_licence_that_others_may_live_with() -> None:
    wrong = {
        name: said
        for name in installed_of(LOCKS[0])
        if name not in SAID_ELSEWHERE and not ((said := list(stated(name))) and any(map(is_allowed, said)))
    }
    assert wrong == {}


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "AGPL-3.0", "Proprietary", "SSPL-1.0", "GNU General Public v3"])
def test_a_licence_that_is_not_on_the_list_is_found(licence: str) -> None:
    assert not is_allowed(licence)


def test_what_is_installed_is_what_is_locked() -> None:
    wanted = pins(LOCKS[1])
    differ = {
        name: (metadata.version(name), wanted[name])
        for name in installed_of(LOCKS[1])
        if metadata.version(name) not in wanted[name]
    }
    assert differ == {}
    assert len(installed_of(LOCKS[0])) > 40


def test_every_package_in_the_lock_is_asked_for_by_another_one_or_by_us() -> None:
    """Nothing came in that nobody asked for."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    asked = {canonicalize_name(Requirement(line).name) for line in lines}
    for name in installed_of(LOCKS[0]):
        asked |= {canonicalize_name(Requirement(line).name) for line in metadata.requires(name) or ()}
    assert set(installed_of(LOCKS[0])) <= asked


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_takes_packages_by_name_alone_and_no_early_versions_unasked(lock: str) -> None:
    lines = (ROOT / lock).read_text().splitlines()
    assert [line for line in lines if line.startswith("-") or " @ " in line or "git+" in line] == []
    early = {name for name, versions in pins(lock).items() for each in versions if Version(each).is_prerelease}
    assert early <= EARLY


EARLY = {
    "opentelemetry-exporter-http-transport",
    "opentelemetry-exporter-otlp-common",
    "opentelemetry-semantic-conventions",
}
"""There is no other version of them."""
