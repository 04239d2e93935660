"""Exponential smoothing and Theta as linear maps of the window, for many constants at once.

With its constants fixed, additive smoothing in error-correction form

    e(t) = y(t) - l(t-1) - phi b(t-1) - s(t-m)
    l(t) = l(t-1) + phi b(t-1) + alpha e(t)
    b(t) = phi b(t-1) + alpha beta e(t)
    s(t) = s(t-m) + gamma e(t)

(Hyndman, Koehler, Ord and Snyder 2008, chapter 2) is linear in the values and in the states it
starts from, and the starting states of least squared one-step errors are linear in the values: so
the forecast is one linear map of the window. Values enter as distances from the first of their
window, and the starting slope and season are drawn a little to 0. The recursion is the same at
every row, so that its answer to one value says its answer to all.

Letters: n rows, L lags, s steps ahead, G constants side by side, k starting states, m season.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

RIDGE = (1e-6, 1.0, 1e-2)
"""Penalties on level, slope and season at the start, in squared one-step errors."""

NO_SLOPE = 1e12
"""Penalty on the slope at the start of a form without a slope."""


@dataclass(frozen=True)
class Constants:
    """Constants of smoothing; arrays of one shape, the batch.

    Attributes
    ----------
    alpha, beta, phi, gamma : array
        Of the level, of the slope as a share of alpha, of damping, of the season.
    has_slope : bool array
    season : int
        1 for none.
    """

    alpha: np.ndarray
    beta: np.ndarray
    phi: np.ndarray
    gamma: np.ndarray
    has_slope: np.ndarray
    season: int = 1

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
        return cls(alpha, beta, phi, gamma, np.full(len(alpha), betas is not None), season)

    @classmethod
    def joined(cls, some: Sequence[Constants]) -> Constants:
        """Return constants of one season as one batch."""
        columns = zip(*(one.columns for one in some), strict=True)
        alpha, beta, phi, gamma, has_slope = map(np.concatenate, columns)
        return cls(alpha, beta, phi, gamma, has_slope, some[0].season)

    @property
    def columns(self) -> tuple[np.ndarray, ...]:
        """The arrays."""
        return self.alpha, self.beta, self.phi, self.gamma, self.has_slope

    def __getitem__(self, index: object) -> Constants:
        """Index the batch."""
        alpha, beta, phi, gamma, has_slope = (column[index] for column in self.columns)  # type: ignore[call-overload]
        return Constants(alpha, beta, phi, gamma, has_slope, self.season)

    def __len__(self) -> int:
        """Return the length of the batch."""
        return len(self.alpha)

    @property
    def n_states(self) -> int:
        """Number of starting states, k."""
        return 2 + (self.season if self.season > 1 else 0)

    @property
    def penalty(self) -> np.ndarray:
        """Penalty on each starting state, (G, k)."""
        level, slope, season = RIDGE
        found = np.full((len(self), self.n_states), season)
        found[:, 0] = level
        found[:, 1] = np.where(self.has_slope, slope, NO_SLOPE)
        return found


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
        """Return each starting state set to 1 in turn; batch (k, G)."""
        return cls.of(np.repeat(np.eye(constants.n_states)[:, :, None], len(constants), axis=2))

    @classmethod
    def of(cls, states: np.ndarray) -> State:
        """Return the state of numbers (batch, k, G): level, slope, and seasonal effects if any."""
        level, slope, seasonal = states[..., 0, :], states[..., 1, :], states[..., 2:, :]
        if not seasonal.shape[-2]:
            return cls(level, slope, np.zeros((1, *level.shape)))
        return cls(level, slope, np.moveaxis(seasonal, -2, 0))


def smooth(values: np.ndarray, constants: Constants, start: State) -> np.ndarray:
    """Run the recursion over values (n, batch); return the errors, (n, batch)."""
    errors = np.empty((len(values), *np.broadcast_shapes(values.shape[1:], start.level.shape)))
    for t, (error, *_) in enumerate(_recursion(values, constants, start)):
        errors[t] = error
    return errors


def _recursion(
    values: np.ndarray, constants: Constants, start: State
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield at each row the error, and level, slope and seasonal effect of the row after it."""
    level, slope, seasonal = start.level, start.slope, start.seasonal.copy()
    gain, has_season, phase = constants.alpha * constants.beta, constants.season > 1, 0
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
        yield error, level, slope, seasonal[phase]


