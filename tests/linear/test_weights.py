"""Weights of an average: the best on the simplex, drawn to what is known before."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear.weights import horizon_bands, on_the_simplex, stacked_weights

EVEN = np.full(3, 1 / 3)


def errors_of(
    n_windows: int, sizes: tuple[float, ...] = (1.0, 1.5, 4.0), n_steps: int = 6, seed: int = 0
) -> np.ndarray:
    """Return independent errors of candidates with these deviations; (M, B, s, 2 series)."""
    noise = np.random.default_rng(seed).normal(size=(len(sizes), n_windows, n_steps, 2))
    return noise * np.array(sizes)[:, None, None, None]


def test_weights_on_the_simplex_are_the_best_of_many_tried() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        root = rng.normal(size=(4, 6))
        moments, prior, strength = root @ root.T, np.full(4, 0.25), rng.uniform(0.01, 2.0)
        found = on_the_simplex(moments, prior, strength)
        assert found.min() >= 0
        assert np.isclose(found.sum(), 1.0)

        def value(w: np.ndarray, s: np.ndarray = moments, k: float = strength) -> np.ndarray:
            return np.einsum("...i,ij,...j", w, s, w) + k * np.square(w - 0.25).sum(-1)

        assert value(found) <= value(rng.dirichlet(np.full(4, 0.5), size=2000)).min() + 1e-12


def test_without_held_out_rows_the_weights_are_the_prior_ones_and_much_evidence_overrules() -> None:
    prior = np.array([0.5, 0.5])
    nothing = stacked_weights(np.empty((2, 0, 3, 1)), 0, prior)
    assert np.all(nothing == 0.5)
    rng = np.random.default_rng(0)
    good, bad = rng.normal(size=(2, 1000, 3, 1)) * np.array([1.0, 5.0])[:, None, None, None]
    weights = stacked_weights(np.stack([good, bad]), 1000, prior)
    assert np.all(weights[0] > 0.9)
    few = stacked_weights(np.stack([good, bad])[:, :4], 4, prior)
    assert np.all(few[0] < weights[0])


def test_on_the_simplex_no_evidence_leaves_the_prior_and_a_vertex_is_reached_where_it_is_best() -> (
    None
):
    prior = np.array([0.2, 0.5, 0.3])
    assert np.allclose(on_the_simplex(np.zeros((3, 3)), prior, 1.0), prior)
    alike = np.array([[1.0, 1.0, 1.0], [1.0, 4.0, 2.0], [1.0, 2.0, 9.0]])  # the others add to it
    assert np.allclose(on_the_simplex(alike, prior, 0.0), [1.0, 0.0, 0.0])


def test_many_independent_errors_give_weights_near_the_inverse_variances() -> None:
    sizes = (1.0, 1.5, 4.0)
    inverse = 1 / np.square(sizes)
    found = stacked_weights(errors_of(20_000, sizes, n_steps=1), 20_000, EVEN)
    np.testing.assert_allclose(found[:, 0, 0], inverse / inverse.sum(), atol=0.02)


@pytest.mark.parametrize("n_windows", [1, 4, 100])
def test_weights_are_shares_at_each_step_of_each_series(n_windows: int) -> None:
    errors = errors_of(n_windows)
    errors[:, ::3, 2:, 0] = np.nan
    errors[:, :, :, 1] = np.nan  # of the second series nothing is known
    found = stacked_weights(errors, n_windows, EVEN)
    assert found.shape == (3, 6, 2)
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(axis=0), 1.0)


def test_the_units_of_a_series_change_no_weight() -> None:
    errors = errors_of(50)
    found = stacked_weights(errors * np.array([1e4, 1e-3]), 50, EVEN)
    np.testing.assert_allclose(found, stacked_weights(errors, 50, EVEN), atol=1e-6)


def test_windows_without_an_actual_value_count_as_if_they_were_not_there() -> None:
    errors = errors_of(40)
    errors[:, 30:] = np.nan
    found = stacked_weights(errors, 40, EVEN)
    np.testing.assert_allclose(found, stacked_weights(errors[:, :30], 40, EVEN))


def test_a_candidate_that_explodes_in_one_series_is_not_trusted_and_harms_no_other() -> None:
    errors = errors_of(200)
    errors[0, :, :, 1] *= 1e6
    found = stacked_weights(errors, 200, EVEN)
    assert found[0, :, 1].max() < 0.01
    assert np.isfinite(found).all()


@pytest.mark.parametrize("n_steps", [1, 2, 3, 7, 48, 96])
def test_bands_cover_each_step_of_the_horizon_and_grow_with_it(n_steps: int) -> None:
    bands = list(horizon_bands(n_steps))
    steps = [step for start, stop in bands for step in range(start, stop)]
    assert steps == list(range(n_steps))
    sizes = np.diff(bands, axis=1)[:-1, 0]  # the last band ends with the horizon
    assert (np.diff(sizes) >= 0).all()


def test_where_every_candidate_is_right_the_weights_are_those_known_before() -> None:
    prior = np.array([0.5, 0.3, 0.2])
    weights = stacked_weights(np.zeros((3, 40, 4, 1)), 40, prior)
    np.testing.assert_allclose(weights, np.broadcast_to(prior[:, None, None], (3, 4, 1)))
    errors = np.zeros((3, 40, 4, 1))
    errors[2] = np.random.default_rng(0).normal(size=(40, 4, 1))
    weights = stacked_weights(errors, 40, prior)
    assert np.isfinite(weights).all()
    assert (weights[2] < 0.1).all()


def test_a_prior_may_differ_from_step_to_step_and_is_not_carried_on_to_later_steps() -> None:
    first, later = np.array([0.8, 0.1, 0.1]), np.array([0.2, 0.4, 0.4])
    prior = np.stack([first, *[later] * 5], axis=1)
    nothing = stacked_weights(np.empty((3, 0, 6, 1)), 0, prior)
    np.testing.assert_allclose(nothing[:, :, 0], prior)
    errors = np.random.default_rng(0).normal(size=(3, 12, 6, 2))
    found = stacked_weights(errors, 12, prior)
    early, late = (stacked_weights(errors, 12, one) for one in (first, later))
    np.testing.assert_allclose(found[:, 0], early[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found[:, 1:], late[:, 1:], rtol=1e-12)
    assert np.abs(early[:, 1:] - late[:, 1:]).max() > 0.3


def test_few_known_errors_of_a_series_say_little() -> None:
    errors = np.random.default_rng(0).normal(size=(2, 400, 1, 2))
    errors[0, :, :, 1] *= 0.1
    prior = np.full(2, 0.5)
    assert stacked_weights(errors, 400, prior)[0, 0, 1] > 0.9
    errors[:, 2:, :, 1] = np.nan
    few = stacked_weights(errors, 400, prior)[0, 0]
    common = few[0]
    assert abs(few[1] - common) < 0.1
