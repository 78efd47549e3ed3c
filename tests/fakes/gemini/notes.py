"""What our own prompts ask for beside the picture (bot/engines/gemini/prompt.py), understood and answered.

Whatever is asked in other words is simply not done, as a model that does not care would: then a test must fail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from tests.fakes.gemini.calls import Call

SUGGESTIONS = (
    *("make it golden hour", "add a little snow", "turn it into a watercolour", "crop in closer", "make it night"),
    *("add a red balloon", "give it a film look", "blur the background", "make it a poster"),
)
BEATS = (
    *("It is a quiet morning.", "Something moves behind the door.", "So that is where the noise came from."),
    *("Off they go, as fast as they can.", "Then it begins to rain.", "A light in a window, far away."),
    *("Inside it is warm.", "And that is the end of a long day."),
)

_LETTERING = re.compile(r"^- Lettering must be legible[^:\n]*: (.+)\.$", re.MULTILINE)
_PLAN = re.compile(r"tell it in (\d+) lines, PANEL 1:")
_PANEL = re.compile(r"Draw only panel (\d+)\b")
_PANEL_WORDS = re.compile(r"This panel's words are: (\".*\")\.$", re.MULTILINE)
_TAKE = re.compile(r"This is take (\d+) of \d+ of the same request")


def lettering(call: Call) -> tuple[str, ...]:
    """The texts that must stand in the picture, exactly so."""
    asked = _LETTERING.search(call.words)
    return tuple(json.loads(f"[{asked[1]}]")) if asked else ()


def misspelled(text: str) -> str:
    """With the first two letters that differ swapped."""
    for place in range(len(text) - 1):
        if text[place].casefold() != text[place + 1].casefold() and text[place : place + 2].isalnum():
            return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text[:-1]


def is_question(call: Call) -> bool:
    return "This is a question. Answer it" in call.words


def wants_picture(call: Call) -> bool:
    """A question gets one only where it must."""
    return not is_question(call) or "Draw a picture or a diagram that makes the answer clear" in call.words


def caption(call: Call) -> str:
    """What is written below the picture: the instruction, or what this one of several is about."""
    if panel := _PANEL.search(call.words):
        told = _PANEL_WORDS.search(call.words)
        return f"{panel[1]}. {json.loads(told[1]) if told else _beats(call, 1)[0]}"
    take = _TAKE.search(call.words)
    return f"take {take[1]}: {call.instruction}" if take else call.instruction


def beside(call: Call, remark: str) -> str:
    """All words of an answer: the remark, the plan of a story, and what to do next."""
    lines = [remark] if remark else []
    if not remark and is_question(call):
        lines.append(f"In short: it depends on the light. You asked: {' '.join(call.instruction.split())[:120]}")
    if plan := _PLAN.search(call.words):
        lines += (f"PANEL {number}: {beat}" for number, beat in enumerate(_beats(call, int(plan[1])), start=1))
    if "three lines NEXT:" in call.words:
        first = len(call.instruction) % len(SUGGESTIONS)
        lines += (f"NEXT: {SUGGESTIONS[(first + step) % len(SUGGESTIONS)]}" for step in (0, 2, 4))
    return "\n".join(lines)


def question(asked: str, options: Sequence[str]) -> str:
    return "\n".join((f"ASK: {asked}", *(f"OPTION: {option}" for option in options)))


def _beats(call: Call, count: int) -> list[str]:
    first = len(call.instruction) % len(BEATS)
    return [BEATS[(first + number) % len(BEATS)] for number in range(count)]
