"""One function a figure: takes results, returns Axes, computes nothing.

Without a ``figure`` or ``ax`` of its own, a function draws on a new pyplot figure, so that a
notebook shows it. Colours are Okabe and Ito's, safe for colour-blind readers; markers and line
styles tell the models apart in print without colour too.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.plot_layout import (
    DIVERGING,
    few_ticks,
    known_models,
    legend_below,
    model_style,
    panels,
    pyplot,
    shown_name,
    shown_text,
    shown_time,
    times_of,
    title_above,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from samovar_forecast.comparison import Comparison

LARGEST_ANNOTATED = 10
"""Matrices of more series carry colours only, no numbers."""


def save_figure(axes: Axes | np.ndarray, path: str | Path, dpi: int = 200) -> Path:
    """Write the figure that some Axes stand on to a file, and close it.

    Parameters
    ----------
    axes : Axes or ndarray of Axes
        What a function of this module returned.
    path : str or Path
        Where to; the suffix is the format, for example ``.png``, ``.pdf`` or ``.svg``.
    dpi : int, default=200
        Resolution where the format has one.

    Returns
    -------
    Path
        The file written.
    """
    figure: Any = np.ravel(np.asarray(axes, dtype=object))[0].get_figure(root=True)
    figure.savefig(path, dpi=dpi)
    pyplot().close(figure)
    return Path(path)


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
    """Draw the forecasts made at one origin against history and truth, a panel per series.

    Parameters
    ----------
    comparison : Comparison
        Result of `compare`.
    origin : int, default=-1
        Position of the origin among ``comparison.origins``.
    models : sequence of str, optional
        Which models; by default all that made a forecast there.
    series : sequence of column labels, optional
        Which series; by default all.
    n_history : int, optional
        Rows shown before the origin; by default three horizons, and at least 24.
    units : mapping of series to str, optional
        Label of each panel's vertical axis.
    interval_of : str, optional
        Shade the 80 % interval of this model, if it has one.
    figure : matplotlib Figure or SubFigure, optional
        Where to draw; by default a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (number of series drawn,)
    """
    y, horizon = comparison.y, comparison.horizon
    drawn = list(y.columns if series is None else series)
    absent = [name for name in drawn if name not in y.columns]
    if absent:
        raise ConfigurationError(
            "series to draw", found=repr(absent[0]), wanted=f"some of {list(y.columns)}"
        )
    label = comparison.origins[origin]
    end = y.index.get_loc(label) + 1
    if n_history is None:
        n_history = max(24, 3 * horizon)
    shown = y.iloc[max(0, end - n_history) : end + horizon]
    times = times_of(shown.index)
    ahead = times[len(shown) - horizon :]
    made = comparison.forecasts[comparison.forecasts["origin"] == label]
    models = known_models(models, comparison.models, made["model"].unique())
    bounds = comparison.quantiles.loc[made.index, [0.1, 0.9]]

    axes = panels(len(drawn), figure)
    for ax, name in zip(axes, drawn, strict=True):
        ax.plot(times, shown[name], color="0.15", linewidth=1.3, label="observed", zorder=3)
        ax.axvline(times[len(shown) - horizon - 1], color="0.55", linewidth=0.8, zorder=1)
        ax.axvspan(times[len(shown) - horizon - 1], times[-1], color="0.95", zorder=0)
        for model in models:
            of_model = made[(made["model"] == model) & (made["series"] == name)]
            style = model_style(comparison, model)
            ax.plot(ahead, of_model["y_pred"], label=shown_name(model), markersize=3, **style)
            if model == interval_of and bounds.loc[of_model.index].notna().all(axis=None):
                low, high = bounds.loc[of_model.index].to_numpy().T
                ax.fill_between(ahead, low, high, color=style["color"], alpha=0.18, linewidth=0)
        ax.set_title(shown_name(name), loc="left", fontsize="medium")
        ax.set_ylabel((units or {}).get(name, ""), fontsize="small")
        ax.margins(x=0.01)
        ax.tick_params(labelsize="small")
        few_ticks(ax, times)
    legend_below(axes[0])
    title = f"Forecasts made at {shown_time(label)}, shaded: the {horizon} steps ahead"
    title_above(axes[0], title)
    return axes


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
    metric : {"MSE", "MAE", "MASE", "RMSSE", "CRPS"}, default="MSE"
        Which metric.
    models : sequence of str, optional
        Which models; by default all that were scored.
    ax : matplotlib Axes, optional
        Where to draw; by default on a new pyplot figure.

    Returns
    -------
    Axes
    """
    scores = comparison.scores("step")
    if metric not in scores:
        raise ConfigurationError("metric", found=repr(metric), wanted=f"one of {list(scores)}")
    table = scores[metric].unstack("model")
    if ax is None:
        ax = pyplot().subplots(figsize=(6, 3.8), layout="constrained")[1]
    for model in known_models(models, comparison.models, table.columns):
        style = model_style(comparison, model)
        ax.plot(table.index, table[model], label=shown_name(model), markersize=4, **style)
    scaled = "in-sample naive errors" if metric in ("MASE", "RMSSE") else "standardised series"
    ax.set_xlabel("steps ahead")
    ax.set_ylabel(f"{metric} ({scaled})")
    n_scored = int(comparison.scales["deviation"].notna().sum())
    ax.set_title(
        f"{metric} over {len(comparison.origins)} origins and {n_scored} series",
        loc="left",
        fontsize="medium",
        fontweight="bold",
    )
    ax.set_ylim(bottom=0)
    ax.locator_params(axis="x", integer=True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small")
    return ax


def plot_lag_matrices(
    coefs: np.ndarray,
    names: Sequence[str],
    *,
    title: str = "Lag matrices",
    unit: str = "effect on the response of one unit of the impulse",
    max_lags: int | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw lag matrices as heat maps on one symmetric scale: rows respond, columns act.

    Parameters
    ----------
    coefs : ndarray, shape (order, n_series, n_series)
        ``coefs[lag - 1, response, impulse]``, as statsmodels has it.
    names : sequence of str
        Names of the series.
    title : str
        What is shown, above the panels.
    unit : str
        What the numbers mean, beside the colour bar.
    max_lags : int, optional
        Draw no more than the first so many lags; the title says so.
    figure : matplotlib Figure or SubFigure, optional
        Where to draw; by default a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (number of lags drawn,)

    Raises
    ------
    ConfigurationError
        If ``coefs`` has another shape than ``names`` asks for, or no lag.
    """
    coefs = np.asarray(coefs, dtype=float)
    n_series = len(names)
    if coefs.ndim != 3 or coefs.shape[1:] != (n_series, n_series) or len(coefs) == 0:
        raise ConfigurationError(
            "coefs are not lag matrices of the series named",
            found=f"shape {coefs.shape}",
            wanted=f"(order, {n_series}, {n_series}) with an order of at least 1",
        )
    if max_lags is not None and len(coefs) > max_lags:
        title = f"{title}, lags 1 to {max_lags} of {len(coefs)}"
        coefs = coefs[:max_lags]
    limit = np.abs(coefs).max() or 1.0
    names = [shown_name(name) for name in names]
    if figure is None:
        cell = 0.46 if n_series <= LARGEST_ANNOTATED else 0.22
        side = max(2.8, 0.8 + cell * n_series)
        size = (side * len(coefs) + 2.2, side + 1.4)
        # Matrices are square: "compressed" lets the figure's other parts close up around them.
        figure = pyplot().figure(figsize=size, layout="compressed")
    axes = figure.subplots(1, len(coefs), sharey=True, squeeze=False)[0]
    for lag, (ax, matrix) in enumerate(zip(axes, coefs, strict=True), start=1):
        image = ax.imshow(matrix, cmap=DIVERGING, vmin=-limit, vmax=limit)
        ax.set_title(f"lag {lag}", fontsize="medium")
        ax.set_xticks(range(n_series), names, rotation=45, ha="right", fontsize="small")
        ax.set_yticks(range(n_series), names, fontsize="small")
        ax.set_xticks(np.arange(n_series + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(n_series + 1) - 0.5, minor=True)
        ax.grid(which="minor", color="white", linewidth=1)
        ax.tick_params(which="both", length=0)
        ax.spines[:].set_visible(False)
        if n_series <= LARGEST_ANNOTATED:
            _annotate(ax, matrix, limit)
        ax.set_xlabel("impulse")
    axes[0].set_ylabel("response")
    bar = figure.colorbar(image, ax=list(axes), shrink=0.9, pad=0.02)
    bar.set_label(unit, fontsize="small")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize="small")
    figure.suptitle(shown_text(title), x=0.01, ha="left", fontsize="medium", fontweight="bold")
    return axes


def _annotate(ax: Axes, matrix: np.ndarray, limit: float) -> None:
    for (row, column), value in np.ndenumerate(matrix):
        dark = abs(value) > 0.6 * limit
        ax.text(
            *(column, row, f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")),
            ha="center",
            va="center",
            fontsize=6.5,
            color="white" if dark else "0.2",
        )
