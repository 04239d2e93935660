"""A forecast as a sum: what every past observation and covariate gave to it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.history import number_of
from samovar_forecast.dynamics.results import BandedResult


@dataclass(frozen=True, eq=False)
class Attribution(BandedResult):
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
    draws : array of shape (n_draws, n_rows, C), optional
        Contributions of the same values by coefficients that were estimated again, see
        `estimate`.
    level : float, default=0.9
        Of the bands, unless another is asked for.
    """

    figure: ClassVar[str] = "plot_attribution"

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
    draws: np.ndarray | None = None
    level: float = 0.9

    @property
    def estimate(self) -> np.ndarray:
        """All contributions, in the rows of `to_frame`, by response; (n_rows, C)."""
        blocks = [values.transpose(2, 0, 1) for _, _, values, _ in self._blocks()]
        return np.concatenate([block.reshape(-1, len(self.names)) for block in blocks])

    def total(self) -> np.ndarray:
        """Return the sum of all contributions; equals the forecast, shape (C,)."""
        return (
            self.intercept
            + self.series.sum(axis=(0, 2))
            + self.past_covariates.sum(axis=(0, 2))
            + self.future_covariates.sum(axis=(0, 2))
            + self.static_covariates.sum(axis=1)
        )

    def _blocks(self) -> list[tuple[str, tuple[Hashable, ...], np.ndarray, list[int | None]]]:
        """Return kind, sources, contributions (lags, C, sources) and lags of all that is summed."""
        order, n_ahead = len(self.series), len(self.future_covariates) - len(self.series)
        lags: list[int | None] = list(range(1, order + 1))
        lags_ahead: list[int | None] = list(range(order, -n_ahead, -1))
        return [
            ("series", self.names, self.series, lags),
            ("past covariate", self.past_names, self.past_covariates, lags),
            ("future covariate", self.future_names, self.future_covariates, lags_ahead),
            ("static covariate", self.static_names, self.static_covariates[None], [None]),
            ("intercept", ("intercept",), self.intercept[None, :, None], [None]),
        ]

    def to_frame(
        self, response: Hashable | None = None, level: float | None = None
    ) -> pd.DataFrame:
        """Return the contributions to a series' forecast, or to those of all.

        Parameters
        ----------
        response : label, optional
            By default all series, with a column ``response`` in front.
        level : float, optional
            Of the band, where there are draws; by default `level`.

        Returns
        -------
        DataFrame
            Columns ``source`` (a series, a covariate, or "intercept"), ``kind``, ``lag`` (0 and
            less for the steps ahead, missing where there is none) and ``contribution``, which sums
            to the forecast; ``lower`` and ``upper`` if there are draws.
        """
        if response is None:
            frames = {name: self.to_frame(name, level) for name in self.names}
            return pd.concat(frames, names=["response", None]).reset_index("response")
        row = number_of(response, self.names, "series")
        sources = [
            (source, kind, lag)
            for kind, names, _, lags in self._blocks()
            for source, lag in ((source, lag) for source in names for lag in lags)
        ]
        columns: dict[str, Any] = dict(
            zip(("source", "kind", "lag"), map(list, zip(*sources, strict=True)), strict=True)
        )
        columns["lag"] = pd.array(columns["lag"], dtype="Int64")
        columns["contribution"] = self.estimate[:, row]
        if self.draws is not None:
            lower, upper = self.band(level)
            columns["lower"], columns["upper"] = lower[:, row], upper[:, row]
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        return (
            f"Attribution(from {self.origin}: {len(self.names)} series, "
            f"{len(self.estimate)} contributions to each{self._drawn})"
        )
