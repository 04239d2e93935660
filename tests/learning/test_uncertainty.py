"""Predictive distributions are calibrated, coherent, and never cross."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from samovar_forecast.exceptions import DataError
from samovar_forecast.learning.uncertainty import (
    Calibration,
    Predictive,
    conformal_quantile,
    scores_of,
    values_of,
)
from samovar_forecast.network.heads import Head

LEVELS = np.array([0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999])
QUANTILE_HEAD = Head.of_quantiles([0.1, 0.25, 0.5, 0.75, 0.9])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rising_parameters(shape: tuple[int, ...], seed: int = 1) -> np.ndarray:
    return np.sort(rng(seed).normal(size=(*shape, 5)), axis=-1)


def test_scores_and_values_are_inverse_to_each_other() -> None:
    for head, parameters in (
        (Head.point(), rng(1).normal(size=(6, 3, 1))),
        (Head.gaussian(), np.abs(rng(1).normal(size=(6, 3, 2))) + 0.1),
        (QUANTILE_HEAD, rising_parameters((6, 3))),
    ):
        actual = 3 * rng(2).normal(size=(6, 3))
        scores = scores_of(actual, parameters, head)
        np.testing.assert_allclose(values_of(scores, parameters, head), actual, atol=1e-12)


def test_a_predicted_quantile_has_the_normal_score_of_its_level() -> None:
    parameters = rising_parameters((4, 2))
    for k, level in enumerate(QUANTILE_HEAD.quantiles):
        scores = scores_of(parameters[..., k], parameters, QUANTILE_HEAD)
        np.testing.assert_allclose(scores, norm.ppf(level), atol=1e-12)


def test_a_new_score_stays_below_the_conformal_quantile_with_its_level() -> None:
    """Exactly so for any continuous distribution at the levels k / (n + 1)."""
    draws = rng(3).gamma(2.0, size=(20, 40_000))
    for k in (1, 4, 19):
        below = draws[-1] <= conformal_quantile(draws[:-1], k / 20)
        assert below.mean() == pytest.approx(k / 20, abs=4 * np.sqrt(0.25 / 40_000))


def test_conformal_quantiles_leave_missing_scores_out() -> None:
    scores = rng().normal(size=(30, 4))
    gaps = np.vstack([np.full((7, 4), np.nan), scores, np.full((2, 4), np.nan)])
    for level in LEVELS:
        np.testing.assert_allclose(
            conformal_quantile(gaps, level), conformal_quantile(scores, level)
        )


def test_levels_out_of_reach_of_few_scores_go_on_outward() -> None:
    scores = rng().normal(size=(9, 1))
    outermost = conformal_quantile(scores, 0.1)
    assert outermost == pytest.approx(scores.min())
    assert conformal_quantile(scores, 0.01) < conformal_quantile(scores, 0.05) < outermost


@pytest.mark.parametrize("head", [Head.point(), Head.gaussian(), QUANTILE_HEAD])
def test_quantiles_never_cross(head: Head) -> None:
    parameters = np.abs(rising_parameters((8, 3)))[..., : head.n_params].cumsum(-1) + 0.1
    predictive = Predictive(parameters, head, rng().standard_t(2, size=(25, 8, 3)))
    assert (np.diff(predictive.quantiles(LEVELS), axis=0) > 0).all()


def test_gaussian_scores_give_gaussian_quantiles_and_variance() -> None:
    scores = norm.ppf((np.arange(4000) + 0.5) / 4000)[:, None, None]
    predictive = Predictive(np.array([[[2.0, 3.0]]]), Head.gaussian(), scores)
    quantiles = predictive.quantiles([0.1, 0.5, 0.9])[:, 0, 0]
    np.testing.assert_allclose(quantiles, norm.ppf([0.1, 0.5, 0.9], 2, 3), atol=0.01)
    assert predictive.variance()[0, 0] == pytest.approx(9.0, rel=0.01)
    assert predictive.point()[0, 0] == 2.0


def test_atoms_have_the_quantiles_and_the_dependence_of_the_held_out_windows() -> None:
    common = rng(5).normal(size=(400, 1, 1))
    scores = common + 0.5 * rng(6).normal(size=(400, 3, 2))
    predictive = Predictive(np.zeros((3, 2, 1)), Head.point(), scores)
    atoms = predictive.atoms()
    for level in (0.1, 0.5, 0.8):
        np.testing.assert_allclose(
            np.quantile(atoms, level, axis=0), predictive.quantiles([level])[0], atol=0.03
        )
    flat, held_out = atoms.reshape(400, -1), scores.reshape(400, -1)
    np.testing.assert_allclose(np.corrcoef(flat.T), np.corrcoef(held_out.T), atol=0.02)
    np.testing.assert_allclose(
        predictive.covariance()[1], np.cov(atoms[:, 1].T, bias=True), atol=1e-12
    )


def test_sample_paths_are_whole_rows_and_follow_the_generator() -> None:
    predictive = Predictive(np.zeros((3, 2, 1)), Head.point(), rng().normal(size=(50, 3, 2)))
    paths = predictive.sample(200, rng(1))
    assert paths.shape == (200, 3, 2)
    assert np.array_equal(paths, predictive.sample(200, rng(1)))
    rows = {tuple(row.ravel()) for row in predictive.atoms()}
    assert {tuple(path.ravel()) for path in paths} <= rows


def test_missing_scores_do_not_spoil_the_atoms() -> None:
    scores = rng().normal(size=(40, 3, 2))
    scores[5:20, 1, 0] = np.nan
    predictive = Predictive(np.zeros((3, 2, 1)), Head.point(), scores)
    assert np.isfinite(predictive.atoms()).all()
    assert np.isfinite(predictive.variance()).all()


def test_steps_beyond_the_calibrated_ones_widen_like_a_random_walk() -> None:
    scores = rng().normal(size=(30, 4, 2))
    calibration = Calibration(scores)
    got = calibration.at(np.array([2, 4, 16]))
    np.testing.assert_array_equal(got[:, 0], scores[:, 1])
    np.testing.assert_array_equal(got[:, 1], scores[:, 3])
    np.testing.assert_allclose(got[:, 2], 2 * scores[:, 3])


@pytest.mark.parametrize("scores", [np.empty((0, 2, 1)), np.full((3, 2, 1), np.nan)])
def test_nothing_held_out_is_an_error(scores: np.ndarray) -> None:
    with pytest.raises(DataError, match="no held-out forecasts"):
        Calibration(scores)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 5])
def test_a_level_outside_the_unit_interval_is_refused(level: float) -> None:
    with pytest.raises(DataError, match="level"):
        conformal_quantile(rng().normal(size=(9, 1)), level)
