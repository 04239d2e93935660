"""Names, times, frequencies and indices of pandas as plain data that JSON can hold, and back.

What comes back equals what was written, or the writing is refused.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.frames.time_grid import zone_name

_DTYPES = re.compile(
    r"object|str|string|bool|boolean|u?int(8|16|32|64)|U?Int(8|16|32|64)|float(32|64)"
    r"|(datetime64|timedelta64|period)\[.{1,60}\]"
)
_DEEPEST = 5  # of tuples in tuples


def write_name(value: Any, depth: int = 0) -> Any:
    """Return a name, a time or a frequency as plain data.

    Parameters
    ----------
    value : None, bool, int, float, str, date, Timestamp, Timedelta, Period, offset, or a tuple
    depth : int
        How many tuples stand around it.

    Raises
    ------
    ConfigurationError
        If it is something else.
    """
    if isinstance(value, np.generic) and isinstance(value.item(), (bool, int, float, str)):
        value = value.item()
    if value is None or type(value) in (bool, int, str):
        return value
    plain = _write(value, depth)
    if plain is not None and depth <= _DEEPEST:
        try:
            found = read_name(plain)
        except (ValueError, TypeError):
            found = None
        if type(found) is type(value) and (found == value or value != value):
            return plain
    zone = getattr(value, "tzinfo", None)
    raise ConfigurationError(
        "a name or time is of a kind that no artifact can hold",
        found=f"{type(value).__name__} {value!r}",
        wanted="text, a number, a date, a pandas time or frequency, or a tuple of them",
        remedy=None if zone is None else "convert the times, for example with .tz_convert('UTC')",
    )


def _write(value: Any, depth: int) -> dict[str, list[Any]] | None:
    """Return the kind of a value and what makes it, for `_MAKERS`; None for any other value."""
    if type(value) is float:
        return {"float": [value.hex()]}
    if type(value) is tuple:
        return {"tuple": [write_name(part, depth + 1) for part in value]}
    if isinstance(value, pd.Timestamp):
        naive = value if value.tz is None else value.tz_convert("UTC").tz_localize(None)
        return {"time": [int(naive.asm8.view("i8")), value.unit, zone_name(value.tz)]}
    if isinstance(value, pd.Timedelta):
        return {"span": [int(value.asm8.view("i8")), value.unit]}
    if isinstance(value, pd.Period):
        return {"period": [value.ordinal, value.freqstr]}
    if type(value) is dt.date:
        return {"date": [value.isoformat()]}
    if isinstance(value, pd.offsets.BaseOffset):
        return _write_offset(value)
    return None


def _write_offset(value: Any) -> dict[str, list[Any]] | None:
    try:
        if to_offset(value.freqstr) == value:
            return {"freq": [value.freqstr]}
    except (ValueError, TypeError):
        pass  # it has no alias
    if type(value) is pd.offsets.DateOffset:
        return {"steps": [value.n, {name: int(amount) for name, amount in value.kwds.items()}]}
    if type(value) is pd.offsets.CustomBusinessDay:
        days = [str(day) for day in value.kwds.get("holidays", ())]
        return {"business days": [value.n, value.kwds.get("weekmask"), days]}
    return None


def _make_time(count: int, unit: Any, zone: str | None) -> pd.Timestamp:
    found = pd.Timestamp(np.datetime64(count, unit))
    if zone is None:
        return found
    try:
        return found.tz_localize("UTC").tz_convert(zone)
    except KeyError as error:
        raise ValueError(f"there is no time zone {zone[:40]!r}") from error


_MAKERS: dict[str, Callable[..., Any]] = {
    "float": float.fromhex,
    "tuple": lambda *parts: tuple(map(read_name, parts)),
    "time": _make_time,
    "span": lambda count, unit: pd.Timedelta(np.timedelta64(count, unit)),
    "period": lambda ordinal, freq: pd.Period(ordinal=ordinal, freq=freq),
    "date": dt.date.fromisoformat,
    "freq": to_offset,
    "steps": lambda n, parts: pd.offsets.DateOffset(n=n, **parts),
    "business days": lambda n, week, days: pd.offsets.CustomBusinessDay(
        n=n, weekmask=week, holidays=days
    ),
}


def read_name(plain: Any) -> Any:
    """Return what :func:`write_name` wrote.

    Raises
    ------
    ValueError, TypeError
        If it is nothing that was written.
    """
    if plain is None or type(plain) in (bool, int, str):
        return plain
    if not isinstance(plain, dict) or len(plain) != 1 or not plain.keys() <= _MAKERS.keys():
        raise ValueError(f"{str(plain)[:40]!r} is no name and no time")
    ((kind, parts),) = plain.items()
    return _MAKERS[kind](*parts)


def write_index(index: pd.Index) -> dict[str, Any]:
    """Return an index as plain data: values, kind and name.

    Raises
    ------
    ConfigurationError
        If it holds what no artifact can hold.
    """
    plain: dict[str, Any]
    if isinstance(index, pd.DatetimeIndex) and len(index) and index.tz is not None:
        write_name(index[0])  # or the zone has no name
        freq = index.freq
        index = index.tz_convert(zone_name(index.tz))
        index.freq = freq
    if isinstance(index, pd.RangeIndex):
        plain = {"range": [index.start, index.stop, index.step], "name": write_name(index.name)}
    elif isinstance(index, pd.MultiIndex):
        levels = [write_index(index.get_level_values(number)) for number in range(index.nlevels)]
        plain = {"levels": levels}
    else:
        plain = {
            "values": [write_name(value) for value in index],
            "dtype": str(index.dtype),
            "name": write_name(index.name),
        }
        if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
            plain["freq"] = write_name(index.freq)
    try:
        found = read_index(plain)
        is_same = type(found) is type(index) and found.equals(index)
        is_same = is_same and list(found.names) == list(index.names)
    except (ValueError, TypeError):
        is_same = False
    if not is_same:
        raise ConfigurationError(
            "an index is of a kind that no artifact can hold",
            found=f"{type(index).__name__} of {getattr(index, 'dtype', 'several kinds')}",
            wanted="text, numbers or times",
            remedy="convert the names, for example with .astype(str)",
        )
    return plain


def read_index(plain: Any) -> pd.Index:
    """Return what :func:`write_index` wrote.

    Raises
    ------
    ValueError, TypeError
        If it is nothing that was written.
    """
    if not isinstance(plain, dict):
        raise TypeError(f"{str(plain)[:40]!r} is no index")
    if plain.keys() == {"range", "name"}:
        return pd.RangeIndex(*plain["range"], name=read_name(plain["name"]))
    if plain.keys() == {"levels"}:
        return pd.MultiIndex.from_arrays([read_index(level) for level in plain["levels"]])
    if plain.keys() - {"freq"} != {"values", "dtype", "name"}:
        raise ValueError(f"an index has no fields {sorted(plain)}")
    if not _DTYPES.fullmatch(plain["dtype"]):
        raise ValueError(f"there is no index of {plain['dtype'][:40]!r}")
    values = [read_name(value) for value in plain["values"]]
    index = pd.Index(values, dtype=plain["dtype"], name=read_name(plain["name"]))
    if plain.get("freq") is not None:
        index.freq = read_name(plain["freq"])
    return index
