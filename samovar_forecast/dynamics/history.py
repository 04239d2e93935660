"""The data that a DynamicVAR stands on: tables in their own units, cut into the network's windows.

Letters: L context length, s patch length, C series, P past, F future, S static covariates.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.forecast_map import WindowShape
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.scaler import Scaler

TableLike: TypeAlias = pd.DataFrame | np.ndarray


class Table(NamedTuple):
    """Columns in the units of the data, and how the network takes them."""

    values: np.ndarray
    names: tuple[Hashable, ...]
    scaler: Scaler
    """No scale is 0: a constant column counts as of scale 1"""

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Return values of these columns in the network's units."""
        return self.scaler.forward(values)

    def unscaled(self, values: np.ndarray) -> np.ndarray:
        """Return numbers of the network in the units of these columns."""
        return values * self.scaler.scale + self.scaler.location

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return some rows, missing before the first; without a column if there is none."""
        if not self.names:
            return np.zeros((stop - start, 0))
        if start >= 0:
            return self.values[start:stop]
        before = np.full((-start, len(self.names)), np.nan)
        return np.concatenate([before, self.values[:stop]])

    def at(self, rows: np.ndarray) -> np.ndarray:
        """Return rows by number, missing before the first; the shape of ``rows`` and columns."""
        values = self.values[np.maximum(rows, 0)]
        return np.where(rows[..., None] < 0, np.nan, values) if (rows < 0).any() else values


@dataclass(frozen=True)
class History:
    """Series and covariates over time.

    Attributes
    ----------
    index : pandas.Index
        Times of the series.
    target, past, future, static : Table
        Without columns where there are none. The future covariates reach beyond the series.
    order, patch_length : int
        L and s.
    fewest_rows : int
        Rows that have to lie before an origin; where there are fewer than L, the others are
        missing.
    """

    index: pd.Index
    target: Table
    past: Table
    future: Table
    static: Table
    order: int
    patch_length: int
    fewest_rows: int

    @classmethod
    def from_tables(
        cls,
        config: WindowShape,
        target: TableLike,
        past: TableLike | None,
        future: TableLike | None,
        static: TableLike | None,
        scalers: tuple[Scaler | None, Scaler | None, Scaler | None],
        *,
        fewest_rows: int | None = None,
    ) -> History:
        """Check the tables against the windows of a forecaster and keep copies.

        Parameters
        ----------
        config : WindowShape
        target, past, future, static : DataFrame, array or None
        scalers : tuple of Scaler or None
            Of series, past and future covariates.
        fewest_rows : int, optional
            Rows that have to lie before an origin; by default a full context.

        Raises
        ------
        DataError
            If a table does not fit, is not finite, or is too short.
        """
        order, patch_length = config.context_length, config.patch_length
        n_past, n_future = config.n_past_covariates, config.n_future_covariates
        gaps = config.missing_values
        fewest_rows = order if fewest_rows is None else fewest_rows
        history = cls(
            target.index if isinstance(target, pd.DataFrame) else pd.RangeIndex(len(target)),
            _table(target, "history", config.n_series, scalers[0], "y", gaps),
            _table(past, "past_covariates", n_past, scalers[1], "past", gaps),
            _table(future, "future_covariates", n_future, scalers[2], "future", gaps),
            _table(static, "static_covariates", config.n_static_covariates, None, "static", False),
            order,
            patch_length,
            fewest_rows,
        )
        n_time = len(history.index)
        wanted_rows = {
            "history": (history.target, fewest_rows, None, "one context"),
            "past_covariates": (history.past, n_time, n_time, "one row per time of the history"),
            "future_covariates": (
                *(history.future, fewest_rows + patch_length, None),
                "a context and the patch ahead of it",
            ),
            "static_covariates": (
                *(history.static, config.n_series, config.n_series),
                "one row per series",
            ),
        }
        for name, (table, least, most, why) in wanted_rows.items():
            n_rows = len(table.values)
            if table.names and (n_rows < least or (most is not None and n_rows > most)):
                raise DataError(
                    f"{name} has the wrong length",
                    found=f"{n_rows} rows",
                    wanted=f"{'at least ' if most is None else ''}{least} ({why})",
                )
        if not history.index.is_unique:
            raise DataError("times of the history repeat", found=history.index[0])
        return history

    @property
    def first_position(self) -> int:
        """Row of the first time from which a forecast can be made."""
        return self.fewest_rows - 1

    @property
    def last_position(self) -> int:
        """Row of the last time from which a forecast can be made.

        Where there are future covariates, a patch of them has to follow it.
        """
        last = len(self.index) - 1
        if self.future.names:
            last = min(last, len(self.future.values) - 1 - self.patch_length)
        return last

    @property
    def has_covariates(self) -> bool:
        """Whether there is anything beside the series themselves."""
        return bool(self.past.names or self.future.names or self.static.names)

    def label(self, time: Any) -> Any:
        """Return a time as a label of the index: a string is read as a date."""
        try:
            if isinstance(time, str) and isinstance(self.index, pd.DatetimeIndex):
                return pd.Timestamp(time)
            if isinstance(time, (str, pd.Timestamp)) and isinstance(self.index, pd.PeriodIndex):
                return pd.Period(time, self.index.freq)
        except ValueError as error:
            raise DataError(
                f"{time!r} is no time", wanted=f"a time as {self.index[0]} or {self.index[-1]}"
            ) from error
        return time

    def position(self, origin: Hashable | None) -> int:
        """Return the row of an origin; the last row for None.

        Raises
        ------
        DataError
            If no forecast can be made from it.
        """
        if origin is None:
            return self.last_position
        where = -1
        if isinstance(origin, Hashable):
            where = self.index.get_indexer(pd.Index([self.label(origin)]))[0]
        if not self.first_position <= where <= self.last_position:
            raise DataError(
                f"no forecast can be made from {origin!r}",
                wanted=f"a time of the history from {self.index[self.first_position]} to "
                f"{self.index[self.last_position]}",
                remedy="an origin needs the rows that its forecast starts from, and the covariates "
                "ahead where there are any",
            )
        return int(where)

    def positions(self, origins: Any) -> np.ndarray:
        """Return the rows of an origin, of several, or of all (None); a slice is by label."""
        if origins is None or isinstance(origins, slice):
            rows = np.arange(len(self.index))
            if origins is not None:
                ends = slice(*map(self.label, (origins.start, origins.stop, origins.step)))
                try:
                    rows = pd.Series(rows, self.index).loc[ends].to_numpy()
                except (KeyError, TypeError, ValueError) as error:
                    raise DataError(
                        "no slice of the times of the history",
                        found=origins,
                        wanted=f"times as {self.index[0]} or {self.index[-1]}",
                    ) from error
            rows = rows[(rows >= self.first_position) & (rows <= self.last_position)]
            if len(rows) == 0:
                raise DataError("no forecast can be made from any of these times", found=origins)
            return rows
        if isinstance(origins, (list, tuple, pd.Index, np.ndarray)):
            if len(origins) == 0:
                raise DataError("no origin was asked for", wanted="None for all of them")
            return np.array([self.position(origin) for origin in origins])
        return np.array([self.position(origins)])

    def times_read(self, position: int) -> tuple[Hashable | None, ...]:
        """Return the labels of the rows that a forecast reads, and of its steps ahead.

        None stands for rows before the history, and for steps beyond an index that does not say
        how it goes on.
        """
        start, stop = position + 1 - self.order, position + 1 + self.patch_length
        known = list(self.index[max(0, start) : stop])
        return (*[None] * max(0, -start), *known, *self._later(stop - len(self.index)))

    def _later(self, n_rows: int) -> list[Any]:
        """Return the labels of rows after the history, as far as the index says them."""
        ahead = range(1, n_rows + 1)
        step = getattr(self.index, "freq", None)
        if pd.api.types.is_numeric_dtype(self.index) and len(self.index) > 1:
            step = self.index[-1] - self.index[-2]
        if isinstance(self.index, pd.PeriodIndex):
            step = 1
        return [None if step is None else self.index[-1] + k * step for k in ahead]

    def contexts(self, positions: np.ndarray) -> np.ndarray:
        """Return what of the series a forecast from some rows reads, in units of the data."""
        return self.target.at(self._rows(positions))

    def _rows(self, positions: np.ndarray) -> np.ndarray:
        """Return the rows of the contexts that end at some rows, shape (n, L)."""
        return positions[:, None] + np.arange(1 - self.order, 1)

    def windows(self, positions: np.ndarray, to_the_end: bool = False) -> Windows:
        """Gather the network's windows that end at some rows.

        ``to_the_end``: series and past covariates go on with their last value where their newest
        values are missing.
        """
        rows = self._rows(positions)
        past = future = static = None
        if self.past.names:
            past = self.past.scaled(self.past.at(rows))
        if self.future.names:
            ahead = positions[:, None] + np.arange(1 - self.order, 1 + self.patch_length)
            future = self.future.scaled(self.future.at(ahead))
        if self.static.names:
            shape = (len(positions), *self.static.values.shape)
            static = np.broadcast_to(self.static.values, shape)
        target = self.target.scaled(self.target.at(rows))
        if to_the_end:
            target, past = led_to_the_end(target), None if past is None else led_to_the_end(past)
        return Windows(target, past, future, static, positions + 1)

    def hypothetical(self, histories: np.ndarray, positions: np.ndarray) -> Windows:
        """Return windows of made-up series, (B, L or more, C), and the covariates of their rows.

        ``positions`` are the rows at which they end, (B,), or a row for all of them, (1,).
        """
        scaled = self.target.scaled(np.asarray(histories, dtype=float)[:, -self.order :])
        others = [
            None if table is None else np.broadcast_to(table, (len(scaled), *table.shape[1:]))
            for table in self.windows(positions)[1:]
        ]
        return Windows(scaled, *others)

    def units(self) -> Units:
        """Return how the network's numbers become data."""
        tables = (self.past, self.target)
        channels = Scaler(
            np.concatenate([table.scaler.location for table in tables]),
            np.concatenate([table.scaler.scale for table in tables]),
        )
        return Units(channels, self.future.scaler)


