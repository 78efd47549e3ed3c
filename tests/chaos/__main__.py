"""Everything that `make chaos` does: every kill, every boundary × every fault on three platforms, thousands of turns,
and a store that forgets. The tables go to docs/chaos.md; what they are made of stays in build/chaos.

    make chaos                        # all of it, more than an hour
    make chaos ARGS="--only tables"   # write the tables anew from what is there
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.chaos import tables
from tests.fleet import ROOT

PLATFORMS = {"web": 3, "discord": 1, "telegram": 1}
"""In how many parts each is met, all of them side by side. What a fleet does most is wait."""


def parts(folder: Path) -> dict[str, list[list[str]]]:
    """What is run, side by side where there are several."""
    crowd = ["tests.chaos.crowd"]
    kills = ["--minutes", "7", "--pause", "150", "--kill-every", "60", "--delay", "3"]
    return {
        "kills": [["pytest", "--quiet", "-m", "chaos", "--numprocesses=auto"]],
        "matrix": [
            [
                "tests.chaos.matrix",
                "--platform",
                each,
                "--part",
                f"{number}/{parts}",
                "--rows",
                f"{folder}/{each}.jsonl",
            ]
            for each, parts in PLATFORMS.items()
            for number in range(1, parts + 1)
        ],
        "crowd": [[*crowd, "--turns", "2000", "--seed", "8", "--out", str(folder / "crowd.json")]],
        "many": [[*crowd, "--chats", "200", *kills, "--seed", "200", "--out", str(folder / "many.json")]],
        "losing": [["tests.chaos.losing", "--out", str(folder / "losing.json")]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="make chaos")
    folder = ROOT / "build" / "chaos"
    every = parts(folder)
    parser.add_argument("--only", default="", choices=("", "tables", *every))
    parser.add_argument("--go-on", action="store_true", help="keep the cells that are well, and meet the others")
    given = parser.parse_args()
    folder.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    for name, commands in every.items():
        if given.only not in ("", name):
            continue
        if name == "matrix" and not given.go_on:
            for each in PLATFORMS:
                (folder / f"{each}.jsonl").unlink(missing_ok=True)
        running = [subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT) for command in commands]
        ends = [each.wait() for each in running]
        if any(ends):
            wrong.append(name)
    (ROOT / "docs" / "chaos.md").write_text(tables.page(folder))
    if wrong:
        sys.exit(f"Not all of it is well: {', '.join(wrong)}. See above and docs/chaos.md.")


if __name__ == "__main__":
    main()
