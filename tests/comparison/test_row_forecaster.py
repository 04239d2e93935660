"""The forecaster behind a row: it moves on to new rows, and refits where it is asked to."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from darts.models import LinearRegressionModel
from sktime.utils.estimator_checks import check_estimator

from samovar_forecast.comparison import (
    DartsForecaster,
    GuardedAR,
    GuardedVAR,
    RepeatSeason,
    RidgeVAR,
    classical_forecasters,
)
from samovar_forecast.comparison.univariate import univariate_forecasters
from samovar_forecast.exceptions import DataError
from tests.builders.comparison import compare, simulated_var


@pytest.mark.parametrize("forecaster", [GuardedVAR(), GuardedAR(), RepeatSeason(4), RidgeVAR()])
def test_an_update_moves_the_forecast_on_and_refits_on_request(forecaster):
    y = simulated_var()
    moved = forecaster.clone().fit(y[:100], fh=[1, 2])
    before = moved.predict()
    moved.update(y[100:], update_params=False)
    fresh = forecaster.clone().fit(y, fh=[1, 2])
    refitted = forecaster.clone().fit(y[:100], fh=[1, 2]).update(y[100:], update_params=True)
    assert moved.predict().index.equals(fresh.predict().index)
    assert not np.allclose(moved.predict(), before)
    pd.testing.assert_frame_equal(refitted.predict(), fresh.predict())


ROWS = {
    **classical_forecasters(7),
    **univariate_forecasters(7),
    "darts": DartsForecaster(LinearRegressionModel(lags=3)),
}


def days(n_time: int = 60) -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=(n_time, 2)).cumsum(axis=0)
    index = pd.date_range("2020-01-01", periods=n_time, freq="D", name="day")
    return pd.DataFrame(values, index, ["a", "b"])


def test_an_update_with_earlier_rows_goes_back_to_them():
    y = days()
    moved = RepeatSeason().fit(y, fh=[1]).update(y[20:31], update_params=False)
    assert moved.cutoff[0] == y.index[30]
    expected = y[30:31].set_axis(y.index[31:32])
    pd.testing.assert_frame_equal(moved.predict(), expected, check_freq=False)
    revised = RepeatSeason().fit(y, fh=[1]).update(y[20:31] + 1, update_params=False)
    np.testing.assert_array_equal(revised.predict(), expected + 1)


@pytest.mark.filterwarnings("ignore::samovar_forecast.comparison.RefusedVARWarning")
@pytest.mark.parametrize("name", ROWS)
def test_every_row_goes_back_as_if_it_had_seen_no_more(name):
    y = days()
    back, ahead = (ROWS[name].clone().fit(y, fh=[1, 2]) for _ in range(2))
    back.update(y[20:31], update_params=False)
    expected, _ = ahead.predict_origins(y[:31], [31], 2, [0.5])
    assert list(back.predict().index) == list(y.index[31:33])
    np.testing.assert_allclose(back.predict(), expected[0], rtol=1e-6)
    fresh = ROWS[name].clone().fit(y[:31], fh=[1, 2])
    pd.testing.assert_frame_equal(back.update(y[20:31]).predict(), fresh.predict())


@pytest.mark.filterwarnings("ignore::samovar_forecast.comparison.RefusedVARWarning")
@pytest.mark.parametrize("name", ROWS)
def test_no_row_takes_rows_after_a_gap(name):
    y = days()
    row = ROWS[name].clone().fit(y[:40], fh=[1])
    for more in (y[50:55], y[45:]):
        for update_params in (True, False):
            with pytest.raises(DataError, match=r"missing rows after 2020-02-09.*rows between"):
                row.update(more, update_params=update_params)


@pytest.mark.parametrize(
    ("name", "n_rows"), [("Seasonal naive", 7), ("Theta (linear)", 8), ("Mean (linear)", 8)]
)
def test_a_row_does_not_go_back_to_fewer_rows_than_it_looks_back_on(name, n_rows):
    y = days()
    row = ROWS[name].clone().fit(y, fh=[1])
    with pytest.raises(DataError, match=f"{n_rows - 1} known rows.*wanted: the {n_rows} rows"):
        row.update(y[: n_rows - 1], update_params=False)
    assert np.isfinite(row.update(y[:n_rows], update_params=False).predict()).all(axis=None)


def test_rows_of_other_columns_are_no_update():
    with pytest.raises(DataError, match=r"\['b'\] missing, \['c'\] not known"):
        RepeatSeason().fit(days()[:40], fh=[1]).update(days()[40:].rename(columns={"b": "c"}))


def test_columns_that_are_called_true_and_false_are_columns():
    y = simulated_var().iloc[:, :2].set_axis([True, False], axis=1)
    moved = RidgeVAR().fit(y[:100], fh=[1]).update(y[100:], update_params=False)
    plain = RidgeVAR().fit(y[:100].set_axis(["a", "b"], axis=1), fh=[1])
    plain.update(y[100:].set_axis(["a", "b"], axis=1), update_params=False)
    np.testing.assert_array_equal(moved.predict().to_numpy(), plain.predict().to_numpy())
    compared = compare(y, 2, {"ridge": RidgeVAR()}, n_origins=3, refit="first", classical=False)
    assert compared.runs["failure"].isna().all()


@pytest.mark.slow
@pytest.mark.parametrize("forecaster", [GuardedVAR, GuardedAR, RepeatSeason, RidgeVAR])
def test_the_classical_forecasters_pass_sktimes_own_checks(forecaster):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what sktime's fixtures warn of is not our subject
        check_estimator(forecaster, raise_exceptions=True)
