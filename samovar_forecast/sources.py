"""Series to try the forecasters on: what an installed dependency brings, and the user's CSV."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.exceptions import DataError
from samovar_forecast.time_grid import TimeGrid

ISO_DATE = re.compile(r"\s*\d{4}-\d")
QUARTER = re.compile(r"\s*\d{4}\s*[-: ]?\s*[Qq][1-4]\s*")


class Dataset(NamedTuple):
    """Series to compare on, and what a reader must know of them.

    Parameters
    ----------
    y : DataFrame
        The series, a column each.
    units : dict
        Units of the series, as far as known.
    season : int
        Steps in a season, 1 for none.
    description : sequence of str
        Where the data come from and what was done to them, in words.
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


def read_csv(path: Path, *, number_rows: bool = False) -> Dataset:
    """Return the series of a CSV file: time in its first column, a series in each other one.

    Parameters
    ----------
    path : Path
        The file.
    number_rows : bool, default=False
        Count the rows instead of reading the first column, which is left out.

    Raises
    ------
    DataError
        If there is no such file, or if it does not hold regular time and numbers without gaps.
    """
    if not path.is_file():
        raise DataError(f"there is no file {str(path)!r}", remedy="check the path")
    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as CSV", found=error) from error
    if table.shape[1] < 2 or table.empty:
        raise DataError(
            f"{path} does not hold time and series",
            found=f"{len(table)} rows of {table.shape[1]} comma-separated columns",
            wanted="a header, dates or whole numbers in the first column, then a column a series",
        )
    time, y = table.iloc[:, 0], table.iloc[:, 1:]
    for name in y:
        _check_column(path, y[name])
    if number_rows:
        y.index, season = pd.RangeIndex(1, len(y) + 1, name="row"), 1
        span = f"rows 1 to {len(y)}"
    else:
        y.index, season = _time_index(path, time)
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
    """Refuse a column of the file that is not all numbers, naming the first bad line."""
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
        remedy="fill the gap or drop the column",
    )


def _time_index(path: Path, time: pd.Series) -> tuple[pd.Index, int]:
    """Return the first column as dates if it parses or as integers, and its usual season."""
    where = f"the first column of {path}"
    index: pd.Index
    if pd.api.types.is_integer_dtype(time.dtype):
        index = pd.Index(time)
    elif pd.api.types.is_numeric_dtype(time.dtype) or time.isna().any():
        raise DataError(
            f"{where} holds no time",
            found=f"{time.iloc[int(time.isna().argmax())]} in line {int(time.isna().argmax()) + 2}",
            wanted="dates or whole numbers",
            remedy="put time there, or pass --number-rows with any first column",
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
                remedy="rewrite them, or pass --number-rows to count rows instead",
            ) from error
    index.name = time.name
    try:
        season = TimeGrid.of(index, where).season
    except DataError as error:
        raise DataError(
            error.problem,
            found=error.found,
            wanted=error.wanted,
            remedy="complete or sort the file, or pass --number-rows to count rows instead",
        ) from error
    return index, season


def _dates(time: pd.Series) -> pd.DatetimeIndex:
    """Return text as dates; of two readings of 3/4/2016, the one that makes them regular."""
    if ISO_DATE.match(time.iloc[0]):
        return pd.DatetimeIndex(pd.to_datetime(time, format="ISO8601"))
    readings = [
        pd.DatetimeIndex(pd.to_datetime(time, format="mixed", dayfirst=dayfirst))
        for dayfirst in (False, True)
    ]
    regular = [dates for dates in readings if dates.is_unique and pd.infer_freq(dates) is not None]
    return (regular or readings)[0]