@dataclass(frozen=True)
class Responses:
    """What the recursion answers to a 1 in the first row, and to each starting state set to 1.

    Attributes
    ----------
    constants : Constants
        Of batch (G,).
    errors, level, slope : array of shape (n, 1 + k, G)
    seasonal : array of shape (m + n, 1 + k, G)
        Effects at the start, then that of each row.
    """

    constants: Constants
    errors: np.ndarray
    level: np.ndarray
    slope: np.ndarray
    seasonal: np.ndarray

    @classmethod
    def of(cls, constants: Constants, n_rows: int) -> Responses:
        """Run the recursion over so many rows."""
        k, n_constants = constants.n_states, len(constants)
        start = State.of(np.repeat(np.eye(1 + k, k, -1)[:, :, None], n_constants, axis=2))
        values = np.zeros((n_rows, 1 + k, 1))
        values[0, 0] = 1.0
        shape = (n_rows, 1 + k, n_constants)
        errors, level, slope, seasonal = (np.zeros(shape) for _ in range(4))
        for t, row in enumerate(_recursion(values, constants, start)):
            errors[t], level[t], slope[t], seasonal[t] = row
        return cls(constants, errors, level, slope, np.concatenate([start.seasonal, seasonal]))

    def __getitem__(self, index: slice) -> Responses:
        """Index the batch of constants."""
        arrays = (self.errors, self.level, self.slope, self.seasonal)
        return Responses(self.constants[index], *(array[..., index] for array in arrays))

    def ahead(self, n_steps: int, rows: slice, answers: slice) -> np.ndarray:
        """Return the forecasts of 1 to s steps after each of some rows, (s, rows, answers, G)."""
        level, slope = self.level[rows, answers], self.slope[rows, answers]
        reach, damping, found = np.zeros(len(self.constants)), self.constants.phi, []
        for h in range(n_steps):
            reach = reach + damping
            damping = damping * self.constants.phi
            first = rows.start + 1 + h % self.constants.season
            seasonal = self.seasonal[first : first + len(level), answers]
            found.append(level + reach * slope + seasonal)
        return np.stack(found)

    def map(self, n_lags: int, n_steps: int) -> np.ndarray:
        """Return the forecasts as weights of a window, (s, G, L), lag 1 first; they sum to 1."""
        errors, moved = self.errors[:n_lags, 0], self.errors[:n_lags, 1:]  # L G, L k G
        by_constants = moved.transpose(2, 1, 0)  # G k L
        among = by_constants @ by_constants.swapaxes(1, 2)
        among += self.constants.penalty[:, None] * np.eye(self.constants.n_states)
        # What each value of the window, the first one first, says about the starting states.
        first = (
            np.fft.rfft(by_constants, 2 * n_lags)
            * np.fft.rfft(errors.T, 2 * n_lags)[:, None].conj()
        )
        toward = np.fft.irfft(first, 2 * n_lags)[:, :, :n_lags]  # G k L
        best = -np.linalg.solve(among, toward)[:, :, ::-1]
        weights = self.ahead(n_steps, slice(0, n_lags), slice(0, 1))[:, :, 0].swapaxes(
            1, 2
        )  # s G L
        at_the_end = self.ahead(n_steps, slice(n_lags - 1, n_lags), slice(1, None))[:, 0]  # s k G
        weights += (at_the_end.transpose(2, 0, 1) @ best).swapaxes(0, 1)
        weights[:, :, -1] += 1 - weights.sum(axis=2)  # the first value is taken off, and put back
        return weights


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
