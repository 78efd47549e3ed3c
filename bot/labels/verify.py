"""Reads the label back: what a file claims of its origin. A claim, no proof: anyone may write or remove it."""

from __future__ import annotations

from bot.domain.digital_source import AI_EDITED, AI_GENERATED, ENHANCED, provenance_of, terms_in_file
from bot.domain.images import Provenance

_LABELS = (AI_GENERATED, AI_EDITED, ENHANCED)


def read_digital_source_type(data: bytes) -> str | None:
    """The IPTC term in the XMP of a PNG, JPEG or WebP; None where there is none. Of several, the first."""
    in_xmp, _ = terms_in_file(data)
    return next(iter(in_xmp), None)


def read_label(data: bytes) -> Provenance | None:
    """What the label in the file says: UNKNOWN means "edited, no AI"; None that the file carries no label of ours."""
    source_type = read_digital_source_type(data)
    return provenance_of([source_type]) if source_type in _LABELS else None
