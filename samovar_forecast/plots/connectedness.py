"""Figures of which series drive which: connectedness, spillovers, causality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from samovar_forecast.exceptions import require
from samovar_forecast.plots.layout import (
    STYLES,
    bands_of,
    few_ticks,
    legend_below,
    line_of,
    pyplot,
    shade_of,
    shown_name,
    times_of,
    title_above,
)
from samovar_forecast.plots.responses import way_shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from samovar_forecast.dynamics.causality import CausalityTest
    from samovar_forecast.dynamics.connectedness import Connectedness

__all__ = ["plot_causality", "plot_connectedness", "plot_spillovers"]

GIVES, TAKES = STYLES[1]["color"], STYLES[0]["color"]
"""Colours of series that give more than they receive, and of series that receive more."""
MOST_ARROWS = 40
"""Arrows of a network; weaker arrows are left out."""


def plot_connectedness(
    result: Connectedness,
    *,
    level: float | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw total connectedness over time, and below it what each series gives less receives.

    Parameters
    ----------
    result : Connectedness
    level : float, optional
        Coverage of the band of the total, if the result has draws; by default that of the result.
    figure : matplotlib Figure or SubFigure, optional
        The figure to draw on; by default a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (2,)
    """
    if figure is None:
        figure = pyplot().figure(figsize=(7.2, 4.6), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.2])
    total, net = result.total, result.net
    times = times_of(total.index)
    if result.draws is not None:
        band = result.total_band(level)
        axes[0].fill_between(times, band["lower"], band["upper"], **shade_of(times, "0.15", 0.15))
    axes[0].plot(times, total, color="0.15", **line_of(times, 1.4))
    axes[0].set_ylabel("total, percent of\nthe error variance", fontsize="small")
    axes[1].axhline(0, color="0.6", linewidth=0.7, zorder=0)
    for name, style in zip(result.names, _styles(len(result.names)), strict=True):
        axes[1].plot(times, net[name], label=shown_name(name), **style, **line_of(times, 1.3))
    axes[1].set_ylabel("net: given less received,\npercent of one variance", fontsize="small")
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.margins(x=0.01)
        ax.tick_params(labelsize="small")
    few_ticks(axes[1], times)
    legend_below(axes[1])
    axes[0].set_ylim(bottom=0)
    band = bands_of(result, level, word="band of the total")
    title = f"Connectedness of the errors {result.horizon} steps ahead ({way_shown(result)})"
    title_above(axes[0], ", ".join(filter(None, [title, band])))
    return axes


