"""Figures of coefficients: over the lags, over the origins, and as matrices."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.plots.layout import (
    DIVERGING,
    STYLES,
    bands_of,
    check_lags,
    check_units,
    few_ticks,
    legend_below,
    line_of,
    panels,
    pyplot,
    shade_of,
    shown_name,
    shown_text,
    shown_time,
    times_of,
    title_above,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from samovar_forecast.dynamics.coefficient_paths import CoefficientPaths
    from samovar_forecast.dynamics.local_var import LocalVAR

__all__ = ["plot_coefficient_paths", "plot_lag_matrices", "plot_lag_profiles"]

NEARLY_ALL = 0.99
"""Share of the weight, squared, that is drawn where no number of lags is asked for."""

FEWEST_LAGS = 8
"""Lags that are drawn at least then."""

MOST_MATRICES = 12
"""Lag matrices that are drawn where no number is asked for."""

LARGEST_ANNOTATED = 10
"""Matrices of more series carry colours only, no numbers."""


def plot_lag_profiles(
    locals_: LocalVAR | Mapping[str, LocalVAR],
    *,
    responses: Sequence[Hashable] | None = None,
    impulses: Sequence[Hashable] | None = None,
    max_lags: int | None = None,
    units: Mapping[str, str] | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw coefficients over the lags: a row per response, a column per impulse.

    Parameters
    ----------
    locals_ : LocalVAR, or mapping of str to LocalVAR
        Several are drawn over one another under their names: two origins, two horizons.
    responses, impulses : sequence of labels, optional
        Series, and for impulses past covariates too; by default all series.
    max_lags : int, optional
        Draw no more than the first so many lags; by default up to the lag with which
        :data:`NEARLY_ALL` of the weight, as ``LocalVAR.lag_shares`` counts it, is drawn.
    units : mapping of names to str, optional
        Unit of each series and covariate, at the names of the panels.
    figure : matplotlib Figure or SubFigure, optional
        The figure to draw on; by default a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (n_responses, n_impulses)
    """
    by_name = dict(locals_) if isinstance(locals_, Mapping) else {"": locals_}
    first = next(iter(by_name.values()))
    check_lags(max_lags)
    rows, columns = list(responses or first.names), list(impulses or first.names)
    unit_of = check_units(units, (*first.past_names, *first.names))
    if figure is None:
        size = (2.2 * len(columns) + 0.8, 1.5 * len(rows) + 1.0)
        figure = pyplot().figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(rows), len(columns), sharex=True, sharey="row", squeeze=False)
    n_lags = min(max_lags or max(map(_lags_that_count, by_name.values())), first.order)
    lags = np.arange(1, n_lags + 1)
    for i, response in enumerate(rows):
        for j, impulse in enumerate(columns):
            ax = axes[i, j]
            for number, (name, local) in enumerate(by_name.items()):
                values = local.pair(response, impulse)[:n_lags]
                style = STYLES[number % len(STYLES)]
                line = {"color": style["color"], "label": shown_text(name)}
                if n_lags <= 40 and len(by_name) == 1:
                    ax.vlines(lags, 0, values, color=style["color"], linewidth=1.6)
                    ax.plot(lags, values, linestyle="none", marker="o", markersize=3, **line)
                else:
                    line |= line_of(lags, 1.2)
                    ax.plot(lags, values, linestyle=style["linestyle"], **line)
            ax.axhline(0, color="0.6", linewidth=0.7, zorder=0)
            ax.spines[["top", "right"]].set_visible(False)
            ax.tick_params(labelsize="small")
            ax.locator_params(axis="x", integer=True, nbins=5)
            if i == 0:
                ax.set_title(f"from {_with_unit(impulse, unit_of)}", fontsize="small")
        axes[i, 0].set_ylabel(_with_unit(response, unit_of), fontsize="small")
    axes[-1, len(columns) // 2].set_xlabel("lag (time steps)", fontsize="small")
    whole = axes[0, 0].get_figure(root=False)
    whole.supylabel("units of the response per unit of the impulse", fontsize="small")
    step = "" if first.horizon in (1, None) else f", step {first.horizon} ahead"
    where = "" if len(by_name) > 1 else f" at {shown_time(first.origin)}"
    parts = {local.part for local in by_name.values()} - {"total"}
    part = f" of the {parts.pop()}" if len(parts) == 1 else ""
    title_above(axes[0, 0], f"Local coefficients{part}{where}{step}")
    if len(by_name) > 1:
        legend_below(axes[0, 0])
    return axes


def _with_unit(name: Hashable, unit_of: Mapping[str, str]) -> str:
    unit = unit_of.get(str(name))
    return f"{shown_name(name)}\n({shown_text(unit)})" if unit else shown_name(name)


def _lags_that_count(local: LocalVAR) -> int:
    """Return the lag up to which nearly all of the weight lies, the responses alike."""
    shares = local.lag_shares().mean(axis=1)
    return max(FEWEST_LAGS, int((shares.cumsum() < NEARLY_ALL * shares.sum()).sum()) + 1)


def plot_coefficient_paths(
    paths: CoefficientPaths | pd.DataFrame,
    *,
    lower: pd.DataFrame | None = None,
    upper: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    level: float | None = None,
    units: Mapping[str, str] | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw coefficients over the origins: a panel per coefficient, on one vertical scale.

    Parameters
    ----------
    paths : CoefficientPaths or DataFrame
        As ``DynamicVAR.coefficient_paths`` and ``persistence`` give them, or a frame of such; pick
        columns to draw fewer.
    lower, upper : DataFrame, optional
        A band around them, of the same shape; by default that of the result, if it has draws.
    truth : DataFrame, optional
        What is known of them, for simulated data.
    level : float, optional
        Coverage of the band of the result; by default its own.
    units : mapping of names to str, optional
        Unit of each series and covariate, in the titles of the panels.
    figure : matplotlib Figure or SubFigure, optional
        The figure to draw on; by default a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (number of coefficients,)

    Raises
    ------
    ConfigurationError
        If there is no coefficient, or a single bound of a band.
    """
    title, name, band = "Coefficients over the forecast origins", "coefficient", "band"
    result = None if hasattr(paths, "iloc") else cast("CoefficientPaths", paths)
    if result is not None:
        title, name = _of_paths(result)
        if result.draws is not None and lower is None and upper is None:
            lower, upper = result.bounds(level)
            band = bands_of(result, level, word="band")
    frame = cast("pd.DataFrame", paths) if result is None else result.to_frame()
    if frame.shape[1] == 0:
        raise ConfigurationError("there is no coefficient to draw", found="no column")
    if (lower is None) != (upper is None):
        raise ConfigurationError("a band has a lower and an upper bound", found="one of the two")
    unit_of = check_units(units, dict.fromkeys(name for pair in frame.columns for name in pair[:2]))
    axes = panels(frame.shape[1], figure, share_y=True)
    times = times_of(frame.index)
    for ax, column in zip(axes, frame.columns, strict=True):
        if lower is not None and upper is not None:
            ax.fill_between(
                *(times, lower[column], upper[column]),
                **shade_of(times, STYLES[0]["color"], 0.18),
                label=band,
            )
        ax.plot(times, frame[column], color=STYLES[0]["color"], label=name, **line_of(times, 1.2))
        if truth is not None:
            line = {"linestyle": "--", **line_of(times, 1)}
            ax.plot(times, truth[column], color="0.2", label="truth", **line)
        response, impulse, *lag = column
        at_lag = f", lag {lag[0]}" if lag else ""
        names = f"{shown_name(response)} from {shown_name(impulse)}"
        ax.set_title(f"{names}{at_lag}{_ratio(unit_of, response, impulse)}", fontsize="small")
        ax.axhline(0, color="0.6", linewidth=0.7, zorder=0)
        ax.margins(x=0)
        ax.tick_params(labelsize="small")
        few_ticks(ax, times)
    figure = axes[0].get_figure(root=False)
    figure.supylabel("units of the response per unit of the impulse", fontsize="small")
    if lower is not None or truth is not None:
        legend_below(axes[0])
    title_above(axes[0], title)
    return axes


def _ratio(unit_of: Mapping[str, str], response: Hashable, impulse: Hashable) -> str:
    """Return the unit of a coefficient, in parentheses, where both units are known."""
    above, below = unit_of.get(str(response)), unit_of.get(str(impulse))
    return f"\n({shown_text(above)} per {shown_text(below)})" if above and below else ""


def _of_paths(paths: CoefficientPaths) -> tuple[str, str]:
    """Return the title of paths, and what a line of theirs is."""
    what = "Coefficients" if paths.kind == "coefficients" else "Sums of the coefficients"
    part = "" if paths.part == "total" else f" of the {paths.part}"
    step = "" if paths.horizon == 1 else f", step {paths.horizon} ahead"
    name = "coefficient" if paths.kind == "coefficients" else "sum over the lags"
    return f"{what}{part} over the forecast origins{step}", name


def plot_lag_matrices(
    coefs: np.ndarray,
    names: Sequence[str],
    *,
    title: str = "Lag matrices",
    unit: str = "effect on the response of one unit of the impulse",
    max_lags: int | None = None,
    limit: float | None = None,
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
        Draw no more than the first so many lags, by default :data:`MOST_MATRICES`; the title says
        so.
    limit : float, optional
        Size at which the colours end; by default the largest coefficient drawn. Matrices of
        several models can be compared by eye where all get the same.
    figure : matplotlib Figure or SubFigure, optional
        The figure to draw on; by default a new pyplot figure.

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
    check_lags(max_lags)
    max_lags = MOST_MATRICES if max_lags is None else max_lags
    if len(coefs) > max_lags:
        title = f"{title}, lags 1 to {max_lags} of {len(coefs)}"
        coefs = coefs[:max_lags]
    if limit is None:
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
    title_above(axes[0], shown_text(title))
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
