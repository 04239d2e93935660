"""A call that fails names what was found and where, and leaves the earlier state usable."""

from __future__ import annotations

import copy
import inspect

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sktime.split import SlidingWindowSplitter

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.exceptions import DataError
from tests.builders.sktime import TINY, panel, wave, waves


@pytest.fixture(scope="module")
def fitted() -> SAMoVARForecaster:
    return SAMoVARForecaster(**TINY).fit(wave().iloc[:50], fh=[1, 2, 3])


WHOLE = wave()
BAD_INPUT = {
    "a column without a value": (WHOLE.assign(b=np.nan), r"column 'b' of y has no value at all"),
    "infinity": (
        pd.concat([WHOLE.iloc[:7], WHOLE.iloc[7:8] * np.inf, WHOLE.iloc[8:]]),
        r"column 'a' of y has infinite.*1, the first at 2024-01-08.*1 more columns",
    ),
    "text": (WHOLE.assign(c="x"), r"column 'c' of y is not numeric"),
    "unsorted": (WHOLE.iloc[::-1], r"not sorted.*row 1"),
    "repeated": (pd.concat([WHOLE, WHOLE.iloc[-1:]]), r"repeats times.*2024-02-29"),
    "a gap": (WHOLE.drop(WHOLE.index[20]), r"has gaps.*the first after 2024-01-20"),
    "too short": (WHOLE.iloc[:1], r"frequency of y is not known|too short"),
    "a series with an infinite value": (
        WHOLE["a"].where(WHOLE.index > "2024-01-02", -np.inf),
        r"column 'a' of y has infinite.*2, the first at 2024-01-01",
    ),
}


@pytest.mark.parametrize(("bad", "message"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_refused_and_leaves_the_earlier_fit_usable(bad, message):
    forecaster = SAMoVARForecaster(**TINY).fit(WHOLE, fh=[1, 2])
    expected = forecaster.predict()
    for refit in (forecaster.fit, forecaster.fit_predict):
        with pytest.raises(DataError, match=message):
            refit(bad, fh=[1, 2, 3])
        pd.testing.assert_frame_equal(forecaster.predict(), expected)
    assert forecaster.cutoff[0] == WHOLE.index[-1]


def test_a_refused_forecast_after_new_rows_leaves_the_rows_out(fitted):
    forecaster = copy.deepcopy(fitted)
    expected, newer = forecaster.predict(fh=[1, 2]), wave().iloc[50:53]
    with pytest.raises(DataError, match="reaches too far"):
        forecaster.update_predict_single(newer, fh=[10**9])
    pd.testing.assert_frame_equal(forecaster.predict(fh=[1, 2]), expected)
    moved = forecaster.update_predict_single(newer, fh=[1, 2], update_params=False)
    assert moved.index[0] == newer.index[-1] + pd.Timedelta(days=1)


TAKES_A_HORIZON = {
    "fit": {"y": wave()},
    "fit_predict": {"y": wave()},
    "plot": {},
    "predict": {},
    "predict_interval": {},
    "predict_proba": {},
    "predict_quantiles": {},
    "predict_var": {},
    "pretrain": {"y": panel()},
    "sample_paths": {},
    "score": {"y": wave().iloc[50:]},
    "update_predict_single": {"y": wave().iloc[50:53]},
}


def test_all_methods_that_take_a_horizon_are_known():
    public = {
        name: method
        for name, method in inspect.getmembers(SAMoVARForecaster, inspect.isfunction)
        if not name.startswith("_")
    }
    takes_one = {name for name in public if "fh" in inspect.signature(public[name]).parameters}
    assert takes_one == set(TAKES_A_HORIZON)


@pytest.mark.parametrize("method", TAKES_A_HORIZON)
@pytest.mark.parametrize("before", [[1, 2], None], ids=["a horizon", "no horizon yet"])
def test_a_failed_call_changes_no_horizon(method, before):
    forecaster = SAMoVARForecaster(pretrained=False).fit(wave().iloc[:50], fh=before)
    expected = copy.copy(forecaster).predict(fh=[1, 2])
    with pytest.raises(DataError, match="reaches too far"):
        getattr(forecaster, method)(**TAKES_A_HORIZON[method], fh=[10**9])
    kept = forecaster._fh
    assert kept is None if before is None else list(kept) == before
    pd.testing.assert_frame_equal(forecaster.predict(fh=[1, 2]), expected)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("sample_paths", {"n_paths": 10**9}),
        ("plot", {"instance": "nowhere"}),
        ("plot", {"no_such_option": 1}),
        ("score", {"y": wave().iloc[:7]}),
    ],
)
def test_other_failures_change_no_horizon_either(method, arguments):
    forecaster = SAMoVARForecaster(pretrained=False).fit(wave().iloc[:50], fh=[1, 2])
    with pytest.raises((ValueError, TypeError, AttributeError)):
        getattr(forecaster, method)(**arguments, fh=[1, 2, 3])
    assert list(forecaster.fh) == [1, 2]


