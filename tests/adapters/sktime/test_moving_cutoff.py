"""``update_predict`` makes the forecasts of sktime's own loop, many cutoffs in one batch."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sktime.forecasting.base import BaseForecaster
from sktime.split import ExpandingWindowSplitter, SlidingWindowSplitter

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.adapters.sktime import moving_cutoff
from samovar_forecast.exceptions import DataError

TRAINED = {
    **{"linear": True, "pretrained": False, "train": True, "max_epochs": 1, "random_state": 0},
    **{"d_model": 8, "n_layers": 1, "patch_length": 2, "context_length": 12},
}
SPLITTERS = {
    "sliding": SlidingWindowSplitter(
        fh=[1, 2, 4], window_length=1, step_length=1, start_with_window=True
    ),
    "sliding by two": SlidingWindowSplitter(
        fh=[1, 3], window_length=2, step_length=2, start_with_window=True
    ),
    "overlapping": SlidingWindowSplitter(fh=[2], window_length=3, step_length=1),
    "expanding": ExpandingWindowSplitter(fh=[1, 2], initial_window=2, step_length=1),
    "a single step": ExpandingWindowSplitter(fh=[1], initial_window=1),
}


def series(n_time: int, seed: int = 0, columns: tuple[str, ...] = ("a", "b")) -> pd.DataFrame:
    walks = np.random.default_rng(seed).normal(size=(n_time, len(columns))).cumsum(axis=0)
    return pd.DataFrame(walks, pd.period_range("2001-01", periods=n_time, freq="M"), columns)


def covariates(n_time: int) -> pd.DataFrame:
    return series(n_time, 3, ("promo", "price"))


def loop_of_sktime(forecaster: SAMoVARForecaster, y, cv, **options):
    """Return what sktime's loop answers, from the method that ours takes the place of."""
    alone = type("Alone", (SAMoVARForecaster,), {})
    alone._predict_moving_cutoff = BaseForecaster._predict_moving_cutoff
    other = copy.deepcopy(forecaster)
    other.__class__ = alone
    answer = other.update_predict(y, cv, update_params=False, **options)
    return answer, other


def check_same(found, wanted, rtol: float) -> None:
    """The frames are alike but for last digits, which depend on what is multiplied at once."""
    assert type(found) is type(wanted)
    pd.testing.assert_index_equal(found.index, wanted.index)
    if isinstance(wanted, pd.DataFrame):
        pd.testing.assert_index_equal(found.columns, wanted.columns)
    assert_allclose(found, wanted, rtol=rtol, atol=rtol)


@pytest.fixture(scope="module")
def fitted() -> dict[str, SAMoVARForecaster]:
    y, X = series(60), covariates(60)
    many = pd.concat({key: series(60, seed) for seed, key in enumerate("xyz")}, names=["i", "t"])
    return {
        "default": SAMoVARForecaster().fit(y, fh=[1, 2]),
        "one series": SAMoVARForecaster().fit(y["a"], fh=[1, 2]),
        "covariates": SAMoVARForecaster(past_covariates=["price"]).fit(y, X, fh=[1, 2]),
        "a panel": SAMoVARForecaster().fit(many, fh=[1, 2]),
        "trained": SAMoVARForecaster(**TRAINED).fit(y, fh=[1, 2]),
    }


def newer(kind: str):
    """Return rows that follow those of the fit, and the covariates of a longer time."""
    y, X = series(80), covariates(90)
    if kind == "one series":
        return y["a"].iloc[60:], None
    if kind == "a panel":
        rows = {key: series(80, seed).iloc[60:] for seed, key in enumerate("xyz")}
        return pd.concat(rows, names=["i", "t"]), None
    return y.iloc[60:], X.iloc[60:] if kind == "covariates" else None


@pytest.mark.parametrize("is_reset", [True, False])
@pytest.mark.parametrize("splitter", SPLITTERS)
@pytest.mark.parametrize("kind", ["default", "one series", "covariates", "a panel", "trained"])
def test_the_forecasts_are_those_of_sktimes_loop(kind, splitter, is_reset, fitted, monkeypatch):
    monkeypatch.setattr(moving_cutoff, "CUTOFFS_AT_ONCE", 7)
    y, X = newer(kind)
    options = {"X": X, "reset_forecaster": is_reset}
    wanted, by_loop = loop_of_sktime(fitted[kind], y, SPLITTERS[splitter], **options)
    forecaster = copy.deepcopy(fitted[kind])
    found = forecaster.update_predict(y, SPLITTERS[splitter], update_params=False, **options)
    rtol = 1e-5 if kind == "trained" else 1e-6  # the networks compute in float32
    check_same(found, wanted, rtol)
    assert forecaster.cutoff.equals(by_loop.cutoff)
    steps = [1, 2]
    ahead = None if X is None else covariates(90).iloc[-30:]
    check_same(forecaster.predict(steps, ahead), by_loop.predict(steps, ahead), rtol)
    assert forecaster._data == by_loop._data


def test_a_batch_is_read_at_once_and_nothing_is_copied(fitted, monkeypatch):
    calls = []
    together = moving_cutoff.PanelForecaster.beside_each_other

    def counted(models):
        calls.append(len(models))
        return together(models)

    monkeypatch.setattr(moving_cutoff.PanelForecaster, "beside_each_other", counted)
    monkeypatch.setattr(moving_cutoff, "CUTOFFS_AT_ONCE", 12)
    monkeypatch.setattr(copy, "deepcopy", lambda *_: pytest.fail("a deep copy"))
    y, _ = newer("default")
    fitted["default"].update_predict(y, SPLITTERS["sliding"], update_params=False)
    assert sum(calls) == len(list(SPLITTERS["sliding"].split(y)))
    assert calls[0] == 12


@pytest.mark.parametrize("fh", [[0, 1], [0]])
def test_the_past_is_left_to_sktimes_loop(fh, fitted):
    cv = SlidingWindowSplitter(fh=fh, window_length=1, step_length=1, start_with_window=True)
    wanted, _ = loop_of_sktime(fitted["default"], newer("default")[0], cv)
    found = fitted["default"].update_predict(newer("default")[0], cv, update_params=False)
    pd.testing.assert_frame_equal(found, wanted)


def test_rows_that_do_not_continue_the_series_leave_the_forecaster_as_it_was(fitted):
    forecaster = copy.deepcopy(fitted["default"])
    before = forecaster.predict()
    with pytest.raises(DataError, match="y does not continue the series"):
        forecaster.update_predict(
            series(80).iloc[70:], SPLITTERS["sliding"], update_params=False, reset_forecaster=False
        )
    pd.testing.assert_frame_equal(forecaster.predict(), before)
