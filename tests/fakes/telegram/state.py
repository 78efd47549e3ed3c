"""What there is: people, chats, topics, messages. Who asks, and how, is not known here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tests.fakes.telegram import entities
from tests.fakes.telegram.media import FileStore, Media
from tests.fakes.telegram.refusals import Json, bad

if TYPE_CHECKING:
    from tests.fakes.telegram.people import Person

ChatType = Literal["private", "group", "supergroup", "channel"]
Status = Literal["creator", "administrator", "member", "left", "kicked"]
GROUP_ANONYMOUS = 1087968824
CHANNEL_BOT = 136817688
TELEGRAM = 777000


@dataclass(eq=False)
class User:
    world: World = field(repr=False)
    id: int
    name: str
    username: str = ""
    is_bot: bool = False
    language: str = ""
    started: bool = True
    """Has written to the bot, which may write to them since."""
    blocks_bot: bool = False
    deactivated: bool = False
    hides_forwards: bool = False

    def json(self) -> Json:
        told: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.name}
        return told | _given(username=self.username, language_code=self.language)


@dataclass
class Member:
    user: User
    status: Status = "member"
    anonymous: bool = False


@dataclass(eq=False)
class Chat:
    """A chat as a place: of a forum, General. `cannot_send` are kinds that the bot has no right to send there."""

    world: World = field(repr=False)
    id: int
    type: ChatType
    title: str = ""
    username: str = ""
    forum: bool = False
    members: dict[int, Member] = field(default_factory=dict, repr=False)
    log: dict[int, Message] = field(default_factory=dict, repr=False)
    topics: dict[int, Topic] = field(default_factory=dict, repr=False)
    person: Person | None = None
    moved_to: Chat | None = None
    linked: Chat | None = None
    last_bot: int = 0
    cannot_send: set[str] = field(default_factory=set)
    thread_id: int | None = None
    _count: int = 0

    @property
    def chat(self) -> Chat:
        return self

    def messages(self) -> list[Message]:
        """What stands there, oldest first; of a forum, in General. Service messages and deleted ones are left out."""
        return [each for each in self.everything() if each.thread_id is None and not each.service]

    def everything(self) -> list[Message]:
        """Topics and service messages as well."""
        return [self.log[each] for each in sorted(self.log) if not self.log[each].deleted]

    def last(self) -> Message:
        return self.messages()[-1]

    def topic(self, name: str) -> Topic:
        """Opened by its first member; the bot is shown that."""
        if not self.forum and self.type != "private":
            raise AssertionError("only forums and private chats have topics")
        opener = self.person or next(each.user for each in self.members.values() if not each.user.is_bot)
        told = {"forum_topic_created": {"name": name, "icon_color": 7322096}}
        made = Message(self.world, self.next_id(), self, opener, service=told)
        made.thread_id = made.id
        self.topics[made.id] = topic = Topic(self, made.id, name, made)
        self.world.post(made)
        return topic

    def next_id(self) -> int:
        """In a forum, 1 is General's."""
        if self.type in ("private", "group"):
            return self.world.next_common_id()
        self._count = max(self._count + 1, 2 if self.forum else 1)
        return self._count

    def has(self, user: User) -> bool:
        if self.type == "private":
            return user is self.person or user is self.world.bot_user
        member = self.members.get(user.id)
        return member is not None and member.status not in ("left", "kicked")

    def admins(self) -> list[Member]:
        return [each for each in self.members.values() if each.status in ("creator", "administrator")]

    def json(self) -> Json:
        if self.person:
            told: Json = {"id": self.id, "type": "private", "first_name": self.person.name}
            return told | _given(username=self.person.username)
        told = {"id": self.id, "type": self.type, "title": self.title}
        return told | _given(username=self.username, is_forum=self.forum)


@dataclass(eq=False)
class Topic:
    """A topic of a forum, or of a private chat."""

    chat: Chat
    thread_id: int
    name: str
    opened_by: Message
    closed: bool = False
    gone: bool = False

    @property
    def id(self) -> int:
        return self.chat.id

    def messages(self) -> list[Message]:
        return [each for each in self.chat.everything() if each.thread_id == self.thread_id and not each.service]

    def last(self) -> Message:
        return self.messages()[-1]

    def delete(self) -> None:
        self.gone = True
        for each in self.chat.log.values():
            each.deleted = each.deleted or each.thread_id == self.thread_id
        self.chat.world.changed()


Place = Chat | Topic


