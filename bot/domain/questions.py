"""Whether words are a question, to be answered in words, and whether the answer is to have a picture.

A request in the form of a question is none: “can you make it blue?”, “how about a hat?”, “what if it was winter?”.
"""

from __future__ import annotations

import re
from itertools import islice

from bot.domain.plain import POLITELY, SENTENCE, Plain, cue, words_of

_MOST_SENTENCES = 40

_OPENING = re.compile(rf"(?: (?:in|on|about|from|at|looking at)(?: [\w']+){{1,4}} ,)?{POLITELY}{{0,8}}(?= )")
_ASIDE = re.compile(r" , (?=(?:what|which|who|whose|where|why|how)(?:'s|'re|s)? )")

_BE = words_of(
    "is are was were does do did has have had can should will would could might am happens happened causes caused means"
    " makes made kind type sort"
)
_WHAT_IS = words_of("what's whats what're where's wheres who's whos when's how's hows why's whys who whom whose why")
_HOW = words_of(
    "to many much old big tall long far high deep heavy fast often large likely rare wide expensive dangerous"
)
_YES_OR_NO = words_of("is are was were does did has am isn't aren't wasn't doesn't didn't")
_OF_PEOPLE = words_of("you they we i people all these those")
_DEMANDS = words_of(
    "add make put remove delete change turn replace give draw paint crop rotate resize blur create generate set move"
    " swap keep fix edit convert transform erase fill clean brighten darken sharpen improve enhance restore colorize"
    " colourize color colour write insert place combine merge apply dress let take upscale cut zoom extend"
)
_THEN_DEMANDS = re.compile(
    rf" ,(?: (?:but|now|so|and|then|please|just|also|(?:can|could|would) you))* (?:{'|'.join(sorted(_DEMANDS))})(?= )"
)
_TELL = re.compile(
    r" (?:explain|describe|identify|define|teach me|help me understand|tell (?:me|us)(?! (?:an?|the story|another) )"
    r"|say what|i wonder|i'm wondering|(?:do you |does anyone )?know (?:what|who|which|where|why|how|when|if|more)|any"
    r" idea (?:what|who|which|where|why|how|when)|show (?:me |us )?how(?: [\w']+){1,8} (?:works?|is made|are made)"
    r"|erklare?|explicame?|expliquez?)(?= )"
)
_NOT_ASKED = re.compile(
    r" (?:(?:what|how) about|what if|what ever|whatever|what an?|how come you|why not|is it possible to(?! (?:tell|see"
    r"|know|say) )|is there (?:a|any) way|are you (?:able|going)|do you think (?:you|we)|would you|who cares|why"
    r" (?:don't|dont|can't|won't|couldn't|do not) (?:you|u|we))(?= )"
)
_WISHES_TO_SEE = re.compile(
    r" (?:(?:what|how)(?:'d| would| will| might| could)(?: [\w']+){1,12}? (?:look|appear|be)(?: like)? (?:in|with|as|if"
    r"|without|when|at|wearing|on|under|during|after|\d|\?|\.)|(?:what|how) (?:does|do|did) (?:it|this|that|he|she|they"
    r"|i|we|him|her) (?:look|appear) (?:like )?(?:in|with|as|if|without|when|at|wearing|on|under|during))(?= )"
)

_DRAWN = cue(
    "picture pictures image images photo diagram diagrams drawing drawings illustration illustrations sketch sketches"
    " infographic infographics chart schematic visually draw drawn show figure map graphic cartoon comic",
    r" (?:(?:with|as|by|using|plus|including|through|in)(?: (?:an?|some|one|the help of an?))?(?: (?!the"
    r" )[\w']+){0,2}? (?:diagrams?|drawings?|illustrations?|sketch(?:es)?|infographics?|chart|schematic|graphic"
    r"|cartoon|comic)|(?:with|as|by|using|plus) (?:an?|some|one)(?: (?!the )[\w']+){0,2}? (?:pictures?|images?|photo"
    r"|map|figure)|with (?:pictures|images)|visually|draw(?: me)?|show (?:me |us )?how|show (?:it|me|this) (?:in|with"
    r"|as) an?)",
)
_EXPLAINS = cue(
    "diagram infographic chart drawing picture illustration sketch graphic image",
    r" (?:diagram|infographic|chart|drawing|picture|illustration|sketch|graphic|image) (?:(?:that |which |to"
    r" )?explain(?:s|ing)?|(?:that |which )?show(?:s|ing)? how|of how|about how)",
)


def asks(plain: Plain) -> bool:
    """Whether the words ask something and demand nothing."""
    if _EXPLAINS.find(plain):
        return True
    asked = False
    for sentence in islice(SENTENCE.finditer(plain.text, 2), _MOST_SENTENCES):
        rest = _after_politeness(sentence.group())
        words = rest.split(" ", 3)
        if len(words) > 1 and words[1] in _DEMANDS:
            return False
        if _THEN_DEMANDS.search(rest) and not _TELL.match(rest):
            return False
        asked = asked or _is_question(rest)
    return asked


def demands(plain: Plain) -> bool:
    """Whether the words begin with something to do."""
    words = _after_politeness(plain.text[2:]).split(" ", 2)
    return len(words) > 1 and words[1] in _DEMANDS


def wants_drawing(plain: Plain) -> bool:
    """Whether a question is to be answered with a picture, too."""
    return _DRAWN.find(plain) is not None or _EXPLAINS.find(plain) is not None


def _after_politeness(sentence: str) -> str:
    opening = _OPENING.match(sentence)
    return sentence[opening.end() :] if opening else sentence


def _is_question(rest: str) -> bool:
    """`rest` is a sentence without what politeness puts in front, beginning with a space."""
    if _TELL.match(rest):
        return True
    aside = _ASIDE.search(rest, 0, 80)
    said = rest[aside.start() + 2 :] if aside and rest.endswith("?") else rest
    if _NOT_ASKED.match(said) or _WISHES_TO_SEE.match(f"{said} "):
        return False
    return _sounds_like_one(said.split(), marked=said.endswith("?"))


def _sounds_like_one(words: list[str], *, marked: bool) -> bool:
    """`marked` where it ends with a question mark; without one only the plainest forms count."""
    first, second = words[0] if words else "", words[1] if len(words) > 1 else ""
    if first in _WHAT_IS:
        return second not in (",", ".", "")
    match first:
        case "what" | "which":
            return marked or not _BE.isdisjoint(words[1:5])
        case "where" | "when":
            return marked or second in _BE
        case "how":
            return second in _BE or second in _HOW or (marked and second in ("come", "exactly"))
        case "do":
            return marked and second in _OF_PEOPLE
        case _:
            return marked and first in _YES_OR_NO
