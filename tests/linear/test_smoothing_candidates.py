"""Smoothing of a sample: constants of each series, common to its instances, and their maps."""

from __future__ import annotations

import numpy as np

from samovar_forecast.linear.smoothing import Constants
from samovar_forecast.linear.smoothing_candidates import Smoothing
from samovar_forecast.linear.smoothing_search import squared_errors


def series(n_rows: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pattern = np.tile(rng.normal(size=4), n_rows // 4 + 1)[:n_rows]
    level = rng.normal(size=n_rows).cumsum() * 0.5 + rng.normal(size=n_rows)
    return 10 + 0.1 * np.arange(n_rows) + 2 * pattern + level


def test_instances_are_searched_with_one_set_of_constants():
    y = [series(60, seed)[:, None] for seed in range(3)]
    found = Smoothing(y, [[60, 60, 60]], 60, 4, is_searched=True)._chosen[0]["simple"]

    def totals(constants: Constants) -> np.ndarray:
        return sum(squared_errors(own - own[0], constants, [60])[0, :, 0] for own in y)

    grid = Constants.grid(np.linspace(0.01, 1, 34), None, (1.0,), np.linspace(0, 0.9, 19), 4)
    assert totals(found)[0] <= 1.001 * totals(grid).min()


def test_each_series_has_constants_of_its_own_and_a_series_moves_no_other():
    walk = np.random.default_rng(0).normal(size=(150, 1)).cumsum(axis=0)
    noise = np.random.default_rng(1).normal(size=(150, 1))
    (both,) = Smoothing([np.hstack([walk, noise])], [[150]], 40).candidates(3)
    (alone,) = Smoothing([walk], [[150]], 40).candidates(3)
    np.testing.assert_allclose(both["simple"].own[:, :1], alone["simple"].own)
    assert both["simple"].own[0, 0, 0] > 0.6
    assert both["simple"].own[0, 1, 0] < 0.2


def test_the_constants_of_an_earlier_part_are_those_of_the_part_alone():
    y = [np.stack([series(n, seed) for seed in range(2)], axis=1) for n in (2600, 700)]
    parts = [[500, 150], [1300, 400], [2600, 700]]
    for part, found in zip(parts, Smoothing(y, parts, 40).candidates(3), strict=True):
        rows = [own[:end] for own, end in zip(y, part, strict=True)]
        (alone,) = Smoothing(rows, [part], 40).candidates(3)
        for name, one in alone.items():
            np.testing.assert_allclose(found[name].own, one.own, err_msg=f"{name} {part}")
