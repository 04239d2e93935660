"""Shares follow the errors at earlier origins, and the spread follows what was missed there."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from samovar_forecast.learning.members import LinearMember
from samovar_forecast.learning.pretrained_member import PretrainedMember
from samovar_forecast.learning.scaled_rows import ScaledRows
from samovar_forecast.learning.shares import (
    PRIOR_SHARES,
    SPREAD_STRENGTH,
    Average,
    calibrate,
    estimate_shares,
    weigh_members,
)
from samovar_forecast.learning.uncertainty import conformal_quantile
from samovar_forecast.linear.simulate import simulate_var
from samovar_forecast.network.heads import Head

COEFS = [[[0.6, 0.2], [0.0, 0.5]]]


def errors(sizes: dict[str, float], n_origins: int, n_instances: int = 1, seed: int = 0):
    rng = np.random.default_rng(seed)
    return {
        name: [size * rng.normal(size=(n_origins, 4, 2)) for _ in range(n_instances)]
        for name, size in sizes.items()
    }


def test_a_member_alone_has_the_whole_share():
    shares = estimate_shares(errors({"trained": 1.0}, 5), 4)
    np.testing.assert_array_equal(shares["trained"], np.ones((1, 4, 2)))


def test_without_an_origin_the_shares_are_those_known_before():
    shares = estimate_shares(errors({"linear": 1.0, "pretrained": 1.0}, 0), 4)
    assert np.allclose(shares["linear"], PRIOR_SHARES["linear"])
    assert np.allclose(shares["pretrained"], PRIOR_SHARES["pretrained"])


@pytest.mark.parametrize("n_instances", [1, 3])
def test_many_origins_give_the_better_member_the_larger_share(n_instances):
    for sizes in ({"linear": 1.0, "pretrained": 3.0}, {"linear": 3.0, "pretrained": 1.0}):
        shares = estimate_shares(errors(sizes, 2000, n_instances), 4)
        assert shares["linear"].shape == (n_instances, 4, 2)
        assert np.allclose(sum(shares.values()), 1)
        best = {name: 1 / size**2 for name, size in sizes.items()}
        for name, share in shares.items():
            np.testing.assert_allclose(share, best[name] / sum(best.values()), atol=0.06)


def test_the_newest_errors_count_most():
    early = errors({"linear": 1.0, "pretrained": 3.0}, 300)
    late = errors({"linear": 3.0, "pretrained": 1.0}, 100, seed=1)
    both = {name: [np.concatenate([early[name][0], late[name][0]])] for name in early}
    assert (estimate_shares(both, 4)["pretrained"] > 0.75).all()
    turned = {name: [own[0][::-1]] for name, own in both.items()}
    assert (estimate_shares(turned, 4)["pretrained"] < 0.25).all()


def test_a_step_that_no_origin_reaches_has_the_shares_of_the_step_before():
    missed = errors({"linear": 1.0, "pretrained": 1.0}, 50)
    for own in missed.values():
        own[0][:, 3] = np.nan
    shares = estimate_shares(missed, 4)
    assert np.isfinite(shares["linear"]).all()


def test_the_spread_is_that_of_the_errors_and_the_point_is_its_median():
    scores = np.random.default_rng(0).normal(3.0, 2.0, size=(400, 4, 2))
    (calibration,) = calibrate([scores], Head.point())
    assert np.allclose(np.median(calibration.scores, axis=0), 0)
    assert np.allclose(calibration.scores.std(axis=0), 2.0, rtol=0.15)


def test_few_errors_change_the_spread_that_a_network_foretells_by_little():
    head = Head.of_quantiles((0.1, 0.5, 0.9))
    wide = 3.0 * np.random.default_rng(0).normal(size=(400, 4, 2))
    few, many = (calibrate([wide[:n]], head)[0].scores.std(axis=0).mean() for n in (8, 400))
    assert 0.9 < few < 1.5 < 2.2 < many < 3.0
    (none,) = calibrate([wide[:0]], head)
    np.testing.assert_allclose(none.scores.std(axis=0), 1.0, atol=0.05)
    assert calibrate([wide[:0]], Head.point()) == (None,)


def test_the_errors_change_the_width_of_a_foretold_spread_and_not_its_shape():
    head = Head.of_quantiles((0.1, 0.5, 0.9))
    skewed = np.random.default_rng(3).exponential(size=(400, 1, 2))
    skewed[7, 0, 0] = np.nan
    (calibration,) = calibrate([skewed], head)
    ranks = calibration.scores[:, 0, 0]
    assert np.isnan(ranks[7])
    known = np.delete(ranks, 7)
    np.testing.assert_array_equal(known.argsort(), np.delete(skewed[:, 0, 0], 7).argsort())
    np.testing.assert_allclose(np.sort(known), -np.sort(known)[::-1], atol=1e-9)


def test_an_estimated_spread_has_the_tails_of_its_few_errors():
    # All errors as foretold: what is left is the variance of Student's t around the forecast.
    head = Head.of_quantiles((0.1, 0.5, 0.9))
    scores = np.tile([1.0, -1.0], 8)[:, None, None]
    (calibration,) = calibrate([scores], head)
    upper = conformal_quantile(calibration.scores, 13 / 17)
    freedom = SPREAD_STRENGTH + 16
    expected = NormalDist().inv_cdf(13 / 17) * np.sqrt(freedom / (freedom - 2))
    assert upper.item() == pytest.approx(expected)


def test_short_instances_are_calibrated_together_and_long_ones_alone():
    head = Head.point()
    parts = [np.random.default_rng(k).normal(size=(n, 2, 1)) for k, n in enumerate((9, 9, 60))]
    short, other, long = calibrate(parts, head)
    assert short is other
    assert len(short.scores) == 78
    alone = calibrate(parts[2:], head)[0]
    np.testing.assert_array_equal(long.scores, alone.scores)


def test_the_width_of_an_instance_is_its_own_drawn_to_that_of_all():
    head = Head.of_quantiles((0.1, 0.5, 0.9))
    rng = np.random.default_rng(5)
    sizes = (1.0, 1.0, 3.0)
    parts = [size * rng.normal(size=(40, 1, 1)) for size in sizes]
    quiet, _, loud = (one.scores.std() for one in calibrate(parts, head))
    assert 1.0 < quiet < 1.7
    assert 1.6 < loud < 2.9
    (alone,) = calibrate(parts[2:], head)
    assert alone.scores.std() < loud


@pytest.mark.parametrize("n_known", [0, 1])
@pytest.mark.parametrize("head", [Head.of_quantiles((0.1, 0.5, 0.9)), Head.point()])
def test_a_series_without_errors_leaves_the_width_of_the_others(head, n_known):
    scores = 2.5 * np.random.default_rng(0).normal(size=(300, 2, 3))
    (whole,) = calibrate([scores], head)
    holed = scores.copy()
    holed[n_known:, :, 2] = np.nan
    (calibration,) = calibrate([holed], head)
    np.testing.assert_array_equal(calibration.scores[..., :2], whole.scores[..., :2])
    width = calibration.scores[..., 2].std(axis=0)
    foretold = 1.0 if head.n_params > 1 else 2.5
    assert (0.9 * foretold < width).all()
    assert (width < 1.9 * foretold).all()  # nothing is known: a little wider


def test_a_series_that_is_seen_every_second_row_is_calibrated_by_its_own_scores():
    head = Head.of_quantiles((0.1, 0.5, 0.9))
    scores = 2.5 * np.random.default_rng(0).normal(size=(1400, 3, 2))
    (whole,) = calibrate([scores], head)
    row = np.arange(1400)[:, None] + np.arange(3)
    scores[row % 2 == 0, 1] = np.nan
    (calibration,) = calibrate([scores], head)
    widths = [np.nanstd(one.scores, axis=0) for one in (calibration, whole)]
    np.testing.assert_allclose(*widths, rtol=0.1)


def test_ten_scores_among_many_say_as_much_as_ten():
    head = Head.of_quantiles((0.1, 0.5, 0.9))
    few = 3.0 * np.random.default_rng(2).normal(size=(10, 1, 1))
    many = np.concatenate(
        [np.random.default_rng(3).normal(size=(400, 1, 1)), np.zeros((400, 1, 1))], 2
    )
    many[:, :, 1] = np.nan
    many[-10:, :, 1] = few[..., 0]
    (alone,), (beside,) = calibrate([few], head), calibrate([many], head)
    ranks = [np.sort(one[np.isfinite(one)]) for one in (alone.scores, beside.scores[..., 1])]
    np.testing.assert_allclose(ranks[1], ranks[0], rtol=1e-9)


def test_a_series_that_reaches_fewer_steps_is_widened_from_its_last():
    scores = np.random.default_rng(0).normal(size=(300, 4, 2))
    scores[:, 1:, 1] = np.nan
    (calibration,) = calibrate([scores], Head.point())
    widths = calibration.scores[..., 1].std(axis=0)
    np.testing.assert_allclose(widths / widths[0], np.sqrt([1, 2, 3, 4]), rtol=0.02)


def test_an_instance_may_reach_farther_than_the_others_together():
    head = Head.of_quantiles((0.1, 0.5, 0.9))
    far = np.random.default_rng(7).normal(size=(8, 3, 1))
    near = np.full((20, 3, 1), np.nan)
    near[:, 0] = far[0, 0]
    for own in calibrate([far, near], head):
        assert np.isfinite(own.scores).any(axis=0).all()


def test_a_wild_miss_does_not_set_the_width():
    head = Head.of_quantiles((0.1, 0.5, 0.9))
    scores = np.random.default_rng(6).normal(size=(100, 1, 1))
    wild = scores.copy()
    wild[50] = 1e6
    plain, other = (calibrate([some], head)[0].scores.std() for some in (scores, wild))
    assert other < 1.15 * plain


def test_errors_without_a_foretold_spread_are_drawn_to_a_normal_shape_while_they_are_few():
    skewed = np.random.default_rng(4).exponential(size=(4000, 1, 1))
    few, many = (calibrate([skewed[:n]], Head.point())[0].scores for n in (30, 4000))

    def skewness(scores):
        low, high = (conformal_quantile(scores, level).item() for level in (0.1, 0.9))
        return (high + low) / (high - low)

    true = (np.log(10) + np.log(10 / 9) - 2 * np.log(2)) / (np.log(10) - np.log(10 / 9))
    assert skewness(few) < 0.5 * true
    assert skewness(many) == pytest.approx(true, abs=0.05)


def test_the_average_is_weighed_by_honest_errors_of_both_members():
    values = simulate_var(COEFS, 150, random_state=0)
    instances = [ScaledRows(values, None, None)]
    linear, trials = LinearMember.estimate(instances, 3, 1, None)
    pretrained = PretrainedMember.load(1, None)
    average = weigh_members([linear, pretrained], instances, trials, 3)
    assert isinstance(average, Average)
    assert average.head.n_params > 1
    origins = trials[0].origin
    ahead = pretrained.forecast(instances, [origins], 3)[0][..., average.head.center]
    at = origins[:, None] + np.arange(3)
    actual = np.where((at < 150)[..., None], values[np.minimum(at, 149)], np.nan)
    by_hand = estimate_shares({"linear": [trials[0].errors], "pretrained": [ahead - actual]}, 3)
    for name, share in by_hand.items():
        np.testing.assert_allclose(average.shares[name], share, atol=1e-9)
    # The spread is moved to the average and keeps its width.
    numbers = average.forecast(instances, [np.array([150])], 3)[0][0]
    around = pretrained.forecast(instances, [np.array([150])], 3)[0][0]
    np.testing.assert_allclose(np.diff(numbers), np.diff(around), atol=1e-9)


def test_a_series_that_begins_to_move_says_nothing_of_the_spread_of_others():
    walks = np.random.default_rng(0).normal(size=(4, 40)).cumsum(axis=1)[..., None]
    sleeper = np.concatenate([np.zeros((38, 1)), [[1.0], [2.0]]])

    def pooled_spread(*values: np.ndarray) -> np.ndarray:
        instances = [ScaledRows(own, None, None) for own in values]
        linear, trials = LinearMember.estimate(instances, 2, 1, None)
        members = [linear, PretrainedMember.load(1, None)]
        average = weigh_members(members, instances, trials, 2)
        return average.calibrations[0].scores.std(axis=0)

    alone = pooled_spread(*walks)
    np.testing.assert_allclose(pooled_spread(*walks, sleeper), alone, rtol=0.25)