def plot_spillovers(result: Connectedness, *, ax: Axes | None = None) -> Axes:
    """Draw net pairwise spillovers as a network, averaged over the origins.

    An arrow runs from the series that gives more to the series that receives more, the wider the
    larger the difference. The area of a node is what its series gives to all others; its colour
    says whether that is more or less than it receives.

    Parameters
    ----------
    result : Connectedness
    ax : matplotlib Axes, optional
        The Axes to draw on; by default a new pyplot figure is made.

    Returns
    -------
    Axes
    """
    patches = require("matplotlib.patches", feature="plots", extra="plots")
    if ax is None:
        ax = pyplot().subplots(figsize=(5.2, 5.0), layout="constrained")[1]
    given, net = result.to_others.mean(), result.net.mean()
    mean = result.pairwise().groupby(["giver", "receiver"])["net"].mean()
    arrows = mean[mean > 0].sort_values()[-MOST_ARROWS:]
    n_series = len(result.names)
    angles = np.pi / 2 - 2 * np.pi * np.arange(n_series) / n_series
    places = dict(zip(result.names, np.stack([np.cos(angles), np.sin(angles)], 1), strict=True))
    strongest = arrows.max() if len(arrows) else 1.0
    for (giver, receiver), strength in arrows.items():
        share = strength / strongest
        ax.add_patch(
            patches.FancyArrowPatch(
                *(places[giver], places[receiver]),
                connectionstyle="arc3,rad=0.12",
                arrowstyle="-|>",
                mutation_scale=9 + 6 * share,
                linewidth=0.6 + 3.4 * share,
                color=str(0.72 - 0.5 * share),
                shrinkA=19,
                shrinkB=21,
                zorder=1 + share,
            )
        )
    areas = 250 + 900 * given / max(given.max(), 1e-12)
    for name, place in places.items():
        color = GIVES if net[name] > 0 else TAKES
        ax.scatter(
            *(place[0], place[1], areas[name]),
            color=color,
            edgecolor="white",
            linewidth=1.5,
            zorder=3,
        )
        beside = (np.sqrt(areas[name]) / 2 + 5) * place  # in points from the centre of the node
        ax.annotate(
            f"{shown_name(name)}\n" + f"{net[name]:+.1f}".replace("-", "\N{MINUS SIGN}"),
            place,
            xytext=beside,
            textcoords="offset points",
            ha="center" if abs(place[0]) < 0.3 else "left" if place[0] > 0 else "right",
            va="center" if abs(place[1]) < 0.3 else "bottom" if place[1] > 0 else "top",
            fontsize="small",
            zorder=4,
        )
    ax.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), aspect="equal")
    ax.axis("off")
    key = [("gives more", GIVES), ("receives more", TAKES)]
    handles = [ax.scatter([], [], s=60, color=color, label=label) for label, color in key]
    ax.legend(handles=handles, loc="lower center", ncols=2, frameon=False, fontsize="small")
    ax.set_title(
        f"Net spillovers {result.horizon} steps ahead, percent; "
        f"widest arrow: {strongest:.1f}; total: {result.total.mean():.1f}",
        loc="left",
        fontsize="small",
        fontweight="bold",
    )
    return ax


def plot_causality(test: CausalityTest, *, ax: Axes | None = None) -> Axes:
    """Draw which series help to forecast which: rows caused, columns causing.

    The colour is the share by which the causing series lowers the squared error out of sample;
    pairs that the test rejects at its level, adjusted by Holm, are framed.

    Parameters
    ----------
    test : CausalityTest
    ax : matplotlib Axes, optional
        The Axes to draw on; by default a new pyplot figure is made.

    Returns
    -------
    Axes
    """
    patches = require("matplotlib.patches", feature="plots", extra="plots")
    if ax is None:
        side = 1.9 + 0.62 * len(test.names)
        ax = pyplot().subplots(figsize=(side + 0.8, side), layout="constrained")[1]
    names = list(test.names)
    gain = np.full((len(names), len(names)), np.nan)
    for row in test.table.itertuples():
        place = (names.index(row.caused), names.index(row.causing))
        gain[place] = 100 * row.gain
        ax.text(
            *place[::-1],
            f"{100 * row.gain:.1f}".replace("-", "\N{MINUS SIGN}"),
            ha="center",
            va="center",
            fontsize="small",
        )
        if row.pvalue_holm < test.level:
            corner = (place[1] - 0.46, place[0] - 0.46)
            ax.add_patch(patches.Rectangle(corner, 0.92, 0.92, fill=False, linewidth=1.8))
    limit = max(1.0, float(np.nanmax(np.abs(gain))))
    image = ax.imshow(gain, cmap="PuOr", vmin=-1.6 * limit, vmax=1.6 * limit)
    image.set_clim(-1.6 * limit, 1.6 * limit)
    shown = [shown_name(name) for name in names]
    ax.set_xticks(range(len(names)), shown, rotation=45, ha="right", fontsize="small")
    ax.set_yticks(range(len(names)), shown, fontsize="small")
    ax.set_xlabel("causing", fontsize="small")
    ax.set_ylabel("caused", fontsize="small")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title(
        "Predictive causality: percent by which the\nerror falls; "
        f"framed: significant at {test.level:.0%} (Holm)",
        loc="left",
        fontsize="small",
        fontweight="bold",
    )
    return ax


def _styles(number: int) -> list[dict[str, Any]]:
    return [
        {key: STYLES[i % len(STYLES)][key] for key in ("color", "linestyle")} for i in range(number)
    ]
