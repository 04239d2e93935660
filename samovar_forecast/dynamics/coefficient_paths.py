"""Coefficients of the forecast, or their sums, followed over the origins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.forecast_map import Part
from samovar_forecast.dynamics.results import BandedResult


@dataclass(frozen=True, eq=False)
class CoefficientPaths(BandedResult):
    """How coefficients moved over the origins: a path for each of them.

    Attributes
    ----------
    values : array of shape (n_origins, n_paths)
        Units of the response per unit of the impulse.
    origins : pandas.Index
        Times of the last observations that the forecasts use.
    columns : pandas.MultiIndex
        Of the paths: (response, impulse, lag), for sums over the lags (response, impulse).
    kind : {"coefficients", "sums"}
    part : Part
        Way in which a change of the history moves the forecast, see `forecast_map.Part`.
    horizon : int
        Step of the forecast.
    draws : array of shape (n_draws, n_origins, n_paths), optional
        From which `band` takes its quantiles.
    level : float, default=0.9
        Of the bands, unless another is asked for.
    bands : {None, "local", "bootstrap"}
        Kind of the draws, where the reading drew them.
    """

    figure: ClassVar[str] = "plot_coefficient_paths"

    values: np.ndarray
    origins: pd.Index
    columns: pd.MultiIndex
    kind: Literal["coefficients", "sums"]
    part: Part
    horizon: int
    draws: np.ndarray | None = None
    level: float = 0.9
    bands: str | None = None

    @property
    def estimate(self) -> np.ndarray:
        """The paths themselves: `values`."""
        return self.values

    def __getitem__(self, chosen: Any) -> CoefficientPaths:
        """Return some of the paths, by a list of their columns."""
        columns = chosen if isinstance(chosen, list) else [chosen]
        kept = self._frame(np.arange(len(self.columns))[None], None)[columns]
        places = kept.to_numpy()[0]
        return replace(
            self,
            values=self.values[:, places],
            columns=kept.columns,
            draws=None if self.draws is None else self.draws[..., places],
        )

    def _frame(self, values: np.ndarray, index: pd.Index | None) -> pd.DataFrame:
        return pd.DataFrame(values, index, self.columns)

    def to_frame(self) -> pd.DataFrame:
        """Return the paths; a row per origin, a column per path."""
        return self._frame(self.values, self.origins)

    def bounds(self, level: float | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the band as two frames like `to_frame`, the lower and the upper bound."""
        lower, upper = self.band(level)
        return self._frame(lower, self.origins), self._frame(upper, self.origins)

    def to_latex(self, **options: Any) -> str:
        """Return `to_frame` as a LaTeX table; options are those of ``DataFrame.to_latex``."""
        return super().to_latex(**{"index": True, **options})

    def __repr__(self) -> str:
        return (
            f"CoefficientPaths({self.kind}, {self.part}, step {self.horizon}: "
            f"{len(self.columns)} paths, {len(self.origins)} origins{self._drawn})"
        )


def columns_of(
    responses: Sequence[Any], impulses: Sequence[Any], lags: Sequence[int] | None = None
) -> pd.MultiIndex:
    """Return the columns of paths: all pairs, at each of the lags where there are any."""
    if lags is None:
        return pd.MultiIndex.from_product([responses, impulses], names=["response", "impulse"])
    return pd.MultiIndex.from_product(
        [responses, impulses, lags], names=["response", "impulse", "lag"]
    )
