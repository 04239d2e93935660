"""The command: which cells are asked for, and the sections that are made of all cells."""

from __future__ import annotations

import argparse
import logging
import warnings
from pathlib import Path

from benchmarks.command import Benchmark, add_data_option
from benchmarks.long_horizon.cells import Run
from benchmarks.long_horizon.data import SETS, load_task
from benchmarks.long_horizon.rows import ABLATIONS, ROWS, canonical_name
from benchmarks.long_horizon.tables import sections
from benchmarks.records import BenchmarkError, Records
from samovar_forecast.process import one_thread

ABOUT = """The long-horizon benchmark, fairly.

Standard splits, a scaler of the training rows, every test window, and for every model alike a
look-back chosen on validation. A cell (set, horizon, model, look-back, seed) is an entry of the
records; a run that was cut off goes on where it stopped.
"""
GROUPS = {
    "all": list(ROWS),
    "linear": ["seasonal-naive", "ridge-var", "ridge-nlinear", "linear-anchor", "linear-members"],
    "ablations": ["paper", *ABLATIONS],
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    parser.add_argument(
        "--dataset", nargs="*", default=["ETTh1"], help=f"of {', '.join(SETS)}, or a CSV's path"
    )
    parser.add_argument("--horizon", nargs="*", type=int, help="by default the usual four")
    parser.add_argument(
        "--models",
        nargs="*",
        default=["all"],
        help=f"of {', '.join(ROWS)}, with overrides as in paper[n_heads=8]; or all, linear, "
        "ablations",
    )
    parser.add_argument("--lookbacks", nargs="*", type=int, help="what is tried, for every model")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    add_data_option(parser)
    parser.add_argument(
        "--split", nargs=3, type=float, help="shares of training, validation and test rows"
    )
    parser.add_argument("--season", type=int, help="steps, for the seasonal naive forecast")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--scratch", type=Path, help="folder from which a cut-off fit goes on")
    parser.add_argument("--commit", help="of the code, where it lies outside its repository")


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Run the cells that are asked for and not there.

    Raises
    ------
    BenchmarkError
        At the end, if a model could not be run; all others were.
    """
    run = Run(records, asked.device, asked.scratch, asked.commit)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    names = [name for group in asked.models for name in GROUPS.get(group, [group])]
    split = None if asked.split is None else tuple(asked.split)
    failures = []
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hosts' advice on loaders and short samples
        for dataset in asked.dataset:
            known = SETS.get(dataset)
            horizons = asked.horizon or (known.horizons if known else (96, 192, 336, 720))
            lookbacks = asked.lookbacks or (known.lookbacks if known else (336, 512, 1024, 2048))
            for horizon in horizons:
                task = load_task(dataset, horizon, asked.data, split, asked.season)
                for name in names:
                    try:
                        cells = run.model(task, canonical_name(name), lookbacks, asked.seeds)
                    except (BenchmarkError, ImportError, ValueError, RuntimeError) as error:
                        failures.append(f"{task.name} {horizon} {name}: not run: {error}")
                        print(failures[-1], flush=True)
                        continue
                    best = min(cells, key=lambda cell: cell["scores"]["validation"][""]["MSE"])
                    print(
                        f"{task.name} {horizon} {name}: L={best['lookback']}, "
                        f"test MSE {best['scores']['test']['']['MSE']:.4f}, {len(cells)} cells",
                        flush=True,
                    )
    if failures:
        raise BenchmarkError("\n".join(failures))


BENCHMARK = Benchmark("long_horizon", ABOUT, measure, sections, add_options)