@pytest.mark.parametrize("update_params", [True, False])
def test_a_failed_run_over_cutoffs_leaves_the_forecaster_where_it_was(update_params):
    forecaster = SAMoVARForecaster(pretrained=False).fit(wave().iloc[:40], fh=[1, 2])
    expected = forecaster.predict()
    windows = SlidingWindowSplitter(fh=[1], window_length=4, step_length=6)  # leaves rows out
    with pytest.raises(DataError, match="missing rows"):
        forecaster.update_predict(
            wave().iloc[40:], windows, update_params=update_params, reset_forecaster=False
        )
    assert list(forecaster.fh) == [1, 2]
    assert forecaster.cutoff[0] == wave().index[39]
    pd.testing.assert_frame_equal(forecaster.predict(), expected)


def test_a_horizon_that_no_integer_can_hold_is_refused(fitted):
    with pytest.raises(DataError, match="reaches too far"):
        fitted.predict(fh=10**30)


def test_a_reading_of_what_is_no_frame_is_refused(fitted):
    with pytest.raises(DataError, match="y is no frame; found: str"):
        fitted.explain("x")


def test_an_interrupted_refit_leaves_the_earlier_fit_usable(fitted, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    expected = fitted.predict(fh=[1, 2])
    monkeypatch.setattr("samovar_forecast.learning.training.fit_network", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(wave(n_series=4))
    pd.testing.assert_frame_equal(fitted.predict(fh=[1, 2]), expected)
    assert fitted.is_fitted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y[["a"]], r"other columns than in fit.*\['b'\] missing"),
        (lambda y: y.rename(columns={"b": "z"}), r"\['b'\] missing, \['z'\] not known"),
        (lambda y: y.assign(b=np.inf), r"column 'b' of y has infinite values; found: 10"),
        (lambda y: y.iloc[3:], r"does not continue.*3 missing rows after 2024-02-19"),
        (lambda y: y.set_axis(range(10)), r"index of y is of another kind than in fit"),
    ],
)
def test_a_bad_update_is_refused_and_changes_nothing(change, message):
    y = wave()
    forecaster = SAMoVARForecaster(**TINY, context_length=20).fit(y.iloc[:50], fh=[1, 2])
    expected = forecaster.predict()
    with pytest.raises(DataError, match=message):
        forecaster.update(change(y.iloc[50:]), update_params=False)
    pd.testing.assert_frame_equal(forecaster.predict(), expected)
    assert forecaster.cutoff[0] == y.index[49]


def test_times_of_another_kind_are_refused(fitted):
    with pytest.raises(DataError, match=r"another kind.*PeriodIndex.*DatetimeIndex"):
        fitted.predict(fh=pd.period_range("2024-03-01", periods=2, freq="D"))


@pytest.mark.parametrize(
    ("y", "fh", "message"),
    [
        (None, [1], r"pretrain has no rows.*found: y=None"),
        (panel(), 10**30, r"the horizon fh reaches too far"),
        (panel(), [], r"the horizon fh is empty"),
    ],
)
def test_a_pretraining_without_rows_or_steps_is_refused(y, fh, message):
    with pytest.raises(DataError, match=message):
        SAMoVARForecaster(**TINY).pretrain(y, fh=fh)


def test_a_list_of_frames_beside_covariates_is_refused_by_name():
    rows = wave()
    X = rows[["a"]].rename(columns={"a": "x"})
    with pytest.raises(DataError, match=r"y is a list of frames.*found: a list of 1"):
        SAMoVARForecaster(**TINY).fit([rows], X=X, fh=[1])


def test_a_failed_pretraining_leaves_the_earlier_one_usable():
    pretrained = SAMoVARForecaster(**TINY).pretrain(panel(), fh=[1, 2, 3])
    forecaster = pretrained.clone()
    with pytest.raises(DataError, match="infinite"):
        forecaster.pretrain(panel() * np.inf)
    assert forecaster.state == "pretrained"
    assert_array_equal(
        forecaster.fit(waves(), fh=1).predict(), pretrained.clone().fit(waves(), fh=1).predict()
    )
