"""The published shapes of requests and answers, as JSON Schema: a field that is not listed does not exist.

One description for each door. The Developer API's is developer.json beside this file, drawn from the protobufs of
google-ai-generativelanguage 0.12.1 (v1beta; Apache 2.0). The package itself is no dependency: it brings gRPC, 55 MB
in all, and its newest release does not know what the API has had for months (`NEWER`; in
its v1 not even tools). To draw it anew from a later one, in a throwaway environment that has it:

    python tests/fakes/gemini/schemas.py > developer.json && mv developer.json tests/fakes/gemini/

Vertex's is the Discovery document ../shared/specs/vertex-generate-content.json beside the repository, where that
exists; it is the stricter reading of what both doors take, so that requests to either must pass it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

DEVELOPER_SPEC = Path(__file__).with_name("developer.json")
VERTEX_SPEC = Path(__file__).parents[4] / "shared" / "specs" / "vertex-generate-content.json"

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
NEWER: Json = {
    "ImageConfig": {"imageSize": _TEXT},
    "ThinkingConfig": {"thinkingLevel": {"type": "string", "enum": ["MINIMAL", "LOW", "MEDIUM", "HIGH"]}},
    "GoogleSearch": {"searchTypes": {"type": "any"}},
}
"""What google-genai 3.4 sends to the Developer API or reads from it, and the protobufs do not have."""


VERTEX_ONLY: Json = {
    "ImageConfig": {"personGeneration": _TEXT, "prominentPeople": _TEXT, "imageOutputOptions": {"type": "object"}},
    "SafetySetting": {"category": _TEXT, "method": _TEXT},
}
"""What Vertex takes beside it, for where its own description is not at hand."""


def fault(name: str, body: Any, *, vertex: bool) -> str:
    """Where the message differs from what is published for its door, in words. Empty where it does not."""
    stricter = published(name)
    checks = [("Vertex", stricter)] if stricter else []
    if not (vertex and stricter):
        checks.append(("Developer", developer(name, vertex=vertex)))
    for where, validator in checks:
        for error in validator.iter_errors(body):
            place = ".".join(map(str, error.absolute_path)) or name
            if error.validator == "additionalProperties":
                unknown = sorted(set(error.instance) - set(error.schema["properties"]))[0]
                return f'Invalid JSON payload received. Unknown name "{unknown}" at "{place}": Cannot find field.'
            return f"Invalid value at {place}, by the published {where} schema: {error.message[:200]}"
    return ""


@cache
def published(name: str) -> Draft202012Validator | None:
    """Vertex's schema of a message. None where it is not at hand, which is said."""
    if not VERTEX_SPEC.exists():
        warnings.warn(f"{VERTEX_SPEC.name} is not at hand: {name} is checked without it", stacklevel=2)
        return None
    found = json.loads(VERTEX_SPEC.read_text())["schemas"]
    return _validator(name, {key.removeprefix("GoogleCloudAiplatformV1"): each for key, each in found.items()})


@cache
def developer(name: str, *, vertex: bool = False) -> Draft202012Validator:
    """The Developer API's schema of a message."""
    found = json.loads(DEVELOPER_SPEC.read_text())["schemas"]
    for message, newer in (*NEWER.items(), *(VERTEX_ONLY.items() if vertex else ())):
        found[message]["properties"].update(newer)
    return _validator(name, found)


def _validator(name: str, found: Json) -> Draft202012Validator:
    return Draft202012Validator(
        {"$ref": f"#/$defs/{name}", "$defs": {key: _strict(each) for key, each in found.items()}}
    )


def _strict(node: Any) -> Any:
    """Discovery's dialect in JSON Schema's: fields not listed do not exist, "any" is anything."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and isinstance(node["$ref"], str):
        return {"$ref": "#/$defs/" + node["$ref"].removeprefix("GoogleCloudAiplatformV1")}
    kept = {key: node[key] for key in ("type", "enum", "items", "additionalProperties") if key in node}
    if kept.get("type") == "any":
        del kept["type"]
    strict = {key: _strict(value) for key, value in kept.items()}
    if "properties" in node:
        properties = {name: _strict(value) for name, value in node["properties"].items()}
        strict |= {"properties": properties, "additionalProperties": False}
    return strict


# --- drawn from the protobufs

_SCALARS: Json = {"bool": "boolean", "string": "string", "bytes": "string", "double": "number", "float": "number"}


def drawn(descriptor: Any, known: Json) -> Json:
    """The message and all that it is made of, in Discovery's dialect, as protobuf's JSON has them."""
    if descriptor.name not in known:
        properties: Json = {}
        known[descriptor.name] = {"type": "object", "properties": properties}
        properties.update({field.json_name: _field(field, known) for field in descriptor.fields})
    return known


def _field(field: Any, known: Json) -> Json:
    message = field.message_type
    if message and message.GetOptions().map_entry:
        return {"type": "object"}
    one = _message(message, known) if message else _scalar(field)
    return {"type": "array", "items": one} if field.is_repeated else one


def _message(message: Any, known: Json) -> Json:
    if message.full_name.startswith("google.protobuf."):
        return {"type": "any"}
    drawn(message, known)
    return {"$ref": message.name}


def _scalar(field: Any) -> Json:
    if field.enum_type:
        return {"type": "string", "enum": [value.name for value in field.enum_type.values]}
    kinds: Iterator[str] = (name for name in _SCALARS if getattr(field, f"TYPE_{name.upper()}") == field.type)
    return {"type": _SCALARS[kind]} if (kind := next(kinds, "")) else {"type": ["integer", "string"]}


if __name__ == "__main__":
    from importlib import import_module

    protobufs = import_module("google.ai.generativelanguage_v1beta")
    shapes: Json = {}
    for message in (protobufs.GenerateContentRequest, protobufs.GenerateContentResponse):
        drawn(message.pb().DESCRIPTOR, shapes)
    lines = (f'  "{name}": {json.dumps(shape)}' for name, shape in sorted(shapes.items()))
    print('{"version": "google-ai-generativelanguage 0.12.1, v1beta", "schemas": {', ",\n".join(lines), "}}", sep="\n")
