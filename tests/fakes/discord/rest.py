"""The operations of the REST API (v10) that a bot uses. Each takes a call and gives its answer; None is 204."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.fakes.discord import bodies, permissions
from tests.fakes.discord.bodies import Body
from tests.fakes.discord.gating import gated_rest
from tests.fakes.discord.payloads import channel_json, guild_json, message_json, user_json
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusals import Refused, invalid
from tests.fakes.discord.state import COMPONENTS_V2, DM_REACTIONS, FORUM, GUILD_REACTIONS, Channel, Json, Message, User

if TYPE_CHECKING:
    from tests.fakes.discord.server import FakeDiscord

P = Permission


@dataclass
class ApiCall:
    fake: FakeDiscord
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Body

    def may(self, channel: Channel, wanted: Permission) -> bool:
        return bool(permissions.in_channel(channel, self.fake.bot) & wanted)

    def channel(self) -> Channel:
        """10003, or 50001 where the bot does not see it."""
        found = self.fake.channels.get(self.params["channel_id"])
        if found is None:
            raise Refused(10003)
        if not self.may(found, P.VIEW_CHANNEL):
            raise Refused(50001)
        return found

    def message(self, channel: Channel) -> Message:
        found = channel.log.get(self.params["message_id"])
        if found is None:
            raise Refused(10008)
        return found

    def needs(self, channel: Channel, wanted: Permission) -> None:
        if not self.may(channel, wanted):
            raise Refused(50013)


Operation = Callable[[ApiCall], Any]
ROUTES: list[tuple[str, str, re.Pattern[str], Operation]] = []


def route(method: str, template: str) -> Callable[[Operation], Operation]:
    def note(operation: Operation) -> Operation:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
        ROUTES.append((method, template, re.compile(pattern), operation))
        return operation

    return note


def found_route(method: str, path: str) -> tuple[str, dict[str, str], Operation] | None:
    for known, template, pattern, operation in ROUTES:
        if known == method and (match := pattern.fullmatch(path)):
            return template, {key: unquote(value) for key, value in match.groupdict().items()}, operation
    return None


# --- who the bot is


@route("GET", "/users/@me")
def me(call: ApiCall) -> Any:
    return user_json(call.fake.bot) | {"verified": True, "email": None, "mfa_enabled": True, "locale": "en-US"}


@route("GET", "/users/@me/guilds")
def my_guilds(call: ApiCall) -> Any:
    limit, after = int(call.query.get("limit", "200")), int(call.query.get("after", "0"))
    if not 1 <= limit <= 200:
        raise invalid("limit", "int value should be between 1 and 200.", "NUMBER_TYPE_MAX")
    mine = [each for each in call.fake.guilds.values() if each.has_bot and int(each.id) > after]
    return [
        {
            "id": each.id,
            "name": each.name,
            "icon": None,
            "banner": None,
            "owner": each.owner is call.fake.bot,
            "permissions": str(int(permissions.in_guild(each, call.fake.bot))),
            "features": [],
        }
        for each in sorted(mine, key=lambda each: int(each.id))[:limit]
    ]


@route("GET", "/users/{user_id}")
def a_user(call: ApiCall) -> Any:
    if (found := call.fake.users.get(call.params["user_id"])) is None:
        raise Refused(10013)
    return user_json(found)


@route("GET", "/applications/@me")
@route("GET", "/oauth2/applications/@me")
def application(call: ApiCall) -> Any:
    fake = call.fake
    return {
        "id": fake.application_id,
        "name": fake.bot.name,
        "icon": None,
        "description": "",
        "type": None,
        "summary": "",
        "bot": user_json(fake.bot),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": fake.application_flags,
        "flags_new": str(fake.application_flags),
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": user_json(fake.owner),
        "approximate_guild_count": len(fake.guilds),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "tags": [],
        "eligible_oauth2_scopes": [],
        "integration_types_config": {"0": {}, "1": {}},
        "event_webhooks_url": None,
    }


@route("GET", "/gateway")
def gateway(call: ApiCall) -> Any:
    return {"url": call.fake.gateway.url}


@route("GET", "/gateway/bot")
def gateway_bot(call: ApiCall) -> Any:
    door = call.fake.gateway
    left = {"total": 1000, "remaining": max(0, 1000 - len(door.identifies)), "reset_after": 86_400_000}
    return {
        "url": door.url,
        "shards": door.shards,
        "session_start_limit": left | {"max_concurrency": door.max_concurrency},
    }


# --- channels


@route("POST", "/users/@me/channels")
def open_dm(call: ApiCall) -> Any:
    user = call.fake.users.get(str(call.body.fields.get("recipient_id")))
    if user is None:
        raise invalid("recipient_id", "Unknown user.")
    if user.bot:
        raise Refused(50007)
    return channel_json(call.fake.dm(user))


@route("GET", "/channels/{channel_id}")
def get_channel(call: ApiCall) -> Any:
    return channel_json(call.channel())


@route("PATCH", "/channels/{channel_id}")
def change_channel(call: ApiCall) -> Any:
    channel, fields = call.channel(), call.body.fields
    if channel.is_dm:
        raise Refused(50003)
    if not channel.is_thread:
        call.needs(channel, P.MANAGE_CHANNELS)
    elif channel.locked or set(fields) - {"archived", "auto_archive_duration"}:
        call.needs(channel, P.MANAGE_THREADS)
    else:
        call.needs(channel, P.SEND_MESSAGES_IN_THREADS)
    channel.changes(**{key: fields[key] for key in ("name", "nsfw", "archived", "locked") if key in fields})
    return channel_json(channel)


@route("GET", "/guilds/{guild_id}")
def get_guild(call: ApiCall) -> Any:
    guild = call.fake.guilds.get(call.params["guild_id"])
    if guild is None:
        raise Refused(10004)
    if not guild.has_bot:
        raise Refused(50001)
    return guild_json(guild)


@route("GET", "/guilds/{guild_id}/channels")
def guild_channels(call: ApiCall) -> Any:
    get_guild(call)
    found = call.fake.guilds[call.params["guild_id"]].channels.values()
    return [channel_json(each) for each in found if not each.is_thread and call.may(each, P.VIEW_CHANNEL)]


@route("GET", "/guilds/{guild_id}/threads/active")
def active_threads(call: ApiCall) -> Any:
    get_guild(call)
    found = call.fake.guilds[call.params["guild_id"]].channels.values()
    open_ones = [each for each in found if each.is_thread and not each.archived and call.may(each, P.VIEW_CHANNEL)]
    return {"threads": [channel_json(each) for each in open_ones], "members": [], "has_more": False}


@route("GET", "/guilds/{guild_id}/members/{user_id}")
def get_member(call: ApiCall) -> Any:
    from tests.fakes.discord.payloads import member_json

    guild = call.fake.guilds.get(call.params["guild_id"])
    if guild is None or not guild.has_bot:
        raise Refused(10004 if guild is None else 50001)
    if (member := guild.members.get(call.params["user_id"])) is None:
        raise Refused(10007, status=404, words="Unknown Member")
    return member_json(member)


@route("POST", "/channels/{channel_id}/typing")
def typing(call: ApiCall) -> Any:
    channel = call.channel()
    call.needs(channel, _sending(channel))
    channel.typed.append(call.fake.clock.now())
    call.fake.changed()


def _sending(channel: Channel) -> Permission:
    return P.SEND_MESSAGES_IN_THREADS if channel.is_thread else P.SEND_MESSAGES


# --- messages


@route("GET", "/channels/{channel_id}/messages")
def list_messages(call: ApiCall) -> Any:
    channel = call.channel()
    limit = int(call.query.get("limit", "50"))
    if not 1 <= limit <= 100:
        raise invalid("limit", "int value should be between 1 and 100.", "NUMBER_TYPE_MAX")
    if not call.may(channel, P.READ_MESSAGE_HISTORY):
        return []
    found = channel.messages()
    if after := call.query.get("after"):
        found = [each for each in found if int(each.id) > int(after)][:limit]
    elif before := call.query.get("before"):
        found = [each for each in found if int(each.id) < int(before)][-limit:]
    elif around := call.query.get("around"):
        near = sorted(found, key=lambda each: abs(int(each.id) - int(around)))[:limit]
        found = [each for each in found if each in near]
    else:
        found = found[-limit:]
    return [gated_rest(each) for each in reversed(found)]


@route("GET", "/channels/{channel_id}/messages/{message_id}")
def get_message(call: ApiCall) -> Any:
    channel = call.channel()
    call.needs(channel, P.READ_MESSAGE_HISTORY)
    return gated_rest(call.message(channel))


@route("POST", "/channels/{channel_id}/messages")
def create_message(call: ApiCall) -> Any:
    fake, channel, fields = call.fake, call.channel(), call.body.fields
    if channel.type == FORUM or channel.type == 4:
        raise Refused(50008)
    call.needs(channel, _sending(channel))
    if channel.is_thread and (channel.archived or channel.locked):
        _open_thread(call, channel)
    flags = int(fields.get("flags") or 0)
    bodies.check(fields, v2=bool(flags & COMPONENTS_V2))
    if call.body.files:
        call.needs(channel, P.ATTACH_FILES)
    if fields.get("embeds"):
        call.needs(channel, P.EMBED_LINKS)
    nonce = fields.get("nonce")
    if nonce is not None and fields.get("enforce_nonce") and (known := fake.once(fake.bot, str(nonce))):
        return message_json(known)
    made = Message(fake, fake.snowflake(), channel, fake.bot, nonce=nonce)
    made.attachments = bodies.attached(fake, call.body, limit_bytes=channel.file_limit_bytes)
    bodies.fill(made, fields)
    if reference := fields.get("message_reference"):
        _refer(call, made, reference)
    if bodies.empty(made):
        raise Refused(50006)
    bodies.check_links(made)
    if nonce is not None:
        fake.note_nonce(made)
    fake.post(made)
    return gated_rest(made)


def _open_thread(call: ApiCall, channel: Channel) -> None:
    if channel.archived:
        raise Refused(50083)
    call.needs(channel, P.MANAGE_THREADS)


def _refer(call: ApiCall, made: Message, reference: Json) -> None:
    fake, channel = call.fake, made.channel
    told = str(reference.get("message_id"))
    where = fake.channels.get(str(reference.get("channel_id") or channel.id))
    found = where.log.get(told) if where else None
    if int(reference.get("type") or 0) == 1:
        return _forward(call, made, found)
    if not call.may(channel, P.READ_MESSAGE_HISTORY):
        raise Refused(160002)
    if found is None or where is not channel:
        if reference.get("fail_if_not_exists", True) or (where is not channel and found):
            raise invalid("message_reference", "Unknown message", "REPLIES_UNKNOWN_MESSAGE")
        return None
    made.type = 19
    made.reference = {"type": 0, "channel_id": channel.id, "message_id": found.id}
    if channel.guild:
        made.reference["guild_id"] = channel.guild.id
    allowed = made.allowed_mentions
    made.pings_by_reply = allowed is None or bool(allowed.get("replied_user"))
    return None


def _forward(call: ApiCall, made: Message, found: Message | None) -> None:
    from tests.fakes.discord.gating import readable
    from tests.fakes.discord.people import snapshot_of

    if found is None:
        raise invalid("message_reference", "Unknown message", "REPLIES_UNKNOWN_MESSAGE")
    if not (call.fake.content_intent or readable(found)):
        raise Refused(160014)
    made.reference = {"type": 1, "channel_id": found.channel.id, "message_id": found.id}
    made.snapshots = [snapshot_of(found)]


@route("PATCH", "/channels/{channel_id}/messages/{message_id}")
def edit_message(call: ApiCall) -> Any:
    fake, channel, fields = call.fake, call.channel(), call.body.fields
    message = call.message(channel)
    if not message.author.is_the_bot:
        raise Refused(50005)
    if channel.is_thread and channel.archived:
        raise Refused(50083)
    v2 = bool((message.flags | int(fields.get("flags") or 0)) & COMPONENTS_V2)
    bodies.check(fields, v2=v2)
    if call.body.files:
        call.needs(channel, P.ATTACH_FILES)
    attachments = bodies.attached(fake, call.body, limit_bytes=channel.file_limit_bytes, standing=message.attachments)
    after = Message(fake, message.id, channel, message.author, message.content, attachments=attachments)
    after.embeds, after.components, after.flags = message.embeds, message.components, message.flags
    after.allowed_mentions = message.allowed_mentions
    bodies.fill(after, fields)
    if v2 and (after.content or after.embeds):
        raise invalid("content", "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                      "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2")  # fmt: skip
    if bodies.empty(after):
        raise Refused(50006)
    bodies.check_links(after)
    for name in ("content", "attachments", "embeds", "components", "flags", "allowed_mentions"):
        setattr(message, name, getattr(after, name))
    fake.edited(message)
    return gated_rest(message)


@route("DELETE", "/channels/{channel_id}/messages/{message_id}")
def delete_message(call: ApiCall) -> Any:
    channel = call.channel()
    message = call.message(channel)
    if not message.author.is_the_bot:
        if channel.is_dm:
            raise Refused(50003)
        call.needs(channel, P.MANAGE_MESSAGES)
    if channel.is_thread and channel.archived:
        raise Refused(50083)
    call.fake.delete(message)


@route("PUT", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me")
def react(call: ApiCall) -> Any:
    channel = call.channel()
    message = call.message(channel)
    call.needs(channel, P.READ_MESSAGE_HISTORY)
    emoji = call.params["emoji_name"]
    if emoji not in message.reactions:
        call.needs(channel, P.ADD_REACTIONS)
    reacted(message, call.fake.bot, emoji)


@route("DELETE", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me")
def unreact(call: ApiCall) -> Any:
    message = call.message(call.channel())
    users = message.reactions.get(call.params["emoji_name"], [])
    if call.fake.bot in users:
        users.remove(call.fake.bot)
    call.fake.changed()


def reacted(message: Message, user: User, emoji: str) -> None:
    users = message.reactions.setdefault(emoji, [])
    if user in users:
        return
    users.append(user)
    guild = message.channel.guild
    told: Json = {"user_id": user.id, "channel_id": message.channel.id, "message_id": message.id}
    told |= {"emoji": {"id": None, "name": emoji}, "burst": False, "type": 0, "message_author_id": message.author.id}
    told |= {"guild_id": guild.id} if guild else {}
    needs = GUILD_REACTIONS if guild else DM_REACTIONS
    message.world.emit("MESSAGE_REACTION_ADD", lambda _: told, guild=guild, needs=needs)


# --- commands


@route("GET", "/applications/{application_id}/commands")
def get_commands(call: ApiCall) -> Any:
    return call.fake.commands


@route("PUT", "/applications/{application_id}/commands")
def overwrite_commands(call: ApiCall) -> Any:
    fake, sent = call.fake, call.body.json
    if call.params["application_id"] != fake.application_id:
        raise Refused(50001)
    kinds = [each.get("type") or 1 for each in sent or ()]
    if max((kinds.count(kind) for kind in (2, 3)), default=0) > 15 or kinds.count(1) > 100:
        raise Refused(30032, words="Maximum number of application commands reached")
    names = [(each.get("type") or 1, each["name"]) for each in sent or ()]
    if len(set(names)) != len(names):
        raise invalid("", "Application command names must be unique", "APPLICATION_COMMANDS_DUPLICATE_NAME")
    known = {(each["type"], each["name"]): each["id"] for each in fake.commands}
    fake.commands = [_command(fake, each, known) for each in sent or ()]
    fake.syncs += 1
    fake.changed()
    return fake.commands


_LOCALES = frozenset({
    "ar", "bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr", "he", "hi", "hr", "hu", "id",
    "it", "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro", "ru", "sv-SE", "th", "tr", "uk", "vi", "zh-CN", "zh-TW",
})  # fmt: skip
_MOST_COMMAND_CHARS = 8_000


def _words_of(thing: Json, kind: int = 1) -> int:
    """How much there is to read of a command, an option or a choice, in its longest language. A name that is typed is
    short and in lower case in every one."""
    count = 0
    for part in ("name", "description", "value"):
        others: dict[str, str] = thing.get(f"{part}_localizations") or {}
        typed = part == "name" and kind == 1 and "value" not in thing
        for locale, words in others.items():
            if locale not in _LOCALES:
                raise invalid(f"{part}_localizations.{locale}", "This locale is not valid.", "BASE_TYPE_CHOICES")
            if typed and (words != words.lower() or not re.fullmatch(r"[-_\w]{1,32}", words)):
                raise invalid(f"{part}_localizations.{locale}", "Name is invalid", "APPLICATION_COMMAND_INVALID_NAME")
        count += max(len(str(each)) for each in (thing.get(part) or "", *others.values()))
    inside = (*(thing.get("options") or ()), *(thing.get("choices") or ()))
    return count + sum(_words_of(each) for each in inside)


def _command(fake: FakeDiscord, sent: Json, known: Mapping[tuple[int, str], str]) -> Json:
    kind = sent.get("type") or 1
    if kind == 1 and not re.fullmatch(r"[-_\w]{1,32}", sent["name"]):
        raise invalid("name", "Command name is invalid", "APPLICATION_COMMAND_INVALID_NAME")
    if kind == 1 and not sent.get("description"):
        raise invalid("description", "This field is required", "BASE_TYPE_REQUIRED")
    if kind != 1 and sent.get("description"):
        raise invalid("description", "Context menu commands cannot have description",
                      "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_INVALID")  # fmt: skip
    if _words_of(sent, kind) > _MOST_COMMAND_CHARS:
        raise invalid("", "Command exceeds maximum size (8000)", "APPLICATION_COMMAND_TOO_LARGE")
    defaults: Json = {"default_member_permissions": None, "contexts": None, "nsfw": False, "options": []}
    made = defaults | {"integration_types": [0], "description": ""} | sent
    made |= {"type": kind, "application_id": fake.application_id, "version": fake.snowflake()}
    made["integration_types"] = made["integration_types"] or [0]
    made["id"] = known.get((kind, sent["name"])) or fake.snowflake()
    permissions_text = made["default_member_permissions"]
    made["default_member_permissions"] = None if permissions_text is None else str(permissions_text)
    return made


# --- interactions


@route("POST", "/interactions/{interaction_id}/{interaction_token}/callback")
def respond(call: ApiCall) -> Any:
    found = call.fake.interactions.respond(call.params["interaction_id"], call.params["interaction_token"], call.body)
    return found if call.query.get("with_response", "").lower() in ("1", "true") else None


@route("POST", "/webhooks/{webhook_id}/{webhook_token}")
def follow_up(call: ApiCall) -> Any:
    made = call.fake.interactions.follow_up(call.params["webhook_token"], call.body)
    return message_json(made)


@route("GET", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}")
def get_answer(call: ApiCall) -> Any:
    return message_json(call.fake.interactions.get(call.params["webhook_token"], call.params["message_id"]))


@route("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}")
def edit_answer(call: ApiCall) -> Any:
    found = call.fake.interactions
    return message_json(found.edit(call.params["webhook_token"], call.params["message_id"], call.body))


@route("DELETE", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}")
def delete_answer(call: ApiCall) -> Any:
    call.fake.interactions.delete(call.params["webhook_token"], call.params["message_id"])
