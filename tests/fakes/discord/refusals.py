"""How the API says no."""

from __future__ import annotations

from tests.fakes.discord.state import Json

MESSAGES = {
    0: "401: Unauthorized",
    10003: "Unknown Channel",
    10004: "Unknown Guild",
    10008: "Unknown Message",
    10013: "Unknown User",
    10015: "Unknown Webhook",
    10062: "Unknown interaction",
    40005: "Request entity too large",
    40060: "Interaction has already been acknowledged.",
    40094: "This interaction has reached the maximum number of follow-up messages.",
    50001: "Missing Access",
    50003: "Cannot execute action on a DM channel",
    50005: "Cannot edit a message authored by another user",
    50006: "Cannot send an empty message",
    50007: "Cannot send messages to this user",
    50008: "Cannot send messages in a non-text channel",
    50013: "Missing Permissions",
    50027: "Invalid Webhook Token",
    50035: "Invalid Form Body",
    50083: "Thread is archived",
    160002: "Cannot reply without permission to read message history",
    160014: "You do not have permission to forward this message",
}
_STATUS = {
    0: 401, 10003: 404, 10004: 404, 10008: 404, 10013: 404, 10015: 404, 10062: 404, 40005: 413, 50001: 403, 50003: 403,
    50005: 403, 50007: 403, 50013: 403, 50027: 401,
}  # fmt: skip


class Refused(Exception):
    """An answer that says no: its HTTP status, the code and the words."""

    def __init__(self, code: int, *, status: int | None = None, errors: Json | None = None, words: str = "") -> None:
        super().__init__(words or MESSAGES.get(code, "Refused"))
        self.code = code
        self.status = status or _STATUS.get(code, 400)
        self.errors = errors

    def body(self) -> Json:
        found: Json = {"message": str(self), "code": self.code}
        return found | {"errors": self.errors} if self.errors else found


def invalid(where: str, words: str, code: str = "BASE_TYPE_BAD") -> Refused:
    """50035 at a place such as "components.0.label"."""
    errors: Json = {"_errors": [{"code": code, "message": words}]}
    for step in reversed([each for each in where.split(".") if each]):
        errors = {step: errors}
    return Refused(50035, errors=errors)
