"""Parameters and series of darts as plain data: what an artifact of a darts model can hold."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from darts import TimeSeries

from samovar_forecast.adapters.darts.host import TorchLikelihood, likelihoods
from samovar_forecast.adapters.darts.schedule import OneCycle
from samovar_forecast.artifact.plain import Form, Reader, Writer
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.frames.plain_names import read_index, read_name, write_index, write_name

CLASSES: dict[str, type] = {
    f"{kind.__module__}.{kind.__qualname__}": kind
    for place, base in (
        (torch.optim, torch.optim.Optimizer),
        (torch.optim.lr_scheduler, torch.optim.lr_scheduler.LRScheduler),
    )
    for kind in vars(place).values()
    if isinstance(kind, type) and issubclass(kind, base)
} | {"OneCycle": OneCycle}
"""Classes that may stand among the parameters, by their names in an artifact."""

OBJECTS: dict[str, type] = {
    kind.__name__: kind
    for place, base in ((likelihoods, TorchLikelihood), (torch.nn.modules.loss, torch.nn.Module))
    for kind in vars(place).values()
    if isinstance(kind, type) and issubclass(kind, base) and kind is not base
}
"""Classes of objects that are made again from the arguments of their constructors."""


def write_parameter(value: Any) -> Any:
    """Return a parameter of a darts model as plain data.

    Parameters
    ----------
    value : None, number, text, path, time, class of torch, likelihood, loss, or a list, tuple or
        dictionary of them

    Raises
    ------
    ConfigurationError
        If it is something else, a callback or a function for example.
    """
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {"dict": [[write_name(key), write_parameter(own)] for key, own in value.items()]}
    if isinstance(value, (list, np.ndarray)):
        return {"list": [write_parameter(own) for own in value]}
    if type(value) is tuple:
        return {"row": [write_parameter(own) for own in value]}
    if isinstance(value, type):
        names = [name for name, kind in CLASSES.items() if kind is value]
        if names:
            return {"class": names[0]}
    kind = type(value).__name__
    if OBJECTS.get(kind) is type(value):
        arguments = {
            name: write_parameter(getattr(value, name))
            for name in inspect.signature(type(value)).parameters
            if hasattr(value, name)
        }
        return {"object": kind, "arguments": arguments}
    try:
        return write_name(value)
    except ConfigurationError as error:
        raise ConfigurationError(
            "a parameter of the model is of a kind that no artifact can hold",
            found=f"{type(value).__name__} {value!r}"[:200],
            wanted="numbers, text, times, likelihoods, losses and optimisers of darts and torch",
            remedy="leave it out, or keep the model by darts' own save",
        ) from error


def read_parameter(plain: Any) -> Any:
    """Return what :func:`write_parameter` wrote.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is nothing that was written.
    """
    kinds = plain.keys() if isinstance(plain, dict) else {}
    if kinds == {"dict"}:
        return {read_name(key): read_parameter(own) for key, own in plain["dict"]}
    if kinds == {"list"}:
        return [read_parameter(own) for own in plain["list"]]
    if kinds == {"row"}:
        return tuple(read_parameter(own) for own in plain["row"])
    if kinds == {"class"}:
        return CLASSES[plain["class"]]
    if kinds == {"object", "arguments"}:
        arguments = {name: read_parameter(own) for name, own in plain["arguments"].items()}
        return OBJECTS[plain["object"]](**arguments)
    return read_name(plain)


def write_series(series: TimeSeries, writer: Writer, at: str) -> dict[str, Any]:
    """Return a series as plain data; its values are among the numbers of the writer."""
    static = series.static_covariates
    return {
        "values": writer.write(series.all_values(copy=False), np.ndarray, f"{at}.values"),
        "times": write_index(series.time_index),
        "components": write_index(series.components),
        "static": None if static is None else _write_table(static),
        "hierarchy": write_parameter(series.hierarchy),
        "metadata": write_parameter(series.metadata),
    }


def read_series(plain: Any, reader: Reader, at: str) -> TimeSeries:
    """Return the series that :func:`write_series` wrote."""
    values = reader.read(plain["values"], np.ndarray, f"{at}.values")
    times = read_index(plain["times"])
    if values.ndim != 3 or len(values) != len(times) or np.isinf(values).any():
        raise ValueError(f"the values of a series have the shape {values.shape}")
    if set(plain) != {"values", "times", "components", "static", "hierarchy", "metadata"}:
        raise ValueError(f"a series has no fields {sorted(plain)}")
    return TimeSeries(
        times=times,
        values=values,
        components=read_index(plain["components"]),
        static_covariates=None if plain["static"] is None else _read_table(plain["static"]),
        hierarchy=read_parameter(plain["hierarchy"]),
        metadata=read_parameter(plain["metadata"]),
    )


SERIES = Form(write_series, read_series)
PARAMETER = Form(
    lambda value, writer, at: write_parameter(value),
    lambda plain, reader, at: read_parameter(plain),
)
TABLE = Form(
    lambda value, writer, at: _write_table(value), lambda plain, reader, at: _read_table(plain)
)


def _write_table(table: pd.DataFrame) -> dict[str, Any]:
    """Return static covariates: rows, columns, and the values of each column."""
    return {
        "rows": write_index(table.index),
        "columns": write_index(table.columns),
        "values": [write_index(pd.Index(table[name], name=None)) for name in table],
    }


def _read_table(plain: Any) -> pd.DataFrame:
    columns = read_index(plain["columns"])
    values = [read_index(own) for own in plain["values"]]
    if set(plain) != {"rows", "columns", "values"} or len(values) != len(columns):
        raise ValueError("static covariates have a column for each name")
    return pd.DataFrame(
        {number: own.array for number, own in enumerate(values)}, index=read_index(plain["rows"])
    ).set_axis(columns, axis=1)
