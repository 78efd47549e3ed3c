"""What a file's credentials say, as plain values for whoever asks. The file is a stranger's: nothing in it is believed
longer than it is checked, nothing that it names is asked for, and its texts come out short and without tricks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from bot.domain.digital_source import VOCABULARY
from bot.labels.credentials.library import Anchors, LibraryError, TooSlow, read_report, within
from bot.labels.credentials.manifest import LeftOut
from bot.labels.credentials.reasons import Reason, failure_codes, reasons
from bot.labels.credentials.store import is_endless, manifest_store, media_type_of
from bot.labels.credentials.values import entries, mapping, mappings, moment, text

MAX_FILE_BYTES = 64_000_000
MAX_STORE_BYTES = 2_000_000
"""Of the manifests in a file. Real ones have some hundred kilobytes, thumbnails included."""
READING_S = 10.0
MAX_DEPTH = 12
MAX_INGREDIENTS = 200
"""Of all manifests together. What lies beyond is counted as cut."""
MAX_ACTIONS = 100
"""Of one manifest."""
_MAX_CODES = 20


class State(StrEnum):
    TRUSTED = "trusted"
    """Intact, and signed by somebody whom we know."""
    VALID = "valid"
    """Intact; the signer is unknown to us."""
    INVALID = "invalid"
    """Something is wrong with it: see the reasons."""
    UNREADABLE = "unreadable"
    """There is something in the file, but nobody can read it."""
    REMOTE = "remote"
    """The file only says where its credentials are. Nobody has looked there."""


class CannotRead(Exception):
    """Nothing can be said of this file. `why` is "kind", "size", "slow" or "broken"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Action:
    """`verb` as in C2PA ("c2pa.edited"); `source_type` the IPTC's bare term. `at` is the signer's word, unproven.

    `attributed` says that the signer stands for it (a *created* assertion), and has not only passed it on.
    """

    verb: str
    source_type: str = ""
    agent: str = ""
    at: datetime | None = None
    attributed: bool = False
    has_synthid: bool = False
    """It says that it put Google's invisible mark into the picture."""


@dataclass(frozen=True, slots=True)
class Source:
    """An ingredient: what was found wrong with it when it went in, or since, and what it says of itself."""

    title: str
    media_type: str
    relation: str
    reasons: tuple[Reason, ...] = ()
    codes: tuple[str, ...] = ()
    left_out: LeftOut | None = None
    manifest: Manifest | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """`signed_at` is what a time-stamp authority says; None without one. `soft_bindings` are (algorithm, value)."""

    signer: str
    signed_at: datetime | None
    generator: str
    title: str
    actions: tuple[Action, ...] = ()
    ingredients: tuple[Source, ...] = ()
    soft_bindings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """`codes` are C2PA's own for what failed. `cut` says that there was more than is told here."""

    state: State
    reasons: tuple[Reason, ...] = ()
    codes: tuple[str, ...] = ()
    manifest: Manifest | None = None
    cut: bool = False

    @property
    def sources(self) -> Iterator[Source]:
        """All ingredients, of all manifests, from the latest on."""
        waiting = [self.manifest]
        while waiting:
            manifest = waiting.pop()
            for source in manifest.ingredients if manifest else ():
                yield source
                waiting.append(source.manifest)


def read(data: bytes, anchors: Anchors, *, limit_s: float = READING_S) -> Credentials | None:
    """What the credentials in a PNG, JPEG or WebP say; None where it has none. Blocks for milliseconds.

    Raises `CannotRead`, and nothing else, whatever the bytes are.
    """
    media_type = media_type_of(data)
    if media_type is None:
        raise CannotRead("kind")
    if len(data) > MAX_FILE_BYTES:
        raise CannotRead("size")
    if is_endless(data):
        raise CannotRead("size")
    store = manifest_store(data)
    if len(store) > MAX_STORE_BYTES:
        return Credentials(State.UNREADABLE)
    try:
        report = within(limit_s, lambda: read_report(data, media_type, anchors))
    except TooSlow:
        raise CannotRead("slow") from None
    except LibraryError as error:
        return _unread(error.kind, bool(store))
    return _told(report)


def _unread(kind: str, has_store: bool) -> Credentials | None:
    match kind:
        case "Remote" | "RemoteManifest":
            return Credentials(State.REMOTE)
        case _ if has_store:
            return Credentials(State.UNREADABLE)
        case "ManifestNotFound":
            return None
        case _:
            raise CannotRead("broken")


_STATES: Final = {"Trusted": State.TRUSTED, "Valid": State.VALID}


