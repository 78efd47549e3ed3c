"""What Telegram costs us, beside python-telegram-bot alone. Prints ratios taken in one run; nothing here passes or
fails by a clock.

    python -m tests.bench.telegram                          all of it, about ten minutes
    python -m tests.bench.telegram --only turns --rounds 4  one part, quicker
    python -m tests.bench.telegram --private                in private chats in place of groups

Method (see docs/benchmarks.md): ours and the floor each in a process of its own with a fake Telegram of its own in
another one, the database in one more; in turn in short rounds; medians of the rounds; processor time of the measured
process alone. The floor is python-telegram-bot's Application with long polling: it replies with the same words and
button, and then edits its reply by editMessageMedia to the same bytes, words and buttons.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import itertools
import json
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from redis.asyncio.connection import AbstractConnection
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, Update
from telegram.ext import ApplicationBuilder, MessageHandler, filters

from adapters.telegram import lanes
from bot.app import keep_what_is_loaded
from bot.domain.messages import Answer, InboundMessage
from bot.domain.refs import MessageRef, TurnId
from bot.domain.turns import FINAL_STATES
from bot.ending import end
from bot.engines.exact import ExactEngine
from bot.ports import Engine
from storage.valkey.server import embedded_valkey
from tests.bench.held import KINDS, WAIT_S, Bot, Child, Gate, HeldEngine, Json, marked, picture, resident_bytes
from tests.fakes.telegram import Chat, FakeTelegram, Message, Person
from tests.fakes.telegram import calls as fake_calls
from tests.fakes.telegram import media as fake_media
from tests.fakes.telegram import people as fake_people
from tests.rig import living_in

AT_ONCE = 24
"""Messages of one round, each in a chat and by a person of its own."""
ONE_BY_ONE = 12
CHAINS, TURNS = 8, 50
ALBUMS = 20

Key = tuple[int, int]
"""A chat and a message of it."""


# --- the other side: a Telegram in a process of its own


class BenchTelegram(FakeTelegram):
    """Told by `POST /bench/…` what people say; answers when the bot has answered. Seconds are of one clock: its own."""

    def __init__(self, *, private: bool) -> None:
        super().__init__(reads_all=True, floods=False)
        self.photos = {kind: picture(kind).data for kind in KINDS}
        self.said: dict[Key, float] = {}
        self.reserved: dict[Key, float] = {}
        self.filled: dict[Key, float] = {}
        self.last: Message | None = None
        self.answers: dict[Chat, Message] = {}
        self.greetings = 0
        self._marks = itertools.count()
        self._people = [self.user(f"Person {number}") for number in range(AT_ONCE)]
        self.rooms = [self.private(each) if private else self.supergroup(f"Friends of {each.name}", each)
                      for each in self._people]  # fmt: skip
        self._call = "" if private else f"/edit@{self.bot_user.username} "

    def add_routes(self, app: web.Application) -> None:
        for name in ("heard", "say", "apart", "album", "filled", "quiet", "answer"):
            app.router.add_post(f"/bench/{name}", getattr(self, f"_on_{name}"))

    def post(self, message: Message) -> Message:
        if message.author is self.bot_user and message.reply_to is not None:
            self.reserved.setdefault((message.chat.id, message.reply_to), time.monotonic())
        return super().post(message)

    def edited(self, message: Message, *, by_user: bool = True) -> None:
        if message.author is self.bot_user and message.media and message.reply_to is not None:
            if self.last is not None and self.last.media:
                self.last.media.data = b""  # a megabyte each
            self.filled.setdefault((message.chat.id, message.reply_to), time.monotonic())
            self.last = self.answers[message.chat] = message
        super().edited(message, by_user=by_user)

    async def _ask(self, number: int, kind: str, *, reply: bool = False) -> None:
        """A photograph; PNG comes as a file, since photos are JPEG there. Or a reply to the answer before."""
        person, room = self._people[number], self.rooms[number]
        if reply:
            words = f"and now {next(self._marks)} red feathers"
            at, said = time.monotonic(), await person.says(room, words, reply_to=self.answers[room])
        else:
            said, at = await self._shows(person, room, marked(self.photos[kind], next(self._marks)), kind)
        self.said[room.id, said.id] = at

    async def _shows(self, person: Person, room: Chat, data: bytes, kind: str) -> tuple[Message, float]:
        words, at = f"{self._call}put a hat on her", time.monotonic()
        if kind == "png":
            return await person.says(room, words, document=("photo.png", data)), at
        return await person.says(room, words, photo=data), at

    async def _on_heard(self, _: web.Request) -> web.Response:
        await self.until(lambda: self.updates.polls, within_s=WAIT_S)
        return web.json_response(None)

    async def _on_say(self, request: web.Request) -> web.Response:
        """A round's messages at once; answers when each has its reply, with the seconds that each took."""
        self._forget()
        reply = bool(request.query.get("reply"))
        for number in range(int(request.query["count"])):
            await self._ask(number, request.query["kind"], reply=reply)
        await self.until(lambda: self.reserved.keys() >= self.said.keys(), within_s=WAIT_S)
        return web.json_response([self.reserved[each] - at for each, at in self.said.items()])

    async def _on_apart(self, request: web.Request) -> web.Response:
        """A round's messages, each after the reply to the one before."""
        self._forget()
        for number in range(int(request.query["count"])):
            await self._ask(number, request.query["kind"])
            await self.until(lambda: self.reserved.keys() >= self.said.keys(), within_s=WAIT_S)
        return web.json_response(None)

    async def _on_album(self, request: web.Request) -> web.Response:
        """Three photographs as one, in one room after the other; the seconds from the last to the reply, and until that
        is filled."""
        self._forget()
        number = int(request.query["number"]) % AT_ONCE
        person, room = self._people[number], self.rooms[number]
        three = [marked(self.photos["jpeg"], next(self._marks)) for _ in range(3)]
        gap_s = float(request.query["gap_s"])
        items = await person.album(room, three, f"{self._call}put them together", batches=(1, 1, 1), gap_s=gap_s)
        at, key = time.monotonic(), (room.id, min(each.id for each in items))
        self.said[key] = at
        await self.until(lambda: key in self.filled, within_s=WAIT_S)
        return web.json_response([self.reserved[key] - at, self.filled[key] - at])

    async def _on_filled(self, _: web.Request) -> web.Response:
        await self.until(lambda: self.filled.keys() >= self.said.keys(), within_s=WAIT_S)
        return web.json_response([self.filled[each] - at for each, at in self.said.items()])

    async def _on_quiet(self, _: web.Request) -> web.Response:
        """Answers when nothing was asked for a while."""
        before = -1
        while before != (before := len(self.requests) + len(self.downloads)):
            await asyncio.sleep(0.3)
        return web.json_response(Counter(each.method for each in self.requests))

    async def _on_answer(self, _: web.Request) -> web.Response:
        """The last reply that has a picture."""
        assert self.last is not None
        headers = {"X-Words": json.dumps([self.last.caption, self.last.keyboard_json])}
        return web.Response(body=self.last.data, headers=headers)

    def _forget(self) -> None:
        """What earlier rounds left behind, a megabyte each."""
        for each in (self.requests, self.downloads, self.said, self.reserved, self.filled, self.told, self._by_message):
            each.clear()
        self.files.by_id.clear()
        self.files.media.clear()
        standing = {room: self.answers[room] for room in self.rooms if room in self.answers}
        for room in self.rooms:
            room.log.clear()
        for room, answer in standing.items():
            answer.reply_to_message = None
            room.log[answer.id] = answer


