"""The regressions inside a window, against least squares and a plain recursion."""

import numpy as np
import pytest
import torch

from samovar_forecast.linear.simulate import simulate_var
from samovar_forecast.network.ridge import (
    LARGEST_STEP,
    Prior,
    changes_ahead,
    estimate,
    join,
    states_at_ends,
)

PATCH = 8
PRIOR = Prior(level=4.0, step=2.0, growth=1.0)
COEFS = np.array([[[0.5, 0.2], [-0.1, 0.6]], [[0.1, 0.0], [0.2, 0.1]]])


def simulated(n_rows=160):
    return simulate_var(COEFS, n_rows, intercept=[0.3, -0.2], random_state=0)


def as_group(y):
    return torch.tensor(y.T[None]), torch.ones(1, len(y), dtype=torch.float64)


def ahead_of(series, found, order, steps):
    return changes_ahead(states_at_ends(series, order, PATCH), found, steps)


@pytest.mark.parametrize("n_rows", [80, 160])
def test_without_shrinking_the_regression_is_least_squares_on_the_rows_so_far(n_rows):
    y = simulated()
    series, weight = as_group(y)
    found = estimate(series, weight, 2, [Prior(1e-7, 1e-7, 1.0)], PATCH)
    step = np.diff(y, axis=0)
    rows = np.hstack([np.ones((n_rows - 2, 1)), y[1 : n_rows - 1], step[: n_rows - 2]])
    wanted, *_ = np.linalg.lstsq(rows, step[1 : n_rows - 1], rcond=None)
    position = n_rows // PATCH - 1
    np.testing.assert_allclose(found.coefs[0, 0, position], wanted[1:], rtol=1e-6, atol=1e-8)


def test_the_forecasts_follow_the_regression_step_by_step():
    y = simulated()
    series, weight = as_group(y)
    found = estimate(series, weight, 2, [PRIOR], PATCH)
    moves = ahead_of(series, found, 2, range(1, 13))[0, 0, :, -1].numpy()  # K H
    coefs, mean, drift = (part[0, 0, -1] for part in found[:3])
    level, step, path = y[-1], y[-1] - y[-2], []
    for _ in range(12):
        state = np.concatenate([level, step]) - mean.numpy()
        step = state @ coefs.numpy() + drift.numpy()
        level = level + step
        path.append(level - y[-1])
    np.testing.assert_allclose(moves, np.array(path).T, rtol=1e-9, atol=1e-12)


def test_a_process_without_noise_is_hardly_shrunk():
    time = np.arange(160)
    y = np.column_stack([np.sin(time / 5), np.cos(time / 9)])
    series, weight = as_group(y)
    found = estimate(series, weight, 4, [PRIOR], PATCH)
    moves = ahead_of(series, found, 4, range(1, 9))[0, 0, :, -1].numpy()
    ahead = np.arange(160, 168)
    wanted = np.array([np.sin(ahead / 5), np.cos(ahead / 9)]) - y[-1][:, None]
    np.testing.assert_allclose(moves, wanted, atol=0.02)


def test_an_explosive_series_is_followed_at_bounded_steps():
    y = np.exp(np.arange(64) / 2)[:, None]
    series, weight = as_group(y)
    found = estimate(series, weight, 2, [PRIOR], PATCH)
    moves = ahead_of(series, found, 2, range(1, 65))
    bound = 64 * (LARGEST_STEP * found.deviation + found.drift.abs())
    assert (moves[0, 0, 0, -1].abs() <= bound[0, 0, -1] + 1e-9).all()


def test_rows_that_do_not_count_have_no_weight():
    y = simulated()
    series, weight = as_group(y)
    weight[:, 40] = 0
    first = estimate(series, weight, 2, [PRIOR], PATCH)
    elsewhere = series.clone()
    elsewhere[..., 40] = 1e3
    second = estimate(elsewhere, weight, 2, [PRIOR], PATCH)
    torch.testing.assert_close(first.coefs, second.coefs)


