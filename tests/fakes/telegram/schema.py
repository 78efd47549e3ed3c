"""Requests and answers beside the published description of the Bot API, where ../shared/specs has it. Elsewhere
requests are checked by `shapes.json`, which names the arguments of the methods that stand here, and answers are not."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.fakes.telegram.refusals import Json, bad

SPEC = Path(__file__).parents[4] / "shared" / "specs" / "telegram-api.json"
SHAPES = Path(__file__).with_name("shapes.json")
_CONST = re.compile(r"(?:must be|always) [“\"*]?(\w+)[”\"*]?$")
_NUMBER = re.compile(r"-?\d{1,19}")


@dataclass(frozen=True)
class Field:
    """`constant` is the one value it may have, where there is only one."""

    types: tuple[str, ...]
    required: bool
    constant: str = ""


Fields = dict[str, Field]


@dataclass(frozen=True)
class Shapes:
    """By name: the arguments of methods (in lower case), their names as written, what they give; the fields of types,
    and those that may be any of several others."""

    methods: dict[str, Fields]
    names: dict[str, str]
    returns: dict[str, tuple[str, ...]]
    types: dict[str, Fields]
    unions: dict[str, tuple[str, ...]]


@cache
def shapes() -> Shapes:
    if SPEC.exists():
        return _published()
    warnings.warn(f"{SPEC.name} is not at hand: answers are not checked, requests by our own copy", stacklevel=3)
    return own_shapes()


def _published() -> Shapes:
    spec = json.loads(SPEC.read_text())

    def fields(given: Sequence[Json]) -> Fields:
        return {each["name"]: _field(each) for each in given}

    methods, types = spec["methods"], spec["types"]
    return Shapes(
        {name.lower(): fields(each.get("fields", ())) for name, each in methods.items()},
        {name.lower(): name for name in methods},
        {name.lower(): tuple(each["returns"]) for name, each in methods.items()},
        {name: fields(each["fields"]) for name, each in types.items() if "fields" in each},
        {name: tuple(each["subtypes"]) for name, each in types.items() if "subtypes" in each},
    )


def _field(given: Json) -> Field:
    found = _CONST.search(given["description"]) if given["types"] == ["String"] else None
    return Field(tuple(given["types"]), given["required"], found[1] if found else "")


def own_shapes() -> Shapes:
    kept = json.loads(SHAPES.read_text())

    def fields(given: Json) -> Fields:
        return {name.rstrip("!"): _told(how, required=name.endswith("!")) for name, how in given.items()}

    return Shapes(
        {name.lower(): fields(each) for name, each in kept["methods"].items()},
        {name.lower(): name for name in kept["methods"]},
        {},
        {name: fields(each) for name, each in kept["types"].items()},
        {name: tuple(each.split("|")) for name, each in kept["unions"].items()},
    )


def _told(how: str, *, required: bool) -> Field:
    types, _, constant = how.partition("=")
    return Field(tuple(types.split("|")), required, constant)


# --- what was sent


def arguments(method: str, given: Json, files: Sequence[str]) -> Json:
    """The values of a method's arguments, of the types that they have to be. Raises what the server would say."""
    known = shapes().methods[method.lower()]
    found: Json = {}
    for name, raw in given.items():
        if name not in known:
            raise bad(f'unknown parameter "{name}" of {method}')
        found[name] = _value(name, raw, known[name].types)
    for name in files:
        if name in known and "InputFile" not in known[name].types:
            raise bad(f'parameter "{name}" of {method} is no file')
        if name in known:
            found[name] = f"attach://{name}"
    for name, each in known.items():
        if each.required and name not in found:
            raise bad(_MISSING.get(name, f'parameter "{name}" is required'))
    return found


_MISSING = {"chat_id": "chat_id is empty", "text": "message text is empty", "media": "there is no media in the request",
            "photo": "there is no photo in the request", "document": "there is no document in the request"}  # fmt: skip


def _value(name: str, raw: Any, types: tuple[str, ...]) -> Any:
    value = raw
    if isinstance(raw, str):
        if "Integer" in types and _NUMBER.fullmatch(raw):
            return int(raw)
        if "String" in types:
            return raw
        if types == ("Boolean",):
            value = {"true": True, "1": True, "false": False, "0": False}.get(raw.lower(), raw)
        elif types != ("Integer",):
            try:
                value = json.loads(raw)
            except ValueError:
                raise bad(f"can't parse {name} JSON object") from None
    wrong = fault(value, types, name)
    if wrong:
        raise bad(wrong)
    return value


# --- whether a value is of a type


def response_fault(method: str, result: Any) -> str:
    """Where an answer differs from what is published for its method. Empty if it does not, or nothing is known."""
    returns = shapes().returns.get(method.lower())
    return fault(result, returns, "result") if returns else ""


def update_fault(update: Any) -> str:
    return fault(update, ("Update",), "update") if "Update" in shapes().types else ""


def fault(value: Any, types: Sequence[str], at: str) -> str:
    """Empty where it is of one of these types."""
    arrays = [each.removeprefix("Array of ") for each in types if each.startswith("Array of ")]
    if isinstance(value, list) and arrays:
        return next((wrong for i, each in enumerate(value) if (wrong := fault(each, arrays, f"{at}[{i}]"))), "")
    plain = [each for each in types if not each.startswith("Array of ")]
    wrongs = [_fault(value, each, at) for each in plain] or [f"{at} must be an array"]
    if "" in wrongs:
        return ""
    return next((each for each in wrongs if " is not " not in each), wrongs[0])


def _fault(value: Any, kind: str, at: str) -> str:
    match kind:
        case "String":
            return "" if isinstance(value, str) else f"{at} must be a string"
        case "Boolean":
            return "" if isinstance(value, bool) else f"{at} must be a boolean"
        case "Integer":
            return "" if isinstance(value, int) and not isinstance(value, bool) else f"{at} must be a number"
        case "Float":
            return "" if isinstance(value, int | float) and not isinstance(value, bool) else f"{at} must be a number"
        case "InputFile":
            return f"{at} must be a file"
    found = shapes()
    if kind in found.unions:
        return fault(value, found.unions[kind], at)
    if kind not in found.types:
        return ""
    if not isinstance(value, dict):
        return f"{at} must be an object"
    return _object_fault(value, found.types[kind], at)


def _object_fault(value: Json, fields: Fields, at: str) -> str:
    for name, each in fields.items():
        if each.constant and name in value and value[name] != each.constant:
            return f"{at}.{name} is not {each.constant}"
    for name, each in fields.items():
        if each.required and name not in value:
            return f"{at}.{name} is required"
    for name, inner in value.items():
        if name not in fields:
            return f"{at}.{name} is unknown"
        wrong = fault(inner, fields[name].types, f"{at}.{name}")
        if wrong:
            return wrong
    return ""
