"""Whether a difference in accuracy is more than chance, out of sample.

:func:`diebold_mariano` compares any two forecasts, :func:`model_confidence_set` any number of them;
:func:`clark_west` compares two learners at the same origins, where one learner may use something
(another series, a state-dependent map) and the other, trained in the same way, may not. The second
learner is nested in the first, so their losses are compared by Clark and West's statistic; the
statistic of Diebold and Mariano almost never rejects in nested models, since the larger model pays
for its estimation noise.

Letters: n origins, S trainings that differ by their seed, B cosines, M models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from samovar_forecast.arguments import check_whole
from samovar_forecast.exceptions import DataError, require

__all__ = ["ClarkWest", "DieboldMariano", "clark_west", "diebold_mariano", "model_confidence_set"]

FEWEST_ORIGINS = 20
"""With fewer test origins the normal approximation says nothing."""
ROUNDING = 1e-12
"""Numbers that differ by a smaller share of their size are the same."""
KNOWN_LAGS = 2
"""Observations before each origin whose linear effect is taken out of a comparison."""


class ClarkWest(NamedTuple):
    """Outcome of Clark and West's test of equal accuracy of nested forecasts."""

    statistic: float
    """Standard normal if the restricted forecast is as good; large if the full is better."""
    pvalue: float
    """One-sided."""
    mse_restricted: float
    mse_full: float
    """Mean squared errors, averaged over the trainings."""


def clark_west(
    actual: np.ndarray,
    restricted: np.ndarray,
    full: np.ndarray,
    *,
    known: np.ndarray | None = None,
    max_lags: int | None = None,
) -> ClarkWest:
    """Test whether a forecast improves on a forecast nested in it.

    With e the error of the restricted forecast and d the full forecast less the restricted one,
    the difference of squared errors, adjusted for the noise d that the larger model adds under
    the null, is ``2 e d`` at each origin; its mean is positive if the full model foresees
    something (Clark & West 2007, J. Econometrics 138:291-311, section 2).

    Least squares makes d uncorrelated with what the restricted model got wrong; a network does
    not, and then the statistic rejects too often, for two reasons that are taken care of here:

    * Two trainings of one network differ, and averaging forecasts that differ always helps. With
      S > 1 trainings, e and d are taken from different trainings: ``2 e_a d_b`` averaged over all
      pairs a != b.
    * A network that is fitted imperfectly leaves something in e that the restricted learner could
      have known, and d may happen to correct it. What is linear in ``known`` is taken out of e
      and d.

    With one training and nothing known the statistic is Clark and West's.

    Parameters
    ----------
    actual : ndarray of shape (n,)
    restricted, full : ndarray of shape (n,) or (S, n)
        One-step forecasts of ``actual``; the same S in both.
    known : ndarray of shape (n, q), optional
        What both learners knew at each origin, see `known_before`.
    max_lags : int, optional
        Lags of the HAC standard error; by default ``floor(4 (n / 100)^(2/9))``.

    Returns
    -------
    ClarkWest

    Raises
    ------
    DataError
        If shapes do not fit, values are missing, or there are too few origins.
    """
    OLS = require("statsmodels.api", "the test of Clark and West", "demo").OLS
    truth = np.asarray(actual, dtype=float)
    small = np.atleast_2d(np.asarray(restricted, dtype=float))  # S n
    large = np.atleast_2d(np.asarray(full, dtype=float))  # S n
    _check_forecasts(truth, small, large)
    error, change = truth - small, large - small  # S n
    outcome = {"mse_restricted": (error**2).mean(), "mse_full": ((truth - large) ** 2).mean()}
    if known is not None:
        basis = np.column_stack([np.ones(len(truth)), known])
        error, change = (
            part - (basis @ np.linalg.lstsq(basis, part.T, rcond=None)[0]).T
            for part in (error, change)
        )
    n_trainings = len(small)
    if n_trainings == 1:
        adjusted = 2 * error[0] * change[0]
    else:
        all_pairs = error.sum(axis=0) * change.sum(axis=0)
        same = (error * change).sum(axis=0)
        adjusted = 2 * (all_pairs - same) / (n_trainings * (n_trainings - 1))
    # The same forecasts: nothing to tell apart. Forecasts of a high level round more coarsely.
    rounded = 4 * np.finfo(float).eps * np.abs(truth).max()
    if np.abs(large - small).max() <= max(ROUNDING * np.abs(truth - small).max(), rounded):
        return ClarkWest(0.0, 1.0, **outcome)
    lags = int(4 * (len(truth) / 100) ** (2 / 9)) if max_lags is None else max_lags
    mean = OLS(adjusted, np.ones(len(truth))).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=False
    )
    statistic, two_sided = float(mean.tvalues[0]), float(mean.pvalues[0])
    pvalue = two_sided / 2 if statistic > 0 else 1 - two_sided / 2
    return ClarkWest(statistic, pvalue, **outcome)


