"""A comparison's tables as the page shows them: text in cells, each with the role it plays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.comparison.metrics import COVERAGES, Metric, by_unit, direction
from samovar_forecast.comparison.text import in_a_list, listed, naive_in_words

if TYPE_CHECKING:
    from samovar_forecast.comparison import Comparison

MOST_SERIES = 40
"""Series in the table of series; of more, the series on which the models differ most."""


class Cell(NamedTuple):
    """A cell: its text, and CSS classes that say what it is."""

    text: str
    role: str = ""
    tone: float | None = None
    """From -1 (much better than the reference) to 1 (much worse), for its shade."""

    @property
    def shade(self) -> str:
        """The colour behind the cell, as CSS; empty where it has none."""
        if self.tone is None or abs(self.tone) < 0.02:
            return ""
        hue = "0, 114, 178" if self.tone < 0 else "213, 94, 0"
        return f"rgba({hue}, {min(1.0, abs(self.tone)) * 0.34:.3f})"


class Table(NamedTuple):
    """A table: a name for links and tests, groups of columns, heads, rows."""

    name: str
    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    groups: Sequence[tuple[str, int]] = ()
    note: str = ""


def leaderboard(comparison: Comparison) -> Table:
    """Return a row for each model: overall scores, rank, verdict, time."""
    scores, ranks = comparison.scores(), comparison.ranks()
    significance, effort = comparison.significance(), comparison.effort()
    calibration = comparison.calibration()
    shown = _metrics(comparison)
    share = COVERAGES[1]
    has_intervals = not calibration.empty
    best = {metric.name: _number(metric.best(scores[metric.name])) for metric in shown}
    heads = ["Model", *best, *([f"{100 * share:.0f} % cover"] if has_intervals else [])]
    heads += ["Rank", "against best classical", "fit s", "predict s"]
    rows = []
    for model in comparison.leaderboard().index:
        cells = [Cell(str(model), "name")]
        if model in scores.index:
            for name, best_text in best.items():
                text = _number(scores.loc[model, name])
                cells.append(Cell(text, "number best" if text == best_text else "number"))
            if has_intervals:
                known = model in calibration.index
                value = calibration.loc[model, ("coverage", share)] if known else np.nan
                cells.append(Cell(_percent(value), "number"))
            cells.append(Cell(f"{ranks[model]:.2f}", "number"))
            cells.append(_verdict(model, significance))
        else:
            cells += [Cell("\N{EN DASH}", "number")] * (len(heads) - 4)
            cells.append(Cell("failed, not ranked", "verdict failed"))
        cells.append(Cell(_seconds(effort.loc[model, "fit_seconds"]), "number"))
        cells.append(Cell(_seconds(effort.loc[model, "predict_seconds"]), "number"))
        rows.append(cells)
    note = (
        f"{_units(comparison)}. {direction(comparison.metrics)}; bold is the best of a column. "
        "Rank: by MSE, averaged over series and origins. Against the best classical model: "
        "difference in MSE, and p by Holm, explained below. Seconds are sums over all origins."
    )
    return Table("leaderboard", "All steps, best MSE first", heads, rows, note=note)


def bands(comparison: Comparison) -> Table:
    """Return the scores by horizon band, metrics side by side."""
    table = comparison.leaderboard()
    shown = [metric for metric in _metrics(comparison) if metric.is_shown_by_band]
    labels = [*comparison.band_labels, "all"]
    rows = []
    for model in table.index:
        cells = [Cell(str(model), "name")]
        for metric in shown:
            for label in labels:
                text = _number(table.loc[model, (metric.name, label)])
                best = _number(metric.best(table[metric.name, label]))
                cells.append(Cell(text, "number best" if text == best else "number"))
        rows.append(cells)
    return Table(
        "bands",
        "Scores by steps ahead",
        ["Model", *labels * len(shown)],
        rows,
        groups=[("", 1), *((metric.name, len(labels)) for metric in shown)],
    )


def by_series(comparison: Comparison) -> Table:
    """Return the MSE of each series by each model, shaded against the best classical model."""
    order = [m for m in comparison.leaderboard().index if m in comparison.scores().index]
    table = comparison.scores("series")["MSE"].unstack("model")[order]
    reference = comparison.best_classical or order[0]
    table = table.reindex([name for name in comparison.y if name in table.index])
    table = table.dropna(how="all")
    spread = table.max(axis=1) / table.min(axis=1).clip(lower=1e-300)
    chosen = set(spread.sort_values(ascending=False).index[:MOST_SERIES])
    rows = []
    for series in table.index:
        if series not in chosen:
            continue
        cells, least = [Cell(str(series), "name")], _number(table.loc[series].min())
        for model in order:
            value, base = table.loc[series, model], table.loc[series, reference]
            text = _number(value)
            tone = _tone(value, base)
            cells.append(Cell(text, "number best" if text == least else "number", tone))
        rows.append(cells)
    wins = table.rank(axis=1, method="min").eq(1).sum()
    most = wins.sort_values(ascending=False, kind="stable").head(3)
    winners = ", ".join(f"{in_a_list(m)} ({count})" for m, count in most.items() if count)
    note = f"Blue: better than {reference}; orange: worse. Least error on most series: {winners}"
    if len(rows) < len(table):
        note += f". Shown: the {len(rows)} of {len(table)} series on which the models differ most"
    return Table("by-series", "MSE by series", ["Series", *map(str, order)], rows, note=note + ".")


def significance(comparison: Comparison) -> Table | None:
    """Return the tests against the best classical model, None if there is no such model."""
    table = comparison.significance()
    if table.empty:
        return None
    rows = [
        [
            Cell(str(model), "name"),
            Cell(_number(row["MSE"]), "number"),
            Cell(_change(row["ratio"]), "number"),
            Cell(_number(row["statistic"], 2), "number"),
            Cell(_pvalue(row["pvalue"]), "number"),
            Cell(_pvalue(row["pvalue_holm"]), "number"),
            _verdict(model, table),
        ]
        for model, row in table.iterrows()
    ]
    return Table(
        "significance",
        f"Against {comparison.best_classical}, the best classical model",
        ["Model", "MSE", "difference", "statistic", "p", "p (Holm)", "verdict at 5 %"],
        rows,
        note="Diebold-Mariano test of equal MSE over origins, its variance from slow cosines "
        "(two-sided, Student's t; negative favours the row), adjusted by Holm for the number of "
        "rows. A tie: not rejected, or less than 1 % apart.",
    )


def confidence_set(found: pd.DataFrame) -> Table:
    """Return the model confidence set."""
    rows = [
        [
            Cell(str(model), "name"),
            Cell(_pvalue(row["pvalue"]), "number"),
            Cell("in the set" if row["included"] else "left out", "verdict"),
        ]
        for model, row in found.iterrows()
    ]
    return Table(
        "confidence-set",
        "Model confidence set, 90 %",
        ["Model", "p", "verdict"],
        rows,
        note="Hansen, Lunde and Nason: the set holds the best model nine times in ten. Models "
        "in it cannot be told apart by these origins.",
    )


def nested(comparison: Comparison) -> Table | None:
    """Return Clark and West's tests, a row for each pair, None if there are no tests."""
    table = comparison.nested_tests()
    if table.empty:
        return None
    rows = []
    for (larger, smaller), part in table.groupby(["larger", "smaller"], sort=False):
        found = part[part["pvalue_holm"] < 0.05]
        rows.append(
            [
                Cell(f"{larger} over {smaller}", "name"),
                Cell(f"{len(found)} of {len(part)}", "number"),
                Cell(", ".join(map(str, found["series"].head(8))) or "none", ""),
                Cell(_pvalue(part["pvalue_holm"].min()), "number"),
            ]
        )
    return Table(
        "nested",
        "Nested models, one step ahead",
        ["Pair", "series improved", "which", "least p (Holm)"],
        rows,
        note="Clark and West: whether the larger model foresees anything that its special case "
        "does not, once the noise of estimating more is taken off. One-sided at 5 %, HAC errors, "
        "Holm over all pairs and series.",
    )


