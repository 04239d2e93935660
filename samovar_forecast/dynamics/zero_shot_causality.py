"""Predictive causality without training: forecasts with and without a series.

The pretrained network has learned from no row of the history, and a VAR that forgets is updated
from row to row: the forecasts of both are out of sample at every origin, and a forecast without a
series costs no training. Where an effect turns, the VAR unlearns it in a few rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd

from samovar_forecast.accuracy_tests import KNOWN_LAGS, diebold_mariano
from samovar_forecast.dynamics.causality import CausalityTest, predictive_causality
from samovar_forecast.dynamics.forecast_map import Shape
from samovar_forecast.dynamics.history import History
from samovar_forecast.dynamics.zero_shot_map import ZeroShotMap
from samovar_forecast.linear.covariates import CovariateEffect
from samovar_forecast.linear.forgetting import FACTORS, one_step_forecasts
from samovar_forecast.linear.threads import one_blas_thread

FIRST_ORIGIN = 20
"""Rows before the first origin that is compared: with fewer a forecast says little."""


class ZeroShotForecasts:
    """One-step forecasts of some series of a history from themselves and the covariates alone.

    They are the mean of two: the pretrained network's, and those of VARs that forget.

    Parameters
    ----------
    forecaster : ZeroShotMap
        Of all series.
    data : History
    """

    def __init__(self, forecaster: ZeroShotMap, data: History) -> None:
        self.forecaster, self.data = forecaster, data
        self.names = tuple(str(name) for name in data.target.names)
        rows = data.positions(None)
        rows = rows[(rows >= FIRST_ORIGIN - 1) & (rows < len(data.index) - 1)]
        is_known = np.isfinite(data.target.values[rows + 1]).all(axis=1)
        self.positions = rows[is_known]
        self._known: dict[tuple[tuple[str, ...], tuple[float, ...]], np.ndarray] = {}

    @property
    def actual(self) -> pd.DataFrame:
        """What was to be forecast, at times at which every series was observed."""
        rows = self.positions + 1
        values = self.data.target.values[rows]
        return pd.DataFrame(values, self.data.index[rows], list(self.names))

    def __call__(self, names: tuple[str, ...], factors: tuple[float, ...] = FACTORS) -> np.ndarray:
        """Return the mean of both forecasts of some series, (n, number of names)."""
        asked = names, factors
        if asked not in self._known:
            self._known[asked] = (self.of_network(names) + self.of_moving_var(names, factors)) / 2
        return self._known[asked]

    def of_network(self, names: tuple[str, ...]) -> np.ndarray:
        """Return the network's forecasts of some series, (n, number of names), in their units."""
        some = [self.names.index(name) for name in names]
        whole, own = self.forecaster, self._of(some)
        windows = own.windows(self.positions)
        shape = replace(whole.shape, n_series=len(some))
        assert isinstance(shape, Shape)
        effect = whole.effect
        if effect is not None:
            effect = CovariateEffect(effect.weights[some], effect.mean)
        alone = ZeroShotMap(whole.network, whole.season, shape, 1, effect)
        return own.target.unscaled(alone.forecast(windows)[:, 0])

    def of_moving_var(
        self, names: tuple[str, ...], factors: Sequence[float] = FACTORS
    ) -> np.ndarray:
        """Return those of VARs that forget; see :func:`~.linear.forgetting.one_step_forecasts`."""
        some = [self.names.index(name) for name in names]
        plain, added = (part[:, some] for part in self.without_effect)
        ahead = one_step_forecasts(plain, factors) + added
        return self._of(some).target.unscaled(ahead)[self.positions + 1]

    @cached_property
    def without_effect(self) -> tuple[np.ndarray, np.ndarray]:
        """The scaled series without the effect of covariates, gaps closed, and this effect.

        Both (n, C). A gap repeats the value before it.
        """
        history, effect = self.data, self.forecaster.effect
        values = history.target.scaled(history.target.values)
        added = np.zeros_like(values)
        if effect is not None:
            added = effect(history.future.scaled(history.future.values))[: len(values)]
        return pd.DataFrame(values - added).ffill().bfill().to_numpy(), added

    def _of(self, some: list[int]) -> History:
        """Return the history of some series."""
        target = self.data.target
        scaler = replace(
            target.scaler, location=target.scaler.location[some], scale=target.scaler.scale[some]
        )
        names = tuple(target.names[place] for place in some)
        return replace(
            self.data,
            target=target._replace(values=target.values[:, some], names=names, scaler=scaler),
        )


@one_blas_thread()
def zero_shot_causality(
    forecasts: ZeroShotForecasts,
    caused: str | Sequence[str] | None = None,
    causing: str | Sequence[str] | None = None,
    *,
    level: float = 0.05,
) -> CausalityTest:
    """Test whether a series improves the forecast of another without training, over all origins.

    By Clark and West's test, as :func:`causality.predictive_causality` does; beside it, as
    ``pvalue_dm``, Diebold and Mariano's test of equal accuracy, two-sided. The forecast without a
    series is not nested in the forecast with it to the letter, so the two tests together say more
    than one: the first finds that the series carries information, the second that the forecast
    with it was the better one.

    Parameters
    ----------
    forecasts : ZeroShotForecasts
    caused, causing : str or sequence of str, optional
        By default all series.
    level : float, default=0.05

    Returns
    -------
    CausalityTest
    """
    actual = forecasts.actual
    found = predictive_causality(forecasts, actual, caused, causing, level=level)
    truth, everything = actual.to_numpy()[KNOWN_LAGS:], forecasts(forecasts.names)[KNOWN_LAGS:]
    pvalues = []
    for row in found.table.itertuples():
        rest = tuple(name for name in forecasts.names if name != row.causing)
        place = forecasts.names.index(row.caused)
        losses = [
            (truth[:, place] - made) ** 2
            for made in (
                everything[:, place],
                forecasts(rest)[KNOWN_LAGS:, rest.index(row.caused)],
            )
        ]
        pvalues.append(diebold_mariano(*losses).pvalue)
    return replace(found, table=found.table.assign(pvalue_dm=pvalues), n_trainings=0)
