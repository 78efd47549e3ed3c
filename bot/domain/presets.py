"""Presets: recipes that ship. Each is one tap for somebody who has never told an image model anything.

The words ask to keep who is in the picture recognisable, because that is what people look for first. No preset names a
size: all are made in the usual one, so that none costs more than any other edit.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from bot.domain.formats import ratio_in, size_in
from bot.domain.language import LANGUAGES, N_, catalog, tr
from bot.domain.plain import plain_of
from bot.domain.wishes import PLAIN_WISH, Kind, Wish

MOST_TITLE_CHARS: Final = 24
MOST_OWN_CHARS: Final = 300
"""So much of what somebody adds is followed."""

SHEET_WORDS: Final = N_(
    "Tap one, or reply with its number. The pictures here are drawn as examples, not made by a model."
)
NO_SUCH_PRESET: Final = N_("I know no preset called “{name}”. /presets shows all of them.")


@dataclass(frozen=True, slots=True)
class Preset:
    """`words` are the whole instruction. `own` weaves in what somebody adds (`{words}`), where it is more than a wish
    that stands behind: the title of a poster, which is lettering then. `alone` is the instruction where there is no
    picture, only such words; empty where it needs a picture. `hint` says what the own words are."""

    key: str
    title: str
    words: str
    wish: Wish = PLAIN_WISH
    aliases: tuple[str, ...] = ()
    own: str = ""
    hint: str = ""
    alone: str = ""
    lettered: bool = False


_LIKENESS = "Keep the face and all that makes the subject recognisable."

PRESETS: Final[tuple[Preset, ...]] = (
    Preset(
        "figurine",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Figurine"),
        "Turn the main subject into a collectible figurine of painted plastic, standing on a round clear base on a "
        f"desk, with its printed box behind it. {_LIKENESS}",
        Wish(ratio="4:5"),
        ("figure", "action figure", "figur", "sammelfigur", "figura", "手办", "フィギュア", "фігурка"),
    ),
    Preset(
        "restored",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Old photo restored"),
        "Restore this old photograph: mend scratches, creases and stains, take out the fading, and colour it as it may "
        "have looked on the day. Keep every face, pose and piece of clothing exactly as it is.",
        aliases=(
            "restore", "old photo", "repair", "colourise", "colorize", "altes foto", "restaurieren", "foto antigua",
            "restaurar", "老照片修复", "古い写真", "старе фото", "відновити",
        ),
    ),
    Preset(
        "eighties",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("1980s portrait"),
        "Make this a studio portrait from the 1980s: big hair, bold knitwear, soft focus, and a backdrop of blue and "
        f"purple laser beams. {_LIKENESS}",
        Wish(ratio="4:5"),
        ("80s", "1980s", "80er", "años 80", "80年代", "80-ті"),
    ),
    Preset(
        "sticker",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Sticker, white edge"),
        "Make the main subject a die-cut sticker in flat, cheerful colours with clean outlines and a thick white edge "
        f"all around it, and nothing behind it. {_LIKENESS}",
        Wish(ratio="1:1", transparent=True),
        ("aufkleber", "pegatina", "autocollant", "贴纸", "ステッカー", "стікер", "наліпка"),
    ),
    Preset(
        "avatar",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Avatar"),
        "Make a friendly avatar of the main subject: head and shoulders, centred, softly lit, painted in a polished "
        f"illustration style on a plain colourful ground that looks good in a small circle. {_LIKENESS}",
        Wish(ratio="1:1"),
        ("profile picture", "pfp", "profilbild", "foto de perfil", "头像", "アバター", "アイコン", "аватар"),
    ),
    Preset(
        "poster",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Poster with a title"),
        "Turn this into a striking film poster with dramatic light, a strong composition and a large, well set title. "
        f"{_LIKENESS} Where no title is given, choose a short one that fits what is shown.",
        Wish(ratio="2:3"),
        ("film poster", "movie poster", "plakat", "filmplakat", "cartel", "affiche", "海报", "ポスター", "плакат"),
        own="The title reads “{words}”.",
        hint="TITLE",
        lettered=True,
    ),
    Preset(
        "infographic",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Infographic"),
        "Make a clear infographic that explains what this picture shows: the subject in the middle, four to six short "
        "labelled facts around it with thin lines to the parts that they are about, and a heading.",
        Wish(ratio="3:4"),
        ("infografik", "infografía", "infographie", "信息图", "インフォグラフィック", "інфографіка"),
        own="It is about this: {words}.",
        hint="TOPIC",
        alone="Make a clear infographic about this: {words}. Four to six short labelled facts with simple drawings, "
        "thin lines to the parts that they are about, and a heading.",
    ),
    Preset(
        "room",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Room redesigned"),
        "Furnish and decorate this room anew in a warm modern style: better light, plants, textiles, tidy surfaces. "
        "Keep walls, windows, doors and the point of view exactly where they are.",
        aliases=("room redesign", "interior", "zimmer", "habitación", "pièce", "房间改造", "部屋", "кімната"),
        own="The style is: {words}.",
        hint="STYLE",
    ),
    Preset(
        "storyboard",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Storyboard"),
        "Draw a storyboard page of six frames in pencil with a touch of colour that tells what may happen next to who "
        f"or what is shown here, with changing camera distances. {_LIKENESS}",
        Wish(ratio="16:9"),
        ("story board", "guion gráfico", "分镜", "絵コンテ", "розкадрування"),
        own="This is what happens: {words}.",
        hint="WHAT HAPPENS",
        alone="Draw a storyboard page of six frames in pencil with a touch of colour, with changing camera distances. "
        "This is what happens: {words}.",
    ),
    Preset(
        "hologram",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Hologram"),
        "Show the main subject as a glowing blue-green hologram of fine light lines that stands above a small "
        f"projector in a dark room, slightly see-through, with faint scan lines. {_LIKENESS}",
        Wish(ratio="4:5"),
        ("holo", "hologramm", "holograma", "hologramme", "全息", "ホログラム", "голограма"),
    ),
    Preset(
        "wood",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Carved in wood"),
        "Show the main subject carved in relief from a single block of walnut, with visible grain and the marks of the "
        f"chisel, lit from the side. {_LIKENESS}",
        aliases=("wood texture", "wooden", "holz", "madera", "bois", "木雕", "木彫り", "дерево"),
    ),
    Preset(
        "knitted",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Knitted"),
        "Make everything in this picture of knitted wool, with even stitches, soft fuzz and a few loose ends, as if it "
        f"stood on a table as a handmade piece. {_LIKENESS}",
        aliases=("knit", "wool", "gestrickt", "tejido", "tricot", "针织", "ニット", "編み物", "в'язане"),
    ),
    Preset(
        "jigsaw",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Jigsaw puzzle"),
        "Show this picture as a printed jigsaw puzzle on a wooden table, nearly finished, with a few pieces lying "
        "beside it. The picture on the puzzle stays as it is.",
        aliases=("puzzle", "rompecabezas", "拼图", "ジグソーパズル", "пазл"),
    ),
    Preset(
        "plush",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Stuffed toy, alive"),
        "Bring the stuffed animal or toy in this picture to life: the same colours, markings and expression, now a "
        "living, breathing creature with real fur and bright eyes in the same place and light.",
        aliases=(
            "stuffed animal", "stuffed toy", "teddy", "kuscheltier", "stofftier", "peluche", "毛绒玩具", "ぬいぐるみ",
            "м'яка іграшка",
        ),
    ),
    Preset(
        "card",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Birthday card"),
        "Make a birthday card of this: the subject in a party hat, balloons and confetti around it, a warm hand-drawn "
        f"frame and room for the greeting “Happy birthday”. {_LIKENESS}",
        Wish(ratio="3:4"),
        (
            "birthday", "birthday card", "geburtstag", "geburtstagskarte", "cumpleaños", "anniversaire", "生日贺卡",
            "誕生日カード", "листівка",
        ),
        own="The greeting reads “{words}” instead.",
        hint="GREETING",
        lettered=True,
    ),
    Preset(
        "blueprint",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Blueprint to rendering"),
        "Turn this plan, sketch or blueprint into a photographic rendering of the finished thing, with believable "
        "materials and daylight. Keep all proportions, openings and the point of view as drawn.",
        aliases=("rendering", "render", "bauplan", "plano", "plan", "蓝图", "設計図", "креслення"),
    ),
    Preset(
        "manga",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Manga page"),
        "Draw this as one black and white manga page of three or four panels with screentone, speed lines and a large "
        f"panel of the main subject. {_LIKENESS}",
        Wish(ratio="2:3"),
        ("漫画", "マンガ", "манґа", "манга"),
        own="This is what happens: {words}.",
        hint="WHAT HAPPENS",
    ),
    Preset(
        "comic",
        # TRANSLATORS: the title of a ready-made look, on a button and under a small example; at most 24 characters
        N_("Comic"),
        "Redraw this picture as a panel of a classic comic book with bold ink outlines, flat colours and halftone "
        f"dots. {_LIKENESS}",
        aliases=("cartoon", "pop art", "cómic", "bd", "bande dessinée", "アメコミ", "комікс"),
    ),
)  # fmt: skip
"""In the order in which they are numbered, from 1."""


def titled() -> tuple[Preset, ...]:
    """All of them, with their titles in the language that is spoken."""
    return tuple(replace(preset, title=tr(preset.title)) for preset in PRESETS)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A preset, and what somebody added to it in their own words."""

    preset: Preset
    more: str = ""


