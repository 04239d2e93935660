"""Seasons are found where they are, and seldom where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear import seasons
from samovar_forecast.linear.average import estimate_anchor, estimate_each
from samovar_forecast.linear.seasons import find_season, season_of


def autoregression(rng: np.random.Generator, n_rows: int, *coefs: float) -> np.ndarray:
    path = np.zeros(n_rows + 100)
    shocks = rng.normal(size=len(path))
    for row in range(len(coefs), len(path)):
        path[row] = path[row - len(coefs) : row][::-1] @ coefs + shocks[row]
    return path[100:]


def seasonal_walk(rng: np.random.Generator, season: int, n_rows: int) -> np.ndarray:
    shape = 2 * rng.normal(size=season)
    walk = 0.5 * rng.normal(size=n_rows).cumsum()
    return shape[np.arange(n_rows) % season] + walk + rng.normal(size=n_rows)


@pytest.mark.parametrize(
    ("name", "coefs"),
    [("white", (0.0,)), ("persistent", (0.9,)), ("cycle", (1.2, -0.7)), ("walk", (1.0,))],
)
@pytest.mark.parametrize("n_rows", [40, 100, 300])
def test_false_seasons_are_rare(name, coefs, n_rows):
    rng = np.random.default_rng(0)
    found = [season_of(autoregression(rng, n_rows, *coefs)) > 1 for _ in range(100)]
    assert np.mean(found) <= 0.04, name


@pytest.mark.parametrize(("season", "n_rows"), [(12, 120), (7, 90), (24, 200), (52, 250)])
def test_a_season_is_found_and_not_its_multiple(season, n_rows):
    rng = np.random.default_rng(1)
    found = [season_of(seasonal_walk(rng, season, n_rows)) for _ in range(20)]
    assert np.mean([one == season for one in found]) >= 0.9


def test_a_longer_season_is_found_beside_the_known_and_none_where_there_is_none():
    rng = np.random.default_rng(2)
    time, day, week = np.arange(1200), rng.normal(size=24), rng.normal(size=168)
    noise = 0.5 * rng.normal(size=1200)
    assert season_of(day[time % 24] + week[time % 168] + noise, known=24) == 168
    assert season_of(3 * day[time % 24] + noise, known=24) == 1


def test_level_scale_and_outliers_do_not_matter():
    rng = np.random.default_rng(3)
    y = seasonal_walk(rng, 12, 150)
    assert season_of(y) == season_of(1e6 + 1e-3 * y) == 12
    y[70] += 1e3
    assert season_of(y) == 12


@pytest.mark.parametrize("values", [np.ones(60), np.arange(60.0), np.zeros(5), np.arange(3.0)])
def test_what_does_not_vary_or_is_short_has_none(values):
    assert season_of(values) == 1


def test_most_series_of_a_system_have_to_show_it():
    rng = np.random.default_rng(4)
    seasonal = [seasonal_walk(rng, 12, 150) for _ in range(3)]
    walks = [rng.normal(size=150).cumsum() for _ in range(3)]
    assert find_season([np.column_stack([*seasonal, walks[0]])]) == 12
    assert find_season([np.column_stack([seasonal[0], *walks])]) == 1


@pytest.mark.parametrize("other", ["late", "ended", "constant", "with gaps"])
def test_a_series_that_can_show_no_season_takes_none_from_the_others(other):
    rng = np.random.default_rng(4)
    y = np.column_stack([seasonal_walk(rng, 12, 150) for _ in range(2)] + [np.zeros(150)])
    y[:, 2] = 5.0 if other == "constant" else rng.normal(size=150).cumsum()
    if other != "constant":
        y[
            {"late": slice(145), "ended": slice(5, None), "with gaps": slice(3, None, 4)}[other], 2
        ] = np.nan
    assert find_season([y]) == 12
    assert find_season([y[:, [0, 2]]]) == (1 if other == "with gaps" else 12)


def test_an_instance_that_can_show_no_season_takes_none_from_the_others():
    rng = np.random.default_rng(4)
    y = np.column_stack([seasonal_walk(rng, 12, 150) for _ in range(2)])
    late = np.full((170, 2), np.nan)
    late[165:] = rng.normal(size=(5, 2))
    assert find_season([late, y]) == find_season([np.ones((170, 2)), y]) == find_season([y]) == 12


def test_a_season_counts_against_the_series_that_are_long_enough_for_it():
    rng = np.random.default_rng(4)
    y = np.column_stack([seasonal_walk(rng, 24, 150), *rng.normal(size=(2, 150)).cumsum(axis=1)])
    y[:90, 1:] = np.nan
    assert find_season([y]) == 24
    y[:90, 1:] = 0.0
    assert find_season([y]) == 1


def test_nothing_is_regressed_on_phases_where_the_rows_hold_no_multiple(monkeypatch):
    def refuse(values, known):
        raise AssertionError("a regression on the phases of the known season")

    rng = np.random.default_rng(6)
    monkeypatch.setattr(seasons, "_whitened", refuse)
    assert season_of(rng.normal(size=2000), known=1440) == 1
    assert season_of(rng.normal(size=2000), known=201) == 1
    with pytest.raises(AssertionError, match="phases"):
        season_of(rng.normal(size=2000), known=200)


def test_a_season_that_is_not_told_is_forecast_as_well_as_a_told_one():
    rng = np.random.default_rng(5)
    y = np.column_stack([seasonal_walk(rng, 12, 140) for _ in range(2)])
    window = y[None, :120]
    found, told = (estimate_anchor([y[:120]], 12, 60, m).map(window[:, -60:]) for m in (1, 12))
    assert np.allclose(found, told)
    alone = [estimate_each([y[:120, [c]]], 12, 1, 60)[0] for c in range(2)]
    assert all("season" in fit.weights or fit.map.n_lags >= 24 for fit in alone)
