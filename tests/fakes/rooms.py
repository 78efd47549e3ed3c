"""A core small enough to read, for tests of the page: it answers each message by itself, in memory.

What a message says decides what happens: "wait" leaves the answer open until it is released or cancelled, "refuse"
refuses with suggestions, "ask" asks back, "fail" fails, "album" is four pictures of which one is refused ("album wait"
leaves the last two open), "explain" answers in words with sources, "/usage" and the like in words alone, "black and
white" is done, anything else turns the picture. A done picture has its roles line after "roles", is see-through
after "transparent" and hidden after "hidden"; after "ideas" it comes with suggestions and controls.

Whoever replies to a picture that somebody else sent waits for that person's yes.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import ClientSession, CookieJar, FormData
from PIL import Image, ImageOps
from redis.asyncio import Redis

from adapters.web.outbound import WebPlatform
from adapters.web.server import build_app, serve
from bot.domain.actions import Act, Control
from bot.domain.arena import ENDED, NO_VOTE, ONLY_WHO_ASKED, Ballot, Choice, your_vote
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.consent import Say, Standing
from bot.domain.errors import BadRequest
from bot.domain.images import ImageFacts, Provenance
from bot.domain.labels import Label, label_line
from bot.domain.messages import Answer, ChatCapabilities, Credit, InboundMessage, Panel, Received, Rendition
from bot.domain.refs import (
    ChatRef,
    MessageRef,
    Person,
    ServerRef,
    Sha256,
    ThreadId,
    TurnId,
    UserRef,
    sha256_of,
    thread_id_of,
    turn_id_of,
)
from bot.domain.roles import Purpose, roles_line
from bot.domain.sharing import Finished, SharedResult
from bot.domain.turns import Hold, Source, TurnState
from bot.domain.words import heard
from bot.ports import ImageStore, Platform
from storage.objects.shelf import StoreUnavailable
from storage.redis.page import RedisPageStore
from tests.fakes.speaking import Speaking

SUGGESTIONS = ("make it black and white", "crop to a square", "rotate 90 degrees")
ANSWERS = ("the cat on the left", "the cat on the right")
IDEAS = ("turn it to dusk", "add a border", "make it sepia")
HEARD = "make it black and white"
SOURCES = (
    Source("Why leaves change colour", "https://www.example.org/leaves"),
    Source("Not a <b>web</b> page", "javascript:alert(1)"),
)
CONTROLS = (
    Control(Act.AGAIN, "Again"),
    Control(Act.EXACTLY, "Exactly this"),
    Control(Act.SURPRISE, "Surprise me"),
    Control(Act.ORIGINAL, "Redo from the original"),
    Control(Act.VARIATIONS, "4 variations, about 16 ¢", "4"),
    Control(Act.LARGER, "Larger (2K), about 10 ¢", "2K"),
    Control(Act.UNDO, "Undo"),
)
OTHER_CANVAS = Control(Act.CANVAS, "Edit picture 1 instead", "1")
NOT_FOR_YOU = "This question is for whoever sent the picture."
SETTLED = "That is settled already."
AGREED = "Thank you. I am on it."
SAID_NO = "All right, not this one."
SAID_NEVER = "All right. Nobody edits your pictures any more."
STILL_MADE = "It is still being made. Cancel it first."
NOT_YOURS = "Only whoever asked for it can delete this."
NOTHING_THERE = "There is nothing left of this."
KEPT_OUT = "I am here for invited people only."
JOINED = "You are in."
CODE = "let-me-in"
QUESTION = (Control(Act.LATEST, "My last picture here"),)
PLAN = (
    ("rotate", "A fox finds a red hat under the snow."),
    ("sepia", "She tries it on. It is far too big, and slides down over her eyes, so that she walks into a tree."),
    ("border", "The owl laughs."),
    ("square", "They share it."),
)


class MemorySpool:
    """`adapters.web.ports.UploadSpool` in a dict. `away` as a store is that cannot be reached."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.away = False

    async def put(self, handle: str, data: bytes) -> None:
        if self.away:
            raise StoreUnavailable("Pictures cannot be kept right now.")
        self.files[handle] = data

    async def get(self, handle: str) -> bytes:
        return self.files[handle]

    async def delete(self, handle: str) -> None:
        self.files.pop(handle, None)

    async def list(self) -> AsyncIterator[tuple[str, float]]:
        for handle in list(self.files):
            yield handle, 0.0


