"""The anchor on expanding windows: at each of some rows, what the rows up to there make of it.

A forecast from an origin of the past is honest if its coefficients, and the weights of the average,
know no later row. Between two estimates the earlier stands in.

Letters: s steps ahead, C series, n time steps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samovar_forecast.linear.average import LONGEST_LAG, supported_average
from samovar_forecast.linear.candidates import LOOK_BACKS, Limits, filtered_candidates
from samovar_forecast.linear.held_out import CUTS, Fold, weigh_on
from samovar_forecast.linear.linear_map import LinearMap
from samovar_forecast.linear.sample import Sample
from samovar_forecast.linear.seasons import find_season

PARTS = 8
"""The rows are cut into so many parts, and estimates are made at the end of each; in the first part
also at its half, at the half of this, and so on."""

FEWEST_ROWS = 12
"""With fewer rows the last value goes on."""


def ends_of_parts(n_rows: int) -> list[int]:
    """Return the numbers of rows after which estimates are made, the last of them excluded."""
    ends = {round(part * n_rows / PARTS) for part in range(1, PARTS)}
    end = n_rows // PARTS
    while end >= FEWEST_ROWS:
        ends.add(end)
        end //= 2
    return sorted(end for end in ends if FEWEST_ROWS <= end < n_rows)


def estimate_expanding(
    values: np.ndarray, ends: list[int], n_steps: int, season: int = 1
) -> list[LinearMap]:
    """Estimate the anchor of one instance on its first rows, for several numbers of them.

    Each is estimated as :func:`~samovar_forecast.linear.average.estimate_anchor` says, its weights
    by forecasts from the origins between half of its rows and their end. The season alone, where
    none is known, is that of all rows.

    Parameters
    ----------
    values : array of shape (n, C)
        NaN where a value is missing.
    ends : list of int
        Numbers of rows, increasing, each less than n.
    n_steps : int
        Steps to forecast at once (s).
    season : int, default=1

    Returns
    -------
    list of LinearMap
    """
    if not ends:
        return []
    sample = Sample.of([values])
    n_rows = len(values)
    if season == 1:
        season = find_season(sample.series)
    long_season = find_season(sample.series, season) if season > 1 else 1
    limits = Limits(n_steps, min(LONGEST_LAG, n_rows), season, True, long_season, LOOK_BACKS)
    filtered = filtered_candidates(
        sample.series, [[end] for end in (*ends, n_rows)], sample.varies, limits
    )
    folds = [
        Fold.of_rows_before(sample, limits, maps, end / n_rows, stop / n_rows)
        for maps, end, stop in zip(filtered, ends, [*ends[1:], n_rows], strict=False)
    ]
    found = []
    for number, end in enumerate(ends):
        # The last fold has no origin yet: its candidates are those that are averaged.
        known = [
            fold.until(end)
            for fold, start in zip(folds[: number + 1], ends, strict=False)
            if start >= CUTS[0] * end
        ]
        if len(known) == 1:  # nothing tells how hard the regressions of all series are to be shrunk
            known = [replace(known[0], forms={})]
        names, weights, _, _ = weigh_on(known, sample, limits)
        part = replace(sample, series=[rows[:end] for rows in sample.series])
        average, _ = supported_average(known[-1].maps, names, weights, part)
        found.append(average.in_units(sample.center, sample.unit))
    return found
