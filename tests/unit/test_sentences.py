"""The sentences that people read: marked where they are said, and there in every language, within their limits."""

from __future__ import annotations

import ast
import gettext
import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel import Locale
from babel.messages.catalog import Message

from bot.domain import language
from bot.domain.language import (
    CATALOG,
    LANGUAGES,
    accepted_language,
    catalog,
    language_of,
    listed,
    speaking,
    spoken,
    tr,
)
from bot.domain.presets import _LIKENESS as LIKENESS
from bot.engines.exact.reading import read
from bot.engines.exact.suggestions import suggestions_for
from bot.engines.gemini.failures import OPERATOR_WORDS
from tests.catalogs import OTHERS, PAGE, ROOT, compiled, extracted, forms, is_translated, kept, messages

DOMAINS = (CATALOG, PAGE)
EVERY = [(language, domain) for language in OTHERS for domain in DOMAINS]
_LIMIT = re.compile(r"at most (\d+) characters")
_COMMAND = re.compile(r"(?<![\w.:/])/[a-z]{2,}")


def shown(message: Message) -> str:
    return f"{message.context or ''} {forms(message.id)[0]!r}"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


# --- the catalogs


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("spoken_in", OTHERS)
def test_every_sentence_has_words_in_every_language(spoken_in: str, domain: str) -> None:
    said = {(forms(each.id), each.context) for each in messages(extracted(domain))}
    there = {(forms(each.id), each.context): each for each in messages(kept(spoken_in, domain))}
    assert said == set(there), "Mend with: make words"
    assert [shown(each) for each in there.values() if not is_translated(each)] == []


@pytest.mark.parametrize(("spoken_in", "domain"), EVERY)
def test_what_is_shipped_is_what_the_catalogs_say(spoken_in: str, domain: str) -> None:
    path, data = compiled(spoken_in, domain)
    assert path.read_bytes() == data, "Mend with: make words"


@pytest.mark.parametrize(("spoken_in", "domain"), EVERY)
def test_a_translation_keeps_what_is_put_in_and_the_names_of_commands(spoken_in: str, domain: str) -> None:
    wrong: list[str] = []
    for message in messages(kept(spoken_in, domain)):
        wanted = set[str]().union(*map(fields, forms(message.id)))
        for form in forms(message.string):
            spare = {"count"} if len(forms(message.id)) > 1 else set[str]()
            if not wanted - spare <= fields(form) <= wanted:
                wrong.append(f"{shown(message)}: {form!r} has other braces")
            if set(_COMMAND.findall(forms(message.id)[-1])) != set(_COMMAND.findall(form)):
                wrong.append(f"{shown(message)}: {form!r} has other commands")
            if forms(message.id)[0].count("\n") != form.count("\n"):
                wrong.append(f"{shown(message)}: {form!r} has other lines")
    assert wrong == []


@pytest.mark.parametrize(("spoken_in", "domain"), EVERY)
def test_a_translation_is_within_its_limits(spoken_in: str, domain: str) -> None:
    """A limit that is named to translators is a platform's. For all else: what is much longer breaks what is drawn for
    the eye."""
    long: list[str] = []
    for message in messages(kept(spoken_in, domain)):
        named = _LIMIT.search(" ".join(message.auto_comments))
        english = max(len(form) for form in forms(message.id))
        most = int(named[1]) if named else english * 2 + 20
        long += [f"{shown(message)}: {len(form)} of {most}" for form in forms(message.string) if len(form) > most]
    assert long == []


@pytest.mark.parametrize(("spoken_in", "domain"), EVERY)
def test_a_translation_is_as_calm_as_the_english(spoken_in: str, domain: str) -> None:
    loud = [
        form for each in messages(kept(spoken_in, domain)) for form in forms(each.string) if re.search("[!！¡]", form)
    ]
    assert [form for form in loud if "<!" not in form] == []


@pytest.mark.parametrize("spoken_in", OTHERS)
def test_what_is_offered_to_say_is_understood_in_that_language(spoken_in: str) -> None:
    with speaking(spoken_in):
        offered = {
            text for part in ("crop", "rotate", "grey", "text", "frame", "blur") for text in suggestions_for(part, 1)
        }
    assert len(offered) > 10
    with speaking("en"):
        english = {
            text for part in ("crop", "rotate", "grey", "text", "frame", "blur") for text in suggestions_for(part, 1)
        }
    assert not offered & english
    for text in offered:
        assert read(text, images=1)


# --- the sources

_READ_BY_NOBODY = re.compile(
    r"bot/(cli|oneshot|operating|settings|secret_files|app|checkup|top|tide|reconciler|insisting|fonts)\.py"
    r"|bot/evaluation/|bot/sight/|adapters/evaluation/|adapters/sight/"
    r"|bot/labels/(metadata|signing|verify|credentials/)"
    r"|bot/engines/gemini/(prompt|text|models|client|access|safety|wire|fit|notes)\.py|bot/engines/exact/(grammar|words)"
    r"|bot/engines/(looks|cleaning|matte|pixels)\.py|bot/domain/(pointing|imagining|wishes|formats|questions|plain"
    r"|quotes|story|lettering|containers|digital_source|language|refs)\.py"
    r"|adapters/telegram/(polling|webhook|meaning)\.py|adapters/discord/(installing|surroundings)\.py"
)
"""What is read by operators, by a model or by the machine."""
_MARKS = frozenset({"tr", "N_", "ngettext", "pgettext"})
_NOT_SAID = frozenset(
    {"ValueError", "TypeError", "RuntimeError", "KeyError", "TypeVar", "NewType", "compile", "get_logger", "Path"}
    | {"Unavailable", "TooLarge", "TokenExpired", "RuntimeError", "Rejected", "NotConnected", "Preset"}
    | {"debug", "info", "warning", "error", "exception", "note_once", "header", "strftime"}
)
_SENTENCE = re.compile(r"[A-Z][\w'’]* [\w“]|\w [a-z]+ \w+[.:]|^[A-Z][a-z]+( [a-z]+)*\.$")
FINE = frozenset({"The client for Gemini could not be opened. Look at the key or the project, and at certificates."})
FINE |= frozenset(OPERATOR_WORDS.values()) | {
    " Make it ",
    "\nDraw only panel ",
    LIKENESS,
    "Discord's files can't be had now (",
    "Discord refuses DISCORD_TOKEN",
}
"""What looks like a sentence and is said to an operator, or to a model."""