def read_preset(text: str) -> Chosen | None:
    """“figurine”, “7”, “poster: Summer fair”: one of them by its number or any of its names, and the words behind.
    None where the text begins with none of them."""
    said = " ".join(text.split())
    plain = _plain(said)
    if len(plain) != len(said):  # its letters do not stand one by one for those that were written
        said = plain
    for name, preset in names_of_all().items():  # before numbers: in some languages a name begins with one
        if plain.startswith(name) and _ENDS.match(plain, len(name)):
            return Chosen(preset, _cleaned(said[len(name) :]))
    number = _NUMBER.match(said)
    if number is None or not 1 <= int(number[1]) <= len(PRESETS):
        return None
    return Chosen(PRESETS[int(number[1]) - 1], _cleaned(said[number.end() :]))


def preset_named(name: str) -> Preset | None:
    """The one that is called exactly so."""
    return names_of_all().get(_plain(" ".join(name.split())))


def words_of(chosen: Chosen) -> str:
    """The whole instruction."""
    preset, more = chosen.preset, chosen.more
    if not more:
        return preset.words
    return f"{preset.words} {preset.own.format(words=_unquoted(more)) if preset.own else more}"


def words_alone(chosen: Chosen) -> str:
    """The instruction without any picture; empty where it needs one."""
    return chosen.preset.alone.format(words=_unquoted(chosen.more)) if chosen.preset.alone and chosen.more else ""