def calibration(comparison: Comparison) -> Table | None:
    """Return coverage and width of the central intervals, None if no model has intervals."""
    table = comparison.calibration()
    if table.empty:
        return None
    rows = []
    for model, row in table.iterrows():
        cells = [Cell(str(model), "name")]
        cells += [Cell(_percent(row["coverage", share]), "number") for share in COVERAGES]
        cells += [Cell(_number(row["width", share]), "number") for share in COVERAGES]
        rows.append(cells)
    names = [f"{100 * share:.0f} %" for share in COVERAGES]
    without = [str(m) for m in comparison.scores().index if m not in table.index]
    note = "Width: mean, in deviations of the series. "
    if without:
        note += f"No intervals: {', '.join(map(in_a_list, without))}."
    return Table(
        "calibration",
        "Central intervals",
        ["Model", *names, *names],
        rows,
        groups=[("", 1), ("share of truths inside", len(names)), ("width", len(names))],
        note=note,
    )


def effort(comparison: Comparison) -> Table:
    """Return who was fitted where, in what time, and what went wrong."""
    n_origins = len(comparison.origins)
    resumed = comparison.runs.groupby("model", sort=False)["resumed"].sum()
    rows = []
    for model, row in comparison.effort().iterrows():
        again = f", {int(resumed[model])} resumed" if resumed[model] else ""
        rows.append(
            [
                Cell(str(model), "name"),
                Cell(f"{row['origins']} of {n_origins}{again}"),
                Cell(f"{row['fits']}", "number"),
                Cell(_seconds(row["fit_seconds"]), "number"),
                Cell(_seconds(row["predict_seconds"]), "number"),
                Cell(comparison.refit[str(model)]),
                Cell(row["note"], "note"),
            ]
        )
    heads = ["Model", "origins served", "fits", "fit s", "predict s", "fitted at", "notes"]
    return Table("effort", "Fits, time and notes", heads, rows)


