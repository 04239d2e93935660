"""The figure of what comes next: history, forecast, and intervals that open like a fan."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from samovar_forecast.arguments import check_whole
from samovar_forecast.plots.layout import (
    STYLES,
    check_units,
    label_panel,
    legend_below,
    line_of,
    panels,
    series_to_draw,
    shown_text,
    shown_time,
    times_of,
    title_above,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure, SubFigure

__all__ = ["plot_fan"]

ROWS_OF_FULL_WIDTH = 200
"""Rows up to which lines have their full width."""
FEWEST_ROWS = 24
"""Rows of history at least, where there are so many."""


def plot_fan(
    y: pd.DataFrame,
    forecast: pd.DataFrame,
    intervals: pd.DataFrame,
    *,
    series: Sequence[Hashable] | None = None,
    n_history: int | None = None,
    units: Mapping[str, str] | None = None,
    label: str = "forecast",
    title: str | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw a forecast as it continues its series, with its intervals, a panel per series.

    Parameters
    ----------
    y : DataFrame of shape (n_rows, n_series)
        The history; missing values leave a gap in the line.
    forecast : DataFrame of shape (horizon, n_series)
        As ``predict`` of a forecaster returns it.
    intervals : DataFrame of shape (horizon, n_series * n_coverages * 2)
        As ``predict_interval`` returns it: columns of series, coverage, and lower or upper.
    series : sequence of column labels, optional
        The series to draw; by default all.
    n_history : int, optional
        Rows shown before the forecast; by default three horizons, and at least 24.
    units : mapping of series to str, optional
        Label of each panel's vertical axis.
    label : str, default="forecast"
        What the legend calls the forecast.
    title : str, optional
        Title of the figure; by default the time of the last row and the steps ahead.
    figure : matplotlib Figure or SubFigure, optional
        The figure to draw on; by default a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (number of series drawn,)

    Raises
    ------
    ConfigurationError
        If a series to draw has no forecast, or ``units`` names no series that has one.

    Examples
    --------
    >>> from samovar_forecast import plots  # doctest: +SKIP
    >>> forecast = forecaster.predict()  # doctest: +SKIP
    >>> intervals = forecaster.predict_interval(coverage=[0.5, 0.8])  # doctest: +SKIP
    >>> plots.plot_fan(y, forecast, intervals)  # doctest: +SKIP
    """
    drawn = series_to_draw(series, forecast.columns)
    horizon = len(forecast)
    unit_of = check_units(units, forecast.columns)
    if n_history is None:
        n_history = max(FEWEST_ROWS, 3 * horizon)
    past = y.iloc[-check_whole("n_history", n_history, 1) :]
    coverages = sorted(set(intervals.columns.get_level_values(1)))
    times, ahead = times_of(past.index), times_of(forecast.index)
    color = STYLES[0]["color"]

    thin = min(1.0, max(0.4, ROWS_OF_FULL_WIDTH / (len(past) + horizon)))  # else a line is a block
    axes = panels(len(drawn), figure)
    for ax, name in zip(axes, drawn, strict=True):
        known = past[name].to_numpy(dtype=float)
        # The fan opens at the last value that is known.
        joint = [] if np.isnan(known[-1]) else [known[-1]]
        at = np.concatenate([times[len(times) - len(joint) :], ahead])
        ax.axvspan(times[-1], ahead[-1], color="0.96", zorder=0)
        marker = "o" if horizon == 1 or len(joint) == 0 else None
        ax.plot(
            at,
            np.concatenate([joint, forecast[name]]),
            color=color,
            linewidth=1.8 * thin,
            marker=marker,
            markersize=3,
            label=label,
            zorder=4,
        )
        for depth, coverage in enumerate(coverages):
            low, high = (
                np.concatenate([joint, intervals[name, coverage, side]])
                for side in ("lower", "upper")
            )
            alpha = 0.32 / (1 + depth)
            shade = {"color": color, "alpha": alpha, "linewidth": 0}
            ax.fill_between(at, low, high, **shade, label=f"{100 * coverage:g} % interval")
        ax.plot(
            times, known, color="0.15", label="observed", zorder=3, **line_of(times, 1.3 * thin)
        )
        label_panel(ax, name, unit_of.get(str(name), ""), np.concatenate([times, ahead]))
    legend_below(axes[0])
    if title is None:
        title = f"What comes after {shown_time(y.index[-1])}, {horizon} steps ahead"
    title_above(axes[0], shown_text(title))
    return axes
