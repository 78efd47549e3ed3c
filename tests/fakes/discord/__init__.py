"""A Discord on this machine: REST, gateway, files; the real client library talks to it. It refuses what Discord
would refuse.

    async with FakeDiscord(content_intent=False) as fake:
        guild = fake.guild("Friends", tier=0)
        channel, anna = guild.channel("pictures"), fake.user("Anna")
        ...                                       # point a bot at fake.api_base and fake.gateway_url, with fake.token
        said = await anna.says(channel, "make it blue", files=[("cat.png", data)], mentions=[fake.bot])
        reply = await fake.until(lambda: channel.last() is not said and channel.last())
        opened = await anna.presses(reply, "Edit…")
        await opened.form()
        sent = await anna.submits(opened, {"What to change": "warmer"}, files=[("hat.png", data)])
        assert (await sent.answer()).content == "On it."

By hand: `python -m tests.fakes.discord --port 8078 [--no-content-intent]`; it prints its address and the bot's
settings, and serves a page for people under /.
"""

from tests.fakes.discord.gateway import Gateway, Session
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.people import NotThere, Person
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.schema import request_fault, response_fault
from tests.fakes.discord.server import FakeDiscord, Request
from tests.fakes.discord.state import Attachment, Channel, Guild, Json, Message, Role, User

__all__ = [
    "Attachment", "Channel", "FakeDiscord", "Gateway", "Guild", "Interaction", "Json", "Message", "NotThere",
    "Permission", "Person", "Request", "Role", "Session", "User", "request_fault", "response_fault",
]  # fmt: skip
