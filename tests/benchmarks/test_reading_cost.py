"""The questions whose cost is measured are those that people ask, on series that are stable."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmarks import reading_cost


@pytest.mark.parametrize("n_series", [3, 6])
def test_the_series_are_of_the_size_that_is_asked_for(n_series):
    frame = reading_cost.series(n_series, 0)
    assert frame.shape == (200, n_series)
    assert frame.abs().to_numpy().max() < 20
    assert not frame.equals(reading_cost.series(n_series, 1))


def test_us_macro_is_a_frame_by_quarter_and_a_call_is_clocked():
    frame = reading_cost.us_macro()
    assert isinstance(frame.index, pd.PeriodIndex)
    assert frame.index[0] == pd.Period("1959Q2")
    seconds: dict[str, float] = {}
    assert reading_cost._clock(seconds, "a sum", lambda: sum(range(10))) == 45
    assert seconds["a sum"] >= 0
