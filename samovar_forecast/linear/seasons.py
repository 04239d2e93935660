"""Seasons that the series show, with a test that seldom finds what is not there.

What a short autoregression leaves of a series without a season is nearly white: its correlation at
any lag is that of chance. A season of k steps shows at lag k, and again at lag 2 k.

Letters: n rows, C series, K lags that are looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from samovar_forecast.linear.linear_map import without_gaps
from samovar_forecast.linear.regressions import lag_design

ORDER_OF_WHITENING = 2
NEIGHBOURS, LARGEST_STEP, LARGEST_RESIDUAL = 7, 12.0, 4.0
"""Distances from the median of the neighbours, and residuals, beyond so many typical sizes count as
this size: an outlier is no season."""

CHANCE = 0.01
"""Probability of a find in a series without a season, over all lags."""

SHORTEST_SEASON, PERIODS_SEEN = 2, 3
"""A season is looked for where the rows hold it three times."""

NEWEST_ROWS, LONGEST_SEASON = 2000, 400
"""So many rows are looked at, and no longer season is looked for."""

FEWEST_ROWS = 24
AS_HIGH = 0.85
"""Multiples of a season are as high as the season: the shortest of them is taken."""


def find_season(series: Sequence[np.ndarray], known: int = 1) -> int:
    """Return the season that most of the series show; 1 for none.

    Each series is looked at on rows of its own: those of the longest instance in which the series
    can show a season. A series that cannot show a season, for it is short or does not vary, does
    not count.

    Parameters
    ----------
    series : sequence of arrays of shape (n, C)
        NaN where a value is missing.
    known : int, default=1
        A season that is known already: its pattern is taken off, and a multiple of it looked for.
    """
    crossed = [without_gaps(rows) for rows in series]
    own = [
        max(
            (rows[np.isfinite(rows[:, c]), c] for rows in crossed),
            key=lambda values: (_lags(values, known).size > 0, len(values)),
        )
        for c in range(crossed[0].shape[1])
    ]
    lags = [_lags(values, known) for values in own]
    found = Counter(season_of(values, known) for values in own)
    for season, count in found.most_common():
        if season > 1 and 2 * count > sum(season in some for some in lags):
            return season
    return 1


def season_of(values: np.ndarray, known: int = 1) -> int:
    """Return the season of one series (n,), as :func:`find_season` does."""
    lags = _lags(values, known)
    if not len(lags):
        return 1
    residuals = _whitened(values[-NEWEST_ROWS:], known)
    if residuals is None:
        return 1
    sizes, once = _scores(residuals, lags)
    _, twice = _scores(residuals, 2 * lags)
    together = np.where(np.minimum(once, twice) > 1, (once + twice) / np.sqrt(2), 0.0)
    best = int(np.argmax(together))
    if together[best] < NormalDist().inv_cdf(1 - CHANCE / len(lags)):
        return 1
    high = AS_HIGH * sizes[best]
    if known > 1 and _scores(residuals, np.array([known]))[0][0] > high:
        return 1  # the pattern of the known season moves, and every multiple of the season shows it
    is_part = (lags[best] % lags == 0) & (sizes >= high) & (together > 0)
    return int(lags[np.flatnonzero(is_part)[0]])


def _lags(values: np.ndarray, known: int) -> np.ndarray:
    """Return the seasons that one series (n,) can show."""
    values = values[-NEWEST_ROWS:]
    if len(values) < FEWEST_ROWS or np.ptp(values) == 0:
        return np.array([], dtype=int)
    n_lags = min(LONGEST_SEASON, len(values) // PERIODS_SEEN)
    lags = np.arange(SHORTEST_SEASON, n_lags + 1)
    return lags if known == 1 else lags[(lags > known) & (lags % known == 0)]


def _whitened(values: np.ndarray, known: int) -> np.ndarray | None:
    """Return what an autoregression leaves, in typical sizes and clipped; None for nothing."""
    half = NEIGHBOURS // 2
    around = sliding_window_view(np.pad(values, half, mode="edge"), NEIGHBOURS)
    typical = np.median(around, axis=1)
    size = np.median(np.abs(values - typical)) or np.inf
    calm = typical + np.clip(values - typical, -LARGEST_STEP * size, LARGEST_STEP * size)
    x, ahead = lag_design([(calm - calm.mean())[:, None]], ORDER_OF_WHITENING)
    phase = np.arange(len(x))[:, None] % known == np.arange(known)
    design = np.hstack([x, phase])
    residuals = (ahead - design @ np.linalg.lstsq(design, ahead, rcond=None)[0])[:, 0]
    size = np.median(np.abs(residuals)) / 0.6745
    if size <= 1e-9 * np.abs(calm).max():
        return None
    return np.asarray(np.clip(residuals / size, -LARGEST_RESIDUAL, LARGEST_RESIDUAL))


def _scores(residuals: np.ndarray, lags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the correlations at some lags, and the same in units of their deviation by chance.

    The deviation is that of products of residuals whose size may change along the rows (White
    1980, Econometrica 48:817-838).
    """
    found = []
    for lag in lags:
        past, now = residuals[:-lag], residuals[lag:]
        products = past * now
        total = products.sum()
        size = np.sqrt((past @ past) * (now @ now))
        deviation = np.sqrt(products @ products)
        found.append((total / size, total / deviation) if deviation > 0 else (0.0, 0.0))
    sizes, scores = np.array(found).T
    return sizes, scores
