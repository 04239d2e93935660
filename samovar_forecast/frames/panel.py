"""The user's frames and back: names, roles, times and values of one or several series.

A frame is checked here, once, and becomes a :class:`Panel`: a list of multivariate series (called
instances, of equal or unequal length) that share their columns and their time grid. All other
modules trust a panel. Missing values stay NaN. On the way back, numbers become a frame with the
user's own columns, index and names. The caller's frames are never changed, and never kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import numbers
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.time_grid import TimeGrid, check_times, check_zone

LARGEST = 1e150
"""Sums of squares of larger numbers are no numbers."""


class NonNumericError(DataError, TypeError):
    """A column does not hold numbers; a `TypeError` too, as sktime's contract asks."""


@dataclass(frozen=True)
class Instance:
    """One multivariate series.

    Parameters
    ----------
    key : hashable
        Label of the series in its panel; None if it is the only series.
    last : Timestamp, Period, Timedelta or int
        Time of the last row.
    target : float64 array of shape (n_time, n_series)
    past_covariates : float64 array of shape (n_time, n_past)
        The array has no columns if the panel has no past covariates.
    future_covariates : float64 array of shape (n_time, n_future)
        The array has no columns if the panel has no future covariates.
    """

    key: Hashable
    last: Any
    target: np.ndarray
    past_covariates: np.ndarray
    future_covariates: np.ndarray

    def __len__(self) -> int:
        """Return the number of observations."""
        return len(self.target)

    def rows(self, start: int, stop: int | None = None) -> dict[str, Any]:
        """Return a slice of each array, as fields for :func:`dataclasses.replace`."""
        names = ("target", "past_covariates", "future_covariates")
        return {name: getattr(self, name)[start:stop] for name in names}


