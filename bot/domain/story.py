"""What a turn remembers of the turns before it: bounded, so that turn 50 sends no more than turn 2."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.domain.turns import Story, StoryLine, TurnState, TurnStatus

MAX_LINES = 6
MAX_PINNED = 6
MAX_LINE_CHARS = 400

_STANDING = re.compile(
    r"\b(always|never|from now on|in (?:all|every) (?:pictures?|images?|results?)|every time)\b", re.IGNORECASE
)


def is_standing_wish(instruction: str) -> bool:
    """Whether these words are meant for the turns to come, too ("always keep her face clear")."""
    return bool(_STANDING.search(instruction))


def story_after(story: Story, line: StoryLine) -> Story:
    """The story of the next turn: what was asked before, and now this. Long words are cut, old lines fall out,
    standing wishes stay (the newest `MAX_PINNED` of them)."""
    text = " ".join(line.instruction.split())
    if len(text) > MAX_LINE_CHARS:
        text = text[: MAX_LINE_CHARS - 1].rstrip() + "…"
    kept = replace(line, instruction=text)
    if is_standing_wish(text):
        pinned = (*(wish for wish in story.pinned if wish != kept), kept)[-MAX_PINNED:]
        return Story(story.lines, pinned)
    return Story((*story.lines, kept)[-MAX_LINES:], story.pinned)


def story_below(status: TurnStatus) -> Story:
    """What a turn under this one remembers: refusals and failures changed nothing, so they are no part of it. A
    question that the engine asked back is told under the name of the bot, and forgotten with whoever it was put to."""
    turn, outcome = status.turn, status.outcome
    if status.state in (TurnState.REFUSED, TurnState.FAILED, TurnState.CANCELLED):
        return turn.story
    story = turn.story
    if turn.own_words.strip():
        name = turn.author_name if turn.words_by is None else "somebody"
        story = story_after(story, StoryLine(turn.words_by or turn.author, name, turn.own_words, turn.words_of))
    if status.state is TurnState.ASKING and outcome is not None:
        story = story_after(story, StoryLine(turn.author, "Remixbot", outcome.words))
    return story
