"""``python -m benchmarks.targets``: what was to be reached, and what has been.

The records hold what was asked for and what it was before, of the linear forecast alone, of the
pretrained network alone, and of the default. The figures of today come from the records of the
other benchmarks, which measure them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks import (
    competitions,
    coverage,
    default_fit,
    dynamics,
    econometric,
    explosions,
)
from benchmarks.command import Benchmark
from benchmarks.contestants import by_contestant
from benchmarks.fev import page as fev
from benchmarks.fev.tasks import TASKS
from benchmarks.long_horizon.tables import fields_of
from benchmarks.moving_coefficients import MOVEMENTS
from benchmarks.pages import markdown_table
from benchmarks.records import RESULTS, BenchmarkError, Records

SMALL = (
    *("canada", "danish_money", "electricity_weekly", "fred_qd", "gvar_output", "gvar_us"),
    *("luetkepohl_e1", "luetkepohl_e2", "luetkepohl_e3", "luetkepohl_e4", "tourism_states"),
    *("searches", "us_macro", "us_macro_levels"),
)
"""The 14 small sets of the econometric panel."""

RIVALS = ("Theta", "ETS")
HORIZONS = (96, 192, 336, 720)
ENSEMBLE = "Stat. Ensemble"
TRAINED_PER_TASK = ("DeepAR", "TFT", "PatchTST")
NEARLY = 1.02
READING, MOVING_RIVALS = "read_var", ("rolling VAR(1)", "TVP-VAR")


class Subject(NamedTuple):
    """What is judged, by its names in the records of the other benchmarks."""

    contestant: str
    panel_row: str
    long_row: str


SUBJECTS = {
    "linear": Subject("Linear members", econometric.LINEAR, "linear-members"),
    "pretrained": Subject("SAMoVAR zero-shot", econometric.PRETRAINED, ""),
    "default": Subject("SAMoVAR", econometric.DEFAULT, "default"),
}


class Reached(NamedTuple):
    """A figure of today, in words, and whether it is what was asked for; None if not measured."""

    text: str
    is_met: bool | None


NOT_RUN = Reached("not run", None)
Figure = Callable[[Subject, Any], Reached]
"""From what is judged, and the bound of a target, to what is reached."""


def records_of(name: str) -> Records:
    """Return the records that are kept with the code."""
    return Records(RESULTS / f"{name}.json")


def at_most(found: float, bound: float, digits: int = 3) -> Reached:
    """Return a figure that is to be small; the figure counts as it is shown."""
    return Reached(f"{found:.{digits}f}", round(found, digits) <= bound)


# --- the econometric panel ------------------------------------------------------------------------


def _ratios(subject: Subject) -> dict[str, float]:
    """Return the squared error on each set over that of the better of VAR and ridge VAR."""
    found = {}
    for name, entry in econometric.sets_of(records_of("econometric")).items():
        mse = entry["MSE"]
        if subject.panel_row in mse:
            rival = min(mse[other] for other in econometric.LINEAR_RIVALS if other in mse)
            found[name] = mse[subject.panel_row] / rival
    return found


def panel(subject: Subject, bound: float) -> Reached:
    """Judge the geometric mean ratio on all sets."""
    return at_most(float(np.exp(np.log(list(_ratios(subject).values())).mean())), bound)


def panel_of_small_sets(subject: Subject, bound: float) -> Reached:
    """Judge the geometric mean ratio on the small sets."""
    ratios = _ratios(subject)
    return at_most(float(np.exp(np.mean([np.log(ratios[name]) for name in SMALL]))), bound)


def panel_share(subject: Subject, bound: float) -> Reached:
    """Judge the share of sets with a ratio of at most 1.02."""
    share = float((np.array(list(_ratios(subject).values())) <= NEARLY).mean())
    return Reached(f"{share:.0%}", share >= bound)


def report_share(subject: Subject, bound: float) -> Reached:
    """Judge the same share of the sets on which nothing was chosen."""
    some = [own for name, own in _ratios(subject).items() if name[0] > econometric.DEVELOPMENT]
    share = float((np.array(some) <= NEARLY).mean())
    return Reached(f"{share:.0%} of {len(some)} sets", share >= bound)


# --- processes whose truth is known ---------------------------------------------------------------


def explosion(subject: Subject, bound: float) -> Reached:
    """Judge how many short panels have an error above three times the naive forecast's."""
    ratios = explosions.ratios_of(by_contestant(records_of("explosions"))[subject.contestant])
    n_above = int((ratios > explosions.EXPLODES).sum())
    text = f"{n_above} of {len(ratios):,}, largest {ratios.max():.2f}"
    return Reached(text, n_above <= bound and len(ratios) == explosions.N_PANELS)


