"""A forecast as a sum: what every past observation and covariate gave to it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.history import number_of


@dataclass(frozen=True, eq=False)
class Attribution:
    """A forecast as a sum of contributions: coefficient times value, in units of the data.

    Attributes
    ----------
    origin : label
    names, past_names, future_names, static_names : tuple of labels
    forecast, intercept : array of shape (C,)
    series : array of shape (L, C, C)
        ``series[lag - 1, response, impulse]``.
    past_covariates : array of shape (L, C, P)
        Lag 1 first.
    future_covariates : array of shape (L + s, C, F)
        Oldest step first.
    static_covariates : array of shape (C, S)
    """

    origin: Hashable
    names: tuple[Hashable, ...]
    past_names: tuple[Hashable, ...]
    future_names: tuple[Hashable, ...]
    static_names: tuple[Hashable, ...]
    forecast: np.ndarray
    intercept: np.ndarray
    series: np.ndarray
    past_covariates: np.ndarray
    future_covariates: np.ndarray
    static_covariates: np.ndarray

    def total(self) -> np.ndarray:
        """Return the sum of all contributions; equals the forecast, shape (C,)."""
        return (
            self.intercept
            + self.series.sum(axis=(0, 2))
            + self.past_covariates.sum(axis=(0, 2))
            + self.future_covariates.sum(axis=(0, 2))
            + self.static_covariates.sum(axis=1)
        )

    def to_frame(self, response: Hashable) -> pd.DataFrame:
        """Return the contributions to one series' forecast.

        Returns
        -------
        DataFrame
            Columns ``source`` (a series, a covariate, or "intercept"), ``kind``, ``lag`` (0 and
            less for the steps ahead, missing where there is none) and ``contribution``; the last
            sums to the forecast.
        """
        row = number_of(response, self.names, "series")
        order, n_ahead = len(self.series), len(self.future_covariates) - len(self.series)
        lags: list[int | None] = list(range(1, order + 1))
        lags_ahead: list[int | None] = list(range(order, -n_ahead, -1))
        blocks = [
            ("series", self.names, self.series[:, row], lags),
            ("past covariate", self.past_names, self.past_covariates[:, row], lags),
            ("future covariate", self.future_names, self.future_covariates[:, row], lags_ahead),
            ("static covariate", self.static_names, self.static_covariates[None, row], [None]),
            ("intercept", ("intercept",), self.intercept[None, None, row], [None]),
        ]
        parts = [
            pd.DataFrame(
                {
                    "source": source,
                    "kind": kind,
                    "lag": pd.array(at, dtype="Int64"),
                    "contribution": values[:, column],
                }
            )
            for kind, sources, values, at in blocks
            for column, source in enumerate(sources)
        ]
        return pd.concat(parts, ignore_index=True)
