"""What comes next, as a part of a page: the fan of the forecast, and its numbers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from samovar_forecast import plots
from samovar_forecast.frames.digits import decimals_for, shown
from samovar_forecast.plots.layout import shown_time
from samovar_forecast.report.figures import Picture, drawn
from samovar_forecast.report.tables import Cell, Table

if TYPE_CHECKING:
    import pandas as pd


class Ahead(NamedTuple):
    """A forecast from the last row.

    Parameters
    ----------
    forecast : DataFrame of shape (horizon, n_series)
        As ``predict`` of a forecaster returns it.
    intervals : DataFrame
        As ``predict_interval`` returns it; the table shows the widest.
    model : str
        Name of the forecaster.
    """

    forecast: pd.DataFrame
    intervals: pd.DataFrame
    model: str = "SAMoVAR"


def fan_picture(
    y: pd.DataFrame,
    ahead: Ahead,
    series: Sequence[Hashable],
    units: Mapping[str, str] | None = None,
) -> Picture:
    """Return history and forecast of some series, a panel each."""
    return drawn(
        lambda: plots.plot_fan(
            y, ahead.forecast, ahead.intervals, series=series, units=units, label=ahead.model
        ),
        f"History and forecast of {', '.join(map(str, series))}",
        "Dark: what was observed. Blue: the forecast, in the middle of its intervals.",
        has_panels=True,
    )


def numbers(ahead: Ahead, series: Sequence[Hashable]) -> Table:
    """Return a row for each time: forecast and interval of some series."""
    forecast, intervals = ahead.forecast, ahead.intervals
    coverage = max(intervals.columns.get_level_values(1))
    columns, heads = [], ["Time"]
    for name in series:
        low, high = (intervals[name, coverage, side].to_numpy() for side in ("lower", "upper"))
        middle = forecast[name].to_numpy()
        digits = decimals_for(middle, low, high)
        for values in (middle, low, high):
            columns.append([shown(value, digits) for value in values])
        heads += ["forecast", "low", "high"]
    rows = [
        [Cell(shown_time(time), "name"), *(Cell(column[row], "number") for column in columns)]
        for row, time in enumerate(forecast.index)
    ]
    return Table(
        "numbers",
        f"Forecast and its {100 * coverage:g} % interval",
        heads,
        rows,
        groups=[("", 1), *((str(name), 3) for name in series)],
    )
