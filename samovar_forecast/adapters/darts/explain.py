"""A fitted darts model read as a vector autoregression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from darts import TimeSeries

from samovar_forecast.adapters.darts.door import (
    check_numbers,
    check_single,
    check_static_covariates,
)
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.exceptions import ConfigurationError, DataError, NotFittedError

if TYPE_CHECKING:
    from samovar_forecast.adapters.darts.host import MixedCovariatesTorchModel
    from samovar_forecast.adapters.darts.module import SAMoVARModule


def explain_model(
    model: MixedCovariatesTorchModel,
    series: TimeSeries,
    past_covariates: TimeSeries | None,
    future_covariates: TimeSeries | None,
) -> DynamicVAR:
    """Return the model on a history of a series; see ``SAMoVARModel.explain``."""
    module: SAMoVARModule | None = model.model
    if module is None:
        raise NotFittedError("the model is not fitted", remedy="fit it, or load weights, first")
    check_single("series", series)
    check_numbers(series, "the series")
    for name, covariates in (
        ("past_covariates", past_covariates),
        ("future_covariates", future_covariates),
    ):
        if covariates is not None:
            check_single(name, covariates)
    if model.encoders is not None and model.encoders.encoding_available:
        past_covariates, future_covariates = model.generate_fit_predict_encodings(
            model.output_chunk_length, series, past_covariates, future_covariates
        )
    config = module.network.config
    return DynamicVAR.from_network(
        module.network,
        series.to_dataframe(),
        past_covariates=_align(
            past_covariates,
            series,
            "past_covariates",
            config.n_past_covariates,
            reaches_ahead=False,
        ),
        future_covariates=_align(
            future_covariates,
            series,
            "future_covariates",
            config.n_future_covariates,
            reaches_ahead=True,
        ),
        static_covariates=_read_static(series, config.n_static_covariates),
        parameter=_locate_forecast(module),
    )


def _locate_forecast(module: SAMoVARModule) -> int:
    """Return which of the predicted numbers is the forecast in the units of the window."""
    if module.rin is not None:
        raise ConfigurationError(
            "darts' own instance norm stands between the data and the network",
            found="use_reversible_instance_norm=True",
            remedy="fit a model without it; SAMoVARModel normalises each window itself",
        )
    if module.output_chunk_shift:
        raise ConfigurationError(
            "a vector autoregression forecasts the next step",
            found=f"output_chunk_shift={module.output_chunk_shift}",
            wanted="output_chunk_shift=0",
        )
    head = module.head_of_likelihood
    is_median = not head.quantiles or 0.5 in head.quantiles
    if head.kinds[head.center] != "location" or not is_median:
        raise ConfigurationError(
            "the likelihood has no number that is a forecast in the units of the data",
            found=type(module.likelihood).__name__,
            wanted="no likelihood, a likelihood with a mean, or quantiles that hold the median",
        )
    return head.center


def _align(
    covariates: TimeSeries | None,
    series: TimeSeries,
    name: str,
    n_expected: int,
    *,
    reaches_ahead: bool,
) -> pd.DataFrame | None:
    """Return the covariates from the first time of the series on, or say what is missing."""
    if n_expected == 0:
        return None
    if covariates is None:
        raise DataError(f"{name} are missing", wanted=f"the {name} of the fit")
    table = covariates.to_dataframe()
    needed = series.time_index
    if not needed.isin(table.index).all():
        raise DataError(
            f"{name} do not cover the series",
            found=f"{table.index[0]} to {table.index[-1]}",
            wanted=f"{needed[0]} to {needed[-1]}",
        )
    part = table.loc[needed[0] : None if reaches_ahead else needed[-1]]
    if not np.isfinite(part.to_numpy(np.float64)).all():
        raise DataError(f"{name} have missing values over the time of the series")
    return part


def _read_static(series: TimeSeries, n_expected: int) -> np.ndarray | None:
    """Return the static covariates of every component, shape (C, S)."""
    if n_expected == 0:
        return None
    if series.static_covariates is None:
        raise DataError(
            "the series has no static covariates", wanted="the static covariates of the fit"
        )
    check_static_covariates(series, "the series")
    table = series.static_covariates.to_numpy(dtype=np.float64)
    return np.broadcast_to(table, (series.n_components, table.shape[1]))
