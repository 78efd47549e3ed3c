"""People who use the bot: what they can do with a client, and nothing that a client would not let them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from tests.fakes.discord import permissions
from tests.fakes.discord.components import SELECTS, spread
from tests.fakes.discord.interactions import (
    COMMAND,
    COMPONENT,
    FORM,
    Installed,
    Interaction,
    resolved,
)
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.rest import reacted
from tests.fakes.discord.state import (
    FORUM,
    HAS_SNAPSHOT,
    VOICE,
    Attachment,
    Channel,
    Json,
    Message,
    Role,
    User,
)

if TYPE_CHECKING:
    from tests.fakes.discord.server import FakeDiscord

File = tuple[str, bytes]
Choice = str | User | Role | Channel
_SUB, _GROUP, _ATTACHMENT = 1, 2, 11
_DEFAULT_CONTEXTS = (0, 1, 2)


class NotThere(AssertionError):
    """What a person wanted to press, choose or type is not there."""


class Person(User):
    @property
    def _fake(self) -> FakeDiscord:
        from tests.fakes.discord.server import FakeDiscord

        return cast(FakeDiscord, self.world)

    # --- messages

    async def says(
        self,
        channel: Channel,
        words: str = "",
        *,
        files: Sequence[File] = (),
        reply_to: Message | None = None,
        ping: bool = True,
        mentions: Sequence[User | Role] = (),
        spoiler: bool = False,
        voice: bytes | None = None,
        alt: str | None = None,
        embeds: Sequence[Json] = (),
        webhook: bool = False,
    ) -> Message:
        """Whoever is mentioned and not in the words already is put before them. In a forum this begins a post: the
        message then stands in the new thread."""
        self._enters(channel)
        fake = self._fake
        if channel.type == FORUM:
            channel = channel.thread(words[:90] or "A post")
        named = " ".join(f"<@&{each.id}>" if isinstance(each, Role) else each.mention for each in mentions)
        begins = channel.is_thread and channel.parent and channel.parent.type == FORUM and not channel.log
        made = Message(fake, channel.id if begins else fake.snowflake(), channel, self, f"{named} {words}".strip())
        made.attachments = [fake.attachment(name, data, spoiler=spoiler, description=alt) for name, data in files]
        if spoiler:
            for each in made.attachments:
                each.filename = "SPOILER_" + each.filename.removeprefix("SPOILER_")
        if voice is not None:
            made.attachments = [fake.attachment("voice-message.ogg", voice, duration_s=2.0, waveform="AAAA")]
            made.flags |= VOICE
        made.embeds = [dict(each) for each in embeds]
        made.webhook_id = fake.snowflake() if webhook else None
        if reply_to:
            made.type, made.pings_by_reply = 19, ping
            made.reference = _reference(reply_to, 0)
        return fake.post(made)

    async def forwards(self, message: Message, *, to: Channel) -> Message:
        self._enters(to)
        made = Message(self.world, self.world.snowflake(), to, self)
        made.reference, made.snapshots = _reference(message, 1), [snapshot_of(message)]
        made.flags |= HAS_SNAPSHOT
        return self.world.post(made)

    async def edits(self, message: Message, words: str) -> None:
        if message.author is not self:
            raise NotThere("only one's own messages can be edited")
        message.content = words
        self.world.edited(message)

    async def unfurl(self, message: Message, *, url: str = "https://example.org/") -> None:
        """Discord shows a preview of a link: an update that nobody made."""
        message.embeds.append({"type": "link", "url": url, "title": "A page"})
        self.world.edited(message, by_user=False)

    async def deletes(self, message: Message) -> None:
        moderates = permissions.in_channel(message.channel, self) & Permission.MANAGE_MESSAGES
        if message.author is not self and not moderates and message.seen_by is not self:
            raise NotThere("only one's own messages can be deleted")
        self.world.delete(message)

    async def reacts(self, message: Message, emoji: str) -> None:
        reacted(message, self, emoji)

    def sees(self, channel: Channel) -> list[Message]:
        """What stands there for this person, ephemeral answers among it, oldest first."""
        mine = [each for each in self.world.messages.values() if each.seen_by is self and each.channel is channel]
        return sorted([*channel.messages(), *mine], key=lambda each: int(each.id))

    # --- interactions

    async def presses(
        self,
        message: Message,
        label: str = "",
        *,
        choices: Sequence[Choice] = (),
        custom_id: str = "",
        installed: Installed | None = None,
    ) -> Interaction:
        """Press the button, or choose in the select, with this label, placeholder or custom id. For options of a string
        select: their labels or values."""
        self._enters(message.channel)
        if message.deleted or (message.seen_by and message.seen_by is not self):
            raise NotThere("the message is not there for them")
        control = _control(message, custom_id or label)
        if control.get("disabled") or control.get("style") == 5:
            raise NotThere(f"“{label or custom_id}” cannot be pressed")
        data: Json = {"component_type": control["type"], "custom_id": control["custom_id"], "id": control.get("id", 1)}
        if control["type"] in SELECTS:
            values, things = _chosen(control, choices)
            data["values"] = values
            if things:
                data["resolved"] = resolved(self.world, message.channel, things)
        how = installed or _installed(message)
        return self._fake.interactions.start(COMPONENT, self, message.channel, data, message=message, installed=how)

    async def slash(
        self, name: str, channel: Channel, *, installed: Installed = "guild", **options: Any
    ) -> Interaction:
        """A slash command; words parted by spaces for a subcommand. Options: text, numbers, truth values, users, roles,
        channels, or (name, bytes) for a file."""
        self._enters(channel)
        first, *rest = name.split()
        command = self._command(first, 1, channel, installed)
        things: list[Any] = []
        data: Json = {"id": command["id"], "name": first, "type": 1}
        data["options"] = self._options(command.get("options") or [], rest, dict(options), things)
        if things:
            data["resolved"] = resolved(self.world, channel, things)
        return self._fake.interactions.start(COMMAND, self, channel, data, installed=installed)

    async def menu(self, name: str, message: Message, *, installed: Installed = "guild") -> Interaction:
        """A message command."""
        self._enters(message.channel)
        command = self._command(name, 3, message.channel, installed)
        data: Json = {"id": command["id"], "name": name, "type": 3, "target_id": message.id}
        data["resolved"] = resolved(self.world, message.channel, [message])
        return self._fake.interactions.start(COMMAND, self, message.channel, data, installed=installed)

    async def menu_on(self, name: str, user: User, channel: Channel, *, installed: Installed = "guild") -> Interaction:
        """A user command."""
        self._enters(channel)
        command = self._command(name, 2, channel, installed)
        data: Json = {"id": command["id"], "name": name, "type": 2, "target_id": user.id}
        data["resolved"] = resolved(self.world, channel, [user])
        return self._fake.interactions.start(COMMAND, self, channel, data, installed=installed)

    async def submits(
        self,
        interaction: Interaction,
        values: Mapping[str, Any] | None = None,
        *,
        files: Mapping[str, Sequence[File]] | Sequence[File] = (),
    ) -> Interaction:
        """Send the form that an interaction opened. By label or custom id: text for a field, a list of choices for a
        select. `files` likewise, or a plain list for a form with one place for files. What is left out stays as the
        form had it."""
        form = interaction.modal
        if form is None:
            raise NotThere("no form was opened")
        given = dict(values or {})
        placed = _placed(form, files)
        things: list[Any] = []
        rows = [self._row(row, given, placed, things) for row in form["components"]]
        if given or placed:
            raise NotThere(f"the form has no {', '.join([*given, *placed])}")
        data: Json = {"custom_id": form["custom_id"], "components": rows}
        if things:
            data["resolved"] = resolved(self.world, interaction.channel, things)
        origin = interaction.message if interaction.type == COMPONENT else None
        return self._fake.interactions.start(
            FORM,
            self,
            interaction.channel,
            data,
            message=origin,
            opener=interaction,
            installed=interaction.installed,
        )

    def _row(self, row: Json, given: dict[str, Any], placed: dict[str, Sequence[File]], things: list[Any]) -> Json:
        if row["type"] == 10:
            return {"type": 10, "id": row["id"]}
        inner = row["component"] if row["type"] == 18 else row["components"][0]
        label = row.get("label") or inner.get("label") or ""
        key = next((each for each in (label, inner["custom_id"]) if each in given), None)
        value = given.pop(key) if key else None
        told: Json = {"type": inner["type"], "id": inner["id"], "custom_id": inner["custom_id"]}
        match inner["type"]:
            case 4:
                told["value"] = _typed(inner, value)
            case 19:
                where = next((each for each in (label, inner["custom_id"]) if each in placed), None)
                told["values"] = self._uploads(inner, placed.pop(where) if where else (), things)
            case kind if kind in SELECTS:
                standing = [each["value"] for each in inner.get("options") or () if each.get("default")]
                told["values"], more = _chosen(inner, standing if value is None else value, in_form=True)
                things += more
            case 22:
                told["values"] = list(value or ())
            case _:
                told["value"] = value
        return {"type": 18, "id": row["id"], "component": told} if row["type"] == 18 else {
            "type": 1, "id": row["id"], "components": [told]
        }  # fmt: skip

    def _uploads(self, field: Json, files: Sequence[File], things: list[Any]) -> list[str]:
        low, high = spread(field)
        low = 0 if field.get("required") is False else low
        if not low <= len(files) <= high:
            raise NotThere(f"it takes {low} to {high} files")
        made = [self.world.attachment(name, data, ephemeral=True) for name, data in files]
        things += made
        return [each.id for each in made]

    def _command(self, name: str, kind: int, channel: Channel, installed: Installed) -> Json:
        for each in self.world.commands:
            if each["name"] == name and each["type"] == kind:
                break
        else:
            raise NotThere(f"no command “{name}” is registered")
        context = 0 if channel.guild else (1 if self.world.dms.get(self.id) is channel else 2)
        types = each.get("integration_types") or [0]
        contexts = _DEFAULT_CONTEXTS if each.get("contexts") is None else each["contexts"]
        if (0 if installed == "guild" else 1) not in types or context not in contexts:
            raise NotThere(f"“{name}” is not offered there")
        if installed == "guild" and channel.guild and not channel.guild.has_bot:
            raise NotThere(f"“{name}” is not offered there: the bot is not a member")
        needed = each.get("default_member_permissions")
        if needed and channel.guild and int(needed) & ~int(permissions.in_channel(channel, self)):
            raise NotThere(f"“{name}” is not offered to them")
        return each

    def _options(self, known: list[Json], path: list[str], given: dict[str, Any], things: list[Any]) -> list[Json]:
        if path:
            sub = next((each for each in known if each["name"] == path[0] and each["type"] in (_SUB, _GROUP)), None)
            if sub is None:
                raise NotThere(f"no subcommand “{path[0]}”")
            inner = self._options(sub.get("options") or [], path[1:], given, things)
            return [{"name": sub["name"], "type": sub["type"], "options": inner}]
        told = [self._option(each, given.pop(each["name"]), things) for each in known if each["name"] in given]
        named = [each["name"] for each in told]
        missing = [each["name"] for each in known if each.get("required") and each["name"] not in named]
        if given or missing:
            raise NotThere(f"no such options: {sorted(given)}, or left out: {missing}")
        return told

    def _option(self, option: Json, value: Any, things: list[Any]) -> Json:
        if option.get("choices"):
            named = {each["name"]: each["value"] for each in option["choices"]}
            if value not in named and value not in named.values():
                raise NotThere(f"“{value}” is none of the choices of {option['name']}")
            value = named.get(value, value)
        if option["type"] == _ATTACHMENT:
            value = self.world.attachment(value[0], value[1], ephemeral=True)
        if isinstance(value, (User, Role, Channel, Attachment)):
            things.append(value)
            value = value.id
        return {"name": option["name"], "type": option["type"], "value": value}

    def _enters(self, channel: Channel) -> None:
        if channel.guild and self.id not in channel.guild.members:
            channel.guild.join(self)
        if not permissions.in_channel(channel, self) & Permission.VIEW_CHANNEL:
            raise NotThere("they do not see that channel")


def snapshot_of(message: Message) -> Json:
    """What a forward shows: no author, no id. A forward of a forward shows the first."""
    if message.snapshots:
        return dict(message.snapshots[0])
    return {
        "type": message.type,
        "content": message.content,
        "embeds": [dict(each) for each in message.embeds],
        "timestamp": message.created_at,
        "edited_timestamp": message.edited_at,
        "flags": message.flags,
        "mentions": [],
        "mention_roles": [],
        "components": list(message.components),
        "files": list(message.attachments),
        "from": message.channel.id,
    }


def _reference(message: Message, kind: int) -> Json:
    found: Json = {"type": kind, "channel_id": message.channel.id, "message_id": message.id}
    return found | ({"guild_id": message.channel.guild.id} if message.channel.guild else {})


def _installed(message: Message) -> Installed:
    owners = (message.interaction or {}).get("authorizing_integration_owners", {})
    return "user" if list(owners) == ["1"] else "guild"


def _control(message: Message, wanted: str) -> Json:
    controls = message.controls()
    for each in controls:
        if wanted in (each.get("label"), each.get("custom_id"), each.get("placeholder"), _emoji(each)):
            return each
    raise NotThere(f"no “{wanted}” there, only {message.labels()}")


def _emoji(control: Json) -> str | None:
    return (control.get("emoji") or {}).get("name") or None


def _chosen(control: Json, choices: Sequence[Choice], *, in_form: bool = False) -> tuple[list[str], list[Any]]:
    low, high = spread(control)
    if in_form and control.get("required") is False:
        low = 0
    if not low <= len(choices) <= high:
        raise NotThere(f"it takes {low} to {high} choices")
    if control["type"] == 3:
        values = {each["label"]: each["value"] for each in control["options"]}
        known = set(values.values())
        for each in choices:
            if each not in values and each not in known:
                raise NotThere(f"no “{each}” there, only {list(values)}")
        return [values.get(cast(str, each), cast(str, each)) for each in choices], []
    fits: dict[int, tuple[type, ...]] = {5: (User,), 6: (Role,), 7: (User, Role), 8: (Channel,)}
    for each in choices:
        if not isinstance(each, fits[control["type"]]):
            raise NotThere(f"that select does not offer {each!r}")
    return [cast(User, each).id for each in choices], list(choices)


def _typed(field: Json, value: Any) -> str:
    text = str(field.get("value") or "" if value is None else value)
    low, high = field.get("min_length") or 0, field.get("max_length") or 4000
    if field.get("required") is not False and not text:
        raise NotThere(f"“{field.get('label') or field['custom_id']}” must be filled")
    if len(text) > high or (text and len(text) < low):
        raise NotThere(f"it takes {low} to {high} characters")
    return re.sub(r"\r\n?", "\n", text)


def _placed(form: Json, files: Mapping[str, Sequence[File]] | Sequence[File]) -> dict[str, Sequence[File]]:
    if isinstance(files, Mapping):
        return dict(files)
    if not files:
        return {}
    places = [
        row["component"]["custom_id"] for row in form["components"] if (row.get("component") or {}).get("type") == 19
    ]
    if len(places) != 1:
        raise NotThere(f"the form has {len(places)} places for files")
    return {places[0]: files}
