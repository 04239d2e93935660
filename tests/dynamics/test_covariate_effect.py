"""The effect of covariates in windows: rows before a history, gaps, and its derivative."""

from __future__ import annotations

import numpy as np

from samovar_forecast.dynamics.covariate_effect import effect_in, slope_by_covariates
from tests.builders.members import covariate_effect


def test_rows_before_a_history_count_as_its_first_row() -> None:
    covariates = np.random.default_rng(0).normal(size=(2, 9, 2))
    late = covariates.copy()
    late[1, :4] = np.nan
    got = effect_in(covariate_effect(), late)
    assert np.array_equal(got[0], covariate_effect()(covariates[0]))
    assert np.array_equal(got[1, 4:], covariate_effect()(covariates[1, 4:]))
    assert effect_in(None, late) is None


def test_the_derivative_is_that_of_a_forecast_without_and_with_the_effect() -> None:
    rng = np.random.default_rng(1)
    covariates, slope = rng.normal(size=(12, 2)), rng.normal(size=(2, 3, 8, 3))
    covariates[:3] = np.nan
    covariates[5, 1] = np.nan
    weights = rng.normal(size=(2, 4, 3))

    def forecast(known):
        added = effect_in(covariate_effect(), known[None])[0]
        taken = np.einsum("rctk,tk->rc", slope, -added[:8])
        return taken + np.einsum("rsc,sc->rc", weights, added[8:])

    got = slope_by_covariates(covariate_effect(), slope, weights, covariates)
    for row, column in np.ndindex(*covariates.shape):
        if np.isnan(covariates[row, column]):
            assert np.all(got[:, :, row, column] == 0)
            continue
        moved = covariates.copy()
        moved[row, column] += 1
        assert np.allclose(got[:, :, row, column], forecast(moved) - forecast(covariates))
