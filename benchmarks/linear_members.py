"""The linear members of the forecast without the network, with intervals from held-out errors.

Letters: B origins, L context, h steps, C series, Q levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.contestants import LEVELS, Forecast, Sample, without_gaps
from samovar_forecast.learning.plan import choose_lengths
from samovar_forecast.linear.average import estimate_anchor

SHARE_SEEN = 0.8
"""Of the rows of each member: intervals are the errors, on the rest, of maps that see so many."""
ORIGINS = 100
"""Held-out origins of a panel, about."""


class LinearMembers:
    """One set of maps for all members of a panel, in units of each series' deviation."""

    together = False

    def fit(self, samples: Sequence[Sample], horizon: int, season: int) -> None:
        values = [without_gaps(sample.y).to_numpy(dtype=float) for sample in samples]
        self.horizon, self.season = horizon, season
        deviations = [one.std(axis=0) for one in values]
        self.units = [np.where(one > 0, one, 1.0) for one in deviations]
        scaled = [one / unit for one, unit in zip(values, self.units, strict=True)]
        self.map, self.context = self._estimate(scaled)
        self.scaled, self.errors = scaled, None

    def forecast(self, samples: Sequence[Sample], spread: bool = True) -> list[Forecast]:
        if spread and self.errors is None:
            self.errors = self._held_out_errors(self.scaled)
        found = []
        for sample, unit in zip(samples, self.units, strict=True):
            window = without_gaps(sample.y).to_numpy(dtype=float)[-self.context :] / unit
            points = self._roll(self.map, window[None])[0]  # h C
            quantiles = None
            if spread:
                around = np.quantile(self.errors, LEVELS, axis=0)  # Q h C
                quantiles = (points[..., None] + np.moveaxis(around, 0, -1)) * unit[:, None]
            found.append(Forecast(points * unit, quantiles))
        return found

    def _estimate(self, scaled: Sequence[np.ndarray]) -> tuple[object, int]:
        shortest = min(map(len, scaled))
        lengths = choose_lengths(shortest, horizon=self.horizon, season=self.season)
        fit = estimate_anchor(scaled, *lengths, self.season)
        return fit.map, lengths.context_length

    def _held_out_errors(self, scaled: Sequence[np.ndarray]) -> np.ndarray:
        """Return errors (B, h, C) of maps that saw the first rows only."""
        cut = int(SHARE_SEEN * min(map(len, scaled)))
        try:
            earlier, context = self._estimate([one[:cut] for one in scaled])
        except Exception:  # noqa: BLE001 - too few rows to hide any
            earlier, context = self.map, self.context
        errors = []
        for one in scaled:
            first = max(min(cut, len(one) - self.horizon), context)
            origins = np.linspace(first, len(one) - self.horizon, max(1, ORIGINS // len(scaled)))
            origins = np.unique(origins.astype(int))
            origins = origins[(origins >= context) & (origins + self.horizon <= len(one))]
            for origin in origins:
                forecast = self._roll(earlier, one[None, origin - context : origin])[0]
                errors.append(one[origin : origin + self.horizon] - forecast)
        if not errors:
            return np.zeros((1, self.horizon, scaled[0].shape[1]))
        return np.stack(errors)

    def _roll(self, linear_map: object, windows: np.ndarray) -> np.ndarray:
        path, context = windows, windows.shape[1]
        while path.shape[1] < context + self.horizon:
            path = np.concatenate([path, linear_map(path[:, -context:])], axis=1)
        return path[:, context : context + self.horizon]
