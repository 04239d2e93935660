"""Series below one another, forecast frame by frame: the unit of work of every engine.

A frame has the columns ``unique_id``, ``ds`` and ``y``, the rows of a series together and in order
of time. Nothing is kept from frame to frame, so that frames can be forecast anywhere: the series
of a frame alone share what few rows say little of.

Letters: I series, H steps ahead.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from samovar_forecast.arguments import check_level, check_whole
from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.gaps import complete_times
from samovar_forecast.frames.panel import LARGEST, Instance, Panel
from samovar_forecast.frames.time_grid import TimeGrid
from samovar_forecast.frames.times import read_times
from samovar_forecast.learning.panel_forecaster import PanelForecaster
from samovar_forecast.learning.plan import Plan
from samovar_forecast.process import usual_torch

COLUMNS = ("unique_id", "ds", "y")
SERIES_TOGETHER = 1000
"""So many series of a frame are forecast together, which bounds the memory."""
LARGEST_GRID = 20
"""A series whose grid has more times than so many times its rows is irregular."""


def forecast_long_frame(
    frame: pd.DataFrame,
    horizon: int,
    interval: float | None = 0.8,
    freq: str | None = None,
) -> pd.DataFrame:
    """Forecast all series of a frame that stand below one another, each for itself.

    Every series is forecast by the default of ``SAMoVARForecaster``: nothing is trained. Missing
    values and missing times may stay. All series of a frame have one frequency.

    Parameters
    ----------
    frame : DataFrame
        With the columns ``unique_id``, ``ds`` (dates, periods, whole numbers, or text that reads
        as such) and ``y``. The rows of a series stand together, sorted by time.
    horizon : int
        Steps ahead (H).
    interval : float or None, default=0.8
        Share of the values that the interval is to hold; None for no interval.
    freq : str, optional
        Distance of the dates, as pandas writes it, such as ``"MS"``; by default that of the longest
        series of the frame.

    Returns
    -------
    DataFrame of I H rows
        ``unique_id``, ``ds``, ``forecast``, and for an interval of 80 % ``lower_80`` and
        ``upper_80``; the series in their order. Empty if the frame is.

    Raises
    ------
    ConfigurationError
        If the horizon is no positive integer or the interval no share.
    DataError
        If a column is missing, the rows of a series do not stand together, or a series has no
        value, an infinite value, or times that do not lie on the grid. The message names the
        series.
    """
    check_question(horizon, interval)
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise DataError(
            f"the frame has no column {missing[0]!r}",
            found=list(map(str, frame.columns)),
            wanted=f"the columns {', '.join(COLUMNS)}",
        )
    keys, bounds = _runs(frame)
    if not len(keys):
        nothing = None if interval is None else np.empty((2, 0))
        answer = _answer([], [], np.empty(0), nothing, interval)
        return answer.astype({name: frame[name].dtype for name in ("unique_id", "ds")})
    grid, instances = _instances(frame, keys, bounds, freq)
    parts = [
        _forecast(grid, instances[start : start + SERIES_TOGETHER], horizon, interval)
        for start in range(0, len(instances), SERIES_TOGETHER)
    ]
    return pd.concat(parts, ignore_index=True)


def forecast_long_frames(
    frames: Iterable[pd.DataFrame],
    horizon: int,
    interval: float | None = 0.8,
    freq: str | None = None,
) -> Iterator[pd.DataFrame]:
    """Forecast the series of frames that follow each other, and may cut a series in two.

    A series that is cut is forecast with the frame in which it ends. A frame that cuts none is
    forecast as :func:`forecast_long_frame` does. Two frames are in memory at a time.

    Parameters
    ----------
    frames : iterable of DataFrame
        The rows of a series stand together, over the borders of the frames too.
    horizon, interval, freq
        As of :func:`forecast_long_frame`.

    Yields
    ------
    DataFrame
        As :func:`forecast_long_frame` returns it.
    """
    waiting: pd.DataFrame | None = None
    for frame in frames:
        if not len(frame):
            continue
        if waiting is None:
            waiting = frame
            continue
        goes_on = waiting["unique_id"].to_numpy() == frame["unique_id"].iloc[0]
        end = int(np.flatnonzero(~goes_on).max(initial=-1)) + 1
        if end:
            yield forecast_long_frame(waiting.iloc[:end], horizon, interval, freq)
        parts = [waiting.iloc[end:], frame]
        waiting = frame if end == len(waiting) else pd.concat(parts, ignore_index=True)
    if waiting is not None:
        yield forecast_long_frame(waiting, horizon, interval, freq)


def check_question(horizon: int, interval: float | None) -> None:
    """Refuse a horizon that is no positive integer, and an interval that is no share.

    Raises
    ------
    ConfigurationError
    """
    check_whole("horizon", horizon, 1)
    if interval is not None:
        check_level(interval, "interval")


def _runs(frame: pd.DataFrame) -> tuple[list[Hashable], np.ndarray]:
    """Return the series of a frame and the rows at which they begin, and the number of rows."""
    names = np.asarray(frame["unique_id"], dtype=object)
    if pd.isna(names).any():
        row = int(np.flatnonzero(pd.isna(names))[0])
        raise DataError("unique_id does not name the series of a row", found=f"none in row {row}")
    is_first = np.ones(len(names), dtype=bool)
    is_first[1:] = names[1:] != names[:-1]
    starts = np.flatnonzero(is_first)
    keys = names[starts].tolist()
    if len(set(keys)) < len(keys):
        repeated = pd.Index(keys, dtype=object).duplicated().argmax()
        raise DataError(
            f"the rows of series {keys[repeated]!r} do not stand together",
            wanted="the rows of a series one after the other",
            remedy="sort the frame by unique_id and ds",
        )
    return keys, np.append(starts, len(names))


def _instances(
    frame: pd.DataFrame, keys: list[Hashable], bounds: np.ndarray, freq: str | None
) -> tuple[TimeGrid, list[Instance]]:
    """Return the grid, and all series on it; at a missing time there is a NaN."""
    read = None if frame["ds"].isna().any() else read_times(frame["ds"])
    if read is None:
        raise DataError(
            "ds does not hold the time of every row",
            found=f"{frame['ds'].dtype}, for example {frame['ds'].iloc[:1].tolist()}",
            wanted="dates, periods or whole numbers",
        )
    times = read.index.rename("ds")
    values = pd.to_numeric(frame["y"]).to_numpy(np.float64)
    if freq is not None and isinstance(times, pd.DatetimeIndex):
        grid = TimeGrid("datetime", to_offset(freq), "ds")
    else:
        longest = int(np.diff(bounds).argmax())
        where = f"series {keys[longest]!r}"
        grid = TimeGrid.of(complete_times(times[slice(*bounds[longest:][:2])], where).grid, where)
    if grid.kind == "period" and isinstance(times, pd.DatetimeIndex):  # dates drift in their months
        times = times.to_period(grid.freq)
    known: dict[tuple[Any, Any], int] = {}  # steps between two times
    instances = []
    for key, start, stop in zip(keys, bounds[:-1], bounds[1:], strict=True):
        rows, target = times[start:stop], values[start:stop]
        n_rows, ends = stop - start, (rows[0], rows[-1])
        if ends not in known:
            known[ends] = grid.steps_between(*ends, f"series {key!r}")
        if known[ends] != n_rows - 1 or not rows.is_monotonic_increasing or not rows.is_unique:
            target = _on_grid(grid, rows, target, known[ends] + 1, key)
        if not np.isfinite(target).any() or (np.abs(target) >= LARGEST).any():
            raise DataError(
                f"series {key!r} has no value, or one that is infinite",
                wanted="finite numbers, or NaN where a value is missing",
            )
        none = np.empty((len(target), 0))
        instances.append(Instance(key, rows[-1], target[:, None], none, none))
    return grid, instances


def _on_grid(
    grid: TimeGrid, rows: pd.Index, target: np.ndarray, n_times: int, key: Hashable
) -> np.ndarray:
    """Return the values at every time of the grid, NaN where the series has no row."""
    if not (rows.is_monotonic_increasing and rows.is_unique):
        raise DataError(
            f"the times of series {key!r} do not rise",
            wanted="a row for each time, in order",
            remedy="sort the frame by unique_id and ds, and drop repeated rows",
        )
    if n_times > LARGEST_GRID * len(rows):
        raise DataError(
            f"series {key!r} is irregular", found=f"{len(rows)} rows of {n_times} times"
        )
    places = grid.ahead(rows[0], range(n_times)).get_indexer(rows)
    if (places < 0).any():
        raise DataError(
            f"a time of series {key!r} does not lie on the grid of the longest series",
            found=str(rows[int(np.argmin(places))]),
            wanted=f"steps of {grid.freq or 1}",
        )
    complete = np.full(n_times, np.nan)
    complete[places] = target
    return complete


def _forecast(
    grid: TimeGrid, instances: list[Instance], horizon: int, interval: float | None
) -> pd.DataFrame:
    """Return the forecasts of some series."""
    none = pd.Index([])
    panel = Panel(tuple(instances), grid, pd.Index(["y"]), none, none, ("unique_id",))
    steps = [np.arange(1, horizon + 1)] * len(instances)
    with usual_torch():
        model, _ = PanelForecaster.learn(panel, Plan(), horizon=horizon)
        points = np.concatenate(model.forecast(steps, None))[:, 0]
        bounds = None
        if interval is not None:
            levels = (1 - interval) / 2, (1 + interval) / 2
            answers = model.predictive(steps, None)
            bounds = np.concatenate([answer.quantiles(levels) for answer in answers], 1)[..., 0]
    keys = [instance.key for instance in instances for _ in range(horizon)]
    times = [grid.ahead(instance.last, steps[0]) for instance in instances]
    return _answer(keys, times, points, bounds, interval)


def _answer(
    keys: list[Hashable],
    times: list[pd.Index],
    points: np.ndarray,
    bounds: np.ndarray | None,
    interval: float | None,
) -> pd.DataFrame:
    """Return forecasts (I H,) with their bounds (2, I H) as a frame."""
    ahead = times[0].append(times[1:]) if times else pd.DatetimeIndex([])
    if isinstance(ahead, pd.PeriodIndex):
        ahead = ahead.astype(str)  # no file of tables knows periods
    columns = {"unique_id": keys, "ds": ahead.to_numpy(), "forecast": points}
    if bounds is not None:
        assert interval is not None
        percent = f"{100 * interval:g}"
        columns |= {f"lower_{percent}": bounds[0], f"upper_{percent}": bounds[1]}
    return pd.DataFrame(columns)
