"""The wheel: it holds everything, installs, and the page starts from it alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "adapters", "storage")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from this checkout, without asking any registry."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (built,) = folder.glob("remixbot-*.whl")
    return built


def test_the_wheel_holds_every_committed_file_of_the_three_packages_and_nothing_else(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True)
    committed = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    untracked = {name for name in packed - committed if (ROOT / name).exists()}
    assert packed - untracked == committed


def test_the_installed_command_starts_the_page(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--no-index", "--no-deps", str(wheel)], check=True)
    (site,) = (tmp_path / "venv/lib").glob("python3*/site-packages")
    dependencies = sysconfig.get_path("purelib")
    # Our dependencies are borrowed from this environment, after the wheel's own packages: not the editable install.
    (site / "dependencies.pth").write_text(f"import sys; sys.path.append({dependencies!r})\n")

    command = [str(tmp_path / "venv/bin/remixbot"), "run", "--port", "0", "--data", str(tmp_path / "data")]
    env = {"PATH": os.environ["PATH"]}
    process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True)
    try:
        address = next(word for word in said_by(process).split() if word.startswith("http"))
        with urlopen(address) as page:
            assert b"Remixbot" in page.read()
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0


def said_by(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()
