"""The arguments of a comparison: checked, with what follows from the data where left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from samovar_forecast.arguments import check_whole, is_whole
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.panel import Panel

Refit = Literal["every", "first"] | int

REFIT_OF_SAMOVAR = 4
"""By default a fit of SAMoVAR serves this number of origins; any other model is fitted at each."""

FEWEST_ROWS = 10
"""Shortest first training window that is worth a comparison."""


def checked_data(y: pd.DataFrame | pd.Series) -> tuple[pd.DataFrame, int]:
    """Return the data as a float frame whose index knows its frequency, and its usual season.

    Raises
    ------
    DataError
        If ``y`` is no frame of series, or if `Panel.from_frame` refuses it.
    """
    if isinstance(y, pd.Series):
        y = y.to_frame(name="y" if y.name is None else y.name)
    if not isinstance(y, pd.DataFrame):
        raise DataError(
            "y is not a frame", found=type(y).__name__, wanted="a pandas DataFrame or Series"
        )
    if isinstance(y.index, pd.MultiIndex):
        raise DataError(
            "y holds a panel of instances",
            found=f"index levels {list(y.index.names)}",
            wanted="one multivariate series, indexed by time",
            remedy="compare on one instance at a time",
        )
    if isinstance(y.columns, pd.MultiIndex):
        raise DataError(
            "the columns of y have names of several levels",
            found=f"{y.columns.nlevels} levels, for example {y.columns.tolist()[0]}",
            wanted="names of one level, for the tables have one for the series",
            remedy='join the levels: y.columns = ["/".join(map(str, name)) for name in y.columns]',
        )
    if y.columns.hasnans:
        raise DataError(
            "y has a column without a name",
            found=f"the columns {list(y.columns)}",
            wanted="a name for each series, by which the tables group the errors",
            remedy="name it: y.columns = [...]",
        )
    grid = Panel.from_frame(y).grid
    y = y.astype(float)
    for name in y:
        gaps = ~np.isfinite(y[name].to_numpy())
        if gaps.any():
            raise DataError(
                f"column {name!r} of y is not finite",
                found=f"{int(gaps.sum())} gaps, first at {y.index[int(gaps.argmax())]}",
                wanted="a number in every row, since the models compared need them all",
                remedy="fill the gaps, drop the column, or compare on a part without gaps",
            )
    if isinstance(y.index, pd.DatetimeIndex):
        y.index = pd.DatetimeIndex(y.index, freq=grid.freq, name=grid.name)
    return y, grid.season


def checked_bands(horizon: int, ends: Sequence[int] | None) -> list[tuple[int, int]]:
    """Return first and last step of each band, from the last steps or by the default rule."""
    if ends is None:
        ends = sorted({1, -(-horizon // 2), horizon})
    is_sequence = isinstance(ends, Sequence) and not isinstance(ends, str)
    are_steps = is_sequence and all(map(is_whole, ends))
    increasing = are_steps and sorted(set(ends)) == list(ends)
    if not increasing or not ends or ends[0] < 1 or ends[-1] != horizon:
        raise ConfigurationError(
            "bands do not divide the horizon",
            found=repr(ends),
            wanted=f"the last step of each band, increasing and ending at {horizon}",
        )
    return [(before + 1, end) for before, end in zip([0, *ends], ends, strict=False)]


def place_origins(
    n_rows: int, horizon: int, n_origins: int, stride: int | None, season: int
) -> tuple[int, int]:
    """Return the length of the first training window, and the stride."""
    if stride is None:
        apart = (n_rows // 3 - horizon) // max(1, n_origins - 1)
        stride = max(1, min(horizon, apart))
    check_whole("stride", stride, 1)
    behind = horizon + (n_origins - 1) * stride
    fewest = max(FEWEST_ROWS, horizon + 1, 2 * season)
    if n_rows - behind < fewest:
        raise DataError(
            f"too few rows to forecast {horizon} steps from {n_origins} origins, {stride} apart",
            found=n_rows,
            wanted=f"at least {behind + fewest}, of which {fewest} to train on",
            remedy="shorten the horizon or ask for fewer origins",
        )
    return n_rows - behind, stride


def splitter(window: str, n_first: int, stride: int, horizon: int) -> Any:
    """Return the sktime splitter of a window's name."""
    from sktime.split import ExpandingWindowSplitter, SlidingWindowSplitter

    steps = list(range(1, horizon + 1))
    if window == "expanding":
        return ExpandingWindowSplitter(fh=steps, initial_window=n_first, step_length=stride)
    if window == "sliding":
        return SlidingWindowSplitter(fh=steps, window_length=n_first, step_length=stride)
    raise ConfigurationError("window", found=repr(window), wanted="'expanding' or 'sliding'")


