"""The search for the constants of smoothing, of least squared one-step errors.

The search is that of Gauss and Newton on the squared one-step errors, over constants and starting
states together, with Levenberg's and Marquardt's damping; many series at once.

Letters: n rows, C series, G candidates, Q searches side by side, p constants, k starting states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from samovar_forecast.linear.smoothing import Constants, State, smooth

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
        step = -np.linalg.solve(squares + added, (slope * is_free)[None, :, :, None])[..., 0]
        step *= np.reshape(FACTORS, (-1, 1, 1))
        wanted = np.clip(place.numbers + step, LOWEST, HIGHEST)
        numbers = np.where(is_free, wanted, place.numbers)
        made = (numbers - place.numbers)[..., None]
        return numbers, [
            own - solved[:, :, p] - (solved[:, :, :p] @ made)[..., 0] for own, solved in parts
        ]
