"""A forecaster and a history: what a reading stands on, and what can be said of it at once."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.dynamics.average_map import AverageMap
from samovar_forecast.dynamics.earlier_forecasts import Estimation
from samovar_forecast.dynamics.forecast_map import ForecastMap
from samovar_forecast.dynamics.history import History
from samovar_forecast.dynamics.local_draws import DrawnVars
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.exceptions import ConfigurationError

if TYPE_CHECKING:
    from samovar_forecast.dynamics.drawn_together import DrawnTogether


class ReadingBasis:
    """A forecaster on a history, in the units of the data.

    Parameters
    ----------
    forecast_map : ForecastMap
    history : History
    sigma_u : array of shape (C, C), optional
        Covariance of the one-step errors; by default the covariance of the residuals.
    out_of_sample_from : label, optional
        First time that training did not see.
    training : TrainingConfig, optional
        How the network was trained.
    estimation : Estimation, optional
        What the members were estimated on, and how they are estimated on another history.
    """

    def __init__(
        self,
        forecast_map: ForecastMap,
        history: History,
        *,
        sigma_u: np.ndarray | None = None,
        out_of_sample_from: Hashable | None = None,
        training: TrainingConfig | None = None,
        estimation: Estimation | None = None,
    ) -> None:
        self._map = forecast_map
        self.data = history
        self._sigma_u = sigma_u
        self.out_of_sample_from = history.label(out_of_sample_from)
        self.training = training
        self.estimation = estimation
        self._answered_by: DrawnTogether | DrawnVars | None = None

    @property
    def config(self) -> NetworkConfig:
        """Configuration of the trained network.

        Raises
        ------
        ConfigurationError
            If no trained network has a part in the forecast.
        """
        return self._trained.config

    @property
    def _trained(self) -> NetworkMap:
        """The trained network that has a part in the forecast."""
        if self._map.trained is None:
            raise ConfigurationError(
                "this is read from a trained network, and none has a part in this forecast",
                remedy="fit the forecaster with pretrained=False, train=True",
            )
        return self._map.trained

    @property
    def has_trained_network(self) -> bool:
        """Whether a trained network has a part in the forecast."""
        return self._map.trained is not None

    @property
    def shares(self) -> dict[str, pd.DataFrame]:
        """Share of each member in the forecast, a frame of steps and series; see `from_members`.

        Empty where the forecast is that of a single network.
        """
        if not isinstance(self._map, AverageMap):
            return {}
        steps = pd.RangeIndex(1, self.patch_length + 1, name="step")
        return {
            name: pd.DataFrame(share, steps, list(self.names))
            for name, share in self._map.shares.items()
        }

    @property
    def names(self) -> tuple[Hashable, ...]:
        """The series."""
        return self.data.target.names

    @property
    def index(self) -> pd.Index:
        """Times of the history."""
        return self.data.index

    @property
    def neqs(self) -> int:
        """Number of series, as statsmodels calls it."""
        return len(self.names)

    @property
    def order(self) -> int:
        """How many lags a forecast reads."""
        return self._map.shape.context_length

    @property
    def k_ar(self) -> int:
        """The order, as statsmodels calls it."""
        return self.order

    @property
    def patch_length(self) -> int:
        """Steps forecast at once."""
        return self._map.n_steps

    @property
    def history(self) -> pd.DataFrame:
        """The series, in the units of the data (a copy)."""
        return pd.DataFrame(self.data.target.values.copy(), self.data.index, list(self.names))

    @property
    def origins(self) -> pd.Index:
        """Times from which a forecast can be made."""
        return self.data.index[self.data.first_position : self.data.last_position + 1]

    @property
    def is_anchored(self) -> bool:
        """Whether a linear anchor has a share in the forecast."""
        return self._map.is_anchored

    @property
    def unit_roots_by_construction(self) -> bool:
        """Whether the coefficients sum to the identity whatever the weights and the data.

        They do with a normalisation that cancels the level, as ``"last_patch"`` and ``"window"``
        do: a constant added to a series is taken off before the network and put back after it. A
        linear anchor with a share in the
        forecast is no part of that, and leaves the sums to the data.
        """
        return self._map.cancels_level and not self._map.is_anchored and not self.is_of_vars

    @property
    def is_of_vars(self) -> bool:
        """Whether VARs answer in place of the forecasts, as in draws of the process itself."""
        return isinstance(self._answered_by, DrawnVars)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.neqs} series, {self.order} lags, "
            f"{len(self.origins)} origins up to {self.origins[-1]})"
        )

    @property
    def is_out_of_sample(self) -> bool:
        """Whether all that makes the forecasts knows no later row than their origin."""
        return isinstance(self._map, AverageMap) and self._map.is_out_of_sample