def process(name: str) -> Figure:
    """Judge the squared error on a known process over that of least squares.

    Beside it stands the error of who knows the process, which no forecast undercuts on average.
    """

    def judge(subject: Subject, bound: float) -> Reached:
        found = records_of("zero_shot").entries[name]["found"]
        own, floor = (found[who] / found["least squares"] for who in ("network", "process"))
        return Reached(f"{own:.3f} (the process itself {floor:.3f})", own <= bound)

    return judge


def moving(subject: Subject, bound: int) -> Reached:
    """Judge in how many cases the coefficients err less than both rivals', of five movements."""
    entries = records_of("dynamics").entries
    won = []
    for name in dynamics.CASES:
        if name.startswith("moving") and name in entries:
            mean = dynamics.repetitions(entries[name]).mean()
            ours, *theirs = (mean[f"{who}, coefficients"] for who in (READING, *MOVING_RIVALS))
            won.append(ours < min(theirs))
    return Reached(f"{sum(won)} of {len(won)}", sum(won) * len(MOVEMENTS) >= bound * len(won))


# --- published tasks ------------------------------------------------------------------------------


def competition(key: str) -> Figure:
    """Judge the MASE of a group of series beside the better of Theta and ETS."""

    def judge(subject: Subject, bound: Any) -> Reached:
        found = competitions.group_means(
            by_contestant(records_of("competitions")).get(subject.contestant, {}), key
        )
        if found is None:
            return NOT_RUN
        figures = [competitions.GROUPS[key].published[rival][0] for rival in RIVALS]
        least = min(figure for figure in figures if figure is not None)
        return Reached(f"{found['MASE']:.3f} ({least:.3f})", found["MASE"] < least)

    return judge


def monthly_percentage(subject: Subject, bound: float) -> Reached:
    """Judge the sMAPE of the monthly series of M3."""
    parts = by_contestant(records_of("competitions")).get(subject.contestant, {})
    found = competitions.group_means(parts, "M3 monthly")
    return NOT_RUN if found is None else at_most(found["sMAPE"], bound, 2)


def _of_fev(subject: Subject, metric: str) -> Any:
    found = fev.ours(by_contestant(records_of("fev")), metric)
    return found.reindex(columns=[subject.contestant])[subject.contestant]


def fev_task(name: str) -> Figure:
    """Judge the MASE of a task of fev-bench."""

    def judge(subject: Subject, bound: float) -> Reached:
        found = _of_fev(subject, "MASE")[name]
        return at_most(found, bound) if np.isfinite(found) else NOT_RUN

    return judge


def _fev_mean(subject: Subject, metric: str) -> tuple[float, Any, str]:
    """Return the mean ratio to seasonal naive, the ratios published, and what was not run."""
    own, published = _of_fev(subject, metric), fev.published(metric).loc[list(TASKS)]
    run = own.notna()
    base = published.loc[run, fev.BASE]
    theirs = {name: fev.mean_ratio(published.loc[run, name], base) for name in published}
    return (
        fev.mean_ratio(own[run], base),
        theirs,
        "" if run.all() else f"{int(run.sum())} of {len(run)} tasks: ",
    )


def fev_mean(metric: str) -> Figure:
    """Judge the mean ratio to seasonal naive over all tasks."""

    def judge(subject: Subject, bound: float) -> Reached:
        found, _, where = _fev_mean(subject, metric)
        if not np.isfinite(found):
            return NOT_RUN
        judged = at_most(found, bound)
        return Reached(where + judged.text, judged.is_met and not where)

    return judge


def fev_ensemble(subject: Subject, bound: Any) -> Reached:
    """Judge both mean ratios beside those of the ensemble of statistical forecasts."""
    told, are_met = [], []
    for metric in ("MASE", "SQL"):
        ours, theirs, where = _fev_mean(subject, metric)
        told.append(f"{metric} {ours:.3f} ({ENSEMBLE} {theirs[ENSEMBLE]:.3f})")
        are_met.append(ours <= theirs[ENSEMBLE] and not where)
    return Reached(where + ", ".join(told), all(are_met))


def fev_networks(subject: Subject, bound: Any) -> Reached:
    """Judge the scaled quantile loss beside the networks that are trained for each task."""
    ours, theirs, where = _fev_mean(subject, "SQL")
    if not np.isfinite(ours):
        return NOT_RUN
    least = min(theirs[name] for name in TRAINED_PER_TASK)
    return Reached(f"{where}{ours:.3f} ({least:.3f})", ours < least and not where)


