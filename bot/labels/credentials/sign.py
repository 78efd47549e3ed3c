"""Signing a file: a manifest goes in, nothing else changes. What went into the picture comes along as ingredients."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.labels.credentials.library import Anchors, Attachment, LibraryError, read_report
from bot.labels.credentials.manifest import Deed, Ingredient, LeftOut, Named, Relation, check, manifest_json
from bot.labels.credentials.reasons import Reason, reasons_of, unsound
from bot.labels.credentials.signer import CannotSign, Signer
from bot.labels.credentials.store import manifest_store, media_type_of
from bot.labels.credentials.values import mapping

MAX_CARRIED_BYTES = 160_000
"""Of all ingredients' manifests together. A turn adds 6 KB to a chain, a time-stamped one 16 KB: ten turns fit.

Compressing them instead would halve that, and take the library 0.3 to 2 s for each signature (measured 2026-11-21).
"""

_KEPT = ("c2pa.actions", "c2pa.hash.", "c2pa.ingredient", "c2pa.soft-binding", "c2pa.time-stamp")
"""How the names of assertions begin that travel on. What others hold is not known: earlier pictures, places, devices,
names, whatever else."""
_PERSONAL = ("c2pa.thumbnail", "c2pa.metadata", "stds.", "cawg.", "adobe.", "com.")
_MAYBE_PERSONAL = tuple(name.encode() for name in (*_PERSONAL, "brob"))
"""In the bytes of a store; a compressed manifest ("brob") shows nothing of itself."""
_MAX_REDACTED = 100


@dataclass(frozen=True, slots=True)
class Signed:
    """`left_out` has the labels of ingredients that are named without their own credentials, and why."""

    data: bytes
    timestamped: bool
    left_out: tuple[tuple[str, LeftOut], ...] = ()


def sign(
    picture: bytes,
    media_type: str,
    deed: Deed,
    ingredients: Sequence[Ingredient],
    signer: Signer,
    *,
    max_carried_bytes: int = MAX_CARRIED_BYTES,
    stamp: bool = True,
) -> Signed:
    """The file with its manifest. Pixels and other metadata stay as they are, byte for byte. Without `stamp` no
    time-stamp authority is asked.

    Takes milliseconds without the GIL, and up to the signer's patience more where a time-stamp authority is silent.
    Raises `BadDeed`, and `CannotSign` where the file or the signer does not allow it.
    """
    check(deed, [_named(each) for each in ingredients])
    if media_type_of(picture) != media_type:
        raise CannotSign("media_type")
    weighed = _weighed(ingredients, signer.anchors, max_carried_bytes)
    failed = ""
    for attempt in _attempts(weighed):
        try:
            return _sign(picture, media_type, deed, attempt, signer if stamp else signer.unstamped)
        except LibraryError as error:
            failed = error.kind
    raise CannotSign(failed)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """An ingredient and what of it comes along."""

    named: Named
    attachment: Attachment | None = None
    redacted: tuple[str, ...] = ()

    def without(self, why: LeftOut) -> _Weighed:
        return _Weighed(replace(self.named, carried=False, left_out=why)) if self.attachment else self


def _attempts(weighed: list[_Weighed]) -> list[list[_Weighed]]:
    """With all that comes along, with what the first of them brings, with nothing.

    No ingredient is worth a missing label. Two that bring the same manifest, one of them with less in it, cannot be
    carried together.
    """
    carrying = [each for each in weighed if each.attachment]
    attempts = [weighed]
    if len(carrying) > 1:
        attempts.append([each if each is carrying[0] else each.without(LeftOut.CLASH) for each in weighed])
    if carrying:
        attempts.append([each.without(LeftOut.UNREADABLE) for each in weighed])
    return attempts


def _sign(picture: bytes, media_type: str, deed: Deed, weighed: list[_Weighed], signer: Signer) -> Signed:
    redacted = dict.fromkeys(address for each in weighed for address in each.redacted)
    manifest = manifest_json(deed, media_type, [each.named for each in weighed], tuple(redacted))
    attachments = tuple(each.attachment for each in weighed if each.attachment)
    data, timestamped = signer.write(picture, media_type, manifest, attachments)
    left_out = tuple((each.named.label, each.named.left_out) for each in weighed if each.named.left_out)
    return Signed(data, timestamped, left_out)


# --- what comes along


def _weighed(ingredients: Sequence[Ingredient], anchors: Anchors, room_bytes: int) -> list[_Weighed]:
    """The parent first, then the others in their order, as long as there is room."""
    weighed: list[_Weighed] = []
    for each in sorted(ingredients, key=lambda each: each.relation is not Relation.PARENT):
        store = manifest_store(each.data)
        made = _weigh(each, store, anchors, room_bytes)
        if made.attachment:
            room_bytes -= len(store)
        weighed.append(made)
    return weighed


def _weigh(ingredient: Ingredient, store: bytes, anchors: Anchors, room_bytes: int) -> _Weighed:
    named = _named(ingredient)
    if not store:
        return _Weighed(named)
    if len(store) > room_bytes:
        return _Weighed(replace(named, left_out=LeftOut.TOO_LARGE))
    media_type = media_type_of(ingredient.data) or ingredient.media_type
    try:
        report = read_report(ingredient.data, media_type, anchors)
        look_closely = any(name in store for name in _MAYBE_PERSONAL) or _says_more(report)
        detail = read_report(ingredient.data, media_type, anchors, detailed=True) if look_closely else {}
        found = reasons_of(report)
        if unsound(found):
            why = LeftOut.ALTERED if Reason.ALTERED in found else LeftOut.INVALID
            return _Weighed(replace(named, left_out=why))
        redacted = tuple(_personal_assertions(detail))
        personal = len(redacted) > _MAX_REDACTED or _may_name_somebody(report)
    except (LibraryError, KeyError, TypeError, AttributeError):
        return _Weighed(replace(named, left_out=LeftOut.UNREADABLE))
    if personal:
        return _Weighed(replace(named, left_out=LeftOut.PRIVATE))
    carried = replace(named, carried=True)
    return _Weighed(carried, Attachment(carried.definition, media_type, ingredient.data, store, report), redacted)


def _named(ingredient: Ingredient) -> Named:
    return Named(ingredient.label, ingredient.title, ingredient.media_type, ingredient.relation)


def _personal_assertions(detail: dict[str, Any]) -> list[str]:
    """The addresses of what must not travel on, in all manifests of a store; not of what was taken out before."""
    found: list[str] = []
    gone: set[str] = set()
    for label, manifest in detail.get("manifests", {}).items():
        claim = manifest["claim"]
        gone.update(claim.get("redacted_assertions") or ())
        lists = (claim.get(name) or () for name in ("created_assertions", "gathered_assertions", "assertions"))
        for entry in (entry for each in lists for entry in each):
            name = entry["url"].rpartition("/")[2]
            if name.startswith(_PERSONAL) or not name.startswith(_KEPT):
                found.append(f"self#jumbf=/c2pa/{label}/c2pa.assertions/{name}")
    return [address for address in found if address not in gone]


def _says_more(report: dict[str, Any]) -> bool:
    """Whether there are assertions that do not travel on."""
    assertions = (each for manifest in report["manifests"].values() for each in manifest.get("assertions", ()))
    return any(not each["label"].startswith(_KEPT) for each in assertions)


_WORDS = "edited|generated|opened|source|input|part|parent|picture|image|photo|img|dsc|dscn|dscf|pxl"
_PLAIN_TITLE = re.compile(
    rf"(?:[0-9a-f-]{{6,64}}|(?:{_WORDS})?[ _-]?(?:{_WORDS}|[a-z])?[ _-]?[0-9_-]*)(?:\.[a-z0-9]{{1,5}})?", re.IGNORECASE
)
"""Hashes and numbers, and words that say nothing of anybody. Files are called by people's names."""
_OF_INGREDIENT = ("data", "data_types", "metadata", "informational_URI")
_OF_ACTIONS = frozenset({"actions", "allActionsIncluded", "softwareAgents"})
_OF_ACTION = frozenset(
    {"action", "when", "softwareAgent", "softwareAgentIndex", "digitalSourceType", "instanceID", "parameters", "reason"}
)
_OF_PARAMETERS = frozenset({"name", "ingredient", "ingredients", "ingredientIds", "redacted"})
_PLAIN_FILTER = re.compile(r"[a-z_]{0,24}")
"""What tools call what they did: one word."""
_PLAIN_NOTE = re.compile(
    r"(?:Created by Google Generative AI|Converted to \.[a-z0-9]{2,5}"
    r"|(?:Applied|Added) (?:an? )?(?:imperceptible |visible )?(?:SynthID )?watermark|Input ingredient \d{1,3})\.?"
)
"""What Google writes beside every picture that its models make (files of 2026-02). It names nobody; if it counted as
free text, none of those credentials could travel on."""


