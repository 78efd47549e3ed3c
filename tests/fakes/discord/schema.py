"""Requests and answers beside Discord's own OpenAPI description (3.1), where ../shared/specs has it."""

from __future__ import annotations

import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

from tests.fakes.discord.state import Json

_SENT_ID: Json = {"oneOf": [{"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}, {"type": "integer", "minimum": 0}]}
"""Ids come as text; sent as numbers they are taken as well (Discord's reference, "Snowflakes in HTTP"), as the client
library sends them."""
SPEC = Path(__file__).parents[4] / "shared" / "specs" / "discord-openapi.json"


@cache
def _spec() -> Json | None:
    if not SPEC.exists():
        warnings.warn(f"{SPEC.name} is not at hand: requests are checked by the fake's own rules alone", stacklevel=3)
        return None
    found: Json = json.loads(SPEC.read_text())
    return found


@cache
def _request(method: str, template: str) -> Draft202012Validator | None:
    operation = _operation(method, template)
    content = ((operation or {}).get("requestBody") or {}).get("content", {})
    return _validator(content["application/json"]["schema"], sent=True) if "application/json" in content else None


@cache
def _response(method: str, template: str, status: int) -> Draft202012Validator | None:
    operation = _operation(method, template)
    content = ((operation or {}).get("responses", {}).get(str(status)) or {}).get("content", {})
    return _validator(content["application/json"]["schema"]) if "application/json" in content else None


def _operation(method: str, template: str) -> Json | None:
    spec = _spec()
    found: Json | None = spec["paths"].get(template, {}).get(method.lower()) if spec else None
    return found


def _validator(schema: Json, *, sent: bool = False) -> Draft202012Validator:
    spec = _spec()
    assert spec
    found = spec["components"]
    if sent:
        found = found | {"schemas": found["schemas"] | {"SnowflakeType": _SENT_ID}}
    return Draft202012Validator(schema | {"components": found})


def request_fault(method: str, template: str, body: Any) -> tuple[str, str] | None:
    """Where and how a body differs from what is published for its operation; None where it does not."""
    validator = _request(method, template)
    return _fault(validator, body) if validator else None


def response_fault(method: str, template: str, status: int, body: Any) -> tuple[str, str] | None:
    validator = _response(method, template, status)
    return _fault(validator, body) if validator else None


def _fault(validator: Draft202012Validator, body: Any) -> tuple[str, str] | None:
    if validator.is_valid(body):
        return None
    error = best_match(validator.iter_errors(body))
    return ".".join(map(str, error.absolute_path)), error.message[:300]
