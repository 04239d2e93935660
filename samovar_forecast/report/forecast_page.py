"""A forecast as one page: words, the fan chart, the numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from samovar_forecast import plots
from samovar_forecast.bundle import write_whole
from samovar_forecast.plots.layout import shown_time
from samovar_forecast.report.figures import drawn
from samovar_forecast.report.page import template
from samovar_forecast.report.tables import Cell, Table

if TYPE_CHECKING:
    import pandas as pd


def write_forecast_report(
    y: pd.DataFrame,
    forecast: pd.DataFrame,
    intervals: pd.DataFrame,
    path: str | Path,
    *,
    title: str = "Forecast",
    about: Sequence[str] = (),
    passages: Sequence[Any] = (),
    series: Sequence[Hashable] | None = None,
    units: Mapping[str, str] | None = None,
) -> Path:
    """Write a forecast as one HTML file that opens without a network.

    Parameters
    ----------
    y : DataFrame of shape (n_rows, n_series)
        The history.
    forecast : DataFrame of shape (horizon, n_series)
        As ``predict`` of a forecaster returns it.
    intervals : DataFrame
        As ``predict_interval`` returns it; the table shows the widest.
    path : str or Path
        The file to write, whole or not at all; its folder is made if it is not there.
    title : str
        Head of the page.
    about : sequence of str
        Sentences on the data, below the title.
    passages : sequence
        Parts of the text, each with a ``head`` and a ``text``.
    series : sequence of column labels, optional
        The series to draw and to list; by default all.
    units : mapping of series to str, optional
        Label of each panel's vertical axis.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    MissingPackageError
        If jinja2 or matplotlib is not installed.
    """
    shown = list(forecast.columns if series is None else series)
    page = template("forecast.html.jinja")
    picture = drawn(
        lambda: plots.plot_fan(y, forecast, intervals, series=shown, units=units, label="SAMoVAR"),
        f"History and forecast of {', '.join(map(str, shown))}",
        "Dark: what was observed. Blue: the forecast, in the middle of its intervals.",
        has_panels=True,
    )
    text = page.render(
        title=title,
        about=list(about),
        passages=list(passages),
        picture=picture,
        numbers=_numbers(forecast[shown], intervals),
        date=dt.date.today().isoformat(),
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode())
    return path


def _numbers(forecast: pd.DataFrame, intervals: pd.DataFrame) -> Table:
    """Return a row for each time: forecast and interval of each series."""
    coverage = max(intervals.columns.get_level_values(1))
    columns, heads = [], ["Time"]
    for name in forecast:
        low, high = (intervals[name, coverage, side].to_numpy() for side in ("lower", "upper"))
        width = float(np.nanmedian(high - low))
        digits = int(np.clip(1 - np.floor(np.log10(width)), 0, 6)) if width > 0 else 0
        for values in (forecast[name].to_numpy(), low, high):
            columns.append([f"{value:,.{digits}f}" for value in values])
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
        groups=[("", 1), *((str(name), 3) for name in forecast)],
    )
