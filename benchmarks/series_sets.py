"""The series that the forecaster is measured on, and the benchmarks that run over them.

Real sets are read from a folder given on the command line or by the variable
`SAMOVAR_BENCHMARK_DATA`; simulated sets are made here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.command import Benchmark, add_data_option
from benchmarks.records import Records, fingerprint, provenance, stamp
from samovar_forecast.linear.simulate import simulate_var
from samovar_forecast.process import one_thread

VAR2 = np.array(
    [
        [[0.5, 0.2, -0.1], [0.1, 0.4, 0.3], [-0.2, 0.0, 0.3]],
        [[0.2, -0.1, 0.05], [0.05, -0.2, 0.15], [0.0, 0.0, 0.2]],
    ]
)


@dataclass(frozen=True)
class SeriesSet:
    """A multivariate series and how it is forecast.

    `load` takes the folder of the data (or a seed, if `is_simulated`) and returns an array of
    shape (n_time, n_series). The last `n_test` rows are forecast, `horizon` steps at a time.
    """

    title: str
    load: Callable[[Path | int], np.ndarray]
    n_test: int
    horizon: int
    context_length: int
    season: int = 1
    is_simulated: bool = False


def _file(path: str, rows: slice = slice(None), columns: slice = slice(None)) -> Callable:
    def load(folder: Path) -> np.ndarray:
        frame = pd.read_csv(folder / path, index_col=0).iloc[rows, columns]
        return frame.to_numpy(dtype=np.float64)

    return load


def _us_macro(folder: Path) -> np.ndarray:
    raw = pd.read_csv(folder / "extra" / "us_macro_statsmodels.csv.gz", index_col=0)
    growth = 400 * np.log(raw["realgdp"]).diff()
    columns = [growth, raw["infl"], raw["unemp"], raw["tbilrate"]]
    return np.column_stack(columns)[1:]


def _steady(seed: int) -> np.ndarray:
    return simulate_var(VAR2, 4000, random_state=seed)


def _restless(seed: int) -> np.ndarray:
    """A VAR(1) whose noise grows and shrinks threefold over 24 steps, like days and nights."""
    generator = np.random.default_rng(seed)
    n_time = 4000
    size = np.exp(np.log(3) / 2 * np.sin(2 * np.pi * np.arange(n_time) / 24))
    noise = size[:, None] * generator.standard_normal((n_time, 3))
    series = np.zeros((n_time, 3))
    for row in range(1, n_time):
        series[row] = VAR2[0] @ series[row - 1] + noise[row]
    return series


SETS = {
    "VAR": SeriesSet("simulated VAR(2), steady noise", _steady, 1600, 4, 16, is_simulated=True),
    "restless VAR": SeriesSet(
        "simulated VAR(1), noise of a daily cycle", _restless, 1600, 4, 48, is_simulated=True
    ),
    "ETTh1": SeriesSet(
        "transformer temperature and loads, hourly (ETTh1)",
        _file("core/ETTh1.csv.gz", slice(0, 4000)),
        *(960, 24, 96, 24),
    ),
    "electricity price": SeriesSet(
        "electricity price and loads, hourly (GEFCom2014)",
        _file("extra/gefcom2014_price.csv.gz", slice(-4000, None)),
        *(960, 24, 96, 24),
    ),
    "exchange rates": SeriesSet(
        "exchange rates, daily", _file("core/exchange_rate.csv.gz", slice(-3000, None)), 600, 5, 60
    ),
    "volatility": SeriesSet(
        "log volatility of four markets, daily", _file("extra/dy2012_volatility.csv.gz"), 600, 5, 60
    ),
    "illness": SeriesSet(
        "influenza-like illness, weekly", _file("core/national_illness.csv.gz"), 240, 8, 48, 52
    ),
    "yields": SeriesSet("US Treasury yields, monthly", _file("extra/us_yields.csv.gz"), 96, 4, 24),
    "US macro": SeriesSet("US growth, inflation and rates, quarterly", _us_macro, 60, 4, 16),
}


def frame(values: np.ndarray) -> pd.DataFrame:
    """Return values as a frame on a range index."""
    return pd.DataFrame(values, columns=[f"series {i + 1}" for i in range(values.shape[1])])


Job = Callable[[Path | None], dict[str, Any]]
"""A measurement: from the folder of the real sets, or None, to what is stored."""


def sets_benchmark(
    name: str,
    about: str,
    jobs: Callable[[str], dict[str, Job]],
    sections: Callable[[Records], dict[str, str]],
    *,
    sets: Sequence[str],
    settings: Sequence[Any],
    sources: Sequence[str],
) -> Benchmark:
    """Return a benchmark whose entries are sets of series.

    Parameters
    ----------
    name, about, sections
        As in `Benchmark`.
    jobs : callable
        From the name of a set to its measurements by name.
    sets : sequence of str
        The sets that are measured by default.
    settings : sequence
        What a number depends on beside its set and the sources, as JSON can hold it.
    sources : sequence of str
        Files and folders of the repository that a number depends on.
    """

    def measure(records: Records, asked: argparse.Namespace) -> None:
        names = [name for name in asked.sets if asked.data or SETS[name].is_simulated]
        words = {name: fingerprint(name, *settings, sources=sources) for name in names}
        records.begin(words, provenance(("torch", "numpy", "sktime")))
        with one_thread():
            for name in names:
                for what, job in tqdm(jobs(name).items(), desc=name, mininterval=5.0):
                    records.measured(name, what, partial(job, asked.data))
                records.finish(name)

    def add_options(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--sets", nargs="+", choices=sets, default=sets)
        add_data_option(parser)

    return Benchmark(name, about, measure, sections, add_options)


def stamp_of_sets(records: Records, names: Iterable[str]) -> str:
    """Say when and where the sets were measured."""
    entries = [records.entries[name] for name in names if name in records.entries]
    measured = [value for entry in entries for value in entry.values() if isinstance(value, dict)]
    return stamp(entries, sum(value.get("cpu seconds", 0.0) for value in measured))
