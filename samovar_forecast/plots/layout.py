"""What all figures share: styles of the lines, panels, legends, and labels of times and names."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from samovar_forecast.arguments import check_whole
from samovar_forecast.bundle import write_file
from samovar_forecast.exceptions import ConfigurationError, require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from samovar_forecast.comparison import Comparison

__all__ = ["save_figure"]
"""What users get from `samovar_forecast.plots`; the rest is for the modules of figures."""

STYLES = (
    {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    {"color": "#D55E00", "marker": "s", "linestyle": (0, (4, 1))},
    {"color": "#009E73", "marker": "^", "linestyle": (0, (1, 1))},
    {"color": "#CC79A7", "marker": "D", "linestyle": (0, (4, 1, 1, 1))},
    {"color": "#56B4E9", "marker": "v", "linestyle": (0, (6, 2))},
    {"color": "#E69F00", "marker": "P", "linestyle": (0, (2, 2))},
    {"color": "#7A5195", "marker": "X", "linestyle": (0, (8, 1, 1, 1))},
    {"color": "#8C6D31", "marker": "<", "linestyle": (0, (5, 2, 1, 2))},
    {"color": "#666666", "marker": ">", "linestyle": (0, (3, 1))},
    {"color": "#A1C935", "marker": "p", "linestyle": (0, (1, 2))},
    {"color": "#332288", "marker": "h", "linestyle": (0, (5, 1, 1, 1))},
    {"color": "#44AA99", "marker": "*", "linestyle": (0, (3, 2))},
    {"color": "#882255", "marker": "d", "linestyle": (0, (7, 1, 2, 1))},
    {"color": "#B0A000", "marker": "H", "linestyle": (0, (2, 1))},
)
"""Line styles of the models, in the order of the comparison."""
DIVERGING = "RdBu_r"
"""Colour map of signed values: white at zero, safe for colour-blind readers."""
LONGEST_NAME = 28
"""Characters of a name; a longer name would take the room of what is drawn."""
MOST_MARKERS = 12
"""Markers on a line, about; further points carry none."""
CHARACTERS_AN_INCH = 11.5
"""Bold characters of a title for which an inch of a figure has room."""
MOST_COLUMNS: ContextVar[int] = ContextVar("MOST_COLUMNS", default=3)
"""Columns of panels at most; a page for a phone draws a single column."""


def panels(
    n_series: int, figure: Figure | SubFigure | None, *, share_y: bool = False
) -> np.ndarray:
    """Return an Axes for each series, in at most `MOST_COLUMNS` columns that share their times."""
    n_columns = min(MOST_COLUMNS.get(), n_series)
    n_rows = -(-n_series // n_columns)
    if figure is None:
        size = (3.3 * n_columns, 2.1 * n_rows + 0.7)
        figure = pyplot().figure(figsize=size, layout="constrained")
    grid = figure.subplots(n_rows, n_columns, sharex=True, sharey=share_y, squeeze=False)
    axes = grid.ravel()
    for ax in axes[n_series:]:
        ax.remove()
    for ax in axes[max(0, n_series - n_columns) : n_series]:
        ax.tick_params(labelbottom=True)
    for ax in axes[:n_series]:
        ax.spines[["top", "right"]].set_visible(False)
    return axes[:n_series]


def series_to_draw(series: Sequence[Hashable] | None, known: Any) -> list[Any]:
    """Return the series to draw, by default all that are known, or name a series that is not."""
    drawn = list(known if series is None else series)
    absent = [name for name in drawn if name not in known]
    if absent:
        raise ConfigurationError(
            "series to draw", found=repr(absent[0]), wanted=f"some of {list(known)}"
        )
    return drawn


def label_panel(ax: Axes, name: Hashable, unit: str, times: np.ndarray) -> None:
    """Give the panel of a series its name, its unit and few labels of time."""
    ax.set_title(shown_name(name), loc="left", fontsize="medium")
    ax.set_ylabel(shown_text(unit), fontsize="small")
    ax.margins(x=0.01)
    ax.tick_params(labelsize="small")
    few_ticks(ax, times)


def legend_below(ax: Axes, title: str | None = None) -> None:
    """Put the legend of an Axes below its figure, once for all panels."""
    figure: Any = ax.get_figure(root=False)
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(len(labels), 2 * MOST_COLUMNS.get()),
        frameon=False,
        fontsize="small",
        title=title,
        title_fontsize="small",
    )


def title_above(ax: Axes, title: str) -> None:
    """Put a title above all panels of the figure that an Axes stands on."""
    figure: Any = ax.get_figure(root=False)
    inches = figure.bbox.width / figure.dpi
    lines = textwrap.fill(title, int(CHARACTERS_AN_INCH * inches))
    figure.suptitle(lines, x=0.01, ha="left", fontsize="medium", fontweight="bold")


def bands_of(result: Any, level: float | None = None, *, word: str = "bands") -> str:
    """Return what a title says of the bands of a result: their level and kind; "" without any.

    Parameters
    ----------
    result : BandedResult
    level : float, optional
        By default that of the result.
    word : str
        "bands", or "band" where there is one alone.
    """
    if result.draws is None:
        return ""
    share = f"{result.level if level is None else level:.0%}"
    return " ".join(part for part in (share, result.bands, word) if part)


def line_of(places: Sequence[Any] | np.ndarray, width: float) -> dict[str, Any]:
    """Return how a line over some places is drawn: a single place, which has none, by a point."""
    return {"linewidth": width, **({"marker": "o", "markersize": 4} if len(places) == 1 else {})}


def shade_of(places: Sequence[Any] | np.ndarray, color: Any, alpha: float) -> dict[str, Any]:
    """Return how a band over some places is drawn: at a single place, by a bar."""
    return {"color": color, "alpha": alpha, "linewidth": 0 if len(places) > 1 else 5}


def check_units(units: Mapping[str, str] | None, names: Iterable[Hashable]) -> dict[str, str]:
    """Return units by the name of their series; refuse what names no series of the figure.

    Raises
    ------
    ConfigurationError
    """
    if units is None:
        return {}
    known = [str(name) for name in names]
    if not isinstance(units, Mapping):
        raise ConfigurationError(
            "units go by the names of the series", found=repr(units), wanted=f"by {known}"
        )
    absent = [name for name in units if str(name) not in known]
    if absent:
        raise ConfigurationError("units of a series", found=repr(absent[0]), wanted=known)
    return {str(name): unit for name, unit in units.items()}


def check_lags(max_lags: int | None) -> None:
    """Refuse what is no number of lags to draw; None is none.

    Raises
    ------
    ConfigurationError
    """
    if max_lags is not None:
        check_whole("max_lags", max_lags, 1)


def known_models(
    models: Sequence[str] | None, order: Sequence[str], available: Sequence[str]
) -> list[str]:
    """Return the models to draw, in the comparison's order, or name a model without data."""
    available = list(available)
    absent = [model for model in models or () if model not in available]
    if absent:
        raise ConfigurationError(
            "a model has nothing to draw here", found=repr(absent[0]), wanted=f"some of {available}"
        )
    return [model for model in order if model in (available if models is None else models)]


