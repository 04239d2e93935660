"""Figures as parts of a page: a data address, what it shows in words, and a caption."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from samovar_forecast import plots
from samovar_forecast.exceptions import require
from samovar_forecast.plots.layout import MOST_COLUMNS, shown_time

if TYPE_CHECKING:
    from samovar_forecast.comparison import Comparison

LARGEST_SVG = 220_000
"""Bytes from which a figure is written as PNG, which does not grow with the points drawn."""
DOTS_PER_INCH = 110
FONT_SIZE = 10.0
"""Points: the smallest text of a figure, 0.83 of this size, is then 11 pixels high."""
PANELS = 6
"""Series drawn in the windows."""
SERIES_IN_MATRICES = 15
LAGS_DRAWN = 3


class Picture(NamedTuple):
    """A figure of the page."""

    source: str
    """A ``data:`` address."""
    alternative: str
    """What it shows, for readers who do not see it."""
    caption: str
    narrow: str = ""
    """A ``data:`` address of the same in a single column, for a phone."""


def drawn(
    draw: Callable[[], Any], alternative: str, caption: str, *, has_panels: bool = False
) -> Picture:
    """Return what a function of the plotting rooms draws, as a picture.

    Parameters
    ----------
    draw : callable
        Returns Axes, or an array of them, on a pyplot figure of their own.
    alternative, caption : str
        See `Picture`.
    has_panels : bool, default=False
        Whether it draws a panel for each series, which a phone shows below one another.
    """
    narrow = ""
    if has_panels:
        token = MOST_COLUMNS.set(1)
        try:
            narrow = _address(draw)
        finally:
            MOST_COLUMNS.reset(token)
    return Picture(_address(draw), alternative, caption, narrow)


def _address(draw: Callable[[], Any]) -> str:
    """Draw once, and return the figure as a ``data:`` address."""
    matplotlib = require("matplotlib", feature="the report", extra="report")
    pyplot = require("matplotlib.pyplot", feature="the report", extra="report")
    # Text stays text, in the reader's own fonts, and ids do not change from run to run.
    settings = {"svg.fonttype": "none", "svg.hashsalt": "samovar_forecast", "font.size": FONT_SIZE}
    with matplotlib.rc_context(settings):
        axes = np.ravel(np.asarray(draw(), dtype=object))
        figure = axes[0].get_figure(root=True)
        content, kind = io.BytesIO(), "image/svg+xml"
        figure.savefig(content, format="svg", metadata={"Date": None}, bbox_inches="tight")
        if content.tell() > LARGEST_SVG:
            content, kind = io.BytesIO(), "image/png"
            figure.savefig(content, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight")
        pyplot.close(figure)
    encoded = base64.b64encode(content.getvalue()).decode("ascii")
    return f"data:{kind};base64,{encoded}"


def error_pictures(comparison: Comparison) -> list[Picture]:
    """Return the pictures of errors: by step and by origin, and by series."""

    def by_step_and_origin() -> Any:
        pyplot = require("matplotlib.pyplot", feature="the report", extra="report")
        _, axes = pyplot.subplots(1, 2, figsize=(10.6, 3.5), layout="constrained")
        legend = plots.plot_errors_by_step(comparison, ax=axes[0]).get_legend()
        if legend is not None:  # the plot beside it has the same
            legend.remove()
        plots.plot_errors_by_origin(comparison, ax=axes[1])
        return axes

    return [
        drawn(
            by_step_and_origin,
            "Two line plots: mean squared error of each model against the step ahead, and "
            "against the origin",
            "Left, how the error grows with the step ahead. Right, the same errors in time: "
            "whether a model wins throughout, or in a few episodes.",
        ),
        drawn(
            lambda: plots.plot_errors_by_series(comparison),
            "Dot plot: mean squared error of each model for each series, relative to the "
            "best classical model",
            "Where the difference comes from: each series' MSE relative to the reference.",
        ),
    ]


def calibration_picture(comparison: Comparison) -> Picture | None:
    """Return the picture of calibration, None if no model has intervals."""
    if comparison.calibration().empty:
        return None
    return drawn(
        lambda: plots.plot_calibration(comparison),
        "Two line plots: share of truths below each quantile, and inside the 80 % interval by step",
        "On the diagonal, a quantile holds what it says. Below it on the left and above it on the "
        "right, intervals are too wide; the other way round, too narrow.",
    )


def window_pictures(comparison: Comparison, units: Mapping[str, str]) -> list[Picture]:
    """Return the windows that the best model forecast best and worst."""
    mse = comparison.scores()["MSE"].sort_values(kind="stable")
    leader = str(mse.index[0])
    errors = comparison.scores("origin")["MSE"].loc[leader].sort_values(kind="stable")
    scored = [name for name in comparison.y if not np.isnan(comparison.scales["deviation"][name])]
    pictures = []
    ends = (("worst", errors.index[-1]), ("best", errors.index[0]))
    for which, origin in ends[: len(errors)]:
        position = int(comparison.origins.get_loc(origin))
        series = _telling(comparison, leader, origin, scored)
        others = f" ({len(series)} of {len(scored)} series, those of largest error there)"

        def draw(position: int = position, series: list[Any] = series) -> Any:
            return plots.plot_forecasts(
                comparison,
                position,
                series=series,
                units=units,
                interval_of=leader,
            )

        pictures.append(
            drawn(
                draw,
                f"Forecasts at the {which} origin against history and truth",
                f"The {which} window of {leader}: MSE {errors[origin]:.3g} at the origin "
                f"{shown_time(origin)}"
                + (others if len(series) < len(scored) else "")
                + ". Coloured band: its 80 % interval, where it has one.",
                has_panels=True,
            )
        )
    return pictures


def _telling(comparison: Comparison, model: str, origin: object, scored: list[Any]) -> list[Any]:
    """Return the series of largest error at an origin, in their usual order."""
    if len(scored) <= PANELS:
        return scored
    rows = comparison.errors.query("model == @model and origin == @origin")
    largest = rows.groupby("series", sort=False)["MSE"].mean().nlargest(PANELS).index
    return [name for name in scored if name in largest]


def matrix_pictures(comparison: Comparison) -> tuple[list[Picture], list[str]]:
    """Return the lag matrices that the models learnt, and what kept others from being drawn.

    A forecaster with a method ``explain`` is read as a dynamic VAR at its last fit; the VAR rows
    show their own coefficients. All are in deviations of the series.
    """
    learnt, notes = [], []
    deviation = comparison.y.std().replace(0.0, 1.0).to_numpy()  # a constant has no deviations
    for model, fitted in comparison.fitted.items():
        try:
            found = _coefficients(fitted)
        except Exception as error:  # noqa: BLE001 - a picture that fails leaves the page standing
            notes.append(f"{model} could not be explained: {type(error).__name__}: {error}")
            continue
        if found is None:
            continue
        coefs, which, what = found
        names = [str(name) for name, used in zip(comparison.y, which, strict=True) if used]
        if not coefs.size or len(names) > SERIES_IN_MATRICES:
            notes.append(f"{model}: {len(names)} series are too many to draw.")
            continue
        spread = deviation[which]
        learnt.append((model, what, names, coefs * spread / spread[:, None]))
    limit = max((np.abs(scaled[:LAGS_DRAWN]).max() for *_, scaled in learnt), default=0.0) or 1.0
    pictures = []
    for model, what, names, scaled in learnt:

        def draw(scaled: np.ndarray = scaled, names: list[str] = names, model: str = model) -> Any:
            return plots.plot_lag_matrices(
                scaled,
                names,
                title=model,
                unit="response in its deviations,\nto one deviation of the impulse",
                max_lags=LAGS_DRAWN,
                limit=limit,
            )

        pictures.append(
            drawn(
                draw,
                f"Heat maps: effect of each series on each, by lag, in {model}",
                f"{model}, {what}: the effect on the one-step forecast of a row, by a column. "
                "The colours mean the same in all figures of this part.",
            )
        )
    return pictures, notes


def _coefficients(fitted: Any) -> tuple[np.ndarray, np.ndarray, str] | None:
    """Return lag matrices, which columns they are of, and what they are; None if there are none."""
    if hasattr(fitted, "explain"):
        dynamic = fitted.explain()
        local = dynamic.at(horizon=1)
        every = np.ones(local.coefs.shape[1], dtype=bool)
        return local.coefs, every, f"read as a VAR at {shown_time(local.origin)}"
    results = getattr(fitted, "results_", None)
    coefs = getattr(results, "coefs", None)
    if coefs is None or not len(coefs):
        return None
    every = np.ones(coefs.shape[1], dtype=bool)
    return coefs, getattr(fitted, "varying_", every), f"order {len(coefs)}, as fitted last"
