"""What is wrong with a manifest, in few words of our own for the many codes of the standard. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from bot.labels.credentials.values import mapping, mappings


class Reason(StrEnum):
    UNKNOWN_SIGNER = "unknown_signer"
    """Intact, but signed by nobody whom we know."""
    EXPIRED = "expired"
    """The certificate has run out, and no time stamp says that it was good then. Not a sign of tampering."""
    REVOKED = "revoked"
    STAMP = "stamp"
    """The time stamp does not hold, or comes from an authority that we do not know."""
    ALTERED = "altered"
    """Picture or manifest is not what was signed."""
    MISSING = "missing"
    """The manifest speaks of something that is not there."""
    MALFORMED = "malformed"
    """It breaks the rules of the standard."""


_BY_CODE = {
    "signingCredential.untrusted": Reason.UNKNOWN_SIGNER,
    "signingCredential.expired": Reason.EXPIRED,
    "claimSignature.outsideValidity": Reason.EXPIRED,
    "signingCredential.revoked": Reason.REVOKED,
    "signingCredential.ocsp.revoked": Reason.REVOKED,
}
_BY_END = {"mismatch": Reason.ALTERED, "missing": Reason.MISSING, "inaccessible": Reason.MISSING}
_HARMLESS = frozenset({Reason.UNKNOWN_SIGNER, Reason.EXPIRED, Reason.STAMP})


def reason(code: str) -> Reason:
    """Of one code of C2PA's validation status."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code.startswith("timeStamp."):
        return Reason.STAMP
    return _BY_END.get(code.rpartition(".")[2], Reason.MALFORMED)


def reasons(codes: Iterable[str]) -> tuple[Reason, ...]:
    """Each once, in the order in which they were found.

    Of an expired certificate nobody can say any more whether it was issued by somebody known: that one reason is told.
    """
    found = dict.fromkeys(map(reason, codes))
    if Reason.EXPIRED in found:
        found.pop(Reason.UNKNOWN_SIGNER, None)
    return tuple(found)


def failure_codes(results: object) -> tuple[str, ...]:
    """Of a report's `validation_results`, for the manifest that it speaks of itself."""
    listed = mappings(mapping(mapping(results).get("activeManifest")).get("failure"))
    return tuple(each["code"] for each in listed if isinstance(each.get("code"), str))


def reasons_of(report: dict[str, Any]) -> tuple[Reason, ...]:
    """What is wrong with a file's own manifest."""
    return reasons(failure_codes(report.get("validation_results")))


def unsound(found: Iterable[Reason]) -> bool:
    """Whether more is wrong than that we cannot say who signed it, or when."""
    return not _HARMLESS.issuperset(found)
