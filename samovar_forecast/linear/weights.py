"""Weights of an average: stacked on held-out forecasts, drawn to what is known before.

Letters: M candidates, B held-out windows, s steps ahead, C series, N problems solved at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

PRIOR_STRENGTH, SHORT_ORIGINS = 5.0, 600.0
"""What the weights before any evidence count, in held-out forecasts that do not overlap.

With n origins the number is times ``1 + 600 / n``: the errors of few origins are those of one time.
"""

LARGEST_POWER, FORECASTS_TO_TRUST = 3.0, 10.0
"""Prior weights are divided by the squared error to a power, half of the largest at 10 forecasts
that do not overlap."""

LINKED_STRENGTH, SEPARATE_STRENGTH = 100.0, 10.0
"""What the weights of all series count for the weights of one series, likewise: of a system, or of
series that have nothing to do with each other."""

WORST = 2.0
"""A candidate with so many times the squared error of the best naive candidate gets nothing."""

LARGEST_ERROR = 100.0
"""Larger errors, in units of the middle candidate's, count as this error."""

TOLERANCE = 1e-10
"""A weight of 0 stays if the slope gains less by raising it, relative to the largest slope."""


def stacked_weights(
    errors: np.ndarray,
    n_origins: int,
    prior: np.ndarray,
    *,
    is_naive: np.ndarray | None = None,
    is_joint: bool = True,
) -> np.ndarray:
    """Return the weights of the candidates at each step of each series, (M, s, C).

    Band by band, the weights minimise the mean squared error of the average, drawn toward what is
    known before: ``prior`` over a power of each candidate's squared error, the larger the more
    forecasts there are, and in equal parts the weights of the band before; then those of each
    series toward the weights of all together. The errors of a series are in units of its middle
    candidate's, so that neither a candidate that explodes nor a large series speaks for others.
    Forecasts of h steps overlap, so that ``n_origins`` of them count as ``n_origins / h``: near
    steps say most, and say it first. A series of fewer known errors than most says less.

    Parameters
    ----------
    errors : array of shape (M, B, s, C)
        NaN where the actual value is not known.
    n_origins : int
        Origins that the B windows stand for.
    prior : array of shape (M,) or (M, s)
        Summing to one; that of a band is that of its first step, and under it the weights of the
        bands before are found for this band.
    is_naive : bool array of shape (M,), optional
        Candidates against which the others have to stand.
    is_joint : bool, default=True
        Whether the series are those of one system.
    """
    _, n_windows, n_steps, n_series = errors.shape
    prior = np.broadcast_to(prior.reshape(len(prior), -1), (len(prior), n_steps))
    weights = np.tile(prior[:, :, None], (1, 1, n_series))
    if n_windows == 0 or n_series == 0:
        return weights
    is_out = _is_out(errors, is_naive)
    strength = PRIOR_STRENGTH * (1 + SHORT_ORIGINS / n_origins)
    own_strength = LINKED_STRENGTH if is_joint else SEPARATE_STRENGTH
    ends = horizon_bands(n_steps)
    bands = [_Band.of(errors[:, :, start:stop], stop / n_origins) for start, stop in ends]
    found: dict[bytes, list[np.ndarray | None]] = {}
    for number, ((start, stop), band) in enumerate(zip(ends, bands, strict=True)):
        own_prior = prior[:, start]
        key = own_prior.tobytes()
        if key not in found:
            found[key] = _weights_of_all(bands, own_prior, is_out, strength)
        common = found[key][number]
        if common is None:  # nothing is known so far, or every candidate is right
            continue
        own = np.tile(common, (n_series, 1))
        if n_series > 1 and band.typical > 0:
            moments = band.moments[band.is_known] + band.barring(is_out)
            strengths = own_strength * band.overlap / band.counts[band.is_known] + 1e-12
            own[band.is_known] = _on_simplexes(moments, own[band.is_known], strengths)
        weights[:, start:stop] = own.T[:, None]
    return weights


class _Band(NamedTuple):
    """Errors of some steps, as far as their squares say."""

    moments: np.ndarray
    """Mean products of the errors of each series, (C, M, M)."""
    counts: np.ndarray
    """Number of known errors of each series, over that of most of them, (C,)."""
    pooled: np.ndarray
    """Mean over the series, by these counts, (M, M)."""
    typical: float
    """Squared error of the middle candidate; 0 where nothing is known, or none has an error."""
    overlap: float
    """Steps of the farthest forecast for each origin."""

    @classmethod
    def of(cls, errors: np.ndarray, overlap: float) -> _Band:
        moments, counts = _moments(errors)
        pooled = np.zeros(moments.shape[1:])
        if counts.any():
            pooled = np.average(moments[counts > 0], axis=0, weights=counts[counts > 0])
        sizes = np.diagonal(pooled)
        return cls(moments, counts, pooled, float(np.median(sizes) or sizes.max()), overlap)

    @property
    def is_known(self) -> np.ndarray:
        """Which series have known errors, (C,)."""
        return self.counts > 0

    def barring(self, is_out: np.ndarray) -> np.ndarray:
        """Return what bars candidates, added to the moments; (M, M)."""
        return np.diag(np.where(is_out, 1e6 * self.typical, 0.0))


def _weights_of_all(
    bands: Sequence[_Band], prior: np.ndarray, is_out: np.ndarray, strength: float
) -> list[np.ndarray | None]:
    """Return the weights of all series together in each band, (M,), under one prior.

    None where nothing is known in any band so far.
    """
    common, found = None, []
    for band in bands:
        if band.typical > 0:
            trust = 1 / (1 + FORECASTS_TO_TRUST * band.overlap)
            sizes = np.maximum(np.diagonal(band.pooled) / band.typical, 1e-9)
            known_before = ~is_out * sizes ** (-LARGEST_POWER * trust)
            if prior[~is_out].any():
                known_before = prior * known_before
            known_before = known_before / known_before.sum()
            if common is not None:
                known_before = (known_before + common) / 2
            common = on_the_simplex(
                band.pooled + band.barring(is_out),
                known_before,
                strength * band.overlap * band.typical + 1e-12,
            )
        found.append(common)
    return found


