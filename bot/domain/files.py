"""Small files that are no pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of words, to be handed out as it is. `name` is plain ASCII with its ending; `text` goes as UTF-8."""

    name: str
    text: str

    @property
    def data(self) -> bytes:
        return self.text.encode()
