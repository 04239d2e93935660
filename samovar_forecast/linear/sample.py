"""A sample in one scale, and the shares into which its rows are cut.

Letters: C series, n time steps of an instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from samovar_forecast.exceptions import DataError
from samovar_forecast.linear.candidates import own_runs
from samovar_forecast.linear.linear_map import without_gaps

LONG_SAMPLE = 2000
"""From so many rows on a sample counts as long."""


@dataclass(frozen=True)
class Sample:
    """Instances in one scale: deviations from the mean, in units of the typical step.

    Attributes
    ----------
    series, observed : list of arrays of shape (n, C)
        With straight lines across gaps, and as observed: NaN where a value is missing.
    center, unit : array of shape (C,)
    varies : bool array of shape (C,)
    """

    series: list[np.ndarray]
    observed: list[np.ndarray]
    center: np.ndarray
    unit: np.ndarray
    varies: np.ndarray

    @property
    def is_long(self) -> bool:
        """Tell whether even the shortest instance is long."""
        return min(len(rows) for rows in self.series) >= LONG_SAMPLE

    @cached_property
    def deviation(self) -> np.ndarray:
        """Of each series, (C,); 1 for a series that does not vary."""
        return np.where(self.varies, np.nanstd(np.concatenate(self.series), axis=0), 1.0)

    def pooled_runs(self, series: list[np.ndarray]) -> list[list[np.ndarray]]:
        """Return each series' stretches as the direct candidate, common to all, weighs them.

        On a long sample in units of its deviation, which is what far steps have to span.
        """
        own = own_runs(series)
        if not self.is_long:
            return own
        sizes = self.deviation
        return [[run / size for run in runs] for runs, size in zip(own, sizes, strict=True)]

    @classmethod
    def of(cls, series: Sequence[np.ndarray]) -> Sample:
        """Bring instances into one scale; short gaps are crossed by straight lines."""
        finite = [np.where(np.isfinite(rows), rows, np.nan).astype(np.float64) for rows in series]
        values = [without_gaps(rows) for rows in finite]
        stacked = np.concatenate(values)
        is_there = np.isfinite(stacked)
        if not is_there.any(axis=0).all():
            raise DataError(
                "an anchor cannot be estimated: a series has no value",
                found=f"series number {int(np.argmin(is_there.any(axis=0)))}, counted from 0",
                wanted="observations of every series",
            )
        filled = np.where(is_there, stacked, 0.0)
        center = filled.sum(axis=0) / is_there.sum(axis=0)
        squares = np.square(np.concatenate([np.diff(rows, axis=0) for rows in values]))
        n_steps = np.isfinite(squares).sum(axis=0)
        unit = np.sqrt(np.nansum(squares, axis=0) / np.maximum(n_steps, 1))
        varies = unit > 1e-12 * np.abs(filled).max(axis=0)
        unit = np.where(varies, unit, 1.0)
        series, observed = ([(rows - center) / unit for rows in some] for some in (values, finite))
        return cls(series, observed, center, unit, varies)

    def part(self, start: float, stop: float) -> list[np.ndarray]:
        """Return what was observed of each instance between two shares of it."""
        return [rows[round(start * len(rows)) : round(stop * len(rows))] for rows in self.observed]