def _check_forecasts(truth: np.ndarray, small: np.ndarray, large: np.ndarray) -> None:
    if small.shape != large.shape or truth.ndim != 1 or small.shape[1] != len(truth):
        raise DataError(
            "forecasts and actual values do not fit",
            found=f"actual {truth.shape}, restricted {small.shape}, full {large.shape}",
            wanted="(n,) and twice (n,) or (n_trainings, n)",
        )
    if len(truth) < FEWEST_ORIGINS:
        raise DataError(
            "too few test origins for a test",
            found=len(truth),
            wanted=f"at least {FEWEST_ORIGINS}",
            remedy="leave more observations for testing",
        )
    if not (np.isfinite(truth).all() and np.isfinite(small).all() and np.isfinite(large).all()):
        raise DataError("forecasts or actual values are missing or not finite")


def known_before(actual: np.ndarray, restricted: np.ndarray, *, squares: bool) -> np.ndarray:
    """Return what a restricted learner knew, for `clark_west`: forecasts and recent observations.

    In this order, as long as there are ten origins for each column: its forecasts from all
    trainings, the last observations, the observations before them, and the squares of both.

    Parameters
    ----------
    actual : ndarray of shape (n, K)
        The series that it was given, at consecutive times.
    restricted : ndarray of shape (S, n, K)
        Its forecasts of them.
    squares : bool
        Whether to include squares.

    Returns
    -------
    ndarray of shape (n - KNOWN_LAGS, q)
        From the origin number ``KNOWN_LAGS`` on.
    """
    n_kept = len(actual) - KNOWN_LAGS
    if n_kept <= 0:
        return np.empty((0, 0))
    spread = actual.std(axis=0)
    scaled = (actual - actual.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    past = [scaled[KNOWN_LAGS - lag : len(actual) - lag] for lag in range(1, KNOWN_LAGS + 1)]
    groups = [np.concatenate(list(restricted[:, KNOWN_LAGS:]), axis=1), *past]
    if squares:
        groups.extend(values**2 for values in past)
    known = np.empty((n_kept, 0))
    for group in groups:
        if 10 * (known.shape[1] + group.shape[1]) > n_kept:
            break
        known = np.column_stack([known, group])
    return known


def holm(pvalues: Sequence[float]) -> np.ndarray:
    """Return p-values adjusted for their number.

    The smallest of n counts n times, the next n - 1 times, none less than a smaller one (Holm 1979,
    Scandinavian Journal of Statistics 6:65-70).
    """
    given = np.asarray(pvalues, dtype=float)
    order = given.argsort()
    adjusted = np.empty_like(given)
    times = np.arange(len(given), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(times * given[order]), 1.0)
    return adjusted


class DieboldMariano(NamedTuple):
    """Outcome of a test of equal accuracy."""

    statistic: float
    """Negative if the first forecast has the smaller loss."""
    pvalue: float
    """Two-sided, by Student's t with a degree of freedom for each cosine."""


def count_cosines(n_origins: int, overlap: int = 1) -> int:
    """Return how many slow cosines tell the variance of a mean loss.

    The fewer cosines, the better the size of a test and the less its power. Lazarus, Lewis, Stock
    and Watson (2018, J. Business & Economic Statistics 36:541-559) advise ``0.4 n^(2/3)``; the
    root of n gives a cosine more to few origins, and tests on 10 to 40 origins that reject little
    more often than they say (``python -m benchmarks.accuracy_tests``). The fastest cosine has
    ``n_cosines / (2 n)`` cycles an origin. Losses that share steps with neighbours have power at
    slow frequencies alone, so that no cosine is faster than a quarter of a cycle over ``overlap``
    origins. There are at least two cosines where the origins allow it, since a test with one has
    next to no power.
    """
    by_overlap = n_origins // (2 * overlap)
    return max(1, min(n_origins - 1, max(2, min(round(n_origins**0.5), by_overlap))))


def cosine_sums(losses: np.ndarray, n_cosines: int) -> np.ndarray:
    """Return the sums of losses under slow orthonormal cosines, the constant one first.

    Under weak assumptions the sums are independent and have the same variance as the first, which
    is ``sqrt(n)`` times the mean: their mean square is the long-run variance of the losses.

    Parameters
    ----------
    losses : ndarray of shape (n, ...)
    n_cosines : int
        B, less than n.

    Returns
    -------
    ndarray of shape (1 + B, ...)
    """
    n = len(losses)
    frequency, place = np.arange(n_cosines + 1)[:, None], np.arange(n) + 0.5
    basis = np.sqrt(np.where(frequency > 0, 2, 1) / n) * np.cos(np.pi * frequency * place / n)
    return np.tensordot(basis, losses, axes=1)


def diebold_mariano(
    first: np.ndarray, second: np.ndarray, overlap: int = 1, *, n_cosines: int | None = None
) -> DieboldMariano:
    """Test whether two forecasts are equally accurate, at the right size in small samples.

    Diebold and Mariano's statistic with a long-run variance from slow cosines, held against
    Student's t with as many degrees of freedom as there are cosines. The number of cosines stays
    small, and the distribution allows for what such a variance leaves open, as Coroneo and
    Iacone (2020, J. Applied Econometrics 35:391-409) do with slow Fourier frequencies. A variance
    from ``overlap - 1`` autocovariances, with the correction of Harvey, Leybourne and Newbold
    (1997), rejects far too often where losses are autocorrelated; ``python -m
    benchmarks.accuracy_tests`` measures both.

    Parameters
    ----------
    first, second : ndarray of shape (n,)
        Losses at the same origins, in their order.
    overlap : int, default=1
        How many neighbouring losses share something; 1 for forecasts that do not overlap.
    n_cosines : int, optional
        By default `count_cosines`. With ``n - 1`` the test is the paired t-test, which takes all
        origins as independent.

    Returns
    -------
    DieboldMariano
        Statistic 0 and p-value 1 if the losses are the same.

    Raises
    ------
    ConfigurationError
        If there is no such overlap, or no such number of cosines.
    DataError
        If the losses do not fit each other, or are fewer than two or than twice the overlap.
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.ndim != 1 or a.shape != b.shape or not np.isfinite(a - b).all():
        raise DataError(
            "losses do not fit each other", found=f"{a.shape} and {b.shape}", wanted="finite, (n,)"
        )
    _check_losses(len(a), overlap)
    if n_cosines is None:
        n_cosines = count_cosines(len(a), overlap)
    check_whole("n_cosines", n_cosines, 1, len(a) - 1)
    from scipy.stats import t as student

    difference = a - b
    rounding = ROUNDING * max(np.abs(a).max(), np.abs(b).max())
    if difference.std() <= rounding:
        if abs(difference.mean()) <= rounding:
            return DieboldMariano(0.0, 1.0)
        return DieboldMariano(float(np.copysign(np.inf, difference.mean())), 0.0)
    statistic = float(_studentized(cosine_sums(difference[:, None], n_cosines))[0])
    return DieboldMariano(statistic, float(2 * student.sf(abs(statistic), n_cosines)))


def _check_losses(n_origins: int, overlap: int) -> None:
    check_whole("overlap", overlap, 1)
    if not enough_losses(n_origins, overlap):
        raise DataError(
            "too few losses for a test", found=n_origins, wanted=f"at least {2 * overlap}"
        )


def enough_losses(n_origins: int, overlap: int) -> bool:
    """Tell whether losses at so many origins can be tested, given how many neighbours overlap."""
    return n_origins >= 2 * overlap


def _studentized(sums: np.ndarray) -> np.ndarray:
    """Return means over their standard errors, (..., M), from cosine sums (..., 1 + B, M)."""
    variance = np.square(sums[..., 1:, :]).mean(axis=-2)
    return sums[..., 0, :] / np.sqrt(np.where(variance > 0, variance, 1.0))


CONFIDENCE_DRAWS = 2000
"""Draws of the distribution of the largest difference among the models of a confidence set."""


def model_confidence_set(losses: np.ndarray, overlap: int = 1) -> np.ndarray:
    """Return p-values of the model confidence set: how well each model may be the best of all.

    The set of models with a p-value above 0.1 holds the best model with probability 0.9 or more.
    Hansen, Lunde and Nason (2011, Econometrica 79:453-497, section 3.1.2): as long as the largest
    of all pairwise statistics is larger than chance would have it, the model that is worst by
    these statistics leaves. The statistics are those of `diebold_mariano`. Their joint
    distribution is drawn, with a fixed seed, from normal cosine sums whose covariance over models
    is that of the losses; a block bootstrap of the losses keeps too few models, since it
    underestimates their long-run variance. With two models the p-value is that of
    `diebold_mariano`.

    Parameters
    ----------
    losses : ndarray of shape (n, M)
        Losses at n origins, in their order, of M models.
    overlap : int, default=1
        As in `diebold_mariano`.

    Returns
    -------
    ndarray of shape (M,)
        1 for the model that is left in the end.

    Raises
    ------
    ConfigurationError
        If there is no such overlap.
    DataError
        If losses are not finite, or fewer than two or than twice the overlap.
    """
    values = np.asarray(losses, dtype=float)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise DataError(
            "no losses of models", found=f"shape {values.shape}", wanted="finite, (n, M)"
        )
    n_origins, n_models = values.shape
    _check_losses(n_origins, overlap)
    n_cosines = count_cosines(n_origins, overlap)
    values = values - values.mean(axis=1, keepdims=True)  # differences alone count
    observed = _pairwise(cosine_sums(values, n_cosines))  # M M
    _, sizes, axes = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    random = np.random.default_rng(0)
    normal = random.normal(size=(CONFIDENCE_DRAWS, 1 + n_cosines, len(sizes)))
    drawn = np.abs(_pairwise(normal @ (sizes[:, None] * axes)))  # draws M M
    pvalues, left, highest = np.ones(n_models), list(range(n_models)), 0.0
    while len(left) > 1:
        among = np.ix_(left, left)
        largest = drawn[:, left][:, :, left].max(axis=(1, 2))
        n_larger = int((largest >= np.abs(observed[among]).max()).sum())
        highest = max(highest, (1 + n_larger) / (1 + CONFIDENCE_DRAWS))
        worst = left[int(observed[among].max(axis=1).argmax())]
        pvalues[worst] = highest
        left.remove(worst)
    return pvalues


def _pairwise(sums: np.ndarray) -> np.ndarray:
    """Return the statistics of all pairs, (..., M, M), from cosine sums (..., 1 + B, M)."""
    n_models = sums.shape[-1]
    return np.stack([_studentized(sums[..., [model]] - sums) for model in range(n_models)], axis=-2)
