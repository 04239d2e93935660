"""The page itself: what stands where, and the template filled."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samovar_forecast.bundle import write_file
from samovar_forecast.comparison.diagnostics import findings
from samovar_forecast.comparison.text import verdict
from samovar_forecast.exceptions import DataError, require
from samovar_forecast.plots.layout import shown_time
from samovar_forecast.report import figures, tables
from samovar_forecast.report.ahead import Ahead, fan_picture, numbers

if TYPE_CHECKING:
    from samovar_forecast.comparison import Comparison

SERIES_AHEAD = 12
"""Series whose forecast the page draws and lists."""


def write_report(
    comparison: Comparison,
    path: str | Path,
    *,
    title: str = "Forecast comparison",
    about: Sequence[str] = (),
    units: Mapping[str, str] | None = None,
    ahead: Ahead | None = None,
) -> Path:
    """Write a comparison as one HTML file that opens without a network.

    Parameters
    ----------
    comparison : Comparison
        Result of `compare`.
    path : str or Path
        The file to write; its folder is made if it is not there.
    title : str
        Head of the page.
    about : sequence of str
        Sentences on the data, below the title.
    units : mapping of series to str, optional
        Label of the vertical axes of the forecasts.
    ahead : Ahead, optional
        A forecast from the last row: ``(forecast, intervals, model)``, the first two as
        ``predict`` and ``predict_interval`` of a forecaster return them. The page then opens
        with what comes next.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    MissingPackageError
        If jinja2 or matplotlib is not installed.
    """
    path = Path(path)
    page = render_report(comparison, title=title, about=about, units=units, ahead=ahead)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, page.encode())
    return path


def render_report(
    comparison: Comparison,
    *,
    title: str = "Forecast comparison",
    about: Sequence[str] = (),
    units: Mapping[str, str] | None = None,
    ahead: Ahead | None = None,
) -> str:
    """Return the page of `write_report` as text."""
    ranked = len(comparison.scores()) > 0
    first = list(comparison.y.columns[:SERIES_AHEAD])
    if ahead is not None:
        ahead = Ahead(*ahead)
    content: dict[str, Any] = {
        "title": title,
        "about": list(about),
        "verdict": verdict(comparison),
        "facts": _facts(comparison),
        "ahead": ahead,
        "ahead_picture": ahead and fan_picture(comparison.y, ahead, first, units),
        "ahead_numbers": ahead and numbers(ahead, first),
        "findings": findings(comparison),
        "leaderboard": tables.leaderboard(comparison),
        "bands": tables.bands(comparison) if ranked else None,
        "significance": tables.significance(comparison) if ranked else None,
        "nested": tables.nested(comparison) if ranked else None,
        "by_series": tables.by_series(comparison) if ranked else None,
        "calibration": tables.calibration(comparison) if ranked else None,
        "effort": tables.effort(comparison),
        "parameters": tables.parameters(comparison),
        "provenance": _provenance(comparison),
        "pictures": figures.error_pictures(comparison) if ranked else [],
        "windows": figures.window_pictures(comparison, units or {}) if ranked else [],
        "calibration_picture": figures.calibration_picture(comparison) if ranked else None,
    }
    content["confidence_set"], content["no_set"] = _confidence_set(comparison)
    content["matrices"], content["matrix_notes"] = figures.matrix_pictures(comparison)
    return template("report.html.jinja").render(content)


def template(name: str) -> Any:
    """Return a template of the pages, or say what is needed to fill it.

    Raises
    ------
    MissingPackageError
        If jinja2 or matplotlib is not installed.
    """
    jinja2 = require("jinja2", feature="the report", extra="report")
    require("matplotlib", feature="the report", extra="report")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("samovar_forecast.report", "templates"),
        autoescape=True,  # names come from the user's file
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _facts(comparison: Comparison) -> list[tuple[str, str]]:
    """Return the few numbers that a reader wants first."""
    y, origins = comparison.y, comparison.origins
    return [
        (str(y.shape[1]), "series" if y.shape[1] != 1 else "series (one)"),
        (f"{len(y):,}", f"rows, {shown_time(y.index[0])} to {shown_time(y.index[-1])}"),
        (str(comparison.horizon), "steps ahead"),
        (
            str(len(origins)),
            f"origins, {shown_time(origins[0])} to {shown_time(origins[-1])}, "
            f"{comparison.stride} apart",
        ),
        (
            str(comparison.n_first),
            "rows to train on at first, then growing"
            if comparison.window == "expanding"
            else "rows to train on before each origin",
        ),
    ]


def _confidence_set(comparison: Comparison) -> tuple[tables.Table | None, str]:
    """Return the model confidence set, or None and why there is none."""
    try:
        return tables.confidence_set(comparison.confidence_set()), ""
    except DataError as reason:
        return None, str(reason)


def _provenance(comparison: Comparison) -> list[tuple[str, str]]:
    """Return what was run, as pairs of a name and what it was."""
    told = dict(comparison.provenance)
    settings = [
        ("Date (UTC)", told.pop("date")),
        ("Data, SHA-256", told.pop("data_sha256")),
        ("Window", comparison.window),
        ("Season", str(comparison.season)),
        ("Stride", str(comparison.stride)),
        ("Horizon bands", ", ".join(comparison.band_labels)),
        ("Python", f"{platform.python_version()}, {platform.platform(terse=True)}"),
    ]
    return [*settings, *told.items()]
