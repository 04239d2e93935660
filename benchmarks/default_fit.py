"""``python -m benchmarks.default_fit``: how long a fit and a forecast by the defaults take.

Each fit runs in a process of its own, on one thread, on a simulated vector autoregression of the
size that is asked about. CPU seconds, seconds on the wall and the growth of the process at its
peak are stored; the median of the repetitions stands in the table.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from statistics import median
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks import harness
from benchmarks.command import Benchmark
from benchmarks.pages import markdown_table
from benchmarks.records import Records, fingerprint, provenance
from samovar_forecast import SAMoVARForecaster
from samovar_forecast.linear.simulate import simulate_var


class Size(NamedTuple):
    """Size of a sample, how far it is forecast, and what both may take, in seconds of CPU."""

    n_rows: int
    n_series: int
    horizon: int
    freq: str
    bound: float


SIZES = {
    "2,000 hours, a day": Size(2000, 7, 24, "h", 5.0),
    "2,000 hours, four days": Size(2000, 7, 96, "h", 5.0),
    "200 quarters, two years": Size(200, 6, 8, "Q", 1.0),
    "200 months, a year": Size(200, 6, 12, "M", 1.0),
}


def simulate_sample(size: Size, seed: int) -> pd.DataFrame:
    """Return a first-order vector autoregression around a season."""
    n_rows, n_series, _, freq, _ = size
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
    forecaster = SAMoVARForecaster()
    spent: dict[str, float] = {}

    def fit() -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        forecaster.fit(y, fh=range(1, size.horizon + 1)).predict()
        spent.update(cpu=time.process_time() - cpu, wall=time.perf_counter() - wall)

    peak = harness.peak_resident_bytes(fit)
    return {**spent, "bytes": peak, "context": forecaster._model.n_read}


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


def sections(records: Records) -> dict[str, str]:
    """Return the table of the medians."""
    rows = []
    for name, size in SIZES.items():
        about = records.entries[name]
        runs = [run for key, run in about.items() if key.startswith("seed ")]
        cpu, wall = (median(run[clock] for run in runs) for clock in ("cpu", "wall"))
        peaks = [run["bytes"] for run in runs if run["bytes"] is not None]
        peak = f"{median(peaks) / 2**20:.0f} MiB" if peaks else "not measured"
        shape = f"{size.n_rows} x {size.n_series}"
        lengths = f"{runs[0]['context']} -> {size.horizon}"
        bound = f"{size.bound:.0f}"
        rows.append([name, shape, lengths, f"{cpu:.1f}", f"{wall:.1f}", bound, peak])
    head = ["sample", "size", "rows read -> steps", "CPU s", "wall s", "wanted at most", "peak"]
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
