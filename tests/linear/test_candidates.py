"""Every candidate against a plain recursion, and what all candidates have in common."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear import LinearMap, estimate_anchor
from samovar_forecast.linear.candidates import (
    Limits,
    enough_rows,
    filtered_candidates,
    iterated_candidates,
    own_runs,
    pooled_candidate,
    pooled_forms,
    products_of,
)
from samovar_forecast.linear.direct import RidgePath
from samovar_forecast.linear.held_out import paths_of
from samovar_forecast.linear.simulate import simulate_var
from samovar_forecast.linear.stability import rolled_growth

COEFS = np.array([[[0.5, 0.3, 0.0], [0.0, 0.4, 0.2], [0.0, 0.0, 0.5]]])
STEPS = 5


def candidates(
    y: np.ndarray, *, season: int = 1, max_lag: int = 24, is_joint: bool = True
) -> dict[str, LinearMap]:
    varies = np.ptp(y, axis=0) > 0
    return iterated_candidates([y], varies, Limits(STEPS, max_lag, season, is_joint))


def simulated(n_rows: int = 200, seed: int = 0) -> np.ndarray:
    return simulate_var(COEFS, n_rows, intercept=[1.0, 0.0, -2.0], random_state=seed)


def least_squares(y: np.ndarray, order: int) -> np.ndarray:
    """Return the coefficients of a constant and of the lags, the newest first, row by row."""
    rows = [np.hstack([1.0, y[t - order : t][::-1].ravel()]) for t in range(order, len(y))]
    return np.linalg.lstsq(np.array(rows), y[order:], rcond=None)[0]


def continued(y: np.ndarray, coefs: np.ndarray, order: int) -> np.ndarray:
    path = list(y)
    for _ in range(STEPS):
        newest_first = np.array(path[len(path) - order :])[::-1].ravel()
        path.append(np.hstack([1.0, newest_first]) @ coefs)
    return np.array(path[len(y) :])


def test_the_autoregressions_continue_each_series_by_least_squares_on_its_own_lags() -> None:
    y = simulated()
    one = candidates(y)["ar"]
    for c in range(3):
        order = np.flatnonzero(one.own[0, c]).max() + 1
        own = y[:, [c]]
        wanted = continued(own, least_squares(own, order), order)[:, 0]
        np.testing.assert_allclose(one(y[None])[0, :, c], wanted, rtol=1e-8)


def test_the_autoregressions_of_the_steps_continue_the_steps_with_a_drift() -> None:
    y = (simulated() + 0.5).cumsum(axis=0)
    one = candidates(y)["ari"]
    for c in range(3):
        order = np.flatnonzero(one.own[0, c]).max()  # of the steps, one less than of the levels
        steps = np.diff(y[:, [c]], axis=0)
        moves = continued(steps, least_squares(steps, order), order)[:, 0]
        wanted = y[-1, c] + moves.cumsum()
        np.testing.assert_allclose(one(y[None])[0, :, c], wanted, rtol=1e-6)


def test_the_vector_autoregression_continues_all_series_by_least_squares() -> None:
    y = simulated()
    one = candidates(y)["var"]
    wanted = continued(y, least_squares(y, one.n_lags), one.n_lags)
    np.testing.assert_allclose(one(y[None])[0], wanted, rtol=1e-8)


def test_the_last_value_and_the_last_season_are_repeated() -> None:
    y = simulated(60)
    found = candidates(y, season=4)
    np.testing.assert_array_equal(found["last"](y[None])[0], [y[-1]] * STEPS)
    np.testing.assert_array_equal(found["season"](y[None])[0], y[[-4, -3, -2, -1, -4]])


@pytest.mark.parametrize(("season", "max_lag", "n_rows"), [(1, 24, 60), (12, 8, 60), (12, 24, 20)])
def test_there_is_no_season_without_a_period_a_window_or_two_periods_of_rows(
    season: int, max_lag: int, n_rows: int
) -> None:
    assert "season" not in candidates(simulated(n_rows), season=season, max_lag=max_lag)


@pytest.mark.parametrize("n_rows", [2, 6, 15, 40, 200, 1600])
@pytest.mark.parametrize("max_lag", [1, 7])
def test_no_candidate_reads_more_lags_than_it_may_and_all_are_finite(
    n_rows: int, max_lag: int
) -> None:
    y = simulated(n_rows)
    found = candidates(y, season=4, max_lag=max_lag)
    assert {"ar", "ari", "last"} <= set(found)
    windows = y[None, -max_lag:] if n_rows >= max_lag else np.zeros((1, max_lag, 3))
    for name, one in found.items():
        assert 1 <= one.n_lags <= max_lag, name
        assert one(windows).shape == (1, STEPS, 3), name
        assert np.isfinite(one(windows)).all(), name


def test_on_many_rows_every_regression_of_all_series_nears_the_process() -> None:
    y = simulated(1600)
    found = candidates(y, max_lag=4)
    regressions = {"var", "ridge", "even ridge", "long ridge"}
    assert regressions <= set(found)
    for name in regressions:
        np.testing.assert_allclose(found[name].cross[0, :, 0], COEFS[0], atol=0.1, err_msg=name)


def test_a_series_that_does_not_vary_keeps_its_last_value_and_moves_no_other() -> None:
    y = simulated()
    y[:, 1] = 7.0
    window = y[None, -24:].copy()
    window[:, -1, 1] = 9.0
    found = candidates(y, season=4)
    moved = window.copy()
    moved[:, :, 1] += 3.0
    for name in set(found) - {"season"}:
        one = found[name]
        np.testing.assert_array_equal(one(window)[0, :, 1], 9.0, err_msg=name)
        others = [0, 2]
        np.testing.assert_allclose(one(moved)[..., others], one(window)[..., others])


@pytest.mark.parametrize(
    ("n_rows", "wanted"),
    [
        ([160, 160, 160], [1, 1, 1]),
        ([160, 160, 120], [1, 1, 1]),
        ([160, 5, 160], [1, 0, 1]),
        ([70, 160, 160], [0, 1, 1]),
        ([160, 80], [1, 1]),
        ([0, 0], [1, 1]),
    ],
)
def test_the_longest_series_with_the_most_rows_in_all_have_enough(n_rows, wanted) -> None:
    assert enough_rows(np.array(n_rows)).astype(int).tolist() == wanted


@pytest.mark.parametrize("missing", [slice(195), slice(5, None), slice(120), slice(None)])
def test_a_short_series_takes_no_candidate_from_the_others(missing: slice) -> None:
    y = simulated()
    with_short = np.column_stack([y[:, 0], simulated(seed=1)[:, 0], y[:, 1:]])
    with_short[missing, 1] = np.nan
    limits, others = Limits(STEPS, 24, 12), [0, 2, 3]
    found = iterated_candidates([with_short], np.ones(4, dtype=bool), limits)
    wanted = candidates(y, season=12)
    assert set(found) == set(wanted) >= {"var", "ridge", "even ridge", "season"}
    window = np.nan_to_num(with_short[None])
    for name, one in wanted.items():
        ahead = found[name](window)[0]
        np.testing.assert_allclose(ahead[:, others], one(y[None])[0], rtol=1e-6, err_msg=name)
        if one.cross.any():
            alone = found["ar"](window)[0, :, 1]
            np.testing.assert_allclose(ahead[:, 1], alone, err_msg=name)


def test_a_short_series_takes_nothing_from_the_var_that_forgets() -> None:
    y = simulated()
    with_short = np.column_stack([y, simulated(seed=1)[:, 0]])
    with_short[:150, 3] = np.nan
    parts, limits = [[100], [200]], Limits(STEPS, 24, 1)
    found, wanted = (
        filtered_candidates([rows], parts, np.ones(rows.shape[1], dtype=bool), limits)
        for rows in (with_short, y)
    )
    for own, one in zip(found, wanted, strict=True):
        cross = own["forgetting"].cross
        np.testing.assert_allclose(cross[:, :3, :, :3], one["forgetting"].cross)
        assert not cross[:, 3].any()
        assert not cross[..., 3].any()
    assert found[-1]["forgetting"].own[0, 3, 0] < 0.9  # it has learned from its own rows
    np.testing.assert_array_equal(found[0]["forgetting"](np.ones((1, 24, 4)))[..., 3], 1.0)


def test_a_short_series_takes_no_shared_regression_from_the_others() -> None:
    own = own_runs([simulated()])
    limits = Limits(STEPS, 24, 4)
    wanted = pooled_forms(own, limits)
    assert wanted["direct"]
    assert pooled_forms([own[0], [np.zeros(5)], own[1], [], own[2]], limits) == wanted


def test_series_that_may_not_read_each_other_are_forecast_as_if_each_were_alone() -> None:
    y = simulated()
    found = candidates(y, season=4, is_joint=False)
    for c in range(3):
        for name, alone in candidates(y[:, [c]], season=4, is_joint=False).items():
            assert not found[name].cross.any(), name
            np.testing.assert_allclose(found[name](y[None])[..., [c]], alone(y[None, :, [c]]))


def test_the_order_of_the_series_changes_the_order_of_their_forecasts_alone() -> None:
    y, order = simulated(), [2, 0, 1]
    found, turned = candidates(y), candidates(y[:, order])
    assert list(found) == list(turned)
    for name, one in found.items():
        wanted = one(y[None])[..., order]
        np.testing.assert_allclose(turned[name](y[None][..., order]), wanted, rtol=1e-5)


def test_runs_of_a_series_are_its_own_stretches_without_a_gap() -> None:
    values = np.arange(12.0).reshape(6, 2)
    values[2, 0] = np.nan
    first, second = own_runs([values, values[:1]])
    assert [run.tolist() for run in first] == [[0, 2], [6, 8, 10], [0]]
    assert [run.tolist() for run in second] == [[1, 3, 5, 7, 9, 11], [1]]


def test_the_direct_candidate_has_no_level_and_all_series_share_its_weights() -> None:
    direct = estimate_anchor([simulated(2100)], STEPS, 12).direct
    window = np.random.default_rng(0).normal(size=(1, 12, 1)).repeat(3, axis=2)
    ahead = direct(window)
    np.testing.assert_allclose(ahead, ahead[..., [0, 0, 0]])
    np.testing.assert_allclose(direct(window + 1e3), ahead + 1e3)


def test_the_direct_candidate_of_a_series_without_noise_can_be_rolled_out() -> None:
    t = np.arange(2100)
    y = (np.sin(2 * np.pi * t / 25) + 0.5 * np.sin(2 * np.pi * t / 13))[:, None]
    assert rolled_growth(estimate_anchor([y], STEPS, 24).direct) <= 1.01


def test_look_backs_of_all_lengths_are_regressed_on_the_origins_of_the_longest() -> None:
    own = own_runs([simulated(), simulated(150, seed=1)])
    forms = pooled_forms(own, Limits(STEPS, 12, 1))["direct"]
    assert forms[0].length == 12
    assert len(forms) > 1
    runs = [run for runs in own for run in runs]
    for form, products in zip(forms, products_of(forms, own), strict=True):
        windows = [
            run[origin - form.length : origin + STEPS] - run[origin - 1]
            for run in runs
            for origin in range(12, len(run) - STEPS + 1)
        ]
        np.testing.assert_allclose(products, np.transpose(windows) @ windows, atol=1e-8)


def test_a_candidate_of_several_look_backs_is_the_mean_of_their_ridge_regressions() -> None:
    own = own_runs([simulated()])
    forms = pooled_forms(own, Limits(STEPS, 12, 1))["direct"]
    paths = [
        RidgePath(products, form.length)
        for products, form in zip(products_of(forms, own), forms, strict=True)
    ]
    one = pooled_candidate(forms, paths, [0.1] * len(forms), 3)
    window = np.random.default_rng(0).normal(size=(12, 3))
    each = [
        window[-1] + path.solve(0.1).T @ (window[-form.length :] - window[-1])
        for path, form in zip(paths, forms, strict=True)
    ]
    np.testing.assert_allclose(one(window[None])[0], np.mean(each, axis=0))


def test_what_all_series_share_is_there_once() -> None:
    own = own_runs([simulated()])
    forms = pooled_forms(own, Limits(STEPS, 12, 1))["direct"]
    paths = paths_of(forms, own)
    many, single = (pooled_candidate(forms, paths, [0.1] * len(forms), n) for n in (800, 1))
    assert np.shares_memory(many.own[:, 0], many.own[:, 799])
    np.testing.assert_array_equal(many.own[:, [799]], single.own)
    assert single.own.flags.writeable  # as torch wants it


@pytest.mark.parametrize(
    ("shares", "lengths"),
    [((1.0, 2 / 3, 1 / 2, 1 / 3), [24, 16, 12, 8]), ((1.0, 1 / 2, 1 / 4, 1 / 8), [24, 12, 6, 3])],
)
def test_look_backs_are_shares_of_the_longest(shares, lengths) -> None:
    limits = Limits(STEPS, 24, 1, look_backs=shares)
    forms = pooled_forms(own_runs([simulated(200)]), limits)["direct"]
    assert [form.length for form in forms] == lengths


@pytest.mark.parametrize("n_rows", [4, 30])
def test_there_are_no_shared_regressions_on_few_windows(n_rows: int) -> None:
    assert pooled_forms(own_runs([simulated(n_rows)]), Limits(STEPS, 12, 4)) == {}
