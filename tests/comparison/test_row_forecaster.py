"""The forecaster behind a row: it moves on to new rows, and refits where it is asked to."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sktime.utils.estimator_checks import check_estimator

from samovar_forecast.comparison import GuardedAR, GuardedVAR, RepeatSeason, RidgeVAR
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
