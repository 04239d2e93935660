"""Figures of where a forecast comes from: its sources, its paths, and what changed it."""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from samovar_forecast.exceptions import require
from samovar_forecast.plots.layout import (
    STYLES,
    bands_of,
    check_lags,
    few_ticks,
    pyplot,
    series_to_draw,
    shown_time,
    times_of,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from samovar_forecast.dynamics.attribution import Attribution
    from samovar_forecast.dynamics.news import News
    from samovar_forecast.dynamics.token_space import InfluencePaths

__all__ = ["plot_attribution", "plot_influence_paths", "plot_news"]

NEARLY_ALL = 0.99
"""Share of the squared contributions that a figure shows by default."""

FEWEST_LAGS = 8
"""Rows that are drawn at least then."""

RAISES, LOWERS = STYLES[1]["color"], STYLES[0]["color"]
"""Colours of what raises a forecast and of what lowers it."""


def plot_attribution(
    attribution: Attribution,
    response: Hashable | None = None,
    *,
    unit: str | None = None,
    max_lags: int | None = None,
    level: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what the deviation of every value from its level gave to a forecast, by time.

    Parameters
    ----------
    attribution : Attribution
    response : label, optional
        The series that is forecast; by default the first.
    unit : str, optional
        Unit of the response.
    max_lags : int, optional
        Draw no more than the newest so many rows; by default as many as hold
        :data:`NEARLY_ALL` of the contributions, squared. The legend sums over all rows.
    level : float, optional
        Coverage of the bands, if the result has draws; by default that of the result.
    ax : Axes, optional
        The Axes to draw on; by default a new pyplot figure is made.

    Returns
    -------
    Axes
    """
    check_lags(max_lags)
    response = _response(response, attribution.names)
    if ax is None:
        _, ax = pyplot().subplots(figsize=(7, 3.4), layout="constrained")
    frame = attribution.to_frame(response, level)
    place = attribution.names.index(response)
    forecast, base = (
        float(parts[place]) for parts in (attribution.forecast, attribution.from_level)
    )
    moving = frame[frame["lag"].notna()]
    n_lags = _lags_that_count(moving) if max_lags is None else max_lags
    shown = moving[moving["lag"] <= n_lags]
    has_times = bool(shown["time"].notna().all())
    for number, (source, own) in enumerate(shown.groupby("source", sort=False)):
        style = STYLES[number % len(STYLES)]
        total = float(moving.loc[moving["source"] == source, "contribution"].sum())
        total = 0.0 if abs(total) < 1e-6 * abs(forecast) else total
        own = own.sort_values("lag", ascending=False)
        at = times_of(own.set_index("time").index) if has_times else own["lag"].to_numpy(dtype=int)
        if attribution.draws is not None:
            ax.fill_between(
                at, own["lower"], own["upper"], color=style["color"], alpha=0.16, linewidth=0
            )
        ax.plot(
            at,
            own["contribution"],
            color=style["color"],
            linestyle=style["linestyle"],
            marker=style["marker"] if n_lags <= 30 else None,
            markersize=3,
            linewidth=1.2,
            label=f"{source} (in all {total:+.3g})",
        )
    ax.axhline(0, color="0.6", linewidth=0.7, zorder=0)
    if has_times:
        few_ticks(ax, times_of(shown.set_index("time").index))
        ax.set_xlabel("time of the value", fontsize="small")
    else:
        ax.invert_xaxis()
        ax.locator_params(axis="x", integer=True)
        ax.set_xlabel("lag (time steps before the forecast)", fontsize="small")
    ax.set_ylabel(
        f"contribution of deviations from the level\n({unit or f'units of {response}'})",
        fontsize="small",
    )
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize="small")
    ax.legend(frameon=False, fontsize="small")
    made = f"What made the forecast of {response}: from its level, {base:.4g}, to {forecast:.4g}"
    bands = bands_of(attribution, level)
    ax.set_title(
        ", ".join(filter(None, [f"{made},\nfrom {shown_time(attribution.origin)}", bands])),
        loc="left",
        fontsize="medium",
        fontweight="bold",
    )
    return ax


def _response(response: Hashable | None, names: tuple[Hashable, ...]) -> Hashable:
    """Return the series that is explained, by default the first; refuse what is none."""
    if response is None:
        return names[0]
    return series_to_draw([response], list(names))[0]


def _lags_that_count(moving: pd.DataFrame) -> int:
    """Return the lag up to which nearly all contributions lie, squared."""
    sizes = (moving["contribution"].astype(float) ** 2).groupby(moving["lag"].astype(int)).sum()
    sizes = sizes[sizes.index >= 1]
    shares = sizes.cumsum() / max(float(sizes.sum()), np.finfo(float).tiny)
    n_lags = int((shares < NEARLY_ALL).sum()) + 1
    return min(max(FEWEST_LAGS, n_lags), len(shares))


def plot_influence_paths(
    paths: InfluencePaths, *, unit: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw influence paths as arcs over the time line, from patch to patch into the forecast.

    Above the line run the paths that start from the series' own patch, below it the paths from the
    mix of all series. Paths that share a hop share its arc: the wider, the more they contribute
    to the forecast together. A dot marks where paths start.

    Parameters
    ----------
    paths : InfluencePaths
    unit : str, optional
        Unit of the response.
    ax : Axes, optional
        The Axes to draw on; by default a new pyplot figure is made.

    Returns
    -------
    Axes
    """
    patches_of = require("matplotlib.patches", feature="plots", extra="plots")
    if ax is None:
        _, ax = pyplot().subplots(figsize=(9, 3.4), layout="constrained")
    n_patches = len(paths.patches)
    hops: dict[tuple[int, int, int], float] = {}
    starts: dict[tuple[int, int], float] = {}
    for row in paths.table.itertuples():
        side = 1 if row.from_kind == "endogenous" else -1
        stops = [*dict.fromkeys(token // 2 for token in row.tokens), n_patches]
        starts[stops[0], side] = starts.get((stops[0], side), 0.0) + row.contribution
        for start, stop in itertools.pairwise(stops):
            hops[start, stop, side] = hops.get((start, stop, side), 0.0) + row.contribution
    largest = max(map(abs, hops.values()), default=0.0) or 1.0
    tallest = 1.0
    for (start, stop, side), through in sorted(hops.items(), key=lambda item: -abs(item[1])):
        height = 0.9 * (stop - start) ** 0.7
        tallest = max(tallest, height)
        arc = patches_of.Arc(
            ((start + stop) / 2, 0),
            *(stop - start, 2 * height),
            theta1=0 if side > 0 else 180,
            theta2=180 if side > 0 else 360,
            color=RAISES if through > 0 else LOWERS,
            linewidth=0.4 + 6.0 * abs(through) / largest,
            alpha=0.8,
        )
        ax.add_patch(arc)
    for (start, _), begun in starts.items():
        color = RAISES if begun > 0 else LOWERS
        ax.plot(start, 0, marker="o", color=color, markersize=4 + 5 * abs(begun) / largest)
    ax.axhline(0, color="0.2", linewidth=0.8, zorder=2)
    ax.plot(n_patches, 0, marker=">", color="0.2", markersize=7, zorder=4)
    shown = np.unique(np.linspace(0, n_patches - 1, min(n_patches, 8)).astype(int))
    labels = [_span(paths.patches["starts"][n], paths.patches["ends"][n]) for n in shown]
    ax.set_xticks([*shown, n_patches], [*labels, "forecast"], fontsize="x-small")
    ax.set_yticks([0.55 * tallest, -0.55 * tallest], ["own patch", "mix of\nall series"])
    ax.tick_params(axis="y", length=0, labelsize="small")
    ax.set_xlim(-0.6, n_patches + 0.6)
    ax.set_ylim(-1.15 * tallest, 1.15 * tallest)
    ax.spines[["top", "right", "left"]].set_visible(False)
    lines = require("matplotlib.lines", feature="plots", extra="plots")
    handles = [lines.Line2D([], [], color=color, linewidth=3) for color in (RAISES, LOWERS)]
    share = "" if paths.share == 1 else f", the network's {paths.share:.1%} of it"
    largest_text = f"{largest:.3g} {unit or f'units of {paths.response}'}"
    ax.legend(
        handles,
        ["raises the forecast", "lowers it"],
        title=f"the widest arc: {largest_text}",
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        fontsize="small",
        title_fontsize="small",
        frameon=False,
    )
    ax.set_title(
        f"Influence paths into {paths.response}, step {paths.step} from "
        f"{shown_time(paths.origin)}{share}",
        loc="left",
        fontsize="medium",
        fontweight="bold",
    )
    return ax


def plot_news(
    news: News,
    response: Hashable | None = None,
    *,
    unit: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a revision by its sources, from the older forecast to the newer.

    Parameters
    ----------
    news : News
    response : label, optional
        The series that is forecast; by default the first.
    unit : str, optional
        Unit of the response.
    ax : Axes, optional
        The Axes to draw on; by default a new pyplot figure is made.

    Returns
    -------
    Axes
    """
    response = _response(response, news.names)
    parts = news.by_source().loc[response].drop(("rounding", ""))
    names = [" ".join(part for part in map(str, pair) if part) for pair in parts.index]
    if ax is None:
        height = 1.3 + 0.32 * (len(parts) + 2)
        _, ax = pyplot().subplots(figsize=(6.5, height), layout="constrained")
    values = parts.to_numpy(dtype=float)
    start = float(news.old_forecast[response])
    left = start + np.concatenate([[0.0], values.cumsum()[:-1]])
    rows = np.arange(1, len(values) + 1)
    ax.barh(rows, values, left=left, color=np.where(values > 0, RAISES, LOWERS), height=0.6)
    ends = (start, float(news.new_forecast[response]))
    for row, end in zip((0, len(values) + 1), ends, strict=True):
        ax.plot(end, row, marker="D", color="0.2", markersize=6)
        ax.axvline(end, color="0.75", linewidth=0.7, zorder=0)
    ax.use_sticky_edges = False
    ax.margins(x=0.06)
    names = [f"older forecast {ends[0]:.4g}", *names, f"newer forecast {ends[1]:.4g}"]
    ax.set_yticks(range(len(names)), names, fontsize="small")
    ax.invert_yaxis()
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(f"forecast of {response} ({unit or f'units of {response}'})", fontsize="small")
    ax.set_title(
        f"News: why the forecast of {response} moved",
        loc="left",
        fontsize="medium",
        fontweight="bold",
    )
    return ax


def _span(start: Any, end: Any) -> str:
    first, last = shown_time(start), shown_time(end)
    return first if first == last else f"{first}\nto\n{last}"
