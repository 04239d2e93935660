"""News: how each revised or new observation moved a forecast.

The forecast of one date is compared between an older and a newer data set. The older window,
its missing end filled with the older forecasts, is moved to the newer window along a straight line;
the Jacobian, averaged along the line, shares the difference out over all values that changed
(Aumann and Shapley's sharing; integrated gradients). For a linear model this is coefficient times
change, the news of Banbura and Modugno (2014).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from samovar_forecast.arguments import check_whole
from samovar_forecast.dynamics.forecast_reading import ForecastReading
from samovar_forecast.dynamics.history import number_of
from samovar_forecast.dynamics.results import Result
from samovar_forecast.dynamics.windows import Windows
from samovar_forecast.exceptions import ConfigurationError, DataError

FEWEST_NODES, MOST_NODES = 8, 128
ENOUGH = 1e-8
"""Share of the size of the series up to which the average over the line is refined."""

ENOUGH_NODES = 16
"""With more nodes the average is refined only as long as that halves what is left."""


@dataclass(frozen=True, eq=False)
class News(Result):
    """A revision of a forecast, value by value.

    Attributes
    ----------
    table : DataFrame
        A row for each changed value and response: ``response``, ``source``, ``kind`` ("series",
        "past covariate", "future covariate"), ``time`` (lag before the newer origin: 1 is the
        origin), ``label`` (its time), ``status`` ("new" or "revised"), ``before`` (for a new
        value, what was expected), ``after``, ``change``, ``weight`` and ``contribution``, the
        product of the last two.
    old_forecast, new_forecast : Series
        Per response, in the units of the data.
    passing_of_time : Series
        What the forecast moved because its origin moved, had all new values come as expected.
    unexplained : Series
        Rounding left by the average over the line, and jumps of the forecast along it.
    names : tuple of labels
    """

    figure: ClassVar[str] = "plot_news"

    table: pd.DataFrame
    old_forecast: pd.Series
    new_forecast: pd.Series
    passing_of_time: pd.Series
    unexplained: pd.Series
    names: tuple[Hashable, ...]

    @property
    def revision(self) -> pd.Series:
        """Newer forecast minus older: contributions, passing of time and rounding together."""
        return self.new_forecast - self.old_forecast

    def by_source(self) -> pd.DataFrame:
        """Return the revision by response (rows) and by source and status (columns)."""
        parts = self.table.pivot_table(
            index="response",
            columns=["source", "status"],
            values="contribution",
            aggfunc="sum",
            sort=False,
        )
        parts = parts.reindex(list(self.names)).fillna(0.0)
        parts["passing of time", ""] = self.passing_of_time
        parts["rounding", ""] = self.unexplained
        return parts

    def largest(self, response: Hashable, top: int = 10) -> pd.DataFrame:
        """Return the changed values that moved a response most, the ``top`` of them.

        Raises
        ------
        ConfigurationError
            If there is no such response, or ``top`` is no number of values.
        """
        number_of(response, self.names, "series")
        check_whole("top", top, 1)
        own = self.table[self.table["response"] == response].drop(columns="response")
        order = own["contribution"].abs().sort_values(ascending=False, kind="stable").index
        return own.loc[order[:top]].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of `table`."""
        return self.table.copy()

    def __repr__(self) -> str:
        n_new = int((self.table["status"] == "new").sum()) // max(1, len(self.names))
        n_all = len(self.table) // max(1, len(self.names))
        return f"News({len(self.names)} series: {n_new} new values, {n_all - n_new} revised)"

    def __str__(self) -> str:
        """Return the revision and its sources."""
        head = pd.DataFrame(
            {
                "older forecast": self.old_forecast,
                "newer forecast": self.new_forecast,
                "revision": self.revision,
            }
        )
        parts = self.by_source()
        parts.columns = pd.Index([" ".join(part for part in pair if part) for pair in parts])
        return f"News\n{head.to_string()}\n\nfrom\n{parts.T.to_string()}"


