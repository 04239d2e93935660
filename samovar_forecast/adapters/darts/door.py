"""What the models cannot use is refused at the door: series, gaps, large numbers."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd
import torch
from darts import TimeSeries

from samovar_forecast.adapters.darts.arguments import check_arguments, check_start, plain
from samovar_forecast.adapters.darts.host import (
    TorchInferenceBatch,
    TorchTrainingDataset,
)
from samovar_forecast.adapters.darts.rows import holds_series
from samovar_forecast.exceptions import DataError

Method = TypeVar("Method", bound=Callable[..., Any])

MOST_NUMBERS_OF_A_FORECAST = 20_000_000
MOST_NUMBERS = 1_000_000_000
"""Of all windows and samples that are asked for at once: 8 GB."""
REMEDY = (
    "fill them, with darts.dataprocessing.transformers.MissingValuesFiller, or forecast with "
    "SAMoVARZeroShotModel, which leaves missing values out"
)


def checked(method: Method) -> Method:
    """Return a method of a model that looks at its series and options before it begins.

    Numbers of numpy among its arguments are handed on as plain numbers, as darts wants them.

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
        args = tuple(map(plain, args))
        kwargs = {name: plain(value) for name, value in kwargs.items()}
        given = signature.bind(*args, **kwargs).arguments
        defaults = {name: one.default for name, one in signature.parameters.items()}
        check_arguments(
            {
                name: value
                for name, value in given.items()
                if value is not None or defaults[name] is not None
            }
        )
        groups = {
            name: _series_of(name, value)
            for name, value in given.items()
            if name.endswith(("series", "covariates"))
            and (value is not None or defaults[name] is inspect.Parameter.empty)
        }
        for name, group in groups.items():
            target = groups.get("val_series" if name.startswith("val_") else "series", group)
            if group[0].has_range_index != target[0].has_range_index:
                raise DataError(
                    f"{name} and the series have indices of two kinds",
                    found=f"{_index_of(group[0])} and {_index_of(target[0])}",
                    wanted="times in both, or integers in both",
                )
        check_start(given.get("start"), groups.get("series", ()))
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


def check_dataset(dataset: TorchTrainingDataset, *, may_miss: bool = False) -> None:
    """Refuse series of a dataset from whose windows every weight or forecast would be NaN.

    Covariates are read over the time of the target, and static covariates where the dataset hands
    them over. A dataset of another kind than darts' own holds no series, and is not read.

    Parameters
    ----------
    dataset : TorchTrainingDataset
    may_miss : bool, default=False
        Whether missing values are left out, by a network that reads every type as float64 and no
        static covariates.

    Raises
    ------
    DataError
        If a value is infinite, or so large that its square is, or missing.
    """
    if not holds_series(dataset):
        return
    for number, series in enumerate(dataset.series):
        check_numbers(series, f"series {number} of the target", may_miss=may_miss)
        if dataset.uses_static_covariates_covariates and not may_miss:
            check_static_covariates(series, f"series {number} of the target")
        for name in ("past_covariates", "future_covariates"):
            covariates = getattr(dataset, name)
            if covariates is not None:
                if covariates[number].dtype != series.dtype and not may_miss:
                    raise DataError(
                        f"series {number} of {name} is of another type than the target",
                        found=covariates[number].dtype,
                        wanted=series.dtype,
                        remedy="cast one of them with astype('float32')",
                    )
                part = covariates[number].slice_intersect(series)
                check_numbers(part, f"series {number} of {name}", may_miss=may_miss)


PARTS_OF_A_WINDOW = (
    *("past_target", "past_covariates", "historic_future_covariates"),
    *("future_covariates", "future_past_covariates", "static_covariates"),
)


