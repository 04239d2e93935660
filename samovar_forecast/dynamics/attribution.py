"""A forecast as a sum: what every past observation and covariate gave to it.

A value gives something as far as it is off the level of its series, the mean of the rows that the
forecast reads: coefficient times deviation. What all values at their levels would give is a
contribution of its own. So a contribution does not depend on where the zero of a series lies.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.forecast_map import Part
from samovar_forecast.dynamics.history import number_of
from samovar_forecast.dynamics.local_var import LocalVAR, off_the_mean
from samovar_forecast.dynamics.results import BandedResult


@dataclass(frozen=True, eq=False)
class Attribution(BandedResult):
    """A forecast as a sum of contributions: coefficient times deviation, in units of the data.

    Attributes
    ----------
    origin : label
    names, past_names, future_names, static_names : tuple of labels
    times : tuple of label or None, L + s of them
        Of the rows that the forecast reads and of the steps ahead, oldest first; None where a row
        is before the history or has no label.
    part : Part
        Whose coefficients these are.
    forecast : array of shape (C,)
    from_level : array of shape (C,)
        What is left of the forecast if every value stands at the mean of its rows.
    series : array of shape (L, C, C)
        ``series[lag - 1, response, impulse]``: of deviations from the mean.
    past_covariates : array of shape (L, C, P)
        Likewise, lag 1 first.
    future_covariates : array of shape (L + s, C, F)
        Likewise, oldest step first.
    static_covariates : array of shape (C, S)
        Of the values themselves.
    draws : array of shape (n_draws, n_rows, C), optional
        Contributions of the same values by coefficients that were drawn, see `estimate`.
    level : float, default=0.9
        Of the bands, unless another is asked for.
    bands : str, optional
        Kind of the draws.
    """

    figure: ClassVar[str] = "plot_attribution"

    origin: Hashable
    names: tuple[Hashable, ...]
    past_names: tuple[Hashable, ...]
    future_names: tuple[Hashable, ...]
    static_names: tuple[Hashable, ...]
    times: tuple[Hashable | None, ...]
    part: Part
    forecast: np.ndarray
    from_level: np.ndarray
    series: np.ndarray
    past_covariates: np.ndarray
    future_covariates: np.ndarray
    static_covariates: np.ndarray
    draws: np.ndarray | None = None
    level: float = 0.9
    bands: str | None = None

    @property
    def estimate(self) -> np.ndarray:
        """All contributions, in the rows of `to_frame`, by response; (n_rows, C)."""
        blocks = [values.transpose(2, 0, 1) for _, _, values, _ in self._blocks()]
        return np.concatenate([block.reshape(-1, len(self.names)) for block in blocks])

    def total(self) -> np.ndarray:
        """Return the sum of all contributions; equals the forecast, shape (C,)."""
        return (
            self.from_level
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
            ("level", ("level",), self.from_level[None, :, None], [None]),
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
            Columns ``source`` (a series, a covariate, or "level"), ``kind``, ``lag`` (0 and less
            for the steps ahead, missing where there is none), ``time`` and ``contribution``, which
            sums to the forecast; ``lower`` and ``upper`` if there are draws.
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
        order = len(self.series)
        times = [None if lag is None else self.times[order - lag] for lag in columns["lag"]]
        columns["lag"] = pd.array(columns["lag"], dtype="Int64")
        columns["time"] = pd.Index(times)
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


def attribute(
    local: LocalVAR,
    times: tuple[Hashable | None, ...],
    *,
    given: LocalVAR | None = None,
    forecast: np.ndarray | None = None,
) -> Attribution:
    """Show the forecast at an origin as a sum over all that it was made from.

    Parameters
    ----------
    local : LocalVAR
        Whose coefficients count. Effects of covariates that it does not know are those of
        ``given``.
    times : tuple of label or None
        Of the rows, and of the steps ahead.
    given : LocalVAR, optional
        Whose values the coefficients meet; by default their own.
    forecast : array of shape (C,), optional
        What is shared out; by default the forecast of these coefficients for these values.

    Returns
    -------
    Attribution
    """
    values = local if given is None else given
    future = local if local.jacobian.future is not None else values
    static = local if local.jacobian.static is not None else values
    tables = (values.target[::-1], values.past_covariates[::-1], values.future_covariates)
    slopes = (local.coefs, local.past_effects, future.future_effects)
    series, past, ahead = (
        slope * off_the_mean(table)[:, None] for slope, table in zip(slopes, tables, strict=True)
    )
    fixed = static.static_effects * values.static_covariates
    if forecast is None and given is None:
        forecast = local.forecast
    elif forecast is None:
        forecast = local.intercept + fixed.sum(axis=1)
        for slope, table in zip(slopes, tables, strict=True):
            forecast = forecast + np.einsum("tck,tk->c", slope, np.nan_to_num(table))
    given_by_all = sum(part.sum(axis=(0, 2)) for part in (series, past, ahead))
    return Attribution(
        origin=local.origin,
        names=local.names,
        past_names=local.past_names,
        future_names=local.future_names,
        static_names=local.static_names,
        times=times,
        part=local.part,
        forecast=forecast,
        from_level=forecast - given_by_all - fixed.sum(axis=1),
        series=series,
        past_covariates=past,
        future_covariates=ahead,
        static_covariates=fixed,
    )
