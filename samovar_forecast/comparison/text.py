"""A comparison as text for a terminal: caption, leaderboard, effort, verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from samovar_forecast.comparison.metrics import Metric, Unit, by_unit, direction

if TYPE_CHECKING:
    from samovar_forecast.comparison.results import Comparison

WIDTH = 100
OF_NO_CONCERN = (
    *("FutureWarning", "DeprecationWarning", "PendingDeprecationWarning"),
    # Lightning and torch on how they load batches
    *("PossibleUserWarning", "UserWarning: 'pin_memory' argument is set as true"),
    "UserWarning: Total length of `list` across ranks is zero",
)
"""Warnings between libraries: kept in `Comparison.runs`, left out of a model's note."""
LONGEST_NOTE = 300
"""Characters of a note; a longer note loses its end."""


def summary(comparison: Comparison, width: int = WIDTH) -> str:
    """Return caption, leaderboard, effort and verdict, in this order."""
    parts = [
        _wrapped(caption(comparison), width),
        leaderboard(comparison, width),
        effort(comparison, width),
        _wrapped(verdict(comparison), width),
    ]
    return "\n\n".join(parts)


def caption(comparison: Comparison) -> str:
    """Return what was compared and in which units the leaderboard is."""
    origins = comparison.origins
    left_out = comparison.scales.index[comparison.scales["deviation"].isna()]
    sentences = [
        f"{len(comparison.scales)} series, {comparison.horizon} steps ahead from "
        f"{len(origins)} {'origin' if len(origins) == 1 else 'origins'}, "
        f"{_label(origins[0])} to {_label(origins[-1])}"
        + (f", {_steps(comparison.stride)} apart." if len(origins) > 1 else "."),
        {
            "expanding": f"Training windows start at the first of {len(comparison.y)} rows and "
            f"grow from {comparison.n_first} rows.",
            "sliding": f"Training windows are the {comparison.n_first} rows before each origin.",
        }[comparison.window],
        f"{_units(comparison)}. {direction(comparison.metrics)}, * is the best of its column.",
    ]
    if len(left_out):
        names = ", ".join(map(str, left_out))
        sentences.append(f"Not scored, being constant in the first window: {names}.")
    return " ".join(sentences)


def leaderboard(comparison: Comparison, width: int = WIDTH) -> str:
    """Return the metrics by horizon band, as many side by side as fit into the width."""
    table = comparison.leaderboard()
    names = [str(model) for model in table.index]
    metrics = [m for m in comparison.metrics if table[m.name].notna().any(axis=None)]
    blocks = [_block(metric, table[metric.name]) for metric in metrics or comparison.metrics[:1]]
    first = ["", "steps", *names]
    name_width = max(map(len, first))
    rows: list[list[list[str]]] = [[]]
    for block in blocks:
        used = name_width + sum(2 + len(other[0]) for other in rows[-1])
        if rows[-1] and used + 2 + len(block[0]) > width:
            rows.append([])
        rows[-1].append(block)
    groups = []
    for row in rows:
        lines = zip(first, *row, strict=True)
        groups.append(
            "\n".join(
                "  ".join([name.ljust(name_width), *parts]).rstrip() for name, *parts in lines
            )
        )
    return "\n\n".join(groups)


def effort(comparison: Comparison, width: int = WIDTH) -> str:
    """Return who was fitted where, in what time, and what went wrong."""
    table = comparison.effort()
    n_origins = len(comparison.origins)
    heads = ["", "origins", "fits", "fit s", "predict s", "fitted at"]
    rows = [
        [
            str(model),
            f"{row['origins']} of {n_origins}",
            f"{row['fits']}",
            f"{row['fit_seconds']:.1f}",
            f"{row['predict_seconds']:.1f}",
            comparison.refit[str(model)],
        ]
        for model, row in table.iterrows()
    ]
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    justify: list[Callable[[str, int], str]] = [str.ljust, *[str.rjust] * 4, str.ljust]
    lines = [
        "   ".join(
            place(cell, size) for place, cell, size in zip(justify, row, widths, strict=True)
        ).rstrip()
        for row in [heads, *rows]
    ]
    notes = [
        textwrap.fill(f"{model}: {note}", width, initial_indent="  ", subsequent_indent="    ")
        for model, note in table["note"].items()
        if note
    ]
    return "\n".join([*lines, *notes])


def note_on(runs: pd.DataFrame) -> str:
    """Return why a model failed, why it has no intervals, and what it warned of.

    Parameters
    ----------
    runs : DataFrame
        Rows of `Comparison.runs`, all of the same model.
    """
    failed = runs[runs["failure"].notna()]
    notes = []
    if len(failed):
        where = "every origin" if len(failed) == len(runs) else f"{len(failed)} origins"
        notes.append(f"failed at {where}: {failed['failure'].iloc[0]}")
    told = runs["note"].dropna()
    if len(told):
        notes.append(str(told.iloc[0]))
    raised = [
        message
        for messages in runs["warnings"]
        for message in messages
        if not message.startswith(OF_NO_CONCERN)
    ]
    if raised:
        times = "once" if len(raised) == 1 else f"{len(raised)} times, first"
        notes.append(f"warned {times}: {raised[0]}")
    return "; ".join(textwrap.shorten(part, LONGEST_NOTE, placeholder=" ...") for part in notes)


