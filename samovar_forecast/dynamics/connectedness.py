"""How much of the series' forecast errors comes from one another, and how that moves over time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.bands import interval
from samovar_forecast.dynamics.decompositions import generalized_fevd
from samovar_forecast.dynamics.results import LATEX, BandedResult, way_of
from samovar_forecast.dynamics.simulation import Step
from samovar_forecast.exceptions import DataError


@dataclass(frozen=True, eq=False)
class Connectedness(BandedResult):
    """Diebold and Yilmaz's measures of spillovers at every origin, in percent.

    All are percent of the forecast error variance of one series. `total` is the mean of
    `from_others` over the series, and so of `to_others`.

    Attributes
    ----------
    values : ndarray of shape (n_origins, n_series, n_series)
        ``[origin, response, impulse]``: shares that sum to one over the impulses.
    names : tuple of str
    origins : tuple
        Where each history ends.
    horizon : int
        Steps of the forecast whose error is decomposed.
    draws : ndarray of shape (n_draws, n_origins, n_series, n_series), optional
        Re-estimated shares.
    method : {"iterated", "direct"}
        As in `ImpulseResponses`.
    level : float, default=0.9
        Of the bands, unless another is asked for.
    bands : {None, "local", "bootstrap"}
        Kind of the draws, where a reading drew them.
    part : Part, default="total"
        As in `ImpulseResponses`.

    Raises
    ------
    DataError
        If there is only one series.
    """

    figure: ClassVar[str] = "plot_connectedness"

    values: np.ndarray
    names: tuple[str, ...]
    origins: tuple[Hashable, ...]
    horizon: int
    draws: np.ndarray | None = None
    method: Literal["iterated", "direct"] = "iterated"
    level: float = 0.9
    bands: str | None = None
    part: str = "total"

    def __post_init__(self) -> None:
        if len(self.names) < 2:
            raise DataError("connectedness needs at least two series", found=self.names)

    @property
    def estimate(self) -> np.ndarray:
        """The shares themselves: `values`."""
        return self.values

    @property
    def _index(self) -> pd.Index:
        return pd.Index(self.origins, name="origin")

    @property
    def total(self) -> pd.Series:
        """Share of all forecast error variance that comes from other series, by origin."""
        return pd.Series(_total(self.values), self._index, name="total")

    def total_band(self, level: float | None = None) -> pd.DataFrame:
        """Return the bounds ``lower`` and ``upper`` of `total` by origin."""
        if self.draws is None:
            interval(None, self.level)
        lower, upper = interval(
            _total(np.asarray(self.draws)), self.level if level is None else level
        )
        return pd.DataFrame({"lower": lower, "upper": upper}, self._index)

    @property
    def from_others(self) -> pd.DataFrame:
        """What each series receives from all others, (origin, series)."""
        received = 100 * _off_diagonal(self.values).sum(axis=2)
        return pd.DataFrame(received, self._index, list(self.names))

    @property
    def to_others(self) -> pd.DataFrame:
        """What each series gives to all others, (origin, series)."""
        given = 100 * _off_diagonal(self.values).sum(axis=1)
        return pd.DataFrame(given, self._index, list(self.names))

    @property
    def net(self) -> pd.DataFrame:
        """What each series gives less what it receives, (origin, series); rows sum to zero."""
        return self.to_others - self.from_others

    def pairwise(self) -> pd.DataFrame:
        """Return what each series gives to each other series, and the net of both directions.

        Returns
        -------
        DataFrame
            A row for each origin and ordered pair: ``origin``, ``giver``, ``receiver``,
            ``spillover``, and ``net``: the spillover less what the receiver gives back.
        """
        spillover = 100 * self.values.swapaxes(1, 2)  # O giver receiver
        index = pd.MultiIndex.from_product(
            [range(len(self.origins)), self.names, self.names],
            names=["origin", "giver", "receiver"],
        )
        columns = {"spillover": spillover, "net": spillover - spillover.swapaxes(1, 2)}
        frame = pd.DataFrame({name: part.ravel() for name, part in columns.items()}, index=index)
        frame = frame.reset_index()
        frame["origin"] = [self.origins[number] for number in frame["origin"]]
        return frame[frame["giver"] != frame["receiver"]].reset_index(drop=True)

    def table(self) -> pd.DataFrame:
        """Return the spillover table averaged over the origins.

        Returns
        -------
        DataFrame
            Responses in rows, impulses in columns, with ``from others`` as the last column,
            ``to others`` as the last row, and their common mean, the total, in the corner.
        """
        mean = 100 * self.values.mean(axis=0)
        others = _off_diagonal(mean)
        frame = pd.DataFrame(mean, list(self.names), list(self.names))
        frame["from others"] = others.sum(axis=1)
        frame.loc["to others"] = [*others.sum(axis=0), others.sum() / len(self.names)]
        return frame.rename_axis(index="response", columns="impulse")

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each origin and series.

        Returns
        -------
        DataFrame
            Columns ``origin``, ``series``, ``to_others``, ``from_others``, ``net``, ``total``
            (of all series, repeated).
        """
        parts = {"to_others": self.to_others, "from_others": self.from_others, "net": self.net}
        index = pd.MultiIndex.from_product(
            [range(len(self.origins)), self.names], names=["origin", "series"]
        )
        frame = pd.DataFrame(
            {name: part.to_numpy().ravel() for name, part in parts.items()}, index=index
        ).reset_index()
        frame["total"] = np.repeat(self.total.to_numpy(), len(self.names))
        frame["origin"] = [self.origins[number] for number in frame["origin"]]
        return frame

    def to_latex(self, **options: Any) -> str:
        """Return `table` as a LaTeX table; options are those of ``DataFrame.to_latex``."""
        return str(self.table().to_latex(**{**LATEX, **options}))

    def __repr__(self) -> str:
        return (
            f"Connectedness({way_of(self)}, {self.horizon} steps: {len(self.names)} series, "
            f"{len(self.origins)} origins, total {self.total.mean():.1f} %{self._drawn})"
        )


