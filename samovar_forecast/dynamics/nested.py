"""Two learners compared where one may use more: Clark and West's test out of sample.

A test of this room compares the one-step forecasts of two learners at the same origins: one that
may use something (another series, a state-dependent map) and one, trained in the same way, that may
not. The second is nested in the first, so their losses are compared by Clark and West's statistic;
that of Diebold and Mariano almost never rejects in nested models, since the larger one pays for its
estimation noise.

Letters: n origins, S trainings that differ by their seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from samovar_forecast.exceptions import DataError, require

FEWEST_ORIGINS = 20
"""With fewer test origins the normal approximation says nothing."""


class ClarkWest(NamedTuple):
    """Outcome of Clark and West's test of equal accuracy of nested forecasts."""

    statistic: float
    """Standard normal if the restricted forecast is as good; large if the full one is better."""
    pvalue: float
    """One-sided."""
    mse_restricted: float
    mse_full: float
    """Mean squared errors, averaged over the trainings."""


def clark_west(
    actual: np.ndarray,
    restricted: np.ndarray,
    full: np.ndarray,
    max_lags: int | None = None,
) -> ClarkWest:
    """Test whether a forecast improves on one nested in it.

    With e the error of the restricted forecast and d the full forecast less the restricted one,
    the difference of squared errors, adjusted for the noise d that the larger model adds under
    the null, is ``2 e d`` at each origin; its mean is positive if the full model foresees
    something (Clark & West 2007, J. Econometrics 138:291-311, section 2).

    Networks add a noise of their own: two trainings of one network differ, and averaging
    differing forecasts always helps a little, which the statistic mistakes for predictive
    content. So with S > 1 trainings e and d are always taken from different trainings, and
    ``2 e_a d_b`` is averaged over all pairs a != b: the noise of the training then has mean
    zero. With S = 1 the statistic is Clark and West's.

    Parameters
    ----------
    actual : ndarray of shape (n,)
    restricted, full : ndarray of shape (n,) or (S, n)
        One-step forecasts of ``actual``; the same S in both.
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
    n_trainings = len(small)
    error, change = truth - small, large - small  # S n
    if n_trainings == 1:
        adjusted = 2 * error[0] * change[0]
    else:
        all_pairs = error.sum(axis=0) * change.sum(axis=0)
        same = (error * change).sum(axis=0)
        adjusted = 2 * (all_pairs - same) / (n_trainings * (n_trainings - 1))
    if np.ptp(adjusted) == 0:  # the same forecasts: nothing to tell apart
        statistic, pvalue = 0.0, 1.0
    else:
        lags = int(4 * (len(truth) / 100) ** (2 / 9)) if max_lags is None else max_lags
        mean = OLS(adjusted, np.ones(len(truth))).fit(
            cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=False
        )
        statistic, two_sided = float(mean.tvalues[0]), float(mean.pvalues[0])
        pvalue = two_sided / 2 if statistic > 0 else 1 - two_sided / 2
    return ClarkWest(
        statistic,
        pvalue,
        mse_restricted=float((error**2).mean()),
        mse_full=float(((truth - large) ** 2).mean()),
    )


def holm(pvalues: Sequence[float]) -> np.ndarray:
    """Return p-values adjusted for their number (Holm 1979; statsmodels' ``multipletests``)."""
    tools = require("statsmodels.stats.multitest", "an adjustment for several tests", "demo")
    return tools.multipletests(pvalues, method="holm")[1]


def verdict(pvalue: float, level: float) -> str:
    """Return in words what a test at this level says of its hypothesis."""
    return "rejected" if pvalue < level else "not rejected"


def check_forecasts(given: np.ndarray, names: tuple[str, ...], n_origins: int) -> np.ndarray:
    """Return forecasts of the named series, shape (S, n, number of names)."""
    forecasts = np.asarray(given, dtype=float)
    if forecasts.ndim == 2:
        forecasts = forecasts[None]
    if forecasts.ndim != 3 or forecasts.shape[1:] != (n_origins, len(names)):
        raise DataError(
            f"the forecasts of {list(names)} have the wrong shape",
            found=forecasts.shape,
            wanted=f"({n_origins}, {len(names)}) or (n_trainings, {n_origins}, {len(names)})",
        )
    return forecasts
