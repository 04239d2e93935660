"""The average of the linear forecast and the pretrained network, learned inside one window.

darts asks a foundation model for series that it has never seen, so nothing that belongs to a series
may be kept from ``fit``. The linear forecast, the shares and the spread are therefore estimated on
the rows of the window, as the sktime forecaster estimates them on the rows of its fit: the numbers
are the same.

Letters of the shapes: L input chunk, s steps ahead, C components, P past covariates, K levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from samovar_forecast.frames.panel import Panel
from samovar_forecast.frames.scaler import InstanceScaler
from samovar_forecast.learning.members import LinearMember
from samovar_forecast.learning.panel_forecaster import PanelForecaster
from samovar_forecast.learning.pretrained_member import PretrainedMember
from samovar_forecast.learning.scaled_rows import scale_rows
from samovar_forecast.learning.shares import weigh_members
from samovar_forecast.network.zero_shot import ZeroShotNetwork


def forecast_by_average(
    network: ZeroShotNetwork,
    season: int,
    window: np.ndarray,
    past_covariates: np.ndarray | None,
    n_steps: int,
    levels: Sequence[float] | None,
) -> np.ndarray:
    """Return the forecast of the next steps of a window.

    Parameters
    ----------
    network : ZeroShotNetwork
        On the CPU.
    season : int
        Steps after which a pattern is likely to repeat; 1 for none.
    window : array of shape (L, C)
        NaN where a value is missing.
    past_covariates : array of shape (L, P), optional
        Read by the network alone. A covariate without a value in the window is left out.
    n_steps : int
    levels : sequence of float, optional
        Levels of the quantiles; by default the point forecast, which is the median.

    Returns
    -------
    array of shape (s, C, K)

    Raises
    ------
    DataError
        If a component has no value in the window.
    """
    start = int(np.isfinite(window).any(axis=1).argmax())  # darts fills short series up in front
    window = window[start:]
    if past_covariates is None:
        past_covariates = np.empty((len(window), 0))
    known = pd.DataFrame(past_covariates[-len(window) :]).dropna(axis="columns", how="all")
    panel = Panel.from_frame(pd.DataFrame(window), known, past_names=known.columns)
    (instance,) = panel.instances
    scalers = {instance.key: InstanceScaler.of(instance)}
    rows = [scale_rows(instance, scalers[instance.key])]
    linear, trials = LinearMember.estimate(rows, n_steps, season, None)
    average = weigh_members([linear, PretrainedMember(network, season)], rows, trials, n_steps)
    steps = [np.arange(1, n_steps + 1)]
    (forecast,) = PanelForecaster(average, scalers, panel).predictive(steps, None)
    if levels is None:
        return forecast.point()[..., None]
    return np.moveaxis(forecast.quantiles(levels), 0, -1)
