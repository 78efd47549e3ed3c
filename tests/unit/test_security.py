"""What docs/security.md says is so, and no text of a stranger's file takes long to search."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from bot.domain.digital_source import MOST_MENTIONS, terms_in_xmp
from bot.labels.metadata import Claim, aigc_of, systems_of, xmp_packet
from bot.labels.verify import Trust, findings_of
from tests import pictures
from tests.unit.test_house import ROOT, committed
from tests.work import LINEAR, growth

DOCUMENT = (ROOT / "docs/security.md").read_text()


def test_every_test_that_the_threat_model_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", DOCUMENT))
    tests = [path for path in committed() if path.suffix == ".py" and path.is_relative_to(ROOT / "tests")]
    there = {name for path in tests for name in re.findall(r"\bdef (test_\w+)", path.read_text())}
    assert named - there == set()
    assert len(named) > 60


def test_every_threat_has_a_defence_and_a_test() -> None:
    table = DOCUMENT.partition("## Threats")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    threats = [row for row in rows[2:] if not row[0].startswith("**")]
    assert [row[0] for row in threats if len(row) != 3 or not row[1] or "`test_" not in row[2]] == []
    assert len(threats) > 40


ALMOST = (
    ":DigitalSourceType",
    "a:DigitalSourceType=",
    "a:DigitalSourceType resource='",
    "a:AISystemUsed>" + " " * 99,
    "a:AIGC ",
    " a:AIGC = ",
    "<a:AIGC>",
    "a" * 40,
)


def searched(text: bytes) -> None:
    terms_in_xmp(text)
    file = pictures.with_xmp(PNG, text)
    aigc_of(file)
    systems_of(file)
    findings_of(file, Trust())


PNG = pictures.saved(pictures.image().resize((4, 4)), "PNG")


@pytest.mark.parametrize("almost", ALMOST)
def test_no_text_of_a_file_takes_long_to_search(almost: str) -> None:
    def repeated(size: int) -> bytes:
        return (almost * (size // len(almost) + 1)).encode()[:size]

    work: Callable[[bytes], None] = searched
    assert growth(work, repeated, 15_000) < LINEAR


def test_more_mentions_than_are_looked_at_hide_no_claim_of_others() -> None:
    """A packet of so many is not kept beside our own claim: another reader might believe what we did not read."""
    claim = Claim("trainedAlgorithmicMedia")
    hidden = pictures.xmp("algorithmicMedia").replace(
        b"</rdf:RDF>", b"a:DigitalSourceType" * MOST_MENTIONS + b"</rdf:RDF>"
    )
    assert b"a:DigitalSourceType" * 2 not in xmp_packet(claim, hidden)
