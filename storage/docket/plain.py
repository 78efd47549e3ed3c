"""What the queue reads back from the server is data and never code.

pydocket pickles the arguments of its tasks, and a pickle can call anything: whoever could write to the server would
run code in every worker. Ours are turn ids. So of a pickle only plain values are read here (texts, numbers, lists,
tuples, dictionaries), none of which can name a class or a function. What is written stays as it was: older and newer
processes read each other's.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, NoReturn

import cloudpickle  # pyright: ignore[reportMissingTypeStubs]
import structlog

log = structlog.get_logger("queue")

MOST_BYTES = 64 * 1024
"""Of the arguments of one task. A turn id has less than a hundred."""


class _Plain(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> NoReturn:  # noqa: ARG002 whatever it names
        raise pickle.UnpicklingError("it names code")

    def persistent_load(self, pid: Any, /) -> NoReturn:  # noqa: ARG002 whatever it names
        raise pickle.UnpicklingError("it names something outside")


class Refused(tuple[Any, ...]):
    """Stands for what was not read: no arguments, neither by place nor by name. The task then fails for want of them,
    where an error while reading would end the worker."""

    __slots__ = ()

    def keys(self) -> tuple[str, ...]:
        return ()


def plain_values(packed: bytes, **_: object) -> Any:
    """What the pickle holds; `Refused` where that is anything else than plain values."""
    try:
        if len(packed) <= MOST_BYTES:
            return _Plain(io.BytesIO(packed)).load()
        why = "too long"
    except Exception as error:  # of hostile bytes an unpickler raises whatever it likes
        why = type(error).__name__
    log.error("what the queue's server gave was not read: it holds more than plain values", why=why)
    return Refused()


def read_plain_values_only() -> None:
    """For this whole process: nothing else in it reads what cloudpickle wrote."""
    cloudpickle.loads = plain_values
