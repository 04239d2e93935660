"""The comparison: the same origins for all, honest rows, fits where they are due."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from sktime.split import ExpandingWindowSplitter
from statsmodels.tsa.api import VAR

from samovar_forecast.comparison import GuardedVAR, RepeatSeason, rolling
from samovar_forecast.exceptions import MissingPackageError
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


class TakesItsTime(RepeatSeason):
    """A naive forecast that is slow enough for tqdm to draw."""

    def _learn(self, values):
        time.sleep(0.12)


class ForecastsNothing(RepeatSeason):
    """A forecaster whose numbers are not numbers."""

    def _extrapolate(self, values, steps):
        return np.full((steps, values.shape[1]), np.nan)


def test_the_forecasts_are_those_that_each_model_makes_on_the_splitters_windows(comparison):
    y = comparison.y
    splitter = ExpandingWindowSplitter(
        fh=range(1, 7), initial_window=comparison.n_first, step_length=comparison.stride
    )
    for (train, test), origin in zip(splitter.split(y), comparison.origins, strict=True):
        expected = GuardedVAR().fit(y.iloc[train], fh=range(1, 7)).predict()
        got = forecasts_of(comparison, "VAR", origin)
        np.testing.assert_allclose(got["y_pred"], expected.to_numpy().ravel(), rtol=1e-12)
        np.testing.assert_array_equal(got["y_true"], y.iloc[test].to_numpy().ravel())
    assert comparison.forecasts["time"].max() == y.index[-1]


def test_every_model_is_judged_on_the_same_numbers(comparison):
    keys = ["origin", "step", "series", "time", "y_true"]
    frames = [
        rows[keys].reset_index(drop=True) for _, rows in comparison.forecasts.groupby("model")
    ]
    assert len(frames) == 5
    for other in frames[1:]:
        pd.testing.assert_frame_equal(frames[0], other)


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


def test_sliding_windows_keep_their_length():
    class Counts(RepeatSeason):
        lengths: list[int] = []

        def _learn(self, values):
            self.lengths.append(len(values))

    compare(simulated_var(), 2, {"counts": Counts()}, n_origins=3, window="sliding")
    compare(simulated_var(), 2, {"counts": Counts()}, n_origins=3, window="expanding", stride=5)
    sliding, expanding = Counts.lengths[:3], Counts.lengths[3:]
    assert len(set(sliding)) == 1
    assert np.diff(expanding).tolist() == [5, 5]


def test_neither_the_frame_nor_the_forecasters_are_touched():
    y, models = simulated_var(60), {"VAR": GuardedVAR()}
    before = y.copy()
    compare(y, 2, models, n_origins=2)
    pd.testing.assert_frame_equal(y, before)
    assert not models["VAR"].is_fitted


def test_a_progress_bar_shows_on_long_runs_and_is_off_on_request(capsys, monkeypatch):
    arguments = (simulated_var(60), 2, {"slow": TakesItsTime()})
    compare(*arguments, n_origins=3)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(rolling, "SECONDS_BEFORE_A_BAR", 0)
    compare(*arguments, n_origins=3)
    assert "slow:" in capsys.readouterr().err
    compare(*arguments, n_origins=3, progress=False)
    assert capsys.readouterr().err == ""


def test_without_sktime_the_message_says_what_to_install(uninstall):
    uninstall("sktime")
    with pytest.raises(MissingPackageError, match=r"compare needs .*sktime.*\[demo\]"):
        compare(simulated_var(60), 2)
