"""The page for people: chats, messages, keys and what answers them. For a try by hand only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from tests.fakes.telegram.bodies import File
from tests.fakes.telegram.people import NotThere, Person
from tests.fakes.telegram.refusals import Json
from tests.fakes.telegram.server import FakeTelegram
from tests.fakes.telegram.state import Chat, Message, Place, Topic

_PAGE = Path(__file__).with_name("page.html")
_WAIT_S = 20.0
_ANSWER_S = 5.0


class TelegramWithPage(FakeTelegram):
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
        app.router.add_get("/page/file/{id}", self._shown_file)
        app.router.add_post("/page/do", self._do)

    async def _page(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=_PAGE.read_text(), content_type="text/html")

    async def _shown_file(self, request: web.Request) -> web.StreamResponse:
        file_id = request.match_info["id"]
        media, file = self.files.media.get(file_id), self.files.by_id.get(file_id)
        if file is None:
            raise web.HTTPNotFound
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"}
        if media and media.kind == "document":
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(media.name)}"
        return web.Response(body=file.data, content_type=media.mime if media else "image/jpeg", headers=headers)

    # --- what is shown

    async def _state(self, request: web.Request) -> web.StreamResponse:
        person = self._person(request.query.get("as", ""))
        since = int(request.query.get("since", "-1"))
        if since >= self.version:
            try:
                await self.until(lambda: self.version > since, within_s=_WAIT_S)
            except TimeoutError:
                return web.json_response({"version": self.version})
        return web.json_response(
            {
                "version": self.version,
                "people": [each.name for each in self.people],
                "bot": self.bot_user.username,
                "reads_all": self.reads_all,
                "commands": self._offered(person),
                "places": [self._place(name, each) for name, each in self._places(person)],
            }
        )

    def _offered(self, person: Person) -> list[Json]:
        for key in (("default", person.language), ("default", ""), ("all_private_chats", "")):
            if key in self.commands:
                return self.commands[key]
        return []

    def _places(self, person: Person) -> list[tuple[str, Place]]:
        found: list[tuple[str, Place]] = [(f"@{self.bot_user.username}", self.private(person))]
        for chat in self.chats.values():
            if chat.moved_to or (chat.person and chat.person is not person) or not chat.has(person):
                continue
            if not chat.person:
                found.append((chat.title + (" · General" if chat.forum else ""), chat))
            found += [
                (f"{chat.title or 'Topic'} · {each.name}", each) for each in chat.topics.values() if not each.gone
            ]
        return found

    def _place(self, name: str, place: Place) -> Json:
        return {"id": _key(place), "name": name, "messages": [self._message(each) for each in place.messages()]}

    def _message(self, message: Message) -> Json:
        media = message.media
        answered = message.reply_to_message
        told: Json = {
            "id": message.id,
            "chat": message.chat.id,
            "who": message.sender_chat.title if message.sender_chat else message.author.name,
            "bot": message.author is self.bot_user,
            "words": message.words,
            "entities": message.entities,
            "kind": message.kind,
            "album": message.album,
            "date": message.date,
            "edited": message.edited_at is not None and message.author is not self.bot_user,
            "spoiler": message.spoiler,
            "forward": bool(message.forward),
            "reactions": message.reactions,
            "keys": message.keyboard,
            "calls": [each.name for each in message.notified],
            "reply": answered and {"who": answered.author.name, "words": answered.words or answered.kind},
        }
        if media:
            shown = media.file if media.kind != "document" else media.thumb
            told |= {"file": media.file.file_id, "name": media.name, "bytes": len(media.file.data)}
            told |= {"shown": shown and shown.file_id, "sides": f"{media.file.width} × {media.file.height}"}
        return told

    # --- what is done

    def _person(self, name: str) -> Person:
        return next((each for each in self.people if each.name == name), self.people[0])

    async def _do(self, request: web.Request) -> web.StreamResponse:
        fields, files = dict[str, str](), list[File]()
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            data = bytes(await part.read())
            if part.filename:
                files.append((part.filename, data))
            else:
                fields[part.name or ""] = data.decode()
        try:
            told = await self._act(self._person(fields.get("as", "")), fields, files)
        except (NotThere, KeyError, ValueError) as wrong:
            return web.json_response({"error": str(wrong)}, status=400)
        return web.json_response(told)

    async def _act(self, person: Person, fields: Mapping[str, str], files: Sequence[File]) -> Json:
        place = self._found(fields["place"])
        number = fields.get("message", "")
        message = place.chat.log[int(number)] if number else None
        match fields["do"], message:
            case "say", _:
                await self._say(person, place, fields, files, message)
            case "press", found if found:
                press = await person.presses(found, data=fields["data"])
                try:
                    await self.until(lambda: press.answered, within_s=_ANSWER_S)
                except TimeoutError:
                    raise NotThere("the key still spins: nobody has answered") from None
                return {"words": press.words, "alert": press.alert}
            case "edit", found if found:
                await person.edits(found, fields["text"])
            case "delete", found if found:
                await person.deletes(found)
            case "forward", found if found:
                await person.says(self._found(fields["to"]), forward_of=found)
            case _:
                raise NotThere(f"nothing is called “{fields['do']}”")
        return {}

    async def _say(
        self, person: Person, place: Place, fields: Mapping[str, str], files: Sequence[File], reply: Message | None
    ) -> None:
        words, as_files = fields.get("text", ""), fields.get("as_files") == "1"
        if len(files) > 1:
            data = [each for _, each in files]
            await person.album(place, data, words, reply_to=reply, as_documents=as_files)
        elif files and as_files:
            await person.says(place, words, document=files[0], reply_to=reply)
        elif files and files[0][0].endswith((".ogg", ".oga", ".opus")):
            await person.says(place, words, voice=files[0][1], reply_to=reply)
        else:
            photo = files[0][1] if files else None
            spoiler = fields.get("spoiler") == "1"
            await person.says(place, words, photo=photo, reply_to=reply, spoiler=spoiler)
        await asyncio.sleep(0)

    def _found(self, key: str) -> Place:
        chat_id, _, topic = key.partition("/")
        chat = self.chats[int(chat_id)]
        return chat.topics[int(topic)] if topic else chat


def _key(place: Place) -> str:
    match place:
        case Topic():
            return f"{place.chat.id}/{place.thread_id}"
        case Chat():
            return str(place.id)