def connectedness(
    step: Step,
    histories: np.ndarray,
    horizon: int = 10,
    *,
    sigma_u: np.ndarray,
    residuals: np.ndarray | None = None,
    n_draws: int = 20,
    random_state: int | None = None,
    names: Sequence[str] | None = None,
    origins: Sequence[Hashable] | None = None,
) -> Connectedness:
    """Measure at every origin how much of the series' errors comes from one another.

    Diebold & Yilmaz (2012, Int. J. Forecasting 28:57-66, section 2) on the generalised variance
    decomposition at each origin. They estimate a VAR in rolling windows; a state-dependent step
    gives the path over time from one fit.

    Parameters
    ----------
    step, histories, sigma_u, residuals, n_draws, names, origins
        As in `generalized_fevd`.
    horizon : int, default=10
        Steps of the forecast whose error is decomposed.
    random_state : int, optional
        All origins use the same draws, so that differences between them are not noise.

    Returns
    -------
    Connectedness

    Raises
    ------
    DataError
        If there is only one series.
    """
    shares = generalized_fevd(
        step,
        histories,
        horizon,
        sigma_u=sigma_u,
        residuals=residuals,
        n_draws=n_draws,
        random_state=random_state,
        names=names,
        origins=origins,
    )
    return Connectedness(shares.values[:, -1], shares.names, shares.origins, horizon)


def _off_diagonal(table: np.ndarray) -> np.ndarray:
    """Return tables (..., C, C) with zeros on the diagonal."""
    return table * (1 - np.eye(table.shape[-1]))


def _total(shares: np.ndarray) -> np.ndarray:
    """Return 100 times the mean over series of what comes from others, (...,)."""
    return 100 * _off_diagonal(shares).sum(axis=(-2, -1)) / shares.shape[-1]
