"""Sentences that people read, where more than one room says them."""

from __future__ import annotations

CLIMBED = "The turn before gave no picture, so I went on from the last one there was."
NO_PICTURE = "I found no picture to work on. Reply to one, or send one along with what you want changed."
NO_WORDS = "What should I change? Reply with a few words, for instance “crop to a square”."
NOT_YOURS = (
    "That picture belongs to somebody else here, so I leave it alone. Send it yourself, or reply to one of mine."
)
SWITCHED_OFF = "AI edits are switched off at the moment. Exact edits like “crop to a square” still work."
OVER_PERSON = "You have used up today's AI edits. Exact edits like “rotate 90 degrees” are always free."
OVER_HOUSE = "The AI budget for today is used up here. Exact edits like “rotate 90 degrees” are always free."
CANCELLED = "Cancelled."
BROKEN = "Something broke on our side. Nothing was lost; please try once more."
GONE = "The picture is not there any more, so I could not work on it."
INTERRUPTED = "This was interrupted twice while it was being made. Please send it again."
TOO_SLOW = "The image model took too long. Please try again in a little while."
NOT_KEPT = "The picture was made, but it could not be kept. The host has been told; please try again later."
ENGINE_GONE = "The engine that this needs is not set up here any more."
NO_AI_HERE = "AI edits are not set up here, and"


def too_long(chars: int, most: int) -> str:
    """For an instruction of `chars` characters where `most` are read."""
    return f"That is {chars:,} characters. Please say it in at most {most:,}, and I will get to work."


def too_many(images: int, most: int) -> str:
    """For more images than one turn takes."""
    return f"Those are {images} pictures; I can work on {most} at once. Please send fewer."


def not_understood(part: str, *, ai_missing: bool) -> str:
    """For words that no engine at hand can follow."""
    quoted = f"“{part}”" if part else "that"
    if ai_missing:
        return f"{NO_AI_HERE} I do not know how to do {quoted} exactly. These would work:"
    return f"I do not know how to do {quoted}. These would work:"
