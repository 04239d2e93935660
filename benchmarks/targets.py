"""``python -m benchmarks.linear_targets``: what the linear forecast was to reach, and has reached.

The records hold what was asked for and what it was before; the figures of today come from the
records of the other benchmarks, which measure the linear forecast without a network.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks import competitions, econometric, explosions
from benchmarks.command import Benchmark
from benchmarks.contestants import by_contestant
from benchmarks.fev import page as fev
from benchmarks.fev.tasks import TASKS
from benchmarks.long_horizon.tables import fields_of
from benchmarks.pages import markdown_table
from benchmarks.records import RESULTS, BenchmarkError, Records

NAME = "Linear members"
SMALL = (
    *("canada", "danish_money", "electricity_weekly", "fred_qd", "gvar_output", "gvar_us"),
    *("luetkepohl_e1", "luetkepohl_e2", "luetkepohl_e3", "luetkepohl_e4", "tourism_states"),
    *("searches", "us_macro", "us_macro_levels"),
)
"""The 14 small sets of the econometric panel."""

RIVALS = ("Theta", "ETS")
HORIZONS = (96, 192, 336, 720)
ENSEMBLE = "Stat. Ensemble"


class Reached(NamedTuple):
    """A figure of today, in words, and whether it is what was asked for; None if not measured."""

    text: str
    is_met: bool | None


NOT_RUN = Reached("not run", None)


def records_of(name: str) -> Records:
    """Return the records that are kept with the code."""
    return Records(RESULTS / f"{name}.json")


def of_panel() -> Iterator[tuple[str, Reached]]:
    """Yield the ratios on the econometric panel."""
    ratios = {}
    for name, entry in econometric.sets_of(records_of("econometric")).items():
        mse = entry["MSE"]
        if econometric.LINEAR in mse:
            rival = min(mse[other] for other in econometric.LINEAR_RIVALS if other in mse)
            ratios[name] = mse[econometric.LINEAR] / rival
    some = np.array(list(ratios.values()))
    mean = float(np.exp(np.log(some).mean()))
    yield "panel", Reached(f"{mean:.3f}", mean <= 0.80)
    share = float((some <= 1.02).mean())
    yield "within", Reached(f"{share:.0%}", share >= 0.92)
    small = float(np.exp(np.mean([np.log(ratios[name]) for name in SMALL])))
    yield "small", Reached(f"{small:.3f}", small <= 0.77)


def of_explosions() -> Iterator[tuple[str, Reached]]:
    """Yield how many short panels have an error above three times the naive forecast's."""
    ratios = explosions.ratios_of(by_contestant(records_of("explosions"))[NAME])
    n_above = int((ratios > explosions.EXPLODES).sum())
    text = f"{n_above} of {len(ratios):,}, largest {ratios.max():.2f}"
    yield "explosions", Reached(text, n_above == 0 and len(ratios) == explosions.N_PANELS)


def of_fev() -> Iterator[tuple[str, Reached]]:
    """Yield the errors on the tasks of fev-bench."""
    entries = by_contestant(records_of("fev"))
    mase = fev.ours(entries, "MASE")[NAME]
    theirs = fev.published("MASE").loc[list(TASKS)]
    for name, task, bound in (
        ("fred_md", "fred_md_2025/cee", 4.1),
        ("fred_qd", "fred_qd_2025/cee", 2.2),
        *(
            (name, name, min(theirs.loc[name, ["Naive", "AutoETS"]]))
            for name in ("ETT_1D", "ETT_1W")
        ),
    ):
        found = mase[task]
        yield name, Reached(f"{found:.3f}", found <= bound) if np.isfinite(found) else NOT_RUN
    told, are_met = [], []
    for metric in ("MASE", "SQL"):
        own, published = fev.ours(entries, metric)[NAME], fev.published(metric).loc[list(TASKS)]
        run = own.notna()
        base = published.loc[run, fev.BASE]
        ours, ensemble = (
            fev.mean_ratio(scores[run], base) for scores in (own, published[ENSEMBLE])
        )
        told.append(f"{metric} {ours:.3f} ({ENSEMBLE} {ensemble:.3f})")
        are_met.append(ours <= ensemble and bool(run.all()))
    where = "" if run.all() else f"{int(run.sum())} of {len(run)} tasks: "
    yield "fev", Reached(where + ", ".join(told), all(are_met))


def of_competitions() -> Iterator[tuple[str, Reached]]:
    """Yield the MASE of each group of M3 and tourism beside the better of Theta and ETS."""
    parts = by_contestant(records_of("competitions"))[NAME]
    for key, group in competitions.GROUPS.items():
        if key.startswith("M4"):
            continue
        found = competitions.group_means(parts, key)
        if found is None:
            yield key, NOT_RUN
            continue
        figures = [group.published[rival][0] for rival in RIVALS]
        least = min(figure for figure in figures if figure is not None)
        yield key, Reached(f"{found['MASE']:.3f} ({least:.3f})", found["MASE"] < least)


def of_long_horizons(asked: dict[str, str]) -> Iterator[tuple[str, Reached]]:
    """Yield the squared errors on the test windows of two sets; a dash for what was not run."""
    fields = fields_of(list(records_of("long_horizon").entries.values()))
    for name in ("ETTh1", "ETTh2"):
        keys = [(name, horizon, "linear-members") for horizon in HORIZONS]
        found = [fields[key][""].value if key in fields else np.nan for key in keys]
        if np.isnan(found).all():
            yield name, NOT_RUN
            continue
        bounds = [float(bound) for bound in asked[name].split()]
        are_met = [round(own, 3) <= bound for own, bound in zip(found, bounds, strict=True)]
        told = ["-" if np.isnan(own) else f"{own:.3f}" for own in found]
        yield name, Reached(" ".join(told), all(are_met))


def sections(records: Records) -> dict[str, str]:
    """Return the table of targets."""
    targets = records.entries
    asked = {name: target["asked"] for name, target in targets.items()}
    reached = dict(
        [
            *of_panel(),
            *of_explosions(),
            *of_fev(),
            *of_competitions(),
            *of_long_horizons(asked),
        ]
    )
    words = {True: "yes", False: "no", None: ""}
    rows = [
        [target["what"], target["before"], target["asked"], text, words[is_met]]
        for target, (text, is_met) in ((targets[name], reached[name]) for name in targets)
    ]
    return {"linear targets": markdown_table(["", "before", "asked", "reached", "met"], rows)}


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure nothing: the table is made of the records of others."""
    if not records.entries:
        raise BenchmarkError("no targets in the records")


BENCHMARK = Benchmark("linear_targets", __doc__, measure, sections)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
