"""Exponential smoothing and Theta as linear maps of the window, for many constants at once.

With its constants fixed, additive smoothing in error-correction form

    e(t) = y(t) - l(t-1) - phi b(t-1) - s(t-m)
    l(t) = l(t-1) + phi b(t-1) + alpha e(t)
    b(t) = phi b(t-1) + alpha beta e(t)
    s(t) = s(t-m) + gamma e(t)

(Hyndman, Koehler, Ord and Snyder 2008, chapter 2) is linear in the values and in the states it
starts from, and the starting states of least squared one-step errors are linear in the values: so
the forecast is one linear map of the window. Values enter as distances from the first of their
window, and the starting slope and season are drawn a little to 0.

Letters: n rows, L lags, s steps ahead, C series, G candidates, k starting states, m season.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from samovar_forecast.linear.linear_map import LinearMap

RIDGE = (1e-6, 1.0, 1e-2)
"""Penalties on level, slope and season at the start, in squared one-step errors."""

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


@dataclass(frozen=True)
class Constants:
    """Constants of smoothing; arrays of one shape, the batch.

    Attributes
    ----------
    alpha, beta, phi, gamma : array
        Of the level, of the slope as a share of alpha, of damping, of the season.
    season : int
        1 for none.
    has_slope : bool
    """

    alpha: np.ndarray
    beta: np.ndarray
    phi: np.ndarray
    gamma: np.ndarray
    season: int = 1
    has_slope: bool = False

    @classmethod
    def grid(
        cls,
        alphas: Sequence[float],
        betas: Sequence[float] | None = None,
        phis: Sequence[float] = (1.0,),
        gammas: Sequence[float] = (0.0,),
        season: int = 1,
    ) -> Constants:
        """Return all combinations; without ``betas`` there is no slope."""
        axes = np.meshgrid(alphas, betas or (0.0,), phis, gammas, indexing="ij")
        alpha, beta, phi, gamma = (axis.ravel() for axis in axes)
        return cls(alpha, beta, phi, gamma, season, betas is not None)

    def __getitem__(self, index: object) -> Constants:
        """Index the batch."""
        return replace(
            self,
            alpha=self.alpha[index],  # type: ignore[call-overload]
            beta=self.beta[index],  # type: ignore[call-overload]
            phi=self.phi[index],  # type: ignore[call-overload]
            gamma=self.gamma[index],  # type: ignore[call-overload]
        )

    @property
    def n_states(self) -> int:
        """Number of starting states, k."""
        return 1 + self.has_slope + (self.season if self.season > 1 else 0)

    @property
    def penalty(self) -> np.ndarray:
        """Penalty on each starting state, (k,)."""
        counts = (1, int(self.has_slope), self.season if self.season > 1 else 0)
        return np.repeat(RIDGE, counts)


@dataclass(frozen=True)
class State:
    """Level, slope (batch) and seasonal effects (m, batch), that of the next step first."""

    level: np.ndarray
    slope: np.ndarray
    seasonal: np.ndarray

    @classmethod
    def zero(cls, shape: tuple[int, ...], season: int) -> State:
        """Return the state that forecasts 0, for a batch of this shape."""
        return cls(np.zeros(shape), np.zeros(shape), np.zeros((season, *shape)))

    @classmethod
    def units(cls, constants: Constants) -> State:
        """Return each starting state set to 1 in turn; batch (k, batch of the constants)."""
        k, season = constants.n_states, constants.season
        state = cls.zero((k, *constants.alpha.shape), season)
        state.level[0] = 1.0
        if constants.has_slope:
            state.slope[1] = 1.0
        if season > 1:
            phases = np.arange(season)
            state.seasonal[phases, k - season + phases] = 1.0
        return state

    def ahead(self, constants: Constants, n_steps: int) -> np.ndarray:
        """Return the forecasts of 1 to s steps, (s, batch)."""
        found = []
        damping, total = np.ones_like(constants.phi), np.zeros_like(constants.phi)
        for h in range(n_steps):
            damping = damping * constants.phi
            total = total + damping
            step = self.level + total * self.slope
            found.append(step + self.seasonal[h % constants.season])
        return np.stack(found)


def smooth(values: np.ndarray, constants: Constants, start: State) -> tuple[np.ndarray, State]:
    """Run the recursion over values (n, batch); return the errors (n, batch) and the last state."""
    level, slope, seasonal = start.level, start.slope, start.seasonal.copy()
    gain, has_season = constants.alpha * constants.beta, constants.season > 1
    errors = np.empty((len(values), *np.broadcast_shapes(values.shape[1:], level.shape)))
    for t, value in enumerate(values):
        damped = constants.phi * slope
        base = level + damped
        error = value - base
        if has_season:
            phase = t % constants.season
            error = error - seasonal[phase]
            seasonal[phase] += constants.gamma * error
        level = base + constants.alpha * error
        slope = damped + gain * error
        errors[t] = error
    seasonal = np.roll(seasonal, -(len(values) % constants.season), axis=0)
    return errors, State(level, slope, seasonal)


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
    season, n_candidates = constants.season, len(constants.alpha)
    start = State.zero((n_candidates, values.shape[1]), season)
    errors, _ = smooth(values[:, None], constants[:, None], start)  # n G C
    moved, _ = smooth(np.zeros((len(values), 1, 1)), constants, State.units(constants))  # n k G
    moved, errors = moved.transpose(2, 0, 1), errors.transpose(1, 0, 2)  # G n k, G n C
    among, toward, total, found = np.diag(constants.penalty), 0.0, 0.0, []
    for first, end in pairwise([0, *ends]):
        x, y = moved[:, first:end], errors[:, first:end]
        among = among + x.swapaxes(1, 2) @ x
        toward = toward + x.swapaxes(1, 2) @ y  # G k C
        total = total + np.einsum("gnc,gnc->gc", y, y)
        found.append(total - (toward * np.linalg.solve(among, toward)).sum(axis=1))
    return np.array(found)


def map_of(constants: Constants, n_lags: int, n_steps: int) -> np.ndarray:
    """Return the forecasts as weights of a window, (s, C, L), lag 1 first; they sum to 1.

    Parameters
    ----------
    constants : Constants
        Of batch (C,).
    n_lags, n_steps : int
    """
    n_series = len(constants.alpha)
    window = np.broadcast_to(np.eye(n_lags)[:, None], (n_lags, n_series, n_lags))
    start = State.zero((n_series, n_lags), constants.season)
    errors, last = smooth(window, constants[:, None], start)  # L C L
    moved, moved_last = smooth(np.zeros((n_lags, 1, 1)), constants, State.units(constants))  # L k C
    moved = moved.transpose(2, 1, 0)  # C k L
    among = moved @ moved.swapaxes(1, 2) + np.diag(constants.penalty)
    best = -np.linalg.solve(among, moved @ errors.transpose(1, 0, 2))  # C k L
    weights = last.ahead(constants[:, None], n_steps)  # s C L
    weights += np.einsum("skc,ckl->scl", moved_last.ahead(constants, n_steps), best)
    weights[:, :, 0] += 1 - weights.sum(axis=2)  # the first value is taken off, and put back
    return weights[:, :, ::-1]


def half_of_the_trend(alpha: np.ndarray, n_lags: int, n_steps: int, season: int) -> np.ndarray:
    """Return what Theta adds to simple smoothing, as weights of a window, (s, C, L), lag 1 first.

    Half the least-squares slope of the window, beside effects of the season, times
    ``h - 1 + (1 - (1 - alpha)^L) / alpha`` (Hyndman and Billah 2003, equation 12).
    """
    time = np.arange(n_lags) - (n_lags - 1) / 2
    effects = np.arange(n_lags)[:, None] % season == np.arange(season)
    design = np.column_stack([time, effects])
    slope = np.linalg.lstsq(design, np.eye(n_lags), rcond=None)[0][0]  # L
    reach = np.arange(n_steps)[:, None] + (1 - (1 - alpha) ** n_lags) / alpha  # s C
    return 0.5 * reach[:, :, None] * slope[::-1]


class Smoothing:
    """Simple, trended and damped smoothing and Theta of a sample, for any first part of it.

    The constants of each series have the least squared one-step errors in all instances together.
    One run over the rows serves all parts.

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
    """

    def __init__(
        self,
        series: Sequence[np.ndarray],
        parts: Sequence[Sequence[int]],
        max_lag: int,
        season: int = 1,
    ) -> None:
        self.parts, self.max_lag = parts, max_lag
        self._seasons = [_season_of(part, season, max_lag) for part in parts]
        self._chosen: list[dict[str, Constants]] = [{} for _ in parts]
        for length in sorted(set(self._seasons)):
            numbers = [number for number, own in enumerate(self._seasons) if own == length]
            for name, grid in _grids(length).items():
                errors = np.zeros((len(numbers), len(grid.alpha), series[0].shape[1]))
                own_parts = [parts[number] for number in numbers]
                for values, *ends in zip(series, *own_parts, strict=True):
                    first = max(0, ends[-1] - max(NEWEST_ROWS, 3 * length))
                    rows = filled(values[first:])
                    if len(rows):
                        ends = [max(0, end - first) for end in ends]
                        errors += squared_errors(rows - rows[:1], grid, ends)
                for number, found in zip(numbers, errors, strict=True):
                    self._chosen[number][name] = grid[np.argmin(found, axis=0)]

    def candidates(self, number: int, n_steps: int) -> dict[str, LinearMap]:
        """Return the maps of one part; none if its rows are too few."""
        rows = [n_rows for n_rows in self.parts[number] if n_rows >= FEWEST_ROWS]
        n_lags = min([self.max_lag, max(LONGEST_MAP, 5 * self._seasons[number] // 2), *rows])
        if not rows or n_lags < 2:
            return {}
        found = {}
        for name, constants in self._chosen[number].items():
            weights = map_of(constants, n_lags, n_steps)
            found[name] = LinearMap.of(own=weights)
            if name == "simple":
                trend = half_of_the_trend(constants.alpha, n_lags, n_steps, constants.season)
                found["theta"] = LinearMap.of(own=weights + trend)
        return found


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


def filled(values: np.ndarray) -> np.ndarray:
    """Return (n, C) with the nearest value in place of what is missing at the ends."""
    if np.isfinite(values).all():
        return values
    filled = values.copy()
    for c in range(values.shape[1]):
        known = np.flatnonzero(np.isfinite(values[:, c]))
        if len(known):
            filled[: known[0], c] = values[known[0], c]
            filled[known[-1] :, c] = values[known[-1], c]
        else:
            filled[:, c] = 0.0
    return filled