def verdict(comparison: Comparison) -> str:
    """Return in words which model has the lowest MSE, and what the tests say of each of the others.

    A model is called better, worse or a tie by the test against the best classical model alone.
    """
    margins = comparison.margins()
    if margins.empty:
        return "No model served every origin: there is nothing to rank."
    least = margins.index[0]
    sentences = [
        f"Lowest MSE over all steps: {in_a_list(least)} ({_number(margins['MSE'][least])})."
    ]
    if not comparison.classical:
        sentences += _untested(margins, "Without a classical model nothing is tested")
    elif comparison.best_classical is None:
        sentences += _untested(margins, "No classical model served every origin: nothing is tested")
    else:
        sentences += _tested(comparison, margins)
    failed = [in_a_list(model) for model in comparison.models if model not in margins.index]
    if failed:
        sentences.append(f"Not ranked, for failing at an origin: {listed(failed)}.")
    return " ".join(sentences)


def _tested(comparison: Comparison, margins: pd.DataFrame) -> list[str]:
    """Return who is better, worse or not to be told apart from the best classical model."""
    best, table = comparison.best_classical, comparison.significance()
    others = table.drop(index=best)
    if others.empty:
        return []
    if (others["verdict"] == "too few origins").all():
        n_origins = len(comparison.origins)
        return _untested(margins, f"{n_origins} origins are too few for a test")
    told = {
        outcome: listed([_with_change(model, row["ratio"] - 1) for model, row in part.iterrows()])
        for outcome in ("better", "tie", "worse")
        if len(part := others[others["verdict"] == outcome])
    }
    parts = [
        f"{'a tie' if outcome == 'tie' else outcome}: {names}" for outcome, names in told.items()
    ]
    return [
        f"Tested against the best classical model, {in_a_list(best)} (Diebold-Mariano, 5 %, Holm): "
        f"{'; '.join(parts)}."
    ]


def _untested(margins: pd.DataFrame, reason: str) -> list[str]:
    """Return how far the others are behind, and why that says little."""
    rest = [_with_change(model, row["excess"]) for model, row in margins.iloc[1:].iterrows()]
    return [f"Behind it: {listed(rest)}. {reason}."] if rest else []


def _with_change(model: object, change: float) -> str:
    return f"{in_a_list(model)} ({100 * change:+.0f} %)"


def in_a_list(name: object) -> str:
    """Return a name as it stands among others, in quotes where it holds a comma itself."""
    return repr(str(name)) if "," in str(name) else str(name)


def naive_in_words(season: int) -> str:
    """Return which naive forecast scales the errors."""
    return f"seasonal naive (season {season}) forecast" if season > 1 else "naive forecast"


def _units(comparison: Comparison) -> str:
    """Return in words which unit each metric has, in a sentence without its stop."""
    naive = f"{naive_in_words(comparison.season)}'s error"
    parts = [_of_unit(unit, group) for unit, group in by_unit(comparison.metrics).items()]
    return "; ".join(parts).format(naive=naive)


def _of_unit(unit: Unit, metrics: Sequence[Metric]) -> str:
    points = [metric.name for metric in metrics if not metric.needs_quantiles]
    distributions = [metric.name for metric in metrics if metric.needs_quantiles]
    told = f"{listed(points or distributions)} {_are(points or distributions)} {unit.words}"
    if points and distributions:
        told += f", and so {_are(distributions)} {listed(distributions)}"
    return told


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _block(metric: Metric, table: pd.DataFrame) -> list[str]:
    """Return the lines of a metric: its name, the bands, a line for each model."""
    columns = [[f"{band} ", *_starred(table[band], metric)] for band in table]
    padded = [[cell.rjust(max(map(len, column))) for cell in column] for column in columns]
    lines = [" ".join(cells_of_row) for cells_of_row in zip(*padded, strict=True)]
    return [f" {metric.name} ".center(len(lines[0]) - 1, "-") + " ", *lines]


def _starred(column: pd.Series, metric: Metric) -> pd.Series:
    """Return a column as text, its best values starred."""
    shown = column.map(_number)
    best = shown == _number(metric.best(column))
    return shown.where(~best | column.isna(), shown + "*").where(best, shown + " ")


def _number(value: float) -> str:
    if pd.isna(value):
        return "-"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.3g}"


def _label(label: object) -> str:
    text = str(label)
    return text.removesuffix(" 00:00:00")


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def listed(items: Sequence[str]) -> str:
    """Return items as a sentence has them: with commas, and "and" before the last."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width)
