"""The linear members of the forecast without the network, with intervals from held-out errors.

Letters: B origins, L context, h steps, C series, Q levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.samples import LEVELS, Forecast, Sample, without_gaps
from samovar_forecast.linear.average import LONGEST_LAG, AnchorFit, estimate_anchor


class LinearMembers:
    """One set of maps for all members of a panel, in units of each series' deviation."""

    together = False

    def fit(self, samples: Sequence[Sample], horizon: int, season: int) -> None:
        values = [without_gaps(sample.y).to_numpy(dtype=float) for sample in samples]
        deviations = [one.std(axis=0) for one in values]
        self.units = [np.where(one > 0, one, 1.0) for one in deviations]
        scaled = [one / unit for one, unit in zip(values, self.units, strict=True)]
        n_lags = min(LONGEST_LAG, *map(len, scaled))
        fit = estimate_anchor(scaled, horizon, n_lags, season)
        self.map, self.context = fit.map, max(1, fit.map.n_lags)
        self.errors = held_out_errors(fit)

    def forecast(self, samples: Sequence[Sample], spread: bool = True) -> list[Forecast]:
        found = []
        for sample, unit in zip(samples, self.units, strict=True):
            window = without_gaps(sample.y).to_numpy(dtype=float)[-self.context :] / unit
            points = self.map(window[None])[0]  # h C
            quantiles = None
            if spread:
                around = np.nanquantile(self.errors, LEVELS, axis=0)  # Q h C
                quantiles = (points[..., None] + np.moveaxis(around, 0, -1)) * unit[:, None]
            found.append(Forecast(points * unit, quantiles))
        return found


def held_out_errors(fit: AnchorFit) -> np.ndarray:
    """Return actual values minus forecasts from earlier origins, (B, h, C).

    Where no origin reaches a step, the errors of the farthest that some reach are widened as those
    of a random walk.
    """
    if fit.trial is None:
        return np.zeros((1, *fit.map.intercept.shape))
    errors = -fit.trial.errors
    reached = np.isfinite(errors).any(axis=(0, 2))
    last = int(np.flatnonzero(reached)[-1])
    beyond = np.arange(last + 1, errors.shape[1])
    errors[:, beyond] = errors[:, [last]] * np.sqrt((beyond + 1) / (last + 1))[:, None]
    return errors