def unmarked(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        said = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if _SENTENCE.search(said) and said not in FINE and not _is_excused(node, parents):
            yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {said[:70]!r}"


def _is_excused(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """A docstring, marked, or where nobody reads it."""
    while node in parents:
        parent = parents[node]
        if isinstance(parent, ast.Expr):
            return True
        if isinstance(parent, ast.Call) and node is not parent.func:
            name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
            if name in _MARKS | _NOT_SAID:
                return True
        node = parent
    return False


def test_no_sentence_is_said_that_is_not_marked() -> None:
    paths = sorted([*(ROOT / "bot").rglob("*.py"), *(ROOT / "adapters").rglob("*.py")])
    read = [path for path in paths if not _READ_BY_NOBODY.search(path.relative_to(ROOT).as_posix())]
    assert len(read) > 100
    assert [found for path in read for found in unmarked(path)] == []


def test_no_sentence_is_said_before_it_is_known_in_which_language() -> None:
    """What is translated while a module is imported would be English for good."""
    early: list[str] = []
    for path in sorted([*(ROOT / "bot").rglob("*.py"), *(ROOT / "adapters").rglob("*.py")]):
        for outer in ast.parse(path.read_text()).body:
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
                continue
            early += [
                f"{path.relative_to(ROOT)}:{node.lineno}"
                for node in at_once(outer)
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _MARKS - {"N_"}
            ]
    assert early == []


def at_once(node: ast.AST) -> Iterator[ast.AST]:
    """It, and what is in it, without what is done later."""
    if not isinstance(node, ast.Lambda):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from at_once(child)


@pytest.mark.parametrize("spoken_in", OTHERS)
def test_the_page_has_the_form_for_whatever_category_a_browser_finds_a_number_in(spoken_in: str) -> None:
    category_of = Locale.parse(spoken_in).plural_form
    words = json.loads(compiled(spoken_in, PAGE)[1])
    there = kept(spoken_in, PAGE)
    form_of = gettext.c2py(there.plural_expr)
    counted = [each for each in messages(there) if isinstance(each.id, tuple)]
    assert counted
    for message in counted:
        said = words[forms(message.id)[0]]
        assert said["other"]
        for number in (0, 1, 2, 3, 5, 11, 12, 21, 22, 25, 100, 101, 111, 1_000_000):
            assert said[category_of(number)] == forms(message.string)[form_of(number)], (number, shown(message))


# --- which language


def test_a_language_is_known_by_the_tags_of_all_platforms() -> None:
    tags = {"zh-hans": "zh", "zh-TW": "zh", "es-419": "es", "de_AT": "de", "uk": "uk", "ja": "ja", "EN-us": "en"}
    assert {tag: language_of(tag) for tag in tags} == tags
    assert [language_of(tag) for tag in ("", "tlh", "x" * 1000, "d", "deu", "ukulele")] == [""] * 6
    assert language_of("tlh", "pt-BR", "es") == "es"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("fr, uk;q=0.5, en;q=0.7", "en"),
        ("en;q=0, ja;q=0.1", "ja"),
        ("en;Q=0.1, de;Q=0.9", "de"),
        ("*", ""),
        ("", ""),
        (";;;q=,de;q=x", ""),
        ("fr", ""),
    ],
)
def test_a_browser_is_answered_in_the_first_language_of_its_list(header: str, wanted: str) -> None:
    assert accepted_language(header) == wanted


def test_a_language_holds_for_its_block_and_no_longer() -> None:
    with speaking("de"):
        with speaking("", "ja-JP"):
            assert spoken() == "ja"
        assert spoken() == "de"
        with speaking("tlh"):
            assert spoken() == "en"
    assert spoken() == "en"


def test_a_sentence_that_no_catalog_has_is_said_in_english() -> None:
    with speaking("de"):
        assert (tr("No catalog has this."), tr("")) == ("No catalog has this.", "")


@pytest.mark.parametrize("spoken_in", LANGUAGES)
def test_names_are_listed_as_the_language_does_it(spoken_in: str) -> None:
    with speaking(spoken_in):
        assert (listed([]), listed(["Anna"])) == ("", "Anna")
        said = listed(["Anna", "Ben", "Cleo"])
    assert re.fullmatch(r"Anna\W+Ben\W+.{0,5}Cleo", said), said


def test_every_language_has_a_catalog_that_can_be_read() -> None:
    assert ("en", *OTHERS) == language.LANGUAGES
    assert len({catalog(each).gettext("Cancelled.") for each in LANGUAGES}) == len(LANGUAGES)
