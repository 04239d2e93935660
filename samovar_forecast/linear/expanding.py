"""The anchor on expanding windows: at each of some rows, what the rows up to there make of it.

A forecast from an origin of the past is honest if its coefficients, and the weights of the average,
know no later row. Between two estimates the earlier stands in, but for its part that follows the
rows: the VAR that forgets.

Letters: s steps ahead, C series, n time steps.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from samovar_forecast.linear.average import LONGEST_LAG, supported_average
from samovar_forecast.linear.candidates import LOOK_BACKS, Limits, filtered_candidates
from samovar_forecast.linear.following import FollowingMap
from samovar_forecast.linear.held_out import CUTS, Fold, weigh_on
from samovar_forecast.linear.linear_map import LinearMap, blend
from samovar_forecast.linear.sample import Sample
from samovar_forecast.linear.seasons import find_season
from samovar_forecast.linear.threads import one_blas_thread

FEWEST_ROWS = 12
"""With fewer rows the last value goes on."""


def ends_of_parts(n_rows: int) -> list[int]:
    """Return the numbers of rows after which estimates are made, the last of them excluded.

    They are the cuts of all rows, of half the rows, of half of these, and so on: so an estimate is
    weighed by candidates as new as those of the anchor of all rows are, or not much older.
    """
    ends: set[int] = set()
    while n_rows >= FEWEST_ROWS:
        ends |= {round(cut * n_rows) for cut in CUTS[:-1]}
        n_rows //= 2
    return sorted(end for end in ends if end >= FEWEST_ROWS)


@one_blas_thread()
def estimate_expanding(
    values: np.ndarray, ends: list[int], n_steps: int, season: int = 1
) -> FollowingMap:
    """Estimate the anchor of one instance on its first rows, for several numbers of them.

    Each is estimated as :func:`~samovar_forecast.linear.average.estimate_anchor` says, its weights
    by forecasts from the origins between half of its rows and their end. The season alone, where
    none is known, is that of all rows. Up to the next of these estimates its VAR that forgets goes
    on with the rows, at its share.

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
    FollowingMap
        Known after 0 rows (the last value goes on), after ``ends``, and between them.
    """
    n_rows, n_series = values.shape
    last_value = LinearMap.of(own=np.ones((n_steps, n_series, 1)))
    if not ends:
        return FollowingMap.of_last(np.array([0]), lambda _place: last_value)
    sample = Sample.of([values])
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
    averages, shares = [last_value], [np.zeros((n_steps, n_series))]
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
        average, found = supported_average(known[-1].maps, names, weights, part)
        averages.append(average.in_units(sample.center, sample.unit))
        shares.append(found.get("forgetting", shares[0]))
    follows = filtered[-1].get("forgetting")
    estimated = np.array([0, *ends])
    if not isinstance(follows, FollowingMap):
        return FollowingMap.of_last(estimated, averages.__getitem__)
    between = follows.ends[(follows.ends > ends[0]) & (follows.ends < n_rows)]
    every = np.union1d(estimated, between)

    @cache
    def at_end(place: int) -> LinearMap:
        number = int(np.searchsorted(estimated, every[place], side="right")) - 1
        if not shares[number].any() or every[place] == estimated[number]:
            return averages[number]
        both = [follows.after(int(n_known)) for n_known in (every[place], estimated[number])]
        moved = blend(both, np.stack([shares[number], -shares[number]]))
        return _added(averages[number], moved.in_units(sample.center, sample.unit))

    return FollowingMap.of_last(every, at_end)


def _added(average: LinearMap, change: LinearMap) -> LinearMap:
    """Return an average whose coefficients on all series have changed."""
    n_steps, n_series, order, _ = average.cross.shape
    longest = max(order, change.cross.shape[2])
    cross = np.zeros((n_steps, n_series, longest, n_series))
    cross[:, :, :order] = average.cross
    cross[:, :, : change.cross.shape[2]] += change.cross
    return replace(average, cross=cross, intercept=average.intercept + change.intercept)
