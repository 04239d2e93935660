"""Statsmodels' multivariate tests of one-step errors; no lag is subtracted, as none was fitted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd

from samovar_forecast.arguments import check_whole
from samovar_forecast.exceptions import require

WHITENESS_LAGS = 12


def whiteness(residuals: pd.DataFrame, nlags: int | None = None) -> Any:
    """Return statsmodels' adjusted portmanteau test that errors are not correlated over time.

    Parameters
    ----------
    residuals : DataFrame of shape (n, C)
        A series whose errors do not vary is left out.
    nlags : int, optional
        By default 12, or a fifth of the errors.
    """
    lags = min(WHITENESS_LAGS, len(residuals) // 5)
    if nlags is not None:
        lags = check_whole("nlags", nlags, 1, len(residuals) - 1)
    results = _results(residuals)
    return _var_model().VARResults.test_whiteness(results, nlags=lags, adjusted=True)


def normality(residuals: pd.DataFrame) -> Any:
    """Return statsmodels' test that errors are jointly normal."""
    return _var_model().test_normality(_results(residuals))


def _var_model() -> Any:
    return require("statsmodels.tsa.vector_ar.var_model", "tests of one-step errors", "demo")


def _results(residuals: pd.DataFrame) -> Any:
    moving = residuals.loc[:, residuals.std() > 0]
    return SimpleNamespace(resid=moving.to_numpy(), nobs=len(moving), neqs=moving.shape[1], k_ar=0)
