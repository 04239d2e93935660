"""``python -m benchmarks.default_fit``: how long a fit, a forecast, a comparison by default take.

Each runs in a process of its own, on one thread, on a simulated vector autoregression of the
size that is asked about. CPU seconds, seconds on the wall and the growth of the process at its
peak are stored; the median of the repetitions stands in the table.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks import harness
from benchmarks.command import Benchmark
from benchmarks.pages import as_mebibytes, markdown_table
from benchmarks.records import Entry, Records, fingerprint, provenance
from samovar_forecast import SAMoVARForecaster, compare
from samovar_forecast.linear.simulate import simulate_var


class Size(NamedTuple):
    """Size of a sample, how far it is forecast, and what that may take, in seconds of CPU.

    With origins, every default row of `compare` forecasts from each of them; else it is one fit.
    With imports, the seconds are those of a whole new process.
    """

    n_rows: int
    n_series: int
    horizon: int
    freq: str
    bound: float
    n_origins: int | None = None
    with_imports: bool = False


SIZES = {
    "2,000 hours, a day": Size(2000, 7, 24, "h", 5.0),
    "2,000 hours, four days": Size(2000, 7, 96, "h", 5.0),
    "200 quarters, two years": Size(200, 6, 8, "Q", 1.0),
    "200 months, a year": Size(200, 6, 12, "M", 1.0),
    "200 quarters, imports included": Size(200, 6, 8, "Q", 5.0, with_imports=True),
    "200 quarters, compared": Size(200, 6, 8, "Q", 15.0, n_origins=20),
}


def simulate_sample(size: Size, seed: int) -> pd.DataFrame:
    """Return a first-order vector autoregression around a season."""
    n_rows, n_series, freq = size.n_rows, size.n_series, size.freq
    coefs = 0.7 * np.eye(n_series) + 0.1 * np.eye(n_series, k=1)
    values = simulate_var(coefs[None], n_rows, random_state=seed)
    season = {"h": 24, "Q": 4, "M": 12}[freq]
    wave = np.sin(2 * np.pi * (np.arange(n_rows)[:, None] / season + np.arange(n_series) / 7))
    index = pd.period_range("1990", periods=n_rows, freq=freq)
    return pd.DataFrame(values + wave, index, [f"series {i + 1}" for i in range(n_series)])


def fit_once(name: str, seed: int) -> dict[str, float | int | None]:
    """Return seconds and bytes of a fit and its forecast; called in a process of its own."""
    size = SIZES[name]
    y = simulate_sample(size, seed)
    if size.with_imports:
        return first_forecast(y, size.horizon)
    spent: dict[str, float] = {}

    def fit() -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        if size.n_origins is None:
            SAMoVARForecaster().fit(y, fh=range(1, size.horizon + 1)).predict()
        else:
            compare(y, horizon=size.horizon, n_origins=size.n_origins, progress=False)
        spent.update(cpu=time.process_time() - cpu, wall=time.perf_counter() - wall)

    peak = harness.peak_resident_bytes(fit)
    return {**spent, "bytes": peak}


FIRST_FORECAST = """
import sys
import pandas as pd
from samovar_forecast import SAMoVARForecaster
y = pd.read_pickle(sys.argv[1])
SAMoVARForecaster().fit(y, fh=range(1, int(sys.argv[2]) + 1)).predict()
"""


def first_forecast(y: pd.DataFrame, horizon: int) -> dict[str, float | int | None]:
    """Return seconds of a new process that imports the package and forecasts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "y.pkl"
        y.to_pickle(path)
        before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-c", FIRST_FORECAST, str(path), str(horizon)]
        subprocess.run(command, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(getattr(after, key) - getattr(before, key) for key in ("ru_utime", "ru_stime"))
    return {"cpu": cpu, "wall": time.perf_counter() - wall, "bytes": None}


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Fit every size with every seed."""
    words = {name: fingerprint(size, asked.seeds) for name, size in SIZES.items()}
    records.begin(words, provenance(("torch", "numpy", "sktime")))
    for name in SIZES:
        for seed in range(asked.seeds):
            fit = partial(
                harness.in_fresh_process, "benchmarks.default_fit:fit_once", name=name, seed=seed
            )
            records.measured(name, f"seed {seed}", fit)
        records.finish(name)


def runs_of(entry: Entry) -> list[dict[str, float]]:
    """Return what was measured, seed by seed."""
    return [run for key, run in entry.items() if key.startswith("seed ")]


def median_of(entry: Entry, clock: str) -> float:
    """Return the median over the seeds of seconds by a clock, "cpu" or "wall"."""
    return median(run[clock] for run in runs_of(entry))


def sections(records: Records) -> dict[str, str]:
    """Return the table of the medians."""
    rows = []
    for name, size in SIZES.items():
        about = records.entries[name]
        runs = runs_of(about)
        cpu, wall = (median_of(about, clock) for clock in ("cpu", "wall"))
        peaks = [run["bytes"] for run in runs if run["bytes"] is not None]
        peak = as_mebibytes(median(peaks) if peaks else None)
        shape = f"{size.n_rows} x {size.n_series}"
        bound = f"{size.bound:.0f}"
        about_size = [name, shape, str(size.horizon), str(size.n_origins or 1)]
        rows.append([*about_size, f"{cpu:.1f}", f"{wall:.1f}", bound, peak])
    head = ["sample", "size", "steps", "origins", "CPU s", "wall s", "wanted at most", "peak"]
    text = (
        f"{markdown_table(head, rows)}\n\nMedians of {len(runs)} seeds, one thread. "
        f"{about['date']}, commit {about['commit']}, {about['hardware']['cpu']}."
    )
    return {"default fit": text}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    parser.add_argument("--seeds", type=int, default=3)


BENCHMARK = Benchmark("default_fit", __doc__, measure, sections, add_options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