def check_window(batch: TorchInferenceBatch, dtype: torch.dtype, *, may_miss: bool) -> None:
    """Refuse windows from which every forecast would be NaN.

    Parameters
    ----------
    batch : TorchInferenceBatch
    dtype : torch.dtype
        In which the network computes.
    may_miss : bool
        Whether missing values are left out; static covariates are then not read.

    Raises
    ------
    DataError
        If a value of a window is infinite, or so large that its square is, or missing; where values
        may miss, if a component of the target has none in a window.
    """
    is_empty = torch.isnan(batch.past_target).all(dim=1)
    if is_empty.any():
        raise DataError(
            "the input chunk of a forecast has no value of a component of the target",
            found=f"component number {int(is_empty.nonzero()[0, 1])}, counted from 0",
            wanted="at least one value of each component",
            remedy="drop the component, or give a longer input chunk",
        )
    largest = torch.finfo(dtype).max ** 0.5
    for name in PARTS_OF_A_WINDOW[: -1 if may_miss else None]:
        values = getattr(batch, name)
        if values is None:
            continue
        is_missing = torch.isnan(values)
        if not may_miss and is_missing.any():
            raise DataError(
                f"the input chunk of a forecast has missing values in {name}",
                found=f"{int(is_missing.sum())} values that are no number",
                remedy=REMEDY,
            )
        if (values.abs() >= largest).any():
            raise DataError(
                f"the input chunk of a forecast has values in {name} whose square is no {dtype}",
                found=f"{float(values[~is_missing].abs().max()):.3g}",
                wanted=f"below {largest:.3g}",
                remedy="scale the series with darts' Scaler",
            )


def check_reach(n_numbers: int, n_forecasts: int) -> None:
    """Refuse forecasts that would be rolled out for hours, or hold too many numbers for any memory.

    Parameters
    ----------
    n_numbers : int
        Of a forecast: its steps times its components.
    n_forecasts : int
        Windows times samples.

    Raises
    ------
    DataError
    """
    if n_numbers > MOST_NUMBERS_OF_A_FORECAST or n_numbers * n_forecasts > MOST_NUMBERS:
        raise DataError(
            "the forecast asks for more numbers than memory is likely to hold",
            found=f"{n_numbers} numbers of a forecast, {n_forecasts} windows and samples",
            wanted=f"at most {MOST_NUMBERS_OF_A_FORECAST} of a forecast, {MOST_NUMBERS} in all",
        )


def check_forecast(parts: Sequence[np.ndarray]) -> None:
    """Refuse forecasts that hold a value that is no number.

    Raises
    ------
    DataError
    """
    n_values = sum(part.size for part in parts)
    n_numbers = sum(int(np.isfinite(part).sum()) for part in parts)
    if n_numbers < n_values:
        raise DataError(
            "the forecast has values that are no number",
            found=f"{n_values - n_numbers} of {n_values} values",
            remedy="look for extreme values in the series, or scale it with darts' Scaler",
        )


def check_static_covariates(series: TimeSeries, what: str) -> None:
    """Refuse static covariates that are missing, infinite, or too large for the series' type.

    Raises
    ------
    DataError
    """
    table = series.static_covariates
    if table is None:
        return
    largest = np.sqrt(np.finfo(series.dtype).max)
    for name in table.columns:
        values = pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64)
        if not (np.abs(values) < largest).all():
            raise DataError(
                f"static covariate {name!r} of {what} is no number that {series.dtype} can hold",
                found=table[name].tolist(),
                wanted=f"numbers below {largest:.3g}",
                remedy="fill and scale it, with darts.dataprocessing.transformers."
                "StaticCovariatesTransformer, or set use_static_covariates=False",
            )


def check_numbers(series: TimeSeries, what: str, *, may_miss: bool = False) -> None:
    """Refuse a series with values that are missing, infinite, or too large for its type.

    Parameters
    ----------
    series : TimeSeries
    what : str
        What the series is, for the message.
    may_miss : bool, default=False
        As in `check_dataset`.

    Raises
    ------
    DataError
        The message names the first of them.
    """
    values = series.all_values(copy=False)
    largest = np.sqrt(np.finfo(np.float64 if may_miss else values.dtype).max)
    is_number = ~np.isinf(values) if may_miss else np.isfinite(values)
    if not is_number.all():
        row, component, _ = np.argwhere(~is_number)[0]
        raise DataError(
            f"{what} has {'infinite' if may_miss else 'missing'} values",
            found=f"{int((~is_number).sum())} in all, first in component "
            f"{series.components[component]!r} at {series.time_index[row]}",
            remedy=REMEDY,
        )
    is_empty = np.isnan(values).all(axis=(0, 2)) & (len(values) > 0)
    if is_empty.any():
        raise DataError(
            f"{what} has a component without a value",
            found=repr(series.components[int(is_empty.argmax())]),
            wanted="at least one value of each component",
            remedy="drop the component",
        )
    if (np.abs(values) >= largest).any():
        raise DataError(
            f"{what} has values whose square is no {values.dtype}",
            found=f"{np.nanmax(np.abs(values)):.3g}",
            wanted=f"below {largest:.3g}",
            remedy="scale the series with darts' Scaler, or cast them with astype('float64')",
        )