@dataclass(frozen=True)
class Panel:
    """Checked series with their names and their time grid.

    Parameters
    ----------
    instances : tuple of Instance
    grid : TimeGrid
    target_names, past_names, future_names : pandas.Index
        Columns to forecast, columns that are known until now, and columns that are known ahead.
    key_names : tuple of hashable, default=()
        Names of the index levels before the time; empty for a single series.
    """

    instances: tuple[Instance, ...]
    grid: TimeGrid
    target_names: pd.Index
    past_names: pd.Index
    future_names: pd.Index
    key_names: tuple[Hashable, ...] = ()

    @classmethod
    def from_frame(
        cls,
        y: pd.DataFrame,
        X: pd.DataFrame | None = None,
        *,
        past_names: Sequence[Hashable] = (),
        season: int | None = None,
        known: Panel | None = None,
    ) -> Panel:
        """Check a frame and take it apart.

        Parameters
        ----------
        y : pandas.DataFrame
            Series to forecast, a column each. The rows are times; a MultiIndex holds the keys of
            several instances in its first levels and the times in its last.
        X : pandas.DataFrame, optional
            Covariates. The rows of ``X`` must contain all rows of ``y``.
        past_names : sequence of hashable, default=()
            Columns of ``X`` that are known until now only; the others are known ahead.
        season : int, optional
            Steps in a season, 1 for none; by default what the frequency tells.
        known : Panel, optional
            Panel that ``y`` and ``X`` continue: columns, roles and grid are then given.

        Raises
        ------
        DataError
            If an index is unsorted, irregular or repeats times, if a value is infinite or not a
            number, if columns differ from the columns of ``known``, or if ``X`` does not cover
            ``y``; without ``known``, also if an instance has a column without any value. The
            message names the first offending place.
        """
        if known is None:
            target_names = y.columns
            past, future = _roles(X, past_names)
        else:
            target_names, past, future = known.target_names, known.past_names, known.future_names
            check_zone(y.index.get_level_values(-1), known.instances[0].last, "the index of y")
        target = _values(y, "y", target_names)
        covariates = _covariates(X, y.index, past.append(future))

        parts = list(_split(y.index, "y"))
        grid = _common_grid(parts) if known is None else known.grid
        instances: list[Instance] = []
        checked: pd.Index | None = None
        for key, rows, times in parts:
            if checked is None or not times.equals(checked):
                grid = TimeGrid.of(times, _place("y", key), grid)
                checked = times
            if known is None:
                _check_some_value(target[rows], _place("y", key), target_names)
                _check_some_value(covariates[rows], _place("X", key), past.append(future))
            past_rows, future_rows = np.split(covariates[rows], [len(past)], axis=1)
            instances.append(Instance(key, times[-1], target[rows], past_rows, future_rows))
        told = season if known is None else known.grid.told_season
        grid = dataclasses.replace(grid, told_season=told)
        return cls(tuple(instances), grid, target_names, past, future, tuple(y.index.names[:-1]))

    @property
    def n_series(self) -> int:
        """Number of series that each instance has."""
        return len(self.target_names)

    @property
    def typical_length(self) -> int:
        """Median number of rows of an instance."""
        return int(np.median([len(instance) for instance in self.instances]))

    def digest(self) -> str:
        """Return the SHA-256 of keys, names, last times and numbers, in hexadecimal."""
        digest = hashlib.sha256()
        names = (self.target_names, self.past_names, self.future_names)
        digest.update(repr([list(map(str, columns)) for columns in names]).encode())
        for instance in self.instances:
            digest.update(f"{instance.key!r} {instance.last} {len(instance)}".encode())
            for rows in instance.rows(0).values():
                digest.update(np.ascontiguousarray(rows, dtype="<f8").tobytes())
        return digest.hexdigest()

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Return the rows as the user's frames, ``y`` and ``X``; None without covariates."""
        steps = [np.arange(1 - len(instance), 1) for instance in self.instances]
        y = self.forecast_frame([instance.target for instance in self.instances], steps)
        names = self.past_names.append(self.future_names)
        if not len(names):
            return y, None
        known = [
            np.concatenate([instance.past_covariates, instance.future_covariates], axis=1)
            for instance in self.instances
        ]
        return y, self.forecast_frame(known, steps, names)

    def tail(self, n_time: int) -> Panel:
        """Return a copy of the last ``n_time`` rows of each instance; the rest can be freed."""
        kept = tuple(
            dataclasses.replace(
                instance,
                **{name: rows.copy() for name, rows in instance.rows(-n_time).items()},
            )
            for instance in self.instances
        )
        return dataclasses.replace(self, instances=kept)

    def extended_by(
        self, newer: Panel, n_time: int, n_needed: int, may_start_anew: bool = True
    ) -> Panel:
        """Return up to ``n_time`` rows of each instance that end where ``newer`` ends.

        Rows of ``newer`` take the place of rows at the same times. Instances that ``newer`` does
        not have stay as they are.

        Parameters
        ----------
        newer : Panel
        n_time : int
        n_needed : int
            Rows that must be known; fewer where there were fewer before.
        may_start_anew : bool, default=True
            Whether so many rows of ``newer`` may follow after a gap; the rows of before are then
            left.

        Raises
        ------
        DataError
            If ``newer`` has an instance that this panel lacks, if times between the two panels are
            missing, or if fewer rows up to the end of ``newer`` are known than are needed.
        """
        added = {instance.key: instance for instance in newer.instances}
        unknown = added.keys() - {instance.key for instance in self.instances}
        if unknown:
            raise DataError(
                "y has instances that were not there in fit",
                found=sorted(unknown, key=str)[:5],
                wanted=f"some of the {len(self.instances)} instances of fit",
                remedy="fit again with all instances",
            )
        kept = [
            self._extend(instance, added[instance.key], n_needed, may_start_anew)
            if instance.key in added
            else instance
            for instance in self.instances
        ]
        return dataclasses.replace(self, instances=tuple(kept)).tail(n_time)

    def _extend(
        self, old: Instance, new: Instance, n_needed: int, may_start_anew: bool
    ) -> Instance:
        # Old rows before the first new row stay; the other old rows are replaced, or lie in the
        # future of the new rows.
        n_needed = min(n_needed, len(old))
        n_missing = self.grid.steps_between(old.last, new.last, "y") - len(new)
        n_kept = max(0, len(old) + n_missing) if n_missing <= 0 else 0
        if n_missing > 0 and not (may_start_anew and len(new) >= n_needed):
            anew = f", or at least the {n_needed} rows of a context" if may_start_anew else ""
            raise DataError(
                "y does not continue the series",
                found=f"{n_missing} missing rows after {old.last}",
                wanted=f"rows from {self.grid.ahead(old.last, [1])[0]} on{anew}",
                remedy="pass the rows between to update",
            )
        if n_kept + len(new) < n_needed:
            raise DataError(
                "y ends before the context that was kept",
                found=f"{n_kept + len(new)} known rows up to {new.last}",
                wanted=f"the {n_needed} rows of a context",
                remedy=f"pass the {n_needed} rows that end there",
            )
        before = old.rows(0, n_kept)
        joined: dict[str, Any] = {
            name: np.concatenate([before[name], rows]) for name, rows in new.rows(0).items()
        }
        return dataclasses.replace(new, **joined)

    def covariates_ahead(
        self, X: pd.DataFrame | None, n_steps: int | Sequence[int], n_wanted: int
    ) -> list[np.ndarray]:
        """Return the future covariates of the times after the end of each instance.

        Parameters
        ----------
        X : pandas.DataFrame or None
            Covariates at the next times of each instance; later times are admitted.
        n_steps : int or sequence of int
            Steps that are needed; a number for each instance, or a single number for all instances.
        n_wanted : int
            Steps to return. Beyond the needed steps, the last known row stands in for rows that
            ``X`` does not hold.

        Returns
        -------
        list of float64 array of shape (n_wanted, n_future)
            In the order of ``instances``.

        Raises
        ------
        DataError
            If ``X`` is missing, lacks a column or a needed time, or holds a value that
            is infinite or not a number.
        """
        steps = np.arange(1, n_wanted + 1)
        needed = steps <= np.broadcast_to(n_steps, len(self.instances))[:, None]
        if not len(self.future_names) or (X is None and not needed.any()):
            known, ahead = np.zeros(len(self.instances), dtype=int), np.empty((0, 0))
        else:
            is_there = needed
            if X is not None and not needed.all():
                index = self.index_at([steps] * len(self.instances))
                if X.index.nlevels != index.nlevels:
                    raise DataError(
                        "X is not indexed like y",
                        found=f"{X.index.nlevels} levels",
                        wanted=f"{index.nlevels}, of which the last holds times",
                    )
                is_there = needed | index.isin(X.index).reshape(needed.shape)
            known = is_there.cumprod(axis=1).sum(axis=1)
            index = self.index_at([steps[:count] for count in known])
            ahead = _covariates(X, index, self.future_names, ignored=self.past_names)
        held = []
        parts = np.split(ahead, np.cumsum(known)[:-1])
        for part, instance in zip(parts, self.instances, strict=True):
            last = part[-1:] if len(part) else instance.future_covariates[-1:]
            rest = np.repeat(last, n_wanted - len(part), axis=0)
            held.append(np.concatenate([part, rest]) if len(part) else rest)
        return held

    def steps_to(self, times: pd.Index, where: str) -> list[np.ndarray]:
        """Return how many steps each time lies after the last row of each instance.

        Raises
        ------
        DataError
            If a time is of another kind than the index, or does not lie on its grid.
        """
        self.grid.check_kind(times, where)
        return [
            np.array([self.grid.steps_between(instance.last, time, where) for time in times])
            for instance in self.instances
        ]

    def forecast_frame(
        self,
        values: Sequence[np.ndarray],
        steps: Sequence[np.ndarray],
        columns: pd.Index | None = None,
    ) -> pd.DataFrame:
        """Return forecasts as a frame with the user's times and names.

        Parameters
        ----------
        values : sequence of arrays of shape (n_steps, n_columns)
            The forecast of each instance.
        steps : sequence of integer arrays of shape (n_steps,)
            How far each row lies after the last row of its instance; an array for each instance.
        columns : pandas.Index, optional
            By default the columns of the series.
        """
        columns = self.target_names if columns is None else columns
        return pd.DataFrame(
            np.concatenate(list(values)), index=self.index_at(steps), columns=columns
        )

    def index_at(self, steps: Sequence[np.ndarray]) -> pd.Index:
        """Return the rows of a forecast at these steps after the end of each instance."""
        times = [
            self.grid.ahead(instance.last, own)
            for instance, own in zip(self.instances, steps, strict=True)
        ]
        if not self.key_names:
            return times[0]
        keys = pd.Index([instance.key for instance in self.instances])
        keys = keys.repeat([len(own) for own in steps])
        levels = [keys.get_level_values(level) for level in range(keys.nlevels)]
        all_times = times[0].append(times[1:])
        return pd.MultiIndex.from_arrays(
            [*levels, all_times], names=[*self.key_names, self.grid.name]
        )


