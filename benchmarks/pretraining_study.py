"""``python -m benchmarks.pretraining_study``: what families, width and time are worth.

Short trainings of the network that forecasts without training, each by CPU time, each judged on the
fixed simulated validation set and on the development sets: the econometric panel from a to l and a
part of M3. No set that is for reports alone is looked at. The shipped weights are the last row.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.command import Benchmark, add_data_option, folder_of_series
from benchmarks.competitions import GROUPS, measure_part, read_group
from benchmarks.contestants import Contestant
from benchmarks.econometric import DEVELOPMENT, SETS
from benchmarks.pages import markdown_table
from benchmarks.records import RESULTS, Entry, Records, provenance, stamp
from benchmarks.zero_shot import better_var, panel_set
from benchmarks.zero_shot_network import ZeroShot
from samovar_forecast import load_pretrained
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.pretraining.batches import Sizes
from samovar_forecast.pretraining.command import PRIOR_ROWS
from samovar_forecast.pretraining.training import Budget, Pretraining, Recipe
from samovar_forecast.pretraining.validation import validate
from samovar_forecast.process import one_thread

VERSIONS = ("torch", "numpy")
M3 = ("M3 yearly", "M3 quarterly", "M3 monthly", "M3 other")
EVERY = 4
"""Every fourth series of a competition is asked for."""

KINDS: dict[str, tuple[str, ...]] = {
    "stable and integrated VARs": ("stable_var", "integrated_var", "cointegrated_var"),
    "VARs that move": ("moving_var", "threshold_var", "switching_means"),
    "series that lead others": ("leading_var",),
    "factors, graphs, small economies": ("dynamic_factors", "causal_graph", "small_macro_model"),
    "autoregressions, long memory": ("autoregressions", "long_memory"),
    "panels of series alike": ("panel_autoregressions",),
    "trends and levels": ("local_trends", "deterministic_trends", "levels"),
    "Gaussian processes": ("gaussian_processes",),
    "counts, bounds, chaos, events": ("counts", "bounded", "chaotic_maps", "events"),
}
"""The families of the simulated world by kind; each family in one."""


@dataclass(frozen=True)
class Trial:
    """A short training.

    Attributes
    ----------
    minutes : float
        Of CPU time, on one thread.
    seed, width, n_layers : int
    without : tuple of str
        Families that are left out.
    """

    minutes: float = 2.5
    seed: int = 0
    width: int = ZeroShotConfig.width
    n_layers: int = ZeroShotConfig.n_layers
    without: tuple[str, ...] = ()

    def train(self) -> Pretraining:
        """Return the finished run."""
        recipe = Recipe(
            network=ZeroShotConfig(width=self.width, n_layers=self.n_layers),
            sizes=Sizes(without=self.without),
            seed=self.seed,
        )
        run = Pretraining(recipe)
        run.run(Budget(self.minutes), check_every=math.inf)
        return run


SHIPPED = "the weights in the package"
SEEDS = (0, 1)
TRIALS: dict[str, Trial] = {
    **{f"all families, seed {seed}": Trial(seed=seed) for seed in SEEDS},
    **{
        f"without {kind}, seed {seed}": Trial(seed=seed, without=families)
        for kind, families in KINDS.items()
        for seed in SEEDS
    },
    **{f"width {width}": Trial(width=width) for width in (32, 128)},
    **{f"{n_layers} layers": Trial(n_layers=n_layers) for n_layers in (1, 2)},
    **{f"width {width}, 10 minutes": Trial(10.0, width=width) for width in (64, 128)},
}


def n_parameters(network: ZeroShotNetwork) -> int:
    """Return the number of trained numbers."""
    return sum(parameter.numel() for parameter in network.parameters())


def panel(error_of: Callable[[pd.DataFrame, Entry, int], float], folder: Path) -> float:
    """Return the geometric mean of the squared error over the better VAR's, sets a to l.

    Parameters
    ----------
    error_of : callable
        From the series of a set, the record of its linear forecasts and its horizon to the mean
        squared error.
    folder : Path
    """
    linear = Records(RESULTS / "econometric.json").entries
    ratios = [
        error_of(one.read(folder / "extra"), linear[name], one.horizon)
        / better_var(linear[name]["MSE"])
        for name, one in SETS.items()
        if name in linear and name[0] <= DEVELOPMENT
    ]
    return float(np.exp(np.log(ratios).mean()))


def panel_of_network(network: ZeroShotNetwork, folder: Path) -> float:
    """Return :func:`panel` of a network, asked as it is."""

    def error(y: pd.DataFrame, about: Entry, horizon: int) -> float:
        return panel_set(network, y.to_numpy(dtype=float), about, horizon)["MSE"]

    return panel(error, folder)


def competitions(contestant: Contestant, names: Iterable[str], folder: Path) -> float:
    """Return the geometric mean of MASE over groups of series, every fourth series of each."""
    groups = [GROUPS[name] for name in names]
    scores = [
        measure_part(read_group(folder, group)[::EVERY], group, contestant)["MASE"]
        for group in groups
    ]
    return float(np.exp(np.log(scores).mean()))


def judge(network: ZeroShotNetwork, folder: Path) -> dict[str, Any]:
    """Return what the development sets say of a network.

    Returns
    -------
    dict
        ``panel``, of :func:`panel_of_network`; ``M3``, of :func:`competitions`; ``parameters``.
    """
    return {
        "panel": round(panel_of_network(network, folder), 4),
        "M3": round(competitions(ZeroShot(network), M3, folder), 4),
        "parameters": n_parameters(network),
    }


def run_trial(trial: Trial, folder: Path) -> dict[str, Any]:
    """Return what a trial reached, and what it cost."""
    run = trial.train()
    checked = run.progress.curve[-1]
    return {
        "steps": run.progress.step,
        "series": run.progress.series,
        "CPU minutes": round(run.progress.cpu_seconds / 60, 2),
        **{name: round(checked[name], 4) for name in ("loss", "alone", "error")},
        "families": checked["families"],
        **judge(run.average.with_prior(PRIOR_ROWS), folder),
    }


def judge_shipped(folder: Path) -> dict[str, Any]:
    """Return what the weights in the package reach."""
    pretrained = load_pretrained()
    checked, card = validate(pretrained.network.with_prior(0.0)), pretrained.card
    return {
        "steps": card["steps"],
        "series": card["series_seen"],
        "CPU minutes": card["cpu_minutes"],
        **{name: round(checked[name], 4) for name in ("loss", "alone", "error")},
        **judge(pretrained.network, folder),
    }


# --- sections -------------------------------------------------------------------------------------

COLUMNS = ("parameters", "steps", "CPU minutes", "loss", "panel", "M3")
ABLATION = ("steps", "loss", "panel", "M3")


def _row(name: str, entry: dict[str, Any]) -> list[str]:
    return [name, *(str(entry[column]) for column in COLUMNS)]


def families_table(found: dict[str, dict[str, Any]]) -> str:
    """Return what leaving a kind of family out changes, means over the seeds.

    The last row has the standard error of a change, from the variance over the seeds in all rows.
    """
    kinds = ("all families", *(f"without {kind}" for kind in KINDS))
    values: dict[str, np.ndarray] = {}  # seeds, columns
    for kind in kinds:
        some = [found[name] for seed in SEEDS if (name := f"{kind}, seed {seed}") in found]
        if len(some) == len(SEEDS):
            values[kind] = np.array([[entry[column] for column in ABLATION] for entry in some])
    rows = []
    for kind in kinds:
        if kind not in values or kinds[0] not in values:
            rows.append([kind, *["not run"] * len(ABLATION)])
        elif kind == kinds[0]:
            rows.append([kind, *_cells(values[kind].mean(axis=0))])
        else:
            change = values[kind].mean(axis=0) - values[kinds[0]].mean(axis=0)
            rows.append([kind, *_cells(change, "+")])
    if len(values) > 1:
        variance = np.mean([some.var(axis=0, ddof=1) for some in values.values()], axis=0)
        rows.append(["standard error of a change", *_cells(np.sqrt(2 * variance / len(SEEDS)))])
    return markdown_table([f"{Trial.minutes} CPU minutes, two seeds", *ABLATION], rows)


def _cells(values: np.ndarray, sign: str = "") -> list[str]:
    return [f"{values[0]:{sign}.0f}", *(f"{value:{sign}.3f}" for value in values[1:])]


def sections(records: Records) -> dict[str, str]:
    """Return the two tables by marker."""
    found = records.entries
    ablation = {name for name, trial in TRIALS.items() if trial.without}
    rows = [_row(name, found[name]) for name in TRIALS if name in found and name not in ablation]
    if SHIPPED in found:
        rows.append(_row(SHIPPED, found[SHIPPED]))
    spent = math.fsum(entry["cpu seconds"] for entry in found.values())
    return {
        "pretraining families": f"{families_table(found)}\n\n{stamp(list(found.values()), spent)}",
        "pretraining sizes": markdown_table(["training", *COLUMNS], rows),
    }


# --- the command ----------------------------------------------------------------------------------


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Run the trials that are not stored yet."""
    data = folder_of_series(asked.data)
    with one_thread():
        for name in asked.trials:
            if name in records.entries and not asked.again:
                continue
            began = time.process_time()
            trial = TRIALS.get(name)
            found = judge_shipped(data) if trial is None else run_trial(trial, data)
            spent = {"cpu seconds": round(time.process_time() - began, 1)}
            records.keep(name, {**provenance(VERSIONS), **found, **spent})
            print(name, {column: found[column] for column in COLUMNS}, flush=True)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    add_data_option(parser)
    names = [*TRIALS, SHIPPED]
    parser.add_argument("--trials", nargs="+", choices=names, default=names)
    parser.add_argument("--again", action="store_true", help="also what is in the records")


BENCHMARK = Benchmark("pretraining_study", __doc__, measure, sections, add_options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
