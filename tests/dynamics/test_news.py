"""News add up to the revision, value by value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.exceptions import ConfigurationError, DataError
from tests.builders.dynamics import dynamic


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
