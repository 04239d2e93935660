"""Smoothed paths are a distribution with a density everywhere, and the moments of the paths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("skpro", reason="skpro is not installed")

from skpro.utils.estimator_checks import check_estimator

from samovar_forecast.adapters.sktime.distribution import SmoothedPaths

COLUMNS = pd.Index(["a", "b"])


def joint(n_paths: int = 80) -> tuple[np.ndarray, SmoothedPaths]:
    rng = np.random.default_rng(0)
    paths = rng.normal(size=(n_paths, 1, 1)) + 0.2 * rng.normal(size=(n_paths, 3, 2))
    return paths, SmoothedPaths(paths, pd.RangeIndex(3), COLUMNS)


def test_mean_and_variance_are_those_of_the_paths():
    paths, distribution = joint()
    assert_allclose(distribution.mean(), paths.mean(axis=0))
    assert_allclose(distribution.var(), paths.var(axis=0))


def test_the_density_integrates_to_the_distribution_function():
    paths, _ = joint()
    single = SmoothedPaths(paths[:, 0, 0])
    grid = np.linspace(-30, 30, 60_001)
    density = np.exp([single.log_pdf(x) for x in grid[::10]])
    step = grid[10] - grid[0]
    assert_allclose(density.sum() * step, 1, atol=1e-6)
    middle = len(density) // 2
    assert_allclose(density[:middle].sum() * step, single.cdf(-step / 2), atol=1e-4)
    assert_allclose((density * grid[::10] ** 2).sum() * step, single.var() + single.mean() ** 2,
                    rtol=1e-4)  # fmt: skip


def test_quantiles_undo_the_distribution_function_in_the_tails_too():
    _, distribution = joint()
    for level in (1e-6, 0.2, 0.5, 0.999):
        levels = pd.DataFrame(np.full((3, 2), level), columns=COLUMNS)
        assert_allclose(distribution.cdf(distribution.ppf(levels)), level, rtol=1e-6)


def test_the_log_density_is_finite_however_far_and_of_a_constant():
    _, distribution = joint()
    far = pd.DataFrame(np.full((3, 2), 1e8), columns=COLUMNS)
    assert np.isfinite(distribution.log_pdf(far)).all(axis=None)
    constant = SmoothedPaths(np.full((9, 1, 1), 5.0), pd.RangeIndex(1), COLUMNS[:1])
    assert np.isfinite(constant.log_pdf(constant.mean() + 1)).all(axis=None)
    assert (constant.var() == 0).all(axis=None)


def test_distances_are_those_of_many_samples():
    paths, _ = joint()
    single = SmoothedPaths(paths[:, 0, 0])
    np.random.seed(0)
    drawn = single.sample(40_000).to_numpy()[:, 0]
    assert_allclose(single.energy(0.7), np.abs(drawn - 0.7).mean(), rtol=0.02)
    assert_allclose(single.energy(), np.abs(drawn[::2] - drawn[1::2]).mean(), rtol=0.03)


def test_samples_are_joint_over_rows_and_series():
    _, distribution = joint()
    np.random.seed(0)
    drawn = distribution.sample(4000)
    assert drawn.groupby(level=1).var(ddof=0).sub(distribution.var()).abs().max(axis=None) < 0.1
    wide = drawn.unstack()
    assert wide.corr().to_numpy().min() > 0.7


def test_rows_with_fewer_paths_are_those_of_their_own():
    paths, _ = joint(20)
    padded = np.concatenate([paths, np.full((5, 3, 2), np.nan)])
    short = SmoothedPaths(padded, pd.RangeIndex(3), COLUMNS)
    whole = SmoothedPaths(paths, pd.RangeIndex(3), COLUMNS)
    at = whole.mean() + 0.3
    for ask in ("cdf", "pdf", "energy"):
        assert_allclose(getattr(short, ask)(at), getattr(whole, ask)(at))


def test_a_part_of_the_rows_and_series_is_the_distribution_of_that_part():
    paths, distribution = joint()
    part = distribution.loc[[1, 2], ["b"]]
    assert_allclose(part.mean(), paths.mean(axis=0)[1:, 1:])
    assert_allclose(distribution.iloc[0, 1].mean(), paths[:, 0, 1].mean())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # skpro's tests warn of skpro's own approximations
def test_skpro_s_own_checks_pass():
    results = check_estimator(SmoothedPaths, raise_exceptions=True, verbose=False)
    assert results