def check_frame(frame: pd.DataFrame | pd.Series, where: str) -> None:
    """Check times and values of a frame alone, before a host looks at the frame.

    Raises
    ------
    DataError
        If times are missing, unsorted or repeated, or if a value is infinite or not a number.
        The message names the first offending place.
    """
    table = frame.to_frame() if isinstance(frame, pd.Series) else frame
    for key, _, times in _split(table.index, where):
        check_times(times, _place(where, key))
    _values(table, where, table.columns)


class _Part(NamedTuple):
    """The rows of an instance in a frame."""

    key: Hashable
    rows: Any
    times: pd.Index


def _place(where: str, key: Hashable) -> str:
    """Return the words for the rows of an instance of a frame, in error messages."""
    return where if key is None else f"{where}, instance {key!r},"


def _split(index: pd.Index, where: str) -> Iterator[_Part]:
    """Yield the rows of each instance, in the order of their first rows.

    Raises
    ------
    DataError
        If a row does not say which instance it belongs to.
    """
    if not isinstance(index, pd.MultiIndex):
        yield _Part(None, slice(None), index)
        return
    has_no_key = (np.stack(index.codes[:-1]) < 0).any(axis=0)
    if has_no_key.any():
        row = int(has_no_key.argmax())
        raise DataError(
            f"the index of {where} has missing keys of instances",
            found=f"{int(has_no_key.sum())}, the first in row {row} ({index[row]})",
            wanted="a key in every level before the time",
            remedy="drop these rows, or name their instance",
        )
    codes, keys = pd.factorize(index.droplevel(-1))
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(keys)))
    for key, rows in zip(keys, np.split(order, ends[:-1]), strict=True):
        yield _Part(key, rows, index[rows].get_level_values(-1))


