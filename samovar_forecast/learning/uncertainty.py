"""Predictive distributions from the errors on held-out windows, the source of every answer.

The forecast of a step and series comes with K numbers (a point, or quantiles), which define an
increasing map from values to scores: ``value - point``, or the normal score that piecewise linear
interpolation of the quantiles gives a value. On windows that were held out of the training the
scores are observed; their empirical distribution, step by step and series by series, calibrates the
forecast (split conformal prediction: Vovk, Gammerman & Shafer 2005; with quantiles in the manner
of Romano, Patterson & Candès 2019). Quantiles, intervals, variance and sample paths all derive
from it, so that they agree and quantiles never cross. A sample path takes its ranks from a
held-out window, at all steps and in all series at once: that is how they depend on each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch

from samovar_forecast.exceptions import DataError
from samovar_forecast.network.heads import Head

normal_scores = np.vectorize(NormalDist().inv_cdf, otypes=[np.float64])


def scores_of(actual: np.ndarray, parameters: np.ndarray, head: Head) -> np.ndarray:
    """Return the score of each value; increasing in the value, NaN where it is NaN.

    Parameters
    ----------
    actual : array of shape (..., C)
    parameters : array of shape (..., C, K)
    head : Head

    Returns
    -------
    array of shape (..., C)
    """
    return head.scores(_tensor(actual), _tensor(parameters)).numpy()


def values_of(scores: np.ndarray, parameters: np.ndarray, head: Head) -> np.ndarray:
    """Return the values that have these scores: the inverse of :func:`scores_of`."""
    return head.values(_tensor(scores), _tensor(parameters)).numpy()


def _tensor(values: np.ndarray) -> torch.Tensor:
    """Return an array as a tensor; a copy only if torch cannot write to the array itself."""
    return torch.from_numpy(np.require(values, requirements=("C", "W")))


@dataclass(frozen=True)
class Calibration:
    """Scores of the forecasts of held-out windows.

    Parameters
    ----------
    scores : array of shape (n_windows, n_steps, C)
        NaN where the actual value was missing.

    Raises
    ------
    DataError
        If there is no window, or a step of a series has no score at all.
    """

    scores: np.ndarray

    def __post_init__(self) -> None:
        if not len(self.scores) or not np.isfinite(self.scores).any(axis=0).all():
            raise DataError(
                "there are no held-out forecasts to calibrate with",
                found=f"{len(self.scores)} windows",
                wanted="an observed value for every step and series in at least one",
                remedy="give more observations, or a larger validation_fraction",
            )

    def at(self, steps: np.ndarray) -> np.ndarray:
        """Return the scores of the given steps (from 1), shape (n_windows, len(steps), C).

        Beyond the last calibrated step its scores are widened by the square root of the time
        ahead, as those of a random walk.
        """
        n_steps = self.scores.shape[1]
        nearest = np.minimum(steps, n_steps)
        growth = np.sqrt(steps / nearest)
        return self.scores[:, nearest - 1] * growth[:, None]


@dataclass(frozen=True)
class Predictive:
    """Predictive distribution of a multivariate forecast.

    Parameters
    ----------
    parameters : array of shape (n_steps, C, K)
        The forecast's numbers.
    head : Head
        What they are.
    scores : array of shape (n_windows, n_steps, C)
        Held-out scores of the same steps, from :meth:`Calibration.at`.
    """

    parameters: np.ndarray
    head: Head
    scores: np.ndarray

    def point(self) -> np.ndarray:
        """Return the point forecast, shape (n_steps, C)."""
        return self.parameters[..., self.head.center]

    def quantiles(self, levels: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return the quantiles of each step and series.

        Parameters
        ----------
        levels : sequence of float
            Inside (0, 1), in any order.

        Returns
        -------
        array of shape (n_levels, n_steps, C)
        """
        scores = np.stack([conformal_quantile(self.scores, float(level)) for level in levels])
        return values_of(scores, self.parameters, self.head)

    def atoms(self) -> np.ndarray:
        """Return a sample path of each held-out window, equally likely; (n_windows, n_steps, C).

        The ranks of a path are those of its window; its values are the calibrated quantiles.
        """
        n_windows = len(self.scores)
        ranks = _filled(self.scores).argsort(axis=0, kind="stable").argsort(axis=0)
        ladder = self.quantiles((np.arange(n_windows) + 0.5) / n_windows)
        return np.take_along_axis(ladder, ranks, axis=0)

    def variance(self) -> np.ndarray:
        """Return the variance of each step and series, shape (n_steps, C)."""
        return self.atoms().var(axis=0)

    def covariance(self) -> np.ndarray:
        """Return the covariance of the series at each step, shape (n_steps, C, C)."""
        centred = self.atoms() - self.atoms().mean(axis=0)
        return np.einsum("wsi,wsj->sij", centred, centred) / len(centred)

    def sample(self, n_paths: int, generator: np.random.Generator) -> np.ndarray:
        """Draw sample paths, joint over steps and series; shape (n_paths, n_steps, C)."""
        atoms = self.atoms()
        return atoms[generator.integers(len(atoms), size=n_paths)]


def conformal_quantile(scores: np.ndarray, level: float) -> np.ndarray:
    """Return the quantile that a new score stays below with the given probability.

    The k-th smallest of n exchangeable scores has the level k / (n + 1); between, it is
    interpolated. Beyond the smallest and largest, the scores go on as a normal distribution
    of their own standard deviation would.

    Parameters
    ----------
    scores : array of shape (n, ...)
        NaN are left out.
    level : float
        Inside (0, 1).

    Returns
    -------
    array of shape (...)
    """
    if not 0 < level < 1:
        raise DataError("a quantile level must lie inside (0, 1)", found=level)
    count = np.isfinite(scores).sum(axis=0)
    ordered = np.sort(scores, axis=0)  # NaN come last
    position = np.clip(level * (count + 1), 1, count) - 1
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, count - 1)
    low = np.take_along_axis(ordered, below[None], axis=0)[0]
    high = np.take_along_axis(ordered, above[None], axis=0)[0]
    inside = low + (position - below) * (high - low)
    attainable = np.clip(level, 1 / (count + 1), count / (count + 1))
    deviation = np.nanstd(scores, axis=0)
    return inside + (normal_scores(level) - normal_scores(attainable)) * deviation


def _filled(scores: np.ndarray) -> np.ndarray:
    """Fill each missing score with a known score of its own step and series, in turn."""
    missing = ~np.isfinite(scores)
    if not missing.any():
        return scores
    filled = scores.copy()
    for place in zip(*np.nonzero(missing.any(axis=0)), strict=True):
        own = (slice(None), *place)
        known = scores[own][~missing[own]]
        filled[own][missing[own]] = np.resize(known, int(missing[own].sum()))
    return filled