def shrunk_by_loops(y, order, prior):
    """Return coefficients and drift from all rows, as the module says, in plain numpy."""
    step = np.diff(y, axis=0)
    rows = np.arange(order, len(y))
    regressors = [y[rows - 1], *(step[rows - 1 - lag] for lag in range(1, order))]
    x, target = np.hstack(regressors), step[rows - 1]
    n_rows, n_series = target.shape
    worth = [prior.level, *(prior.step * lag**prior.growth for lag in range(1, order))]
    worth = np.repeat(worth, n_series) / n_rows
    size, its_size = x.std(axis=0), target.std(axis=0)
    z, aim = (x - x.mean(axis=0)) / size, (target - target.mean(axis=0)) / its_size
    inner, outer = z.T @ z / n_rows, z.T @ aim / n_rows
    first = np.linalg.solve(inner + np.diag(worth), outer)
    left = max(1 - (first * outer).sum(axis=0).mean(), 1e-4)
    second = np.linalg.solve(inner + np.diag(worth * left), outer)
    return second * its_size / size[:, None], target.mean(axis=0) * n_rows / (n_rows + 4)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_every_position_has_the_shrunken_regression_of_the_rows_so_far(order):
    y = simulated()
    found = estimate(*as_group(y), order, [PRIOR], PATCH)
    for position in (3, 10, 19):
        coefs, drift = shrunk_by_loops(y[: (position + 1) * PATCH], order, PRIOR)
        np.testing.assert_allclose(found.coefs[0, 0, position], coefs, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(found.drift[0, 0, position], drift, rtol=1e-8)


def test_later_values_change_no_earlier_forecast():
    y = simulated()
    changed = y.copy()
    changed[80:] = 50.0
    for found, wanted in zip(
        *(estimate(*as_group(values), 2, [PRIOR], PATCH) for values in (changed, y)), strict=True
    ):
        torch.testing.assert_close(found[:, :, :10], wanted[:, :, :10])


def test_forecasts_follow_the_scale_of_each_series_and_no_level():
    y, unit = simulated(), np.array([1e3, 1e-2])

    def moves(values):
        series, weight = as_group(values)
        return ahead_of(series, estimate(series, weight, 2, [PRIOR], PATCH), 2, range(1, 13))

    wanted = moves(y) * torch.tensor(unit)[:, None, None]
    torch.testing.assert_close(moves(y * unit + 40), wanted, rtol=1e-5, atol=1e-8)


def test_a_prior_worth_many_rows_leaves_a_random_walk_with_a_drift():
    series, weight = as_group(simulated() + np.arange(160)[:, None])
    found = estimate(series, weight, 2, [Prior(1e12, 1e12, 1.0)], PATCH)
    moves = ahead_of(series, found, 2, range(1, 13))[0, 0]
    wanted = found.drift[0, 0].T[..., None] * torch.arange(1, 13)
    torch.testing.assert_close(moves, wanted, rtol=1e-6, atol=1e-6)


def test_regressions_joined_forecast_as_each_of_them():
    series, weight = as_group(simulated())
    priors = [PRIOR, Prior(50.0, 9.0, 1.0)]
    both = estimate(series, weight, 3, priors, PATCH)
    each = [estimate(series, weight, 3, [prior], PATCH) for prior in priors]
    wanted = torch.cat([ahead_of(series, one, 3, range(1, 9)) for one in each])
    torch.testing.assert_close(ahead_of(series, both, 3, range(1, 9)), wanted)
    stacked = torch.stack([series, series])
    torch.testing.assert_close(ahead_of(stacked, join(*each), 3, range(1, 9)), wanted)


def test_a_heavy_prior_leaves_the_autoregressions_that_a_joint_regression_is_drawn_to():
    y = simulated()
    series, weight = as_group(y)
    heavy = Prior(1e9, 1e9, 0.0)
    found = estimate(series, weight, 3, [heavy], PATCH, own_priors=[PRIOR])
    alone = estimate(series[0][:, None], weight.expand(2, -1), 3, [PRIOR], PATCH)
    moves = ahead_of(series, found, 3, range(1, 9))[0, 0]
    torch.testing.assert_close(
        moves,
        ahead_of(series[0][:, None], alone, 3, range(1, 9))[0, :, 0],
        rtol=1e-5,
        atol=1e-6,
    )


def test_groups_that_share_coefficients_are_one_sample_in_standard_units():
    y = simulated()
    series = torch.tensor(y.T[:, None])  # two groups of one series
    weight = torch.ones(2, len(y), dtype=torch.float64)
    shared = Prior(1e-7, 1e-7, 1.0, is_shared=True)
    found = estimate(series, weight, 1, [shared], len(y), n_together=2)
    target, level = np.diff(y, axis=0), y[:-1]
    standard = [(part - part.mean(0)) / part.std(0) for part in (target, level)]
    wanted = (standard[0] * standard[1]).mean() * target.std(0) / level.std(0)
    np.testing.assert_allclose(found.coefs[0, :, 0, 0, 0], wanted, rtol=1e-6)
    alone = estimate(series, weight, 1, [shared._replace(is_shared=False)], len(y))
    joined = estimate(series, weight, 1, [shared], len(y), n_together=1)
    torch.testing.assert_close(joined.coefs, alone.coefs)


@pytest.mark.parametrize(("order", "patch_length"), [(4, 2), (8, 4), (2, 8), (1, 8)])
def test_a_state_is_the_level_and_the_steps_before_0_where_the_window_has_not_begun(
    order, patch_length
):
    series, _ = as_group(simulated(16))
    found = states_at_ends(series, order, patch_length)[0].numpy()  # N q
    y = series[0].numpy().T
    steps = np.vstack([np.zeros((order, 2)), np.diff(y, axis=0)])
    for position, end in enumerate(range(patch_length, 17, patch_length)):
        wanted = [y[end - 1], *(steps[end + order - 2 - lag] for lag in range(order - 1))]
        np.testing.assert_array_equal(found[position], np.concatenate(wanted))
