"""As many values are missing as the table says, and no forecast sees what comes after."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from benchmarks import missing_values
from benchmarks.series_sets import SeriesSet, frame

WAVES = SeriesSet("waves", lambda _: np.zeros((1, 1)), 20, 4, 8)


@pytest.mark.parametrize("kind", missing_values.KINDS)
@pytest.mark.parametrize("share", missing_values.SHARES)
def test_as_many_values_are_taken_out_as_it_says(kind, share):
    missing = missing_values.draw_holes((2000, 4), share, kind, 8, 0)
    assert abs(missing.mean() - share) < 0.02
    goes_on = missing[1:][missing[:-1]].mean()  # share of holes that the next row continues
    assert goes_on > 0.8 if kind == "in blocks" else abs(goes_on - share) < 0.05


def test_what_is_forecast_at_an_origin_does_not_depend_on_what_comes_after():
    values = np.random.default_rng(2).normal(size=(100, 2)).cumsum(axis=0)
    values[77:82, 1] = np.nan  # a hole across the second origin
    changed = values.copy()
    changed[80:] += 9.0
    for method in missing_values.METHODS:
        first, second = (
            missing_values.forecast_from(WAVES, frame(one), method, [72, 80])
            for one in (values, changed)
        )
        assert np.isfinite(first).all()
        np.testing.assert_array_equal(first, second)
