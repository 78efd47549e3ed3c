"""Limits of Telegram's Bot API (core.telegram.org/bots/api and /bots/faq, read 2026-11; server constants from
tdlib/telegram-bot-api). Lengths in UTF-16 units unless a name says bytes."""

from __future__ import annotations

from typing import Final

CAPTION: Final = 1024
TEXT: Final = 4096
BUTTON_BYTES: Final = 64
"""`callback_data`."""
PRESS_ANSWER: Final = 200
"""What `answerCallbackQuery` shows."""
BUTTON_LABEL: Final = 48
"""Our own: a longer one is cut by phones in the middle of a word."""
ALBUM: Final = 10
"""Pictures of one album; at least two."""
DOWNLOAD_BYTES: Final = 20 * 2**20
"""`getFile`. None on a server of one's own with `--local`."""
PHOTO_BYTES: Final = 10 * 1000**2
PHOTO_SIDES_PX: Final = 10_000
"""Width and height together."""
PHOTO_RATIO: Final = 20
DOCUMENT_BYTES: Final = 50 * 1000**2
LOCAL_BYTES: Final = 2000 * 1000**2
"""Up and down, on a server of one's own with `--local`."""
