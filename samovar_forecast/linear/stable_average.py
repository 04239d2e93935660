"""The average of maps that are stable, stable itself.

Letters: M candidates, s steps ahead, C series.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samovar_forecast.linear.linear_map import LinearMap, blend
from samovar_forecast.linear.stability import growing_series, rolled_safely

MOST_TURNS = 16
"""So many times series are looked for that carry growth; then all series are left to one map."""


def stable_average(
    maps: Sequence[LinearMap], weights: np.ndarray, fallback: int
) -> tuple[LinearMap, np.ndarray]:
    """Return the weighted mean of maps, stable when it is rolled out, and its weights.

    The mean of stable maps need not be stable: forecasts that are averaged are fed back to maps
    that would have made others. A series that carries the growth is left to the heaviest of its
    candidates that reads no other series, which is stable on its own; the other series keep their
    average. Only what grows even so is damped.

    Parameters
    ----------
    maps : sequence of M maps
        With the same center.
    weights : array of shape (M, s, C)
        They sum to one over the maps.
    fallback : int
        The map that a series is left to if all its candidates read other series.
    """
    own = np.array([not _reads_others(candidate) for candidate in maps])
    total = np.where(own[:, None], weights.sum(axis=1), 0.0)  # M C
    heaviest = np.where(total.any(axis=0), total.argmax(axis=0), fallback)
    alone = (np.arange(len(maps))[:, None] == heaviest)[:, None] * np.ones(weights.shape)
    average, drawn = blend(maps, weights), weights
    is_left = np.zeros(weights.shape[2], dtype=bool)
    for turn in range(MOST_TURNS):
        grows = growing_series(average)
        if not grows.any():
            return average, drawn
        is_left |= grows | (turn == MOST_TURNS - 1)
        drawn = np.where(is_left, alone, weights)
        average = blend(maps, drawn)
    return rolled_safely(average), drawn


def _reads_others(candidate: LinearMap) -> bool:
    others = ~np.eye(len(candidate.center), dtype=bool)[:, None]  # C 1 C
    return bool((candidate.cross * others).any())
