"""What the trained model cannot read is refused at the door: gaps, numbers that are too large."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from darts import TimeSeries

from samovar_forecast.adapters.darts.host import TorchInferenceBatch, TorchTrainingDataset
from samovar_forecast.adapters.darts.rows import holds_series
from samovar_forecast.exceptions import ConfigurationError, DataError

REMEDY = (
    "fill them, with darts.dataprocessing.transformers.MissingValuesFiller, or forecast with "
    "SAMoVARZeroShotModel, which leaves missing values out"
)


def check_arguments(given: Mapping[str, Any]) -> None:
    """Refuse switches that are no bool, and a shift into the past, which darts lets pass.

    Raises
    ------
    ConfigurationError
        The message names the argument.
    """
    for name in ("linear", "univariate", "use_static_covariates"):
        if not isinstance(given.get(name, True), bool):
            raise ConfigurationError(name, found=repr(given[name]), wanted="True or False")
    shift = given.get("output_chunk_shift", 0)
    is_count = isinstance(shift, int) and not isinstance(shift, bool)
    if not is_count or shift < 0:
        raise ConfigurationError("output_chunk_shift", found=repr(shift), wanted="0 or more steps")


def check_dataset(dataset: TorchTrainingDataset) -> None:
    """Refuse series of a dataset in which a window would make every weight of the network NaN.

    Covariates are read over the time of the target. A dataset of another kind than darts' own
    holds no series, and is not read.

    Raises
    ------
    DataError
        If a value is missing, infinite, or so large that its square is.
    """
    if not holds_series(dataset):
        return
    for number, series in enumerate(dataset.series):
        _check(series, f"series {number} of the target")
        for name in ("past_covariates", "future_covariates"):
            covariates = getattr(dataset, name)
            if covariates is not None:
                part = covariates[number].slice_intersect(series)
                _check(part, f"series {number} of {name}")


def check_window(batch: TorchInferenceBatch) -> None:
    """Refuse windows with missing values, from which every forecast would be NaN.

    Raises
    ------
    DataError
        If a value of a window is NaN or infinite.
    """
    names = ("past_target", "past_covariates", "historic_future_covariates")
    for name in names:
        values = getattr(batch, name)
        if values is not None and not torch.isfinite(values).all():
            raise DataError(
                f"the input chunk of a forecast has missing values in {name}",
                found=f"{int((~torch.isfinite(values)).sum())} values that are no number",
                remedy=REMEDY,
            )


def _check(series: TimeSeries, what: str) -> None:
    values = series.all_values(copy=False)
    largest = np.sqrt(np.finfo(values.dtype).max)
    is_number = np.isfinite(values)
    if not is_number.all():
        row, component, _ = np.argwhere(~is_number)[0]
        raise DataError(
            f"{what} has missing values",
            found=f"{int((~is_number).sum())} in all, first in component "
            f"{series.components[component]!r} at {series.time_index[row]}",
            remedy=REMEDY,
        )
    if (np.abs(values) >= largest).any():
        raise DataError(
            f"{what} has values whose square is no {values.dtype}",
            found=f"{np.abs(values).max():.3g}",
            wanted=f"below {largest:.3g}",
            remedy="scale the series with darts' Scaler, or cast them with astype('float64')",
        )
