"""Which of several pictures a reply means: “the second, but darker” below an album.

    “Make the second black and white”  →  picture 1 (from 0), “Make it black and white”

Rather nothing than a wrong picture: an ordinal that may belong to something in the picture (“the second car”), several
pictures, and pictures put in relation name none, and the reader of roles sees the words as they are.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from bot.domain.plain import BLANK
from bot.domain.quotes import QUOTED
from bot.domain.roles import Purpose, read_roles


@dataclass(frozen=True, slots=True)
class Named:
    """One picture, counted from 0, and the words for an engine that sees no other. `words` is empty where nothing but
    the picture was named."""

    index: int
    words: str


_FROM_NODE = re.compile(
    r"^\s*(?:[^\W\d]{1,12}\s{0,3})?[#№]?\s?(\d{1,4})\s{0,3}(?:[:：]|[-–—]\s|[.、,]\s)\s*(.+)$", re.DOTALL
)


def numbered(text: str) -> Named | None:
    """“from 3: make it winter”: the picture of that number (`index` from 0) in a tree, in whatever language, and what
    is wanted of it. None where no number stands in front."""
    match = _FROM_NODE.match(text) if len(text) <= _MOST_CHARS else None
    return None if match is None else Named(int(match[1]) - 1, match[2].strip())


def named_picture(text: str, count: int) -> Named | None:
    """The one of `count` pictures that the words name; None where they name none, several, or one that is not there.

    Takes any text and raises nothing; one of more than 2,000 characters names none. Quoted text is not read.
    """
    if count < 2 or len(text) > _MOST_CHARS:
        return None
    said = _Said.of(text)
    spoken = [tongue for tongue in _TONGUES if any(token.startswith(tongue.cues) for token in said.tokens)]
    found = list(islice((naming for tongue in spoken for naming in _namings(tongue, said)), _MOST_NAMINGS + 1))
    found = _longest(found)
    numbers = {_index(naming.which, count) for naming in found}
    if len(numbers) != 1 or len(found) > _MOST_NAMINGS or any(_in_relation(said, naming) for naming in found):
        return None
    (index,) = numbers
    if index is None or found[0].tongue.apart.search(said.text) or _takes_others(said, found, index, count):
        return None
    return Named(index, said.with_parts([_in_its_place(said, naming) for naming in found]).strip())


def _takes_others(said: _Said, found: Sequence[_Naming], index: int, count: int) -> bool:
    """Whether the reader of roles, who knows “put him on the second”, has a part for other pictures in it."""
    if all(_MADE_FROM.search(said.before(naming.start)) for naming in found):
        return False
    alike = said.with_parts([(naming.start, said.owned(naming.end), f"picture {index + 1}") for naming in found])
    roles = read_roles(_LIKING.sub(" ", alike), count) or ()
    return any(purpose is not (Purpose.CANVAS if at == index else None) for at, purpose in enumerate(roles))


_MADE_FROM = re.compile(r" (?:make|create|draw|design|do)(?: me| us)? an? (?:\w+ ){1,3}(?:from|of|out of)$")
_LIKING = re.compile(r"\b(?:i|we)(?:['’]d| would)?(?: really)? like ", re.IGNORECASE)
_MOST_NAMINGS = 6
"""What names pictures more often is no request to edit one of them."""


def _index(which: int, count: int) -> int | None:
    """From a place as `_Naming.which` has it. None where there is no such picture."""
    if which == _MIDDLE:
        return count // 2 if count % 2 else None
    return which % count if -count <= which < count else None


# --- the words, and where each stands

_TOKEN = re.compile(
    r"<>|\d+(?:[.,:]\d+)+|'s\b|[^\W_]+(?:'(?!s\b)[^\W_]+)*|(?<!\S)[-–](?!\S)|[.,:;?!()#°%&+/—\n]", re.IGNORECASE
)
_MOST_CHARS = 2_000
_LOOK_BACK_CHARS = 80
_ACCENTS = re.compile(r"[\u0300-\u036f]+")
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")
_SIGNS = str.maketrans({**dict.fromkeys("!;\n", "."), **dict.fromkeys("()-–—", ","), "&": "and", "+": "and"})


def _plain(token: str) -> str:
    signed = token.translate(_SIGNS)
    return (signed if signed.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFKD", signed))).casefold()


@dataclass(frozen=True, slots=True)
class _Said:
    """`text` is the plain form of what was `written`: it begins and ends with " . ", with one space between any two
    tokens. `starts` says where in it each token begins, `spans` where the same token was written."""

    written: str
    text: str
    tokens: frozenset[str]
    starts: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, written: str) -> _Said:
        shown = QUOTED.sub(lambda match: BLANK.ljust(len(match[0])), written).translate(_APOSTROPHES)
        matches = list(_TOKEN.finditer(shown))
        tokens = [_plain(match[0]) for match in matches]
        starts: list[int] = []
        at = len(" . ")
        for token in tokens:
            starts.append(at)
            at += len(token) + 1
        text = f" . {' '.join(tokens)} . " if tokens else " . "
        return cls(written, text, frozenset(tokens), tuple(starts), tuple(match.span() for match in matches))

    def before(self, at: int) -> str:
        """What stands in `text` shortly before a token that begins there."""
        return self.text[max(0, at - _LOOK_BACK_CHARS) : at - 1]

    def owned(self, end: int) -> int:
        """The same place, behind the sign of owning where one stands there."""
        return end + len(" 's") if self.text.startswith(" 's ", end) else end

    def with_parts(self, parts: Iterable[tuple[int, int, str]]) -> str:
        """What was written, with other words between these places of `text`. Around an empty part no gap is left."""
        left, at = "", 0
        for start, end, other in sorted(parts):
            first, last = bisect_left(self.starts, start), bisect_left(self.starts, end) - 1
            if last < first or self.spans[first][0] < at:
                continue
            left += self.written[at : self.spans[first][0]] + other
            at = self.spans[last][1]
            if not other:
                left = left.rstrip()
                at += len(self.written[at:]) - len(self.written[at:].lstrip())
                left += " " if left and self.written[at : at + 1] not in ("", *".,:;!?)") else ""
        return left + self.written[at:]


# --- languages

_MIDDLE, _NOWHERE = -100, 100
_FIGURES = {
    word: number
    for number, words in enumerate(
        (
            "one eins uno один",
            "two zwei dos deux два",
            "three drei tres trois три",
            "four vier cuatro quatre чотири",
            "five funf cinco cinq",
            "six sechs seis",
            "seven sieben siete sept",
            "eight acht ocho huit",
            "nine neun nueve neuf",
            "ten zehn diez dix",
        )
    )
    for word in words.split()
}
_ASKED = (
    "make turn rotate flip crop blur brighten darken sharpen colorize resize edit convert enhance for in on of only"
)
_NUMBER = rf"(?= n[ou])(?:{'|'.join(f'(?<= {each})' for each in _ASKED.split())}) (?:number|no)(?: \.)?"
"""“Number 2” where the figure itself is not meant, as in “write number 2”."""
_FIGURE = rf"(?:\d{{1,2}}|{'|'.join(sorted(_FIGURES, key=len, reverse=True))})"


@dataclass(frozen=True, slots=True)
class _Tongue:
    """How one language names pictures, as patterns of plain text that begin with a space.

    `named` wherever they stand; `topics` only at the beginning of a sentence. `ordinals`: how an ordinal begins, and
    its place, from 0 or from the end. The others look at what stands before or behind a naming:
    `unlike`: it is none, or the picture is taken out or put in relation. `beside`: another picture is named in one
    breath. `apart`, anywhere: several are spoken of. `lead`: it is what the sentence is about. `doing`: a verb in such
    a lead. `only`: it is set apart in passing (“brighter, only the second”). `parted`: what parts it from what is to be
    done. `goes_on`: the sentence says something of it. `within`: what is meant stands in it.
    """

    cues: tuple[str, ...]
    named: tuple[re.Pattern[str], ...]
    topics: tuple[re.Pattern[str], ...]
    ordinals: Mapping[str, int]
    unlike: re.Pattern[str]
    beside: tuple[re.Pattern[str], re.Pattern[str]]
    apart: re.Pattern[str]
    lead: re.Pattern[str]
    doing: re.Pattern[str]
    only: re.Pattern[str]
    parted: re.Pattern[str]
    goes_on: re.Pattern[str]
    within: re.Pattern[str]
    instead: Mapping[str, str]
    """What takes its place, by its article; "within" for where something stands in it, "" for any other."""


@dataclass(frozen=True, slots=True)
class _Naming:
    """A naming between two places of the plain text. `which` counts from 0, or from the end; or it is `_MIDDLE`,
    or `_NOWHERE`."""

    tongue: _Tongue
    start: int
    end: int
    which: int
    article: str


def _tongue(
    *,
    ordinals: str,
    last: str,
    middle: str,
    ending: str,
    figured: str,
    articles: str,
    nouns: str,
    after: str,
    like: str,
    also: str,
    please: str,
    verbs: str,
    place: str,
    unlike: str,
    apart: str,
    lead: str,
    doing: str,
    only: str,
    but: str,
    parted: str,
    goes_on: str,
    within: str,
    instead: Mapping[str, str],
    bare: str = "",
    figures: bool = False,
) -> _Tongue:
    """`ordinals`, `last` and `middle` are words, places parted by ";"; all else are alternatives of patterns. `after`
    and `like` (adjectives) are what may follow where no noun makes clear that a picture is meant; `bare` is what stands
    before it there. `figures`: those without a noun are read, which is enough in one language."""
    places = {word: at for at, words in enumerate(ordinals.split(";")) for word in words.split()}
    places |= {word: -1 - at for at, words in enumerate(last.split(";")) for word in words.split()}
    places |= dict.fromkeys(middle.split(), _MIDDLE)
    places = {word: places[word] for word in sorted(places, key=len, reverse=True)}
    nth = rf"(?:(?:{'|'.join(word.replace('_', ' ') for word in places)}){ending}|{figured})"
    number = rf"(?:(?:number|no|nr|nummer|numero|n|№|номер) (?:\. )?)?(?:# )?(?P<which>{_FIGURE})"
    ends = rf"(?:[.,:?]|'s|{after}|{please})"
    follows = rf"(?= (?:{ends}|(?:{like})(?: (?:{like}|{also}))* {ends}) )"
    said_alone = rf"(?= (?:{please} |(?:, )?(?:{but}) |\.(?: \.)* $))"
    article = rf"(?:(?P<article>{articles}) )"
    elsewhere = rf"(?! (?:{place}) )(?= )"
    another = rf"(?:(?:{articles}) )?(?:(?:{nouns}) )?(?:# )?(?:{nth}|10|[1-9])"
    links = rf"(?:{also}|or|oder|o|ou|або|чи|,|/|vs|plus|bis)"
    cues = {re.split(r"[^\w']|(?<=\w)\?", each)[0] for each in nouns.split("|")} | {
        each.split("_")[0] for each in places
    }
    return _Tongue(
        cues=(*cues, *"0123456789", *(_FIGURES if figures else ())),
        named=(
            re.compile(rf" {article}?(?P<which>{nth}) (?:{nouns}){elsewhere}"),
            re.compile(rf" {article}?(?:{nouns}) {number}{follows}{elsewhere}"),
            re.compile(rf" {bare or article}(?P<which>{nth}){follows}{elsewhere}"),
            *(re.compile(rf"{each} (?P<which>\d{{1,2}}){follows}") for each in (" #", _NUMBER) if figures),
        ),
        topics=(
            re.compile(rf" {article}?(?:{nouns}) {number}(?= (?:{verbs}) )"),
            *(re.compile(rf" {number}(?= {each} )") for each in ",:" if figures),
            re.compile(rf" {number}{said_alone}"),
            re.compile(rf" (?P<which>{nth}){said_alone}"),
        ),
        ordinals=places,
        unlike=re.compile(rf" (?:{unlike})$"),
        beside=(re.compile(rf" {another} {links}$"), re.compile(rf" {links} {another}(?= )")),
        apart=re.compile(rf" (?:{apart})(?= )"),
        lead=re.compile(rf"(?<= [.?:])(?: (?:{lead}|{only}|{doing}|{please}|,))*$"),
        doing=re.compile(rf" (?:{doing})(?= |$)"),
        only=re.compile(rf"(?: ,)?(?: (?:{only}))+$| ,$"),
        parted=re.compile(rf"(?: (?:[.,:]|{parted}|{please})(?= ))+"),
        goes_on=re.compile(rf" (?:{goes_on}) "),
        within=re.compile(rf" (?:{within})$"),
        instead=instead,
    )


def _namings(tongue: _Tongue, said: _Said) -> Iterator[_Naming]:
    """In the order of the patterns; none lies within another."""
    taken: list[tuple[int, int]] = []
    for pattern in (*tongue.named, *tongue.topics):
        for match in pattern.finditer(said.text):
            start, end = match.start() + 1, match.end()
            begins = pattern not in tongue.topics or tongue.lead.search(said.before(start))
            if not begins or any(start < there[1] and there[0] < end for there in taken):
                continue
            taken.append((start, end))
            yield _Naming(tongue, start, end, _which(tongue, match["which"]), match.groupdict().get("article") or "")


def _longest(found: Iterable[_Naming]) -> list[_Naming]:
    """Those that lie within no other: “la photo 3” is read in two languages."""
    kept: list[_Naming] = []
    for naming in sorted(found, key=lambda one: one.start - one.end):
        if not any(naming.start < other.end and other.start < naming.end for other in kept):
            kept.append(naming)
    return kept


def _which(tongue: _Tongue, word: str) -> int:
    if figure := re.match(r"\d+", word):
        return int(figure[0]) - 1 if int(figure[0]) else _NOWHERE
    if word in _FIGURES:
        return _FIGURES[word]
    return next(place for stem, place in tongue.ordinals.items() if word.startswith(stem.replace("_", " ")))


def _in_relation(said: _Said, naming: _Naming) -> bool:
    """Whether more than this picture is needed, or something else is meant."""
    tongue = naming.tongue
    before = said.before(naming.start)
    return bool(
        tongue.unlike.search(before) or tongue.beside[0].search(before) or tongue.beside[1].match(said.text, naming.end)
    )


def _in_its_place(said: _Said, naming: _Naming) -> tuple[int, int, str]:
    """From where to where in the plain text something else is to be said, and what."""
    tongue, text = naming.tongue, said.text
    before = said.before(naming.start)
    began = naming.start - 1 - len(before)
    lead, parted = tongue.lead.search(before), tongue.parted.match(text, naming.end)
    goes_on = tongue.goes_on.match(text, naming.end)
    if lead and not goes_on and (parted or not tongue.doing.search(lead[0])):
        return began + lead.start() + 1, parted.end() if parted else naming.end, ""
    only = tongue.only.search(before)
    if only and re.match(r" [.,?] ", text[parted.end() - 2 if parted else naming.end :]):
        return began + only.start() + 1, parted.end() if parted else naming.end, ""
    if said.owned(naming.end) > naming.end:
        return naming.start, said.owned(naming.end), tongue.instead.get("'s", tongue.instead[""])
    key = naming.article if naming.article in tongue.instead else ""
    return naming.start, naming.end, tongue.instead["within" if tongue.within.search(before) and not key else key]


_ENGLISH = _tongue(
    ordinals="first;second;third;fourth;fifth;sixth;seventh;eighth;ninth;tenth",
    last="last final;penultimate second_to_last second_last next_to_last last_but_one",
    middle="middle",
    ending="",
    figured=r"\d{1,2}(?:st|nd|rd|th)",
    articles="the(?: very)?|my|your|that|this",
    nouns=r"picture|photo|image|pic|img|photograph|shot|panel|version|variation|variant|option|result|take|one",
    after=r"but|only|as|is|should|needs?|looks?|has|must|could|can|was|at|to(?! last)|into|onto|for|by(?! \d)|so|then"
    r"|and"
    r"|instead|too|also|again|more(?! times?)|less|an?|without|when|like|upside|sideways|clockwise|counterclockwise"
    r"|horizontally|vertically|slightly|completely|entirely|much|very|with(?! the)|in(?! the (?!style|look|manner"
    r"|colou?rs))"
    r"|on(?! the| top)|\d+ (?:degrees?|°|times|%|percent)",
    like=r"black|white|red|green|blue|yellow|orange|purple|pink|brown|gr[ae]y|gold(?:en)?|silver|bw|b|w|monochrome"
    r"|gr[ae]yscale|sepia|vintage|square|round|bright|brighter|dark|darker|light|lighter|warm|warmer|cool|cooler|cold"
    r"|colder|sharp|sharper|soft|softer|big|bigger|large|larger|small|smaller|wide|wider|tall|taller|narrower|clearer"
    r"|blurry|blurred|colou?rful|transparent|realistic|cartoonish|funny|funnier|scary|scarier|happy|happier|cute|cuter"
    r"|sad|nicer|prettier|left|right|vertical|horizontal|upright|crisper|smoother|brightened|darkened|cropped"
    r"|sharpened",
    also="and|a bit|a little|much|slightly|way",
    please="please|pls|plz|thanks|thank you|instead",
    verbs=r"crop|make|turn|rotate|flip|mirror|blur|add|remove|erase|cut|resize|colou?ri[sz]e|convert|change|put|give"
    r"|draw"
    r"|paint|invert|brighten|darken|sharpen|restore|enhance|fix|zoom|replace",
    place=r"(?:on|to|at|in|from|of)(?: the| his| her| my)? (?:left|right|top|bottom|middle|back|front|row|line|queue"
    r"|wall"
    r"|desk|table|shelf|corner|background|foreground|fridge|door)|frames?|above|below|behind",
    unlike=r"(?:an?|another|every|each|any|no|one more|not|without|except|than|(?<! i )(?<! i'd )(?<!we )(?<!would )"
    r"(?<!really )like|as(?: in)?|remove|delete|erase|undo|revert|redo|repeat|drop|discard|keep|leave|ignore|skip"
    r"|exclude|replace|add|insert"
    r"|include|attach"
    r"|combine|merge|blend|mix|fuse|join|swap|switch|exchange|compare|match|copy|imitate|between|beside|behind|before"
    r"|after|against|under|over|above|below|near|(?:next|back|return|go|similar|closer|close|compared|it|them|him|her)"
    r" (?:to|into|onto|on|over)|(?:all|everything|any|anything|none|nothing|others?) but"
    r"|(?:style|look|colou?rs?|palette|mood|lighting|texture|pose|vibe|face|outfit|clothes) (?:of|from|in)"
    r"|(?<!again )(?<!same )(?<!start )(?<!continue )(?<! on )(?<!this )(?<![.,:] )with|write|put|print|paint|says?)"
    r"(?: only| just)?",
    apart=r"combine|merge|blend|mix|fuse|stitch|collage|montage|together|side by side|next to each other"
    r"|the others|compare|between|both (?:of them|pictures|photos|images)|pictures|photos|images|pics"
    r"|(?:all|each|every|any)(?: of)?(?: the| these| those)? (?:two|three|four|\d+|picture|photo|image|one|them)"
    r"|(?:the )?other (?:pictures?|photos?|images?|pics?|ones?)"
    r"|as (?:an? |the |my |its )?(?:style )?(?:reference|inspiration|guide|template|background|backdrop|model|style)"
    r"|for (?:the )?(?:reference|inspiration|style|background)|of the (?:two|three|four|five) \w+s|(?:two|three"
    r"|four) \w+s",
    lead=r"for|in|on|with|from|of|remixbot|bot|ok|okay|so|now|and|then|also|hey|hi|well|maybe|actually|but|about"
    r"|regarding",
    doing="use|take|do|edit|change|pick|choose|want|i|i'd|like|love|need|can|could|you|have",
    only="only|just",
    but="but(?! not least)",
    parted="but|and then|then|and",
    goes_on=r"'s|is|are|should|needs?|looks?|has|must|could|can|was|were|would|will|to be|does|feels?|seems?",
    within="in|of|from|within|inside",
    instead={"": "it", "within": "the picture", "'s": "its"},
    bare=r"(?P<article>the(?: very)?|my|your) (?!middle )",  # where something stands in a picture
    figures=True,
)
_GERMAN = _tongue(
    ordinals="erst;zweit;dritt;viert;funft;sechst;siebt;acht;neunt;zehnt",
    last="letzt;vorletzt",
    middle="mittler",
    ending="(?:e|en|es|er|em)",
    figured=r"\d{1,2} \.",
    articles="das|die|der|den|dem|im|beim|vom|zum|mein|dein",
    nouns="bild|foto|aufnahme|bildchen|version|variante|variation|panel|ergebnis",
    after=r"aber|bitte|den|die|das|dem|alles|und|dann|nur|als|soll|sollte|muss|ist|wird|sieht|zu|um|ohne|mehr|weniger"
    r"|ein|eine|einen|auch"
    r"|wieder|noch|etwas|viel|ganz|in|ins|auf|auch|nach|mit(?! de)|im(?! (?:hintergrund|vordergrund))|bei|\d+ (?:grad"
    r"|°|%)",
    like=r"schwarz|weiss|schwarzweiss|rot|grun|blau|gelb|rosa|grau|bunt|bunter|farbig|heller|dunkler|warmer|kalter"
    r"|scharfer|weicher|grosser|kleiner|quadratisch|rund|quer|hoch|transparent|unscharf|lustiger|schoner|hubscher"
    r"|sepia",
    also="und|ein bisschen|bisschen",
    please="bitte|danke",
    verbs="zuschneiden|drehen|spiegeln|aufhellen|machen|mach|schneide|dreh|drehe|spiegle|spiegele|entferne",
    place=r"von (?:links|rechts|oben|unten)|(?:links|rechts|oben|unten)|an der wand|in der reihe",
    unlike=r"(?:wie|als|ausser|nicht|ohne|statt|anstelle von|nach|neben|hinter|vor|zwischen|unter|uber|gegen|jedes"
    r"|jede|kein"
    r"|entferne|entfern|losche|losch|ersetze|ersetz|tausche|tausch|losche|behalte|behalt|lass|fuge|kombiniere|(?:stil"
    r"|look"
    r"|farben|stimmung|gesicht|(?:mit|nimm) (?:den|dem) hintergrund) (?:von|aus)|(?<![.,:] )mit|(?:ihn|sie|es) (?:in"
    r"|auf|zu))",
    apart=r"kombinier\w*|misch\w*|vertausch\w*|tausch\w*|zusammen\w*|beide\w*|alle (?:bilder|fotos)|anderen"
    r"|nebeneinander|collage"
    r"|bilder|fotos|ubrigen|vergleich\w*|im stil (?:von|des|der) (?:bild|foto)|als (?:vorlage|referenz|hintergrund"
    r"|stil)",
    lead="bei|beim|auf|in|mit|fur|ok|okay|also|und|jetzt|dann|ja",
    doing="nimm|benutze|benutz|verwende|ich|mochte|will|hatte|gern|gerne|mach|mache",
    only="nur|bloss|lediglich",
    but="aber",
    parted="aber|und dann|dann|und",
    goes_on="soll|sollte|muss|ist|war|wird|sieht|hat|konnte|braucht",
    within="in|auf|bei|von|aus|mit",
    instead={
        "": "das Bild",
        "within": "dem Bild",
        "dem": "dem Bild",
        "im": "im Bild",
        "beim": "beim Bild",
        "vom": "vom Bild",
        "zum": "zum Bild",
    },
)
_SPANISH = _tongue(
    ordinals="primer;segund;tercer;cuart;quint;sext;septim;octav;noven;decim",
    last="ultim;penultim",
    middle="",
    ending="(?:o|a|)",
    figured=r"\d{1,2}(?:a|o)?",
    articles="la|el|del|al",
    nouns="foto|imagen|fotografia|version|variante|variacion|opcion|vineta",
    after=r"y|pero|solo|con(?! (?:el|la))|como|en(?! (?:el|la))|a|mas|menos|por|esta|debe|deberia|es|sin|una?|tambien"
    r"|mucho"
    r"|muy|para|un poco|\d+ (?:grados|°|%)",
    like=r"blanco|negro|roj[oa]|azul|verde|amarill[oa]|gris|oscur[oa]|clar[oa]|brillante|cuadrad[oa]|grande"
    r"|pequen[oa]|mejor"
    r"|borros[oa]|nitid[oa]|transparente|sepia|horizontal|vertical",
    also="y|un poco",
    please="por favor|porfa|gracias",
    verbs="recorta|recortar|gira|girar|haz|pon|quita|aclara|oscurece|voltea",
    place=r"(?:de|desde|a|por) (?:la )?(?:izquierda|derecha)|de (?:la|el|los|las) \w+|del \w+",
    unlike=r"(?:como|que|no|sin|excepto|salvo|menos|una|un|otra|cada|quita|borra|elimina|reemplaza|sustituye|cambia"
    r"|deja|anade"
    r"|agrega|combina|mezcla|junta|entre|junto a|detras de|(?:(?:estilo|colores|look)|(?:usa|con|pon"
    r"|toma) el fondo) (?:de|en)|igual que"
    r"|(?<![.,:] )con|(?:ponlo|ponla|ponle) (?:en|a))",
    apart=r"combina\w*|mezcla\w*|intercambi\w*|junt[ao]\w*|ambas|todas|otras|otra|collage|fotos|imagenes|compara\w*"
    r"|como (?:referencia|fondo|estilo|modelo)|estilo de|(?:pon|mete|coloca|pega|anade|agrega) (?:a |al |el |la |los "
    r"|las |lo )"
    r"(?!segund|primer|tercer|cuart|quint|ultim|foto|imagen)[\w ]{1,40} en",
    lead="en|para|con|de|ok|ahora|y|entonces",
    doing="usa|toma|coge|quiero|edita|haz",
    only="solo|solamente|unicamente",
    but="pero",
    parted="pero|y luego|luego|y",
    goes_on="esta|debe|deberia|es|era|tiene|necesita|queda",
    within="(?!)",
    instead={"": "la imagen", "del": "de la imagen", "al": "a la imagen"},
)
_FRENCH = _tongue(
    ordinals="premier;deuxieme second;troisieme;quatrieme;cinquieme;sixieme;septieme;huitieme;neuvieme;dixieme",
    last="dernier derniere;avant_dernier avant_derniere",
    middle="",
    ending="(?:e|)",
    figured=r"\d{1,2}(?:ere|er|re|eme|e|nde|nd)?",
    articles="la|le|du|au",
    nouns="photo|image|version|variante|variation|option|case",
    after=r"et|mais|en|avec(?! (?:la|le))|comme|plus|moins|est|doit|devrait|sans|une?|aussi|un peu|tres|a|au|pour"
    r"|dans un"
    r"|\d+ (?:degres|°|%)",
    like=r"noire?|blanc|blanche|rouge|bleue?|verte?|jaune|grise?|rose|sombre|claire?|carree?|grande?|petite?|floue?"
    r"|nette?"
    r"|transparente?|sepia|horizontale?|verticale?",
    also="et|un peu|plus|moins",
    please="s'il te plait|s'il vous plait|stp|svp|merci",
    verbs="recadre|recadrer|tourne|tourner|mets|fais|rends|enleve|eclaircis|assombris",
    place=r"(?:a|de|depuis|en partant de) (?:la )?(?:gauche|droite)|en partant|de (?:la|l'\w+)|du \w+|des \w+",
    unlike=r"(?:comme|que|pas|sans|sauf|une?|autre|chaque|enleve|supprime|efface|retire|remplace|garde|laisse|ajoute"
    r"|combine"
    r"|melange|fusionne|echange|entre|a cote de|derriere|(?:(?:style|couleurs|look)|(?:utilise|avec|mets"
    r"|prends) le fond) (?:de)?|(?<![.,:] )avec)",
    apart=r"combine\w*|melange\w*|fusionne\w*|echange\w*|ensemble|toutes|autres?|les deux|collage|photos|images"
    r"|compare\w*"
    r"|comme (?:reference|fond|style|modele)|style de|(?:mets|met|place|pose|ajoute|colle) (?:le |les |l'|la )"
    r"(?!second|premier|deuxieme|troisieme|quatrieme|cinquieme|dernier|photo|image)[\w' ]{1,40} (?:sur|dans)",
    lead="sur|dans|pour|avec|de|ok|maintenant|et|alors",
    doing="utilise|prends|prend|je|veux|voudrais|fais",
    only="seulement|juste|uniquement",
    but="mais",
    parted="mais|et puis|puis|et",
    goes_on="est|doit|devrait|etait|a l'air|a besoin",
    within="(?!)",
    instead={"": "l'image", "du": "de l'image", "au": "à l'image"},
)
_UKRAINIAN = _tongue(
    ordinals="перш;друг;трет;четверт;п'ят;шост;сьом;восьм;дев'ят;десят",
    last="останн;передостанн",
    middle="",
    ending="(?:а|е|ии|у|оі|ого|ому|іи|им|ою|я|є|ю|ьоі|ього|ьому|ім|ьою)",
    figured=r"\d{1,2} (?:га|ге|гу|ге|ша|ше|шу|тя|тє|тю|та|те|ту|и|а|е|у)",
    articles="оце|ось|це|цю|ту|ця|та",
    nouns=r"фото|фотку|фотка|фотці|картинк[аиу]|картинці|зображенн[яі]|світлин[аиуі]|знімок|знімку|фотографі[яюі]\w?"
    r"|малюнок|малюнку|версі[яюі]\w?|варіант\w?|кадр\w?",
    after=r"але|і|та|и|в|у(?! )|як|має|повинн\w+|без|до|ще|більш|менш|трохи|теж|також|зі?(?= \w)"
    r"|\w{2,14}(?:іш|ш)\w{1,4}"
    r"|(?:чорно |чорн)\w*(?:им|ою)|\w{3,14}(?:ою|им|еною)|квадрат\w*|на \d+",
    like=r"чорно|чорн\w+|біл\w+|червон\w+|син\w+|темн\w+|світл\w+",
    also="і|та|и",
    please="будь ласка|дякую|прошу",
    verbs="обріж|поверни|зроби|додай|прибери|розмий|освітли",
    place="зліва|справа|ліворуч|праворуч|зверху|знизу|в ряду",
    unlike=r"(?:як|ніж|не|без|крім|окрім|замість|кожн\w+|інш\w+|мого|моєі|твого|прибери|видали|зітри|заміни|поміняи"
    r"|залиш|додаи"
    r"|поєднаи|змішаи|між|біля|поруч з|за|стил[іьюя]\w?|кольори|обличчя)",
    apart=r"поєдна\w*|зміша\w*|обміня\w*|поміня\w*|разом|обидв\w+|усі|всі|інш\w+|колаж|порівня\w*|стил[іьюя]\w? (?:з"
    r"|перш|друг|трет)",
    lead="на|у|в|для|з|ок|тепер|і|та|и",
    doing="візьми|використаи|хочу",
    only="лише|тільки|лиш",
    but="але",
    parted="але|а потім|потім|і|та|и",
    goes_on="має|повинн\\w+|був|була|було|виглядає",
    within="(?!)",
    instead={"": "фото"},
    bare=r"(?!друга )",  # also a friend
)
_TONGUES = (_ENGLISH, _GERMAN, _SPANISH, _FRENCH, _UKRAINIAN)