def news(old: ForecastReading, new: ForecastReading, step: int = 1) -> News:
    """Explain how newer data moved the forecast of a date.

    Parameters
    ----------
    old, new : ForecastReading
        The same network on an older and on a newer data set. The newer reaches at least as far.
        Gaps are no news; what a value does that fills a gap of the older data counts with the
        passing of time.
    step : int, default=1
        The date that is forecast, in steps after the newest origin of ``new``.

    Returns
    -------
    News

    Raises
    ------
    ConfigurationError
        If the networks differ, or the date is further ahead of the older origin than a patch.
    DataError
        If the data sets do not overlap in time.
    """
    if not isinstance(new, ForecastReading):
        raise ConfigurationError(
            "news compares two readings", found=type(new).__name__, wanted="a DynamicVAR or a frame"
        )
    check_whole("step", step, 1)
    if not old.has_network_of(new) or old.names != new.names:
        raise ConfigurationError(
            "news compares two data sets under one network, and the networks differ",
            remedy="explain both data sets with the same fitted forecaster",
        )
    old_data, new_data = old.data, new.data
    old_origin, new_origin = old_data.last_position, new_data.last_position
    where = new.index.get_indexer(pd.Index([old.index[old_origin]]))[0]
    n_new = new_origin - where
    if where < 0 or n_new < 0:
        raise DataError(
            "the newer data do not hold the newest time of the older",
            found=f"{new.index[0]} to {new.index[new_origin]}",
            wanted=f"to include {old.index[old_origin]}",
        )
    if not 1 <= step <= old.patch_length - n_new:
        raise ConfigurationError(
            "the date is out of reach of the older forecast",
            found=f"step={step} after {n_new} new observations",
            wanted=f"1 to {old.patch_length - n_new}"
            if old.patch_length > n_new
            else f"fewer than {old.patch_length} new observations",
        )
    expected = old.forecast().to_numpy()  # s C
    old_forecast = expected[n_new + step - 1]

    order, n_ahead = old.order, old_data.patch_length
    start, stop = new_origin + 1 - order, new_origin + 1
    n_known = order - n_new
    kept = old_origin + 1 - n_known
    after_series = new_data.target.rows(start, stop)
    before_series = np.concatenate([old_data.target.rows(kept, old_origin + 1), expected[:n_new]])
    after_past = new_data.past.rows(start, stop)
    known = old_data.past.rows(kept, old_origin + 1)
    before_past = np.concatenate([known, np.repeat(known[-1:], n_new, axis=0)])
    after_future = new_data.future.rows(start, stop + n_ahead)
    before_future = after_future.copy()  # what was not known before is no change
    known = old_data.future.rows(kept, kept + order + n_ahead)
    before_future[: len(known)] = known
    # A value that is missing on one side alone has no size of change: it was there all the time.
    for before, after in (
        (before_series, after_series),
        (before_past, after_past),
        (before_future, after_future),
    ):
        is_known = np.isfinite(before) & np.isfinite(after)
        before[~is_known] = after[~is_known]

    ends = [
        Windows(
            new_data.target.scaled(series)[None],
            new_data.past.scaled(past)[None] if new_data.past.names else None,
            new_data.future.scaled(future)[None] if new_data.future.names else None,
            new_data.static.values[None] if new_data.static.names else None,
        )
        for series, past, future in (
            (before_series, before_past, before_future),
            (after_series, after_past, after_future),
        )
    ]
    base, newest = (new.patches(end)[0, step - 1] for end in ends)
    change = np.concatenate([after_past - before_past, after_series - before_series], axis=1)
    change, future_change = np.nan_to_num(change), np.nan_to_num(after_future - before_future)
    weight, future_weight = _average_slopes(new, ends, step, change, future_change, newest - base)

    changed = np.concatenate([after_past, after_series], axis=1)
    new_names = (*new_data.past.names, *new.names)
    kinds = ["past covariate"] * len(new_data.past.names) + ["series"] * len(new.names)
    rows = []
    for t, k in zip(*np.nonzero(change), strict=True):
        status = "new" if t >= n_known else "revised"
        cell = (new_names[k], kinds[k], order - t, new.index[start + t], status)
        rows.append((cell, changed[t, k], change[t, k], weight[:, t, k]))
    for t, k in zip(*np.nonzero(future_change), strict=True):
        label = new.index[start + t] if t < order else None
        cell = (new_data.future.names[k], "future covariate", order - t, label, "revised")
        rows.append((cell, after_future[t, k], future_change[t, k], future_weight[:, t, k]))
    columns = (
        *("response", "source", "kind", "time", "label", "status"),
        *("before", "after", "change", "weight", "contribution"),
    )
    table = pd.DataFrame(
        [
            (name, *cell, value - moved, value, moved, slope[c], slope[c] * moved)
            for c, name in enumerate(new.names)
            for cell, value, moved, slope in rows
        ],
        columns=list(columns),
    )
    names = list(new.names)
    shared = np.einsum("ctk,tk->c", weight, change)
    shared += np.einsum("ctf,tf->c", future_weight, future_change)
    return News(
        table=table,
        old_forecast=pd.Series(old_forecast, names),
        new_forecast=pd.Series(newest, names),
        passing_of_time=pd.Series(base - old_forecast, names),
        unexplained=pd.Series(newest - base - shared, names),
        names=new.names,
    )


def _average_slopes(
    reading: ForecastReading,
    ends: list[Windows],
    step: int,
    change: np.ndarray,
    future_change: np.ndarray,
    difference: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the Jacobian averaged along the line between two windows, (C, L, K) and (C, L+s, F).

    By Gauss and Legendre's rule, with more nodes until the parts add up to the difference.
    """
    asked = np.eye(reading.patch_length)[[step - 1]]
    size = np.abs(difference) + reading.data.target.scaler.scale
    nodes, last_error = FEWEST_NODES, np.inf
    while True:
        places, masses = np.polynomial.legendre.leggauss(nodes)
        places, masses = (places + 1) / 2, masses / 2
        line = [
            None
            if before is None or after is None
            else before + places[:, None, None] * (after - before)
            for before, after in zip(*ends, strict=True)
        ]
        target = line.pop(0)
        assert target is not None  # there is always a target
        slope, future_slope = 0.0, np.zeros((len(reading.names), *future_change.shape))
        jacobians = reading.jacobians(Windows(target, *line), asked)
        for mass, jacobian in zip(masses, jacobians, strict=True):
            slope = slope + mass * jacobian.dense()[0]
            if jacobian.future is not None:
                future_slope += mass * jacobian.future[0]
        parts = np.einsum("ctk,tk->c", slope, change)
        parts += np.einsum("ctf,tf->c", future_slope, future_change)
        error = float((np.abs(parts - difference) / size).max())
        # More nodes do not help where the forecast jumps: the season found there is another.
        has_jumps = nodes > ENOUGH_NODES and error > last_error / 2
        if nodes >= MOST_NODES or error <= ENOUGH or has_jumps:
            return np.asarray(slope), future_slope
        nodes, last_error = 2 * nodes, error
