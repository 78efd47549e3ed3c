"""What the exact engine draws stays as it was when somebody looked at it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.golden import CASES, FOLDER, drawn


@pytest.mark.parametrize("case", CASES)
def test_the_drawing_is_like_the_golden_one(case: str) -> None:
    """To within rounding: another version of a codec or of a font library may move a value by little."""
    now, then = drawn(case), Image.open(FOLDER / f"{case}.png")
    assert (now.mode, now.size) == (then.mode, then.size)
    difference = np.abs(np.asarray(now).astype(int) - np.asarray(then).astype(int))
    assert difference.mean() < 1.0
    assert (difference > 48).mean() < 0.01
