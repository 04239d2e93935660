"""Ten tasks of fev-bench, scored by the public package fev, in the environment of ``make fev``.

A run goes on where it was cut off. The tables that fev reads are made once, from the folder of the
benchmarks' series, and are not to be passed on.
"""

from __future__ import annotations

import argparse
import importlib.util
from functools import partial
from pathlib import Path

from benchmarks.command import Benchmark, add_data_option, folder_of_series
from benchmarks.contestants import Contestant, add_contestant_options, measure_contestants
from benchmarks.fev.data import rebuild
from benchmarks.fev.page import sections
from benchmarks.fev.run import run_task
from benchmarks.fev.tasks import TASKS
from benchmarks.records import ROOT, BenchmarkError, Records
from samovar_forecast.process import one_thread

TABLES = ROOT / "build" / "fev"
NAMES = ("Naive", "Drift", "Seasonal naive", "VAR", "Ridge VAR", "Linear members", "SAMoVAR")


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Run what the records lack, task by task."""
    if importlib.util.find_spec("fev") is None:
        raise BenchmarkError("fev is not installed here: `make fev` makes an environment with it")
    data = folder_of_series(asked.data)

    def run(name: str, contestant: Contestant) -> dict[str, float]:
        table = rebuild(TASKS[name].dataset, data, asked.tables)
        return run_task(name, table, contestant, asked.refit)

    with one_thread():
        measure_contestants(records, asked, {name: partial(run, name) for name in asked.tasks})


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    add_data_option(parser)
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    add_contestant_options(parser, NAMES)
    parser.add_argument("--refit", type=int, default=1, help="fit at every so many windows")
    parser.add_argument("--tables", type=Path, default=TABLES, help="folder of fev's tables")


BENCHMARK = Benchmark("fev", __doc__, measure, sections, add_options)
