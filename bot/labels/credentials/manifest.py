"""What a manifest says, from plain values: what was done, by which software, with which pictures. Pure.

The form is that of C2PA 2.4, as its conformance programme reads it: all actions in one assertion that is the
signer's own (`created`), beginning with how the picture came to be; no source type on a picture that was opened, one
on everything that made pixels. No prompt, no person's name and no place has a field here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from bot.domain.digital_source import VOCABULARY

SPEC_VERSION = "2.4.0"
_GENERATOR = "remixbot"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:+-]{0,99}")
_MAX_INGREDIENTS = 20


class BadDeed(ValueError):
    """The account of what was done contradicts itself, or holds what must not stand in a file."""


class Verb(StrEnum):
    OPENED = "c2pa.opened"
    CREATED = "c2pa.created"
    EDITED = "c2pa.edited"
    PLACED = "c2pa.placed"


class Relation(StrEnum):
    PARENT = "parentOf"
    """The picture that was edited. At most one."""
    INPUT = "inputTo"
    """Shown to a model."""
    PART = "componentOf"
    """Its pixels are in the picture."""


class LeftOut(StrEnum):
    """Why an ingredient is named without its own credentials. The texts stand in the file."""

    TOO_LARGE = "Credentials left out: too large."
    ALTERED = "Credentials left out: altered after signing."
    INVALID = "Credentials left out: not valid."
    UNREADABLE = "Credentials left out: not readable."
    CLASH = "Credentials left out: at odds with another ingredient's."
    PRIVATE = "Credentials left out: personal."


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done. `source_type` is the IPTC's bare term; `agent` the software, by its plain name.

    `ingredients` are the labels of those that it used.
    """

    verb: Verb
    source_type: str | None = None
    agent: str | None = None
    ingredients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deed:
    """How a picture came to be. `id` is the record's, in plain letters; `soft_binding` an ISCC image code."""

    id: str
    steps: tuple[Step, ...]
    version: str = "0.1.0"
    at: datetime | None = None
    soft_binding: str | None = None


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A picture that went in. `label` is its name within the deed, `title` plain words, never a file's name."""

    label: str
    title: str
    media_type: str
    data: bytes
    relation: Relation


@dataclass(frozen=True, slots=True)
class Named:
    """An ingredient as the manifest names it. `carried` says that its own manifests come along, apart from here."""

    label: str
    title: str
    media_type: str
    relation: Relation
    carried: bool = False
    left_out: LeftOut | None = None

    @property
    def definition(self) -> dict[str, object]:
        note = {} if self.left_out is None else {"description": self.left_out.value}
        return {
            "label": self.label,
            "title": self.title,
            "format": self.media_type,
            "relationship": self.relation.value,
            **note,
        }


def manifest_json(deed: Deed, media_type: str, ingredients: Sequence[Named], redacted: Sequence[str] = ()) -> str:
    """The manifest's definition for the library. `redacted` are addresses of assertions to take out of ingredients.

    Raises `BadDeed`.
    """
    check(deed, ingredients)
    actions = [*(_action(step, deed.at) for step in deed.steps), *map(_redaction, redacted)]
    assertions: list[dict[str, object]] = [
        {"label": "c2pa.actions.v2", "created": True, "data": {"actions": actions, "allActionsIncluded": True}}
    ]
    if deed.soft_binding:
        binding: dict[str, object] = {"alg": "io.iscc.v0", "blocks": [{"scope": {}, "value": deed.soft_binding}]}
        assertions.append({"label": "c2pa.soft-binding", "created": True, "data": binding})
    definition: dict[str, object] = {
        "claim_generator_info": [{"name": _GENERATOR, "version": deed.version, "specVersion": SPEC_VERSION}],
        "format": media_type,
        "title": deed.id,
        "assertions": assertions,
        "ingredients": [each.definition for each in ingredients if not each.carried],
    }
    if redacted:
        definition["redactions"] = list(redacted)
    return json.dumps(definition)


def check(deed: Deed, ingredients: Sequence[Named]) -> None:
    """Raises `BadDeed` where the deed and its ingredients do not fit together."""
    beginnings = [step.verb in (Verb.OPENED, Verb.CREATED) for step in deed.steps]
    if not beginnings or not beginnings[0] or any(beginnings[1:]):
        raise BadDeed("a deed begins with opened or created, and only there")
    parents = {each.label for each in ingredients if each.relation is Relation.PARENT}
    if len(parents) != (deed.steps[0].verb is Verb.OPENED):
        raise BadDeed("what was opened has one parent, what was created none")
    if parents and set(deed.steps[0].ingredients) != parents:
        raise BadDeed("what was opened is the parent")
    labels = [each.label for each in ingredients]
    used = {label for step in deed.steps for label in step.ingredients}
    if len(set(labels)) != len(labels) or used != set(labels) or len(labels) > _MAX_INGREDIENTS:
        raise BadDeed("each ingredient has a label of its own, and a step that used it")
    for step in deed.steps:
        _check_source_type(step)
    agents = [step.agent for step in deed.steps if step.agent is not None]
    binding = [deed.soft_binding] if deed.soft_binding else []
    for text in [deed.id, deed.version, *agents, *binding, *labels, *(each.title for each in ingredients)]:
        if not _PLAIN.fullmatch(text):
            raise BadDeed("only plain letters, digits and signs, at most 100, may stand in a manifest")


def _check_source_type(step: Step) -> None:
    if step.verb is Verb.OPENED and step.source_type is not None:
        raise BadDeed("what was opened has no source type")
    if step.verb in (Verb.CREATED, Verb.EDITED) and step.source_type is None:
        raise BadDeed("what made pixels has a source type")
    if step.source_type is not None and not re.fullmatch(r"[A-Za-z]{1,60}", step.source_type):
        raise BadDeed("a source type is a bare term of the IPTC")


def _action(step: Step, at: datetime | None) -> dict[str, object]:
    action: dict[str, object] = {"action": step.verb.value}
    if step.source_type is not None:
        action["digitalSourceType"] = f"{VOCABULARY}{step.source_type}"
    if step.agent is not None:
        action["softwareAgent"] = {"name": step.agent}
    if at is not None:
        action["when"] = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if step.ingredients:
        action["parameters"] = {"ingredientIds": list(step.ingredients)}
    return action


def _redaction(address: str) -> dict[str, object]:
    return {"action": "c2pa.redacted", "reason": "c2pa.PII.present", "parameters": {"redacted": address}}
