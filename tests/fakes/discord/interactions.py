"""Interactions: three seconds for the first answer, fifteen minutes for the rest; ephemeral ones for one person."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.discord import bodies, components, permissions
from tests.fakes.discord.bodies import Body
from tests.fakes.discord.gating import gated
from tests.fakes.discord.payloads import channel_json, member_json, message_json, user_json
from tests.fakes.discord.refusals import Refused, invalid
from tests.fakes.discord.state import (
    COMPONENTS_V2,
    EPHEMERAL,
    LOADING,
    TIER_BYTES,
    Attachment,
    Channel,
    Json,
    Message,
    Role,
    User,
    World,
)

COMMAND, COMPONENT, AUTOCOMPLETE, FORM = 2, 3, 4, 5
ACK_S = 3.0
TOKEN_S = 15 * 60.0
MAX_FOLLOW_UPS = 5
Installed = Literal["guild", "user"]


@dataclass(eq=False)
class Interaction:
    """What a person did and what the bot answered. `original` is the bot's response message where it gave one; `modal`
    the form that it opened; `follow_ups` the rest. `answers` is everything that the person sees, in order."""

    world: World = field(repr=False)
    id: str
    token: str = field(repr=False)
    type: int
    user: User
    channel: Channel
    data: Json = field(repr=False)
    installed: Installed
    created_at: float
    message: Message | None = None
    callback: int = 0
    """The type of the first answer, 0 for none yet."""
    original: Message | None = None
    modal: Json | None = None
    choices: list[Json] = field(default_factory=list)
    follow_ups: list[Message] = field(default_factory=list)
    opener: Interaction | None = None
    """For a form: the interaction that it was opened by."""

    @property
    def responded(self) -> bool:
        return self.callback != 0

    @property
    def loading(self) -> bool:
        return self.callback == 5 and bool(self.original and self.original.flags & LOADING)

    @property
    def answers(self) -> list[Message]:
        first = [self.original] if self.original and self.callback in (4, 5) else []
        return [each for each in (*first, *self.follow_ups) if not each.deleted]

    async def response(self, *, within_s: float = 10.0) -> Interaction:
        """Wait for the first answer."""
        await self.world.until(lambda: self.responded, within_s=within_s)
        return self

    async def form(self, *, within_s: float = 10.0) -> Json:
        """Wait for the form."""
        await self.world.until(lambda: self.modal, within_s=within_s)
        assert self.modal
        return self.modal

    async def answer(self, *, within_s: float = 10.0) -> Message:
        """Wait for the last message that the person sees of it, once it says something."""
        said: Message = await self.world.until(
            lambda: self.answers and not self.loading and self.answers[-1], within_s=within_s
        )
        return said


class Interactions:
    def __init__(self, world: World) -> None:
        self.world = world
        self.all: list[Interaction] = []
        self._by_token: dict[str, Interaction] = {}

    def start(
        self,
        kind: int,
        user: User,
        channel: Channel,
        data: Json,
        *,
        installed: Installed = "guild",
        message: Message | None = None,
        opener: Interaction | None = None,
    ) -> Interaction:
        made = Interaction(
            self.world,
            self.world.snowflake(),
            secrets.token_urlsafe(48),
            kind,
            user,
            channel,
            data,
            installed,
            self.world.clock.now(),
            message=message,
            opener=opener,
        )
        self.all.append(made)
        self._by_token[made.token] = made
        payload = self._payload(made)
        self.world.emit("INTERACTION_CREATE", lambda _: payload, guild=channel.guild, needs=0)
        return made

    def _payload(self, made: Interaction) -> Json:
        world, channel, guild = self.world, made.channel, made.channel.guild
        found: Json = {
            "id": made.id,
            "application_id": world.application_id,
            "type": made.type,
            "token": made.token,
            "version": 1,
            "channel_id": channel.id,
            "channel": channel_json(channel),
            "locale": made.user.locale,
            "entitlements": [],
            "data": made.data,
            "authorizing_integration_owners": self._owners(made),
            "context": 0 if guild else (1 if world.dms.get(made.user.id) is channel else 2),
            "app_permissions": str(int(self._app_permissions(made))),
            "attachment_size_limit": channel.file_limit_bytes if guild else TIER_BYTES[0],
        }
        if guild:
            found |= {"guild_id": guild.id, "guild_locale": guild.preferred_locale}
            found["guild"] = {"id": guild.id, "locale": guild.preferred_locale, "features": []}
            may = str(int(permissions.in_channel(channel, made.user)))
            found["member"] = member_json(guild.members[made.user.id]) | {"permissions": may}
            found["channel"]["permissions"] = may
        else:
            found["user"] = user_json(made.user)
        if made.message:
            found["message"] = gated(made.message, content=True)
        return found

    def _owners(self, made: Interaction) -> Json:
        if made.installed == "user":
            return {"1": made.user.id}
        return {"0": made.channel.guild.id if made.channel.guild else "0"}

    def _app_permissions(self, made: Interaction) -> permissions.Permission:
        if made.channel.guild and not made.channel.guild.has_bot:
            return permissions.in_channel(made.channel, made.user) & ~permissions.Permission.MANAGE_MESSAGES
        return permissions.in_channel(made.channel, self.world.bot)

    # --- the bot's answers

    def _alive(self, token: str) -> Interaction:
        found = self._by_token.get(token)
        if found is None or not found.responded:
            raise Refused(10015)
        if self.world.clock.now() - found.created_at > TOKEN_S:
            raise Refused(50027)
        return found

    def respond(self, interaction_id: str, token: str, body: Body) -> Json:
        found = self._by_token.get(token)
        if found is None or found.id != interaction_id:
            raise Refused(10062)
        if found.responded:
            raise Refused(40060)
        if self.world.clock.now() - found.created_at > ACK_S:
            raise Refused(10062)
        fields = body.fields
        kind, data = int(fields.get("type") or 0), fields.get("data") or {}
        inner = Body(data, body.files)
        message: Message | None = None
        match kind:
            case 4:
                message = found.original = self._say(found, inner)
            case 5:
                flags = int(data.get("flags") or 0)
                if flags & ~EPHEMERAL:
                    raise invalid("data.flags", "Only EPHEMERAL may be set on a deferred response.")
                message = found.original = self._defer(found, ephemeral=bool(flags & EPHEMERAL))
            case 6 if found.message:
                message = found.original = found.message
            case 7 if found.message:
                message = found.original = found.message
                self._change(found, message, inner)
            case 8 if found.type == AUTOCOMPLETE:
                found.choices = list(data.get("choices") or ())
            case 9 if found.type != FORM:
                components.check_form(data)
                found.modal = data | {"components": components.numbered(data["components"])}
            case _:
                raise invalid("type", "This type of answer does not fit this interaction.", "BASE_TYPE_CHOICES")
        found.callback = kind
        self.world.changed()
        return self._receipt(found, kind, message)

    def _receipt(self, found: Interaction, kind: int, message: Message | None) -> Json:
        told: Json = {"id": found.id, "type": found.type}
        if message:
            told |= {"response_message_id": message.id, "response_message_loading": found.loading}
            told["response_message_ephemeral"] = message.seen_by is not None
        answer: Json = {"interaction": told}
        if message and kind in (4, 7):
            answer["resource"] = {"type": kind, "message": message_json(message)}
        return answer

    def _new(self, found: Interaction, *, ephemeral: bool) -> Message:
        made = Message(self.world, self.world.snowflake(), found.channel, self.world.bot)
        made.webhook_id = self.world.application_id
        made.seen_by = found.user if ephemeral else None
        made.type = 20 if found.type == COMMAND and found.data.get("type") == 1 else 23 if found.type == COMMAND else 0
        made.interaction = self._metadata(found)
        if found.message and found.type == COMPONENT:
            made.reference = {"type": 0, "channel_id": found.channel.id, "message_id": found.message.id}
            made.type = 19
        return made

    def _metadata(self, found: Interaction) -> Json:
        told: Json = {"id": found.id, "type": found.type, "user": user_json(found.user)}
        told["authorizing_integration_owners"] = self._owners(found)
        if found.type == COMPONENT and found.message:
            told["interacted_message_id"] = found.message.id
        if found.opener:
            told["triggering_interaction_metadata"] = self._metadata(found.opener)
        return told

    def _defer(self, found: Interaction, *, ephemeral: bool) -> Message:
        made = self._new(found, ephemeral=ephemeral)
        made.flags |= LOADING
        return self.world.post(made)

    def _say(self, found: Interaction, body: Body) -> Message:
        fields = body.fields
        flags = int(fields.get("flags") or 0)
        bodies.check(fields, v2=bool(flags & COMPONENTS_V2))
        made = self._new(found, ephemeral=bool(flags & EPHEMERAL))
        made.attachments = bodies.attached(
            self.world, body, limit_bytes=found.channel.file_limit_bytes, ephemeral=bool(flags & EPHEMERAL)
        )
        bodies.fill(made, fields)
        if bodies.empty(made):
            raise Refused(50006)
        bodies.check_links(made)
        return self.world.post(made)

    def _change(self, found: Interaction, message: Message, body: Body) -> None:
        fields = body.fields
        v2 = bool((message.flags | int(fields.get("flags") or 0)) & COMPONENTS_V2)
        bodies.check(fields, v2=v2)
        attachments = bodies.attached(
            self.world,
            body,
            limit_bytes=found.channel.file_limit_bytes,
            standing=message.attachments,
            ephemeral=message.seen_by is not None,
        )
        if (
            v2
            and not message.flags & COMPONENTS_V2
            and (message.content or message.embeds)
            and not {"content", "embeds"} & set(fields)
        ):
            raise invalid("content", "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2")
        message.attachments = attachments
        bodies.fill(message, fields)
        was_loading = bool(message.flags & LOADING)
        message.flags &= ~LOADING
        bodies.check_links(message)
        self.world.edited(message, by_user=not was_loading)

    def follow_up(self, token: str, body: Body) -> Message:
        found = self._alive(token)
        if found.loading and found.original:
            self._change(found, found.original, body)
            return found.original
        outside = found.installed == "user" and not (found.channel.guild and found.channel.guild.has_bot)
        if outside and len(found.follow_ups) >= MAX_FOLLOW_UPS:
            raise Refused(40094)
        made = self._say(found, body)
        found.follow_ups.append(made)
        self.world.changed()
        return made

    def _message(self, found: Interaction, message_id: str) -> Message:
        if message_id == "@original":
            message = found.original
        else:
            message = next(
                (each for each in (*found.follow_ups, found.original) if each and each.id == message_id), None
            )
        if message is None or message.deleted:
            raise Refused(10008)
        return message

    def get(self, token: str, message_id: str) -> Message:
        return self._message(self._alive(token), message_id)

    def edit(self, token: str, message_id: str, body: Body) -> Message:
        found = self._alive(token)
        message = self._message(found, message_id)
        self._change(found, message, body)
        return message

    def delete(self, token: str, message_id: str) -> None:
        self.world.delete(self._message(self._alive(token), message_id))


def resolved(world: World, channel: Channel, things: list[Any]) -> Json:
    """What stands under `resolved`: users, roles, channels, messages and attachments by their ids."""
    found: Json = {}
    for each in things:
        match each:
            case User():
                found.setdefault("users", {})[each.id] = user_json(each)
                if channel.guild and (member := channel.guild.members.get(each.id)):
                    may = str(int(permissions.in_channel(channel, each)))
                    partial = member_json(member, with_user=False) | {"permissions": may}
                    found.setdefault("members", {})[each.id] = partial
            case Role():
                from tests.fakes.discord.payloads import role_json

                found.setdefault("roles", {})[each.id] = role_json(each)
            case Channel():
                may = str(int(permissions.in_channel(channel, world.bot)))
                found.setdefault("channels", {})[each.id] = channel_json(each) | {"permissions": may}
            case Message():
                found.setdefault("messages", {})[each.id] = gated(each, content=True)
            case Attachment():
                from tests.fakes.discord.payloads import attachment_json

                made = attachment_json(channel.id, each, Message(world, "0", channel, world.bot))
                found.setdefault("attachments", {})[each.id] = made
            case _:
                raise TypeError(f"nothing that can be resolved: {each!r}")
    return found
