"""The page for people: channels, messages, buttons and forms as a chat would show them. For a try by hand only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web

from tests.fakes.discord.interactions import ACK_S, Interaction
from tests.fakes.discord.payloads import message_json
from tests.fakes.discord.people import File, NotThere, Person
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.state import DM, FORUM, Channel, Json

_PAGE = Path(__file__).with_name("page.html")
_WAIT_S = 20.0


class DiscordWithPage(FakeDiscord):
    """`GET /page/state?as=…&since=…` answers once something is new; `POST /page/do` does what a person does."""

    def __init__(self, *given: Any, **options: Any) -> None:
        self.version = 0
        self.people: list[Person] = []
        super().__init__(*given, **options)

    def changed(self) -> None:
        self.version += 1
        super().changed()

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/", self._page)
        app.router.add_get("/page/state", self._state)
        app.router.add_post("/page/do", self._do)

    async def _page(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=_PAGE.read_text(), content_type="text/html")

    async def _state(self, request: web.Request) -> web.StreamResponse:
        person = self._person(request.query.get("as", ""))
        since = int(request.query.get("since", "-1"))
        if since >= self.version:
            try:
                await self.until(lambda: self.version > since, within_s=_WAIT_S)
            except TimeoutError:
                return web.json_response({"version": self.version})
        self.dm(person)
        places = [each for each in self.channels.values() if self._shown(each, person)]
        return web.json_response(
            {
                "version": self.version,
                "people": [each.name for each in self.people],
                "users": {each.id: each.name for each in self.users.values()},
                "bot": self.bot.id,
                "connected": bool(self.gateway.connected),
                "content_intent": self.content_intent,
                "commands": [{key: each.get(key) for key in ("name", "type", "options")} for each in self.commands],
                "places": [self._place(each, person) for each in places],
                "forms": [
                    {"interaction": each.id, "channel": each.channel.id, "form": each.modal}
                    for each in self.interactions.all
                    if each.user is person and each.modal and not self._submitted(each)
                ],
            }
        )

    def _submitted(self, opened: Interaction) -> bool:
        return any(each.opener is opened for each in self.interactions.all)

    def _shown(self, channel: Channel, person: Person) -> bool:
        return person in channel.recipients if channel.type == DM else channel.type != 4

    def _place(self, channel: Channel, person: Person) -> Json:
        name = f"@ {self.bot.name}" if channel.type == DM else f"# {channel.name}"
        said = [message_json(each) | {"edited": each.edits > 0} for each in person.sees(channel)]
        for each in said:
            each["author"]["shown"] = self.users[each["author"]["id"]].name
        guild = channel.guild.name if channel.guild else "Direct messages"
        return {"id": channel.id, "name": name, "guild": guild, "forum": channel.type == FORUM, "messages": said}

    def _person(self, name: str) -> Person:
        return next((each for each in self.people if each.name == name), self.people[0])

    async def _do(self, request: web.Request) -> web.StreamResponse:
        fields, files = dict[str, str](), list[tuple[str, File]]()
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            data = bytes(await part.read())
            if part.filename:
                files.append((part.name or "", (part.filename, data)))
            else:
                fields[part.name or ""] = data.decode()
        try:
            started = await self._act(self._person(fields.get("as", "")), fields, files)
            if started:
                await started.response(within_s=ACK_S)
        except (NotThere, KeyError, ValueError) as wrong:
            return web.json_response({"error": str(wrong)}, status=400)
        except TimeoutError:
            return web.json_response({"error": "The application did not respond."}, status=400)
        return web.json_response({})

    async def _act(
        self, person: Person, fields: Mapping[str, str], files: list[tuple[str, File]]
    ) -> Interaction | None:
        channel = self.channels[fields["channel"]]
        message = self.messages.get(fields.get("message", ""))
        match fields["do"], message:
            case "say", _:
                plain = [file for _, file in files]
                ping = fields.get("ping", "1") == "1"
                await person.says(channel, fields.get("text", ""), files=plain, reply_to=message, ping=ping)
            case "press", found if found:
                chosen = [self._thing(each) for each in json.loads(fields.get("choices", "[]"))]
                return await person.presses(found, custom_id=fields["custom_id"], choices=chosen)
            case "menu", found if found:
                return await person.menu(fields["name"], found)
            case "edit", found if found:
                await person.edits(found, fields["text"])
            case "delete", found if found:
                await person.deletes(found)
            case "forward", found if found:
                await person.forwards(found, to=self.channels[fields["to"]])
            case "slash", _:
                return await person.slash(fields["name"], channel, **self._typed(fields, files))
            case "submit", _:
                return await self._submit(person, fields, files)
            case _:
                raise NotThere(f"nothing is called “{fields['do']}”")
        return None

    def _typed(self, fields: Mapping[str, str], files: list[tuple[str, File]]) -> dict[str, Any]:
        given = {key: self._thing(value) for key, value in json.loads(fields.get("options", "{}")).items()}
        return given | dict(files)

    async def _submit(self, person: Person, fields: Mapping[str, str], files: list[tuple[str, File]]) -> Interaction:
        opened = next(each for each in self.interactions.all if each.id == fields["interaction"])
        values = json.loads(fields.get("values", "{}"))
        values = {
            key: [self._thing(one) for one in each] if isinstance(each, list) else each for key, each in values.items()
        }
        placed: dict[str, list[File]] = {}
        for name, file in files:
            placed.setdefault(name, []).append(file)
        return await person.submits(opened, values, files=placed)

    def _thing(self, value: Any) -> Any:
        """An id that names somebody or something is that; all else stays."""
        roles = {key: role for guild in self.guilds.values() for key, role in guild.roles.items()}
        return (
            self.users.get(value) or self.channels.get(value) or roles.get(value) or value
            if isinstance(value, str)
            else value
        )
