"""What happens in Telegram without anybody asking the bot: chats come to be, people join, the bot is thrown out."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

from tests.fakes.telegram import entities
from tests.fakes.telegram.people import Inline, NotThere, Person, Press, query_json, username_of
from tests.fakes.telegram.refusals import Json
from tests.fakes.telegram.state import TELEGRAM, Chat, Member, Message, Status, User, World
from tests.fakes.telegram.updates import Update, Updates
from tests.fakes.telegram.wire import membership_json, message_json, origin


class Happenings(World):
    """`query_life_s` is how long a pressed key may be answered. `told` are all updates there were, `hanging` the calls
    that wait for an answer that never comes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.updates = Updates(self.changed)
        self.told: list[Update] = []
        self.presses: dict[str, Press] = {}
        self.inlines: dict[str, Inline] = {}
        self.takes_inline = True
        self.commands: dict[tuple[str, str], list[Json]] = {}
        """By scope and language."""
        self.texts: dict[tuple[str, str], str] = {}
        self.query_life_s = 60.0
        self.hanging = 0
        self._albums = itertools.count(13_000_000_000_000_001)
        self._by_message: dict[tuple[int, int], Update] = {}

    @property
    def bot(self) -> User:
        return self.bot_user

    # --- making things

    def user(self, name: str, *, language: str = "en", username: str | None = None, started: bool = True) -> Person:
        """With `username=""` they have none. `started`: they have written to the bot before."""
        named = username_of(name) if username is None else username
        made = Person(self, 1_000_000_000 + self.number(), name, named, language=language, started=started)
        self.users[made.id] = made
        return made

    def private(self, person: Person) -> Chat:
        """The chat of this person with the bot, the same every time."""
        if person.id not in self.chats:
            self.chats[person.id] = Chat(self, person.id, "private", person=person)
        return self.chats[person.id]

    def group(self, title: str, *people: Person, bot: bool = True) -> Chat:
        """A basic group, the first of the people its creator. The bot is a member without having been told so."""
        return self._chat(Chat(self, -4_000_000_000 - self.number(), "group", title), people, bot=bot)

    def supergroup(
        self, title: str, *people: Person, forum: bool = False, bot: bool = True, username: str = ""
    ) -> Chat:
        number = -1_002_000_000_000 - self.number()
        return self._chat(Chat(self, number, "supergroup", title, username, forum), people, bot=bot)

    def forum(self, title: str, *people: Person, bot: bool = True) -> Chat:
        return self.supergroup(title, *people, forum=True, bot=bot)

    def channel(self, title: str, *people: Person, linked: Chat | None = None, bot: bool = False) -> Chat:
        """What is posted there by `posts` comes into the linked group as well."""
        made = Chat(self, -1_003_000_000_000 - self.number(), "channel", title, linked=linked)
        return self._chat(made, people, bot=bot)

    def _chat(self, chat: Chat, people: tuple[Person, ...], *, bot: bool) -> Chat:
        for each in people:
            chat.members[each.id] = Member(each, "member" if chat.members else "creator")
        if bot:
            status: Status = "administrator" if chat.type == "channel" else "member"
            chat.members[self.bot_user.id] = Member(self.bot_user, status)
        self.chats[chat.id] = chat
        self.changed()
        return chat

    def album_id(self) -> str:
        return str(next(self._albums))

    # --- telling the bot

    def tell_message(self, kind: str, message: Message) -> None:
        if self.shows(message):
            told = self._tell(kind, message_json(message), lane=message.chat.id)
            if told:
                self._by_message[message.chat.id, message.id] = told

    def _tell(self, kind: str, what: Json, *, lane: int) -> Update | None:
        made = self.updates.push(kind, what, lane=lane)
        if made:
            self.told.append(made)
        return made

    def ends_batch(self) -> None:
        """What comes from now on is in another answer to getUpdates."""
        if self.updates.pending:
            self.updates.pending[-1].ends_batch = True

    def redeliver(self, message: Message, *, as_new: bool = False) -> None:
        """The last update about it comes once more: the very same, acknowledged or not, or under a new id."""
        update = self._by_message[message.chat.id, message.id]
        if as_new:
            self.updates.push_raw({key: value for key, value in update.raw.items() if key != "update_id"})
        else:
            self.updates.push_again(update)

    def restart_update_ids(self, *, at: int) -> None:
        """As after a week in which nothing came."""
        self.updates.next_id = at

    def push_raw(self, update: Json) -> int:
        """An update as it is, however odd; it gets an id if it has none. Gives that."""
        return self.updates.push_raw(update).id

    def pressed(self, person: Person, message: Message, data: str) -> Press:
        now = asyncio.get_running_loop().time()
        made = Press(str(4_400_000_000_000_000_000 + self.number()), message, person, data, now)
        self.presses[made.id] = made
        instance = str(3_300_000_000_000_000 + abs(message.chat.id) % 10**9)
        if message.chat.has(self.bot_user):
            self._tell("callback_query", query_json(made, instance), lane=message.chat.id)
        self.changed()
        return made

    def inline(self, person: Person, words: str = "") -> Inline:
        """They write "@bot words" somewhere."""
        if not self.takes_inline:
            raise NotThere("the bot's owner has not told BotFather /setinline")
        now = asyncio.get_running_loop().time()
        made = Inline(str(5_500_000_000_000_000_000 + self.number()), person, words, now)
        self.inlines[made.id] = made
        told = {"id": made.id, "from": person.json(), "query": words, "offset": "", "chat_type": "group"}
        self._tell("inline_query", told, lane=person.id)
        self.changed()
        return made

    def is_old(self, press: Press | Inline) -> bool:
        return asyncio.get_running_loop().time() - press.at > self.query_life_s

    # --- members

    def join(self, chat: Chat, *people: Person) -> None:
        """Without a word about it."""
        for each in people:
            chat.members[each.id] = Member(each)

    def promote(self, chat: Chat, user: User, *, anonymous: bool = False) -> None:
        """An administrator from now on. The bot is told if it is the one."""
        old = chat.members.get(user.id, Member(user, "left"))
        status: Status = "creator" if old.status == "creator" else "administrator"
        new = chat.members[user.id] = Member(user, status, anonymous)
        if user is self.bot_user:
            self._membership(chat, self._owner(chat), old, new)

    def add_bot(self, chat: Chat, *, by: User | None = None) -> None:
        who, bot = by or self._owner(chat), self.bot_user
        old = chat.members.get(bot.id, Member(bot, "left"))
        new = chat.members[bot.id] = Member(bot)
        self._membership(chat, who, old, new)
        self._service(chat, who, {"new_chat_members": [bot.json()]})

    def kick_bot(self, chat: Chat, *, by: User | None = None) -> None:
        self.take_bot_out(chat, by=by or self._owner(chat), status="kicked")

    def take_bot_out(self, chat: Chat, *, by: User, status: Status) -> None:
        bot = self.bot_user
        old = chat.members.get(bot.id, Member(bot))
        self._service(chat, by, {"left_chat_member": bot.json()})
        new = chat.members[bot.id] = Member(bot, status)
        self._membership(chat, by, old, new)
        self.changed()

    def block_bot(self, person: Person) -> None:
        person.blocks_bot = True
        self._membership(self.private(person), person, Member(self.bot_user), Member(self.bot_user, "kicked"))

    def unblock_bot(self, person: Person) -> None:
        if person.blocks_bot:
            person.blocks_bot = False
            self._membership(self.private(person), person, Member(self.bot_user, "kicked"), Member(self.bot_user))

    def deactivate(self, person: Person) -> None:
        """Their account is deleted."""
        person.deactivated = True

    def _owner(self, chat: Chat) -> User:
        return next((each.user for each in chat.admins()), self.users[TELEGRAM])

    def _membership(self, chat: Chat, by: User, old: Member, new: Member) -> None:
        self._tell("my_chat_member", membership_json(chat, by, old, new, int(time.time())), lane=chat.id)
        self.changed()

    def _service(self, chat: Chat, by: User, what: Json) -> Message:
        return self.post(Message(self, chat.next_id(), chat, by, service=what))

    # --- messages

    def delete(self, message: Message) -> None:
        """Nobody tells the bot."""
        message.deleted = True
        self.changed()

    def age(self, message: Message, seconds: float) -> None:
        """It was sent that much earlier."""
        message.date -= int(seconds)

    def pin(self, message: Message, by: Person) -> Message:
        what = {"pinned_message": message_json(message, deep=False)}
        made = Message(self, message.chat.next_id(), message.chat, by, service=what, thread_id=message.thread_id)
        return self.post(made)

    async def posts(self, channel: Chat, words: str = "", *, photo: bytes | None = None) -> Message:
        """Something in a channel. Gives what stands in the linked group, or the post where there is none."""
        if channel.type != "channel":
            raise NotThere("that is no channel")
        author = next(each.user for each in channel.members.values() if isinstance(each.user, Person))
        assert isinstance(author, Person)
        post = await author.says(channel, words, photo=photo)
        group = channel.linked
        if group is None:
            return post
        made = Message(self, group.next_id(), group, self.users[TELEGRAM], post.text, post.caption, post.entities)
        made.media, made.sender_chat, made.automatic = post.media, channel, True
        made.forward = {"forward_origin": origin(post)}
        return self.post(made)

    def says_as_bot(self, chat: Chat, name: str, words: str) -> Message:
        """Another bot says something, which ours is never told."""
        other = User(self, 6_000_000_000 + self.number(), name, username_of(name) + "_bot", is_bot=True)
        self.users[other.id] = other
        chat.members[other.id] = Member(other)
        told, found = entities.settled(words, ())
        return self.post(Message(self, chat.next_id(), chat, other, told, entities=found))

    def migrate(self, group: Chat) -> Chat:
        """The group becomes a supergroup: another id, message ids from 1 on, and a word about it on both sides."""
        made = Chat(self, -1_002_000_000_000 - self.number(), "supergroup", group.title)
        made.members, self.chats[made.id] = dict(group.members), made
        by = self._owner(group)
        self._service(group, by, {"migrate_to_chat_id": made.id})
        group.moved_to = made
        self._service(made, by, {"migrate_from_chat_id": group.id})
        return made
