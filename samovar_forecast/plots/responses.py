"""Figures of responses to a shock, and of the shocks behind the forecast errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from samovar_forecast.exceptions import ConfigurationError, require
from samovar_forecast.plots.layout import (
    STYLES,
    bands_of,
    check_units,
    legend_below,
    line_of,
    pyplot,
    shade_of,
    shown_name,
    shown_text,
    title_above,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

    from samovar_forecast.dynamics.connectedness import Connectedness
    from samovar_forecast.dynamics.decompositions import VarianceDecomposition
    from samovar_forecast.dynamics.responses import ImpulseResponses

__all__ = ["plot_decomposition", "plot_responses"]

METHODS = {"direct": "direct forecasts", "iterated": "first step iterated"}
"""What the titles say of how responses came about."""


def plot_responses(
    results: ImpulseResponses | Mapping[str, ImpulseResponses],
    *,
    impulses: Sequence[str] | None = None,
    responses: Sequence[str] | None = None,
    level: float | None = None,
    units: Mapping[str, str] | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw impulse responses: a column per impulse, a row per response, bands where there are any.

    Parameters
    ----------
    results : ImpulseResponses, or mapping of str to ImpulseResponses
        Several are drawn over one another, under their names: a rise and a fall, two models.
    impulses, responses : sequence of str, optional
        The series to draw; by default all.
    level : float, optional
        Coverage of the bands; by default that of the first result.
    units : mapping of names to str, optional
        Unit of each series and covariate, on the vertical axes and at the shocks; without, the
        axes say that they are in the units of the response.
    figure : matplotlib Figure or SubFigure, optional
        The figure to draw on; by default a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (n_responses, n_impulses)
    """
    by_name = dict(results) if isinstance(results, Mapping) else {"": results}
    first = next(iter(by_name.values()))
    level = first.level if level is None else level
    unit_of = check_units(units, dict.fromkeys((*first.names, *first.impulses)))
    columns, rows = _chosen(impulses, first.impulses), _chosen(responses, first.names)
    if figure is None:
        figsize = (2.2 * len(columns) + 0.8, 1.6 * len(rows) + 0.9)
        figure = pyplot().figure(figsize=figsize, layout="constrained")
    axes = figure.subplots(len(rows), len(columns), sharex=True, sharey="row", squeeze=False)
    for number, (name, result) in enumerate(by_name.items()):
        style = STYLES[number % len(STYLES)]
        line: dict[str, Any] = {"color": style["color"], "linestyle": style["linestyle"]}
        periods = np.arange(result.periods + 1)
        bounds = None if result.draws is None else result.band(level)
        for i, response in enumerate(rows):
            for j, impulse in enumerate(columns):
                pair = (slice(None), first.names.index(response), first.impulses.index(impulse))
                ax = axes[i, j]
                if bounds is not None:
                    ax.fill_between(
                        periods,
                        *(bound[pair] for bound in bounds),
                        **shade_of(periods, style["color"], 0.18),
                    )
                line |= line_of(periods, 1.4)
                ax.plot(periods, result.estimate[pair], label=shown_text(name), **line)
    cause = "change of" if first.covariates else "shock to"
    sizes = {result.size for result in by_name.values()}
    size = first.size if len(sizes) == 1 else abs(first.size)  # the legend tells a rise from a fall
    for i, response in enumerate(rows):
        unit = unit_of.get(response)
        below = f"\n({shown_text(unit)})" if unit else ""
        axes[i, 0].set_ylabel(f"{shown_name(response)}{below}", fontsize="small")
        for j, impulse in enumerate(columns):
            ax = axes[i, j]
            ax.axhline(0, color="0.6", linewidth=0.7, zorder=0)
            ax.spines[["top", "right"]].set_visible(False)
            ax.margins(x=0)
            ax.tick_params(labelsize="small")
            ax.locator_params(axis="x", integer=True, nbins=5)
            if i == 0:
                unit = unit_of.get(impulse) if first.kind in ("irf", "multiplier") else None
                below = f"\n({_number(size)} {shown_text(unit)})" if unit else ""
                ax.set_title(f"{cause} {shown_name(impulse)}{below}", fontsize="small")
    axes[-1, len(columns) // 2].set_xlabel(f"periods after the {cause[:-3]}", fontsize="small")
    if len(by_name) > 1:
        legend_below(axes[0, 0])
    if not unit_of:
        axes[0, 0].get_figure(root=False).supylabel("units of the response", fontsize="small")
    bands = dict.fromkeys(bands_of(result, level) for result in by_name.values())
    title_above(axes[0, 0], ", ".join(filter(None, [_responses_title(first, size), *bands])))
    return axes


def plot_decomposition(
    result: VarianceDecomposition,
    *,
    responses: Sequence[str] | None = None,
    level: float | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw whose shocks the forecast errors come from: shares over the horizon.

    They are stacked; with draws, each share is a line with its band.

    Parameters
    ----------
    result : VarianceDecomposition
    responses : sequence of str, optional
        The series to draw; by default all.
    level : float, optional
        Coverage of the bands, if the result has draws; by default that of the result.
    figure : matplotlib Figure or SubFigure, optional
        The figure to draw on; by default a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (n_responses,)
    """
    rows = _chosen(responses, result.names)
    if figure is None:
        size = (2.3 * len(rows) + 0.8, 2.9)
        figure = pyplot().figure(figsize=size, layout="constrained")
    axes = figure.subplots(1, len(rows), sharey=True, squeeze=False)[0]
    horizons = np.arange(1, result.periods + 1)
    colors = _colors(len(result.names))
    bounds = None if result.draws is None else [100 * bound for bound in result.band(level)]
    for ax, response in zip(axes, rows, strict=True):
        bottom = np.zeros(result.periods)
        place = result.names.index(response)
        shares = 100 * result.decomp[place]
        for k, (impulse, color, share) in enumerate(
            zip(result.names, colors, shares.T, strict=True)
        ):
            if bounds is not None:  # a stack has no room for bands
                line = {"linestyle": STYLES[k % len(STYLES)]["linestyle"], **line_of(horizons, 1.4)}
                ax.plot(horizons, share, color=color, label=shown_name(impulse), **line)
                ax.fill_between(
                    horizons,
                    *(bound[:, place, k] for bound in bounds),
                    **shade_of(horizons, color, 0.16),
                )
                continue
            ax.bar(
                *(horizons, share),
                bottom=bottom,
                width=1.0,
                color=color,
                edgecolor="white",
                linewidth=0.4,
                label=shown_name(impulse),
            )
            bottom += share
        ax.set_title(shown_name(response), loc="left", fontsize="medium")
        ax.set_xlabel("steps ahead", fontsize="small")
        ax.set_ylim(0, 100)
        ax.margins(x=0)
        ax.tick_params(labelsize="small")
        ax.locator_params(axis="x", integer=True, nbins=6)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("percent of the error variance", fontsize="small")
    legend_below(axes[0], "shocks to")
    kind = "generalised" if result.kind == "generalized" else "orthogonal"
    title = f"Forecast errors by the source of the shock ({kind}, {way_shown(result)})"
    title_above(axes[0], ", ".join(filter(None, [title, bands_of(result, level)])))
    return axes


def _responses_title(result: ImpulseResponses, size: float) -> str:
    kind = {
        "irf": "Responses to a shock of one unit",
        "orth": "Responses to an orthogonal shock of one standard deviation",
        "girf": "Generalised responses to a shock of one standard deviation",
        "multiplier": "Responses to a change of covariates by one unit",
    }[result.kind]
    if size != 1:
        kind = kind.replace(" of one ", f" of {_number(size)} ")
    if abs(size) > 1:
        kind = kind.replace("unit", "units").replace("deviation", "deviations")
    if result.kind != "girf":
        kind += f", {way_shown(result)}"
    return f"Cumulative {kind[0].lower()}{kind[1:]}" if result.is_cumulative else kind


def _number(size: float) -> str:
    return f"{size:g}".replace("-", "\N{MINUS SIGN}")


def way_shown(result: ImpulseResponses | VarianceDecomposition | Connectedness) -> str:
    """Return what a title says of how responses came about, and of which part, if of one."""
    way = METHODS[result.method]
    is_whole = result.method == "iterated" or result.part == "total"
    return way if is_whole else f"{way}, {result.part}"


def _chosen(chosen: Sequence[str] | None, names: tuple[str, ...]) -> list[str]:
    if isinstance(chosen, str):
        chosen = [chosen]
    for name in chosen or ():
        if name not in names:
            raise ConfigurationError(
                "no such series in the result", found=repr(name), wanted=list(names)
            )
    if chosen is not None and len(chosen) == 0:
        raise ConfigurationError("there is nothing to draw", found="no series", wanted=list(names))
    return list(names if chosen is None else chosen)


def _colors(number: int) -> list[Any]:
    """Return the colours of the lines, or steps of a perceptual map for more series than these."""
    if number <= len(STYLES):
        return [style["color"] for style in STYLES[:number]]
    matplotlib = require("matplotlib", feature="plots", extra="plots")
    return list(matplotlib.colormaps["cividis"](np.linspace(0, 1, number)))
