"""Columns of a file as numbers and times; what cannot be read is named by file, line and column."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.gaps import complete_times
from samovar_forecast.frames.long_layout import holds_time
from samovar_forecast.frames.numbers import (
    OTHER,
    choose_marks,
    is_missing,
    looks_numeric,
    to_numbers,
)
from samovar_forecast.frames.text_table import Reading, Table
from samovar_forecast.frames.time_grid import TimeGrid
from samovar_forecast.frames.times import (
    first_unread,
    has_points_in_dates,
    is_written_as_usual,
    read_times,
)

MOST_LINES_OF_NOTES = 5
"""Lines below a table that may be totals or notes; more lines are rows."""
INFINITE = re.compile(r"[+-]?inf(?:inity)?|[+-]?\u221e|[+-]?[\d.,]+[eE]\d+", re.IGNORECASE)
"""Cells without end, and numbers too large for a computer."""


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
        points_in_dates=any(
            has_points_in_dates(column) for name, column in table.columns if name in others
        ),
    )
    if marks.told:
        told.append(marks.told)
    values = {}
    for name, column in columns.items():
        values[name], bad = to_numbers(column, marks.decimal)
        if not keep_gaps:
            bad = bad | np.isnan(values[name])
        if bad.any():
            raise _not_numbers(path, table, name, column, bad, reading)
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
    path: Path, table: Table, name: str, column: pd.Series, bad: np.ndarray, reading: Reading
) -> DataError:
    """Return the error of a column that does not hold numbers only: its first bad line."""
    row = int(np.flatnonzero(bad)[0])
    content = column.iloc[row]
    is_empty = pd.isna(content) or content == ""
    what = "has empty cells" if is_empty else "is not all numbers"
    return DataError(
        f"column {name!r} of {path} {what}",
        found=f"{'an empty cell' if is_empty else repr(str(content))} in line {table.lines[row]}"
        + (f" and {int(bad.sum()) - 1} more" if bad.sum() > 1 else ""),
        wanted="a number in every row",
        remedy=_remedy(name, column, bad, reading),
    )


def _remedy(name: str, column: pd.Series, bad: np.ndarray, reading: Reading) -> str:
    """Return the remedy for a column that does not hold numbers only."""
    without = f"leave the column out: --leave-out {name!r}"
    row = int(np.flatnonzero(bad)[0])
    if is_missing(column.iloc[[row]])[0]:
        return f"fill it, or {without}; samovar-forecast forecast takes empty cells"
    content = str(column.iloc[row])
    if INFINITE.fullmatch(content):
        return f"write a finite number, leave the cell empty for a gap, or {without}"
    if (
        reading.decimal is not None
        and not to_numbers(column.iloc[[row]], OTHER[reading.decimal])[1]
    ):
        return f"leave --decimal {reading.decimal} out, or {without}"
    if reading.header is False and row == 0:
        return f"if line 1 holds names, leave --header no out; else {without}"
    if not bad.all():
        return f"write plain numbers such as 1234.5, leave the cell empty for a gap, or {without}"
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
        row = int(missing[0]) if len(missing) else first_unread(column, reading.day_first)
        raise _no_times(where, table, column, row, reading)
    if reading.day_first is not None:
        other = read_times(column, not reading.day_first)
        if other is not None and other.index.equals(times.index):
            told.append("--dates changes nothing, for the dates leave no choice")
    if times.told:
        told.append(times.told)
    return times.index.rename(time)


def _no_times(where: str, table: Table, column: pd.Series, row: int, reading: Reading) -> DataError:
    """Return the error of a column that does not hold times only: its first bad cell."""
    content = column.iloc[row]
    is_empty = bool(is_missing(column.iloc[[row]])[0])
    is_number = looks_numeric(column.iloc[[row]])
    found = "an empty cell" if pd.isna(content) or content == "" else content
    found = f"{found if is_number else repr(found)} in line {table.lines[row]}"
    if row:
        found += f", beside {column.iloc[0]!r} in line {table.lines[0]}"
    if not is_empty and reading.day_first is not None and read_times(column) is not None:
        order = "day-first" if reading.day_first else "month-first"
        return DataError(
            f"{where} does not hold dates that are {order}",
            found=f"{content!r} in line {table.lines[row]}",
            remedy=f"leave --dates {order} out",
        )
    below = column.iloc[row:].astype(str)
    is_note = row > 0 and len(below) <= MOST_LINES_OF_NOTES and not below.str.contains(r"\d").any()
    other = "name another column with --time, or pass --number-rows to count rows instead"
    if is_note:
        remedy = f"line {table.lines[row]} looks like a total or a note below the table: remove it"
    elif reading.header is False and row == 0:
        remedy = f"if line {table.lines[0]} holds names, leave --header no out; else {other}"
    elif row and not is_written_as_usual(column)[row]:
        remedy = f"write the cell like the others, {other}"
    elif row:
        remedy = f"correct the cell, or rewrite all cells in one of these ways, {other}"
    else:
        remedy = f"rewrite them, {other}"
    return DataError(
        f"{where} holds no time" if is_number else f"{where} does not parse as dates",
        found=found,
        wanted="dates such as 2016-07-04, 2016-07-04 05:00, 2016Q3, 2016M07, July 2016, "
        "2016-W27, or whole numbers",
        remedy=remedy,
    )


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
        is_sorted = times.is_monotonic_increasing or times.is_monotonic_decreasing
        raise DataError(
            error.problem,
            found=error.found,
            wanted=error.wanted,
            remedy=(
                "name the column of the series with --id, or give series that stand one below the "
                "other a column each; else " * repeats
            )
            + "sort the rows of the file by time; else " * (not repeats and not is_sorted)
            + "correct the file, or pass --number-rows to count rows instead",
        ) from error
