"""What an error of the library's means to us.

It becomes one of `adapters.telegram.errors`, or one of these:

    ChatClosed          (bot.domain.errors) thrown out, blocked, or no right to write there
    └── ChatGone        (bot.domain.errors) there is no such chat or message (any more)
        └── Moved       the group is a supergroup now, whose messages have other ids

The others say what is to be noted or done first, and become one of those.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from typing import Final

from telegram import error
from telegram.warnings import PTBDeprecationWarning

from adapters.telegram.errors import Conflict, NotAllowed, OutcomeUnknown, Rejected, TokenRefused, TooLarge
from adapters.telegram.errors import Unavailable as _Unavailable
from adapters.telegram.transport import NotSent
from bot.domain.errors import ChatGone
from bot.domain.language import N_, tr
from bot.domain.refs import ChatRef
from bot.domain.utf16 import cut

CLOSED_WORDS: Final = N_("I am not allowed to write there at the moment.")
GONE_WORDS: Final = N_("That chat or message is not there any more.")
_FLOOD_S = 5.0
"""Where Telegram does not say how long."""

# The library uses it itself, whether we do or not.
warnings.filterwarnings("ignore", message=".*`retry_after`", category=PTBDeprecationWarning)


class Unavailable(_Unavailable):
    """It was asked, and nobody knows what became of it; doing it again is harmless."""


class Moved(ChatGone):
    """`to` is the supergroup."""

    def __init__(self, to: ChatRef) -> None:
        super().__init__(tr(GONE_WORDS))
        self.to = to


class Flood(Exception):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class Migrated(Exception):
    def __init__(self, to: int) -> None:
        super().__init__()
        self.to = to


class Forbidden(Exception):
    """Until somebody lets the bot in again."""


class NoRight(Exception):
    """For now."""


class NoThread(Exception):
    pass


class NotModified(Exception):
    pass


_SAYS: Final[Sequence[tuple[str, Callable[[str], Exception]]]] = (
    (r"message is not modified", lambda _: NotModified()),
    (r"message thread not found|topic_id_invalid|topic_deleted", lambda _: NoThread()),
    (
        r"chat not found|message to (edit|delete|copy|forward) not found|message_id_invalid|peer_id_invalid"
        r"|message can't be edited|chat_id_invalid|user not found|group chat was upgraded",
        lambda _: ChatGone(tr(GONE_WORDS)),
    ),
    (
        r"rights to send (a )?(photo|document|media|video|audio|voice|sticker|animation)"
        r"|chat_send_(photos|docs|media|videos|audios|voices|stickers|gifs)_forbidden",
        NotAllowed,
    ),
    (
        r"not enough rights|have no rights|need administrator rights|chat_write_forbidden|topic_closed"
        r"|chat_send_\w+_forbidden|chat_restricted",
        lambda _: NoRight(),
    ),
    (r"too (big|large)", TooLarge),
    (r"too many requests", lambda _: Flood(_FLOOD_S)),
)
"""What descriptions say (tdlib/telegram-bot-api and td, 2026-11), beside what has an error of its own."""


def failure_of(found: error.TelegramError, *, new: bool) -> Exception:
    """What an error of the library's means. `BadRequest` is a `NetworkError` there, so the order matters."""
    description = cut(str(found), 200)
    match found:
        case error.RetryAfter():
            failure: Exception = Flood(_seconds(found))
        case error.ChatMigrated():
            failure = Migrated(found.new_chat_id)
        case error.Forbidden():
            failure = Forbidden(description)
        case error.InvalidToken() | error.EndPointNotFound():
            failure = TokenRefused("Telegram refused TELEGRAM_TOKEN. Ask @BotFather for a new one, and copy it.")
        case error.Conflict():
            failure = Conflict("Somebody else asks for this bot's messages.")
        case NotSent():
            failure = _Unavailable("Telegram can't be reached.")
        case error.BadRequest():
            failure = _said(description) or Rejected(description)
        case error.TimedOut():
            failure = _unanswered(new=new)
        case _:
            failure = _said(description) or _unanswered(new=new)
    return failure


def _said(description: str) -> Exception | None:
    found = (make(description) for pattern, make in _SAYS if re.search(pattern, description, re.IGNORECASE))
    return next(found, None)


def _unanswered(*, new: bool) -> Exception:
    return OutcomeUnknown("Telegram did not answer.") if new else Unavailable("Telegram did not answer.")


def _seconds(flood: error.RetryAfter) -> float:
    """As it is pickled: asked for by its name, the library warns that it will be of another type one day."""
    return float(flood.__reduce__()[1][0])
