"""Checkpoints of a run: one file of numbers and JSON with a checksum, and the file before."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from samovar_forecast.artifact.tensors import about_of, from_bytes, to_bytes
from samovar_forecast.checkpoint_file import (
    newest_checkpoint,
    read_bytes,
    without_checksum,
    write_checkpoint,
)
from samovar_forecast.exceptions import ArtifactError
from samovar_forecast.network.artifact import build_network
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.pretraining.batches import Sizes
from samovar_forecast.pretraining.training import Pretraining, Progress, Recipe

FORMAT = "samovar_forecast pretraining 2"
WITHOUT_CHECKSUM = "samovar_forecast pretraining 1"
"""The format of before, which is still read."""


class _Stored(NamedTuple):
    """What a file says."""

    recipe: Recipe
    progress: Progress
    tensors: dict[str, Tensor]


def save_checkpoint(run: Pretraining, path: Path) -> None:
    """Write everything that a run needs to go on; the checkpoint before is kept.

    Parameters
    ----------
    run : Pretraining
    path : Path
    """
    tensors: dict[str, Tensor] = {}
    for part, module in (("network", run.network), ("average", run.average)):
        tensors |= {f"{part}.{name}": value for name, value in module.state_dict().items()}
    for name, parameter in run.network.named_parameters():
        for moment, value in run.optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{moment}.{name}"] = value
    about = {
        "format": FORMAT,
        "recipe": json.dumps(dataclasses.asdict(run.recipe)),
        "progress": json.dumps(dataclasses.asdict(run.progress)),
    }
    write_checkpoint(path, to_bytes(tensors, about))


def load_checkpoint(path: Path, device: str | torch.device = "cpu") -> Pretraining:
    """Return the run that was written, ready to go on as if it had never stopped.

    In place of a damaged file the checkpoint before is read, and a warning says so.

    Parameters
    ----------
    path : Path
    device : str or torch.device, default="cpu"

    Returns
    -------
    Pretraining

    Raises
    ------
    ArtifactError
        If there is no checkpoint that is as it was written.
    """
    newest = newest_checkpoint(path, _read, "the run goes on from the checkpoint before")
    if newest is None:
        raise ArtifactError(
            f"{path} cannot be read: there is no checkpoint that is as it was written",
            remedy="begin a new run, without --resume",
        )
    recipe, progress, tensors = newest[1]
    run = Pretraining(recipe, device)
    run.network.load_state_dict(_part(tensors, "network."))
    run.average.load_state_dict(_part(tensors, "average."))
    moments = _part(tensors, "optimizer.")
    for name, parameter in run.network.named_parameters():
        state = {
            key.split(".", 1)[0]: value.to(device)
            for key, value in moments.items()
            if key.split(".", 1)[1] == name
        }
        if state:
            run.optimizer.state[parameter] = state
    run.progress = progress
    return run


def _read(path: Path) -> _Stored:
    """Return what a file says, its weights held against its recipe."""
    content = read_bytes(path)
    about = about_of(content, str(path))
    if about.get("format") not in (FORMAT, WITHOUT_CHECKSUM):
        raise ArtifactError(
            f"{path} is no checkpoint of a pretraining", found=about.get("format"), wanted=FORMAT
        )
    if about["format"] == FORMAT:
        content = without_checksum(content, path)
    tensors = from_bytes(content, str(path))
    try:
        recipe = _recipe(json.loads(about["recipe"]))
        progress = Progress(**json.loads(about["progress"]))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ArtifactError(f"{path} is no checkpoint of a pretraining: {error}") from error
    for part in ("network", "average"):
        weights = _part(tensors, f"{part}.")
        build_network(ZeroShotNetwork, recipe.network, weights, f"the {part} in {path}")
    return _Stored(recipe, progress, tensors)


def _recipe(stored: dict[str, Any]) -> Recipe:
    sizes: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in stored["sizes"].items()
    }
    return Recipe(
        **{**stored, "network": ZeroShotConfig(**stored["network"]), "sizes": Sizes(**sizes)}
    )


def _part(tensors: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    return {name[len(start) :]: value for name, value in tensors.items() if name.startswith(start)}
