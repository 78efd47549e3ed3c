"""A PNG signed without handing its pixels to the library: it is hashed and put together here.

The library asks for a file in pieces of 8 KB, each by a call into Python that waits for the interpreter's lock: two
files at once take as long as one after the other. Here a manifest of the right length is asked for first, the rest of
the file is hashed in one go beside other threads, and the signed manifest takes the place that was left for it. These
functions are the shared library's own, which its Python package does not name: so its version is pinned.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import c2pa

from bot.domain.containers import PNG_SIGNATURE, BrokenFile, png_chunk, png_pieces

_STORE = b"application/c2pa"
_CHUNK = b"caBX"
_CHUNK_BYTES = 12
"""Of a chunk beside what it carries: its length, kind and checksum."""


_package: Any = c2pa.c2pa
"""The module in the package of the same name: what is used of it is its own business, and untyped."""


class Unplaceable(Exception):
    """The library has to place the manifest itself."""


def sign_png(data: bytes, builder: Any, signer: Any) -> bytes:
    """The file with the manifest of a `c2pa.Builder` in it, in place of any that it had. The builder is used up. Raises
    `Unplaceable`, and the library's errors where it cannot sign."""
    at, rest = _around(data)
    library, builder_at, signer_at, room_bytes = _library(), builder._handle, signer._handle, signer.reserve_size()
    placeholder = _given(lambda out: library.c2pa_builder_data_hashed_placeholder(builder_at, room_bytes, _STORE, out))
    digest = hashlib.sha256(memoryview(data)[:at])
    for part in rest:
        digest.update(part)
    said = {
        "name": "jumbf manifest",
        "alg": "sha256",
        "hash": list(digest.digest()),
        "pad": [],
        "exclusions": [{"start": at, "length": len(placeholder) + _CHUNK_BYTES}],
    }
    text = json.dumps(said).encode()
    store = _given(
        lambda out: library.c2pa_builder_sign_data_hashed_embeddable(builder_at, signer_at, text, _STORE, None, out)
    )
    if len(store) != len(placeholder):
        raise Unplaceable
    return b"".join((memoryview(data)[:at], png_chunk(_CHUNK, store), *rest))


def _around(data: bytes) -> tuple[int, list[memoryview]]:
    """Where the manifest comes to stand, after the head, and what follows it."""
    view = memoryview(data)
    try:
        pieces = list(png_pieces(data))
    except BrokenFile:
        raise Unplaceable from None
    first = pieces[0]
    if first.kind != b"IHDR" or not data.startswith(PNG_SIGNATURE):
        raise Unplaceable
    rest: list[memoryview] = []
    begun = first.end
    for piece in pieces:
        if piece.kind == _CHUNK:
            rest.append(view[begun : piece.start])
            begun = piece.end
    rest.append(view[begun:])
    return first.end, rest


@lru_cache(maxsize=1)
def _library() -> Any:
    """The shared library once more, for functions that its package does not declare."""
    library = ctypes.CDLL(_package._lib._name)
    pointer, text, out = ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)
    try:
        library.c2pa_builder_data_hashed_placeholder.argtypes = [pointer, ctypes.c_size_t, text, out]
        library.c2pa_builder_sign_data_hashed_embeddable.argtypes = [pointer, pointer, text, text, pointer, out]
        library.c2pa_builder_data_hashed_placeholder.restype = ctypes.c_int64
        library.c2pa_builder_sign_data_hashed_embeddable.restype = ctypes.c_int64
        library.c2pa_free.argtypes = [pointer]
    except AttributeError:
        raise Unplaceable from None
    return library


def _given(ask: Callable[[object], int]) -> bytes:
    """What the library wrote into memory of its own, copied, and its memory given back."""
    at = ctypes.c_void_p()
    with _package._native_section():
        length = ask(ctypes.byref(at))
        _package._check_ffi_operation_result(length, "not signed", check=_is_failure)
    try:
        return ctypes.string_at(at, length)
    finally:
        _library().c2pa_free(at)


def _is_failure(length: int) -> bool:
    return length < 0
