"""Series and where they come from: the user's file, and data from an installed dependency."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.exceptions import ConfigurationError, DataError, MissingPackageError
from samovar_forecast.frames.columns import check_gaps, no_series, on_grid, times_of, values_of
from samovar_forecast.frames.gaps import counted
from samovar_forecast.frames.long_layout import (
    TIME_NAMES,
    find_layout,
    holds_time,
    series_names,
    side_by_side,
)
from samovar_forecast.frames.numbers import is_missing, looks_numeric
from samovar_forecast.frames.text_table import Guess, Reading, Table, file_content, read_text_table
from samovar_forecast.frames.time_grid import TimeGrid
from samovar_forecast.frames.times import read_times

PARQUET = b"PAR1"
"""First bytes of a Parquet file."""
OF_TEXT = ("separator", "header", "encoding")
"""Parts of a reading that say something of text alone."""


class Dataset(NamedTuple):
    """Series for a comparison, and the facts that a reader must know of the series.

    Parameters
    ----------
    y : DataFrame
        The series, a column each.
    units : dict
        Units of the series, as far as known.
    season : int
        Steps in a season; 1 if there is no season.
    description : sequence of str
        Sentences about the source of the data and the transformation of the data.
    guesses : sequence of str, default=()
        What the file leaves open, and how it was read.
    """

    y: pd.DataFrame
    units: dict[str, str]
    season: int
    description: Sequence[str]
    guesses: Sequence[str] = ()


def us_macro_data() -> Dataset:
    """Return quarterly US series in percent, from the data that statsmodels brings."""
    from statsmodels.datasets import macrodata

    raw = macrodata.load_pandas().data
    first = f"{raw['year'].iloc[0]:.0f}Q{raw['quarter'].iloc[0]:.0f}"
    raw.index = pd.period_range(first, periods=len(raw), freq="Q", name="quarter")
    levels = {"gdp": "realgdp", "consumption": "realcons", "investment": "realinv"}
    y = pd.DataFrame(
        {name: 400 * np.log(raw[source]).diff() for name, source in levels.items()}
        | {"inflation": raw["infl"], "unemployment": raw["unemp"], "tbill": raw["tbilrate"]}
    ).iloc[1:]  # the first quarter has no growth
    per_year = dict.fromkeys([*levels, "inflation", "tbill"], "% a year")
    return Dataset(
        y,
        {**per_year, "unemployment": "% of labour force"},
        season=1,
        description=(
            f"Data: US quarterly macro series from statsmodels (macrodata), {y.index[0]} to "
            f"{y.index[-1]}, {len(y)} rows, seasonally adjusted at the source.",
            "Series: growth of real gdp, consumption and investment (400 times the difference "
            "of logs) and inflation, in percent a year; unemployment and three-month tbill rate, "
            "in percent.",
        ),
    )


def read_file(
    path: Path,
    *,
    time: str | None = None,
    keys: Sequence[str] = (),
    leave_out: Sequence[str] = (),
    number_rows: bool = False,
    keep_gaps: bool = False,
    reading: Reading | None = None,
) -> Dataset:
    """Return the series of a CSV or Parquet file, compressed or not.

    Series stand side by side, a column each beside the column of the time, or below one another,
    with a column that names the series of each row.

    Parameters
    ----------
    path : Path
        The file.
    time : str, optional
        Column that holds the time; by default the first column, and in a file of series below one
        another the first column that reads as times.
    keys : sequence of str, default=()
        Columns that together name the series of a row, where series stand below one another; by
        default the columns of words that do not change within a series, if the times repeat.
    leave_out : sequence of str, default=()
        Columns that are not read.
    number_rows : bool, default=False
        Count the rows instead of reading the time. A column of times is left out; where there is
        none, every column is a series.
    keep_gaps : bool, default=False
        Keep missing cells, and missing times as rows of missing cells, and turn rows round that
        begin with the newest. By default a gap is an error.
    reading : Reading, optional
        What the user says of the text; by default all is told from the file.

    Raises
    ------
    DataError
        If the file does not exist, lacks a named column, has two columns of a name, or does not
        hold regular times and numbers. The message names file, line and column.
    MissingPackageError
        If the file is Parquet and pyarrow is not installed.
    """
    reading = reading or Reading()
    content = file_content(path)
    table = (
        _parquet_table(path, content, reading)
        if content.startswith(PARQUET)
        else read_text_table(path, content, reading)
    )
    table = _without(path, table, leave_out, [*keys, *([] if time is None else [time])])
    told = list(table.told)
    if number_rows:
        if keys:
            raise ConfigurationError(
                "rows of series that stand below one another cannot be numbered", found="--id"
            )
        time = _column_to_skip(path, table, time, told)
    elif keys:
        time = time or next(
            (name for name, column in table.columns if name not in keys and holds_time(column)),
            table.columns[0][0],
        )
    else:
        time, keys, others = find_layout(table, time)
        if others and len(table.columns) > len({time, *keys, *others}):  # else no numbers are left
            table = _without(path, table, others, [])
            told.append(_left_out(others, keys))
    values = values_of(path, table, {time, *keys}, keep_gaps, reading, told)
    if number_rows:
        y, season = values.set_axis(pd.RangeIndex(1, len(values) + 1, name="row")), 1
    else:
        assert time is not None
        where = f"column {time!r} of {path}"
        times = times_of(path, table, time, reading, told)
        if keys:
            values = side_by_side(
                values, times, series_names(table, keys), table.lines, f"the file {path}"
            )
            times = values.index
            told.append(f"series below one another, named by {', '.join(map(repr, keys))}")
            check_gaps(path, values, keep_gaps)
        y, season = on_grid(values, times, where, keep_gaps, told)
    missing = values.isna().sum()  # without the times that the file lacks
    if n_missing := int(missing.sum()):
        worst = missing.idxmax()
        n_worst = int(missing[worst])
        most = f"in {worst!r}" if n_worst == n_missing else f"{n_worst} of them in {worst!r}"
        told.append(f"{counted(n_missing, 'cell')} without a value, {most}")
    span = f"rows 1 to {len(y)}" if number_rows else f"{y.index[0]} to {y.index[-1]}"
    rows = counted(len(table.lines), "row") + (
        f" of {counted(len(values), 'time')}" if keys else ""
    )
    told = list(dict.fromkeys(told))
    return Dataset(
        y,
        units={},
        season=season,
        description=(
            f"Data: {path}, {span.replace(' 00:00:00', '')}, {rows}, {y.shape[1]} series.",
            "Series: as they stand in the file, not transformed.",
            *([f"Read with: {'; '.join(told)}."] if told else []),
        ),
        guesses=[words for words in told if isinstance(words, Guess)],
    )


def read_covariates(
    path: Path,
    y: pd.DataFrame,
    horizon: int,
    *,
    number_rows: bool = False,
    reading: Reading | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the covariates of a file at the rows of the series, and at the rows ahead.

    Parameters
    ----------
    path : Path
        Its columns are the time and a covariate each.
    y : DataFrame
        The series, on a regular grid.
    horizon : int
        Rows ahead.
    number_rows, reading
        As in `read_file`.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_covariates)
        NaN where the file lacks a row.
    X_ahead : DataFrame of shape (horizon, n_covariates)

    Raises
    ------
    DataError
        If the file lacks a value ahead, or more than half of the rows of the series, or has
        several rows for one of theirs.
    """
    X = read_file(path, number_rows=number_rows, keep_gaps=True, reading=reading).y
    ahead = TimeGrid.of(y.index, "the series").ahead(y.index[-1], range(1, horizon + 1))
    if isinstance(ahead, pd.PeriodIndex):
        X.index = _in_periods(X.index, ahead.freq, path)
    n_known = int(y.index.isin(X.index).sum())
    if 2 * n_known < len(y):
        raise DataError(
            f"{path} does not hold the covariates at the rows of the series",
            found=f"{n_known} of {len(y)} rows, and times such as {X.index[0]}",
            wanted=f"times such as {y.index[0]}, from there to {ahead[-1]}",
        )
    X_ahead = X.reindex(ahead)
    for name in X_ahead:
        missing = np.flatnonzero(X_ahead[name].isna())
        if len(missing):
            raise DataError(
                f"covariate {name!r} of {path} is not known ahead",
                found=f"no value at {ahead[missing[0]]}",
                wanted=f"a value at every time from {ahead[0]} to {ahead[-1]}",
                remedy="add the values, or leave the column out of the file",
            )
    return X.reindex(y.index), X_ahead


