"""News add up to the revision, value by value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.exceptions import ConfigurationError, DataError
from tests.builders.dynamics import dynamic
from tests.builders.members import SCALER, average_var, linear_forecast, seasonal_frame


def test_news_adds_up_to_the_revision() -> None:
    old = dynamic(n_time=30)
    newer = dynamic(n_time=32)
    frame = newer.history
    frame.loc["2020-01-25", "b"] += 3.0
    frame.loc["2020-01-02", "a"] += 3.0  # outside the window: moves nothing
    newer = old.on(frame)
    told = old.news(newer, step=2)
    assert np.allclose(told.old_forecast, old.forecast().loc[4])
    assert np.allclose(told.new_forecast, newer.forecast().loc[2])
    parts = told.table.groupby("response", sort=False)["contribution"].sum()
    total = parts + told.passing_of_time + told.unexplained
    assert np.allclose(total, told.revision, rtol=1e-9)
    assert float(told.unexplained.abs().max()) <= 1e-6 * float(frame.std().max())
    assert np.allclose(told.by_source().sum(axis=1), told.revision)
    statuses = told.table.groupby(["source", "status"]).size()
    assert statuses["a", "new"] == 6  # two dates, three responses
    assert statuses["b", "revised"] == 3
    assert ("a", "revised") not in statuses.index
    assert "passing of time" in str(told)
    assert (
        list(told.largest("a", 2)["contribution"].abs())
        == sorted(told.table.query("response == 'a'")["contribution"].abs(), reverse=True)[:2]
    )


def test_news_of_covariates_is_told_apart() -> None:
    old, new = dynamic(covariates=True), dynamic(covariates=True)
    new.data.past.values[35, 0] += 1.0
    new.data.future.values[41, 0] += 1.0
    told = old.news(new)
    assert set(told.table["kind"]) == {"past covariate", "future covariate"}
    parts = told.table.groupby("response", sort=False)["contribution"].sum()
    assert np.allclose(parts + told.unexplained, told.revision, rtol=1e-9)
    assert float(told.unexplained.abs().max()) <= 1e-6 * 7


def test_no_news_moves_nothing_but_time() -> None:
    old = dynamic(n_time=30)
    as_expected = pd.concat([old.history, old.forecast().iloc[:1].set_axis(_day(31))])
    told = old.news(as_expected)
    assert told.table.empty
    assert np.allclose(told.passing_of_time, told.revision)


def _day(number: int) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([f"2020-01-{number}"])


def test_news_between_two_networks_or_beyond_reach_is_refused() -> None:
    old = dynamic(n_time=30)
    with pytest.raises(ConfigurationError, match="networks differ"):
        old.news(dynamic(n_time=30, n_layers=1))
    with pytest.raises(ConfigurationError, match="out of reach"):
        old.news(old.on(dynamic(n_time=33).history), step=2)
    with pytest.raises(ConfigurationError, match=f"fewer than {old.patch_length} new"):
        old.news(old.on(dynamic(n_time=60).history))
    with pytest.raises(DataError, match="do not hold the newest time"):
        old.news(old.on(old.history.iloc[:-1]))


def test_gaps_are_no_news_and_the_parts_still_add_up() -> None:
    y = seasonal_frame(40)
    y.iloc[15:18, 1] = np.nan
    older, newer = y.iloc[:38].copy(), y.copy()
    older.iloc[37, 2] = np.nan  # published later
    newer.iloc[39, 0] = np.nan  # not yet published
    newer.iloc[30, 1] += 0.05
    average = average_var(n_rows=40)
    found = average.on(older).news(newer)
    parts = found.table.groupby("response")["contribution"].sum()[list(y.columns)]
    total = parts.to_numpy() + found.passing_of_time + found.unexplained
    assert np.allclose(total, found.revision)
    assert np.abs(found.unexplained / found.revision).max() < 0.05
    assert not found.table.isna().drop(columns="label").any(axis=None)
    assert {"new", "revised"} == set(found.table["status"])


def test_a_reading_with_covariates_goes_on_with_those_of_the_newer_data() -> None:
    rng = np.random.default_rng(3)
    y, known, past = seasonal_frame(40), rng.normal(size=(46, 2)), rng.normal(size=(40, 1))
    reading = DynamicVAR.from_members(
        {"linear": linear_forecast(6, effect=True)},
        {"linear": np.ones((6, 3))},
        y,
        scaler=SCALER,
        past_covariates=past,
        future_covariates=known,
    )
    older = reading.on(y.iloc[:38], past_covariates=past[:38], future_covariates=known[:44])
    found = older.news(reading)
    assert np.allclose(found.new_forecast, reading.forecast().iloc[0])
    with pytest.raises(ConfigurationError, match="wants these with every history"):
        reading.on(y.iloc[:38], past_covariates=past[:38])
