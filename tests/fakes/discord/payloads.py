"""How Discord writes things down as JSON, whole: what the bot may not read is taken out later (gating.py)."""

from __future__ import annotations

from tests.fakes.discord.state import (
    DM,
    EPHEMERAL,
    FORUM,
    TEXT,
    Attachment,
    Channel,
    Guild,
    Json,
    Member,
    Message,
    Role,
    User,
)


def user_json(user: User) -> Json:
    return {
        "id": user.id,
        "username": user.name.lower().replace(" ", "_"),
        "discriminator": "0000" if user.bot else "0",
        "global_name": None if user.bot else user.name,
        "avatar": user.avatar,
        "bot": user.bot,
        "system": False,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
        "clan": None,
    }


def role_json(role: Role) -> Json:
    tags: Json = {"tags": {"bot_id": role.bot_id}} if role.bot_id else {}
    return tags | {
        "id": role.id,
        "name": role.name,
        "description": None,
        "permissions": str(int(role.permissions)),
        "position": role.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": role.managed,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def member_json(member: Member, *, with_user: bool = True) -> Json:
    found: Json = {
        "roles": [role.id for role in member.roles],
        "joined_at": member.joined_at,
        "nick": member.nick,
        "avatar": None,
        "banner": None,
        "premium_since": None,
        "communication_disabled_until": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }
    return found | {"user": user_json(member.user)} if with_user else found


def channel_json(channel: Channel) -> Json:
    found: Json = {"id": channel.id, "type": channel.type, "flags": 0}
    found["last_message_id"] = next(reversed(channel.log), None)
    if channel.type == DM:
        return found | {"recipients": [user_json(each) for each in channel.recipients]}
    assert channel.guild
    found |= {"guild_id": channel.guild.id, "name": channel.name}
    found["parent_id"] = channel.parent.id if channel.parent else None
    if channel.is_thread:
        return found | _thread(channel)
    found |= {"position": 0, "nsfw": channel.nsfw, "topic": None, "rate_limit_per_user": 0}
    found["permission_overwrites"] = [
        {"id": key, "type": over.kind, "allow": str(int(over.allow)), "deny": str(int(over.deny))}
        for key, over in channel.overwrites.items()
    ]
    if channel.type == FORUM:
        found |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
        found |= {"default_forum_layout": 0}
    if channel.type == TEXT:
        found["last_pin_timestamp"] = None
    return found


def _thread(channel: Channel) -> Json:
    return {
        "owner_id": channel.owner_id,
        "message_count": len(channel.log),
        "total_message_sent": len(channel.log),
        "member_count": 1,
        "rate_limit_per_user": 0,
        "thread_metadata": {
            "archived": channel.archived,
            "locked": channel.locked,
            "auto_archive_duration": 1440,
            "archive_timestamp": channel.created_at,
            "create_timestamp": channel.created_at,
            "invitable": True,
        },
    }


def guild_json(guild: Guild) -> Json:
    me = guild.members[guild.world.bot.id]
    seen = [each for each in guild.channels.values() if guild.world.sees(each) or each.type == 4]
    return {
        "id": guild.id,
        "name": guild.name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "owner_id": guild.owner.id,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": [role_json(each) for each in guild.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": guild.tier,
        "premium_subscription_count": 0,
        "preferred_locale": guild.preferred_locale,
        "public_updates_channel_id": None,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
        "safety_alerts_channel_id": None,
        "joined_at": me.joined_at,
        "large": False,
        "unavailable": False,
        "member_count": len(guild.members),
        "voice_states": [],
        "members": [member_json(me)],
        "channels": [channel_json(each) for each in seen if not each.is_thread],
        "threads": [channel_json(each) for each in seen if each.is_thread and not each.archived],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def attachment_json(message_channel: str, attachment: Attachment, message: Message | None = None) -> Json:
    world = message.world if message else None
    assert world
    link = world.link(message_channel, attachment, ephemeral=attachment.ephemeral)
    found: Json = {
        "id": attachment.id,
        "filename": attachment.filename,
        "size": len(attachment.data),
        "url": link,
        "proxy_url": link,
        "flags": (1 << 3) if attachment.spoiler else 0,
    }
    if attachment.content_type:
        found["content_type"] = attachment.content_type
    if attachment.description is not None:
        found["description"] = attachment.description
    if attachment.size:
        found["width"], found["height"] = attachment.size
    if attachment.duration_s is not None:
        found |= {"duration_secs": attachment.duration_s, "waveform": attachment.waveform or "AAAA"}
    if attachment.ephemeral:
        found["ephemeral"] = True
    return found


def message_json(message: Message) -> Json:
    """A picture that stands in an embed is no attachment any more for who reads the message."""
    embedded = {_named(each.get(key)) for each in message.embeds for key in ("image", "thumbnail")}
    found: Json = {
        "id": message.id,
        "channel_id": message.channel.id,
        "type": message.type,
        "author": user_json(message.author),
        "content": message.content,
        "timestamp": message.created_at,
        "edited_timestamp": message.edited_at,
        "tts": message.tts,
        "mention_everyone": message.mention_everyone,
        "mentions": [user_json(each) for each in message.mentions],
        "mention_roles": list(message.mention_roles),
        "attachments": [
            attachment_json(message.channel.id, each, message)
            for each in message.attachments
            if each.filename not in embedded
        ],
        "embeds": [_embed(message, each) for each in message.embeds],
        "components": [_component(message, each) for each in message.components],
        "pinned": message.pinned,
        "flags": message.flags | (EPHEMERAL if message.seen_by else 0),
    }
    if message.reference:
        found["message_reference"] = dict(message.reference)
    if message.snapshots:
        found["message_snapshots"] = [_snapshot(message, each) for each in message.snapshots]
    if message.nonce is not None:
        found["nonce"] = message.nonce
    if message.webhook_id:
        found |= {"webhook_id": message.webhook_id, "application_id": message.webhook_id}
    if message.interaction:
        found["interaction_metadata"] = dict(message.interaction)
    if message.reactions:
        found["reactions"] = [_reaction(message, emoji, users) for emoji, users in message.reactions.items()]
    return found


def _named(media: Json | None) -> str:
    link = str((media or {}).get("url") or "")
    return link.removeprefix("attachment://") if link.startswith("attachment://") else ""


def _medium(message: Message, media: Json) -> Json:
    """With a real address in place of attachment://name."""
    found = next((each for each in message.attachments if each.filename == _named(media)), None)
    if found is None:
        return dict(media)
    told = attachment_json(message.channel.id, found, message)
    kept = {key: told[key] for key in ("id", "url", "proxy_url", "width", "height", "content_type") if key in told}
    return kept | {"attachment_id": found.id}


def _embed(message: Message, embed: Json) -> Json:
    made = dict(embed)
    for key in ("image", "thumbnail"):
        if made.get(key):
            made[key] = {name: value for name, value in _medium(message, made[key]).items() if "id" not in name[-2:]}
    return made


def _component(message: Message, component: Json) -> Json:
    made = dict(component)
    for key in ("components", "items"):
        if isinstance(made.get(key), list):
            made[key] = [_component(message, each) for each in made[key]]
    for key in ("accessory", "component"):
        if isinstance(made.get(key), dict):
            made[key] = _component(message, made[key])
    if made.get("type") == 13:
        name = _named(made["file"])
        size = next((len(each.data) for each in message.attachments if each.filename == name), None)
        made |= {"name": name or None, "size": size, "spoiler": bool(made.get("spoiler"))}
    if "media" in made:
        made |= {"description": made.get("description"), "spoiler": bool(made.get("spoiler"))}
    for key in ("media", "file"):
        if isinstance(made.get(key), dict):
            made[key] = _medium(message, made[key])
    return made


def _reaction(message: Message, emoji: str, users: list[User]) -> Json:
    mine = message.world.bot in users
    return {
        "emoji": {"id": None, "name": emoji},
        "count": len(users),
        "count_details": {"burst": 0, "normal": len(users)},
        "burst_colors": [],
        "me": mine,
        "me_burst": False,
    }


def _snapshot(message: Message, snapshot: Json) -> Json:
    kept = {key: value for key, value in snapshot.items() if key not in ("files", "from")}
    kept["attachments"] = [attachment_json(snapshot["from"], each, message) for each in snapshot["files"]]
    return {"message": kept}
