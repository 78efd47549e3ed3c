"""Bends a well-formed payload out of shape: some bytes say where and how, so that a fuzzer that knows nothing of
payloads reaches every field of one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import islice
from typing import Any

ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    10**400,
    1e308,
    float("nan"),
    "",
    "0",
    "a" * 5000,
    "\ud800",
    "\u202e<@101> @everyone </help:1> [x](javascript:alert(1))",
    "²",
    "../../etc/passwd\0.png",
    "rb:press:0:again",
    [],
    {},
    [[]],
    [None],
    {"": None},
    ["a"] * 300,
    [{"id": "1"}] * 40,
    {"id": {"id": {"id": 1}}},
)
_MOST_STEPS = 12
_MOST_PLACES = 2_000


def bent(payload: Any, how: bytes) -> Any:
    """A copy, changed by as many steps as there are groups of three bytes: where, what, and with what."""
    made = copy.deepcopy(payload)
    for at in range(0, min(len(how) - 2, 3 * _MOST_STEPS), 3):
        where, what, with_what = how[at : at + 3]
        places = list(islice(_places(made), _MOST_PLACES))
        if places:
            _bend(*places[(where << 8 | with_what) % len(places)], what, with_what, payload)
    return made


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _bend(parent: Any, key: Any, what: int, with_what: int, whole: Any) -> None:
    match what % 6:
        case 0:
            del parent[key]
        case 1 | 2:
            parent[key] = copy.deepcopy(ODD[with_what % len(ODD)])
        case 3 if isinstance(parent[key], str):
            odd = ODD[with_what % len(ODD)]
            parent[key] += odd if isinstance(odd, str) else str(odd)[:50]
        case 4:
            parent[key] = [parent[key]] if with_what % 2 else {"message": parent[key]}
        case 5 if isinstance(parent, dict):
            parent[("reply_to_message", "referenced_message", "message_snapshots")[with_what % 3]] = copy.deepcopy(
                whole
            )
        case _:
            pass
