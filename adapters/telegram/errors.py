"""What can go wrong when Telegram is asked, beside `ChatClosed` and `ChatGone`.

    TelegramError
    ├── Rejected            it will not do this, however often it is asked
    │   ├── TooLarge        since a file is too large
    │   └── NotAllowed      since nobody, or not the bot, may send pictures of this sort there
    ├── Unavailable         it does not answer, or not now; nothing was done, or doing it again is harmless
    │   └── Conflict        somebody else asks for updates with the same token
    ├── OutcomeUnknown      something new was to be sent, and no answer came: it may or may not stand there
    └── TokenRefused        the token is none (any more)

No message of theirs has a token, an address or anybody's words in it.
"""

from __future__ import annotations


class TelegramError(Exception):
    """Root of the tree."""


class Rejected(TelegramError):
    """A request that is wrong in itself. `description` is what Telegram says, for the log."""

    def __init__(self, description: str = "") -> None:
        super().__init__(description)
        self.description = description


class TooLarge(Rejected):
    """A file that Telegram takes from nobody."""


class NotAllowed(Rejected):
    """A right is missing that is for a sort of pictures alone: words can be posted there."""


class Unavailable(TelegramError):
    """Later, perhaps."""


class Conflict(Unavailable):
    """Two programs with one token, or a webhook that is set."""


class OutcomeUnknown(TelegramError):
    """Never repeated blindly."""


class TokenRefused(TelegramError):
    """Until somebody gives us another."""
