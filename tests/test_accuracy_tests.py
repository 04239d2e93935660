"""Diebold-Mariano and Clark-West: statistics from elsewhere, sizes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft, stats

from samovar_forecast.accuracy_tests import (
    clark_west,
    count_cosines,
    diebold_mariano,
    known_before,
    model_confidence_set,
)
from samovar_forecast.exceptions import ConfigurationError, DataError

# ---------------------------------------------------------------- Diebold and Mariano


def test_with_all_cosines_the_test_is_the_paired_t_test():
    rng = np.random.default_rng(0)
    first, second = rng.chisquare(3, size=(2, 17))
    expected = stats.ttest_rel(first, second)
    got = diebold_mariano(first, second, n_cosines=16)
    assert got.statistic == pytest.approx(expected.statistic)
    assert got.pvalue == pytest.approx(expected.pvalue)


def test_the_variance_is_the_mean_square_of_the_slowest_terms_of_a_cosine_transform():
    difference = np.random.default_rng(3).normal(size=40).cumsum()
    terms = fft.dct(difference, norm="ortho")
    got = diebold_mariano(difference, np.zeros(40), overlap=4)
    assert count_cosines(40, 4) == 5
    expected = terms[0] / np.sqrt(np.square(terms[1:6]).mean())
    assert got.statistic == pytest.approx(expected)
    assert got.pvalue == pytest.approx(2 * stats.t.sf(abs(expected), 5))


def test_the_cosines_grow_with_the_origins_and_stay_below_the_speed_of_overlaps():
    assert [count_cosines(n) for n in (2, 3, 10, 20, 40, 121, 900)] == [1, 2, 3, 4, 6, 11, 30]
    assert [count_cosines(n, 4) for n in (8, 10, 20, 40, 900)] == [2, 2, 2, 5, 30]
    assert count_cosines(1000, 50) == 10


def test_the_same_losses_are_no_difference_and_a_constant_one_is_certain():
    losses = np.random.default_rng(0).chisquare(3, size=12)
    assert diebold_mariano(losses, losses) == (0.0, 1.0)
    assert diebold_mariano(losses + 1, losses) == (np.inf, 0.0)


def test_neither_the_unit_of_the_losses_nor_what_they_have_in_common_matters():
    first, second = np.square(np.random.default_rng(0).normal(size=(2, 100)))
    expected = diebold_mariano(first, second)
    assert 0.01 < expected.pvalue < 0.99
    for size in (1e-20, 1e-14, 1e20):
        got = diebold_mariano(size * first, size * second)
        np.testing.assert_allclose(got, expected, rtol=1e-9)
        assert diebold_mariano(size * (first + 1), size * first) == (np.inf, 0.0)
        assert diebold_mariano(size * first, size * first * (1 + 1e-15)) == (0.0, 1.0)
    got = diebold_mariano(first + 1e6, second + 1e6)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"overlap": 0}, "overlap; found: 0; wanted: an integer of at least 1"),
        ({"overlap": 1.5}, "overlap; found: 1.5"),
        ({"n_cosines": 0}, "n_cosines; found: 0; wanted: an integer of at least 1 and at most 99"),
        ({"n_cosines": 100}, "n_cosines; found: 100"),
    ],
)
def test_numbers_of_neighbours_and_of_cosines_that_cannot_be_are_refused(asked, message):
    losses = np.random.default_rng(0).chisquare(3, size=(100, 2))
    with pytest.raises(ConfigurationError, match=message):
        diebold_mariano(losses[:, 0], losses[:, 1], **asked)
    if "overlap" in asked:
        with pytest.raises(ConfigurationError, match=message):
            model_confidence_set(losses, **asked)


def test_exchanging_the_forecasts_changes_the_sign_alone():
    first, second = np.random.default_rng(0).chisquare(3, size=(2, 20))
    one, other = diebold_mariano(first, second, 3), diebold_mariano(second, first, 3)
    assert one.statistic == pytest.approx(-other.statistic)
    assert one.pvalue == pytest.approx(other.pvalue)


def test_under_equal_accuracy_the_test_rejects_as_often_as_it_says():
    rng = np.random.default_rng(0)
    rejected = 0
    for _ in range(600):
        shocks = rng.normal(size=31)
        overlapping = shocks[1:] + shocks[:-1]  # as two-step forecasts made at every step
        rejected += diebold_mariano(overlapping, np.zeros(30), overlap=2).pvalue < 0.1
    assert 0.07 < rejected / 600 < 0.13


@pytest.mark.parametrize(
    ("first", "second", "overlap", "message"),
    [
        ([1.0, 2.0], [1.0], 1, "do not fit each other"),
        ([1.0, np.nan], [1.0, 2.0], 1, "do not fit each other"),
        ([1.0], [2.0], 1, "too few losses"),
        ([1.0, 2.0, 1.0], [2.0, 1.0, 1.0], 3, "too few losses"),
    ],
)
def test_losses_that_cannot_be_tested_are_refused(first, second, overlap, message):
    with pytest.raises(DataError, match=message):
        diebold_mariano(np.array(first), np.array(second), overlap)


# ---------------------------------------------------------------- model confidence set


def test_with_two_models_the_p_value_of_the_set_is_that_of_diebold_and_mariano():
    losses = np.add(np.random.default_rng(1).chisquare(3, size=(30, 2)), [0.0, 0.5])
    expected = diebold_mariano(losses[:, 0], losses[:, 1], overlap=2).pvalue
    pvalues = model_confidence_set(losses, overlap=2)
    assert pvalues[0] == 1.0
    assert pvalues[1] == pytest.approx(expected, abs=0.03)  # 2,000 draws


def test_a_model_that_is_much_worse_leaves_the_set_and_the_order_of_the_columns_is_no_matter():
    losses = np.add(np.random.default_rng(2).chisquare(3, size=(30, 4)), [0.0, 0.0, 5.0, 0.0])
    pvalues = model_confidence_set(losses)
    assert pvalues[2] < 0.02
    assert (pvalues[[0, 1, 3]] > 0.1).all()
    order = [3, 1, 0, 2]
    again = model_confidence_set(losses[:, order])
    np.testing.assert_allclose(again, pvalues[order], atol=0.05)  # other draws
    np.testing.assert_array_equal(model_confidence_set(losses), pvalues)  # their seed is fixed


def test_what_all_models_lose_alike_changes_nothing():
    losses = np.random.default_rng(3).chisquare(3, size=(20, 3))
    common = 1e4 * np.random.default_rng(4).chisquare(3, size=(20, 1))
    np.testing.assert_allclose(
        model_confidence_set(losses + common), model_confidence_set(losses), atol=2e-3
    )


def test_losses_of_which_no_set_can_be_made_are_refused():
    with pytest.raises(DataError, match="no losses of models"):
        model_confidence_set(np.full((20, 2), np.nan))
    with pytest.raises(DataError, match=r"too few losses .*found: 7; wanted: at least 8"):
        model_confidence_set(np.ones((7, 2)), overlap=4)


# ---------------------------------------------------------------- Clark and West


def test_the_statistic_is_the_one_of_clark_and_west():
    rng = np.random.default_rng(0)
    actual, small, large = rng.normal(size=(3, 120))
    outcome = clark_west(actual, small, large, max_lags=3)
    adjusted = (actual - small) ** 2 - ((actual - large) ** 2 - (small - large) ** 2)
    mean = adjusted.mean()
    centred = adjusted - mean
    variance = centred @ centred  # Newey and West, Bartlett weights
    for lag in (1, 2, 3):
        variance += 2 * (1 - lag / 4) * centred[lag:] @ centred[:-lag]
    deviation = np.sqrt(variance / 120**2 * 120 / 119)
    np.testing.assert_allclose(outcome.statistic, mean / deviation)
    np.testing.assert_allclose(outcome.mse_full, ((actual - large) ** 2).mean())


def test_a_better_forecast_gives_a_small_p_value_and_a_worse_one_does_not():
    rng = np.random.default_rng(1)
    signal, noise = rng.normal(size=(2, 300))
    better = clark_west(signal + noise, np.zeros(300), signal)
    worse = clark_west(signal + noise, np.zeros(300), -signal)
    assert better.pvalue < 1e-6
    assert worse.pvalue > 1 - 1e-6
    assert better.mse_full < better.mse_restricted


def test_identical_forecasts_are_not_told_apart():
    actual = np.random.default_rng(2).normal(size=50)
    assert clark_west(actual, np.zeros(50), np.zeros(50))[:2] == (0.0, 1.0)


@pytest.mark.parametrize(("level", "size"), [(1e6, 1.0), (-1e9, 1.0), (0.0, 1e-9), (1e3, 1e-3)])
def test_neither_the_level_nor_the_unit_of_the_series_matters_to_clark_and_west(level, size):
    signal, noise = np.random.default_rng(5).normal(size=(2, 200))
    actual, small, large = signal + noise, np.zeros(200), signal
    expected = clark_west(actual, small, large)
    got = clark_west(*(level + size * values for values in (actual, small, large)))
    np.testing.assert_allclose(got.statistic, expected.statistic, rtol=1e-5)
    same = level + size * small
    again = same + 2 * np.finfo(float).eps * level  # as another order of sums rounds
    assert clark_west(level + size * actual, same, again)[:2] == (0.0, 1.0)


def rejections(n_trainings, repetitions=300, n_origins=200, noise=0.3):
    """Share of rejections where both learners know the truth, but for noise of their training."""
    rng = np.random.default_rng(3)
    rejected = 0
    for _ in range(repetitions):
        actual = rng.normal(size=n_origins)
        small, large = noise * rng.normal(size=(2, n_trainings, n_origins))
        rejected += clark_west(actual, small, large).pvalue < 0.05
    return rejected / repetitions


def test_crossing_the_trainings_keeps_their_noise_out_of_the_test():
    assert rejections(n_trainings=1) > 0.3  # averaging two noisy forecasts helps: no causality
    assert 0.02 <= rejections(n_trainings=3) <= 0.09


def test_what_the_restricted_learner_could_have_known_is_no_predictive_content():
    rng = np.random.default_rng(4)
    past, other, noise = rng.normal(size=(3, 400))
    actual = past + noise
    imperfect = 0.7 * past
    corrected = 0.9 * past + 0.1 * other  # a better use of the past, and an irrelevant series
    assert clark_west(actual, imperfect, corrected).pvalue < 0.01
    assert clark_west(actual, imperfect, corrected, known=past[:, None]).pvalue > 0.05
    content = clark_west(actual + other, imperfect, corrected, known=past[:, None])
    assert content.pvalue < 1e-6


def test_what_is_known_is_left_out_when_there_are_too_few_origins_for_it():
    actual, restricted = np.zeros((62, 2)), np.zeros((2, 62, 2))
    assert known_before(actual, restricted, squares=True).shape == (60, 6)
    actual, restricted = np.zeros((402, 2)), np.zeros((2, 402, 2))
    assert known_before(actual, restricted, squares=True).shape == (400, 12)
    assert known_before(actual, restricted, squares=False).shape == (400, 8)
    for few in range(4):
        known = known_before(actual[:few], restricted[:, :few], squares=True)
        assert known.shape == (max(0, few - 2), 0)


def test_forecasts_that_do_not_fit_or_are_missing_are_refused():
    actual = np.zeros(50)
    with pytest.raises(DataError, match="do not fit"):
        clark_west(actual, np.zeros(49), np.zeros(50))
    with pytest.raises(DataError, match="too few test origins"):
        clark_west(actual[:5], np.zeros(5), np.ones(5))
    with pytest.raises(DataError, match="missing or not finite"):
        clark_west(actual, np.zeros(50), np.full(50, np.nan))
