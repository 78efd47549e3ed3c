"""The fake as a process of its own, with a page for people. It prints its address and what the bot needs to know."""

from __future__ import annotations

import argparse
import asyncio
import signal

from tests.fakes.discord.page import DiscordWithPage


async def serve(given: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with DiscordWithPage(given.port, content_intent=not given.no_content_intent) as fake:
        fake.latency_s = given.latency
        guild = fake.guild("Friends")
        for name in ("general", "pictures"):
            guild.channel(name)
        for name in ("Anna", "Ben"):
            fake.people.append(fake.user(name))
            guild.join(fake.people[-1])
        print(f"{fake.base_url}\nDISCORD_TOKEN={fake.token}", flush=True)
        print(f"DISCORD_API_BASE={fake.api_base}\nDISCORD_GATEWAY_URL={fake.gateway_url}", flush=True)
        await stopped.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.fakes.discord", description="A Discord on this machine.")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every answer takes")
    parser.add_argument("--no-content-intent", action="store_true", help="message content is not approved")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
