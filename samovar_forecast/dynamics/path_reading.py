"""Histories continued by the forecasts themselves: paths of one step after the other."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from samovar_forecast.arguments import check_number, check_whole, generator_of
from samovar_forecast.dynamics.forecast_reading import ForecastReading
from samovar_forecast.dynamics.simulation import simulate_paths


class PathReading(ForecastReading):
    """A network on a history that it continues: simulated paths, and how many stay within bounds.

    A floor of :class:`~samovar_forecast.DynamicVAR` between forecasts and bands.
    """

    def simulate(
        self,
        n_paths: int = 100,
        periods: int = 100,
        origin: Hashable | None = None,
        *,
        random_state: int | None = None,
    ) -> np.ndarray:
        """Continue the history by the network and errors drawn from its residuals.

        Each step draws one row of the centred residuals, so errors keep their distribution and
        their correlation across series; with ``sigma_u`` given and no residuals they are normal.
        Covariates stay as they are at the origin.

        Parameters
        ----------
        n_paths, periods : int
        origin : label, optional
        random_state : int, optional

        Returns
        -------
        array of shape (n_paths, periods, C)
        """
        check_whole("n_paths", n_paths, 1)
        check_whole("periods", periods, 1)
        rng = generator_of(random_state)
        if len(self.origins) > 2 and len(self.resid) > 1:
            residuals = self.resid.to_numpy()
            drawn = rng.integers(len(residuals), size=(n_paths, periods))
            shocks = (residuals - residuals.mean(axis=0))[drawn]
        else:
            zero = np.zeros(self.neqs)
            shocks = rng.multivariate_normal(zero, self.sigma_u, size=(n_paths, periods))
        (setting,) = self._settings(self.data.index[self.data.position(origin)])
        return simulate_paths(setting.step, setting.histories, shocks)[0]

    def share_of_bounded_paths(
        self,
        n_paths: int = 100,
        periods: int = 200,
        origin: Hashable | None = None,
        *,
        bound: float = 10.0,
        random_state: int | None = 0,
    ) -> float:
        """Return the share of simulated paths that stay within bounds: stability, globally.

        The coefficients at one origin say what happens nearby; this asks the network itself.

        Parameters
        ----------
        n_paths, periods, origin, random_state
            As in :meth:`simulate`.
        bound : float, default=10
            A path is bounded if no series ever leaves its mean over the history by more than so
            many standard deviations. A series with a unit root needs more room in a long run.

        Returns
        -------
        float
        """
        check_number("bound", bound, above=0.0)
        paths = self.simulate(n_paths, periods, origin, random_state=random_state)
        values = self.data.target.values
        room = bound * np.nanstd(values, axis=0)
        return float((np.abs(paths - np.nanmean(values, axis=0)) <= room).all(axis=(1, 2)).mean())