@dataclass(eq=False)
class Message:
    """`reply_to_message` is what it replies to in the same chat and topic; `reply` more of it as the
    wire has it (quote, external_reply). `service` are the fields of a service message."""

    world: World = field(repr=False)
    id: int
    chat: Chat = field(repr=False)
    author: User = field(repr=False)
    text: str = ""
    caption: str = ""
    entities: list[Json] = field(default_factory=list, repr=False)
    media: Media | None = None
    thread_id: int | None = None
    sender_chat: Chat | None = None
    reply_to_message: Message | None = field(default=None, repr=False)
    reply: Json = field(default_factory=dict, repr=False)
    keyboard_json: Json | None = field(default=None, repr=False)
    album: str | None = None
    forward: Json = field(default_factory=dict, repr=False)
    service: Json = field(default_factory=dict)
    parse_mode: str = ""
    spoiler: bool = False
    silent: bool = False
    protected: bool = False
    above: bool = False
    automatic: bool = False
    deleted: bool = False
    edits: int = 0
    edited_at: int | None = None
    link_preview: Json | None = None
    date: int = field(default_factory=lambda: int(time.time()))
    reactions: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        return self.text or self.caption

    @property
    def kind(self) -> str:
        if self.service:
            return "service"
        return self.media.kind if self.media else "text"

    @property
    def data(self) -> bytes:
        """The file as it was sent."""
        return self.media.data if self.media else b""

    @property
    def shown(self) -> bytes:
        """The file as Telegram shows it: a photo is made anew."""
        return self.media.file.data if self.media else b""

    @property
    def filename(self) -> str:
        return self.media.name if self.media else ""

    @property
    def reply_to(self) -> int | None:
        return self.reply_to_message.id if self.reply_to_message else None

    @property
    def keyboard(self) -> list[list[tuple[str, str]]]:
        rows = (self.keyboard_json or {}).get("inline_keyboard", ())
        return [[(key["text"], key.get("callback_data") or key.get("url", "")) for key in row] for row in rows]

    @property
    def labels(self) -> list[str]:
        return [label for row in self.keyboard for label, _ in row]

    @property
    def place(self) -> Place:
        return self.chat if self.thread_id is None else self.chat.topics[self.thread_id]

    @property
    def notified(self) -> list[User]:
        """Whom its words call, in order."""
        found: list[User] = []
        for each in self.entities:
            if each["type"] == "text_mention":
                found += [user for user in self.world.users.values() if user.id == each["user"]["id"]]
            elif each["type"] == "mention":
                name = entities.part(self.words, each)[1:].lower()
                found += [user for user in self.world.users.values() if user.username.lower() == name]
        called = [each for each in found if not each.is_bot and self.chat.has(each)]
        return list(dict.fromkeys(called))


def _given(**fields: Any) -> Json:
    return {key: value for key, value in fields.items() if value}


class World:
    """`mentions_delivered`: whether a mention reaches a bot that does not read all (Telegram promises none)."""

    def __init__(self, *, reads_all: bool, mentions_delivered: bool, bot_name: str, bot_username: str) -> None:
        self.reads_all = reads_all
        self.mentions_delivered = mentions_delivered
        self.files = FileStore()
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self._numbers = 100
        self._common_id = 0
        self._waiters: list[asyncio.Future[None]] = []
        self.users[TELEGRAM] = User(self, TELEGRAM, "Telegram")
        self.users[GROUP_ANONYMOUS] = User(self, GROUP_ANONYMOUS, "Group", "GroupAnonymousBot", is_bot=True)
        self.users[CHANNEL_BOT] = User(self, CHANNEL_BOT, "Channel", "Channel_Bot", is_bot=True)
        self.bot_user = User(self, 7_000_000_001, bot_name, bot_username, is_bot=True)
        self.users[self.bot_user.id] = self.bot_user

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    def next_common_id(self) -> int:
        """Private chats and basic groups count together."""
        self._common_id += 1
        return self._common_id

    # --- what changes

    def changed(self) -> None:
        waiting, self._waiters = self._waiters, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    async def until(self, condition: Callable[[], Any], *, within_s: float = 10.0) -> Any:
        """Wait until the condition holds, and give what it gave. It is asked anew after every change here, and now and
        then for the sake of what changes elsewhere. TimeoutError after `within_s`."""
        async with asyncio.timeout(within_s):
            while not (found := condition()):
                waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiters.append(waiter)
                await asyncio.wait([waiter], timeout=0.02)
            return found

    def post(self, message: Message) -> Message:
        """It stands there, and the bot is told if it is shown such."""
        message.chat.log[message.id] = message
        if message.author.is_bot and message.author.id not in (GROUP_ANONYMOUS, CHANNEL_BOT):
            message.chat.last_bot = message.author.id
        self.tell_message("channel_post" if message.chat.type == "channel" else "message", message)
        self.changed()
        return message

    def edited(self, message: Message, *, by_user: bool = True) -> None:
        message.edits += 1
        message.edited_at = int(time.time())
        if by_user:
            kind = "edited_channel_post" if message.chat.type == "channel" else "edited_message"
            self.tell_message(kind, message)
        self.changed()

    def tell_message(self, kind: str, message: Message) -> None:
        """For whoever delivers updates."""

    def media_of(self, file_id: str) -> Media:
        found = self.files.media.get(file_id)
        if not found:
            raise bad("wrong file identifier/HTTP URL specified")
        return found

    # --- whom the bot is shown

    def shows(self, message: Message) -> bool:
        """Whether the bot is told of it: privacy mode."""
        chat, bot = message.chat, self.bot_user
        if message.author is bot or not chat.has(bot):
            return False
        if message.author.is_bot and message.author.id not in (GROUP_ANONYMOUS, CHANNEL_BOT):
            return False
        if chat.type in ("private", "channel") or self.reads_all or message.service:
            return True
        if chat.members[bot.id].status in ("administrator", "creator"):
            return True
        answered = message.reply_to_message
        return (answered is not None and answered.author is bot) or self._calls(message)

    def _calls(self, message: Message) -> bool:
        name = self.bot_user.username.lower()
        for each in message.entities:
            said = entities.part(message.words, each).lower()
            if each["type"] == "bot_command":
                _, at, to = said.partition("@")
                if to == name or (not at and message.chat.last_bot in (0, self.bot_user.id)):
                    return True
            if each["type"] == "mention" and self.mentions_delivered and said == f"@{name}":
                return True
        return False
