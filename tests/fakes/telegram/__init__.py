"""A Bot API server on this machine: methods, files, updates by polling or webhook. It refuses what Telegram would
refuse.

    async with FakeTelegram(reads_all=False, floods=True) as fake:
        anna, ben = fake.user("Anna", language="en"), fake.user("Ben")
        home, group = fake.private(anna), fake.group("Friends", anna, ben)
        forum = fake.forum("Club", anna)               # the forum itself is General
        topic = forum.topic("Pictures")
        ...                                            # point a bot at fake.api_base, with fake.token
        said = await anna.says(home, "make it blue", photo=data)
        reply = await fake.until(lambda: home.last() is not said and home.last())
        press = await anna.presses(reply, "Cancel")
        await fake.until(lambda: press.answered)
        three = await anna.album(group, [a, b, c], "@remix_test_bot warmer", order=(2, 0, 1), batches=(1, 2))

Made chats have the bot in them, and it was told nothing of that; `fake.add_bot` tells it. `messages()` leaves out
service messages and what was deleted. Every test ends well with `assert fake.faults() == []`.

By hand: `python -m tests.fakes.telegram --port 8079 [--reads-all]`; it prints the bot's settings, and serves a page for
people under /.
"""

from tests.fakes.telegram.entities import part
from tests.fakes.telegram.people import NotThere, Person, Press
from tests.fakes.telegram.refusals import Json
from tests.fakes.telegram.server import FakeTelegram, Request
from tests.fakes.telegram.state import GROUP_ANONYMOUS, Chat, Member, Message, Place, Topic, User
from tests.fakes.telegram.updates import Update, Updates, Webhook

__all__ = [
    "GROUP_ANONYMOUS", "Chat", "FakeTelegram", "Json", "Member", "Message", "NotThere", "Person", "Place", "Press",
    "Request", "Topic", "Update", "Updates", "User", "Webhook", "part",
]  # fmt: skip