def _table(
    given: TableLike | None,
    name: str,
    n_columns: int,
    scaler: Scaler | None,
    prefix: str,
    may_have_gaps: bool,
) -> Table:
    """Check one table and return a copy with its names and its scaling."""
    if given is None:
        given = np.zeros((0, 0))
    try:
        values = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name} holds no numbers", found=type(given).__name__, wanted="a frame or an array"
        ) from error
    if values.ndim != 2 or values.shape[1] != n_columns:
        raise DataError(
            f"{name} does not fit the network",
            found=f"shape {values.shape}",
            wanted=f"{n_columns} columns",
        )
    names: tuple[Hashable, ...] = tuple(f"{prefix}{number + 1}" for number in range(n_columns))
    if isinstance(given, pd.DataFrame):
        names = tuple(given.columns)
    bad = np.argwhere(np.isinf(values) if may_have_gaps else ~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        where = given.index[row] if isinstance(given, pd.DataFrame) else row
        raise DataError(
            f"{name} has {len(bad)} values that are missing or infinite",
            found=f"the first in {names[column]!r} at {where}",
            remedy="fill them, or explain a part of the history without gaps",
        )
    location, scale = np.zeros(n_columns), np.ones(n_columns)
    if scaler is not None:
        location = np.asarray(scaler.location, dtype=float)
        scale = np.asarray(scaler.scale, dtype=float)
        if location.shape != (n_columns,) or scale.shape != (n_columns,):
            raise DataError(
                f"the scaler of {name} does not fit",
                found=f"location {location.shape}, scale {scale.shape}",
                wanted=f"({n_columns},) both",
            )
        scale = np.where(scale == 0, 1.0, scale)
    return Table(values, names, Scaler(location, scale))


def led_to_the_end(values: np.ndarray) -> np.ndarray:
    """Return windows (n, L, K) whose channels go on with their last value to the newest row."""
    is_there = np.isfinite(values)
    if is_there[:, -1].all():
        return values
    last = values.shape[1] - 1 - is_there[:, ::-1].argmax(axis=1)  # n K
    ends = np.take_along_axis(values, last[:, None], axis=1)
    return np.where(np.arange(values.shape[1])[:, None] > last[:, None], ends, values)


def number_of(name: Hashable, names: tuple[Hashable, ...], what: str) -> int:
    """Return the position of a name, or say which there are.

    Raises
    ------
    ConfigurationError
        If there is no such name.
    """
    if name not in names:
        raise ConfigurationError(f"there is no such {what}", found=repr(name), wanted=list(names))
    return names.index(name)
