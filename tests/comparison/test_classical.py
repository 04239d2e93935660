"""The classical rows: what they are by default, and a VAR that would explode."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")
pytest.importorskip("statsmodels")

from statsmodels.tsa.api import VAR

from samovar_forecast.comparison import GuardedVAR, RefusedVARWarning, RidgeVAR, compare
from samovar_forecast.comparison.classical import most_growth
from samovar_forecast.exceptions import DataError
from samovar_forecast.linear.orders import largest_order
from samovar_forecast.linear.simulate import largest_root


def twice_integrated(n_rows: int, n_series: int, seed: int) -> pd.DataFrame:
    """Series whose slopes are random walks: least squares finds roots beyond 1 in them."""
    shocks = np.random.default_rng(seed).normal(size=(n_rows, n_series))
    columns = [f"series {number}" for number in range(n_series)]
    return pd.DataFrame(shocks.cumsum(axis=0).cumsum(axis=0), columns=columns)


def by_aic(y: pd.DataFrame):
    return VAR(y.to_numpy()).fit(largest_order(*y.shape), ic="aic")


def test_an_explosive_order_gives_way_to_the_highest_stable_one_below_and_says_so():
    y = twice_integrated(60, 3, seed=4)
    asked = by_aic(y)
    assert largest_root(asked.coefs) > most_growth(60)
    with pytest.warns(RefusedVARWarning, match=r"order 4, for that of order 5 by AIC explodes"):
        fitted = GuardedVAR().fit(y, fh=[1, 2])
    assert (asked.k_ar, fitted.results_.k_ar) == (5, 4)
    assert largest_root(fitted.results_.coefs) <= most_growth(60)
    expected = VAR(y.to_numpy()).fit(4).forecast(y.to_numpy()[-4:], 2)
    np.testing.assert_allclose(fitted.predict(), expected)


def test_where_every_order_explodes_a_ridge_var_forecasts_and_the_leaderboard_says_so():
    y = twice_integrated(60, 5, seed=2)
    with pytest.raises(DataError, match=r"explodes at every order up to 3; found: largest root 1"):
        GuardedVAR().fit(y, fh=[1])
    with pytest.warns(RefusedVARWarning, match="a ridge VAR in place of the VAR: the VAR explodes"):
        fitted = GuardedVAR(when_refused="ridge").fit(y, fh=[1, 2, 3])
    pd.testing.assert_frame_equal(fitted.predict(), RidgeVAR().fit(y, fh=[1, 2, 3]).predict())
    models = {"VAR": GuardedVAR(when_refused="ridge")}
    found = compare(y, 3, models, n_origins=1, classical=False, progress=False)
    assert "the VAR explodes" in found.effort().loc["VAR", "note"]


def test_a_unit_root_of_a_random_walk_is_no_explosion():
    for seed in range(10):
        walks = np.random.default_rng(seed).normal(size=(80, 3)).cumsum(axis=0)
        fitted = GuardedVAR().fit(pd.DataFrame(walks), fh=[1])  # without a warning
        assert fitted.results_.k_ar == by_aic(pd.DataFrame(walks)).k_ar
