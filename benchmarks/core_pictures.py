"""The ratios of `benchmarks.core` as a picture: what was measured beside what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.pictures import WIDTH, Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REACHED = {True: ("#0072B2", "o"), False: ("#D55E00", "s")}


def pictures(panels: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Picture]:
    """Return the picture of all ratios.

    Parameters
    ----------
    panels : mapping
        By title, a row for each case: its name ``case``, ``ratio`` with the quartiles ``low`` and
        ``high``, what was ``asked``, and whether it was ``reached``.
    """
    told = "; ".join(
        f"{title}: "
        + ", ".join(f"{row['case']} {row['ratio']:.2f} (asked {row['asked']:g})" for row in rows)
        for title, rows in panels.items()
    )
    return {"core": Picture(dict(panels), draw, f"Ratios beside what was asked. {told}")}


def draw(panels: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Return a panel for each ratio, with a dot for each case."""
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D

    n_cases = max(map(len, panels.values()))
    size = (WIDTH, len(panels) * (0.5 + 0.17 * n_cases) + 0.3)
    figure = plt.figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False).ravel()
    for ax, (title, rows) in zip(axes, panels.items(), strict=True):
        for place, row in enumerate(rows):
            color, marker = REACHED[row["reached"]]
            ax.plot([row["low"], row["high"]], [place, place], color=color, linewidth=3, alpha=0.4)
            ax.plot(row["ratio"], place, marker, color=color, markersize=5)
            ax.plot(row["asked"], place, "|", color="0.2", markersize=11, markeredgewidth=1.5)
        ax.set_yticks(range(len(rows)), [row["case"] for row in rows])
        farthest = max(max(row["high"], row["asked"]) for row in rows)
        ax.set(xlim=(0, 1.08 * farthest), ylim=(len(rows) - 0.5, -0.5))
        ax.set_title(title, loc="left")
        ax.grid(axis="x", alpha=0.25, linewidth=0.5)
        ax.spines[["top", "right"]].set_visible(False)
    keys = [
        Line2D([], [], color=color, marker=marker, linestyle="", label=label)
        for label, (color, marker) in zip(("reached", "not reached"), REACHED.values(), strict=True)
    ]
    keys.append(Line2D([], [], color="0.2", marker="|", linestyle="", markersize=9, label="asked"))
    figure.legend(handles=keys, loc="outside lower left", ncols=3, frameon=False)
    return figure
