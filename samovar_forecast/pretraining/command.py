"""``python -m samovar_forecast.pretraining``: train the network for any panel on simulations."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import math
import os
import platform
from collections.abc import Callable
from pathlib import Path

import torch

from samovar_forecast.bundle import write_whole
from samovar_forecast.exceptions import ConfigurationError
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
OF_THE_RECIPE = ("seed", "width", "layers", "learning_rate", "alone", "without")
"""Options that a run keeps from its start to its end."""

logger = logging.getLogger(__name__)


def write(run: Pretraining, folder: Path) -> None:
    """Write the checkpoint, the learning curve, and the weights with their card."""
    save_checkpoint(run, folder / CHECKPOINT)
    progress = run.progress
    write_whole(folder / CURVE, json.dumps(progress.curve, indent=1).encode() + b"\n")
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
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.minutes is None and asked.steps is None:
        parser.error("give a budget: --minutes or --steps")
    if asked.processes > 1 and asked.device != "cpu":
        parser.error("more than one of --processes train on the CPU alone")
    try:
        torch.empty(0, device=asked.device)
        recipe = _recipe(asked)
        asked.out.mkdir(parents=True, exist_ok=True)
    except (RuntimeError, AssertionError) as error:  # of a torch without CUDA the latter
        parser.error(f"--device {asked.device} cannot be had: {error}")
    except ConfigurationError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"--out {asked.out} cannot be made: {error}")
    if not os.access(asked.out, os.W_OK):
        parser.error(f"--out {asked.out} cannot be written")
    of_another = [name for name in OF_THE_RECIPE if getattr(asked, name) is not None]
    if asked.resume and of_another:
        option = of_another[0].replace("_", "-")
        parser.error(f"--resume keeps the recipe of the run: leave --{option} out")
    if not asked.resume and (asked.out / CHECKPOINT).exists():
        parser.error(f"{asked.out} holds a run: go on with --resume, or name another folder")
    if asked.processes > 1:
        train_in_processes(asked.processes, _train, asked, recipe)
    else:
        _train(asked, recipe)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m samovar_forecast.pretraining", description=__doc__
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder of checkpoint and weights")
    add("--minutes", type=_above(0), help="budget: minutes of CPU time, or on a GPU")
    add("--steps", type=_from(1), help="budget: steps")
    add("--resume", action="store_true", help="go on with what --out holds")
    add("--device", default="cpu")
    add("--threads", type=_from(1), default=1, help="of each process")
    add(
        "--processes",
        type=_from(1),
        default=1,
        help="that train together on this machine's CPU, each with a batch of its own in each step",
    )
    add("--seed", type=_from(0), help="default: 0")
    add("--width", type=_from(1), help=f"default: {ZeroShotConfig.width}")
    add("--layers", type=_from(1), help=f"default: {ZeroShotConfig.n_layers}")
    add("--learning-rate", type=_above(0), help=f"default: {Recipe.learning_rate}")
    add(
        "--response",
        type=_above(0, or_equal=True),
        help=f"weight of known responses; as before, {Recipe.response_weight} at the start",
    )
    add("--alone", action="store_true", default=None, help="no series ever sees another")
    add(
        "--without",
        nargs="+",
        choices=list(FAMILIES),
        metavar="FAMILY",
        help="families of the simulated world that are left out",
    )
    add("--check-every", type=_above(0), default=120.0, help="seconds between checks")
    add("--commit", default="unknown", help="of the code, for the card")
    return parser


def _above(least: float, *, or_equal: bool = False) -> Callable[[str], float]:
    """Return what reads a finite number above the least one."""

    def read(text: str) -> float:
        value = float(text)
        if not math.isfinite(value) or value < least or (value == least and not or_equal):
            raise ValueError
        return value

    read.__name__ = f"number {'from' if or_equal else 'above'} {least} on"
    return read


def _from(least: int) -> Callable[[str], int]:
    """Return what reads an integer from the least one on."""

    def read(text: str) -> int:
        value = int(text)
        if value < least:
            raise ValueError
        return value

    read.__name__ = f"integer from {least} on"
    return read


def _recipe(asked: argparse.Namespace) -> Recipe:
    """Return the recipe of a run that begins."""
    given = {name: value for name in OF_THE_RECIPE if (value := getattr(asked, name)) is not None}
    shape = {"width": given.pop("width", None), "n_layers": given.pop("layers", None)}
    network = ZeroShotConfig(**{name: n for name, n in shape.items() if n is not None})
    alone = 1.0 if given.pop("alone", False) else Sizes.alone
    sizes = Sizes(alone=alone, without=tuple(given.pop("without", ())))
    return Recipe(network=network, sizes=sizes, **given)


def _train(asked: argparse.Namespace, recipe: Recipe) -> None:
    """Train as asked, in this process or beside others."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(asked.threads)
    if asked.resume:
        run = load_checkpoint(asked.out / CHECKPOINT, asked.device)
    else:
        run = Pretraining(recipe, asked.device)
    budget = Budget(asked.minutes, asked.steps)
    if budget.spent(run.progress, run.device.type == "cuda") >= 1:
        logger.warning("the run has spent this budget: nothing was trained and nothing written")
        return
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
    run.run(budget, on_check=lambda now: write(now, asked.out), check_every=asked.check_every)
