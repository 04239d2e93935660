"""Series for a first comparison: data from an installed dependency, and the user's CSV file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.time_grid import TimeGrid

ISO_DATE = re.compile(r"\s*\d{4}-\d")
QUARTER = re.compile(r"\s*\d{4}\s*[-: ]?\s*[Qq][1-4]\s*")


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
    """

    y: pd.DataFrame
    units: dict[str, str]
    season: int
    description: Sequence[str]


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


def read_csv(
    path: Path,
    *,
    time: str | None = None,
    leave_out: Sequence[str] = (),
    number_rows: bool = False,
) -> Dataset:
    """Return the series of a CSV file: time in a column, a series in each other column.

    Parameters
    ----------
    path : Path
        The file.
    time : str, optional
        Name of the column that holds the time; by default the first column.
    leave_out : sequence of str, default=()
        Columns that are not read.
    number_rows : bool, default=False
        Count the rows instead of reading the time; the column of the time is left out.

    Raises
    ------
    DataError
        If the file does not exist, if the file lacks a named column, or if the file does not hold
        regular times and numbers without gaps.
    """
    if not path.is_file():
        raise DataError(f"there is no file {str(path)!r}", remedy="check the path")
    try:
        table = pd.read_csv(path)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} cannot be read as text", found=error, remedy="save it as UTF-8"
        ) from error
    except ValueError as error:
        raise DataError(f"{path} cannot be read as CSV", found=error) from error
    for name in (*leave_out, *([] if time is None else [time])):
        if name not in table:
            raise DataError(
                f"{path} has no such column", found=repr(name), wanted=f"one of {list(table)}"
            )
    table = table.drop(columns=list(leave_out))
    if table.shape[1] < 2 or table.empty:
        raise DataError(
            f"{path} does not hold time and series",
            found=f"{len(table)} rows of {table.shape[1]} comma-separated columns",
            wanted="a header, dates or whole numbers in the first column, then a column a series",
            remedy="save it with commas between the columns and points in the numbers",
        )
    times = table.iloc[:, 0] if time is None else table[time]
    y = table.drop(columns=times.name)
    for name in y:
        _check_column(path, y[name])
    if number_rows:
        y.index, season = pd.RangeIndex(1, len(y) + 1, name="row"), 1
        span = f"rows 1 to {len(y)}"
    else:
        y.index, season = _time_index(path, times)
        span = f"{y.index[0]} to {y.index[-1]}".replace(" 00:00:00", "")
    return Dataset(
        y,
        units={},
        season=season,
        description=(
            f"Data: {path}, {span}, {len(y)} rows, {y.shape[1]} series.",
            "Series: as they stand in the file, not transformed.",
        ),
    )


def _check_column(path: Path, column: pd.Series) -> None:
    """Refuse a column that does not hold numbers only; the error names the first bad line."""
    numbers = pd.to_numeric(column, errors="coerce")
    bad = np.flatnonzero(~np.isfinite(numbers.to_numpy(dtype=float)))
    if not len(bad):
        return
    content = column.iloc[bad[0]]
    raise DataError(
        f"column {column.name!r} of {path} is not all numbers",
        found=f"{'an empty cell' if pd.isna(content) else repr(str(content))} in line "
        f"{bad[0] + 2}" + (f" and {len(bad) - 1} more" if len(bad) > 1 else ""),
        wanted="a number in every row",
        remedy=_remedy(column, all_bad=len(bad) == len(column)),
    )


def _remedy(column: pd.Series, *, all_bad: bool) -> str:
    """Return the remedy for a column that does not hold numbers only."""
    without = f"leave the column out: --leave-out {column.name!r}"
    if not all_bad:
        return f"fill the gap, write plain numbers such as 1234.5, or {without}"
    texts = column.astype(str)
    if pd.to_datetime(texts, errors="coerce", format="mixed").notna().all():
        return f"if it holds the time, say so: --time {column.name!r}; or {without}"
    if texts.nunique() <= len(texts) // 2:
        return (
            "if it names series that stand one below the other, give each a column of its own, or "
            f"a file of its own; or {without}"
        )
    return f"write plain numbers such as 1234.5, or {without}"


def _time_index(path: Path, time: pd.Series) -> tuple[pd.Index, int]:
    """Return the column of the time as dates, quarters or integers, and the usual season."""
    where = f"column {time.name!r} of {path}"
    index: pd.Index
    if pd.api.types.is_integer_dtype(time.dtype):
        index = _compact_dates(time)
    elif pd.api.types.is_numeric_dtype(time.dtype) or time.isna().any():
        raise DataError(
            f"{where} holds no time",
            found=f"{time.iloc[int(time.isna().argmax())]} in line {int(time.isna().argmax()) + 2}",
            wanted="dates or whole numbers",
            remedy="name another column with --time, or pass --number-rows to count rows instead",
        )
    elif time.str.fullmatch(QUARTER).all():
        index = pd.PeriodIndex(time.str.upper().str.replace(r"[^0-9Q]", "", regex=True), freq="Q")
    else:
        try:
            index = _dates(time)
        except ValueError as error:
            raise DataError(
                f"{where} does not parse as dates",
                found=repr(time.iloc[0]),
                wanted="dates such as 2016-07-04 or 2016-07-04 05:00",
                remedy="rewrite them, name another column with --time, or pass --number-rows to "
                "count rows instead",
            ) from error
    index.name = time.name
    try:
        season = TimeGrid.of(index, where).season
    except DataError as error:
        repeats = index.has_duplicates
        raise DataError(
            error.problem,
            found=error.found,
            wanted=error.wanted,
            remedy=("give series that stand one below the other a column each; else " * repeats)
            + "correct the file, or pass --number-rows to count rows instead",
        ) from error
    return index, season


def _compact_dates(time: pd.Series) -> pd.Index:
    """Return whole numbers as dates if all numbers look like 20160704, else unchanged."""
    texts = time.astype(str)
    if texts.str.len().eq(8).all():
        dates = pd.to_datetime(texts, format="%Y%m%d", errors="coerce")
        if dates.notna().all():
            return pd.DatetimeIndex(dates)
    return pd.Index(time)


def _dates(time: pd.Series) -> pd.DatetimeIndex:
    """Return text as dates; 3/4/2016 is read in the way that makes the dates regular."""
    if ISO_DATE.match(time.iloc[0]):
        return pd.DatetimeIndex(pd.to_datetime(time, format="ISO8601"))
    readings = [
        pd.DatetimeIndex(pd.to_datetime(time, format="mixed", dayfirst=dayfirst))
        for dayfirst in (False, True)
    ]
    regular = [dates for dates in readings if dates.is_unique and pd.infer_freq(dates) is not None]
    return (regular or readings)[0]
