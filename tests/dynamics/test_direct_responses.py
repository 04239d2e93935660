"""Responses of direct forecasts: those of a VAR where its steps are iterated, else their own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.vector_ar.var_model import VARProcess

from samovar_forecast.dynamics.direct_responses import direct_connectedness, direct_irf
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.forecast_reading import FADING
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.forecast import LinearForecast
from samovar_forecast.linear.linear_map import LinearMap, iterate
from tests.builders.members import average_var, common_records_held, linear_var, seasonal_frame
from tests.builders.steps import COEFS, INTERCEPT, SIGMA


@pytest.fixture(scope="module")
def linear() -> DynamicVAR:
    """Return a VAR whose steps are those of the VAR iterated."""
    lags, intercepts = iterate(COEFS, INTERCEPT, 6)
    member = LinearForecast(LinearMap.of(cross=lags, intercept=intercepts), {})
    y = np.random.default_rng(0).normal(size=(30, 3))
    shares = {"linear": np.ones((6, 3))}
    return DynamicVAR.from_members({"linear": member}, shares, y, sigma_u=SIGMA)


def test_they_are_the_ma_representation_of_a_var_whose_steps_are_iterated(linear) -> None:
    process = VARProcess(COEFS, INTERCEPT, SIGMA)
    found = linear.irf(6, method="direct", origin=[10, 20])
    assert np.allclose(found.values, process.ma_rep(6), atol=1e-12)
    orth = linear.irf(6, method="direct", orth=True, size=-2.0)
    assert np.allclose(orth.estimate, -2 * process.orth_ma_rep(6), atol=1e-12)
    assert np.allclose(orth.values, linear.irf(6, orth=True, size=-2.0, method="iterated").values)
    assert (orth.method, orth.kind, orth.size) == ("direct", "orth", -2.0)


def test_shares_of_forecast_errors_are_those_of_a_var_whose_steps_are_iterated(linear) -> None:
    for periods in (1, 5):
        found = linear.fevd(periods, method="direct")
        assert np.allclose(found.values, linear.fevd(periods, method="iterated").values, atol=1e-12)


def test_they_are_the_change_of_the_forecast_that_users_get() -> None:
    average, y = average_var(n_rows=30), seasonal_frame(30)
    found = average.irf(4, part="total").values[0]
    scale = average.data.target.scaler.scale
    for k in range(3):
        moved = []
        with common_records_held():
            average.forecast()
            for sign in (1, -1):
                changed = y.copy()
                changed.iloc[-1, k] += sign * 1e-5 * scale[k]
                moved.append(average.on(changed).forecast().to_numpy())
        slope = (moved[0] - moved[1]) / (2e-5 * scale[k])
        assert np.allclose(found[1:, :, k] / scale, slope[:4] / scale, atol=1e-4 / scale[k])
    assert np.array_equal(found[0], np.eye(3))


def test_what_has_no_answer_is_refused(linear) -> None:
    with pytest.raises(ConfigurationError, match="no such step"):
        linear.irf(7, method="direct")
    with pytest.raises(ConfigurationError, match="no such method"):
        linear.irf(3, method="fast")
    with pytest.raises(ConfigurationError, match="sigma_u"):
        direct_irf(np.zeros((1, 2, 3, 3)), ["a", "b", "c"], [0], orth=True)


def test_connectedness_follows_the_responses_and_the_volatility_of_each_origin(linear) -> None:
    origins = linear.origins[-4:]
    found = linear.connectedness(5, origins=origins)
    assert found.method == "direct"
    assert np.allclose(found.values.sum(axis=-1), 1)
    process = linear.to_statsmodels()
    ma = process.ma_rep(4)
    for origin, shares in zip(origins, found.values, strict=True):
        sigma = linear.sigma_at(origin)
        squares = ((ma @ sigma / np.sqrt(np.diag(sigma))) ** 2).sum(axis=0)
        assert np.allclose(shares, squares / squares.sum(axis=1, keepdims=True), atol=1e-8)
    assert len(repr(found)) < 120
    with pytest.raises(DataError, match="at least two series"):
        direct_connectedness(np.zeros((1, 2, 1, 1)), ["a"], [0], sigmas=np.ones((1, 1, 1)))


def test_the_covariance_of_an_origin_weighs_its_newest_errors_most(linear) -> None:
    newest = linear.origins[-1]
    errors = linear.resid.loc[:newest].to_numpy()[::-1]
    fading, worth = FADING ** np.arange(len(errors)), 2 * linear.neqs
    squares = np.einsum("t,tc,tk->ck", fading, errors, errors) + worth * linear.sigma_u
    assert np.allclose(linear.sigma_at(newest), squares / (fading.sum() + worth))


def test_a_shock_to_a_series_whose_newest_values_are_missing_is_that_of_its_next_value() -> None:
    coefs = np.array([[[0.6, 0.3], [0.1, 0.5]], [[0.1, 0.0], [0.2, 0.1]]])
    y = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a", "b"])
    whole = linear_var(coefs, y)
    for n_missing in (1, 2, 3):
        y.iloc[-n_missing:, 1] = np.nan
        ragged = linear_var(coefs, y)
        assert np.allclose(ragged.irf(4).values, whole.irf(4).values)
        sigma_u = {"sigma_u": whole.sigma_u}
        known = [DynamicVAR(var._map, var.data, **sigma_u) for var in (ragged, whole)]
        assert np.allclose(known[0].fevd(4).values, known[1].fevd(4).values)
        assert np.allclose(ragged.at(part="dynamics").lag(1)[:, 1], 0)  # of the window as it is


def test_the_network_responds_to_a_series_whose_newest_value_is_missing() -> None:
    y = seasonal_frame(30)
    y.iloc[-1, 1] = np.nan
    ragged = average_var(n_rows=30).on(y)
    y.iloc[-1, 1] = y.iloc[-2, 1]
    filled = average_var(n_rows=30).on(y)
    assert np.allclose(ragged.irf(3).values, filled.irf(3).values, rtol=1e-6)
    assert (np.abs(ragged.irf(3).values[0, 1, :, 1]) > 0).all()


def test_a_series_that_does_not_move_is_named() -> None:
    coefs = np.array([[[0.6, 0.0], [0.0, 1.0]]])
    y = np.column_stack([np.random.default_rng(0).normal(size=40), np.full(40, 3.0)])
    still = linear_var(coefs, pd.DataFrame(y, columns=["a", "flat"]))
    with pytest.raises(DataError, match=r"no one-step errors.*found: \['flat'\]"):
        still.connectedness(3)
    with pytest.raises(DataError, match=r"a shock stays for ever; found: \['flat'\]"):
        still.long_run_effects()
    table = still.reliance().set_index(["caused", "causing"])
    assert table.loc[("flat", "a"), ["loss_increase", "movement"]].isna().all()
    assert np.isfinite(table.loc[("a", "flat"), ["loss_increase", "movement"]].astype(float)).all()


def test_responses_that_grow_have_no_sum() -> None:
    y = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a", "b"])
    growing = linear_var(np.array([[[1.1, 0.0], [0.2, 0.5]]]), y)
    with pytest.raises(DataError, match=r"does not die out; found: largest root 1\.1"):
        growing.long_run_effects()
    fading = linear_var(np.array([[[0.9, 0.0], [0.2, 0.5]]]), y)
    assert np.allclose(fading.long_run_effects(), [[10.0, 0.0], [4.0, 2.0]])


def test_what_is_no_number_of_periods_is_refused(linear) -> None:
    for periods in (3.0, -1, True):
        with pytest.raises(ConfigurationError, match="periods; found"):
            linear.irf(periods)
    assert linear.irf().periods == linear.patch_length
    assert linear.fevd().periods == linear.patch_length + 1
    several = linear.irf(2, origin=(10, 20))
    assert several.origins == (10, 20)
    assert r"\begin{tabular}" in several.to_latex()
