"""``python -m benchmarks.update_predict``: what forecasts from many cutoffs cost in sktime.

`update_predict(..., update_params=False)` of the default forecaster, beside sktime's own loop over
the same forecaster, beside `update` and `predict` by hand, and beside the loop over sktime's naive
forecaster, which shows what the loop itself takes. All take turns, on one thread, and
are refused if they do not forecast the same.
"""

from __future__ import annotations

import argparse
import copy
from typing import Any

import numpy as np
import pandas as pd
from sktime.forecasting.base import BaseForecaster
from sktime.forecasting.naive import NaiveForecaster
from sktime.split import SlidingWindowSplitter

from benchmarks import harness
from benchmarks.command import Benchmark
from benchmarks.pages import markdown_table
from benchmarks.records import BenchmarkError, Records, provenance
from samovar_forecast import SAMoVARForecaster

LOOP, BY_HAND, OURS, NAIVE = (
    "sktime's loop",
    "`update`, `predict`",
    "`update_predict`",
    "the loop, `NaiveForecaster`",
)
N_ROWS, N_SERIES, HORIZON = 250, 3, 3
LARGEST_DIFFERENCE = 1e-6
"""Of a forecast, in standard deviations of the series; products of other sizes round otherwise."""


def walks(n_rows: int) -> pd.DataFrame:
    """Return random walks as a frame of months."""
    values = np.random.default_rng(0).normal(size=(n_rows, N_SERIES)).cumsum(axis=0)
    return pd.DataFrame(values, pd.period_range("1980-01", periods=n_rows, freq="M"), list("abc"))


class Looped(SAMoVARForecaster):
    """The forecaster under sktime's own loop."""

    _predict_moving_cutoff = BaseForecaster._predict_moving_cutoff


def measured(n_cutoffs: int, repeats: int) -> dict[str, Any]:
    """Return the seconds of each contestant, for so many cutoffs.

    Raises
    ------
    BenchmarkError
        If the forecasts differ.
    """
    y, steps = walks(N_ROWS + n_cutoffs), list(range(1, HORIZON + 1))
    past, rest = y.iloc[:N_ROWS], y.iloc[N_ROWS:]
    cv = SlidingWindowSplitter(fh=steps, window_length=1, step_length=1, start_with_window=True)
    windows = [window for window, _ in cv.split(rest)]
    ours = SAMoVARForecaster().fit(past, fh=steps)
    looped, naive = Looped().fit(past, fh=steps), NaiveForecaster().fit(past, fh=steps)

    def by_hand() -> pd.DataFrame:
        moved, frames = copy.deepcopy(ours), []
        for window in windows:
            moved.update(rest.iloc[window], update_params=False)
            frames.append(moved.predict())
        return pd.concat(frames, axis=1)

    jobs = {
        LOOP: lambda: looped.update_predict(rest, cv, update_params=False),
        BY_HAND: by_hand,
        OURS: lambda: ours.update_predict(rest, cv, update_params=False),
        NAIVE: lambda: naive.update_predict(rest, cv, update_params=False),
    }
    found = {who: jobs[who]().to_numpy() for who in (LOOP, BY_HAND, OURS)}
    largest = max(
        float(np.nanmax(abs(found[who] - found[LOOP])) / y.to_numpy().std()) for who in found
    )
    if not largest <= LARGEST_DIFFERENCE:
        raise BenchmarkError(f"the forecasts differ by {largest:.1e} standard deviations")
    samples = harness.interleave(jobs, repeats)
    return {"n": len(windows), "difference": largest, "samples": harness.to_json(samples)}


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure each number of cutoffs."""
    for n_cutoffs in asked.cutoffs:
        found = measured(n_cutoffs, asked.repeats)
        records.keep(str(n_cutoffs), {**provenance(("torch", "numpy", "sktime")), **found})


def sections(records: Records) -> dict[str, str]:
    """Return the milliseconds of a cutoff, and how many times as long the loop takes."""
    rows = []
    for entry in records.entries.values():
        samples = harness.from_json(entry["samples"])
        cells = [f"{1e3 * samples[who].median / entry['n']:.3g} ms" for who in samples]
        ratio = str(harness.speed_up(samples[LOOP], samples[OURS]))
        rows.append([str(entry["n"]), *cells, f"{ratio}x", f"{entry['difference']:.0e}"])
        rows[-1].append(entry["commit"])
    header = ["cutoffs", LOOP, BY_HAND, OURS, NAIVE, "loop takes", "largest difference", "commit"]
    return {"update_predict": markdown_table(header, rows)}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the numbers of cutoffs, and how often they are measured."""
    parser.add_argument("--cutoffs", nargs="+", type=int, default=[20, 100], metavar="N")
    parser.add_argument("--repeats", type=int, default=7)


BENCHMARK = Benchmark("update_predict", __doc__, measure, sections, add_options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
