"""Draw the golden pictures anew."""

from tests.golden import CASES, FOLDER, drawn

for case in CASES:
    drawn(case).save(FOLDER / f"{case}.png", optimize=True)
