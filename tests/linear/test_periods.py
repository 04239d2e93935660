"""The cross-period candidate equals the regression on windows that are built one by one."""

from __future__ import annotations

import numpy as np

from samovar_forecast.linear import LinearMap, estimate_anchor
from samovar_forecast.linear.direct import RidgePath
from samovar_forecast.linear.periods import PeriodForm


def phases_of_windows(values: np.ndarray, form: PeriodForm) -> np.ndarray:
    """Return each phase of each window, from the mean of its past; (windows * season, P + F)."""
    rows = []
    for first in range(len(values) - form.span + 1):
        window = values[first : first + form.span] - values[first : first + form.length].mean()
        rows += [window[phase :: form.season] for phase in range(form.season)]
    return np.array(rows)


def test_the_products_are_those_of_the_phases_of_all_windows():
    values = np.random.default_rng(0).normal(size=60).cumsum()
    form = PeriodForm(season=5, n_past=4, n_steps=7)
    rows = phases_of_windows(values, form)
    assert np.allclose(form.products([values]), rows.T @ rows)
    assert np.allclose(form.products([values, values[:10]]), rows.T @ rows)
    assert not form.products([values[:20]]).any()


def test_the_map_continues_each_phase_by_the_same_weights():
    rng = np.random.default_rng(1)
    values, form = rng.normal(size=90).cumsum(), PeriodForm(season=4, n_past=3, n_steps=6)
    weights = RidgePath(form.products([values]), form.n_past).solve(0.1)
    window = rng.normal(size=12)
    level = window.mean()
    wanted = [
        level + (window[h % 4 :: 4] - level) @ weights[:, h // 4] for h in range(form.n_steps)
    ]
    got = LinearMap.of(own=form.own_lags(weights))(window[None, :, None])[0, :, 0]
    assert np.allclose(got, wanted)


def test_a_season_that_returns_is_continued_by_it():
    rng = np.random.default_rng(0)
    t = np.arange(2400)
    pattern = rng.normal(size=12)
    level = 0.3 * rng.normal(size=2400).cumsum()
    y = (np.tile(pattern, 200) * 3 + 0.02 * level + rng.normal(size=t.size))[:, None]
    fit = estimate_anchor([y[:2300]], 36, 120, season=12)
    assert "periods" in fit.weights or "direct" in fit.weights
    ahead = fit.map(y[None, 2180:2300])[0, :, 0]
    assert np.square(ahead - y[2300:2336, 0]).mean() < 1.4
