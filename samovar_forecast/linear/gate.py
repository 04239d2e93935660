"""The gate: how much of the network goes into each step of each series, in closed form.

Letters: B validation windows, s steps, C series, m blocks of windows.
"""

from __future__ import annotations

import numpy as np

from samovar_forecast.linear.weights import horizon_bands

FEWEST_BLOCKS = 4
"""With fewer blocks a band's standard error means nothing."""

BLOCKS_OF_A_SERIES = 20
"""From so many blocks on series may differ in their shares."""

PRIOR_SHARE = 0.05
PRIOR_STRENGTH = 10.0
"""Before any evidence the network's share is that, as if seen on so many separate forecasts."""


def estimate_gate(
    anchor: np.ndarray,
    network: np.ndarray,
    actual: np.ndarray,
    instance: np.ndarray,
    *,
    prior_share: float = PRIOR_SHARE,
) -> np.ndarray:
    """Return the share of the network in ``anchor + gate * (network - anchor)``, (s, C).

    In each band of the horizon the share of least squared error is a regression through the
    origin, of the anchor's error on the distance from network to anchor. The share of all series
    together is drawn toward a small prior one, as if that had been seen on ten more forecasts that
    do not overlap: a few windows say little, for the network or against it. Given enough blocks,
    the share of a series departs from the common one as far as series differ by more than noise,
    and is 0 where the network did not help. Overlapping forecasts count as blocks: h steps ahead,
    h windows are one block.

    Parameters
    ----------
    anchor, network, actual : array of shape (B, s, C)
        Of windows that neither was estimated on, in time order inside each instance. Windows with
        NaN anywhere are left out.
    instance : int array of shape (B,)
        Which instance a window comes from.
    prior_share : float
        0 asks for more than a small share to begin with: evidence. The common share is then 0
        within one standard error, and 0 where the blocks are too few to have one.
    """
    _, n_steps, n_series = actual.shape
    gate = np.zeros((n_steps, n_series))
    is_complete = np.isfinite(anchor + network + actual).all(axis=(1, 2))
    error, distance = (actual - anchor)[is_complete], (network - anchor)[is_complete]
    instance = instance[is_complete]
    for start, stop in horizon_bands(n_steps):
        block = _blocks(instance, stop)
        if len(block) == 0:
            continue
        some = slice(start, stop)
        products = _by_block(distance[:, some] * error[:, some], block)  # m C
        squares = _by_block(np.square(distance[:, some]), block)
        size = _by_block(np.square(error[:, some]), block).sum(axis=0)
        weight = PRIOR_STRENGTH * stop / len(block)
        gate[some] = _shares(products, squares, size, prior_share, weight)
    return gate


def _blocks(instance: np.ndarray, length: int) -> np.ndarray:
    """Return the block of each window: so many in a row of one instance; a part of one joins."""
    block, n_before = np.zeros(len(instance), dtype=int), 0
    for one in np.unique(instance):
        own = np.flatnonzero(instance == one)
        n_own = max(1, len(own) // length)
        block[own] = n_before + np.minimum(np.arange(len(own)) // length, n_own - 1)
        n_before += n_own
    return block


def _by_block(values: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Sum (B, steps, C) over the steps and the windows of each block; (m, C)."""
    sums = np.zeros((block.max() + 1, values.shape[2]))
    np.add.at(sums, block, values.sum(axis=1))
    return sums


def _shares(
    products: np.ndarray, squares: np.ndarray, size: np.ndarray, prior_share: float, weight: float
) -> np.ndarray:
    """Return the share of each series in one band, (C,), from sums by block, (m, C).

    ``size`` is the sum of the anchor's squared errors, (C,), and ``weight`` that of the prior.
    """
    moves = (squares.sum(axis=0) > 0) & (size > 0)
    shares = np.zeros(products.shape[1])
    if not moves.any() or (prior_share == 0 and len(products) < FEWEST_BLOCKS):
        return shares
    # In units of each series' own error, so that all series count alike.
    products, squares = products[:, moves] / size[moves], squares[:, moves] / size[moves]
    slope = products.sum() / squares.sum()
    if prior_share:
        common = (slope + weight * prior_share) / (1 + weight)
    else:
        common = _toward_zero(products.sum(axis=1), squares.sum(axis=1))
    common = min(1.0, max(0.0, common))
    if prior_share and len(products) < BLOCKS_OF_A_SERIES:
        shares[moves] = common
        return shares
    own, variance = _regression(products, squares)
    between = max(0.0, float((np.square(own - common) - variance).mean()))
    trust = between / (between + variance) if between > 0 else np.zeros_like(own)
    shrunk = common + trust * (own - common)
    gain = shrunk * (2 * products.sum(axis=0) - shrunk * squares.sum(axis=0))
    shares[moves] = np.where(gain > 0, np.clip(shrunk, 0.0, 1.0), 0.0)
    return shares


def _regression(products: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return slopes through the origin and their variances between blocks; (C,) each."""
    n_blocks, total = len(products), squares.sum(axis=0)
    slope = products.sum(axis=0) / total
    scatter = np.square(products - slope * squares).sum(axis=0)
    # (m - 1) / (m - 3) is what a few blocks' variance falls short of, as in the mean of an F.
    return slope, scatter / total**2 * n_blocks / (n_blocks - 3)


def _toward_zero(products: np.ndarray, squares: np.ndarray) -> float:
    """Return a slope from (m,) less the share of its square that is noise: 0 within one error."""
    slope, variance = (float(one[0]) for one in _regression(products[:, None], squares[:, None]))
    return slope * max(0.0, 1 - variance / slope**2) if slope > 0 else 0.0
