"""Whose shocks the forecast errors come from: variance decompositions.

Effects come first: ``values[origin, horizon - 1, response, impulse]``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from samovar_forecast.arguments import check_whole
from samovar_forecast.dynamics.responses import girf, irf
from samovar_forecast.dynamics.results import BandedResult, way_of
from samovar_forecast.dynamics.simulation import Step
from samovar_forecast.dynamics.statsmodels_names import OF_SHARES, unknown_name


@dataclass(frozen=True, eq=False)
class VarianceDecomposition(BandedResult):
    """Share of each series' forecast error that each series' shocks account for.

    Attributes
    ----------
    values : ndarray of shape (n_origins, periods, n_series, n_series)
        ``[origin, horizon - 1, response, impulse]``; each row over the impulses sums to one.
    names : tuple of str
    origins : tuple
        Labels of the histories.
    kind : {"orth", "generalized"}
    draws : ndarray of shape (n_draws, periods, n_series, n_series), optional
        Re-estimated mean shares, from which `band` takes its quantiles.
    method : {"iterated", "direct"}
        As in `ImpulseResponses`.
    level : float, default=0.9
        Of the bands, unless another is asked for.
    bands : {None, "local", "bootstrap"}
        Kind of the draws, where a reading drew them.
    part : Part, default="total"
        As in `ImpulseResponses`.
    """

    figure: ClassVar[str] = "plot_decomposition"

    values: np.ndarray
    names: tuple[str, ...]
    origins: tuple[Hashable, ...]
    kind: Literal["orth", "generalized"]
    draws: np.ndarray | None = None
    method: Literal["iterated", "direct"] = "iterated"
    level: float = 0.9
    bands: str | None = None
    part: str = "total"

    def __getattr__(self, name: str) -> Any:
        """Say what does the thing that statsmodels calls by a name.

        Raises
        ------
        AttributeError
        """
        raise unknown_name(self, name, OF_SHARES)

    @property
    def periods(self) -> int:
        """Longest horizon decomposed."""
        return self.values.shape[1]

    @property
    def estimate(self) -> np.ndarray:
        """Mean over the origins, (periods, response, impulse)."""
        return self.values.mean(axis=0)

    @property
    def decomp(self) -> np.ndarray:
        """Mean over the origins, (response, periods, impulse), as in statsmodels' ``FEVD``."""
        return self.estimate.swapaxes(0, 1)

    def to_frame(self, level: float | None = None) -> pd.DataFrame:
        """Return one row for each response, horizon and impulse, averaged over the origins.

        Returns
        -------
        DataFrame
            Columns ``response``, ``horizon`` (from 1), ``impulse``, ``share``, and ``lower`` and
            ``upper`` if there are draws.
        """
        columns = {"share": self.estimate}
        if self.draws is not None:
            columns["lower"], columns["upper"] = self.band(level)
        index = pd.MultiIndex.from_product(
            [self.names, range(1, self.periods + 1), self.names],
            names=["response", "horizon", "impulse"],
        )
        flat = {name: part.swapaxes(0, 1).ravel() for name, part in columns.items()}
        return pd.DataFrame(flat, index=index).reset_index()

    def __repr__(self) -> str:
        return (
            f"VarianceDecomposition({self.kind}, {way_of(self)}: {len(self.names)} series, "
            f"{self.periods} periods, {len(self.origins)} origins{self._drawn})"
        )


def fevd(
    step: Step,
    history: np.ndarray,
    periods: int = 10,
    *,
    sigma_u: np.ndarray,
    size: float = 1.0,
    names: Sequence[str] | None = None,
    origins: Sequence[Hashable] | None = None,
) -> VarianceDecomposition:
    """Decompose forecast errors by orthogonal shocks, along the path of conditional means.

    Squares of the orthogonal `irf`, summed over the periods before each horizon, as shares of
    their sum over all impulses. For a linear step this is the variance decomposition of
    Luetkepohl (2005, section 2.3.3) and of statsmodels' ``FEVD``; otherwise it holds for shocks
    of this size after this history. The order of the series matters.

    Parameters
    ----------
    step, history, sigma_u, size, names, origins
        As in `irf`.
    periods : int, default=10
        Longest horizon.

    Returns
    -------
    VarianceDecomposition
    """
    check_whole("periods", periods, 1)
    responses = irf(
        step,
        history,
        periods - 1,
        sigma_u=sigma_u,
        orth=True,
        size=size,
        names=names,
        origins=origins,
    )
    shares = error_shares(responses.values**2)
    return VarianceDecomposition(shares, responses.names, responses.origins, kind="orth")


def generalized_fevd(
    step: Step,
    histories: np.ndarray,
    periods: int = 10,
    *,
    sigma_u: np.ndarray,
    residuals: np.ndarray | None = None,
    n_draws: int = 100,
    random_state: int | None = None,
    names: Sequence[str] | None = None,
    origins: Sequence[Hashable] | None = None,
) -> VarianceDecomposition:
    """Decompose forecast errors by generalised responses, whatever the order of the series.

    Squares of the `girf` to a rise and to a fall of one standard deviation, summed over the
    periods before each horizon, as shares of their sum over all impulses (Lanne & Nyberg 2016,
    Oxford Bulletin 78:595-603, with both signs of the shock): the rows sum to one also where the
    shocks are correlated. For a linear step they are the shares of Pesaran & Shin (1998), each row
    divided by its sum as in Diebold & Yilmaz (2012).

    Parameters
    ----------
    step, histories, sigma_u, residuals, n_draws, names, origins
        As in `girf`.
    periods : int, default=10
        Longest horizon.
    random_state : int, optional
        Rise and fall use the same draws.

    Returns
    -------
    VarianceDecomposition
    """
    check_whole("periods", periods, 1)
    if random_state is not None:
        check_whole("random_state", random_state, 0)
    seed = np.random.SeedSequence(random_state)
    rise, fall = (
        girf(
            step,
            histories,
            periods - 1,
            sigma_u=sigma_u,
            size=size,
            residuals=residuals,
            n_draws=n_draws,
            random_state=np.random.default_rng(seed),
            names=names,
            origins=origins,
        )
        for size in (1.0, -1.0)
    )
    shares = error_shares(rise.values**2 + fall.values**2)
    return VarianceDecomposition(shares, rise.names, rise.origins, kind="generalized")


def error_shares(squares: np.ndarray) -> np.ndarray:
    """Return sums over the periods so far as shares of their sum over the impulses."""
    sums = squares.cumsum(axis=1)
    return sums / sums.sum(axis=-1, keepdims=True)
