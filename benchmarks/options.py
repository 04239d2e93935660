"""``python -m benchmarks.options``: what might have mended the paper's model, and did not.

Every option changed one thing of the network or of its training, on the same windows and from the
same seeds. The question is settled; the records stay, and the table is made of them here.
"""

from __future__ import annotations

import numpy as np

from benchmarks.command import Benchmark, settled_at
from benchmarks.pages import markdown_table
from benchmarks.records import Entry, Records

CODE_AT = "17f1e3b"
"""The last commit that holds the code of the measurements."""

PAPER = "paper"
TITLES = {
    "mean": "attention divided by t sqrt(d)",
    "root": "attention divided by sqrt(t d)",
    "level": "next patches from the level of the patch before",
    "patch": "next patches in the moments known at the patch before",
    "window units": "both losses in the units of the window",
    "data units": "both losses in the units of the data",
    "matrices": "weight decay on matrices only",
    "longer": "1000 steps also on a short sample",
    "two layers": "two layers in place of three",
    "one layer": "one layer in place of three",
    "dropout": "dropout of 0.3 in place of 0.1",
}
ALONE, ANCHORED = "alone", "anchored"


def ratios(
    sets: dict[str, Entry], option: str, role: str, group: str | None = None
) -> dict[str, float]:
    """Return an option's MSE over that of the paper's model, set by set.

    Parameters
    ----------
    sets : dict of str to dict
    option : str
    role : {"alone", "anchored"}
        Whether the network forecasts alone, or beside the anchor.
    group : str, optional
        Runs of the option that are held against all seeds of the paper's model; by default both
        are taken over the seeds that both have.
    """
    found = {}
    for name, entry in sets.items():
        paper, runs = entry["options"].get(PAPER, {}), entry["options"].get(option, {})
        seeds = [seed for seed in paper if seed.startswith("seed") and seed in runs]
        wanted = seeds if group is None else [group]
        if seeds and all(run in runs for run in wanted):
            mean = np.mean([runs[run][role] for run in wanted])
            found[name] = float(mean / np.mean([paper[seed][role] for seed in seeds]))
    return found


def summary_line(title: str, found: dict[str, float]) -> list[str]:
    """Return a row: number of sets, geometric mean, that without its best set, extremes, wins."""
    logs = np.sort(np.log(list(found.values())))
    return [
        title,
        f"{len(logs)}",
        f"{np.exp(logs.mean()):.3f}",
        f"{np.exp(logs[1:].mean()):.3f}",
        f"{np.exp(logs[0]):.3f} to {np.exp(logs[-1]):.3f}",
        f"{int((logs < 0).sum())}",
    ]


def sections(records: Records) -> dict[str, str]:
    """Return the table: a row an option, the network alone and beside the anchor."""
    sets = {name: entry for name, entry in records.entries.items() if "options" in entry}
    rows = []
    for option, title in TITLES.items():
        beside = summary_line(title, ratios(sets, option, ANCHORED))[2]
        rows.append([*summary_line(title, ratios(sets, option, ALONE)), beside])
    title, pair = "the paper's model, mean of 2 seeds", "mean of 2"
    beside = summary_line(title, ratios(sets, PAPER, ANCHORED, pair))[2]
    rows.append([*summary_line(title, ratios(sets, PAPER, ALONE, pair)), beside])
    header = ["option", "sets", "network alone", "without its best set", "from, to", "better on"]
    return {"options": markdown_table([*header, "beside the anchor"], rows)}


BENCHMARK = Benchmark("options", __doc__, settled_at(CODE_AT), sections)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
