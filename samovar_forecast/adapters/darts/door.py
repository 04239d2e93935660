"""What the models cannot use is refused at the door: arguments, series, gaps, large numbers."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import torch
from darts import TimeSeries

from samovar_forecast.adapters.darts.host import (
    TorchInferenceBatch,
    TorchLikelihood,
    TorchTrainingDataset,
)
from samovar_forecast.adapters.darts.rows import holds_series
from samovar_forecast.exceptions import ConfigurationError, DataError

Method = TypeVar("Method", bound=Callable[..., Any])

SWITCHES = ("linear", "univariate", "use_static_covariates")
LEAST = {
    "output_chunk_shift": 0,
    "n_epochs": 0,
    "epochs": 0,
    "n": 0,
    "batch_size": 1,
    "num_samples": 1,
    "roll_size": 1,
    "nr_epochs_val_period": 1,
}
"""Integers, and the least that works."""
MAPPINGS = (
    "add_encoders",
    "dataloader_kwargs",
    "lr_scheduler_kwargs",
    "optimizer_kwargs",
    "pl_trainer_kwargs",
)
REMEDY = (
    "fill them, with darts.dataprocessing.transformers.MissingValuesFiller, or forecast with "
    "SAMoVARZeroShotModel, which leaves missing values out"
)


def check_arguments(given: Mapping[str, Any]) -> None:
    """Refuse arguments of a constructor that darts lets pass, and that fail far from their cause.

    Raises
    ------
    ConfigurationError
        The message names the argument.
    """
    for name in SWITCHES:
        if not isinstance(given.get(name, True), bool):
            raise ConfigurationError(name, found=repr(given[name]), wanted="True or False")
    for name, least in LEAST.items():
        if name in given and not _is_integer(given[name], least):
            raise ConfigurationError(
                name, found=repr(given[name]), wanted=f"an integer of at least {least}"
            )
    for name in MAPPINGS:
        if not isinstance(given.get(name), (Mapping, type(None))):
            raise ConfigurationError(name, found=repr(given[name]), wanted="a dictionary or None")
    tuned = given.get("enable_finetuning")
    if not isinstance(tuned, (bool, Mapping, type(None))):
        raise ConfigurationError(
            "enable_finetuning", found=repr(tuned), wanted="True, False, None or a dictionary"
        )
    likelihood = given.get("likelihood")
    if not isinstance(likelihood, (TorchLikelihood, type(None))):
        raise ConfigurationError(
            "likelihood", found=repr(likelihood), wanted="a likelihood of darts' torch models"
        )


def checked(method: Method) -> Method:
    """Return a method of a model that looks at its series and options before it begins.

    Raises
    ------
    DataError
        If a series is none, there is no series, or covariates have another kind of index.
    ConfigurationError
        If an option cannot work; the message names it.
    """
    signature = inspect.signature(method)

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        check_arguments({name: value for name, value in given.items() if value is not None})
        groups = {
            name: _series_of(name, value)
            for name, value in given.items()
            if name.endswith(("series", "covariates"))
            and (value is not None or signature.parameters[name].default is inspect.Parameter.empty)
        }
        for name, group in groups.items():
            target = groups.get("val_series" if name.startswith("val_") else "series", group)
            if group[0].has_range_index != target[0].has_range_index:
                raise DataError(
                    f"{name} and the series have indices of two kinds",
                    found=f"{_index_of(group[0])} and {_index_of(target[0])}",
                    wanted="times in both, or integers in both",
                )
        return method(*args, **kwargs)

    return cast(Method, call)


def _series_of(name: str, value: Any) -> Sequence[TimeSeries]:
    """Return an argument as several series; refuse it if it is no series."""
    group = [value] if isinstance(value, TimeSeries) else value
    is_sequence = isinstance(group, Sequence) and not isinstance(group, str)
    if not is_sequence or not all(isinstance(one, TimeSeries) for one in group):
        raise DataError(
            f"{name} is no series", found=repr(value)[:80], wanted="a TimeSeries, or several"
        )
    if not group:
        raise DataError(
            f"{name} holds no series", found="nothing", wanted="one TimeSeries at least"
        )
    return group


def check_single(name: str, value: Any) -> None:
    """Refuse what is no single series; several series are several readings.

    Raises
    ------
    DataError
    """
    if not isinstance(value, TimeSeries):
        raise DataError(
            f"{name} is no single series", found=type(value).__name__, wanted="a TimeSeries"
        )


def _index_of(series: TimeSeries) -> str:
    return type(series.time_index).__name__


def _is_integer(value: Any, least: int) -> bool:
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return is_integer and int(value) >= least


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
                if covariates[number].dtype != series.dtype:
                    raise DataError(
                        f"series {number} of {name} is of another type than the target",
                        found=covariates[number].dtype,
                        wanted=series.dtype,
                        remedy="cast one of them with astype('float32')",
                    )
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