class MemoryImages:
    """`bot.ports.ImageStore` in a dict."""

    def __init__(self) -> None:
        self.pixels: dict[Sha256, bytes] = {}

    async def put(self, data: bytes, sha256: Sha256 | None = None) -> Sha256:
        name = sha256 or sha256_of(data)
        self.pixels[name] = data
        return name

    async def get(self, sha256: Sha256) -> bytes:
        return self.pixels[sha256]

    async def delete(self, sha256: Sha256) -> None:
        self.pixels.pop(sha256, None)

    async def list(self) -> AsyncIterator[tuple[Sha256, float]]:
        for sha256 in list(self.pixels):
            yield sha256, 0.0


@dataclass
class Standings:
    """What people said of their own pictures."""

    never: set[UserRef] = field(default_factory=set)
    here: set[tuple[UserRef, ChatRef]] = field(default_factory=set)

    def of(self, owner: UserRef, chat: ChatRef) -> Standing:
        if owner in self.never:
            return Standing.NEVER
        return Standing.HERE if (owner, chat) in self.here else Standing.UNSAID

    def say(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        self.never.discard(owner)
        self.here.discard((owner, chat))
        match standing:
            case Standing.NEVER:
                self.never.add(owner)
            case Standing.HERE:
                self.here.add((owner, chat))
            case Standing.UNSAID:
                """Both are taken back."""


@dataclass
class SmallCore(Speaking):
    """`bot.ports.Rooms`. `received` is every message that came, with repeats, `voices` what could be heard; `broken`
    makes it fall over."""

    platform: Platform
    images: ImageStore
    received: list[InboundMessage] = field(default_factory=list)
    languages: list[tuple[UserRef, str]] = field(default_factory=list)
    answers: dict[TurnId, MessageRef] = field(default_factory=dict)
    voices: list[bytes] = field(default_factory=list)
    standings: Standings = field(default_factory=Standings)
    broken: bool = False
    shares: dict[str, SharedResult] = field(default_factory=dict)
    offers: list[Finished] = field(default_factory=list)
    out: set[UserRef] = field(default_factory=set)
    """Whom the installation keeps out."""
    _filled: dict[TurnId, Answer] = field(default_factory=dict)
    _shown: dict[MessageRef, list[Sha256]] = field(default_factory=dict)
    _made_from: dict[MessageRef, list[Sha256]] = field(default_factory=dict)
    _owners: dict[MessageRef, tuple[Person, ...]] = field(default_factory=dict)
    _hidden: set[MessageRef] = field(default_factory=set)
    _askers: dict[MessageRef, UserRef] = field(default_factory=dict)
    _threads: dict[MessageRef, ThreadId] = field(default_factory=dict)
    _open: dict[TurnId, UserRef] = field(default_factory=dict)
    _asking: dict[TurnId, tuple[Person, InboundMessage]] = field(default_factory=dict)
    _chats: dict[ChatRef, ChatSettings] = field(default_factory=dict)
    _servers: dict[ServerRef, ServerSettings] = field(default_factory=dict)

    async def join(self, message: InboundMessage) -> bool:
        raise NotImplementedError("a page sends what it has at once")

    async def under_way(self, chat: ChatRef, *, by: UserRef) -> Sequence[TurnId]:
        return [turn for turn, asker in self._open.items() if asker == by and self.answers[turn].chat == chat]

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        raise NotImplementedError("a chat of the page has one name")

    async def kept_out(
        self, person: UserRef, chat: ChatRef, *, server: ServerRef | None = None, around: Sequence[ChatRef] = ()
    ) -> str:
        return KEPT_OUT if person in self.out else ""

    async def enter(self, person: UserRef, code: str) -> str:
        if code != CODE:
            return "That code does not open anything."
        self.out.discard(person)
        return JOINED

    async def operate(self, person: UserRef, words: str) -> str:
        return f"The door hears: {words}"

    async def changes(self, chat: ChatRef, server: ServerRef | None) -> str:
        return "Nothing was changed."

    async def receive(self, message: InboundMessage) -> Received:
        self.received.append(message)
        if self.broken:
            raise RuntimeError("the core fell over")
        thread = self._threads.get(message.reply_to, thread_id_of(message.ref)) if message.reply_to else None
        turn = turn_id_of(thread or thread_id_of(message.ref), message.origin)
        reply = await self.platform.reserve(message, turn)
        if turn not in self.answers:
            self.answers[turn] = reply
            self._askers[reply] = message.author
            self._threads[message.ref] = self._threads[reply] = ThreadId(turn.partition("-")[0])
            await self._answer(message, turn, reply)
        await self.platform.done(message)
        return Received(turn, reply)

    async def cancel(self, turn: TurnId, *, chat: ChatRef, by: UserRef) -> bool:
        if self._open.get(turn) != by:
            return False
        del self._open[turn]
        self._asking.pop(turn, None)
        await self._fill(turn, Answer(TurnState.CANCELLED, ("Cancelled.",), turn=turn))
        return True

    async def allow(self, turn: TurnId, *, chat: ChatRef, by: UserRef, say: Say | None) -> str:
        if turn not in self._asking:
            return SETTLED
        owner, message = self._asking[turn]
        if (owner.user, message.ref.chat) != (by, chat):
            return NOT_FOR_YOU
        del self._asking[turn], self._open[turn]
        reply = self.answers[turn]
        if say in (None, Say.NEVER):
            if say is Say.NEVER:
                self.standings.say(by, chat, Standing.NEVER)
            await self._fill(turn, self._unwanted(turn, owner))
            return SAID_NO if say is None else SAID_NEVER
        if say is Say.HERE:
            self.standings.say(by, chat, Standing.HERE)
        sources = self._shown[message.reply_to or message.ref]
        await self._fill(turn, await self._made(message, turn, reply, sources))
        return AGREED

    async def vote(self, turn: TurnId, *, chat: ChatRef, by: UserRef, choice: Choice | None) -> str:
        answer = self._filled.get(turn)
        if answer is None or answer.vote is None:
            return NO_VOTE
        if choice is None:
            return ENDED if self._askers[self.answers[turn]] == by else ONLY_WHO_ASKED
        await self._fill(turn, replace(answer, vote=Ballot(turn, answer.vote.voted + 1)))
        return your_vote(choice)

    async def answer_of(self, turn: TurnId) -> Answer | None:
        return self._filled.get(turn)

    async def info(self, reply: MessageRef, *, by: UserRef, index: int | None = None) -> str:
        shown = self._shown.get(reply, [])
        if not shown:
            return NOTHING_THERE
        which = f"{len(shown)} pictures" if index is None and len(shown) > 1 else f"Picture {(index or 0) + 1}"
        return f"{which}, edited without AI.\nMade from {len(self._made_from[reply])} picture of this chat."

    async def delete(self, reply: MessageRef, *, by: UserRef, moderates: bool) -> str:
        if self._askers.get(reply) != by and not moderates:
            return NOT_YOURS
        if any(self.answers[turn] == reply for turn in self._open):
            return STILL_MADE
        for sha256 in self._shown.pop(reply, []):
            await self.images.delete(sha256)
        await self.platform.retract([reply], [])
        return ""

    async def file(
        self, reply: MessageRef, capabilities: ChatCapabilities, *, by: UserRef, index: int | None = None
    ) -> Rendition:
        shown = self._shown.get(reply, [])
        if not shown:
            raise BadRequest(NOTHING_THERE)
        return await self._keep(await self.images.get(shown[index or 0]))

    async def sizes(self) -> Sequence[tuple[str, str]]:
        return [("", "The usual size"), ("2K", "2K, about 10 ¢")]

    marks_always = False

    async def settings(self, chat: ChatRef, server: ServerRef | None) -> tuple[ChatSettings, ServerSettings]:
        of_server = self._servers.get(server) if server else None
        return self._chats.get(chat, ChatSettings()), of_server or ServerSettings()

    async def change_chat(
        self,
        chat: ChatRef,
        settings: ChatSettings,
        *,
        by: UserRef,
        server: ServerRef | None = None,
        was: ChatSettings | None = None,
    ) -> None:
        self._chats[chat] = settings

    async def change_server(
        self, server: ServerRef, settings: ServerSettings, *, by: UserRef, was: ServerSettings | None = None
    ) -> None:
        self._servers[server] = settings

    async def standing(self, owner: UserRef, chat: ChatRef) -> Standing:
        return self.standings.of(owner, chat)

    async def stand(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        self.standings.say(owner, chat, standing)

    async def shared(self, token: str) -> SharedResult | None:
        return self.shares.get(token)

    async def finished(self, by: UserRef, *, words: str, most: int) -> Sequence[Finished]:
        return self.offers[:most]

    async def forget(self, user: UserRef) -> str:
        ours = [reply for reply, asker in self._askers.items() if asker == user]
        theirs = [message.ref for message in self.received if message.author == user]
        await self.platform.retract(ours, theirs)
        await self.platform.forget(user)
        return "Everything that you sent is gone."

    async def run(self, turn: TurnId) -> None:
        """Let a waiting turn run, as a worker would."""
        answer = Answer(TurnState.RUNNING, ("Working on it.",), turn=turn, started_at=1_700_000_000.0)
        await self._fill(turn, answer)

    async def _answer(self, message: InboundMessage, turn: TurnId, reply: MessageRef) -> None:
        if message.voice:
            self.voices.append(await self.platform.fetch(message.voice, max_bytes=2**30))
        files = [await self.platform.fetch(each, max_bytes=2**30) for each in message.attachments]
        brought = [await self._keep(data) for data in files]
        if brought:
            await self.platform.show_sources(message.ref, brought)
            self._shown[message.ref] = [each.image.sha256 for each in brought]
            self._owners[message.ref] = (Person(message.author, message.author_name),)
        sources = self._shown.get(message.ref) or self._shown.get(message.reply_to or message.ref, [])
        answer = self._about(message, turn) or await self._made(message, turn, reply, sources)
        await self._fill(turn, answer)

    def _about(self, message: InboundMessage, turn: TurnId) -> Answer | None:
        """What is said first, where somebody else's picture is meant. The bot's own results are open to all."""
        replied = message.reply_to
        owner = (
            next((each for each in self._owners.get(replied, ()) if each.user != message.author), None)
            if replied
            else None
        )
        if owner is None or replied in self._askers:
            return None
        match self.standings.of(owner.user, message.ref.chat):
            case Standing.NEVER:
                return self._unwanted(turn, owner)
            case Standing.HERE:
                return None
            case Standing.UNSAID:
                self._open[turn] = message.author
                self._asking[turn] = (owner, message)
                words = f"Waiting for {owner.name} to say yes."
                holds = frozenset({Hold.CONSENT})
                return Answer(TurnState.WAITING, (words,), turn=turn, holds=holds, asks=(owner,))

    def _unwanted(self, turn: TurnId, owner: Person) -> Answer:
        words = f"{owner.name} would rather not have that picture edited, so I leave it alone."
        return Answer(TurnState.REFUSED, (words,), turn=turn)

    async def _made(self, message: InboundMessage, turn: TurnId, reply: MessageRef, sources: list[Sha256]) -> Answer:
        match message.text.split(" ")[0].lower():
            case "wait":
                self._open[turn] = message.author
                return Answer(
                    TurnState.WAITING, ("Waiting in line.",), turn=turn, holds=frozenset({Hold.SLOT}), position=2
                )
            case "refuse":
                words = "I can't do “blur the background” yet. These would work:"
                self._shown[reply] = sources
                return Answer(TurnState.REFUSED, (words,), turn=turn, suggestions=SUGGESTIONS)
            case "ask":
                words = "Which of the two cats do you mean?"
                return Answer(TurnState.ASKING, (words,), turn=turn, suggestions=ANSWERS, controls=QUESTION)
            case "album":
                return await self._album(message, turn, reply, sources)
            case "explain":
                said = "Leaves change colour because the green fades first, and what was under it all along shows."
                return Answer(TurnState.DONE, ("Answered by AI · Gemini", said), turn=turn, sources=SOURCES)
            case "/usage" | "/settings" | "/help" | "/verify":
                return Answer(TurnState.DONE, ("Today: 3 pictures, about 12 ¢.",), turn=turn)
            case "fail":
                return Answer(TurnState.FAILED, ("That didn't work. Please try again in a moment.",), turn=turn)
            case _:
                return await self._done(message, turn, reply, sources)

    async def _done(self, message: InboundMessage, turn: TurnId, reply: MessageRef, sources: list[Sha256]) -> Answer:
        words = HEARD if message.voice else message.text
        source = sources[(message.reply_index or 0) :][:1]
        if message.press and message.press.act is Act.UNDO and message.reply_to:
            source, words = self._made_from[message.reply_to], "as it was"
        owners = self._credited(message, reply)
        made = [await asyncio.to_thread(_edited, await self.images.get(each), words) for each in source]
        shown = [await self._keep(data) for data in made]
        self._shown[reply], self._made_from[reply] = [each.image.sha256 for each in shown], source
        lines = [label_line(Label(Provenance.UNKNOWN, edited_by_ai=False))]
        heard_line = heard(HEARD) if message.voice else ""
        has_roles, has_ideas = "roles" in words, "ideas" in words
        roles = roles_line((Purpose.STYLE, Purpose.CANVAS)) if has_roles else ""
        lines += [line for line in (heard_line, roles) if line]
        controls = ((OTHER_CANVAS,) if has_roles else ()) + (CONTROLS if has_ideas else ())
        suggestions = IDEAS if has_ideas else ()
        is_hidden = "hidden" in words or message.reply_to in self._hidden
        self._hidden |= {reply} if is_hidden else set()
        return Answer(
            TurnState.DONE,
            tuple(lines),
            tuple(shown),
            turn=turn,
            suggestions=suggestions,
            controls=controls,
            credit=Credit(Person(message.author, message.author_name), tuple(each.user for each in owners)),
            spoiler=is_hidden,
            vote=Ballot(turn, 2) if "vote" in words else None,
            heard=heard_line,
            roles=roles,
        )

    def _credited(self, message: InboundMessage, reply: MessageRef) -> tuple[Person, ...]:
        """Whose pictures the answer grows from; so that the next one knows."""
        before = self._owners.get(message.reply_to, ()) if message.reply_to else ()
        self._owners[reply] = tuple(dict.fromkeys([*before, *self._owners.get(message.ref, ())]))
        return self._owners[reply]

    async def _album(self, message: InboundMessage, turn: TurnId, reply: MessageRef, sources: list[Sha256]) -> Answer:
        """Four turns in one reply: the third is refused; of "album wait" the last two are still to come."""
        first = await self.images.get(sources[0])
        made = [await self._keep(await asyncio.to_thread(_edited, first, edit)) for edit, _ in PLAN]
        turns = [turn_id_of(ThreadId(turn.partition("-")[0]), message.origin, ordinal) for ordinal in range(4)]
        panels = [
            Panel(id_, TurnState.DONE, words, picture, CONTROLS[:1] + CONTROLS[-2:-1])
            for id_, (_, words), picture in zip(turns, PLAN, made, strict=True)
        ]
        panels[2] = Panel(turns[2], TurnState.REFUSED, "The image model did not want to draw this one.")
        state = TurnState.DONE
        if "wait" in message.text:
            self._open[turn] = message.author
            panels[2] = Panel(turns[2], TurnState.RUNNING, "Working on it.")
            panels[3] = Panel(turns[3], TurnState.WAITING, "Waiting in line.")
            state = TurnState.RUNNING
        shown = tuple(panel.image for panel in panels if panel.image)
        self._shown[reply], self._made_from[reply] = [picture.image.sha256 for picture in made], sources[:1]
        again = () if state is TurnState.RUNNING else (Control(Act.AGAIN, "All of them again"),)
        line = label_line(Label(Provenance.AI_EDITED, edited_by_ai=True, engines=("Gemini",)))
        return Answer(state, (line,), shown, turn=turn, controls=again, panels=tuple(panels))

    async def _fill(self, turn: TurnId, answer: Answer) -> None:
        self._filled[turn] = answer
        await self.platform.fill(self.answers[turn], answer)

    async def _keep(self, data: bytes) -> Rendition:
        with Image.open(io.BytesIO(data)) as image:
            size, media_type, has_alpha = image.size, image.get_format_mimetype() or "", "A" in image.mode
        sha256 = await self.images.put(data)
        return Rendition(ImageFacts(sha256, media_type, *size, len(data), has_alpha), alt="A picture. Edited, no AI")


def _edited(data: bytes, text: str) -> bytes:
    if text == "as it was":
        return data
    words = text.lower()
    with Image.open(io.BytesIO(data)) as opened:
        picture: Image.Image = opened.convert("RGB")
    if "black and white" in words:
        picture = ImageOps.grayscale(picture)
    if "square" in words:
        picture = ImageOps.fit(picture, (min(picture.size),) * 2)
    if "transparent" in words:
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    if "turn" in words or "rotate" in words:
        picture = picture.transpose(Image.Transpose.ROTATE_270)
    if "border" in words:
        picture = ImageOps.expand(picture.convert("RGB"), border=24, fill="white")
    if "sepia" in words:
        picture = ImageOps.colorize(ImageOps.grayscale(picture), "#2b1a08", "#ffefd0")
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


@dataclass(frozen=True)
class PageRig:
    """The real page on a real socket with a real store, and somebody who visits it."""

    url: str
    http: ClientSession
    core: SmallCore
    store: RedisPageStore
    platform: WebPlatform
    spool: MemorySpool
    images: MemoryImages

    async def says(
        self,
        text: str = "",
        *images: bytes,
        chat: str = "home",
        reply_to: str = "",
        key: str = "",
        voice: bytes = b"",
        headers: Mapping[str, str] | None = None,
        **fields: str,
    ) -> tuple[int, dict[str, Any]]:
        """Post a message; gives the status and the answer. `fields` are further fields of the form."""
        form = FormData(default_to_multipart=True)
        for name, value in {"text": text, "reply_to": reply_to, **fields}.items():
            if value or name == "text":
                form.add_field(name, value)
        if voice:
            form.add_field("voice", voice, filename="voice.wav", content_type="audio/wav")
        for number, data in enumerate(images):
            form.add_field("image", data, filename=f"{number}.jpg", content_type="image/jpeg")
        sent = {**({"Idempotency-Key": key} if key else {}), **(headers or {})}
        async with self.http.post(f"/api/chats/{chat}/messages", data=form, headers=sent) as response:
            return response.status, await response.json()

    async def gets(self, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        async with self.http.get(path, **options) as response:
            return response.status, await response.json()

    async def posts(self, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        async with self.http.post(path, **options) as response:
            return response.status, await response.json()

    async def sees(self, chat: str = "home") -> list[dict[str, Any]]:
        """The messages that stand in a chat."""
        _, answer = await self.gets(f"/api/chats/{chat}/messages")
        return list(answer["messages"])


@asynccontextmanager
async def open_page(redis_url: str, *, port: int = 0, **options: Any) -> AsyncGenerator[PageRig, None]:
    """A page that listens on this machine, by default on a free port. `options` go to `build_app`."""
    client = Redis.from_url(redis_url)
    store = RedisPageStore(client, prefix="test", retention_s=1000)
    spool, images = MemorySpool(), MemoryImages()
    platform = WebPlatform(store=store, spool=spool)
    core = SmallCore(platform, images)
    app = build_app(rooms=core, store=store, spool=spool, images=images, **options)
    async with (
        serve(app, host="127.0.0.1", port=port) as url,
        ClientSession(url, cookie_jar=CookieJar(unsafe=True)) as http,
    ):
        yield PageRig(url, http, core, store, platform, spool, images)
    await client.aclose()
