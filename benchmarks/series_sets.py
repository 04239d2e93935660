"""The series that the forecaster is measured on, and the pages where the tables go.

Real sets are read from a folder given on the command line or by the variable
`SAMOVAR_BENCHMARK_DATA`; simulated ones are made here.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from benchmarks import harness
from samovar_forecast.linear.simulate import simulate_var

DATA_VARIABLE = "SAMOVAR_BENCHMARK_DATA"
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
    """As a frame on a range index."""
    return pd.DataFrame(values, columns=[f"series {i + 1}" for i in range(values.shape[1])])


def add_data_argument(parser: argparse.ArgumentParser, variable: str = DATA_VARIABLE) -> None:
    """Give a parser the option `--data`."""
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get(variable),
        help=f"folder of the real series; by default the variable {variable}",
    )


def put_between_markers(page: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- begin NAME -->` and `<!-- end NAME -->` in a page."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    content = page.read_text()
    if content.count(begin) != 1 or content.count(end) != 1:
        raise ValueError(f"{page} must hold {begin!r} and {end!r} once each")
    before, rest = content.split(begin)
    after = rest.split(end)[1]
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}")


def stamp(results: harness.Results, names: Iterable[str]) -> str:
    """Date, commit and machine of the sets that were measured."""
    entries = [results.entries[name] for name in names if name in results.entries]
    measured = [one for entry in entries for one in entry.values() if isinstance(one, dict)]
    return harness.stamp(entries, sum(one.get("cpu seconds", 0.0) for one in measured))


Job = Callable[[Path | None], dict[str, Any]]


@dataclass(frozen=True)
class SetsBenchmark:
    """A benchmark over these sets: one command, one file of results, one page with a table.

    Attributes
    ----------
    name : str
        Of the module.
    about : str
    title : str
        Of the table.
    sets : sequence of str
    results : Path
    page : Path
    marker : str
        Of the place on the page.
    settings : sequence
        What a number depends on beside its set and the sources, as JSON can hold it.
    sources : sequence of str
        Files and folders of the repository that a number depends on.
    jobs : callable
        From the name of a set to its measurements by name, each a call with the folder of the
        real sets.
    report : callable
        The text of the results.
    """

    name: str
    about: str
    title: str
    sets: Sequence[str]
    results: Path
    page: Path
    marker: str
    settings: Sequence[Any]
    sources: Sequence[str]
    jobs: Callable[[str], dict[str, Job]]
    report: Callable[[harness.Results], str]

    def run(self, names: Sequence[str], results: harness.Results, folder: Path | None) -> None:
        """Measure the sets named, each measurement stored when it is done."""
        torch.set_num_threads(1)
        header = harness.provenance(("torch", "numpy", "sktime"))
        words = {
            name: harness.fingerprint(name, *self.settings, sources=self.sources) for name in names
        }
        results.begin(words, header)
        for name in names:
            for what, job in tqdm(self.jobs(name).items(), desc=name, mininterval=5.0):
                results.measured(name, what, partial(job, folder))
            results.finish(name)

    def main(self, arguments: list[str] | None = None) -> None:
        """Run what is asked for; write JSON, table and page."""
        program = f"python -m benchmarks.{self.name}"
        parser = argparse.ArgumentParser(prog=program, description=self.about)
        parser.add_argument("--sets", nargs="+", choices=list(self.sets), default=list(self.sets))
        parser.add_argument("--report", action="store_true", help="only write the tables again")
        parser.add_argument("--results", type=Path, default=self.results)
        add_data_argument(parser)
        chosen = parser.parse_args(arguments)
        results = harness.Results(chosen.results)
        if not chosen.report:
            names = [name for name in chosen.sets if chosen.data or SETS[name].is_simulated]
            self.run(names, results, chosen.data)
        text = self.report(results)
        heading = f"# {self.title}\n\nMade by `{program}`.\n\n"
        chosen.results.with_suffix(".md").write_text(heading + text + "\n")
        if chosen.results == self.results and self.page.exists():
            put_between_markers(self.page, self.marker, text)
        print(text)
