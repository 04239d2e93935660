"""The record at the last origins is what a reader would compute by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.cli.outlook import Record, look_ahead
from samovar_forecast.exceptions import DataError
from tests.builders.cli import QuickForecaster


@pytest.fixture
def y():
    rng = np.random.default_rng(0)
    index = pd.period_range("2010-01", periods=72, freq="M")
    return pd.DataFrame(rng.normal(size=(72, 2)).cumsum(axis=0), index, ["a", "b"])


def test_the_record_is_the_ratio_of_mean_absolute_errors_at_the_origins(y):
    outlook = look_ahead(lambda: QuickForecaster(12), y, 3, coverage=0.8, season=12, n_origins=4)
    record = outlook.record
    assert isinstance(record, Record)
    assert [str(time) for time in record.origins] == ["2014-12", "2015-03", "2015-06", "2015-09"]
    ends = [60, 63, 66, 69]
    values = y.to_numpy()
    scale = np.abs(values[12:60] - values[:48]).mean(axis=0)
    ours = [np.abs(values[end - 12 : end - 9] - values[end : end + 3]) / scale for end in ends]
    naive = [np.abs(values[end - 1] - values[end : end + 3]) / scale for end in ends]
    assert record.rivals["the naive forecast"] == pytest.approx(np.mean(ours) / np.mean(naive))
    assert record.rivals["the seasonal naive forecast"] == pytest.approx(1.0)
    assert "a VAR" in record.rivals
    assert 0 <= record.covered <= 1


def test_missing_values_are_left_out_of_the_record(y):
    full = look_ahead(lambda: QuickForecaster(), y, 3, coverage=0.8, season=1, n_origins=1)
    y.iloc[70] = np.nan
    some = look_ahead(lambda: QuickForecaster(), y, 3, coverage=0.8, season=1, n_origins=1)
    assert some.record.rivals["the naive forecast"] == pytest.approx(1.0)
    assert np.isfinite(some.record.covered)
    assert not some.forecast.isna().any(axis=None)
    assert full.forecast.equals(some.forecast)  # the last row is the same


def test_few_rows_allow_fewer_origins_or_none(y):
    record = look_ahead(lambda: QuickForecaster(), y[:18], 3, coverage=0.8, season=1).record
    assert len(record.origins) == 4
    record = look_ahead(lambda: QuickForecaster(), y[:14], 3, coverage=0.8, season=1).record
    assert len(record.origins) == 2
    record = look_ahead(lambda: QuickForecaster(), y[:12], 3, coverage=0.8, season=1).record
    assert record.startswith(
        "12 rows are too few to hold back 3 steps; a horizon of up to 2 steps could be tried"
    )


def test_more_origins_than_rows_are_as_many_as_there_are_rows_for(y):
    found = [
        look_ahead(lambda: QuickForecaster(), y[:18], 3, coverage=0.8, season=1, n_origins=n).record
        for n in (18, 10**20)
    ]
    assert list(found[0].origins) == list(found[1].origins)
    assert len(found[1].origins) > 4


def test_both_intervals_of_the_fan_are_asked_for(y):
    outlook = look_ahead(lambda: QuickForecaster(), y, 3, coverage=0.9, season=1, n_origins=0)
    assert set(outlook.intervals.columns.get_level_values(1)) == {0.5, 0.9}
    assert outlook.record == "it was not asked for"


class Demanding(QuickForecaster):
    """Refuses rows without any value in a column, as SAMoVARForecaster does."""

    def _fit(self, y, X, fh):
        for frame in (y, X):
            if frame is not None and frame.isna().all().any():
                raise DataError("a column has no value at all")
        return super()._fit(y, X, fh)


@pytest.mark.parametrize("is_covariate", [False, True])
@pytest.mark.parametrize(("begin", "n_origins"), [(60, 3), (68, 1), (69, 0)])
def test_origins_lie_behind_the_first_value_of_every_column(y, is_covariate, begin, n_origins):
    X = pd.DataFrame({"x": np.arange(75.0)}, pd.period_range("2010-01", periods=75, freq="M"))
    late = X if is_covariate else y
    late.iloc[:begin, -1] = np.nan
    how = {"coverage": 0.8, "season": 1, "X": X[:72], "X_ahead": X[72:]}
    outlook = look_ahead(Demanding, y, 3, **how)
    assert not outlook.forecast.isna().any(axis=None)
    if n_origins:
        assert len(outlook.record.origins) == n_origins
        assert outlook.record.origins[0] >= y.index[begin]
        assert np.isfinite(outlook.record.covered)
    else:
        name = "x" if is_covariate else "b"
        assert outlook.record == (
            f"'{name}' has its first value too late to hold back 3 steps; a horizon of up to 2 "
            "steps could be tried"
        )


def test_a_forecast_outlives_a_record_that_cannot_be_made(y):
    class Refusing(QuickForecaster):
        def _fit(self, y, X, fh):
            if len(y) < 72:
                raise DataError("the rows are not enough", found=len(y))
            return super()._fit(y, X, fh)

    outlook = look_ahead(Refusing, y, 3, coverage=0.8, season=1)
    assert not outlook.forecast.isna().any(axis=None)
    assert outlook.record == "the rows are not enough"
