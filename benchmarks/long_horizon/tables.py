"""The tables, from the cells alone: what was run, what it gave, and what was not run."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from benchmarks.long_horizon import published
from benchmarks.long_horizon.cells import best_lookback
from benchmarks.long_horizon.data import SETS
from benchmarks.long_horizon.linear import REFITTED
from benchmarks.long_horizon.rows import ROWS, read_name, title_of
from benchmarks.pages import markdown_table
from benchmarks.records import Entry, Records

NOT_RUN = "not run"
OURS = "trained"


@dataclass(frozen=True)
class Field:
    """A field of a table: a row at its look-back, over its seeds."""

    mse: tuple[float, ...]
    mae: tuple[float, ...]
    lookback: int
    tried: tuple[int, ...]
    is_random: bool
    order: int | None = None

    @property
    def value(self) -> float:
        """Mean MSE over the seeds."""
        return mean(self.mse)

    def __str__(self) -> str:
        text = f"{self.value:.4f}"
        if len(self.mse) > 1:
            text += f" ± {stdev(self.mse):.4f}"
        text += f" / {mean(self.mae):.4f}"
        about = []
        if self.lookback:
            about.append(f"L {self.lookback}")
        if self.order is not None:
            about.append(f"order {self.order}")
        if self.is_random:
            about.append(f"{len(self.mse)} seed{'s' if len(self.mse) > 1 else ''}")
        return f"{text} ({', '.join(about)})" if about else text


Table = dict[tuple[str, int, str], dict[str, Field]]
"""Fields by set, horizon and model, then by which answer of the fit: "" is the row's own."""


def fields_of(cells: Sequence[Entry]) -> Table:
    """Choose the look-back of each row by its first seed's validation MSE; take all its seeds."""
    groups: dict[tuple[str, int, str], list[Entry]] = defaultdict(list)
    for cell in cells:
        groups[cell["dataset"], cell["horizon"], cell["model"]].append(cell)
    found: Table = {}
    for key, group in groups.items():
        row, _ = read_name(key[2])
        length = best_lookback(group)
        chosen = [cell for cell in group if cell["lookback"] == length]
        tried = tuple(sorted({cell["lookback"] for cell in group}))
        found[key] = {}
        for answer in chosen[0]["scores"]["test"]:
            scores = [cell["scores"]["test"][answer] for cell in chosen]
            found[key][answer] = Field(
                tuple(score["MSE"] for score in scores),
                tuple(score["MAE"] for score in scores),
                length,
                tried,
                row.is_random,
                chosen[0]["about"].get("order"),
            )
    return found


def report(cells: Sequence[Entry]) -> str:
    """Return all tables, as Markdown."""
    table = fields_of(cells)
    datasets = [*SETS, *sorted({key[0] for key in table} - set(SETS))]
    parts = [reading(cells)]
    parts += ["### In short", in_short(table), "### Targets", targets(table)]
    for dataset in datasets:
        parts += [f"### {dataset}", *of_dataset(table, dataset)]
    ablated = sorted({key[2] for key in table if "[" in key[2]})
    if ablated:
        parts += ["### Variants and ablations", variants(table, ablated)]
    parts += ["### What was run", provenance(cells)]
    return "\n\n".join(parts) + "\n"


def reading(cells: Sequence[Entry]) -> str:
    return (
        f"Test MSE ± standard deviation over the seeds / test MAE (look-back chosen, seeds). "
        f'{len(cells)} cells. Deterministic rows are run once. "{NOT_RUN}" is what it says.'
    )


def of_dataset(table: Table, dataset: str) -> list[str]:
    """Return the table of a set, and which look-backs were tried."""
    horizons = sorted({key[1] for key in table if key[0] == dataset})
    if not horizons:
        return [f"{NOT_RUN}."]
    usual = SETS[dataset].horizons if dataset in SETS else ()
    horizons = sorted({*horizons, *usual})
    rows = []
    for name, row in ROWS.items():
        for answer, title in {"": row.title, **row.beside}.items():
            fields = [table.get((dataset, steps, name), {}).get(answer) for steps in horizons]
            if answer and not any(fields):
                continue
            indent = "" if not answer else "- "
            rows.append([indent + title, *(str(field or NOT_RUN) for field in fields)])
    header = ["model", *(f"{horizon} steps" for horizon in horizons)]
    found = [markdown_table(header, rows)]
    lines = []
    for name in ROWS:
        if not ROWS[name].has_lookback:
            continue
        tried = {
            steps: table[dataset, steps, name][""].tried
            for steps in horizons
            if (dataset, steps, name) in table
        }
        if tried:
            text = "; ".join(
                f"{horizon}: {', '.join(map(str, lengths))}" for horizon, lengths in tried.items()
            )
            lines.append(f"- {ROWS[name].title}: {text}")
    if lines:
        found.append("Look-backs tried, by horizon:\n\n" + "\n".join(lines))
    if dataset in published.MSE[published.BEST]:
        rows = [
            [f"{name} (published, not run here)", *(f"{by[dataset][h]:.3f}" for h in by[dataset])]
            for name, by in published.MSE.items()
        ]
        steps = [f"{horizon} steps" for horizon in published.HORIZONS]
        found.append(f"For reference, test MSE as published ({published.SOURCE}):")
        found.append(markdown_table(["model", *steps], rows))
    return found


