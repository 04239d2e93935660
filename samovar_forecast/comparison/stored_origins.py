"""A folder of stored origins: what was forecast once is read, not computed again.

A file holds the forecasts of a model from an origin. Its name is a hash of all that they follow
from: the model and its parameters, the rows it was fitted on and has seen, the horizon and the
versions of the libraries. So a changed parameter or a corrected observation never meets an old
forecast, and comparisons of different data may share a folder. Files are JSON, written beside
their place and then moved into it in one step; a file that cannot be read counts as not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast import process
from samovar_forecast.bundle import write_whole
from samovar_forecast.exceptions import ConfigurationError

FORMAT = 3
DEEPEST = 8
"""Parameters nested deeper than this are not described, and their model is not resumed."""


class OriginForecasts(NamedTuple):
    """What a model forecast from an origin."""

    values: np.ndarray
    """Point forecasts, shape (horizon, n_series)."""
    quantiles: np.ndarray | None
    """Quantiles, shape (horizon, n_series, n_levels), if the model has any."""
    record: dict[str, Any]
    """Seconds, warnings and notes of the run."""


class NotDescribable(Exception):
    """A parameter has no text that is the same in every process."""


class StoredOrigins:
    """The folder.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there.

    Raises
    ------
    ConfigurationError
        If it cannot be made.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                "the folder that `resume` names cannot be made",
                found=f"{str(self.folder)!r}: {error.strerror or error}",
                wanted="a folder that can be written",
            ) from error

    def read(self, key: str, shape: tuple[int, int], n_levels: int) -> OriginForecasts | None:
        """Return what is stored under a key, or None if there is nothing readable of this shape."""
        try:
            content = json.loads(self._path(key).read_text(encoding="utf-8"))
            if content.pop("checksum") != _checksum(content):
                return None
            values = np.array(content["values"], dtype=float)
            levels = content["quantiles"]
            quantiles = None if levels is None else np.array(levels, dtype=float)
            record = dict(content["record"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        if values.shape != shape or not np.isfinite(values).all():
            return None
        if quantiles is not None and quantiles.shape != (*shape, n_levels):
            return None
        return OriginForecasts(values, quantiles, record)

    def write(self, key: str, forecasts: OriginForecasts) -> None:
        """Store forecasts under a key; a reader sees the whole file or none."""
        quantiles = forecasts.quantiles
        content = {
            "format": FORMAT,
            "values": forecasts.values.tolist(),
            "quantiles": None if quantiles is None else quantiles.tolist(),
            "record": forecasts.record,
        }
        content["checksum"] = _checksum(content)
        write_whole(self._path(key), json.dumps(content, allow_nan=False).encode())

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def _checksum(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a file holds beside its checksum."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def data_hash(y: pd.DataFrame) -> str:
    """Return the SHA-256 of the names, the times and the numbers of a frame, in hexadecimal."""
    digest = hashlib.sha256()
    for part in (map(str, y.columns), map(str, y.index)):
        digest.update("\x1f".join(part).encode())
        digest.update(b"\x1e")
    digest.update(np.ascontiguousarray(y.to_numpy(dtype="<f8")).tobytes())
    return digest.hexdigest()


def key_of(model: str, fitted_on: str, seen: str, horizon: int) -> str:
    """Return the key under which forecasts are stored.

    Parameters
    ----------
    model : str
        `describe` of the forecaster.
    fitted_on, seen : str
        `data_hash` of the rows that it was fitted on, and of the rows that it forecasts from.
    horizon : int
    """
    parts = [str(FORMAT), model, fitted_on, seen, str(horizon), json.dumps(versions())]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of the libraries that forecasts follow from, as far as installed."""
    return process.versions(
        *("sktime", "darts", "statsmodels", "statsforecast", "neuralforecast", "scikit-learn"),
        *("pytorch-lightning", "torch", "pandas", "numpy", "scipy"),
    )


def describe(forecaster: Any) -> str:
    """Return class and parameters of a forecaster as text that is the same in every process.

    Raises
    ------
    NotDescribable
        If a parameter has no such text; the message names it.
    """
    return json.dumps(_plain(forecaster, "the forecaster", 0), sort_keys=True)


def _plain(value: Any, name: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise NotDescribable(f"{name} is nested too deep")
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, np.ndarray | np.generic):
        array = np.ascontiguousarray(value)
        if array.dtype == object:
            return [_plain(item, name, depth + 1) for item in array.ravel().tolist()]
        return [str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
    if isinstance(value, pd.DataFrame):
        return data_hash(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v, f"{name}[{k!r}]", depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(item, name, depth + 1) for item in value]
    if isinstance(value, type) or (hasattr(value, "__qualname__") and hasattr(value, "__module__")):
        if "<" in value.__qualname__:  # a lambda, or a function inside another
            raise NotDescribable(f"{name} is {value.__qualname__}")
        return f"{value.__module__}.{value.__qualname__}"
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if hasattr(value, "get_params"):
        return [kind, _plain(value.get_params(deep=False), name, depth + 1)]
    if hasattr(value, "model_params"):  # darts
        return [kind, _plain(dict(value.model_params), name, depth + 1)]
    text = repr(value)
    if " at 0x" not in text:
        return [kind, text]
    if hasattr(value, "__dict__"):
        return [kind, _plain(vars(value), name, depth + 1)]
    raise NotDescribable(f"{name} is {text}")
