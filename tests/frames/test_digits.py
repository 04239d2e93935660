"""Numbers are shown with the decimals that their interval has a use for."""

from __future__ import annotations

import numpy as np

from samovar_forecast.frames.digits import decimals_for, shown


def test_three_digits_of_the_interval_are_shown():
    middle = np.array([100.0, 101.0])
    assert decimals_for(middle, middle - 2, middle + 2) == 2
    assert decimals_for(middle, middle - 200, middle + 200) == 0
    assert decimals_for(middle / 1000, middle / 1000 - 0.002, middle / 1000 + 0.002) == 5
    assert decimals_for(middle, middle, middle) == 0
    assert decimals_for(0 * middle, 0 * middle, 0 * middle) == 0


def test_a_zero_has_no_minus_and_thousands_have_commas():
    assert shown(-0.001, 1) == "0.0"
    assert shown(-0.4, 0) == "0"
    assert shown(-1234567.891, 0) == "-1,234,568"
    assert shown(float("nan"), 2) == "-"
