"""The gate: the share of the network in each step of each series, in closed form.

Letters: B validation windows, s steps, C series, m blocks of windows.
"""

from __future__ import annotations

import numpy as np

from samovar_forecast.linear.weights import horizon_bands

FEWEST_BLOCKS = 4
"""With fewer blocks, the standard error of a band means nothing."""

BLOCKS_OF_A_SERIES = 20
"""A series with at least this number of blocks may have a share that differs from the others'."""

PRIOR_SHARE = 0.05
"""The share of the network before any evidence."""

PRIOR_STRENGTH = 10.0
"""The prior share weighs as much as this number of forecasts that do not overlap."""


def estimate_gate(
    anchor: np.ndarray,
    network: np.ndarray,
    actual: np.ndarray,
    instance: np.ndarray,
    *,
    prior_share: float = PRIOR_SHARE,
) -> np.ndarray:
    """Return the share of the network in ``anchor + gate * (network - anchor)``, (s, C).

    In each band of the horizon, the share with the least squared error is the slope of a regression
    through the origin: of the anchor's error on the distance from the anchor to the network. The
    common share of all series, in which a series counts by its known forecasts, is drawn toward a
    small prior share, as if the prior share had been observed on ten more forecasts that do not
    overlap: a few windows say little, for the network or against the network. With enough blocks of
    its own, the share of a series differs from the common share as far as the series differ by more
    than noise, and the share is 0 where the network did not help. With fewer, it is the common one.
    Forecasts that overlap are no separate evidence: h steps ahead, h windows make a single block.

    Parameters
    ----------
    anchor, network, actual : array of shape (B, s, C)
        Forecasts and actual values of windows from which neither the anchor nor the network was
        estimated, in time order inside each instance. A NaN is no evidence, and a window of NaN
        alone is left out.
    instance : int array of shape (B,)
        The number of the instance to which a window belongs.
    prior_share : float
        With 0, only evidence gives a share: the common share is 0 where it is within one standard
        error of 0, and 0 where the blocks are too few for a standard error.
    """
    _, n_steps, n_series = actual.shape
    gate = np.zeros((n_steps, n_series))
    is_known = np.isfinite(anchor + network + actual)
    kept = is_known.any(axis=(1, 2))
    error, distance = (
        np.where(is_known, apart, 0.0)[kept] for apart in (actual - anchor, network - anchor)
    )
    instance = instance[kept]
    for start, stop in horizon_bands(n_steps):
        block = _blocks(instance, stop)
        if len(block) == 0:
            continue
        band = slice(start, stop)
        products = _by_block(distance[:, band] * error[:, band], block)  # m C
        squares = _by_block(np.square(distance[:, band]), block)
        size = _by_block(np.square(error[:, band]), block).sum(axis=0)
        n_known = _by_block(is_known[kept][:, band], block)
        weight = PRIOR_STRENGTH * stop / len(block)
        gate[band] = _shares(products, squares, size, n_known, prior_share, weight)
    return gate


def _blocks(instance: np.ndarray, length: int) -> np.ndarray:
    """Return the number of the block to which each window belongs, (B,).

    A block holds ``length`` windows in a row of the same instance. The windows that remain at the
    end of an instance join the last block of the instance.
    """
    block, n_before = np.zeros(len(instance), dtype=int), 0
    for number in np.unique(instance):
        windows = np.flatnonzero(instance == number)
        n_blocks = max(1, len(windows) // length)
        block[windows] = n_before + np.minimum(np.arange(len(windows)) // length, n_blocks - 1)
        n_before += n_blocks
    return block


def _by_block(values: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return the sums of ``values``, (B, s, C), over the steps and windows of a block, (m, C)."""
    sums = np.zeros((block.max() + 1, values.shape[2]))
    np.add.at(sums, block, values.sum(axis=1))
    return sums


def _shares(
    products: np.ndarray,
    squares: np.ndarray,
    size: np.ndarray,
    n_known: np.ndarray,
    prior_share: float,
    weight: float,
) -> np.ndarray:
    """Return the share of the network for each series in a band, (C,), from sums by block, (m, C).

    ``size`` is the sum of the anchor's squared errors, (C,); ``n_known`` counts known forecasts,
    (m, C); ``weight`` is the weight of the prior share, relative to the evidence.
    """
    moves = (squares.sum(axis=0) > 0) & (size > 0)
    shares = np.zeros(products.shape[1])
    if not moves.any() or (prior_share == 0 and len(products) < FEWEST_BLOCKS):
        return shares
    # The unit is the typical error of the series itself: all series count alike, by what is known.
    total = n_known.sum(axis=0)
    unit = (size / (total / total.max(initial=1)))[moves]
    products, squares, n_known = (
        products[:, moves] / unit,
        squares[:, moves] / unit,
        n_known[:, moves],
    )
    slope = products.sum() / squares.sum()
    if prior_share:
        common = (slope + weight * prior_share) / (1 + weight)
    else:
        common = _toward_zero(products.sum(axis=1), squares.sum(axis=1))
    common = min(1.0, max(0.0, common))
    fewest = BLOCKS_OF_A_SERIES if prior_share else FEWEST_BLOCKS
    n_blocks = (n_known > 0).sum(axis=0)
    may_differ = n_blocks >= fewest
    found = np.full(len(n_blocks), common)
    if may_differ.any():
        products, squares = products[:, may_differ], squares[:, may_differ]
        own, variance = _regression(products, squares, n_blocks[may_differ])
        between = max(0.0, float((np.square(own - common) - variance).mean()))
        trust = between / (between + variance) if between > 0 else np.zeros_like(own)
        shrunk = common + trust * (own - common)
        gain = shrunk * (2 * products.sum(axis=0) - shrunk * squares.sum(axis=0))
        found[may_differ] = np.where(gain > 0, np.clip(shrunk, 0.0, 1.0), 0.0)
    shares[moves] = found
    return shares


def _regression(
    products: np.ndarray, squares: np.ndarray, n_blocks: np.ndarray | int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the slopes through the origin, (C,), and the variances of the slopes, (C,)."""
    total = squares.sum(axis=0)
    slope = products.sum(axis=0) / total
    scatter = np.square(products - slope * squares).sum(axis=0)
    # A variance from m blocks is inflated by (m - 1) / (m - 3), the mean of an F distribution.
    return slope, scatter / total**2 * n_blocks / (n_blocks - 3)


def _toward_zero(products: np.ndarray, squares: np.ndarray) -> float:
    """Return the slope from sums by block, (m,), shrunk by the noise in its square.

    The slope becomes 0 where it is within one standard error of 0.
    """
    slopes, variances = _regression(products[:, None], squares[:, None], len(products))
    slope, variance = float(slopes[0]), float(variances[0])
    return slope * max(0.0, 1 - variance / slope**2) if slope > 0 else 0.0