def _is_out(errors: np.ndarray, is_naive: np.ndarray | None) -> np.ndarray:
    """Tell which candidates are far worse than the best naive candidate, over steps and series."""
    if is_naive is None or not is_naive.any():
        return np.zeros(len(errors), dtype=bool)
    known, n_known = _in_one_unit(errors)
    if not n_known.any():
        return np.zeros(len(errors), dtype=bool)
    squares = np.einsum("cmn,cmn->cm", known, known)
    some = n_known > 0
    counts = _over_most(n_known)[some]
    sizes = np.average(squares[some] / n_known[some, None], axis=0, weights=counts)
    return ~is_naive & (sizes > WORST * sizes[is_naive].min())


def _moments(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean products of errors (M, B, s, C) for each series, and their counts.

    In units of the middle candidate's mean squared error; (C, M, M), (C,).
    """
    known, n_known = _in_one_unit(errors)
    moments = known @ known.swapaxes(1, 2) / np.maximum(n_known, 1)[:, None, None]
    return moments, _over_most(n_known)


def _over_most(n_known: np.ndarray) -> np.ndarray:
    """Return numbers over the middle one of those that are not 0."""
    return n_known / np.median(n_known[n_known > 0]) if n_known.any() else n_known.astype(float)


def _in_one_unit(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors of each series in units of the middle candidate's, (C, M, B s), clipped.

    Errors that are not known are 0; the numbers of known ones are the second array, (C,).
    """
    n_candidates, _, _, n_series = errors.shape
    by_series = errors.transpose(3, 0, 1, 2).reshape(n_series, n_candidates, -1)
    is_there = np.isfinite(by_series).all(axis=1)  # C B*s
    n_known = is_there.sum(axis=1)
    known = np.where(is_there[:, None], by_series, 0.0)
    squares = np.square(np.clip(known, -1e100, 1e100)).sum(axis=2) / np.maximum(n_known, 1)[:, None]
    unit = np.sqrt(np.median(squares, axis=1))  # C
    unit = np.where(unit > 0, unit, 1.0)[:, None, None]
    return np.clip(known / unit, -LARGEST_ERROR, LARGEST_ERROR), n_known


def horizon_bands(n_steps: int) -> list[tuple[int, int]]:
    """Cut the steps into the first, and the two halves of the rest: rows from, and up to."""
    ends = sorted({1, -(-n_steps // 2), n_steps})
    return list(zip([0, *ends], ends, strict=False))


def on_the_simplex(moments: np.ndarray, prior: np.ndarray, strength: float) -> np.ndarray:
    """Return the w >= 0, sum(w) = 1, that minimises ``w' S w + strength * |w - prior|^2``."""
    return _on_simplexes(moments[None], prior[None], np.array([strength]))[0]


def _on_simplexes(moments: np.ndarray, priors: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Solve N problems of :func:`on_the_simplex` at once; (N, M, M), (N, M), (N,) to (N, M).

    By active sets (Lawson and Hanson 1974, chapter 23): the positive weights are solved for, up to
    the first that would turn negative; a weight of 0 turns positive where the slope asks for it.
    """
    n_problems, n_candidates = priors.shape
    rows = np.arange(n_problems)
    quadratic = moments + strengths[:, None, None] * np.eye(n_candidates)
    linear = strengths[:, None] * priors
    weights, active = priors.copy(), priors > 0
    for _ in range(4 * n_candidates):
        wanted = _solved(quadratic, linear, active)
        step = wanted - weights
        falls = active & (wanted < 0)
        share = np.where(falls, weights / np.where(falls, -step, 1.0), np.inf)
        length = np.minimum(share.min(axis=1), 1.0)
        weights = weights + length[:, None] * step
        is_blocked = length < 1
        active[rows[is_blocked], share[is_blocked].argmin(axis=1)] = False
        weights = np.where(active, np.maximum(weights, 0.0), 0.0)
        slope = np.einsum("nij,nj->ni", quadratic, weights) - linear
        level = (slope * active).sum(axis=1) / active.sum(axis=1)
        gain = np.where(active | is_blocked[:, None], 0.0, level[:, None] - slope)
        enters = gain.max(axis=1) > TOLERANCE * np.abs(slope).max(axis=1)
        active[rows[enters], gain[enters].argmax(axis=1)] = True
        if not (enters | is_blocked).any():
            break
    return weights / weights.sum(axis=1, keepdims=True)


def _solved(quadratic: np.ndarray, linear: np.ndarray, active: np.ndarray) -> np.ndarray:
    """Return the minima over the active weights alone, which sum to 1; (N, M)."""
    n_problems, n_candidates = active.shape
    system = np.zeros((n_problems, n_candidates + 1, n_candidates + 1))
    system[:, :-1, :-1] = np.where(active[:, :, None] & active[:, None], quadratic, 0.0)
    diagonal = np.arange(n_candidates)
    system[:, diagonal, diagonal] = np.where(active, system[:, diagonal, diagonal], 1.0)
    system[:, :-1, -1] = system[:, -1, :-1] = active
    right = np.concatenate([np.where(active, linear, 0.0), np.ones((n_problems, 1))], axis=1)
    return np.asarray(np.linalg.solve(system, right[:, :, None])[:, :-1, 0])
