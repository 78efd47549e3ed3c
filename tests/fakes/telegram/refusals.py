"""What the server says no with, in its own words."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_NAMES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}


class Refused(Exception):
    def __init__(self, code: int, words: str = "", **parameters: int) -> None:
        named = _NAMES.get(code, "")
        self.code = code
        self.description = f"{named}: {words}" if named and words else words or named
        self.parameters = parameters
        super().__init__(self.description)

    def body(self) -> Json:
        told: Json = {"ok": False, "error_code": self.code, "description": self.description}
        return told | ({"parameters": self.parameters} if self.parameters else {})


class Cut(Exception):
    """The connection ends without an answer."""


def bad(words: str) -> Refused:
    return Refused(400, words)


def forbidden(words: str) -> Refused:
    return Refused(403, words)


def too_many(retry_after_s: int) -> Refused:
    return Refused(429, f"Too Many Requests: retry after {retry_after_s}", retry_after=retry_after_s)


NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
OTHER_POLLER = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"