def in_short(table: Table) -> str:
    """Return average ranks, and our trained row beside each model where both were run."""
    scores = of_ours(table)
    if not scores:
        return f"{title_of(OURS)}: {NOT_RUN}."
    ranks = average_ranks(scores)
    rows = []
    whole = [name for name, row in ROWS.items() if row.n_windows is None]
    for name in sorted(whole, key=lambda name: ranks.get(name, math.inf)):
        pairs = [(by_name[OURS], by_name[name]) for by_name in scores if name in by_name]
        better, ratio = NOT_RUN, ""
        if name == OURS:
            better = ""
        elif pairs:
            better = f"{sum(ours < its for ours, its in pairs)} of {len(pairs)}"
            ratio = f"{math.exp(mean(math.log(ours / its) for ours, its in pairs)):.3f}"
        rows.append([title_of(name), f"{ranks[name]:.2f}" if name in ranks else "", better, ratio])
    header = ["model", "average rank", "trained better on", "trained row's MSE over its"]
    return (
        "Average rank by test MSE on the cells (set and horizon) of the trained row, among the "
        "models that were run on all of them (1 is best). Beside it, on the cells where both were "
        "run: how often its MSE is the lower one, and the geometric mean of its MSE over the "
        "other's.\n\n" + markdown_table(header, rows)
    )


def of_ours(table: Table) -> list[dict[str, float]]:
    """Return the MSE of every row, for each cell on which the trained row was run."""
    return [
        {
            name: table[dataset, horizon, name][""].value
            for name in ROWS
            if (dataset, horizon, name) in table
        }
        for dataset, horizon, model in table
        if model == OURS
    ]


def average_ranks(scores: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean rank of each row that was run on every cell; ties share theirs."""
    everywhere = [name for name in ROWS if all(name in by_name for by_name in scores)]
    ranks: dict[str, list[float]] = defaultdict(list)
    for by_name in scores:
        values = [by_name[name] for name in everywhere]
        for name in everywhere:
            lower = sum(other < by_name[name] for other in values)
            ranks[name].append(lower + (values.count(by_name[name]) + 1) / 2)
    return {name: mean(some) for name, some in ranks.items()}


def targets(table: Table) -> str:
    """Return our trained row against the published numbers, cell by cell."""
    rows = []
    for dataset, by_horizon in published.MSE[published.BEST].items():
        for horizon, best in by_horizon.items():
            found = table.get((dataset, horizon, OURS))
            rung = min(published.MSE[name][dataset][horizon] for name in published.FIRST_RUNG)
            line = [f"{dataset}, {horizon}", f"{best:.3f}", f"{rung:.3f}"]
            if found is None:
                rows.append([*line, NOT_RUN, NOT_RUN, "", ""])
                continue
            ours, refitted = found[""].value, found[REFITTED].value
            rows.append(
                [
                    *line,
                    f"{ours:.4f}",
                    f"{refitted:.4f}",
                    "reached" if ours <= best else f"missed by {ours / best - 1:.1%}",
                    "reached" if ours < rung else f"missed by {ours / rung - 1:.1%}",
                ]
            )
    header = [
        "cell",
        f"best published ({published.BEST})",
        f"better of {' and '.join(published.FIRST_RUNG)}",
        "SAMoVAR (trained, linear)",
        "anchor refitted",
        "best published",
        "below both",
    ]
    return (
        "Test MSE of the trained row, mean over its seeds, against published numbers "
        f"({published.SOURCE}; not run here). Judged is the row whose anchor saw training rows "
        "only, as all other models here.\n\n" + markdown_table(header, rows)
    )


HEADLINE = (OURS, "paper", "linear-anchor", "ridge-nlinear", "seasonal-naive")


def headline(table: Table) -> str:
    """Return a few rows beside the published numbers: test MSE alone, for the front page."""
    cells = [(dataset, h) for dataset in published.MSE[published.BEST] for h in published.HORIZONS]
    rows = []
    for name in HEADLINE:
        found = [table.get((dataset, horizon, name)) for dataset, horizon in cells]
        values = [NOT_RUN if fields is None else f"{fields[''].value:.3f}" for fields in found]
        rows.append([title_of(name), *values])
    for name, by_set in published.MSE.items():
        values = [f"{by_set[dataset][horizon]:.3f}" for dataset, horizon in cells]
        rows.append([f"{name}, as published", *values])
    header = ["test MSE", *(f"{dataset}, {horizon}" for dataset, horizon in cells)]
    return markdown_table(header, rows)


def variants(table: Table, names: Sequence[str]) -> str:
    """Return rows with overrides, beside the row that they vary."""
    rows = []
    for name in names:
        for (dataset, horizon, model), found in table.items():
            if model == name:
                base = table.get((dataset, horizon, name.split("[")[0]))
                rows.append(
                    [
                        title_of(name),
                        f"{dataset}, {horizon}",
                        str(found[""]),
                        NOT_RUN if base is None else str(base[""]),
                    ]
                )
    return markdown_table(["variant", "cell", "variant's", "row's own"], rows)


def provenance(cells: Sequence[Entry]) -> str:
    """Return hardware, versions and commits, with their numbers of cells and hours."""
    groups: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for cell in cells:
        hardware = cell["hardware"]
        versions = ", ".join(f"{name} {version}" for name, version in cell["versions"].items())
        groups[cell["commit"], f"{hardware['cpu']}, one thread", versions].append(cell)
    rows = [
        [
            commit,
            hardware,
            versions,
            str(len(some)),
            f"{sum(cell['seconds']['fit cpu'] for cell in some) / 3600:.2f}",
            " to ".join(end(cell["date"] for cell in some)[:16] for end in (min, max)),
        ]
        for (commit, hardware, versions), some in groups.items()
    ]
    header = ["commit", "hardware", "versions", "cells", "CPU hours of fits", "when (UTC)"]
    return markdown_table(header, rows)


def sections(records: Records) -> dict[str, str]:
    """Return all tables, and the table of the front page."""
    cells = [records.entries[key] for key in sorted(records.entries)]
    return {"long_horizon": report(cells), "long_horizon headline": headline(fields_of(cells))}