def without_painting() -> None:
    """Photos are made anew once: it would weigh more than what is measured."""
    numbers = itertools.count()
    module: Any
    made = {data[:1]: fake_media.shrink(data) for kind in KINDS for data in (picture(kind).data,)}
    looked = fake_media.look(picture("png").data)

    def shrink(data: bytes) -> fake_media.Shrunk:
        *smaller, (jpeg, width, height) = made[data[:1]].sizes
        return fake_media.Shrunk((*smaller, (marked(jpeg, next(numbers)), width, height)))

    for module in (fake_calls, fake_people):
        module.shrink = shrink
    module = fake_media
    module.look = lambda _: looked


async def serve(given: argparse.Namespace) -> None:
    without_painting()
    async with BenchTelegram(private=given.private) as fake:
        print(json.dumps([fake.api_base, fake.token]), flush=True)
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the fake Telegram is."""

    api_base: str
    token: str


class Told:
    """Says there what people are to say."""

    def __init__(self, place: Place, session: aiohttp.ClientSession) -> None:
        self._place, self._session = place, session

    async def __call__(self, name: str, **query: Any) -> Any:
        async with self._session.post(f"{self._place.api_base}/bench/{name}", params=query) as response:
            response.raise_for_status()
            return await response.json()

    async def keep_answer(self, path: Path) -> None:
        async with self._session.post(f"{self._place.api_base}/bench/answer") as response:
            data = await response.read()
            await asyncio.to_thread(path.write_bytes, data)
            await asyncio.to_thread(path.with_suffix(".json").write_text, response.headers["X-Words"])


# --- what is measured


@asynccontextmanager
async def ours(place: Place, folder: Path, bot: Bot) -> AsyncIterator[None]:
    engine = HeldEngine()
    engine.bot, engine.pictures = bot, {kind: picture(kind) for kind in KINDS}
    settings: dict[str, Any] = {
        "telegram_token": place.token, "telegram_api_base": place.api_base, "slots": AT_ONCE, "person_turns": AT_ONCE,
        "person_day_usd": 1e6, "chat_day_usd": 1e6, "house_day_usd": 1e6, "house_month_usd": 1e6,
        "house_ten_minutes_usd": 1e6,
    }  # fmt: skip
    for name in ("ALL", "CHAT", "GROUP", "EDITS", "GROUP_EDITS", "GROUP_PROGRESS", "BUSY"):
        setattr(lanes, f"{name}_MOST", 1000)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(embedded_valkey(folder / "database"))
        engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": engine}
        rig = await stack.enter_async_context(living_in(url, folder, engines, **settings))
        account = rig.house.telegram
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
        keep_what_is_loaded()
        running = asyncio.create_task(account.door_in(rig.house.reception).run())
        try:
            yield
        finally:
            await end(running)


class Floor:
    """The same replies by the library's own means, and nothing else."""

    def __init__(self, bot: Bot, folder: Path) -> None:
        self._bot = bot
        self._answers: dict[str, tuple[bytes, Any]] = {}
        for kind in KINDS:
            path = folder / f"answer.{kind}"
            if path.exists():
                self._answers[kind] = (path.read_bytes(), json.loads(path.with_suffix(".json").read_text()))

    async def reply(self, update: Update, _: object) -> None:
        message = update.message
        if message is None:
            return
        cancel = keys({"inline_keyboard": [[{"text": "Cancel", "callback_data": f"cancel-{message.id}"}]]})
        reply = await message.reply_text("On its way.", reply_markup=cancel, do_quote=True)
        await self._bot.reserved()
        await self._bot.engine()
        await self._bot.ready()
        data, (words, markup) = self._answers[self._bot.kind]
        media = InputMediaPhoto(data, caption=words, filename=f"edit.{self._bot.kind}")
        await reply.edit_media(media, reply_markup=keys(markup))
        await self._bot.filled()


