"""Messages, members and updates as JSON."""

from __future__ import annotations

from tests.fakes.telegram.refusals import Json
from tests.fakes.telegram.state import Chat, Member, Message, User


def message_json(message: Message, *, deep: bool = True, topic_reply: bool = True) -> Json:
    """What it replies to stands in it one level deep. Whoever writes in a topic without replying seems to reply to the
    topic's own first message."""
    chat = message.chat
    told: Json = {"message_id": message.id, "date": message.date, "chat": chat.json()}
    if chat.type == "channel":
        told["sender_chat"] = chat.json()
    else:
        told["from"] = message.author.json()
        if message.sender_chat:
            told["sender_chat"] = message.sender_chat.json()
    told |= _thread(message) | message.forward | message.service | _content(message)
    if message.automatic:
        told["is_automatic_forward"] = True
    if message.edited_at:
        told["edit_date"] = message.edited_at
    if message.protected:
        told["has_protected_content"] = True
    if message.keyboard_json and message.author.is_bot:
        told["reply_markup"] = message.keyboard_json
    if not deep:
        return told
    answered = message.reply_to_message
    if answered is None and topic_reply and message.thread_id not in (None, message.id) and not message.reply:
        topic = chat.topics[message.thread_id or 0]
        answered = None if chat.type == "private" else topic.opened_by
    if answered is not None and not answered.deleted:
        told["reply_to_message"] = message_json(answered, deep=False)
    return told | message.reply


def _thread(message: Message) -> Json:
    if message.thread_id is not None:
        return {"message_thread_id": message.thread_id, "is_topic_message": True}
    if message.chat.type != "supergroup" or message.chat.forum or message.reply_to_message is None:
        return {}
    root = message.reply_to_message
    while root.reply_to_message:
        root = root.reply_to_message
    return {"message_thread_id": root.id}


def _content(message: Message) -> Json:
    told: Json = {}
    if message.media:
        told |= message.media.fields()
        if message.caption:
            told["caption"] = message.caption
            if message.entities:
                told["caption_entities"] = message.entities
        if message.spoiler:
            told["has_media_spoiler"] = True
        if message.above:
            told["show_caption_above_media"] = True
        if message.album:
            told["media_group_id"] = message.album
    elif not message.service:
        told["text"] = message.text
        if message.entities:
            told["entities"] = message.entities
        if message.link_preview is not None:
            told["link_preview_options"] = message.link_preview
    return told


def origin(message: Message) -> Json:
    """Where a forwarded message comes from."""
    if message.forward:
        return dict(message.forward["forward_origin"])
    told: Json = {"date": message.date}
    if message.chat.type == "channel":
        return told | {"type": "channel", "chat": message.chat.json(), "message_id": message.id}
    if message.sender_chat:
        return told | {"type": "chat", "sender_chat": message.sender_chat.json()}
    if message.author.hides_forwards:
        return told | {"type": "hidden_user", "sender_user_name": message.author.name}
    return told | {"type": "user", "sender_user": message.author.json()}


def external_reply(message: Message) -> Json:
    """What is shown of a message that stands in another chat or topic."""
    told: Json = {"origin": origin(message), "chat": message.chat.json()}
    if message.chat.type in ("private", "group"):
        del told["chat"]
    else:
        told["message_id"] = message.id
    if message.media:
        told |= message.media.fields()
        if message.spoiler:
            told["has_media_spoiler"] = True
    return told


_RIGHTS = (
    "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members", "can_promote_members",
    "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories", "can_delete_stories",
)  # fmt: skip


def member_json(member: Member) -> Json:
    told: Json = {"status": member.status, "user": member.user.json()}
    match member.status:
        case "creator":
            return told | {"is_anonymous": member.anonymous}
        case "administrator":
            return told | {"is_anonymous": member.anonymous, "can_be_edited": False} | dict.fromkeys(_RIGHTS, True)
        case "kicked":
            return told | {"until_date": 0}
        case "member" | "left":
            return told


def membership_json(chat: Chat, by: User, old: Member, new: Member, date: int) -> Json:
    return {
        "chat": chat.json(),
        "from": by.json(),
        "date": date,
        "old_chat_member": member_json(old),
        "new_chat_member": member_json(new),
    }
