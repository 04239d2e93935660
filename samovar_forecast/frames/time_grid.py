"""Regular time axes: the times of an index, and the times that come next.

The network sees row numbers alone. This module knows the times of the rows (dates, periods,
integers), the distance between the rows, and the times that come next.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from samovar_forecast.exceptions import DataError

Kind = Literal["datetime", "period", "timedelta", "integer"]

# Number of index rows in a stretch from which the frequency of a broken index is guessed.
_STRETCH = 8
# If a guessed grid has more times than this multiple of the rows, the index is irregular.
_LARGEST_GRID = 20
LONGEST_SEASON = 1_000_000
"""Steps; a fortnight of seconds."""


@dataclass(frozen=True)
class TimeGrid:
    """A regular time axis without its ends: kind of time, distance of the steps, name.

    Parameters
    ----------
    kind : {"datetime", "period", "timedelta", "integer"}
        Kind of pandas index.
    freq : pandas offset or None
        Distance of two neighbouring times; None for integers, which always move by 1.
    name : hashable or None
        Name of the index; every index made from the grid has this name.
    told_season : int, optional
        Steps in a season as the user says, 1 for none; by default what the frequency tells.
    """

    kind: Kind
    freq: Any | None
    name: Hashable = None
    told_season: int | None = None

    @classmethod
    def of(cls, index: pd.Index, where: str, known: TimeGrid | None = None) -> TimeGrid:
        """Read the grid of an index, and check that the index lies on it without a gap.

        Parameters
        ----------
        index : pandas.Index
            Times of the rows, in order. Dates need no ``freq``: the frequency is inferred.
        where : str
            The frame of the index in error messages, for example ``"y"``.
        known : TimeGrid, optional
            Grid that the index continues. With it, a single row is enough.

        Raises
        ------
        DataError
            If the index is of a kind that cannot hold regular times, is not sorted, repeats a
            time or is irregular; the message names the first offending place.
        """
        kind = check_times(index, where)
        if known is not None and kind != known.kind:
            raise DataError(
                f"the index of {where} is of another kind than in fit",
                found=f"{type(index).__name__} of {index.dtype}",
                wanted=f"{known.kind} times",
            )
        if kind == "integer":
            _check_integers(index, where)
            return cls(kind, None, index.name)
        if kind == "period":
            freq = index.freq
            _check_periods(index, where)
        else:
            freq = index.freq if known is None else known.freq
            freq = _inferred_freq(index, where) if freq is None else freq
        grid = cls(kind, freq, index.name)
        if known is not None and freq != known.freq:
            raise DataError(
                f"the index of {where} has another frequency than in fit",
                found=freq,
                wanted=known.freq,
            )
        if kind != "period" and not index.equals(grid.ahead(index[0], range(len(index)))):
            is_off = ~index.isin(grid._range(start=index[0], end=index[-1]))
            if known is not None and is_off.any():
                raise DataError(
                    f"the index of {where} leaves the grid of the index in fit",
                    found=str(index[is_off][0]),
                    wanted=f"times at steps of {freq!r}",
                    remedy="resample the new rows to these steps, or fit again",
                )
            raise _irregular(index, where, [freq])
        return grid

    def ahead(self, start: Any, steps: Sequence[int] | np.ndarray) -> pd.Index:
        """Return the times ``steps`` after ``start``; with negative steps, before ``start``."""
        steps = np.asarray(steps, dtype=np.int64)
        if self.kind == "integer":
            return pd.Index(int(start) + steps, name=self.name)
        n_before = max(0, -int(steps.min(initial=0)))
        if n_before:
            times = self._range(end=start, periods=n_before + 1)
            start, steps = times[0], steps + n_before
        times = self._range(start=start, periods=int(steps.max(initial=0)) + 1)
        is_run = len(steps) > 0 and bool((np.diff(steps) == 1).all())
        # A slice keeps the frequency of the index, a selection does not.
        return times[steps[0] : steps[-1] + 1] if is_run else times[steps]

    def _range(self, **bounds: Any) -> pd.Index:
        if self.kind == "period":
            return pd.period_range(freq=self.freq, name=self.name, **bounds)
        make = pd.timedelta_range if self.kind == "timedelta" else pd.date_range
        return make(freq=self.freq, name=self.name, **bounds)

    def check_kind(self, times: pd.Index, where: str) -> None:
        """Refuse times of another kind than those of the grid.

        Raises
        ------
        DataError
        """
        kind = _kind_of(times, where)
        if kind != self.kind:
            raise DataError(
                f"{where} holds times of another kind than the index of the series",
                found=f"{kind} times",
                wanted=f"{self.kind} times",
            )

    def steps_between(self, start: Any, end: Any, where: str) -> int:
        """Return the number of steps from ``start`` to ``end``; negative if ``end`` is earlier.

        Raises
        ------
        DataError
            If ``end`` does not lie on the grid through ``start``.
        """
        if self.kind == "integer":
            return int(end) - int(start)
        check_zone(end, start, f"time {end} of {where}")
        if getattr(start, "tz", None) is not None:  # zones of two libraries do not meet in pandas
            end = end.tz_convert(start.tz)
        if end < start:
            return -self.steps_between(end, start, where)
        if self.kind == "period":
            n_steps, rest = divmod(end.ordinal - start.ordinal, self.freq.n)  # type: ignore[union-attr]
            if rest == 0:
                return n_steps
        else:
            times = self._range(start=start, end=end)
            if len(times) and times[-1] == end:
                return len(times) - 1
        raise DataError(
            f"time {end} of {where} does not lie on the grid of the series",
            wanted=f"a time that a number of steps of {self.freq!r} leads to from {start}",
        )

    @property
    def season(self) -> int:
        """Number of steps after which a pattern is likely to repeat; 1 if no pattern repeats.

        The season that was told; else a day for steps of minutes and hours, a week for days, a
        year for weeks, months and quarters: see :func:`season_of`.
        """
        if self.told_season is not None:
            return self.told_season
        return 1 if self.freq is None else season_of(self.freq)


@lru_cache(maxsize=64)
def season_of(freq: Any) -> int:
    """Return the usual season of a frequency, in steps.

    Steps of at least a minute repeat after a day, steps of at least a second after an hour, days
    (all days or business days) after a week, and longer steps after a year. Where the cycle is not
    a whole number of steps there is no season, and 1 is returned.

    Parameters
    ----------
    freq : pandas offset, or an alias of an offset

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> [season_of(freq) for freq in ("15min", "h", "D", "B", "W", "MS", "QS", "YS")]
    [96, 24, 7, 5, 52, 12, 4, 1]
    """
    freq = to_offset(freq)
    day = pd.Timedelta(days=1)
    if isinstance(freq, pd.offsets.Tick) and pd.Timedelta(freq) < day:
        step = pd.Timedelta(freq)
        for least, cycle in ((pd.Timedelta(minutes=1), day), (pd.Timedelta(seconds=1), day / 24)):
            if step >= least:
                return int(cycle / step) if cycle % step == pd.Timedelta(0) else 1
        return 1
    # Counting is right for every calendar offset, anchored or multiplied or the user's own.
    n_in_four_years = len(pd.date_range("2020-01-01", "2023-12-31", freq=freq))
    per_year = n_in_four_years / 4
    if per_year > 54:  # more often than weekly
        per_week = n_in_four_years * 7 / 1461
        return round(per_week) if abs(per_week - round(per_week)) < 0.05 else 1
    return max(1, round(per_year))


def check_times(index: pd.Index, where: str) -> Kind:
    """Check that an index holds sorted times without repetitions, and return their kind.

    Raises
    ------
    DataError
        If the check fails; the message names the first offending row.
    """
    kind = _kind_of(index, where)
    _check_order(index, where)
    return kind


def check_zone(times: Any, series: Any, where: str) -> None:
    """Refuse times in another time zone than those of a series.

    Parameters
    ----------
    times, series : Index, or a time
        Times of a kind without zones have none.
    where : str
        The times in error messages.

    Raises
    ------
    DataError
    """
    found, wanted = (zone_name(getattr(own, "tz", None)) for own in (times, series))
    if found != wanted:
        raise DataError(
            f"{where} is in another time zone than the series",
            found=str(found),
            wanted=str(wanted),
            remedy="convert the times with .tz_convert, or with .tz_localize where none is set",
        )


def zone_name(zone: tzinfo | None) -> str | None:
    """Return the name of a time zone, which is the same for every library of zones.

    The libraries dateutil and zoneinfo call the zone of Berlin ``"Europe/Berlin"``; dateutil's
    own text is the path of a file. A zone without a name keeps its text.
    """
    if zone is None:
        return None
    text = str(zone)
    file = re.fullmatch(r"tzfile\('(?:.*zoneinfo/)?(.+)'\)", text)
    return file[1] if file else text.replace("tzutc()", "UTC")


def _kind_of(index: pd.Index, where: str) -> Kind:
    if isinstance(index, pd.DatetimeIndex):
        kind: Kind = "datetime"
    elif isinstance(index, pd.PeriodIndex):
        kind = "period"
    elif isinstance(index, pd.TimedeltaIndex):
        kind = "timedelta"
    elif pd.api.types.is_integer_dtype(index.dtype):
        kind = "integer"
    else:
        raise DataError(
            f"the index of {where} does not hold times",
            found=f"{type(index).__name__} of {index.dtype}, for example {index[:1].tolist()}",
            wanted="a DatetimeIndex, PeriodIndex, RangeIndex or an index of integers",
            remedy="if these are dates, convert them: index = pd.to_datetime(index)",
        )
    if index.hasnans:
        row = int(np.flatnonzero(index.isna())[0])
        raise DataError(
            f"the index of {where} has missing times",
            found=f"{int(index.isna().sum())}, the first in row {row}",
            wanted="a time for every row",
            remedy="drop these rows or complete the index",
        )
    return kind


def _check_order(index: pd.Index, where: str) -> None:
    if len(index) == 0:
        raise DataError(f"{where} is empty", found="no rows", wanted="observations")
    if index.is_monotonic_increasing and index.is_unique:
        return
    backward = np.flatnonzero(index[1:] < index[:-1])
    if len(backward):
        row = int(backward[0]) + 1
        raise DataError(
            f"the index of {where} is not sorted",
            found=f"row {row} ({index[row]}) after {index[row - 1]}",
            wanted="times that increase",
            remedy="sort it, for example with .sort_index()",
        )
    repeated = np.flatnonzero(index.duplicated())
    row = int(repeated[0])
    raise DataError(
        f"the index of {where} repeats times",
        found=f"{len(repeated)} repeated rows, the first is row {row} ({index[row]})",
        wanted="one row for each time",
        remedy="drop or average the repeated rows; series of a panel need an index level of "
        "their own",
    )


def _check_integers(index: pd.Index, where: str) -> None:
    jumps = np.flatnonzero(np.diff(index.to_numpy()) != 1)
    if len(jumps):
        row = int(jumps[0])
        raise DataError(
            f"the integer index of {where} has gaps",
            found=f"{len(jumps)} jumps, the first from {index[row]} to {index[row + 1]}",
            wanted="integers that increase by 1, because a horizon is counted in steps of 1",
            remedy="fill the missing rows, or number the rows anew with .reset_index(drop=True)",
        )


def _check_periods(index: pd.PeriodIndex, where: str) -> None:
    jumps = np.flatnonzero(np.diff(index.asi8) != index.freq.n)
    if len(jumps):
        row = int(jumps[0])
        missing = np.diff(index.asi8)[jumps] // index.freq.n - 1
        raise _gaps(where, int(missing.sum()), index[row], index.freq)


def _inferred_freq(index: pd.Index, where: str) -> Any:
    if len(index) < 3:
        raise DataError(
            f"the frequency of {where} is not known",
            found=f"{len(index)} dates without a frequency",
            wanted="an index with a frequency, or at least 3 dates to tell it from",
            remedy="set it, for example with .asfreq('MS')",
        )
    freq = pd.infer_freq(index)
    if freq is None:
        raise _irregular(index, where, likely_freqs(index))
    return to_offset(freq)


def _irregular(index: pd.Index, where: str, candidates: list[Any]) -> DataError:
    """Return the error of an index off the grid: gaps in a grid that can be guessed, or no grid."""
    fewest = smallest_grid(index, candidates)
    if fewest is not None:
        grid, candidate = fewest
        first_missing = grid[~grid.isin(index)][0]
        last_before = index[index < first_missing][-1]
        return _gaps(where, len(grid) - len(index), last_before, candidate)
    distances = pd.Series(index[1:] - index[:-1])
    usual = distances.mode()[0]
    row = int(np.flatnonzero(distances != usual)[0])
    return DataError(
        f"the index of {where} is irregular",
        found=f"{distances[row]} between {index[row]} and {index[row + 1]}, mostly {usual}",
        wanted="times at a constant distance or calendar frequency",
        remedy="resample, for example with .resample('D').mean(), or number the rows instead of "
        "dating them, with .reset_index(drop=True)",
    )


def smallest_grid(index: pd.Index, candidates: list[Any]) -> tuple[pd.Index, Any] | None:
    """Return the grid with the fewest times that holds all of an index, and its frequency.

    Parameters
    ----------
    index : DatetimeIndex or TimedeltaIndex
        Sorted times without repetitions.
    candidates : list of pandas offsets

    Returns
    -------
    (Index, offset) or None
        None if no candidate's grid holds all times.
    """
    fewest = None
    for candidate in candidates:
        if isinstance(candidate, pd.offsets.Tick):
            n_times = (index[-1] - index[0]) / pd.Timedelta(candidate)
            if n_times > _LARGEST_GRID * len(index):
                continue
        make = pd.date_range if isinstance(index, pd.DatetimeIndex) else pd.timedelta_range
        grid = make(index[0], index[-1], freq=candidate)
        if index.isin(grid).all() and (fewest is None or len(grid) < len(fewest[0])):
            fewest = grid, candidate
    return fewest


def likely_freqs(index: pd.Index) -> list[Any]:
    """Return frequencies of stretches of the index, and the most common distance of its times."""
    last = len(index) - _STRETCH
    starts = {min(max(0, start), max(0, last)) for start in (0, last // 3, last // 2, last)}
    found = {pd.infer_freq(index[start : start + _STRETCH]) for start in starts} - {None}
    freqs = [to_offset(freq) for freq in sorted(found)]
    return [*freqs, to_offset(pd.Series(index[1:] - index[:-1]).mode()[0])]


def _gaps(where: str, n_missing: int, last_before: Any, freq: Any) -> DataError:
    return DataError(
        f"the index of {where} has gaps",
        found=f"{n_missing} missing times, the first after {last_before}",
        wanted=f"a row for each step of {freq!r}",
        remedy=f"complete the index with .asfreq({freq.freqstr!r}); the new rows may stay NaN",
    )
