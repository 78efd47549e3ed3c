"""The fake as a process of its own. It prints its address on one line."""

from __future__ import annotations

import argparse
import asyncio
import signal

from tests.fakes.gemini.server import FakeGemini


async def serve(given: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with FakeGemini(given.port, delay_s=given.delay) as fake:
        fake.overloaded, fake.gone = set(given.overloaded), set(given.gone)
        fake.retiring = dict(each.split("=", 1) for each in given.retiring)
        print(fake.url, flush=True)
        await stopped.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.fakes.gemini", description="A Gemini API on this machine.")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that every answer takes")
    parser.add_argument("--overloaded", action="append", default=[], metavar="MODEL", help="always answers 503")
    parser.add_argument("--gone", action="append", default=[], metavar="MODEL", help="always answers 404")
    parser.add_argument("--retiring", action="append", default=[], metavar="MODEL=DATE", help="announces its end")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