def keys(of: Json) -> InlineKeyboardMarkup:
    rows = [[InlineKeyboardButton(key["text"], callback_data=key["callback_data"]) for key in row]
            for row in of["inline_keyboard"]]  # fmt: skip
    return InlineKeyboardMarkup(rows)


@asynccontextmanager
async def floor(place: Place, folder: Path, bot: Bot) -> AsyncIterator[None]:
    base = place.api_base
    builder = ApplicationBuilder().token(place.token).base_url(f"{base}/bot").base_file_url(f"{base}/file/bot")
    application = builder.concurrent_updates(True).build()
    application.add_handler(MessageHandler(filters.ALL, Floor(bot, folder).reply))
    async with application:
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling()
        try:
            yield
        finally:
            await application.updater.stop()
            await application.stop()


CLIENTS: dict[str, Callable[..., AbstractAsyncContextManager[None]]] = {"ours": ours, "floor": floor}


class Trips:
    """How often the database was asked: commands, or pipelines of them."""

    def __init__(self) -> None:
        self.count = 0

    def watch(self) -> None:
        original = AbstractConnection.send_packed_command

        async def counted(connection: AbstractConnection, *args: Any, **kwargs: Any) -> None:
            self.count += 1
            await original(connection, *args, **kwargs)

        module: Any = AbstractConnection
        module.send_packed_command = counted


