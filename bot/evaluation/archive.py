"""What an evaluation keeps, beside the pictures it is about: results, so that none is paid for twice, and verdicts.

    .remixbot-eval/
      evaluation.json         the models and tasks of the last run, and the seed of left and right
      sources/<task's picture>.jpg
      results/<key>.json      how one model did one task; <key>.png is what it made
      verdicts.jsonl          one line for each press
      lock                    held while results are made

A result's key is the hash of picture, instruction and model: any change to one of them makes another result.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bot.domain.errors import NotAllowed, RemixError
from bot.domain.images import EXTENSIONS, Picture, Provenance

FOLDER = ".remixbot-eval"
_SCHEMA = 1
_Shape = TypeVar("_Shape")


class State(StrEnum):
    """How a call ended."""

    BEGUN = "begun"
    """It was sent, and nobody was there any more when it came back. It may have been billed."""
    DONE = "done"
    REFUSED = "refused"
    WORDS = "words"
    """It asked back or explained itself, without a picture."""
    NOTHING = "nothing"
    """Neither picture nor words."""
    FAILED = "failed"
    """It was not reached, was too busy, or did not take the request."""


TRIED_AGAIN = frozenset({State.BEGUN, State.NOTHING, State.FAILED})
"""What another run asks for once more."""
NO_PICTURE = frozenset({State.REFUSED, State.WORDS, State.NOTHING})
"""The model answered, and made no picture: it loses against one that did."""


@dataclass(frozen=True, slots=True)
class Job:
    """A task whose picture is known by its hash ("" for none). `source` is that picture's file in the archive, and
    `provenance` what is known of its origin."""

    instruction: str
    kind: str
    name: str
    picture: str = ""
    source: str = ""
    provenance: Provenance = Provenance.UNKNOWN

    @property
    def id(self) -> str:
        return _hash(self.picture, self.instruction)

    def key(self, model: str) -> str:
        return _hash(self.picture, self.instruction, model)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The last run: what is compared. `seed` decides which model stands left."""

    models: tuple[str, str]
    jobs: tuple[Job, ...]
    seed: str


@dataclass(frozen=True, slots=True)
class Result:
    """How one model did one task. `seconds` from the request to the answer; `tries` counts calls, this one included;
    `cost_microusd` is what all of them cost, as far as is known. `words` is why there is no picture."""

    model: str
    state: State
    seconds: float = 0.0
    cost_microusd: int = 0
    maybe_billed: bool = False
    tries: int = 1
    words: str = ""
    media_type: str = ""
    provenance: Provenance = Provenance.UNKNOWN
    made_at: float = 0.0


class Choice(StrEnum):
    """What was pressed."""

    LEFT = "left"
    RIGHT = "right"
    EQUAL = "equal"
    NEITHER = "neither"
    """Both are bad."""
    TAKEN_BACK = "taken back"
    """The one before on this pair does not count."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One press on a pair. `winner` is a model, or empty. `seconds` from both pictures being there to the press."""

    pair: str
    kind: str
    left: str
    right: str
    choice: Choice
    winner: str
    seconds: float
    at: float = 0.0


class Archive:
    """The kept part of one folder. Everything here reads or writes small files: work for a thread."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / FOLDER

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """Only one run makes results. Raises `NotAllowed` when another one does."""
        self._prepare()
        with (self.root / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise NotAllowed(
                    "Another evaluation of this folder is running. Please wait until it is done."
                ) from None
            yield

    def _prepare(self) -> None:
        for folder in (self.root, self.root / "sources", self.root / "results"):
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
            except OSError as error:
                raise RemixError(f"I could not write into {self.root}: {error.strerror}.") from None

    # --- what is compared

    def keep_evaluation(self, models: tuple[str, str], jobs: tuple[Job, ...]) -> Evaluation:
        """What is compared from now on. The seed stays, so that left and right stay where they were."""
        before = self.evaluation()
        kept = Evaluation(models, jobs, before.seed if before else secrets.token_hex(16))
        _write(self.root / "evaluation.json", _json({"schema": _SCHEMA, **asdict(kept)}))
        return kept

    def evaluation(self) -> Evaluation | None:
        """None where nothing was ever run."""
        return _read(self.root / "evaluation.json", Evaluation)

    def keep_source(self, name: str, picture: Picture) -> str:
        """The checked picture of a task, by the hash `name` of the file it came from. Gives its file's name."""
        file = f"{name}.{EXTENSIONS[picture.media_type]}"
        path = self.root / "sources" / file
        if not path.exists():
            _write(path, picture.data)
        return file

    def source(self, job: Job) -> bytes:
        """The picture of a job that has one. Raises `OSError` where it went away."""
        return (self.root / "sources" / job.source).read_bytes()

    # --- results

    def result(self, key: str) -> Result | None:
        return _read(self._result(key), Result)

    def keep_result(self, key: str, result: Result, picture: Picture | None = None) -> None:
        """The picture first: a result that says it is done has one."""
        if picture is not None:
            result = replace(result, media_type=picture.media_type, provenance=picture.provenance)
            _write(self._pixels(key, result), picture.data)
        _write(self._result(key), _json({"schema": _SCHEMA, **asdict(result)}))

    def pixels(self, key: str, result: Result) -> bytes:
        """What was made, where the result is done. Raises `OSError` where it went away."""
        return self._pixels(key, result).read_bytes()

    def _result(self, key: str) -> Path:
        return self.root / "results" / f"{key}.json"

    def _pixels(self, key: str, result: Result) -> Path:
        return self.root / "results" / f"{key}.{EXTENSIONS[result.media_type]}"

    # --- verdicts

    def note_verdict(self, verdict: Verdict) -> None:
        """On the disk when this comes back. Each on lines of its own, so that a torn one harms no other."""
        with (self.root / "verdicts.jsonl").open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"schema": _SCHEMA, **asdict(verdict)}, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def verdicts(self) -> list[Verdict]:
        """Everything that was pressed, oldest first. A torn line is passed over."""
        path = self.root / "verdicts.jsonl"
        found: list[Verdict] = []
        for line in path.read_text("utf-8", errors="replace").splitlines() if path.exists() else ():
            with contextlib.suppress(ValueError):
                found.append(TypeAdapter(Verdict).validate_json(line))
        return found


def hash_of(data: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _read(path: Path, shape: type[_Shape]) -> _Shape | None:
    """None where there is none. Fields that a later version has written are passed over."""
    try:
        return TypeAdapter(shape).validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise RemixError(f"I could not read {path}. Move it away, and it is made anew.") from None


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, also when the power goes."""
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
