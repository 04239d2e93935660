"""The VAR of an origin as a process of statsmodels, whose answers suit many lags.

Statsmodels builds a matrix of ``(p * C)^2`` rows for the autocovariances, which 64 lags of three
series fill the memory with. The same equation is solved here in ``(p * C)^3`` steps.

Letters: p lags, C series.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.linalg import solve_discrete_lyapunov
from statsmodels.tsa.vector_ar.var_model import VARProcess

from samovar_forecast.exceptions import DataError

UNIT_ROOT = 1e-8
"""A root that is no farther outside 1 counts as a unit root."""


class OriginProcess(VARProcess):
    """A process of statsmodels with the coefficients of an origin.

    Parameters
    ----------
    coefs : array of shape (p, C, C)
    intercept : array of shape (C,)
    sigma_u : array of shape (C, C)
    names : list of str
    """

    # What its forecasts ask for, and only results of statsmodels have.
    exog, trend = None, "c"

    def __init__(
        self, coefs: np.ndarray, intercept: np.ndarray, sigma_u: np.ndarray, names: list[str]
    ) -> None:
        super().__init__(coefs, intercept[:, None], sigma_u, names, {"k_trend": 1})
        self.n_totobs = len(coefs)

    @cached_property
    def _companion(self) -> np.ndarray:
        """The process of order 1 of which this is a part, (p C, p C)."""
        size = self.k_ar * self.neqs
        companion = np.eye(size, k=-self.neqs)
        companion[: self.neqs] = np.concatenate(list(self.coefs), axis=1)
        return companion

    @cached_property
    def roots(self) -> np.ndarray:
        """The roots as statsmodels' results have them, the largest first; outside 1 if stable."""
        values = np.linalg.eigvals(self._companion)
        values = values[np.abs(values) > 0]
        return values[np.argsort(np.abs(values))] ** -1

    def acf(self, nlags: int | None = None) -> np.ndarray:
        """Return the autocovariances of lags 0 to ``nlags``, by default the order; (lags, C, C).

        Raises
        ------
        DataError
            If the process is not stable: it has none.
        """
        if np.abs(self.roots).min(initial=np.inf) <= 1 + UNIT_ROOT:
            raise DataError(
                "a process that is not stable has no autocovariances",
                found=f"a root of {np.abs(self.roots).min():.6g} in modulus",
                wanted="all roots outside 1",
                remedy='the dynamics hold the level fixed: to_statsmodels(part="dynamics")',
            )
        nlags = self.k_ar if nlags is None else nlags
        size = len(self._companion)
        noise = np.zeros((size, size))
        noise[: self.neqs, : self.neqs] = self.sigma_u
        now = solve_discrete_lyapunov(self._companion, noise, method="bilinear")
        blocks = now[: self.neqs].reshape(self.neqs, self.k_ar, self.neqs).swapaxes(0, 1)
        found = list(blocks)  # lag h is E y(t) y(t - h)'
        for lag in range(self.k_ar, nlags + 1):
            found.append(sum(self.coefs[j] @ found[lag - j - 1] for j in range(self.k_ar)))
        return np.array(found[: nlags + 1])
