"""A chat's own settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What people in a chat can turn off.

    `suggestions`: next edits under each result. `questions`: the engine may ask back instead of guessing.
    """

    suggestions: bool = True
    questions: bool = True
