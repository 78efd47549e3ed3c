"""An operator's folder: pictures, and in text files beside them what is to be done to each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import BadRequest

COMMON = "instructions.txt"
"""Its lines apply to every picture."""
PICTURE_ENDINGS = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".gif", ".tif", ".tiff", ".bmp")
)
EDITS, FROM_WORDS = "edits", "from words"
"""The kinds of task that have no tag of their own."""

_MOST_TEXT_BYTES = 2**20
_TAGGED = re.compile(r"\[([^\[\]]{1,40})\]\s*(.*)")


@dataclass(frozen=True, slots=True)
class Task:
    """One instruction for one picture, or for none. `kind` is its tag ("lettering"), by which results are grouped."""

    instruction: str
    kind: str
    picture: Path | None = None

    @property
    def name(self) -> str:
        return self.picture.name if self.picture else "words alone"


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in a folder. `left_out` are pictures that nothing is asked of."""

    tasks: tuple[Task, ...]
    left_out: tuple[Path, ...] = ()


def read_folder(folder: Path) -> Contents:
    """Each picture with the lines of its own text and the common ones, in the order of their names.

    Raises `BadRequest` where the folder, or a text in it, cannot be used.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError:
        raise BadRequest(f"I could not open the folder {folder}. Please check its name.") from None
    pictures = [path for path in files if path.suffix.lower() in PICTURE_ENDINGS]
    texts = [path for path in files if path.suffix.lower() == ".txt" and path.name.lower() != COMMON]
    common = [line for path in files if path.name.lower() == COMMON for line in _lines(path)]
    stems = {path.stem for path in pictures}
    own = {path.stem: list(_lines(path)) for path in texts}
    asked = {picture: [*own.get(picture.stem, ()), *common] for picture in pictures}
    tasks = [Task(words, kind or EDITS, picture) for picture, lines in asked.items() for kind, words in lines]
    tasks += [
        Task(words, kind or FROM_WORDS) for path in texts if path.stem not in stems for kind, words in own[path.stem]
    ]
    if not tasks:
        raise BadRequest(_what_is_missing(folder, pictures=bool(pictures), common=bool(common)))
    return Contents(_each_once(tasks), tuple(picture for picture, lines in asked.items() if not lines))


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """The tag (empty where there is none) and the words of each line."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_TEXT_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise BadRequest(f"I could not read {path.name}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadRequest(f"{path.name} is not plain text. Please save it as text in UTF-8.") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        found = _TAGGED.fullmatch(line.strip())
        kind, words = (found[1].strip().lower(), found[2]) if found else ("", line.strip())
        if not words:
            raise BadRequest(f"Line {number} of {path.name} has a tag and no instruction. Please write one behind it.")
        yield kind, words


def _each_once(tasks: list[Task]) -> tuple[Task, ...]:
    """The same words for the same picture are one task, whatever their tags: the first one's stays."""
    return tuple({(task.picture, task.instruction): task for task in reversed(tasks)}.values())[::-1]


def _what_is_missing(folder: Path, *, pictures: bool, common: bool) -> str:
    if pictures:
        return (
            f"There are pictures in {folder}, and nothing says what to do with them. Write {COMMON} beside them, "
            "with one instruction per line."
        )
    if common:
        return f"{COMMON} goes with pictures, and there are none in {folder}. Please put some beside it."
    return (
        f"There is nothing to try in {folder}. Put pictures into it, and {COMMON} beside them with one instruction per "
        "line."
    )
