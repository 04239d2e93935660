"""Paths of coefficients: their columns, their bands, and a choice of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.dynamics.coefficient_paths import CoefficientPaths, columns_of

ORIGINS = pd.period_range("2000-01", periods=4, freq="M")


@pytest.fixture
def paths() -> CoefficientPaths:
    rng = np.random.default_rng(0)
    columns = columns_of(["a", "b"], ["a", "b"], [1, 3])
    values, draws = rng.normal(size=(4, 8)), rng.normal(size=(19, 4, 8))
    return CoefficientPaths(values, ORIGINS, columns, "coefficients", "dynamics", 1, draws)


def test_a_path_is_found_by_its_columns(paths) -> None:
    chosen = paths[[("b", "a", 3), ("a", "a", 1)]]
    assert list(chosen.columns) == [("b", "a", 3), ("a", "a", 1)]
    pd.testing.assert_frame_equal(chosen.to_frame(), paths.to_frame()[list(chosen.columns)])
    pd.testing.assert_frame_equal(chosen.bounds()[0], paths.bounds()[0][list(chosen.columns)])
    assert len(paths["a"].columns) == 4
    assert paths.to_frame()["b", "a", 3].iloc[2] == paths.values[2, 5]


def test_bounds_are_frames_of_the_draws(paths) -> None:
    lower, upper = paths.bounds(0.9)
    assert np.allclose(lower, paths.draws.min(axis=0))
    assert np.allclose(upper, paths.draws.max(axis=0))
    assert lower.index.equals(ORIGINS)
    assert "2000-01" in paths.to_latex()
    assert "19 draws" in repr(paths)


def test_sums_have_no_lag() -> None:
    assert columns_of(["a"], ["a", "b"]).names == ["response", "impulse"]