def _common_grid(parts: Sequence[_Part]) -> TimeGrid:
    """Return the grid of the instance that spans the most time.

    A short instance does not tell the frequency: a week of business days looks like days.
    """
    if not parts:
        raise DataError("y is empty", found="no rows", wanted="observations")
    for key, _, times in parts:
        check_times(times, _place("y", key))

    def span(part: _Part) -> tuple[bool, int]:
        first, last = part.times[[0, -1]].astype("int64")
        return len(part.times) > 2, last - first

    longest = max(parts, key=span)
    return TimeGrid.of(longest.times, _place("y", longest.key))


def _roles(X: pd.DataFrame | None, past_names: Sequence[Hashable]) -> tuple[pd.Index, pd.Index]:
    columns = pd.Index([]) if X is None else X.columns
    absent = [name for name in past_names if name not in columns]
    if absent:
        raise DataError(
            f"X has no column {absent[0]!r}, which is named as a past covariate",
            found=f"the columns {list(columns)}",
        )
    is_past = columns.isin(list(past_names))
    return columns[is_past], columns[~is_past]


def _covariates(
    X: pd.DataFrame | None, index: pd.Index, names: pd.Index, ignored: Sequence[Hashable] = ()
) -> np.ndarray:
    """Return the named columns of ``X`` at the times of ``index``, in this order."""
    if not len(names):
        return np.empty((len(index), 0))
    if X is None:
        raise DataError("X is missing", found="None", wanted=f"the columns {list(names)}")
    check_zone(X.index.get_level_values(-1), index.get_level_values(-1), "the index of X")
    for key, _, times in _split(X.index, "X"):
        check_times(times, _place("X", key))
    rows = X.index.get_indexer(index)
    if (rows < 0).any():
        raise DataError(
            "X does not cover all times that are needed",
            found=f"{int((rows < 0).sum())} of {len(index)} missing, the first is "
            f"{index[np.flatnonzero(rows < 0)[0]]}",
            wanted=f"rows from {index[0]} to {index[-1]}",
        )
    return _values(X.drop(columns=list(ignored), errors="ignore").iloc[rows], "X", names)


