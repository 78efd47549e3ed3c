"""What Discord costs us, beside discord.py alone. Prints ratios taken in one run; nothing here passes or fails by a
clock.

    python -m tests.bench.discord                          all of it, about six minutes
    python -m tests.bench.discord --only turns --rounds 4  one part, quicker

Method (see docs/benchmarks.md): ours and the floor each in a process of its own with a fake Discord of its own in
another one, the database in one more; in turn in short rounds; medians of the rounds; processor time of the measured
process alone. The floor is a discord.py client that replies with the same words and button, and then edits its reply
with the same bytes, words and buttons.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import io
import itertools
import json
import logging
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import discord
import structlog
import yarl
from aiohttp import web

from bot.domain.messages import Answer, InboundMessage
from bot.domain.refs import MessageRef, TurnId
from bot.domain.turns import FINAL_STATES
from bot.ending import end
from bot.engines.exact import ExactEngine
from bot.ports import Engine
from storage.valkey.server import embedded_valkey
from tests.bench.held import KINDS, WAIT_S, Bot, Child, Gate, HeldEngine, marked, picture, resident_bytes
from tests.fakes.discord import Channel, FakeDiscord, Guild, Json, Message, Permission
from tests.fakes.discord import gateway as fake_gateway
from tests.fakes.discord.payloads import member_json
from tests.rig import living_in

AT_ONCE = 24
"""Messages of one round, each in a channel and by a person of its own."""
ONE_BY_ONE = 12
GUILDS, CHANNELS, ROLES, MEMBERS, EMOJIS = 1000, 30, 20, 3, 50
STORM_GUILDS, STORM_MESSAGES, STORM_EDITS = 200, 2000, 200


# --- the other side: a Discord in a process of its own


class BenchDiscord(FakeDiscord):
    """Told by `POST /bench/…` what people say; answers when the bot has answered. Seconds are of one clock: its own."""

    def __init__(self, *, rate_limits: bool) -> None:
        super().__init__(check_schema=False, rate_limits=rate_limits)
        self.photos = {kind: picture(kind).data for kind in KINDS}
        self.said: dict[str, float] = {}
        self.reserved: dict[str, float] = {}
        self.filled: dict[str, float] = {}
        self.replies: Counter[str] = Counter()
        self.last: Message | None = None
        self._numbers = itertools.count()
        self._rooms: list[Channel] = []
        self._people = [self.user(f"Person {number}") for number in range(AT_ONCE)]

    def add_routes(self, app: web.Application) -> None:
        for name in ("heard", "say", "filled", "quiet", "storm", "answer"):
            app.router.add_post(f"/bench/{name}", getattr(self, f"_on_{name}"))

    def furnish(self, guilds: int) -> None:
        """Servers of a usual size; the first one has a channel for each message of a round."""
        for number in range(guilds):
            guild = self.guild(f"Server {number}")
            roles = [guild.role(f"Role {each}") for each in range(ROLES)]
            for person in self._people[: MEMBERS - 1]:
                guild.join(person, *roles[:3])
            for each in range(CHANNELS):
                channel = guild.channel(f"channel-{each}")
                channel.allow(roles[0], Permission.SEND_MESSAGES)
                channel.deny(roles[1], Permission.SEND_MESSAGES)

    def rooms(self) -> list[Channel]:
        if not self._rooms:
            guild = self.guild("Friends")
            self._rooms = [guild.channel(f"pictures-{number}") for number in range(AT_ONCE)]
        return self._rooms

    def post(self, message: Message, *, announce: bool = True) -> Message:
        if message.author.is_the_bot and message.reply_to:
            self.replies[message.reply_to] += 1
            self.reserved.setdefault(message.reply_to, time.monotonic())
        return super().post(message, announce=announce)

    def edited(self, message: Message, *, by_user: bool = True) -> None:
        if message.author.is_the_bot and message.attachments:
            self.filled.setdefault(message.reply_to, time.monotonic())
            self.last = message
        super().edited(message, by_user=by_user)

    async def _ask(self, number: int, channel: Channel, kind: str) -> None:
        person = self._people[number % AT_ONCE]
        files = [(f"photo.{kind}", marked(self.photos[kind], next(self._numbers)))]
        at = time.monotonic()
        said = await person.says(channel, "put a hat on her", files=files, mentions=[self.bot])
        self.said[said.id] = at

    async def _on_heard(self, _: web.Request) -> web.Response:
        """Answers when somebody listens who was told of every server."""
        await self.until(
            lambda: any(each.names.count("GUILD_CREATE") >= len(self.guilds) for each in self.gateway.connected),
            within_s=WAIT_S,
        )
        return web.json_response(len(self.guilds))

    async def _on_say(self, request: web.Request) -> web.Response:
        """A round's messages at once; answers when each has its reply, with the seconds that each took."""
        self._forget()
        count, kind = int(request.query["count"]), request.query["kind"]
        rooms = self.rooms()
        for number in range(count):
            await self._ask(number, rooms[number], kind)
        await self.until(lambda: self.reserved.keys() >= self.said.keys(), within_s=WAIT_S)
        return web.json_response([self.reserved[each] - at for each, at in self.said.items()])

    async def _on_filled(self, _: web.Request) -> web.Response:
        await self.until(lambda: self.filled.keys() >= self.said.keys(), within_s=WAIT_S)
        return web.json_response([self.filled[each] - at for each, at in self.said.items()])

    async def _on_quiet(self, _: web.Request) -> web.Response:
        """Answers when nothing was asked for a while."""
        before = -1
        while before != (before := len(self.requests) + len(self.downloads)):
            await asyncio.sleep(0.3)
        return web.json_response(len(self.requests))

    async def _on_answer(self, _: web.Request) -> web.Response:
        """The last reply that has a picture."""
        assert self.last is not None
        buttons = [[each["custom_id"], each.get("label"), each["style"]] for each in self.last.controls()
                   if each["type"] == 2]  # fmt: skip
        headers = {"X-Words": json.dumps([self.last.content, buttons, self.last.attachments[0].description])}
        return web.Response(body=self.last.attachments[0].data, headers=headers)

    def _forget(self) -> None:
        """What earlier rounds left behind, a megabyte each."""
        for each in (self.requests, self.downloads, self.attachments, self.said, self.reserved, self.filled):
            each.clear()
        for room in self._rooms:
            room.log.clear()
        self.messages.clear()

    async def _on_storm(self, _: web.Request) -> web.Response:
        """Everything is said at once. Answers when every edit has its picture and nothing more comes."""
        guilds = list(self.guilds.values())
        channels = [next(iter(guild.channels.values())) for guild in guilds]
        at = time.monotonic()
        for number in range(STORM_MESSAGES):
            channel = channels[number % len(channels)]
            if number % (STORM_MESSAGES // STORM_EDITS) == number // len(channels):
                await self._ask(number, channel, "jpeg")
            else:
                await self._people[number % AT_ONCE].says(channel, f"chatter {number}")
        said_s = time.monotonic() - at
        with contextlib.suppress(TimeoutError):
            await self.until(lambda: self.filled.keys() >= self.said.keys(), within_s=WAIT_S)
        await self._on_quiet(_)
        refused = [each for each in self.requests if each.status == 429]
        told = {
            "edits": len(self.said),
            "channels": len(channels),
            "said_s": said_s,
            "reserved_s": sorted(self.reserved[each] - at for each in self.said if each in self.reserved),
            "filled_s": sorted(self.filled[each] - at for each in self.said if each in self.filled),
            "replies": list(self.replies.values()),
            "beside": len(self.replies.keys() - self.said.keys()),
            "requests": Counter(f"{each.method} {re.sub('[0-9]+', '…', each.path)}" for each in self.requests),
            "refused": Counter("everywhere" if each.answer["global"] else "one route" for each in refused),
            "invalid": Counter(each.status for each in self.requests if each.status in (401, 403)),
        }
        return web.json_response(told)


def large(build: Callable[[Guild], Json]) -> Callable[[Guild], Json]:
    """GUILD_CREATE as a server in use has it: emojis, topics, some members."""
    emojis = [{"id": str(10**18 + n), "name": f"emoji_{n}", "roles": [], "require_colons": True, "managed": False,
               "animated": False, "available": True} for n in range(EMOJIS)]  # fmt: skip

    def built(guild: Guild) -> Json:
        found = build(guild) | {"emojis": emojis, "members": [member_json(each) for each in guild.members.values()]}
        for each in found["channels"]:
            each["topic"] = f"What we talk about in {each['name']}, and what we do not. Be kind."
        return found

    return built


async def serve(given: argparse.Namespace) -> None:
    # A server in use says more of itself than the fake does.
    module: Any = fake_gateway
    module.guild_json = large(module.guild_json)
    async with BenchDiscord(rate_limits=given.rate_limits) as fake:
        if given.guilds:
            fake.furnish(given.guilds)
        else:
            fake.rooms()
        print(json.dumps([fake.base_url, fake.api_base, fake.gateway_url, fake.token, len(fake.guilds)]), flush=True)
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the fake Discord is."""

    base_url: str
    api_base: str
    gateway_url: str
    token: str
    guilds: int


class Told:
    """Says there what people are to say."""

    def __init__(self, place: Place, session: aiohttp.ClientSession) -> None:
        self._place, self._session = place, session

    async def __call__(self, name: str, **query: Any) -> Any:
        async with self._session.post(f"{self._place.base_url}/bench/{name}", params=query) as response:
            response.raise_for_status()
            return await response.json()

    async def keep_answer(self, path: Path) -> None:
        async with self._session.post(f"{self._place.base_url}/bench/answer") as response:
            data = await response.read()
            await asyncio.to_thread(path.write_bytes, data)
            await asyncio.to_thread(path.with_suffix(".json").write_text, response.headers["X-Words"])


# --- what is measured


@asynccontextmanager
async def ours(place: Place, folder: Path, bot: Bot, **more: Any) -> Any:
    engine = HeldEngine()
    engine.bot, engine.pictures = bot, {kind: picture(kind) for kind in KINDS}
    settings: dict[str, Any] = {
        "discord_token": place.token, "discord_api_base": place.api_base, "discord_gateway_url": place.gateway_url,
        "slots": AT_ONCE, "person_turns": AT_ONCE, "person_day_usd": 1e6, "chat_day_usd": 1e6, "house_day_usd": 1e6,
        "house_month_usd": 1e6, "house_ten_minutes_usd": 1e6,
    } | more  # fmt: skip
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(embedded_valkey(folder / "database"))
        engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": engine}
        rig = await stack.enter_async_context(living_in(url, folder, engines, **settings))
        account = rig.house.discord
        assert account is not None
        platform: Any = account.platform
        reserve, fill = platform.reserve, platform.fill

        async def reserve_and_wait(message: InboundMessage, turn: TurnId) -> MessageRef:
            reply: MessageRef = await reserve(message, turn)
            await bot.reserved()
            return reply

        async def fill_and_wait(reply: MessageRef, answer: Answer) -> None:
            final = answer.state in FINAL_STATES
            if final:
                await bot.ready()
            await fill(reply, answer)
            if final:
                await bot.filled()

        platform.reserve, platform.fill = reserve_and_wait, fill_and_wait
        gateway = asyncio.create_task(account.door_in(rig.house.reception).run())
        try:
            yield
        finally:
            await end(gateway)


class Floor(discord.Client):
    """The same replies by the library's own means, and nothing else."""

    def __init__(self, bot: Bot, folder: Path) -> None:
        super().__init__(intents=usual_intents())
        self._bot = bot
        self._answers: dict[str, tuple[bytes, Any]] = {}
        for kind in KINDS:
            path = folder / f"answer.{kind}"
            if path.exists():
                self._answers[kind] = (path.read_bytes(), json.loads(path.with_suffix(".json").read_text()))
        self.has_all = asyncio.Event()

    async def on_ready(self) -> None:
        self.has_all.set()

    async def on_message(self, message: discord.Message) -> None:
        if message.author.bot or self.user not in message.mentions:
            return
        view = buttons([[f"cancel-{message.id}", "Cancel", 2]])
        reply = await message.reply("On its way.", view=view, mention_author=False, suppress_embeds=True)
        await self._bot.reserved()
        await self._bot.engine()
        await self._bot.ready()
        data, (words, controls, alt) = self._answers[self._bot.kind]
        file = discord.File(io.BytesIO(data), filename=f"edit.{self._bot.kind}", description=alt)
        view = buttons([[f"{key}-{message.id}"[-90:], label, style] for key, label, style in controls])
        await reply.edit(content=words, attachments=[file], view=view)
        await self._bot.filled()


def buttons(of: Sequence[Sequence[Any]]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for key, label, style in of:
        view.add_item(discord.ui.Button(custom_id=key, label=label, style=discord.ButtonStyle(style)))
    return view


def usual_intents() -> discord.Intents:
    intents = discord.Intents.default()
    intents.message_content = True
    return intents


@asynccontextmanager
async def floor(place: Place, folder: Path, bot: Bot) -> Any:
    discord.http.Route.BASE = place.api_base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(place.gateway_url)
    async with Floor(bot, folder) as client:
        running = asyncio.create_task(client.start(place.token))
        await client.has_all.wait()
        try:
            yield
        finally:
            await end(running)


CLIENTS: dict[str, Callable[..., AbstractAsyncContextManager[None]]] = {"ours": ours, "floor": floor}


class Rounds:
    """What the measured process does when it is told to."""

    def __init__(self, tell: Told, bot: Bot, folder: Path) -> None:
        self._tell, self._bot, self._folder = tell, bot, folder
        self.profile = cProfile.Profile(time.process_time)
        self.profiles = ""

    @contextmanager
    def _window(self, name: str, spent: Json) -> Iterator[None]:
        """One of the spans of a round: its processor seconds per message."""
        before_s = time.process_time()
        if self.profiles == name:
            self.profile.enable()
        try:
            yield
        finally:
            self.profile.disable()
            spent[name] = (time.process_time() - before_s) / AT_ONCE

    async def turns(self, kind: str) -> Json:
        """Processor seconds per message: until all replies are reserved; until all wait for their engine; from the
        engines' answers until all are labelled and stored; until all are filled; and what is still done afterwards."""
        bot = self._bot
        bot.kind = kind
        bot.shut()
        spent: Json = {}
        with self._window("reserving", spent):
            await self._tell("say", count=AT_ONCE, kind=kind)
            await bot.reserved.reached_by(AT_ONCE)
        with self._window("between", spent):
            bot.reserved.open()
            await bot.engine.reached_by(AT_ONCE)
            await self._tell("quiet")
        with self._window("labelling", spent):
            bot.engine.open()
            await bot.ready.reached_by(AT_ONCE)
        with self._window("posting", spent):
            bot.ready.open()
            await bot.filled.reached_by(AT_ONCE)
        with self._window("after", spent):
            bot.open()
            await self._tell("quiet")
        spent["filling"] = spent["labelling"] + spent["posting"]
        return spent

    async def waits(self, kind: str) -> Json:
        """Seconds until the reply is there, and until it is filled: one at a time."""
        self._bot.kind = kind
        reserved, filled = list[float](), list[float]()
        for _ in range(ONE_BY_ONE):
            reserved += await self._tell("say", count=1, kind=kind)
            filled += await self._tell("filled")
            await asyncio.sleep(0.02)
        return {"reserved": reserved, "filled": filled}

    async def warm(self, kind: str) -> Json:
        self._bot.kind = kind
        await self._tell("say", count=AT_ONCE, kind=kind)
        await self._tell("filled")
        await self._tell("quiet")
        await self._tell.keep_answer(self._folder / f"answer.{kind}")
        return {}

    async def idle(self, _: str) -> Json:
        """Resident bytes, once nothing happens any more."""
        before_s = -1.0
        while before_s < (now_s := time.process_time()) - 0.1:
            before_s = now_s
            await asyncio.sleep(2)
        return {"bytes": resident_bytes()}

    async def storm(self, _: str) -> Json:
        before_s = time.process_time()
        told: Json = await self._tell("storm")
        told["cpu_s"] = time.process_time() - before_s
        told["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return told


async def measure(given: argparse.Namespace) -> None:
    """Does what its input says, a line each, and answers each with a line."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    place = Place(*json.loads(given.place))
    bot = Bot(Gate(), Gate(), Gate(), Gate())
    own = given.folder / given.client
    own.mkdir(exist_ok=True)
    more = {"slots": 8} if given.usual else {}
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        CLIENTS[given.client](place, own if given.client == "ours" else given.folder, bot, **more),
    ):
        tell = Told(place, session)
        await tell("heard")
        await asyncio.sleep(1)
        rounds = Rounds(tell, bot, given.folder)
        rounds.profiles = given.profile_window if given.profile else ""
        print("{}", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            name, kind = line.split()
            answer: Json = await getattr(rounds, name)(kind)
            print(json.dumps(answer), flush=True)
        if given.profile:
            rounds.profile.dump_stats(given.profile)


# --- the run


def started(*arguments: str) -> subprocess.Popen[str]:
    whole = [sys.executable, "-m", "tests.bench.discord", *arguments]
    return subprocess.Popen(whole, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def child(client: str, folder: Path, *more: str, guilds: int = 0, rate_limits: bool = False) -> Iterator[Child]:
    fake = started("--serve", "--guilds", str(guilds), *(["--rate-limits"] if rate_limits else []))
    measured: subprocess.Popen[str] | None = None
    try:
        assert fake.stdout is not None
        place = fake.stdout.readline().strip()
        measured = started("--measure", "--client", client, "--place", place, "--folder", str(folder), *more)
        found = Child(measured)
        found.answer()
        yield found
    finally:
        if measured is not None and measured.stdin is not None:
            measured.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                measured.wait(30)
            measured.kill()
            measured.wait()
        fake.kill()
        fake.wait()


def turns(folder: Path, rounds: int, profile: str, window: str) -> None:
    more = ["--profile", profile, "--profile-window", window] if profile else []
    with child("ours", folder, *more) as mine:
        for kind in KINDS:
            mine("warm", kind)
            print(f"  {kind}: {(folder / f'answer.{kind}').stat().st_size / 1e6:.2f} MB are posted")
        with child("floor", folder) as bare:
            children = {"ours": mine, "floor": bare}
            for kind in KINDS:
                bare("warm", kind)
            measured: dict[str, dict[str, list[Json]]] = {kind: {name: [] for name in children} for kind in KINDS}
            for _ in range(rounds):
                for kind, name in itertools.product(KINDS, children):
                    measured[kind][name].append(children[name]("turns", kind))
            for kind, each in measured.items():
                say_turns(kind, each)
            waited: dict[str, list[Json]] = {name: [] for name in children}
            for kind, name in itertools.product(list(KINDS) * (max(2, rounds) // 2), children):
                waited[name].append(children[name]("waits", kind))
            say_waits(waited)


def say_turns(kind: str, measured: dict[str, list[Json]]) -> None:
    for what in ("reserving", "filling", "posting"):
        mine, bare = ([each[what] * 1e3 for each in measured[name]] for name in ("ours", "floor"))
        ratios = sorted(a / b for a, b in zip(mine, bare, strict=True))
        print(
            f"  {kind:5} {what:10} ours {statistics.median(mine):6.2f} ms   floor {statistics.median(bare):6.2f} ms   "
            f"ours/floor = {statistics.median(mine) / statistics.median(bare):.2f} "
            f"(rounds {ratios[0]:.2f} to {ratios[-1]:.2f})"
        )
    rest = {
        what: statistics.median(each[what] * 1e3 for each in measured["ours"])
        for what in ("between", "labelling", "after")
    }
    print(
        f"  {kind:5} of filling, {rest['labelling']:.2f} ms go to the label, its file and the turn's record (then "
        f"posting); outside both are {rest['between']:.2f} ms to fetch, check, submit and begin, and "
        f"{rest['after']:.2f} ms afterwards",
        flush=True,
    )


def say_waits(waited: dict[str, list[Json]]) -> None:
    for what, name in itertools.product(("reserved", "filled"), waited):
        all_ms = sorted(each * 1e3 for one in waited[name] for each in one[what])
        print(
            f"  until {what:9} {name:6} median {statistics.median(all_ms):6.1f} ms   "
            f"95 % under {all_ms[int(len(all_ms) * 0.95)]:6.1f} ms   ({len(all_ms)} one at a time)",
            flush=True,
        )


def memory(folder: Path) -> None:
    """What the servers take: a process that has them beside one that has one small server."""
    taken: dict[str, float] = {}
    for client in CLIENTS:
        sizes: list[int] = []
        for guilds in (0, GUILDS):
            with child(client, folder, guilds=guilds) as one:
                sizes.append(int(one("idle")["bytes"]))
        taken[client] = (sizes[1] - sizes[0]) / 1e6
        print(
            f"  {client:6} {taken[client]:6.1f} MB per {GUILDS:,} idle guilds   "
            f"({sizes[0] / 1e6:.0f} MB with none, {sizes[1] / 1e6:.0f} MB with them)",
            flush=True,
        )
    print(f"  ours/floor = 1/{taken['floor'] / taken['ours']:.1f}")


def storm(folder: Path) -> None:
    with child("ours", folder, "--usual", guilds=STORM_GUILDS, rate_limits=True) as one:
        one("idle")
        told = one("storm")
    filled, reserved = told["filled_s"], told["reserved_s"]
    missed = told["edits"] - len(filled)
    print(f"  {STORM_MESSAGES:,} messages in {told['channels']} servers, said within {told['said_s']:.1f} s")
    print(
        f"  of {told['edits']} edits {missed} missed, {sum(each > 1 for each in told['replies'])} answered twice, "
        f"{told['beside']} answers to what was none"
    )
    print(
        f"  replies reserved after {statistics.median(reserved):.1f} s (median) to {reserved[-1]:.1f} s, filled after "
        f"{statistics.median(filled):.1f} s to {filled[-1]:.1f} s"
    )
    print(
        f"  {sum(told['requests'].values())} requests; refused with 429: {told['refused'] or 'none'}; "
        f"401 or 403: {told['invalid'] or 'none'}"
    )
    print(f"  by kind: {', '.join(f'{count} {name}' for name, count in sorted(told['requests'].items()))}")
    print(f"  {told['cpu_s']:.1f} s of processor time, peak {told['peak_bytes'] / 1e6:.0f} MB")


def main(given: argparse.Namespace) -> None:
    parts: dict[str, tuple[str, Callable[[Path], None]]] = {
        "turns": (
            f"{AT_ONCE} messages at once, {given.rounds} rounds of each kind, processor time per message",
            lambda folder: turns(folder, given.rounds, given.profile, given.profile_window),
        ),
        "memory": (
            f"resident memory: guilds of {CHANNELS} channels, {ROLES} roles, {MEMBERS} members, {EMOJIS} emojis",
            memory,
        ),
        "storm": ("everything at once, with Discord's rate limits", storm),
    }
    for name, (words, part) in parts.items():
        if given.only in (None, name):
            print(f"{words} ({os.getloadavg()[0]:.1f} others at work)", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                part(Path(folder))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", choices=("turns", "memory", "storm"))
    parser.add_argument("--profile", default="", help="a file for cProfile's figures of ours")
    parser.add_argument(
        "--profile-window", default="reserving", choices=("reserving", "between", "labelling", "posting", "after")
    )
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--client", choices=CLIENTS)
    parser.add_argument("--place")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--guilds", type=int, default=0)
    parser.add_argument("--rate-limits", action="store_true")
    parser.add_argument("--usual", action="store_true")
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given))
    elif given.measure:
        asyncio.run(measure(given))
    else:
        main(given)
