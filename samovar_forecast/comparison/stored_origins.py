"""A folder of stored origins: what was forecast once is read, not computed again.

A file holds the forecasts of a model from an origin. Its name is a hash of all that they follow
from: the model and its parameters, the rows it was fitted on and has seen, the horizon and the
versions of the libraries. So a changed parameter or a corrected observation never meets an old
forecast, and comparisons of different data may share a folder. Files are JSON, written beside
their place and then moved into it in one step; a file that cannot be read counts as not there.
"""

from __future__ import annotations

import copyreg
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast import process
from samovar_forecast.bundle import write_whole
from samovar_forecast.exceptions import ConfigurationError

FORMAT = 3
DEEPEST = 30
"""Parameters nested deeper than this are not described, and their model is not resumed."""
PROTOCOL = 4
"""Of `pickle`, by which objects say what they are made of."""


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
    return json.dumps(_plain(forecaster, "the forecaster", ()), sort_keys=True)


def _plain(value: Any, name: str, around: tuple[int, ...]) -> Any:
    """Return a value as JSON can hold it, two that forecast differently never as the same.

    Parameters
    ----------
    value : object
    name : str
        The value in messages.
    around : tuple of int
        Identities of the values that hold this one.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bytes | bytearray):
        return ["bytes", hashlib.sha256(value).hexdigest()]
    if id(value) in around or len(around) > DEEPEST:
        raise NotDescribable(f"{name} is nested too deep")

    def inner(part: Any, where: str = "") -> Any:
        return _plain(part, name + where, (*around, id(value)))

    if isinstance(value, np.ndarray | np.generic):
        array = np.ascontiguousarray(value)
        if array.dtype.hasobject:
            return [str(array.dtype), list(array.shape), inner(array.ravel().tolist())]
        return [str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: inner(part, f"[{key!r}]") for key, part in value.items()}
        pairs = [[inner(key), inner(part, f"[{key!r}]")] for key, part in value.items()]
        return ["mapping", sorted(pairs, key=json.dumps)]
    if isinstance(value, list | tuple | range):
        return [inner(item) for item in value]
    if isinstance(value, set | frozenset):
        return ["set", sorted(map(inner, value), key=json.dumps)]
    if isinstance(value, type | FunctionType):
        return _address(value, value.__qualname__, name)
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, pd.DataFrame | pd.Series | pd.Index):
        return [kind, *map(inner, _columns(value))]
    if hasattr(value, "get_params"):
        return [kind, inner(value.get_params(deep=False))]
    if hasattr(value, "model_params"):  # darts
        return [kind, inner(dict(value.model_params))]
    if hasattr(value, "untyped_storage"):  # a tensor, which tells pickle of its place in memory
        return [kind, str(value.dtype), inner(np.asarray(value.detach().cpu().tolist()))]
    # Its text would not do: many objects print a part of themselves, or where they lie in memory.
    made_of = _made_of(value, name)
    return _address(value, made_of, name) if isinstance(made_of, str) else [kind, inner(made_of)]


def _columns(value: pd.DataFrame | pd.Series | pd.Index) -> Iterator[tuple[Any, str, np.ndarray]]:
    """Yield label, type and values of the index and each column; values are hashes of a row each.

    What pickle is told of the same frame changes with what was asked of it before.
    """
    index = value if isinstance(value, pd.Index) else value.index
    columns: list[Any] = [index.get_level_values(level) for level in range(index.nlevels)]
    if isinstance(value, pd.Series):
        columns.append(value)
    elif isinstance(value, pd.DataFrame):
        columns += [column for _, column in value.items()]
    for column in columns:
        is_hashed = column.dtype != object  # objects are described one by one
        values = pd.util.hash_pandas_object(column, index=False) if is_hashed else column
        yield column.name, str(column.dtype), values.to_numpy()


def _address(value: Any, qualname: str, name: str) -> str:
    """Return where a class or a function is found by its name.

    Raises
    ------
    NotDescribable
        If something else or nothing is found there: it is a lambda, or was made by a function.
    """
    # An object without a module of its own, as numpy.add, is that of its kind.
    module = getattr(value, "__module__", None) or type(value).__module__
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if found is not value:
        raise NotDescribable(f"{name} is {qualname}")
    return f"{module}.{qualname}"


def _made_of(value: Any, name: str) -> Any:
    """Return what an object is rebuilt from, as it tells `pickle`; text is its own name."""
    reduce = copyreg.dispatch_table.get(type(value))
    try:
        return value.__reduce_ex__(PROTOCOL) if reduce is None else reduce(value)
    except Exception as error:  # whatever an object objects with
        raise NotDescribable(f"{name} is {repr(value)[:100]}") from error