def named_forecasters(forecasters: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """Return the forecasters by the names of their rows; a sequence is named by its classes."""
    if isinstance(forecasters, str) or not isinstance(forecasters, (Mapping, Sequence)):
        raise ConfigurationError(
            "forecasters are neither a mapping nor a sequence",
            found=repr(forecasters),
            wanted="a mapping of name to forecaster",
        )
    if not isinstance(forecasters, Mapping):
        names = [type(forecaster).__name__ for forecaster in forecasters]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigurationError(
                "forecasters of one class need names of their own",
                found=f"{twice[0]} more than once",
                wanted="a mapping of name to forecaster",
            )
        forecasters = dict(zip(names, forecasters, strict=True))
    if not forecasters:
        raise ConfigurationError("no forecaster to compare")
    for name, forecaster in forecasters.items():
        if isinstance(forecaster, type) or not hasattr(forecaster, "predict"):
            raise ConfigurationError(
                f"{name!r} is not a forecaster",
                found=repr(forecaster),
                wanted="an sktime forecaster or a darts model, not yet fitted",
            )
    return {str(name): _row(forecaster) for name, forecaster in forecasters.items()}


def _row(forecaster: Any) -> Any:
    """Return the forecaster, a darts model in its adapter."""
    if hasattr(forecaster, "get_tag"):
        return forecaster
    if hasattr(forecaster, "untrained_model"):
        from samovar_forecast.comparison.darts_forecaster import DartsForecaster

        return DartsForecaster(forecaster)
    raise ConfigurationError(
        f"{type(forecaster).__name__} is no forecaster that is known here",
        wanted="an sktime forecaster or a darts model",
        remedy="wrap it as an sktime forecaster",
    )


def with_classical(named: Mapping[str, Any], season: int) -> dict[str, Any]:
    """Return the forecasters with the classical forecasters behind them, each name once."""
    from samovar_forecast.comparison.default_rows import classical_forecasters

    return {**named, **{k: v for k, v in classical_forecasters(season).items() if k not in named}}


def nested_pairs(
    nested: Mapping[str, Sequence[str]] | None, named: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Return the pairs (larger model, special case) among the models compared."""
    from samovar_forecast.comparison.default_rows import SPECIAL_CASES

    if not isinstance(nested, (Mapping, type(None))) or not all(
        isinstance(names, Sequence) for names in (nested or {}).values()
    ):
        raise ConfigurationError(
            "nested", found=repr(nested), wanted="a mapping of a model to names of special cases"
        )
    for larger, smaller in (nested or {}).items():
        for name in (larger, *([smaller] if isinstance(smaller, str) else smaller)):
            if name not in named:
                raise ConfigurationError(
                    "nested names a model that is not compared", found=name, wanted=list(named)
                )
    known = {
        larger: [name for name in smaller if name in named]
        for larger, smaller in SPECIAL_CASES.items()
        if larger in named
    }
    given = {k: [v] if isinstance(v, str) else list(v) for k, v in (nested or {}).items()}
    merged = {name: [*known.get(name, ()), *given.get(name, ())] for name in named}
    return [(larger, name) for larger, names in merged.items() for name in dict.fromkeys(names)]


def refit_policies(
    refit: Refit | Mapping[str, Refit] | None, named: Mapping[str, Any]
) -> dict[str, Refit]:
    """Return for each model where it is fitted."""
    if refit is None:
        refit = {}
    if isinstance(refit, Mapping):
        unknown = sorted(set(refit) - set(named))
        if unknown:
            raise ConfigurationError(
                "refit names a model that is not compared", found=unknown[0], wanted=list(named)
            )
        chosen = {
            name: refit.get(name, REFIT_OF_SAMOVAR if _is_samovar(forecaster) else "every")
            for name, forecaster in named.items()
        }
    else:
        chosen = dict.fromkeys(named, refit)
    for name, policy in chosen.items():
        counts = is_whole(policy) and policy >= 1
        if not counts and policy not in ("every", "first"):
            raise ConfigurationError(
                f"refit of {name!r}", found=repr(policy), wanted="'every', 'first' or an integer"
            )
    return {
        name: policy if _can_be_updated(named[name]) else "every" for name, policy in chosen.items()
    }


def _is_samovar(forecaster: Any) -> bool:
    """Tell our sktime forecaster without an import, which would bring torch along."""
    home = "samovar_forecast.adapters.sktime"
    return any(kind.__module__.startswith(home) for kind in type(forecaster).__mro__)


def _can_be_updated(forecaster: Any) -> bool:
    """Tell whether a forecaster takes in new rows without a fit.

    sktime's `Differencer` forgets the last rows when it is updated: the forecasts of a pipeline
    would come back as differences.
    """
    parts = [forecaster]
    if hasattr(forecaster, "get_params"):
        parts += [part for value in forecaster.get_params().values() for part in _parts_of(value)]
    is_forgetful = any(type(part).__name__ == "Differencer" for part in parts)
    return bool(forecaster.get_tag("capability:update", False)) and not is_forgetful


def _parts_of(value: Any) -> list[Any]:
    """Return what stands in a parameter: the steps of a pipeline, or the parameter itself."""
    if isinstance(value, (list, tuple)):
        return [part for item in value for part in _parts_of(item)]
    return [value]


def check_folder(name: str, value: object) -> None:
    """Refuse what is no path of a folder; None is none."""
    is_path = isinstance(value, str | Path) and "\0" not in str(value)
    if value is not None and not is_path:
        raise ConfigurationError(name, found=repr(value), wanted="a path, or None")


def check_jobs(value: object) -> None:
    """Refuse what joblib cannot take as a number of processes."""
    if not is_whole(value) or value == 0:
        raise ConfigurationError(
            "n_jobs", found=repr(value), wanted="a number of processes, or -1 for all processors"
        )
