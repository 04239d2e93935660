"""Candidates are held against rows that were hidden from them, on short samples too."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear import estimate_anchor, estimate_each
from samovar_forecast.linear import held_out as module
from samovar_forecast.linear.candidates import LOOK_BACKS, Limits, filtered_candidates
from samovar_forecast.linear.held_out import CUTS, Fold
from samovar_forecast.linear.sample import Sample


@pytest.mark.parametrize("n_rows", [14, 60])
def test_every_origin_from_half_of_the_rows_on_counts_as_far_as_the_rows_reach(n_rows) -> None:
    y = np.random.default_rng(0).normal(size=(n_rows, 2)).cumsum(axis=0)
    trial = estimate_anchor([y], 6, n_rows).trial
    assert trial is not None
    assert trial.origin.tolist() == list(range(round(CUTS[0] * n_rows), n_rows))
    assert np.isfinite(trial.errors[:, 0]).all()
    reached = np.isfinite(trial.errors).all(axis=2).sum(axis=1)
    assert reached.tolist() == np.minimum(6, n_rows - trial.origin).tolist()


@pytest.mark.parametrize("gone", [slice(None, 40), slice(40, None)])
def test_a_series_that_begins_late_or_ends_takes_no_forecast_of_the_others_away(gone) -> None:
    y = np.random.default_rng(0).normal(size=(80, 3)).cumsum(axis=0)
    y[gone, 2] = np.nan
    trial = estimate_anchor([y], 4, 40).trial
    assert trial is not None
    ahead = trial.origin[:, None] + np.arange(4)
    is_known = np.isfinite(y[np.minimum(ahead, 79)]) & (ahead < 80)[..., None]  # B s C
    if gone.start is None:
        is_known[trial.origin <= 40, :, 2] = False  # nothing was known of it
    np.testing.assert_array_equal(np.isfinite(trial.errors), is_known)
    assert is_known[..., :2].sum() > 200


def test_errors_of_the_trial_are_in_the_units_of_the_data() -> None:
    y = np.random.default_rng(0).normal(size=(80, 1)).cumsum(axis=0)
    one, other = (estimate_anchor([some], 3, 40).trial for some in (y, 1000 * y + 5e4))
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(other.errors, 1000 * one.errors, rtol=1e-4, atol=1e-4)


def test_a_candidate_that_explodes_gets_nothing_and_silences_no_other() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(60, 3)).cumsum(axis=0)
    y[:, 2] *= 1e9
    shares = estimate_anchor([y], 8, 30).weights
    assert all(np.isfinite(share).all() for share in shares.values())
    scaled = estimate_anchor([y / np.array([1.0, 1.0, 1e9])], 8, 30).weights
    for name, share in shares.items():
        np.testing.assert_allclose(share, scaled[name], atol=1e-5)


def test_instances_on_their_own_are_estimated_as_if_there_were_no_other_of_another_length() -> None:
    rng = np.random.default_rng(0)
    walks = [rng.normal(size=(n, 1)).cumsum(axis=0) for n in (30, 41, 30)]
    fits = estimate_each(walks, 4, season=4)
    alone = estimate_each(walks[1:2], 4, season=4)[0]
    np.testing.assert_allclose(fits[1].map.own, alone.map.own)
    for fit, walk in zip(fits, walks, strict=True):
        ahead = fit.map(walk[None])[0]
        assert ahead.shape == (4, 1)
        assert np.abs(ahead - walk[-1]).max() < 3 * np.ptp(walk)
        assert fit.trial is not None
        assert fit.trial.errors.shape[2] == 1


def test_an_instance_of_several_series_or_with_gaps_is_estimated_as_a_system() -> None:
    rng = np.random.default_rng(0)
    pair, gappy = rng.normal(size=(50, 2)), rng.normal(size=(50, 1))
    gappy[20] = np.nan
    fits = estimate_each([pair, gappy], 3)
    np.testing.assert_allclose(fits[0].map.cross, estimate_anchor([pair], 3, 50).map.cross)
    assert np.isfinite(fits[1].map.own).all()


def test_the_var_that_forgets_weighs_one_step_ahead_by_the_rows_for_each_coefficient() -> None:
    y = np.random.default_rng(0).normal(size=(80, 4)).cumsum(axis=0)
    y[:, 3] = 1.0  # a series that does not vary has no coefficient
    sample = Sample.of([y])
    limits = Limits(3, 40, 1, True, 1, LOOK_BACKS)
    (filtered,) = filtered_candidates(sample.series, [[40]], sample.varies, limits)
    fold = Fold.of(sample, limits, filtered, 0.5, 1.0)
    assert module.rows_per_coef([fold], sample) == 80 / 4
    assert module.rows_per_coef([fold.until(60)], sample) == 60 / 4
    prior = module._prior_weights(["ar", "forgetting", "last"], 3, 20.0)
    np.testing.assert_allclose(prior[:, 0], np.array([1.0, 0.25 * 20, 0.3]) / 6.3)
    np.testing.assert_allclose(prior[:, 1:], np.array([[1.0, 0.1, 0.3]] * 2).T / 1.4)


def test_errors_inside_of_gaps_are_those_of_forecasts_from_the_last_value() -> None:
    """Of a random walk that is seen every third row, each value that comes is three steps off."""
    sizes = []
    for seed in range(4):
        y = np.random.default_rng(seed).normal(size=(160, 2)).cumsum(axis=0)
        y[np.arange(160) % 3 != 0, 1] = np.nan
        trial = estimate_anchor([y], 3, 60).trial
        assert trial is not None
        sizes.append(np.nanmean(np.square(trial.errors[..., 1]), axis=0))  # s
    np.testing.assert_allclose(np.mean(sizes, axis=0), 3.0, rtol=0.2)