def _in_periods(times: pd.Index, freq: Any, path: Path) -> pd.Index:
    """Return the times of covariates as periods of the series, if each has a period of its own."""
    if not isinstance(times, (pd.DatetimeIndex, pd.PeriodIndex)):
        return times
    periods = times.asfreq(freq) if isinstance(times, pd.PeriodIndex) else times.to_period(freq)
    if periods.has_duplicates:
        first = periods[periods.duplicated()][0]
        n_rows, own = int((periods == first).sum()), times.freqstr or pd.infer_freq(times)
        raise DataError(
            f"{path} has several rows for a row of the series",
            found=f"{counted(n_rows, 'row')} in {first}: steps of {own!r}",
            wanted=f"a row for each period of the series: steps of {freq.freqstr!r}",
            remedy="aggregate the file to these steps, by sums, means or last values",
        )
    return periods


def _parquet_table(path: Path, content: bytes, reading: Reading) -> Table:
    """Return the columns of a Parquet file, those of its index first."""
    given = [name for name in OF_TEXT if getattr(reading, name) is not None]
    told = [f"--{name} has no effect on Parquet" for name in given]
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except ImportError as error:
        raise MissingPackageError(
            f"{path} is Parquet, which needs the package 'pyarrow'",
            remedy="install it with: pip install 'samovar_forecast[parquet]'; or save the file as "
            "CSV",
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as Parquet", found=error) from error
    if not (isinstance(frame.index, pd.RangeIndex) and frame.index.name is None):
        frame = frame.reset_index()
    columns = [
        (str(name), column.astype(object) if pd.api.types.is_string_dtype(column) else column)
        for name, column in frame.items()
    ]
    return Table(columns, np.arange(1, len(frame) + 1), told=told)


def _without(path: Path, table: Table, leave_out: Sequence[str], asked_for: Sequence[str]) -> Table:
    """Return the table without the columns to leave out, each name once."""
    names = [name for name, _ in table.columns]
    for name in (*leave_out, *asked_for):
        if name not in names:
            raise DataError(
                f"{path} has no such column", found=repr(name), wanted=f"one of {names}"
            )
    for name in asked_for:
        if name in leave_out:
            raise DataError(
                f"column {name!r} of {path} is to be left out, and is asked for",
                found=f"--leave-out {name!r}, beside --time or --id {name!r}",
                remedy="name the column in one of them",
            )
    kept = [(name, column) for name, column in table.columns if name not in leave_out]
    for name, count in Counter(name for name, _ in kept).items():
        if count > 1:
            places = [str(place) for place, other in enumerate(names, 1) if other == name]
            raise DataError(
                f"columns {' and '.join(places)} of {path} have the same name",
                found=repr(name),
                wanted="a name of its own for each column",
                remedy=f"rename them in the file, or leave them out: --leave-out {name!r}",
            )
    if not kept or not len(table.lines):
        raise no_series(path, len(table.lines), len(kept))
    return Table(kept, table.lines, table.separator, table.told)


def _left_out(others: Sequence[str], keys: Sequence[str]) -> Guess:
    """Return which columns of words do not name the series, and what decides otherwise."""
    columns = "column" if len(others) == 1 else "columns"
    options = " ".join(f"--id {name!r}" for name in [*keys, *others])
    return Guess(
        f"{columns} {', '.join(map(repr, others))} left out: the words change within a series "
        f"({options} decides otherwise)"
    )


def _column_to_skip(path: Path, table: Table, time: str | None, told: list[str]) -> str | None:
    """Return the column of the time, which is not read where rows are numbered, or None.

    The first column is that of the time if it holds words or dates, counts, or has the name of a
    time. A column that stands alone is a series.

    Raises
    ------
    DataError
        If the user names the only column as that of the time.
    """
    first, column = table.columns[0]
    if time is not None and len(table.columns) == 1:
        raise DataError(
            f"no series is left in {path}",
            found=f"--time {time!r}, the only column",
            remedy="leave --time out: with --number-rows, the column is a series",
        )
    if time is None and len(table.columns) > 1:
        times = read_times(column) if not is_missing(column).any() else None
        if times is None:
            is_time = not looks_numeric(column)
        elif pd.api.types.is_integer_dtype(times.index.dtype):
            is_time = len(column) > 1 and set(np.diff(times.index)) == {1}
        else:
            is_time = True
        time = first if is_time or first.lower() in TIME_NAMES else None
    told.append(
        "rows numbered, every column a series"
        if time is None
        else f"rows numbered, the column {time!r} left out"
    )
    return time
