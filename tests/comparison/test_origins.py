"""A forecaster at every origin: fitted where it is due, moved on elsewhere, or refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.comparison import GuardedVAR, RepeatSeason, classical_forecasters
from samovar_forecast.comparison.origins import forecast_from
from samovar_forecast.comparison.stored_origins import OriginForecasts
from samovar_forecast.linear.orders import largest_order
from tests.builders.comparison import compare, forecasts_of, simulated_var


class Reverses(RepeatSeason):
    """A naive forecast whose columns come in another order."""

    def _predict(self, fh, X):
        return super()._predict(fh, X).iloc[:, ::-1]


class Renames(RepeatSeason):
    """A naive forecast whose columns have names of their own."""

    def _predict(self, fh, X):
        return super()._predict(fh, X).add_prefix("my_")


class ForecastsNothing(RepeatSeason):
    """A forecaster whose numbers are not numbers."""

    def _extrapolate(self, values, steps):
        return np.full((steps, values.shape[1]), np.nan)


def test_a_forecast_of_nan_is_a_failure():
    found = compare(simulated_var(), 2, {"nothing": ForecastsNothing()}, n_origins=2)
    assert found.forecasts.empty
    assert found.failures["failure"].str.contains("NaN or infinity").all()
    assert "No model served every origin" in str(found)


def test_a_forecast_is_read_by_its_names_and_refused_where_they_do_not_fit():
    models = {"naive": RepeatSeason(), "reversed": Reverses(), "renamed": Renames()}
    found = compare(simulated_var(), 2, models, n_origins=2)
    assert found.scores().loc["reversed"].tolist() == found.scores().loc["naive"].tolist()
    assert set(found.failures["model"]) == {"renamed"}
    assert "does not fit what was to be forecast" in found.effort().loc["renamed", "note"]


def one_by_one(forecaster):
    """A forecaster that is asked by sktime's update and predict, at each origin."""
    kind = type(forecaster)
    alone = type(f"{kind.__name__}Alone", (kind,), {"predict_origins": None})
    return alone(**forecaster.get_params(deep=False))


@pytest.mark.parametrize(
    ("name", "forecaster"),
    [
        *classical_forecasters(4).items(),
        ("SAMoVAR", SAMoVARForecaster()),
        ("zero-shot", SAMoVARForecaster(linear=False)),
        ("linear", SAMoVARForecaster(pretrained=False)),
    ],
)
def test_many_origins_are_answered_at_once_as_one_by_one(name, forecaster):
    y = simulated_var(90)[["a", "b"]]
    origins = [70, 73, 78, 81]
    splits = [(np.arange(n), np.arange(n, n + 5)) for n in origins]
    together = forecast_from(forecaster, y, splits, None, None)
    alone = forecast_from(one_by_one(forecaster), y, splits, None, None)
    rtol = 1e-9 if forecaster.get_params().get("pretrained", False) is False else 1e-5
    for left, right in zip(together, alone, strict=True):
        same = ("fitted", "failure", "note", "orders", "warnings")
        assert [left.record[key] for key in same] == [right.record[key] for key in same]
        deviation = y.std().to_numpy()
        pair = (left.forecasts, right.forecasts)
        values, by_level = (
            [getattr(one, part) for one in pair] for part in OriginForecasts._fields[:2]
        )
        np.testing.assert_allclose(*(one / deviation for one in values), rtol=rtol, atol=rtol)
        scaled = [one / deviation[:, None] for one in by_level]
        np.testing.assert_allclose(*scaled, rtol=rtol, atol=rtol)
    cutoffs = [outcomes[-1].fitted.cutoff for outcomes in (together, alone)]
    assert cutoffs[0].equals(cutoffs[1])
    assert cutoffs[0][0] == y.index[80]


class BreaksTogether(RepeatSeason):
    """A naive forecast that cannot answer many origins at once."""

    def predict_origins(self, y, origins, horizon, alpha):
        raise RuntimeError("not together")


def test_origins_that_cannot_be_answered_together_are_asked_for_alone():
    models = {"naive": RepeatSeason(), "breaks": BreaksTogether()}
    found = compare(simulated_var(), 2, models, n_origins=4, refit=2)
    assert found.failures.empty
    assert found.scores().loc["breaks"].equals(found.scores().loc["naive"])


@pytest.mark.parametrize(
    ("refit", "fits", "words"),
    [("every", 6, "every origin"), ("first", 1, "first origin only"), (4, 2, "every 4 origins")],
)
def test_the_refit_policy_decides_where_a_model_is_fitted_and_the_table_says_so(refit, fits, words):
    found = compare(simulated_var(), 2, {"VAR": GuardedVAR()}, n_origins=6, refit=refit)
    assert found.effort().loc["VAR", "fits"] == fits
    assert words in str(found)


def test_a_model_fitted_once_forecasts_from_each_new_origin_with_the_old_coefficients():
    models = {"old": GuardedVAR(), "new": GuardedVAR()}
    found = compare(simulated_var(), 3, models, n_origins=4, refit={"old": "first"})
    y = found.y
    first = VAR(y.iloc[: found.n_first].to_numpy()).fit(largest_order(found.n_first, 3), ic="aic")
    for origin in found.origins:
        known = y.loc[:origin].to_numpy()
        expected = first.forecast(known[-first.k_ar :], 3)
        got = forecasts_of(found, "old", origin)["y_pred"]
        np.testing.assert_allclose(got.to_numpy().reshape(3, 3), expected)
    assert found.effort()["fits"].to_dict() == {"old": 1, "new": 4}


class CannotMoveOn(RepeatSeason):
    """A naive forecast that says it must be fitted to move on."""

    _tags = {"capability:update": False}


def test_a_forecaster_without_an_update_of_its_own_is_fitted_at_every_origin():
    found = compare(simulated_var(), 2, {"still": CannotMoveOn()}, n_origins=3, refit="first")
    assert found.effort().loc["still", "fits"] == 3
    assert found.refit["still"] == "every origin"


def test_a_forecaster_that_would_forecast_from_the_old_origin_is_fitted_at_every_origin():
    from sktime.forecasting.exp_smoothing import ExponentialSmoothing

    models = {"smooth": ExponentialSmoothing()}
    y = simulated_var()[["a"]]
    once = compare(y, 2, models, n_origins=3, refit="first")
    assert once.refit["smooth"] == "every origin"
    every = compare(y, 2, models, n_origins=3)
    pd.testing.assert_frame_equal(once.forecasts, every.forecasts)
