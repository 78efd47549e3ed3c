"""All methods that stand here, and those that neither send nor edit."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.fakes.telegram import editing, entities, sending
from tests.fakes.telegram.calls import Call, chat_of
from tests.fakes.telegram.refusals import OLD_QUERY, Json, Refused, bad, forbidden
from tests.fakes.telegram.state import Chat, Member
from tests.fakes.telegram.wire import member_json

Method = Callable[[Call], Awaitable[Any]]
_ANSWER_UNITS = 200
_CAPTION_UNITS = 1024
_MOST_RESULTS, _RESULT_ID_BYTES = 50, 64
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


async def get_me(call: Call) -> Json:
    fake = call.fake
    return fake.bot_user.json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": fake.reads_all,
        "supports_inline_queries": fake.takes_inline,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": any(each.topics for each in fake.chats.values() if each.type == "private"),
        "allows_users_to_create_topics": True,
        "supports_guest_queries": False,
        "can_manage_bots": False,
        "supports_join_request_queries": False,
    }


async def get_updates(call: Call) -> list[Json]:
    limit = call.get("limit", 100)
    if not 1 <= limit <= 100:
        limit = 100
    call.fake.updates.allow(call.get("allowed_updates"))
    return await call.fake.updates.poll(call.get("offset", 0), limit, call.get("timeout", 0))


async def set_webhook(call: Call) -> bool:
    updates = call.fake.updates
    if call.on("drop_pending_updates"):
        updates.pending.clear()
    updates.allow(call.get("allowed_updates"))
    secret, most = call.get("secret_token", ""), call.get("max_connections", 40)
    updates.set_webhook(call.get("url"), secret=secret, max_connections=most)
    return True


async def delete_webhook(call: Call) -> bool:
    if call.on("drop_pending_updates"):
        call.fake.updates.pending.clear()
    call.fake.updates.set_webhook("", secret="", max_connections=40)
    return True


async def webhook_info(call: Call) -> Json:
    return call.fake.updates.info()


async def get_file(call: Call) -> Json:
    found = call.fake.files.by_id.get(call.get("file_id"))
    if found is None:
        raise bad("invalid file_id")
    if len(found.data) > call.fake.download_limit_bytes:
        raise bad("file is too big")
    found.asked_for = True
    return found.short() | {"file_path": found.path}


async def answer_press(call: Call) -> bool:
    words = call.get("text", "")
    if entities.units(words) > _ANSWER_UNITS:
        raise bad("MESSAGE_TOO_LONG")
    found = call.fake.presses.get(call.get("callback_query_id"))
    if found is None or found.answered or call.fake.is_old(found):
        raise bad(OLD_QUERY)
    found.words, found.alert, found.answered = words, call.on("show_alert"), True
    call.fake.changed()
    return True


async def answer_inline(call: Call) -> bool:
    found = call.fake.inlines.get(call.get("inline_query_id"))
    if found is None or found.answered or call.fake.is_old(found):
        raise bad(OLD_QUERY)
    results: list[Json] = call.get("results")
    ids = [each["id"] for each in results]
    if len(results) > _MOST_RESULTS or len(set(ids)) < len(ids):
        raise bad("RESULT_ID_DUPLICATE" if len(set(ids)) < len(ids) else "RESULTS_TOO_MUCH")
    for each in results:
        file = call.fake.files.by_id.get(each.get("photo_file_id", ""))
        if not 1 <= len(each["id"].encode()) <= _RESULT_ID_BYTES:
            raise bad("RESULT_ID_INVALID")
        if file is None or file.kind != "photo":
            raise bad("wrong file identifier specified")
        if entities.units(each.get("caption", "")) > _CAPTION_UNITS:
            raise bad("MEDIA_CAPTION_TOO_LONG")
    found.results, found.answered = results, True
    found.options = {name: value for name, value in call.arguments.items() if name != "results"}
    call.fake.changed()
    return True


# --- chats


def _seen(call: Call) -> Chat:
    chat = chat_of(call)
    member = chat.members.get(call.fake.bot_user.id)
    if member and member.status == "kicked":
        raise forbidden(f"bot was kicked from the {chat.type} chat")
    if not chat.has(call.fake.bot_user):
        raise forbidden(f"bot is not a member of the {chat.type} chat")
    return chat


async def get_chat(call: Call) -> Json:
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    told = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": dict.fromkeys(gifts, True)}
    return _seen(call).json() | told


async def administrators(call: Call) -> list[Json]:
    chat = _seen(call)
    if chat.type == "private":
        raise bad("there are no administrators in the private chat")
    return [member_json(each) for each in chat.admins() if not each.user.is_bot or each.user is call.fake.bot_user]


async def chat_member(call: Call) -> Json:
    chat, wanted = _seen(call), call.get("user_id")
    if chat.person and chat.person.id == wanted:
        return member_json(Member(chat.person))
    found = chat.members.get(wanted)
    if found:
        return member_json(found)
    if wanted not in call.fake.users:
        raise bad("PARTICIPANT_ID_INVALID")
    return member_json(Member(call.fake.users[wanted], "left"))


async def member_count(call: Call) -> int:
    chat = _seen(call)
    return 2 if chat.person else sum(chat.has(each.user) for each in chat.members.values())


# --- commands and what is told about the bot


def _scope(call: Call) -> tuple[str, str]:
    scope = call.get("scope") or {"type": "default"}
    told = "/".join(str(scope[key]) for key in ("type", "chat_id", "user_id") if key in scope)
    language = call.get("language_code", "")
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad("invalid language code specified")
    return told, language


async def set_commands(call: Call) -> bool:
    commands = call.get("commands")
    if len(commands) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for each in commands:
        if not _COMMAND.fullmatch(each["command"].removeprefix("/")):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= entities.units(each["description"]) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    call.fake.commands[_scope(call)] = [each | {"command": each["command"].removeprefix("/")} for each in commands]
    call.fake.changed()
    return True


async def get_commands(call: Call) -> list[Json]:
    return call.fake.commands.get(_scope(call), [])


async def delete_commands(call: Call) -> bool:
    call.fake.commands.pop(_scope(call), None)
    return True


def _told(field: str, most: int) -> tuple[Method, Method]:
    async def put(call: Call) -> bool:
        words = call.get(field, "")
        if entities.units(words) > most:
            raise bad(f"{field} is too long")
        call.fake.texts[field, call.get("language_code", "")] = words
        return True

    async def get(call: Call) -> Json:
        return {field: call.fake.texts.get((field, call.get("language_code", "")), "")}

    return put, get


_set_description, _get_description = _told("description", 512)
_set_short, _get_short = _told("short_description", 120)
_set_name, _get_name = _told("name", 64)


async def log_out(call: Call) -> bool:
    raise Refused(400, "the bot has been launched less than 10 minutes ago")


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": webhook_info,
    "getFile": get_file,
    "answerCallbackQuery": answer_press,
    "answerInlineQuery": answer_inline,
    "getChat": get_chat,
    "getChatAdministrators": administrators,
    "getChatMember": chat_member,
    "getChatMemberCount": member_count,
    "setMyCommands": set_commands,
    "getMyCommands": get_commands,
    "deleteMyCommands": delete_commands,
    "setMyDescription": _set_description,
    "getMyDescription": _get_description,
    "setMyShortDescription": _set_short,
    "getMyShortDescription": _get_short,
    "setMyName": _set_name,
    "getMyName": _get_name,
    "logOut": log_out,
    "close": log_out,
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_photo,
    "sendDocument": sending.send_document,
    "sendVideo": sending.send_video,
    "sendAnimation": sending.send_animation,
    "sendSticker": sending.send_sticker,
    "sendVoice": sending.send_voice,
    "sendMediaGroup": sending.send_media_group,
    "forwardMessage": sending.forward_message,
    "copyMessage": sending.copy_message,
    "sendChatAction": editing.chat_action,
    "editMessageText": editing.edit_text,
    "editMessageCaption": editing.edit_caption,
    "editMessageMedia": editing.edit_media,
    "editMessageReplyMarkup": editing.edit_markup,
    "deleteMessage": editing.delete_message,
    "deleteMessages": editing.delete_messages,
    "setMessageReaction": editing.react,
    "leaveChat": editing.leave,
}
BY_LOWER = {name.lower(): name for name in METHODS}
