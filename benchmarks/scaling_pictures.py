"""The curves of `benchmarks.scaling` as pictures: seconds and memory against size, an axis each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.pictures import WIDTH, Picture
from samovar_forecast.plots.layout import STYLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW_OF_LEGEND = 0.17
"""Inches."""


def pictures(curves: Mapping[str, Mapping[str, Any]]) -> dict[str, Picture]:
    """Return a picture for each axis.

    Parameters
    ----------
    curves : mapping
        For each curve, named ``"axis: what"``, its points and its slopes (seconds, bytes).
    """
    axes = dict.fromkeys(name.partition(": ")[0] for name in curves)
    found = {}
    for axis in axes:
        own = {
            name.partition(": ")[2]: curve
            for name, curve in curves.items()
            if name.partition(": ")[0] == axis
        }
        told = "; ".join(
            f"{what}, slope {curve['slopes'][0]:.2f} and {curve['slopes'][1]:.2f}"
            for what, curve in own.items()
        )
        words = f"Seconds and memory against {axis}, both axes logarithmic: {told}"
        drawn = {"axis": axis, "curves": {what: curve["points"] for what, curve in own.items()}}
        found[f"scaling_{axis.replace(' ', '_')}"] = Picture(drawn, draw, words)
    return found


def draw(drawn: Mapping[str, Any]) -> Figure:
    """Return seconds and memory of all curves of an axis, one panel below the other."""
    from matplotlib import pyplot as plt

    curves = drawn["curves"]
    height = 3.6 + ROW_OF_LEGEND * (len(curves) + 1)
    figure = plt.figure(figsize=(WIDTH, height), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    for ax, key, unit, title in (
        (panels[0], "seconds", 1.0, "CPU seconds"),
        (panels[1], "bytes", 2.0**20, "memory at the peak, MiB"),
    ):
        for style, (what, points) in zip(STYLES, curves.items(), strict=False):
            known = {int(size): own[key] / unit for size, own in points.items() if own.get(key)}
            ax.plot(list(known), list(known.values()), label=what, markersize=4, **style)
        ax.set(xscale="log", yscale="log")
        ax.set_xlim(_label_decades(ax.xaxis, ax.get_xlim()))
        ax.set_ylim(_label_decades(ax.yaxis, ax.get_ylim()))
        _guide(ax)
        ax.set_title(title, loc="left")
        ax.grid(alpha=0.25, linewidth=0.5)
        ax.spines[["top", "right"]].set_visible(False)
    panels[1].set_xlabel(drawn["axis"])
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower left", frameon=False, handlelength=3, labelspacing=0.3
    )
    return figure


def _label_decades(axis: Any, limits: tuple[float, float]) -> tuple[float, float]:
    """Label powers of ten by plain numbers; return limits between which two at least lie."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    axis.set_minor_formatter(NullFormatter())
    low, high = np.log10(limits)
    if np.floor(high) - np.ceil(low) >= 1:
        return limits
    return 10.0 ** np.floor(low), 10.0 ** np.ceil(high)


def _guide(ax: Any) -> None:
    """Draw what grows in proportion to the size, across a panel."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    middle = np.sqrt(left * right), np.sqrt(bottom * top)
    sizes = np.array([left, right])
    ax.plot(
        sizes, middle[1] * sizes / middle[0], color="0.75", linewidth=0.8, zorder=0, label="slope 1"
    )
    ax.set(xlim=(left, right), ylim=(bottom, top))
