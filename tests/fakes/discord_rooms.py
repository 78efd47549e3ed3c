"""A core that only writes down what it is asked, and what it shall answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.domain.arena import Choice
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.consent import Say, Standing
from bot.domain.errors import RemixError
from bot.domain.images import ImageFacts
from bot.domain.messages import Answer, ChatCapabilities, InboundMessage, Received, Rendition
from bot.domain.refs import ChatRef, MessageRef, ServerRef, Sha256, TurnId, UserRef, thread_id_of, turn_id_of
from bot.domain.sharing import Finished, SharedResult
from bot.ports import Platform
from tests.fakes.speaking import Speaking

SIZES = (("", "As it is"), ("2K", "2K, about 10 ¢"))
RENDITION = Rendition(ImageFacts(Sha256("ab" * 32), "image/png", 8, 8, 100), "Edited with AI: a cat in snow")

KEPT_OUT = "I am here for invited people only."
JOINED = "You are in."
OPERATED = "The door is open."


@dataclass
class RecordingRooms(Speaking):
    """`bot.ports.Rooms`. `received` is every message that came, `asked` every other question with its arguments. What
    it answers can be set: `words` to whoever asks, `closed` in place of taking a message (as often as `refusals` says),
    `answers` of turns, `joins` whether late pictures go along, what is `running`."""

    received: list[InboundMessage] = field(default_factory=list)
    languages: list[tuple[UserRef, str]] = field(default_factory=list)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    words: str = "It was made with AI."
    closed: RemixError | Exception | None = None
    refusals: int = 0
    can_cancel: bool = True
    joins: bool = True
    running: Sequence[TurnId] = ()
    offered: Sequence[tuple[str, str]] = SIZES
    answers: dict[TurnId, Answer] = field(default_factory=dict)
    chats: dict[ChatRef, ChatSettings] = field(default_factory=dict)
    servers: dict[ServerRef, ServerSettings] = field(default_factory=dict)
    standings: dict[tuple[UserRef, ChatRef], Standing] = field(default_factory=dict)
    shares: dict[str, SharedResult] = field(default_factory=dict)
    offers: list[Finished] = field(default_factory=list)
    platform: Platform | None = None
    """Where what is deleted stands."""
    out: set[UserRef] = field(default_factory=set)
    """Whom the installation keeps out."""
    log: str = "Nothing was changed."

    async def kept_out(
        self, person: UserRef, chat: ChatRef, *, server: ServerRef | None = None, around: Sequence[ChatRef] = ()
    ) -> str:
        return KEPT_OUT if person in self.out else ""

    async def enter(self, person: UserRef, code: str) -> str:
        self.asked.append(("enter", person, code))
        return JOINED

    async def operate(self, person: UserRef, words: str) -> str:
        self.asked.append(("operate", person, words))
        return OPERATED

    async def changes(self, chat: ChatRef, server: ServerRef | None) -> str:
        self.asked.append(("changes", chat, server))
        return self.log

    async def receive(self, message: InboundMessage) -> Received:
        if self.closed is not None:
            self.refusals += 1
            raise self.closed
        self.received.append(message)
        turn = turn_id_of(thread_id_of(message.reply_to or message.ref), message.origin)
        return Received(turn, MessageRef(message.ref.chat, "1"))

    async def join(self, message: InboundMessage) -> bool:
        self.asked.append(("join", message))
        return self.joins

    async def under_way(self, chat: ChatRef, *, by: UserRef) -> Sequence[TurnId]:
        self.asked.append(("under_way", chat, by))
        return self.running

    async def cancel(self, turn: TurnId, *, chat: ChatRef, by: UserRef) -> bool:
        self.asked.append(("cancel", turn, chat, by))
        return self.can_cancel

    async def allow(self, turn: TurnId, *, chat: ChatRef, by: UserRef, say: Say | None) -> str:
        self.asked.append(("allow", turn, chat, by, say))
        return self.words

    async def vote(self, turn: TurnId, *, chat: ChatRef, by: UserRef, choice: Choice | None) -> str:
        self.asked.append(("vote", turn, chat, by, choice))
        return self.words

    async def info(self, reply: MessageRef, *, by: UserRef, index: int | None = None) -> str:
        self.asked.append(("info", reply, index))
        return self.words

    async def delete(self, reply: MessageRef, *, by: UserRef, moderates: bool) -> str:
        self.asked.append(("delete", reply, by, moderates))
        if self.platform is not None and not self.words:
            await self.platform.retract([reply], [])
        return self.words

    async def file(
        self, reply: MessageRef, capabilities: ChatCapabilities, *, by: UserRef, index: int | None = None
    ) -> Rendition:
        self.asked.append(("file", reply, capabilities.max_file_bytes, index))
        return RENDITION

    async def answer_of(self, turn: TurnId) -> Answer | None:
        return self.answers.get(turn)

    async def sizes(self) -> Sequence[tuple[str, str]]:
        return self.offered

    marks_always = False

    async def settings(self, chat: ChatRef, server: ServerRef | None) -> tuple[ChatSettings, ServerSettings]:
        of_server = self.servers.get(server) if server else None
        return self.chats.get(chat, ChatSettings()), of_server or ServerSettings()

    async def change_chat(
        self,
        chat: ChatRef,
        settings: ChatSettings,
        *,
        by: UserRef,
        server: ServerRef | None = None,
        was: ChatSettings | None = None,
    ) -> None:
        self.chats[chat] = settings

    async def change_server(
        self, server: ServerRef, settings: ServerSettings, *, by: UserRef, was: ServerSettings | None = None
    ) -> None:
        self.servers[server] = settings

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        self.asked.append(("move", old, new))

    async def standing(self, owner: UserRef, chat: ChatRef) -> Standing:
        return self.standings.get((owner, chat), Standing.UNSAID)

    async def stand(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        self.standings[owner, chat] = standing

    async def shared(self, token: str) -> SharedResult | None:
        return self.shares.get(token)

    async def finished(self, by: UserRef, *, words: str, most: int) -> Sequence[Finished]:
        return self.offers[:most]

    async def forget(self, user: UserRef) -> str:
        self.asked.append(("forget", user))
        return self.words