def _may_name_somebody(report: dict[str, Any]) -> bool:
    """Whether free texts stand where nothing can be taken out: in titles, in ingredients, and in actions, where tools
    keep who did it, and prompts."""
    return any(
        _is_told(manifest.get("title"))
        or any(map(_tells_more, manifest.get("ingredients", ())))
        or any(map(_says_freely, _actions_of(manifest)))
        for manifest in report["manifests"].values()
    )


def _actions_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [each["data"] for each in manifest.get("assertions", ()) if each["label"].startswith("c2pa.actions")]


def _is_told(title: str | None) -> bool:
    return title is not None and _PLAIN_TITLE.fullmatch(title) is None


def _tells_more(ingredient: dict[str, Any]) -> bool:
    note = ingredient.get("description")
    return (
        _is_told(ingredient.get("title"))
        or (note is not None and note not in list(LeftOut) and not _is_plain_note("description", note))
        or any(ingredient.get(name) for name in _OF_INGREDIENT)
    )


def _says_freely(data: dict[str, Any]) -> bool:
    return any(data[name] for name in data if name not in _OF_ACTIONS) or any(
        any(action[name] for name in action if name not in _OF_ACTION and not _is_plain_note(name, action[name]))
        or _is_prompted(mapping(action.get("parameters")))
        or not str(action.get("reason", "c2pa.")).startswith("c2pa.")
        for action in data.get("actions", ())
    )


def _is_plain_note(name: str, said: object) -> bool:
    return name == "description" and isinstance(said, str) and _PLAIN_NOTE.fullmatch(said) is not None


def _is_prompted(parameters: dict[str, Any]) -> bool:
    name = str(parameters.get("name", ""))
    return _PLAIN_FILTER.fullmatch(name) is None or any(each not in _OF_PARAMETERS for each in parameters)