class Rounds:
    """What the measured process does when it is told to."""

    def __init__(self, tell: Told, bot: Bot, folder: Path) -> None:
        self._tell, self._bot, self._folder = tell, bot, folder
        self.profile = cProfile.Profile(time.process_time)
        self.profiles = ""
        self._trips = Trips()
        self._trips.watch()

    @contextmanager
    def _window(self, name: str, spent: Json, count: int = AT_ONCE) -> Iterator[None]:
        """One of the spans of a round: its processor seconds per message, and its trips to the database."""
        before_s, trips = time.process_time(), self._trips.count
        if self.profiles == name:
            self.profile.enable()
        try:
            yield
        finally:
            self.profile.disable()
            spent[name] = (time.process_time() - before_s) / count
            spent[f"{name} trips"] = (self._trips.count - trips) / count

    async def turns(self, kind: str) -> Json:
        """Processor seconds per message: until all replies are reserved; until all wait for their engine; from the
        engines' answers until all are labelled and stored; until all are filled; and what is still done afterwards."""
        return await self._held(kind, AT_ONCE, "say")

    async def apart(self, kind: str) -> Json:
        """The same, where each message comes after the reply to the one before."""
        return await self._held(kind, AT_ONCE, "apart")

    async def chain(self, kind: str) -> Json:
        """Chats in which each message replies to the answer before, side by side: what each turn takes."""
        found = [await self._held(kind, CHAINS, "say")]
        for _ in range(TURNS - 1):
            found.append(await self._held(kind, CHAINS, "say", reply=1))
        return {"turns": found}

    async def _held(self, kind: str, count: int, say: str, **query: Any) -> Json:
        bot = self._bot
        bot.kind = kind
        bot.shut()
        spent: Json = {}
        with self._window("reserving", spent, count):
            await self._tell(say, count=count, kind=kind, **query)
            await bot.reserved.reached_by(count)
        with self._window("between", spent, count):
            bot.reserved.open()
            await bot.engine.reached_by(count)
            await self._tell("quiet")
        with self._window("labelling", spent, count):
            bot.engine.open()
            await bot.ready.reached_by(count)
        with self._window("posting", spent, count):
            bot.ready.open()
            await bot.filled.reached_by(count)
        with self._window("after", spent, count):
            bot.open()
            await self._tell("quiet")
        spent["filling"] = spent["labelling"] + spent["posting"]
        spent["filling trips"] = spent["labelling trips"] + spent["posting trips"]
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

    async def albums(self, gap_s: str) -> Json:
        """Seconds from the last of three until the reply, and until it is filled."""
        self._bot.kind = "jpeg"
        took = [await self._tell("album", number=number, gap_s=gap_s) for number in range(ALBUMS)]
        return {"reserved": [each[0] for each in took], "filled": [each[1] for each in took]}

    async def stalls(self, kind: str) -> Json:
        """The longest turn of the loop while a round's messages are answered: by the clock, and of its own time."""
        self._bot.kind = kind
        longest_s, longest_own_s = 0.0, 0.0
        running = asyncio.ensure_future(self._tell_and_wait(kind))
        while not running.done():
            at, own = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0)
            longest_s = max(longest_s, time.perf_counter() - at)
            longest_own_s = max(longest_own_s, time.thread_time() - own)
        await running
        return {"clock": longest_s, "own": longest_own_s}

    async def _tell_and_wait(self, kind: str) -> None:
        await self._tell("say", count=AT_ONCE, kind=kind)
        await self._tell("filled")

    async def warm(self, kind: str) -> Json:
        self._bot.kind = kind
        await self._tell("say", count=AT_ONCE, kind=kind)
        await self._tell("filled")
        asked: Json = await self._tell("quiet")
        await self._tell.keep_answer(self._folder / f"answer.{kind}")
        return asked

    async def memory(self, _: str) -> Json:
        """Bytes: resident now, and at the most so far."""
        return {"now": resident_bytes(), "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


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
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        CLIENTS[given.client](place, own if given.client == "ours" else given.folder, bot),
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
    whole = [sys.executable, "-m", "tests.bench.telegram", *arguments]
    return subprocess.Popen(whole, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def child(client: str, folder: Path, *more: str, private: bool = False) -> Iterator[Child]:
    fake = started("--serve", *(["--private"] if private else []))
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


@contextmanager
def both(folder: Path, *more: str, private: bool) -> Iterator[dict[str, Child]]:
    """Ours and the floor, warm. The floor has what ours has answered."""
    with child("ours", folder, *more, private=private) as mine:
        for kind in KINDS:
            mine("warm", kind)
            print(f"  {kind}: {(folder / f'answer.{kind}').stat().st_size / 1e6:.2f} MB are posted")
            asked = mine("warm", kind)
            print(f"  asked of Telegram for {AT_ONCE}: {', '.join(f'{n} {each}' for each, n in sorted(asked.items()))}")
        with child("floor", folder, private=private) as bare:
            for kind in KINDS:
                bare("warm", kind)
            yield {"ours": mine, "floor": bare}


def turns(folder: Path, given: argparse.Namespace) -> None:
    more = ["--profile", given.profile, "--profile-window", given.profile_window] if given.profile else []
    with both(folder, *more, private=given.private) as children:
        for way in ("turns", "apart"):
            measured: dict[str, dict[str, list[Json]]] = {kind: {name: [] for name in children} for kind in KINDS}
            for _ in range(given.rounds):
                for kind, name in itertools.product(KINDS, children):
                    measured[kind][name].append(children[name](way, kind))
            print("  all at once" if way == "turns" else "  one after the other")
            for kind, each in measured.items():
                say_turns(kind, each, ("reserving", "filling", "posting") if way == "turns" else ("reserving",))


def say_turns(kind: str, measured: dict[str, list[Json]], windows: Sequence[str]) -> None:
    for what in windows:
        mine, bare = ([each[what] * 1e3 for each in measured[name]] for name in ("ours", "floor"))
        ratios = sorted(a / b for a, b in zip(mine, bare, strict=True))
        trips = statistics.median(each[f"{what} trips"] for each in measured["ours"])
        print(
            f"  {kind:5} {what:10} ours {statistics.median(mine):6.2f} ms   floor {statistics.median(bare):6.2f} ms   "
            f"ours/floor = {statistics.median(mine) / statistics.median(bare):.2f} "
            f"(rounds {ratios[0]:.2f} to {ratios[-1]:.2f})   {trips:.1f} trips to the database"
        )
    if len(windows) == 1:
        return
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


def waits(folder: Path, given: argparse.Namespace) -> None:
    with both(folder, private=given.private) as children:
        waited: dict[str, list[Json]] = {name: [] for name in children}
        for kind, name in itertools.product(list(KINDS) * (max(2, given.rounds) // 2), children):
            waited[name].append(children[name]("waits", kind))
        for what, name in itertools.product(("reserved", "filled"), waited):
            say_waits(f"until {what:9} {name:6}", [s for one in waited[name] for s in one[what]])
        for kind, name in itertools.product(KINDS, children):
            found = [children[name]("stalls", kind) for _ in range(3)]
            print(
                f"  longest turn of the loop, {AT_ONCE} {kind} at once, {name:6} the least of three rounds "
                f"{min(each['own'] for each in found) * 1e3:.1f} ms of its own time, "
                f"{min(each['clock'] for each in found) * 1e3:.1f} ms by the clock "
                f"(the most {max(each['own'] for each in found) * 1e3:.1f} and "
                f"{max(each['clock'] for each in found) * 1e3:.1f})"
            )
        for name, each in children.items():
            taken = each("memory")
            print(f"  {name:6} {taken['now'] / 1e6:.0f} MB resident, {taken['peak'] / 1e6:.0f} MB at most", flush=True)


def say_waits(what: str, seconds: Sequence[float]) -> None:
    all_ms = sorted(each * 1e3 for each in seconds)
    print(
        f"  {what} median {statistics.median(all_ms):7.1f} ms   "
        f"95 % under {all_ms[int(len(all_ms) * 0.95)]:7.1f} ms   ({len(all_ms)} one at a time)",
        flush=True,
    )


def chains(folder: Path, given: argparse.Namespace) -> None:
    with child("ours", folder, private=given.private) as mine:
        mine("warm", "jpeg")
        runs = [mine("chain", "jpeg")["turns"] for _ in range(max(1, given.rounds // 4))]
    spans = {"turn 1": (0, 1), "turns 2 to 6": (1, 6), "turns 46 to 50": (TURNS - 5, TURNS)}
    for what in ("reserving", "between", "filling", "posting"):
        found = {
            name: statistics.median(each[what] * 1e3 for run in runs for each in run[start:stop])
            for name, (start, stop) in spans.items()
        }
        trips = [statistics.median(run[n][f"{what} trips"] for run in runs) for n in (1, TURNS - 1)]
        print(
            f"  {what:10} {', '.join(f'{name} {ms:.2f} ms' for name, ms in found.items())}   "
            f"46 to 50 / 1 = {found['turns 46 to 50'] / found['turn 1']:.2f}, "
            f"/ 2 to 6 = {found['turns 46 to 50'] / found['turns 2 to 6']:.2f}   "
            f"trips {trips[0]:.1f}, {trips[1]:.1f}",
            flush=True,
        )


def albums(folder: Path, given: argparse.Namespace) -> None:
    with child("ours", folder, private=given.private) as mine:
        mine("warm", "jpeg")
        for gap_s in ("0", "0.1", "0.3"):
            took = mine("albums", gap_s)
            for what in ("reserved", "filled"):
                say_waits(f"items {gap_s} s apart, until {what:9}", took[what])


def main(given: argparse.Namespace) -> None:
    parts: dict[str, tuple[str, Callable[[Path, argparse.Namespace], None]]] = {
        "turns": (f"{AT_ONCE} messages, {given.rounds} rounds of each kind, processor time per message", turns),
        "waits": ("by the clock, without a network", waits),
        "chains": (f"{CHAINS} chats of {TURNS} turns, processor time per turn", chains),
        "albums": ("albums of three, from the last item on, with an engine that answers at once", albums),
    }
    for name, (words, part) in parts.items():
        if given.only in (None, name):
            print(f"{words} ({os.getloadavg()[0]:.1f} others at work)", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                part(Path(folder), given)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--only", choices=("turns", "waits", "chains", "albums"))
    parser.add_argument("--private", action="store_true", help="in private chats, not in groups")
    parser.add_argument("--profile", default="", help="a file for cProfile's figures of ours")
    parser.add_argument(
        "--profile-window", default="reserving", choices=("reserving", "between", "labelling", "posting", "after")
    )
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--client", choices=CLIENTS)
    parser.add_argument("--place")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given))
    elif given.measure:
        asyncio.run(measure(given))
    else:
        main(given)