def long_horizon(name: str) -> Figure:
    """Judge the squared errors on the test windows of a set; a dash for what was not run."""

    def judge(subject: Subject, bound: list[float]) -> Reached:
        fields = fields_of(list(records_of("long_horizon").entries.values()))
        keys = [(name, horizon, subject.long_row) for horizon in HORIZONS]
        found = [fields[key][""].value if key in fields else np.nan for key in keys]
        if np.isnan(found).all():
            return NOT_RUN
        are_met = [round(own, 3) <= least for own, least in zip(found, bound, strict=True)]
        told = ["-" if np.isnan(own) else f"{own:.3f}" for own in found]
        return Reached(" ".join(told), all(are_met))

    return judge


# --- intervals and cost ---------------------------------------------------------------------------


def intervals(subject: Subject, bound: list[float]) -> Reached:
    """Judge the coverage of 90 % intervals on the real sets, and their score."""
    found = coverage.rows(records_of("coverage"))
    found = found[[not coverage.SETS[name].is_simulated for name in found["set"]]]
    ninety = coverage.COVERAGES.index(0.9)
    ours, last = (
        found[found["source"] == who].set_index("set") for who in ("default", "last value")
    )
    share = ours["covered"].str[ninety]
    lost = int((ours["score"].str[ninety] > last["score"].str[ninety]).sum())
    low, high = bound
    text = f"{share.min():.0%} to {share.max():.0%}; score above the last value's on {lost}"
    return Reached(text, share.between(low, high).all() and not lost)


def seconds(*names: str) -> Figure:
    """Judge the CPU seconds of one or more calls by default."""

    def judge(subject: Subject, bound: list[float]) -> Reached:
        entries = records_of("default_fit").entries
        if any(name not in entries for name in names):
            return NOT_RUN
        found = [default_fit.median_of(entries[name], "cpu") for name in names]
        are_met = [round(own, 1) <= most for own, most in zip(found, bound, strict=True)]
        return Reached(", ".join(f"{own:.1f} s" for own in found), all(are_met))

    return judge


def cost(name: str) -> Figure:
    """Judge the CPU seconds of forecasts of the pretrained network alone."""

    def judge(subject: Subject, bound: float) -> Reached:
        found = records_of("zero_shot").entries["cost"]["found"][name]["seconds"]
        return Reached(f"{1000 * found:.0f} ms", found <= bound)

    return judge


FIGURES: dict[str, Figure] = {
    "panel": panel,
    "panel, small sets": panel_of_small_sets,
    "panel, share": panel_share,
    "panel, share of the sets for report": report_share,
    "explosions": explosion,
    "VAR(2)": process("VAR(2)"),
    "threshold VAR": process("threshold VAR"),
    "moving": moving,
    **{key: competition(key) for key in competitions.GROUPS},
    "M3 monthly, sMAPE": monthly_percentage,
    **{f"fev {name}": fev_task(name) for name in TASKS},
    "fev MASE": fev_mean("MASE"),
    "fev SQL": fev_mean("SQL"),
    "fev ensemble": fev_ensemble,
    "fev networks": fev_networks,
    "ETTh1": long_horizon("ETTh1"),
    "ETTh2": long_horizon("ETTh2"),
    "intervals": intervals,
    "fit": seconds("200 quarters, two years", "2,000 hours, a day"),
    "compare": seconds("200 quarters, compared"),
    "first forecast": seconds("200 quarters, imports included"),
    "zero-shot": cost("200 x 6, 8 steps"),
    "1,000 series": cost("1,000 series of 60 rows, 12 steps"),
}
"""How each target is judged, by its name in the records."""


def sections(records: Records) -> dict[str, str]:
    """Return a table of targets for each subject."""
    words = {True: "yes", False: "no", None: ""}
    found = {}
    for name, targets in records.entries.items():
        rows = []
        for figure, target in targets.items():
            reached = FIGURES[figure](SUBJECTS[name], target.get("bound"))
            told = [target["what"], target["before"], target["asked"]]
            rows.append([*told, reached.text, words[reached.is_met]])
        table = markdown_table(["", "before", "asked", "reached", "met"], rows)
        found[f"{name} targets"] = table
    return found


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure nothing: the tables are made of the records of others."""
    if not records.entries:
        raise BenchmarkError("no targets in the records")


BENCHMARK = Benchmark("targets", __doc__, measure, sections)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
