"""Constants of smoothing: a grid for every first part of a sample, and a search for the last.

The search is that of Gauss and Newton on the squared one-step errors, over constants and starting
states together, with Levenberg's and Marquardt's damping; many series at once.

Letters: n rows, C series, G candidates, Q searches side by side, p constants, k starting states.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from samovar_forecast.linear.linear_map import LinearMap
from samovar_forecast.linear.smoothing import (
    Constants,
    Responses,
    State,
    filled,
    half_of_the_trend,
    smooth,
)

NEWEST_ROWS = 1000
"""Of longer instances only the newest rows choose the constants."""

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

LOWEST, HIGHEST = (0.01, 0.0, 0.8, 0.0), (1.0, 1.0, 0.98, 0.9)
"""Bounds of alpha, beta, phi and gamma in the search."""

DIFFERENCE = 1e-6
"""Derivatives by a constant are quotients of such differences."""

DAMPINGS, FACTORS = (1e-3, 1e-3, 0.3, 10.0), (3.0, 1.0, 1.0, 1.0)
"""Steps that are tried: shares of the diagonal of the squared derivatives that are added to it, and
factors of the step that follows."""

MOST_ITERATIONS = 12
GAIN_TO_GO_ON = 1e-4
"""The search for a series ends where it gained less than such a share of its squared error."""

NUMBERS_SEARCHED = 100_000_000
"""Rows times searches times runs of the recursion, up to which there is a search."""


def squared_errors(values: np.ndarray, constants: Constants, ends: Sequence[int]) -> np.ndarray:
    """Return the sums of squared one-step errors from the best start, (number of ends, G, C).

    Parameters
    ----------
    values : array of shape (n, C)
        Distances from the first row.
    constants : Constants
        Of batch (G,).
    ends : sequence of int
        Numbers of rows, increasing: each sum is over so many of the first.
    """
    start = State.zero((len(constants), values.shape[1]), constants.season)
    errors = smooth(values[:, None], constants[:, None], start)  # n G C
    moved = smooth(np.zeros((len(values), 1, 1)), constants, State.units(constants))  # n k G
    moved, errors = moved.transpose(2, 0, 1), errors.transpose(1, 0, 2)  # G n k, G n C
    among = constants.penalty[:, None] * np.eye(constants.n_states)
    toward, total, found = 0.0, 0.0, []
    for first, end in pairwise([0, *ends]):
        x, y = moved[:, first:end], errors[:, first:end]
        among = among + x.swapaxes(1, 2) @ x
        toward = toward + x.swapaxes(1, 2) @ y  # G k C
        total = total + np.einsum("gnc,gnc->gc", y, y)
        found.append(total - (toward * np.linalg.solve(among, toward)).sum(axis=1))
    return np.array(found)


@dataclass(frozen=True)
class _Place:
    """Constants (..., Q, p), states of each instance (..., Q, k), squared errors (..., Q)."""

    numbers: np.ndarray
    states: list[np.ndarray]
    total: np.ndarray

    @classmethod
    def stacked(cls, places: Sequence[_Place]) -> _Place:
        """Return places of one shape along a new first axis."""
        states = zip(*(place.states for place in places), strict=True)
        return cls(
            np.stack([place.numbers for place in places]),
            [np.stack(some) for some in states],
            np.stack([place.total for place in places]),
        )

    def chosen(self, number: np.ndarray) -> _Place:
        """Return for each search the place of its number, (Q,), along the first axis."""
        some = number, np.arange(len(number))
        return _Place(self.numbers[some], [own[some] for own in self.states], self.total[some])


class ConstantsSearch:
    """The search from given constants, each on a series of its own.

    Parameters
    ----------
    instances : sequence of arrays of shape (n, Q)
        Distances from the first row.
    constants : Constants
        Of batch (Q,), from which the search starts. Only what the form has is searched for: no
        slope without a slope, no damping where there is none.
    """

    def __init__(self, instances: Sequence[np.ndarray], constants: Constants) -> None:
        self._instances, self._constants = instances, constants
        has_slope, is_damped = constants.has_slope, constants.has_slope & (constants.phi < 1)
        always = np.ones(len(constants), dtype=bool)
        has_season = always & (constants.season > 1)
        self._is_free = np.stack([always, has_slope, is_damped, has_season], axis=1)
        self._penalty = constants.penalty

    def run(self) -> Constants:
        """Return the constants of least squared one-step errors that the search finds."""
        place = self._start()
        goes_on = np.ones(len(self._constants), dtype=bool)
        for _ in range(MOST_ITERATIONS):
            tried = self._squared_errors(*self._steps(place))
            best = tried.chosen(np.argmin(tried.total, axis=0))
            is_better = goes_on & (best.total < place.total)
            goes_on &= place.total - best.total > GAIN_TO_GO_ON * place.total
            place = _Place.stacked([place, best]).chosen(is_better.astype(int))
            if not goes_on.any():
                break
        return self._with(place.numbers)

    def _with(self, numbers: np.ndarray) -> Constants:
        own = self._constants
        alpha, beta, phi, gamma = np.moveaxis(numbers, -1, 0)
        return Constants(alpha, beta, phi, gamma, own.has_slope, own.season)

    def _start(self) -> _Place:
        """Return the first constants with their best starting states."""
        numbers = np.stack(self._constants.columns[:4], axis=1)
        k, states = self._constants.n_states, []
        for values in self._instances:
            errors, _, moved = self._responses(values, numbers, np.zeros((len(numbers), k)))
            among = moved @ moved.swapaxes(1, 2) + self._penalty[:, None] * np.eye(k)
            toward = moved @ errors[:, :, None]
            states.append(-np.linalg.solve(among, toward)[:, :, 0])
        return self._squared_errors(numbers, states)

    def _squared_errors(self, numbers: np.ndarray, states: list[np.ndarray]) -> _Place:
        total = np.zeros(numbers.shape[:-1])
        for values, own in zip(self._instances, states, strict=True):
            rows = values.reshape(len(values), *[1] * (numbers.ndim - 2), -1)
            errors = smooth(rows, self._with(numbers), State.of(own.swapaxes(-1, -2)))
            total += np.einsum("n...,n...->...", errors, errors)
            total += (self._penalty * np.square(own)).sum(axis=-1)
        return _Place(numbers, states, total)

    def _responses(
        self, values: np.ndarray, numbers: np.ndarray, states: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return errors (Q, n), and how they move with constants (Q, p, n) and states (Q, k, n).

        One run: from the states, with each constant a little larger, and from each unit state.
        """
        n_searches, p = numbers.shape
        k = states.shape[1]
        moved = np.concatenate([np.zeros((1, p)), DIFFERENCE * np.eye(p), np.zeros((k, p))])
        starts = np.concatenate(
            [np.repeat(states[None], 1 + p, axis=0), np.repeat(np.eye(k)[:, None], n_searches, 1)]
        )  # 1 + p + k, Q, k
        is_seen = np.arange(1 + p + k)[:, None] <= p
        errors = smooth(
            values[:, None] * is_seen,
            self._with(numbers + moved[:, None]),
            State.of(starts.swapaxes(1, 2)),
        ).transpose(2, 1, 0)  # Q, 1 + p + k, n
        by_constants = (errors[:, 1 : 1 + p] - errors[:, :1]) / DIFFERENCE
        return errors[:, 0], by_constants, errors[:, 1 + p :]

    def _steps(self, place: _Place) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return where the step of each damping leads: constants and starting states."""
        k, p = self._constants.n_states, place.numbers.shape[1]
        squares, slope, parts = np.zeros((1, p, p)), np.zeros((1, p)), []
        for values, states in zip(self._instances, place.states, strict=True):
            errors, by_constants, by_states = self._responses(values, place.numbers, states)
            among = by_states @ by_states.swapaxes(1, 2) + self._penalty[:, None] * np.eye(k)
            toward = (by_states @ errors[:, :, None])[:, :, 0] + self._penalty * states
            across = by_states @ by_constants.swapaxes(1, 2)  # Q k p
            solved = np.linalg.solve(among, np.concatenate([across, toward[:, :, None]], axis=2))
            squares = squares + by_constants @ by_constants.swapaxes(1, 2)
            squares = squares - across.swapaxes(1, 2) @ solved[:, :, :p]
            slope = slope + (by_constants @ errors[:, :, None])[:, :, 0]
            slope = slope - (across.swapaxes(1, 2) @ solved[:, :, p:])[:, :, 0]
            parts.append((states, solved))
        at_a_bound = (place.numbers <= LOWEST) & (slope > 0)
        at_a_bound |= (place.numbers >= HIGHEST) & (slope < 0)
        is_free = self._is_free & ~at_a_bound
        squares = np.where(is_free[:, :, None] & is_free[:, None], squares, 0.0)
        diagonal = np.diagonal(squares, axis1=1, axis2=2)
        diagonal = np.where(is_free & (diagonal > 0), diagonal, 1.0)[:, :, None] * np.eye(p)
        squares += ~is_free[:, :, None] * np.eye(p)
        added = np.reshape(DAMPINGS, (-1, 1, 1, 1)) * diagonal
        step = -np.linalg.solve(squares + added, (slope * is_free)[:, :, None])[..., 0]
        step *= np.reshape(FACTORS, (-1, 1, 1))
        wanted = np.clip(place.numbers + step, LOWEST, HIGHEST)
        numbers = np.where(is_free, wanted, place.numbers)
        made = (numbers - place.numbers)[..., None]
        return numbers, [
            own - solved[:, :, p] - (solved[:, :, :p] @ made)[..., 0] for own, solved in parts
        ]


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
            for rows, ends in _newest(series, [parts[number] for number in numbers], length):
                errors += squared_errors(rows, grid, ends)
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
        rows = [rows for rows, _ in _newest(series, self.parts[-1:], self._seasons[-1])]
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
) -> Iterator[tuple[np.ndarray, list[int]]]:
    """Yield the newest rows of each instance as distances from the first, and where parts end."""
    for values, *ends in zip(series, *parts, strict=True):
        first = max(0, ends[-1] - max(NEWEST_ROWS, 3 * season))
        rows = filled(values[first : ends[-1]])
        if len(rows):
            yield rows - rows[:1], [max(0, end - first) for end in ends]


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
