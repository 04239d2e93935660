"""What all maps share: weights by series, gaps in front, and the words of their protocol."""

from __future__ import annotations

import numpy as np

from samovar_forecast.dynamics.forecast_map import Shape, by_series, n_leading_gaps


def test_weights_of_steps_count_alike_for_every_series() -> None:
    weights = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(by_series(weights, 4), np.repeat(weights[:, :, None], 4, axis=2))
    own = np.ones((2, 3, 4))
    assert by_series(own, 4) is own


def test_rows_missing_in_front_are_those_missing_in_all_tables() -> None:
    target, past = np.zeros((3, 5, 2)), np.zeros((3, 5, 1))
    target[0, :3] = past[0, :2] = np.nan
    target[1, 2:] = np.nan
    target[2] = past[2] = np.nan
    assert n_leading_gaps(target).tolist() == [3, 0, 5]
    assert n_leading_gaps(target, past).tolist() == [2, 0, 5]
    assert n_leading_gaps(target, None).tolist() == [3, 0, 5]


def test_a_shape_without_covariates_may_have_gaps() -> None:
    shape = Shape(10, 3, 2)
    assert (shape.n_past_covariates, shape.n_future_covariates, shape.missing_values) == (
        0,
        0,
        True,
    )
