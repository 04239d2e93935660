"""``python -m samovar_forecast.pretraining``: train the network for any panel on simulations."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import platform
from pathlib import Path

import torch

from samovar_forecast.network.pretrained import save_pretrained
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.pretraining.batches import Sizes
from samovar_forecast.pretraining.checkpoint import load_checkpoint, save_checkpoint
from samovar_forecast.pretraining.processes import number_of_processes, train_in_processes
from samovar_forecast.pretraining.training import Budget, Pretraining, Recipe
from samovar_forecast.pretraining.world import FAMILIES

CHECKPOINT = "checkpoint.safetensors"
CURVE = "curve.json"
PRIOR_ROWS = 10.0
"""Of the network that is written; chosen on the development sets."""


def write(run: Pretraining, folder: Path) -> None:
    """Write the checkpoint, the learning curve, and the weights with their card."""
    save_checkpoint(run, folder / CHECKPOINT)
    progress = run.progress
    (folder / CURVE).write_text(json.dumps(progress.curve, indent=1) + "\n")
    card = {
        "trained_on": "simulated processes only; no real series was ever trained on",
        "chosen_on": "simulated panels; M3, M4, tourism and the econometric sets a to l",
        "parts": progress.parts,
        "seed": run.recipe.seed,
        "hardware": f"{platform.machine()}, {number_of_processes()} x {torch.get_num_threads()} "
        f"threads, {run.device.type}",
        "torch": torch.__version__,
        "steps": progress.step,
        "series_seen": progress.series,
        "cpu_minutes": round(progress.cpu_seconds / 60, 2),
        "minutes": round(progress.seconds / 60, 2),
        "learning_rate": run.recipe.learning_rate,
        "curve": [{k: v for k, v in row.items() if k != "families"} for row in progress.curve],
    }
    save_pretrained(run.average.with_prior(PRIOR_ROWS), card, folder)


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : list of str, optional
        Of the command line, by default.

    Returns
    -------
    int
        0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m samovar_forecast.pretraining", description=__doc__
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoint and weights")
    parser.add_argument("--minutes", type=float, help="budget: minutes of CPU time, or on a GPU")
    parser.add_argument("--steps", type=int, help="budget: steps")
    parser.add_argument("--resume", action="store_true", help="go on with what --out holds")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument(
        "--processes",
        type=int,
        default=1,
        help="that train together on this machine's CPU, each with a batch of its own in each step",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--width", type=int, default=ZeroShotConfig.width)
    parser.add_argument("--layers", type=int, default=ZeroShotConfig.n_layers)
    parser.add_argument("--learning-rate", type=float, default=Recipe.learning_rate)
    parser.add_argument(
        "--response",
        type=float,
        help=f"weight of known responses; as before, {Recipe.response_weight} at the start",
    )
    parser.add_argument("--alone", action="store_true", help="no series ever sees another")
    parser.add_argument(
        "--without",
        nargs="+",
        default=(),
        choices=list(FAMILIES),
        metavar="FAMILY",
        help="families of the simulated world that are left out",
    )
    parser.add_argument("--check-every", type=float, default=120.0, help="seconds between checks")
    parser.add_argument("--commit", default="unknown", help="of the code, for the card")
    asked = parser.parse_args(arguments)
    if asked.minutes is None and asked.steps is None:
        parser.error("give a budget: --minutes or --steps")
    if asked.processes < 1 or (asked.processes > 1 and asked.device != "cpu"):
        parser.error("--processes counts from 1, and more than one train on the CPU alone")
    if asked.processes > 1:
        train_in_processes(asked.processes, _train, asked)
    else:
        _train(asked)
    return 0


def _train(asked: argparse.Namespace) -> None:
    """Train as asked, in this process or beside others."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(asked.threads)
    if asked.resume:
        run = load_checkpoint(asked.out / CHECKPOINT, asked.device)
    else:
        network = ZeroShotConfig(width=asked.width, n_layers=asked.layers)
        alone = 1.0 if asked.alone else Sizes.alone
        sizes = Sizes(alone=alone, without=tuple(asked.without))
        recipe = Recipe(
            network=network, sizes=sizes, seed=asked.seed, learning_rate=asked.learning_rate
        )
        run = Pretraining(recipe, asked.device)
    if asked.response is not None:
        run.recipe = dataclasses.replace(run.recipe, response_weight=asked.response)
    run.progress.parts.append(
        {
            "commit": asked.commit,
            "from_step": run.progress.step,
            "from_cpu_minutes": round(run.progress.cpu_seconds / 60, 2),
            "budget_minutes": asked.minutes,
            "budget_steps": asked.steps,
            "response_weight": run.recipe.response_weight,
            "processes": number_of_processes(),
        }
    )
    run.run(
        Budget(asked.minutes, asked.steps),
        on_check=lambda now: write(now, asked.out),
        check_every=asked.check_every,
    )
