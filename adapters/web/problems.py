"""What can be wrong with a request, as a status, a stable code and a kind sentence."""

from __future__ import annotations

from aiohttp import web


class Problem(Exception):
    """A request that gets an answer in words. `retry_after_s` where trying again later helps."""

    def __init__(self, status: int, code: str, words: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.words = words
        self.retry_after_s = retry_after_s

    def response(self) -> web.Response:
        headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        body = {"error": {"code": self.code, "message": self.words}}
        return web.json_response(body, status=self.status, headers=headers)


def no_such_chat() -> Problem:
    return Problem(
        404, "unknown_chat", "There is no chat of that name. Names are 1 to 64 small letters, digits and dashes."
    )


def no_such_page() -> Problem:
    return Problem(404, "not_found", "There is nothing here. The chat is on the start page.")


def no_such_message() -> Problem:
    return Problem(404, "unknown_message", "I can't find that message in this chat. It may have been deleted.")


def no_such_reply() -> Problem:
    return Problem(
        404,
        "unknown_reply",
        "I can't find the message you replied to here. It may have been deleted, or it stands in another chat.",
    )


def no_such_image() -> Problem:
    return Problem(404, "unknown_image", "I can't find that picture in this chat. It may have been deleted.")


def no_such_turn() -> Problem:
    return Problem(404, "unknown_turn", "I can't find that edit in this chat. It may have been deleted.")


def unknown_choice() -> Problem:
    return Problem(400, "unknown_choice", "I don't know that choice. Please open the page anew, or say it in words.")


def deleted() -> Problem:
    return Problem(410, "deleted", "This message was deleted, so I won't bring it back. Please send it as a new one.")


def nothing_said() -> Problem:
    return Problem(400, "empty", "Your message is empty. Write what you want changed, or add a picture.")


def text_too_long(limit_chars: int) -> Problem:
    return Problem(
        400,
        "text_too_long",
        f"That is more than I can read at once. Please keep it under {limit_chars:,} characters.",
    )


def image_too_large(limit_bytes: int) -> Problem:
    return Problem(
        413,
        "image_too_large",
        f"That picture is too large for me. I can take up to {limit_bytes // 2**20} MB each; a smaller copy will do.",
    )


def too_many_images(limit: int) -> Problem:
    return Problem(400, "too_many_images", f"I can take up to {limit} pictures at once. Please send fewer.")


def too_many_voices() -> Problem:
    return Problem(400, "too_many_voices", "I can listen to one voice message at a time. Please send them one by one.")


def voice_too_large(limit_bytes: int) -> Problem:
    return Problem(
        413,
        "voice_too_large",
        f"That recording is too large for me. I can take up to {limit_bytes // 2**20} MB; a shorter one will do.",
    )


def unknown_act() -> Problem:
    return Problem(400, "unknown_act", "I don't know that button. Please open the page anew, or say it in words.")


def nothing_pressed() -> Problem:
    return Problem(
        400,
        "no_reply",
        "I can't tell which message you mean. A button, or a picture's number, needs a message to reply to.",
    )


def unreadable_form() -> Problem:
    return Problem(
        400, "bad_form", "I couldn't read that message. Please send it as a form (multipart/form-data), whole."
    )


def too_slow() -> Problem:
    return Problem(408, "too_slow", "The upload took too long, so I stopped waiting. Please try again.")


def bad_key() -> Problem:
    return Problem(400, "bad_idempotency_key", "The Idempotency-Key must be 1 to 200 plain characters.")


def bad_number(name: str, *, least: int = 1) -> Problem:
    return Problem(400, "bad_parameter", f"I can't read “{name}”. Please give a whole number of {least} or more.")


def sign_in_first() -> Problem:
    return Problem(401, "sign_in", "Please sign in with the password first.")


def wrong_password() -> Problem:
    return Problem(401, "wrong_password", "That is not the password. Please try again.")


def too_many_tries(wait_s: int) -> Problem:
    minutes = max(1, -(-wait_s // 60))
    words = (
        f"There were too many wrong passwords. Please wait {minutes} minute{'s' if minutes > 1 else ''} and try again."
    )
    return Problem(429, "too_many_tries", words, retry_after_s=wait_s)


def too_many_guests(wait_s: int) -> Problem:
    return Problem(
        429,
        "too_many_guests",
        "Many people came in without a name today. Please give yours, and I will know you when you come back.",
        retry_after_s=wait_s,
    )


def foreign_host() -> Problem:
    return Problem(
        421,
        "unknown_host",
        "This page does not answer under that address. Open it at the address shown when it started, or allow this one "
        "in the settings.",
    )


def foreign_site() -> Problem:
    return Problem(403, "cross_site", "This request came from another site, so I did not follow it.")


def too_many_streams() -> Problem:
    return Problem(503, "busy", "Too many people are watching at once. Please try again in a minute.", retry_after_s=60)


def out_of_order() -> Problem:
    return Problem(
        503,
        "unavailable",
        "Something went wrong on my side. Nothing that you sent is lost; please try again in a moment.",
        retry_after_s=2,
    )
