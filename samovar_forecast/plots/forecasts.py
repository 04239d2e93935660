"""Figures of forecasts against history and truth."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from samovar_forecast.plots.layout import (
    known_models,
    label_panel,
    legend_below,
    model_style,
    panels,
    series_to_draw,
    shown_name,
    shown_time,
    times_of,
    title_above,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

    from samovar_forecast.comparison import Comparison

__all__ = ["plot_forecasts"]

MOST_RIVALS = 4
"""Rivals drawn by default: more lines than these cannot be told apart."""


def plot_forecasts(
    comparison: Comparison,
    origin: int = -1,
    *,
    models: Sequence[str] | None = None,
    series: Sequence[Hashable] | None = None,
    n_history: int | None = None,
    units: Mapping[str, str] | None = None,
    interval_of: str | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw the forecasts made at an origin against history and truth, a panel per series.

    Parameters
    ----------
    comparison : Comparison
        Result of `compare`.
    origin : int, default=-1
        Position of the origin among ``comparison.origins``.
    models : sequence of str, optional
        The models to draw; by default the first that is not classical, on top and first in the
        legend, and its four best rivals by MSE, among those that made a forecast there.
    series : sequence of column labels, optional
        The series to draw; by default all.
    n_history : int, optional
        Rows shown before the origin; by default three horizons, and at least 24.
    units : mapping of series to str, optional
        Label of each panel's vertical axis.
    interval_of : str, optional
        Shade the 80 % interval of this model, if it has intervals.
    figure : matplotlib Figure or SubFigure, optional
        The figure to draw on; by default a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (number of series drawn,)
    """
    y, horizon = comparison.y, comparison.horizon
    drawn = series_to_draw(series, y.columns)
    label = comparison.origins[origin]
    end = y.index.get_loc(label) + 1
    if n_history is None:
        n_history = max(24, 3 * horizon)
    shown = y.iloc[max(0, end - n_history) : end + horizon]
    times = times_of(shown.index)
    ahead = times[len(shown) - horizon :]
    made = comparison.forecasts[comparison.forecasts["origin"] == label]
    available = made["model"].unique()
    if models is None:
        models = _ours_and_rivals(comparison, available)
    else:
        models = known_models(models, comparison.models, available)
    bounds = comparison.quantiles.loc[made.index, [0.1, 0.9]]

    axes = panels(len(drawn), figure)
    for ax, name in zip(axes, drawn, strict=True):
        ax.axvline(times[len(shown) - horizon - 1], color="0.55", linewidth=0.8, zorder=1)
        ax.axvspan(times[len(shown) - horizon - 1], times[-1], color="0.95", zorder=0)
        for place, model in enumerate(models):
            of_model = made[(made["model"] == model) & (made["series"] == name)]
            style = model_style(comparison, model) | {"zorder": 4 - place / len(models)}
            style["linewidth"] = 2.0 if place == 0 else style["linewidth"]
            ax.plot(ahead, of_model["y_pred"], label=shown_name(model), markersize=3, **style)
            if model == interval_of and bounds.loc[of_model.index].notna().all(axis=None):
                low, high = bounds.loc[of_model.index].to_numpy().T
                ax.fill_between(ahead, low, high, color=style["color"], alpha=0.18, linewidth=0)
        ax.plot(times, shown[name], color="0.15", linewidth=1.3, label="observed", zorder=3)
        label_panel(ax, name, (units or {}).get(name, ""), times)
    legend_below(axes[0])
    title = f"Forecasts made at {shown_time(label)}, shaded: the {horizon} steps ahead"
    title_above(axes[0], title)
    return axes


def _ours_and_rivals(comparison: Comparison, available: Sequence[str]) -> list[str]:
    """Return the first row that is not classical, and the best of the others behind it."""
    known = [model for model in comparison.models if model in available]
    ours = [model for model in known if model not in comparison.classical][:1]
    ranked = list(comparison.scores()["MSE"].sort_values(kind="stable").index)
    others = [model for model in dict.fromkeys([*ranked, *known]) if model in known]
    return [*ours, *[model for model in others if model not in ours][:MOST_RIVALS]]