def parameters(comparison: Comparison) -> Table:
    """Return each model as its constructor would be written."""
    rows = [
        [Cell(str(model), "name"), Cell(text, "code")]
        for model, text in comparison.parameters.items()
    ]
    return Table("parameters", "Models as they were given", ["Model", "parameters"], rows)


def _metrics(comparison: Comparison) -> list[Metric]:
    scores = comparison.scores()
    return [metric for metric in comparison.metrics if scores[metric.name].notna().any()]


def _units(comparison: Comparison) -> str:
    """Return in words which unit each metric has, in a sentence without its stop."""
    groups = by_unit(comparison.metrics).items()
    parts = [f"{_are([metric.name for metric in group])} {unit.words}" for unit, group in groups]
    return "; ".join(parts).format(naive=naive_in_words(comparison.season))


def _are(names: Sequence[str]) -> str:
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'}"


def _verdict(model: object, table: pd.DataFrame) -> Cell:
    if model not in table.index:
        return Cell("\N{EN DASH}", "verdict")
    row = table.loc[model]
    if row["verdict"] == "benchmark":
        return Cell("best classical", "verdict benchmark")
    text = f"{row['verdict']}, {_change(row['ratio'])}"
    if not np.isnan(row["pvalue_holm"]):
        text += f", p {_pvalue(row['pvalue_holm'])}"
    return Cell(text, f"verdict {row['verdict'].split()[0]}")


def _tone(value: float, base: float) -> float | None:
    if not (np.isfinite(value) and np.isfinite(base)) or value == base:
        return None
    if min(value, base) <= 0:
        return -1.0 if value < base else 1.0
    return float(np.clip(np.log2(value / base), -1, 1))


def _number(value: float, decimals: int = 3) -> str:
    if pd.isna(value):
        return "\N{EN DASH}"
    text = f"{value:.{decimals}f}" if abs(value) < 1000 else f"{value:.3g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _change(ratio: float) -> str:
    if not np.isfinite(ratio):
        return "\N{EN DASH}"
    return f"{100 * (ratio - 1):+.1f} %".replace("-", "\N{MINUS SIGN}")


def _percent(share: float) -> str:
    return "\N{EN DASH}" if pd.isna(share) else f"{100 * share:.0f} %"


def _pvalue(pvalue: float) -> str:
    if pd.isna(pvalue):
        return "\N{EN DASH}"
    return "< 0.001" if pvalue < 0.001 else f"{pvalue:.3f}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 100 else f"{seconds:.0f}"
