"""The lags that hold nearly all of the weight, and what the others add up to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.datasets import macrodata

from samovar_forecast.dynamics.effective_lags import effective_lags, lag_shares, sum_beyond
from samovar_forecast.dynamics.panel_reading import read_var
from samovar_forecast.linear.simulate import simulate_var


def test_the_number_of_lags_holds_the_share() -> None:
    shares = np.array([[0.5, 1.0, 0.0], [0.3, 0.0, 0.0], [0.15, 0.0, 0.0], [0.05, 0.0, 0.0]])
    assert effective_lags(shares).tolist() == [3, 1, 0]
    assert effective_lags(shares, 0.96).tolist() == [4, 1, 0]


def test_a_share_is_that_of_the_variance_that_errors_in_the_rows_bring() -> None:
    rng = np.random.default_rng(0)
    coefs, deviations = rng.normal(size=(3, 2, 2)), np.array([2.0, 0.5])
    shares = lag_shares(coefs, deviations)
    assert np.allclose(shares.sum(axis=0), 1)
    errors = 0.1 * deviations * rng.standard_normal((200_000, 3, 2))
    by_lag = np.einsum("lck,nlk->nlc", coefs, errors).var(axis=0)
    np.testing.assert_allclose(shares, by_lag / by_lag.sum(axis=0), atol=0.01)
    metres = np.array([1000.0, 1.0])  # the unit of a series changes nothing
    in_metres = coefs * metres[:, None] / metres
    assert np.allclose(lag_shares(in_metres, deviations * metres), shares)


def test_what_is_left_of_the_own_sums() -> None:
    coefs = np.zeros((4, 2, 2))
    coefs[:, 0, 0], coefs[:, 1, 1], coefs[:, 0, 1] = (0.5, 0.2, 0.1, 0.05), (0.9, 0, 0, -0.1), 9.0
    assert sum_beyond(coefs, np.array([2, 4])) == pytest.approx([0.15, 0.0])


@pytest.mark.parametrize("order", [1, 2])
def test_the_order_of_a_var_is_found_although_a_forecast_reads_all_rows(order: int) -> None:
    coefs = np.array([[[0.6, 0.2], [-0.2, 0.5]], [[0.3, 0.0], [0.0, -0.4]]])[:order]
    y = pd.DataFrame(simulate_var(coefs, 300, random_state=1), columns=["a", "b"])
    var = read_var(y, horizon=2)
    assert var.order == 300
    assert var.select_order().tolist() == [order, order]
    assert var.at(part="dynamics").effective_lags(0.5).tolist() == [1, 1]


def test_on_us_macro_few_lags_hold_the_weight_and_many_the_sizes() -> None:
    table = macrodata.load_pandas().data[["infl", "unemp", "tbilrate"]].iloc[1:]
    quarters = pd.period_range("1959Q2", periods=len(table), freq="Q")
    var = read_var(table.set_axis(quarters), horizon=8)
    assert var.select_order().between(1, 4).all()
    local = var.at(part="dynamics")
    sizes = (np.abs(local.coefs) * local.deviations / local.deviations[:, None]).sum(axis=2)
    assert (effective_lags(sizes / sizes.sum(axis=0)) > 50).all()


def test_an_average_of_small_weights_of_one_sign_is_not_overlooked() -> None:
    smoothing = 0.2 * 0.8 ** np.arange(100)
    shares = lag_shares(smoothing[:, None, None], np.ones(1))
    # 1 - 0.64 ** n is at least 95 % from the seventh lag on
    assert effective_lags(shares).tolist() == [7]
