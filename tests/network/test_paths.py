"""Simple forecasts at every position, against plain loops and known futures."""

import numpy as np
import pytest
import torch

from samovar_forecast.network.paths import DAMPING, EXOGENOUS, LARGEST, LOCAL_RATES, N_OWN, PATHS
from samovar_forecast.network.trends import PRIOR_OF_LINE
from tests.builders.panels import (
    HORIZON,
    PATCH,
    changed_later,
    close,
    gappy_walks,
    opened,
    seasonal_walks,
)


def away(y, name, season, **options):
    """Return how a path moves from the last value, in the units of the panel; (C, N, H)."""
    found = opened(y, season, **options)
    moves = found.paths.moves[..., PATHS.index(name), :] * found.statistics.unit
    return (moves * found.window.scale[..., None])[0]


def continues(y, future, name, season, tolerance=1e-6):
    """Hold a path at the last position against what came."""
    wanted = (future - y[:, -1:])[0].T
    scale = (y.max() - y.min()).item()
    torch.testing.assert_close(away(y, name, season)[:, -1], wanted, rtol=0, atol=tolerance * scale)


def line_and_season(slope, period=4, n_rows=96):
    """Return an exact season on an exact line, and what follows it."""
    time = np.arange(n_rows + HORIZON)
    pattern = np.random.default_rng(0).normal(size=period)
    y = torch.tensor((slope * time + np.resize(pattern, len(time)))[None, :, None])
    return y[:, :n_rows], y[:, n_rows:]


@pytest.mark.parametrize(
    "name",
    ["season_before", "season_last", "season_smooth", "season_slow", "trend"],
)
def test_an_exact_season_is_continued_by_every_seasonal_path(name):
    continues(*line_and_season(0.0), name, 4)


def test_an_exact_season_on_a_line_is_continued_along_the_line():
    continues(*line_and_season(0.05), "trend", 4, 1e-5)


@pytest.mark.parametrize("name", ["season_autoregression", "step_autoregression"])
def test_a_season_on_a_line_leaves_its_autoregression_little_to_err(name):
    continues(*line_and_season(0.05, n_rows=240), name, 4, 0.03)


def test_the_mean_of_adjusted_values_holds_a_little_of_the_first_season():
    continues(*line_and_season(0.0), "season_mean", 4, 0.003)


def test_a_season_that_is_not_told_but_found_is_continued():
    continues(*line_and_season(0.0, period=12), "found_season", 1)


@pytest.mark.parametrize(("name", "tolerance"), [("trend", 1e-6), ("autoregression", 0.03)])
def test_a_line_is_continued_by_its_slope_and_nearly_so_by_a_drift_that_is_shrunk(name, tolerance):
    time = torch.arange(96.0 + HORIZON, dtype=torch.float64)[None, :, None]
    continues(time[:, :96], time[:, 96:], name, 1, tolerance)


def test_a_sine_without_noise_is_continued_by_its_autoregression():
    wave = torch.sin(torch.arange(200.0 + HORIZON, dtype=torch.float64) / 5)[None, :, None]
    future = wave[:, 200:]
    found = away(wave[:, :200], "autoregression", 1)[0, -1, :16]
    torch.testing.assert_close(found, (future - wave[:, 199])[0, :16, 0], rtol=0, atol=0.05)