def _told(report: dict[str, Any]) -> Credentials:
    results = mapping(report.get("validation_results"))
    codes = failure_codes(results) or _older_codes(report)
    telling = _Telling(mapping(report.get("manifests")), _later_failures(results))
    manifest = telling.manifest(report.get("active_manifest"))
    state = _STATES.get(str(report.get("validation_state")), State.INVALID)
    if manifest is None:
        return Credentials(State.UNREADABLE, reasons(codes), _shortened(codes))
    return Credentials(state, reasons(codes), _shortened(codes), manifest, cut=telling.cut)


class _Telling:
    """One walk through the manifests of a file, with what is left of its bounds."""

    def __init__(self, manifests: dict[str, Any], later: dict[str, tuple[str, ...]]) -> None:
        """`later` has the codes of what failed in ingredients when the file was read, by their addresses."""
        self._manifests = manifests
        self._later = later
        self._left = MAX_INGREDIENTS
        self.cut = False

    def manifest(self, label: object, depth: int = 0) -> Manifest | None:
        found = mapping(self._manifests.get(label)) if isinstance(label, str) else {}
        if not found:
            return None
        signed = mapping(found.get("signature_info"))
        assertions = mappings(found.get("assertions"))
        return Manifest(
            signer=text(signed.get("issuer")) or text(signed.get("common_name")),
            signed_at=moment(signed.get("time")),
            generator=_generator(found),
            title=text(found.get("title")),
            actions=self._actions(assertions),
            ingredients=tuple(self._ingredients(str(label), mappings(found.get("ingredients")), depth)),
            soft_bindings=tuple(_soft_bindings(assertions)),
        )

    def _ingredients(self, label: str, listed: list[dict[str, Any]], depth: int) -> Iterator[Source]:
        for entry in listed:
            if self._left <= 0:
                self.cut = True
                return
            self._left -= 1
            yield self._source(label, entry, depth)

    def _source(self, label: str, entry: dict[str, Any], depth: int) -> Source:
        address = f"self#jumbf=/c2pa/{label}/c2pa.assertions/{entry.get('label')}"
        recorded = failure_codes(entry.get("validation_results")) or _older_codes(entry)
        codes = tuple(dict.fromkeys((*recorded, *self._later.get(address, ()))))
        within_bounds = depth + 1 < MAX_DEPTH
        known = entry.get("active_manifest")
        self.cut |= known is not None and not within_bounds
        description = entry.get("description")
        return Source(
            title=text(entry.get("title")),
            media_type=text(entry.get("format")),
            relation=text(entry.get("relationship")),
            reasons=reasons(codes),
            codes=_shortened(codes),
            left_out=LeftOut(description) if description in list(LeftOut) else None,
            manifest=self.manifest(known, depth + 1) if within_bounds else None,
        )

    def _actions(self, assertions: list[dict[str, Any]]) -> tuple[Action, ...]:
        named = (each for each in assertions if str(each.get("label")).startswith("c2pa.actions"))
        actions = [
            _action(action, attributed=each.get("created") is True)
            for each in named
            for action in mappings(mapping(each.get("data")).get("actions"))
        ]
        self.cut |= len(actions) > MAX_ACTIONS
        return tuple(actions[:MAX_ACTIONS])


_SYNTHID: Final = "synthid"


def _action(action: dict[str, Any], *, attributed: bool) -> Action:
    agent = action.get("softwareAgent")
    return Action(
        verb=text(action.get("action")),
        source_type=text(action.get("digitalSourceType")).removeprefix(VOCABULARY),
        agent=text(mapping(agent).get("name")) or text(agent),
        at=moment(action.get("when")),
        attributed=attributed,
        has_synthid=_SYNTHID in text(action.get("description")).lower(),
    )


def _soft_bindings(assertions: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for each in assertions:
        if each.get("label") == "c2pa.soft-binding":
            data = mapping(each.get("data"))
            for block in mappings(data.get("blocks"))[:MAX_ACTIONS]:
                yield text(data.get("alg")), text(block.get("value"))


def _generator(manifest: dict[str, Any]) -> str:
    first = next(iter(entries(manifest.get("claim_generator_info"))), None)
    return text(mapping(first).get("name")) or text(manifest.get("claim_generator"))


def _later_failures(results: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for delta in mappings(results.get("ingredientDeltas")):
        codes = failure_codes({"activeManifest": delta.get("validationDeltas")})
        if codes:
            found[str(delta.get("ingredientAssertionURI"))] = codes
    return found


def _older_codes(entry: dict[str, Any]) -> tuple[str, ...]:
    """As files of earlier versions of the standard list what failed."""
    listed = (each.get("code") for each in mappings(entry.get("validation_status")))
    return tuple(code for code in listed if isinstance(code, str))


def _shortened(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text(code) for code in codes[:_MAX_CODES])
