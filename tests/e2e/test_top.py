"""`remixbot top` on a terminal: one that is real, and can be pulled larger."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from signal import SIGKILL
from typing import Any

from bot import top
from bot.terminal import frame
from tests.fleet import ROOT, Valkey

PATIENCE_S = 60
RUN = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that keys and a new size are signals
from bot.cli import main
sys.exit(main())
"""


class Terminal:
    """What a program shows on a terminal of its own."""

    def __init__(self, *command: str, env: dict[str, str], width: int, height: int) -> None:
        self.said = b""
        self._ours, theirs = pty.openpty()
        self.resize(width, height)
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **env},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        asyncio.get_running_loop().add_reader(self._ours, self._read)

    def _read(self) -> None:
        try:
            self.said += os.read(self._ours, 65536)
        except OSError:  # its other end is closed
            asyncio.get_running_loop().remove_reader(self._ours)

    async def interrupted(self) -> int:
        """Its exit status, once Ctrl+C has ended it: pressed again where that takes long, as people do."""
        for _ in range(PATIENCE_S // 5):
            self.press(b"\x03")
            with contextlib.suppress(subprocess.TimeoutExpired):
                return await asyncio.to_thread(self.process.wait, 5)
        raise AssertionError("it does not end")

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    @property
    def text(self) -> str:
        return self.said.decode(errors="replace")

    @property
    def page(self) -> list[str]:
        """The lines of the last frame that is whole."""
        frames = re.findall(r"\x1b\[H(.*?)\x1b\[J", self.text, re.DOTALL)
        return [line.replace("\x1b[K", "").rstrip("\r") for line in frames[-1].split("\n")] if frames else []

    async def until(self, holds: Callable[[list[str]], Any]) -> list[str]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not holds(self.page):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(self.text[-3000:]) from None
        return self.page

    async def away(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        await asyncio.to_thread(self.process.wait)
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)


@contextlib.asynccontextmanager
async def shown(folder: Path, url: str, *, width: int, height: int, every_s: float = 0.5) -> AsyncGenerator[Terminal]:
    command = [sys.executable, "-c", RUN, "top", "--every", str(every_s), "--data", str(folder)]
    terminal = Terminal(*command, env={"REDIS_URL": url}, width=width, height=height)
    try:
        yield terminal
    finally:
        await terminal.away()


async def test_it_follows_the_window_at_once(redis_url: str, tmp_path: Path) -> None:
    async with shown(tmp_path, redis_url, width=80, height=24, every_s=600) as terminal:
        await terminal.until(lambda page: any("process" in line for line in page))
        terminal.resize(50, 8)
        page = await terminal.until(lambda page: len(page) <= 8)
        assert "more lines" in page[-1]
        assert max(len(line) for line in page) < 50
        terminal.resize(120, 40)
        await terminal.until(lambda page: len(page) > 8 and "more lines" not in page[-1])


async def test_it_outlives_the_database_and_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    valkey = Valkey(tmp_path)
    await valkey.start()
    try:
        async with shown(tmp_path / "data", valkey.url, width=80, height=24) as terminal:
            page = await terminal.until(lambda page: any("process" in line for line in page))
            assert page[0].startswith("remixbot top")
            assert max(len(line) for line in page) < 80
            assert terminal.text.startswith("\x1b[?1049h")

            await valkey.end(SIGKILL)
            page = await terminal.until(lambda page: page[0].startswith("! The database does not answer"))
            assert page[2].startswith("remixbot top")  # what was seen last
            await valkey.begin_again()
            await terminal.until(lambda page: page[0].startswith("remixbot top"))

            assert await terminal.interrupted() == 1
            await asyncio.sleep(0.1)
            after = terminal.text.rpartition("\x1b[J")[2]
            assert "\x1b[?25h\x1b[?1049l" in after
            assert "Traceback" not in terminal.text
    finally:
        await valkey.away()


# --- what is sent to a terminal


def test_no_line_goes_over_the_edge_and_none_is_scrolled_away() -> None:
    assert frame(["a" * 10, "b"], width=10, height=2) == f"\x1b[H{'a' * 10}\x1b[K\nb\x1b[K\x1b[J"
    assert frame(["a" * 11], width=10, height=2) == f"\x1b[H{'a' * 9}…\x1b[K\x1b[J"
    lines = [str(number) for number in range(10)]
    sent = frame(lines, width=79, height=4)
    assert sent.count("\n") == 3
    assert "… 7 more lines" in sent
    assert frame(lines, width=79, height=10).count("more lines") == 0


def seen(**given: object) -> dict[str, Any]:
    nothing: dict[str, Any] = {"p50": None, "p95": None}
    process = {"role": "worker", "version": "1.0", "slots": 8, "busy": 1, "up_s": 5, "stall_ms": 1.0, "redis_ms": 1.0}
    return {
        "at": 0.0,
        "ai_edits": True,
        "admitted": 1,
        "slots": 8,
        "open": 3,
        "unsettled_messages": 0,
        "inbox": {"telegram": 5, "discord": 7},
        "waiting": {"line": 3, "parent": 4, "consent": 5, "line: server": 6},
        "oldest_waiting_s": 5.0,
        "queue_wait_s": nothing,
        "reply_s": nothing,
        "minutes": 5,
        "spent_usd": {name: {"used": 12.5, "cap": 1000.0} for name in ("ten minutes", "today", "this month")},
        "processes": [
            {**process, "name": f"some-host-with-a-long-name-{number}-12ab34cd", "troubles": {}} for number in (1, 2)
        ],
        "ended": {},
        "errors": {},
        "running": [],
        "stuck": [],
        "models": [],
        **given,
    }


def test_on_eighty_columns_nothing_of_the_head_and_the_processes_is_lost() -> None:
    lines = top.lines(seen(), width=79)
    assert max(len(line) for line in lines) < 80
    said = " ".join(" ".join(lines).split())
    assert "this month $12.50 of $1000.00" in said
    assert "discord inbox 7" in said
    assert [each for each in ("-1-12ab34cd", "-2-12ab34cd") if each not in said] == []


def test_what_is_stuck_stands_above_what_a_low_window_cuts_off() -> None:
    stuck = [{"turn": f"turn-{number}", "kind": "endless", "age_s": 700.0} for number in range(14)]
    lines = top.lines(seen(stuck=stuck), width=79)
    where = next(number for number, line in enumerate(lines) if line.startswith("STUCK"))
    assert where < next(number for number, line in enumerate(lines) if line.startswith("process"))
    assert "  and 2 more" in lines