def _values(frame: pd.DataFrame, where: str, names: pd.Index) -> np.ndarray:
    """Return a copy of the named columns as float64, after checking names and values."""
    if not frame.columns.is_unique:
        repeated = list(frame.columns[frame.columns.duplicated()])
        raise DataError(
            f"{where} has columns of the same name",
            found=repeated,
            wanted="a different name for each column",
        )
    if not len(names):
        raise DataError(f"{where} has no columns", found="none", wanted="a column for each series")
    absent = names.difference(frame.columns, sort=False)
    extra = frame.columns.difference(names, sort=False)
    if len(absent) or len(extra):
        raise DataError(
            f"{where} has other columns than in fit",
            found=", ".join(
                [f"{list(absent)} missing"] * bool(len(absent))
                + [f"{list(extra)} not known"] * bool(len(extra))
            ),
            wanted=f"the columns {list(names)}",
        )
    frame = frame.iloc[:, frame.columns.get_indexer(names)]  # labels may be True and False
    for place, (name, dtype) in enumerate(frame.dtypes.items()):
        is_number = pd.api.types.is_numeric_dtype(dtype)
        if not is_number or pd.api.types.is_complex_dtype(dtype):
            raise NonNumericError(
                f"column {name!r} of {where} is not numeric",
                found=_what_is_no_number(frame.iloc[:, place]),
                wanted="integers or floating point numbers",
                remedy=f"convert it, for example with pd.to_numeric, or drop it from {where}",
            )
    values = frame.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    if np.isinf(values).any():
        raise _infinite(frame, values, where)
    is_large = np.abs(values) > LARGEST
    if is_large.any():
        row, column = np.argwhere(is_large)[0]
        raise DataError(
            f"column {frame.columns[column]!r} of {where} has values whose squares are no numbers",
            found=f"{values[row, column]:.3g} at {frame.index[row]} (row {row})",
            wanted=f"numbers up to {LARGEST:g}",
            remedy="give the column another unit",
        )
    return values


def _check_some_value(values: np.ndarray, where: str, names: pd.Index) -> None:
    is_empty = np.isnan(values).all(axis=0)
    if is_empty.any():
        raise DataError(
            f"column {names[int(is_empty.argmax())]!r} of {where} has no value at all",
            found=f"{len(values)} missing values (NaN)",
            wanted="at least one observation",
            remedy="drop the column, or the instance",
        )


def _what_is_no_number(column: pd.Series) -> str:
    """Return the first value that is no number with its place, or the type of all of them."""
    if pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype):
        for row, value in enumerate(column):
            is_missing = pd.api.types.is_scalar(value) and pd.isna(value)
            if not (is_missing or isinstance(value, numbers.Number)):
                return f"{value!r} in row {row} ({column.index[row]})"
        return f"numbers kept as values of type {column.dtype}"
    return f"categorical or other values of type {column.dtype}"


def _infinite(frame: pd.DataFrame, values: np.ndarray, where: str) -> DataError:
    bad = np.isinf(values)
    columns = np.flatnonzero(bad.any(axis=0))
    column = int(columns[0])
    row = int(np.flatnonzero(bad[:, column])[0])
    others = f"; {len(columns) - 1} more columns have some" if len(columns) > 1 else ""
    return DataError(
        f"column {frame.columns[column]!r} of {where} has infinite values",
        found=f"{int(bad[:, column].sum())}, the first at {frame.index[row]} (row {row}){others}",
        wanted="finite numbers, or NaN where a value is missing",
        remedy=f"for example {where} = {where}.replace([np.inf, -np.inf], np.nan)",
    )
