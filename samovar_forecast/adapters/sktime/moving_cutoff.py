"""Forecasts from many cutoffs in one batch, for ``update_predict`` of the sktime forecaster.

sktime's own loop updates and forecasts cutoff by cutoff, checks each window again, and converts
all forecasts so far after each. Here the rows move on cutoff by cutoff, and the forecasts of many
cutoffs are made together.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sktime.datatypes import convert_to
from sktime.forecasting.base import ForecastingHorizon

from samovar_forecast.learning.panel_forecaster import PanelForecaster
from samovar_forecast.process import usual_torch

if TYPE_CHECKING:
    from samovar_forecast.adapters.sktime.forecaster import SAMoVARForecaster

CUTOFFS_AT_ONCE = 64
"""Each keeps its rows until its forecast is made."""


def can_be_together(
    forecaster: SAMoVARForecaster, y: Any, windows: Sequence[np.ndarray], fh: ForecastingHorizon
) -> bool:
    """Tell whether forecasts from the ends of these windows can be made in one batch.

    sktime's loop has its own ways with forecasts of the past, with windows without a row, with a
    memory of all data, and with data that it cuts into columns.
    """
    return (
        isinstance(y, pd.DataFrame)
        and len(windows) > 0
        and all(map(len, windows))
        and fh.is_relative
        and fh.is_all_out_of_sample()
        and not isinstance(fh.to_pandas(), pd.TimedeltaIndex)
        and not forecaster.get_config()["remember_data"]
    )


def forecast_at_cutoffs(
    forecaster: SAMoVARForecaster,
    y: pd.DataFrame,
    windows: Sequence[np.ndarray],
    X: pd.DataFrame | None,
    fh: ForecastingHorizon,
) -> Iterator[tuple[pd.Index, pd.DataFrame]]:
    """Move a forecaster on from window to window; yield each cutoff with the forecast there.

    Parameters
    ----------
    forecaster : SAMoVARForecaster
        Fitted; it ends behind the last window.
    y : DataFrame
    windows : sequence of integer arrays
        Rows of ``y``.
    X : DataFrame or None
        Covariates of all times.
    fh : ForecastingHorizon
        Steps ahead.

    Raises
    ------
    DataError
        As ``update`` and ``predict``.
    """
    for at in range(0, len(windows), CUTOFFS_AT_ONCE):
        models, cutoffs = [], []
        for window in windows[at : at + CUTOFFS_AT_ONCE]:
            forecaster._update(y.iloc[window], X, update_params=False)
            models.append(forecaster._model)
            cutoffs.append(forecaster.cutoff)
        forecaster._check_fh(fh)
        own = fh.to_pandas().to_numpy(dtype=np.int64)
        steps = [[own] * len(model.panel.instances) for model in models]
        frames = _forecasts(models, steps, X)
        yield from zip(cutoffs, frames, strict=True)


def _forecasts(
    models: Sequence[PanelForecaster],
    steps: Sequence[list[np.ndarray]],
    X: pd.DataFrame | None,
) -> Iterator[pd.DataFrame]:
    """Yield the frame of the forecasts of each model; all are made in one batch."""
    ahead = [
        rows
        for model, own in zip(models, steps, strict=True)
        for rows in model.covariates_ahead(own, X)
    ]
    together = PanelForecaster.beside_each_other(models)
    with usual_torch():
        values = iter(together.forecast([own for part in steps for own in part], ahead))
    for model, own in zip(models, steps, strict=True):
        yield model.panel.forecast_frame([next(values) for _ in own], own)


def without_the_state(forecaster: SAMoVARForecaster) -> SAMoVARForecaster:
    """Return a copy that can move on while the forecaster stays: dictionaries are its own."""
    moved = copy.copy(forecaster)
    for name, value in vars(forecaster).items():
        setattr(moved, name, dict(value) if isinstance(value, dict) else value)
    return moved


def laid_out(
    forecaster: SAMoVARForecaster, found: Sequence[tuple[pd.Index, pd.DataFrame]]
) -> pd.DataFrame | pd.Series:
    """Return forecasts as sktime lays them out, in the kind of data that the user gave.

    Of a single step they are rows below one another; of several steps there are columns for each
    cutoff.
    """
    frames = [
        convert_to(
            frame,
            forecaster._y_metadata["mtype"],
            store=forecaster._converter_store_y,
            store_behaviour="freeze",
        )
        for _, frame in found
    ]
    if len(frames[0]) == 1:
        table = pd.concat(frames)
    else:
        table = pd.concat(frames, axis=1, keys=[cutoff[0] for cutoff, _ in found])
    return table if table.index.is_monotonic_increasing else table.sort_index()
