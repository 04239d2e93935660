"""Nested forecasts are compared from the first origin whose recent past is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.accuracy_tests import KNOWN_LAGS, clark_west, holm, known_before
from samovar_forecast.dynamics.nested_comparison import (
    NamedForecasts,
    compare_nested,
    outcome_table,
)
from samovar_forecast.exceptions import DataError


def test_each_series_is_compared_by_clark_and_west_given_what_the_smaller_learner_knew():
    rng = np.random.default_rng(0)
    actual = pd.DataFrame(rng.normal(size=(80, 3)), columns=list("abc"))
    restricted = NamedForecasts.checked(rng.normal(size=(2, 80, 2)), ("c", "a"), 80)
    full = NamedForecasts.checked(rng.normal(size=(2, 80, 3)), ("a", "b", "c"), 80)
    (found,) = compare_nested(actual, restricted, full, ["a"], squares=True, max_lags=1)
    known = known_before(actual[["c", "a"]].to_numpy(), restricted.values, squares=True)
    wanted = clark_west(
        actual["a"].to_numpy()[KNOWN_LAGS:],
        restricted.values[:, KNOWN_LAGS:, 1],
        full.values[:, KNOWN_LAGS:, 0],
        known=known,
        max_lags=1,
    )
    assert found == wanted


def test_the_table_adjusts_all_p_values_together_and_shows_the_gain():
    rng = np.random.default_rng(1)
    outcomes = [clark_west(*rng.normal(size=(3, 50))) for _ in range(3)]
    table = outcome_table([{"series": name} for name in "abc"], outcomes)
    columns = ["series", "statistic", "pvalue", "pvalue_holm", "mse_restricted", "mse_full", "gain"]
    assert list(table.columns) == columns
    np.testing.assert_array_equal(table["pvalue_holm"], holm(table["pvalue"]))
    np.testing.assert_allclose(table["mse_full"], (1 - table["gain"]) * table["mse_restricted"])


def test_forecasts_of_one_training_need_no_axis_for_it_and_others_are_refused():
    assert NamedForecasts.checked(np.zeros((50, 2)), ("a", "b"), 50).values.shape == (1, 50, 2)
    with pytest.raises(DataError, match=r"\['a', 'b'\] have the wrong shape"):
        NamedForecasts.checked(np.zeros((49, 2)), ("a", "b"), 50)
