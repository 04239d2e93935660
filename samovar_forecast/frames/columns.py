"""Columns of a file as numbers and times; what cannot be read is named by file, line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.gaps import complete_times
from samovar_forecast.frames.long_layout import holds_time
from samovar_forecast.frames.numbers import choose_marks, is_missing, looks_numeric, to_numbers
from samovar_forecast.frames.text_table import Reading, Table
from samovar_forecast.frames.time_grid import TimeGrid
from samovar_forecast.frames.times import read_times


def no_series(path: Path, n_rows: int, n_columns: int) -> DataError:
    """Return the error of a file without a column of numbers, or without rows."""
    return DataError(
        f"{path} does not hold time and series",
        found=f"{n_rows} rows of {n_columns} columns",
        wanted="a header, dates or whole numbers in the first column, then a column a series",
        remedy="name the separator with --separator, or pass --number-rows if there is no time",
    )


def values_of(
    path: Path,
    table: Table,
    others: set[str | None],
    keep_gaps: bool,
    reading: Reading,
    told: list[str],
) -> pd.DataFrame:
    """Return the columns of numbers, or name the first cell that is none."""
    columns = {name: column for name, column in table.columns if name not in others}
    if not columns:
        raise no_series(path, len(table.lines), len(table.columns))
    marks = choose_marks(
        [column for column in columns.values() if looks_numeric(column)],
        table.separator,
        reading.decimal,
    )
    if marks.told:
        told.append(marks.told)
    values = {}
    for name, column in columns.items():
        values[name], bad = to_numbers(column, marks.decimal)
        if not keep_gaps:
            bad = bad | np.isnan(values[name])
        if bad.any():
            raise _not_numbers(path, table, name, column, bad)
    frame = pd.DataFrame(values)
    check_gaps(path, frame, keep_gaps)
    return frame


def check_gaps(path: Path, values: pd.DataFrame, keep_gaps: bool) -> None:
    """Refuse a series without any value, and where gaps are refused, a series with a gap."""
    for name in values:
        n_missing = int(values[name].isna().sum())
        if n_missing == len(values) or (n_missing and not keep_gaps):
            raise DataError(
                f"series {name!r} of {path} has gaps",
                found=f"{n_missing} of {len(values)} values are missing",
                wanted="a number in every row" if not keep_gaps else "some numbers",
                remedy=f"fill the gaps, or leave the series out: --leave-out {name!r}",
            )


def _not_numbers(
    path: Path, table: Table, name: str, column: pd.Series, bad: np.ndarray
) -> DataError:
    """Return the error of a column that does not hold numbers only: its first bad line."""
    row = int(np.flatnonzero(bad)[0])
    content = column.iloc[row]
    is_empty = pd.isna(content) or content == ""
    return DataError(
        f"column {name!r} of {path} is not all numbers",
        found=f"{'an empty cell' if is_empty else repr(str(content))} in line {table.lines[row]}"
        + (f" and {int(bad.sum()) - 1} more" if bad.sum() > 1 else ""),
        wanted="a number in every row",
        remedy=_remedy(name, column, all_bad=bool(bad.all())),
    )


def _remedy(name: str, column: pd.Series, *, all_bad: bool) -> str:
    """Return the remedy for a column that does not hold numbers only."""
    without = f"leave the column out: --leave-out {name!r}"
    if not all_bad:
        return f"fill the gap, write plain numbers such as 1234.5, or {without}"
    if holds_time(column):
        return f"if it holds the time, say so: --time {name!r}; or {without}"
    if column.astype(str).nunique() <= len(column) // 2:
        return (
            "if it names series that stand one below the other, say so: --id "
            f"{name!r}; or {without}"
        )
    return f"write plain numbers such as 1234.5, or {without}"


def times_of(path: Path, table: Table, time: str, reading: Reading, told: list[str]) -> pd.Index:
    """Return the column of the time as dates, periods or whole numbers."""
    column = dict(table.columns)[time]
    where = f"column {time!r} of {path}"
    missing = np.flatnonzero(is_missing(column))
    times = None if len(missing) else read_times(column, reading.day_first)
    if times is None:
        is_number = looks_numeric(column)
        row = int(missing[0]) if len(missing) else 0
        content = column.iloc[row]
        found = "an empty cell" if pd.isna(content) or content == "" else content
        raise DataError(
            f"{where} holds no time" if is_number else f"{where} does not parse as dates",
            found=f"{found if is_number else repr(found)} in line {table.lines[row]}",
            wanted="dates such as 2016-07-04, 2016-07-04 05:00, 2016Q3, 2016M07, or whole numbers",
            remedy="rewrite them, name another column with --time, or pass --number-rows to count "
            "rows instead",
        )
    if times.told:
        told.append(times.told)
    return times.index.rename(time)


def on_grid(
    values: pd.DataFrame, times: pd.Index, where: str, keep_gaps: bool, told: list[str]
) -> tuple[pd.DataFrame, int]:
    """Return the series on a regular grid of times, and the usual season."""
    y = values.set_axis(times)
    try:
        if keep_gaps:
            if len(times) > 1 and times.is_monotonic_decreasing and times.is_unique:
                told.append("rows turned round, the newest came first")
                y = y.iloc[::-1]
            completed = complete_times(y.index, where)
            y = y.set_axis(completed.rows).reindex(completed.grid)
            if completed.told:
                told.append(completed.told)
        return y, TimeGrid.of(y.index, where).season
    except DataError as error:
        repeats = times.has_duplicates
        raise DataError(
            error.problem,
            found=error.found,
            wanted=error.wanted,
            remedy=(
                "name the column of the series with --id, or give series that stand one below the "
                "other a column each; else " * repeats
            )
            + "correct the file, or pass --number-rows to count rows instead",
        ) from error
