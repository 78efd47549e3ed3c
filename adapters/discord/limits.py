"""Limits of Discord (developer documentation, read 2026-11). Lengths are counted in UTF-16 units: the documentation
speaks of characters, and whichever of the two it counts, a text within these is within it."""

from __future__ import annotations

from typing import Final

CONTENT: Final = 2000
EMBED_DESCRIPTION: Final = 4096
ALT_TEXT: Final = 1024
BUTTON_LABEL: Final = 80
OPTION_LABEL: Final = 100
PLACEHOLDER: Final = 150
ROWS: Final = 5
BUTTONS_IN_ROW: Final = 5
OPTIONS: Final = 25
FILES: Final = 10
MODAL_TITLE: Final = 45
FIELD_LABEL: Final = 45
FIELD_DESCRIPTION: Final = 100
FIELD_PLACEHOLDER: Final = 100
COMMAND_NAME: Final = 32
COMMAND_DESCRIPTION: Final = 100
CHOICE_NAME: Final = 100
REQUEST_BYTES: Final = 25 * 2**20
"""Of one request that creates or edits a message, unless the server lets a single file be larger."""
FILE_BYTES: Final = 10 * 2**20
"""Of one file where nothing more is known: a server without boosts, a DM."""
