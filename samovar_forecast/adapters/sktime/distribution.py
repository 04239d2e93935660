"""Whole distributions for sktime: sample paths, each smeared by a kernel with exponential tails.

Letters: n paths, R rows of a forecast, C series.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from skpro.distributions.base import BaseDistribution

LARGEST_BANDWIDTH = 0.5
"""Deviation of the kernel, in deviations of the middle half of the paths; it falls with the fifth
root of n. Silverman's rule has 0.9, which blurs the quantiles of skewed paths."""

LEAST_SCALE = 1e-9
"""Scale of the kernel of a series that does not vary, relative to its size."""

BISECTIONS = 80

LEVELS_OF_AN_ENERGY = 200


class SmoothedPaths(BaseDistribution):
    """Distribution of a forecast: equally likely paths, with a logistic kernel around each value.

    The density is positive everywhere, and its logarithm falls in proportion to the distance, so
    that a logarithmic loss is finite. The values are drawn to their mean by as much as the kernel
    spreads them: mean and variance are those of the paths (Silverman and Young, 1987). Samples are
    joint over rows and series.

    Parameters
    ----------
    paths : array of shape (n, R, C), or (n,) for a single number
        NaN behind the last path, where a row has fewer than others.
    index : pandas.Index, optional
    columns : pandas.Index, optional

    Examples
    --------
    >>> import numpy as np
    >>> from samovar_forecast.adapters.sktime.distribution import SmoothedPaths
    >>> float(SmoothedPaths(np.array([1.0, 2.0, 6.0])).mean())
    3.0
    """

    _tags = {
        "capabilities:approx": ["pdfnorm", "energy"],
        "capabilities:exact": ["mean", "var", "pdf", "log_pdf", "cdf", "ppf"],
        "distr:measuretype": "continuous",
        "distr:paramtype": "nonparametric",
        "broadcast_init": "off",
    }

    def __init__(
        self,
        paths: np.ndarray,
        index: pd.Index | None = None,
        columns: pd.Index | None = None,
    ) -> None:
        self.paths = paths
        self._shape = np.shape(paths)[1:]
        super().__init__(index=index, columns=columns)
        values = np.asarray(paths, dtype=np.float64)
        self._count = np.isfinite(values).sum(axis=0)
        self._center = np.nanmean(values, axis=0)
        self._variance = np.nanvar(values, axis=0)
        deviation = np.sqrt(self._variance)
        low, high = np.nanquantile(values, [0.25, 0.75], axis=0)
        middle = np.minimum(np.where(high > low, (high - low) / 1.34, deviation), deviation)
        share = LARGEST_BANDWIDTH * self._count**-0.2 * middle / np.where(middle, deviation, 1.0)
        self._knots = self._center + np.sqrt(1 - share**2) * (values - self._center)
        width = np.maximum(share * deviation, LEAST_SCALE * (1 + np.abs(self._center)))
        self._scale = width * np.sqrt(3) / np.pi  # of the logistic law of that deviation

    def _mean(self) -> np.ndarray:
        return self._center

    def _var(self) -> np.ndarray:
        return self._variance

    def _log_pdf(self, x: Any) -> np.ndarray:
        away = np.abs((np.asarray(x) - self._knots) / self._scale)
        logs = np.nan_to_num(-away - 2 * np.log1p(np.exp(-away)), nan=-np.inf)
        largest = logs.max(axis=0)
        total = np.exp(logs - largest).sum(axis=0)
        return np.asarray(largest + np.log(total / self._count) - np.log(self._scale))

    def _pdf(self, x: Any) -> np.ndarray:
        return np.exp(self._log_pdf(x))

    def _cdf(self, x: Any) -> np.ndarray:
        away = (np.asarray(x) - self._knots) / self._scale
        return np.nansum(0.5 * (1 + np.tanh(away / 2)), axis=0) / self._count

    def _ppf(self, p: Any) -> np.ndarray:
        level = np.broadcast_to(np.asarray(p, dtype=np.float64), self._center.shape)
        with np.errstate(divide="ignore"):
            tail = self._scale * np.abs(np.log(level) - np.log1p(-level))
        low, high = np.nanmin(self._knots, axis=0) - tail, np.nanmax(self._knots, axis=0) + tail
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            is_below = self._cdf(middle) < level
            low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
        return np.asarray((low + high) / 2)

    def _energy_x(self, x: Any) -> np.ndarray:
        """Return the mean distance from a value, summed over the series of a row."""
        away = np.abs((np.asarray(x) - self._knots) / self._scale)
        distance = self._scale * (away + 2 * np.log1p(np.exp(-away)))
        return self._summed(np.nansum(distance, axis=0) / self._count)

    def _energy_self(self) -> np.ndarray:
        """Return the mean distance of two draws, from their quantiles; summed likewise."""
        n_levels = LEVELS_OF_AN_ENERGY
        ladder = np.stack([self._ppf((k + 0.5) / n_levels) for k in range(n_levels)])
        weights = 2 * np.arange(n_levels) + 1 - n_levels
        return self._summed(2 * np.tensordot(weights, ladder, axes=1) / n_levels**2)

    def _summed(self, values: np.ndarray) -> np.ndarray:
        return values.sum(axis=1) if values.ndim else values

    def _sample(self, n_samples: int | None = None) -> Any:
        n = 1 if n_samples is None else n_samples
        state = np.random.default_rng(np.random.randint(2**31))  # noqa: NPY002  # skpro's seed
        drawn = state.integers(2**31, size=n)[(...,) + (None,) * len(self._shape)]
        places = drawn % self._count
        values = np.take_along_axis(self._knots, np.broadcast_to(places, (n, *self._shape)), 0)
        values = values + self._scale * state.logistic(size=values.shape)
        if not self._shape:
            return values[0] if n_samples is None else pd.DataFrame(values)
        if n_samples is None:
            return pd.DataFrame(values[0], self.index, self.columns)
        frames = [pd.DataFrame(one, self.index, self.columns) for one in values]
        return pd.concat(frames, keys=range(n))

    def _iloc(self, rowidx: Any = None, colidx: Any = None) -> SmoothedPaths:
        if np.ndim(rowidx) == 0 and np.ndim(colidx) == 0 and None not in (rowidx, colidx):
            return self._iat(rowidx, colidx)
        rows = np.arange(self.shape[0]) if rowidx is None else np.atleast_1d(rowidx)
        columns = np.arange(self.shape[1]) if colidx is None else np.atleast_1d(colidx)
        return SmoothedPaths(
            np.asarray(self.paths)[:, rows][:, :, columns],
            self.index.take(rows),
            self.columns.take(columns),
        )

    def _iat(self, rowidx: Any = None, colidx: Any = None) -> SmoothedPaths:
        return SmoothedPaths(np.asarray(self.paths)[:, rowidx, colidx])

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return parameters for skpro's tests: of a frame, and of a single number."""
        paths = np.sin(np.arange(60.0)).reshape(10, 3, 2)
        return [
            {"paths": paths, "index": pd.RangeIndex(3), "columns": pd.Index(["a", "b"])},
            {"paths": paths[:, 0, 0]},
        ]
