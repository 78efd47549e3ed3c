"""The fake as a process of its own, with a page for people. It prints what the bot needs to know."""

from __future__ import annotations

import argparse
import asyncio
import signal

from tests.fakes.telegram.page import TelegramWithPage


async def serve(given: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    fake = TelegramWithPage(
        given.port, reads_all=given.reads_all, floods=not given.no_floods, mentions_delivered=given.mentions
    )
    async with fake:
        fake.latency_s = given.latency
        fake.people = [fake.user(name) for name in ("Anna", "Ben")] + [fake.user("Clara", language="de", username="")]
        for each in fake.people:
            fake.private(each)
        fake.group("Friends", *fake.people)
        forum = fake.forum("Club", *fake.people)
        for name in ("Pictures", "Plans"):
            forum.topic(name)
        print(f"{fake.api_base}\nTELEGRAM_TOKEN={fake.token}\nTELEGRAM_API_BASE={fake.api_base}", flush=True)
        await stopped.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.fakes.telegram", description="A Telegram on this machine.")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every answer takes")
    parser.add_argument("--reads-all", action="store_true", help="privacy mode is off")
    parser.add_argument("--mentions", action="store_true", help="mentions reach the bot in groups")
    parser.add_argument("--no-floods", action="store_true", help="without the published limits")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
