"""What can be wrong with a request, as a status, a stable code and a kind sentence."""

from __future__ import annotations

from aiohttp import web

from adapters.web.speech import headers_of_speech
from bot.domain.errors import RemixError
from bot.domain.language import ngettext, pgettext, tr


class Problem(Exception):
    """A request that gets an answer in words. `retry_after_s` where trying again later helps."""

    def __init__(self, status: int, code: str, words: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.words = words
        self.retry_after_s = retry_after_s

    def response(self) -> web.Response:
        headers = headers_of_speech()
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        body = {"error": {"code": self.code, "message": self.words}}
        return web.json_response(body, status=self.status, headers=headers)


def no_such_chat() -> Problem:
    return Problem(
        404, "unknown_chat", tr("There is no chat of that name. Names are 1 to 64 small letters, digits and dashes.")
    )


def no_such_page() -> Problem:
    return Problem(404, "not_found", tr("There is nothing here. The chat is on the start page."))


def no_such_message() -> Problem:
    return Problem(404, "unknown_message", tr("I can't find that message in this chat. It may have been deleted."))


def no_such_reply() -> Problem:
    return Problem(
        404,
        "unknown_reply",
        tr("I can't find the message you replied to here. It may have been deleted, or it stands in another chat."),
    )


def no_such_image() -> Problem:
    return Problem(404, "unknown_image", tr("I can't find that picture in this chat. It may have been deleted."))


def no_such_turn() -> Problem:
    return Problem(404, "unknown_turn", tr("I can't find that edit in this chat. It may have been deleted."))


def unknown_choice() -> Problem:
    return Problem(
        400, "unknown_choice", tr("I don't know that choice. Please open the page anew, or say it in words.")
    )


def deleted() -> Problem:
    return Problem(
        410, "deleted", tr("This message was deleted, so I won't bring it back. Please send it as a new one.")
    )


def nothing_said() -> Problem:
    return Problem(400, "empty", tr("Your message is empty. Write what you want changed, or add a picture."))


def text_too_long(limit_chars: int) -> Problem:
    return Problem(
        400,
        "text_too_long",
        tr("That is more than I can read at once. Please keep it under {limit} characters.").format(
            limit=_grouped(limit_chars)
        ),
    )


def image_too_large(limit_bytes: int) -> Problem:
    return Problem(
        413,
        "image_too_large",
        tr("That picture is too large for me. I can take up to {megabytes} MB each; a smaller copy will do.").format(
            megabytes=limit_bytes // 2**20
        ),
    )


def too_many_images(limit: int) -> Problem:
    words = ngettext(
        "I can take {count} picture at once. Please send fewer.",
        "I can take up to {count} pictures at once. Please send fewer.",
        limit,
    )
    return Problem(400, "too_many_images", words.format(count=limit))


def too_many_voices() -> Problem:
    return Problem(
        400, "too_many_voices", tr("I can listen to one voice message at a time. Please send them one by one.")
    )


def voice_too_large(limit_bytes: int) -> Problem:
    return Problem(
        413,
        "voice_too_large",
        tr("That recording is too large for me. I can take up to {megabytes} MB; a shorter one will do.").format(
            megabytes=limit_bytes // 2**20
        ),
    )


def kept_out(words: str) -> Problem:
    return Problem(403, "kept_out", words)


def told(words: str) -> Problem:
    """No message: it was dealt with at once, and this is what came of it."""
    return Problem(409, "told", words)


def unknown_act() -> Problem:
    return Problem(400, "unknown_act", tr("I don't know that button. Please open the page anew, or say it in words."))


def nothing_pressed() -> Problem:
    return Problem(
        400,
        "no_reply",
        tr("I can't tell which message you mean. A button, or a picture's number, needs a message to reply to."),
    )


def unreadable_form() -> Problem:
    return Problem(
        400, "bad_form", tr("I couldn't read that message. Please send it as a form (multipart/form-data), whole.")
    )


def too_slow() -> Problem:
    return Problem(408, "too_slow", tr("The upload took too long, so I stopped waiting. Please try again."))


def bad_key() -> Problem:
    return Problem(400, "bad_idempotency_key", tr("The Idempotency-Key must be 1 to 200 plain characters."))


def bad_number(name: str, *, least: int = 1) -> Problem:
    words = tr("I can't read “{name}”. Please give a whole number of {least} or more.")
    return Problem(400, "bad_parameter", words.format(name=name, least=least))


def sign_in_first() -> Problem:
    return Problem(401, "sign_in", tr("Please sign in with the password first."))


def wrong_password() -> Problem:
    return Problem(401, "wrong_password", tr("That is not the password. Please try again."))


def too_many_tries(wait_s: int) -> Problem:
    minutes = max(1, -(-wait_s // 60))
    words = ngettext(
        "There were too many wrong passwords. Please wait {count} minute and try again.",
        "There were too many wrong passwords. Please wait {count} minutes and try again.",
        minutes,
    )
    return Problem(429, "too_many_tries", words.format(count=minutes), retry_after_s=wait_s)


def too_many_guests(wait_s: int) -> Problem:
    return Problem(
        429,
        "too_many_guests",
        tr("Many people came in without a name today. Please give yours, and I will know you when you come back."),
        retry_after_s=wait_s,
    )


def foreign_host() -> Problem:
    return Problem(
        421,
        "unknown_host",
        tr(
            "This page does not answer under that address. Open it at the address shown when it started, or allow this "
            "one in the settings."
        ),
    )


def foreign_site() -> Problem:
    return Problem(403, "cross_site", tr("This request came from another site, so I did not follow it."))


def nothing_to_check() -> Problem:
    return Problem(400, "empty", tr("There is no picture in that. Please choose one."))


def too_often() -> Problem:
    return Problem(429, "too_often", tr("You have asked very often. Please try again in a minute."), retry_after_s=60)


def too_busy_to_check() -> Problem:
    return Problem(503, "busy", tr("Many people are asking just now. Please try again in a moment."), retry_after_s=5)


def too_many_streams() -> Problem:
    return Problem(
        503, "busy", tr("Too many people are watching at once. Please try again in a minute."), retry_after_s=60
    )


def out_of_order() -> Problem:
    return Problem(
        503,
        "unavailable",
        tr("Something went wrong on my side. Nothing that you sent is lost; please try again in a moment."),
        retry_after_s=2,
    )


def of_error(error: RemixError) -> Problem:
    """What may work later is sent again, by the page and by whoever reads statuses."""
    if error.retryable:
        return Problem(503, error.code, error.words, retry_after_s=2)
    return Problem(400, error.code, error.words)


def not_possible(status: int, reason: str) -> Problem:
    """`reason` is what HTTP calls it."""
    return Problem(status, "not_possible", tr("That can't be done here ({reason}).").format(reason=reason))


def _grouped(number: int) -> str:
    # TRANSLATORS: stands between the thousands of a large number: 4,000
    return f"{number:,}".replace(",", pgettext("between thousands", ","))
