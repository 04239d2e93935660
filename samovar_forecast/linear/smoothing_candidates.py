"""Simple, trended and damped smoothing and Theta of a sample, for any first part of it.

Letters: n rows, C series, s steps ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from samovar_forecast.linear.linear_map import LinearMap, filled
from samovar_forecast.linear.smoothing import Constants, Responses, half_of_the_trend
from samovar_forecast.linear.smoothing_search import (
    DAMPINGS,
    LOWEST,
    ConstantsSearch,
    squared_errors,
)

NEWEST_ROWS = 1000
"""Of an instance with more rows in a part, only the newest of them choose the constants."""

LONGEST_MAP = 320
"""A map looks back so far, or two seasons and a half."""

FEWEST_ROWS = 4

ALPHAS = (0.02, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0)
BETAS = (0.05, 0.15, 0.3, 0.6)
PHIS = (0.8, 0.9, 0.97)
SEASONAL_ALPHAS = (0.05, 0.2, 0.4, 0.7, 0.95)
SEASONAL_BETAS, SEASONAL_PHIS = (0.05, 0.2), (0.9,)
GAMMAS = (0.02, 0.1, 0.25, 0.5)
LONG_SEASON = 30
"""For longer seasons fewer constants are tried."""

NUMBERS_SEARCHED = 100_000_000
"""Rows times searches times runs of the recursion, up to which there is a search."""


class Smoothing:
    """Simple, trended and damped smoothing and Theta of a sample, for any first part of it.

    The constants of each series have the least squared one-step errors in all instances together,
    among those of a grid for every part, in one run over the rows. Where a search is asked for,
    those of the last part are the start of the search. An average does not need the search: see
    the page on the anchor.

    Parameters
    ----------
    series : sequence of arrays of shape (n, C)
        Instances in one scale; NaN at their ends only.
    parts : sequence of sequences of int
        For each part, in increasing order, the rows of every instance.
    max_lag : int
        The maps read no more lags.
    season : int
        Parts and maps that hold it twice have it.
    is_searched : bool, default=False
        Whether the constants of the last part are searched for beyond the grid.
    """

    def __init__(
        self,
        series: Sequence[np.ndarray],
        parts: Sequence[Sequence[int]],
        max_lag: int,
        season: int = 1,
        is_searched: bool = False,
    ) -> None:
        self.parts, self.max_lag = parts, max_lag
        self._seasons = [_season_of(part, season, max_lag) for part in parts]
        self._chosen: list[dict[str, Constants]] = [{} for _ in parts]
        for length in sorted(set(self._seasons)):
            numbers = [number for number, own in enumerate(self._seasons) if own == length]
            grids = _grids(length)
            grid = Constants.joined(list(grids.values()))
            errors = np.zeros((len(numbers), len(grid), series[0].shape[1]))
            for rows, these, ends in _newest(series, [parts[number] for number in numbers], length):
                errors[these] += squared_errors(rows, grid, ends)
            place = 0
            for name, own in grids.items():
                some = slice(place, place := place + len(own))
                for number, found in zip(numbers, errors[:, some], strict=True):
                    self._chosen[number][name] = own[np.argmin(found, axis=0)]
        if is_searched:
            self._chosen[-1] = self._searched(series)

    def _searched(self, series: Sequence[np.ndarray]) -> dict[str, Constants]:
        """Return the constants of the last part, after a search from those of the grid."""
        names, last = list(self._chosen[-1]), Constants.joined(list(self._chosen[-1].values()))
        rows = [rows for rows, *_ in _newest(series, self.parts[-1:], self._seasons[-1])]
        n_runs = 1 + len(LOWEST) + last.n_states + len(DAMPINGS)
        if rows and sum(map(len, rows)) * len(last) * n_runs <= NUMBERS_SEARCHED:
            last = ConstantsSearch([np.tile(own, len(names)) for own in rows], last).run()
        n_series = series[0].shape[1]
        return {
            name: last[place * n_series : (place + 1) * n_series]
            for place, name in enumerate(names)
        }

    def candidates(self, n_steps: int) -> list[dict[str, LinearMap]]:
        """Return the maps of every part; none of a part whose rows are too few."""
        found: list[dict[str, LinearMap]] = [{} for _ in self.parts]
        for season in set(self._seasons):
            lags = {
                number: self._n_lags(number)
                for number, own in enumerate(self._seasons)
                if own == season and self._n_lags(number) >= 2
            }
            if not lags:
                continue
            chosen = [constants for number in lags for constants in self._chosen[number].values()]
            responses = Responses.of(Constants.joined(chosen), max(lags.values()))
            place = 0
            for number, n_lags in lags.items():
                for name, constants in self._chosen[number].items():
                    own = responses[place : (place := place + len(constants))]
                    weights = own.map(n_lags, n_steps)
                    found[number][name] = LinearMap.of(own=weights)
                    if name == "simple":
                        trend = half_of_the_trend(constants.alpha, n_lags, n_steps, season)
                        found[number]["theta"] = LinearMap.of(own=weights + trend)
        return found

    def _n_lags(self, number: int) -> int:
        rows = [n_rows for n_rows in self.parts[number] if n_rows >= FEWEST_ROWS]
        longest = max(LONGEST_MAP, 5 * self._seasons[number] // 2)
        return min([self.max_lag, longest, *rows]) if rows else 0


def _newest(
    series: Sequence[np.ndarray], parts: Sequence[Sequence[int]], season: int
) -> Iterator[tuple[np.ndarray, list[int], list[int]]]:
    """Yield the newest rows of each instance, and the parts of which they are the newest.

    Yields
    ------
    rows : array of shape (n, C)
        Distances from the first.
    numbers, ends : list of int
        Of the parts, and how many of the rows each has.
    """
    for values, *stops in zip(series, *parts, strict=True):
        starts = [max(0, stop - max(NEWEST_ROWS, 3 * season)) for stop in stops]
        for start in sorted(set(starts)):
            numbers = [number for number, own in enumerate(starts) if own == start]
            rows = filled(values[start : stops[numbers[-1]]])
            if len(rows):
                yield rows - rows[:1], numbers, [stops[number] - start for number in numbers]


def _season_of(part: Sequence[int], season: int, max_lag: int) -> int:
    is_seen = max_lag >= 2 * season and max(part, default=0) >= 2 * season + 3
    return season if is_seen else 1


def _grids(season: int) -> dict[str, Constants]:
    if season == 1:
        return {
            "simple": Constants.grid(ALPHAS),
            "holt": Constants.grid(ALPHAS[1:], (0.0, *BETAS)),
            "damped": Constants.grid(ALPHAS[1:], BETAS, PHIS),
        }
    is_long = season > LONG_SEASON
    alphas = SEASONAL_ALPHAS[::2] if is_long else SEASONAL_ALPHAS
    gammas = GAMMAS[::2] if is_long else GAMMAS
    betas = SEASONAL_BETAS[:1] if is_long else SEASONAL_BETAS
    return {
        "simple": Constants.grid(alphas, None, (1.0,), gammas, season),
        "holt": Constants.grid(alphas, (0.0, *betas), (1.0,), gammas, season),
        "damped": Constants.grid(alphas, betas, SEASONAL_PHIS, gammas, season),
    }
