"""Statsmodels' multivariate tests of one-step errors; no lag is subtracted, as none was fitted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from samovar_forecast.arguments import check_whole
from samovar_forecast.exceptions import DataError, require

WHITENESS_LAGS = 12

FEWEST_ERRORS = 5
"""Errors of so many times at least, and of more times than there are series."""

SMALLEST_OWN = 1e-6
"""Part of the errors of a series that the series before do not explain, in deviations."""


def whiteness(residuals: pd.DataFrame, nlags: int | None = None) -> Any:
    """Return statsmodels' adjusted portmanteau test that errors are not correlated over time.

    Parameters
    ----------
    residuals : DataFrame of shape (n, C)
        A series whose errors do not vary, or follow from those of the series before, is left out.
    nlags : int, optional
        By default 12, or a fifth of the errors.

    Raises
    ------
    DataError
        If there are too few errors.
    """
    results = _results(residuals)
    lags = min(WHITENESS_LAGS, len(residuals) // 5)
    if nlags is not None:
        lags = check_whole("nlags", nlags, 1, len(residuals) - 1)
    return _var_model().VARResults.test_whiteness(results, nlags=lags, adjusted=True)


def normality(residuals: pd.DataFrame) -> Any:
    """Return statsmodels' test that errors are jointly normal.

    Raises
    ------
    DataError
        If there are too few errors.
    """
    return _var_model().test_normality(_results(residuals))


def _var_model() -> Any:
    return require("statsmodels.tsa.vector_ar.var_model", "tests of one-step errors", "demo")


def _results(residuals: pd.DataFrame) -> Any:
    least = max(FEWEST_ERRORS, residuals.shape[1] + 1)
    if len(residuals) < least:
        raise DataError(
            "too few one-step errors for a test",
            found=f"{len(residuals)} times at which every series was observed",
            wanted=f"at least {least}",
            remedy="read a longer history, or series that are observed together",
        )
    moving = residuals.loc[:, residuals.std() > 0]
    scaled = ((moving - moving.mean()) / moving.std()).to_numpy()
    own = np.abs(np.diagonal(np.linalg.qr(scaled, mode="r")))  # what those before do not explain
    moving = moving.loc[:, own > SMALLEST_OWN * np.sqrt(len(moving))]
    if moving.shape[1] == 0:
        raise DataError(
            "no one-step errors to test", found="errors that do not vary", wanted="series that move"
        )
    return SimpleNamespace(resid=moving.to_numpy(), nobs=len(moving), neqs=moving.shape[1], k_ar=0)
