"""A person's words in the one form in which they are compared: lower case, no accents, no quoted texts, single spaces.

    “Make it a POSTER, s'il vous plaît: «Open»”  →  " . make it a poster , s'il vous plait : <> . "

Everything that looks for words begins with a space and so can leap from word to word: reading stays linear in the
length of the text, whatever it holds.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bot.domain.quotes import QUOTED

MOST_CHARS = 4_000
"""What is longer is read up to here."""

BLANK = "<>"
"""Stands where a text was quoted: what it says is no instruction."""

_TOKEN = re.compile(r"[^\W\d_][^\W_]*(?:'[^\W_]+)*|[.,:?#$@]|\d+(?:\.\d+)?:\d+(?:\.\d+)?|[^\W_]+(?:'[^\W_]+)*|<>")
_ACCENTS = re.compile(r"[\u0300-\u036f]+")
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")
_FULL_STOPS = str.maketrans("!;\n", "...")
_NUMBERS = (
    "zero;one un une ein eine einen einem uno una;two couple zwei dos deux;three few drei tres trois;four vier cuatro"
    " quatre;five funf fuenf cinco cinq;six sechs seis;seven sieben siete sept;eight acht ocho huit;nine neun nueve"
    " neuf;ten zehn diez dix;eleven elf onze;dozen twelve zwolf zwoelf doce douze"
)
NUMBERS = {word: value for value, words in enumerate(_NUMBERS.split(";")) for word in words.split()}
NUMBER = rf"(?:\d{{1,4}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
"""A number in digits or words, to be put into a pattern."""


@dataclass(frozen=True, slots=True)
class Plain:
    """`text` begins and ends with " . ", with one space between any two tokens. `words` are its tokens."""

    text: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cue:
    """A pattern, and words of which one must be there before it is worth a look."""

    words: frozenset[str]
    pattern: re.Pattern[str]

    def find(self, plain: Plain) -> re.Match[str] | None:
        return None if self.words.isdisjoint(plain.words) else self.pattern.search(plain.text)


def words_of(text: str) -> frozenset[str]:
    """A set of words, as it is written down most readably."""
    return frozenset(text.split())


def cue(words: str, pattern: str) -> Cue:
    """`pattern` begins with a space, and stands in front of one: words are found whole."""
    return Cue(words_of(words), re.compile(rf"{pattern}(?= )"))


def plain_of(text: str) -> Plain:
    """The first `MOST_CHARS` characters in plain form."""
    shown = QUOTED.sub(f" {BLANK} ", text[:MOST_CHARS])
    if not shown.isascii():
        shown = _ACCENTS.sub("", unicodedata.normalize("NFKD", shown.translate(_APOSTROPHES))[:MOST_CHARS])
    tokens = _TOKEN.findall(shown.translate(_FULL_STOPS).casefold())
    return Plain(f" . {' '.join(tokens)} . " if tokens else " . ", frozenset(tokens))


def number_of(word: str) -> int:
    """The value of what `NUMBER` matched."""
    return int(word) if word.isdecimal() else NUMBERS[word]


POLITELY = (
    r"(?: (?:please|pls|plz|kindly|hi|hello|hey|yo|ok|okay|so|and|then|now|also|just|well|um|maybe|quickly|remixbot|bot"
    r"|@ [\w']+|,|(?:can|could|would|will) (?:you|u|we)(?: please| maybe| also)?|can (?:i|you) (?:please )?(?:have|get"
    r"|see)|may i (?:have|see)|i(?:'d| would)? (?:want|need|like|love)(?: you| u)?(?: to(?: see| have| get)?)?|let's"
    r"|let us|try to|go ahead and|bitte|kannst du(?: mir)?|konntest du(?: mir)?|por favor|puedes|s'il (?:te|vous) plait"
    r"|peux tu|pouvez vous))"
)
"""One piece of what politeness puts in front of a sentence."""

SENTENCE = re.compile(r"[^.?]*[.?](?= )")
"""A sentence with its end, in plain text."""


def sentence_from(text: str, at: int) -> str:
    """What stands in plain text from there to the end of the sentence, which is a token of its own."""
    match = SENTENCE.match(text, at)
    return f"{match.group()} " if match else text[at:]