def model_style(comparison: Comparison, model: str) -> dict[str, Any]:
    """Return a model's line, the same in every figure of a comparison and of no other model."""
    round_, place = divmod(list(comparison.models).index(model), len(STYLES))
    style = dict(STYLES[place])
    if round_:  # a colour that was there has another marker and another line
        style["marker"] = STYLES[(place + 3 * round_) % len(STYLES)]["marker"]
        style["linestyle"] = STYLES[(place + 4 * round_) % len(STYLES)]["linestyle"]
    return {**style, "linewidth": 1.3, "markevery": max(1, comparison.horizon // MOST_MARKERS)}


def times_of(index: Any) -> Any:
    """Return index labels that matplotlib can place: a period where it begins, others as is."""
    return index.to_timestamp().to_numpy() if hasattr(index, "to_timestamp") else index.to_numpy()


def few_ticks(ax: Axes, times: np.ndarray) -> None:
    """Leave room between the time labels of a small panel."""
    if np.issubdtype(times.dtype, np.datetime64):
        dates = require("matplotlib.dates", feature="plots", extra="plots")
        locator = dates.AutoDateLocator(minticks=3, maxticks=6)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    else:
        ax.locator_params(axis="x", nbins=5, integer=True)


def shown_text(name: object) -> str:
    """Return a user's name as matplotlib shows it: a dollar is no formula, a line has its key."""
    text = str(name).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def shown_name(name: object) -> str:
    """Return a series' or a model's name as `shown_text`, a long name without its middle."""
    text = str(name)
    if len(text) > LONGEST_NAME:
        tail = LONGEST_NAME // 2 - 2
        text = f"{text[: LONGEST_NAME - tail - 1]}\N{HORIZONTAL ELLIPSIS}{text[-tail:]}"
    return shown_text(text)


def shown_time(label: object) -> str:
    """Return a time as a label, without a midnight that says nothing."""
    return str(label).removesuffix(" 00:00:00")


def pyplot() -> Any:
    """Return pyplot, or say how to get it."""
    return require("matplotlib.pyplot", feature="plots", extra="plots")


def save_figure(axes: Axes | np.ndarray, path: str | Path, dpi: int = 200) -> Path:
    """Write the figure that some Axes stand on to a file, and close it.

    Parameters
    ----------
    axes : Axes or ndarray of Axes
        What a function of this package returned.
    path : str or Path
        The file to write, whole or not at all; its suffix is the format, for example ``.png``,
        ``.pdf`` or ``.svg``.
    dpi : int, default=200
        Resolution where the format has one.

    Returns
    -------
    Path
        The file written.
    """
    figure: Any = np.ravel(np.asarray(axes, dtype=object))[0].get_figure(root=True)
    path, content = Path(path), io.BytesIO()
    figure.savefig(content, format=path.suffix[1:] or None, dpi=dpi)
    pyplot().close(figure)
    write_file(path, content.getvalue())
    return path
