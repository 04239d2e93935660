"""Series that stand one below the other: found, and set side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.numbers import looks_numeric
from samovar_forecast.frames.text_table import Table
from samovar_forecast.frames.times import read_times

KEY_NAMES = ("unique_id", "item_id", "series_id")
"""Columns that name series wherever they stand: names of Nixtla, GluonTS and others."""
TIME_NAMES = (
    *("ds", "date", "time", "timestamp", "datetime", "period", "time_period", "month", "quarter"),
    *("week", "day", "year"),
)


class Layout(NamedTuple):
    """How the series of a file stand.

    Parameters
    ----------
    time : str
        Column of the time; by default the first column, if series stand side by side.
    keys : list of str
        Columns that together name the series of a row; empty if the series stand side by side.
    others : list of str
        Columns of words that change within a series, where series stand below one another.
    """

    time: str
    keys: list[str]
    others: list[str]


def find_layout(table: Table, time: str | None) -> Layout:
    """Return the column of the time, and the columns that name series below one another.

    Without the columns of the time and of numbers, what is left names the series if the times
    repeat, and never for the same series. A column of words that changes within the series that
    the other columns name, such as the day of the week, does not name them.

    Parameters
    ----------
    table : Table
        Cells of a file.
    time : str, optional
        Column of the time as the user names it.
    """
    cells = dict(table.columns)
    words = [
        name
        for name, column in cells.items()
        if name != time and not looks_numeric(column) and not holds_time(column)
    ]
    named = [name for name in cells if name.lower() in KEY_NAMES]
    keys = named or words
    if not keys:
        return Layout(time or table.columns[0][0], [], [])
    found = time or _time_of({name: column for name, column in cells.items() if name not in keys})
    if found is not None:
        columns = pd.DataFrame({name: pd.factorize(cells[name])[0] for name in [*keys, found]})
        repeats = columns[found].duplicated().any()
        if named:
            return Layout(found, keys, [])
        if repeats and not columns.duplicated().any():
            keys = _naming(columns, keys, found)
            return Layout(found, keys, [name for name in words if name not in keys])
    return Layout(time or table.columns[0][0], [], [])


def _naming(columns: pd.DataFrame, words: list[str], time: str) -> list[str]:
    """Return the columns of words that name the series: those that make the fewest series.

    No series may have two rows for a time. Column by column is left out, first the one without
    which the fewest series are left, and of equals the last in the file. A column that is the same
    throughout each series, such as the region of a town, belongs to its name.
    """

    def n_series(names: list[str]) -> int:
        return len(columns[names].drop_duplicates())

    keys = words
    while len(keys) > 1:
        shorter = [[name for name in keys if name != key] for key in reversed(keys)]
        shorter = [names for names in shorter if not columns[[*names, time]].duplicated().any()]
        if not shorter:
            break
        keys = min(shorter, key=n_series)
    n_named = n_series(keys)
    return [name for name in words if name in keys or n_series([*keys, name]) == n_named]


def holds_time(column: pd.Series) -> bool:
    """Return whether a column reads as times."""
    return read_times(column.iloc[:3]) is not None and read_times(column) is not None


def _time_of(cells: dict[str, pd.Series]) -> str | None:
    """Return the first column that has the name of a time, or holds times and no plain numbers."""
    for name, column in cells.items():
        if name.lower() in TIME_NAMES and holds_time(column):
            return name
    for name, column in cells.items():
        times = read_times(column)
        if times is not None and not (
            pd.api.types.is_integer_dtype(times.index.dtype) and looks_numeric(column)
        ):
            return name
    return None


def series_names(table: Table, keys: Sequence[str]) -> pd.Series:
    """Return the name of the series that each row belongs to; several keys are joined by a slash.

    Raises
    ------
    DataError
        If a row does not name its series.
    """
    cells = dict(table.columns)
    for key in keys:
        empty = np.flatnonzero(cells[key].astype(str).str.strip().eq("") | cells[key].isna())
        if len(empty):
            raise DataError(
                f"column {key!r} does not name the series of every row",
                found=f"an empty cell in line {table.lines[empty[0]]}",
                remedy="fill it, or name the columns of the series with --id",
            )
    names = cells[keys[0]].astype(str)
    for key in keys[1:]:
        names = names + "/" + cells[key].astype(str)
    return names


def side_by_side(
    values: pd.DataFrame, times: pd.Index, names: pd.Series, lines: np.ndarray, where: str
) -> pd.DataFrame:
    """Return series that stand below one another as columns, in the order of their first rows.

    Parameters
    ----------
    values : DataFrame of shape (n_rows, n_values)
        Numbers in the order of the file.
    times : Index of shape (n_rows,)
    names : Series of shape (n_rows,)
        Name of the series of each row.
    lines : int array of shape (n_rows,)
    where : str
        The file, for messages.

    Returns
    -------
    DataFrame
        Sorted by time; NaN where a series has no row. With several columns of values, each column
        is named by its series and its value.

    Raises
    ------
    DataError
        If a series has two rows for a time.
    """
    rows = pd.MultiIndex.from_arrays([times, names.to_numpy()], names=[times.name, None])
    repeated = np.flatnonzero(rows.duplicated())
    if len(repeated):
        row = int(repeated[0])
        raise DataError(
            f"{where} repeats a time of a series",
            found=f"a second row for {names.iloc[row]!r} at {times[row]} in line {lines[row]}",
            wanted="a row for each series and time",
            remedy="correct the file, or name all columns that tell series apart: --id NAME",
        )
    order = list(dict.fromkeys(names))
    parts = {
        value: pd.Series(values[value].to_numpy(), index=rows).unstack().reindex(columns=order)
        for value in values
    }
    if len(parts) == 1:
        wide = next(iter(parts.values()))
    else:
        wide = pd.concat(
            [
                part.rename(columns=lambda name, v=value: f"{name} {v}")
                for value, part in parts.items()
            ],
            axis=1,
        )
    wide.columns = pd.Index(list(map(str, wide.columns)))
    return wide
