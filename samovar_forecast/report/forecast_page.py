"""A forecast as one page: words, the fan chart, the numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samovar_forecast.bundle import write_file
from samovar_forecast.report.ahead import Ahead, fan_picture, numbers
from samovar_forecast.report.page import template

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
    ahead = Ahead(forecast, intervals)
    text = page.render(
        title=title,
        about=list(about),
        passages=list(passages),
        picture=fan_picture(y, ahead, shown, units),
        numbers=numbers(ahead, shown),
        date=dt.date.today().isoformat(),
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, text.encode())
    return path
