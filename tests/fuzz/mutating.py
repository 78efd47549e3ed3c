"""A piece of data changed as some bytes say: bits turned, pieces cut, doubled, exchanged for what is often trouble."""

from __future__ import annotations

TROUBLE = (
    b"\x00",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x00\x00\x00\x00",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b'"',
    b"\\u0000",
    b"[" * 500,
    b"9" * 400,
    b"<" * 300,
    b" " * 300,
    b"\n\n",
    b":DigitalSourceType",
    b"\xc2\xb2",
    b"IEND",
)


def mutated(data: bytes, how: bytes) -> bytes:
    """Each group of three bytes of `how` is one change. Without any, the data as it is."""
    made = bytearray(data)
    for at in range(0, len(how) - 2, 3):
        place, what, value = how[at : at + 3]
        where = (place << 8 | value) % (len(made) + 1)
        match what % 6:
            case 0:
                made[where : where + 1] = bytes([value])
            case 1:
                del made[where : where + 1 + value % 32]
            case 2:
                made[where:where] = TROUBLE[value % len(TROUBLE)]
            case 3:
                made[where:where] = made[where : where + 1 + value]
            case 4:
                del made[where:]
            case _:
                made[where : where + 4] = TROUBLE[value % len(TROUBLE)]
    return bytes(made[:70_000])
