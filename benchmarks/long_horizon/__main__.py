"""``python -m benchmarks.long_horizon``: the long-horizon benchmark, fairly.

Standard splits, a scaler of the training rows, every test window, and for every model alike a
look-back chosen on validation. A cell (set, horizon, model, look-back, seed) is one file; a run
that was cut off goes on where it stopped. ``--report`` writes the tables from the files alone.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from pathlib import Path

import torch

from benchmarks.harness import BenchmarkError
from benchmarks.long_horizon.cells import Run
from benchmarks.long_horizon.data import SETS, load_task
from benchmarks.long_horizon.rows import ABLATIONS, ROWS, canonical_name
from benchmarks.long_horizon.tables import write_report
from benchmarks.series_sets import add_data_argument

RESULTS = Path(__file__).resolve().parents[1] / "results" / "long_horizon"
GROUPS = {
    "all": list(ROWS),
    "linear": ["seasonal-naive", "ridge-var", "ridge-nlinear", "linear-anchor"],
    "ablations": ["paper", *ABLATIONS],
}


def parser() -> argparse.ArgumentParser:
    """The options."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.long_horizon", description=__doc__.splitlines()[0]
    )
    found.add_argument(
        "--dataset", nargs="*", default=["ETTh1"], help=f"of {', '.join(SETS)}, or a CSV's path"
    )
    found.add_argument("--horizon", nargs="*", type=int, help="by default the usual four")
    found.add_argument(
        "--models",
        nargs="*",
        default=["all"],
        help=f"of {', '.join(ROWS)}, with overrides as in paper[n_heads=8]; or all, linear, "
        "ablations",
    )
    found.add_argument("--lookbacks", nargs="*", type=int, help="what is tried, for every model")
    found.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    add_data_argument(found)
    found.add_argument(
        "--split", nargs=3, type=float, help="shares of training, validation and test rows"
    )
    found.add_argument("--season", type=int, help="steps, for the seasonal naive forecast")
    found.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    found.add_argument("--results", type=Path, default=RESULTS)
    found.add_argument("--scratch", type=Path, help="folder from which a cut-off fit goes on")
    found.add_argument(
        "--trained", type=Path, help="folder that keeps the networks of the default row"
    )
    found.add_argument("--commit", help="of the code, where it lies outside its repository")
    found.add_argument("--report", action="store_true", help="write the tables, run nothing")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the cells that are asked for and not there, and write the tables."""
    asked = parser().parse_args(arguments)
    run = Run(asked.results, asked.device, asked.scratch, asked.commit, asked.trained)
    if asked.report:
        write_report(run.stored(), asked.results)
        return 0
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")  # hosts' advice on loaders and short samples
    names = [name for group in asked.models for name in GROUPS.get(group, [group])]
    failures = 0
    for dataset in asked.dataset:
        known = SETS.get(dataset)
        horizons = asked.horizon or (known.horizons if known else (96, 192, 336, 720))
        lookbacks = asked.lookbacks or (known.lookbacks if known else (336, 512, 1024, 2048))
        for horizon in horizons:
            split = None if asked.split is None else tuple(asked.split)
            task = load_task(dataset, horizon, asked.data, split, asked.season)
            for name in names:
                try:
                    cells = run.model(task, canonical_name(name), lookbacks, asked.seeds)
                except (BenchmarkError, ImportError, ValueError, RuntimeError) as error:
                    failures += 1
                    print(f"{task.name} {horizon} {name}: not run: {error}", flush=True)
                    continue
                best = min(cells, key=lambda one: one["scores"]["validation"][""]["MSE"])
                print(
                    f"{task.name} {horizon} {name}: L={best['lookback']}, "
                    f"test MSE {best['scores']['test']['']['MSE']:.4f}, {len(cells)} cells",
                    flush=True,
                )
    write_report(run.stored(), asked.results)
    return 1 if failures else 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    try:
        raise SystemExit(main())
    except BenchmarkError as error:
        raise SystemExit(f"long_horizon: {error}") from None