def wish_of(chosen: Chosen, *, alone: bool = False) -> Wish:
    """Its own, but for a shape or a size that the added words name."""
    wish, more = chosen.preset.wish, chosen.more
    plain = plain_of(more)
    lettering = (_unquoted(more),) if chosen.preset.lettered and more else ()
    return replace(
        wish,
        kind=Kind.IMAGINE if alone else wish.kind,
        ratio=ratio_in(plain) or wish.ratio,
        size="" if lettering else size_in(plain),
        lettering=lettering,
    )


_NUMBER = re.compile(r"([0-9]{1,2})(?=$|[\s.:,)：，、])")
_ENDS = re.compile(r"$|[\s:,.：，、。]")
_AROUND = " \t:,.-–：，、。"
_QUOTES = "\"'“”„‘’«»「」"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _cleaned(more: str) -> str:
    return more.lstrip(_AROUND).strip()[:MOST_OWN_CHARS]


def _unquoted(text: str) -> str:
    """Without quotation marks around it or in it, and without the full stop that follows anyway."""
    return "".join(" " if letter in "“”" else letter for letter in text.strip(_QUOTES)).strip(" .") or text


@cache
def names_of_all() -> dict[str, Preset]:
    """By all that people call them: titles in every language, whichever is spoken. What is English, or an alias, is
    never taken by another's title."""
    found = {_plain(name): preset for preset in PRESETS for name in (preset.key, preset.title, *preset.aliases)}
    for language in LANGUAGES:
        for preset in PRESETS:
            found.setdefault(_plain(catalog(language).gettext(preset.title)), preset)
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))  # the longer before what it begins with