@pytest.mark.parametrize("with_gaps", [False, True])
def test_without_a_season_the_paths_are_means_of_the_values_so_far(with_gaps):
    y = gappy_walks(96) if with_gaps else seasonal_walks(96)
    found = opened(y, season=1)
    weights = found.window.observed[0].numpy()
    filled = (found.window.values * found.window.scale + found.window.location)[0].numpy()
    ahead = np.arange(1, HORIZON + 1)
    for c, position in np.ndindex(4, 12):
        end = (position + 1) * PATCH
        x, w = filled[c, :end], weights[c, :end]
        if w.sum() < 2:
            continue
        start = int(found.window.start[0, c])
        half, lines = (end - start) // 2, {}
        slope = (x[end - half :].mean() - x[start : start + half].mean()) / (end - start - half)
        slope *= end - start >= 4
        kinds = ("damped_trend", "local_trend")
        for name, rate, damping in zip(kinds, LOCAL_RATES, DAMPING, strict=True):
            fading = (1 - rate) ** np.arange(end)[::-1][-48:] * w[-48:]
            time = np.arange(-len(fading) + 1.0, 1.0)
            centre, middle = fading @ time / fading.sum(), fading @ x[-48:] / fading.sum()
            rise = fading * (time - centre) @ x[-48:]
            rise /= fading @ (time - centre) ** 2 + PRIOR_OF_LINE / rate**2
            lines[name] = middle - rise * centre - x[-1] + rise * np.cumsum(damping**ahead)
        means = {"season_before": x[-4:].mean(), "season_mean": w @ x / w.sum()}
        for name, rate in (("season_smooth", 0.4), ("season_slow", 0.12)):
            fading = ((1 - rate) ** np.arange(end)[::-1] * w)[-48:]
            means[name] = fading @ x[-48:] / fading.sum()
        wanted = {name: mean - x[-1] + 0 * ahead for name, mean in means.items()}
        wanted |= lines
        wanted["last"] = wanted["season_last"] = 0.0 * ahead
        wanted["trend"] = ahead * slope
        wanted["half_trend"] = wanted["season_smooth"] + ahead * slope / 2
        unit = (found.statistics.unit[0, c, position] * found.window.scale[0, c]).numpy()
        is_there = found.paths.is_there[0, c, position].numpy()
        for name, path in wanted.items():
            mine = found.paths.moves[0, c, position, PATHS.index(name)].numpy()
            path = np.clip(path / unit, -LARGEST, LARGEST) * is_there[PATHS.index(name)]
            np.testing.assert_allclose(mine, path, rtol=1e-6, atol=1e-9, err_msg=name)


def test_a_path_is_there_where_what_it_reads_is():
    y = seasonal_walks(96)
    there = dict(zip(PATHS, opened(y, 1, with_others=False).paths.is_there[0, 0].T, strict=True))
    for name in set(PATHS) - {"season_last", "found_season", *EXOGENOUS}:
        assert there[name].all(), name
    for name in ("season_last", *EXOGENOUS):
        assert not there[name].any(), name
    there = dict(zip(PATHS, opened(y, 12).paths.is_there[0, 0].T, strict=True))
    assert there["last"].all()
    assert there["autoregression"].all()
    for name in set(PATHS) - {"last", "autoregression", "found_season"}:
        first = 1 if name == "season_before" else 2  # a season; a season and a half
        assert not there[name][:first].any(), name
        assert there[name][first:].all(), name


def test_a_vector_autoregression_sees_what_one_series_says_of_another():
    random = np.random.default_rng(0)
    leader = random.normal(size=400)
    follower = np.concatenate([[0.0], leader[:-1]])  # repeats the leader one step later
    y = torch.tensor(np.stack([leader, follower], 1)[None])
    found = opened(y, 1)
    error = (found.paths.moves - found.actual[..., None, :])[0, 1, 10:-8, :, 0].square().mean(0)
    joint = error[PATHS.index("vector_autoregression")]
    assert joint < 0.1 * error[:N_OWN].min()


def test_series_that_move_alike_are_told_so_by_their_shared_autoregression():
    random = np.random.default_rng(0)
    shocks = random.normal(size=(48, 12))
    y = np.zeros((48, 12))
    for t in range(1, 48):
        y[t] = 0.6 * y[t - 1] + shocks[t]
    found = opened(torch.tensor(y[None]), 1)
    error = (found.paths.moves - found.actual[..., None, :])[0, :, 2:-1, :, 0].square().mean((0, 1))
    shared, own = (
        error[PATHS.index(name)] for name in ("shared_autoregression", "season_autoregression")
    )
    assert shared < own


def test_later_values_change_no_earlier_path_and_no_earlier_record():
    y = seasonal_walks(160)
    found, other = opened(y), opened(changed_later(y, 120))
    close(other.paths.moves[:, :, :15], found.paths.moves[:, :, :15])
    close(other.paths.is_there[:, :, :15], found.paths.is_there[:, :, :15])
    close(other.record[:, :, :15], found.record[:, :, :15])


def test_paths_and_records_know_no_level_and_no_scale():
    y = gappy_walks()
    scale = torch.tensor([1e-3, 1.0, 50.0, 1e4])
    found, moved = opened(y), opened(y * scale - 300 * scale)
    close(moved.paths.moves, found.paths.moves, 1e-5)
    close(moved.record, found.record, 1e-5)


def test_an_explosive_series_has_bounded_paths():
    y = torch.exp(torch.arange(96.0, dtype=torch.float64) / 3)[None, :, None]
    moves = opened(y, 4).paths.moves
    assert torch.isfinite(moves).all()
    assert moves.abs().max() <= LARGEST
