"""What each of several pictures is for, as far as the words say."""

from __future__ import annotations

from enum import StrEnum


class Purpose(StrEnum):
    """What an input is for in a request with several pictures."""

    CANVAS = "canvas"
    """The one to edit: the result keeps its framing and its shape."""
    STYLE = "style"
    """Its style is taken, nothing that it shows."""
    SUBJECT = "subject"
    """Whoever or whatever it shows goes into the canvas."""
    BACKGROUND = "background"
    """Its place or scenery goes behind the canvas's subject."""
    PART = "part"
    """One of several that become one picture together."""
    PANEL = "panel"
    """An earlier panel of the same story: its characters and style go on."""
