"""The sections of the page: scores of ours beside the published ones, and the means over tasks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.contestants import by_contestant, told_commits
from benchmarks.fev.run import METRICS
from benchmarks.fev.tasks import TASKS
from benchmarks.pages import markdown_table
from benchmarks.records import Records

PUBLISHED = Path(__file__).parent / "published.csv"
SHOWN = {
    "Seasonal Naive": "Seasonal naive",
    "Naive": "Naive",
    "Drift": "Drift",
    "AutoETS": "AutoETS",
    "AutoTheta": "AutoTheta",
    "AutoARIMA": "AutoARIMA",
    "Stat. Ensemble": "Stat. Ensemble",
    "Chronos-2": "Chronos-2",
    "TiRex-2": "TiRex-2",
    "Toto-2.0-2.5B": "Toto-2.0, 2.5B",
    "Toto-2.0-4m": "Toto-2.0, 4m",
    "TimesFM-2.5": "TimesFM-2.5",
    "TabPFN-TS-3": "TabPFN-TS",
    "PatchTST": "PatchTST",
    "TFT": "TFT",
    "DeepAR": "DeepAR",
}
"""Published models that stand on the page, and their names there."""

BASE = "Seasonal Naive"
LEAST, MOST = 0.01, 100.0
"""Ratios to the seasonal naive forecast are clipped to this range, as in fev-bench."""

SAME, CLOSE = 5e-5, 2e-3
"""Largest relative gap to a published score of a rule: the same data; a later vintage of them."""
RULES = {"Naive": "Naive", "Drift": "Drift", "Seasonal naive": "Seasonal Naive"}


def published(metric: str) -> pd.DataFrame:
    """Return published scores, task by model."""
    table = pd.read_csv(PUBLISHED)
    return table.pivot(index="task_name", columns="model_name", values=metric)


def ours(entries: Mapping[str, Mapping[str, Any]], metric: str) -> pd.DataFrame:
    """Return our scores, task by contestant; NaN where none was measured."""
    scores = {
        name: {task: entry[metric] for task, entry in tasks.items() if metric in entry}
        for name, tasks in entries.items()
    }
    return pd.DataFrame(scores, index=list(TASKS), dtype=float)


def mean_ratio(scores: pd.Series, base: pd.Series) -> float:
    """Return the geometric mean over tasks of the ratio to the base, each clipped."""
    return float(np.exp(np.log((scores / base).clip(LEAST, MOST)).mean()))


def gaps(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return for each task the largest relative gap of our rules to the published ones.

    fev-bench's own runs of these rules fell back on some tasks of many rows: of ten-minute weather
    only the MASE can be compared.
    """
    found: dict[str, float] = {}
    for metric in METRICS:
        theirs, here = published(metric), ours(entries, metric)
        for task in TASKS:
            if metric != "MASE" and task == "jena_weather_10T":
                continue
            for name, label in RULES.items():
                if name in here and np.isfinite(here.loc[task, name]):
                    gap = abs(here.loc[task, name] / theirs.loc[task, label] - 1)
                    found[task] = max(found.get(task, 0.0), gap)
    return found


def summary_table(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the mean ratios of all models whose tasks are complete, the best first."""
    rows = []
    columns = {}
    for metric in ("MASE", "SQL"):
        theirs, here = published(metric).loc[list(TASKS)], ours(entries, metric)
        base = theirs[BASE]
        columns[metric] = {
            **{
                (label, "published"): mean_ratio(theirs[name], base)
                for name, label in SHOWN.items()
            },
            **{
                (name, "here"): mean_ratio(here[name], base)
                for name in here
                if here[name].notna().all() and name not in RULES
            },
        }
    for model in sorted(columns["MASE"], key=columns["MASE"].__getitem__):
        mase, sql = (f"{columns[metric][model]:.3f}" for metric in ("MASE", "SQL"))
        rows.append([_marked(*model), model[1], mase, sql])
    head = ["model", "scores", "MASE over seasonal naive", "scaled quantile loss likewise"]
    return markdown_table(head, rows)


def task_table(entries: Mapping[str, Mapping[str, Any]], metric: str) -> str:
    """Return one metric of every model on every task."""
    theirs, here = published(metric), ours(entries, metric)
    head = ["model", "scores", *TASKS]
    rows = [
        [_marked(name, "here"), "here", *map(_cell, here[name])]
        for name in here
        if name not in RULES
    ]
    for name, label in SHOWN.items():
        rows.append([label, "published", *map(_cell, theirs[name].reindex(list(TASKS)))])
    return markdown_table(head, rows)


def _marked(name: str, scores: str) -> str:
    return f"**{name}**" if scores == "here" else name


def _cell(value: float) -> str:
    if not np.isfinite(value):
        return "not run"
    return f"{value:.3f}" if value < 1000 else f"{value:.1e}"


def check_table(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what the rules say about the data."""
    rows = []
    for task, gap in gaps(entries).items():
        verdict = "the same" if gap < SAME else "a later vintage" if gap < CLOSE else "DIFFERENT"
        rows.append([task, f"{gap:.1e}", verdict])
    return markdown_table(["task", "largest relative gap", "data"], rows)


def effort_table(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return CPU seconds and, where a contestant was not fitted at every window, its fits."""
    rows = []
    for name, tasks in entries.items():
        if name in RULES or not tasks:
            continue
        cells = []
        for task in TASKS:
            entry = tasks.get(task)
            if entry is None:
                cells.append("")
                continue
            n_fits = -(-TASKS[task].windows // entry["refit"])
            cells.append(f"{entry['cpu seconds']:.0f} s, {n_fits}")
        rows.append([name, *cells])
    return markdown_table(["CPU seconds, fits", *TASKS], rows)


def sections(records: Records) -> dict[str, str]:
    """Return the sections of the page by marker."""
    entries = by_contestant(records)
    cpu = records.entries["about"]["hardware"]["cpu"]
    where = f"Rows marked *here*: {told_commits(entries)}, {cpu}, one thread."
    return {
        "fev means": f"{summary_table(entries)}\n\n{where}",
        "fev MASE": task_table(entries, "MASE"),
        "fev quantile loss": task_table(entries, "SQL"),
        "fev data": check_table(entries),
        "fev effort": effort_table(entries),
    }
