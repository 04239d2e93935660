"""Figures of the scores of a comparison: by step, series and origin, and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from samovar_forecast.comparison.metrics import COVERAGES, LEVELS
from samovar_forecast.exceptions import ConfigurationError, require
from samovar_forecast.plots.layout import (
    few_ticks,
    known_models,
    model_style,
    pyplot,
    shown_name,
    times_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure, SubFigure

    from samovar_forecast.comparison import Comparison

__all__ = [
    "plot_calibration",
    "plot_errors_by_origin",
    "plot_errors_by_series",
    "plot_errors_by_step",
]

MOST_SERIES = 30
FARTHEST = 20.0
"""Ratios of errors beyond this, or below its inverse, are drawn at the edge."""


def plot_errors_by_step(
    comparison: Comparison,
    metric: str = "MSE",
    *,
    models: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a metric against the step ahead, a line for each model.

    Parameters
    ----------
    comparison : Comparison
        Result of `compare`. Models that failed at an origin are not drawn.
    metric : str, default="MSE"
        Name of a metric of the comparison.
    models : sequence of str, optional
        The models to draw; by default all that were scored.
    ax : matplotlib Axes, optional
        The Axes to draw on; by default a new pyplot figure is made.

    Returns
    -------
    Axes
    """
    by_name = {known.name: known for known in comparison.metrics}
    if metric not in by_name:
        raise ConfigurationError("metric", found=repr(metric), wanted=f"one of {list(by_name)}")
    table = comparison.scores("step")[metric].unstack("model")
    if ax is None:
        ax = pyplot().subplots(figsize=(6, 3.8), layout="constrained")[1]
    for model in known_models(models, comparison.models, table.columns):
        style = model_style(comparison, model)
        ax.plot(table.index, table[model], label=shown_name(model), markersize=4, **style)
    ax.set_xlabel("steps ahead")
    ax.set_ylabel(f"{metric} ({by_name[metric].unit.axis})")
    n_scored = int(comparison.scales["deviation"].notna().sum())
    ax.set_title(
        f"{metric} over {len(comparison.origins)} origins and {n_scored} series",
        loc="left",
        fontsize="medium",
        fontweight="bold",
    )
    if not (table < 0).any(axis=None):
        ax.set_ylim(bottom=0)
    ax.locator_params(axis="x", integer=True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small")
    return ax


def plot_errors_by_series(
    comparison: Comparison,
    *,
    models: Sequence[str] | None = None,
    most: int = MOST_SERIES,
    ax: Axes | None = None,
) -> Axes:
    """Draw each model's MSE of each series, relative to the best classical model's.

    Parameters
    ----------
    comparison : Comparison
        Result of `compare`. Models that failed at an origin are not drawn.
    models : sequence of str, optional
        The models to draw; by default all that were scored.
    most : int, default=30
        Draw no more than so many series: the series on which the models differ most.
    ax : matplotlib Axes, optional
        The Axes to draw on; by default a new pyplot figure is made.

    Returns
    -------
    Axes
        Left of 1 is better than the reference: the best classical model, or the best model
        where there is none. The axis is logarithmic; beyond 20 times, or a twentieth, a model
        stands at the edge.
    """
    table = comparison.scores("series")["MSE"].unstack("model")
    reference = comparison.best_classical or comparison.scores()["MSE"].idxmin()
    ratio = table.div(table[reference], axis=0).replace([np.inf, 0.0], np.nan)
    ratio = ratio.reindex([name for name in comparison.y if name in ratio.index]).dropna(how="all")
    n_scored = len(ratio)
    spread = (ratio.max(axis=1) / ratio.min(axis=1)).sort_values(ascending=False)
    shown = [name for name in ratio.index if name in spread.index[:most]]
    ratio = ratio.loc[shown].clip(1 / FARTHEST, FARTHEST)
    if ax is None:
        size = (6.4, 1.5 + 0.26 * len(shown))
        ax = pyplot().subplots(figsize=size, layout="constrained")[1]
    rows = np.arange(len(shown))
    ax.axvline(1, color="0.5", linewidth=0.9, zorder=1)
    ax.hlines(rows, ratio.min(axis=1), ratio.max(axis=1), color="0.88", linewidth=2, zorder=0)
    for model in known_models(models, comparison.models, ratio.columns):
        style = model_style(comparison, model)
        ax.plot(
            *(ratio[model], rows),
            color=style["color"],
            marker=style["marker"],
            linestyle="",
            markersize=5,
            label=shown_name(model),
        )
    ax.set_yticks(rows, [shown_name(name) for name in shown], fontsize="small")
    ax.set_ylim(len(shown) - 0.4, -0.6)  # the first series on top
    ax.set_xscale("log")
    low, high = np.nanmin(ratio.to_numpy()), np.nanmax(ratio.to_numpy())
    ax.set_xlim(min(0.8 * low, 0.7), max(1.25 * high, 1.4))
    _plain_numbers(ax.xaxis)
    ax.set_xlabel(f"MSE, {shown_name(reference)} = 1 (log scale; left is better)")
    few = f", the {len(shown)} of {n_scored} on which models differ most"
    ax.set_title(
        "MSE by series" + (few if len(shown) < n_scored else ""),
        loc="left",
        fontsize="medium",
        fontweight="bold",
    )
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_errors_by_origin(
    comparison: Comparison, *, models: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the MSE of each model against the origin, a line for each model.

    Parameters
    ----------
    comparison : Comparison
        Result of `compare`. Models that failed at an origin are not drawn.
    models : sequence of str, optional
        The models to draw; by default all that were scored.
    ax : matplotlib Axes, optional
        The Axes to draw on; by default a new pyplot figure is made.

    Returns
    -------
    Axes
    """
    table = comparison.scores("origin")["MSE"].unstack("model").reindex(comparison.origins)
    if ax is None:
        ax = pyplot().subplots(figsize=(6.4, 3.4), layout="constrained")[1]
    times = times_of(table.index)
    for model in known_models(models, comparison.models, table.columns):
        style = model_style(comparison, model) | {"markevery": max(1, len(times) // 24)}
        ax.plot(times, table[model], label=shown_name(model), markersize=4, **style)
    ax.set_xlabel("origin: last observation known")
    ax.set_ylabel("MSE (standardised series)")
    ax.set_title("MSE by origin", loc="left", fontsize="medium", fontweight="bold")
    if np.nanmin(table.to_numpy()) > 0:
        ax.set_yscale("log")
        _plain_numbers(ax.yaxis)
    few_ticks(ax, times)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_calibration(
    comparison: Comparison,
    *,
    models: Sequence[str] | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw how often the truth lay below each quantile, and inside the 80 % interval by step.

    Parameters
    ----------
    comparison : Comparison
        Result of `compare`.
    models : sequence of str, optional
        The models to draw; by default all that have quantiles.
    figure : matplotlib Figure or SubFigure, optional
        The figure to draw on; by default a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (2,)

    Raises
    ------
    ConfigurationError
        If no model has quantiles.
    """
    table = comparison.calibration()
    if table.empty:
        raise ConfigurationError("no model has quantiles to draw")
    by_step = comparison.calibration("step")
    share = COVERAGES[1]
    if figure is None:
        figure = pyplot().figure(figsize=(8.6, 3.7), layout="constrained")
    axes = figure.subplots(1, 2)
    reliability, coverage = axes
    reliability.plot([0, 1], [0, 1], color="0.5", linewidth=0.9)
    coverage.axhline(share, color="0.5", linewidth=0.9)
    for model in known_models(models, comparison.models, table.index):
        style = model_style(comparison, model)
        drawn = {**style, "markersize": 3.5, "label": shown_name(model)}
        reliability.plot(LEVELS, [table.loc[model, ("below", level)] for level in LEVELS], **drawn)
        of_model = by_step.loc[model]["coverage", share]
        coverage.plot(of_model.index, of_model, **drawn)
    reliability.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    reliability.set_xlabel("level of the quantile")
    reliability.set_ylabel("share of truths at or below it")
    reliability.set_title("Reliability", loc="left", fontsize="medium", fontweight="bold")
    coverage.set_xlabel("steps ahead")
    coverage.set_ylabel("share of truths inside")
    coverage.set_ylim(0, 1.02)
    coverage.locator_params(axis="x", integer=True)
    coverage.set_title(
        f"Coverage of the {100 * share:.0f} % interval",
        loc="left",
        fontsize="medium",
        fontweight="bold",
    )
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    coverage.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return axes


def _plain_numbers(axis: Axis) -> None:
    """Put plain numbers, some five of them, on a logarithmic axis."""
    ticker = require("matplotlib.ticker", feature="plots", extra="plots")
    low, high = axis.get_view_interval()
    steps = [1.0, 2.0, 5.0] if high < 200 * low else [1.0]
    steps = [1.0, 1.5, 2.0, 3.0, 5.0, 7.0] if high < 12 * low else steps
    axis.set_major_locator(ticker.LogLocator(subs=steps, numticks=15))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(ticker.NullFormatter())
