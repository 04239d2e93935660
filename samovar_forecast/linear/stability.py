"""Roots of maps that are iterated: found, and held at or below 1.

A forecast that is fed back to its own map multiplies whatever root lies outside the unit circle.
Short samples give such roots by chance, and no sample of growing levels asks for more than a unit
root and a drift.

Letters: C series, p lags, s steps ahead.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samovar_forecast.linear.linear_map import LinearMap

LARGEST_COMPANION = 250
"""Of larger companion matrices the largest root is found by iteration."""

TOLERANCE = 1e-6
"""A unit root may be found so much above 1."""

ITERATIONS = 400
GROWTH_OF_A_UNIT_ROOT = 1e-2
"""What iteration may find of a unit root, where a drift grows in proportion to time."""

SHARE_OF_GROWTH = 0.1


def largest_root(coefs: np.ndarray) -> float:
    """Return the modulus of the largest root of a VAR with coefficients (p, C, C).

    That of the companion matrix; of a very large matrix the rate at which random starts grow.
    """
    order, n_series, _ = coefs.shape
    if order == 0 or not coefs.any():
        return 0.0
    if order * n_series > LARGEST_COMPANION:
        return _growth(coefs)
    companion = np.eye(order * n_series, k=-n_series)
    companion[:n_series] = coefs.swapaxes(0, 1).reshape(n_series, -1)
    return float(np.abs(np.linalg.eigvals(companion)).max())


def _growth(coefs: np.ndarray) -> float:
    """Return the rate at which the recursion grows in the long run, from random starts."""
    order, n_series, _ = coefs.shape
    side_by_side = coefs.swapaxes(0, 1).reshape(n_series, -1)
    path = np.random.default_rng(0).normal(size=(order, n_series, 4))  # newest first
    sizes = []
    for _ in range(ITERATIONS):
        newest = side_by_side @ path.reshape(order * n_series, -1)
        path = np.concatenate([newest[None], path[:-1]])
        size = float(np.abs(path).max())
        sizes.append(size)
        if size == 0.0:
            return 0.0
        path /= size
    return float(np.exp(np.log(sizes[ITERATIONS // 2 :]).mean()))


def is_stable(coefs: np.ndarray) -> bool:
    """Tell whether no root of a VAR with coefficients (p, C, C) lies outside the unit circle."""
    return stays_within(coefs) or largest_root(coefs) <= 1 + _tolerance(coefs)


def stays_within(coefs: np.ndarray) -> bool:
    """Tell whether no forecast is farther out than the values that it is a mean of."""
    return bool(np.abs(coefs).sum(axis=(0, 2)).max(initial=0.0) <= 1)


def _tolerance(coefs: np.ndarray) -> float:
    is_large = coefs.shape[0] * coefs.shape[1] > LARGEST_COMPANION
    return GROWTH_OF_A_UNIT_ROOT if is_large else TOLERANCE


def with_roots_held(coefs: np.ndarray, root: float | None = None) -> np.ndarray:
    """Return coefficients (p, C, C) all of whose roots are divided by the largest, if above 1.

    Lag l is divided by the l-th power of that root, which need not be given.
    """
    if stays_within(coefs):
        return coefs
    root = largest_root(coefs) if root is None else root
    if root <= 1 + _tolerance(coefs):
        return coefs
    powers = root ** -np.arange(1.0, len(coefs) + 1)
    return coefs * powers[:, None, None]


def rolled_growth(candidate: LinearMap) -> float:
    """Return the growth a step of a map that is rolled out on its own forecasts, in the long run.

    The rate at which differences between two windows grow. A map with 1 or less stays bounded,
    but for a drift.
    """
    return _rolled(candidate)[0]


def growing_series(candidate: LinearMap) -> np.ndarray:
    """Tell which series, (C,), carry the growth of a map that grows when it is rolled out.

    That is none if it does not grow, else all whose differences end at a share of at least
    :data:`SHARE_OF_GROWTH` of the largest.
    """
    growth, ends = _rolled(candidate)
    if growth <= 1 + GROWTH_OF_A_UNIT_ROOT:
        return np.zeros(len(ends), dtype=bool)
    return np.asarray(ends >= SHARE_OF_GROWTH * ends.max())


def _rolled(candidate: LinearMap) -> tuple[float, np.ndarray]:
    """Return the growth a step, and the size of each series' differences in the end, (C,)."""
    n_steps, n_series = candidate.intercept.shape
    length = max(1, candidate.n_lags)
    n_rolls = max(8, -(-ITERATIONS // n_steps))
    windows = np.random.default_rng(0).normal(size=(4, length, n_series))
    differences = replace(
        candidate, intercept=np.zeros_like(candidate.intercept), center=np.zeros(n_series)
    )
    sizes = []
    for _ in range(n_rolls):
        before = windows
        windows = np.concatenate([windows, differences(windows)], axis=1)[:, -length:]
        size = float(np.abs(windows).max())
        sizes.append(size)
        if size == 0.0:
            return 0.0, np.zeros(n_series)
        if not np.isfinite(size):
            return float("inf"), np.abs(before).max(axis=(0, 1))
        windows = windows / size
    growth = float(np.exp(np.log(sizes[n_rolls // 2 :]).mean() / n_steps))
    return growth, np.abs(windows).max(axis=(0, 1))


def rolled_safely(candidate: LinearMap) -> LinearMap:
    """Return a map that does not grow without end when it is rolled out; itself, if it does not.

    Deviations from the center lose, a step, as much as they would grow: the weight of lag l at h
    steps ahead is divided by the power h + l - 1 of the growth, which divides every root by it.
    """
    growth = rolled_growth(candidate)
    if growth <= 1 + GROWTH_OF_A_UNIT_ROOT:
        return candidate
    n_steps = candidate.n_steps
    ahead = np.arange(n_steps)[:, None]

    def damped(weights: np.ndarray) -> np.ndarray:
        powers = growth ** -(ahead + np.arange(1.0, weights.shape[2] + 1))
        return weights * powers.reshape(n_steps, 1, -1, *[1] * (weights.ndim - 3))

    return replace(candidate, own=damped(candidate.own), cross=damped(candidate.cross))
